package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// networkAddressChanges finds visits that came from more than one address, as
// with a VPN that connects anew, a relay, or a phone between Wi-Fi and mobile data.
// Sites that bind a session to one address end it then. Where the login server says
// that the session was lost, or that single sign-on failed, it is the likely cause.
//
// A line that has IPv4 and IPv6 uses both by turns, which is nobody's fault: that
// counts only where the login server's word fits (the reason "family").
// It is wrong where the site does not mind the address, and where it sees another
// one than we do, from behind a proxy that we are not told of.
// Source: casebook 64.
var networkAddressChanges = diag.Check{
	ID:     "network-address-changes",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Network.Moves) },
	Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Host.Outcome) },
	Run: func(e evidence.Evidence) diag.Outcome {
		moves, told := e.Network.Moves, e.Host.Outcome
		lost := evidence.Is(told, evidence.SessionLost) || evidence.Is(told, evidence.SSOFailed)
		sureness, args := diag.Maybe, diag.Args{}
		if lost {
			sureness = diag.Likely // what the login server said folds under it
		}
		switch {
		case moves.State == evidence.Absent:
			return diag.Unknown("unasked") // one request tells of no change
		case moves.State != evidence.OK:
			return diag.Unknown(string(moves.State))
		case !moves.Value.Changed, moves.Value.Family && !lost:
			return diag.Pass()
		case moves.Value.Family:
			args["reason"] = "family"
		}
		return diag.Fail(sureness, "pause-vpn", "try-other-network", "start-sign-in-again", "contact-support").With(args)
	},
}
