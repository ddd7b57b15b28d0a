//go:build unix

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// seen is what one look at one fault came to, for the table in README.md.
type seen struct {
	fault, engine, tier string
	findings            []string
	took                time.Duration
}

var table struct {
	sync.Mutex
	rows []seen
}

// note keeps a look for the table.
func note(t *testing.T, l look, took time.Duration) {
	b := l.Report.Seen.Browser
	engine := strings.TrimSpace(fmt.Sprintf("%s %d", b.Engine.Value, b.EngineMajor.Value))
	table.Lock()
	defer table.Unlock()
	table.rows = append(table.rows, seen{strings.ReplaceAll(t.Name(), "_", " "), engine, l.Tier, l.Findings, took})
}

// TestMain writes the table if it is asked to and all tests have passed.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && os.Getenv("LATCHKEY_TABLE") != "" {
		if err := os.WriteFile("README.md", []byte(written(table.rows)), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func written(rows []seen) string {
	var b strings.Builder
	b.WriteString(`<!-- Written by the tests: make faults. Do not edit. -->

# Real browsers with real faults

What each look of the browser tests came to: the test, which names the fault, the
engine that was at work, the tier that answered, and what it found, first things
first. Seconds run from the address to the finished answer, with other browsers on
the same two cores.

| test | engine | tier | found | seconds |
| --- | --- | --- | --- | ---: |
`)
	slices.SortStableFunc(rows, func(a, b seen) int { return strings.Compare(a.fault, b.fault) })
	for _, r := range rows {
		found := strings.Join(r.findings, ", ")
		if found == "" {
			found = "nothing"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.1f |\n", r.fault, r.engine, r.tier, found, r.took.Seconds())
	}
	return b.String()
}
