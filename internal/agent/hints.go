package agent

import (
	"slices"
	"strings"
)

// Hints are client hints by the name of their header in lower case, as in
// "sec-ch-ua-platform", with the header's value.
type Hints map[string]string

// brand is one entry of Sec-CH-UA or Sec-CH-UA-Full-Version-List.
type brand struct{ name, version string }

// brands are those that are known, most specific first: Chrome's and
// Chromium's stand beside all others'.
var brands = []struct{ brand, browser string }{
	{"Brave", "Brave"}, {"Vivaldi", "Vivaldi"}, {"Opera GX", "Opera"}, {"Opera", "Opera"}, {"OperaMobile", "Opera"}, {"Opera Mini", "Opera Mini"}, {"OperaMini", "Opera Mini"},
	{"Samsung Internet", "Samsung Internet"}, {"Yandex", "Yandex"}, {"YaBrowser", "Yandex"}, {"DuckDuckGo", "DuckDuckGo"}, {"Ecosia", "Ecosia"},
	{"HuaweiBrowser", "Huawei"}, {"HonorBrowser", "Honor"}, {"MiuiBrowser", "MIUI"}, {"HeyTapBrowser", "HeyTap"}, {"VivoBrowser", "Vivo"},
	{"UCBrowser", "UC Browser"}, {"QQBrowser", "QQ Browser"}, {"Quark", "Quark"}, {"Whale", "Whale"}, {"Naver Whale", "Whale"}, {"CocCoc", "Coc Coc"}, {"Coc Coc", "Coc Coc"},
	{"Avast Secure Browser", "Avast"}, {"AVG Secure Browser", "AVG"}, {"AlohaBrowser", "Aloha"}, {"Aloha", "Aloha"}, {"Puffin", "Puffin"}, {"Maxthon", "Maxthon"},
	{"Amazon Silk", "Silk"}, {"Silk", "Silk"}, {"Phoenix", "Phoenix"}, {"360", "360"},
	{"Microsoft Edge", "Edge"}, {androidView, androidView}, {edgeView, "Edge"},
	{"Google Chrome", "Chrome"}, {"HeadlessChrome", "Chrome"}, {"Chromium", "Chromium"},
}

// The brands of embedded views.
const (
	androidView = "Android WebView"
	edgeView    = "Microsoft Edge WebView2"
)

// common are the browsers that any other may pass for in its user agent.
var common = []string{"", "Chrome", "Chromium", "Safari", "Firefox", androidView}

// platforms are the values of Sec-CH-UA-Platform.
var platforms = table{
	{"Android", "Android"}, {"Chrome OS", "ChromeOS"}, {"Chromium OS", "ChromeOS"}, {"iOS", "iOS"}, {"Linux", "Linux"}, {"macOS", "macOS"}, {"Windows", "Windows"}, {"Fuchsia", "other"},
}

// formFactors are the values of Sec-CH-UA-Form-Factors that are devices to us,
// most telling first: a tablet may be Mobile as well.
var formFactors = []struct{ factor, device string }{{"Tablet", "tablet"}, {"Mobile", "phone"}, {"Desktop", "desktop"}}

// ReadHints reads a user agent and the client hints beside it. Hints are not
// frozen, so they stand before the user agent; one that cannot be read is as
// one that was not sent. It never fails.
func ReadHints(ua string, hints Hints) Agent { return readHints(ua, hints).Agent }

func readHints(ua string, hints Hints) reading {
	r := read(cut(ua))
	list := parseList(hints["sec-ch-ua-full-version-list"])
	if len(list) == 0 {
		list = parseList(hints["sec-ch-ua"])
	}
	r.brand(list)
	r.platform(parseString(hints["sec-ch-ua-platform"]), parseString(hints["sec-ch-ua-platform-version"]))
	r.formed(hints)
	return r
}

// brand takes the most specific brand that is known.
func (a *reading) brand(list []brand) {
	best, version := len(brands), ""
	for _, b := range list {
		for i, known := range brands[:best] {
			if strings.EqualFold(b.name, known.brand) {
				best, version = i, b.version
				break
			}
		}
		switch b.name {
		case androidView, edgeView:
			a.InApp = true
		case "Chromium":
			a.engineMajor, a.chromium = number(b.version), 0
		}
	}
	if best == len(brands) {
		return
	}
	a.Engine = "Blink" // no other sends brands
	name := brands[best].browser
	if a.App != "" || name != a.Browser && !slices.Contains(common, a.Browser) && slices.Contains(common, name) {
		return // the user agent is more specific
	}
	if name != a.Browser || number(version) != number(a.Version) || len(version) > len(a.Major) {
		a.Version = trimmed(version)
	}
	a.Browser, a.Major = name, digits(a.Version)
}

