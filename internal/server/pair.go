package server

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"latchkey/app/widget"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
)

// A pairing joins what a second device or window sees to the look of the first:
// the first asks for a code and a key, the second brings something under the code,
// the first fetches it with the key. All is in memory, and nothing of it is logged.
func (s *server) pairings(mux *routes) {
	mux.Handle("POST "+s.base+"/pair", s.limited(http.HandlerFunc(s.pair), nil))
	mux.Handle("POST "+s.base+"/pair/{code}", s.limited(http.HandlerFunc(s.bring), nil))
	mux.HandleFunc("GET "+s.base+"/pair/{code}", s.fetch) // every 3 s: like /clock it costs nothing
}

const (
	// pairTime is long enough to find a phone and to set its clock.
	pairTime = 30 * time.Minute
	// maxPairs bounds the memory to a few megabytes.
	maxPairs = 10_000
	// maxArrivals is how often something may be brought: a person who mends what
	// was found brings it again.
	maxArrivals = 8
	// maxArrival is in bytes.
	maxArrival = 4 << 10
	// keyHeader and not the address holds the key: addresses are logged.
	keyHeader = "Latchkey-Key"
)

// keeps are the kinds of what may be brought, and what is kept of it.
var keeps = map[string]func(evidence.Evidence) (evidence.Evidence, error){
	"phone": func(e evidence.Evidence) (evidence.Evidence, error) {
		if !e.Clock.Phone.Known() {
			return evidence.Evidence{}, errors.New("seen.clock.phone is missing")
		}
		return evidence.Evidence{Clock: evidence.Clock{Phone: e.Clock.Phone}}, nil
	},
}

// arrival is what a second device brought, redacted.
type arrival struct {
	Kind string            `json:"kind"`
	Seen evidence.Evidence `json:"seen"`
}

type pairing struct {
	key     string
	until   time.Time
	arrived []json.RawMessage // of arrival, which takes much more room
}

// pairs are the pairings that have not run out. When there are too many, the
// oldest goes.
type pairs struct {
	max int

	mu     sync.Mutex
	byCode map[string]*pairing
	codes  []string // the oldest first
}

func newPairs(max int) *pairs { return &pairs{max: max, byCode: map[string]*pairing{}} }

// alphabet is Crockford's base32, in which no two letters look alike.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// pairCode reads a code as people write it: 8 letters and digits, or "".
func pairCode(written string) string {
	code := strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(written))
	if len(code) != 8 || strings.Trim(code, alphabet) != "" {
		return ""
	}
	return code
}

// spelled is a code as it is shown.
func spelled(code string) string { return code[:4] + "-" + code[4:] }

func (p *pairs) make(now time.Time) (code, key string) {
	var random [24]byte
	p.mu.Lock()
	defer p.mu.Unlock()
	for code == "" || p.byCode[code] != nil {
		_, _ = rand.Read(random[:]) // never fails since Go 1.24
		letters := make([]byte, 8)
		for i := range letters {
			letters[i] = alphabet[random[i]%32]
		}
		code = string(letters)
	}
	key = base64.RawURLEncoding.EncodeToString(random[8:])
	p.byCode[code], p.codes = &pairing{key: key, until: now.Add(pairTime)}, append(p.codes, code)
	for len(p.codes) > p.max || !now.Before(p.byCode[p.codes[0]].until) {
		delete(p.byCode, p.codes[0])
		p.codes = p.codes[1:]
	}
	return code, key
}

// with calls do with the pairing, if there is one that has not run out.
func (p *pairs) with(code string, now time.Time, do func(*pairing)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	pair := p.byCode[code]
	if pair == nil || !now.Before(pair.until) {
		return false
	}
	do(pair)
	return true
}

// pair makes a pairing for whoever asks. It does not ask who that is: without
// somebody who brings something it is nothing.
func (s *server) pair(w http.ResponseWriter, r *http.Request) {
	if !isJSON(w, r) {
		return
	}
	code, key := s.pairs.make(s.now())
	writeJSON(w, struct {
		Code    string       `json:"code"`
		Key     string       `json:"key"`
		Expires int          `json:"expires"` // seconds from now
		Phone   widget.Phone `json:"phone"`
	}{spelled(code), key, int(pairTime / time.Second), s.phoneCheck(r, code)})
}

// bring takes what the second device has seen.
func (s *server) bring(w http.ResponseWriter, r *http.Request) {
	if !isJSON(w, r) {
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxArrival))
	if err != nil {
		http.Error(w, fmt.Sprintf("what is brought may have %d bytes", maxArrival), http.StatusRequestEntityTooLarge)
		return
	}
	a, err := readArrival(data)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	kept, err := json.Marshal(a)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	full := false
	if !s.pairs.with(pairCode(r.PathValue("code")), s.now(), func(p *pairing) {
		if full = len(p.arrived) >= maxArrivals; !full {
			p.arrived = append(p.arrived, kept)
		}
	}) {
		noPairing(w)
		return
	}
	if full {
		http.Error(w, "too much was brought under this code: make a new one", http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func readArrival(data []byte) (arrival, error) {
	var in struct {
		Kind string          `json:"kind"`
		Seen json.RawMessage `json:"seen"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return arrival{}, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return arrival{}, errors.New("there is something behind the object")
	}
	keep, ok := keeps[in.Kind]
	if !ok {
		return arrival{}, fmt.Errorf("unknown kind %.20q", in.Kind)
	}
	e, err := report.Decode(in.Seen, report.AllKnown)
	if err == nil {
		e, err = keep(e)
	}
	return arrival{in.Kind, report.Redact(e)}, err
}

// fetch gives what has arrived to the one who made the pairing.
func (s *server) fetch(w http.ResponseWriter, r *http.Request) {
	var arrived []json.RawMessage
	own := false
	s.pairs.with(pairCode(r.PathValue("code")), s.now(), func(p *pairing) {
		own = subtle.ConstantTimeCompare([]byte(p.key), []byte(r.Header.Get(keyHeader))) == 1
		arrived = p.arrived
	})
	switch {
	case !own:
		noPairing(w)
	case len(arrived) == 0:
		w.WriteHeader(http.StatusNoContent)
	default:
		writeJSON(w, map[string]any{"arrived": arrived})
	}
}

// noPairing says the same of a code that never was, one that has run out, and a
// wrong key.
func noPairing(w http.ResponseWriter) {
	http.Error(w, "there is no such code, or it has run out", http.StatusNotFound)
}

// isJSON is whether the request says that it brings JSON, which pages of other
// sites cannot say without asking first. If not, it has answered the request.
func isJSON(w http.ResponseWriter, r *http.Request) bool {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
		return false
	}
	return true
}
