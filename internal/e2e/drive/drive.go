//go:build unix

// Package drive starts real browsers and drives them from go test.
//
// It owns the processes (a fresh profile and home each, the whole process group
// ended by Close), the wires to them, and the few things a browser test asks of
// a page. It knows nothing of Latchkey but the name of the attributes that it
// prints when a wait fails; what a page should show belongs to the tests.
//
// Chromium is driven by the DevTools protocol over a pipe, without a port and
// without a dependency; Firefox by WebDriver BiDi over a WebSocket; WebKitGTK by
// plain WebDriver over HTTP, on a display of its own. Engines of 2016, 2020 and
// 2022 live on in Qt and are driven through a small Python host. All of them are
// a [Page]; a test that needs real input, a paused request or a raw command asks
// for a [Tab], which Chromium alone has.
//
//	page := drive.Open(t, drive.Chromium87, drive.Options{})
//	require.NoError(t, page.Navigate(t.Context(), server.URL))
//	require.NoError(t, page.Wait(t.Context(), `document.querySelector("h1") !== null`))
package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait whose context has no deadline. It is many times
// what the slowest engine needs, so that only a real hang meets it.
const patience = 20 * time.Second

// pollEvery is how often Wait looks: short beside the 100 ms that a person
// notices, long enough to leave the CPU to the page.
const pollEvery = 20 * time.Millisecond

// Engine names a browser that Start knows.
type Engine string

// The engines. The numbers are those of the Chromium inside Qt WebEngine.
const (
	Chromium    Engine = "chromium"    // the system's Chromium, headless
	Firefox     Engine = "firefox"     // the system's Firefox ESR, headless
	WebKit      Engine = "webkit"      // WebKitGTK's MiniBrowser: the engine of Safari, not Safari
	Chromium102 Engine = "chromium102" // Qt WebEngine 6.4, of 2022
	Chromium87  Engine = "chromium87"  // Qt WebEngine 5.15, of 2020
	QtWebKit    Engine = "qtwebkit"    // about Safari 10, of 2016: ES5 and little more, no WebAssembly
)

// Options says how a browser is started. The zero value is a plain desktop
// browser of 1280x800 CSS pixels.
type Options struct {
	// Env is added to the environment of the browser's processes ("NAME=value").
	Env []string

	// Flags are added to the command line of the browser; QtWebKit has none.
	Flags []string

	// Dir is where the browser's home is made, by a short name; the system's place
	// for temporary files if it is empty.
	Dir string

	// Width and Height are those of the viewport in CSS pixels.
	Width, Height int

	// Engines refuse to start with what follows unless it is for them.

	// Prefs are preferences of the profile by dotted name, for Chromium and
	// Firefox. Chromium has such as
	// "profile.default_content_setting_values.javascript": 2; third-party
	// cookies are allowed, as in stock Chrome but unlike Debian's, unless
	// "profile.cookie_controls_mode" says otherwise. Those of Firefox are what
	// about:config lists, such as "javascript.options.wasm": false.
	Prefs map[string]any

	// Trust are certificates of authorities, in PEM, that Chromium and Firefox
	// trust besides their own.
	Trust [][]byte

	// UBlock is the content blocker of a Firefox that has one. It takes 6 s more
	// to start.
	UBlock *UBlock

	// The rest is for Chromium alone.

	// Scale is the number of device pixels per CSS pixel; zero means 1.
	Scale float64

	// Dark makes the page see prefers-color-scheme: dark.
	Dark bool
}

// Message is a line of a page's console: something logged, an uncaught
// exception, a failed load, a refused policy or a dialog.
type Message struct {
	Level string `json:"level"` // log, debug, info, warning, error, or dialog
	Text  string `json:"text"`
	URL   string `json:"url"` // of the script or resource, if known
}

