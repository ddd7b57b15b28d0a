package diag

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
)

// says makes a check that always says the same.
func says(id string, o Outcome, after ...string) Check {
	return Check{ID: id, Impact: Blocks, After: after, Run: func(evidence.Evidence) Outcome { return o }}
}

// told makes one that repeats the login server's word.
func told(c Check) Check {
	c.Told = true
	return c
}

func with(c Check, i Impact) Check {
	c.Impact = i
	return c
}

// found is the ids of what was found, in order.
func found(d Diagnosis) []string {
	ids := []string{}
	for _, f := range d.Findings {
		ids = append(ids, f.Check)
	}
	return ids
}

func TestDiagnose_sortsOutcomesIntoThreeResults(t *testing.T) {
	d := Set{Checks: []Check{
		says("works", Pass()),
		says("not-here", Skip()),
		says("cannot-tell", Unknown("odd")),
		with(says("broken", Fail(Likely, "mend").With(Args{"size": Seconds(90), "to": Word("ahead")})), Slows),
	}, Fixes: []Fix{{ID: "mend"}}}.Diagnose(evidence.Evidence{})

	got, err := json.Marshal(d)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"findings": [{"check": "broken", "impact": "slows", "sureness": "likely", "args": {"size": 90, "to": "ahead"}, "fixes": ["mend"], "chance": 0.639}],
		"advice": [{"fix": "mend", "helps": ["broken"], "chance": 0.511, "cost": 30}],
		"gaps": [{"check": "cannot-tell", "why": "odd"}],
		"passed": ["works"]
	}`, string(got))
}

func TestDiagnose_ofNothingHasEmptyLists(t *testing.T) {
	got, err := json.Marshal(Set{}.Diagnose(evidence.Evidence{}))
	require.NoError(t, err)
	assert.JSONEq(t, `{"findings": [], "advice": [], "gaps": [], "passed": []}`, string(got))
}

func TestDiagnose_asksNoCheckWhoseNeedsAreMissing(t *testing.T) {
	needs := func(e *evidence.Evidence) []evidence.Seen {
		return []evidence.Seen{&e.Cookies.HTTP, &e.Cookies.Script}
	}
	set := Set{Checks: []Check{{ID: "needy", Impact: Blocks, Needs: needs, Run: func(e evidence.Evidence) Outcome {
		assert.True(t, e.Cookies.HTTP.Known() && e.Cookies.Script.Known())
		return Pass()
	}}}}
	for _, c := range []struct {
		name         string
		http, script evidence.State
		gap          string
	}{
		{"all there", evidence.OK, evidence.OK, ""},
		{"an answer of any kind is an answer", evidence.Refused, evidence.Broken, ""},
		{"what does not exist is known", evidence.Absent, evidence.OK, ""},
		{"nobody looked", evidence.Unasked, evidence.OK, "unasked"},
		{"no answer in time", evidence.OK, evidence.Late, "late"},
		{"the first that is missing says why", evidence.Late, evidence.Unasked, "late"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e evidence.Evidence
			e.Cookies.HTTP.State, e.Cookies.Script.State = c.http, c.script
			d := set.Diagnose(e)
			if c.gap == "" {
				assert.Equal(t, []string{"needy"}, d.Passed)
				assert.Empty(t, d.Gaps)
				return
			}
			assert.Equal(t, []Gap{{Check: "needy", Why: c.gap}}, d.Gaps)
			assert.Empty(t, d.Passed)
		})
	}
}

func TestDiagnose_foldsSymptoms(t *testing.T) {
	fail := Fail(Sure)
	for _, c := range []struct {
		name    string
		checks  []Check
		want    []string
		because map[string][]string
	}{
		{"a symptom stands behind its cause",
			[]Check{says("symptom", fail, "cause"), says("cause", fail)},
			[]string{"cause", "symptom"}, map[string][]string{"symptom": {"cause"}}},
		{"without its cause it stands for itself",
			[]Check{says("symptom", fail, "cause"), says("cause", Pass())},
			[]string{"symptom"}, nil},
		{"a cause that could not be tested explains nothing",
			[]Check{says("symptom", fail, "cause"), says("cause", Unknown("late"))},
			[]string{"symptom"}, nil},
		{"several causes are all named",
			[]Check{says("symptom", fail, "one", "two", "three"), says("two", Pass()), says("three", fail), says("one", fail)},
			[]string{"three", "one", "symptom"}, map[string][]string{"symptom": {"one", "three"}}},
		{"a grave symptom stands behind a light cause",
			[]Check{says("symptom", fail, "cause"), with(says("cause", Fail(Maybe)), Note)},
			[]string{"cause", "symptom"}, map[string][]string{"symptom": {"cause"}}},
		{"and behind what has nothing to do with it",
			[]Check{says("symptom", fail, "cause"), says("cause", fail), with(says("other", Fail(Maybe)), Note)},
			[]string{"cause", "other", "symptom"}, map[string][]string{"symptom": {"cause"}}},
		{"in a chain, each stands behind what explains it",
			[]Check{says("last", fail, "middle"), with(says("middle", fail, "first"), Slows), with(says("first", fail), Note)},
			[]string{"first", "middle", "last"}, map[string][]string{"middle": {"first"}, "last": {"middle"}}},
		{"a shortcut in a chain does not change that",
			[]Check{says("last", fail, "first", "middle"), with(says("middle", fail, "first"), Slows), with(says("first", fail), Note)},
			[]string{"first", "middle", "last"}, map[string][]string{"middle": {"first"}, "last": {"first", "middle"}}},
		{"a gap in a chain breaks it",
			[]Check{says("last", fail, "middle"), says("middle", Pass(), "first"), with(says("first", fail), Note)},
			[]string{"last", "first"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := Set{Checks: c.checks}
			require.NoError(t, set.Validate())
			d := set.Diagnose(evidence.Evidence{})
			assert.Equal(t, c.want, found(d))
			for _, f := range d.Findings {
				assert.Equal(t, c.because[f.Check], f.Because, f.Check)
			}
		})
	}
}

// The order of two findings. With nothing told, the graver comes first, then
// the surer.
func TestDiagnose_ranksByWhatIsLikelierTheReason(t *testing.T) {
	model := func(c Cause) Model { return Model{Causes: []Cause{c}} }
	for _, c := range []struct {
		name   string
		checks []Check // the second one shall win
		model  Model
		see    evidence.Outcome
	}{
		{"what nothing explains comes first",
			[]Check{says("lose", Fail(Sure), "win"), with(says("win", Fail(Maybe)), Note)}, Model{}, ""},
		{"blocks before slows, even if less sure",
			[]Check{with(says("lose", Fail(Sure)), Slows), says("win", Fail(Maybe))}, Model{}, ""},
		{"slows before notes, even if less sure",
			[]Check{with(says("lose", Fail(Sure)), Note), with(says("win", Fail(Maybe)), Slows)}, Model{}, ""},
		{"sure before likely", []Check{says("lose", Fail(Likely)), says("win", Fail(Sure))}, Model{}, ""},
		{"likely before maybe", []Check{says("lose", Fail(Maybe)), says("win", Fail(Likely))}, Model{}, ""},
		{"what is more often the reason", []Check{says("lose", Fail(Sure)), says("win", Fail(Sure))},
			model(Cause{ID: "win", Prior: Usual}), ""},
		{"or is with this outcome", []Check{says("lose", Fail(Sure)), says("win", Fail(Sure))},
			model(Cause{ID: "win", Priors: []Given{{"session_lost", Usual}}}), "session_lost"},
		{"what fewer bystanders have", []Check{says("lose", Fail(Sure)), says("win", Fail(Sure))},
			model(Cause{ID: "lose", Bystander: 0.5}), ""},
		{"a word that is the whole story before what it does not follow from",
			[]Check{says("lose", Fail(Sure)), told(says("win", Fail(Sure)))}, model(Cause{ID: "win", Whole: true}), ""},
		{"a sure fault that stops everything before a symptom",
			[]Check{told(says("lose", Fail(Sure))), says("win", Fail(Sure))}, Model{}, ""},
		{"a symptom before a note that it does not follow from",
			[]Check{with(says("lose", Fail(Sure)), Note), told(says("win", Fail(Sure)))}, Model{}, ""},
		{"what the word follows from before what it does not",
			[]Check{says("lose", Fail(Likely)), with(says("win", Fail(Sure)), Slows), told(says("word", Fail(Sure), "win"))}, Model{}, ""},
		{"and what that follows from",
			[]Check{says("lose", Fail(Likely)), with(says("win", Fail(Sure)), Slows), says("middle", Fail(Sure), "win"), told(says("word", Fail(Sure), "middle"))}, Model{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e evidence.Evidence
			if c.see != "" {
				e.Host.Outcome = evidence.Saw(c.see)
			}
			d := Set{Checks: c.checks, Model: c.model}.Diagnose(e)
			assert.Equal(t, []string{"win", "lose"}, found(d)[:2])
		})
	}

	t.Run("in all else equal, the catalogue's order", func(t *testing.T) {
		d := Set{Checks: []Check{says("b", Fail(Sure)), says("a", Fail(Sure)), says("c", Fail(Sure))}}.Diagnose(evidence.Evidence{})
		assert.Equal(t, []string{"b", "a", "c"}, found(d))
	})
}

// steps are the fixes of the advice, in order.
func steps(d Diagnosis) []string {
	ids := []string{}
	for _, a := range d.Advice {
		ids = append(ids, a.Fix)
	}
	return ids
}

func TestDiagnose_givesEachAdviceOnce(t *testing.T) {
	fixes := []Fix{{ID: "mend"}, {ID: "swap"}, {ID: "call", Seconds: 1000}}
	for _, c := range []struct {
		name   string
		checks []Check
		want   []string
		helps  map[string][]string
	}{
		{"best first", []Check{says("one", Fail(Sure, "mend", "call")), says("two", Fail(Likely, "swap"))},
			[]string{"mend", "swap", "call"}, nil},
		{"a fix of two findings stands once and helps both",
			[]Check{says("one", Fail(Sure, "mend", "call")), says("two", Fail(Sure, "swap", "call"))},
			[]string{"mend", "swap", "call"}, map[string][]string{"call": {"one", "two"}}},
		{"a symptom has no advice of its own; what mends its cause helps it",
			[]Check{says("symptom", Fail(Sure, "swap", "call"), "cause"), says("cause", Fail(Sure, "mend", "call"))},
			[]string{"mend", "call"}, map[string][]string{"mend": {"cause", "symptom"}, "call": {"cause", "symptom"}}},
		{"a symptom of two causes is helped once by what mends both",
			[]Check{says("symptom", Fail(Sure), "one", "two"), says("one", Fail(Sure, "swap")), says("two", Fail(Likely, "swap", "mend"))},
			[]string{"swap", "mend"}, map[string][]string{"swap": {"one", "two", "symptom"}, "mend": {"two", "symptom"}}},
		{"what mends the first of a chain helps all of it",
			[]Check{says("last", Fail(Sure), "middle"), with(says("middle", Fail(Sure), "first"), Slows), says("first", Fail(Sure, "mend"))},
			[]string{"mend"}, map[string][]string{"mend": {"first", "middle", "last"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Set{Checks: c.checks, Fixes: fixes}.Diagnose(evidence.Evidence{})
			assert.Equal(t, c.want, steps(d))
			for _, a := range d.Advice {
				if helps, ok := c.helps[a.Fix]; ok {
					assert.Equal(t, helps, a.Helps, a.Fix)
				}
			}
		})
	}
}

func TestDiagnose_ordersStepsByChanceForCost(t *testing.T) {
	broken := []Check{says("broken", Fail(Sure, "first", "second", "third"))}
	about := func(c Cause) Model {
		c.ID = "broken"
		return Model{Causes: []Cause{c}}
	}
	for _, c := range []struct {
		name  string
		fixes []Fix
		model Model
		want  []string
	}{
		{"as the check says, if all cost the same", nil, Model{}, []string{"first", "second", "third"}},
		{"a place is worth half the cost", []Fix{{ID: "first", Seconds: 31}}, Model{}, []string{"second", "first", "third"}},
		{"and not more", []Fix{{ID: "first", Seconds: 29}}, Model{}, []string{"first", "second", "third"}},
		{"effort counts", []Fix{{ID: "first", Effort: Much}}, Model{}, []string{"second", "third", "first"}},
		{"and who has to act", []Fix{{ID: "first", Who: Support}}, Model{}, []string{"second", "third", "first"}},
		{"what the model says of a fix", nil, about(Cause{Helps: []Helping{{"third", Surely}}}), []string{"third", "first", "second"}},
		{"who takes over whatever the cause comes last", []Fix{{ID: "first", Always: Surely}}, Model{}, []string{"second", "third", "first"}},
		{"what helps where it is listed does so in any place", []Fix{{ID: "third", Listed: Half}}, Model{}, []string{"first", "third", "second"}},
		{"an experiment lets in whoever has the cause in that seat", []Fix{{ID: "first", Seconds: 300}, {ID: "third", Moves: []Seat{Network}, Shows: Surely}},
			about(Cause{Seat: Network}), []string{"second", "third", "first"}},
		{"and helps against what nobody sees", []Fix{{ID: "third", Moves: []Seat{Network}, Shows: Surely}},
			Model{Unseen: [seats]Level{Network: 1e6}}, []string{"third", "first", "second"}},
		{"but leaves the repair to be done", []Fix{{ID: "second", Seconds: 300}, {ID: "third", Moves: []Seat{Network}, Shows: Surely}},
			about(Cause{Seat: Network}), []string{"first", "third", "second"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Set{Checks: broken, Fixes: c.fixes, Model: c.model}.Diagnose(evidence.Evidence{})
			assert.Equal(t, c.want, steps(d), "%+v", d.Advice)
		})
	}
}

// Where the site is to blame, nobody is sent to change anything else.
func TestDiagnose_asksNothingUselessForAFaultOfTheSite(t *testing.T) {
	set := Set{
		Checks: []Check{says("site-broken", Fail(Sure, "report")), with(says("slow", Fail(Sure, "swap")), Slows)},
		Model:  Model{Causes: []Cause{{ID: "site-broken", Seat: Site}}},
	}
	assert.Equal(t, []string{"report"}, steps(set.Diagnose(evidence.Evidence{})))

	set.Checks = []Check{says("site-broken", Fail(Maybe, "report")), says("slow", Fail(Maybe, "swap")), says("other", Unknown("late"))}
	assert.Equal(t, []string{"report", "swap"}, steps(set.Diagnose(evidence.Evidence{})), "if it is not sure, both")
}

func TestDiagnose_learnsFromWhatDidNotHelp(t *testing.T) {
	set := Set{Checks: []Check{says("one", Fail(Sure, "mend", "swap", "call")), says("two", Fail(Likely, "turn"))}}
	var e evidence.Evidence
	before := set.Diagnose(e)
	e.Run.Tried = evidence.Names{"mend"}
	after := set.Diagnose(e)
	assert.Equal(t, []string{"mend", "swap", "turn", "call"}, steps(before))
	assert.Equal(t, []string{"swap", "turn", "call"}, steps(after), "never the same advice twice")
	assert.Less(t, after.Findings[0].Chance, before.Findings[0].Chance)
	assert.Greater(t, after.Findings[1].Chance, before.Findings[1].Chance)

	e.Run.Tried = evidence.Names{"mend", "mend"}
	assert.Equal(t, after, set.Diagnose(e), "what is told twice was tried once")

	e.Run.Tried = evidence.Names{"mend", "swap", "call"}
	d := set.Diagnose(e)
	assert.Equal(t, []string{"turn"}, steps(d))
	e.Run.Tried = evidence.Names{"mend", "swap", "call", "turn"}
	assert.Empty(t, set.Diagnose(e).Advice)

	t.Run("enough of it changes the order", func(t *testing.T) {
		set := Set{Checks: []Check{says("one", Fail(Sure, "mend", "call")), says("two", Fail(Sure, "turn"))}}
		assert.Equal(t, []string{"one", "two"}, found(set.Diagnose(evidence.Evidence{})))
		assert.Equal(t, []string{"two", "one"}, found(set.Diagnose(evidence.Evidence{Run: evidence.Run{Tried: evidence.Names{"mend"}}})))
	})
}

// What another finding explains has no share of its own, except the login server's
// word, which may have been said for nothing of what was found.
func TestDiagnose_givesNoChanceToWhatIsExplained(t *testing.T) {
	d := Set{Checks: []Check{says("cause", Fail(Maybe)), says("symptom", Fail(Sure), "cause"), told(says("word", Fail(Sure), "cause"))}}.
		Diagnose(evidence.Evidence{})
	require.Equal(t, []string{"cause", "symptom", "word"}, found(d))
	assert.InDelta(t, 8.0/9, d.Findings[0].Chance, 0.001)
	assert.Zero(t, d.Findings[1].Chance)
	assert.InDelta(t, 1.0/9, d.Findings[2].Chance, 0.001)
}

// A pass takes away almost all of a cause's chance, and unknown takes nothing.
func TestDiagnose_chancesAddUp(t *testing.T) {
	chance := func(other Outcome) float64 {
		return Set{Checks: []Check{says("one", Fail(Maybe)), says("other", other)}}.Diagnose(evidence.Evidence{}).Findings[0].Chance
	}
	assert.InDelta(t, 8.0/9, chance(Unknown("late")), 0.001)
	assert.InDelta(t, 8.0/9, chance(Skip()), 0.001)
	assert.InDelta(t, 8/8.02, chance(Pass()), 0.001)
	assert.InDelta(t, 8.0/16, chance(Fail(Maybe)), 0.001)
}

func TestDiagnose_offersOnlyWhatCanBeDoneHere(t *testing.T) {
	set := Set{
		Checks: []Check{says("broken", Fail(Sure, "on-phones", "anywhere", "nowhere"))},
		Fixes: []Fix{
			{ID: "anywhere"},
			{ID: "nowhere", Offered: func(evidence.Evidence) bool { return false }},
			{ID: "on-phones", Offered: func(e evidence.Evidence) bool { return evidence.Is(e.Browser.Device, "phone") }},
		},
	}
	var phone evidence.Evidence
	phone.Browser.Device = evidence.Saw("phone")
	assert.Equal(t, []string{"on-phones", "anywhere"}, set.Diagnose(phone).Findings[0].Fixes)
	assert.Equal(t, []string{"anywhere"}, set.Diagnose(evidence.Evidence{}).Findings[0].Fixes)
}

func TestDiagnose_keepsAFixThatIsNotListed(t *testing.T) {
	d := Set{Checks: []Check{says("broken", Fail(Sure, "typo"))}, Fixes: []Fix{{ID: "mend"}}}.Diagnose(evidence.Evidence{})
	assert.Equal(t, []string{"typo"}, d.Findings[0].Fixes, "the catalogue's tests must see it")
}

func TestDiagnose_endsForChecksThatExplainEachOther(t *testing.T) {
	d := Set{Checks: []Check{says("a", Fail(Sure), "b"), says("b", Fail(Sure), "a")}}.Diagnose(evidence.Evidence{})
	assert.Len(t, d.Findings, 2)
}

func TestValidate_namesEachFaultOfTheModel(t *testing.T) {
	err := Set{
		Checks: []Check{says("a", Pass())},
		Fixes:  []Fix{{ID: "mend"}, {ID: "mend"}},
		Model:  Model{Causes: []Cause{{ID: "a", Helps: []Helping{{"mend", Half}, {"typo", Half}}}, {ID: "a"}, {ID: "ghost"}}},
	}.Validate()
	assert.EqualError(t, err, "fix mend: listed twice\n"+
		"cause a: is helped by typo, which does not exist\n"+
		"cause a: listed twice, or there is no such check\n"+
		"cause ghost: listed twice, or there is no such check")
}

func TestValidate_namesEachFault(t *testing.T) {
	ok := says("ok", Pass())
	for _, c := range []struct {
		name   string
		checks []Check
		want   []string
	}{
		{"a good catalogue", []Check{ok, says("later", Pass(), "ok")}, nil},
		{"twice the same id", []Check{ok, ok}, []string{"check ok: listed twice"}},
		{"no function", []Check{{ID: "x", Impact: Note}}, []string{"check x: needs an impact and a function"}},
		{"no impact", []Check{{ID: "x", Run: ok.Run}}, []string{"check x: needs an impact and a function"}},
		{"after what does not exist", []Check{says("x", Pass(), "ghost")}, []string{"check x: comes after ghost, which does not exist"}},
		{"after itself", []Check{says("x", Pass(), "x")}, []string{"check x: comes after itself"}},
		{"a circle", []Check{says("a", Pass(), "b"), says("b", Pass(), "c"), says("c", Pass(), "a"), says("d", Pass(), "a")},
			[]string{"check a: comes after itself", "check b: comes after itself", "check c: comes after itself"}},
		{"two ways to the same are no circle", []Check{ok, says("a", Pass(), "ok"), says("b", Pass(), "ok"), says("c", Pass(), "a", "b")}, nil},
		{"all faults at once", []Check{ok, ok, says("x", Pass(), "ghost")},
			[]string{"check ok: listed twice", "check x: comes after ghost, which does not exist"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Set{Checks: c.checks}.Validate()
			if c.want == nil {
				assert.NoError(t, err)
				return
			}
			require.Error(t, err)
			joined, ok := err.(interface{ Unwrap() []error })
			require.True(t, ok)
			var got []string
			for _, e := range joined.Unwrap() {
				got = append(got, e.Error())
			}
			assert.Equal(t, c.want, got)
		})
	}
}
