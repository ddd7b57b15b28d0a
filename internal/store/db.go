package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// engine is what differs between the two databases. All statements are written once,
// with question marks.
type engine struct {
	name string
	// dollars is whether parameters are $1, $2 and so on.
	dollars bool
	// lock makes a transaction the only one that migrates.
	lock string
	// claim is what keeps two servers from reading the same rows to change them.
	claim string
	// sort says what an error of the driver means: one of ours, or nil.
	sort func(error) error
	// scrub takes the last bytes of deleted rows away.
	scrub func(ctx context.Context, write *sql.DB) error
}

// db is a database that is open, and what the parts of the store share.
type db struct {
	engine
	log    *slog.Logger
	now    func() time.Time
	seal   *sealer
	hub    *hub
	limits LimitStore
	// read may be used by many at once; write is what changes rows.
	read, write *sql.DB
	// prepared are the statements that change rows, as they are written here.
	prepared sync.Map
	// announce tells all servers that cases have changed.
	announce func(cases ...string)

	// ready is when the database last took a write for Ready.
	ready atomic.Pointer[time.Time]
	// open is held for reading by whatever is under way.
	open   sync.RWMutex
	closed bool
	// stop ends what runs beside.
	stop func()
}

// begin has to be called before the database is used, and end after.
func (d *db) begin() (end func(), err error) {
	d.open.RLock()
	if d.closed {
		d.open.RUnlock()
		return nil, fmt.Errorf("the store is closed: %w", ErrUnavailable)
	}
	return d.open.RUnlock, nil
}

func (d *db) close() error {
	d.open.Lock()
	defer d.open.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	close(d.hub.done)
	d.stop()
	return errors.Join(d.read.Close(), d.write.Close())
}

// statement makes a statement fit for the engine.
func (d *db) statement(q string) string {
	if !d.dollars {
		return q
	}
	var b strings.Builder
	for n, part := range strings.Split(q, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
	}
	return b.String()
}

// arguments makes values fit for both engines: times are microseconds, 0 for the zero
// time, and text is UTF-8 without zero bytes, which PostgreSQL does not take.
func arguments(args []any) []any {
	for i, arg := range args {
		switch v := arg.(type) {
		case time.Time:
			args[i] = micros(v)
		case string:
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(v, "\uFFFD"), "\x00", "\uFFFD")
		case []byte:
			if v == nil {
				args[i] = []byte{}
			}
		case bool:
			args[i] = 0
			if v {
				args[i] = 1
			}
		}
	}
	return args
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant reads a time.
type instant struct{ to *time.Time }

func (i instant) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("%T is no time", v)
	}
	*i.to = time.Time{}
	if n != 0 {
		*i.to = time.UnixMicro(n).UTC()
	}
	return nil
}

// or is the time, or now if it is zero.
func (d *db) or(t time.Time) time.Time {
	if t.IsZero() {
		return d.now()
	}
	return t
}

// wrap says which of our errors one of the driver's is.
func (d *db) wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return errors.Join(ErrUnavailable, err)
	}
	for _, ours := range []error{ErrNotFound, ErrConflict, ErrClosed, ErrFull, ErrUnavailable, ErrKey} {
		if errors.Is(err, ours) {
			return err
		}
	}
	if ours := d.sort(err); ours != nil {
		return fmt.Errorf("%w: %w", ours, err)
	}
	return err
}

// executor is a pool or a transaction.
type executor interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// exec changes rows, and counts them.
func (d *db) exec(ctx context.Context, q string, args ...any) (int64, error) {
	end, err := d.begin()
	if err != nil {
		return 0, err
	}
	defer end()
	if d.dollars { // pgx prepares by itself
		n, err := d.execIn(ctx, d.write, q, args...)
		return n, d.wrap(err)
	}
	stmt, err := d.prepare(ctx, q)
	if err != nil {
		return 0, d.wrap(err)
	}
	res, err := stmt.ExecContext(ctx, arguments(args)...)
	if err != nil {
		return 0, d.wrap(err)
	}
	return res.RowsAffected()
}

// prepare is the statement as the database has read it, once.
func (d *db) prepare(ctx context.Context, q string) (*sql.Stmt, error) {
	if stmt, ok := d.prepared.Load(q); ok {
		return stmt.(*sql.Stmt), nil
	}
	stmt, err := d.write.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	if other, there := d.prepared.LoadOrStore(q, stmt); there {
		stmt.Close()
		return other.(*sql.Stmt), nil
	}
	return stmt, nil
}

