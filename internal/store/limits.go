package store

import (
	"context"
	"sync"
	"time"
)

// memory counts for one server.
type memory struct {
	now func() time.Time

	mu     sync.Mutex
	counts map[string]count
	swept  time.Time
}

// count is how many there were in a window that began with the first of them.
type count struct {
	n    int
	ends time.Time
}

func newMemory(now func() time.Time) *memory {
	return &memory{now: now, counts: map[string]count{}}
}

func (m *memory) Take(_ context.Context, key string, n int, window time.Duration) (time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if now.Sub(m.swept) > time.Minute {
		for k, c := range m.counts {
			if !now.Before(c.ends) {
				delete(m.counts, k)
			}
		}
		m.swept = now
	}
	c := m.counts[key]
	if !now.Before(c.ends) {
		c = count{ends: now.Add(window)}
	}
	if c.n >= n {
		return c.ends.Sub(now), nil
	}
	c.n++
	m.counts[key] = c
	return 0, nil
}
