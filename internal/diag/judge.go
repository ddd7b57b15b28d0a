package diag

import (
	"cmp"
	"math"
	"slices"

	"latchkey/internal/evidence"
)

// cause is a check's fault, or something that nobody sees, on its way from a
// prior to the chance that it is the reason.
type cause struct {
	*Cause
	impact Impact
	out    *Outcome
	told   bool
	// found is the index of its finding; -1 without one.
	found int
	depth int
	// The factors: how often it is the reason, given what the login server said;
	// what its check says; what did not help; what a second look showed.
	prior, sign, tried, compared float64
	// mass is the share of the whole, zero for what is explained away.
	mass float64
}

func (c *cause) weight() float64 { return c.prior * c.sign * c.tried * c.compared }

// judgement is how causes and steps came to stand where they stand.
type judgement struct {
	causes []cause
	steps  []*step
}

// judge weighs all causes and sets the order of findings, their chances, and what
// to do.
func (s *Set) judge(d *Diagnosis, outs []Outcome, e *evidence.Evidence) judgement {
	j := judgement{causes: make([]cause, len(s.Checks), len(s.Checks)+int(seats))}
	fs := d.Findings
	var teller *Check
	var about []string // what the login server's word follows from
	for i := range fs {
		if at := s.index(fs[i].Check); s.Checks[at].Told {
			teller = &s.Checks[at]
			about = mark(about, fs, fs[i].Because)
		}
	}
	whole := teller != nil && s.Model.of(teller.ID).Whole
	depth := depths(fs)
	var total float64
	for i := range s.Checks {
		check := &s.Checks[i]
		c := &j.causes[i]
		c.Cause, c.impact, c.out, c.told, c.found = s.Model.of(check.ID), check.Impact, &outs[i], check.Told, -1
		var fixes []string
		if c.out.verdict == fail {
			c.found = finding(fs, c.ID)
			c.depth, fixes = depth[c.ID], fs[c.found].Fixes
		}
		c.prior = s.prior(c, teller, whole, about, e)
		c.sign = sign(c)
		c.tried = s.tried(e.Run.Tried, c.Cause, fixes)
		c.compared = compared(e.Run.Compared, c.ID, c.Seat)
		// What another finding explains is no reason of its own. The login server's
		// word is: it may have been said for nothing of what was found.
		if c.depth == 0 || c.told {
			c.mass = c.weight()
			total += c.mass
		}
	}
	for seat := range seats {
		level := float64(s.Model.Unseen[seat])
		if level == 0 {
			continue
		}
		if whole {
			level *= farFetched
		}
		c := cause{Cause: &elsewhere[seat], found: -1, prior: level, sign: 1}
		c.tried = s.tried(e.Run.Tried, c.Cause, nil)
		c.compared = compared(e.Run.Compared, unseen, seat)
		c.mass = c.weight()
		total += c.mass
		j.causes = append(j.causes, c)
	}
	for i := range j.causes {
		c := &j.causes[i]
		c.mass /= max(total, math.SmallestNonzeroFloat64)
		if c.found >= 0 {
			fs[c.found].Chance = round(c.mass)
		}
	}
	s.rank(d, j.causes)
	j.steps = s.steps(d.Findings, j.causes, &e.Run)
	d.Advice = s.advice(d.Findings, &j)
	return j
}

// tried is the chance that none of the fixes helped, if the cause is the reason.
func (s *Set) tried(ids []string, c *Cause, fixes []string) float64 {
	v := 1.0
	for i, id := range ids {
		if !slices.Contains(ids[:i], id) {
			v *= 1 - s.fix(id).helps(c, fixes)
		}
	}
	return v
}

// mark adds findings and what explains them.
func mark(about []string, fs []Finding, ids []string) []string {
	for _, id := range ids {
		if slices.Contains(about, id) {
			continue
		}
		about = append(about, id)
		if i := finding(fs, id); i >= 0 {
			about = mark(about, fs, fs[i].Because)
		}
	}
	return about
}

// finding is the index of a check's finding, or -1.
func finding(fs []Finding, id string) int {
	for i := range fs {
		if fs[i].Check == id {
			return i
		}
	}
	return -1
}

