package server

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// made is what the first device is told.
type made struct {
	Code, Key string
	Expires   int
	Page      struct{ Address, Path string }
}

// send posts JSON, as pair.js and phone.js do.
func send(h http.Handler, target, body string) *httptest.ResponseRecorder {
	return post(h, target, "", body, "Content-Type", "application/json")
}

func makePair(t *testing.T, h http.Handler) (m made) {
	t.Helper()
	got := send(h, "/latchkey/pair", `{"kind": "phone"}`)
	require.Equal(t, 200, got.Code, got.Body)
	require.NoError(t, json.Unmarshal(got.Body.Bytes(), &m))
	return m
}

const twoMinutesBehind = `{"kind": "phone", "seen": {"clock": {"phone": {"value": {"lo": -121000, "hi": -119000}}}}}`

// fetched is the answer to who asks with a key what has arrived.
func fetched(t *testing.T, h http.Handler, code, key string) (status int, body string) {
	t.Helper()
	got := ask(h, "GET", "/latchkey/pair/"+code, keyHeader, key)
	return got.StatusCode, bodyOf(t, got)
}

func TestPair_joinsTwoDevices(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	m := makePair(t, h)
	assert.Regexp(t, `^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`, m.Code)
	assert.Regexp(t, `^[A-Za-z0-9_-]{22}$`, m.Key, "128 bits")
	assert.Equal(t, 1800, m.Expires)
	assert.Equal(t, "http://example.com/latchkey/phone?pair="+m.Code, m.Page.Address)

	status, body := fetched(t, h, m.Code, m.Key)
	assert.Equal(t, 204, status)
	assert.Empty(t, body)

	require.Equal(t, 204, send(h, "/latchkey/pair/"+m.Code, twoMinutesBehind).Code)
	status, body = fetched(t, h, m.Code, m.Key)
	assert.Equal(t, 200, status)
	first := `{"kind": "phone", "seen": {"clock": {"phone": {"state": "ok", "value": {"lo": -121000, "hi": -119000}}}}}`
	assert.JSONEq(t, `{"arrived": [`+first+`]}`, body)

	exact := strings.ReplaceAll(twoMinutesBehind, "000", "437.25")
	require.Equal(t, 204, send(h, "/latchkey/pair/"+m.Code, exact).Code)
	_, body = fetched(t, h, m.Code, m.Key)
	second := `{"kind": "phone", "seen": {"clock": {"phone": {"state": "ok", "value": {"lo": -122000, "hi": -119000}}}}}`
	assert.JSONEq(t, `{"arrived": [`+first+`,`+second+`]}`, body, "in order, and in whole seconds as the send tags want it")
}

func TestPair_readsCodesAsPeopleWriteThem(t *testing.T) {
	for written, want := range map[string]string{
		"7K3F-Q2M9": "7K3FQ2M9", "7k3fq2m9": "7K3FQ2M9", " 7k3f q2m9 ": "7K3FQ2M9", "oil0-OIL0": "01100110",
		"": "", "7K3F-Q2M": "", "7K3F-Q2M9A": "", "7K3F-Q2MU": "", "7K3F/Q2M9": "", "７K3FQ2M9": "",
	} {
		assert.Equal(t, want, pairCode(written), written)
	}
	h := testServer(t, testOptions(t)).handler()
	m := makePair(t, h)
	assert.Equal(t, 204, send(h, "/latchkey/pair/"+strings.ToLower(strings.ReplaceAll(m.Code, "-", "")), twoMinutesBehind).Code)
	status, _ := fetched(t, h, m.Code, m.Key)
	assert.Equal(t, 200, status)
}

func TestPair_tellsOnlyTheOneWhoMadeIt(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	m, other := makePair(t, h), makePair(t, h)
	require.NotEqual(t, m.Code, other.Code)
	require.Equal(t, 204, send(h, "/latchkey/pair/"+m.Code, twoMinutesBehind).Code)
	none, unknown := fetched(t, h, "00000000", m.Key)
	require.Equal(t, 404, none)
	for name, key := range map[string]string{"none": "", "another's": other.Key, "its beginning": m.Key[:21], "longer": m.Key + "A", "the code": m.Code} {
		status, body := fetched(t, h, m.Code, key)
		assert.Equal(t, 404, status, name)
		assert.Equal(t, unknown, body, "%s: as of a code that never was", name)
	}
	got := ask(h, "GET", "/latchkey/pair/"+m.Code+"?key="+m.Key)
	assert.Equal(t, 404, got.StatusCode, "a key in an address is logged by whoever passes it on")
	assert.Equal(t, 404, ask(h, "GET", "/latchkey/pair/"+m.Code+"/", keyHeader, m.Key).StatusCode)
}

