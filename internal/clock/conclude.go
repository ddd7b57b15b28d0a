package clock

import "latchkey/internal/evidence"

// Conclude fills in what the exchanges that were taken say of the device's
// clock. Where there are none it says why, and where nobody tried it changes
// nothing.
func Conclude(c *evidence.Clock) {
	switch {
	case c.Exchanges.State == evidence.Unasked:
		return
	case c.Exchanges.State != evidence.OK:
		c.Offset = evidence.Fact[evidence.Offset]{State: c.Exchanges.State, Note: c.Exchanges.Note}
		return
	}
	x := c.Exchanges.Value
	v := Estimate(x.List, Measure(x))
	course := evidence.Course{
		Point: evidence.Milliseconds(v.Point), Used: v.Used,
		Step: evidence.Milliseconds(v.Step), Sleep: evidence.Milliseconds(v.Sleep), Inconsistent: v.Inconsistent,
	}
	for _, r := range v.Rejected {
		if course.Rejected == nil {
			course.Rejected = map[string]int{}
		}
		course.Rejected[string(r.Why)]++
	}
	c.Course = evidence.Saw(course)
	c.Offset = evidence.Fact[evidence.Offset]{State: evidence.Broken, Note: "no exchange to go by"}
	if v.Known() {
		c.Offset = evidence.Saw(v.Offset)
	}
}
