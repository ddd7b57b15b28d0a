package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"latchkey/internal/store"
)

const migrateUsage = `usage: latchkey migrate [-reseal] [-db URL]

Makes the database's tables, or brings them up to date. The server does the same when
it starts; here it can be seen, and may take its time. There is no way back: make a
backup first.

The keys that encrypt reports stand in the environment, as LATCHKEY_DB_KEYS: each is 32
bytes in base64 or hex, with commas between them. The first encrypts and all decrypt. To
change it, put a new one in front, run this with -reseal, and take the old one out.

`

// migrate brings a database up to date without serving it.
func migrate(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	var url string
	flags := dbFlags("migrate", migrateUsage, &url, stderr)
	reseal := flags.Bool("reseal", false, "encrypt with the first key whatever another key or none encrypted")
	words, code := readFlags(flags, args)
	if code >= 0 {
		return code
	}
	if len(words) > 0 {
		flags.Usage()
		return 2
	}
	fail := func(code int, err error) int {
		fmt.Fprintf(stderr, "latchkey migrate: %v\n", err)
		return code
	}
	keys, err := store.ParseKeys(os.Getenv(keysVariable))
	if err != nil {
		return fail(2, fmt.Errorf("%s: %w", keysVariable, err))
	}
	if *reseal && len(keys) == 0 {
		return fail(2, fmt.Errorf("-reseal needs a key in %s: make one with: openssl rand -base64 32", keysVariable))
	}
	st, err := store.Open(ctx, url, store.Options{Keys: keys, Log: slog.New(slog.NewTextHandler(stderr, nil))})
	if err != nil {
		return fail(1, err)
	}
	for _, name := range st.Migrated {
		fmt.Fprintf(stdout, "ran %s\n", name)
	}
	if len(st.Migrated) == 0 {
		fmt.Fprintln(stdout, "the tables are up to date")
	}
	if *reseal {
		n, resealErr := st.Reseal(ctx)
		fmt.Fprintf(stdout, "encrypted anew: %d\n", n)
		err = resealErr
	}
	if err = errors.Join(err, st.Close()); err != nil {
		return fail(1, err)
	}
	return 0
}
