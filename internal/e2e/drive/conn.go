//go:build unix

package drive

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// errGone says that the browser has ended or closed its pipe.
var errGone = errors.New("browser is gone")

// Event is something the browser told without being asked.
type Event struct {
	Method string          // such as "Network.requestWillBeSent"
	Params json.RawMessage // as the engine's protocol defines them

	session string
	conn    *conn
}

// Send sends a command to the frame or worker that the event came from and does
// not wait for the answer, so that a handler may use it.
func (e Event) Send(method string, params any) error {
	return e.conn.write(message{ID: e.conn.newID(nil), Method: method, Params: params, SessionID: e.session})
}

// conn carries commands, answers and events over a pair of pipes: JSON, each
// message ended by a NUL, as --remote-debugging-pipe has it. WebDriver BiDi has
// nearly the same messages, and a socket that looks like such pipes.
type conn struct {
	handle func(Event) // called in order by the reader; must not wait for an answer
	stderr fmt.Stringer

	writing sync.Mutex
	w       io.WriteCloser

	mu     sync.Mutex // guards the rest
	lastID int
	await  map[int]chan<- answer

	ended chan struct{} // closed when the reader has returned
}

type message struct {
	ID        int    `json:"id"`
	Method    string `json:"method"`
	Params    any    `json:"params"`
	SessionID string `json:"sessionId,omitempty"`
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *refusal        `json:"error"`
	Detail string          `json:"message"` // of a refusal in WebDriver BiDi

	// Of events:
	Method    string          `json:"method"`
	Params    json.RawMessage `json:"params"`
	SessionID string          `json:"sessionId"`
}

// refusal is why a command failed: in WebDriver BiDi a code only.
type refusal struct {
	Message string `json:"message"`
	Data    string `json:"data"`
}

// UnmarshalJSON takes either form.
func (r *refusal) UnmarshalJSON(data []byte) error {
	type plain refusal
	if json.Unmarshal(data, &r.Message) == nil {
		return nil
	}
	return json.Unmarshal(data, (*plain)(r))
}

func newConn(r io.ReadCloser, w io.WriteCloser, stderr fmt.Stringer, handle func(Event)) *conn {
	c := &conn{handle: handle, stderr: stderr, w: w, await: make(map[int]chan<- answer), ended: make(chan struct{})}
	go c.read(r)
	return c
}

func (c *conn) read(r io.ReadCloser) {
	defer close(c.ended)
	defer r.Close()
	for in := bufio.NewReader(r); ; {
		data, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var a answer
		if err := json.Unmarshal(data[:len(data)-1], &a); err != nil {
			return // not the protocol: as good as gone
		}
		if a.Method != "" {
			c.handle(Event{Method: a.Method, Params: a.Params, session: a.SessionID, conn: c})
			continue
		}
		c.mu.Lock()
		to := c.await[a.ID]
		delete(c.await, a.ID)
		c.mu.Unlock()
		if to != nil {
			to <- a
		}
	}
}

// newID numbers a command whose answer goes to the channel, if there is one.
func (c *conn) newID(to chan<- answer) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastID++
	if to != nil {
		c.await[c.lastID] = to
	}
	return c.lastID
}

func (c *conn) write(m message) error {
	if m.Params == nil {
		m.Params = struct{}{}
	}
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("%s: %w", m.Method, err)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := c.w.Write(append(data, 0)); err != nil {
		return fmt.Errorf("%s: %w: %w", m.Method, errGone, err)
	}
	return nil
}

// call sends a command and decodes its result to out, which may be nil.
func (c *conn) call(ctx context.Context, session, method string, params, out any) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	got := make(chan answer, 1)
	id := c.newID(got)
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.await, id)
	}()
	if err := c.write(message{ID: id, Method: method, Params: params, SessionID: session}); err != nil {
		return err
	}
	select {
	case a := <-got:
		if a.Error != nil {
			return fmt.Errorf("%s: %s %s", method, a.Error.Message, a.Error.Data+a.Detail)
		}
		if out == nil {
			return nil
		}
		if err := json.Unmarshal(a.Result, out); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		return nil
	case <-c.ended:
		return fmt.Errorf("%s: %w; it said: %s", method, errGone, c.stderr)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

// close closes the way to the browser, whose process must have ended, and waits
// for the reader.
func (c *conn) close() error {
	err := c.w.Close()
	<-c.ended
	return err
}
