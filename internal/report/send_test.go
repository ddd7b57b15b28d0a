package report_test

import (
	"encoding/json"
	"fmt"
	"runtime"
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

var noon = evidence.Moment{UTC: 1_795_000_023_456, Zone: -300}

// sent is one that uses every field.
func sent(t *testing.T) report.Sent {
	t.Helper()
	e := full(t)
	e.Host = evidence.Told("session_lost", "r-17", nil)
	e.Run.Tier, e.Run.TierReason = evidence.JS, evidence.Stalled
	e.Run.Before = []string{"cookies-blocked", "clock-wrong"}
	r := report.New(e, diag.Diagnosis{
		Findings: []diag.Finding{
			{Check: "cookies-blocked", Sureness: diag.Sure, Args: diag.Args{"host": "5ecret"}}, {Check: "session-lost", Sureness: diag.Likely},
		},
		Passed: []string{"clock-wrong"},
	})
	s := report.NewSent(r, noon, []string{"allow-cookies", "reload-page"})
	s.Personal = report.Personal{
		Note:   "It worked yesterday.\nNot today: “Ошибка” 😕",
		Fields: []report.Answer{{Key: "user-number", Label: "Your user number", Value: "A-1234"}},
	}
	return s
}

func encoded(t *testing.T, s report.Sent) string {
	t.Helper()
	data, err := s.Encode()
	require.NoError(t, err)
	return string(data)
}

func TestNewSent_isWhatThePersonSawAndDid(t *testing.T) {
	s := sent(t)
	assert.Equal(t, 1, s.Schema)
	assert.Equal(t, evidence.Moment{UTC: 1_795_000_020_000, Zone: -300}, s.At, "to the minute")
	assert.Equal(t, []report.Shown{{Check: "cookies-blocked", Sureness: diag.Sure}, {Check: "session-lost", Sureness: diag.Likely}}, s.Shown)
	assert.Equal(t, []string{"allow-cookies", "reload-page"}, s.Tried)
	assert.Equal(t, []string{"clock-wrong"}, s.Gone)
	assert.Equal(t, "r-17", s.Seen.Host.Reference.Value)
}

func TestNewSent_takesNothingThatMustStay(t *testing.T) {
	r := report.Report{Seen: full(t)} // as if somebody had forgotten to redact it
	s := report.NewSent(r, noon, nil)
	assert.Equal(t, report.Redact(full(t)), s.Seen)
	assert.NotContains(t, encoded(t, sent(t)), "5ecret", "nor a value of a finding's words")
}

func TestSent_isJudgedByWhatWasSentAlone(t *testing.T) {
	e := testkit.Browsers(t)["chrome-desktop"]
	e.Clock.Offset = evidence.Saw(evidence.Offset{Lo: -241_345, Hi: -241_123})
	e.Page.Age = evidence.Saw[evidence.Milliseconds](41_499.5)
	e.Identity.Package = evidence.Saw("com.example.secret")
	s := report.NewSent(report.New(e, checks.Catalogue().Diagnose(e)), noon, nil)
	s.Seen.Identity.Package = evidence.Saw("com.example.secret") // as if it had been put in on the way

	r := s.Report(func(e evidence.Evidence) diag.Diagnosis {
		assert.Equal(t, report.Redact(e), e, "what is judged is redacted")
		return checks.Catalogue().Diagnose(e)
	})
	require.NotEmpty(t, r.Findings)
	assert.Equal(t, "clock-wrong", r.Findings[0].Check)
	for _, fine := range []string{"241.3", "241.1", "41499", "secret"} {
		assert.NotContains(t, toJSON(t, r), fine)
	}
}

func TestDecodeSent_readsBackWhatEncodeWrote(t *testing.T) {
	all := map[string]report.Sent{"full": sent(t), "empty": report.NewSent(report.Report{}, noon, nil)}
	for name, e := range testkit.Browsers(t) {
		all[name] = report.NewSent(report.New(e, checks.Catalogue().Diagnose(e)), noon, nil)
	}
	for name, s := range all {
		want := encoded(t, s)
		again, err := report.DecodeSent([]byte(want))
		require.NoError(t, err, name)
		assert.Equal(t, want, encoded(t, again), name)
		assert.Less(t, len(want), 12_000, "%s: a real report stays far below the limit", name)
	}
}

func TestDecodeSent_redactsWhatOthersWrote(t *testing.T) {
	s, err := report.DecodeSent([]byte(`{"schema": 1, "at": {"utc": 1795000023456, "zone": 60}, "seen": {
		"identity": {"package": {"value": "com.secret"}}, "clock": {"offset": {"value": {"lo": -1234, "hi": 1234}}}
	}}`))
	require.NoError(t, err)
	assert.Zero(t, s.Seen.Identity)
	assert.Equal(t, evidence.Offset{Lo: -2000, Hi: 2000}, s.Seen.Clock.Offset.Value)
	assert.Equal(t, 1_795_000_020_000.0, s.At.UTC)
}

// with is a report with a part of it replaced.
func with(old, replacement string) string {
	const plain = `{"schema":1,"at":{"utc":1795000020000,"zone":60},"shown":[{"check":"clock-wrong","sureness":"sure"}],` +
		`"tried":["reload-page"],"personal":{"note":"N","fields":[{"key":"k","label":"L","value":"V"}]},"seen":{"run":{"tier":"wasm"}}}`
	if !strings.Contains(plain, old) {
		panic(old)
	}
	return strings.Replace(plain, old, replacement, 1)
}

func TestDecodeSent_saysWhichFieldIsWrong(t *testing.T) {
	deep := strings.Repeat(`[`, 16) + strings.Repeat(`]`, 16)
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", "byte 0: unexpected end of JSON input"},
		{"no object", "[]", "byte 0: this is not a JSON object"},
		{"no UTF-8", with(`"N"`, "\"\xff\""), "this is not UTF-8"},
		{"too long", with(`"N"`, `"`+strings.Repeat("x", 64<<10)+`"`), "65762 bytes, but a report has at most 65536"},
		{"longer when written as we write", with(`"tier":"wasm"`, `"before":[`+strings.Repeat(`"`+strings.Repeat("<", 700)+`",`, 80)+`""]`), "bytes, but a report has at most 65536"},
		{"no schema", with(`"schema":1,`, ``), `schema: this program reads 1, and this is ""`},
		{"a later schema", with(`"schema":1`, `"schema":2,"new":1`), `schema: this program reads 1, and this is "2"`},
		{"too deep", with(`"N"`, deep), "personal.note.0.0.0.0.0.0.0.0.0.0.0.0.0.0: more than 16 lists and objects in each other"},
		{"very deep", with(`"N"`, strings.Repeat(`[`, 9000)+strings.Repeat(`]`, 9000)), "more than 16 lists and objects in each other"},
		{"too long a text", with(`"wasm"`, `"`+strings.Repeat("x", 8001)+`"`), "seen.run.tier: 8001 bytes, but a text has at most 8000"},
		{"too many entries", with(`["reload-page"]`, `[`+strings.Repeat(`1,`, 100)+`1]`), "tried: more than 100 entries"},
		{"too many names", with(`{"run"`, `{`+manyNames()+`"run"`), "seen: more than 100 entries"},
		{"too long a name", with(`"run"`, `"`+strings.Repeat("n", 61)+`"`), "seen: a name of 61 bytes, but one has at most 60"},
		{"an unknown field", with(`"note"`, `"nope"`), `unknown field "personal.nope"`},
		{"an unknown field of the evidence", with(`"tier"`, `"tear"`), `unknown field "seen.run.tear"`},
		{"a wrong type", with(`"N"`, `7`), "personal.note: cannot read number as string"},
		{"no time", with(`1795000020000`, `0`), "at: no such time"},
		{"a time that is far off", with(`1795000020000`, `1e300`), "at: no such time"},
		{"a zone that is none", with(`"zone":60`, `"zone":6000`), "at: no such time"},
		{"an outcome that is none", with(`"run":`, `"host":{"outcome":{"value":"bored"}},"run":`), "seen.host.outcome: no outcome of ours"},
		{"a tier that is none", with(`"wasm"`, `"brain"`), "seen.run.tier: no tier of ours"},
		{"a reason that is none", with(`"tier":"wasm"`, `"tier":"script","tier_reason":"bored"`), "seen.run.tier_reason: no reason of ours"},
		{"a finding that is none", with(`"clock-wrong"`, `"clock wrong"`), "shown.0: this is no id"},
		{"a sureness that is none", with(`"sure"`, `"quite"`), "shown.0.sureness: use sure, likely or maybe"},
		{"a step that is none", with(`"reload-page"`, `"reload-page","<b>"`), "tried.1: this is no id"},
		{"an id without an end", with(`"reload-page"`, `"`+strings.Repeat("x", 61)+`"`), "tried.0: this is no id"},
		{"too long a note", with(`"N"`, `"`+strings.Repeat("é", 2001)+`"`), "personal.note: 2001 characters, but there are at most 2000"},
		{"a control character in the note", with(`"N"`, `"a\u001b[2J"`), "personal.note: character 2 is a control character (U+001B)"},
		{"text that runs backwards", with(`"N"`, `"abc\u202e"`), "personal.note: character 4 is a control character (U+202E)"},
		{"too many answers", with(`"fields":[`, `"fields":[`+strings.Repeat(`{"key":"k","label":"","value":""},`, 8)), "personal.fields: 9, but there are at most 8"},
		{"a key that is none", with(`"key":"k"`, `"key":"K"`), "personal.fields.0.key: use small letters"},
		{"too long a label", with(`"label":"L"`, `"label":"`+strings.Repeat("L", 101)+`"`), "personal.fields.0.label: 101 characters"},
		{"too long an answer", with(`"value":"V"`, `"value":"`+strings.Repeat("V", 201)+`"`), "personal.fields.0.value: 201 characters"},
		{"an answer of two lines", with(`"value":"V"`, `"value":"V\nW"`), "personal.fields.0.value: character 2 is a control character"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := report.DecodeSent([]byte(c.in))
			require.ErrorContains(t, err, c.want)
			assert.Less(t, len(err.Error()), 200)
		})
	}
	for _, right := range []string{with(`"N"`, `"N"`), with(`"N"`, `"`+strings.Repeat("😕", 2000)+`"`), with(`"N"`, `"two\nlines"`)} {
		_, err := report.DecodeSent([]byte(right))
		assert.NoError(t, err)
	}
}

