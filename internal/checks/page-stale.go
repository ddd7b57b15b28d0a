package checks

import (
	"cmp"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// pageStale finds login pages that are older than the operator says their
// security token is good for, by the time that the site signed and the server's
// clock, or less surely by the device's. Pages that the browser brought back, by
// its Back button or with a tab, are old copies too, but most of them work: they
// count only where the login server's word fits.
//
// Without a limit from the operator no age is too old. It is wrong where
// the site renews its token by script.
// Source: casebook 23, 25, 26; Chrome keeps even no-store pages for Back.
var pageStale = diag.Check{
	ID:     "page-stale",
	Impact: diag.Slows,
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Page.Rendered, &e.Page.Age, &e.Page.MaxAge, &e.Page.Restored, &e.Page.Discarded, &e.Host.Outcome, &e.Run.Embedding)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		p := e.Page
		age, sureness := p.Rendered, diag.Sure
		if age.State != evidence.OK {
			age, sureness = p.Age, diag.Likely
		}
		limited := age.State == evidence.OK && p.MaxAge.State == evidence.OK
		if limited && coarse(age) > coarse(p.MaxAge) {
			return diag.Fail(sureness, anew...).With(diag.Args{"age": diag.Seconds(coarse(age) / 1000)})
		}
		reason := ""
		switch {
		case !p.Restored.Known():
			return diag.Unknown(cmp.Or(string(p.Restored.State), "unasked"))
		case p.Restored.State == evidence.Absent && evidence.Is(e.Run.Embedding, evidence.Top):
			return diag.Skip() // our own page
		case evidence.Is(p.Discarded, true):
			reason = "discarded"
		case evidence.Is(p.Restored, true):
			reason = "restored"
		default:
			return diag.Pass()
		}
		switch told := e.Host.Outcome; {
		case evidence.Is(told, evidence.SessionLost):
			return diag.Fail(diag.Likely, anew...).With(diag.Args{"reason": reason})
		case told.State == evidence.OK && told.Value != evidence.Unknown && told.Value != evidence.SSOFailed && told.Value != evidence.NoResponse && told.Value != evidence.ServerError,
			limited && sureness == diag.Sure:
			return diag.Pass()
		}
		return diag.Fail(diag.Maybe, anew...).With(diag.Args{"reason": reason})
	},
}

// anew are the ways to a fresh login page.
var anew = []string{"reload-page", "start-sign-in-again", "contact-support"}

// coarse is the length of time as a report tells it, in milliseconds, so that
// whoever reads the report comes to the same finding.
func coarse(f evidence.Fact[evidence.Milliseconds]) evidence.Milliseconds {
	return f.Value.Coarse().(evidence.Milliseconds)
}
