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
func openCounter(t *testing.T) *counter {
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
	c.site = startSite(t, latchkey)
	t.Cleanup(func() { close(stopping) })
	hash, err := console.HashPassword(agentPassword)
	require.NoError(t, err)
	require.NoError(t, c.store.Users.Add(t.Context(), store.User{Name: agentName, Role: store.Agent, Hash: hash, Made: time.Now()}))
	return c
}

func (c *counter) at(path string) string { return c.URL + "/latchkey/support/" + path }

// signIn types name and password, and is at the first page then.
func (c *counter) signIn(t *testing.T, tab *drive.Tab) {
	t.Helper()
	visit(t, tab, c.at(""))
	for _, field := range [][2]string{{"name", agentName}, {"password", agentPassword}} {
		require.NoError(t, tab.Click(t.Context(), "input[name="+field[0]+"]"))
		require.NoError(t, tab.Type(t.Context(), field[1]))
	}
	require.NoError(t, tab.Click(t.Context(), "main button.primary"))
	wait(t, tab, `!!document.querySelector('nav a[aria-current]')`)
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
