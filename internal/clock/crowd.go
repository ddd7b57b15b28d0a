package clock

import (
	"time"

	"latchkey/internal/evidence"
)

const (
	// crowdSize is how many networks are remembered, the newest.
	crowdSize = 4096
	// crowdMemory is how long a voice counts: long enough for a small site to hear
	// enough of them, and short enough that a clock which was set right is believed.
	crowdMemory = time.Hour
	// quorum is from how many networks on a crowd says something. Wrong clocks are
	// wrong by different amounts, but for those that are off by a whole hour or so,
	// one in twenty at most. That 14 of 20 are happens once in 10^14.
	quorum = 20
	// widest is how wide bounds may be that say something of seconds, in
	// milliseconds; those of slow lines are not heard.
	widest = 10 * seconds
	// usual is how far a healthy device's own clock is off, in milliseconds: Windows
	// sets it once a week, and a poor crystal runs 100 in a million off meanwhile.
	usual = 2 * seconds
)

// Crowd is what the devices of many visitors say of the server's clock. Each by
// itself is more likely wrong than the server is, but strangers are not wrong by the
// same amount.
//
// Whoever has hundreds of networks can make it believe anything; that is why a time
// server, if one is known, is believed rather. A network that most visitors share
// has one voice, so the crowd of an office's own site never speaks.
type Crowd struct {
	voices map[uint64]voice
}

type voice struct {
	offset evidence.Offset
	at     time.Time
}

// Add hears the offset (device less server) of a visitor. who stands for the
// network that the visitor came from; its newest voice counts.
func (c *Crowd) Add(who uint64, offset evidence.Offset, at time.Time) {
	if w := offset.Hi - offset.Lo; !(w >= 0 && w <= widest) {
		return
	}
	if c.voices == nil {
		c.voices = map[uint64]voice{}
	}
	if _, known := c.voices[who]; !known && len(c.voices) >= crowdSize {
		c.forget()
	}
	c.voices[who] = voice{offset, at}
}

// forget makes room by what is oldest.
func (c *Crowd) forget() {
	var oldest uint64
	since := time.Time{}
	for who, v := range c.voices {
		if since.IsZero() || v.at.Before(since) {
			oldest, since = who, v.at
		}
	}
	delete(c.voices, oldest)
}

// Judge says how far the server's clock is off, right or wrong, if [quorum] voices
// or more are recent and two thirds of them agree. It is where two thirds do, not
// where most do, which is narrower than healthy clocks allow.
func (c *Crowd) Judge(at time.Time) (evidence.ServerClock, bool) {
	bounds := make([]evidence.Offset, 0, len(c.voices))
	for who, v := range c.voices {
		if at.Sub(v.at) > crowdMemory {
			delete(c.voices, who)
			continue
		}
		bounds = append(bounds, evidence.Offset{Lo: v.offset.Lo - usual, Hi: v.offset.Hi + usual})
	}
	least := (2*len(bounds) + 2) / 3
	where, most := Overlap(bounds, least)
	if len(bounds) < quorum || most < least {
		return evidence.ServerClock{}, false
	}
	return evidence.ServerClock{Lo: -where.Hi, Hi: -where.Lo, By: "crowd", Voices: most}, true
}
