package console

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/checks"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/store"
	"latchkey/internal/testkit"
)

// behind is a Chrome whose clock is four minutes behind.
func behind(t *testing.T) evidence.Evidence {
	t.Helper()
	e := testkit.Browsers(t)["chrome-desktop"]
	e.Clock.Offset = evidence.Saw(evidence.Offset{Lo: -241_000, Hi: -240_000})
	e.Host = evidence.Told("unknown", "req-77", nil)
	return e
}

func TestReport_saysWhatToSayNextFirst(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	k := d.opened("TICKET-5")
	d.clock.Move(12 * time.Minute)
	sent := testkit.Sent(behind(t), d.clock.Now(), "reload-page")
	sent.Personal = report.Personal{Note: "It worked yesterday.", Fields: []report.Answer{{Key: "practice", Label: "Name of your practice", Value: "Lakeside"}}}
	row := d.arrives(sent, k.ID)

	text := b.ok("reports/" + row.ID).text()
	after := 0
	for _, part := range []string{
		"Say next", "This computer's clock is 4 minutes behind", "Let the clock set itself", "Sign-in said Nothing that we know", "Chrome 156 on Windows", "req-77", "TICKET-5",
		"Personal What the person wrote", "Name of your practice Lakeside", "It worked yesterday.",
		"Found", "clock-wrong", "Told then, and today", "Judged again today, it comes out as the person read it.",
		"What happened", "The link was made by li.wei", "The check that was sent began", "Tried:", "It did not get them in.", "The person sent it", "It arrived here",
		"What was seen", "Clock", "exactly as it was sent",
	} {
		at := strings.Index(text[after:], part)
		if assert.GreaterOrEqual(t, at, 0, "%q is not after %q in: %s", part, text[max(0, after-60):after], text) {
			after += at
		}
	}
	assert.Equal(t, 2, strings.Count(text, "It worked yesterday."), "by itself and in the JSON, and not among what was seen")
	assert.Contains(t, d.audit(), "maria.santos report.view "+row.ID)
}

// Times stand there as everybody has them, and as the person's own clock has.
func TestReport_tellsTimesInThePersonsZone(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	sent := testkit.Sent(behind(t), d.clock.Now())
	for zone, want := range map[int]string{-300: "(UTC−5)", 330: "(UTC+5:30)", 0: "(UTC+0)"} {
		sent.At.Zone = zone
		row := d.arrives(sent, "")
		text := b.ok("reports/" + row.ID).text()
		local := d.clock.Now().UTC().Add(time.Duration(zone) * time.Minute).Format("2 Jan, 15:04")
		assert.Contains(t, text, d.clock.Now().UTC().Format("2 Jan 2006, 15:04 UTC"))
		assert.Contains(t, text, local+" "+want)
	}
	sent.At.UTC -= 600_000
	late := d.arrives(sent, "")
	assert.Contains(t, b.ok("reports/"+late.ID).text(), "Its own time of sending and ours differ")
}

// What the person read then stands beside what this version would say.
func TestReport_marksWhatIsJudgedOtherwiseToday(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	sent := testkit.Sent(behind(t), d.clock.Now())
	require.Equal(t, "clock-wrong", sent.Shown[0].Check)
	sent.Shown = []report.Shown{{Check: "clock-wrong", Sureness: "maybe"}, {Check: "cookies-blocked", Sureness: "sure"}, {Check: "of-an-older-version", Sureness: "likely"}}
	text := b.ok("reports/" + d.arrives(sent, "").ID).text()
	assert.Contains(t, text, "this version says something else than the person read")
	for _, row := range []string{"This device's clock differs Possible Sure", "Cookies differs Sure not found", "of-an-older-version differs Likely not found"} {
		assert.Contains(t, text, row)
	}
}

func TestReport_thatCannotBeRead_canBeDeleted(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	row := store.Report{ID: store.NewID(), At: d.clock.Now(), Body: []byte(`{"schema":2}`), Code: "45VC-WV75-T00T", Outcome: "unknown"}
	require.NoError(t, d.store.Reports.Add(t.Context(), row))
	p := b.ok("reports/" + row.ID)
	assert.Contains(t, p.text(), `This report cannot be read: schema: this program reads 1, and this is "2"`)
	assert.NotContains(t, p.text(), "Download")
	assert.Equal(t, http.StatusUnprocessableEntity, b.get("reports/"+row.ID+"/test-case").status)
	assert.Equal(t, "/latchkey/support/reports", b.send("reports/"+row.ID, "reports/"+row.ID+"/delete").at)
	_, err := d.store.Reports.Get(t.Context(), row.ID)
	assert.ErrorIs(t, err, store.ErrNotFound)
	assert.Contains(t, d.audit(), "maria.santos report.delete "+row.ID)
	assert.Equal(t, http.StatusNotFound, b.get("reports/"+row.ID).status)
}

