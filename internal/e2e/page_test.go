//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
	"latchkey/internal/server/demo"
)

// trouble opens the widget in the login page that is open, as a site's script
// does, and waits for its answer.
func trouble(t *testing.T, p drive.Page, outcome string) look {
	t.Helper()
	do(t, p, `Latchkey.close(); Latchkey.open({outcome: `+literal(t, outcome)+`})`)
	return settled(t, p)
}

// stamped is a login page that says when it was rendered, signed with a key.
func stamped(key string, age time.Duration) middleware {
	return withLogin(`data-rendered="` + demo.Stamp(key, time.Now().Add(-age)) + `"`)
}

// A login page has more to look at than our own, and a healthy one has no fault
// and leaves no question open.
func TestPage_healthy(t *testing.T) {
	for _, engine := range []drive.Engine{drive.Chromium, drive.Firefox, drive.WebKit} {
		t.Run(string(engine), func(t *testing.T) {
			site := startSite(t)
			p := drive.Open(t, engine, drive.Options{})
			visit(t, p, site.URL+"/")
			do(t, p, `document.getElementById("username").value = "anna"`)
			// The first movement tells that Caps Lock is off.
			do(t, p, `setInterval(function () { document.body.dispatchEvent(new MouseEvent("mousemove", {bubbles: true})); }, 20)`)
			do(t, p, `document.getElementById("trouble").click()`)
			l := settled(t, p)
			healthy(t, l)
			for _, id := range []string{"page-stale", "page-several-tabs", "input-caps-lock", "input-blank-ends", "input-autofill-unseen"} {
				assert.Contains(t, l.Report.Passed, id)
			}
			seen := l.Report.Seen.Page
			assert.Equal(t, evidence.OK, seen.Rendered.State, "the portal signs")
			assert.Less(t, float64(seen.Rendered.Value), 20_000.0)
			assert.Equal(t, evidence.Saw(false), seen.Translated)
			requireSameJudgement(t, site, l)
		})
	}
}

func TestPage_stale(t *testing.T) {
	t.Run("by the signed time", func(t *testing.T) {
		site := startSite(t, stamped(pageKey, 31*time.Minute))
		tab := drive.OpenChromium(t, drive.Options{})
		visit(t, tab, site.URL+"/")
		l := trouble(t, tab, "session_lost")
		requireWhole(t, l)
		assert.Equal(t, "wasm", l.Tier)
		assert.Equal(t, []string{"page-stale", "session-lost"}, l.Findings)
		f := finding(t, l, "page-stale")
		assert.Equal(t, diag.Sure, f.Sureness)
		assert.InDelta(t, 31*60, f.Args["age"], 20)
		assert.Equal(t, "reload-page", l.Fixes[0])
		assert.Contains(t, l.Text, "This sign-in page is too old")
		assert.Contains(t, l.Text, "It was opened 31 minutes ago and its security token has run out.")
		requireSameJudgement(t, site, l)

		do(t, tab, `window.old = true`)
		clickIn(t, tab, `[data-action="reload"]`)
		wait(t, tab, `!window.old && document.readyState === "complete" && document.getElementById("login")`)
	})
	t.Run("with the script tier", func(t *testing.T) {
		site := startSite(t, stamped(pageKey, 31*time.Minute))
		p := drive.Open(t, drive.Firefox, prefs("javascript.options.wasm", false))
		visit(t, p, site.URL+"/")
		l := trouble(t, p, "session_lost")
		assert.Equal(t, "script", l.Tier)
		assert.Equal(t, "page-stale", l.top())
	})
	t.Run("signed by somebody else", func(t *testing.T) {
		site := startSite(t, stamped("another key of 16 bytes", 31*time.Minute))
		tab := drive.OpenChromium(t, drive.Options{})
		visit(t, tab, site.URL+"/")
		l := trouble(t, tab, "unknown")
		assert.Empty(t, l.Findings)
		assert.Equal(t, evidence.Fact[evidence.Milliseconds]{State: evidence.Absent, Note: "wrong signature"}, l.Report.Seen.Page.Rendered)
	})
	// The page that says so is new; the one that was sent was not.
	t.Run("the form that was sent", func(t *testing.T) {
		site := startSite(t)
		tab := drive.OpenChromium(t, drive.Options{})
		visit(t, tab, site.URL+"/")
		do(t, tab, `document.querySelector("[name=rendered]").value = `+literal(t, demo.Stamp(pageKey, time.Now().Add(-2*time.Hour))))
		do(t, tab, `document.getElementById("username").value = "session_lost"; document.getElementById("password").value = "x"`)
		submitted(t, tab, func() { require.NoError(t, tab.Click(t.Context(), "button.primary")) })
		l := settled(t, tab)
		assert.Equal(t, []string{"page-stale", "session-lost"}, l.Findings)
		assert.Contains(t, l.Text, "2 hours ago")
	})
	t.Run("brought back by the Back button", func(t *testing.T) {
		site := startSite(t, withLogin(""))
		tab := drive.OpenChromium(t, drive.Options{})
		visit(t, tab, site.URL+"/")
		do(t, tab, `window.kept = true`)
		visit(t, tab, site.URL+"/healthz")
		require.NoError(t, tab.Back(t.Context()))
		wait(t, tab, `window.Latchkey`)
		assert.True(t, read[bool](t, tab, `window.kept === true`), "listening to other tabs does not keep the page from the cache for Back")
		l := trouble(t, tab, "session_lost")
		assert.Equal(t, []string{"page-stale", "session-lost"}, l.Findings)
		f := finding(t, l, "page-stale")
		assert.Equal(t, diag.Likely, f.Sureness)
		assert.Equal(t, "restored", f.Args["reason"])
		assert.Contains(t, l.Text, "This is an old copy of the sign-in page")
	})
	// Imitated: nothing here makes a headless Chromium put a tab aside.
	t.Run("a tab that was put aside", func(t *testing.T) {
		site := startSite(t, withLogin(""))
		tab := drive.OpenChromium(t, drive.Options{})
		visit(t, tab, site.URL+"/")
		do(t, tab, `Object.defineProperty(document, "wasDiscarded", {value: true})`)
		l := trouble(t, tab, "session_lost")
		assert.Equal(t, "page-stale", l.top())
		assert.Equal(t, "discarded", finding(t, l, "page-stale").Args["reason"])
	})
}

