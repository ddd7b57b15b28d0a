package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

// One server is enough for all; those that stop it come last.
func TestPostgres(t *testing.T) {
	pg := storetest.StartPostgres(t)
	t.Run("keeps the contract", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) storetest.Open {
			url := pg.NewDatabase(t)
			return func(t *testing.T, o store.Options) *store.Store {
				s, err := store.Open(t.Context(), url, o)
				require.NoError(t, err)
				return s
			}
		})
	})
	t.Run("is opened by many at once", func(t *testing.T) { openedAtOnce(t, pg.NewDatabase(t)) })
	t.Run("refuses what a newer program has written", func(t *testing.T) {
		url := pg.NewDatabase(t)
		newerIsRefused(t, url, "pgx", url)
	})
	t.Run("loses nothing when killed", func(t *testing.T) { losesNothingWhenKilled(t, pg) })
	t.Run("says what is wrong", func(t *testing.T) { saysWhatIsWrong(t, pg) })
}
