package agent

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParsePolicy_understandsBrowserslist(t *testing.T) {
	last := func(family string, n int) int { return newest(family) - n + 1 }
	type minimum = map[string]int
	for _, tt := range []struct {
		line string
		want minimum
	}{
		{"chrome >= 109", minimum{"Chrome": 109}},
		{"Chrome>=109", minimum{"Chrome": 109}},
		{"chrome > 109", minimum{"Chrome": 110}},
		{"chrome 109", minimum{"Chrome": 109}},
		{"chrome 109-120", minimum{"Chrome": 109}},
		{"ie 9-11, not ie <= 10", minimum{"IE": 11}},
		{"ie 9-11, not ie < 10", minimum{"IE": 10}},
		{"chrome >= 900", minimum{"Chrome": 900}},
		{"safari >= 15.4", minimum{"Safari": 15}},
		{"safari > 15.4", minimum{"Safari": 15}},
		{"safari > 15.0", minimum{"Safari": 16}},
		{"safari >= 14, not safari < 15.4", minimum{"Safari": 15}},
		{"safari >= 14, not safari <= 15.4", minimum{"Safari": 15}},
		{"safari >= 14, not safari <= 15", minimum{"Safari": 16}},
		{"ios_saf 15.2-15.3", minimum{"Safari": 15}},

		{"chrome >= 109, firefox >= 115", minimum{"Chrome": 109, "Firefox": 115}},
		{"chrome >= 109 or firefox >= 115", minimum{"Chrome": 109, "Firefox": 115}},
		{"chrome >= 109\nfirefox >= 115 # why\n\n", minimum{"Chrome": 109, "Firefox": 115}},
		{"chrome >= 109 and chrome >= 115", minimum{"Chrome": 115}},
		{"last 3 years and chrome >= 150", minimum{"Chrome": 150}},
		{"chrome >= 109 and not chrome < 120", minimum{"Chrome": 120}},

		{"chrome 120, and_chr 110", minimum{"Chrome": 110}},
		{"ChromeAndroid 120, chrome 130", minimum{"Chrome": 120}},
		{"chrome >= 109, not and_chr > 0", minimum{"Chrome": 109}},
		{"safari 16, ios_saf 15", minimum{"Safari": 15}},
		{"iOS 15", minimum{"Safari": 15}},
		{"ff 115", minimum{"Firefox": 115}},
		{"fx 115, and_ff 120, FirefoxAndroid 118", minimum{"Firefox": 115}},
		{"samsung 20, opera 95, op_mob 73", minimum{"Samsung Internet": 20, "Opera": 95, "Opera Mobile": 73}},
		{"OperaMobile 73, explorer 11, edge 100", minimum{"Opera Mobile": 73, "IE": 11, "Edge": 100}},
		{"op_mini all", minimum{"Opera Mini": 1}},

		{"firefox esr", minimum{"Firefox": firefoxESR}},
		{"Firefox ESR, chrome 109", minimum{"Firefox": firefoxESR, "Chrome": 109}},
		{"last 2 chrome versions", minimum{"Chrome": last("Chrome", 2)}},
		{"last 1 Chrome version", minimum{"Chrome": last("Chrome", 1)}},
		{"last 2 chrome major versions", minimum{"Chrome": last("Chrome", 2)}},
		{"last 3 safari versions", minimum{"Safari": 18}}, // 27, 26 and, as 19 to 25 were left out, 18
		{"last 500 safari versions", minimum{"Safari": 1}},
		{"last 2 versions, not dead", minimum{
			"Chrome": last("Chrome", 2), "Edge": last("Edge", 2), "Firefox": last("Firefox", 2), "Safari": last("Safari", 2),
			"Samsung Internet": last("Samsung Internet", 2), "Opera": last("Opera", 2), "Opera Mobile": last("Opera Mobile", 2)}},
		{"last 1 major version and ie all", minimum{"IE": 11}},
		{"chrome 109, last 2 ie versions, not ie <= 11", minimum{"Chrome": 109}},
		{"safari 13-17, not safari 13-15", minimum{"Safari": 16}},
		{"since 2023 and chrome all", minimum{"Chrome": 109}},
		{"since 2023-02 and chrome all", minimum{"Chrome": 110}},
		{"since 2022-09-13 and safari all", minimum{"Safari": 16}},
		{"since 2013 and ie all", minimum{"IE": 11}},
	} {
		t.Run(tt.line, func(t *testing.T) {
			p, err := ParsePolicy(tt.line)
			require.NoError(t, err)
			assert.Equal(t, tt.want, p.Minimum)
			assert.True(t, p.Only)
		})
	}
}

