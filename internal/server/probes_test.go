package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
)

func TestClock_saysWhenItGotTheRequestAndWhenItAnswered(t *testing.T) {
	o := testOptions(t)
	next := noon
	o.Now = func() time.Time {
		defer func() { next = next.Add(250 * time.Microsecond) }()
		return next
	}
	got := ask(testServer(t, o).handler(), "GET", "/latchkey/clock?n=aB3")

	assert.Equal(t, 200, got.StatusCode)
	assert.Equal(t, "no-store", got.Header.Get("Cache-Control"))
	assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
	assert.Equal(t, `{"nonce":"aB3","received":1772625600123.456,"sent":1772625600123.706}`+"\n", bodyOf(t, got))
}

func TestClock_wantsANonceThatIsHarmless(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	for query, status := range map[string]int{
		"":                                 400,
		"?n=":                              400,
		"?n=" + strings.Repeat("a", 32):    200,
		"?n=" + strings.Repeat("a", 33):    400,
		"?n=%3Cscript%3E":                  400,
		"?n=a%0A":                          400,
		"?n=a%22":                          400,
		"?other=a":                         400,
		"?n=" + url.QueryEscape("\u00e9"):  400,
		"?n=a&n=" + url.QueryEscape("<b>"): 200, // the first one counts
	} {
		got := ask(h, "GET", "/latchkey/clock"+query)
		assert.Equal(t, status, got.StatusCode, query)
		assert.NotContains(t, bodyOf(t, got), "<", query)
		assert.Equal(t, "no-store", got.Header.Get("Cache-Control"), query)
	}
}

func TestCookies_goesRound(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	set := ask(h, "GET", "/latchkey/cookies?run=0123abCD")
	assert.Equal(t, 204, set.StatusCode)
	assert.Equal(t, "no-store", set.Header.Get("Cache-Control"))
	assert.Equal(t, []string{
		"latchkey-0123abCD=1; Path=/latchkey/; Max-Age=60; HttpOnly; SameSite=Lax",
		"latchkey-0123abCD-0=1; Path=/latchkey/; Max-Age=60; HttpOnly; Secure; SameSite=Lax",
	}, set.Header.Values("Set-Cookie"))

	echo := ask(h, "GET", "/latchkey/cookies/echo?run=0123abCD", "Cookie", "session=x; latchkey-0123abCD=1")
	assert.JSONEq(t, `{"seen":true,"kinds":[{"secure":true,"same_site":"lax","came":false}],"jar":{"count":1,"bytes":11}}`, bodyOf(t, echo))
	assert.Equal(t, "no-store", echo.Header.Get("Cache-Control"))
	assert.Equal(t, "latchkey-0123abCD=1; Path=/latchkey/; Max-Age=0; HttpOnly; SameSite=Lax", echo.Header.Get("Set-Cookie"))
}

func TestCookies_goRoundInARealClient(t *testing.T) {
	web := httptest.NewServer(testServer(t, testOptions(t)).handler())
	defer web.Close()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := web.Client()
	client.Jar = jar

	for _, c := range []struct{ step, path, want string }{
		{"before it is set", "/latchkey/cookies/echo?run=0123abcd", `{"seen":false,`},
		{"set", "/latchkey/cookies?run=0123abcd", ""},
		{"for another run", "/latchkey/cookies/echo?run=0123abce", `{"seen":false,`},
		{"for this run", "/latchkey/cookies/echo?run=0123abcd", `{"seen":true,`},
		{"after it was taken away", "/latchkey/cookies/echo?run=0123abcd", `{"seen":false,`},
	} {
		got, err := client.Get(web.URL + c.path)
		require.NoError(t, err, c.step)
		assert.True(t, strings.HasPrefix(bodyOf(t, got), c.want), c.step)
		require.NoError(t, got.Body.Close())
	}
}

func TestCookies_areNotSeenIn(t *testing.T) {
	s := testServer(t, testOptions(t))
	for _, header := range []string{
		"", "latchkey-0123abcd", "latchkey-0123abcd=", "latchkey-0123abcd=2",
		"xlatchkey-0123abcd=1", "a=latchkey-0123abcd=1", "latchkey-0123abcde=1",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", header)
		assert.False(t, s.cookiesSeen(r, "0123abcd").Seen, header)
	}
}

