package clock

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
)

// exact timers, as far as a test can tell.
var fine = Grain{Wall: 1e-6, Mono: 1e-6}

// taken is an exchange at a true time, on a way of 10 ms in either direction with
// 1 ms at the server, by a device that is ahead.
func taken(at, ahead float64) Sample {
	return Sample{
		Before:   Reading{Wall: epoch + at + ahead, Mono: at},
		After:    Reading{Wall: epoch + at + 21 + ahead, Mono: at + 21},
		Received: epoch + at + 10,
		Sent:     epoch + at + 11,
	}
}

// later is the sample as it is when so much happened to the clocks before it.
func later(s Sample, set, stopped float64) Sample {
	for _, r := range []*Reading{&s.Before, &s.After} {
		r.Wall += set
		r.Mono -= stopped
	}
	return s
}

func TestEstimate_judgesSamples(t *testing.T) {
	ok := func(i float64) Sample { return taken(100*i, 5000) }
	but := func(s Sample, change func(*Sample)) Sample {
		change(&s)
		return s
	}
	other := func(s Sample) Sample { // server, whose clock is 4 s behind
		return but(s, func(s *Sample) { s.Received -= 4000; s.Sent -= 4000 })
	}
	type want struct {
		lo, hi       float64 // ± 1
		used         int
		rejected     []Rejection
		step, sleep  float64
		inconsistent bool
	}
	for _, c := range []struct {
		name    string
		samples []Sample
		want    want
	}{
		{"nothing", nil, want{}},
		{"one exchange bounds it by the way there and the way back",
			[]Sample{ok(0)},
			want{lo: 4990, hi: 5010, used: 1}},
		{"the first is thrown away when there are others",
			[]Sample{ok(0), ok(1), ok(2)},
			want{lo: 4990, hi: 5010, used: 2, rejected: []Rejection{{0, First}}}},
		{"the first is kept when the others are of no use",
			[]Sample{ok(0), but(ok(1), func(s *Sample) { s.Replayed = true })},
			want{lo: 4990, hi: 5010, used: 1, rejected: []Rejection{{1, Replayed}}}},
		{"a quick request and a quick answer narrow a side each, in different exchanges",
			[]Sample{ok(0),
				but(ok(1), func(s *Sample) { s.Received -= 9; s.Sent -= 9 }),
				but(ok(2), func(s *Sample) { s.Received += 9; s.Sent += 9 })},
			want{lo: 4999, hi: 5001, used: 2, rejected: []Rejection{{0, First}}}},
		{"what the server took does not count",
			[]Sample{but(ok(0), func(s *Sample) { s.Sent += 700; s.After.Wall += 700; s.After.Mono += 700 })},
			want{lo: 4990, hi: 5010, used: 1}},
		{"an answer to another request says nothing",
			[]Sample{ok(0), ok(1), but(ok(2), func(s *Sample) { s.Replayed = true; s.Received -= 4000; s.Sent -= 4000 })},
			want{lo: 4990, hi: 5010, used: 1, rejected: []Rejection{{0, First}, {2, Replayed}}}},
		{"an exchange that ended before it began",
			[]Sample{ok(0), ok(1), but(ok(2), func(s *Sample) { s.After.Mono -= 22; s.After.Wall -= 22 })},
			want{lo: 4990, hi: 5010, used: 1, rejected: []Rejection{{0, First}, {2, Negative}}}},
		{"a server that answered before it was asked",
			[]Sample{ok(0), ok(1), but(ok(2), func(s *Sample) { s.Sent -= 2 })},
			want{lo: 4990, hi: 5010, used: 1, rejected: []Rejection{{0, First}, {2, Negative}}}},
		{"a server that took longer than the exchange",
			[]Sample{ok(0), ok(1), but(ok(2), func(s *Sample) { s.Sent += 30 })},
			want{lo: 4990, hi: 5010, used: 1, rejected: []Rejection{{0, First}, {2, Negative}}}},
		{"stamps that are no times",
			[]Sample{ok(0), ok(1), but(ok(2), func(s *Sample) { s.Sent = math.NaN() }), but(ok(3), func(s *Sample) { s.Before.Mono = math.Inf(-1) })},
			want{lo: 4990, hi: 5010, used: 1, rejected: []Rejection{{0, First}, {2, Broken}, {3, Broken}}}},

		{"set between two exchanges",
			[]Sample{ok(0), ok(1), later(ok(2), hour, 0), later(ok(3), hour, 0)},
			want{lo: hour + 4990, hi: hour + 5010, used: 2, rejected: []Rejection{{0, Stepped}, {1, Stepped}}, step: hour}},
		{"set in mid-exchange",
			[]Sample{ok(0), but(ok(1), func(s *Sample) { s.After.Wall -= hour }), later(ok(2), -hour, 0)},
			want{lo: 4990 - hour, hi: 5010 - hour, used: 1, rejected: []Rejection{{0, Stepped}, {1, Stepped}}, step: -hour}},
		{"set by two seconds",
			[]Sample{ok(0), ok(1), later(ok(2), 2000, 0)},
			want{lo: 6990, hi: 7010, used: 1, rejected: []Rejection{{0, Stepped}, {1, Stepped}}, step: 2000}},
		{"set and set back",
			[]Sample{ok(0), later(ok(1), hour, 0), ok(2)},
			want{lo: 4990, hi: 5010, used: 1, rejected: []Rejection{{0, Stepped}, {1, Stepped}}, step: hour}},
		{"set during the last exchange leaves nothing to go by",
			[]Sample{ok(0), ok(1), but(ok(2), func(s *Sample) { s.After.Wall += hour })},
			want{rejected: []Rejection{{0, Stepped}, {1, Stepped}, {2, Stepped}}, step: hour}},
		{"set by little is not told from a page that is held up, and makes it wide",
			[]Sample{ok(0), later(ok(1), 30, 0)},
			want{lo: 5020, hi: 5040, used: 1, rejected: []Rejection{{0, First}}}},
		{"set by little after the only exchange",
			[]Sample{ok(0), but(later(ok(1), 30, 0), func(s *Sample) { s.Replayed = true })},
			want{lo: 4990, hi: 5040, used: 1, rejected: []Rejection{{1, Replayed}}}},

		{"slept between two exchanges",
			[]Sample{ok(0), ok(1), later(taken(hour, 5000), 0, hour-500)},
			want{lo: 4990, hi: 5010, used: 1, rejected: []Rejection{{0, Slept}, {1, Slept}}, sleep: hour - 500}},
		{"slept in mid-exchange, the answer waiting",
			[]Sample{ok(0), but(ok(1), func(s *Sample) { s.After.Wall += hour }), later(taken(hour+200, 5000), 0, hour)},
			want{lo: 4990, hi: 5010, used: 1, rejected: []Rejection{{0, Slept}, {1, Slept}}, sleep: hour}},
		{"slept in the first exchange of all",
			[]Sample{but(ok(0), func(s *Sample) { s.After.Wall += hour }), later(taken(hour+200, 5000), 0, hour)},
			want{lo: 4990, hi: 5010, used: 1, rejected: []Rejection{{0, Slept}}, sleep: hour}},
		{"slept while the monotonic clock ran on",
			[]Sample{ok(0), ok(1), but(ok(2), func(s *Sample) { s.After.Wall += hour; s.After.Mono += hour }), taken(hour+400, 5000)},
			want{lo: 4990, hi: 5010, used: 3, rejected: []Rejection{{0, First}}}},

		{"two servers that are not of one mind, and three that are",
			[]Sample{ok(0), other(ok(1)), ok(2), ok(3), ok(4)},
			want{lo: 4990, hi: 5010, used: 3, rejected: []Rejection{{0, First}, {1, Disagrees}}, inconsistent: true}},
		{"two servers, and nobody knows which is right",
			[]Sample{ok(0), other(ok(1)), ok(2)},
			want{lo: 4990, hi: 9010, used: 2, rejected: []Rejection{{0, First}}, inconsistent: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Estimate(c.samples, fine)
			assert.InDelta(t, c.want.lo, v.Offset.Lo, 1)
			assert.InDelta(t, c.want.hi, v.Offset.Hi, 1)
			assert.Equal(t, c.want.used, v.Used)
			assert.Equal(t, c.want.used > 0, v.Known())
			assert.Equal(t, c.want.rejected, v.Rejected)
			assert.InDelta(t, c.want.step, v.Step, 1e-3)
			assert.Equal(t, c.want.step != 0, v.Unstable())
			assert.InDelta(t, c.want.sleep, v.Sleep, 1e-3)
			assert.Equal(t, c.want.inconsistent, v.Inconsistent)
		})
	}
}

