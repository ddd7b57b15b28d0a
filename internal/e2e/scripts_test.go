//go:build unix

package e2e

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// robotCheck is an operator's word on what a login needs from another site.
const robotCheck = `
site: {name: Example Clinic}
needs: [{url: "http://captcha.localhost:PORT/api.js", proof: captcha.render, purpose: the robot check}]
`

// robotScript is how a page loads that.
const robotScript = `<script src="//captcha.localhost:PORT/api.js"></script>`

// portal is a login page with Latchkey, and other sites besides, under every
// name below localhost. What stands in for the port in the page and in the
// configuration is PORT. The page opens Latchkey with the outcome of its query,
// or waits for a script to.
type portal struct {
	*site
	port   string
	policy string // of the page

	mu    sync.Mutex
	asked []string // "login.localhost/latchkey/embed.js"
	fails int      // requests for /api.js whose connection is reset
}

// startPortal serves a page that has this in its head after embed.js.
func startPortal(t *testing.T, yaml, head string) *portal {
	t.Helper()
	s := &portal{site: startSite(t)}
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	require.NoError(t, err)
	s.port = port
	latchkey := configured(t, strings.ReplaceAll(yaml, "PORT", port))(nil)
	s.handler = latchkey
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := strings.Cut(r.Host, ":")
		s.mu.Lock()
		s.asked = append(s.asked, host+r.URL.Path)
		fail := r.URL.Path == "/api.js" && s.fails > 0
		if fail {
			s.fails--
		}
		s.mu.Unlock()
		if fail {
			panic(http.ErrAbortHandler)
		}
		name, isScript := strings.CutSuffix(r.URL.Path[1:], ".js")
		switch {
		case strings.HasPrefix(r.URL.Path, wasmFile) && strings.HasPrefix(host, "script."):
			http.NotFound(w, r) // there is nothing above the script tier
		case strings.HasPrefix(r.URL.Path, "/latchkey/"):
			latchkey.ServeHTTP(w, r)
		case r.URL.Path == "/":
			w.Header().Set("Content-Security-Policy", strings.ReplaceAll(s.policy, "PORT", port))
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			outcome := r.URL.Query().Get("outcome")
			fmt.Fprintf(w, needyPage, outcome, strings.ReplaceAll(head, "PORT", port))
		case isScript:
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, needyScripts[name])
		default:
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Access-Control-Allow-Origin", "*")
			fmt.Fprint(w, "<p>there")
		}
	})
	return s
}

const needyPage = `<!DOCTYPE html><html lang="en"><head><script src="/latchkey/embed.js" data-outcome="%s" data-support="555-0100"></script><title>Sign in</title>
<script src="/seen.js"></script>
%s</head><body>
<form id="login" action="/in"><input id="user" name="username" autocomplete="username"><input id="password" name="password" type="password"><button>Sign in</button></form>
</body></html>`

// needyScripts are the scripts of the page and of the sites besides, by name.
var needyScripts = map[string]string{
	"api":         `window.captcha = {render: function () {}};`,
	"fingerprint": `window.captcha = {render: function () {}};`,
	"seen":        `var refused = []; document.addEventListener("securitypolicyviolation", function (e) { refused.push(e.effectiveDirective + " " + e.blockedURI); });`,
	"wraps":       wrapsFetch,
	"connects":    `fetch("http://captcha.localhost:" + location.port + "/token").catch(function () {});`,
	"frames":      `addEventListener("DOMContentLoaded", function () { var f = document.createElement("iframe"); f.src = "http://captcha.localhost:" + location.port + "/widget"; document.body.appendChild(f); });`,
	"works":       `try { new Worker("/worker.js"); } catch (e) {}`,
	"works-blob":  `try { new Worker(URL.createObjectURL(new Blob(["1"], {type: "text/javascript"}))); } catch (e) {}`,
}

// login is the address of the page under a name, with an outcome, which may be "".
func (s *portal) login(host, outcome string) string {
	return s.on(host) + "/?outcome=" + outcome
}

// requests are those for paths that begin so, as "login.localhost/path".
func (s *portal) requests(path string) (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.asked {
		if strings.HasPrefix(at[strings.Index(at, "/"):], path) {
			all = append(all, at)
		}
	}
	return all
}

// forget forgets what was asked for so far.
func (s *portal) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = nil
}

// resets resets the connections of the next requests for /api.js.
func (s *portal) resets(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = n
}

// tierOf is the tier that a name of the portal can have at most.
func tierOf(host string) string {
	if strings.HasPrefix(host, "script.") {
		return "script"
	}
	return "wasm"
}

