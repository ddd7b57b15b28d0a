package agent

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
	"latchkey/internal/testkit"
)

// agents are user agents as browsers send them, and what they tell. Zero and ""
// stand for what cannot be told.
var agents = []struct {
	name, ua, family string
	major            int
	engine           string
	engineMajor      int
	system, device   string
}{
	{"chrome-desktop", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
		"Chrome", 156, "Blink", 156, "Windows", "desktop"},
	{"edge-windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0",
		"Edge", 156, "Blink", 156, "Windows", "desktop"},
	{"firefox-desktop", "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
		"Firefox", 153, "Gecko", 153, "Linux", "desktop"},
	{"safari-mac", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
		"Safari", 26, "WebKit", 26, "macOS", "desktop"},
	{"safari-ios", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
		"Safari", 26, "WebKit", 26, "iOS", "phone"},
	{"chrome-android", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36",
		"Chrome", 156, "Blink", 156, "Android", "phone"},
	{"samsung-internet", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
		"Samsung Internet", 29, "Blink", 136, "Android", "phone"},
	{"epiphany-linux", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
		"", 0, "WebKit", 26, "Linux", "desktop"},

	{"Chrome without a screen", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
		"Chrome", 156, "Blink", 156, "Linux", "desktop"},
	{"QtWebEngine 5.15", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) QtWebEngine/5.15.13 Chrome/87.0.4280.144 Safari/537.36",
		"Chrome", 87, "Blink", 87, "Linux", "desktop"},
	{"QtWebKit", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/602.1 (KHTML, like Gecko) QtTestBrowser/0.1 Version/10.0 Safari/602.1",
		"", 0, "WebKit", 10, "Linux", "desktop"},
	{"a CUBOT phone is no robot", "Mozilla/5.0 (Linux; Android 13; CUBOT P80 Build/TP1A.220624.014) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
		"Chrome", 120, "Blink", 120, "Android", "phone"},
	{"Chrome on iOS is WebKit", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1",
		"Chrome", 141, "WebKit", 17, "iOS", "phone"},
	{"Firefox on iOS is WebKit", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/143.0 Mobile/15E148 Safari/605.1.15",
		"Firefox", 143, "WebKit", 18, "iOS", "phone"},
	{"Edge on Android", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36 EdgA/140.0.0.0",
		"Edge", 140, "Blink", 140, "Android", "phone"},
	{"the Edge before Chromium", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763",
		"Edge", 18, "Blink", 64, "Windows", "desktop"},
	{"Opera", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 OPR/123.0.0.0",
		"Opera", 123, "Blink", 139, "Windows", "desktop"},
	{"an old iPad", "Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1",
		"Safari", 12, "WebKit", 12, "iPadOS", "tablet"},
	{"an Android tablet", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
		"Chrome", 150, "Blink", 150, "Android", "tablet"},
	{"a Chromebook", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/76.0.3809.136 Safari/537.36",
		"Chrome", 76, "Blink", 76, "ChromeOS", "desktop"},
	{"Internet Explorer 11", "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
		"IE", 11, "Trident", 11, "Windows", "desktop"},
	{"Internet Explorer 11 that plays 7", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C)",
		"IE", 7, "Trident", 11, "Windows", "desktop"},
	{"a view without a version", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
		"", 0, "WebKit", 0, "macOS", "desktop"},
	{"a number that no browser has", "Chrome/99999999999999999999", "Chrome", 999999, "Blink", 999999, "", ""},
	{"a name without a number", "Chrome/", "Chrome", 0, "Blink", 0, "", ""},
}

// parse reads one user agent alone.
func parse(ua string) evidence.Browser {
	return identified(evidence.Identity{Request: evidence.Saw(evidence.Claim{Agent: ua})})
}

func TestParse_tellsRealBrowsers(t *testing.T) {
	for _, a := range agents {
		t.Run(a.name, func(t *testing.T) {
			assert.Equal(t, evidence.Browser{
				Family: word(a.family), Major: toldOf(a.major),
				Engine: word(a.engine), EngineMajor: toldOf(a.engineMajor),
				System: word(a.system), Device: word(a.device),
			}, name(parse(a.ua)))
		})
	}
}

