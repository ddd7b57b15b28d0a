package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// javascriptOff finds browsers that run no script at all: they followed the
// redirect that stands in a noscript element.
//
// It is wrong nowhere that we know of. It misses browsers in which only some
// scripts are stopped, such as NoScript's, which lets inline scripts run.
// Source: Chromium 156, Firefox 153, WebKitGTK 2.50, tried 2026-11.
var javascriptOff = diag.Check{
	ID:     "javascript-off",
	Impact: diag.Blocks,
	// An app's view has no such setting; the way out of it is the way out of this.
	After: []string{"browser-embedded-view"},
	Needs: func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Script.Runs) },
	Run: func(e evidence.Evidence) diag.Outcome {
		switch runs := e.Script.Runs; {
		case evidence.Is(runs, true):
			return diag.Pass()
		case evidence.Is(runs, false):
			return diag.Fail(diag.Sure, "turn-on-javascript", "use-other-browser", "contact-support")
		default:
			return diag.Unknown(string(runs.State))
		}
	},
}