func TestPage_severalTabs(t *testing.T) {
	for engine, o := range map[drive.Engine]drive.Options{
		drive.Chromium: {},
		drive.Firefox:  prefs("dom.disable_open_during_load", false), // to open a tab without a hand
	} {
		t.Run(string(engine), func(t *testing.T) {
			site := startSite(t, withLogin(""))
			p := drive.Open(t, engine, o)
			visit(t, p, site.URL+"/")
			l := trouble(t, p, "session_lost")
			assert.Equal(t, []string{"session-lost"}, l.Findings, "one tab")
			assert.Equal(t, evidence.Saw(evidence.Tabs{}), l.Report.Seen.Page.Tabs, "it does not count itself")

			if tab, ok := p.(*drive.Tab); ok {
				visit(t, newTab(t, tab), site.URL+"/")
			} else {
				do(t, p, `window.other = window.open("/")`)
				wait(t, p, `other.Latchkey`)
			}
			for range 5 { // on a busy machine the other tab may be late for the first look
				if l = trouble(t, p, "session_lost"); l.top() == "page-several-tabs" {
					break
				}
			}
			assert.Equal(t, []string{"page-several-tabs", "session-lost"}, l.Findings)
			f := finding(t, l, "page-several-tabs")
			assert.Equal(t, diag.Note, f.Impact)
			assert.Equal(t, diag.Likely, f.Sureness)
			assert.Equal(t, "newer", f.Args["reason"])
			assert.Equal(t, "close-other-tabs", l.Fixes[0])
			assert.Equal(t, evidence.Saw(evidence.Tabs{Others: 1, Newer: 1}), l.Report.Seen.Page.Tabs)
			requireSameJudgement(t, site, l)

			l = trouble(t, p, "unknown")
			assert.Empty(t, l.Findings, "two tabs alone are no cause")
		})
	}
}

