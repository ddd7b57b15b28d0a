package widget

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/text"
)

func in(program, system string) view {
	seen := evidence.Evidence{Browser: evidence.Browser{Family: evidence.Saw(program), System: evidence.Saw(system)}}
	return view{Model: Model{Report: report.New(seen, diag.Diagnosis{})}, words: text.English()}
}

// systems are those that a browser is drawn for.
var systems = []string{"Windows", "macOS", "Linux", "ChromeOS", "Android", "iOS", "iPadOS"}

// What is drawn says the same as the steps: an icon in front of the address is drawn
// where they begin with one, and nowhere else.
func TestHint_agreesWithTheSteps(t *testing.T) {
	front := regexp.MustCompile(`(lock|shield|icon)s? left of the address`)
	drawn := 0
	for fix := range starts {
		for _, program := range []string{"Chrome", "Edge", "Firefox", "Safari", "Samsung Internet", "Brave"} {
			for _, system := range systems {
				v := in(program, system)
				steps := v.voice().Lines("fix."+fix+".steps", nil)
				require.NotEmpty(t, steps)
				if html := app.HTMLString(v.hint(fix, steps)); strings.Contains(html, "start of the bar") {
					drawn++
					assert.Regexp(t, front, steps[0], "%s in %s on %s", fix, program, system)
				}
			}
		}
	}
	assert.Greater(t, drawn, 10)
}

func TestHint_isDrawnWhereTheMenuIs(t *testing.T) {
	cases := []struct{ program, system, step, want string }{
		{"Chrome", "Windows", "Select ⋮, “Settings”.", "⋮ is at the end of the bar with the address."},
		{"Chromium", "Linux", "Select ⋮, “Settings”.", "⋮ is at the end of the bar with the address."},
		{"Edge", "macOS", "Select ⋯, “Settings”.", "⋯ is at the end of the bar with the address."},
		{"Firefox", "Linux", "Select ☰, “Settings”.", "☰ is at the end of the bar with the address."},
		{"Chrome", "Android", "Select ⋮, “Settings”.", "⋮ is at the end of the bar with the address."},
		{"Samsung Internet", "Android", "Select ☰, “Settings”.", "☰ is below the page, at the end of the bar there."},
		{"Chrome", "iOS", "Select ⋯, “New Incognito tab”.", "⋯ is below the page, at the end of the bar there."},
		// Where people put it, or where it is not known.
		{"Firefox", "Android", "Select ⋮, “Extensions”.", ""},
		{"LinkedIn", "Android", "Select ⋮, “Open in browser”.", ""},
		{"Opera", "Windows", "Select ⋮, “Settings”.", ""},
		{"Chrome", "Windows", "Open the menu (⋮, ⋯ or ☰).", ""},
		{"Chrome", "Windows", "Reload the page.", ""},
	}
	for _, c := range cases {
		html := app.HTMLString(in(c.program, c.system).hint("any", []string{c.step}))
		if c.want == "" {
			assert.NotContains(t, html, "svg", "%s on %s: %s", c.program, c.system, c.step)
			continue
		}
		assert.Contains(t, html, c.want, "%s on %s", c.program, c.system)
		assert.Contains(t, html, `role="none"`)
	}
}

func TestClockFaces(t *testing.T) {
	faces := func(offset float64, at evidence.Fact[evidence.Moment]) string {
		v := in("Chrome", "Windows")
		v.Report.Seen.Run.At = at
		return app.HTMLString(v.clockFaces(diag.Finding{Check: "clock-wrong", Args: diag.Args{"offset": offset}}))
	}
	at := evidence.Saw(evidence.Moment{UTC: 1_795_600_440_000, Zone: 60}) // 10:54 there
	behind := faces(-330, at)
	for _, want := range []string{"10:54", "10:59", "rotate(327 32 32)", "rotate(324 32 32)", "rotate(329 32 32)", "rotate(354 32 32)"} {
		assert.Contains(t, behind, want)
	}
	assert.Contains(t, faces(3600, at), "09:54")
	for _, offset := range []float64{30, 86400} {
		assert.NotContains(t, faces(offset, at), "svg", "hands would show no difference: %v s", offset)
	}
	assert.NotContains(t, faces(-330, evidence.Fact[evidence.Moment]{}), "svg")
}

func TestPath_marksOnePlace(t *testing.T) {
	place := func(check string) int {
		html := app.HTMLString(in("Chrome", "Windows").path(diag.Finding{Check: check}))
		parts := strings.Split(html, "<li")[1:]
		return slices.IndexFunc(parts, func(p string) bool { return strings.Contains(p, "Trouble here") })
	}
	assert.Equal(t, 1, place("network-captive-portal"))
	assert.Equal(t, 1, place("websocket-blocked"))
	assert.Equal(t, 2, place("site-fault"))
	assert.Equal(t, 2, place("service-maintenance"))
	assert.Equal(t, -1, place("cookies-blocked"))
	assert.Equal(t, -1, place("network-local-access"), "the browser's own setting")
}
