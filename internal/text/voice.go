package text

import (
	"maps"
	"strings"

	"latchkey/internal/diag"
)

// Voice speaks to whoever has one browser: it chooses the words that fit it.
type Voice struct {
	Words *Catalogue
	// Program and System are whose menus the person sees; either may be empty.
	Program, System string
	// Values are those that every text may name.
	Values diag.Args
}

// Lines is the text or the steps of a key, for the reason among the values if
// there are words for it, and otherwise for the browser.
func (v Voice) Lines(key string, args diag.Args) []string {
	keys := Variants(key, v.Program, v.System)
	if reason, ok := args["reason"].(string); ok {
		keys = append([]string{key + "." + reason}, keys...)
	}
	values := diag.Args{}
	maps.Copy(values, v.Values)
	maps.Copy(values, args)
	return v.Words.Lines(values, keys...)
}

// Say is Lines for a single text. For want of words it returns the key.
func (v Voice) Say(key string, args diag.Args) string {
	if l := v.Lines(key, args); len(l) > 0 {
		return strings.Join(l, " ")
	}
	return key
}

// Title is what stands over a finding, marked if it is not sure.
func (v Voice) Title(f diag.Finding) string {
	title := v.Say("check."+f.Check+".title", f.Args)
	if f.Sureness != diag.Sure {
		title = v.Words.Text(nil, "ui."+string(f.Sureness)) + " " + title
	}
	return title
}
