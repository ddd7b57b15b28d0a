package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// networkCaptivePortal finds that somebody else answers in our server's place: with
// a page that does not hold what we asked with, or by sending us elsewhere, which
// our server never does. A network that wants a sign-in of its own does that.
// Over https a browser refuses such answers, so there it can be told only by
// those whose certificate it trusts.
//
// It is wrong where a filter on the way does the same for this site alone.
// Source: tailscale net/captivedetection; Chromium 156, tried 2026-11.
var networkCaptivePortal = diag.Check{
	ID:     "network-captive-portal",
	Impact: diag.Blocks,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Network.Echoes) },
	Run: func(e evidence.Evidence) diag.Outcome {
		n := e.Network.Echoes
		switch {
		case n.State != evidence.OK:
			return diag.Unknown(string(n.State))
		case n.Value.Foreign == 0:
			return diag.Pass()
		}
		return diag.Fail(diag.Likely, "sign-in-to-portal-network", "try-other-network", "ask-it-to-allow", "contact-support")
	},
}
