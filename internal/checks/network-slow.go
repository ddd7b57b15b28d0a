package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// networkSlow finds lines on which a sign-in takes so long that it fails: requests
// are lost, packets are, the way there and back takes over a second, or less
// comes through than on a good phone line.
//
// It is wrong where a device is so busy that its timers are late.
var networkSlow = diag.Check{
	ID:     "network-slow",
	Impact: diag.Slows,
	After:  []string{"network-offline", "network-captive-portal"},
	Needs:  func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Network.Echoes) },
	Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Network.Speed) },
	Run: func(e evidence.Evidence) diag.Outcome {
		n, speed := e.Network.Echoes, e.Network.Speed
		if n.State != evidence.OK {
			return diag.Unknown(string(n.State))
		}
		fixes := []string{"try-other-network", "pause-vpn", "wait-and-retry", "contact-support"}
		v := n.Value.Coarse().(evidence.Echoes) // as a report tells it
		answered := v.Sent - v.Failed
		args := diag.Args{"failed": v.Failed, "sent": v.Sent, "least": float64(v.Least)}
		switch {
		case v.Failed > 0 && answered > 0:
			args["reason"] = "lossy"
			return diag.Fail(diag.Likely, fixes...).With(args)
		case v.Stalled >= manyStalled:
			args["reason"] = "lossy"
			return diag.Fail(diag.Maybe, fixes...).With(args)
		case v.Least >= slowTrip:
			return diag.Fail(diag.Likely, fixes...).With(args)
		case speed.State == evidence.OK && speed.Value < slowSpeed:
			args["speed"] = speed.Value
			return diag.Fail(diag.Maybe, fixes...).With(args)
		}
		return diag.Pass()
	},
}

const (
	// slowTrip is TCP's first time-out (RFC 6298, section 2): on a longer way every
	// new connection sends its first packet twice.
	slowTrip evidence.Milliseconds = 1000
	// slowSpeed, in kbit/s, is where the Network Information API draws the line
	// between what it calls 3g and 4g (WICG, table of effective connection
	// types). The 1 MB that login pages often weigh take 12 s below it.
	slowSpeed = 700
	// manyStalled is half of eight, more than a busy server or device explains.
	manyStalled = 4
)
