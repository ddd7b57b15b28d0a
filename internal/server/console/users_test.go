package console

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
)

// shown is the first password on the page that shows it.
func shown(t *testing.T, p answer) string {
	t.Helper()
	m := regexp.MustCompile(`<p class="mono key">([A-Z2-7]+)</p>`).FindStringSubmatch(p.body)
	require.NotNil(t, m, p.text())
	return m[1]
}

func TestUsers_areAddedWithAFirstPassword(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("grace", store.Admin)
	root := d.tab().signIn("grace")
	p := root.send("users", "users", "name", "Bob@Portal.Example", "role", "agent")
	first := shown(t, p)
	assert.Len(t, first, 26, "130 random bits")
	require.NoError(t, CheckPassword(first))
	assert.Equal(t, "no-store", p.header.Get("Cache-Control"))
	assert.NotContains(t, root.get("users").body+root.get("users/bob@portal.example").body+root.get("audit").body+d.log.String(), first, "it is shown once")

	bob := d.tab()
	assert.Equal(t, "/latchkey/support/", bob.post("sign-in", "name", "bob@portal.example", "password", first).at)
	assert.Equal(t, http.StatusForbidden, bob.get("users").status, "an agent is no admin")
	assert.Equal(t, []string{"grace signin.ok grace", "grace user.add bob@portal.example", "bob@portal.example signin.ok bob@portal.example"}, d.audit())

	for _, c := range []struct {
		name, role string
		status     int
		want       string
	}{
		{"bob@portal.example", "admin", http.StatusConflict, "There is an account of that name already."},
		{"a b", "agent", http.StatusUnprocessableEntity, "That name cannot be."},
		{`"><img src=x>`, "agent", http.StatusUnprocessableEntity, "That name cannot be."},
		{"eve", "king", http.StatusUnprocessableEntity, "That name cannot be."},
	} {
		p := root.send("users", "users", "name", c.name, "role", c.role)
		assert.Equal(t, c.status, p.status, c.name)
		assert.Contains(t, p.text(), c.want)
		assert.NotContains(t, p.body, "<img")
	}
}

func TestUsers_areChangedByAdmins(t *testing.T) {
	for _, c := range []struct {
		deed, role, did string
		check           func(t *testing.T, d *desk, b *tab, p answer, u store.User, err error)
	}{
		{"role", "admin", "user.role.admin", func(t *testing.T, d *desk, b *tab, _ answer, u store.User, _ error) {
			assert.Equal(t, store.Admin, u.Role)
		}},
		{"off", "", "user.off", func(t *testing.T, d *desk, b *tab, _ answer, u store.User, _ error) {
			assert.True(t, u.Off)
		}},
		{"second-factor", "", "user.totp.off", func(t *testing.T, d *desk, b *tab, _ answer, u store.User, _ error) {
			assert.Empty(t, u.TOTP)
		}},
		{"password", "", "user.password", func(t *testing.T, d *desk, b *tab, p answer, u store.User, _ error) {
			assert.NotEqual(t, passwordHash(), u.Hash)
			assert.Contains(t, d.tab().post("sign-in", "name", "ann", "password", shown(t, p)).text(), "Type the code from your app", "the second factor stays")
		}},
		{"remove", "", "user.remove", func(t *testing.T, d *desk, b *tab, _ answer, _ store.User, err error) {
			require.ErrorIs(t, err, store.ErrNotFound)
		}},
	} {
		t.Run(c.deed, func(t *testing.T) {
			d := guarded(t)
			d.user("grace", store.Admin)
			ann, root := d.tab(), d.tab().signIn("grace")
			q := d.halfway(ann)
			ann.post("sign-in/code", "step", q.hidden("step"), "code", app(t, d.clock.Now()))
			require.True(t, ann.in())

			p := root.send("users/ann", "users/ann/"+c.deed, "role", c.role)
			require.Equal(t, http.StatusOK, p.status, p.text())
			assert.False(t, ann.in(), "their sessions are over")
			lines := d.audit()
			assert.Equal(t, "grace "+c.did+" ann", lines[len(lines)-1])
			u, err := d.store.Users.Get(t.Context(), "ann")
			c.check(t, d, ann, p, u, err)
		})
	}
}

func TestUsers_comeBackWhenTurnedOn(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("grace", store.Admin)
	d.user("ann", store.Agent)
	root := d.tab().signIn("grace")
	root.send("users/ann", "users/ann/off")
	assert.Contains(t, root.get("users/ann").text(), "turned off")
	root.send("users/ann", "users/ann/on")
	d.tab().signIn("ann")
}

