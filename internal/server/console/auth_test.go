package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
)

// openToAll are the pages that need no session.
var openToAll = map[string]bool{
	"GET sign-in": true, "POST sign-in": true, "POST sign-in/code": true, "GET oidc": true, "GET oidc/callback": true,
}

func TestConsole_asksEveryoneToSignIn(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	require.Contains(t, d.routes, "GET /latchkey/support/users")
	for _, route := range d.routes {
		method, path, _ := strings.Cut(route, " ")
		path = strings.TrimSuffix(strings.TrimPrefix(path, "/latchkey/support/"), "{$}")
		if openToAll[method+" "+path] {
			continue
		}
		t.Run(route, func(t *testing.T) {
			b := d.tab()
			b.t = t
			path := strings.NewReplacer("{", "", "}", "").Replace(path)
			if method == "POST" {
				p := b.post(path)
				assert.Equal(t, http.StatusForbidden, p.status)
				assert.Contains(t, p.text(), "You have been signed out")
				return
			}
			p := b.directly().get(path + "?q=1")
			assert.Equal(t, http.StatusSeeOther, p.status)
			assert.Equal(t, "/latchkey/support/sign-in?next="+url.QueryEscape("/latchkey/support/"+path+"?q=1"), p.header.Get("Location"))
		})
	}
	assert.Empty(t, d.audit())
}

func TestConsole_leadsOnToWhatWasAskedFor(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	b := d.tab()
	p := b.get("account?done=x")
	require.Equal(t, "/latchkey/support/account?done=x", p.hidden("next"))
	p = b.post("sign-in", "name", "ann", "password", password, "next", p.hidden("next"))
	assert.Equal(t, "/latchkey/support/account?done=x", p.at)
	assert.Equal(t, "/latchkey/support/account", b.get("sign-in?next=/latchkey/support/account").at, "who is signed in goes on at once")
}

func TestNext_neverLeavesTheConsole(t *testing.T) {
	c := &Console{at: "/latchkey/support/"}
	for _, s := range []string{"/latchkey/support/", "/latchkey/support/cases?text=a%20b&open=1", "/latchkey/support/users/a%2Fb"} {
		assert.Equal(t, s, c.next(s))
	}
	for _, s := range []string{
		"", "/", "https://evil.example/latchkey/support/", "//evil.example/latchkey/support/", `/\evil.example/latchkey/support/`,
		"/latchkey/support", "/latchkey/supportive", "/latchkey/support/../../evil", "/latchkey/support/%2e%2e/%2e%2e/evil", "javascript:alert(1)",
		"/latchkey/support/\\evil", "/latchkey/support/\r\nSet-Cookie: a=b", "/latchkey/support/%zz", " /latchkey/support/",
	} {
		assert.Equal(t, "/latchkey/support/", c.next(s), "%q", s)
	}
}

func TestRequire_refusesFormsOfOthers(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Admin)
	d.user("eve", store.Admin)
	ann, eve := d.tab().signIn("ann"), d.tab().signIn("eve")
	right := ann.get("users").hidden("csrf")
	require.NotEmpty(t, right)
	for _, c := range []struct {
		name   string
		csrf   string
		change func(r *http.Request)
	}{
		{"without the field", "", nil},
		{"with another session's field", eve.get("users").hidden("csrf"), nil},
		{"with the field in the address", "", func(r *http.Request) { r.URL.RawQuery = "csrf=" + right }},
		{"from another site", right, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }},
		{"from another host of the site", right, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }},
		{"from another site, in an older browser", right, func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "https://evil.example")
		}},
		{"from a page that hides its origin", right, func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "null")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := url.Values{"name": {"mallory"}, "role": {"admin"}}
			if c.csrf != "" {
				f.Set("csrf", c.csrf)
			}
			req := ann.form("users", f)
			if c.change != nil {
				c.change(req)
			}
			p := ann.do(req)
			assert.Equal(t, http.StatusForbidden, p.status)
			assert.Contains(t, p.text(), "Nothing was done")
			_, err := d.store.Users.Get(t.Context(), "mallory")
			require.ErrorIs(t, err, store.ErrNotFound)
		})
	}
	p := ann.post("users", "name", "bob", "role", "agent", "csrf", right)
	assert.Equal(t, http.StatusOK, p.status, "and the right one is taken")
}

