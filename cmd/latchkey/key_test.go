package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
)

// asks sends a request of the API with a key, and returns the status.
func asks(t *testing.T, url, key string) int {
	t.Helper()
	r, err := http.NewRequest("GET", url+"latchkey/api/v1/links", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+key)
	got, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer got.Body.Close()
	return got.StatusCode
}

func TestKey_isMadeListedUsedAndTakenAway(t *testing.T) {
	db := database(t)
	s := start(t, "-db", db)
	code, key, errs := runKey("add", "help-desk", "-db", db)
	require.Equal(t, 0, code, errs)
	key = strings.TrimSuffix(key, "\n")
	assert.Regexp(t, `^lk_[A-Za-z0-9_-]{22}$`, key, "and nothing else, for scripts")

	_, list, _ := runKey("list", "-db", db)
	assert.Regexp(t, `^NAME +MADE +LAST USED\nhelp-desk +[0-9: -]+ +never\n$`, list)
	assert.Equal(t, 200, asks(t, s.url, key), "the server that runs knows it at once")
	_, list, _ = runKey("-db", db, "list")
	assert.NotContains(t, list, "never")
	assert.NotContains(t, list, key)

	code, _, errs = runKey("add", "help-desk", "-db", db)
	assert.Equal(t, 1, code)
	assert.Equal(t, "latchkey key: there is a key \"help-desk\" already: take another name, or first: latchkey key remove help-desk\n", errs)
	code, _, errs = runKey("remove", "-db", db, "help-desk")
	assert.Equal(t, 0, code, errs)
	assert.Equal(t, 401, asks(t, s.url, key), "nor is it good for the server that runs any more")
	code, _, errs = runKey("remove", "help-desk", "-db", db)
	assert.Equal(t, 1, code)
	assert.Equal(t, "latchkey key: there is no key \"help-desk\": latchkey key list shows them\n", errs)

	s.stop()
	end := <-s.result
	assert.NotContains(t, end.stderr, key[3:])
	st, err := store.Open(t.Context(), db, store.Options{})
	require.NoError(t, err)
	entries, err := st.Audit.List(t.Context(), store.Page{})
	require.NoError(t, err)
	require.NoError(t, st.Close())
	var did []string
	for _, e := range entries {
		did = append([]string{e.Who + " " + e.Did + " " + e.What}, did...)
	}
	assert.Equal(t, []string{"(command line) key.add help-desk", "(command line) key.add help-desk", "(command line) key.remove help-desk", "(command line) key.remove help-desk"}, did)
	for _, file := range []string{"", "-wal"} {
		kept, err := os.ReadFile(strings.TrimPrefix(db, "sqlite:") + file)
		if err == nil {
			assert.NotContains(t, string(kept), key[3:], "no more than a hash is kept")
		}
	}
}

func TestKey_readsTheEnvironment(t *testing.T) {
	t.Setenv("LATCHKEY_DB", database(t))
	code, _, errs := runKey("add", "desk")
	require.Equal(t, 0, code, errs)
	_, list, _ := runKey("list")
	assert.Contains(t, list, "desk")
}

func TestKey_refuses(t *testing.T) {
	t.Setenv("LATCHKEY_DB", database(t))
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing", nil, 2, "usage: latchkey key add NAME"},
		{"what it does not know", []string{"rename", "a"}, 2, "usage: latchkey key add NAME"},
		{"no name", []string{"add"}, 2, "usage: latchkey key add NAME"},
		{"two names", []string{"add", "a", "b"}, 2, "usage: latchkey key add NAME"},
		{"a name for people", []string{"add", "Help desk"}, 2, `latchkey key: "Help desk" cannot be a key's name: use small letters, digits, dots, hyphens and underscores, at most 60`},
		{"a flag that is none", []string{"list", "-database", "x"}, 2, "usage: latchkey key add NAME"},
		{"a database that is none", []string{"list", "-db", "mysql:x"}, 1, "latchkey key: open the database: "},
		{"a folder that is none", []string{"list", "-db", "sqlite:/no/such/folder/x.db"}, 1, "there is no folder /no/such/folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := runKey(c.args...)
			assert.Equal(t, c.code, code)
			assert.Empty(t, out)
			assert.Contains(t, errs, c.want)
		})
	}
	code, _, errs := runKey("-h")
	assert.Equal(t, 0, code)
	assert.Contains(t, errs, "usage: latchkey key add NAME")
}

// What the README shows works as it stands there.
func TestREADME_showsHowHelpDesksUseTheAPI(t *testing.T) {
	t.Parallel()
	curl := lookPath(t, "curl")
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(readme), "\n## Help-desk systems\n")
	require.True(t, ok)
	shown := regexp.MustCompile("(?s)```sh\n(.*?)```").FindStringSubmatch(section)
	require.NotNil(t, shown)
	require.GreaterOrEqual(t, strings.Count(shown[1], "curl "), 3)

	db := database(t)
	env := append(program(t), "LATCHKEY_DB="+db, "PATH="+filepath.Dir(curl)+":"+os.Getenv("PATH"))
	s := launch(t, env)
	dir := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o700))
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "bin", "latchkey")))
	script := strings.ReplaceAll(shown[1], "http://127.0.0.1:8080/", s.url)
	require.NotEqual(t, shown[1], script, "it goes to the server of this test")
	out := runScript(t, dir, env, script)

	assert.Regexp(t, `"url":"`+regexp.QuoteMeta(s.url)+`latchkey/d/[A-Za-z0-9_-]{22}"`, out)
	assert.Contains(t, out, `{"reports":[]}`)
	assert.Contains(t, out, `"text":"Chrome`)
	assert.NotContains(t, out, `"status":4`)
}
