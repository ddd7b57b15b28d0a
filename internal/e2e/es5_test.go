package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	for _, name := range []string{"embed.js", "looks.js", "clock.js", "network.js", "steps.js", "frame.js", "pair.js", "bring.js", "phone.js", "third.js", "words.js"} {
		source, err := os.ReadFile("../../web/" + name)
		require.NoError(t, err)
		assert.NoError(t, parseES5(t, string(source)), name)
	}
}
