package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/text"
)

// noon is when it is in the tests.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 123_456_000, time.UTC)

// packed are static files as cmd/pack leaves them. Each contains its own name.
func packed(t testing.TB) fs.FS {
	t.Helper()
	files, err := packOnce()
	require.NoError(t, err)
	return maps.Clone(files)
}

var packOnce = sync.OnceValues(func() (fstest.MapFS, error) {
	files := fstest.MapFS{}
	manifest := map[string]map[string]any{}
	names := []string{"embed.js", "looks.js", "clock.js", "network.js", "steps.js", "frame.js", "send.js", "pair.js", "bring.js", "phone.js", "third.js", "words.js", "latchkey.css", "console.css", "live.js", "wasm_exec.js", "widget.wasm"}
	for _, l := range text.Languages() {
		if l.File != nil {
			names = append(names, l.Tag+".json", l.Tag+".menu.json")
		}
	}
	for _, name := range names {
		stem, ext, _ := strings.Cut(name, ".")
		stored := stem + ".0123456789ab." + ext
		if name == "embed.js" {
			stored = name
		}
		raw := strings.Repeat(name+" ", 50)
		var br, gz bytes.Buffer
		for _, w := range []io.WriteCloser{brotli.NewWriter(&br), gzip.NewWriter(&gz)} {
			_, err := io.WriteString(w, raw)
			if err := errors.Join(err, w.Close()); err != nil {
				return nil, err
			}
		}
		files[stored+".br"] = &fstest.MapFile{Data: br.Bytes()}
		files[stored+".gz"] = &fstest.MapFile{Data: gz.Bytes()}
		manifest[name] = map[string]any{"name": stored, "raw": len(raw), "sha256": "0123456789abcdef"}
	}
	data, err := json.Marshal(manifest)
	files["manifest.json"] = &fstest.MapFile{Data: data}
	return files, err
})

// testOptions are those of a server at /latchkey at noon.
func testOptions(t *testing.T) Options {
	t.Helper()
	return Options{
		Base:   "/latchkey",
		Config: DefaultConfig(),
		Assets: packed(t),
		Log:    slog.New(slog.DiscardHandler),
		Now:    func() time.Time { return noon },
	}
}

func testServer(t *testing.T, o Options) *server {
	t.Helper()
	s, err := newServer(o)
	require.NoError(t, err)
	return s
}

// ask sends a request with headers given as name, value, name, value.
func ask(h http.Handler, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

func TestNew_refuses(t *testing.T) {
	cases := []struct {
		name   string
		change func(o *Options)
		want   string
	}{
		{"static files that were never built", func(o *Options) { o.Assets = fstest.MapFS{} }, "static files were not built: run make wasm"},
		{"static files of which one is lost", func(o *Options) {
			delete(o.Assets.(fstest.MapFS), "widget.0123456789ab.wasm.gz")
		}, "run make wasm"},
		{"a base without a slash in front", func(o *Options) { o.Base = "latchkey" }, "base path"},
		{"a base with a slash at the end", func(o *Options) { o.Base = "/latchkey/" }, "base path"},
		{"a base that would be a pattern", func(o *Options) { o.Base = "/{x}" }, "base path"},
		{"a base that climbs", func(o *Options) { o.Base = "/a/../b" }, "base path"},
		{"a demo where Latchkey has the root", func(o *Options) {
			o.Base, o.Demo = "", http.NotFoundHandler()
		}, "demo portal"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := testOptions(t)
			c.change(&o)
			_, err := New(o)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestHandler_worksAtTheRoot(t *testing.T) {
	o := testOptions(t)
	o.Base = ""
	s := testServer(t, o)
	h := s.handler()
	assert.Equal(t, 200, ask(h, "GET", "/embed.js").StatusCode)
	assert.Equal(t, 200, ask(h, "GET", s.asset("frame.js")).StatusCode)
	assert.Equal(t, "/", ask(h, "GET", "/cookies?run=0123abcd").Cookies()[0].Path)
}

func TestHandler_givesTheDemoWhatIsNotOurs(t *testing.T) {
	o := testOptions(t)
	o.Demo = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "the portal")
	})
	h := testServer(t, o).handler()

	portal := ask(h, "GET", "/anything")
	assert.Equal(t, "the portal", bodyOf(t, portal))
	assert.Empty(t, portal.Header.Get("Content-Security-Policy"), "the portal's headers are its own")

	assert.Equal(t, 404, ask(h, "GET", "/latchkey/nothing/here").StatusCode)
	assert.Equal(t, "ok\n", bodyOf(t, ask(h, "GET", "/healthz")))
}

func TestReadyz_failsOnceTheServerStops(t *testing.T) {
	stopping := make(chan struct{})
	o := testOptions(t)
	o.Stopping = stopping
	h := testServer(t, o).handler()

	assert.Equal(t, 200, ask(h, "GET", "/readyz").StatusCode)
	close(stopping)
	assert.Equal(t, 503, ask(h, "GET", "/readyz").StatusCode)
	assert.Equal(t, 200, ask(h, "GET", "/healthz").StatusCode, "the process still lives")
}

func TestReadyz_isFineWithoutAnyWayToStop(t *testing.T) {
	assert.Equal(t, 200, ask(testServer(t, testOptions(t)).handler(), "GET", "/readyz").StatusCode)
}
