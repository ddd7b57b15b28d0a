package checks

import (
	"cmp"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// siteFault finds a login that cannot work, whatever a person does. A cookie that
// must come with a form which another site posts is not SameSite=None, so
// browsers leave it out (Chrome since 80; casebook 34); that speaks only where the
// login server reports what follows from it. Or something that the login needs is
// broken at its source, for our own server does not reach it either.
//
// It is wrong where the site does without that cookie after all, or a host
// answers browsers and not servers.
var siteFault = diag.Check{
	ID:     "site-fault",
	Impact: diag.Blocks,
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return append(needsFacts(e), &e.Cookies.Kinds)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		if ts := troubles(e, nil, site); len(ts) > 0 {
			fixes := []string{"wait-and-retry", "report-to-site", "contact-support"}
			if ts[0].how == "deploy" {
				fixes = []string{"report-to-site", "contact-support"}
			}
			return diag.Fail(ts[0].sureness, fixes...).With(ts[0].args(ts))
		}
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
