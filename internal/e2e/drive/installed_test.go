//go:build unix

package drive

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInstalled_tellsTheRemedy(t *testing.T) {
	require.NoError(t, installed("*_test.go", "this"))
	assert.EqualError(t, installed("*_test.go", "this", "no/such/*", "chromium", "nor/this", "xvfb", "nor/that", "chromium"),
		"browser is not installed, run: make deps (apt-get install chromium xvfb)")
}
