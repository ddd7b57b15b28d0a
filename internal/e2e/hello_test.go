//go:build unix

package e2e

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/server"
)

// startSecureSite is startSite over https, as "bin/latchkey serve -tls-cert" has
// it.
func startSecureSite(t *testing.T) *site {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	if why := stale(); why != "" {
		t.Fatal(why + ", run: make wasm")
	}
	s := &site{Server: httptest.NewUnstartedServer(nil)}
	s.handler = newHandler(t, "https://"+s.Listener.Addr().String(), s.now)
	s.Config.Handler = s.handler
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // browsers try a connection before they go on
	s.TLS = &tls.Config{}
	s.EnableHTTP2 = true
	server.WatchHellos(s.Config, s.TLS)
	s.StartTLS()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// trusting are options of a browser that takes any certificate. Firefox does so
// in all tests.
func trusting(engine drive.Engine, flags ...string) drive.Options {
	switch engine {
	case drive.Chromium:
		flags = append(flags, "--ignore-certificate-errors")
	case drive.WebKit:
		flags = append(flags, "--ignore-tls-errors")
	}
	return drive.Options{Flags: flags}
}

// startProxy puts mitmproxy between browsers and servers until the test ends, and
// returns its port.
func startProxy(t *testing.T) int {
	t.Helper()
	path, err := exec.LookPath("mitmdump")
	require.NoError(t, err, "mitmproxy is not installed, run: make deps")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	at := l.Addr().(*net.TCPAddr)
	require.NoError(t, l.Close())
	cmd := exec.Command(path, "--quiet", "--ssl-insecure", "--listen-host", "127.0.0.1", "--listen-port", strconv.Itoa(at.Port), "--set", "confdir="+t.TempDir())
	cmd.Stderr = t.Output()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	// It makes its keys first.
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", at.String())
		if err == nil {
			c.Close()
		}
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
	return at.Port
}

// reached is what the server told the page that is open.
func reached(t *testing.T, p drive.Page) evidence.Network {
	t.Helper()
	return read[evidence.Network](t, p, `fetch("/latchkey/reach?address=" +
		encodeURIComponent(JSON.parse(document.getElementById("latchkey-config").textContent).from)).then(function (r) { return r.json(); })`)
}

// htmlTier is the report of the page as the server answers this browser.
func htmlTier(t *testing.T, p drive.Page, query string) report.Report {
	t.Helper()
	text := read[string](t, p, `fetch("/latchkey/?`+query+`").then(function (r) { return r.text(); }).then(function (text) {
		return new DOMParser().parseFromString(text, "text/html").getElementById("latchkey-report").textContent;
	})`)
	var r report.Report
	require.NoError(t, json.Unmarshal([]byte(text), &r), text)
	return r
}

// scriptTier is the server's judgement of what the page that is open has seen.
func scriptTier(t *testing.T, p drive.Page) report.Report {
	t.Helper()
	return read[report.Report](t, p, `fetch("/latchkey/diagnose?run=0123abcd", {method: "POST", headers: {Accept: "application/json"}, body: JSON.stringify((function (seen) {
		delete seen.network; // as if nobody had asked
		return seen;
	})(JSON.parse(document.getElementById("latchkey-report").textContent).seen))}).then(function (r) { return r.json(); })`)
}

// TestHello is how real browsers open connections, and how a proxy does in place
// of them.
func TestHello(t *testing.T) {
	t.Parallel()
	site := startSecureSite(t)

	for engine, want := range map[drive.Engine]evidence.Hello{
		drive.Chromium: {Grease: true, PostQuantum: true, TLS13: true, Ciphers: "8daaf6152771", Whole: true},
		drive.Firefox:  {PostQuantum: true, TLS13: true, Ciphers: "86a278354501", Whole: true},
		drive.WebKit:   {TLS13: true, Ciphers: "723694b0fccc", Whole: true},
	} {
		t.Run(string(engine), func(t *testing.T) {
			p := drive.Open(t, engine, trusting(engine))
			l := open(t, p, site.page(""))
			assert.Equal(t, "wasm", l.Tier)
			assert.Empty(t, l.Findings)

			seen := reached(t, p)
			assert.Equal(t, evidence.Saw(want), seen.Hello)
			assert.Equal(t, evidence.Saw(evidence.Names{}), seen.Proxies)
			assert.Equal(t, evidence.Saw(evidence.Moves{}), seen.Moves)
			for name, r := range map[string]report.Report{"html": htmlTier(t, p, ""), "script": scriptTier(t, p)} {
				assert.Equal(t, evidence.Saw(want), r.Seen.Network.Hello, name)
				assert.Empty(t, r.Findings, name)
				assert.Contains(t, r.Passed, "network-intercepted", name)
			}
		})
	}

	for engine, want := range map[drive.Engine]diag.Sureness{drive.Chromium: diag.Likely, drive.Firefox: diag.Maybe} {
		t.Run(string(engine)+" through a proxy that opens connections", func(t *testing.T) {
			port := startProxy(t)
			o := trusting(engine)
			if engine == drive.Chromium {
				o.Flags = append(o.Flags, "--proxy-server=127.0.0.1:"+strconv.Itoa(port), "--proxy-bypass-list=<-loopback>")
			} else {
				o.Prefs = map[string]any{"network.proxy.type": 1, "network.proxy.ssl": "127.0.0.1", "network.proxy.ssl_port": port, "network.proxy.allow_hijacking_localhost": true}
			}
			p := drive.Open(t, engine, o)
			l := open(t, p, site.page(""))
			assert.Equal(t, "wasm", l.Tier)

			seen := reached(t, p)
			assert.Equal(t, evidence.Saw(evidence.Hello{TLS13: true, Ciphers: "c36778b98fa1", Whole: true}), seen.Hello)
			assert.Equal(t, evidence.Saw(evidence.Names{}), seen.Proxies, "it adds no header")
			for name, r := range map[string]report.Report{"html": htmlTier(t, p, ""), "script": scriptTier(t, p)} {
				require.Len(t, r.Findings, 1, name)
				assert.Equal(t, "network-intercepted", r.Findings[0].Check, name)
				assert.Equal(t, want, r.Findings[0].Sureness, name)
				assert.Equal(t, "try-other-network", r.Advice[0].Fix, name+": where nobody says what failed, the cheap experiment is first")
				assert.Equal(t, "ask-it-to-allow", r.Advice[1].Fix, name)
			}
		})
	}

	// A program that says it is Chrome, as a proxy that forwards the user agent does.
	t.Run("no browser at all", func(t *testing.T) {
		ask := func(agent string) report.Report {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.page(""), nil)
			require.NoError(t, err)
			r.Header.Set("User-Agent", agent)
			answer, err := site.Client().Do(r)
			require.NoError(t, err)
			defer answer.Body.Close()
			page, err := html.Parse(answer.Body)
			require.NoError(t, err)
			var rep report.Report
			for n := range page.Descendants() {
				for _, a := range n.Attr {
					if a.Key == "id" && a.Val == "latchkey-report" {
						require.NoError(t, json.Unmarshal([]byte(n.FirstChild.Data), &rep))
					}
				}
			}
			return rep
		}
		rep := ask("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36")
		require.Len(t, rep.Findings, 1)
		assert.Equal(t, "network-intercepted", rep.Findings[0].Check)
		assert.Equal(t, diag.Likely, rep.Findings[0].Sureness)
		assert.Empty(t, ask("curl/8.5.0").Findings, "it does not claim to be a browser")
	})
}

