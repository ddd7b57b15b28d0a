package checks_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
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

// kase is one case of a check: what is seen on top of a healthy browser, or of
// nothing at all, and what the check says to it.
type kase struct {
	Name string          `json:"name"`
	On   string          `json:"on"`
	See  json.RawMessage `json:"see"`
	Want want            `json:"want"`
}

type want struct {
	Verdict  string        `json:"verdict"` // fail, pass, unknown or skip
	Sureness diag.Sureness `json:"sureness,omitempty"`
	Fixes    []string      `json:"fixes,omitempty"`
	// Args, and Why for unknown, are compared only if they are given.
	Args json.RawMessage `json:"args,omitempty"`
	Why  string          `json:"why,omitempty"`
}

// example is a case with its evidence.
type example struct {
	kase
	check diag.Check
	seen  evidence.Evidence
}

// cases reads testdata/<check id>.json of every check.
func cases(t testing.TB) []example {
	t.Helper()
	healthy := testkit.Browsers(t)
	var all []example
	for _, c := range checks.Catalogue().Checks {
		data, err := os.ReadFile(filepath.Join("testdata", c.ID+".json"))
		require.NoError(t, err, "every check has a file of cases")
		var list []kase
		strict(t, data, &list, c.ID)
		for _, k := range list {
			ex := example{kase: k, check: c}
			if k.On != "" {
				on, ok := healthy[k.On]
				require.True(t, ok, "there is no healthy browser %q", k.On)
				ex.seen = on // facts are replaced as a whole, so that cases share nothing that changes
			}
			strict(t, k.See, &ex.seen, c.ID+", "+k.Name)
			all = append(all, ex)
		}
	}
	return all
}

func strict(t testing.TB, data []byte, into any, where string) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(into), where)
}

// judge asks one check alone.
func judge(c diag.Check, e evidence.Evidence) diag.Diagnosis {
	return diag.Set{Checks: []diag.Check{c}, Fixes: checks.Catalogue().Fixes}.Diagnose(e)
}

