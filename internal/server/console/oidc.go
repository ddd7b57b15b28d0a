package console

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"latchkey/internal/store"
)

// OIDC is an identity provider that signs people in, and who of them may come in.
type OIDC struct {
	Name     string // as the button names it; the issuer's host if it is empty
	Issuer   string
	ClientID string
	Secret   string // of the client; "" if it has none
	// Scopes are asked for besides openid, profile and email.
	Scopes []string
	// NameClaim and GroupsClaim are preferred_username and groups if they are empty.
	NameClaim, GroupsClaim string
	// Admins and Agents name groups, and e-mail addresses, which the provider must
	// have verified: ann@portal.example, or @portal.example for all of a domain.
	Admins, Agents []string
}

// answerTime is how long the provider may take for each request.
const answerTime = 10 * time.Second

// wayLasts is how long somebody may take at the provider.
const wayLasts = 15 * time.Minute

// wayCookie keeps what a sign-in at the provider began with. Only the browser that
// began has it, which is why nobody can be signed in with another's answer.
const wayCookie = "_oidc"

// provider is the identity provider. Its metadata is fetched when the first person
// needs it, so that a provider that is down does not keep the server from starting.
type provider struct {
	OIDC
	now    func() time.Time
	client *http.Client

	mu   sync.Mutex
	read *oidc.Provider
}

func newProvider(o OIDC, now func() time.Time) *provider {
	if o.Issuer == "" {
		return nil
	}
	if u, err := url.Parse(o.Issuer); err == nil {
		o.Name = cmp.Or(o.Name, u.Host)
	}
	o.NameClaim = cmp.Or(o.NameClaim, "preferred_username")
	o.GroupsClaim = cmp.Or(o.GroupsClaim, "groups")
	return &provider{OIDC: o, now: now, client: &http.Client{Timeout: answerTime}}
}

// metadata asks until it has got an answer.
func (p *provider) metadata(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.read == nil {
		read, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.Issuer)
		if err != nil {
			return nil, err
		}
		p.read = read
	}
	return p.read, nil
}

func (p *provider) oauth(at *oidc.Provider, callback string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.Secret, Endpoint: at.Endpoint(), RedirectURL: callback,
		Scopes: append([]string{oidc.ScopeOpenID, "profile", "email"}, p.Scopes...),
	}
}

// way is what a sign-in at the provider began with.
type way struct{ state, nonce, verifier, next string }

func (y way) String() string {
	return strings.Join([]string{y.state, y.nonce, y.verifier, base64.RawURLEncoding.EncodeToString([]byte(y.next))}, ".")
}

// parseWay reads String; ok is false unless all of it is there.
func parseWay(s string) (y way, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 4 || slices.Contains(parts, "") {
		return way{}, false
	}
	next, err := base64.RawURLEncoding.DecodeString(parts[3])
	return way{parts[0], parts[1], parts[2], string(next)}, err == nil
}

// failure is why the provider signed nobody in: what oidc.html is given.
type failure struct {
	Why      string // by the names of the template
	Provider string
	Code     string // the provider's own, if it gave one
	Minutes  int
}

// notIn answers that nobody was signed in. What is logged has nothing of the person.
func (c *Console) notIn(w http.ResponseWriter, r *http.Request, status int, f failure, err error) {
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) {
			err = fmt.Errorf("the token endpoint says %d %s", refused.Response.StatusCode, refused.ErrorCode)
		}
		c.o.Log.Warn("identity provider signed nobody in", "why", f.Why, "issuer", c.oidc.Issuer, "error", err)
	}
	f.Provider = c.oidc.Name
	c.render(w, r, status, "oidc", f)
}

