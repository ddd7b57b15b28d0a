//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
)

// strictPolicy is the login page's policy that the contract promises to work with.
const strictPolicy = "default-src 'none'; script-src 'self'; frame-src 'self'; style-src 'self'"

// embedSite is a login page with embed.js and a frame of our own that speaks
// its protocol, so that these tests are about embed.js alone.
type embedSite struct {
	*httptest.Server

	// Set before the page is opened.
	policy string
	page   string // the document at /
	frame  http.HandlerFunc

	mu    sync.Mutex
	asked []string // paths of requests in order
}

// startEmbedSite serves a page. The frame is stubFrame unless the test changes it.
func startEmbedSite(t *testing.T, page string) *embedSite {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	script, err := os.ReadFile("../../web/embed.js")
	require.NoError(t, err)
	s := &embedSite{policy: strictPolicy, page: page, frame: stubFrame("")}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.Path)
		s.mu.Unlock()
		js := func(source string) {
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, source)
		}
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Security-Policy", s.policy)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, s.page)
		case "/latchkey/embed.js":
			js(string(script))
		case "/latchkey/frame":
			s.frame(w, r)
		case "/latchkey/stub.js":
			js(stubScript)
		case "/latchkey/forger.js":
			js(`parent.postMessage({latchkey: 1, type: "close"}, "*");`)
		case "/latchkey/forger":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<!DOCTYPE html><script src="/latchkey/forger.js"></script>`)
		case "/latchkey/listener":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<!DOCTYPE html><script src="/latchkey/listener.js"></script>`)
		case "/latchkey/listener.js":
			js(`window.addEventListener("message", function () { new Image().src = "/latchkey/heard"; });`)
		case "/page.js":
			js(pageScript)
		case "/throws.js":
			js(`throw new Error("told to nobody");`)
		default:
			if strings.HasSuffix(r.URL.Path, ".css") {
				w.Header().Set("Content-Type", "text/css") // another type would be a fault of its own
			}
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(func() {
		s.CloseClientConnections() // a test may leave a request hanging
		s.Close()
	})
	return s
}

// requests returns the paths asked for so far, without the icon that browsers
// ask for by themselves.
func (s *embedSite) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.asked), func(path string) bool { return path == "/favicon.ico" })
}

// as is the address of the site under another name of this machine.
func (s *embedSite) as(host string) string {
	return strings.Replace(s.URL, "127.0.0.1", host, 1)
}

// pageScript keeps what a site could see of Latchkey.
const pageScript = `
var seen = [], refused = [], messages = 0;
["open", "result", "fixed", "close"].forEach(function (type) {
	window.addEventListener("latchkey:" + type, function (e) { seen.push({type: type, detail: e.detail}); });
});
document.addEventListener("securitypolicyviolation", function (e) { refused.push(e.violatedDirective + " " + e.blockedURI); });
window.addEventListener("message", function () { messages++; });
function names() { return seen.map(function (e) { return e.type; }).join(" "); }
function heard() { return seen.filter(function (e) { return e.type === "result"; }).map(function (e) { return e.detail; }); }
function frames() { return document.querySelectorAll("iframe").length; }
`

// stubScript answers every hello, and repeats in its result what it was told
// and by whom.
const stubScript = `
var page, born = Math.random();
function say(message, to) { message.latchkey = 1; page.source.postMessage(message, to || page.origin); }
window.addEventListener("message", function (e) {
	if (!e.data || e.data.type !== "hello") { return; }
	page = e;
	say({type: "ready"});
	say({type: "size", height: 320.4});
	say({type: "result", detail: {outcome: "account_locked", tier: "wasm", top: "account-locked", findings: ["account-locked"], hello: e.data, origin: e.origin, born: born}});
	if (e.data.focus) { document.getElementById("heading").focus(); }
});
`

