package diag

import (
	"math"

	"latchkey/internal/evidence"
)

// What the simulations outside of this package need of its insides.

// Alarms are the chances of a false alarm by the sureness that it comes with.
var Alarms = map[Sureness]float64{Sure: certainAlarm, Likely: strongAlarm, Maybe: weakAlarm}

// Missed is the chance that a check passes over its own fault.
const Missed = missed

// GivingUp and Remains are prices of the model.
const (
	GivingUp = givingUp
	Remains  = remains
)

// Bystanders is the share of people who have a check's fault for no reason.
func (s Set) Bystanders(c Check) float64 {
	if b := s.Model.of(c.ID).Bystander; b > 0 {
		return b
	}
	return bystanders(c.Impact)
}

// Of is what the model knows of a check's fault.
func (m Model) Of(id string) Cause { return *m.of(id) }

// Level is what the model holds of a check's fault without an outcome.
func (s Set) Level(c Check) Level {
	if l := s.Model.of(c.ID).Prior; l > 0 {
		return l
	}
	return usually(c.Impact)
}

// Helps is how well a fix helps against a cause whose check lists those.
func (s Set) Helps(fix string, c Cause, list []string) float64 { return s.fix(fix).helps(&c, list) }

// Cost is what the fix costs.
func (s Set) Cost(fix string) float64 { return s.fix(fix).Cost() }

// Experiment is whether the fix is one.
func (s Set) Experiment(fix string) bool { return s.fix(fix).Moves != nil }

// Plan is the steps of a judgement, and what it takes to value any order of them.
type Plan struct {
	steps []*step
	mass  []float64
}

// Plan judges the evidence.
func (s Set) Plan(e evidence.Evidence) Plan {
	d, j := s.diagnose(e)
	p := Plan{steps: j.steps}
	for _, r := range reasons(d.Findings, j.causes) {
		p.mass = append(p.mass, r.mass)
	}
	return p
}

// Len is how many steps there are.
func (p Plan) Len() int { return len(p.steps) }

// next is what step i costs after those in the set done, as one expects, with
// what is to be repaired by who gets in by it.
func (p Plan) next(done uint, i int) float64 {
	alive, success := 0.0, make([]float64, len(p.mass))
	for h, m := range p.mass {
		for k := range p.steps {
			if done>>k&1 == 1 {
				m *= 1 - p.steps[k].helps[h]
			}
		}
		alive += m
		success[h] = m * p.steps[i].helps[h]
	}
	cost := alive * p.steps[i].cost
	if p.steps[i].fix.Moves != nil {
		var left []*step
		for k := range p.steps {
			if done>>k&1 == 0 && k != i {
				left = append(left, p.steps[k])
			}
		}
		cost += remains * repair(left, success)
	}
	return cost
}

// end is what it costs if nothing helped.
func (p Plan) end() float64 {
	rest := 0.0
	for h, m := range p.mass {
		for k := range p.steps {
			m *= 1 - p.steps[k].helps[h]
		}
		rest += m * givingUp
	}
	return rest
}

// Ours is what the steps cost in their order, as one expects, in seconds.
func (p Plan) Ours() float64 {
	cost, done := p.end(), uint(0)
	for i := range p.steps {
		cost += p.next(done, i)
		done |= 1 << i
	}
	return cost
}

// Best is the same for the best of all orders that end with who takes over. What
// is known after some steps depends on which, not on their order, so that all
// sets of steps are all there is to look at.
func (p Plan) Best() float64 {
	n := len(p.steps)
	value := make([]float64, 1<<n)
	value[1<<n-1] = p.end()
	for done := 1<<n - 2; done >= 0; done-- {
		best, open := math.Inf(1), false
		for i := range n {
			open = open || done>>i&1 == 0 && !p.steps[i].last()
		}
		for i := range n {
			if done>>i&1 == 0 && (!open || !p.steps[i].last()) {
				best = min(best, p.next(uint(done), i)+value[done|1<<i])
			}
		}
		value[done] = best
	}
	return value[0]
}
