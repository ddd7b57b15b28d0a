package console

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
	"latchkey/internal/testkit/idp"
)

// withIDP is a console that a provider signs people in to.
func withIDP(t *testing.T, change func(o *OIDC)) (*desk, *idp.Provider) {
	t.Helper()
	var p *idp.Provider
	d := newDesk(t, false, func(d *desk, o *Options) {
		p = idp.Start(t, d.url+"/latchkey/support/oidc/callback", nil)
		o.OIDC = OIDC{
			Name: "Example ID", Issuer: p.URL, ClientID: "latchkey", Secret: idp.Secret,
			Admins: []string{"helpdesk-admins"}, Agents: []string{"@portal.example"},
		}
		if change != nil {
			change(&o.OIDC)
		}
	})
	d.clock.Move(time.Since(d.clock.Now())) // the provider's
	return d, p
}

// answerOf signs in at the provider, and stops where it sends the browser back: the
// address that it should open then.
func (b *tab) answerOf(p *idp.Provider, name, next string) string {
	b.t.Helper()
	client := *b.client
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/oidc/callback") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	to := &tab{b.t, &client, b.desk}
	form := to.get("oidc?next=" + url.QueryEscape(next))
	require.True(b.t, strings.HasPrefix(form.at, "/login/username?"), form.text())
	back := to.post(p.URL+"/login/username", "id", form.hidden("id"), "username", name, "password", idp.Password)
	require.Equal(b.t, http.StatusFound, back.status, back.text())
	return back.header.Get("Location")
}

// over signs in at the provider.
func (b *tab) over(p *idp.Provider, name, next string) answer {
	b.t.Helper()
	return b.get(b.answerOf(p, name, next))
}

func TestOIDC_letsInByGroupAndAddress(t *testing.T) {
	d, p := withIDP(t, nil)
	sign := d.tab().get("sign-in?next=/latchkey/support/account")
	assert.Contains(t, sign.text(), "Sign in with Example ID")
	assert.NotContains(t, sign.body, `type="password"`, "there are no local accounts")
	assert.NotContains(t, sign.text(), "Nobody may sign in yet.")

	for _, c := range []struct {
		name, as string
		role     store.Role
	}{
		{"Ann", "ann", store.Agent},
		{"dora", "dora", store.Admin},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := d.tab()
			q := b.over(p, c.name, "/latchkey/support/account?done=x")
			assert.Equal(t, "/latchkey/support/account?done=x", q.at, q.text())
			assert.Contains(t, q.text(), "You are signed in as "+c.as)
			assert.Contains(t, q.text(), "those of your identity provider")
			u, err := d.store.Users.Get(t.Context(), c.as)
			require.NoError(t, err)
			assert.Equal(t, c.role, u.Role)
			assert.Equal(t, p.URL, u.Issuer)
			assert.Empty(t, u.Hash)
			assert.Len(t, b.cookies(), 1, "what the sign-in began with is dropped")
			status := map[store.Role]int{store.Agent: http.StatusForbidden, store.Admin: http.StatusOK}[c.role]
			assert.Equal(t, status, b.get("users").status)
		})
	}
	b := d.tab()
	b.over(p, "Ann", "")
	require.True(t, b.in())
	users, err := d.store.Users.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, users, 2, "who comes again is the same")
	assert.Equal(t, []string{"ann user.add ann", "ann signin.ok ann", "dora user.add dora", "dora signin.ok dora", "ann signin.ok ann"}, d.audit())
	assert.NotContains(t, d.log.String(), idp.Secret)
}

func TestOIDC_roleFollowsTheProvider(t *testing.T) {
	d, p := withIDP(t, nil)
	b := d.tab()
	b.over(p, "dora", "")
	require.Equal(t, http.StatusOK, b.get("users").status)

	p.Groups["4"] = nil
	p.People["4"].Email = "dora@portal.example"
	d.tab().over(p, "dora", "")
	assert.Equal(t, http.StatusForbidden, b.get("users").status, "an agent now, in each session")
	require.True(t, b.in())

	p.People["4"].Email = "dora@other.example"
	assert.Contains(t, d.tab().over(p, "dora", "").text(), "You may not use this console")
	assert.False(t, b.in(), "who may not come in any more is out")
	assert.Equal(t, []string{
		"dora user.add dora", "dora signin.ok dora", "dora user.role dora", "dora signin.ok dora", " signin.failed dora",
	}, d.audit())
}

