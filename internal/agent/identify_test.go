package agent

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
)

// What real engines answered to looks.js in 2026-11, as far as it matters here.
var (
	modern = evidence.Names{"css-grid", "es2020", "es2022", "structured-clone", "has-selector", "container-queries", "popover", "es2024", "es2025", "webauthn"}

	blink = evidence.Traits{
		ToFixed: 51, Vendor: "Google Inc.", Platform: "Linux x86_64", Screen: 1080, Features: modern,
		Has: evidence.Names{"webkitPersistentStorage", "webkitTemporaryStorage", "webkitResolveLocalFileSystemURL", "BatteryManager", "webkitMediaStream"},
	}
	gecko = evidence.Traits{
		ToFixed: 25, Platform: "Linux x86_64", Screen: 1080, Features: modern,
		Has: evidence.Names{"buildID", "oscpu", "mozInnerScreenX", "onmozfullscreenchange", "CSSMozDocumentRule", "CanvasCaptureMediaStream"},
	}
	webkit = evidence.Traits{
		ToFixed: 44, Vendor: "Apple Computer, Inc.", Screen: 1080, Features: modern,
		Has: evidence.Names{"CSSPrimitiveValue", "Counter", "RGBColor", "WebKitPoint"},
	}
)

const (
	chromeLinux   = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
	chromeWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
	chromePhone   = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36"
	firefoxLinux  = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
	safariMac     = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15"
	safariPhone   = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
	webViewPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
	webkitLinux   = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/60.5 Safari/605.1.15"
)

// with adds to a copy of the traits.
func with(t evidence.Traits, touch, screen int, has ...string) evidence.Traits {
	t.Touch, t.Has = touch, slices.Concat(t.Has, has)
	if screen != 0 {
		t.Screen = screen
	}
	return t
}

func identified(id evidence.Identity) evidence.Browser {
	e := evidence.Evidence{Identity: id}
	Identify(&e, DefaultPolicy())
	return e.Browser
}

func claim(agent string, hints ...string) evidence.Fact[evidence.Claim] {
	c := evidence.Claim{Agent: agent, Hints: map[string]string{}}
	for i := 0; i < len(hints); i += 2 {
		c.Hints[hints[i]] = hints[i+1]
	}
	return evidence.Saw(c)
}

