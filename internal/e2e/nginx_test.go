//go:build unix

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
)

// startNginx puts Debian's nginx with its default limits in front of a server,
// until the test ends, and returns its port.
func startNginx(t *testing.T, upstream, more string) string {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/nginx")
	}
	require.NoError(t, err, "nginx is not installed, run: make deps")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())

	dir := t.TempDir()
	conf := fmt.Sprintf(`
daemon off; worker_processes 1; pid %[1]s/pid; error_log stderr crit;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	server {
		listen 127.0.0.1:%[2]s;
		location / { proxy_pass %[3]s; proxy_set_header Host $http_host; }
		%[4]s
	}
}`, dir, port, upstream, more)
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
	cmd := exec.Command(path, "-c", file, "-p", dir)
	cmd.Stderr = t.Output()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	eventually(t, "nginx answers", func() bool {
		r, err := http.Get("http://127.0.0.1:" + port + "/healthz")
		if err == nil {
			r.Body.Close()
		}
		return err == nil && r.StatusCode == http.StatusOK
	})
	return port
}

// TestCookies_tooLargeForNginx is a person whose cookies have grown beyond what a
// real front takes: the login page itself does not open any more.
func TestCookies_tooLargeForNginx(t *testing.T) {
	t.Parallel()
	for _, engine := range []drive.Engine{drive.Chromium, drive.Firefox, drive.WebKit} {
		t.Run(string(engine), func(t *testing.T) {
			site := startSite(t)
			plain := startNginx(t, site.URL, "")
			helping := startNginx(t, site.URL, "error_page 494 = @too_long; location @too_long { return 302 "+site.on("help.localhost")+"/latchkey/?outcome=494; }")
			p := drive.Open(t, engine, drive.Options{})
			visit(t, p, "http://portal.localhost:"+plain+"/latchkey/static/")
			do(t, p, `for (var i = 0; i < 60; i++) { document.cookie = "oidc." + i + "=" + new Array(1000).join("x") + "; Path=/"; }`)

			text := ""
			for range 20 { // Chromium writes its cookies down on its way
				visit(t, p, "http://portal.localhost:"+plain+"/")
				if text = read[string](t, p, `document.body.innerText`); strings.Contains(text, "Too Large") {
					break
				}
			}
			assert.Contains(t, text, "Request Header Or Cookie Too Large", "cookies know no ports")

			l := open(t, p, "http://portal.localhost:"+helping+"/")
			requireWhole(t, l)
			assert.Equal(t, "wasm", l.Tier)
			assert.Equal(t, "cookies-too-large", l.top())
			assert.Equal(t, diag.Sure, finding(t, l, "cookies-too-large").Sureness)
			assert.Equal(t, "remove-old-cookies", l.Fixes[0])
			assert.Contains(t, l.Text, "This site has left too many cookies in your browser")
		})
	}
}
