package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

type reports struct{ *db }

const reportColumns = `id, case_id, at, code, outcome, top, findings, browser, system, tier, reference`

func readReport(r row, more ...any) (Report, error) {
	var p Report
	var of sql.NullString
	var findings string
	err := r.Scan(append([]any{&p.ID, &of, instant{&p.At}, &p.Code, &p.Outcome, &p.Top, &findings, &p.Browser, &p.System, &p.Tier, &p.Reference}, more...)...)
	p.Case = of.String
	if f := strings.Fields(findings); len(f) > 0 {
		p.Findings = f
	}
	return p, err
}

func bodyOf(id string) string { return "report.body " + id }

// The condition is part of the statement, so that one round trip does it all.
const addReport = `INSERT INTO reports (id, case_id, at, body, code, outcome, top, findings, browser, system, tier, reference, search)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`
const addReportTo = `INSERT INTO reports (id, case_id, at, body, code, outcome, top, findings, browser, system, tier, reference, search)
	SELECT ?, id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM cases WHERE id = ? AND closed = 0 AND expires > ? ON CONFLICT (id) DO NOTHING`

func (s reports) Add(ctx context.Context, r Report, msgs ...Message) error {
	q := addReport
	args := []any{r.ID, nil, s.or(r.At), s.seal.seal(bodyOf(r.ID), r.Body), r.Code, r.Outcome, r.Top,
		" " + strings.Join(r.Findings, " ") + " ", r.Browser, r.System, r.Tier, r.Reference,
		fold(r.Reference, r.Code, strings.ReplaceAll(r.Code, "-", ""))}
	if r.Case != "" {
		q, args = addReportTo, append(append([]any{r.ID}, args[2:]...), r.Case, s.now())
	}
	var err error
	if len(msgs) == 0 {
		var n int64
		if n, err = s.exec(ctx, q, args...); err == nil && n == 0 {
			err = errNotAdded
		}
	} else {
		err = s.tx(ctx, func(tx *sql.Tx) error {
			n, err := s.execIn(ctx, tx, q, args...)
			if err == nil && n == 0 {
				err = errNotAdded
			}
			if err != nil {
				return err
			}
			for _, m := range msgs {
				if err := s.addMessage(ctx, tx, m); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if errors.Is(err, errNotAdded) {
		err = s.whyNot(ctx, r)
	}
	return s.changed(err, r.Case)
}

var errNotAdded = errors.New("not added")

// whyNot says why a report was not added. That it has arrived comes before that its
// case is closed: whoever sends it again has to hear that.
func (s reports) whyNot(ctx context.Context, r Report) error {
	if has, err := s.has(ctx, `SELECT 1 FROM reports WHERE id = ?`, r.ID); err != nil {
		return err
	} else if has {
		return ErrConflict
	}
	if has, err := s.has(ctx, `SELECT 1 FROM cases WHERE id = ?`, r.Case); err != nil {
		return err
	} else if has {
		return ErrClosed
	}
	return ErrNotFound
}

func (s reports) Get(ctx context.Context, id string) (Report, error) {
	return one(ctx, s.db, func(row row) (Report, error) {
		var body []byte
		r, err := readReport(row, &body)
		if err != nil {
			return Report{}, err
		}
		r.Body, err = s.seal.open(bodyOf(r.ID), body)
		return r, err
	}, `SELECT `+reportColumns+`, body FROM reports WHERE id = ?`, id)
}

func (s reports) List(ctx context.Context, q ReportQuery) ([]Report, error) {
	var f filter
	if q.Text != "" {
		f.contains("search", fold(q.Text))
	}
	f.equal("case_id", q.Case)
	f.equal("outcome", q.Outcome)
	if q.Finding != "" {
		f.contains("findings", " "+q.Finding+" ")
	}
	f.equal("browser", q.Browser)
	f.equal("system", q.System)
	f.equal("tier", q.Tier)
	f.between("at", q.From, q.To)
	if err := s.page(ctx, &f, "reports", "at", q.Page); err != nil {
		return nil, err
	}
	return many(ctx, s.db, func(r row) (Report, error) { return readReport(r) },
		`SELECT `+reportColumns+` FROM reports WHERE 1 = 1`+f.conds.String(), f.args...)
}

func (s reports) Delete(ctx context.Context, id string) error {
	var of string
	err := s.tx(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, s.statement(`DELETE FROM reports WHERE id = ? RETURNING COALESCE(case_id, '')`), id).Scan(&of)
	})
	return s.changed(s.scrubbed(ctx, err), of)
}

// addMessage keeps a message as a part of what it tells of.
func (d *db) addMessage(ctx context.Context, tx *sql.Tx, m Message) error {
	if m.ID == "" {
		m.ID = NewID()
	}
	_, err := d.execIn(ctx, tx, `INSERT INTO outbox (id, dest, body, made, tries, due, error) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		m.ID, m.To, m.Body, d.or(m.Made), m.Tries, d.or(m.Due), m.Error)
	if err != nil && errors.Is(d.wrap(err), ErrConflict) {
		// Not ErrConflict: that would mean that the report has arrived.
		return fmt.Errorf("there is a message %s already", m.ID)
	}
	return err
}
