package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/evidence"
)

var (
	nonceForm = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)
	runForm   = regexp.MustCompile(`^[0-9A-Fa-f]{8,32}$`)
)

func (s *server) probes(mux *routes) {
	mux.HandleFunc("GET "+s.base+"/clock", s.clock)
	mux.HandleFunc("GET "+s.base+"/cookies", s.setCookie)
	mux.HandleFunc("GET "+s.base+"/cookies/echo", s.echoCookie)
	mux.HandleFunc("POST "+s.base+"/clear", s.clear)
	mux.HandleFunc("GET "+s.base+"/sample", s.sample)
	mux.HandleFunc("GET "+s.base+"/bait/events.js", s.bait)
	mux.HandleFunc("GET "+s.base+"/bait/fbevents.js", s.bait)
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

// echoCookie tells what came, and takes the cookies away unless keep says that
// somebody will ask again.
func (s *server) echoCookie(w http.ResponseWriter, r *http.Request) {
	run, ok := runOf(w, r)
	if !ok {
		return
	}
	if !r.URL.Query().Has("keep") {
		s.clearRoundTrip(w, r, run)
	}
	writeJSON(w, s.cookiesSeen(r, run))
}

// echo is what a request with our cookies tells.
type echo struct {
	Seen  bool           `json:"seen"`
	Kinds evidence.Kinds `json:"kinds"`
	Jar   evidence.Jar   `json:"jar"`
}

// into puts it into evidence, where nobody has seen it already.
func (c echo) into(e *evidence.Cookies) {
	if !e.HTTP.Known() {
		e.HTTP = evidence.Saw(c.Seen)
	}
	if !e.Kinds.Known() {
		e.Kinds = evidence.Saw(c.Kinds)
	}
	if !e.Jar.Known() {
		e.Jar = evidence.Saw(c.Jar)
	}
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
// session cookie, that its next request should bring back, and one for each
// cookie of the login, with its attributes. The caller has checked run's form
// with runForm.
func (s *server) setRoundTrip(w http.ResponseWriter, r *http.Request, run string) {
	for _, c := range s.roundTripCookies(r, run) {
		c.MaxAge = 60 // seconds: one redirect, on the slowest line
		http.SetCookie(w, c)
	}
}

// clearRoundTrip takes the cookies away again.
func (s *server) clearRoundTrip(w http.ResponseWriter, r *http.Request, run string) {
	for _, c := range s.roundTripCookies(r, run) {
		c.MaxAge = -1
		http.SetCookie(w, c)
	}
}

// roundTripCookies are ours: the first for the round trip, then the look-alikes.
// Where a cookie of the login has another path than / they have ours, so that
// they come back to us.
func (s *server) roundTripCookies(r *http.Request, run string) []*http.Cookie {
	list := []*http.Cookie{{
		Name:     roundTripName(run),
		Value:    "1",
		Path:     s.base + "/", // the site's own requests are spared it
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
		Secure:   s.https(r),
	}}
	for i, k := range s.kinds(r) {
		c := &http.Cookie{
			Name: kindName(k, run, i), Value: "1", Path: s.base + "/", Domain: k.Domain,
			Secure: k.Secure, HttpOnly: k.HTTPOnly, Partitioned: k.Partitioned, SameSite: sameSites[k.SameSite],
		}
		if strings.HasPrefix(k.Name, "__Host-") {
			c.Path = "/"
		}
		list = append(list, c)
	}
	return list
}

var sameSites = map[string]http.SameSite{"strict": http.SameSiteStrictMode, "lax": http.SameSiteLaxMode, "none": http.SameSiteNoneMode}

// kinds are the login's cookies. Where nobody told them, one shows over plain http
// whether Secure ones are kept; over https the round trip's is one.
func (s *server) kinds(r *http.Request) []Cookie {
	if len(s.cfg.Cookies) > 0 || s.https(r) {
		return s.cfg.Cookies
	}
	return []Cookie{{Secure: true, HTTPOnly: true, SameSite: "lax"}}
}

// kindName keeps the prefix, which browsers hold to rules of its own.
func kindName(k Cookie, run string, i int) string {
	prefix := ""
	for _, p := range []string{"__Host-", "__Secure-"} {
		if strings.HasPrefix(k.Name, p) {
			prefix = p
		}
	}
	return prefix + roundTripName(run) + "-" + strconv.Itoa(i)
}

// cookiesSeen reads the header itself because net/http parses no cookies at all
// when there are more than 3000. No value leaves this function.
func (s *server) cookiesSeen(r *http.Request, run string) echo {
	kinds := s.kinds(r)
	out := echo{Kinds: make(evidence.Kinds, len(kinds))}
	for i, k := range kinds {
		out.Kinds[i] = evidence.Kind{Name: k.Name, Domain: k.Domain, Secure: k.Secure, SameSite: k.SameSite, Partitioned: k.Partitioned, Posted: k.Posted}
	}
	count := map[string]int{}
	for _, line := range r.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.TrimSpace(pair)
			out.Seen = out.Seen || pair == roundTripName(run)+"=1"
			for i, k := range kinds {
				if pair == kindName(k, run, i)+"=1" {
					out.Kinds[i].Came = true
				}
			}
			name, _, _ := strings.Cut(pair, "=")
			if name != "" && !ours(name) {
				count[name]++
				out.Jar.Bytes += len(pair) + len("; ")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(count)) {
		out.Jar.Count += count[name]
		if count[name] < 2 {
			continue
		}
		listed := slices.ContainsFunc(s.cfg.Cookies, func(c Cookie) bool { return c.matches(name) })
		out.Jar.Listed = out.Jar.Listed || listed
		if !listed {
			name = s.hashed(name)
		}
		out.Jar.Doubled = append(out.Jar.Doubled, name)
	}
	return out
}

// hasCookie tells whether one of our cookies came, all of which have the value 1.
func hasCookie(r *http.Request, name string) bool {
	for _, line := range r.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if strings.TrimSpace(pair) == name+"=1" {
				return true
			}
		}
	}
	return false
}

func ours(name string) bool {
	return strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(name, "__Host-"), "__Secure-"), "latchkey-")
}

// hashed stands for a cookie's name that nobody listed. The key is this
// process's own, so that no list of usual names gives the names away.
func (s *server) hashed(name string) string {
	mac := hmac.New(sha256.New, s.nameKey[:])
	mac.Write([]byte(name))
	return "#" + hex.EncodeToString(mac.Sum(nil)[:4])
}

// roundTripName has none of the words that lists of blockers look for.
func roundTripName(run string) string { return "latchkey-" + run }
