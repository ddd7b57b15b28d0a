package store_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"os"
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

func open(t *testing.T, url string, o store.Options) *store.Store {
	o.Log = quiet
	s, err := store.Open(t.Context(), url, o)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// smallDisk is a file system of its own, of so many bytes.
func smallDisk(t *testing.T, dir, size string) {
	if err := syscall.Mount("latchkey", dir, "tmpfs", 0, "size="+size+",mode=0777"); err != nil {
		t.Skipf("this test mounts a small file system, which needs root: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, 0)) })
}

// fill adds reports until the store does not take another one, which it has to say.
// What it took has to be there, and it has to go on once there is room.
func fill(t *testing.T, s *store.Store) {
	var kept []store.Report
	for {
		r := store.Report{ID: store.NewID(), Body: make([]byte, 20<<10)}
		rand.Read(r.Body) // PostgreSQL compresses
		err := s.Reports.Add(t.Context(), r, store.Message{ID: r.ID, Body: r.Body})
		if err != nil {
			require.ErrorIs(t, err, store.ErrFull)
			_, err = s.Reports.Get(t.Context(), r.ID)
			require.ErrorIs(t, err, store.ErrNotFound, "it was not written")
			break
		}
		kept = append(kept, r)
		require.Less(t, len(kept), 10000, "the disk does not get full")
	}
	require.NotEmpty(t, kept)
	for _, r := range kept {
		got, err := s.Reports.Get(t.Context(), r.ID)
		require.NoError(t, err)
		require.Equal(t, r.Body, got.Body)
	}
}

func TestSQLite_saysThatTheDiskIsFull(t *testing.T) {
	t.Run("a small file system", func(t *testing.T) {
		dir := t.TempDir()
		smallDisk(t, dir, "1m")
		ballast := filepath.Join(dir, "ballast")
		require.NoError(t, os.WriteFile(ballast, make([]byte, 200<<10), 0o600))
		s := open(t, "sqlite:"+filepath.Join(dir, "x.db"), store.Options{})
		t.Cleanup(func() { s.Close() }) // before the file system goes
		fill(t, s)
		require.ErrorIs(t, s.Audit.Add(t.Context(), store.Entry{What: strings.Repeat("x", 100<<10)}), store.ErrFull)
		require.NoError(t, os.Remove(ballast))
		require.NoError(t, s.Reports.Add(t.Context(), store.Report{ID: store.NewID(), Body: []byte("x")}), "with room it goes on by itself")
		require.NoError(t, s.Ready(t.Context()))
	})
}

func TestSQLite_doesNotWaitForEver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s := open(t, "sqlite:"+path, store.Options{})
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	other, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer other.Close()
	_, err = other.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r := store.Report{ID: store.NewID()}
	require.ErrorIs(t, s.Reports.Add(ctx, r), store.ErrUnavailable, "another program is writing")
	_, err = s.Reports.Get(t.Context(), r.ID)
	require.ErrorIs(t, err, store.ErrNotFound, "reading goes on meanwhile")
	_, err = other.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.NoError(t, s.Reports.Add(t.Context(), r))
}

func saysWhatIsWrong(t *testing.T, pg *storetest.Postgres) {
	t.Run("it is away for a while", func(t *testing.T) {
		url := pg.NewDatabase(t)
		s, other := open(t, url, store.Options{}), open(t, url, store.Options{})
		events := s.Watch(t.Context())
		r := store.Report{ID: store.NewID(), Body: []byte("x")}
		require.NoError(t, s.Reports.Add(t.Context(), r))
		<-events
		pg.Stop(t, syscall.SIGINT)
		late := store.Report{ID: store.NewID(), Body: []byte("late")}
		require.ErrorIs(t, s.Reports.Add(t.Context(), late), store.ErrUnavailable)
		require.ErrorIs(t, s.Reports.Add(t.Context(), late, store.Message{}), store.ErrUnavailable)
		require.ErrorIs(t, s.Ready(t.Context()), store.ErrUnavailable)
		_, err := s.Reports.Get(t.Context(), r.ID)
		require.ErrorIs(t, err, store.ErrUnavailable)
		_, err = s.Limits.Take(t.Context(), "x", 1, time.Minute)
		require.ErrorIs(t, err, store.ErrUnavailable)
		_, err = store.Open(t.Context(), url, store.Options{Log: quiet})
		require.ErrorIs(t, err, store.ErrUnavailable)
		pg.Start(t)

		require.NoError(t, s.Ready(t.Context()), "it answers again")
		require.NoError(t, other.Reports.Add(t.Context(), late), "the same report once more")
		got, err := s.Reports.Get(t.Context(), r.ID)
		require.NoError(t, err)
		assert.Equal(t, r.Body, got.Body)
		select {
		case <-events: // heard at once, or caught up with
		case <-time.After(30 * time.Second):
			require.Fail(t, "who watched before hears nothing any more")
		}
	})

	t.Run("only the line that tells of changes breaks", func(t *testing.T) {
		url := pg.NewDatabase(t)
		s, other := open(t, url, store.Options{}), open(t, url, store.Options{})
		require.NoError(t, other.Ready(t.Context()), "it has a line of its own")
		events := s.Watch(t.Context())
		name := strings.TrimPrefix(strings.SplitN(url, "?", 2)[0], "postgres:///")
		pg.Exec(t, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false")
		pg.Exec(t, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE query = 'LISTEN latchkey_cases' AND datname = '"+name+"'")
		c := store.Case{ID: store.NewID(), Expires: time.Now().Add(time.Hour)}
		_, hash := store.NewToken()
		require.NoError(t, other.Cases.Add(t.Context(), c, hash))
		require.NoError(t, other.Close(), "nothing of it is left to be told")
		pg.Exec(t, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS true")
		select {
		case e := <-events:
			assert.Equal(t, c.ID, e.Case)
		case <-time.After(30 * time.Second):
			require.Fail(t, "what came meanwhile is not told")
		}
	})

	t.Run("its disk is full", func(t *testing.T) {
		disk := filepath.Join(pg.Dir(), "disk")
		require.NoError(t, os.Mkdir(disk, 0o777))
		smallDisk(t, disk, "16m")
		space := filepath.Join(disk, "space")
		require.NoError(t, os.Mkdir(space, 0o700))
		pg.Own(t, space)
		pg.Exec(t, "CREATE TABLESPACE small LOCATION '"+space+"'")
		url := pg.NewDatabase(t, "TABLESPACE small")
		t.Cleanup(func() { pg.Stop(t, syscall.SIGQUIT) }) // it has files open there
		s := open(t, url, store.Options{})
		fill(t, s)
	})
}

// files is all that SQLite has written.
func files(t *testing.T, path string) []byte {
	var all []byte
	names, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		all = append(all, data...)
	}
	return all
}

func TestSQLite_leavesNothingOfWhatWasDeleted(t *testing.T) {
	const marker = "MARKER-7f3a"
	body := []byte(strings.Repeat(marker, 3000))
	day := 24 * time.Hour
	for _, c := range []struct {
		name string
		run  func(*testing.T, *store.Store, *storetest.Clock, store.Report)
	}{
		{"a report", func(t *testing.T, s *store.Store, _ *storetest.Clock, r store.Report) {
			require.NoError(t, s.Reports.Delete(t.Context(), r.ID))
			require.NoError(t, s.Cases.Delete(t.Context(), r.Case))
		}},
		{"a case with its reports", func(t *testing.T, s *store.Store, _ *storetest.Clock, r store.Report) {
			require.NoError(t, s.Cases.Delete(t.Context(), r.Case))
		}},
		{"what is old", func(t *testing.T, s *store.Store, clock *storetest.Clock, _ store.Report) {
			clock.Move(40 * day)
			n, err := s.Sweep(t.Context(), store.Retention{Reports: 30 * day, Cases: 30 * day})
			require.NoError(t, err)
			require.Equal(t, 2, n)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			clock := storetest.NewClock()
			s := open(t, "sqlite:"+path, store.Options{Now: clock.Now})
			r := store.Report{ID: store.NewID(), Case: store.NewID(), Body: body, Reference: marker}
			_, hash := store.NewToken()
			require.NoError(t, s.Cases.Add(t.Context(), store.Case{ID: r.Case, Note: marker, Reference: marker, Expires: clock.Now().Add(day)}, hash))
			require.NoError(t, s.Reports.Add(t.Context(), r))
			require.Contains(t, string(files(t, path)), marker)
			c.run(t, s, clock, r)
			assert.NotContains(t, string(files(t, path)), marker)
		})
	}
}

func TestSQLite_keepsSecretsFromWhoHasTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	plain := open(t, "sqlite:"+path, store.Options{})
	secrets := []string{"BODY-7f3a", "NOTE-7f3a", "TOTP-7f3a"}
	add := func(s *store.Store, name string) {
		_, hash := store.NewToken()
		require.NoError(t, s.Reports.Add(t.Context(), store.Report{ID: store.NewID(), Body: []byte(secrets[0])}))
		require.NoError(t, s.Cases.Add(t.Context(), store.Case{ID: store.NewID(), Note: secrets[1]}, hash))
		require.NoError(t, s.Users.Add(t.Context(), store.User{Name: name, TOTP: secrets[2]}))
	}
	add(plain, "ada")
	for _, secret := range secrets {
		require.Contains(t, string(files(t, path)), secret, "without a key they are readable")
	}
	sealed := open(t, "sqlite:"+path, store.Options{Keys: [][]byte{durableKey}})
	n, err := sealed.Reseal(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	add(sealed, "bob")
	for _, secret := range secrets {
		assert.NotContains(t, string(files(t, path)), secret)
	}
	names, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	for _, name := range names {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}

	// Whoever can write the file gives one report the body of another.
	a, b := store.Report{ID: store.NewID(), Body: []byte("a")}, store.Report{ID: store.NewID(), Body: []byte("b")}
	require.NoError(t, sealed.Reports.Add(t.Context(), a))
	require.NoError(t, sealed.Reports.Add(t.Context(), b))
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `UPDATE reports SET body = (SELECT body FROM reports WHERE id = ?) WHERE id = ?`, a.ID, b.ID)
	require.NoError(t, err)
	_, err = sealed.Reports.Get(t.Context(), b.ID)
	require.ErrorIs(t, err, store.ErrKey)
}

func TestOpen_saysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("this is no database\n", 100)), 0o600))
	for _, c := range []struct {
		name, url string
		keys      [][]byte
		want      string
	}{
		{"nothing", "", nil, "a database is sqlite:PATH or postgres://"},
		{"a bare path", "latchkey.db", nil, "a database is sqlite:PATH or postgres://"},
		{"no path", "sqlite:", nil, "sqlite: needs the path of a file"},
		{"no folder", "sqlite:" + dir + "/no/x.db", nil, "there is no folder " + dir + "/no: make it first"},
		{"a folder", "sqlite:" + dir, nil, "is a directory"},
		{"another file", "sqlite:" + file, nil, "not a database"},
		{"a short key", "sqlite:" + dir + "/x.db", [][]byte{make([]byte, 32), make([]byte, 31)}, "key 2 of the store has 31 bytes, and needs 32"},
		{"nobody there", "postgres://ada:hunter2@127.0.0.1:1/x?sslmode=disable", nil, "the database does not answer"},
		{"a crooked URL", "postgres://ada:hunter2@127.0.0.1:x/x", nil, "cannot parse"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := store.Open(t.Context(), c.url, store.Options{Keys: c.keys, Log: quiet})
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// openedAtOnce holds that of many servers that start on an empty database one makes
// the tables, and the others wait for it.
func openedAtOnce(t *testing.T, url string) {
	var mu sync.Mutex
	made := 0
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			s, err := store.Open(context.WithoutCancel(t.Context()), url, store.Options{Log: quiet})
			if !assert.NoError(t, err) {
				return
			}
			defer s.Close()
			assert.NoError(t, s.Ready(t.Context()))
			mu.Lock()
			defer mu.Unlock()
			if len(s.Migrated) > 0 {
				made++
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 1, made)
}

// newerIsRefused holds that a program does not touch what a newer one has written.
func newerIsRefused(t *testing.T, url, driver, name string) {
	require.NoError(t, open(t, url, store.Options{}).Close())
	db, err := sql.Open(driver, name)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `INSERT INTO migrations (version, name, at) VALUES (1000, '1000_later', 0)`)
	require.NoError(t, err)
	_, err = store.Open(t.Context(), url, store.Options{Log: quiet})
	require.ErrorContains(t, err, "a newer Latchkey has written this database (it is at version 1000")
}
