package checks

import (
	"cmp"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// siteFault finds a login that cannot work as the operator describes it: a cookie
// that must come with a form which another site posts is not SameSite=None, so
// browsers leave it out (Chrome since 80; casebook 34). It speaks only where the
// login server reports what follows from that.
//
// It is wrong where the site does without that cookie after all.
var siteFault = diag.Check{
	ID:     "site-fault",
	Impact: diag.Blocks,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Cookies.Kinds) },
	Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Host.Outcome) },
	Run: func(e evidence.Evidence) diag.Outcome {
		if e.Cookies.Kinds.State != evidence.OK {
			return diag.Unknown(cmp.Or(string(e.Cookies.Kinds.State), "unasked"))
		}
		lost := evidence.Is(e.Host.Outcome, evidence.SSOFailed) || evidence.Is(e.Host.Outcome, evidence.SessionLost)
		for _, k := range e.Cookies.Kinds.Value {
			if lost && k.Posted && k.SameSite != "none" {
				return diag.Fail(diag.Likely, "report-to-site", "contact-support").With(diag.Args{"cookies": k.Name})
			}
		}
		return diag.Pass()
	},
}
