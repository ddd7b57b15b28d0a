package agent

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/evidence"
)

// Identify concludes who the browser is from what its channels say and from how
// it behaves, and how it stands to what the site supports. What cannot be told
// is absent. If no channel says anything, who the browser is stays as it is, and
// only what is missing beside it is added: somebody judges a report, from which
// the channels are left out.
//
// What a browser does stands before what it says, and hints before user agents,
// in which values are frozen. Where channels contradict each other the answer is
// the one that fits the engine that was seen at work, and Presents tells what
// the browser presents itself as besides.
func Identify(e *evidence.Evidence, p Policy) {
	id, b := e.Identity, &e.Browser
	if claims := claims(id); len(claims) > 0 {
		engine := vote(id.Traits.Value)
		r := conclude(claims, engine)
		r.shownBy(packages.of(id.Package.Value))
		r.behaves(id.Traits.Value, engine)
		*b = r.browser()
		for _, c := range claims {
			if plain := read(cut(c.Agent)); r.contradicts(&plain, engine) {
				b.Presents = evidence.Saw(plain.words())
			}
		}
		r.weigh(b, engine, id.Traits.Value)
	}
	if b.Engine.Known() && !b.Standing.Known() {
		b.Standing = p.standing(*b)
	}
	if b.Engine.Known() && !b.Features.Known() {
		b.Features = p.features(id.Traits)
	}
}

// claims lists what the channels say, the request first.
func claims(id evidence.Identity) []evidence.Claim {
	var list []evidence.Claim
	for _, c := range []evidence.Fact[evidence.Claim]{id.Request, id.Script} {
		if strings.TrimSpace(c.Value.Agent) != "" || len(c.Value.Hints) > 0 {
			list = append(list, c.Value)
		}
	}
	return list
}

// conclude reads the first claim with the hints of all, or the one whose user
// agent fits the engine: extensions rewrite what scripts see, proxies rewrite
// headers.
func conclude(claims []evidence.Claim, engine string) reading {
	hints := Hints{}
	for _, c := range claims {
		for name, value := range c.Hints {
			if value != "" {
				hints[name] = value
			}
		}
	}
	best := claims[0].Agent
	if engine != "" {
		for _, c := range slices.Backward(claims) {
			if r := read(cut(c.Agent)); r.kind() == engine {
				best = c.Agent // the first that fits
			}
		}
	}
	return readHints(best, hints)
}

// kind is the engine by what a page can expect of it: EdgeHTML, and the WebKit
// in Chrome up to 27, are known by the Chrome that they say they are like, and
// Goanna behaves like the Gecko that it came from.
func (r *reading) kind() string {
	switch {
	case r.chromium != 0:
		return "Blink"
	case r.Engine == "Goanna":
		return "Gecko"
	}
	return r.Engine
}

// words are the reading in names that need no translation.
func (r *reading) words() string {
	name := r.Browser
	if name == "" {
		name = r.Engine
	}
	if r.Major != "" {
		name += " " + r.Major
	}
	if r.system != "" {
		name += ", " + r.system
	}
	return name
}

// contradicts is whether a channel's own words cannot be true beside what was
// concluded. That tablets and phones which ask for the page of a desktop call
// themselves one is no contradiction.
func (r *reading) contradicts(plain *reading, engine string) bool {
	known := r.kind()
	if engine != "" {
		known = engine
	}
	if plain.kind() != "" && plain.kind() != known {
		return true
	}
	if plain.system == "" || plain.system == r.system {
		return false
	}
	switch r.system {
	case "iPadOS", "iOS":
		return plain.system != "macOS" && plain.system != "iPadOS"
	case "Android", "ChromeOS":
		return plain.system != "Linux"
	}
	return true
}

// traits are what each engine has and the others do not. Seen 2026-11 in
// Chromium 87, 102 and 156, Firefox 153 and WebKitGTK 2.50; ApplePayError and
// WebKitMediaKeys are Safari's (fingerprintjs, src/utils/browser.ts).
var traits = table{
	{"webkitPersistentStorage", "Blink"}, {"webkitTemporaryStorage", "Blink"}, {"webkitResolveLocalFileSystemURL", "Blink"}, {"BatteryManager", "Blink"}, {"webkitMediaStream", "Blink"},
	{"buildID", "Gecko"}, {"oscpu", "Gecko"}, {"mozInnerScreenX", "Gecko"}, {"onmozfullscreenchange", "Gecko"}, {"CSSMozDocumentRule", "Gecko"}, {"CanvasCaptureMediaStream", "Gecko"},
	{"CSSPrimitiveValue", "WebKit"}, {"Counter", "WebKit"}, {"RGBColor", "WebKit"}, {"WebKitPoint", "WebKit"}, {"ApplePayError", "WebKit"}, {"WebKitMediaKeys", "WebKit"},
}

