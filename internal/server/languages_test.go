package server

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"latchkey/internal/evidence"
	"latchkey/internal/testkit"
	"latchkey/internal/text"
)

// spoken is a server with languages of its own beside those that are built in.
func spoken(t *testing.T, files map[string]string, change ...func(*Options)) *server {
	t.Helper()
	own := fstest.MapFS{}
	for name, data := range files {
		own[name] = &fstest.MapFile{Data: []byte(data)}
	}
	all, err := text.Load(own, nil, nil)
	require.NoError(t, err)
	o := testOptions(t)
	o.Config.Languages = all
	for _, c := range change {
		c(&o)
	}
	return testServer(t, o)
}

// nordic are three languages that few words are enough for.
var nordic = map[string]string{
	"sv.json": `{"meta.name": "Svenska", "meta.quotes": "””", "ui.title": "Varför du inte kan logga in", "fix.turn-on-javascript.steps.firefox-android":
		["Välj ⋮, “Extensions” för {site}.", "Ladda om."], "menu.Extensions": "Tillägg"}`,
	"he.json": `{"meta.name": "עברית", "meta.quotes": "„”", "ui.title": "כותרת", "menu.Extensions": "הרחבות"}`,
	"da.json": `{"meta.name": "Dansk", "ui.title": "Hvorfor du ikke kan logge ind", "menu.Extensions": "Udvidelser"}`,
}

func TestPage_isInTheLanguageThat(t *testing.T) {
	h := spoken(t, nordic).handler()
	for _, c := range []struct{ name, query, accept, want string }{
		{"its address names", "lang=sv", "da", "sv"},
		{"its address names, which embed.js takes from the login page, with a region", "lang=sv-FI", "", "sv"},
		{"the browser likes best where there is none of the address", "lang=tlh", "da, sv;q=0.9", "da"},
		{"the browser likes best", "", "sv;q=0.5, da;q=0.8, en;q=0.1", "da"},
		{"the browser likes second where there is none of the first", "", "nn-NO, sv;q=0.8, en;q=0.7", "sv"},
		{"everybody gets", "", "", "en"},
		{"everybody gets who can read none", "lang=tlh", "nn, *;q=0.5", "en"},
		{"a browser does not refuse", "", "da;q=0, sv;q=0.1", "sv"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ask(h, "GET", "/latchkey/?"+c.query, "Accept-Language", c.accept)
			assert.Contains(t, bodyOf(t, r), `<html lang="`+c.want+`" dir="ltr"`)
			assert.Contains(t, strings.Join(r.Header.Values("Vary"), ","), "Accept-Language")
		})
	}
}

func TestPage_saysWhichWayItIsRead(t *testing.T) {
	h := spoken(t, nordic).handler()
	for _, path := range []string{"/latchkey/?", "/latchkey/frame?", "/latchkey/phone?", "/latchkey/it?"} {
		assert.Contains(t, bodyOf(t, ask(h, "GET", path+"lang=he")), `<html lang="he" dir="rtl"`, path)
	}
}

func TestSteps_nameMenusAsTheBrowserDoes(t *testing.T) {
	srv := spoken(t, nordic)
	h := srv.handler()
	const firefox = "Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0"
	steps := func(query, accept string) string {
		body := bodyOf(t, ask(h, "GET", "/latchkey/?look=noscript&run="+srv.newRun()+"&"+query, "Accept-Language", accept, "User-Agent", firefox))
		m := regexp.MustCompile(`<li>([^<]*⋮[^<]*)</li>`).FindStringSubmatch(body)
		require.NotNil(t, m, body)
		return html.UnescapeString(m[1])
	}
	for _, c := range []struct{ name, query, accept, want string }{
		{"in the page's own language", "lang=sv", "sv", "Välj ⋮, ”Tillägg” för this site."},
		{"in another one, in the page's quotation marks", "lang=sv", "da, sv;q=0.5", "Välj ⋮, ”Udvidelser” för this site."},
		{"in English", "lang=sv", "en-GB", "Välj ⋮, ”Extensions” för this site."},
		{"in a language that we have none of", "lang=sv", "fi, sv;q=0.5", "Välj ⋮, ”Extensions” för this site."},
		{"in one that is written the other way, kept apart", "lang=sv", "he", "Välj ⋮, ”\u2068הרחבות\u2069” för this site."},
		{"as a script has told", "lang=sv&menus=da-DK", "sv", "Välj ⋮, ”Udvidelser” för this site."},
		{"in an English page of a Danish browser", "lang=en", "da", "Select ⋮, “Udvidelser”, your script blocker, and allow this site in it."},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, steps(c.query, c.accept)) })
	}
}

func TestDiagnose_answersInThePagesLanguage(t *testing.T) {
	h := spoken(t, nordic).handler()
	r := httptest.NewRequest("POST", "/latchkey/diagnose?lang=sv&menus=da&run=&running=1", strings.NewReader(`{}`))
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", "he")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	assert.Contains(t, w.Body.String(), "Varför du inte kan logga in")
}

