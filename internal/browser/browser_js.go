package browser

import (
	"context"
	"fmt"
	"strings"
	"syscall/js"

	"latchkey/internal/probe"
)

// Window is the window that the program runs in.
type Window struct{}

// Open returns the window, or an error if frame.js did not start this program.
func Open() (*Window, error) {
	w := &Window{}
	if v, err := w.Get("latchkey"); err != nil || v == nil {
		return nil, fmt.Errorf("window.latchkey is missing: frame.js starts this program")
	}
	return w, nil
}

// Get reads the property at a path.
func (*Window) Get(path string) (v any, err error) {
	defer catch(&err)
	_, value := resolve(path)
	return plain(value), nil
}

// Call calls the function at a path. If it returns a promise, Call waits for
// it until ctx ends.
func (*Window) Call(ctx context.Context, path string, args ...any) (v any, err error) {
	defer catch(&err)
	this, f := resolve(path)
	if f.Type() != js.TypeFunction {
		return nil, probe.Exception("undefined: " + path)
	}
	result := f.Call("call", append([]any{this}, args...)...)
	if result.Type() != js.TypeObject || get(result, "then").Type() != js.TypeFunction {
		return plain(result), nil
	}
	return await(ctx, result)
}

// Document returns the text of the element with the id.
func (*Window) Document(id string) (text string, err error) {
	defer catch(&err)
	e := js.Global().Get("document").Call("getElementById", id)
	if e.IsNull() {
		return "", fmt.Errorf("no element %q in the document", id)
	}
	return e.Get("textContent").String(), nil
}

// Serve sets a function of window.latchkey for frame.js to call. The function
// returns at once and answers true.
func (*Window) Serve(name string, f func()) {
	js.Global().Get("latchkey").Set(name, js.FuncOf(func(js.Value, []js.Value) any {
		f()
		return true
	}))
}

// resolve walks a path from the window and returns the last object and its
// property. Reading is a call, because exceptions of calls can be caught and
// those of syscall/js's own property reads cannot (Go 1.26).
func resolve(path string) (this, value js.Value) {
	value = js.Global()
	for name := range strings.SplitSeq(path, ".") {
		if value.Type() != js.TypeObject && value.Type() != js.TypeFunction {
			panic(probe.Exception("undefined: " + path))
		}
		this, value = value, get(value, name)
	}
	return this, value
}

func get(v js.Value, name string) js.Value {
	return js.Global().Get("Reflect").Call("get", v, name)
}

func await(ctx context.Context, promise js.Value) (any, error) {
	type end struct {
		v   any
		err error
	}
	ends := make(chan end, 1)
	var resolved, rejected js.Func
	release := func() {
		resolved.Release()
		rejected.Release()
	}
	resolved = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		ends <- end{v: plain(args[0])}
		return nil
	})
	rejected = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		ends <- end{err: thrown(args[0])}
		return nil
	})
	promise.Call("then", resolved, rejected)
	select {
	case e := <-ends:
		return e.v, e.err
	case <-ctx.Done():
		return nil, ctx.Err() // the promise may still end and release then
	}
}

// catch turns a panic of syscall/js into an error.
func catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case js.Error:
		*err = thrown(r.Value)
	case probe.Exception:
		*err = r
	default:
		panic(r)
	}
}

// thrown makes an Exception of whatever was thrown.
func thrown(v js.Value) probe.Exception {
	if v.Type() != js.TypeObject {
		return probe.Exception(js.Global().Call("String", v).String())
	}
	return probe.Exception(get(v, "name").String() + ": " + get(v, "message").String())
}

// plain makes Go values of JavaScript's; what has no plain form is a text.
func plain(v js.Value) any {
	switch v.Type() {
	case js.TypeUndefined, js.TypeNull:
		return nil
	case js.TypeBoolean:
		return v.Bool()
	case js.TypeNumber:
		return v.Float()
	case js.TypeString:
		return v.String()
	case js.TypeObject:
		if js.Global().Get("Array").Call("isArray", v).Bool() {
			out := make([]any, v.Length())
			for i := range out {
				out[i] = plain(v.Index(i))
			}
			return out
		}
	}
	return js.Global().Call("String", v).String()
}
