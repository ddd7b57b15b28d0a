package checks

import (
	"cmp"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// networkLocalAccess finds that the browser does not let this site reach an address
// in the local network, where the login needs one: Chrome asks for that since
// version 142, and a frame in the background cannot be asked in. Only the
// permission is read; the address itself is never touched, for that would bring
// up the question.
//
// It is wrong, and says so, where the permission was not asked for yet.
// Source: WICG local-network-access issues 77 and 110; Chromium 156, tried 2026-11.
var networkLocalAccess = diag.Check{
	ID:     "network-local-access",
	Impact: diag.Blocks,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Network.Needs) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Network.Local, &e.Host.Outcome)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		if e.Network.Needs.State != evidence.OK {
			return diag.Unknown(string(e.Network.Needs.State))
		}
		ns, local := privates(e), e.Network.Local
		if len(ns) == 0 || local.State == evidence.Absent {
			return diag.Pass()
		}
		out := func(s diag.Sureness) diag.Outcome {
			return diag.Fail(s, "allow-local-network", "contact-administrator", "contact-support").
				With(diag.Args{"purpose": ns[0].Purpose, "part": ns[0].Host})
		}
		failed := evidence.Is(e.Host.Outcome, evidence.SSOFailed) || stuck(e)
		switch {
		case evidence.Is(local, "denied"):
			return out(diag.Sure)
		case evidence.Is(local, "prompt") && failed:
			return out(diag.Maybe)
		case local.State == evidence.OK:
			return diag.Pass()
		}
		return diag.Unknown(cmp.Or(string(local.State), "unasked"))
	},
}

// privates are the needs at addresses that the public network does not reach.
func privates(e evidence.Evidence) []evidence.Need {
	var out []evidence.Need
	for _, n := range e.Network.Needs.Value {
		if n.Private {
			out = append(out, n)
		}
	}
	return out
}
