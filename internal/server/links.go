package server

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"

	"latchkey/app/widget"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/store"
	"latchkey/internal/text"
)

// link is a diagnostic link that is good: its token, and the case it was made for.
type link struct {
	token string
	store.Case
}

// caseHeader carries the token with what the script tier posts for judging: an
// address would stand in logs.
const caseHeader = "Latchkey-Case"

// link finds the case of a token. There is one error for all that are not good,
// store.ErrNotFound; others say that nobody knows.
func (s *server) link(ctx context.Context, token string) (link, error) {
	hash, ok := store.HashToken(token)
	if !ok || s.store == nil {
		return link{}, store.ErrNotFound
	}
	// A database that hangs must not hang the look: it goes on without the link.
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	c, err := s.store.Cases.ByToken(ctx, hash)
	if err == nil && !c.Usable(s.now()) {
		err = store.ErrNotFound
	}
	// What is asked is rendered into attributes.
	c.Asks = slices.DeleteFunc(c.Asks, func(a report.Ask) bool { return a.Check() != nil })
	return link{token, c}, err
}

// linkOf is the link that a request for judging is for, or nil.
func (s *server) linkOf(r *http.Request) *link {
	l, err := s.link(r.Context(), r.Header.Get(caseHeader))
	if err != nil {
		return nil
	}
	return &l
}

// tellNobody keeps an address with a token from other sites and from search engines.
// Browsers take the last of the policies that they know. Under no-referrer, which is
// for the oldest, forms are sent with "Origin: null".
func tellNobody(h http.Header) {
	h.Set("Referrer-Policy", "no-referrer, strict-origin")
	h.Set("X-Robots-Tag", "noindex")
}

func (s *server) links(mux *routes) {
	mux.Handle("GET "+s.base+"/d/{token}", s.limited(http.HandlerFunc(s.openLink), http.HandlerFunc(s.tooManyPage)))
}

// A link is opened by mail scanners, too: nothing changes before the person starts
// the check, and nothing is kept before they send it.
var linkTemplate = template.Must(template.New("link").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}" data-latchkey-tier="html" data-latchkey-state="done">
<head>
` + pageHead + `</head>
<body>
<main class="card asked">
<h1>{{.Title}}</h1>
{{range .Lines}}<p>{{.}}</p>
{{end}}{{with .Steps}}<ol>{{range .}}<li>{{.}}</li>{{end}}</ol>
{{end}}<form method="get" action="{{.To}}">{{with .Token}}<input type="hidden" name="case" value="{{.}}">{{end}}{{with .Wanted}}<input type="hidden" name="lang" value="{{.}}">{{end}}<button class="primary" id="latchkey-start">{{.Start}}</button></form>
{{with .Until}}<p class="fine">{{.}}</p>
{{end}}{{with .Phone}}<p><a href="tel:{{.}}">{{.}}</a></p>
{{end}}</main>
</body>
</html>
`))

type linkPage struct {
	Lang, Dir, Title, Style string
	Lines, Steps            []string
	To, Token, Wanted       string
	Start                   string
	Until                   string
	Phone                   string
}

// openLink says who asks for the check, and for what.
func (s *server) openLink(w http.ResponseWriter, r *http.Request) {
	l, err := s.link(r.Context(), r.PathValue("token"))
	if err != nil {
		s.linkGone(w, r, err)
		return
	}
	words := s.words(r, l.Lang) // support knows the person's
	say := func(key string, args diag.Args) string { return words.Text(args, key) }
	about := diag.Args{"from": l.From, "site": s.cfg.Site.Name}
	lines := []string{say("ui.link.from", about)}
	if title := s.outcomeTitle(l.Outcome, words); title != "" {
		lines = append(lines, say("ui.link.told", diag.Args{"title": title}))
	}
	if l.Reference != "" {
		lines = append(lines, say("ui.summary.reference", diag.Args{"reference": l.Reference}))
	}
	s.linkPage(w, words, http.StatusOK, linkPage{
		Title: say("ui.link.title", nil), Lines: lines, Steps: words.Lines(about, "ui.link.what"),
		Token: l.token, Wanted: cmp.Or(r.URL.Query().Get("lang"), l.Lang), Start: say("ui.link.start", nil),
		Until: say("ui.link.until", diag.Args{"size": diag.Seconds(l.Expires.Sub(s.now()).Seconds())}),
	})
}

// outcomeTitle says an outcome in a sentence; "" if there is nothing to say.
func (s *server) outcomeTitle(outcome string, words *text.Catalogue) string {
	e := evidence.Evidence{Host: evidence.Told(outcome, "", s.cfg.Outcomes)}
	r := report.New(e, s.set.Diagnose(e))
	for _, f := range r.Findings {
		if f.Told {
			return widget.Title(widget.Model{Report: r, Site: widget.Site{Name: s.cfg.Site.Name}}, words, f)
		}
	}
	return ""
}

// linkGone answers alike for what never was, what support has closed and what has run
// out, and leads to the check without a link.
func (s *server) linkGone(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusNotFound
	if !errors.Is(err, store.ErrNotFound) {
		status = http.StatusServiceUnavailable
		s.log.Error("link not looked up", "error", err)
	}
	words := s.words(r)
	say := func(key string) string { return words.Text(nil, key) }
	s.linkPage(w, words, status, linkPage{
		Title: say("ui.link.gone.title"), Lines: []string{say("ui.link.gone.why")}, Start: say("ui.link.without"), Phone: s.cfg.Support.Phone,
	})
}

func (s *server) linkPage(w http.ResponseWriter, words *text.Catalogue, status int, p linkPage) {
	p.Lang, p.Dir = words.Lang(), words.Dir()
	p.Style, p.To = s.asset("latchkey.css"), s.base+"/"
	tellNobody(w.Header())
	s.plainPage(w, status, linkTemplate, p)
}

// plainPage answers with a page without scripts.
func (s *server) plainPage(w http.ResponseWriter, status int, t *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", documentPolicy(s.cfg, false))
	w.WriteHeader(status)
	if err := t.Execute(w, data); err != nil {
		s.log.Warn("page not written", "error", err)
	}
}

// send is where reports go, for the person who came by a link or by none.
func (s *server) send(r *http.Request, l *link) widget.Send {
	if s.store == nil {
		return widget.Send{}
	}
	to := widget.Send{To: s.base + "/reports?lang=" + s.language(r).Tag, ID: store.NewID(), Asks: s.cfg.Reports.Fields}
	if l != nil {
		to.Token, to.From, to.Asks = l.token, l.From, l.Asks
	}
	return to
}
