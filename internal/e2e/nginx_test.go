//go:build unix

package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
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

// nginx is how Debian's nginx stands in front of a server. The zero value has its
// defaults: it upgrades nothing and buffers all.
type nginx struct {
	location string     // more for where it leads to the server
	server   string     // more beside that
	https    *authority // makes it serve HTTP/2 over TLS
}

const (
	nginxNames    = `proxy_set_header Via "1.1 front.example"; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`
	nginxUpgrades = `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;`
	nginxStreams  = `proxy_buffering off;`
	// Over HTTP/1.1 nginx 1.22 passes each chunk on even with proxy_buffering; what
	// it compresses it holds back nevertheless.
	nginxHolds = `proxy_buffering on; gzip on; gzip_proxied any; gzip_types text/event-stream;`
)

// The fronts, each of which says in headers that it is there.
var (
	nginxForwards  = nginx{location: nginxNames + nginxUpgrades + nginxStreams}
	nginxNoSockets = nginx{location: nginxNames + nginxStreams}
	nginxBuffers   = nginx{location: nginxNames + nginxUpgrades + nginxHolds}
	nginxDefaults  = nginx{location: nginxNames} // HTTP/1.0 upstream: no sockets, and streams held back
)

// inFront starts nginx in front of a server, until the test ends, and returns its
// port.
func (n nginx) inFront(t *testing.T, upstream string) string {
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

	scheme, client := "http://", new(http.Client)
	if n.https != nil {
		certificate, key := n.https.files(t)
		n.server += fmt.Sprintf(" ssl_certificate %s; ssl_certificate_key %s;", certificate, key)
		pool := x509.NewCertPool()
		pool.AddCert(n.https.certificate)
		scheme, client.Transport = "https://", &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	}
	dir := t.TempDir()
	conf := fmt.Sprintf(`
daemon off; worker_processes 1; pid %[1]s/pid; error_log stderr crit;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	map $http_upgrade $connection_upgrade { default upgrade; '' close; }
	server {
		listen 127.0.0.1:%[2]s %[6]s;
		location / { proxy_pass %[3]s; proxy_set_header Host $http_host; %[4]s }
		%[5]s
	}
}`, dir, port, upstream, n.location, n.server, map[bool]string{true: "ssl http2"}[n.https != nil])
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
	drive.StartBeside(t, exec.Command(path, "-c", file, "-p", dir))
	eventually(t, "nginx answers", func() bool {
		r, err := client.Get(scheme + "127.0.0.1:" + port + "/healthz")
		if err == nil {
			r.Body.Close()
		}
		return err == nil && r.StatusCode == http.StatusOK
	})
	client.CloseIdleConnections()
	return port
}

// TestCookies_tooLargeForNginx is a person whose cookies have grown beyond what a
// real front takes: the login page itself does not open any more.
func TestCookies_tooLargeForNginx(t *testing.T) {
	t.Parallel()
	for _, engine := range []drive.Engine{drive.Chromium, drive.Firefox, drive.WebKit} {
		t.Run(string(engine), func(t *testing.T) {
			site := startSite(t)
			plain := nginx{}.inFront(t, site.URL)
			helping := nginx{server: "error_page 494 = @too_long; location @too_long { return 302 " + site.on("help.localhost") + "/latchkey/?outcome=494; }"}.inFront(t, site.URL)
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

// TestNginx_modes is what a page and its server see of a front that is meant to be
// there, and of two that are set up without a thought for sockets and streams.
func TestNginx_modes(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t, "Example Servers")
	secure := nginxForwards
	secure.https = ours
	for _, c := range []struct {
		name                            string
		front                           *nginx
		scheme, hop, via, socket, event string
	}{
		{"nobody", nil, "http://", "http/1.1", "", "hello", "first"},
		{"forwards", &nginxForwards, "http://", "http/1.1", "1.1 front.example", "hello", "first"},
		{"forwards HTTP/2", &secure, "https://", "h2", "1.1 front.example", "hello", "first"},
		{"no sockets", &nginxNoSockets, "http://", "http/1.1", "1.1 front.example", "refused", "first"},
		{"defaults", &nginxDefaults, "http://", "http/1.1", "1.1 front.example", "refused", "nothing"},
		{"buffers", &nginxBuffers, "http://", "http/1.1", "1.1 front.example", "hello", "nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("needs a browser: left out by -short")
			}
			site := httptest.NewServer(talk())
			t.Cleanup(func() {
				site.CloseClientConnections()
				site.Close()
			})
			address := site.URL
			if c.front != nil {
				address = c.scheme + "127.0.0.1:" + c.front.inFront(t, site.URL)
			}
			p := drive.OpenChromium(t, drive.Options{Trust: [][]byte{ours.pem}})
			visit(t, p, address+"/")
			assert.Equal(t, c.hop, read[string](t, p, `performance.getEntriesByType("navigation")[0].nextHopProtocol`))
			seen := read[struct{ Header http.Header }](t, p, `fetch("/json").then(function (r) { return r.json(); })`)
			assert.Equal(t, c.via, seen.Header.Get("Via"))
			if c.front != nil {
				assert.Equal(t, "127.0.0.1", seen.Header.Get("X-Forwarded-For"))
			}
			assert.Equal(t, c.socket, read[string](t, p, socketSays))
			assert.Equal(t, c.event, read[string](t, p, streamSays))
		})
	}
}
