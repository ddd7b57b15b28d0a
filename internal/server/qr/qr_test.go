package qr_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"latchkey/internal/server/qr"
)

// A part of the text may be what a request says, so it may be anything.
func TestPath_isDigitsAndAFewLetters(t *testing.T) {
	for _, host := range []string{`x"><b>`, "x' onload='y", strings.Repeat("x", 4000)} {
		size, path := qr.Path("http://" + host + "/latchkey/phone")
		assert.Regexp(t, `^[Mhm0-9 .]*$`, path)
		assert.Equal(t, size == 0, path == "")
	}
	size, _ := qr.Path(strings.Repeat("x", 4000))
	assert.Zero(t, size, "no code holds that much")
}
