package evidence

import "encoding/json"

// Clock is about clocks: this device's, that of the phone that makes codes, and
// the server's own.
type Clock struct {
	// Exchanges are what package clock concludes Offset and Course from. They are
	// as fine as the device's clocks, so they stay where they are judged.
	Exchanges Fact[Exchanges] `json:"exchanges,omitzero" send:"no"`
	// Offset is the device's time less the server's.
	Offset Fact[Offset] `json:"offset,omitzero" send:"coarse"`
	// Course is how the measurement went, and what the clock did meanwhile.
	Course Fact[Course] `json:"course,omitzero" send:"coarse"`
	// Tolerances are how far off what the login uses lets the device's clock be;
	// unasked if no operator said what it uses.
	Tolerances Fact[Tolerances] `json:"tolerances,omitzero" send:"yes"`
	// Server is what is known of the server's own clock.
	Server Fact[ServerClock] `json:"server,omitzero" send:"yes"`
	// Phone is the time of the phone that makes codes less the server's, from that
	// phone itself.
	Phone Fact[Offset] `json:"phone,omitzero" send:"coarse"`
}

// Reading is what the two clocks of a device showed, read one right after the
// other, in milliseconds.
type Reading struct {
	Wall float64 `json:"wall"` // Date.now(), which anybody may set
	Mono float64 `json:"mono"` // performance.now(), which nobody sets but which may stop while the device sleeps
}

// Exchange is one exchange with the server. Times are in milliseconds.
type Exchange struct {
	Before Reading `json:"before"` // just before the request left
	After  Reading `json:"after"`  // as soon as the answer was there
	// Received and Sent are when the server got the request and when it wrote
	// the answer, by its clock.
	Received float64 `json:"received"`
	Sent     float64 `json:"sent"`
	// Rounded is down to multiples of how much the server's stamps were
	// rounded; zero if to less than a thousandth.
	Rounded float64 `json:"rounded,omitempty"`
	// Replayed is whether the answer came without the nonce of the request, so
	// that nobody knows when it was written.
	Replayed bool `json:"replayed,omitempty"`
}

// Exchanges are exchanges in the order in which they were taken.
type Exchanges struct {
	List []Exchange `json:"list"`
	// Last is what the clocks show when all is over.
	Last Reading `json:"last,omitzero"`
	// Walls and Monos are what the clocks showed while a loop read them without
	// a pause, each change once, and Turns how often the loop came by before
	// each change of the wall clock: they tell how coarse the clocks are.
	Walls []float64 `json:"walls,omitempty"`
	Turns []int     `json:"turns,omitempty"`
	Monos []float64 `json:"monos,omitempty"`
}

// MaxExchanges is how many exchanges are kept: a look takes half as many.
const MaxExchanges = 16

// UnmarshalJSON keeps the newest exchanges, and as many readings as measuring
// takes: all come from a browser.
func (s *Exchanges) UnmarshalJSON(data []byte) error {
	type plain Exchanges
	var in plain
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	in.List = in.List[max(0, len(in.List)-MaxExchanges):]
	in.Walls, in.Turns, in.Monos = in.Walls[:min(len(in.Walls), 64)], in.Turns[:min(len(in.Turns), 64)], in.Monos[:min(len(in.Monos), 64)]
	*s = Exchanges(in)
	return nil
}

// Course is how looking at the clock went.
type Course struct {
	// Point is the best single number for the offset.
	Point Milliseconds `json:"point"`
	// Used and Rejected count exchanges, the latter by the reason.
	Used     int            `json:"used"`
	Rejected map[string]int `json:"rejected,omitempty"`
	// Step is by how much the clock was set while we looked: positive is forward.
	Step Milliseconds `json:"step,omitempty"`
	// Sleep is how long the device slept meanwhile, as far as it shows.
	Sleep Milliseconds `json:"sleep,omitempty"`
	// Inconsistent is whether no offset agrees with all exchanges.
	Inconsistent bool `json:"inconsistent,omitempty"`
}

// Coarse rounds the times to whole seconds.
func (c Course) Coarse() any {
	for _, m := range []*Milliseconds{&c.Point, &c.Step, &c.Sleep} {
		*m = m.Coarse().(Milliseconds)
	}
	return c
}

// Tolerance is how far one use lets the device's clock be off; 0 is any length.
type Tolerance struct {
	// Use is an id of package clock's table.
	Use    string       `json:"use"`
	Ahead  Milliseconds `json:"ahead,omitempty"`
	Behind Milliseconds `json:"behind,omitempty"`
}

// Tolerances are those of everything that the login uses.
type Tolerances []Tolerance

// maxTolerances is more than there are uses.
const maxTolerances = 16

// UnmarshalJSON keeps as many as there can be.
func (t *Tolerances) UnmarshalJSON(data []byte) error {
	var in []Tolerance
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*t = in[:min(len(in), maxTolerances)]
	for i := range *t {
		(*t)[i].Use = clip((*t)[i].Use, valueLimit)
	}
	return nil
}

// ServerClock is how far the server's clock is off: its time less the true one is
// between Lo and Hi, in milliseconds.
type ServerClock struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
	// By is who says so: ntp, or crowd for many visitors that agree.
	By string `json:"by"`
	// Voices is how many time servers or visitors.
	Voices int `json:"voices"`
}
