package diag_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/checks"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/testkit"
)

// world is where simulated people try to sign in. Its checks say what is dealt to
// them, with the sureness and the fixes that they have in their own cases.
type world struct {
	set    diag.Set
	fails  map[string][]diag.Outcome
	grades map[string][]diag.Sureness
	lists  map[string][]string
	dealt  map[string]diag.Outcome
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{set: checks.Catalogue(), fails: map[string][]diag.Outcome{}, grades: map[string][]diag.Sureness{}, lists: map[string][]string{}, dealt: map[string]diag.Outcome{}}
	healthy := testkit.Browsers(t)
	for i, c := range w.set.Checks {
		data, err := os.ReadFile(filepath.Join("..", "checks", "testdata", c.ID+".json"))
		require.NoError(t, err)
		var cases []struct {
			On  string          `json:"on"`
			See json.RawMessage `json:"see"`
		}
		require.NoError(t, json.Unmarshal(data, &cases))
		for _, k := range cases {
			seen := healthy[k.On]
			require.NoError(t, json.Unmarshal(k.See, &seen))
			for _, f := range (diag.Set{Checks: []diag.Check{c}}).Diagnose(seen).Findings {
				w.fails[c.ID] = append(w.fails[c.ID], diag.Fail(f.Sureness, f.Fixes...))
				w.grades[c.ID] = append(w.grades[c.ID], f.Sureness)
				if w.lists[c.ID] == nil {
					w.lists[c.ID] = f.Fixes
				}
			}
		}
		require.NotEmpty(t, w.fails[c.ID], c.ID)
		w.set.Checks[i].Needs = nil
		w.set.Checks[i].Run = func(evidence.Evidence) diag.Outcome { return w.dealt[c.ID] }
	}
	for i := range w.set.Fixes {
		w.set.Fixes[i].Offered = nil
	}
	return w
}

// simulated are the outcomes after which there is something to rank, alike often.
var simulated = []evidence.Outcome{
	evidence.SessionLost, evidence.NoResponse, evidence.SSOFailed, evidence.CaptchaFailed, evidence.ServerError, evidence.InvalidCredentials, evidence.Unknown,
}

// cannotRun is how often a check has no answer, for one in twenty pages is left
// before it came, or has a browser that cannot be asked.
const cannotRun = 0.05

// person is somebody whose sign-in failed, and why.
type person struct {
	seen evidence.Evidence
	// check is the true cause's; empty for what nobody sees.
	check string
	cause diag.Cause
	list  []string
}

// deal makes a person by the model, with noise in what the checks say.
func (w *world) deal(r *rand.Rand) person {
	outcome := simulated[r.IntN(len(simulated))]
	var p person
	p.seen.Host.Outcome = evidence.Saw(outcome)
	clear(w.dealt)
	for _, c := range w.set.Checks {
		w.dealt[c.ID] = diag.Skip()
		if c.Told && slices.Contains(toldBy[outcome], c.ID) {
			w.dealt[c.ID] = w.fails[c.ID][0]
		}
	}
	// A finding without weight brings out the priors.
	probe := w.set
	probe.Checks = append(slices.Clone(probe.Checks), diag.Check{ID: "probe", Impact: diag.Note, Run: func(evidence.Evidence) diag.Outcome { return diag.Fail(diag.Maybe) }})
	_, why, _ := probe.Explain(p.seen)
	at := r.Float64()
	for _, one := range why {
		if at -= one.Prior; at < 0 && one.Check != "probe" {
			if one.Check == "unseen" {
				p.cause.Seat = one.Seat
			} else {
				p.check, p.cause, p.list = one.Check, w.set.Model.Of(one.Check), w.lists[one.Check]
			}
			break
		}
	}
	for _, c := range w.set.Checks {
		i := r.IntN(len(w.fails[c.ID]))
		bad := w.set.Bystanders(c) + diag.Alarms[w.grades[c.ID][i]]
		if c.ID == p.check {
			bad = 1 - diag.Missed
		}
		switch {
		case c.Told:
		case r.Float64() < cannotRun:
			w.dealt[c.ID] = diag.Unknown("late")
		case r.Float64() < bad:
			w.dealt[c.ID] = w.fails[c.ID][i]
		default:
			w.dealt[c.ID] = diag.Pass()
		}
	}
	return p
}