// TestMoves is a person whose address changes between the login page and its
// answer: the page's hash of an earlier one is put in by hand, for there is one
// loopback address that browsers come from.
func TestMoves(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{})
	visit(t, tab, site.page(""))
	settled(t, tab)
	here := read[string](t, tab, `JSON.parse(document.getElementById("latchkey-config").textContent).from`)
	require.Regexp(t, regexp.MustCompile(`^4:[0-9a-f]{16}$`), here)

	stay := htmlTier(t, tab, "outcome=session_lost&address="+here)
	assert.Equal(t, evidence.Saw(evidence.Moves{}), stay.Seen.Network.Moves)
	assert.Equal(t, "session-lost", stay.Findings[0].Check)

	moved := htmlTier(t, tab, "outcome=session_lost&address=4:0123456789abcdef+"+here)
	assert.Equal(t, evidence.Saw(evidence.Moves{Changed: true}), moved.Seen.Network.Moves)
	assert.Equal(t, "network-address-changes", moved.Findings[0].Check)
	assert.Equal(t, []string{"network-address-changes"}, moved.Findings[1].Because)
	assert.Equal(t, "pause-vpn", moved.Advice[0].Fix)

	// The form brings back where its page went, and embed.js passes both on.
	visit(t, tab, site.URL+"/")
	do(t, tab, `document.getElementById("username").value = "session_lost"; document.getElementById("password").value = "x"; document.querySelector("button.primary").click();`)
	wait(t, tab, `document.querySelector("iframe")`)
	assert.Equal(t, here+" "+here, read[string](t, tab, `new URL(document.querySelector("iframe").src).searchParams.get("address")`))
}
