package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// valueLimit bounds the values that are strings, in bytes: the longest that we
// ask for are content types and names of browsers.
const valueLimit = 300

// State says how looking for a fact ended.
type State string

// The states. Only OK comes with a value.
const (
	Unasked State = ""        // nobody looked
	OK      State = "ok"      // looked, and Value is what was seen
	Absent  State = "absent"  // what was asked does not exist here
	Refused State = "refused" // the browser forbade it
	Late    State = "late"    // no answer within the time limit
	Full    State = "full"    // there was no room for it
	Broken  State = "broken"  // it failed in a way of its own; Note names it
)

// Fact is one thing that was looked for, and how that ended.
//
// In JSON a fact may also be written as {"value": …} or, by whoever met an
// exception, {"error": "SecurityError: …"}: the state then follows from
// [StateOf], so that this table of names exists once.
type Fact[T any] struct {
	State State
	// Value is what was seen; the zero value unless the state is OK.
	Value T
	// Note is the name of the exception, or another short word for engineers.
	Note string
}

// Seen is a fact of any type, for code that asks only whether it is known.
type Seen interface {
	// Known is whether somebody looked and an answer came in time.
	Known() bool
	// How is the state.
	How() State
	// Blank makes the fact unasked.
	Blank()
}

// Known is whether somebody looked and an answer came in time.
func (f *Fact[T]) Known() bool { return f.State != Unasked && f.State != Late }

// How is the fact's state.
func (f *Fact[T]) How() State { return f.State }

// Blank makes the fact unasked.
func (f *Fact[T]) Blank() { *f = Fact[T]{} }

// Is is whether the fact was seen to be v.
func Is[T comparable](f Fact[T], v T) bool { return f.State == OK && f.Value == v }

// Saw makes the fact that v was seen.
func Saw[T any](v T) Fact[T] { return Fact[T]{State: OK, Value: v} }

// Failed makes the fact that looking ended with an exception, given as
// "Name: message".
func Failed[T any](exception string) Fact[T] {
	return Fact[T]{State: StateOf(exception), Note: nameOf(exception)}
}

// MarshalJSON writes the state, the value if there is one, and the note.
func (f Fact[T]) MarshalJSON() ([]byte, error) { return marshal(f.State, f.Note, &f.Value) }

// UnmarshalJSON reads all three spellings; see [Fact].
func (f *Fact[T]) UnmarshalJSON(data []byte) error {
	*f = Fact[T]{}
	return unmarshal(data, &f.State, &f.Note, &f.Value)
}

// marshal is for facts of all types: what is generic is compiled for each.
func marshal(state State, note string, value any) ([]byte, error) {
	out := struct {
		State State  `json:"state"`
		Value any    `json:"value,omitempty"`
		Note  string `json:"note,omitempty"`
	}{State: state, Note: note}
	if state == OK {
		out.Value = value
	}
	return json.Marshal(out)
}

// unmarshal is the other way round; value points to the fact's own.
func unmarshal(data []byte, state *State, note *string, value any) error {
	var in struct {
		State State           `json:"state"`
		Value json.RawMessage `json:"value"`
		Note  string          `json:"note"`
		Error string          `json:"error"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return err
	}
	if in.Error != "" {
		*state, *note = StateOf(in.Error), nameOf(in.Error)
		return nil
	}
	if bytes.Equal(in.Value, []byte("null")) {
		in.Value = nil
	}
	if in.State == Unasked && in.Value != nil {
		in.State = OK
	}
	*state, *note = in.State, clip(in.Note, noteLimit)
	switch in.State {
	case Unasked, Absent, Refused, Late, Full, Broken:
		return nil
	case OK:
		if in.Value == nil {
			return errors.New(`state "ok" without a value`)
		}
		if err := json.Unmarshal(in.Value, value); err != nil {
			return err
		}
		if v := reflect.ValueOf(value).Elem(); v.Kind() == reflect.String {
			v.SetString(clip(v.String(), valueLimit))
		}
		return nil
	}
	return fmt.Errorf("unknown state %.20q: use ok, absent, refused, late, full or broken", in.State)
}

// Coarser is a value that can tell a coarse version of itself.
type Coarser interface {
	Coarse() any
}

// Coarse reduces the fact's value, if there is one and it can be reduced.
func (f Fact[T]) Coarse() any {
	if c, ok := any(f.Value).(Coarser); ok && f.State == OK {
		f.Value = c.Coarse().(T)
	}
	return f
}

// CanCoarse is whether values of this fact can be reduced.
func (f Fact[T]) CanCoarse() bool {
	_, ok := any(f.Value).(Coarser)
	return ok
}

// Offset bounds the device's time less the server's, in milliseconds: the true
// value is in [Lo, Hi]. Positive means that the device is ahead.
type Offset struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// Mid is the middle of the bounds, in milliseconds.
func (o Offset) Mid() float64 { return o.Lo/2 + o.Hi/2 }

// Coarse rounds the bounds outward to whole seconds, so that they stay true.
func (o Offset) Coarse() any {
	return Offset{Lo: math.Floor(o.Lo/1000) * 1000, Hi: math.Ceil(o.Hi/1000) * 1000}
}

// Milliseconds is a length of time.
type Milliseconds float64

// Coarse rounds to whole seconds.
func (m Milliseconds) Coarse() any { return Milliseconds(math.Round(float64(m)/1000) * 1000) }

// Tens are milliseconds of which the tens matter, and the rest only tells devices
// apart.
type Tens float64

// Coarse rounds to 10 ms.
func (t Tens) Coarse() any { return Tens(math.Round(float64(t)/10) * 10) }

// Addresses are addresses of resources, without query and fragment, each
// possibly behind a word and a blank.
type Addresses []string

// Coarse keeps the origins, and the words before them, such as a directive.
func (a Addresses) Coarse() any {
	out := make(Addresses, 0, len(a))
	for _, s := range a {
		before, after, ok := strings.Cut(s, " ")
		if !ok || !isWord(before) {
			out = append(out, origin(s))
			continue
		}
		out = append(out, before+" "+origin(after))
	}
	return out
}

// origin cuts an address down to its scheme and host. A word in the place of
// an address, such as "inline", stays, and so does the scheme of an address
// without a host, such as "data"; a path alone does not.
func origin(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok || strings.ContainsAny(strings.TrimPrefix(scheme, "blob:"), ":/?#\\ ") {
		if word := address[:cutAt(address, ":/?#\\ ")]; isWord(word) {
			return word
		}
		return ""
	}
	host := rest[:cutAt(rest, "/?#\\ ")]
	return scheme + "://" + host[strings.LastIndexByte(host, '@')+1:]
}

func isWord(s string) bool { return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == "" }

// cutAt is where the first of the characters stands in s, or the end of s.
func cutAt(s, characters string) int {
	if i := strings.IndexAny(s, characters); i >= 0 {
		return i
	}
	return len(s)
}

// UnmarshalJSON keeps the first 20 addresses and 300 bytes of each: they come
// from a page that anybody may have written.
func (a *Addresses) UnmarshalJSON(data []byte) error {
	var in []string
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	for i, s := range in[:min(len(in), 20)] {
		in[i] = clip(s, 300)
	}
	*a = in[:min(len(in), 20)]
	return nil
}
