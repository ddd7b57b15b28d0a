// Package clock works out how far a device's clock is from the server's, and
// says how sure that is: an interval that holds the true offset whatever the
// asymmetry of the way. It is pure: who asks the server and reads the device's
// clocks is elsewhere, and so is what an offset means for a login.
//
// One exchange bounds the offset from both sides, because no message arrives
// before it was sent (Cristian, Probabilistic clock synchronization, 1989, and
// the four stamps of NTP, RFC 5905 section 8). Several exchanges together bound
// it by what their intervals have in common (Marzullo, Maintaining the time in a
// distributed system, 1984). Nothing is averaged: one exchange across a clock
// that is being set would spoil the mean and nobody would see it.
//
// No program can do better on a way that is slower in one direction than the
// middle of the interval: a clock that is ahead and a request that was quick look
// the same (Lundelius and Lynch, An upper and lower bound for clock
// synchronization, 1984). So the interval is the result and [Verdict.Point] is
// its best single number.
//
// All times are in milliseconds. Offsets are the device's time less the server's,
// as in [evidence.Offset]: positive means that the device is ahead.
package clock

import (
	"math"
	"slices"

	"latchkey/internal/evidence"
)

// lead is what the wall clock is ahead of its monotonic one. It stays
// the same until one of the two is set or stops.
func lead(r evidence.Reading) float64 { return r.Wall - r.Mono }

// Grain is how coarse the device's clocks are, as [Measure] finds out on the
// device. A zero means that nobody measured: then the samples themselves have to
// tell, which takes a clock for coarser than it is.
type Grain struct {
	Wall float64 `json:"wall"`
	Mono float64 `json:"mono"`
	// Noisy is whether the wall clock is rounded up as often as down, which
	// Firefox does to confuse attackers, rather than always down, as ECMA-262
	// says of Date.now(). It moves the point; the bounds always allow for it.
	Noisy bool `json:"noisy,omitempty"`
}

// coarsest is the coarsest clock of any browser: that of Firefox with
// resistFingerprinting, before it took the 16.67 of today.
const coarsest = 100

// Measure tells the grain from what a loop read without a pause, five steps of
// each clock or more.
func Measure(x evidence.Exchanges) Grain {
	wall := step(x.Walls)
	return Grain{wall, step(x.Monos), noisy(x.Turns, wall)}
}

// step is the least by which a clock goes on, from readings one after the other:
// many in a loop, or few and far between, of which it is at least that. It is
// [coarsest] if the clock stood still.
func step(readings []float64) float64 {
	least := float64(coarsest)
	for i := 1; i < len(readings); i++ {
		if d := readings[i] - readings[i-1]; d > 0 && d < least {
			least = d
		}
	}
	return least
}

// ordered returns the numbers, least first. They are few, and package slices'
// own way weighs 4 KB in the browser.
func ordered[T int | float64](xs []T) []T {
	out := make([]T, 0, len(xs))
	for _, x := range xs {
		at := len(out)
		for at > 0 && out[at-1] > x {
			at--
		}
		out = slices.Insert(out, at, x)
	}
	return out
}

// noisy is whether the steps of a clock are not equally long: counting how often
// a loop comes by tells time more finely than the clock does. Half of the steps
// count, because the loop may be held up in others. A clock that is too coarse to
// show enough of them is that of Firefox with resistFingerprinting, which is noisy
// (seen of ESR 153 in 2026-11: steps of 13197 and 23163 turns).
func noisy(turns []int, wall float64) bool {
	if len(turns) < 5 {
		return len(turns) > 0 && wall > 1
	}
	all := ordered(turns[1:]) // the first began before the loop
	middle := all[len(all)/2]
	return middle >= 8 && 4*(all[len(all)*3/4]-all[len(all)/4]) > middle
}

// of completes what was measured from the samples.
func (g Grain) of(samples []evidence.Exchange) Grain {
	least := func(clock func(evidence.Reading) float64) float64 {
		var all []float64
		for _, s := range samples {
			all = append(all, clock(s.Before), clock(s.After))
		}
		return step(ordered(all))
	}
	if !(g.Wall > 0 && g.Wall <= coarsest) {
		g.Wall = least(func(r evidence.Reading) float64 { return r.Wall })
	}
	if !(g.Mono > 0 && g.Mono <= coarsest) {
		g.Mono = least(func(r evidence.Reading) float64 { return r.Mono })
	}
	// Date.now() cuts off what is less than 1 (ECMA-262, Date.now), also of a
	// coarser grid, whose 16.67 then looks like 16 or 17.
	if g.Wall > 1 {
		g.Wall += 2
	}
	return g
}