func TestPage_offersEveryLanguageAndKeepsWhatTheAddressSays(t *testing.T) {
	s := spoken(t, nordic)
	page := bodyOf(t, ask(s.handler(), "GET", `/latchkey/frame?outcome=account_locked&reference=%22%3E%3Cb%3E&lang=sv&tried=wait-for-unlock&before=account-locked&look=noscript&run=`+s.newRun()))
	links := regexp.MustCompile(`<a href="([^"]*)" lang="([^"]*)" hreflang="[^"]*" dir="([^"]*)" data-language="[^"]*"([^>]*)>([^<]*)</a>`).FindAllStringSubmatch(page, -1)
	require.Len(t, links, len(s.languages))
	now := 0
	for _, l := range links {
		to, tag := html.UnescapeString(l[1]), l[2]
		assert.Contains(t, to, "lang="+tag)
		assert.Contains(t, to, "outcome=account_locked&reference=%22%3E%3Cb%3E")
		assert.Contains(t, to, "look=noscript")
		assert.Contains(t, to, "tried=wait-for-unlock")
		assert.Contains(t, to, "before=account-locked")
		assert.Equal(t, text.Dir(tag), l[3])
		if strings.Contains(l[4], "aria-current") {
			now++
			assert.Equal(t, "Svenska", l[5])
		}
	}
	assert.Equal(t, 1, now, "one of them is the page's")
	assert.NotContains(t, page, `"><b>`)
}

func TestPage_offersNoChoiceWhereThereIsNone(t *testing.T) {
	only, err := text.Load(nil, nil, []string{"en"})
	require.NoError(t, err)
	o := testOptions(t)
	o.Config.Languages = only
	assert.NotContains(t, bodyOf(t, ask(testServer(t, o).handler(), "GET", "/latchkey/")), "languages")
}

// The addresses of words are content-hashed, like those of all static files.
func TestWords_areFetchedOnceAndKept(t *testing.T) {
	s := spoken(t, nordic)
	page := bodyOf(t, ask(s.handler(), "GET", "/latchkey/?lang=sv"))
	var config struct {
		Lang, Words string
		Menus       map[string]string
	}
	m := regexp.MustCompile(`id="latchkey-config">([^<]*)</script>`).FindStringSubmatch(page)
	require.NotNil(t, m)
	require.NoError(t, json.Unmarshal([]byte(m[1]), &config))
	assert.Equal(t, "sv", config.Lang)
	assert.Regexp(t, `^/latchkey/static/sv\.[0-9a-f]{12}\.json$`, config.Words)
	assert.Regexp(t, `^/latchkey/static/da\.menu\.[0-9a-f]{12}\.json$`, config.Menus["da"])
	assert.NotContains(t, config.Menus, "sv", "they are among the page's words")

	for address, want := range map[string]string{config.Words: `"ui.title":"Varför du inte kan logga in"`, config.Menus["da"]: `{"menu.Extensions":"Udvidelser"}`} {
		for _, coding := range []string{"br", "gzip", ""} {
			r := ask(s.handler(), "GET", address, "Accept-Encoding", coding)
			assert.Equal(t, coding, r.Header.Get("Content-Encoding"))
			assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
			assert.Equal(t, "public, max-age=31536000, immutable", r.Header.Get("Cache-Control"))
			if coding == "" {
				assert.Contains(t, bodyOf(t, r), want)
			}
		}
	}
	english := bodyOf(t, ask(s.handler(), "GET", "/latchkey/?lang=en"))
	assert.NotContains(t, english, `"words":`, "the WebAssembly has them")
}

func TestNew_missesWordsThatWereNotBuilt(t *testing.T) {
	all := append([]text.Language{}, text.Languages()...)
	all = append(all, text.Language{Tag: "sv", Name: "Svenska", Words: text.English(), File: []byte("{}")})
	o := testOptions(t)
	o.Config.Languages = all
	_, err := New(o)
	assert.ErrorContains(t, err, "run make wasm")
}

