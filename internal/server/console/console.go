// Package console is what support works with: sign-in, cases, reports and accounts,
// under {base}/support/. Its pages are rendered here from templates, need no
// JavaScript, and treat all that came from a browser as hostile. It judges stored
// evidence with the same checks as the widget, and keeps nothing itself.
package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"latchkey/internal/store"
)

// Options are what New needs. Base, Store and Judge are required.
type Options struct {
	// Base is the path of the whole server, like "/latchkey"; the console lies in
	// Base + "/support/".
	Base  string
	Site  string // the site's name
	Store *store.Store
	// Secure is whether cookies are for https alone.
	Secure bool
	Log    *slog.Logger
	Now    func() time.Time
}

// Console answers under Base + "/support/".
type Console struct {
	o Options
}

// New returns an error that names what is wrong with the options.
func New(o Options) (*Console, error) {
	if o.Store == nil {
		return nil, errors.New("the console needs a store")
	}
	return &Console{o}, nil
}

// Visitor is who is signed in.
type Visitor struct {
	Name string
	Role store.Role
	CSRF string // stands in every form, as the field "csrf"
	From string // the address
}

type visitorKey struct{}

// visitor is who asks. Handlers behind require have one.
func visitor(ctx context.Context) Visitor {
	v, _ := ctx.Value(visitorKey{}).(Visitor)
	return v
}

// require lets only who has the role through: others are sent to sign in, or refused.
// It refuses forms without the right CSRF field.
func (c *Console) require(role store.Role, next http.HandlerFunc) http.HandlerFunc {
	return nil // accounts
}

// audit writes down what is about to be done. Nothing is done if that fails.
func (c *Console) audit(r *http.Request, did, what string) error {
	return nil // accounts
}

// render answers with a page of templates/, in the frame of all pages.
func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	// pages
}