// verdict reads the one check's outcome off a diagnosis.
func verdict(d diag.Diagnosis) string {
	switch {
	case len(d.Findings) > 0:
		return "fail"
	case len(d.Passed) > 0:
		return "pass"
	case len(d.Gaps) > 0:
		return "unknown"
	}
	return "skip"
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

func TestCases(t *testing.T) {
	for _, ex := range cases(t) {
		t.Run(ex.check.ID+"/"+ex.Name, func(t *testing.T) {
			d := judge(ex.check, ex.seen)
			require.Equal(t, ex.Want.Verdict, verdict(d), "verdict of %s", toJSON(t, d))
			switch ex.Want.Verdict {
			case "fail":
				f := d.Findings[0]
				assert.Equal(t, ex.Want.Sureness, f.Sureness, "sureness")
				assert.Equal(t, ex.Want.Fixes, f.Fixes, "fixes")
				if ex.Want.Args != nil {
					assert.JSONEq(t, string(ex.Want.Args), toJSON(t, f.Args), "args")
				}
			case "unknown":
				assert.NotEmpty(t, d.Gaps[0].Why, "a gap has a reason")
				if ex.Want.Why != "" {
					assert.Equal(t, ex.Want.Why, d.Gaps[0].Why, "why")
				}
			}
		})
	}
}

func TestCatalogue_isValid(t *testing.T) {
	require.NoError(t, checks.Catalogue().Validate())
}

func TestModel_saysWhereEachFaultSits(t *testing.T) {
	set := checks.Catalogue()
	unplaced := []string{"captcha-failed", "no-response"} // symptoms of anything
	for _, c := range set.Checks {
		i := slices.IndexFunc(set.Model.Causes, func(m diag.Cause) bool { return m.ID == c.ID })
		if assert.GreaterOrEqual(t, i, 0, "%s needs a line in the model", c.ID) {
			m := set.Model.Causes[i]
			assert.Equal(t, slices.Contains(unplaced, c.ID), m.Seat == diag.Unplaced, c.ID)
			assert.True(t, c.Told || !m.Whole, "%s is nobody's word", c.ID)
		}
	}
	for _, f := range set.Fixes {
		assert.Equal(t, f.Moves != nil, f.Shows > 0, "%s", f.ID)
		assert.True(t, f.Seconds > 0, "%s: takes some time", f.ID)
	}
}

// An outcome without any other finding has its own, and nothing else; unknown
// has none.
func TestCatalogue_saysOfAnOutcomeWhatTheContractDoes(t *testing.T) {
	want := map[evidence.Outcome]string{
		"invalid_credentials": "account-credentials", "account_locked": "account-locked", "account_disabled": "account-disabled",
		"password_expired": "account-password-expired", "mfa_rejected": "account-code-rejected", "mfa_not_delivered": "account-code-not-delivered",
		"sso_failed": "account-sso-failed", "session_lost": "session-lost", "captcha_failed": "captcha-failed", "throttled": "account-throttled",
		"maintenance": "service-maintenance", "server_error": "service-error", "no_response": "no-response",
		"reset_not_delivered": "account-reset-not-delivered", "not_registered": "account-not-registered",
	}
	for name, e := range testkit.Browsers(t) {
		for _, o := range evidence.Outcomes {
			e.Host.Outcome = evidence.Saw(o)
			d := checks.Catalogue().Diagnose(e)
			if o == evidence.Unknown {
				assert.Empty(t, d.Findings, name)
				assert.Empty(t, d.Advice, name)
				continue
			}
			require.Len(t, d.Findings, 1, "%s, %s", name, o)
			assert.Equal(t, want[o], d.Findings[0].Check)
			assert.NotEmpty(t, d.Advice)
		}
	}
}

// A fault that is surely there comes first if the outcome follows from it, and does
// not if it has nothing to do with it.
func TestCatalogue_tellsReasonsFromBystanders(t *testing.T) {
	noCookies := func(e *evidence.Evidence) {
		e.Cookies.HTTP, e.Cookies.Script = evidence.Saw(false), evidence.Saw(false)
	}
	noWasm := func(e *evidence.Evidence) { e.Script.Wasm = evidence.Failed[bool]("undefined") }
	inApp := func(e *evidence.Evidence) {
		e.Browser.Embedded, e.Browser.App = evidence.Saw(true), evidence.Saw("Facebook")
	}
	for _, c := range []struct {
		fault   func(*evidence.Evidence)
		outcome evidence.Outcome
		first   string
	}{
		{noCookies, evidence.SessionLost, "cookies-blocked"},
		{noCookies, evidence.NoResponse, "cookies-blocked"},
		{noCookies, evidence.ServerError, "cookies-blocked"},
		{noCookies, evidence.Unknown, "cookies-blocked"},
		{noCookies, evidence.InvalidCredentials, "cookies-blocked"},
		{noCookies, evidence.AccountLocked, "account-locked"},
		{noCookies, evidence.Maintenance, "service-maintenance"},
		{noWasm, evidence.InvalidCredentials, "account-credentials"},
		{noWasm, evidence.SessionLost, "session-lost"},
		{noWasm, evidence.Unknown, "webassembly-off"},
		{inApp, evidence.SSOFailed, "browser-embedded-view"},
		{inApp, evidence.InvalidCredentials, "account-credentials"},
	} {
		for name, e := range testkit.Browsers(t) {
			c.fault(&e)
			e.Host.Outcome = evidence.Saw(c.outcome)
			d := checks.Catalogue().Diagnose(e)
			require.NotEmpty(t, d.Findings)
			assert.Equal(t, c.first, d.Findings[0].Check, "%s, %s", c.outcome, name)
		}
	}
}

func TestCatalogue_hasAFileAndCasesForEachCheck(t *testing.T) {
	verdicts, names := map[string]map[string]bool{}, map[string]bool{}
	for _, ex := range cases(t) {
		id := ex.check.ID
		if verdicts[id] == nil {
			verdicts[id] = map[string]bool{}
		}
		verdicts[id][ex.Want.Verdict] = true
		assert.False(t, names[id+"/"+ex.Name], "%s: two cases are called %q", id, ex.Name)
		names[id+"/"+ex.Name] = true
	}
	var ids []string
	for _, c := range checks.Catalogue().Checks {
		ids = append(ids, c.ID)
		assert.True(t, verdicts[c.ID]["fail"], "%s needs a case in which it fails", c.ID)
		fine := "pass"
		if c.Told {
			fine = "skip"
			assert.False(t, verdicts[c.ID]["pass"], "%s repeats the login server's word: it never passes", c.ID)
		}
		assert.True(t, verdicts[c.ID][fine], "%s needs a case of %s", c.ID, fine)
		if !c.Told {
			assert.FileExists(t, c.ID+".go", "a check's file is named after it")
		}
	}
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	for _, f := range files {
		assert.Contains(t, ids, strings.TrimSuffix(filepath.Base(f), ".json"), "%s belongs to no check", f)
	}
}

// looksHere is whether the check looks at the person's own browser, and so has
// something to say of each: no other device or server has to tell.
func looksHere(c diag.Check) bool { return !c.Told && c.ID != "clock-phone-wrong" }

func TestCatalogue_findsNothingInNothing(t *testing.T) {
	d := checks.Catalogue().Diagnose(evidence.Evidence{})
	assert.Empty(t, d.Findings)
	assert.Empty(t, d.Passed)
	for _, c := range checks.Catalogue().Checks {
		if looksHere(c) {
			assert.Contains(t, d.Gaps, diag.Gap{Check: c.ID, Why: "unasked"})
		}
	}
}

func TestCatalogue_findsNothingInHealthyBrowsers(t *testing.T) {
	for name, e := range testkit.Browsers(t) {
		d := checks.Catalogue().Diagnose(e)
		assert.Empty(t, d.Findings, name)
		assert.Empty(t, d.Gaps, "%s: a healthy browser can be asked everything", name)
		for _, c := range checks.Catalogue().Checks {
			assert.Equal(t, looksHere(c), slices.Contains(d.Passed, c.ID), "%s, %s", name, c.ID)
		}
	}
}

func TestCatalogue_cannotTellWithoutItsNeeds(t *testing.T) {
	for _, c := range checks.Catalogue().Checks {
		if c.Needs == nil {
			continue
		}
		for name, healthy := range testkit.Browsers(t) {
			for i := range c.Needs(&healthy) {
				for state, why := range map[evidence.State]string{evidence.Unasked: "unasked", evidence.Late: "late"} {
					e := healthy
					fact := c.Needs(&e)[i]
					fact.Blank()
					reflect.ValueOf(fact).Elem().FieldByName("State").Set(reflect.ValueOf(state))
					d := judge(c, e)
					assert.Equal(t, []diag.Gap{{Check: c.ID, Why: why}}, d.Gaps, "%s, %s, need %d", c.ID, name, i)
					assert.Equal(t, "unknown", verdict(d))
				}
			}
		}
	}
}

// A check that reads what it does not declare says something else when that is
// taken away.
func TestCatalogue_readsOnlyWhatItDeclares(t *testing.T) {
	var all []evidence.Evidence
	for _, ex := range cases(t) {
		all = append(all, ex.seen)
	}
	for _, e := range testkit.Browsers(t) {
		all = append(all, e)
	}
	for _, c := range checks.Catalogue().Checks {
		// What can be done here may depend on any fact of the browser; that is
		// the fix's business, not the check's.
		set := diag.Set{Checks: []diag.Check{c}}
		for _, e := range all {
			narrow := e
			declared := declares(c, &narrow)
			for _, fact := range facts(&narrow) {
				if !slices.Contains(declared, fact) {
					fact.Blank()
				}
			}
			if want, got := toJSON(t, set.Diagnose(e)), toJSON(t, set.Diagnose(narrow)); want != got {
				assert.Equal(t, want, got, "%s reads what it does not declare, in %s", c.ID, toJSON(t, e))
				break
			}
		}
	}
}

// declares lists what a check needs and uses.
func declares(c diag.Check, e *evidence.Evidence) []evidence.Seen {
	var list []evidence.Seen
	if c.Needs != nil {
		list = append(list, c.Needs(e)...)
	}
	if c.Uses != nil {
		list = append(list, c.Uses(e)...)
	}
	return list
}

// facts lists all facts of the evidence, as pointers into it.
func facts(e *evidence.Evidence) []evidence.Seen {
	var list []evidence.Seen
	walk(reflect.ValueOf(e).Elem(), "", func(_ string, f evidence.Seen) { list = append(list, f) })
	return list
}

func walk(v reflect.Value, path string, do func(string, evidence.Seen)) {
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		field := v.Field(i)
		if fact, ok := field.Addr().Interface().(evidence.Seen); ok {
			do(path+name, fact)
		} else if field.Kind() == reflect.Struct {
			walk(field, path+name+".", do)
		}
	}
}

