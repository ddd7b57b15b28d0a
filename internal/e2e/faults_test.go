//go:build unix

package e2e

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// The path under which the module lies, and that of the script that starts it.
const (
	wasmFile = "/latchkey/static/widget."
	execFile = "/latchkey/static/wasm_exec."
)

// recorded is what the server would answer.
func recorded(next http.Handler, r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	return answer
}

// send sends an answer with another body, and does not end it.
func send(w http.ResponseWriter, answer *httptest.ResponseRecorder, body []byte) {
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body)
	_ = http.NewResponseController(w).Flush()
}

// changed lets answers under a path through after a change.
func changed(path string, change func(w http.ResponseWriter, answer *httptest.ResponseRecorder)) middleware {
	return func(next http.Handler) http.Handler {
		return instead(path, func(w http.ResponseWriter, r *http.Request) {
			change(w, recorded(next, r))
		})(next)
	}
}

// pageOf is an answer of somebody who stands in between.
func pageOf(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<!doctype html><title>Web filter</title><p>This download is not allowed."))
	}
}

// program answers with a module of our own making.
func program(code []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		_, _ = w.Write(code)
	}
}

// goProgram is a module with all that wasm_exec.js asks of one, whose run does
// what the body says. It imports Go's own exit as function 0.
func goProgram(body ...byte) []byte {
	section := func(id byte, content ...byte) []byte { return append([]byte{id, byte(len(content))}, content...) }
	name := func(s string) string { return string(rune(len(s))) + s }
	body = append(append([]byte{0}, body...), 0x0b) // no locals; end
	code := append([]byte{3, byte(len(body))}, body...)
	code = append(code, 2, 0, 0x0b, 4, 0, 0x41, 0, 0x0b) // resume: nothing; getsp: 0
	var m []byte
	for _, s := range [][]byte{
		{0, 'a', 's', 'm', 1, 0, 0, 0},
		section(1, 4, 0x60, 1, 0x7f, 0, 0x60, 2, 0x7f, 0x7f, 0, 0x60, 0, 0, 0x60, 0, 1, 0x7f), // types
		section(2, append([]byte{1}, name("gojs")+name("runtime.wasmExit")+"\x00\x00"...)...),
		section(3, 3, 1, 2, 3),
		section(5, 1, 0, 1),
		section(7, append([]byte{4}, name("mem")+"\x02\x00"+name("run")+"\x00\x01"+name("resume")+"\x00\x02"+name("getsp")+"\x00\x03"...)...),
		section(10, code...),
	} {
		m = append(m, s...)
	}
	return m
}

// What happens to the module on its way, and what it does when it starts.
func testModule(t *testing.T) {
	withoutPolicyWord := func(next http.Handler) http.Handler {
		return changed("/latchkey/", func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
			policy := answer.Header().Get("Content-Security-Policy")
			answer.Header().Set("Content-Security-Policy", strings.ReplaceAll(policy, " 'wasm-unsafe-eval'", ""))
			send(w, answer, answer.Body.Bytes())
		})(next)
	}
	told := []string{"account-locked"}
	off := []string{"account-locked", "webassembly-off"}
	tab := drive.OpenChromium(t, drive.Options{})
	for _, c := range []struct {
		name     string
		fault    middleware
		reason   evidence.TierReason
		findings []string
	}{
		{"connection cut off in the middle", changed(wasmFile, func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
			send(w, answer, answer.Body.Bytes()[:answer.Body.Len()/2])
			panic(http.ErrAbortHandler)
		}), evidence.Truncated, told},
		{"half a file", changed(wasmFile, func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
			half := answer.Body.Bytes()[:answer.Body.Len()/2]
			answer.Header().Set("Content-Length", strconv.Itoa(len(half)))
			send(w, answer, half)
		}), evidence.Truncated, told},
		{"nothing in the file", instead(wasmFile, program(nil)), evidence.Truncated, told},
		{"connection refused", changed(wasmFile, func(http.ResponseWriter, *httptest.ResponseRecorder) { panic(http.ErrAbortHandler) }), evidence.HTTPError, told},
		{"forbidden", instead(wasmFile, pageOf(http.StatusForbidden)), evidence.HTTPError, told},
		{"a page in its place", instead(wasmFile, pageOf(http.StatusOK)), evidence.ContentType, off},
		{"policy without WebAssembly", withoutPolicyWord, evidence.Policy, off},
		{"no wasm_exec.js", instead(execFile, http.NotFound), evidence.HTTPError, told},
		{"a page in the place of wasm_exec.js", instead(execFile, pageOf(http.StatusOK)), evidence.Crashed, told},
		{"ends at once", instead(wasmFile, program(goProgram(0x41, 0, 0x10, 0))), evidence.Crashed, told}, // wasmExit(0)
		{"traps at once", instead(wasmFile, program(goProgram(0))), evidence.Crashed, told},               // unreachable
		{"is no program of Go's", instead(wasmFile, program(goProgram()[:8])), evidence.Crashed, told},
	} {
		t.Run(c.name, func(t *testing.T) {
			site := startSite(t, c.fault)
			l := open(t, tab, site.page("outcome=account_locked"))
			requireWhole(t, l)
			assert.Equal(t, "script", l.Tier)
			assert.Equal(t, c.reason, l.Report.TierReason)
			assert.Equal(t, c.findings, l.Findings)
			if len(c.findings) > 1 {
				assert.Equal(t, string(c.reason), finding(t, l, "webassembly-off").Args["reason"])
			}
			assert.Subset(t, l.Report.Passed, sound("webassembly-off"))
			assert.Empty(t, l.Gaps)
			assert.NotContains(t, l.Text, "That was not it yet", "nobody asked for another look")
			requireSameJudgement(t, site, l)
		})
	}

	t.Run("answered as text", func(t *testing.T) {
		site := startSite(t, changed(wasmFile, func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
			answer.Header().Set("Content-Type", "text/plain; charset=utf-8")
			send(w, answer, answer.Body.Bytes())
		}))
		l := open(t, tab, site.page(""))
		healthy(t, l)
		assert.Equal(t, evidence.Saw("text/plain"), l.Report.Seen.Script.WasmType)
		requireSameJudgement(t, site, l)
	})
}

