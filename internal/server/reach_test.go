package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/server/demo"
)

// from makes a request from somewhere, with headers as name, value, name, value.
func from(peer, target string, headers ...string) *http.Request {
	r := httptest.NewRequest("GET", target, nil)
	r.RemoteAddr = peer
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestProxies_areThoseBeyondTheOperators(t *testing.T) {
	const stranger, trusted, beside = "203.0.113.9:5", "192.0.2.7:5", "127.0.0.1:5"
	for name, c := range map[string]struct {
		peer    string
		headers []string
		want    evidence.Names
	}{
		"nobody":                                  {stranger, nil, evidence.Names{}},
		"a proxy that says so":                    {stranger, []string{"Via", "1.1 corp-proxy (squid/5.7)", "X-Forwarded-For", "10.1.1.1"}, evidence.Names{"Via", "X-Forwarded-For"}},
		"one that says only that":                 {stranger, []string{"Forwarded", "for=unknown"}, evidence.Names{"Forwarded"}},
		"one that gives itself away":              {stranger, []string{"x-bluecoat-via", "0123456789abcdef"}, evidence.Names{"X-BlueCoat-Via"}},
		"the operator's":                          {trusted, []string{"Via", "1.1 front", "X-Forwarded-For", "203.0.113.9", "Forwarded", "for=203.0.113.9"}, evidence.Names{}},
		"the operator's two":                      {trusted, []string{"Via", "1.1 edge, 1.1 front", "X-Forwarded-For", "203.0.113.9, 10.1.2.3"}, evidence.Names{}},
		"the operator's two, and another":         {trusted, []string{"Via", "1.1 corp, 1.1 edge", "Via", "1.1 front", "X-Forwarded-For", "10.9.9.9, 203.0.113.9, 10.1.2.3"}, evidence.Names{"Via", "X-Forwarded-For"}},
		"the operator's, which does not say Via":  {trusted, []string{"Via", "1.1 corp", "X-Forwarded-For", "172.16.0.4, 203.0.113.9"}, evidence.Names{"X-Forwarded-For"}},
		"the operator's, which hides who asks":    {trusted, []string{"X-Forwarded-For", "unknown"}, evidence.Names{}},
		"one with a comma in its comment":         {trusted, []string{"Via", "1.1 front (a, b)"}, evidence.Names{}},
		"an empty header":                         {stranger, []string{"Via", "", "X-Forwarded-For", " , "}, evidence.Names{}},
		"what fronts of sites add":                {trusted, []string{"X-Real-IP", "203.0.113.9", "X-Forwarded-Proto", "https", "True-Client-IP", "203.0.113.9"}, evidence.Names{}},
		"the operator's that is not listed":       {beside, []string{"X-Forwarded-For", "203.0.113.9", "Via", "1.1 front"}, evidence.Names{}},
		"the operator's not listed, and another":  {beside, []string{"X-Forwarded-For", "172.16.0.4, 203.0.113.9"}, evidence.Names{"X-Forwarded-For"}},
		"a proxy on our network that hides names": {beside, []string{"Via", "1.1 corp"}, evidence.Names{"Via"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t)
			o.Config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("10.1.0.0/16")}
			assert.Equal(t, c.want, testServer(t, o).proxies(from(c.peer, "/", c.headers...)))
		})
	}
}

func TestHashAddress_isAsTheReadmeTellsIt(t *testing.T) {
	o := testOptions(t)
	o.Config.Page.Key = pageKey
	s := testServer(t, o)
	for peer, want := range map[string]string{
		// printf %s "address 203.0.113.9" | openssl dgst -sha256 -hmac "a key of the operator's"
		"203.0.113.9:5":            "4:1664b79f35a875d5",
		"[::ffff:203.0.113.9]:5":   "4:1664b79f35a875d5",
		"[2001:db8:0:1:a:b:c:d]:5": "6:9a60616f1a4e1869",
		"[2001:db8:0:1::1%eth0]:5": "6:9a60616f1a4e1869",
	} {
		r := from(peer, "/")
		assert.Equal(t, want, s.hashAddress(r), peer)
		assert.Equal(t, want, demo.Address(pageKey, r), peer)
	}
	assert.Empty(t, s.hashAddress(from("@", "/")), "a socket has no address")
	assert.Empty(t, demo.Address(pageKey, from("@", "/")))
	assert.Empty(t, s.hashAddress(from("127.0.0.1:5", "/", "X-Forwarded-For", "203.0.113.9")), "it is that of a proxy")
	assert.Empty(t, demo.Address(pageKey, from("127.0.0.1:5", "/", "X-Forwarded-For", "203.0.113.9")))
}

