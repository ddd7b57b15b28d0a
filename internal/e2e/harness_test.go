//go:build unix

package e2e

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/checks"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/report"
	"latchkey/internal/server"
	"latchkey/internal/server/demo"
	"latchkey/internal/store"
	"latchkey/internal/text"
	"latchkey/web"
)

// site is Latchkey with the demo portal, as "bin/latchkey serve -demo" has it.
type site struct {
	*httptest.Server

	// handler is the server behind the faults.
	handler http.Handler

	// name is what the server calls itself in place of its address.
	name string

	// later is how far, in nanoseconds, the server's clock is ahead of the
	// browsers'.
	later atomic.Int64
}

func (s *site) now() time.Time { return time.Now().Add(time.Duration(s.later.Load())) }

// page is the address of the diagnostic page with a query, which may be "".
func (s *site) page(query string) string { return s.URL + "/latchkey/?" + query }

// middleware stands between the browsers and the server, to break something.
type middleware = func(http.Handler) http.Handler

// startSite serves until the test ends. The first middleware is the outermost.
// It skips under -short: who needs the server alone uses newHandler.
func startSite(t *testing.T, faults ...middleware) *site {
	t.Helper()
	return startSiteAs(t, func(*site) {}, faults...)
}

// needsBrowser skips under -short, and fails where what browsers download is of other
// sources than today's.
func needsBrowser(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	if why := stale(); why != "" {
		t.Fatal(why + ", run: make wasm")
	}
}

// startSiteAs is startSite with a change before the start: another listener, TLS.
func startSiteAs(t *testing.T, as func(*site), faults ...middleware) *site {
	t.Helper()
	needsBrowser(t)
	s := &site{Server: httptest.NewUnstartedServer(nil)}
	as(s)
	host, port, err := net.SplitHostPort(s.Listener.Addr().String())
	require.NoError(t, err)
	scheme, start := "http://", s.Start
	if s.TLS != nil {
		scheme, start = "https://", s.StartTLS
	}
	address := scheme + net.JoinHostPort(cmp.Or(s.name, host), port)
	s.handler = newHandler(t, address, s.now)
	s.Config.Handler = s.handler
	for _, f := range slices.Backward(faults) {
		s.Config.Handler = f(s.Config.Handler)
	}
	start()
	s.URL = address
	t.Cleanup(func() {
		s.CloseClientConnections() // of those whose answer a test holds back
		s.Close()
	})
	return s
}

// pageKey signs the time at which the demo portal renders its login page.
const pageKey = "the key of the tests' portal"

// newHandler is the server without a port. The address is where the demo
// portal has its login page.
func newHandler(t *testing.T, address string, now func() time.Time, changes ...func(*server.Options)) http.Handler {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	kept, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "latchkey.db"), store.Options{Log: log, Now: now})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, kept.Close()) })
	o := server.Options{
		Base: "/latchkey",
		Config: server.Config{
			Site:    server.Site{Name: "Example Clinic", Login: address + "/"},
			Support: server.Support{Phone: "555-0100", Email: "help@clinic.example", Hours: "Mon–Fri 8–17"},
			Page:    server.Page{Key: pageKey, MaxAge: 20 * time.Minute},
		},
		Store:  kept,
		Assets: web.Dist(),
		Demo: demo.New("/latchkey", func() string { return demo.Stamp(pageKey, now()) },
			func(r *http.Request) string { return demo.Address(pageKey, r) }),
		Now: now,
		Log: log,
	}
	for _, change := range changes {
		change(&o)
	}
	h, err := server.New(o)
	require.NoError(t, err)
	return h
}

// configured is the server as its operator configures it, in YAML, for startSite.
func configured(t *testing.T, yaml string) middleware {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	cfg, err := server.ParseConfig([]byte(yaml), "latchkey.yaml")
	require.NoError(t, err)
	cfg.Support.Phone = "555-0100"
	h := newHandler(t, "", time.Now, func(o *server.Options) { o.Config = cfg })
	return func(http.Handler) http.Handler { return h }
}

