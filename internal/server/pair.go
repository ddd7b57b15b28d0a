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
	"net/url"
	"regexp"
	"strconv"
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
	// maxArrival is in bytes; a look takes 4 KB, and a few more where much is needed.
	maxArrival = 32 << 10
	// maxKept bounds the memory for what has arrived, in bytes.
	maxKept = 64 << 20
	// keyHeader and not the address holds the key: addresses are logged.
	keyHeader = "Latchkey-Key"
)

// keeps are the kinds of what may be brought, and what is kept of it.
var keeps = map[string]func(arrival) (arrival, error){
	"phone": func(a arrival) (arrival, error) {
		if !a.Seen.Clock.Phone.Known() {
			return arrival{}, errors.New("seen.clock.phone is missing")
		}
		return arrival{Kind: a.Kind, Seen: evidence.Evidence{Clock: evidence.Clock{Phone: a.Seen.Clock.Phone}}}, nil
	},
	// What was said there, or what that look was compared with, is not what it saw.
	"run": func(a arrival) (arrival, error) {
		if !a.Under.Known() {
			return arrival{}, fmt.Errorf("unknown condition %.20q", a.Under)
		}
		if a.Worked != "" && a.Worked != evidence.Yes && a.Worked != evidence.No {
			return arrival{}, fmt.Errorf("worked is %.20q, and may be yes, no or empty", a.Worked)
		}
		run := a.Seen.Run
		a.Seen.Host = evidence.Host{}
		a.Seen.Run = evidence.Run{Tier: run.Tier, TierReason: run.TierReason, Embedding: run.Embedding, At: run.At}
		return a, nil
	},
}

// arrival is what a second device or window brought, redacted.
type arrival struct {
	Kind string `json:"kind"`
	// Under and Worked are of a run alone; see [evidence.Second].
	Under  evidence.Condition `json:"under,omitempty"`
	Worked evidence.Answer    `json:"worked,omitempty"`
	Seen   evidence.Evidence  `json:"seen"`
}

type pairing struct {
	kind    string
	key     string
	until   time.Time
	arrived []json.RawMessage // of arrival, which takes much more room
}

// pairs are the pairings that have not run out. When there are too many, or too
// much has arrived, the oldest goes.
type pairs struct {
	max, maxKept int

	mu     sync.Mutex
	byCode map[string]*pairing
	codes  []string // the oldest first
	kept   int      // bytes of what has arrived
}

func newPairs(max, maxKept int) *pairs {
	return &pairs{max: max, maxKept: maxKept, byCode: map[string]*pairing{}}
}

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

func (p *pairs) make(kind string, now time.Time) (code, key string) {
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
	p.byCode[code], p.codes = &pairing{kind: kind, key: key, until: now.Add(pairTime)}, append(p.codes, code)
	p.forget(now)
	return code, key
}

func (p *pairs) forget(now time.Time) {
	for len(p.codes) > p.max || p.kept > p.maxKept || len(p.codes) > 0 && !now.Before(p.byCode[p.codes[0]].until) {
		for _, a := range p.byCode[p.codes[0]].arrived {
			p.kept -= len(a)
		}
		delete(p.byCode, p.codes[0])
		p.codes = p.codes[1:]
	}
}

var errFull = errors.New("too much was brought under this code: make a new one")

// bring keeps what arrived under a code of its kind, if there is one; see with.
func (p *pairs) bring(code, kind string, what json.RawMessage, now time.Time) (ok bool, err error) {
	p.with(code, now, func(pair *pairing) {
		if ok = pair.kind == kind; !ok {
			return
		}
		if len(pair.arrived) == maxArrivals {
			err = errFull
			return
		}
		pair.arrived = append(pair.arrived, what)
		p.kept += len(what)
		p.forget(now)
	})
	return ok, err
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
	var in struct {
		Kind string `json:"kind"`
		Lang string `json:"lang"`
	}
	err := strictly(io.LimitReader(r.Body, 1<<10), &in)
	if err == nil && keeps[in.Kind] == nil {
		err = fmt.Errorf("unknown kind %.20q", in.Kind)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	code, key := s.pairs.make(in.Kind, s.now())
	door := s.door(r, "/phone", url.Values{"pair": {spelled(code)}})
	if in.Kind == "run" {
		q := url.Values{"with": {code}} // shorter, and of one piece
		if language.MatchString(in.Lang) {
			q.Set("lang", in.Lang)
		}
		door = s.door(r, "/", q)
	}
	writeJSON(w, struct {
		Code    string      `json:"code"`
		Key     string      `json:"key"`
		Expires int         `json:"expires"` // seconds from now
		Page    widget.Door `json:"page"`
	}{spelled(code), key, int(pairTime / time.Second), door})
}

// language is a tag of one, as BCP 47 writes it.
var language = regexp.MustCompile(`^[A-Za-z0-9-]{1,35}$`)

// strictly reads one JSON object that has no unknown fields and nothing behind it.
func strictly(r io.Reader, into any) error {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("there is something behind the object")
	}
	return nil
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
	switch ok, err := s.pairs.bring(pairCode(r.PathValue("code")), a.Kind, kept, s.now()); {
	case err != nil:
		http.Error(w, err.Error(), http.StatusConflict)
		return
	case !ok:
		noPairing(w)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func readArrival(data []byte) (arrival, error) {
	var in struct {
		Kind   string             `json:"kind"`
		Under  evidence.Condition `json:"under"`
		Worked evidence.Answer    `json:"worked"`
		Seen   json.RawMessage    `json:"seen"`
	}
	if err := strictly(bytes.NewReader(data), &in); err != nil {
		return arrival{}, err
	}
	keep, ok := keeps[in.Kind]
	if !ok {
		return arrival{}, fmt.Errorf("unknown kind %.20q", in.Kind)
	}
	e, err := report.Decode(in.Seen, report.AllKnown)
	if err != nil {
		return arrival{}, err
	}
	return keep(arrival{in.Kind, in.Under, in.Worked, report.Redact(e)})
}

// fetch gives what has arrived to the one who made the pairing, without the first
// so many, which they have.
func (s *server) fetch(w http.ResponseWriter, r *http.Request) {
	var arrived []json.RawMessage
	own := false
	s.pairs.with(pairCode(r.PathValue("code")), s.now(), func(p *pairing) {
		own = subtle.ConstantTimeCompare([]byte(p.key), []byte(r.Header.Get(keyHeader))) == 1
		after, _ := strconv.Atoi(r.URL.Query().Get("after"))
		arrived = p.arrived[min(max(after, 0), len(p.arrived)):]
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
