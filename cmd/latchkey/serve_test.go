package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/text"
)

// someFiles are static files enough to start with.
func someFiles(t *testing.T) fs.FS {
	var gz bytes.Buffer
	require.NoError(t, gzip.NewWriter(&gz).Close())
	files := fstest.MapFS{}
	var manifest []string
	names := []string{"console.css", "latchkey.css", "wasm_exec.js", "widget.wasm"}
	scripts, err := filepath.Glob("../../web/*.js")
	require.NoError(t, err)
	for _, name := range scripts {
		names = append(names, filepath.Base(name))
	}
	for _, l := range text.Languages() {
		names = append(names, l.Tag+".json", l.Tag+".menu.json")
	}
	for _, name := range names {
		manifest = append(manifest, fmt.Sprintf("%q: {%q: %q}", name, "name", name))
		files[name+".br"] = &fstest.MapFile{}
		files[name+".gz"] = &fstest.MapFile{Data: gz.Bytes()}
	}
	files["manifest.json"] = &fstest.MapFile{Data: []byte("{" + strings.Join(manifest, ",") + "}")}
	return files
}

// running is a server that is up.
type running struct {
	url    string
	stop   func()
	result chan result
}

type result struct {
	code           int
	stdout, stderr string
}

// start returns when the ready line is there. args come after -addr.
func start(t *testing.T, args ...string) running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	pr, pw := io.Pipe()
	out := bufio.NewReader(pr)
	var stderr bytes.Buffer
	r := running{stop: cancel, result: make(chan result, 1)}
	code := make(chan int, 1)
	go func() {
		code <- serveFiles(ctx, someFiles(t), append([]string{"-addr", "127.0.0.1:0", "-db", database(t)}, args...), pw, &stderr)
		_ = pw.Close()
	}()
	line, err := out.ReadString('\n')
	if err != nil {
		<-code
		require.FailNow(t, "the server did not start", stderr.String())
	}
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	require.True(t, ok, line)
	r.url = url
	go func() {
		rest, _ := io.ReadAll(out)
		r.result <- result{<-code, line + string(rest), stderr.String()}
	}()
	return r
}

// database is a new one in SQLite.
func database(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "latchkey.db") }

// refused runs serve, which must not even start. If it did, it would stop again.
func refused(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := serveFiles(ctx, someFiles(t), append([]string{"-addr", "127.0.0.1:0", "-db", database(t)}, args...), &stdout, &stderr)
	assert.Empty(t, stdout.String())
	return result{code, stdout.String(), stderr.String()}
}

func get(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	r, err := client.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, string(b)
}

func TestServe_saysWhereItListensAndStopsCleanly(t *testing.T) {
	s := start(t)
	assert.Regexp(t, `^http://127\.0\.0\.1:[1-9][0-9]*/$`, s.url)
	code, body := get(t, http.DefaultClient, s.url+"healthz")
	assert.Equal(t, 200, code)
	assert.Equal(t, "ok\n", body)
	code, _ = get(t, http.DefaultClient, s.url+"latchkey/clock?n=1")
	assert.Equal(t, 200, code)

	s.stop()
	end := <-s.result
	assert.Equal(t, 0, end.code)
	assert.Equal(t, "listening on "+s.url+"\n", end.stdout, "one line and no more")
	assert.Contains(t, end.stderr, "stopped")

	l, err := net.Listen("tcp", strings.Trim(strings.TrimPrefix(s.url, "http:"), "/"))
	require.NoError(t, err, "the port is free again")
	require.NoError(t, l.Close())
}

func TestServe_takesARequestWith60KBOfCookies(t *testing.T) {
	s := start(t)
	r, err := http.NewRequest("GET", s.url+"latchkey/cookies/echo?run=0123abcd", nil)
	require.NoError(t, err)
	r.Header.Set("Cookie", strings.Repeat("large="+strings.Repeat("x", 4000)+"; ", 15)+"latchkey-0123abcd=1")
	got, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer got.Body.Close()
	assert.Equal(t, 200, got.StatusCode)
}

