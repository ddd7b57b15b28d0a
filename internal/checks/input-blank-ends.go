package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// inputBlankEnds finds a user name that begins or ends with a blank, which
// keyboards of phones and the clipboard add (casebook 71).
//
// Many sites cut it off, so it is likely only where the login server refused
// what was typed. Fields of the type email never have one.
var inputBlankEnds = diag.Check{
	ID:     "input-blank-ends",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Page.BlankEnds) },
	Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Host.Outcome) },
	Run: func(e evidence.Evidence) diag.Outcome {
		return typed(e.Page.BlankEnds, func() diag.Outcome {
			sureness := diag.Maybe
			if refused(e) {
				sureness = diag.Likely
			}
			return diag.Fail(sureness, "retype-credentials", "contact-support")
		})
	},
}
