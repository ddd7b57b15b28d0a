// Package testkit helps tests: golden files and healthy browsers. Its own
// tests hold the rules of the whole tree: who may import whom, and that every
// package says what it is. Only tests import it.
package testkit

import (
	"embed"
	"flag"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
	"latchkey/internal/report"
)

var update = flag.Bool("update", false, "rewrite golden files instead of comparing with them")

// Golden compares got with testdata/name. With -update, or LATCHKEY_UPDATE=1
// for many packages at once, it writes the file instead.
func Golden(t testing.TB, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", filepath.FromSlash(name))
	if *update || os.Getenv("LATCHKEY_UPDATE") == "1" {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run: make golden")
	assert.Equal(t, string(want), string(got), "%s differs; if it should, run: make golden", file)
}

//go:embed browsers/*.json
var browsers embed.FS

// Browsers returns what is seen in healthy browsers at the end of a full look,
// by name. Nothing may be found in any of them.
func Browsers(t testing.TB) map[string]evidence.Evidence {
	t.Helper()
	files, err := browsers.ReadDir("browsers")
	require.NoError(t, err)
	all := map[string]evidence.Evidence{}
	for _, f := range files {
		data, err := browsers.ReadFile(path.Join("browsers", f.Name()))
		require.NoError(t, err)
		e, err := report.Decode(data, report.AllKnown)
		require.NoError(t, err, f.Name())
		all[strings.TrimSuffix(f.Name(), ".json")] = e
	}
	return all
}
