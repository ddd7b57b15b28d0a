package checks

import (
	"cmp"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// networkRewritten finds that something between our server and the page changes
// what is sent: a page of which every byte is known arrives with others, or under
// another content type. That it arrives unpacked is a sign only beside others,
// for an operator's own machines may do that.
//
// It is wrong where an extension changes what the page's scripts read.
// Source: mitmproxy 8.1 as rewriter, Chromium 156, tried 2026-11.
var networkRewritten = diag.Check{
	ID:     "network-rewritten",
	Impact: diag.Slows,
	After:  []string{"network-offline", "network-captive-portal"},
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Network.Sample) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Network.Proxies, &e.Network.Echoes)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		s := e.Network.Sample
		fixes := []string{"try-other-network", "pause-extensions", "ask-it-to-allow", "contact-support"}
		switch {
		case ownFails(e):
			return diag.Pass() // somebody else answers, or nobody
		case s.State != evidence.OK:
			return diag.Unknown(cmp.Or(string(s.State), "unasked"))
		case !s.Value.Same:
			return diag.Fail(diag.Sure, fixes...)
		case s.Value.Type != "text/html":
			return diag.Fail(diag.Sure, fixes...).With(diag.Args{"reason": "type"})
		case s.Value.Unpacked && len(e.Network.Proxies.Value) > 0:
			return diag.Fail(diag.Maybe, fixes...).With(diag.Args{"reason": "unpacked"})
		}
		return diag.Pass()
	},
}
