//go:build !js

package text

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

//go:embed *.json
var files embed.FS

// Language is one that pages can be shown in.
type Language struct {
	Tag   string // of BCP 47, as in "zh-Hant"
	Name  string // what those who speak it call it
	Words *Catalogue
	// Own is whether words of it are an operator's, so that it is not as built.
	Own bool
	// File is what a browser fetches to show pages in it, JSON for [In]. There is
	// none for the English that the WebAssembly holds.
	File []byte
	// Menus is what a browser in it fetches for pages in another language: its menu
	// words alone, JSON for [Parse].
	Menus []byte
}

// Languages are those that are built in, by their tags; nobody changes them.
var Languages = sync.OnceValue(func() []Language {
	all, err := Load(nil, nil, nil)
	if err != nil {
		panic(err) // the files are embedded and every test reads them
	}
	return all
})

// tagForm is what the name of an operator's file may be before its ".json".
var tagForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// Load is Languages with an operator's words: own holds one TAG.json a language, or
// is nil, and more holds by tags what stands before even that. They stand before those
// that are built in, and what they leave out stays. Only, unless it is empty, names the tags of those languages that there
// are to be; English always is, for it stands in for words that others lack. The error
// holds everything that is wrong (see errors.Join).
func Load(own fs.FS, more map[string]map[string]json.RawMessage, only []string) ([]Language, error) {
	built, err := read(files)
	if err != nil {
		return nil, err
	}
	added, err := read(own)
	if err != nil {
		return nil, err
	}
	name := map[string]string{} // of where the words of a language stand
	for tag := range added {
		name[tag] = tag + ".json"
	}
	for tag, words := range more {
		if added[tag] == nil {
			added[tag], name[tag] = entries{}, tag
		}
		maps.Copy(added[tag], words)
	}
	var errs []error
	for tag, data := range added {
		if !tagForm.MatchString(tag) {
			errs = append(errs, fmt.Errorf("%s: that is no language (hint: name it by its BCP 47 tag, like es.json or pt-BR.json)", name[tag]))
		}
		for _, err := range Wrong(data) {
			errs = append(errs, fmt.Errorf("%s: %w", name[tag], err))
		}
		if _, there := built[tag]; !there && !names(data, "meta.name") {
			errs = append(errs, fmt.Errorf(`%s: meta.name is missing (hint: it is what those who speak the language call it, like "Español")`, name[tag]))
		}
	}
	for _, tag := range only {
		if built[tag] == nil && added[tag] == nil {
			there := slices.Sorted(maps.Keys(built))
			errs = append(errs, fmt.Errorf("only: there is no %q (hint: there are %s, and what you add as files)", tag, strings.Join(there, ", ")))
		}
	}
	if len(errs) > 0 {
		slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(errs...)
	}
	tags := maps.Clone(built)
	maps.Copy(tags, added)
	var all []Language
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		if len(only) > 0 && tag != "en" && !slices.Contains(only, tag) {
			continue
		}
		l, err := language(tag, built[tag], added[tag])
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

type entries = map[string]json.RawMessage

// read reads the languages of a directory, or none of nil.
func read(dir fs.FS) (map[string]entries, error) {
	all := map[string]entries{}
	if dir == nil {
		return all, nil
	}
	names, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, name := range names {
		data, err := fs.ReadFile(dir, name)
		var e entries
		if err == nil {
			err = json.Unmarshal(data, &e)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w (hint: a file of words is one JSON object)", name, err))
		}
		all[strings.TrimSuffix(name, ".json")] = e
	}
	return all, errors.Join(errs...)
}

func language(tag string, built, added entries) (Language, error) {
	l := Language{Tag: tag, Own: len(added) > 0}
	whole, menus := maps.Clone(built), entries{}
	if whole == nil {
		whole = entries{}
	}
	maps.Copy(whole, added)
	delete(whole, "meta.review")
	for key, words := range whole {
		if strings.HasPrefix(key, "menu.") {
			menus[key] = words
		}
	}
	data, err := json.Marshal(whole)
	if err != nil {
		return l, err
	}
	if tag != "en" || l.Own {
		l.File = data
	}
	if len(menus) > 0 {
		if l.Menus, err = json.Marshal(menus); err != nil {
			return l, err
		}
	}
	if l.Words, err = In(tag, data); err != nil {
		return l, fmt.Errorf("%s.json: %w", tag, err)
	}
	l.Name = "English"
	if l.Words.Has("meta.name") {
		l.Name = l.Words.Text(nil, "meta.name")
	}
	return l, nil
}

func names(e entries, key string) bool { _, ok := e[key]; return ok }

var (
	placeholder = regexp.MustCompile(`\{[a-z]+\}`)
	menuWord    = regexp.MustCompile(`“([^”]*)”`)
)

// Raw are the words of a key as they stand in the file.
func (c *Catalogue) Raw(key string) []string { return slices.Clone(c.entries[key]) }

// MenuWords are the words of menus that the steps name, in English.
func MenuWords() []string {
	words := map[string]bool{}
	for key, l := range English().entries {
		if strings.HasPrefix(key, "fix.") {
			for _, m := range menuWord.FindAllStringSubmatch(strings.Join(l, " "), -1) {
				words[m[1]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(words))
}

// Wrong holds the words of a language against English, key by key: whether there is
// such a key, and whether placeholders, menu words and the number of steps are the
// same. Keys may be missing.
func Wrong(words map[string]json.RawMessage) []error {
	var errs []error
	english, menus := English().entries, MenuWords()
	for _, key := range slices.Sorted(maps.Keys(words)) {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("%s: "+format, append([]any{key}, args...)...))
		}
		var l lines
		if err := json.Unmarshal(words[key], &l); err != nil {
			bad("this is neither a text nor a list of texts")
			continue
		}
		if slices.Contains(l, "") {
			bad("it is empty (hint: leave the key out where the words that are built in will do)")
		}
		en, known := english[key]
		switch {
		case known:
		case key == "meta.name", key == "meta.review":
			continue
		case key == "meta.quotes":
			if n := len([]rune(strings.Join(l, ""))); n < 2 || n%2 > 0 || len(l) != 1 {
				bad("it is two quotation marks, like «»")
			}
			continue
		case slices.ContainsFunc(menus, func(word string) bool { return key == "menu."+word || strings.HasPrefix(key, "menu."+word+".") }):
			if len(l) != 1 {
				bad("a menu word is one text")
			}
			continue
		default:
			bad("there is no such key (hint: the keys are those of internal/text/en.json, and menu.WORD for the menu words in its steps)")
			continue
		}
		if want, got := len(en), len(l); want != got {
			bad("there are %d texts, and %d in English", got, want)
			continue
		}
		if want, got := slices.Compact(found(placeholder, en)), slices.Compact(found(placeholder, l)); !slices.Equal(want, got) {
			bad("it has the placeholders %s, and English has %s", strings.Join(got, " "), strings.Join(want, " "))
		}
		if want, got := found(menuWord, en), found(menuWord, l); strings.HasPrefix(key, "fix.") && !slices.Equal(want, got) {
			bad("it names the menu words %s, and English names %s (hint: keep them in English; they are translated under menu.WORD)", strings.Join(got, " "), strings.Join(want, " "))
		}
	}
	return errs
}

// found are all places in the texts that look like what, in order.
func found(what *regexp.Regexp, l lines) []string {
	all := what.FindAllString(strings.Join(l, " "), -1)
	slices.Sort(all)
	return all
}
