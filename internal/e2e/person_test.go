//go:build unix

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/server"
	"latchkey/web"
)

// firstFinding is what each outcome leads to where nothing else is wrong, as
// the contract has it.
var firstFinding = map[evidence.Outcome]string{
	evidence.InvalidCredentials: "account-credentials",
	evidence.AccountLocked:      "account-locked",
	evidence.AccountDisabled:    "account-disabled",
	evidence.PasswordExpired:    "account-password-expired",
	evidence.MFARejected:        "account-code-rejected",
	evidence.MFANotDelivered:    "account-code-not-delivered",
	evidence.SSOFailed:          "account-sso-failed",
	evidence.SessionLost:        "session-lost",
	evidence.CaptchaFailed:      "captcha-failed",
	evidence.Throttled:          "account-throttled",
	evidence.Maintenance:        "service-maintenance",
	evidence.ServerError:        "service-error",
	evidence.NoResponse:         "no-response",
	evidence.ResetNotDelivered:  "account-reset-not-delivered",
	evidence.NotRegistered:      "account-not-registered",
	evidence.Unknown:            "",
}

// signIn types into the login form of the demo portal and sends it.
func signIn(t *testing.T, tab *drive.Tab, site *site, user string) {
	t.Helper()
	visit(t, tab, site.URL+"/")
	require.NoError(t, tab.Click(t.Context(), "#username"))
	require.NoError(t, tab.Type(t.Context(), user))
	press(t, tab, "Tab")
	require.NoError(t, tab.Type(t.Context(), "secret"))
	submitted(t, tab, func() { press(t, tab, "Enter") })
}

// submitted waits for the document that comes after what do does.
func submitted(t *testing.T, tab *drive.Tab, submit func()) {
	t.Helper()
	do(t, tab, `window.old = true`)
	submit()
	wait(t, tab, `!window.old && document.readyState === "complete"`)
}

func press(t *testing.T, tab *drive.Tab, chords ...string) {
	t.Helper()
	for _, chord := range chords {
		require.NoError(t, tab.Press(t.Context(), chord))
	}
}

// clickIn clicks what a selector finds in the widget, once the frame is no
// longer on its way to another height: a hand would miss, too.
func clickIn(t *testing.T, tab drive.Clicker, selector string) {
	t.Helper()
	if framed(t, tab) {
		fits(t, tab)
	}
	element := widget + `.querySelector(` + literal(t, selector) + `)`
	do(t, tab, element+`.scrollIntoView({block: "nearest"})`)
	require.NoError(t, tab.ClickElement(t.Context(), element))
}

// listen keeps the events of embed.js as pageScript does.
func listen(t *testing.T, tab *drive.Tab) {
	t.Helper()
	require.NoError(t, tab.Eval(t.Context(), `(0, eval)(`+literal(t, pageScript)+`)`, nil))
}

// focused names the element that has the focus, in the page or its frame.
const focused = `(function () {
	var a = document.activeElement;
	while (a && a.nodeName === "IFRAME" && a.contentDocument) { a = a.contentDocument.activeElement; }
	return a.id || a.name || a.nodeName + " " + a.textContent.trim();
})()`

