//go:build unix

package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
	"latchkey/internal/report"
	"latchkey/internal/server"
	"latchkey/internal/store"
)

var memberNumber = []report.Ask{{Key: "member-number", Label: "Your member number", Pattern: "[0-9]{8}", Max: 8}}

// supported is a site whose support takes reports: its store, and how many requests
// came to leave one there.
type supported struct {
	*site
	store *store.Store
	asked atomic.Int32
}

func startSupported(t *testing.T, faults ...middleware) *supported {
	t.Helper()
	needsBrowser(t)
	s := &supported{}
	h := newHandler(t, "", time.Now, func(o *server.Options) {
		o.Config.Site.Login = ""
		o.Config.Reports.Fields = memberNumber
		s.store = o.Store
	})
	count := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/latchkey/reports" {
				s.asked.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	}
	all := append([]middleware{count}, faults...)
	s.site = startSite(t, append(all, func(http.Handler) http.Handler { return h })...)
	return s
}

// kept are the reports that have arrived, whole.
func (s *supported) kept(t *testing.T) (all []store.Report) {
	t.Helper()
	list, err := s.store.Reports.List(t.Context(), store.ReportQuery{})
	require.NoError(t, err)
	for _, r := range list {
		r, err := s.store.Reports.Get(t.Context(), r.ID)
		require.NoError(t, err)
		all = append(all, r)
	}
	return all
}

// link makes a case and returns the address that support sends.
func (s *supported) link(t *testing.T) (c store.Case, address string) {
	t.Helper()
	c = store.Case{
		ID: store.NewID(), Made: time.Now(), By: "ann", From: "Example Clinic support", Reference: "CASE-7", Outcome: "session_lost",
		Asks: []report.Ask{{Key: "practice", Label: "Name of your practice"}}, Expires: time.Now().Add(time.Hour),
	}
	token, hash := store.NewToken()
	require.NoError(t, s.store.Cases.Add(t.Context(), c, hash))
	return c, s.URL + "/latchkey/d/" + token
}

const (
	sendBytes  = `document.getElementById("latchkey-send-bytes").value`
	sendTold   = `document.getElementById("latchkey-send-told").textContent`
	sendStatus = `document.getElementById("latchkey-send-status").textContent`
)

