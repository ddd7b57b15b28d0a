package console

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
)

func TestSignIn_letsInWhoKnowsThePassword(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	b := d.tab()
	d.clock.Move(time.Hour)
	p := b.post("sign-in", "name", " Ann ", "password", password)
	assert.Equal(t, "/latchkey/support/", p.at)
	assert.Contains(t, p.text(), "ann", "the page says who one is")
	assert.Equal(t, []string{"ann signin.ok ann"}, d.audit())
	u, err := d.store.Users.Get(t.Context(), "ann")
	require.NoError(t, err)
	assert.Equal(t, d.clock.Now(), u.Seen)
}

func TestSignIn_turnsAwayAllOthersAlike(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	require.NoError(t, d.store.Users.Add(t.Context(), store.User{Name: "olga", Role: store.Admin, Issuer: "https://idp.example", Subject: "7"}))
	words := ""
	for _, c := range []struct{ name, as, password, audit string }{
		{"a wrong password", "ann", "correct horse battery stable", "ann"},
		{"an empty one", "ann", "", "ann"},
		{"a right one in capitals", "ann", strings.ToUpper(password), "ann"},
		{"one with something after it", "ann", password + "\x00", "ann"},
		{"a very long one", "ann", strings.Repeat("a", 100_000), "ann"},
		{"nobody of that name", "bob", password, ""},
		{"a name that cannot be", "ann\r\nSet-Cookie: a=b", password, ""},
		{"a password where the name belongs", "hunter2-hunter2", "x", ""},
		{"no name", "", password, ""},
		{"somebody of the identity provider", "olga", password, "olga"},
		{"the same with no password", "olga", "", "olga"},
		{"markup", `"><script>alert(1)</script>`, password, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := d.tab()
			p := b.post("sign-in", "name", c.as, "password", c.password)
			assert.Equal(t, http.StatusForbidden, p.status)
			if words == "" {
				words = p.text()
			}
			assert.Equal(t, words, p.text())
			assert.Contains(t, words, "The name or the password is wrong.")
			assert.Empty(t, b.cookies())
			assert.NotContains(t, p.body, "<script>")
			if len(c.password) > 1 {
				assert.NotContains(t, p.body, c.password)
				assert.NotContains(t, d.log.String(), c.password)
			}
			lines := d.audit()
			assert.Equal(t, " signin.failed "+c.audit, lines[len(lines)-1], "what was typed as an unknown name may be a password")
		})
		d.clock.Move(triesWindow)
	}
}

func TestSignIn_costsTheSameForNobody(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	d.console.passwords.wait = time.Millisecond
	for range hashers {
		d.console.passwords.slots <- struct{}{}
	}
	for _, name := range []string{"ann", "nobody", "!"} {
		p := d.tab().post("sign-in", "name", name, "password", password)
		assert.Equal(t, http.StatusServiceUnavailable, p.status, "%s did not stand in line for a hash", name)
		assert.Contains(t, p.text(), "Too many people are signing in right now.")
	}
	assert.Empty(t, d.audit())
}

func TestSignIn_isThrottledForAnAccount(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	d.user("bob", store.Agent)
	for _, name := range []string{"ann", "nobody"} {
		for range triesOfAccount {
			require.Equal(t, http.StatusForbidden, d.tab().post("sign-in", "name", name, "password", "wrong").status)
		}
		b := d.tab()
		p := b.post("sign-in", "name", name, "password", password)
		assert.Equal(t, http.StatusTooManyRequests, p.status, name)
		assert.Equal(t, "900", p.header.Get("Retry-After"))
		assert.Contains(t, p.text(), "That was tried too often. Wait 15 minutes, then try again.")
		assert.Empty(t, b.cookies(), "not even with the right one")
	}
	d.tab().signIn("bob")
	d.clock.Move(triesWindow - time.Minute)
	assert.Contains(t, d.tab().post("sign-in", "name", "ann", "password", password).text(), "Wait a minute,")
	d.clock.Move(time.Minute - time.Second)
	assert.Contains(t, d.tab().post("sign-in", "name", "ann", "password", password).text(), "Wait a minute,", "seconds count, too")
	d.clock.Move(time.Second)
	d.tab().signIn("ann")
}