// oidcReady answers itself if nobody can be signed in this way, or not now.
func (c *Console) oidcReady(w http.ResponseWriter, r *http.Request) bool {
	if c.oidc == nil {
		http.NotFound(w, r)
		return false
	}
	if !c.reachable(r) {
		c.signInAgain(w, r, http.StatusForbidden, signInForm{Problem: "insecure"})
		return false
	}
	minutes, err := c.take(r.Context(), "sign-in from", c.line(r), triesOfAddress)
	if err != nil {
		c.failed(w, r, err)
		return false
	}
	if minutes > 0 {
		c.wait(w, minutes)
		c.signInAgain(w, r, http.StatusTooManyRequests, signInForm{Problem: "often", Minutes: minutes})
		return false
	}
	return true
}

// oidcStart sends the browser to the provider. It changes nothing but a cookie of the
// browser that asks.
func (c *Console) oidcStart(w http.ResponseWriter, r *http.Request) {
	if !c.oidcReady(w, r) {
		return
	}
	at, err := c.oidc.metadata(r.Context())
	if err != nil {
		c.notIn(w, r, http.StatusBadGateway, failure{Why: "down"}, err)
		return
	}
	y := way{verifier: oauth2.GenerateVerifier(), next: c.next(r.URL.Query().Get("next"))}
	y.state, _ = store.NewToken()
	y.nonce, _ = store.NewToken()
	k := c.cookie(r, wayCookie)
	k.Value, k.MaxAge = y.String(), int(wayLasts.Seconds())
	http.SetCookie(w, k)
	http.Redirect(w, r, c.oidc.oauth(at, c.callback(r)).AuthCodeURL(y.state, oidc.Nonce(y.nonce), oauth2.S256ChallengeOption(y.verifier)), http.StatusSeeOther)
}

// callback is the address that the provider sends people back to.
func (c *Console) callback(r *http.Request) string { return c.o.Address(r, c.at+"oidc/callback") }

// errorCode is that of a provider which may be shown: no sentence of anybody's.
var errorCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

func (c *Console) oidcCallback(w http.ResponseWriter, r *http.Request) {
	if !c.oidcReady(w, r) {
		return
	}
	q := r.URL.Query()
	y, ok := parseWay(c.kept(r, wayCookie))
	c.forget(w, r, wayCookie) // once
	if !ok || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(y.state)) != 1 {
		c.notIn(w, r, http.StatusForbidden, failure{Why: "state"}, nil)
		return
	}
	if code := q.Get("error"); code != "" {
		f := failure{Why: "refused"}
		if code == "access_denied" {
			f.Why = "denied"
		} else if errorCode.MatchString(code) {
			f.Code = code
		}
		c.notIn(w, r, http.StatusForbidden, f, nil)
		return
	}
	at, err := c.oidc.metadata(r.Context())
	if err != nil {
		c.notIn(w, r, http.StatusBadGateway, failure{Why: "down"}, err)
		return
	}
	subject, said, f, err := c.oidc.exchange(r.Context(), at, c.callback(r), q.Get("code"), y)
	if f.Why != "" {
		c.notIn(w, r, http.StatusForbidden, f, err)
		return
	}
	c.admit(w, r, subject, said, c.next(y.next))
}

// exchange makes what the provider says about a person out of the code.
func (p *provider) exchange(ctx context.Context, at *oidc.Provider, callback, code string, y way) (subject string, said map[string]any, f failure, err error) {
	ctx = oidc.ClientContext(ctx, p.client)
	client := p.oauth(at, callback)
	tokens, err := client.Exchange(ctx, code, oauth2.VerifierOption(y.verifier))
	if err != nil {
		f.Why = "code"
		var refused *oauth2.RetrieveError
		if !errors.As(err, &refused) {
			f.Why = "down"
		} else if refused.ErrorCode == "invalid_client" || refused.ErrorCode == "unauthorized_client" {
			f.Why = "client"
		}
		return "", nil, f, err
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := at.Verifier(&oidc.Config{ClientID: p.ClientID, Now: p.now}).Verify(ctx, raw)
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(err, &expired):
		return "", nil, failure{Why: "expired", Minutes: int((p.now().Sub(expired.Expiry) + time.Minute - 1) / time.Minute)}, err
	case err == nil && subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(y.nonce)) != 1:
		err = errors.New("the ID token has another nonce")
	case err == nil && id.AccessTokenHash != "":
		err = id.VerifyAccessToken(tokens.AccessToken)
	}
	if err == nil {
		err = id.Claims(&said)
	}
	if err != nil {
		return "", nil, failure{Why: "token"}, err
	}
	if at.UserInfoEndpoint() == "" {
		return id.Subject, said, failure{}, nil
	}
	// Many providers keep groups and addresses out of ID tokens.
	info, err := at.UserInfo(ctx, client.TokenSource(ctx, tokens))
	more := map[string]any{}
	if err == nil && info.Subject != id.Subject {
		err = errors.New("the user information is about somebody else")
	}
	if err == nil {
		err = info.Claims(&more)
	}
	if err != nil {
		return "", nil, failure{Why: "token"}, fmt.Errorf("user information: %w", err)
	}
	maps.Copy(more, said) // what is signed counts first
	return id.Subject, more, failure{}, nil
}

