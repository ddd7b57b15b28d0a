package checks

import (
	"slices"
	"strings"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// scriptPolicy finds that the site's own content-security-policy stops what its
// login needs: something that the operator lists, or the form itself. Where the
// login server says that nothing happened it also goes by scripts in the page
// and by what nobody lists, with less sureness.
//
// It is wrong where an extension puts a script into the page that the policy
// rightly stops and the violation does not name the extension.
var scriptPolicy = diag.Check{
	ID:     "script-policy",
	Impact: diag.Blocks,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Page.Violations) },
	Uses:   needsFacts,
	Run: func(e evidence.Evidence) diag.Outcome {
		switch e.Page.Violations.State {
		case evidence.OK:
		case evidence.Absent:
			return diag.Skip() // there is no login page around us
		default:
			return diag.Unknown(string(e.Page.Violations.State))
		}
		fixes := []string{"report-to-site", "contact-support"}
		if ts := troubles(e, nil, policy); len(ts) > 0 {
			args := ts[0].args(ts)
			args["directive"] = ts[0].Policy
			if ts[0].Unlisted {
				return diag.Fail(diag.Likely, fixes...).With(args)
			}
			return diag.Fail(diag.Sure, fixes...).With(args)
		}
		for _, v := range e.Page.Violations.Value {
			directive, what, _ := strings.Cut(v, " ")
			switch {
			case directive == "form-action":
				return diag.Fail(diag.Sure, fixes...).With(diag.Args{"directive": directive, "reason": "form"})
			case stuck(e) && strings.HasPrefix(directive, "script-src") && slices.Contains([]string{"inline", "eval", "wasm-eval", "trusted-types-sink"}, what),
				stuck(e) && directive == "worker-src":
				return diag.Fail(diag.Maybe, fixes...).With(diag.Args{"directive": directive, "reason": "inline"})
			}
		}
		return diag.Pass()
	},
}
