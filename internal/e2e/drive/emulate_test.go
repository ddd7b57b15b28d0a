//go:build unix

package drive_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
)

// sight is what a page sees of its browser.
type sight struct {
	Agent, Platform, Orientation string
	Touch                        int
	Screen                       [2]int
	Dense                        float64
	Hints                        *struct {
		Brands, FullVersionList []drive.Brand
		Mobile                  bool
		Platform                string
		PlatformVersion, Model  string
		FormFactors             []string
	}
}

// see yields a sight.
const see = `(async () => ({
	agent: navigator.userAgent, platform: navigator.platform, orientation: typeof self.orientation, touch: navigator.maxTouchPoints,
	screen: self.screen ? [screen.width, screen.height] : [0, 0], dense: self.devicePixelRatio,
	hints: navigator.userAgentData ? await navigator.userAgentData.getHighEntropyValues(["fullVersionList", "platformVersion", "model", "formFactors"]) : null
}))()`

// startSeen serves a page with a frame of another site and a worker, which all
// tell what they see, and keeps the headers of the last request of each path.
func startSeen(t *testing.T) (url string, header func(path string) http.Header) {
	var mu sync.Mutex
	headers := make(map[string]http.Header)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		headers[r.URL.Path] = r.Header.Clone()
		mu.Unlock()
		w.Header().Set("Accept-CH", "Sec-CH-UA-Platform-Version, Sec-CH-UA-Full-Version-List, Sec-CH-UA-Model")
		switch r.URL.Path {
		case "/parent":
			fmt.Fprintf(w, `<!doctype html><meta name="viewport" content="width=device-width"><title>parent</title>
				<iframe src="http://child.localhost:%s/child"></iframe>
				<script>
					window.heard = {};
					onmessage = e => { heard.frame = e.data; };
					new Worker("/worker.js").onmessage = e => { heard.worker = e.data; };
				</script>`, port(r.Host))
		case "/child":
			fmt.Fprintf(w, `<!doctype html><title>child</title><script>%s.then(s => parent.postMessage(s, "*")); fetch("/from-frame")</script>`, see)
		case "/worker.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprintf(w, `%s.then(postMessage); fetch("/from-worker")`, see)
		}
	}))
	t.Cleanup(server.Close)
	return "http://parent.localhost:" + port(server.URL), func(path string) http.Header {
		mu.Lock()
		defer mu.Unlock()
		return headers[path]
	}
}

// hintList is a list of brands as a header has it.
func hintList(brands []drive.Brand) string {
	var items []string
	for _, b := range brands {
		items = append(items, fmt.Sprintf("%q;v=%q", b.Brand, b.Version))
	}
	return strings.Join(items, ", ")
}

