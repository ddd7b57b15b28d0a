package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/checks"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/store"
	"latchkey/internal/testkit"
)

// document is openapi.json, for a server whose base is /latchkey.
func document(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	require.NoError(t, err)
	doc.Servers = openapi3.Servers{{URL: "/latchkey/api/v1"}}
	return doc
}

// program uses the API. Whatever it asks and hears is held to openapi.json.
type program struct {
	t      testing.TB
	s      *server
	h      http.Handler
	routes routers.Router
	key    string
	log    *bytes.Buffer
}

// newProgram has a key of a server with a database of its own. Its clock is the
// server's and the database's.
func newProgram(t testing.TB, now func() time.Time, changes ...func(*Config)) *program {
	t.Helper()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "latchkey.db"), store.Options{Now: now, Log: logger})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	cfg := DefaultConfig()
	for _, change := range changes {
		change(&cfg)
	}
	s, err := newServer(Options{Base: "/latchkey", Config: cfg, Assets: packed(t), Log: logger, Now: now, Store: st})
	require.NoError(t, err)
	key, hash := NewKey()
	require.NoError(t, st.Keys.Add(t.Context(), store.Key{Name: "desk", Hash: hash, By: "command line"}))
	routes, err := gorillamux.NewRouter(document(t))
	require.NoError(t, err)
	return &program{t, s, s.handler(), routes, key, &log}
}

func atNoon() time.Time { return noon }

// send sends a request, and holds it and the answer to openapi.json.
func (p *program) send(r *http.Request) *http.Response {
	p.t.Helper()
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	fresh := func() *http.Request {
		copied := r.Clone(p.t.Context())
		copied.Body = io.NopCloser(bytes.NewReader(body))
		return copied
	}
	w := httptest.NewRecorder()
	p.h.ServeHTTP(w, fresh())
	got := w.Result()
	said := w.Body.Bytes()

	route, params, err := p.routes.FindRoute(fresh())
	if err != nil {
		require.Equal(p.t, 404, got.StatusCode, "openapi.json knows no %s %s", r.Method, r.URL.Path)
		return got
	}
	in := &openapi3filter.RequestValidationInput{
		Request: fresh(), PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true,
			AuthenticationFunc: func(_ context.Context, in *openapi3filter.AuthenticationInput) error {
				if !strings.HasPrefix(strings.ToLower(in.RequestValidationInput.Request.Header.Get("Authorization")), "bearer ") {
					return in.NewError(http.ErrNoCookie)
				}
				return nil
			},
		},
	}
	if err := openapi3filter.ValidateRequest(p.t.Context(), in); got.StatusCode < 400 {
		require.NoError(p.t, err, "it took what openapi.json does not: %s %s %s", r.Method, r.URL, body)
	}
	require.NoError(p.t, openapi3filter.ValidateResponse(p.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: got.StatusCode, Header: got.Header, Body: io.NopCloser(bytes.NewReader(said)), Options: in.Options,
	}), "it answered what openapi.json does not: %s %s: %d %s", r.Method, r.URL, got.StatusCode, said)
	return got
}

