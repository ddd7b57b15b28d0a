package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"latchkey/internal/report"
	"latchkey/internal/store"
	"latchkey/internal/testkit"
	"latchkey/internal/text"
)

// asking is a console of an operator who asks for a practice.
func asking(_ *desk, o *Options) {
	o.Asks = []report.Ask{{Key: "practice", Label: "Name of your practice"}}
	o.Languages = text.Languages()
}

// agent is the browser of an agent who is signed in.
func (d *desk) agent() *tab {
	d.user("maria.santos", store.Agent)
	return d.tab().signIn("maria.santos")
}

// ok is a page that is there.
func (b *tab) ok(path string) answer {
	b.t.Helper()
	p := b.get(path)
	require.Equal(b.t, http.StatusOK, p.status, "%s: %s", path, p.text())
	return p
}

// opened puts a case into the store.
func (d *desk) opened(reference string) store.Case {
	d.t.Helper()
	k := store.Case{ID: store.NewID(), Made: d.clock.Now(), By: "li.wei", Reference: reference, Expires: d.clock.Now().Add(time.Hour)}
	_, hash := store.NewToken()
	require.NoError(d.t, d.store.Cases.Add(d.t.Context(), k, hash))
	return k
}

// arrives puts a report into the store.
func (d *desk) arrives(s report.Sent, of string) store.Report {
	d.t.Helper()
	row := testkit.Row(d.t, s, of, d.clock.Now())
	require.NoError(d.t, d.store.Reports.Add(context.WithoutCancel(d.t.Context()), row))
	return row
}

// all are the elements of a name.
func (p answer) all(t *testing.T, name string) (found []*html.Node) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(p.body))
	require.NoError(t, err)
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(doc)
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

var linkForm = regexp.MustCompile(`http://[^/]+/latchkey/d/([A-Za-z0-9_-]{22})`)

// makes fills in the form for a new link and sends it.
func (b *tab) makes(fields ...string) answer {
	b.t.Helper()
	return b.send("cases/new", "cases", append([]string{"id", store.NewID(), "hours", "24"}, fields...)...)
}

func TestNewLink_isShownOnceInFull(t *testing.T) {
	d := newDesk(t, false, asking)
	b := d.agent()
	p := b.makes("reference", "TICKET-1", "note", "Called <b>twice</b>.", "outcome", "session_lost", "lang", "en", "ask", "practice", "extra", "Your provider number\n\n")
	require.Equal(t, http.StatusOK, p.status, p.text())
	found := linkForm.FindStringSubmatch(p.body)
	require.NotNil(t, found, p.text())
	hash, ok := store.HashToken(found[1])
	require.True(t, ok)
	k, err := d.store.Cases.ByToken(t.Context(), hash)
	require.NoError(t, err)

	want := store.Case{
		ID: k.ID, Made: d.clock.Now(), By: "maria.santos", From: "Example Clinic support", Note: "Called <b>twice</b>.", Reference: "TICKET-1",
		Outcome: "session_lost", Lang: "en", Expires: d.clock.Now().Add(24 * time.Hour),
		Asks: []report.Ask{{Key: "practice", Label: "Name of your practice"}, {Key: "extra-1", Label: "Your provider number"}},
	}
	assert.True(t, want.Made.Equal(k.Made) && want.Expires.Equal(k.Expires), "%v to %v", k.Made, k.Expires)
	want.Made, want.Expires = k.Made, k.Expires
	assert.Equal(t, want, k)
	assert.Contains(t, d.audit(), "maria.santos case.make "+k.ID)

	later := b.ok("cases/" + k.ID)
	assert.NotContains(t, later.body, found[1], "only its hash is kept")
	assert.Contains(t, later.text(), "Called <b>twice</b>.", "as text")
	for _, list := range []string{"", "cases", "search?text=TICKET-1"} {
		assert.NotContains(t, b.ok(list).body, found[1], list)
	}
}

