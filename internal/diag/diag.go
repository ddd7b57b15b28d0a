// Package diag is the judge: it turns evidence into findings, folds symptoms
// under their causes and orders what to do. It knows no single check; those
// are in package checks.
package diag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"latchkey/internal/evidence"
)

// Impact says what a fault does to signing in.
type Impact string

// The impacts, gravest first.
const (
	Blocks Impact = "blocks" // signing in cannot work
	Slows  Impact = "slows"  // signing in can fail, or takes long
	Note   Impact = "note"   // worth knowing, no cause by itself
)

// Sureness says how far the evidence goes.
type Sureness string

// The degrees of sureness, surest first.
const (
	Sure   Sureness = "sure"   // the very thing was tried and failed
	Likely Sureness = "likely" // the best of several causes
	Maybe  Sureness = "maybe"  // one of several causes
)

// Args are the values for a finding's words: names, numbers and hosts, never
// phrases. Values are strings, numbers, [Seconds], [Month] and [Word].
type Args map[string]any

// Seconds is a length of time that words say as "4 minutes".
type Seconds float64

// Month is a month of a year, as in 2020-11.
type Month string

// Word is the id of a word that each language has its own for.
type Word string

// Check judges one fault. It is pure: the same evidence gives the same outcome.
type Check struct {
	// ID names the failing thing and never changes.
	ID     string
	Impact Impact
	// Needs are the facts without which the check cannot tell: pointers into
	// the evidence given.
	Needs func(*evidence.Evidence) []evidence.Seen
	// Uses are facts that it reads besides, and can do without.
	Uses func(*evidence.Evidence) []evidence.Seen
	// After are checks whose fault explains this one.
	After []string
	// Told is whether the finding repeats what the login server said. Such a
	// finding is about this very failure, so it stands before faults of the
	// same weight that do not explain it.
	Told bool
	Run  func(evidence.Evidence) Outcome
}

// Outcome is what a check says.
type Outcome struct {
	verdict  verdict
	sureness Sureness
	why      string
	args     Args
	fixes    []string
}

type verdict int

const (
	skip verdict = iota
	pass
	unknown
	fail
)

// Pass says that what the check looks at is fine.
func Pass() Outcome { return Outcome{verdict: pass} }

// Skip says that the check has nothing to look at here.
func Skip() Outcome { return Outcome{verdict: skip} }

// Unknown says that the check cannot tell, and why: the id of a reason.
func Unknown(why string) Outcome { return Outcome{verdict: unknown, why: why} }

// Fail says that the fault is there, how surely, and what mends it, best first.
func Fail(s Sureness, fixes ...string) Outcome {
	return Outcome{verdict: fail, sureness: s, fixes: fixes}
}

// With adds values for the words.
func (o Outcome) With(args Args) Outcome {
	o.args = args
	return o
}

// Fix is something that a person, or somebody for them, can do.
type Fix struct {
	ID string
	// Offered is whether the fix can be done in this browser and system; nil
	// means everywhere.
	Offered func(evidence.Evidence) bool
}

// Finding is a fault that was found.
type Finding struct {
	Check    string   `json:"check"`
	Impact   Impact   `json:"impact"`
	Sureness Sureness `json:"sureness"`
	Args     Args     `json:"args,omitempty"`
	Fixes    []string `json:"fixes"`
	// Because names the findings that explain this one.
	Because []string `json:"because,omitempty"`
}

// Advice is one thing to do and the findings that it helps with.
type Advice struct {
	Fix   string   `json:"fix"`
	Helps []string `json:"helps"`
}

// Gap is a check that could not tell, and why: "unasked", "late", or a reason
// of the check's own.
type Gap struct {
	Check string `json:"check"`
	Why   string `json:"why"`
}

// Diagnosis is the judgement on one Evidence.
type Diagnosis struct {
	Findings []Finding `json:"findings"`
	Advice   []Advice  `json:"advice"`
	Gaps     []Gap     `json:"gaps"`
	Passed   []string  `json:"passed"`
}

// Set is a catalogue of checks and fixes.
type Set struct {
	Checks []Check
	Fixes  []Fix
}

// Validate says everything that is wrong with the catalogue itself.
func (s Set) Validate() error {
	var errs []error
	ids := map[string]bool{}
	for _, c := range s.Checks {
		if ids[c.ID] {
			errs = append(errs, fmt.Errorf("check %s: listed twice", c.ID))
		}
		ids[c.ID] = true
		if c.Run == nil || c.Impact == "" {
			errs = append(errs, fmt.Errorf("check %s: needs an impact and a function", c.ID))
		}
	}
	after := map[string][]string{}
	for _, c := range s.Checks {
		after[c.ID] = c.After
		for _, a := range c.After {
			if !ids[a] {
				errs = append(errs, fmt.Errorf("check %s: comes after %s, which does not exist", c.ID, a))
			}
		}
	}
	for _, c := range s.Checks {
		if reaches(after, c.After, c.ID, map[string]bool{}) {
			errs = append(errs, fmt.Errorf("check %s: comes after itself", c.ID))
		}
	}
	return errors.Join(errs...)
}