func TestOIDC_turnsAway(t *testing.T) {
	for _, c := range []struct {
		name, as string
		change   func(t *testing.T, d *desk, p *idp.Provider)
		why      string
		audit    string
	}{
		{"somebody of no group and another domain", "ben", nil, "not-allowed", ""},
		{"an address that nobody verified", "cleo", nil, "not-verified", ""},
		{"an address that only ends like one", "fay", nil, "not-allowed", ""},
		{"a name that cannot be", `<img src=x onerror=alert(1)>`, nil, "name", ""},
		{"a name that a local account has", "Ann", func(t *testing.T, d *desk, _ *idp.Provider) { d.user("ann", store.Admin) }, "taken", "ann"},
		{"an account that is off", "Ann", func(t *testing.T, d *desk, p *idp.Provider) {
			require.NoError(t, d.store.Users.Add(t.Context(), store.User{Name: "ann.b", Role: store.Agent, Issuer: p.URL, Subject: "1", Off: true}))
		}, "off", "ann.b"},
		{"somebody whom the user information does not fit", "Ann", func(_ *testing.T, _ *desk, p *idp.Provider) { p.MixUp = true }, "token", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, p := withIDP(t, nil)
			if c.change != nil {
				c.change(t, d, p)
			}
			before, err := d.store.Users.List(t.Context())
			require.NoError(t, err)
			b := d.tab()
			q := b.over(p, c.as, "")
			assert.Equal(t, http.StatusForbidden, q.status)
			assert.Contains(t, q.body, `data-why="`+c.why+`"`)
			assert.NotContains(t, q.body, "<img")
			assert.NotContains(t, q.body+d.log.String(), p.People["1"].Email)
			assert.Empty(t, b.cookies())
			after, err := d.store.Users.List(t.Context())
			require.NoError(t, err)
			assert.Equal(t, before, after)
			if c.why != "token" {
				lines := d.audit()
				require.NotEmpty(t, lines)
				assert.Equal(t, " signin.failed "+c.audit, lines[len(lines)-1])
			}
		})
	}
}

func TestOIDC_takesNoAnswerThatIsNotToItsQuestion(t *testing.T) {
	change := func(which int, to string) func(t *testing.T, b *tab, _ *string) {
		return func(t *testing.T, b *tab, _ *string) {
			k := b.cookies()
			require.Len(t, k, 1)
			parts := strings.Split(k[0].Value, ".")
			parts[which] = to
			b.keep(&http.Cookie{Name: k[0].Name, Value: strings.Join(parts, "."), Path: "/latchkey/support/"})
		}
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, b *tab, back *string)
		why    string
	}{
		{"with another state", func(_ *testing.T, _ *tab, back *string) { *back = strings.Replace(*back, "state=", "state=x", 1) }, "state"},
		{"without a state", func(_ *testing.T, _ *tab, back *string) { *back = strings.Replace(*back, "state=", "estate=", 1) }, "state"},
		{"in a browser that did not ask", func(_ *testing.T, b *tab, _ *string) { b.client.Jar = b.desk.tab().client.Jar }, "state"},
		{"in a browser that asked for something else since", func(_ *testing.T, b *tab, _ *string) { b.directly().get("oidc") }, "state"},
		{"with an empty state on both sides", func(t *testing.T, b *tab, back *string) {
			change(0, "")(t, b, nil)
			*back = strings.Replace(*back, "state=", "state=&x=", 1)
		}, "state"},
		{"with another nonce", change(1, "another"), "token"},
		{"with another proof of who asked", change(2, strings.Repeat("v", 43)), "code"},
		{"without a code", func(_ *testing.T, _ *tab, back *string) { *back = strings.Replace(*back, "code=", "mode=", 1) }, "code"},
		{"with a made-up code", func(_ *testing.T, _ *tab, back *string) { *back = strings.Replace(*back, "code=", "code=x", 1) }, "code"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, p := withIDP(t, nil)
			b := d.tab()
			back := b.answerOf(p, "Ann", "")
			c.change(t, b, &back)
			q := b.get(back)
			assert.Equal(t, http.StatusForbidden, q.status)
			assert.Contains(t, q.body, `data-why="`+c.why+`"`)
			assert.False(t, b.in())
			users, err := d.store.Users.List(t.Context())
			require.NoError(t, err)
			assert.Empty(t, users)
			again := b.over(p, "Ann", "")
			assert.Equal(t, "/latchkey/support/", again.at, "begun anew it works")
		})
	}
}

