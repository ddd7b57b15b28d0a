// Package demo is the portal of a clinic that does not exist: a login page on
// which every way to fail can be tried by hand, with Latchkey embedded exactly
// as the README tells others to do it.
//
// It stands for somebody else's site. So it has a policy of its own that is
// stricter than Latchkey asks for, and knows Latchkey by its path alone.
package demo

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"latchkey/internal/evidence"
	"latchkey/web"
)

const (
	// policy is all that a login page with Latchkey needs: script-src and
	// frame-src for Latchkey, the rest for the portal itself.
	policy = "default-src 'none'; script-src 'self'; frame-src 'self'; style-src 'self'; img-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

	// Name, Phone and Hours are the clinic's, for Latchkey to show as well. The
	// number is never given to anybody.
	Name  = "Harbour Clinic"
	Phone = "555-0100"
	Hours = "Monday to Friday, 7 am to 6 pm"

	// bodyLimit is far more than two fields of a form need.
	bodyLimit = 16 << 10

	// userLimit is how much of a user name is shown again, in runes.
	userLimit = 64

	// stampLimit is more than a signed time has, and the hash of an address, in
	// runes.
	stampLimit = 100

	// signedIn is the one user name whose sign-in works.
	signedIn = "ok"
)

// messages has what the portal says for each outcome. They are of the kind that
// portals really show; saying it better is Latchkey's work. The page comes with
// status 200, as most portals' do.
var messages = map[evidence.Outcome]string{
	evidence.InvalidCredentials: "The user name or password is incorrect.",
	evidence.AccountLocked:      "Your account is locked because of too many failed sign-ins.",
	evidence.AccountDisabled:    "This account has been disabled.",
	evidence.PasswordExpired:    "Your password has expired.",
	evidence.MFARejected:        "The verification code is not valid.",
	evidence.MFANotDelivered:    "You did not enter the verification code that we sent you. Please sign in again.",
	evidence.SSOFailed:          "Your organization's sign-in could not be completed.",
	evidence.SessionLost:        "Your request has expired. Please sign in again.",
	evidence.CaptchaFailed:      "We could not verify that you are not a robot.",
	evidence.Throttled:          "Too many requests. Please try again later.",
	evidence.Maintenance:        "The portal is closed for maintenance.",
	evidence.ServerError:        "An unexpected error has occurred.",
	evidence.NoResponse:         "",
	evidence.ResetNotDelivered:  "If there is an account with this user name, we have sent an email with a link to reset its password.",
	evidence.NotRegistered:      "This user name is not registered with the provider portal.",
	evidence.Unknown:            "Sign-in failed.",
}

// login is what login.html shows.
type login struct {
	Base      string // Latchkey's path
	Support   string
	Reference string
	Outcome   evidence.Outcome // empty before the first try
	Message   string
	User      string
	// Rendered is the signed time of this page, and Sent that of the page whose
	// form has failed. Both may be empty.
	Rendered, Sent string
	// Address is a hash of where this page is going, and SentFrom of where that
	// page went.
	Address, SentFrom string
	Names             []string // that the demonstration knows
}

type portal struct {
	base           string
	stamp          func() string
	address        func(*http.Request) string
	login, welcome *template.Template
}

// New makes the portal. It serves /, and the files that it needs under /demo/;
// base is the path under which Latchkey is mounted, such as "/latchkey"; stamp
// signs the time at which a page is rendered, see Stamp, and address hashes where
// a request came from, see Address. Both may be nil.
func New(base string, stamp func() string, address func(*http.Request) string) http.Handler {
	files := web.Demo()
	p := &portal{
		base:    base,
		stamp:   stamp,
		address: address,
		login:   template.Must(template.ParseFS(files, "login.html")),
		welcome: template.Must(template.ParseFS(files, "welcome.html")),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.form)
	mux.HandleFunc("POST /{$}", p.signIn)
	for _, name := range []string{"portal.css", "harbour.svg"} {
		mux.HandleFunc("GET /demo/"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=300") // long enough for a visit
			http.ServeFileFS(w, r, files, name)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

func (p *portal) form(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, login{})
}

// signIn ends as the user name says. It does not look at the password.
func (p *portal) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
	user := strings.TrimSpace(r.PostFormValue("username"))
	if user == signedIn {
		write(w, p.welcome, nil)
		return
	}
	outcome := evidence.Outcome(user)
	if _, ok := messages[outcome]; !ok {
		outcome = evidence.InvalidCredentials
	}
	// What failed is the page that was sent, not the one that says so.
	p.show(w, r, login{
		Outcome: outcome, Message: messages[outcome], User: clip(user, userLimit),
		Sent: clip(r.PostFormValue("rendered"), stampLimit), SentFrom: clip(r.PostFormValue("address"), stampLimit),
	})
}

func (p *portal) show(w http.ResponseWriter, r *http.Request, l login) {
	l.Base, l.Support = p.base, Phone
	if p.stamp != nil {
		l.Rendered = p.stamp()
	}
	if p.address != nil {
		l.Address = p.address(r)
	}
	l.Reference = "HC-" + rand.Text()[:8] // the portal's request id; it only has to tell a day's requests apart
	for _, o := range evidence.Outcomes {
		l.Names = append(l.Names, string(o))
	}
	l.Names = append(l.Names, signedIn)
	write(w, p.login, l)
}

func write(w http.ResponseWriter, t *template.Template, data any) {
	var page bytes.Buffer
	if err := t.Execute(&page, data); err != nil {
		panic(err) // the templates are embedded, and the tests run all of them
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = page.WriteTo(w) // who has gone needs no page
}

// Stamp signs a time as Latchkey's README tells others to do it.
func Stamp(key string, now time.Time) string {
	seconds := strconv.FormatInt(now.Unix(), 10)
	return seconds + "." + sign(key, seconds)
}

// Address hashes where a request came from, as the README tells it. It is empty
// behind a proxy, for the portal does not know which ones to believe.
func Address(key string, r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || r.Header.Get("X-Forwarded-For") != "" {
		return ""
	}
	at, family, bits := from.Addr().Unmap().WithZone(""), "4:", 32
	if at.Is6() {
		family, bits = "6:", 64
	}
	return family + sign(key, "address "+netip.PrefixFrom(at, bits).Masked().Addr().String())[:16]
}

func sign(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// clip cuts what is too long to be what it should be.
func clip(s string, limit int) string {
	if utf8.RuneCountInString(s) > limit {
		return string([]rune(s)[:limit])
	}
	return s
}