func TestDemo_outcomes(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{})
	for _, outcome := range evidence.Outcomes {
		t.Run(string(outcome), func(t *testing.T) {
			before := len(complaints(t, tab))
			signIn(t, tab, site, string(outcome))
			l := settled(t, tab)
			assert.Equal(t, "wasm", l.Tier)
			assert.Equal(t, outcome, l.Report.Outcome)
			want, known := firstFinding[outcome]
			require.True(t, known, "the contract names an outcome for each")
			if want == "" {
				assert.Empty(t, l.Findings)
				assert.Contains(t, l.Text, "Nothing wrong found on this device")
			} else {
				assert.Equal(t, want, l.top())
			}
			assert.Equal(t, "BODY", read[string](t, tab, `document.activeElement.nodeName`), "by itself it takes no focus")
			for _, m := range complaints(t, tab)[before:] {
				// Browsers log the status of a document.
				if m.URL != site.URL+"/" || !strings.HasPrefix(m.Text, "Failed to load resource: the server responded with a status of") {
					assert.Fail(t, "the console is not quiet", "%s: %s (%s)", m.Level, m.Text, m.URL)
				}
			}
		})
	}
	t.Run("ok", func(t *testing.T) {
		signIn(t, tab, site, "ok")
		assert.Equal(t, "You are signed in", read[string](t, tab, `document.querySelector("h1").textContent`))
		assert.False(t, read[bool](t, tab, `!!window.Latchkey || document.querySelector("iframe") !== null`))
	})
}

// After a plain wrong password one line is enough for most.
func TestDemo_wrongPassword(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{})
	signIn(t, tab, site, "somebody")
	l := settled(t, tab)
	assert.Regexp(t, `^[^\n]+ Look closer$`, l.Text)
	assert.Equal(t, l.Text, read[string](t, tab, widget+`.querySelector("h1").innerText + " Look closer"`), "its heading is the sentence")
	assert.Less(t, read[int](t, tab, `document.querySelector("iframe").offsetHeight`), 60, "one line")

	clickIn(t, tab, "#latchkey-closer-summary")
	wait(t, tab, `document.querySelector("iframe").offsetHeight > 300`)
	requireWhole(t, lookAt(t, tab))
	assert.Equal(t, "Why you can't sign in", read[string](t, tab, widget+`.querySelector("h1").innerText`))

	// It stays unfolded for whoever looks again, and so does the focus.
	listen(t, tab)
	clickIn(t, tab, "#latchkey-again-button")
	wait(t, tab, `heard().length === 1`)
	requireWhole(t, settled(t, tab))
	assert.Equal(t, "latchkey-again-button", read[string](t, tab, focused))
	fits(t, tab)
	clickIn(t, tab, "#latchkey-close")
	wait(t, tab, `frames() === 0`)

	// A click that opens it leads to the sentence.
	do(t, tab, `Latchkey.open({focus: true})`)
	wait(t, tab, focused+` === "latchkey-title"`)
	settled(t, tab)
	assert.Equal(t, "latchkey-title", read[string](t, tab, focused))
}

func framed(t *testing.T, tab drive.Page) bool {
	t.Helper()
	return read[bool](t, tab, `document.querySelector("iframe") !== null`)
}

// fits waits until the frame in the page is as high as what it shows.
func fits(t *testing.T, tab drive.Page) {
	t.Helper()
	wait(t, tab, `(function () {
		var frame = document.querySelector("iframe"), d = frame.contentDocument;
		var content = d.body.getBoundingClientRect().height;
		return frame.clientHeight >= d.documentElement.scrollHeight && frame.clientHeight - content < 2 && d.documentElement.clientWidth === frame.clientWidth;
	})()`)
}

