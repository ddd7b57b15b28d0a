package checks

import (
	"strings"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// storageBlocked finds stores that the browser refuses to the login site.
// Which ones is an argument.
//
// Local and session storage count as blocked when they are missing, for every
// browser of the last ten years has them; IndexedDB and Cache only when they
// are there and fail, for old browsers, plain http and Lockdown Mode lack them.
// One that is full is storage-full.
// Source: Chromium 156, Firefox 153 (dom.storage.enabled=false gives null),
// WebKitGTK 2.50, tried 2026-11.
var storageBlocked = diag.Check{
	ID:     "storage-blocked",
	Impact: diag.Slows,
	// In Chromium and Firefox one setting blocks cookies and storage alike.
	After: []string{"cookies-blocked", "browser-embedded-view"},
	Needs: func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Storage.Local, &e.Storage.Session) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Storage.IndexedDB, &e.Storage.Cache, &e.Storage.OPFS)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		bad := stores(e, func(name string, f evidence.Fact[bool]) bool {
			switch f.State {
			case evidence.Refused:
				return true
			case evidence.Broken:
				return !noRoom(e)
			case evidence.Absent:
				return name == "localStorage" || name == "sessionStorage" || f.Note == "NotSupportedError" // asked for, and not there
			}
			return f.State == evidence.OK && !f.Value
		})
		if len(bad) == 0 {
			return diag.Pass()
		}
		return diag.Fail(diag.Sure, "allow-cookies", "use-other-browser", "contact-support").
			With(diag.Args{"stores": strings.Join(bad, ", ")})
	},
}
