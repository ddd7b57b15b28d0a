//go:build unix

package drive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// reapTime bounds the wait for the last process of a killed group.
const reapTime = 5 * time.Second

// xvfbPath is the X server of the engines that do not run without one.
const xvfbPath = "/usr/bin/Xvfb"

// process is a process group of ours. No Pdeathsig: it fires when the thread
// that forked ends, not the process. If the tests are killed, every program
// started here notices by itself that its pipe, or its last client, is gone;
// what would not is started with startGuarded.
type process struct {
	cmd    *exec.Cmd
	stderr *tail
	life   *os.File // our end of a guard's pipe, if there is one
}

// startProcess starts cmd as the leader of a process group, with keep as
// descriptors from 3 on, and closes the parent's copies of these.
func startProcess(cmd *exec.Cmd, keep ...*os.File) (*process, error) {
	p := &process{cmd: cmd, stderr: new(tail)}
	cmd.ExtraFiles = keep
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Not a file: so cmd.Wait waits until the last child, which inherits the
	// pipe, has closed it.
	cmd.Stderr = p.stderr
	cmd.WaitDelay = reapTime
	err := cmd.Start()
	for _, f := range keep {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	return p, nil
}

// startPiped starts cmd with a conn on its descriptors 3 (to it) and 4 (from it).
func startPiped(cmd *exec.Cmd, handle func(Event)) (*process, *conn, error) {
	toChild, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	r, fromChild, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), errors.Join(err, toChild.Close(), w.Close()))
	}
	p, err := startProcess(cmd, toChild, fromChild)
	if err != nil {
		return nil, nil, errors.Join(err, r.Close(), w.Close())
	}
	return p, newConn(r, w, p.stderr, handle), nil
}

// guard waits in the group of a program that listens on a port, and so does
// not see us go, and ends the group when the other end of descriptor 3 is gone.
const guard = `(read -r _ <&3; kill -KILL 0) & exec "$@" 3<&-`

// startGuarded is startProcess with a guard.
func startGuarded(cmd *exec.Cmd) (*process, error) {
	r, life, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	cmd.Args = slices.Concat([]string{"sh", "-c", guard, "sh", cmd.Path}, cmd.Args[1:])
	cmd.Path = "/bin/sh"
	p, err := startProcess(cmd, r)
	if err != nil {
		return nil, errors.Join(err, life.Close())
	}
	p.life = life
	return p, nil
}

// StartBeside starts a server that a test needs beside its browsers. It ends with
// the test, or with the tests when those are killed.
func StartBeside(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	name := filepath.Base(cmd.Path)
	p, err := startGuarded(cmd)
	if err != nil {
		t.Fatalf("%v, run: make deps", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s said: %s", name, p.stderr)
		}
		if err := p.kill(); err != nil {
			t.Error(err)
		}
	})
}

// startDisplay starts an X server on a free display, and names that. It ends
// with its last client. The process is to be killed even if there is an error.
func startDisplay() (p *process, display string, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	p, err = startProcess(exec.Command(xvfbPath, "-displayfd", "3", "-screen", "0", "1920x1200x24", "-nolisten", "tcp", "-terminate"), w)
	if err != nil {
		return nil, "", err
	}
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		return p, "", fmt.Errorf("no display: %w; it said: %s", err, p.stderr)
	}
	return p, ":" + strings.TrimSpace(number), nil
}

// signal sends a signal to the group, if there still is one.
func (p *process) signal(s syscall.Signal) error {
	if p.cmd.ProcessState != nil {
		return nil // reaped before: the number may be another's by now
	}
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("%v %s: %w", s, filepath.Base(p.cmd.Path), err)
	}
	return nil
}

// kill ends the group and returns when none of it is left.
func (p *process) kill() error {
	if p.cmd.ProcessState != nil {
		return nil
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	if p.life != nil {
		p.life.Close() // nobody is left to read it
	}
	// The exit status is that of the signal; only a group that outlives it matters.
	if err := p.cmd.Wait(); errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("kill %s: %w", filepath.Base(p.cmd.Path), err)
	}
	return nil
}

// newHome makes the home of one browser: profile, caches, temporary files and
// sockets, in a directory or, if that is "", where temporary files are. Its name is
// short, since a socket's path has at most 107 bytes.
func newHome(in string) (dir string, env []string, err error) {
	dir, err = os.MkdirTemp(in, "latchkey-")
	if err != nil {
		return "", nil, fmt.Errorf("make browser home: %w", err)
	}
	return dir, append(os.Environ(),
		"HOME="+dir, "TMPDIR="+dir, "XDG_RUNTIME_DIR="+dir, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=",
		"LC_ALL=en_US.UTF-8", // the person's language, whatever the machine's is
	), nil
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(b)
	t.buf.Next(max(0, t.buf.Len()-tailSize))
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
