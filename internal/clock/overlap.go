package clock

import (
	"cmp"
	"math"
	"slices"

	"latchkey/internal/evidence"
)

// Overlap is from the first to the last place where at least so many of the bounds
// overlap (Marzullo), and how many overlap at most; it is for nobody if those are
// fewer.
func Overlap(bounds []evidence.Offset, least int) (where evidence.Offset, most int) {
	type edge struct {
		at   float64
		step int // 1 where bounds begin, -1 where they end
	}
	edges := make([]edge, 0, 2*len(bounds))
	for _, b := range bounds {
		if b.Lo <= b.Hi {
			edges = append(edges, edge{b.Lo, 1}, edge{b.Hi, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { // those that touch overlap
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.step, a.step))
	})
	n, first := 0, math.Inf(1)
	for _, e := range edges {
		if e.step < 0 && n >= least {
			where.Hi = e.at
		}
		if n += e.step; n >= least {
			first = math.Min(first, e.at)
		}
		most = max(most, n)
	}
	if most >= least && most > 0 {
		where.Lo = first
	}
	return where, most
}