func TestCatalogue_declaresFactsOfTheEvidenceGiven(t *testing.T) {
	for _, c := range checks.Catalogue().Checks {
		var e evidence.Evidence
		known := facts(&e)
		for i, fact := range declares(c, &e) {
			assert.True(t, slices.Contains(known, fact), "%s: fact %d is none of the evidence's", c.ID, i)
		}
	}
}

func TestDiagnose_saysTheSameTwiceAndChangesNothing(t *testing.T) {
	set := checks.Catalogue()
	for _, ex := range cases(t) {
		before := toJSON(t, ex.seen)
		first := toJSON(t, set.Diagnose(ex.seen))
		assert.Equal(t, first, toJSON(t, set.Diagnose(ex.seen)), ex.Name)
		assert.Equal(t, before, toJSON(t, ex.seen), "%s: the evidence has changed", ex.Name)
	}
}

// Support and the server judge what a report carries; they must come to what
// the person was told.
func TestDiagnose_saysTheSameToAReport(t *testing.T) {
	set := checks.Catalogue()
	for _, ex := range cases(t) {
		r := report.New(ex.seen, set.Diagnose(ex.seen))
		again, err := report.Decode([]byte(toJSON(t, r)), report.AllKnown)
		require.NoError(t, err, ex.Name)
		assert.Equal(t, toJSON(t, r.Diagnosis), toJSON(t, set.Diagnose(again)), "%s/%s", ex.check.ID, ex.Name)
	}
}

