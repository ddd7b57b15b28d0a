package store_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

// writeTo makes this program a server that writes reports until it is killed.
const writeTo = "LATCHKEY_TEST_WRITE_TO"

func TestMain(m *testing.M) {
	if url := os.Getenv(writeTo); url != "" {
		if err := write(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

var (
	durableKey = bytes.Repeat([]byte{7}, 32)
	quiet      = slog.New(slog.NewTextHandler(io.Discard, nil))
)

// bodyOf is what the report has to hold, in more than one page of the file.
func bodyOf(id string) []byte { return []byte(strings.Repeat(id, 1+int(id[0])%400)) }

// write adds reports, three at a time, and prints the id of each after the store has
// said that it is kept.
func write(url string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, url, store.Options{Keys: [][]byte{durableKey}, Log: quiet})
	if err != nil {
		return err
	}
	c := store.Case{ID: store.NewID(), Expires: time.Now().Add(time.Hour)}
	_, hash := store.NewToken()
	if err := s.Cases.Add(ctx, c, hash); err != nil {
		return err
	}
	if _, err := s.Outbox.Claim(ctx, 3, time.Hour); err != nil {
		return err
	}
	var out sync.Mutex
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				r := store.Report{ID: store.NewID(), Case: c.ID}
				r.Body = bodyOf(r.ID)
				if s.Reports.Add(ctx, r, store.Message{ID: "m" + r.ID, To: "desk"}) != nil {
					time.Sleep(10 * time.Millisecond) // PostgreSQL needs the processor to come back
					continue
				}
				out.Lock()
				fmt.Println(r.ID)
				out.Unlock()
			}
		})
	}
	wg.Wait()
	return nil
}

// writer is another process that writes.
type writer struct {
	cmd *exec.Cmd
	out *bufio.Scanner
	// kept are the reports that it was told are kept.
	kept []string
}

func startWriter(t *testing.T, url string) *writer {
	w := &writer{cmd: exec.Command(os.Args[0])}
	w.cmd.Env = append(os.Environ(), writeTo+"="+url)
	out, err := w.cmd.StdoutPipe()
	require.NoError(t, err)
	w.out, w.cmd.Stderr = bufio.NewScanner(out), os.Stderr
	require.NoError(t, w.cmd.Start())
	t.Cleanup(func() { w.cmd.Process.Kill() })
	return w
}

// read waits until n more reports are kept.
func (w *writer) read(t *testing.T, n int) {
	for range n {
		require.True(t, w.out.Scan(), "the writer ended")
		w.kept = append(w.kept, w.out.Text())
	}
}

// kill ends it in the middle of whatever it does, and reads what it had said.
func (w *writer) kill(t *testing.T) {
	require.NoError(t, w.cmd.Process.Kill())
	for w.out.Scan() {
		w.kept = append(w.kept, w.out.Text())
	}
	require.EqualError(t, w.cmd.Wait(), "signal: killed")
}

// requireKept holds that the reports are there as they were sent, and that for each
// report there is a message, whether or not anybody heard that it is kept.
func requireKept(t *testing.T, url string, ids []string) {
	s, err := store.Open(t.Context(), url, store.Options{Keys: [][]byte{durableKey}, Log: quiet})
	require.NoError(t, err)
	defer s.Close()
	for _, id := range ids {
		r, err := s.Reports.Get(t.Context(), id)
		require.NoError(t, err, "an acknowledged report is lost")
		require.Equal(t, bodyOf(id), r.Body)
	}
	all := 0
	q := store.ReportQuery{Page: store.Page{Limit: 200}}
	for {
		list, err := s.Reports.List(t.Context(), q)
		require.NoError(t, err)
		if len(list) == 0 {
			break
		}
		all += len(list)
		q.Before = list[len(list)-1].ID
	}
	messages, err := s.Outbox.Waiting(t.Context())
	require.NoError(t, err)
	assert.Equal(t, all, messages, "a report and its message are kept together")
	assert.GreaterOrEqual(t, all, len(ids))
}

