package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/store"
	"latchkey/internal/text"
)

// doTo does something to what the path names, once it is written down.
func (s *server) doTo(r *http.Request, c caller, did string, do func(ctx context.Context, id string) error) error {
	id, err := idIn(r)
	if err != nil {
		return err
	}
	if err := s.audit(r, c, did, id); err != nil {
		return err
	}
	return do(r.Context(), id)
}

// arrived is what lists tell of a report.
type arrived struct {
	ID        string    `json:"id"`
	Link      string    `json:"link,omitempty"`
	At        time.Time `json:"at"`
	Code      string    `json:"code"`
	Outcome   string    `json:"outcome"`
	Top       string    `json:"top"` // as it was judged on arrival
	Findings  []string  `json:"findings"`
	Browser   string    `json:"browser"`
	System    string    `json:"system"`
	Tier      string    `json:"tier"`
	Reference string    `json:"reference"`
	Console   string    `json:"console"`
}

func (s *server) arrived(r *http.Request, a store.Report) arrived {
	return arrived{
		ID: a.ID, Link: a.Case, At: a.At.UTC(), Code: a.Code, Outcome: a.Outcome, Top: a.Top, Findings: append([]string{}, a.Findings...),
		Browser: a.Browser, System: a.System, Tier: a.Tier, Reference: a.Reference, Console: s.readAt(r, a.ID),
	}
}

// readAt is where support reads a report. The request may be nil if the configuration
// has an address.
func (s *server) readAt(r *http.Request, id string) string {
	return s.outside(r, s.base+"/support/reports/"+id)
}

