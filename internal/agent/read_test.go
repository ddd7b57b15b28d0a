package agent

import (
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	windowsUA = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	linuxUA   = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
	androidUA = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
	iphoneUA  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	macUA     = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	viewUA    = "Mozilla/5.0 (Linux; Android 14; SM-S921B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36 "
)

// pitfalls are what parsers have stumbled over.
var pitfalls = []struct {
	name, ua string
	want     Agent
}{
	{"nothing", "", Agent{}},
	{"only spaces", "   ", Agent{}},
	{"a tool", "curl/8.5.0", Agent{Browser: "curl", Major: "8", Version: "8.5.0"}},
	{"a CUBOT phone is no robot", "Mozilla/5.0 (Linux; Android 13; CUBOT P80 Build/TP1A.220624.014) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
		Agent{Browser: "Chrome", Major: "120", Version: "120.0.0.0", OS: "Android", OSVersion: "13.0", Device: "phone", Engine: "Blink"}},
	{"a build whose name is Opera's token", "Mozilla/5.0 (Linux; Android 8.0.0; LG-H870 Build/OPR1.170623.032) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/68.0.3440.91 Mobile Safari/537.36",
		Agent{Browser: "Chrome", Major: "68", Version: "68.0.3440.91", OS: "Android", OSVersion: "8.0", Device: "phone", Engine: "Blink"}},
	{"Epiphany that says so", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.0 Safari/605.1.15 Epiphany/605.1.15",
		Agent{Browser: "Epiphany", Major: "605", Version: "605.1.15", OS: "Linux", Device: "desktop", Engine: "WebKit"}},
	{"Electron without the app's name", macUA[:len(macUA)-len("605.1.15 (KHTML, like Gecko) ")] + "537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Electron/33.0.1 Safari/537.36",
		Agent{Browser: "Electron", Major: "33", Version: "33.0.1", OS: "macOS", OSVersion: "10.15", Device: "desktop", Engine: "Blink", InApp: true}},
	{"an app in Electron", windowsUA + "Slack/4.39.95 Chrome/126.0.6478.234 Electron/31.4.0 Safari/537.36",
		Agent{Browser: "Slack", Major: "4", Version: "4.39.95", OS: "Windows", OSVersion: "10", Device: "desktop", Engine: "Blink", InApp: true, App: "Slack"}},
	{"Chrome without a screen", linuxUA + "HeadlessChrome/156.0.0.0 Safari/537.36",
		Agent{Browser: "Chrome", Major: "156", Version: "156.0.0.0", OS: "Linux", Device: "desktop", Engine: "Blink"}},
	{"QtWebEngine", linuxUA + "QtWebEngine/5.15.13 Chrome/87.0.4280.144 Safari/537.36",
		Agent{Browser: "Chrome", Major: "87", Version: "87.0.4280.144", OS: "Linux", Device: "desktop", Engine: "Blink"}},
	{"iOS 26 behind a frozen number", iphoneUA + "Version/26.1 Mobile/15E148 Safari/604.1",
		Agent{Browser: "Safari", Major: "26", Version: "26.1", OS: "iOS", OSVersion: "26.1", Device: "phone", Engine: "WebKit"}},
	{"Chrome on an iPhone", iphoneUA + "CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1",
		Agent{Browser: "Chrome", Major: "141", Version: "141.0.7390.41", OS: "iOS", OSVersion: "18.6", Device: "phone", Engine: "WebKit"}},
	{"Firefox on an iPad that asks for a desktop's page", macUA + "FxiOS/143.0 Safari/605.1.15",
		Agent{Browser: "Firefox", Major: "143", Version: "143.0", OS: "iOS", Device: "tablet", Engine: "WebKit"}},
	{"Edge on an iPhone", iphoneUA + "Version/18.0 EdgiOS/140.0.3485.54 Mobile/15E148 Safari/605.1.15",
		Agent{Browser: "Edge", Major: "140", Version: "140.0.3485.54", OS: "iOS", OSVersion: "18.6", Device: "phone", Engine: "WebKit"}},
	{"Samsung Internet", androidUA + "SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
		Agent{Browser: "Samsung Internet", Major: "29", Version: "29.0", OS: "Android", OSVersion: "10.0", Device: "phone", Engine: "Blink"}},
	{"a view that says so", viewUA,
		Agent{Browser: "Android WebView", Major: "130", Version: "130.0.6723.58", OS: "Android", OSVersion: "14.0", Device: "phone", Engine: "Blink", InApp: true}},
	{"a view that does not", androidUA + "Version/4.0 Chrome/150.0.0.0 Mobile Safari/537.36",
		Agent{Browser: "Android WebView", Major: "150", Version: "150.0.0.0", OS: "Android", OSVersion: "10.0", Device: "phone", Engine: "Blink", InApp: true}},
	{"a view on an iPhone", iphoneUA + "Mobile/15E148",
		Agent{Browser: "iOS WebView", OS: "iOS", OSVersion: "18.6", Device: "phone", Engine: "WebKit", InApp: true}},
	{"Internet Explorer 11", "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
		Agent{Browser: "IE", Major: "11", Version: "11.0", OS: "Windows", OSVersion: "10", Device: "desktop", Engine: "Trident"}},
	{"Internet Explorer 11 that plays 7", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C)",
		Agent{Browser: "IE", Major: "11", Version: "11.0", OS: "Windows", OSVersion: "10", Device: "desktop", Engine: "Trident"}},
	{"the Edge before Chromium", windowsUA + "Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763",
		Agent{Browser: "Edge", Major: "18", Version: "18.17763", OS: "Windows", OSVersion: "10", Device: "desktop", Engine: "EdgeHTML"}},
	{"an iPad", "Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1",
		Agent{Browser: "Safari", Major: "12", Version: "12.1.2", OS: "iOS", OSVersion: "12.5", Device: "tablet", Engine: "WebKit"}},
	{"an Android tablet", androidUA + "Chrome/150.0.0.0 Safari/537.36",
		Agent{Browser: "Chrome", Major: "150", Version: "150.0.0.0", OS: "Android", OSVersion: "10.0", Device: "tablet", Engine: "Blink"}},
	{"a tablet that says Mobile", "Mozilla/5.0 (Linux; Android 12; SAMSUNG SM-T870) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
		Agent{Browser: "Chrome", Major: "120", Version: "120.0.0.0", OS: "Android", OSVersion: "12.0", Device: "tablet", Engine: "Blink"}},
	{"a phone whose name is a browser's", "Mozilla/5.0 (Linux; Android 13; motorola edge 30 Build/T1SD) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
		Agent{Browser: "Chrome", Major: "120", Version: "120.0.0.0", OS: "Android", OSVersion: "13.0", Device: "phone", Engine: "Blink"}},
	{"a browser of few people in a view of its own", viewUA + "ExampleBrowser/7.2.1",
		Agent{Browser: "ExampleBrowser", Major: "7", Version: "7.2.1", OS: "Android", OSVersion: "14.0", Device: "phone", Engine: "Blink"}},
	{"an app's word for its view is no browser", viewUA + "ExampleInAppBrowser/7.2.1",
		Agent{Browser: "Android WebView", Major: "130", Version: "130.0.6723.58", OS: "Android", OSVersion: "14.0", Device: "phone", Engine: "Blink", InApp: true}},
	{"a browser on Samsung's", "Mozilla/5.0 (Linux; Android 12; Quest 3) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/35.2.0 SamsungBrowser/4.0 Chrome/126.0.6478.122 VR Safari/537.36",
		Agent{Browser: "Oculus Browser", Major: "35", Version: "35.2.0", OS: "Android", OSVersion: "12.0", Device: "tablet", Engine: "Blink"}},
	{"UC's number is not that of its cloud", "UCWEB/2.0 (MIDP-2.0; U; en-US; Example 100) U2/1.0.0 UCBrowser/9.5.0.449 U2/1.0.0 Mobile",
		Agent{Browser: "UC Browser", Major: "9", Version: "9.5.0.449", Device: "phone"}},
	{"a number at the second word's end", "Mozilla/5.0 (S60V3; U; en; Example)/UC Browser8.0.3.99/28/444/UCWEB Mobile",
		Agent{Browser: "UC Browser", Major: "8", Version: "8.0.3.99", Device: "phone"}},
	{"Opera Mini in the place of a model", "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; en) Presto/2.12.423 Version/12.16",
		Agent{Browser: "Opera Mini", Major: "36", Version: "36.2.2254", OS: "Android", Device: "phone", Engine: "Presto"}},
	{"Brave on an iPhone", iphoneUA + "Version/18.5 Mobile/15E148 Safari/604.1 Brave",
		Agent{Browser: "Brave", Major: "18", Version: "18.5", OS: "iOS", OSVersion: "18.6", Device: "phone", Engine: "WebKit"}},
	{"Fennec, not the Firefox beside it", "Mozilla/5.0 (Android; Linux armv7l; rv:5.0) Gecko/20110615 Firefox/5.0 Fennec/4.5",
		Agent{Browser: "Firefox", Major: "4", Version: "4.5", OS: "Android", Device: "tablet", Engine: "Gecko"}},
	{"a Safari that does not tell its number", "Mozilla/5.0 (Macintosh; U; PPC Mac OS X; en) AppleWebKit/312.8 (KHTML, like Gecko) Safari/312.6",
		Agent{Browser: "Safari", Major: "1", Version: "1.0", OS: "macOS", Device: "desktop", Engine: "WebKit"}},
	{"Internet Explorer of a pocket", "Mozilla/4.0 (compatible; MSIE 6.0; Windows CE; IEMobile 7.6)",
		Agent{Browser: "IE", Major: "7", Version: "7.0", OS: "other", Device: "phone", Engine: "Trident"}},
	{"Windows by its name", "Opera/8.51 (Windows ME; U; en)",
		Agent{Browser: "Opera", Major: "8", Version: "8.51", OS: "Windows", OSVersion: "ME", Device: "desktop"}},
	{"Windows ME, which says 98 as well", "Mozilla/4.0 (compatible; MSIE 6.0; Windows 98; Win 9x 4.90)",
		Agent{Browser: "IE", Major: "6", Version: "6.0", OS: "Windows", OSVersion: "ME", Device: "desktop", Engine: "Trident"}},
	{"a desktop's Chrome that plays an iPhone", "Mozilla/5.0 (iPhone; CPU iPhone OS 13_2 like Mac OS X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
		Agent{Browser: "Chrome", Major: "130", Version: "130.0.0.0", OS: "iOS", OSVersion: "13.2", Device: "phone", Engine: "Blink"}},
	{"Opera's token is also that of a message", "Example-KU990 Browser/Obigo-Q05A/3.6 MMS/LG-MMS-V1.0/1.2 Profile/MIDP-2.0 Configuration/CLDC-1.1",
		Agent{Browser: "Example-KU990", Device: "phone"}},
	{"a Chromebook", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
		Agent{Browser: "Chrome", Major: "156", Version: "156.0.0.0", OS: "ChromeOS", Device: "desktop", Engine: "Blink"}},
}

