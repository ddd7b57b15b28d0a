package console

import (
	"bufio"
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
	"latchkey/internal/testkit"
)

// stream is an open stream of events.
type stream struct {
	t      *testing.T
	res    *http.Response
	said   chan string // closed when the stream ends
	cancel context.CancelFunc
}

// listens opens the stream of a case as a browser does.
func (b *tab) listens(id string) *stream {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, "GET", b.address("cases/"+id+"/live"), nil)
	require.NoError(b.t, err)
	req.Header.Set("Sec-Fetch-Dest", "empty")
	res, err := b.client.Do(req)
	require.NoError(b.t, err)
	s := &stream{b.t, res, make(chan string), cancel}
	b.t.Cleanup(s.close)
	go func() {
		defer close(s.said)
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if event, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				select {
				case s.said <- event:
				case <-ctx.Done():
				}
			}
		}
	}()
	return s
}

func (s *stream) close() {
	s.cancel()
	_ = s.res.Body.Close() // it was only read
}

// hears waits for an event, and passes over others.
func (s *stream) hears(want string) {
	s.t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case event, ok := <-s.said:
			require.True(s.t, ok, "it ended before %s", want)
			if event == want {
				return
			}
		case <-late:
			require.Fail(s.t, "never heard", want)
		}
	}
}

// ends waits until the server has ended it.
func (s *stream) ends() {
	s.t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case _, ok := <-s.said:
			if !ok {
				return
			}
		case <-late:
			require.Fail(s.t, "it does not end")
		}
	}
}

// fast is a console whose streams say often that they are there.
func fast(d *desk) *desk {
	d.console.live.beat = 20 * time.Millisecond
	return d
}

// deaf is one in which nothing rings and nothing beats.
func deaf(d *desk) *desk {
	d.console.live.beat = time.Hour
	return d
}

func TestLive_ringsForItsOwnCase(t *testing.T) {
	d := deaf(newDesk(t, false, nil))
	b := d.agent()
	k, other := d.opened("TICKET-1"), d.opened("TICKET-2")
	s, o := b.listens(k.ID), b.listens(other.ID)
	assert.Equal(t, "text/event-stream", s.res.Header.Get("Content-Type"))
	assert.Equal(t, "no", s.res.Header.Get("X-Accel-Buffering"))
	assert.Equal(t, "no-store", s.res.Header.Get("Cache-Control"))
	s.hears("ring") // for what came before it
	o.hears("ring")
	d.arrives(testkit.Sent(behind(t), d.clock.Now()), k.ID)
	s.hears("ring")
	require.NoError(t, d.store.Cases.Close(t.Context(), k.ID))
	s.hears("ring")
	select {
	case event := <-o.said:
		assert.Fail(t, "it rings for another case", event)
	default:
	}
}

// What rang nowhere, such as the end of a link's time, shows all the same.
func TestLive_ringsWhenTheLinkRunsOut(t *testing.T) {
	d := fast(newDesk(t, false, func(_ *desk, o *Options) {
		o.Idle = 10 * time.Hour
	}))
	b := d.agent()
	s := b.listens(d.opened("TICKET-1").ID)
	s.hears("ring")
	s.hears("beat")
	d.clock.Move(2 * time.Hour)
	s.hears("ring")
	s.hears("beat")
}

func TestLive_ends(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(t *testing.T, d *desk, b *tab, id string, stop chan struct{})
	}{
		{"with the session", func(t *testing.T, d *desk, b *tab, _ string, _ chan struct{}) {
			assert.NotEqual(t, http.StatusForbidden, b.send("cases", "sign-out").status)
		}},
		{"when nobody has done anything for long", func(_ *testing.T, d *desk, _ *tab, _ string, _ chan struct{}) {
			d.clock.Move(DefaultIdle + time.Minute)
		}},
		{"when the user is turned off", func(t *testing.T, d *desk, _ *tab, _ string, _ chan struct{}) {
			u, err := d.store.Users.Get(t.Context(), "maria.santos")
			require.NoError(t, err)
			u.Off = true
			require.NoError(t, d.store.Users.Set(t.Context(), u))
		}},
		{"with the case", func(t *testing.T, d *desk, _ *tab, id string, _ chan struct{}) {
			require.NoError(t, d.store.Cases.Delete(t.Context(), id))
		}},
		{"with the server", func(_ *testing.T, _ *desk, _ *tab, _ string, stop chan struct{}) { close(stop) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			stop := make(chan struct{})
			d := fast(newDesk(t, false, func(_ *desk, o *Options) { o.Stopping = stop }))
			b := d.agent()
			k := d.opened("TICKET-1")
			s := b.listens(k.ID)
			s.hears("beat")
			c.end(t, d, b, k.ID, stop)
			s.ends()
		})
	}
}

