//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// login is an operator's word on the cookies of a login.
const login = `
site: {name: Example Clinic}
cookies:
  - {name: session, http_only: true, same_site: lax}
  - {name: "oidc.*", secure: true, same_site: none}
`

// on gives the site another name. All names below localhost are this machine.
func (s *site) on(host string) string {
	u, err := url.Parse(s.URL)
	if err != nil {
		panic(err)
	}
	return u.Scheme + "://" + host + ":" + u.Port()
}

// TestCookies_healthy is that browsers as they are installed, and their private
// windows, raise nothing, with the login's cookies named.
func TestCookies_healthy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		engine drive.Engine
		o      drive.Options
	}{
		{"Chromium", drive.Chromium, drive.Options{}},
		{"Chromium, private", drive.Chromium, drive.Options{Flags: []string{"--incognito"}}},
		{"Firefox", drive.Firefox, drive.Options{}},
		{"Firefox, private", drive.Firefox, prefs("browser.privatebrowsing.autostart", true)},
		{"Firefox that resists fingerprinting", drive.Firefox, prefs("privacy.resistFingerprinting", true)},
		{"WebKit", drive.WebKit, drive.Options{}},
		{"WebKit, private", drive.WebKit, drive.Options{Flags: []string{"--private"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			yaml := login
			if c.engine == drive.WebKit {
				// It keeps no Secure cookie over http, not even on this machine.
				yaml = strings.Replace(login, "secure: true, same_site: none", "same_site: lax", 1)
			}
			site := startSite(t, configured(t, yaml))
			p := drive.Open(t, c.engine, c.o)
			l := open(t, p, site.page(""))
			healthy(t, l)
			kinds := l.Report.Seen.Cookies.Kinds.Value
			require.Len(t, kinds, 2)
			for _, k := range kinds {
				assert.True(t, k.Came, k.Name)
			}
			wait(t, p, `performance.getEntriesByType("resource").filter(function (e) { return /cookies\/echo\?run/.test(e.name); }).length > 0`)
			l = settled(t, p)
			assert.Empty(t, l.Findings, "they stayed")
			assert.Equal(t, "", read[string](t, p, `document.cookie`), "nothing is left behind")
		})
	}
}