func TestRead_doesNotStumble(t *testing.T) {
	for _, p := range pitfalls {
		t.Run(p.name, func(t *testing.T) { assert.Equal(t, p.want, Read(p.ua)) })
	}
}

func TestRead_namesTheAppAroundThePage(t *testing.T) {
	for _, c := range []struct{ ua, app string }{
		{viewUA + "Instagram 361.0.0.46.88 Android (34/14; 480dpi; 1080x2125; samsung; SM-S921B; e1s; s5e9945; en_US; 674675098)", "Instagram"},
		{iphoneUA + "Mobile/22G86 Instagram 394.0.0.26.118 (iPhone16,1; iOS 18_6; en_US; scale=3.00) Safari/604.1", "Instagram"},
		{viewUA + "[FB_IAB/FB4A;FBAV/485.0.0.70.77;]", "Facebook"},
		{viewUA + "[FB_IAB/Orca-Android;FBAV/482.0.0.59.108;]", "Messenger"},
		{iphoneUA + "Mobile/15E148 [FBAN/MessengerForiOS;FBAV/480.0.0.30.109;FBDV/iPhone15,2;FBSN/iOS;FBSV/18.6]", "Messenger"},
		{viewUA + "Barcelona 359.0.0.51.88 Android (34/14)", "Threads"},
		{iphoneUA + "Mobile/15E148 Safari Line/14.16.0", "LINE"},
		{viewUA + "MicroMessenger/8.0.50.2701(0x28003253) WeChat/arm64 Weixin NetType/WIFI Language/en", "WeChat"},
		{viewUA + "musical_ly_2023509030 JsSdk/1.0 BytedanceWebview/d8a21c6", "TikTok"},
		{windowsUA + "Chrome/147.0.0.0 Safari/537.36 Edg/147.0.0.0 Teams/26106.2110.4675.2592", "Teams"},
	} {
		a := Read(c.ua)
		assert.Equal(t, c.app, a.App, c.ua)
		assert.Equal(t, c.app, a.Browser, c.ua)
		assert.True(t, a.InApp, c.ua)
	}
}