// prior is how often the cause is the reason of what the login server said.
func (s *Set) prior(c *cause, teller *Check, whole bool, about []string, e *evidence.Evidence) float64 {
	level := c.Prior
	if level == 0 {
		level = usually(c.impact)
		if c.told && c.Whole {
			level = Usual
		}
	}
	if e.Host.Outcome.State == evidence.OK {
		for _, given := range c.Priors {
			if given.When == e.Host.Outcome.Value {
				return float64(given.Is)
			}
		}
	}
	switch {
	case c.told && c.out.verdict != fail:
		return 0 // nobody said so
	case teller == nil, c.told, slices.Contains(about, c.ID), slices.Contains(teller.After, c.ID):
		return float64(level)
	case whole:
		return float64(level) * excluded
	}
	return float64(level) * farFetched
}

// sign is how much likelier the check's outcome is with the cause than without.
func sign(c *cause) float64 {
	bystander := cmp.Or(c.Bystander, bystanders(c.impact))
	switch {
	case c.told, c.out.verdict == unknown, c.out.verdict == skip:
		return 1
	case c.out.verdict == pass:
		return missed
	case c.out.sureness == Sure:
		return 1 / (certainAlarm + bystander)
	case c.out.sureness == Likely:
		return 1 / (strongAlarm + bystander)
	}
	return 1 / (weakAlarm + bystander)
}

// rank orders findings: what is explained by another comes after everything that
// is not, and after what explains it; then the likelier reason; then the
// catalogue's order.
func (s *Set) rank(d *Diagnosis, causes []cause) {
	order := make([]*cause, 0, len(d.Findings))
	for i := range causes {
		if causes[i].found >= 0 {
			order = append(order, &causes[i])
		}
	}
	sort(len(order), func(i, k int) bool {
		a, b := order[i], order[k]
		return a.depth < b.depth || a.depth == b.depth && a.weight() > b.weight()
	}, func(i, k int) { order[i], order[k] = order[k], order[i] })
	fs := slices.Clone(d.Findings)
	for i, c := range order {
		d.Findings[i] = fs[c.found]
		c.found = i
	}
}

// sort is stable, for a few things, and one piece of code for all of them: the
// library's is compiled anew for each type.
func sort(n int, before func(i, k int) bool, swap func(i, k int)) {
	for i := 1; i < n; i++ {
		for k := i; k > 0 && before(k, k-1); k-- {
			swap(k, k-1)
		}
	}
}

// step is one thing to do.
type step struct {
	fix *Fix
	// cost is in seconds; left is what remains to be done for who got in by it.
	cost, left float64
	// helps is how well, for each of the reasons.
	helps []float64
	// chance is that of helping if it is the first step.
	chance float64
}

// reason is one of what may be the reason, for choosing steps: a finding, or all
// else in one seat.
type reason struct {
	*Cause
	fixes []string
	mass  float64
}

// unseen stands for the id of what no check sees.
const unseen = "unseen"

// elsewhere is what no check sees, in each seat.
var elsewhere = [seats]Cause{
	{ID: unseen}, {ID: unseen, Seat: Site}, {ID: unseen, Seat: Profile}, {ID: unseen, Seat: Browser},
	{ID: unseen, Seat: Device}, {ID: unseen, Seat: Network}, {ID: unseen, Seat: Account},
}

// reasons are the findings that have a share, and the rest by seat.
func reasons(fs []Finding, causes []cause) []reason {
	out := make([]reason, seats, int(seats)+len(fs))
	for i := range causes {
		c := &causes[i]
		switch {
		case c.found >= 0 && c.mass > 0:
			out = append(out, reason{c.Cause, fs[c.found].Fixes, c.mass})
		default:
			out[c.Seat].Cause = &elsewhere[c.Seat]
			out[c.Seat].mass += c.mass
		}
	}
	n := 0
	for i := range out {
		if out[i].mass > 0 {
			out[n] = out[i]
			n++
		}
	}
	return out[:n]
}

