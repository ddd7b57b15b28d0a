//go:build unix

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
)

// mitmMode is what an interceptor does to what it reads, in mitmproxy's Python.
type mitmMode string

// The modes.
const (
	// mitmPlain changes nothing. It keeps HTTP/2 and adds no header.
	mitmPlain mitmMode = ""

	// mitmInject adds a script to every page, as toolbars and some scanners do.
	mitmInject mitmMode = `
def response(flow):
    if flow.response.headers.get("Content-Type", "").startswith("text/html"):
        script = b'<script id="injected">window.injected = true</script>'
        flow.response.content = flow.response.content.replace(b"</body>", script + b"</body>") if b"</body>" in flow.response.content else flow.response.content + script
`

	// mitmNoCookies takes Set-Cookie away.
	mitmNoCookies mitmMode = `
def response(flow):
    flow.response.headers.pop("Set-Cookie", None)
`

	// mitmUnpacks sends everything without compression.
	mitmUnpacks mitmMode = `
def response(flow):
    flow.response.decode()
`

	// mitmMistypes calls everything but pages and scripts a download.
	mitmMistypes mitmMode = `
def response(flow):
    if not any(known in flow.response.headers.get("Content-Type", "") for known in ("html", "javascript", "css")):
        flow.response.headers["Content-Type"] = "application/octet-stream"
`

	// mitmNoSockets refuses WebSocket upgrades.
	mitmNoSockets mitmMode = `
def request(flow):
    if flow.request.headers.get("Upgrade", "").lower() == "websocket":
        flow.response = http.Response.make(403, b"blocked by policy", {"Content-Type": "text/plain"})
`

	// mitmTellsOfItself adds what a company's proxy adds to requests.
	mitmTellsOfItself mitmMode = `
def request(flow):
    flow.request.headers["Via"] = "1.1 proxy.example"
    flow.request.headers["X-Forwarded-For"] = "192.0.2.7"
`
)

// interceptor is a program that browsers trust, between them and all servers.
type interceptor struct {
	authority *authority
	port      string
}

// mitm starts mitmproxy, until the test ends. Servers are those of this machine,
// whatever their name, and are believed if upstream vouches for them.
func mitm(t *testing.T, upstream *authority, mode mitmMode) *interceptor {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	m := &interceptor{authority: newAuthority(t, "Example Web Protection")}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"mitmproxy-ca.pem": string(keyPEM(t, m.authority.key)) + string(m.authority.pem),
		"upstream.pem":     string(upstream.pem),
		"mode.py": `
from mitmproxy import http

def server_connect(data):
    data.server.address = ("127.0.0.1", data.server.address[1])
` + string(mode),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	cmd := exec.Command("mitmdump", "--listen-host", "127.0.0.1", "--listen-port", "0", "--set", "confdir="+dir,
		"--set", "ssl_verify_upstream_trusted_ca="+dir+"/upstream.pem", "--set", "flow_detail=0", "--scripts", dir+"/mode.py")
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	drive.StartBeside(t, cmd)
	said := bufio.NewScanner(out)
	for said.Scan() {
		if _, port, ok := strings.Cut(said.Text(), "listening at 127.0.0.1:"); ok {
			m.port = port
			go io.Copy(io.Discard, out)
			return m
		}
	}
	require.Fail(t, "mitmproxy did not start")
	return nil
}

// options makes a browser trust the authorities and go through the interceptor, or
// directly if that is nil.
func (m *interceptor) options(engine drive.Engine, trusted ...*authority) drive.Options {
	var o drive.Options
	if m != nil {
		trusted = append(trusted, m.authority)
		switch engine {
		case drive.Firefox:
			o = prefs("network.proxy.type", 1, "network.proxy.http", "127.0.0.1", "network.proxy.ssl", "127.0.0.1",
				"network.proxy.allow_hijacking_localhost", true)
			var port int
			_, _ = fmt.Sscan(m.port, &port)
			o.Prefs["network.proxy.http_port"], o.Prefs["network.proxy.ssl_port"] = port, port
		default:
			o.Flags = []string{"--proxy-server=127.0.0.1:" + m.port, "--proxy-bypass-list=<-loopback>"}
		}
	}
	for _, a := range trusted {
		o.Trust = append(o.Trust, a.pem)
	}
	return o
}

