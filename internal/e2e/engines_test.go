//go:build unix

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// prefs are options of a Firefox with preferences, by name and value in turn.
func prefs(nameValue ...any) drive.Options {
	o := drive.Options{Prefs: map[string]any{}}
	for i := 0; i < len(nameValue); i += 2 {
		o.Prefs[nameValue[i].(string)] = nameValue[i+1]
	}
	return o
}

// TestFirefox is what a person gets from a real Firefox with real faults.
func TestFirefox(t *testing.T) {
	t.Parallel()
	site := startSite(t)

	t.Run("healthy", func(t *testing.T) { testEngineHealthy(t, site, drive.Firefox) })

	t.Run("without cookies", func(t *testing.T) {
		p := drive.Open(t, drive.Firefox, prefs("network.cookie.cookieBehavior", 2))
		l := open(t, p, site.page("outcome=session_lost"))
		requireWhole(t, l)
		assert.Equal(t, "wasm", l.Tier)
		assert.Empty(t, l.Report.TierReason)
		assert.Equal(t, evidence.Saw(false), l.Report.Seen.Cookies.Enabled, "it says so itself")
		assert.Equal(t, []string{"cookies-blocked", "storage-blocked", "session-lost"}, l.Findings)
		assert.Equal(t, diag.Sure, finding(t, l, "cookies-blocked").Sureness)
		assert.Equal(t, "localStorage, sessionStorage, IndexedDB, Cache", finding(t, l, "storage-blocked").Args["stores"])
		assert.Equal(t, []string{"cookies-blocked"}, finding(t, l, "storage-blocked").Because)
		assert.Equal(t, "allow-cookies", l.Fixes[0])
		assert.Contains(t, l.Text, "about:preferences#privacy", "the steps are those of Firefox")
		assert.Empty(t, l.Gaps)
		quiet(t, l)
		requireSameJudgement(t, site, l)
	})

	t.Run("without storage", func(t *testing.T) {
		p := drive.Open(t, drive.Firefox, prefs("dom.storage.enabled", false))
		l := open(t, p, site.page(""))
		requireWhole(t, l)
		assert.Equal(t, "null", l.Report.Seen.Storage.Local.Note, "where others throw")
		assert.Equal(t, "wasm", l.Tier, "the Go program lives on stand-ins")
		assert.Empty(t, l.Report.TierReason)
		assert.Equal(t, []string{"storage-blocked"}, l.Findings)
		assert.Equal(t, "localStorage, sessionStorage", finding(t, l, "storage-blocked").Args["stores"])
		assert.Contains(t, l.Report.Passed, "cookies-blocked")
		assert.Contains(t, l.Text, "dom.storage.enabled", "the steps are those of Firefox")
		assert.Empty(t, l.Gaps)
		quiet(t, l)
		requireSameJudgement(t, site, l)
	})

	t.Run("without WebAssembly", func(t *testing.T) {
		testEngineWithoutWebAssembly(t, site, drive.Firefox, prefs("javascript.options.wasm", false), evidence.NoWasm, "turn-on-webassembly")
	})

	t.Run("without a WebAssembly compiler", func(t *testing.T) {
		testEngineWithoutWebAssembly(t, site, drive.Firefox, prefs(
			"javascript.options.wasm_baselinejit", false,
			"javascript.options.wasm_optimizingjit", false,
		), evidence.NoCompiler, "turn-on-webassembly")
	})

	t.Run("without scripts", func(t *testing.T) {
		testEngineWithoutScripts(t, site, drive.Firefox, prefs("javascript.enabled", false), "find javascript.enabled")
	})

}

