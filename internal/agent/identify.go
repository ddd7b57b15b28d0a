package agent

import (
	"strings"

	"latchkey/internal/evidence"
)

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

// Parse reads a user agent. It never fails; what it cannot tell is absent, and
// there are no frozen numbers among what it tells.
func Parse(ua string) evidence.Browser {
	ua = cut(ua)
	var b evidence.Browser
	if strings.TrimSpace(ua) == "" {
		return b
	}
	r := read(ua)
	major := r.Major
	if r.claimed != "" {
		major = r.claimed
	}
	family := r.Browser
	if family == "Safari" && r.system == "Linux" {
		// There is no Safari for Linux: WebKitGTK and Qt say so in every shell
		// around them, with a version that is not the shell's.
		family, major = "", ""
	}
	b.Family, b.Major = told(family), toldNumber(number(major))
	b.System, b.Device = told(r.system), told(r.Device)
	engine := r.Engine
	if r.chromium != 0 {
		// What a page can expect of EdgeHTML, and of the WebKit in Chrome up
		// to 27, is known by the Chrome that they say they are like.
		engine, r.engineMajor = "Blink", r.chromium
	}
	b.Engine, b.EngineMajor = told(engine), toldNumber(r.engineMajor)
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
