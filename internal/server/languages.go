package server

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"

	"latchkey/internal/text"
)

// addLanguages makes the files of words ready that an operator has changed; the
// others are as cmd/pack left them.
func (s *server) addLanguages(all []text.Language) error {
	if all == nil {
		all = text.Languages()
	}
	for _, l := range all {
		s.languages, s.tags = append(s.languages, l), append(s.tags, l.Tag)
		for name, data := range map[string][]byte{l.Tag + ".json": l.File, l.Tag + ".menu.json": l.Menus} {
			if data == nil {
				continue
			}
			if l.Own {
				a, err := packNow(name, data)
				if err != nil {
					return err
				}
				a.path = s.base + "/static/" + strings.TrimSuffix(name, "json") + a.hash[:12] + ".json"
				s.assets[name] = a
			}
			if s.assets[name] == nil {
				return errNotBuilt
			}
		}
	}
	return nil
}

// packNow is a static file that is compressed now.
func packNow(name string, raw []byte) (*asset, error) {
	sum := sha256.Sum256(raw)
	var br, gz bytes.Buffer
	b, g := brotli.NewWriterLevel(&br, brotli.BestCompression), gzip.NewWriter(&gz)
	var errs []error
	for _, w := range []io.WriteCloser{b, g} {
		_, err := w.Write(raw)
		errs = append(errs, err, w.Close())
	}
	return &asset{
		hash: hex.EncodeToString(sum[:]), header: staticHeader(name), br: br.Bytes(), gz: gz.Bytes(), raw: len(raw),
	}, errors.Join(errs...)
}

// language is the one to answer in: that of the address, into which embed.js writes
// the login page's, then what is preferred, then what the browser asks for, else
// English.
func (s *server) language(r *http.Request, preferred ...string) text.Language {
	wanted := slices.Concat([]string{r.URL.Query().Get("lang")}, preferred, accepted(r))
	i := slices.Index(s.tags, cmp.Or(text.Match(s.tags, wanted...), "en"))
	return s.languages[i]
}

// words are those to answer with. Menu words are in the browser's own language: a
// script can tell that, else it is taken for what the browser likes best.
func (s *server) words(r *http.Request, preferred ...string) *text.Catalogue {
	words := s.language(r, preferred...).Words
	own := append([]string{r.URL.Query().Get("menus")}, accepted(r)...)
	i := slices.IndexFunc(own, func(tag string) bool { return tag != "" })
	if i < 0 {
		return words
	}
	menus := slices.Index(s.tags, cmp.Or(text.Match(s.tags, own[i]), "en"))
	return words.WithMenus(s.languages[menus].Words)
}

// accepted are the languages that a browser asks for, the best first.
func accepted(r *http.Request) []string {
	type wish struct {
		tag    string
		weight float64
	}
	var wishes []wish
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Language"), ","), ",") {
		tag, params, _ := strings.Cut(part, ";")
		if w := weight(params); w > 0 {
			wishes = append(wishes, wish{strings.TrimSpace(tag), w})
		}
	}
	slices.SortStableFunc(wishes, func(a, b wish) int { return cmp.Compare(b.weight, a.weight) })
	var tags []string
	for _, w := range wishes {
		tags = append(tags, w.tag)
	}
	return tags
}

// wordFiles are the addresses of the words of a page's language, empty for those that
// the WebAssembly holds, and of the menu words of other languages by their tags.
func (s *server) wordFiles(l text.Language) (words string, menus map[string]string) {
	if l.File != nil {
		words = s.asset(l.Tag + ".json")
	}
	menus = map[string]string{}
	for _, other := range s.languages {
		if other.Menus != nil && other.Tag != l.Tag {
			menus[other.Tag] = s.asset(other.Tag + ".menu.json")
		}
	}
	return words, menus
}

// switchTo is a link to the same page in another language.
type switchTo struct {
	Tag, Name, Dir, Query string
	Now                   bool
}

// switches are the languages that a page can be had in, if there is a choice.
func (s *server) switches(v visit, now text.Language) []switchTo {
	if len(s.languages) < 2 {
		return nil
	}
	var all []switchTo
	for _, l := range s.languages {
		v.lang = l.Tag
		all = append(all, switchTo{l.Tag, l.Name, text.Dir(l.Tag), "?" + v.query(v.look, "").Encode(), l.Tag == now.Tag})
	}
	return all
}
