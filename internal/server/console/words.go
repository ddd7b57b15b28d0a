package console

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/store"
	"latchkey/internal/text"
)

// plain makes the characters visible that move a cursor or turn the direction of
// text: what stands in a report may have been written by anybody, to be misread.
func plain(v any) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Cf, r) && r != '\u200d') {
			return unicode.ReplacementChar
		}
		return r
	}, fmt.Sprint(v))
}

// short is as much of an id as people tell each other.
func short(id string) string { return id[:min(8, len(id))] }

// check is the name of a check as people read it.
func (c *Console) check(id string) string { return plain(c.words.CheckName(id)) }

// voice speaks to the browser of a report.
func (c *Console) voice(rep report.Report) text.Voice {
	program, system := rep.Shown()
	return text.Voice{Words: c.words, Program: program, System: system, Values: plainArgs(c.values(rep.Values(nil)))}
}

// values are those that a text of ours may name besides.
func (c *Console) values(args diag.Args) diag.Args {
	args["site"] = c.o.Site
	return args
}

func plainArgs(args diag.Args) diag.Args {
	out := diag.Args{}
	for k, v := range args {
		if s, ok := v.(string); ok {
			v = plain(s)
		}
		out[k] = v
	}
	return out
}

// finding is one in words.
type finding struct {
	ID, Title, Why string
	Impact         diag.Impact
	Sureness       diag.Sureness
	Percent        int // the chance of being the reason
	Because        []string
}

// step is something to do, in words.
type step struct {
	ID, Title string
	Steps     []string
	Helps     []string // checks
}

// words says a judgement.
type words struct {
	// Say is what to say next, a sentence each.
	Say    []string
	Steps  []string // what to do then
	Found  []finding
	Advice []step
	Gaps   []gap
	Passed []string
}

type gap struct{ ID, Why string }

// say puts a judged report into words.
func (c *Console) say(rep report.Report) words {
	v := c.voice(rep)
	var w words
	for _, f := range rep.Findings {
		args := plainArgs(f.Args)
		f.Args = args
		w.Found = append(w.Found, finding{
			f.Check, v.Title(f), v.Say("check."+f.Check+".why", args), f.Impact, f.Sureness, int(100*f.Chance + .5), f.Because,
		})
	}
	for _, a := range rep.Advice {
		w.Advice = append(w.Advice, step{
			a.Fix, v.Say("fix."+a.Fix+".title", argsFor(rep, a.Fix)), v.Lines("fix."+a.Fix+".steps", argsFor(rep, a.Fix)), a.Helps,
		})
	}
	for _, g := range rep.Gaps {
		w.Gaps = append(w.Gaps, gap{g.Check, c.words.Text(nil, "gap."+g.Why, "gap.unasked")})
	}
	w.Passed = rep.Passed
	switch {
	case len(w.Found) > 0:
		w.Say = append(w.Say, w.Found[0].Title)
	case rep.Fixed():
		w.Say = append(w.Say, c.words.Text(nil, "ui.fixed.title"))
	case rep.Tier == evidence.HTML:
		w.Say = append(w.Say, c.words.Text(nil, "ui.unseen.title"))
	default:
		w.Say = append(w.Say, c.words.Text(nil, "ui.healthy.title"))
	}
	if len(w.Advice) > 0 {
		w.Say, w.Steps = append(w.Say, w.Advice[0].Title), w.Advice[0].Steps
	}
	return w
}

// argsFor are the values for the texts of a fix.
func argsFor(rep report.Report, fix string) diag.Args { return plainArgs(rep.ArgsFor(fix)) }

// browser is who the browser is, in a few words; "" if nobody knows.
func browser(e evidence.Evidence) string {
	b := e.Browser
	name := b.Family.Value
	if b.Major.State == evidence.OK {
		name += fmt.Sprintf(" %d", b.Major.Value)
	}
	if b.App.State == evidence.OK {
		name = strings.TrimSpace(name + " in " + b.App.Value)
	}
	if s := strings.TrimSpace(b.System.Value + " " + b.SystemVersion.Value); s != "" {
		name = strings.TrimSpace(name + " on " + s)
	}
	return plain(name)
}

// read is a report as it was sent, and as it is judged today.
type read struct {
	store.Report
	Sent  report.Sent
	Today report.Report
	words
	// Wrong is why the body cannot be read, and then nothing but the row is there.
	Wrong string
}

// read judges a stored report again, by what was sent alone.
func (c *Console) read(row store.Report) read {
	out := read{Report: row}
	sent, err := report.DecodeSent(row.Body)
	if err != nil {
		out.Wrong = plain(err)
		return out
	}
	out.Sent, out.Today = sent, sent.Report(c.set.Diagnose)
	out.words = c.say(out.Today)
	return out
}

// Program is who the browser is.
func (r read) Program() string { return browser(r.Today.Seen) }

// Sentences are what to say next, in one line.
func (w words) Sentences() string { return strings.Join(w.Say, ". ") + "." }

// zoned is a time as the person's own clock shows it, if it goes right.
func zoned(t time.Time, zone int) string {
	sign, z := "+", zone
	if z < 0 {
		sign, z = "−", -z
	}
	name := fmt.Sprintf("UTC%s%d", sign, z/60)
	if z%60 != 0 {
		name += fmt.Sprintf(":%02d", z%60)
	}
	return t.In(time.FixedZone("", zone*60)).Format("2 Jan, 15:04") + " (" + name + ")"
}

// dict gives a part of a page more than one value.
func dict(pairs ...any) map[string]any {
	d := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		d[pairs[i].(string)] = pairs[i+1]
	}
	return d
}
