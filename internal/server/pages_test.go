package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
)

// elements returns what f wants to see of a parsed document.
func elements(t *testing.T, body string, want func(*html.Node) bool) []*html.Node {
	t.Helper()
	// As browsers that run no scripts read it: noscript elements have content.
	doc, err := html.ParseWithOptions(strings.NewReader(body), html.ParseOptionEnableScripting(false))
	require.NoError(t, err)
	var found []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && want(n) {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func having(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return attr(n, name) != "" }
}

func withID(id string) func(*html.Node) bool {
	return func(n *html.Node) bool { return attr(n, "id") == id }
}

func reportIn(t *testing.T, body string) report.Report {
	t.Helper()
	e := elements(t, body, withID("latchkey-report"))
	require.Len(t, e, 1)
	var r report.Report
	require.NoError(t, json.Unmarshal([]byte(e[0].FirstChild.Data), &r))
	return r
}

func ids(r report.Report) []string { return r.Summary().Findings }

const chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"

func TestPage_isAnAnswerAsItIsServed(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	for _, path := range []string{"/latchkey/", "/latchkey/frame"} {
		r := ask(h, "GET", path+"?outcome=account_locked", "User-Agent", chrome)
		require.Equal(t, http.StatusOK, r.StatusCode)
		assert.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		assert.Contains(t, r.Header.Get("Content-Security-Policy"), "'wasm-unsafe-eval'")
		body := bodyOf(t, r)
		root := elements(t, body, func(n *html.Node) bool { return n.Data == "html" })[0]
		assert.Equal(t, "html", attr(root, "data-latchkey-tier"))
		assert.Equal(t, "done", attr(root, "data-latchkey-state"))
		found := elements(t, body, having("data-finding"))
		require.Len(t, found, 1)
		assert.Equal(t, "account-locked", attr(found[0], "data-finding"))
		assert.NotEmpty(t, elements(t, body, having("data-fix")))
		assert.NotEmpty(t, elements(t, body, having("data-gap")))
		got := reportIn(t, body)
		assert.Equal(t, evidence.HTML, got.Tier)
		assert.Equal(t, evidence.NoScript, got.TierReason)
		assert.Equal(t, evidence.AccountLocked, got.Outcome)
		assert.Contains(t, got.Passed, "browser-outdated")
	}
}

func TestPage_hasNothingThatAPolicyWouldStop(t *testing.T) {
	body := bodyOf(t, ask(testServer(t, testOptions(t)).handler(), "GET", "/latchkey/"))
	for _, n := range elements(t, body, func(*html.Node) bool { return true }) {
		for _, a := range n.Attr {
			assert.NotEqual(t, "style", a.Key)
			assert.False(t, strings.HasPrefix(a.Key, "on"), "%s %s", n.Data, a.Key)
		}
		if n.Data == "script" && attr(n, "type") != "application/json" {
			if n.FirstChild != nil {
				assert.Equal(t, filesScript, n.FirstChild.Data, "inline script")
			}
		}
		assert.NotEqual(t, "style", n.Data)
	}
}

func TestPage_keepsTheSitesOwnCodeForSupport(t *testing.T) {
	o := testOptions(t)
	o.Config.Outcomes = map[string]evidence.Outcome{"E1001": evidence.AccountLocked}
	h := testServer(t, o).handler()
	for code, want := range map[string]evidence.Outcome{
		"E1001": evidence.AccountLocked, "invalid_grant": evidence.InvalidCredentials, "E9": evidence.Unknown,
	} {
		r := reportIn(t, bodyOf(t, ask(h, "GET", "/latchkey/?outcome="+code+"&reference=r-7")))
		assert.Equal(t, want, r.Outcome, code)
		assert.Equal(t, evidence.Saw(code), r.Seen.Host.Code)
		assert.Equal(t, evidence.Saw("r-7"), r.Seen.Host.Reference)
	}
}

// visitor follows redirects and keeps cookies as the browser of a person does,
// but runs no scripts: it goes where the noscript element sends it.
type visitor struct {
	t       *testing.T
	h       http.Handler
	cookies map[string]string
	refuse  bool
	hops    int
	headers []string
}

func (c *visitor) get(target string) string {
	c.t.Helper()
	for {
		c.hops++
		require.Less(c.t, c.hops, 9, "goes round in circles at %s", target)
		q := httptest.NewRequest("GET", target, nil)
		for i := 0; i < len(c.headers); i += 2 {
			q.Header.Set(c.headers[i], c.headers[i+1])
		}
		for k, v := range c.cookies {
			q.AddCookie(&http.Cookie{Name: k, Value: v})
		}
		w := httptest.NewRecorder()
		c.h.ServeHTTP(w, q)
		for _, k := range w.Result().Cookies() {
			if !c.refuse {
				c.cookies[k.Name] = k.Value
			}
		}
		if w.Code == http.StatusSeeOther {
			target = w.Header().Get("Location")
			continue
		}
		body := w.Body.String()
		refresh := elements(c.t, body, func(n *html.Node) bool { return attr(n, "http-equiv") == "refresh" })
		if len(refresh) == 0 {
			return body
		}
		_, to, ok := strings.Cut(attr(refresh[0], "content"), "url=")
		require.True(c.t, ok)
		target = to
	}
}

func newVisitor(t *testing.T, h http.Handler) *visitor {
	return &visitor{t: t, h: h, cookies: map[string]string{}}
}

func TestPage_findsOutWithoutScriptsThatScriptsAreOffAndCookiesWork(t *testing.T) {
	c := newVisitor(t, testServer(t, testOptions(t)).handler())
	r := reportIn(t, c.get("/latchkey/?outcome=no_response&reference=a%26b"))
	assert.Equal(t, []string{"javascript-off", "no-response"}, ids(r))
	assert.Contains(t, r.Passed, "cookies-blocked")
	assert.Equal(t, evidence.Saw("a&b"), r.Seen.Host.Reference, "carried through the redirects")
}

func TestPage_findsOutWithoutScriptsThatCookiesAreBlocked(t *testing.T) {
	c := newVisitor(t, testServer(t, testOptions(t)).handler())
	c.refuse = true
	assert.Equal(t, []string{"javascript-off", "cookies-blocked"}, ids(reportIn(t, c.get("/latchkey/"))))
}

func TestPage_goesRoundAgainInsteadOfMissingAnOldCookie(t *testing.T) {
	now := noon
	o := testOptions(t)
	o.Now = func() time.Time { return now }
	c := newVisitor(t, testServer(t, o).handler())
	c.get("/latchkey/?look=noscript")
	var run string
	for name := range c.cookies {
		run = strings.TrimPrefix(name, "latchkey-")
	}
	address := "/latchkey/?look=noscript&run=" + run
	assert.Contains(t, reportIn(t, c.get(address)).Passed, "cookies-blocked", "loaded again at once")
	now, c.cookies, c.hops = noon.Add(time.Hour), map[string]string{}, 0
	assert.Contains(t, reportIn(t, c.get(address)).Passed, "cookies-blocked", "an hour later")
}

func TestPage_claimsNothingAboutScriptsWhenTheLinkWasUsed(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	link := elements(t, bodyOf(t, ask(h, "GET", "/latchkey/?outcome=no_response")), func(n *html.Node) bool {
		return n.Data == "a" && strings.Contains(attr(n, "href"), "look=")
	})
	require.Len(t, link, 1)
	r := reportIn(t, newVisitor(t, h).get("/latchkey/"+attr(link[0], "href")))
	assert.Equal(t, []string{"no-response"}, ids(r))
	assert.Contains(t, r.Passed, "cookies-blocked")
}

func TestPage_neverBlamesCookiesInAFrameOfAnotherSite(t *testing.T) {
	c := newVisitor(t, testServer(t, testOptions(t)).handler())
	c.refuse = true
	c.headers = []string{"Sec-Fetch-Site", "cross-site"}
	r := reportIn(t, c.get("/latchkey/frame"))
	assert.Equal(t, []string{"javascript-off"}, ids(r))
	assert.Equal(t, evidence.Saw(evidence.CrossOrigin), r.Seen.Run.Embedding)
}

func advised(r report.Report) []string {
	var fixes []string
	for _, a := range r.Advice {
		fixes = append(fixes, a.Fix)
	}
	return fixes
}

func TestPage_saysWhetherItHelpedWithoutScripts(t *testing.T) {
	c := newVisitor(t, testServer(t, testOptions(t)).handler())
	c.refuse = true
	body := c.get("/latchkey/")
	form := elements(t, body, withID("latchkey-again"))
	require.Len(t, form, 1)
	q := url.Values{}
	for n := range form[0].Descendants() {
		q.Set(attr(n, "name"), attr(n, "value"))
	}
	button := elements(t, body, func(n *html.Node) bool { return attr(n, "form") == "latchkey-again" })
	require.Len(t, button, 2, "the buttons that send the form")
	q.Set(attr(button[0], "name"), attr(button[0], "value"))
	assert.Equal(t, "javascript-off,cookies-blocked", q.Get("before"))

	c.hops = 0
	again := reportIn(t, c.get("/latchkey/?"+q.Encode()))
	assert.False(t, again.Fixed())
	require.Len(t, again.Seen.Run.Tried, 1, "what the button said")
	assert.NotContains(t, advised(again), again.Seen.Run.Tried[0], "never the same advice twice")

	c.refuse, c.hops = false, 0
	again = reportIn(t, c.get("/latchkey/?"+q.Encode()))
	assert.Equal(t, []string{"cookies-blocked"}, again.Resolved())
}

func TestPage_takesNothingFromTheQueryIntoAttributes(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	for _, hostile := range []string{
		`"><script>alert(1)</script>`, `' onmouseover='alert(1)`, "javascript:alert(1)", "\x00\\\"<b>", strings.Repeat(`"<&`, 1000), `\" autofocus onfocus=alert(1) x="`,
	} {
		q := url.Values{"outcome": {hostile}, "reference": {hostile}, "lang": {hostile}, "before": {hostile}, "run": {hostile}}.Encode()
		for _, path := range []string{"/latchkey/?", "/latchkey/frame?"} {
			r := ask(h, "GET", path+q, "User-Agent", "Mozilla/5.0 (X11) Chrome/"+hostile+" Safari/"+hostile)
			body := bodyOf(t, r)
			clean := bodyOf(t, ask(h, "GET", path+"outcome=x&reference=x&lang=x", "User-Agent", "Mozilla/5.0 (X11) Chrome/x Safari/x"))
			shape := func(body string) (s []string) {
				for _, n := range elements(t, body, func(*html.Node) bool { return true }) {
					if n.Data == "head" || n.Parent != nil && n.Parent.Data == "form" {
						continue
					}
					s = append(s, n.Data)
					for _, a := range n.Attr {
						if a.Key != "href" && a.Key != "content" {
							assert.NotContains(t, a.Val, "alert", "%s of %s", a.Key, n.Data)
						}
						assert.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
						assert.False(t, strings.HasPrefix(a.Val, "javascript:"), a.Val)
					}
				}
				return s
			}
			assert.Equal(t, shape(clean), shape(body), "the same elements whatever came in")
		}
	}
}

func TestPage_namesTheHostThatSettingsAskFor(t *testing.T) {
	o := testOptions(t)
	blocked := func() string {
		c := newVisitor(t, testServer(t, o).handler())
		c.refuse = true
		c.headers = []string{"User-Agent", chrome}
		return c.get("http://example.com:8443/latchkey/")
	}
	assert.Contains(t, blocked(), "and enter example.com.")
	o.Config.Site.Login = "https://portal.example/login"
	assert.Contains(t, blocked(), "and enter portal.example.")
}

const facebook = "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/500.0.0.0;]"

func TestPage_tellsTheWayOutOfAnAppWithoutScripts(t *testing.T) {
	o := testOptions(t)
	for _, c := range []struct {
		name, login, path, want string
		headers                 []string
	}{
		{"its own address, without what belongs to the look", "", "/latchkey/?outcome=session_lost&reference=r1&run=0123456789abcdef&before=cookies-blocked", "http://portal.example/latchkey/?before=cookies-blocked&outcome=session_lost&reference=r1", nil},
		{"behind a proxy that speaks https", "", "/latchkey/", "https://portal.example/latchkey/", []string{"X-Forwarded-Proto", "https"}},
		{"in a frame, the login page's", "https://portal.example/login?next=/claims", "/latchkey/frame", "https://portal.example/login?next=/claims", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o.Config.Site.Login = c.login
			o.Config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
			body := bodyOf(t, ask(testServer(t, o).handler(), "GET", "http://portal.example"+c.path, append(c.headers, "User-Agent", facebook)...))
			assert.Equal(t, "browser-embedded-view", reportIn(t, body).Findings[0].Check)
			found := elements(t, body, withID("latchkey-address"))
			require.Len(t, found, 1)
			assert.Equal(t, c.want, found[0].FirstChild.Data)
			assert.Contains(t, body, "Facebook")
		})
	}
}

