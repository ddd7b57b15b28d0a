//go:build unix

package drive

import (
	_ "embed"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

//go:embed clockshim.c
var clockShim string

// Clock is a wall clock that goes wrong, for the browsers started with its Env.
type Clock struct {
	library, file string
}

// NewClock makes a clock for one test that is ahead of the host's by offset, or
// behind it if offset is negative. It needs gcc, and is for Linux with glibc.
func NewClock(t testing.TB, offset time.Duration) *Clock {
	t.Helper()
	dir := t.TempDir()
	c := &Clock{library: filepath.Join(dir, "clock.so"), file: filepath.Join(dir, "clock")}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Fatal("gcc is not installed, run: make deps (apt-get install gcc)")
	}
	// Per clock, not per process: a tenth of a second, and nothing is left behind.
	cmd := exec.CommandContext(t.Context(), "gcc", "-shared", "-fPIC", "-O2", "-o", c.library, "-x", "c", "-")
	cmd.Stdin = strings.NewReader(clockShim)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile clock: %v: %s", err, out)
	}
	if err := c.Set(offset); err != nil {
		t.Fatal(err)
	}
	return c
}

// Env is for Options.Env.
func (c *Clock) Env() []string {
	return []string{"LD_PRELOAD=" + c.library, "LATCHKEY_CLOCK_FILE=" + c.file}
}

// Set sets the clock offset ahead of the host's, also in running browsers:
// Date.now() jumps there while performance.now() goes on.
func (c *Clock) Set(offset time.Duration) error {
	f, err := os.OpenFile(c.file, os.O_RDWR|os.O_CREATE, 0o600) // not truncated: it is mapped
	if err != nil {
		return err
	}
	if err := binary.Write(f, binary.NativeEndian, int64(offset)); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