func TestSignIn_isNotDoneFromAnotherSite(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("eve", store.Agent)
	b := d.tab()
	req := b.form("sign-in", url.Values{"name": {"eve"}, "password": {password}})
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	assert.Equal(t, http.StatusForbidden, b.do(req).status)
	assert.Empty(t, b.cookies(), "a person must not find themselves in somebody else's account")
}

func TestSession_cookieIsKeptSafe(t *testing.T) {
	for _, c := range []struct {
		name  string
		https bool
		want  string
	}{
		{"https", true, "__Host-latchkey=TOKEN; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"plain http to this machine", false, "latchkey_console=TOKEN; Path=/latchkey/support/; HttpOnly; SameSite=Lax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, c.https, nil)
			d.user("ann", store.Agent)
			p := d.tab().directly().post("sign-in", "name", "ann", "password", password)
			require.Len(t, p.set, 1)
			assert.Equal(t, c.want, strings.Replace(p.set[0].String(), p.set[0].Value, "TOKEN", 1))
			assert.GreaterOrEqual(t, len(p.set[0].Value), 22, "128 bits")
			hash, ok := store.HashToken(p.set[0].Value)
			require.True(t, ok)
			_, err := d.store.Sessions.Get(t.Context(), hash)
			require.NoError(t, err, "only the hash is kept")
		})
	}
}

func TestSignIn_isNotOfferedWhereOthersCanListen(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	for _, host := range []string{"portal.example", "192.0.2.1:8080", "localhost.evil.example"} {
		for method, handler := range map[string]http.HandlerFunc{"GET": d.console.signInPage, "POST": d.console.signIn} {
			req := httptest.NewRequest(method, "http://"+host+"/latchkey/support/sign-in", strings.NewReader("name=ann&password="+url.QueryEscape(password)))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			got := httptest.NewRecorder()
			handler(got, req)
			assert.Contains(t, got.Body.String(), "Nobody can sign in over this connection", host)
			assert.NotContains(t, got.Body.String(), `type="password"`)
			assert.Empty(t, got.Result().Cookies())
		}
	}
	assert.Empty(t, d.audit())
}

func TestSession_isNewWithEachSignIn(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	b := d.tab()
	planted, _ := store.NewToken()
	b.keep(&http.Cookie{Name: plainCookie, Value: planted, Path: "/latchkey/support/"})
	b.signIn("ann")
	first := b.cookies()
	require.Len(t, first, 1)
	assert.NotEqual(t, planted, first[0].Value, "whoever planted a token does not know the session's")

	csrf := b.get("account").hidden("csrf")
	b.signIn("ann")
	second := b.cookies()
	require.Len(t, second, 1)
	assert.NotEqual(t, first[0].Value, second[0].Value)
	assert.NotEqual(t, csrf, b.get("account").hidden("csrf"))

	old := d.tab()
	old.keep(first[0])
	assert.False(t, old.in(), "the session before is over")
}

