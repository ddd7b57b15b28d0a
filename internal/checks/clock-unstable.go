package checks

import (
	"math"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// clockUnstable finds clocks that are set while we look: by a person, by a program
// beside the system's own, or by a virtual machine. A clock that is set right is no
// fault, whoever does it: neither a person who follows our advice nor a time
// service.
//
// It is wrong where the page was held up for more than a second between its two
// readings. A sleep is no step, but where nothing was heard of the server before
// it looks like one.
// Source: the difference of Date.now() and performance.now() tells steps of 2 s
// to 5 min to 3 ms in Chromium 156 and Firefox 153 (seen 2026-11).
var clockUnstable = diag.Check{
	ID:     "clock-unstable",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Clock.Offset) },
	Uses:   clockFacts,
	Run: func(e evidence.Evidence) diag.Outcome {
		switch {
		case e.Clock.Course.State == evidence.OK:
		case e.Clock.Offset.State == evidence.OK:
			return diag.Skip() // somebody tells the offset alone
		default:
			return diag.Unknown(string(e.Clock.Offset.State))
		}
		step := float64(e.Clock.Course.Value.Coarse().(evidence.Course).Step)
		if math.Abs(step) < leastStep || corrected(e.Clock, step) {
			return diag.Pass()
		}
		direction := diag.Word("forward")
		if step < 0 {
			direction = "back"
		}
		return diag.Fail(diag.Sure, setClock...).
			With(diag.Args{"step": step / 1000, "size": diag.Seconds(math.Abs(step / 1000)), "direction": direction})
	},
}

// leastStep is in milliseconds. Less is a slip between two readings.
const leastStep = 1000

// corrected is whether a step has brought the clock nearer to the right time, and
// within what is forgiven.
func corrected(c evidence.Clock, step float64) bool {
	if c.Offset.State != evidence.OK {
		return false
	}
	now := ahead(c)
	_, bad := exceeded(c, now)
	return !bad && math.Abs(now.Mid()) < math.Abs(now.Mid()-step)
}
