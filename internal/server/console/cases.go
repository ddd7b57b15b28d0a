package console

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/server/qr"
	"latchkey/internal/store"
	"latchkey/internal/text"
)

// pageRows is how many rows a list shows at once.
const pageRows = 50

// list is a page of a list, with the filters that it is of.
type list[T any] struct {
	Rows []T
	// Query holds the filters as they stand in the address.
	Query url.Values
	// Older is the address of the next page, "" if this is the last.
	Older string
	// Findings and Outcomes are what filters choose from.
	Findings []string
	Outcomes []evidence.Outcome
}

// Filtered is whether a filter beside the search is set.
func (l list[T]) Filtered() bool {
	for name := range l.Query {
		if name != "text" && name != "before" && name != "case" && l.Query.Get(name) != "" {
			return true
		}
	}
	return false
}

// paged cuts off the row that was asked for only to see whether there is one.
func paged[T any](r *http.Request, rows []T, id func(T) string) list[T] {
	l := list[T]{Rows: rows, Query: r.URL.Query(), Outcomes: evidence.Outcomes}
	if len(rows) > pageRows {
		l.Rows = rows[:pageRows]
		next := r.URL.Query()
		next.Set("before", id(l.Rows[pageRows-1]))
		l.Older = "?" + next.Encode()
	}
	return l
}

// page is what the address says of which page it is.
func page(q url.Values) store.Page { return store.Page{Limit: pageRows + 1, Before: q.Get("before")} }

// day is a date of a filter, in UTC; zero if there is none.
func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// until is the end of a day of a filter.
func until(s string) time.Time {
	t := day(s)
	if t.IsZero() {
		return t
	}
	return t.AddDate(0, 0, 1)
}

