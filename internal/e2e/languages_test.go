//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/testkit"
	"latchkey/internal/text"
)

// inGerman is a Chromium whose own menus are in German, as Debian has it.
var inGerman = []string{"LC_ALL=de_DE.UTF-8", "LANGUAGE=de"}

// words are those of a language, with the menu words of another.
func words(t *testing.T, tag, menus string) *text.Catalogue {
	t.Helper()
	find := func(tag string) *text.Catalogue {
		i := slices.IndexFunc(text.Languages(), func(l text.Language) bool { return l.Tag == tag })
		require.GreaterOrEqual(t, i, 0, "there is no %s", tag)
		return text.Languages()[i].Words
	}
	return find(tag).WithMenus(find(menus))
}

// speaks fails unless a page that found blocked cookies is in a language and names
// the menus of Chromium or Firefox in another.
func speaks(t *testing.T, p drive.Page, browser, tag, menus string) {
	t.Helper()
	c := words(t, tag, menus)
	d := widget + `.`
	assert.Equal(t, tag, read[string](t, p, d+`documentElement.lang`))
	assert.Equal(t, c.Dir(), read[string](t, p, d+`documentElement.dir`))
	assert.Equal(t, c.Text(nil, "ui.title"), read[string](t, p, d+`querySelector("h1").textContent.trim()`))
	assert.Equal(t, c.Text(nil, "check.cookies-blocked.title"), read[string](t, p, d+`querySelector("[data-finding=cookies-blocked] h2").textContent.trim()`))
	args := diag.Args{"browser": browser, "system": "Linux", "site": "Example Clinic", "host": "127.0.0.1"}
	want := c.Lines(args, text.Variants("fix.allow-cookies.steps", browser, "Linux")...)
	assert.Equal(t, want, read[[]string](t, p, `[].map.call(`+d+`querySelectorAll("[data-fix=allow-cookies] ol > li"), function (n) { return n.textContent.trim(); })`))
}

// wordFiles are the languages whose files a page has fetched.
func wordFiles(t *testing.T, p drive.Page) []string {
	t.Helper()
	names := read[[]string](t, p, `performance.getEntriesByType("resource").map(function (e) { return e.name; }).filter(function (n) { return /\.json$/.test(n); })`)
	for i, name := range names {
		name = name[strings.LastIndex(name, "/")+1:]
		parts := strings.Split(name, ".")
		names[i] = strings.Join(parts[:len(parts)-2], ".")
	}
	slices.Sort(names)
	return names
}

