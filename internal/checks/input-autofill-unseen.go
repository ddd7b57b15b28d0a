package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// inputAutofillUnseen finds fields that the browser filled in and the page did
// not notice: they are empty to it, or its button is still off (casebook 72).
//
// It says nothing where the login server answered to what was sent, except that
// it was refused. It is wrong where a button is off for another reason.
var inputAutofillUnseen = diag.Check{
	ID:     "input-autofill-unseen",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Page.AutofillUnseen) },
	Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Host.Outcome) },
	Run: func(e evidence.Evidence) diag.Outcome {
		return typed(e.Page.AutofillUnseen, func() diag.Outcome {
			told := e.Host.Outcome
			if told.State == evidence.OK && told.Value != evidence.Unknown && told.Value != evidence.NoResponse && !refused(e) {
				return diag.Pass()
			}
			return diag.Fail(diag.Likely, "retype-credentials", "use-other-browser", "contact-support")
		})
	},
}
