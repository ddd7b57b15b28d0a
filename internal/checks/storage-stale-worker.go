package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// storageStaleWorker finds browsers that hold an older build of the site than the
// server's: the version address says something else from a cache than past all
// caches. The reason is "worker" if a service worker answers for the site.
//
// It is wrong in the minutes of a deployment, if the same two servers happen to
// answer twice. An address that answers otherwise each time is no version.
var storageStaleWorker = diag.Check{
	ID:     "storage-stale-worker",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Storage.Build) },
	Run: func(e evidence.Evidence) diag.Outcome {
		b := e.Storage.Build
		switch {
		case b.State == evidence.Absent:
			return diag.Pass() // the operator names no version
		case b.State != evidence.OK:
			return diag.Unknown(string(b.State))
		case b.Value.Same:
			return diag.Pass()
		}
		if b.Value.Worker {
			return diag.Fail(diag.Likely, "clear-site-data", "try-private-window", "report-to-site").With(diag.Args{"reason": "worker"})
		}
		return diag.Fail(diag.Likely, "reload-page", "clear-site-data", "try-private-window", "report-to-site")
	},
}
