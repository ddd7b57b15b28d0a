package server

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
)

// maxBody is far over any evidence that a browser sends, which is a few KiB.
const maxBody = 256 << 10

// strict sets the headers of everything that is ours. A handler that knows
// better overwrites them: documents have a policy of their own
// (documentPolicy), static files are cached.
func strict(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set := w.Header().Set
		set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: under that, browsers send "Origin: null" with our own forms.
		set("Referrer-Policy", "same-origin")
		set("Cross-Origin-Resource-Policy", "same-origin")
		set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

// documentPolicy is the content-security-policy of an HTML page. Only pages
// that run the widget may compile WebAssembly and frame the other site's page.
func documentPolicy(cfg Config, wasm bool) string {
	script := "script-src 'self'"
	if wasm {
		script += " " + filesSource + " 'wasm-unsafe-eval'"
	}
	connect := "connect-src 'self'"
	for _, n := range cfg.Needs {
		if at := needOrigin(n.URL); wasm && n.Again && at != "" {
			connect += " " + at
			if n.Kind == "socket" {
				connect += " " + strings.Replace(at, "ws", "http", 1)
			}
			if n.Kind == "script" {
				script += " " + at
			}
		}
	}
	ancestors := append([]string{"frame-ancestors 'self'"}, cfg.Embed.Origins...)
	policy := []string{
		"default-src 'none'",
		script,
		"style-src 'self'",
		"img-src 'self' data:",
		connect,
		"form-action 'self'",
		"base-uri 'none'",
		strings.Join(ancestors, " "),
	}
	if at := cfg.IdentityProvider; at != "" && wasm {
		policy = append(policy, "frame-src "+originOf(at))
	}
	return strings.Join(policy, "; ")
}

// recovered turns a panic into a 500, or breaks the connection when part of
// the answer is out already: half an answer must not look like a whole one.
func (s *server) recovered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &startedWriter{ResponseWriter: w}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.log.Error("handler panicked", "method", r.Method, "route", r.Pattern,
				"panic", describe(p), "stack", string(debug.Stack()))
			if out.started {
				panic(http.ErrAbortHandler)
			}
			http.Error(out, "Something went wrong on this server. Try again in a moment.", http.StatusInternalServerError)
		}()
		h.ServeHTTP(out, r)
	})
}

// describe says what happened without what a person sent: only the runtime's
// own messages are free of it for sure. For the same reason the log has the
// route and not the path.
func describe(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("a %T", p)
}

type startedWriter struct {
	http.ResponseWriter
	started bool
}

func (w *startedWriter) WriteHeader(status int) {
	w.started = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *startedWriter) Write(b []byte) (int, error) {
	w.started = true
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *startedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