func TestUsers_nobodyTurnsThemselvesOff(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("grace", store.Admin)
	root := d.tab().signIn("grace")
	for _, deed := range []string{"off", "remove", "role", "password", "second-factor"} {
		p := root.send("account", "users/grace/"+deed, "role", "agent")
		assert.Equal(t, http.StatusConflict, p.status, deed)
		assert.Contains(t, p.text(), "This is your own account.")
	}
	assert.True(t, root.in())
	assert.Equal(t, http.StatusOK, root.get("users").status)
	assert.Equal(t, []string{"grace signin.ok grace"}, d.audit())
}

func TestUsers_ofTheProviderKeepItsRole(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("grace", store.Admin)
	require.NoError(t, d.store.Users.Add(t.Context(), store.User{Name: "olga", Role: store.Agent, Issuer: "https://idp.example", Subject: "7"}))
	root := d.tab().signIn("grace")
	assert.NotContains(t, root.get("users/olga").body, "users/olga/role")
	for _, deed := range []string{"role", "password", "second-factor", "nonsense"} {
		assert.Equal(t, http.StatusForbidden, root.send("users/olga", "users/olga/"+deed, "role", "admin").status, deed)
	}
	u, err := d.store.Users.Get(t.Context(), "olga")
	require.NoError(t, err)
	assert.Equal(t, store.User{Name: "olga", Role: store.Agent, Issuer: "https://idp.example", Subject: "7", Made: u.Made}, u)
	root.send("users/olga", "users/olga/off")
	u, err = d.store.Users.Get(t.Context(), "olga")
	require.NoError(t, err)
	assert.True(t, u.Off)
}

func TestUsers_hostileNamesAreHarmless(t *testing.T) {
	const name = `"><img src=x onerror=alert(1)>&#34;%2f..?#` + "\u202e"
	d := newDesk(t, false, nil)
	d.user("grace", store.Admin)
	d.user(name, store.Agent) // the store takes any
	require.NoError(t, d.store.Audit.Add(t.Context(), store.Entry{Who: name, Did: name, What: name, From: "192.0.2.7"}))
	root := d.tab().signIn("grace")
	for _, path := range []string{"users", "audit"} {
		p := root.get(path)
		assert.Equal(t, http.StatusOK, p.status)
		assert.NotContains(t, p.body, "<img")
		assert.Contains(t, p.text(), name)
	}
	m := regexp.MustCompile(`href="(/latchkey/support/users/[^"]*onerror[^"]*)"`).FindStringSubmatch(root.get("users").body)
	require.NotNil(t, m)
	p := root.get(d.url + html.UnescapeString(m[1]))
	require.Equal(t, http.StatusOK, p.status, m[1])
	action := regexp.MustCompile(`action="(/latchkey/support/users/[^"]*/off)"`).FindStringSubmatch(p.body)
	require.NotNil(t, action)
	p = root.post(d.url+html.UnescapeString(action[1]), "csrf", p.hidden("csrf"))
	require.Equal(t, http.StatusOK, p.status)
	u, err := d.store.Users.Get(t.Context(), name)
	require.NoError(t, err)
	assert.True(t, u.Off, "and can be turned off")
}

func TestAuditLog_isReadPageByPage(t *testing.T) {
	d := newDesk(t, false, nil)
	d.user("grace", store.Admin)
	root := d.tab().signIn("grace")
	for i := range 2*auditRows + 4 {
		d.clock.Move(time.Second)
		require.NoError(t, d.store.Audit.Add(t.Context(), store.Entry{At: d.clock.Now(), Who: "ann", Did: "report.view", What: fmt.Sprintf("r%03d", i), From: "192.0.2.7"}))
	}
	var seen []string
	path, pages := "audit", 0
	for path != "" {
		p := root.get(path)
		pages++
		seen = append(seen, regexp.MustCompile(`>(r\d\d\d)<`).FindAllString(p.body, -1)...)
		path = ""
		if m := regexp.MustCompile(`href="/latchkey/support/(audit\?before=[^"]+)"`).FindStringSubmatch(p.body); m != nil {
			path = m[1]
		}
		require.LessOrEqual(t, pages, 4)
	}
	assert.Equal(t, 3, pages)
	require.Len(t, seen, 2*auditRows+4)
	assert.Equal(t, ">r203<", seen[0], "newest first")
	assert.Equal(t, ">r000<", seen[len(seen)-1])
	assert.Equal(t, http.StatusNotFound, root.get("audit?before="+strings.Repeat("x", 300)).status, "a made-up place is harmless")
}