// Reason is why a sample does not count.
type Reason string

// The reasons.
const (
	First     Reason = "first"     // it held up to open a connection, and there are others
	Replayed  Reason = "replayed"  // the answer was to another request
	Negative  Reason = "negative"  // it ended before it began, or before the server was done
	Broken    Reason = "broken"    // stamps that are no times
	Stepped   Reason = "stepped"   // the clock was set after it, or during it
	Slept     Reason = "slept"     // the device slept after it, or during it
	Disagrees Reason = "disagrees" // most others say something else
)

// Rejection is a sample that does not count.
type Rejection struct {
	Sample int    `json:"sample"` // its index
	Why    Reason `json:"why"`
}

// Verdict is what all samples say together.
type Verdict struct {
	// Offset holds the true offset at the time of the last reading, if any
	// sample was used and they agree.
	Offset evidence.Offset `json:"offset"`
	// Point is the best single number for it.
	Point    float64     `json:"point"`
	Used     int         `json:"used"`
	Rejected []Rejection `json:"rejected,omitempty"`
	// Step is by how much the clock was set while we looked, the most of it if
	// more than once: positive is forward. A page that was held up between its
	// two clocks looks the same, so that less than a second says little.
	Step float64 `json:"step,omitempty"`
	// Sleep is how long the device slept while we looked, if that stopped its
	// monotonic clock.
	Sleep float64 `json:"sleep,omitempty"`
	// Inconsistent is whether no offset agrees with all samples: several servers
	// whose clocks differ, or one that was set. Offset is then where most agree.
	Inconsistent bool `json:"inconsistent,omitempty"`
}

// Known is whether there is an offset.
func (v Verdict) Known() bool { return v.Used > 0 }

// Unstable is whether the clock was set while we looked.
func (v Verdict) Unstable() bool { return v.Step != 0 }

// Width is how much the offset is unsure.
func (v Verdict) Width() float64 { return v.Offset.Hi - v.Offset.Lo }

const (
	// jump is from where on a change between the two clocks is one, on top of
	// what their grains explain. Smaller ones, of a page held up between its two
	// readings or of a clock that is pulled right, only widen the interval.
	// Browsers call a task long from here on (W3C Long Tasks).
	jump = 50
	// drift is how much faster or slower than the server's a clock may run: the
	// 500 in a million by which NTP corrects at most (RFC 5905 section 11.3;
	// monotonic clocks are pulled along), and 100 of a poor crystal.
	drift = 600e-6
	// exact is what the server's stamps are off at most: cut to thousandths, and
	// with the resolution of a float64 in our century.
	exact = 0.002
	// sane is the largest number that is a time: JavaScript's range of dates.
	sane = 8.64e15
)

// Estimate judges samples in the order in which they were taken.
func Estimate(samples []evidence.Exchange, grain Grain) Verdict {
	var v Verdict
	why := make([]Reason, len(samples))
	var sound []evidence.Exchange // whose readings are times
	for i, s := range samples {
		if why[i] = fault(s); why[i] != Broken {
			sound = append(sound, s)
		}
	}
	grain = grain.of(sound)
	blur := 2 * (grain.Wall + grain.Mono) // of the difference of two leads

	// Only what came after the last jump counts.
	var last *evidence.Reading
	for i := range samples {
		if why[i] == Broken {
			continue
		}
		for _, r := range []*evidence.Reading{&samples[i].Before, &samples[i].After} {
			if last != nil && math.Abs(lead(*r)-lead(*last)) > jump+blur {
				v.jumped(samples, why, i, r == &samples[i].After, lead(*r)-lead(*last))
			}
			last = r
		}
	}
	bounds := make([]evidence.Offset, len(samples))
	for i, s := range samples {
		if why[i] == "" {
			if bounds[i] = bound(s, *last, grain, blur); bounds[i].Lo > bounds[i].Hi {
				why[i] = Negative
			}
		}
	}
	if len(why) > 1 && why[0] == "" && slices.Contains(why[1:], "") {
		why[0] = First
	}
	v.overlap(bounds, why)

	// The time of a reading that was rounded down is later by up to a grain, that
	// of a noisy one earlier as well. A sample whose reading was hardly rounded, or whose way was
	// short, narrows one side; the middle of the best of both sides is the point.
	lo, hi, up := math.Inf(-1), math.Inf(1), 0.
	if grain.Noisy {
		up = grain.Wall
	}
	for i, s := range samples {
		if why[i] == "" {
			v.Used++
			lo = math.Max(lo, s.Before.Wall-up-s.Received-s.Rounded)
			hi = math.Min(hi, s.After.Wall+grain.Wall-s.Sent)
		} else {
			v.Rejected = append(v.Rejected, Rejection{i, why[i]})
		}
	}
	if v.Used > 0 {
		v.Point = math.Min(math.Max(lo/2+hi/2, v.Offset.Lo), v.Offset.Hi)
	}
	return v
}

