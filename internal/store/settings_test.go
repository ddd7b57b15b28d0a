package store

import (
	"database/sql"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a power cut would show, and no test can.
func TestSQLite_waitsForTheDisk(t *testing.T) {
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err)
	defer s.Close()
	for name, pool := range map[string]*sql.DB{"read": s.db.read, "write": s.db.write} {
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "secure_delete": "1", "busy_timeout": "5000"} {
			var got string
			require.NoError(t, pool.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
			assert.Equal(t, want, got, "%s of the pool to %s", pragma, name)
		}
	}
	assert.Equal(t, 1, s.db.write.Stats().MaxOpenConnections)
}

func TestSQLite_saysThatThereIsNoRoomInTheFile(t *testing.T) {
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.db.write.ExecContext(t.Context(), "PRAGMA max_page_count = 60")
	require.NoError(t, err)
	r := Report{ID: NewID(), Body: make([]byte, 400<<10)}
	require.ErrorIs(t, s.Reports.Add(t.Context(), r), ErrFull)
	require.ErrorIs(t, s.Reports.Add(t.Context(), r, Message{}), ErrFull)
	_, err = s.Reports.Get(t.Context(), r.ID)
	require.ErrorIs(t, err, ErrNotFound)
	r.Body = []byte("less")
	require.NoError(t, s.Reports.Add(t.Context(), r))
}

func TestReady_doesNotLetAnybodyMakeItWrite(t *testing.T) {
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Ready(t.Context()))
	_, err = s.db.write.ExecContext(t.Context(), "PRAGMA query_only = 1")
	require.NoError(t, err)
	asked := func(ago time.Duration) error {
		last := time.Now().Add(-ago)
		s.db.ready.Store(&last)
		return s.Ready(t.Context())
	}
	require.NoError(t, asked(-time.Hour), "it was just tried")
	require.ErrorIs(t, asked(time.Second), ErrUnavailable, "and is tried again")
	require.ErrorIs(t, s.Ready(t.Context()), ErrUnavailable, "what went wrong is not kept")
}
