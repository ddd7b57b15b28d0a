//go:build unix

package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Tab is a page of Chromium, with all that the DevTools protocol can do.
type Tab struct {
	browser *ChromiumBrowser
	conn    *conn
	session string
	target  string

	events subscribers

	mu       sync.Mutex
	everyone []command // what each frame and worker is told before it runs
	children []string  // sessions of frames of other sites and of workers
	console  []Message
	commits  int           // documents that have come to the main frame
	moves    int           // and steps within a document
	loaded   bool          // whether the document's load event has fired
	changed  chan struct{} // closed and replaced when one of the three changes
}

type command struct {
	method string
	params any
}

// prepare tells a fresh tab what to report and how to look.
func (t *Tab) prepare(ctx context.Context) error {
	if err := t.Call(ctx, "Page.enable", nil, nil); err != nil {
		return err
	}
	for _, method := range []string{"Runtime.enable", "Log.enable", "Network.enable"} {
		if err := t.CallAll(ctx, method, nil); err != nil {
			return err
		}
	}
	if err := t.CallAll(ctx, "Target.setAutoAttach", object{"autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true}); err != nil {
		return err
	}
	if t.browser.options.Dark {
		if err := t.CallAll(ctx, "Emulation.setEmulatedMedia", object{
			"features": []object{{"name": "prefers-color-scheme", "value": "dark"}},
		}); err != nil {
			return err
		}
	}
	return t.Resize(ctx, t.browser.options.Width, t.browser.options.Height)
}

// Browser is the browser that the tab belongs to.
func (t *Tab) Browser() *ChromiumBrowser { return t.browser }

// Call sends a command of the DevTools protocol to the page and decodes the
// result to out, which may be nil.
func (t *Tab) Call(ctx context.Context, method string, params, out any) error {
	return t.conn.call(ctx, t.session, method, params, out)
}

// CallAll sends a command to the page and to every frame and worker in it that
// is a target of its own, now or later: frames of other sites would otherwise
// not hear of a Fetch.enable or a throttle. Only the page's refusal is an error.
// A later CallAll of the same method replaces the earlier.
func (t *Tab) CallAll(ctx context.Context, method string, params any) error {
	t.mu.Lock()
	t.everyone = append(slices.DeleteFunc(t.everyone, func(c command) bool { return c.method == method }), command{method, params})
	children := slices.Clone(t.children)
	t.mu.Unlock()
	for _, session := range children {
		if err := t.send(session, method, params); err != nil {
			return err
		}
	}
	return t.Call(ctx, method, params, nil)
}

// On calls handle for each event of that method of the page, its frames and its
// workers, until off is called. Handlers run in the order of the events, and
// before the answers to later commands: they must be quick, may use Event.Send,
// and must not Call. For some events a domain must be enabled first; Page,
// Runtime, Log and Network are. To play the network, enable Fetch:
//
//	tab.On("Fetch.requestPaused", func(e drive.Event) {
//		var paused struct{ RequestID string }
//		json.Unmarshal(e.Params, &paused)
//		e.Send("Fetch.failRequest", map[string]any{"requestId": paused.RequestID, "errorReason": "ConnectionReset"})
//	})
//	tab.CallAll(ctx, "Fetch.enable", map[string]any{"patterns": []any{map[string]any{"urlPattern": "*/echo"}}})
func (t *Tab) On(method string, handle func(Event)) (off func()) {
	return t.events.add(method, handle)
}

func (t *Tab) send(session, method string, params any) error {
	return Event{session: session, conn: t.conn}.Send(method, params)
}

// adopt sets up a frame or worker and lets it run. What one kind of target does
// not know it refuses, and an end of the pipe is seen by the next Call.
func (t *Tab) adopt(session string) {
	t.mu.Lock()
	t.children = append(t.children, session)
	everyone := slices.Clone(t.everyone)
	t.mu.Unlock()
	for _, c := range everyone {
		_ = t.send(session, c.method, c.params)
	}
	_ = t.send(session, "Runtime.runIfWaitingForDebugger", nil)
}

func (t *Tab) disown(session string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.children = slices.DeleteFunc(t.children, func(s string) bool { return s == session })
}

// Navigate implements Page.
func (t *Tab) Navigate(ctx context.Context, url string) error {
	return t.travel(ctx, "navigate to "+url, func(ctx context.Context) (moves bool, err error) {
		var to struct{ LoaderID, ErrorText string }
		if err := t.Call(ctx, "Page.navigate", object{"url": url}, &to); err != nil {
			return false, err
		}
		if to.ErrorText != "" {
			return false, errors.New(to.ErrorText)
		}
		return to.LoaderID == "", nil // no loader: another fragment of the same document
	})
}

// Reload loads the document again, and what it needs if that is not fresh.
func (t *Tab) Reload(ctx context.Context) error {
	return t.travel(ctx, "reload", func(ctx context.Context) (bool, error) {
		return false, t.Call(ctx, "Page.reload", nil, nil)
	})
}

// Back goes one step back in the tab's history.
func (t *Tab) Back(ctx context.Context) error {
	return t.travel(ctx, "go back", func(ctx context.Context) (bool, error) {
		var history struct {
			CurrentIndex int
			Entries      []struct{ ID int }
		}
		if err := t.Call(ctx, "Page.getNavigationHistory", nil, &history); err != nil {
			return false, err
		}
		if history.CurrentIndex == 0 {
			return false, errors.New("no history")
		}
		return true, t.Call(ctx, "Page.navigateToHistoryEntry", object{"entryId": history.Entries[history.CurrentIndex-1].ID}, nil)
	})
}

// travel does what makes the tab go somewhere and waits until it has arrived: a
// new document has come and is loaded or, where moves is allowed, the same
// document stands at another address.
func (t *Tab) travel(ctx context.Context, what string, do func(context.Context) (moves bool, err error)) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	t.mu.Lock()
	commits, moved := t.commits, t.moves
	t.mu.Unlock()
	moves, err := do(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for {
		t.mu.Lock()
		arrived := t.commits > commits && t.loaded || moves && t.moves > moved
		changed := t.changed
		t.mu.Unlock()
		if arrived {
			return nil
		}
		select {
		case <-changed:
		case <-t.conn.ended:
			return fmt.Errorf("%s: %w", what, errGone)
		case <-ctx.Done():
			return fmt.Errorf("%s: %w; %s", what, ctx.Err(), describe(ctx, t))
		}
	}
}

// note keeps what the tab itself wants to know of an event.
func (t *Tab) note(e Event) {
	var p struct {
		Frame   struct{ ParentID string }
		FrameID string
		Message string // of a dialog
		Type    string // of a call to the console, or of a navigation
		Args    []struct {
			Value       json.RawMessage
			Description string
		}
		StackTrace       struct{ CallFrames []struct{ URL string } }
		ExceptionDetails struct {
			Text, URL string
			Exception struct{ Description string }
		}
		Entry Message
	}
	if json.Unmarshal(e.Params, &p) != nil {
		return // an event that has other things by these names is none of those below
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.Method {
	case "Page.frameNavigated":
		if p.Frame.ParentID == "" {
			t.commits++
			t.loaded = p.Type == "BackForwardCacheRestore" // then it was loaded before
			t.wake()
		}
	case "Page.navigatedWithinDocument":
		if p.FrameID == t.target {
			t.moves++
			t.wake()
		}
	case "Page.loadEventFired":
		t.loaded = true
		t.wake()
	case "Page.javascriptDialogOpening":
		// It would stop the page, and with it every command.
		t.console = append(t.console, Message{Level: "dialog", Text: p.Message})
		_ = e.Send("Page.handleJavaScriptDialog", object{"accept": true})
	case "Runtime.consoleAPICalled":
		m := Message{Level: p.Type}
		var words []string
		for _, a := range p.Args {
			var word string
			if json.Unmarshal(a.Value, &word) != nil {
				word = a.Description
				if word == "" {
					word = string(a.Value)
				}
			}
			words = append(words, word)
		}
		m.Text = strings.Join(words, " ")
		if frames := p.StackTrace.CallFrames; len(frames) > 0 {
			m.URL = frames[0].URL
		}
		t.console = append(t.console, m)
	case "Runtime.exceptionThrown":
		x := p.ExceptionDetails
		t.console = append(t.console, Message{Level: "error", Text: strings.TrimSpace(x.Text + " " + x.Exception.Description), URL: x.URL})
	case "Log.entryAdded":
		t.console = append(t.console, p.Entry)
	}
}

// wake tells travellers to look again.
func (t *Tab) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// Eval implements Page. It works with JavaScript switched off as well, to read
// what the page shows.
func (t *Tab) Eval(ctx context.Context, expr string, out any) error {
	var got struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct {
				Description string
				Value       any
			}
		}
	}
	err := t.Call(ctx, "Runtime.evaluate", object{
		"expression":    "(" + expr + "\n)", // the new line ends a comment
		"returnByValue": true,
		"awaitPromise":  true,
	}, &got)
	if err != nil {
		return fmt.Errorf("eval %s: %w", expr, err)
	}
	if x := got.ExceptionDetails; x != nil {
		if x.Exception.Description == "" {
			x.Exception.Description = fmt.Sprint(x.Exception.Value)
		}
		return fmt.Errorf("eval %s: %s: %s", expr, x.Text, x.Exception.Description)
	}
	return decode(expr, got.Result.Value, out)
}