func TestPage_asksForHintsAndBelievesThem(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	r := ask(h, "GET", "/latchkey/", "User-Agent", chrome,
		"Sec-CH-UA", `"Not:A-Brand";v="8", "Chromium";v="156", "Brave";v="156"`, "Sec-CH-UA-Platform", `"Windows"`, "Sec-CH-UA-Platform-Version", `"15.0.0"`)
	assert.Equal(t, "Sec-CH-UA-Platform-Version, Sec-CH-UA-Full-Version-List", r.Header.Get("Accept-CH"))
	assert.Empty(t, r.Header.Get("Critical-CH"), "it would cost everybody a second request")
	for _, name := range hints {
		assert.Contains(t, strings.ToLower(r.Header.Get("Vary")), name)
	}
	b := reportIn(t, bodyOf(t, r)).Seen.Browser
	assert.Equal(t, evidence.Saw("Brave"), b.Family)
	assert.Equal(t, evidence.Saw("11"), b.SystemVersion)

	b = reportIn(t, bodyOf(t, ask(h, "GET", "/latchkey/", "User-Agent", chrome))).Seen.Browser
	assert.Equal(t, evidence.Saw("Chrome"), b.Family)
	assert.Equal(t, evidence.Absent, b.SystemVersion.State, "the user agent says Windows 10 on 11, too")
}

