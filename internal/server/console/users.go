package console

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"

	"latchkey/internal/store"
)

// usersPage is what users.html is given.
type usersPage struct {
	Users   []store.User
	Problem string // by the names of templates/problem.html
	Name    string // as it was typed
	Role    string
	OIDC    string // the provider's name, or ""
}

func (c *Console) users(w http.ResponseWriter, r *http.Request) {
	c.usersAgain(w, r, http.StatusOK, usersPage{Role: string(store.Agent)})
}

func (c *Console) usersAgain(w http.ResponseWriter, r *http.Request, status int, p usersPage) {
	var err error
	if p.Users, err = c.o.Store.Users.List(r.Context()); err != nil {
		c.failed(w, r, err)
		return
	}
	if c.oidc != nil {
		p.OIDC = c.oidc.Name
	}
	c.render(w, r, status, "users", p)
}

// firstPassword is shown to the admin, once: 130 random bits that nobody has to
// think of.
type firstPassword struct{ Name, Password string }

func (c *Console) addUser(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	p := usersPage{Name: r.PostFormValue("name"), Role: r.PostFormValue("role")}
	name, err := UserName(p.Name)
	role, known := roles[p.Role]
	if err != nil || !known {
		p.Problem = "name"
		c.usersAgain(w, r, http.StatusUnprocessableEntity, p)
		return
	}
	password := rand.Text()
	hash, err := c.passwords.hash(ctx, password)
	if errors.Is(err, errBusy) {
		p.Problem = "busy"
		c.usersAgain(w, r, http.StatusServiceUnavailable, p)
		return
	}
	if err == nil {
		err = c.audit(r, "user.add", name)
	}
	if err == nil {
		err = c.o.Store.Users.Add(ctx, store.User{Name: name, Role: role, Hash: hash, Made: c.o.Now()})
	}
	switch {
	case errors.Is(err, store.ErrConflict):
		p.Problem = "taken"
		c.usersAgain(w, r, http.StatusConflict, p)
	case err != nil:
		c.failed(w, r, err)
	default:
		c.render(w, r, http.StatusOK, "first-password", firstPassword{name, password})
	}
}

var roles = map[string]store.Role{string(store.Agent): store.Agent, string(store.Admin): store.Admin}

// userPage is what user.html is given.
type userPage struct {
	store.User
	Self    bool
	Problem string // by the names of templates/problem.html
}

func (c *Console) user(w http.ResponseWriter, r *http.Request) {
	c.userAgain(w, r, http.StatusOK, "")
}

func (c *Console) userAgain(w http.ResponseWriter, r *http.Request, status int, problem string) {
	u, err := c.o.Store.Users.Get(r.Context(), r.PathValue("name"))
	if err != nil {
		c.failed(w, r, err)
		return
	}
	c.render(w, r, status, "user", userPage{u, u.Name == visitor(r.Context()).Name, problem})
}

// changeUser does one of the deeds of an admin.
func (c *Console) changeUser(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	name, deed := r.PathValue("name"), r.PathValue("deed")
	u, err := c.o.Store.Users.Get(ctx, name)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	// did is what the audit log says, and set is what changes; nil removes.
	var did, password string
	var set func(*store.User)
	switch role := roles[r.PostFormValue("role")]; {
	case deed == "role" && role != "" && u.Issuer == "":
		did, set = "user.role."+string(role), func(u *store.User) { u.Role = role }
	case deed == "off":
		did, set = "user.off", func(u *store.User) { u.Off = true }
	case deed == "on":
		did, set = "user.on", func(u *store.User) { u.Off = false }
	case deed == "second-factor" && u.Issuer == "":
		did, set = "user.totp.off", func(u *store.User) { u.TOTP = "" }
	case deed == "password" && u.Issuer == "":
		password = rand.Text()
		hash, err := c.passwords.hash(ctx, password)
		if err != nil {
			c.userAgain(w, r, http.StatusServiceUnavailable, "busy")
			return
		}
		did, set = "user.password", func(u *store.User) { u.Hash = hash }
	case deed == "remove":
		did = "user.remove"
	default:
		c.refuse(w, r, http.StatusForbidden, "form")
		return
	}
	// Somebody must be left who can undo it. What people do to their own account is
	// on their own page.
	if name == visitor(ctx).Name {
		c.userAgain(w, r, http.StatusConflict, "self")
		return
	}
	if err = c.audit(r, did, name); err == nil {
		if set == nil {
			err = c.o.Store.Users.Delete(ctx, name)
		} else if err = c.change(ctx, name, set); err == nil && deed != "on" {
			err = c.o.Store.Sessions.DeleteUser(ctx, name)
		}
	}
	switch {
	case err != nil:
		c.failed(w, r, err)
	case password != "":
		c.render(w, r, http.StatusOK, "first-password", firstPassword{name, password})
	case set == nil:
		http.Redirect(w, r, c.at+"users", http.StatusSeeOther)
	default:
		http.Redirect(w, r, c.at+"users/"+url.PathEscape(name), http.StatusSeeOther)
	}
}
