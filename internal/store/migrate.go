package store

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is a step of the tables to what this program needs. There is no way back.
type migration struct {
	version int
	name    string
	sql     string
}

// migrations are the files NNNN_name.sql, and NNNN_name.ENGINE.sql of one engine.
func migrations(files fs.FS, engine string) ([]migration, error) {
	paths, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var ms []migration
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "migrations/"), ".sql")
		_, of, _ := strings.Cut(name, ".")
		if of != "" && of != engine {
			continue
		}
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("%s: a migration's name begins with its number", path)
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, err
		}
		ms = append(ms, migration{version, name, string(text)})
	}
	slices.SortFunc(ms, func(a, b migration) int { return cmp.Compare(a.version, b.version) })
	for i, m := range ms {
		if m.version != i+1 {
			return nil, fmt.Errorf("%s migration %d is missing or there twice", engine, i+1)
		}
	}
	return ms, nil
}

// migrate brings the tables up to date, in one transaction, and returns the names of
// what it ran. Only one server does so at a time.
func (d *db) migrate(ctx context.Context) (ran []string, err error) {
	ms, err := migrations(migrationFiles, d.name)
	if err != nil {
		return nil, err
	}
	return d.migrateTo(ctx, ms)
}

func (d *db) migrateTo(ctx context.Context, ms []migration) (ran []string, err error) {
	err = d.tx(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{d.lock, `CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, at BIGINT NOT NULL)`} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		var at int
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM migrations`).Scan(&at); err != nil {
			return err
		}
		if at > len(ms) {
			return fmt.Errorf("a newer Latchkey has written this database (it is at version %d, and this program knows %d): run that one, or restore the backup from before it", at, len(ms))
		}
		for _, m := range ms[at:] {
			if _, err := tx.ExecContext(ctx, m.sql); err != nil {
				return fmt.Errorf("migration %s: %w", m.name, err)
			}
			if _, err := d.execIn(ctx, tx, `INSERT INTO migrations (version, name, at) VALUES (?, ?, ?)`, m.version, m.name, d.now()); err != nil {
				return err
			}
			ran = append(ran, m.name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ran, nil
}
