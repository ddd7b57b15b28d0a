//go:build unix

package drive_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
)

// pages are what the server under test serves, ES5 for the oldest engine's sake.
var pages = map[string]string{
	"/": `<!doctype html><html data-latchkey-state="idle"><title>home</title>
		<style>body { background: #f00 } @media (prefers-color-scheme: dark) { body { background: #00f } }</style>
		<input id="name"><button id="go">go</button><a href="/other">other</a>
		<script>
			console.log("hello", 42);
			window.seen = [];
			function note(e) { seen.push(e.type + " " + (e.key || e.target.id) + " " + e.isTrusted); }
			document.addEventListener("keydown", note);
			document.addEventListener("click", note);
			setTimeout(function () { throw new Error("thrown later"); }, 0);
		</script>`,
	"/other":  `<!doctype html><title>other</title><p style="margin-top: 3000px">far`,
	"/framed": `<!doctype html><title>framed</title><p style="height: 2000px"></p><iframe src="/" style="padding: 7px; width: 500px"></iframe>`,
	"/child":  `<!doctype html><title>child</title><script>console.warn("from the child"); fetch("/echo")</script>`,
	"/noscript": `<!doctype html><title>noscript</title><p id="p">before</p>
		<script>document.getElementById("p").textContent = "changed"</script><noscript><b id="without">no script</b></noscript>`,
}

// serve answers with the pages, and counts the requests of /echo.
func serve(t *testing.T) (base string, echoes *atomic.Int64) {
	echoes = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/echo":
			echoes.Add(1)
			fmt.Fprint(w, "from the server")
		case r.URL.Path == "/parent":
			fmt.Fprintf(w, `<!doctype html><title>parent</title><iframe src="http://child.localhost:%s/child"></iframe>`, port(r.Host))
		case pages[r.URL.Path] != "":
			fmt.Fprint(w, pages[r.URL.Path])
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<title>not found</title>", r.Header.Get("Accept-Language"))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, echoes
}

func port(host string) string { return host[strings.LastIndex(host, ":")+1:] }

// eval is Page.Eval for a value of a known type.
func eval[T any](t *testing.T, p drive.Page, expr string) (value T) {
	t.Helper()
	require.NoError(t, p.Eval(t.Context(), expr, &value))
	return value
}

