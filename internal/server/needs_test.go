package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
)

// needy is a server with those needs in its configuration.
func needy(t *testing.T, yaml string) *server {
	t.Helper()
	o := testOptions(t)
	c, err := ParseConfig([]byte(yaml), "latchkey.yaml")
	require.NoError(t, err)
	o.Config = c
	return testServer(t, o)
}

func TestReach_asksForWhatTheLoginNeeds(t *testing.T) {
	release := make(chan struct{})
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gone.js":
			http.NotFound(w, r)
		case "/broken":
			w.WriteHeader(http.StatusBadGateway)
		case "/elsewhere":
			http.Redirect(w, r, "/broken", http.StatusFound)
		case "/socket":
			if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Sec-WebSocket-Key") == "" || r.Header.Get("Origin") == "" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			conn, _, err := http.NewResponseController(w).Hijack()
			require.NoError(t, err)
			fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			conn.Close()
		case "/stream":
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "data: 1\n\n")
			_ = http.NewResponseController(w).Flush()
			<-release
		case "/held", "/silent":
			_ = http.NewResponseController(w).Flush()
			<-release
		}
	}))
	defer vendor.Close()
	defer close(release)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	dead.Close()
	for _, c := range []struct {
		kind, url string
		want      evidence.Answer
	}{
		{"script", vendor.URL + "/api.js", evidence.Yes},
		{"script", strings.Replace(vendor.URL, "127.0.0.1", "captcha.localhost", 1) + "/api.js", evidence.Yes},
		{"script", vendor.URL + "/gone.js", evidence.No},
		{"script", vendor.URL + "/broken", evidence.No},
		{"host", vendor.URL + "/gone.js", evidence.Yes},
		{"host", vendor.URL + "/elsewhere", evidence.Yes},
		{"host", vendor.URL + "/broken", evidence.No},
		{"host", "http://" + dead.Addr().String() + "/", evidence.No},
		{"socket", strings.Replace(vendor.URL, "http", "ws", 1) + "/socket", evidence.Yes},
		{"socket", strings.Replace(vendor.URL, "http", "ws", 1) + "/api.js", evidence.No},
		{"stream", vendor.URL + "/stream", evidence.Yes},
		{"stream", vendor.URL + "/api.js", evidence.No},
	} {
		t.Run(c.kind+" "+strings.TrimPrefix(c.url, vendor.URL), func(t *testing.T) {
			h := needy(t, fmt.Sprintf("needs: [{url: %q, kind: %s}]", c.url, c.kind)).handler()
			var got struct{ Needs map[string]evidence.Answer }
			require.NoError(t, json.Unmarshal([]byte(bodyOf(t, ask(h, "GET", "https://portal.example/latchkey/reach?needs=0,1,x,-1"))), &got))
			assert.Equal(t, map[string]evidence.Answer{"0": c.want}, got.Needs)
		})
	}
}

// However many people have trouble at once, others are asked once a minute.
func TestReach_asksOthersOnceAMinute(t *testing.T) {
	var asked atomic.Int32
	vendor := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer vendor.Close()
	s := needy(t, fmt.Sprintf("needs: [{url: %q}]", vendor.URL+"/api.js"))
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	s.now = func() time.Time { return at }
	h := s.handler()
	for range 20 {
		ask(h, "GET", "https://portal.example/latchkey/reach?needs=0")
	}
	assert.Equal(t, int32(1), asked.Load())
	at = at.Add(reachKept + time.Second)
	ask(h, "GET", "https://portal.example/latchkey/reach?needs=0")
	assert.Equal(t, int32(2), asked.Load())
}

func TestReach_asksNothingPrivate(t *testing.T) {
	h := needy(t, "needs: [{url: 'https://idp.corp.internal/', kind: host, private: true}]").handler()
	assert.NotContains(t, bodyOf(t, ask(h, "GET", "https://portal.example/latchkey/reach?needs=0")), "needs")
}

