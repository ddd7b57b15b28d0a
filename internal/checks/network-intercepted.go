package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// networkIntercepted finds connections that were not opened by the browser that
// asks: security software or a company proxy opens them anew, and reads what
// they carry. That is legitimate and stops no sign-in by itself, but such products
// do break some (casebook 66).
//
// Chromium sends values that mean nothing since before 70, on all systems, and
// no policy stops it. That Firefox lacks the newest key exchange can be a policy
// of its own, so that it only may be. Nobody judges WebKit, the views of apps, and
// browsers that are not what they say. Where TLS ends elsewhere and nobody tells,
// there is nothing to look at.
//
// It is wrong where a machine of the operator that ends TLS is missing in
// trusted_proxies. It misses products that begin connections as the browser does.
// Source: Durumeric et al., The Security Impact of HTTPS Interception, NDSS 2017;
// Chromium 156, Firefox 153, mitmproxy 8.1, squid 5.7 and privoxy, tried 2026-11.
var networkIntercepted = diag.Check{
	ID:     "network-intercepted",
	Impact: diag.Note,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Network.Hello, &e.Browser.Engine) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		b := &e.Browser
		return facts(&b.EngineMajor, &b.Device, &b.Embedded, &b.Presents)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		b, h := e.Browser, e.Network.Hello
		switch {
		case h.State == evidence.Absent:
			return diag.Skip()
		case h.State != evidence.OK:
			return diag.Unknown(string(h.State))
		case b.Presents.State == evidence.OK:
			return diag.Unknown("presents")
		case b.Engine.State != evidence.OK:
			return diag.Unknown(string(b.Engine.State))
		case evidence.Is(b.Embedded, true), b.Engine.Value != "Blink" && b.Engine.Value != "Gecko":
			return diag.Pass()
		case b.EngineMajor.State != evidence.OK:
			return diag.Unknown("version")
		}
		s := opened(h.Value, b.Engine.Value, b.EngineMajor.Value, evidence.Is(b.Device, "desktop"))
		if s == "" {
			return diag.Pass()
		}
		return diag.Fail(s, "ask-it-to-allow", "try-other-network", "contact-support")
	},
}

// What desktop Chromium offers since 131, by JA4's hash, and the newest major in
// which that was seen: a later one may offer other cipher suites.
const (
	chromiumCiphers = "8daaf6152771"
	chromiumSeen    = 156
)

// opened is how surely the hello is another program's; empty if it is not. TLS
// 1.3 is in Chromium from 70 and Firefox from 63 on, the key exchange that
// withstands quantum computers in both on desktops, from 131 and 132 on (their
// release notes).
func opened(h evidence.Hello, engine string, major int, desktop bool) diag.Sureness {
	blink := func(from int) bool { return engine == "Blink" && major >= from }
	gecko := func(from int) bool { return engine == "Gecko" && major >= from }
	switch {
	case h.Whole && blink(131) && desktop && !h.Grease && !h.PostQuantum && !h.TLS13:
		return diag.Sure // not one thing is Chromium's
	case h.Whole && blink(70) && !h.Grease, !h.TLS13 && (blink(70) || gecko(63)):
		return diag.Likely
	case !h.Whole && blink(131) && desktop && h.Ciphers != "" && h.Ciphers != chromiumCiphers:
		if major > chromiumSeen {
			return diag.Maybe
		}
		return diag.Likely
	case h.Whole && gecko(132) && desktop && !h.PostQuantum:
		return diag.Maybe
	}
	return ""
}