func TestCookies_wantARunThatIsHexadecimal(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	for run, ok := range map[string]bool{
		"":                       false,
		"0123abc":                false,
		"0123abcd":               true,
		strings.Repeat("a", 32):  true,
		strings.Repeat("a", 33):  false,
		"0123abcg":               false,
		"0123abcd%3B%20Domain=x": false,
	} {
		for _, path := range []string{"/latchkey/cookies", "/latchkey/cookies/echo"} {
			got := ask(h, "GET", path+"?run="+run)
			assert.Equal(t, ok, got.StatusCode < 400, "%s with run %q", path, run)
			assert.Equal(t, ok, got.Header.Get("Set-Cookie") != "", "%s with run %q", path, run)
		}
	}
}

func TestCookies_areSecureExactlyOverHTTPS(t *testing.T) {
	o := testOptions(t)
	o.Config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	h := testServer(t, o).handler()
	cases := []struct {
		name, url, peer, proto string
		want                   bool
	}{
		{"plain http", "http://x/latchkey/cookies?run=0123abcd", "198.51.100.1:5", "", false},
		{"tls", "https://x/latchkey/cookies?run=0123abcd", "198.51.100.1:5", "", true},
		{"tls that a trusted proxy ended", "http://x/latchkey/cookies?run=0123abcd", "192.0.2.7:5", "https", true},
		{"tls that the first of two proxies ended", "http://x/latchkey/cookies?run=0123abcd", "192.0.2.7:5", "HTTPS, http", true},
		{"plain http at a trusted proxy", "http://x/latchkey/cookies?run=0123abcd", "192.0.2.7:5", "http", false},
		{"a stranger's word", "http://x/latchkey/cookies?run=0123abcd", "198.51.100.1:5", "https", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", c.url, nil)
			r.RemoteAddr = c.peer
			r.Header.Set("X-Forwarded-Proto", c.proto)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.NotEmpty(t, w.Result().Cookies())
			assert.Equal(t, c.want, w.Result().Cookies()[0].Secure)
		})
	}
}

func TestHandler_answersARequestWith60KBOfCookies(t *testing.T) {
	web := httptest.NewServer(testServer(t, testOptions(t)).handler())
	defer web.Close()
	const ours = "latchkey-0123abcd=1"

	for name, crowd := range map[string]string{
		"a few large ones":      strings.Repeat("large="+strings.Repeat("x", 4000)+"; ", 15),
		"very many small ones":  strings.Repeat("a=1; ", 12_000),
		"one that is very long": "huge=" + strings.Repeat("x", 60_000) + "; ",
	} {
		t.Run(name, func(t *testing.T) {
			require.GreaterOrEqual(t, len(crowd), 60_000)
			r, err := http.NewRequest("GET", web.URL+"/latchkey/cookies/echo?run=0123abcd", nil)
			require.NoError(t, err)
			r.Header.Set("Cookie", crowd+ours)
			got, err := web.Client().Do(r)
			require.NoError(t, err)
			defer got.Body.Close()
			assert.Equal(t, 200, got.StatusCode)
			assert.True(t, strings.HasPrefix(bodyOf(t, got), `{"seen":true,`))
		})
	}
}

func TestCookies_haveTheAttributesOfTheLoginsOwn(t *testing.T) {
	o := testOptions(t)
	c, err := ParseConfig([]byte(`cookies:
  - {name: __Host-session, secure: true, http_only: true, same_site: strict}
  - {name: "oidc.*", path: /signin, domain: portal.example, secure: true, same_site: none, cross_site_post: true}
  - {name: embedded, secure: true, same_site: none, partitioned: true}
`), "latchkey.yaml")
	require.NoError(t, err)
	o.Config = c
	h := testServer(t, o).handler()
	set := ask(h, "GET", "/latchkey/cookies?run=0123abcd").Header.Values("Set-Cookie")
	assert.Equal(t, []string{
		"__Host-latchkey-0123abcd-0=1; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict",
		"latchkey-0123abcd-1=1; Path=/latchkey/; Domain=portal.example; Max-Age=60; Secure; SameSite=None",
		"latchkey-0123abcd-2=1; Path=/latchkey/; Max-Age=60; Secure; SameSite=None; Partitioned",
	}, set[1:])
	kept := ask(h, "GET", "/latchkey/cookies/echo?keep=1&run=0123abcd", "Cookie",
		"__Host-latchkey-0123abcd-0=1; oidc.a=5ecret; oidc.a=5ecret2; theme=5ecret3; theme=dark")
	assert.Empty(t, kept.Header.Values("Set-Cookie"), "somebody will ask again")
	body := bodyOf(t, kept)
	var got echo
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	assert.False(t, got.Seen)
	assert.Equal(t, evidence.Kinds{
		{Name: "__Host-session", Secure: true, SameSite: "strict", Came: true},
		{Name: "oidc.*", Domain: "portal.example", Secure: true, SameSite: "none", Posted: true},
		{Name: "embedded", Secure: true, SameSite: "none", Partitioned: true},
	}, got.Kinds)
	assert.Equal(t, 4, got.Jar.Count)
	assert.True(t, got.Jar.Listed)
	require.Len(t, got.Jar.Doubled, 2)
	assert.Equal(t, "oidc.a", got.Jar.Doubled[0])
	assert.Regexp(t, `^#[0-9a-f]{8}$`, got.Jar.Doubled[1], "what nobody listed has no name")
	assert.NotContains(t, body, "5ecret")
	assert.NotContains(t, body, "theme")
}

