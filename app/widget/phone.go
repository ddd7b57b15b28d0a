package widget

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Door is how another device or window gets to a page of ours. All of it is the
// server's: where the page's address comes from a request it stands in text, and in
// the QR code as digits and a few letters.
type Door struct {
	Address string `json:"address"`
	// Size is how many modules the QR code of the address has on a side, and Path
	// draws them in SVG, a unit each.
	Size int    `json:"size"`
	Path string `json:"path"`
}

// Phone is how the phone that makes codes gets to the page that checks its clock,
// without a pairing. Without a QR code there is no check to offer.
type Phone struct {
	Door
	// At is the time in UTC when the server wrote this.
	At string `json:"at"`
}

const svg = "http://www.w3.org/2000/svg"

// mobile is whether this device may be the one that makes the codes.
func (v view) mobile() bool {
	device := v.Report.Seen.Browser.Device.Value
	return device == "phone" || device == "tablet"
}

// phone lets people compare the clock of the phone that makes their codes.
// frame.js loads the script when it is opened.
func (v view) phone() app.UI {
	p := v.Phone
	return app.Details().ID("latchkey-phone").Class("phone-check pair").Body(
		app.Summary().ID("latchkey-phone-summary").DataSet("script", v.Pair).Text(v.ui("phone.check")),
		app.Div().Body(
			app.P().Class("face").Body(
				app.Time().ID("latchkey-server-time").Text(p.At),
				app.Text(" "),
				app.Span().ID("latchkey-utc").Text("UTC"),
			),
			app.P().ID("latchkey-as-of").Text(v.ui("phone.compare.asof")),
			app.P().ID("latchkey-compare").Hidden(true).Text(v.ui("phone.compare")),
			app.P().Text(v.ui("phone.scan")),
			v.qr("phone", p.Door),
			app.P().ID("latchkey-phone-address").Class("address").Text(p.Address),
			app.If(v.mobile(), func() app.UI {
				return app.P().Class("ways-out").Body(app.A().Href("phone?lang=" + v.words.Lang()).Target("_blank").Rel("noopener").Text(v.ui("phone.open")))
			}),
			v.pairStatus("phone"),
		),
	)
}

// qr is the QR code of a part that pair.js works in: dark on light in every theme,
// and a module whole pixels wide.
func (v view) qr(part string, d Door) app.UI {
	side := d.Size + 8 // with the four modules around it that readers want
	return app.Elem("svg").XMLNS(svg).ID("latchkey-"+part+"-qr").Class("qr").Attr("viewBox", fmt.Sprintf("-4 -4 %d %d", side, side)).
		Attr("width", 6*side).Attr("height", 6*side).Attr("role", "img").Aria("label", v.ui("phone.qr")).Body(
		app.Elem("rect").XMLNS(svg).Attr("x", "-4").Attr("y", "-4").Attr("width", "100%").Attr("height", "100%").Attr("fill", "#fff"),
		app.Elem("path").XMLNS(svg).ID("latchkey-"+part+"-qr-path").Attr("d", d.Path).Attr("stroke", "#000").Attr("shape-rendering", "crispEdges"),
	)
}

// pairStatus is where pair.js says how it stands, in the words that are there.
func (v view) pairStatus(part string) app.UI {
	p := app.P().ID("latchkey-"+part+"-status").Class("pair-status").Attr("role", "status")
	for _, said := range []string{"waiting", "arrived", "unpaired", "over"} {
		p = p.DataSet(said, v.ui(part+"."+said))
	}
	return p
}
