package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"time"
)

// batch is how many rows one transaction deletes or encrypts, so that reports get
// their turn between.
const batch = 200

// Sweep deletes what is older than it is kept, and what has run out. It returns how
// many reports and cases went.
func (s *Store) Sweep(ctx context.Context, keep Retention) (int, error) {
	d, now := s.db, s.db.now()
	sum := 0
	drop := func(table, id, cond string, before time.Time, count *int) error {
		for {
			n, err := d.exec(ctx, fmt.Sprintf(`DELETE FROM %[1]s WHERE %[2]s IN (SELECT %[2]s FROM %[1]s WHERE %[3]s < ? LIMIT %[4]d)`, table, id, cond, batch), before)
			*count += int(n)
			if err != nil || n < batch {
				return err
			}
		}
	}
	if keep.Reports > 0 {
		if err := drop("reports", "id", "at", now.Add(-keep.Reports), &sum); err != nil {
			return sum, err
		}
		// What they are about is gone.
		if err := drop("outbox", "id", "made", now.Add(-keep.Reports), new(int)); err != nil {
			return sum, err
		}
		if keep.Cases > 0 {
			if err := drop("cases", "id", "CASE WHEN closed > 0 AND closed < expires THEN closed ELSE expires END", now.Add(-max(keep.Cases, keep.Reports)), &sum); err != nil {
				return sum, err
			}
		}
	}
	if keep.Audit > 0 {
		if err := drop("audit", "id", "at", now.Add(-keep.Audit), new(int)); err != nil {
			return sum, err
		}
	}
	if err := drop("sessions", "hash", "expires", now, new(int)); err != nil {
		return sum, err
	}
	if _, ok := d.limits.(shared); ok {
		if err := drop("limits", "key", "ends", now, new(int)); err != nil {
			return sum, err
		}
	}
	return sum, d.scrubbed(ctx, nil)
}

// Reseal encrypts anew, with the first key, whatever another key or none encrypted,
// and returns how many values that were. It may run beside everything else, and again
// after it was cut off.
func (s *Store) Reseal(ctx context.Context) (int, error) {
	d, sum := s.db, 0
	if d.seal.first[0] == plain {
		return 0, fmt.Errorf("there is nothing to encrypt with: %w", ErrKey)
	}
	for _, v := range []struct{ table, id, column, of string }{
		{"reports", "id", "body", "report.body "},
		{"cases", "id", "note", "case.note "},
		{"users", "name", "totp", "user.totp "},
	} {
		n, err := d.reseal(ctx, v.table, v.id, v.column, v.of)
		sum += n
		if err != nil {
			return sum, err
		}
	}
	if sum == 0 {
		return 0, nil
	}
	return sum, d.scrubbed(ctx, nil)
}

func (d *db) reseal(ctx context.Context, table, id, column, of string) (int, error) {
	type value struct {
		id   string
		kept []byte
	}
	sum, last := 0, ""
	for {
		values, err := many(ctx, d, func(r row) (v value, err error) { return v, r.Scan(&v.id, &v.kept) },
			fmt.Sprintf(`SELECT %s, %s FROM %s WHERE %[1]s > ? ORDER BY %[1]s LIMIT %[4]d`, id, column, table, batch), last)
		if err != nil || len(values) == 0 {
			return sum, err
		}
		n := 0
		err = d.tx(ctx, func(tx *sql.Tx) error {
			for _, v := range values {
				if bytes.HasPrefix(v.kept, d.seal.first) {
					continue
				}
				plain, err := d.seal.open(of+v.id, v.kept)
				if err != nil {
					return err
				}
				// Whoever has changed it since has used the first key.
				changed, err := d.execIn(ctx, tx, fmt.Sprintf(`UPDATE %s SET %s = ? WHERE %s = ? AND %[2]s = ?`, table, column, id),
					d.seal.seal(of+v.id, plain), v.id, v.kept)
				if err != nil {
					return err
				}
				n += int(changed)
			}
			return nil
		})
		if err != nil {
			return sum, err
		}
		sum, last = sum+n, values[len(values)-1].id
	}
}
