package checks

import (
	"cmp"
	"strings"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// cookiesVanish finds cookies that something takes away although the browser
// keeps cookies: they come back once and are gone seconds later (the reason
// "seconds"), or scripts can keep one and none reaches the server (the reason
// "stripped"), as with an extension or a proxy that removes the headers.
//
// It is wrong when the site itself expires cookies under other names than its
// own. Source: Privacy Badger, deathandmayhem/jolly-roger pull request 2806; a
// header-stripping extension in Chromium 156, tried 2026-11.
var cookiesVanish = diag.Check{
	ID:     "cookies-vanish",
	Impact: diag.Blocks,
	After:  []string{"browser-embedded-view"},
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Cookies.Script, &e.Cookies.HTTP, &e.Cookies.Gone, &e.Clock.Course)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		c := e.Cookies
		if e.Clock.Course.Value.Step >= cookieLife && !evidence.Is(c.HTTP, true) {
			return diag.Unknown("clock-set") // ours ran out by it, as they do in Firefox 153
		}
		fixes := []string{"pause-extensions", "try-other-network", "use-other-browser", "contact-support"}
		switch {
		case len(c.Gone.Value) > 0:
			args := diag.Args{"reason": "seconds"}
			if names := strings.Join(named(c.Gone.Value), ", "); names != "" {
				args["cookies"] = names
			}
			return diag.Fail(diag.Sure, fixes...).With(args)
		case evidence.Is(c.HTTP, true):
			return diag.Pass()
		case evidence.Is(c.HTTP, false) && evidence.Is(c.Script, true):
			return diag.Fail(diag.Likely, fixes...).With(diag.Args{"reason": "stripped"})
		case evidence.Is(c.HTTP, false):
			return diag.Skip() // cookies-blocked
		}
		return diag.Unknown(cmp.Or(string(c.HTTP.State), "unasked"))
	},
}

// cookieLife is for how long our own cookies surely live, half a minute less than
// they are given.
const cookieLife evidence.Milliseconds = 30_000

// named leaves out the cookies that are no login's.
func named(names evidence.Names) []string {
	var out []string
	for _, n := range names {
		if n != "" {
			out = append(out, n)
		}
	}
	return out
}
