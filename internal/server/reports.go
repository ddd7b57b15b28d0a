package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"time"

	"latchkey/app/widget"
	"latchkey/internal/diag"
	"latchkey/internal/report"
	"latchkey/internal/store"
)

// How many reports are taken of one network and under one link. A clinic of 300
// people sits behind one address, and after an outage many of them send one.
const (
	reportsByNetwork = 300
	reportsByLink    = 30
	reportsWindow    = 10 * time.Minute
)

// keepTime is how long the store may take: less than the 15 s that send.js waits.
const keepTime = 10 * time.Second

func (s *server) reports(mux *routes) {
	// A page of another site must not send reports in people's names.
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sub, _ := s.submission(r)
		s.answerReport(w, r, sub, unkept{http.StatusForbidden, "failed", ""})
	}))
	tooMany := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sub, _ := s.submission(r)
		s.answerReport(w, r, sub, tooOften)
	})
	mux.Handle("POST "+s.base+"/reports", own.Handler(s.limited(http.HandlerFunc(s.takeReport), tooMany)))
}

// submission is what came to be kept.
type submission struct {
	id, token string
	link      *link // nil without a token; under a dead one it only tells what was asked
	asks      []report.Ask
	personal  report.Personal // what the person wrote, also where the rest cannot be read
	sent      report.Sent
	body      []byte // what is kept: sent, encoded
	// shown is whether the person has seen all of body. A form may bring a note that
	// is not in its report yet.
	shown bool
}

// unkept is why a report was not kept: a status, the words for it under "ui.send.",
// and the label of the answer that does not fit.
type unkept struct {
	status int
	why    string
	label  string
}

func (u unkept) Error() string { return "not kept: " + u.why }

var (
	unread   = unkept{http.StatusBadRequest, "failed", ""}
	overdue  = unkept{http.StatusNotFound, "over", ""}
	tooOften = unkept{http.StatusTooManyRequests, "wait", ""}
	noStore  = unkept{http.StatusServiceUnavailable, "failed", ""}
)

// idForm is that of store.NewID.
var idForm = regexp.MustCompile(`^[a-z2-7]{26}$`)

// takeReport keeps a report and says whether it did, as JSON or as a page. Who sends
// one chooses its id, so that it is kept once however often it is sent.
func (s *server) takeReport(w http.ResponseWriter, r *http.Request) {
	sub, err := s.submission(r)
	if err == nil && !sub.shown {
		sub.id = store.NewID() // of another report than the one that came
		s.reportPage(w, r, http.StatusOK, sub, "review", "")
		return
	}
	if err == nil {
		err = s.keep(r, sub)
	}
	s.answerReport(w, r, sub, err)
}

// submission reads a request. What could be read is there beside an error, so that
// nothing that a person wrote is lost.
func (s *server) submission(r *http.Request) (sub submission, err error) {
	var data []byte
	form := false
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/json":
		data, err = sub.readJSON(r.Body)
	case "application/x-www-form-urlencoded":
		err = r.ParseForm()
		form, data = true, []byte(strings.TrimSpace(r.PostFormValue("report")))
		sub.id, sub.token = r.PostFormValue("id"), r.PostFormValue("token")
	default:
		err = unkept{http.StatusUnsupportedMediaType, "failed", ""}
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = unkept{http.StatusRequestEntityTooLarge, "failed", ""}
	}
	sub.asks = s.cfg.Reports.Fields
	var linkErr error
	if sub.token != "" {
		var l link
		l, linkErr = s.link(r.Context(), sub.token)
		sub.link, sub.asks = &l, l.Asks
	}
	if form {
		sub.personal = written(r, sub.asks)
	}
	if err != nil {
		return sub, err
	}
	if sub.sent, err = report.DecodeSent(data); err != nil || !idForm.MatchString(sub.id) {
		return sub, unread
	}
	if form {
		sub.sent.Personal = sub.personal
	}
	sub.personal = sub.sent.Personal
	if sub.body, err = sub.sent.Encode(); err != nil {
		sub.sent.Personal = report.Personal{} // the rest is fine, and stays
		if sub.body, err = sub.sent.Encode(); err != nil {
			return sub, unread
		}
		return sub, unkept{http.StatusUnprocessableEntity, "unfit", s.words(r).Text(nil, "sent.personal.note")}
	}
	sub.shown = !form || bytes.Equal(sub.body, data)
	switch {
	case errors.Is(linkErr, store.ErrNotFound):
		return sub, overdue
	case linkErr != nil:
		s.log.Error("report not kept", "error", linkErr)
		return sub, noStore
	}
	for _, a := range sub.personal.Fields {
		if (report.Personal{Fields: []report.Answer{a}}).Fits(sub.asks) != nil {
			return sub, unkept{http.StatusUnprocessableEntity, "unfit", a.Label}
		}
	}
	if sub.personal.Fits(sub.asks) != nil {
		return sub, unread // one answer twice
	}
	return sub, nil
}

