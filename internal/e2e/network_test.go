//go:build unix

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// For our own server all names below .test and .localhost are this machine, as
// they are for browsers: it looks for itself whether others can be reached.
func init() {
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Resolver: new(net.Resolver)}).DialContext(ctx, "udp", names())
	}}
}

// names starts a name server and returns its address.
var names = sync.OnceValue(func() string {
	at, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for buf := make([]byte, 512); ; {
			n, from, err := at.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Additionals = true, nil
			known := strings.HasSuffix(q.Name.String(), ".test.") || strings.HasSuffix(q.Name.String(), ".localhost.")
			switch {
			case !known:
				m.RCode = dnsmessage.RCodeNameError
			case q.Type == dnsmessage.TypeA:
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
				}}
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = at.WriteTo(answer, from)
			}
		}
	}()
	return at.LocalAddr().String()
})

// vendor is what a login needs from somebody else: what talk has, for pages of
// other sites, and a script that leaves something behind.
func vendor() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, `window.captcha = {render: function () {}};`)
		case "/socket":
			if s, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}); err == nil {
				<-s.CloseRead(r.Context()).Done()
			}
		default:
			talk().ServeHTTP(w, r)
		}
	})
}

// startVendor starts one and returns its port.
func startVendor(t *testing.T) (port string) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	s := httptest.NewServer(vendor())
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return portOf(s.Listener.Addr())
}

func portOf(at net.Addr) string { return fmt.Sprint(at.(*net.TCPAddr).Port) }

// vendor starts one at the server's end of a line, and at the same port one for
// our own server, whose way to it is another.
func (l *link) vendor(t *testing.T) (there, here *httptest.Server) {
	t.Helper()
	there = l.serve(t, vendor())
	at, err := net.Listen("tcp", "127.0.0.1:"+portOf(there.Listener.Addr()))
	require.NoError(t, err)
	here = &httptest.Server{Listener: at, Config: &http.Server{Handler: vendor()}}
	here.Start()
	t.Cleanup(func() {
		here.CloseClientConnections()
		here.Close()
	})
	return there, here
}

// withPage puts a login page with embed.js and more in its head at /, under no
// policy.
func withPage(head string) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, `<!doctype html><html lang="en"><head><title>Sign in</title><script src="/latchkey/embed.js"></script>`, head,
				`</head><body><form id="login" method="post"><input name="user"><input name="password" type="password"><button>Sign in</button></form></body></html>`)
		})
	}
}

// tiers are a Chromium of each tier, by the flags that it needs.
var tiers = []struct {
	name  string
	flags []string
}{
	{"wasm", nil},
	{"script", jitless.Flags},
}

// besides are the findings of the tier itself.
func besides(tier string) []string {
	if tier == "script" {
		return []string{"webassembly-off"}
	}
	return []string{}
}

// wanted is what a look has to come to.
type wanted struct {
	top      string // a healthy page if it is empty
	sureness diag.Sureness
	args     diag.Args
	fix      string
	says     string
	more     []string // other findings, after the first
}

// check fails unless a look in a tier found that and nothing else.
func (w wanted) check(t *testing.T, tier string, l look) {
	t.Helper()
	requireWhole(t, l)
	assert.Equal(t, tier, l.Tier)
	found := slices.Concat(w.more, besides(tier))
	if w.top == "" {
		require.ElementsMatch(t, found, l.Findings, "%+v", l.Report.Seen.Network)
		return
	}
	require.ElementsMatch(t, append(found, w.top), l.Findings, "%+v", l.Report.Seen.Network)
	require.Equal(t, w.top, l.top())
	f := finding(t, l, w.top)
	assert.Equal(t, w.sureness, f.Sureness)
	assert.Subset(t, f.Args, w.args, "%v", f.Args)
	if w.args["reason"] == nil {
		assert.NotContains(t, f.Args, "reason")
	}
	assert.Equal(t, w.fix, l.Fixes[0])
	assert.Contains(t, l.Text, w.says)
}

