// Package console is what support works with: sign-in, cases, reports and accounts,
// under {base}/support/. Its pages are rendered here from templates, need no
// JavaScript, and treat all that came from a browser as hostile. It judges stored
// evidence with the same checks as the widget, and keeps nothing itself.
package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	texts "text/template"
	"time"

	"latchkey/internal/checks"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/store"
	"latchkey/internal/text"
)

// Options are what New needs. Base, Store, Asset, Client and HTTPS are required.
type Options struct {
	// Base is the path of the whole server, like "/latchkey"; the console lies in
	// Base + "/support/".
	Base  string
	Site  string // the site's name
	Store *store.Store
	// Asset is the address of a static file, by the name that it was packed under.
	Asset func(name string) string
	// Address is the address that a path of this server has for other devices, from
	// a request that came to it.
	Address func(r *http.Request, path string) string
	// Asks are what an agent may choose that a link asks for.
	Asks []report.Ask
	// Languages are those that the person's page can be in. The console itself is in
	// the English of them.
	Languages []text.Language
	// Client is the address that a request came from, and HTTPS whether its browser
	// speaks https: a proxy in front may know.
	Client func(*http.Request) netip.Addr
	HTTPS  func(*http.Request) bool
	// Session and Idle are after how long people have to sign in again: since they
	// did, and since they last did anything. They are DefaultSession and DefaultIdle
	// if 0.
	Session, Idle time.Duration
	// OIDC is who else signs people in, if it has an Issuer.
	OIDC OIDC
	// Stopping, if not nil, is closed when the server stops: pages that are fed
	// live end then.
	Stopping <-chan struct{}
	Log      *slog.Logger
	Now      func() time.Time
}

// Console answers under Base + "/support/".
type Console struct {
	o     Options
	at    string // Base + "/support/"
	pages map[string]*template.Template
	set   diag.Set
	words *text.Catalogue
	live  live

	sameOrigin *http.CrossOriginProtection
	passwords  *passwords
	oidc       *provider // nil without one
}

// New returns an error that names what is wrong with the options.
func New(o Options) (*Console, error) {
	if o.Store == nil {
		return nil, errors.New("the console needs a store")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Console{
		o: o, at: o.Base + "/support/", set: checks.Catalogue(), words: text.English(),
		live: live{watch: o.Store.Watch, stopping: o.Stopping, beat: beat, most: mostStreams},
	}
	if i := slices.IndexFunc(o.Languages, func(l text.Language) bool { return l.Tag == "en" }); i >= 0 {
		c.words = o.Languages[i].Words
	}
	var err error
	c.pages, err = c.parse()
	if err != nil {
		return nil, err
	}
	return c, c.prepareAccounts()
}

// Routes adds what the console answers to a mux. All paths begin with Base +
// "/support/".
func (c *Console) Routes(handle func(pattern string, h http.Handler)) {
	r := router{c, handle}
	c.accounts(r)
	r.page("GET {$}", store.Agent, c.home)
	r.page("GET search", store.Agent, c.search)
	r.page("GET decode", store.Agent, c.decode)
	r.page("GET cases", store.Agent, c.cases)
	r.page("GET cases/new", store.Agent, c.newCase)
	r.page("POST cases", store.Agent, c.addCase)
	r.page("GET cases/{id}", store.Agent, c.showCase)
	r.page("GET cases/{id}/now", store.Agent, c.nowCase)
	r.page("GET cases/{id}/live", store.Agent, c.streamCase)
	r.page("POST cases/{id}/close", store.Agent, c.closeCase)
	r.page("POST cases/{id}/delete", store.Agent, c.deleteCase)
	r.page("GET reports", store.Agent, c.reports)
	r.page("GET reports/two", store.Agent, c.twoReports)
	r.page("GET reports/{id}", store.Agent, c.showReport)
	r.page("GET reports/{id}/test-case", store.Agent, c.testCase)
	r.page("POST reports/{id}/delete", store.Agent, c.deleteReport)
}

// router adds routes below the console's path; a pattern is a method, a blank and
// the rest of the path, as http.ServeMux has it.
type router struct {
	c      *Console
	handle func(pattern string, h http.Handler)
}

// page is for whoever has the role.
func (r router) page(pattern string, role store.Role, h http.HandlerFunc) {
	r.open(pattern, r.c.require(role, h))
}

// open is for everybody. Forms come from pages of this server only.
func (r router) open(pattern string, h http.HandlerFunc) {
	method, rest, _ := strings.Cut(pattern, " ")
	r.handle(method+" "+r.c.at+rest, r.c.sameOrigin.Handler(h))
}

// Visitor is who is signed in.
type Visitor struct {
	Name string
	Role store.Role
	CSRF string // stands in every form, as the field "csrf"
	From string // the address
}

type visitorKey struct{}

// visitor is who asks. Handlers behind require have one.
func visitor(ctx context.Context) Visitor {
	v, _ := ctx.Value(visitorKey{}).(Visitor)
	return v
}

//go:embed templates
var templates embed.FS

// parse reads all pages: each file but the frame and the parts defines "title" and
// "main", and "head" if it has something to add there.
func (c *Console) parse() (map[string]*template.Template, error) {
	frame, err := template.New("layout.html").Funcs(c.functions()).ParseFS(templates, "templates/layout.html", "templates/parts.html", "templates/problem.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "parts" || name == "problem" {
			continue
		}
		t, err := frame.Clone()
		if err == nil {
			t, err = t.ParseFS(templates, file)
		}
		if err != nil {
			return nil, err
		}
		pages[name] = t
	}
	return pages, nil
}