func TestPair_runsOut(t *testing.T) {
	o := testOptions(t)
	now := noon
	o.Now = func() time.Time { return now }
	s := testServer(t, o)
	h := s.handler()
	m := makePair(t, h)
	require.Equal(t, 204, send(h, "/latchkey/pair/"+m.Code, twoMinutesBehind).Code)
	now = noon.Add(pairTime - time.Second)
	status, _ := fetched(t, h, m.Code, m.Key)
	assert.Equal(t, 200, status)
	now = noon.Add(pairTime)
	status, _ = fetched(t, h, m.Code, m.Key)
	assert.Equal(t, 404, status)
	assert.Equal(t, 404, send(h, "/latchkey/pair/"+m.Code, twoMinutesBehind).Code)
	makePair(t, h)
	assert.Len(t, s.pairs.byCode, 1, "the next one takes the old away")
}

func TestPair_forgetsTheOldestOfMany(t *testing.T) {
	p := newPairs(3, 100)
	var codes []string
	for i := range 5 {
		code, _ := p.make("phone", noon.Add(time.Duration(i)*time.Second))
		codes = append(codes, code)
	}
	assert.Len(t, p.byCode, 3)
	for i, code := range codes {
		assert.Equal(t, i >= 2, p.with(code, noon, func(*pairing) {}), "%d", i)
	}
}

func TestPair_takesOnlyAFewArrivals(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	m := makePair(t, h)
	for range maxArrivals {
		require.Equal(t, 204, send(h, "/latchkey/pair/"+m.Code, twoMinutesBehind).Code)
	}
	assert.Equal(t, 409, send(h, "/latchkey/pair/"+m.Code, twoMinutesBehind).Code)
	_, body := fetched(t, h, m.Code, m.Key)
	assert.Equal(t, maxArrivals, strings.Count(body, "-121000"))
}

func TestPair_refuses(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	m := makePair(t, h)
	for _, c := range []struct {
		name, body string
		status     int
	}{
		{"nothing", ``, 400},
		{"no JSON", `lo=-1`, 400},
		{"an unknown kind", `{"kind": "tablet", "seen": {"clock": {"phone": {"value": {"lo": 0, "hi": 1}}}}}`, 400},
		{"no kind", `{"seen": {"clock": {"phone": {"value": {"lo": 0, "hi": 1}}}}}`, 400},
		{"nothing seen", `{"kind": "phone"}`, 400},
		{"null seen", `{"kind": "phone", "seen": null}`, 400},
		{"another fact alone", `{"kind": "phone", "seen": {"clock": {"offset": {"value": {"lo": 0, "hi": 1}}}}}`, 400},
		{"an unknown fact", `{"kind": "phone", "seen": {"clock": {"phon": {"value": {"lo": 0, "hi": 1}}}}}`, 400},
		{"an unknown field", `{"kind": "phone", "note": "x", "seen": {"clock": {"phone": {"value": {"lo": 0, "hi": 1}}}}}`, 400},
		{"two objects", twoMinutesBehind + twoMinutesBehind, 400},
		{"a text for a number", `{"kind": "phone", "seen": {"clock": {"phone": {"value": {"lo": "0", "hi": 1}}}}}`, 400},
		{"a number that is none", `{"kind": "phone", "seen": {"clock": {"phone": {"value": {"lo": 1e999, "hi": 1}}}}}`, 400},
		{"too much", `{"kind": "` + strings.Repeat("x", maxArrival) + `"}`, 413},
	} {
		assert.Equal(t, c.status, send(h, "/latchkey/pair/"+m.Code, c.body).Code, c.name)
	}
	for _, code := range []string{"00000000", "x", "%2e%2e"} {
		assert.Equal(t, 404, send(h, "/latchkey/pair/"+code, twoMinutesBehind).Code, code)
	}
	status, _ := fetched(t, h, m.Code, m.Key)
	assert.Equal(t, 204, status, "none of it has arrived")
}

