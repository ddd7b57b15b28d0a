// Command pack makes the files that a browser downloads ready for serving: it
// compresses them at the highest levels, puts a hash of the content into their
// names and writes down what it made in web/dist/manifest.json. It runs at
// build time only, from the top of the module:
//
//	go run ./cmd/pack -trim bin/.go-app
//	go run ./cmd/pack -wasm bin/widget.wasm
//	go run ./cmd/pack -size
//
// The words of the languages other than English become a file each, and another
// with their menu words alone (see text.Language).
//
// The first form prepares the build of the WebAssembly (see trim.go), the last
// one prints the sizes and fails when one is over its budget.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"latchkey/internal/text"
)

const dist = "web/dist"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("pack", flag.ContinueOnError)
	flags.SetOutput(stderr)
	wasm := flags.String("wasm", "", "the WebAssembly `FILE` to pack with the rest")
	size := flags.Bool("size", false, "print the sizes and fail when one is over its budget")
	trimmed := flags.String("trim", "", "copy go-app without its server to `DIR`, and a go.mod that uses it to DIR.mod")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *wasm == "" && !*size && *trimmed == "" {
		fmt.Fprintln(stderr, "pack: say what to do: -trim DIR, -wasm FILE or -size")
		return 2
	}

	if *trimmed != "" {
		if err := trim(*trimmed); err != nil {
			fmt.Fprintln(stderr, "pack: trim go-app:", err)
			return 1
		}
	}
	if *wasm != "" {
		if err := packAll(*wasm); err != nil {
			fmt.Fprintln(stderr, "pack:", err)
			return 1
		}
	}
	if *size {
		if err := printSizes(stdout, dist, budgets()); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
	}
	return 0
}

func packAll(wasm string) error {
	glue, err := wasmExec()
	if err != nil {
		return err
	}
	words := map[string][]byte{}
	for _, l := range text.Languages() {
		if l.File != nil {
			words[l.Tag+".json"] = l.File
		}
		if l.Menus != nil {
			words[l.Tag+".menu.json"] = l.Menus
		}
	}
	return pack(dist, map[string]string{
		"clock.js":     "web/clock.js",
		"embed.js":     "web/embed.js",
		"frame.js":     "web/frame.js",
		"looks.js":     "web/looks.js",
		"pair.js":      "web/pair.js",
		"bring.js":     "web/bring.js",
		"phone.js":     "web/phone.js",
		"send.js":      "web/send.js",
		"network.js":   "web/network.js",
		"steps.js":     "web/steps.js",
		"third.js":     "web/third.js",
		"words.js":     "web/words.js",
		"latchkey.css": "web/latchkey.css",
		"live.js":      "web/live.js",
		"console.css":  "web/console.css",
		"wasm_exec.js": glue,
		"widget.wasm":  wasm,
	}, words)
}

// wasmExec asks the go command, because Go's glue script only fits modules that
// the same toolchain built, and GOTOOLCHAIN may have chosen another one than
// the one in PATH.
func wasmExec() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("ask go where wasm_exec.js is: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "lib", "wasm", "wasm_exec.js"), nil
}