func TestOIDC_takesEachAnswerOnce(t *testing.T) {
	d, p := withIDP(t, nil)
	b := d.tab()
	back := b.answerOf(p, "Ann", "")
	way := b.cookies()
	require.Len(t, way, 1)
	require.Equal(t, "/latchkey/support/", b.get(back).at)
	assert.Contains(t, b.get(back).body, `data-why="state"`, "the browser has dropped what it asked with")

	thief := d.tab()
	thief.keep(&http.Cookie{Name: way[0].Name, Value: way[0].Value, Path: "/latchkey/support/"})
	assert.Contains(t, thief.get(back).body, `data-why="code"`, "and the provider takes no code twice")
	assert.False(t, thief.in())
}

func TestOIDC_leadsNowhereElse(t *testing.T) {
	d, p := withIDP(t, nil)
	assert.Equal(t, "/latchkey/support/", d.tab().over(p, "Ann", "https://evil.example/").at)
	b := d.tab()
	back := b.answerOf(p, "Ann", "")
	parts := strings.Split(b.cookies()[0].Value, ".")
	y, ok := parseWay(strings.Join(parts, "."))
	require.True(t, ok)
	y.next = "//evil.example/"
	b.keep(&http.Cookie{Name: b.cookies()[0].Name, Value: y.String(), Path: "/latchkey/support/"})
	assert.Equal(t, "/latchkey/support/", b.directly().get(back).header.Get("Location"), "not even by a cookie that somebody planted")
}

func TestOIDC_tellsThatClocksDiffer(t *testing.T) {
	d, p := withIDP(t, nil)
	b := d.tab()
	back := b.answerOf(p, "Ann", "")
	d.clock.Move(time.Hour + 4*time.Minute)
	q := b.get(back)
	assert.Contains(t, q.text(), "The clocks of two servers differ")
	assert.Regexp(t, `had run out [45] minutes before it came`, q.text())
	assert.False(t, b.in())
}

func TestOIDC_tellsWhatTheProviderRefuses(t *testing.T) {
	for _, c := range []struct{ code, why, shown string }{
		{"access_denied", "denied", ""},
		{"login_required", "refused", "login_required"},
		{"<script>alert(1)</script>", "refused", ""},
		{"Call 555-0100 and tell them your password", "refused", ""},
	} {
		d, p := withIDP(t, nil)
		b := d.tab()
		back, err := url.Parse(b.answerOf(p, "Ann", ""))
		require.NoError(t, err)
		back.RawQuery = url.Values{"state": {back.Query().Get("state")}, "error": {c.code}, "error_description": {"Call 555-0100"}}.Encode()
		q := b.get(back.String())
		assert.Equal(t, http.StatusForbidden, q.status)
		assert.Contains(t, q.body, `data-why="`+c.why+`"`)
		assert.NotContains(t, q.body, "555-0100")
		assert.NotContains(t, q.body, "<script>")
		if c.shown != "" {
			assert.Contains(t, q.text(), c.shown)
		}
	}
}