func TestParsePolicy_countsYearsFromTheDayOfTheData(t *testing.T) {
	for line, month := range map[string]string{
		"last 2 years": monthsBefore(dated, 24), "last 1 year": monthsBefore(dated, 12), "last 1.5 years": monthsBefore(dated, 18),
	} {
		p, err := ParsePolicy(line)
		require.NoError(t, err)
		first := p.Minimum["Chrome"]
		assert.GreaterOrEqual(t, released("Chrome", first), month, line)
		assert.Less(t, released("Chrome", first-1), month, line)
		assert.NotContains(t, p.Minimum, "IE", line)
	}
}

func TestParsePolicy_tellsFamiliesThatAreNeverSupported(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"chrome >= 109, not opera", []string{"Opera"}},
		{"chrome >= 109, not opera all", []string{"Opera"}},
		{"chrome >= 109, not opera > 0", []string{"Opera"}},
		{"last 2 versions, not dead, not op_mini all, not ie <= 11", []string{"IE", "Opera Mini"}},
		{"chrome >= 109, not opera < 95", nil},
		{"chrome >= 109, not opera 95", nil},
		{"chrome >= 109, not opera, opera 95", nil},
		{"chrome >= 109, not and_chr > 0", nil},
		{"safari >= 16, not chrome all, not and_chr all", []string{"Chrome"}},
		{"chrome >= 109, not dead", nil},
		{"opera all and firefox all, chrome 109", nil},
	} {
		t.Run(tt.line, func(t *testing.T) {
			p, err := ParsePolicy(tt.line)
			require.NoError(t, err)
			assert.Equal(t, tt.want, p.Never)
		})
	}
}

func TestParsePolicy_namesTheQueryThatIsWrong(t *testing.T) {
	for _, tt := range []struct{ line, what, hint string }{
		{"chrome >= 109, > 0.5%", `"> 0.5%" needs usage statistics`, "last 3 years"},
		{"> 1% in DE", `"> 1% in de" needs usage statistics`, "last 3 years"},
		{"cover 90%", `"cover 90%" needs usage statistics`, "last 3 years"},
		{"defaults", `"defaults" needs usage statistics`, "last 2 versions, firefox esr, not dead"},
		{"supports es6-module", `"supports es6-module" needs data about features`, "features"},
		{"baseline widely available", `"baseline widely available" needs data about features`, "last 2.5 years"},
		{"maintained node versions", `"maintained node versions" is about servers`, "leave it out"},
		{"extends browserslist-config-x", `"extends browserslist-config-x" names another configuration`, "write out"},
		{"unreleased versions", `"unreleased versions" is about what nobody`, "leave it out"},
		{"electron >= 20", `"electron >= 20" is about Electron`, "chrome >= 109"},
		{"[production]\nchrome 109", `"[production]" begins a section`, "one section"},
		{"chrome", `"chrome" names no version`, `"chrome >= 109"`},
		{"chrom >= 109", `"chrom >= 109" names no browser that is known`, "chrome, and_chr, edge"},
		{"not netscape 4", `"not netscape 4" names no browser that is known`, "chrome, and_chr, edge"},
		{"chrome >= many", `"chrome >= many" is no query that is known`, "firefox esr"},
		{"chrome >= 1000", `"chrome >= 1000" is no query that is known`, "firefox esr"},
		{"safari TP", `"safari tp" is no query that is known`, "firefox esr"},
		{"chrome esr", `"chrome esr" is no query that is known`, "firefox esr"},
		{"since yesterday", `"since yesterday" is no query that is known`, "since 2023-06"},
		{"since 2023-00", `"since 2023-00" is no query that is known`, "since 2023-06"},
		{"since 2023-13", `"since 2023-13" is no query that is known`, "since 2023-06"},
		{"last 0 versions", `"last 0 versions" is no query that is known`, "last 2"},
		{"last 1.5 versions", `"last 1.5 versions" is no query that is known`, "last 2"},
		{"last -1 years", `"last -1 years" is no query that is known`, "last 3 years"},
		{"chrome 109, not", `"not" does not say what not`, "not ie all"},
		{"not ie 11, chrome 109", `"not ie 11, chrome 109" begins with what is not supported`, "chrome >= 109"},
		{"ie 11, not dead", `"ie 11, not dead" selects no browser`, "chrome >= 109"},
		{"", `"" selects no browser`, "chrome >= 109"},
		{" , # nothing", `" , # nothing" selects no browser`, "chrome >= 109"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			_, err := ParsePolicy(tt.line)
			var wrong *PolicyError
			require.ErrorAs(t, err, &wrong)
			assert.Contains(t, wrong.What, tt.what)
			assert.Contains(t, wrong.Hint, tt.hint)
			assert.Equal(t, wrong.What+" (hint: "+wrong.Hint+")", err.Error())
		})
	}
}

func FuzzParsePolicy(f *testing.F) {
	for _, s := range []string{"chrome >= 109, not dead", "last 2 versions", "since 2023-06", "ie 6-8 and not ie 7", "firefox esr", ">0.5%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePolicy(s)
		assert.Equal(t, err != nil, len(p.Minimum) == 0)
	})
}
