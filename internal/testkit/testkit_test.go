package testkit

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"latchkey/internal/evidence"
)

// spy notes failures instead of failing.
type spy struct {
	testing.TB
	failed bool
	said   string
}

func (s *spy) Helper() {}
func (s *spy) Errorf(format string, args ...any) {
	s.failed = true
	for _, a := range args {
		s.said += a.(string)
	}
}
func (s *spy) FailNow() { panic("stop") }

func TestGolden_comparesOrWrites(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("LATCHKEY_UPDATE", "")

	missing := &spy{TB: t}
	assert.Panics(t, func() { Golden(missing, "deep/page.txt", []byte("one\ntwo\n")) })
	assert.Contains(t, missing.said, "run: make golden")

	t.Setenv("LATCHKEY_UPDATE", "1")
	Golden(t, "deep/page.txt", []byte("one\ntwo\n"))
	assert.FileExists(t, "testdata/deep/page.txt")

	t.Setenv("LATCHKEY_UPDATE", "")
	same := &spy{TB: t}
	Golden(same, "deep/page.txt", []byte("one\ntwo\n"))
	assert.False(t, same.failed, same.said)

	other := &spy{TB: t}
	Golden(other, "deep/page.txt", []byte("one\nthree\n"))
	assert.Contains(t, other.said, "-two")
	assert.Contains(t, other.said, "+three")
	assert.Contains(t, other.said, "run: make golden")

	data, err := os.ReadFile("testdata/deep/page.txt")
	assert.NoError(t, err)
	assert.Equal(t, "one\ntwo\n", string(data), "comparing must not write")
}

func TestBrowsers_areEightAndFullyLookedAt(t *testing.T) {
	all := Browsers(t)
	for _, name := range []string{
		"chrome-desktop", "edge-windows", "firefox-desktop", "safari-mac",
		"safari-ios", "chrome-android", "samsung-internet", "epiphany-linux",
	} {
		e, ok := all[name]
		if assert.True(t, ok, name) {
			assert.Equal(t, evidence.Wasm, e.Run.Tier, name)
			assert.True(t, evidence.Is(e.Cookies.HTTP, true), name)
			assert.Equal(t, evidence.OK, e.Page.Violations.State, name)
			assert.Equal(t, evidence.Unasked, e.Host.Outcome.State, "%s: no server said anything", name)
		}
	}
	assert.Len(t, all, 8)
}