func TestOIDC_tellsThatTheClientIsUnknown(t *testing.T) {
	const wrong = "not-the-secret-of-the-client"
	d, p := withIDP(t, func(o *OIDC) { o.Secret = wrong })
	q := d.tab().over(p, "Ann", "")
	assert.Contains(t, q.body, `data-why="client"`)
	assert.Contains(t, q.text(), "client_id")
	assert.NotContains(t, q.body+d.log.String(), wrong)
	assert.Contains(t, d.log.String(), "invalid_client", "whoever runs the server reads why")
}

func TestOIDC_believesNoOtherKey(t *testing.T) {
	d, p := withIDP(t, nil)
	other := idp.Start(t, "http://127.0.0.1/", nil)
	swap := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/keys" {
			return false
		}
		http.Redirect(w, r, other.URL+"/keys", http.StatusFound)
		return true
	}
	p.Instead(swap)
	b := d.tab()
	assert.Contains(t, b.over(p, "Ann", "").body, `data-why="token"`)
	assert.False(t, b.in())
}

func TestOIDC_startsWithoutItsProvider(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())

	d := newDesk(t, false, func(_ *desk, o *Options) {
		o.OIDC = OIDC{Issuer: "http://" + address, ClientID: "latchkey", Secret: idp.Secret, Agents: []string{"@portal.example"}}
	})
	b := d.tab()
	assert.Contains(t, b.get("sign-in").text(), "Sign in with "+address)
	q := b.get("oidc")
	assert.Equal(t, http.StatusBadGateway, q.status)
	assert.Contains(t, q.text(), address+" does not answer")
	assert.Contains(t, d.log.String(), "connection refused")

	listener, err = net.Listen("tcp", address)
	require.NoError(t, err)
	p := idp.Start(t, d.url+"/latchkey/support/oidc/callback", listener)
	d.clock.Move(time.Since(d.clock.Now()))
	assert.Equal(t, "/latchkey/support/", b.over(p, "Ann", "").at, "it is asked anew")

	broken := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/oauth/token" {
			return false
		}
		panic(http.ErrAbortHandler)
	}
	p.Instead(broken)
	assert.Contains(t, d.tab().over(p, "Ann", "").body, `data-why="down"`)
}

func TestOIDC_isNotThereIfNobodyNamedIt(t *testing.T) {
	d := newDesk(t, false, nil)
	for _, path := range []string{"oidc", "oidc/callback?code=x&state=y"} {
		assert.Equal(t, http.StatusNotFound, d.tab().get(path).status)
	}
}

func TestOIDC_role(t *testing.T) {
	o := newProvider(OIDC{Issuer: "https://idp.example", Admins: []string{"boss@portal.example", "ops"}, Agents: []string{"@portal.example", "help"}}, time.Now).OIDC
	for _, c := range []struct {
		name string
		said map[string]any
		want store.Role
	}{
		{"nothing said", nil, ""},
		{"a group", map[string]any{"groups": []any{"x", "help"}}, store.Agent},
		{"both groups", map[string]any{"groups": []any{"help", "ops"}}, store.Admin},
		{"one group, not in a list", map[string]any{"groups": "ops"}, store.Admin},
		{"groups that are no words", map[string]any{"groups": []any{1, nil, map[string]any{}}}, ""},
		{"a group that looks like an address", map[string]any{"groups": []any{"boss@portal.example", "@portal.example"}}, ""},
		{"an address in capitals", map[string]any{"email": "Boss@Portal.Example", "email_verified": true}, store.Admin},
		{"verified in words, as some providers write it", map[string]any{"email": "a@portal.example", "email_verified": "true"}, store.Agent},
		{"not verified", map[string]any{"email": "boss@portal.example", "email_verified": false}, ""},
		{"nobody says whether it is verified", map[string]any{"email": "boss@portal.example"}, ""},
		{"a domain below", map[string]any{"email": "a@sub.portal.example", "email_verified": true}, ""},
		{"an address that is only the domain", map[string]any{"email": "portal.example", "email_verified": true}, ""},
		{"an empty one", map[string]any{"email": "", "email_verified": true}, ""},
	} {
		assert.Equal(t, c.want, o.role(c.said), c.name)
	}
}
