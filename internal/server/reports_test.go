package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
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

// withStore are options with a store in which nothing stands.
func withStore(t testing.TB, o Options) Options {
	t.Helper()
	st, err := store.Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "latchkey.db"), store.Options{Log: o.Log, Now: o.Now})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	o.Store = st
	return o
}

// aCase makes a case and returns its token.
func aCase(t testing.TB, st *store.Store, change func(*store.Case)) (store.Case, string) {
	t.Helper()
	c := store.Case{
		ID: store.NewID(), Made: noon, By: "ann", From: "Example Clinic support", Reference: "CASE-7", Outcome: "session_lost", Lang: "en",
		Asks: []report.Ask{{Key: "member-number", Label: "Your member number", Pattern: "[0-9]{8}", Max: 8}}, Expires: noon.Add(24 * time.Hour),
	}
	if change != nil {
		change(&c)
	}
	token, hash := store.NewToken()
	require.NoError(t, st.Cases.Add(context.Background(), c, hash))
	return c, token
}

// aReport is one as a browser sends it.
func aReport(t testing.TB, change func(*report.Sent)) []byte {
	t.Helper()
	var e evidence.Evidence
	e.Run.Tier, e.Run.At = evidence.JS, evidence.Saw(evidence.Moment{UTC: 1_795_600_440_000, Zone: 60})
	e.Host = evidence.Told("session_lost", "R-7", nil)
	e.Browser.Family, e.Browser.System = evidence.Saw("Chrome"), evidence.Saw("Windows")
	e.Cookies = evidence.Cookies{Enabled: evidence.Saw(true), Script: evidence.Saw(false), HTTP: evidence.Saw(false)}
	s := report.NewSent(report.Report{Seen: e}, e.Run.At.Value, nil)
	s.Shown = []report.Shown{{Check: "cookies-blocked", Sureness: "sure"}, {Check: "session-lost", Sureness: "sure"}}
	if change != nil {
		change(&s)
	}
	data, err := s.Encode()
	require.NoError(t, err)
	return data
}

func envelope(id, token string, body []byte) string {
	return fmt.Sprintf(`{"id":%q,"token":%q,"report":%s}`, id, token, body)
}

const anID = "abcdefghijklmnopqrstuvwxyz"