// role is what the provider's people may do, by what it says about them; "" is
// nothing.
func (o OIDC) role(said map[string]any) store.Role {
	switch {
	case o.among(o.Admins, said):
		return store.Admin
	case o.among(o.Agents, said):
		return store.Agent
	}
	return ""
}

func (o OIDC) among(list []string, said map[string]any) bool {
	var groups []any
	switch g := said[o.GroupsClaim].(type) {
	case []any:
		groups = g
	case string:
		groups = []any{g}
	}
	// Whoever can write any address into their profile is not believed.
	mail := ""
	if v := said["email_verified"]; v == true || v == "true" {
		mail, _ = said["email"].(string)
		mail = strings.ToLower(mail)
	}
	_, domain, _ := strings.Cut(mail, "@")
	return slices.ContainsFunc(list, func(one string) bool {
		if !strings.Contains(one, "@") {
			return slices.Contains(groups, any(one))
		}
		one = strings.ToLower(one)
		return mail != "" && (one == mail || one == "@"+domain)
	})
}

// admit signs in whom the provider knows, if they may come in.
func (c *Console) admit(w http.ResponseWriter, r *http.Request, subject string, said map[string]any, next string) {
	ctx, users := r.Context(), c.o.Store.Users
	u, err := users.BySubject(ctx, c.oidc.Issuer, subject)
	known := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		c.failed(w, r, err)
		return
	}
	role := c.oidc.role(said)
	switch {
	case role == "":
		if known {
			if err := c.o.Store.Sessions.DeleteUser(ctx, u.Name); err != nil {
				c.failed(w, r, err)
				return
			}
		}
		f := failure{Why: "not-allowed"}
		if v := said["email_verified"]; v != true && v != "true" && said["email"] != nil {
			f.Why = "not-verified"
		}
		c.turnAway(w, r, u.Name, func() { c.notIn(w, r, http.StatusForbidden, f, nil) })
		return
	case known && u.Off:
		c.turnAway(w, r, u.Name, func() { c.notIn(w, r, http.StatusForbidden, failure{Why: "off"}, nil) })
		return
	case known && u.Role != role:
		if err = c.record(r, u.Name, "user.role", u.Name); err == nil {
			err = c.change(ctx, u.Name, func(u *store.User) { u.Role = role })
		}
	case !known:
		name, _ := said[c.oidc.NameClaim].(string)
		if name, err = UserName(name); err != nil {
			c.turnAway(w, r, "", func() { c.notIn(w, r, http.StatusForbidden, failure{Why: "name"}, nil) })
			return
		}
		u = store.User{Name: name, Role: role, Issuer: c.oidc.Issuer, Subject: subject, Made: c.o.Now()}
		if err = c.record(r, name, "user.add", name); err == nil {
			err = users.Add(ctx, u)
		}
		if errors.Is(err, store.ErrConflict) {
			// An account that was here first is nobody else's, whatever they call
			// themselves at the provider.
			c.turnAway(w, r, name, func() { c.notIn(w, r, http.StatusForbidden, failure{Why: "taken"}, nil) })
			return
		}
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	c.welcome(w, r, u.Name, next)
}
