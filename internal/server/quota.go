package server

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"latchkey/internal/store"
)

// quota is how often something may happen in each window. Unlike the limiter it is
// counted in the store, so that all servers count together.
type quota struct {
	of     string // what and whose
	n      int
	window time.Duration
}

// within counts one more in each of the quotas. wait is 0 if that is within all of
// them, and else how long until it is.
func (s *server) within(ctx context.Context, quotas ...quota) (wait time.Duration, err error) {
	for _, q := range quotas {
		w, err := s.store.Limits.Take(ctx, q.of, q.n, q.window)
		if err != nil {
			return 0, err
		}
		wait = max(wait, w)
	}
	return wait, nil
}

// The quotas of people who send reports. A clinic of 300 people sits behind one
// address, and each may send again after they tried something; over a link one
// person sends, from several devices.
const (
	reportsPerAddress = 600
	reportsPerLink    = 60
	reportWindow      = 10 * time.Minute
)

// mayReport is how long whoever asks has to wait until they may send a report; 0 is
// now. token is that of their link, or "" without one.
func (s *server) mayReport(r *http.Request, token string) (wait time.Duration, err error) {
	quotas := []quota{{"report:" + network(s.client(r)).String(), reportsPerAddress, reportWindow}}
	if hash, ok := store.HashToken(token); ok {
		quotas = append(quotas, quota{"report:" + hex.EncodeToString(hash), reportsPerLink, reportWindow})
	}
	return s.within(r.Context(), quotas...)
}

// waitFor tells a client how long to wait.
func waitFor(w http.ResponseWriter, wait time.Duration) {
	seconds := int((wait + time.Second - 1) / time.Second)
	w.Header().Set("Retry-After", strconv.Itoa(max(1, seconds)))
}
