package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLimiter_letsAWholeClinicInAtOnce(t *testing.T) {
	l := newLimiter(10)
	clinic := netip.MustParseAddr("198.51.100.1")
	for person := range 300 {
		for range 10 {
			assert.True(t, l.allow(clinic, noon), "person %d", person)
		}
	}
	assert.False(t, l.allow(clinic, noon), "one more at the same moment")
	assert.True(t, l.allow(netip.MustParseAddr("198.51.100.2"), noon), "somebody else")

	again := 0
	for l.allow(clinic, noon.Add(time.Minute)) {
		again++
	}
	assert.Equal(t, 3000, again, "a minute later")
}

func TestLimiter_forgetsWhoWasQuietForLongest(t *testing.T) {
	l := newLimiter(2)
	a, b, c := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	drain := func(addr netip.Addr) {
		for l.allow(addr, noon) {
		}
	}
	drain(a)
	drain(b)
	l.allow(a, noon) // refused, but a sign of life
	l.allow(c, noon)

	assert.Len(t, l.clients, 2)
	assert.Equal(t, 2, l.recent.Len())
	assert.False(t, l.allow(a, noon), "a is remembered")
	assert.True(t, l.allow(b, noon), "b was forgotten")
}

func TestNetwork_countsALineAsOneClient(t *testing.T) {
	cases := []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
	}
	for _, c := range cases {
		same := network(netip.MustParseAddr(c.a)) == network(netip.MustParseAddr(c.b))
		assert.Equal(t, c.same, same, "%s and %s", c.a, c.b)
	}
	assert.NotPanics(t, func() { newLimiter(1).allow(netip.Addr{}, noon) }, "an address that cannot be read")
}

func TestLimited_stillBringsAdvice(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "<p>Wait a little.")
	})
	cases := []struct {
		name       string
		tooMany    http.Handler
		kind, want string
	}{
		{"from a page of our own", page, "text/html; charset=utf-8", "<p>Wait a little."},
		{"by default", nil, "text/plain; charset=utf-8", "Wait a moment"},
		{"even from a page that says nothing", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := testServer(t, testOptions(t))
			reached := 0
			h := s.limited(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }), c.tooMany)
			for range limitBurst {
				assert.Equal(t, 200, ask(h, "GET", "/").StatusCode)
			}
			got := ask(h, "GET", "/")
			assert.Equal(t, limitBurst, reached)
			assert.Equal(t, 429, got.StatusCode)
			assert.Equal(t, "10", got.Header.Get("Retry-After"))
			assert.Equal(t, c.kind, got.Header.Get("Content-Type"))
			assert.Contains(t, bodyOf(t, got), c.want)
		})
	}
}

func TestClient_believesOnlyTrustedProxies(t *testing.T) {
	cases := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"nobody in between", "198.51.100.1:5", nil, "198.51.100.1"},
		{"a stranger who makes it up", "198.51.100.1:5", []string{"203.0.113.9"}, "198.51.100.1"},
		{"behind a proxy", "192.0.2.7:5", []string{"203.0.113.9"}, "203.0.113.9"},
		{"behind a proxy, with something made up in front", "192.0.2.7:5", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		{"behind two proxies", "192.0.2.7:5", []string{"1.1.1.1, 203.0.113.9, 10.1.2.3"}, "203.0.113.9"},
		{"behind two proxies that write a line each", "192.0.2.7:5", []string{"1.1.1.1, 203.0.113.9", "10.1.2.3"}, "203.0.113.9"},
		{"a proxy that says nothing", "192.0.2.7:5", nil, "192.0.2.7"},
		{"a proxy that says nonsense", "192.0.2.7:5", []string{"203.0.113.9, unknown"}, "192.0.2.7"},
		{"nobody but proxies", "192.0.2.7:5", []string{"10.1.2.3"}, "10.1.2.3"},
		{"a proxy that writes the port", "192.0.2.7:5", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"a proxy that writes IPv6 with the port", "192.0.2.7:5", []string{"[2001:db8::9]:4711"}, "2001:db8::9"},
		{"IPv4 in IPv6's clothes", "[::ffff:192.0.2.7]:5", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := testOptions(t)
			o.Config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("10.0.0.0/8")}
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = c.peer
			r.Header["X-Forwarded-For"] = c.forwarded
			assert.Equal(t, c.want, fmt.Sprint(testServer(t, o).client(r)))
		})
	}
}
