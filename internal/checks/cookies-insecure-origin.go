package checks

import (
	"cmp"
	"strings"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// cookiesInsecureOrigin finds sign-in pages on plain http, where browsers do not
// keep the cookies that a site marks Secure. It is sure if the operator says that
// the login has such a cookie, and a guess otherwise. That ordinary cookies come
// back is the control.
//
// Chromium and Firefox keep Secure cookies on loopback addresses and *.localhost
// over http, WebKit does not (WebKit bug 281149; WebKitGTK 2.50, tried 2026-11);
// there only a cookie that the operator named counts. Casebook 8 and 9.
var cookiesInsecureOrigin = diag.Check{
	ID:     "cookies-insecure-origin",
	Impact: diag.Blocks,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Origin.Scheme) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Origin.Host, &e.Cookies.HTTP, &e.Cookies.Kinds)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		c := e.Cookies
		switch {
		case !evidence.Is(e.Origin.Scheme, "http"):
			return diag.Pass()
		case c.Kinds.State != evidence.OK:
			return diag.Unknown(cmp.Or(string(c.Kinds.State), "unasked"))
		case !evidence.Is(c.HTTP, true):
			return diag.Skip() // no cookie comes back
		}
		for _, k := range c.Kinds.Value {
			switch {
			case !k.Secure || k.Came:
			case k.Name != "":
				return diag.Fail(diag.Sure, "use-https", "report-to-site", "contact-support").With(diag.Args{"cookies": k.Name})
			case !isLoopback(e.Origin.Host.Value):
				return diag.Fail(diag.Maybe, "use-https", "report-to-site", "contact-support")
			}
		}
		return diag.Pass()
	},
}

func isLoopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "127.") || host == "::1"
}
