package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/report"
	"latchkey/internal/testkit"
	"latchkey/internal/text"
)

// runDiagnose runs "latchkey diagnose" with the arguments and the input.
func runDiagnose(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(context.Background(), append([]string{"diagnose"}, args...), strings.NewReader(stdin), &out, &err)
	return code, out.String(), err.String()
}

func people(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/people/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// What each of the people reads, word for word.
func TestDiagnose_tellsPeopleTheGoldenText(t *testing.T) {
	for _, file := range people(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			code, out, errs := runDiagnose("", file)
			require.Equal(t, 0, code, errs)
			assert.Empty(t, errs)
			testkit.Golden(t, "people/"+name+".golden.txt", []byte(out))

			for _, word := range []string{"check.", "fix.", "ui.", "gap.", "value.", "{", "%!"} {
				if name != "hostile" || word != "{" {
					assert.NotContains(t, out, word, "a key or a placeholder without words")
				}
			}
			for _, r := range out {
				assert.True(t, r == '\n' || unicode.IsPrint(r), "%U would reach the terminal", r)
			}
		})
	}
}

// Why each cause and each step stands where it stands, for engineers.
func TestDiagnose_explains(t *testing.T) {
	for _, name := range []string{"managed-pc-with-a-fast-clock", "phone-and-a-wrong-password"} {
		code, out, errs := runDiagnose("", "-explain", "testdata/people/"+name+".json")
		require.Equal(t, 0, code, errs)
		testkit.Golden(t, "explained/"+name+".golden.txt", []byte(out))
	}
	_, out, _ := runDiagnose(`{"cookies": {"http": {"value": false}}, "run": {"compared": [{"under": "private-window", "stayed": ["cookies-blocked"]}]}}`, "-explain", "-")
	assert.Contains(t, out, "second look: private-window-same")
	_, out, _ = runDiagnose("{}", "-explain", "-")
	assert.Contains(t, out, "all others")
	code, _, errs := runDiagnose("", "-json", "-explain", "-")
	assert.Equal(t, 2, code)
	assert.Contains(t, errs, "usage: latchkey diagnose")
}

func TestDiagnose_saysTheSameToEvidenceAndToItsReport(t *testing.T) {
	for _, file := range people(t) {
		_, asText, _ := runDiagnose("", file)
		code, asReport, errs := runDiagnose("", "-json", file)
		require.Equal(t, 0, code, errs)

		_, again, _ := runDiagnose(asReport, "-")
		assert.Equal(t, asText, again, file)
		_, againReport, _ := runDiagnose(asReport, "-json", "-")
		assert.Equal(t, asReport, againReport, file)
	}
}

func TestDiagnose_writesTheReportAsJSON(t *testing.T) {
	_, out, _ := runDiagnose(`{"cookies": {"http": {"value": false}}}`, "-json", "-")
	assert.True(t, strings.HasPrefix(out, "{\n  \"schema\": 1,"), "indented, for people")
	var r report.Report
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.NotEmpty(t, r.Findings)
	assert.Equal(t, "cookies-blocked", r.Findings[0].Check)
}

func TestDiagnose_judgesAnOldReportAnew(t *testing.T) {
	_, out, _ := runDiagnose(`{
		"schema": 1, "findings": [{"check": "clock-wrong", "impact": "slows", "sureness": "sure", "fixes": []}], "passed": ["cookies-blocked"],
		"seen": {"cookies": {"http": {"value": false}}}
	}`, "-")
	assert.Contains(t, out, "[cookies-blocked, blocks, sure]")
	assert.NotContains(t, out, "[clock-wrong, slows, sure]")
}

func TestDiagnose_refusesWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	cut := file("cut.json", `{"run":{"tier":"wa`)
	typo := file("typo.json", `{"cookies":{"htpp":{}}}`)
	for _, c := range []struct {
		name, stdin string
		args        []string
		want        string
	}{
		{"a file that is cut off", "", []string{cut}, "latchkey diagnose: " + cut + ": byte 18: unexpected end of JSON input\n"},
		{"a field that nobody knows", "", []string{typo}, "latchkey diagnose: " + typo + ": byte 18: unknown field \"cookies.htpp\"\n"},
		{"standard input that is no JSON", "<html>", []string{"-"}, "latchkey diagnose: -: byte 1: invalid character '<' looking for beginning of value\n"},
		{"nothing on standard input", "", []string{"-"}, "latchkey diagnose: -: byte 0: unexpected end of JSON input\n"},
		{"a file that is not there", "", []string{"ghost.json"}, "latchkey diagnose: ghost.json: no such file or directory\n"},
		{"a folder", "", []string{dir}, "latchkey diagnose: " + dir + ": is a directory\n"},
		{"a file that is too long", `{"a":"` + strings.Repeat("x", inputLimit) + `"}`, []string{"-"}, "latchkey diagnose: -: more than 1048576 bytes: this is no report\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, args := range [][]string{c.args, append([]string{"-json"}, c.args...)} {
				code, out, errs := runDiagnose(c.stdin, args...)
				assert.Equal(t, 2, code)
				assert.Empty(t, out)
				assert.Equal(t, c.want, errs)
			}
		})
	}
}

func TestDiagnose_readsUpToItsLimit(t *testing.T) {
	code, _, errs := runDiagnose("{}"+strings.Repeat(" ", inputLimit-2), "-")
	assert.Equal(t, 0, code, errs)
}

func TestDiagnose_saysHowItIsUsed(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
	}{
		{"no file", nil, 2},
		{"two files", []string{"a.json", "b.json"}, 2},
		{"a flag that it does not know", []string{"-xml", "a.json"}, 2},
		{"asked for help", []string{"-h"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := runDiagnose("", c.args...)
			assert.Equal(t, c.code, code)
			assert.Empty(t, out)
			assert.Contains(t, errs, "usage: latchkey diagnose [-json|-explain] FILE|-")
		})
	}
}

// broken is a standard output that nobody reads any more.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestDiagnose_saysWhenNobodyReads(t *testing.T) {
	var errs bytes.Buffer
	code := run(context.Background(), []string{"diagnose", "-"}, strings.NewReader("{}"), broken{}, &errs)
	assert.Equal(t, 1, code)
	assert.Equal(t, "latchkey diagnose: write the result: broken pipe\n", errs.String())
}

func TestHelp_listsDiagnose(t *testing.T) {
	assert.Contains(t, help(), "diagnose")
}

func TestPlain_speaksTheLanguageThatItIsGiven(t *testing.T) {
	words, err := text.Parse("en", []byte(`{"ui.healthy.title": "Alles gut", "ui.healthy.why": "Wirklich"}`))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(plain(report.Report{}, words), "Alles gut\nWirklich\n"))
}
