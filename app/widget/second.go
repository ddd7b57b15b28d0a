package widget

import (
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/text"
)

// experiments are the fixes that a second look takes the place of.
var experiments = []string{"try-private-window", "try-other-network", "use-other-device", "use-other-browser"}

// comparable is whether a second look can tell something: a script has to be there
// to fetch it, and something to be found that is not only the login server's word,
// or an experiment to be advised.
func (v view) comparable() bool {
	told := func(f diag.Finding) bool {
		return strings.HasPrefix(f.Check, "account-") || strings.HasPrefix(f.Check, "service-")
	}
	return v.Pair != "" && v.Report.Tier != evidence.HTML &&
		(slices.ContainsFunc(v.Report.Advice, func(a diag.Advice) bool { return slices.Contains(experiments, a.Fix) }) ||
			slices.ContainsFunc(v.Report.Findings, func(f diag.Finding) bool { return !told(f) }))
}

// second lets people compare this look with one under a changed condition. pair.js,
// which frame.js loads when it is opened, makes the address and fetches what is
// brought.
func (v view) second() app.UI {
	part := app.Details().ID("latchkey-second").Class("pair")
	if !v.comparable() {
		return part.Hidden(true) // in its place, as a fold
	}
	var steps []app.UI
	program, system := v.Report.Shown()
	for _, line := range v.words.Lines(nil, text.Variants("ui.second.steps", program, system)...) {
		steps = append(steps, app.Li().Text(line))
	}
	return part.Body(
		app.Summary().ID("latchkey-second-summary").DataSet("script", v.Pair).Text(v.ui("second")),
		app.Div().Body(
			app.Ol().Body(steps...),
			app.Div().ID("latchkey-second-door").Class("door").Hidden(true).Body(
				v.qr("second", Door{}),
				app.Div().Body(
					app.P().ID("latchkey-second-address").Class("address"),
					app.P().Body(app.Button().ID("latchkey-second-copy").Type("button").
						DataSet("done", v.ui("copiedlink")).Text(v.ui("copylink"))),
					app.P().Body(app.Span().Text(v.ui("second.code")), app.Text(" "), app.Strong().ID("latchkey-second-code").Class("code")),
				),
			),
			v.pairStatus("second"),
		),
	)
}

// concluded says what follows from second looks, and what was different in them.
func (v view) concluded() []app.UI {
	var parts []app.UI
	seen := v.Report.Seen.Run.Compared
	for _, c := range diag.Conclude(seen) {
		body := []app.UI{app.P().Body(app.Strong().Text(v.words.Text(nil, "compare."+c.ID)))}
		for _, look := range seen {
			if !strings.HasPrefix(c.ID, string(look.Under)) {
				continue
			}
			for _, part := range []struct {
				name  string
				names evidence.Names
			}{{"gone", look.Gone}, {"stayed", look.Stayed}, {"came", look.Came}} {
				if len(part.names) > 0 {
					body = append(body, app.P().Text(v.words.Text(diag.Args{"names": v.names(part.names)}, "ui.second."+part.name)))
				}
			}
		}
		parts = append(parts, app.Div().Class("compared").DataSet("compared", c.ID).Body(body...))
	}
	if len(parts) == 0 && len(seen) > 0 {
		parts = append(parts, app.Div().Class("compared").DataSet("compared", "open").Body(app.P().Text(v.ui("second.open"))))
	}
	return parts
}
