package main

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/agent"
	"latchkey/internal/checks"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

// lookPath finds a program without which a test is left out.
func lookPath(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s: apt-get install %[1]s", name)
	}
	return path
}

// runScript runs a script in a folder, which has to go well, and returns all that it
// says.
func runScript(t *testing.T, dir string, env []string, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", script)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// newKey makes a key of the API.
func newKey(t *testing.T, db string) string {
	t.Helper()
	code, key, errs := runKey("add", "desk", "-db", db)
	require.Equal(t, 0, code, errs)
	return strings.TrimSpace(key)
}

func TestServe_keepsItsDatabaseWhereItIsTold(t *testing.T) {
	db := database(t)
	s := start(t, "-db", db)
	key := newKey(t, db)
	s.stop()
	assert.Equal(t, 0, (<-s.result).code)
	info, err := os.Stat(strings.TrimPrefix(db, "sqlite:"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it is nobody else's to read")

	t.Setenv("LATCHKEY_DB", db)
	t.Setenv("LATCHKEY_DB_KEYS", strings.Repeat("0123abcd", 8))
	s = start(t, "-db", db)
	assert.Equal(t, 200, asks(t, s.url, key), "it is there after a restart, and with keys for what comes")
	_, body := get(t, http.DefaultClient, s.url+"readyz")
	assert.Equal(t, "ready\n", body)
}

func TestServe_doesNotStartWithoutItsDatabase(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.db")
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600))
	for _, c := range []struct{ name, db, keys, want string }{
		{"an address of no database", "mysql://localhost/x", "", "open the database: a database is sqlite:PATH or postgres://"},
		{"a folder that is not there", "sqlite:/no/such/folder/latchkey.db", "", "there is no folder /no/such/folder"},
		{"a file that is none", "sqlite:" + text, "", "open the database: "},
		{"a key that is too short", database(t), "5ecret", "LATCHKEY_DB_KEYS: key 1 is not 32 bytes in base64 or hex: make one with: openssl rand -base64 32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("LATCHKEY_DB_KEYS", c.keys)
			end := refused(t, "-db", c.db)
			assert.Equal(t, 1, end.code)
			assert.Contains(t, end.stderr, c.want)
			assert.Equal(t, 1, strings.Count(end.stderr, "\n"), "one line: %s", end.stderr)
			assert.NotContains(t, end.stderr, "5ecret")
		})
	}
}

func TestServe_leavesTheDatabaseAloneIfThePortIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	db := database(t)
	assert.Equal(t, 1, refused(t, "-addr", l.Addr().String(), "-db", db).code)
	assert.NoFileExists(t, strings.TrimPrefix(db, "sqlite:"))
}

// posts sends a report as a person's browser does.
func posts(t *testing.T, url string) (id string, status int, said string) {
	t.Helper()
	e, err := readEvidence(people(t)[0], nil)
	require.NoError(t, err)
	agent.Identify(&e, agent.DefaultPolicy())
	sent := report.NewSent(report.New(e, checks.Catalogue().Diagnose(e)), evidence.Moment{UTC: float64(time.Now().UnixMilli())}, nil)
	body, err := sent.Encode()
	require.NoError(t, err)
	id = store.NewID()
	got, err := http.Post(url+"latchkey/reports", "application/json", strings.NewReader(fmt.Sprintf(`{"id": %q, "token": "", "report": %s}`, id, body)))
	require.NoError(t, err)
	defer got.Body.Close()
	return id, got.StatusCode, readAll(t, got.Body)
}

// sends returns the id of a report once it is said to have arrived.
func sends(t *testing.T, url string) string {
	t.Helper()
	id, status, said := posts(t, url)
	require.Equal(t, 200, status, said)
	require.Contains(t, said, `"arrived":true`)
	return id
}

// looksWithout is whether people are still told why they cannot sign in.
func looksWithout(t *testing.T, url string) {
	t.Helper()
	code, body := get(t, http.DefaultClient, url+"latchkey/?outcome=account_locked")
	assert.Equal(t, 200, code)
	assert.Contains(t, body, `data-finding="account-locked"`)
	code, body = get(t, http.DefaultClient, url+"readyz")
	assert.Equal(t, 200, code, "or nobody would be sent here any more")
	assert.Equal(t, "ready\nbut reports cannot be sent: the database does not answer or is full\n", body)
	code, _ = get(t, http.DefaultClient, url+"latchkey/api/v1/health")
	assert.Equal(t, 503, code)
	_, code, body = posts(t, url)
	assert.Equal(t, 503, code)
	assert.Contains(t, body, `"arrived":false`, "and whoever sends a report is told that it was not sent")
}

func TestServe_goesOnWhenItsDatabaseIsGone(t *testing.T) {
	db := database(t)
	key := newKey(t, db)
	s := start(t, "-db", db)
	require.Equal(t, 200, asks(t, s.url, key))
	file := strings.TrimPrefix(db, "sqlite:")
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		// What is there is overwritten: taken away it would stay for those who have it open.
		if info, err := os.Stat(name); err == nil {
			require.NoError(t, os.WriteFile(name, []byte(strings.Repeat("x", int(info.Size()))), 0o600))
		}
	}
	looksWithout(t, s.url)
	s.stop()
	assert.Equal(t, 0, (<-s.result).code)
}