func reaches(after map[string][]string, from []string, to string, seen map[string]bool) bool {
	for _, f := range from {
		if f == to {
			return true
		}
		if !seen[f] {
			seen[f] = true
			if reaches(after, after[f], to, seen) {
				return true
			}
		}
	}
	return false
}

// Diagnose judges the evidence by every check of the set.
func (s Set) Diagnose(e evidence.Evidence) Diagnosis {
	d := Diagnosis{Findings: []Finding{}, Advice: []Advice{}, Gaps: []Gap{}, Passed: []string{}}
	after := map[string][]string{}
	told := map[string]bool{}
	for _, c := range s.Checks {
		after[c.ID], told[c.ID] = c.After, c.Told
		switch o := run(c, e); o.verdict {
		case pass:
			d.Passed = append(d.Passed, c.ID)
		case unknown:
			d.Gaps = append(d.Gaps, Gap{Check: c.ID, Why: o.why})
		case fail:
			d.Findings = append(d.Findings, Finding{
				Check: c.ID, Impact: c.Impact, Sureness: o.sureness, Args: o.args,
				Fixes: s.offered(o.fixes, e),
			})
		}
	}
	fold(d.Findings, after)
	rank(d.Findings, told)
	d.Advice = advice(d.Findings)
	return d
}

// run gives the check's outcome, or why a need of it is missing.
func run(c Check, e evidence.Evidence) Outcome {
	if c.Needs != nil {
		for _, fact := range c.Needs(&e) {
			if !fact.Known() {
				return Unknown(cmp.Or(string(fact.How()), "unasked"))
			}
		}
	}
	return c.Run(e)
}

// offered keeps the fixes that can be done here. An id that no fix has stays,
// so that the catalogue's tests find it.
func (s Set) offered(ids []string, e evidence.Evidence) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		i := slices.IndexFunc(s.Fixes, func(f Fix) bool { return f.ID == id })
		if i < 0 || s.Fixes[i].Offered == nil || s.Fixes[i].Offered(e) {
			out = append(out, id)
		}
	}
	return out
}

// fold notes for each finding which other findings explain it.
func fold(fs []Finding, after map[string][]string) {
	for i := range fs {
		for _, cause := range after[fs[i].Check] {
			if slices.ContainsFunc(fs, func(f Finding) bool { return f.Check == cause }) {
				fs[i].Because = append(fs[i].Because, cause)
			}
		}
	}
}

// rank orders findings: what is explained by another comes after everything
// that is not, and after what explains it; then the graver; then the surer;
// then what explains the login server's word or is that word itself; then the
// catalogue's order.
func rank(fs []Finding, told map[string]bool) {
	about := map[string]bool{}
	for _, f := range fs {
		if told[f.Check] {
			about[f.Check] = true
			for _, b := range f.Because {
				about[b] = true
			}
		}
	}
	depth := depths(fs)
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(depth[a.Check], depth[b.Check]),
			cmp.Compare(slices.Index(impacts, a.Impact), slices.Index(impacts, b.Impact)),
			cmp.Compare(slices.Index(surenesses, a.Sureness), slices.Index(surenesses, b.Sureness)),
			order(!about[a.Check], !about[b.Check]),
		)
	})
}

// depths says how many findings stand one behind the other in the longest
// explanation of each. It ends for findings that explain each other, too.
func depths(fs []Finding) map[string]int {
	depth := map[string]int{}
	for range fs {
		for _, f := range fs {
			for _, b := range f.Because {
				depth[f.Check] = max(depth[f.Check], depth[b]+1)
			}
		}
	}
	return depth
}

var (
	impacts    = []Impact{Blocks, Slows, Note}
	surenesses = []Sureness{Sure, Likely, Maybe}
)

// order puts false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// advice lists the fixes in the order of the findings, each once, with all
// findings that it helps. A finding that another explains gives no advice of
// its own: it goes away with its cause.
func advice(fs []Finding) []Advice {
	out := []Advice{}
	helps := map[string]int{}
	for _, f := range fs {
		if len(f.Because) > 0 {
			for _, cause := range f.Because {
				for i := range out {
					if slices.Contains(out[i].Helps, cause) && !slices.Contains(out[i].Helps, f.Check) {
						out[i].Helps = append(out[i].Helps, f.Check)
					}
				}
			}
			continue
		}
		for _, id := range f.Fixes {
			if i, ok := helps[id]; ok {
				out[i].Helps = append(out[i].Helps, f.Check)
				continue
			}
			helps[id] = len(out)
			out = append(out, Advice{Fix: id, Helps: []string{f.Check}})
		}
	}
	return out
}
