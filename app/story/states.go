package story

import (
	"latchkey/app/widget"
	"latchkey/internal/checks"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
)

// blocked is a browser that keeps no cookies.
func blocked(e *evidence.Evidence) {
	e.Cookies = evidence.Cookies{Enabled: evidence.Saw(true), Script: evidence.Saw(false), HTTP: evidence.Saw(false)}
	e.Storage.Local = evidence.Failed[bool]("SecurityError: denied")
}

func told(o evidence.Outcome) func(*evidence.Evidence) {
	return func(e *evidence.Evidence) { e.Host = evidence.Told(string(o), "REQ-2041", nil) }
}

// toSend is a look that can be sent: it has a time.
func toSend(e *evidence.Evidence) {
	blocked(e)
	told(evidence.SessionLost)(e)
	e.Run.At = evidence.Saw(evidence.Moment{UTC: 1_795_600_440_000, Zone: 60})
}

var asks = []report.Ask{
	{Key: "member-number", Label: "Your member number", Pattern: "[0-9]{8}", Max: 8},
	{Key: "practice", Label: "Name of your practice"},
}

func looking(s Story, done, all int) Story {
	s.Done, s.All = done, all
	return s
}

func framed(s Story) Story {
	s.Frame = true
	return s
}

// states are the moments of a person's way, apart from what is found.
func (t teller) states() []Story {
	unseen := evidence.Evidence{Run: evidence.Run{Tier: evidence.HTML, TierReason: evidence.NoScript}}
	early := evidence.Evidence{Run: evidence.Run{Tier: evidence.Wasm}}
	judged := func(name string, e evidence.Evidence) Story {
		return Story{name, widget.Model{Report: report.New(e, checks.Catalogue().Diagnose(e)), Site: site}}
	}
	withoutSupport := t.tell("answer/no-support-line", "chrome-desktop", blocked)
	withoutSupport.Site = widget.Site{Name: site.Name, Host: site.Host}
	codeRejected := t.tell("answer/code-rejected", "chrome-desktop", told(evidence.MFARejected))
	codeRejected.Phone = widget.Phone{Door: widget.Door{Address: "https://portal.example/latchkey/phone", Size: 2, Path: "M0 0.5h1M0 1.5m1 0h1"}, At: "12:00:00"}
	inAnApp := t.tell("answer/in-an-app", "chrome-android", func(e *evidence.Evidence) {
		e.Browser.Family, e.Browser.System, e.Browser.Device = evidence.Saw("LinkedIn"), evidence.Saw("Android"), evidence.Saw("phone")
		e.Browser.Embedded, e.Browser.App = evidence.Saw(true), evidence.Saw("LinkedIn")
		told(evidence.SSOFailed)(e)
	})
	inAnApp.Address = "https://portal.example/login?next=/claims"
	plain := t.tell("send/report", "chrome-desktop", toSend)
	plain.Send = widget.Send{To: "/latchkey/reports"}
	nowhere := t.tell("send/nowhere", "chrome-desktop", toSend)
	forACase := t.tell("send/case", "firefox-desktop", func(e *evidence.Evidence) {
		toSend(e)
		e.Run.Before, e.Run.Tried = []string{"clock-wrong", "cookies-blocked"}, evidence.Names{"set-clock-automatically"}
	})
	forACase.Send = widget.Send{To: "/latchkey/reports", Token: "AAAAAAAAAAAAAAAAAAAAAA", From: "Example Clinic support", Asks: asks}

	return []Story{
		looking(judged("looking/start", early), 0, 1),
		looking(t.tell("looking/half-way", "chrome-desktop", nil), 2, 4),
		looking(t.tell("looking/found-already", "chrome-desktop", blocked), 3, 4),
		looking(framed(t.tell("looking/in-frame", "safari-ios", nil)), 1, 4),

		t.tell("answer/healthy", "chrome-desktop", nil),
		t.tell("answer/healthy-phone", "safari-ios", nil),
		judged("answer/request-only", unseen),
		framed(t.tell("answer/locked-in-frame", "chrome-desktop", told(evidence.AccountLocked))),
		framed(t.tell("answer/wrong-password", "chrome-desktop", told(evidence.InvalidCredentials))),
		t.tell("answer/several", "chrome-desktop", func(e *evidence.Evidence) {
			blocked(e)
			told(evidence.SessionLost)(e)
			e.Clock.Offset = evidence.Saw(evidence.Offset{Lo: 239_900, Hi: 240_100})
		}),
		t.tell("answer/outdated", "chrome-desktop", func(e *evidence.Evidence) {
			e.Browser.Standing = evidence.Saw(evidence.Standing{By: "Chrome", Have: 87, Wanted: 109, Best: 157, Others: true, Released: "2020-11", Dated: "2026-11-12"})
		}),
		t.tell("answer/stuck", "chrome-desktop", func(e *evidence.Evidence) {
			e.Browser.SystemVersion = evidence.Saw("7")
			e.Browser.Standing = evidence.Saw(evidence.Standing{By: "Chrome", Have: 109, Wanted: 120, Best: 109, Released: "2023-01", Dated: "2026-11-12"})
		}),
		t.tell("answer/disguised", "chrome-desktop", func(e *evidence.Evidence) {
			e.Browser.Presents = evidence.Saw("Safari 26, iOS")
			e.Browser.Standing = evidence.Fact[evidence.Standing]{State: evidence.Absent, Note: "presents"}
		}),
		t.tell("answer/no-webassembly", "chrome-desktop", func(e *evidence.Evidence) {
			e.Script.Wasm = evidence.Failed[bool]("undefined")
			e.Run.Tier, e.Run.TierReason = evidence.JS, evidence.NoWasm
		}),
		t.tell("answer/storage-access", "firefox-desktop", func(e *evidence.Evidence) {
			e.ThirdParty.Access, e.ThirdParty.Asks = evidence.Saw(false), evidence.Saw(true)
		}),
		withoutSupport, codeRejected, inAnApp,
		plain, nowhere, forACase,

		t.tell("afterwards/fixed", "chrome-desktop", func(e *evidence.Evidence) { e.Run.Before = []string{"cookies-blocked"} }),
		t.tell("afterwards/not-yet", "chrome-desktop", func(e *evidence.Evidence) {
			blocked(e)
			e.Run.Before, e.Run.Tried = []string{"cookies-blocked"}, evidence.Names{"allow-cookies"}
		}),
		t.tell("afterwards/compared", "chrome-desktop", func(e *evidence.Evidence) {
			blocked(e)
			e.Run.Compared = evidence.Comparisons{
				{Under: evidence.PrivateWindow, Stayed: evidence.Names{"cookies-blocked"}, Came: evidence.Names{"clock-wrong"}},
				{Under: evidence.OtherDevice, Gone: evidence.Names{"cookies-blocked", "storage-blocked"}},
			}
		}),
		t.tell("out-of-steps/blocked", "chrome-desktop", func(e *evidence.Evidence) {
			blocked(e)
			e.Run.Before = []string{"clock-wrong", "cookies-blocked"}
			e.Run.Tried = evidence.Names{"set-clock-automatically", "allow-cookies", "use-other-browser", "contact-support"}
		}),
	}
}
