package evidence

import "strings"

// noteLimit bounds the notes of facts, in bytes: they name an exception, they
// do not tell its story, which may hold addresses.
const noteLimit = 60

// states is the one table from what a browser says when it fails to what that
// means for looking. The first row whose name and text both fit wins; an empty
// one fits all. Texts are those of Chromium 156, Firefox 153 and WebKitGTK
// 2.50, seen 2026-11.
var states = []struct {
	name, text string
	state      State
}{
	// Not exceptions, but what frame.js found in the place of an object.
	{"undefined", "", Absent},
	{"null", "", Absent},
	{"timeout", "", Late},

	{"SecurityError", "", Refused},
	{"NotAllowedError", "", Refused},
	// Chromium's IndexedDB with all site data blocked.
	{"UnknownError", "denied permission", Refused},
	// WebAssembly under a policy without wasm-unsafe-eval: Chromium and
	// Firefox say Content Security Policy or CSP, WebKit names the keyword.
	{"CompileError", "Content Security Policy", Refused},
	{"CompileError", "CSP", Refused},
	{"CompileError", "wasm-unsafe-eval", Refused},
	// Chromium before 95 (87 in ruffle-rs/ruffle issue 2572).
	{"CompileError", "disallowed by embedder", Refused},
	{"EvalError", "", Refused},
	// Firefox with both compilers off.
	{"", "no WebAssembly compiler", Absent},

	// All three engines, and Firefox's Cache on a disk without room.
	{"QuotaExceededError", "", Full},
	{"", "NO_DEVICE_SPACE", Full},

	{"ReferenceError", "", Absent},
	{"NotSupportedError", "", Absent},
	{"TimeoutError", "", Late},
}

// StateOf says what an exception, given as "Name" or "Name: message", means
// for the fact that was looked for.
func StateOf(exception string) State {
	name := nameOf(exception)
	for _, row := range states {
		if (row.name == "" || row.name == name) && strings.Contains(strings.ToLower(exception), strings.ToLower(row.text)) {
			return row.state
		}
	}
	return Broken
}

func nameOf(exception string) string {
	name, _, _ := strings.Cut(exception, ":")
	return clip(strings.TrimSpace(name), noteLimit)
}

// clip keeps the first n bytes of s, in whole characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