// TestWebKit is what a person gets from a real WebKitGTK with real faults. It
// calls itself Safari.
func TestWebKit(t *testing.T) {
	t.Parallel()
	site := startSite(t)

	t.Run("healthy", func(t *testing.T) { testEngineHealthy(t, site, drive.WebKit) })

	t.Run("without cookies", func(t *testing.T) {
		p := drive.Open(t, drive.WebKit, drive.Options{Flags: []string{"--cookies-policy=never"}})
		l := open(t, p, site.page("outcome=session_lost"))
		requireWhole(t, l)
		assert.Equal(t, "wasm", l.Tier)
		assert.Empty(t, l.Report.TierReason)
		assert.Equal(t, evidence.Saw(true), l.Report.Seen.Cookies.Enabled, "and nobody believes it")
		assert.Equal(t, []string{"cookies-blocked", "session-lost"}, l.Findings)
		assert.Equal(t, diag.Sure, finding(t, l, "cookies-blocked").Sureness)
		assert.Contains(t, l.Report.Passed, "storage-blocked", "it keeps all else")
		assert.Equal(t, "allow-cookies", l.Fixes[0])
		assert.Contains(t, l.Text, "settings of this browser", "WebKitGTK says that it is Safari, which there is none of on Linux")
		assert.Empty(t, l.Gaps)
		requireSameJudgement(t, site, l)
	})

	t.Run("without WebAssembly", func(t *testing.T) {
		testEngineWithoutWebAssembly(t, site, drive.WebKit, drive.Options{Env: []string{"JSC_useWasm=0"}}, evidence.NoWasm, "use-other-browser")
	})

	t.Run("without scripts", func(t *testing.T) {
		testEngineWithoutScripts(t, site, drive.WebKit, drive.Options{Flags: []string{"--enable-javascript=FALSE"}}, "settings of this browser")
	})

}

func testEngineHealthy(t *testing.T, site *site, engine drive.Engine) {
	p := drive.Open(t, engine, drive.Options{})
	l := open(t, p, site.page(""))
	healthy(t, l)
	assert.Contains(t, l.Text, "Nothing wrong found on this device")
	requireSameJudgement(t, site, l)
	assert.Equal(t, "", read[string](t, p, `document.cookie`), "nothing is left behind")
	assert.Equal(t, 0, read[int](t, p, `localStorage.length + sessionStorage.length`))
	assert.Equal(t, 0, read[int](t, p, `indexedDB.databases().then(l => l.length)`))
	assert.Equal(t, 0, read[int](t, p, `caches.keys().then(l => l.length)`))
}

// testEngineWithoutWebAssembly fails unless the server judges in place of the
// Go program, and tells the reason and the fix that there is in that browser.
func testEngineWithoutWebAssembly(t *testing.T, site *site, engine drive.Engine, o drive.Options, reason evidence.TierReason, fix string) {
	l := open(t, drive.Open(t, engine, o), site.page("outcome=account_locked"))
	requireWhole(t, l)
	assert.Equal(t, "script", l.Tier)
	assert.Equal(t, reason, l.Report.TierReason)
	assert.Equal(t, []string{"account-locked", "webassembly-off"}, l.Findings)
	off := finding(t, l, "webassembly-off")
	assert.Equal(t, string(reason), off.Args["reason"])
	assert.Equal(t, fix, off.Fixes[0])
	assert.Equal(t, sound("webassembly-off"), l.Report.Passed, "all else is judged without it")
	assert.Empty(t, l.Gaps)
	quiet(t, l)
	requireSameJudgement(t, site, l)
}

func testEngineWithoutScripts(t *testing.T, site *site, engine drive.Engine, o drive.Options, steps string) {
	p := drive.Open(t, engine, o)
	visit(t, p, site.page("outcome=session_lost"))
	l := withoutScript(t, p)
	assert.Equal(t, []string{"javascript-off", "session-lost"}, l.Findings)
	assert.Equal(t, diag.Sure, finding(t, l, "javascript-off").Sureness)
	assert.Equal(t, evidence.Saw(true), l.Report.Seen.Cookies.HTTP, "a cookie went there and back")
	assert.Equal(t, "turn-on-javascript", l.Fixes[0])
	assert.Contains(t, l.Text, steps)
	quiet(t, l)
	requireSameJudgement(t, site, l)
}