func TestRead_findsTheAppsOwnVersion(t *testing.T) {
	for _, c := range []struct{ ua, app, version string }{
		{viewUA + "NAVER(inapp; search; 1010; 12.6.2)", "Naver", "12.6.2"},
		{iphoneUA + "Mobile/15E148 NAVER(inapp; search; 720; 12.6.2; 15PRO)", "Naver", "12.6.2"},
		{iphoneUA + "Mobile/15E148 Weibo (iPhone16,1__weibo__14.1.0__iphone__os18.6)", "Weibo", "14.1.0"},
		{viewUA + "musical_ly_2023509030 JsSdk/1.0 AppName/musical_ly app_version/35.9.3 BytedanceWebview/d8a21c6", "TikTok", "35.9.3"},
		{iphoneUA + "Mobile/15E148 musical_ly_35.9.0 JsSdk/2.0 BytedanceWebview/d8a21c6", "TikTok", "35.9.0"},
		{iphoneUA + "Mobile/15E148 Twitter for iPhone/10.24", "X", "10.24"},
		{iphoneUA + "Mobile/15E148 Twitter for iPhone", "X", ""},
		{iphoneUA + "Mobile/15E148 [LinkedInApp]/9.30.1", "LinkedIn", "9.30.1"},
		{viewUA + "Reddit/Version 2024.41.0/Build 1/Android 14", "Reddit", "2024.41.0"},
		{viewUA + "[FB_IAB/MESSENGER;FBAV/480.0.0.30.109;]", "Messenger", "480.0.0.30.109"},
		{viewUA + "[FB_IAB/FB4A;FBAV/485.0.0.70.77;]", "Facebook", "485.0.0.70.77"},
		{viewUA + "NAVER(inapp; search; ", "Naver", ""},
	} {
		a := Read(c.ua)
		assert.Equal(t, c.app, a.App, c.ua)
		assert.Equal(t, c.version, a.Version, c.ua)
	}
}