// ask sends a request with the program's key.
func (p *program) ask(method, path, body string) *http.Response {
	p.t.Helper()
	r := httptest.NewRequest(method, "http://portal.example/latchkey/api/v1"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+p.key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return p.send(r)
}

// does is ask for what has to go well, and reads the answer.
func (p *program) does(method, path, body string, status int, into any) {
	p.t.Helper()
	got := p.ask(method, path, body)
	said, err := io.ReadAll(got.Body)
	require.NoError(p.t, err)
	require.Equal(p.t, status, got.StatusCode, "%s", said)
	if into != nil {
		require.NoError(p.t, json.Unmarshal(said, into), "%s", said)
	}
}

// refused is ask for what has to be refused.
func (p *program) refused(method, path, body string) refusal {
	p.t.Helper()
	return refusalIn(p.t, p.ask(method, path, body))
}

func refusalIn(t testing.TB, got *http.Response) (r refusal) {
	t.Helper()
	assert.Equal(t, "application/problem+json", got.Header.Get("Content-Type"))
	require.NoError(t, json.NewDecoder(got.Body).Decode(&r))
	assert.Equal(t, got.StatusCode, r.Status)
	assert.Equal(t, http.StatusText(r.Status), r.Title)
	assert.NotEmpty(t, r.Detail)
	return r
}

// stored is what somebody sends whose Chrome refuses cookies.
func stored(t testing.TB, change ...func(*report.Sent)) store.Report {
	t.Helper()
	e := testkit.Browsers(t)["chrome-desktop"]
	e.Cookies.Script, e.Cookies.HTTP = evidence.Saw(false), evidence.Saw(false)
	e.Host = evidence.Told("session_lost", "r-17", nil)
	r := report.New(e, checks.Catalogue().Diagnose(e))
	sent := report.NewSent(r, evidence.Moment{UTC: float64(noon.UnixMilli())}, []string{"reload-page"})
	sent.Personal = report.Personal{Note: "It worked yesterday.", Fields: []report.Answer{{Key: "user", Label: "User", Value: "A-1234"}}}
	for _, c := range change {
		c(&sent)
	}
	body, err := sent.Encode()
	require.NoError(t, err)
	out := store.Report{
		ID: store.NewID(), At: noon, Body: body, Code: r.Code().String(), Outcome: "session_lost", Browser: "Chrome", System: "Windows", Tier: string(r.Tier), Reference: "r-17",
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, f.Check)
	}
	out.Top = out.Findings[0]
	return out
}

func TestOpenAPI_isWellFormed(t *testing.T) {
	require.NoError(t, document(t).Validate(t.Context(), openapi3.EnableExamplesValidation()))
	got := ask(newProgram(t, atNoon).h, "GET", "/latchkey/api/v1/openapi.json")
	assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
	assert.Equal(t, string(openAPI), bodyOf(t, got))
}

func TestOpenAPI_hasTheRoutesThatTheServerHas(t *testing.T) {
	var told, served []string
	for path, item := range document(t).Paths.Map() {
		for method := range item.Operations() {
			told = append(told, method+" /latchkey/api/v1"+path)
		}
	}
	for _, pattern := range testServer(t, testOptions(t)).mux().patterns {
		if strings.Contains(pattern, "/api/v1") && !strings.HasSuffix(pattern, "/") {
			served = append(served, pattern)
		}
	}
	slices.Sort(told)
	slices.Sort(served)
	assert.Equal(t, served, told)
	assert.Greater(t, len(told), 8)
}

// Whatever stands in the document as a list of values is ours.
func TestOpenAPI_knowsAllOutcomes(t *testing.T) {
	var ids []any
	for _, id := range outcomeIDs() {
		ids = append(ids, id)
	}
	doc := document(t)
	assert.ElementsMatch(t, ids, doc.Paths.Find("/reports").Get.Parameters.GetByInAndName("query", "outcome").Schema.Value.Enum)
	assert.ElementsMatch(t, append(ids, ""), doc.Components.Schemas["NewLink"].Value.Properties["outcome"].Value.Enum)
}

func TestOpenAPI_hasTheLimitsThatTheServerHas(t *testing.T) {
	doc := document(t)
	link := doc.Components.Schemas["NewLink"].Value.Properties
	for name, most := range map[string]uint64{"from": fromLimit, "note": report.NoteLimit, "reference": referenceLimit} {
		assert.Equal(t, most, *link[name].Value.MaxLength, name)
	}
	assert.EqualValues(t, report.MaxAsks, *link["asks"].Value.MaxItems)
	life := link["expires_in"].Value
	assert.Equal(t, []any{float64(linkShortest), float64(linkLongest), float64(linkUsual)}, []any{*life.Min, *life.Max, life.Default})
	limit := doc.Components.Parameters["limit"].Value.Schema.Value
	assert.Equal(t, []any{float64(maxPage), float64(pageLength)}, []any{*limit.Max, limit.Default})
	text := doc.Paths.Find("/reports").Get.Parameters.GetByInAndName("query", "text").Schema.Value
	assert.EqualValues(t, longestFilter, *text.MaxLength)
}

