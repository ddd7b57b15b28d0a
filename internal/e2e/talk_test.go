//go:build unix

package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/coder/websocket"
)

// talk is a server without Latchkey, to see by what a line and what stands on it
// do: a page at /, whose it is at /json, n bytes at /bytes?n=, an echo at /socket,
// and at /stream an event at once and then nothing for as long as one listens.
func talk() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><html><head><title>plain</title></head><body><p>Hello.</p></body></html>`)
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"From": from, "Proto": r.Proto, "Header": r.Header})
	})
	mux.HandleFunc("/bytes", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("n"))
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(bytes.Repeat([]byte("x"), min(n, 1<<20)))
	})
	mux.HandleFunc("/packed", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(bytes.Repeat([]byte("x"), 1000))
		_ = z.Close()
	})
	mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprint(w, "data: first\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/socket", func(w http.ResponseWriter, r *http.Request) {
		socket, err := websocket.Accept(w, r, nil)
		if err != nil {
			return // it has answered
		}
		defer socket.CloseNow()
		for {
			kind, message, err := socket.Read(r.Context())
			if err != nil || socket.Write(r.Context(), kind, message) != nil {
				return
			}
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*") // for the pages of its neighbours
		mux.ServeHTTP(w, r)
	})
}

// What a page of talk hears from it over a WebSocket, and from its stream of events
// within 2 s.
const (
	socketSays = `new Promise(function (say) {
		var socket = new WebSocket("/socket");
		socket.onopen = function () { socket.send("hello"); };
		socket.onmessage = function (e) { say(e.data); socket.close(); };
		socket.onerror = function () { say("refused"); };
	})`
	streamSays = `new Promise(function (say) {
		var stream = new EventSource("/stream");
		function end(said) { say(said); stream.close(); }
		setTimeout(function () { end("nothing"); }, 2000);
		stream.onmessage = function (e) { end(e.data); };
		stream.onerror = function () { end("error"); };
	})`
)
