package widget_test

import (
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/app/widget"
	"latchkey/internal/evidence"
	"latchkey/internal/testkit"
	"latchkey/internal/text"
)

func TestNote_tellsWhatToAllow(t *testing.T) {
	moment := evidence.Saw(evidence.Moment{UTC: 1790000000000, Zone: 120})
	needs := evidence.Needs{
		{Kind: "script", Host: "portal.example", URL: "https://portal.example/app.js", Own: true, Page: evidence.Yes},
		{Kind: "script", Host: "captcha.example", Port: 443, Purpose: "the puzzle", Again: evidence.InVain},
		{Kind: "socket", Host: "live.example", Port: 8443, Purpose: "live news", Again: evidence.No},
		{Kind: "stream", Host: "portal.example", Port: 443, Purpose: "news", Own: true},
	}
	note := widget.Note{
		Site: widget.Site{Name: "Example Clinic", Host: "portal.example", Login: "https://portal.example:8443/"}, At: moment,
		Found: []string{"network-host-unreachable", "websocket-blocked"}, Needs: needs, Failed: []int{1, 2},
	}
	testkit.Golden(t, "note.golden.txt", []byte(strings.Join(note.Lines(text.English()), "\n")+"\n"))
	for login, port := range map[string]string{"": "443", "http://portal.example/": "80", "https://portal.example/": "443", ":": "443"} {
		note.Site.Login = login
		assert.Contains(t, strings.Join(note.Lines(text.English()), "\n"), "https to portal.example, port "+port+": the sign-in page", login)
	}
	note.At = evidence.Saw(evidence.Moment{UTC: 1790000000000})
	assert.Contains(t, note.Lines(text.English()), "Time: 2026-09-21 14:13 UTC", "whose own time nobody knows")
}

// The page's address holds numbers and names of ours alone.
func TestNote_isAPageThatCanBeSent(t *testing.T) {
	m := model(t, func(e *evidence.Evidence) {
		e.Run.At = evidence.Saw(evidence.Moment{UTC: 1790000012345, Zone: -60})
		e.Network.Needs = evidence.Saw(evidence.Needs{
			{Kind: "host", Host: "idp.example", URL: "https://idp.example/", Purpose: `"><script>`, Again: evidence.InVain, Server: evidence.Yes},
			{Kind: "script", Host: `"><script>`, Unlisted: true, Page: evidence.No},
		})
	})
	out := app.HTMLString(widget.View(m, text.English()))
	require.Contains(t, out, `id="latchkey-it"`)
	assert.Contains(t, out, "no answer within 3 seconds")
	assert.Contains(t, out, `href="it?at=1789999980000&found=network-host-unreachable&lang=en&needs=0&zone=-60"`)
	assert.NotContains(t, out, "<script>")
}