func TestDemo_trouble(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{})
	visit(t, tab, site.URL+"/")
	listen(t, tab)
	opened := func() look {
		t.Helper()
		require.NoError(t, tab.Click(t.Context(), "#trouble"))
		wait(t, tab, focused+` === "latchkey-title"`)
		l := settled(t, tab)
		assert.Equal(t, "latchkey-title", read[string](t, tab, focused), "the focus stays while findings come in")
		return l
	}
	closed := func() {
		t.Helper()
		wait(t, tab, `frames() === 0`)
		assert.Equal(t, "trouble", read[string](t, tab, focused), "the focus comes back")
	}

	l := opened()
	assert.Equal(t, "wasm", l.Tier)
	assert.Empty(t, l.Findings)
	wait(t, tab, `heard().length > 0`)
	assert.Equal(t, map[string]any{"outcome": "unknown", "tier": "wasm", "top": "", "findings": []any{}}, read[map[string]any](t, tab, `heard()[0]`))
	press(t, tab, "Escape")
	closed()

	opened()
	clickIn(t, tab, "#latchkey-close")
	closed()

	opened()
	for _, width := range []int{1280, 360} {
		require.NoError(t, tab.Resize(t.Context(), width, 800))
		fits(t, tab)
		folded := read[int](t, tab, `document.querySelector("iframe").clientHeight`)
		for _, id := range []string{"#latchkey-passed-summary", "#latchkey-tell-summary", "#latchkey-details-summary"} {
			clickIn(t, tab, id)
			fits(t, tab)
		}
		assert.Greater(t, read[int](t, tab, `document.querySelector("iframe").clientHeight`), folded+300, "it grows")
		for _, id := range []string{"#latchkey-passed-summary", "#latchkey-tell-summary", "#latchkey-details-summary"} {
			clickIn(t, tab, id)
		}
		fits(t, tab)
		assert.Equal(t, folded, read[int](t, tab, `document.querySelector("iframe").clientHeight`), "it shrinks again")
	}
	press(t, tab, "Escape")
	closed()
	assert.Equal(t, "open result close open result close open result close", read[string](t, tab, `names()`))
	assert.Empty(t, complaints(t, tab))
}

// The whole of the main job: a fault is found, mended and seen to be gone.
func TestDemo_fixed(t *testing.T) {
	site := startSite(t)
	clock := drive.NewClock(t, 10*time.Minute)
	tab := drive.OpenChromium(t, drive.Options{Env: clock.Env()})
	visit(t, tab, site.URL+"/")
	listen(t, tab)
	require.NoError(t, tab.Click(t.Context(), "#trouble"))
	l := settled(t, tab)
	require.Equal(t, "clock-wrong", l.top())
	assert.False(t, l.Fixed)

	again := func() look {
		t.Helper()
		n := read[int](t, tab, `heard().length`)
		clickIn(t, tab, "#latchkey-again-button")
		wait(t, tab, fmt.Sprintf(`heard().length > %d`, n))
		return settled(t, tab)
	}
	l = again()
	assert.Equal(t, "clock-wrong", l.top())
	assert.Contains(t, l.Text, "That was not it yet. Here is the next thing to try.")
	assert.False(t, read[bool](t, tab, widget+`.querySelector("[data-tried=set-clock-automatically]").open`), "out of the way")
	assert.NotContains(t, l.Fixes, "set-clock-automatically", "never the same advice twice")
	assert.True(t, read[bool](t, tab, widget+`.querySelector("div.fix[data-fix='`+l.Fixes[0]+`']").checkVisibility()`), "the next one")
	assert.NotContains(t, read[string](t, tab, `names()`), "fixed")

	require.NoError(t, clock.Set(0))
	l = again()
	assert.True(t, l.Fixed)
	assert.Empty(t, l.Findings)
	assert.Contains(t, l.Text, "Fixed. Try signing in again.")
	assert.Equal(t, "latchkey-again-button", read[string](t, tab, focused), "the focus stays on what was pressed")
	wait(t, tab, `names() === "open result result result fixed"`)
	assert.Equal(t, map[string]any{"outcome": "unknown", "tier": "wasm", "top": "", "findings": []any{}}, read[map[string]any](t, tab, `seen[4].detail`))

	newAuditor(t, tab).noFaults(t, "fixed")
	clickIn(t, tab, "#latchkey-back")
	wait(t, tab, `frames() === 0`)
	assert.Equal(t, "trouble", read[string](t, tab, focused))
}

// withLogin puts a login page with embed.js at /, under the policy that the
// contract promises to work with.
func withLogin(attributes string) middleware {
	return func(next http.Handler) http.Handler {
		return instead("/page.js", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, pageScript)
		})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Security-Policy", strictPolicy)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, loginPage(attributes))
		}))
	}
}

