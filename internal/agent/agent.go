// Package agent says who the browser is, from its user agent: family, version,
// engine, system and device, or honestly that it cannot be told.
package agent

import (
	"strconv"
	"strings"

	"github.com/mssola/useragent"

	"latchkey/internal/evidence"
)

// limit bounds how much of a user agent is read, in bytes. Real ones stay far
// below; parsing costs time and memory with every byte.
const limit = 2048

// families are the tokens that name a browser, most telling first: nearly all
// browsers also carry the tokens of those that they want to be taken for.
var families = []struct{ token, family string }{
	{"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"Edg/", "Edge"}, {"Edge/", "Edge"},
	{"SamsungBrowser/", "Samsung Internet"},
	{"OPR/", "Opera"}, {"OPT/", "Opera"}, {"OPiOS/", "Opera"},
	{"Vivaldi/", "Vivaldi"},
	{"CriOS/", "Chrome"}, {"FxiOS/", "Firefox"},
	{"Firefox/", "Firefox"},
	{"HeadlessChrome/", "Chrome"}, {"Chrome/", "Chrome"},
	{"MSIE ", "IE"}, {"Trident/", "IE"},
}

// systems are the tokens that name a system. Windows Phone and Android carry
// others' names, so they come first.
var systems = []struct{ token, system string }{
	{"Windows Phone", "Windows Phone"}, {"Windows", "Windows"},
	{"iPhone", "iOS"}, {"iPad", "iPadOS"}, {"iPod", "iOS"},
	{"Android", "Android"}, {"CrOS", "ChromeOS"},
	{"Macintosh", "macOS"}, {"Linux", "Linux"}, {"X11", "Linux"},
}

// Parse reads a user agent. It never fails; what it cannot tell is absent.
func Parse(ua string) evidence.Browser {
	ua = strings.ToValidUTF8(ua[:min(len(ua), limit)], "")
	var b evidence.Browser
	if strings.TrimSpace(ua) == "" {
		return b
	}
	family, version := "", ""
	for _, f := range families {
		if _, rest, ok := strings.Cut(ua, f.token); ok {
			family, version = f.family, rest
			break
		}
	}
	if family == "" || family == "IE" {
		parsed := useragent.New(ua)
		name, v := parsed.Browser()
		version = v
		if family == "" {
			family = name
		}
	}
	b.Family = told(family)
	b.Major = toldNumber(leadingNumber(version))

	system := ""
	for _, s := range systems {
		if strings.Contains(ua, s.token) {
			system = s.system
			break
		}
	}
	b.System = told(system)
	b.Device = told(device(ua, system))
	engine, major := engineOf(ua, system)
	b.Engine, b.EngineMajor = told(engine), toldNumber(major)
	return b
}

func told(s string) evidence.Fact[string] {
	if s == "" {
		return evidence.Fact[string]{State: evidence.Absent}
	}
	return evidence.Saw(s)
}

func toldNumber(n int) evidence.Fact[int] {
	if n == 0 {
		return evidence.Fact[int]{State: evidence.Absent}
	}
	return evidence.Saw(n)
}

// engineOf tells the engine and the number by which its abilities are known:
// Chromium's major, Firefox's, or Safari's. On iOS every browser is WebKit of
// the system's version, which is frozen from 18_6 on; Version/ then tells.
func engineOf(ua, system string) (string, int) {
	after := func(token string) int {
		_, rest, _ := strings.Cut(ua, token)
		return leadingNumber(rest)
	}
	switch {
	case strings.Contains(ua, "Trident/") || strings.Contains(ua, "MSIE "):
		return "Trident", 11
	case system == "iOS" || system == "iPadOS":
		return "WebKit", max(after("Version/"), after("OS "))
	case strings.Contains(ua, "Chrome/"):
		return "Blink", after("Chrome/")
	case strings.Contains(ua, "Firefox/") && strings.Contains(ua, "Gecko/"):
		return "Gecko", after("Firefox/")
	case strings.Contains(ua, "AppleWebKit/"):
		return "WebKit", after("Version/")
	}
	return "", 0
}

func device(ua, system string) string {
	switch system {
	case "":
		return ""
	case "iPadOS":
		return "tablet"
	case "iOS", "Windows Phone":
		return "phone"
	case "Android":
		if strings.Contains(ua, "Mobile") {
			return "phone"
		}
		return "tablet"
	}
	return "desktop"
}

func leadingNumber(s string) int {
	end := 0
	for end < len(s) && end < 6 && '0' <= s[end] && s[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil {
		return 0
	}
	return n
}
