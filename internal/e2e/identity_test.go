//go:build unix

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
	"latchkey/web"
)

// who is what the page is to conclude about a browser. Empty fields are not
// looked at, but for the last three.
type who struct {
	families []string // any of them
	engine   string
	system   string
	version  string // of the system; "absent" where nobody tells it
	device   string

	presents string // a part of it; empty where all channels agree
	app      string // empty if the app does not say its name, or there is none
	embedded bool
}

// require fails unless the page has looked with all it has, and concluded so.
func (w who) require(t *testing.T, site *site, l look) {
	t.Helper()
	requireWhole(t, l)
	quiet(t, l)
	requireSameJudgement(t, site, l)
	assert.Equal(t, "wasm", l.Tier)
	w.fits(t, l)
}

// fits fails unless the report concludes so.
func (w who) fits(t *testing.T, l look) {
	t.Helper()
	b := l.Report.Seen.Browser
	said := func(f evidence.Fact[string]) string {
		if f.State == evidence.OK {
			return f.Value
		}
		return string(f.State)
	}
	assert.Contains(t, w.families, said(b.Family))
	for _, c := range []struct{ name, want, got string }{
		{"engine", w.engine, said(b.Engine)},
		{"system", w.system, said(b.System)},
		{"version of the system", w.version, said(b.SystemVersion)},
		{"device", w.device, said(b.Device)},
	} {
		if c.want != "" {
			assert.Equal(t, c.want, c.got, c.name)
		}
	}
	if w.presents == "" {
		assert.Equal(t, "absent", said(b.Presents), "all channels agree")
	} else {
		assert.Equal(t, evidence.OK, b.Presents.State)
		assert.Contains(t, said(b.Presents), w.presents)
	}
	if w.app == "" {
		assert.NotEqual(t, evidence.OK, b.App.State, b.App.Value)
	} else {
		assert.Equal(t, w.app, said(b.App))
	}
	assert.Equal(t, evidence.Saw(w.embedded), b.Embedded)
}

// User agents of desktops.
const (
	chromeOnWindows  = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	firefoxOnWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
)

// edgeOnWindows is Edge with the hints of Windows 11, or with none.
func edgeOnWindows(hints bool) drive.Device {
	d := drive.Device{Agent: chromeOnWindows + " Edg/140.0.0.0", Platform: "Win32"}
	if hints {
		short, full := drive.Brands("Microsoft Edge")
		d.Metadata = &drive.Metadata{
			Brands: short, FullVersionList: full, Platform: "Windows", PlatformVersion: "15.0.0",
			Architecture: "x86", Bitness: "64", FormFactors: []string{"Desktop"},
		}
	}
	return d
}