func TestSession_ends(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(t *testing.T, d *desk, b *tab)
		in   bool
	}{
		{"not while somebody is there, for a working day", func(_ *testing.T, d *desk, b *tab) {
			for range 16 {
				d.clock.Move(29 * time.Minute)
				b.get("account")
			}
		}, true},
		{"after half an hour without anything", func(_ *testing.T, d *desk, _ *tab) { d.clock.Move(31 * time.Minute) }, false},
		{"after eight hours, whatever was done", func(_ *testing.T, d *desk, b *tab) {
			for range 17 {
				d.clock.Move(29 * time.Minute)
				b.get("account")
			}
		}, false},
		{"although a page feeds itself", func(t *testing.T, d *desk, b *tab) {
			d.clock.Move(20 * time.Minute)
			req := httptest.NewRequest("GET", b.address("account"), nil)
			req.RequestURI = ""
			req.Header.Set("Sec-Fetch-Dest", "empty")
			require.Equal(t, http.StatusOK, b.do(req).status)
			d.clock.Move(20 * time.Minute)
		}, false},
		{"with signing out", func(t *testing.T, d *desk, b *tab) {
			kept := b.cookies()
			p := b.send("account", "sign-out")
			assert.Equal(t, "/latchkey/support/sign-in", p.at)
			assert.Empty(t, b.cookies())
			b.keep(kept[0])
		}, false},
		{"when the account is turned off", func(t *testing.T, d *desk, b *tab) {
			d.user("grace", store.Admin)
			d.tab().signIn("grace").send("users/ann", "users/ann/off")
		}, false},
		{"when the account is removed", func(t *testing.T, d *desk, _ *tab) {
			d.user("grace", store.Admin)
			d.tab().signIn("grace").send("users/ann", "users/ann/remove")
		}, false},
		{"when the account is off, however that came", func(t *testing.T, d *desk, _ *tab) {
			u, err := d.store.Users.Get(t.Context(), "ann")
			require.NoError(t, err)
			u.Off = true
			require.NoError(t, d.store.Users.Set(t.Context(), u))
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, false, nil)
			d.user("ann", store.Agent)
			b := d.tab().signIn("ann")
			require.True(t, b.in())
			c.end(t, d, b)
			assert.Equal(t, c.in, b.in())
		})
	}
}

func TestSignOut_isNoLink(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	b := d.tab().signIn("ann")
	assert.Equal(t, http.StatusMethodNotAllowed, b.get("sign-out").status)
	assert.Equal(t, http.StatusForbidden, b.post("sign-out").status, "nor a form of somebody else's")
	assert.True(t, b.in())
}

func TestRequire_keepsAgentsOutOfWhatIsForAdmins(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	b := d.tab().signIn("ann")
	csrf := b.get("account").hidden("csrf")
	for _, path := range []string{"users", "users/ann", "audit"} {
		p := b.get(path)
		assert.Equal(t, http.StatusForbidden, p.status, path)
		assert.Contains(t, p.text(), "This page is for admins")
	}
	for _, path := range []string{"users", "users/ann/role", "users/ann/remove"} {
		assert.Equal(t, http.StatusForbidden, b.post(path, "csrf", csrf, "role", "admin", "name", "eve").status, path)
	}
	u, err := d.store.Users.Get(t.Context(), "ann")
	require.NoError(t, err)
	assert.Equal(t, store.Agent, u.Role)
}

func TestAudit_whatCannotBeWrittenDownIsNotDone(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("grace", store.Admin)
	d.user("ann", store.Agent)
	root := d.tab().signIn("grace")
	csrf := root.get("users").hidden("csrf")
	before, err := d.store.Users.List(t.Context())
	require.NoError(t, err)
	d.store.Audit = brokenAudit{d.store.Audit}

	for _, path := range []string{"users", "users/ann/off", "users/ann/role", "users/ann/password", "users/ann/remove", "sign-out"} {
		p := root.post(path, "csrf", csrf, "name", "eve", "role", "admin")
		assert.Equal(t, http.StatusServiceUnavailable, p.status, path)
	}
	after, err := d.store.Users.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, after)
	assert.True(t, root.in())

	ann := d.tab()
	assert.Equal(t, http.StatusServiceUnavailable, ann.post("sign-in", "name", "ann", "password", password).status)
	assert.Empty(t, ann.cookies())
}

func TestConsole_pagesAreStrict(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("grace", store.Admin)
	b := d.tab().signIn("grace")
	out := d.tab()
	for _, p := range []answer{out.get("sign-in"), b.get("account"), b.get("account/second-factor"), b.get("users"), b.get("users/grace"), b.get("audit")} {
		assert.Contains(t, p.header.Get("Content-Security-Policy"), "default-src 'none'", p.at)
		assert.Contains(t, p.header.Get("Content-Security-Policy"), "frame-ancestors 'none'", p.at)
		assert.NotContains(t, p.header.Get("Content-Security-Policy"), "unsafe", p.at)
		assert.Equal(t, "no-store", p.header.Get("Cache-Control"), p.at)
		assert.NotContains(t, p.body, " style=", p.at)
		assert.NotContains(t, p.body, "<script>", p.at)
	}
}
