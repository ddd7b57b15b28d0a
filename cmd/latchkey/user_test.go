package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
)

const typed = "correct horse battery staple"

// users runs latchkey user on a database of the test's own.
type users struct {
	t  *testing.T
	db string
}

func newUsers(t *testing.T) users {
	t.Helper()
	return users{t, "sqlite:" + filepath.Join(t.TempDir(), "latchkey.db")}
}

// run calls the command; what it printed never holds the password.
func (u users) run(stdin string, args ...string) (code int, printed string) {
	u.t.Helper()
	var out bytes.Buffer
	code = run(u.t.Context(), append([]string{"user", "-db", u.db}, args...), strings.NewReader(stdin), &out, &out)
	assert.NotContains(u.t, out.String(), typed)
	return code, out.String()
}

func (u users) open() *store.Store {
	u.t.Helper()
	st, err := store.Open(u.t.Context(), u.db, store.Options{})
	require.NoError(u.t, err)
	u.t.Cleanup(func() { assert.NoError(u.t, st.Close()) })
	return st
}

func TestUser_managesAccounts(t *testing.T) {
	u := newUsers(t)
	code, printed := u.run(typed+"\n", "add", "Ann@Portal.Example", "-role", "admin", "-password-stdin")
	require.Zero(t, code, printed)
	assert.Equal(t, "ann@portal.example may sign in as admin\n", printed)

	st := u.open()
	ann, err := st.Users.Get(t.Context(), "ann@portal.example")
	require.NoError(t, err)
	assert.Equal(t, store.Admin, ann.Role)
	right, err := argon2id.ComparePasswordAndHash(typed, ann.Hash)
	require.NoError(t, err)
	assert.True(t, right, "the line's end is no part of the password")

	session := store.Session{Hash: []byte("h"), User: ann.Name, CSRF: "c", Made: time.Now(), Seen: time.Now(), Expires: time.Now().Add(time.Hour)}
	for _, c := range []struct {
		args  []string
		stdin string
		want  string
		check func(u store.User)
		out   bool // whether they are signed out
	}{
		{[]string{"off", "ann@portal.example"}, "", "ann@portal.example is signed out and may not sign in\n", func(u store.User) { assert.True(t, u.Off) }, true},
		{[]string{"on", "ann@portal.example"}, "", "ann@portal.example may sign in\n", func(u store.User) { assert.False(t, u.Off) }, false},
		{[]string{"reset-totp", "ann@portal.example"}, "", "ann@portal.example signs in without a second factor\n", func(u store.User) { assert.Empty(t, u.TOTP) }, true},
		{[]string{"password", "-password-stdin", "ann@portal.example"}, "another set of words\r\n", "ann@portal.example has a new password, and is signed out everywhere\n", func(u store.User) {
			right, err := argon2id.ComparePasswordAndHash("another set of words", u.Hash)
			require.NoError(t, err)
			assert.True(t, right)
		}, true},
	} {
		one, err := st.Users.Get(t.Context(), ann.Name)
		require.NoError(t, err)
		one.TOTP = "JBSWY3DPEHPK3PXP"
		require.NoError(t, st.Users.Set(t.Context(), one))
		_ = st.Sessions.Delete(t.Context(), session.Hash)
		require.NoError(t, st.Sessions.Add(t.Context(), session))

		code, printed := u.run(c.stdin, c.args...)
		require.Zero(t, code, printed)
		assert.Equal(t, c.want, printed)
		one, err = st.Users.Get(t.Context(), ann.Name)
		require.NoError(t, err)
		c.check(one)
		_, err = st.Sessions.Get(t.Context(), session.Hash)
		assert.Equal(t, c.out, err != nil, "%v: %v", c.args, err)
	}

	code, printed = u.run("", "list")
	require.Zero(t, code)
	assert.Equal(t, "NAME                ROLE   SIGNS IN WITH      LAST SIGN-IN  STATE\n"+
		"ann@portal.example  admin  password and code  never         on\n", printed)

	code, printed = u.run("", "remove", "ann@portal.example")
	require.Zero(t, code, printed)
	_, err = st.Users.Get(t.Context(), ann.Name)
	require.ErrorIs(t, err, store.ErrNotFound)

	entries, err := st.Audit.List(t.Context(), store.Page{})
	require.NoError(t, err)
	var did []string
	for _, e := range entries {
		assert.Equal(t, byCommand, e.Who)
		assert.Equal(t, "ann@portal.example", e.What)
		did = append([]string{e.Did}, did...)
	}
	assert.Equal(t, []string{"user.add", "user.off", "user.on", "user.totp.off", "user.password", "user.remove"}, did)
}

func TestUser_refuses(t *testing.T) {
	u := newUsers(t)
	code, printed := u.run(typed, "add", "ann", "-password-stdin")
	require.Zero(t, code, printed)
	st := u.open()
	require.NoError(t, st.Users.Add(t.Context(), store.User{Name: "olga", Role: store.Agent, Issuer: "https://idp.example", Subject: "7"}))
	before, err := st.Users.List(t.Context())
	require.NoError(t, err)
	for _, c := range []struct {
		args  []string
		stdin string
		code  int
		want  string
	}{
		{nil, "", 2, "say what to do"},
		{[]string{"frob", "ann"}, "", 2, `there is no command "frob"`},
		{[]string{"add"}, "", 2, "add takes one name"},
		{[]string{"add", "a", "b"}, "", 2, "add takes one name"},
		{[]string{"list", "ann"}, "", 2, "list takes no name"},
		{[]string{"add", "a b"}, "", 2, "a name has up to 64 letters"},
		{[]string{"add", "bob", "-role", "king"}, "", 2, `there is no role "king": agent or admin`},
		{[]string{"add", "bob", "-colour"}, "", 2, "flag provided but not defined: -colour"},
		{[]string{"add", "ann", "-password-stdin"}, typed, 1, "there is a user ann already"},
		{[]string{"add", "bob", "-password-stdin"}, "short", 1, "it needs 12"},
		{[]string{"add", "bob", "-password-stdin"}, "", 1, "it needs 12"},
		{[]string{"add", "bob", "-password-stdin"}, typed + "\n" + typed, 1, "more than one line"},
		{[]string{"add", "bob", "-password-stdin"}, strings.Repeat("x", 10_000), 1, "it may have 200"},
		{[]string{"add", "bob"}, typed, 1, "-password-stdin reads it from standard input"},
		{[]string{"password", "bob"}, "", 1, "there is no user bob"},
		{[]string{"password", "olga", "-password-stdin"}, typed, 1, "olga signs in with https://idp.example"},
		{[]string{"off", "bob"}, "", 1, "there is no user bob"},
		{[]string{"remove", "bob"}, "", 1, "there is no user bob"},
	} {
		code, printed := u.run(c.stdin, c.args...)
		assert.Equal(t, c.code, code, c.args)
		assert.Contains(t, printed, c.want, c.args)
	}
	after, err := st.Users.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestUser_takesTheDatabaseFromTheEnvironment(t *testing.T) {
	u := newUsers(t)
	t.Setenv("LATCHKEY_DB", u.db)
	var out bytes.Buffer
	require.Zero(t, run(t.Context(), []string{"user", "add", "ann", "-password-stdin"}, strings.NewReader(typed), &out, &out), out.String())
	_, err := u.open().Users.Get(t.Context(), "ann")
	require.NoError(t, err)
}