// A server that is not let out to where its visitors go says nothing of outages.
func TestReach_silenceCountsOnlyForWhoIsLetOut(t *testing.T) {
	timeout := &net.OpError{Op: "dial", Err: &net.DNSError{IsTimeout: true}}
	for _, c := range []struct {
		name         string
		err          error
		shut, letOut evidence.Answer
	}{
		{"refused", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, evidence.No, evidence.No},
		{"no such name", &net.DNSError{IsNotFound: true}, evidence.No, evidence.No},
		{"silence", timeout, "", evidence.InVain},
		{"forbidden by a firewall", &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, "", evidence.No},
		{"a broken answer", io.ErrUnexpectedEOF, "", evidence.No},
	} {
		s := testServer(t, testOptions(t))
		assert.Equal(t, c.shut, s.unreached(c.err), c.name)
		s.letOut.Store(true)
		assert.Equal(t, c.letOut, s.unreached(c.err), c.name)
	}
}

func TestFrameNeeds_areAddressesAsSeenFromHere(t *testing.T) {
	const yaml = `
site: {login: "https://portal.example/signin"}
needs:
  - {url: /app.js, proof: app.start}
  - {url: /live, kind: socket}
  - {url: "https://captcha.example/api.js?render=1", purpose: the puzzle, again: false}
  - {url: "wss://live.example:8443/socket"}
  - {url: "http://10.1.2.3/", kind: host}
  - {url: "https://sso.example/", kind: host, private: true}
`
	s := needy(t, yaml)
	assert.Equal(t, []frameNeed{
		{Kind: "script", URL: "https://portal.example/app.js", Host: "portal.example", Port: 443, Proof: "app.start", Again: true, Own: true},
		{Kind: "socket", URL: "wss://portal.example/live", Host: "portal.example", Port: 443, Again: true, Own: true},
		{Kind: "script", URL: "https://captcha.example/api.js?render=1", Host: "captcha.example", Port: 443, Purpose: "the puzzle"},
		{Kind: "socket", URL: "wss://live.example:8443/socket", Host: "live.example", Port: 8443, Again: true},
		{Kind: "host", URL: "http://10.1.2.3/", Host: "10.1.2.3", Port: 80, Again: true, Private: true},
		{Kind: "host", URL: "https://sso.example/", Host: "sso.example", Port: 443, Again: true, Private: true},
	}, s.frameNeeds(httptest.NewRequest("GET", "https://portal.example/latchkey/", nil)))
	here := s.frameNeeds(httptest.NewRequest("GET", "http://127.0.0.1:8080/latchkey/", nil))
	assert.False(t, here[4].Private, "from a private page it is nothing special")
	assert.True(t, here[5].Private, "by the operator's word")
	for host, want := range map[string]bool{
		"localhost": true, "a.localhost": true, "printer.local": true, "127.0.0.1": true, "192.168.1.1": true, "100.100.0.1": true, "fe80::1": true, "::1": true,
		"example.com": false, "8.8.8.8": false, "2001:db8::1": false, "notlocalhost": false,
	} {
		assert.Equal(t, want, private(host), host)
	}
}

