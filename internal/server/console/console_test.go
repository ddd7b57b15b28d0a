package console

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"latchkey/internal/report"
	"latchkey/internal/store"
	"latchkey/internal/testkit"
)

// desk is a console with a store and an agent who is signed in.
type desk struct {
	t       *testing.T
	c       *Console
	store   *store.Store
	handler http.Handler
	cookie  *http.Cookie
	csrf    string
	later   atomic.Int64 // by how many nanoseconds it is later
}

func (d *desk) now() time.Time { return time.Now().Add(time.Duration(d.later.Load())) }

func newDesk(t *testing.T, changes ...func(*Options)) *desk {
	t.Helper()
	d := &desk{t: t}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "latchkey.db"), store.Options{Log: log, Now: d.now})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	d.store = s
	o := Options{
		Base: "/latchkey", Site: "Example Clinic", Store: s, Log: log, Now: d.now,
		Asset:   func(name string) string { return "/latchkey/static/" + name },
		Address: func(_ *http.Request, path string) string { return "https://help.example" + path },
		Asks:    []report.Ask{{Key: "practice", Label: "Name of your practice"}},
		Client:  func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.7") },
		HTTPS:   func(*http.Request) bool { return false },
	}
	for _, change := range changes {
		change(&o)
	}
	d.c, err = New(o)
	require.NoError(t, err)
	mux := http.NewServeMux()
	d.c.Routes(mux.Handle)
	d.handler = mux
	d.signIn("maria.santos")
	return d
}

// signIn makes an agent and a session of hers.
func (d *desk) signIn(name string) {
	d.t.Helper()
	ctx := context.Background()
	require.NoError(d.t, d.store.Users.Add(ctx, store.User{Name: name, Role: store.Agent, Made: d.now()}))
	token, hash := store.NewToken()
	d.csrf = "the-csrf"
	require.NoError(d.t, d.store.Sessions.Add(ctx, store.Session{
		Hash: hash, User: name, CSRF: d.csrf, Made: d.now(), Seen: d.now(), Expires: d.now().Add(8 * time.Hour),
	}))
	d.cookie = &http.Cookie{Name: plainCookie, Value: token}
}

// ask sends a request of the agent's.
func (d *desk) ask(r *http.Request) *httptest.ResponseRecorder {
	if d.cookie != nil {
		r.AddCookie(d.cookie)
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w
}

func (d *desk) get(path string) *httptest.ResponseRecorder {
	return d.ask(httptest.NewRequest("GET", "http://127.0.0.1/latchkey/support/"+path, nil))
}

// page is a page that is there.
func (d *desk) page(path string) *html.Node {
	d.t.Helper()
	w := d.get(path)
	require.Equal(d.t, http.StatusOK, w.Code, "%s: %s", path, w.Body)
	return parsed(d.t, w.Body)
}

// post sends a form with name, value, name, value and the CSRF field.
func (d *desk) post(path string, fields ...string) *httptest.ResponseRecorder {
	form := url.Values{"csrf": {d.csrf}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r := httptest.NewRequest("POST", "http://127.0.0.1/latchkey/support/"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return d.ask(r)
}

// audited are the entries of the audit log about something, the newest first.
func (d *desk) audited(what string) (did []string) {
	d.t.Helper()
	entries, err := d.store.Audit.List(context.Background(), store.Page{Limit: 200})
	require.NoError(d.t, err)
	for _, e := range entries {
		if e.What == what {
			did = append(did, e.Did)
			assert.Equal(d.t, "maria.santos", e.Who)
			assert.Equal(d.t, "192.0.2.7", e.From)
		}
	}
	return did
}

// arrive puts a report into the store, as it is sent.
func (d *desk) arrive(s report.Sent, of string) store.Report {
	d.t.Helper()
	row := testkit.Row(d.t, s, of, d.now())
	require.NoError(d.t, d.store.Reports.Add(context.Background(), row))
	return row
}

// opened puts a case into the store.
func (d *desk) opened(reference string) store.Case {
	d.t.Helper()
	k := store.Case{ID: store.NewID(), Made: d.now(), By: "maria.santos", Reference: reference, Expires: d.now().Add(time.Hour)}
	_, hash := store.NewToken()
	require.NoError(d.t, d.store.Cases.Add(context.Background(), k, hash))
	return k
}

func parsed(t *testing.T, body io.Reader) *html.Node {
	t.Helper()
	doc, err := html.Parse(body)
	require.NoError(t, err)
	return doc
}

// readable is all that a person reads of a page, blanks made one.
func readable(n *html.Node) string { return strings.Join(strings.Fields(textOf(n)), " ") }

func textOf(n *html.Node) string {
	switch {
	case n.Type == html.TextNode:
		return n.Data
	case n.Data == "script", n.Data == "style":
		return ""
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c) + " ")
	}
	return b.String()
}

// all are the elements of a name.
func all(n *html.Node, name string) (found []*html.Node) {
	if n.Type == html.ElementNode && n.Data == name {
		found = append(found, n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		found = append(found, all(c, name)...)
	}
	return found
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