func TestLanguages_inChromium(t *testing.T) {
	t.Parallel()
	site := startSite(t, instead("/spanish", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><html lang="es-MX"><title>x</title><link rel="icon" href="data:,"><script src="/latchkey/embed.js" data-outcome="session_lost"></script><form><input type="password"></form>`)
	}))
	german := drive.OpenChromium(t, drive.Options{Env: inGerman, Prefs: blocked("cookies")})
	require.Equal(t, "de", read[string](t, german, `Intl.DateTimeFormat().resolvedOptions().locale`), "chromium-l10n is there")
	english := drive.OpenChromium(t, drive.Options{Prefs: map[string]any{
		"profile.default_content_setting_values.cookies": 2, "intl.selected_languages": "de-CH,de,en"}})

	for _, c := range []struct {
		name, address string
		tab           *drive.Tab
		page, menus   string
		files         []string
	}{
		{"the browser's", "/latchkey/?", german, "de", "de", []string{"de"}},
		{"that of lang= before the browser's", "/latchkey/?lang=fr-CA", german, "fr", "de", []string{"de.menu", "fr"}},
		{"English in a German browser", "/latchkey/?lang=en", german, "en", "de", []string{"de.menu"}},
		{"the login page's before the browser's", "/spanish", german, "es", "de", nil},
		{"that which is asked for, with menus in that which the browser is in", "/latchkey/?", english, "de", "en", []string{"de"}},
		{"one that is read the other way", "/latchkey/?lang=ar", english, "ar", "en", []string{"ar"}},
		{"English in an English browser", "/latchkey/?lang=en", english, "en", "en", []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := open(t, c.tab, site.URL+c.address)
			assert.Equal(t, "wasm", l.Tier)
			speaks(t, c.tab, "Chrome", c.page, c.menus)
			if c.files != nil {
				assert.Equal(t, c.files, wordFiles(t, c.tab), "nothing else is fetched")
			}
			quiet(t, l)
		})
	}
	t.Run("the frame's title", func(t *testing.T) {
		open(t, german, site.URL+"/spanish")
		wait(t, german, fmt.Sprintf(`document.querySelector("iframe").title === %q`, words(t, "es", "en").Text(nil, "ui.title")))
	})
	t.Run("switched", func(t *testing.T) {
		open(t, german, site.page("outcome=session_lost&reference=R-7"))
		clickIn(t, german, "#latchkey-still-button") // the first step did not help
		wait(t, german, `!!document.querySelector("[data-tried=allow-cookies]")`)
		settled(t, german)
		clickIn(t, german, "#latchkey-languages-summary")
		clickIn(t, german, "[data-language=fr]")
		wait(t, german, `document.documentElement.lang === "fr" && document.documentElement.getAttribute("data-latchkey-state") === "done"`)
		assert.Regexp(t, `outcome=session_lost&reference=R-7&tried=allow-cookies&before=[a-z,-]+&lang=fr$`, read[string](t, german, `location.search`))
		assert.True(t, read[bool](t, german, `!!document.querySelector("[data-tried=allow-cookies]")`), "the steps gone so far are kept")
		assert.Equal(t, "Français", read[string](t, german, `document.querySelector("[aria-current]").textContent`))
		german.Eval(t.Context(), `history.back()`, nil)
	})
}

// The script tier has no words of its own: the server answers in the page's language.
func TestLanguages_inTheScriptTier(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{Env: inGerman, Prefs: blocked("cookies"), Flags: jitless.Flags})
	for _, c := range []struct{ query, page string }{{"", "de"}, {"lang=fr", "fr"}} {
		l := open(t, tab, site.page(c.query))
		assert.Equal(t, "script", l.Tier)
		speaks(t, tab, "Chrome", c.page, "de")
	}
}

// Without scripts there are the browser's wish and links.
func TestLanguages_withoutScripts(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	prefs := blocked("javascript", "cookies")
	prefs["intl.selected_languages"] = "de-CH,de,en"
	tab := drive.OpenChromium(t, drive.Options{Prefs: prefs})
	const roundTrip = `/[?&]look=.*[?&]run=/.test(location.search)`
	visit(t, tab, site.page("outcome=session_lost&reference=R-7"))
	wait(t, tab, roundTrip)
	settled(t, tab)
	speaks(t, tab, "Chrome", "de", "de")
	clickIn(t, tab, "#latchkey-languages-summary")
	clickIn(t, tab, "[data-language=ar]")
	wait(t, tab, roundTrip+` && document.documentElement.lang === "ar"`)
	assert.Equal(t, "html", settled(t, tab).Tier)
	speaks(t, tab, "Chrome", "ar", "de")
	assert.Equal(t, "rtl", read[string](t, tab, `getComputedStyle(document.querySelector("main")).direction`))
	assert.Contains(t, read[string](t, tab, `location.search`), "outcome=session_lost")
	assert.Contains(t, read[string](t, tab, `location.search`), "reference=R-7")
}

func TestLanguages_inFirefox(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	p := drive.Open(t, drive.Firefox, prefs("intl.accept_languages", "de-CH,de,en", "network.cookie.cookieBehavior", 2))
	for _, c := range []struct{ query, page string }{{"", "de"}, {"lang=es", "es"}} {
		l := open(t, p, site.page(c.query))
		assert.Equal(t, "wasm", l.Tier)
		speaks(t, p, "Firefox", c.page, "en")
	}
}

// Whoever gets no words gets an answer, in English and without delay.
func TestLanguages_thatDoNotCome(t *testing.T) {
	t.Parallel()
	tab := drive.OpenChromium(t, drive.Options{Env: inGerman, Prefs: blocked("cookies")})
	for name, fault := range map[string]middleware{
		"not there":      instead("/latchkey/static/de.", http.NotFound),
		"something else": instead("/latchkey/static/de.", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<p>Sign in to the network") }),
	} {
		t.Run(name, func(t *testing.T) {
			site := startSite(t, fault)
			l := open(t, tab, site.page(""))
			assert.Equal(t, "wasm", l.Tier)
			speaks(t, tab, "Chrome", "en", "en")
		})
	}
	t.Run("silent", func(t *testing.T) {
		silent, release := held("/latchkey/static/de.")
		site := startSite(t, silent)
		t.Cleanup(release)
		l := open(t, tab, site.page(""))
		assert.Equal(t, "wasm", l.Tier)
		speaks(t, tab, "Chrome", "en", "en")
	})
}

// Nothing is cut off on the narrowest screen, in words that are longer than any and in
// such as are read from right to left.
func TestLanguages_fit(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{"en-XA", "ar-XB"} {
		t.Run(tag, func(t *testing.T) {
			words, err := text.In(tag, testkit.Pseudo(t, tag))
			require.NoError(t, err)
			url, stories := telling(t, words)
			tab := drive.OpenChromium(t, drive.Options{Width: 320, Height: 640})
			for _, s := range stories {
				visit(t, tab, url+"/"+s.Name+".html")
				do(t, tab, `[].forEach.call(document.querySelectorAll("details"), function (d) { d.open = true; })`)
				assert.Empty(t, read[[]string](t, tab, `(function () {
					var page = document.documentElement, out = [];
					[].forEach.call(document.querySelectorAll("body *"), function (n) {
						var r = n.getBoundingClientRect(), s = getComputedStyle(n);
						if (n.closest(".heard") || !r.width || s.visibility === "hidden") return;
						if (r.right > page.clientWidth + 0.5 || r.left < -0.5) out.push("beside the screen: " + n.outerHTML.slice(0, 120));
						if (n.scrollWidth > n.clientWidth + 1 && s.display !== "inline" && s.overflowX !== "visible" && s.overflowX !== "auto") out.push("cut off: " + n.outerHTML.slice(0, 120));
					});
					if (page.scrollWidth > page.clientWidth) out.push("scrolls sideways: " + page.scrollWidth);
					return out;
				})()`), s.Name)
			}
		})
	}
}
