package server

import (
	"hash/maphash"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"latchkey/internal/clock"
	"latchkey/internal/evidence"
)

// ownClock is what is known of this server's own clock.
type ownClock struct {
	sync.Mutex
	crowd clock.Crowd
	seed  maphash.Seed // keeps apart who said what
	ntp   evidence.Fact[evidence.ServerClock]
	// known is what all say together, as of judged.
	known  evidence.Fact[evidence.ServerClock]
	judged time.Time
	wrong  bool // was the last that the log was told
}

// judgedFor is how long a verdict on the server's clock stands.
const judgedFor = time.Minute

// serverClock is what is known of this server's own clock; absent if nobody is there
// to say.
func (s *server) serverClock() evidence.Fact[evidence.ServerClock] {
	s.own.Lock()
	defer s.own.Unlock()
	if age := s.now().Sub(s.own.judged); age < 0 || age >= judgedFor {
		s.judgeClock()
	}
	return s.own.known
}

// judgeClock asks who knows the time, the time servers before the crowd, and
// tells the operator when that changes whether the check finds something. The
// clock has to be locked.
func (s *server) judgeClock() {
	c := &s.own
	c.judged, c.known = s.now(), c.ntp
	if c.known.State != evidence.OK {
		c.known = evidence.Fact[evidence.ServerClock]{State: evidence.Absent}
		if v, ok := c.crowd.Judge(c.judged); ok {
			c.known = evidence.Saw(v)
		}
	}
	if c.known.State != evidence.OK {
		return // which proves nothing
	}
	wrong := false
	for _, f := range s.set.Diagnose(evidence.Evidence{Clock: evidence.Clock{Server: c.known}}).Findings {
		wrong = wrong || f.Check == "server-clock-wrong"
	}
	v := c.known.Value
	told := []any{"offset", time.Duration((v.Lo/2 + v.Hi/2) * float64(time.Millisecond)).Round(100 * time.Millisecond), "by", v.By, "voices", v.Voices}
	switch {
	case wrong && !c.wrong:
		s.log.Warn("this server's clock is wrong", append(told, "to_do", "let NTP set it (chronyd, systemd-timesyncd, the host of the virtual machine); "+
			"until then codes and tokens fail for people whose clocks are right")...)
	case !wrong && c.wrong:
		s.log.Info("this server's clock is right again", told...)
	}
	c.wrong = wrong
}

// hear reads the query's clock=LO,HI, in whole seconds: between what and what a
// visitor's device is ahead of this server. What is kept is that and a number for
// the network that it came from, which means something in this process alone.
func (s *server) hear(r *http.Request) {
	lo, hi, _ := strings.Cut(r.URL.Query().Get("clock"), ",")
	from, err := strconv.ParseInt(lo, 10, 40)
	to, err2 := strconv.ParseInt(hi, 10, 40)
	at := s.client(r)
	if err != nil || err2 != nil || !at.IsValid() || s.unlisted(r) {
		return
	}
	bits := 24
	if at.Is6() {
		bits = 48
	}
	s.own.Lock()
	defer s.own.Unlock()
	who := maphash.Comparable(s.own.seed, netip.PrefixFrom(at.WithZone(""), bits).Masked())
	s.own.crowd.Add(who, evidence.Offset{Lo: 1000 * float64(from), Hi: 1000 * float64(to)}, s.now())
}

// tolerances are those of the device's clock that the login has, in a browser of
// that engine; unasked if the operator did not say what it uses.
func (c Clock) tolerances(engine evidence.Fact[string]) evidence.Fact[evidence.Tolerances] {
	if c.Uses == nil && c.Tolerance == 0 && c.CookieLifetime == 0 {
		return evidence.Fact[evidence.Tolerances]{}
	}
	all := evidence.Tolerances{}
	for _, u := range c.Uses {
		if u.Whose == clock.Device {
			all = append(all, u.Tolerance())
		}
	}
	if c.CookieLifetime > 0 && evidence.Is(engine, "WebKit") {
		all = append(all, evidence.Tolerance{Use: clock.CookieExpires, Ahead: evidence.Milliseconds(c.CookieLifetime.Milliseconds())})
	}
	if c.Tolerance > 0 {
		own := evidence.Milliseconds(c.Tolerance.Milliseconds())
		all = append(all, evidence.Tolerance{Use: clock.Own, Ahead: own, Behind: own})
	}
	return evidence.Saw(all)
}

// addClock puts in what the server knows about clocks, where the evidence does not
// say it already. The engine has to be known by then.
func (s *server) addClock(e *evidence.Evidence) {
	if !e.Clock.Server.Known() {
		e.Clock.Server = s.serverClock()
	}
	if !e.Clock.Tolerances.Known() {
		e.Clock.Tolerances = s.cfg.Clock.tolerances(e.Browser.Engine)
	}
}
