package store_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

func TestSQLite_keepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Open {
		path := filepath.Join(t.TempDir(), "a b?%41#.db")
		return func(t *testing.T, o store.Options) *store.Store {
			s, err := store.Open(t.Context(), "sqlite:"+path, o)
			require.NoError(t, err)
			return s
		}
	})
}

func TestSQLite_isOpenedByManyAtOnce(t *testing.T) {
	openedAtOnce(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
}

func TestSQLite_refusesWhatANewerProgramHasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	newerIsRefused(t, "sqlite:"+path, "sqlite", path)
}