func TestClear_takesTheLoginsCookiesAway(t *testing.T) {
	o := testOptions(t)
	c, err := ParseConfig([]byte("site: {login: https://app.portal.example/signin/start}\ncookies: [{name: 'oidc.*', path: /signin}, {name: __Host-session, secure: true}]\nrepair: {site_data: true}\n"), "latchkey.yaml")
	require.NoError(t, err)
	o.Config = c
	h := testServer(t, o).handler()
	clear := func(headers ...string) *http.Response {
		return ask(h, "POST", "https://app.portal.example/latchkey/clear", append(headers, "Cookie", "oidc.a=5ecret; theme=dark; __Host-session=5ecret")...)
	}
	for _, from := range [][]string{nil, {"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "cross-site", "Origin", "https://app.portal.example"}} {
		r := clear(from...)
		assert.Equal(t, http.StatusForbidden, r.StatusCode, from)
		assert.Empty(t, r.Header.Values("Set-Cookie"))
	}
	for _, from := range [][]string{{"Origin", "https://app.portal.example"}, {"Sec-Fetch-Site", "same-origin"}} {
		r := clear(from...)
		assert.JSONEq(t, `{"came":["__Host-session","oidc.a"],"next":"oidc.a"}`, bodyOf(t, r))
		assert.Equal(t, `"cache", "storage"`, r.Header.Get("Clear-Site-Data"))
		set := r.Header.Values("Set-Cookie")
		assert.LessOrEqual(t, len(set), clearedAtOnce)
		for _, want := range []string{
			"__Host-session=; Path=/; Max-Age=0; Secure",
			"oidc.a=; Path=/; Max-Age=0; Secure",
			"oidc.a=; Path=/; Domain=portal.example; Max-Age=0; Secure",
			"oidc.a=; Path=/signin; Domain=app.portal.example; Max-Age=0; Secure",
		} {
			assert.Contains(t, set, want)
		}
		for _, s := range set {
			assert.NotContains(t, s, "theme", "the operator did not list it")
		}
	}
}

// Cookies that nothing takes away keep none of the others from their turn.
func TestClear_passesAllNamesOnce(t *testing.T) {
	o := testOptions(t)
	c, err := ParseConfig([]byte("site: {login: https://a.b.portal.example/signin/start}\ncookies: [{name: 'oidc.*', path: /signin}]\n"), "latchkey.yaml")
	require.NoError(t, err)
	o.Config = c
	h := testServer(t, o).handler()
	var names, cookies, taken []string
	for i := range 60 {
		names = append(names, fmt.Sprintf("oidc.%02d", i))
		cookies = append(cookies, names[i]+"=5ecret")
	}
	for after, rounds := "", 0; ; rounds++ {
		require.LessOrEqual(t, rounds, len(names))
		r := ask(h, "POST", "https://a.b.portal.example/latchkey/clear?after="+url.QueryEscape(after),
			"Sec-Fetch-Site", "same-origin", "Cookie", strings.Join(cookies, "; "))
		set := r.Header.Values("Set-Cookie")
		assert.LessOrEqual(t, len(set), clearedAtOnce)
		for _, s := range set {
			if name, _, _ := strings.Cut(s, "="); !slices.Contains(taken, name) {
				taken = append(taken, name)
			}
		}
		var got struct {
			Came []string
			Next string
		}
		require.NoError(t, json.Unmarshal([]byte(bodyOf(t, r)), &got))
		assert.Equal(t, names, got.Came)
		if after = got.Next; after == "" {
			assert.Empty(t, set, "nothing is left to do")
			break
		}
	}
	assert.Equal(t, names, taken)
}
