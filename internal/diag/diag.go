// Package diag is the judge: it turns evidence into findings, folds symptoms
// under their causes, weighs which of them is the reason, and orders what to do
// by the chance that it helps for what it costs the person. It knows no single
// check; those are in package checks, and what is known of them as causes in its
// model.
//
// The mechanism is decision-theoretic troubleshooting (Heckerman, Breese and
// Rommelse, CACM 38(3), 1995; Breese and Heckerman, UAI 1996). What the login
// server said sets how likely each cause is, each check's outcome moves that, and so
// do steps that did not help and second looks under one changed condition. Then
// the step with the greatest chance for its cost comes first, and so on. This is
// exact, and small, as long as these hold:
//
//   - One cause is the reason. Two faults at once do happen: a fault that is there
//     but has nothing to do with the outcome is a bystander, for which the model has
//     shares. Where two faults each stop the sign-in, mending the first changes
//     nothing that the person sees; they look again, the first is gone, and the
//     second stands first then.
//   - Checks err independently, given the cause. Those that see the same thing twice
//     are folded: what another finding explains has no share of its own.
//   - Steps help independently, and the person sees after each whether it did.
//     Several steps for one cause fail together more often than that, so the chance
//     of later ones is overestimated; the order is the same.
//   - Experiments (a private window, another network or device) are valued one step
//     ahead: by whom they let in, and what is to be repaired after that.
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
	// Told is whether the finding repeats what the login server said. What it
	// comes after is what that follows from.
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

// Finding is a fault that was found.
type Finding struct {
	Check    string   `json:"check"`
	Impact   Impact   `json:"impact"`
	Sureness Sureness `json:"sureness"`
	Args     Args     `json:"args,omitempty"`
	Fixes    []string `json:"fixes"`
	// Because names the findings that explain this one.
	Because []string `json:"because,omitempty"`
	// Told is whether it repeats what the login server said, which no look at the
	// browser can show to be over.
	Told bool `json:"told,omitempty"`
	// Chance is that of being the reason; 0 for what another finding explains,
	// unless it is the login server's word.
	Chance float64 `json:"chance,omitempty"`
}

// Advice is one thing to do and the findings that it helps with.
type Advice struct {
	Fix   string   `json:"fix"`
	Helps []string `json:"helps"`
	// Chance is that of getting in by it, if it is done first.
	Chance float64 `json:"chance,omitempty"`
	// Cost is what it takes, in seconds of the person's time.
	Cost float64 `json:"cost,omitempty"`
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

// Set is a catalogue of checks and fixes, and what is known of causes.
type Set struct {
	Checks []Check
	Fixes  []Fix
	Model  Model
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
	fixes := map[string]bool{}
	for _, f := range s.Fixes {
		if fixes[f.ID] {
			errs = append(errs, fmt.Errorf("fix %s: listed twice", f.ID))
		}
		fixes[f.ID] = true
	}
	known := map[string]bool{}
	for _, c := range s.Model.Causes {
		if known[c.ID] || !ids[c.ID] {
			errs = append(errs, fmt.Errorf("cause %s: listed twice, or there is no such check", c.ID))
		}
		known[c.ID] = true
		for _, h := range c.Helps {
			if !fixes[h.Fix] {
				errs = append(errs, fmt.Errorf("cause %s: is helped by %s, which does not exist", c.ID, h.Fix))
			}
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
	d, _ := s.diagnose(e)
	return d
}

func (s *Set) diagnose(e evidence.Evidence) (Diagnosis, judgement) {
	d := Diagnosis{Findings: []Finding{}, Advice: []Advice{}, Gaps: []Gap{}, Passed: []string{}}
	outs := make([]Outcome, len(s.Checks))
	for i := range s.Checks {
		c := &s.Checks[i]
		outs[i] = run(c, &e)
		switch o := outs[i]; o.verdict {
		case pass:
			d.Passed = append(d.Passed, c.ID)
		case unknown:
			d.Gaps = append(d.Gaps, Gap{Check: c.ID, Why: o.why})
		case fail:
			d.Findings = append(d.Findings, Finding{
				Check: c.ID, Impact: c.Impact, Sureness: o.sureness, Args: o.args,
				Fixes: s.offered(o.fixes, &e), Told: c.Told,
			})
		}
	}
	if len(d.Findings) == 0 {
		return d, judgement{}
	}
	s.fold(d.Findings)
	return d, s.judge(&d, outs, &e)
}

// run gives the check's outcome, or why a need of it is missing.
func run(c *Check, e *evidence.Evidence) Outcome {
	if c.Needs != nil {
		for _, fact := range c.Needs(e) {
			if !fact.Known() {
				return Unknown(cmp.Or(string(fact.How()), "unasked"))
			}
		}
	}
	return c.Run(*e)
}

// offered keeps the fixes that can be done here. An id that no fix has stays,
// so that the catalogue's tests find it.
func (s *Set) offered(ids []string, e *evidence.Evidence) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if f := s.fix(id); f.Offered == nil || f.Offered(*e) {
			out = append(out, id)
		}
	}
	return out
}

// fold notes for each finding which other findings explain it.
func (s *Set) fold(fs []Finding) {
	for i := range fs {
		for _, cause := range s.Checks[s.index(fs[i].Check)].After {
			if finding(fs, cause) >= 0 && !slices.Contains(fs[i].Because, cause) {
				fs[i].Because = append(fs[i].Because, cause)
			}
		}
	}
}

// depths says how many findings stand one behind the other in the longest
// explanation of each. It ends for findings that explain each other, too.
func depths(fs []Finding) map[string]int {
	depth := map[string]int{}
	for range fs {
		again := false
		for i := range fs {
			for _, b := range fs[i].Because {
				if d := depth[b] + 1; d > depth[fs[i].Check] {
					depth[fs[i].Check], again = d, true
				}
			}
		}
		if !again {
			break
		}
	}
	return depth
}
