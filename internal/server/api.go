package server

import (
	"bytes"
	"context"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/store"
)

// The API for other programs, such as a help desk's. openapi.json describes it, and
// tests hold one to the other.

const (
	apiBase = "/api/v1"
	// apiWait is how long the database may take to answer a request.
	apiWait = 15 * time.Second
	// maxAPIBody is in bytes: a link with eight questions has a few thousand.
	maxAPIBody = 64 << 10

	// The quotas of the API. A program that follows a hundred cases and asks for
	// each every ten seconds stays within them.
	callsPerKey     = 600
	callsPerAddress = 1200
	callWindow      = time.Minute
)

//go:embed openapi.json
var openAPI []byte

// caller is a program that has a key.
type caller struct {
	who  string // as it stands in the audit log
	from string // its address
}

// call answers a request of the API with what it returns, as JSON. An error that is a
// refusal is told as it is, others are told by kind.
type call func(w http.ResponseWriter, r *http.Request, c caller) (answer any, err error)

func (s *server) api(mux *routes) {
	at := s.base + apiBase
	open := func(pattern string, h http.HandlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.Handle(method+" "+at+path, s.limited(h, http.HandlerFunc(tooManyCalls)))
	}
	keyed := func(pattern string, h call) { open(pattern, s.keyed(h)) }
	open("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openAPI)
	})
	open("GET /health", s.health)
	keyed("POST /links", s.makeLink)
	keyed("GET /links", s.listLinks)
	keyed("GET /links/{id}", s.getLink)
	keyed("POST /links/{id}/close", s.closeLink)
	keyed("DELETE /links/{id}", s.deleteLink)
	keyed("GET /reports", s.listReports)
	keyed("GET /reports/{id}", s.getReport)
	keyed("DELETE /reports/{id}", s.deleteReport)
	keyed("GET /codes/{code}", s.readCode)
	keyed("GET /messages", s.listMessages)
	mux.HandleFunc(at+"/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, refusal{Status: http.StatusNotFound, Detail: "There is no such address, or not for this method: " + at + "/openapi.json lists what there is."})
	})
}

// refusal is what stands in the way, as RFC 9457 writes it.
type refusal struct {
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Detail string  `json:"detail"`
	Errors []fault `json:"errors,omitempty"`

	// wait is told as Retry-After, if it is not 0.
	wait time.Duration
}

// fault is what is wrong with one part of a request.
type fault struct {
	// In names a field of the body, like asks[0].pattern, or a parameter.
	In     string `json:"in"`
	Detail string `json:"detail"`
}

func (r refusal) Error() string { return r.Detail }

// badRequest is that of one or more faults; nil for none.
func badRequest(faults []fault) error {
	if len(faults) == 0 {
		return nil
	}
	return refusal{Status: http.StatusBadRequest, Detail: "The request is not as it should be.", Errors: faults}
}

func refuse(w http.ResponseWriter, r refusal) {
	r.Title = http.StatusText(r.Status)
	if r.wait > 0 {
		w.Header().Set("Retry-After", strconv.FormatFloat(math.Ceil(r.wait.Seconds()), 'f', 0, 64))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(r.Status)
	_ = json.NewEncoder(w).Encode(r) // fails only when the client is gone
}

func tooManyCalls(w http.ResponseWriter, _ *http.Request) {
	refuse(w, refusal{Status: http.StatusTooManyRequests, Detail: "Too many requests come from your address: wait as long as Retry-After says."})
}

// refusalOf tells an error by what a caller can do about it. Whatever it does not
// know is ours, and logged.
func (s *server) refusalOf(r *http.Request, err error) refusal {
	var known refusal
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, store.ErrNotFound):
		return refusal{Status: http.StatusNotFound, Detail: "There is nothing with this id, or it was deleted."}
	case errors.Is(err, store.ErrFull):
		return refusal{Status: http.StatusServiceUnavailable, Detail: "The disk of the database is full: nothing was written.", wait: time.Minute}
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return refusal{Status: http.StatusServiceUnavailable, Detail: "The database does not answer: nothing was done.", wait: 10 * time.Second}
	case errors.Is(err, store.ErrKey):
		s.log.Error("a key that encrypted something in the database is missing", "route", r.Pattern, "to_do", "put it into LATCHKEY_DB_KEYS again, behind the first")
		return refusal{Status: http.StatusInternalServerError, Detail: "The server has no key for this any more: its log says what to do."}
	case r.Context().Err() == nil:
		s.log.Error("a request of the API failed", "route", r.Pattern, "error", err)
	}
	return refusal{Status: http.StatusInternalServerError, Detail: "Something went wrong on this server. Its log says more."}
}