// The Go program dies when it is up.
func testCrash(t *testing.T) {
	const again = `document.getElementById("latchkey-still-button").click();`
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{})
	for _, c := range []struct {
		name  string
		fatal string
		asked bool // whether a person asked for another look
	}{
		// syscall/js catches nothing that a read throws.
		{"every read throws from now on", `Reflect.get = function () { throw new Error("refused"); };`, false},
		{"one read throws", `var get = Reflect.get; Reflect.get = function () { Reflect.get = get; throw new Error("refused once"); };` + again, true},
		{"one read throws while it looks", again + `var get = Reflect.get; Reflect.get = function () { Reflect.get = get; throw new Error("refused once"); };`, true},
		// As translators do. Go panics when it takes away what is no longer there.
		{"another program changed the page", `
			var n = document.querySelector("#latchkey-answer .fine"), f = document.createElement("font");
			n.parentNode.replaceChild(f, n);
			f.appendChild(document.createTextNode(n.textContent));` + again, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := open(t, tab, site.page("outcome=account_locked"))
			require.Equal(t, "wasm", l.Tier)
			do(t, tab, c.fatal)
			wait(t, tab, `document.documentElement.getAttribute("data-latchkey-tier") === "script"`)
			l = settled(t, tab)
			requireWhole(t, l)
			assert.Equal(t, evidence.Crashed, l.Report.TierReason)
			assert.Equal(t, []string{"account-locked"}, l.Findings)
			assert.Equal(t, c.asked, strings.Contains(l.Text, "That was not it yet"))
			requireSameJudgement(t, site, l)

			// It stays there: the next look is the script tier's.
			require.NoError(t, tab.Click(t.Context(), "#latchkey-still-button"))
			l = settled(t, tab)
			requireWhole(t, l)
			assert.Equal(t, "script", l.Tier)
			assert.Contains(t, l.Text, "That was not it yet")
		})
	}
}

// again presses the button and waits for the answer.
func again(t *testing.T, tab *drive.Tab) look {
	t.Helper()
	require.NoError(t, tab.Click(t.Context(), "#latchkey-again-button"))
	l := settled(t, tab)
	requireWhole(t, l)
	return l
}

