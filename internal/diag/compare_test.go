package diag

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
)

func TestCompare_saysWhatBecameOfEachFinding(t *testing.T) {
	look := func(outs map[string]Outcome) Diagnosis {
		var checks []Check
		for _, id := range []string{"a", "b", "c", "d"} {
			checks = append(checks, says(id, outs[id]))
		}
		return Set{Checks: checks}.Diagnose(evidence.Evidence{})
	}
	first := look(map[string]Outcome{"a": Fail(Sure), "b": Fail(Sure), "c": Fail(Sure), "d": Pass()})
	second := look(map[string]Outcome{"a": Pass(), "b": Fail(Maybe), "c": Unknown("late"), "d": Fail(Sure)})
	assert.Equal(t, evidence.Comparison{
		Under: evidence.PrivateWindow, Gone: evidence.Names{"a"}, Stayed: evidence.Names{"b"}, Came: evidence.Names{"d"},
	}, Compare(first, second, evidence.PrivateWindow), "what could not be tested is neither gone nor there")
}

func TestConclude_saysWhatFollows(t *testing.T) {
	gone, stayed := evidence.Names{"a"}, evidence.Names{"b"}
	for _, c := range []struct {
		name string
		seen evidence.Comparisons
		want []string
	}{
		{"nothing", nil, nil},
		{"nothing was wrong", evidence.Comparisons{{Under: evidence.PrivateWindow}}, nil},
		{"gone", evidence.Comparisons{{Under: evidence.PrivateWindow, Gone: gone}}, []string{"private-window-clean"}},
		{"partly gone", evidence.Comparisons{{Under: evidence.OtherNetwork, Gone: gone, Stayed: stayed}}, []string{"other-network-less"}},
		{"still there", evidence.Comparisons{{Under: evidence.OtherDevice, Stayed: stayed}}, []string{"other-device-same"}},
		{"the same everywhere", evidence.Comparisons{
			{Under: evidence.PrivateWindow, Stayed: stayed}, {Under: evidence.OtherNetwork, Stayed: stayed}, {Under: evidence.OtherDevice, Stayed: stayed},
		}, []string{"private-window-same", "other-network-same", "other-device-same", "same-everywhere"}},
		{"a condition that nobody knows", evidence.Comparisons{{Under: "full-moon", Gone: gone}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ids []string
			for _, f := range Conclude(c.seen) {
				ids = append(ids, f.ID)
			}
			assert.Equal(t, c.want, ids)
		})
	}
	assert.Equal(t, Args{"gone": 1, "stayed": 1, "came": 0}, Conclude(evidence.Comparisons{{Under: evidence.OtherNetwork, Gone: gone, Stayed: stayed}})[0].Args)
}

// Two faults that are equally likely, one in the browser's profile and one in the
// network: a second look tells them apart.
func TestDiagnose_learnsFromASecondLook(t *testing.T) {
	set := Set{
		Checks: []Check{says("line", Fail(Likely, "pause")), says("blocker", Fail(Likely, "allow"))},
		Model: Model{
			Causes: []Cause{{ID: "line", Seat: Network}, {ID: "blocker", Seat: Profile}},
			Unseen: [seats]Level{Network: Often, Profile: Often, Site: Often},
		},
	}
	after := func(c evidence.Comparison) []string {
		var e evidence.Evidence
		e.Run.Compared = evidence.Comparisons{c}
		return found(set.Diagnose(e))
	}
	require.Equal(t, []string{"line", "blocker"}, found(set.Diagnose(evidence.Evidence{})))
	both := evidence.Names{"line", "blocker"}
	assert.Equal(t, []string{"blocker", "line"}, after(evidence.Comparison{Under: evidence.PrivateWindow, Gone: both}))
	assert.Equal(t, []string{"line", "blocker"}, after(evidence.Comparison{Under: evidence.PrivateWindow, Stayed: both}))
	assert.Equal(t, []string{"blocker", "line"}, after(evidence.Comparison{Under: evidence.OtherNetwork, Stayed: both}))
	assert.Equal(t, []string{"line", "blocker"}, after(evidence.Comparison{Under: evidence.OtherNetwork, Gone: both}))
}

