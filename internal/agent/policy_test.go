package agent

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
)

func TestReleased_isTheMonthOfAMajor(t *testing.T) {
	for _, tt := range []struct {
		family string
		major  int
		month  string
	}{
		{"Chrome", 1, "2008-12"},
		{"Chrome", 87, "2020-11"},
		{"Chrome", 82, ""}, // left out in 2020
		{"Chrome", 109, "2023-01"},
		{"Edge", 18, "2018-10"},
		{"Edge", 79, "2020-01"},
		{"Firefox", 115, "2023-07"},
		{"Safari", 16, "2022-09"},
		{"Safari", 18, "2024-09"},
		{"Safari", 19, ""},
		{"Safari", 26, "2025-09"},
		{"Samsung Internet", 20, "2023-02"},
		{"Opera", 95, "2023-02"},
		{"Opera Mobile", 99, "2026-06"},
		{"IE", 11, "2013-10"},
		{"Chrome", 0, ""},
		{"Chrome", 999, ""},
		{"Netscape", 4, ""},
	} {
		assert.Equal(t, tt.month, released(tt.family, tt.major), "%s %d", tt.family, tt.major)
	}
}

func TestNewest_isWhatTheDataEndWith(t *testing.T) {
	assert.Equal(t, 11, newest("IE"), "the one that will never change")
	assert.Zero(t, newest("Netscape"))
	for _, h := range releases {
		n := newest(h.family)
		assert.NotEmpty(t, released(h.family, n), h.family)
		assert.Empty(t, released(h.family, n+1), h.family)
		assert.LessOrEqual(t, released(h.family, n), dated[:7], h.family)
		assert.NotEmpty(t, released(h.family, h.first), h.family)
	}
	assert.NotEmpty(t, released("Firefox", firefoxESR))
}

// is makes a browser; a zero or "" is what it does not tell.
func is(family string, major int, engine string, engineMajor int, system, version string) evidence.Browser {
	return evidence.Browser{
		Family: seen(family), Major: seen(major),
		Engine: seen(engine), EngineMajor: seen(engineMajor),
		System: seen(system), SystemVersion: seen(version),
	}
}

func seen[T comparable](v T) evidence.Fact[T] {
	var none T
	if v == none {
		return evidence.Fact[T]{State: evidence.Absent}
	}
	return evidence.Saw(v)
}

func chrome(major int, system, version string) evidence.Browser {
	return is("Chrome", major, "Blink", major, system, version)
}

func line(t *testing.T, s string) Policy {
	t.Helper()
	p, err := ParsePolicy(s)
	require.NoError(t, err)
	return p
}

func TestStanding_comparesByTheFamilyOrByItsEngine(t *testing.T) {
	newestChrome := newest("Chrome")
	samsung := Policy{Minimum: map[string]int{"Chrome": 109, "Samsung Internet": 18}}
	edge := line(t, "edge >= 110")
	for _, tt := range []struct {
		name         string
		policy       Policy
		browser      evidence.Browser
		by           string
		have, wanted int
	}{
		{"a family with its own minimum", DefaultPolicy(), chrome(90, "Linux", ""), "Chrome", 90, 109},
		{"a shell around Chromium", DefaultPolicy(), is("Vivaldi", 7, "Blink", 120, "Linux", ""), "Chrome", 120, 109},
		{"an engine without a known shell", DefaultPolicy(), is("", 0, "WebKit", 15, "Linux", ""), "Safari", 15, 16},
		{"a fork of Firefox", DefaultPolicy(), is("Waterfox", 6, "Gecko", 115, "Linux", ""), "Firefox", 115, 115},
		{"Internet Explorer, of which none is enough", DefaultPolicy(), is("IE", 11, "Trident", 11, "Windows", "7"), "IE", 11, 12},
		{"Internet Explorer in a shell", DefaultPolicy(), is("Sogou", 2, "Trident", 11, "Windows", ""), "IE", 11, 12},
		{"its own number, whatever its engine's", samsung, is("Samsung Internet", 18, "Blink", 99, "Android", ""), "Samsung Internet", 18, 18},
		{"the Edge before Chromium", DefaultPolicy(), is("Edge", 18, "Blink", 64, "Windows", ""), "Chrome", 64, 109},
		{"an engine by Edge, if Chrome is not named", edge, is("Brave", 120, "Blink", 120, "Windows", ""), "Edge", 120, 110},
		{"an engine that is not named where only those count", edge, is("Firefox", 150, "Gecko", 150, "Windows", ""), "Firefox", 150, 0},
		{"Opera's last engine of its own", DefaultPolicy(), is("Opera", 12, "Presto", 0, "Windows", "7"), "Opera", 12, 0},
		{"Opera of phones by its own numbers", line(t, "opera >= 110, op_mob >= 80"), is("Opera", 90, "Blink", 137, "Android", "14.0"), "Opera Mobile", 90, 80},
		{"Opera of phones by its engine", line(t, "chrome >= 109, opera >= 110"), is("Opera", 90, "Blink", 137, "Android", "14.0"), "Chrome", 137, 109},
		{"a family that is excluded", line(t, "chrome >= 109, not opera"), is("Opera", 120, "Blink", 136, "Linux", ""), "Opera", 120, 0},
		{"a family that is excluded and named", Policy{Minimum: map[string]int{"Opera": 100}, Never: []string{"Opera"}}, is("Opera", 120, "Blink", 136, "Linux", ""), "Opera", 120, 0},
		{"a release newer than the data", DefaultPolicy(), chrome(newestChrome+20, "Linux", ""), "Chrome", newestChrome + 20, 109},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.policy.standing(tt.browser)
			require.Equal(t, evidence.OK, f.State, f.Note)
			s := f.Value
			assert.Equal(t, tt.by, s.By)
			assert.Equal(t, tt.have, s.Have)
			assert.Equal(t, tt.wanted, s.Wanted)
			assert.Equal(t, released(tt.by, tt.have), s.Released)
			assert.Equal(t, dated, s.Dated)
		})
	}
}

