package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// clockTimeZone finds clocks that are off by what time zones, or summer time, differ
// by: people set the hands right by hand where the zone is wrong, and then every
// program takes the time for another one. That the clock is off is certain, that
// this is why is likely: 4 minutes in 15 lie as near to such a multiple.
//
// Source: casebook 45; time zones of the tz database, 2026: all are multiples
// of 15 minutes from UTC, at most 14 hours.
var clockTimeZone = diag.Check{
	ID:     "clock-time-zone",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Clock.Offset) },
	Uses:   clockFacts,
	After:  []string{"clock-unstable"},
	Run: func(e evidence.Evidence) diag.Outcome {
		o, why := measured(e.Clock)
		shift := zoneShift(o)
		_, bad := exceeded(e.Clock, o)
		switch {
		case why != "":
			return diag.Unknown(why)
		case !bad || shift == 0:
			return diag.Pass()
		}
		args := deviceOff(e.Clock)
		args["size"] = diag.Seconds(max(shift, -shift) * 60)
		return diag.Fail(diag.Likely, append([]string{"set-time-zone"}, setClock...)...).With(args)
	},
}
