package checks

import (
	"cmp"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// cookiesThirdPartyBlocked finds browsers that keep the cookies of the site
// that people sign in over, such as an identity provider, from its frames in
// this one: a sign-in that renews itself in a frame finds nobody signed in.
//
// A frame that keeps a cookie of its own proves nothing, for Firefox keeps it
// apart for each site; that the frame has no storage access, or lacks a cookie
// that was set before, does. Browsers without the question (Chromium before 119)
// keep nothing apart. Where scripts keep the cookie and requests come without
// it, something between takes it: another fault. A frame that keeps silent was
// not tested.
// It is wrong where the other site does without cookies in frames.
// Source: Chromium 156, Firefox 153, WebKitGTK 2.50, tried 2026-11; Keycloak's
// pages of the same purpose (keycloak/keycloak issues 14466, 22839 and 23872).
var cookiesThirdPartyBlocked = diag.Check{
	ID:     "cookies-third-party-blocked",
	Impact: diag.Slows,
	// Who blocks all cookies blocks these.
	After: []string{"cookies-blocked", "browser-embedded-view"},
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		t := &e.ThirdParty
		return facts(&t.Frame, &t.Access, &t.Own, &t.Partitioned, &t.HTTP, &t.Login, &e.Browser.Engine, &e.Browser.Device)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		t := e.ThirdParty
		switch t.Frame.State {
		case evidence.OK:
		case evidence.Absent:
			return diag.Pass() // nobody signs in here over another site
		case evidence.Refused, evidence.Late:
			return diag.Unknown(cmp.Or(frameReasons[t.Frame.Note], string(t.Frame.State)))
		default:
			return diag.Unknown(cmp.Or(string(t.Frame.State), "unasked"))
		}
		lost := !evidence.Is(t.Own, true) && evidence.Is(t.HTTP, false)
		switch {
		case evidence.Is(t.Login, true):
			return diag.Pass()
		case evidence.Is(t.Own, true) && evidence.Is(t.HTTP, false), evidence.Is(t.Access, true) && evidence.Is(t.Login, false):
			return diag.Unknown("cookies-taken")
		case lost && evidence.Is(t.Own, false) && !evidence.Is(t.Access, true), evidence.Is(t.Access, false) && evidence.Is(t.Login, false):
			return blocksThirdParty(e, diag.Sure)
		case lost, evidence.Is(t.Access, false):
			return blocksThirdParty(e, diag.Likely)
		case evidence.Is(t.HTTP, true) && (evidence.Is(t.Access, true) || t.Access.State == evidence.Absent):
			return diag.Pass()
		case !t.HTTP.Known():
			return diag.Unknown(cmp.Or(string(t.HTTP.State), "unasked"))
		}
		return diag.Unknown(cmp.Or(string(t.Access.State), "unasked"))
	},
}

// frameReasons are the reasons for which a frame could not be asked, by the
// note that looks.js leaves.
var frameReasons = map[string]string{"policy": "frame-policy", "insecure": "insecure", "silent": "frame-silent"}

// blocksThirdParty puts first what lowers protection least. On iPhones all
// browsers are the same; on Macs another one needs no setting changed.
func blocksThirdParty(e evidence.Evidence, s diag.Sureness) diag.Outcome {
	fixes := []string{"allow-storage-access", "allow-third-party-cookies", "use-other-browser", "report-to-site", "contact-support"}
	if evidence.Is(e.Browser.Engine, "WebKit") {
		fixes = []string{"use-other-browser", "allow-third-party-cookies", "report-to-site", "contact-support"}
		if isMobile(e) {
			fixes = []string{"allow-third-party-cookies", "report-to-site", "use-other-device", "contact-support"}
		}
	}
	return diag.Fail(s, fixes...).With(diag.Args{"provider": e.ThirdParty.Frame.Value})
}
