package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"latchkey/internal/report"
	"latchkey/internal/text"
)

// decode reads a code that a person read aloud and prints what it says.
func decode(_ context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("decode", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: latchkey decode [-json] CODE\n\n"+
			"CODE is what a person reads aloud from the screen, such as 62W5-FF2J-0J8Q, in any case\n"+
			"and with or without hyphens and blanks.\n\n")
		flags.PrintDefaults()
	}
	asJSON := flags.Bool("json", false, "print what the code says as JSON")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return 2
	}
	code, err := report.ParseCode(strings.Join(flags.Args(), " "))
	if err != nil {
		fmt.Fprintf(stderr, "latchkey decode: %v\n", err)
		return 2
	}
	if *asJSON {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(code.Spoken())
	} else {
		_, err = io.WriteString(stdout, spoken(code, text.English()))
	}
	if err != nil {
		fmt.Fprintf(stderr, "latchkey decode: write the result: %v\n", err)
		return 1
	}
	return 0
}

// spoken is what the code says in a line, and below it each finding by the name
// that people read.
func spoken(code report.Code, words *text.Catalogue) string {
	s := code.Spoken()
	var b strings.Builder
	fmt.Fprintln(&b, s)
	for i, id := range s.Findings {
		if key := "check." + id + ".name"; words.Has(key) {
			fmt.Fprintf(&b, "  %d. %s: %s\n", i+1, id, words.Text(nil, key))
		}
	}
	return b.String()
}
