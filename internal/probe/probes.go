package probe

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/evidence"
)

// thirdParty asks the page of another site in a frame, which needs three
// requests on a line that is new. looks.js itself gives it 4 s.
var thirdParty = Probe{
	ID:    "third-party",
	known: func(e *evidence.Evidence) bool { return e.ThirdParty.Frame.Known() },
	limit: 5 * time.Second,
	look: func(ctx context.Context, w Window) func(*evidence.Evidence) {
		t, err := ask[evidence.ThirdParty]("third")(ctx, w)
		if err != nil {
			t = evidence.ThirdParty{Frame: failed[string](err)}
		}
		return func(e *evidence.Evidence) { e.ThirdParty = t }
	},
}

// All returns the probes of the wasm tier. In a frame of another site than the
// login page's those about cookies and storage are left out: what a
// third-party frame may keep is another question.
func All(where evidence.Embedding) []Probe {
	probes := []Probe{
		New("claim", func(e *evidence.Evidence) *evidence.Fact[evidence.Claim] { return &e.Identity.Script }, ask[evidence.Claim]("claim")),
		New("clock", func(e *evidence.Evidence) *evidence.Fact[evidence.Offset] { return &e.Clock.Offset }, ask[evidence.Offset]("clock")),
		thirdParty,
	}
	if where == evidence.CrossOrigin {
		return probes
	}
	return append(probes,
		Probe{
			ID:    "cookies",
			known: func(e *evidence.Evidence) bool { return e.Cookies.HTTP.Known() },
			look: func(ctx context.Context, w Window) func(*evidence.Evidence) {
				came, err := ask[struct {
					Seen  bool
					Kinds evidence.Kinds
					Jar   evidence.Jar
				}]("cookies")(ctx, w)
				return func(e *evidence.Evidence) {
					e.Cookies.HTTP, e.Cookies.Kinds, e.Cookies.Jar = seen(came.Seen, err), seen(came.Kinds, err), seen(came.Jar, err)
					if errors.Is(err, Exception("TooLarge")) {
						e.Cookies.TooLarge = evidence.Saw(true)
					}
				}
			},
		},
		New("caps-lock", func(e *evidence.Evidence) *evidence.Fact[bool] { return &e.Page.CapsLock }, ask[bool]("caps")),
		New("tabs", func(e *evidence.Evidence) *evidence.Fact[evidence.Tabs] { return &e.Page.Tabs }, ask[evidence.Tabs]("tabs")),
		New("indexed-db", func(e *evidence.Evidence) *evidence.Fact[bool] { return &e.Storage.IndexedDB }, ask[bool]("indexedDB")),
		New("opfs", func(e *evidence.Evidence) *evidence.Fact[bool] { return &e.Storage.OPFS }, ask[bool]("opfs")),
		New("build", func(e *evidence.Evidence) *evidence.Fact[evidence.Build] { return &e.Storage.Build }, ask[evidence.Build]("build")),
		New("cache", func(e *evidence.Evidence) *evidence.Fact[bool] { return &e.Storage.Cache }, ask[bool]("cache")),
	)
}
