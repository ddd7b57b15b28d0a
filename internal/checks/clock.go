package checks

import (
	"math"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// ahead bounds how far the device's clock is ahead of the true time.
func ahead(c evidence.Clock) evidence.Offset { return ofTrueTime(c, c.Offset.Value) }

// measured is ahead, or why nobody knows.
func measured(c evidence.Clock) (o evidence.Offset, why string) {
	if c.Offset.State != evidence.OK {
		return o, string(c.Offset.State)
	}
	if o = ahead(c); o.Lo > o.Hi {
		return o, string(evidence.Broken)
	}
	return o, ""
}

// ofTrueTime makes of what a clock is ahead of the server's what it is ahead of the
// true time, as far as the server's own is known to be off. Its times are whole
// seconds, as a report tells them, so that whoever reads the report comes to the
// same finding.
func ofTrueTime(c evidence.Clock, o evidence.Offset) evidence.Offset {
	o = o.Coarse().(evidence.Offset)
	if s := c.Server; s.State == evidence.OK {
		server := evidence.Offset{Lo: s.Value.Lo, Hi: s.Value.Hi}.Coarse().(evidence.Offset)
		o.Lo, o.Hi = o.Lo+server.Lo, o.Hi+server.Hi
	}
	return o
}

// clockFacts are what every check of the device's clock goes by.
func clockFacts(e *evidence.Evidence) []evidence.Seen {
	return facts(&e.Clock.Tolerances, &e.Clock.Course, &e.Clock.Server)
}

// defaultTolerance is what holds where no operator says what the login uses: the
// least that common sign-in software forgives (auth0.js and lock: 60 s, their
// pull requests 1062 and 1770).
var defaultTolerance = evidence.Tolerance{Ahead: 60_000, Behind: 60_000}

// exceeded is the tightest tolerance that a clock is surely outside of.
func exceeded(c evidence.Clock, o evidence.Offset) (evidence.Tolerance, bool) {
	all := evidence.Tolerances{defaultTolerance}
	if c.Tolerances.State == evidence.OK { // of an empty list nothing reads this clock
		all = c.Tolerances.Value
	}
	var tightest evidence.Tolerance
	least := math.Inf(1)
	for _, t := range all {
		limit, surely := float64(t.Ahead), o.Lo
		if o.Hi < 0 {
			limit, surely = float64(t.Behind), -o.Hi
		}
		if limit > 0 && surely >= limit && limit < least {
			tightest, least = t, limit
		}
	}
	return tightest, !math.IsInf(least, 1)
}

// off are the values for words about a clock: by how many seconds it is ahead, how
// sure that is, and both for sentences.
func off(o evidence.Offset, point float64) diag.Args {
	if point < o.Lo || point > o.Hi {
		point = o.Mid()
	}
	direction := diag.Word("ahead")
	if point < 0 {
		direction = "behind"
	}
	return diag.Args{
		"offset": point / 1000, "within": max(o.Hi-point, point-o.Lo) / 1000,
		"size": diag.Seconds(math.Abs(point / 1000)), "direction": direction,
	}
}

// deviceOff are those of the device's clock.
func deviceOff(c evidence.Clock) diag.Args {
	point := c.Offset.Value.Mid()
	if c.Course.State == evidence.OK {
		point = float64(c.Course.Value.Point)
	}
	if s := c.Server; s.State == evidence.OK {
		point += evidence.Offset{Lo: s.Value.Lo, Hi: s.Value.Hi}.Mid()
	}
	return off(ahead(c), math.Round(point/1000)*1000)
}

// zoneShift is the whole number of quarters of an hour, in minutes, by which a
// clock is ahead that was set by hand to the right local time in a wrong zone, or
// 0. Zones differ by multiples of 15 minutes and by 14 hours at most from UTC;
// less than half an hour no two zones of a country do. Two minutes are how badly
// people set clocks.
func zoneShift(o evidence.Offset) int {
	const quarter, slack, most = 15 * 60_000, 2 * 60_000, 14 * 60 * 60_000
	near := math.Round(o.Mid()/quarter) * quarter
	if math.Abs(near) < 2*quarter || math.Abs(near) > most || o.Lo < near-slack || o.Hi > near+slack {
		return 0
	}
	return int(near / 60_000)
}