// keyPrefix shows scanners for lost secrets what it is.
const keyPrefix = "lk_"

// NewKey makes a key of the API, and the hash that is kept of it.
func NewKey() (key string, hash []byte) {
	token, hash := store.NewToken()
	return keyPrefix + token, hash
}

// noKey says the same of a key that is missing, was never one, or was taken away.
var noKey = refusal{
	Status: http.StatusUnauthorized,
	Detail: "This needs a key: send it as “Authorization: Bearer lk_…”. “latchkey key add NAME” makes one.",
}

// keyed lets programs with a key through to h.
func (s *server) keyed(h call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), apiWait)
		defer cancel()
		answer, err := func() (any, error) {
			c, err := s.caller(r.WithContext(ctx))
			if err != nil {
				return nil, err
			}
			return h(w, r.WithContext(ctx), c)
		}()
		if err != nil {
			no := s.refusalOf(r, err)
			if no.Status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="latchkey"`)
			}
			refuse(w, no)
			return
		}
		switch {
		case answer == nil:
			w.WriteHeader(http.StatusNoContent)
		case w.Header().Get("Location") != "":
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			_ = json.NewEncoder(w).Encode(answer)
		default:
			writeJSON(w, answer)
		}
	}
}

// caller finds out whose key a request brings.
func (s *server) caller(r *http.Request) (caller, error) {
	if s.store == nil {
		return caller{}, refusal{Status: http.StatusServiceUnavailable, Detail: "This server has no database."}
	}
	from := s.client(r)
	if err := s.quota(r, "calls from "+network(from).String(), callsPerAddress); err != nil {
		return caller{}, err
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token, ours := strings.CutPrefix(key, keyPrefix)
	hash, whole := store.HashToken(token)
	if !strings.EqualFold(scheme, "Bearer") || !ours || !whole {
		return caller{}, noKey
	}
	known, err := s.store.Keys.ByHash(r.Context(), hash)
	if errors.Is(err, store.ErrNotFound) || err == nil && subtle.ConstantTimeCompare(known.Hash, hash) != 1 {
		return caller{}, noKey
	}
	if err != nil {
		return caller{}, err
	}
	return caller{"key:" + known.Name, from.String()}, s.quota(r, "calls of "+known.Name, callsPerKey)
}

// quota is a refusal if there were n of something in the last minute. All servers on
// one database count together.
func (s *server) quota(r *http.Request, of string, n int) error {
	wait, err := s.store.Limits.Take(r.Context(), of, n, callWindow)
	if err == nil && wait > 0 {
		err = refusal{Status: http.StatusTooManyRequests, Detail: "That is too many requests a minute: wait as long as Retry-After says.", wait: wait}
	}
	return err
}

// audit writes down what is about to be done. Nothing is done if that fails.
func (s *server) audit(r *http.Request, c caller, did, what string) error {
	return s.store.Audit.Add(r.Context(), store.Entry{At: s.now(), Who: c.who, Did: did, What: what, From: c.from})
}

// health is whether the API can do its work.
func (s *server) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyWait)
	defer cancel()
	if s.store == nil || s.store.Ready(ctx) != nil {
		refuse(w, refusal{Status: http.StatusServiceUnavailable, Detail: "The database does not answer, or is full.", wait: 10 * time.Second})
		return
	}
	writeJSON(w, map[string]string{"status": "ok"})
}

// readBody reads one JSON object that has no unknown fields.
func readBody(w http.ResponseWriter, r *http.Request, into any) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return refusal{Status: http.StatusUnsupportedMediaType, Detail: "Send application/json."}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAPIBody))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return refusal{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("A request has at most %d bytes.", maxAPIBody)}
	case err != nil:
		return refusal{Status: http.StatusBadRequest, Detail: "The request broke off."}
	}
	if err := strictly(bytes.NewReader(data), into); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return badRequest([]fault{{kind.Field, fmt.Sprintf("a %s cannot stand here", strings.Fields(kind.Value)[0])}})
		}
		// Errors of encoding/json name fields and single characters, which the
		// caller wrote; nobody else reads them.
		return refusal{Status: http.StatusBadRequest, Detail: "The body cannot be read: " + strings.TrimPrefix(err.Error(), "json: ") + "."}
	}
	return nil
}

// idIn is the id in the path. What cannot be one is not there.
func idIn(r *http.Request) (string, error) {
	id := r.PathValue("id")
	if !idForm.MatchString(id) {
		return "", store.ErrNotFound
	}
	return id, nil
}

// Lists tell at most maxPage entries, and without a limit pageLength.
const (
	maxPage    = 100
	pageLength = 50
)

// filter reads the parameters of a list, and gathers what is wrong with them.
type filter struct {
	query  url.Values
	known  []string
	faults []fault
}

func filterOf(r *http.Request) *filter {
	q, err := url.ParseQuery(r.URL.RawQuery)
	f := &filter{query: q}
	if err != nil {
		f.wrong("", "the parameters cannot be read: write each as name=value, with %-escapes")
	}
	return f
}

func (f *filter) wrong(in, detail string) { f.faults = append(f.faults, fault{in, detail}) }

// longestFilter is in bytes; nothing that is filtered by is longer.
const longestFilter = 200

// text is the value of a parameter, or "".
func (f *filter) text(name string) string {
	f.known = append(f.known, name)
	values := f.query[name]
	switch {
	case len(values) == 0:
		return ""
	case len(values) > 1:
		f.wrong(name, "stands there twice")
	case len(values[0]) > longestFilter || strings.ToValidUTF8(values[0], "") != values[0] || strings.ContainsRune(values[0], 0):
		f.wrong(name, fmt.Sprintf("is no text of at most %d bytes", longestFilter))
	default:
		return values[0]
	}
	return ""
}

// among is the value of a parameter that is one of some.
func (f *filter) among(name string, values ...string) string {
	v := f.text(name)
	if v != "" && !slices.Contains(values, v) {
		f.wrong(name, "is none of "+strings.Join(values, ", "))
	}
	return v
}

func (f *filter) id(name string) string {
	v := f.text(name)
	if v != "" && !idForm.MatchString(v) {
		f.wrong(name, "is no id")
	}
	return v
}

func (f *filter) time(name string) time.Time {
	v := f.text(name)
	if v == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, v)
	// The store counts in 64 bits from 1970.
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		f.wrong(name, "is no time: write it like 2026-03-04T12:00:00Z, with + as %2B")
	}
	return t
}

// page is which part of a list is asked for.
func (f *filter) page() store.Page {
	p := store.Page{Limit: pageLength, Before: f.id("before")}
	if v := f.text("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxPage {
			f.wrong("limit", fmt.Sprintf("is no number from 1 to %d", maxPage))
		}
		p.Limit = n
	}
	return p
}

// err is what is wrong with the parameters that were read, or with others.
func (f *filter) err() error {
	for name := range f.query {
		if !slices.Contains(f.known, name) {
			f.wrong(name, "there is no such parameter: known are "+strings.Join(f.known, ", "))
		}
	}
	slices.SortStableFunc(f.faults, func(a, b fault) int { return strings.Compare(a.In, b.In) })
	return badRequest(f.faults)
}

// listed asks for one more than the page has, and tells by it where the next begins.
func listed[T any](p store.Page, list func(store.Page) ([]T, error), id func(T) string) (rows []T, next string, err error) {
	rows, err = list(store.Page{Limit: p.Limit + 1, Before: p.Before})
	if p.Before != "" && errors.Is(err, store.ErrNotFound) {
		err = badRequest([]fault{{"before", "is gone: begin again without it"}})
	}
	if err == nil && len(rows) > p.Limit {
		rows = rows[:p.Limit]
		next = id(rows[len(rows)-1])
	}
	return rows, next, err
}
