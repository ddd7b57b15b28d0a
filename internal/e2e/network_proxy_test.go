//go:build unix

package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"testing"

	"github.com/stretchr/testify/assert"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
	"latchkey/internal/server"
)

// watched starts Latchkey over https at names that the authority vouches for, as
// "bin/latchkey serve -tls-cert" has it: it sees how connections are opened.
func (a *authority) watched(t *testing.T, faults ...middleware) *site {
	t.Helper()
	return startSiteAs(t, func(s *site) {
		s.EnableHTTP2 = true
		s.TLS = &tls.Config{Certificates: []tls.Certificate{a.leaf(t)}}
		s.Config.ErrorLog = log.New(io.Discard, "", 0) // browsers try a connection before they go on
		server.WatchHellos(s.Config, s.TLS)
	}, faults...)
}

const (
	// mitmMistypesPages calls pages that scripts ask for plain text.
	mitmMistypesPages mitmMode = `
def response(flow):
    if flow.request.headers.get("Sec-Fetch-Dest") == "empty" and flow.response.headers.get("Content-Type", "").startswith("text/html"):
        flow.response.headers["Content-Type"] = "text/plain"
`

	// mitmUnpacksAndSays is mitmUnpacks with the header of a proxy that is honest.
	mitmUnpacksAndSays = mitmUnpacks + `
def request(flow):
    flow.request.headers["Via"] = "1.1 proxy.example"
`
)

// TestNetwork_rewriting is what comes of an interceptor that changes what it reads,
// of one that does not, and of none.
func TestNetwork_rewriting(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t, "Example Servers")
	site := ours.watched(t)
	rewritten := func(s diag.Sureness, reason, says string) wanted {
		w := wanted{top: "network-rewritten", sureness: s, fix: "try-other-network", says: says, more: []string{"network-intercepted"}}
		if reason != "" {
			w.args = diag.Args{"reason": reason}
		}
		return w
	}
	intercepted := wanted{
		top: "network-intercepted", sureness: diag.Sure, fix: "try-other-network",
		says: "Software or a company proxy reopens your secure connection",
	}
	vanish := intercepted
	vanish.top, vanish.sureness, vanish.fix, vanish.says = "cookies-vanish", diag.Likely, "pause-extensions", "it doesn't reach us"
	vanish.args, vanish.more = diag.Args{"reason": "stripped"}, []string{"network-intercepted"}
	intercepted.sureness = diag.Likely
	for _, c := range []struct {
		name string
		mode mitmMode
		want wanted
		both bool
	}{
		{"plain", mitmPlain, intercepted, false}, // a note, which stands last
		{"a script in each page", mitmInject, rewritten(diag.Sure, "", "it arrived with other ones"), true},
		{"pages as plain text", mitmMistypesPages, rewritten(diag.Sure, "type", "it arrived marked as something else"), true},
		{"all else as downloads", mitmMistypes, intercepted, false},
		{"nothing packed", mitmUnpacks, intercepted, false},
		{"nothing packed, and says so", mitmUnpacksAndSays, rewritten(diag.Maybe, "unpacked", "Possibly: Something opens our pages"), true},
		{"no cookies", mitmNoCookies, vanish, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mitm(t, ours, c.mode)
			for _, tier := range tiers {
				if tier.name == "script" && !c.both {
					continue
				}
				t.Run(tier.name, func(t *testing.T) {
					o := m.options(drive.Chromium, ours)
					o.Flags = append(o.Flags, tier.flags...)
					c.want.check(t, tier.name, open(t, drive.OpenChromium(t, o), site.page("")))
				})
			}
		})
	}
	for _, engine := range []drive.Engine{drive.Chromium, drive.Firefox} {
		t.Run("nobody, "+string(engine), func(t *testing.T) {
			var m *interceptor
			l := open(t, drive.Open(t, engine, m.options(engine, ours)), site.page(""))
			healthy(t, l)
			assert.Contains(t, l.Report.Passed, "network-intercepted")
			assert.Contains(t, l.Report.Passed, "network-rewritten")
		})
	}
}

// TestNetwork_frontThatIsMeantToBeThere is the operator's own nginx before Latchkey,
// with all that the login needs behind another.
func TestNetwork_frontThatIsMeantToBeThere(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t, "Example Servers")
	secure := nginxForwards
	secure.https = ours
	// The server's own question to https would need the system to trust us, so
	// what it needs there is at our own site's front: a browser's word suffices.
	port := nginxForwards.inFront(t, "http://127.0.0.1:"+startVendor(t))
	secured := secure.inFront(t, "http://127.0.0.1:"+startVendor(t))
	site := func(scheme, ws, port string) *site {
		return startSite(t, configured(t, fmt.Sprintf(`
site: {name: Example Clinic}
trusted_proxies: [127.0.0.1]
needs:
- {url: "%[1]s://third.localhost:%[3]s/api.js", purpose: the check that you are human}
- {url: "%[1]s://third.localhost:%[3]s/", kind: host, purpose: the vendor}
- {url: "%[2]s://third.localhost:%[3]s/socket", purpose: the live line}
- {url: "%[1]s://third.localhost:%[3]s/stream", kind: stream, purpose: the news}`, scheme, ws, port)))
	}
	plain := "http://login.localhost:" + nginxForwards.inFront(t, site("http", "ws", port).URL)
	safe := "https://login.localhost:" + secure.inFront(t, site("https", "wss", secured).URL)
	for _, c := range []struct {
		engine drive.Engine
		at     string
	}{
		{drive.Chromium, plain},
		{drive.Chromium, safe},
		{drive.Firefox, plain},
		{drive.Firefox, safe},
		{drive.WebKit, plain},
	} {
		t.Run(string(c.engine)+" at "+c.at[:5], func(t *testing.T) {
			var m *interceptor
			o := drive.Options{}
			if c.engine != drive.WebKit {
				o = m.options(c.engine, ours)
			}
			l := open(t, drive.Open(t, c.engine, o), c.at+"/latchkey/")
			healthy(t, l)
			needs := l.Report.Seen.Network.Needs.Value
			assert.Len(t, needs, 4)
			for _, n := range needs {
				assert.Equal(t, evidence.Yes, n.Again, n.Kind)
			}
			assert.Equal(t, evidence.Saw(evidence.Names{}), l.Report.Seen.Network.Proxies)
			assert.Equal(t, evidence.Saw(evidence.Moves{}), l.Report.Seen.Network.Moves)
		})
	}
}
