package console

import (
	"errors"
	"net/http"
	"strings"

	"latchkey/internal/store"
)

// found is what there is for a search, or the newest if nothing was searched for.
type found struct {
	Text    string
	Cases   []store.Case
	Reports []store.Report
	// Code is set if the text is one.
	Code *decoded
}

// fewRows is how many rows of each list stand on the first page.
const fewRows = 10

func (c *Console) home(w http.ResponseWriter, r *http.Request) { c.find(w, r, "home", "", fewRows) }

// search looks for a reference, a case's number or a code.
func (c *Console) search(w http.ResponseWriter, r *http.Request) {
	c.find(w, r, "search", strings.TrimSpace(r.URL.Query().Get("text")), pageRows)
}

func (c *Console) find(w http.ResponseWriter, r *http.Request, name, text string, most int) {
	f := found{Text: text}
	var err error
	f.Cases, err = c.o.Store.Cases.List(r.Context(), store.CaseQuery{Text: text, Page: store.Page{Limit: most}})
	if err == nil {
		f.Reports, err = c.o.Store.Reports.List(r.Context(), store.ReportQuery{Text: text, Page: store.Page{Limit: most}})
	}
	if err == nil && isID(text) {
		var row store.Report
		if row, err = c.o.Store.Reports.Get(r.Context(), text); err == nil {
			f.Reports = append(f.Reports, row)
		} else if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	if d := c.decoded(text); d.Wrong == "" {
		f.Code = &d
	}
	c.render(w, r, http.StatusOK, name, f)
}
