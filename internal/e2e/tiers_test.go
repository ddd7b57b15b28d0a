//go:build unix

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
)

// jitless is a Chromium in which WebAssembly does not exist.
var jitless = drive.Options{Flags: []string{"--js-flags=--jitless"}}

// TestTiers is what a person gets from real browsers with real faults, from the
// healthy one down to those that run next to nothing. What takes long by its
// nature, as a download that stalls, starts first and is asked last.
func TestTiers(t *testing.T) {
	t.Parallel() // with the other engines: much of it waits
	aside := drive.OpenChromium(t, drive.Options{Flags: []string{
		"--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
	}})
	hung := startHung(t, aside)
	stalled := startStalled(t, newTab(t, aside))

	t.Run("healthy", testHealthy)
	t.Run("without cookies", testWithoutCookies)
	t.Run("without scripts", testWithoutScripts)
	t.Run("without scripts and cookies", testWithoutScriptsAndCookies)
	t.Run("scripts turned on", testScriptsTurnedOn)
	t.Run("without frame.js", testWithoutFrameScript)
	t.Run("without WebAssembly", testWithoutWebAssembly)
	t.Run("slow line", testSlowLine)
	t.Run("slow server", testSlowServer)
	t.Run("module", testModule)
	t.Run("crash", testCrash)
	t.Run("without the server", testWithoutServer)
	t.Run("Lockdown Mode", testLockdown)
	t.Run("too many requests", testTooMany)
	t.Run("check again", testAgain)
	t.Run("old engines", testOldEngines)

	t.Run("program that hangs", hung)
	t.Run("download that stalls", stalled)
}

// requireSameJudgement sends what was seen to the server and fails unless it
// comes to the same report.
func requireSameJudgement(t *testing.T, s *site, l look) {
	t.Helper()
	seen, err := json.Marshal(l.Report.Seen)
	require.NoError(t, err)
	answer, err := http.Post(s.URL+"/latchkey/diagnose", "application/json", bytes.NewReader(seen))
	require.NoError(t, err)
	defer answer.Body.Close()
	var judged report.Report
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&judged))
	require.Equal(t, l.Report, judged)
}

// finding is what the report says of a check.
func finding(t *testing.T, l look, check string) diag.Finding {
	t.Helper()
	i := slices.IndexFunc(l.Report.Findings, func(f diag.Finding) bool { return f.Check == check })
	require.GreaterOrEqual(t, i, 0, "no finding %s in %v", check, l.Findings)
	return l.Report.Findings[i]
}

func testHealthy(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{})
	l := open(t, tab, site.page(""))
	healthy(t, l)
	assert.Equal(t, sound(), l.Report.Passed)
	assert.Contains(t, l.Text, "Nothing wrong found on this device")
	requireSameJudgement(t, site, l)
	assert.Equal(t, "", read[string](t, tab, `document.cookie`), "nothing is left behind")
	assert.Equal(t, 0, read[int](t, tab, `localStorage.length + sessionStorage.length`))
	assert.Equal(t, 0, read[int](t, tab, `indexedDB.databases().then(l => l.length)`))
	assert.Equal(t, 0, read[int](t, tab, `caches.keys().then(l => l.length)`))

	// What the login server said is all there is to say then.
	l = open(t, tab, site.page("outcome=account_locked&reference=R-7"))
	requireWhole(t, l)
	quiet(t, l)
	assert.Equal(t, "wasm", l.Tier)
	assert.Equal(t, []string{"account-locked"}, l.Findings)
	assert.Equal(t, evidence.Saw("R-7"), l.Report.Seen.Host.Reference)
	assert.Contains(t, l.Text, "Everything we checked on this device is fine.")
	requireSameJudgement(t, site, l)
}

