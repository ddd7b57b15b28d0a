// Package widget is what a person sees: go-app components that show a report
// in words. Values come in; what the person does goes out as data-action
// attributes, which frame.js and the browser's own forms and links act upon, so
// that one view serves all three tiers. The same components are mounted in the
// browser and rendered on the server.
//
// go-app writes attributes on the server without HTML escaping: nothing that
// came from a browser stands in an attribute here, only in text.
package widget

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/text"
)

// Site is what the operator says of the site and its support.
type Site struct {
	Name string `json:"name,omitempty"`
	// Host is the login page's host, as it is typed into settings.
	Host  string `json:"host,omitempty"`
	Login string `json:"login,omitempty"`
	// Logo is the address of an image, which stands on a page of our own.
	Logo string `json:"logo,omitempty"`
	// Clears is whether the server can take the login's cookies away.
	Clears bool   `json:"clears,omitempty"`
	Phone  string `json:"phone,omitempty"`
	Email  string `json:"email,omitempty"`
	Hours  string `json:"hours,omitempty"`
	URL    string `json:"url,omitempty"`
}

// Model is what one screen shows.
type Model struct {
	Report report.Report `json:"-"`
	Site   Site          `json:"site"`
	// Frame is whether the screen stands in a login page, where it can be
	// closed and where a plain wrong password gets one line only.
	Frame bool `json:"frame"`
	// Address is where a person goes on in another browser.
	Address string `json:"address"`
	// Phone is how to check the clock of a phone, where that may help.
	Phone Phone `json:"phone"`
	// Pair is the address of pair.js, which works in the parts that other devices
	// and windows are joined in. Without it there is no second look.
	Pair string `json:"pair"`
	// Send is where what was found can go.
	Send Send `json:"send,omitzero"`
	// Done and All count steps of looking; All is 0 when nothing is going on.
	Done, All int `json:"-"`
}

// View renders the model in the words of a catalogue.
func View(m Model, words *text.Catalogue) app.UI {
	v := view{Model: m, words: words}
	body := v.body()
	if v.compact() {
		f := m.Report.Findings[0]
		closer := app.Details().ID("latchkey-closer").Class("closer").DataSet("finding", f.Check)
		if len(m.Report.Seen.Run.Before) > 0 {
			closer = closer.Open(true) // who has asked again sees all
		}
		body = []app.UI{closer.Body(
			app.Summary().ID("latchkey-closer-summary").Body(
				// Folded it asks, unfolded it says what all answers are headed with.
				app.H1().ID("latchkey-title").TabIndex(-1).Body(
					app.Span().Class("line").Text(v.ui("closer.line")),
					app.Span().Class("whole").Text(v.ui("title")),
				),
				app.Text(" "),
				app.Span().Class("link").Text(v.ui("closer")),
			),
			app.Div().Body(body...),
		)}
	}
	return app.Main().ID("latchkey").Class(v.class()).Body(body...)
}

// Finding renders one finding by itself, with the first thing to do about it.
func Finding(m Model, words *text.Catalogue, f diag.Finding) app.UI {
	m.Report.Advice, m.Report.Findings = []diag.Advice{{Fix: f.Fixes[0], Helps: []string{f.Check}}}, []diag.Finding{f}
	return view{Model: m, words: words}.finding(f, true)
}

// Title is a finding in one sentence.
func Title(m Model, words *text.Catalogue, f diag.Finding) string {
	return view{Model: m, words: words}.title(f)
}

// view is a model together with the words for it.
type view struct {
	Model
	words *text.Catalogue
}

func (v view) class() string {
	if v.compact() {
		return "card compact"
	}
	return "card"
}

// compact is whether all there is to say is that the password was wrong.
func (v view) compact() bool {
	fs := v.Report.Findings
	return v.Frame && len(fs) == 1 && fs[0].Check == "account-credentials"
}

func (v view) body() []app.UI {
	return []app.UI{
		v.head(),
		v.progress(),
		v.answer(),
		app.Div().Class("actions").Body(
			v.onward("again", v.verifiable() && !v.Report.Fixed()).Class(primary(!v.Report.Fixed() && !v.acts())),
			app.If(len(v.Report.Advice) > 0, func() app.UI { return v.onward("still", true).Class("quiet") }),
		),
		v.next(),
		v.second(),
		v.others(),
		v.passed(),
		v.gaps(),
		v.help(),
	}
}

