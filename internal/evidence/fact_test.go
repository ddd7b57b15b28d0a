package evidence

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFact_isReadInThreeSpellings(t *testing.T) {
	for _, c := range []struct {
		name, json string
		want       Fact[bool]
	}{
		{"in full", `{"state":"ok","value":true}`, Saw(true)},
		{"in full, false", `{"state":"ok","value":false}`, Saw(false)},
		{"only a value", `{"value":true}`, Saw(true)},
		{"only an exception", `{"error":"SecurityError: Access is denied for this document."}`, Fact[bool]{State: Refused, Note: "SecurityError"}},
		{"an exception beats a state and a value", `{"state":"ok","value":true,"error":"null"}`, Fact[bool]{State: Absent, Note: "null"}},
		{"a state with a note", `{"state":"broken","note":"QuotaExceededError"}`, Fact[bool]{State: Broken, Note: "QuotaExceededError"}},
		{"a value is believed only if it was seen", `{"state":"refused","value":true}`, Fact[bool]{State: Refused}},
		{"nothing", `{}`, Fact[bool]{}},
		{"null", `null`, Fact[bool]{}},
		{"no value is no value", `{"value":null}`, Fact[bool]{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Saw(true) // reading replaces what was there
			require.NoError(t, json.Unmarshal([]byte(c.json), &got))
			assert.Equal(t, c.want, got)
		})
	}
}

func TestFact_refusesWhatItCannotMean(t *testing.T) {
	for json1, want := range map[string]string{
		`{"state":"maybe"}`:             `unknown state "maybe": use ok, absent, refused, late, full or broken`,
		`{"state":"ok"}`:                `state "ok" without a value`,
		`{"state":"ok","value":null}`:   `state "ok" without a value`,
		`{"state":"ok","value":"true"}`: `cannot unmarshal string`,
		`{"value":true,"vaule":true}`:   `unknown field "vaule"`,
		`[true]`:                        `cannot unmarshal array`,
	} {
		var f Fact[bool]
		assert.ErrorContains(t, json.Unmarshal([]byte(json1), &f), want, json1)
	}
}

func TestFact_isWrittenWithStateAndValue(t *testing.T) {
	for want, f := range map[string]any{
		`{"state":"ok","value":true}`:                   Saw(true),
		`{"state":"ok","value":0}`:                      Saw(0),
		`{"state":"refused","note":"SecurityError"}`:    Failed[bool]("SecurityError: no"),
		`{"state":"late"}`:                              Fact[int]{State: Late, Value: 7},
		`{"state":"ok","value":{"lo":-1.5,"hi":2}}`:     Saw(Offset{Lo: -1.5, Hi: 2}),
		`{"state":"ok","value":["https://a.example/"]}`: Saw(Addresses{"https://a.example/"}),
	} {
		got, err := json.Marshal(f)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(got))
	}
}

func TestEvidence_ofNothingIsEmpty(t *testing.T) {
	got, err := json.Marshal(Evidence{})
	require.NoError(t, err)
	assert.Equal(t, "{}", string(got))
}

func TestFact_knowsWhetherItIsKnown(t *testing.T) {
	for state, want := range map[State]bool{
		Unasked: false, Late: false, OK: true, Absent: true, Refused: true, Broken: true,
	} {
		f := Fact[bool]{State: state}
		assert.Equal(t, want, f.Known(), "state %q", state)
		assert.Equal(t, state, f.How())
	}
	f := Failed[int]("TypeError: x")
	f.Blank()
	assert.Equal(t, Fact[int]{}, f)
}

func TestIs_needsTheValueToHaveBeenSeen(t *testing.T) {
	assert.True(t, Is(Saw(false), false))
	assert.False(t, Is(Saw(true), false))
	assert.False(t, Is(Fact[bool]{}, false), "a fact that nobody looked for is not false")
	assert.False(t, Is(Fact[bool]{State: Refused}, false))
}

func TestStrings_areCutInWholeCharacters(t *testing.T) {
	// Each é takes two bytes, and the first byte shifts them, so that every
	// even limit falls into the middle of one.
	long := "x" + strings.Repeat("é", 10_000)
	var note, exception Fact[bool]
	var value Fact[string]
	var list Addresses
	quoted, err := json.Marshal(long)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(`{"state":"broken","note":`+string(quoted)+`}`), &note))
	require.NoError(t, json.Unmarshal([]byte(`{"error":`+string(quoted)+`}`), &exception))
	require.NoError(t, json.Unmarshal([]byte(`{"value":`+string(quoted)+`}`), &value))
	require.NoError(t, json.Unmarshal([]byte(`[`+string(quoted)+`]`), &list))
	h := Told(long, long, nil)
	for name, c := range map[string]struct {
		got   string
		limit int
	}{
		"note": {note.Note, 60}, "exception": {exception.Note, 60}, "value": {value.Value, 300},
		"address": {list[0], 300}, "code": {h.Code.Value, 64}, "reference": {h.Reference.Value, 64},
	} {
		assert.Equal(t, c.limit-1, len(c.got), name)
		assert.True(t, utf8.ValidString(c.got), name)
		assert.True(t, strings.HasPrefix(long, c.got), name)
	}
}