func testWithoutCookies(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{Prefs: blocked("cookies")})
	l := open(t, tab, site.page("outcome=session_lost"))
	requireWhole(t, l)
	assert.Equal(t, "wasm", l.Tier, "the Go program lives on stand-ins")
	assert.Empty(t, l.Report.TierReason)
	assert.True(t, read[bool](t, tab, `navigator.cookieEnabled`), "as Chromium says in this case")
	assert.Equal(t, evidence.Saw(true), l.Report.Seen.Cookies.Enabled, "and nobody believes it")

	assert.Equal(t, []string{"cookies-blocked", "storage-blocked", "session-lost"}, l.Findings)
	assert.Equal(t, diag.Sure, finding(t, l, "cookies-blocked").Sureness)
	assert.Equal(t, []string{"cookies-blocked"}, finding(t, l, "storage-blocked").Because)
	assert.Equal(t, "localStorage, sessionStorage, IndexedDB, Cache", finding(t, l, "storage-blocked").Args["stores"])
	assert.Equal(t, []string{"cookies-blocked", "storage-blocked"}, finding(t, l, "session-lost").Because)
	assert.Equal(t, "allow-cookies", l.Fixes[0])
	assert.Contains(t, l.Text, "“On-device site data”", "the steps are those of Chrome")
	requireSameJudgement(t, site, l)
}

// withoutScript waits until the round trip of a browser without scripts has
// ended.
func withoutScript(t *testing.T, p drive.Page) look {
	t.Helper()
	wait(t, p, `/[?&]look=.*[?&]run=|[?&]run=.*[?&]look=/.test(location.search)`)
	l := settled(t, p)
	requireWhole(t, l)
	assert.Equal(t, "html", l.Tier)
	assert.Equal(t, evidence.NoScript, l.Report.TierReason)
	return l
}

func testWithoutScripts(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{Prefs: blocked("javascript")})
	visit(t, tab, site.page("outcome=session_lost&reference=R-7"))
	l := withoutScript(t, tab)
	assert.Equal(t, []string{"javascript-off", "session-lost"}, l.Findings)
	assert.Equal(t, diag.Sure, finding(t, l, "javascript-off").Sureness)
	assert.Equal(t, evidence.Saw(true), l.Report.Seen.Cookies.HTTP, "a cookie went there and back")
	assert.Contains(t, l.Report.Passed, "cookies-blocked")
	assert.Equal(t, evidence.Saw("R-7"), l.Report.Seen.Host.Reference, "the redirects keep what the site said")
	assert.Contains(t, l.Text, "chrome://settings/content/javascript", "the steps are those of Chrome")
	assert.NotContains(t, l.Text, "That was not it yet")
	quiet(t, l)
	requireSameJudgement(t, site, l)

	// A page that is loaded again later takes another round trip; the cookie
	// of the first is gone by then.
	first := read[string](t, tab, `location.search`)
	site.later.Store(int64(2 * time.Minute))
	require.NoError(t, tab.Call(t.Context(), "Network.clearBrowserCookies", nil, nil))
	require.NoError(t, tab.Reload(t.Context()))
	l = withoutScript(t, tab)
	assert.Equal(t, []string{"javascript-off", "session-lost"}, l.Findings)
	assert.Equal(t, evidence.Saw(true), l.Report.Seen.Cookies.HTTP)
	assert.NotEqual(t, first, read[string](t, tab, `location.search`))

	// Looking again is a form, and it knows what was found before.
	require.NoError(t, tab.Click(t.Context(), "#latchkey-again-button"))
	wait(t, tab, `/[?&]before=/.test(location.search)`)
	l = withoutScript(t, tab)
	assert.Equal(t, []string{"javascript-off", "session-lost"}, l.Findings)
	assert.Equal(t, []string{"javascript-off", "session-lost"}, l.Report.Seen.Run.Before)
	assert.Contains(t, l.Text, "That was not it yet")
	assert.Equal(t, evidence.Saw("R-7"), l.Report.Seen.Host.Reference)
}

func testWithoutScriptsAndCookies(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{Prefs: blocked("javascript", "cookies")})
	visit(t, tab, site.page("outcome=session_lost"))
	l := withoutScript(t, tab)
	assert.Equal(t, []string{"javascript-off", "cookies-blocked", "session-lost"}, l.Findings)
	assert.Equal(t, diag.Sure, finding(t, l, "cookies-blocked").Sureness)
	assert.Equal(t, evidence.Saw(false), l.Report.Seen.Cookies.HTTP)
}

