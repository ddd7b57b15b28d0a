package server

import (
	"container/list"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A clinic of 300 people sits behind one address, and after an outage they all
// come within a minute. A look costs about 10 requests that cost work, so one
// address may make 3000 at once and is back at that a minute later.
const (
	limitBurst     = 300 * 10
	limitPerSecond = limitBurst / 60
)

// maxClients bounds the memory of the limiter to a few megabytes.
const maxClients = 20_000

// retryAfter is what a refused client is told to wait: by then the bucket of
// its address holds 500 requests again, enough for the first to go through.
const retryAfter = "10"

// limiter is a token bucket for each client. When there are too many clients
// it forgets the one that was quiet for longest, which at worst gives that one
// a full bucket again.
type limiter struct {
	max int

	mu      sync.Mutex
	clients map[netip.Prefix]*list.Element
	recent  *list.List // of *client, the latest in front
}

type client struct {
	key    netip.Prefix
	bucket *rate.Limiter
}

func newLimiter(maxClients int) *limiter {
	return &limiter{max: maxClients, clients: map[netip.Prefix]*list.Element{}, recent: list.New()}
}

func (l *limiter) allow(addr netip.Addr, now time.Time) bool {
	key := network(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.clients[key]
	if e == nil {
		e = l.recent.PushFront(&client{key, rate.NewLimiter(limitPerSecond, limitBurst)})
		l.clients[key] = e
	}
	l.recent.MoveToFront(e)
	if l.recent.Len() > l.max {
		oldest := l.recent.Back()
		delete(l.clients, l.recent.Remove(oldest).(*client).key)
	}
	return e.Value.(*client).bucket.AllowN(now, 1)
}

// network is what counts as one client: an IPv4 address, or the /64 that an
// IPv6 line has for itself and changes its addresses in.
func network(addr netip.Addr) netip.Prefix {
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(addr, bits).Masked()
}

// limited lets a request through to h unless its client made too many. Then
// tooMany writes the answer, whose status is 429 whatever it says itself; nil
// stands for one sentence of advice.
func (s *server) limited(h, tooMany http.Handler) http.Handler {
	if tooMany == nil {
		tooMany = http.HandlerFunc(adviseToWait)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.limiter.allow(s.client(r), s.now()) {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Retry-After", retryAfter)
		out := &tooManyWriter{ResponseWriter: w}
		tooMany.ServeHTTP(out, r)
		out.WriteHeader(http.StatusTooManyRequests)
	})
}

func adviseToWait(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("Very many people are using this page from your network right now. " +
		"Wait a moment, then load it again.\n"))
}

// tooManyWriter gives a page that is usually a 200 the status that it has here.
type tooManyWriter struct {
	http.ResponseWriter
	wrote bool
}

func (w *tooManyWriter) WriteHeader(int) {
	if !w.wrote {
		w.wrote = true
		w.ResponseWriter.WriteHeader(http.StatusTooManyRequests)
	}
}

func (w *tooManyWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusTooManyRequests)
	return w.ResponseWriter.Write(b)
}

// client is the address of the person's line: the peer's, or behind trusted
// proxies the rightmost in X-Forwarded-For that is none of them. Whatever
// stands further left anybody may have written.
func (s *server) client(r *http.Request) netip.Addr {
	addr, _, _ := s.path(r)
	return addr
}

// path follows a request back to the client: how many trusted proxies passed it
// on, and how many entries of X-Forwarded-For are from beyond them.
func (s *server) path(r *http.Request) (client netip.Addr, hops, beyond int) {
	client = peer(r)
	forwarded := entries(r, "X-Forwarded-For")
	for s.trusts(client) {
		hops++
		if len(forwarded) == 0 {
			break
		}
		last := len(forwarded) - 1
		next, ok := parseAddr(forwarded[last])
		forwarded = forwarded[:last]
		if !ok {
			break
		}
		client = next
	}
	return client, hops, len(forwarded)
}

// https tells whether the browser's side of the connection is encrypted.
func (s *server) https(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	// Of several proxies in a row the first one speaks with the browser.
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return s.trusts(peer(r)) && strings.EqualFold(strings.TrimSpace(proto), "https")
}

func (s *server) trusts(addr netip.Addr) bool {
	for _, p := range s.cfg.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func peer(r *http.Request) netip.Addr {
	addr, _ := parseAddr(r.RemoteAddr)
	return addr
}

// parseAddr takes an address with or without a port, as proxies write both.
func parseAddr(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), true
}
