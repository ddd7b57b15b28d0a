package text_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/checks"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/text"
)

// The names that variants of words end with: browsers, systems, the apps that
// show pages in a small browser of their own, and the reasons that a finding
// gives.
var (
	browsers = []string{"chrome", "edge", "firefox", "safari", "samsung-internet", "opera", "vivaldi", "ie",
		"360", "android-webview", "brave", "maxthon", "opera-mini", "qq-browser", "sogou"}
	systems = []string{"windows", "macos", "ios", "ipados", "android", "chromeos", "linux"}
	apps    = []string{"alipay", "dingtalk", "discord", "facebook", "google-app", "instagram", "kakaotalk", "line",
		"linkedin", "messenger", "outlook", "pinterest", "qq", "reddit", "slack", "snapchat", "teams", "telegram",
		"threads", "tiktok", "viber", "wechat", "weibo", "whatsapp", "x", "zalo"}
	reasons = []string{"share", "worker", "stripped", "seconds", "absent", "no-compiler", "policy", "content-type", "lockdown",
		"data-saving", "explorer", "shell", "stuck", "unnamed", "restored", "discarded", "newer", "stub", "once", "unclear", "files",
		"form", "inline", "stream", "type", "unpacked", "lossy", "translated", "outage", "deploy", "family"}
)

// features are the things a browser may lack, by the ids of the check
// browser-lacks-feature.
var features = []string{"broadcast-channel", "clipboard", "container-queries", "credential-management", "crypto-subtle",
	"css-grid", "custom-elements", "dialog", "es2020", "es2022", "fetch", "has-selector", "indexed-db", "modules",
	"popover", "promise", "service-worker", "shadow-dom", "structured-clone", "wasm", "web-locks", "web-sockets",
	"webauthn", "webgl"}

// offApp are what the words for leaving an app are told apart by; other words
// are told apart by browsers.
func offApp(base string) bool { return strings.HasPrefix(base, "fix.open-in-browser.") }

// entry is one text, or one step, with the key that it stands under.
type entry struct{ key, text string }

// entries are all texts and steps whose keys begin with one of the prefixes.
func entries(c *text.Catalogue, prefixes ...string) []entry {
	var out []entry
	for _, key := range keys(c, prefixes...) {
		for _, line := range raw(c, key) {
			out = append(out, entry{key, line})
		}
	}
	return out
}

func keys(c *text.Catalogue, prefixes ...string) []string {
	return slices.DeleteFunc(c.Keys(), func(key string) bool {
		return !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
	})
}

// raw gives the words of a key with their placeholders still in them.
func raw(c *text.Catalogue, key string) []string {
	keep := diag.Args{}
	for _, name := range []string{"age", "canonical", "found", "app", "part", "purpose", "browser", "direction", "feature", "host", "provider", "released", "site", "size", "stores", "support",
		"system", "type", "version", "wanted"} {
		keep[name] = "{" + name + "}"
	}
	return c.Lines(keep, key)
}

func all(t *testing.T) []entry {
	t.Helper()
	out := entries(text.English(), "check.", "fix.")
	require.NotEmpty(t, out)
	return out
}

