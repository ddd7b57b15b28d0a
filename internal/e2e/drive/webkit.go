//go:build unix

package drive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

const (
	webKitDriverPath = "/usr/bin/WebKitWebDriver"
	miniBrowserPaths = "/usr/lib/*/webkit2gtk-4.1/MiniBrowser"
)

// webKit is WebKitGTK's MiniBrowser with its one page, its WebDriver, and the
// display it needs.
type webKit struct {
	display *process
	driver  *process
	client  http.Client
	home    string
	session string // address of all commands
}

func startWebKit(ctx context.Context, o Options) (Browser, error) {
	err := installed(xvfbPath, "xvfb", webKitDriverPath, "webkit2gtk-driver", miniBrowserPaths, "webkit2gtk-driver")
	if err == nil && (o.Prefs != nil || o.Trust != nil || o.UBlock != nil || o.Scale != 0 || o.Dark) {
		err = errors.New("it has no preferences, trust, uBlock Origin, scale and dark mode")
	}
	if err != nil {
		return nil, fmt.Errorf("start webkit: %w", err)
	}
	home, env, err := newHome(o.Dir)
	if err != nil {
		return nil, err
	}
	b := &webKit{home: home, client: http.Client{Transport: new(http.Transport)}}
	if err := b.start(ctx, o, env); err != nil {
		return nil, errors.Join(fmt.Errorf("start webkit: %w", err), b.Close())
	}
	return b, nil
}

