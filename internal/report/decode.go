package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"latchkey/internal/evidence"
)

// Fields says what Decode makes of fields that it does not know.
type Fields bool

const (
	// AllKnown makes them errors, for what people write and store.
	AllKnown Fields = true
	// SomeNew passes over them, for what a browser sends: its page may be of a
	// newer or older server than this one.
	SomeNew Fields = false
)

// Decode reads evidence, or the evidence in a report. Errors name the byte at
// which reading stopped, and the field, if the fault is in one.
func Decode(data []byte, fields Fields) (evidence.Evidence, error) {
	shape, err := shapeOf(data)
	if err != nil {
		return evidence.Evidence{}, err
	}
	if schema, ok := shape["schema"]; !ok {
		var e evidence.Evidence
		err := read(data, &e, fields)
		return e, err
	} else if string(schema) != strconv.Itoa(Schema) {
		return evidence.Evidence{}, fmt.Errorf("byte 0: report of schema %.20s, but this program reads schema %d", schema, Schema)
	}
	var r Report
	err = read(data, &r, fields)
	return r.Seen, err
}

// shapeOf reads the names of an object's fields, and says where it is no JSON.
func shapeOf(data []byte) (map[string]json.RawMessage, error) {
	var shape map[string]json.RawMessage
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(data, &shape); {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("byte %d: %w", syntax.Offset, err)
	case shape == nil || err != nil:
		return nil, errors.New("byte 0: this is not a JSON object")
	}
	return shape, nil
}

// read decodes well-formed data.
func read(data []byte, into any, fields Fields) error {
	err := decoder(data, fields).Decode(into)
	if err == nil {
		return nil
	}
	if place := locate(data, 0, reflect.TypeOf(into).Elem(), "", fields); place != nil {
		return place
	}
	return fmt.Errorf("byte 0: %w", err)
}

func decoder(data []byte, fields Fields) *json.Decoder {
	dec := json.NewDecoder(bytes.NewReader(data))
	if fields == AllKnown {
		dec.DisallowUnknownFields()
	}
	return dec
}

// locate names the smallest part of well-formed data that a value of type t
// cannot be read from, or nil. Package json knows that only within the value
// whose UnmarshalJSON it called last.
func locate(data []byte, at int64, t reflect.Type, path string, fields Fields) error {
	into := reflect.New(t).Interface()
	fault := decoder(data, fields).Decode(into)
	if fault == nil {
		return nil
	}
	_, whole := into.(json.Unmarshaler)
	if t.Kind() == reflect.Struct && !whole && bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		if err := locateIn(data, at, t, path, fields); err != nil {
			return err
		}
	}
	var typed *json.UnmarshalTypeError
	if errors.As(fault, &typed) {
		fault = fmt.Errorf("cannot read %s as %s", typed.Value, typed.Type.Kind())
	}
	return fmt.Errorf("byte %d: %s: %w", at, strings.TrimSuffix(path, "."), fault)
}

func locateIn(data []byte, at int64, t reflect.Type, path string, fields Fields) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		name := fmt.Sprint(key)
		field, ok := fieldOf(t, name)
		if !ok && fields == AllKnown {
			return fmt.Errorf("byte %d: unknown field %.60q", at+dec.InputOffset(), path+name)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := locate(value, at+dec.InputOffset()-int64(len(value)), field, path+name+".", fields); err != nil {
			return err
		}
	}
	return nil
}

// fieldOf is the type of the field that package json fills for a name.
func fieldOf(t reflect.Type, name string) (reflect.Type, bool) {
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag != "" && strings.EqualFold(tag, name) {
			return f.Type, true
		}
	}
	return nil, false
}
