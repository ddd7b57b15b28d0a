package console

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

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
	Parts  []part
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
	At     time.Time // zero if nobody knows
	Local  string    // by the person's clock
	What   string
	Detail string
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
	zone := p.Sent.At.Zone
	add := func(at time.Time, what, detail string) {
		m := moment{At: at, What: what, Detail: detail}
		if !at.IsZero() {
			m.Local = zoned(at, zone)
		}
		all = append(all, m)
	}
	milli := func(m evidence.Moment) time.Time { return time.UnixMilli(int64(m.UTC)) }
	if p.Kase.ID != "" {
		add(p.Kase.Made, "Link made", "by "+plain(p.Kase.By))
	}
	if at := p.Today.Seen.Run.At; at.State == evidence.OK && at.Value.UTC > 0 && at.Value.UTC < 1e13 {
		add(milli(at.Value), "The check that was sent began", "")
	}
	voice := c.voice(p.Today)
	for i, id := range p.Sent.Tried {
		result := "It did not get them in."
		if last := i == len(p.Sent.Tried)-1; last && p.Today.Fixed() {
			result = "After that it was gone: " + c.names(p.Sent.Gone) + "."
		} else if last && len(p.Sent.Gone) > 0 {
			result = "Gone by then: " + c.names(p.Sent.Gone) + ". Still there: what is found above."
		}
		add(time.Time{}, "Tried: "+voice.Say("fix."+id+".title", argsFor(p.Today, id)), result)
	}
	add(milli(p.Sent.At), "Sent by the person", "")
	detail := ""
	if off := p.At.Sub(milli(p.Sent.At)); math.Abs(off.Minutes()) > 3 {
		detail = "The device’s minute of sending and ours differ: its clock is off, or the report waited for a connection."
	}
	add(p.At, "Arrived here", detail)
	return all
}

// names are those of checks, in a sentence.
func (c *Console) names(ids []string) string {
	var out []string
	for _, id := range ids {
		out = append(out, c.check(id))
	}
	return strings.Join(out, ", ")
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

// part is a part of what was sent, in words.
type part struct {
	Title string
	Lines []line
}

type line struct {
	Text    string
	Differs bool // from the other report, if there are two
}

// parts says all that was seen, but not what the person wrote: that stands by itself.
func (c *Console) parts(rep read) (all []part) {
	lines, err := report.Lines(rep.Body)
	if err != nil {
		return nil
	}
	for _, l := range lines {
		if l.Personal {
			continue
		}
		title, name := "About this report", l.ID
		if rest, ok := strings.CutPrefix(l.ID, "seen."); ok {
			title, name, _ = strings.Cut(rest, ".")
		}
		if len(all) == 0 || all[len(all)-1].Title != title {
			all = append(all, part{Title: title})
		}
		to := &all[len(all)-1]
		to.Lines = append(to.Lines, line{Text: plain(name + ": " + l.Value)})
	}
	return all
}

// two is the page of two reports beside each other.
type two struct {
	A, B           read
	Rows           []pair
	Parts          []pairedPart
	Stayed         []string // findings of the first that are in the second, too
	Gone, Came     []string
	Untested       []string // of the first, that the second could not test
	Same           int      // lines of the evidence that do not differ
	SameEverything bool
}

type pair struct {
	Name, A, B string
}

// Differs is whether the two say different things.
func (p pair) Differs() bool { return p.A != p.B }

type pairedPart struct {
	Title string
	A, B  []line
}

// twoReports shows two reports beside each other, and what became of the findings of
// the older one in the newer.
func (c *Console) twoReports(w http.ResponseWriter, r *http.Request) {
	ids := r.URL.Query()["id"]
	if len(ids) != 2 || ids[0] == ids[1] {
		c.render(w, r, http.StatusUnprocessableEntity, "notice", notice{"Choose two reports", []string{
			"To see two reports side by side, tick exactly two of them in a list of reports.",
		}})
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
			c.render(w, r, http.StatusUnprocessableEntity, "notice", notice{"One of the two cannot be read", []string{both[i].Wrong}})
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
	row := func(name string, value func(read) string) { t.Rows = append(t.Rows, pair{name, value(a), value(b)}) }
	row("Sign-in said", func(r read) string { return outcome(string(r.Today.Outcome)) })
	row("Browser", func(r read) string { return browser(r.Today.Seen) })
	row("How much could run", func(r read) string {
		return strings.TrimSpace(plain(string(r.Today.Tier)) + " " + plain(string(r.Today.TierReason)))
	})
	row("Say next", func(r read) string { return strings.Join(r.Say, " ") })

	compared := diag.Compare(a.Today.Diagnosis, b.Today.Diagnosis, "")
	t.Stayed, t.Gone, t.Came = compared.Stayed, compared.Gone, compared.Came
	for _, f := range a.Today.Findings {
		if !slices.Contains(t.Stayed, f.Check) && !slices.Contains(t.Gone, f.Check) {
			t.Untested = append(t.Untested, f.Check)
		}
	}

	parts := [2][]part{c.parts(a), c.parts(b)}
	var titles []string
	for _, ps := range parts {
		for _, p := range ps {
			if !slices.Contains(titles, p.Title) {
				titles = append(titles, p.Title)
			}
		}
	}
	for _, title := range titles {
		var lines [2][]line
		for i, ps := range parts {
			if at := slices.IndexFunc(ps, func(p part) bool { return p.Title == title }); at >= 0 {
				lines[i] = ps[at].Lines
			}
		}
		p := pairedPart{Title: title}
		for i, to := range []*[]line{&p.A, &p.B} {
			for _, l := range lines[i] {
				if slices.ContainsFunc(lines[1-i], func(o line) bool { return o.Text == l.Text }) {
					t.Same += i
					continue
				}
				*to = append(*to, line{l.Text, true})
			}
		}
		if len(p.A)+len(p.B) > 0 {
			t.Parts = append(t.Parts, p)
		}
	}
	t.SameEverything = len(t.Parts) == 0
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
		c.render(w, r, http.StatusUnprocessableEntity, "notice", notice{"This report makes no test case", []string{
			"Nothing is found in it, or it cannot be read. A test case says which cause stands first.",
		}})
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