// lengths tell the engine by how long one error's text is, vendors by the name
// in navigator.vendor.
var (
	lengths = table{{"51", "Blink"}, {"25", "Gecko"}, {"43", "WebKit"}, {"44", "WebKit"}}
	vendors = table{{"Google Inc.", "Blink"}, {"Apple Computer, Inc.", "WebKit"}}
)

// votes is how many traits more than any other engine has one must have.
const votes = 3

// vote names the engine that the browser behaves like, or none.
func vote(t evidence.Traits) string {
	signs := evidence.Names{lengths.of(strconv.Itoa(t.ToFixed)), vendors.of(t.Vendor)}
	for _, name := range t.Has {
		signs = append(signs, traits.of(name))
	}
	count := func(engine string) (n int) {
		for _, s := range signs {
			if s == engine {
				n++
			}
		}
		return n
	}
	for i, engine := range engines {
		other := max(count(engines[(i+1)%3]), count(engines[(i+2)%3]))
		if count(engine) >= other+votes {
			return engine
		}
	}
	return ""
}

// engines are those that can be told by how they behave.
var engines = [3]string{"Blink", "Gecko", "WebKit"}

// packages are the Android apps that show pages in a view of their own and
// name themselves in X-Requested-With.
var packages = table{
	{"com.facebook.katana", "Facebook"}, {"com.facebook.lite", "Facebook"}, {"com.facebook.orca", "Messenger"}, {"com.instagram.android", "Instagram"}, {"com.instagram.barcelona", "Threads"},
	{"jp.naver.line.android", "LINE"}, {"com.tencent.mm", "WeChat"}, {"com.zhiliaoapp.musically", "TikTok"}, {"com.ss.android.ugc.trill", "TikTok"}, {"com.snapchat.android", "Snapchat"},
	{"com.linkedin.android", "LinkedIn"}, {"com.pinterest", "Pinterest"}, {"com.twitter.android", "X"}, {"com.Slack", "Slack"}, {"com.microsoft.teams", "Teams"}, {"com.kakao.talk", "KakaoTalk"},
	{"com.nhn.android.search", "Naver"}, {"com.sina.weibo", "Weibo"}, {"com.tencent.mobileqq", "QQ"}, {"com.whatsapp", "WhatsApp"}, {"org.telegram.messenger", "Telegram"}, {"com.zing.zalo", "Zalo"},
	{"com.viber.voip", "Viber"}, {"com.discord", "Discord"}, {"com.reddit.frontpage", "Reddit"}, {"com.microsoft.office.outlook", "Outlook"}, {"com.alibaba.android.rimet", "DingTalk"},
}

// shownBy notes the app that shows the page, if there is one and the user agent
// does not name it.
func (r *reading) shownBy(app string) {
	if app == "" || r.App != "" {
		return
	}
	r.App, r.InApp = app, true
	r.Browser, r.Version, r.Major = app, "", ""
}

// tabletSide is the least that the shorter side of a tablet's screen measures,
// in CSS pixels: an iPad mini has 744, the widest iPhone 440 (Apple, 2026).
const tabletSide = 600

// behaves corrects what phones, tablets and shells leave out or make up. Touch
// alone proves nothing: Firefox with privacy.resistFingerprinting claims five
// points on any desk (153, seen 2026-11).
func (r *reading) behaves(t evidence.Traits, engine string) {
	has := func(name string) bool { return slices.Contains(t.Has, name) }
	touch := t.Touch > 1
	small := t.Screen > 0 && t.Screen < tabletSide
	switch {
	case r.system == "macOS" && touch && engine == "WebKit":
		// No Mac has a touch screen, and all browsers of iPads are WebKit.
		r.system, r.OS, r.OSVersion, r.Device = "iPadOS", "iOS", "", "tablet"
		if small {
			r.system, r.Device = "iOS", "phone"
		}
		r.engineMajor = max(r.engineMajor, number(r.Version))
	case r.system == "Linux" && touch && has("orientation"):
		// Only Android's browsers know which way the screen is turned.
		r.system, r.OS, r.OSVersion, r.Device = "Android", "Android", "", "tablet"
		if small {
			r.Device = "phone"
		}
	}
	if has("brave") && slices.Contains(common, r.Browser) && r.App == "" {
		r.Browser = "Brave"
	}
	if strings.Contains(strings.Join(t.Has, " "), "TelegramWebview") {
		r.shownBy("Telegram")
	}
	if has("standalone") && r.App == "" && r.InApp {
		// A web app on the home screen is the system's own browser without a frame.
		r.InApp = false
		r.OSVersion = r.Told().OSVersion
		if r.OS == "iOS" {
			r.Browser, r.Major = "Safari", ""
		}
	}
}

