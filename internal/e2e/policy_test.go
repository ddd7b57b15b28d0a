//go:build unix

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// captchaHost is an operator's word on a host that a login needs.
const captchaHost = `
site: {name: Example Clinic}
needs: [{url: "http://captcha.localhost:PORT/", kind: host, purpose: the robot check}]
`

// TestPolicy is a site whose own policy stops what its login needs, each kind of
// thing by its own directive.
func TestPolicy(t *testing.T) {
	t.Parallel()
	// What a page with Latchkey needs; without worker-src the script-src holds.
	const rest = "default-src 'self'; style-src 'self'; "
	all := "script-src 'self' http://captcha.localhost:PORT; connect-src 'self' http://captcha.localhost:PORT; " +
		"frame-src 'self' http://captcha.localhost:PORT; worker-src 'self' blob:"
	nobody := "site: {name: Example Clinic}"
	chromium, firefox := drive.OpenChromium(t, drive.Options{}), drive.Open(t, drive.Firefox, prefs("javascript.options.wasm", false))
	for _, c := range []struct {
		name, yaml, head, policy string
		outcome                  string
		directive, reason, part  string
		sureness                 diag.Sureness // "" for no finding
		text                     string
	}{
		{
			name: "a script that the operator lists", yaml: robotCheck, head: robotScript, policy: "script-src 'self'; frame-src 'self'", outcome: "unknown",
			directive: "script-src-elem", part: "captcha.localhost", sureness: diag.Sure, text: "The site's own security rules stop a part that signing in needs, from captcha.localhost.",
		},
		{
			name: "a connection", yaml: captchaHost, head: `<script src="/connects.js"></script>`, policy: "connect-src 'self'", outcome: "captcha_failed",
			directive: "connect-src", part: "captcha.localhost", sureness: diag.Sure,
		},
		{
			name: "a frame", yaml: captchaHost, head: `<script src="/frames.js"></script>`, policy: "frame-src 'self'", outcome: "unknown",
			directive: "frame-src", part: "captcha.localhost", sureness: diag.Sure,
		},
		{
			name: "a frame that nobody lists", yaml: nobody, head: `<script src="/frames.js"></script>`, policy: "frame-src 'self'", outcome: "no_response",
			directive: "frame-src", part: "captcha.localhost", sureness: diag.Likely,
		},
		{
			name: "a frame that nobody lists, where nothing hangs on it", yaml: nobody, head: `<script src="/frames.js"></script>`, policy: "frame-src 'self'", outcome: "account_locked",
		},
		{
			name: "the form", yaml: nobody, policy: "form-action 'self'", outcome: "unknown",
			directive: "form-action", reason: "form", sureness: diag.Sure, text: "stop its sign-in form from being sent",
		},
		{
			name: "a worker", yaml: nobody, head: `<script src="/works.js"></script>`, policy: "worker-src 'none'", outcome: "no_response",
			directive: "worker-src", part: "login.localhost", sureness: diag.Likely,
		},
		{
			name: "a worker in the page", yaml: nobody, head: `<script src="/works-blob.js"></script>`, policy: "worker-src 'self'", outcome: "no_response",
			directive: "worker-src", reason: "inline", sureness: diag.Maybe,
		},
		{
			name: "a script in the page", yaml: nobody, head: `<script>window.app = 1</script>`, policy: "script-src 'self'", outcome: "no_response",
			directive: "script-src-elem", reason: "inline", sureness: diag.Maybe, text: "stop a script of the sign-in page",
		},
		{
			name: "a script in the page, where nothing hangs on it", yaml: nobody, head: `<script>window.app = 1</script>`, policy: "script-src 'self'", outcome: "account_locked",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startPortal(t, c.yaml, c.head)
			for tier, p := range map[string]drive.Page{"wasm": chromium, "script": firefox} {
				if c.sureness == "" && tier == "script" {
					continue // it takes its time
				}
				look := func(policy string) look {
					s.policy = rest + policy
					start := time.Now()
					visit(t, p, s.login("login.localhost", ""))
					if c.reason == "form" {
						do(t, p, `var f = document.getElementById("login"); f.action = "http://idp.localhost:" + location.port + "/in"; f.querySelector("button").click()`)
					}
					if policy == c.policy {
						wait(t, p, `refused.length > 0`)
					}
					l := trouble(t, p, c.outcome)
					note(t, l, time.Since(start))
					requireSameJudgement(t, s.site, l)
					assert.Equal(t, tier, l.Tier)
					assert.NotContains(t, l.Findings, "script-blocked", "%s", tier)
					assert.NotContains(t, l.Findings, "page-altered")
					return l
				}
				l := look(c.policy)
				if c.sureness == "" {
					assert.NotContains(t, l.Findings, "script-policy")
					continue
				}
				requireWhole(t, l)
				require.Equal(t, "script-policy", l.top(), "%s: %v %+v", tier, l.Report.Seen.Page.Violations, l.Report.Seen.Network.Needs)
				f := finding(t, l, "script-policy")
				assert.Equal(t, c.sureness, f.Sureness, tier)
				for name, want := range map[string]string{"directive": c.directive, "reason": c.reason, "part": c.part} {
					if want == "" {
						assert.NotContains(t, f.Args, name)
					} else {
						assert.Equal(t, want, f.Args[name], tier)
					}
				}
				assert.Equal(t, "report-to-site", l.Fixes[0])
				assert.Contains(t, l.Text, "This is a problem on our side")
				assert.Contains(t, l.Text, c.text)

				if tier == "wasm" && c.reason == "" {
					assert.NotContains(t, look(all).Findings, "script-policy", "under a policy that lets it")
				}
			}
		})
	}
}