// TestNetwork_partsThatDoNotCome is scripts and hosts that the login needs: those
// that this network does not reach, those that nobody reaches, and those that
// our own site does not have.
func TestNetwork_partsThatDoNotCome(t *testing.T) {
	t.Parallel()
	l := line(t, lineOptions{})
	ports := map[string]string{}
	for _, name := range []string{"up", "unknown", "refused", "reset", "silent", "down"} {
		there, here := l.vendor(t)
		ports[name] = portOf(there.Listener.Addr())
		if name == "down" {
			there.Listener.Close()
			here.Listener.Close()
		}
		if fate := map[string]string{"refused": refused, "reset": reset, "silent": silently}[name]; fate != "" {
			l.meets(t, there.Listener.Addr(), fate)
		}
	}
	unreachable := func(name string) wanted {
		return wanted{
			top: "network-host-unreachable", sureness: diag.Likely, args: diag.Args{"part": name + ".test", "purpose": "the check that you are human"},
			fix: "try-other-network", says: "Your network doesn't reach " + name + ".test",
		}
	}
	outage := wanted{
		top: "site-fault", sureness: diag.Likely, args: diag.Args{"part": "down.test", "reason": "outage"},
		fix: "wait-and-retry", says: "We can't get it from there either.",
	}
	for _, tier := range tiers {
		t.Run(tier.name, func(t *testing.T) {
			rules := fmt.Sprintf("--host-resolver-rules=MAP unknown.test ~NOTFOUND, MAP *.test %[1]s, MAP *.localhost %[1]s", serverAddress)
			tab := l.open(t, drive.Options{Flags: append([]string{rules}, tier.flags...)})
			for _, c := range []struct {
				name   string // of the host
				kind   string
				want   wanted
				inPage bool // besides the diagnostic page a login page that asks for it itself
				both   bool // in the script tier, too
			}{
				{name: "up", kind: "script", inPage: true, both: true},
				{name: "up", kind: "host"},
				{name: "unknown", kind: "script", want: unreachable("unknown"), inPage: true, both: true},
				{name: "refused", kind: "script", want: unreachable("refused"), inPage: true},
				{name: "refused", kind: "host", want: unreachable("refused"), both: true},
				{name: "reset", kind: "script", want: unreachable("reset"), inPage: true},
				{name: "silent", kind: "script", want: unreachable("silent"), both: true},
				{name: "silent", kind: "host", want: unreachable("silent")},
				{name: "down", kind: "script", want: outage, inPage: true, both: true},
				{name: "down", kind: "host", want: outage},
			} {
				if tier.name == "script" && !c.both {
					continue
				}
				url := "http://" + c.name + ".test:" + ports[c.name] + map[string]string{"script": "/api.js", "host": "/"}[c.kind]
				site := l.site(t, withPage(fmt.Sprintf(`<script src=%q></script>`, url)), configured(t, fmt.Sprintf(`
site: {name: Example Clinic}
needs: [{url: %q, kind: %s, purpose: the check that you are human%s}]`, url, c.kind, map[string]string{"script": ", proof: captcha.render"}[c.kind])))
				t.Run(c.name+" "+c.kind, func(t *testing.T) {
					c.want.check(t, tier.name, open(t, tab, site.page("")))
				})
				if !c.inPage {
					continue
				}
				t.Run(c.name+" "+c.kind+" in the login page", func(t *testing.T) {
					visit(t, tab, site.URL+"/")
					l := trouble(t, tab, "captcha_failed")
					if c.want.top == "" {
						assert.ElementsMatch(t, append(besides(tier.name), "captcha-failed"), l.Findings)
						assert.Contains(t, l.Report.Passed, "script-blocked")
						return
					}
					c.want.more = []string{"captcha-failed"}
					c.want.check(t, tier.name, l)
					n := l.Report.Seen.Network.Needs.Value[0]
					assert.Equal(t, evidence.No, n.Page, "the page's own request failed")
					assert.Equal(t, []string{c.want.top}, finding(t, l, "captcha-failed").Because)
				})
			}

			t.Run("a page that waits for a script still", func(t *testing.T) {
				url := "http://silent.test:" + ports["silent"] + "/api.js"
				site := l.site(t, withPage(""), configured(t, fmt.Sprintf(`
site: {name: Example Clinic}
needs: [{url: %q, purpose: the check that you are human, proof: captcha.render}]`, url)))
				visit(t, tab, site.URL+"/")
				do(t, tab, fmt.Sprintf(`document.head.appendChild(document.createElement("script")).src = %q`, url))
				want := unreachable("silent")
				want.more = []string{"no-response"}
				want.check(t, tier.name, trouble(t, tab, "no_response"))
			})

			t.Run("a file that our own server does not have", func(t *testing.T) {
				site := l.site(t, withPage(`<script src="/app.js"></script>`), configured(t, `
site: {name: Example Clinic}
needs: [{url: /app.js, purpose: the sign-in form}]`))
				visit(t, tab, site.URL+"/")
				wanted{
					top: "site-fault", sureness: diag.Sure, args: diag.Args{"part": "login.localhost", "reason": "deploy"}, more: []string{"no-response"},
					fix: "report-to-site", says: "A file of the sign-in page is missing on the server: login.localhost says that it doesn't have it.",
				}.check(t, tier.name, trouble(t, tab, "no_response"))
			})
		})
	}
}