// onward is a button that looks again. It holds what will have been tried then:
// what stands first, too, if that is settled by pressing it.
func (v view) onward(label string, settles bool) app.HTMLButton {
	tried := v.past()
	if settles && len(v.Report.Advice) > 0 {
		tried = append(tried, v.Report.Advice[0].Fix)
	}
	return app.Button().ID("latchkey-"+label+"-button").Type("submit").Attr("form", "latchkey-again").
		Name("tried").Value(strings.Join(tried, ",")).DataSet("action", "again").Text(v.ui(label))
}

// past are the fixes that were tried. They come from a browser and stand in
// attributes, so they are those that we know.
func (v view) past() []string {
	var ids []string
	for _, id := range v.Report.Seen.Run.Tried {
		if v.words.Has("fix." + id + ".title") {
			ids = append(ids, id)
		}
	}
	return ids
}

// verifiable is whether another look shows if the first thing to do has helped.
// What only the login server knows it cannot show.
func (v view) verifiable() bool {
	return len(v.Report.Advice) > 0 && slices.ContainsFunc(v.Report.Findings, func(f diag.Finding) bool {
		return !f.Told && slices.Contains(v.Report.Advice[0].Helps, f.Check)
	})
}

// clears is whether a fix is one that the server does here when it is asked.
func (v view) clears(fix string) bool {
	return v.Site.Clears && (fix == "clear-site-data" || fix == "remove-old-cookies")
}

// acts is whether the first thing to do is a button of its own.
func (v view) acts() bool {
	if len(v.Report.Advice) == 0 {
		return false
	}
	fix := v.Report.Advice[0].Fix
	return fix == "open-in-browser" || v.clears(fix)
}

// primary is the class of a button that is the one thing to do, or is not.
func primary(is bool) string {
	if is {
		return "primary"
	}
	return "second"
}

func (v view) head() app.UI {
	return app.Header().Body(
		app.If(v.Site.Logo != "" && !v.Frame, func() app.UI {
			// Its name stands in text, where nothing has to be escaped.
			return app.Span().Class("logo").Body(app.Elem("img").Attr("src", v.Site.Logo).Attr("alt", ""), app.Span().Class("heard").Text(v.Site.Name))
		}),
		app.If(!v.compact(), func() app.UI {
			return app.H1().ID("latchkey-title").TabIndex(-1).Text(v.ui("title"))
		}),
		app.If(v.Frame, func() app.UI {
			return app.Button().ID("latchkey-close").Type("button").Class("close").DataSet("action", "back").
				Aria("label", v.ui("close")).Text("✕")
		}),
	)
}

// progress keeps its height when there is none, so that nothing moves.
func (v view) progress() app.UI {
	all, done := v.All, v.Done
	if all == 0 {
		all, done = 1, 1
	}
	// Who listens hears the answer with the end of looking; who sees has it
	// below.
	answer := v.headline()
	if v.All > 0 {
		answer = ""
	}
	return app.Div().Class("progress").Body(
		app.P().Attr("role", "status").Body(
			app.Span().Class("at-work").Text(v.ui("looking")),
			app.Span().Class("at-end").Text(v.ui("done")),
			app.Span().Class("heard").Text(answer),
		),
		app.Progress().Max(all).Value(done).Aria("label", v.ui("looking")),
	)
}

// headline is the answer in one sentence.
func (v view) headline() string {
	switch fs := v.Report.Findings; {
	case v.Report.Fixed():
		return v.ui("fixed.title")
	case len(fs) > 0:
		return v.title(fs[0])
	case v.unseen():
		return v.ui("unseen.title")
	}
	return v.ui("healthy.title")
}

// persists is whether something was tried and did not help.
func (v view) persists() bool {
	return len(v.past()) > 0 && len(v.Report.Findings) > 0 && !v.Report.Fixed() && v.All == 0
}

// unseen is whether there was nothing but the request to judge by.
func (v view) unseen() bool {
	return v.Report.Tier == evidence.HTML && len(v.Report.Findings) == 0
}