// Page is one page in any browser. Methods return early when ctx ends; a
// context without a deadline is given 20 seconds.
type Page interface {
	// Navigate opens url and returns after its load event. It is an error when
	// no document came.
	Navigate(ctx context.Context, url string) error

	// Eval evaluates a JavaScript expression, awaits the promise if it is one,
	// and decodes its value from JSON to out, which may be nil. A thrown
	// exception is an error. For QtWebKit the expression must be ES5.
	Eval(ctx context.Context, expr string, out any) error

	// Wait returns when expr is truthy. Until then it may throw, since pages
	// come and go. The error of a wait in vain tells the last value and what
	// the page looks like.
	Wait(ctx context.Context, expr string) error

	// Resize sets the viewport, in CSS pixels. WebKit's is never narrower than
	// its window, about 450.
	Resize(ctx context.Context, width, height int) error

	// Screenshot returns the viewport as PNG.
	Screenshot(ctx context.Context) ([]byte, error)

	// Console returns all messages since the page was opened, with those of
	// its frames and workers where the engine tells them. There are none of
	// WebKit's, whose driver does not tell them.
	Console(ctx context.Context) ([]Message, error)
}

// Browser is a running browser.
type Browser interface {
	// Page is the page that the browser started with.
	Page() Page

	// Close ends every process of the browser and removes its profile.
	Close() error
}

// Start starts an engine with a fresh profile. The context bounds the start,
// not the life of the browser.
func Start(ctx context.Context, e Engine, o Options) (Browser, error) {
	switch e {
	case Chromium:
		b, err := StartChromium(ctx, o)
		if err != nil {
			return nil, err // and not a Browser that holds nil
		}
		return b, nil
	case Firefox:
		return startFirefox(ctx, o)
	case WebKit:
		return startWebKit(ctx, o)
	}
	return startQt(ctx, e, o)
}

// Open starts an engine for one test and closes it when the test ends. It
// skips under -short, fails with the remedy when the engine is not installed,
// and logs the page's console when the test has failed.
func Open(t testing.TB, e Engine, o Options) Page {
	t.Helper()
	return open(t, e, o).Page()
}

// OpenChromium is Open for tests that need more than a Page.
func OpenChromium(t testing.TB, o Options) *Tab {
	t.Helper()
	return open(t, Chromium, o).Page().(*Tab)
}

func open(t testing.TB, e Engine, o Options) Browser {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	b, err := Start(t.Context(), e, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			messages, _ := b.Page().Console(context.Background())
			for _, m := range messages {
				t.Logf("%s console: %s: %s (%s)", e, m.Level, m.Text, m.URL)
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// installed tells which packages are missing for what the patterns look for.
func installed(patternPackage ...string) error {
	var missing []string
	for i := 0; i < len(patternPackage); i += 2 {
		found, _ := filepath.Glob(patternPackage[i])
		if found == nil && !slices.Contains(missing, patternPackage[i+1]) {
			missing = append(missing, patternPackage[i+1])
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("browser is not installed, run: make deps (apt-get install %s)", strings.Join(missing, " "))
}

// bounded gives ctx a deadline if it has none.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, patience)
}

// wait is Page.Wait for every engine.
func wait(ctx context.Context, p Page, expr string) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	last := "none"
	for {
		var value any
		err := p.Eval(ctx, expr, &value)
		switch {
		case err == nil && truthy(value):
			return nil
		case errors.Is(err, errGone):
			return fmt.Errorf("wait for %s: %w", expr, err)
		case err == nil:
			last = fmt.Sprintf("%#v", value)
		case ctx.Err() == nil:
			last = err.Error()
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("wait for %s: %w; last value: %s; %s", expr, err, last, describe(ctx, p))
		}
	}
}

// pause waits between two looks.
func pause(ctx context.Context) error {
	select {
	case <-time.After(pollEvery):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// truthy is JavaScript's truth for a value that came through JSON.
func truthy(v any) bool {
	return v != nil && v != false && v != 0.0 && v != ""
}

// describe tells what a page looks like, for the error of a wait in vain, whose
// context is over.
func describe(ctx context.Context, p Page) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	var page json.RawMessage
	if err := p.Eval(ctx, `(function () {
		var all = document.documentElement.attributes, seen = {url: location.href, title: document.title, readyState: document.readyState}, i;
		for (i = 0; i < all.length; i++) {
			if (all[i].name.indexOf("data-latchkey") === 0) { seen[all[i].name] = all[i].value; }
		}
		return seen;
	})()`, &page); err != nil {
		page = json.RawMessage(err.Error())
	}
	messages, _ := p.Console(ctx)
	return fmt.Sprintf("page: %s; console: %v", page, messages)
}
