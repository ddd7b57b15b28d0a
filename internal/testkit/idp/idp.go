// Package idp is a real OpenID Provider with people of its own, for tests.
package idp

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// What the provider knows its client, and all its people, by.
const (
	Client   = "latchkey"
	Secret   = "a-secret-of-the-client"
	Password = "known to the provider alone"
)

// Provider runs until its test ends.
type Provider struct {
	*storage.Storage
	URL    string
	People map[string]*storage.User // by their id
	Groups map[string][]string      // by the person's id
	// MixUp makes the user information tell of somebody else.
	MixUp bool

	instead atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

// Instead makes f answer in the provider's place where it returns true.
func (p *Provider) Instead(f func(http.ResponseWriter, *http.Request) bool) { p.instead.Store(&f) }

// GetUserByID is for the provider's own storage, as are the next two.
func (p *Provider) GetUserByID(id string) *storage.User { return p.People[id] }

// GetUserByUsername finds whom somebody says they are.
func (p *Provider) GetUserByUsername(name string) *storage.User {
	for _, u := range p.People {
		if u.Username == name {
			return u
		}
	}
	return nil
}

// ExampleClientID names a client that nobody uses.
func (p *Provider) ExampleClientID() string { return "service" }

// SetUserinfoFromToken adds the groups, as providers do that keep ID tokens small.
func (p *Provider) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, token, subject, origin string) error {
	if err := p.Storage.SetUserinfoFromToken(ctx, info, token, subject, origin); err != nil {
		return err
	}
	info.AppendClaims("groups", p.Groups[subject])
	if p.MixUp {
		info.Subject = "somebody-else"
	}
	return nil
}

// Start starts a provider whose client is sent back to callback. It is on the
// listener, or on one of its own if that is nil, and then on another site than
// 127.0.0.1.
func Start(t *testing.T, callback string, listener net.Listener) *Provider {
	t.Helper()
	p := &Provider{People: map[string]*storage.User{}, Groups: map[string][]string{}}
	for _, u := range []storage.User{
		{ID: "1", Username: "Ann", Email: "ann@portal.example", EmailVerified: true},
		{ID: "2", Username: "ben", Email: "ben@other.example", EmailVerified: true},
		{ID: "3", Username: "cleo", Email: "cleo@portal.example"},
		{ID: "4", Username: "dora", Email: "dora@other.example", EmailVerified: true},
		{ID: "5", Username: `<img src=x onerror=alert(1)>`, Email: "x@portal.example", EmailVerified: true},
		{ID: "6", Username: "fay", Email: "fay@evil.example@portal.example", EmailVerified: true},
	} {
		u.Password = Password
		p.People[u.ID] = &u
	}
	p.Groups["4"] = []string{"staff", "helpdesk-admins"}
	p.Storage = storage.NewStorageWithClients(p, map[string]*storage.Client{Client: storage.WebClient(Client, Secret, callback)})

	var handler http.Handler
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := p.instead.Load(); f != nil && (*f)(w, r) {
			return
		}
		handler.ServeHTTP(w, r)
	}))
	p.URL = "http://" + strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	if listener != nil {
		require.NoError(t, server.Listener.Close())
		server.Listener = listener
		p.URL = "http://" + listener.Addr().String()
	}
	before := slog.Default() // which the provider replaces
	t.Cleanup(func() { slog.SetDefault(before) })
	handler = exampleop.SetupServer(p.URL, p, slog.New(slog.DiscardHandler), true, op.WithAllowInsecure())
	server.Start()
	t.Cleanup(server.Close)
	return p
}