func TestStanding_onIOSIsThatOfTheSystemsWebKit(t *testing.T) {
	chromeOn := func(system string) evidence.Browser { return is("Chrome", 141, "WebKit", 15, system, "15.8") }
	for _, tt := range []struct {
		name    string
		policy  Policy
		browser evidence.Browser
		wanted  int
		note    string
	}{
		{"Safari", DefaultPolicy(), is("Safari", 15, "WebKit", 15, "iOS", "15.8"), 16, ""},
		{"Chrome on a phone", DefaultPolicy(), chromeOn("iOS"), 16, ""},
		{"Chrome on a tablet", DefaultPolicy(), chromeOn("iPadOS"), 16, ""},
		{"Chrome excluded, but Safari named", line(t, "safari >= 14, chrome >= 109, not chrome > 0"), chromeOn("iOS"), 14, ""},
		{"Chrome excluded and Safari unnamed", line(t, "firefox >= 115, not chrome"), chromeOn("iOS"), 0, ""},
		{"Chrome and Safari unnamed", line(t, "firefox >= 115"), chromeOn("iOS"), 0, ""},
		{"Chrome named and Safari unnamed", line(t, "chrome >= 109"), chromeOn("iOS"), 0, "unlisted"},
		{"Chrome excluded and nothing else said", Policy{Minimum: map[string]int{"Firefox": 115}, Never: []string{"Chrome"}}, chromeOn("iOS"), 0, ""},
		{"Safari unnamed where that says nothing", Policy{Minimum: map[string]int{"Firefox": 115}}, chromeOn("iOS"), 0, "unlisted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.policy.standing(tt.browser)
			require.Equal(t, tt.note, f.Note)
			if tt.note != "" {
				return
			}
			assert.Equal(t, "Safari", f.Value.By)
			assert.Equal(t, 15, f.Value.Have)
			assert.Equal(t, tt.wanted, f.Value.Wanted)
			assert.Zero(t, f.Value.Best, "the model decides")
			assert.False(t, f.Value.Others, "they all are WebKit")
		})
	}
}

func TestStanding_countsOnlyTheEngineAtWorkInADisguise(t *testing.T) {
	b := is("Samsung Internet", 20, "Blink", 92, "Android", "")
	b.Presents = evidence.Saw("Samsung Internet 20, Android")
	f := line(t, "chrome >= 109, samsung >= 10").standing(b)
	assert.Equal(t, "Chrome", f.Value.By)
	assert.Equal(t, 92, f.Value.Have)
	assert.Equal(t, 109, f.Value.Wanted)
}

func TestStanding_isAbsentWhereNothingCanBeSaid(t *testing.T) {
	disguised := is("Chrome", 90, "Blink", 0, "Linux", "")
	disguised.Presents = evidence.Saw("Firefox 140, Windows")
	for _, tt := range []struct {
		name, note string
		policy     Policy
		browser    evidence.Browser
	}{
		{"channels contradict each other", "presents", DefaultPolicy(), disguised},
		{"nothing is known", "unlisted", DefaultPolicy(), evidence.Browser{}},
		{"the number is not told", "version", DefaultPolicy(), is("Chrome", 0, "Blink", 0, "Linux", "")},
		{"the engine's number is not told", "version", DefaultPolicy(), is("Vivaldi", 7, "Blink", 0, "Linux", "")},
		{"the excluded one's number is not told", "version", line(t, "chrome >= 109, not opera"), is("Opera", 0, "Blink", 120, "Linux", "")},
		{"nobody counts by the engine", "unlisted", line(t, "chrome >= 109"), is("Pale Moon", 33, "Goanna", 6, "Windows", "")},
		{"nobody counts by KHTML", "unlisted", DefaultPolicy(), is("Konqueror", 4, "KHTML", 0, "Linux", "")},
		{"the policy does not name the engine", "unlisted", Policy{Minimum: map[string]int{"Chrome": 109}}, is("Firefox", 90, "Gecko", 90, "Linux", "")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.policy.standing(tt.browser)
			assert.Equal(t, evidence.Absent, f.State)
			assert.Equal(t, tt.note, f.Note)
			assert.Zero(t, f.Value)
		})
	}
}