// posting sends a body with headers given as name, value, name, value.
func posting(h http.Handler, kind, body string, headers ...string) *http.Response {
	r := httptest.NewRequest("POST", "/latchkey/reports", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// reportAnswer is what a program is told.
type reportAnswer struct {
	Arrived          bool
	Code, Why, Label string
}

func answered(t *testing.T, r *http.Response) (a reportAnswer) {
	t.Helper()
	require.NoError(t, json.NewDecoder(r.Body).Decode(&a))
	return a
}

func TestReports_keepExactlyTheBytesThatCame(t *testing.T) {
	o := withStore(t, testOptions(t))
	h := testServer(t, o).handler()
	body := aReport(t, func(s *report.Sent) { s.Personal.Note = "It <b>worked</b> & then\nnot “Ошибка” 😕" })
	got := answered(t, posting(h, "application/json", envelope(anID, "", body)))
	assert.True(t, got.Arrived)

	kept, err := o.Store.Reports.Get(t.Context(), anID)
	require.NoError(t, err)
	assert.Equal(t, string(body), string(kept.Body))
	assert.Equal(t, got.Code, kept.Code)
	kept.Body, kept.Code = nil, ""
	assert.Equal(t, store.Report{
		ID: anID, At: noon, Outcome: "session_lost", Top: "cookies-blocked", Findings: []string{"cookies-blocked", "session-lost"},
		Browser: "Chrome", System: "Windows", Tier: "script", Reference: "R-7",
	}, kept)
}

// The code is the one that the person read on the screen, whatever today's judge would
// find.
func TestReports_areFoundUnderTheCodeThatThePersonHas(t *testing.T) {
	o := withStore(t, testOptions(t))
	h := testServer(t, o).handler()
	body := aReport(t, func(s *report.Sent) { s.Shown = []report.Shown{{Check: "clock-wrong", Sureness: "likely"}} })
	got := answered(t, posting(h, "application/json", envelope(anID, "", body)))
	code, err := report.ParseCode(got.Code)
	require.NoError(t, err)
	assert.Equal(t, []string{"clock-wrong"}, code.Spoken().Findings)
	kept, err := o.Store.Reports.Get(t.Context(), anID)
	require.NoError(t, err)
	assert.Equal(t, got.Code, kept.Code)
	assert.Equal(t, "cookies-blocked", kept.Top)
}

func TestReports_arriveOnceHoweverOftenTheyAreSent(t *testing.T) {
	o := withStore(t, testOptions(t))
	h := testServer(t, o).handler()
	first := aReport(t, nil)
	for _, body := range [][]byte{first, first, aReport(t, func(s *report.Sent) { s.Personal.Note = "another" })} {
		r := posting(h, "application/json", envelope(anID, "", body))
		assert.Equal(t, http.StatusOK, r.StatusCode)
		assert.True(t, answered(t, r).Arrived)
	}
	all, err := o.Store.Reports.List(t.Context(), store.ReportQuery{})
	require.NoError(t, err)
	assert.Len(t, all, 1)
	kept, err := o.Store.Reports.Get(t.Context(), anID)
	require.NoError(t, err)
	assert.Equal(t, string(first), string(kept.Body), "what came first stays")
}

func TestReports_saySoWhenOneIsNotKept(t *testing.T) {
	good := aReport(t, nil)
	for _, c := range []struct {
		name, kind, body string
		status           int
		why              string
	}{
		{"another type", "text/plain", envelope(anID, "", good), 415, "failed"},
		{"no type", "", envelope(anID, "", good), 415, "failed"},
		{"no JSON", "application/json", `{"id":`, 400, "failed"},
		{"something behind it", "application/json", envelope(anID, "", good) + "{}", 400, "failed"},
		{"a field that there is not", "application/json", strings.Replace(envelope(anID, "", good), "{", `{"admin":true,`, 1), 400, "failed"},
		{"no report", "application/json", `{"id":"` + anID + `"}`, 400, "failed"},
		{"a report that is none", "application/json", envelope(anID, "", []byte(`{"schema":1}`)), 400, "failed"},
		{"no id", "application/json", envelope("", "", good), 400, "failed"},
		{"an id of another form", "application/json", envelope("../../abcdefghijklmnopqrst", "", good), 400, "failed"},
		{"a report that is too long", "application/json", envelope(anID, "", []byte(`{"schema":1,"x":"`+strings.Repeat("x", 64<<10)+`"}`)), 400, "failed"},
		{"a body without end", "application/json", envelope(anID, "", []byte(`"`+strings.Repeat("x", maxBody)+`"`)), 413, "failed"},
		{"a link that there never was", "application/json", envelope(anID, "AAAAAAAAAAAAAAAAAAAAAA", good), 404, "over"},
		{"a token that is none", "application/json", envelope(anID, "<b>", good), 404, "over"},
		{"an answer that nobody asked for", "application/json", envelope(anID, "", aReport(t, func(s *report.Sent) {
			s.Personal.Fields = []report.Answer{{Key: "k", Label: "Your password", Value: "5ecret"}}
		})), 422, "unfit"},
		{"a form that is none", "application/x-www-form-urlencoded", "id=%zz", 400, "failed"},
		{"a form without a report", "application/x-www-form-urlencoded", "id=" + anID, 400, "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := withStore(t, testOptions(t))
			r := posting(testServer(t, o).handler(), c.kind, c.body)
			assert.Equal(t, c.status, r.StatusCode)
			got := answered(t, r)
			assert.False(t, got.Arrived)
			assert.Equal(t, c.why, got.Why)
			all, err := o.Store.Reports.List(t.Context(), store.ReportQuery{})
			require.NoError(t, err)
			assert.Empty(t, all)
		})
	}
}

// broken is a store of reports that keeps none.
type broken struct {
	store.ReportStore
	err error
}

func (b broken) Add(context.Context, store.Report, ...store.Message) error { return b.err }

func TestReports_tellPlainlyThatNothingWasSent(t *testing.T) {
	note := "A note <i>with</i> “everything”"
	for name, c := range map[string]struct {
		err    error
		status int
		says   string
	}{
		"the disk is full":       {fmt.Errorf("add: %w", store.ErrFull), 503, "It was NOT sent. Nothing you wrote is lost."},
		"the database is gone":   {store.ErrUnavailable, 503, "It was NOT sent. Nothing you wrote is lost."},
		"nobody knows what":      {errors.New("?"), 503, "It was NOT sent. Nothing you wrote is lost."},
		"the case was closed":    {store.ErrClosed, 404, "It was NOT sent, because support has closed this link"},
		"the case was deleted":   {store.ErrNotFound, 404, "It was NOT sent, because support has closed this link"},
		"there is no store here": {nil, 503, "It was NOT sent. Nothing you wrote is lost."},
	} {
		t.Run(name, func(t *testing.T) {
			o := withStore(t, testOptions(t))
			o.Config.Support.Phone = "555-0100"
			if c.err != nil {
				o.Store.Reports = broken{o.Store.Reports, c.err}
			} else {
				o.Store = nil
			}
			h := testServer(t, o).handler()
			body := aReport(t, func(s *report.Sent) { s.Personal.Note = note })
			r := posting(h, "application/x-www-form-urlencoded", url.Values{"id": {anID}, "note": {note}, "report": {string(body)}}.Encode(), "Accept", "text/html")
			assert.Equal(t, c.status, r.StatusCode)
			page := bodyOf(t, r)
			said := elements(t, page, withID("latchkey-send-status"))
			require.Len(t, said, 1)
			assert.Contains(t, textOf(said[0]), c.says)
			assert.Regexp(t, `[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}`, textOf(said[0]), "the code")
			assert.Equal(t, note, strings.TrimPrefix(textOf(elements(t, page, withID("latchkey-send-note"))[0]), "\n"))
			assert.Equal(t, string(body), textOf(elements(t, page, withID("latchkey-send-bytes"))[0]))
			assert.Contains(t, attr(elements(t, page, withID("latchkey-send-download"))[0], "href"), "data:application/json;base64,")
			assert.Contains(t, page, "tel:555-0100")
			assert.Equal(t, anID, attr(elements(t, page, func(n *html.Node) bool { return attr(n, "name") == "id" })[0], "value"), "sent again it is the same report")

			got := answered(t, posting(h, "application/json", envelope(anID, "", body)))
			assert.False(t, got.Arrived)
		})
	}
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// fill reads the form of a page that runs no scripts, as a browser posts it.
func fill(t *testing.T, page string, changes url.Values) url.Values {
	t.Helper()
	form := elements(t, page, withID("latchkey-send-form"))
	require.Len(t, form, 1)
	assert.Equal(t, "post", attr(form[0], "method"))
	assert.Equal(t, "/latchkey/reports?lang=en", attr(form[0], "action"))
	values := url.Values{}
	for n := range form[0].Descendants() {
		if name := attr(n, "name"); name != "" {
			value := attr(n, "value")
			if n.Data == "textarea" {
				value = strings.TrimPrefix(textOf(n), "\n")
			}
			values.Set(name, strings.ReplaceAll(value, "\n", "\r\n"))
		}
	}
	for name, value := range changes {
		require.Contains(t, values, name)
		values[name] = value
	}
	return values
}

func TestReports_withoutScriptsShowANoteBeforeItGoes(t *testing.T) {
	o := withStore(t, testOptions(t))
	o.Config.Reports.Fields = []report.Ask{{Key: "member-number", Label: "Your member number", Pattern: "[0-9]{8}", Max: 8}}
	h := testServer(t, o).handler()
	send := func(values url.Values) string {
		return bodyOf(t, posting(h, "application/x-www-form-urlencoded", values.Encode(), "Accept", "text/html,*/*", "Sec-Fetch-Site", "same-origin"))
	}
	said := func(page string) string {
		return attr(elements(t, page, having("data-latchkey-sent"))[0], "data-latchkey-sent")
	}
	kept := func() []store.Report {
		all, err := o.Store.Reports.List(t.Context(), store.ReportQuery{})
		require.NoError(t, err)
		return all
	}
	first := bodyOf(t, ask(h, "GET", "/latchkey/?outcome=session_lost&reference=R-7", "User-Agent", chrome))
	page := send(fill(t, first, url.Values{"note": {" Two\r\nlines <script>alert(1)</script> "}, "field-member-number": {"1234"}}))
	assert.Equal(t, "unfit", said(page))
	assert.Contains(t, page, "Look at this once more: Your member number")
	page = send(fill(t, page, url.Values{"field-member-number": {"12345678"}}))
	require.Equal(t, "review", said(page))
	assert.Empty(t, kept(), "nothing goes before it was seen")
	assert.Empty(t, elements(t, page, func(n *html.Node) bool { return n.Data == "script" }))
	shown := textOf(elements(t, page, withID("latchkey-send-bytes"))[0])
	told := textOf(elements(t, page, withID("latchkey-send-told"))[0])
	assert.Contains(t, told, "Your note: Two\nlines <script>alert(1)</script>")
	assert.Contains(t, told, "Your member number (member-number): 12345678")

	long := send(fill(t, page, url.Values{"note": {strings.Repeat("x", report.NoteLimit+1)}}))
	assert.Equal(t, "unfit", said(long))
	assert.Contains(t, long, "Look at this once more: Your note")
	assert.Equal(t, "review", said(send(fill(t, long, url.Values{"note": {"shorter"}}))), "nothing is lost by it")

	edited := send(fill(t, page, url.Values{"note": {"Another"}}))
	assert.Equal(t, "review", said(edited), "a note that was changed is shown, too")
	assert.Empty(t, kept())

	values := fill(t, page, nil)
	require.Equal(t, "arrived", said(send(values)))
	require.Len(t, kept(), 1)
	rep, err := o.Store.Reports.Get(t.Context(), kept()[0].ID)
	require.NoError(t, err)
	assert.Equal(t, shown, string(rep.Body))
	assert.Equal(t, "R-7", rep.Reference)
	assert.Equal(t, "html", rep.Tier)

	assert.Equal(t, "arrived", said(send(values)), "and again")
	assert.Len(t, kept(), 1)

	// Without a note the page has shown all of it.
	assert.Equal(t, "arrived", said(send(fill(t, first, nil))))
	assert.Len(t, kept(), 2)
}

func TestReports_comeFromOurOwnPages(t *testing.T) {
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{
		"a page of ours":                   {[]string{"Sec-Fetch-Site", "same-origin", "Origin", "https://portal.example"}, 200},
		"a page of ours in an old browser": {[]string{"Origin", "http://example.com"}, 200},
		"a browser that says nothing":      {nil, 200},
		"another site":                     {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		"another host of the site":         {[]string{"Sec-Fetch-Site", "same-site"}, 403},
		"another site in an old browser":   {[]string{"Origin", "https://evil.example"}, 403},
		"a sandbox":                        {[]string{"Origin", "null"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			o := withStore(t, testOptions(t))
			r := posting(testServer(t, o).handler(), "application/json", envelope(anID, "", aReport(t, nil)), c.headers...)
			assert.Equal(t, c.status, r.StatusCode)
			_, err := o.Store.Reports.Get(t.Context(), anID)
			assert.Equal(t, c.status == 200, err == nil)
		})
	}
}

func TestReports_areLimitedByNetworkAndByLink(t *testing.T) {
	o := withStore(t, testOptions(t))
	h := testServer(t, o).handler()
	c, token := aCase(t, o.Store, nil)
	body := aReport(t, nil)
	for range reportsByLink {
		require.Equal(t, 200, posting(h, "application/json", envelope(store.NewID(), token, body)).StatusCode)
	}
	r := posting(h, "application/json", envelope(anID, token, body))
	assert.Equal(t, 429, r.StatusCode)
	assert.NotEmpty(t, r.Header.Get("Retry-After"))
	assert.Equal(t, "wait", answered(t, r).Why)
	for range reportsByNetwork - reportsByLink {
		require.Equal(t, 200, posting(h, "application/json", envelope(store.NewID(), "", body)).StatusCode)
	}
	assert.Equal(t, 429, posting(h, "application/json", envelope(anID, "", body)).StatusCode)
	kept, err := o.Store.Cases.Get(t.Context(), c.ID)
	require.NoError(t, err)
	assert.Equal(t, reportsByLink, kept.Reports)
}

func TestReports_bringTheirMessagesIntoTheStore(t *testing.T) {
	o := withStore(t, testOptions(t))
	hooked("desk", "https://desk.example/")(&o.Config)
	require.Equal(t, 200, posting(testServer(t, o).handler(), "application/json", envelope(anID, "", aReport(t, nil))).StatusCode)
	msgs, err := o.Store.Outbox.Claim(t.Context(), 10, time.Minute)
	require.NoError(t, err)
	require.Len(t, msgs, 1)
	assert.Contains(t, string(msgs[0].Body), anID)
}

// What came is read without harm, and what is kept is what support can read.
func FuzzReports(f *testing.F) {
	body := aReport(f, nil)
	f.Add("application/json", envelope(anID, "", body))
	f.Add("application/json", envelope(anID, "AAAAAAAAAAAAAAAAAAAAAA", body))
	f.Add("application/x-www-form-urlencoded", url.Values{"id": {anID}, "note": {"n"}, "report": {string(body)}}.Encode())
	f.Add("application/x-www-form-urlencoded", url.Values{"id": {anID}, "report": {string(body)}}.Encode())
	o := Options{Base: "/latchkey", Config: DefaultConfig(), Assets: packed(f), Now: func() time.Time { return noon }}
	s, err := newServer(withStore(f, o))
	require.NoError(f, err)
	s.store.Limits = unlimited{}
	h := s.handler()
	f.Fuzz(func(t *testing.T, kind, in string) {
		s.limiter = newLimiter(1) // of nobody who was here before
		for _, accept := range []string{"application/json", "text/html"} {
			r := httptest.NewRequest("POST", "/latchkey/reports", strings.NewReader(in))
			r.Header["Content-Type"], r.Header["Accept"] = []string{kind}, []string{accept}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Contains(t, []int{200, 400, 404, 413, 415, 422, 429}, w.Code)
			if accept == "application/json" && w.Code == 200 && w.Header().Get("Content-Type") == accept {
				assert.True(t, answered(t, w.Result()).Arrived)
			}
		}
		all, err := s.store.Reports.List(t.Context(), store.ReportQuery{})
		require.NoError(t, err)
		for _, rep := range all {
			rep, err := s.store.Reports.Get(t.Context(), rep.ID)
			require.NoError(t, err)
			_, err = report.DecodeSent(rep.Body)
			assert.NoError(t, err)
			require.NoError(t, s.store.Reports.Delete(t.Context(), rep.ID))
		}
	})
}

// unlimited lets everything happen.
type unlimited struct{}

func (unlimited) Take(context.Context, string, int, time.Duration) (time.Duration, error) {
	return 0, nil
}

// counting counts how often a case is looked up.
type counting struct {
	store.CaseStore
	asked *int
}

func (c counting) ByToken(ctx context.Context, hash []byte) (store.Case, error) {
	*c.asked++
	return c.CaseStore.ByToken(ctx, hash)
}

// Whoever has guessed at tokens cannot tell one that never was from one that was.
func TestReports_answerAlikeForAllTokensThatAreNotGood(t *testing.T) {
	o := withStore(t, testOptions(t))
	h := testServer(t, o).handler()
	closed, closedToken := aCase(t, o.Store, nil)
	require.NoError(t, o.Store.Cases.Close(t.Context(), closed.ID))
	_, expired := aCase(t, o.Store, func(c *store.Case) { c.Expires = noon })
	never, _ := store.NewToken()
	_, good := aCase(t, o.Store, nil)
	asked := 0
	o.Store.Cases = counting{o.Store.Cases, &asked}

	all := map[string]bool{}
	for _, token := range []string{never, closedToken, expired} {
		asked = 0
		r := posting(h, "application/json", envelope(anID, token, aReport(t, nil)))
		assert.Equal(t, 404, r.StatusCode)
		all[fmt.Sprint(asked, r.Header, bodyOf(t, r))] = true
	}
	assert.Len(t, all, 1, "the same words, and the same work: %v", all)
	assert.Equal(t, 200, posting(h, "application/json", envelope(anID, good, aReport(t, nil))).StatusCode)
}

func TestReports_areNoLargerThanTheyMayBe(t *testing.T) {
	o := withStore(t, testOptions(t))
	h := testServer(t, o).handler()
	body := aReport(t, nil)
	deep := strings.Replace(string(body), `"schema":1`, `"schema":1,"x":`+strings.Repeat("[", 50)+strings.Repeat("]", 50), 1)
	long := strings.Replace(string(body), `"schema":1`, `"schema":1,"x":"`+strings.Repeat("x", 9000)+`"`, 1)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"65 KB":             {envelope(anID, "", append(bytes.Clone(body[:len(body)-1]), strings.Repeat(" ", 65<<10)+"}"...)), 400},
		"more than is read": {envelope(anID, "", append(bytes.Clone(body[:len(body)-1]), strings.Repeat(" ", maxBody)+"}"...)), 413},
		"too deep":          {envelope(anID, "", []byte(deep)), 400},
		"too long a text":   {envelope(anID, "", []byte(long)), 400},
	} {
		assert.Equal(t, c.status, posting(h, "application/json", c.body).StatusCode, name)
	}
	list, err := o.Store.Reports.List(t.Context(), store.ReportQuery{})
	require.NoError(t, err)
	assert.Empty(t, list)
}