func TestServe_movesItsBase(t *testing.T) {
	for base, path := range map[string]string{"/help": "help/clock", "/help/": "help/clock", "/": "clock"} {
		code, _ := get(t, http.DefaultClient, start(t, "-base", base).url+path+"?n=1")
		assert.Equal(t, 200, code, base)
	}
}

func TestServe_showsTheDemoOnlyWhenAsked(t *testing.T) {
	code, _ := get(t, http.DefaultClient, start(t).url)
	assert.Equal(t, 404, code)
	code, body := get(t, http.DefaultClient, start(t, "-demo").url)
	assert.Equal(t, 200, code)
	assert.Contains(t, body, "/latchkey/embed.js")
}

func TestServe_speaksHTTPS(t *testing.T) {
	cert, key, pool := certificate(t)
	s := start(t, "-tls-cert", cert, "-tls-key", key)
	assert.Regexp(t, `^https://127\.0\.0\.1:[1-9][0-9]*/$`, s.url)

	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	r, err := client.Get(s.url + "latchkey/cookies?run=0123abcd")
	require.NoError(t, err)
	defer r.Body.Close()
	assert.Equal(t, 2, r.ProtoMajor)
	require.Len(t, r.Cookies(), 1)
	assert.True(t, r.Cookies()[0].Secure)
	_, body := get(t, client, s.url+"latchkey/reach")
	assert.Contains(t, body, `"hello":{"state":"ok","value":{"post_quantum":true,"tls13":true,"ciphers":"`, "it has seen Go's own hello")
}

func TestServe_readsTheEnvironmentUnlessAFlagSaysOtherwise(t *testing.T) {
	t.Setenv("LATCHKEY_ADDR", "not an address")
	t.Setenv("LATCHKEY_BASE", "/help")
	t.Setenv("LATCHKEY_DEMO", "true")
	t.Setenv("LATCHKEY_CONFIG", "") // as good as not there
	s := start(t)
	code, _ := get(t, http.DefaultClient, s.url+"help/clock?n=1")
	assert.Equal(t, 200, code)
	code, _ = get(t, http.DefaultClient, s.url)
	assert.Equal(t, 200, code)

	s = start(t, "-base", "/other", "-demo=false")
	code, _ = get(t, http.DefaultClient, s.url+"other/clock?n=1")
	assert.Equal(t, 200, code)
	code, _ = get(t, http.DefaultClient, s.url)
	assert.Equal(t, 404, code)
}

func TestServe_readsItsConfigFile(t *testing.T) {
	config := filepath.Join(t.TempDir(), "latchkey.yaml")
	require.NoError(t, os.WriteFile(config, []byte("trusted_proxies: [127.0.0.1]\n"), 0o600))
	s := start(t, "-config", config)

	r, err := http.NewRequest("GET", s.url+"latchkey/cookies?run=0123abcd", nil)
	require.NoError(t, err)
	r.Header.Set("X-Forwarded-Proto", "https")
	got, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer got.Body.Close()
	require.Len(t, got.Cookies(), 1)
	assert.True(t, got.Cookies()[0].Secure, "the proxy in the file is trusted")
}

func TestServe_tellsAllErrorsOfAConfigFile(t *testing.T) {
	config := filepath.Join(t.TempDir(), "latchkey.yaml")
	require.NoError(t, os.WriteFile(config, []byte("site:\n  nmae: a\nembed:\n  origins: [portal.example]\n"), 0o600))
	end := refused(t, "-config", config)
	assert.Equal(t, 2, end.code)
	lines := strings.Split(strings.TrimSpace(end.stderr), "\n")
	require.Len(t, lines, 2)
	assert.Contains(t, lines[0], config+":2: site.nmae: ")
	assert.Contains(t, lines[1], config+":4: embed.origins[0]: ")
}

func TestServe_saysInOneLineThatThePortIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	addr := l.Addr().String()

	end := refused(t, "-addr", addr)
	assert.Equal(t, 1, end.code)
	assert.Equal(t, addr+" is already in use: stop the other program or choose another address with -addr\n", end.stderr)
}