// stubFrame is the document of the frame, with more of the test's own at its end.
func stubFrame(more string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!DOCTYPE html><title>stub</title><script src="/latchkey/stub.js"></script><h1 id="heading" tabindex="-1">stub</h1><button>inside</button>`, more)
	}
}

// loginPage is a login page with embed.js first in its head, with attributes.
func loginPage(attributes string) string {
	return loginPageWith(`<script src="/latchkey/embed.js" ` + attributes + `></script>`)
}

func loginPageWith(embed string) string {
	return `<!DOCTYPE html><html lang="en-GB"><head>` + embed + `<script src="/page.js"></script><title>login</title></head><body>
<form id="search"><input id="query"></form>
<form id="login" action="/elsewhere"><input id="user" autocomplete="username"><input id="password" type="password" autocomplete="current-password"><button id="submit">Sign in</button></form>
<p id="after">after</p>
<div id="place"><b>before</b></div>
<p><a id="trouble" href="/elsewhere"><span id="within">Trouble signing in?</span></a></p>
</body></html>`
}

func do(t *testing.T, p drive.Page, expr string) {
	t.Helper()
	require.NoError(t, p.Eval(t.Context(), `(function () {`+expr+`})()`, nil))
}

func wait(t *testing.T, p drive.Page, expr string) {
	t.Helper()
	require.NoError(t, p.Wait(t.Context(), expr))
}

func read[T any](t *testing.T, p drive.Page, expr string) (value T) {
	t.Helper()
	require.NoError(t, p.Eval(t.Context(), expr, &value))
	return value
}

func visit(t *testing.T, p drive.Page, url string) {
	t.Helper()
	require.NoError(t, p.Navigate(t.Context(), url))
}

// complaints is what a page has logged, but for the icon that browsers ask for.
func complaints(t *testing.T, p drive.Page) []drive.Message {
	t.Helper()
	messages, err := p.Console(t.Context())
	require.NoError(t, err)
	return slices.DeleteFunc(messages, func(m drive.Message) bool { return strings.Contains(m.Text, "/favicon.ico") })
}

// fact is a fact as embed.js sends it.
type fact struct {
	Value any    `json:"value"`
	Error string `json:"error"`
}

// greeting is the hello of embed.js, and the origin that it came from.
type greeting struct {
	Origin string
	Hello  struct {
		Latchkey int
		Type     string
		Focus    bool
		Recorded map[string]map[string]fact
	}
}

// greetings waits for the frame's result and returns the hellos that it heard.
func greetings(t *testing.T, p drive.Page) []greeting {
	t.Helper()
	wait(t, p, `heard().length > 0`)
	return read[[]greeting](t, p, `heard()`)
}

func TestEmbed_opensByItself(t *testing.T) {
	for _, engine := range []drive.Engine{drive.Chromium, drive.Chromium87, drive.QtWebKit} {
		t.Run(string(engine), func(t *testing.T) {
			site := startEmbedSite(t, loginPage(`data-outcome="account_locked" data-support="555-0100" data-reference="R 1&amp;2"`))
			page := drive.Open(t, engine, drive.Options{})
			visit(t, page, site.URL+"/")

			hello := greetings(t, page)[0]
			assert.Equal(t, site.URL, hello.Origin)
			assert.Equal(t, 1, hello.Hello.Latchkey)
			assert.False(t, hello.Hello.Focus, "by itself it never takes the focus")
			assert.Equal(t, []string{"page"}, slices.Collect(keys(hello.Hello.Recorded)), "a frame of the same origin sees cookies and storage itself")
			recorded := hello.Hello.Recorded["page"]
			assert.Equal(t, fact{Value: []any{}}, recorded["failed"])
			assert.Equal(t, fact{Value: []any{}}, recorded["violations"])
			assert.Equal(t, fact{Value: 0.0}, recorded["script_errors"])
			assert.Equal(t, fact{Value: false}, recorded["restored"])
			age, ok := recorded["age"].Value.(float64)
			require.True(t, ok, "%v", recorded["age"])
			assert.Positive(t, age)
			assert.Less(t, age, 20_000.0)

			assert.Equal(t, "open result", read[string](t, page, `names()`))
			assert.Equal(t, "account-locked", read[string](t, page, `heard()[0].top`))
			assert.Equal(t, 1, read[int](t, page, `frames()`))
			assert.Equal(t, "IFRAME", read[string](t, page, `document.getElementById("login").nextSibling.nodeName`), "after the form with the password, not the search")
			assert.Equal(t, site.URL+"/latchkey/frame?outcome=account_locked&reference=R%201%262&lang=en-GB", read[string](t, page, `document.querySelector("iframe").src`))
			assert.Equal(t, "Why you can't sign in", read[string](t, page, `document.querySelector("iframe").title`))
			assert.Equal(t, 321, read[int](t, page, `document.querySelector("iframe").offsetHeight`), "the height that the frame said, never less")
			assert.Equal(t, read[int](t, page, `document.body.clientWidth`), read[int](t, page, `document.querySelector("iframe").offsetWidth`), "all of the width, no border")
			assert.Equal(t, "BODY", read[string](t, page, `document.activeElement.nodeName`))

			// Chromium 87 asks for an icon in its own time, which the policy refuses.
			assert.Empty(t, read[[]string](t, page, `refused.filter(function (r) { return r.indexOf("/favicon.ico") < 0; })`))
			assert.Empty(t, complaints(t, page))
		})
	}
}

// The whole of the life with a trigger: nothing before the click, the focus to
// the frame and back.
func TestEmbed_trigger(t *testing.T) {
	for _, engine := range []drive.Engine{drive.Chromium, drive.Chromium87, drive.QtWebKit} {
		t.Run(string(engine), func(t *testing.T) {
			site := startEmbedSite(t, loginPageWith(`<script src="/before.js"></script><script src="/latchkey/embed.js" data-outcome="throttled" data-trigger="#trouble"></script>`))
			page := drive.Open(t, engine, drive.Options{})
			visit(t, page, site.URL+"/")
			click := func() {
				if tab, ok := page.(*drive.Tab); ok {
					require.NoError(t, tab.Click(t.Context(), "#within"))
					return
				}
				do(t, page, `document.getElementById("within").click()`) // old engines take no real input
			}

			click()
			hello := greetings(t, page)[0]
			assert.Equal(t, []string{"/", "/before.js", "/latchkey/embed.js", "/page.js", "/latchkey/frame", "/latchkey/stub.js"}, inPageOrder(site.requests()), "no request before the click")
			assert.Equal(t, fact{Value: []any{site.URL + "/before.js"}}, hello.Hello.Recorded["page"]["failed"].orEmptyWhereUnknown(engine, site.URL+"/before.js"))
			assert.True(t, hello.Hello.Focus)
			assert.Equal(t, "IFRAME", read[string](t, page, `document.activeElement.nodeName`))
			wait(t, page, `document.querySelector("iframe").contentDocument.activeElement.id === "heading"`)

			click()
			do(t, page, `Latchkey.open({outcome: "unknown"}); Latchkey.open();`)
			assert.Equal(t, 1, read[int](t, page, `frames()`))
			assert.Equal(t, site.URL+"/", read[string](t, page, `location.href`), "the link itself is not followed")

			do(t, page, `document.querySelector("iframe").focus(); document.querySelector("iframe").contentWindow.say({type: "close"})`)
			wait(t, page, `names() === "open result close"`)
			assert.Equal(t, 0, read[int](t, page, `frames()`))
			assert.Equal(t, "trouble", read[string](t, page, `document.activeElement.id`), "the focus comes back")

			click()
			wait(t, page, `names() === "open result close open result"`)
			do(t, page, `Latchkey.close(); Latchkey.close()`)
			assert.Equal(t, "open result close open result close", read[string](t, page, `names()`))
		})
	}
}

// inPageOrder sorts what a page loads side by side: all before the frame.
func inPageOrder(paths []string) []string {
	if i := slices.Index(paths, "/latchkey/frame"); i >= 0 {
		slices.Sort(paths[:i])
	}
	return paths
}

// orEmptyWhereUnknown grants engines without a status in Resource Timing
// (before Chromium 109) that they do not know what failed before embed.js.
func (f fact) orEmptyWhereUnknown(e drive.Engine, address string) fact {
	if list, ok := f.Value.([]any); ok && len(list) == 0 && e != drive.Chromium {
		return fact{Value: []any{address}}
	}
	return f
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestEmbed_leavesThePageAlone(t *testing.T) {
	site := startEmbedSite(t, loginPageWith(`<script src="/page.js"></script>`))
	tab := drive.OpenChromium(t, drive.Options{})
	visit(t, tab, site.URL+"/")
	before := read[[]string](t, tab, `Object.getOwnPropertyNames(window)`)
	handlers := `Object.getOwnPropertyNames(window).filter(function (n) { return n.indexOf("on") === 0 && window[n] !== null; })`
	assert.Empty(t, read[[]string](t, tab, handlers))

	site.page = loginPage(`data-support="555-0100"`)
	visit(t, tab, site.URL+"/")
	assert.Equal(t, []string{"Latchkey"}, read[[]string](t, tab, `Object.getOwnPropertyNames(window).filter(function (n) { return `+literal(t, before)+`.indexOf(n) < 0; })`))
	assert.Empty(t, read[[]string](t, tab, handlers))
	assert.Equal(t, 0, read[int](t, tab, `frames()`), "without an outcome it waits")

	do(t, tab, `Latchkey.open({outcome: "maintenance", reference: "R-7"})`)
	assert.Len(t, greetings(t, tab), 1)
	assert.Equal(t, site.URL+"/latchkey/frame?outcome=maintenance&reference=R-7&lang=en-GB", read[string](t, tab, `document.querySelector("iframe").src`))
	assert.Equal(t, "", read[string](t, tab, `document.cookie`))
	assert.Equal(t, 0, read[int](t, tab, `localStorage.length + sessionStorage.length`))
	assert.Equal(t, []string{"/", "/latchkey/embed.js", "/page.js", "/latchkey/frame", "/latchkey/stub.js"}, inPageOrder(site.requests()[2:]))
}

func literal(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

func TestEmbed_focusOfAPersonWhoTypes(t *testing.T) {
	site := startEmbedSite(t, loginPage(`data-outcome="throttled"`))
	tab := drive.OpenChromium(t, drive.Options{})
	enter := func() {
		require.NoError(t, tab.ClickElement(t.Context(), `document.querySelector("iframe").contentDocument.querySelector("button")`))
		wait(t, tab, `document.activeElement.nodeName === "IFRAME"`)
	}
	leave := func() {
		do(t, tab, `document.querySelector("iframe").contentWindow.say({type: "close"})`)
		wait(t, tab, `frames() === 0`)
	}

	visit(t, tab, site.URL+"/")
	greetings(t, tab)
	enter()
	leave()
	assert.Equal(t, "password", read[string](t, tab, `document.activeElement.id`), "nothing had the focus, so the form gets it")

	visit(t, tab, site.URL+"/")
	greetings(t, tab)
	require.NoError(t, tab.Click(t.Context(), "#user"))
	enter()
	leave()
	assert.Equal(t, "user", read[string](t, tab, `document.activeElement.id`), "what had it before the frame")

	visit(t, tab, site.URL+"/")
	greetings(t, tab)
	require.NoError(t, tab.Click(t.Context(), "#query"))
	do(t, tab, `document.activeElement.blur()`)
	leave()
	assert.Equal(t, "BODY", read[string](t, tab, `document.activeElement.nodeName`), "a close while the focus is elsewhere moves nothing")

	// Somebody who goes on while the frame is on its way is not called back.
	release := make(chan struct{})
	site.frame = func(w http.ResponseWriter, r *http.Request) {
		<-release
		stubFrame("")(w, r)
	}
	site.page = loginPage(`data-trigger="#trouble"`)
	visit(t, tab, site.URL+"/")
	require.NoError(t, tab.Click(t.Context(), "#trouble"))
	require.NoError(t, tab.Click(t.Context(), "#user"))
	close(release)
	assert.False(t, greetings(t, tab)[0].Hello.Focus)
	assert.Equal(t, "user", read[string](t, tab, `document.activeElement.id`))
}

func TestEmbed_triggerThatComesLater(t *testing.T) {
	site := startEmbedSite(t, loginPage(`data-trigger="#late"`))
	tab := drive.OpenChromium(t, drive.Options{})
	visit(t, tab, site.URL+"/")
	do(t, tab, `var b = document.createElement("button"); b.id = "late"; b.textContent = "Help"; document.getElementById("login").appendChild(b)`)
	require.NoError(t, tab.Click(t.Context(), "#late"))
	greetings(t, tab)
	assert.Equal(t, site.URL+"/", read[string](t, tab, `location.href`), "the form is not sent")

	do(t, tab, `Latchkey.close(); var a = document.createElement("a"); a.id = "late"; a.href = "#fragment"; a.textContent = "Help"; var b = document.getElementById("late"); b.parentNode.replaceChild(a, b)`)
	do(t, tab, `document.getElementById("late").addEventListener("click", function (e) { window.taken = e.defaultPrevented; e.preventDefault(); })`)
	for _, kind := range []string{"ctrlKey: true", "metaKey: true", "shiftKey: true", "button: 1"} {
		do(t, tab, `document.getElementById("late").dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, `+kind+`}))`)
		assert.False(t, read[bool](t, tab, `taken`), kind)
	}
	assert.Equal(t, 0, read[int](t, tab, `frames()`), "a click that opens a tab stays the browser's")
}

func TestEmbed_place(t *testing.T) {
	embed := `<script src="/latchkey/embed.js" data-outcome="throttled"></script>`
	tests := []struct{ name, page, where string }{
		{"the end of the target", loginPage(`data-outcome="throttled" data-target="#place"`), `document.getElementById("place").lastChild`},
		{"no such target", loginPage(`data-outcome="throttled" data-target="#nowhere"`), `document.getElementById("login").nextSibling`},
		{"the form around the script", `<!DOCTYPE html><script src="/page.js"></script><form id="a">` + embed + `</form><form id="b"><input type="password"></form>`, `document.getElementById("a").nextSibling`},
		{"no form", `<!DOCTYPE html><head>` + embed + `<script src="/page.js"></script></head><p>Hello</p>`, `document.body.lastChild`},
	}
	tab := drive.OpenChromium(t, drive.Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			site := startEmbedSite(t, tt.page)
			visit(t, tab, site.URL+"/")
			greetings(t, tab)
			assert.True(t, read[bool](t, tab, tt.where+` === document.querySelector("iframe")`))
		})
	}
}

func TestEmbed_records(t *testing.T) {
	var pictures strings.Builder
	for i := range 25 {
		fmt.Fprintf(&pictures, `<img src="/missing/%d?token=secret#part" alt="">`, i)
	}
	site := startEmbedSite(t, strings.Replace(loginPage(`data-trigger="#trouble"`), "</body>", `<script src="/throws.js"></script>