func TestParseReadsTextsAndLists(t *testing.T) {
	c, err := text.Parse("en", []byte(`{"b": ["one", "two"], "a": "alone"}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, c.Keys())
	assert.Equal(t, []string{"alone"}, c.Lines(nil, "a"))
	assert.Equal(t, []string{"one", "two"}, c.Lines(nil, "b"))
	assert.Equal(t, "one two", c.Text(nil, "b"))
	assert.True(t, c.Has("b"))
	assert.False(t, c.Has("c"))
}

func TestParseRefusesWhatIsNoCatalogue(t *testing.T) {
	for name, data := range map[string]string{
		"nothing":          ``,
		"cut short":        `{"a": "x`,
		"a list":           `["a"]`,
		"a number":         `{"a": 1}`,
		"a list of others": `{"a": [1]}`,
		"an object":        `{"a": {"b": "c"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := text.Parse("en", []byte(data))
			assert.ErrorContains(t, err, "read catalogue")
		})
	}
}

func TestWordsAreThoseOfTheFirstKnownKey(t *testing.T) {
	c := parse(t, `{"a": "A", "b": "B"}`)
	for name, tt := range map[string]struct {
		keys []string
		want string
	}{
		"the first":               {[]string{"a", "b"}, "A"},
		"the second":              {[]string{"x", "b", "a"}, "B"},
		"none: the key, as it is": {[]string{"x", "y"}, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, c.Text(nil, tt.keys...))
		})
	}
	assert.Nil(t, c.Lines(nil, "x"), "no steps are better than a step that is a key")
}

func TestPlaceholdersAreFilled(t *testing.T) {
	c := parse(t, `{"value.site": "this site", "word.ahead": "vor", "unit.minutes": "{n} min",
		"one": "{site}", "two": "{a}{b} and {a}", "steps": ["at {site}", "on {a}"]}`)
	for name, tt := range map[string]struct {
		key  string
		args diag.Args
		want string
	}{
		"a text":                      {"one", diag.Args{"site": "example.org"}, "example.org"},
		"no value":                    {"one", nil, "this site"},
		"an empty value":              {"one", diag.Args{"site": ""}, "this site"},
		"a value of an unknown kind":  {"one", diag.Args{"site": []int{1}}, "this site"},
		"no value and no words":       {"two", diag.Args{"a": "x"}, "xvalue.b and x"},
		"numbers":                     {"two", diag.Args{"a": 15, "b": 0.5}, "150.5 and 15"},
		"a word of the language":      {"two", diag.Args{"a": diag.Word("ahead"), "b": diag.Seconds(600)}, "vor10 min and vor"},
		"every step":                  {"steps", diag.Args{"a": "b"}, "at this site on b"},
		"a value that looks like one": {"one", diag.Args{"site": "{a}"}, "{a}"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, c.Text(tt.args, tt.key))
		})
	}
}

func TestUnbalancedBracesAreKept(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"{", "{"},
		{"}", "}"},
		{"a {b", "a {b"},
		{"a} b", "a} b"},
		{"{x} {", "X {"},
		{"{x", "{x"},
		{"", ""},
	} {
		t.Run(tt.in, func(t *testing.T) {
			data, err := json.Marshal(map[string]string{"key": tt.in})
			require.NoError(t, err)
			assert.Equal(t, tt.want, parse(t, string(data)).Text(diag.Args{"x": "X"}, "key"))
		})
	}
}

func TestLengthsOfTimeAreToldInTheUnitThatTellsMost(t *testing.T) {
	for _, tt := range []struct {
		seconds diag.Seconds
		want    string
	}{
		{0, "0 seconds"},
		{61.4, "61 seconds"},
		{90, "90 seconds"},
		{119, "119 seconds"},
		{120, "2 minutes"},
		{600, "10 minutes"},
		{3600, "1 hour"},
		{3590, "1 hour"},
		{7200, "2 hours"},
		{86400, "1 day"},
		{3 * 86400, "3 days"},
		{365 * 86400, "365 days"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			got := text.English().Text(diag.Args{"size": tt.seconds, "direction": diag.Word("behind")}, "check.clock-wrong.title")
			assert.Equal(t, "This computer's clock is "+tt.want+" behind", got)
		})
	}
}

func TestVariantsGoFromTheMostFittingToAll(t *testing.T) {
	for name, tt := range map[string]struct {
		browser, system string
		want            []string
	}{
		"both known":       {"Chrome", "Android", []string{"k.chrome-android", "k.chrome", "k.android", "k"}},
		"names of words":   {"Samsung Internet", "ChromeOS", []string{"k.samsung-internet-chromeos", "k.samsung-internet", "k.chromeos", "k"}},
		"only the browser": {"Safari", "", []string{"k.safari", "k"}},
		"only the system":  {"", "iPadOS", []string{"k.ipados", "k"}},
		"nothing known":    {"", "", []string{"k"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, text.Variants("k", tt.browser, tt.system))
		})
	}
}

func TestTheFileNamesEachKeyOnce(t *testing.T) {
	data, err := os.ReadFile("en.json")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  "([^"]+)":`).FindAllStringSubmatch(string(data), -1) {
		assert.False(t, seen[m[1]], "%s stands there twice: the first is lost", m[1])
		seen[m[1]] = true
	}
	assert.Len(t, seen, len(text.English().Keys()), "each key begins a line")
}

func TestEveryCheckAndFixHasItsWords(t *testing.T) {
	c, set := text.English(), checks.Catalogue()
	for _, check := range set.Checks {
		for _, part := range []string{".name", ".title", ".why"} {
			assert.True(t, c.Has("check."+check.ID+part), "check.%s%s", check.ID, part)
		}
	}
	for _, fix := range set.Fixes {
		for _, part := range []string{".title", ".steps"} {
			assert.True(t, c.Has("fix."+fix.ID+part), "fix.%s%s", fix.ID, part)
		}
	}
}

func TestEveryKeyBelongsToACheckOrFix(t *testing.T) {
	set := checks.Catalogue()
	owners := map[string]string{}
	for _, check := range set.Checks {
		owners["check."+check.ID] = "name title why"
	}
	for _, fix := range set.Fixes {
		owners["fix."+fix.ID] = "title steps"
	}
	combined := func(names []string) []string {
		variants := slices.Concat(names, systems)
		for _, n := range names {
			for _, s := range systems {
				variants = append(variants, n+"-"+s)
			}
		}
		return variants
	}
	ofBrowsers, ofApps := combined(browsers), combined(apps)
	for _, key := range keys(text.English(), "check.", "fix.") {
		p := strings.Split(key, ".")
		parts, ok := owners[strings.Join(p[:min(2, len(p))], ".")]
		assert.True(t, ok, "%s: no such check or fix", key)
		if !assert.Contains(t, []int{3, 4}, len(p), key) {
			continue
		}
		assert.Contains(t, strings.Fields(parts), p[2], key)
		if len(p) == 4 {
			known := ofBrowsers
			if p[0] == "check" {
				known = slices.Concat(ofBrowsers, reasons)
			}
			if offApp(key) {
				known = ofApps
			}
			assert.Contains(t, known, p[3], "%s: no such browser, app, system or reason", key)
		}
	}
}

func TestWhatFollowsFromASecondLookHasItsWords(t *testing.T) {
	c, said := text.English(), []string{}
	one := evidence.Names{"clock-wrong"}
	for _, look := range []evidence.Comparison{{Gone: one}, {Gone: one, Stayed: one}, {Stayed: one}} {
		var all evidence.Comparisons
		for _, look.Under = range []evidence.Condition{evidence.PrivateWindow, evidence.OtherNetwork, evidence.OtherDevice} {
			all = append(all, look)
		}
		for _, f := range diag.Conclude(all) {
			assert.True(t, c.Has("compare."+f.ID), f.ID)
			said = append(said, "compare."+f.ID)
		}
	}
	assert.ElementsMatch(t, said, keys(c, "compare."), "and no more")
}

func TestStepsAreShortAndFew(t *testing.T) {
	c := text.English()
	for _, key := range keys(c, "fix.") {
		lines := raw(c, key)
		assert.NotEmpty(t, lines, key)
		assert.LessOrEqual(t, len(lines), 6, key)
		for _, line := range lines {
			assert.NotEmpty(t, line, key)
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 140, "%s: %s", key, line)
		}
	}
}

func TestTitlesAreShortAndCarryNoFullStop(t *testing.T) {
	for _, e := range all(t) {
		if part := strings.Split(e.key, ".")[2]; part == "title" || part == "name" {
			assert.LessOrEqual(t, utf8.RuneCountInString(e.text), 70, e.key)
			assert.NotRegexp(t, `[.:]$`, e.text, e.key)
		} else {
			assert.Regexp(t, `[.?”]$`, e.text, e.key)
		}
	}
}

func TestNoWordIsOneOfThoseThatWeDoNotUse(t *testing.T) {
	anywhere := regexp.MustCompile(`(?i)!|"|\b(oops|simply|please|just|click(ing)? here|sorry|unfortunately|wrongly|invalid user)\b|` +
		`(clear|delete|remove)( all)?( your)? cookies\b|(turn|switch) off (your )?(antivirus|firewall|security)`)
	inTitles := regexp.MustCompile(`(?i)\b(samesite|csp|content-security-policy|skew|jit|iframe|localstorage|indexeddb|tls|dns|` +
		`http|csrf|token|oauth|saml|mfa|totp|url|domain|cache|captcha|session)\b`)
	for _, e := range append(all(t), entries(text.English(), "gap.", "ui.", "value.")...) {
		// A browser's own words for a button stay as they are.
		own := regexp.MustCompile(`“Clear cookies and site data”`).ReplaceAllString(e.text, "")
		assert.NotRegexp(t, anywhere, own, e.key)
		if strings.Contains(e.key, ".title") {
			assert.NotRegexp(t, inTitles, e.text, e.key)
		}
	}
}

func TestPlaceholdersAlwaysHaveAValueOrWordsForItsAbsence(t *testing.T) {
	c := text.English()
	data, err := os.ReadFile("en.json")
	require.NoError(t, err)
	var file map[string]any
	require.NoError(t, json.Unmarshal(data, &file))
	given := map[string][]string{
		"check.clock-wrong.title": {"size", "direction"}, "check.clock-unstable.title": {"size", "direction"}, "check.clock-time-zone.why": {"size", "direction"},
		"check.clock-phone-wrong.title":  {"size", "direction"},
		"check.server-clock-wrong.title": {"size", "direction"},
	}
	for key, value := range file {
		if !strings.HasPrefix(key, "check.") && !strings.HasPrefix(key, "fix.") {
			continue
		}
		words, err := json.Marshal(value)
		require.NoError(t, err)
		s := string(words)
		found := regexp.MustCompile(`\{([a-z]+)\}`).FindAllStringSubmatch(s, -1)
		assert.Equal(t, strings.Count(s, "{"), len(found), "%s: braces hold a name", key)
		assert.Equal(t, strings.Count(s, "}"), len(found), "%s: braces hold a name", key)
		for _, m := range found {
			p := strings.Join(strings.Split(key, ".")[:3], ".")
			assert.True(t, c.Has("value."+m[1]) || slices.Contains(given[p], m[1]), "%s: {%s}", key, m[1])
		}
	}
}

// The words for an absent value are those of the middle of a sentence.
func TestNoSentenceBeginsWithAPlaceholder(t *testing.T) {
	for _, e := range all(t) {
		assert.NotRegexp(t, `(^|[.?] )“?\{`, e.text, e.key)
	}
}

func TestNoScreenShowsAKeyOrABrace(t *testing.T) {
	c, set := text.English(), checks.Catalogue()
	for _, b := range slices.Concat([]string{""}, browsers, apps) {
		for _, s := range append([]string{""}, systems...) {
			var shown []string
			args := diag.Args{"size": diag.Seconds(240), "direction": diag.Word("ahead"), "feature": diag.Word("webauthn")}
			for _, check := range set.Checks {
				for _, part := range []string{".name", ".title", ".why"} {
					shown = append(shown, c.Text(args, text.Variants("check."+check.ID+part, b, s)...))
				}
			}
			for _, fix := range set.Fixes {
				shown = append(shown, c.Text(nil, text.Variants("fix."+fix.ID+".title", b, s)...))
				shown = append(shown, c.Lines(nil, text.Variants("fix."+fix.ID+".steps", b, s)...)...)
			}
			for _, line := range shown {
				require.NotRegexp(t, `[{}]|^(check|fix)\.|(value|word|unit)\.[a-z]`, line, "%s on %s", b, s)
			}
		}
	}
}

// nextBest gives the words that would be shown if key had none.
func nextBest(c *text.Catalogue, key string) []string {
	p := strings.Split(key, ".")
	base, variant := strings.Join(p[:3], "."), p[3]
	for _, s := range systems {
		if b, ok := strings.CutSuffix(variant, "-"+s); ok {
			return c.Lines(nil, base+"."+b, base+"."+s, base)
		}
	}
	return c.Lines(nil, base)
}

func TestEveryVariantSaysSomethingElse(t *testing.T) {
	c := text.English()
	for _, key := range keys(c, "check.", "fix.") {
		if strings.Count(key, ".") == 3 {
			assert.NotEqual(t, nextBest(c, key), c.Lines(nil, key), "%s can go", key)
		}
	}
}

// Menu words age, so testdata/verified.json says of each set of steps for one
// browser, app or system how far they can be trusted. "verified": its menu
// words were read from a running browser or that browser's own text file
// (Chromium 156 and Firefox 153 on Linux, 2026-11). "unverified": they come
// from vendors' pages and experience and nobody has followed them on a device
// yet.
func TestStepsSayWhetherTheirMenuWordsWereVerified(t *testing.T) {
	c := text.English()
	data, err := os.ReadFile("testdata/verified.json")
	require.NoError(t, err)
	var trust struct{ Verified, Unverified []string }
	require.NoError(t, json.Unmarshal(data, &trust))
	require.NotEmpty(t, trust.Verified)
	require.NotEmpty(t, trust.Unverified)
	listed := slices.Concat(trust.Verified, trust.Unverified)
	slices.Sort(listed)
	assert.Equal(t, slices.Compact(slices.Clone(listed)), listed, "each key stands in one list, once")
	for _, key := range listed {
		assert.True(t, c.Has(key), "%s is listed, but has no words", key)
	}
	for _, key := range keys(c, "fix.") {
		if strings.Contains(key, ".steps.") {
			assert.Contains(t, listed, key, "say whether somebody read its menu words off a device")
		}
	}
}

func TestStepsFitTheBrowserAndSystem(t *testing.T) {
	c := text.English()
	for name, tt := range map[string]struct {
		fix, browser, system string
		want                 string
	}{
		"Chrome on a desk":             {"allow-cookies", "Chrome", "Windows", "chrome://settings/content/siteData"},
		"Chrome on Android":            {"allow-cookies", "Chrome", "Android", "“On-device site data”"},
		"Chrome on an iPhone":          {"allow-cookies", "Chrome", "iOS", "“Block All Cookies”"},
		"Edge on an iPhone":            {"allow-cookies", "Edge", "iOS", "“Block All Cookies”"},
		"Firefox on an iPad":           {"allow-cookies", "Firefox", "iPadOS", "“Block All Cookies”"},
		"Safari on a Mac":              {"allow-cookies", "Safari", "macOS", "“Block all cookies”"},
		"Firefox on a desk":            {"allow-cookies", "Firefox", "Linux", "“Manage exceptions”"},
		"a browser that we don't know": {"allow-cookies", "Konqueror", "Linux", "search them for “cookies”"},
		"third parties, Chrome":        {"allow-third-party-cookies", "Chrome", "Linux", "chrome://settings/cookies"},
		"third parties, Firefox":       {"allow-third-party-cookies", "Firefox", "Windows", "shield"},
		"third parties, an iPhone":     {"allow-third-party-cookies", "Safari", "iOS", "“Prevent Cross-Site Tracking”"},
		"third parties, Chrome, iPad":  {"allow-third-party-cookies", "Chrome", "iPadOS", "“Allow Cross-Website Tracking”"},
		"third parties, a Mac":         {"allow-third-party-cookies", "Safari", "macOS", "“Prevent cross-site tracking”"},
		"third parties, Samsung":       {"allow-third-party-cookies", "Samsung Internet", "Android", "“Smart anti-tracking”"},
		"updates on iOS are its own":   {"update-browser", "Chrome", "iOS", "“Software Update”"},
		"updates on Android":           {"update-browser", "Firefox", "Android", "search for Firefox"},
		"updates of IE":                {"update-browser", "IE", "Windows", "gets no more updates"},
		"the clock of Windows":         {"set-clock-automatically", "Chrome", "Windows", "“Sync now”"},
		"the clock of a Mac":           {"set-clock-automatically", "Safari", "macOS", "“System Settings”"},
		"the clock of an iPhone":       {"set-clock-automatically", "Chrome", "iOS", "“Set Automatically”"},
		"the clock of Android":         {"set-clock-automatically", "Samsung Internet", "Android", "“General management”"},
		"the clock of a Chromebook":    {"set-clock-automatically", "Chrome", "ChromeOS", "“System preferences”"},
		"updates of a web view":        {"update-browser", "Android WebView", "Android", "“Android System WebView”"},
		"updates of a Chromebook":      {"update-browser", "Chrome", "ChromeOS", "“Final software update”"},
		"updates of managed Windows":   {"update-browser", "Edge", "Windows", "managed by your organization"},
		"another browser on Android":   {"use-other-browser", "Chrome", "Android", "Firefox"},
		"one address, an iPhone":       {"pause-vpn", "Safari", "iOS", "“Turn Off Until Tomorrow”"},
		"one address, a Mac":           {"pause-vpn", "Safari", "macOS", "“Reload and Show IP Address”"},
		"one address, Windows":         {"pause-vpn", "Chrome", "Windows", "pause it in its app"},
		"out of IE mode":               {"leave-compat-mode", "Edge", "Windows", "“Leave”"},
		"out of IE mode for good":      {"leave-compat-mode", "IE", "Windows", "Enterprise Mode Site List"},
		"out of 360's old mode":        {"leave-compat-mode", "360", "Windows", "“极速模式”"},
		"out of Sogou's old mode":      {"leave-compat-mode", "Sogou", "Windows", "“高速模式”"},
		"out of QQ Browser's old mode": {"leave-compat-mode", "QQ Browser", "Windows", "“极速内核”"},
		"out of Facebook, iPhone":      {"open-in-browser", "Facebook", "iOS", "“Open in Safari”"},
		"out of Facebook, Android":     {"open-in-browser", "Facebook", "Android", "“Open in Chrome”"},
		"out of Instagram":             {"open-in-browser", "Instagram", "iPadOS", "“Open in external browser”"},
		"out of KakaoTalk, iPhone":     {"open-in-browser", "KakaoTalk", "iOS", "bottom right"},
		"out of KakaoTalk, Android":    {"open-in-browser", "KakaoTalk", "Android", "top right"},
		"out of LINE":                  {"open-in-browser", "LINE", "iOS", "“Open in default browser”"},
		"out of X":                     {"open-in-browser", "X", "Android", "“Open in Chrome”"},
		"out of the Google App":        {"open-in-browser", "Google App", "Android", "“Open in Chrome”"},
		"out of WeChat on a phone":     {"open-in-browser", "WeChat", "Android", "“在浏览器打开”"},
		"out of WeChat on a desk":      {"open-in-browser", "WeChat", "Windows", "“Open with default browser”"},
		"out of Slack on a desk":       {"open-in-browser", "Slack", "macOS", "right-click the link"},
		"out of an unknown iPhone app": {"open-in-browser", "", "iOS", "the compass"},
		"out of an unknown app":        {"open-in-browser", "Some App", "Android", "“Open in browser”"},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.Lines(diag.Args{"browser": tt.browser, "system": tt.system}, text.Variants("fix."+tt.fix+".steps", tt.browser, tt.system)...)
			assert.Contains(t, strings.Join(got, "\n"), tt.want)
		})
	}
}

