package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"latchkey/internal/server/console"
	"latchkey/internal/store"
)

// byCommand stands in the audit log for who did it; no user can have the name.
const byCommand = "(command line)"

const userUsage = `usage: latchkey user COMMAND [NAME] [FLAGS]

  add NAME         make an account; asks for its password
  list             list the accounts
  password NAME    set a new password; ends their sessions
  off NAME         end their sessions and let them sign in no more
  on NAME          let them sign in again
  reset-totp NAME  turn the second factor off, for a lost phone; ends their sessions
  remove NAME      take the account away; what they did stays in the audit log

`

// userCommand is one way to call latchkey user.
type userCommand struct {
	db       string
	role     string
	stdin    bool // the password is on standard input
	in       io.Reader
	out, err io.Writer
	st       *store.Store
}

// user manages the local accounts of the console.
func user(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	u := userCommand{in: stdin, out: stdout, err: stderr}
	flags := dbFlags("user", userUsage, &u.db, stderr)
	flags.StringVar(&u.role, "role", string(store.Agent), "with add: `ROLE` agent or admin")
	flags.BoolVar(&u.stdin, "password-stdin", false, "read the password from standard input instead of asking")
	words, code := readFlags(flags, args)
	if code >= 0 {
		return code
	}
	what, name, err := u.understand(words)
	if err != nil {
		fmt.Fprintf(stderr, "latchkey user: %v (hint: latchkey user -h)\n", err)
		return 2
	}
	if u.st, err = openStore(ctx, u.db, slog.New(slog.NewTextHandler(stderr, nil))); err != nil {
		fmt.Fprintf(stderr, "latchkey user: %v\n", err)
		return 1
	}
	err = what(ctx, name)
	if closing := u.st.Close(); err == nil {
		err = closing
	}
	if err != nil {
		fmt.Fprintf(stderr, "latchkey user: %v\n", err)
		return 1
	}
	return 0
}

// understand says what to do from the words of the command line.
func (u *userCommand) understand(words []string) (what func(ctx context.Context, name string) error, name string, err error) {
	if len(words) == 0 {
		return nil, "", errors.New("say what to do")
	}
	todo := map[string]func(ctx context.Context, name string) error{
		"add": u.add, "list": u.list, "password": u.password, "off": u.off, "on": u.on, "reset-totp": u.resetTOTP, "remove": u.remove,
	}
	what, known := todo[words[0]]
	switch {
	case !known:
		return nil, "", fmt.Errorf("there is no command %q", words[0])
	case u.role != string(store.Agent) && u.role != string(store.Admin):
		return nil, "", fmt.Errorf("there is no role %q: agent or admin", u.role)
	case words[0] == "list" && len(words) == 1:
		return what, "", nil
	case words[0] == "list":
		return nil, "", errors.New("list takes no name")
	case len(words) != 2:
		return nil, "", fmt.Errorf("%s takes one name", words[0])
	}
	name, err = console.UserName(words[1])
	return what, name, err
}

// record writes down what is about to be done.
func (u *userCommand) record(ctx context.Context, did, name string) error {
	return u.st.Audit.Add(ctx, store.Entry{At: time.Now(), Who: byCommand, Did: did, What: name})
}

