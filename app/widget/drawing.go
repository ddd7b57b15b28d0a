package widget

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// Drawings are lines without words: all that they show stands beside them as text, so
// that those who listen miss nothing, and no program reads them out.

// drawing is an SVG of width by height units with its lines, and a mark where to look.
func drawing(class string, width, height int, lines string, mark ...app.UI) app.UI {
	return app.Elem("svg").XMLNS(svg).Class("drawing", class).Attr("viewBox", fmt.Sprintf("0 0 %d %d", width, height)).
		Attr("width", width).Attr("height", height).Attr("role", "none").
		Body(append([]app.UI{app.Elem("path").XMLNS(svg).Attr("d", lines)}, mark...)...)
}

func ring(x, y int) app.UI {
	return app.Elem("circle").XMLNS(svg).Class("mark").Attr("cx", x).Attr("cy", y).Attr("r", 12)
}

// The lines of a browser's window, and of one on a phone, around a bar with the address.
const (
	windowLines = "M1 63V9a8 8 0 0 1 8-8h142a8 8 0 0 1 8 8v54M12 18v-9h44v9M1 18h158M16 33l-5 5 5 5M36 28h84a10 10 0 0 1 0 20H36a10 10 0 0 1 0-20z"
	phoneLines  = "M9 1h62a8 8 0 0 1 8 8v94a8 8 0 0 1-8 8H9a8 8 0 0 1-8-8V9a8 8 0 0 1 8-8zM20 12h30a8 8 0 0 1 0 16H20a8 8 0 0 1 0-16z"
)

// menus are the signs for a browser's menu, as lines around their middle.
var menus = []struct{ sign, lines string }{
	{"⋮", "m0-6h0m0 6h0m0 6h0"},
	{"⋯", "m-6 0h0m6 0h0m6 0h0"},
	{"☰", "m-5-5h10m-10 5h10m-10 5h10"},
}

// lowMenus are the browsers of phones that have their menu below the page. That of
// Firefox for Android is where people put it.
var lowMenus = []string{"Samsung Internet-Android", "Chrome-iOS", "Firefox-iOS"}

// highMenus have it at the end of the bar with the address; their desktop versions all
// do.
var highMenus = []string{"Chrome", "Edge", "Firefox", "Brave"}

// starts are the browsers in which a fix begins with the icon in front of the address.
var starts = map[string][]string{
	"allow-scripts":             {"Edge", "Firefox", "Chrome-Android"},
	"allow-local-network":       {"Chrome"},
	"allow-third-party-cookies": {"Firefox"},
	"clear-site-data":           {"Chrome", "Chrome-Android"},
	"pause-extensions":          {"Firefox"},
}

// hint draws where the steps of a fix begin: at the menu's sign, or at the icon in
// front of the address. There is none where that is not known for sure.
func (v view) hint(fix string, steps []string) app.UI {
	program, system := v.Report.Shown()
	both := program + "-" + system
	desktop := system == "Windows" || system == "macOS" || system == "Linux" || system == "ChromeOS"
	width, height, lines, x, y := 160, 64, windowLines, 146, 38
	if !desktop {
		width, height, lines, x, y = 80, 112, phoneLines, 68, 20
	}
	if at := starts[fix]; desktop && slices.Contains(at, program) || slices.Contains(at, both) {
		x = 36
		if !desktop {
			x = 20
		}
		return v.figure(drawing("hint", width, height, lines+dot(x, y), ring(x, y)), v.ui("hint.start"))
	}
	for _, m := range menus {
		if !strings.Contains(strings.Join(steps, " "), " "+m.sign+",") {
			continue
		}
		key := "hint.end"
		switch {
		case slices.Contains(lowMenus, both):
			key, y = "hint.below", 94
		case !(desktop && slices.Contains(highMenus, program) || both == "Chrome-Android"):
			return app.Div().Hidden(true)
		}
		return v.figure(drawing("hint", width, height, lines+"M"+strconv.Itoa(x)+" "+strconv.Itoa(y)+m.lines, ring(x, y)),
			v.words.Text(diag.Args{"sign": m.sign}, "ui."+key))
	}
	return app.Div().Hidden(true)
}

func dot(x, y int) string { return fmt.Sprintf("M%d %da4 4 0 1 0 8 0a4 4 0 1 0-8 0", x-4, y) }

func (v view) figure(drawn app.UI, caption string) app.UI {
	return app.Div().Class("figure").Body(drawn, app.P().Text(caption))
}

// path draws where on the way from the device to the site the fault is, for faults of
// the way and of the site.
func (v view) path(f diag.Finding) app.UI {
	fault := -1
	switch {
	case f.Impact == diag.Note, f.Check == "network-local-access": // which the browser's own setting stops
	case strings.HasPrefix(f.Check, "network-"), f.Check == "websocket-blocked":
		fault = 1
	case strings.HasPrefix(f.Check, "service-"), f.Check == "site-fault", f.Check == "server-clock-wrong", f.Check == "script-policy":
		fault = 2
	}
	if fault < 0 {
		return app.Div().Hidden(true)
	}
	var parts []app.UI
	for i, part := range []struct{ key, lines string }{
		{"device", "M6 8h28v19H6zM2 32h36"},
		{"network", "M4 18a23 23 0 0 1 32 0M10 24a14 14 0 0 1 20 0M16 30a6 6 0 0 1 8 0"},
		{"site", "M8 6h24v10H8zM8 22h24v10H8zM13 11h0M13 27h0"},
	} {
		class, label := "", []app.UI{app.Div().Text(v.ui("path." + part.key))}
		var mark []app.UI
		if i == fault {
			class, label = "broken", append(label, app.Div().Text(v.ui("path.here")))
			mark = []app.UI{app.Elem("path").XMLNS(svg).Class("mark").Attr("d", "M10 8l20 24M30 8l-20 24")}
		}
		parts = append(parts, app.Li().Class(class).Body(append([]app.UI{drawing("", 40, 40, part.lines, mark...)}, label...)...))
	}
	return app.Ol().Class("path").Body(parts...)
}

// clockFaces are what this device's clock shows and what it ought to, where hands can
// show the difference.
func (v view) clockFaces(f diag.Finding) app.UI {
	offset, ok := f.Args["offset"].(float64)
	at := v.Report.Seen.Run.At
	apart := time.Duration(offset * float64(time.Second))
	if !ok || f.Check != "clock-wrong" || at.State != evidence.OK || apart.Abs() < 2*time.Minute || apart.Abs() >= 12*time.Hour {
		return app.Div().Hidden(true)
	}
	here := time.UnixMilli(int64(at.Value.UTC)).UTC().Add(time.Duration(at.Value.Zone) * time.Minute)
	face := func(class, label string, t time.Time) app.UI {
		minutes := t.Hour()*60 + t.Minute()
		hand := func(length, degrees int) app.UI {
			return app.Elem("path").XMLNS(svg).Class("mark").Attr("d", fmt.Sprintf("M32 32V%d", 32-length)).
				Attr("transform", fmt.Sprintf("rotate(%d 32 32)", degrees))
		}
		return app.Li().Class(class).Body(
			drawing("", 64, 64, "M2 32a30 30 0 1 0 60 0a30 30 0 1 0-60 0M32 6v4M32 54v4M6 32h4M54 32h4", hand(14, minutes/2), hand(22, minutes%60*6)),
			app.Span().Text(label), app.Strong().Text(fmt.Sprintf("%02d:%02d", t.Hour(), t.Minute())))
	}
	return app.Ul().Class("faces").Body(
		face("broken", v.ui("clock.here"), here),
		face("", v.ui("clock.true"), here.Add(-apart)),
	)
}
