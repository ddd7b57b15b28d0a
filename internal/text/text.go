// Package text holds the words: one flat catalogue a language, looked up by
// the ids of checks and fixes. It knows no evidence and no screen.
//
// The rules of our language: say what is wrong in one sentence, without blame
// and without jargon in titles; plain words and short sentences in the second
// person, for a reading age of twelve; name a button as the browser names it,
// in “quotes”; state what is certain and mark what is likely; prefer “for this
// site” and say how to undo what lowers protection; no exclamation marks, no
// “Oops”, no “simply”, never “please try again later” alone. A step is at most
// 140 characters. The only markup is {name}, which a value replaces.
package text

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"latchkey/internal/diag"
)

//go:embed en.json
var english []byte

// Catalogue is the words of one language.
type Catalogue struct {
	entries map[string]lines
}

// lines is one text, or the steps of a fix.
type lines []string

func (l *lines) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*l = make(lines, 1)
		return json.Unmarshal(data, &(*l)[0])
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// Parse reads a catalogue: one JSON object whose values are texts or lists of
// steps.
func Parse(data []byte) (*Catalogue, error) {
	c := &Catalogue{}
	if err := json.Unmarshal(data, &c.entries); err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	return c, nil
}

// English returns the built-in catalogue.
func English() *Catalogue {
	c, err := Parse(english)
	if err != nil {
		panic(err) // the file is embedded and every test reads it
	}
	return c
}

// Keys lists the catalogue's keys in order.
func (c *Catalogue) Keys() []string {
	keys := make([]string, 0, len(c.entries))
	for k := range c.entries {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Has is whether there are words for the key.
func (c *Catalogue) Has(key string) bool {
	_, ok := c.entries[key]
	return ok
}

// Lines returns the text or steps of the first of the keys that has words,
// with the values put in. It is nil if none has.
func (c *Catalogue) Lines(values diag.Args, keys ...string) []string {
	for _, key := range keys {
		if l, ok := c.entries[key]; ok {
			out := make([]string, len(l))
			for i, s := range l {
				out[i] = c.fill(s, values)
			}
			return out
		}
	}
	return nil
}

// Text is Lines for a single text. For want of words it returns the first key,
// so that no screen is ever empty.
func (c *Catalogue) Text(values diag.Args, keys ...string) string {
	if l := c.Lines(values, keys...); len(l) > 0 {
		return strings.Join(l, " ")
	}
	return keys[0]
}

// Variants lists the keys under which words for a browser on a system may
// stand, the most fitting first: key.chrome-android, key.chrome, key.android, key.
func Variants(key, browser, system string) []string {
	b, s := slug(browser), slug(system)
	var out []string
	if b != "" && s != "" {
		out = append(out, key+"."+b+"-"+s)
	}
	if b != "" {
		out = append(out, key+"."+b)
	}
	if s != "" {
		out = append(out, key+"."+s)
	}
	return append(out, key)
}

// slug makes "samsung-internet" of "Samsung Internet".
func slug(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), " ", "-")
}

// fill puts the values into a text. A placeholder without a value becomes the
// words of "value.<name>", such as "this browser" for {browser}.
func (c *Catalogue) fill(s string, values diag.Args) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			b.WriteString("{" + rest)
			return b.String()
		}
		b.WriteString(c.value(name, values[name]))
		s = after
	}
}

func (c *Catalogue) value(name string, v any) string {
	switch v := v.(type) {
	case string:
		if v != "" {
			return v
		}
	case diag.Word:
		return c.Text(nil, "word."+string(v))
	case diag.Seconds:
		return c.duration(float64(v))
	case diag.Month:
		year, month, _ := strings.Cut(string(v), "-")
		return c.Text(diag.Args{"month": diag.Word("month-" + month), "year": year}, "unit.month")
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return c.Text(nil, "value."+name)
}

// Units are those that a length of time is told in, longest first; their words
// stand under "unit." and the id. Below two of a unit the next shorter one tells
// more, so "90 seconds", not "2 minutes"; but exactly one is "1 hour", under
// the same with ".one", for those that have it.
var Units = []struct {
	ID      string
	Seconds float64
}{{"years", 365 * 86400}, {"days", 86400}, {"hours", 3600}, {"minutes", 60}, {"seconds", 1}}

func (c *Catalogue) duration(seconds float64) string {
	for _, u := range Units {
		if seconds == u.Seconds && c.Has("unit."+u.ID+".one") {
			return c.Text(nil, "unit."+u.ID+".one")
		}
		if seconds >= 2*u.Seconds || u.Seconds == 1 {
			n := math.Round(seconds / u.Seconds)
			return c.Text(diag.Args{"n": n}, "unit."+u.ID)
		}
	}
	return ""
}
