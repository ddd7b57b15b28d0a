package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"time"
)

type (
	audit  struct{ *db }
	outbox struct{ *db }
)

func (s audit) Add(ctx context.Context, e Entry) error {
	_, err := s.exec(ctx, `INSERT INTO audit (at, who, did, what, from_addr) VALUES (?, ?, ?, ?, ?)`, s.or(e.At), e.Who, e.Did, e.What, e.From)
	return err
}

func (s audit) List(ctx context.Context, p Page) ([]Entry, error) {
	var f filter
	if p.Before != "" {
		before, err := strconv.ParseInt(p.Before, 10, 64)
		if err != nil {
			return nil, ErrNotFound
		}
		f.add("id < ?", before)
	}
	return many(ctx, s.db, func(r row) (e Entry, err error) {
		var id int64
		err = r.Scan(&id, instant{&e.At}, &e.Who, &e.Did, &e.What, &e.From)
		e.ID = strconv.FormatInt(id, 10)
		return e, err
	}, `SELECT id, at, who, did, what, from_addr FROM audit WHERE 1 = 1`+f.conds.String()+` ORDER BY id DESC LIMIT `+strconv.Itoa(p.limit()), f.args...)
}

const messageColumns = `id, dest, body, made, tries, due, error`

func readMessage(r row) (m Message, err error) {
	return m, r.Scan(&m.ID, &m.To, &m.Body, instant{&m.Made}, &m.Tries, instant{&m.Due}, &m.Error)
}

func (s outbox) Claim(ctx context.Context, n int, hold time.Duration) ([]Message, error) {
	var ms []Message
	now := s.now()
	err := s.tx(ctx, func(tx *sql.Tx) (err error) {
		ms, err = manyIn(ctx, s.db, tx, readMessage, `UPDATE outbox SET due = ? WHERE id IN (
			SELECT id FROM outbox WHERE due <= ? ORDER BY due, made LIMIT ?`+s.claim+`) RETURNING `+messageColumns, now.Add(hold), now, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(ms, func(a, b Message) int { return a.Made.Compare(b.Made) })
	return ms, nil
}

func (s outbox) Done(ctx context.Context, id string) error {
	return s.exec1(ctx, `DELETE FROM outbox WHERE id = ?`, id)
}

func (s outbox) Retry(ctx context.Context, id string, due time.Time, why string) error {
	return s.exec1(ctx, `UPDATE outbox SET tries = tries + 1, due = ?, error = ? WHERE id = ?`, due, why, id)
}

func (s outbox) Waiting(ctx context.Context) (int, error) {
	return one(ctx, s.db, func(r row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM outbox`)
}

func (s outbox) List(ctx context.Context, p Page) ([]Message, error) {
	var f filter
	if err := s.page(ctx, &f, "outbox", "made", p); err != nil {
		return nil, err
	}
	return many(ctx, s.db, readMessage, `SELECT `+messageColumns+` FROM outbox WHERE 1 = 1`+f.conds.String(), f.args...)
}
