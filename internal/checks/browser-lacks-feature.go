package checks

import (
	"cmp"
	"strings"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// browserLacksFeature finds browsers that lack something that the operator says
// signing in needs. Each feature was tried in this very browser; the first that
// is missing is an argument, and all of them are another.
//
// It is wrong when a setting hides what the browser could do, in which case the
// sign-in fails all the same. Over plain http browsers hide many of them; then
// nothing is said.
var browserLacksFeature = diag.Check{
	ID:     "browser-lacks-feature",
	Impact: diag.Blocks,
	After:  []string{"browser-compat-mode", "browser-embedded-view", "browser-unsupported", "browser-outdated"},
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Browser.Features) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Browser.Standing, &e.Browser.Device)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		f := e.Browser.Features
		switch {
		case f.State != evidence.OK:
			return diag.Unknown(cmp.Or(f.Note, string(f.State)))
		case len(f.Value.Lacks) == 0:
			return diag.Pass()
		}
		return diag.Fail(diag.Sure, newer(e)...).
			With(diag.Args{"feature": diag.Word(f.Value.Lacks[0]), "features": strings.Join(f.Value.Lacks, ", ")})
	},
}