// TestMitm_hello is what a server sees of a browser with nobody in between, and
// through an interceptor, which the page itself sees nothing of.
func TestMitm_hello(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		engine drive.Engine
		mitm   bool
		want   hello
	}{
		{drive.Chromium, false, hello{Grease: true, PostQuantum: true}},
		{drive.Chromium, true, hello{}},
		{drive.Firefox, false, hello{PostQuantum: true}},
		{drive.Firefox, true, hello{}},
	} {
		t.Run(fmt.Sprintf("%s, %v", c.engine, c.mitm), func(t *testing.T) {
			ours := newAuthority(t, "Example Servers")
			site, hellos := ours.serve(t, talk())
			var m *interceptor
			if c.mitm {
				m = mitm(t, ours, mitmPlain)
			}
			p := drive.Open(t, c.engine, m.options(c.engine, ours))
			visit(t, p, site.URL+"/")
			got := fetch(t, p, "/json", 5*time.Second)
			assert.Contains(t, got.Text, `"Proto":"HTTP/2.0"`)
			assert.Equal(t, "h2", read[string](t, p, `performance.getEntriesByType("navigation")[0].nextHopProtocol`))
			assert.Equal(t, "hello", read[string](t, p, socketSays))
			require.NotEmpty(t, hellos.seen())
			for _, h := range hellos.seen() {
				h.Ciphers = 0
				assert.Equal(t, c.want, h)
			}
		})
	}
}

// TestMitm_page is the diagnostic page through an interceptor that changes nothing.
func TestMitm_page(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t, "Example Servers")
	site, hellos := ours.site(t)
	l := open(t, drive.OpenChromium(t, mitm(t, ours, mitmPlain).options(drive.Chromium, ours)), site.page(""))
	requireWhole(t, l)
	assert.Equal(t, "wasm", l.Tier)
	assert.False(t, hellos.seen()[0].Grease)
}

// TestMitm_changes is what pages see of an interceptor that changes what it reads.
func TestMitm_changes(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t, "Example Servers")
	site, _ := ours.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1", Path: "/"})
		talk().ServeHTTP(w, r)
	}))
	// What one request to /json, one to a compressed answer and one socket show.
	type seen struct {
		Injected, Cookie  bool
		Type, Via, Socket string
		Unpacked          bool
	}
	fine := func(change func(*seen)) seen {
		s := seen{Cookie: true, Type: "application/json", Socket: "hello"}
		change(&s)
		return s
	}
	for _, c := range []struct {
		name string
		mode mitmMode
		want seen
	}{
		{"plain", mitmPlain, fine(func(*seen) {})},
		{"inject", mitmInject, fine(func(s *seen) { s.Injected = true })},
		{"no cookies", mitmNoCookies, fine(func(s *seen) { s.Cookie = false })},
		{"unpacks", mitmUnpacks, fine(func(s *seen) { s.Unpacked = true })},
		{"mistypes", mitmMistypes, fine(func(s *seen) { s.Type = "application/octet-stream" })},
		{"no sockets", mitmNoSockets, fine(func(s *seen) { s.Socket = "refused" })},
		{"tells of itself", mitmTellsOfItself, fine(func(s *seen) { s.Via = "1.1 proxy.example" })},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := drive.OpenChromium(t, mitm(t, ours, c.mode).options(drive.Chromium, ours))
			visit(t, p, site.URL+"/")
			got := read[seen](t, p, `(function () {
				var seen = {
					Injected: window.injected === true && document.getElementById("injected") !== null,
					Cookie: document.cookie === "session=1"
				};
				return fetch("/json").then(function (r) { seen.Type = r.headers.get("Content-Type"); return r.json(); }).then(function (v) {
					seen.Via = (v.Header.Via || [""])[0];
					return fetch("/packed");
				}).then(function (r) { seen.Unpacked = r.headers.get("Content-Encoding") === null; return r.text(); }).then(function () {
					return `+socketSays+`;
				}).then(function (said) { seen.Socket = said; return seen; });
			})()`)
			assert.Equal(t, c.want, got)
		})
	}
}