func TestMoves(t *testing.T) {
	o := testOptions(t)
	o.Config.Page.Key = pageKey
	s, keyless, other := testServer(t, o), testServer(t, testOptions(t)), testServer(t, testOptions(t))
	at := func(peer string) string { return demo.Address(pageKey, from(peer, "/")) }
	const here, there, six, sixToo = "203.0.113.9:5", "198.51.100.7:5", "[2001:db8::1]:5", "[2001:db8::2]:6"
	saw := func(changed, family bool) evidence.Fact[evidence.Moves] {
		return evidence.Saw(evidence.Moves{Changed: changed, Family: family})
	}
	absent := evidence.Fact[evidence.Moves]{State: evidence.Absent}
	for name, c := range map[string]struct {
		s       *server
		peer    string
		earlier []string
		want    evidence.Fact[evidence.Moves]
	}{
		"nothing to compare with":            {s, here, nil, absent},
		"the same all the time":              {s, here, []string{at(here), at(here)}, saw(false, false)},
		"another line":                       {s, here, []string{at(there)}, saw(true, false)},
		"another one before":                 {s, here, []string{at(there), at(here)}, saw(true, false)},
		"the same /64":                       {s, six, []string{at(sixToo)}, saw(false, false)},
		"the line's other kind":              {s, six, []string{at(here)}, saw(true, true)},
		"the line's other kind, in between":  {s, here, []string{at(here), at(six)}, saw(true, true)},
		"another line and kind":              {s, here, []string{at(there), at(six)}, saw(true, false)},
		"hashes that our own key never made": {keyless, here, []string{at(there)}, absent},
		"our own hash":                       {keyless, here, []string{keyless.hashAddress(from(here, "/"))}, saw(false, false)},
		"our own hash of another line":       {keyless, here, []string{keyless.hashAddress(from(there, "/"))}, saw(true, false)},
		"another process's hash":             {keyless, here, []string{other.hashAddress(from(there, "/"))}, absent},
		"a process's hash, with a key":       {s, here, []string{keyless.hashAddress(from(there, "/"))}, absent},
		"we do not see the address":          {s, "@", []string{at(there)}, absent},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, c.s.moves(from(c.peer, "/"), c.earlier)) })
	}
}

func TestAddresses_keepsWhatCanBeOne(t *testing.T) {
	const one = "4:0123456789abcdef"
	for given, want := range map[string][]string{
		"":                             {},
		one:                            {one},
		one + "  " + one + ".01234567": {one, one + ".01234567"},
		"5:0123456789abcdef":           {},
		"4:0123456789ABCDEF":           {},
		one + `"><script> ` + one:      {one},
		strings.Repeat(one+" ", 100):   {one, one, one, one},
	} {
		assert.Equal(t, want, addresses(from("", "/?address="+url.QueryEscape(given))), given)
	}
}

