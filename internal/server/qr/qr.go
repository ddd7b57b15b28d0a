// Package qr draws QR codes for our pages.
package qr

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// Path draws the QR code of a text, as the path of an SVG element in which a
// module is one unit and a line's middle is half a unit below its top: digits and
// a few letters, whatever the text. It has none of a text that is too long.
func Path(text string) (size int, path string) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return 0, ""
	}
	var b strings.Builder
	for y := range code.Size {
		fmt.Fprintf(&b, "M0 %d.5", y)
		for x := 0; x < code.Size; {
			end := x + 1
			for end < code.Size && code.Black(end, y) == code.Black(x, y) {
				end++
			}
			if code.Black(x, y) {
				fmt.Fprintf(&b, "h%d", end-x)
			} else if end < code.Size {
				fmt.Fprintf(&b, "m%d 0", end-x)
			}
			x = end
		}
	}
	return code.Size, b.String()
}