// readJSON reads what send.js sends, and returns the report in it.
func (sub *submission) readJSON(body io.Reader) ([]byte, error) {
	var in struct {
		ID     string          `json:"id"`
		Token  string          `json:"token"`
		Report json.RawMessage `json:"report"`
	}
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	err := dec.Decode(&in)
	if err == nil && dec.More() {
		err = unread
	}
	sub.id, sub.token = in.ID, in.Token
	return in.Report, err
}

// written is what stands in a form. Browsers end its lines with CR LF.
func written(r *http.Request, asks []report.Ask) report.Personal {
	p := report.Personal{Note: r.PostFormValue("note")}
	for _, a := range asks {
		if value := strings.TrimSpace(r.PostFormValue("field-" + a.Key)); value != "" {
			p.Fields = append(p.Fields, report.Answer{Key: a.Key, Label: a.Label, Value: value})
		}
	}
	return p.Clean()
}

// keep stores a report, or says why not.
func (s *server) keep(r *http.Request, sub submission) error {
	if s.store == nil {
		return noStore
	}
	ctx, cancel := context.WithTimeout(r.Context(), keepTime)
	defer cancel()
	judged := sub.sent.Report(s.set.Diagnose)
	rep := store.Report{
		ID: sub.id, At: s.now(), Body: sub.body, Code: sub.sent.Code().String(),
		Outcome: string(judged.Outcome), Findings: judged.Summary().Findings, Top: judged.Summary().Top,
		Browser: judged.Seen.Browser.Family.Value, System: judged.Seen.Browser.System.Value,
		Tier: string(judged.Tier), Reference: judged.Seen.Host.Reference.Value,
	}
	if sub.link != nil {
		rep.Case = sub.link.ID
	}
	if s.overLimit(ctx, r, rep.Case) {
		return tooOften
	}
	switch err := s.store.Reports.Add(ctx, rep, s.webhooks(rep)...); {
	case err == nil, errors.Is(err, store.ErrConflict):
		return nil // it is there
	case errors.Is(err, store.ErrClosed), errors.Is(err, store.ErrNotFound):
		return overdue
	default:
		s.log.Error("report not kept", "error", err)
		return noStore
	}
}

// overLimit counts a report, and is whether there were too many.
func (s *server) overLimit(ctx context.Context, r *http.Request, caseID string) bool {
	over := func(key string, most int) bool {
		wait, err := s.store.Limits.Take(ctx, key, most, reportsWindow)
		return err == nil && wait > 0 // without a count the store has the say
	}
	return caseID != "" && over("reports for "+caseID, reportsByLink) ||
		over("reports from "+network(s.client(r)).String(), reportsByNetwork)
}

// answerReport says whether a report was kept, as a page to who asks for one.
func (s *server) answerReport(w http.ResponseWriter, r *http.Request, sub submission, err error) {
	status, said, label := http.StatusOK, "arrived", ""
	var u unkept
	if errors.As(err, &u) {
		status, said, label = u.status, u.why, u.label
	} else if err != nil {
		status, said = unread.status, unread.why
	}
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "60")
	}
	w.Header().Add("Vary", "Accept")
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		s.reportPage(w, r, status, sub, said, label)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Arrived bool   `json:"arrived"`
		Code    string `json:"code,omitempty"`
		Why     string `json:"why,omitempty"`
		Label   string `json:"label,omitempty"`
	}{said == "arrived", sub.code(), said, label})
}

// code is the one that the person has on their screen; "" if nothing could be read.
func (sub submission) code() string {
	if sub.body == nil {
		return ""
	}
	return sub.sent.Code().String()
}