func (d *db) execIn(ctx context.Context, in executor, q string, args ...any) (int64, error) {
	res, err := in.ExecContext(ctx, d.statement(q), arguments(args)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// exec1 changes one row, which has to be there.
func (d *db) exec1(ctx context.Context, q string, args ...any) error {
	n, err := d.exec(ctx, q, args...)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// has is whether a query finds anything.
func (d *db) has(ctx context.Context, q string, args ...any) (bool, error) {
	_, err := one(ctx, d, func(r row) (int, error) {
		var n int
		return n, r.Scan(&n)
	}, q, args...)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// row is what a row is read from.
type row interface{ Scan(...any) error }

// one reads the row that a query finds.
func one[T any](ctx context.Context, d *db, read func(row) (T, error), q string, args ...any) (T, error) {
	var none T
	end, err := d.begin()
	if err != nil {
		return none, err
	}
	defer end()
	v, err := read(d.read.QueryRowContext(ctx, d.statement(q), arguments(args)...))
	if err != nil {
		return none, d.wrap(err)
	}
	return v, nil
}

// many reads the rows that a query finds.
func many[T any](ctx context.Context, d *db, read func(row) (T, error), q string, args ...any) ([]T, error) {
	end, err := d.begin()
	if err != nil {
		return nil, err
	}
	defer end()
	vs, err := manyIn(ctx, d, d.read, read, q, args...)
	return vs, d.wrap(err)
}

func manyIn[T any](ctx context.Context, d *db, in executor, read func(row) (T, error), q string, args ...any) ([]T, error) {
	rows, err := in.QueryContext(ctx, d.statement(q), arguments(args)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var vs []T
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, err
		}
		vs = append(vs, v)
	}
	return vs, rows.Err()
}

// tx runs f in a transaction that writes, and undoes it all if f fails.
func (d *db) tx(ctx context.Context, f func(*sql.Tx) error) error {
	end, err := d.begin()
	if err != nil {
		return err
	}
	defer end()
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return d.wrap(err)
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return d.wrap(err)
	}
	return d.wrap(tx.Commit())
}

// scrubbed takes the last traces of a deletion away if it went well. What is left
// because somebody was reading goes with the next Sweep.
func (d *db) scrubbed(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	end, err := d.begin()
	if err != nil {
		return err
	}
	defer end()
	if err := d.scrub(ctx, d.write); err != nil {
		d.log.Warn("rows were deleted, and bytes of them may be left until the next sweep", "err", err)
	}
	return nil
}

// filter collects the conditions of a list.
type filter struct {
	conds bytes.Buffer
	args  []any
}

func (f *filter) add(cond string, args ...any) {
	f.conds.WriteString(" AND " + cond)
	f.args = append(f.args, args...)
}

// equal adds that a column has a value, unless that is empty.
func (f *filter) equal(column, value string) {
	if value != "" {
		f.add(column+" = ?", value)
	}
}

// between adds that a column's time is not before from, and before to.
func (f *filter) between(column string, from, to time.Time) {
	if !from.IsZero() {
		f.add(column+" >= ?", from)
	}
	if !to.IsZero() {
		f.add(column+" < ?", to)
	}
}

// contains adds that a column holds the text, in which nothing has a meaning of its
// own.
func (f *filter) contains(column, text string) {
	f.add(column+` LIKE ? ESCAPE '\'`, "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)+"%")
}

// fold is text as it is looked for: the engines differ in what they call the same
// letter.
func fold(parts ...string) string {
	return strings.ToLower(strings.ToValidUTF8(strings.Join(parts, "\n"), "\uFFFD"))
}

// page adds where a list goes on, and orders it, for a table whose time is in column.
func (d *db) page(ctx context.Context, f *filter, table, column string, p Page) error {
	if p.Before != "" {
		at, err := one(ctx, d, func(r row) (t time.Time, err error) {
			return t, r.Scan(instant{&t})
		}, "SELECT "+column+" FROM "+table+" WHERE id = ?", p.Before)
		if err != nil {
			return err
		}
		f.add("("+column+", id) < (?, ?)", at, p.Before)
	}
	f.conds.WriteString(" ORDER BY " + column + " DESC, id DESC LIMIT " + strconv.Itoa(p.limit()))
	return nil
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return 50
	}
	return min(p.Limit, 200)
}
