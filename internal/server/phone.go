package server

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"latchkey/app/widget"
	"latchkey/internal/agent"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/server/qr"
	"latchkey/internal/text"
)

// door is how another device or window gets to a page of ours.
func (s *server) door(r *http.Request, page string, q url.Values) widget.Door {
	d := widget.Door{Address: s.outside(r, s.base+page)}
	if len(q) > 0 {
		d.Address += "?" + q.Encode()
	}
	d.Size, d.Path = qr.Path(d.Address)
	return d
}

// phoneCheckFor is how a phone gets to its clock page, without a pairing, where the
// report advises to set the phone's clock.
func (s *server) phoneCheckFor(r *http.Request, rep report.Report) widget.Phone {
	if !slices.ContainsFunc(rep.Advice, func(a diag.Advice) bool { return a.Fix == "set-phone-clock" }) {
		return widget.Phone{}
	}
	q := url.Values{}
	if lang := r.URL.Query().Get("lang"); language.MatchString(lang) {
		q.Set("lang", lang)
	}
	return widget.Phone{Door: s.door(r, "/phone", q), At: s.clockFace()}
}

// outside is the address that a path of ours has for other devices: as the operator
// says, or else by a request that came here.
func (s *server) outside(r *http.Request, path string) string {
	if s.cfg.Address != "" {
		return s.cfg.Address + path
	}
	u := url.URL{Scheme: "http", Host: r.Host, Path: path}
	if s.https(r) {
		u.Scheme = "https"
	}
	return u.String()
}

// clockFace is the time as people read it: the server's, without what that is known
// to be off.
func (s *server) clockFace() string {
	now := s.now()
	if c := s.serverClock(); c.State == evidence.OK {
		now = now.Add(-time.Duration((c.Value.Lo/2 + c.Value.Hi/2) * float64(time.Millisecond)))
	}
	return now.UTC().Format("15:04:05")
}

var phoneTemplate = template.Must(template.New("phone").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}" data-latchkey-phone="unknown">
<head>
` + pageHead + `{{range .Scripts}}<script src="{{.}}" defer></script>
{{end}}</head>
<body>
<main class="card phone">
<h1>{{.Title}}</h1>
<div class="answer" role="status"><h2 id="latchkey-phone-answer" hidden></h2><p id="latchkey-phone-why" hidden></p></div>
<section class="face">
<p>{{.Label}}</p>
<p><time id="latchkey-server-time" dir="ltr">{{.Face}}</time> <span id="latchkey-utc">UTC</span></p>
<p id="latchkey-as-of">{{.AsOf}}</p>
</section>
<section class="fix" id="latchkey-phone-fix" data-fix="set-clock-automatically"><h3>{{.FixTitle}}</h3><ol>{{range .Steps}}<li>{{.}}</li>{{end}}</ol></section>
<section id="latchkey-phone-send" hidden>
<h3>{{.SendTitle}}</h3>
<p>{{.SendNote}}</p>
<button type="button" class="primary" id="latchkey-send">{{.Send}}</button>
</section>
<p role="status" id="latchkey-sent"></p>
</main>
<script type="application/json" id="latchkey-phone-config">{{.Config}}</script>
</body>
</html>
`))

// phoneConfig is what phone.js is told. The words have places for what it finds.
type phoneConfig struct {
	Base  string            `json:"base"`
	Code  string            `json:"code,omitempty"`
	Words map[string]string `json:"words"`
	// Server is what is known of the server's own clock.
	Server evidence.Fact[evidence.ServerClock] `json:"server"`
	// Units are those that a length of time is told in, longest first.
	Units []phoneUnit `json:"units"`
}

type phoneUnit struct {
	Seconds int    `json:"seconds"`
	Words   string `json:"words"`
	One     string `json:"one,omitempty"` // for exactly one, if it has words of its own
}

// phone is the page that a phone opens to have its clock compared. Without
// scripts it is a clock to compare by eye.
func (s *server) phone(w http.ResponseWriter, r *http.Request) {
	words := s.words(r)
	say := func(key string) string {
		return words.Text(diag.Args{"size": "{size}", "direction": "{direction}", "n": "{n}", "site": s.cfg.Site.Name}, key)
	}
	e := evidence.Evidence{Identity: identity(r)}
	agent.Identify(&e, s.policy)
	rep := report.Report{Seen: e}
	program, system := rep.Shown()
	steps := func(part string) []string {
		return words.Lines(rep.Values(nil), text.Variants("fix.set-clock-automatically."+part, program, system)...)
	}
	c := phoneConfig{Base: s.base, Words: map[string]string{}, Server: s.serverClock()}
	if code := pairCode(r.URL.Query().Get("pair")); code != "" {
		c.Code = spelled(code)
	}
	for _, name := range []string{"running", "right", "right.why", "again", "near", "near.why", "wrong", "wrong.why", "unsure", "unsure.why",
		"unknown", "unknown.why", "sent", "expired", "failed"} {
		c.Words[name] = say("ui.phone." + name)
	}
	for _, name := range []string{"ahead", "behind"} {
		c.Words[name] = say("word." + name)
	}
	for _, u := range text.Units {
		unit := phoneUnit{Seconds: int(u.Seconds), Words: say("unit." + u.ID)}
		if one := "unit." + u.ID + ".one"; words.Has(one) {
			unit.One = say(one)
		}
		c.Units = append(c.Units, unit)
	}
	s.smallPage(w, phoneTemplate, struct {
		Lang, Dir, Title, Style, Label, Face, AsOf, FixTitle, SendTitle, SendNote, Send string
		Scripts, Steps                                                                  []string
		Config                                                                          phoneConfig
	}{
		Lang: words.Lang(), Dir: words.Dir(),
		Title: say("ui.phone.title"), Style: s.asset("latchkey.css"), Scripts: []string{s.asset("clock.js"), s.asset("phone.js")},
		Label: say("ui.phone.label"), Face: s.clockFace(), AsOf: say("ui.phone.asof"),
		FixTitle: strings.Join(steps("title"), " "), Steps: steps("steps"),
		SendTitle: say("ui.phone.send.title"), SendNote: say("ui.phone.send.note"), Send: say("ui.phone.send"),
		Config: c,
	})
}
