// Package agent says who the browser is, from its user agent: family, version,
// engine, system and device, or honestly that it cannot be told.
//
// Package useragent is the base; over it lie tables of tokens, which are asked
// first. It must not know what its answers are good for.
package agent

import (
	"strconv"
	"strings"

	"github.com/mssola/useragent"
)

// limit bounds how much of a user agent is read, in bytes. Real ones stay far
// below; parsing costs time and memory with every byte.
const limit = 2048

// Agent is what a user agent says of itself, in canonical names. Empty is what
// it does not say. Numbers stand as they are written, frozen ones too; Told
// gives only those that mean something.
type Agent struct {
	Browser   string `json:"browser"`
	Major     string `json:"major"`
	Version   string `json:"version"`
	OS        string `json:"os"`
	OSVersion string `json:"os_version"`
	Device    string `json:"device"` // desktop, phone or tablet
	Engine    string `json:"engine"`
	InApp     bool   `json:"in_app"` // the page is shown in a view of an app
	App       string `json:"app"`    // that app
}

// reading is an Agent and what only Parse asks for.
type reading struct {
	Agent
	system      string // as Evidence names it
	engineMajor int
	chromium    int    // the Chrome that another engine says it is like
	claimed     string // the version that Internet Explorer plays, if not its own
	toldVersion bool   // the system's version is a client hint, and true
}

// Read reads a user agent. It never fails; what it cannot tell is empty.
func Read(ua string) Agent { return read(cut(ua)).Agent }

// cut makes text of the beginning of any string, in whole characters.
func cut(ua string) string {
	return strings.ToValidUTF8(ua[:min(len(ua), limit)], "")
}

func read(ua string) reading {
	var s sight
	s.scan(ua)
	var r reading
	r.system, r.OS, r.OSVersion = s.os()
	r.Engine = s.engine(r.OS)
	s.name(&r, ua)
	r.Major = digits(r.Version)
	r.Device = s.device(&r, ua)
	r.engineMajor = s.engineMajor(r.OS, r.Engine)
	if r.Engine == "EdgeHTML" || r.Engine == "WebKit" && r.OS != "iOS" {
		r.chromium = number(s.value[markChrome])
	}
	return r
}

// os tells the system, and its version in two numbers.
func (s *sight) os() (name, canonical, version string) {
	if s.system == 0 {
		switch {
		case s.seen[markSilk]:
			return "Android", "Android", ""
		case s.seen[markGecko] && (s.seen[markMobile] || s.seen[markTablet]):
			return "Firefox OS", "other", ""
		}
		return "", "", ""
	}
	row := systems[s.system-1]
	name, canonical = row.name, row.canonical
	if canonical == "" {
		canonical = name
	}
	switch {
	case name == "Linux" && s.seen[markSilk]:
		return "Android", "Android", ""
	case name == "macOS" && s.seen[markOfIOS]:
		// "Desktop site" on an iPad: no browser of iOS runs on a Mac.
		return "iPadOS", "iOS", twoNumbers(s.value[markVersion])
	case name == "Windows":
		return name, canonical, s.windows()
	case name == "macOS":
		return name, canonical, twoNumbers(s.value[markMac])
	case name == "Android":
		return name, canonical, twoNumbers(s.value[markAndroid])
	case canonical == "iOS":
		return name, canonical, s.ios()
	}
	return name, canonical, ""
}

func (s *sight) windows() string {
	if v := windows.of(s.value[markWindows]); v != "" || s.seen[markWindows] {
		return v
	}
	return windows.of(strings.ToLower(s.value[markWindowsName]))
}

// ios tells the version of iOS. From 26 on it stays at 18_6 or 18_7 in the
// system's own words; Safari's is the same as the system's (WebKit, 2025-09).
func (s *sight) ios() string {
	v := s.value[markSystem]
	if v == "" && strings.Contains(s.value[markPhoneName], "_") {
		v = s.value[markPhoneName]
	}
	own := s.value[markVersion]
	if number(v) == 18 && number(own) >= 26 && s.seen[markSafari] {
		v = own
	}
	return twoNumbers(v)
}

func (s *sight) engine(os string) string {
	webkit, chrome := s.value[markWebKit], number(s.value[markChrome])
	switch {
	case s.seen[markPresto] || s.seen[markMSIE] && s.browser != 0 && browsers[s.browser-1].name == "Opera":
		return "Presto"
	case s.seen[markTrident] || s.seen[markMSIE]:
		return "Trident"
	case s.seen[markEdgeLegacy]:
		return "EdgeHTML"
	case os == "iOS" && !s.seen[markChrome]: // with it, another system's browser plays a phone
		return "WebKit"
	case s.seen[markGoanna]:
		return "Goanna"
	case s.seen[markChrome] && (webkit == "" || strings.HasPrefix(webkit, "537.36") && (chrome >= 28 || chrome == 0)):
		return "Blink"
	case webkit == "537.36" && !s.seen[markChrome]: // the number at which Blink left WebKit
		return "Blink"
	case s.seen[markWebKit]:
		return "WebKit"
	case s.seen[markGecko]:
		return "Gecko"
	case s.seen[markKHTML]:
		return "KHTML"
	}
	return ""
}

