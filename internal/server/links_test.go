package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/store"
)

func TestLinks_sayWhoAsksAndForWhat(t *testing.T) {
	o := withStore(t, testOptions(t))
	o.Config.Site.Name = "Example Clinic"
	h := testServer(t, o).handler()
	_, token := aCase(t, o.Store, func(c *store.Case) { c.Note = "for agents alone" })
	r := ask(h, "GET", "/latchkey/d/"+token)
	require.Equal(t, 200, r.StatusCode)
	assert.Equal(t, "no-store", r.Header.Get("Cache-Control"))
	assert.Equal(t, "noindex", r.Header.Get("X-Robots-Tag"))
	assert.True(t, strings.HasPrefix(r.Header.Get("Referrer-Policy"), "no-referrer"))
	assert.NotContains(t, r.Header.Get("Content-Security-Policy"), "wasm-unsafe-eval")
	page := bodyOf(t, r)
	for _, says := range []string{
		"Example Clinic support asks you to run a check on this device, because signing in to Example Clinic doesn&#39;t work.",
		"What they know so far: ", "Reference: CASE-7", "good for another 1 day.",
	} {
		assert.Contains(t, page, says)
	}
	assert.NotContains(t, page, "for agents alone")
	assert.Empty(t, elements(t, page, func(n *html.Node) bool { return n.Data == "script" }))
	form := elements(t, page, func(n *html.Node) bool { return n.Data == "form" })
	require.Len(t, form, 1)
	assert.Equal(t, "/latchkey/", attr(form[0], "action"))
	goes := map[string]string{}
	for n := range form[0].Descendants() {
		if attr(n, "name") != "" {
			goes[attr(n, "name")] = attr(n, "value")
		}
	}
	assert.Equal(t, map[string]string{"case": token, "lang": "en"}, goes)
	assert.Len(t, elements(t, page, func(n *html.Node) bool { return n.Data == "button" }), 1)
}

func TestLinks_openTheCheckOfTheirCase(t *testing.T) {
	o := withStore(t, testOptions(t))
	o.Config.Reports.Fields = []report.Ask{{Key: "usual", Label: "What is asked without a case"}}
	h := testServer(t, o).handler()
	_, token := aCase(t, o.Store, nil)
	r := ask(h, "GET", "/latchkey/?case="+token+"&outcome=account_locked&reference=R-1", "User-Agent", chrome)
	require.Equal(t, 200, r.StatusCode)
	assert.True(t, strings.HasPrefix(r.Header.Get("Referrer-Policy"), "no-referrer"))
	page := bodyOf(t, r)
	got := reportIn(t, page)
	assert.Equal(t, evidence.SessionLost, got.Outcome, "as the case says and not the address")
	assert.Equal(t, evidence.Saw("CASE-7"), got.Seen.Host.Reference)
	part := elements(t, page, withID("latchkey-send"))[0]
	assert.Contains(t, textOf(elements(t, page, withID("latchkey-send-summary"))[0]), "Send the report to Example Clinic support")
	opened := false
	for _, a := range part.Attr {
		opened = opened || a.Key == "open"
	}
	assert.True(t, opened, "the part is open")
	assert.NotEmpty(t, elements(t, page, withID("latchkey-send-field-member-number")))
	assert.Empty(t, elements(t, page, withID("latchkey-send-field-usual")))

	// Every way on keeps the case, and names nothing that the case knows.
	again := elements(t, page, func(n *html.Node) bool { return attr(n, "name") == "case" })
	require.Len(t, again, 1)
	assert.Equal(t, token, attr(again[0], "value"))
	refresh := elements(t, page, func(n *html.Node) bool { return attr(n, "http-equiv") == "refresh" })
	require.Len(t, refresh, 1)
	assert.Contains(t, attr(refresh[0], "content"), "case="+token)
	assert.NotContains(t, attr(refresh[0], "content"), "outcome=")
	to := ask(h, "GET", "/latchkey/?case="+token+"&look=noscript").Header.Get("Location")
	assert.Contains(t, to, "case="+token)
}

