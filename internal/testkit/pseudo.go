//go:build !js

package testkit

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"latchkey/internal/text"
)

// Pseudo makes the words of a language that nobody speaks of the English ones, to be
// read by text.In or as an operator's file. All of them stand in ⟦brackets⟧. Under a tag
// that is written from right to left they are in Arabic letters, else in accented ones
// and a third longer, as translations of English are.
func Pseudo(t testing.TB, tag string) []byte {
	t.Helper()
	letters := []rune("áƀçđéƒĝĥîĵķļɱñóþɋŕšţûṽŵẋýžÁƁÇĐÉƑĜĤÎĴĶĻṀÑÓÞɊŔŠŢÛṼŴẊÝŽ")
	if text.Dir(tag) == "rtl" {
		letters = []rune("ابتثجحخدذرزسشصضطظعغفقكلمنهابتثجحخدذرزسشصضطظعغفقكلمنه")
	}
	strange := func(s string) string {
		return strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'z':
				return letters[r-'a']
			case r >= 'A' && r <= 'Z':
				return letters[26+r-'A']
			}
			return r
		}, s)
	}
	say := func(key, s string) string {
		kept := regexp.MustCompile(`\{[a-z]+\}`)
		if strings.HasPrefix(key, "fix.") {
			kept = regexp.MustCompile(`\{[a-z]+\}|“[^”]*”`)
		}
		var b strings.Builder
		at := 0
		for _, m := range kept.FindAllStringIndex(s, -1) {
			b.WriteString(strange(s[at:m[0]]) + s[m[0]:m[1]])
			at = m[1]
		}
		b.WriteString(strange(s[at:]))
		if text.Dir(tag) == "ltr" {
			b.WriteString(strings.Repeat(" ṽéŕý", len(s)*35/100/5))
		}
		return "⟦" + b.String() + "⟧"
	}
	out := map[string]any{"meta.name": say("", tag), "meta.quotes": "«»"}
	english := text.English()
	for _, key := range english.Keys() {
		l := english.Raw(key)
		for i := range l {
			l[i] = say(key, l[i])
		}
		out[key] = l
		if len(l) == 1 && !strings.Contains(key, ".steps") {
			out[key] = l[0]
		}
	}
	for _, word := range text.MenuWords() {
		out["menu."+word] = say("", word)
	}
	data, err := json.Marshal(out)
	require.NoError(t, err)
	return data
}

// Untranslated are the texts of a page in the words of [Pseudo] that are none of them:
// what people see or have read to them that has letters outside of brackets. Known are
// the names and values that the page was given. Addresses and codes are nobody's words.
func Untranslated(t testing.TB, page string, known ...string) []string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	var found []string
	check := func(s string) {
		bracketed := regexp.MustCompile(`⟦[^⟦⟧]*⟧`)
		rest := s
		for bracketed.MatchString(rest) {
			rest = bracketed.ReplaceAllString(rest, "")
		}
		for _, k := range append(known, "UTC") {
			if k != "" {
				rest = strings.ReplaceAll(rest, k, "")
			}
		}
		if strings.ContainsFunc(rest, unicode.IsLetter) {
			found = append(found, strings.TrimSpace(s))
		}
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			check(n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case n.Data == "script", n.Data == "style", n.Data == "noscript",
				a.Key == "class" && (a.Val == "address" || strings.Contains(a.Val, "code") && n.Data == "strong"), a.Key == "id" && a.Val == "latchkey-code":
				return
			case a.Key == "aria-label", a.Key == "title", a.Key == "alt", a.Key == "placeholder", a.Key == "data-done", a.Key == "data-text", a.Key == "data-title":
				check(a.Val)
			}
		}
		if n.Data == "script" || n.Data == "style" || n.Data == "noscript" {
			return
		}
		for c := range n.ChildNodes() {
			if strings.HasPrefix(c.Data, "{") { // a report, for engineers
				continue
			}
			walk(c)
		}
	}
	walk(doc)
	return found
}
