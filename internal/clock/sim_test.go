package clock

import (
	"math"
	"math/rand/v2"

	"latchkey/internal/evidence"
)

type (
	Reading = evidence.Reading
	Sample  = evidence.Exchange
)

// epoch is when simulations begin, by the server's clock.
const epoch = 1_764_000_000_000

// path is a kind of way between a device and the server, with what may happen
// to the device meanwhile.
type path struct {
	name string
	way  func(r *rand.Rand) (forward, back float64)
	// grain is how the clocks truly are; Date.now() then cuts to whole
	// milliseconds.
	grain Grain
	drift float64
	slew  float64 // of the wall clock alone
	event func(r *rand.Rand) event
	pause float64 // the most by which the page is held up between two readings
	half  bool    // whether to be at most half as far off as the better library
}

// event happens to a device while an exchange is under way.
type event struct {
	Exchange int     `json:"exchange"`
	At       float64 `json:"at"`    // what part of the exchange is over
	Step     float64 `json:"step"`  // the wall clock is set forward by it
	Sleep    float64 `json:"sleep"` // the device sleeps so long
	Stops    bool    `json:"stops"` // the monotonic clock with it
}

// exchange is how long everything takes.
type exchange struct {
	Forward float64 `json:"forward"`
	Server  float64 `json:"server"`
	Back    float64 `json:"back"`
	Late    float64 `json:"late"`  // the timer before it
	Pause   float64 `json:"pause"` // between the two readings
}

// run is one device that looks at its clock, all drawn beforehand so that every
// program meets the same.
type run struct {
	Offset    float64    `json:"offset"` // at the beginning
	Drift     float64    `json:"drift"`
	Slew      float64    `json:"slew"`
	Grain     Grain      `json:"grain"`
	Noise     float64    `json:"noise"` // 0 for none
	Exchanges []exchange `json:"exchanges"`
	Event     event      `json:"event"`
}

var (
	plain    = Grain{0.1, 0.1, false}
	chromium = Grain{0.1, 0.1, true}
	firefox  = Grain{1, 1, true}
	even     = Grain{50. / 3, 50. / 3, false} // as coarse, without noise
	shielded = Grain{50. / 3, 50. / 3, true}  // Firefox with resistFingerprinting, which adds noise as well
)

func fixed(forward, back float64) func(*rand.Rand) (float64, float64) {
	return func(*rand.Rand) (float64, float64) { return forward, back }
}

func loopback(r *rand.Rand) (forward, back float64) {
	return 0.1 + r.ExpFloat64()*0.15, 0.1 + r.ExpFloat64()*0.15
}

func jittery(r *rand.Rand) (forward, back float64) {
	return 75 * (0.8 + 0.4*r.Float64()), 75 * (0.8 + 0.4*r.Float64())
}

// lossy is a way on which 3 % of the packets are sent again, after 200 ms to 1 s.
func lossy(r *rand.Rand) (forward, back float64) {
	again := func() float64 {
		if r.Float64() < 0.03 {
			return 200 + 800*r.Float64()
		}
		return 0
	}
	return 75 + again(), 75 + again()
}

// queued is slow in one direction because others fill a queue there.
func queued(r *rand.Rand) (forward, back float64) { return 20, 20 + 260*r.Float64() }

func stepped(sizes ...float64) func(*rand.Rand) event {
	return func(r *rand.Rand) event {
		size := sizes[r.IntN(len(sizes))]
		return event{Exchange: 2, At: r.Float64(), Step: size}
	}
}

func asleepFor(least, most float64, stops bool) func(*rand.Rand) event {
	return func(r *rand.Rand) event {
		return event{Exchange: 2, At: r.Float64(), Sleep: least + (most-least)*r.Float64(), Stops: stops}
	}
}

const hour = 3_600_000

