package server

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	assert.Equal(t, "latchkey-0123abCD=1; Path=/latchkey/; Max-Age=60; HttpOnly; SameSite=Lax", set.Header.Get("Set-Cookie"))

	echo := ask(h, "GET", "/latchkey/cookies/echo?run=0123abCD", "Cookie", "session=x; latchkey-0123abCD=1")
	assert.Equal(t, `{"seen":true}`+"\n", bodyOf(t, echo))
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
		{"before it is set", "/latchkey/cookies/echo?run=0123abcd", `{"seen":false}` + "\n"},
		{"set", "/latchkey/cookies?run=0123abcd", ""},
		{"for another run", "/latchkey/cookies/echo?run=0123abce", `{"seen":false}` + "\n"},
		{"for this run", "/latchkey/cookies/echo?run=0123abcd", `{"seen":true}` + "\n"},
		{"after it was taken away", "/latchkey/cookies/echo?run=0123abcd", `{"seen":false}` + "\n"},
	} {
		got, err := client.Get(web.URL + c.path)
		require.NoError(t, err, c.step)
		assert.Equal(t, c.want, bodyOf(t, got), c.step)
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
		assert.False(t, s.roundTripSeen(r, "0123abcd"), header)
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
			require.Len(t, w.Result().Cookies(), 1)
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
			assert.Equal(t, `{"seen":true}`+"\n", bodyOf(t, got))
		})
	}
}
