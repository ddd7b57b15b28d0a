package console

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"time"

	"latchkey/internal/store"
)

// How often somebody may try to sign in. An address may be that of a whole office.
// Whoever tries an account's password this often keeps its owner out, too, for as
// long: that is the price of 960 guesses a day at most.
const (
	triesWindow     = 15 * time.Minute
	triesOfAddress  = 60
	triesOfAccount  = 10
	triesOfCode     = 5 // 480 guesses a day at three of a million codes
	secondStepLasts = 5 * time.Minute
)

// accounts adds the pages that people sign in and manage accounts with.
func (c *Console) accounts(r router) {
	r.open("GET sign-in", c.signInPage)
	r.open("POST sign-in", c.signIn)
	r.open("POST sign-in/code", c.signInCode)
	r.open("GET oidc", c.oidcStart)
	r.open("GET oidc/callback", c.oidcCallback)
	r.page("POST sign-out", store.Agent, c.signOut)

	r.page("GET account", store.Agent, c.account)
	r.page("POST account/password", store.Agent, c.setOwnPassword)
	r.page("GET account/second-factor", store.Agent, c.secondFactor)
	r.page("POST account/second-factor", store.Agent, c.setSecondFactor)
	r.page("POST account/second-factor/off", store.Agent, c.dropSecondFactor)

	r.page("GET users", store.Admin, c.users)
	r.page("POST users", store.Admin, c.addUser)
	r.page("GET users/{name}", store.Admin, c.user)
	r.page("POST users/{name}/{deed}", store.Admin, c.changeUser)
	r.page("GET audit", store.Admin, c.auditLog)
}

// signInForm is what sign-in.html is given.
type signInForm struct {
	Next string
	Name string // as it was typed
	// Problem is why nobody was signed in, by the names of
	// templates/problem.html.
	Problem string
	Minutes int  // to wait
	Local   bool // whether a password can be typed
	Nobody  bool // there is no account yet
	OIDC    string
}

func (c *Console) signInPage(w http.ResponseWriter, r *http.Request) {
	f := signInForm{Next: c.next(r.URL.Query().Get("next"))}
	if _, err := c.visit(r); err == nil {
		http.Redirect(w, r, f.Next, http.StatusSeeOther)
		return
	} else if !errors.Is(err, store.ErrNotFound) {
		c.failed(w, r, err)
		return
	}
	c.signInAgain(w, r, http.StatusOK, f)
}

// signInAgain shows the form.
func (c *Console) signInAgain(w http.ResponseWriter, r *http.Request, status int, f signInForm) {
	users, err := c.o.Store.Users.List(r.Context())
	if err != nil {
		c.failed(w, r, err)
		return
	}
	if c.oidc != nil {
		f.OIDC = c.oidc.Name
	}
	for _, u := range users {
		f.Local = f.Local || u.Hash != ""
	}
	f.Nobody = !f.Local && c.oidc == nil
	if !c.reachable(r) {
		f.Problem, f.Local, f.OIDC = "insecure", false, ""
	}
	c.render(w, r, status, "sign-in", f)
}

// take counts one try, and says how many minutes to wait if there were too many. The
// name is hashed, because people type passwords where names belong.
func (c *Console) take(ctx context.Context, what, of string, n int) (minutes int, err error) {
	hash := sha256.Sum256([]byte(of))
	wait, err := c.o.Store.Limits.Take(ctx, what+":"+hex.EncodeToString(hash[:16]), n, triesWindow)
	return int((wait + time.Minute - 1) / time.Minute), err
}

