//go:build unix

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/clock"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// beside is a kind of way on which programs look at a clock, and what happens to
// the device while the third exchange of each is under way.
type beside struct {
	name   string
	engine drive.Engine
	line   *lineOptions // nil for the host's own loopback
	prefs  map[string]any
	step   time.Duration // the clock is set by that
	freeze time.Duration // the browser stands still
	half   bool          // whether to be at most half as far off as the better package
}

func besideWays() []beside {
	const ms = time.Millisecond
	way := lineOptions{Delay: 75 * ms}
	return []beside{
		{name: "loopback", engine: drive.Chromium},
		{name: "150 ms", engine: drive.Chromium, line: &way},
		{name: "150 ms, 20 % jitter", engine: drive.Chromium, line: &lineOptions{Delay: 60 * ms, Jitter: 30 * ms}},
		{name: "asymmetric, 20/280 ms", engine: drive.Chromium, line: &lineOptions{Delay: 20 * ms, Back: 260 * ms}, half: true},
		{name: "150 ms, frozen for 5 s", engine: drive.Chromium, line: &way, freeze: 5 * time.Second},
		{name: "150 ms, 3 % loss", engine: drive.Chromium, line: &lineOptions{Delay: 75 * ms, DropEvery: 33}},
		{name: "150 ms, set by an hour in mid-exchange", engine: drive.Chromium, line: &way, step: time.Hour, half: true},
		{name: "150 ms, 20 % jitter, set back by an hour in mid-exchange", engine: drive.Chromium, line: &lineOptions{Delay: 60 * ms, Jitter: 30 * ms}, step: -time.Hour, half: true},
		{name: "loopback, timers of 1 ms", engine: drive.Firefox},
		{name: "loopback, timers of 16.67 ms (privacy.resistFingerprinting)", engine: drive.Firefox, prefs: map[string]any{"privacy.resistFingerprinting": true}},
	}
}

// contender is a program, and what it said in each run.
type contender struct {
	name   string
	errors []float64 // how far off it was, in ms
	gaveUp int
	asked  []float64 // exchanges
	took   []float64 // ms
}

// result is what one way came to.
type result struct {
	browser  string
	programs []*contender // Latchkey first, and last with more exchanges
	held     int
	widths   []float64
}

// clocks is the server's side: Latchkey's own, and what the packages talk to, as
// their READMEs say. It counts the exchanges of the program whose turn it is.
type clocks struct {
	mu    sync.Mutex
	whose string // turn it is
	asked int
	third func() // called as soon as the third exchange has come
}

func (c *clocks) turn(whose string, third func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.whose, c.asked, c.third = whose, 0, third
}

// came is for the endpoints: an exchange of a program has come.
func (c *clocks) came(program string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !strings.HasPrefix(c.whose, program) {
		return
	}
	if c.asked++; c.asked == 3 {
		c.third()
	}
}

func (c *clocks) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