func (v view) answer() app.UI {
	parts := v.concluded()
	fs := v.Report.Findings
	switch {
	case v.Report.Fixed():
		parts = append(parts, app.Div().Class("fixed").DataSet("latchkey-fixed", "true").Body(
			app.H2().Text(v.ui("fixed.title")),
			app.P().Text(v.words.Text(diag.Args{"names": v.names(v.Report.Resolved())}, "ui.fixed.why")),
			app.Button().ID("latchkey-back").Type("button").Class("primary").DataSet("action", "back").Text(v.ui("back")),
		))
	case v.persists():
		parts = append(parts, v.soFar()...)
	}
	if left := v.Report.Seen.Cookies.Left.Value; len(left) > 0 {
		parts = append(parts, app.P().Class("persists").Text(v.words.Text(diag.Args{"left": strings.Join(left, v.ui("comma"))}, "ui.clear.left")))
	}
	switch {
	case len(fs) > 0:
		parts = append(parts, v.finding(fs[0], true))
		if v.onlyTold() {
			// Its place is kept while looking, so that nothing moves when it is true.
			class := "fine"
			if v.All > 0 {
				class = "fine later"
			}
			parts = append(parts, app.P().Class(class).Text(v.ui("fine")))
		}
	case v.unseen():
		// The style sheet shows one of them by the state that frame.js sets.
		parts = append(parts, v.running("at-work"), app.Div().Class("at-end").Body(
			app.H2().Text(v.ui("unseen.title")), app.P().Text(v.ui("unseen.why"))))
	case v.Report.Fixed():
	case v.All > 0:
		parts = append(parts, v.running(""))
	default:
		parts = append(parts, app.H2().Text(v.ui("healthy.title")), app.P().Text(v.ui("healthy.why")))
	}
	class := "answer"
	if len(fs) == 0 && v.All == 0 && !v.unseen() {
		class = "answer well"
	}
	return app.Section().ID("latchkey-answer").Class(class).Body(parts...)
}

// running stands for the answer while there is none.
func (v view) running(class string) app.UI {
	return app.Div().Class("busy", class).Body(app.H2().Text(v.ui("running.title")), app.P().Text(v.ui("running.why")))
}

// onlyTold is whether a full look, and none elsewhere, found nothing but what the login server
// said, as far as is known while looking.
func (v view) onlyTold() bool {
	fs := v.Report.Findings
	return v.Report.Tier != evidence.HTML && len(v.Report.Seen.Run.Compared) == 0 && (v.All > 0 || len(v.Report.Gaps) == 0) && len(fs) == 1 &&
		(strings.HasPrefix(fs[0].Check, "account-") || strings.HasPrefix(fs[0].Check, "service-"))
}

// finding shows what is wrong and the first thing to do about it.
func (v view) finding(f diag.Finding, first bool) app.UI {
	parts := []app.UI{
		app.H2().Text(v.title(f)),
		app.P().Text(v.voice().Say("check."+f.Check+".why", f.Args)),
		v.path(f),
		v.clockFaces(f),
	}
	if reason, ok := f.Args["reason"]; ok && reason == string(evidence.NoWasm) {
		parts = append(parts, app.P().Class("lockdown").Hidden(true).Text(v.words.Text(nil, "check."+f.Check+".why.lockdown")))
	}
	if len(f.Because) > 0 {
		parts = append(parts, app.P().Class("follows").Text(v.ui("follows")))
	}
	if first && len(v.Report.Advice) > 0 {
		parts = append(parts, v.fix(v.Report.Advice[0]))
	}
	return app.Article().Class("finding", string(f.Impact)).DataSet("finding", f.Check).Body(parts...)
}

// buttons are the fixes that the page can do itself.
var buttons = map[string]struct{ action, label string }{
	"reload-page":         {"reload", "reload"},
	"start-sign-in-again": {"back", "back"},
}

func (v view) fix(a diag.Advice) app.UI {
	args := v.Report.ArgsFor(a.Fix)
	parts := []app.UI{app.H3().Text(v.fixTitle(a.Fix, args))}
	if fs := v.Report.Findings; !slices.Contains(a.Helps, fs[0].Check) {
		i := slices.IndexFunc(fs, func(f diag.Finding) bool { return f.Check == a.Helps[0] })
		parts = append(parts, app.P().Class("follows").Text(v.words.Text(diag.Args{"title": v.title(fs[i])}, "ui.against")))
	}
	return app.Div().Class("fix").DataSet("fix", a.Fix).Body(append(parts, v.steps(a.Fix, args)...)...)
}

