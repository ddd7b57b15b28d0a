// Package story shows every screen in every state that it can be in, with prepared
// data: to be held against golden files, to be looked at, and to be gone through by the
// tests of the interface. What the screens show is judged from evidence, most of it the
// first case of each check, so that no story tells what cannot happen.
package story

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"latchkey/app/widget"
	"latchkey/internal/checks"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/text"
)

// Story is a screen in one state.
type Story struct {
	// Name says which, as a path: its first part is the moment in a person's way.
	Name string
	widget.Model
}

// Running is whether the screen is still looking.
func (s Story) Running() bool { return s.All > 0 }

const (
	healthy = "internal/testkit/browsers"
	cases   = "internal/checks/testdata"
)

// site is what most operators fill in.
var site = widget.Site{
	Name: "Example Clinic", Host: "portal.example", Login: "https://portal.example/login",
	Phone: "555-0100", Email: "help@portal.example", Hours: "Mon–Fri 8–18", URL: "https://portal.example/help",
}

// All lists the stories. The root is that of the source tree, where browsers and cases
// are.
func All(root fs.FS) ([]Story, error) {
	t := teller{root: root, browsers: map[string]evidence.Evidence{}}
	entries, err := fs.ReadDir(root, healthy)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		data, err := fs.ReadFile(root, path.Join(healthy, e.Name()))
		if err != nil {
			return nil, err
		}
		if t.browsers[e.Name()[:len(e.Name())-len(".json")]], err = report.Decode(data, report.AllKnown); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
	}
	all := t.states()
	for _, c := range checks.Catalogue().Checks {
		s, err := t.found(c.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		if c.ID == "cookies-too-large" {
			s.Name, s.Site.Clears = "answer/cleans-up", true
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Story) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

type teller struct {
	root     fs.FS
	browsers map[string]evidence.Evidence
}

// tell judges what is seen on top of a healthy browser.
func (t teller) tell(name, browser string, change func(*evidence.Evidence)) Story {
	e := t.browsers[browser]
	if change != nil {
		change(&e)
	}
	return Story{name, widget.Model{Report: report.New(e, checks.Catalogue().Diagnose(e)), Site: site, Pair: "pair.js", Address: site.Login}}
}

// found is the answer when a check finds its fault: the first case in which it does.
func (t teller) found(check string) (Story, error) {
	data, err := fs.ReadFile(t.root, path.Join(cases, check+".json"))
	if err != nil {
		return Story{}, err
	}
	var list []struct {
		On   string          `json:"on"`
		See  json.RawMessage `json:"see"`
		Want struct{ Verdict string }
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return Story{}, fmt.Errorf("%s.json: %w", check, err)
	}
	for _, c := range list {
		if c.Want.Verdict != "fail" {
			continue
		}
		s := t.tell("found/"+check, c.On, func(e *evidence.Evidence) {
			err = json.Unmarshal(c.See, e)
			if e.Run.Tier == "" {
				e.Run.Tier = evidence.Wasm
			}
			if e.Run.At.State == evidence.Unasked {
				e.Run.At = evidence.Saw(evidence.Moment{UTC: 1_795_600_440_000, Zone: 60})
			}
		})
		return s, err
	}
	return Story{}, fmt.Errorf("%s.json: there is no case in which it is found", check)
}

// Page writes a story as a page of its own, which is styled by latchkey.css beside it.
func (s Story) Page(words *text.Catalogue) ([]byte, error) {
	state := "done"
	if s.Running() {
		state = "running"
	}
	var b bytes.Buffer
	err := page.Execute(&b, map[string]any{
		"Story": s, "Words": words, "State": state, "Body": template.HTML(s.HTML(words)),
	})
	return b.Bytes(), err
}

// HTML is the screen itself.
func (s Story) HTML(words *text.Catalogue) string { return app.HTMLString(widget.View(s.Model, words)) }

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Words.Lang}}" dir="{{.Words.Dir}}" data-latchkey-tier="{{or .Story.Report.Tier "html"}}" data-latchkey-state="{{.State}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Story.Name}}</title>
<link rel="stylesheet" href="latchkey.css">
</head>
<body{{if .Story.Frame}} class="frame"{{end}}>
{{.Body}}
</body>
</html>
`))
