package console

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"latchkey/internal/store"
)

const (
	// beat is how often a stream says that it is there. web/live.js takes one that
	// is silent for longer than two for lost, and asks instead.
	beat = 10 * time.Second
	// mostStreams is how many pages are fed live at once; further ones ask.
	mostStreams = 4000
)

// live rings for pages that are open. It listens to the store as long as there is
// one.
type live struct {
	watch    func(context.Context) <-chan store.Event
	stopping <-chan struct{}
	beat     time.Duration
	most     int

	mu     sync.Mutex
	open   int
	bells  map[string]map[chan struct{}]bool // by the case's id
	cancel context.CancelFunc
}

// join returns a bell for the case, and what takes it down again; nil if there are
// too many.
func (l *live) join(id string) (bell chan struct{}, leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == l.most {
		return nil, nil
	}
	if l.open++; l.open == 1 {
		ctx, cancel := context.WithCancel(context.Background())
		l.cancel, l.bells = cancel, map[string]map[chan struct{}]bool{}
		go l.listen(l.watch(ctx))
	}
	if l.bells[id] == nil {
		l.bells[id] = map[chan struct{}]bool{}
	}
	bell = make(chan struct{}, 1)
	l.bells[id][bell] = true
	return bell, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if delete(l.bells[id], bell); len(l.bells[id]) == 0 {
			delete(l.bells, id)
		}
		if l.open--; l.open == 0 {
			l.cancel()
		}
	}
}

// listen ends when the store closes the channel: after the last has left.
func (l *live) listen(events <-chan store.Event) {
	for e := range events {
		l.mu.Lock()
		for bell := range l.bells[e.Case] {
			select {
			case bell <- struct{}{}:
			default: // it has not been heard yet
			}
		}
		l.mu.Unlock()
	}
}

// version changes whenever the live part of a case's page does.
func (c *Console) version(k store.Case) string {
	return fmt.Sprintf("%d-%t", k.Reports, k.Usable(c.o.Now()))
}

// streamCase is a stream of server-sent events that tell nothing but that there is
// something to ask for, or that it is still there. It ends with the session and with
// the case.
func (c *Console) streamCase(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	k, err := c.o.Store.Cases.Get(r.Context(), id)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	bell, leave := c.live.join(id)
	if bell == nil {
		http.Error(w, "too many pages are fed live", http.StatusServiceUnavailable)
		return
	}
	defer leave()

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx's word
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the server's would end the stream
	had := c.version(k)
	ticker := time.NewTicker(c.live.beat)
	defer ticker.Stop()
	// The first ring is for what came between the page and this.
	for what := "ring"; ; {
		_ = out.SetWriteDeadline(time.Now().Add(2 * c.live.beat))
		if _, err := io.WriteString(w, "data: "+what+"\n\n"); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-bell:
			what = "ring"
		case <-ticker.C:
			if _, err := c.visit(r); err != nil {
				return
			}
			now, err := c.o.Store.Cases.Get(r.Context(), id)
			if err != nil {
				return
			}
			// A ring may have been lost on its way from another server, and that a case
			// has expired rings nowhere.
			version := c.version(now)
			if what = "beat"; version != had {
				what = "ring"
			}
			had = version
		case <-r.Context().Done():
			return
		case <-c.live.stopping:
			return
		}
	}
}