func (b *webKit) start(ctx context.Context, o Options, env []string) (err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var display string
	if b.display, display, err = startDisplay(); err != nil {
		return err
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	cmd := exec.Command(webKitDriverPath, "--port="+port)
	cmd.Env = slices.Concat(env, []string{
		"DISPLAY=" + display,
		"GDK_BACKEND=x11",
		"NO_AT_BRIDGE=1",                     // no bus for assistive programs
		"DBUS_SESSION_BUS_ADDRESS=disabled:", // nor the person's own
		"GSETTINGS_BACKEND=memory",
	}, o.Env)
	if b.driver, err = startGuarded(cmd); err != nil {
		return err
	}
	b.session = "http://" + address
	for b.call(ctx, http.MethodGet, "/status", nil, nil) != nil {
		if err := pause(ctx); err != nil {
			return fmt.Errorf("no answer: %w; it said: %s", err, b.driver.stderr)
		}
	}
	browser, err := filepath.Glob(miniBrowserPaths)
	if err != nil {
		return err
	}
	var session struct{ SessionID string }
	if err := b.call(ctx, http.MethodPost, "/session", object{"capabilities": object{"alwaysMatch": object{
		"webkitgtk:browserOptions": object{"binary": browser[0], "args": append([]string{"--automation"}, o.Flags...)},
		"timeouts":                 object{"script": patience.Milliseconds(), "pageLoad": patience.Milliseconds()},
		"unhandledPromptBehavior":  "accept", // it would stop the page
	}}}, &session); err != nil {
		return fmt.Errorf("%w; it said: %s", err, b.driver.stderr)
	}
	b.session += "/session/" + session.SessionID
	if o.Width == 0 || o.Height == 0 {
		o.Width, o.Height = 1280, 800
	}
	return b.Resize(ctx, o.Width, o.Height)
}

// freeAddress is one that nobody listens on: the driver does not tell which it
// would choose by itself.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// call sends a command and decodes the value of its answer to out, which may be nil.
func (b *webKit) call(ctx context.Context, method, path string, params, out any) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var body bytes.Buffer
	if params != nil {
		if err := json.NewEncoder(&body).Encode(params); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, b.session+path, &body)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	answer, err := b.client.Do(request)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", path, ctx.Err())
	case err != nil:
		return fmt.Errorf("%s: %w: %w", path, errGone, err)
	}
	defer answer.Body.Close()
	var got struct{ Value json.RawMessage }
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if answer.StatusCode != http.StatusOK {
		var refused struct{ Error, Message string }
		if err := json.Unmarshal(got.Value, &refused); err != nil {
			return fmt.Errorf("%s: %s: %w", path, answer.Status, err)
		}
		return fmt.Errorf("%s: %s: %s", path, refused.Error, refused.Message)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(got.Value, out); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Page is the browser itself.
func (b *webKit) Page() Page { return b }

// Close implements Browser.
func (b *webKit) Close() error {
	var errs []error
	if b.driver != nil {
		errs = append(errs, b.driver.kill())
	}
	b.client.CloseIdleConnections()
	if b.display != nil {
		errs = append(errs, b.display.kill())
	}
	return errors.Join(append(errs, os.RemoveAll(b.home))...)
}

// Navigate implements Page. The driver does not tell that a load has failed; an
// empty page with the reason stands there then.
func (b *webKit) Navigate(ctx context.Context, url string) error {
	err := b.call(ctx, http.MethodPost, "/url", object{"url": url}, nil)
	var at struct{ URL, Text string }
	if err == nil {
		err = b.Eval(ctx, "{url: document.URL, text: document.body && document.body.textContent}", &at)
	}
	if err == nil && at.URL == "about:blank" && url != at.URL {
		err = fmt.Errorf("load failed: %s", at.Text)
	}
	if err != nil {
		return fmt.Errorf("navigate to %s: %w", url, err)
	}
	return nil
}

// webKitEval calls back with an outcome in JSON, so that undefined and
// exceptions are told as the other engines tell them.
const webKitEval = `var done = arguments[0];
function outcome(o) { done(JSON.stringify(o)); }
try {
	Promise.resolve((%s
)).then(function (v) { outcome({value: v}); }).catch(function (e) { outcome({error: String(e)}); });
} catch (e) { outcome({error: String(e)}); }`

// Eval implements Page.
func (b *webKit) Eval(ctx context.Context, expr string, out any) error {
	var text string
	if err := b.call(ctx, http.MethodPost, "/execute/async", object{"script": fmt.Sprintf(webKitEval, expr), "args": []any{}}, &text); err != nil {
		return fmt.Errorf("eval %s: %w", expr, err)
	}
	if text == "" {
		return fmt.Errorf("eval %s: no outcome: a dialog came in between", expr)
	}
	var outcome struct {
		Value json.RawMessage
		Error *string
	}
	if err := json.Unmarshal([]byte(text), &outcome); err != nil {
		return fmt.Errorf("eval %s: %w", expr, err)
	}
	if outcome.Error != nil {
		return fmt.Errorf("eval %s: %s", expr, *outcome.Error)
	}
	return decode(expr, outcome.Value, out)
}

// Wait implements Page.
func (b *webKit) Wait(ctx context.Context, expr string) error { return wait(ctx, b, expr) }

// Resize implements Page. The protocol knows the size of the window only, and
// the bar with the buttons keeps that at 447 pixels or more.
func (b *webKit) Resize(ctx context.Context, width, height int) error {
	type size struct {
		Width  int `json:"width"`
		Height int `json:"height"`
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	var window, inner, got size
	if err := b.call(ctx, http.MethodGet, "/window/rect", nil, &window); err != nil {
		return err
	}
	if err := b.Eval(ctx, "{width: innerWidth, height: innerHeight}", &inner); err != nil {
		return err
	}
	want := size{window.Width + width - inner.Width, window.Height + height - inner.Height}
	if err := b.call(ctx, http.MethodPost, "/window/rect", want, &got); err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("resize to %dx%d: the window is %dx%d", width, height, got.Width, got.Height)
	}
	return b.Wait(ctx, fmt.Sprintf("innerWidth === %d && innerHeight === %d", width, height))
}

// Screenshot implements Page.
func (b *webKit) Screenshot(ctx context.Context) ([]byte, error) {
	var png []byte
	err := b.call(ctx, http.MethodGet, "/screenshot", nil, &png)
	return png, err
}

// Console implements Page: the driver does not tell what was logged.
func (b *webKit) Console(context.Context) ([]Message, error) { return nil, nil }
