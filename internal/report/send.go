package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// SentSchema is the version of the format of what is sent.
const SentSchema = 1

// Sent is what a person agreed to send to support: what was seen, as the send tags
// let it go, what the person read and did, and what they wrote themselves. The
// judgement is not in it: [Sent.Report] comes to it again, from what was sent alone.
// The outcome, the tier and the site's own reference stand in Seen.
type Sent struct {
	Schema int `json:"schema"`
	// At is when it was sent, to the minute, and the device's zone.
	At evidence.Moment `json:"at"`
	// Shown are the findings as the person read them, in their order.
	Shown []Shown `json:"shown,omitzero"`
	// Tried holds the ids of the fixes that the person carried out, and Gone what
	// was found before that and is not there any more.
	Tried    []string          `json:"tried,omitzero"`
	Gone     []string          `json:"gone,omitzero"`
	Personal Personal          `json:"personal,omitzero"`
	Seen     evidence.Evidence `json:"seen"`
}

// Shown is a finding as it was shown.
type Shown struct {
	Check    string        `json:"check"`
	Sureness diag.Sureness `json:"sureness"`
}

// Personal is what a person wrote about themselves. It is never filled in for them,
// and whoever keeps it can drop it and keep the rest.
type Personal struct {
	// Note is any text, in at most NoteLimit characters.
	Note   string   `json:"note,omitempty"`
	Fields []Answer `json:"fields,omitzero"`
}

// Answer is what a person answered to an [Ask]. It holds the label that they read.
type Answer struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Value string `json:"value"`
}

// Ask is something that the site's operator asks for when a report is sent, such as
// a number by which support knows the person.
type Ask struct {
	Key   string `json:"key"` // small letters, digits and hyphens
	Label string `json:"label"`
	// Pattern is a regular expression that the whole answer has to fit; empty
	// fits all.
	Pattern string `json:"pattern,omitempty"`
	// Max is the most characters of an answer; 0 is as many as there may be, 200.
	Max int `json:"max,omitempty"`
}

// The limits of what is sent.
const (
	sentLimit   = 64 << 10 // bytes in all
	depthLimit  = 16       // of lists and objects in each other
	stringLimit = 8000     // bytes: as many as a note can have
	listLimit   = 100      // entries of a list or an object
	NoteLimit   = 2000     // characters
	idLimit     = 60
	labelLimit  = 100
	answerLimit = 200
	MaxAsks     = 8
)

// NewSent makes what is sent of the report that the person reads, without what they
// write.
func NewSent(r Report, at evidence.Moment, tried []string) Sent {
	s := Sent{
		Schema: SentSchema, At: at.Coarse().(evidence.Moment), Tried: tried, Gone: r.Resolved(),
		Seen: Redact(r.Seen),
	}
	for _, f := range r.Findings {
		s.Shown = append(s.Shown, Shown{f.Check, f.Sureness})
	}
	return s
}

// Code is the code that the person had on their screen: it names what they were shown.
func (s Sent) Code() Code {
	r := New(Redact(s.Seen), diag.Diagnosis{})
	for _, f := range s.Shown {
		r.Findings = append(r.Findings, diag.Finding{Check: f.Check, Sureness: f.Sureness})
	}
	return r.Code()
}

// Report judges what was sent. Nothing in it, also no value in a finding's words, is
// finer than the send tags allow, because the judge sees nothing else.
func (s Sent) Report(judge func(evidence.Evidence) diag.Diagnosis) Report {
	seen := Redact(s.Seen)
	return New(seen, judge(seen))
}

