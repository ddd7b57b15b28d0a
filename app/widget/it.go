package widget

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/text"
)

// Note is what those who run a network or its devices are told, so that they can
// let a sign-in through. It says nothing about the person.
type Note struct {
	Site Site
	// Found are the ids of what was found.
	Found []string
	Needs evidence.Needs
	// Failed are the numbers of the needs that did not get through.
	Failed []int
	At     evidence.Fact[evidence.Moment]
}

// Lines are the text of the note.
func (n Note) Lines(words *text.Catalogue) []string {
	say := func(key string, args diag.Args) string { return words.Text(args, "ui.it."+key) }
	out := []string{say("intro", diag.Args{"site": n.Site.Name, "host": n.Site.Host})}
	if n.At.State == evidence.OK {
		at, zone := time.UnixMilli(int64(n.At.Value.UTC)).UTC(), n.At.Value.Zone
		key := "time"
		if zone != 0 {
			key = "time.local"
		}
		local := at.Add(time.Duration(zone) * time.Minute)
		out = append(out, say(key, diag.Args{"utc": at.Format("2006-01-02 15:04"), "local": local.Format("2006-01-02 15:04")}))
	}
	out = append(out, "", say("seen", nil))
	for _, id := range n.Found {
		out = append(out, "- "+words.Text(diag.Args{"part": n.Site.Host}, "ui.it.found."+id, "check."+id+".name"))
	}
	for _, i := range n.Failed {
		need := n.Needs[i]
		how := "no"
		if need.Page == evidence.InVain || need.Again == evidence.InVain {
			how = "late"
		}
		out = append(out, "- "+say("failed."+how, about(need)))
	}
	out = append(out, "", say("allow", nil), "- "+say("host", diag.Args{"part": n.Site.Host, "port": n.Site.port(), "purpose": say("own", nil)}))
	for _, need := range n.Needs {
		if need.Own && need.Kind != "socket" && need.Kind != "stream" || need.Unlisted && !slices.Contains(n.Found, "script-blocked") {
			continue
		}
		key := "host"
		if need.Kind == "socket" || need.Kind == "stream" {
			key = need.Kind
		}
		out = append(out, "- "+say(key, about(need)))
	}
	return append(out, say("unchanged", nil), "", say("privacy", nil))
}

// port is that of the login page; https's own if nobody said.
func (s Site) port() int {
	u, err := url.Parse(s.Login)
	if err != nil {
		return 443
	}
	port, _ := strconv.Atoi(u.Port())
	return cmp.Or(port, map[string]int{"http": 80}[u.Scheme], 443)
}

func about(n evidence.Need) diag.Args {
	args := diag.Args{"part": n.Host, "purpose": n.Purpose, "port": n.Port}
	if n.Port == 0 {
		args["port"] = 443
	}
	return args
}

// query is the note as a page's address tells it.
func (n Note) query(lang string) string {
	q := url.Values{"found": {strings.Join(n.Found, ",")}, "lang": {lang}}
	var failed []string
	for _, i := range n.Failed {
		if !n.Needs[i].Unlisted {
			failed = append(failed, strconv.Itoa(i))
		}
	}
	q.Set("needs", strings.Join(failed, ","))
	if n.At.State == evidence.OK {
		at := n.At.Value.Coarse().(evidence.Moment)
		q.Set("at", strconv.FormatInt(int64(at.UTC), 10))
		q.Set("zone", strconv.Itoa(at.Zone))
	}
	return q.Encode()
}

// note is what there is to tell about this report.
func (v view) note() Note {
	seen := v.Report.Seen
	n := Note{Site: v.Site, Needs: seen.Network.Needs.Value, At: seen.Run.At}
	for _, f := range v.Report.Findings {
		if slices.Contains(f.Fixes, "ask-it-to-allow") {
			n.Found = append(n.Found, f.Check)
		}
	}
	for i, need := range n.Needs {
		if need.Page.Failed() || need.Again.Failed() || need.There.Failed() {
			n.Failed = append(n.Failed, i)
		}
	}
	return n
}

// toIT is the note to copy, and its page to send on.
func (v view) toIT() []app.UI {
	n := v.note()
	return []app.UI{
		app.Pre().ID("latchkey-it").Class("note").TabIndex(0).Aria("label", v.ui("it.label")).Text(strings.Join(n.Lines(v.words), "\n")),
		app.P().Class("ways-out").Body(
			app.Button().ID("latchkey-copy-it").Type("button").Class("needs-script").DataSet("action", "copy-it").
				DataSet("done", v.ui("copied")).Text(v.ui("it.copy")),
			app.A().Href("it?"+n.query(v.words.Lang())).Target("_blank").Rel("noopener").Text(v.ui("it.page")),
		),
	}
}
