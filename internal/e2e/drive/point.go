//go:build unix

package drive

import (
	"context"
	"fmt"
	"strings"
)

// FrameClicker is a page whose frames can be clicked, also those of other
// sites. Firefox's is one; for Chromium see Tab.
type FrameClicker interface {
	// ClickFrame clicks at a place of the viewport of the frame whose address
	// contains the text.
	ClickFrame(ctx context.Context, address string, x, y int) error
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
			err := b.call(ctx, "input.performActions", object{"context": f.Context, "actions": []object{{
				"type": "pointer", "id": "mouse", "actions": []object{
					{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0},
				},
			}}}, nil)
			if err != nil {
				return fmt.Errorf("click in frame %s: %w", f.URL, err)
			}
			return nil
		}
	}
	return fmt.Errorf("click in a frame: there is none of %s", address)
}
