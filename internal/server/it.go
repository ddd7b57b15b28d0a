package server

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/app/widget"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

var itTemplate = template.Must(template.New("it").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}">
<head>
` + pageHead + `</head>
<body>
<main class="card"><h1>{{.Title}}</h1><pre class="note" id="latchkey-it">{{.Text}}</pre></main>
</body>
</html>
`))

// it is the page for those who run a person's network. All that the address tells
// are numbers and names that we know: which checks failed, which of the operator's
// needs, and when.
func (s *server) it(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	note := widget.Note{Site: s.site(r)}
	for id := range strings.SplitSeq(q.Get("found"), ",") {
		if slices.ContainsFunc(s.set.Checks, func(c diag.Check) bool { return c.ID == id }) {
			note.Found = append(note.Found, id)
		}
	}
	for _, n := range s.frameNeeds(r) {
		note.Needs = append(note.Needs, evidence.Need{Kind: n.Kind, Host: n.Host, Port: n.Port, Purpose: n.Purpose, Own: n.Own})
	}
	for number := range strings.SplitSeq(q.Get("needs"), ",") {
		if i, err := strconv.Atoi(number); err == nil && i >= 0 && i < len(note.Needs) && !slices.Contains(note.Failed, i) {
			note.Failed = append(note.Failed, i)
		}
	}
	utc, err := strconv.ParseInt(q.Get("at"), 10, 64)
	zone, zoneErr := strconv.Atoi(q.Get("zone"))
	if age := s.now().Sub(time.UnixMilli(utc)); err == nil && zoneErr == nil && age > -time.Hour && age < 10*365*24*time.Hour && max(zone, -zone) <= 24*60 {
		note.At = evidence.Saw(evidence.Moment{UTC: float64(utc), Zone: zone})
	}
	words := s.words(r)
	s.html(w, http.StatusOK, itTemplate, struct{ Lang, Dir, Title, Style, Text string }{
		words.Lang(), words.Dir(),
		words.Text(diag.Args{"site": s.cfg.Site.Name}, "ui.it.title"), s.asset("latchkey.css"), strings.Join(note.Lines(words), "\n"),
	})
}
