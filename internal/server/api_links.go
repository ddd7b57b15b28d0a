package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/store"
)

// How long a link is good for, in seconds.
const (
	linkUsual    = 24 * 60 * 60
	linkShortest = 5 * 60
	linkLongest  = 30 * linkUsual
)

// Limits of what a link is made of, in characters.
const (
	fromLimit      = 100
	referenceLimit = 100
)

// newLink is what a program asks for.
type newLink struct {
	From      string       `json:"from"`
	Note      string       `json:"note"`
	Reference string       `json:"reference"`
	Lang      string       `json:"lang"`
	Outcome   string       `json:"outcome"`
	Asks      []report.Ask `json:"asks"`
	ExpiresIn *int         `json:"expires_in"` // seconds
}

func (l newLink) check() error {
	var f filter
	for _, part := range []struct {
		name, value string
		most        int
	}{{"from", l.From, fromLimit}, {"note", l.Note, report.NoteLimit}, {"reference", l.Reference, referenceLimit}} {
		hidden := func(r rune) bool {
			return (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) && !(r == '\n' && part.name == "note")
		}
		switch n := utf8.RuneCountInString(part.value); {
		case n > part.most:
			f.wrong(part.name, fmt.Sprintf("has %d characters, and may have %d", n, part.most))
		case strings.ContainsFunc(part.value, hidden):
			f.wrong(part.name, "has a character that cannot be seen")
		}
	}
	if l.Lang != "" && !language.MatchString(l.Lang) {
		f.wrong("lang", "is no tag of a language: write it like de or pt-BR")
	}
	if l.Outcome != "" && !evidence.ValidOutcome(l.Outcome) {
		f.wrong("outcome", "there is no such outcome: known are "+strings.Join(outcomeIDs(), ", "))
	}
	if l.ExpiresIn != nil && (*l.ExpiresIn < linkShortest || *l.ExpiresIn > linkLongest) {
		f.wrong("expires_in", fmt.Sprintf("is no number of seconds from %d to %d", linkShortest, linkLongest))
	}
	if len(l.Asks) > report.MaxAsks {
		f.wrong("asks", fmt.Sprintf("has %d entries, and may have %d", len(l.Asks), report.MaxAsks))
	}
	keys := map[string]bool{}
	for i, a := range l.Asks {
		in := fmt.Sprintf("asks[%d]", i)
		if err := a.Check(); err != nil {
			f.wrong(in, err.Error())
		} else if keys[a.Key] {
			f.wrong(in, "key: another one has it already")
		}
		keys[a.Key] = true
	}
	return badRequest(f.faults)
}

// apiLink is a case as programs read it.
type apiLink struct {
	ID        string       `json:"id"`
	URL       string       `json:"url,omitempty"` // only once: no more than a hash of it is kept
	State     string       `json:"state"`         // open, expired or closed
	From      string       `json:"from"`
	Note      string       `json:"note,omitempty"` // not in lists
	Reference string       `json:"reference"`
	Lang      string       `json:"lang"`
	Outcome   string       `json:"outcome"`
	Asks      []report.Ask `json:"asks"`
	By        string       `json:"by"`
	Made      time.Time    `json:"made"`
	Expires   time.Time    `json:"expires"`
	Closed    *time.Time   `json:"closed,omitempty"`
	Reports   int          `json:"reports"`
	Console   string       `json:"console"`
}

func (s *server) apiLink(r *http.Request, c store.Case) apiLink {
	l := apiLink{
		ID: c.ID, State: "open", From: c.From, Note: c.Note, Reference: c.Reference, Lang: c.Lang, Outcome: c.Outcome,
		Asks: append([]report.Ask{}, c.Asks...), By: c.By, Made: c.Made.UTC(), Expires: c.Expires.UTC(), Reports: c.Reports,
		Console: s.outside(r, s.base+"/support/cases/"+c.ID),
	}
	switch {
	case !c.Closed.IsZero():
		closed := c.Closed.UTC()
		l.State, l.Closed = "closed", &closed
	case !c.Usable(s.now()):
		l.State = "expired"
	}
	return l
}

func (s *server) makeLink(w http.ResponseWriter, r *http.Request, c caller) (any, error) {
	var in newLink
	if err := readBody(w, r, &in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if in.From == "" {
		in.From = s.cfg.Site.Name
	}
	life := linkUsual
	if in.ExpiresIn != nil {
		life = *in.ExpiresIn
	}
	now := s.now()
	made := store.Case{
		ID: store.NewID(), Made: now, By: c.who, From: in.From, Note: in.Note, Reference: in.Reference,
		Lang: in.Lang, Outcome: in.Outcome, Asks: in.Asks, Expires: now.Add(time.Duration(life) * time.Second),
	}
	token, hash := store.NewToken()
	if err := s.audit(r, c, "case.make", made.ID); err != nil {
		return nil, err
	}
	if err := s.store.Cases.Add(r.Context(), made, hash); err != nil {
		return nil, err
	}
	l := s.apiLink(r, made)
	l.URL = s.outside(r, s.base+"/d/"+token)
	w.Header().Set("Location", s.base+apiBase+"/links/"+made.ID)
	return l, nil
}

func (s *server) listLinks(_ http.ResponseWriter, r *http.Request, _ caller) (any, error) {
	f := filterOf(r)
	q := store.CaseQuery{
		Text: f.text("text"), By: f.text("by"), Open: f.among("state", "open") != "",
		From: f.time("from"), To: f.time("to"), Page: f.page(),
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	cases, next, err := listed(q.Page, func(p store.Page) ([]store.Case, error) {
		q.Page = p
		return s.store.Cases.List(r.Context(), q)
	}, func(c store.Case) string { return c.ID })
	if err != nil {
		return nil, err
	}
	links := []apiLink{}
	for _, c := range cases {
		c.Note = "" // who reads it is written down
		links = append(links, s.apiLink(r, c))
	}
	return struct {
		Links []apiLink `json:"links"`
		Next  string    `json:"next,omitempty"`
	}{links, next}, nil
}

func (s *server) getLink(_ http.ResponseWriter, r *http.Request, c caller) (any, error) {
	return s.linkAfter(r, c, "case.view", func(context.Context, string) error { return nil })
}

func (s *server) closeLink(_ http.ResponseWriter, r *http.Request, c caller) (any, error) {
	return s.linkAfter(r, c, "case.close", s.store.Cases.Close)
}

// linkAfter is the link in the path after something was done to it.
func (s *server) linkAfter(r *http.Request, c caller, did string, do func(ctx context.Context, id string) error) (any, error) {
	if err := s.doTo(r, c, did, do); err != nil {
		return nil, err
	}
	kept, err := s.store.Cases.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.apiLink(r, kept), nil
}

func (s *server) deleteLink(_ http.ResponseWriter, r *http.Request, c caller) (any, error) {
	return nil, s.doTo(r, c, "case.delete", s.store.Cases.Delete)
}
