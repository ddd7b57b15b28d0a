//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
	"latchkey/internal/server"
	"latchkey/internal/server/console"
	"latchkey/internal/store"
	"latchkey/internal/testkit/idp"
)

// admits makes the counter's agent an admin.
func (c *counter) admits(t *testing.T) {
	t.Helper()
	u, err := c.store.Users.Get(t.Context(), agentName)
	require.NoError(t, err)
	u.Role = store.Admin
	require.NoError(t, c.store.Users.Set(t.Context(), u))
}

// A person signs in, and sets up a second factor with the codes that an app makes of
// the QR code on the screen, all without scripts.
func TestAccounts_workWithoutScripts(t *testing.T) {
	c := openCounter(t)
	tab := drive.OpenChromium(t, drive.Options{})
	require.NoError(t, tab.Call(t.Context(), "Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil))
	dress(t, tab, 360, "light")
	click := func(selector string) { t.Helper(); require.NoError(t, tab.Click(t.Context(), selector)) }
	fill := func(name, value string) {
		t.Helper()
		click(fmt.Sprintf("input[name=%s]", name))
		require.NoError(t, tab.Type(t.Context(), value))
	}
	says := func(text string) {
		t.Helper()
		wait(t, tab, fmt.Sprintf(`document.readyState === "complete" && document.body.innerText.indexOf(%q) >= 0`, text))
	}
	visit(t, tab, c.at("account"))
	says("Sign in to Example Clinic support")
	fill("name", agentName)
	fill("password", "not the password")
	click("main button")
	says("The name or the password is wrong.")
	assert.Equal(t, agentName, read[string](t, tab, `document.querySelector("input[name=name]").value`))
	fill("password", agentPassword)
	click("main button")
	says("You are signed in as " + agentName)

	click(`a[href$="second-factor"]`)
	says("Scan this with your app")
	key, err := url.Parse(scanned(t, tab, `document.querySelector("svg.qr")`))
	require.NoError(t, err)
	assert.Equal(t, "/Example Clinic:"+agentName, key.Path)
	secret := key.Query().Get("secret")
	assert.Equal(t, secret, read[string](t, tab, `document.querySelector(".key").textContent`), "by hand it is the same")
	code := func(at time.Time) string {
		code, err := totp.GenerateCode(secret, at)
		require.NoError(t, err)
		return code
	}
	fill("code", code(time.Now()))
	fill("password", agentPassword)
	click("main button")
	says("The second factor is on.")

	click("form.who button")
	says("Sign in to Example Clinic support")
	fill("name", agentName)
	fill("password", agentPassword)
	click("main button")
	says("Type the code from your app")
	fill("code", code(time.Now().Add(-5*time.Minute)))
	click("main button")
	says("That code was right 5 minutes ago.")
	fill("code", code(time.Now().Add(30*time.Second)))
	click("main button")
	wait(t, tab, `!!document.querySelector('nav a[aria-current]')`)
}

// All pages of accounts are for everybody.
func TestAccounts_areForEverybody(t *testing.T) {
	c := openCounter(t)
	c.admits(t)
	require.NoError(t, c.store.Users.Add(t.Context(), store.User{Name: "li.wei", Role: store.Agent, Hash: "-", TOTP: "JBSWY3DPEHPK3PXP", Made: time.Now()}))
	require.NoError(t, c.store.Users.Add(t.Context(), store.User{Name: "someone.with.a.very.long.name@a.department.of.the.portal.example", Role: store.Agent, Issuer: "https://idp.example", Subject: "1", Off: true}))
	tab := drive.OpenChromium(t, drive.Options{})
	a := newAuditor(t, tab)
	visit(t, tab, c.at("sign-in"))
	c.looks(t, a, "sign-in")
	do(t, tab, `document.querySelector("main form").elements.password.value = "x"; document.querySelector("main form").elements.name.value = "y"; document.querySelector("main form button").click();`)
	wait(t, tab, `!!document.querySelector(".wrong")`)
	c.looks(t, a, "sign-in wrong")
	c.signIn(t, tab)
	for _, page := range []struct{ name, path string }{
		{"account", "account"},
		{"account changed", "account?done=user.password"},
		{"second factor", "account/second-factor"},
		{"users", "users"},
		{"user", "users/li.wei"},
		{"user of the provider", "users/someone.with.a.very.long.name@a.department.of.the.portal.example"},
		{"audit", "audit"},
	} {
		visit(t, tab, c.at(page.path))
		c.looks(t, a, page.name)
	}
	visit(t, tab, c.at("users/li.wei"))
	require.NoError(t, tab.Click(t.Context(), `form[action$="/password"] button`))
	wait(t, tab, `!!document.querySelector(".key")`)
	c.looks(t, a, "first password")
}

// The provider is another site than the console: the browser has to take the way back
// from there with what the sign-in began with.
func TestAccounts_comeFromAnIdentityProvider(t *testing.T) {
	for _, b := range []struct {
		name string
		open func(*testing.T) drive.Page
	}{
		{"Chromium", func(t *testing.T) drive.Page { return drive.OpenChromium(t, drive.Options{}) }},
		{"Firefox", func(t *testing.T) drive.Page { return drive.Open(t, drive.Firefox, drive.Options{}) }},
		{"WebKit", func(t *testing.T) drive.Page { return drive.Open(t, drive.WebKit, drive.Options{}) }},
	} {
		t.Run(b.name, func(t *testing.T) {
			var h http.Handler
			s := startSite(t, func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) })
			})
			p := idp.Start(t, s.URL+"/latchkey/support/oidc/callback", nil)
			h = newHandler(t, s.URL, time.Now, func(o *server.Options) {
				o.Config.Console.OIDC = console.OIDC{
					Name: "Example ID", Issuer: p.URL, ClientID: idp.Client, Secret: idp.Secret, Agents: []string{"@portal.example"},
				}
			})
			page := b.open(t)
			visit(t, page, s.URL+"/latchkey/support/account")
			do(t, page, `document.querySelector("main a.button").click();`)
			wait(t, page, `location.hostname === "localhost" && !!document.getElementById("username")`)
			do(t, page, fmt.Sprintf(`document.getElementById("username").value = "Ann"; document.getElementById("password").value = %q; document.querySelector("button").click();`, idp.Password))
			wait(t, page, `location.pathname === "/latchkey/support/account" && /You are signed in as ann/.test(document.body.innerText)`)
			assert.Empty(t, read[string](t, page, `document.cookie`), "no script has the session")
			ours := slices.DeleteFunc(complaints(t, page), func(m drive.Message) bool { return strings.HasPrefix(m.URL, p.URL) })
			assert.Empty(t, ours)
		})
	}
}
