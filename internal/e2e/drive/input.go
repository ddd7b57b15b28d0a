//go:build unix

package drive

import (
	"context"
	"fmt"
	"strings"
	"unicode"
)

// key is what the protocol wants to know of a key.
type key struct {
	name string // KeyboardEvent.key
	code string // KeyboardEvent.code
	text string // what it types
	vk   int    // Windows' virtual key code, KeyboardEvent.keyCode
}

var keys = map[string]key{
	"Tab":        {"Tab", "Tab", "", 9},
	"Enter":      {"Enter", "Enter", "\r", 13},
	"Escape":     {"Escape", "Escape", "", 27},
	"Space":      {" ", "Space", " ", 32},
	" ":          {" ", "Space", " ", 32},
	"Backspace":  {"Backspace", "Backspace", "", 8},
	"Delete":     {"Delete", "Delete", "", 46},
	"PageUp":     {"PageUp", "PageUp", "", 33},
	"PageDown":   {"PageDown", "PageDown", "", 34},
	"End":        {"End", "End", "", 35},
	"Home":       {"Home", "Home", "", 36},
	"ArrowLeft":  {"ArrowLeft", "ArrowLeft", "", 37},
	"ArrowUp":    {"ArrowUp", "ArrowUp", "", 38},
	"ArrowRight": {"ArrowRight", "ArrowRight", "", 39},
	"ArrowDown":  {"ArrowDown", "ArrowDown", "", 40},
}

var modifiers = map[string]struct {
	key
	bit int
}{
	"Alt":     {key{"Alt", "AltLeft", "", 18}, 1},
	"Control": {key{"Control", "ControlLeft", "", 17}, 2},
	"Meta":    {key{"Meta", "MetaLeft", "", 91}, 4},
	"Shift":   {key{"Shift", "ShiftLeft", "", 16}, 8},
}

// keyOf finds a named key, or the key of a single character.
func keyOf(name string) (key, error) {
	if k, ok := keys[name]; ok {
		return k, nil
	}
	r := []rune(name)
	if len(r) != 1 {
		return key{}, fmt.Errorf("no key %q", name)
	}
	k := key{name: name, text: name}
	switch upper := unicode.ToUpper(r[0]); {
	case 'A' <= upper && upper <= 'Z':
		k.code, k.vk = "Key"+string(upper), int(upper)
	case '0' <= upper && upper <= '9':
		k.code, k.vk = "Digit"+name, int(upper)
	}
	return k, nil
}

// Press presses and releases a key as a person does, with modifiers before it:
// "Tab", "Shift+Tab", "Enter", "Space", "Control+a".
func (t *Tab) Press(ctx context.Context, chord string) error {
	var held []string
	name := chord
	for {
		before, after, ok := strings.Cut(name, "+")
		if _, known := modifiers[before]; !ok || !known {
			break
		}
		held, name = append(held, before), after
	}
	k, err := keyOf(name)
	if err != nil {
		return fmt.Errorf("press %s: %w", chord, err)
	}
	bits := 0
	for _, m := range held {
		bits |= modifiers[m].bit
		if err := t.key(ctx, "rawKeyDown", modifiers[m].key, bits); err != nil {
			return err
		}
	}
	if bits&^modifiers["Shift"].bit != 0 {
		k.text = "" // a shortcut types nothing
	}
	down := "keyDown"
	if k.text == "" {
		down = "rawKeyDown"
	}
	if err := t.key(ctx, down, k, bits); err != nil {
		return err
	}
	if err := t.key(ctx, "keyUp", k, bits); err != nil {
		return err
	}
	for _, m := range held {
		bits &^= modifiers[m].bit
		if err := t.key(ctx, "keyUp", modifiers[m].key, bits); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tab) key(ctx context.Context, kind string, k key, bits int) error {
	params := object{"type": kind, "key": k.name, "code": k.code, "windowsVirtualKeyCode": k.vk, "modifiers": bits}
	if kind == "keyDown" {
		params["text"] = k.text
	}
	return t.Call(ctx, "Input.dispatchKeyEvent", params, nil)
}

// Type presses the key of each character.
func (t *Tab) Type(ctx context.Context, text string) error {
	for _, r := range text {
		if err := t.Press(ctx, string(r)); err != nil {
			return err
		}
	}
	return nil
}

// Click implements Clicker.
func (t *Tab) Click(ctx context.Context, selector string) error {
	return t.ClickElement(ctx, bySelector(selector))
}

// ClickElement implements Clicker.
func (t *Tab) ClickElement(ctx context.Context, expr string) error {
	x, y, err := place(ctx, t, expr)
	if err != nil {
		return fmt.Errorf("click %s: %w", expr, err)
	}
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		params := object{"type": kind, "x": x, "y": y}
		if kind != "mouseMoved" {
			params["button"], params["clickCount"] = "left", 1
		}
		if err := t.Call(ctx, "Input.dispatchMouseEvent", params, nil); err != nil {
			return fmt.Errorf("click %s: %w", expr, err)
		}
	}
	return nil
}