func TestServe_goesOnWhenTheDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("needs root, for a disk of its own: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	db := "sqlite:" + filepath.Join(dir, "latchkey.db")
	key := newKey(t, db)
	s := start(t, "-db", db)
	makes := func() (int, string) {
		r, err := http.NewRequest("POST", s.url+"latchkey/api/v1/links", strings.NewReader(`{"note": "`+strings.Repeat("x", 2000)+`"}`))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
		got, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer got.Body.Close()
		return got.StatusCode, readAll(t, got.Body)
	}
	code, body := makes()
	require.Equal(t, 201, code, body)

	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	require.NoError(t, err)
	_, err = io.Copy(f, io.LimitReader(endless{}, 2<<20))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
	for range 500 { // the database may have room left inside
		if code, body = makes(); code != 201 {
			break
		}
	}
	assert.Equal(t, 503, code, body)
	assert.Contains(t, body, "The disk of the database is full: nothing was written.")
	looksWithout(t, s.url)
	require.NoError(t, os.Remove(filler))
	code, body = makes()
	assert.Equal(t, 201, code, body)
	s.stop()
	assert.Equal(t, 0, (<-s.result).code)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A server that is killed after it said that reports have arrived, while it tells the
// help desk so, tells it when it is back.
func TestServe_losesNoWebhookWhenItIsKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as a message is a dead server's: left out by -short")
	}
	type call struct{ id, body string }
	heard := make(chan call, 100)
	var alive atomic.Bool
	desk := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard <- call{r.Header.Get("webhook-id"), string(body)}
		if !alive.Load() {
			<-r.Context().Done()
		}
	}))
	defer desk.Close()
	config := filepath.Join(t.TempDir(), "latchkey.yaml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(
		"address: http://127.0.0.1\nwebhooks: [{name: desk, url: %q, secret_env: DESK_SECRET, events: [report.arrived]}]\n", desk.URL)), 0o600))
	env := append(program(t), "DESK_SECRET=whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "LATCHKEY_DB="+database(t))

	first := launch(t, env, "-config", config)
	reports := []string{sends(t, first.url)}
	under := <-heard
	for range 4 {
		reports = append(reports, sends(t, first.url))
	}
	first.dies(t)
	alive.Store(true)
	launch(t, env, "-config", config)

	again := map[string]string{} // ids by body
	for end := time.After(time.Minute); len(again) < len(reports); {
		select {
		case c := <-heard:
			again[c.body] = c.id
		case <-end:
			require.Fail(t, "some were lost", "%d of %d arrived", len(again), len(reports))
		}
	}
	for _, id := range reports {
		assert.Contains(t, strings.Join(slices.Collect(maps.Keys(again)), "\n"), id)
	}
	assert.Equal(t, under.id, again[under.body], "under the same id, so that the help desk knows it")
}

// Two servers on one PostgreSQL are one: keys, links and webhooks are shared. When it is
// gone both go on with what needs none, and with all when it is back.
func TestServe_sharesADatabase(t *testing.T) {
	postgres := storetest.StartPostgres(t)
	db := postgres.NewDatabase(t)
	heard := make(chan string, 100)
	desk := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard <- string(body)
	}))
	defer desk.Close()
	config := filepath.Join(t.TempDir(), "latchkey.yaml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(
		"address: http://127.0.0.1\nwebhooks: [{name: desk, url: %q, secret_env: DESK_SECRET, events: [report.arrived]}]\n", desk.URL)), 0o600))
	env := append(program(t), "DESK_SECRET=whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "LATCHKEY_DB="+db)
	servers := []process{launch(t, env, "-config", config), launch(t, env, "-config", config)}
	key := newKey(t, db)

	var want, got []string
	for i := range 10 {
		want = append(want, sends(t, servers[i%2].url))
	}
	for range want {
		select {
		case body := <-heard:
			got = append(got, body)
		case <-time.After(time.Minute):
			require.Fail(t, "a webhook was lost")
		}
	}
	for _, id := range want {
		assert.Equal(t, 1, strings.Count(strings.Join(got, "\n"), `"report":"`+id+`"`), "each arrives, and from one of the two")
	}

	postgres.Stop(t, syscall.SIGKILL)
	for _, s := range servers {
		looksWithout(t, s.url)
		assert.Equal(t, 503, asks(t, s.url, key))
	}
	postgres.Start(t)
	servers[0].dies(t)
	require.Eventually(t, func() bool { return asks(t, servers[1].url, key) == 200 }, 30*time.Second, 100*time.Millisecond)
	id := sends(t, servers[1].url)
	select {
	case body := <-heard:
		assert.Contains(t, body, id)
	case <-time.After(time.Minute):
		require.Fail(t, "no webhook came after the database was back")
	}
}

func TestServe_waitsForNobodyWhoIsTooSlow(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as headers may take: left out by -short")
	}
	s := start(t)
	at := strings.Trim(strings.TrimPrefix(s.url, "http:"), "/")
	for range 50 {
		conn, err := net.Dial("tcp", at)
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET /latchkey/ HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		require.NoError(t, err)
		defer func() {
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
			assert.NotContains(t, readAll(t, conn), "200 OK", "it is cut off")
		}()
	}
	code, _ := get(t, http.DefaultClient, s.url+"latchkey/")
	assert.Equal(t, 200, code, "and nobody else waits for them")
}
