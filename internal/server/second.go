package server

import (
	"bytes"
	"html/template"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/text"
)

// bringTemplate is the part of a page that was opened to be compared with another
// screen. bring.js puts it above the answer and does what it says.
var bringTemplate = template.Must(template.New("bring").Parse(`<section id="latchkey-bring" class="bring" data-code="{{.Code}}" hidden>
<h2>{{call .Say "title"}}</h2>
<p>{{call .Say "code"}} <strong class="code" dir="ltr">{{.Code}}</strong></p>
<form id="latchkey-bring-form">
<fieldset><legend>{{call .Say "where"}}</legend>
{{range .Where}}<label><input type="radio" name="under" value="{{.Value}}"> {{.Words}}</label>
{{end}}</fieldset>
<fieldset><legend>{{call .Say "worked"}}</legend>
{{range .Worked}}<label><input type="radio" name="worked" value="{{.Value}}"{{if not .Value}} checked{{end}}> {{.Words}}</label>
{{end}}</fieldset>
<p>{{call .Say "note"}}</p>
<details id="latchkey-bring-what"><summary>{{call .Say "what"}}</summary><pre id="latchkey-bring-json" dir="ltr" tabindex="0" aria-label="{{call .Say "what"}}"></pre></details>
<button type="submit" class="primary" id="latchkey-bring-send">{{call .Say "send"}}</button>
</form>
<p id="latchkey-bring-status" role="status"{{range .Status}} data-{{.Value}}="{{.Words}}"{{end}}></p>
</section>
<p class="without-script">{{call .Say "noscript"}}</p>`))

// choice is a value and the words for it.
type choice struct{ Value, Words string }

// bringPart is what bringTemplate makes for a pairing's code.
func (s *server) bringPart(words *text.Catalogue, code string) template.HTML {
	say := func(name string) string {
		return words.Text(diag.Args{"site": s.cfg.Site.Name}, "ui.bring."+name)
	}
	data := struct {
		Code                  string
		Say                   func(string) string
		Where, Worked, Status []choice
	}{Code: spelled(code), Say: say}
	for _, c := range []evidence.Condition{evidence.PrivateWindow, evidence.OtherNetwork, evidence.OtherDevice} {
		data.Where = append(data.Where, choice{string(c), say("where." + string(c))})
	}
	data.Worked = []choice{{string(evidence.Yes), say("worked.yes")}, {string(evidence.No), say("worked.no")}, {"", say("worked.untried")}}
	for _, name := range []string{"looking", "choose", "sent", "expired", "failed"} {
		data.Status = append(data.Status, choice{name, say(name)})
	}
	var b bytes.Buffer
	if err := bringTemplate.Execute(&b, data); err != nil {
		s.log.Warn("part not written", "error", err)
	}
	return template.HTML(b.String())
}