// paths are those of the proof.
var paths = []path{
	{name: "loopback", way: loopback, grain: chromium},
	{name: "150 ms", way: fixed(75, 75), grain: chromium},
	{name: "150 ms, 20 % jitter", way: jittery, grain: chromium},
	{name: "asymmetric, 20/280 ms", way: fixed(20, 280), grain: chromium, half: true},
	{name: "asymmetric, 20 ms and a queue of 20 to 280 ms", way: queued, grain: chromium, half: true},
	{name: "150 ms, 3 % loss", way: lossy, grain: chromium},
	{name: "150 ms, set by an hour in mid-exchange", way: fixed(75, 75), grain: chromium, event: stepped(hour, -hour), half: true},
	{name: "150 ms, 20 % jitter, set by an hour in mid-exchange", way: jittery, grain: chromium, event: stepped(hour, -hour), half: true},
	{name: "150 ms, sleep that stops performance.now()", way: fixed(75, 75), grain: chromium, event: asleepFor(5_000, hour, true)},
	{name: "150 ms, sleep that does not", way: fixed(75, 75), grain: chromium, event: asleepFor(5_000, hour, false)},
	{name: "loopback, timers of 1 ms (Firefox)", way: loopback, grain: firefox},
	{name: "loopback, timers of 16.67 ms (Firefox, shielded)", way: loopback, grain: shielded},
	{name: "150 ms, 20 % jitter, timers of 16.67 ms", way: jittery, grain: shielded},
	{name: "150 ms, 100 ppm of drift", way: fixed(75, 75), grain: chromium, drift: 100e-6},
}

// harder are for the bound alone.
var harder = []path{
	{name: "loopback, timers of 16.67 ms without noise", way: loopback, grain: even},
	{name: "loopback, timers of 0.1 ms without noise, 100 ppm", way: loopback, grain: plain, drift: -100e-6},
	{name: "loopback, a page that is held up", way: loopback, grain: chromium, pause: 70},
	{name: "loopback, a clock that is pulled right by 20 ms/s", way: loopback, grain: firefox, slew: 0.02},
	{name: "loopback, a clock that is pulled back by 20 ms/s", way: loopback, grain: chromium, slew: -0.02},
	{name: "all in one direction, set by little", way: fixed(0.1, 150), grain: chromium, event: stepped(1, -1, 3, -3, 20, -20, 45, -45, 70, -70)},
	{name: "all in the other direction, set by little", way: fixed(150, 0.1), grain: firefox, event: stepped(1, -1, 3, -3, 20, -20, 45, -45, 70, -70)},
	{name: "all in one direction, 16.67 ms, set by little", way: fixed(0.1, 90), grain: shielded, event: stepped(1, -1, 20, -20, 45, -45, 70, -70, 130, -130)},
	{name: "loopback, sleep that stops nothing, 100 ppm", way: loopback, grain: chromium, drift: 100e-6, event: asleepFor(5_000, 10*hour, false)},
	{name: "set at any time", way: jittery, grain: chromium, event: func(r *rand.Rand) event {
		return event{Exchange: r.IntN(9), At: 1.5*r.Float64() - 0.2, Step: (2*r.Float64() - 1) * hour}
	}},
	{name: "sleep at any time", way: jittery, grain: chromium, event: func(r *rand.Rand) event {
		return event{Exchange: r.IntN(9), At: 1.5*r.Float64() - 0.2, Sleep: r.Float64() * hour, Stops: r.IntN(2) == 0}
	}},
}

// draw makes one run of a path.
func (p path) draw(r *rand.Rand) run {
	out := run{Offset: (2*r.Float64() - 1) * 600_000, Drift: p.drift, Slew: p.slew, Grain: p.grain, Event: event{Exchange: -1}}
	if p.grain.Noisy {
		out.Noise = 1 + 100*r.Float64()
	}
	if p.event != nil {
		out.Event = p.event(r)
	}
	for i := range most {
		e := exchange{Server: 0.05 + r.ExpFloat64()*0.2, Late: r.ExpFloat64(), Pause: 0.005}
		e.Forward, e.Back = p.way(r)
		if i == 0 { // two round trips to open the connection
			e.Forward += 2*(e.Forward+e.Back) + 5
		}
		if p.pause > 0 && r.IntN(4) == 0 {
			e.Pause = p.pause * r.Float64()
		}
		out.Exchanges = append(out.Exchanges, e)
	}
	return out
}