func (c *clocks) beside(bundle []byte) middleware {
	return func(latchkey http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", latchkey)
		mux.HandleFunc("/latchkey/clock", func(w http.ResponseWriter, r *http.Request) {
			c.came("latchkey")
			latchkey.ServeHTTP(w, r)
		})
		mux.HandleFunc("/timesync", func(w http.ResponseWriter, r *http.Request) {
			c.came("timesync")
			var ask struct {
				ID json.RawMessage `json:"id"`
			}
			if json.NewDecoder(r.Body).Decode(&ask) != nil {
				http.Error(w, "no JSON-RPC", http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"id": %s, "result": %d}`, ask.ID, time.Now().UnixMilli())
		})
		mux.HandleFunc("/ircam", func(w http.ResponseWriter, r *http.Request) {
			socket, err := websocket.Accept(w, r, nil)
			if err != nil {
				return // it has answered
			}
			defer socket.CloseNow()
			now := func() float64 { return float64(time.Now().UnixMicro()) / 1e6 }
			for {
				_, message, err := socket.Read(r.Context())
				if err != nil {
					return
				}
				received := now()
				c.came("ircam")
				var ping [3]float64 // kind, id, when it was sent
				if json.Unmarshal(message, &ping) != nil {
					return
				}
				pong, _ := json.Marshal([]float64{1, ping[1], ping[2], received, now()})
				if socket.Write(r.Context(), websocket.MessageText, pong) != nil {
					return
				}
			}
		})
		mux.Handle("/web/", http.StripPrefix("/web/", http.FileServer(http.Dir("../../web"))))
		mux.HandleFunc("/bundle.js", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(bundle)
		})
		mux.HandleFunc("/beside", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, `<!doctype html><html><head><title>clocks</title></head><body>
<script id="latchkey-config" type="application/json">{"base": "/latchkey"}</script>
<script src="/web/looks.js"></script><script src="/web/clock.js"></script><script src="/web/network.js"></script>
<script src="/bundle.js"></script></body></html>`)
		})
		return mux
	}
}

// TestClockBench_besidePackages is Latchkey's clock and two packages in real
// browsers, one after the other on the same device, server and line. Its table
// goes to the end of internal/clock/README.md. "make bench-clock" runs it.
func TestClockBench_besidePackages(t *testing.T) {
	if os.Getenv("LATCHKEY_BENCH") == "" {
		t.Skip("measures instead of testing; run: make bench-clock")
	}
	const folder = "../clock/bench/"
	bundle, err := exec.Command(folder+"node_modules/.bin/esbuild", "--bundle", "--log-level=warning", folder+"browsers.js").Output()
	require.NoError(t, err, "run: make bench-clock")
	ways := besideWays()
	results := make([]result, len(ways))
	t.Run("way", func(t *testing.T) {
		for i, w := range ways {
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				results[i] = w.run(t, bundle, uint64(i))
			})
		}
	})
	var table strings.Builder
	for i, w := range ways {
		require.NotEmpty(t, results[i].browser, "%s was not run to its end", w.name)
		table.WriteString(w.row(results[i]))
	}
	const readme = "../clock/README.md"
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	simulated, _, _ := strings.Cut(string(text), besideTitle)
	took := func(program int) string {
		var asked, took []float64
		for _, r := range results {
			asked, took = append(asked, r.programs[program].asked...), append(took, r.programs[program].took...)
		}
		return fmt.Sprintf("%.0f exchanges in %.1f s", middle(asked), middle(took)/1000)
	}
	section := fmt.Sprintf(besideText, besideRuns, table.String(), took(1), took(2))
	require.NoError(t, os.WriteFile(readme, []byte(strings.TrimRight(simulated, "\n")+"\n\n"+section), 0o644))
	fmt.Print(section)
}

const besideRuns = 7

func (w beside) run(t *testing.T, bundle []byte, seed uint64) result {
	wrong, server := drive.NewClock(t, 0), &clocks{}
	o := drive.Options{Env: wrong.Env(), Prefs: w.prefs}
	var s *site
	var p drive.Page
	if w.line == nil {
		s = startSite(t, server.beside(bundle))
		p = drive.Open(t, w.engine, o)
	} else {
		l := line(t, *w.line)
		s = l.site(t, server.beside(bundle))
		p = l.open(t, o)
	}
	r := result{programs: []*contender{{name: "latchkey"}, {name: "timesync"}, {name: "ircam"}, {name: "latchkey-8"}}}
	chance := rand.New(rand.NewPCG(seed, 3))
	for i := range besideRuns {
		offset := time.Duration((2*chance.Float64() - 1) * float64(10*time.Minute))
		for j := range r.programs {
			program := r.programs[(i+j)%len(r.programs)]
			server.turn("", nil)
			visit(t, p, s.URL+"/beside") // ends what the one before may still do
			require.NoError(t, wrong.Set(offset))
			var steps atomic.Int64
			server.turn(program.name, func() {
				if w.step != 0 {
					assert.NoError(t, wrong.Set(offset+w.step))
					steps.Store(int64(w.step))
				}
				if w.freeze != 0 {
					b := p.(*drive.Tab).Browser()
					assert.NoError(t, b.Freeze())
					time.AfterFunc(w.freeze, func() { assert.NoError(t, b.Thaw()) })
				}
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			var said struct {
				Offset    *float64
				Took      float64
				Error     string
				Exchanges evidence.Exchanges
				Enough    []bool
			}
			require.NoError(t, p.Eval(ctx, fmt.Sprintf("ask(%q)", program.name), &said), program.name)
			cancel()
			truth := float64(int64(offset)+steps.Load()) / 1e6
			asked := server.count()
			if x := said.Exchanges; strings.HasPrefix(program.name, "latchkey") {
				v := clock.Estimate(x.List, clock.Measure(x))
				holds := v.Known() && v.Offset.Lo <= truth && truth <= v.Offset.Hi
				assert.True(t, holds, "the bound holds: %v is in %+v, of %+v (%s)", truth, v, x, said.Error)
				asked = len(x.List)
				if v.Known() {
					said.Offset = &v.Point
				}
				if program.name == "latchkey" {
					r.widths = append(r.widths, v.Width())
					if holds {
						r.held++
					}
					n := len(said.Enough)
					assert.NotContains(t, said.Enough[:max(0, n-1)], true, "it ends as soon as it knows enough")
					assert.True(t, n == 8 || said.Took > 1950 || n > 0 && said.Enough[n-1], "and not before: %d exchanges in %.0f ms", n, said.Took)
				}
			}
			if said.Offset == nil {
				program.gaveUp++
			} else {
				program.errors = append(program.errors, math.Abs(*said.Offset-truth))
			}
			program.asked, program.took = append(program.asked, float64(asked)), append(program.took, said.Took)
		}
	}
	r.browser = regexp.MustCompile(`(Chrome|Firefox)/\d+`).FindString(read[string](t, p, `navigator.userAgent`))
	r.browser = strings.NewReplacer("Chrome/", "Chromium ", "/", " ").Replace(r.browser)
	return r
}

// row is the way's line of the table.
func (w beside) row(r result) string {
	var of []string
	best := math.Inf(1)
	for _, p := range r.programs {
		cell := fmt.Sprintf("%s / %s", brief(middle(p.errors)), brief(most(p.errors)))
		if p.gaveUp > 0 {
			cell += fmt.Sprintf(" (%d gave up)", p.gaveUp)
		}
		of = append(of, cell)
		if p.name == "timesync" || p.name == "ircam" {
			best = min(best, middle(p.errors))
		}
	}
	aim, met := 1., "met"
	if w.half {
		aim = 0.5
	}
	mine := r.programs[0]
	if middle(mine.errors) > aim*best {
		met = "**missed**"
	}
	return fmt.Sprintf("| %s | %s | %d | %s | %.2f of %.1f, %s | %s | %d of %d | %s | %.0f in %.1f s |\n", w.name, r.browser, besideRuns,
		strings.Join(of[:3], " | "), middle(mine.errors)/best, aim, met, of[3], r.held, besideRuns, brief(middle(r.widths)),
		middle(mine.asked), middle(mine.took)/1000)
}

func middle(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	return slices.Sorted(slices.Values(xs))[len(xs)/2]
}

func most(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	return slices.Max(xs)
}

func brief(x float64) string {
	if x < 9.995 {
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

const besideTitle = "## In real browsers on real lines"

// besideText is what stands around the numbers; look at it when they change.
const besideText = besideTitle + `

The same three programs in real browsers, against a clock that is up to 10 minutes off and
set before each run. Browser and server are on one machine and the browser's clock is shifted
by a known amount, so that the truth is known to the nanosecond. All three meet the same
server, device and line, one after the other in changing order, %d runs each. The lines are
real packets between two networks, delayed and lost one by one. Latchkey's part is
web/clock.js by the rules of web/network.js, judged by this package; timesync asks by POST and
@ircam/sync over a WebSocket, as their READMEs say, both with their defaults. The clock is set,
or the browser stopped for 5 s, when the third exchange of each program has come to the server.

How far each is off in the end, in ms: median / worst. The aim is the one from above; here
it is held against the better of the two packages. The bound has to hold the truth in every
run, or make bench-clock fails; neither package states one. Exchanges and time are
Latchkey's, medians. It ends a look as soon as no tolerance (the default of a minute here)
lies within its bounds and they are narrower than 250 ms, else after 8 exchanges or 2 s; a
check in every run sees that it ends neither later nor sooner. The column of 8 exchanges is
the same program without that rule.

| path | browser | runs | Latchkey | timesync | @ircam/sync | to the better one | Latchkey, 8 exchanges | bound holds | its width, ms | exchanges |
| --- | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |
%s
In the middle timesync took %s, @ircam/sync %s.

- Three exchanges, of which the first may have opened a connection and is not used, are
  enough to judge a clock to the second. The packages take more exchanges and much longer, and
  where all are off by a few milliseconds, whoever takes more wins more often. Many of those
  rows change sides from run to run; the column of 8 exchanges shows how much is the rule's.
- A browser that is frozen spends the 2 s of a look, which then goes by what came before.
- Where timers are coarse, three exchanges on a quick line fall into one or two steps of the
  timer; timesync's lie a second apart and average the steps out.
- A line that is always slower in one direction deceives all by half of the difference. Only
  Latchkey says by how much it may be wrong.
- timesync averages, so it takes a step of an hour for half of it. @ircam/sync goes by
  performance.now(), which no step moves, and keeps all its exchanges, while Latchkey is left
  with those after the step: it can be no better where the line is as good before as after.
- Stopping the browser's processes is not all that sleep is: performance.now() goes on.
  A sleep that stops it is in the simulations above.
`
