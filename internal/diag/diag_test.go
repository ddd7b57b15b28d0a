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
		"findings": [{"check": "broken", "impact": "slows", "sureness": "likely", "args": {"size": 90, "to": "ahead"}, "fixes": ["mend"]}],
		"advice": [{"fix": "mend", "helps": ["broken"]}],
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

// The order of two findings, each row deciding by one thing alone; the other
// things speak against it where they come later in the order.
func TestDiagnose_ranksByOneThingAfterTheOther(t *testing.T) {
	type rows []Check
	for _, c := range []struct {
		name   string
		checks rows // the second one shall win
	}{
		{"what nothing explains comes first",
			rows{says("lose", Fail(Sure), "win"), with(says("win", Fail(Maybe)), Note)}},
		{"blocks before slows",
			rows{with(told(says("lose", Fail(Sure))), Slows), says("win", Fail(Maybe))}},
		{"slows before notes",
			rows{with(told(says("lose", Fail(Sure))), Note), with(says("win", Fail(Maybe)), Slows)}},
		{"sure before likely",
			rows{told(says("lose", Fail(Likely))), says("win", Fail(Sure))}},
		{"likely before maybe",
			rows{told(says("lose", Fail(Maybe))), says("win", Fail(Likely))}},
		{"the login server's word before what does not explain it",
			rows{says("lose", Fail(Sure)), told(says("win", Fail(Sure)))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Set{Checks: c.checks}.Diagnose(evidence.Evidence{})
			assert.Equal(t, []string{"win", "lose"}, found(d))
		})
	}

	t.Run("what explains the login server's word before what does not", func(t *testing.T) {
		d := Set{Checks: []Check{says("other", Fail(Sure)), says("cause", Fail(Sure)), told(says("word", Fail(Sure), "cause"))}}.
			Diagnose(evidence.Evidence{})
		assert.Equal(t, []string{"cause", "other", "word"}, found(d))
	})
	t.Run("in all else equal, the catalogue's order", func(t *testing.T) {
		d := Set{Checks: []Check{says("b", Fail(Sure)), says("a", Fail(Sure)), says("c", Fail(Sure))}}.Diagnose(evidence.Evidence{})
		assert.Equal(t, []string{"b", "a", "c"}, found(d))
	})
}

func TestDiagnose_givesEachAdviceOnce(t *testing.T) {
	fixes := []Fix{{ID: "mend"}, {ID: "swap"}, {ID: "call"}}
	for _, c := range []struct {
		name   string
		checks []Check
		want   []Advice
	}{
		{"best first, in the order of the findings",
			[]Check{says("one", Fail(Sure, "mend", "call")), says("two", Fail(Sure, "swap"))},
			[]Advice{{"mend", []string{"one"}}, {"call", []string{"one"}}, {"swap", []string{"two"}}}},
		{"a fix of two findings stands once and helps both",
			[]Check{says("one", Fail(Sure, "mend", "call")), says("two", Fail(Sure, "swap", "call"))},
			[]Advice{{"mend", []string{"one"}}, {"call", []string{"one", "two"}}, {"swap", []string{"two"}}}},
		{"a symptom has no advice of its own; what mends its cause helps it",
			[]Check{says("symptom", Fail(Sure, "swap", "call"), "cause"), says("cause", Fail(Sure, "mend", "call"))},
			[]Advice{{"mend", []string{"cause", "symptom"}}, {"call", []string{"cause", "symptom"}}}},
		{"a symptom of two causes is helped once by what mends both",
			[]Check{says("symptom", Fail(Sure), "one", "two"), says("one", Fail(Sure, "call")), says("two", Fail(Sure, "call", "mend"))},
			[]Advice{{"call", []string{"one", "two", "symptom"}}, {"mend", []string{"two", "symptom"}}}},
		{"what mends the first of a chain helps all of it",
			[]Check{says("last", Fail(Sure), "middle"), with(says("middle", Fail(Sure), "first"), Slows), says("first", Fail(Sure, "mend"))},
			[]Advice{{"mend", []string{"first", "middle", "last"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Set{Checks: c.checks, Fixes: fixes}.Diagnose(evidence.Evidence{})
			assert.Equal(t, c.want, d.Advice)
		})
	}
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
