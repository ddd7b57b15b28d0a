package console

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"latchkey/app/widget"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/store"
)

// reports lists them by what is asked for.
func (c *Console) reports(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	rows, err := c.o.Store.Reports.List(r.Context(), store.ReportQuery{
		Text: q.Get("text"), Case: q.Get("case"), Outcome: q.Get("outcome"), Finding: q.Get("finding"), Browser: q.Get("browser"),
		System: q.Get("system"), Tier: q.Get("tier"), From: day(q.Get("from")), To: until(q.Get("to")), Page: page(q),
	})
	if err != nil {
		c.failed(w, r, err)
		return
	}
	l := paged(r, rows, func(row store.Report) string { return row.ID })
	for _, k := range c.set.Checks {
		l.Findings = append(l.Findings, k.ID)
	}
	slices.SortFunc(l.Findings, func(a, b string) int { return cmp.Compare(c.check(a), c.check(b)) })
	c.render(w, r, http.StatusOK, "reports", l)
}

// view reads a report after the audit log says so.
func (c *Console) view(r *http.Request, id string) (read, error) {
	if err := c.audit(r, "report.view", id); err != nil {
		return read{}, err
	}
	row, err := c.o.Store.Reports.Get(r.Context(), id)
	if err != nil {
		return read{}, err
	}
	return c.read(row), nil
}

// reportPage is the page of a report.
type reportPage struct {
	read
	Parts  []widget.Part
	JSON   string
	Judged []judged
	// Changed is whether the server's judgement is another one than the person read.
	Changed  bool
	Timeline []moment
	Others   []store.Report // of the same case
	Kase     store.Case     // zero if it came without a link
}

// judged is a finding as the person read it, and as it stands today; either may be
// missing.
type judged struct {
	ID          string
	Then, Today diag.Sureness
}

// Differs is whether it was told otherwise than it would be today.
func (j judged) Differs() bool { return j.Then != j.Today }

// moment is a line of the timeline.
type moment struct {
	What  string    // made, began, tried, sent or arrived
	At    time.Time // zero if nobody knows
	Local string    // by the person's clock
	Name  string    // of who made the link, or of what was tried
	// Gone are the checks whose findings a step took away, and Fixed is whether
	// nothing was left.
	Gone  []string
	Fixed bool
	// Off is whether the report's own time of sending is far from ours.
	Off bool
}