func TestEstimate_putsThePointHalfAGrainUp(t *testing.T) {
	v := Estimate([]Sample{taken(0, 100)}, Grain{Wall: 1, Mono: 1, Noisy: true})
	assert.InDelta(t, 100, v.Point, 1e-3)
	v = Estimate([]Sample{taken(0, 100)}, Grain{Wall: 1, Mono: 1})
	assert.InDelta(t, 100.5, v.Point, 1e-3, "browsers without noise round down")
	assert.InDelta(t, 89, v.Offset.Lo, 4.1)
	assert.InDelta(t, 111, v.Offset.Hi, 0.1, "the last reading is the one that is asked for")
}

func TestEstimate_allowsForTheServersCut(t *testing.T) {
	// Both have the same time, nothing takes any, and the server tells 5.0009 as 5.
	both := Reading{Wall: 5.0009, Mono: 1}
	v := Estimate([]Sample{{Before: both, After: both, Received: 5, Sent: 5}}, fine)
	assert.LessOrEqual(t, v.Offset.Lo, 0.)
	assert.GreaterOrEqual(t, v.Offset.Hi, 0.)
}

func TestEstimate_ageWidens(t *testing.T) {
	s := []Sample{taken(0, 0), taken(10_000, 0)}
	s[1].Replayed = true // a reading and nothing else
	assert.InDelta(t, 20+2*10_000*drift, Estimate(s, fine).Width(), 0.1)
}