// Whoever turns scripts on as told and looks again comes from the html tier
// into the wasm tier, and is told that it helped.
func testScriptsTurnedOn(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{})
	scripts := func(off bool) {
		require.NoError(t, tab.Call(t.Context(), "Emulation.setScriptExecutionDisabled", map[string]any{"value": off}, nil))
	}
	scripts(true)
	visit(t, tab, site.page(""))
	assert.Equal(t, []string{"javascript-off"}, withoutScript(t, tab).Findings)

	scripts(false)
	require.NoError(t, tab.Click(t.Context(), "#latchkey-again-button"))
	wait(t, tab, `/[?&]before=javascript-off/.test(location.search)`)
	l := settled(t, tab)
	assert.Equal(t, "wasm", l.Tier)
	assert.Empty(t, l.Findings)
	assert.True(t, l.Fixed)
	assert.Contains(t, l.Text, "What stopped you before is gone: JavaScript.")
}

// A blocker, or a network that lost one file.
func testWithoutFrameScript(t *testing.T) {
	site := startSite(t, instead("/latchkey/static/frame.", http.NotFound))
	tab := drive.OpenChromium(t, drive.Options{})
	l := open(t, tab, site.page("outcome=account_locked"))
	requireWhole(t, l)
	assert.Equal(t, "html", l.Tier)
	assert.Equal(t, []string{"account-locked"}, l.Findings)
	assert.Contains(t, l.Text, "Nothing moves here? Go on without scripts")

	require.NoError(t, tab.Click(t.Context(), ".without-script a"))
	l = withoutScript(t, tab)
	assert.Equal(t, []string{"account-locked"}, l.Findings, "the link proves nothing about scripts")
	assert.Equal(t, evidence.Saw(true), l.Report.Seen.Cookies.HTTP)
	assert.Contains(t, l.Gaps, "javascript-off")

	require.NoError(t, tab.Click(t.Context(), "#latchkey-again-button"))
	wait(t, tab, `/[?&]before=account-locked/.test(location.search)`)
	l = withoutScript(t, tab)
	assert.Equal(t, []string{"account-locked"}, l.Findings)
}

func testWithoutWebAssembly(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, jitless)
	l := open(t, tab, site.page("outcome=account_locked"))
	requireWhole(t, l)
	assert.Equal(t, "script", l.Tier)
	assert.Equal(t, evidence.NoWasm, l.Report.TierReason)
	assert.Equal(t, []string{"account-locked", "webassembly-off"}, l.Findings)
	assert.Equal(t, "absent", finding(t, l, "webassembly-off").Args["reason"])
	assert.Equal(t, sound("webassembly-off"), l.Report.Passed, "all else is judged without it")
	assert.NotContains(t, l.Text, "Lockdown Mode")
	quiet(t, l)
	requireSameJudgement(t, site, l)
	assert.Equal(t, "", read[string](t, tab, `document.cookie`), "nothing is left behind")
	assert.Equal(t, 0, read[int](t, tab, `localStorage.length + sessionStorage.length`))
}

// recorder notes in every document what the tier and the state went through,
// and how far things jumped that nobody touched.
const recorder = `
window.went = [];
window.jumped = [];
new MutationObserver(function () {
	var html = document.documentElement, now = html && html.getAttribute("data-latchkey-tier") + " " + html.getAttribute("data-latchkey-state");
	if (html && went[went.length - 1] !== now) { went.push(now); }
}).observe(document, {attributes: true, childList: true, subtree: true});
new PerformanceObserver(function (list) {
	list.getEntries().forEach(function (e) {
		if (!e.hadRecentInput) { jumped.push({value: e.value, what: e.sources.map(function (s) { return s.node && (s.node.id || s.node.nodeName); }).join(" ")}); }
	});
}).observe({type: "layout-shift", buffered: true});`

// requireStill fails if the page has jumped.
func requireStill(t *testing.T, p drive.Page) {
	t.Helper()
	do(t, p, `return new Promise(function (yes) { requestAnimationFrame(function () { setTimeout(yes, 0); }); })`) // the last frame is counted
	sum := 0.0
	jumps := read[[]struct {
		Value float64
		What  string
	}](t, p, `jumped`)
	for _, j := range jumps {
		sum += j.Value
	}
	assert.Less(t, sum, 0.01, "jumps: %v", jumps)
}

