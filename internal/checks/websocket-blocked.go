package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// websocketBlocked finds live connections that do not open, or event streams that
// keep silent, while usual requests to the same host work and our own server
// gets through: proxies and programs that open what is encrypted break them
// (casebook 66), and proxies that gather an answer before they pass it on hold
// streams back.
//
// It is wrong where the endpoint takes nobody who is not signed in: name one that
// does.
// Source: RFC 6455; nginx without an Upgrade header and with buffering, mitmproxy,
// Chromium 156, tried 2026-11.
var websocketBlocked = diag.Check{
	ID:     "websocket-blocked",
	Impact: diag.Blocks,
	After:  []string{"network-offline", "network-captive-portal"},
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Network.Needs) },
	Uses:   needsFacts,
	Run: func(e evidence.Evidence) diag.Outcome {
		ts := troubles(e, lines, browser, network, unclear)
		if len(ts) == 0 {
			return allTested(e, lines)
		}
		t := ts[0]
		sureness := diag.Maybe
		if t.There == evidence.Yes {
			sureness = diag.Likely
		}
		args := t.args(ts)
		delete(args, "reason")
		if t.Kind == "stream" {
			args["reason"] = "stream"
		}
		fixes := []string{"ask-it-to-allow", "try-other-network", "pause-vpn", "contact-support"}
		if t.who == browser {
			fixes = append([]string{"allow-scripts"}, fixes...)
		}
		return diag.Fail(sureness, fixes...).With(args)
	},
}