func TestLinks_areKnownToWhatTheScriptTierAsks(t *testing.T) {
	o := withStore(t, testOptions(t))
	h := testServer(t, o).handler()
	_, token := aCase(t, o.Store, nil)
	view := func(token string) string {
		r := httptest.NewRequest("POST", "/latchkey/diagnose", strings.NewReader(`{"run":{"tier":"script","at":{"value":{"utc":1795600440000,"zone":0}}}}`))
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Latchkey-Case", token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 200, w.Code)
		return w.Body.String()
	}
	assert.Contains(t, view(token), "Send the report to Example Clinic support")
	assert.Contains(t, view(token), token)
	assert.NotContains(t, view("AAAAAAAAAAAAAAAAAAAAAA"), "Send the report to")
}

// What never was, what was closed and what has run out cannot be told apart.
func TestLinks_answerAlikeForAllThatAreNotGood(t *testing.T) {
	o := withStore(t, testOptions(t))
	h := testServer(t, o).handler()
	closed, closedToken := aCase(t, o.Store, nil)
	require.NoError(t, o.Store.Cases.Close(t.Context(), closed.ID))
	_, expired := aCase(t, o.Store, func(c *store.Case) { c.Expires = noon })
	_, good := aCase(t, o.Store, nil)
	require.Equal(t, 200, ask(h, "GET", "/latchkey/d/"+good).StatusCode)

	all := map[string]bool{}
	for _, token := range []string{"AAAAAAAAAAAAAAAAAAAAAA", closedToken, expired, "x", "%3Cscript%3E", good + "A", strings.ToUpper(good)} {
		for _, path := range []string{"/latchkey/d/" + token, "/latchkey/?case=" + token} {
			r := ask(h, "GET", path)
			assert.Equal(t, 404, r.StatusCode, path)
			r.Header.Del("Date")
			head, err := json.Marshal(r.Header)
			require.NoError(t, err)
			all[string(head)+bodyOf(t, r)] = true
		}
	}
	assert.Len(t, all, 1)
	for page := range all {
		assert.Contains(t, page, "This link doesn&#39;t work any more")
		assert.Contains(t, page, `action="/latchkey/"`)
	}
	o.Store = nil
	assert.Equal(t, 404, ask(testServer(t, o).handler(), "GET", "/latchkey/d/"+good).StatusCode)
}

// Whoever may make cases may not write into the page.
func TestLinks_askNothingThatIsNoQuestion(t *testing.T) {
	o := withStore(t, testOptions(t))
	_, token := aCase(t, o.Store, func(c *store.Case) {
		c.Asks = append(c.Asks, report.Ask{Key: `x"><script>`, Label: "L"}, report.Ask{Key: "no-label"})
	})
	page := bodyOf(t, ask(testServer(t, o).handler(), "GET", "/latchkey/?case="+token))
	assert.Len(t, elements(t, page, func(n *html.Node) bool { return strings.HasPrefix(attr(n, "name"), "field-") }), 1)
	assert.NotContains(t, page, "<script>\"")
}

// Mail scanners open every link, and follow what they find.
func TestLinks_changeNothingWhenTheyAreOpened(t *testing.T) {
	o := withStore(t, testOptions(t))
	h := testServer(t, o).handler()
	c, token := aCase(t, o.Store, nil)
	before, err := o.Store.Cases.Get(t.Context(), c.ID)
	require.NoError(t, err)
	for _, method := range []string{"GET", "HEAD"} {
		for _, path := range []string{"/latchkey/d/" + token, "/latchkey/?case=" + token, "/latchkey/?look=noscript&case=" + token} {
			for range 3 {
				assert.Less(t, ask(h, method, path).StatusCode, 400)
			}
		}
	}
	assert.Equal(t, http.StatusMethodNotAllowed, ask(h, "POST", "/latchkey/d/"+token).StatusCode)
	assert.Equal(t, http.StatusMethodNotAllowed, ask(h, "GET", "/latchkey/reports").StatusCode)
	after, err := o.Store.Cases.Get(t.Context(), c.ID)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	all, err := o.Store.Reports.List(t.Context(), store.ReportQuery{})
	require.NoError(t, err)
	assert.Empty(t, all)
}

