//go:build unix

package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// looksAgain opens the part of a first screen and reads the address off its QR code.
func looksAgain(t *testing.T, first drive.Page) (address string) {
	t.Helper()
	do(t, first, widget+`.getElementById("latchkey-second-summary").click()`)
	saysSecond(t, first, "Waiting for the second look.")
	address = readCode(t, first, "second")
	assert.Regexp(t, `/latchkey/\?with=\w{8}$`, address, "and nothing of what was said to the first")
	assert.Equal(t, address, read[string](t, first, widget+`.getElementById("latchkey-second-address").textContent`))
	return address
}

func saysSecond(t *testing.T, p drive.Page, says string) {
	t.Helper()
	wait(t, p, widget+`.getElementById("latchkey-second-status").textContent.indexOf("`+says+`") === 0`)
}

// answers chooses in the second page's part and sends.
func answers(t *testing.T, p *drive.Tab, under, worked string) {
	t.Helper()
	for _, input := range []string{"under][value=" + under, "worked][value='" + worked + "'"} {
		require.NoError(t, p.Click(t.Context(), "#latchkey-bring input[name="+input+"]"))
	}
	require.NoError(t, p.Click(t.Context(), "#latchkey-bring-send"))
}

func saysBring(t *testing.T, p drive.Page, says string) {
	t.Helper()
	wait(t, p, `document.getElementById("latchkey-bring-status").textContent === "`+says+`"`)
}

// compared waits until a first screen has concluded, and reads it.
func compared(t *testing.T, p drive.Page, id string) look {
	t.Helper()
	wait(t, p, widget+`.querySelector("[data-compared=`+id+`]") !== null`)
	return settled(t, p)
}

// pictures are of both widths and themes.
func pictures(t *testing.T, tab *drive.Tab, name string) {
	t.Helper()
	for _, width := range []int{1280, 360} {
		require.NoError(t, tab.Resize(t.Context(), width, 1100))
		forEverybody(t, tab, fmt.Sprint(name, " ", width))
	}
	require.NoError(t, tab.Resize(t.Context(), 1280, 1100))
}

// TestSecond is a fault that sits in the browser's profile, and one that sits in the
// network, each told by a second look from where it is not.
func TestSecond(t *testing.T) {
	t.Parallel()
	var asked asked
	port := startVendor(t)
	site := startSite(t, asked.count, configured(t, fmt.Sprintf(`
site: {name: Example Clinic}
needs:
- {url: "http://captcha.localhost:%[1]s/api.js", purpose: the robot check, proof: captcha.render}
- {url: "http://news.test:%[1]s/", kind: host, purpose: live news}`, port)))
	everywhere := "--host-resolver-rules=MAP *.test 127.0.0.1"
	blocker := extension{rules: []netRule{blocking("||captcha.localhost^*api.js")}}

	// Without the extension, and in a network that reaches all.
	second := drive.OpenChromium(t, drive.Options{Flags: []string{everywhere}})

	for _, tier := range tiers {
		t.Run("an extension in "+tier.name, func(t *testing.T) {
			asked.brought.Store(0)
			first := openExtension(t, blocker, drive.Options{Flags: append([]string{everywhere}, tier.flags...)})
			l := open(t, first, site.page("outcome=no_response"))
			requireWhole(t, l)
			require.Equal(t, tier.name, l.Tier)
			require.Equal(t, "script-blocked", l.top())
			require.Contains(t, l.Fixes, "try-private-window")
			address := looksAgain(t, first)
			if tier.name == "wasm" {
				pictures(t, first, "second-open")
			}

			there := open(t, second, address)
			requireWhole(t, there)
			assert.Equal(t, "wasm", there.Tier)
			assert.Empty(t, there.Findings, "it has not inherited what was said to the first")
			assert.NotContains(t, there.Text, "Compare with a second look")
			quiet(t, there)
			require.NoError(t, second.Click(t.Context(), "#latchkey-bring-send"))
			saysBring(t, second, "Say first where you are now.")
			if tier.name == "wasm" {
				pictures(t, second, "second-bring")
			}
			before := asked.fetched.Load()
			eventually(t, "the first screen asks", func() bool { return asked.fetched.Load() > before+1 })
			assert.Zero(t, asked.brought.Load(), "nothing is sent before the person says so")
			listed := read[string](t, second, `document.getElementById("latchkey-bring-json").textContent`)
			assert.Less(t, len(listed), 16<<10)
			t.Logf("a look takes %d bytes", len(listed))

			answers(t, second, "private-window", "yes")
			saysBring(t, second, "Sent. Go on at the other screen.")
			assert.EqualValues(t, 1, asked.brought.Load())

			l = compared(t, first, "private-window-clean")
			requireWhole(t, l)
			if tier.name == "wasm" {
				pictures(t, first, "second-concluded")
			}
			assert.Equal(t, tier.name, l.Tier)
			assert.Contains(t, l.Text, "In a private window this doesn't happen. So an extension or old data in your normal window is the cause.")
			assert.Contains(t, l.Text, "Fine there: Parts that signing in needs")
			assert.NotContains(t, l.Text, "That was not it")
			assert.Equal(t, "script-blocked", l.top())
			assert.Equal(t, "allow-scripts", l.Fixes[0])
			assert.NotContains(t, l.Fixes, "try-private-window", "it was done")
			saysSecond(t, first, "The second look has arrived.")
			requireSameJudgement(t, site, l)
		})
	}

	t.Run("a network", func(t *testing.T) {
		first := drive.OpenChromium(t, drive.Options{Flags: []string{"--host-resolver-rules=MAP news.test ~NOTFOUND, MAP *.test 127.0.0.1"}})
		l := open(t, first, site.page("outcome=captcha_failed"))
		requireWhole(t, l)
		require.Equal(t, "network-host-unreachable", l.top())
		require.Equal(t, "try-other-network", l.Fixes[0])
		address := looksAgain(t, first)

		open(t, second, address)
		answers(t, second, "other-network", "")
		saysBring(t, second, "Sent. Go on at the other screen.")
		l = compared(t, first, "other-network-clean")
		requireWhole(t, l)
		assert.Contains(t, l.Text, "So the cause is your usual network, or a VPN.")
		assert.Contains(t, l.Text, "Fine there: Sites that signing in needs.", "and nobody knows whether signing in works")
		assert.Equal(t, "network-host-unreachable", l.top())
		assert.Equal(t, "ask-it-to-allow", l.Fixes[0])
		assert.NotContains(t, l.Fixes, "try-other-network")

		// Another look under the same code, which is kept with the first.
		open(t, second, address)
		answers(t, second, "other-device", "no")
		saysBring(t, second, "Sent. Go on at the other screen.")
		l = compared(t, first, "other-device-less")
		requireWhole(t, l)
		assert.Contains(t, l.Text, "The same there: ")
		var under []evidence.Condition
		for _, c := range l.Report.Seen.Run.Compared {
			under = append(under, c.Under)
		}
		assert.Equal(t, []evidence.Condition{"other-network", "other-device"}, under)
		pictures(t, first, "second-two")
	})

	t.Run("a code that has run out", func(t *testing.T) {
		open(t, second, site.page("with=0000-0000"))
		answers(t, second, "other-device", "no")
		saysBring(t, second, "This code has run out. Make a new one on the other screen.")
	})

	t.Run("without scripts", func(t *testing.T) {
		visit(t, second, site.page("look=noscript&with=0000-0000"))
		assert.True(t, read[bool](t, second, `document.body.textContent.indexOf("That needs scripts, which don't run here.") > 0`))
	})
}
