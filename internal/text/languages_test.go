package text_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/testkit"
	"latchkey/internal/text"
)

func TestMatch_findsTheLanguageThatAPersonReads(t *testing.T) {
	there := []string{"ar", "de", "en", "fr", "pt", "pt-AO", "tl", "zh-Hans", "zh-Hant"}
	for wanted, want := range map[string]string{
		"de": "de", "de-CH": "de", "DE_ch": "de", "de-Latn-CH-1901": "de",
		"pt-BR": "pt", "pt-ao": "pt-AO",
		"fil": "tl", "fil-PH": "tl", "tl": "tl",
		"zh": "zh-Hans", "zh-CN": "zh-Hans", "zh-SG": "zh-Hans", "zh-Hans-HK": "zh-Hans",
		"zh-TW": "zh-Hant", "zh-HK": "zh-Hant", "zh-MO": "zh-Hant", "zh-hant": "zh-Hant", "zh-Hant-CN": "zh-Hant",
		"ar-EG": "ar", "en-US": "en",
		"nb": "", "nb-NO": "", "d": "", "dex": "", "": "", "*": "", "-": "", "zhx": "", "ptx-AO": "",
	} {
		assert.Equal(t, want, text.Match(there, wanted), wanted)
	}
	assert.Equal(t, "fr", text.Match(there, "nb", "", "fr-CA", "de"), "the first that there is")
	assert.Equal(t, "", text.Match([]string{"en"}, "zh-TW"))
	assert.Equal(t, "zh-HK", text.Match([]string{"zh-HK", "zh-Hant"}, "zh-HK"), "which an operator may have added")
}

func TestDir_isThatOfTheScript(t *testing.T) {
	for tag, want := range map[string]string{"en": "ltr", "zh-Hant": "ltr", "ar": "rtl", "ar-XB": "rtl", "fa": "rtl", "he": "rtl", "ur-PK": "rtl", "arn": "ltr", "": "ltr", "r": "ltr"} {
		assert.Equal(t, want, text.Dir(tag), tag)
	}
}

func TestIn_isEnglishWhereThereAreNoWords(t *testing.T) {
	c, err := text.In("de", []byte(`{"ui.again": "Noch einmal prüfen"}`))
	require.NoError(t, err)
	assert.Equal(t, "de", c.Lang())
	assert.Equal(t, "Noch einmal prüfen", c.Text(nil, "ui.again"))
	assert.Equal(t, "Close", c.Text(nil, "ui.close"))
	assert.Equal(t, "Browsers let us try this in a click only. Select “Noch einmal prüfen”.", c.Text(nil, "gap.click"), "a button of ours is named as it is called")
	_, err = text.In("de", []byte(`{"ui.again"`))
	assert.ErrorContains(t, err, "read catalogue")
}

