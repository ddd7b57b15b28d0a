//go:build !js

package testkit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"latchkey/internal/checks"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/store"
)

// Casebook is what would have been seen of each case of the judge's casebook, in the
// order of the files' names.
func Casebook(t testing.TB) []evidence.Evidence {
	t.Helper()
	_, here, _, ok := runtime.Caller(0)
	require.True(t, ok)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(here), "../diag/testdata/casebook/*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	healthy := Browsers(t)
	var all []evidence.Evidence
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var c struct {
			On  string          `json:"on"`
			See json.RawMessage `json:"see"`
		}
		require.NoError(t, json.Unmarshal(data, &c), file)
		seen := healthy[c.On]
		dec := json.NewDecoder(bytes.NewReader(c.See))
		dec.DisallowUnknownFields()
		require.NoError(t, dec.Decode(&seen), file)
		all = append(all, seen)
	}
	return all
}

// Sent is what a person sends who reads what is seen there and has tried some steps.
func Sent(e evidence.Evidence, at time.Time, tried ...string) report.Sent {
	moment := evidence.Moment{UTC: float64(at.UnixMilli()), Zone: -300}
	e.Run.At, e.Run.Tried = evidence.Saw(evidence.Moment{UTC: moment.UTC - 240_000, Zone: -300}), tried
	if e.Run.Tier == "" {
		e.Run.Tier = evidence.Wasm
	}
	return report.NewSent(report.New(e, checks.Catalogue().Diagnose(e)), moment, tried)
}

// Row is a report as it is kept; the case may be "".
func Row(t testing.TB, s report.Sent, of string, at time.Time) store.Report {
	t.Helper()
	body, err := s.Encode()
	require.NoError(t, err)
	rep := s.Report(checks.Catalogue().Diagnose)
	sum := rep.Summary()
	return store.Report{
		ID: store.NewID(), Case: of, At: at, Body: body, Code: rep.Code().String(), Outcome: string(rep.Outcome),
		Top: sum.Top, Findings: sum.Findings, Browser: rep.Seen.Browser.Family.Value, System: rep.Seen.Browser.System.Value,
		Tier: string(rep.Tier), Reference: rep.Seen.Host.Reference.Value,
	}
}

// Support fills a store with what days at support leave in it: a report for each case
// of the casebook, every third by a link. It returns the cases, the newest first; the
// first one is open and has two reports of one person.
func Support(t testing.TB, s *store.Store, now time.Time) []store.Case {
	t.Helper()
	ctx := t.Context()
	var cases []store.Case
	for i, e := range Casebook(t) {
		at := now.Add(-time.Duration(i) * 97 * time.Minute).Truncate(time.Millisecond)
		of := ""
		if i%3 == 0 {
			k := store.Case{
				ID: store.NewID(), Made: at.Add(-18 * time.Minute), By: "maria.santos", From: "Example Clinic support",
				Note: "Called twice this morning. Works on her phone.", Reference: fmt.Sprintf("TICKET-%04d", 4711-i), Lang: "en",
				Outcome: string(e.Host.Outcome.Value), Asks: []report.Ask{{Key: "practice", Label: "Name of your practice"}}, Expires: at.Add(7 * 24 * time.Hour),
			}
			_, hash := store.NewToken()
			require.NoError(t, s.Cases.Add(ctx, k, hash))
			cases, of = append(cases, k), k.ID
		}
		e.Host.Reference = evidence.Saw(fmt.Sprintf("req-%x", 0xa41c0+i*31))
		sent := Sent(e, at)
		if i%4 == 0 {
			sent = Sent(e, at, "reload-page")
			sent.Personal = report.Personal{
				Note:   "It worked on Monday.\nSince then the page comes back to the sign-in again and again.",
				Fields: []report.Answer{{Key: "practice", Label: "Name of your practice", Value: "Lakeside Family Medicine"}},
			}
		}
		require.NoError(t, s.Reports.Add(ctx, Row(t, sent, of, at)))
		if i == 0 {
			e.Clock.Offset = evidence.Saw(evidence.Offset{Lo: -240_000, Hi: -239_000})
			again := at.Add(-11 * time.Minute)
			require.NoError(t, s.Reports.Add(ctx, Row(t, Sent(e, again), of, again)))
		}
	}
	return cases
}