// TestIdentity_healthy is what browsers are taken for that are what they say,
// or say something else without doing any harm.
func TestIdentity_healthy(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	found := func(t *testing.T, p drive.Page, w who) {
		t.Helper()
		l := open(t, p, site.page(""))
		assert.Empty(t, l.Findings, "%+v", l.Report.Seen.Browser)
		w.require(t, site, l)
	}

	for _, c := range []struct {
		name   string
		engine drive.Engine
		o      drive.Options
		want   who
	}{
		{
			"Chromium", drive.Chromium, drive.Options{},
			who{families: []string{"Chromium", "Chrome"}, engine: "Blink", system: "Linux", version: "absent", device: "desktop"},
		},
		{
			"Chromium that says it is Firefox", drive.Chromium, drive.Options{Flags: []string{"--user-agent=" + firefoxOnWindows}},
			who{families: []string{"Chromium", "Chrome", "Firefox"}, engine: "Blink", presents: "Firefox 140"},
		},
		{
			"Firefox", drive.Firefox, drive.Options{},
			who{families: []string{"Firefox"}, engine: "Gecko", system: "Linux", version: "absent", device: "desktop"},
		},
		{
			"Firefox that resists fingerprinting", drive.Firefox, prefs("privacy.resistFingerprinting", true),
			who{families: []string{"Firefox"}, engine: "Gecko", system: "Linux", device: "desktop"},
		},
		{
			"Firefox that says it is Chrome", drive.Firefox, prefs("general.useragent.override", chromeOnWindows),
			who{families: []string{"Firefox", "Chrome"}, engine: "Gecko", presents: "Chrome"},
		},
		{
			"WebKitGTK", drive.WebKit, drive.Options{},
			who{families: []string{"absent"}, engine: "WebKit", system: "Linux", device: "desktop"},
		},
	} {
		t.Run(c.name, func(t *testing.T) { found(t, drive.Open(t, c.engine, c.o), c.want) })
	}

	tab := drive.OpenChromium(t, drive.Options{})
	for _, c := range []struct {
		name   string
		device drive.Device
		want   who
	}{
		{
			"iPhone that behaves like Chromium", drive.IPhone(),
			who{families: []string{"Safari"}, engine: "Blink", system: "iOS", device: "phone", presents: "Safari"},
		},
		{
			"Mac that behaves like Chromium and has touch", drive.IPad(),
			who{families: []string{"Safari"}, engine: "Blink", system: "macOS", presents: "Safari"},
		},
		{
			"Pixel", drive.Pixel(),
			who{families: []string{"Chrome"}, engine: "Blink", system: "Android", version: "14.0", device: "phone"},
		},
		{
			"Pixel that asks for the desktop site", drive.PixelDesktopSite(),
			who{families: []string{"Chrome"}, engine: "Blink", system: "Android", version: "absent", device: "phone"},
		},
		{
			"Android tablet", drive.AndroidTablet(),
			who{families: []string{"Chrome"}, engine: "Blink", system: "Android", version: "14.0", device: "tablet"},
		},
		{
			"Edge on Windows 11", edgeOnWindows(true),
			who{families: []string{"Edge"}, engine: "Blink", system: "Windows", version: "11", device: "desktop"},
		},
		{
			"Edge on some Windows", edgeOnWindows(false),
			who{families: []string{"Edge"}, engine: "Blink", system: "Windows", version: "absent", device: "desktop"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, tab.Emulate(t.Context(), c.device))
			found(t, tab, c.want)
		})
	}
}

// phoneWidth is that of the narrowest phones that are common.
const phoneWidth = 360

// TestIdentity_embedded is what a person gets inside of an app.
func TestIdentity_embedded(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	first := drive.OpenChromium(t, drive.Options{})
	require.NoError(t, first.Browser().Call(t.Context(), "Browser.grantPermissions", map[string]any{"permissions": []string{"clipboardReadWrite"}}, nil))
	for _, c := range []struct {
		name   string
		device drive.Device
		want   who
		title  string
		escape string // how the address begins that asks the app to open the page elsewhere, if there is one
	}{
		{
			"Facebook on an iPhone", drive.FacebookIPhone(),
			// What Chromium cannot help: it behaves like itself.
			who{system: "iOS", device: "phone", app: "Facebook", embedded: true, presents: "Facebook"},
			"You're inside the Facebook app", "",
		},
		{
			"Facebook on Android", drive.FacebookAndroid(),
			who{engine: "Blink", system: "Android", version: "14.0", device: "phone", app: "Facebook", embedded: true},
			"You're inside the Facebook app", "", // it opens nothing
		},
		{
			"Instagram on Android", drive.InstagramAndroid(),
			who{engine: "Blink", system: "Android", version: "14.0", device: "phone", app: "Instagram", embedded: true},
			"You're inside the Instagram app", "instagram://extbrowser/?url={encoded}",
		},
		{
			"an app on Android", drive.AndroidView(),
			who{families: []string{"Android WebView"}, engine: "Blink", system: "Android", version: "14.0", device: "phone", embedded: true},
			"You're inside an app, not in your browser", "intent://{rest}#Intent;scheme={scheme};",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.device.Width, c.device.Height = phoneWidth, 740
			if c.want.families == nil {
				c.want.families = []string{c.want.app}
			}
			tab := newTab(t, first)
			require.NoError(t, tab.Emulate(t.Context(), c.device))
			l := open(t, tab, site.page(""))
			assert.Equal(t, []string{"browser-embedded-view"}, l.Findings)
			c.want.require(t, site, l)
			requireWayOut(t, l)
			assert.Contains(t, l.Text, c.title)
			assert.Equal(t, phoneWidth, read[int](t, tab, `innerWidth`))
			assert.Empty(t, newAuditor(t, tab).faults(t), "on a narrow phone")
			assert.True(t, read[bool](t, tab, `document.querySelector('[data-finding="browser-embedded-view"]').getBoundingClientRect().top < innerHeight`), "to be seen without scrolling")
			copiesAddress(t, tab, site.page(""))
			escapes(t, tab, c.escape, site.page(""))

			// In the frame it is the login page's address that is wanted.
			tab = newTab(t, first)
			require.NoError(t, tab.Emulate(t.Context(), c.device))
			visit(t, tab, site.URL+"/")
			require.NoError(t, tab.Click(t.Context(), "#trouble"))
			l = settled(t, tab)
			assert.Equal(t, []string{"browser-embedded-view"}, l.Findings)
			c.want.fits(t, l)
			requireWayOut(t, l)
			fits(t, tab)
			assert.Empty(t, newAuditor(t, tab).faults(t), "in the frame on a narrow phone")
			copiesAddress(t, tab, site.URL+"/")
			assert.Empty(t, complaints(t, tab))
			escapes(t, tab, c.escape, site.URL+"/")
		})
	}
}

