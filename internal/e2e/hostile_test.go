//go:build unix

package e2e

import (
	"encoding/json"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"latchkey/internal/store"
	"latchkey/web"
)

// shape is a parsed document: its elements with their attributes, its texts,
// and apart from them the attributes that repeat the page's own address.
type shape struct {
	elements  []string
	addresses []string
	text      string
}

// shapeOf parses a document or a fragment as browsers do, with and without
// scripts: what stands in noscript is another thing to each.
func shapeOf(t *testing.T, source string, scripting bool) shape {
	t.Helper()
	root, err := html.ParseWithOptions(strings.NewReader(source), html.ParseOptionEnableScripting(scripting))
	require.NoError(t, err)
	var s shape
	for n := range root.Descendants() {
		switch n.Type {
		case html.TextNode:
			s.text += n.Data + "\n"
		case html.CommentNode:
			s.elements = append(s.elements, "<!--"+n.Data+"-->")
		case html.ElementNode:
			parts := []string{}
			for _, a := range n.Attr {
				if repeats(n, a) {
					s.addresses = append(s.addresses, a.Val)
					a.Val = "an address"
				}
				parts = append(parts, a.Key+"="+a.Val)
			}
			slices.Sort(parts) // go-app's order is none
			s.elements = append(s.elements, n.Data+" "+strings.Join(parts, " "))
		}
	}
	return s
}

// ownAddress is the page with a query, as the redirect for browsers without
// scripts and the link beside it have it.
var ownAddress = regexp.MustCompile(`^(0; url=/latchkey/(frame)?)?\?[\w%.+&=~-]*$`)

// repeats is whether an attribute is one of the three that carry the page's own
// address on, the last in parts: fields of the form for another look.
func repeats(n *html.Node, a html.Attribute) bool {
	switch n.Data + " " + a.Key {
	case "meta content", "a href":
		return ownAddress.MatchString(a.Val)
	case "input value":
		return true
	}
	return false
}

// Whatever a browser sends, the documents keep their shape: no element and no
// attribute of them comes from it. What it sent may stand in their texts.
func TestHostile(t *testing.T) {
	if _, err := fs.Stat(web.Dist(), "manifest.json"); err != nil {
		t.Skip("the static files were not built, run: make wasm")
	}
	h := newHandler(t, "https://portal.example", time.Now)
	const mark = "latchkeymark"
	hostile := []string{
		`<script>` + mark + `()</script>`,
		`"><img src=x onerror="` + mark + `()">`,
		`' onload='` + mark + `()`,
		`\" onload=\"` + mark + `()`,
		`</script><script>` + mark + `()//`,
		`--><b>` + mark + `</b><!--`,
		`</noscript><b>` + mark + `</b>`,
		`</pre></main></body>` + mark,
		`javascript:` + mark + `()`,
		`data:text/html,` + mark,
		`0; url=https://evil.example/` + mark,
		`&quot;&gt;&lt;b&gt;` + mark,
		"`" + mark + "${1}",
		"\x00" + mark + "\x00",
		"\r\nSet-Cookie: " + mark + "=1\r\n\r\n" + mark,
		"\u202e\u2028" + mark + "\xff\xfe",
		`{{.Config}}` + mark + `{{template "page"}}`,
		strings.Repeat(`<b a="`+mark+`">`, 200),
	}
	get := func(t *testing.T, path string, query url.Values, agent string) string {
		t.Helper()
		r := httptest.NewRequest("GET", "/latchkey"+path+"?"+query.Encode(), nil)
		r.Header.Set("User-Agent", agent)
		r.Header.Set("Referer", agent)
		r.Header.Set("Accept-Language", agent)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if at := w.Header().Get("Location"); at != "" { // the round trip of a browser without scripts
			assert.True(t, strings.HasPrefix(at, "/latchkey"+path+"?"), at)
			r := httptest.NewRequest("GET", at, nil)
			r.Header.Set("User-Agent", agent)
			w = httptest.NewRecorder()
			h.ServeHTTP(w, r)
		}
		require.Equal(t, 200, w.Code)
		return w.Body.String()
	}
	post := func(t *testing.T, evidence map[string]any) string {
		t.Helper()
		body, err := json.Marshal(evidence)
		require.NoError(t, err)
		r := httptest.NewRequest("POST", "/latchkey/diagnose", strings.NewReader(string(body)))
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 200, w.Code, w.Body.String())
		return w.Body.String()
	}
	seen := func(s string) map[string]any {
		value := map[string]any{"value": s}
		return map[string]any{
			"host":    map[string]any{"outcome": value, "code": value, "reference": value},
			"browser": map[string]any{"family": value, "engine": value, "system": value, "device": value, "major": map[string]any{"value": 7}},
			"run":     map[string]any{"tier": s, "tier_reason": s, "embedding": value, "before": []string{s}},
			"script":  map[string]any{"wasm": map[string]any{"error": s}, "wasm_type": value},
			"storage": map[string]any{"local": map[string]any{"error": s + ": " + s}, "session": map[string]any{"error": s}},
			"page":    map[string]any{"failed": map[string]any{"value": []string{s, "https://" + s}}, "violations": map[string]any{"value": []string{"script-src " + s}}},
		}
	}

	// leave sends a report without scripts, with a note that is not in it yet.
	leave := func(t *testing.T, s string) string {
		t.Helper()
		value := map[string]any{"value": s}
		sent, err := json.Marshal(map[string]any{
			"schema": 1, "at": map[string]any{"utc": 1_795_600_440_000, "zone": 60},
			"seen": map[string]any{
				"host": map[string]any{"reference": value, "code": value}, "browser": map[string]any{"family": value, "app": value},
				"run": map[string]any{"before": []string{s}, "tried": []string{s}}, "storage": map[string]any{"local": map[string]any{"error": s}},
			},
		})
		require.NoError(t, err)
		form := url.Values{"id": {store.NewID()}, "note": {s[:min(len(s), 1500)]}, "report": {string(sent)}}
		r := httptest.NewRequest("POST", "/latchkey/reports", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 200, w.Code, w.Body.String())
		return w.Body.String()
	}

	// ask is each way to have a document made of what a browser sent.
	ask := map[string]func(t *testing.T, s string) string{
		"diagnose": func(t *testing.T, s string) string { return post(t, seen(s)) },
		"report":   func(t *testing.T, s string) string { return leave(t, s) },
	}
	for _, path := range []string{"/", "/frame"} {
		for _, look := range []string{"", "noscript", "link"} {
			ask["page "+path+" "+look] = func(t *testing.T, s string) string {
				query := url.Values{
					"outcome": {s}, "reference": {s}, "lang": {s}, "run": {s}, "before": {s + ",javascript-off," + s},
					"embedding": {s}, s: {s},
				}
				if look != "" {
					query.Set("look", look)
				}
				return get(t, path, query, strings.NewReplacer("\r", "", "\n", "").Replace(s))
			}
		}
	}
	for name, document := range ask {
		t.Run(name, func(t *testing.T) {
			for _, scripting := range []bool{true, false} {
				want := shapeOf(t, document(t, "harmless"), scripting)
				for _, s := range hostile {
					got := shapeOf(t, document(t, s), scripting)
					assert.Equal(t, want.elements, got.elements, "%q", s)
					assert.Contains(t, got.text, mark, "it stands in the text: %q", s)
				}
			}
		})
	}
}