func TestAddresses_keepTheFirstTwenty(t *testing.T) {
	in := make([]string, 25)
	for i := range in {
		in[i] = string(rune('a' + i))
	}
	data, err := json.Marshal(in)
	require.NoError(t, err)
	var got Addresses
	require.NoError(t, json.Unmarshal(data, &got))
	assert.Equal(t, Addresses(in[:20]), got)

	require.NoError(t, json.Unmarshal([]byte(`[]`), &got))
	assert.Empty(t, got)
	assert.Error(t, json.Unmarshal([]byte(`["a",1]`), &got))
	assert.Error(t, json.Unmarshal([]byte(`"a"`), &got))
}

func TestAddresses_coarseKeepOnlyOrigins(t *testing.T) {
	for in, want := range map[string]string{
		"https://cdn.example/a/b.js?user=anna#top":             "https://cdn.example",
		"https://cdn.example:8443/a":                           "https://cdn.example:8443",
		"https://cdn.example":                                  "https://cdn.example",
		"https://cdn.example?user=anna":                        "https://cdn.example",
		"https://cdn.example#anna":                             "https://cdn.example",
		"https://anna:secret@cdn.example/":                     "https://cdn.example",
		"https://[2001:db8::1]:8443/a":                         "https://[2001:db8::1]:8443",
		"wss://live.example/socket":                            "wss://live.example",
		"chrome-extension://abcdef/inject.js":                  "chrome-extension://abcdef",
		"blob:https://cdn.example/0b1c":                        "blob:https://cdn.example",
		"script-src-elem https://cdn.example/a.js":             "script-src-elem https://cdn.example",
		"script-src inline":                                    "script-src inline",
		"script-src wasm-eval":                                 "script-src wasm-eval",
		"img-src data":                                         "img-src data",
		"data:text/html,anna":                                  "data",
		"img-src data:text/html;x=https://a.example":           "img-src data",
		"/patients/anna":                                       "",
		"https://cdn.example/a b https://other.example/secret": "https://cdn.example",
		"connect-src https://a.example/b https://c.example/d":  "connect-src https://a.example",
		"patient=anna https://cdn.example/":                    "", "patient=anna": "",
		"": "",
	} {
		got := Addresses{in}.Coarse()
		assert.Equal(t, Addresses{want}, got, in)
	}
}

func TestOffset_coarseRoundsOutward(t *testing.T) {
	for _, c := range []struct{ in, want Offset }{
		{Offset{Lo: 1, Hi: 999}, Offset{Lo: 0, Hi: 1000}},
		{Offset{Lo: -999, Hi: -1}, Offset{Lo: -1000, Hi: 0}},
		{Offset{Lo: 2000, Hi: 3000}, Offset{Lo: 2000, Hi: 3000}},
		{Offset{Lo: -61_001, Hi: 61_001}, Offset{Lo: -62_000, Hi: 62_000}},
	} {
		got := c.in.Coarse().(Offset)
		assert.InDelta(t, c.want.Lo, got.Lo, 0)
		assert.InDelta(t, c.want.Hi, got.Hi, 0)
		assert.LessOrEqual(t, got.Lo, c.in.Lo, "the bounds stay true")
		assert.GreaterOrEqual(t, got.Hi, c.in.Hi, "the bounds stay true")
	}
}

func TestOffset_midIsFiniteForAllBounds(t *testing.T) {
	assert.Equal(t, 5.0, Offset{Lo: -10, Hi: 20}.Mid())
	assert.Equal(t, math.MaxFloat64, Offset{Lo: math.MaxFloat64, Hi: math.MaxFloat64}.Mid())
}

func TestMilliseconds_coarseAreWholeSeconds(t *testing.T) {
	assert.Equal(t, Milliseconds(42_000), Milliseconds(41_500).Coarse())
	assert.Equal(t, Milliseconds(41_000), Milliseconds(41_499).Coarse())
}

func TestTens_coarse(t *testing.T) {
	assert.Equal(t, Tens(20), Tens(15.5).Coarse())
	assert.Equal(t, Tens(0), Tens(4.9).Coarse())
}

func TestFact_coarseTouchesOnlyWhatWasSeen(t *testing.T) {
	assert.Equal(t, Saw(Milliseconds(1000)), Saw(Milliseconds(1234)).Coarse())
	assert.Equal(t, Fact[Addresses]{State: Late}, Fact[Addresses]{State: Late}.Coarse())
	assert.Equal(t, Saw("as it is"), Saw("as it is").Coarse())
	assert.True(t, Fact[Offset]{}.CanCoarse())
	assert.False(t, Fact[string]{}.CanCoarse())
}