// A stream does not keep anybody signed in.
func TestLive_isNobodysDoing(t *testing.T) {
	d := fast(newDesk(t, false, nil))
	b := d.agent()
	s := b.listens(d.opened("TICKET-1").ID)
	for range 3 {
		d.clock.Move(DefaultIdle/3 - time.Second)
		s.hears("beat")
	}
	d.clock.Move(time.Minute)
	s.ends()
}

func TestLive_isOnlyForThoseWhoAreSignedIn(t *testing.T) {
	d := newDesk(t, false, nil)
	k := d.opened("TICKET-1")
	p := d.tab().directly().get("cases/" + k.ID + "/live")
	assert.Equal(t, http.StatusSeeOther, p.status)
	b := d.agent()
	assert.Equal(t, http.StatusNotFound, b.get("cases/"+store.NewID()+"/live").status)
}

func TestLive_hasALimit(t *testing.T) {
	d := fast(newDesk(t, false, nil))
	d.console.live.most = 2
	b := d.agent()
	k := d.opened("TICKET-1")
	one, two := b.listens(k.ID), b.listens(k.ID)
	one.hears("ring")
	two.hears("ring")
	assert.Equal(t, http.StatusServiceUnavailable, b.get("cases/"+k.ID+"/live").status, "whoever is refused asks by itself")
	one.close()
	assert.Eventually(t, func() bool {
		d.console.live.mu.Lock()
		defer d.console.live.mu.Unlock()
		return d.console.live.open == 1
	}, 20*time.Second, time.Millisecond)
	b.listens(k.ID).hears("ring")
}

// Whoever has left leaves nothing behind: no goroutine, no bell, no listener.
func TestLive_leavesNothingBehind(t *testing.T) {
	d := fast(newDesk(t, false, nil))
	b := d.agent()
	k := d.opened("TICKET-1")
	s := b.listens(k.ID)
	s.hears("beat")
	s.close()
	b.client.CloseIdleConnections()
	before := 0
	settled := func() bool { n := runtime.NumGoroutine(); same := n == before; before = n; return same }
	require.Eventually(t, settled, 20*time.Second, 50*time.Millisecond)
	base := before
	var all []*stream
	for range 40 {
		all = append(all, b.listens(k.ID))
	}
	for _, s := range all {
		s.hears("beat")
	}
	assert.Greater(t, runtime.NumGoroutine(), base+40)
	for _, s := range all {
		s.close()
	}
	b.client.CloseIdleConnections()
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= base }, 20*time.Second, 20*time.Millisecond)
	d.console.live.mu.Lock()
	defer d.console.live.mu.Unlock()
	assert.Zero(t, d.console.live.open)
	assert.Empty(t, d.console.live.bells)
}

// The live part of the page is asked for with what the page has of it already.
func TestNow_answersOnlyWhatIsNew(t *testing.T) {
	d := newDesk(t, false, nil)
	b := d.agent()
	k := d.opened("TICKET-1")
	page := b.ok("cases/" + k.ID)
	assert.Contains(t, page.text(), "Waiting for a report")
	have := attr(page.all(t, "section")[1], "data-have")
	require.NotEmpty(t, have)
	before := len(d.audit())
	assert.Equal(t, http.StatusNoContent, b.get("cases/"+k.ID+"/now?have="+have).status)
	assert.Len(t, d.audit(), before, "nothing was seen")

	d.arrives(testkit.Sent(behind(t), d.clock.Now()), k.ID)
	p := b.ok("cases/" + k.ID + "/now?have=" + have)
	assert.Contains(t, p.text(), "Say next This computer's clock is 4 minutes behind")
	assert.NotContains(t, p.body, "<html", "a part alone")
	part := p.all(t, "section")[0]
	assert.Equal(t, "1 report has arrived", attr(part, "data-said"))
	assert.Len(t, d.audit(), before+1)
	assert.Equal(t, http.StatusNoContent, b.get("cases/"+k.ID+"/now?have="+attr(part, "data-have")).status)

	require.NoError(t, d.store.Cases.Close(t.Context(), k.ID))
	assert.Equal(t, http.StatusOK, b.get("cases/"+k.ID+"/now?have="+attr(part, "data-have")).status, "that it is closed is new")
}
