package main

import (
	"context"
	"encoding/json"

	"latchkey/internal/agent"
	"latchkey/internal/browser"
	"latchkey/internal/clock"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/probe"
	"latchkey/internal/report"
)

// doctor examines the browser that it runs in.
type doctor struct {
	window *browser.Window
	set    diag.Set
	policy agent.Policy
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
	agent.Identify(&e, d.policy)
	clock.Conclude(&e.Clock)
	d.set.Contrast(&e)
	return report.New(e, d.set.Diagnose(e))
}

// early is what frame.js knows; nothing at all if it cannot be read, for the
// probes look all the same.
func (d doctor) early() evidence.Evidence {
	data, err := probe.Early(d.window)
	if err != nil {
		println("latchkey: read early facts:", err.Error())
	}
	e, err := report.Decode(data, report.SomeNew)
	if err != nil {
		println("latchkey: read early facts:", err.Error())
	}
	return e
}
