package agent

import "strings"

// longest is the length of the longest word that is looked up, in bytes; all
// tokens are shorter.
const longest = 32

// shortest is the length of the shortest browser's name that a number may
// follow without anything between, in bytes, as in UCWEB7.0.
const shortest = 5

// sight is what one pass over a user agent has seen: the most telling browser,
// app and system, each with the number behind its token, and the marks.
type sight struct {
	browser, app, system uint8
	version, appVersion  string
	seen                 [marks]bool
	value                [marks]string
	commented            bool   // the first comment, which names the system, is over
	unknown              string // what calls itself a browser, of whatever name
	unknownVersion       string
}

// scan reads the words of a user agent from left to right, once. A word is
// what stands between the separators below; its value is what follows a
// slash, a colon, an at sign, or, if it begins with a digit, a space.
func (s *sight) scan(ua string) {
	like := false // the word before said that what follows is only imitated
	for i := 0; i < len(ua); {
		if separator[ua[i]] {
			if ua[i] == ')' {
				s.commented = true
			}
			i++
			continue
		}
		start := i
		for i < len(ua) && !separator[ua[i]] {
			i++
		}
		word := ua[start:i]
		if s.unknown == "" && i < len(ua) && ua[i] == '/' && isBrowser(word) {
			s.unknown, s.unknownVersion = word, valueAt(ua, i)
		}
		e, value, ok := lookUp(word)
		if ok {
			if value == "" {
				value = valueAt(ua, i)
			}
			if value == "" && e.mark[0] == markWindowsName {
				value = nextWord(ua, i)
			}
			slash := i < len(ua) && ua[i] == '/'
			if e.pair {
				if both, value, end, found := lookUpPair(ua, start, i); found {
					s.add(both, value, slash || end < len(ua) && ua[end] == '/', like)
				}
			}
			s.add(e, value, slash, like)
		}
		like = ok && e.mark[0] == markLike
		if ok && e.mark[0] == markBuild {
			i += len(value) // may be any word, such as Chrome's OPR1.170623.032
			for i < len(ua) && ua[i] != ';' && ua[i] != ')' {
				i++
			}
		}
	}
}

func (s *sight) add(e entry, value string, slash, like bool) {
	if s.seen[markAndroid] && !s.commented && !slash {
		e.browser, e.app = 0, 0 // the name of a model, such as motorola edge
	}
	if e.browser != 0 && (slash && digits(value) != "" || !browsers[e.browser-1].slash) && (s.browser == 0 || e.browser < s.browser || e.browser == s.browser && (s.version == "" || chosen(s.version, value))) {
		s.browser, s.version = e.browser, value
	}
	if e.app != 0 && (s.app == 0 || e.app < s.app || e.app == s.app && digits(s.appVersion) == "") && (slash || !apps[e.app-1].slash) {
		s.app, s.appVersion = e.app, value
	}
	if e.system != 0 && !like && (s.system == 0 || e.system < s.system && (!s.commented || systems[s.system-1].name == "Linux")) {
		s.system = e.system
	}
	for _, k := range e.mark {
		if k == noMark || like && k == markGecko || k == markEdgeLegacy && !slash {
			continue
		}
		s.seen[k] = true
		if s.value[k] == "" {
			s.value[k] = value
		}
	}
}

// chosen is whether the number of a second mention is the better one: the
// first Opera is always 9.80.
func chosen(first, second string) bool { return first == "9.80" && digits(second) != "" }

var separator = func() (is [256]bool) {
	for c := range is { // also all that is not plain text, and half characters
		is[c] = c <= ' ' || c > '~' || strings.IndexByte(";()[]{}<>,/\"'`:=|&@#?!*\\", byte(c)) >= 0
	}
	return is
}()

// isBrowser is whether a word is the name of something that calls itself a
// browser, but not of one in an app.
func isBrowser(word string) bool {
	const browser, inApp = "browser", "inappbrowser"
	return len(word) > len(browser) && strings.EqualFold(word[len(word)-len(browser):], browser) &&
		(len(word) < len(inApp) || !strings.EqualFold(word[len(word)-len(inApp):], inApp))
}

// lookUp finds what a word says; of one with a number or more at its end,
// what its beginning says. The number is its value then.
func lookUp(word string) (e entry, value string, ok bool) {
	if len(word) <= longest {
		if e, ok = find(word); ok {
			return e, "", true
		}
	}
	if !letter(word[0]) {
		return entry{}, "", false
	}
	for i := 1; i < len(word) && i <= longest; i++ {
		switch c := word[i]; {
		case '0' <= c && c <= '9':
			if e, ok = find(strings.TrimRight(word[:i], "-_")); ok {
				value = word[i:]
				if i < shortest { // many a model's or build's name begins like that
					e.browser = 0
				}
			}
			return e, value, ok
		case c == '-' || c == '_' || c == '+' || c == '.':
			if e, ok = find(word[:i]); ok {
				if rest := word[i+1:]; rest != "" && '0' <= rest[0] && rest[0] <= '9' {
					value = rest
				}
				return e, value, true
			}
		}
	}
	return entry{}, "", false
}

// lookUpPair finds what the word at start, which ends at i, says together with
// the next one, which it returns the value and the end of.
func lookUpPair(ua string, start, i int) (e entry, value string, end int, ok bool) {
	if i >= len(ua) || ua[i] != ' ' {
		return entry{}, "", i, false
	}
	for end = i + 1; end < len(ua) && end-start <= longest && !separator[ua[end]]; end++ {
	}
	if end-start > longest {
		return entry{}, "", end, false
	}
	e, value, ok = lookUp(ua[start:end])
	if value == "" {
		value = valueAt(ua, end)
	}
	return e, value, end, ok
}

// find looks a token up that is at most longest bytes long, in either case.
func find(word string) (entry, bool) {
	var lower [longest]byte
	for i := range len(word) {
		c := word[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	e, ok := tokens[string(lower[:len(word)])]
	return e, ok
}

// valueAt is the value that follows a word which ends at i.
func valueAt(ua string, i int) string {
	if i+1 >= len(ua) {
		return ""
	}
	start := i + 1
	switch ua[i] {
	case '/', ':', '@':
	case ' ':
		if c := ua[start]; c < '0' || '9' < c {
			return ""
		}
	default:
		return ""
	}
	end := start
	for end < len(ua) && end-start < longest && !separator[ua[end]] {
		end++
	}
	return ua[start:end]
}

// nextWord is the word behind a space at i, as the name in Windows XP.
func nextWord(ua string, i int) string {
	if i >= len(ua) || ua[i] != ' ' {
		return ""
	}
	end := i + 1
	for end < len(ua) && end-i <= longest && !separator[ua[end]] {
		end++
	}
	return ua[i+1 : end]
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