// toldBy are the checks that repeat an outcome.
var toldBy = map[evidence.Outcome][]string{
	evidence.SessionLost: {"session-lost"}, evidence.NoResponse: {"no-response"}, evidence.SSOFailed: {"account-sso-failed"},
	evidence.CaptchaFailed: {"captcha-failed"}, evidence.ServerError: {"service-error"}, evidence.InvalidCredentials: {"account-credentials"},
}

// walk is how many steps the person takes in that order, and what they cost, as
// one expects.
func (w *world) walk(p person, order []string) (steps, cost float64) {
	alive := 1.0
	repairs := func(from int) float64 {
		sum, left := 0.0, 1.0
		for _, id := range order[from:] {
			if !w.set.Experiment(id) {
				sum += left * w.set.Cost(id)
				left *= 1 - w.set.Helps(id, p.cause, p.list)
			}
		}
		return sum + left*diag.GivingUp
	}
	for i, id := range order {
		steps, cost = steps+alive, cost+alive*w.set.Cost(id)
		helps := w.set.Helps(id, p.cause, p.list)
		if w.set.Experiment(id) && helps > 0 {
			cost += alive * helps * diag.Remains * repairs(i+1)
		}
		alive *= 1 - helps
	}
	return steps, cost + alive*diag.GivingUp
}

// tally gathers how well an order does.
type tally struct {
	n, found, top1, top3 int
	steps, cost          float64
}

func (y *tally) add(w *world, p person, findings, order []string) {
	steps, cost := w.walk(p, order)
	y.n, y.steps, y.cost = y.n+1, y.steps+steps, y.cost+cost
	if at := slices.Index(findings, p.check); at >= 0 {
		y.found++
		if at < 1 {
			y.top1++
		}
		if at < 3 {
			y.top3++
		}
	}
}

func (y *tally) row(name string) string {
	share := func(k int) string {
		if y.top3 == 0 {
			return ""
		}
		return fmt.Sprintf("%.0f %%", 100*float64(k)/float64(y.found))
	}
	return fmt.Sprintf("| %s | %s | %s | %.2f | %.0f |\n", name, share(y.top1), share(y.top3), y.steps/float64(y.n), y.cost/float64(y.n)/60)
}

func ids(d diag.Diagnosis) (findings, advice []string) {
	for _, f := range d.Findings {
		findings = append(findings, f.Check)
	}
	for _, a := range d.Advice {
		advice = append(advice, a.Fix)
	}
	return findings, advice
}

// bySeverity is the order without a model: by depth, impact and sureness, then
// what the login server's word follows from, and each finding's fixes in turn.
func (w *world) bySeverity(d diag.Diagnosis) (findings, advice []string) {
	about := map[string]bool{}
	depth := map[string]int{}
	for range d.Findings {
		for _, f := range d.Findings {
			told := slices.ContainsFunc(w.set.Checks, func(c diag.Check) bool { return c.ID == f.Check && c.Told })
			about[f.Check] = about[f.Check] || told
			for _, b := range f.Because {
				depth[f.Check] = max(depth[f.Check], depth[b]+1)
				about[b] = about[b] || told
			}
		}
	}
	fs := slices.Clone(d.Findings)
	is := func(b bool) int { return map[bool]int{true: 0, false: 1}[b] }
	at := func(id string) int {
		return slices.IndexFunc(w.set.Checks, func(c diag.Check) bool { return c.ID == id })
	}
	slices.SortStableFunc(fs, func(a, b diag.Finding) int {
		return cmp.Or(cmp.Compare(depth[a.Check], depth[b.Check]),
			cmp.Compare(strings.Index("blocks slows note", string(a.Impact)), strings.Index("blocks slows note", string(b.Impact))),
			cmp.Compare(strings.Index("sure likely maybe", string(a.Sureness)), strings.Index("sure likely maybe", string(b.Sureness))),
			cmp.Compare(is(about[a.Check]), is(about[b.Check])), cmp.Compare(at(a.Check), at(b.Check)))
	})
	for _, f := range fs {
		findings = append(findings, f.Check)
		for _, id := range f.Fixes {
			if len(f.Because) == 0 && !slices.Contains(advice, id) {
				advice = append(advice, id)
			}
		}
	}
	return findings, advice
}

// byArticle is each tip's first fix.
func byArticle() []string {
	var order []string
	for _, tip := range article {
		order = append(order, tip[0])
	}
	return order
}

