package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that makes databases
	"github.com/stretchr/testify/require"
)

// Postgres is a PostgreSQL server of the test's own, on a Unix socket.
type Postgres struct {
	dir  string
	bin  string
	as   *syscall.Credential // who it runs as; nil is the test itself
	cmd  *exec.Cmd
	done chan error
	log  *bytes.Buffer
	args []string
	n    atomic.Int32
}

// StartPostgres makes and starts a server, which ends with the test. It does not wait
// for the disk, because a process that is killed loses nothing that way; args, such as
// "-c", "fsync=on", come after. With -short the test is skipped.
func StartPostgres(t testing.TB, args ...string) *Postgres {
	t.Helper()
	if testing.Short() {
		t.Skip("this test starts PostgreSQL: run it with make test-store")
	}
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	require.NoError(t, err)
	require.NotEmpty(t, bins, "PostgreSQL is not here: apt-get install postgresql, or make test-store")
	slices.SortFunc(bins, func(a, b string) int { return len(a) - len(b) })
	// t.TempDir is too long for a socket, and nobody else may enter it.
	dir, err := os.MkdirTemp("", "pg")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &Postgres{dir: dir, bin: filepath.Dir(bins[len(bins)-1]), args: args}
	if os.Geteuid() == 0 {
		p.as = postgresUser(t)
		p.Own(t, dir)
	}
	init := p.command("initdb", "-D", p.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions")
	out, err := init.CombinedOutput()
	require.NoError(t, err, string(out))
	p.Start(t)
	t.Cleanup(func() {
		if p.cmd != nil {
			p.Stop(t, syscall.SIGQUIT)
		}
	})
	return p
}

// postgresUser is who the server runs as if the test is root, whom it refuses.
func postgresUser(t testing.TB) *syscall.Credential {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, err := strconv.ParseUint(u.Uid, 10, 32)
			require.NoError(t, err)
			gid, err := strconv.ParseUint(u.Gid, 10, 32)
			require.NoError(t, err)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	require.Fail(t, "there is no user that PostgreSQL could run as")
	return nil
}

// Own gives a path to the server's user.
func (p *Postgres) Own(t testing.TB, path string) {
	t.Helper()
	if p.as != nil {
		require.NoError(t, os.Chown(path, int(p.as.Uid), int(p.as.Gid)))
	}
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// Dir is a folder that the server may write to.
func (p *Postgres) Dir() string { return p.dir }

func (p *Postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as, Setpgid: true}
	return cmd
}

// Start starts the server, after Stop as well, and waits until it answers.
func (p *Postgres) Start(t testing.TB) {
	t.Helper()
	started := make(chan error)
	args := append([]string{"-D", p.data(), "-k", p.dir, "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "fsync=off"}, p.args...)
	p.cmd, p.done, p.log = p.command("postgres", args...), make(chan error, 1), &bytes.Buffer{}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	// It shuts down when the test dies. The signal comes when the thread ends that
	// started it, so that one stays.
	p.cmd.SysProcAttr.Pdeathsig = syscall.SIGINT
	cmd, done := p.cmd, p.done
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			done <- cmd.Wait()
		}
	}()
	require.NoError(t, <-started)
	db, err := sql.Open("pgx", p.url("postgres"))
	require.NoError(t, err)
	defer db.Close()
	require.Eventually(t, func() bool { return db.PingContext(context.Background()) == nil }, 60*time.Second, 20*time.Millisecond, "PostgreSQL does not start")
}

// Stop ends the server: SIGINT in order, SIGQUIT at once, SIGKILL as a crash does.
func (p *Postgres) Stop(t testing.TB, with syscall.Signal) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(with))
	select {
	case <-p.done:
	case <-time.After(60 * time.Second):
		p.cmd.Process.Kill()
		require.Fail(t, "PostgreSQL does not stop", p.log.String())
	}
	p.cmd = nil
}

func (p *Postgres) url(name string) string {
	return fmt.Sprintf("postgres:///%s?host=%s&user=postgres", name, p.dir)
}

// NewDatabase makes an empty database and returns its URL; more is appended to the
// statement that makes it.
func (p *Postgres) NewDatabase(t testing.TB, more ...string) string {
	t.Helper()
	name := fmt.Sprintf("t%d", p.n.Add(1))
	p.Exec(t, "CREATE DATABASE "+name+" "+strings.Join(more, " "))
	return p.url(name)
}

// Exec runs a statement as the server's owner.
func (p *Postgres) Exec(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", p.url("postgres"))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(context.Background(), statement)
	require.NoError(t, err)
}