// fromDate is an exchange of which the Date header alone is known, as the browser
// writes it: the second in which the answer was written.
func fromDate(before, after Reading, date float64) Sample {
	return Sample{Before: before, After: after, Received: date, Sent: date, Rounded: 1000}
}

func TestEstimate_ofADateHoldsASecondAtLeast(t *testing.T) {
	// The server wrote at 12.345 s, which it tells as 12 s.
	before, after := Reading{Wall: 12_335, Mono: 0}, Reading{Wall: 12_355, Mono: 20}
	v := Estimate([]Sample{fromDate(before, after, 12_000)}, fine)
	assert.Equal(t, 1, v.Used)
	assert.InDelta(t, -665, v.Offset.Lo, 0.1)
	assert.InDelta(t, 355, v.Offset.Hi, 0.1)

	// A second that begins meanwhile narrows it to the time between.
	v = Estimate([]Sample{
		fromDate(before, after, 12_000),
		fromDate(Reading{Wall: 12_935, Mono: 600}, Reading{Wall: 12_955, Mono: 620}, 12_000),
		fromDate(Reading{Wall: 13_035, Mono: 700}, Reading{Wall: 13_055, Mono: 720}, 13_000),
	}, fine)
	assert.Equal(t, 2, v.Used)
	assert.InDelta(t, -65, v.Offset.Lo, 0.2)
	assert.InDelta(t, 55, v.Offset.Hi, 0.2)
}

func TestMeasure_isTheLeastThatAClockGoesOn(t *testing.T) {
	for _, c := range []struct {
		name     string
		readings []float64
		want     float64
	}{
		{"no readings", nil, coarsest},
		{"one", []float64{5}, coarsest},
		{"a clock that stands still", []float64{5, 5, 5}, coarsest},
		{"a coarse clock, read in a loop", []float64{0, 0, 0, 16.5, 16.5, 33, 33, 49.5}, 16.5},
		{"a pause among the readings", []float64{0, 1, 1, 40, 41}, 1},
		{"a clock that was set back", []float64{10, 11, 5, 6}, 1},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, step(c.readings)) })
	}
}