func TestNewLink_isReadyToBeSent(t *testing.T) {
	d := newDesk(t, false, nil)
	p := d.agent().makes()
	link := linkForm.FindString(p.body)
	require.NotEmpty(t, link)
	var mail, sms *url.URL
	for _, a := range p.all(t, "a") {
		u, err := url.Parse(attr(a, "href"))
		require.NoError(t, err)
		switch u.Scheme {
		case "mailto":
			mail = u
		case "sms":
			sms = u
		}
	}
	require.NotNil(t, mail)
	require.NotNil(t, sms)
	assert.Equal(t, "Find out why you can’t sign in to Example Clinic", mail.Query().Get("subject"))
	assert.NotContains(t, mail.RawQuery, "+", "mail programs take it for a plus")
	for name, text := range map[string]string{"mail": mail.Query().Get("body"), "text message": sms.Query().Get("body")} {
		assert.Contains(t, text, link, name)
		assert.Contains(t, text, "ood until "+d.clock.Now().UTC().Add(24*time.Hour).Format("2 January 2006, 15:04 UTC"), name)
	}
	assert.Less(t, len([]rune(sms.Query().Get("body"))), 306, "two text messages")
	texts := p.all(t, "textarea")
	require.Len(t, texts, 2)
	assert.Equal(t, mail.Query().Get("body"), strings.ReplaceAll(texts[0].FirstChild.Data, "\n", "\r\n"))
	require.Len(t, p.all(t, "svg"), 1, "to scan")
	assert.NotContains(t, p.body, `http-equiv="refresh"`, "a page that loads itself anew would lose the link")
}

func TestNewLink_thatIsSentTwiceIsMadeOnce(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	id := store.NewID()
	first := b.makes("id", id)
	require.Equal(t, http.StatusOK, first.status)
	again := b.makes("id", id)
	assert.Equal(t, "/latchkey/support/cases/"+id, again.at)
	assert.NotRegexp(t, linkForm, again.body)
	assert.Regexp(t, linkForm, first.body)
}

func TestNewLink_refuses(t *testing.T) {
	d := newDesk(t, false, asking)
	b := d.agent()
	for _, c := range []struct {
		name, field, value, want string
	}{
		{"an outcome that is none", "outcome", "bored", "Choose what the sign-in said from the list."},
		{"a language that is none", "lang", "tlh", "Choose the language from the list."},
		{"an end that is none", "hours", "9000", "Choose how long the link is good for from the list."},
		{"an id of somebody else's making", "id", "../../x", "This form was not ours."},
		{"a long note", "note", strings.Repeat("é", 2001), "The note is too long. Use at most 2000 characters."},
		{"a long reference", "reference", strings.Repeat("é", 101), "The reference is too long."},
		{"a long label", "extra", "short\n" + strings.Repeat("é", 101), "Ask for, line 2:"},
		{"a label that runs backwards", "extra", "a\u202eb", "Ask for, line 1:"},
		{"many labels", "extra", "a\nb\nc\nd\ne", "Ask for at most 4 things of your own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := b.makes(c.field, c.value)
			assert.Equal(t, http.StatusUnprocessableEntity, p.status)
			assert.Contains(t, p.text(), c.want)
			assert.Contains(t, p.text(), "New link", "the form is there to be mended")
		})
	}
	kept, err := d.store.Cases.List(t.Context(), store.CaseQuery{})
	require.NoError(t, err)
	assert.Empty(t, kept)
	assert.NotContains(t, strings.Join(d.audit(), "\n"), "case.make")
}

func TestNewLink_likeAnother(t *testing.T) {
	d := newDesk(t, false, asking)
	b := d.agent()
	made := b.makes("reference", "TICKET-1", "note", "N", "outcome", "throttled", "extra", "Your provider number")
	id := regexp.MustCompile(`cases/new\?like=([a-z0-9]{26})`).FindStringSubmatch(made.body)
	require.NotNil(t, id)
	p := b.ok("cases/new?like=" + id[1])
	for _, part := range []string{`value="TICKET-1"`, ">N</textarea>", `value="throttled" selected`, "Your provider number\n</textarea>"} {
		assert.Contains(t, p.body, part)
	}
	assert.NotContains(t, p.body, " checked", "the first did not ask for the practice")
}