func TestLinks_areMadeReadClosedAndDeleted(t *testing.T) {
	now := noon
	p := newProgram(t, func() time.Time { return now })
	made := p.ask("POST", "/links", `{"from": "Example Clinic support", "note": "called at ten\nvery upset", "reference": "T-99", "lang": "de-CH",
		"outcome": "session_lost", "asks": [{"key": "number", "label": "Provider number", "pattern": "[0-9]{6}", "max": 6}], "expires_in": 3600}`)
	require.Equal(t, 201, made.StatusCode)
	var l apiLink
	require.NoError(t, json.NewDecoder(made.Body).Decode(&l))
	assert.Equal(t, "/latchkey/api/v1/links/"+l.ID, made.Header.Get("Location"))
	_, token, ok := strings.Cut(l.URL, "http://portal.example/latchkey/d/")
	require.True(t, ok, l.URL)
	hash, ok := store.HashToken(token)
	require.True(t, ok, "the token is one of ours")
	kept, err := p.s.store.Cases.ByToken(t.Context(), hash)
	require.NoError(t, err)
	assert.Equal(t, store.Case{
		ID: l.ID, Made: noon, By: "key:desk", From: "Example Clinic support", Note: "called at ten\nvery upset", Reference: "T-99", Lang: "de-CH",
		Outcome: "session_lost", Asks: []report.Ask{{Key: "number", Label: "Provider number", Pattern: "[0-9]{6}", Max: 6}}, Expires: noon.Add(time.Hour),
	}, kept)

	var read apiLink
	p.does("GET", "/links/"+l.ID, "", 200, &read)
	want := l
	want.URL = ""
	assert.Equal(t, want, read, "the address is told only once")
	assert.Equal(t, "open", read.State)
	assert.Equal(t, "http://portal.example/latchkey/support/cases/"+l.ID, read.Console)

	now = noon.Add(time.Hour)
	p.does("GET", "/links/"+l.ID, "", 200, &read)
	assert.Equal(t, "expired", read.State)
	for range 2 {
		p.does("POST", "/links/"+l.ID+"/close", "", 200, &read)
		assert.Equal(t, "closed", read.State)
		assert.Equal(t, now, *read.Closed)
	}
	p.does("DELETE", "/links/"+l.ID, "", 204, nil)
	assert.Equal(t, 404, p.refused("GET", "/links/"+l.ID, "").Status)
	assert.Equal(t, 404, p.refused("DELETE", "/links/"+l.ID, "").Status)
	assert.Equal(t, 404, p.refused("POST", "/links/"+l.ID+"/close", "").Status)
}

func TestLinks_takeTheUsualForWhatIsLeftOut(t *testing.T) {
	p := newProgram(t, atNoon, func(c *Config) {
		c.Site.Name, c.Address = "Example Clinic", "https://help.example"
	})
	var l apiLink
	p.does("POST", "/links", `{}`, 201, &l)
	assert.Equal(t, "Example Clinic", l.From)
	assert.Equal(t, noon.Add(24*time.Hour), l.Expires)
	assert.Equal(t, []report.Ask{}, l.Asks)
	assert.Regexp(t, `^https://help\.example/latchkey/d/[A-Za-z0-9_-]{22}$`, l.URL, "as the operator says, whatever the request")
}

func TestLinks_tellAllThatIsWrong(t *testing.T) {
	p := newProgram(t, atNoon)
	r := p.refused("POST", "/links", `{"from": "`+strings.Repeat("ä", 101)+`", "note": "a\u0007", "reference": "\u202e", "lang": "d e", "outcome": "E17", "expires_in": 299,
		"asks": [{"key": "Number", "label": "x"}, {"key": "a", "label": "x", "pattern": "("}, {"key": "b", "label": "x"}, {"key": "b", "label": "y"}]}`)
	assert.Equal(t, 400, r.Status)
	var in []string
	for _, f := range r.Errors {
		in = append(in, f.In)
		assert.NotEmpty(t, f.Detail)
	}
	assert.Equal(t, []string{"from", "note", "reference", "lang", "outcome", "expires_in", "asks[0]", "asks[1]", "asks[3]"}, in)
	assert.Empty(t, audited(t, p), "nothing was about to be done")
}

