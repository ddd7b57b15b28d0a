package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/checks"
	"latchkey/internal/testkit"
)

func TestDecode_turnsACodeIntoWords(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	code := testkit.Sent(behind(t), d.clock.Now()).Code().String()
	p := b.ok("decode?code=" + url.QueryEscape("  "+code[:4]+" – "+code[5:]))
	for _, part := range []string{
		"Say next This computer's clock is 1–10 minutes behind", "Let the clock set itself Open “Settings”", "Browser Chrome 156 System Windows", "What could run Everything",
		"clock 1–10 minutes behind", "Found This computer's clock",
	} {
		assert.Contains(t, p.text(), part)
	}
	assert.Contains(t, b.ok("search?text="+code).text(), "The code "+code, "the search knows codes, too")
	assert.NotContains(t, b.ok("search?text=TICKET").text(), "The code")
}

func TestDecode_saysWhatIsWrongWithACode(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	code := testkit.Sent(behind(t), d.clock.Now()).Code().String()
	swapped := code[:5] + code[6:7] + code[5:6] + code[7:]
	require.NotEqual(t, code, swapped)
	for input, want := range map[string]string{
		swapped:      "one of the characters was misheard, or two were swapped: ask for the code again",
		code[:13]:    "a code has 12 characters, and this has 11",
		code + "?":   `character 13 is '?', which stands in no code`,
		"<b>":        `character 1 is '<', which stands in no code`,
		"\u202e1234": "which stands in no code",
	} {
		p := b.get("decode?code=" + url.QueryEscape(input))
		assert.Equal(t, http.StatusUnprocessableEntity, p.status)
		assert.Contains(t, p.text(), want)
		assert.NotContains(t, p.text(), "Say next")
	}
	assert.NotContains(t, b.ok("decode").text(), "not a code")
}

// What is said first about a finding that is only known by its name is what its check
// says first in one of its own cases.
func TestUsualFix_isWhatTheCheckSays(t *testing.T) {
	c := newDesk(t, false, nil).console
	for _, check := range checks.Catalogue().Checks {
		data, err := os.ReadFile(filepath.Join("../../checks/testdata", check.ID+".json"))
		require.NoError(t, err)
		var cases []struct {
			Want struct{ Fixes []string }
		}
		require.NoError(t, json.Unmarshal(data, &cases))
		var first []string
		for _, k := range cases {
			if len(k.Want.Fixes) > 0 {
				first = append(first, k.Want.Fixes[0])
			}
		}
		fix, ok := usualFix[check.ID]
		assert.Equal(t, len(first) > 0, ok, "%s", check.ID)
		if ok {
			assert.True(t, slices.Contains(first, fix), "%s: %s is not among %v", check.ID, fix, first)
			assert.True(t, c.words.Has("fix."+fix+".title"), fix)
		}
	}
	assert.LessOrEqual(t, len(usualFix), len(checks.Catalogue().Checks))
}