func TestPage_typing(t *testing.T) {
	site := startSite(t, withLogin(""))
	tab := drive.OpenChromium(t, drive.Options{})
	fresh := func() {
		t.Helper()
		visit(t, tab, site.URL+"/")
		require.NoError(t, tab.Click(t.Context(), "#user"))
	}

	t.Run("a blank after the user name", func(t *testing.T) {
		fresh()
		require.NoError(t, tab.Type(t.Context(), "anna "))
		l := trouble(t, tab, "invalid_credentials")
		assert.Equal(t, []string{"input-blank-ends", "account-credentials"}, l.Findings)
		assert.Equal(t, "retype-credentials", l.Fixes[0])
		assert.Contains(t, l.Text, "Your user name has a blank at one end")

		require.NoError(t, tab.Click(t.Context(), "#user"))
		press(t, tab, "End", "Backspace")
		n := read[int](t, tab, `heard().length`)
		clickIn(t, tab, "#latchkey-again-button")
		wait(t, tab, fmt.Sprintf(`heard().length > %d`, n))
		assert.Equal(t, []string{"account-credentials"}, settled(t, tab).Findings, "mended")
	})

	// The DevTools protocol has no bit for Caps Lock, so its events are imitated.
	t.Run("Caps Lock", func(t *testing.T) {
		fresh()
		do(t, tab, `setInterval(function () {
			document.getElementById("password").dispatchEvent(new KeyboardEvent("keydown", {key: "A", bubbles: true, modifierCapsLock: true}));
			document.getElementById("password").dispatchEvent(new KeyboardEvent("keyup", {key: "CapsLock", bubbles: true}));
			document.getElementById("password").dispatchEvent(new Event("keydown", {bubbles: true}));
		}, 20)`)
		l := trouble(t, tab, "invalid_credentials")
		assert.Equal(t, []string{"input-caps-lock", "account-credentials"}, l.Findings)
		assert.Equal(t, "check-caps-lock", l.Fixes[0])
		assert.Contains(t, l.Text, "Caps Lock is on")
	})
	t.Run("no Caps Lock, by a real hand", func(t *testing.T) {
		fresh()
		trouble(t, tab, "invalid_credentials")
		require.NoError(t, tab.Type(t.Context(), "anna"))
		n := read[int](t, tab, `heard().length`)
		clickIn(t, tab, "#latchkey-closer-summary")
		clickIn(t, tab, "#latchkey-again-button")
		wait(t, tab, fmt.Sprintf(`heard().length > %d`, n))
		l := settled(t, tab)
		assert.Equal(t, evidence.Saw(false), l.Report.Seen.Page.CapsLock)
		assert.Contains(t, l.Report.Passed, "input-caps-lock")
	})

	// A headless browser has no password manager, so what it marks is imitated.
	filled := `document.getElementById("password").matches = function (s) { return s === ":autofill"; };`
	t.Run("filled in, and the page sees nothing", func(t *testing.T) {
		fresh()
		do(t, tab, filled)
		l := trouble(t, tab, "no_response")
		assert.Equal(t, []string{"input-autofill-unseen", "no-response"}, l.Findings)
		assert.Equal(t, "retype-credentials", l.Fixes[0])
	})
	t.Run("filled in, and the button is off", func(t *testing.T) {
		fresh()
		do(t, tab, filled+`document.getElementById("password").value = "x"; document.getElementById("submit").disabled = true`)
		assert.Equal(t, "input-autofill-unseen", trouble(t, tab, "unknown").top())
	})
	t.Run("filled in, and the page sees it", func(t *testing.T) {
		fresh()
		do(t, tab, filled+`document.getElementById("password").value = "x"`)
		assert.Empty(t, trouble(t, tab, "unknown").Findings)
	})
	t.Run("filled in, and nobody has clicked yet", func(t *testing.T) {
		other := drive.OpenChromium(t, drive.Options{}) // whose page had no hand on it
		visit(t, other, site.URL+"/")
		// An evaluated expression counts as a hand, so the browser's word is imitated too.
		do(t, other, filled+`Object.defineProperty(navigator, "userActivation", {value: {hasBeenActive: false}})`)
		assert.Empty(t, trouble(t, other, "unknown").Findings, "Chromium gives it to the page with the first click")
	})
}

func TestPage_formThatTheOperatorNames(t *testing.T) {
	site := startSite(t, withLogin(""), configured(t, `page: {form: "#search"}`))
	// The login page stands before the server that the operator configured.
	tab := drive.OpenChromium(t, drive.Options{})
	visit(t, tab, site.URL+"/")
	do(t, tab, `document.getElementById("user").value = "anna "`)
	assert.Empty(t, trouble(t, tab, "unknown").Findings, "not the form that was named")
	do(t, tab, `document.getElementById("query").value = " anna"`)
	assert.Equal(t, []string{"input-blank-ends"}, trouble(t, tab, "unknown").Findings)
}

// overheard keeps all that browsers send to the server.
func overheard(to *strings.Builder, mu *sync.Mutex) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			mu.Lock()
			fmt.Fprintln(to, r.Method, r.URL, r.Header, string(body))
			mu.Unlock()
			next.ServeHTTP(w, r)
		})
	}
}