func TestLinks_refuseBodies(t *testing.T) {
	p := newProgram(t, atNoon)
	nine := strings.TrimSuffix(strings.Repeat(`{"key": "a", "label": "x"},`, 9), ",")
	for _, c := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"no JSON", `{`, 400, "The body cannot be read: unexpected EOF."},
		{"nothing", ` `, 400, "The body cannot be read: EOF."},
		{"a list", `[]`, 400, "cannot stand here"},
		{"another field", `{"form": "x"}`, 400, `unknown field "form"`},
		{"something behind it", `{} {}`, 400, "something behind the object"},
		{"a number for text", `{"from": 7}`, 400, "a number cannot stand here"},
		{"text for a number", `{"expires_in": "24h"}`, 400, "a string cannot stand here"},
		{"half a second", `{"expires_in": 3600.5}`, 400, "a number cannot stand here"},
		{"more than there is room for", `{"asks": [` + nine + `]}`, 400, "asks"},
		{"lists in lists", `{"asks": ` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, 400, ""},
		{"too much", `{"note": "` + strings.Repeat("x", maxAPIBody) + `"}`, 413, "65536 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := p.refused("POST", "/links", c.body)
			assert.Equal(t, c.status, r.Status)
			assert.Contains(t, r.Detail+fmt.Sprint(r.Errors), c.want)
		})
	}
	r := httptest.NewRequest("POST", "/latchkey/api/v1/links", strings.NewReader(`{}`))
	r.Header.Set("Authorization", "Bearer "+p.key)
	r.Header.Set("Content-Type", "text/plain")
	assert.Equal(t, 415, refusalIn(t, p.send(r)).Status)
}

func TestLinks_areListedInPages(t *testing.T) {
	now := noon
	p := newProgram(t, func() time.Time { return now })
	var ids []string
	for i := range 5 {
		now = noon.Add(time.Duration(i) * time.Minute)
		var l apiLink
		p.does("POST", "/links", fmt.Sprintf(`{"reference": "T-%d"}`, i), 201, &l)
		ids = append([]string{l.ID}, ids...)
	}
	type page struct {
		Links []apiLink
		Next  string
	}
	var got []string
	for next, pages := "", 1; ; pages++ {
		var one page
		p.does("GET", "/links?limit=2"+next, "", 200, &one)
		for _, l := range one.Links {
			got = append(got, l.ID)
		}
		if one.Next == "" {
			assert.Equal(t, 3, pages)
			break
		}
		next = "&before=" + one.Next
	}
	assert.Equal(t, ids, got)

	p.does("POST", "/links/"+ids[0]+"/close", "", 200, nil)
	var secret apiLink
	p.does("POST", "/links", `{"note": "called at ten"}`, 201, &secret)
	var all page
	p.does("GET", "/links?text="+secret.ID, "", 200, &all)
	require.Len(t, all.Links, 1)
	assert.Empty(t, all.Links[0].Note, "who reads a note is written down")
	p.does("DELETE", "/links/"+secret.ID, "", 204, nil)
	for query, n := range map[string]int{
		"": 5, "?state=open": 4, "?text=t-3": 1, "?by=key:desk": 5, "?by=somebody": 0, "?limit=5": 5,
		"?from=2026-03-04T12:03:00Z": 2, "?to=2026-03-04T12:03:00Z": 3, "?from=2026-03-04T14:03:00%2B02:00": 2,
	} {
		var one page
		p.does("GET", "/links"+query, "", 200, &one)
		assert.Len(t, one.Links, n, query)
		assert.Empty(t, one.Next, query)
	}
	p.does("DELETE", "/links/"+ids[1], "", 204, nil)
	assert.Equal(t, "before", p.refused("GET", "/links?before="+ids[1], "").Errors[0].In)
}

func TestLists_refuse(t *testing.T) {
	p := newProgram(t, atNoon)
	for path, in := range map[string]string{
		"/reports?limit=0":                          "limit",
		"/reports?limit=101":                        "limit",
		"/reports?limit=x":                          "limit",
		"/reports?before=x":                         "before",
		"/reports?link=..":                          "link",
		"/reports?outcome=E17":                      "outcome",
		"/reports?tier=high":                        "tier",
		"/reports?from=yesterday":                   "from",
		"/reports?to=0001-01-01T00:00Z":             "to",
		"/reports?text=%00":                         "text",
		"/reports?text=%ff":                         "text",
		"/reports?text=%zz":                         "",
		"/reports?browser=a&browser=b":              "browser",
		"/reports?key=x":                            "key",
		"/reports?text=" + strings.Repeat("x", 201): "text",
		"/links?state=closed":                       "state",
		"/links?reference=x":                        "reference",
		"/messages?webhook=x":                       "webhook",
	} {
		r := p.refused("GET", path, "")
		assert.Equal(t, 400, r.Status, path)
		require.Len(t, r.Errors, 1, path)
		assert.Equal(t, in, r.Errors[0].In, path)
	}
}

