package checks

import (
	"slices"
	"strings"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// storageFull finds stores without room, by a write of 16 KB that was refused for
// want of it; what the browser estimates is not asked, for it is wrong (Chromium
// 156 told 10 GiB beside a full quota). Which ones is an argument. It is likely
// where databases and caches both fail in a way of their own while simple storage
// works, as on a disk without room (Chromium 156 and Firefox 153, tried 2026-11).
//
// It is wrong when a damaged profile fails in the same way.
var storageFull = diag.Check{
	ID:     "storage-full",
	Impact: diag.Blocks,
	After:  []string{"browser-embedded-view"},
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Storage.Local, &e.Storage.Session) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Storage.IndexedDB, &e.Storage.Cache, &e.Storage.OPFS)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		fixes := []string{"free-storage", "clear-site-data", "try-private-window", "contact-support"}
		full := stores(e, func(_ string, f evidence.Fact[bool]) bool { return f.State == evidence.Full })
		s := e.Storage
		switch {
		case s.Local.State == evidence.Full || s.Session.State == evidence.Full:
			// The site's own share, which room on the disk does not change.
			return diag.Fail(diag.Sure, fixes[1:]...).With(diag.Args{"stores": strings.Join(full, ", "), "reason": "share"})
		case len(full) > 0:
			return diag.Fail(diag.Sure, fixes...).With(diag.Args{"stores": strings.Join(full, ", ")})
		case noRoom(e):
			broken := stores(e, func(_ string, f evidence.Fact[bool]) bool { return f.State == evidence.Broken })
			return diag.Fail(diag.Likely, fixes...).With(diag.Args{"stores": strings.Join(broken, ", ")})
		}
		return diag.Pass()
	},
}

// noRoom is the shape of a disk that is full. Firefox's local storage may still
// seem to work there; session storage lives in memory.
func noRoom(e evidence.Evidence) bool {
	s := e.Storage
	return evidence.Is(s.Session, true) && slices.Contains(noRoomSays, s.IndexedDB.Note) && slices.Contains(noRoomSays, s.Cache.Note)
}

// noRoomSays are what Chromium 156 and Firefox 153 throw on a full disk besides
// what says so (tried 2026-11).
var noRoomSays = []string{"UnknownError", "AbortError", "NS_ERROR_FAILURE"}

// stores names those of which something is true.
func stores(e evidence.Evidence, is func(name string, f evidence.Fact[bool]) bool) []string {
	var names []string
	for _, s := range []struct {
		name string
		fact evidence.Fact[bool]
	}{
		{"localStorage", e.Storage.Local},
		{"sessionStorage", e.Storage.Session},
		{"IndexedDB", e.Storage.IndexedDB},
		{"Cache", e.Storage.Cache},
		{"files", e.Storage.OPFS},
	} {
		if is(s.name, s.fact) {
			names = append(names, s.name)
		}
	}
	return names
}
