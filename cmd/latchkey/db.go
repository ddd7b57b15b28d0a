package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
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
