package report_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/checks"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/testkit"
)

// full is evidence in which every field holds something.
func full(t *testing.T) evidence.Evidence {
	t.Helper()
	var e evidence.Evidence
	n := 0
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		n++
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i))
			}
			if state := v.FieldByName("State"); state.IsValid() {
				state.Set(reflect.ValueOf(evidence.OK))
			}
		case reflect.String:
			v.SetString(fmt.Sprintf("text%d", n))
		case reflect.Int:
			v.SetInt(int64(n))
		case reflect.Float64:
			v.SetFloat(float64(n) + 0.5)
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Slice:
			if v.Type() == reflect.TypeFor[evidence.Seconds]() { // each holds evidence again
				v.Set(reflect.ValueOf(evidence.Seconds{{Under: evidence.PrivateWindow, Seen: evidence.Evidence{Host: evidence.Told("text", "5ecret", nil)}}}))
				return
			}
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			fill(v.Index(0))
			fill(v.Index(1))
		case reflect.Map:
			value := reflect.New(v.Type().Elem()).Elem()
			fill(value)
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("sec-ch-ua"), value)
		default:
			t.Fatalf("no filling for a %s", v.Kind())
		}
	}
	fill(reflect.ValueOf(&e).Elem())
	e.Page.Failed = evidence.Saw(evidence.Addresses{"https://cdn.example/patients/anna.js?token=5ecret"})
	e.Page.Violations = evidence.Saw(evidence.Addresses{"script-src https://anna:5ecret@cdn.example/x"})
	return e
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

// fields calls do for every field of a struct and of the structs in it, down to
// the facts.
func fields(t reflect.Type, path string, do func(path string, f reflect.StructField)) {
	for i := range t.NumField() {
		f := t.Field(i)
		do(path+f.Name, f)
		if _, fact := reflect.New(f.Type).Interface().(evidence.Seen); f.Type.Kind() == reflect.Struct && !fact {
			fields(f.Type, path+f.Name+".", do)
		}
	}
}

func TestEvidence_saysOfEveryFieldWhetherItMayLeave(t *testing.T) {
	count := 0
	fields(reflect.TypeFor[evidence.Evidence](), "", func(path string, f reflect.StructField) {
		count++
		assert.True(t, f.IsExported(), path)
		assert.Contains(t, f.Tag.Get("json"), ",omitzero", path)
		switch send := f.Tag.Get("send"); send {
		case "yes", "no":
		case "coarse":
			value := reflect.New(f.Type).Interface()
			assert.Implements(t, (*evidence.Coarser)(nil), value, path)
			if fact, ok := value.(interface{ CanCoarse() bool }); ok {
				assert.True(t, fact.CanCoarse(), "%s: a value of this type cannot be reduced", path)
			}
		default:
			t.Errorf("%s: send:%q, but use yes, coarse or no", path, send)
		}
	})
	assert.Greater(t, count, 30, "the walk has gone wrong")
}

func TestRedact_reducesWhatIsCoarse(t *testing.T) {
	e := full(t)
	e.Clock.Offset = evidence.Saw(evidence.Offset{Lo: -61_400, Hi: -61_300})
	e.Page.Age = evidence.Saw[evidence.Milliseconds](41_499.5)
	got := report.Redact(e)
	assert.Equal(t, evidence.Saw(evidence.Offset{Lo: -62_000, Hi: -61_000}), got.Clock.Offset)
	assert.Equal(t, evidence.Saw[evidence.Milliseconds](41_000), got.Page.Age)
	assert.Equal(t, evidence.Saw(evidence.Addresses{"https://cdn.example"}), got.Page.Failed)
	assert.Equal(t, evidence.Saw(evidence.Addresses{"script-src https://cdn.example"}), got.Page.Violations)
	for _, secret := range []string{"anna", "5ecret", "patients", "61400", "41499"} {
		assert.NotContains(t, toJSON(t, got), secret)
	}
}

// Whatever the tags say, and whatever fields there will be: planted in a field
// that does not leave, a secret does not leave; all else does.
func TestRedact_keepsBackWhatTheTagsSay(t *testing.T) {
	before := reflect.ValueOf(full(t))
	after := reflect.ValueOf(report.Redact(full(t)))
	fields(before.Type(), "", func(path string, f reflect.StructField) {
		was, is := before, after
		for name := range strings.SplitSeq(path, ".") {
			was, is = was.FieldByName(name), is.FieldByName(name)
		}
		require.False(t, was.IsZero(), "%s was not filled", path)
		_, fact := was.Interface().(interface{ CanCoarse() bool })
		switch send := f.Tag.Get("send"); {
		case send == "no" || send == "":
			assert.True(t, is.IsZero(), "%s left the browser", path)
		case send == "coarse":
			assert.Equal(t, was.Interface().(evidence.Coarser).Coarse(), is.Interface(), path)
		case fact || f.Type.Kind() != reflect.Struct:
			assert.Equal(t, was.Interface(), is.Interface(), path)
		}
	})
}

