package store

import (
	"context"
	"slices"
	"sync"
)

// hub tells the watchers of this process.
type hub struct {
	done chan struct{} // closed with the store

	mu       sync.Mutex
	watchers map[*watcher]bool
}

// watcher is one who listens, and what it has not heard yet.
type watcher struct {
	wake    chan struct{}
	pending []string
}

func newHub() *hub { return &hub{done: make(chan struct{}), watchers: map[*watcher]bool{}} }

func (h *hub) ring(cases ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		for _, c := range cases {
			if !slices.Contains(w.pending, c) {
				w.pending = append(w.pending, c)
			}
		}
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func (h *hub) watch(ctx context.Context) <-chan Event {
	w, events := &watcher{wake: make(chan struct{}, 1)}, make(chan Event)
	h.mu.Lock()
	h.watchers[w] = true
	h.mu.Unlock()
	go func() {
		defer close(events)
		defer func() {
			h.mu.Lock()
			delete(h.watchers, w)
			h.mu.Unlock()
		}()
		for {
			select {
			case <-w.wake:
			case <-ctx.Done():
				return
			case <-h.done:
				return
			}
			for c, more := h.next(w); more; c, more = h.next(w) {
				select {
				case events <- Event{Case: c}:
				case <-ctx.Done():
					return
				case <-h.done:
					return
				}
			}
		}
	}()
	return events
}

// next takes what the watcher hears next.
func (h *hub) next(w *watcher) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(w.pending) == 0 {
		return "", false
	}
	c := w.pending[0]
	w.pending = w.pending[1:]
	return c, true
}
