package clock

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"latchkey/internal/evidence"
)

func TestOverlap(t *testing.T) {
	for name, c := range map[string]struct {
		bounds []evidence.Offset
		least  int
		want   evidence.Offset
		most   int
	}{
		"nobody":                   {nil, 1, evidence.Offset{}, 0},
		"one":                      {[]evidence.Offset{{Lo: 1, Hi: 2}}, 1, evidence.Offset{Lo: 1, Hi: 2}, 1},
		"all agree":                {[]evidence.Offset{{Lo: 0, Hi: 5}, {Lo: 3, Hi: 9}, {Lo: 2, Hi: 4}}, 3, evidence.Offset{Lo: 3, Hi: 4}, 3},
		"two are enough":           {[]evidence.Offset{{Lo: 0, Hi: 5}, {Lo: 3, Hi: 9}, {Lo: 2, Hi: 4}}, 2, evidence.Offset{Lo: 2, Hi: 5}, 3},
		"they touch":               {[]evidence.Offset{{Lo: 0, Hi: 3}, {Lo: 3, Hi: 9}}, 2, evidence.Offset{Lo: 3, Hi: 3}, 2},
		"one lies":                 {[]evidence.Offset{{Lo: 100, Hi: 101}, {Lo: 0, Hi: 5}, {Lo: 3, Hi: 9}}, 2, evidence.Offset{Lo: 3, Hi: 5}, 2},
		"two places, as good":      {[]evidence.Offset{{Lo: 0, Hi: 9}, {Lo: 1, Hi: 2}, {Lo: 6, Hi: 7}}, 2, evidence.Offset{Lo: 1, Hi: 7}, 2},
		"too few":                  {[]evidence.Offset{{Lo: 0, Hi: 1}, {Lo: 2, Hi: 3}}, 2, evidence.Offset{}, 1},
		"bounds that are nonsense": {[]evidence.Offset{{Lo: 5, Hi: 0}, {Lo: math.NaN(), Hi: 3}, {Lo: 1, Hi: 2}}, 1, evidence.Offset{Lo: 1, Hi: 2}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			where, most := Overlap(c.bounds, c.least)
			assert.Equal(t, c.want, where)
			assert.Equal(t, c.most, most)
		})
	}
}

func TestOverlap_isWhatCountingEveryPlaceFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	for range 2000 {
		var bounds []evidence.Offset
		for range r.IntN(12) + 1 {
			lo := float64(r.IntN(20))
			bounds = append(bounds, evidence.Offset{Lo: lo, Hi: lo + float64(r.IntN(6))})
		}
		least := r.IntN(len(bounds)) + 1
		most, first, last := 0, math.NaN(), 0.
		for at := 0.; at < 30; at += 0.5 {
			n := 0
			for _, b := range bounds {
				if b.Lo <= at && at <= b.Hi {
					n++
				}
			}
			most = max(most, n)
			if n >= least {
				last = at
				if math.IsNaN(first) {
					first = at
				}
			}
		}
		if most < least {
			first = 0
		}
		where, n := Overlap(bounds, least)
		assert.Equal(t, most, n, bounds)
		assert.Equal(t, evidence.Offset{Lo: first, Hi: last}, where, bounds)
	}
}