func TestStanding_tellsWhatTheSystemCanHave(t *testing.T) {
	now := newest("Chrome")
	for _, tt := range []struct {
		name    string
		browser evidence.Browser
		best    int
	}{
		{"where updates come", chrome(90, "Windows", ""), now},
		{"where they ended", chrome(90, "Windows", "7"), 109},
		{"where they ended, with more than the data know of", chrome(120, "Windows", "7"), 120},
		{"newer than the data", chrome(now+3, "Linux", ""), now + 3},
		{"an engine on a system that its reference is not made for", is("Android Browser", 4, "WebKit", 4, "Android", "4.4"), 0},
		{"a system that nothing is known of", chrome(90, "other", ""), 0},
		{"Safari, on a Mac whose version is not told", is("Safari", 15, "WebKit", 15, "macOS", ""), 0},
		{"a Chromebook past its date, likely", chrome(90, "ChromeOS", ""), 90},
		{"a Chromebook that was not restarted for long", chrome(now-3, "ChromeOS", ""), 0},
		{"a Chromebook with what the data do not know", chrome(now+3, "ChromeOS", ""), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.best, DefaultPolicy().standing(tt.browser).Value.Best)
		})
	}
	ahead := Policy{Minimum: map[string]int{"Chrome": now + 5}}
	assert.Zero(t, ahead.standing(chrome(90, "Windows", "")).Value.Best, "a site that knows of newer releases than the data is no dead end")
	assert.Equal(t, 109, ahead.standing(chrome(90, "Windows", "7")).Value.Best)
}

func TestStanding_aChromebookIsPastItsDateAfterTwoYears(t *testing.T) {
	limit := monthsBefore(dated, 24)
	for major := 100; major <= newest("Chrome"); major++ {
		want := 0
		if released("Chrome", major) < limit {
			want = major
		}
		assert.Equal(t, want, DefaultPolicy().standing(chrome(major, "ChromeOS", "")).Value.Best, "%d", major)
	}
}

func TestStanding_tellsWhetherAnotherFamilyWillDo(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		browser    evidence.Browser
		want       bool
	}{
		{"Firefox, which lasted longer", "chrome >= 120, firefox >= 115", chrome(109, "Windows", "7"), true},
		{"Firefox, which did not last either", "chrome >= 120, firefox >= 128", chrome(109, "Windows", "7"), false},
		{"Chrome on a Mac", "chrome >= 109, safari >= 16", is("Safari", 14, "WebKit", 14, "macOS", "10.14"), true},
		{"an excluded one", "chrome >= 120, not firefox", chrome(109, "Windows", "7"), false},
		{"none besides its own, which can be updated", "chrome >= 109", chrome(90, "Windows", "7"), false},
		{"the one that it is counted by", "chrome >= 109", is("Brave", 90, "Blink", 90, "Windows", "7"), true},
		{"Edge, where Chromium ended", "edge >= 100, firefox >= 150", is("Firefox", 78, "Gecko", 78, "macOS", "10.10"), false},
		{"Safari is not made for Windows", "safari >= 5, chrome >= 120", chrome(109, "Windows", "7"), false},
		{"nothing else on a Chromebook", "chrome >= 120, firefox >= 115", chrome(90, "ChromeOS", ""), false},
		{"nothing else on a Chromebook, whatever it is called", "chrome >= 120", is("Chromium", 90, "Blink", 90, "ChromeOS", ""), false},
		{"nothing known of the system", "chrome >= 120, firefox >= 115", chrome(90, "", ""), false},
		{"old Android has none", "chrome >= 109, firefox >= 115", is("Android Browser", 4, "Blink", 30, "Android", "4.4"), false},
		{"Firefox on Android 7", "chrome >= 120, firefox >= 115", chrome(119, "Android", "7.1"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := line(t, tt.line).standing(tt.browser)
			require.Equal(t, evidence.OK, f.State, f.Note)
			assert.Equal(t, tt.want, f.Value.Others)
		})
	}

	both := Policy{Minimum: map[string]int{"Chrome": 120, "Firefox": 115}, Never: []string{"Firefox"}}
	assert.False(t, both.standing(chrome(109, "Windows", "7")).Value.Others, "an excluded one that is named as well")
}

func TestStanding_worksForFamiliesThatAreNotInTheData(t *testing.T) {
	p := Policy{Minimum: map[string]int{"Vivaldi": 6}}
	f := p.standing(is("Vivaldi", 5, "Blink", 109, "Linux", ""))
	assert.Equal(t, evidence.Standing{By: "Vivaldi", Have: 5, Wanted: 6, Dated: dated}, f.Value)
}