func manyNames() string {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `"n%d":1,`, i)
	}
	return b.String()
}

func TestDecodeSent_takesNoMoreMemoryThanItsLimitsSay(t *testing.T) {
	for name, in := range map[string]string{
		"too long":         strings.Repeat(`[`, 50<<20),
		"all brackets":     `{"schema":1,"a":` + strings.Repeat(`[`, 60<<10),
		"all closed":       `{"schema":1,"a":` + strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `}`,
		"all empty lists":  `{"schema":1,"a":[` + strings.Repeat(`[],`, 20_000) + `[]]}`,
		"all names":        `{"schema":1,"seen":{` + strings.Repeat(`"a":{},`, 9000) + `"b":{}}}`,
		"one of all sizes": `{"schema":1,"seen":{"run":{"before":[` + strings.Repeat(`"",`, 20_000) + `""]}}}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := report.DecodeSent([]byte(in))
		runtime.ReadMemStats(&after)
		assert.Error(t, err, name)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc-uint64(len(in)), uint64(4<<20), name)
	}
}

func TestEncode_sendsNothingThatDecodeRefuses(t *testing.T) {
	s := sent(t)
	s.Personal.Note = "a\x00"
	_, err := s.Encode()
	assert.ErrorContains(t, err, "personal.note: character 2 is a control character")
	s.Personal.Note = "\xff"
	_, err = s.Encode()
	assert.ErrorContains(t, err, "personal.note: this is not UTF-8")
	_, err = report.Sent{}.Encode()
	assert.ErrorContains(t, err, "schema: use 1")
}

func TestClean_makesWhatPeoplePasteFitToSend(t *testing.T) {
	p := report.Personal{
		Note:   " one\r\n\ttwo\x00\u202e ",
		Fields: []report.Answer{{Key: "k", Label: "L", Value: " 12\r\n34\t5 "}},
	}
	want := report.Personal{Note: "one\n two", Fields: []report.Answer{{Key: "k", Label: "L", Value: "1234 5"}}}
	assert.Equal(t, want, p.Clean())
	assert.Equal(t, " 12\r\n34\t5 ", p.Fields[0].Value, "the original stays")
}

func TestAsk_saysWhatIsWrongWithIt(t *testing.T) {
	for _, c := range []struct {
		name string
		ask  report.Ask
		want string
	}{
		{"nothing", report.Ask{}, "key: use small letters"},
		{"a key with a blank", report.Ask{Key: "user number", Label: "L"}, "key: use small letters"},
		{"no label", report.Ask{Key: "k"}, "label: say what"},
		{"a long label", report.Ask{Key: "k", Label: strings.Repeat("L", 101)}, "label: 101 characters"},
		{"too long an answer", report.Ask{Key: "k", Label: "L", Max: 201}, "max: use 1 to 200"},
		{"a pattern that is none", report.Ask{Key: "k", Label: "L", Pattern: "[0-9"}, "pattern: error parsing regexp"},
		{"a pattern that closes more than it opens", report.Ask{Key: "k", Label: "L", Pattern: "a)|(b"}, "pattern: error parsing regexp"},
	} {
		t.Run(c.name, func(t *testing.T) { assert.ErrorContains(t, c.ask.Check(), c.want) })
	}
	assert.NoError(t, report.Ask{Key: "k", Label: "L", Pattern: "[0-9]+", Max: 8}.Check())
}

func TestPersonal_fitsWhatIsAskedFor(t *testing.T) {
	asks := []report.Ask{{Key: "user-number", Label: "Your user number", Pattern: "[A-Z]-[0-9]+|none", Max: 8}, {Key: "free", Label: "F"}}
	number := func(value string) []report.Answer { return []report.Answer{{"user-number", "Your user number", value}} }
	for _, c := range []struct {
		name    string
		answers []report.Answer
		want    string
	}{
		{"nothing", nil, ""},
		{"what is asked for", number("A-1234"), ""},
		{"its other form", number("none"), ""},
		{"anything, where anything goes", []report.Answer{{"free", "F", "x y"}}, ""},
		{"a part that fits", number("xA-1"), "user-number: this does not look like what is asked for"},
		{"more than fits", number("A-1x"), "user-number: this does not look like what is asked for"},
		{"a part of the other form", number("nonesuch"), "user-number: this does not look like what is asked for"},
		{"too long", number("A-1234567"), "user-number: 9 characters, but there are at most 8"},
		{"an empty one", number(""), "user-number: this does not look like what is asked for"},
		{"what nobody asked", []report.Answer{{"password", "Your password", "5ecret"}}, "password: nobody asks for this"},
		{"under another label", []report.Answer{{"free", "Your password", "5ecret"}}, "free: nobody asks for this"},
		{"twice", append(number("A-1"), number("A-2")...), "user-number: nobody asks for this"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := report.Personal{Fields: c.answers}.Fits(asks)
			if c.want == "" {
				assert.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
			assert.NotContains(t, err.Error(), "5ecret")
		})
	}
}

func TestLines_readLikeWhatIsSent(t *testing.T) {
	var e evidence.Evidence
	e.Run.Tier = evidence.Wasm
	e.Host = evidence.Told("session_lost", "r-17", nil)
	e.Cookies.HTTP, e.Storage.Local = evidence.Saw(false), evidence.Failed[bool]("SecurityError: no")
	e.Browser.Features = evidence.Saw(evidence.Features{Works: evidence.Names{"a", "b"}})
	s := report.NewSent(report.New(e, diag.Diagnosis{Findings: []diag.Finding{{Check: "cookies-blocked", Sureness: diag.Sure}}}), noon, []string{"x", "y"})
	s.Personal = report.Personal{Note: "N", Fields: []report.Answer{{Key: "k", Label: "L", Value: "V"}}}
	got, err := report.Lines([]byte(encoded(t, s)))
	require.NoError(t, err)
	assert.Equal(t, []report.Line{
		{ID: "schema", Value: "1"},
		{ID: "at.utc", Value: "1795000020000"}, {ID: "at.zone", Value: "-300"},
		{ID: "shown.0.check", Value: "cookies-blocked"}, {ID: "shown.0.sureness", Value: "sure"},
		{ID: "tried", Value: "x, y"},
		{ID: "personal.note", Value: "N", Personal: true},
		{ID: "personal.fields.0.key", Value: "k", Personal: true}, {ID: "personal.fields.0.label", Value: "L", Personal: true},
		{ID: "personal.fields.0.value", Value: "V", Personal: true},
		{ID: "seen.host.outcome", Value: "session_lost"}, {ID: "seen.host.reference", Value: "r-17"},
		{ID: "seen.run.tier", Value: "wasm"},
		{ID: "seen.browser.features.works", Value: "a, b"},
		{ID: "seen.cookies.http", Value: "false"},
		{ID: "seen.storage.local", Value: "refused"}, {ID: "seen.storage.local.note", Value: "SecurityError"},
	}, got)
}

// Whatever fields there will be: what goes is listed.
func TestLines_leaveNothingOut(t *testing.T) {
	data := encoded(t, sent(t))
	lines, err := report.Lines([]byte(data))
	require.NoError(t, err)
	listed := map[string]int{}
	ids := map[string]bool{}
	for _, l := range lines {
		assert.False(t, ids[l.ID], "%s is listed twice", l.ID)
		ids[l.ID] = true
		for v := range strings.SplitSeq(l.Value, ", ") {
			listed[v]++
		}
	}
	var goes func(v any)
	count := 0
	goes = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				if key != "state" || inner != "ok" {
					goes(inner)
				}
			}
		case []any:
			for _, inner := range v {
				goes(inner)
			}
		default:
			count++
			listed[fmt.Sprint(v)]--
			assert.GreaterOrEqual(t, listed[fmt.Sprint(v)], 0, "%v goes, and is not listed", v)
		}
	}
	dec := json.NewDecoder(strings.NewReader(data))
	dec.UseNumber()
	var all any
	require.NoError(t, dec.Decode(&all))
	goes(all)
	assert.Greater(t, count, 100, "the walk has gone wrong")
}

func FuzzDecodeSent(f *testing.F) {
	f.Add([]byte(with(`"N"`, `"N"`)))
	f.Add([]byte(with(`"N"`, `"\ud800\u2028<"`)))
	f.Add([]byte(`{"schema":1,"at":{"utc":60000},"shown":[],"personal":{"fields":[]},"seen":{"run":{"before":[]}}}`))
	f.Add([]byte(with(`"run":`, `"page":{"failed":{"value":["script-src https://a@b/c?d",""]}},"clock":{"offset":{"value":{"lo":-0.0,"hi":1e300}}},"run":`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := report.DecodeSent(data)
		if err != nil {
			return
		}
		once, err := s.Encode()
		require.NoError(t, err)
		assert.LessOrEqual(t, len(once), 64<<10)
		again, err := report.DecodeSent(once)
		require.NoError(t, err, string(once))
		twice, err := again.Encode()
		require.NoError(t, err)
		assert.Equal(t, string(once), string(twice))
		_, err = report.Lines(once)
		assert.NoError(t, err)
	})
}
