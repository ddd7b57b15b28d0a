//go:build unix

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// unshared lets nobody keep a connection to a portal, as real ones do not: they
// take connections that were meant for somebody else.
func unshared(portal http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		portal(w, r)
	}
}

// TestNetwork_answersInOurPlace is a network that wants a sign-in of its own, with
// its page under our address or by sending people to another.
func TestNetwork_answersInOurPlace(t *testing.T) {
	t.Parallel()
	for name, portal := range map[string]http.HandlerFunc{
		"a page": portalPage,
		"a page elsewhere": func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "portal.test" {
				portalPage(w, r)
				return
			}
			http.Redirect(w, r, "http://portal.test/welcome", http.StatusFound)
		},
	} {
		for _, tier := range tiers {
			t.Run(name+", "+tier.name, func(t *testing.T) {
				l := line(t, lineOptions{})
				site := l.site(t)
				tab := l.open(t, drive.Options{Flags: tier.flags})
				wanted{}.check(t, tier.name, open(t, tab, site.page("")))
				l.captive(t, unshared(portal))
				wanted{
					top: "network-captive-portal", sureness: diag.Likely, fix: "sign-in-to-portal-network",
					says: "Your network answers in our place",
				}.check(t, tier.name, again(t, tab))
				l.heals(t)
				seen := again(t, tab)
				wanted{}.check(t, tier.name, seen)
				assert.True(t, seen.Fixed)
				assert.Contains(t, seen.Text, "What stopped you before is gone: Sign-in page of your network.")
			})
		}
	}
}

// TestNetwork_nobodyAnswers is a device that reaches us no more while it looks, and
// one that reaches others.
func TestNetwork_nobodyAnswers(t *testing.T) {
	t.Parallel()
	offline := func(s diag.Sureness) wanted {
		return wanted{top: "network-offline", sureness: s, fix: "check-connection", says: "This device can't reach us"}
	}
	for _, tier := range tiers {
		t.Run(tier.name, func(t *testing.T) {
			l := line(t, lineOptions{})
			there, here := l.vendor(t)
			tab := l.open(t, drive.Options{Flags: tier.flags})
			here.Close()
			alone := l.site(t)
			besides := l.site(t, configured(t, fmt.Sprintf(`
site: {name: Example Clinic}
needs: [{url: "http://up.test:%s/", kind: host, purpose: the check that you are human}]`, portOf(there.Listener.Addr()))))
			for _, c := range []struct {
				name string
				site *site
				fate string // empty: the browser's own switch
				want wanted
			}{
				{"silent", alone, silently, offline(diag.Likely)},
				{"refused", alone, refused, offline(diag.Likely)},
				{"switched off", alone, "", offline(diag.Sure)},
				{"silent, and another answers", besides, silently, wanted{}},
				{"refused, and another answers", besides, refused, wanted{}},
			} {
				if tier.name == "script" && c.fate == silently && c.site == besides {
					continue // it takes as long as the other silence
				}
				t.Run(c.name, func(t *testing.T) {
					wanted{}.check(t, tier.name, open(t, tab, c.site.page("")))
					if c.fate == "" {
						require.NoError(t, tab.ThrottleNetwork(t.Context(), drive.Network{Offline: true}))
					} else {
						l.meets(t, c.site.Listener.Addr(), c.fate)
						c.site.CloseClientConnections()
						assert.True(t, read[bool](t, tab, `navigator.onLine`), "it does not know")
					}
					require.NoError(t, tab.Click(t.Context(), "#latchkey-again-button"))
					waitLong(t, tab, done)
					seen := lookAt(t, tab)
					if c.fate == "" {
						require.NoError(t, tab.ThrottleNetwork(t.Context(), drive.Network{}))
					} else {
						l.heals(t)
					}
					c.want.check(t, tier.name, seen)
					seen = again(t, tab)
					wanted{}.check(t, tier.name, seen)
					if c.want.top != "" {
						assert.True(t, seen.Fixed)
						assert.Contains(t, seen.Text, "What stopped you before is gone: Connection to this site.")
					}
				})
			}
		})
	}
}

// TestNetwork_addressChanges is a browser that goes from one network to another
// while its page is open.
func TestNetwork_addressChanges(t *testing.T) {
	t.Parallel()
	for _, tier := range tiers {
		for outcome, want := range map[string]wanted{
			"session_lost": {
				top: "network-address-changes", sureness: diag.Likely, fix: "pause-vpn", more: []string{"session-lost"},
				says: "Your network address changed while you were signing in",
			},
			// What the login server said comes first, and has nothing to do with it.
			"account_locked": {
				top: "account-locked", sureness: diag.Sure, fix: "wait-for-unlock", more: []string{"network-address-changes"},
				says: "Your account is locked for now",
			},
		} {
			t.Run(tier.name+", "+outcome, func(t *testing.T) {
				l := line(t, lineOptions{})
				site := l.site(t)
				tab := l.open(t, drive.Options{Flags: tier.flags})
				before := open(t, tab, site.page("outcome="+outcome))
				assert.NotContains(t, before.Findings, "network-address-changes")
				assert.Equal(t, evidence.Saw(evidence.Moves{}), before.Report.Seen.Network.Moves)
				l.moves(t)
				seen := again(t, tab)
				assert.Equal(t, evidence.Saw(evidence.Moves{Changed: true}), seen.Report.Seen.Network.Moves)
				want.check(t, tier.name, seen)
				if outcome == "session_lost" {
					assert.Equal(t, []string{"network-address-changes"}, finding(t, seen, "session-lost").Because)
				} else {
					assert.Equal(t, diag.Maybe, finding(t, seen, "network-address-changes").Sureness)
					assert.Empty(t, finding(t, seen, "account-locked").Because)
				}
			})
		}
	}
}