func testWithoutServer(t *testing.T) {
	gone := drive.Network{Offline: true}
	nobody := instead("/latchkey/diagnose", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })

	t.Run("the wasm tier judges by itself", func(t *testing.T) {
		site := startSite(t)
		tab := drive.OpenChromium(t, drive.Options{})
		require.Equal(t, "wasm", open(t, tab, site.page("outcome=account_locked")).Tier)
		require.NoError(t, tab.ThrottleNetwork(t.Context(), gone))
		l := again(t, tab)
		assert.Equal(t, "wasm", l.Tier)
		assert.Equal(t, []string{"account-locked", "network-offline"}, l.Findings)
		assert.Equal(t, diag.Sure, finding(t, l, "network-offline").Sureness, "the browser knows, too")
		assert.Contains(t, l.Gaps, "clock-wrong")
		assert.Contains(t, l.Report.Passed, "storage-blocked")
	})

	t.Run("the script tier keeps its answer", func(t *testing.T) {
		site := startSite(t)
		tab := drive.OpenChromium(t, jitless)
		require.Equal(t, "script", open(t, tab, site.page("outcome=account_locked")).Tier)
		require.NoError(t, tab.ThrottleNetwork(t.Context(), gone))
		l := again(t, tab)
		assert.Equal(t, "script", l.Tier)
		assert.Equal(t, []string{"network-offline", "account-locked", "webassembly-off"}, l.Findings)
		assert.Contains(t, l.Text, "This device can't reach us")

		// And is back to work when the server is.
		require.NoError(t, tab.ThrottleNetwork(t.Context(), drive.Network{}))
		l = again(t, tab)
		assert.Equal(t, "script", l.Tier)
		assert.Equal(t, []string{"account-locked", "webassembly-off"}, l.Findings)
		assert.NotContains(t, l.Text, "This device can't reach us")
	})

	t.Run("the served answer stays", func(t *testing.T) {
		site := startSite(t, nobody)
		tab := drive.OpenChromium(t, jitless)
		l := open(t, tab, site.page("outcome=account_locked"))
		requireWhole(t, l)
		assert.Equal(t, "html", l.Tier)
		assert.Equal(t, []string{"account-locked"}, l.Findings)

		require.NoError(t, tab.ThrottleNetwork(t.Context(), gone))
		l = again(t, tab)
		assert.Equal(t, "html", l.Tier)
		assert.Equal(t, []string{"network-offline", "account-locked"}, l.Findings)
	})

	t.Run("it goes while the module is on its way", func(t *testing.T) {
		fault, release := held(wasmFile)
		var gone atomic.Bool
		site := startSite(t, fault, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if gone.Load() {
					panic(http.ErrAbortHandler)
				}
				next.ServeHTTP(w, r)
			})
		})
		tab := drive.OpenChromium(t, drive.Options{})
		visit(t, tab, site.page("outcome=account_locked"))
		wait(t, tab, `document.documentElement.getAttribute("data-latchkey-tier") === "script"`)
		gone.Store(true)
		release()
		l := settled(t, tab)
		requireWhole(t, l)
		assert.Equal(t, []string{"network-offline", "account-locked"}, l.Findings)
		assert.NotContains(t, l.Text, "Checking why you can't sign in", "nothing goes on any more")
	})

	t.Run("it is nobody's business in the wasm tier", func(t *testing.T) {
		site := startSite(t, nobody)
		l := open(t, drive.OpenChromium(t, drive.Options{}), site.page(""))
		requireWhole(t, l)
		assert.Equal(t, "wasm", l.Tier)
		assert.Empty(t, l.Findings)
		assert.Empty(t, l.Gaps)
	})
}

// The address of a person has made more requests than 300 people would.
func testTooMany(t *testing.T) {
	const advice = "Very many people on your network are asking at once."
	var busy atomic.Bool
	site := startSite(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if busy.Load() && (r.URL.Path == "/latchkey/diagnose" || r.URL.Path == "/latchkey/") {
				other := httptest.NewRequest("POST", "/latchkey/diagnose", nil)
				other.RemoteAddr = r.RemoteAddr
				for recorded(next, other).Code != http.StatusTooManyRequests {
				}
			}
			next.ServeHTTP(w, r)
		})
	})
	tab := drive.OpenChromium(t, jitless)

	visit(t, tab, site.page("outcome=account_locked"))
	busy.Store(true)
	l := settled(t, tab)
	requireWhole(t, l)
	assert.Equal(t, "html", l.Tier, "the served answer stays")
	assert.Equal(t, []string{"account-locked"}, l.Findings)
	assert.Contains(t, l.Text, advice)

	busy.Store(false)
	site.later.Store(int64(time.Minute))
	l = again(t, tab)
	assert.Equal(t, "script", l.Tier)
	assert.NotContains(t, l.Text, advice)

	busy.Store(true)
	l = again(t, tab)
	assert.Equal(t, []string{"account-locked", "webassembly-off"}, l.Findings)
	assert.Contains(t, l.Text, advice)

	// Nor is the page itself empty.
	visit(t, tab, site.page(""))
	assert.Contains(t, read[string](t, tab, `document.body.innerText`), advice)
	assert.Contains(t, read[string](t, tab, `document.body.innerText`), "555-0100")
}

