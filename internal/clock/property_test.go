package clock

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// enough is how many exchanges there are at least for each path.
const enough = 10_000

// tally is how the verdicts on a path were.
type tally struct {
	exchanges, runs, known, held int
	widest                       float64
}

// trial judges runs of a path until there were enough exchanges.
func trial(p path, judge func([]Sample, run) Verdict) tally {
	var got tally
	rnd := rand.New(rand.NewPCG(6, uint64(len(p.name))))
	for got.exchanges < enough {
		r := p.draw(rnd)
		samples, truth := r.look()
		got.exchanges += len(samples)
		got.runs++
		v := judge(samples, r)
		if !v.Known() {
			continue
		}
		got.known++
		got.widest = max(got.widest, v.Width())
		if v.Offset.Lo <= truth && truth <= v.Offset.Hi {
			got.held++
		}
	}
	return got
}

func TestEstimate_holdsTheTruthOnEveryPath(t *testing.T) {
	for _, p := range append(paths, harder...) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			got := trial(p, func(samples []Sample, r run) Verdict {
				v := Estimate(samples, r.measured())
				assert.True(t, !v.Known() || v.Offset.Lo <= v.Point && v.Point <= v.Offset.Hi, "the point lies outside: %+v", v)
				assert.False(t, v.Inconsistent, "there is but one server: %+v", v)
				if p.event == nil && p.pause == 0 {
					assert.False(t, v.Unstable(), "nobody set the clock: %+v", v)
					assert.Zero(t, v.Sleep)
				}
				return v
			})
			t.Logf("%+v", got)
			assert.Equal(t, got.known, got.held, "the offset has to hold the truth, always")
			if p.event == nil && p.pause == 0 {
				assert.Equal(t, got.runs, got.known, "nothing happened that could keep us from an offset")
			}
			assert.GreaterOrEqual(t, got.known, got.runs*7/10)
		})
	}
}

func TestEstimate_isHardlyWiderThanTheShortestExchange(t *testing.T) {
	for _, p := range paths {
		if p.event != nil {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(7, 7))
			for range 200 {
				samples, _ := p.draw(rnd).look()
				shortest := math.Inf(1)
				for _, s := range samples[1:] {
					shortest = min(shortest, s.After.Mono-s.Before.Mono)
				}
				grains := p.grain.Wall + p.grain.Mono + 1 // which Date.now() adds
				assert.LessOrEqual(t, Estimate(samples, p.grain).Width(), shortest+9*grains+3)
			}
		})
	}
}

// These would be mistakes; that they show says that the tests above can fail.
func TestEstimate_missesTheTruthWithoutWhatItKnows(t *testing.T) {
	named := func(name string) path {
		for _, p := range append(paths, harder...) {
			if p.name == name {
				return p
			}
		}
		t.Fatalf("there is no path %q", name)
		return path{}
	}
	for _, c := range []struct {
		name, path string
		judge      func([]Sample, run) Verdict
	}{
		{"the grain of the timers", "loopback, timers of 16.67 ms (Firefox, shielded)", func(s []Sample, _ run) Verdict {
			return Estimate(s, Grain{Wall: 1e-9, Mono: 1e-9})
		}},
		{"the grain of Chromium's", "loopback", func(s []Sample, _ run) Verdict {
			return Estimate(s, Grain{Wall: 1e-9, Mono: 1e-9})
		}},
		{"the monotonic clock", "set at any time", func(s []Sample, r run) Verdict {
			var blind []Sample
			for _, s := range s {
				s.Before.Mono, s.After.Mono = s.Before.Wall-epoch, s.After.Wall-epoch
				blind = append(blind, s)
			}
			return Estimate(blind, r.measured())
		}},
		{"whose answer it was", "150 ms", func(s []Sample, r run) Verdict {
			for i := range s { // out of a cache
				s[i].Received, s[i].Sent = s[0].Received, s[0].Sent
			}
			return Estimate(s, r.measured())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := trial(named(c.path), c.judge)
			assert.Less(t, got.held, got.runs, "%+v", got)
		})
	}
}
