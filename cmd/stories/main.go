// Command stories writes every screen in every state as pages to look at. It is run
// from the root of the source tree.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"latchkey/app/story"
	"latchkey/internal/text"
)

func main() {
	out := flag.String("out", "bin/stories", "folder to write them into")
	flag.Parse()
	stories, err := story.Write(*out, os.DirFS("."), text.English())
	if err != nil {
		fmt.Fprintln(os.Stderr, "stories:", err)
		os.Exit(1)
	}
	fmt.Printf("%d stories, open %s in a browser\n", len(stories), filepath.Join(*out, "index.html"))
}