// TestCookies_faults is each way in which cookies fail, told apart.
func TestCookies_faults(t *testing.T) {
	t.Parallel()
	secureSession := strings.Replace(login, "session, http_only: true", "session, secure: true, http_only: true", 1)
	test := func(host string) drive.Options {
		return drive.Options{Flags: []string{"--host-resolver-rules=MAP *.test 127.0.0.1"}, Prefs: map[string]any{}}
	}
	for _, c := range []struct {
		name, config string
		engine       drive.Engine
		o            drive.Options
		host, path   string
		script       string // run on the site before
		top          string
		sureness     diag.Sureness
		args         map[string]any
		fix, text    string
	}{
		{
			name: "a Secure cookie over plain http", config: secureSession, engine: drive.Chromium, o: test("test"), host: "login.test",
			top: "cookies-insecure-origin", sureness: diag.Sure, args: map[string]any{"cookies": "session"}, fix: "use-https", text: "put https:// before login.test",
		},
		{
			name: "plain http, and nobody said which cookies there are", engine: drive.Chromium, o: test("test"), host: "login.test",
			top: "cookies-insecure-origin", sureness: diag.Maybe, fix: "use-https", text: "Possibly: This page is open without a secure connection",
		},
		{
			name: "a Secure cookie over plain http in Firefox", config: secureSession, engine: drive.Firefox, o: prefs("network.dns.localDomains", "login.test"), host: "login.test",
			top: "cookies-insecure-origin", sureness: diag.Sure, fix: "use-https",
		},
		{
			name: "www. where the login is without", config: "site: {login: 'http://portal.localhost:PORT/'}", engine: drive.Chromium, host: "www.portal.localhost",
			top: "cookies-wrong-host", sureness: diag.Likely, args: map[string]any{"found": "www.portal.localhost", "canonical": "portal.localhost"}, fix: "open-canonical-address", text: "Go to portal.localhost and sign in there",
		},
		{
			name: "the session's domain is another", config: "site: {login: 'http://portal.localhost:PORT/'}\ncookies: [{name: session, domain: portal.localhost}]", engine: drive.Firefox, host: "old.localhost",
			top: "cookies-wrong-host", sureness: diag.Sure, args: map[string]any{"cookies": "session"}, fix: "open-canonical-address",
		},
		{
			name: "two cookies of one name", config: login, engine: drive.Chromium, script: `document.cookie = "session=5ecret; Path=/"; document.cookie = "session=5ecret; Path=/latchkey"`,
			top: "cookies-duplicated", sureness: diag.Likely, args: map[string]any{"cookies": "session"}, fix: "remove-old-cookies", text: "Clean up and sign out here",
		},
		{
			name: "two cookies of one name that nobody listed, in WebKit", engine: drive.WebKit, script: `document.cookie = "tracker=5ecret; Path=/"; document.cookie = "tracker=5ecret; Path=/latchkey"`,
			top: "cookies-duplicated", sureness: diag.Maybe, fix: "remove-old-cookies", text: "Possibly: Two cookies",
		},
		{
			name: "60 KB of cookies", config: login, engine: drive.Firefox, script: `for (var i = 0; i < 60; i++) { document.cookie = "oidc." + i + "=" + new Array(1000).join("x") + "; Path=/"; }`,
			top: "cookies-too-large", sureness: diag.Likely, args: map[string]any{"count": 60.0}, fix: "remove-old-cookies", text: "too many cookies",
		},
		{
			name: "a cookie that SameSite keeps out of the identity provider's form", config: strings.Replace(login, "same_site: lax}", "same_site: lax, cross_site_post: true}", 1), engine: drive.Chromium, path: "outcome=sso_failed",
			top: "site-fault", sureness: diag.Likely, args: map[string]any{"cookies": "session"}, fix: "report-to-site", text: "This is a problem on our side",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			site := startSite(t)
			if c.config != "" {
				u, _ := url.Parse(site.URL)
				site.Config.Handler = configured(t, strings.ReplaceAll(c.config, "PORT", u.Port()))(nil)
			}
			if c.host == "" {
				c.host = "127.0.0.1"
			}
			p := drive.Open(t, c.engine, c.o)
			visit(t, p, site.on(c.host)+"/latchkey/static/")
			if c.script != "" {
				do(t, p, c.script)
			}
			l := open(t, p, site.on(c.host)+"/latchkey/?"+c.path)
			requireWhole(t, l)
			require.Equal(t, c.top, l.top(), "%+v", l.Report.Seen.Cookies)
			f := finding(t, l, c.top)
			assert.Equal(t, c.sureness, f.Sureness)
			for name, want := range c.args {
				assert.Equal(t, want, f.Args[name])
			}
			assert.Equal(t, c.fix, l.Fixes[0])
			assert.Contains(t, l.Text, c.text)
			assert.Contains(t, l.Report.Passed, "cookies-blocked")
			text := fmt.Sprint(l)
			assert.NotContains(t, text, "5ecret", "no value leaves the request")
			assert.NotContains(t, text, "tracker")
		})
	}
}

// TestCookies_fewOfMany is that 400 cookies, of which browsers throw the oldest
// away, are no fault by themselves.
func TestCookies_fewOfMany(t *testing.T) {
	t.Parallel()
	site := startSite(t, configured(t, login))
	p := drive.OpenChromium(t, drive.Options{})
	visit(t, p, site.URL+"/latchkey/static/")
	do(t, p, `for (var i = 0; i < 400; i++) { document.cookie = "c" + i + "=1; Path=/"; }`)
	l := open(t, p, site.page(""))
	requireWhole(t, l)
	assert.Empty(t, l.Findings)
	assert.Less(t, l.Report.Seen.Cookies.Jar.Value.Count, 200)
}