// Menus change with every version of an app: pasting the address always works.
func TestTheAddressIsPastedIntoABrowserThatTheSystemHas(t *testing.T) {
	c := text.English()
	for system, browser := range map[string]string{"": "Firefox", "Android": "Chrome", "iOS": "Safari", "iPadOS": "Safari", "macOS": "Safari", "Windows": "Edge", "Linux": "Firefox"} {
		said := c.Text(nil, text.Variants("ui.copybyhand", "", system)...)
		assert.Regexp(t, `^Not there\? Copy this address, open .*`+browser+`.*, and paste it there\.$`, said, system)
	}
}

func TestEveryFeatureThatABrowserMayLackHasAPhrase(t *testing.T) {
	c := text.English()
	said := map[string]string{}
	for _, id := range features {
		require.True(t, c.Has("word."+id), id)
		title := c.Text(diag.Args{"feature": diag.Word(id)}, "check.browser-lacks-feature.title")
		assert.LessOrEqual(t, utf8.RuneCountInString(title), 70, title)
		assert.Empty(t, said[title], "%s says the same", id)
		said[title] = id
	}
	for _, key := range keys(c, "word.") {
		id := strings.TrimPrefix(key, "word.")
		if !slices.Contains([]string{"ahead", "behind", "forward", "back"}, id) && !strings.HasPrefix(id, "month-") {
			assert.Contains(t, features, id, "no such feature")
		}
	}
}

