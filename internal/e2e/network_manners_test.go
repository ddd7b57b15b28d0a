//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
	"latchkey/internal/server"
)

// traffic is what a tab asks for, as the browser says.
type traffic struct {
	page  string // the address of the page itself
	mu    sync.Mutex
	asked map[string]string // addresses by request
	bytes map[string]int
}

// listenIn keeps all that a tab asks for from now on.
func listenIn(t *testing.T, tab *drive.Tab, page string) *traffic {
	t.Helper()
	n := &traffic{page: page, asked: map[string]string{}, bytes: map[string]int{}}
	note := func(e drive.Event) {
		var p struct {
			RequestID         string
			URL               string // of a socket
			EncodedDataLength int
			Request           struct {
				URL, PostData string
				Headers       map[string]string
			}
		}
		if json.Unmarshal(e.Params, &p) != nil {
			return
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		if address := p.Request.URL + p.URL; address != "" {
			n.asked[p.RequestID] = address
			n.bytes[p.RequestID] += len(address) + len(p.Request.PostData)
			for name, value := range p.Request.Headers {
				n.bytes[p.RequestID] += len(name) + len(value) + 4
			}
		}
		n.bytes[p.RequestID] += p.EncodedDataLength
	}
	for _, method := range []string{"Network.requestWillBeSent", "Network.webSocketCreated", "Network.loadingFinished"} {
		t.Cleanup(tab.On(method, note))
	}
	return n
}

// besides lists what was asked for besides pages and Latchkey's own files, and how
// many bytes that took.
func (n *traffic) besides(t *testing.T) (addresses []string, bytes int) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, address := range n.asked {
		u, err := url.Parse(address)
		require.NoError(t, err)
		switch {
		case u.Scheme == "data", address == n.page, u.Path == "/favicon.ico":
		case strings.HasPrefix(u.Path, "/latchkey/static/"), u.Path == "/latchkey/embed.js", u.Path == "/latchkey/frame":
		default:
			addresses = append(addresses, address)
			bytes += n.bytes[id]
		}
	}
	slices.Sort(addresses)
	return addresses, bytes
}

// TestNetwork_manners is all that Latchkey asks for in a login page in which all
// that it needs fails: little, and nobody whom the operator does not name.
func TestNetwork_manners(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t, "Example Servers")
	for _, tier := range tiers {
		t.Run(tier.name, func(t *testing.T) {
			closed := httptest.NewServer(http.NotFoundHandler())
			closed.Close()
			_, port, _ := strings.Cut(strings.TrimPrefix(closed.URL, "http://"), ":")

			var login string
			var configure middleware
			idp := startSiteAs(t, func(s *site) {
				ours.secure(t, s.Server)
				s.name = "third.test"
			}, func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					newHandler(t, login, time.Now, func(o *server.Options) { o.Config.Embed.Origins = []string{login} }).ServeHTTP(w, r)
				})
			})
			here := startSiteAs(t, func(s *site) {
				ours.secure(t, s.Server)
				s.name = "login.test"
				configure = configured(t, fmt.Sprintf(`
site: {name: Example Clinic}
identity_provider: %[2]s/latchkey
storage: {version_url: "https://login.test:%[3]s/version"}
needs:
- {url: "https://never.test:%[1]s/once.js", purpose: the token, again: false}
- {url: "http://10.1.2.3/", kind: host, purpose: the card reader}
- {url: "https://inside.test:%[1]s/", kind: host, purpose: the printer, private: true}
- {url: "https://one.test:%[1]s/api.js", purpose: the check that you are human}
- {url: "https://two.test:%[1]s/", kind: host, purpose: the vendor}
- {url: "wss://three.test:%[1]s/socket", purpose: the live line}
- {url: "https://four.test:%[1]s/stream", kind: stream, purpose: the news}`, port, idp.URL, portOf(s.Listener.Addr())))
			}, withPage(""), instead("/version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "7") }),
				func(next http.Handler) http.Handler { return configure(next) })
			login = here.URL
			tab := drive.OpenChromium(t, drive.Options{Trust: [][]byte{ours.pem}, Flags: append([]string{"--host-resolver-rules=MAP *.test 127.0.0.1"}, tier.flags...)})
			asked := listenIn(t, tab, here.URL+"/")
			visit(t, tab, here.URL+"/")
			l := trouble(t, tab, "sso_failed")
			requireWhole(t, l)
			assert.Equal(t, tier.name, l.Tier)
			assert.Equal(t, "site-fault", l.top(), "nobody reaches them")
			assert.Equal(t, evidence.OK, l.Report.Seen.Storage.Build.State)
			assert.Equal(t, "yes", strings.Fields(thirdSeen(l))[3], "the other site was asked")
			// What it asks last comes 5 s after.
			wait(t, tab, widget+`.defaultView.performance.getEntriesByType("resource").filter(function (e) { return /cookies\/echo\?run/.test(e.name); }).length > 0`)

			addresses, bytes := asked.besides(t)
			t.Logf("%d requests, %d bytes:\n%s", len(addresses), bytes, strings.Join(addresses, "\n"))
			assert.LessOrEqual(t, len(addresses), 24)
			assert.Less(t, bytes, 300_000)
			hosts := map[string]bool{}
			for _, address := range addresses {
				u, _ := url.Parse(address)
				hosts[u.Hostname()] = true
			}
			assert.Equal(t, []string{"four.test", "login.test", "one.test", "third.test", "three.test", "two.test"}, slices.Sorted(maps.Keys(hosts)))
		})
	}
}

