package checks

import (
	"cmp"
	"strconv"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// browserOutdated finds browsers that are older than what the site supports,
// and tells apart those that can be updated from those whose system gets no
// newer one (the reason "stuck"). If the site says which features signing in
// needs and all of them work, no number speaks against the browser.
//
// It is wrong when a proxy or a setting changes the user agent, hence likely.
// Source: the site's policy; releases and dead ends in package agent.
var browserOutdated = diag.Check{
	ID:     "browser-outdated",
	Impact: diag.Blocks,
	After:  []string{"browser-compat-mode", "browser-embedded-view"},
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Browser.Standing) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Browser.Family, &e.Browser.Features, &e.Browser.Device)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		b := e.Browser
		s := b.Standing.Value
		switch {
		case b.Standing.State != evidence.OK:
			return diag.Unknown(cmp.Or(b.Standing.Note, string(b.Standing.State)))
		case s.Wanted == 0:
			return diag.Skip() // not supported at all
		case s.Have >= s.Wanted, allWork(e):
			return diag.Pass()
		}
		args := diag.Args{"version": s.Have, "wanted": s.Wanted, "dated": s.Dated}
		if !evidence.Is(b.Family, s.By) { // the numbers are not the browser's own
			args["version"], args["wanted"] = s.By+" "+strconv.Itoa(s.Have), s.By+" "+strconv.Itoa(s.Wanted)
		}
		if s.Best > s.Have {
			args["newest"] = s.Best
		}
		if s.Released != "" {
			args["released"] = diag.Month(s.Released)
		}
		if isStuck(s) {
			args["reason"] = "stuck"
		}
		return diag.Fail(diag.Likely, newer(e)...).With(args)
	},
}

// allWork is whether the site says which features signing in needs, and each
// was tried and works.
func allWork(e evidence.Evidence) bool {
	f := e.Browser.Features.Value
	return len(f.Works) > 0 && len(f.Lacks) == 0
}

// isStuck is whether this device's system gets no version that the site
// supports.
func isStuck(s evidence.Standing) bool { return s.Best != 0 && s.Best < s.Wanted }

// newer lists the ways to a browser that can do more.
func newer(e evidence.Evidence) []string {
	s := e.Browser.Standing.Value
	var fixes []string
	if e.Browser.Standing.State == evidence.OK && !isStuck(s) && (s.Best == 0 || s.Have < s.Best) {
		fixes = append(fixes, "update-browser")
	}
	if e.Browser.Standing.State != evidence.OK || s.Others {
		fixes = append(fixes, "use-other-browser")
	}
	fixes = append(fixes, "use-other-device")
	if evidence.Is(e.Browser.Device, "desktop") {
		fixes = append(fixes, "contact-administrator") // whose computers are managed
	}
	return append(fixes, "contact-support")
}