func TestSignIn_isThrottledForAnAddress(t *testing.T) {
	var from netip.Addr
	d := newDesk(t, false, func(_ *desk, o *Options) {
		o.Client = func(*http.Request) netip.Addr { return from }
		o.OIDC = OIDC{Issuer: "http://127.0.0.1:1", ClientID: "latchkey"}
	})
	d.user("ann", store.Agent)
	for _, c := range []struct{ tries, same, other string }{
		{"192.0.2.7", "192.0.2.7", "192.0.2.8"},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"},
	} {
		from = netip.MustParseAddr(c.tries)
		for range triesOfAddress / 2 { // sixty hashes take seconds: these come back from nowhere
			for _, path := range []string{"oidc/callback", "oidc/callback?code=x&state=y"} {
				require.Equal(t, http.StatusForbidden, d.tab().get(path).status)
			}
		}
		from = netip.MustParseAddr(c.same)
		assert.Equal(t, http.StatusTooManyRequests, d.tab().post("sign-in", "name", "ann", "password", password).status, c.same)
		for _, path := range []string{"oidc", "oidc/callback?code=x&state=y"} {
			assert.Equal(t, http.StatusTooManyRequests, d.tab().get(path).status, "the provider is not asked for it either")
		}
		from = netip.MustParseAddr(c.other)
		assert.Equal(t, http.StatusOK, d.tab().post("sign-in", "name", "ann", "password", password).status, c.other)
	}
}

func TestSignIn_tellsWhoIsTurnedOffOnlyWithTheirPassword(t *testing.T) {
	d := newDesk(t, false, nil)
	require.NoError(t, d.store.Users.Add(t.Context(), store.User{Name: "ann", Role: store.Agent, Hash: passwordHash(), Off: true}))
	b := d.tab()
	assert.Contains(t, b.post("sign-in", "name", "ann", "password", password).text(), "This account has been turned off.")
	assert.Contains(t, b.post("sign-in", "name", "ann", "password", "wrong").text(), "The name or the password is wrong.")
	assert.Empty(t, b.cookies())
	assert.Equal(t, []string{" signin.failed ann", " signin.failed ann"}, d.audit())
}

func TestSignIn_saysHowToBeginWhereNobodyMay(t *testing.T) {
	d := newDesk(t, false, nil)
	p := d.tab().get("")
	assert.Equal(t, "/latchkey/support/sign-in?next=%2Flatchkey%2Fsupport%2F", p.at)
	assert.Contains(t, p.text(), "Nobody may sign in yet.")
	assert.Contains(t, p.text(), "bin/latchkey user add NAME -role admin")
	assert.NotContains(t, p.body, "<form")
	for _, name := range []string{"admin", "root", ""} {
		b := d.tab()
		b.post("sign-in", "name", name, "password", name)
		assert.Empty(t, b.cookies(), "there is no default account")
	}
	d.user("ann", store.Admin)
	p = d.tab().get("sign-in")
	assert.NotContains(t, p.text(), "Nobody may sign in yet.")
	assert.Contains(t, p.body, `type="password"`)
}

func TestCheckPassword_asksForLengthAlone(t *testing.T) {
	for _, c := range []struct {
		password string
		problem  string
	}{
		{"aaaaaaaaaaaa", ""},
		{"correct horse battery staple", ""},
		{strings.Repeat("ä", 12), ""},
		{strings.Repeat("x", 200), ""},
		{"elevenchars", "it needs 12"},
		{strings.Repeat("ä", 11), "it needs 12"},
		{"", "it needs 12"},
		{strings.Repeat("x", 201), "it may have 200"},
		{"not \xff in any language", "is not text"},
	} {
		err := CheckPassword(c.password)
		if c.problem == "" {
			assert.NoError(t, err, c.password)
			continue
		}
		require.Error(t, err, c.password)
		assert.Contains(t, err.Error(), c.problem)
		if c.password != "" {
			assert.NotContains(t, err.Error(), c.password)
		}
	}
}

func TestHashPassword_isArgon2idAsOWASPWants(t *testing.T) {
	one := passwordHash()
	assert.True(t, strings.HasPrefix(one, "$argon2id$v=19$m=19456,t=2,p=1$"), one)
	two, err := HashPassword(password)
	require.NoError(t, err)
	assert.NotEqual(t, one, two, "each has a salt of its own")
}

func TestUserName_takesWhatIsHarmless(t *testing.T) {
	for typed, want := range map[string]string{"ann": "ann", " Ann.B@Portal.Example ": "ann.b@portal.example", "7-of_9+x": "7-of_9+x", strings.Repeat("a", 64): strings.Repeat("a", 64)} {
		name, err := UserName(typed)
		require.NoError(t, err, typed)
		assert.Equal(t, want, name)
	}
	for _, typed := range []string{"", " ", ".", "-x", "a b", "a/b", "(command line)", "аnn", "an\nn", "a<b>", strings.Repeat("a", 65), "a\x00"} {
		_, err := UserName(typed)
		assert.Error(t, err, "%q", typed)
	}
}