func TestEmbed_realFrameUnderTheStrictPolicy(t *testing.T) {
	site := startSite(t, withLogin(`data-outcome="account_locked" data-support="555-0100"`))
	tab := drive.OpenChromium(t, drive.Options{})
	l := open(t, tab, site.URL+"/")
	requireWhole(t, l)
	assert.Equal(t, "wasm", l.Tier)
	assert.Equal(t, "account-locked", l.top())
	wait(t, tab, `names() === "open result"`)
	assert.Empty(t, read[[]string](t, tab, `refused`))
	quiet(t, l)
	fits(t, tab)
}

// startElsewhere is Latchkey at help.localhost, and a login page that embeds it
// at portal.localhost: for browsers they are two sites.
func startElsewhere(t *testing.T, allowed bool) (login string) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	if why := stale(); why != "" {
		t.Fatal(why + ", run: make wasm")
	}
	s := httptest.NewUnstartedServer(nil)
	address := func(host string) string {
		return strings.Replace("http://"+s.Listener.Addr().String(), "127.0.0.1", host, 1)
	}
	help, portal := address("help.localhost"), address("portal.localhost")
	config := server.Config{Site: server.Site{Name: "Example Clinic"}, Support: server.Support{Phone: "555-0100"}}
	if allowed {
		config.Embed.Origins = []string{portal}
	}
	h, err := server.New(server.Options{
		Base: "/latchkey", Config: config, Assets: web.Dist(),
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})),
		Demo: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/page.js" {
				w.Header().Set("Content-Type", "text/javascript")
				fmt.Fprint(w, pageScript)
				return
			}
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self' "+help+"; frame-src "+help)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, loginPageWith(`<script src="`+help+`/latchkey/embed.js" data-outcome="session_lost" data-support="Call 555-0100"></script>`))
		}),
	})
	require.NoError(t, err)
	s.Config.Handler = h
	s.Start()
	t.Cleanup(s.Close)
	return portal + "/"
}

func TestElsewhere(t *testing.T) {
	result := func(t *testing.T, tab *drive.Tab) (detail report.Summary) {
		t.Helper()
		wait(t, tab, `heard().length > 0`)
		return read[report.Summary](t, tab, `heard()[0]`)
	}
	login := startElsewhere(t, true)

	t.Run("third-party cookies blocked", func(t *testing.T) {
		tab := drive.OpenChromium(t, drive.Options{
			Prefs: map[string]any{"profile.cookie_controls_mode": 1, "profile.block_third_party_cookies": true},
		})
		inFrame := otherFrame(t, tab, "//help.localhost")
		visit(t, tab, login)
		assert.Equal(t, report.Summary{Outcome: evidence.SessionLost, Tier: evidence.Wasm, Top: "session-lost", Findings: []string{"session-lost"}}, result(t, tab))
		assert.Empty(t, read[[]string](t, tab, `refused`))
		assert.Equal(t, "false", inFrame(`(document.cookie = "a=1; SameSite=None; Secure", document.cookie === "a=1")`), "they are blocked")
		assert.Contains(t, inFrame(`[].map.call(document.querySelectorAll("[data-gap]"), function (n) { return n.getAttribute("data-gap"); }).join()`), "cookies-")
		for _, m := range complaints(t, tab) {
			assert.NotEqual(t, "error", m.Level, "%s (%s)", m.Text, m.URL)
		}
	})
	t.Run("an origin that is not allowed", func(t *testing.T) {
		tab := drive.OpenChromium(t, drive.Options{})
		// That embed.js waits for 8 s is for another test.
		require.NoError(t, tab.Call(t.Context(), "Page.addScriptToEvaluateOnNewDocument", map[string]any{
			"source": `(function (every) { window.setInterval = function (f, ms) { return every(f, ms / 10); }; })(window.setInterval);`,
		}, nil))
		visit(t, tab, startElsewhere(t, false))
		link := `document.getElementById("login").nextSibling.firstChild`
		wait(t, tab, link+`.href`)
		assert.Equal(t, 0, read[int](t, tab, `frames()`))
		assert.Regexp(t, `^http://help\.localhost:\d+/latchkey/\?outcome=session_lost&lang=en-GB$`, read[string](t, tab, link+`.href`))
		assert.Equal(t, "Trouble signing in? Find out why\nCall 555-0100", read[string](t, tab, link+`.parentNode.innerText`))
		assert.Equal(t, "open", read[string](t, tab, `names()`))
	})
	t.Run("all cookies blocked", func(t *testing.T) {
		tab := drive.OpenChromium(t, drive.Options{Prefs: blocked("cookies")})
		visit(t, tab, login)
		assert.Equal(t, report.Summary{
			Outcome: evidence.SessionLost, Tier: evidence.Wasm,
			Top: "cookies-blocked", Findings: []string{"cookies-blocked", "storage-blocked", "session-lost"},
		}, result(t, tab), "told by embed.js, which sees the login page's own")
	})
}