// bent returns a model in which each number is off by up to that factor.
func bent(w *world, by float64, r *rand.Rand) diag.Set {
	off := func() float64 { return math.Pow(by, 2*r.Float64()-1) }
	set := w.set
	var causes []diag.Cause
	for _, c := range set.Checks {
		one := set.Model.Of(c.ID)
		if !one.Whole {
			one.Prior = diag.Level(float64(set.Level(c)) * off())
		}
		one.Bystander = w.set.Bystanders(c) * off()
		one.Priors = slices.Clone(one.Priors)
		for i := range one.Priors {
			one.Priors[i].Is *= diag.Level(off())
		}
		causes = append(causes, one)
	}
	unseen := set.Model.Unseen
	for i := range unseen {
		unseen[i] *= diag.Level(off())
	}
	set.Model = diag.Model{Causes: causes, Unseen: unseen}
	set.Fixes = slices.Clone(set.Fixes)
	for i := range set.Fixes {
		set.Fixes[i].Seconds *= off()
	}
	return set
}

const (
	people   = 3000
	plans    = 400 // for which all orders are tried
	maxSteps = 9
)

// simulation shows how the orders compare on people who are dealt by the model.
func simulation(t testing.TB) (table string, worse float64, bends map[float64]float64) {
	w, r := newWorld(t), rand.New(rand.NewPCG(19, 96))
	var ours, severity, articles tally
	bendings := []float64{2, 3}
	others := make([]tally, len(bendings))
	var mine, best float64
	tried := 0
	sets := make([][]diag.Set, len(bendings))
	for i, by := range bendings {
		for range 20 {
			sets[i] = append(sets[i], bent(w, by, r))
		}
	}
	for n := range people {
		p := w.deal(r)
		d := w.set.Diagnose(p.seen)
		if len(d.Findings) == 0 {
			continue // nothing to rank
		}
		findings, advice := ids(d)
		ours.add(w, p, findings, advice)
		findings, advice = w.bySeverity(d)
		severity.add(w, p, findings, advice)
		articles.add(w, p, nil, byArticle())
		for i := range bendings {
			findings, advice = ids(sets[i][n%20].Diagnose(p.seen))
			others[i].add(w, p, findings, advice)
		}
		if plan := w.set.Plan(p.seen); tried < plans && plan.Len() <= maxSteps && plan.Len() > 1 {
			tried++
			mine, best = mine+plan.Ours(), best+plan.Best()
		}
	}
	var b strings.Builder
	b.WriteString("| order | cause first | among the first three | steps | minutes |\n| --- | --- | --- | --- | --- |\n")
	b.WriteString(ours.row("this model"))
	bends = map[float64]float64{}
	for i, by := range bendings {
		b.WriteString(others[i].row(fmt.Sprintf("each number off by up to %.0f times", by)))
		bends[by] = others[i].cost / ours.cost
	}
	b.WriteString(severity.row("impact, then sureness"))
	b.WriteString(articles.row("the article's"))
	fmt.Fprintf(&b, "\nAgainst the best of all orders, for %d people with at most %d things to do: %.1f %% more time.\n", tried, maxSteps, 100*(mine/best-1))
	return b.String(), mine/best - 1, bends
}

// The tables for people who read rather than run them: make bench-ranking.
func TestRanking_isWrittenDown(t *testing.T) {
	table, worse, bends := simulation(t)
	assert.Less(t, worse, 0.05, "the best order costs that much less")
	assert.Less(t, bends[2], 1.05, "the order hangs on single numbers")
	assert.Less(t, bends[3], 1.1, "the order hangs on single numbers")

	var b strings.Builder
	b.WriteString("<!-- Generated by the tests of this package: make bench-ranking. Do not edit. -->\n\n# How well the order is\n\n")
	b.WriteString("## The casebook\n\nSign-ins that really failed, a file each in `testdata/casebook`. A step counts as the one that works if people were let\n" +
		"in by it; the article is the fixed list of a help desk: type again, reset the password, update, extensions, clear, private\nwindow, other network, lockout, single sign-on, the clock of codes, call.\n\n")
	b.WriteString(casebookTable(t))
	fmt.Fprintf(&b, "\n## Simulated people\n\n%d people are dealt by the model: an outcome, a cause by its prior, and what the checks say, with false alarms and\n"+
		"bystanders at the model's rates and one check in twenty without an answer. Places are of causes that a check found.\nSteps and minutes are what one expects until the person is in.\n\n", people)
	b.WriteString(table)
	testkit.Golden(t, "../README.md", []byte(b.String()))
}