// fault is what is wrong with a sample by itself.
func fault(s evidence.Exchange) Reason {
	for _, x := range []float64{s.Before.Wall, s.Before.Mono, s.After.Wall, s.After.Mono, s.Received, s.Sent, s.Rounded} {
		if !(math.Abs(x) <= sane) {
			return Broken
		}
	}
	switch {
	case s.Replayed:
		return Replayed
	case s.Rounded < 0, s.After.Mono < s.Before.Mono, s.Sent < s.Received:
		return Negative
	}
	return ""
}

// jumped notes that between sample i and the one before it, or during it, the
// wall clock went ahead of the monotonic one by size.
func (v *Verdict) jumped(samples []evidence.Exchange, why []Reason, i int, during bool, size float64) {
	reason := Stepped
	if size > 0 && asleep(samples, why, i, during) {
		reason = Slept
		v.Sleep += size
	} else if math.Abs(size) > math.Abs(v.Step) {
		v.Step = size
	}
	for j := range samples {
		if (j < i || j == i && during) && why[j] == "" {
			why[j] = reason
		}
	}
}

// asleep is whether the server's clock went on, across a jump, as the wall clock
// did: then it was the monotonic one that stopped, as it does in sleep on some
// systems (w3c/hr-time issue 115). Without an answer on both sides nobody can
// tell, and the clock counts as set.
func asleep(samples []evidence.Exchange, why []Reason, i int, during bool) bool {
	trusted := func(j int) bool {
		return j >= 0 && j < len(samples) && why[j] != Broken && why[j] != Replayed && why[j] != Negative
	}
	from, to := i-1, i
	if during {
		to = i + 1
		if !trusted(from) {
			from = i
		}
	}
	if !trusted(from) || !trusted(to) {
		return false
	}
	a, b := samples[from], samples[to]
	server := b.Received - a.Received
	return math.Abs(server-(b.Before.Wall-a.Before.Wall)) < math.Abs(server-(b.Before.Mono-a.Before.Mono))
}

// bound is where the offset is at the time of the last reading. The request was
// received after it was sent, and the answer was sent before it was received; a
// reading is off by a grain to either side, because some browsers add noise to
// what they round (W3C High Resolution Time, coarsen time). What may have
// happened to the clock since is added to it: it was set by what its lead
// changed, or not and the page was held up, or the device slept.
func bound(s evidence.Exchange, last evidence.Reading, grain Grain, blur float64) evidence.Offset {
	since := func(r evidence.Reading) (lo, hi float64) {
		if r == last {
			return 0, 0
		}
		ran := drift * math.Abs(last.Mono-r.Mono)
		set := lead(last) - lead(r)
		return math.Min(0, set-blur) - ran, math.Max(0, set+blur) + ran
	}
	less, _ := since(s.Before)
	_, more := since(s.After)
	return evidence.Offset{
		Lo: s.Before.Wall - grain.Wall - s.Received - s.Rounded - exact + less,
		Hi: s.After.Wall + grain.Wall - s.Sent + exact + more,
	}
}

// overlap sets the offset to where most bounds overlap: what all have in common
// if they agree, else from the first to the last place where most do. It rejects
// those that are nowhere near.
func (v *Verdict) overlap(bounds []evidence.Offset, why []Reason) {
	most, all := 0, 0
	for i, a := range bounds {
		if why[i] != "" {
			continue
		}
		all++
		n, hi := 0, a.Hi
		for j, b := range bounds { // an overlap begins where one of them does
			if why[j] == "" && b.Lo <= a.Lo && a.Lo <= b.Hi {
				n++
				hi = math.Min(hi, b.Hi)
			}
		}
		switch {
		case n > most:
			most, v.Offset = n, evidence.Offset{Lo: a.Lo, Hi: hi}
		case n == most:
			v.Offset = evidence.Offset{Lo: math.Min(v.Offset.Lo, a.Lo), Hi: math.Max(v.Offset.Hi, hi)}
		}
	}
	v.Inconsistent = most < all
	for i, b := range bounds {
		if why[i] == "" && (b.Hi < v.Offset.Lo || b.Lo > v.Offset.Hi) {
			why[i] = Disagrees
		}
	}
}
