package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// clockPhoneWrong finds phones whose one-time codes are refused because their
// clock is off. Only the phone itself can tell, on the page that it opens for
// that, so the check has nothing to say where nobody asked it. It speaks only if
// the whole interval of the measurement lies outside, and against the true time
// where the server's clock is known to be off.
//
// It is wrong when another device makes the codes than the one that was asked,
// when the codes come by message, or when their server has another clock than ours.
var clockPhoneWrong = diag.Check{
	ID:     "clock-phone-wrong",
	Impact: diag.Blocks,
	Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Clock.Phone, &e.Clock.Server) },
	Run: func(e evidence.Evidence) diag.Outcome {
		f := e.Clock.Phone
		if f.State == evidence.Unasked {
			return diag.Skip()
		}
		if f.State != evidence.OK {
			return diag.Unknown(string(f.State))
		}
		o := ofTrueTime(e.Clock, f.Value)
		switch {
		case codesFit(o):
			return diag.Pass()
		case o.Lo > o.Hi:
			return diag.Unknown(string(evidence.Broken))
		case o.Lo < codesAlways && o.Hi > -codesAlways:
			return diag.Unknown("too-coarse")
		}
		sureness := diag.Likely
		if o.Lo >= codesNever || o.Hi <= -codesNever {
			sureness = diag.Sure
		}
		return diag.Fail(sureness, "set-phone-clock", "use-backup-code", "contact-support").With(off(o, o.Mid()))
	},
}

// How far off a clock may be that makes codes, in milliseconds: RFC 6238 has steps
// of 30 s and lets the server take the codes of one step more.
const (
	codesAlways = 30_000 // up to here a code is taken
	codesNever  = 60_000 // from here on none is
)

// codesFit is whether codes of a phone with this offset are taken for sure.
func codesFit(o evidence.Offset) bool {
	return o.Lo <= o.Hi && o.Lo >= -codesAlways && o.Hi <= codesAlways
}

// phoneMayBeWrong leaves out phones that were found right.
func phoneMayBeWrong(e evidence.Evidence) bool {
	f := e.Clock.Phone
	return f.State != evidence.OK || !codesFit(ofTrueTime(e.Clock, f.Value))
}