func TestCase_isClosedAndDeleted(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	k := d.opened("TICKET-2")
	d.arrives(testkit.Sent(testkit.Casebook(t)[0], d.clock.Now()), k.ID)

	p := b.send("cases/"+k.ID, "cases/"+k.ID+"/close")
	assert.Equal(t, "/latchkey/support/cases/"+k.ID, p.at)
	assert.Contains(t, p.text(), "Closed")
	assert.NotContains(t, p.text(), "Close the link")
	kept, err := d.store.Cases.Get(t.Context(), k.ID)
	require.NoError(t, err)
	assert.False(t, kept.Usable(d.clock.Now()))

	p = b.send("cases/"+k.ID, "cases/"+k.ID+"/delete")
	assert.Equal(t, "/latchkey/support/cases", p.at)
	assert.Equal(t, http.StatusNotFound, b.get("cases/"+k.ID).status)
	reports, err := d.store.Reports.List(t.Context(), store.ReportQuery{})
	require.NoError(t, err)
	assert.Empty(t, reports)
	log := strings.Join(d.audit(), "\n")
	for _, did := range []string{"case.view ", "case.close ", "case.delete "} {
		assert.Contains(t, log, "maria.santos "+did+k.ID)
	}
}

// What cannot be written down is not done, and not shown.
func TestConsole_doesNothingThatTheAuditLogDoesNotKnow(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	k := d.opened("TICKET-3")
	rep := d.arrives(testkit.Sent(testkit.Casebook(t)[0], d.clock.Now()), k.ID)
	token := b.get("cases/new").hidden("csrf")
	d.store.Audit = brokenAudit{d.store.Audit}

	for _, path := range []string{"cases/" + k.ID, "cases/" + k.ID + "/now", "cases/new?like=" + k.ID, "reports/" + rep.ID, "reports/" + rep.ID + "/test-case", "reports/two?id=" + rep.ID + "&id=x"} {
		p := b.get(path)
		assert.Equal(t, http.StatusServiceUnavailable, p.status, path)
		assert.NotContains(t, p.text(), "TICKET-3", path)
	}
	for _, path := range []string{"cases/" + k.ID + "/close", "cases/" + k.ID + "/delete", "reports/" + rep.ID + "/delete", "cases"} {
		p := b.post(path, "csrf", token, "id", store.NewID(), "hours", "24")
		assert.Equal(t, http.StatusServiceUnavailable, p.status, path)
		assert.Contains(t, p.text(), "Nothing was changed.", path)
	}
	cases, err := d.store.Cases.List(t.Context(), store.CaseQuery{})
	require.NoError(t, err)
	require.Len(t, cases, 1)
	assert.True(t, cases[0].Usable(d.clock.Now()))
	assert.Equal(t, 1, cases[0].Reports)
}

func TestCases_areFiltered(t *testing.T) {
	d := newDesk(t, false, nil)
	old := d.opened("TICKET-old")
	d.clock.Move(48 * time.Hour)
	b := d.agent()
	today := d.opened("TICKET-new")
	day := d.clock.Now().UTC().Format(time.DateOnly)
	for query, want := range map[string][2]bool{ // whether the old and the new one are there
		"":                                    {true, true},
		"?text=ticket-OLD":                    {true, false},
		"?text=" + short(today.ID):            {false, true},
		"?by=li.wei":                          {true, true},
		"?by=somebody":                        {false, false},
		"?open=1":                             {false, true},
		"?from=" + day:                        {false, true},
		"?to=" + day:                          {true, true},
		"?from=" + day + "&to=" + day:         {false, true},
		"?from=yesterday&to=%22%3E%3Cb%3E":    {true, true},
		"?text=%27+OR+1=1+--":                 {false, false},
		"?text=" + strings.Repeat("x", 10000): {false, false},
	} {
		p := b.ok("cases" + query)
		assert.Equal(t, want, [2]bool{strings.Contains(p.body, old.ID), strings.Contains(p.body, today.ID)}, "%.80s", query)
		assert.Empty(t, p.all(t, "b"), "%.80s", query)
	}
}

func TestCases_comeInPages(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	for i := range pageRows + 3 {
		d.clock.Move(time.Second)
		d.opened(fmt.Sprintf("TICKET-%d.", i))
	}
	first := b.ok("cases?text=TICKET")
	assert.Contains(t, first.text(), "TICKET-52.")
	assert.NotContains(t, first.text(), "TICKET-2.")
	older := regexp.MustCompile(`href="(\?[^"]*before=[^"]*)"`).FindStringSubmatch(first.body)
	require.NotNil(t, older)
	second := b.ok("cases" + html.UnescapeString(older[1]))
	assert.Contains(t, second.text(), "TICKET-2. ")
	assert.Contains(t, second.text(), "TICKET-0. ")
	assert.NotContains(t, second.text(), "TICKET-3. ")
	assert.NotContains(t, second.text(), "Older ones")
}