// Most of what runs Android says Mobile if it is a phone; of the rest the
// model tells, or the kind of the program.
func TestRead_tellsPhonesFromTablets(t *testing.T) {
	const chrome, mobile = ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
	for _, c := range []struct{ ua, device string }{
		{"Mozilla/5.0 (Linux; Android 12; ABC-W09 Build/HONORABC-W09" + mobile, "tablet"},
		{"Mozilla/5.0 (Linux; Android 12; ABC-L09" + mobile, "phone"},
		{"Mozilla/5.0 (Linux; Android 12; HarmonyOS; ABC2-W19; HMSCore 6.14.0.322" + mobile, "tablet"},
		{"Mozilla/5.0 (Linux; Android 14; 23999RPE1C Build/UKQ1" + mobile, "tablet"},
		{"Mozilla/5.0 (Linux; Android 14; 2399XRPE1C" + mobile, "tablet"},
		{"Mozilla/5.0 (Linux; Android 14; 23999DRK4G" + mobile, "phone"},
		{"Mozilla/5.0 (Linux; Android 4.4.2; SAMSUNG-SM-T999A Build/KOT49H" + mobile, "tablet"},
		{"Mozilla/5.0 (Linux; Android 9; Example SmartTab10 Build/PPR1" + mobile, "tablet"},
		{"Mozilla/5.0 (Linux; Android 9; EXAMPLEPAD 8" + mobile, "tablet"},
		{"Mozilla/5.0 (Linux; Android 9; Coolpad 5950" + mobile, "phone"},
		{"Mozilla/5.0 (Linux; Android 9; PadFone 2" + mobile, "phone"},
		{"Mozilla/5.0 (Linux; Android 9; Example Build/TAB1" + mobile, "phone"},
		{"Mozilla/5.0 (Linux; Android 14; SM-X710" + mobile, "tablet"},
		{"Mozilla/5.0 (Linux; Android 14; SM-F946B" + chrome, "phone"},
		{"Mozilla/5.0 (Linux; Android 14; Pixel Tablet" + chrome, "tablet"},
		{"Mozilla/5.0 (Linux; Android 14; Pixel 8" + chrome, "phone"},
		{"Mozilla/5.0 (Linux; Android 14; Example 1" + chrome, "tablet"},
		{"Mozilla/5.0 (Linux; U; Android 3.2; en; Example) AppleWebKit/534.13 (KHTML, like Gecko) Version/4.0 Safari/534.13", "tablet"},
		{"Mozilla/5.0 (Linux; U; Android 2.3.4; en; Example) AppleWebKit/533.1 (KHTML, like Gecko) Version/4.0 Safari/533.1", "phone"},
		{"com.example.app/1.0 (Linux; U; Android 10; en_US; Example; Cronet/80.0)", "phone"},
		{"Mozilla/5.0 (webOS/1.4.5; U; en-US) AppleWebKit/532.2 (KHTML, like Gecko) Version/1.0 Safari/532.2 Pixi/1.0", "phone"},
		{"SonyEricssonK999i/R1CB Browser/NetFront/3.3 Profile/MIDP-2.0 Configuration/CLDC-1.1", "phone"},
	} {
		assert.Equal(t, c.device, Read(c.ua).Device, c.ua)
	}
}

