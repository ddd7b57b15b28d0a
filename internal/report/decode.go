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

// Decode reads evidence, or the evidence in a report. It is strict: unknown
// fields are errors. Errors name the byte at which reading stopped, and the
// field, if the fault is in one.
func Decode(data []byte) (evidence.Evidence, error) {
	var shape map[string]json.RawMessage
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(data, &shape); {
	case errors.As(err, &syntax):
		return evidence.Evidence{}, fmt.Errorf("byte %d: %w", syntax.Offset, err)
	case shape == nil || err != nil:
		return evidence.Evidence{}, errors.New("byte 0: this is not a JSON object")
	}
	if schema, ok := shape["schema"]; !ok {
		var e evidence.Evidence
		err := read(data, &e)
		return e, err
	} else if string(schema) != strconv.Itoa(Schema) {
		return evidence.Evidence{}, fmt.Errorf("byte 0: report of schema %.20s, but this program reads schema %d", schema, Schema)
	}
	var r Report
	err := read(data, &r)
	return r.Seen, err
}

// read is strict decoding of well-formed data.
func read(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil {
		return nil
	}
	if place := locate(data, 0, reflect.TypeOf(into).Elem(), ""); place != nil {
		return place
	}
	return fmt.Errorf("byte 0: %w", err)
}

// locate names the smallest part of well-formed data that a value of type t
// cannot be read from, or nil. Package json knows that only within the value
// whose UnmarshalJSON it called last.
func locate(data []byte, at int64, t reflect.Type, path string) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	into := reflect.New(t).Interface()
	fault := dec.Decode(into)
	if fault == nil {
		return nil
	}
	_, whole := into.(json.Unmarshaler)
	if t.Kind() == reflect.Struct && !whole && bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		if err := locateIn(data, at, t, path); err != nil {
			return err
		}
	}
	var typed *json.UnmarshalTypeError
	if errors.As(fault, &typed) {
		fault = fmt.Errorf("cannot read %s as %s", typed.Value, typed.Type.Kind())
	}
	return fmt.Errorf("byte %d: %s: %w", at, strings.TrimSuffix(path, "."), fault)
}

func locateIn(data []byte, at int64, t reflect.Type, path string) error {
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
		if !ok {
			return fmt.Errorf("byte %d: unknown field %.60q", at+dec.InputOffset(), path+name)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		if err := locate(value, at+dec.InputOffset()-int64(len(value)), field, path+name+"."); err != nil {
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
