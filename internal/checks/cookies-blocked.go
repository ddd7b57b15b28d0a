package checks

import (
	"cmp"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// cookiesBlocked finds browsers that keep no cookies of the login site: a
// cookie that the server set does not come back to it, nor does one that a
// script wrote. What navigator.cookieEnabled says is believed only when it is
// false.
//
// A cookie that scripts can keep but the server does not see is cookies-vanish.
// It is wrong when an extension lets our cookie through and strips only the
// session cookie; session-lost covers that.
// Source: Chromium 156, Firefox 153, WebKitGTK 2.50, tried 2026-11.
var cookiesBlocked = diag.Check{
	ID:     "cookies-blocked",
	Impact: diag.Blocks,
	// As for javascript-off.
	After: []string{"browser-embedded-view"},
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Cookies.Enabled, &e.Cookies.Script, &e.Cookies.HTTP)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		c := e.Cookies
		lost := evidence.Is(c.Script, false) || c.Script.State == evidence.Refused
		settings := []string{"allow-cookies", "use-other-browser", "contact-support"}
		switch {
		case evidence.Is(c.HTTP, true):
			return diag.Pass()
		case evidence.Is(c.Enabled, false), evidence.Is(c.HTTP, false) && lost:
			return diag.Fail(diag.Sure, settings...)
		case evidence.Is(c.HTTP, false) && evidence.Is(c.Script, true):
			return diag.Pass()
		case evidence.Is(c.HTTP, false):
			return diag.Fail(diag.Sure, settings...)
		case lost:
			return diag.Fail(diag.Likely, settings...)
		}
		return diag.Unknown(cmp.Or(string(c.HTTP.State), "unasked"))
	},
}