func TestIdentify_joinsTheChannels(t *testing.T) {
	chromium := []string{"sec-ch-ua", `"Not:A-Brand";v="8", "Chromium";v="156"`, "sec-ch-ua-mobile", "?0", "sec-ch-ua-platform", `"Linux"`}
	for _, c := range []struct {
		name            string
		request, script evidence.Fact[evidence.Claim]
		app             string
		traits          evidence.Traits
		family          string
		major           int
		engine          string
		engineMajor     int
		system, version string
		device          string
		embedded        string // the app, or "yes"
		presents        string
	}{
		{name: "Chrome", request: claim(chromeLinux), script: claim(chromeLinux), traits: blink,
			family: "Chrome", major: 156, engine: "Blink", engineMajor: 156, system: "Linux", device: "desktop"},
		{name: "Firefox", request: claim(firefoxLinux), script: claim(firefoxLinux), traits: gecko,
			family: "Firefox", major: 153, engine: "Gecko", engineMajor: 153, system: "Linux", device: "desktop"},
		{name: "Firefox that resists fingerprinting claims a touch screen", request: claim(strings.Replace(firefoxLinux, "X11; Linux x86_64", "Macintosh; Intel Mac OS X 10.15", 1)), traits: with(gecko, 5, 800),
			family: "Firefox", major: 153, engine: "Gecko", engineMajor: 153, system: "macOS", device: "desktop"},
		{name: "WebKitGTK, which has no name", request: claim(webkitLinux), script: claim(webkitLinux), traits: webkit,
			engine: "WebKit", engineMajor: 60, system: "Linux", device: "desktop"},
		{name: "without scripts, the request alone", request: claim(chromeWindows, "sec-ch-ua-platform", `"Windows"`, "sec-ch-ua-platform-version", `"15.0.0"`),
			family: "Chrome", major: 156, engine: "Blink", engineMajor: 156, system: "Windows", version: "11", device: "desktop"},
		{name: "hints of scripts, where the request had none", request: claim(chromePhone), script: claim(chromePhone, "sec-ch-ua-platform", `"Android"`, "sec-ch-ua-platform-version", `"10.0.0"`, "sec-ch-ua-mobile", "?1"), traits: with(blink, 5, 412, "orientation"),
			family: "Chrome", major: 156, engine: "Blink", engineMajor: 156, system: "Android", version: "10.0", device: "phone"},
		{name: "an old Firefox whose rv stays at 109", request: claim("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/115.0"),
			family: "Firefox", major: 115, engine: "Gecko", engineMajor: 115, system: "Windows", device: "desktop"},

		{name: "an iPad, which says that it is a Mac", request: claim(safariMac), script: claim(safariMac), traits: with(webkit, 5, 820),
			family: "Safari", major: 26, engine: "WebKit", engineMajor: 26, system: "iPadOS", device: "tablet"},
		{name: "an iPhone that asks for the page of a desktop", request: claim(safariMac), traits: with(webkit, 5, 402),
			family: "Safari", major: 26, engine: "WebKit", engineMajor: 26, system: "iOS", device: "phone"},
		{name: "a Mac", request: claim(safariMac), traits: webkit,
			family: "Safari", major: 26, engine: "WebKit", engineMajor: 26, system: "macOS", device: "desktop"},
		{name: "a phone that asks for the page of a desktop", request: claim(chromeLinux), traits: with(blink, 5, 412, "orientation"),
			family: "Chrome", major: 156, engine: "Blink", engineMajor: 156, system: "Android", device: "phone"},
		{name: "a tablet that does", request: claim(chromeLinux), traits: with(blink, 5, 800, "orientation"),
			family: "Chrome", major: 156, engine: "Blink", engineMajor: 156, system: "Android", device: "tablet"},
		{name: "a laptop with a touch screen", request: claim(chromeLinux), traits: with(blink, 10, 1080),
			family: "Chrome", major: 156, engine: "Blink", engineMajor: 156, system: "Linux", device: "desktop"},
		{name: "Brave", request: claim(chromeWindows), traits: with(blink, 0, 0, "brave"),
			family: "Brave", major: 156, engine: "Blink", engineMajor: 156, system: "Windows", device: "desktop"},
		{name: "Brave on an iPhone", request: claim(safariPhone), traits: with(webkit, 5, 402, "brave"),
			family: "Brave", major: 26, engine: "WebKit", engineMajor: 26, system: "iOS", version: "26.0", device: "phone"},

		{name: "a view of an iPhone's app without a name", request: claim(webViewPhone), traits: with(webkit, 5, 402),
			family: "iOS WebView", engine: "WebKit", engineMajor: 18, system: "iOS", device: "phone", embedded: "yes"},
		{name: "a web app on the home screen", request: claim(webViewPhone), traits: with(webkit, 5, 402, "standalone"),
			family: "Safari", engine: "WebKit", engineMajor: 18, system: "iOS", device: "phone"},
		{name: "Telegram, by its objects", request: claim(webViewPhone), traits: with(webkit, 5, 402, "TelegramWebviewProxy"),
			family: "Telegram", engine: "WebKit", engineMajor: 18, system: "iOS", device: "phone", embedded: "Telegram"},
		{name: "Telegram, where its view has a browser's name", request: claim(chromePhone), traits: with(blink, 5, 412, "orientation", "TelegramWebview"),
			family: "Telegram", engine: "Blink", engineMajor: 156, system: "Android", device: "phone", embedded: "Telegram"},
		{name: "an app by its package", request: claim(chromePhone), app: "com.linkedin.android",
			family: "LinkedIn", engine: "Blink", engineMajor: 156, system: "Android", device: "phone", embedded: "LinkedIn"},
		{name: "a package that we do not know is no app", request: claim(chromePhone), app: "com.example.browser",
			family: "Chrome", major: 156, engine: "Blink", engineMajor: 156, system: "Android", device: "phone"},

		{name: "Chromium that was told to say Firefox", request: claim("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", chromium...), script: claim("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", chromium...), traits: blink,
			family: "Chromium", major: 156, engine: "Blink", engineMajor: 156, system: "Linux", device: "desktop", presents: "Firefox 140, Windows"},
		{name: "an extension that says Safari to scripts alone", request: claim(chromeLinux), script: claim(safariMac), traits: blink,
			family: "Chrome", major: 156, engine: "Blink", engineMajor: 156, system: "Linux", device: "desktop", presents: "Safari 26, macOS"},
		{name: "a proxy that says Chrome to servers alone", request: claim(chromeWindows), script: claim(firefoxLinux), traits: gecko,
			family: "Firefox", major: 153, engine: "Gecko", engineMajor: 153, system: "Linux", device: "desktop", presents: "Chrome 156, Windows"},
		{name: "a Chromium that plays an iPhone", request: claim(safariPhone), script: claim(safariPhone), traits: with(blink, 5, 393, "orientation"),
			family: "Safari", major: 26, engine: "Blink", system: "iOS", version: "26.0", device: "phone", presents: "Safari 26, iOS"},
		{name: "a Firefox that plays Chrome", request: claim(chromeWindows), script: claim(chromeWindows), traits: gecko,
			family: "Chrome", major: 156, engine: "Gecko", system: "Windows", device: "desktop", presents: "Chrome 156, Windows"},
		{name: "a new Chrome that says it is an old one", request: claim(strings.Replace(chromeWindows, "156", "60", 1)), traits: blink,
			family: "Chrome", major: 60, engine: "Blink", engineMajor: 128, system: "Windows", device: "desktop", presents: "Chrome 60, Windows"},
		{name: "an old Chrome that says it is a new one", request: claim(chromeWindows), traits: func() evidence.Traits { t := blink; t.Features = evidence.Names{"css-grid", "es2020"}; return t }(),
			family: "Chrome", major: 156, engine: "Blink", engineMajor: 92, system: "Windows", device: "desktop", presents: "Chrome 156, Windows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := evidence.Identity{Request: c.request, Script: c.script}
			if c.app != "" {
				id.Package = evidence.Saw(c.app)
			}
			if c.traits.ToFixed != 0 {
				id.Traits = evidence.Saw(c.traits)
			}
			b := identified(id)
			assert.Equal(t, evidence.Browser{
				Family: word(c.family), Major: toldOf(c.major), Engine: word(c.engine), EngineMajor: toldOf(c.engineMajor),
				System: word(c.system), Device: word(c.device),
			}, func() evidence.Browser { b := name(b); b.EngineMajor.Note = ""; return b }())
			assert.Equal(t, word(c.version), b.SystemVersion)
			assert.Equal(t, evidence.Saw(c.embedded != ""), b.Embedded)
			assert.Equal(t, word(strings.TrimPrefix(c.embedded, "yes")), b.App)
			assert.Equal(t, word(c.presents), b.Presents)
		})
	}
}

