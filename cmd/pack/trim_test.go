package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTrim_leavesTheServerOutOfTheBrowsersProgram(t *testing.T) {
	t.Chdir("../..")
	dir := filepath.Join(t.TempDir(), "go-app")
	require.NoError(t, trim(dir))
	list := func(args ...string) []string {
		cmd := exec.Command("go", append(append([]string{"list", "-deps"}, args...), "./cmd/widget")...)
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
		out, err := cmd.Output()
		require.NoError(t, err)
		return strings.Fields(string(out))
	}
	assert.Contains(t, list(), "net/http", "go-app brings it")
	trimmed := list("-modfile=" + dir + ".mod")
	assert.Contains(t, trimmed, goApp+"/pkg/app")
	for _, left := range []string{"net/http", "net", "crypto", "crypto/sha1"} {
		assert.NotContains(t, trimmed, left)
	}
}