func TestPage_namesAnAppThatOnlyItsPackageTells(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	seen := func(app string) evidence.Browser {
		return reportIn(t, bodyOf(t, ask(h, "GET", "/latchkey/", "User-Agent", facebook[:strings.Index(facebook, " [")], "X-Requested-With", app))).Seen.Browser
	}
	assert.Equal(t, evidence.Saw("LinkedIn"), seen("com.linkedin.android").App)
	assert.Equal(t, evidence.Absent, seen("org.example.app").App.State)
	assert.Equal(t, evidence.Absent, seen("XMLHttpRequest").App.State)
}

func TestPage_knowsWhomAServerInFrontSendsForTheirCookies(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	for _, code := range []string{"431", "494"} {
		r := reportIn(t, bodyOf(t, ask(h, "GET", "/latchkey/?outcome="+code, "User-Agent", chrome)))
		assert.Equal(t, []string{"cookies-too-large"}, ids(r))
	}
	assert.Empty(t, ids(reportIn(t, bodyOf(t, ask(h, "GET", "/latchkey/?outcome=400", "User-Agent", chrome)))))
}

func TestPage_isOpenToOddButHonestBrowsers(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	for name, ua := range map[string]string{
		"a phone called CUBOT": "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
		"Epiphany":             "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15 Epiphany/605.1.15",
		"an Electron shell":    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) portal/1.2.3 Chrome/138.0.7204.251 Electron/37.6.0 Safari/537.36",
		"a headless Chrome":    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
		"a Custom Tab":         "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36",
		"nothing":              "",
		"1 MB":                 strings.Repeat("Chrome/1 ", 1<<20/9),
		"half a character":     "Mozilla/5.0 \xff\xfe (",
	} {
		t.Run(name, func(t *testing.T) {
			r := ask(h, "GET", "/latchkey/", "User-Agent", ua)
			require.Equal(t, http.StatusOK, r.StatusCode)
			for _, id := range ids(reportIn(t, bodyOf(t, r))) {
				if name != "1 MB" { // which says that it is Chrome 1
					assert.NotContains(t, id, "browser-")
				}
			}
		})
	}
}