// blocker is what the baits said, in a word.
func blocker(l look) string {
	f := l.Report.Seen.Network.Blocker
	switch {
	case f.State != evidence.OK:
		return cmp.Or(string(f.State), "unasked")
	case f.Value.Active():
		return "active"
	case f.Value.Control:
		return "none"
	}
	return "unknown"
}

// requireSilent fails unless a healthy login page is found to be so, with nothing
// that could not be looked at but what needs a hand or a signed time, and without a
// bait. It needs more than a name of the portal: the page as it stands.
func requireSilent(t *testing.T, s *portal, p drive.Page, host string) look {
	t.Helper()
	s.forget()
	before, err := p.Console(t.Context())
	require.NoError(t, err)
	visit(t, p, s.login(host, ""))
	do(t, p, `setInterval(function () { document.body.dispatchEvent(new MouseEvent("mousemove", {bubbles: true})); }, 20)`) // Caps Lock is off
	do(t, p, `Latchkey.open()`)
	l := settled(t, p)
	l.Console = l.Console[len(before):]
	requireWhole(t, l)
	assert.Equal(t, tierOf(host), l.Tier)
	assert.Empty(t, l.Findings, "%+v", l.Report.Seen)
	assert.Empty(t, l.Gaps, "%+v", l.Report.Seen)
	assert.Contains(t, l.Report.Passed, "script-blocked")
	assert.Equal(t, "unasked", blocker(l), "where nothing failed no bait is laid")
	assert.Empty(t, s.requests("/latchkey/bait/"))
	return l
}

// blockedCase is one way in which something that a login needs does not come.
type blockedCase struct {
	host, outcome string
	sureness      diag.Sureness
	reason        string // as the finding gives it
	fix           string // the first
	baits         string // see blocker
	texts         []string
	part          string // which host it is; captcha.localhost if it is ""
}

// require fails unless the look says what the case says.
func (c blockedCase) require(t *testing.T, s *portal, l look) {
	t.Helper()
	requireWhole(t, l)
	requireSameJudgement(t, s.site, l)
	assert.Equal(t, tierOf(c.host), l.Tier)
	require.Equal(t, "script-blocked", l.top(), "%+v", l.Report.Seen.Network)
	f := finding(t, l, "script-blocked")
	assert.Equal(t, c.sureness, f.Sureness, "%+v", l.Report.Seen.Network)
	if c.reason == "" {
		assert.NotContains(t, f.Args, "reason")
	} else {
		assert.Equal(t, c.reason, f.Args["reason"])
	}
	if c.part == "" {
		c.part = "captcha.localhost"
	}
	assert.Equal(t, c.part, f.Args["part"])
	assert.Contains(t, l.Text, c.part)
	assert.Equal(t, c.fix, l.Fixes[0])
	assert.Equal(t, c.baits, blocker(l))
	for _, text := range c.texts {
		assert.Contains(t, l.Text, text)
	}
	assert.NotContains(t, l.Text, "missing: ,", "no name where there is none")
	assert.NotContains(t, l.Text, "{")
	for _, other := range []string{"script-policy", "site-fault", "network-host-unreachable", "page-altered"} {
		assert.NotContains(t, l.Findings, other)
	}
	if c.outcome == "no_response" || c.outcome == "captcha_failed" {
		told := strings.ReplaceAll(c.outcome, "_", "-")
		assert.Equal(t, []string{"script-blocked"}, finding(t, l, told).Because, "it explains what the login server said")
	}
}

