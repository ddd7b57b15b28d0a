package clock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// told is what a program said of a device, and what was true then.
type told struct {
	Offset float64 `json:"offset"`
	Truth  float64 `json:"truth"`
	Took   float64 `json:"took"`  // ms
	Asked  int     `json:"asked"` // exchanges
}

func quantile(xs []float64, q float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	xs = slices.Clone(xs)
	slices.Sort(xs)
	return xs[int(q*float64(len(xs)-1)+0.5)]
}

// errors are how far all were off, in ms.
func errors(all []*told) []float64 {
	var out []float64
	for _, t := range all {
		if t != nil {
			out = append(out, math.Abs(t.Offset-t.Truth))
		}
	}
	return out
}

func number(x float64) string {
	if x < 9.995 {
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

func TestBench_sideBySide(t *testing.T) {
	if os.Getenv("LATCHKEY_BENCH") == "" {
		t.Skip("run: make bench-clock")
	}
	const devices = 1000
	all := make([][]run, len(paths))
	for i, p := range paths {
		r := rand.New(rand.NewPCG(8, uint64(i)))
		for range devices {
			all[i] = append(all[i], p.draw(r))
		}
	}
	in, err := json.Marshal(all)
	require.NoError(t, err)
	cmd := exec.Command("node", "bench/libraries.js")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var theirs []struct {
		Look     []Sample `json:"look"`
		Timesync []*told  `json:"timesync"`
		Ircam    []*told  `json:"ircam"`
		Wall     []*told  `json:"ircam-wall"`
	}
	require.NoError(t, json.Unmarshal(out, &theirs))
	require.Len(t, theirs, len(paths))

	var table strings.Builder
	exchanges := 0
	for i, p := range paths {
		var ours []*told
		var widths []float64
		known, held := 0, 0
		for j, r := range all[i] {
			samples, truth := r.look()
			if j == 0 {
				assert.Equal(t, samples, theirs[i].Look[:len(samples)], "the two simulations of %q differ", p.name)
			}
			exchanges += len(samples)
			v := Estimate(samples, r.measured())
			if !v.Known() {
				continue
			}
			known++
			if v.Offset.Lo <= truth && truth <= v.Offset.Hi {
				held++
			}
			ours = append(ours, &told{Offset: v.Point, Truth: truth})
			widths = append(widths, v.Width())
		}
		assert.Equal(t, known, held, p.name)
		mine, best := quantile(errors(ours), 0.5), math.Inf(1)
		row := fmt.Sprintf("| %s | %s / %s", p.name, number(mine), number(quantile(errors(ours), 0.95)))
		for _, their := range [][]*told{theirs[i].Timesync, theirs[i].Ircam, theirs[i].Wall} {
			e := errors(their)
			best = min(best, quantile(e, 0.5))
			row += fmt.Sprintf(" | %s / %s", number(quantile(e, 0.5)), number(quantile(e, 0.95)))
			if n := len(their) - len(e); n > 0 {
				row += fmt.Sprintf(" (%d without)", n)
			}
		}
		aim := 1.
		if p.half {
			aim = 0.5
		}
		fmt.Fprintf(&table, "%s | %.2f | %.1f | %s | %s | %.1f %% of %d |\n", row, mine/best, aim,
			map[bool]string{true: "yes", false: "no"}[mine <= aim*best], number(quantile(widths, 0.5)), 100*float64(held)/float64(max(1, known)), known)
	}
	took := func(pick func(int) []*told) string {
		var times, asked []float64
		for i := range theirs {
			for _, x := range pick(i) {
				if x != nil {
					times, asked = append(times, x.Took), append(asked, float64(x.Asked))
				}
			}
		}
		return fmt.Sprintf("%.0f exchanges in %.1f s", quantile(asked, 0.5), quantile(times, 0.5)/1000)
	}
	readme := fmt.Sprintf(intro, devices, exchanges/len(paths)) + table.String() + fmt.Sprintf(outro,
		took(func(i int) []*told { return theirs[i].Timesync }), took(func(i int) []*told { return theirs[i].Ircam }))
	fmt.Print(table.String())
	require.NoError(t, os.WriteFile("README.md", []byte(readme), 0o644))
}

const (
	intro = "%d %d\n"
	outro = "%s %s\n"
)
