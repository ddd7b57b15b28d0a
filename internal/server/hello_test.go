package server

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
)

// The hellos were recorded 2026-11 as the first bytes of a connection to
// https://localhost/, in base64: Chromium 156.0.8078.79 and Firefox 153.7.0esr of
// Debian 12, and the same Chromium behind mitmproxy 8.1.1 (OpenSSL 3.0.19).
func TestWatchHellos_knowsRecordedOnes(t *testing.T) {
	for name, want := range map[string]evidence.Hello{
		"chromium-156": {Grease: true, PostQuantum: true, TLS13: true, Ciphers: "8daaf6152771", Whole: true},
		"firefox-153":  {PostQuantum: true, TLS13: true, Ciphers: "86a278354501", Whole: true},
		"mitmproxy-8":  {TLS13: true, Ciphers: "c36778b98fa1", Whole: true},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/hello/" + name)
			require.NoError(t, err)
			data, err := base64.StdEncoding.DecodeString(string(text))
			require.NoError(t, err)

			var s http.Server
			conf := &tls.Config{}
			WatchHellos(&s, conf)
			ours, theirs := net.Pipe()
			ctx := s.ConnContext(t.Context(), ours)
			go func() {
				_, _ = theirs.Write(data)
				_, _ = io.Copy(io.Discard, theirs)
			}()
			require.Error(t, tls.Server(ours, conf).HandshakeContext(ctx), "there is no certificate")
			_ = ours.Close()
			assert.Equal(t, want, *ctx.Value(helloKey{}).(*evidence.Hello))
		})
	}
}

// tlsServer serves h under a certificate of httptest's.
func tlsServer(t *testing.T, h http.Handler, http2 bool) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = http2
	srv.TLS = &tls.Config{}
	WatchHellos(srv.Config, srv.TLS)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that the end of a test cuts off
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

func getReach(t *testing.T, client *http.Client, url string) reach {
	t.Helper()
	r, err := client.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	require.Equal(t, http.StatusOK, r.StatusCode)
	require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
	require.Equal(t, "application/json", r.Header.Get("Content-Type"))
	var out reach
	require.NoError(t, json.NewDecoder(r.Body).Decode(&out))
	return out
}

func TestReach_tellsEachConnectionItsOwnHello(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			protos := make(chan string, 100)
			h := testServer(t, testOptions(t)).handler()
			srv := tlsServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				protos <- r.Proto
				h.ServeHTTP(w, r)
			}), http2)
			url := srv.URL + "/latchkey/reach"

			modern, old := srv.Client(), &http.Client{Transport: srv.Client().Transport.(*http.Transport).Clone()}
			old.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS12
			old.Transport.(*http.Transport).TLSClientConfig.CurvePreferences = []tls.CurveID{tls.X25519}
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					got := getReach(t, modern, url).Hello
					assert.Equal(t, evidence.OK, got.State)
					assert.True(t, got.Value.Whole && got.Value.TLS13 && got.Value.PostQuantum, "%+v", got)
					assert.False(t, got.Value.Grease, "Go has none")
					assert.Regexp(t, `^[0-9a-f]{12}$`, got.Value.Ciphers)
				})
				all.Go(func() {
					got := getReach(t, old, url).Hello
					assert.False(t, got.Value.TLS13 || got.Value.PostQuantum, "%+v", got)
					assert.True(t, got.Value.Whole)
				})
			}
			all.Wait()
			assert.Equal(t, map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[http2], <-protos)
		})
	}
}

func TestReach_tellsTheHelloOfResumedSessions(t *testing.T) {
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			resumed := make(chan bool, 1)
			h := testServer(t, testOptions(t)).handler()
			srv := tlsServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				resumed <- r.TLS.DidResume
				h.ServeHTTP(w, r)
			}), false)
			transport := srv.Client().Transport.(*http.Transport)
			transport.DisableKeepAlives = true
			transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			transport.TLSClientConfig.MaxVersion = version
			client := &http.Client{Transport: transport}

			first := getReach(t, client, srv.URL+"/latchkey/reach").Hello
			assert.False(t, <-resumed)
			again := getReach(t, client, srv.URL+"/latchkey/reach").Hello
			assert.True(t, <-resumed)
			assert.Equal(t, evidence.OK, first.State)
			assert.Equal(t, first, again)
		})
	}
}