func TestPage_judgesByWhatTheOperatorSupports(t *testing.T) {
	o := testOptions(t)
	c, err := ParseConfig([]byte("browsers:\n  supported: chrome >= 157, edge >= 157\n  features: [webauthn]\n"), "latchkey.yaml")
	require.NoError(t, err)
	o.Config = c
	h := testServer(t, o).handler()
	for ua, want := range map[string]string{
		chrome: "browser-outdated",
		"Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0": "browser-unsupported",
	} {
		r := reportIn(t, bodyOf(t, ask(h, "GET", "/latchkey/", "User-Agent", ua)))
		assert.Equal(t, []string{want}, ids(r))
		assert.Contains(t, r.Gaps, diag.Gap{Check: "browser-lacks-feature", Why: "unasked"}, "nothing can be tried without scripts")
	}
	w := post(h, "/latchkey/diagnose?run=0123456789abcdef", "application/json",
		`{"run":{"tier":"script"},"identity":{"traits":{"value":{"features":["fetch"]}}}}`, "User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/157.0.0.0 Safari/537.36",
		"Cookie", "latchkey-0123456789abcdef=1")
	var r report.Report
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &r))
	assert.Equal(t, []string{"browser-lacks-feature"}, ids(r))
	assert.Equal(t, "webauthn", r.Findings[0].Args["feature"])
}

