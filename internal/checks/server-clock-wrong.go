package checks

import (
	"math"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// serverClockWrong finds a site whose own clock is off, by the operator's time
// servers or because many visitors' devices are off by the same (casebook 49: one
// minute, and no code of a phone was right). Nobody's own clock helps against that.
// It speaks only if all that the bounds leave lies outside.
//
// It is wrong where most visitors come from organisations that share a wrong time
// server, or the operator's own are wrong.
var serverClockWrong = diag.Check{
	ID:     "server-clock-wrong",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Clock.Server) },
	Run: func(e evidence.Evidence) diag.Outcome {
		switch e.Clock.Server.State {
		case evidence.OK:
		case evidence.Absent:
			return diag.Skip() // nobody knows, which is as it usually is
		default:
			return diag.Unknown(string(e.Clock.Server.State))
		}
		c := e.Clock.Server.Value
		off := math.Max(c.Lo, -c.Hi) // at least
		switch {
		case !(c.Lo <= c.Hi):
			return diag.Unknown(string(evidence.Broken))
		case off <= serverTolerance:
			return diag.Pass()
		}
		seconds := math.Round((c.Lo/2 + c.Hi/2) / 1000)
		direction, sureness := diag.Word("ahead"), diag.Maybe
		if seconds < 0 {
			direction = "behind"
		}
		if off > codeStep {
			if sureness = diag.Sure; c.By != "ntp" {
				sureness = diag.Likely
			}
		}
		return diag.Fail(sureness, "report-to-site", "contact-support").
			With(diag.Args{"offset": seconds, "size": diag.Seconds(math.Abs(seconds)), "direction": direction})
	},
}

// In milliseconds.
const (
	// serverTolerance is more than a server is ever off that something sets, and less
	// than the strictest use forgives: 15 s for DPoP at Keycloak 26.6.
	serverTolerance = 5_000
	// codeStep is from where on codes of phones are refused (RFC 6238: steps of 30 s).
	codeStep = 30_000
)
