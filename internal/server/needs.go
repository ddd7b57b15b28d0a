package server

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"latchkey/internal/evidence"
)

// frameNeed is what network.js is told of a Need.
type frameNeed struct {
	Kind    string `json:"kind"`
	URL     string `json:"url"`
	Host    string `json:"host"`
	Port    int    `json:"port"`
	Purpose string `json:"purpose,omitempty"`
	Proof   string `json:"proof,omitempty"`
	Again   bool   `json:"again,omitempty"`
	Own     bool   `json:"own,omitempty"`
	Private bool   `json:"private,omitempty"`
}

// frameNeeds are the needs as seen from where the page was opened.
func (s *server) frameNeeds(r *http.Request) []frameNeed {
	var list []frameNeed
	here := private(hostname("//" + r.Host))
	for _, n := range s.cfg.Needs {
		u := s.needURL(n, r)
		f := frameNeed{
			Kind: n.Kind, URL: u.String(), Host: u.Hostname(), Purpose: n.Purpose, Proof: n.Proof, Again: n.Again,
			Own: u.Hostname() == hostname("//"+r.Host) || u.Hostname() == hostname(s.cfg.Site.Login),
			// To a page that is itself at a private address such addresses are nothing
			// special.
			Private: n.Private || private(u.Hostname()) && !here,
		}
		f.Port, _ = strconv.Atoi(u.Port())
		if f.Port == 0 {
			f.Port = map[string]int{"http": 80, "ws": 80}[u.Scheme]
		}
		if f.Port == 0 {
			f.Port = 443
		}
		list = append(list, f)
	}
	return list
}

// needURL is the full address of a need; a path is one of the login page's site.
func (s *server) needURL(n Need, r *http.Request) *url.URL {
	base := &url.URL{Scheme: "http", Host: r.Host}
	if s.https(r) {
		base.Scheme = "https"
	}
	if login, err := url.Parse(s.cfg.Site.Login); err == nil && login.Host != "" {
		base = login
	}
	u, err := base.Parse(n.URL)
	if err != nil {
		return base // the configuration was read, so there are none
	}
	if n.Kind == "socket" {
		u.Scheme = strings.Replace(u.Scheme, "http", "ws", 1)
	}
	return u
}

// needOrigin is the origin of an address, or "" for a path.
func needOrigin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// private is whether a host is known by its name to be out of the public
// network's reach: browsers ask a person before they let a public page touch
// such a one (Chrome 142). A name that only resolves to such an address is the
// operator's to say.
func private(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || sharedSpace.Contains(addr))
}

// sharedSpace is of carriers and of VPNs (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

const (
	// reachTime is how long our server waits for one need.
	reachTime = 2500 * time.Millisecond
	// reachKept is how long it goes by what it has seen, so that it asks others
	// once a minute however many people have trouble.
	reachKept = time.Minute
)

// reached is what our server has seen of one need.
type reached struct {
	sync.Mutex
	at     time.Time
	answer evidence.Answer
}

// reaches is whether our server gets an answer from a need, so that an outage there
// is not blamed on the person. It asks once at a time.
func (s *server) reaches(ctx context.Context, i int, r *http.Request) evidence.Answer {
	seen := &s.reached[i]
	seen.Lock()
	defer seen.Unlock()
	if age := s.now().Sub(seen.at); seen.at.IsZero() || age < 0 || age > reachKept {
		seen.at, seen.answer = s.now(), s.ask(ctx, s.cfg.Needs[i], s.needURL(s.cfg.Needs[i], r))
	}
	return seen.answer
}

// dial knows as all browsers do that names below localhost are this machine (RFC
// 6761, 6.3). Resolvers often do not, and nothing there is out of order then.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
		address = net.JoinHostPort("localhost", port)
	}
	return (&net.Dialer{Timeout: reachTime}).DialContext(ctx, network, address)
}

// asker follows no redirect: that one came is an answer.
var asker = &http.Client{
	Transport:     &http.Transport{DialContext: dial, DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// unreached is what an error means. Many a server is not let out to where its
// visitors go, so silence, and whatever else a firewall of its own may answer,
// counts only if something else was reached.
func (s *server) unreached(err error) evidence.Answer {
	var name *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.As(err, &name) && name.IsNotFound:
		return evidence.No
	case !s.letOut.Load():
		return ""
	case errors.As(err, &timeout) && timeout.Timeout():
		return evidence.InVain
	}
	return evidence.No
}

func (s *server) ask(ctx context.Context, n Need, u *url.URL) evidence.Answer {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reachTime)
	defer cancel()
	// A stream may hold back even its headers.
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		if !private(u.Hostname()) {
			s.letOut.Store(true)
		}
	}})
	to := *u
	to.Scheme = strings.Replace(to.Scheme, "ws", "http", 1)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return ""
	}
	req.Header.Set("User-Agent", "Latchkey (looks whether a part of a sign-in is there)")
	want := func(status int) bool { return status < 400 }
	switch n.Kind {
	case "socket":
		// RFC 6455, 4.1; sites look at the origin.
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "websocket")
		req.Header.Set("Sec-WebSocket-Version", "13")
		req.Header.Set("Sec-WebSocket-Key", rand.Text()[:22]+"==")
		req.Header.Set("Origin", originOf(to.String()))
		want = func(status int) bool { return status == http.StatusSwitchingProtocols }
	case "stream":
		req.Header.Set("Accept", "text/event-stream")
	case "host":
		want = func(status int) bool { return status < 500 } // it is there
	}
	answer, err := asker.Do(req)
	if err != nil {
		return s.unreached(err)
	}
	defer answer.Body.Close()
	if !want(answer.StatusCode) {
		return evidence.No
	}
	if n.Kind == "stream" {
		if _, err := answer.Body.Read(make([]byte, 1)); ctx.Err() != nil {
			return evidence.InVain
		} else if err != nil {
			return evidence.No
		}
	}
	return evidence.Yes
}

// reachable answers for the needs with those numbers, such as "0,2".
func (s *server) reachable(r *http.Request, numbers string) map[string]evidence.Answer {
	out := map[string]evidence.Answer{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for number := range strings.SplitSeq(numbers, ",") {
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 || i >= len(s.cfg.Needs) || s.cfg.Needs[i].Private {
			continue
		}
		wg.Go(func() {
			answer := s.reaches(r.Context(), i, r)
			mu.Lock()
			defer mu.Unlock()
			out[strconv.Itoa(i)] = answer
		})
	}
	wg.Wait()
	return out
}

// sample is a page that those who change pages would change. network.js knows
// every byte of it.
func (s *server) sample(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-transform")
	w.Header().Set("Vary", "Accept-Encoding")
	if !strings.Contains(strings.Join(r.Header.Values("Accept-Encoding"), ","), "gzip") {
		_, _ = w.Write([]byte(samplePage))
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = z.Write([]byte(samplePage))
	_ = z.Close()
}

var samplePage = "<!doctype html>\n<html lang=\"en\">\n<head><title>Latchkey</title></head>\n<body>\n" +
	strings.Repeat("<p>What you read here should arrive as it was sent.</p>\n", 20) + "</body>\n</html>\n"

// bait answers under two names: one that no list of content blockers has, and one
// that they all have.
func (s *server) bait(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	_, _ = w.Write([]byte("// " + strings.TrimSuffix(path.Base(r.URL.Path), ".js") + "\n"))
}