// What nobody sees is moved by what all findings did.
func TestDiagnose_placesTheUnseen(t *testing.T) {
	set := Set{
		Checks: []Check{told(says("word", Fail(Sure, "call")))},
		Model:  Model{Unseen: [seats]Level{Network: Often, Profile: Often}},
	}
	chance := func(seat Seat, c ...evidence.Comparison) float64 {
		var e evidence.Evidence
		e.Run.Compared = c
		_, why, _ := set.Explain(e)
		for _, r := range why {
			if r.Check == "unseen" && r.Seat == seat {
				return r.Chance
			}
		}
		return 0
	}
	same := evidence.Comparison{Under: evidence.PrivateWindow, Stayed: evidence.Names{"word"}}
	assert.InDelta(t, 1.0/3, chance(Profile), 0.001)
	assert.Less(t, chance(Profile, same), 0.03)
	assert.Greater(t, chance(Network, same), 0.45)
}

// What was brought: the profile's fault is gone in a private window, the network's
// is still there, and the person got in or did not.
func TestContrast_concludesFromWhatWasBrought(t *testing.T) {
	when := func(id string, fact func(evidence.Evidence) evidence.Fact[bool], fixes ...string) Check {
		return Check{ID: id, Impact: Blocks, Run: func(e evidence.Evidence) Outcome {
			if f := fact(e); f.State != evidence.OK {
				return Unknown("unasked")
			} else if f.Value {
				return Pass()
			}
			return Fail(Likely, fixes...)
		}}
	}
	word := told(Check{ID: "word", Impact: Blocks, Run: func(e evidence.Evidence) Outcome {
		if e.Host.Outcome.State != evidence.OK {
			return Skip()
		}
		return Fail(Sure, "call")
	}})
	set := Set{
		Checks: []Check{
			when("blocker", func(e evidence.Evidence) evidence.Fact[bool] { return e.Script.Runs }, "look-privately", "pause"),
			when("line", func(e evidence.Evidence) evidence.Fact[bool] { return e.Network.Online }, "move"),
			word,
		},
		Fixes: []Fix{{ID: "look-privately", Moves: []Seat{Profile}}, {ID: "move", Moves: []Seat{Network}}},
		Model: Model{Causes: []Cause{{ID: "blocker", Seat: Profile}, {ID: "line", Seat: Network}}},
	}
	first := func(looks ...evidence.Second) evidence.Evidence {
		var e evidence.Evidence
		e.Host.Outcome, e.Script.Runs, e.Network.Online = evidence.Saw(evidence.SessionLost), evidence.Saw(false), evidence.Saw(false)
		e.Run.Tried, e.Run.Seconds = evidence.Names{"pause"}, looks
		set.Contrast(&e)
		return e
	}
	private := evidence.Second{Under: evidence.PrivateWindow}
	private.Seen.Script.Runs, private.Seen.Network.Online = evidence.Saw(true), evidence.Saw(false)
	gone, stayed := evidence.Names{"blocker"}, evidence.Names{"line"}
	assert.Equal(t, evidence.Comparisons{{Under: evidence.PrivateWindow, Gone: gone, Stayed: stayed}}, first(private).Run.Compared, "nobody tried to sign in")
	private.Worked = evidence.Yes
	assert.Equal(t, evidence.Comparisons{{Under: evidence.PrivateWindow, Gone: evidence.Names{"blocker", "word"}, Stayed: stayed}}, first(private).Run.Compared)
	private.Worked = evidence.No
	private.Seen.Host.Outcome = evidence.Saw(evidence.SessionLost)
	e := first(private, evidence.Second{Under: evidence.OtherNetwork})
	assert.Equal(t, evidence.Comparisons{
		{Under: evidence.PrivateWindow, Gone: gone, Stayed: evidence.Names{"line", "word"}},
		{Under: evidence.OtherNetwork},
	}, e.Run.Compared, "and of nothing nothing follows")

	var advised []string
	for _, a := range set.Diagnose(e).Advice {
		advised = append(advised, a.Fix)
	}
	assert.ElementsMatch(t, []string{"move", "call"}, advised, "not the experiment that was done, but the one that showed nothing")

	read := evidence.Evidence{Run: evidence.Run{Compared: evidence.Comparisons{{Under: evidence.OtherDevice, Gone: gone}}}}
	set.Contrast(&read)
	assert.Len(t, read.Run.Compared, 1, "what was concluded elsewhere stays")
}