func TestPage_listensOnlyForOriginsOfTheConfig(t *testing.T) {
	o := testOptions(t)
	o.Config.Embed.Origins = []string{"https://portal.example"}
	r := ask(testServer(t, o).handler(), "GET", "/latchkey/frame")
	assert.Contains(t, r.Header.Get("Content-Security-Policy"), "frame-ancestors 'self' https://portal.example")
	config := elements(t, bodyOf(t, r), withID("latchkey-config"))[0].FirstChild.Data
	assert.Contains(t, config, `"origins":["https://portal.example"]`)
}

func post(h http.Handler, target, accept, body string, headers ...string) *httptest.ResponseRecorder {
	q := httptest.NewRequest("POST", target, strings.NewReader(body))
	q.Header.Set("Accept", accept)
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	return w
}

const blocked = `{"run":{"tier":"script","tier_reason":"absent"},"cookies":{"script":{"value":false}},"storage":{"local":{"error":"SecurityError: no"},"session":{"error":"SecurityError: no"}}}`

func TestDiagnose_answersJSONOrAView(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	w := post(h, "/latchkey/diagnose?run=0123456789abcdef", "application/json", blocked)
	require.Equal(t, http.StatusOK, w.Code)
	var r report.Report
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &r))
	assert.Equal(t, []string{"cookies-blocked", "storage-blocked"}, ids(r))
	assert.Equal(t, evidence.JS, r.Tier)

	w = post(h, "/latchkey/diagnose?run=0123456789abcdef", "text/html", blocked)
	found := elements(t, w.Body.String(), having("data-finding"))
	require.Len(t, found, 2)
	assert.Equal(t, "cookies-blocked", attr(found[0], "data-finding"))
	assert.Len(t, elements(t, w.Body.String(), func(n *html.Node) bool { return n.Data == "script" }), 1)
}

