package agent

import (
	"slices"

	"latchkey/internal/evidence"
)

// Features are the ids of what a site can say that signing in needs. Each is
// tried in the browser by looks.js.
var Features = []string{
	"broadcast-channel", "clipboard", "container-queries", "credential-management", "crypto-subtle", "css-grid", "custom-elements", "dialog", "es2020", "es2022", "es2024", "es2025",
	"fetch", "has-selector", "indexed-db", "modules", "popover", "promise", "service-worker", "shadow-dom", "structured-clone", "web-locks", "web-sockets", "webauthn",
}

// secure are those that browsers hide where the page is no secure context, as
// MDN browser-compat-data 8.1.9 of 2026-11-12 has them.
var secure = []string{"clipboard", "credential-management", "crypto-subtle", "service-worker", "web-locks", "webauthn"}

// insecure is the note of the fact that features could not be tried because the
// page is no secure context.
const insecure = "insecure"

// features tells which of the features that signing in needs work here.
func (p Policy) features(t evidence.Fact[evidence.Traits]) evidence.Fact[evidence.Features] {
	var f evidence.Features
	switch {
	case len(p.Features) == 0:
		return evidence.Saw(f)
	case t.State != evidence.OK:
		return evidence.Fact[evidence.Features]{State: t.State, Note: t.Note}
	}
	for _, id := range p.Features {
		switch {
		case slices.Contains(t.Value.Features, id):
			f.Works = append(f.Works, id)
		case t.Value.Insecure && slices.Contains(secure, id):
			return evidence.Fact[evidence.Features]{State: evidence.Absent, Note: insecure}
		default:
			f.Lacks = append(f.Lacks, id)
		}
	}
	return evidence.Saw(f)
}
