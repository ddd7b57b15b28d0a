package diag

import "latchkey/internal/evidence"

// Reason is why a cause stands where it stands.
type Reason struct {
	// Check is the cause's check, or "unseen".
	Check string
	Seat  Seat
	// Prior is the share of those with this outcome whose reason it is.
	Prior float64
	// Says is what its check says: sure, likely, maybe, passed, unknown, told,
	// or nothing.
	Says string
	// Sign, Tried and Compared are the factors by which evidence, steps that did not
	// help, and second looks moved it.
	Sign, Tried, Compared float64
	// Explained is whether another finding explains it, so that it has no share.
	Explained bool
	// Chance is the share that is left.
	Chance float64
}

// Step is why a step stands where it stands.
type Step struct {
	Fix string
	// Chance is that it helps if it is done first.
	Chance float64
	// Cost is in seconds; Left is what remains to be repaired, in seconds, for
	// who gets in by an experiment.
	Cost, Left float64
	// Helps is how well it helps against each finding.
	Helps []Help
}

// Help is how well a step helps against a cause.
type Help struct {
	Check    string
	Efficacy float64
}

// Explain judges the evidence and says how that came about: the causes with their
// shares, in the catalogue's order, and the steps, best first.
func (s Set) Explain(e evidence.Evidence) (Diagnosis, []Reason, []Step) {
	d, j := s.diagnose(e)
	var priors float64
	for i := range j.causes {
		priors += j.causes[i].prior
	}
	var why []Reason
	for i := range j.causes {
		c := &j.causes[i]
		why = append(why, Reason{
			Check: c.ID, Seat: c.Seat, Prior: c.prior / priors, Says: c.says(), Sign: c.sign, Tried: c.tried, Compared: c.compared,
			Explained: c.depth > 0, Chance: c.mass,
		})
	}
	var steps []Step
	for _, p := range j.steps {
		step := Step{Fix: p.fix.ID, Chance: p.chance, Cost: p.cost, Left: p.left}
		for _, f := range d.Findings {
			if v := p.fix.helps(s.Model.of(f.Check), f.Fixes); v > 0 {
				step.Helps = append(step.Helps, Help{f.Check, v})
			}
		}
		steps = append(steps, step)
	}
	return d, why, steps
}

func (c *cause) says() string {
	switch {
	case c.ID == unseen, c.out.verdict == skip:
		return "nothing"
	case c.out.verdict == pass:
		return "passed"
	case c.out.verdict == unknown:
		return "unknown"
	case c.told:
		return "told"
	}
	return string(c.out.sureness)
}
