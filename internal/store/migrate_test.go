package store

import (
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMigrations_areOfTheEngineAndInOrder(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for _, c := range []struct {
		name  string
		files fstest.MapFS
		want  []migration
		err   string
	}{
		{"of all engines and of this one", fstest.MapFS{
			"migrations/0002_b.sqlite.sql": file("two"), "migrations/0002_b.postgres.sql": file("other"), "migrations/0001_a.sql": file("one"),
			"migrations/0010_j.txt": file("none"),
		}, []migration{{1, "0001_a", "one"}, {2, "0002_b.sqlite", "two"}}, ""},
		{"one is missing", fstest.MapFS{"migrations/0002_a.sql": file("")}, nil, "sqlite migration 1 is missing or there twice"},
		{"one is there for the other engine only", fstest.MapFS{"migrations/0001_a.postgres.sql": file(""), "migrations/0002_a.sql": file("")}, nil, "sqlite migration 1 is missing"},
		{"two have the same number", fstest.MapFS{"migrations/0001_a.sql": file(""), "migrations/0001_b.sql": file("")}, nil, "migration 2 is missing or there twice"},
		{"no number", fstest.MapFS{"migrations/a.sql": file("")}, nil, "migrations/a.sql: a migration's name begins with its number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := migrations(c.files, "sqlite")
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestMigrate_allOrNothing(t *testing.T) {
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err)
	defer s.Close()
	ms, err := migrations(migrationFiles, "sqlite")
	require.NoError(t, err)
	n := len(ms)
	more := append(ms, migration{n + 1, "good", "CREATE TABLE more (x TEXT); INSERT INTO more VALUES ('?')"}, migration{n + 2, "bad", "CREATE TABLE more (x TEXT)"})
	_, err = s.db.migrateTo(t.Context(), more)
	require.ErrorContains(t, err, "migration bad: ")
	ran, err := s.db.migrateTo(t.Context(), more[:n+1])
	require.NoError(t, err, "what ran before the bad one is undone")
	assert.Equal(t, []string{"good"}, ran)
	ran, err = s.db.migrateTo(t.Context(), more[:n+1])
	require.NoError(t, err)
	assert.Empty(t, ran)
	_, err = s.db.migrateTo(t.Context(), ms)
	require.ErrorContains(t, err, "a newer Latchkey")
}
