// Package text holds the words: one flat catalogue a language, looked up by
// the ids of checks and fixes. It knows no evidence and no screen. Only English is
// in the WebAssembly; what a translation lacks is English.
//
// In the texts under "fix." what stands in “quotes” are words of menus and buttons
// of browsers and systems, in English in every language. They are shown as the
// person's browser has them, for that need not be in the language of the page: from
// the keys "menu.<English word>" of the browser's language, in the quotation marks
// of the page's ("meta.quotes").
//
// The rules of our language: say what is wrong in one sentence, without blame
// and without jargon in titles; plain words and short sentences in the second
// person, for a reading age of twelve; name a button as the browser names it,
// in “quotes”; state what is certain and mark what is likely; prefer “for this
// site” and say how to undo what lowers protection; no exclamation marks, no
// “Oops”, no “simply”, never “please try again later” alone. A step is at most
// 140 characters. The only markup is {name}, which a value replaces; for want of one
// the words of "value.name" do, or those of a button of ours, "ui.name".
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

// Catalogue is the words of one language, with the menu words of another that may be
// the same. The zero value has no words.
type Catalogue struct {
	lang    string
	entries map[string]lines
	menus   map[string]lines // those of the browser's language
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

// Parse reads the words of a language: one JSON object whose values are texts or
// lists of steps.
func Parse(lang string, data []byte) (*Catalogue, error) {
	return (&Catalogue{lang: lang}).with(data)
}

// In is Parse with English words where the data has none.
func In(lang string, data []byte) (*Catalogue, error) {
	c := English()
	c.lang = lang
	return c.with(data)
}

func (c *Catalogue) with(data []byte) (*Catalogue, error) {
	if err := json.Unmarshal(data, &c.entries); err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	c.menus = c.entries
	return c, nil
}

// English returns the built-in catalogue.
func English() *Catalogue {
	c, err := Parse("en", english)
	if err != nil {
		panic(err) // the file is embedded and every test reads it
	}
	return c
}

// WithMenus returns the catalogue with the menu words of another one, which is that
// of the browser's language.
func (c *Catalogue) WithMenus(of *Catalogue) *Catalogue {
	return &Catalogue{c.lang, c.entries, of.entries}
}

// Lang is the language's BCP 47 tag.
func (c *Catalogue) Lang() string { return c.lang }

// Dir is the direction that the language is written in, as HTML has it.
func (c *Catalogue) Dir() string { return Dir(c.lang) }

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
				if strings.HasPrefix(key, "fix.") {
					s = c.named(s, values)
				}
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

// CheckName is what people call a check; its id where there is no such check, as in
// reports of other versions.
func (c *Catalogue) CheckName(id string) string {
	if key := "check." + id + ".name"; c.Has(key) {
		return c.Text(nil, key)
	}
	return id
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

// named puts the browser's own words for its menus into a text.
func (c *Catalogue) named(s string, values diag.Args) string {
	quotes := []rune("“”")
	if l, ok := c.entries["meta.quotes"]; ok {
		quotes = []rune(l[0])
	}
	browser, _ := values["browser"].(string)
	system, _ := values["system"].(string)
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "“")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		word, after, _ := strings.Cut(rest, "”")
		for _, key := range Variants("menu."+word, browser, system) {
			if l, ok := c.menus[key]; ok {
				word = l[0]
				break
			}
		}
		b.WriteString(string(quotes[:len(quotes)/2]) + c.apart(word) + string(quotes[len(quotes)/2:]))
		s = after
	}
}

// apart keeps what is not the language's own from changing the order of what stands
// around it, where two directions meet: between U+2068 and U+2069 (Unicode's UAX 9).
func (c *Catalogue) apart(s string) string {
	const hebrew, arabic = 0xd6, 0xdf // what their letters begin with in UTF-8
	if c.Dir() == "ltr" && (s == "" || s[0] < hebrew || s[0] > arabic) {
		return s
	}
	return "\u2068" + s + "\u2069"
}

// fill puts the values into a text. A placeholder without a value becomes the
// words of "value.<name>", such as "this browser" for {browser}, or "ui.<name>".
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
			return c.apart(v)
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
	return c.Text(nil, "value."+name, "ui."+name)
}

// Units are those that a length of time is told in, longest first; their words
// stand under "unit." and the id. Below two of a unit the next shorter one tells
// more, so "90 seconds", not "2 minutes"; but one, to a hundredth, is "1 hour",
// under the same with ".one", for those that have it.
var Units = []struct {
	ID      string
	Seconds float64
}{{"years", 365 * 86400}, {"days", 86400}, {"hours", 3600}, {"minutes", 60}, {"seconds", 1}}

func (c *Catalogue) duration(seconds float64) string {
	for _, u := range Units {
		if math.Abs(seconds-u.Seconds) <= u.Seconds/100 && c.Has("unit."+u.ID+".one") {
			return c.Text(nil, "unit."+u.ID+".one")
		}
		if seconds >= 2*u.Seconds || u.Seconds == 1 {
			n := math.Round(seconds / u.Seconds)
			return c.Text(diag.Args{"n": n}, "unit."+u.ID)
		}
	}
	return ""
}
