package checks

import (
	"strings"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// cookiesDuplicated finds cookies that the browser sends twice under one name,
// since they were set for two domains or two paths. Servers read the first or the
// last of them, so an old one can hide the new one until it expires. It is likely
// if the operator lists the name, and a guess for others. Casebook 28 and 29.
//
// It is wrong where a site sends two of a name on purpose and reads both.
var cookiesDuplicated = diag.Check{
	ID:     "cookies-duplicated",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Cookies.Jar) },
	Run: func(e evidence.Evidence) diag.Outcome {
		jar := e.Cookies.Jar
		switch {
		case jar.State != evidence.OK:
			return diag.Unknown(string(jar.State))
		case len(jar.Value.Doubled) == 0:
			return diag.Pass()
		}
		sureness := diag.Maybe
		if jar.Value.Listed {
			sureness = diag.Likely
		}
		return diag.Fail(sureness, "remove-old-cookies", "try-private-window", "report-to-site", "contact-support").
			With(diag.Args{"cookies": strings.Join(jar.Value.Doubled, ", ")})
	},
}
