package console

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/server/qr"
	"latchkey/internal/store"
)

const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// app is the code that a phone's app shows at a time.
func app(t *testing.T, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	require.NoError(t, err)
	return code
}

// guarded is a desk with ann, who has a second factor.
func guarded(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, false, nil)
	require.NoError(t, d.store.Users.Add(t.Context(), store.User{Name: "ann", Role: store.Agent, Hash: passwordHash(), TOTP: secret, Made: d.clock.Now()}))
	return d
}

// halfway signs in as ann as far as the password.
func (d *desk) halfway(b *tab) answer {
	d.t.Helper()
	p := b.post("sign-in", "name", "ann", "password", password, "next", "/latchkey/support/account")
	require.Equal(d.t, http.StatusOK, p.status)
	require.Contains(d.t, p.text(), "Type the code from your app")
	return p
}

func TestSecondFactor_isAskedForAndCounts(t *testing.T) {
	d := guarded(t)
	b := d.tab()
	p := d.halfway(b)
	assert.Empty(t, b.cookies())
	assert.False(t, b.in(), "the password alone is not enough")
	assert.Empty(t, d.audit())
	code := app(t, d.clock.Now())
	p = b.post("sign-in/code", "step", p.hidden("step"), "next", p.hidden("next"), "code", code[:3]+" "+code[3:])
	assert.Equal(t, "/latchkey/support/account", p.at)
	assert.Equal(t, []string{"ann signin.ok ann"}, d.audit())
}

func TestSecondFactor_tellsWhyACodeIsNotTaken(t *testing.T) {
	for _, c := range []struct {
		name string
		code func(t *testing.T, now time.Time) string
		want string // "" is in
	}{
		{"right now", app, ""},
		{"half a minute old", func(t *testing.T, now time.Time) string { return app(t, now.Add(-30*time.Second)) }, ""},
		{"half a minute early", func(t *testing.T, now time.Time) string { return app(t, now.Add(30*time.Second)) }, ""},
		{"a minute old", func(t *testing.T, now time.Time) string { return app(t, now.Add(-time.Minute)) },
			"That code was right a minute ago. Either it is an old one, or the clock of the phone that made it is a minute behind."},
		{"of a phone that is behind", func(t *testing.T, now time.Time) string { return app(t, now.Add(-4*time.Minute)) },
			"That code was right 4 minutes ago. Either it is an old one, or the clock of the phone that made it is 4 minutes behind."},
		{"of a phone that is ahead", func(t *testing.T, now time.Time) string { return app(t, now.Add(7*time.Minute)) },
			"That code will be right in 7 minutes. The clock of the phone that made it is 7 minutes ahead."},
		{"of a phone in last month's summer time", func(t *testing.T, now time.Time) string { return app(t, now.Add(time.Hour)) }, "is 60 minutes ahead."},
		{"wrong", func(*testing.T, time.Time) string { return "000000" }, "That code is wrong."},
		{"empty", func(*testing.T, time.Time) string { return "" }, "That code is wrong."},
		{"no number", func(*testing.T, time.Time) string { return "<b>abc" }, "That code is wrong."},
		{"with more behind it", func(t *testing.T, now time.Time) string { return app(t, now) + "0" }, "That code is wrong."},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := guarded(t)
			b := d.tab()
			p := d.halfway(b)
			p = b.post("sign-in/code", "step", p.hidden("step"), "code", c.code(t, d.clock.Now()))
			if c.want == "" {
				assert.True(t, b.in(), p.text())
				return
			}
			assert.Equal(t, http.StatusForbidden, p.status)
			assert.Contains(t, p.text(), c.want)
			assert.False(t, b.in())
			assert.Equal(t, []string{" signin.failed ann"}, d.audit())
			assert.NotContains(t, p.body, secret)

			p = b.post("sign-in/code", "step", p.hidden("step"), "code", app(t, d.clock.Now()))
			assert.True(t, b.in(), "the next one may be right: %s", p.text())
		})
	}
}

func TestSecondFactor_takesEachCodeOnce(t *testing.T) {
	d := guarded(t)
	code := app(t, d.clock.Now())
	first, second := d.tab(), d.tab()
	p, q := d.halfway(first), d.halfway(second)
	first.post("sign-in/code", "step", p.hidden("step"), "code", code)
	require.True(t, first.in())
	q = second.post("sign-in/code", "step", q.hidden("step"), "code", code)
	assert.Contains(t, q.text(), "That code has been used already.")
	assert.False(t, second.in())

	again := first.post("sign-in/code", "step", p.hidden("step"), "code", app(t, d.clock.Now().Add(30*time.Second)))
	assert.Contains(t, again.text(), "That took too long.", "and each step of signing in once")
}

func TestSecondFactor_isNotGuessed(t *testing.T) {
	d := guarded(t)
	b := d.tab()
	p := d.halfway(b)
	for range triesOfCode {
		require.Equal(t, http.StatusForbidden, b.post("sign-in/code", "step", p.hidden("step"), "code", "000000").status)
	}
	other := d.tab()
	q := d.halfway(other)
	q = other.post("sign-in/code", "step", q.hidden("step"), "code", app(t, d.clock.Now()))
	assert.Equal(t, http.StatusTooManyRequests, q.status, "not in another browser either")
	assert.Contains(t, q.text(), "Wait 15 minutes")
	assert.False(t, other.in())
}