// held is a fault that keeps back the answers under a path until it is released.
func held(path string) (fault middleware, release func()) {
	gate := make(chan struct{})
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, path) {
				select {
				case <-gate:
				case <-r.Context().Done():
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}, func() { close(gate) }
}

func testSlowLine(t *testing.T) {
	for _, c := range []struct {
		name     string
		outcome  string
		blocked  []string
		findings []string
		says     string
	}{
		{"told by the host", "account_locked", nil, []string{"account-locked"}, "Your account is locked for now"},
		{"cookies blocked", "session_lost", []string{"cookies"}, []string{"cookies-blocked", "storage-blocked", "session-lost"}, "Your browser isn't keeping this site's cookies"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fault, release := held("/latchkey/static/widget.")
			site := startSite(t, fault)
			tab := drive.OpenChromium(t, drive.Options{Width: 400, Height: 300, Prefs: blocked(c.blocked...)})
			require.NoError(t, tab.Call(t.Context(), "Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": recorder}, nil))
			visit(t, tab, site.page("outcome="+c.outcome))

			// The server's judgement of the first look stands before the download ends.
			wait(t, tab, `document.documentElement.getAttribute("data-latchkey-tier") === "script"`)
			l := lookAt(t, tab)
			assert.Equal(t, "running", l.State, "a higher tier is pending")
			assert.Equal(t, c.findings, l.Findings)
			assert.Empty(t, l.Report.TierReason)
			assert.Contains(t, l.Text, c.says)
			assert.Contains(t, l.Text, "Checking why you can't sign in")
			assert.NotContains(t, l.Text, "Everything we checked on this device is fine.", "that is not known yet")

			// A person reads, scrolls and is about to press something.
			do(t, tab, `
				document.querySelector("#latchkey-next > summary").click();
				document.getElementById("latchkey-details").open = true;
				document.getElementById("latchkey-copy").parentNode.open = true;
				document.getElementById("latchkey-copy").focus({preventScroll: true});
				scrollTo(0, 220)`)
			wait(t, tab, `scrollY === 220`)
			release()
			l = settled(t, tab)
			requireWhole(t, l)
			assert.Equal(t, "wasm", l.Tier)
			assert.Equal(t, c.findings, l.Findings)
			for _, id := range []string{"next", "details", "tell"} {
				assert.True(t, read[bool](t, tab, `document.getElementById("latchkey-`+id+`").open`), id)
			}
			assert.False(t, read[bool](t, tab, `document.getElementById("latchkey-passed").open`))
			assert.Equal(t, "latchkey-copy", read[string](t, tab, `document.activeElement.id`))
			assert.Equal(t, 220, read[int](t, tab, `scrollY`))
			requireStill(t, tab)
			steps := read[[]string](t, tab, `went`)
			// There may be nothing left for the Go program to look at.
			steps = slices.DeleteFunc(steps, func(s string) bool { return s == "wasm running" })
			assert.Equal(t, []string{"html done", "html running", "script running", "wasm done"}, steps)
			quiet(t, l)
		})
	}
}

// A cookie that has not been set yet is none that was thrown away.
func testSlowServer(t *testing.T) {
	module, release := held("/latchkey/static/widget.")
	cookies, _ := held("/latchkey/cookies")
	site := startSite(t, module, cookies)
	tab := drive.OpenChromium(t, drive.Options{})
	visit(t, tab, site.page("outcome=account_locked"))
	wait(t, tab, `document.documentElement.getAttribute("data-latchkey-tier") === "script"`)
	l := lookAt(t, tab)
	assert.Equal(t, "running", l.State)
	assert.Equal(t, []string{"account-locked"}, l.Findings)
	assert.Contains(t, l.Gaps, "cookies-blocked")

	release()
	l = settled(t, tab)
	requireWhole(t, l)
	assert.Equal(t, "wasm", l.Tier)
	assert.Equal(t, []string{"account-locked"}, l.Findings)
	assert.Contains(t, l.Gaps, "cookies-blocked")
	for _, g := range l.Report.Gaps {
		assert.Equal(t, "late", g.Why, g.Check)
	}
	quiet(t, l)
}

