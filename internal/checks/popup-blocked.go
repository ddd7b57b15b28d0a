package checks

import (
	"cmp"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// popupBlocked finds browsers that open no window even in a click, where the login
// opens one. Without a click all of them refuse, so it is tried in the click on
// "Check again".
//
// It is wrong nowhere that we know of. That Chromium opens windows in a click
// whatever its setting says is so (156, tried 2026-11).
var popupBlocked = diag.Check{
	ID:     "popup-blocked",
	Impact: diag.Blocks,
	// An app's view opens none.
	After: []string{"browser-embedded-view"},
	Uses:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Script.Popups) },
	Run: func(e evidence.Evidence) diag.Outcome {
		switch p := e.Script.Popups; {
		case p.State == evidence.Absent, evidence.Is(p, true):
			return diag.Pass()
		case evidence.Is(p, false):
			return diag.Fail(diag.Sure, "allow-popups", "use-other-browser", "contact-support")
		case p.State == evidence.Unasked && e.Run.Tier != "" && e.Run.Tier != evidence.HTML:
			return diag.Unknown("click")
		default:
			return diag.Unknown(cmp.Or(string(p.State), "unasked"))
		}
	},
}