func crashLoop(t *testing.T, url string) {
	var kept []string
	for round := range 8 {
		w := startWriter(t, url)
		if round > 0 { // the first may be killed while it makes the tables
			w.read(t, 1+rand.IntN(60))
		}
		w.kill(t)
		kept = append(kept, w.kept...)
		requireKept(t, url, kept)
	}
	t.Logf("%d reports were acknowledged and are there", len(kept))
	require.Greater(t, len(kept), 7)
}

func TestSQLite_losesNothingWhenKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("this test kills a process again and again: run it with make test-store")
	}
	crashLoop(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
}

func losesNothingWhenKilled(t *testing.T, pg *storetest.Postgres) {
	crashLoop(t, pg.NewDatabase(t))

	t.Run("nor when PostgreSQL crashes", func(t *testing.T) {
		url := pg.NewDatabase(t)
		w := startWriter(t, url)
		for range 3 {
			w.read(t, 20)
			pg.Stop(t, syscall.SIGQUIT)
			pg.Start(t)
		}
		w.read(t, 20)
		w.kill(t)
		requireKept(t, url, w.kept)
	})

	t.Run("two servers, one of them killed", func(t *testing.T) {
		url := pg.NewDatabase(t)
		clock := storetest.NewClock()
		clock.Move(time.Since(clock.Now()))
		s, err := store.Open(t.Context(), url, store.Options{Keys: [][]byte{durableKey}, Log: quiet, Now: clock.Now})
		require.NoError(t, err)
		defer s.Close()
		events := s.Watch(t.Context())
		for i := range 3 {
			require.NoError(t, s.Reports.Add(t.Context(), store.Report{ID: store.NewID()}, store.Message{ID: fmt.Sprint("first", i)}))
		}

		w := startWriter(t, url)
		w.read(t, 20)
		cases, err := s.Cases.List(t.Context(), store.CaseQuery{})
		require.NoError(t, err)
		require.Len(t, cases, 1, "the case that the other made")
		for e := range events {
			if e.Case == cases[0].ID {
				break
			}
		}
		// This one goes on while the other is killed.
		var kept []string
		killed := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for after := 0; after < 20; {
				r := store.Report{ID: store.NewID(), Case: cases[0].ID}
				r.Body = bodyOf(r.ID)
				if !assert.NoError(t, s.Reports.Add(t.Context(), r, store.Message{ID: "m" + r.ID})) {
					return
				}
				kept = append(kept, r.ID)
				select {
				case <-killed:
					after++
				default:
				}
			}
		})
		w.kill(t)
		close(killed)
		wg.Wait()
		requireKept(t, url, append(kept, w.kept...))

		// The other took the first messages to send, and never will.
		first := func() (n int) {
			ms, err := s.Outbox.Claim(t.Context(), 1000, time.Minute)
			require.NoError(t, err)
			for _, m := range ms {
				if strings.HasPrefix(m.ID, "first") {
					n++
				}
			}
			return n
		}
		assert.Zero(t, first())
		clock.Move(2 * time.Hour)
		assert.Equal(t, 3, first())
	})

	t.Run("two servers", func(t *testing.T) {
		url := pg.NewDatabase(t)
		clock := storetest.NewClock()
		var servers [2]*store.Store
		for i := range servers {
			s, err := store.Open(t.Context(), url, store.Options{Log: quiet, Now: clock.Now})
			require.NoError(t, err)
			defer s.Close()
			servers[i] = s
		}
		a, b := servers[0], servers[1]
		heard := b.Watch(t.Context())
		c := store.Case{ID: store.NewID(), Expires: clock.Now().Add(time.Hour)}
		_, hash := store.NewToken()
		require.NoError(t, a.Cases.Add(t.Context(), c, hash))
		assert.Equal(t, c.ID, (<-heard).Case)
		require.NoError(t, b.Reports.Add(t.Context(), store.Report{ID: store.NewID(), Case: c.ID}))
		got, err := a.Cases.ByToken(t.Context(), hash)
		require.NoError(t, err)
		assert.Equal(t, 1, got.Reports)

		for i, s := range []*store.Store{a, b, a, b, a} {
			wait, err := s.Limits.Take(t.Context(), "report 192.0.2.1", 3, time.Minute)
			require.NoError(t, err)
			assert.Equal(t, i >= 3, wait > 0, "they count together")
		}
	})
}
