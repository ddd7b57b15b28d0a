package agent

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/evidence"
)

//go:generate go run ./gen

// Policy says which browsers a site supports. Families are named as [Read]
// names them, only Opera on Android is "Opera Mobile": it counts releases of
// its own.
type Policy struct {
	// Minimum is the lowest major that is supported, by family.
	Minimum map[string]int `json:"minimum"`
	// Never lists families of which no version is supported.
	Never []string `json:"never,omitempty"`
	// Only is whether families and engines that are not named are unsupported;
	// otherwise nothing is said of them.
	Only bool `json:"only,omitempty"`
	// Features are the ids of features that signing in needs, each tried in
	// the browser.
	Features []string `json:"features,omitempty"`
}

// DefaultPolicy is what login pages of today can be expected to run in: Chrome
// 109 and Firefox 115 were the last for Windows 7 and 8.1, Safari 16 is the
// first whose policies know wasm-unsafe-eval (MDN browser-compat-data 8.1.9),
// and of Internet Explorer there is no 12.
func DefaultPolicy() Policy {
	return Policy{Minimum: map[string]int{"Chrome": 109, "Firefox": 115, "Safari": 16, "IE": 12}}
}

// references are the families that an engine's majors count releases of. Edge
// has had Chromium's numbers since it is one (79).
var references = map[string][]string{"Blink": {"Chrome", "Edge"}, "Gecko": {"Firefox"}, "WebKit": {"Safari"}, "Trident": {"IE"}}

// updateYears is for how long a Chromebook without new releases of Chrome can
// still be one that was only not restarted. Past its update date it stays at
// the Chrome that it has.
const updateYears = 2

// standing compares the browser with what is supported. Wanted is 0 if no
// version is. It is absent, with a note, if nothing can be said:
//
//	presents  it is not what it presents itself as, and did not show its number
//	version   its number is not known
//	unlisted  the policy says nothing of it
func (p Policy) standing(b evidence.Browser) evidence.Fact[evidence.Standing] {
	by, have, wanted, note := p.compare(b)
	if note == "" && have == 0 {
		note = "version"
	}
	if note != "" {
		return evidence.Fact[evidence.Standing]{State: evidence.Absent, Note: note}
	}
	return evidence.Saw(evidence.Standing{
		By:       by,
		Have:     have,
		Wanted:   wanted,
		Best:     bestFor(by, have, wanted, b),
		Others:   p.others(b),
		Released: released(by, have),
		Dated:    dated,
	})
}

// compare picks the numbers to compare, or the note why there are none.
func (p Policy) compare(b evidence.Browser) (by string, have, wanted int, note string) {
	family, engine := familyOf(b), b.Engine.Value
	named := p.Minimum[family] != 0
	never := slices.Contains(p.Never, family)
	disguised := b.Presents.State == evidence.OK
	switch {
	case disguised && b.EngineMajor.State != evidence.OK:
		return "", 0, 0, "presents"
	case disguised: // only what was seen at work counts
	case onIOS(b):
		// Whatever its name, it is the system's WebKit.
		if p.Minimum["Safari"] == 0 && !never && (named || !p.Only) {
			return "", 0, 0, "unlisted"
		}
		return "Safari", b.EngineMajor.Value, p.Minimum["Safari"], ""
	case engine == "Presto" || never:
		return family, b.Major.Value, 0, ""
	case named:
		return family, b.Major.Value, p.Minimum[family], ""
	}
	for _, r := range references[engine] {
		if p.Minimum[r] != 0 {
			return r, b.EngineMajor.Value, p.Minimum[r], ""
		}
	}
	if !p.Only || references[engine] == nil {
		return "", 0, 0, "unlisted"
	}
	return references[engine][0], b.EngineMajor.Value, 0, ""
}

func familyOf(b evidence.Browser) string {
	if b.Family.Value == "Opera" && b.System.Value == "Android" {
		return "Opera Mobile"
	}
	return b.Family.Value
}

func onIOS(b evidence.Browser) bool {
	return b.System.Value == "iOS" || b.System.Value == "iPadOS"
}

// bestFor is the newest major of by that the browser's system can have, 0 if
// that is unknown.
func bestFor(by string, have, wanted int, b evidence.Browser) int {
	if b.System.Value == "ChromeOS" {
		if month := released(by, have); month != "" && month < monthsBefore(dated, 12*updateYears) {
			return have // likely; see updateYears
		}
		return 0
	}
	major, final := best(by, b.System.Value, b.SystemVersion.Value)
	switch {
	case major == 0:
		return 0
	case wanted > major && !final:
		return 0 // the site knows of newer releases than the data
	}
	return max(major, have)
}

// others is whether there is another family for the browser's system of which
// the site supports what the system can have.
func (p Policy) others(b evidence.Browser) bool {
	for _, f := range available[b.System.Value] {
		if f == familyOf(b) || p.Minimum[f] == 0 || slices.Contains(p.Never, f) {
			continue
		}
		if major, _ := best(f, b.System.Value, b.SystemVersion.Value); major >= p.Minimum[f] {
			return true
		}
	}
	return false
}

// history is when the majors of a family came out.
type history struct {
	family string
	first  int
	since  string // the month of the first, as in 2008-12
	// months has a digit of base 36 for each major from the first on: the
	// months since the one before. "-" is a number that was left out.
	months string
}

// all gives the majors, each with its month counted from the year 0.
func (h history) all() iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		if h.months == "" {
			return
		}
		month := monthNumber(h.since)
		for i := range len(h.months) {
			if h.months[i] == '-' {
				continue
			}
			month += strings.IndexByte("0123456789abcdefghijklmnopqrstuvwxyz", h.months[i])
			if !yield(h.first+i, month) {
				return
			}
		}
	}
}

// historyOf is empty for a family that is not in the data.
func historyOf(family string) history {
	for _, h := range releases {
		if h.family == family {
			return h
		}
	}
	return history{}
}

// released is the month in which a major of a family came out, as in 2020-11,
// or "" if that is not in the data.
func released(family string, major int) string {
	for m, month := range historyOf(family).all() {
		if m == major {
			return monthText(month)
		}
	}
	return ""
}

// newest is the newest major of a family on the day of the data, or 0.
func newest(family string) int {
	h := historyOf(family)
	if h.months == "" {
		return 0
	}
	return h.first + len(h.months) - 1
}

// monthNumber counts the months from the year 0 to that of a date.
func monthNumber(date string) int { return 12*number(date[:4]) + number(date[5:7]) - 1 }

func monthText(n int) string {
	month := strconv.Itoa(n%12 + 1)
	if len(month) == 1 {
		month = "0" + month
	}
	return strconv.Itoa(n/12) + "-" + month
}

func monthsBefore(date string, months int) string { return monthText(monthNumber(date) - months) }