// silent fails unless nothing was found.
func silent(t *testing.T, l look) { t.Helper(); wanted{}.check(t, l.Tier, l) }

// slowly fails unless the line is said to be slow, for that reason.
func slowly(s diag.Sureness, reason, says string) func(*testing.T, look) {
	return func(t *testing.T, l look) {
		t.Helper()
		args := diag.Args{}
		if reason != "" {
			args["reason"] = reason
		}
		wanted{top: "network-slow", sureness: s, args: args, fix: "try-other-network", says: says}.check(t, l.Tier, l)
	}
}

// narrow fails unless the line is said to be slow by what came over it, or the
// module did not come in time and nothing else was found.
func narrow(t *testing.T, l look) {
	t.Helper()
	if l.Tier == "script" {
		assert.Equal(t, evidence.Stalled, l.Report.TierReason)
		assert.Empty(t, l.Findings)
		return
	}
	slowly(diag.Maybe, "", "Possibly: Your connection is very slow")(t, l)
	assert.InDelta(t, 250, finding(t, l, "network-slow").Args["speed"], 30)
}

// nothingWrong fails if anything was found but that a line is slow. TCP mends what
// gets lost, and whether that shows in eight short exchanges is left to chance.
func nothingWrong(t *testing.T, l look) {
	t.Helper()
	requireWhole(t, l)
	for _, id := range l.Findings {
		assert.Contains(t, []string{"network-slow", "webassembly-off"}, id, "%+v", l.Report.Seen.Network)
	}
}

// TestNetwork_slowLines is the page over lines that are slow or lose packets, from
// its first request on, or from when it has been loaded.
func TestNetwork_slowLines(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, c := range []struct {
		name  string
		o     lineOptions
		later bool // it becomes so after a good start
		flags []string
		looks int // if it takes more than one
		check func(*testing.T, look)
	}{
		{name: "a phone line", o: lineOptions{Delay: 75 * ms, Jitter: 20 * ms, Kbit: 1600}, check: silent},
		{name: "100 ms each way", o: lineOptions{Delay: 100 * ms}, check: silent},
		{name: "3 % lost", o: lineOptions{Delay: 20 * ms, DropEvery: 33}, check: silent},
		{name: "600 ms each way", o: lineOptions{Delay: 600 * ms}, check: slowly(diag.Likely, "", "Your connection is very slow")},
		{name: "600 ms each way, script", o: lineOptions{Delay: 600 * ms}, later: true, flags: jitless.Flags, check: slowly(diag.Likely, "", "Your connection is very slow")},
		{name: "256 kbit per second", o: lineOptions{Delay: 50 * ms, Kbit: 256}, check: narrow},
		{name: "10 % lost", o: lineOptions{Delay: 20 * ms, DropEvery: 10}, check: nothingWrong},
		{name: "a third lost", o: lineOptions{Delay: 20 * ms, DropEvery: 3}, later: true, looks: 4, check: slowly(diag.Maybe, "lossy", "Possibly: Your connection loses part of what is sent")},
		{name: "half lost", o: lineOptions{Delay: 20 * ms, DropEvery: 2}, later: true, check: nothingWrong},
		{name: "large packets vanish", o: lineOptions{BlackHole: 1000}, later: true, check: nothingWrong},
		{name: "large packets vanish, script", o: lineOptions{BlackHole: 1000}, later: true, flags: jitless.Flags, check: nothingWrong},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			first := c.o
			if c.later {
				first = lineOptions{}
			}
			l := line(t, first)
			site := l.site(t)
			tab := l.open(t, drive.Options{Flags: c.flags})
			begun := time.Now()
			visit(t, tab, site.page(""))
			waitLong(t, tab, done)
			seen := lookAt(t, tab)
			if c.later {
				silent(t, seen)
				l.becomes(c.o)
				// Whose packet is the third differs from look to look, and half of the
				// exchanges have to be held up.
				for range max(1, c.looks) {
					begun = time.Now()
					require.NoError(t, tab.Click(t.Context(), "#latchkey-again-button"))
					waitLong(t, tab, done)
					if seen = lookAt(t, tab); len(seen.Findings) > 0 {
						break
					}
				}
			}
			n := seen.Report.Seen.Network
			t.Logf("%s after %.1f s: %v, gaps %v, echoes %+v, speed %v, needs %s, sample %s, reason %q", seen.Tier, time.Since(begun).Seconds(), seen.Findings, seen.Gaps, n.Echoes, n.Speed.Value, n.Needs.State, n.Sample.State, seen.Report.TierReason)
			c.check(t, seen)
		})
	}
}

const done = widget + `.documentElement.getAttribute("data-latchkey-state") === "done"`

// waitLong is wait for lines on which a download takes most of a minute.
func waitLong(t *testing.T, p drive.Page, expr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 70*time.Second)
	defer cancel()
	require.NoError(t, p.Wait(ctx, expr))
}