func TestLinks_servesSeveralDevicesUntilTheCaseIsClosed(t *testing.T) {
	o := withStore(t, testOptions(t))
	h := testServer(t, o).handler()
	c, token := aCase(t, o.Store, nil)
	for range 2 {
		assert.True(t, answered(t, posting(h, "application/json", envelope(store.NewID(), token, aReport(t, nil)))).Arrived)
	}
	all, err := o.Store.Reports.List(t.Context(), store.ReportQuery{Case: c.ID})
	require.NoError(t, err)
	assert.Len(t, all, 2)
	require.NoError(t, o.Store.Cases.Close(t.Context(), c.ID))
	assert.Equal(t, "over", answered(t, posting(h, "application/json", envelope(store.NewID(), token, aReport(t, nil)))).Why)
}

// noCases is a store that does not answer.
type noCases struct{ store.CaseStore }

func (noCases) ByToken(context.Context, []byte) (store.Case, error) {
	return store.Case{}, store.ErrUnavailable
}

func TestLinks_areNotCalledDeadWhenNobodyKnows(t *testing.T) {
	o := withStore(t, testOptions(t))
	o.Store.Cases = noCases{o.Store.Cases}
	h := testServer(t, o).handler()
	assert.Equal(t, 503, ask(h, "GET", "/latchkey/d/AAAAAAAAAAAAAAAAAAAAAA").StatusCode)
	got := answered(t, posting(h, "application/json", envelope(anID, "AAAAAAAAAAAAAAAAAAAAAA", aReport(t, nil))))
	assert.Equal(t, "failed", got.Why)
}

func FuzzLinkTokens(f *testing.F) {
	o := withStore(f, Options{Base: "/latchkey", Config: DefaultConfig(), Assets: packed(f), Now: func() time.Time { return noon }})
	_, token := aCase(f, o.Store, nil)
	for _, seed := range []string{token, token[:21], token + "=", "AAAAAAAAAAAAAAAAAAAAAA", "\"><script>", "a\nb", "%00"} {
		f.Add(seed)
	}
	s, err := newServer(o)
	require.NoError(f, err)
	h := s.handler()
	f.Fuzz(func(t *testing.T, in string) {
		s.limiter = newLimiter(1) // of nobody who was here before
		r := httptest.NewRequest("GET", "/latchkey/", nil)
		r.URL.RawQuery = "case=" + strings.ReplaceAll(strings.ReplaceAll(in, "%", "%25"), "&", "%26")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if in == token {
			assert.Equal(t, 200, w.Code)
		} else if in != "" {
			assert.Contains(t, []int{200, 404}, w.Code)
			assert.NotContains(t, w.Body.String(), "Send the report to")
		}
	})
}

// hung is a database that takes what it is asked and never answers.
type hung struct{ store.CaseStore }

func (hung) ByToken(ctx context.Context, _ []byte) (store.Case, error) {
	<-ctx.Done()
	return store.Case{}, ctx.Err()
}

func TestLinks_doNotHangWithTheDatabase(t *testing.T) {
	t.Parallel()
	o := withStore(t, testOptions(t))
	h := testServer(t, o).handler()
	o.Store.Cases = hung{}
	token, _ := store.NewToken()
	assert.Equal(t, 503, ask(h, "GET", "/latchkey/d/"+token).StatusCode)
	r := httptest.NewRequest("POST", "/latchkey/diagnose", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(caseHeader, token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	assert.Equal(t, 200, w.Code, "what was seen is judged without the link")
}
