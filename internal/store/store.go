// Package store keeps cases, reports and the accounts of the console at rest, in
// SQLite (one file, no set-up) or in PostgreSQL (several servers). It owns what is
// kept, for how long, and what is encrypted; it knows nothing of HTTP, of checks or of
// what a report means.
package store

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"latchkey/internal/report"
)

// What callers decide by.
var (
	// ErrNotFound: there is no such row, or it is not this one's to see.
	ErrNotFound = errors.New("not found")
	// ErrConflict: a row with this id or name is there already. For a report that
	// means that it has arrived: whoever sends it again is told so.
	ErrConflict = errors.New("there already")
	// ErrClosed: the case takes no reports any more.
	ErrClosed = errors.New("closed")
	// ErrFull and ErrUnavailable: the disk is full, or the database does not answer.
	// Nothing was written, as far as is known: when the line broke while the database
	// was answering it may have been. Sending again under the same id tells.
	ErrFull        = errors.New("the disk is full")
	ErrUnavailable = errors.New("the database does not answer")
	// ErrKey: a body was encrypted with a key that is not in Options.Keys.
	ErrKey = errors.New("no key for this")
)

// Options are what Open needs besides the URL.
type Options struct {
	// Keys encrypt the bodies of reports, the notes of cases and the secrets of
	// users at rest, with AES-256-GCM: the first writes, all read. None leaves them
	// readable in the file.
	Keys [][]byte
	// Log is slog's default if nil.
	Log *slog.Logger
	// Now is time.Now if nil.
	Now func() time.Time
}

// Case is what an agent made a diagnostic link for.
type Case struct {
	ID   string // NewID
	Made time.Time
	By   string // the user's name, or the name of the API key
	// From is who the person reads that asks, such as "Example Clinic support".
	From      string
	Note      string // for agents alone; encrypted
	Reference string
	Lang      string
	Outcome   string // of evidence's list, or "" if it is not known
	Asks      []report.Ask
	Expires   time.Time
	Closed    time.Time // zero while it is open
	Reports   int       // how many have arrived; only read
}

// Usable is whether reports may come for the case.
func (c Case) Usable(now time.Time) bool { return c.Closed.IsZero() && now.Before(c.Expires) }

// Report is a report at rest. All but the body is what lists are filtered by.
type Report struct {
	ID        string // NewID, chosen by who sends it, so that sending again is safe
	Case      string // "" if it came without a link
	At        time.Time
	Body      []byte // report.Sent.Encode; encrypted
	Code      string // the code to read aloud, as it is written
	Outcome   string
	Top       string   // the first finding as it was judged on arrival, or ""
	Findings  []string // all of them
	Browser   string
	System    string
	Tier      string
	Reference string
}

// Page is which rows of a list: at most Limit (50 if 0, at most 200), from Before on
// backwards in time. If the row Before is gone meanwhile, the list is ErrNotFound.
type Page struct {
	Limit  int
	Before string // the ID of the last row of the page before; "" starts with the newest
}

// CaseQuery filters cases; what is zero does not.
type CaseQuery struct {
	Text string // anywhere in the reference, the id or the maker's name
	By   string
	Open bool      // only those that take reports
	From time.Time // made then or later
	To   time.Time // made before
	Page
}

// ReportQuery filters reports; what is zero does not.
type ReportQuery struct {
	Text    string // anywhere in the reference or the code, with or without its hyphens
	Case    string
	Outcome string
	Finding string
	Browser string
	System  string
	Tier    string
	From    time.Time
	To      time.Time
	Page
}

// Role is what a user may do.
type Role string

// The roles. An admin may do what an agent may, manage users and read the audit log.
const (
	Agent Role = "agent"
	Admin Role = "admin"
)

