package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// clockWrong finds devices whose clock is further off than what the login uses
// forgives. It speaks only if the whole interval of the measurement lies outside,
// and against the true time where the server's clock is known to be off. What
// looks like a wrong time zone is clock-time-zone.
//
// It is wrong when the server's own clock is off and nobody knows. It says
// nothing about the phone that makes one-time codes.
var clockWrong = diag.Check{
	ID:     "clock-wrong",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Clock.Offset) },
	Uses:   clockFacts,
	// One that is set while we look is wrong by whatever it was set to.
	After: []string{"clock-unstable"},
	Run: func(e evidence.Evidence) diag.Outcome {
		o, why := measured(e.Clock)
		t, bad := exceeded(e.Clock, o)
		switch {
		case why != "":
			return diag.Unknown(why)
		case !bad:
			return diag.Pass()
		case zoneShift(o) != 0:
			return diag.Skip()
		}
		args := deviceOff(e.Clock)
		if t.Use != "" {
			args["use"] = t.Use
		}
		return diag.Fail(diag.Sure, setClock...).With(args)
	},
}

// setClock are the ways to a right clock. What IT set, IT has to change.
var setClock = []string{"set-clock-automatically", "ask-it-to-set-clock", "use-other-device"}