// What comes besides what the kind is for goes no further.
func TestPair_keepsNothingElse(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	m := makePair(t, h)
	body := `{"kind": "phone", "seen": {"host": {"reference": {"value": "5ecret"}}, "identity": {"package": {"value": "5ecret"}},
		"clock": {"offset": {"value": {"lo": 7000, "hi": 7000}}, "phone": {"value": {"lo": 0, "hi": 1}}}}}`
	require.Equal(t, 204, send(h, "/latchkey/pair/"+m.Code, body).Code)
	_, got := fetched(t, h, m.Code, m.Key)
	assert.JSONEq(t, `{"arrived": [{"kind": "phone", "seen": {"clock": {"phone": {"state": "ok", "value": {"lo": 0, "hi": 1000}}}}}]}`, got)
}

// A page of another site can send only what browsers let it send unasked, and
// reads nothing.
func TestPair_isNotForOtherSites(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	m := makePair(t, h)
	for _, target := range []string{"/latchkey/pair", "/latchkey/pair/" + m.Code} {
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain; application/json"} {
			r := httptest.NewRequest("POST", target, strings.NewReader(twoMinutesBehind))
			r.Header.Set("Content-Type", kind)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Equal(t, 415, w.Code, "%s as %q", target, kind)
		}
		got := ask(h, "OPTIONS", target, "Origin", "https://evil.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
		assert.Equal(t, 405, got.StatusCode)
		for _, method := range []string{"OPTIONS", "POST", "GET"} {
			for name := range ask(h, method, target, "Origin", "https://evil.example", "Content-Type", "application/json", keyHeader, m.Key).Header {
				assert.NotContains(t, name, "Access-Control")
			}
		}
	}
	assert.Equal(t, 405, ask(h, "GET", "/latchkey/pair").StatusCode, "looking changes nothing")
	status, _ := fetched(t, h, m.Code, m.Key)
	assert.Equal(t, 204, status)
}

func TestPair_isLimitedAndNotLogged(t *testing.T) {
	o := testOptions(t)
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := testServer(t, o).handler()
	m := makePair(t, h)
	require.Equal(t, 204, send(h, "/latchkey/pair/"+m.Code, twoMinutesBehind).Code)
	fetched(t, h, m.Code, m.Key)
	assert.Empty(t, log.String())
	for send(h, "/latchkey/pair", `{"kind": "phone"}`).Code == 200 {
	}
	assert.Equal(t, 429, send(h, "/latchkey/pair", `{"kind": "phone"}`).Code)
	assert.Equal(t, 429, send(h, "/latchkey/pair/"+m.Code, twoMinutesBehind).Code)
	status, _ := fetched(t, h, m.Code, m.Key)
	assert.Equal(t, 200, status, "what has arrived can still be fetched")
}

const cleanPrivately = `{"kind": "run", "under": "private-window", "worked": "yes", "seen": {"cookies": {"http": {"state": "ok", "value": true}}}}`

func makeRun(t *testing.T, h http.Handler, body string) (m made) {
	t.Helper()
	got := send(h, "/latchkey/pair", body)
	require.Equal(t, 200, got.Code, got.Body)
	require.NoError(t, json.Unmarshal(got.Body.Bytes(), &m))
	return m
}

func TestPair_joinsTwoLooks(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	m := makeRun(t, h, `{"kind": "run"}`)
	assert.Equal(t, "http://example.com/latchkey/?with="+pairCode(m.Code), m.Page.Address, "and nothing of what was said here")
	assert.Regexp(t, `^[Mhm0-9 .]+$`, m.Page.Path)
	assert.Regexp(t, `\?lang=de-AT&with=`, makeRun(t, h, `{"kind": "run", "lang": "de-AT"}`).Page.Address)
	assert.NotContains(t, makeRun(t, h, `{"kind": "run", "lang": "de&outcome=x"}`).Page.Address, "lang")

	require.Equal(t, 204, send(h, "/latchkey/pair/"+m.Code, cleanPrivately).Code)
	_, body := fetched(t, h, m.Code, m.Key)
	assert.JSONEq(t, `{"arrived": [`+cleanPrivately+`]}`, body)
	status, _ := fetched(t, h, m.Code+"?after=1", m.Key)
	assert.Equal(t, 204, status, "they have it")
	for _, after := range []string{"0", "-1", "x", ""} {
		_, body := fetched(t, h, m.Code+"?after="+after, m.Key)
		assert.Contains(t, body, "private-window", after)
	}
	status, _ = fetched(t, h, m.Code+"?after=99", m.Key)
	assert.Equal(t, 204, status)

	assert.Equal(t, 404, send(h, "/latchkey/pair/"+m.Code, twoMinutesBehind).Code, "a phone's clock is brought elsewhere")
	assert.Equal(t, 404, send(h, "/latchkey/pair/"+makePair(t, h).Code, cleanPrivately).Code)
}