func TestEveryMonthHasItsName(t *testing.T) {
	for i, want := range []string{"January 2020", "February 2020", "March 2020", "April 2020", "May 2020", "June 2020",
		"July 2020", "August 2020", "September 2020", "October 2020", "November 2020", "December 2020"} {
		args := diag.Args{"released": diag.Month(fmt.Sprintf("2020-%02d", i+1))}
		assert.Contains(t, text.English().Text(args, "check.browser-outdated.why"), ", of "+want+".")
	}
}

func TestTheReasonTellsOneFindingFromAnother(t *testing.T) {
	c := text.English()
	args := diag.Args{"app": "Instagram", "browser": "Safari", "version": "12.1", "wanted": "15.4", "released": diag.Month("2019-03")}
	for key, want := range map[string]string{
		"check.browser-embedded-view.title":           "You're inside the Instagram app",
		"check.browser-embedded-view.title.unnamed":   "You're inside an app, not in your browser",
		"check.browser-unsupported.title":             "This site doesn't support Safari",
		"check.browser-compat-mode.title":             "Internet Explorer mode",
		"check.browser-compat-mode.title.explorer":    "Internet Explorer is too old",
		"check.browser-compat-mode.title.shell":       "compatibility mode",
		"check.browser-unsupported.title.data-saving": "data saving",
		"check.browser-outdated.title.stuck":          "This device can't get a new enough version of Safari",
		"check.browser-outdated.why":                  "Your version: 12.1, of March 2019. Needed at least: 15.4.",
	} {
		assert.Contains(t, c.Text(args, key), want)
	}
	assert.Contains(t, c.Text(nil, "check.browser-outdated.why"), "Your version: (version not told), of unknown age. Needed at least: a newer one.")
}

