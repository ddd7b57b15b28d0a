// Package report is what may leave the browser: its schema, its limits and its
// redaction. A report carries the evidence and not only the judgement, so that
// whoever receives it can judge again with what is known by then. [Sent] is what a
// person agrees to send of it, and [Code] the same in twelve characters to read
// aloud, where nothing can be sent.
package report

import (
	"maps"
	"reflect"
	"slices"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// Schema is the version of the report's format.
const Schema = 1

// Report is one look at one browser, judged.
type Report struct {
	Schema     int                 `json:"schema"`
	Tier       evidence.Tier       `json:"tier"`
	TierReason evidence.TierReason `json:"tier_reason"`
	Outcome    evidence.Outcome    `json:"outcome"`
	diag.Diagnosis
	// Seen is the evidence, redacted.
	Seen evidence.Evidence `json:"seen"`
	// Clock is what was seen of clocks, as fine as it was measured: for the
	// person's own screen alone.
	Clock evidence.Clock `json:"-"`
}

// New makes the report of a judgement and the evidence that it is about.
func New(e evidence.Evidence, d diag.Diagnosis) Report {
	r := Report{
		Schema: Schema, Tier: e.Run.Tier, TierReason: e.Run.TierReason,
		Outcome: evidence.Unknown, Diagnosis: d, Seen: Redact(e), Clock: e.Clock,
	}
	if e.Host.Outcome.State == evidence.OK {
		r.Outcome = e.Host.Outcome.Value
	}
	return r
}

// Shown is the program whose menus the person sees, which is the app around the
// browser if there is one, and the system. Either may be empty.
func (r Report) Shown() (program, system string) {
	b := r.Seen.Browser
	switch {
	case b.App.State == evidence.OK:
		program = b.App.Value
	case b.Family.Value == "Chromium":
		program = "Chrome" // it has the same menus
	default:
		program = b.Family.Value
	}
	return program, b.System.Value
}

// ArgsFor are the values of the first finding that calls for a fix.
func (r Report) ArgsFor(fix string) diag.Args {
	for _, f := range r.Findings {
		if slices.Contains(f.Fixes, fix) {
			return f.Args
		}
	}
	return nil
}

// Values are what any text about the browser may name, and args, which stand
// before them.
func (r Report) Values(args diag.Args) diag.Args {
	b := r.Seen.Browser
	values := diag.Args{
		"browser": b.Family.Value, "system": b.System.Value, "systemversion": b.SystemVersion.Value,
		"engine": b.Engine.Value, "presents": b.Presents.Value, "app": b.App.Value,
	}
	if b.Major.State == evidence.OK {
		values["version"] = b.Major.Value
	}
	maps.Copy(values, args)
	return values
}

// Summary is what the login page is told.
type Summary struct {
	Outcome  evidence.Outcome `json:"outcome"`
	Tier     evidence.Tier    `json:"tier"`
	Top      string           `json:"top"`
	Findings []string         `json:"findings"`
}

// Summary shortens the report for the login page.
func (r Report) Summary() Summary {
	s := Summary{Outcome: r.Outcome, Tier: r.Tier, Findings: []string{}}
	for _, f := range r.Findings {
		s.Findings = append(s.Findings, f.Check)
	}
	if len(s.Findings) > 0 {
		s.Top = s.Findings[0]
	}
	return s
}

// Resolved lists what an earlier look found and this one does not any more.
// What only the login server can tell is never among it: looking again here
// cannot show whether an account was unlocked.
func (r Report) Resolved() []string {
	var out []string
	for _, id := range r.Seen.Run.Before {
		if slices.Contains(r.Passed, id) {
			out = append(out, id)
		}
	}
	return out
}

// Fixed is whether something that an earlier look found is gone, and nothing that
// can be seen from here stands in the way of signing in: neither what was found
// before and does more than to be noted, nor what blocks.
func (r Report) Fixed() bool {
	if len(r.Resolved()) == 0 {
		return false
	}
	if len(r.Findings) == 0 || r.Findings[0].Told || r.Findings[0].Impact == diag.Note {
		return true
	}
	first := r.Findings[0]
	return first.Impact == diag.Slows && !slices.Contains(r.Seen.Run.Before, first.Check)
}

// Redact returns the evidence as its send tags allow it to leave the browser.
func Redact(e evidence.Evidence) evidence.Evidence {
	redact(reflect.ValueOf(&e).Elem())
	return e
}

func redact(v reflect.Value) {
	for i := range v.NumField() {
		field := v.Field(i)
		switch v.Type().Field(i).Tag.Get("send") {
		case "yes":
			if _, fact := field.Addr().Interface().(evidence.Seen); !fact && field.Kind() == reflect.Struct {
				redact(field)
			}
		case "coarse":
			field.Set(reflect.ValueOf(field.Interface().(evidence.Coarser).Coarse()))
		default:
			field.SetZero()
		}
	}
}