func TestServe_refuses(t *testing.T) {
	cert, key, _ := certificate(t)
	cases := []struct {
		name string
		env  map[string]string
		args []string
		code int
		want string
	}{
		{"a flag that is none", nil, []string{"-adr", "x"}, 2, "-adr"},
		{"an argument", nil, []string{"now"}, 2, `what is "now"?`},
		{"a truth value that is none", map[string]string{"LATCHKEY_DEMO": "maybe"}, nil, 2, `LATCHKEY_DEMO="maybe": `},
		{"a config file that is not there", nil, []string{"-config", "/no/such/file"}, 2, "/no/such/file"},
		{"a base that cannot be", nil, []string{"-base", "latchkey"}, 2, "base path"},
		{"a certificate without its key", nil, []string{"-tls-cert", cert}, 2, "-tls-key"},
		{"a key without its certificate", map[string]string{"LATCHKEY_TLS_KEY": key}, nil, 2, "-tls-cert"},
		{"a certificate that is none", nil, []string{"-tls-cert", key, "-tls-key", key}, 2, "load the certificate"},
		{"an address that is none", nil, []string{"-addr", "8080"}, 1, "8080"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			end := refused(t, c.args...)
			assert.Equal(t, c.code, end.code)
			assert.Contains(t, end.stderr, c.want)
			assert.Equal(t, 1, strings.Count(end.stderr, "\n"), "one line: %s", end.stderr)
		})
	}
}

func TestServe_saysThatTheStaticFilesAreMissing(t *testing.T) {
	var stdout, stderr bytes.Buffer
	assert.Equal(t, 2, serveFiles(t.Context(), fstest.MapFS{}, nil, &stdout, &stderr))
	assert.Equal(t, "static files were not built: run make wasm\n", stderr.String())
}

func TestServe_listsItsFlags(t *testing.T) {
	end := refused(t, "-h")
	assert.Equal(t, 0, end.code)
	for _, name := range []string{"-addr", "-base", "-config", "-demo", "-tls-cert", "-tls-key"} {
		assert.Contains(t, end.stderr, "  "+name)
	}
}

func TestServeUntil_letsRequestsUnderWayFinish(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	arrived, stopping := make(chan struct{}), make(chan struct{})
	s := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-stopping
		_, _ = io.WriteString(w, "in full")
	}), nil, slog.New(slog.DiscardHandler))
	s.RegisterOnShutdown(func() { close(stopping) })

	ended := make(chan error, 1)
	go func() { ended <- serveUntil(ctx, s, l, slog.New(slog.DiscardHandler)) }()
	go func() {
		<-arrived
		stop()
	}()
	code, body := get(t, http.DefaultClient, "http://"+l.Addr().String())
	assert.Equal(t, 200, code)
	assert.Equal(t, "in full", body)
	assert.NoError(t, <-ended)
}

func TestServeUntil_saysWhenTheListenerBreaks(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	log := slog.New(slog.DiscardHandler)
	assert.ErrorIs(t, serveUntil(t.Context(), newHTTPServer(nil, nil, log), l, log), net.ErrClosed)
}

func TestRun_findsCommands(t *testing.T) {
	cases := []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"none", nil, 2, "", "usage: latchkey COMMAND"},
		{"help", []string{"help"}, 0, "serve ", ""},
		{"help by flag", []string{"--help"}, 0, "usage: latchkey COMMAND", ""},
		{"one that is none", []string{"sevre"}, 2, "", `there is no command "sevre"`},
		{"one that is called wrongly", []string{"serve", "-x"}, 2, "", "-x"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), c.args, strings.NewReader(""), &stdout, &stderr)
			assert.Equal(t, c.code, code)
			for _, got := range []struct{ want, text string }{{c.stdout, stdout.String()}, {c.stderr, stderr.String()}} {
				assert.Contains(t, got.text, got.want)
				assert.Equal(t, got.want == "", got.text == "")
			}
		})
	}
}

// certificate makes one for 127.0.0.1 and returns the names of its files and
// what trusts it.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER})

	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, certPEM, 0o600))
	require.NoError(t, os.WriteFile(key, keyPEM, 0o600))
	pool = x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(certPEM))
	return cert, key, pool
}
