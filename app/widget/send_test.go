package widget_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/app/widget"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/text"
)

// names walks through what can be sent: the names of fields, and the part that each
// stands in.
func names(t reflect.Type, group string, visit func(group, name string)) {
	switch {
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer:
		names(t.Elem(), group, visit)
	case t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Fact["):
		value, _ := t.FieldByName("Value")
		visit(group, "note")
		names(value.Type, group, visit)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Tag.Get("send") == "no" {
				continue
			}
			if t == reflect.TypeFor[evidence.Evidence]() {
				names(f.Type, name, visit)
				continue
			}
			if name != "seen" && name != "personal" {
				visit(group, name)
			}
			names(f.Type, group, visit)
		}
	}
}

func TestTold_hasWordsForAllThatCanBeSent(t *testing.T) {
	c := text.English()
	used := []string{"sent.group.report", "sent.group.personal", "sent.personal.note"}
	count := 0
	names(reflect.TypeFor[report.Sent](), "report", func(group, name string) {
		count++
		if group == "report" && slices.Contains([]string{"fields", "key", "label", "value"}, name) {
			return // of what a person answers, which has a label
		}
		own, usual := "sent."+group+"."+name, "sent."+name
		assert.True(t, c.Has(own) || c.Has(usual), "%s in %s has no words: write %s, or %s if it means something else elsewhere", name, group, usual, own)
		used = append(used, "sent.group."+group)
		if c.Has(own) {
			used = append(used, own)
		} else {
			used = append(used, usual)
		}
	})
	assert.Greater(t, count, 150, "the walk has gone wrong")
	for _, state := range []string{"true", "false", "absent", "refused", "late", "full", "broken"} {
		used = append(used, "sent.is."+state)
		assert.True(t, c.Has("sent.is."+state))
	}
	for _, key := range c.Keys() {
		if strings.HasPrefix(key, "sent.") {
			assert.Contains(t, used, key, "nothing that is sent is called so")
		}
	}
}

// toSend is a report with a note and answers.
func toSend(t *testing.T, change func(*report.Sent)) []byte {
	t.Helper()
	m := model(t, blocked)
	s := report.NewSent(m.Report, evidence.Moment{UTC: 1_795_600_440_000, Zone: 60}, []string{"allow-cookies"})
	s.Personal = report.Personal{Note: "true\nabsent, cookies-blocked", Fields: []report.Answer{
		{Key: "member-number", Label: "Your member number", Value: "12345678"}, {Key: "practice", Label: "Practice", Value: "cookies-blocked"},
	}}
	if change != nil {
		change(&s)
	}
	data, err := s.Encode()
	require.NoError(t, err)
	return data
}

func TestTold_listsAllThatGoes(t *testing.T) {
	data := toSend(t, nil)
	parts := widget.Model{}.Told(data, text.English())
	require.Equal(t, widget.Part{Title: "What you wrote", Lines: []string{
		"Your note: true\nabsent, cookies-blocked", "Your member number (member-number): 12345678", "Practice (practice): cookies-blocked",
	}}, parts[0], "as it was written")
	told := 0
	for _, p := range parts[1:] {
		for _, l := range p.Lines {
			told++
			assert.Regexp(t, `^[^:]+: .`, l)
		}
	}
	lines, err := report.Lines(data)
	require.NoError(t, err)
	listed := 0
	for _, l := range lines {
		if !l.Personal {
			listed++
		}
	}
	assert.Equal(t, listed, told)
	assert.Contains(t, parts[1].Lines, "Time – UTC: 2026-11-25 09:54")
	assert.Contains(t, parts[1].Lines, "Shown to you 1 – finding: Cookies")
	assert.Contains(t, parts[1].Lines, "Steps tried: "+text.English().Text(nil, "fix.allow-cookies.title"))
}

func TestTold_isNothingWhereNothingCanBeRead(t *testing.T) {
	for _, data := range []string{"", "{", `"x"`, "[1,2]"} {
		assert.NotPanics(t, func() { widget.Model{}.Told([]byte(data), text.English()) }, data)
	}
}