// name is who the browser is, without what follows from that.
func name(b evidence.Browser) evidence.Browser {
	return evidence.Browser{Family: b.Family, Major: b.Major, Engine: b.Engine, EngineMajor: b.EngineMajor, System: b.System, Device: b.Device}
}

func word(s string) evidence.Fact[string] {
	if s == "" {
		return evidence.Fact[string]{State: evidence.Absent}
	}
	return evidence.Saw(s)
}

func toldOf(n int) evidence.Fact[int] {
	if n == 0 {
		return evidence.Fact[int]{State: evidence.Absent}
	}
	return evidence.Saw(n)
}

func TestParse_agreesWithTheHealthyBrowsers(t *testing.T) {
	ua := map[string]string{}
	for _, a := range agents {
		ua[a.name] = a.ua
	}
	for id, e := range testkit.Browsers(t) {
		require.Contains(t, ua, id)
		assert.Equal(t, name(e.Browser), name(parse(ua[id])), id)
	}
}

func TestParse_saysNothingOfNothing(t *testing.T) {
	for _, ua := range []string{"", " ", "\t\n"} {
		assert.Equal(t, evidence.Browser{}, parse(ua), "%q: nobody told, so nobody was asked", ua)
	}
}

func TestParse_readsOnlyTheBeginning(t *testing.T) {
	for _, filler := range []string{" ", ")", "(", "; ", "Chrome/1 ", "é", "\xff", "\x00"} {
		ua := strings.Repeat(filler, 1<<20/len(filler)) + " Firefox/153.0"
		b := parse(ua)
		assert.NotEqual(t, "Firefox", b.Family.Value, "%q", filler)
		assert.LessOrEqual(t, len(b.Family.Value), limit)
	}
}

// seeds are strings that parsers have stumbled over.
var seeds = []string{
	"", " ", "(", ")", "()", "((", "Mozilla/5.0", "Mozilla/5.0 (", "Mozilla/5.0 ()", "Mozilla/5.0 (;)", "Opera", "Dalvik/2.1",
	"Version/", "OS ", "iPhone", "iPhone OS ", "iPad; CPU OS", "MSIE ", "Trident/", "Googlebot/2.1", "GoogleWv", "<script>alert(1)</script>",
	"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "a\x00b", "\xff\xfe", "é/1", "Chrome/-1", "Chrome/1e9",
	"Opera/9.80 (Windows NT 6.1; U; en) Presto/2.8.131 Version/11.11",
}

func TestParse_neverFails(t *testing.T) {
	for _, s := range seeds {
		neverFails(t, s)
	}
	for _, a := range agents {
		for cut := range len(a.ua) {
			neverFails(t, a.ua[:cut])
		}
	}
	// Two bytes a character, and the limit in the middle of one.
	neverFails(t, "x"+strings.Repeat("é", limit))
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	for _, a := range agents {
		f.Add(a.ua)
	}
	f.Fuzz(func(t *testing.T, ua string) { neverFails(t, ua) })
}

// neverFails holds for any string at all: the same string tells the same, in
// text that can be sent and read again.
func neverFails(t *testing.T, ua string) {
	t.Helper()
	b := parse(ua)
	require.Equal(t, b, parse(ua))
	require.True(t, utf8.ValidString(b.Family.Value), "%q", ua)
	require.GreaterOrEqual(t, b.Major.Value, 0, "%q", ua)
	require.GreaterOrEqual(t, b.EngineMajor.Value, 0, "%q", ua)
	data, err := json.Marshal(b)
	require.NoError(t, err)
	var again evidence.Browser
	require.NoError(t, json.Unmarshal(data, &again))
	if len(b.Family.Value) < 300 { // the limit of values that come from outside
		require.Equal(t, b, again, "%q", ua)
	}
}
