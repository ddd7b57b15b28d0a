//go:build unix

package drive

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed qthost.py
var qtHost string

// Paths of what an old engine is made of. The system's Python is the one that
// sees the system's packages.
const (
	pythonPath = "/usr/bin/python3"
	qtPath     = "/usr/lib/python3/dist-packages/"
)

// qtBrowser is an old engine with its one page, and the display it needs: the
// engine of 2020 does not start without one.
type qtBrowser struct {
	display *process
	host    *process
	conn    *conn
	home    string

	mu       sync.Mutex // guards the rest
	console  []Message
	promises int
}

func startQt(ctx context.Context, e Engine, o Options) (Browser, error) {
	var err error
	switch e {
	case QtWebKit:
		err = installed(xvfbPath, "xvfb", qtPath+"PyQt5/QtWebKitWidgets.*", "python3-pyqt5.qtwebkit")
	case Chromium87:
		err = installed(xvfbPath, "xvfb", qtPath+"PyQt5/QtWebEngineWidgets.*", "python3-pyqt5.qtwebengine")
	case Chromium102:
		err = installed(xvfbPath, "xvfb", qtPath+"PyQt6/QtWebEngineWidgets.*", "python3-pyqt6.qtwebengine")
	default:
		err = errors.New("unknown engine")
	}
	if err == nil && (o.Prefs != nil || o.Trust != nil || o.UBlock != nil || o.Scale != 0 || o.Dark) {
		err = errors.New("it has no preferences, trust, uBlock Origin, scale and dark mode")
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", e, err)
	}
	home, env, err := newHome(o.Dir)
	if err != nil {
		return nil, err
	}
	b := &qtBrowser{home: home}
	if err := b.start(ctx, e, o, env); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", e, err), b.Close())
	}
	return b, nil
}

func (b *qtBrowser) start(ctx context.Context, e Engine, o Options, env []string) (err error) {
	var display string
	if b.display, display, err = startDisplay(); err != nil {
		return err
	}
	if o.Width == 0 || o.Height == 0 {
		o.Width, o.Height = 1280, 800
	}
	// -I: nothing of the environment's Python; the host is the program itself.
	cmd := exec.Command(pythonPath, "-I", "-c", qtHost, string(e), strconv.Itoa(o.Width), strconv.Itoa(o.Height))
	cmd.Env = append(append(env,
		"DISPLAY="+display,
		"QT_QPA_PLATFORM=xcb",
		"QTWEBENGINE_DISABLE_SANDBOX=1",
		"QTWEBENGINE_CHROMIUM_FLAGS="+strings.Join(append([]string{"--no-sandbox", "--disable-gpu"}, o.Flags...), " "),
	), o.Env...)
	if b.host, b.conn, err = startPiped(cmd, b.note); err != nil {
		return err
	}
	return b.Eval(ctx, "1", nil) // the host answers when the page is there
}

// Page is the browser itself.
func (b *qtBrowser) Page() Page { return b }

// Close implements Browser.
func (b *qtBrowser) Close() error {
	var errs []error
	if b.host != nil {
		errs = append(errs, b.host.kill(), b.conn.close())
	}
	if b.display != nil {
		errs = append(errs, b.display.kill())
	}
	return errors.Join(append(errs, os.RemoveAll(b.home))...)
}

func (b *qtBrowser) note(e Event) {
	var m Message
	if e.Method == "console" && json.Unmarshal(e.Params, &m) == nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.console = append(b.console, m)
	}
}

// Navigate implements Page.
func (b *qtBrowser) Navigate(ctx context.Context, url string) error {
	if err := b.conn.call(ctx, "", "navigate", object{"url": url}, nil); err != nil {
		return fmt.Errorf("navigate to %s: %w", url, err)
	}
	return nil
}

// evalScript is ES5. These engines give strings only and do not wait for
// promises, so that a promise leaves its outcome in window.
const evalScript = `(function () {
	function outcome(o) { try { return JSON.stringify(o); } catch (e) { return JSON.stringify({error: String(e)}); } }
	try {
		var v = (%[2]s
);
		if (!v || typeof v.then !== "function") { return outcome({value: v}); }
		v.then(function (x) { window[%[1]q] = outcome({value: x}); }, function (e) { window[%[1]q] = outcome({error: String(e)}); });
		return "";
	} catch (e) { return outcome({error: String(e)}); }
})()`

// Eval implements Page.
func (b *qtBrowser) Eval(ctx context.Context, expr string, out any) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	b.mu.Lock()
	b.promises++
	name := fmt.Sprintf("drive promise %d", b.promises)
	b.mu.Unlock()

	script := fmt.Sprintf(evalScript, name, expr)
	for {
		var got struct{ Value *string }
		if err := b.conn.call(ctx, "", "eval", object{"script": script}, &got); err != nil {
			return fmt.Errorf("eval %s: %w", expr, err)
		}
		if got.Value == nil {
			return fmt.Errorf("eval %s: it does not parse, or the page is gone", expr)
		}
		if *got.Value != "" {
			var outcome struct {
				Value json.RawMessage
				Error *string
			}
			if err := json.Unmarshal([]byte(*got.Value), &outcome); err != nil {
				return fmt.Errorf("eval %s: %w", expr, err)
			}
			if outcome.Error != nil {
				return fmt.Errorf("eval %s: %s", expr, *outcome.Error)
			}
			return decode(expr, outcome.Value, out)
		}
		script = fmt.Sprintf(`window[%q] || ""`, name)
		if err := pause(ctx); err != nil {
			return fmt.Errorf("eval %s: await: %w", expr, err)
		}
	}
}

// Wait implements Page.
func (b *qtBrowser) Wait(ctx context.Context, expr string) error { return wait(ctx, b, expr) }

// Resize implements Page.
func (b *qtBrowser) Resize(ctx context.Context, width, height int) error {
	return b.conn.call(ctx, "", "resize", object{"width": width, "height": height}, nil)
}

// Screenshot implements Page.
func (b *qtBrowser) Screenshot(ctx context.Context) ([]byte, error) {
	var png struct{ Data []byte }
	err := b.conn.call(ctx, "", "screenshot", nil, &png)
	return png.Data, err
}

// Console implements Page.
func (b *qtBrowser) Console(context.Context) ([]Message, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.console), nil
}
