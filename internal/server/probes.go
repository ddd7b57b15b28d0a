package server

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"
)

var (
	nonceForm = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)
	runForm   = regexp.MustCompile(`^[0-9A-Fa-f]{8,32}$`)
)

func (s *server) probes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+s.base+"/clock", s.clock)
	mux.HandleFunc("GET "+s.base+"/cookies", s.setCookie)
	mux.HandleFunc("GET "+s.base+"/cookies/echo", s.echoCookie)
}

// clock is the server's half of a time exchange. The nonce tells the browser
// that nobody on the way answered from a cache.
func (s *server) clock(w http.ResponseWriter, r *http.Request) {
	received := s.now()
	nonce := r.URL.Query().Get("n")
	if !nonceForm.MatchString(nonce) {
		http.Error(w, "n must be 1 to 32 letters and digits", http.StatusBadRequest)
		return
	}
	answer := struct {
		Nonce    string  `json:"nonce"`
		Received float64 `json:"received"`
		Sent     float64 `json:"sent"`
	}{nonce, milliseconds(received), milliseconds(s.now())}
	writeJSON(w, answer)
}

func milliseconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1000 }

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // fails only when the client is gone
}

func (s *server) setCookie(w http.ResponseWriter, r *http.Request) {
	run, ok := runOf(w, r)
	if !ok {
		return
	}
	s.setRoundTrip(w, r, run)
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) echoCookie(w http.ResponseWriter, r *http.Request) {
	run, ok := runOf(w, r)
	if !ok {
		return
	}
	s.clearRoundTrip(w, r, run)
	writeJSON(w, struct {
		Seen bool `json:"seen"`
	}{s.roundTripSeen(r, run)})
}

// runOf reads which run of the page asks, so that two tabs do not answer for
// each other. Without one it has answered the request.
func runOf(w http.ResponseWriter, r *http.Request) (string, bool) {
	run := r.URL.Query().Get("run")
	if !runForm.MatchString(run) {
		http.Error(w, "run must be 8 to 32 hexadecimal digits", http.StatusBadRequest)
		return "", false
	}
	return run, true
}

// setRoundTrip gives the browser a cookie, with the attributes of a usual
// session cookie, that its next request should bring back. The caller has
// checked run's form with runForm.
func (s *server) setRoundTrip(w http.ResponseWriter, r *http.Request, run string) {
	http.SetCookie(w, s.roundTripCookie(r, run, 60)) // seconds: one redirect, on the slowest line
}

// clearRoundTrip takes the cookie away again.
func (s *server) clearRoundTrip(w http.ResponseWriter, r *http.Request, run string) {
	http.SetCookie(w, s.roundTripCookie(r, run, -1))
}

func (s *server) roundTripCookie(r *http.Request, run string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name:     roundTripName(run),
		Value:    "1",
		Path:     s.base + "/", // the site's own requests are spared it
		MaxAge:   maxAge,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
		Secure:   s.https(r),
	}
}

// roundTripSeen tells whether the cookie came back.
func (s *server) roundTripSeen(r *http.Request, run string) bool {
	return hasCookie(r, roundTripName(run))
}

// hasCookie tells whether one of our cookies came, all of which have the value
// 1. It reads the header itself because net/http parses no cookies at all when
// there are more than 3000.
func hasCookie(r *http.Request, name string) bool {
	want := name + "=1"
	for _, line := range r.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if strings.TrimSpace(pair) == want {
				return true
			}
		}
	}
	return false
}

// roundTripName has none of the words that lists of blockers look for.
func roundTripName(run string) string { return "latchkey-" + run }