// TestPage is what every engine must do.
func TestPage(t *testing.T) {
	base, _ := serve(t)
	for _, c := range []struct {
		engine      drive.Engine
		agent       string
		webAssembly string
	}{
		{drive.Chromium, "HeadlessChrome/", "object"},
		{drive.Firefox, "Firefox/1", "object"},
		{drive.WebKit, "AppleWebKit/605.", "object"},
		{drive.Chromium102, "Chrome/102.", "object"},
		{drive.Chromium87, "Chrome/87.", "object"},
		{drive.QtWebKit, "AppleWebKit/602.", "undefined"},
	} {
		t.Run(string(c.engine), func(t *testing.T) {
			start := time.Now()
			p := drive.Open(t, c.engine, drive.Options{Width: 700, Height: 500})
			t.Logf("started in %v", time.Since(start))
			require.NoError(t, p.Navigate(t.Context(), base))

			assert.Contains(t, eval[string](t, p, "navigator.userAgent"), c.agent)
			assert.Equal(t, c.webAssembly, eval[string](t, p, "typeof WebAssembly"))
			assert.Equal(t, map[string]any{"a": []any{1.0, "\u00e9\u2028"}}, eval[any](t, p, `{a: [1, "\u00e9\u2028"]} // with a comment`))
			assert.Nil(t, eval[any](t, p, "undefined"))
			assert.Equal(t, "later", eval[string](t, p, `new Promise(function (yes) { setTimeout(function () { yes("later"); }, 50); })`))
			assert.ErrorContains(t, p.Eval(t.Context(), `Promise.reject(new Error("refused"))`, nil), "refused")
			assert.ErrorContains(t, p.Eval(t.Context(), "missing.thing", nil), "missing")
			assert.Error(t, p.Eval(t.Context(), "1 +* 2", nil))
			assert.True(t, eval[bool](t, p, "navigator.cookieEnabled"))
			assert.Contains(t, eval[string](t, p, `(document.cookie = "a=1", localStorage.setItem("k", "v"), document.cookie + localStorage.getItem("k"))`), "a=1v")

			require.NoError(t, p.Wait(t.Context(), `document.querySelector("#go")`))
			short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			inVain := p.Wait(short, `document.title === "never"`)
			require.ErrorIs(t, inVain, context.DeadlineExceeded)
			for _, part := range []string{"never", "last value: false", base, "complete", `"data-latchkey-state":"idle"`} {
				assert.ErrorContains(t, inVain, part)
			}

			assert.Equal(t, []int{700, 500}, eval[[]int](t, p, "[innerWidth, innerHeight]"))
			require.NoError(t, p.Resize(t.Context(), 460, 480))
			require.NoError(t, p.Wait(t.Context(), "innerWidth === 460"))
			require.NoError(t, p.Wait(t.Context(), `new Promise(function (yes) { requestAnimationFrame(function () { yes(true); }); })`))
			shot, err := p.Screenshot(t.Context())
			require.NoError(t, err)
			picture, err := png.Decode(bytes.NewReader(shot))
			require.NoError(t, err)
			assert.Equal(t, image.Pt(460, 480), picture.Bounds().Size())
			r, g, b, _ := picture.At(300, 400).RGBA()
			assert.Equal(t, [3]uint32{0xffff, 0, 0}, [3]uint32{r, g, b})

			messages, err := p.Console(t.Context())
			require.NoError(t, err)
			if c.engine == drive.WebKit {
				assert.Empty(t, messages, "its driver tells none")
			} else {
				assert.Contains(t, fmt.Sprint(messages), "hello")
				assert.Contains(t, fmt.Sprint(messages), "thrown later")
				assert.ErrorContains(t, inVain, "hello")
			}

			assert.Error(t, p.Navigate(t.Context(), "http://127.0.0.1:1/"))
			require.NoError(t, p.Navigate(t.Context(), base+"/other"))
			assert.Equal(t, "other", eval[string](t, p, "document.title"))
			require.NoError(t, p.Navigate(t.Context(), base+"/other#part"))
			require.NoError(t, p.Wait(t.Context(), `location.hash === "#part"`))
			require.NoError(t, p.Navigate(t.Context(), base+"/absent"))
			assert.Equal(t, "not found", eval[string](t, p, "document.title"))
			assert.Contains(t, eval[string](t, p, "document.body.textContent"), "en-US")
			assert.Equal(t, "en-US", eval[string](t, p, "navigator.language"))
		})
	}
}

