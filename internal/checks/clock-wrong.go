package checks

import (
	"math"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// clockWrong finds devices whose clock is off by more than a minute, the least
// that common sign-in software forgives (auth0.js and lock: 60 s, their pull
// requests 1062 and 1770). It speaks only if the whole interval of the
// measurement lies outside. It looks at the interval in whole seconds, as a
// report tells it, so that whoever reads the report comes to the same finding.
//
// It is wrong when the server's own clock is off; a later check compares many
// people. It says nothing about the phone that makes one-time codes.
var clockWrong = diag.Check{
	ID:     "clock-wrong",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Clock.Offset) },
	Run: func(e evidence.Evidence) diag.Outcome {
		if e.Clock.Offset.State != evidence.OK {
			return diag.Unknown(string(e.Clock.Offset.State))
		}
		o := e.Clock.Offset.Value.Coarse().(evidence.Offset)
		switch {
		case o.Lo > o.Hi:
			return diag.Unknown(string(evidence.Broken))
		case o.Lo < clockTolerance && o.Hi > -clockTolerance:
			return diag.Pass()
		}
		seconds := o.Mid() / 1000
		direction := diag.Word("ahead")
		if seconds < 0 {
			direction = "behind"
		}
		return diag.Fail(diag.Sure, "set-clock-automatically", "contact-administrator").
			With(diag.Args{"offset": seconds, "size": diag.Seconds(math.Abs(seconds)), "direction": direction})
	},
}

// clockTolerance is in milliseconds.
const clockTolerance = 60_000