func TestParseConfig_readsLanguages(t *testing.T) {
	dir := t.TempDir()
	file := func(name, data string) {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "lang"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "lang", name), []byte(data), 0o644))
	}
	load := func(yaml string) (Config, error) {
		return ParseConfig([]byte(yaml), filepath.Join(dir, "latchkey.yaml"))
	}
	file("sv.json", `{"meta.name": "Svenska", "ui.again": "Kolla igen"}`)
	c, err := load("languages: {dir: ./lang, only: [sv]}")
	require.NoError(t, err)
	require.Len(t, c.Languages, 2, "and English")
	assert.Equal(t, "Kolla igen", c.Languages[1].Words.Text(nil, "ui.again"))
	assert.Equal(t, "Close", c.Languages[1].Words.Text(nil, "ui.close"), "which it does not say")

	file("fi.json", `{"ui.agian": "x", "ui.count": "{label} {m}"}`)
	_, err = load("site: {nmae: x}\nlanguages: {dir: ./lang, only: [sw]}")
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 5, err)
	for i, want := range []string{
		`:1: site.nmae: there is no such key`,
		`:2: languages: fi.json: meta.name is missing`,
		`:2: languages: fi.json: ui.agian: there is no such key`,
		`:2: languages: fi.json: ui.count: it has the placeholders {label} {m}, and English has {label} {n}`,
		`:2: languages: only: there is no "sw" (hint: there are `,
	} {
		assert.Contains(t, lines[i], want)
	}

	c, err = load("languages: {words: {en: {check.account-locked.why: Call the front desk., fix.wait-for-unlock.steps: [Call 555-0100., Say who you are.]}}}")
	require.NoError(t, err)
	english := c.Languages[slices.IndexFunc(c.Languages, func(l text.Language) bool { return l.Tag == "en" })]
	assert.Equal(t, "Call the front desk.", english.Words.Text(nil, "check.account-locked.why"))
	assert.Equal(t, []string{"Call 555-0100.", "Say who you are."}, english.Words.Lines(nil, "fix.wait-for-unlock.steps"))
	for yaml, want := range map[string]string{
		"languages: {words: {en: {check.acount-locked.why: x}}}":       "latchkey.yaml:1: languages: en: check.acount-locked.why: there is no such key",
		"languages: {words: {en: {check.account-locked.why: {a: b}}}}": "en: check.account-locked.why: this is neither a text nor a list of texts",
		"languages: {words: {check.account-locked.why: x}}":            "languages.words: is not a mapping of languages to texts by their keys (hint: write it like",
	} {
		_, err = load(yaml)
		assert.ErrorContains(t, err, want)
	}

	_, err = load("languages: {dir: ./elsewhere}")
	assert.ErrorContains(t, err, "there is no directory "+filepath.Join(dir, "elsewhere"))
	file("de.json", `["x"]`)
	_, err = load("languages: {dir: lang}")
	assert.ErrorContains(t, err, "de.json: json: cannot unmarshal array")
}

// Whatever people read on our pages is the catalogue's.
func TestPages_haveNoWordsOfTheirOwn(t *testing.T) {
	s := spoken(t, map[string]string{"en-XA.json": string(testkit.Pseudo(t, "en-XA"))}, func(o *Options) {
		o.Config.Embed.Origins = []string{"https://portal.example"}
		o.Config.Support = Support{Phone: "555-0100", Email: "help@portal.example", Hours: "Mon–Fri", URL: "https://portal.example/help"}
	})
	h := s.handler()
	known := []string{"this site", "help@portal.example", "Mon–Fri", "https://portal.example/help", "example.com"}
	for _, l := range s.languages {
		known = append(known, l.Name)
	}
	get := func(path string) string { return bodyOf(t, ask(h, "GET", "/latchkey"+path)) }
	pages := map[string]string{}
	for _, o := range evidence.Outcomes {
		pages[string(o)] = get("/?lang=en-XA&menus=en-XA&outcome=" + string(o))
	}
	pages["frame"] = get("/frame?lang=en-XA&menus=en-XA&outcome=invalid_credentials")
	pages["second look"] = get("/?lang=en-XA&menus=en-XA&with=7K3FQ2M9")
	pages["phone"] = get("/phone?lang=en-XA&menus=en-XA&pair=7K3FQ2M9")
	pages["IT"] = get("/it?lang=en-XA&found=script-blocked,network-intercepted&at=1772625600000&zone=60")
	pages["storage access"] = get("/third/ask?lang=en-XA&for=https://portal.example")
	pages["refused"] = func() string {
		w := httptest.NewRecorder()
		s.tooManyPage(w, httptest.NewRequest(http.MethodGet, "/latchkey/?lang=en-XA", nil))
		b, err := io.ReadAll(w.Result().Body)
		require.NoError(t, err)
		return string(b)
	}()
	for name, page := range pages {
		assert.Contains(t, page, "⟦", name)
		assert.Empty(t, testkit.Untranslated(t, page, known...), name)
	}
	var config phoneConfig
	m := regexp.MustCompile(`id="latchkey-phone-config">([^<]*)</script>`).FindStringSubmatch(pages["phone"])
	require.NotNil(t, m)
	require.NoError(t, json.Unmarshal([]byte(m[1]), &config))
	for name, said := range config.Words {
		assert.Empty(t, testkit.Untranslated(t, said), "phone.js writes %s", name)
	}
	for _, unit := range config.Units {
		assert.Empty(t, testkit.Untranslated(t, unit.Words+unit.One))
	}
}
