package probe

import "latchkey/internal/evidence"

// All returns the probes of the wasm tier. In a frame of another site than the
// login page's those about cookies and storage are left out: what a
// third-party frame may keep is another question.
func All(where evidence.Embedding) []Probe {
	probes := []Probe{
		New("claim", func(e *evidence.Evidence) *evidence.Fact[evidence.Claim] { return &e.Identity.Script }, ask[evidence.Claim]("claim")),
		New("clock", func(e *evidence.Evidence) *evidence.Fact[evidence.Offset] { return &e.Clock.Offset }, ask[evidence.Offset]("clock")),
	}
	if where == evidence.CrossOrigin {
		return probes
	}
	return append(probes,
		New("caps-lock", func(e *evidence.Evidence) *evidence.Fact[bool] { return &e.Page.CapsLock }, ask[bool]("caps")),
		New("tabs", func(e *evidence.Evidence) *evidence.Fact[evidence.Tabs] { return &e.Page.Tabs }, ask[evidence.Tabs]("tabs")),
		New("cookie-http", func(e *evidence.Evidence) *evidence.Fact[bool] { return &e.Cookies.HTTP }, ask[bool]("cookie")),
		New("indexed-db", func(e *evidence.Evidence) *evidence.Fact[bool] { return &e.Storage.IndexedDB }, ask[bool]("indexedDB")),
		New("cache", func(e *evidence.Evidence) *evidence.Fact[bool] { return &e.Storage.Cache }, ask[bool]("cache")),
	)
}
