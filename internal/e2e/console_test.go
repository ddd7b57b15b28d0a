//go:build unix

package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/server"
	"latchkey/internal/server/console"
	"latchkey/internal/store"
	"latchkey/internal/testkit"
	"latchkey/web"
)

// counter is a site with a store and an agent who may sign in to its console.
type counter struct {
	*site
	store *store.Store
}

const (
	agentName     = "maria.santos"
	agentPassword = "two words in a row"
)

// openCounter serves until the test ends.
func openCounter(t *testing.T, around ...middleware) *counter {
	t.Helper()
	c := &counter{}
	stopping := make(chan struct{})
	latchkey := func(http.Handler) http.Handler {
		log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
		s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "latchkey.db"), store.Options{Log: log})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, s.Close()) })
		c.store = s
		h, err := server.New(server.Options{
			Base: "/latchkey", Config: server.Config{Site: server.Site{Name: "Example Clinic"}}, Assets: web.Dist(), Store: s, Log: log, Stopping: stopping,
		})
		require.NoError(t, err)
		return h
	}
	c.site = startSite(t, append(around, latchkey)...)
	t.Cleanup(func() { close(stopping) })
	hash, err := console.HashPassword(agentPassword)
	require.NoError(t, err)
	require.NoError(t, c.store.Users.Add(t.Context(), store.User{Name: agentName, Role: store.Agent, Hash: hash, Made: time.Now()}))
	return c
}

func (c *counter) at(path string) string { return c.URL + "/latchkey/support/" + path }

// signIn fills in name and password, and is at the first page then.
func (c *counter) signIn(t *testing.T, page drive.Page) {
	t.Helper()
	visit(t, page, c.at(""))
	do(t, page, fmt.Sprintf(`(function (f) { f.elements.name.value = %q; f.elements.password.value = %q; f.querySelector("button").click(); })(document.querySelector("main form"))`,
		agentName, agentPassword))
	wait(t, page, `!!document.querySelector('nav a[aria-current]')`)
}

// opened makes a case, as another agent would.
func (c *counter) opened(t *testing.T, reference string) store.Case {
	t.Helper()
	k := store.Case{
		ID: store.NewID(), Made: time.Now(), By: "li.wei", From: "Example Clinic support", Reference: reference, Expires: time.Now().Add(time.Hour),
	}
	_, hash := store.NewToken()
	require.NoError(t, c.store.Cases.Add(t.Context(), k, hash))
	return k
}

// sends puts a report into the store, as the person sends it.
func (c *counter) sends(t *testing.T, s report.Sent, of string) store.Report {
	t.Helper()
	row := testkit.Row(t, s, of, time.Now())
	require.NoError(t, c.store.Reports.Add(context.WithoutCancel(t.Context()), row))
	return row
}

// locked is what a person sees whose account is locked.
func locked(t *testing.T) report.Sent {
	t.Helper()
	e := testkit.Browsers(t)["chrome-desktop"]
	e.Host.Outcome = evidence.Saw(evidence.AccountLocked)
	return testkit.Sent(e, time.Now())
}

// All pages, with a day's work in them, are for everybody.
func TestConsole_isForEverybody(t *testing.T) {
	c := openCounter(t)
	cases := testkit.Support(t, c.store, time.Now())
	reports, err := c.store.Reports.List(t.Context(), store.ReportQuery{Case: cases[0].ID})
	require.NoError(t, err)
	tab := drive.OpenChromium(t, drive.Options{})
	c.signIn(t, tab)
	a := newAuditor(t, tab)
	for _, page := range []struct{ name, path string }{
		{"home", ""},
		{"search", "search?text=TICKET"},
		{"decode", "decode?code=" + reports[0].Code},
		{"decode a wrong one", "decode?code=" + strings.Replace(reports[0].Code, reports[0].Code[6:7], "7", 1) + "7"},
		{"cases", "cases"},
		{"new link", "cases/new"},
		{"case", "cases/" + cases[0].ID},
		{"reports", "reports"},
		{"report", "reports/" + reports[0].ID},
		{"two", fmt.Sprintf("reports/two?id=%s&id=%s", reports[0].ID, reports[1].ID)},
	} {
		visit(t, tab, c.at(page.path))
		c.looks(t, a, page.name)
	}
	visit(t, tab, c.at("cases/new"))
	require.NoError(t, tab.Click(t.Context(), "form.panel button.primary"))
	wait(t, tab, `!!document.getElementById("link")`)
	c.looks(t, a, "link")
}