func TestDiagnose_seesTheCookieThatComesWithTheQuestion(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	w := post(h, "/latchkey/diagnose?run=0123456789abcdef", "application/json", `{"run":{"tier":"script"}}`,
		"Cookie", "a=b; latchkey-0123456789abcdef=1", "User-Agent", chrome)
	var r report.Report
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &r))
	assert.Contains(t, r.Passed, "cookies-blocked")
	assert.Equal(t, evidence.Saw("Chrome"), r.Seen.Browser.Family)
}

func TestDiagnose_passesOverWhatAPageOfAnotherVersionAdds(t *testing.T) {
	w := post(testServer(t, testOptions(t)).handler(), "/latchkey/diagnose?run=0123456789abcdef", "application/json",
		`{"weather":{"value":"rain"},"page":{"mood":{"value":1}},"cookies":{"enabled":{"value":false}}}`)
	var r report.Report
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &r))
	assert.Equal(t, []string{"cookies-blocked"}, ids(r))
}

func TestDiagnose_judgesEvidenceFromElsewhereAsItIs(t *testing.T) {
	w := post(testServer(t, testOptions(t)).handler(), "/latchkey/diagnose", "application/json", `{}`, "User-Agent", chrome)
	var r report.Report
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &r))
	assert.Empty(t, r.Findings)
	assert.False(t, r.Seen.Browser.Family.Known(), "the browser that asks is not the one that was seen")
}

func TestDiagnose_refusesWhatItCannotRead(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	for body, status := range map[string]int{
		"":              http.StatusBadRequest,
		"{":             http.StatusBadRequest,
		`{"cookies":1}`: http.StatusBadRequest,
		`{"clock":"` + strings.Repeat("x", maxBody) + `"}`: http.StatusRequestEntityTooLarge,
	} {
		w := post(h, "/latchkey/diagnose", "text/html", body)
		assert.Equal(t, status, w.Code, "%.20s", body)
		var answer struct{ Error string }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
		assert.NotEmpty(t, answer.Error)
	}
}

func TestPages_stillBringAdviceWhenTooManyAsk(t *testing.T) {
	o := testOptions(t)
	o.Config.Support.Phone = "555-0100"
	h := testServer(t, o).handler()
	for range limitBurst {
		post(h, "/latchkey/diagnose", "application/json", "{}")
	}
	for _, w := range []*httptest.ResponseRecorder{
		post(h, "/latchkey/diagnose", "text/html", "{}"),
		func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/latchkey/", nil))
			return w
		}(),
	} {
		assert.Equal(t, http.StatusTooManyRequests, w.Code)
		assert.NotEmpty(t, w.Header().Get("Retry-After"))
		assert.Contains(t, w.Body.String(), "555-0100")
		assert.Contains(t, w.Body.String(), "Wait")
	}
}

// What was brought is judged with the rest, and not sent back.
func TestDiagnose_comparesWithASecondLook(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	first := `"cookies":{"enabled":{"value":true},"script":{"value":true},"http":{"value":false}},"run":{"tier":"script","seconds":[%s]}`
	look := `{"under":"private-window","worked":"yes","seen":{"cookies":{"enabled":{"value":true},"script":{"value":true},"http":{"value":true},"kinds":{"value":[]}}}}`
	body := post(h, "/latchkey/diagnose", "text/html", "{"+fmt.Sprintf(first, look)+"}").Body.String()
	assert.Contains(t, body, `data-compared="private-window-clean"`)
	assert.NotContains(t, body, `data-fix="try-private-window"`)
	assert.NotContains(t, body, `"seconds"`)
	body = post(h, "/latchkey/diagnose", "text/html", "{"+fmt.Sprintf(first, "")+"}").Body.String()
	assert.NotContains(t, body, "data-compared")
}
