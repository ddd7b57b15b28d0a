package console

import (
	"bytes"
	"context"
	"crypto/tls"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

const password = "correct horse battery staple"

// passwordHash is made once: hashing is slow on purpose.
var passwordHash = sync.OnceValue(func() string {
	hash, err := HashPassword(password)
	if err != nil {
		panic(err)
	}
	return hash
})

// desk is a console that runs, with a store of its own.
type desk struct {
	t       *testing.T
	console *Console
	store   *store.Store
	clock   *storetest.Clock
	url     string // of the server
	routes  []string
	log     *output
}

// output is a log that several may write.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// newDesk starts a console; change may change its options. With https it speaks that.
func newDesk(t *testing.T, https bool, change func(d *desk, o *Options)) *desk {
	t.Helper()
	d := &desk{t: t, clock: storetest.NewClock(), log: new(output)}
	log := slog.New(slog.NewTextHandler(d.log, nil))
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "latchkey.db"), store.Options{Now: d.clock.Now, Log: log})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	d.store = st

	mux := http.NewServeMux()
	server := httptest.NewUnstartedServer(mux)
	if https {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	d.url = server.URL
	o := Options{
		Base: "/latchkey", Site: "Example Clinic", Store: st, Log: log, Now: d.clock.Now,
		Asset:   func(name string) string { return "/latchkey/" + name },
		Address: func(r *http.Request, path string) string { return d.url + path },
		Client:  func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.7") },
		HTTPS:   func(r *http.Request) bool { return r.TLS != nil },
	}
	if change != nil {
		change(d, &o)
	}
	d.console, err = New(o)
	require.NoError(t, err)
	d.console.Routes(func(pattern string, h http.Handler) {
		d.routes = append(d.routes, pattern)
		mux.Handle(pattern, h)
	})
	return d
}

// user adds an account with the password that all have here.
func (d *desk) user(name string, role store.Role) {
	d.t.Helper()
	require.NoError(d.t, d.store.Users.Add(d.t.Context(), store.User{Name: name, Role: role, Hash: passwordHash(), Made: d.clock.Now()}))
}

// audit is the audit log, oldest first: who, did and what.
func (d *desk) audit() (lines []string) {
	d.t.Helper()
	entries, err := d.store.Audit.List(d.t.Context(), store.Page{})
	require.NoError(d.t, err)
	for _, e := range entries {
		lines = append([]string{e.Who + " " + e.Did + " " + e.What}, lines...)
		assert.Equal(d.t, "192.0.2.7", e.From)
	}
	return lines
}

// tab is a browser: it keeps cookies and follows redirects, as those do.
type tab struct {
	t      *testing.T
	client *http.Client
	desk   *desk
}

func (d *desk) tab() *tab {
	jar, err := cookiejar.New(nil)
	require.NoError(d.t, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint: the test's own certificate
	d.t.Cleanup(transport.CloseIdleConnections)
	return &tab{d.t, &http.Client{Jar: jar, Transport: transport}, d}
}

// answer is what came back.
type answer struct {
	status int
	at     string // the path and query in the end
	body   string
	header http.Header
	set    []*http.Cookie
}

// text is what people read of it, in one line.
func (p answer) text() string {
	plain := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(p.body, " ")
	return strings.Join(strings.Fields(html.UnescapeString(plain)), " ")
}

var field = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)"`)

// hidden is the value of a hidden field of the page.
func (p answer) hidden(name string) string {
	for _, m := range field.FindAllStringSubmatch(p.body, -1) {
		if m[1] == name {
			return html.UnescapeString(m[2])
		}
	}
	return ""
}

func (b *tab) do(req *http.Request) answer {
	b.t.Helper()
	res, err := b.client.Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	return answer{res.StatusCode, res.Request.URL.RequestURI(), string(body), res.Header, res.Cookies()}
}

// address is the full one of a path below the console's.
func (b *tab) address(path string) string {
	if strings.HasPrefix(path, "http") {
		return path
	}
	return b.desk.url + "/latchkey/support/" + path
}

func (b *tab) get(path string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), "GET", b.address(path), nil)
	require.NoError(b.t, err)
	return b.do(req)
}

func (b *tab) form(path string, f url.Values) *http.Request {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), "POST", b.address(path), strings.NewReader(f.Encode()))
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", b.desk.url)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return req
}

// post sends a form: names and values in turn.
func (b *tab) post(path string, fields ...string) answer {
	b.t.Helper()
	f := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		f.Set(fields[i], fields[i+1])
	}
	return b.do(b.form(path, f))
}

// send sends a form with the CSRF field of the page that it stands on.
func (b *tab) send(from, path string, fields ...string) answer {
	b.t.Helper()
	token := b.get(from).hidden("csrf")
	require.NotEmpty(b.t, token, "%s has no form, or nobody is signed in", from)
	return b.post(path, append(fields, "csrf", token)...)
}

// signIn signs in with the password that all have here.
func (b *tab) signIn(name string) *tab {
	b.t.Helper()
	p := b.post("sign-in", "name", name, "password", password)
	require.Equal(b.t, "/latchkey/support/", p.at, p.text())
	return b
}

// in is whether somebody is signed in.
func (b *tab) in() bool {
	b.t.Helper()
	return b.get("account").at == "/latchkey/support/account"
}

// cookies are what the browser sends to the console.
func (b *tab) cookies() []*http.Cookie {
	at, err := url.Parse(b.address(""))
	require.NoError(b.t, err)
	return b.client.Jar.Cookies(at)
}

// keep puts a cookie into the browser.
func (b *tab) keep(k *http.Cookie) {
	at, err := url.Parse(b.address(""))
	require.NoError(b.t, err)
	b.client.Jar.SetCookies(at, []*http.Cookie{k})
}

// directly makes the browser show redirects instead of following them.
func (b *tab) directly() *tab {
	client := *b.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &tab{b.t, &client, b.desk}
}

// brokenAudit is an audit log that cannot be written.
type brokenAudit struct{ store.AuditStore }

func (brokenAudit) Add(context.Context, store.Entry) error { return store.ErrFull }
