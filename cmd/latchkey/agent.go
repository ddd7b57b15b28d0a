package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"latchkey/internal/agent"
)

// lineLimit is how much of a line is read, in bytes: servers refuse more in
// all headers together.
const lineLimit = 64 << 10

// tellAgents reads user agents, one a line, and prints one JSON object for
// each, also for those of which nothing can be told.
func tellAgents(_ context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("agent", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: latchkey agent [-hints] < FILE\n\n"+
			"Reads user agents, one a line, and prints who each is as one JSON object a line.\n\n")
		flags.PrintDefaults()
	}
	hints := flags.Bool("hints", false, `read lines of JSON instead: {"ua": "…", "hints": {"sec-ch-ua": "…", …}}`)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() != 0 {
		flags.Usage()
		return 2
	}
	tell := agent.Read
	if *hints {
		tell = readHinted
	}
	if err := eachLine(stdin, stdout, tell); err != nil {
		fmt.Fprintf(stderr, "latchkey agent: %v\n", err)
		return 1
	}
	return 0
}

func eachLine(stdin io.Reader, stdout io.Writer, tell func(string) agent.Agent) error {
	in, out := bufio.NewReaderSize(stdin, lineLimit), bufio.NewWriter(stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for {
		line, more, err := in.ReadLine()
		if err == io.EOF {
			return out.Flush()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("read the user agents: %w", cause(err)), out.Flush())
		}
		a := tell(string(line))
		for more && err == nil {
			_, more, err = in.ReadLine()
		}
		if err := enc.Encode(a); err != nil {
			return fmt.Errorf("write the agents: %w", err)
		}
		if in.Buffered() > 0 {
			continue
		}
		if err := out.Flush(); err != nil { // someone may be typing
			return fmt.Errorf("write the agents: %w", err)
		}
	}
}

// readHinted reads a user agent and its hints from JSON; from anything else it
// tells nothing.
func readHinted(line string) agent.Agent {
	var in struct {
		UA    string         `json:"ua"`
		Hints map[string]any `json:"hints"`
	}
	if json.Unmarshal([]byte(line), &in) != nil {
		return agent.Agent{}
	}
	hints := agent.Hints{}
	for name, value := range in.Hints {
		if s, ok := value.(string); ok {
			hints[strings.ToLower(name)] = s
		}
	}
	return agent.ReadHints(in.UA, hints)
}