func TestRedact_leavesTheEvidenceAlone(t *testing.T) {
	e := full(t)
	before := toJSON(t, e)
	report.Redact(e)
	assert.Equal(t, before, toJSON(t, e))
}

func TestRedact_ofNothingIsNothing(t *testing.T) {
	assert.Equal(t, "{}", toJSON(t, report.Redact(evidence.Evidence{})))
}

func TestRedact_twiceIsOnce(t *testing.T) {
	once := report.Redact(full(t))
	assert.Equal(t, once, report.Redact(once))
}

func TestNew_isWhatTheContractSays(t *testing.T) {
	var e evidence.Evidence
	e.Run.Tier, e.Run.TierReason = evidence.JS, evidence.Stalled
	e.Host = evidence.Told("account_locked", "r-17", nil)
	d := diag.Diagnosis{
		Findings: []diag.Finding{{Check: "account-locked", Impact: diag.Blocks, Sureness: diag.Sure, Fixes: []string{"wait-for-unlock"}}},
		Advice:   []diag.Advice{{Fix: "wait-for-unlock", Helps: []string{"account-locked"}}},
		Gaps:     []diag.Gap{{Check: "clock-wrong", Why: "unasked"}},
		Passed:   []string{"javascript-off"},
	}
	assert.JSONEq(t, `{
		"schema": 1, "tier": "script", "tier_reason": "stalled", "outcome": "account_locked",
		"findings": [{"check": "account-locked", "impact": "blocks", "sureness": "sure", "fixes": ["wait-for-unlock"]}],
		"advice": [{"fix": "wait-for-unlock", "helps": ["account-locked"]}],
		"gaps": [{"check": "clock-wrong", "why": "unasked"}],
		"passed": ["javascript-off"],
		"seen": {
			"host": {"outcome": {"state": "ok", "value": "account_locked"}, "reference": {"state": "ok", "value": "r-17"}},
			"run": {"tier": "script", "tier_reason": "stalled"}
		}
	}`, toJSON(t, report.New(e, d)))
}

func TestNew_outcomeIsUnknownIfNobodySaidIt(t *testing.T) {
	assert.Equal(t, evidence.Unknown, report.New(evidence.Evidence{}, diag.Diagnosis{}).Outcome)
}

func TestNew_takesNothingThatMustStay(t *testing.T) {
	e := full(t)
	r := report.New(e, checks.Catalogue().Diagnose(e))
	assert.Equal(t, report.Redact(e), r.Seen)
	assert.NotContains(t, toJSON(t, r), "5ecret")
}

func TestCode_namesEveryHealthyBrowser(t *testing.T) {
	for name, e := range testkit.Browsers(t) {
		s := report.New(e, checks.Catalogue().Diagnose(e)).Code().Spoken()
		assert.NotContains(t, []string{"", "another browser"}, s.Browser, name)
		assert.NotContains(t, []string{"", "another system"}, s.System, name)
		assert.Equal(t, report.SpokenClock{To: 10}, s.Clock, name)
		assert.Empty(t, s.Findings, name)
	}
}

func TestSummary_isWhatTheLoginPageGets(t *testing.T) {
	r := report.Report{Tier: evidence.Wasm, Outcome: evidence.SessionLost, Diagnosis: diag.Diagnosis{
		Findings: []diag.Finding{{Check: "cookies-blocked"}, {Check: "session-lost"}},
	}}
	assert.JSONEq(t, `{"outcome": "session_lost", "tier": "wasm", "top": "cookies-blocked", "findings": ["cookies-blocked", "session-lost"]}`,
		toJSON(t, r.Summary()))
	assert.JSONEq(t, `{"outcome": "", "tier": "", "top": "", "findings": []}`, toJSON(t, report.Report{}.Summary()))
}

func TestReport_comparesWithTheEarlierLook(t *testing.T) {
	slows := func(id string) []diag.Finding { return []diag.Finding{{Check: id, Impact: diag.Slows}} }
	for _, c := range []struct {
		name     string
		before   []string
		found    []diag.Finding
		passed   []string
		resolved []string
		fixed    bool
	}{
		{"a first look", nil, slows("a"), []string{"b"}, nil, false},
		{"all is fine now", []string{"a", "b"}, nil, []string{"b", "a", "c"}, []string{"a", "b"}, true},
		{"the first is gone, the second is not", []string{"a", "b"}, slows("b"), []string{"a"}, []string{"a"}, false},
		{"the first is still there", []string{"a", "b"}, slows("a"), []string{"b"}, []string{"b"}, false},
		{"what could not be tested again is not gone", []string{"a"}, nil, nil, nil, false},
		{"what only the login server can tell is not gone", []string{"account-locked"}, nil, []string{"a"}, nil, false},
		{"and stands in nobody's way", []string{"a", "session-lost"}, []diag.Finding{{Check: "session-lost", Impact: diag.Blocks, Told: true}}, []string{"a"}, []string{"a"}, true},
		{"neither does a note", []string{"a", "b"}, []diag.Finding{{Check: "b", Impact: diag.Note}}, []string{"a"}, []string{"a"}, true},
		{"something new that slows may be nothing", []string{"a"}, slows("c"), []string{"a"}, []string{"a"}, true},
		{"something new that blocks is in the way", []string{"a"}, []diag.Finding{{Check: "c", Impact: diag.Blocks}}, []string{"a"}, []string{"a"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := report.Report{}
			r.Seen.Run.Before, r.Passed, r.Findings = c.before, c.passed, c.found
			assert.Equal(t, c.resolved, r.Resolved())
			assert.Equal(t, c.fixed, r.Fixed())
		})
	}
}