func TestSecondFactor_stepIsNoSession(t *testing.T) {
	d := guarded(t)
	d.user("bob", store.Agent)
	b := d.tab()
	p := d.halfway(b)
	b.keep(&http.Cookie{Name: plainCookie, Value: p.hidden("step"), Path: "/latchkey/support/"})
	assert.False(t, b.in(), "the step's token as a session's")

	bob := d.tab().signIn("bob")
	assert.Contains(t, bob.post("sign-in/code", "step", bob.cookies()[0].Value, "code", app(t, d.clock.Now())).text(), "That took too long.", "a session's token as a step's")
	for _, step := range []string{"", "x", "<script>"} {
		assert.Contains(t, bob.post("sign-in/code", "step", step, "code", app(t, d.clock.Now())).text(), "That took too long.")
	}
	d.clock.Move(secondStepLasts)
	assert.Contains(t, b.post("sign-in/code", "step", p.hidden("step"), "code", app(t, d.clock.Now())).text(), "That took too long.")
	assert.False(t, b.in())
}

func TestSecondFactor_isSetUpByAPerson(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	here, there := d.tab().signIn("ann"), d.tab().signIn("ann")
	p := here.get("account/second-factor")
	fresh := p.hidden("secret")
	require.Len(t, fresh, 32)
	assert.NotEqual(t, fresh, here.get("account/second-factor").hidden("secret"))
	_, path := qr.Path("otpauth://totp/Example%20Clinic:ann?algorithm=SHA1&digits=6&issuer=Example%20Clinic&period=30&secret=" + fresh)
	assert.Contains(t, p.body, path, "the app reads the same from the QR code")

	show := func(code, word string) answer {
		return here.send("account", "account/second-factor", "secret", fresh, "code", code, "password", word)
	}
	right, err := totp.GenerateCode(fresh, d.clock.Now())
	require.NoError(t, err)
	ahead, err := totp.GenerateCode(fresh, d.clock.Now().Add(3*time.Minute))
	require.NoError(t, err)
	for _, c := range []struct{ code, word, want string }{
		{right, "not the password", "That is not your password."},
		{"123456", password, "That code is wrong."},
		{ahead, password, "The clock of the phone that made it is 3 minutes ahead."},
	} {
		p := show(c.code, c.word)
		assert.Equal(t, http.StatusForbidden, p.status)
		assert.Contains(t, p.text(), c.want)
		assert.Equal(t, fresh, p.hidden("secret"), "the app need not be set up anew")
	}
	u, err := d.store.Users.Get(t.Context(), "ann")
	require.NoError(t, err)
	assert.Empty(t, u.TOTP)

	p = show(right, password)
	assert.Contains(t, p.text(), "The second factor is on.")
	assert.True(t, here.in())
	assert.False(t, there.in(), "whoever was in before without it is out")
	assert.NotContains(t, d.log.String(), fresh)

	third := d.tab()
	q := third.post("sign-in", "name", "ann", "password", password)
	q = third.post("sign-in/code", "step", q.hidden("step"), "code", right)
	assert.Contains(t, q.text(), "That code has been used already.", "setting it up has used the code")

	assert.Contains(t, here.send("account", "account/second-factor/off", "password", "wrong").text(), "That is not your password.")
	assert.Contains(t, here.send("account", "account/second-factor/off", "password", password).text(), "The second factor is off.")
	d.tab().signIn("ann")
	assert.Equal(t, []string{"ann signin.ok ann", "ann signin.ok ann", "ann user.totp.on ann", " signin.failed ann", "ann user.totp.off ann", "ann signin.ok ann"}, d.audit())
}

func TestSecondFactor_takesOnlySecretsOfItsOwnForm(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	b := d.tab().signIn("ann")
	for _, secret := range []string{"", "A", secret + "AAAAAAAA", "jbswy3dpehpk3pxpjbswy3dpehpk3pxp", `"><script>alert(1)</script>`} {
		p := b.send("account", "account/second-factor", "secret", secret, "code", "123456", "password", password)
		assert.Equal(t, http.StatusForbidden, p.status, "%q", secret)
		assert.NotContains(t, p.body, "<script>")
	}
}

func TestPassword_isChangedByItsOwner(t *testing.T) {
	const chosen = "quite another set of words"
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	here, there := d.tab().signIn("ann"), d.tab().signIn("ann")
	old := here.cookies()[0]
	for _, c := range []struct{ now, chosen, again, want string }{
		{"wrong password", chosen, chosen, "That is not your password."},
		{password, chosen, chosen + "!", "not typed the same way twice"},
		{password, "too short", "too short", "needs 12 to 200 characters"},
	} {
		p := here.send("account", "account/password", "password", c.now, "new", c.chosen, "again", c.again)
		assert.Contains(t, p.text(), c.want)
		assert.NotContains(t, p.body, c.chosen)
	}
	p := here.send("account", "account/password", "password", password, "new", chosen, "again", chosen)
	assert.Contains(t, p.text(), "Your password is changed.")
	assert.True(t, here.in())
	assert.False(t, there.in(), "all other sessions are over")
	planted := d.tab()
	planted.keep(old)
	assert.False(t, planted.in(), "and so is the old token of this one")

	assert.Equal(t, http.StatusForbidden, d.tab().post("sign-in", "name", "ann", "password", password).status)
	assert.Equal(t, http.StatusOK, d.tab().post("sign-in", "name", "ann", "password", chosen).status)
	assert.NotContains(t, d.log.String()+fmt.Sprint(d.audit()), chosen)
}

func TestPassword_isNotGuessedInAStolenSession(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("ann", store.Agent)
	b := d.tab().signIn("ann")
	csrf := b.get("account").hidden("csrf")
	status := 0
	for range triesOfAccount {
		status = b.do(b.form("account/second-factor/off", url.Values{"csrf": {csrf}, "password": {"wrong"}})).status
	}
	assert.Equal(t, http.StatusTooManyRequests, status, "signing in was the first try")
}