// TestScripts_uBlock is what uBlock Origin in Firefox does to a login, by its
// lists and by what people set in it.
func TestScripts_uBlock(t *testing.T) {
	t.Parallel()
	s := startPortal(t, robotCheck, robotScript)
	p := drive.Open(t, drive.Firefox, drive.Options{UBlock: &drive.UBlock{
		Rules:    []string{"third.localhost * 3p-script block", "own.localhost * 1p-script block"},
		Switches: []string{"no-scripting: off.localhost true"},
		Filters:  []string{"||captcha.localhost^$domain=filter.localhost", "||captcha.localhost^$script,redirect=noop.js,domain=stub.localhost"},
	}})
	t.Run("its lists alone", func(t *testing.T) {
		for _, host := range []string{"login.localhost", "script.login.localhost"} {
			requireSilent(t, s, p, host)
			for _, path := range []string{"/latchkey/static/looks.", "/latchkey/static/network.", "/latchkey/static/frame.", "/latchkey/clock", "/latchkey/sample", "/latchkey/reach"} {
				assert.NotEmpty(t, s.requests(path), "nothing of ours is blocked: %s", path)
			}
		}
	})
	for _, c := range []struct {
		name string
		blockedCase
	}{
		{"a person's own filter", blockedCase{host: "filter.localhost", outcome: "no_response", sureness: diag.Likely, fix: "allow-scripts", baits: "active",
			texts: []string{"A part of the sign-in page was blocked", "What is missing: the robot check, from captcha.localhost", "Select the shield left of the address"}}},
		{"a person's own filter, script tier", blockedCase{host: "script.filter.localhost", outcome: "no_response", sureness: diag.Likely, fix: "allow-scripts", baits: "active",
			texts: []string{"What is missing: the robot check, from captcha.localhost", "Select the shield left of the address"}}},
		{"no scripts of other sites", blockedCase{host: "third.localhost", outcome: "captcha_failed", sureness: diag.Sure, fix: "allow-scripts", baits: "active",
			texts: []string{"although captcha.localhost itself is up"}}},
		{"no scripts of other sites, script tier", blockedCase{host: "script.third.localhost", outcome: "captcha_failed", sureness: diag.Sure, fix: "allow-scripts", baits: "active"}},
		{"a stub", blockedCase{host: "stub.localhost", outcome: "no_response", sureness: diag.Sure, reason: "stub", fix: "allow-scripts", baits: "active",
			texts: []string{"Something came in its place that does nothing"}}},
		{"a stub, script tier", blockedCase{host: "script.stub.localhost", outcome: "captcha_failed", sureness: diag.Sure, reason: "stub", fix: "allow-scripts", baits: "active"}},
		{"nobody said what happened", blockedCase{host: "filter.localhost", outcome: "unknown", sureness: diag.Likely, fix: "allow-scripts", baits: "active"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.require(t, s, open(t, p, s.login(c.host, c.outcome)))
		})
	}
	t.Run("no scripts of the site itself", func(t *testing.T) {
		// embed.js does not come either: the login page has a link in its place.
		visit(t, p, s.on("own.localhost")+"/latchkey/?outcome=no_response")
		wait(t, p, `/[?&]look=files/.test(location.search) && /[?&]run=/.test(location.search)`)
		l := settled(t, p)
		requireWhole(t, l)
		assert.Equal(t, "html", l.Tier)
		assert.Equal(t, []string{"script-blocked", "no-response"}, l.Findings)
		f := finding(t, l, "script-blocked")
		assert.Equal(t, diag.Likely, f.Sureness)
		assert.Equal(t, "files", f.Args["reason"])
		assert.Contains(t, l.Report.Passed, "javascript-off", "the one in the page runs")
		assert.Equal(t, "allow-scripts", l.Fixes[0])
		assert.Contains(t, l.Text, "Your browser doesn't load this site's scripts")
		requireSameJudgement(t, s.site, l)
	})
	t.Run("no scripts at all", func(t *testing.T) {
		visit(t, p, s.on("off.localhost")+"/latchkey/?outcome=no_response")
		l := withoutScript(t, p)
		assert.Equal(t, []string{"javascript-off", "no-response"}, l.Findings)
		assert.Equal(t, diag.Sure, finding(t, l, "javascript-off").Sureness)
	})
}

// TestScripts_adGuard is AdGuard's own rules in Chromium: they block a login's
// script whose path they know, and nothing else of one.
func TestScripts_adGuard(t *testing.T) {
	t.Parallel()
	known := func(s string) string { return strings.ReplaceAll(s, "/api.js", "/fingerprint.js") }
	s, other := startPortal(t, known(robotCheck), known(robotScript)), startPortal(t, robotCheck, robotScript)
	tab := openExtension(t, adGuard(t))
	for _, host := range []string{"login.localhost", "script.login.localhost"} {
		t.Run(host, func(t *testing.T) {
			blockedCase{
				host: host, outcome: "captcha_failed", sureness: diag.Sure, fix: "allow-scripts", baits: "active",
				texts: []string{"What is missing: the robot check, from captcha.localhost", "Select the puzzle icon right of the address"},
			}.require(t, s, open(t, tab, s.login(host, "captcha_failed")))
			requireSilent(t, other, tab, host)
		})
	}
}