func TestDecode_readsBackWhatNewWrote(t *testing.T) {
	set := checks.Catalogue()
	all := testkit.Browsers(t)
	all["filled"], all["nothing"] = full(t), evidence.Evidence{}
	for name, e := range all {
		want := toJSON(t, report.New(e, set.Diagnose(e)))
		again, err := report.Decode([]byte(want), report.AllKnown)
		require.NoError(t, err, name)
		assert.Equal(t, want, toJSON(t, report.New(again, set.Diagnose(again))), name)

		fromEvidence, err := report.Decode([]byte(toJSON(t, report.Redact(e))), report.AllKnown)
		require.NoError(t, err, name)
		assert.Equal(t, toJSON(t, again), toJSON(t, fromEvidence), "%s: evidence and report must tell the same", name)
	}
}

func TestDecode_saysWhereReadingStopped(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", ``, "byte 0: unexpected end of JSON input"},
		{"cut off", `{"run":{"tier":"wa`, "byte 18: unexpected end of JSON input"},
		{"no JSON", `<!doctype html>`, "byte 1: invalid character '<'"},
		{"a comma too many", `{"run":{},}`, "byte 11: invalid character '}'"},
		{"two objects", `{} {}`, "byte 4: invalid character '{' after top-level value"},
		{"a list", `[{"run":{}}]`, "byte 0: this is not a JSON object"},
		{"a number", `17`, "byte 0: this is not a JSON object"},
		{"null", ` null `, "byte 0: this is not a JSON object"},
		{"an unknown field", `{"run":{},"cokies":{}}`, `byte 18: unknown field "cokies"`},
		{"an unknown field deep down", `  {"run":{}, "cookies": {"htpp": {}}}`, `byte 31: unknown field "cookies.htpp"`},
		{"a wrong type", `{"cookies":{"http":{"value":"yes"}}}`, "byte 19: cookies.http: cannot read string as bool"},
		{"a wrong type, not the first fact",
			`{"cookies":{"script":{"value":true},"http": {"value":"yes"}}}`, "byte 44: cookies.http: cannot read string as bool"},
		{"a wrong type of a group", `{"cookies":[]}`, "byte 11: cookies: cannot read array as struct"},
		{"a wrong type of a plain field", `{"run":{"before":"x"}}`, "byte 17: run.before: cannot read string as slice"},
		{"an unknown state", `{"script":{"runs":{"state":"yes"}}}`, `byte 18: script.runs: unknown state "yes": use ok, absent, refused, late, full or broken`},
		{"an unknown field of a fact", `{"script":{"runs":{"vaule":true}}}`, `byte 18: script.runs: json: unknown field "vaule"`},
		{"in a report", `{"schema":1,"seen":{"script":{"runs":{"state":"yes"}}}}`, `byte 37: seen.script.runs: unknown state "yes"`},
		{"in a report's findings", `{"schema":1,"findings":{}}`, "byte 23: findings: cannot read object as slice"},
		{"a later schema", `{"schema":2,"whatever":[]}`, "report of schema 2, but this program reads schema 1"},
		{"a schema that is no number", `{"schema":"1"}`, `report of schema "1"`},
		{"a long schema", `{"schema":"` + strings.Repeat("x", 1000) + `"}`, `report of schema "xxxxxxxxxxxxxxxxxxx, but`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := report.Decode([]byte(c.in), report.AllKnown)
			require.ErrorContains(t, err, c.want)
			assert.Less(t, len(err.Error()), 200)
		})
	}
}

func TestDecode_acceptsEvidenceByHand(t *testing.T) {
	e, err := report.Decode([]byte("\n{\"cookies\": {\"http\": {\"value\": false}}, \"script\": {\"wasm\": {\"error\": \"CompileError: blocked by CSP\"}}}\n"), report.AllKnown)
	require.NoError(t, err)
	assert.Equal(t, evidence.Saw(false), e.Cookies.HTTP)
	assert.Equal(t, evidence.Fact[bool]{State: evidence.Refused, Note: "CompileError"}, e.Script.Wasm)
}
