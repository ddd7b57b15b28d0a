package evidence

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStateOf_readsWhatEnginesReallySay(t *testing.T) {
	for _, c := range []struct {
		who, exception string
		want           State
	}{
		// Chromium 156 with all site data blocked.
		{"Chromium, local storage", "SecurityError: Failed to read the 'localStorage' property from 'Window': Access is denied for this document.", Refused},
		{"Chromium, cookie", "SecurityError: Failed to set the 'cookie' property on 'Document': Access is denied for this document.", Refused},
		{"Chromium, IndexedDB", "UnknownError: The user denied permission to access the database.", Refused},
		{"Chromium, Cache", "SecurityError: An attempt was made to break through the security policy of the user agent.", Refused},
		{"Chromium, full storage", "QuotaExceededError: Failed to execute 'setItem' on 'Storage': Setting the value of 'x' exceeded the quota.", Full},
		{"Chromium, IndexedDB of its own mind", "UnknownError: Internal error opening backing store for indexedDB.open.", Broken},
		{"Chromium, storage access", "NotAllowedError: requestStorageAccess not allowed", Refused},
		// WebAssembly.
		{"Chromium without a just-in-time compiler", "ReferenceError: WebAssembly is not defined", Absent},
		{"Chromium, policy", "CompileError: WebAssembly.Module(): Compiling or instantiating WebAssembly module violates the following Content Security policy directive because 'unsafe-eval' is not an allowed source of script", Refused},
		{"Chromium 97, policy", "CompileError: WebAssembly.instantiate(): Refused to compile or instantiate WebAssembly module because 'unsafe-eval' is not an allowed source of script in the following Content Security Policy directive: \"script-src 'self'\"", Refused},
		{"Chromium 87, policy", "CompileError: WebAssembly.instantiate(): Wasm code generation disallowed by embedder", Refused},
		{"Firefox, policy", "CompileError: call to WebAssembly.instantiate() blocked by CSP", Refused},
		{"WebKit, policy", "CompileError: Refused to create a WebAssembly object because 'unsafe-eval' or 'wasm-unsafe-eval' is not an allowed source of script", Refused},
		{"Safari 15, policy", "EvalError: Refused to create a WebAssembly object because 'unsafe-eval' is not an allowed source of script", Refused},
		{"Firefox without compilers", "Error: no WebAssembly compiler available", Absent},
		{"a module that is cut off", "CompileError: WebAssembly.Module(): expected magic word 00 61 73 6d, found 3c 21 64 6f @+0", Broken},
		// Firefox 153.
		{"Firefox, local storage", "SecurityError: The operation is insecure.", Refused},
		{"Firefox, storage turned off", "null", Absent},
		{"Firefox, using storage that is turned off", "TypeError: can't access property \"setItem\", localStorage is null", Broken},
		{"Firefox, no service workers", "undefined", Absent},
		{"Firefox, stopped request", "AbortError: The operation was aborted. ", Broken},
		// WebKitGTK 2.50.
		{"WebKit, request", "TypeError: Load failed", Broken},
		{"WebKit, unsupported", "NotSupportedError: The operation is not supported.", Absent},
		{"our own limit", "timeout", Late},
		{"theirs", "TimeoutError: signal timed out", Late},
		// Whatever else.
		{"a thrown string", "boom", Broken},
		{"nothing", "", Broken},
		{"names are told apart by case", "securityerror: x", Broken},
		{"a name in the text is no name", "Error: SecurityError", Broken},
	} {
		assert.Equal(t, c.want, StateOf(c.exception), c.who)
	}
}

func TestFailed_keepsTheNameAndNotTheStory(t *testing.T) {
	f := Failed[bool]("SecurityError: https://portal.example/patients/anna is insecure")
	assert.Equal(t, Fact[bool]{State: Refused, Note: "SecurityError"}, f)
}