// engineMajor is the number by which an engine's abilities are known:
// Chromium's major, Firefox's, or Safari's. On iOS every browser is WebKit of
// the system's version.
func (s *sight) engineMajor(os, engine string) int {
	switch engine {
	case "Trident":
		return s.explorer()
	case "Gecko", "Goanna":
		return number(s.value[markRevision])
	case "WebKit":
		if os == "iOS" {
			return max(number(s.value[markVersion]), number(s.value[markSystem]))
		}
		return number(s.value[markVersion])
	case "Blink", "EdgeHTML":
		return number(s.value[markChrome])
	}
	return 0
}

// explorer is Internet Explorer's own major, whichever it plays.
func (s *sight) explorer() int {
	v := number(s.value[markMSIE])
	if t := number(s.value[markTrident]); t >= 4 {
		v = max(v, t+4)
	}
	return max(v, number(s.value[markIEMobile]))
}

// name tells browser, version and app.
func (s *sight) name(r *reading, ua string) {
	family, version := "", s.version
	if s.browser != 0 {
		b := browsers[s.browser-1]
		family = b.name
		if b.chromium && version == "" {
			version = s.value[markChrome]
			if version == "" && s.seen[markSafari] { // on iOS it is WebKit's
				version = s.value[markVersion]
			}
		}
	}
	webkit := s.seen[markWebKit]
	chrome := family == "Chrome" && s.seen[markChrome]
	own := s.value[markVersion]
	switch {
	case s.app != 0:
		a := apps[s.app-1]
		r.App, r.InApp = a.name, true
		family, version = a.name, s.appVersion
		if v := numberAfter(ua, a.after); v != "" {
			version = v
		}
	case family == "IE":
		version = strconv.Itoa(s.explorer()) + ".0"
		if claimed := s.value[markMSIE]; number(claimed) != s.explorer() && !s.seen[markIEMobile] {
			r.claimed = claimed
		}
	case family == "Electron":
		r.InApp = true
	case family == "Opera" && s.seen[markPresto] && own != "":
		version = own
	case r.OS == "Android" && chrome && s.unknown != "" && (s.seen[markView] || own == "4.0"):
		family, version = s.unknown, s.unknownVersion // a browser's own view
	case r.OS == "Android" && chrome && (s.seen[markView] || own == "4.0"):
		family, r.InApp = "Android WebView", true
		version = s.value[markChrome]
	case r.OS == "Android" && chrome && s.seen[markSamsung] && own != "":
		// Before it named itself (up to 1.6 of 2014).
		family, version = "Samsung Internet", own
	case family != "":
	case r.OS == "Android" && webkit:
		family, version = "Android Browser", own
	case r.OS == "iOS" && !s.seen[markSafari]:
		family, version, r.InApp = "iOS WebView", own, true
	case webkit && (s.seen[markSafari] && r.OS != "other" || r.OS == "macOS" && own != ""):
		family, version = "Safari", own
		if own == "" && r.OS == "macOS" {
			version = early(number(s.value[markWebKit]))
		}
	default:
		family, version = base(ua)
	}
	r.Browser, r.Version = family, trimmed(version)
}

// early is the version of a Safari that does not tell it, before 3, by its
// WebKit.
func early(webkit int) string {
	switch {
	case webkit == 0 || webkit >= 420:
		return ""
	case webkit >= 412:
		return "2.0"
	}
	return "1.0"
}

// numberAfter is the version that stands behind a text; if a number of
// something else stands there, the one behind that.
func numberAfter(ua, text string) string {
	_, rest, ok := strings.Cut(ua, text)
	if text == "" || !ok {
		return ""
	}
	v := digits(rest)
	if _, next, ok := strings.Cut(rest[:min(len(rest), longest)], v+"; "); ok && v != "" {
		rest, v = next, digits(next)
	}
	if v == "" {
		return ""
	}
	end := len(v)
	for end < len(rest) && (rest[end] == '.' || '0' <= rest[end] && rest[end] <= '9') {
		end++
	}
	return rest[:end]
}

// base asks the base parser, for browsers that no table knows.
func base(ua string) (family, version string) {
	if strings.TrimSpace(ua) == "" {
		return "", ""
	}
	p := useragent.New(ua)
	name, version := p.Browser()
	if engine, _ := p.Engine(); engine == "AppleWebKit" || p.Bot() {
		return "", ""
	}
	return name, version
}

