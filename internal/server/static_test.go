package server

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNegotiate(t *testing.T) {
	cases := []struct{ name, accept, want string }{
		{"a modern browser", "gzip, deflate, br, zstd", "br"},
		{"an old browser", "gzip, deflate", "gzip"},
		{"no header at all", "", "identity"},
		{"nothing that we have", "zstd, deflate", "identity"},
		{"capital letters", "GZip, BR", "br"},
		{"gzip is liked better", "br;q=0.5, gzip;q=1.0", "gzip"},
		{"brotli is refused", "gzip, br;q=0", "gzip"},
		{"brotli is refused with decimals", "br;q=0.000, gzip", "gzip"},
		{"everything is welcome", "*", "br"},
		{"everything but brotli", "br;q=0, *", "gzip"},
		{"only brotli of everything", "br, *;q=0", "br"},
		{"everything is refused", "*;q=0", "identity"},
		{"even identity is refused", "identity;q=0", "identity"},
		{"identity is liked better", "identity, gzip;q=0.5, br;q=0.5", "identity"},
		{"as good as identity", "identity, gzip", "gzip"},
		{"a weight with blanks", "br ; q=0 , gzip ; q=0.3", "gzip"},
		{"a weight that is none", "br;q=high, gzip;q=0.1", "gzip"},
		{"a weight over one", "br;q=7, gzip;q=0.1", "gzip"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, negotiate(c.accept))
		})
	}
}

func TestStatic_servesEachCoding(t *testing.T) {
	s := testServer(t, testOptions(t))
	// Over a real connection: a wrong Content-Length breaks only there.
	web := httptest.NewServer(s.handler())
	defer web.Close()
	want := strings.Repeat("widget.wasm ", 50)

	cases := []struct {
		accept, coding string
		unpack         func(io.Reader) io.Reader
	}{
		{"br", "br", func(r io.Reader) io.Reader { return brotli.NewReader(r) }},
		{"gzip", "gzip", func(r io.Reader) io.Reader {
			z, err := gzip.NewReader(r)
			require.NoError(t, err)
			return z
		}},
		{"deflate", "", func(r io.Reader) io.Reader { return r }},
	}
	for _, c := range cases {
		t.Run(c.accept, func(t *testing.T) {
			r, err := http.NewRequest("GET", web.URL+s.asset("widget.wasm"), nil)
			require.NoError(t, err)
			r.Header.Set("Accept-Encoding", c.accept)
			got, err := web.Client().Do(r)
			require.NoError(t, err)
			defer got.Body.Close()

			assert.Equal(t, 200, got.StatusCode)
			assert.Equal(t, c.coding, got.Header.Get("Content-Encoding"))
			assert.Equal(t, "application/wasm", got.Header.Get("Content-Type"))
			assert.Equal(t, "Accept-Encoding", got.Header.Get("Vary"))
			assert.Positive(t, got.ContentLength)
			body, err := io.ReadAll(c.unpack(got.Body))
			require.NoError(t, err)
			assert.Equal(t, want, string(body))
		})
	}
}

func TestStatic_saysTypeAndTimeToKeep(t *testing.T) {
	s := testServer(t, testOptions(t))
	cases := []struct{ name, path, kind, cache, policy string }{
		{"embed.js", "/latchkey/embed.js", "text/javascript; charset=utf-8", "public, max-age=300", "cross-origin"},
		{"frame.js", "/latchkey/static/frame.0123456789ab.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "same-origin"},
		{"wasm_exec.js", "/latchkey/static/wasm_exec.0123456789ab.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "same-origin"},
		{"latchkey.css", "/latchkey/static/latchkey.0123456789ab.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable", "same-origin"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.path, s.asset(c.name))
			got := ask(s.handler(), "GET", c.path)
			assert.Equal(t, 200, got.StatusCode)
			assert.Equal(t, c.kind, got.Header.Get("Content-Type"))
			assert.Equal(t, c.cache, got.Header.Get("Cache-Control"))
			assert.Equal(t, c.policy, got.Header.Get("Cross-Origin-Resource-Policy"))
			assert.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
		})
	}
}

func TestStatic_answersAnUnknownHashSoThatNobodyKeepsIt(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	for _, path := range []string{"/latchkey/static/frame.ba9876543210.js", "/latchkey/static/embed.js", "/latchkey/static/"} {
		got := ask(h, "GET", path)
		assert.Equal(t, 404, got.StatusCode, path)
		assert.Equal(t, "no-store", got.Header.Get("Cache-Control"), path)
	}
}

func TestStatic_sendsNoBodyForHEAD(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	got := ask(h, "HEAD", "/latchkey/embed.js")
	assert.Equal(t, 200, got.StatusCode)
	assert.Equal(t, "450", got.Header.Get("Content-Length"))
	assert.Empty(t, bodyOf(t, got))
}

func TestStatic_refusesToBeChanged(t *testing.T) {
	assert.Equal(t, 405, ask(testServer(t, testOptions(t)).handler(), "POST", "/latchkey/embed.js").StatusCode)
}

func TestStatic_sparesABrowserWhatItHas(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	first := ask(h, "GET", "/latchkey/embed.js", "Accept-Encoding", "br")
	tag := first.Header.Get("ETag")
	require.NotEmpty(t, tag)

	cases := []struct {
		name, accept, have string
		status             int
	}{
		{"the same", "br", tag, 304},
		{"one of several", "br", `"other", ` + tag, 304},
		{"marked as weak by a proxy", "br", "W/" + tag, 304},
		{"whatever there is", "br", "*", 304},
		{"an older one", "br", `"other"`, 200},
		{"the same in another coding", "gzip", tag, 200},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ask(h, "GET", "/latchkey/embed.js", "Accept-Encoding", c.accept, "If-None-Match", c.have)
			assert.Equal(t, c.status, got.StatusCode)
			if c.status == 304 {
				assert.Empty(t, bodyOf(t, got))
				assert.Equal(t, tag, got.Header.Get("ETag"))
				assert.Equal(t, "public, max-age=300", got.Header.Get("Cache-Control"))
			}
		})
	}
}

func TestAsset_panicsOnAMisspeltName(t *testing.T) {
	s := testServer(t, testOptions(t))
	assert.Panics(t, func() { s.asset("frmae.js") })
}