func (u *userCommand) add(ctx context.Context, name string) error {
	if _, err := u.st.Users.Get(ctx, name); err == nil {
		return fmt.Errorf("there is a user %s already (hint: latchkey user password %s sets a new password)", name, name)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	hash, err := u.askPassword()
	if err == nil {
		err = u.record(ctx, "user.add", name)
	}
	if err == nil {
		err = u.st.Users.Add(ctx, store.User{Name: name, Role: store.Role(u.role), Hash: hash, Made: time.Now()})
	}
	return u.done(err, "%s may sign in as %s", name, u.role)
}

func (u *userCommand) list(ctx context.Context, _ string) error {
	users, err := u.st.Users.List(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(u.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tROLE\tSIGNS IN WITH\tLAST SIGN-IN\tSTATE")
	for _, one := range users {
		with, seen, state := "password", "never", "on"
		switch {
		case one.Issuer != "":
			with = one.Issuer
		case one.TOTP != "":
			with = "password and code"
		}
		if !one.Seen.IsZero() {
			seen = one.Seen.UTC().Format("2006-01-02 15:04 UTC")
		}
		if one.Off {
			state = "off"
		}
		fmt.Fprintln(table, strings.Join([]string{one.Name, string(one.Role), with, seen, state}, "\t"))
	}
	return table.Flush()
}

// find reads the account of the name.
func (u *userCommand) find(ctx context.Context, name string) (store.User, error) {
	one, err := u.st.Users.Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return one, fmt.Errorf("there is no user %s (hint: latchkey user list)", name)
	}
	return one, err
}

// change sets something about a user, and ends their sessions if that is not to let
// them in.
func (u *userCommand) change(ctx context.Context, did, name string, set func(*store.User)) error {
	one, err := u.find(ctx, name)
	if err == nil {
		err = u.record(ctx, did, name)
	}
	if err == nil {
		set(&one)
		err = u.st.Users.Set(ctx, one)
	}
	if err == nil && did != "user.on" {
		err = u.st.Sessions.DeleteUser(ctx, name)
	}
	return err
}

func (u *userCommand) password(ctx context.Context, name string) error {
	one, err := u.find(ctx, name)
	if err == nil && one.Issuer != "" {
		err = fmt.Errorf("%s signs in with %s and has no password here", name, one.Issuer)
	}
	var hash string
	if err == nil {
		hash, err = u.askPassword()
	}
	if err == nil {
		err = u.change(ctx, "user.password", name, func(one *store.User) { one.Hash = hash })
	}
	return u.done(err, "%s has a new password, and is signed out everywhere", name)
}

func (u *userCommand) off(ctx context.Context, name string) error {
	err := u.change(ctx, "user.off", name, func(one *store.User) { one.Off = true })
	return u.done(err, "%s is signed out and may not sign in", name)
}

func (u *userCommand) on(ctx context.Context, name string) error {
	err := u.change(ctx, "user.on", name, func(one *store.User) { one.Off = false })
	return u.done(err, "%s may sign in", name)
}

func (u *userCommand) resetTOTP(ctx context.Context, name string) error {
	err := u.change(ctx, "user.totp.off", name, func(one *store.User) { one.TOTP = "" })
	return u.done(err, "%s signs in without a second factor", name)
}

func (u *userCommand) remove(ctx context.Context, name string) error {
	_, err := u.find(ctx, name)
	if err == nil {
		err = u.record(ctx, "user.remove", name)
	}
	if err == nil {
		err = u.st.Users.Delete(ctx, name)
	}
	return u.done(err, "%s is removed", name)
}

// done tells what was done, if it was.
func (u *userCommand) done(err error, format string, args ...any) error {
	if err == nil {
		fmt.Fprintf(u.out, format+"\n", args...)
	}
	return err
}

// askPassword reads a password that may be one, and returns its hash.
func (u *userCommand) askPassword() (hash string, err error) {
	read := u.fromTerminal
	if u.stdin {
		read = u.fromInput
	}
	password, err := read()
	if err == nil {
		err = console.CheckPassword(string(password))
	}
	if err != nil {
		return "", err
	}
	return console.HashPassword(string(password))
}

// fromInput takes one line, whose end is not part of the password.
func (u *userCommand) fromInput() ([]byte, error) {
	password, err := io.ReadAll(io.LimitReader(u.in, 8*console.MaxPassword))
	if err != nil {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	password = bytes.TrimSuffix(bytes.TrimSuffix(password, []byte("\n")), []byte("\r"))
	if bytes.ContainsAny(password, "\r\n") {
		return nil, errors.New("standard input has more than one line: the password is one")
	}
	return password, nil
}

func (u *userCommand) fromTerminal() ([]byte, error) {
	f, ok := u.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, errors.New("there is no terminal to ask for the password on (hint: -password-stdin reads it from standard input)")
	}
	ask := func(prompt string) ([]byte, error) {
		fmt.Fprint(u.err, prompt)
		defer fmt.Fprintln(u.err)
		return term.ReadPassword(int(f.Fd()))
	}
	first, err := ask(fmt.Sprintf("Password (at least %d characters): ", console.MinPassword))
	if err != nil {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	again, err := ask("Once more: ")
	if err != nil {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	if !slices.Equal(first, again) {
		return nil, errors.New("the two passwords differ: nothing was changed")
	}
	return first, nil
}
