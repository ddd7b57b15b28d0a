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
// It is wrong when the store is merely full.
// Source: Chromium 156, Firefox 153 (dom.storage.enabled=false gives null),
// WebKitGTK 2.50, tried 2026-11.
var storageBlocked = diag.Check{
	ID:     "storage-blocked",
	Impact: diag.Slows,
	// In Chromium and Firefox one setting blocks cookies and storage alike.
	After: []string{"cookies-blocked", "browser-embedded-view"},
	Needs: func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Storage.Local, &e.Storage.Session) },
	Uses:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Storage.IndexedDB, &e.Storage.Cache) },
	Run: func(e evidence.Evidence) diag.Outcome {
		var bad []string
		for _, s := range []struct {
			name       string
			fact       evidence.Fact[bool]
			everywhere bool
		}{
			{"localStorage", e.Storage.Local, true},
			{"sessionStorage", e.Storage.Session, true},
			{"IndexedDB", e.Storage.IndexedDB, false},
			{"Cache", e.Storage.Cache, false},
		} {
			switch s.fact.State {
			case evidence.Refused, evidence.Broken:
				bad = append(bad, s.name)
			case evidence.Absent:
				if s.everywhere {
					bad = append(bad, s.name)
				}
			case evidence.OK:
				if !s.fact.Value {
					bad = append(bad, s.name)
				}
			}
		}
		if len(bad) == 0 {
			return diag.Pass()
		}
		return diag.Fail(diag.Sure, "allow-cookies", "use-other-browser", "contact-support").
			With(diag.Args{"stores": strings.Join(bad, ", ")})
	},
}
