package console

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"time"

	"latchkey/internal/store"
)

// How long people stay signed in if the configuration does not say.
const (
	DefaultSession = 8 * time.Hour    // a working day
	DefaultIdle    = 30 * time.Minute // a call, and the one after it
)

// touchEvery spares the store a write for each page: that somebody is there is known
// to the minute.
const touchEvery = time.Minute

// The name of the session's cookie. The first can only have been set by this very
// host, over https, which is why its path is /. Browsers differ in whether they take
// that one over plain http from their own machine, so there it is the second.
const (
	hostCookie  = "__Host-latchkey"
	plainCookie = "latchkey_console"
)

// prepareAccounts fills in what the options left out.
func (c *Console) prepareAccounts() (err error) {
	c.o.Session = cmp.Or(c.o.Session, DefaultSession)
	c.o.Idle = cmp.Or(c.o.Idle, DefaultIdle)
	c.oidc = newProvider(c.o.OIDC, c.o.Now)
	c.sameOrigin = http.NewCrossOriginProtection()
	c.sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.refuse(w, r, http.StatusForbidden, "form")
	}))
	c.passwords, err = newPasswords()
	return err
}

// reachable is whether a cookie can be kept safe on the way that the request came:
// over https, or not over any network.
func (c *Console) reachable(r *http.Request) bool {
	if c.o.HTTPS(r) {
		return true
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// cookie is how the browser is asked to keep something for the console: the session
// if kind is "". SameSite is Lax and not Strict, because people come back from their
// identity provider by a link of another site, and with Strict neither the session
// nor what was noted before would come along.
func (c *Console) cookie(r *http.Request, kind string) *http.Cookie {
	k := &http.Cookie{Name: hostCookie + kind, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode}
	if !c.o.HTTPS(r) {
		k.Name, k.Path, k.Secure = plainCookie+kind, c.at, false
	}
	return k
}

// forget makes the browser drop a cookie.
func (c *Console) forget(w http.ResponseWriter, r *http.Request, kind string) {
	k := c.cookie(r, kind)
	k.MaxAge = -1
	http.SetCookie(w, k)
}

// kept is the value of the cookie, or "".
func (c *Console) kept(r *http.Request, kind string) string {
	k, err := r.Cookie(c.cookie(r, kind).Name)
	if err != nil {
		return ""
	}
	return k.Value
}

// visit finds who is signed in: ErrNotFound if nobody is.
func (c *Console) visit(r *http.Request) (Visitor, error) {
	hash, ok := store.HashToken(c.kept(r, ""))
	if !ok {
		return Visitor{}, store.ErrNotFound
	}
	s, err := c.o.Store.Sessions.Get(r.Context(), hash)
	if err != nil {
		return Visitor{}, err
	}
	now := c.o.Now()
	if now.Sub(s.Seen) > c.o.Idle {
		return Visitor{}, cmp.Or(c.o.Store.Sessions.Delete(r.Context(), hash), store.ErrNotFound)
	}
	u, err := c.o.Store.Users.Get(r.Context(), s.User)
	if err != nil {
		return Visitor{}, err
	}
	if u.Off {
		return Visitor{}, store.ErrNotFound
	}
	// What a page's script asks for comes by itself: nobody need be there.
	if r.Header.Get("Sec-Fetch-Dest") != "empty" && now.Sub(s.Seen) >= touchEvery {
		// A disk that is full is no reason to turn somebody away who reads.
		if err := c.o.Store.Sessions.Touch(r.Context(), hash); err != nil {
			c.o.Log.Warn("cannot note that somebody is there", "error", err)
		}
	}
	return Visitor{Name: u.Name, Role: u.Role, CSRF: s.CSRF, From: c.from(r)}, nil
}

// from is the address that a request came from.
func (c *Console) from(r *http.Request) string { return c.o.Client(r).String() }

// line is what counts as one address where tries are counted: of IPv6 the part that
// a line has for itself, and changes its addresses in.
func (c *Console) line(r *http.Request) string {
	addr := c.o.Client(r)
	if addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.String()
}

// require lets only who has the role through: others are sent to sign in, or refused.
// It refuses forms without the right CSRF field.
func (c *Console) require(role store.Role, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		v, err := c.visit(r)
		switch {
		case errors.Is(err, store.ErrNotFound) && reads:
			http.Redirect(w, r, c.at+"sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		case errors.Is(err, store.ErrNotFound):
			c.refuse(w, r, http.StatusForbidden, "signed-out")
			return
		case err != nil:
			c.failed(w, r, err)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
		switch {
		case role == store.Admin && v.Role != store.Admin:
			c.refuse(w, r, http.StatusForbidden, "role")
		case !reads && subtle.ConstantTimeCompare([]byte(r.PostFormValue("csrf")), []byte(v.CSRF)) != 1:
			c.refuse(w, r, http.StatusForbidden, "form")
		default:
			next(w, r)
		}
	}
}

// refuse answers that nothing was done, and why, in one of the ways that
// templates/refused.html knows.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	c.render(w, r, status, "refused", why)
}

// audit writes down what is about to be done. Nothing is done if that fails.
func (c *Console) audit(r *http.Request, did, what string) error {
	return c.record(r, visitor(r.Context()).Name, did, what)
}

// record is audit where nobody is signed in.
func (c *Console) record(r *http.Request, who, did, what string) error {
	return c.o.Store.Audit.Add(r.Context(), store.Entry{At: c.o.Now(), Who: who, Did: did, What: what, From: c.from(r)})
}

// enter signs the user in: the session is a new one, whatever the browser brought.
func (c *Console) enter(w http.ResponseWriter, r *http.Request, user string) error {
	ctx := r.Context()
	if hash, ok := store.HashToken(c.kept(r, "")); ok {
		if err := c.o.Store.Sessions.Delete(ctx, hash); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	token, hash := store.NewToken()
	csrf, _ := store.NewToken()
	now := c.o.Now()
	if err := c.o.Store.Sessions.Add(ctx, store.Session{
		Hash: hash, User: user, CSRF: csrf, Made: now, Seen: now, Expires: now.Add(c.o.Session),
	}); err != nil {
		return err
	}
	k := c.cookie(r, "")
	k.Value = token
	http.SetCookie(w, k)
	return nil
}

// alone ends all sessions of a user but the one of this browser, which gets a new
// token: for when what signs them in has changed.
func (c *Console) alone(w http.ResponseWriter, r *http.Request, user string) error {
	if err := c.o.Store.Sessions.DeleteUser(r.Context(), user); err != nil {
		return err
	}
	return c.enter(w, r, user)
}

// next is where to go after signing in: a path of the console, or its first page.
// It is never another site's, whatever stands in the address.
func (c *Console) next(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.IsAbs() || u.Host != "" || strings.ContainsAny(s, "\\\t\r\n") ||
		!strings.HasPrefix(s, c.at) || !strings.HasPrefix(path.Clean(u.Path)+"/", c.at) {
		return c.at
	}
	return s
}