<script src="/missing.js?token=secret"></script><script src="/missing.js?token=other"></script>
<script src="/latchkey/missing.js"></script>
<script src="http://elsewhere.localhost:1/widget.js?token=secret"></script>
<img src="data:image/png;base64,AAAA" alt="">`+pictures.String()+`</body>`, 1))
	site.policy = strictPolicy + "; img-src 'self' data:"
	tab := drive.OpenChromium(t, drive.Options{})
	visit(t, tab, site.URL+"/")
	do(t, tab, `
		var v = {violatedDirective: "img-src", effectiveDirective: "img-src", documentURI: location.href, originalPolicy: "", statusCode: 200};
		function violation(more) { for (var k in v) { more[k] = v[k]; } document.dispatchEvent(new SecurityPolicyViolationEvent("securitypolicyviolation", more)); }
		violation({blockedURI: "chrome-extension", disposition: "enforce"});
		violation({blockedURI: "https://tracker.example/x", sourceFile: "moz-extension://abc/inject.js", disposition: "enforce"});
		violation({blockedURI: "https://reported.example/x", disposition: "report"});
		violation({blockedURI: "inline", disposition: "enforce"});
		window.dispatchEvent(new ErrorEvent("error", {filename: "chrome-extension://abc/inject.js"}));
		Latchkey.open()`)
	recorded := greetings(t, tab)[0].Hello.Recorded["page"]

	failed, ok := recorded["failed"].Value.([]any)
	require.True(t, ok)
	assert.Len(t, failed, 20, "no more than 20")
	assert.Contains(t, failed, site.URL+"/missing.js", "once, without its query")
	assert.NotContains(t, failed, site.URL+"/latchkey/missing.js", "our own are another matter")
	for _, address := range failed {
		assert.NotContains(t, address, "token")
		assert.NotContains(t, address, "part")
		assert.True(t, strings.HasPrefix(address.(string), "http"), address)
	}
	assert.Equal(t, []any{"script-src-elem http://elsewhere.localhost:1/widget.js", "img-src inline"}, recorded["violations"].Value)
	assert.Equal(t, 1.0, recorded["script_errors"].Value)
	assert.NotContains(t, read[string](t, tab, `JSON.stringify(heard())`), "told to nobody")
}

func TestEmbed_recordsRestored(t *testing.T) {
	tests := []struct {
		name  string
		flags []string
	}{
		{"from the back-forward cache", nil},
		{"loaded again", []string{"--disable-features=BackForwardCache"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			site := startEmbedSite(t, loginPage(""))
			tab := drive.OpenChromium(t, drive.Options{Flags: tt.flags})
			restored := func() fact {
				do(t, tab, `Latchkey.close(); seen = []; Latchkey.open()`)
				return greetings(t, tab)[0].Hello.Recorded["page"]["restored"]
			}
			visit(t, tab, site.URL+"/")
			do(t, tab, `window.first = true`)
			assert.Equal(t, fact{Value: false}, restored())
			visit(t, tab, site.as("other.localhost")+"/")
			require.NoError(t, tab.Back(t.Context()))
			assert.Equal(t, tt.flags == nil, read[bool](t, tab, `window.first === true`), "the case is what its name says")
			assert.Equal(t, fact{Value: true}, restored())
		})
	}
}

func TestEmbed_loadedLate(t *testing.T) {
	early := `<script src="/missing.js?token=secret"></script><link rel="stylesheet" href="/missing.css"><img src="/missing.png" alt="">`
	tests := []struct{ name, embed string }{
		{"async", `<script async src="/latchkey/embed.js" data-outcome="throttled"></script>`},
		{"deferred", `<script defer src="/latchkey/embed.js" data-outcome="throttled"></script>`},
		{"as a module, without document.currentScript", `<script type="module" src="/latchkey/embed.js?v=1" data-outcome="throttled"></script>`},
	}
	tab := drive.OpenChromium(t, drive.Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			site := startEmbedSite(t, loginPageWith(early+tt.embed))
			site.policy = strictPolicy + "; img-src 'self'"
			visit(t, tab, site.URL+"/")
			recorded := greetings(t, tab)[0].Hello.Recorded["page"]
			failed := recorded["failed"].Value
			assert.Subset(t, failed, []any{site.URL + "/missing.js", site.URL + "/missing.css"},
				"what failed before, as far as a status tells")
			assert.Subset(t, []any{site.URL + "/missing.js", site.URL + "/missing.css", site.URL + "/missing.png"}, failed,
				"the picture may fail before embed.js listens, or after it")
		})
	}
	t.Run("long after the page", func(t *testing.T) {
		site := startEmbedSite(t, loginPageWith(early))
		visit(t, tab, site.URL+"/")
		do(t, tab, `var s = document.createElement("script"); s.src = "/latchkey/embed.js"; s.setAttribute("data-outcome", "throttled"); document.body.appendChild(s)`)
		assert.Contains(t, greetings(t, tab)[0].Hello.Recorded["page"]["failed"].Value, site.URL+"/missing.js")
	})
	t.Run("twice", func(t *testing.T) {
		embed := `<script src="/latchkey/embed.js" data-outcome="throttled"></script>`
		site := startEmbedSite(t, loginPageWith(embed+embed))
		visit(t, tab, site.URL+"/")
		greetings(t, tab)
		assert.Equal(t, 1, read[int](t, tab, `frames()`))
	})
}

func TestEmbed_believesItsFrameAlone(t *testing.T) {
	site := startEmbedSite(t, loginPage(`data-outcome="throttled"`))
	tab := drive.OpenChromium(t, drive.Options{})
	other := site.as("other.localhost")
	site.policy = strings.Replace(strictPolicy, "frame-src 'self'", "frame-src 'self' "+other, 1)

	// arrived waits until the page has been given one more message, by a
	// listener that was added after that of embed.js.
	arrived := func(do func()) {
		t.Helper()
		n := read[int](t, tab, `messages`)
		do()
		wait(t, tab, fmt.Sprintf(`messages > %d`, n))
		assert.Equal(t, 1, read[int](t, tab, `document.querySelectorAll("iframe[title]").length`), "the frame is still there")
		assert.Equal(t, 321, read[int](t, tab, `document.querySelector("iframe[title]").offsetHeight`))
		assert.NotContains(t, read[string](t, tab, `names()`), "close")
	}

	visit(t, tab, site.URL+"/")
	greetings(t, tab)
	for _, forged := range []string{`{latchkey: 1, type: "close"}`, `{latchkey: 1, type: "size", height: 1}`} {
		arrived(func() { do(t, tab, `window.postMessage(`+forged+`, "*")`) })
	}
	arrived(func() {
		do(t, tab, `var f = document.createElement("iframe"); f.src = "/latchkey/forger"; document.body.appendChild(f)`)
	})
	for _, odd := range []string{
		`{type: "close"}`, `{latchkey: "1", type: "close"}`, `{latchkey: true, type: "close"}`, `null`, `"close"`, `undefined`, `{latchkey: 1}`,
		`{latchkey: 1, type: "size"}`, `{latchkey: 1, type: "size", height: "20em"}`, `{latchkey: 1, type: "size", height: -5}`, `{latchkey: 1, type: "size", height: 0}`,
	} {
		arrived(func() {
			do(t, tab, `document.querySelector("iframe").contentWindow.eval(`+literal(t, `parent.postMessage(`+odd+`, "*")`)+`)`)
		})
	}
	// The frame itself, gone to another origin.
	arrived(func() { do(t, tab, `document.querySelector("iframe").src = `+literal(t, other+"/latchkey/forger")) })
}

// What was recorded is for Latchkey's origin, whoever the frame is sent on to.
func TestEmbed_tellsItsFrameAlone(t *testing.T) {
	site := startEmbedSite(t, loginPage(`data-outcome="throttled"`))
	other := site.as("other.localhost")
	site.policy = strings.Replace(strictPolicy, "frame-src 'self'", "frame-src 'self' "+other, 1)
	site.frame = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other+"/latchkey/listener", http.StatusFound)
	}
	tab := drive.OpenChromium(t, drive.Options{})
	visit(t, tab, site.URL+"/")
	do(t, tab, `window.ticks = 0; setInterval(function () { ticks++; }, 250)`)
	wait(t, tab, `ticks > 2`) // embed.js says hello as often
	assert.Contains(t, site.requests(), "/latchkey/listener.js", "it was there to hear")
	assert.NotContains(t, site.requests(), "/latchkey/heard")
	assert.Equal(t, "open", read[string](t, tab, `names()`))
}

func TestEmbed_events(t *testing.T) {
	site := startEmbedSite(t, loginPage(`data-outcome="throttled"`))
	tab := drive.OpenChromium(t, drive.Options{})
	visit(t, tab, site.URL+"/")
	greetings(t, tab)
	do(t, tab, `var w = document.querySelector("iframe").contentWindow; w.say({type: "size", height: 640}); w.say({type: "fixed", detail: {top: "", findings: []}})`)
	wait(t, tab, `names() === "open result fixed"`)
	assert.Equal(t, map[string]any{"top": "", "findings": []any{}}, read[map[string]any](t, tab, `seen[2].detail`))
	assert.Equal(t, 640, read[int](t, tab, `document.querySelector("iframe").offsetHeight`))
	require.NoError(t, tab.Press(t.Context(), "Escape"))
	assert.Equal(t, 1, read[int](t, tab, `frames()`), "Escape in the page is the page's own")
}

// A person may reload the frame, and a page may draw itself anew.
func TestEmbed_livesOn(t *testing.T) {
	site := startEmbedSite(t, loginPage(`data-trigger="#trouble"`))
	tab := drive.OpenChromium(t, drive.Options{})
	visit(t, tab, site.URL+"/")
	require.NoError(t, tab.Click(t.Context(), "#trouble"))
	wait(t, tab, `document.querySelector("iframe").contentDocument.readyState === "complete"`)
	greetings(t, tab)
	do(t, tab, `document.querySelector("iframe").contentWindow.location.reload()`)
	wait(t, tab, `heard().some(function (d) { return d.born !== heard()[0].born; })`)
	hellos := greetings(t, tab)
	assert.True(t, hellos[0].Hello.Focus)
	assert.False(t, hellos[len(hellos)-1].Hello.Focus, "only the click took the focus")

	do(t, tab, `document.querySelector("iframe").parentNode.removeChild(document.querySelector("iframe")); seen = []; Latchkey.open()`)
	greetings(t, tab)
	assert.Equal(t, 1, read[int](t, tab, `frames()`))
}

func TestEmbed_anotherOrigin(t *testing.T) {
	start := func(t *testing.T, o drive.Options) (*drive.Tab, *embedSite, string) {
		site := startEmbedSite(t, "")
		own := site.as("latchkey.localhost")
		site.page = loginPageWith(`<script src="` + own + `/latchkey/embed.js"></script>`)
		site.policy = "default-src 'none'; script-src 'self' " + own + "; frame-src " + own
		tab := drive.OpenChromium(t, o)
		visit(t, tab, site.as("login.localhost")+"/")
		return tab, site, own
	}
	t.Run("all works", func(t *testing.T) {
		tab, site, _ := start(t, drive.Options{})
		do(t, tab, `Latchkey.open()`)
		hello := greetings(t, tab)[0]
		assert.Equal(t, site.as("login.localhost"), hello.Origin)
		assert.Equal(t, map[string]fact{"enabled": {Value: true}, "script": {Value: true}}, hello.Hello.Recorded["cookies"])
		assert.Equal(t, map[string]fact{"local": {Value: true}, "session": {Value: true}}, hello.Hello.Recorded["storage"])
		assert.Equal(t, "", read[string](t, tab, `document.cookie`), "nothing is left behind")
		assert.Equal(t, 0, read[int](t, tab, `localStorage.length + sessionStorage.length`))
		assert.Empty(t, complaints(t, tab))

		// The focus of a click goes into it as well.
		do(t, tab, `Latchkey.close(); seen = []; document.getElementById("user").focus(); Latchkey.open({focus: true})`)
		assert.True(t, greetings(t, tab)[0].Hello.Focus)
		assert.Equal(t, "IFRAME", read[string](t, tab, `document.activeElement.nodeName`))
		do(t, tab, `Latchkey.close()`)
		assert.Equal(t, "user", read[string](t, tab, `document.activeElement.id`))
	})
	t.Run("no storage objects", func(t *testing.T) {
		tab, _, _ := start(t, drive.Options{})
		do(t, tab, `Object.defineProperty(window, "localStorage", {value: null}); Object.defineProperty(window, "sessionStorage", {value: undefined}); Latchkey.open()`)
		assert.Equal(t, map[string]fact{"local": {Error: "null"}, "session": {Error: "undefined"}}, greetings(t, tab)[0].Hello.Recorded["storage"])
	})
	t.Run("all site data blocked", func(t *testing.T) {
		tab, _, _ := start(t, drive.Options{Prefs: map[string]any{"profile.default_content_setting_values.cookies": 2}})
		do(t, tab, `Latchkey.open()`)
		recorded := greetings(t, tab)[0].Hello.Recorded
		assert.Equal(t, fact{Value: false}, recorded["cookies"]["script"])
		for _, kind := range []string{"local", "session"} {
			assert.True(t, strings.HasPrefix(recorded["storage"][kind].Error, "SecurityError: "), "%v", recorded["storage"][kind])
		}
	})
}

// Attributes come from a template that somebody else wrote around a user name.
func TestEmbed_hostileAttributes(t *testing.T) {
	hostile := []string{
		`"><script src="/throws.js"></script>`,
		`javascript:alert(1)//&x=y#z?q`,
		`' onload='alert(1)`,
		`../../elsewhere`,
		"é😀\u202e",
	}
	tab := drive.OpenChromium(t, drive.Options{})
	for _, value := range hostile {
		t.Run("", func(t *testing.T) {
			quoted := html.EscapeString(value)
			site := startEmbedSite(t, loginPage(`data-outcome="`+quoted+`" data-reference="`+quoted+`" data-target="`+quoted+`" data-support="`+quoted+`"`))
			visit(t, tab, site.URL+"/")
			greetings(t, tab)
			plain := strings.ReplaceAll(value, "😀", "") // embed.js leaves out what does not fit in 16 bits
			assert.Equal(t, site.URL+"/latchkey/frame?outcome="+read[string](t, tab, `encodeURIComponent(`+literal(t, plain)+`)`)+
				"&reference="+read[string](t, tab, `encodeURIComponent(`+literal(t, plain)+`)`)+"&lang=en-GB", read[string](t, tab, `document.querySelector("iframe").getAttribute("src")`))
			assert.Equal(t, 2, read[int](t, tab, `document.scripts.length`))
			assert.NotContains(t, site.requests(), "/throws.js")
			assert.NotContains(t, site.requests(), "/elsewhere")
		})
	}
	t.Run("by script", func(t *testing.T) {
		site := startEmbedSite(t, loginPage(""))
		visit(t, tab, site.URL+"/")
		do(t, tab, `Latchkey.open({outcome: "a\ud800b", reference: {toString: function () { return "1"; }}})`)
		greetings(t, tab)
		assert.Equal(t, site.URL+"/latchkey/frame?outcome=ab&reference=1&lang=en-GB", read[string](t, tab, `document.querySelector("iframe").src`))
	})
}

