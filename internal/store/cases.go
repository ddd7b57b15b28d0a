package store

import (
	"context"
	"encoding/json"
)

type cases struct{ *db }

const caseColumns = `id, made, made_by, from_name, note, reference, lang, outcome, asks, expires, closed,
	(SELECT COUNT(*) FROM reports WHERE reports.case_id = cases.id)`

func (s cases) read(r row) (Case, error) {
	var c Case
	var note []byte
	var asks string
	err := r.Scan(&c.ID, instant{&c.Made}, &c.By, &c.From, &note, &c.Reference, &c.Lang, &c.Outcome, &asks,
		instant{&c.Expires}, instant{&c.Closed}, &c.Reports)
	if err != nil {
		return Case{}, err
	}
	if note, err = s.seal.open("case.note "+c.ID, note); err != nil {
		return Case{}, err
	}
	c.Note = string(note)
	return c, json.Unmarshal([]byte(asks), &c.Asks)
}

func (s cases) Add(ctx context.Context, c Case, tokenHash []byte) error {
	asks, err := json.Marshal(c.Asks)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `INSERT INTO cases (id, token_hash, made, made_by, from_name, note, reference, lang, outcome, asks, expires, closed, search)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.ID, tokenHash, s.or(c.Made), c.By, c.From, s.seal.seal("case.note "+c.ID, []byte(c.Note)), c.Reference, c.Lang, c.Outcome,
		string(asks), c.Expires, c.Closed, fold(c.Reference, c.ID, c.By))
	return s.changed(err, c.ID)
}

// changed rings for a case if it went well.
func (d *db) changed(err error, id string) error {
	if err == nil {
		d.announce(id)
	}
	return err
}

func (s cases) Get(ctx context.Context, id string) (Case, error) {
	return one(ctx, s.db, s.read, `SELECT `+caseColumns+` FROM cases WHERE id = ?`, id)
}

func (s cases) ByToken(ctx context.Context, tokenHash []byte) (Case, error) {
	return one(ctx, s.db, s.read, `SELECT `+caseColumns+` FROM cases WHERE token_hash = ?`, tokenHash)
}

func (s cases) List(ctx context.Context, q CaseQuery) ([]Case, error) {
	var f filter
	if q.Text != "" {
		f.contains("search", fold(q.Text))
	}
	f.equal("made_by", q.By)
	if q.Open {
		f.add("closed = 0 AND expires > ?", s.now())
	}
	f.between("made", q.From, q.To)
	if err := s.page(ctx, &f, "cases", "made", q.Page); err != nil {
		return nil, err
	}
	return many(ctx, s.db, s.read, `SELECT `+caseColumns+` FROM cases WHERE 1 = 1`+f.conds.String(), f.args...)
}

func (s cases) Close(ctx context.Context, id string) error {
	n, err := s.exec(ctx, `UPDATE cases SET closed = ? WHERE id = ? AND closed = 0`, s.now(), id)
	if err != nil {
		return err
	}
	if n == 0 {
		if has, err := s.has(ctx, `SELECT 1 FROM cases WHERE id = ?`, id); err != nil || has {
			return err
		}
		return ErrNotFound
	}
	return s.changed(nil, id)
}

func (s cases) Delete(ctx context.Context, id string) error {
	err := s.exec1(ctx, `DELETE FROM cases WHERE id = ?`, id)
	return s.changed(s.scrubbed(ctx, err), id)
}