func TestReports_tellWhatIsKnownToday(t *testing.T) {
	p := newProgram(t, atNoon, func(c *Config) { c.Site.Name = "Example Clinic" })
	var l apiLink
	p.does("POST", "/links", `{}`, 201, &l)
	a := stored(t, func(s *report.Sent) {
		s.Shown = []report.Shown{{Check: "session-lost", Sureness: "sure"}, {Check: "of-another-version", Sureness: "maybe"}}
	})
	a.Case = l.ID
	require.NoError(t, p.s.store.Reports.Add(t.Context(), a))

	var got whole
	p.does("GET", "/reports/"+a.ID, "", 200, &got)
	require.NotEmpty(t, got.Findings)
	first := got.Findings[0]
	assert.Equal(t, "cookies-blocked", first.Check)
	assert.Equal(t, "Your browser isn't keeping this site's cookies", strings.ReplaceAll(first.Title, "’", "'"))
	assert.Contains(t, first.Why, "Chrome", "as the person reads it, for their browser")
	assert.NotContains(t, first.Title+first.Why, "{")
	require.NotEmpty(t, got.Advice)
	assert.Equal(t, "allow-cookies", got.Advice[0].Fix)
	assert.Greater(t, len(got.Advice[0].Steps), 1)
	var steps []string
	for _, a := range got.Advice {
		steps = append(steps, a.Steps...)
	}
	assert.Contains(t, strings.Join(steps, " "), "Example Clinic", "the site's name, and not “this site”")
	assert.Equal(t, []told{{"session-lost", p.s.english.CheckName("session-lost"), "sure"}, {"of-another-version", "of-another-version", "maybe"}}, got.Told)
	assert.Equal(t, []string{"reload-page"}, got.Tried)
	assert.Equal(t, "It worked yesterday.", got.Personal.Note)
	assert.Equal(t, evidence.Saw(false), got.Evidence.Cookies.HTTP)
	assert.Equal(t, l.ID, got.Link)
	assert.Equal(t, a.Code, got.Code)
	assert.Equal(t, "http://portal.example/latchkey/support/reports/"+a.ID, got.Console)

	p.does("GET", "/links/"+l.ID, "", 200, &l)
	assert.Equal(t, 1, l.Reports)
	p.does("DELETE", "/reports/"+a.ID, "", 204, nil)
	assert.Equal(t, 404, p.refused("GET", "/reports/"+a.ID, "").Status)
	assert.Equal(t, 404, p.refused("DELETE", "/reports/"+a.ID, "").Status)
}

func TestReports_areFoundByWhatIsKnownOfThem(t *testing.T) {
	p := newProgram(t, atNoon)
	var l apiLink
	p.does("POST", "/links", `{}`, 201, &l)
	over, alone := stored(t), stored(t)
	over.Case, over.At = l.ID, noon.Add(time.Minute)
	alone.Outcome, alone.Browser, alone.System, alone.Tier, alone.Reference = "throttled", "Firefox", "Linux", "html", "x-5"
	alone.Findings, alone.Top, alone.Code = []string{"account-throttled"}, "account-throttled", "62W5-FF2J-0J8Q"
	for _, a := range []store.Report{over, alone} {
		require.NoError(t, p.s.store.Reports.Add(t.Context(), a))
	}
	for query, want := range map[string][]string{
		"":                            {over.ID, alone.ID},
		"?link=" + l.ID:               {over.ID},
		"?text=x-5":                   {alone.ID},
		"?text=62w5ff2j":              {alone.ID},
		"?outcome=throttled":          {alone.ID},
		"?finding=account-throttled":  {alone.ID},
		"?finding=account":            nil,
		"?browser=Chrome":             {over.ID},
		"?system=Linux":               {alone.ID},
		"?tier=html":                  {alone.ID},
		"?from=2026-03-04T12:00:30Z":  {over.ID},
		"?to=2026-03-04T12:00:30Z":    {alone.ID},
		"?tier=html&browser=Chrome":   nil,
		"?limit=1":                    {over.ID},
		"?limit=1&before=" + over.ID:  {alone.ID},
		"?limit=1&before=" + alone.ID: nil,
		"?text=%25":                   nil,
	} {
		var page struct{ Reports []arrived }
		p.does("GET", "/reports"+query, "", 200, &page)
		var got []string
		for _, a := range page.Reports {
			got = append(got, a.ID)
		}
		assert.Equal(t, want, got, query)
	}
}