// User is somebody who may sign in to the console.
type User struct {
	Name string // as it is typed in, or what the identity provider calls them; small letters
	Role Role
	// Hash is the password's, argon2id in PHC format; "" for users of an identity
	// provider, who have an Issuer and a Subject.
	Hash     string
	Issuer   string
	Subject  string
	TOTP     string // the secret, encrypted; "" without a second factor
	TOTPUsed int64  // the last time step that a code was taken for
	Off      bool   // may not sign in
	Made     time.Time
	Seen     time.Time // last sign-in
}

// Session is a signed-in browser, or an API key.
type Session struct {
	Hash    []byte // SHA-256 of the token; only read by it
	User    string
	CSRF    string
	Made    time.Time
	Seen    time.Time
	Expires time.Time
}

// Key lets another program use the API.
type Key struct {
	Name string
	Hash []byte // SHA-256
	By   string
	Made time.Time
	Seen time.Time
}

// Entry is a line of the audit log. It is written before what it tells of is done.
type Entry struct {
	ID   string // for Page.Before; only read
	At   time.Time
	Who  string
	Did  string // such as "report.view"; small letters and dots
	What string // the id of what it was done to
	From string // the address it was done from
}

// Message is an event for another system that has to arrive.
type Message struct {
	ID    string
	To    string // the name of the webhook in the configuration
	Body  []byte
	Made  time.Time
	Tries int // that failed
	Due   time.Time
	Error string // of the last try
}

// Event rings when something about a case has changed. It tells nothing else: read
// again. A server that dies may have written and not rung.
type Event struct {
	Case string // "" for reports without one
}

// Retention is how long things are kept; 0 is for ever.
type Retention struct {
	Reports time.Duration
	Cases   time.Duration // since they ended; as long as Reports if that is longer
	Audit   time.Duration
}

// Cases, Reports and so on are the parts of a Store. Each method is one transaction.
type (
	// CaseStore keeps cases.
	CaseStore interface {
		// Add keeps a case under the hash of its token.
		Add(ctx context.Context, c Case, tokenHash []byte) error
		Get(ctx context.Context, id string) (Case, error)
		// ByToken finds ended cases, too: ask Usable.
		ByToken(ctx context.Context, tokenHash []byte) (Case, error)
		List(ctx context.Context, q CaseQuery) ([]Case, error)
		// Close ends a case; closing again changes nothing.
		Close(ctx context.Context, id string) error
		// Delete takes the case and its reports away.
		Delete(ctx context.Context, id string) error
	}
	// ReportStore keeps reports.
	ReportStore interface {
		// Add keeps a report and the messages about it in one transaction: when it
		// returns nil, neither a crash nor a power cut loses them. It rings.
		Add(ctx context.Context, r Report, msgs ...Message) error
		Get(ctx context.Context, id string) (Report, error)
		// List leaves Body out.
		List(ctx context.Context, q ReportQuery) ([]Report, error)
		Delete(ctx context.Context, id string) error
	}
	// UserStore keeps who may sign in.
	UserStore interface {
		Add(ctx context.Context, u User) error
		Get(ctx context.Context, name string) (User, error)
		BySubject(ctx context.Context, issuer, subject string) (User, error)
		List(ctx context.Context) ([]User, error)
		// Set writes all of the user but Name, Made and TOTPUsed.
		Set(ctx context.Context, u User) error
		// Touch notes that the user signed in.
		Touch(ctx context.Context, name string) error
		// UseTOTP notes that a code of the time step was taken; ErrConflict if it, or
		// a later one, was before.
		UseTOTP(ctx context.Context, name string, step int64) error
		Delete(ctx context.Context, name string) error // and their sessions
	}
	// SessionStore keeps who is signed in.
	SessionStore interface {
		Add(ctx context.Context, s Session) error
		// Get finds what has not expired.
		Get(ctx context.Context, hash []byte) (Session, error)
		Touch(ctx context.Context, hash []byte) error
		Delete(ctx context.Context, hash []byte) error
		DeleteUser(ctx context.Context, name string) error
	}
	// KeyStore keeps the keys of the API.
	KeyStore interface {
		Add(ctx context.Context, k Key) error
		// ByHash notes, to the minute, that the key was used.
		ByHash(ctx context.Context, hash []byte) (Key, error)
		List(ctx context.Context) ([]Key, error)
		Delete(ctx context.Context, name string) error
	}
	// AuditStore keeps what was done in the console; it is only ever added to.
	AuditStore interface {
		Add(ctx context.Context, e Entry) error
		List(ctx context.Context, p Page) ([]Entry, error)
	}
	// OutboxStore keeps messages until they have arrived.
	OutboxStore interface {
		// Claim takes at most n that are due, and puts them off by hold, so that no
		// other server takes them meanwhile.
		Claim(ctx context.Context, n int, hold time.Duration) ([]Message, error)
		Done(ctx context.Context, id string) error
		// Retry puts off to due, with what went wrong.
		Retry(ctx context.Context, id string, due time.Time, why string) error
		// List tells what has not arrived.
		List(ctx context.Context, p Page) ([]Message, error)
		// Waiting counts it.
		Waiting(ctx context.Context) (int, error)
	}
	// LimitStore counts.
	LimitStore interface {
		// Take is whether one more of key may happen, of n in each window; if not,
		// after how long. With SQLite it counts in memory.
		Take(ctx context.Context, key string, n int, window time.Duration) (wait time.Duration, err error)
	}
)