// otherFrame evaluates in the frame of another site. That is a target of its
// own, and its answers come by the console.
func otherFrame(t *testing.T, tab *drive.Tab, origin string) func(expr string) string {
	t.Helper()
	var mu sync.Mutex
	var newest drive.Event
	tab.On("Runtime.executionContextCreated", func(e drive.Event) {
		if bytes.Contains(e.Params, []byte(origin)) {
			mu.Lock()
			defer mu.Unlock()
			newest = e
		}
	})
	questions := 0
	return func(expr string) (answer string) {
		t.Helper()
		questions++
		mark := fmt.Sprintf("answer %d: ", questions)
		mu.Lock()
		err := newest.Send("Runtime.evaluate", map[string]any{"expression": "console.debug(" + literal(t, mark) + " + " + expr + ")"})
		mu.Unlock()
		require.NoError(t, err)
		eventually(t, "the frame answers", func() (ok bool) {
			for _, m := range complaints(t, tab) {
				if answer, ok = strings.CutPrefix(m.Text, mark); ok {
					return true
				}
			}
			return false
		})
		return answer
	}
}

// audit is what axe finds in one document, as lines, and what our own rules
// find: nothing scrolls sideways, and what is pressed is high enough for a
// finger.
const audit = `axe.run(document, {
	runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
	resultTypes: ["violations"], iframes: false, preload: false
}).then(function (r) {
	var out = [], page = document.documentElement;
	r.violations.forEach(function (v) {
		v.nodes.forEach(function (n) { out.push(v.id + ": " + n.target.join(" ") + ": " + n.failureSummary.replace(/\s+/g, " ")); });
	});
	if (r.passes.length < 10) { out.push("axe looked at next to nothing"); }
	if (page.scrollWidth > page.clientWidth) { out.push("scrolls sideways: " + page.scrollWidth + " in " + page.clientWidth); }
	document.querySelectorAll("button, summary").forEach(function (n) {
		var box = n.getBoundingClientRect();
		if (n.checkVisibility() && (box.height < 44 || box.width < 44)) { out.push("too small: " + n.outerHTML + " " + box.width + "x" + box.height); }
	});
	return out;
})`

// auditor looks at the documents of a tab with axe-core. It lives in a world
// of JavaScript of its own, where neither a policy nor a page's own names are
// in its way.
type auditor struct {
	tab    *drive.Tab
	source string
}

func newAuditor(t *testing.T, tab *drive.Tab) auditor {
	t.Helper()
	source, err := os.ReadFile(nodeModule(t, "axe-core/axe.min.js"))
	require.NoError(t, err)
	return auditor{tab, string(source)}
}

