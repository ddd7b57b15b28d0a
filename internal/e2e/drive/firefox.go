//go:build unix

package drive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const firefoxPath = "/usr/bin/firefox-esr"

// firefoxPrefs make a plain browser that talks to nobody but the tests' server.
var firefoxPrefs = map[string]any{
	"extensions.enabledScopes":                   1,     // the profile's: Debian's would load into every profile
	"remote.prefs.recommended":                   false, // those would open popups and the like: not what a person has
	"browser.startup.page":                       0,
	"browser.aboutwelcome.enabled":               false,
	"browser.shell.checkDefaultBrowser":          false,
	"datareporting.policy.dataSubmissionEnabled": false,
	"datareporting.usage.uploadEnabled":          false,
	"toolkit.telemetry.server":                   "",
	"app.normandy.enabled":                       false,
	"app.update.auto":                            false,
	"browser.search.update":                      false,
	"extensions.update.enabled":                  false,
	"extensions.systemAddon.update.enabled":      false,
	"extensions.getAddons.cache.enabled":         false,
	"media.gmp-manager.updateEnabled":            false,
	"services.settings.server":                   "data:,",
	"browser.safebrowsing.update.enabled":        false,
	"browser.region.update.enabled":              false,
	"browser.region.network.url":                 "",
	"browser.topsites.contile.enabled":           false,
	"dom.push.connection.enabled":                false,
	"network.captive-portal-service.enabled":     false,
	"network.connectivity-service.enabled":       false,
}

// firefox is the system's Firefox with its one page.
type firefox struct {
	process *process
	conn    *conn
	home    string
	page    string // its browsing context

	mu      sync.Mutex
	console []Message
}

func startFirefox(ctx context.Context, o Options) (Browser, error) {
	err := installed(firefoxPath, "firefox-esr")
	if err == nil && o.UBlock != nil {
		err = installed(UBlockPath, "webext-ublock-origin-firefox")
	}
	if err == nil && (o.Scale != 0 || o.Dark) {
		err = errors.New("it has no scale and dark mode")
	}
	if err != nil {
		return nil, fmt.Errorf("start firefox: %w", err)
	}
	home, env, err := newHome(o.Dir)
	if err != nil {
		return nil, err
	}
	b := &firefox{home: home}
	if err := b.start(ctx, o, env); err != nil {
		return nil, errors.Join(fmt.Errorf("start firefox: %w", err), b.Close())
	}
	return b, nil
}

func (b *firefox) start(ctx context.Context, o Options, env []string) (err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	profile := filepath.Join(b.home, "profile")
	if err := writeUserPrefs(profile, o.Prefs); err != nil {
		return err
	}
	if err := trust(profile, o.Trust); err != nil {
		return err
	}
	if o.UBlock != nil {
		if err := o.UBlock.write(b.home); err != nil {
			return err
		}
	}
	cmd := exec.Command(firefoxPath, append([]string{
		"--headless", "--new-instance", "--profile", profile, "--remote-debugging-port=0",
	}, o.Flags...)...)
	cmd.Env = slices.Concat(env, []string{"MOZ_CRASHREPORTER_DISABLE=1"}, o.Env)
	if b.process, err = startGuarded(cmd); err != nil {
		return err
	}
	if b.conn, err = b.connect(ctx, filepath.Join(profile, "WebDriverBiDiServer.json")); err != nil {
		return fmt.Errorf("%w; it said: %s", err, b.process.stderr)
	}
	if err := b.call(ctx, "session.new", object{"capabilities": object{"alwaysMatch": object{
		"acceptInsecureCerts":     true,                        // those of the tests' own sites
		"unhandledPromptBehavior": object{"default": "accept"}, // it would stop the page
	}}}, nil); err != nil {
		return err
	}
	if err := b.call(ctx, "session.subscribe", object{"events": []string{"log.entryAdded", "browsingContext.userPromptOpened"}}, nil); err != nil {
		return err
	}
	var tree struct{ Contexts []struct{ Context string } }
	if err := b.call(ctx, "browsingContext.getTree", nil, &tree); err != nil {
		return err
	}
	if len(tree.Contexts) != 1 {
		return fmt.Errorf("it started with %d pages", len(tree.Contexts))
	}
	b.page = tree.Contexts[0].Context
	if o.Width == 0 || o.Height == 0 {
		o.Width, o.Height = 1280, 800
	}
	if err := b.Resize(ctx, o.Width, o.Height); err != nil {
		return err
	}
	if o.UBlock != nil {
		return b.installUBlock(ctx)
	}
	return nil
}

func writeUserPrefs(profile string, prefs map[string]any) error {
	all := maps.Clone(firefoxPrefs)
	maps.Copy(all, prefs)
	var script bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(all)) {
		value, err := json.Marshal(all[name])
		if err != nil {
			return fmt.Errorf("preference %s: %w", name, err)
		}
		fmt.Fprintf(&script, "user_pref(%q, %s);\n", name, value)
	}
	if err := os.Mkdir(profile, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(profile, "user.js"), script.Bytes(), 0o600)
}

