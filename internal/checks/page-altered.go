package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// pageAltered finds that somebody changed the login page in the browser: a
// translator, or an extension that renames the form's fields, sends it elsewhere
// or stands between the page and the browser's own functions. It counts and
// names nobody. What the page should be like is the operator's word; without it
// only translators are seen. They and wrapped functions do no harm to most
// pages, so they speak up only where the login server says that nothing happened.
//
// It is wrong where a site wraps functions itself and its operator does not say so.
// Source: Chromium 156, tried 2026-11; BotD's function_bind and the toString
// of another realm.
var pageAltered = diag.Check{
	ID:     "page-altered",
	Impact: diag.Slows,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Page.Altered, &e.Page.Translated) },
	Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Host.Outcome) },
	Run: func(e evidence.Evidence) diag.Outcome {
		a := e.Page.Altered
		hurt := stuck(e) || evidence.Is(e.Host.Outcome, evidence.SessionLost)
		extension := []string{"try-private-window", "pause-extensions", "use-other-browser", "contact-support"}
		switch {
		case a.Value.Action || a.Value.Fields > 0:
			return diag.Fail(diag.Likely, extension...).With(diag.Args{"reason": "form"})
		case evidence.Is(e.Page.Translated, true) && hurt:
			return diag.Fail(diag.Likely, "turn-off-translation", "reload-page", "contact-support").With(diag.Args{"reason": "translated"})
		case a.Value.Natives > 0 && hurt:
			return diag.Fail(diag.Maybe, extension...)
		case a.State == evidence.Absent:
			return diag.Skip() // there is no login page around us
		case a.State != evidence.OK:
			return diag.Unknown(string(a.State))
		case e.Page.Translated.State != evidence.OK:
			return diag.Unknown(string(e.Page.Translated.State))
		}
		return diag.Pass()
	},
}
