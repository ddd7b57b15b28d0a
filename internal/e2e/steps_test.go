//go:build unix

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// inSettings does something in a page of the browser's own, in another tab, as a
// person does who follows the steps.
func inSettings(t *testing.T, tab *drive.Tab, page, script string) {
	t.Helper()
	settings := newTab(t, tab)
	visit(t, settings, page)
	do(t, settings, script)
}

// allow is what the switch of a kind of content in Chromium's settings does.
func allow(kind string) string {
	return `chrome.send("setDefaultValueForContentType", ["` + kind + `", "allow"])`
}

// TestSteps_helped raises real faults, does what the first step says, and looks
// again.
func TestSteps_helped(t *testing.T) {
	t.Parallel()
	const settings = "chrome://settings/content"
	login := startSite(t, withLogin(""))
	clock := drive.NewClock(t, 0)
	skewed := func(by time.Duration) func(*testing.T) *drive.Tab {
		return func(t *testing.T) *drive.Tab {
			require.NoError(t, clock.Set(by))
			return drive.OpenChromium(t, drive.Options{Env: clock.Env()})
		}
	}
	setRight := func(t *testing.T, _ *drive.Tab) { require.NoError(t, clock.Set(0)) }
	for _, c := range []struct {
		fault, found, fix string
		open              func(t *testing.T) *drive.Tab
		query             string
		raise             func(t *testing.T, tab *drive.Tab) look // opens the page if it is not nil
		mend              func(t *testing.T, tab *drive.Tab)
	}{
		{
			fault: "all cookies refused", found: "cookies-blocked", fix: "allow-cookies", query: "outcome=session_lost",
			open: func(t *testing.T) *drive.Tab { return drive.OpenChromium(t, drive.Options{Prefs: blocked("cookies")}) },
			mend: func(t *testing.T, tab *drive.Tab) { inSettings(t, tab, settings, allow("cookies")) },
		},
		{
			fault: "scripts turned off", found: "javascript-off", fix: "turn-on-javascript",
			open: func(t *testing.T) *drive.Tab {
				return drive.OpenChromium(t, drive.Options{Prefs: blocked("javascript")})
			},
			raise: func(t *testing.T, tab *drive.Tab) look {
				visit(t, tab, login.page(""))
				return withoutScript(t, tab)
			},
			mend: func(t *testing.T, tab *drive.Tab) { inSettings(t, tab, settings, allow("javascript")) },
		},
		{
			fault: "an extension that takes cookies out", found: "cookies-vanish", fix: "pause-extensions",
			open: func(t *testing.T) *drive.Tab {
				return openExtension(t, extension{rules: []netRule{strippingCookies()}})
			},
			mend: func(t *testing.T, tab *drive.Tab) {
				inSettings(t, tab, "chrome://extensions", `chrome.management.getAll().then(function (all) {
					return Promise.all(all.filter(function (x) { return x.name === "of a test"; }).map(function (x) { return chrome.management.setEnabled(x.id, false); }));
				})`)
			},
		},
		{
			fault: "simple storage that is full", found: "storage-full", fix: "clear-site-data",
			open: func(t *testing.T) *drive.Tab {
				tab := drive.OpenChromium(t, drive.Options{})
				visit(t, tab, login.URL+"/latchkey/static/")
				do(t, tab, fillStorage)
				return tab
			},
			mend: func(t *testing.T, tab *drive.Tab) {
				require.NoError(t, tab.Call(t.Context(), "Storage.clearDataForOrigin", map[string]any{"origin": login.URL, "storageTypes": "local_storage"}, nil))
			},
		},
		{
			fault: "a cookie that is there twice", found: "cookies-duplicated", fix: "remove-old-cookies", query: "outcome=session_lost",
			open: func(t *testing.T) *drive.Tab {
				tab := drive.OpenChromium(t, drive.Options{})
				for _, path := range []string{"/", "/latchkey"} {
					require.NoError(t, tab.Call(t.Context(), "Network.setCookie", map[string]any{"name": "sid", "value": "1", "path": path, "url": login.URL}, nil))
				}
				return tab
			},
			mend: func(t *testing.T, tab *drive.Tab) {
				require.NoError(t, tab.Call(t.Context(), "Network.clearBrowserCookies", nil, nil))
			},
		},
		{fault: "a clock ten minutes behind", found: "clock-wrong", fix: "set-clock-automatically", open: skewed(-10 * time.Minute), mend: setRight},
		{fault: "a clock in the next time zone", found: "clock-time-zone", fix: "set-time-zone", open: skewed(time.Hour), mend: setRight},
		{
			fault: "no network", found: "network-offline", fix: "check-connection",
			open: func(t *testing.T) *drive.Tab { return drive.OpenChromium(t, drive.Options{}) },
			raise: func(t *testing.T, tab *drive.Tab) look {
				open(t, tab, login.page(""))
				require.NoError(t, tab.ThrottleNetwork(t.Context(), drive.Network{Offline: true}))
				return again(t, tab)
			},
			mend: func(t *testing.T, tab *drive.Tab) {
				require.NoError(t, tab.ThrottleNetwork(t.Context(), drive.Network{}))
			},
		},
	} {
		t.Run(c.fault, func(t *testing.T) {
			tab := c.open(t)
			var l look
			if c.raise != nil {
				l = c.raise(t, tab)
			} else {
				l = open(t, tab, login.page(c.query))
			}
			require.Equal(t, c.found, l.top())
			assert.Equal(t, c.fix, l.Fixes[0])
			assert.False(t, l.Fixed)

			c.mend(t, tab)
			require.NoError(t, tab.Click(t.Context(), "#latchkey-again-button"))
			wait(t, tab, `document.querySelector("[data-latchkey-fixed]") !== null && document.documentElement.getAttribute("data-latchkey-state") === "done"`)
			l = settled(t, tab)
			assert.True(t, l.Fixed)
			assert.NotContains(t, l.Findings, c.found)
			assert.Contains(t, l.Text, "Fixed. Try signing in again.")
			assert.NotContains(t, l.Text, "That was not it yet")
		})
	}
}

