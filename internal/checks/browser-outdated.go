package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// browserOutdated finds browsers that are too old for today's login pages. The
// floor is what still had security fixes from its vendor in 2023 or later:
// below it login pages meet syntax and policies that the engine cannot read.
//
// It is wrong when a proxy or a setting changes the user agent, hence likely.
// Source: release notes as in MDN browser-compat-data of 2026-08.
var browserOutdated = diag.Check{
	ID:     "browser-outdated",
	Impact: diag.Blocks,
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Browser.Engine, &e.Browser.EngineMajor) },
	Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Browser.Family, &e.Browser.Major) },
	Run: func(e evidence.Evidence) diag.Outcome {
		for _, f := range facts(&e.Browser.Engine, &e.Browser.EngineMajor) {
			if f.How() != evidence.OK {
				return diag.Unknown(string(f.How()))
			}
		}
		if !engineBelow(e, engineFloor) {
			return diag.Pass()
		}
		args := diag.Args{}
		if e.Browser.Family.State == evidence.OK && e.Browser.Major.State == evidence.OK {
			args["version"] = e.Browser.Major.Value
		}
		return diag.Fail(diag.Likely, "update-browser", "use-other-browser", "use-other-device", "contact-support").With(args)
	},
}

// engineFloor is the oldest major of each engine that we call current enough:
// Chromium 109 was the last for Windows 7 and 8.1, Firefox 115 likewise, and
// Safari 16 is the first whose policies know wasm-unsafe-eval.
var engineFloor = map[string]int{"Blink": 109, "Gecko": 115, "WebKit": 16, "Trident": 12}