func TestCodes_sayWhatTheyMean(t *testing.T) {
	p := newProgram(t, atNoon)
	for _, written := range []string{"62W5-FF2J-0J8Q", "62w5ff2joj8q", "62W5%20FF2J%200J8Q"} {
		var h heard
		p.does("GET", "/codes/"+written, "", 200, &h)
		assert.Equal(t, "62W5-FF2J-0J8Q", h.Code)
		assert.Contains(t, h.Text, "Chrome")
		require.Len(t, h.Findings, 3)
		assert.Equal(t, told{"cookies-blocked", p.s.english.CheckName("cookies-blocked"), "sure"}, h.Findings[0])
	}
	r := p.refused("GET", "/codes/62W5-FF2J-0J8P", "")
	assert.Equal(t, 400, r.Status)
	assert.Equal(t, "One of the characters was misheard, or two were swapped: ask for the code again.", r.Detail)
}

// audited are the lines of the audit log, the first first: who, what and to what.
func audited(t testing.TB, p *program) (lines []string) {
	t.Helper()
	entries, err := p.s.store.Audit.List(t.Context(), store.Page{})
	require.NoError(t, err)
	for _, e := range slices.Backward(entries) {
		lines = append(lines, strings.Join([]string{e.Who, e.Did, e.What, e.From}, " "))
	}
	return lines
}

func TestAPI_writesDownWhoDidWhat(t *testing.T) {
	p := newProgram(t, atNoon)
	var l apiLink
	p.does("POST", "/links", `{}`, 201, &l)
	a := stored(t)
	require.NoError(t, p.s.store.Reports.Add(t.Context(), a))
	p.does("GET", "/links", "", 200, nil)
	p.does("GET", "/links/"+l.ID, "", 200, nil)
	p.does("GET", "/reports/"+a.ID, "", 200, nil)
	p.does("DELETE", "/reports/"+a.ID, "", 204, nil)
	p.does("POST", "/links/"+l.ID+"/close", "", 200, nil)
	p.does("DELETE", "/links/"+l.ID, "", 204, nil)
	assert.Equal(t, []string{
		"key:desk case.make " + l.ID + " 192.0.2.1",
		"key:desk case.view " + l.ID + " 192.0.2.1",
		"key:desk report.view " + a.ID + " 192.0.2.1",
		"key:desk report.delete " + a.ID + " 192.0.2.1",
		"key:desk case.close " + l.ID + " 192.0.2.1",
		"key:desk case.delete " + l.ID + " 192.0.2.1",
	}, audited(t, p))
}

// deafAudit cannot write.
type deafAudit struct{ store.AuditStore }

func (deafAudit) Add(context.Context, store.Entry) error { return store.ErrFull }

func TestAPI_doesNothingThatItCannotWriteDown(t *testing.T) {
	p := newProgram(t, atNoon)
	var l apiLink
	p.does("POST", "/links", `{}`, 201, &l)
	a := stored(t)
	a.Case = l.ID
	require.NoError(t, p.s.store.Reports.Add(t.Context(), a))
	heard := p.s.store.Audit
	p.s.store.Audit = deafAudit{}
	for _, c := range [][3]string{
		{"POST", "/links", "{}"}, {"POST", "/links/" + l.ID + "/close"}, {"DELETE", "/links/" + l.ID}, {"GET", "/reports/" + a.ID}, {"DELETE", "/reports/" + a.ID},
	} {
		got := p.ask(c[0], c[1], c[2])
		assert.Equal(t, "60", got.Header.Get("Retry-After"), c)
		r := refusalIn(t, got)
		assert.Equal(t, 503, r.Status, c)
		assert.Equal(t, "The disk of the database is full: nothing was written.", r.Detail, c)
	}
	p.s.store.Audit = heard
	var page struct{ Links []apiLink }
	p.does("GET", "/links", "", 200, &page)
	require.Len(t, page.Links, 1)
	assert.Equal(t, "open", page.Links[0].State)
	p.does("GET", "/reports/"+a.ID, "", 200, nil)
}