func (c *Console) showReport(w http.ResponseWriter, r *http.Request) {
	rep, err := c.view(r, r.PathValue("id"))
	p := reportPage{read: rep}
	if err == nil && rep.Case != "" {
		p.Kase, err = c.o.Store.Cases.Get(r.Context(), rep.Case)
	}
	if err == nil && rep.Case != "" {
		p.Others, err = c.o.Store.Reports.List(r.Context(), store.ReportQuery{Case: rep.Case})
		p.Others = slices.DeleteFunc(p.Others, func(o store.Report) bool { return o.ID == rep.ID })
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	if rep.Wrong == "" {
		p.Parts = c.parts(rep)
		p.JSON = plain(indented(rep.Sent))
		p.Judged = judgements(rep)
		p.Changed = slices.ContainsFunc(p.Judged, judged.Differs)
		p.Timeline = c.timeline(p)
	}
	c.render(w, r, http.StatusOK, "report", p)
}

// judgements lists what the person read in its order, and then what is new today.
func judgements(rep read) (all []judged) {
	for _, s := range rep.Sent.Shown {
		all = append(all, judged{ID: s.Check, Then: s.Sureness})
	}
	for _, f := range rep.Today.Findings {
		i := slices.IndexFunc(all, func(j judged) bool { return j.ID == f.Check })
		if i < 0 {
			all = append(all, judged{ID: f.Check, Today: f.Sureness})
		} else {
			all[i].Today = f.Sureness
		}
	}
	return all
}

// timeline is what happened, in order.
func (c *Console) timeline(p reportPage) (all []moment) {
	add := func(at time.Time, m moment) {
		m.At = at
		if !at.IsZero() {
			m.Local = zoned(at, p.Sent.At.Zone)
		}
		all = append(all, m)
	}
	milli := func(m evidence.Moment) time.Time { return time.UnixMilli(int64(m.UTC)) }
	if p.Kase.ID != "" {
		add(p.Kase.Made, moment{What: "made", Name: p.Kase.By})
	}
	if at := p.Today.Seen.Run.At; at.State == evidence.OK && at.Value.UTC > 0 && at.Value.UTC < 1e13 {
		add(milli(at.Value), moment{What: "began"})
	}
	voice := c.voice(p.Today)
	for i, id := range p.Sent.Tried {
		m := moment{What: "tried", Name: voice.Say("fix."+id+".title", argsFor(p.Today, id))}
		if i == len(p.Sent.Tried)-1 {
			m.Gone, m.Fixed = p.Sent.Gone, p.Today.Fixed()
		}
		add(time.Time{}, m)
	}
	sent := milli(p.Sent.At)
	add(sent, moment{What: "sent"})
	add(p.At, moment{What: "arrived", Off: p.At.Sub(sent).Abs() > 3*time.Minute})
	return all
}

func indented(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the template does
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return b.String()
}

// parts says all that was sent, in the words that the person read before it went, but
// not what they wrote: that stands by itself.
func (c *Console) parts(rep read) []widget.Part {
	sent := rep.Sent
	sent.Personal = report.Personal{}
	body, err := sent.Encode()
	if err != nil {
		return nil // it was read from its own encoding, which holds more
	}
	parts := widget.Model{Report: rep.Today}.Told(body, c.words)
	for _, p := range parts {
		for i := range p.Lines {
			p.Lines[i] = plain(p.Lines[i])
		}
	}
	return parts
}

// two is the page of two reports beside each other.
type two struct {
	A, B       read
	Parts      []pairedPart
	Stayed     []string // findings of the first that are in the second, too
	Gone, Came []string
	Untested   []string // of the first, that the second could not test
	Same       int      // lines of the evidence that do not differ
}

type pairedPart struct {
	Title string
	A, B  []string
}

// twoReports shows two reports beside each other, and what became of the findings of
// the older one in the newer.
func (c *Console) twoReports(w http.ResponseWriter, r *http.Request) {
	ids := r.URL.Query()["id"]
	if len(ids) != 2 || ids[0] == ids[1] {
		c.render(w, r, http.StatusUnprocessableEntity, "notice", "two")
		return
	}
	var both [2]read
	for i, id := range ids {
		var err error
		if both[i], err = c.view(r, id); err != nil {
			c.failed(w, r, err)
			return
		}
		if both[i].Wrong != "" {
			c.render(w, r, http.StatusUnprocessableEntity, "notice", "unreadable")
			return
		}
	}
	if both[1].At.Before(both[0].At) {
		both[0], both[1] = both[1], both[0]
	}
	c.render(w, r, http.StatusOK, "two", c.beside(both[0], both[1]))
}

func (c *Console) beside(a, b read) two {
	t := two{A: a, B: b}
	compared := diag.Compare(a.Today.Diagnosis, b.Today.Diagnosis, "")
	t.Stayed, t.Gone, t.Came = compared.Stayed, compared.Gone, compared.Came
	for _, f := range a.Today.Findings {
		if !slices.Contains(t.Stayed, f.Check) && !slices.Contains(t.Gone, f.Check) {
			t.Untested = append(t.Untested, f.Check)
		}
	}

	parts := [2][]widget.Part{c.parts(a), c.parts(b)}
	var titles []string
	for _, ps := range parts {
		for _, p := range ps {
			if !slices.Contains(titles, p.Title) {
				titles = append(titles, p.Title)
			}
		}
	}
	for _, title := range titles {
		var lines [2][]string
		for i, ps := range parts {
			if at := slices.IndexFunc(ps, func(p widget.Part) bool { return p.Title == title }); at >= 0 {
				lines[i] = ps[at].Lines
			}
		}
		p := pairedPart{Title: title}
		for i, to := range []*[]string{&p.A, &p.B} {
			for _, l := range lines[i] {
				if slices.Contains(lines[1-i], l) {
					t.Same += i
					continue
				}
				*to = append(*to, l)
			}
		}
		if len(p.A)+len(p.B) > 0 {
			t.Parts = append(t.Parts, p)
		}
	}
	return t
}

// testCase is the report as a case of internal/diag/testdata/casebook, without what
// the person wrote and without the site's reference.
func (c *Console) testCase(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if err := c.audit(r, "report.test-case", id); err != nil {
		c.failed(w, r, err)
		return
	}
	row, err := c.o.Store.Reports.Get(r.Context(), id)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	rep := c.read(row)
	if rep.Wrong != "" || len(rep.Today.Findings) == 0 {
		c.render(w, r, http.StatusUnprocessableEntity, "notice", "no-case")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", caseFile(row.ID)))
	_, _ = w.Write([]byte(indented(rep.asCase()))) // fails only when the browser is gone
}

// caseFile is the name of a test case's file.
func caseFile(id string) string { return "report-" + short(id) + ".json" }

// kase is a case as the casebook's test reads it.
type kase struct {
	Case  int               `json:"case"`
	Saw   string            `json:"saw"`
	On    string            `json:"on"`
	See   evidence.Evidence `json:"see"`
	First string            `json:"first"`
	Fixes []string          `json:"fixes"`
}

// asCase says what stands first today, and what to do about it: what the person did
// last, if it helped.
func (r read) asCase() kase {
	k := kase{
		Saw:   fmt.Sprintf("%s: %s", r.Today.Outcome, browser(r.Today.Seen)),
		See:   r.Today.Seen,
		First: r.Today.Findings[0].Check,
		Fixes: []string{},
	}
	k.See.Host.Reference.Blank()
	if len(r.Today.Advice) > 0 {
		k.Fixes = append(k.Fixes, r.Today.Advice[0].Fix)
	}
	return k
}

func (c *Console) deleteReport(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	c.do(w, r, "report.delete", id, func() error { return c.o.Store.Reports.Delete(r.Context(), id) }, "reports")
}