// device has the clocks of a run. Times are true ones, since the beginning.
type device struct {
	run
	at float64 // when the event happens, once that is known
}

func (r run) device() *device { return &device{run: r, at: math.Inf(1)} }

// ahead is the truth.
func (d *device) ahead(t float64) float64 {
	ahead := d.Offset + (d.Drift+d.Slew)*t
	if t >= d.at {
		ahead += d.Event.Step
	}
	return ahead
}

func (d *device) mono(t float64) float64 {
	if d.Event.Stops && t > d.at {
		t -= math.Min(d.Event.Sleep, t-d.at)
	}
	return d.shown(1234.5678+t*(1+d.Drift), d.Grain.Mono)
}

func (d *device) wall(t float64) float64 {
	return math.Floor(d.shown(epoch+t+d.ahead(t), d.Grain.Wall))
}

// shown rounds down, or with noise up from a place that differs from step to
// step of the grid, as Chromium and Firefox do.
func (d *device) shown(x, grain float64) float64 {
	k := math.Floor(x / grain)
	if d.Noise > 0 {
		if _, place := math.Modf(math.Abs(math.Sin(k*0.7+d.Noise)) * 1000); x/grain-k >= place {
			k++
		}
	}
	return k * grain
}

// awake is when a device that may sleep notices what happens at t.
func (d *device) awake(t float64) float64 {
	if t >= d.at && t < d.at+d.Event.Sleep {
		return d.at + d.Event.Sleep
	}
	return t
}

// stamp is the server's clock.
func stamp(t float64) float64 { return math.Floor((epoch+t)*1000) / 1000 }

// How the browser asks: one exchange after the other, and no new one after 2 s. What takes longer than that all by itself, as a sleep does, does not
// count: the device then has to look anew.
const (
	most   = 16 // which a run has drawn
	apart  = 80
	within = 2000
)

// look takes the samples of a run, and tells the truth at its end.
func (r run) look() (samples []Sample, truth float64) { return r.ask(most, within) }

func (r run) ask(most int, within float64) (samples []Sample, truth float64) {
	d := r.device()
	t, spent := 0., 0.
	for i, e := range r.Exchanges[:most] {
		read := func() Reading {
			w := d.wall(t)
			t += e.Pause
			truth = d.ahead(t)
			return Reading{Wall: w, Mono: d.mono(t)}
		}
		begun := t
		s := Sample{Before: read()}
		if took := e.Forward + e.Server + e.Back; i == d.Event.Exchange {
			d.at = t + d.Event.At*took
		}
		s.Received = stamp(t + e.Forward)
		s.Sent = stamp(t + e.Forward + e.Server)
		t = d.awake(t + e.Forward + e.Server + e.Back)
		s.After = read()
		samples = append(samples, s)
		t = d.awake(t + apart + e.Late)
		if took := t - begun; took < within {
			spent += took
		}
		if spent > within {
			break
		}
	}
	return samples, truth
}

// measured is what the device finds out about its clocks by [Measure].
func (r run) measured() Grain {
	d := r.device()
	d.Event.Stops = false
	loop := func(clock func(float64) float64, grain float64) (readings []float64) {
		for i := range int(min(210, 60*30/grain)) { // seven steps, but no more than 60 ms
			readings = append(readings, clock(float64(i)*grain/30))
		}
		return readings
	}
	return Measure(ticks(loop(d.wall, max(d.Grain.Wall, 1)), loop(d.mono, d.Grain.Mono)))
}

// ticks is what the browser's loop makes of its readings.
func ticks(walls, monos []float64) evidence.Exchanges {
	changes := func(readings []float64) (values []float64, turns []int) {
		n := 0
		for i, r := range readings {
			if i == 0 {
				values = append(values, r)
			} else if n++; r != readings[i-1] {
				values, turns = append(values, r), append(turns, n)
				n = 0
			}
		}
		return values, turns
	}
	var x evidence.Exchanges
	x.Walls, x.Turns = changes(walls)
	x.Monos, _ = changes(monos)
	return x
}