// soFar says what was tried and did not help, what is gone all the same, and what
// there is to do if nothing is left.
func (v view) soFar() []app.UI {
	key := "persists"
	if len(v.Report.Advice) == 0 {
		key = "persists.out"
	}
	parts := []app.UI{app.P().Class("persists").Text(v.ui(key))}
	if gone := v.Report.Resolved(); len(gone) > 0 {
		parts = append(parts, app.P().Class("fine").Text(v.words.Text(diag.Args{"names": v.names(gone)}, "ui.fixed.why")))
	}
	for _, id := range v.past() {
		parts = append(parts, v.tried(id))
	}
	return parts
}

// tried is a fix that did not help, out of the way but still there for who has
// not done it yet.
func (v view) tried(id string) app.UI {
	args := v.Report.ArgsFor(id)
	return app.Details().ID("latchkey-tried-"+id).Class("tried").DataSet("tried", id).Body(
		app.Summary().ID("latchkey-tried-"+id+"-summary").Body(app.S().Text(v.fixTitle(id, args))),
		app.Div().Class("fix").Body(v.steps(id, args)...),
	)
}

func (v view) fixTitle(id string, args diag.Args) string {
	return v.voice().Say("fix."+id+".title", args)
}

func (v view) steps(id string, args diag.Args) []app.UI {
	steps := v.voice().Lines("fix."+id+".steps", args)
	parts := []app.UI{v.hint(id, steps)}
	if len(steps) == 1 {
		parts = append(parts, app.P().Text(steps[0]))
	} else if len(steps) > 1 {
		items := make([]app.UI, len(steps))
		for i, s := range steps {
			items[i] = app.Li().Text(s)
		}
		parts = append(parts, app.Ol().Body(items...))
	}
	if id == "open-in-browser" {
		parts = append(parts, v.leave()...)
	}
	if v.clears(id) {
		parts = []app.UI{
			app.P().Class("needs-script").Text(v.words.Text(v.values(nil), "ui.clear.note")),
			app.P().Class("needs-script").Body(
				app.Button().ID("latchkey-clear-"+id).Type("button").Class("primary").Value(strings.Join(append(v.past(), id), ",")).DataSet("action", "clear").Text(v.ui("clear"))),
			app.Details().ID("latchkey-by-hand-"+id).Body(
				app.Summary().ID("latchkey-by-hand-"+id+"-summary").Text(v.ui("byhand")), app.Div().Body(parts...)),
		}
	}
	if id == "set-phone-clock" && v.Phone.Size > 0 {
		parts = append(parts, v.phone())
	}
	if id == "ask-it-to-allow" {
		parts = append(parts, v.toIT()...)
	}
	if id == "allow-storage-access" {
		// frame.js puts in the other site's page, whose button it is.
		parts = append(parts, app.Div().Class("storage-access").DataSet("title", v.ui("storageaccess.title")))
	}
	if b, ok := buttons[id]; ok {
		parts = append(parts, app.Button().ID("latchkey-"+b.action+"-"+id).Type("button").
			DataSet("action", b.action).Text(v.ui(b.label)))
	}
	return parts
}

// escapes are addresses by which an app's view can be asked to open the page in
// the system's browser, with places for the page's address. An app alone stands
// before a system. They are best efforts: apps change what they let through
// (shalanah/inapp-debugger issues 11 and 22, pull request 23, 2024 to 2026), and
// Meta's on Android let nothing through but what stands here.
var escapes = map[string]string{
	"Instagram": "instagram://extbrowser/?url={encoded}",
	"Facebook":  "", "Messenger": "", "Threads": "",
	"Android": "intent://{rest}#Intent;scheme={scheme};action=android.intent.action.VIEW;end",
	"iOS":     "x-safari-{scheme}://{rest}", "iPadOS": "x-safari-{scheme}://{rest}",
}

// leave are the ways out of an app's view: an address that the app may open in
// the browser, and the page's address to copy, which always works. Without
// scripts the address stands there to be selected.
func (v view) leave() []app.UI {
	b := v.Report.Seen.Browser
	escape, ok := escapes[b.App.Value]
	if !ok {
		escape = escapes[b.System.Value]
	}
	var parts []app.UI
	if escape != "" {
		parts = append(parts, app.P().Class("needs-script").Body(
			app.Button().ID("latchkey-escape").Type("button").DataSet("action", "escape").DataSet("to", escape).Text(v.ui("escape")),
			app.Small().Text(v.ui("escape.note")),
		))
	}
	return append(parts,
		app.P().Text(v.words.Text(nil, text.Variants("ui.copybyhand", "", b.System.Value)...)),
		app.P().ID("latchkey-address").Class("address").Text(v.Address),
		app.P().Class("needs-script").Body(
			app.Button().ID("latchkey-copy-link").Type("button").Class("primary").DataSet("action", "copy-link").
				DataSet("done", v.ui("copiedlink")).Text(v.ui("copylink")),
		),
	)
}