// TestCookies_vanish is a cleaning program: cookies are kept and gone seconds
// later, in a tab that shows its answer already.
func TestCookies_vanish(t *testing.T) {
	t.Parallel()
	for tier, o := range map[string]drive.Options{"wasm": {}, "script": jitless} {
		t.Run(tier, func(t *testing.T) {
			site := startSite(t, configured(t, login))
			tab := drive.OpenChromium(t, o)
			l := open(t, tab, site.page("outcome=session_lost"))
			requireWhole(t, l)
			assert.NotContains(t, l.Findings, "cookies-vanish")
			assert.Contains(t, l.Report.Passed, "cookies-vanish", "so far")
			require.NoError(t, tab.Call(t.Context(), "Network.clearBrowserCookies", nil, nil))
			wait(t, tab, `document.querySelector("[data-finding=cookies-vanish]") && document.documentElement.getAttribute("data-latchkey-state") === "done"`)
			l = lookAt(t, tab)
			requireWhole(t, l)
			assert.Equal(t, "cookies-vanish", l.top())
			assert.Equal(t, diag.Sure, finding(t, l, "cookies-vanish").Sureness)
			assert.Contains(t, finding(t, l, "cookies-vanish").Args["cookies"], "session")
			assert.Contains(t, l.Text, "was gone after 5 seconds")
			assert.Equal(t, []string{"cookies-vanish"}, finding(t, l, "session-lost").Because)
			assert.NotContains(t, l.Text, "That was not it yet", "nobody has tried anything")
		})
	}
}

// TestCookies_repair is the button that takes the login's cookies away, for
// every path that they may have, with before and after.
func TestCookies_repair(t *testing.T) {
	t.Parallel()
	for _, engine := range []drive.Engine{drive.Chromium, drive.Firefox, drive.WebKit} {
		t.Run(string(engine), func(t *testing.T) {
			yaml := strings.Replace(login, "secure: true, same_site: none", "same_site: lax", 1) // for WebKit's sake
			site := startSite(t, configured(t, yaml+"repair: {storage_keys: ['oidc.*']}\n"))
			p := drive.Open(t, engine, drive.Options{})
			visit(t, p, site.URL+"/latchkey/static/")
			do(t, p, `document.cookie = "session=old; Path=/"; document.cookie = "session=new; Path=/latchkey";
				document.cookie = "theme=dark; Path=/"; localStorage.setItem("oidc.user", "x"); localStorage.setItem("draft", "x")`)
			l := open(t, p, site.page("outcome=session_lost"))
			requireWhole(t, l)
			assert.Equal(t, "cookies-duplicated", l.top())
			assert.Contains(t, l.Text, "This signs you out of Example Clinic in this browser", "it says before what will be lost")
			do(t, p, `document.getElementById("latchkey-clear-remove-old-cookies").click()`)
			wait(t, p, `document.querySelector("[data-latchkey-fixed]")`)
			l = settled(t, p)
			assert.True(t, l.Fixed)
			assert.Contains(t, l.Text, "What stopped you before is gone: Doubled cookies.")
			assert.Equal(t, "theme=dark", read[string](t, p, `document.cookie.split("; ").filter(function (c) { return c.indexOf("latchkey-"); }).join("; ")`), "what is no login's stays")
			assert.Equal(t, []string{"draft"}, read[[]string](t, p, `Object.keys(localStorage)`))
			assert.Equal(t, evidence.Absent, cmpState(l.Report.Seen.Cookies.Left))
		})
	}
}

