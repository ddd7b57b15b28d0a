package console

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"latchkey/internal/store"
)

// How long a password is, in characters. Length is the only rule: others make people
// choose worse ones.
const (
	MinPassword = 12
	MaxPassword = 200
)

// hashing is OWASP's first choice for argon2id of 2024: 19 MiB and two passes, some
// 30 ms of one core.
var hashing = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hashers is how many passwords are hashed at once, however many people, or programs,
// sign in. Until the garbage collector runs, each holds its 19 MiB more than once.
const hashers = 2

// hashWait is for how long somebody stands in line for that.
const hashWait = 10 * time.Second

var errBusy = errors.New("too many people sign in at once")

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{0,63}$`)

// UserName is the name of an account as it is kept, from what somebody typed.
func UserName(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if !nameForm.MatchString(s) {
		return "", errors.New("a name has up to 64 letters (a to z), digits and . _ @ + -, and begins with a letter or digit")
	}
	return s, nil
}

// CheckPassword says what is wrong with a password that somebody chose.
func CheckPassword(password string) error {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return errors.New("the password is not text in UTF-8")
	case n < MinPassword:
		return fmt.Errorf("the password has %d characters, it needs %d: a few words are easy to remember", n, MinPassword)
	case n > MaxPassword:
		return fmt.Errorf("the password has %d characters, it may have %d", n, MaxPassword)
	}
	return nil
}

// HashPassword makes what is kept of a password.
func HashPassword(password string) (string, error) { return argon2id.CreateHash(password, hashing) }

// passwords hashes a few at a time.
type passwords struct {
	slots  chan struct{}
	wait   time.Duration
	nobody string // the hash of a password that nobody knows
}

func newPasswords() (*passwords, error) {
	secret, _ := store.NewToken()
	nobody, err := HashPassword(secret)
	return &passwords{make(chan struct{}, hashers), hashWait, nobody}, err
}

// turn waits for a slot; leave gives it back.
func (p *passwords) turn(ctx context.Context) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, nil
	case <-ctx.Done():
		return nil, errBusy
	}
}

// match is whether the password is the one that was hashed. An account without a
// password takes as long as others, and so does one that does not exist, whose hash
// is "".
func (p *passwords) match(ctx context.Context, password, hash string) (bool, error) {
	leave, err := p.turn(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if utf8.RuneCountInString(password) > MaxPassword {
		password = "" // nobody's
	}
	if hash == "" {
		_, err := argon2id.ComparePasswordAndHash(password, p.nobody)
		return false, err
	}
	return argon2id.ComparePasswordAndHash(password, hash)
}

func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	leave, err := p.turn(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return HashPassword(password)
}