// requireWayOut fails unless the first that is told is to leave the app.
func requireWayOut(t *testing.T, l look) {
	t.Helper()
	require.Equal(t, "browser-embedded-view", l.top())
	require.Equal(t, "open-in-browser", finding(t, l, "browser-embedded-view").Fixes[0])
	require.Equal(t, "open-in-browser", l.Fixes[0])
	sure := diag.Likely
	if l.Report.Seen.Browser.App.State == evidence.OK {
		sure = diag.Sure // it says so itself
	}
	require.Equal(t, sure, finding(t, l, "browser-embedded-view").Sureness)
}

// copiesAddress presses the button that copies an address, and fails unless it
// is that one which a person can then paste.
func copiesAddress(t *testing.T, tab *drive.Tab, address string) {
	t.Helper()
	const button = `[data-action="copy-link"]`
	clickIn(t, tab, button)
	wait(t, tab, widget+`.querySelector('`+button+`').textContent.indexOf("Copied") === 0`)
	assert.Equal(t, address, read[string](t, tab, widget+`.defaultView.navigator.clipboard.readText()`))
	assert.Equal(t, address, read[string](t, tab, widget+`.getElementById("latchkey-address").textContent`), "and it is there to be copied by hand")
}

// escapes presses what asks the app to open the page's address elsewhere, if
// there is a way to ask, and fails unless it goes there and the page stays.
// Chromium is no such app; it asks back, and from then on the tab hears nothing
// else.
func escapes(t *testing.T, tab *drive.Tab, way, address string) {
	t.Helper()
	const control = `[data-action="escape"]`
	shown := read[bool](t, tab, `(function (n) { return n !== null && n.checkVisibility(); })(`+widget+`.querySelector('`+control+`'))`)
	require.Equal(t, way != "", shown)
	if way == "" {
		return
	}
	asked := make(chan string, 10)
	defer tab.On("Page.frameRequestedNavigation", func(e drive.Event) {
		var p struct{ URL string }
		if json.Unmarshal(e.Params, &p) == nil {
			asked <- p.URL
		}
	})()
	clickIn(t, tab, control)
	to := ""
	eventually(t, "it goes somewhere", func() bool {
		select {
		case to = <-asked:
		default:
		}
		return to != ""
	})
	way = strings.NewReplacer("{encoded}", url.QueryEscape(address), "{rest}", strings.TrimPrefix(address, "http://"), "{scheme}", "http").Replace(way)
	assert.True(t, strings.HasPrefix(to, way), "%s, not %s", to, way)
	assert.Equal(t, address, read[string](t, tab, `location.href`))
	assert.Equal(t, "browser-embedded-view", lookAt(t, tab).top())
}