func TestDiagnose_putsNoFindingBeforeItsCause(t *testing.T) {
	set := checks.Catalogue()
	for _, ex := range cases(t) {
		var before []string
		for _, f := range set.Diagnose(ex.seen).Findings {
			for _, cause := range f.Because {
				assert.Contains(t, before, cause, "%s: %s stands before what explains it", ex.Name, f.Check)
			}
			before = append(before, f.Check)
		}
	}
}

func TestFixes_areUsedAndExist(t *testing.T) {
	set := checks.Catalogue()
	listed, used := map[string]bool{}, map[string]bool{}
	for _, f := range set.Fixes {
		assert.False(t, listed[f.ID], "%s is listed twice", f.ID)
		listed[f.ID] = true
	}
	for _, fixes := range fixesOf(t) {
		for _, id := range fixes {
			assert.True(t, listed[id], "a check names the fix %s, which does not exist", id)
			used[id] = true
		}
	}
	for id := range listed {
		assert.True(t, used[id], "no check names the fix %s in any case", id)
	}
}

// fixesOf lists the fixes that each check names in any of its cases, whether or
// not they can be done there.
func fixesOf(t testing.TB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, ex := range cases(t) {
		for _, f := range (diag.Set{Checks: []diag.Check{ex.check}}).Diagnose(ex.seen).Findings {
			for _, id := range f.Fixes {
				if !slices.Contains(all[f.Check], id) {
					all[f.Check] = append(all[f.Check], id)
				}
			}
		}
	}
	return all
}

// The catalogue for people who read rather than run it.
func TestCatalogue_isWrittenDown(t *testing.T) {
	fixes := fixesOf(t)
	var e evidence.Evidence
	names := map[evidence.Seen]string{}
	walk(reflect.ValueOf(&e).Elem(), "", func(path string, f evidence.Seen) { names[f] = path })

	var b strings.Builder
	b.WriteString("<!-- Generated from the code and the cases by the tests of this package: make golden. Do not edit. -->\n\n# Checks\n\n")
	b.WriteString("Facts in brackets are read if they are there; without the others the check cannot tell.\n")
	b.WriteString("Fixes stand in the order in which they are offered, as far as they can be done in the browser at hand.\n\n")
	b.WriteString("| check | impact | what it looks at | after | fixes |\n| --- | --- | --- | --- | --- |\n")
	code := func(ids []string) string {
		if len(ids) == 0 {
			return ""
		}
		return "`" + strings.Join(ids, "` `") + "`"
	}
	for _, c := range checks.Catalogue().Checks {
		var looks []string
		needs := 0
		if c.Needs != nil {
			needs = len(c.Needs(&e))
		}
		for i, fact := range declares(c, &e) {
			name := "`" + names[fact] + "`"
			if i >= needs {
				name = "(" + name + ")"
			}
			looks = append(looks, name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.ID, c.Impact, strings.Join(looks, " "), code(c.After), code(fixes[c.ID]))
	}
	testkit.Golden(t, "../README.md", []byte(b.String()))
}

func FuzzDiagnose(f *testing.F) {
	for _, ex := range cases(f) {
		f.Add([]byte(toJSON(f, ex.seen)))
	}
	for _, e := range testkit.Browsers(f) {
		f.Add([]byte(toJSON(f, report.New(e, checks.Catalogue().Diagnose(e)))))
	}
	for _, s := range []string{
		``, `{}`, `null`, `[]`, `{"schema":1}`, `{"schema":1,"seen":null}`, `{"run":{"tier":"\u0000","before":[null]}}`,
		`{"clock":{"offset":{"value":{"lo":1e308,"hi":1.7e308}}}}`, `{"clock":{"offset":{"value":{"lo":-1e308,"hi":1e308}}}}`,
		`{"clock":{"offset":{"value":{"lo":-0.0,"hi":-1e-320}}}}`, `{"page":{"age":{"value":1.7e308},"failed":{"value":null}}}`,
		`{"browser":{"engine":{"value":"Blink"},"engine_major":{"value":-9223372036854775808}}}`,
	} {
		f.Add([]byte(s))
	}
	set := checks.Catalogue()
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := report.Decode(data, report.AllKnown)
		if err != nil {
			return
		}
		// Whatever can be read can be judged, sent and read again.
		r := report.New(e, set.Diagnose(e))
		again, err := report.Decode([]byte(toJSON(t, r)), report.AllKnown)
		require.NoError(t, err)
		set.Diagnose(again)
	})
}

func BenchmarkDiagnose(b *testing.B) {
	set := checks.Catalogue()
	for name, e := range testkit.Browsers(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.Diagnose(e)
			}
		})
	}
}
