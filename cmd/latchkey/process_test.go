package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asProgram is set where this test binary is to be the program itself. It holds the
// folder with the static files.
const asProgram = "LATCHKEY_TEST_ASSETS"

func TestMain(m *testing.M) {
	dir := os.Getenv(asProgram)
	if dir == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if args := os.Args[1:]; len(args) > 0 && args[0] == "serve" {
		os.Exit(serveFiles(ctx, os.DirFS(dir), args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// program is the environment in which this binary is the program.
func program(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, someFiles(t)))
	return append(os.Environ(), asProgram+"="+dir)
}

// process is a server in a process of its own.
type process struct {
	url string
	cmd *exec.Cmd
}

// launch returns when the server is up; args come after serve and -addr.
func launch(t *testing.T, env []string, args ...string) process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, append([]string{"serve", "-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env, cmd.Stderr = env, t.Output()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return process{strings.TrimPrefix(strings.TrimSpace(line), "listening on "), cmd}
}

// dies is what a power cut or the kernel does to it.
func (p process) dies(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	assert.Error(t, p.cmd.Wait())
}

// runKey runs "latchkey key" with the arguments.
func runKey(args ...string) (code int, stdout, stderr string) {
	var out, err strings.Builder
	code = run(context.Background(), append([]string{"key"}, args...), strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// readAll is what is left to read.
func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(b)
}