// steps are the fixes of all findings that nothing explains, best first. Each
// next one is that with the greatest chance for what it costs, given that those
// before did not help: for one cause and steps that end at success this order
// costs least (Heckerman, Breese and Rommelse 1995). An experiment costs, besides,
// what is still to be repaired by who got in by it. Who takes over whatever the
// cause comes last.
func (s *Set) steps(fs []Finding, causes []cause, run *evidence.Run) []*step {
	rs := reasons(fs, causes)
	var out []*step
	seen := slices.Clone(run.Tried)
	for i := range fs {
		if len(fs[i].Because) > 0 {
			continue
		}
		for _, id := range fs[i].Fixes {
			if slices.Contains(seen, id) {
				continue
			}
			seen = append(seen, id)
			p := &step{fix: s.fix(id), helps: make([]float64, len(rs))}
			if shown(run.Compared, p.fix) {
				continue
			}
			p.cost = p.fix.Cost()
			for i := range rs {
				p.helps[i] = p.fix.helps(rs[i].Cause, rs[i].fixes)
			}
			out = append(out, p)
		}
	}
	mass := make([]float64, len(rs))
	masses := func() []float64 {
		for i := range rs {
			mass[i] = rs[i].mass
		}
		return mass
	}
	for _, p := range out {
		p.chance = p.gains(masses())
		if p.fix.Moves != nil && p.chance > 0 {
			for h := range mass {
				mass[h] *= p.helps[h] / p.chance
			}
			p.left = remains * repair(out, mass)
		}
	}
	alive := masses()
	for at := range out {
		best := at
		for i := at + 1; i < len(out); i++ {
			if out[best].last() && !out[i].last() || out[best].last() == out[i].last() && out[i].worth(alive) > out[best].worth(alive)*(1+1e-9) {
				best = i
			}
		}
		p := out[best]
		copy(out[at+1:best+1], out[at:best])
		out[at] = p
		for h := range alive {
			alive[h] *= 1 - p.helps[h]
		}
	}
	return out
}

func (p *step) last() bool { return p.fix.Always > 0 }

// gains is how much of the mass the step takes away.
func (p *step) gains(mass []float64) float64 {
	var sum float64
	for h, m := range mass {
		sum += m * p.helps[h]
	}
	return sum
}

// worth is the step's chance for what it costs.
func (p *step) worth(mass []float64) float64 {
	gain, all := p.gains(mass), 0.0
	if gain == 0 {
		return 0
	}
	for _, m := range mass {
		all += m
	}
	return gain / (p.cost*all + gain*p.left)
}

// repair is what it costs, as one expects, to get through the repairs in the
// order of their worth at the start, in seconds.
func repair(steps []*step, mass []float64) float64 {
	type one struct {
		worth float64
		step  *step
	}
	order := make([]one, 0, len(steps))
	for _, p := range steps {
		if p.fix.Moves == nil {
			order = append(order, one{p.gains(mass) / p.cost, p})
		}
	}
	sort(len(order), func(i, k int) bool {
		a, b := order[i], order[k]
		if a.step.last() != b.step.last() {
			return b.step.last()
		}
		return a.worth > b.worth
	}, func(i, k int) { order[i], order[k] = order[k], order[i] })
	left := slices.Clone(mass)
	cost := 0.0
	for _, o := range order {
		alive := 0.0
		for _, m := range left {
			alive += m
		}
		cost += alive * o.step.cost
		for h := range left {
			left[h] *= 1 - o.step.helps[h]
		}
	}
	for _, m := range left {
		cost += m * givingUp
	}
	return cost
}

// advice lists the steps in their order, each with all findings that it helps,
// the likeliest first. A finding that another explains gives no advice of its
// own: it goes away with its cause. Where the site is to blame for what is most
// likely the reason, nobody is asked for what only helps against something else.
func (s *Set) advice(fs []Finding, j *judgement) []Advice {
	site := func(id string) bool { return s.Model.of(id).Seat == Site }
	blame := len(fs) > 0 && site(fs[0].Check) && fs[0].Chance >= 0.5
	out := make([]Advice, 0, len(j.steps))
	for _, p := range j.steps {
		a := Advice{Fix: p.fix.ID, Chance: round(p.chance), Cost: p.cost}
		wanted := !blame
		for i := range fs {
			f := &fs[i]
			helps := len(f.Because) == 0 && slices.Contains(f.Fixes, a.Fix)
			for _, b := range f.Because {
				helps = helps || slices.Contains(a.Helps, b)
			}
			if helps {
				a.Helps = append(a.Helps, f.Check)
				wanted = wanted || site(f.Check)
			}
		}
		if wanted {
			out = append(out, a)
		}
	}
	// What a person is asked first is about what stands there first, even if
	// something else is cheaper to rule out.
	for i, a := range out {
		if a.Helps[0] == fs[0].Check {
			copy(out[1:i+1], out[:i])
			out[0] = a
			break
		}
	}
	return out
}

// fix looks up what a step costs. One that is not listed costs a sign-in.
func (s *Set) fix(id string) *Fix {
	for i := range s.Fixes {
		if s.Fixes[i].ID == id {
			return &s.Fixes[i]
		}
	}
	return &Fix{ID: id}
}

func (s *Set) index(id string) int {
	for i := range s.Checks {
		if s.Checks[i].ID == id {
			return i
		}
	}
	return -1
}

// round keeps three digits: more would differ from machine to machine.
func round(chance float64) float64 { return math.Round(chance*1000) / 1000 }