func TestTab(t *testing.T) {
	base, echoes := serve(t)
	tab := drive.OpenChromium(t, drive.Options{Dark: true, Scale: 2})
	ctx := t.Context()

	t.Run("keys and clicks are the person's", func(t *testing.T) {
		require.NoError(t, tab.Navigate(ctx, base))
		require.NoError(t, tab.Click(ctx, "#go"))
		require.NoError(t, tab.Press(ctx, "Shift+Tab"))
		require.NoError(t, tab.Type(ctx, "aB 1\u00e9"))
		require.NoError(t, tab.Press(ctx, "Control+a"))
		require.NoError(t, tab.Press(ctx, "Backspace"))
		require.NoError(t, tab.Type(ctx, "x"))
		require.NoError(t, tab.Press(ctx, "Tab"))
		require.NoError(t, tab.Press(ctx, "Space"))
		require.NoError(t, tab.Press(ctx, "Enter"))
		assert.Equal(t, "x", eval[string](t, tab, `document.querySelector("#name").value`))
		assert.Equal(t, []string{
			"click go true",
			"keydown Shift true", "keydown Tab true",
			"keydown a true", "keydown B true", "keydown   true", "keydown 1 true", "keydown \u00e9 true",
			"keydown Control true", "keydown a true", "keydown Backspace true", "keydown x true",
			"keydown Tab true", "keydown   true", "click go true", "keydown Enter true", "click go true",
		}, eval[[]string](t, tab, "seen"))
		assert.ErrorContains(t, tab.Press(ctx, "Nonsense"), "no key")
		assert.ErrorContains(t, tab.Click(ctx, "#absent"), "no such element")
	})

	t.Run("a click reaches into a frame", func(t *testing.T) {
		require.NoError(t, tab.Navigate(ctx, base+"/framed"))
		require.NoError(t, tab.ClickElement(ctx, `frames[0].document.querySelector("#go")`))
		assert.Equal(t, []string{"click go true"}, eval[[]string](t, tab, "frames[0].seen"))
	})

	t.Run("a covered element is not clicked", func(t *testing.T) {
		require.NoError(t, tab.Navigate(ctx, base))
		require.NoError(t, tab.Eval(ctx, `document.body.insertAdjacentHTML("beforeend", "<div id=veil style='position:fixed;inset:0'>")`, nil))
		assert.ErrorContains(t, tab.Click(ctx, "#go"), "veil")
	})

	t.Run("dark and sharp", func(t *testing.T) {
		assert.Equal(t, "rgb(0, 0, 255)", eval[string](t, tab, "getComputedStyle(document.body).backgroundColor"))
		assert.Equal(t, 2.0, eval[float64](t, tab, "devicePixelRatio"))
	})

	t.Run("goes back and reloads", func(t *testing.T) {
		require.NoError(t, tab.Navigate(ctx, base+"/other"))
		require.NoError(t, tab.Navigate(ctx, base+"/other#part"))
		require.NoError(t, tab.Back(ctx))
		assert.Equal(t, base+"/other", eval[string](t, tab, "location.href"))
		require.NoError(t, tab.Back(ctx))
		assert.Equal(t, "home", eval[string](t, tab, "document.title"))
		require.NoError(t, tab.Eval(ctx, "(window.mark = 1)", nil))
		require.NoError(t, tab.Reload(ctx))
		assert.Equal(t, "undefined", eval[string](t, tab, "typeof mark"))
		assert.ErrorContains(t, tab.Navigate(ctx, "http://127.0.0.1:1/"), "ERR_UNSAFE_PORT")
	})

	t.Run("a dialog does not stop the page", func(t *testing.T) {
		require.NoError(t, tab.Navigate(ctx, base))
		assert.True(t, eval[bool](t, tab, `confirm("sure?")`))
		messages, err := tab.Console(ctx)
		require.NoError(t, err)
		assert.Contains(t, messages, drive.Message{Level: "dialog", Text: "sure?"})
	})

	t.Run("frames of other sites and workers are heard", func(t *testing.T) {
		var requests []string
		off := tab.On("Network.requestWillBeSent", func(e drive.Event) {
			var p struct{ Request struct{ URL string } }
			if json.Unmarshal(e.Params, &p) == nil {
				requests = append(requests, p.Request.URL)
			}
		})
		before := echoes.Load()
		site := "http://parent.localhost:" + port(base)
		require.NoError(t, tab.Navigate(ctx, site+"/parent"))
		require.NoError(t, tab.Eval(ctx, `void new Worker("data:text/javascript,console.error('from the worker')")`, nil))
		child := "http://child.localhost:" + port(base)
		require.Eventually(t, func() bool {
			messages, _ := tab.Console(ctx)
			text := fmt.Sprint(messages)
			return strings.Contains(text, "from the child") && strings.Contains(text, "from the worker") && echoes.Load() == before+1
		}, 5*time.Second, 10*time.Millisecond)
		off()
		require.NoError(t, tab.Eval(ctx, "1", nil)) // the last handler has run
		assert.Contains(t, requests, site+"/parent")
		assert.Contains(t, requests, child+"/child")
		assert.Contains(t, requests, child+"/echo")
	})

	t.Run("a request is paused and answered", func(t *testing.T) {
		paused := make(chan string, 10)
		off := tab.On("Fetch.requestPaused", func(e drive.Event) {
			var p struct {
				RequestID string
				Request   struct{ URL string }
			}
			if json.Unmarshal(e.Params, &p) != nil {
				return
			}
			paused <- p.Request.URL
			e.Send("Fetch.fulfillRequest", map[string]any{"requestId": p.RequestID, "responseCode": 200, "body": []byte("from the test")})
		})
		defer off()
		require.NoError(t, tab.CallAll(ctx, "Fetch.enable", map[string]any{"patterns": []any{map[string]any{"urlPattern": "*/echo"}}}))
		before := echoes.Load()
		require.NoError(t, tab.Navigate(ctx, base))
		assert.Equal(t, "from the test", eval[string](t, tab, `fetch("/echo").then(r => r.text())`))
		assert.Equal(t, base+"/echo", <-paused)

		// The frame of another site hears of it too.
		require.NoError(t, tab.Navigate(ctx, "http://parent.localhost:"+port(base)+"/parent"))
		assert.Equal(t, "http://child.localhost:"+port(base)+"/echo", <-paused)
		assert.Equal(t, before, echoes.Load())
		require.NoError(t, tab.CallAll(ctx, "Fetch.disable", nil))
	})

	t.Run("network and CPU are throttled", func(t *testing.T) {
		require.NoError(t, tab.Navigate(ctx, base))
		require.NoError(t, tab.ThrottleCPU(ctx, 2))
		require.NoError(t, tab.ThrottleNetwork(ctx, drive.Network{Latency: 200}))
		took := eval[float64](t, tab, `(async () => { const t = performance.now(); await fetch("/echo"); return performance.now() - t })()`)
		assert.Greater(t, took, 200.0)
		require.NoError(t, tab.ThrottleNetwork(ctx, drive.Network{Offline: true}))
		assert.ErrorContains(t, tab.Eval(ctx, `fetch("/echo")`, nil), "Failed to fetch")
		require.NoError(t, tab.ThrottleNetwork(ctx, drive.Network{}))
		require.NoError(t, tab.ThrottleCPU(ctx, 1))
		assert.True(t, eval[bool](t, tab, `fetch("/echo").then(r => r.ok)`))
	})

	t.Run("a second tab", func(t *testing.T) {
		second, err := tab.Browser().NewTab(ctx)
		require.NoError(t, err)
		require.NoError(t, second.Navigate(ctx, base+"/other"))
		assert.Equal(t, "other", eval[string](t, second, "document.title"))
		assert.Equal(t, "home", eval[string](t, tab, "document.title"))
		var version struct{ Product string }
		require.NoError(t, tab.Browser().Call(ctx, "Browser.getVersion", nil, &version))
		assert.Contains(t, version.Product, "Chrome/")
	})
}