// The server alone knows the app where there are no scripts.
func TestIdentity_embeddedWithoutScripts(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	for _, d := range []drive.Device{drive.FacebookIPhone(), drive.FacebookAndroid()} {
		tab := drive.OpenChromium(t, drive.Options{Prefs: blocked("javascript")})
		d.Width, d.Height = phoneWidth, 740
		require.NoError(t, tab.Emulate(t.Context(), d))
		visit(t, tab, site.page(""))
		l := withoutScript(t, tab)
		assert.ElementsMatch(t, []string{"browser-embedded-view", "javascript-off"}, l.Findings)
		assert.Equal(t, "open-in-browser", finding(t, l, "browser-embedded-view").Fixes[0])
		assert.Contains(t, l.Fixes, "open-in-browser")
		assert.Equal(t, evidence.Saw("Facebook"), l.Report.Seen.Browser.App)
		quiet(t, l)
		requireSameJudgement(t, site, l)

		unfold(t, tab)
		assert.Contains(t, lookAt(t, tab).Text, "You're inside the Facebook app")
		address := read[struct {
			Text, Select string
			Seen         bool
		}](t, tab, `(function (n) {
			return {text: n.textContent.trim(), select: getComputedStyle(n).userSelect, seen: n.checkVisibility() && n.getClientRects().length > 0};
		})(document.getElementById("latchkey-address"))`)
		assert.True(t, strings.HasPrefix(address.Text, site.URL+"/"), address.Text)
		assert.NotContains(t, address.Text, "noscript", "whoever opens it elsewhere has scripts")
		assert.NotEqual(t, "none", address.Select)
		assert.True(t, address.Seen)
		assert.Empty(t, read[[]string](t, tab, `[].filter.call(document.querySelectorAll('[data-action="copy-link"], [data-action="escape"]'), function (n) { return n.checkVisibility(); }).map(function (n) { return n.id; })`), "they would do nothing")
	}
}

// serve is the server alone, which reads requests as they come over a wire.
func serve(t *testing.T) (host string) {
	t.Helper()
	if _, err := fs.Stat(web.Dist(), "manifest.json"); err != nil {
		t.Skip("the static files were not built, run: make wasm")
	}
	s := httptest.NewServer(newHandler(t, "https://portal.example", time.Now))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// get asks for the diagnostic page with the lines of a header, as they are.
func get(t *testing.T, host string, lines ...string) *http.Response {
	t.Helper()
	wire, err := net.Dial("tcp", host)
	require.NoError(t, err)
	t.Cleanup(func() { wire.Close() })
	require.NoError(t, wire.SetDeadline(time.Now().Add(10*time.Second)))
	head := append([]string{"GET /latchkey/ HTTP/1.1", "Host: " + host, "Connection: close"}, lines...)
	_, err = fmt.Fprint(wire, strings.Join(head, "\r\n"), "\r\n\r\n")
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(wire), nil)
	require.NoError(t, err)
	return answer
}

var (
	attribute  = regexp.MustCompile(`data-(finding|fix|gap)="([^"]+)"`)
	reportText = regexp.MustCompile(`(?s)<script[^>]* id="latchkey-report"[^>]*>(.*?)</script>`)
	markup     = regexp.MustCompile(`(?s)<script.*?</script>|<style.*?</style>|<[^>]*>`)
)

// served reads a page that no browser has touched.
func served(t *testing.T, answer *http.Response) look {
	t.Helper()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	l := look{Tier: "html", State: "done", Findings: []string{}, Fixes: []string{}, Gaps: []string{}}
	for _, m := range attribute.FindAllSubmatch(body, -1) {
		value := string(m[2])
		switch string(m[1]) {
		case "finding":
			l.Findings = append(l.Findings, value)
		case "fix":
			l.Fixes = append(l.Fixes, value)
		case "gap":
			l.Gaps = append(l.Gaps, value)
		}
	}
	l.Findings = slices.Compact(l.Findings)
	written := reportText.FindSubmatch(body)
	require.NotNil(t, written, "no report in %s", body)
	require.NoError(t, json.Unmarshal(written[1], &l.Report))
	l.Text = html.UnescapeString(markup.ReplaceAllString(string(body), " "))
	requireWhole(t, l)
	return l
}

func TestIdentity_old(t *testing.T) {
	t.Parallel()
	host := serve(t)
	for _, c := range []struct {
		name, agent string
		top, fix    string
		not         string // the fix that is no use
	}{
		{
			"Internet Explorer mode", "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
			"browser-compat-mode", "leave-compat-mode", "update-browser",
		},
		{
			"Chrome 95 on Windows 7, which can have 109", "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/95.0.4638.69 Safari/537.36",
			"browser-outdated", "update-browser", "",
		},
		{
			"Chrome 76 on a Chromebook, which gets no more", "Mozilla/5.0 (X11; CrOS x86_64 12239.92.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/76.0.3809.136 Safari/537.36",
			"browser-outdated", "use-other-device", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := served(t, get(t, host, "User-Agent: "+c.agent))
			require.Equal(t, c.top, l.top(), "%+v", l.Report.Seen.Browser)
			assert.Equal(t, c.fix, finding(t, l, c.top).Fixes[0])
			assert.Equal(t, c.fix, l.Fixes[0])
			if c.not != "" {
				assert.NotContains(t, l.Fixes, c.not)
			}
		})
	}
}

