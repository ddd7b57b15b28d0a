package browser

import (
	"context"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
	"latchkey/internal/probe"
)

// define puts what a JavaScript expression yields into the global scope.
func define(t *testing.T, name, expression string) {
	t.Helper()
	js.Global().Set(name, js.Global().Call("eval", "("+expression+")"))
	t.Cleanup(func() { js.Global().Delete(name) })
}

func TestGet_turnsValuesIntoPlainGo(t *testing.T) {
	define(t, "thing", `{deep: {text: "a", number: 1.5, yes: true, none: null, list: [1, "b", [false]], date: new Date(0), f: function () {}}}`)
	for path, want := range map[string]any{
		"thing.deep.text":    "a",
		"thing.deep.number":  1.5,
		"thing.deep.yes":     true,
		"thing.deep.none":    nil,
		"thing.deep.missing": nil,
		"thing.deep.list":    []any{1.0, "b", []any{false}},
	} {
		got, err := (&Window{}).Get(path)
		require.NoError(t, err, path)
		assert.Equal(t, want, got, path)
	}
	got, err := (&Window{}).Get("thing.deep.date")
	require.NoError(t, err)
	assert.Contains(t, got, "1970", "what has no plain form is a text")
}

func TestGet_returnsWhatAPropertyThrows(t *testing.T) {
	define(t, "guarded", `{get store() { var e = new Error("Access is denied"); e.name = "SecurityError"; throw e; }}`)
	_, err := (&Window{}).Get("guarded.store")
	require.Equal(t, probe.Exception("SecurityError: Access is denied"), err)
	assert.Equal(t, evidence.Refused, evidence.StateOf(err.Error()))
}

func TestGet_saysThatAnObjectOnTheWayIsMissing(t *testing.T) {
	_, err := (&Window{}).Get("nothing.here")
	require.Error(t, err)
	assert.Equal(t, evidence.Absent, evidence.StateOf(err.Error()))
}

func TestCall_givesTheObjectAsThis(t *testing.T) {
	define(t, "counter", `{n: 40, add: function (a, b) { return this.n + a + b; }}`)
	got, err := (&Window{}).Call(t.Context(), "counter.add", 1, 1)
	require.NoError(t, err)
	assert.Equal(t, 42.0, got)
}

func TestCall_returnsWhatAFunctionThrows(t *testing.T) {
	define(t, "thrower", `function () { throw new TypeError("no"); }`)
	_, err := (&Window{}).Call(t.Context(), "thrower")
	assert.Equal(t, probe.Exception("TypeError: no"), err)
}

func TestCall_saysThatAFunctionIsMissing(t *testing.T) {
	_, err := (&Window{}).Call(t.Context(), "notThere")
	require.Error(t, err)
	assert.Equal(t, evidence.Absent, evidence.StateOf(err.Error()))
}

func TestCall_waitsForAPromise(t *testing.T) {
	define(t, "later", `function () { return new Promise(function (resolve) { setTimeout(function () { resolve("done"); }, 1); }); }`)
	got, err := (&Window{}).Call(t.Context(), "later")
	require.NoError(t, err)
	assert.Equal(t, "done", got)
}

func TestCall_returnsWhyAPromiseWasRejected(t *testing.T) {
	for expression, want := range map[string]probe.Exception{
		`function () { return Promise.reject(new RangeError("far")); }`:  "RangeError: far",
		`function () { return Promise.reject("SecurityError: plain"); }`: "SecurityError: plain",
		`function () { return Promise.reject(undefined); }`:              "undefined",
	} {
		define(t, "rejecter", expression)
		_, err := (&Window{}).Call(t.Context(), "rejecter")
		assert.Equal(t, want, err, expression)
	}
}

func TestCall_endsWithItsContext(t *testing.T) {
	define(t, "never", `function () { return new Promise(function () {}); }`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := (&Window{}).Call(ctx, "never")
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestOpen_wantsToBeStartedByFrameJS(t *testing.T) {
	_, err := Open()
	require.ErrorContains(t, err, "frame.js")
	define(t, "latchkey", `{}`)
	_, err = Open()
	require.NoError(t, err)
}

func TestServe_isCalledByJavaScriptAndAnswersTrue(t *testing.T) {
	define(t, "latchkey", `{}`)
	called := 0
	(&Window{}).Serve("again", func() { called++ })
	answer := js.Global().Call("eval", "latchkey.again()")
	assert.True(t, answer.Bool())
	assert.Equal(t, 1, called)
}

func TestDocument_readsAnElement(t *testing.T) {
	define(t, "document", `{getElementById: function (id) { return id === "here" ? {textContent: "text"} : null; }}`)
	text, err := (&Window{}).Document("here")
	require.NoError(t, err)
	assert.Equal(t, "text", text)
	_, err = (&Window{}).Document("gone")
	assert.ErrorContains(t, err, "gone")
}
