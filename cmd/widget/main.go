// Command widget is the wasm tier: it wires the browser, the probes, the
// checks and the screen together. frame.js starts and watches it.
package main

import (
	"context"
	"encoding/json"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"latchkey/app/widget"
	"latchkey/internal/browser"
	"latchkey/internal/checks"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/probe"
	"latchkey/internal/report"
	"latchkey/internal/text"
)

func main() {
	window, err := browser.Open()
	if err != nil {
		println("latchkey: start widget:", err.Error())
		return
	}
	var m widget.Model
	config, err := window.Document("latchkey-config")
	if err == nil {
		err = json.Unmarshal([]byte(config), &m)
	}
	if err != nil {
		println("latchkey: read configuration:", err.Error())
		return
	}
	screen := widget.NewScreen(doctor{window, checks.Catalogue()}, m, text.English())
	window.Serve("alive", func() {})
	if _, err := window.Call(context.Background(), "latchkey.rise"); err != nil {
		return // frame.js gave up waiting and shows its own answer
	}
	app.RouteWithRegexp(".*", func() app.Composer { return screen })
	app.RunWhenOnBrowser()
}

// doctor examines the browser that it runs in.
type doctor struct {
	window *browser.Window
	set    diag.Set
}

func (d doctor) Early() report.Report { return d.judge(d.early()) }

func (d doctor) Examine(ctx context.Context, progress func(done, all int, r report.Report)) report.Report {
	e := d.early()
	return d.judge(probe.Collect(ctx, d.window, e, probe.All(e.Run.Embedding.Value), func(done, all int, e evidence.Evidence) {
		progress(done, all, d.judge(e))
	}))
}

func (d doctor) Publish(r report.Report, done bool) {
	data, err := json.Marshal(r)
	if err == nil {
		_, err = d.window.Call(context.Background(), "latchkey.publish", done, string(data))
	}
	if err != nil {
		println("latchkey: publish report:", err.Error())
	}
}

func (d doctor) OnAgain(again func()) { d.window.Serve("again", again) }

func (d doctor) judge(e evidence.Evidence) report.Report {
	e.Run.Tier = evidence.Wasm
	return report.New(e, d.set.Diagnose(e))
}

// early is what frame.js knows; nothing at all if it cannot be read, for the
// probes look all the same.
func (d doctor) early() evidence.Evidence {
	data, err := probe.Early(d.window)
	if err != nil {
		println("latchkey: read early facts:", err.Error())
	}
	e, err := report.Decode(data)
	if err != nil {
		println("latchkey: read early facts:", err.Error())
	}
	return e
}