func TestMeasure_tellsNoiseFromRoundingDown(t *testing.T) {
	loop := func(steps ...int) (readings []float64) {
		for i, n := range steps {
			for range n {
				readings = append(readings, float64(i))
			}
		}
		return readings
	}
	for _, c := range []struct {
		name  string
		walls []float64
		want  bool
	}{
		{"steps of one length", loop(3, 40, 41, 40, 39, 40, 40, 7), false},
		{"steps of all lengths", loop(3, 40, 12, 55, 39, 66, 21, 7), true},
		{"a loop that is held up once", loop(3, 40, 41, 9, 39, 40, 40, 7), false},
		{"too few steps", loop(3, 12, 55, 66), false},
		{"a loop that is hardly faster than the clock", loop(1, 2, 1, 3, 1, 1, 2, 1), false},
		{"nothing", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, Measure(ticks(c.walls, nil)).Noisy)
		})
	}
}

// The readings of Firefox 153 with privacy.resistFingerprinting, and an exchange
// across a line of no length.
func TestMeasure_tellsNoiseFromFewStepsOfACoarseClock(t *testing.T) {
	g := Measure(evidence.Exchanges{Walls: []float64{1586, 1603, 1620, 1636}, Turns: []int{3969, 23163, 13197}})
	assert.True(t, g.Noisy)
	at := func(wall float64) Reading { return Reading{Wall: wall} }
	v := Estimate([]Sample{{Before: at(1586), After: at(1586), Received: 1586, Sent: 1586}}, g)
	assert.InDelta(t, 0, v.Point, 0.01, "rounded up as often as down")
}

func TestEstimate_takesTheGrainFromTheSamplesIfNobodyMeasured(t *testing.T) {
	s := []Sample{taken(0, 0), taken(100, 0), taken(207, 0)}
	got := Grain{}.of(s)
	assert.Equal(t, 21+2., got.Wall, "and what Date.now() may have cut off")
	assert.Equal(t, 21., got.Mono)
	assert.Equal(t, Grain{1, 0.1, true}, Grain{1, 0.1, true}.of(s), "what was measured is better")
	assert.Equal(t, Grain{18, 16.5, false}, Grain{16, 16.5, false}.of(s))
	assert.Equal(t, Grain{coarsest + 2, coarsest, false}, Grain{math.NaN(), -1, false}.of(nil))
}

func TestVerdict_isReadableAsJSON(t *testing.T) {
	var s []Sample
	require.NoError(t, json.Unmarshal([]byte(`[{"before":{"wall":1000,"mono":0},"after":{"wall":1020,"mono":20},"received":10,"sent":10},{"before":{"wall":1030,"mono":30},"after":{"wall":1040,"mono":40},"replayed":true}]`), &s))
	v := Estimate(s, fine)
	v.Offset, v.Point = evidence.Offset{Lo: 990, Hi: 1010}, 1000
	got, err := json.Marshal(v)
	require.NoError(t, err)
	assert.JSONEq(t, `{"offset":{"lo":990,"hi":1010},"point":1000,"used":1,"rejected":[{"sample":1,"why":"replayed"}]}`, string(got))
}

func FuzzEstimate_neverPanicsAndKeepsItsOrder(f *testing.F) {
	seed, err := json.Marshal([]Sample{taken(0, 0), taken(100, 0), later(taken(200, 0), hour, 0), taken(300, 9000)})
	require.NoError(f, err)
	f.Add(seed, 1., 0.1, true)
	f.Add([]byte(`[{},{"replayed":true},{"rounded":-1}]`), 0., -1., false)
	f.Add([]byte(`[{"before":{"wall":8e15,"mono":-8e15},"received":-8e15},{"after":{"wall":-8e15,"mono":8e15},"sent":8e15}]`), 1e300, math.Inf(1), true)
	f.Fuzz(func(t *testing.T, data []byte, wall, mono float64, noisy bool) {
		var s []Sample
		if json.Unmarshal(data, &s) != nil {
			return
		}
		v := Estimate(s, Grain{wall, mono, noisy})
		assert.LessOrEqual(t, v.Offset.Lo, v.Point)
		assert.LessOrEqual(t, v.Point, v.Offset.Hi)
		assert.Equal(t, len(s), v.Used+len(v.Rejected), "every sample counts or is rejected")
		_, err := json.Marshal(v)
		assert.NoError(t, err, "all numbers are finite")
		assert.Equal(t, v, Estimate(s, Grain{wall, mono, noisy}))
	})
}
