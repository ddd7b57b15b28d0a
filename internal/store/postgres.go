package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// channel is where servers tell each other of changes.
	channel = "latchkey_cases"
	// listenPing is after how much silence the line that listens is tried.
	listenPing = 30 * time.Second
	// announceGap is how long changes are gathered after some were told. The first is
	// told at once.
	announceGap = 25 * time.Millisecond
	// postgresConns is how many lines one server has at most; PostgreSQL takes 100
	// in all unless it is told otherwise.
	postgresConns = 16
)

func (d *db) openPostgres(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "latchkey"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	d.engine = engine{
		name: "postgres", dollars: true, lock: "SELECT pg_advisory_xact_lock(7308604897068083558)",
		claim: " FOR UPDATE SKIP LOCKED", sort: sortPostgres, scrub: scrubPostgres,
	}
	d.write = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		// A server that does not wait for its disk could lose what was acknowledged.
		_, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
		return err
	}))
	d.write.SetMaxOpenConns(postgresConns)
	d.write.SetMaxIdleConns(postgresConns)
	d.write.SetConnMaxIdleTime(5 * time.Minute)
	d.read = d.write
	d.limits = shared{d}

	listening, cancel := context.WithCancel(context.WithoutCancel(ctx))
	conn, err := listen(ctx, config)
	if err != nil {
		cancel()
		d.write.Close()
		return d.wrap(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { d.listen(listening, config, conn) })
	var a announcer
	a.wake, a.stop = make(chan struct{}, 1), make(chan struct{})
	d.announce = a.add
	wg.Go(func() { a.run(d) })
	d.stop = func() {
		close(a.stop)
		cancel()
		wg.Wait()
	}
	return nil
}

func sortPostgres(err error) error {
	var e *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &connect):
		return ErrUnavailable
	case errors.As(err, &e):
		switch e.Code {
		case "23505": // unique_violation
			return ErrConflict
		case "23503": // foreign_key_violation
			return ErrNotFound
		case "53100": // disk_full
			return ErrFull
		case "25006", // read_only_sql_transaction: a standby
			"40001", "40P01": // serialization_failure, deadlock_detected
			return ErrUnavailable
		}
		switch e.Code[:2] {
		case "08", "53", "57", "58", "XX": // connection, resources, operators, system, damage
			return ErrUnavailable
		}
		return nil
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, driver.ErrBadConn),
		errors.Is(err, sql.ErrConnDone), errors.Is(err, net.ErrClosed), pgconn.SafeToRetry(err):
		return ErrUnavailable
	}
	return nil
}

// scrubPostgres frees the room of deleted rows, to be written over. Their bytes may
// stand in the server's files, its log and its backups until then: what has to be
// unreadable at once has to be encrypted.
func scrubPostgres(ctx context.Context, write *sql.DB) error {
	_, err := write.ExecContext(ctx, "VACUUM (SKIP_LOCKED) reports, cases, users, sessions, audit")
	return err
}

// listen opens a line on which changes are told.
func listen(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

// listen rings for what other servers and this one announce, and opens the line again
// when it breaks.
func (d *db) listen(ctx context.Context, config *pgx.ConnConfig, conn *pgx.Conn) {
	for {
		down, err := d.hear(ctx, conn)
		conn.Close(context.Background())
		if ctx.Err() != nil {
			return
		}
		d.log.Warn("the line to PostgreSQL that tells of changes broke; trying again", "err", err)
		for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
			if conn, err = listen(ctx, config); err == nil {
				break
			}
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return
			}
		}
		d.log.Info("the line to PostgreSQL that tells of changes is back")
		if err := d.catchUp(ctx, down); err != nil {
			d.log.Warn("some changes were not told while PostgreSQL was away", "err", err)
		}
	}
}

// hear rings until the line breaks, and returns when it was last known to work.
func (d *db) hear(ctx context.Context, conn *pgx.Conn) (time.Time, error) {
	for worked := d.now(); ; worked = d.now() {
		quiet, cancel := context.WithTimeout(ctx, listenPing)
		n, err := conn.WaitForNotification(quiet)
		cancel()
		if err == nil {
			d.hub.ring(n.Payload)
			continue
		}
		if ctx.Err() != nil || !pgconn.Timeout(err) {
			return worked, err
		}
		ping, cancel := context.WithTimeout(ctx, listenPing/3)
		err = conn.Ping(ping)
		cancel()
		if err != nil {
			return worked, err
		}
	}
}

// catchUp rings for what came while nobody listened. Clocks of servers may differ a
// little, so it looks back further.
func (d *db) catchUp(ctx context.Context, since time.Time) error {
	since = since.Add(-time.Minute)
	ids, err := many(ctx, d, func(r row) (id string, err error) { return id, r.Scan(&id) },
		`SELECT DISTINCT COALESCE(case_id, '') FROM reports WHERE at >= ? UNION SELECT id FROM cases WHERE made >= ? OR closed >= ?`, since, since, since)
	if err == nil {
		d.hub.ring(ids...)
	}
	return err
}

// announcer tells all servers of changes after they were made, many at once.
// Transactions that notify are committed one after the other, each with its own wait
// for the disk; this keeps that away from those that matter.
type announcer struct {
	wake, stop chan struct{}

	mu      sync.Mutex
	pending []string
}

func (a *announcer) add(cases ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range cases {
		if !slices.Contains(a.pending, c) {
			a.pending = append(a.pending, c)
		}
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *announcer) run(d *db) {
	for {
		select {
		case <-a.wake:
			a.tell(d)
		case <-a.stop:
			a.tell(d)
			return
		}
		select {
		case <-time.After(announceGap):
		case <-a.stop:
		}
	}
}

// tell announces what has changed since it was last called.
func (a *announcer) tell(d *db) {
	a.mu.Lock()
	cases := a.pending
	a.pending = nil
	a.mu.Unlock()
	if len(cases) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// Whoever does not hear of it catches up when PostgreSQL is back.
	if _, err := d.write.ExecContext(ctx, `SELECT pg_notify('`+channel+`', c) FROM unnest($1::text[]) c`, cases); err != nil {
		d.log.Warn("cannot tell other servers of a change", "err", err)
	}
}

// shared counts for all servers.
type shared struct{ *db }

func (s shared) Take(ctx context.Context, key string, n int, window time.Duration) (time.Duration, error) {
	end, err := s.begin()
	if err != nil {
		return 0, err
	}
	defer end()
	now := s.now()
	var count int
	var ends time.Time
	err = s.write.QueryRowContext(ctx, s.statement(`INSERT INTO limits (key, n, ends) VALUES (?, 1, ?) ON CONFLICT (key) DO UPDATE SET
		n = CASE WHEN limits.ends <= ? THEN 1 ELSE LEAST(limits.n + 1, ?) END,
		ends = CASE WHEN limits.ends <= ? THEN excluded.ends ELSE limits.ends END RETURNING n, ends`),
		arguments([]any{key, now.Add(window), now, n + 1, now})...).Scan(&count, instant{&ends})
	if err != nil {
		return 0, s.wrap(err)
	}
	if count > n {
		return ends.Sub(now), nil
	}
	return 0, nil
}