func TestEmulate(t *testing.T) {
	base, header := startSeen(t)
	tab := drive.OpenChromium(t, drive.Options{})
	ctx := t.Context()
	for name, d := range map[string]drive.Device{
		"iPhone":             drive.IPhone(),
		"iPad":               drive.IPad(),
		"Pixel":              drive.Pixel(),
		"Pixel desktop site": drive.PixelDesktopSite(),
		"Android tablet":     drive.AndroidTablet(),
		"Facebook iPhone":    drive.FacebookIPhone(),
		"Facebook Android":   drive.FacebookAndroid(),
		"Instagram Android":  drive.InstagramAndroid(),
		"Android view":       drive.AndroidView(),
		"desktop":            {Agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", Platform: "Win32"},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, tab.Emulate(ctx, d))
			require.NoError(t, tab.Navigate(ctx, base+"/parent"))
			require.NoError(t, tab.Wait(ctx, "heard.frame && heard.worker"))
			require.NoError(t, tab.Navigate(ctx, base+"/parent")) // now the server has asked for all hints
			require.NoError(t, tab.Wait(ctx, "heard.frame && heard.worker"))

			page := eval[sight](t, tab, see)
			for where, s := range map[string]sight{"page": page, "frame": eval[sight](t, tab, "heard.frame")} {
				assert.Equal(t, d.Agent, s.Agent, where)
				assert.Equal(t, d.Platform, s.Platform, where)
				assert.Equal(t, map[bool]int{true: 5}[d.Touch], s.Touch, where)
				require.NotNil(t, s.Hints, where)
				want := drive.Metadata{}
				if d.Metadata != nil {
					want = *d.Metadata
				}
				assert.ElementsMatch(t, want.Brands, s.Hints.Brands, where)
				assert.ElementsMatch(t, want.FullVersionList, s.Hints.FullVersionList, where)
				assert.ElementsMatch(t, want.FormFactors, s.Hints.FormFactors, where)
				assert.Equal(t, want.Mobile, s.Hints.Mobile, where)
				assert.Equal(t, want.Platform, s.Hints.Platform, where)
				assert.Equal(t, want.PlatformVersion, s.Hints.PlatformVersion, where)
				assert.Equal(t, want.Model, s.Hints.Model, where)
			}
			assert.Equal(t, d.Agent, eval[string](t, tab, "heard.worker.agent"))

			width, height, scale := 1280, 800, 1.0
			if d.Width != 0 {
				width, height, scale = d.Width, d.Height, d.Scale
			}
			assert.Equal(t, [2]int{width, height}, page.Screen)
			assert.Equal(t, scale, page.Dense)
			assert.Equal(t, width, eval[int](t, tab, "innerWidth"), "the page has named its viewport")
			assert.Equal(t, map[bool]string{false: "undefined", true: "number"}[d.Mobile], page.Orientation)

			for _, path := range []string{"/worker.js", "/from-worker"} {
				assert.Equal(t, d.Agent, header(path).Get("User-Agent"), path)
			}
			for _, path := range []string{"/parent", "/child", "/from-frame"} {
				h := header(path)
				assert.Equal(t, d.Agent, h.Get("User-Agent"), path)
				if d.Metadata == nil {
					assert.Empty(t, h.Values("Sec-CH-UA"), path)
					assert.Empty(t, h.Values("Sec-CH-UA-Platform"), path)
					continue
				}
				assert.Equal(t, hintList(d.Metadata.Brands), h.Get("Sec-CH-UA"), path)
				assert.Equal(t, fmt.Sprintf("%q", d.Metadata.Platform), h.Get("Sec-CH-UA-Platform"), path)
				assert.Equal(t, map[bool]string{false: "?0", true: "?1"}[d.Metadata.Mobile], h.Get("Sec-CH-UA-Mobile"), path)
			}
			if m := d.Metadata; m != nil {
				h := header("/parent")
				assert.Equal(t, hintList(m.FullVersionList), h.Get("Sec-CH-UA-Full-Version-List"))
				assert.Equal(t, fmt.Sprintf("%q", m.PlatformVersion), h.Get("Sec-CH-UA-Platform-Version"))
				assert.Equal(t, fmt.Sprintf("%q", m.Model), h.Get("Sec-CH-UA-Model"))
			}
		})
	}
}

// Browsers that lie from the start, and keep their engine's ways.
func TestOpen_lyingAgent(t *testing.T) {
	base, header := startSeen(t)
	const lie = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Liar/1"
	for _, c := range []struct {
		name   string
		engine drive.Engine
		o      drive.Options
		agent  string // how it begins
		touch  int
		hints  bool
	}{
		{"Chromium", drive.Chromium, drive.Options{Flags: []string{"--user-agent=" + lie}}, lie, 0, true},
		{"Firefox", drive.Firefox, drive.Options{Prefs: map[string]any{"general.useragent.override": lie}}, lie, 0, false},
		{"Firefox that resists fingerprinting", drive.Firefox, drive.Options{Prefs: map[string]any{"privacy.resistFingerprinting": true}}, "Mozilla/5.0 (X11; Linux x86_64; rv:", 5, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := drive.Open(t, c.engine, c.o)
			require.NoError(t, p.Navigate(t.Context(), base+"/parent"))
			s := eval[sight](t, p, see)
			assert.Truef(t, strings.HasPrefix(s.Agent, c.agent), "%s", s.Agent)
			assert.Equal(t, s.Agent, header("/parent").Get("User-Agent"))
			assert.Contains(t, s.Platform, "Linux")
			assert.Equal(t, c.touch, s.Touch)
			assert.Equal(t, c.hints, s.Hints != nil)
			assert.Equal(t, c.hints, header("/parent").Get("Sec-CH-UA-Platform") == `"Linux"`, "the hints stay honest")
		})
	}
}