// TestScripts_extension is an extension of the test's own in Chromium.
func TestScripts_extension(t *testing.T) {
	t.Parallel()
	on := func(host string, r netRule) netRule {
		r["condition"].(map[string]any)["initiatorDomains"] = []string{host}
		return r
	}
	x := extension{rules: []netRule{on("file.localhost", blocking("||captcha.localhost*/api.js")), on("stub.localhost", stubbing("||captcha.localhost^"))}}
	s := startPortal(t, robotCheck, robotScript)
	used := startPortal(t, robotCheck, robotScript+`<script>captcha.render()</script>`)
	tab := openExtension(t, x)
	for _, c := range []struct {
		name string
		s    *portal
		blockedCase
	}{
		{"one file", s, blockedCase{host: "file.localhost", outcome: "no_response", sureness: diag.Likely, fix: "allow-scripts", baits: "none",
			texts: []string{"although captcha.localhost itself is up"}}},
		{"one file, script tier", s, blockedCase{host: "script.file.localhost", outcome: "no_response", sureness: diag.Likely, fix: "allow-scripts", baits: "none"}},
		{"a stub", s, blockedCase{host: "stub.localhost", outcome: "no_response", sureness: diag.Likely, reason: "stub", fix: "allow-scripts", baits: "none",
			texts: []string{"Something came in its place that does nothing"}}},
		{"a stub, script tier", s, blockedCase{host: "script.stub.localhost", outcome: "no_response", sureness: diag.Likely, reason: "stub", fix: "allow-scripts", baits: "none"}},
		{"a stub that the page trips over", used, blockedCase{host: "stub.localhost", outcome: "no_response", sureness: diag.Maybe, reason: "stub", fix: "allow-scripts", baits: "none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.require(t, c.s, open(t, tab, c.s.login(c.host, c.outcome)))
		})
	}
	t.Run("it does nothing here", func(t *testing.T) { quiet(t, requireSilent(t, s, tab, "login.localhost")) })
}

// TestScripts_withoutBlocker is what a browser without any extension does not load,
// with an operator's word on what is needed and without.
func TestScripts_withoutBlocker(t *testing.T) {
	t.Parallel()
	needing := startPortal(t, robotCheck, robotScript)
	own := startPortal(t, "site: {name: Example Clinic}", `<script src="/own.js"></script>`)
	advert := startPortal(t, "site: {name: Example Clinic}", `<script src="//adverts.localhost:PORT/show.js"></script>`)
	for _, flags := range [][]string{nil, jitless.Flags} {
		tab := drive.OpenChromium(t, drive.Options{Flags: flags})
		at := func(host string) string { // a name that says which tier is meant
			if flags != nil {
				return "script." + host
			}
			return host
		}
		t.Run(tierOf(at("")), func(t *testing.T) {
			block := func(patterns ...string) {
				require.NoError(t, tab.Call(t.Context(), "Network.setBlockedURLs", map[string]any{"urls": append([]string{}, patterns...)}, nil))
			}
			look := func(s *portal, outcome string) look { return open(t, tab, s.login(at("login.localhost"), outcome)) }

			block("*captcha.localhost*/api.js*")
			blockedCase{
				host: at("login.localhost"), outcome: "captcha_failed", sureness: diag.Likely, fix: "allow-scripts", baits: "none",
				texts: []string{"What is missing: the robot check, from captcha.localhost"},
			}.require(t, needing, look(needing, "captcha_failed"))

			block("*/own.js")
			blockedCase{
				host: at("login.localhost"), outcome: "no_response", sureness: diag.Likely, fix: "allow-scripts", baits: "none", part: at("login.localhost"),
				texts: []string{"A part of the sign-in page was blocked"},
			}.require(t, own, look(own, "no_response"))

			block("*adverts.localhost*")
			l := look(advert, "no_response")
			blockedCase{
				host: at("login.localhost"), outcome: "no_response", sureness: diag.Maybe, reason: "unclear", fix: "reload-page", baits: "none", part: "adverts.localhost",
				texts: []string{"Possibly: A part of the sign-in page didn't load"},
			}.require(t, advert, l)
			assert.NotContains(t, fmt.Sprint(l.Report), "show.js", "of what nobody lists only the origin is kept")
			l = look(advert, "invalid_credentials")
			assert.Equal(t, "account-credentials", l.top(), "an advertisement is no cause of that")
			assert.NotContains(t, l.Findings, "script-blocked")

			// It failed once and comes now.
			block()
			needing.resets(1)
			l = look(needing, "no_response")
			blockedCase{
				host: at("login.localhost"), outcome: "no_response", sureness: diag.Maybe, reason: "once", fix: "reload-page", baits: "none",
				texts: []string{"it loads now"},
			}.require(t, needing, l)

			l = look(needing, "no_response")
			requireWhole(t, l)
			assert.Contains(t, l.Findings, "no-response")
			assert.NotContains(t, l.Findings, "script-blocked", "so that it can fail")
			assert.Equal(t, "unasked", blocker(l))
		})
	}
}