// cases lists them by what is asked for.
func (c *Console) cases(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	rows, err := c.o.Store.Cases.List(r.Context(), store.CaseQuery{
		Text: q.Get("text"), By: q.Get("by"), Open: q.Has("open"), From: day(q.Get("from")), To: until(q.Get("to")), Page: page(q),
	})
	if err != nil {
		c.failed(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "cases", paged(r, rows, func(k store.Case) string { return k.ID }))
}

// lasting are for how many hours a link can be good, the usual one first.
var lasting = []int{24, 1, 8, 72, 168}

// extraAsks is how many fields of their own agents can ask for.
const extraAsks = 4

// caseForm is the form for a new link, with what was filled in.
type caseForm struct {
	ID                    string // of the case that it will be, so that sending it twice makes one
	Note, Reference, Lang string
	Outcome               evidence.Outcome
	Hours                 int
	Asks                  []tick
	Extra                 string
	Wrong                 []wrong
	Outcomes              []evidence.Outcome
	Lasting               []int
}

// wrong is what is wrong with the form, in one of the ways that templates/new.html
// knows, with a number that it names.
type wrong struct {
	What string
	N    int
}

type tick struct {
	report.Ask
	On bool
}

func (c *Console) blankForm() caseForm {
	f := caseForm{ID: store.NewID(), Hours: lasting[0], Outcomes: evidence.Outcomes, Lasting: lasting}
	for _, a := range c.o.Asks {
		f.Asks = append(f.Asks, tick{a, true})
	}
	return f
}

// newCase is the form, filled in as another case's was if the address names one.
func (c *Console) newCase(w http.ResponseWriter, r *http.Request) {
	f := c.blankForm()
	f.Reference = r.URL.Query().Get("reference")
	if from := r.URL.Query().Get("like"); from != "" {
		if err := c.audit(r, "case.view", from); err != nil {
			c.failed(w, r, err)
			return
		}
		k, err := c.o.Store.Cases.Get(r.Context(), from)
		if err != nil {
			c.failed(w, r, err)
			return
		}
		f.Note, f.Reference, f.Lang, f.Outcome = k.Note, k.Reference, k.Lang, evidence.Outcome(k.Outcome)
		for i, a := range f.Asks {
			f.Asks[i].On = slices.ContainsFunc(k.Asks, func(b report.Ask) bool { return b.Key == a.Key })
		}
		for _, a := range k.Asks {
			if !slices.ContainsFunc(c.o.Asks, func(b report.Ask) bool { return b.Key == a.Key }) {
				f.Extra += a.Label + "\n"
			}
		}
	}
	c.render(w, r, http.StatusOK, "new", f)
}

// The most characters of what an agent writes.
const (
	noteMost      = 2000
	referenceMost = 100
)

// filled reads the form, and what is wrong with it.
func (c *Console) filled(r *http.Request) (caseForm, store.Case) {
	f := c.blankForm()
	f.ID = r.PostFormValue("id")
	f.Note, f.Reference = strings.TrimSpace(r.PostFormValue("note")), strings.TrimSpace(r.PostFormValue("reference"))
	f.Lang, f.Outcome, f.Extra = r.PostFormValue("lang"), evidence.Outcome(r.PostFormValue("outcome")), r.PostFormValue("extra")
	f.Hours, _ = strconv.Atoi(r.PostFormValue("hours"))
	say := func(what string, n int) { f.Wrong = append(f.Wrong, wrong{what, n}) }

	k := store.Case{
		ID: f.ID, Made: c.o.Now(), By: visitor(r.Context()).Name, From: c.o.Site + " support",
		Note: f.Note, Reference: f.Reference, Lang: f.Lang, Outcome: string(f.Outcome), Expires: c.o.Now().Add(time.Duration(f.Hours) * time.Hour),
	}
	for i, a := range f.Asks {
		if f.Asks[i].On = slices.Contains(r.PostForm["ask"], a.Key); f.Asks[i].On {
			k.Asks = append(k.Asks, a.Ask)
		}
	}
	n := 0
	for line := range strings.Lines(f.Extra) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		n++
		a := report.Ask{Key: "extra-" + strconv.Itoa(n), Label: line}
		if err := a.Check(); err != nil {
			say("line", n)
		}
		k.Asks = append(k.Asks, a)
	}
	if n > extraAsks {
		say("extra", extraAsks)
	}
	if len(k.Asks) > report.MaxAsks {
		say("asks", report.MaxAsks)
	}
	if utf8.RuneCountInString(f.Note) > noteMost {
		say("note", noteMost)
	}
	if utf8.RuneCountInString(f.Reference) > referenceMost {
		say("reference", referenceMost)
	}
	if f.Outcome != "" && !evidence.ValidOutcome(string(f.Outcome)) {
		say("outcome", 0)
	}
	if f.Lang != "" && !slices.ContainsFunc(c.o.Languages, func(l text.Language) bool { return l.Tag == f.Lang }) {
		say("lang", 0)
	}
	if !slices.Contains(lasting, f.Hours) {
		say("hours", 0)
	}
	if !isID(f.ID) {
		say("form", 0)
		f.ID = store.NewID()
	}
	return f, k
}

