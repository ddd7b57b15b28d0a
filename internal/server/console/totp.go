package console

import (
	"context"
	"encoding/base32"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"latchkey/internal/server/qr"
	"latchkey/internal/store"
)

// What authenticator apps all know: six digits, a new code every 30 seconds.
const codeStep = 30 * time.Second

var codes = hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}

// codeSpan is how far off a phone's clock may be for us to tell: clocks that are set
// by hand are off by minutes, and by an hour where the season changed. By chance one
// wrong code in four thousand looks like that.
const codeSpan = time.Hour

// secretSize is that of SHA-1, as RFC 4226 wants.
const secretSize = 20

var secretForm = base32.StdEncoding.WithPadding(base32.NoPadding)

// findStep says for which time step a code is right: the nearest to now, within
// codeSpan.
func findStep(secret, code string, now time.Time) (step int64, ok bool) {
	at := now.Unix() / int64(codeStep/time.Second)
	for off := int64(0); off <= int64(codeSpan/codeStep); off++ {
		for _, step := range []int64{at - off, at + off} {
			want, err := hotp.GenerateCodeCustom(secret, uint64(step), codes)
			if err == nil && want == code {
				return step, true
			}
		}
	}
	return 0, false
}

// codeProblem is why a code was not taken, by the names of
// templates/problem.html, or empty.
type codeProblem struct {
	Problem string // code, used, behind, ahead or often
	Minutes int    // that the phone's clock is off, or to wait
}

// tryCode takes a code if it is right, and for the first time. A step to either side
// is right, too, because people are slow and clocks are not exact.
func (c *Console) tryCode(ctx context.Context, name, secret, code string) (codeProblem, error) {
	minutes, err := c.take(ctx, "code of", name, triesOfCode)
	if err != nil || minutes > 0 {
		return codeProblem{"often", minutes}, err
	}
	code = strings.NewReplacer(" ", "", "-", "").Replace(code)
	now := c.o.Now()
	step, ok := findStep(secret, code, now)
	if !ok {
		return codeProblem{Problem: "code"}, nil
	}
	off := step - now.Unix()/int64(codeStep/time.Second)
	inMinutes := func(steps int64) int { return int((time.Duration(steps)*codeStep + time.Minute/2) / time.Minute) }
	switch {
	case off < -1:
		return codeProblem{"behind", inMinutes(-off)}, nil
	case off > 1:
		return codeProblem{"ahead", inMinutes(off)}, nil
	}
	err = c.o.Store.Users.UseTOTP(ctx, name, step)
	if errors.Is(err, store.ErrConflict) {
		return codeProblem{Problem: "used"}, nil
	}
	return codeProblem{}, err
}

// secondFactor is what an authenticator app needs.
type secondFactor struct {
	Secret string
	Size   int // of the QR code
	Path   string
}

// Around is the QR code's size with the white border that it needs.
func (f secondFactor) Around() int { return f.Size + 8 }

// secondFactor shows a new secret. It is kept when a code proves that the app has it,
// and until then nowhere but in the page's own form.
func (c *Console) secondFactor(w http.ResponseWriter, r *http.Request) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: c.o.Site, AccountName: visitor(r.Context()).Name, SecretSize: secretSize})
	if err != nil {
		c.failed(w, r, err)
		return
	}
	c.secondFactorAgain(w, r, http.StatusOK, key.Secret(), codeProblem{})
}

func (c *Console) secondFactorAgain(w http.ResponseWriter, r *http.Request, status int, secret string, problem codeProblem) {
	raw, err := secretForm.DecodeString(secret)
	if err != nil || len(raw) != secretSize {
		c.refuse(w, r, http.StatusForbidden, "form")
		return
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: c.o.Site, AccountName: visitor(r.Context()).Name, Secret: raw})
	if err != nil {
		c.failed(w, r, err)
		return
	}
	f := secondFactor{Secret: secret}
	f.Size, f.Path = qr.Path(key.URL())
	c.render(w, r, status, "second-factor", struct {
		secondFactor
		codeProblem
	}{f, problem})
}

func (c *Console) setSecondFactor(w http.ResponseWriter, r *http.Request) {
	secret := r.PostFormValue("secret")
	if raw, err := secretForm.DecodeString(secret); err != nil || len(raw) != secretSize {
		c.refuse(w, r, http.StatusForbidden, "form")
		return
	}
	again := func(status int, problem string, minutes int) {
		c.secondFactorAgain(w, r, status, secret, codeProblem{problem, minutes})
	}
	if !c.prove(w, r, again) {
		return
	}
	problem, err := c.tryCode(r.Context(), visitor(r.Context()).Name, secret, r.PostFormValue("code"))
	switch {
	case err != nil:
		c.failed(w, r, err)
	case problem.Problem == "often":
		c.wait(w, problem.Minutes)
		again(http.StatusTooManyRequests, problem.Problem, problem.Minutes)
	case problem.Problem != "":
		again(http.StatusForbidden, problem.Problem, problem.Minutes)
	default:
		c.changeOwn(w, r, "user.totp.on", func(u *store.User) { u.TOTP = secret })
	}
}

func (c *Console) dropSecondFactor(w http.ResponseWriter, r *http.Request) {
	if c.prove(w, r, func(status int, problem string, minutes int) {
		c.accountAgain(w, r, status, accountPage{Form: "factor", Problem: problem, Minutes: minutes})
	}) {
		c.changeOwn(w, r, "user.totp.off", func(u *store.User) { u.TOTP = "" })
	}
}
