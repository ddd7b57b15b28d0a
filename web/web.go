// Package web holds the files that a browser downloads: the script for the
// login page (embed.js), how to look at a browser (looks.js), the starter of the
// frame (frame.js), how a report is sent (send.js), what joins another device or
// window to it (pair.js) and their sides (bring.js in the second look, phone.js in a
// phone's page), how to compare clocks (clock.js), which languages there are
// (words.js), the script for a frame of another
// site (third.js), the style sheet and the demo portal. What they become for serving, compressed and with a
// content hash in the name, lies in dist and is made by cmd/pack.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

//go:embed demo
var demo embed.FS

// Dist returns what cmd/pack made: the files to serve and manifest.json. It
// is empty but for a .gitignore until "make wasm" has run.
func Dist() fs.FS { return sub(dist, "dist") }

// Demo returns the files of the demo portal.
func Demo() fs.FS { return sub(demo, "demo") }

func sub(f embed.FS, dir string) fs.FS {
	s, err := fs.Sub(f, dir)
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return s
}