// TestPopups is a login that opens a window, in browsers that open one in a click
// and in those that never do.
func TestPopups(t *testing.T) {
	t.Parallel()
	s := startPortal(t, "site: {name: Example Clinic}\npopups: true", "")
	for _, c := range []struct {
		name   string
		engine drive.Engine
		o      drive.Options
		opens  bool
	}{
		{"Firefox that opens none", drive.Firefox, noPopups(), false},
		{"Firefox", drive.Firefox, drive.Options{}, true},
		{"Chromium", drive.Chromium, drive.Options{}, true},
		{"Chromium that lets no site open windows", drive.Chromium, drive.Options{Prefs: blocked("popups")}, true},
	} {
		p := drive.Open(t, c.engine, c.o).(drive.Clicker)
		for _, host := range []string{"login.localhost", "script.login.localhost"} {
			t.Run(c.name+", "+tierOf(host)+" tier", func(t *testing.T) {
				l := open(t, p, s.login(host, "sso_failed"))
				requireWhole(t, l)
				assert.Equal(t, tierOf(host), l.Tier)
				assert.NotContains(t, l.Findings, "popup-blocked", "nobody has clicked")
				assert.Contains(t, l.Gaps, "popup-blocked")
				assert.Contains(t, read[string](t, p, widget+`.body.textContent`), "Browsers let us try this in a click only. Select “Check again”.")
				windows := targets(t, p)

				do(t, p, widget+`.getElementById("latchkey-again-button").click()`)
				l = settled(t, p)
				assert.NotContains(t, l.Findings, "popup-blocked", "a look that comes without a click opens nothing anywhere")
				assert.Contains(t, l.Gaps, "popup-blocked")

				clickIn(t, p, "#latchkey-again-button")
				wait(t, p, widget+`.getElementById("latchkey-report").textContent.indexOf('"popups"') > 0`)
				l = settled(t, p)
				requireWhole(t, l)
				assert.Equal(t, tierOf(host), l.Tier)
				assert.NotContains(t, l.Gaps, "popup-blocked")
				assert.Equal(t, evidence.Saw(c.opens), l.Report.Seen.Script.Popups)
				requireSameJudgement(t, s.site, l)
				if c.opens {
					assert.Contains(t, l.Report.Passed, "popup-blocked")
					eventually(t, "the window is closed again", func() bool { return targets(t, p) == windows })
					return
				}
				assert.Equal(t, []string{"popup-blocked", "account-sso-failed"}, l.Findings)
				assert.Equal(t, diag.Sure, finding(t, l, "popup-blocked").Sureness)
				assert.Equal(t, []string{"popup-blocked"}, finding(t, l, "account-sso-failed").Because)
				assert.Equal(t, "allow-popups", l.Fixes[0])
				assert.Contains(t, l.Text, "Your browser doesn't open the sign-in window")
				assert.Contains(t, l.Text, "find “Block pop-up windows”", "the steps are those of Firefox, and nobody has tried them before")
			})
		}
	}
}

// targets is how many pages a Chromium has open; 0 for others, which do not tell.
func targets(t *testing.T, p drive.Page) (n int) {
	t.Helper()
	tab, ok := p.(*drive.Tab)
	if !ok {
		return 0
	}
	var all struct{ TargetInfos []struct{ Type string } }
	require.NoError(t, tab.Browser().Call(t.Context(), "Target.getTargets", nil, &all))
	for _, info := range all.TargetInfos {
		if info.Type == "page" {
			n++
		}
	}
	return n
}
