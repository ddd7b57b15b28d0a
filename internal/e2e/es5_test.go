package e2e

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/web"
)

// nodeModule is the path of a file that npm installed. The test fails with the
// remedy if it is not there.
func nodeModule(t *testing.T, file string) string {
	t.Helper()
	path := "node_modules/" + file
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is not installed, run: make deps internal/e2e/node_modules/.package-lock.json (npm ci in internal/e2e)", file)
	}
	return path
}

// parseES5 parses a script as browsers of 2010 did.
func parseES5(t *testing.T, source string) error {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("node is not installed, run: make deps (apt-get install nodejs)")
	}
	cmd := exec.CommandContext(t.Context(), node, nodeModule(t, "acorn/bin/acorn"), "--ecma5", "--silent")
	cmd.Stdin = strings.NewReader(source)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}

// What runs in the browsers whose sign-in fails is there for the oldest of them.
func TestES5(t *testing.T) {
	if testing.Short() {
		t.Skip("needs node: left out by -short")
	}
	for _, newer := range []string{`const a = 1`, "f(`a`, b => b)"} {
		err := parseES5(t, newer)
		require.Error(t, err, "the parser lets newer scripts pass: %s", newer)
		assert.Regexp(t, `\(1:\d+\)`, err.Error(), "it names the place")
	}
	scripts, err := filepath.Glob("../../web/*.js")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, path := range scripts {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.NoError(t, parseES5(t, string(source)), path)
	}
	packed, err := fs.Glob(web.Dist(), "*.js.br")
	require.NoError(t, err)
	require.NotEmpty(t, packed)
	for _, name := range packed {
		if strings.HasPrefix(name, "wasm_exec.") {
			continue // Go's own
		}
		file, err := web.Dist().Open(name)
		require.NoError(t, err)
		served, err := io.ReadAll(brotli.NewReader(file))
		require.NoError(t, err)
		assert.NoError(t, parseES5(t, string(served)), "%s, as it is served", name)
	}
}