func TestIdentify_judgesADisguiseByWhatWorks(t *testing.T) {
	b := identified(evidence.Identity{Request: claim(strings.Replace(chromeWindows, "156", "60", 1)), Traits: evidence.Saw(blink)})
	assert.Equal(t, 128, b.Standing.Value.Have, "it cannot be older")
	b = identified(evidence.Identity{Request: claim(chromeWindows), Traits: evidence.Saw(gecko)})
	assert.Equal(t, evidence.Fact[evidence.Standing]{State: evidence.Absent, Note: "presents"}, b.Standing)
}

func TestIdentify_leavesAReportAsItIs(t *testing.T) {
	seen := evidence.Browser{Family: evidence.Saw("Chrome"), Major: evidence.Saw(60), Engine: evidence.Saw("Blink"), EngineMajor: evidence.Saw(60)}
	e := evidence.Evidence{Browser: seen}
	Identify(&e, DefaultPolicy())
	assert.Equal(t, name(seen), name(e.Browser))
	assert.Equal(t, 109, e.Browser.Standing.Value.Wanted, "what follows from it is added")

	told := evidence.Saw(evidence.Standing{By: "Chrome", Have: 60, Wanted: 200})
	e.Browser.Standing = told
	Identify(&e, DefaultPolicy())
	assert.Equal(t, told, e.Browser.Standing, "what the site wanted then stays")

	e = evidence.Evidence{}
	Identify(&e, DefaultPolicy())
	assert.Equal(t, evidence.Evidence{}, e, "of nothing, nothing is known")
}

