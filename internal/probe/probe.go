// Package probe says what to look at in a browser and takes the time. It sees
// the browser only through the small Window interface and judges nothing.
package probe

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"latchkey/internal/evidence"
)

const (
	// each bounds one probe: twice the round trip of a bad phone line, thrice
	// the 0.7 s that a cold IndexedDB took on a slow machine.
	each = 2 * time.Second
	// whole bounds all probes, so that an answer comes while a person waits.
	whole = 8 * time.Second
)

// Window is a browser's window. Values come and go as plain Go: bool, float64,
// string, []any, map[string]any, nil. What the browser throws is an
// [Exception].
type Window interface {
	// Get reads the property at a path such as "navigator.onLine".
	Get(path string) (any, error)
	// Call calls the function at a path and waits for the promise that it may
	// return.
	Call(ctx context.Context, path string, args ...any) (any, error)
}

// Exception is what a browser threw, as "Name: message".
type Exception string

func (e Exception) Error() string { return string(e) }

// Probe is one way to look at one fact.
type Probe struct {
	ID string
	// known is whether the fact was seen before.
	known func(*evidence.Evidence) bool
	// limit is each if it is 0.
	limit time.Duration
	// look returns how to put the fact into evidence.
	look func(context.Context, Window) func(*evidence.Evidence)
}

// New makes a probe of the fact at where. Errors of look become states here.
func New[T any](id string, where func(*evidence.Evidence) *evidence.Fact[T], look func(context.Context, Window) (T, error)) Probe {
	return Probe{
		ID:    id,
		known: func(e *evidence.Evidence) bool { return where(e).Known() },
		look: func(ctx context.Context, w Window) func(*evidence.Evidence) {
			f := seen(look(ctx, w))
			return func(e *evidence.Evidence) { *where(e) = f }
		},
	}
}

// seen makes a fact of what looking returned.
func seen[T any](v T, err error) evidence.Fact[T] {
	if err != nil {
		return failed[T](err)
	}
	return evidence.Saw(v)
}

func failed[T any](err error) evidence.Fact[T] {
	var thrown Exception
	switch {
	case errors.As(err, &thrown):
		return evidence.Failed[T](string(thrown))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return evidence.Failed[T]("timeout")
	}
	return evidence.Failed[T](err.Error())
}

// Collect runs, side by side, the probes whose facts are not known yet, each
// and all within their time. It returns the evidence with what they saw and
// calls progress after each.
func Collect(ctx context.Context, w Window, e evidence.Evidence, probes []Probe, progress func(done, all int, e evidence.Evidence)) evidence.Evidence {
	ctx, cancel := context.WithTimeout(ctx, whole)
	defer cancel()
	seen := make(chan func(*evidence.Evidence), len(probes))
	all := 0
	for _, p := range probes {
		if p.known(&e) {
			continue
		}
		all++
		go func() {
			ctx, cancel := context.WithTimeout(ctx, cmp.Or(p.limit, each))
			defer cancel()
			seen <- p.look(ctx, w)
		}()
	}
	for done := 1; done <= all; done++ {
		put := <-seen
		put(&e)
		progress(done, all, e)
	}
	return e
}

// Early reads what frame.js knows already, as JSON of the evidence's shape.
func Early(w Window) ([]byte, error) {
	v, err := w.Call(context.Background(), "latchkey.early")
	if err != nil {
		return nil, err
	}
	s, ok := v.(string)
	if !ok {
		return nil, errors.New("latchkey.early: not a text")
	}
	return []byte(s), nil
}

// ask takes one of the looks that frame.js and the probes share.
func ask[T any](name string) func(context.Context, Window) (T, error) {
	return func(ctx context.Context, w Window) (T, error) {
		var out T
		v, err := w.Call(ctx, "latchkey.ask", name)
		if err != nil {
			return out, err
		}
		s, ok := v.(string)
		if !ok {
			return out, errors.New("latchkey.ask: not a text")
		}
		return out, json.Unmarshal([]byte(s), &out)
	}
}