func TestAPI_needsAKey(t *testing.T) {
	p := newProgram(t, atNoon)
	lost, hash := NewKey()
	require.NoError(t, p.s.store.Keys.Add(t.Context(), store.Key{Name: "lost", Hash: hash}))
	require.NoError(t, p.s.store.Keys.Delete(t.Context(), "lost"))
	never, _ := NewKey()
	var answers []string
	for _, sent := range []string{"", "Bearer", "Bearer ", "Basic " + p.key, p.key, "Bearer " + p.key + "x", "Bearer " + p.key[:len(p.key)-1], "Bearer " + strings.TrimPrefix(p.key, "lk_"), "Bearer " + lost, "Bearer " + never} {
		r := httptest.NewRequest("GET", "/latchkey/api/v1/links", nil)
		if sent != "" {
			r.Header.Set("Authorization", sent)
		}
		got := p.send(r)
		assert.Equal(t, 401, got.StatusCode, sent)
		assert.Equal(t, `Bearer realm="latchkey"`, got.Header.Get("WWW-Authenticate"))
		answers = append(answers, fmt.Sprint(got.Header, bodyOf(t, got)))
	}
	assert.Len(t, slices.Compact(answers), 1, "all hear the same")
	for _, sent := range []string{"Bearer " + p.key, "bearer " + p.key} {
		r := httptest.NewRequest("GET", "/latchkey/api/v1/links", nil)
		r.Header.Set("Authorization", sent)
		assert.Equal(t, 200, p.send(r).StatusCode, sent)
	}
	assert.NotContains(t, p.log.String(), strings.TrimPrefix(p.key, "lk_"))
	known, err := p.s.store.Keys.List(t.Context())
	require.NoError(t, err)
	assert.NotContains(t, string(known[0].Hash), p.key, "no more than a hash is kept")
}

func TestAPI_knowsNoOtherAddress(t *testing.T) {
	p := newProgram(t, atNoon)
	for _, c := range [][2]string{{"GET", "/"}, {"GET", "/nothing"}, {"PUT", "/links"}, {"GET", "/links/short"}, {"GET", "/links/" + strings.Repeat("A", 26)}, {"DELETE", "/reports/" + strings.Repeat("a", 27)}} {
		assert.Equal(t, 404, p.refused(c[0], c[1], "").Status, c)
	}
}

func TestAPI_countsByKeyAndByAddress(t *testing.T) {
	now := noon
	p := newProgram(t, func() time.Time { return now })
	for range callsPerKey {
		require.Equal(t, 200, ask(p.h, "GET", "/latchkey/api/v1/links", "Authorization", "Bearer "+p.key).StatusCode)
	}
	got := p.ask("GET", "/links", "")
	assert.Equal(t, "60", got.Header.Get("Retry-After"))
	assert.Equal(t, 429, refusalIn(t, got).Status)
	now = now.Add(callWindow)
	p.does("GET", "/links", "", 200, nil)

	now = now.Add(callWindow)
	for range callsPerAddress {
		require.Equal(t, 401, ask(p.h, "GET", "/latchkey/api/v1/links").StatusCode)
	}
	assert.Equal(t, 429, p.refused("GET", "/links", "").Status, "whoever tries keys is stopped, and what comes from there with one")
	now = now.Add(callWindow)
	p.does("GET", "/links", "", 200, nil)
}

func TestAPI_saysThatTheDatabaseIsGone(t *testing.T) {
	p := newProgram(t, atNoon)
	require.NoError(t, p.s.store.Close())
	got := p.ask("GET", "/links", "")
	assert.Equal(t, "10", got.Header.Get("Retry-After"))
	r := refusalIn(t, got)
	assert.Equal(t, 503, r.Status)
	assert.Equal(t, "The database does not answer: nothing was done.", r.Detail)
	assert.Equal(t, 503, p.refused("GET", "/health", "").Status)
	assert.Equal(t, "ready\nbut reports cannot be sent: the database does not answer or is full\n", bodyOf(t, ask(p.h, "GET", "/readyz")))
	for _, path := range []string{"/latchkey/", "/latchkey/frame", "/latchkey/clock?n=1", "/latchkey/reach", "/healthz"} {
		assert.Equal(t, 200, ask(p.h, "GET", path).StatusCode, "looking needs no database: %s", path)
	}
}

