package widget

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"latchkey/internal/diag"
	"latchkey/internal/report"
	"latchkey/internal/text"
)

// Send is where reports go from here. All of it is the server's or the operator's.
type Send struct {
	// To is the address that takes them; empty where none does.
	To string `json:"to,omitempty"`
	// ID is that of the report which is served with a page. send.js makes others.
	ID string `json:"id,omitempty"`
	// Token is that of the diagnostic link which this look is for, if any, and From
	// is who made it.
	Token string `json:"token,omitempty"`
	From  string `json:"from,omitempty"`
	// Asks are what the person may tell about themselves.
	Asks []report.Ask `json:"asks,omitempty"`
}

// send lets the person read all that would go to support, and send it. Without
// scripts the form does that; with them send.js does, and keeps what the person wrote
// from view to view. The bytes stand in a text, so that they are what was read.
func (v view) send() app.UI {
	part := app.Details().ID("latchkey-send").Class("send")
	title, why := v.ui("send"), v.ui("send.why")
	if v.Send.Token != "" {
		from := diag.Args{"from": v.Send.From}
		part = part.Open(true)
		title, why = v.words.Text(from, "ui.send.case"), v.words.Text(from, "ui.send.why.case")
	}
	var data []byte
	if v.All == 0 {
		data, _ = report.NewSent(v.Report, v.Report.Seen.Run.At.Value, v.past()).Encode()
	}
	if data == nil && v.All == 0 {
		return part.Hidden(true) // there is nothing that can be sent
	}
	var told []app.UI
	for _, p := range v.Told(data, v.words) {
		told = append(told, element("h4").Text(p.Title), app.P().Class("lines").Text(strings.Join(p.Lines, "\n")))
	}
	status := app.P().ID("latchkey-send-status").Class("send-status").Attr("role", "status")
	for _, said := range []string{"looking", "sending", "arrived", "failed", "wait", "over", "unfit"} {
		status = status.DataSet(said, v.words.Text(diag.Args{"code": "{code}", "label": "{label}"}, "ui.send."+said))
	}
	form := []app.UI{
		hidden("id", v.Send.ID), hidden("token", v.Send.Token),
		element("label").Attr("for", "latchkey-send-note").Text(v.ui("send.note")),
		element("textarea").ID("latchkey-send-note").Attr("name", "note").Attr("rows", "3").
			Attr("maxlength", report.NoteLimit).Attr("autocomplete", "off").DataSet("label", v.words.Text(nil, "sent.personal.note")),
	}
	for _, a := range v.Send.Asks {
		id := "latchkey-send-field-" + a.Key
		form = append(form,
			element("label").Attr("for", id).Text(a.Label),
			element("input").ID(id).Attr("name", "field-"+a.Key).Attr("maxlength", a.Most()).Attr("autocomplete", "off"))
	}
	form = append(form,
		app.P().Class("personal").Text(v.ui("send.personal")),
		app.H3().ID("latchkey-send-what").Text(v.ui("send.told")),
		app.Div().ID("latchkey-send-told").Class("told").TabIndex(0).Attr("role", "group").Aria("labelledby", "latchkey-send-what").Body(
			append([]app.UI{
				element("h4").ID("latchkey-send-yours-title").Hidden(true).Text(v.words.Text(nil, "sent.group.personal")),
				app.P().ID("latchkey-send-yours").Class("lines"),
			}, told...)...),
		app.Details().ID("latchkey-send-json").Body(
			app.Summary().ID("latchkey-send-json-summary").Text(v.ui("send.json")),
			element("textarea").ID("latchkey-send-bytes").Attr("name", "report").Attr("rows", "8").
				Attr("readonly", true).Aria("label", v.ui("send.json")).Text(string(data)),
		),
		v.sendButtons(),
		status,
	)
	return part.Body(
		app.Summary().ID("latchkey-send-summary").Text(title),
		app.Div().Body(
			app.P().Text(why),
			element("form").ID("latchkey-send-form").Attr("method", "post").Attr("action", v.Send.To).Attr("autocomplete", "off").Body(form...),
		),
	)
}

