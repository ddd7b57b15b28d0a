// Command widget is the wasm tier: it wires the browser, the probes, the
// checks and the screen together. frame.js starts and watches it.
package main

import (
	"context"
	"encoding/json"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"latchkey/app/widget"
	"latchkey/internal/agent"
	"latchkey/internal/browser"
	"latchkey/internal/checks"
)

func main() {
	window, err := browser.Open()
	if err != nil {
		println("latchkey: start widget:", err.Error())
		return
	}
	var given struct {
		widget.Model
		Policy agent.Policy `json:"policy"`
	}
	config, err := window.Document("latchkey-config")
	if err == nil {
		err = json.Unmarshal([]byte(config), &given)
	}
	if err != nil {
		println("latchkey: read configuration:", err.Error())
		return
	}
	screen := widget.NewScreen(doctor{window, checks.Catalogue(), given.Policy}, given.Model, words(window))
	window.Serve("alive", func() {})
	if _, err := window.Call(context.Background(), "latchkey.rise"); err != nil {
		return // frame.js gave up waiting and shows its own answer
	}
	app.RouteWithRegexp(".*", func() app.Composer { return screen })
	app.RunWhenOnBrowser()
}
