package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/agent"
	"latchkey/internal/checks"
	"latchkey/internal/report"
	"latchkey/internal/testkit"
)

// runDecode runs "latchkey decode" with the arguments.
func runDecode(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(context.Background(), append([]string{"decode"}, args...), strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// What support hears of each of the people.
func TestDecode_tellsSupportTheGoldenText(t *testing.T) {
	var all bytes.Buffer
	for _, file := range people(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		e, err := report.Decode(data, report.AllKnown)
		require.NoError(t, err)
		agent.Identify(&e, agent.DefaultPolicy())
		code := report.New(e, checks.Catalogue().Diagnose(e)).Code().String()

		exit, out, errs := runDecode(code)
		require.Equal(t, 0, exit, errs)
		assert.Empty(t, errs)
		fmt.Fprintf(&all, "%s\n%s: %s\n", strings.TrimSuffix(filepath.Base(file), ".json"), code, out)
	}
	testkit.Golden(t, "decode.golden.txt", all.Bytes())
}

func TestDecode_readsACodeInPieces(t *testing.T) {
	_, whole, _ := runDecode("62W5-FF2J-0J8Q")
	code, pieces, errs := runDecode("62w5", "ff2j", "oj8q")
	assert.Equal(t, 0, code, errs)
	assert.Equal(t, whole, pieces)
}

func TestDecode_writesJSON(t *testing.T) {
	code, out, errs := runDecode("-json", "62W5-FF2J-0J8Q")
	require.Equal(t, 0, code, errs)
	assert.True(t, strings.HasPrefix(out, "{\n  \"version\": 1,"), "indented, for people")
	var s report.Spoken
	require.NoError(t, json.Unmarshal([]byte(out), &s))
	assert.Equal(t, []string{"cookies-blocked", "clock-wrong", "session-lost"}, s.Findings)
	assert.Equal(t, "Chrome", s.Browser)
}

func TestDecode_saysWhatIsWrongWithACode(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"misheard", []string{"62W5-FF2J-0J8P"}, "latchkey decode: one of the characters was misheard, or two were swapped: ask for the code again\n"},
		{"too short", []string{"62W5", "FF2J"}, "latchkey decode: a code has 12 characters, and this has 8\n"},
		{"a letter that is in none", []string{"62U5"}, "latchkey decode: character 3 is 'U', which stands in no code\n"},
		{"no code", nil, "usage: latchkey decode [-json] CODE\n"},
		{"a flag that it does not know", []string{"-xml", "62W5-FF2J-0J8Q"}, "usage: latchkey decode [-json] CODE\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := runDecode(c.args...)
			assert.Equal(t, 2, code)
			assert.Empty(t, out)
			assert.Contains(t, errs, c.want)
		})
	}
}

func TestDecode_saysHowItIsUsedWhenAsked(t *testing.T) {
	code, _, errs := runDecode("-h")
	assert.Equal(t, 0, code)
	assert.Contains(t, errs, "usage: latchkey decode [-json] CODE\n")
}

func TestDecode_saysWhenNobodyReads(t *testing.T) {
	var errs bytes.Buffer
	code := run(context.Background(), []string{"decode", "62W5-FF2J-0J8Q"}, strings.NewReader(""), broken{}, &errs)
	assert.Equal(t, 1, code)
	assert.Equal(t, "latchkey decode: write the result: broken pipe\n", errs.String())
}

func TestHelp_listsDecode(t *testing.T) {
	assert.Contains(t, help(), "decode")
}