// instead answers in place of the server whatever lies under a path. Static
// files have a hash in their name: "/latchkey/static/widget." is the module.
func instead(path string, answer http.HandlerFunc) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, path) {
				answer(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// stale says why what the server serves was not made from the sources as they
// are, or "". It is asked once: what is served cannot change meanwhile.
var stale = sync.OnceValue(func() string {
	const root = "../../"
	var manifest map[string]struct{ Source string }
	data, err := fs.ReadFile(web.Dist(), "manifest.json")
	if err == nil {
		err = json.Unmarshal(data, &manifest)
	}
	if err != nil {
		return "the static files were not built: " + err.Error()
	}
	for name, made := range manifest {
		source, err := os.ReadFile(root + "web/" + name)
		if sum := sha256.Sum256(source); err == nil && hex.EncodeToString(sum[:]) != made.Source {
			return name + " has changed since the static files were built"
		}
	}
	for _, l := range text.Languages() {
		if sum := sha256.Sum256(l.File); l.File != nil && hex.EncodeToString(sum[:]) != manifest[l.Tag+".json"].Source {
			return l.Tag + ".json has changed since the static files were built"
		}
	}
	built, err := os.Stat(root + "bin/widget.wasm")
	if err != nil {
		return "" // built somewhere else
	}
	for _, dir := range []string{"app/widget", "cmd/widget", "internal/agent", "internal/browser", "internal/checks", "internal/diag", "internal/evidence", "internal/probe", "internal/report", "internal/text"} {
		files, _ := os.ReadDir(root + dir)
		for _, f := range files {
			info, err := f.Info()
			source := filepath.Ext(f.Name()) == ".go" && !strings.HasSuffix(f.Name(), "_test.go") || f.Name() == "en.json"
			if err == nil && source && info.ModTime().After(built.ModTime()) {
				return dir + "/" + f.Name() + " is newer than the module"
			}
		}
	}
	return ""
})

// look is what a page shows when it has finished looking.
type look struct {
	Tier, State string
	Report      report.Report // of #latchkey-report

	// As they stand in the document, from top to bottom. A finding that
	// stands within itself, as a plain wrong password does in its one line,
	// counts once.
	Findings, Fixes, Gaps []string

	// Text is what a person can read without unfolding anything.
	Text string

	// Fixed is whether it says that what was found before is gone.
	Fixed bool

	// Console is what the page has logged since it was opened.
	Console []drive.Message
}

// top is the first finding's id, or "".
func (l look) top() string {
	if len(l.Findings) == 0 {
		return ""
	}
	return l.Findings[0]
}

// widget is the document of Latchkey as an expression: the page itself, or the
// frame in a login page. It is null while there is none or it is being loaded.
const widget = `(function () {
	var d = document, f;
	if (!d.documentElement.hasAttribute("data-latchkey-state")) {
		f = d.querySelector("iframe");
		d = f && f.contentDocument;
	}
	return d && d.readyState === "complete" && d.documentElement.hasAttribute("data-latchkey-state") ? d : null;
})()`

// open opens a page, waits until it has finished looking, and reads it.
func open(t *testing.T, p drive.Page, url string) look {
	t.Helper()
	before, err := p.Console(t.Context())
	require.NoError(t, err)
	start := time.Now()
	visit(t, p, url)
	l := settled(t, p)
	note(t, l, time.Since(start))
	l.Console = l.Console[len(before):]
	return l
}

// settled waits until the page that is open has finished looking, and reads it.
func settled(t *testing.T, p drive.Page) look {
	t.Helper()
	wait(t, p, widget+`.documentElement.getAttribute("data-latchkey-state") === "done"`)
	return lookAt(t, p)
}

// lookAt reads the page as it stands.
func lookAt(t *testing.T, p drive.Page) look {
	t.Helper()
	raw := read[struct {
		Tier, State, Report, Text string
		Findings, Fixes, Gaps     []string
		Fixed                     bool
	}](t, p, `(function (d) {
		function all(name) {
			var out = [], list = d.querySelectorAll("[data-" + name + "]"), i;
			for (i = 0; i < list.length; i++) { out.push(list[i].getAttribute("data-" + name)); }
			return out;
		}
		var html = d.documentElement;
		return {
			tier: html.getAttribute("data-latchkey-tier"), state: html.getAttribute("data-latchkey-state"),
			report: d.getElementById("latchkey-report").textContent, text: d.body.innerText,
			findings: all("finding"), fixes: all("fix"), gaps: all("gap"), fixed: all("latchkey-fixed").length > 0
		};
	})(`+widget+`)`)
	l := look{
		Tier: raw.Tier, State: raw.State, Text: raw.Text, Fixed: raw.Fixed,
		Findings: slices.Compact(raw.Findings), Fixes: raw.Fixes, Gaps: raw.Gaps,
	}
	require.NoError(t, json.Unmarshal([]byte(raw.Report), &l.Report), raw.Report)
	console, err := p.Console(t.Context())
	require.NoError(t, err)
	l.Console = console
	return l
}

// requireWhole fails unless what the page shows is a full answer, and the same
// that its report says.
func requireWhole(t *testing.T, l look) {
	t.Helper()
	require.Equal(t, "done", l.State)
	require.Equal(t, l.Tier, string(l.Report.Tier), "the attribute and the report name the same tier")
	found, fixes, gaps := []string{}, []string{}, []string{}
	for _, f := range l.Report.Findings {
		found = append(found, f.Check)
	}
	for _, a := range l.Report.Advice {
		fixes = append(fixes, a.Fix)
	}
	for _, g := range l.Report.Gaps {
		gaps = append(gaps, g.Check)
	}
	require.Equal(t, found, l.Findings, "what is shown is what the report says")
	require.Equal(t, fixes, l.Fixes)
	require.ElementsMatch(t, gaps, l.Gaps, "told by their reasons")
	for _, part := range []string{"Why you can't sign in", "Check again", "Need help?", "555-0100"} {
		require.Contains(t, l.Text, part)
	}
}

// healthy fails unless the page has looked with all it has and found nothing.
func healthy(t *testing.T, l look) {
	t.Helper()
	requireWhole(t, l)
	assert.Equal(t, "wasm", l.Tier)
	assert.Empty(t, l.Report.TierReason)
	assert.Empty(t, l.Findings, "%+v", l.Report.Seen)
	assert.Empty(t, l.Gaps, "%+v", l.Report.Seen)
	quiet(t, l)
}

// sound lists all checks that look at the browser, but for those named. It is
// for the diagnostic page, which has no login page around it to look at, over
// plain http, which has no TLS to look at, from a server that asks no time server
// and no phone.
func sound(but ...string) []string {
	but = append(but, "network-intercepted", "script-policy", "server-clock-wrong", "clock-phone-wrong")
	var ids []string
	for _, c := range checks.Catalogue().Checks {
		if !c.Told && !slices.Contains(but, c.ID) && !strings.HasPrefix(c.ID, "page-") && !strings.HasPrefix(c.ID, "input-") {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// quiet fails if the browser complained in the console.
func quiet(t *testing.T, l look) {
	t.Helper()
	for _, m := range l.Console {
		if m.Level == "error" || m.Level == "warning" || m.Level == "dialog" {
			assert.Fail(t, "the console is not quiet", "%s: %s (%s)", m.Level, m.Text, m.URL)
		}
	}
}

// newTab opens another tab in the browser of one, and brings nothing with it
// but the browser's own faults.
func newTab(t *testing.T, beside *drive.Tab) *drive.Tab {
	t.Helper()
	tab, err := beside.Browser().NewTab(t.Context())
	require.NoError(t, err)
	return tab
}

// blocked are preferences of a Chromium that refuses a kind of content
// everywhere, such as "cookies" or "javascript".
func blocked(kinds ...string) map[string]any {
	prefs := map[string]any{}
	for _, kind := range kinds {
		prefs["profile.default_content_setting_values."+kind] = 2
	}
	return prefs
}

// eventually waits for something that is not in a page.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, 10*time.Millisecond, fmt.Sprintf("in vain: %s", what))
}
