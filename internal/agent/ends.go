package agent

import "slices"

// end says that no major of family after last runs on system in versions
// before needs, which is what the next major asks for.
type end struct {
	family, system string
	last           int
	needs          string
}

// ends are where browsers left systems behind, by family and system from the
// oldest on. Years are those of the announcement; pages were read 2026-11.
// Those marked "not checked" are from memory.
var ends = []end{
	{"Chrome", "Windows", 49, "7"},    // cio.de 2016-04-14: Chrome 50 ends XP, Vista, OS X before 10.9
	{"Chrome", "Windows", 109, "10"},  // Chrome Help 2022, as in github.com/cefsharp/CefSharp discussion 4336
	{"Chrome", "macOS", 49, "10.9"},   // cio.de 2016-04-14
	{"Chrome", "macOS", 67, "10.10"},  // neowin.net 2018: needs Yosemite; the number was not checked
	{"Chrome", "macOS", 87, "10.11"},  // not checked
	{"Chrome", "macOS", 103, "10.13"}, // itmagazine.ch 2022: Chrome 104 needs 10.13
	{"Chrome", "macOS", 116, "10.15"}, // webpronews.com: 117 ended High Sierra and Mojave
	{"Chrome", "macOS", 128, "11"},    // Chrome Community 2024-08-08, as in news.mynavi.jp 20240812
	{"Chrome", "macOS", 138, "12"},    // chromestatus.com 2025, as in thefilibusterblog.com
	{"Chrome", "macOS", 150, "13"},    // Chrome Help 2026-01, as in nacion.com and findarticles.com
	{"Chrome", "Android", 81, "5"},    // not checked
	{"Chrome", "Android", 95, "6"},    // not checked
	{"Chrome", "Android", 106, "7"},   // Android Police 2022, as in mastel.id: 107 ended Marshmallow
	{"Chrome", "Android", 119, "8"},   // Chrome Enterprise release notes 2023-10, as in see.news
	{"Chrome", "Android", 138, "10"},  // Chrome Community 2025, as in mezha.media

	{"Edge", "Windows", 109, "10"}, // github.com/MicrosoftEdge/WebView2Feedback/issues/3050, 2022-12

	{"Firefox", "Windows", 52, "7"},    // softpedia.com 2017-03-08
	{"Firefox", "Windows", 115, "10"},  // howtogeek.com 2024
	{"Firefox", "macOS", 48, "10.9"},   // macgadget.de 2020-06-29: summer of 2016; the number was not checked
	{"Firefox", "macOS", 78, "10.12"},  // macgadget.de 2020-06-29: Firefox 79 needs Sierra
	{"Firefox", "macOS", 115, "10.15"}, // support.mozilla.org; the last fixes were for 2026-02 (macgadget.de 2026-02-20)
	{"Firefox", "Android", 68, "5"},    // not checked
	{"Firefox", "Android", 143, "8"},   // blog.mozilla.org/futurereleases 2025-09-16

	// Each Safari comes with a macOS and for the two before it. The rule was
	// read (macgadget.de 2020-06-29), the numbers that follow were not checked.
	{"Safari", "macOS", 9, "10.10"},
	{"Safari", "macOS", 10, "10.11"},
	{"Safari", "macOS", 11, "10.12"},
	{"Safari", "macOS", 12, "10.13"},
	{"Safari", "macOS", 13, "10.14"},
	{"Safari", "macOS", 14, "10.15"},
	{"Safari", "macOS", 15, "11"},
	{"Safari", "macOS", 16, "12"},
	{"Safari", "macOS", 17, "13"},
	{"Safari", "macOS", 18, "14"},
	{"Safari", "macOS", 26, "15"},

	{"IE", "Windows", 11, "12"}, // there is no 12, nor a Windows 12
}

// available are the families with releases of their own on each system. On
// iOS they all are the system's one engine, and a Chromebook's Chrome is the
// system: there is nothing to change to.
var available = map[string][]string{
	"Windows": {"Chrome", "Edge", "Firefox", "Opera", "IE"},
	"macOS":   {"Chrome", "Edge", "Firefox", "Safari", "Opera"},
	"Linux":   {"Chrome", "Edge", "Firefox", "Opera"},
	"Android": {"Chrome", "Edge", "Firefox", "Samsung Internet", "Opera Mobile"},
}

// onChromium are families that need what Chrome needs, or more.
var onChromium = []string{"Edge", "Opera", "Opera Mobile", "Samsung Internet"}

// best is the newest major of family that the system can have, 0 if that is
// unknown, and whether it is the end: nothing newer will come. An empty
// version is one that browsers do not tell any more, so a newer one.
func best(family, system, version string) (major int, final bool) {
	if !slices.Contains(available[system], family) {
		return 0, false
	}
	if last := lastOf(family, system, version); last != 0 {
		return last, true
	}
	if slices.Contains(onChromium, family) && lastOf("Chrome", system, version) != 0 {
		return 0, false // it ended, too, but with which number is not in the table
	}
	if family == "Safari" && version == "" {
		return 0, false // it comes with the system, any from 10.15 on
	}
	return newest(family), false
}

// lastOf is the last major of family for the system, or 0 if there are new ones.
func lastOf(family, system, version string) int {
	if version == "" && family != "IE" {
		return 0
	}
	for _, e := range ends {
		if e.family == family && e.system == system && systemNumber(system, version) < systemNumber(system, e.needs) {
			return e.last
		}
	}
	return 0
}

// windowsNumbers are the numbers of those Windows whose names do not tell which
// is newer; Microsoft's own, 5.1 for XP.
var windowsNumbers = table{{"95", "4.0"}, {"98", "4.1"}, {"ME", "4.9"}, {"2000", "5.0"}, {"XP", "5.1"}, {"Vista", "6.0"}, {"7", "6.1"}, {"8", "6.2"}, {"8.1", "6.3"}}

// systemNumber makes versions of a system comparable: 10.9 is less than 10.10.
func systemNumber(system, version string) int {
	if v := windowsNumbers.of(version); v != "" && system == "Windows" {
		version = v
	}
	major := digits(version)
	minor := 0
	if len(major) < len(version) {
		minor = number(version[len(major)+1:])
	}
	return 100*number(major) + minor
}
