package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"latchkey/internal/store"
)

// openTime is how long a database may take to open, and to be brought up to date.
const openTime = time.Minute

// dbFlag adds -db, which every command has that opens the database.
func dbFlag(set *flag.FlagSet, url *string) {
	set.StringVar(url, "db", "sqlite:latchkey.db", "keep cases and reports in the database at `URL`: sqlite:PATH or postgres://…")
}

// dbFlags are those of a command that opens the database, with its usage.
func dbFlags(command, usage string, url *string, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	dbFlag(flags, url)
	return flags
}

// readFlags reads flags wherever they stand, and those that are left out from the
// environment. It returns the words between them, and the code to end with, or -1.
func readFlags(flags *flag.FlagSet, args []string) (words []string, code int) {
	words, err := flagsAnywhere(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, 0
	case err != nil:
		return nil, 2 // flags has said it
	}
	if err := fromEnvironment(flags); err != nil {
		fmt.Fprintf(flags.Output(), "latchkey %s: %v\n", flags.Name(), err)
		return nil, 2
	}
	return words, -1
}

// flagsAnywhere parses flags that stand before, between or after the other words.
func flagsAnywhere(set *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		if set.NArg() == 0 {
			return words, nil
		}
		words, args = append(words, set.Arg(0)), set.Args()[1:]
	}
}

// keysVariable names no flag: command lines can be read by everybody on a machine.
const keysVariable = "LATCHKEY_DB_KEYS"

// openStore opens the database at the URL, with the keys in the environment.
func openStore(ctx context.Context, url string, log *slog.Logger) (*store.Store, error) {
	keys, err := store.ParseKeys(os.Getenv(keysVariable))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", keysVariable, err)
	}
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	st, err := store.Open(ctx, url, store.Options{Keys: keys, Log: log})
	switch {
	case err == nil:
		return st, nil
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("the database did not answer within %v: see that it runs and that -db is right", openTime)
	}
	return nil, fmt.Errorf("open the database: %w", err)
}
