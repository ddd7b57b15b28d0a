package console

import (
	"context"
	"errors"
	"net/http"

	"latchkey/internal/store"
)

// accountPage is what account.html is given.
type accountPage struct {
	Role   store.Role
	Local  bool   // has a password here
	Factor bool   // has a second factor
	Done   string // what was just done, as the audit log says it
	// Form is which form was not taken, and Problem why, by the names of
	// templates/problem.html.
	Form, Problem string
	Minutes       int // to wait
	Min, Max      int // characters of a password
}

func (c *Console) account(w http.ResponseWriter, r *http.Request) {
	c.accountAgain(w, r, http.StatusOK, accountPage{Done: r.URL.Query().Get("done")})
}

// accountAgain shows the visitor's own account.
func (c *Console) accountAgain(w http.ResponseWriter, r *http.Request, status int, p accountPage) {
	u, err := c.o.Store.Users.Get(r.Context(), visitor(r.Context()).Name)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	p.Role, p.Local, p.Factor = u.Role, u.Hash != "", u.TOTP != ""
	p.Min, p.Max = MinPassword, MaxPassword
	c.render(w, r, status, "account", p)
}

// prove asks for the visitor's own password before what it guards is changed. It has
// answered if it returns false.
func (c *Console) prove(w http.ResponseWriter, r *http.Request, again func(status int, problem string, minutes int)) bool {
	ctx := r.Context()
	name := visitor(ctx).Name
	minutes, err := c.take(ctx, "sign-in as", name, triesOfAccount)
	var u store.User
	if err == nil && minutes == 0 {
		u, err = c.o.Store.Users.Get(ctx, name)
	}
	right := false
	if err == nil && minutes == 0 {
		right, err = c.passwords.match(ctx, r.PostFormValue("password"), u.Hash)
	}
	switch {
	case errors.Is(err, errBusy):
		again(http.StatusServiceUnavailable, "busy", 0)
	case err != nil:
		c.failed(w, r, err)
	case minutes > 0:
		c.wait(w, minutes)
		again(http.StatusTooManyRequests, "often", minutes)
	case !right:
		again(http.StatusForbidden, "password", 0)
	}
	return right
}

// change writes one thing about a user. What is read and what is written lie close
// together, so that what somebody else changes meanwhile stays.
func (c *Console) change(ctx context.Context, name string, set func(*store.User)) error {
	u, err := c.o.Store.Users.Get(ctx, name)
	if err != nil {
		return err
	}
	set(&u)
	return c.o.Store.Users.Set(ctx, u)
}

// changeOwn changes what signs the visitor in, and ends their other sessions.
func (c *Console) changeOwn(w http.ResponseWriter, r *http.Request, did string, set func(*store.User)) {
	name := visitor(r.Context()).Name
	err := c.audit(r, did, name)
	if err == nil {
		err = c.change(r.Context(), name, set)
	}
	if err == nil {
		err = c.alone(w, r, name)
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	http.Redirect(w, r, c.at+"account?done="+did, http.StatusSeeOther)
}

func (c *Console) setOwnPassword(w http.ResponseWriter, r *http.Request) {
	again := func(status int, problem string, minutes int) {
		c.accountAgain(w, r, status, accountPage{Form: "password", Problem: problem, Minutes: minutes})
	}
	chosen := r.PostFormValue("new")
	if CheckPassword(chosen) != nil {
		again(http.StatusUnprocessableEntity, "length", 0)
		return
	}
	if chosen != r.PostFormValue("again") {
		again(http.StatusUnprocessableEntity, "differs", 0)
		return
	}
	if !c.prove(w, r, again) {
		return
	}
	hash, err := c.passwords.hash(r.Context(), chosen)
	if errors.Is(err, errBusy) {
		again(http.StatusServiceUnavailable, "busy", 0)
		return
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	c.changeOwn(w, r, "user.password", func(u *store.User) { u.Hash = hash })
}
