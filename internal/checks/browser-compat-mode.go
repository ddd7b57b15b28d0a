package checks

import (
	"slices"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// browserCompatMode finds pages that are shown by the engine of Internet
// Explorer. The reason is an argument: "shell" where a browser with two engines
// has changed to the old one, "explorer" for Internet Explorer itself, none for
// Edge's Internet Explorer mode, which is all that is left of it on Windows 10
// and 11 (learn.microsoft.com, lifecycle of Internet Explorer 11: turned off for
// good from 2023-02-14).
//
// It is wrong on Windows 10's long-term editions and servers, where Internet
// Explorer itself still runs: its user agent is that of the mode.
var browserCompatMode = diag.Check{
	ID:     "browser-compat-mode",
	Impact: diag.Blocks,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Browser.Engine) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Browser.Family, &e.Browser.SystemVersion)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		b := e.Browser
		switch {
		case b.Engine.State != evidence.OK:
			return diag.Unknown(string(b.Engine.State))
		case b.Engine.Value != "Trident":
			return diag.Pass()
		case slices.Contains(twoEngines, b.Family.Value):
			return diag.Fail(diag.Sure, "leave-compat-mode", "use-other-browser", "contact-support").With(diag.Args{"reason": "shell"})
		case b.SystemVersion.State == evidence.OK:
			// What is not frozen is older than Windows 10.
			return diag.Fail(diag.Sure, "use-other-browser", "use-other-device", "contact-support").With(diag.Args{"reason": "explorer"})
		}
		return diag.Fail(diag.Sure, "leave-compat-mode", "use-other-browser", "contact-administrator", "contact-support")
	},
}

// twoEngines are the browsers that show old sites with Internet Explorer's
// engine.
var twoEngines = []string{"360", "Sogou", "QQ Browser", "Maxthon", "Baidu", "UC Browser"}
