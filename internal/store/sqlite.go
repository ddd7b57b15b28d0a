package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

func (d *db) openSQLite(path string) error {
	if path == "" {
		return errors.New("sqlite: needs the path of a file, such as sqlite:latchkey.db")
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("sqlite:%s: there is no folder %s: make it first", path, dir)
	}
	// SQLite gives its other files the rights of this one. It is nobody else's to read.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("sqlite:%s: %w", path, err)
	}
	f.Close()

	d.engine = engine{name: "sqlite", lock: "SELECT 1", sort: sortSQLite, scrub: scrubSQLite}
	d.announce, d.stop = d.hub.ring, func() {}
	d.limits = newMemory(d.now)
	if d.write, err = sql.Open("sqlite", sqliteURL(path, "_txlock=immediate")); err != nil {
		return err
	}
	// SQLite has one writer at a time; who waits here can give up.
	d.write.SetMaxOpenConns(1)
	// The change to a write-ahead log waits for nobody, whatever busy_timeout says: who
	// opens a new file in the same moment hears that it is locked.
	for end := time.Now().Add(busy); ; time.Sleep(busy / 500) {
		if err := d.write.Ping(); !isBusy(err) || time.Now().After(end) {
			break // what else is wrong shows as soon as it is used
		}
	}
	if d.read, err = sql.Open("sqlite", sqliteURL(path, "_pragma=query_only(1)")); err != nil {
		return err
	}
	d.read.SetMaxOpenConns(8)
	d.read.SetMaxIdleConns(8)
	return nil
}

// busy is how long to wait for who writes.
const busy = 5 * time.Second

func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// sqliteURL is a file with all that each connection to it needs.
func sqliteURL(path, more string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: fmt.Sprintf("_pragma=busy_timeout(%d)", busy.Milliseconds()) +
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=secure_delete(1)&_pragma=trusted_schema(0)&" + more}
	return u.String()
}

func sortSQLite(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return ErrConflict
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return ErrNotFound
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return ErrUnavailable
	}
	return nil
}

// scrubSQLite empties the write-ahead log, which holds pages as they were. The file
// itself is overwritten as rows go (secure_delete). Where a reader is in the way the
// next scrub does it.
func scrubSQLite(ctx context.Context, write *sql.DB) error {
	_, err := write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}
