package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const thirdRun = "0123456789abcdef"

// thirdServer is the other site's, which https://portal.example may frame.
func thirdServer(t *testing.T, now *time.Time) http.Handler {
	t.Helper()
	o := testOptions(t)
	o.Config.Embed.Origins = []string{"https://portal.example"}
	o.Now = func() time.Time { return *now }
	return testServer(t, o).handler()
}

// thirdTold is what third.js is told by a page.
func thirdTold(t *testing.T, r *http.Response) (c thirdConfig) {
	t.Helper()
	body := bodyOf(t, r)
	require.Equal(t, 200, r.StatusCode, body)
	found := elements(t, body, withID("latchkey-third"))
	require.Len(t, found, 1)
	require.NoError(t, json.Unmarshal([]byte(found[0].FirstChild.Data), &c))
	return c
}

func TestThird_saysWhatCameOverHTTP(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	h := thirdServer(t, &now)
	query := "?run=" + thirdRun + "&for=https://portal.example"
	yes, no := true, false

	first := ask(h, "GET", "/latchkey/third"+query, "Cookie", "latchkey-none-"+thirdRun+"=1")
	assert.Equal(t, thirdConfig{Run: thirdRun, Path: "/latchkey/third", To: "https://portal.example"}, thirdTold(t, first), "the first page does not look")

	for _, c := range []struct {
		name, cookie, marked string
		http                 bool
		login                *bool
	}{
		{"nothing", "", "", false, nil},
		{"the cookie of this run", "a=b; latchkey-none-" + thirdRun + "=1", "", true, nil},
		{"that of another", "latchkey-none-0123456789abcde0=1", "", false, nil},
		{"that which was kept apart", "latchkey-apart-" + thirdRun + "=1", "", false, nil},
		{"the mark", "latchkey-mark=1", "", false, &yes},
		{"the mark, as was told", "latchkey-mark=1", "1799999990", false, &yes},
		{"no mark, though one was set", "", "1799999990", false, &no},
		{"a mark that has run out", "", "1799999400", false, nil},
		{"a mark of tomorrow", "", "1800086400", false, nil},
		{"a mark of no time", "", "soon", false, nil},
	} {
		got := thirdTold(t, ask(h, "GET", "/latchkey/third/again"+query+"&marked="+c.marked, "Cookie", c.cookie))
		assert.Equal(t, thirdConfig{Run: thirdRun, Path: "/latchkey/third", To: "https://portal.example", Again: true, HTTP: c.http, Login: c.login}, got, c.name)
	}
}

func TestThird_tellsNobodyElse(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	h := thirdServer(t, &now)
	for _, page := range []string{"/latchkey/third", "/latchkey/third/again", "/latchkey/third/ask"} {
		for _, origin := range []string{"", "https://evil.example", "https://portal.example.evil.example", "https://portal.example/", "*", "null"} {
			got := ask(h, "GET", page+"?run="+thirdRun+"&for="+url.QueryEscape(origin))
			assert.Equal(t, 403, got.StatusCode, origin)
			assert.NotContains(t, bodyOf(t, got), "evil")
		}
		if page != "/latchkey/third/ask" {
			assert.Equal(t, 400, ask(h, "GET", page+"?run=%3Cscript%3E&for=https://portal.example").StatusCode)
		}
		policy := ask(h, "GET", page+"?run="+thirdRun+"&for=https://portal.example").Header.Get("Content-Security-Policy")
		assert.Contains(t, policy, "frame-ancestors 'self' https://portal.example")
		assert.Contains(t, policy, "script-src 'self';")
	}
	assert.Equal(t, 403, ask(testServer(t, testOptions(t)).handler(), "GET", "/latchkey/third?run="+thirdRun+"&for=").StatusCode, "nobody may embed it")
}

func TestThirdMark_isSetByAPageOfItsOwnAlone(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	h := thirdServer(t, &now)
	visit := func(dest, back string) *http.Response {
		return ask(h, "GET", "/latchkey/third/mark?back="+url.QueryEscape(back), "Sec-Fetch-Dest", dest)
	}

	got := visit("document", "https://portal.example/login?a=b&latchkey-marked=1#top")
	assert.Equal(t, 303, got.StatusCode)
	assert.Equal(t, "https://portal.example/login?a=b&latchkey-marked=1800000000#top", got.Header.Get("Location"))
	assert.Equal(t, "latchkey-mark=1; Path=/latchkey/third; Max-Age=600; HttpOnly; Secure; SameSite=None", got.Header.Get("Set-Cookie"))

	for _, back := range []string{"", "/login", "https://evil.example/", "https://portal.example@evil.example/", "https://a:b@portal.example/", "//portal.example/", "javascript:alert(1)"} {
		got := visit("document", back)
		assert.Equal(t, 204, got.StatusCode, back)
		assert.Empty(t, got.Header.Get("Location"), back)
		assert.NotEmpty(t, got.Header.Get("Set-Cookie"), back)
	}
	for _, dest := range []string{"", "iframe", "image", "empty"} {
		got := visit(dest, "https://portal.example/")
		assert.Equal(t, 403, got.StatusCode, dest)
		assert.Empty(t, got.Header.Get("Set-Cookie"), dest)
	}
}

func TestPage_namesTheOtherSiteIfThereIsOne(t *testing.T) {
	o := testOptions(t)
	for _, c := range []struct {
		provider, why string
	}{{"", ""}, {"https://idp.example/latchkey", "unasked"}} {
		o.Config.IdentityProvider = c.provider
		body := bodyOf(t, ask(testServer(t, o).handler(), "GET", "/latchkey/"))
		var config frameConfig
		require.NoError(t, json.Unmarshal([]byte(elements(t, body, withID("latchkey-config"))[0].FirstChild.Data), &config))
		assert.Equal(t, c.provider, config.Third)
		gap := ""
		for _, g := range reportIn(t, body).Gaps {
			if g.Check == "cookies-third-party-blocked" {
				gap = g.Why
			}
		}
		assert.Equal(t, c.why, gap, fmt.Sprintf("with %q", c.provider))
	}
}