func TestTold_leavesOutWhatIsFrozen(t *testing.T) {
	for _, c := range []struct{ ua, version, osVersion string }{
		{windowsUA + "Chrome/156.0.0.0 Safari/537.36", "156", ""},
		{androidUA + "Chrome/156.0.0.0 Mobile Safari/537.36", "156", ""},
		{"Mozilla/5.0 (Android 10; Mobile; rv:153.0) Gecko/153.0 Firefox/153.0", "153.0", "10.0"},
		{macUA + "Version/26.1 Safari/605.1.15", "26.1", ""},
		{iphoneUA + "CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1", "141.0.7390.41", ""},
		{iphoneUA + "Version/26.1 Mobile/15E148 Safari/604.1", "26.1", "26.1"},
		{iphoneUA + "Version/18.6 Mobile/15E148 Safari/604.1", "18.6", "18.6"},
	} {
		told := Read(c.ua).Told()
		assert.Equal(t, c.version, told.Version, c.ua)
		assert.Equal(t, c.osVersion, told.OSVersion, c.ua)
	}
}

// Work is counted in bytes given out, not in time: twice the input may not
// take much more than twice the work, and beyond the limit none more.
func TestRead_worksNoMoreThanTheInputGrows(t *testing.T) {
	work := func(ua string) float64 {
		const runs = 10
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			Read(ua)
		}
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc-before.TotalAlloc) / runs
	}
	for _, filler := range []string{" ", ")", "(", "; ", "a_", "opera ", "é", "Chrome/1 "} {
		half, whole := strings.Repeat(filler, limit/2/len(filler)), strings.Repeat(filler, limit/len(filler))
		assert.LessOrEqual(t, work(whole), 3*work(half)+10_000, "%q", filler)
		assert.InDelta(t, work(strings.Repeat(filler, limit)), work(strings.Repeat(filler, 1<<20/len(filler))), 10_000, "%q: a megabyte costs what the limit does", filler)
	}
}

func TestTables_canBeFound(t *testing.T) {
	marked := map[string]int{}
	for _, m := range markTokens[1:] {
		for token := range strings.SplitSeq(m[1:], "|") {
			marked[token]++
			assert.LessOrEqual(t, marked[token], 2, "%q has more marks than an entry holds", token)
		}
	}
	assert.Less(t, max(len(browsers), len(apps), len(systems)), 255)
	for token := range tokens {
		assert.Equal(t, strings.ToLower(token), token)
		assert.LessOrEqual(t, len(token), longest, token)
		assert.NotEmpty(t, token)
	}
	for _, names := range [][]string{tablets, phones, makers} {
		for _, n := range names {
			assert.Equal(t, strings.ToLower(n), n)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, s)
	}
	for _, p := range pitfalls {
		f.Add(p.ua, `"Chromium";v="137", "Google Chrome";v="137", "Not/A)Brand";v="24"`)
	}
	for _, r := range rows(f) {
		f.Add(r.ua, `"Windows`)
	}
	f.Fuzz(func(t *testing.T, ua, hint string) {
		a := Read(ua)
		require.Equal(t, a, Read(ua))
		h := ReadHints(ua, Hints{"sec-ch-ua": hint, "sec-ch-ua-platform": hint, "sec-ch-ua-platform-version": hint, "sec-ch-ua-mobile": hint,
			"sec-ch-ua-model": hint, "sec-ch-ua-full-version-list": hint, "sec-ch-ua-form-factors": hint})
		for _, a := range []Agent{a, h, a.Told()} {
			for _, s := range []string{a.Browser, a.Major, a.Version, a.OS, a.OSVersion, a.Device, a.Engine, a.App} {
				require.True(t, utf8.ValidString(s), "%q of %q", s, ua)
				require.LessOrEqual(t, len(s), limit)
			}
		}
	})
}
