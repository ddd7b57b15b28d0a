package console

import (
	"net/http"

	"latchkey/internal/store"
)

// auditRows is how many lines of the audit log are on a page.
const auditRows = 100

// auditPage is what audit.html is given.
type auditPage struct {
	Entries []store.Entry
	Older   string // the last entry's id, if there are more
	Later   bool   // whether this is not the first page
}

func (c *Console) auditLog(w http.ResponseWriter, r *http.Request) {
	before := r.URL.Query().Get("before")
	entries, err := c.o.Store.Audit.List(r.Context(), store.Page{Limit: auditRows, Before: before})
	if err != nil {
		c.failed(w, r, err)
		return
	}
	p := auditPage{Entries: entries, Later: before != ""}
	if len(entries) == auditRows {
		p.Older = entries[auditRows-1].ID
	}
	c.render(w, r, http.StatusOK, "audit", p)
}