// reportTemplate is what people see who send without scripts: what goes, and what
// became of it. It takes the place of send.js and looks like the part that it works in.
var reportTemplate = template.Must(template.New("report").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}" data-latchkey-tier="html" data-latchkey-state="done">
<head>
` + pageHead + `</head>
<body>
<main class="card send" data-latchkey-sent="{{.Said}}">
<h1>{{.Title}}</h1>
<p class="send-status {{.Look}}" role="status" id="latchkey-send-status">{{index .Status 0}}{{range slice .Status 1}}<strong>{{$.Code}}</strong>{{.}}{{end}}</p>
{{if .Arrived}}{{with .Login}}<p><a href="{{.}}">{{$.Back}}</a></p>{{end}}
{{else}}{{with .Phone}}<p><a href="tel:{{.}}">{{.}}</a></p>{{end}}
{{with .Download}}<p><a href="{{.}}" download="latchkey-report.json" id="latchkey-send-download">{{$.DownloadText}}</a></p>{{end}}
<form method="post" action="{{.To}}" autocomplete="off" id="latchkey-send-form">
<input type="hidden" name="id" value="{{.ID}}"><input type="hidden" name="token" value="{{.Token}}">
<label for="latchkey-send-note">{{.NoteLabel}}</label>
<textarea id="latchkey-send-note" name="note" rows="3" maxlength="{{.Most}}" autocomplete="off">
{{.Note}}</textarea>
{{range .Fields}}<label for="latchkey-send-field-{{.Key}}">{{.Label}}</label>
<input id="latchkey-send-field-{{.Key}}" name="field-{{.Key}}" maxlength="{{.Most}}" value="{{.Value}}" autocomplete="off">
{{end}}<p class="personal">{{.Personal}}</p>
{{with .Told}}<h2>{{$.ToldTitle}}</h2>
<div class="told" id="latchkey-send-told" tabindex="0" role="group" aria-label="{{$.ToldTitle}}">{{range .}}<h3>{{.Title}}</h3><p class="lines">{{range $i, $l := .Lines}}{{if $i}}
{{end}}{{$l}}{{end}}</p>{{end}}</div>{{end}}
<details id="latchkey-send-json"{{if eq .Said "failed"}} open{{end}}><summary>{{.JSONTitle}}</summary><textarea id="latchkey-send-bytes" name="report" rows="8" readonly aria-label="{{.JSONTitle}}">{{.JSON}}</textarea></details>
<p class="actions"><button class="primary" id="latchkey-send-send">{{.Send}}</button></p>
</form>{{end}}
</main>
</body>
</html>
`))

// reportField is a question with what was answered.
type reportField struct {
	report.Ask
	Value string
}

func (s *server) reportPage(w http.ResponseWriter, r *http.Request, status int, sub submission, said, label string) {
	words := s.words(r)
	say := func(key string) string { return words.Text(nil, "ui."+key) }
	title := say("send")
	if sub.link != nil && sub.link.From != "" {
		title = words.Text(diag.Args{"from": sub.link.From}, "ui.send.case")
	}
	const place = "{code}"
	m := widget.Model{Site: widget.Site{Name: s.cfg.Site.Name}}
	data := struct {
		Lang, Dir                        string
		Title, Style, Said, Look, Code   string
		Status                           []string
		Arrived                          bool
		Login, Back, Phone, DownloadText string
		Download                         template.URL
		To, ID, Token                    string
		NoteLabel, Note, Personal        string
		Most                             int
		Fields                           []reportField
		ToldTitle                        string
		Told                             []widget.Part
		JSONTitle, JSON, Send            string
	}{
		Lang: words.Lang(), Dir: words.Dir(),
		Title: title, Style: s.asset("latchkey.css"), Said: said, Look: "persists", Arrived: said == "arrived",
		Code:   sub.code(),
		Status: strings.Split(words.Text(diag.Args{"code": place, "label": label}, "ui.send."+said), place),
		Login:  s.cfg.Site.Login, Back: say("back"), DownloadText: say("send.download"),
		To: s.base + "/reports?lang=" + words.Lang(), ID: sub.id, Token: sub.token,
		NoteLabel: say("send.note"), Note: sub.personal.Note, Personal: say("send.personal"), Most: report.NoteLimit,
		ToldTitle: say("send.told"), Told: m.Told(sub.body, words), JSONTitle: say("send.json"), JSON: string(sub.body), Send: say("send.send"),
	}
	switch said {
	case "arrived":
		data.Look = "fixed"
	case "review", "unfit":
		data.Look = "compared"
	default:
		data.Send, data.Phone = say("send.again"), s.cfg.Support.Phone
		if sub.body != nil {
			data.Download = template.URL("data:application/json;base64," + base64.StdEncoding.EncodeToString(sub.body))
		}
	}
	for _, a := range sub.asks {
		f := reportField{Ask: a}
		for _, answer := range sub.personal.Fields {
			if answer.Key == a.Key {
				f.Value = answer.Value
			}
		}
		data.Fields = append(data.Fields, f)
	}
	tellNobody(w.Header())
	s.plainPage(w, status, reportTemplate, data)
}