// Encode is what is sent, byte for byte. An error names the field that may not be
// sent as it is, and never what stands in it.
func (s Sent) Encode() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(s)
	if err == nil && len(data) > sentLimit {
		err = tooLong(len(data))
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

func tooLong(n int) error {
	return fmt.Errorf("%d bytes, but a report has at most %d", n, sentLimit)
}

// DecodeSent reads what was sent, which anybody may have written: it is bounded
// before it is read, has no unknown fields, and is redacted once more. Errors name
// the field, and never what stands in it.
func DecodeSent(data []byte) (Sent, error) {
	if len(data) > sentLimit {
		return Sent{}, tooLong(len(data))
	}
	if !utf8.Valid(data) {
		return Sent{}, errors.New("this is not UTF-8")
	}
	shape, err := shapeOf(data)
	if err != nil {
		return Sent{}, err
	}
	if schema := string(shape["schema"]); schema != strconv.Itoa(SentSchema) {
		return Sent{}, fmt.Errorf("schema: this program reads %d, and this is %.20q", SentSchema, schema)
	}
	if err := bounded(tokens(data), "", 0); err != nil {
		return Sent{}, err
	}
	var s Sent
	if err := read(data, &s, AllKnown); err != nil {
		return Sent{}, err
	}
	s.At, s.Seen = s.At.Coarse().(evidence.Moment), Redact(s.Seen)
	if _, err := s.Encode(); err != nil {
		return Sent{}, err
	}
	return s, nil
}

// bounded says which part of well-formed JSON is deeper or longer than what is sent
// can be.
func bounded(dec *json.Decoder, path string, depth int) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if s, ok := token.(string); ok && len(s) > stringLimit {
		return fmt.Errorf("%s: %d bytes, but a text has at most %d", path, len(s), stringLimit)
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == depthLimit {
		return fmt.Errorf("%s: more than %d lists and objects in each other", path, depthLimit)
	}
	for n := 0; dec.More(); n++ {
		if n == listLimit {
			return fmt.Errorf("%s: more than %d entries", path, listLimit)
		}
		key, err := keyOf(dec, open, n)
		if err != nil {
			return err
		}
		if len(key) > idLimit {
			return fmt.Errorf("%s: a name of %d bytes, but one has at most %d", path, len(key), idLimit)
		}
		if err := bounded(dec, under(path, key), depth+1); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// tokens reads JSON piece by piece, numbers as they are written.
func tokens(data []byte) *json.Decoder {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	return dec
}

// keyOf reads the name of the next entry of an object; in a list that is its place.
func keyOf(dec *json.Decoder, open json.Delim, n int) (string, error) {
	if open == '[' {
		return strconv.Itoa(n), nil
	}
	token, err := dec.Token()
	key, _ := token.(string)
	return key, err
}

func under(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// check says what may not be sent as it is.
func (s Sent) check() error {
	host, run := s.Seen.Host, s.Seen.Run
	switch {
	case s.Schema != SentSchema:
		return fmt.Errorf("schema: use %d", SentSchema)
	case !(s.At.UTC > 0 && s.At.UTC < 1e13) || math.Abs(float64(s.At.Zone)) > 24*60:
		return errors.New("at: no such time")
	case host.Outcome.State == evidence.OK && !evidence.ValidOutcome(string(host.Outcome.Value)):
		return errors.New("seen.host.outcome: no outcome of ours")
	case run.Tier != "" && place(tiers, string(run.Tier)+" ", -1) < 0:
		return errors.New("seen.run.tier: no tier of ours")
	case run.TierReason != "" && place(tiers, string(evidence.JS)+" "+string(run.TierReason), -1) < 0 && run.TierReason != evidence.NoScript:
		return errors.New("seen.run.tier_reason: no reason of ours")
	}
	shown := make([]string, len(s.Shown))
	for i, f := range s.Shown {
		if shown[i] = f.Check; place(surenesses, string(f.Sureness), -1) < 0 {
			return fmt.Errorf("shown.%d.sureness: use sure, likely or maybe", i)
		}
	}
	return errors.Join(checkIDs("shown", shown), checkIDs("tried", s.Tried), checkIDs("gone", s.Gone), s.Personal.check())
}

func checkIDs(field string, ids []string) error {
	if len(ids) > listLimit {
		return fmt.Errorf("%s: %d entries, but there are at most %d", field, len(ids), listLimit)
	}
	if i := slices.IndexFunc(ids, func(id string) bool { return !isID(id) }); i >= 0 {
		return fmt.Errorf("%s.%d: this is no id", field, i)
	}
	return nil
}

// isID is whether s is made of small letters, digits and hyphens.
func isID(s string) bool {
	return s != "" && len(s) <= idLimit && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// Clean is what the person wrote without what is not sent: blanks at the ends, and
// characters that no keyboard writes. Lines stay lines.
func (p Personal) Clean() Personal {
	keep := func(allowed string) func(rune) rune {
		return func(r rune) rune {
			switch {
			case r == '\t':
				return ' '
			case isHidden(r) && !strings.ContainsRune(allowed, r):
				return -1
			}
			return r
		}
	}
	p.Note = strings.TrimSpace(strings.Map(keep("\n"), p.Note))
	p.Fields = slices.Clone(p.Fields)
	for i := range p.Fields {
		p.Fields[i].Value = strings.TrimSpace(strings.Map(keep(""), p.Fields[i].Value))
	}
	return p
}

// isHidden is whether a character moves a cursor or turns the direction of text, so
// that support would not read what stands there.
func isHidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

func (p Personal) check() error {
	if err := checkText("personal.note", p.Note, NoteLimit, "\n"); err != nil {
		return err
	}
	if len(p.Fields) > MaxAsks {
		return fmt.Errorf("personal.fields: %d, but there are at most %d", len(p.Fields), MaxAsks)
	}
	for i, a := range p.Fields {
		field := "personal.fields." + strconv.Itoa(i)
		if !isID(a.Key) {
			return fmt.Errorf("%s.key: use small letters, digits and hyphens", field)
		}
		if err := errors.Join(checkText(field+".label", a.Label, labelLimit, ""), checkText(field+".value", a.Value, answerLimit, "")); err != nil {
			return err
		}
	}
	return nil
}

// checkText refuses what is too long in characters, and hidden characters but those
// allowed.
func checkText(field, s string, most int, allowed string) error {
	if n := utf8.RuneCountInString(s); n > most {
		return fmt.Errorf("%s: %d characters, but there are at most %d", field, n, most)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s: this is not UTF-8", field)
	}
	n := 0
	for _, r := range s {
		n++
		if isHidden(r) && !strings.ContainsRune(allowed, r) {
			return fmt.Errorf("%s: character %d is a control character (%U)", field, n, r)
		}
	}
	return nil
}

// Check says what is wrong with what the operator asks for.
func (a Ask) Check() error {
	if !isID(a.Key) {
		return errors.New("key: use small letters, digits and hyphens, at most 60")
	}
	if a.Label == "" {
		return errors.New("label: say what it is that you ask for")
	}
	if err := checkText("label", a.Label, labelLimit, ""); err != nil {
		return err
	}
	if a.Max < 0 || a.Max > answerLimit {
		return fmt.Errorf("max: use 1 to %d", answerLimit)
	}
	if _, err := a.pattern(); err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	return nil
}

// pattern never takes longer than the answer is long: Go's expressions go through a
// text once.
func (a Ask) pattern() (*regexp.Regexp, error) {
	if a.Pattern == "" {
		return regexp.Compile("")
	}
	if _, err := regexp.Compile(a.Pattern); err != nil {
		return nil, err
	}
	return regexp.Compile(`\A(?:` + a.Pattern + `)\z`)
}

// Most is how many characters an answer has at most.
func (a Ask) Most() int {
	if a.Max == 0 {
		return answerLimit
	}
	return a.Max
}

// Takes says why an answer does not do, without naming it; nil if it does.
func (a Ask) Takes(value string) error {
	if err := checkText(a.Key, value, a.Most(), ""); err != nil {
		return err
	}
	if p, err := a.pattern(); err != nil || !p.MatchString(value) {
		return fmt.Errorf("%s: this does not look like what is asked for", a.Key)
	}
	return nil
}

// Fits is an error if the person answered what nobody asked, or otherwise than asked.
// Whoever does not want to answer may leave it.
func (p Personal) Fits(asks []Ask) error {
	var seen []string
	for _, answer := range p.Fields {
		i := slices.IndexFunc(asks, func(a Ask) bool { return a.Key == answer.Key })
		if i < 0 || asks[i].Label != answer.Label || slices.Contains(seen, answer.Key) {
			return fmt.Errorf("%.60s: nobody asks for this", answer.Key)
		}
		seen = append(seen, answer.Key)
		if err := asks[i].Takes(answer.Value); err != nil {
			return err
		}
	}
	return nil
}

// Line is one thing that is sent.
type Line struct {
	// ID names it: the names of the fields that it stands in, with dots between
	// them.
	ID string
	// Value is as it is sent. Of a fact that was not seen it is the state.
	Value string
	// Personal is whether the person wrote it.
	Personal bool
}

// Lines lists all that stands in what [Sent.Encode] made, for the person to read
// before it goes. It reads the very bytes, so that nothing goes that is not listed.
func Lines(data []byte) ([]Line, error) {
	if len(data) > sentLimit {
		return nil, tooLong(len(data))
	}
	if err := bounded(tokens(data), "", 0); err != nil {
		return nil, err
	}
	return lines(tokens(data), "")
}

func lines(dec *json.Decoder, path string) ([]Line, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return []Line{{path, fmt.Sprint(token), strings.HasPrefix(path, "personal.")}}, nil
	}
	var all []Line
	fact := false
	for n := 0; dec.More(); n++ {
		key, err := keyOf(dec, open, n)
		if err != nil {
			return nil, err
		}
		at := under(path, key)
		if key == "state" || fact && key == "value" {
			at = path // a fact is one thing
		}
		some, err := lines(dec, at)
		if err != nil {
			return nil, err
		}
		switch last := len(all) - 1; {
		case key == "state":
			if fact = true; some[0].Value != string(evidence.OK) {
				all = append(all, some...)
			}
		case open == '[' && last >= 0 && len(some) == 1 && some[0].ID == at && all[last].ID == path:
			all[last].Value += ", " + some[0].Value
		case open == '[' && n == 0 && len(some) == 1 && some[0].ID == at:
			some[0].ID = path
			all = some
		default:
			all = append(all, some...)
		}
	}
	_, err = dec.Token()
	return all, err
}