// The engines of 2016, 2020 and 2022 as they were.
func testOldEngines(t *testing.T) {
	site := startSite(t)
	for _, c := range []struct {
		engine   drive.Engine
		tier     string
		reason   evidence.TierReason
		findings []string
	}{
		{drive.QtWebKit, "script", evidence.NoWasm, []string{"browser-outdated", "no-response"}},
		{drive.Chromium87, "script", evidence.Policy, []string{"browser-outdated", "no-response"}},
		{drive.Chromium102, "wasm", "", []string{"browser-outdated", "no-response"}},
	} {
		t.Run(string(c.engine), func(t *testing.T) {
			p := drive.Open(t, c.engine, drive.Options{})
			l := open(t, p, site.page("outcome=no_response"))
			requireWhole(t, l)
			assert.Equal(t, c.tier == "wasm", slices.Contains(l.Report.Passed, "webassembly-off"), "else nothing is said of it")
			for _, m := range l.Console {
				assert.Regexp(t, "Content.Security.Policy", m.Text, "all it says is that it does not know the words of ours")
			}
			assert.Equal(t, c.tier, l.Tier)
			assert.Equal(t, c.reason, l.Report.TierReason)
			assert.Equal(t, c.findings, l.Findings)
			assert.Equal(t, "update-browser", l.Fixes[0])
			assert.Subset(t, l.Report.Passed, []string{"javascript-off", "cookies-blocked", "storage-blocked", "clock-wrong"})
			assert.Empty(t, l.Gaps)
			requireSameJudgement(t, site, l)

			require.NoError(t, p.Eval(t.Context(), `document.getElementById("latchkey-again-button").click()`, nil))
			l = settled(t, p)
			requireWhole(t, l)
			assert.Equal(t, c.findings, l.Findings)
			assert.Contains(t, l.Text, "That was not it yet")
		})
	}
}

// startHung opens a page whose Go program waits for ever once it is asked for
// another look, and returns the test of what comes of it.
func startHung(t *testing.T, tab *drive.Tab) func(t *testing.T) {
	t.Helper()
	site := startSite(t)
	require.Equal(t, "wasm", open(t, tab, site.page("outcome=account_locked")).Tier)
	do(t, tab, `
		latchkey.publish = function () { return new Promise(function () {}); };
		document.getElementById("latchkey-still-button").click()`)
	return func(t *testing.T) {
		l := settled(t, tab)
		requireWhole(t, l)
		assert.Equal(t, "script", l.Tier)
		assert.Equal(t, evidence.Crashed, l.Report.TierReason)
		assert.Equal(t, []string{"account-locked"}, l.Findings)
		assert.Contains(t, l.Text, "That was not it yet")
		quiet(t, l)
	}
}

// startStalled opens a page whose module stops coming, and returns the test of
// what it shows when frame.js has given up.
func startStalled(t *testing.T, tab *drive.Tab) func(t *testing.T) {
	t.Helper()
	site := startSite(t, func(next http.Handler) http.Handler {
		return instead("/latchkey/static/widget.", func(w http.ResponseWriter, r *http.Request) {
			answer := recorded(next, r)
			send(w, answer, answer.Body.Bytes()[:100_000])
			<-r.Context().Done()
		})(next)
	})
	start := time.Now()
	visit(t, tab, site.page("outcome=account_locked"))
	return func(t *testing.T) {
		l := lookAt(t, tab)
		assert.Equal(t, "script", l.Tier, "there is an answer while it waits")
		if time.Since(start) < 40*time.Second {
			assert.Equal(t, "running", l.State)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, tab.Wait(ctx, `document.documentElement.getAttribute("data-latchkey-state") === "done"`))
		assert.Greater(t, time.Since(start), 44*time.Second, "it waits for slow lines")
		l = lookAt(t, tab)
		requireWhole(t, l)
		assert.Equal(t, "script", l.Tier)
		assert.Equal(t, evidence.Stalled, l.Report.TierReason)
		assert.Equal(t, []string{"account-locked"}, l.Findings)
		assert.NotContains(t, l.Text, "That was not it yet", "nobody asked for another look")
		quiet(t, l)
	}
}