// What a person types stays where it was typed: it is in no message, no request
// and no report.
func TestPage_secretsStay(t *testing.T) {
	for name, c := range map[string]struct {
		engine drive.Engine
		o      drive.Options
	}{
		"chromium":                    {drive.Chromium, drive.Options{}},
		"firefox":                     {drive.Firefox, drive.Options{}},
		"firefox without WebAssembly": {drive.Firefox, prefs("javascript.options.wasm", false)},
	} {
		t.Run(name, func(t *testing.T) {
			var sent strings.Builder
			var mu sync.Mutex
			site := startSite(t, overheard(&sent, &mu), withLogin(""))
			p := drive.Open(t, c.engine, c.o)
			visit(t, p, site.URL+"/")
			do(t, p, `
				document.getElementById("user").value = "planted-user ";
				document.getElementById("password").value = "planted-password ";
				document.getElementById("query").value = "planted-query";
				var said = window.said = [];
				function keep(e) { said.push(JSON.stringify(e.data) + e.origin); }
				window.addEventListener("message", keep);
				new BroadcastChannel("latchkey").onmessage = keep;
				var wire = setInterval(function () {
					var f = document.querySelector("iframe"), w = f && f.contentWindow;
					if (w && w.location.href !== "about:blank") { clearInterval(wire); w.addEventListener("message", keep); }
				}, 5);
				["p", "P"].forEach(function (k) { document.getElementById("password").dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true})); });`)
			l := trouble(t, p, "invalid_credentials")
			assert.Equal(t, "input-blank-ends", l.top(), "it was looked at")
			said := read[string](t, p, `said.join("\n")`)
			for _, kind := range []string{"hello", "ready", "size", "result"} {
				assert.Contains(t, said, `"`+kind+`"`, "all messages were heard")
			}
			mu.Lock()
			defer mu.Unlock()
			assert.Contains(t, sent.String(), "GET /latchkey/frame")
			if l.Tier == "script" {
				assert.Contains(t, sent.String(), "POST /latchkey/diagnose")
				assert.Contains(t, sent.String(), `"blank_ends":{"value":true}`, "this is all")
			}
			shown := read[string](t, p, widget+`.documentElement.outerHTML`)
			for what, text := range map[string]string{"a message": said, "a request": sent.String(), "our document": shown} {
				assert.NotContains(t, text, "planted", what)
			}
		})
	}
}

// Translators put elements in the place of texts, in the middle of anything, and
// go on with what comes later. Ours says that it wants none, but not all heed it.
func TestPage_translated(t *testing.T) {
	slowly := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/latchkey/clock" {
				time.Sleep(500 * time.Millisecond)
			}
			next.ServeHTTP(w, r)
		})
	}
	site := startSite(t, slowly, withLogin(""))
	tab := drive.OpenChromium(t, drive.Options{})
	require.NoError(t, tab.Call(t.Context(), "Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": `
		(function () {
			if (window.top !== window) { return; }
			function wrap(d) {
				if (!d || !d.body) { return; }
				var walk = d.createTreeWalker(d.body, NodeFilter.SHOW_TEXT), texts = [], n;
				while ((n = walk.nextNode())) {
					if (n.nodeValue.trim() && n.parentNode.nodeName !== "FONT" && n.parentNode.nodeName !== "SCRIPT") { texts.push(n); }
				}
				texts.forEach(function (n) {
					var outer = d.createElement("font"), inner = d.createElement("font");
					inner.textContent = n.nodeValue;
					outer.appendChild(inner);
					n.parentNode.replaceChild(outer, n);
				});
				window.wrapped = (window.wrapped || 0) + texts.length;
			}
			document.addEventListener("DOMContentLoaded", function () { setInterval(function () {
				wrap(document);
				document.querySelectorAll("iframe").forEach(function (f) { wrap(f.contentDocument); });
			}, 15); });
		})();`}, nil))
	visit(t, tab, site.URL+"/")
	do(t, tab, `document.getElementById("user").value = "anna "`)
	l := trouble(t, tab, "invalid_credentials")
	assert.Equal(t, "wasm", l.Tier)
	assert.Empty(t, l.Report.TierReason)
	assert.Equal(t, []string{"input-blank-ends", "account-credentials"}, l.Findings)
	assert.Equal(t, evidence.Saw(true), l.Report.Seen.Page.Translated)
	assert.Equal(t, "no", read[string](t, tab, widget+`.documentElement.getAttribute("translate")`))
	wait(t, tab, `window.wrapped > 20 && `+widget+`.querySelectorAll("font > font").length > 20`)

	do(t, tab, `document.getElementById("user").value = "anna"`)
	n := read[int](t, tab, `heard().length`)
	clickIn(t, tab, "#latchkey-again-button")
	wait(t, tab, fmt.Sprintf(`heard().length > %d`, n))
	l = settled(t, tab)
	assert.Equal(t, "wasm", l.Tier, "the Go program lives")
	assert.Equal(t, []string{"account-credentials"}, l.Findings)
	for _, m := range complaints(t, tab) {
		assert.NotEqual(t, "error", m.Level, "%s (%s)", m.Text, m.URL)
	}
}