// TestCookies_repairOfMany is more cookies than the server takes away at once.
func TestCookies_repairOfMany(t *testing.T) {
	t.Parallel()
	site := startSite(t, configured(t, strings.Replace(login, "secure: true, same_site: none", "same_site: lax", 1)))
	host := site.on("a.b.portal.localhost") // each name may stand for four domains
	p := drive.OpenChromium(t, drive.Options{})
	visit(t, p, host+"/latchkey/static/")
	do(t, p, `for (var i = 0; i < 60; i++) { document.cookie = "oidc." + i + "=" + new Array(200).join("x") + "; Path=/"; }`)
	l := open(t, p, host+"/latchkey/")
	requireWhole(t, l)
	require.Equal(t, "cookies-too-large", l.top())
	do(t, p, `document.getElementById("latchkey-clear-remove-old-cookies").click()`)
	wait(t, p, `document.querySelector("[data-latchkey-fixed]")`)
	assert.NotContains(t, read[string](t, p, `document.cookie`), "oidc.")
}

// TestCookies_tooLargeInPlace is a page that still opens while the requests for
// its cookies' sake are refused, and the same where cookies are not the reason.
func TestCookies_tooLargeInPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		o    drive.Options
		all  bool
	}{
		{"wasm", drive.Options{}, false},
		{"script", jitless, false},
		{"wasm, and refused without cookies too", drive.Options{}, true},
		{"script, and refused without cookies too", jitless, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			site := startSite(t, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if p := r.URL.Path; p == "/latchkey/cookies" || c.all && p == "/latchkey/clock" {
						w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge)
						return
					}
					next.ServeHTTP(w, r)
				})
			})
			l := open(t, drive.OpenChromium(t, c.o), site.page(""))
			requireWhole(t, l)
			if c.all {
				assert.NotContains(t, l.Findings, "cookies-too-large")
				return
			}
			assert.Equal(t, "cookies-too-large", l.top())
			assert.Equal(t, diag.Sure, finding(t, l, "cookies-too-large").Sureness)
		})
	}
}

// TestCookies_vanishNotInSleep is a tab whose timer comes only after the cookies
// have run out: whether they stayed is not asked any more. The machine's sleep is
// played with the browser's own clock.
func TestCookies_vanishNotInSleep(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	p := drive.OpenChromium(t, drive.Options{})
	open(t, p, site.page(""))
	for slept, asked := range map[int]int{0: 1, 20_000: 1, 60_000: 0} {
		do(t, p, fmt.Sprintf(`window.asked = null; latchkey.looks.cookies(function () {
			var real = { now: Date.now, setTimeout: window.setTimeout, open: XMLHttpRequest.prototype.open }, n = 0;
			Date.now = function () { return real.now.call(Date) + %d; };
			window.setTimeout = function (f) { f(); };
			XMLHttpRequest.prototype.open = function () { n++; return real.open.apply(this, arguments); };
			latchkey.looks.stays(function () {});
			Date.now = real.now; window.setTimeout = real.setTimeout; XMLHttpRequest.prototype.open = real.open;
			window.asked = n;
		})`, slept))
		wait(t, p, `window.asked !== null`)
		assert.Equal(t, asked, read[int](t, p, `window.asked`), "%d ms", slept)
	}
}

// cmpState is absent for a list that is empty.
func cmpState(f evidence.Fact[evidence.Names]) evidence.State {
	if f.State == evidence.OK && len(f.Value) == 0 || f.State == evidence.Unasked {
		return evidence.Absent
	}
	return f.State
}

// TestCookies_extension is a real extension that takes the headers of cookies
// away, as privacy extensions do: scripts keep cookies, the server sees none.
func TestCookies_extension(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	tab := openExtension(t, extension{rules: []netRule{strippingCookies()}})
	l := open(t, tab, site.page("outcome=session_lost"))
	requireWhole(t, l)
	require.Equal(t, "cookies-vanish", l.top())
	assert.Equal(t, diag.Likely, finding(t, l, "cookies-vanish").Sureness)
	assert.Equal(t, "pause-extensions", l.Fixes[0])
	assert.Contains(t, l.Text, "it doesn't reach us")
	assert.Equal(t, []string{"cookies-vanish"}, finding(t, l, "session-lost").Because)
}
