//go:build unix

package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// chromiumPath is the browser itself; /usr/bin/chromium is a wrapper that loads
// every extension installed on the system.
const chromiumPath = "/usr/lib/chromium/chromium"

// ChromiumBrowser is the system's Chromium, headless.
type ChromiumBrowser struct {
	process *process
	conn    *conn
	home    string
	options Options
	first   *Tab

	events subscribers // of the browser itself

	mu   sync.Mutex
	tabs map[string]*Tab // by the session of the tab, or of a frame or worker in it
}

// StartChromium is Start for callers that need the browser itself.
func StartChromium(ctx context.Context, o Options) (*ChromiumBrowser, error) {
	if err := installed(chromiumPath, "chromium"); err != nil {
		return nil, err
	}
	if o.UBlock != nil {
		return nil, errors.New("start chromium: uBlock Origin is for Firefox: it takes no extensions of that kind")
	}
	if o.Width == 0 || o.Height == 0 {
		o.Width, o.Height = 1280, 800
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	home, env, err := newHome(o.Dir)
	if err != nil {
		return nil, err
	}
	b := &ChromiumBrowser{home: home, options: o, tabs: make(map[string]*Tab)}
	if err := b.start(ctx, append(env, o.Env...)); err != nil {
		return nil, errors.Join(fmt.Errorf("start chromium: %w", err), b.Close())
	}
	return b, nil
}

func (b *ChromiumBrowser) start(ctx context.Context, env []string) (err error) {
	profile := filepath.Join(b.home, "profile")
	if err := writePreferences(profile, b.options.Prefs); err != nil {
		return err
	}
	if err := trust(filepath.Join(b.home, ".pki", "nssdb"), b.options.Trust); err != nil {
		return err
	}
	cmd := exec.Command(chromiumPath, append([]string{
		"--headless=new",
		"--remote-debugging-pipe",
		"--user-data-dir=" + profile,
		"--no-startup-window", // the first tab is made like every other
		"--no-first-run",
		"--no-default-browser-check",
		"--disable-background-networking",
		"--disable-component-update",
		"--disable-breakpad",
		"--disable-gpu",
		"--password-store=basic",
		fmt.Sprintf("--window-size=%d,%d", b.options.Width, b.options.Height),
	}, b.options.Flags...)...)
	if os.Geteuid() == 0 {
		cmd.Args = append(cmd.Args, "--no-sandbox") // it refuses to start as root otherwise
	}
	cmd.Env = env
	if b.process, b.conn, err = startPiped(cmd, b.dispatch); err != nil {
		return err
	}
	b.first, err = b.NewTab(ctx)
	return err
}

func writePreferences(profile string, prefs map[string]any) error {
	all := map[string]any{"profile.cookie_controls_mode": 0}
	maps.Copy(all, prefs)
	tree := make(map[string]any)
	for name, value := range all {
		at, path := tree, strings.Split(name, ".")
		for _, part := range path[:len(path)-1] {
			if at[part] == nil {
				at[part] = make(map[string]any)
			}
			at = at[part].(map[string]any)
		}
		at[path[len(path)-1]] = value
	}
	data, err := json.Marshal(tree)
	if err != nil {
		return fmt.Errorf("profile preferences: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(profile, "Default"), 0o700); err != nil {
		return fmt.Errorf("profile preferences: %w", err)
	}
	return os.WriteFile(filepath.Join(profile, "Default", "Preferences"), data, 0o600)
}

// Page is the first tab, a *Tab.
func (b *ChromiumBrowser) Page() Page { return b.first }

// Close ends the browser and removes its profile.
func (b *ChromiumBrowser) Close() error {
	var errs []error
	if b.process != nil {
		errs = append(errs, b.process.kill(), b.conn.close())
	}
	return errors.Join(append(errs, os.RemoveAll(b.home))...)
}

// Freeze stops all processes of the browser until Thaw. Its clocks go on, unlike
// those of a device that sleeps. If the tests are killed meanwhile, the kernel wakes
// and ends what they left stopped (POSIX, orphaned process groups).
func (b *ChromiumBrowser) Freeze() error { return b.process.signal(syscall.SIGSTOP) }

// Thaw lets a browser that was frozen go on.
func (b *ChromiumBrowser) Thaw() error { return b.process.signal(syscall.SIGCONT) }

// Call sends a command of the DevTools protocol to the browser and decodes the
// result to out, which may be nil.
func (b *ChromiumBrowser) Call(ctx context.Context, method string, params, out any) error {
	return b.conn.call(ctx, "", method, params, out)
}

// On is Tab.On for the events of the browser itself.
func (b *ChromiumBrowser) On(method string, handle func(Event)) (off func()) {
	return b.events.add(method, handle)
}

// NewTab opens a tab in front of the others.
func (b *ChromiumBrowser) NewTab(ctx context.Context) (*Tab, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var target struct{ TargetID, SessionID string }
	if err := b.Call(ctx, "Target.createTarget", object{"url": "about:blank"}, &target); err != nil {
		return nil, err
	}
	if err := b.Call(ctx, "Target.attachToTarget", object{"targetId": target.TargetID, "flatten": true}, &target); err != nil {
		return nil, err
	}
	t := &Tab{browser: b, conn: b.conn, session: target.SessionID, target: target.TargetID, changed: make(chan struct{})}
	b.mu.Lock()
	b.tabs[t.session] = t
	b.mu.Unlock()
	return t, t.prepare(ctx)
}

// dispatch gives an event to the tab that it belongs to.
func (b *ChromiumBrowser) dispatch(e Event) {
	b.mu.Lock()
	t := b.tabs[e.session]
	b.mu.Unlock()
	if t == nil {
		b.events.publish(e)
		return
	}
	switch e.Method {
	case "Target.attachedToTarget":
		// A frame of another site or a worker: its requests and messages are the
		// tab's as well. It waits until all has been set up.
		var p struct{ SessionID string }
		if json.Unmarshal(e.Params, &p) == nil {
			b.mu.Lock()
			b.tabs[p.SessionID] = t
			b.mu.Unlock()
			t.adopt(p.SessionID)
		}
	case "Target.detachedFromTarget":
		var p struct{ SessionID string }
		if json.Unmarshal(e.Params, &p) == nil {
			b.mu.Lock()
			delete(b.tabs, p.SessionID)
			b.mu.Unlock()
			t.disown(p.SessionID)
		}
	default:
		t.note(e)
	}
	t.events.publish(e)
}

// object is the parameters of a command.
type object = map[string]any

// subscribers are the handlers of events by method.
type subscribers struct {
	mu       sync.Mutex
	handlers map[string][]*func(Event)
}

func (s *subscribers) add(method string, handle func(Event)) (off func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handlers == nil {
		s.handlers = make(map[string][]*func(Event))
	}
	mine := &handle
	s.handlers[method] = append(s.handlers[method], mine)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.handlers[method] = slices.DeleteFunc(slices.Clone(s.handlers[method]), func(h *func(Event)) bool { return h == mine })
	}
}

func (s *subscribers) publish(e Event) {
	s.mu.Lock()
	handlers := s.handlers[e.Method]
	s.mu.Unlock()
	for _, handle := range handlers {
		(*handle)(e)
	}
}