// Store is a database that is open. Times are kept to the microsecond; where a row's
// own time is zero when it is added, it is now.
type Store struct {
	Cases    CaseStore
	Reports  ReportStore
	Users    UserStore
	Sessions SessionStore
	Keys     KeyStore
	Audit    AuditStore
	Outbox   OutboxStore
	Limits   LimitStore
	// Migrated names what Open did to the tables, oldest first.
	Migrated []string

	db *db
}

// Open opens the database that the URL names, sqlite:PATH or postgres://…, and brings
// its tables up to date under a lock. A database that a newer Latchkey has written is
// an error. The caller has to close it.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	sealer, err := newSealer(o.Keys)
	if err != nil {
		return nil, err
	}
	d := &db{log: o.Log, now: o.Now, seal: sealer, hub: newHub()}
	switch {
	case strings.HasPrefix(url, "sqlite:"):
		err = d.openSQLite(strings.TrimPrefix(url, "sqlite:"))
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		err = d.openPostgres(ctx, url)
	default:
		err = errors.New("a database is sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME")
	}
	if err != nil {
		return nil, err
	}
	ran, err := d.migrate(ctx)
	if err != nil {
		d.close()
		return nil, err
	}
	return &Store{
		Cases: cases{d}, Reports: reports{d}, Users: users{d}, Sessions: sessions{d}, Keys: keys{d},
		Audit: audit{d}, Outbox: outbox{d}, Limits: d.limits, Migrated: ran, db: d,
	}, nil
}

// Watch rings after each change to a case, on whichever server it was made, until ctx
// is done or the store is closed; then the channel closes. Who listens slowly hears of
// each case once.
func (s *Store) Watch(ctx context.Context) <-chan Event { return s.db.hub.watch(ctx) }

// Ready is whether the database answers and takes writes. Anybody may ask, so it tries
// at most once a second as long as all is well.
func (s *Store) Ready(ctx context.Context) error {
	end, err := s.db.begin()
	if err != nil {
		return err
	}
	end()
	if last := s.db.ready.Load(); last != nil && time.Since(*last) < time.Second {
		return nil
	}
	if err := s.db.exec1(ctx, `UPDATE ready SET at = ?`, s.db.now()); err != nil {
		return err
	}
	now := time.Now()
	s.db.ready.Store(&now)
	return nil
}

// Close waits for what is being written. After it everything is ErrUnavailable.
func (s *Store) Close() error { return s.db.close() }
