package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

func TestPostgres_keepsTheContract(t *testing.T) {
	pg := storetest.StartPostgres(t)
	storetest.Run(t, func(t *testing.T) storetest.Open {
		url := pg.NewDatabase(t)
		return func(t *testing.T, o store.Options) *store.Store {
			s, err := store.Open(t.Context(), url, o)
			require.NoError(t, err)
			return s
		}
	})
}
