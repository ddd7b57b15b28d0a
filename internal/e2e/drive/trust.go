//go:build unix

package drive

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const certutilPath = "/usr/bin/certutil"

// trust makes a store of NSS in which authorities vouch for servers.
func trust(dir string, authorities [][]byte) error {
	if len(authorities) == 0 {
		return nil
	}
	if err := installed(certutilPath, "libnss3-tools"); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	runs := [][]string{{"-N", "--empty-password"}}
	for i, authority := range authorities {
		file := filepath.Join(dir, fmt.Sprintf("authority%d.pem", i))
		if err := os.WriteFile(file, authority, 0o600); err != nil {
			return fmt.Errorf("trust: %w", err)
		}
		runs = append(runs, []string{"-A", "-t", "C,,", "-n", fmt.Sprintf("authority %d", i), "-i", file})
	}
	for _, args := range runs {
		if out, err := exec.Command(certutilPath, append([]string{"-d", "sql:" + dir}, args...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("trust: certutil %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}
