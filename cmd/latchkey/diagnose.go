package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"latchkey/internal/agent"
	"latchkey/internal/checks"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/text"
)

// inputLimit is the most that diagnose reads, in bytes: a report has a few
// thousand, and a wrong file on the command line shall not fill the memory.
const inputLimit = 1 << 20

// diagnose reads evidence or a report and prints the judgement that this
// version of the program comes to, whatever stands in the report.
func diagnose(_ context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("diagnose", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: latchkey diagnose [-json|-explain] FILE|-\n\n"+
			"FILE holds evidence or a report as JSON; - reads it from standard input.\n\n")
		flags.PrintDefaults()
	}
	asJSON := flags.Bool("json", false, "print the report as JSON")
	asReasons := flags.Bool("explain", false, "print why each cause and each step stands where it stands")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() != 1 || *asJSON && *asReasons {
		flags.Usage()
		return 2
	}
	name := flags.Arg(0)
	e, err := readEvidence(name, stdin)
	if err != nil {
		fmt.Fprintf(stderr, "latchkey diagnose: %s: %v\n", name, err)
		return 2
	}
	agent.Identify(&e, agent.DefaultPolicy())
	r := report.New(e, checks.Catalogue().Diagnose(e))
	switch {
	case *asReasons:
		_, err = io.WriteString(stdout, explain(checks.Catalogue(), e))
	case *asJSON:
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(r)
	default:
		_, err = io.WriteString(stdout, plain(r, text.English()))
	}
	if err != nil {
		fmt.Fprintf(stderr, "latchkey diagnose: write the result: %v\n", err)
		return 1
	}
	return 0
}

func readEvidence(name string, stdin io.Reader) (evidence.Evidence, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return evidence.Evidence{}, cause(err)
		}
		defer f.Close() // it was only read
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, inputLimit+1))
	if err != nil {
		return evidence.Evidence{}, cause(err)
	}
	if len(data) > inputLimit {
		return evidence.Evidence{}, fmt.Errorf("more than %d bytes: this is no report", inputLimit)
	}
	return report.Decode(data, report.AllKnown)
}

// cause takes the file's name, which stands in front already, off an error.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// plain is the report in words, as plain text: what is wrong, why, what to do
// in the very browser, what works, what could not be tested, and, behind each,
// the id that engineers know it by.
func plain(r report.Report, words *text.Catalogue) string {
	p := printer{r: r, words: words}
	p.answer()
	for i, f := range r.Findings {
		p.finding(i+1, f)
	}
	p.rest()
	return p.b.String()
}

type printer struct {
	r     report.Report
	words *text.Catalogue
	b     strings.Builder
}

func (p *printer) line(format string, args ...any) {
	p.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// answer says that nothing was found, or nothing is left of what was.
func (p *printer) answer() {
	switch {
	case p.r.Fixed():
		p.line("%s", p.words.Text(nil, "ui.fixed.title"))
		p.line("%s\n", p.words.Text(diag.Args{"names": p.names(p.r.Resolved())}, "ui.fixed.why"))
	case len(p.r.Findings) > 0:
	case p.r.Tier == evidence.HTML:
		p.line("%s", p.words.Text(nil, "ui.unseen.title"))
		p.line("%s\n", p.words.Text(nil, "ui.unseen.why"))
	default:
		p.line("%s", p.words.Text(nil, "ui.healthy.title"))
		p.line("%s\n", p.words.Text(diag.Args{"names": p.names(p.r.Passed)}, "ui.healthy.why"))
	}
}

func (p *printer) finding(n int, f diag.Finding) {
	voice := p.voice()
	f.Args = p.values(f.Args)
	p.line("%d. %s", n, voice.Title(f))
	p.line("   %s", voice.Say("check."+f.Check+".why", f.Args))
	p.line("   [%s, %s, %s]", f.Check, f.Impact, f.Sureness)
	if len(f.Because) > 0 {
		p.line("   ← %s", strings.Join(f.Because, ", "))
	}
	for _, a := range p.r.Advice {
		if a.Helps[0] != f.Check {
			continue // it stands with the first finding that it helps
		}
		p.line("\n   %s [%s]", voice.Say("fix."+a.Fix+".title", f.Args), a.Fix)
		steps := voice.Lines("fix."+a.Fix+".steps", f.Args)
		for i, step := range steps {
			if len(steps) == 1 {
				p.line("     %s", step)
			} else {
				p.line("     %d. %s", i+1, step)
			}
		}
	}
	p.line("")
}

func (p *printer) rest() {
	if len(p.r.Passed) > 0 {
		p.line("%s: %s", p.words.Text(nil, "ui.passed"), p.names(p.r.Passed))
	}
	if len(p.r.Gaps) > 0 {
		p.line("%s:", p.words.Text(nil, "ui.gaps"))
	}
	for _, g := range p.r.Gaps {
		p.line("  %s: %s", p.name(g.Check), p.words.Text(nil, "gap."+g.Why, "gap.unasked"))
	}
	p.line("")

	p.line("%s", p.words.Text(p.values(nil), "ui.summary.browser"))
	if p.r.Seen.Browser.Presents.State == evidence.OK {
		p.line("%s", p.words.Text(p.values(nil), "ui.summary.presents"))
	}
	outcome, host := string(p.r.Outcome), p.r.Seen.Host
	if host.Code.State == evidence.OK {
		outcome += " (" + host.Code.Value + ")"
	}
	p.line("%s", p.words.Text(diag.Args{"outcome": visible(outcome)}, "ui.summary.outcome"))
	if host.Reference.State == evidence.OK {
		p.line("%s", p.words.Text(diag.Args{"reference": visible(host.Reference.Value)}, "ui.summary.reference"))
	}
	tier := "tier " + visible(string(p.r.Tier))
	if p.r.TierReason != evidence.NoReason {
		tier += ", " + visible(string(p.r.TierReason))
	}
	p.line("[%s]", tier)
}

// voice speaks to the browser at hand, in what a terminal can show.
func (p *printer) voice() text.Voice {
	program, system := p.r.Shown()
	return text.Voice{Words: p.words, Program: program, System: system, Values: p.values(nil)}
}

// values are those that every text may name, and the finding's own.
func (p *printer) values(args diag.Args) diag.Args {
	values := p.r.Values(args)
	for k, a := range values {
		if s, ok := a.(string); ok {
			values[k] = visible(s)
		}
	}
	return values
}

// visible replaces what would move the cursor of a terminal: values come from
// browsers that anybody may have written.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

func (p *printer) name(check string) string { return p.words.Text(nil, "check."+check+".name") }

func (p *printer) names(checks []string) string {
	names := make([]string, len(checks))
	for i, id := range checks {
		names[i] = p.name(id)
	}
	return strings.Join(names, ", ")
}