// next holds what else there is to do.
func (v view) next() app.UI {
	var parts []app.UI
	for _, a := range v.Report.Advice[min(1, len(v.Report.Advice)):] {
		parts = append(parts, v.fix(a))
	}
	return v.fold("next", v.ui("next"), parts)
}

func (v view) others() app.UI {
	var parts []app.UI
	for _, f := range v.Report.Findings[min(1, len(v.Report.Findings)):] {
		parts = append(parts, v.finding(f, false))
	}
	return v.fold("others", v.ui("others"), parts)
}

func (v view) passed() app.UI {
	var items []app.UI
	for _, id := range v.Report.Passed {
		items = append(items, app.Li().Text(v.name(id)))
	}
	return v.list("passed", len(items), items)
}

func (v view) gaps() app.UI {
	// No text stands beside elements: translators replace texts, and go-app dies
	// when it is to take away one that is gone.
	var items []app.UI
	var told []string
	for _, first := range v.Report.Gaps {
		if slices.Contains(told, first.Why) {
			continue
		}
		told = append(told, first.Why)
		var names []app.UI
		for _, g := range v.Report.Gaps {
			if g.Why == first.Why {
				if len(names) > 0 {
					names = append(names, app.Span().Text(", "))
				}
				names = append(names, app.Span().DataSet("gap", g.Check).Text(v.name(g.Check)))
			}
		}
		items = append(items, app.Li().Body(append(names, app.Span().Text(": "+v.words.Text(nil, "gap."+first.Why, "gap.unasked")))...))
	}
	return v.list("gaps", len(v.Report.Gaps), items)
}

// help tells how to reach support and what to have ready.
func (v view) help() app.UI {
	s := v.Site
	var ways []app.UI
	if s.Phone != "" {
		ways = append(ways, app.Li().Body(app.A().Href("tel:"+dialled(s.Phone)).Text(s.Phone)))
	}
	if s.Email != "" {
		ways = append(ways, app.Li().Body(app.A().Href("mailto:"+s.Email).Text(s.Email)))
	}
	if s.URL != "" {
		ways = append(ways, app.Li().Body(app.A().Href(s.URL).Target("_blank").Rel("noopener").Text(s.URL)))
	}
	if s.Hours != "" {
		ways = append(ways, app.Li().Text(s.Hours))
	}
	reach := app.UI(app.Ul().Class("ways").Body(ways...))
	if len(ways) == 0 {
		reach = app.P().Text(v.words.Text(v.values(nil), "ui.help.none"))
	}
	return app.Footer().Body(
		app.H2().Text(v.ui("help")),
		reach,
		v.code(),
		v.send(),
		app.Details().ID("latchkey-tell").Body(
			app.Summary().ID("latchkey-tell-summary").Text(v.ui("summary")),
			app.Pre().ID("latchkey-summary").Text(v.summary()),
			app.Button().ID("latchkey-copy").Type("button").DataSet("action", "copy").
				DataSet("done", v.ui("copied")).Text(v.ui("copy")),
		),
		app.Details().ID("latchkey-details").Body(
			app.Summary().ID("latchkey-details-summary").Text(v.ui("details")),
			v.clock(),
			app.Pre().TabIndex(0).Aria("label", v.ui("details")).Text(v.json()),
		),
	)
}

// dialled is what of a number a phone dials, which takes letters for the keys that
// they stand on.
func dialled(phone string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`"<>\'`+"`& ", r) || r > '~' {
			return -1
		}
		return r
	}, phone)
}

// code is the report in twelve characters, to be read out where nothing can be
// sent. Its place is kept while looking.
func (v view) code() app.UI {
	class := "code"
	if v.All > 0 {
		class = "code later"
	}
	return app.P().Class(class).Body(
		app.Span().Text(v.ui("code")),
		app.Text(" "),
		app.Strong().ID("latchkey-code").Text(v.Report.Code().String()),
	)
}