// messages are the texts that a link is sent with.
var messages = texts.Must(texts.ParseFS(templates, "templates/link.txt"))

// functions are what all templates can use.
func (c *Console) functions() template.FuncMap {
	return template.FuncMap{
		"asset": c.o.Asset,
		"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"utc":   func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") },
		// segment is a part of a path, whatever stands in it.
		"segment": url.PathEscape,
		"open":    func(k store.Case) bool { return k.Usable(c.o.Now()) },
		"check":   c.check,
		"plain":   plain,
		"short":   short,
		"file":    caseFile,
		"tiers":   func() []evidence.Tier { return []evidence.Tier{evidence.HTML, evidence.JS, evidence.Wasm} },
		"langs":   func() []text.Language { return c.o.Languages },
		"dict":    dict,
	}
}

// framed is what the frame of all pages is given.
type framed struct {
	Visitor Visitor
	Site    string
	Base    string // of the console, with a slash at the end
	Part    string // the first part of the path below Base
	Data    any
}

// policy is that of all pages. Nothing of a page is from elsewhere, nor in the page
// itself.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// render answers with the page of templates/NAME.html, in the frame of all pages.
func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	c.execute(w, r, status, name, "layout.html", data)
}

// execute answers with one of the templates that make a page.
func (c *Console) execute(w http.ResponseWriter, r *http.Request, status int, name, part string, data any) {
	at, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, c.at), "/")
	var page bytes.Buffer
	if err := c.pages[name].ExecuteTemplate(&page, part, framed{visitor(r.Context()), c.o.Site, c.at, at, data}); err != nil {
		c.o.Log.Error("page of the console not made", "page", name, "error", err)
		http.Error(w, "This page could not be made. The reason stands in the server's log.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // fails only when the browser is gone
}

// failed answers when something could not be read or done, in one of the ways that
// templates/notice.html knows. Nothing was done then.
func (c *Console) failed(w http.ResponseWriter, r *http.Request, err error) {
	why, status := "broken", http.StatusInternalServerError
	switch {
	case errors.Is(err, store.ErrNotFound):
		why, status = "nothing", http.StatusNotFound
	case errors.Is(err, store.ErrFull), errors.Is(err, store.ErrUnavailable):
		why, status = "store", http.StatusServiceUnavailable
	}
	if status >= 500 {
		c.o.Log.Error("console", "route", r.Pattern, "error", err)
	}
	c.render(w, r, status, "notice", why)
}
