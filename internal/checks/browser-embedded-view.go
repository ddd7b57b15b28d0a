package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// browserEmbeddedView finds pages that an app shows in a view of its own. Such a
// view has its own cookies, so a sign-in that goes through a mail or another app
// ends in another browser than it began in; pop-ups, passkeys and many identity
// providers do not work there (Google refuses with disallowed_useragent,
// casebook 51), and its settings cannot be changed.
//
// Chrome's Custom Tabs and SFSafariViewController are real browsers and cannot
// be told from them. A desktop program without a name of its own, such as an
// Electron shell, is a whole browser too. It is wrong when a browser names an
// app that it is not.
var browserEmbeddedView = diag.Check{
	ID:     "browser-embedded-view",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Browser.Embedded) },
	Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Browser.App, &e.Browser.Device) },
	Run: func(e evidence.Evidence) diag.Outcome {
		b := e.Browser
		switch {
		case b.Embedded.State != evidence.OK:
			return diag.Unknown(string(b.Embedded.State))
		case !b.Embedded.Value:
			return diag.Pass()
		case b.App.State == evidence.OK:
			return diag.Fail(diag.Sure, "open-in-browser", "use-other-device", "contact-support").With(diag.Args{"app": b.App.Value})
		case evidence.Is(b.Device, "desktop"):
			return diag.Pass()
		}
		return diag.Fail(diag.Likely, "open-in-browser", "use-other-device", "contact-support").With(diag.Args{"reason": "unnamed"})
	},
}

// isEmbedded is for fixes that an app's view has no menu for.
func isEmbedded(e evidence.Evidence) bool { return evidence.Is(e.Browser.Embedded, true) }