// These take the 8 s after which embed.js gives up, all at the same time.
func TestEmbed_frameThatDoesNotAnswer(t *testing.T) {
	support := `Call <img src=x onerror="alert(1)"> 555-0100`
	page := loginPage(`data-outcome="account_locked" data-reference="R-7" data-trigger="#trouble" data-link="Probleme &lt;b&gt;?" data-support="` + html.EscapeString(support) + `"`)
	silent := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!DOCTYPE html><p>says nothing</p>`)
	}
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	tests := []struct {
		name   string
		policy string
		frame  http.HandlerFunc
		click  bool
	}{
		{"no answer from the server", strictPolicy, hang, false},
		{"connection cut off", strictPolicy, cut, false},
		{"a document that says nothing", strictPolicy, silent, false},
		{"opened by a click", strictPolicy, silent, true},
		{"refused by the page's policy", "default-src 'none'; script-src 'self'", silent, false},
	}
	first := drive.OpenChromium(t, drive.Options{Flags: []string{
		// All tabs but one are in the background.
		"--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
	}})
	sites, tabs := make([]*embedSite, len(tests)), make([]*drive.Tab, len(tests))
	for i, tt := range tests {
		sites[i] = startEmbedSite(t, page)
		sites[i].policy, sites[i].frame = tt.policy, tt.frame
		tab, err := first.Browser().NewTab(t.Context())
		require.NoError(t, err)
		tabs[i] = tab
		visit(t, tab, sites[i].URL+"/")
		do(t, tab, `
			var opened = Date.now();
			new MutationObserver(function () { if (!frames() && !window.took) { window.took = Date.now() - opened; } }).observe(document.body, {childList: true, subtree: true});`)
		if tt.click {
			do(t, tab, `document.getElementById("trouble").click()`)
			assert.Equal(t, "IFRAME", read[string](t, tab, `document.activeElement.nodeName`))
		} else {
			do(t, tab, `document.getElementById("user").focus(); Latchkey.open()`)
		}
		assert.Equal(t, 1, read[int](t, tab, `frames()`))
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			site, tab := sites[i], tabs[i]
			wait(t, tab, `window.took`)
			took := read[int](t, tab, `took`)
			assert.Greater(t, took, 7500)
			assert.Less(t, took, 12_000, "8 s, and a busy machine")

			link := `document.getElementById("login").nextSibling.firstChild`
			assert.Equal(t, site.URL+"/latchkey/?outcome=account_locked&reference=R-7&lang=en-GB", read[string](t, tab, link+`.href`))
			assert.Equal(t, "Probleme <b>?\n"+support, read[string](t, tab, link+`.parentNode.innerText`), "the site's texts as text")
			assert.Equal(t, 0, read[int](t, tab, `document.querySelectorAll("img").length`))
			if tt.click {
				assert.True(t, read[bool](t, tab, `document.activeElement === `+link), "the link inherits the focus")
			} else {
				assert.Equal(t, "user", read[string](t, tab, `document.activeElement.id`))
			}

			// Another try begins from the start, and a close takes the link away.
			do(t, tab, `Latchkey.open()`)
			assert.Equal(t, 1, read[int](t, tab, `frames()`))
			do(t, tab, `Latchkey.close()`)
			assert.Equal(t, 0, read[int](t, tab, `frames()`))
			assert.Equal(t, "after", read[string](t, tab, `document.getElementById("login").nextElementSibling.id`))
			assert.Equal(t, "open open close", read[string](t, tab, `names()`))
		})
	}
}

// One picture that never comes keeps the load event of the frame away.
func TestEmbed_frameThatNeverEndsLoading(t *testing.T) {
	for _, origin := range []string{"127.0.0.1", "latchkey.localhost"} {
		t.Run(origin, func(t *testing.T) {
			site := startEmbedSite(t, "")
			hang := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
			t.Cleanup(func() {
				hang.CloseClientConnections()
				hang.Close()
			})
			own := site.as(origin)
			site.policy = "default-src 'none'; script-src 'self' " + own + "; frame-src " + own
			site.page = loginPageWith(`<script src="` + own + `/latchkey/embed.js" data-trigger="#trouble"></script>`)
			release := make(chan struct{})
			site.frame = func(w http.ResponseWriter, r *http.Request) {
				<-release
				stubFrame(`<img src="`+hang.URL+`" alt="">`)(w, r)
			}
			tab := drive.OpenChromium(t, drive.Options{})
			visit(t, tab, site.URL+"/")
			require.NoError(t, tab.Click(t.Context(), "#trouble"))
			// While the document is on its way, a hello would be refused with an error in the console.
			do(t, tab, `window.ticks = 0; setInterval(function () { ticks++; }, 250)`)
			wait(t, tab, `ticks > 2`)
			close(release)
			assert.True(t, greetings(t, tab)[0].Hello.Focus)
			assert.Empty(t, complaints(t, tab))
		})
	}
}
