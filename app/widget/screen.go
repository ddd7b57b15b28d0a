package widget

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"latchkey/internal/report"
	"latchkey/internal/text"
)

// Doctor is what the screen needs. cmd/widget gives the real one.
type Doctor interface {
	// Early is the report on what is known before any probe has run.
	Early() report.Report
	// Examine runs the probes and returns the report. It calls progress after
	// each step.
	Examine(ctx context.Context, progress func(done, all int, r report.Report)) report.Report
	// Publish says how things stand, once the screen shows it.
	Publish(r report.Report, done bool)
	// OnAgain sets what is to happen when the person wants another look.
	OnAgain(again func())
}

// Screen is the widget in the browser: it looks when it is mounted and
// whenever it is asked again.
type Screen struct {
	app.Compo

	doctor Doctor
	words  *text.Catalogue
	model  Model
}

// NewScreen makes a screen that shows what the doctor knows already.
func NewScreen(d Doctor, m Model, words *text.Catalogue) *Screen {
	m.Report, m.All = d.Early(), 1
	return &Screen{doctor: d, words: words, model: m}
}

// OnMount starts the first look.
func (s *Screen) OnMount(ctx app.Context) {
	s.doctor.OnAgain(func() { ctx.Dispatch(s.look) })
	s.look(ctx)
}

// Render shows the model.
func (s *Screen) Render() app.UI { return View(s.model, s.words) }

func (s *Screen) look(ctx app.Context) {
	s.show(ctx, 0, 1, s.doctor.Early())
	ctx.Async(func() {
		r := s.doctor.Examine(ctx, func(done, all int, r report.Report) {
			ctx.Dispatch(func(ctx app.Context) { s.show(ctx, done, all, r) })
		})
		ctx.Dispatch(func(ctx app.Context) { s.show(ctx, 0, 0, r) })
	})
}

// show puts the report on the screen and publishes it when it stands there.
func (s *Screen) show(ctx app.Context, done, all int, r report.Report) {
	s.model.Done, s.model.All, s.model.Report = done, all, r
	ctx.Defer(func(app.Context) { s.doctor.Publish(r, all == 0) })
}