func TestTab_withoutScript(t *testing.T) {
	base, _ := serve(t)
	tab := drive.OpenChromium(t, drive.Options{Prefs: map[string]any{"profile.default_content_setting_values.javascript": 2}})
	require.NoError(t, tab.Navigate(t.Context(), base+"/noscript"))
	require.NoError(t, tab.Wait(t.Context(), `document.querySelector("#without") !== null`))
	assert.Equal(t, "before", eval[string](t, tab, `document.querySelector("#p").textContent`))
	require.NoError(t, tab.Navigate(t.Context(), base))
	require.NoError(t, tab.Click(t.Context(), "a"))
	require.NoError(t, tab.Wait(t.Context(), `document.title === "other"`))
}

func TestTab_withoutCookies(t *testing.T) {
	base, _ := serve(t)
	tab := drive.OpenChromium(t, drive.Options{Prefs: map[string]any{"profile.default_content_setting_values.cookies": 2}})
	require.NoError(t, tab.Navigate(t.Context(), base))
	assert.True(t, eval[bool](t, tab, "navigator.cookieEnabled"))
	assert.Empty(t, eval[string](t, tab, `(document.cookie = "a=1", document.cookie)`))
	assert.ErrorContains(t, tab.Eval(t.Context(), "localStorage", nil), "SecurityError")
}