// Nobody is turned away, and nothing is found in a name.
func TestIdentity_strange(t *testing.T) {
	t.Parallel()
	host := serve(t)
	for _, c := range []struct {
		name  string
		lines []string
	}{
		{"a phone with bot in its name", []string{"User-Agent: Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"}},
		{"Epiphany", []string{"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15 Epiphany/605.1.15"}},
		{"headless Chrome", []string{"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36"}},
		{"empty", []string{"User-Agent: "}},
		{"missing", nil},
		{"two", []string{"User-Agent: " + chromeOnWindows, "User-Agent: " + firefoxOnWindows}},
		{"not UTF-8", []string{"User-Agent: Mozilla/5.0 \xff\xfe (\x80)"}},
		{"markup", []string{`User-Agent: </script><script>alert(1)</script>" onload="`}},
		{"hints of nothing", []string{"User-Agent: " + chromeOnWindows, `Sec-CH-UA: ";;;,,,`, "Sec-CH-UA-Platform: ?", "Sec-CH-UA-Mobile: 7"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, f := range served(t, get(t, host, c.lines...)).Findings {
				assert.NotRegexp(t, "^browser-", f)
			}
		})
	}
	t.Run("200 KB", func(t *testing.T) {
		answer := get(t, host, "User-Agent: Mozilla/5.0 "+strings.Repeat("(", 200_000))
		if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			assert.Empty(t, served(t, answer).Findings)
		}
	})
}

// TestIdentity_support is what the operator's word on browsers comes to in real
// ones: what is tried counts more than a number.
func TestIdentity_support(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config string
		engine       drive.Engine
		want         []string
		text         string
	}{
		{"an old Chromium that can do all that signing in needs", "browsers: {features: [modules, es2020, webauthn]}", drive.Chromium102, []string{}, "Nothing wrong found"},
		{"one that cannot", "browsers: {features: [modules, has-selector]}", drive.Chromium102, []string{"browser-outdated", "browser-lacks-feature"}, "May 2022"},
		{"a supported Chromium that cannot", "browsers: {supported: chrome >= 80, features: [has-selector]}", drive.Chromium87, []string{"browser-lacks-feature"}, "modern page layout"},
		{"a Firefox where only Chrome is supported", "browsers: {supported: chrome >= 80}", drive.Firefox, []string{"browser-unsupported"}, "doesn't support Firefox"},
		{"a Firefox where it is", "browsers: {supported: 'chrome >= 80, firefox >= 100', features: [webauthn, crypto-subtle, modules, has-selector]}", drive.Firefox, []string{}, "Nothing wrong found"},
		{"a WebKit that is judged by what it can do", "browsers: {features: [crypto-subtle, modules, has-selector, es2025]}", drive.WebKit, []string{}, "Nothing wrong found"},
		{"QtWebKit, which can do little", "browsers: {supported: safari >= 9, features: [fetch]}", drive.QtWebKit, []string{"browser-lacks-feature"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			site := startSite(t, configured(t, c.config))
			l := open(t, drive.Open(t, c.engine, drive.Options{}), site.page(""))
			requireWhole(t, l)
			assert.Equal(t, c.want, append([]string{}, l.Findings...), "%+v", l.Report.Seen.Browser)
			assert.Contains(t, l.Text, c.text)
		})
	}
}

// TestIdentity_telegram is an app that only its objects give away, also those
// that stand in the page around the frame.
func TestIdentity_telegram(t *testing.T) {
	t.Parallel()
	site := startSite(t, withLogin(`data-outcome="session_lost"`))
	tab := drive.OpenChromium(t, drive.Options{})
	require.NoError(t, tab.Emulate(t.Context(), drive.Pixel()))
	require.NoError(t, tab.Call(t.Context(), "Page.addScriptToEvaluateOnNewDocument", map[string]any{
		"source": `if (window.top === window) { window.TelegramWebviewProxy = {}; }`,
	}, nil))
	for name, url := range map[string]string{"on its own page": site.page(""), "in the login page": site.URL + "/"} {
		t.Run(name, func(t *testing.T) {
			l := open(t, tab, url)
			assert.Equal(t, "browser-embedded-view", l.top())
			assert.Equal(t, "Telegram", finding(t, l, "browser-embedded-view").Args["app"])
			assert.Contains(t, l.Text, "“In-App Browser”")
		})
	}
}
