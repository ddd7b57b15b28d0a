package server

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

const plainLogo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path d="M0 0h4v4"/></svg>`

func lookConfig(t *testing.T, yaml string) (Config, error) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{
		"logo.svg": plainLogo, "page.html": "<html></html>", "big.png": "\x89PNG\r\n\x1a\n" + strings.Repeat("x", logoLimit),
		"script.svg":    `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`,
		"click.svg":     `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`,
		"latchkey.yaml": yaml,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644))
	}
	return LoadConfig(filepath.Join(dir, "latchkey.yaml"))
}

func TestLook_refusesWhatCannotBeReadOrShown(t *testing.T) {
	cases := []struct{ name, yaml, want string }{
		{"a yellow link", `look: {accent: "#ffcc00"}`, `:1: look.accent: #ffcc00 cannot be read well: its contrast with the page is 1.4 to 1, and 4.5 is needed (hint: #876c00 is near to it and does)`},
		{"a dark blue link on dark ground", `look: {accent_dark: "#0b5cad"}`, `look.accent_dark: #0b5cad cannot be read well`},
		{"a name", `look: {accent: red}`, `look.accent: "red" is no colour (hint: write it like "#0b5cad", in quotes)`},
		{"short", `look: {accent: "#abc"}`, `"#abc" is no colour`},
		{"no file", `look: {logo: none.png}`, `none.png: no such file`},
		{"no image", `look: {logo: page.html}`, `page.html: this is neither PNG, JPEG nor WebP, and no plain SVG: it begins with <html>`},
		{"too large", `look: {logo: big.png}`, `big.png: 65544 bytes, but a logo has at most 65536`},
		{"a script in it", `look: {logo: script.svg}`, `it has a <script>`},
		{"a listener in it", `look: {logo: click.svg}`, `it has an attribute onload`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := lookConfig(t, c.yaml)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// All that the rules set is to be read, whichever colour the operator chose.
func TestLook_isReadableInBothSchemes(t *testing.T) {
	rule := regexp.MustCompile(`--accent:(#\w{6});--accent-ink:(#\w{6})`)
	read := func(s string) Colour {
		c, bad := colour(black, nil)(s)
		require.Empty(t, bad)
		return *c
	}
	for _, accent := range []string{"#000000", "#0b5cad", "#7a1f5c", "#186a3b", "#a3261b", "#5a5a5a"} {
		cfg, err := lookConfig(t, `look: {accent: "`+accent+`"}`)
		require.NoError(t, err)
		found := rule.FindAllStringSubmatch(cfg.Look.rules(), -1)
		require.Len(t, found, 2, "light and dark")
		assert.Equal(t, accent, found[0][1])
		for i, grounds := range [][]Colour{lightGrounds, darkGrounds} {
			c, ink := read(found[i][1]), read(found[i][2])
			assert.GreaterOrEqual(t, c.worst(grounds), 4.5, "%s on the page", c)
			assert.GreaterOrEqual(t, c.contrast(ink), 4.5, "%s on a button of %s", ink, c)
		}
	}
	assert.Empty(t, Look{}.rules())

	// As WCAG's own examples have it.
	assert.InDelta(t, 21, black.contrast(white), 0.01)
	assert.InDelta(t, 4.48, Colour{0x77, 0x77, 0x77}.contrast(white), 0.01)
}

// The grounds that are measured against are those of the style sheet.
func TestLook_knowsTheGrounds(t *testing.T) {
	css, err := os.ReadFile("../../web/latchkey.css")
	require.NoError(t, err)
	full := regexp.MustCompile(`#(\w)(\w)(\w);`).ReplaceAllString(string(css), "#$1$1$2$2$3$3;")
	var grounds []string
	for _, m := range regexp.MustCompile(`--(?:paper|ground): (#\w{6});`).FindAllStringSubmatch(full, -1) {
		grounds = append(grounds, m[1])
	}
	var want []string
	for _, c := range append(append([]Colour{}, lightGrounds...), darkGrounds...) {
		want = append(want, c.String())
	}
	assert.Equal(t, want, grounds)
}

func TestLook_isServed(t *testing.T) {
	cfg, err := lookConfig(t, `{site: {name: "<Clinic>"}, look: {accent: "#7a1f5c", logo: logo.svg}}`)
	require.NoError(t, err)
	o := testOptions(t)
	plain := testServer(t, o).handler()
	o.Config = cfg
	h := testServer(t, o).handler()

	page := bodyOf(t, ask(h, "GET", "/latchkey/"))
	logo := regexp.MustCompile(`src="(/latchkey/static/logo\.\w{12}\.svg)"`).FindStringSubmatch(page)
	require.NotNil(t, logo)
	assert.NotContains(t, bodyOf(t, ask(h, "GET", "/latchkey/frame")), `src="/latchkey/static/logo.`, "the login page has its own")

	image := ask(h, "GET", logo[1])
	assert.Equal(t, "image/svg+xml", image.Header.Get("Content-Type"))
	assert.Contains(t, image.Header.Get("Content-Security-Policy"), "sandbox")
	assert.Equal(t, plainLogo, bodyOf(t, image))

	style := regexp.MustCompile(`/latchkey/static/latchkey\.\w{12}\.css`)
	at := style.FindString(page)
	assert.NotEqual(t, at, style.FindString(bodyOf(t, ask(plain, "GET", "/latchkey/"))), "browsers keep the other")
	css := ask(h, "GET", at)
	assert.Equal(t, http.StatusOK, css.StatusCode)
	assert.True(t, strings.HasSuffix(bodyOf(t, css), cfg.Look.rules()))
}

// Whatever stands in the operator's texts is text.
func TestLook_keepsTheOperatorsWordsInText(t *testing.T) {
	shape := func(words string) (all []string) {
		o := testOptions(t)
		o.Config.Look.Logo = newLogo([]byte(plainLogo), "image/svg+xml")
		o.Config.Site.Name = words
		o.Config.Support = Support{Phone: words + "555-0100", Hours: words}
		for _, path := range []string{"/latchkey/", "/latchkey/frame?outcome=account_locked", "/latchkey/phone", "/latchkey/it?found=network-intercepted"} {
			for _, n := range elements(t, bodyOf(t, ask(testServer(t, o).handler(), "GET", path)), func(*html.Node) bool { return true }) {
				all = append(all, n.Data)
				for _, a := range n.Attr {
					all = append(all, a.Key)
					assert.NotRegexp(t, `["<>]`, a.Val, "%s %s", n.Data, a.Key)
				}
			}
		}
		return all
	}
	plain := shape("Example Clinic")
	for _, hostile := range []string{`"><script>alert(1)</script>`, `\" onclick=alert(1) x="`, "</title></main><b>alert'`"} {
		assert.ElementsMatch(t, plain, shape(hostile), hostile)
	}
}
