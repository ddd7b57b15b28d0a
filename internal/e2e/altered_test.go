//go:build unix

package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// altering is an extension that does to each name of the portal what that says.
var altering = extension{script: `({
	"inputs": function () { ` + renamesInputs + ` },
	"action": function () { ` + changesAction + ` },
	"fetch": function () { ` + wrapsFetch + ` },
	"proxy": function () { window.fetch = new Proxy(window.fetch, {}); },
	"hidden": function () {
		var real = window.fetch;
		window.fetch = function fetch() { return real.apply(window, arguments); };
		window.fetch.toString = function () { return "function fetch() { [native code] }"; };
	},
	"translator": function () {
		addEventListener("DOMContentLoaded", function () {
			document.querySelectorAll("button").forEach(function (n) {
				var outer = document.createElement("font"), inner = document.createElement("font");
				inner.textContent = n.textContent;
				n.textContent = "";
				outer.appendChild(inner);
				n.appendChild(outer);
			});
		});
	},
	"beside": function () {
		addEventListener("DOMContentLoaded", function () { document.documentElement.appendChild(document.createElement("some-manager")); });
	}
}[location.hostname.split(".").slice(-2)[0]] || function () {})();`}

// What an operator says of the login page.
const (
	pageAsMade  = "site: {name: Example Clinic}\npage: {action: /in, fields: [username, password], patches: []}"
	wrapsItself = "site: {name: Example Clinic}\npage: {action: /in, fields: [username, password], patches: [fetch]}"
	saysNothing = "site: {name: Example Clinic}"
)

// TestAltered is what extensions change in a login page, and what they may.
func TestAltered(t *testing.T) {
	t.Parallel()
	tab := openExtension(t, altering)
	for _, c := range []struct {
		name, does, outcome, yaml, head string
		sureness                        diag.Sureness // "" for no finding
		reason, fix, text               string
		sees                            evidence.Altered
	}{
		{
			name: "renames the fields", does: "inputs", outcome: "unknown", yaml: pageAsMade,
			sureness: diag.Likely, reason: "form", fix: "try-private-window", text: "Likely: Something in your browser changes the sign-in page", sees: evidence.Altered{Fields: 2},
		},
		{
			name: "sends the form elsewhere", does: "action", outcome: "invalid_credentials", yaml: pageAsMade,
			sureness: diag.Likely, reason: "form", fix: "try-private-window", text: "it has other fields or is sent elsewhere", sees: evidence.Altered{Action: true},
		},
		{
			name: "wraps fetch", does: "fetch", outcome: "no_response", yaml: pageAsMade,
			sureness: diag.Maybe, fix: "try-private-window", text: "It stands between the page and functions of the browser", sees: evidence.Altered{Natives: 1},
		},
		{
			name: "puts fetch in a Proxy", does: "proxy", outcome: "no_response", yaml: pageAsMade,
			sureness: diag.Maybe, fix: "try-private-window", sees: evidence.Altered{Natives: 1},
		},
		{
			name: "wraps fetch and hides it", does: "hidden", outcome: "captcha_failed", yaml: pageAsMade,
			sureness: diag.Maybe, fix: "try-private-window", sees: evidence.Altered{Natives: 1},
		},
		{name: "wraps fetch, where nothing hangs on it", does: "fetch", outcome: "account_locked", yaml: pageAsMade, sees: evidence.Altered{Natives: 1}},
		{name: "wraps fetch as the site does", does: "fetch", outcome: "no_response", yaml: wrapsItself},
		{name: "wraps fetch, and nobody said what is right", does: "fetch", outcome: "no_response", yaml: saysNothing},
		{name: "renames the fields, and nobody said what is right", does: "inputs", outcome: "no_response", yaml: saysNothing},
		{name: "the site wraps fetch itself", does: "nothing", outcome: "no_response", yaml: wrapsItself, head: `<script src="/wraps.js"></script>`},
		{
			name: "the site wraps fetch itself and says that it does not", does: "nothing", outcome: "no_response", yaml: pageAsMade, head: `<script src="/wraps.js"></script>`,
			sureness: diag.Maybe, fix: "try-private-window", sees: evidence.Altered{Natives: 1},
		},
		{
			name: "translates", does: "translator", outcome: "no_response", yaml: saysNothing,
			sureness: diag.Likely, reason: "translated", fix: "turn-off-translation", text: "Likely: A translator has changed the sign-in page",
		},
		{name: "translates, where nothing hangs on it", does: "translator", outcome: "account_locked", yaml: saysNothing},
		{name: "leaves something of its own", does: "beside", outcome: "no_response", yaml: pageAsMade, sees: evidence.Altered{Foreign: 1}},
		{name: "does nothing", does: "nothing", outcome: "no_response", yaml: pageAsMade},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startPortal(t, c.yaml, c.head)
			hosts := []string{c.does + ".localhost"}
			if c.sureness != "" {
				hosts = append(hosts, "script."+hosts[0])
			}
			for _, host := range hosts {
				l := open(t, tab, s.login(host, c.outcome))
				assert.Equal(t, tierOf(host), l.Tier)
				assert.Equal(t, evidence.Saw(c.sees), l.Report.Seen.Page.Altered)
				requireSameJudgement(t, s.site, l)
				told := strings.ReplaceAll(c.outcome, "_", "-")
				if c.sureness == "" {
					requireWhole(t, l)
					assert.NotContains(t, l.Findings, "page-altered")
					assert.Contains(t, l.Report.Passed, "page-altered")
					continue
				}
				require.Contains(t, l.Findings, "page-altered", "%+v", l.Report.Seen.Page)
				f := finding(t, l, "page-altered")
				assert.Equal(t, c.sureness, f.Sureness)
				if c.reason == "" {
					assert.NotContains(t, f.Args, "reason")
				} else {
					assert.Equal(t, c.reason, f.Args["reason"])
				}
				assert.Equal(t, c.fix, f.Fixes[0])
				assert.Contains(t, read[string](t, tab, widget+`.body.textContent`), strings.TrimPrefix(c.text, "Likely: "))
				if c.outcome == "no_response" || c.outcome == "captcha_failed" {
					requireWhole(t, l)
					assert.Equal(t, "page-altered", l.top())
					assert.Contains(t, l.Text, c.text)
					assert.Equal(t, c.fix, l.Fixes[0])
					assert.Equal(t, []string{"page-altered"}, finding(t, l, told).Because)
				}
				assert.NotContains(t, l.Findings, "script-blocked")
			}
		})
	}
}