// looks audits the page in the widths and themes that people have, and holds it to
// have no sideways scrolling.
func (c *counter) looks(t *testing.T, a auditor, name string) {
	t.Helper()
	do(t, a.tab, `[].forEach.call(document.querySelectorAll("details"), function (d) { d.open = true; });`)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int{1280, 360, 320} {
			dress(t, a.tab, width, scheme)
			assert.LessOrEqual(t, read[int](t, a.tab, `document.documentElement.scrollWidth`), width, "%s, %d px", name, width)
			if width != 320 {
				height := read[int](t, a.tab, `document.documentElement.scrollHeight`)
				require.NoError(t, a.tab.Resize(t.Context(), width, min(height, 4000)))
				picture(t, a.tab, fmt.Sprintf("console %s %d %s", name, width, scheme))
			}
			for _, fault := range a.faults(t) {
				assert.Fail(t, "not for everybody", "%s, %d px, %s: %s", name, width, scheme, fault)
			}
		}
	}
}

// A page is fed live, wherever that comes through, and asks where it does not; without
// scripts it loads itself anew.
func TestConsole_showsAReportWhenItArrives(t *testing.T) {
	shown := `/Your account is locked for now/.test(document.getElementById("live").innerText)`
	waits := func(t *testing.T, tab *drive.Tab, c *counter, k store.Case) {
		t.Helper()
		visit(t, tab, c.at("cases/"+k.ID))
		assert.False(t, read[bool](t, tab, shown))
		assert.Contains(t, read[string](t, tab, `document.getElementById("live").innerText`), "Waiting for a report")
	}

	t.Run("by a stream", func(t *testing.T) {
		for _, b := range []struct {
			name string
			open func(*testing.T) drive.Page
		}{
			{"Chromium", func(t *testing.T) drive.Page { return drive.OpenChromium(t, drive.Options{}) }},
			{"Firefox", func(t *testing.T) drive.Page { return drive.Open(t, drive.Firefox, drive.Options{}) }},
			{"WebKit", func(t *testing.T) drive.Page { return drive.Open(t, drive.WebKit, drive.Options{}) }},
		} {
			t.Run(b.name, func(t *testing.T) {
				streams, asked := make(chan struct{}, 20), make(chan struct{}, 100)
				c := openCounter(t, watched("/live", streams), watched("/now", asked))
				k := c.opened(t, "TICKET-1")
				page := b.open(t)
				c.signIn(t, page)
				visit(t, page, c.at("cases/"+k.ID))
				<-streams
				<-asked // what its first ring made it ask
				c.sends(t, locked(t), k.ID)
				wait(t, page, shown)
				assert.Equal(t, "1 report has arrived", read[string](t, page, `document.getElementById("live-said").textContent`))
				assert.Empty(t, complaints(t, page))

				require.NoError(t, c.store.Cases.Close(t.Context(), k.ID))
				wait(t, page, `document.getElementById("live").children[0].getAttribute("data-have") === "1-false"`)
				require.NoError(t, c.store.Cases.Delete(t.Context(), k.ID))
				wait(t, page, `/There is nothing here/.test(document.body.innerText)`)
			})
		}
	})

	// This nginx holds a stream back, whatever its headers say.
	t.Run("behind a proxy that buffers", func(t *testing.T) {
		c := openCounter(t)
		k := c.opened(t, "TICKET-1")
		front := nginx{location: nginxNames + nginxHolds + ` proxy_ignore_headers X-Accel-Buffering;`}
		c.URL = "http://127.0.0.1:" + front.inFront(t, c.URL)
		tab := drive.OpenChromium(t, drive.Options{})
		c.signIn(t, tab)
		waits(t, tab, c, k)
		do(t, tab, `(function () {
			window.heard = 0;
			var s = new EventSource(location.pathname + "/live");
			s.onmessage = function () { window.heard++; };
		})()`)
		c.sends(t, locked(t), k.ID)
		wait(t, tab, shown)
		assert.Zero(t, read[int](t, tab, `window.heard`), "the stream came through, and nothing is tested here")
	})

	t.Run("without scripts", func(t *testing.T) {
		c := openCounter(t)
		k := c.opened(t, "TICKET-1")
		tab := drive.OpenChromium(t, drive.Options{})
		c.signIn(t, tab)
		require.NoError(t, tab.Call(t.Context(), "Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil))
		waits(t, tab, c, k)
		c.sends(t, locked(t), k.ID)
		wait(t, tab, shown)
	})
}

// watched tells a channel of each request whose path ends so.
func watched(end string, seen chan<- struct{}) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/latchkey/support/cases/") && strings.HasSuffix(r.URL.Path, end) {
				seen <- struct{}{}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// A page that nobody looks at holds no stream: browsers have six connections for a
// site over HTTP/1.1, and agents have more tabs.
func TestConsole_hiddenPagesHoldNoStream(t *testing.T) {
	c := openCounter(t)
	k := c.opened(t, "TICKET-1")
	first := drive.OpenChromium(t, drive.Options{})
	c.signIn(t, first)
	tabs := []*drive.Tab{first}
	for range 7 {
		tabs = append(tabs, newTab(t, first))
	}
	for _, tab := range tabs {
		require.NoError(t, tab.Call(t.Context(), "Page.bringToFront", nil, nil))
		visit(t, tab, c.at("cases/"+k.ID))
	}
	last := tabs[len(tabs)-1]
	require.Equal(t, "visible", read[string](t, last, `document.visibilityState`))
	require.Equal(t, "hidden", read[string](t, first, `document.visibilityState`), "so that it can fail")
	c.sends(t, locked(t), k.ID)
	shown := `/Your account is locked for now/.test(document.getElementById("live").innerText)`
	wait(t, last, shown)
	assert.False(t, read[bool](t, first, shown))
	require.NoError(t, first.Call(t.Context(), "Page.bringToFront", nil, nil))
	wait(t, first, shown)
}

// The whole of what an agent does, with the keyboard's and the mouse's ways that all
// browsers have, and without scripts.
func TestConsole_worksWithoutScripts(t *testing.T) {
	c := openCounter(t)
	tab := drive.OpenChromium(t, drive.Options{})
	c.signIn(t, tab)
	require.NoError(t, tab.Call(t.Context(), "Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil))
	click := func(selector string) { t.Helper(); require.NoError(t, tab.Click(t.Context(), selector)) }
	says := func(text string) {
		t.Helper()
		wait(t, tab, fmt.Sprintf(`document.readyState === "complete" && document.body.innerText.indexOf(%q) >= 0`, text))
	}
	visit(t, tab, c.at(""))
	click(`a[href$="cases/new"]`)
	says("Reference")
	click("input[name=reference]")
	require.NoError(t, tab.Type(t.Context(), "TICKET-9"))
	click("form.panel button.primary")
	says("The link, this once")
	address := read[string](t, tab, `document.getElementById("link-address").textContent`)
	assert.Equal(t, address, scanned(t, tab, `document.querySelector("svg.qr")`), "the QR code is the link")
	click("#link > p > a")
	says("Waiting for a report")

	cases, err := c.store.Cases.List(t.Context(), store.CaseQuery{})
	require.NoError(t, err)
	require.Len(t, cases, 1)
	row := c.sends(t, locked(t), cases[0].ID)
	says("Your account is locked for now")
	click("#live h3 a")
	says("Told then, and today")
	visit(t, tab, c.at("reports"))
	click("input[name=id]")
	click(".under button")
	says("tick exactly two of them")
	visit(t, tab, c.at(""))
	click("input[name=code]")
	require.NoError(t, tab.Type(t.Context(), strings.ToLower(row.Code)))
	click(`form[action$="decode"] button`)
	says("Your account is locked for now")
	visit(t, tab, c.at("reports/"+row.ID))
	click(".deeds details:last-child summary")
	click("button.danger")
	says("No report fits.")
	_, err = c.store.Reports.Get(t.Context(), row.ID)
	assert.ErrorIs(t, err, store.ErrNotFound)
}

// Nothing of a report does anything in a browser, and none of our pages breaks its own
// policy.
func TestConsole_hostileReportsAreHarmless(t *testing.T) {
	c := openCounter(t)
	const bad = `"><img src=/evil onerror="document.title='evil'"><script>document.title='evil'</script><style>*{display:none}</style>`
	k := c.opened(t, bad+"\u202e")
	e := testkit.Browsers(t)["chrome-desktop"]
	e.Host = evidence.Host{Outcome: evidence.Saw(evidence.Unknown), Code: evidence.Saw(bad), Reference: evidence.Saw("\u202e" + bad)}
	e.Browser.Family, e.Browser.System, e.Browser.App = evidence.Saw(bad), evidence.Saw("\u2066"+bad), evidence.Saw(strings.Repeat("W", 290))
	e.Page.Failed = evidence.Saw(evidence.Addresses{"javascript:alert(1)", "https://" + strings.Repeat("w", 250) + ".example"})
	sent := testkit.Sent(e, time.Now())
	sent.Personal = report.Personal{Note: bad + "\n" + strings.Repeat("W", 1500), Fields: []report.Answer{{Key: "k", Label: bad[:90], Value: strings.Repeat("W", 200)}}}
	row, other := c.sends(t, sent, k.ID), c.sends(t, locked(t), k.ID)

	tab := drive.OpenChromium(t, drive.Options{})
	c.signIn(t, tab)
	require.NoError(t, tab.Call(t.Context(), "Page.addScriptToEvaluateOnNewDocument", map[string]any{
		"source": `window.broken = []; document.addEventListener("securitypolicyviolation", function (e) { window.broken.push(e.violatedDirective + " " + e.blockedURI); });`,
	}, nil))
	for _, path := range []string{
		"", "cases", "cases/" + k.ID, "cases/new?like=" + k.ID, "reports", "reports/" + row.ID, "reports/two?id=" + row.ID + "&id=" + other.ID, "search?text=%22%3E%3Cimg+src%3D/evil%3E",
	} {
		visit(t, tab, c.at(path))
		do(t, tab, `[].forEach.call(document.querySelectorAll("details"), function (d) { d.open = true; });`)
		assert.Empty(t, read[[]string](t, tab, `window.broken`), path)
		assert.NotEqual(t, "evil", read[string](t, tab, `document.title`), path)
		assert.Zero(t, read[int](t, tab, `document.querySelectorAll("img, style, main script").length`), path)
		assert.Equal(t, "block", read[string](t, tab, `getComputedStyle(document.querySelector("main")).display`), path)
		for _, width := range []int{1280, 320} {
			dress(t, tab, width, "light")
			assert.LessOrEqual(t, read[int](t, tab, `document.documentElement.scrollWidth`), width, "%s, %d px", path, width)
		}
	}
	assert.Empty(t, complaints(t, tab))
	do(t, tab, `(function () { var s = document.createElement("script"); s.textContent = "1"; document.body.appendChild(s); })()`)
	wait(t, tab, `window.broken.length > 0`) // so that it can fail
}
