package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/internal/agent"
	"latchkey/internal/checks"
	"latchkey/internal/diag"
	"latchkey/internal/server/console"
	"latchkey/internal/store"
	"latchkey/internal/text"
)

// Options are what New needs. Base and Assets are required.
type Options struct {
	// Base is the path that everything but the health checks lies under, like
	// "/latchkey"; "" is the root.
	Base   string
	Config Config
	// Assets holds what cmd/pack made.
	Assets fs.FS
	// Log is slog's default if nil.
	Log *slog.Logger
	// Now is time.Now if nil.
	Now func() time.Time
	// Demo, if not nil, answers whatever lies outside of Base. It stands for
	// the site that embeds Latchkey: its headers are its own business.
	Demo http.Handler
	// Store keeps what people send to support, and the console's accounts. Without
	// it nothing can be sent, and people are told so.
	Store *store.Store
	// Stopping, if not nil, is closed when no new requests should come: from
	// then on /readyz says so.
	Stopping <-chan struct{}
}

type server struct {
	base     string
	cfg      Config
	log      *slog.Logger
	now      func() time.Time
	demo     http.Handler
	stopping <-chan struct{}
	store    *store.Store
	console  *console.Console // nil without a store
	assets   map[string]*asset
	limiter  *limiter
	pairs    *pairs
	set      diag.Set
	policy   agent.Policy
	// languages are those that pages are shown in, and tags theirs.
	languages []text.Language
	tags      []string
	english   *text.Catalogue // what support reads
	nameKey   [16]byte        // see hashed
	reached   []reached
	own       ownClock
	letOut    atomic.Bool // whether anything beyond this machine answered us
}

// Server is the whole server: a handler, and what is done besides.
type Server struct {
	http.Handler
	s *server
}

// New makes the server. It answers from then on, also if Run is never called.
func New(o Options) (*Server, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	return &Server{s.handler(), s}, nil
}

// Run asks the time servers, delivers to webhooks and deletes what was kept long
// enough, until ctx is done. When it returns, it uses the store no more.
func (v *Server) Run(ctx context.Context) {
	var jobs sync.WaitGroup
	if len(v.s.cfg.Clock.NTP) > 0 {
		jobs.Go(func() { v.s.watchClock(ctx) })
	}
	if v.s.store != nil {
		jobs.Go(func() { v.s.deliver(ctx) })
		jobs.Go(func() { v.s.sweep(ctx) })
	}
	jobs.Wait()
}

// sweepEvery is small beside what is kept for days.
const sweepEvery = time.Hour

// sweep deletes what was kept long enough, now and every hour.
func (s *server) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		switch n, err := s.store.Sweep(ctx, s.cfg.Retention); {
		case err != nil && ctx.Err() == nil:
			s.log.Warn("what was kept long enough was not deleted", "error", err, "again_in", sweepEvery)
		case n > 0:
			s.log.Info("deleted what was kept long enough", "reports_and_cases", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// baseForm keeps out what would mean something in a route, a cookie or a policy.
var baseForm = regexp.MustCompile(`^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)

func newServer(o Options) (*server, error) {
	if !baseForm.MatchString(o.Base) {
		return nil, fmt.Errorf("%q cannot be the base path: write it like /latchkey, without a / at the end", o.Base)
	}
	if o.Base == "" && o.Demo != nil {
		return nil, errors.New("the demo portal needs the root for itself: give a base path like /latchkey")
	}
	assets, err := loadAssets(o.Assets, o.Base)
	if err != nil {
		return nil, err
	}
	if rules := o.Config.Look.rules(); rules != "" {
		if assets["latchkey.css"], err = assets["latchkey.css"].restyle(rules); err != nil {
			return nil, err
		}
	}
	s := &server{
		base:     o.Base,
		cfg:      o.Config,
		log:      o.Log,
		now:      o.Now,
		demo:     o.Demo,
		stopping: o.Stopping,
		store:    o.Store,
		assets:   assets,
		limiter:  newLimiter(maxClients),
		pairs:    newPairs(maxPairs, maxKept),
		set:      checks.Catalogue(),
		policy:   o.Config.policy(),
		english:  text.English(),
		reached:  make([]reached, len(o.Config.Needs)),
		own:      ownClock{seed: maphash.MakeSeed()},
	}
	if err := s.addLanguages(o.Config.Languages); err != nil {
		return nil, err
	}
	s.english = s.languages[slices.Index(s.tags, "en")].Words
	_, _ = rand.Read(s.nameKey[:]) // never fails since Go 1.24
	if err := s.set.Validate(); err != nil {
		return nil, err
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if o.Store != nil {
		s.console, err = console.New(console.Options{
			Base: s.base, Site: s.cfg.Site.Name, Store: o.Store, Asset: s.asset, Address: s.outside,
			Asks: s.cfg.Reports.Fields, Languages: s.languages,
			Client: s.client, HTTPS: s.https, Session: s.cfg.Console.Session, Idle: s.cfg.Console.Idle, OIDC: s.cfg.Console.OIDC,
			Stopping: s.stopping, Log: s.log, Now: s.now,
		})
	}
	return s, err
}

// routes is a ServeMux that can tell its patterns.
type routes struct {
	http.ServeMux
	patterns []string
}

func (r *routes) Handle(pattern string, h http.Handler) {
	r.patterns = append(r.patterns, pattern)
	r.ServeMux.Handle(pattern, h)
}

func (r *routes) HandleFunc(pattern string, h http.HandlerFunc) { r.Handle(pattern, h) }

// mux has all routes but the demo's.
func (s *server) mux() *routes {
	mux := new(routes)
	s.static(mux)
	s.probes(mux)
	s.pages(mux)
	s.third(mux)
	s.pairings(mux)
	s.api(mux)
	s.reports(mux)
	s.links(mux)
	mux.Handle("GET "+s.base+"/phone", s.limited(http.HandlerFunc(s.phone), http.HandlerFunc(s.tooManyPage)))
	if s.console != nil {
		s.console.Routes(mux.Handle)
	}
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	return mux
}

// Patterns lists the routes of the server, but for the demo's, as http.ServeMux
// has them: for the test that no list of a content blocker has one of them.
func Patterns(o Options) ([]string, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	return s.mux().patterns, nil
}

// handler has all routes and all middleware. Ours and the demo are apart, so
// that an address under the base that does not exist is our 404 and not a page
// of the demo.
func (s *server) handler() http.Handler {
	ours := s.mux()
	all := http.NewServeMux()
	for _, path := range []string{s.base + "/", "/healthz", "/readyz"} {
		all.Handle(path, strict(ours))
	}
	if s.demo != nil {
		all.Handle("/", s.demo)
	}
	return http.MaxBytesHandler(s.recovered(all), maxBody)
}

// healthz says that the process lives.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "ok")
}

// readyWait is how long a database may take to say that it is there.
const readyWait = 2 * time.Second

// readyz says whether new requests may come. They may where the database is gone,
// too: a look needs none, and whoever wants to send a report is told.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.stopping:
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	default:
		fmt.Fprintln(w, "ready")
	}
	if s.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyWait)
	defer cancel()
	if s.store.Ready(ctx) != nil {
		fmt.Fprintln(w, "but reports cannot be sent: the database does not answer or is full")
	}
}