// connect waits until the browser has written down where it listens.
func (b *firefox) connect(ctx context.Context, file string) (*conn, error) {
	for {
		var at struct {
			Port int `json:"ws_port"`
		}
		text, err := os.ReadFile(file)
		if err == nil && json.Unmarshal(text, &at) == nil { // or it is still writing
			socket, _, err := websocket.Dial(ctx, "ws://127.0.0.1:"+strconv.Itoa(at.Port)+"/session", nil)
			if err != nil {
				return nil, err
			}
			socket.SetReadLimit(-1) // screenshots
			s := &socketPipe{socket: socket}
			return newConn(s, s, b.process.stderr, b.note), nil
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("no port: %w", err)
		}
	}
}

// socketPipe makes a WebSocket look like the pipes of a conn.
type socketPipe struct {
	socket *websocket.Conn
	rest   []byte // of the last message
}

// Read gives messages with a NUL after each.
func (s *socketPipe) Read(out []byte) (int, error) {
	if len(s.rest) == 0 {
		_, data, err := s.socket.Read(context.Background()) // ended by Close or by the browser's end
		if err != nil {
			return 0, io.EOF
		}
		s.rest = append(data, 0)
	}
	n := copy(out, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// Write takes one message with a NUL after it.
func (s *socketPipe) Write(message []byte) (int, error) {
	return len(message), s.socket.Write(context.Background(), websocket.MessageText, bytes.TrimSuffix(message, []byte{0}))
}

// Close may be called more than once: by the reader and by the owner of a conn.
func (s *socketPipe) Close() error {
	_ = s.socket.CloseNow() // all it can say is that it was closed before
	return nil
}

func (b *firefox) call(ctx context.Context, method string, params, out any) error {
	return b.conn.call(ctx, "", method, params, out)
}

// Page is the browser itself.
func (b *firefox) Page() Page { return b }

// Close implements Browser.
func (b *firefox) Close() error {
	var errs []error
	if b.process != nil {
		errs = append(errs, b.process.kill())
	}
	if b.conn != nil {
		errs = append(errs, b.conn.close())
	}
	return errors.Join(append(errs, os.RemoveAll(b.home))...)
}

func (b *firefox) note(e Event) {
	var p struct {
		Level, Text, Method string
		StackTrace          struct{ CallFrames []struct{ URL string } }
		Message             string // of a dialog
	}
	if json.Unmarshal(e.Params, &p) != nil {
		return
	}
	m := Message{Level: p.Level, Text: p.Text}
	switch {
	case e.Method == "browsingContext.userPromptOpened":
		m = Message{Level: "dialog", Text: p.Message}
	case p.Level == "warn":
		m.Level = "warning"
	case p.Method == "log":
		m.Level = "log"
	}
	if frames := p.StackTrace.CallFrames; len(frames) > 0 {
		m.URL = frames[0].URL
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.console = append(b.console, m)
}

// navigateTime is what Firefox gets to say that a page is complete. On a loaded
// machine it was once seen never to say so of the first one (ESR 153, 2026-11),
// whose scripts had run. Then it is sent there again.
const navigateTime = 8 * time.Second

// Navigate implements Page.
func (b *firefox) Navigate(ctx context.Context, url string) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	short, stop := context.WithTimeout(ctx, navigateTime)
	defer stop()
	params := object{"context": b.page, "url": url, "wait": "complete"}
	err := b.call(short, "browsingContext.navigate", params, nil)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = b.call(ctx, "browsingContext.navigate", params, nil)
	}
	if err != nil {
		return fmt.Errorf("navigate to %s: %w", url, err)
	}
	return nil
}

// Eval implements Page.
func (b *firefox) Eval(ctx context.Context, expr string, out any) error {
	var got struct {
		Result           struct{ Value string }
		ExceptionDetails *struct{ Text string }
	}
	// The protocol has a notation of its own for values: JSON is easier to read.
	// Only what is a promise is awaited: with scripts off none is ever settled.
	err := b.call(ctx, "script.evaluate", object{
		"expression":   "(v => { const json = value => JSON.stringify({value}); return v && typeof v.then === 'function' ? v.then(json) : json(v) })((" + expr + "\n))",
		"target":       object{"context": b.page},
		"awaitPromise": true,
	}, &got)
	if err != nil {
		return fmt.Errorf("eval %s: %w", expr, err)
	}
	if x := got.ExceptionDetails; x != nil {
		return fmt.Errorf("eval %s: %s", expr, x.Text)
	}
	var outcome struct{ Value json.RawMessage }
	if err := json.Unmarshal([]byte(got.Result.Value), &outcome); err != nil {
		return fmt.Errorf("eval %s: %w", expr, err)
	}
	return decode(expr, outcome.Value, out)
}

// Wait implements Page.
func (b *firefox) Wait(ctx context.Context, expr string) error { return wait(ctx, b, expr) }

// Resize implements Page.
func (b *firefox) Resize(ctx context.Context, width, height int) error {
	return b.call(ctx, "browsingContext.setViewport", object{"context": b.page, "viewport": object{"width": width, "height": height}}, nil)
}

// Screenshot implements Page.
func (b *firefox) Screenshot(ctx context.Context) ([]byte, error) {
	var png struct{ Data []byte }
	err := b.call(ctx, "browsingContext.captureScreenshot", object{"context": b.page}, &png)
	return png.Data, err
}

// Console implements Page.
func (b *firefox) Console(context.Context) ([]Message, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.console), nil
}