func TestFirefox(t *testing.T) {
	base, _ := serve(t)
	p := drive.Open(t, drive.Firefox, drive.Options{Prefs: map[string]any{"network.cookie.cookieBehavior": 2}})
	require.NoError(t, p.Navigate(t.Context(), base))
	assert.False(t, eval[bool](t, p, "navigator.cookieEnabled"))
	assert.ErrorContains(t, p.Eval(t.Context(), "localStorage", nil), "insecure")

	// What it says has the levels and the sources that the other engines give.
	assert.True(t, eval[bool](t, p, `(console.warn("careful"), console.debug("detail"), confirm("sure?"))`))
	messages, err := p.Console(t.Context())
	require.NoError(t, err)
	assert.Contains(t, messages, drive.Message{Level: "log", Text: "hello 42", URL: base + "/"})
	assert.Contains(t, messages, drive.Message{Level: "error", Text: "Error: thrown later", URL: base + "/"})
	assert.Contains(t, messages, drive.Message{Level: "dialog", Text: "sure?"})
	levels := make(map[string]string)
	for _, m := range messages {
		levels[m.Text] = m.Level
	}
	assert.Equal(t, "warning", levels["careful"])
	assert.Equal(t, "debug", levels["detail"])
	assert.Nil(t, eval[any](t, p, `window.open("/other")`), "nobody has clicked")
}

func TestWebKit(t *testing.T) {
	base, _ := serve(t)
	p := drive.Open(t, drive.WebKit, drive.Options{Flags: []string{"--cookies-policy=never"}})
	require.NoError(t, p.Navigate(t.Context(), base))
	assert.True(t, eval[bool](t, p, "navigator.cookieEnabled"))
	assert.Empty(t, eval[string](t, p, `(document.cookie = "a=1", document.cookie)`))
	assert.ErrorContains(t, p.Eval(t.Context(), `(sure = confirm("sure?"))`, nil), "dialog")
	require.NoError(t, p.Wait(t.Context(), "sure"), "it does not stop the page")
	assert.ErrorContains(t, p.Resize(t.Context(), 320, 480), "the window is")
}

func TestClock(t *testing.T) {
	base, _ := serve(t)
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	for _, engine := range []drive.Engine{drive.Chromium, drive.Firefox, drive.WebKit, drive.QtWebKit} {
		t.Run(string(engine), func(t *testing.T) {
			clock := drive.NewClock(t, 10*time.Minute)
			p := drive.Open(t, engine, drive.Options{Env: clock.Env()})
			require.NoError(t, p.Navigate(t.Context(), base))

			ahead := func() time.Duration {
				before := time.Now()
				there := time.UnixMilli(eval[int64](t, p, "Date.now()"))
				return there.Sub(before.Add(time.Since(before) / 2))
			}
			assert.InDelta(t, 600_000, ahead().Milliseconds(), 50)
			require.NoError(t, clock.Set(-10*time.Minute))
			assert.InDelta(t, -600_000, ahead().Milliseconds(), 50)
		})
	}
}

func TestBrowser_closeLeavesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	home, err := os.MkdirTemp("", "") // t.TempDir is too long for Chromium's socket
	require.NoError(t, err)
	defer os.Remove(home)
	t.Setenv("TMPDIR", home)
	for _, engine := range []drive.Engine{drive.Chromium, drive.Firefox, drive.WebKit, drive.Chromium102} {
		b, err := drive.Start(t.Context(), engine, drive.Options{})
		require.NoError(t, err)
		require.NoError(t, b.Close())
		left, err := os.ReadDir(home)
		require.NoError(t, err)
		assert.Empty(t, left)
		assert.ErrorContains(t, b.Page().Eval(t.Context(), "1", nil), "browser is gone")
	}
}

func TestStart_refuses(t *testing.T) {
	if testing.Short() {
		t.Skip("needs browsers: left out by -short")
	}
	for engine, o := range map[drive.Engine]drive.Options{
		"netscape":        {},
		drive.Chromium:    {UBlock: &drive.UBlock{}},
		drive.Firefox:     {Dark: true},
		drive.WebKit:      {Prefs: map[string]any{"a": 1}},
		drive.Chromium102: {Scale: 2},
		drive.Chromium87:  {Trust: [][]byte{{}}},
	} {
		_, err := drive.Start(t.Context(), engine, o)
		assert.ErrorContains(t, err, "start "+string(engine)+": ")
	}
}