// The page tells what to ask with; then the server knows where it was loaded.
func TestReach_comparesWithThePagesOwnLoad(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	get := func(peer, target string) *http.Response {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, from(peer, target, "User-Agent", chrome))
		return w.Result()
	}
	body := bodyOf(t, get("203.0.113.9:5", "/latchkey/"))
	seen := reportIn(t, body).Seen.Network
	assert.Equal(t, evidence.Absent, seen.Moves.State, "there was no request before")
	assert.Equal(t, evidence.Absent, seen.Hello.State)
	assert.Equal(t, evidence.Saw(evidence.Names{}), seen.Proxies)

	var config struct{ From string }
	require.NoError(t, json.Unmarshal([]byte(elements(t, body, withID("latchkey-config"))[0].FirstChild.Data), &config))
	require.Regexp(t, `^4:[0-9a-f]{16}\.[0-9a-f]{8}$`, config.From)
	assert.NotContains(t, body, "203.0.113.9")
	query := "?address=" + url.QueryEscape(config.From)

	assert.JSONEq(t, `{"hello": {"state": "absent"}, "proxies": {"state": "ok", "value": []}, "moves": {"state": "ok", "value": {"changed": false}}}`,
		bodyOf(t, get("203.0.113.9:6", "/latchkey/reach"+query)))
	assert.JSONEq(t, `{"hello": {"state": "absent"}, "proxies": {"state": "ok", "value": []}, "moves": {"state": "ok", "value": {"changed": true}}}`,
		bodyOf(t, get("198.51.100.7:6", "/latchkey/reach"+query)))
	assert.JSONEq(t, `{"hello": {"state": "absent"}, "proxies": {"state": "ok", "value": []}, "moves": {"state": "ok", "value": {"changed": true, "family": true}}}`,
		bodyOf(t, get("[2001:db8::1]:6", "/latchkey/reach"+query)))

	again := bodyOf(t, get("198.51.100.7:6", "/latchkey/"+query))
	assert.Equal(t, evidence.Saw(evidence.Moves{Changed: true}), reportIn(t, again).Seen.Network.Moves, "who looks again")
	assert.Equal(t, 1, strings.Count(again, `name="address"`), "carried on")
}

func TestAddress_ofThePageForAnotherBrowserHasNoHashes(t *testing.T) {
	s := testServer(t, testOptions(t))
	r := from("203.0.113.9:5", "/latchkey/?lang=en&address=4:0123456789abcdef")
	assert.Equal(t, "http://example.com/latchkey/?lang=en", s.address(r, s.visit(r)), "it may come from elsewhere")
}

// The redirect for browsers without scripts knows the first request.
func TestPage_carriesTheAddressOverTheRoundTrip(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	first := httptest.NewRecorder()
	h.ServeHTTP(first, from("203.0.113.9:5", "/latchkey/?look=noscript&outcome=session_lost", "User-Agent", chrome))
	require.Equal(t, http.StatusSeeOther, first.Code)
	second := httptest.NewRecorder()
	h.ServeHTTP(second, from("198.51.100.7:5", first.Header().Get("Location"), "User-Agent", chrome))
	assert.Equal(t, evidence.Saw(evidence.Moves{Changed: true}), reportIn(t, second.Body.String()).Seen.Network.Moves)
}

func TestDiagnose_seesTheWayOfWhoAsksForThemselves(t *testing.T) {
	s := testServer(t, testOptions(t))
	post := func(query, body string) evidence.Network {
		r := httptest.NewRequest("POST", "/latchkey/diagnose"+query, strings.NewReader(body))
		r.Header.Set("Via", "1.1 corp")
		w := httptest.NewRecorder()
		s.handler().ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		var rep report.Report
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &rep))
		return rep.Seen.Network
	}
	seen := post("?run=0123abcd&address="+s.hashAddress(from("192.0.2.1:1", "/")), "{}")
	assert.Equal(t, evidence.Saw(evidence.Names{"Via"}), seen.Proxies)
	assert.Equal(t, evidence.Absent, seen.Hello.State)
	assert.Equal(t, evidence.Saw(evidence.Moves{}), seen.Moves)

	seen = post("?run=0123abcd", `{"network": {"proxies": {"value": []}, "moves": {"value": {"changed": true}}}}`)
	assert.Equal(t, evidence.Saw(evidence.Names{}), seen.Proxies, "who asked before knows better")
	assert.Equal(t, evidence.Saw(evidence.Moves{Changed: true}), seen.Moves)

	assert.Zero(t, post("", "{}"), "evidence from elsewhere")
}

func TestReach_isLimited(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	for range limitBurst {
		require.Equal(t, 200, ask(h, "GET", "/latchkey/reach").StatusCode)
	}
	assert.Equal(t, 429, ask(h, "GET", "/latchkey/reach").StatusCode)
}