func (a *reading) platform(name, version string) {
	os := platforms.of(name)
	if os == "" {
		return
	}
	if os != a.OS {
		a.OS, a.OSVersion, a.system = os, "", os
		if os != "Android" {
			a.Device = "desktop"
		}
	}
	if version == "" {
		return
	}
	a.toldVersion = true
	switch os {
	case "Windows":
		a.OSVersion = windowsOf(version)
	case "Linux":
		a.OSVersion = ""
	default:
		a.OSVersion = twoNumbers(version)
	}
}

// contracts name the Windows whose UniversalApiContract was below 1.
var contracts = table{{"0.3", "8.1"}, {"0.2", "8"}, {"0.1", "7"}}

// windowsOf names Windows by the version of its UniversalApiContract.
// Source: learn.microsoft.com, how to detect Windows 11, read 2026.
func windowsOf(version string) string {
	switch major := number(version); {
	case major >= 13:
		return "11"
	case major >= 1:
		return "10"
	}
	return contracts.of(twoNumbers(version))
}

func (a *reading) formed(hints Hints) {
	factors := parseList(hints["sec-ch-ua-form-factors"])
	for _, f := range formFactors {
		for _, b := range factors {
			if b.name == f.factor {
				a.Device = f.device
				return
			}
		}
	}
	model := parseString(hints["sec-ch-ua-model"])
	switch mobile := strings.TrimSpace(hints["sec-ch-ua-mobile"]); {
	case a.OS == "Android" && begins(model, tablets):
		a.Device = "tablet"
	case mobile == "?1":
		a.Device = "phone"
	case mobile == "?0" && a.OS == "Android":
		a.Device = "tablet"
	}
}

// parseList reads a structured field (RFC 9651) that is a list of strings, and
// the parameter v of each. It is nil if the field is no such list.
func parseList(s string) []brand {
	var list []brand
	for p := (field{s[:min(len(s), limit)]}); ; {
		var b brand
		var ok bool
		p.space()
		if b.name, ok = p.text(); !ok {
			return nil
		}
		for p.space(); p.take(';'); p.space() {
			p.space()
			key := p.until("=;, ")
			if key == "" {
				return nil
			}
			value := ""
			if p.take('=') {
				if value, ok = p.text(); !ok {
					value = p.until(";, ")
				}
			}
			if key == "v" {
				b.version = value
			}
		}
		list = append(list, b)
		if p.rest == "" {
			return list
		}
		if !p.take(',') {
			return nil
		}
	}
}

// parseString reads a structured field that is one string.
func parseString(s string) string {
	if list := parseList(s); len(list) == 1 {
		return list[0].name
	}
	return ""
}

// field is what is left to read of a structured field.
type field struct{ rest string }

func (f *field) space() { f.rest = strings.TrimLeft(f.rest, " \t") }

func (f *field) take(c byte) bool {
	if f.rest == "" || f.rest[0] != c {
		return false
	}
	f.rest = f.rest[1:]
	return true
}

func (f *field) until(ends string) (s string) {
	end := strings.IndexAny(f.rest, ends)
	if end < 0 {
		end = len(f.rest)
	}
	s, f.rest = f.rest[:end], f.rest[end:]
	return s
}

// text reads a string in quotation marks, in which a backslash stands before
// another and before a quotation mark.
func (f *field) text() (string, bool) {
	if f.rest == "" || f.rest[0] != '"' {
		return "", false
	}
	var b strings.Builder
	for i := 1; i < len(f.rest); i++ {
		switch c := f.rest[i]; {
		case c == '"':
			f.rest = f.rest[i+1:]
			return b.String(), true
		case c == '\\':
			if i++; i == len(f.rest) || f.rest[i] != '"' && f.rest[i] != '\\' {
				return "", false
			}
			b.WriteByte(f.rest[i])
		case c < 0x20 || c > 0x7e:
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