func TestNeeds_configuration(t *testing.T) {
	for yaml, want := range map[string]string{
		"needs: [{purpose: x}]":                                     `needs[0]: has no url`,
		"needs: [{url: captcha.example}]":                           `needs[0].url: "captcha.example" is not a full web address`,
		"needs: [{url: 'https://a;b/'}]":                            `is not a full web address`,
		"needs: [{url: 'https://a.example/', kind: skript}]":        `there is no kind "skript" (hint: did you mean script?)`,
		"needs: [{url: 'https://a.example/', kind: socket}]":        `needs[0]: "https://a.example/" is no socket`,
		"needs: [{url: 'wss://a.example/', kind: stream}]":          `needs[0]: "wss://a.example/" is no stream`,
		"needs: [{url: 'https://a.example/', proof: 'a b'}]":        `"a b" is no name of a global`,
		"page: {patches: [fetsch]}":                                 `is none of the functions that are looked at (hint: did you mean fetch?)`,
		"needs: [" + strings.Repeat("{url: /a.js}, ", 9) + "]":      `needs: has 9 needs (hint: name at most 8`,
		"needs: [{url: 'https://a.example/', again: perhaps}]":      `"perhaps" is neither true nor false`,
		"needs: [{url: 'https://user:word@a.example/', again: no}]": `is not a full web address`,
	} {
		_, err := ParseConfig([]byte(yaml), "latchkey.yaml")
		assert.ErrorContains(t, err, want, yaml)
	}
	c, err := ParseConfig([]byte("needs: [{url: 'wss://A.example/s'}, {url: /a.js}]\npage: {patches: []}"), "")
	require.NoError(t, err)
	assert.Equal(t, []Need{{URL: "wss://a.example/s", Kind: "socket", Again: true}, {URL: "/a.js", Kind: "script", Again: true}}, c.Needs)
	assert.NotNil(t, c.Page.Patches, "an empty list says that the site wraps nothing")
}

// network.js knows every byte of the sample.
func TestSample_isAPageThatNobodyMayChange(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	r := ask(h, "GET", "/latchkey/sample")
	assert.Equal(t, samplePage, bodyOf(t, r))
	assert.Equal(t, "text/html; charset=utf-8", r.Header.Get("Content-Type"))
	assert.Equal(t, "no-store, no-transform", r.Header.Get("Cache-Control"))
	assert.Empty(t, r.Header.Get("Content-Encoding"))
	assert.Equal(t, "gzip", ask(h, "GET", "/latchkey/sample", "Accept-Encoding", "gzip, br").Header.Get("Content-Encoding"))
	assert.Equal(t, "// fbevents\n", bodyOf(t, ask(h, "GET", "/latchkey/bait/fbevents.js")))
	assert.Equal(t, "// events\n", bodyOf(t, ask(h, "GET", "/latchkey/bait/events.js")))
}

func TestIT_tellsWhatWeKnowAlone(t *testing.T) {
	s := needy(t, "site: {name: Example Clinic, login: 'https://portal.example/'}\nneeds: [{url: 'https://idp.example/', kind: host, purpose: the sign-in}]")
	s.now = func() time.Time { return time.UnixMilli(1790000000000) }
	h := s.handler()
	page := bodyOf(t, ask(h, "GET", "https://portal.example/latchkey/it?found=network-host-unreachable,evil&needs=0,5,x&at=1789999980000&zone=60"))
	for _, want := range []string{"Letting the sign-in of Example Clinic through", "idp.example, port 443 (the sign-in): refused, or no answer", "2026-09-21 14:13 UTC (2026-09-21 15:13 on the device)"} {
		assert.Contains(t, page, want)
	}
	assert.NotContains(t, page, "evil")
	for _, odd := range []string{"at=99999999999999&zone=0", "at=1&zone=0", "at=1789999980000&zone=9999", "at=x&zone=x", ""} {
		assert.NotContains(t, bodyOf(t, ask(h, "GET", "https://portal.example/latchkey/it?"+odd)), "Time:", odd)
	}
}

func TestPage_tellsWhoRunsScriptsInPagesAlone(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	v := newVisitor(t, h)
	body := v.get("/latchkey/?look=files")
	rep := reportIn(t, body)
	assert.Equal(t, []string{"script-blocked"}, ids(rep))
	assert.Equal(t, "files", rep.Findings[0].Args["reason"])
	assert.Contains(t, rep.Passed, "javascript-off")
	assert.NotContains(t, body, "DOMContentLoaded", "it does not go there twice")
	assert.Contains(t, bodyOf(t, ask(h, "GET", "/latchkey/")), "DOMContentLoaded")
}