func TestReports_areFiltered(t *testing.T) {
	d := newDesk(t, false, nil)
	k := d.opened("TICKET-6")
	old := d.arrives(testkit.Sent(behind(t), d.clock.Now()), k.ID)
	d.clock.Move(48 * time.Hour)
	e := testkit.Browsers(t)["firefox-desktop"]
	e.Host = evidence.Told("account_locked", "req-88", nil)
	e.Run.Tier = evidence.JS
	today := d.arrives(testkit.Sent(e, d.clock.Now()), "")
	b := d.agent()
	day := d.clock.Now().UTC().Format(time.DateOnly)
	for query, want := range map[string][2]bool{
		"":                        {true, true},
		"?text=REQ-77":            {true, false},
		"?text=" + today.Code:     {false, true},
		"?finding=clock-wrong":    {true, false},
		"?finding=account-locked": {false, true},
		"?outcome=account_locked": {false, true},
		"?browser=Firefox":        {false, true},
		"?system=Windows":         {true, false},
		"?tier=script":            {false, true},
		"?case=" + k.ID:           {true, false},
		"?from=" + day:            {false, true},
		"?outcome=%3Cb%3E":        {false, false},
	} {
		p := b.ok("reports" + query)
		assert.Equal(t, want, [2]bool{strings.Contains(p.body, old.ID), strings.Contains(p.body, today.ID)}, query)
		assert.Empty(t, p.all(t, "b"), query)
	}
}

func TestTwo_showsWhatDiffers(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	e := behind(t)
	e.Host.Outcome = evidence.Saw(evidence.AccountLocked)
	older := d.arrives(testkit.Sent(e, d.clock.Now()), "")
	d.clock.Move(5 * time.Minute)
	e.Clock.Offset = evidence.Saw(evidence.Offset{Lo: -1000, Hi: 1000})
	e.Cookies.HTTP, e.Cookies.Script = evidence.Saw(false), evidence.Saw(false)
	newer := d.arrives(testkit.Sent(e, d.clock.Now()), "")

	p := b.ok("reports/two?id=" + newer.ID + "&id=" + older.ID) // in any order
	text := p.text()
	for _, part := range []string{"Gone This device's clock", "Still there Account lock", "New Cookies", "differs", "Came back to the server: yes", "Came back to the server: no"} {
		assert.Contains(t, text, part)
	}
	assert.Regexp(t, `Browser Chrome 156 on Windows Chrome`, text, "what is the same is not marked")
	assert.NotContains(t, text, "Scripts run", "nor shown")
	for _, id := range []string{older.ID, newer.ID} {
		assert.Contains(t, d.audit(), "maria.santos report.view "+id)
	}
	for _, query := range []string{"", "?id=" + older.ID, "?id=" + older.ID + "&id=" + older.ID, "?id=1&id=2&id=3"} {
		p := b.get("reports/two" + query)
		assert.Equal(t, http.StatusUnprocessableEntity, p.status, query)
		assert.Contains(t, p.text(), "tick exactly two of them")
	}
	assert.Equal(t, http.StatusNotFound, b.get("reports/two?id="+older.ID+"&id="+store.NewID()).status)
}

// All cases of the casebook can be looked at, and each is said as the person read it.
func TestReports_ofTheCasebookComeOutAsTheyWereTold(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	for i, e := range testkit.Casebook(t) {
		sent := testkit.Sent(e, d.clock.Now())
		p := b.ok("reports/" + d.arrives(sent, "").ID)
		say := regexp.MustCompile(`<p class="sentence">([^<]*)</p>`).FindStringSubmatch(p.body)
		if assert.NotNil(t, say, "case %d", i) {
			assert.NotContains(t, say[1], "check.", "case %d: it has words", i)
			assert.NotContains(t, say[1], "{", "case %d: all values are there", i)
		}
	}
}

