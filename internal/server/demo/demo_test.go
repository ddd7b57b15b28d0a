package demo

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"latchkey/internal/evidence"
)

// visit asks the portal for a page and returns the answer and the parsed page.
func visit(t *testing.T, r *http.Request) (*http.Response, *html.Node) {
	t.Helper()
	w := httptest.NewRecorder()
	New("/latchkey", nil, nil).ServeHTTP(w, r)
	page, err := html.ParseWithOptions(w.Body, html.ParseOptionEnableScripting(false)) // or noscript would be text
	require.NoError(t, err)
	return w.Result(), page
}

func signIn(user string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(url.Values{"username": {user}, "password": {"correct horse"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// find returns the elements for which ok holds, in document order.
func find(page *html.Node, ok func(*html.Node) bool) (found []*html.Node) {
	for n := range page.Descendants() {
		if n.Type == html.ElementNode && ok(n) {
			found = append(found, n)
		}
	}
	return found
}

func tag(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.Data == name }
}

func id(id string) func(*html.Node) bool {
	return func(n *html.Node) bool { return attr(n, "id") == id }
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestPortal_form(t *testing.T) {
	res, page := visit(t, httptest.NewRequest(http.MethodGet, "/", nil))
	assert.Equal(t, http.StatusOK, res.StatusCode)

	scripts := find(page, tag("script"))
	require.Len(t, scripts, 1)
	assert.Equal(t, "/latchkey/embed.js", attr(scripts[0], "src"))
	assert.Empty(t, attr(scripts[0], "data-outcome"), "nothing has failed yet")
	assert.Equal(t, "#trouble", attr(scripts[0], "data-trigger"))
	trouble := find(page, id("trouble"))
	require.Len(t, trouble, 1)
	assert.Equal(t, "/latchkey/?reference="+attr(scripts[0], "data-reference"), attr(trouble[0], "href"), "a link that works without script")

	user := find(page, id("username"))[0]
	assert.Equal(t, "username", attr(user, "autocomplete"))
	assert.Equal(t, "off", attr(user, "autocapitalize"))
	assert.Equal(t, "password", attr(find(page, id("password"))[0], "type"))
	assert.Empty(t, find(page, id("message")))
}

func TestPortal_everyOutcome(t *testing.T) {
	require.Len(t, messages, len(evidence.Outcomes), "an outcome has no message, or a message no outcome")
	for _, outcome := range evidence.Outcomes {
		t.Run(string(outcome), func(t *testing.T) {
			res, page := visit(t, signIn(string(outcome)))
			require.Contains(t, messages, outcome)
			assert.Equal(t, http.StatusOK, res.StatusCode)

			head := find(page, tag("head"))[0]
			script := head.FirstChild
			for script.Type == html.TextNode {
				script = script.NextSibling
			}
			assert.Equal(t, "script", script.Data, "embed.js stands first, to see what fails after it")
			assert.Equal(t, string(outcome), attr(script, "data-outcome"))
			assert.Equal(t, "555-0100", attr(script, "data-support"))
			assert.Regexp(t, `^HC-[A-Z2-7]{8}$`, attr(script, "data-reference"))
			assert.Empty(t, attr(script, "async"))

			said := ""
			if m := find(page, id("message")); len(m) > 0 {
				said = text(m[0])
				assert.Equal(t, "alert", attr(m[0], "role"))
			}
			assert.Equal(t, messages[outcome], said)
			noscript := find(page, tag("noscript"))
			require.Len(t, noscript, 1)
			assert.Equal(t, "/latchkey/?outcome="+string(outcome)+"&reference="+attr(script, "data-reference"), attr(find(noscript[0], tag("a"))[0], "href"))
		})
	}
}

// A form brings back where its page went, for Latchkey to compare.
func TestPortal_tellsWhereItsPagesWent(t *testing.T) {
	portal := New("/latchkey", nil, func(r *http.Request) string { return r.RemoteAddr })
	script := func(r *http.Request) *html.Node {
		w := httptest.NewRecorder()
		portal.ServeHTTP(w, r)
		page, err := html.Parse(w.Body)
		require.NoError(t, err)
		fields := find(page, func(n *html.Node) bool { return attr(n, "name") == "address" })
		require.Len(t, fields, 1)
		assert.Equal(t, r.RemoteAddr, attr(fields[0], "value"))
		return find(page, tag("script"))[0]
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "here"
	assert.Equal(t, "here", attr(script(r), "data-address"))
	r = signIn("session_lost")
	r.RemoteAddr = "there"
	assert.Equal(t, "there", attr(script(r), "data-address"), "a form that does not know")
	r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(url.Values{"username": {"session_lost"}, "address": {"here"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = "there"
	assert.Equal(t, "here there", attr(script(r), "data-address"))
}

func TestPortal_signedIn(t *testing.T) {
	res, page := visit(t, signIn(" ok "))
	assert.Equal(t, http.StatusOK, res.StatusCode)
	assert.Equal(t, "You are signed in", text(find(page, tag("h1"))[0]))
	assert.Empty(t, find(page, tag("script")))
	assert.Equal(t, "/", attr(find(page, tag("main"))[0].LastChild.PrevSibling.LastChild.PrevSibling.FirstChild, "href"), "the way back")
}

func TestPortal_demonstration(t *testing.T) {
	_, page := visit(t, httptest.NewRequest(http.MethodGet, "/", nil))
	var names []string
	for _, n := range find(find(page, tag("details"))[0], tag("button")) {
		assert.Equal(t, "username", attr(n, "name"))
		names = append(names, attr(n, "value"))
	}
	for _, outcome := range evidence.Outcomes {
		assert.Contains(t, names, string(outcome))
	}
	assert.Contains(t, names, "ok")
}

func TestPortal_hostileUserNames(t *testing.T) {
	_, plain := visit(t, signIn("somebody"))
	elements := len(find(plain, func(*html.Node) bool { return true }))
	for _, user := range []string{
		"",
		`"><script>alert(1)</script>`,
		`" onfocus="alert(1)" autofocus x="`,
		`javascript:alert(1)`,
		`</title></head><body onload=alert(1)>`,
		"{{.Base}}",
		"account_locked\x00",
		"a\r\nSet-Cookie: b=c",
		"\xff\xfe",
		strings.Repeat("é", 5000),
	} {
		t.Run("", func(t *testing.T) {
			res, page := visit(t, signIn(user))
			assert.Equal(t, http.StatusOK, res.StatusCode)
			assert.Empty(t, res.Header.Get("Set-Cookie"))
			scripts := find(page, tag("script"))
			require.Len(t, scripts, 1)
			assert.Equal(t, "invalid_credentials", attr(scripts[0], "data-outcome"))
			assert.Len(t, find(page, func(*html.Node) bool { return true }), elements, "as many elements as for anybody else")
			for _, n := range find(page, func(*html.Node) bool { return true }) {
				for _, a := range n.Attr {
					assert.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
				}
			}
			assert.LessOrEqual(t, len([]rune(attr(find(page, id("username"))[0], "value"))), userLimit)
		})
	}
	t.Run("shown as typed", func(t *testing.T) {
		_, page := visit(t, signIn(`<b>"O'Hara"</b>`))
		assert.Equal(t, `<b>"O'Hara"</b>`, attr(find(page, id("username"))[0], "value"))
	})
}

func TestPortal_bodyTooLarge(t *testing.T) {
	res, page := visit(t, signIn(strings.Repeat("x", bodyLimit)))
	assert.Equal(t, http.StatusOK, res.StatusCode)
	assert.Equal(t, "invalid_credentials", attr(find(page, tag("script"))[0], "data-outcome"))
}

func TestPortal_passwordIsNeverShown(t *testing.T) {
	for _, user := range []string{"ok", "account_locked", "nobody"} {
		w := httptest.NewRecorder()
		New("/latchkey", nil, nil).ServeHTTP(w, signIn(user))
		assert.NotContains(t, w.Body.String(), "correct horse")
	}
}

func TestPortal_headers(t *testing.T) {
	tests := []struct {
		name   string
		ask    *http.Request
		status int
		kind   string
		cache  string
	}{
		{"the form", httptest.NewRequest(http.MethodGet, "/", nil), 200, "text/html; charset=utf-8", "no-store"},
		{"a failed sign-in", signIn("throttled"), 200, "text/html; charset=utf-8", "no-store"},
		{"signed in", signIn("ok"), 200, "text/html; charset=utf-8", "no-store"},
		{"styles", httptest.NewRequest(http.MethodGet, "/demo/portal.css", nil), 200, "text/css; charset=utf-8", "public, max-age=300"},
		{"picture", httptest.NewRequest(http.MethodGet, "/demo/harbour.svg", nil), 200, "image/svg+xml", "public, max-age=300"},
		{"a template is no file", httptest.NewRequest(http.MethodGet, "/demo/login.html", nil), 404, "text/plain; charset=utf-8", "no-store"},
		{"another path", httptest.NewRequest(http.MethodGet, "/elsewhere", nil), 404, "text/plain; charset=utf-8", "no-store"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			New("/latchkey", nil, nil).ServeHTTP(w, tt.ask)
			assert.Equal(t, tt.status, w.Code)
			assert.Equal(t, tt.kind, w.Header().Get("Content-Type"))
			assert.Equal(t, tt.cache, w.Header().Get("Cache-Control"))
			assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
			assert.Equal(t, "default-src 'none'; script-src 'self'; frame-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
				w.Header().Get("Content-Security-Policy"))
		})
	}
}

// What the strict policy would refuse must not be in the pages at all.
func TestPortal_nothingInline(t *testing.T) {
	for _, user := range []string{"ok", "account_locked"} {
		_, page := visit(t, signIn(user))
		for _, n := range find(page, func(*html.Node) bool { return true }) {
			assert.NotEqual(t, "style", n.Data)
			assert.Empty(t, attr(n, "style"))
			if n.Data == "script" {
				assert.Empty(t, text(n))
			}
		}
	}
}

func TestPortal_linkedFilesExist(t *testing.T) {
	portal := New("/latchkey", nil, nil)
	_, page := visit(t, signIn("unknown"))
	for _, n := range find(page, func(*html.Node) bool { return true }) {
		for _, key := range []string{"src", "href"} {
			if path := attr(n, key); strings.HasPrefix(path, "/demo/") {
				w := httptest.NewRecorder()
				portal.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
				assert.Equal(t, http.StatusOK, w.Code, path)
				body, err := io.ReadAll(w.Body)
				require.NoError(t, err)
				assert.NotEmpty(t, body, path)
			}
		}
	}
}
