package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// scriptBlocked finds scripts and hosts that the login needs and that this browser
// does not load, or of which only a stand-in runs, as blockers have for files
// that pages wait for. See culprit for who is held to have stopped them. With
// the reason "files" no script file of the site runs at all while scripts in the
// page do, as under NoScript.
//
// It is wrong where a script that the operator says leaves something behind no
// longer does, and says "maybe" where it cannot tell who it was.
// Source: Chromium 156 with AdGuard's rules, Firefox 153 with uBlock Origin 1.67,
// tried 2026-11.
var scriptBlocked = diag.Check{
	ID:     "script-blocked",
	Impact: diag.Blocks,
	After:  []string{"browser-embedded-view", "network-offline", "network-captive-portal"},
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return append(needsFacts(e), &e.Script.Files)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		if evidence.Is(e.Script.Files, false) {
			return diag.Fail(diag.Likely, withScripts...).With(diag.Args{"reason": "files"})
		}
		if ts := troubles(e, parts, browser, unclear, chance); len(ts) > 0 {
			t := ts[0]
			fixes := withScripts
			switch t.who {
			case chance:
				fixes = append([]string{"reload-page"}, fixes...)
			case unclear:
				fixes = []string{"allow-scripts", "try-private-window", "try-other-network", "ask-it-to-allow", "contact-support"}
				if t.Again == "" {
					fixes = append([]string{"reload-page"}, fixes...)
				}
			}
			return diag.Fail(t.sureness, fixes...).With(t.args(ts))
		}
		return allTested(e, parts)
	},
}

// withScripts is what helps against who blocks scripts in the browser.
var withScripts = []string{"allow-scripts", "try-private-window", "use-other-browser", "ask-it-to-allow", "contact-support"}