// wait answers whoever tried too often.
func (c *Console) wait(w http.ResponseWriter, minutes int) {
	w.Header().Set("Retry-After", strconv.Itoa(60*minutes))
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	f := signInForm{Next: c.next(r.PostFormValue("next")), Name: r.PostFormValue("name")}
	again := func(status int, problem string) {
		f.Problem = problem
		c.signInAgain(w, r, status, f)
	}
	if !c.reachable(r) {
		again(http.StatusForbidden, "insecure")
		return
	}
	name, unknown := UserName(f.Name)
	minutes, err := c.take(ctx, "sign-in from", c.line(r), triesOfAddress)
	if err == nil && minutes == 0 {
		minutes, err = c.take(ctx, "sign-in as", cmp.Or(name, f.Name), triesOfAccount)
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	if minutes > 0 {
		c.wait(w, minutes)
		f.Minutes = minutes
		again(http.StatusTooManyRequests, "often")
		return
	}
	var u store.User
	if unknown == nil {
		if u, err = c.o.Store.Users.Get(ctx, name); err != nil && !errors.Is(err, store.ErrNotFound) {
			c.failed(w, r, err)
			return
		}
	}
	right, err := c.passwords.match(ctx, r.PostFormValue("password"), u.Hash)
	switch {
	case errors.Is(err, errBusy):
		again(http.StatusServiceUnavailable, "busy")
	case err != nil:
		c.failed(w, r, err)
	case !right:
		// What was typed as the name of an unknown user may be a password.
		c.turnAway(w, r, u.Name, func() { again(http.StatusForbidden, "wrong") })
	case u.Off:
		c.turnAway(w, r, u.Name, func() { again(http.StatusForbidden, "off") })
	case u.TOTP != "":
		c.askCode(w, r, u.Name, f.Next)
	default:
		c.welcome(w, r, u.Name, f.Next)
	}
}

// turnAway writes down that signing in failed, then answers.
func (c *Console) turnAway(w http.ResponseWriter, r *http.Request, name string, answer func()) {
	if err := c.record(r, "", "signin.failed", name); err != nil {
		c.failed(w, r, err)
		return
	}
	answer()
}

// welcome signs the user in.
func (c *Console) welcome(w http.ResponseWriter, r *http.Request, name, next string) {
	err := c.record(r, name, "signin.ok", name)
	if err == nil {
		err = c.o.Store.Users.Touch(r.Context(), name)
	}
	if err == nil {
		err = c.enter(w, r, name)
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) {
	if err := c.audit(r, "signout", visitor(r.Context()).Name); err != nil {
		c.failed(w, r, err)
		return
	}
	hash, _ := store.HashToken(c.kept(r, ""))
	if err := c.o.Store.Sessions.Delete(r.Context(), hash); err != nil && !errors.Is(err, store.ErrNotFound) {
		c.failed(w, r, err)
		return
	}
	c.forget(w, r, "")
	http.Redirect(w, r, c.at+"sign-in", http.StatusSeeOther)
}

// secondStep is under what a sign-in is kept whose password was right and whose code
// is still to come. It is no session: nothing finds one by the token's own hash.
func secondStep(token string) ([]byte, bool) {
	hash, ok := store.HashToken(token)
	if !ok {
		return nil, false
	}
	step := sha256.Sum256(append([]byte("second step "), hash...))
	return step[:], true
}

// codeForm is what code.html is given.
type codeForm struct {
	Step, Next string
	codeProblem
}

// askCode asks for the second factor.
func (c *Console) askCode(w http.ResponseWriter, r *http.Request, name, next string) {
	token, _ := store.NewToken()
	hash, _ := secondStep(token)
	now := c.o.Now()
	if err := c.o.Store.Sessions.Add(r.Context(), store.Session{Hash: hash, User: name, Made: now, Seen: now, Expires: now.Add(secondStepLasts)}); err != nil {
		c.failed(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "code", codeForm{Step: token, Next: next})
}

func (c *Console) signInCode(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	f := codeForm{Step: r.PostFormValue("step"), Next: c.next(r.PostFormValue("next"))}
	hash, ok := secondStep(f.Step)
	s, err := store.Session{}, error(store.ErrNotFound)
	if ok {
		s, err = c.o.Store.Sessions.Get(ctx, hash)
	}
	var u store.User
	if err == nil {
		u, err = c.o.Store.Users.Get(ctx, s.User)
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && (u.Off || u.TOTP == "") {
		c.signInAgain(w, r, http.StatusForbidden, signInForm{Next: f.Next, Problem: "late"})
		return
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	f.codeProblem, err = c.tryCode(ctx, u.Name, u.TOTP, r.PostFormValue("code"))
	switch {
	case err != nil:
		c.failed(w, r, err)
	case f.Problem == "often":
		c.wait(w, f.Minutes)
		c.render(w, r, http.StatusTooManyRequests, "code", f)
	case f.Problem != "":
		c.turnAway(w, r, u.Name, func() { c.render(w, r, http.StatusForbidden, "code", f) })
	default:
		if err := c.o.Store.Sessions.Delete(ctx, hash); err != nil {
			c.failed(w, r, err)
			return
		}
		c.welcome(w, r, u.Name, f.Next)
	}
}
