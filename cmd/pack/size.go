package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"latchkey/internal/text"
)

// budgets are the most bytes, with brotli, that a file may cost a person on a
// slow line: half a second for 100 KB at 1.6 Mbit/s. embed.js weighs on every
// view of the login page, frame.js, looks.js, clock.js, network.js, steps.js, words.js and send.js on every
// opening of the widget. pair.js comes when it is asked for, and serves two parts.
// The words of a language come beside widget.wasm, for who needs them; live.js is the
// console's.
func budgets() map[string]int {
	most := map[string]int{
		"bring.js":    3 * 512,
		"clock.js":    2 * 1024,
		"embed.js":    3 * 1024,
		"frame.js":    6 * 1024,
		"live.js":     1024,
		"looks.js":    7 * 1024,
		"network.js":  6 * 1024,
		"pair.js":     2 * 1024,
		"phone.js":    2 * 1024,
		"send.js":     2 * 1024,
		"steps.js":    3 * 512,
		"third.js":    3 * 512,
		"words.js":    5 * 256,
		"widget.wasm": 1_250_000,
	}
	for _, l := range text.Languages() {
		most[l.Tag+".json"] = 28 * 1024
		most[l.Tag+".menu.json"] = 4 * 1024
	}
	return most
}

// printSizes prints what the manifest in dir says and returns an error that
// names every file over its budget.
func printSizes(w io.Writer, dir string, budgets map[string]int) error {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return fmt.Errorf("nothing is packed yet: run make wasm (%w)", err)
	}
	var manifest map[string]entry
	if err := json.Unmarshal(text, &manifest); err != nil {
		return fmt.Errorf("%s: %w", manifestName, err)
	}

	var errs []error
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "file\traw\tgzip\tbrotli\tbudget\t")
	for _, name := range slices.Sorted(maps.Keys(manifest)) {
		e := manifest[name]
		budget, limited := budgets[name]
		shown := ""
		if limited {
			shown = fmt.Sprint(budget)
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t\n", name, e.Raw, e.Gzip, e.Brotli, shown)
		if limited && e.Brotli > budget {
			errs = append(errs, fmt.Errorf("%s is over its budget: %d bytes with brotli, %d allowed", name, e.Brotli, budget))
		}
	}
	return errors.Join(append(errs, table.Flush())...)
}
