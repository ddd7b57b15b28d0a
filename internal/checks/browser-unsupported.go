package checks

import (
	"cmp"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// browserUnsupported finds browsers of which the site supports no version, by
// the operator's word, and the data-saving mode of Opera Mini (the reason
// "data-saving"), in which Opera's servers run the page.
//
// A family that the operator does not name counts as supported if its engine is
// that of one that is. It is wrong when the user agent is changed, hence likely.
var browserUnsupported = diag.Check{
	ID:     "browser-unsupported",
	Impact: diag.Blocks,
	After:  []string{"browser-compat-mode", "browser-embedded-view"},
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Browser.Standing) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Browser.Family, &e.Browser.Features, &e.Browser.Device)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		b := e.Browser
		switch {
		case b.Standing.State != evidence.OK:
			return diag.Unknown(cmp.Or(b.Standing.Note, string(b.Standing.State)))
		case b.Standing.Value.Wanted != 0, allWork(e):
			return diag.Pass()
		}
		args := diag.Args{}
		if evidence.Is(b.Family, "Opera Mini") {
			args["reason"] = "data-saving"
		}
		fixes := []string{"use-other-browser", "use-other-device", "contact-support"}
		if !b.Standing.Value.Others {
			fixes = fixes[1:]
		}
		return diag.Fail(diag.Likely, fixes...).With(args)
	},
}