// sendButtons are what can be done with the report. Without scripts it can be sent,
// and copied by hand.
func (v view) sendButtons() app.UI {
	var buttons []app.UI
	if v.Send.To == "" {
		buttons = append(buttons, app.P().Text(v.ui("send.none")))
	} else {
		buttons = append(buttons, app.Button().ID("latchkey-send-send").Type("submit").Class("primary").
			DataSet("again", v.ui("send.again")).Text(v.ui("send.send")))
	}
	for _, do := range []string{"copy", "download", "print", "share"} {
		buttons = append(buttons, app.Button().ID("latchkey-send-"+do).Type("button").Class("needs-script").
			DataSet("send", do).DataSet("done", v.ui("copied")).Text(v.ui("send."+do)))
	}
	return app.Div().Class("actions").Body(buttons...)
}

// element is one of those that only this part has: go-app's own types for them weigh
// more.
func element(name string) app.HTMLElem { return app.Elem(name) }

func hidden(name, value string) app.UI {
	return app.ElemSelfClosing("input").Attr("type", "hidden").Attr("name", name).Attr("value", value)
}

// Part is a part of what is sent, in words.
type Part struct {
	Title string
	Lines []string
}

// Told says in words all that stands in what report.Sent.Encode made, an entry a
// line. Each name of a field has its words, under the part that it stands in if they
// are others there.
func (m Model) Told(data []byte, words *text.Catalogue) []Part {
	lines, err := report.Lines(data)
	if err != nil {
		return nil
	}
	v := view{Model: m, words: words}
	var parts []Part
	last := ""
	for _, l := range lines {
		names := strings.Split(l.ID, ".")
		group := "report"
		if names[0] == "seen" && len(names) > 2 {
			group, names = names[1], names[2:]
		}
		if l.Personal {
			group, names = names[0], names[1:]
		}
		if group != last {
			at := len(parts)
			if l.Personal {
				at = 0 // what people look for is what they wrote
			}
			parts = slices.Insert(parts, at, Part{Title: words.Text(nil, "sent.group."+group)})
			last = group
		}
		p := &parts[len(parts)-1]
		if l.Personal {
			p = &parts[0]
		}
		if l.Personal && names[0] == "fields" {
			p.answer(names[len(names)-1], l.Value)
			continue
		}
		p.Lines = append(p.Lines, words.Text(diag.Args{"label": v.label(group, names), "value": v.told(l)}, "ui.send.line"))
	}
	return parts
}

// answer puts a part of an answer into its line: "label (key): value".
func (p *Part) answer(part, value string) {
	last := len(p.Lines) - 1
	switch part {
	case "key":
		p.Lines = append(p.Lines, " ("+value+"): ")
	case "label":
		p.Lines[last] = value + p.Lines[last]
	case "value":
		p.Lines[last] += value
	}
}

// label is the words for the names of fields in each other, as "Needed for signing in
// 2 – host".
func (v view) label(group string, names []string) string {
	var b strings.Builder
	for i, name := range names {
		n, err := strconv.Atoi(name)
		switch {
		case err == nil:
			b.WriteString(" " + strconv.Itoa(n+1))
			continue
		case i > 0:
			b.WriteString(" – ")
		}
		for _, key := range []string{"sent." + group + "." + name, "sent." + name} {
			if v.words.Has(key) {
				name = v.words.Text(nil, key)
				break
			}
		}
		b.WriteString(name)
	}
	return b.String()
}

// told is a value in words, if it has some.
func (v view) told(l report.Line) string {
	if l.Personal {
		return l.Value
	}
	if key := "sent.is." + l.Value; v.words.Has(key) {
		return v.words.Text(nil, key)
	}
	if strings.HasSuffix(l.ID, ".utc") {
		if ms, err := strconv.ParseFloat(l.Value, 64); err == nil {
			return time.UnixMilli(int64(ms)).UTC().Format("2006-01-02 15:04")
		}
	}
	ids := strings.Split(l.Value, ", ")
	for i, id := range ids {
		switch {
		case v.words.Has("check." + id + ".name"):
			ids[i] = v.name(id)
		case v.words.Has("fix." + id + ".title"):
			ids[i] = v.fixTitle(id, nil)
		}
	}
	return strings.Join(ids, ", ")
}