// clock says how far off the device's clock was measured to be, for engineers.
func (v view) clock() app.UI {
	o, c := v.Report.Clock.Offset, v.Report.Clock.Course
	if o.State != evidence.OK || c.State != evidence.OK {
		return app.P().Hidden(true)
	}
	point, direction, rejected := float64(c.Value.Point), diag.Word("ahead"), 0
	if point < 0 {
		direction = "behind"
	}
	for _, n := range c.Value.Rejected {
		rejected += n
	}
	seconds := func(ms float64) float64 { return math.Round(ms) / 1000 }
	return app.P().ID("latchkey-clock").Text(v.words.Text(diag.Args{
		"offset": seconds(math.Abs(point)), "direction": direction,
		"within": math.Ceil(max(o.Value.Hi-point, point-o.Value.Lo)) / 1000, "used": c.Value.Used, "rejected": rejected,
	}, "ui.clock"))
}

// summary is the text for support: what is wrong, who the browser is, and the
// reference. It holds nothing that the report does not.
func (v view) summary() string {
	var b strings.Builder
	for _, f := range v.Report.Findings {
		b.WriteString(v.words.Text(diag.Args{"title": v.title(f), "id": f.Check}, "ui.summary.line") + "\n")
	}
	if len(v.Report.Findings) == 0 {
		b.WriteString(v.ui("summary.none") + "\n")
	}
	browser := v.Report.Seen.Browser
	b.WriteString(v.words.Text(v.values(nil), "ui.summary.browser") + "\n")
	if browser.App.State == evidence.OK {
		b.WriteString(v.words.Text(v.values(nil), "ui.summary.app") + "\n")
	}
	if browser.Presents.State == evidence.OK {
		b.WriteString(v.words.Text(v.values(nil), "ui.summary.presents") + "\n")
	}
	for _, f := range v.Report.Findings {
		if f.Args["newest"] != nil {
			b.WriteString(v.words.Text(v.values(f.Args), "ui.summary.newest") + "\n")
		}
	}
	host := v.Report.Seen.Host
	outcome := string(v.Report.Outcome)
	if host.Code.State == evidence.OK {
		outcome += " (" + host.Code.Value + ")"
	}
	b.WriteString(v.words.Text(diag.Args{"outcome": outcome}, "ui.summary.outcome") + "\n")
	if host.Reference.State == evidence.OK {
		b.WriteString(v.words.Text(diag.Args{"reference": host.Reference.Value}, "ui.summary.reference") + "\n")
	}
	return b.String()
}

func (v view) json() string {
	data, err := json.MarshalIndent(v.Report, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// fold is a part that is closed at first. It stays in place when it is empty,
// hidden, so that what is open stays open while findings come in.
func (v view) fold(id, label string, parts []app.UI) app.UI {
	d := app.Details().ID("latchkey-" + id)
	if len(parts) == 0 {
		d = d.Hidden(true) // Hidden(false) would be written hidden="false", which hides
	}
	return d.Body(
		app.Summary().ID("latchkey-"+id+"-summary").Text(label),
		app.Div().Body(parts...),
	)
}

func (v view) list(id string, n int, items []app.UI) app.UI {
	label := v.ui(id)
	if len(items) > 0 {
		label = v.words.Text(diag.Args{"label": label, "n": n}, "ui.count")
		items = []app.UI{app.Ul().Body(items...)}
	}
	return v.fold(id, label, items)
}

// ---- words

func (v view) ui(name string) string { return v.words.Text(nil, "ui."+name) }

// voice has the words for the person's browser.
func (v view) voice() text.Voice {
	program, system := v.Report.Shown()
	return text.Voice{Words: v.words, Program: program, System: system, Values: v.values(nil)}
}

// title is the finding's title, marked if it is not sure.
func (v view) title(f diag.Finding) string { return v.voice().Title(f) }

// values are those that every text may name, and the finding's own.
func (v view) values(args diag.Args) diag.Args {
	values := diag.Args{"site": v.Site.Name, "host": v.Site.Host, "support": v.Site.Phone}
	maps.Copy(values, v.Report.Values(args))
	return values
}

func (v view) name(check string) string { return v.words.CheckName(check) }

func (v view) names(checks []string) string {
	names := make([]string, len(checks))
	for i, id := range checks {
		names[i] = v.name(id)
	}
	return strings.Join(names, v.ui("comma"))
}
