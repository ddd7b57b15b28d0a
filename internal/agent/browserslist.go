package agent

import (
	"slices"
	"strconv"
	"strings"
)

// PolicyError is what is wrong with a line of browserslist.
type PolicyError struct {
	What string // names the query
	Hint string // what to write instead
}

func (e *PolicyError) Error() string { return e.What + " (hint: " + e.Hint + ")" }

// ParsePolicy reads queries as browserslist has them, joined by commas, "or",
// "and" or new lines, from the left to the right:
//
//	chrome >= 109   firefox > 114   safari 16   ie 9-11   opera all
//	last 2 versions   last 2 chrome versions   last 2 years   since 2023-06
//	firefox esr   not ie <= 10   not dead
//
// The policy has the lowest major that they leave of each family, so a gap
// above it is not kept, and minor versions are not compared: safari >= 15.4 is
// 15. "last" counts majors, and time runs up to the day of the data. Families
// that no query selects are unsupported.
//
// An error is a *PolicyError. Queries about usage statistics and features are
// errors: there is no data for them.
func ParsePolicy(line string) (Policy, error) {
	var queries []query
	for _, c := range clauses(line) {
		q, err := c.read()
		if err != nil {
			return Policy{}, err
		}
		queries = append(queries, q)
	}
	if len(queries) > 0 && queries[0].not {
		return Policy{}, &PolicyError{strconv.Quote(line) + " begins with what is not supported", "begin with what is, such as " + example}
	}
	p := Policy{Minimum: map[string]int{}, Only: true}
	for i, l := range listed {
		lowest := 0
		for major := 1; major < majorLimit && lowest == 0; major++ {
			if selected(queries, i, major) {
				lowest = major
			}
		}
		if had := p.Minimum[l.family]; lowest != 0 && (had == 0 || lowest < had) {
			p.Minimum[l.family] = lowest
		}
	}
	if len(p.Minimum) == 0 {
		return Policy{}, &PolicyError{strconv.Quote(line) + " selects no browser", "begin with what is supported, such as " + example}
	}
	for i, l := range listed {
		if p.Minimum[l.family] == 0 && !slices.Contains(p.Never, l.family) && excluded(queries, i) {
			p.Never = append(p.Never, l.family)
		}
	}
	return p, nil
}

// majorLimit is more than any major.
const majorLimit = 1000

const example = `"chrome >= 109, firefox >= 115, safari >= 16"`

// listing is one of browserslist's browsers: its names in lower case, and the
// family that it belongs to.
type listing struct {
	names, family string
	// dead is the last major without updates for two years, as browserslist
	// has it (its index.js, read 2026-11).
	dead int
}

// listed are all of them. Of those that Read does not tell queries are
// understood as well, so that lines can be taken over from elsewhere.
var listed = []listing{
	{"|chrome|", "Chrome", 0},
	{"|and_chr|chromeandroid|", "Chrome", 0},
	{"|edge|", "Edge", 0},
	{"|firefox|ff|fx|", "Firefox", 0},
	{"|and_ff|firefoxandroid|", "Firefox", 0},
	{"|safari|", "Safari", 0},
	{"|ios_saf|ios|", "Safari", 0},
	{"|samsung|", "Samsung Internet", 4},
	{"|opera|", "Opera", 0},
	{"|op_mob|operamobile|", "Opera Mobile", 12},
	{"|ie|explorer|", "IE", majorLimit},
	{"|ie_mob|explorermobile|", "IE Mobile", majorLimit},
	{"|op_mini|operamini|", "Opera Mini", 0},
	{"|android|", "Android Browser", 0},
	{"|and_uc|ucandroid|", "UC Browser", 0},
	{"|and_qq|qqandroid|", "QQ Browser", 0},
	{"|baidu|", "Baidu", majorLimit},
	{"|bb|blackberry|", "BlackBerry", majorLimit},
	{"|kaios|", "KaiOS", 0},
}

// query is one query of a line.
type query struct {
	not, and bool
	// browser is the only one listed that it is about, by index, or anyBrowser.
	browser int
	// selects is whether it names that major of that browser listed.
	selects func(browser, major int) bool
}

const anyBrowser = -1

// selected is whether a major is left when all queries are done.
func selected(queries []query, browser, major int) bool {
	in := false
	for _, q := range queries {
		hit := (q.browser == anyBrowser || q.browser == browser) && q.selects(browser, major)
		switch {
		case q.not:
			in = in && !hit
		case q.and:
			in = in && hit
		default:
			in = in || hit
		}
	}
	return in
}

