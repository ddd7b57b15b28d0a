package widget_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"latchkey/app/widget"
	"latchkey/internal/checks"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/testkit"
	"latchkey/internal/text"
)

// shown renders a model and parses it again, as a browser does.
func shown(t *testing.T, m widget.Model) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(app.HTMLString(widget.View(m, text.English()))))
	require.NoError(t, err)
	for n := range doc.Descendants() {
		if n.Data == "main" {
			return n
		}
	}
	require.Fail(t, "no main element")
	return nil
}

// model judges a healthy Chrome in which something is changed.
func model(t *testing.T, change func(*evidence.Evidence)) widget.Model {
	t.Helper()
	e := testkit.Browsers(t)["chrome-desktop"]
	if change != nil {
		change(&e)
	}
	return widget.Model{Report: report.New(e, checks.Catalogue().Diagnose(e)), Site: widget.Site{Name: "Example Clinic", Phone: "555-0100"}}
}

func blocked(e *evidence.Evidence) {
	e.Cookies = evidence.Cookies{Enabled: evidence.Saw(true), Script: evidence.Saw(false), HTTP: evidence.Saw(false)}
	e.Storage.Local = evidence.Failed[bool]("SecurityError: denied")
}

func told(o evidence.Outcome) func(*evidence.Evidence) {
	return func(e *evidence.Evidence) { e.Host.Outcome = evidence.Saw(o) }
}

func TestView_saysOneLineAfterAWrongPasswordOnlyInAFrameAndOnlyIfThereIsNothingElse(t *testing.T) {
	compact := func(m widget.Model) bool {
		for n := range shown(t, m).Descendants() {
			for _, a := range n.Attr {
				if a.Key == "id" && a.Val == "latchkey-closer" {
					return true
				}
			}
		}
		return false
	}
	wrong := told(evidence.InvalidCredentials)
	m := model(t, wrong)
	assert.False(t, compact(m), "on a page of its own")
	m.Frame = true
	assert.True(t, compact(m))
	m = model(t, func(e *evidence.Evidence) { wrong(e); blocked(e) })
	m.Frame = true
	assert.False(t, compact(m), "cookies are blocked too")
}

// A hostile browser writes where it can: everything in the evidence that is a
// text. None of it may become an element or an attribute.
func TestView_keepsHostileEvidenceInText(t *testing.T) {
	for _, hostile := range []string{`"><script>alert(1)</script>`, `\" onclick=alert(1) x="`, "<b>`'\x00", "{site}"} {
		m := model(t, func(e *evidence.Evidence) {
			blocked(e)
			e.Host = evidence.Told(hostile, hostile, nil)
			e.Browser.Family, e.Browser.System, e.Browser.Device = evidence.Saw(hostile), evidence.Saw(hostile), evidence.Saw(hostile)
			e.Script.WasmType = evidence.Saw(hostile)
			e.Run.TierReason = evidence.ContentType
			e.Storage.Session = evidence.Fact[bool]{State: evidence.Broken, Note: hostile}
			e.Page.Failed = evidence.Saw(evidence.Addresses{hostile})
		})
		plain := model(t, func(e *evidence.Evidence) {
			blocked(e)
			e.Host = evidence.Told("x", "x", nil)
			e.Run.TierReason = evidence.ContentType
			e.Storage.Session = evidence.Fact[bool]{State: evidence.Broken, Note: "x"}
		})
		names := func(m widget.Model) (all []string) {
			for n := range shown(t, m).Descendants() {
				for _, a := range n.Attr {
					assert.NotContains(t, a.Val, "alert")
					assert.NotContains(t, a.Val, "`")
				}
				// How many steps there are, and what is drawn, depends on the browser.
				if n.Type == html.ElementNode && !slices.Contains([]string{"li", "div", "p", "svg", "path", "circle"}, n.Data) {
					all = append(all, n.Data)
				}
			}
			return all
		}
		assert.ElementsMatch(t, names(plain), names(m))
	}
}

func TestView_showsEachFixOnceAndEveryFinding(t *testing.T) {
	m := model(t, func(e *evidence.Evidence) { blocked(e); told(evidence.SessionLost)(e) })
	var findings, fixes []string
	for n := range shown(t, m).Descendants() {
		for _, a := range n.Attr {
			switch a.Key {
			case "data-finding":
				findings = append(findings, a.Val)
			case "data-fix":
				fixes = append(fixes, a.Val)
			}
		}
	}
	assert.Equal(t, m.Report.Summary().Findings, findings, "in the order of their rank")
	assert.Equal(t, []string{"allow-cookies", "use-other-browser", "contact-support"}, fixes)
}

// A second look is offered where it can tell something and somebody can fetch it.
func TestView_offersASecondLook(t *testing.T) {
	offers := func(change func(*evidence.Evidence), pair string) bool {
		m := model(t, change)
		m.Pair = pair
		for n := range shown(t, m).Descendants() {
			for _, a := range n.Attr {
				if a.Key == "data-script" {
					return true
				}
			}
		}
		return false
	}
	const script = "/latchkey/static/pair.js"
	assert.True(t, offers(blocked, script), "something was found")
	assert.True(t, offers(told(evidence.SessionLost), script), "a private window is advised")
	assert.False(t, offers(nil, script))
	assert.False(t, offers(told(evidence.AccountLocked), script), "it would be the same everywhere")
	assert.False(t, offers(blocked, ""), "nobody can fetch it")
	assert.False(t, offers(func(e *evidence.Evidence) { blocked(e); e.Run.Tier = evidence.HTML }, script), "without scripts")
}