// writes puts a text into a field as a person does, and leaves it.
func writes(t *testing.T, p drive.Page, name, text string) {
	t.Helper()
	do(t, p, `var n = document.querySelector("#latchkey-send-form [name='`+name+`']"), e = document.createEvent("Event");
		n.focus();
		n.value = `+quoted(text)+`;
		e.initEvent("input", true, false);
		n.dispatchEvent(e);`)
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\u202e", `\u202e`, "\t", `\t`).Replace(s) + `"`
}

func presses(t *testing.T, p drive.Page, what string) {
	t.Helper()
	do(t, p, `document.getElementById("latchkey-send-`+what+`").click();`)
}

func saysSend(t *testing.T, p drive.Page, says string) {
	t.Helper()
	wait(t, p, sendStatus+`.indexOf(`+quoted(says)+`) === 0`)
}

const (
	notSent = "It was NOT sent. Nothing you wrote is lost."
	arrived = "Sent, and it has arrived."
)

// hostileNote is what nobody writes who means well, and what everybody does.
const hostileNote = " It “worked” <img src=x onerror=hacked=1> & </textarea></script><script>hacked=1</script>\nnot\ttoday $& $' $$ \u202e$1 \\ \" 😕 "

// TestSend_isExactlyWhatWasRead: what stands on the screen is what arrives, in all
// engines and tiers, and nothing goes before the person says so.
func TestSend_isExactlyWhatWasRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		engine drive.Engine
		o      drive.Options
		tier   string
	}{
		{"Chromium", drive.Chromium, drive.Options{}, "wasm"},
		{"Chromium without WebAssembly", drive.Chromium, jitless, "script"},
		{"Firefox", drive.Firefox, drive.Options{}, "wasm"},
		{"Firefox without WebAssembly", drive.Firefox, prefs("javascript.options.wasm", false), "script"},
		{"WebKit", drive.WebKit, drive.Options{}, "wasm"},
		{"WebKit without WebAssembly", drive.WebKit, drive.Options{Env: []string{"JSC_useWasm=0"}}, "script"},
	} {
		t.Run(c.name, func(t *testing.T) {
			site := startSupported(t)
			p := drive.Open(t, c.engine, c.o)
			l := open(t, p, site.page("outcome=session_lost&reference=R-7"))
			requireWhole(t, l)
			require.Equal(t, c.tier, l.Tier)
			do(t, p, `document.getElementById("latchkey-send-summary").click();`)
			writes(t, p, "note", hostileNote)
			writes(t, p, "field-member-number", " 1234567 ")
			assert.Contains(t, read[string](t, p, sendTold), "Your note: It “worked” <img src=x onerror=hacked=1> & </textarea></script><script>hacked=1</script>\nnot today $& $' $$ $1 \\ \" 😕\nYour member number (member-number): 1234567")
			assert.Zero(t, site.asked.Load(), "nothing goes before the person says so")

			presses(t, p, "send")
			saysSend(t, p, "It was NOT sent yet. Look at this once more: Your member number")
			assert.Empty(t, site.kept(t))
			writes(t, p, "field-member-number", "12345678")
			wait(t, p, sendStatus+` === ""`)
			shown := read[string](t, p, sendBytes)
			presses(t, p, "send")
			saysSend(t, p, arrived)

			kept := site.kept(t)
			require.Len(t, kept, 1)
			assert.Equal(t, shown, string(kept[0].Body))
			assert.Equal(t, "R-7", kept[0].Reference)
			assert.Equal(t, c.tier, kept[0].Tier)
			assert.Contains(t, read[string](t, p, sendStatus), kept[0].Code)
			assert.Equal(t, kept[0].Code, read[string](t, p, `document.getElementById("latchkey-code").textContent`))
			lines, err := report.Lines(kept[0].Body)
			require.NoError(t, err)
			told := read[string](t, p, sendTold)
			for _, line := range lines {
				if line.Personal {
					assert.Contains(t, told, line.Value)
				}
			}
			assert.Equal(t, "undefined", read[string](t, p, `typeof hacked`))
			for _, m := range settled(t, p).Console {
				assert.Contains(t, m.Text, "422", "the policy stops nothing")
			}
		})
	}
}

// In a login page's frame it is the same, at the width of a phone.
func TestSend_inTheFrame(t *testing.T) {
	t.Parallel()
	site := startSupported(t)
	tab := drive.OpenChromium(t, drive.Options{})
	require.NoError(t, tab.Resize(t.Context(), 360, 740))
	visit(t, tab, site.URL+"/")
	requireWhole(t, trouble(t, tab, "session_lost"))
	do(t, tab, `var d = `+widget+`;
		d.getElementById("latchkey-send-summary").click();
		d.getElementById("latchkey-send-note").value = "It worked yesterday";
		d.getElementById("latchkey-send-note").dispatchEvent(new Event("input", { bubbles: true }));`)
	wait(t, tab, `(function (d) { return d.documentElement.scrollHeight <= d.defaultView.innerHeight && d.documentElement.scrollWidth <= d.defaultView.innerWidth; })(`+widget+`)`)
	shown := read[string](t, tab, widget+`.getElementById("latchkey-send-bytes").value`)
	do(t, tab, widget+`.getElementById("latchkey-send-send").click();`)
	wait(t, tab, widget+`.getElementById("latchkey-send-status").textContent.indexOf("`+arrived+`") === 0`)
	kept := site.kept(t)
	require.Len(t, kept, 1)
	assert.Equal(t, shown, string(kept[0].Body))
	assert.Contains(t, shown, `"note":"It worked yesterday"`)
}

// What a person has written outlives new looks, and views of another tier.
func TestSend_keepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tier string
		o    drive.Options
	}{{"wasm", drive.Options{}}, {"script", jitless}} {
		t.Run(c.tier, func(t *testing.T) {
			site := startSupported(t)
			tab := drive.OpenChromium(t, c.o)
			requireWhole(t, open(t, tab, site.page("outcome=session_lost")))
			require.NoError(t, tab.Click(t.Context(), "#latchkey-send-summary"))
			require.NoError(t, tab.Click(t.Context(), "#latchkey-send-note"))
			require.NoError(t, tab.Type(t.Context(), "It worked yesterday"))
			do(t, tab, `document.getElementById("latchkey-again-button").click();`)
			wait(t, tab, `/tried=|before=/.test(location.search) && document.documentElement.getAttribute("data-latchkey-state") === "done"`)
			assert.Equal(t, "It worked yesterday", read[string](t, tab, `document.getElementById("latchkey-send-note").value`))
			assert.Contains(t, read[string](t, tab, sendBytes), `"personal":{"note":"It worked yesterday"},"seen":`)
			assert.Contains(t, read[string](t, tab, sendTold), "Your note: It worked yesterday")
			assert.True(t, read[bool](t, tab, `document.getElementById("latchkey-send").open`))
		})
	}
}

// TestSend_withoutTheServer: the server is gone when the person presses Send. They are
// told so, have it all in hand, and send it once it is back.
func TestSend_withoutTheServer(t *testing.T) {
	t.Parallel()
	var lost atomic.Bool
	site := startSupported(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if lost.Load() && r.URL.Path == "/latchkey/reports" {
				next.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler) // it has arrived, and nobody hears of it
			}
			next.ServeHTTP(w, r)
		})
	})
	tab := drive.OpenChromium(t, drive.Options{})
	downloads := t.TempDir()
	require.NoError(t, tab.Browser().Call(t.Context(), "Browser.setDownloadBehavior", map[string]any{"behavior": "allow", "downloadPath": downloads}, nil))
	requireWhole(t, open(t, tab, site.page("outcome=session_lost")))
	require.NoError(t, tab.Click(t.Context(), "#latchkey-send-summary"))
	writes(t, tab, "note", "It worked yesterday")
	offline := map[string]any{"offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
	require.NoError(t, tab.Call(t.Context(), "Network.emulateNetworkConditions", offline, nil))

	presses(t, tab, "send")
	saysSend(t, tab, notSent)
	assert.Contains(t, read[string](t, tab, sendStatus), read[string](t, tab, `document.getElementById("latchkey-code").textContent`), "the code to read out")
	assert.Equal(t, "It worked yesterday", read[string](t, tab, `document.getElementById("latchkey-send-note").value`))
	assert.Equal(t, "Send again", read[string](t, tab, `document.getElementById("latchkey-send-send").textContent`))
	shown := read[string](t, tab, sendBytes)

	require.NoError(t, tab.Click(t.Context(), "#latchkey-send-download"))
	file := filepath.Join(downloads, "latchkey-report.json")
	eventually(t, "the file is there", func() bool { data, _ := os.ReadFile(file); return string(data) == shown })
	do(t, tab, `addEventListener("copy", function (e) { window.copied = e.clipboardData.getData("text/plain"); });`)
	require.NoError(t, tab.Click(t.Context(), "#latchkey-send-copy"))
	wait(t, tab, `document.getElementById("latchkey-send-copy").textContent === "Copied"`)
	copied := read[string](t, tab, `window.copied`)
	assert.True(t, strings.HasSuffix(copied, shown), copied)
	assert.Contains(t, copied, "Your note: It worked yesterday")
	assert.Zero(t, site.asked.Load())

	offline["offline"] = false
	require.NoError(t, tab.Call(t.Context(), "Network.emulateNetworkConditions", offline, nil))
	lost.Store(true)
	presses(t, tab, "send")
	saysSend(t, tab, notSent)
	eventually(t, "the answer is lost", func() bool { return site.asked.Load() > 0 }) // browsers ask twice when nobody answers
	lost.Store(false)
	presses(t, tab, "send")
	saysSend(t, tab, arrived)
	kept := site.kept(t)
	require.Len(t, kept, 1, "sent twice, it is there once")
	assert.Equal(t, shown, string(kept[0].Body))

	// The server is killed, and not only out of reach.
	writes(t, tab, "note", "And another thing")
	wait(t, tab, `!document.getElementById("latchkey-send-send").hidden`)
	site.CloseClientConnections()
	site.Close()
	presses(t, tab, "send")
	saysSend(t, tab, notSent)
	assert.Equal(t, "And another thing", read[string](t, tab, `document.getElementById("latchkey-send-note").value`))
}

// Without scripts a form does it, and the server shows once more what goes.
func TestSend_withoutScripts(t *testing.T) {
	t.Parallel()
	site := startSupported(t)
	tab := drive.OpenChromium(t, drive.Options{Prefs: blocked("javascript")})
	visit(t, tab, site.page("outcome=session_lost&reference=R-7"))
	withoutScript(t, tab)
	require.NoError(t, tab.Click(t.Context(), "#latchkey-send-summary"))
	for _, id := range []string{"copy", "download", "print", "share"} {
		assert.Equal(t, 0, read[int](t, tab, `document.getElementById("latchkey-send-`+id+`").offsetHeight`), "it would do nothing")
	}
	require.NoError(t, tab.Click(t.Context(), "#latchkey-send-note"))
	require.NoError(t, tab.Type(t.Context(), "It worked <b>yesterday</b>"))
	require.NoError(t, tab.Click(t.Context(), "#latchkey-send-send"))
	wait(t, tab, `document.querySelector("[data-latchkey-sent=review]") !== null`)
	assert.Empty(t, site.kept(t), "nothing goes before it was seen")
	shown := read[string](t, tab, sendBytes)
	assert.Contains(t, read[string](t, tab, sendTold), "Your note: It worked <b>yesterday</b>")
	require.NoError(t, tab.Click(t.Context(), "#latchkey-send-send"))
	wait(t, tab, `document.querySelector("[data-latchkey-sent=arrived]") !== null`)
	kept := site.kept(t)
	require.Len(t, kept, 1)
	assert.Equal(t, shown, string(kept[0].Body))
	assert.Contains(t, read[string](t, tab, sendStatus), kept[0].Code)
}

// A page that scripts do run in shows a hostile note as what it is, too.
func TestSend_hostileNoteIsHarmlessOnThePageOfTheServer(t *testing.T) {
	t.Parallel()
	site := startSupported(t)
	tab := drive.OpenChromium(t, drive.Options{})
	requireWhole(t, open(t, tab, site.page("outcome=session_lost&reference="+`%22%3E%3Cscript%3Ehacked=1%3C/script%3E`)))
	writes(t, tab, "note", hostileNote)
	do(t, tab, `var bytes = document.getElementById("latchkey-send-bytes");
		bytes.value = bytes.defaultValue;
		HTMLFormElement.prototype.submit.call(document.getElementById("latchkey-send-form"));`)
	wait(t, tab, `document.querySelector("[data-latchkey-sent]") !== null`)
	assert.Equal(t, "review", read[string](t, tab, `document.querySelector("[data-latchkey-sent]").getAttribute("data-latchkey-sent")`))
	assert.Equal(t, "undefined", read[string](t, tab, `typeof hacked`))
	assert.Zero(t, read[int](t, tab, `document.querySelectorAll("script, img").length`))
	assert.Contains(t, read[string](t, tab, sendTold), "<script>hacked=1</script>")
	pictures(t, tab, "send-review")
	do(t, tab, `document.getElementById("latchkey-send-send").click();`)
	wait(t, tab, `document.querySelector("[data-latchkey-sent=arrived]") !== null`)
	pictures(t, tab, "send-arrived")
}

// requirePaper prints what is on the screen: all that goes, and nothing to press.
func requirePaper(t *testing.T, tab *drive.Tab) {
	t.Helper()
	media := func(name string) {
		require.NoError(t, tab.CallAll(t.Context(), "Emulation.setEmulatedMedia", map[string]any{"media": name}))
	}
	media("print")
	picture(t, tab, "link-paper")
	assert.True(t, read[bool](t, tab, `(function (n) { return n.scrollHeight <= n.clientHeight && n.offsetHeight > 600; })(document.getElementById("latchkey-send-told"))`), "all of it is there")
	assert.Zero(t, read[int](t, tab, `Array.prototype.filter.call(document.querySelectorAll("button, input, textarea, #latchkey-send-json"), function (n) { return n.offsetHeight; }).length`))
	assert.Positive(t, read[int](t, tab, `document.getElementById("latchkey-code").offsetHeight`))
	media("")
}

// TestLink is the way of a person whom support has sent a link, on a small phone.
func TestLink(t *testing.T) {
	t.Parallel()
	for _, tier := range tiers {
		t.Run(tier.name, func(t *testing.T) {
			site := startSupported(t)
			c, address := site.link(t)
			// A mail scanner opens it, and what it leads to.
			for range 2 {
				for _, at := range []string{address, strings.Replace(address, "/d/", "/?case=", 1)} {
					r, err := http.Get(at)
					require.NoError(t, err)
					require.NoError(t, r.Body.Close())
					assert.Equal(t, 200, r.StatusCode)
				}
			}
			tab := drive.OpenChromium(t, drive.Options{Flags: tier.flags})
			require.NoError(t, tab.Resize(t.Context(), 360, 740))
			visit(t, tab, address)
			assert.Contains(t, read[string](t, tab, `document.body.innerText`), "Example Clinic support asks you to run a check on this device")
			if tier.name == "wasm" {
				pictures(t, tab, "link")
				require.NoError(t, tab.Resize(t.Context(), 360, 740))
			}
			require.NoError(t, tab.Click(t.Context(), "#latchkey-start"))
			wait(t, tab, widget+` && /[?&]case=/.test(location.search)`)
			l := settled(t, tab)
			requireWhole(t, l)
			require.Equal(t, tier.name, l.Tier)
			assert.Equal(t, "CASE-7", l.Report.Seen.Host.Reference.Value)
			assert.Contains(t, l.Text, "Send the report to Example Clinic support")
			assert.True(t, read[bool](t, tab, `document.documentElement.scrollWidth <= innerWidth`), "nothing stands out at the side")

			do(t, tab, `document.getElementById("latchkey-still-button").click();`)
			wait(t, tab, `/[?&]tried=/.test(location.search) && document.documentElement.getAttribute("data-latchkey-state") === "done"`)
			assert.Contains(t, read[string](t, tab, `location.search`), "case=", "from step to step it is the same case")
			require.NoError(t, tab.Reload(t.Context()))
			settled(t, tab)
			writes(t, tab, "note", "It worked yesterday")
			writes(t, tab, "field-practice", "Dr. Ames & Partners")
			if tier.name == "wasm" {
				pictures(t, tab, "link-send")
				requirePaper(t, tab)
			}
			shown := read[string](t, tab, sendBytes)
			presses(t, tab, "send")
			saysSend(t, tab, arrived)
			if tier.name == "wasm" {
				pictures(t, tab, "link-arrived")
			}
			kept := site.kept(t)
			require.Len(t, kept, 1)
			assert.Equal(t, shown, string(kept[0].Body))
			assert.Equal(t, c.ID, kept[0].Case)
			assert.Contains(t, string(kept[0].Body), `"value":"Dr. Ames \u0026 Partners"`)

			require.NoError(t, site.store.Cases.Close(t.Context(), c.ID))
			writes(t, tab, "note", "One thing more")
			presses(t, tab, "send")
			saysSend(t, tab, "It was NOT sent, because support has closed this link")
			visit(t, tab, address)
			assert.Contains(t, read[string](t, tab, `document.body.innerText`), "This link doesn't work any more")
			if tier.name == "wasm" {
				pictures(t, tab, "link-gone")
			}
			require.NoError(t, tab.Click(t.Context(), "#latchkey-start"))
			wait(t, tab, widget+` && document.getElementById("latchkey-report") !== null`)
			assert.NotContains(t, settled(t, tab).Text, "Send the report to")
		})
	}
	t.Run("without scripts", func(t *testing.T) {
		site := startSupported(t)
		c, address := site.link(t)
		tab := drive.OpenChromium(t, drive.Options{Prefs: blocked("javascript")})
		visit(t, tab, address)
		require.NoError(t, tab.Click(t.Context(), "#latchkey-start"))
		withoutScript(t, tab)
		require.NoError(t, tab.Click(t.Context(), "#latchkey-again-button"))
		wait(t, tab, `/[?&]before=/.test(location.search)`)
		withoutScript(t, tab)
		require.NoError(t, tab.Click(t.Context(), "#latchkey-send-send"))
		wait(t, tab, `document.querySelector("[data-latchkey-sent=arrived]") !== null`)
		kept := site.kept(t)
		require.Len(t, kept, 1)
		assert.Equal(t, c.ID, kept[0].Case)
		assert.Equal(t, "html", kept[0].Tier)
	})
}

// A link is opened where the message came, often inside an app: there, too, the check
// runs and its report can be sent, and the page says how to leave the app.
func TestLink_insideAnApp(t *testing.T) {
	t.Parallel()
	site := startSupported(t)
	c, address := site.link(t)
	tab := drive.OpenChromium(t, drive.Options{})
	require.NoError(t, tab.Emulate(t.Context(), drive.FacebookAndroid()))
	visit(t, tab, address)
	require.NoError(t, tab.Click(t.Context(), "#latchkey-start"))
	wait(t, tab, widget+` && /[?&]case=/.test(location.search)`)
	l := settled(t, tab)
	assert.Contains(t, l.Findings, "browser-embedded-view")
	assert.Contains(t, l.Fixes, "open-in-browser")
	shown := read[string](t, tab, sendBytes)
	presses(t, tab, "send")
	saysSend(t, tab, arrived)
	kept := site.kept(t)
	require.Len(t, kept, 1)
	assert.Equal(t, shown, string(kept[0].Body))
	assert.Equal(t, c.ID, kept[0].Case)
}

// What the system's share sheet is given is what can be copied. Chromium on Linux has no
// sheet, so a page of ours stands in for the system alone.
func TestSend_sharesWhatWouldGo(t *testing.T) {
	t.Parallel()
	site := startSupported(t)
	tab := drive.OpenChromium(t, drive.Options{})
	requireWhole(t, open(t, tab, site.page("outcome=session_lost")))
	require.NoError(t, tab.Click(t.Context(), "#latchkey-send-summary"))
	assert.Zero(t, read[int](t, tab, `document.getElementById("latchkey-send-share").offsetHeight`), "a button that would do nothing")

	require.NoError(t, tab.Call(t.Context(), "Page.addScriptToEvaluateOnNewDocument", map[string]any{
		"source": `navigator.share = function (what) { window.shared = what.text; return Promise.resolve(); }`,
	}, nil))
	requireWhole(t, open(t, tab, site.page("outcome=session_lost")))
	require.NoError(t, tab.Click(t.Context(), "#latchkey-send-summary"))
	writes(t, tab, "note", "It worked yesterday")
	require.NoError(t, tab.Click(t.Context(), "#latchkey-send-share"))
	shared := read[string](t, tab, `window.shared`)
	assert.Contains(t, shared, read[string](t, tab, `document.getElementById("latchkey-code").textContent`))
	assert.Contains(t, shared, "It worked yesterday")
	assert.Contains(t, shared, read[string](t, tab, sendBytes))
	assert.Empty(t, site.kept(t), "nothing went to the server")
}