// decode decodes the value of an expression; there is none for undefined.
func decode(expr string, value json.RawMessage, out any) error {
	if out == nil {
		return nil
	}
	if value == nil {
		value = json.RawMessage("null")
	}
	if err := json.Unmarshal(value, out); err != nil {
		return fmt.Errorf("eval %s: %w", expr, err)
	}
	return nil
}

// Wait implements Page.
func (t *Tab) Wait(ctx context.Context, expr string) error { return wait(ctx, t, expr) }

// Resize implements Page.
func (t *Tab) Resize(ctx context.Context, width, height int) error {
	return t.Call(ctx, "Emulation.setDeviceMetricsOverride", object{
		"width": width, "height": height, "deviceScaleFactor": t.browser.options.Scale, "mobile": false,
	}, nil)
}

// Screenshot implements Page.
func (t *Tab) Screenshot(ctx context.Context) ([]byte, error) {
	var png struct{ Data []byte }
	err := t.Call(ctx, "Page.captureScreenshot", object{"format": "png"}, &png)
	return png.Data, err
}

// Console implements Page.
func (t *Tab) Console(context.Context) ([]Message, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.console), nil
}

// ThrottleCPU makes the page's CPU rate times slower; 1 is its true speed.
func (t *Tab) ThrottleCPU(ctx context.Context, rate float64) error {
	return t.CallAll(ctx, "Emulation.setCPUThrottlingRate", object{"rate": rate})
}

// Network is a connection for ThrottleNetwork. Zero fields do not limit.
type Network struct {
	Offline  bool
	Latency  float64 // milliseconds added to each request
	Down, Up float64 // bytes per second
}

// ThrottleNetwork makes the page's network as bad as n says.
func (t *Tab) ThrottleNetwork(ctx context.Context, n Network) error {
	unlimited := func(rate float64) float64 {
		if rate == 0 {
			return -1
		}
		return rate
	}
	return t.CallAll(ctx, "Network.emulateNetworkConditions", object{
		"offline": n.Offline, "latency": n.Latency,
		"downloadThroughput": unlimited(n.Down), "uploadThroughput": unlimited(n.Up),
	})
}