func TestMenuWords_areThoseOfTheBrowser(t *testing.T) {
	in := func(lang, data string) *text.Catalogue {
		c, err := text.Parse(lang, []byte(data))
		require.NoError(t, err)
		return c
	}
	const steps = `"fix.x.steps": ["Select “Settings”, “Privacy”.", "At {site}"], "check.x.why": "Not “Settings”"`
	german := in("de", `{`+steps+`, "meta.quotes": "„“", "menu.Settings": "Einstellungen", "menu.Settings.safari-ios": "Einstell."}`)
	french := in("fr", `{"meta.quotes": "«`+"\u00a0\u00a0"+`»", `+steps+`, "menu.Settings": "Paramètres", "menu.Privacy": "Confidentialité"}`)
	arabic := in("ar", `{`+steps+`, "menu.Settings": "الإعدادات"}`)
	for _, c := range []struct {
		name            string
		page, menus     *text.Catalogue
		browser, system string
		want            string
	}{
		{"in the page's language, English if there is none", german, nil, "Chrome", "Windows", "Select „Einstellungen“, „Privacy“."},
		{"as this browser on this system has it", german, nil, "Safari", "iOS", "Select „Einstell.“, „Privacy“."},
		{"in a browser in another language", german, french, "Chrome", "Windows", "Select „Paramètres“, „Confidentialité“."},
		{"in an English browser", german, text.English(), "Chrome", "Windows", "Select „Settings“, „Privacy“."},
		{"in quotation marks with blanks", french, text.English(), "", "", "Select «\u00a0Settings\u00a0», «\u00a0Privacy\u00a0»."},
		{"kept apart in a page that is read the other way", arabic, text.English(), "", "", "Select “\u2068Settings\u2069”, “\u2068Privacy\u2069”."},
		{"kept apart in a browser that is read the other way", german, arabic, "", "", "Select „\u2068الإعدادات\u2069“, „Privacy“."},
	} {
		t.Run(c.name, func(t *testing.T) {
			words := c.page
			if c.menus != nil {
				words = words.WithMenus(c.menus)
			}
			args := diag.Args{"browser": c.browser, "system": c.system, "site": "portal.example"}
			assert.Equal(t, c.want, words.Lines(args, "fix.x.steps")[0])
		})
	}
	assert.Equal(t, "Not “Settings”", german.Text(nil, "check.x.why"), "only steps name menus")
	assert.Equal(t, "At \u2068portal.example\u2069", arabic.Lines(diag.Args{"site": "portal.example"}, "fix.x.steps")[1], "names are kept apart, too")
	assert.Equal(t, "At portal.example", german.Lines(diag.Args{"site": "portal.example"}, "fix.x.steps")[1])
}

func TestLoad_tellsAllThatIsWrong(t *testing.T) {
	own := fstest.MapFS{
		"sv.json": {Data: []byte(`{"meta.name": "Svenska", "meta.quotes": "”", "ui.nothing": "x", "ui.again": "", "ui.close": ["x"], "ui.title": 1, "ui.second.steps": ["a", "b"],
			"ui.count": "{n}", "fix.turn-on-javascript.steps.firefox-android": ["Välj “Tillägg” i {site}.", "Ladda om."], "menu.Extensions": ["a", "b"], "menu.No such word": "x"}`)},
		"Svenska.json": {Data: []byte(`{"meta.name": "x"}`)},
		"fi.json":      {Data: []byte(`{}`)},
		"readme.txt":   {Data: []byte(`not a language`)},
	}
	_, err := text.Load(own, nil, []string{"de-CH"})
	require.Error(t, err)
	got := strings.Split(err.Error(), "\n")
	require.Len(t, got, 12, err)
	for i, want := range []string{
		"Svenska.json: that is no language (hint: name it by its BCP 47 tag",
		"fi.json: meta.name is missing",
		`only: there is no "de-CH" (hint: there are`,
		"sv.json: fix.turn-on-javascript.steps.firefox-android: it names the menu words “Tillägg”, and English names “Extensions”",
		"sv.json: menu.Extensions: a menu word is one text",
		"sv.json: menu.No such word: there is no such key",
		"sv.json: meta.quotes: it is two quotation marks",
		"sv.json: ui.again: it is empty",
		"sv.json: ui.count: it has the placeholders {n}, and English has {label} {n}",
		"sv.json: ui.nothing: there is no such key",
		"sv.json: ui.second.steps: there are 2 texts, and 3 in English",
		"sv.json: ui.title: this is neither a text nor a list of texts",
	} {
		assert.Contains(t, got[i], want)
	}
}

func TestLoad_putsAnOperatorsWordsBeforeOurs(t *testing.T) {
	all, err := text.Load(fstest.MapFS{
		"en.json":    {Data: []byte(`{"ui.help": "Stuck?"}`)},
		"nb-NO.json": {Data: []byte(`{"meta.name": "Norsk", "ui.help": "Trenger du hjelp?", "menu.Settings": "Innstillinger"}`)},
	}, map[string]map[string]json.RawMessage{"en": {"ui.close": []byte(`"Shut"`)}}, []string{"nb-NO"})
	require.NoError(t, err)
	require.Len(t, all, 2)
	english, norwegian := all[0], all[1]
	assert.Equal(t, "Stuck?", english.Words.Text(nil, "ui.help"))
	assert.Equal(t, "Shut", english.Words.Text(nil, "ui.close"))
	assert.JSONEq(t, `"Stuck?"`, string(field(t, english.File, "ui.help")), "which the WebAssembly does not hold")
	assert.Nil(t, english.Menus)
	assert.Equal(t, "Norsk", norwegian.Name)
	assert.Equal(t, "Trenger du hjelp?", norwegian.Words.Text(nil, "ui.help"))
	assert.JSONEq(t, `{"menu.Settings": "Innstillinger"}`, string(norwegian.Menus))
}