func TestDesktopAddressesAreNotGivenToPhones(t *testing.T) {
	c := text.English()
	for _, b := range slices.Concat(browsers, apps) {
		for _, s := range []string{"ios", "ipados", "android"} {
			e := evidence.Evidence{Browser: evidence.Browser{Engine: evidence.Saw("Blink"), Device: evidence.Saw("phone")}}
			switch {
			case s != "android":
				e.Browser.Engine = evidence.Saw("WebKit")
			case b == "firefox":
				e.Browser.Engine = evidence.Saw("Gecko")
			}
			for _, fix := range checks.Catalogue().Fixes {
				if fix.Offered != nil && !fix.Offered(e) {
					continue
				}
				for _, line := range c.Lines(nil, text.Variants("fix."+fix.ID+".steps", b, s)...) {
					assert.NotRegexp(t, `(chrome|edge)://|about:[a-z]|menu bar`, line, "%s in %s on %s", fix.ID, b, s)
				}
			}
		}
	}
}

func TestTheAdviceThatSupportGivesIsThere(t *testing.T) {
	c := text.English()
	for _, tt := range []struct {
		fix  string
		want []string
	}{
		{"wait-for-unlock", []string{"30 minutes"}},
		{"contact-administrator", []string{"unlock", "administrator"}},
		{"reset-password", []string{"forgotten password"}},
		{"check-spam-folder", []string{"“Spam”", "“Junk”"}},
		{"set-phone-clock", []string{"iPhone", "Android", "an app makes your codes"}},
		{"use-backup-code", []string{"backup codes", "works once"}},
		{"use-organisation-sign-in", []string{"organisation", "work account"}},
		{"contact-support", []string{"exact words of the error", "exact time", "browser", "version", "reference", "555-0100", "password"}},
		{"wait-and-retry", []string{"15 minutes"}},
	} {
		t.Run(tt.fix, func(t *testing.T) {
			said := c.Text(nil, "fix."+tt.fix+".title") + "\n" + c.Text(diag.Args{"support": "555-0100"}, "fix."+tt.fix+".steps")
			for _, want := range tt.want {
				assert.Contains(t, said, want)
			}
		})
	}
}

func TestTheClockIsThatOfTheDevice(t *testing.T) {
	args := diag.Args{"size": diag.Seconds(240), "direction": diag.Word("ahead")}
	for system, want := range map[string]string{
		"Windows": "This computer's clock is 4 minutes ahead",
		"iOS":     "This phone's clock is 4 minutes ahead",
		"iPadOS":  "This tablet's clock is 4 minutes ahead",
		"Android": "This device's clock is 4 minutes ahead",
		"":        "This computer's clock is 4 minutes ahead",
	} {
		t.Run(system, func(t *testing.T) {
			assert.Equal(t, want, text.English().Text(args, text.Variants("check.clock-wrong.title", "Chrome", system)...))
		})
	}
}

func parse(t *testing.T, data string) *text.Catalogue {
	t.Helper()
	c, err := text.Parse("en", []byte(data))
	require.NoError(t, err)
	return c
}
