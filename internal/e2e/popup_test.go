//go:build unix

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
)

// noPopups are options of a Firefox that opens no window, not even on a click.
// There is no such Chromium: its setting is for windows that nobody clicked for.
func noPopups() drive.Options {
	return prefs("dom.popup_maximum", 0, "dom.popup_allowed_events", "")
}

// A plain page and a frame in it see that no window opens on a click, which
// opens one in every other browser, and that none opens without.
func TestRig_popups(t *testing.T) {
	t.Parallel()
	at := startPlain(t)
	for name, c := range map[string]struct {
		engine drive.Engine
		drive.Options
		opens bool
	}{
		"Firefox":             {drive.Firefox, drive.Options{}, true},
		"Firefox without any": {drive.Firefox, noPopups(), false},
		"Chromium":            {drive.Chromium, drive.Options{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := drive.Open(t, c.engine, c.Options).(drive.Clicker)
			visit(t, p, at("login.localhost"))
			do(t, p, `document.body.insertAdjacentHTML("afterbegin", "<div style='height: 2000px'></div><button id=open>Open</button><iframe id=inner src=/frame></iframe>")`)
			wait(t, p, `document.getElementById("inner").contentWindow.location.pathname === "/frame" && inner.contentDocument.readyState === "complete"`)
			do(t, p, `inner.contentDocument.body.innerHTML = "<button>Open</button>";
				[document, inner.contentDocument].forEach(function (d) {
					d.querySelector("button").onclick = function (e) {
						var w = d.defaultView.open("about:blank");
						d.opened = e.isTrusted + " " + !!w;
						if (w) { w.close(); }
					};
				})`)
			assert.True(t, read[bool](t, p, `window.open("about:blank") === null`), "nobody clicked")
			for document, button := range map[string]string{
				`document`:              `document.getElementById("open")`,
				`inner.contentDocument`: `inner.contentDocument.querySelector("button")`,
			} {
				require.NoError(t, p.ClickElement(t.Context(), button))
				wait(t, p, document+`.opened`)
				assert.Equal(t, map[bool]string{true: "true true", false: "true false"}[c.opens], read[string](t, p, document+`.opened`), document)
			}
			assert.ErrorContains(t, p.Click(t.Context(), "#absent"), "no such element")
		})
	}
}
