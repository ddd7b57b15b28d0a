package diag_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/checks"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/testkit"
)

// kase is a sign-in that really failed, by its number in the casebook.
type kase struct {
	Case int    `json:"case"`
	Saw  string `json:"saw"`
	// On is the healthy browser that See, what would have been seen, is laid over;
	// empty if See is all that was seen, as in cases that the console makes.
	On  string          `json:"on"`
	See json.RawMessage `json:"see"`
	// First is the cause, Fixes are those that got people in.
	First string   `json:"first"`
	Fixes []string `json:"fixes"`

	seen evidence.Evidence
}

// casebook reads all files of the folder, in the order of their names, and the one
// that LATCHKEY_CASE names, before it is added.
func casebook(t testing.TB) []kase {
	t.Helper()
	files, err := filepath.Glob("testdata/casebook/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	if more := os.Getenv("LATCHKEY_CASE"); more != "" {
		files = append(files, more)
	}
	healthy := testkit.Browsers(t)
	var out []kase
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var c kase
		strict(t, data, &c, file)
		seen, ok := healthy[c.On]
		require.True(t, ok || c.On == "", "%s: there is no healthy browser %q", file, c.On)
		c.seen = seen
		strict(t, c.See, &c.seen, file)
		out = append(out, c)
	}
	return out
}

func strict(t testing.TB, data []byte, into any, where string) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(into), where)
}

// What would have been seen of each case leads to its cause first, and to
// what helped among the first two things to do.
func TestCasebook_findsTheCauseAndWhatHelped(t *testing.T) {
	for _, c := range casebook(t) {
		t.Run(fmt.Sprintf("%d, %s", c.Case, c.Saw), func(t *testing.T) {
			d := checks.Catalogue().Diagnose(c.seen)
			require.NotEmpty(t, d.Findings)
			assert.Equal(t, c.First, d.Findings[0].Check, "%+v", d.Findings)
			assert.Less(t, helpsAt(d, c.Fixes), 2, "%v is not among the first two of %+v", c.Fixes, d.Advice)
		})
	}
}

// helpsAt is the place of the first advice that helps, from 0; the number of all
// if none does.
func helpsAt(d diag.Diagnosis, fixes []string) int {
	for i, a := range d.Advice {
		if slices.Contains(fixes, a.Fix) {
			return i
		}
	}
	return len(d.Advice)
}

// article is the order in which the articles of help desks tell everybody what to
// do, each tip with the fixes that it comes to.
var article = [][]string{
	{"retype-credentials", "check-caps-lock"},
	{"reset-password"},
	{"update-browser"},
	{"pause-extensions", "allow-scripts"},
	{"clear-site-data", "remove-old-cookies"},
	{"try-private-window"},
	{"try-other-network", "pause-vpn"},
	{"wait-for-unlock", "contact-administrator", "wait-and-retry"},
	{"use-organisation-sign-in"},
	{"set-phone-clock"},
	{"contact-support"},
}

// tipAt is the place of the first tip that helps, from 0. The last, to call
// somebody, helps at last.
func tipAt(fixes []string) int {
	for i, tip := range article {
		if slices.ContainsFunc(tip, func(id string) bool { return slices.Contains(fixes, id) }) {
			return i
		}
	}
	return len(article) - 1
}

// casebookTable shows how many steps each case takes.
func casebookTable(t testing.TB) string {
	var b strings.Builder
	b.WriteString("| case | cause | place of the cause | its chance | steps until it works | steps by the article |\n| --- | --- | --- | --- | --- | --- |\n")
	var steps, tips, n float64
	for _, c := range casebook(t) {
		d := checks.Catalogue().Diagnose(c.seen)
		at := slices.IndexFunc(d.Findings, func(f diag.Finding) bool { return f.Check == c.First })
		require.GreaterOrEqual(t, at, 0, "case %d", c.Case)
		step, tip := helpsAt(d, c.Fixes)+1, tipAt(c.Fixes)+1
		fmt.Fprintf(&b, "| %d | `%s` | %d | %.0f %% | %d | %d |\n", c.Case, c.First, at+1, 100*d.Findings[at].Chance, step, tip)
		steps, tips, n = steps+float64(step), tips+float64(tip), n+1
	}
	fmt.Fprintf(&b, "| mean | | | | %.2f | %.2f |\n", steps/n, tips/n)
	return b.String()
}

// Each of the cases once.
func BenchmarkDiagnose_casebook(b *testing.B) {
	set, cases := checks.Catalogue(), casebook(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		set.Diagnose(cases[i%len(cases)].seen)
	}
}

// More at once than anybody has: all findings of all cases.
func BenchmarkDiagnose_everything(b *testing.B) {
	w := newWorld(b)
	for _, c := range w.set.Checks {
		if !c.Told || c.ID == "no-response" {
			w.dealt[c.ID] = w.fails[c.ID][0]
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		w.set.Diagnose(evidence.Evidence{})
	}
}