func field(t *testing.T, data []byte, key string) json.RawMessage {
	t.Helper()
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &all))
	return all[key]
}

func TestPseudo_isALanguageLikeOthers(t *testing.T) {
	for _, tag := range []string{"en-XA", "ar-XB"} {
		all, err := text.Load(fstest.MapFS{tag + ".json": {Data: testkit.Pseudo(t, tag)}}, nil, nil)
		require.NoError(t, err)
		for _, l := range all {
			if l.Tag == tag {
				assert.Regexp(t, `^⟦.*⟧$`, l.Words.Text(nil, "ui.title"))
			}
		}
	}
}

// translations are the languages other than English, as their files have them.
func translations(t *testing.T) map[string]map[string]json.RawMessage {
	t.Helper()
	names, err := filepath.Glob("*.json")
	require.NoError(t, err)
	all := map[string]map[string]json.RawMessage{}
	for _, name := range names {
		if name == "en.json" {
			continue
		}
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		var words map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(data, &words), name)
		all[strings.TrimSuffix(name, ".json")] = words
	}
	return all
}

func TestTranslations_areWhole(t *testing.T) {
	for tag, words := range translations(t) {
		t.Run(tag, func(t *testing.T) {
			assert.Empty(t, text.Wrong(words))
			keys := append(text.English().Keys(), "meta.name", "meta.quotes", "meta.review")
			for _, word := range text.MenuWords() {
				keys = append(keys, "menu."+word)
			}
			missing := slices.DeleteFunc(keys, func(key string) bool { _, ok := words[key]; return ok })
			assert.Empty(t, missing, "%d keys have no words", len(missing))
			var review []string
			require.NoError(t, json.Unmarshal(words["meta.review"], &review))
			for _, key := range review {
				assert.NotNil(t, words[key], "%s is to be reviewed and not there", key)
			}
		})
	}
}

func TestTranslations_areListed(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- Generated from the files by the tests of this package: make golden. Do not edit. -->\n\n# Languages\n\n")
	b.WriteString("English is in the WebAssembly; a browser fetches another language's file, or of a language that only its menus are in the menu words.\n")
	b.WriteString("A translation has every key of English, and each of the menu words that its steps name. Keys for review are those whose translation\nsomebody who speaks the language should check; they are in its file, under `meta.review`.\n\n")
	b.WriteString("| tag | name | keys | menu words | for review | bytes | brotli | menus alone, brotli |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	files := translations(t)
	english, err := os.ReadFile("en.json")
	require.NoError(t, err)
	for _, l := range text.Languages() {
		file, words := files[l.Tag], l.File
		if l.Tag == "en" {
			words = english
		}
		menus := 0
		var review []string
		if data, ok := file["meta.review"]; ok {
			require.NoError(t, json.Unmarshal(data, &review))
		}
		for key := range file {
			if strings.HasPrefix(key, "menu.") {
				menus++
			}
		}
		keys := 0
		for _, key := range text.English().Keys() {
			if _, ok := file[key]; ok || l.Tag == "en" {
				keys++
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %d | %d | %d | %d | %d | %d |\n", l.Tag, l.Name, keys, menus, len(review), len(words), packed(t, words), packed(t, l.Menus))
	}
	testkit.Golden(t, "../README.md", []byte(b.String()))
}

func packed(t *testing.T, data []byte) int {
	t.Helper()
	if data == nil {
		return 0
	}
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, brotli.BestCompression)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Len()
}
