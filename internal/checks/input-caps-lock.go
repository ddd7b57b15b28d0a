package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// inputCapsLock finds Caps Lock on while a person types or moves the mouse in
// the login page. It cannot know whether it was on when the password was
// typed, hence likely.
//
// Before the first such event it has nothing to look at. Screen keyboards of
// phones always say no.
var inputCapsLock = diag.Check{
	ID:     "input-caps-lock",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Page.CapsLock) },
	Run: func(e evidence.Evidence) diag.Outcome {
		return typed(e.Page.CapsLock, func() diag.Outcome {
			return diag.Fail(diag.Likely, "check-caps-lock", "retype-credentials", "contact-support")
		})
	},
}

// typed judges a yes or no about the login form. Where there is no form, or
// nothing was typed yet, there is nothing to look at.
func typed(f evidence.Fact[bool], bad func() diag.Outcome) diag.Outcome {
	switch {
	case f.State == evidence.Absent:
		return diag.Skip()
	case f.State != evidence.OK:
		return diag.Unknown(string(f.State))
	case !f.Value:
		return diag.Pass()
	}
	return bad()
}

// refused is whether the login server said of what was typed that it does not
// fit.
func refused(e evidence.Evidence) bool {
	return evidence.Is(e.Host.Outcome, evidence.InvalidCredentials) || evidence.Is(e.Host.Outcome, evidence.NotRegistered)
}
