package main

import (
	"bytes"
	"encoding/hex"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
)

func TestMigrate_saysWhatItDid(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	t.Setenv("LATCHKEY_DB_KEYS", "")
	migrates := func(code int, stdout, stderr string, args ...string) {
		t.Helper()
		var out, err bytes.Buffer
		assert.Equal(t, code, run(t.Context(), append([]string{"migrate", "-db", url}, args...), nil, &out, &err), err.String())
		assert.Equal(t, stdout, out.String())
		assert.Contains(t, err.String(), stderr)
	}
	migrates(0, "ran 0001_start\nran 0002_engine.sqlite\n", "")
	migrates(0, "the tables are up to date\n", "")
	migrates(2, "", "-reseal needs a key in LATCHKEY_DB_KEYS", "-reseal")
	migrates(2, "", "usage: latchkey migrate", "now")

	st, err := store.Open(t.Context(), url, store.Options{})
	require.NoError(t, err)
	require.NoError(t, st.Reports.Add(t.Context(), store.Report{ID: store.NewID(), Body: []byte("x")}))
	require.NoError(t, st.Close())
	a, b := hex.EncodeToString(bytes.Repeat([]byte{1}, 32)), hex.EncodeToString(bytes.Repeat([]byte{2}, 32))
	t.Setenv("LATCHKEY_DB_KEYS", a)
	migrates(0, "the tables are up to date\nencrypted anew: 1\n", "", "-reseal")
	migrates(0, "the tables are up to date\nencrypted anew: 0\n", "", "-reseal")
	t.Setenv("LATCHKEY_DB_KEYS", b)
	migrates(1, "the tables are up to date\nencrypted anew: 0\n", "no key for this", "-reseal")
	t.Setenv("LATCHKEY_DB_KEYS", b+","+a)
	migrates(0, "the tables are up to date\nencrypted anew: 1\n", "", "-reseal")
	t.Setenv("LATCHKEY_DB_KEYS", a[:63])
	migrates(2, "", "LATCHKEY_DB_KEYS: key 1 is not 32 bytes")
	t.Setenv("LATCHKEY_DB_KEYS", "")
	t.Setenv("LATCHKEY_DB", "sqlite:")
	var out, stderr bytes.Buffer
	assert.Equal(t, 1, run(t.Context(), []string{"migrate"}, nil, &out, &stderr))
	assert.Contains(t, stderr.String(), "needs the path of a file", "the URL from the environment")
}
