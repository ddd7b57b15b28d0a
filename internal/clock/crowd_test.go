package clock

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// seen is what the browser of a device tells that is off by own ms, of a server that
// is off by server ms, over a line that takes rtt ms.
func seen(own, server, rtt, share float64) evidence.Offset {
	truth := own - server
	return evidence.Offset{Lo: truth - rtt*share, Hi: truth + rtt*(1-share)}.Coarse().(evidence.Offset)
}

// population draws how far a device's own clock is off, how long its line takes, and
// which network it is in.
type population struct {
	name   string
	voices int
	draw   func(r *rand.Rand, i int) (own, rtt float64, who uint64)
}

// healthy is most devices: half are right to 50 ms, the rest to a second or so.
func healthy(r *rand.Rand) float64 {
	if r.IntN(2) == 0 {
		return 50 * r.NormFloat64()
	}
	return 800 * r.NormFloat64()
}

// skewed is anything from seconds to days, and by whole hours as often.
func skewed(r *rand.Rand) float64 {
	sign := float64(1 - 2*r.IntN(2))
	if r.IntN(2) == 0 {
		return sign * float64(1+r.IntN(3)) * 3_600_000
	}
	return sign * math.Exp(math.Log(5000)+r.Float64()*math.Log(20_000))
}

func mixed(share float64, line func(*rand.Rand) float64) func(*rand.Rand, int) (float64, float64, uint64) {
	return func(r *rand.Rand, i int) (float64, float64, uint64) {
		own := healthy(r)
		if r.Float64() < share {
			own = skewed(r)
		}
		return own, line(r), uint64(i)
	}
}

func quick(r *rand.Rand) float64 { return 20 + 300*r.ExpFloat64() }
func slow(r *rand.Rand) float64  { return 2000 + 6000*r.ExpFloat64() }

var populations = []population{
	{"25 healthy", 25, mixed(0, quick)},
	{"300, a few skewed as usual", 300, mixed(0.05, quick)},
	{"25, a few skewed as usual", 25, mixed(0.05, quick)},
	{"200, 30 % skewed at random", 200, mixed(0.3, quick)},
	{"60 over slow lines", 60, mixed(0.05, slow)},
	{"30, and an office of 500 off by 90 s", 530, func(r *rand.Rand, i int) (float64, float64, uint64) {
		if i < 500 {
			return 90_000 + 100*r.NormFloat64(), quick(r), 1 << 40
		}
		return healthy(r), quick(r), uint64(i)
	}},
	{"40, and 9 networks that lie the same", 940, func(r *rand.Rand, i int) (float64, float64, uint64) {
		if i < 900 {
			return 60_000, 10, 1<<40 + uint64(i%9)
		}
		return healthy(r), quick(r), uint64(i)
	}},
}

// rates are of 1000 crowds.
type rates struct {
	wrong   int // said to be off by more than 5 s
	right   int // said to be right
	held    int // bounds that hold the truth, of those that said anything
	silent  int
	visited int
}

func judge(p population, server float64) (got rates) {
	r := rand.New(rand.NewPCG(11, uint64(len(p.name))))
	for range 1000 {
		var c Crowd
		for _, i := range r.Perm(p.voices) {
			own, rtt, who := p.draw(r, i)
			c.Add(who, seen(own, server, rtt, r.Float64()), noon)
		}
		got.visited++
		v, ok := c.Judge(noon)
		switch {
		case !ok:
			got.silent++
			continue
		case v.Lo > 5000 || v.Hi < -5000:
			got.wrong++
		case v.Lo <= 0 && v.Hi >= 0:
			got.right++
		}
		if v.Lo <= server && server <= v.Hi {
			got.held++
		}
	}
	return got
}

func TestCrowd_saysNothingAgainstAServerThatIsRight(t *testing.T) {
	for _, p := range populations {
		t.Run(p.name, func(t *testing.T) {
			got := judge(p, 0)
			t.Logf("server right: %+v", got)
			assert.Zero(t, got.wrong)
			assert.Equal(t, got.visited-got.silent, got.held, "the bounds hold the truth")
		})
	}
}

func TestCrowd_findsAServerThatIsWrong(t *testing.T) {
	for _, server := range []float64{60_000, -60_000, 20_000, -3_600_000} {
		for _, p := range populations {
			t.Run(p.name, func(t *testing.T) {
				got := judge(p, server)
				t.Logf("server off by %.0f s: %+v", server/1000, got)
				assert.Zero(t, got.right)
				assert.Equal(t, got.wrong, got.held, "the bounds hold the truth")
				least := 950
				if p.name == "200, 30 % skewed at random" {
					least = 500 // hardly two thirds are right
				}
				assert.Greater(t, got.wrong, least)
			})
		}
	}
}

func TestCrowd_aNetworkHasOneVoiceAndTheNewestCounts(t *testing.T) {
	var c Crowd
	for i := range quorum {
		c.Add(uint64(i), evidence.Offset{Lo: -61_000, Hi: -59_000}, noon)
	}
	v, ok := c.Judge(noon)
	require.True(t, ok)
	assert.Equal(t, evidence.ServerClock{Lo: 57_000, Hi: 63_000, By: "crowd", Voices: quorum}, v, "devices that are behind mean a server that is ahead")

	for i := range quorum {
		c.Add(uint64(i), evidence.Offset{Lo: -1000, Hi: 1000}, noon)
	}
	v, ok = c.Judge(noon)
	require.True(t, ok)
	assert.Equal(t, evidence.ServerClock{Lo: -3000, Hi: 3000, By: "crowd", Voices: quorum}, v, "the clock was set right, and so they say now")
}

func TestCrowd_needsEnoughVoicesThatAgree(t *testing.T) {
	off, fine := evidence.Offset{Lo: -61_000, Hi: -59_000}, evidence.Offset{Lo: -1000, Hi: 1000}
	judge := func(bad, good int) bool {
		var c Crowd
		for i := range bad + good {
			o := off
			if i >= bad {
				o = fine
			}
			c.Add(uint64(i), o, noon)
		}
		_, ok := c.Judge(noon)
		return ok
	}
	assert.False(t, judge(19, 0), "too few")
	assert.True(t, judge(20, 0))
	assert.True(t, judge(20, 10), "two thirds")
	assert.False(t, judge(19, 10), "less than two thirds")
}

func TestCrowd_forgetsAfterAnHour(t *testing.T) {
	var c Crowd
	for i := range 40 {
		c.Add(uint64(i), evidence.Offset{Lo: -61_000, Hi: -59_000}, noon)
	}
	_, ok := c.Judge(noon.Add(time.Hour))
	assert.True(t, ok)
	_, ok = c.Judge(noon.Add(time.Hour + time.Second))
	assert.False(t, ok)
	assert.Empty(t, c.voices)
}

func TestCrowd_remembersSoManyAndTheNewest(t *testing.T) {
	var c Crowd
	for i := range crowdSize + 100 {
		c.Add(uint64(i), evidence.Offset{}, noon.Add(time.Duration(i)*time.Millisecond))
	}
	assert.Len(t, c.voices, crowdSize)
	assert.NotContains(t, c.voices, uint64(99))
	assert.Contains(t, c.voices, uint64(100))
}

func TestCrowd_doesNotHearBoundsThatSayNothing(t *testing.T) {
	var c Crowd
	for i, o := range []evidence.Offset{{Lo: -6000, Hi: 5000}, {Lo: 1, Hi: 0}, {Lo: math.NaN()}, {Lo: math.Inf(-1), Hi: math.Inf(1)}} {
		c.Add(uint64(i), o, noon)
	}
	assert.Empty(t, c.voices)
}