// A case that is downloaded runs as a case of the casebook, as make case runs it.
func TestTestCase_isACaseOfTheCasebook(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	sent := testkit.Sent(behind(t), d.clock.Now())
	sent.Personal = report.Personal{Note: "my 5ecret", Fields: []report.Answer{{Key: "practice", Label: "Name", Value: "5ecret"}}}
	row := d.arrives(sent, "")
	page := b.ok("reports/" + row.ID)
	p := b.ok("reports/" + row.ID + "/test-case")
	assert.Equal(t, `attachment; filename="`+caseFile(row.ID)+`"`, p.header.Get("Content-Disposition"))
	assert.Contains(t, page.text(), "make case FILE=~/Downloads/"+caseFile(row.ID))
	assert.NotContains(t, p.body, "5ecret")
	assert.NotContains(t, p.body, "req-77", "nor what the site knows the sign-in by")
	assert.Contains(t, d.audit(), "maria.santos report.test-case "+row.ID)

	file := filepath.Join(t.TempDir(), caseFile(row.ID))
	try := func(body string) (string, error) {
		require.NoError(t, os.WriteFile(file, []byte(body), 0o600))
		run := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "-run", "TestCasebook", "./internal/diag")
		run.Dir, run.Env = "../../..", append(os.Environ(), "LATCHKEY_CASE="+file)
		out, err := run.CombinedOutput()
		return string(out), err
	}
	out, err := try(p.body)
	require.NoError(t, err, out)
	assert.Contains(t, out, "unknown:_Chrome_156_on_Windows")
	var k kase
	require.NoError(t, json.Unmarshal([]byte(p.body), &k))
	assert.Equal(t, report.Redact(k.See), k.See)
	k.First = "cookies-blocked"
	wrong, err := json.Marshal(k)
	require.NoError(t, err)
	out, err = try(string(wrong))
	require.Error(t, err, "it is really judged: %s", out)
}

// hostile is a report in which everything that anybody can choose is bad.
func hostile(t *testing.T) report.Sent {
	t.Helper()
	const bad = `"><img src=x onerror=alert(1)><script>alert(2)</script>'{{.}}`
	long := strings.Repeat("W", 7000)
	e := behind(t)
	e.Host = evidence.Host{Outcome: evidence.Saw(evidence.Unknown), Code: evidence.Saw(bad), Reference: evidence.Saw("\u202egnp.exe\u202c" + bad)}
	e.Browser.Family, e.Browser.System, e.Browser.App = evidence.Saw(bad), evidence.Saw("\u2066"+bad), evidence.Saw(strings.Repeat("\u202e", 50)+bad)
	e.Browser.SystemVersion = evidence.Saw("1\x1b[2J\x00")
	e.Page.Failed = evidence.Saw(evidence.Addresses{"javascript:alert(1)", "https://" + strings.Repeat("w", 250) + ".example", long})
	e.Storage.Local = evidence.Fact[bool]{State: evidence.Broken, Note: bad}
	sent := testkit.Sent(e, time.Now())
	sent.Shown = append(sent.Shown, report.Shown{Check: "constructor", Sureness: "sure"})
	sent.Personal = report.Personal{Note: bad + "\n" + strings.Repeat("😕", 1500), Fields: []report.Answer{{Key: "k", Label: bad, Value: strings.Repeat("W", 200)}}}
	return sent
}

func TestReports_hostileContentStaysText(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	k := d.opened(`"><img src=x onerror=alert(3)>` + "\u202e")
	row := d.arrives(hostile(t), k.ID)
	other := d.arrives(testkit.Sent(behind(t), d.clock.Now()), k.ID)
	for _, path := range []string{
		"", "cases", "cases/" + k.ID, "cases/" + k.ID + "/now", "cases/new?like=" + k.ID, "reports", "reports/" + row.ID, "reports/two?id=" + row.ID + "&id=" + other.ID,
		"search?text=%22%3E%3Cimg+src%3Dx+onerror%3Dalert(1)%3E%E2%80%AE", "decode?code=%22%3E%3Cimg+src%3Dx%3E%E2%80%AE",
		"reports?browser=%22%3E%3Cimg+src%3Dx%3E&case=%22%3E%3Cimg+src%3Dx%3E&text=%22%3E%3Cimg+src%3Dx%3E",
	} {
		p := b.get(path)
		require.Contains(t, []int{http.StatusOK, http.StatusUnprocessableEntity}, p.status, path)
		assert.Empty(t, p.all(t, "img"), path)
		for _, s := range p.all(t, "script") {
			assert.Equal(t, "/latchkey/live.js", attr(s, "src"), path)
		}
		for _, name := range []string{"a", "form", "button", "input", "div"} {
			for _, n := range p.all(t, name) {
				for _, a := range n.Attr {
					assert.False(t, strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(a.Val, "javascript:"), "%s: %s=%s", path, a.Key, a.Val)
				}
			}
		}
		hidden := strings.IndexFunc(p.body, func(r rune) bool { return slices.Contains([]rune{'\u202e', '\u202c', '\u2066', '\x1b', '\x00'}, r) })
		assert.Negative(t, hidden, "%s: a character that cannot be seen: %q", path, p.body[max(0, hidden-40):max(0, hidden)])
	}
}

// The judge of this package is the catalogue that all have.
func TestRead_judgesByTheCatalogue(t *testing.T) {
	d := newDesk(t, false, nil)
	sent := testkit.Sent(behind(t), d.clock.Now())
	got := d.console.read(testkit.Row(t, sent, "", d.clock.Now()))
	assert.Equal(t, checks.Catalogue().Diagnose(got.Today.Seen).Findings, got.Today.Findings)
}