const ja4 = "t13d1517h2_8daaf6152771_cb7bf5808d99"

func TestHello_isTheBrowsersAndNotAProxys(t *testing.T) {
	ours := evidence.Hello{Grease: true, PostQuantum: true, TLS13: true, Ciphers: "8daaf6152771", Whole: true}
	absent := evidence.Fact[evidence.Hello]{State: evidence.Absent}
	for name, c := range map[string]struct {
		peer      string
		hello     *evidence.Hello
		ja4, more string
		want      evidence.Fact[evidence.Hello]
	}{
		"we end TLS":                         {"203.0.113.9:5", &ours, "", "", evidence.Saw(ours)},
		"a stranger's word":                  {"203.0.113.9:5", &ours, "t12d1517h2_000000000000_cb7bf5808d99", "", evidence.Saw(ours)},
		"no TLS":                             {"203.0.113.9:5", new(evidence.Hello), ja4, "", absent},
		"nobody watches":                     {"203.0.113.9:5", nil, "", "", absent},
		"a trusted proxy's own":              {"192.0.2.7:5", &ours, "", "", absent},
		"a trusted proxy tells":              {"192.0.2.7:5", &ours, ja4, "", evidence.Saw(evidence.Hello{TLS13: true, Ciphers: "8daaf6152771"})},
		"it tells an old version":            {"192.0.2.7:5", nil, "t12i1517h2_8daaf6152771_cb7bf5808d99", "", evidence.Saw(evidence.Hello{Ciphers: "8daaf6152771"})},
		"over QUIC, which has other suites":  {"192.0.2.7:5", nil, "q13d0312h3_55b375c5d22e_06cda9e17597", "", evidence.Saw(evidence.Hello{TLS13: true})},
		"it tells something else":            {"192.0.2.7:5", &ours, "8daaf6152771", "", absent},
		"it tells more":                      {"192.0.2.7:5", &ours, ja4 + ", " + ja4, "", absent},
		"a proxy of ours that is not listed": {"10.1.2.3:5", &ours, "", "203.0.113.9", absent},
		"somebody on our own network":        {"10.1.2.3:5", &ours, "", "", evidence.Saw(ours)},
	} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t)
			o.Config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
			o.Config.Network.JA4Header = "X-JA4"
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = c.peer
			if c.hello != nil {
				r = r.WithContext(context.WithValue(r.Context(), helloKey{}, c.hello))
			}
			for header, value := range map[string]string{"X-JA4": c.ja4, "X-Forwarded-For": c.more} {
				if value != "" {
					r.Header.Set(header, value)
				}
			}
			assert.Equal(t, c.want, testServer(t, o).hello(r))
		})
	}
	assert.Equal(t, absent, testServer(t, testOptions(t)).hello(httptest.NewRequest("GET", "/", nil)), "no header is named")
}

func TestIsGrease_knowsAllSixteen(t *testing.T) {
	n := 0
	for v := range 0x10000 {
		if isGrease(uint16(v)) {
			n++
			assert.Equal(t, 0x0a0a, v&0x0f0f)
		}
	}
	assert.Equal(t, 16, n)
	assert.True(t, isGrease(uint16(0xfafa)))
	assert.False(t, isGrease(uint16(0x0a1a)))
}

func TestCipherHash_isThatOfJA4(t *testing.T) {
	// The example of JA4's own description (technical_details/JA4.md).
	list := []uint16{0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035}
	assert.Equal(t, "8daaf6152771", cipherHash(list))
	assert.Equal(t, "8daaf6152771", cipherHash(append([]uint16{0x2a2a}, list...)))
}
