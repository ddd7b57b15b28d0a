package checks

import (
	"cmp"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// cookiesTooLarge finds sites whose cookies have grown beyond what servers take.
// It is sure if a request with cookies was refused and the same one without was
// not, and likely if they are longer than the usual limit. Casebook 31 and 32.
//
// It is wrong where every server on the way takes more than usual.
var cookiesTooLarge = diag.Check{
	ID:     "cookies-too-large",
	Impact: diag.Blocks,
	Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Cookies.Jar, &e.Cookies.TooLarge) },
	Run: func(e evidence.Evidence) diag.Outcome {
		fixes := []string{"remove-old-cookies", "clear-site-data", "try-private-window", "contact-support"}
		jar := e.Cookies.Jar
		switch {
		case evidence.Is(e.Cookies.TooLarge, true):
			return diag.Fail(diag.Sure, fixes...)
		case jar.State != evidence.OK:
			return diag.Unknown(cmp.Or(string(jar.State), "unasked"))
		case jar.Value.Bytes > usualLimit:
			return diag.Fail(diag.Likely, fixes...).With(diag.Args{"count": jar.Value.Count, "bytes": jar.Value.Bytes})
		}
		return diag.Pass()
	},
}

// usualLimit is what Apache takes in one header line by default, in bytes
// (LimitRequestFieldSize 8190); nginx takes 8 KiB (large_client_header_buffers).
const usualLimit = 8190