// stripping is a fault that takes all cookies away on their way while it is on.
func stripping(on *atomic.Bool) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !on.Load() {
				next.ServeHTTP(w, r)
				return
			}
			r.Header.Del("Cookie")
			answer := recorded(next, r)
			answer.Header().Del("Set-Cookie")
			send(w, answer, answer.Body.Bytes())
		})
	}
}

func testAgain(t *testing.T) {
	for _, c := range []struct {
		tier    string
		options drive.Options
		besides []string
	}{
		{"wasm", drive.Options{}, []string{}},
		{"script", jitless, []string{"webassembly-off"}},
	} {
		t.Run(c.tier, func(t *testing.T) {
			var on atomic.Bool
			on.Store(true)
			site := startSite(t, stripping(&on))
			tab := drive.OpenChromium(t, c.options)
			l := open(t, tab, site.page(""))
			requireWhole(t, l)
			require.Equal(t, c.tier, l.Tier)
			assert.Equal(t, append([]string{"cookies-vanish"}, c.besides...), l.Findings)
			assert.Equal(t, diag.Likely, finding(t, l, "cookies-vanish").Sureness, "scripts can keep cookies, the server sees none")
			assert.Contains(t, l.Text, "Likely: Something takes this site's cookies away")
			assert.Equal(t, "pause-extensions", l.Fixes[0])
			assert.NotContains(t, l.Text, "That was not it yet")

			l = again(t, tab)
			assert.Equal(t, c.tier, l.Tier)
			assert.Equal(t, "cookies-vanish", l.top())
			assert.False(t, l.Fixed)
			assert.Contains(t, l.Text, "That was not it yet")

			on.Store(false)
			l = again(t, tab)
			assert.Equal(t, c.tier, l.Tier)
			assert.Equal(t, c.besides, l.Findings)
			assert.True(t, l.Fixed)
			assert.Contains(t, l.Text, "Fixed. Try signing in again.")
			assert.Contains(t, l.Text, "What stopped you before is gone: Cookies that stay.")
			assert.NotContains(t, l.Text, "That was not it yet")
			quiet(t, l)

			// Somebody tries once more all the same.
			l = again(t, tab)
			assert.True(t, l.Fixed)
		})
	}
}

// testLockdown gives Chromium what Safari lacks in Lockdown Mode, as far as a
// page can tell: no browser here has that mode.
func testLockdown(t *testing.T) {
	var posted atomic.Value
	site := startSite(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/diagnose") {
				body, _ := io.ReadAll(r.Body)
				posted.Store(string(body))
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
			next.ServeHTTP(w, r)
		})
	})
	tab := drive.OpenChromium(t, jitless)
	require.NoError(t, tab.Call(t.Context(), "Emulation.setUserAgentOverride", map[string]any{
		"userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Safari/605.1.15",
	}, nil))
	l := open(t, tab, site.page(""))
	assert.Equal(t, []string{"webassembly-off"}, l.Findings)
	assert.NotContains(t, l.Text, "Lockdown", "only some of the signature")

	require.NoError(t, tab.Call(t.Context(), "Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": `
		["indexedDB", "caches", "RTCPeerConnection"].forEach(function (name) { Object.defineProperty(window, name, {value: undefined}); });
		["serviceWorker", "locks"].forEach(function (name) { Object.defineProperty(navigator, name, {value: undefined}); });`,
	}, nil))
	l = open(t, tab, site.page(""))
	assert.Equal(t, []string{"webassembly-off"}, l.Findings)
	assert.Contains(t, l.Text, "Lockdown Mode")
	body := posted.Load().(string)
	assert.NotContains(t, strings.ToLower(body), "lockdown", "nobody is told")
	assert.Contains(t, body, `"indexed_db":{"error":"timeout"},"cache":{"error":"timeout"}`, "nor what gives it away")
	for _, name := range []string{"indexed-db", "service-worker", "web-locks"} {
		assert.NotContains(t, body, name)
	}
}