// TestNetwork_localAccess is a login that needs something in the local network, which
// Chromium lets a site reach only if a person allows it. It is never touched.
func TestNetwork_localAccess(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t, "Example Servers")
	site := startSiteAs(t, func(s *site) {
		ours.secure(t, s.Server)
		s.name = "login.test"
	}, configured(t, `
site: {name: Example Clinic}
needs: [{url: "http://10.1.2.3/", kind: host, purpose: the card reader}]`))
	finds := func(s diag.Sureness, more ...string) wanted {
		return wanted{
			top: "network-local-access", sureness: s, args: diag.Args{"part": "10.1.2.3", "purpose": "the card reader"}, fix: "allow-local-network", more: more,
			says: "Signing in needs the card reader, at 10.1.2.3 in your own network.",
		}
	}
	for _, tier := range tiers {
		t.Run(tier.name, func(t *testing.T) {
			tab := drive.OpenChromium(t, drive.Options{Trust: [][]byte{ours.pem}, Flags: append([]string{"--host-resolver-rules=MAP *.test 127.0.0.1"}, tier.flags...)})
			for _, c := range []struct {
				setting, outcome string
				want             wanted
			}{
				{"denied", "unknown", finds(diag.Sure)},
				{"denied", "sso_failed", finds(diag.Sure, "account-sso-failed")},
				{"prompt", "sso_failed", finds(diag.Maybe, "account-sso-failed")},
				{"prompt", "unknown", wanted{}},
				{"granted", "sso_failed", wanted{top: "account-sso-failed", sureness: diag.Sure, fix: "use-organisation-sign-in"}},
			} {
				t.Run(c.setting+", "+c.outcome, func(t *testing.T) {
					for _, name := range []string{"local-network-access", "local-network"} {
						require.NoError(t, tab.Call(t.Context(), "Browser.setPermission", map[string]any{
							"permission": map[string]any{"name": name}, "setting": c.setting, "origin": site.URL,
						}, nil), name)
					}
					asked := listenIn(t, tab, "")
					l := open(t, tab, site.page("outcome="+c.outcome))
					c.want.check(t, tier.name, l)
					assert.Equal(t, evidence.Saw(c.setting), l.Report.Seen.Network.Local)
					addresses, _ := asked.besides(t)
					assert.NotContains(t, fmt.Sprint(addresses), "10.1.2.3")
				})
			}
		})
	}
	// Firefox 153 asks as well, under the newer name, and holds requests back until
	// it has an answer (seen 2026-11), so it says what Chromium does.
	for _, c := range []struct {
		name, outcome string
		asks          bool
		want          wanted
	}{
		{"asks, and nothing failed", "unknown", true, wanted{}},
		{"asks", "sso_failed", true, finds(diag.Maybe, "account-sso-failed")},
		{"does not ask", "sso_failed", false, wanted{top: "account-sso-failed", sureness: diag.Sure, fix: "use-organisation-sign-in"}},
	} {
		t.Run("Firefox, "+c.name, func(t *testing.T) {
			o := prefs("network.dns.localDomains", "login.test", "network.lna.enabled", c.asks, "network.lna.blocking", c.asks)
			o.Trust = [][]byte{ours.pem}
			l := open(t, drive.Open(t, drive.Firefox, o), site.page("outcome="+c.outcome))
			c.want.check(t, "wasm", l)
			assert.Empty(t, l.Gaps)
		})
	}
}
