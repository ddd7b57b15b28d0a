package server

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStrict_coversEveryAnswerOfOurs(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	for _, path := range []string{"/healthz", "/readyz", "/latchkey/clock", "/latchkey/cookies/echo?run=0123abcd", "/latchkey/no/such/page"} {
		t.Run(path, func(t *testing.T) {
			got := ask(h, "GET", path).Header
			assert.Equal(t, "nosniff", got.Get("X-Content-Type-Options"))
			assert.Equal(t, "same-origin", got.Get("Referrer-Policy"))
			assert.Equal(t, "same-origin", got.Get("Cross-Origin-Resource-Policy"))
			assert.Equal(t, "default-src 'none'; frame-ancestors 'none'", got.Get("Content-Security-Policy"))
			assert.Equal(t, "no-store", got.Get("Cache-Control"))
		})
	}
}

func TestDocumentPolicy(t *testing.T) {
	cfg := DefaultConfig()
	const tail = "; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

	assert.Equal(t, "default-src 'none'; script-src 'self'"+tail, documentPolicy(cfg, false))
	assert.Equal(t, "default-src 'none'; script-src 'self' "+filesSource+" 'wasm-unsafe-eval'"+tail, documentPolicy(cfg, true))

	cfg.Embed.Origins = []string{"https://a.example", "https://b.example:8443"}
	assert.Equal(t, "default-src 'none'; script-src 'self'"+tail+" https://a.example https://b.example:8443", documentPolicy(cfg, false))

	cfg = DefaultConfig()
	cfg.IdentityProvider = "https://idp.example:8443/latchkey"
	assert.Equal(t, "default-src 'none'; script-src 'self' "+filesSource+" 'wasm-unsafe-eval'"+tail+"; frame-src https://idp.example:8443", documentPolicy(cfg, true))
	assert.NotContains(t, documentPolicy(cfg, false), "frame-src")

	cfg = DefaultConfig()
	cfg.Needs = []Need{
		{URL: "https://captcha.example/api.js?key=1", Kind: "script", Again: true},
		{URL: "wss://live.example:8443/socket", Kind: "socket", Again: true},
		{URL: "/own.js", Kind: "script", Again: true},
		{URL: "https://quiet.example/once.js", Kind: "script"},
	}
	assert.Equal(t, "default-src 'none'; script-src 'self' "+filesSource+" 'wasm-unsafe-eval' https://captcha.example"+
		strings.Replace(tail, "connect-src 'self'", "connect-src 'self' https://captcha.example wss://live.example:8443 https://live.example:8443", 1),
		documentPolicy(cfg, true), "what may be asked for once more, and nothing else")
	assert.Equal(t, "default-src 'none'; script-src 'self'"+tail, documentPolicy(cfg, false))
}

// withDemo is a server whose demo is h: the way to put a handler of our own
// behind all of the middleware.
func withDemo(t *testing.T, log io.Writer, h http.HandlerFunc) http.Handler {
	o := testOptions(t)
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	o.Demo = h
	return testServer(t, o).handler()
}

func TestRecovered_answers500AndKeepsSecretsOutOfTheLog(t *testing.T) {
	var log bytes.Buffer
	h := withDemo(t, &log, func(_ http.ResponseWriter, r *http.Request) {
		panic(errors.New(r.URL.String() + r.UserAgent() + r.Header.Get("Cookie")))
	})
	got := ask(h, "GET", "/d/secret-token?q=secret-query", "Cookie", "session=secret-cookie", "User-Agent", "secret-agent")

	assert.Equal(t, 500, got.StatusCode)
	assert.Contains(t, bodyOf(t, got), "Try again")
	assert.Contains(t, log.String(), "handler panicked")
	assert.Contains(t, log.String(), "*errors.errorString")
	assert.Contains(t, log.String(), "middleware_test.go", "the stack says where")
	assert.NotContains(t, log.String(), "secret")
}

func TestRecovered_logsWhatTheRuntimeSays(t *testing.T) {
	var log bytes.Buffer
	h := withDemo(t, &log, func(_ http.ResponseWriter, r *http.Request) {
		_ = []string{r.Method}[len(r.Method)]
	})
	assert.Equal(t, 500, ask(h, "GET", "/").StatusCode)
	assert.Contains(t, log.String(), "index out of range [3] with length 1")
}

func TestRecovered_breaksOffAHalfAnswer(t *testing.T) {
	web := httptest.NewServer(withDemo(t, io.Discard, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half an ")
		_ = http.NewResponseController(w).Flush()
		panic("no more")
	}))
	defer web.Close()

	got, err := web.Client().Get(web.URL + "/")
	require.NoError(t, err)
	defer got.Body.Close()
	_, err = io.ReadAll(got.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestRecovered_leavesADeliberateAbortAlone(t *testing.T) {
	var log bytes.Buffer
	h := withDemo(t, &log, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { ask(h, "GET", "/") })
	assert.Empty(t, log.String())
}

func TestHandler_limitsBodies(t *testing.T) {
	var err error
	h := withDemo(t, io.Discard, func(_ http.ResponseWriter, r *http.Request) {
		_, err = io.ReadAll(r.Body)
	})
	for size, ok := range map[int]bool{256 << 10: true, 256<<10 + 1: false} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", size)))
		h.ServeHTTP(httptest.NewRecorder(), r)
		var tooLarge *http.MaxBytesError
		assert.Equal(t, !ok, errors.As(err, &tooLarge), "%d bytes: %v", size, err)
	}
}
