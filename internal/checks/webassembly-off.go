package checks

import (
	"cmp"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// webassemblyOff finds out why the browser runs no WebAssembly. That stops no
// sign-in by itself, but it hides the better half of our checks, and it comes
// with settings that do stop some. The reason is an argument: "absent" and
// "no-compiler" (a setting of the browser), "policy" (the page's own policy),
// "content-type" (something on the way answers in place of the file).
//
// It is wrong when a policy was added on the way by a proxy: that reads as the
// page's own. Engines that are too old for WebAssembly, or for the policy word
// wasm-unsafe-eval, are browser-outdated and nothing else.
// Source: Chromium 87 and 156, Firefox 153, WebKitGTK 2.50, tried 2026-11.
var webassemblyOff = diag.Check{
	ID:     "webassembly-off",
	Impact: diag.Note,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Script.Wasm) },
	Uses: func(e *evidence.Evidence) []evidence.Seen {
		return facts(&e.Browser.Engine, &e.Browser.EngineMajor, &e.Script.WasmType)
	},
	Run: func(e evidence.Evidence) diag.Outcome {
		reason := e.Run.TierReason
		args := diag.Args{"reason": string(reason)}
		switch {
		case reason == evidence.ContentType:
			args["type"] = e.Script.WasmType.Value
			return diag.Fail(diag.Likely, "try-other-network", "ask-it-to-allow", "contact-support").With(args)
		case evidence.Is(e.Script.Wasm, true):
			return diag.Pass()
		case engineBelow(e, wasmPolicyFloor):
			return diag.Skip()
		case reason == evidence.Policy:
			return diag.Fail(diag.Sure, "report-to-site").With(args)
		}
		args["reason"] = cmp.Or(string(reason), string(evidence.NoWasm))
		return diag.Fail(diag.Sure, "turn-on-webassembly", "use-other-browser").With(args)
	},
}

// wasmPolicyFloor is the first major of each engine that knows the policy word
// wasm-unsafe-eval; older ones refuse WebAssembly on our pages (MDN
// browser-compat-data of 2026-08; Chromium 87 seen 2026-11).
var wasmPolicyFloor = map[string]int{"Blink": 97, "Gecko": 102, "WebKit": 16}

// engineBelow is whether the engine is known and older than its floor.
func engineBelow(e evidence.Evidence, floor map[string]int) bool {
	at, ok := floor[e.Browser.Engine.Value]
	return ok && e.Browser.EngineMajor.State == evidence.OK && e.Browser.EngineMajor.Value < at
}
