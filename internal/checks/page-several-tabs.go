package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// pageSeveralTabs finds other tabs with the login page open, where the login
// server has lost the session: each tab may have overwritten the one token that
// the tabs share (casebook 21, 22), most of all a tab that is newer than this
// one. Two tabs alone are no fault.
//
// It is wrong where the site keeps a token for each tab. It misses tabs in
// another container or profile, and hidden ones that Safari has put to sleep.
var pageSeveralTabs = diag.Check{
	ID:     "page-several-tabs",
	Impact: diag.Note,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Page.Tabs) },
	Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Host.Outcome, &e.Run.Embedding) },
	Run: func(e evidence.Evidence) diag.Outcome {
		tabs := e.Page.Tabs
		told := evidence.Is(e.Host.Outcome, evidence.SessionLost)
		switch {
		case tabs.State == evidence.Absent && evidence.Is(e.Run.Embedding, evidence.Top):
			return diag.Skip() // our own page
		case tabs.State != evidence.OK:
			return diag.Unknown(string(tabs.State))
		case tabs.Value.Others < 1, !told && !evidence.Is(e.Host.Outcome, evidence.SSOFailed):
			return diag.Pass()
		}
		sureness, args := diag.Maybe, diag.Args(nil)
		if told {
			sureness = diag.Likely
		}
		if tabs.Value.Newer > 0 {
			args = diag.Args{"reason": "newer"}
		}
		return diag.Fail(sureness, "close-other-tabs", "start-sign-in-again", "contact-support").With(args)
	},
}