// excluded is whether a query takes all majors of the browser away, and names
// it: "not dead" says nothing of IE's family that the others do not.
func excluded(queries []query, browser int) bool {
	return slices.ContainsFunc(queries, func(q query) bool {
		if !q.not || q.browser != browser {
			return false
		}
		for major := 1; major <= max(1, newest(listed[browser].family)); major++ {
			if !q.selects(browser, major) {
				return false
			}
		}
		return true
	})
}

// clause is the words of one query, and whether "and" stood before it.
type clause struct {
	and   bool
	words []string
}

// clauses cuts a line, or the lines of a file, into queries without comments.
func clauses(text string) []clause {
	// Signs need no blanks around them, and a comma is a word.
	spaced := strings.NewReplacer(">=", " >= ", "<=", " <= ", ">", " > ", "<", " < ", ",", " or ")
	all := []clause{{}}
	for line := range strings.SplitSeq(strings.ToLower(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		for _, w := range append(strings.Fields(spaced.Replace(line)), "or") {
			if w == "or" || w == "and" {
				all = append(all, clause{and: w == "and"})
				continue
			}
			c := &all[len(all)-1]
			c.words = append(c.words, w)
		}
	}
	return slices.DeleteFunc(all, func(c clause) bool { return len(c.words) == 0 })
}

// forms are the queries that are understood. In them B is a browser, V a
// version, R one or a range of them, C a comparison, N a number, D a date; an
// ending in s may be left out.
var forms = []struct {
	form string
	read func(w words) (query, bool)
}{
	{"B all", func(w words) (query, bool) {
		return query{browser: w.browser, selects: func(int, int) bool { return true }}, true
	}},
	{"B esr", func(w words) (query, bool) {
		return query{browser: w.browser, selects: func(_, major int) bool { return major == firefoxESR }}, listed[w.browser].family == "Firefox"
	}},
	{"B C V", func(w words) (query, bool) {
		return query{browser: w.browser, selects: func(_, major int) bool { return w.low.compare(major, w.sign) }}, true
	}},
	{"B R", func(w words) (query, bool) {
		return query{browser: w.browser, selects: func(_, major int) bool { return w.low.major <= major && major <= w.high.major }}, true
	}},
	{"last N versions", lastVersions},
	{"last N major versions", lastVersions},
	{"last N B versions", lastVersions},
	{"last N B major versions", lastVersions},
	{"last N years", func(w words) (query, bool) {
		return since(monthsBefore(dated, int(12*w.number))), true
	}},
	{"since D", func(w words) (query, bool) { return since(w.date), true }},
	{"dead", func(words) (query, bool) {
		return query{browser: anyBrowser, selects: func(browser, major int) bool { return major <= listed[browser].dead }}, true
	}},
}

// words is what a query's words mean.
type words struct {
	browser   int
	sign      string
	low, high version
	number    float64
	date      string // its month, as in 2020-11
}

// lastVersions counts back from the newest major, past the numbers that were
// left out.
func lastVersions(w words) (query, bool) {
	n := int(w.number)
	if n < 1 || float64(n) != w.number {
		return query{}, false
	}
	return from(w.browser, func(h history) int {
		var majors []int
		for m := range h.all() {
			majors = append(majors, m)
		}
		return majors[max(0, len(majors)-n)]
	}), true
}

func since(month string) query {
	return from(anyBrowser, func(h history) int {
		for m, n := range h.all() {
			if n >= monthNumber(month) {
				return m
			}
		}
		return majorLimit
	})
}

// from makes the query for the majors from the one on that lowest gives for a
// family's releases up to the newest.
func from(browser int, lowest func(history) int) query {
	floors := map[string]int{}
	for _, h := range releases {
		floors[h.family] = lowest(h)
	}
	return query{browser: browser, selects: func(browser, major int) bool {
		family := listed[browser].family
		return floors[family] <= major && major <= newest(family)
	}}
}

// noData are words of queries that browserslist answers from other data.
var noData = []struct{ word, what, hint string }{
	{"%", "needs usage statistics, which are not here", `write versions or an age, such as "last 3 years" or "chrome >= 109"`},
	{"defaults", "needs usage statistics, which are not here", `write what it stands for without them: "last 2 versions, firefox esr, not dead"`},
	{"supports", "needs data about features, which are not here", "name the features under features, they are tried in the browser, and write versions here"},
	{"baseline", "needs data about features, which are not here", `write an age, such as "last 2.5 years"`},
	{"extends", "names another configuration, which cannot be read here", "write out the queries that stand there"},
	{"config", "names another configuration, which cannot be read here", "write out the queries that stand there"},
	{"[", "begins a section, which a line does not have", "leave only the queries of the one section that is meant"},
	{"node", "is about servers", "leave it out; people do not sign in with Node.js"},
	{"electron", "is about Electron, which has no versions here", `write the Chrome in it, such as "chrome >= 109"`},
	{"unreleased", "is about what nobody can be asked to have", "leave it out; newer versions than those named are supported anyway"},
}

const formsHint = `write it like "chrome >= 109", "safari 16-18", "last 2 firefox versions", "last 3 years", "since 2023-06", "firefox esr", "not ie all" or "not dead"`

// read makes a query of the words.
func (c clause) read() (query, error) {
	text := strconv.Quote(strings.Join(c.words, " "))
	in := c.words
	not := in[0] == "not"
	if not {
		in = in[1:]
	}
	if not && len(in) == 1 {
		if _, ok := listedAs(in[0]); ok {
			in = []string{in[0], "all"} // "not opera" can mean nothing else
		}
	}
	for _, f := range forms {
		w, ok := match(f.form, in)
		if !ok {
			continue
		}
		if q, ok := f.read(w); ok {
			q.not, q.and = not, c.and
			return q, nil
		}
	}
	for _, n := range noData {
		if strings.Contains(text, n.word) {
			return query{}, &PolicyError{text + " " + n.what, n.hint}
		}
	}
	if len(in) == 0 {
		return query{}, &PolicyError{text + " does not say what not", formsHint}
	}
	if _, ok := listedAs(in[0]); ok && len(in) == 1 {
		return query{}, &PolicyError{text + " names no version", "write the lowest that is supported, such as " + strconv.Quote(in[0]+" >= 109")}
	}
	if _, ok := listedAs(in[0]); !ok && len(in) > 1 && (isSign(in[1]) || digits(in[1]) != "") && in[0] != "last" && in[0] != "since" {
		return query{}, &PolicyError{text + " names no browser that is known", "known browsers are " + knownBrowsers()}
	}
	return query{}, &PolicyError{text + " is no query that is known", formsHint}
}

// match reads the words by a form.
func match(form string, in []string) (words, bool) {
	want := strings.Fields(form)
	if len(want) != len(in) {
		return words{}, false
	}
	w, ok := words{browser: anyBrowser}, true
	for i, s := range in {
		switch want[i] {
		case "B":
			w.browser, ok = listedAs(s)
		case "C":
			w.sign, ok = s, isSign(s)
		case "V":
			w.low, ok = versionOf(s)
		case "R":
			low, high, isRange := strings.Cut(s, "-")
			if !isRange {
				high = low
			}
			w.low, ok = versionOf(low)
			if ok {
				w.high, ok = versionOf(high)
			}
		case "N":
			n, err := strconv.ParseFloat(s, 64)
			w.number, ok = n, err == nil && n >= 0 && n < majorLimit
		case "D":
			w.date, ok = monthOf(s)
		default:
			ok = s == want[i] || s+"s" == want[i]
		}
		if !ok {
			return words{}, false
		}
	}
	return w, true
}

func listedAs(name string) (index int, ok bool) {
	i := slices.IndexFunc(listed, func(l listing) bool { return strings.Contains(l.names, "|"+name+"|") })
	return i, i >= 0
}

func knownBrowsers() string {
	var names []string
	for _, l := range listed {
		name, _, _ := strings.Cut(l.names[1:], "|")
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

func isSign(s string) bool { return s == ">=" || s == ">" || s == "<=" || s == "<" }

// version is a version in a query: its major, and whether more of it stands
// there. Of 15.4 a part of 15 is above and a part below.
type version struct {
	major int
	minor bool
}

func versionOf(s string) (version, bool) {
	major, minor, _ := strings.Cut(s, ".")
	v := version{number(major), strings.Trim(minor, "0.") != ""}
	return v, major != "" && strings.Trim(s, "0123456789.") == "" && len(major) <= len("999")
}

// compare is whether a major counts as one that the sign and the version name.
// Where it does in part, what is above v is supported.
func (v version) compare(major int, sign string) bool {
	switch sign {
	case ">=":
		return major >= v.major
	case ">":
		return major > v.major || v.minor && major == v.major
	case "<=":
		return major < v.major || !v.minor && major == v.major
	}
	return major < v.major
}

// monthOf reads a year, a month or a day, as in 2023, 2023-06 and 2023-06-27.
func monthOf(s string) (string, bool) {
	switch len(s) {
	case len("2023"):
		s += "-01"
	case len("2023-06"), len("2023-06-27"):
		s = s[:len("2023-06")]
	default:
		return "", false
	}
	month := number(s[5:])
	return s, len(digits(s[:4])) == 4 && s[4] == '-' && len(digits(s[5:])) == 2 && 1 <= month && month <= 12
}
