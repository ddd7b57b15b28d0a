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

// network asks other sites and then our own server what it sees of them, 3 s each.
var network = Probe{
	ID:    "network",
	known: func(e *evidence.Evidence) bool { return e.Network.Needs.Known() },
	limit: 7 * time.Second,
	look: func(ctx context.Context, w Window) func(*evidence.Evidence) {
		n, err := ask[evidence.Network]("network")(ctx, w)
		if err != nil {
			n = evidence.Network{Needs: failed[evidence.Needs](err)}
		}
		return func(e *evidence.Evidence) {
			to := &e.Network
			to.Needs, to.Blocker, to.Local, to.Hello, to.Proxies, to.Moves = n.Needs, n.Blocker, n.Local, n.Hello, n.Proxies, n.Moves
		}
	},
}

// echoes is a series that a slow line takes seconds for.
var echoes = func() Probe {
	p := New("echoes", func(e *evidence.Evidence) *evidence.Fact[evidence.Echoes] { return &e.Network.Echoes }, ask[evidence.Echoes]("echoes"))
	p.limit = 7 * time.Second
	return p
}()

// clock asks for 2 s, and if nobody answered for the page whose Date header tells
// the time.
var clock = func() Probe {
	p := New("clock", func(e *evidence.Evidence) *evidence.Fact[evidence.Exchanges] { return &e.Clock.Exchanges }, ask[evidence.Exchanges]("clock"))
	p.limit = 4 * time.Second
	return p
}()

// All returns the probes of the wasm tier. In a frame of another site than the
// login page's those about cookies and storage are left out: what a
// third-party frame may keep is another question.
func All(where evidence.Embedding) []Probe {
	probes := []Probe{
		New("claim", func(e *evidence.Evidence) *evidence.Fact[evidence.Claim] { return &e.Identity.Script }, ask[evidence.Claim]("claim")),
		clock,
		thirdParty,
		network,
		echoes,
		New("sample", func(e *evidence.Evidence) *evidence.Fact[evidence.Sample] { return &e.Network.Sample }, ask[evidence.Sample]("sample")),
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