// TestWebAssembly_states are those in which a browser runs no WebAssembly, or only
// slowly, as far as no test of tiers has them already.
func TestWebAssembly_states(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	t.Run("a policy without the word", func(t *testing.T) {
		forbids := startSite(t, changed("/latchkey/", func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
			policy := answer.Header().Get("Content-Security-Policy")
			answer.Header().Set("Content-Security-Policy", strings.ReplaceAll(policy, " 'wasm-unsafe-eval'", ""))
			send(w, answer, answer.Body.Bytes())
		}))
		for _, engine := range []drive.Engine{drive.Firefox, drive.WebKit} {
			p := drive.Open(t, engine, drive.Options{})
			l := open(t, p, forbids.page(""))
			requireWhole(t, l)
			assert.Equal(t, "script", l.Tier)
			assert.Equal(t, evidence.Policy, l.Report.TierReason, "%s: %+v", engine, l.Report.Seen.Script)
			assert.Equal(t, []string{"webassembly-off"}, l.Findings)
			f := finding(t, l, "webassembly-off")
			assert.Equal(t, "policy", f.Args["reason"])
			assert.Equal(t, diag.Sure, f.Sureness)
			assert.Equal(t, "report-to-site", l.Fixes[0])
			assert.Contains(t, l.Text, "This site doesn't allow a part of this check")
		}
	})
	// Those of WebAssembly are others in Firefox, and go with them in WebKit.
	for _, c := range []struct {
		engine drive.Engine
		o      drive.Options
		slower bool
	}{
		{drive.Firefox, prefs("javascript.options.ion", false, "javascript.options.baselinejit", false), false},
		{drive.WebKit, drive.Options{Env: []string{"JSC_useJIT=0"}}, true},
	} {
		t.Run(string(c.engine)+" without its compilers for JavaScript", func(t *testing.T) {
			took := func(o drive.Options) (least evidence.Tens) {
				p := drive.Open(t, c.engine, o)
				for i := range 3 { // the machine may be busy with other browsers
					l := open(t, p, site.page(""))
					assert.Equal(t, "wasm", l.Tier)
					assert.Empty(t, l.Findings)
					assert.Contains(t, l.Report.Passed, "webassembly-off")
					require.Equal(t, evidence.OK, l.Report.Seen.Script.WasmTime.State)
					if ms := l.Report.Seen.Script.WasmTime.Value; i == 0 || ms < least {
						least = ms
					}
				}
				return least
			}
			slow, healthy := took(c.o), took(drive.Options{})
			t.Logf("%v ms, and %v ms in the healthy browser", slow, healthy)
			assert.Zero(t, healthy)
			assert.Equal(t, c.slower, slow > 0)
		})
	}
}
