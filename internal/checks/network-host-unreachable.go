package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// networkHostUnreachable finds hosts that the login needs and that cannot be reached
// from here, while our own server reaches them, baits for blockers come and this
// site answers: a name server, a firewall or a country's filter stands between.
// Which of them a page cannot tell.
//
// It is wrong where a blocker has no rule for our baits but one for the host.
// Source: Chromium 156 and Firefox 153 with names that do not resolve, refused,
// reset and silent connections, tried 2026-11.
var networkHostUnreachable = diag.Check{
	ID:     "network-host-unreachable",
	Impact: diag.Blocks,
	After:  []string{"network-offline", "network-captive-portal"},
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Network.Needs) },
	Uses:   needsFacts,
	Run: func(e evidence.Evidence) diag.Outcome {
		ts := troubles(e, parts, network)
		if len(ts) == 0 {
			return allTested(e, parts)
		}
		return diag.Fail(ts[0].sureness, "try-other-network", "pause-vpn", "ask-it-to-allow", "contact-support").With(ts[0].args(ts))
	},
}
