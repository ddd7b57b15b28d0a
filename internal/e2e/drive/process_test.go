//go:build unix

package drive

import (
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStartGuarded_endsWithUs(t *testing.T) {
	p, err := startGuarded(exec.Command("/bin/sh", "-c", "sleep 60 & sleep 60"))
	require.NoError(t, err)
	require.NoError(t, p.life.Close(), "as when the test process is killed")
	err = p.cmd.Wait()
	require.NotErrorIs(t, err, exec.ErrWaitDelay, "nobody of the group is left")
	require.Error(t, err)
	assert.Equal(t, syscall.SIGKILL, p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
}