// browser is the reading as evidence, without what is frozen.
func (r *reading) browser() evidence.Browser {
	var b evidence.Browser
	family, major := r.Browser, r.Major
	if r.claimed != "" {
		major = r.claimed
	}
	if family == "Safari" && r.system == "Linux" {
		// There is no Safari for Linux: WebKitGTK and Qt say so in every shell
		// around them, with a version that is not the shell's.
		family, major = "", ""
	}
	engineMajor := r.engineMajor
	switch { // rv stayed at 109 in 110 to 119 (bugzilla 1805967)
	case family == "Firefox" && r.Engine == "Gecko":
		engineMajor = number(major)
	case r.Engine == "Gecko" && engineMajor == 109:
		engineMajor = 0
	}
	b.Family, b.Major = known(family), knownNumber(number(major))
	b.Engine, b.EngineMajor = known(r.Engine), knownNumber(engineMajor)
	if r.chromium != 0 {
		b.Engine, b.EngineMajor = known("Blink"), knownNumber(r.chromium)
	}
	version := r.OSVersion
	if !r.toldVersion {
		version = r.Told().OSVersion
	}
	b.System, b.SystemVersion, b.Device = known(r.system), known(version), known(r.Device)
	b.Embedded, b.App = evidence.Saw(r.InApp), known(r.App)
	b.Presents.State = evidence.Absent
	return b
}

// floors are the first majors of the engines that have what cannot be turned
// off by a setting. Source: MDN browser-compat-data 8.1.9 of 2026-11-12.
var floors = []struct {
	feature string
	since   [3]float64 // by engine
}{
	{"css-grid", [3]float64{57, 52, 10.1}},
	{"es2020", [3]float64{76, 71, 14}},
	{"es2022", [3]float64{93, 92, 15.4}},
	{"structured-clone", [3]float64{98, 94, 15.4}},
	{"has-selector", [3]float64{105, 121, 15.4}},
	{"container-queries", [3]float64{105, 110, 16}},
	{"popover", [3]float64{114, 125, 17}},
	{"es2024", [3]float64{119, 121, 17.4}},
	{"es2025", [3]float64{128, 134, 18.2}},
}

// weigh corrects the engine and its number by what was seen at work. A number
// that cannot be true is not told; what the features bound it to stands in its
// place.
func (r *reading) weigh(b *evidence.Browser, engine string, t evidence.Traits) {
	if engine == "" {
		return
	}
	if b.Engine.State == evidence.OK && b.Engine.Value != engine && !(engine == "Gecko" && b.Engine.Value == "Goanna") {
		b.Engine, b.EngineMajor = evidence.Saw(engine), evidence.Fact[int]{State: evidence.Absent, Note: "presents"}
		return
	}
	if b.EngineMajor.State != evidence.OK || b.Engine.Value != engine || b.System.State == evidence.OK && b.System.Value == "Linux" && engine == "WebKit" {
		return // WebKitGTK's Version/60.5 counts nothing that Safari does
	}
	lo, hi := 0, 1<<30
	for _, f := range floors {
		if at := f.since[slices.Index(engines[:], engine)]; slices.Contains(t.Features, f.feature) {
			lo = max(lo, int(at))
		} else {
			hi = min(hi, int(math.Ceil(at))-1)
		}
	}
	bounded := max(min(b.EngineMajor.Value, hi), lo)
	if bounded == b.EngineMajor.Value || lo > hi { // the table is older than the browser
		return
	}
	b.EngineMajor = evidence.Saw(bounded)
	if b.Presents.State != evidence.OK {
		b.Presents = evidence.Saw(r.words())
	}
}

func known(s string) evidence.Fact[string] {
	if s == "" {
		return evidence.Fact[string]{State: evidence.Absent}
	}
	return evidence.Saw(s)
}

func knownNumber(n int) evidence.Fact[int] {
	if n == 0 {
		return evidence.Fact[int]{State: evidence.Absent}
	}
	return evidence.Saw(n)
}

// Told is the agent without what is frozen: numbers that browsers write down
// though the truth is another. What is left out cannot be told.
func (a Agent) Told() Agent {
	if strings.HasSuffix(a.Version, ".0.0.0") { // Chromium from 101 on
		a.Version = a.Major
	}
	for _, f := range frozen {
		if f.os == a.OS && f.version == a.OSVersion && f.browser != a.Browser {
			a.OSVersion = ""
		}
	}
	return a
}

// frozen are the versions of systems that stand for later ones too. A browser
// is named that still tells the truth with them.
var frozen = []struct{ os, version, browser string }{
	{"Windows", "10", ""},          // also 11, since ever
	{"macOS", "10.15", ""},         // Chrome, Firefox and Safari of 2020 and later
	{"Android", "10.0", "Firefox"}, // Chromium 110 and later, on any device
	{"iOS", "18.6", "Safari"},      // iOS 26 and later; Safari's own number tells
	{"iOS", "18.7", "Safari"},
}
