// Command latchkey is the server and the tools around it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// command is one subcommand. run returns the exit code: 0, 1 when something
// failed, or 2 when it was called wrongly or given what it cannot read.
type command struct {
	name string
	help string // one line
	run  func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int
}

func commands() []command {
	return []command{
		{"serve", "run the server", serve},
		{"key", "make, list and take away keys of the API", keys},
		{"migrate", "bring a database up to date, and encrypt it anew", migrate},
		{"diagnose", "judge evidence or a report from a file", diagnose},
		{"decode", "say what a code says that a person read aloud", decode},
		{"user", "manage who may sign in to the console", user},
		{"agent", "say who browsers are, from their user agents", tellAgents},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, help())
		return 2
	}
	switch name := args[0]; name {
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, help())
		return 0
	default:
		for _, c := range commands() {
			if c.name == name {
				return c.run(ctx, args[1:], stdin, stdout, stderr)
			}
		}
		fmt.Fprintf(stderr, "latchkey: there is no command %q: latchkey help lists them\n", name)
		return 2
	}
}

func help() string {
	var b strings.Builder
	b.WriteString("Latchkey finds out why a sign-in fails.\n\nusage: latchkey COMMAND [FLAGS]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-10s %s\n", c.name, c.help)
	}
	b.WriteString("\nlatchkey COMMAND -h lists the flags of a command.\n")
	return b.String()
}
