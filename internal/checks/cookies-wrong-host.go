package checks

import (
	"strings"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// cookiesWrongHost finds pages that were opened under another name of the site
// than the one that its cookies belong to, such as www.portal.example for
// portal.example. It is sure if a cookie with the domain of the login's did not
// come back while others did. Both names are arguments.
//
// On a page of its own Latchkey may be at home elsewhere on purpose, so there only
// a www. that is too much or missing counts. Casebook 12.
var cookiesWrongHost = diag.Check{
	ID:     "cookies-wrong-host",
	Impact: diag.Blocks,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Origin.Host) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Origin.Canonical, &e.Cookies.HTTP, &e.Cookies.Kinds, &e.Run.Embedding)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		host, canonical := e.Origin.Host.Value, e.Origin.Canonical.Value
		switch {
		case e.Origin.Host.State != evidence.OK:
			return diag.Unknown(string(e.Origin.Host.State))
		case host == canonical, canonical == "":
			return diag.Pass()
		}
		args := diag.Args{"found": host, "canonical": canonical}
		covered := 0
		for _, k := range e.Cookies.Kinds.Value {
			switch {
			case k.Domain == "":
			case evidence.Is(e.Cookies.HTTP, true) && !k.Came && !covers(k.Domain, host):
				args["cookies"] = k.Name
				return diag.Fail(diag.Sure, "open-canonical-address", "contact-support").With(args)
			case covers(k.Domain, host):
				covered++
			}
		}
		another := strings.TrimPrefix(host, "www.") == strings.TrimPrefix(canonical, "www.")
		if covered > 0 || !another && !evidence.Is(e.Run.Embedding, evidence.SameOrigin) {
			return diag.Pass()
		}
		return diag.Fail(diag.Likely, "open-canonical-address", "contact-support").With(args)
	},
}

// covers is whether a cookie of that domain is sent to the host.
func covers(domain, host string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}
