//go:build linux

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"latchkey/internal/server/console"
	"latchkey/internal/store"
)

// rss is the memory of a process, in KB.
func rss(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, found)
	kb, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return kb
}

// What a real server takes while many people hold a case's page open, each a case and
// a session of their own, over a connection of their own.
func TestLiveBench(t *testing.T) {
	if os.Getenv("LATCHKEY_BENCH") == "" {
		t.Skip("measures; run: make bench-store")
	}
	const people = 1000
	url := "sqlite:" + filepath.Join(t.TempDir(), "latchkey.db")
	s, err := store.Open(t.Context(), url, store.Options{})
	require.NoError(t, err)
	hash, err := console.HashPassword(agentPassword)
	require.NoError(t, err)
	now := time.Now()
	require.NoError(t, s.Users.Add(t.Context(), store.User{Name: agentName, Role: store.Agent, Hash: hash, Made: now}))
	cases, cookies := make([]string, people), make([]string, people)
	for i := range people {
		cases[i] = store.NewID()
		_, link := store.NewToken()
		require.NoError(t, s.Cases.Add(t.Context(), store.Case{ID: cases[i], Made: now, By: agentName, Expires: now.Add(time.Hour)}, link))
		token, session := store.NewToken()
		require.NoError(t, s.Sessions.Add(t.Context(), store.Session{Hash: session, User: agentName, CSRF: "x", Made: now, Seen: now, Expires: now.Add(time.Hour)}))
		cookies[i] = "latchkey_console=" + token
	}
	require.NoError(t, s.Close())

	server := exec.CommandContext(t.Context(), "../../bin/latchkey", "serve", "-addr", "127.0.0.1:0", "-db", url)
	stdout, err := server.StdoutPipe()
	require.NoError(t, err)
	server.Stderr = t.Output()
	require.NoError(t, server.Start(), "run: make build")
	t.Cleanup(func() {
		_ = server.Process.Kill() // it may have ended
		_ = server.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	go io.Copy(io.Discard, stdout)
	_, at, ok := strings.Cut(strings.TrimSpace(line), "listening on ")
	require.True(t, ok, line)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true}
	ask := func(i int, what string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, "GET", at+"latchkey/support/cases/"+cases[i]+what, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Cookie", cookies[i])
		req.Header.Set("Sec-Fetch-Dest", "empty")
		res, err := transport.RoundTrip(req)
		if err == nil && res.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", what, res.Status)
		}
		return res, err
	}
	each := func(do func(i int) error) {
		t.Helper()
		errs, turns := make(chan error, people), make(chan struct{}, 20)
		for i := range people {
			go func() {
				turns <- struct{}{}
				errs <- do(i)
				<-turns
			}()
		}
		for range people {
			require.NoError(t, <-errs)
		}
	}
	// What the pages themselves took before is still there when their streams run: the
	// garbage collector decides when it goes, and it belongs to what 1,000 people take.
	before := rss(t, server.Process.Pid)
	each(func(i int) error {
		res, err := ask(i, "")
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, res.Body)
		return err
	})
	beats := make(chan error, people)
	each(func(i int) error {
		res, err := ask(i, "/live")
		if err != nil {
			return err
		}
		go func() {
			n := 0
			for lines := bufio.NewScanner(res.Body); lines.Scan(); {
				if lines.Text() == "data: beat" {
					if n++; n == 2 {
						beats <- nil
					}
				}
			}
			if n < 2 {
				beats <- fmt.Errorf("stream %d ended", i)
			}
		}()
		return nil
	})
	for range people {
		require.NoError(t, <-beats)
	}
	with := rss(t, server.Process.Pid)

	table := fmt.Sprintf("| people | resident at the start, MB | with their pages, MB | each, KB |\n| --- | --- | --- | --- |\n| %d | %.0f | %.0f | %.0f |\n",
		people, float64(before)/1024, float64(with)/1024, float64(with-before)/people)
	fmt.Print(table)
	if os.Getenv("LATCHKEY_UPDATE") == "1" {
		const name = "../store/README.md"
		readme, err := os.ReadFile(name)
		require.NoError(t, err)
		place := regexp.MustCompile(`(?s)(<!-- begin live -->\n).*(<!-- end live -->)`)
		require.True(t, place.Match(readme))
		require.NoError(t, os.WriteFile(name, place.ReplaceAll(readme, []byte("${1}\n"+table+"\n${2}")), 0o644))
	}
}
