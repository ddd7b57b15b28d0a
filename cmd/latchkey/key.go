package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"text/tabwriter"
	"time"

	"latchkey/internal/server"
	"latchkey/internal/store"
)

const keyUsage = `usage: latchkey key add NAME [-db URL]
       latchkey key list [-db URL]
       latchkey key remove NAME [-db URL]

Keys let other programs, such as a help desk's, use the API. NAME says whose it
is: it stands in the audit log. add prints the key, which nobody can print again.

`

// keyName keeps names fit for a log.
var keyName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,59}$`)

// keys manages the keys of the API.
func keys(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	var url string
	flags := dbFlags("key", keyUsage, &url, stderr)
	words, code := readFlags(flags, args)
	if code >= 0 {
		return code
	}
	var do func(ctx context.Context, st *store.Store, out io.Writer) error
	switch {
	case len(words) == 2 && words[0] == "add":
		if !keyName.MatchString(words[1]) {
			fmt.Fprintf(stderr, "latchkey key: %q cannot be a key's name: use small letters, digits, dots, hyphens and underscores, at most 60\n", words[1])
			return 2
		}
		do = func(ctx context.Context, st *store.Store, out io.Writer) error { return addKey(ctx, st, out, words[1]) }
	case len(words) == 1 && words[0] == "list":
		do = listKeys
	case len(words) == 2 && words[0] == "remove":
		do = func(ctx context.Context, st *store.Store, _ io.Writer) error { return removeKey(ctx, st, words[1]) }
	default:
		flags.Usage()
		return 2
	}
	st, err := openStore(ctx, url, slog.New(slog.NewTextHandler(stderr, nil)))
	if err == nil {
		err = errors.Join(do(ctx, st, stdout), st.Close())
	}
	if err != nil {
		fmt.Fprintf(stderr, "latchkey key: %v\n", err)
		return 1
	}
	return 0
}

func addKey(ctx context.Context, st *store.Store, out io.Writer, name string) error {
	key, hash := server.NewKey()
	if err := st.Audit.Add(ctx, store.Entry{Who: byCommand, Did: "key.add", What: name}); err != nil {
		return err
	}
	err := st.Keys.Add(ctx, store.Key{Name: name, Hash: hash, By: byCommand})
	if errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("there is a key %q already: take another name, or first: latchkey key remove %s", name, name)
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, key); err != nil {
		return fmt.Errorf("print the key: %w (take it away again with: latchkey key remove %s)", err, name)
	}
	return nil
}

func listKeys(ctx context.Context, st *store.Store, out io.Writer) error {
	keys, err := st.Keys.List(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tMADE\tLAST USED")
	for _, k := range keys {
		used := "never"
		if !k.Seen.IsZero() {
			used = k.Seen.UTC().Format(time.DateTime)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", k.Name, k.Made.UTC().Format(time.DateTime), used)
	}
	return table.Flush()
}

func removeKey(ctx context.Context, st *store.Store, name string) error {
	if err := st.Audit.Add(ctx, store.Entry{Who: byCommand, Did: "key.remove", What: name}); err != nil {
		return err
	}
	err := st.Keys.Delete(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no key %q: latchkey key list shows them", name)
	}
	return err
}