func TestAPI_worksWithoutADatabaseAsFarAsItCan(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	assert.Equal(t, 503, refusalIn(t, ask(h, "GET", "/latchkey/api/v1/links")).Status)
	assert.Equal(t, 503, refusalIn(t, ask(h, "GET", "/latchkey/api/v1/health")).Status)
	assert.Equal(t, "ready\n", bodyOf(t, ask(h, "GET", "/readyz")))
}

func TestHealth_isOpenToAll(t *testing.T) {
	p := newProgram(t, atNoon)
	got := p.send(httptest.NewRequest("GET", "/latchkey/api/v1/health", nil))
	assert.JSONEq(t, `{"status": "ok"}`, bodyOf(t, got))
	assert.Equal(t, "ready\n", bodyOf(t, ask(p.h, "GET", "/readyz")))
}

func TestReports_ofAnotherKeySayWhatIsMissing(t *testing.T) {
	p := newProgram(t, atNoon)
	p.s.store.Reports = foreign{p.s.store.Reports}
	r := p.refused("GET", "/reports/"+store.NewID(), "")
	assert.Equal(t, 500, r.Status)
	assert.Contains(t, r.Detail, "no key")
	assert.Contains(t, p.log.String(), "LATCHKEY_DB_KEYS")
}

// foreign holds what another key encrypted.
type foreign struct{ store.ReportStore }

func (foreign) Get(context.Context, string) (store.Report, error) {
	return store.Report{}, fmt.Errorf("x: %w", store.ErrKey)
}

func FuzzAPI_filters(f *testing.F) {
	for _, seed := range []string{"", "limit=2&before=" + strings.Repeat("a", 26), "text=%25_%5c'\"", "from=2026-03-04T12:00:00Z&to=9999-12-31T23:59:59Z", "outcome=throttled&tier=html", "limit=-1;drop", "%zz", "text=%00&text=%ff"} {
		f.Add(seed)
	}
	p := newProgram(f, time.Now)
	require.NoError(f, p.s.store.Reports.Add(f.Context(), stored(f)))
	f.Fuzz(func(t *testing.T, query string) {
		for _, list := range []call{p.s.listLinks, p.s.listReports, p.s.listMessages} {
			r := httptest.NewRequest("GET", "/", nil)
			r.URL.RawQuery = query
			_, err := list(nil, r, caller{})
			var no refusal
			if err != nil && (!errors.As(err, &no) || no.Status != 400) {
				t.Fatalf("%q: %v", query, err)
			}
		}
	})
}

func FuzzAPI_links(f *testing.F) {
	f.Add([]byte(`{"from": "x", "note": "y", "reference": "z", "lang": "de", "outcome": "unknown", "asks": [{"key": "a", "label": "b", "pattern": "[0-9]+", "max": 3}], "expires_in": 600}`))
	f.Add([]byte(`{"asks": [{"key": "a", "label": "b", "pattern": "(((a{1000}){1000}){1000})"}]}`))
	f.Add([]byte(`[[[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var l newLink
		if strictly(bytes.NewReader(body), &l) != nil || l.check() != nil {
			return
		}
		for _, a := range l.Asks {
			_ = a.Takes("123")
		}
		if _, err := json.Marshal(l); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzAPI_tokens(f *testing.F) {
	key, _ := NewKey()
	f.Add("Bearer " + key)
	f.Add("bearer  lk_")
	f.Add("Bearer lk_\r\n")
	p := newProgram(f, time.Now)
	p.s.store.Limits = unlimited{}
	f.Fuzz(func(t *testing.T, sent string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Authorization"] = []string{sent}
		if _, err := p.s.caller(r); err == nil || err.Error() != noKey.Detail {
			t.Fatalf("%q: %v", sent, err)
		}
	})
}
