//go:build unix

package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Clicker is a page that can be clicked as a person does. Chromium's and
// Firefox's are.
type Clicker interface {
	Page

	// Click clicks the centre of the element that the CSS selector finds in the
	// page's document.
	Click(ctx context.Context, selector string) error

	// ClickElement scrolls the element that a JavaScript expression yields into
	// view and clicks its centre with the mouse. The element may be in a shadow
	// tree or in a frame of the same origin. It is an error when there is none,
	// or when something else would get the click.
	ClickElement(ctx context.Context, expr string) error
}

// FrameClicker is a page whose frames can be clicked, also those of other
// sites. Firefox's is one; for Chromium see Tab.
type FrameClicker interface {
	// ClickFrame clicks at a place of the viewport of the frame whose address
	// contains the text.
	ClickFrame(ctx context.Context, address string, x, y int) error
}

// bySelector is the element that a CSS selector finds, as an expression.
func bySelector(selector string) string {
	quoted, err := json.Marshal(selector)
	if err != nil {
		panic(err) // a string is JSON
	}
	return "document.querySelector(" + string(quoted) + ")"
}

// place scrolls the element that an expression yields into view and tells where
// in the viewport its centre is.
func place(ctx context.Context, p Page, expr string) (x, y float64, err error) {
	var at struct {
		X, Y float64
		Why  string
	}
	if err := p.Eval(ctx, `(function (el) {
		if (!el) { return {why: "no such element"}; }
		el.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
		var box = el.getClientRects()[0];
		if (!box) { return {why: "not shown"}; }
		var x = box.left + box.width / 2, y = box.top + box.height / 2;
		var hit = el.getRootNode().elementFromPoint(x, y);
		if (!el.contains(hit)) { return {why: "covered by " + (hit ? hit.cloneNode(false).outerHTML : "nothing: out of view")}; }
		for (var w = el.ownerDocument.defaultView; w.frameElement; w = w.parent) {
			var f = w.frameElement, style = w.parent.getComputedStyle(f), outer = f.getBoundingClientRect();
			x += outer.left + f.clientLeft + parseFloat(style.paddingLeft);
			y += outer.top + f.clientTop + parseFloat(style.paddingTop);
		}
		return {x: x, y: y, why: ""};
	})(`+expr+`)`, &at); err != nil {
		return 0, 0, err
	}
	if at.Why != "" {
		return 0, 0, errors.New(at.Why)
	}
	return at.X, at.Y, nil
}

// Click implements Clicker.
func (b *firefox) Click(ctx context.Context, selector string) error {
	return b.ClickElement(ctx, bySelector(selector))
}

// ClickElement implements Clicker.
func (b *firefox) ClickElement(ctx context.Context, expr string) error {
	x, y, err := place(ctx, b, expr)
	if err == nil {
		err = b.clickAt(ctx, b.page, int(x), int(y))
	}
	if err != nil {
		return fmt.Errorf("click %s: %w", expr, err)
	}
	return nil
}

// ClickFrame implements FrameClicker.
func (b *firefox) ClickFrame(ctx context.Context, address string, x, y int) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var tree struct {
		Contexts []struct {
			Children []struct{ Context, URL string }
		}
	}
	if err := b.call(ctx, "browsingContext.getTree", object{"root": b.page}, &tree); err != nil {
		return fmt.Errorf("click in a frame: %w", err)
	}
	for _, page := range tree.Contexts {
		for _, f := range page.Children {
			if !strings.Contains(f.URL, address) {
				continue
			}
			if err := b.clickAt(ctx, f.Context, x, y); err != nil {
				return fmt.Errorf("click in frame %s: %w", f.URL, err)
			}
			return nil
		}
	}
	return fmt.Errorf("click in a frame: there is none of %s", address)
}

// clickAt clicks with the mouse at a place of the viewport of the page or of a
// frame.
func (b *firefox) clickAt(ctx context.Context, document string, x, y int) error {
	return b.call(ctx, "input.performActions", object{"context": document, "actions": []object{{
		"type": "pointer", "id": "mouse", "actions": []object{
			{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0},
		},
	}}}, nil)
}
