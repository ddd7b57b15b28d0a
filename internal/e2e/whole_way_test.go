//go:build unix

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
	"latchkey/internal/store"
)

// cannotSend lets a person have the page, and nothing that they would send.
func cannotSend(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/reports") && r.Method == http.MethodPost {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
}

// makesALink is what an agent does while the person is on the phone; it ends on the
// case's page and returns the address to tell.
func (c *counter) makesALink(t *testing.T, agent *drive.Tab) (address string) {
	t.Helper()
	visit(t, agent, c.at("cases/new"))
	require.NoError(t, agent.Click(t.Context(), "input[name=reference]"))
	require.NoError(t, agent.Type(t.Context(), "TICKET-9"))
	require.NoError(t, agent.Click(t.Context(), "form.panel button.primary"))
	wait(t, agent, `document.getElementById("link-address")`)
	address = read[string](t, agent, `document.getElementById("link-address").textContent`)
	require.NoError(t, agent.Click(t.Context(), "#link > p > a"))
	wait(t, agent, `/Waiting for a report/.test(document.body.innerText)`)
	return address
}

// TestWholeWay is a call to support from its beginning to the sentence that helps: the
// agent makes a link, the person whose browser keeps no cookies opens it on a small
// screen, reads all that would go and sends it, and the agent's page shows it.
func TestWholeWay(t *testing.T) {
	reads := func(text string) string { return `document.body.innerText.indexOf("` + text + `") >= 0` }

	for _, way := range []struct{ name, refused, fault string }{
		{"with scripts", "cookies", "Your browser isn't keeping this site's cookies"},
		{"without scripts on both sides", "javascript", "JavaScript is turned off in your browser"},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			says, scripts := reads(way.fault), way.refused != "javascript"
			c := openCounter(t)
			agent := drive.OpenChromium(t, drive.Options{})
			c.signIn(t, agent)
			if !scripts {
				require.NoError(t, agent.Call(t.Context(), "Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil))
			}
			address := c.makesALink(t, agent)

			person := drive.OpenChromium(t, drive.Options{Prefs: blocked(way.refused)})
			require.NoError(t, person.Resize(t.Context(), 360, 740))
			visit(t, person, address)
			require.NoError(t, person.Click(t.Context(), "#latchkey-start"))
			if scripts {
				wait(t, person, widget+` && /[?&]case=/.test(location.search)`)
				assert.Equal(t, "cookies-blocked", settled(t, person).top())
			} else {
				wait(t, person, `/[?&]look=noscript&.*run=|[?&]run=.*look=noscript/.test(location.search)`)
				assert.Equal(t, "javascript-off", settled(t, person).top())
			}
			assert.True(t, read[bool](t, person, says), "the person reads it first")
			assert.True(t, read[bool](t, person, `document.documentElement.scrollWidth <= innerWidth`))
			assert.False(t, read[bool](t, agent, says), "nothing goes before the person says so")
			shown := read[string](t, person, sendBytes)
			presses(t, person, "send")
			wait(t, agent, says)

			require.NoError(t, agent.Click(t.Context(), "#live h3 a"))
			wait(t, agent, `document.readyState === "complete" && /Told then, and today/.test(document.body.innerText)`)
			assert.True(t, read[bool](t, agent, says))
			rows, err := c.store.Reports.List(t.Context(), store.ReportQuery{})
			require.NoError(t, err)
			require.Len(t, rows, 1)
			row, err := c.store.Reports.Get(t.Context(), rows[0].ID)
			require.NoError(t, err)
			assert.Equal(t, shown, string(row.Body), "what was read is what has arrived")
		})
	}

	t.Run("through the spoken code only", func(t *testing.T) {
		t.Parallel()
		c := openCounter(t, cannotSend)
		agent := drive.OpenChromium(t, drive.Options{})
		c.signIn(t, agent)
		person := drive.OpenChromium(t, drive.Options{Prefs: blocked("cookies")})
		require.NoError(t, person.Resize(t.Context(), 360, 740))
		assert.Equal(t, "cookies-blocked", open(t, person, c.page("outcome=session_lost")).top())
		require.NoError(t, person.Click(t.Context(), "#latchkey-send-summary"))
		presses(t, person, "send")
		saysSend(t, person, notSent)

		aloud := strings.ToLower(strings.ReplaceAll(read[string](t, person, `document.getElementById("latchkey-code").textContent`), "-", " "))
		require.NoError(t, agent.Click(t.Context(), "input[name=code]"))
		require.NoError(t, agent.Type(t.Context(), aloud))
		require.NoError(t, agent.Click(t.Context(), `form[action$="decode"] button`))
		wait(t, agent, reads("Your browser isn't keeping this site's cookies"))
		assert.Contains(t, read[string](t, agent, `document.body.innerText`), "Chrom", "and which browser it is")
	})
}
