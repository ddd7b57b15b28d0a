package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// lines is what was printed, for more than one to read and write.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// openTerminal opens a real terminal, and the other side of it, where a person types
// and reads.
func openTerminal(t *testing.T) (person, terminal *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { person.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	return person, terminal
}

func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	mode, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	require.NoError(t, err)
	return mode.Lflag&unix.ECHO != 0
}

func TestUser_asksOnTheTerminalWithoutShowing(t *testing.T) {
	for _, c := range []struct{ name, first, again, want string }{
		{"the same twice", typed, typed, "ann may sign in as agent"},
		{"not the same", typed, typed + "!", "the two passwords differ"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newUsers(t)
			person, terminal := openTerminal(t)
			var out lines
			ended := make(chan int)
			go func() {
				ended <- run(context.Background(), []string{"user", "-db", u.db, "add", "ann"}, terminal, &out, &out)
			}()
			for _, step := range []struct{ prompt, answer string }{{"Password (at least 12 characters): ", c.first}, {"Once more: ", c.again}} {
				require.Eventually(t, func() bool { return strings.Contains(out.String(), step.prompt) }, 30*time.Second, time.Millisecond)
				require.Eventually(t, func() bool { return !echoes(t, terminal) }, 30*time.Second, time.Millisecond, "it shows what is typed")
				_, err := person.WriteString(step.answer + "\n")
				require.NoError(t, err)
			}
			<-ended
			assert.True(t, echoes(t, terminal), "the terminal is left as it was")
			assert.Contains(t, out.String(), c.want)
			assert.NotContains(t, out.String(), typed)
			require.NoError(t, terminal.Close())
			assert.NotContains(t, shownOn(person), typed, "nor on the screen")
		})
	}
}

// shownOn is what the terminal showed, until it was closed.
func shownOn(person *os.File) string {
	var b bytes.Buffer
	_, _ = b.ReadFrom(person) // a closed terminal is an error on Linux
	return b.String()
}
