package server

import (
	"context"
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	"github.com/beevik/ntp"

	"latchkey/internal/clock"
	"latchkey/internal/evidence"
)

const (
	ntpEvery = 5 * time.Minute // a clock that nobody sets loses milliseconds meanwhile
	ntpWait  = 5 * time.Second
)

// timekeeper is a time server of the operator's.
type timekeeper struct {
	address string
	trouble string    // why it is of no use, as the log was told
	rests   time.Time // until when it must not be asked
}

// kisses are how long a server wants to be left alone that answers so, for ever
// where none is named (RFC 5905 section 7.4).
var kisses = map[string]time.Duration{"RATE": time.Hour}

// watchClock compares the server's clock with the operator's time servers until
// ctx is done.
func (s *server) watchClock(ctx context.Context) {
	var keepers []*timekeeper
	for _, address := range s.cfg.Clock.NTP {
		keepers = append(keepers, &timekeeper{address: address})
	}
	tick := time.NewTicker(ntpEvery)
	defer tick.Stop()
	for {
		s.askTime(keepers)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// askTime asks all time servers at once. What more than half of those that answer
// agree on is true (Marzullo; RFC 5905 section 11.2.1); whoever says something else
// is named in the log, as is who does not answer.
func (s *server) askTime(keepers []*timekeeper) {
	bounds, errs := make([]evidence.Offset, len(keepers)), make([]error, len(keepers))
	var asked sync.WaitGroup
	for i, k := range keepers {
		// What is of no use has bounds that hold nothing.
		if bounds[i] = (evidence.Offset{Lo: math.Inf(1), Hi: math.Inf(-1)}); s.now().Before(k.rests) {
			continue
		}
		asked.Go(func() { bounds[i], errs[i] = s.compare(k) })
	}
	asked.Wait()

	answers := 0
	for _, b := range bounds {
		if b.Lo <= b.Hi {
			answers++
		}
	}
	majority := answers/2 + 1
	_, most := clock.Overlap(bounds, majority)
	where, _ := clock.Overlap(bounds, max(most, 1))
	for i, k := range keepers {
		trouble := ""
		switch b := bounds[i]; {
		case errs[i] != nil:
			trouble = errs[i].Error()
		case s.now().Before(k.rests):
			trouble = k.trouble
		case most < majority || b.Hi < where.Lo || b.Lo > where.Hi:
			trouble = "it disagrees with the others"
		}
		if trouble != "" && k.trouble == "" {
			s.log.Warn("time server is of no use", "server", k.address, "trouble", trouble)
		} else if trouble == "" && k.trouble != "" {
			s.log.Info("time server is of use again", "server", k.address)
		}
		k.trouble = trouble
	}

	s.own.Lock()
	defer s.own.Unlock()
	s.own.ntp = evidence.Fact[evidence.ServerClock]{}
	if most >= majority {
		s.own.ntp = evidence.Saw(evidence.ServerClock{Lo: where.Lo, Hi: where.Hi, By: "ntp", Voices: most})
	}
	s.judgeClock()
}

// compare bounds this server's time less the true one by what one time server says.
func (s *server) compare(k *timekeeper) (evidence.Offset, error) {
	none := evidence.Offset{Lo: math.Inf(1), Hi: math.Inf(-1)}
	answer, err := ntp.QueryWithOptions(k.address, ntp.QueryOptions{
		Timeout: ntpWait, GetSystemTime: s.now,
		// The library's own has no time limit for finding the address.
		Dialer: func(_, address string) (net.Conn, error) { return net.DialTimeout("udp", address, ntpWait) },
	})
	if err != nil {
		return none, err
	}
	if answer.IsKissOfDeath() {
		rest, ok := kisses[answer.KissCode]
		if !ok {
			rest = math.MaxInt64
		}
		k.rests = s.now().Add(rest)
		return none, fmt.Errorf("it wants to be left alone: %s", answer.KissCode)
	}
	if err := answer.Validate(); err != nil {
		return none, err
	}
	off := -answer.ClockOffset
	// The distance is all that may be wrong with the way and with the server's own
	// sources (RFC 5905 section 10); a millisecond is for our own scheduling.
	distance := answer.RootDistance + time.Millisecond
	return evidence.Offset{Lo: math.Floor(ms(off - distance)), Hi: math.Ceil(ms(off + distance))}, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