func (s *sight) device(r *reading, ua string) string {
	if s.seen[markTV] {
		return ""
	}
	tablet, phone := s.seen[markTablet], s.seen[markMobile]
	if s.seen[markSilk] && r.OS != "Windows" {
		return "tablet" // also where it asks for a desktop's page
	}
	if v := s.value[markPuffin]; len(v) > 2 {
		switch v[len(v)-2:] { // its own way to say on what it runs
		case "IT", "AT":
			return "tablet"
		case "IP", "AP":
			return "phone"
		}
	}
	switch r.OS {
	case "":
		if phone { // one of the old ones, which name none
			return "phone"
		}
		return ""
	case "Android":
		model := model(ua)
		switch version := number(r.OSVersion); {
		case tablet || begins(model, tablets) || tabletName(model):
			return "tablet"
		case phone || begins(model, phones):
			return "phone"
		case version == 3:
			return "tablet" // made for them alone
		case r.Engine == "Presto" || version == 1 || version == 2 || !s.seen[markSafari] && !s.seen[markGecko] && !s.seen[markChrome]:
			return "phone" // neither a browser of those days nor an app says it
		}
		return "tablet"
	case "Windows", "macOS", "ChromeOS":
		return "desktop"
	case "Linux":
		switch {
		case tablet:
			return "tablet"
		case phone:
			return "phone"
		}
		return "desktop"
	}
	if r.system == "iPadOS" {
		return "tablet"
	}
	if tablet && r.OS == "other" {
		return "tablet"
	}
	if s.system == 0 {
		return "phone"
	}
	if d := systems[s.system-1].device; d != "" {
		return d
	}
	if phone {
		return "phone"
	}
	return ""
}

// makers are the names before a model's own.
var makers = []string{"samsung ", "samsung-", "huawei ", "asus ", "amazon ", "xiaomi ", "sony ", "lge ", "lenovo "}

// model is the name of an Android device, as it stands behind the system's.
func model(ua string) string {
	_, rest, ok := strings.Cut(ua, "ndroid")
	if !ok {
		return ""
	}
	if end := strings.IndexByte(rest, ')'); end >= 0 {
		rest = rest[:end]
	}
	for {
		_, after, ok := strings.Cut(rest, ";")
		if !ok {
			return ""
		}
		rest = strings.TrimLeft(after, " ")
		word, _, _ := strings.Cut(rest, ";")
		word, _, _ = strings.Cut(word, " Build/")
		if len(word) == 1 || len(word) == 2 || hasPrefixFold(word, "harmonyos") || len(word) == 5 && (word[2] == '-' || word[2] == '_') {
			continue // "U", a language, "wv", a system on top
		}
		for _, m := range makers {
			if hasPrefixFold(word, m) && !begins(word, tablets) {
				return word[len(m):]
			}
		}
		return word
	}
}

// tabletName is whether a model's name says that it is a tablet: with a word
// for one in it; as Huawei and Honor name those without a telephone in them,
// by -W and two digits; or as Xiaomi does, by RP behind the year and month.
func tabletName(model string) bool {
	if d := len(digits(model)); d >= 4 && (hasPrefixFold(model[d:], "rp") || d < len(model) && hasPrefixFold(model[d+1:], "rp")) {
		return true
	}
	for i := range len(model) {
		rest := model[i:]
		switch {
		case hasPrefixFold(rest, "tab"):
			return true
		case hasPrefixFold(rest, "pad") && (i == 0 || model[i-1]|0x20 != 'l') && !hasPrefixFold(rest, "padf"):
			return true // but Coolpad and PadFone are phones
		case i > 2 && len(rest) >= 4 && hasPrefixFold(rest, "-w") && digits(rest[2:4]) == rest[2:4]:
			return true
		}
	}
	return false
}

func begins(model string, names []string) bool {
	for _, n := range names {
		if hasPrefixFold(model, n) {
			return true
		}
	}
	return false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// digits is the number that a version begins with, at most six of them.
func digits(s string) string {
	end := 0
	for end < len(s) && end < 6 && '0' <= s[end] && s[end] <= '9' {
		end++
	}
	return s[:end]
}

func number(s string) int {
	n, err := strconv.Atoi(digits(s))
	if err != nil {
		return 0
	}
	return n
}

// trimmed is a version without what does not belong to its numbers' end.
func trimmed(s string) string {
	if digits(s) == "" {
		return ""
	}
	return strings.TrimRight(s, ".-_")
}

// twoNumbers is the beginning of a system's version, as in 10.15 and 9.0.
func twoNumbers(s string) string {
	if v := androidNames.of(strings.ToLower(s)); v != "" {
		return v
	}
	major := digits(s)
	if major == "" {
		return ""
	}
	minor := "0"
	if rest := s[len(major):]; rest != "" && (rest[0] == '.' || rest[0] == '_') {
		if m := digits(rest[1:]); m != "" {
			minor = m
		}
	}
	return major + "." + minor
}