// frames are the ids of the page and of its frames.
func (a auditor) frames(t *testing.T) (ids []string) {
	t.Helper()
	type frame struct{ ID string }
	var tree struct {
		FrameTree struct {
			Frame       frame
			ChildFrames []struct{ Frame frame }
		}
	}
	require.NoError(t, a.tab.Call(t.Context(), "Page.getFrameTree", nil, &tree))
	ids = append(ids, tree.FrameTree.Frame.ID)
	for _, c := range tree.FrameTree.ChildFrames {
		ids = append(ids, c.Frame.ID)
	}
	return ids
}

// faults are those of the page and of its frames as they stand.
func (a auditor) faults(t *testing.T) (all []string) {
	t.Helper()
	for _, frame := range a.frames(t) {
		var world struct{ ExecutionContextID int }
		require.NoError(t, a.tab.Call(t.Context(), "Page.createIsolatedWorld", map[string]any{"frameId": frame, "worldName": "axe"}, &world))
		eval := func(expr string) (value json.RawMessage) {
			var got struct {
				Result           struct{ Value json.RawMessage }
				ExceptionDetails json.RawMessage
			}
			require.NoError(t, a.tab.Call(t.Context(), "Runtime.evaluate", map[string]any{
				"expression": expr, "contextId": world.ExecutionContextID, "awaitPromise": true, "returnByValue": true,
			}, &got))
			require.Empty(t, got.ExceptionDetails)
			return got.Result.Value
		}
		if string(eval(`typeof axe`)) != `"object"` {
			eval(a.source + `; 0`)
		}
		var faults []string
		require.NoError(t, json.Unmarshal(eval(audit), &faults))
		all = append(all, faults...)
	}
	return all
}

// looks are the widths and schemes that are audited: what depends on both at
// once would be a surprise.
var looks = []struct {
	width  int
	scheme string
}{{1280, "light"}, {320, "dark"}}