func TestVote_needsMoreThanOneSign(t *testing.T) {
	for name, c := range map[string]struct {
		traits evidence.Traits
		want   string
	}{
		"nothing":                     {evidence.Traits{}, ""},
		"one name":                    {evidence.Traits{Has: evidence.Names{"BatteryManager"}}, ""},
		"two signs":                   {evidence.Traits{ToFixed: 51, Vendor: "Google Inc."}, ""},
		"three":                       {evidence.Traits{ToFixed: 51, Vendor: "Google Inc.", Has: evidence.Names{"BatteryManager"}}, "Blink"},
		"a vendor that was rewritten": {func() evidence.Traits { t := gecko; t.Vendor = "Google Inc."; return t }(), "Gecko"},
		"a tie":                       {evidence.Traits{Has: slices.Concat(blink.Has, gecko.Has)}, ""},
		"Safari 10's kin":             {evidence.Traits{ToFixed: 43, Vendor: "Apple Computer, Inc.", Has: evidence.Names{"CSSPrimitiveValue", "Counter", "RGBColor", "WebKitPoint"}}, "WebKit"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, vote(c.traits)) })
	}
}

func TestPolicy_asksOnlyForFeaturesThatTheSiteNeeds(t *testing.T) {
	seen := func(t evidence.Traits) evidence.Fact[evidence.Traits] { return evidence.Saw(t) }
	p := Policy{Features: []string{"webauthn", "fetch", "es2020"}}
	works := evidence.Traits{Features: evidence.Names{"webauthn", "fetch", "es2020", "dialog"}}
	assert.Equal(t, evidence.Saw(evidence.Features{Works: p.Features}), p.features(seen(works)))
	lacks := evidence.Traits{Features: evidence.Names{"fetch"}}
	assert.Equal(t, evidence.Saw(evidence.Features{Works: evidence.Names{"fetch"}, Lacks: evidence.Names{"webauthn", "es2020"}}), p.features(seen(lacks)))
	lacks.Insecure = true
	assert.Equal(t, evidence.Fact[evidence.Features]{State: evidence.Absent, Note: "insecure"}, p.features(seen(lacks)), "browsers hide it over plain http")
	assert.Equal(t, evidence.Saw(evidence.Features{}), Policy{}.features(seen(lacks)))
	assert.Equal(t, evidence.Saw(evidence.Features{}), Policy{}.features(evidence.Fact[evidence.Traits]{}), "nothing to try")
	assert.Equal(t, evidence.Unasked, p.features(evidence.Fact[evidence.Traits]{}).State)
	assert.Equal(t, evidence.Late, p.features(evidence.Fact[evidence.Traits]{State: evidence.Late}).State)
}

// looks.js finds by names that the tables here give a meaning.
func TestNames_areThoseThatTheLookLooksFor(t *testing.T) {
	data, err := os.ReadFile("../../web/looks.js")
	require.NoError(t, err)
	js := string(data)
	body := js[strings.Index(js, "var features = {"):]
	body = body[:strings.Index(body, "\n  };")]
	var tried []string
	for _, m := range regexp.MustCompile(`(?m)^    '?([a-z0-9-]+)'?: function`).FindAllStringSubmatch(body, -1) {
		tried = append(tried, m[1])
	}
	assert.ElementsMatch(t, Features, tried)
	for _, f := range floors {
		assert.Contains(t, tried, f.feature)
	}
	for _, feature := range secure {
		assert.Contains(t, tried, feature)
	}
	for _, row := range traits {
		assert.Regexp(t, `[' ]`+row[0]+`[' ]`, js)
	}
	for _, trait := range []string{"brave", "orientation", "TelegramWebview", "'standalone'"} {
		assert.Contains(t, js, trait)
	}
}

func FuzzIdentify(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, s, s, s, 5, 400)
	}
	f.Add(chromeLinux, safariMac, `"Chromium";v="156"`, "brave", 5, 400)
	f.Fuzz(func(t *testing.T, request, script, hint, trait string, touch, screen int) {
		id := evidence.Identity{
			Request: claim(request, "sec-ch-ua", hint, "sec-ch-ua-platform", hint), Script: claim(script, "sec-ch-ua-full-version-list", hint),
			Package: evidence.Saw(trait), Traits: evidence.Saw(evidence.Traits{Has: evidence.Names{trait}, Vendor: trait, Touch: touch, Screen: screen}),
		}
		b := identified(id)
		require.Equal(t, b, identified(id), "the same of the same")
		_, err := json.Marshal(b)
		require.NoError(t, err)
	})
}