func (s *server) listReports(_ http.ResponseWriter, r *http.Request, _ caller) (any, error) {
	f := filterOf(r)
	q := store.ReportQuery{
		Text: f.text("text"), Case: f.id("link"), Outcome: f.among("outcome", outcomeIDs()...), Finding: f.text("finding"),
		Browser: f.text("browser"), System: f.text("system"),
		Tier: f.among("tier", string(evidence.HTML), string(evidence.JS), string(evidence.Wasm)),
		From: f.time("from"), To: f.time("to"), Page: f.page(),
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	reports, next, err := listed(q.Page, func(p store.Page) ([]store.Report, error) {
		q.Page = p
		return s.store.Reports.List(r.Context(), q)
	}, func(a store.Report) string { return a.ID })
	if err != nil {
		return nil, err
	}
	list := []arrived{}
	for _, a := range reports {
		list = append(list, s.arrived(r, a))
	}
	return struct {
		Reports []arrived `json:"reports"`
		Next    string    `json:"next,omitempty"`
	}{list, next}, nil
}

// worded is a finding in words.
type worded struct {
	Check    string        `json:"check"`
	Name     string        `json:"name"`
	Title    string        `json:"title"`
	Why      string        `json:"why"`
	Impact   diag.Impact   `json:"impact"`
	Sureness diag.Sureness `json:"sureness"`
	Because  []string      `json:"because"`
}

// toDo is a fix in words.
type toDo struct {
	Fix   string   `json:"fix"`
	Title string   `json:"title"`
	Steps []string `json:"steps"`
	Helps []string `json:"helps"`
}

// told is a finding as the person read it.
type told struct {
	Check    string        `json:"check"`
	Name     string        `json:"name"`
	Sureness diag.Sureness `json:"sureness"`
}

// whole is a report with what it says today.
type whole struct {
	arrived
	Sent     evidence.Moment   `json:"sent"`
	Findings []worded          `json:"findings"`
	Advice   []toDo            `json:"advice"`
	Passed   []string          `json:"passed"`
	Gaps     []diag.Gap        `json:"gaps"`
	Told     []told            `json:"told"`
	Tried    []string          `json:"tried"`
	Gone     []string          `json:"gone"`
	Personal report.Personal   `json:"personal"`
	Evidence evidence.Evidence `json:"evidence"`
}

func (s *server) getReport(_ http.ResponseWriter, r *http.Request, c caller) (any, error) {
	var a store.Report
	err := s.doTo(r, c, "report.view", func(ctx context.Context, id string) (err error) {
		a, err = s.store.Reports.Get(ctx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	sent, err := report.DecodeSent(a.Body)
	if err != nil {
		return nil, fmt.Errorf("read a stored report: %w", err)
	}
	today := sent.Report(s.set.Diagnose)
	out := whole{
		arrived: s.arrived(r, a), Sent: sent.At, Findings: []worded{}, Advice: []toDo{}, Passed: append([]string{}, today.Passed...),
		Gaps: append([]diag.Gap{}, today.Gaps...), Told: []told{}, Tried: append([]string{}, sent.Tried...), Gone: append([]string{}, sent.Gone...),
		Personal: sent.Personal, Evidence: today.Seen,
	}
	program, system := today.Shown()
	voice := text.Voice{Words: s.english, Program: program, System: system, Values: today.Values(diag.Args{"site": s.cfg.Site.Name})}
	for _, f := range today.Findings {
		out.Findings = append(out.Findings, wordsOf(voice, f))
	}
	for _, a := range today.Advice {
		out.Advice = append(out.Advice, adviceOf(voice, today, a))
	}
	for _, f := range sent.Shown {
		out.Told = append(out.Told, told{f.Check, s.english.CheckName(f.Check), f.Sureness})
	}
	return out, nil
}

func wordsOf(voice text.Voice, f diag.Finding) worded {
	return worded{
		Check: f.Check, Name: voice.Words.CheckName(f.Check), Title: voice.Say("check."+f.Check+".title", f.Args), Why: voice.Say("check."+f.Check+".why", f.Args),
		Impact: f.Impact, Sureness: f.Sureness, Because: append([]string{}, f.Because...),
	}
}

func adviceOf(voice text.Voice, r report.Report, a diag.Advice) toDo {
	args := r.ArgsFor(a.Fix)
	return toDo{
		Fix: a.Fix, Title: voice.Say("fix."+a.Fix+".title", args), Steps: append([]string{}, voice.Lines("fix."+a.Fix+".steps", args)...),
		Helps: append([]string{}, a.Helps...),
	}
}

func (s *server) deleteReport(_ http.ResponseWriter, r *http.Request, c caller) (any, error) {
	return nil, s.doTo(r, c, "report.delete", s.store.Reports.Delete)
}

// heard is what a code says that a person read aloud.
type heard struct {
	Code     string `json:"code"`
	Text     string `json:"text"`
	Findings []told `json:"findings"`
	report.Spoken
}

func (s *server) readCode(_ http.ResponseWriter, r *http.Request, _ caller) (any, error) {
	code, err := report.ParseCode(r.PathValue("code"))
	if err != nil {
		why := err.Error()
		return nil, refusal{Status: http.StatusBadRequest, Detail: strings.ToUpper(why[:1]) + why[1:] + "."}
	}
	h := heard{Code: code.String(), Spoken: code.Spoken(), Findings: []told{}}
	h.Text = h.Spoken.String()
	for i, id := range h.Spoken.Findings {
		t := told{Check: id, Name: s.english.CheckName(id)}
		if i == 0 {
			t.Sureness = h.Spoken.Sureness
		}
		h.Findings = append(h.Findings, t)
	}
	return h, nil
}

// message is an event that has not arrived yet.
type message struct {
	ID      string    `json:"id"` // also its webhook-id
	Webhook string    `json:"webhook"`
	Made    time.Time `json:"made"`
	Tries   int       `json:"tries"`
	Next    time.Time `json:"next"`
	Error   string    `json:"error"`
}

func (s *server) listMessages(_ http.ResponseWriter, r *http.Request, _ caller) (any, error) {
	f := filterOf(r)
	page := f.page()
	if err := f.err(); err != nil {
		return nil, err
	}
	waiting, next, err := listed(page, func(p store.Page) ([]store.Message, error) {
		return s.store.Outbox.List(r.Context(), p)
	}, func(m store.Message) string { return m.ID })
	if err != nil {
		return nil, err
	}
	list := []message{}
	for _, m := range waiting {
		list = append(list, message{m.ID, m.To, m.Made.UTC(), m.Tries, m.Due.UTC(), m.Error})
	}
	return struct {
		Messages []message `json:"messages"`
		Next     string    `json:"next,omitempty"`
	}{list, next}, nil
}