func TestPair_keepsOfALookWhatItSaw(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	m := makeRun(t, h, `{"kind": "run"}`)
	body := `{"kind": "run", "under": "other-device", "seen": {
		"host": {"outcome": {"value": "session_lost"}, "reference": {"value": "5ecret"}}, "identity": {"package": {"value": "5ecret"}},
		"run": {"tier": "wasm", "before": ["5ecret"], "tried": ["5ecret"], "compared": [{"under": "5ecret"}],
			"seconds": [{"under": "private-window", "seen": {"host": {"reference": {"value": "5ecret"}}}}]},
		"cookies": {"http": {"value": false}}}}`
	require.Equal(t, 204, send(h, "/latchkey/pair/"+m.Code, body).Code)
	_, got := fetched(t, h, m.Code, m.Key)
	assert.JSONEq(t, `{"arrived": [{"kind": "run", "under": "other-device", "seen": {
		"run": {"tier": "wasm"}, "cookies": {"http": {"state": "ok", "value": false}}}}]}`, got)
}

func TestPair_refusesWhatIsNoLook(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	m := makeRun(t, h, `{"kind": "run"}`)
	for name, body := range map[string]string{
		"an unknown condition": strings.Replace(cleanPrivately, "private-window", "full-moon", 1),
		"no condition":         strings.Replace(cleanPrivately, `"under": "private-window", `, "", 1),
		"an unknown answer":    strings.Replace(cleanPrivately, `"yes"`, `"late"`, 1),
		"an unknown fact":      strings.Replace(cleanPrivately, `"http"`, `"password"`, 1),
		"a report":             strings.Replace(cleanPrivately, `"seen": {`, `"seen": {"schema": 2, `, 1),
		"nothing seen":         `{"kind": "run", "under": "private-window"}`,
	} {
		assert.Equal(t, 400, send(h, "/latchkey/pair/"+m.Code, body).Code, name)
	}
	for _, body := range []string{``, `{}`, `{"kind": "tablet"}`, `{"kind": "run", "code": "00000000"}`, `{"kind": "run"}{}`, `{"kind": "run", "lang": "` + strings.Repeat("x", 1<<10) + `"}`} {
		assert.Equal(t, 400, send(h, "/latchkey/pair", body).Code, body)
	}
}

func TestPair_forgetsTheOldestOfMuch(t *testing.T) {
	p := newPairs(9, 100)
	bring := func(code string, bytes int) {
		ok, err := p.bring(code, "run", make(json.RawMessage, bytes), noon)
		require.NoError(t, err)
		assert.True(t, ok)
	}
	there := func(code string) bool { return p.with(code, noon, func(*pairing) {}) }
	first, _ := p.make("run", noon)
	second, _ := p.make("run", noon)
	bring(first, 60)
	bring(second, 40)
	assert.True(t, there(first))
	bring(second, 1)
	assert.False(t, there(first))
	assert.True(t, there(second))
	bring(second, 59)
	assert.True(t, there(second), "what is forgotten takes no room")
}

func TestPage_letsALookBeBrought(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	body := bodyOf(t, ask(h, "GET", "/latchkey/?with=7k3fq2m9&lang=en"))
	part := elements(t, body, withID("latchkey-bring"))
	require.Len(t, part, 1)
	assert.Equal(t, "7K3F-Q2M9", attr(part[0], "data-code"))
	assert.Equal(t, "Sent. Go on at the other screen.", attr(elements(t, body, withID("latchkey-bring-status"))[0], "data-sent"))
	assert.Contains(t, body, "That needs scripts")
	assert.Contains(t, body, "/latchkey/static/bring.")
	assert.Contains(t, body, "with=7K3FQ2M9", "the round trip without scripts keeps it")
	for _, target := range []string{"/latchkey/", "/latchkey/?with=", "/latchkey/?with=%22%3E%3Cb%3E"} {
		body := bodyOf(t, ask(h, "GET", target))
		assert.Empty(t, elements(t, body, withID("latchkey-bring")), target)
		assert.NotContains(t, body, "bring.")
	}
}