// TestSteps_inTheAddress goes from step to step, back, and through a reload, in
// all tiers.
func TestSteps_inTheAddress(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	clock := drive.NewClock(t, 10*time.Minute)
	for tier, o := range map[string]drive.Options{"wasm": {}, "script": jitless, "html": {Prefs: blocked("javascript")}} {
		t.Run(tier, func(t *testing.T) {
			o.Env = clock.Env()
			tab := drive.OpenChromium(t, o)
			looked := func() look {
				if tier == "html" {
					return withoutScript(t, tab)
				}
				return settled(t, tab)
			}
			visit(t, tab, site.page("outcome=account_locked"))
			l := looked()
			require.Equal(t, tier, l.Tier)
			first, others := l.Fixes[0], l.Fixes[1:]
			assert.Empty(t, l.Report.Seen.Run.Tried)

			still := func() {
				require.NoError(t, tab.Click(t.Context(), "#latchkey-still-button"))
				wait(t, tab, `document.readyState === "complete" && document.querySelector("[data-tried='`+l.Fixes[0]+`']") !== null`)
				l = looked()
			}
			still()
			assert.Equal(t, evidence.Names{first}, l.Report.Seen.Run.Tried)
			require.ElementsMatch(t, others, l.Fixes, "never the same advice twice")
			second := l.Fixes[0]
			assert.Contains(t, l.Text, "That was not it yet")

			require.NoError(t, tab.Reload(t.Context()))
			l = looked()
			assert.Equal(t, evidence.Names{first}, l.Report.Seen.Run.Tried, "after a reload")
			assert.Equal(t, second, l.Fixes[0])

			for len(l.Fixes) > 0 {
				still()
			}
			assert.Contains(t, l.Text, "That is all you can do here.")
			assert.Contains(t, l.Text, "555-0100")

			do(t, tab, `history.back()`)
			wait(t, tab, `document.readyState === "complete" && document.querySelectorAll("#latchkey-answer [data-fix]").length === 1`)
			assert.Len(t, looked().Fixes, 1, "a step back")
		})
	}
}

// Who comes back from settings finds the answer as it is now.
func TestSteps_comingBack(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	clock := drive.NewClock(t, 0)
	tab := drive.OpenChromium(t, drive.Options{Env: clock.Env(), Prefs: blocked("cookies")})
	l := open(t, tab, site.page("outcome=session_lost"))
	require.Equal(t, "cookies-blocked", l.top())
	// 10 s lie between two looks that nobody asked for.
	do(t, tab, `latchkey.steps.at -= 10000`)
	do(t, tab, `document.addEventListener("visibilitychange", function () { window.left = latchkey.now(); })`)
	inSettings(t, tab, "chrome://settings/content", allow("cookies"))
	wait(t, tab, `document.hidden && latchkey.now() - left > 1000`) // which is how long nobody counts as away
	require.NoError(t, tab.Call(t.Context(), "Page.bringToFront", nil, nil))
	wait(t, tab, `document.querySelector("[data-latchkey-fixed]") !== null`)
	assert.Empty(t, lookAt(t, tab).Report.Seen.Run.Tried, "nobody said that it did not help")
}