// TestNetwork_linesThatDoNotOpen is sockets and streams through fronts that break
// them on the browser's way and not on our own server's, and the same where
// nobody gets through.
func TestNetwork_linesThatDoNotOpen(t *testing.T) {
	t.Parallel()
	up := startVendor(t)
	upstream := "http://127.0.0.1:" + up
	noSockets, buffers := nginxNoSockets.inFront(t, upstream), nginxBuffers.inFront(t, upstream)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	down := portOf(closed.Addr())

	socket := wanted{
		top: "websocket-blocked", sureness: diag.Likely, args: diag.Args{"part": "live.test", "purpose": "the live line"},
		fix: "ask-it-to-allow", says: "from live.test. Usual pages from there arrive, but this line doesn't open.",
	}
	stream := socket
	stream.args = diag.Args{"part": "live.test", "reason": "stream"}
	stream.says = "from live.test. Usual pages from there arrive, but nothing comes through this line."
	outage := wanted{
		top: "site-fault", sureness: diag.Likely, args: diag.Args{"part": "live.test", "reason": "outage"},
		fix: "wait-and-retry", says: "from live.test. We can't get it from there either.",
	}
	for _, tier := range tiers {
		t.Run(tier.name, func(t *testing.T) {
			for _, c := range []struct {
				name  string
				front string // to which the browser's connections lead
				port  string // of the need's address
				url   string
				kind  string
				want  wanted
				both  bool
			}{
				{name: "a socket", port: up, url: "ws://live.test:%s/socket", kind: "socket", both: true},
				{name: "a stream", port: up, url: "http://live.test:%s/stream", kind: "stream", both: true},
				{name: "a socket through a front that knows none", front: noSockets, port: up, url: "ws://live.test:%s/socket", kind: "socket", want: socket, both: true},
				{name: "a stream through that front", front: noSockets, port: up, url: "http://live.test:%s/stream", kind: "stream"},
				{name: "a stream through a front that holds it back", front: buffers, port: up, url: "http://live.test:%s/stream", kind: "stream", want: stream, both: true},
				{name: "a socket through that front", front: buffers, port: up, url: "ws://live.test:%s/socket", kind: "socket"},
				{name: "a socket that nobody answers", front: noSockets, port: down, url: "ws://live.test:%s/socket", kind: "socket", want: outage},
				{name: "a socket through a front that all have", port: noSockets, url: "ws://live.test:%s/socket", kind: "socket", want: outage, both: true},
				{name: "a stream through a front that all have", port: buffers, url: "http://live.test:%s/stream", kind: "stream", want: outage},
			} {
				if tier.name == "script" && !c.both {
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					rules := "--host-resolver-rules=MAP *.test 127.0.0.1"
					if c.front != "" {
						rules = "--host-resolver-rules=MAP live.test 127.0.0.1:" + c.front
					}
					site := startSite(t, configured(t, lives(fmt.Sprintf(c.url, c.port), c.kind)))
					tab := drive.OpenChromium(t, drive.Options{Flags: append([]string{rules}, tier.flags...)})
					l := open(t, tab, site.page(""))
					c.want.check(t, tier.name, l)
					if c.want.top == "" {
						assert.Equal(t, evidence.Yes, l.Report.Seen.Network.Needs.Value[0].Again)
					}
				})
			}
		})
	}

	t.Run("a socket through a filter that allows none", func(t *testing.T) {
		site := startSite(t, configured(t, lives("ws://live.test:"+up+"/socket", "socket")))
		m := mitm(t, newAuthority(t, "Nobody"), mitmNoSockets)
		socket.check(t, "wasm", open(t, drive.OpenChromium(t, m.options(drive.Chromium)), site.page("")))
	})
}

// lives is the configuration of a login that needs one live line.
func lives(url, kind string) string {
	return fmt.Sprintf(`
site: {name: Example Clinic}
needs: [{url: %q, kind: %s, purpose: the live line}]`, url, kind)
}