func dress(t *testing.T, tab *drive.Tab, width int, scheme string) {
	t.Helper()
	require.NoError(t, tab.CallAll(t.Context(), "Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	}))
	require.NoError(t, tab.Resize(t.Context(), width, 800))
}

// noFaults audits the page as it stands, in each look.
func (a auditor) noFaults(t *testing.T, state string) {
	t.Helper()
	for _, l := range looks {
		dress(t, a.tab, l.width, l.scheme)
		if framed(t, a.tab) {
			fits(t, a.tab)
		}
		for _, fault := range a.faults(t) {
			assert.Fail(t, "not for everybody", "%s, %d px, %s: %s", state, l.width, l.scheme, fault)
		}
	}
}

// unfold opens every part that is folded.
func unfold(t *testing.T, tab *drive.Tab) {
	t.Helper()
	do(t, tab, `[].forEach.call(`+widget+`.querySelectorAll("details"), function (d) { d.open = true; });`)
}

func TestAccess_widget(t *testing.T) {
	site := startSite(t)
	t.Run("a browser without faults", func(t *testing.T) {
		tab := drive.OpenChromium(t, drive.Options{})
		a := newAuditor(t, tab)
		open(t, tab, site.page(""))
		a.noFaults(t, "healthy")
		open(t, tab, site.page("outcome=account_locked"))
		a.noFaults(t, "account locked")
		unfold(t, tab)
		a.noFaults(t, "account locked, unfolded")

		require.NoError(t, tab.Call(t.Context(), "Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil))
		visit(t, tab, site.page(""))
		wait(t, tab, `/look=noscript&run=/.test(location.search)`)
		l := settled(t, tab)
		assert.Equal(t, "html", l.Tier)
		assert.Equal(t, "javascript-off", l.top())
		// axe needs the timers that only a page with scripts has.
		require.NoError(t, tab.Call(t.Context(), "Emulation.setScriptExecutionDisabled", map[string]any{"value": false}, nil))
		a.noFaults(t, "javascript off")
		unfold(t, tab)
		a.noFaults(t, "javascript off, unfolded")
	})
	t.Run("cookies blocked", func(t *testing.T) {
		tab := drive.OpenChromium(t, drive.Options{Prefs: blocked("cookies")})
		a := newAuditor(t, tab)
		assert.Equal(t, "cookies-blocked", open(t, tab, site.page("outcome=session_lost")).top())
		a.noFaults(t, "cookies blocked")
		clickIn(t, tab, "#latchkey-again-button")
		wait(t, tab, widget+`.querySelector(".persists")`)
		settled(t, tab)
		unfold(t, tab)
		a.noFaults(t, "cookies blocked, again, unfolded")
	})
	t.Run("WebAssembly off", func(t *testing.T) {
		tab := drive.OpenChromium(t, drive.Options{Flags: []string{"--js-flags=--jitless"}})
		l := open(t, tab, site.page(""))
		assert.Equal(t, "script", l.Tier)
		assert.Equal(t, "webassembly-off", l.top())
		unfold(t, tab)
		newAuditor(t, tab).noFaults(t, "script tier")
	})
}

func TestAccess_portal(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{})
	a := newAuditor(t, tab)
	visit(t, tab, site.URL+"/")
	do(t, tab, `document.querySelector("aside details").open = true`)
	a.noFaults(t, "login")

	// One with an alert, one with a long alert, one without.
	for _, outcome := range []evidence.Outcome{evidence.AccountLocked, evidence.ResetNotDelivered, evidence.NoResponse} {
		signIn(t, tab, site, string(outcome))
		settled(t, tab)
		a.noFaults(t, string(outcome))
	}
	signIn(t, tab, site, "invalid_credentials")
	settled(t, tab)
	a.noFaults(t, "one line")
	unfold(t, tab)
	a.noFaults(t, "one line, unfolded")

	signIn(t, tab, site, "ok")
	a.noFaults(t, "signed in")

	// So that it can fail.
	do(t, tab, `document.querySelector("main").insertAdjacentHTML("beforeend", '<img src="/demo/harbour.svg"><button id="small"></button><p id="wide">wide</p>')
		document.getElementById("small").style.cssText = "width: 12px; min-height: 0; height: 12px; padding: 0";
		document.getElementById("wide").style.cssText = "width: 2000px; color: #777; background: #888";`)
	all := strings.Join(a.faults(t), "\n")
	for _, fault := range []string{"image-alt: ", "color-contrast: ", "button-name: ", "scrolls sideways: 20", "too small: "} {
		assert.Contains(t, all, fault)
	}
}

// keyboardGolden is where the focus goes, by the keys that are pressed.
const keyboardGolden = `
Tab username
Tab password
Tab BUTTON Sign in
Tab username
Tab password
Tab BUTTON Sign in
Tab latchkey-close
Tab latchkey-again-button
Tab latchkey-still-button
Tab latchkey-next-summary
Tab latchkey-passed-summary
Tab A 555-0100
Tab A help@clinic.example
Tab latchkey-send-summary
Tab latchkey-tell-summary
Tab latchkey-copy
Tab latchkey-details-summary
Tab PRE
Shift+Tab latchkey-details-summary
Shift+Tab latchkey-copy
Shift+Tab latchkey-tell-summary
Shift+Tab latchkey-send-summary
Shift+Tab A help@clinic.example
Shift+Tab A 555-0100
Shift+Tab latchkey-passed-summary
Shift+Tab latchkey-next-summary
Shift+Tab latchkey-still-button
Shift+Tab latchkey-again-button
Escape BUTTON Sign in
`

func TestKeyboard(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{})
	visit(t, tab, site.URL+"/")
	var order strings.Builder
	// to presses a key until an element has the focus.
	to := func(key, want string) {
		t.Helper()
		for range 30 {
			press(t, tab, key)
			at := read[struct{ Name, Outline string }](t, tab, `(function () {
				var a = document.activeElement;
				while (a && a.nodeName === "IFRAME" && a.contentDocument) { a = a.contentDocument.activeElement; }
				var style = getComputedStyle(a);
				return {name: a.id || a.name || (a.nodeName + " " + a.textContent.trim()).slice(0, 30).split(" {")[0], outline: style.outlineStyle + " " + style.outlineWidth};
			})()`)
			fmt.Fprintf(&order, "%s %s\n", key, at.Name)
			assert.Equal(t, "solid 3px", at.Outline, "the focus on %s is to be seen", at.Name)
			if at.Name == want {
				return
			}
		}
		require.Fail(t, "no key leads there", "%s; so far:\n%s", want, order.String())
	}

	to("Tab", "username")
	require.NoError(t, tab.Type(t.Context(), "account_locked"))
	to("Tab", "password")
	require.NoError(t, tab.Type(t.Context(), "secret"))
	to("Tab", "BUTTON Sign in")
	submitted(t, tab, func() { press(t, tab, "Enter") })
	assert.Equal(t, "account-locked", settled(t, tab).top())

	to("Tab", "latchkey-again-button")
	listen(t, tab)
	press(t, tab, "Enter")
	wait(t, tab, `heard().length === 1`)
	settled(t, tab)
	assert.Equal(t, "latchkey-again-button", read[string](t, tab, focused))

	to("Tab", "latchkey-next-summary")
	isOpen := func(id string) bool { return read[bool](t, tab, widget+`.getElementById("`+id+`").open`) }
	for _, key := range []string{"Space", "Enter", "Space"} {
		was := isOpen("latchkey-next")
		press(t, tab, key)
		assert.NotEqual(t, was, isOpen("latchkey-next"))
	}
	to("Tab", "latchkey-tell-summary")
	press(t, tab, "Enter")
	to("Tab", "latchkey-copy")
	press(t, tab, "Enter")
	assert.Equal(t, "Copied", read[string](t, tab, widget+`.activeElement.textContent`))
	to("Tab", "latchkey-details-summary")
	press(t, tab, "Space")
	to("Tab", "PRE")
	to("Shift+Tab", "latchkey-again-button")
	press(t, tab, "Escape")
	wait(t, tab, `document.querySelector("iframe") === null`)
	fmt.Fprintln(&order, "Escape", read[string](t, tab, focused))
	assert.Equal(t, strings.TrimSpace(keyboardGolden), strings.TrimSpace(order.String()))

	// A link that is pressed with the keyboard gives the focus to the heading.
	visit(t, tab, site.URL+"/")
	to("Tab", "trouble")
	press(t, tab, "Enter")
	wait(t, tab, focused+` === "latchkey-title"`)
	settled(t, tab)
	assert.Equal(t, "latchkey-title", read[string](t, tab, focused))
	assert.Equal(t, "solid 3px", read[string](t, tab, `(function (s) { return s.outlineStyle + " " + s.outlineWidth; })(getComputedStyle(`+widget+`.activeElement))`))
}

func TestCopyForSupport(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{})
	require.NoError(t, tab.Browser().Call(t.Context(), "Browser.grantPermissions", map[string]any{"permissions": []string{"clipboardReadWrite"}}, nil))
	for _, url := range []string{site.page("outcome=account_locked&reference=R-7"), site.URL + "/"} {
		visit(t, tab, url)
		if url == site.URL+"/" {
			signIn(t, tab, site, "account_locked")
		}
		settled(t, tab)
		clickIn(t, tab, "#latchkey-tell-summary")
		clickIn(t, tab, "#latchkey-copy")
		wait(t, tab, widget+`.getElementById("latchkey-copy").textContent === "Copied"`)
		copied := strings.TrimSpace(read[string](t, tab, widget+`.defaultView.navigator.clipboard.readText()`))
		assert.Equal(t, read[string](t, tab, widget+`.getElementById("latchkey-summary").textContent.trim()`), copied)
		assert.Contains(t, copied, "(account-locked)")
		assert.Regexp(t, `Reference: (R-7|HC-\w{8})`, copied)
	}
}