// isID is whether s looks like an id that store.NewID made.
func isID(s string) bool {
	return len(s) == 26 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// addCase makes a link. Its answer is the only page that ever shows it.
func (c *Console) addCase(w http.ResponseWriter, r *http.Request) {
	f, k := c.filled(r)
	if len(f.Wrong) > 0 {
		c.render(w, r, http.StatusUnprocessableEntity, "new", f)
		return
	}
	if err := c.audit(r, "case.make", k.ID); err != nil {
		c.failed(w, r, err)
		return
	}
	token, hash := store.NewToken()
	l, err := c.link(r, k, token)
	if err == nil {
		err = c.o.Store.Cases.Add(r.Context(), k, hash)
	}
	if errors.Is(err, store.ErrConflict) {
		http.Redirect(w, r, c.at+"cases/"+k.ID, http.StatusSeeOther) // the form came twice
		return
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "case", casePage{Case: k, Version: c.version(k), Link: l})
}

// link is a diagnostic link, ready to be sent.
type link struct {
	URL, Site, From      string
	Until                time.Time
	Subject, Text, Short string // of a mail, and a text message
	Mail, SMS            template.URL
	Size, Side           int // of the QR code with its border, in modules and in pixels
	Path                 string
}

func (c *Console) link(r *http.Request, k store.Case, token string) (*link, error) {
	l := &link{URL: c.o.Address(r, c.o.Base+"/d/"+token), Site: c.o.Site, From: k.From, Until: k.Expires.UTC()}
	for name, to := range map[string]*string{"subject": &l.Subject, "mail": &l.Text, "sms": &l.Short} {
		var b strings.Builder
		if err := messages.ExecuteTemplate(&b, name, l); err != nil {
			return nil, err
		}
		*to = strings.TrimSpace(b.String())
	}
	l.Mail = template.URL("mailto:?subject=" + url.PathEscape(l.Subject) + "&body=" + url.PathEscape(strings.ReplaceAll(l.Text, "\n", "\r\n")))
	// What begins the text differs between systems; both take this.
	l.SMS = template.URL("sms:?&body=" + url.PathEscape(l.Short))
	l.Size, l.Path = qr.Path(l.URL)
	l.Size += 8 // four modules around it, which readers want
	l.Side = 6 * l.Size
	return l, nil
}

// casePage is the page of a case.
type casePage struct {
	store.Case
	Link    *link // only right after it was made
	Version string
	Arrived []read
	More    int // reports that are not shown here
}

// arrivals is how many reports the page of a case shows.
const arrivals = 10

// readCase reads the case with its newest reports.
func (c *Console) readCase(r *http.Request) (casePage, error) {
	k, err := c.o.Store.Cases.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return casePage{}, err
	}
	p := casePage{Case: k, Version: c.version(k)}
	rows, err := c.o.Store.Reports.List(r.Context(), store.ReportQuery{Case: k.ID, Page: store.Page{Limit: arrivals}})
	if err != nil {
		return casePage{}, err
	}
	for _, row := range rows {
		full, err := c.o.Store.Reports.Get(r.Context(), row.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return casePage{}, err
		}
		p.Arrived = append(p.Arrived, c.read(full))
	}
	p.More = max(0, k.Reports-len(p.Arrived))
	return p, nil
}

// viewCase reads the case after the audit log says so.
func (c *Console) viewCase(w http.ResponseWriter, r *http.Request) (casePage, bool) {
	if err := c.audit(r, "case.view", r.PathValue("id")); err != nil {
		c.failed(w, r, err)
		return casePage{}, false
	}
	p, err := c.readCase(r)
	if err != nil {
		c.failed(w, r, err)
		return casePage{}, false
	}
	return p, true
}

func (c *Console) showCase(w http.ResponseWriter, r *http.Request) {
	if p, ok := c.viewCase(w, r); ok {
		c.render(w, r, http.StatusOK, "case", p)
	}
}

// nowCase is the live part of the case's page, or nothing if the page has it.
func (c *Console) nowCase(w http.ResponseWriter, r *http.Request) {
	k, err := c.o.Store.Cases.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		c.failed(w, r, err)
		return
	}
	if c.version(k) == r.URL.Query().Get("have") {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if p, ok := c.viewCase(w, r); ok {
		c.execute(w, r, http.StatusOK, "case", "arrived", p)
	}
}

// closeCase ends the link: no more reports come by it.
func (c *Console) closeCase(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	c.do(w, r, "case.close", id, func() error { return c.o.Store.Cases.Close(r.Context(), id) }, "cases/"+id)
}

func (c *Console) deleteCase(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	c.do(w, r, "case.delete", id, func() error { return c.o.Store.Cases.Delete(r.Context(), id) }, "cases")
}

// do writes down what is about to be done, does it, and goes on to a page.
func (c *Console) do(w http.ResponseWriter, r *http.Request, did, what string, deed func() error, next string) {
	err := c.audit(r, did, what)
	if err == nil {
		err = deed()
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	http.Redirect(w, r, c.at+next, http.StatusSeeOther)
}
