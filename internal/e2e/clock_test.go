//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
)

// engines are those with a wall clock of their own here.
var engines = []drive.Engine{drive.Chromium, drive.Firefox, drive.WebKit}

// measured is what the screen says of the clock: how many seconds it is ahead, and
// how sure that is.
func measured(t *testing.T, p drive.Page) (offset, within float64) {
	t.Helper()
	words := read[string](t, p, widget+`.getElementById("latchkey-clock").textContent`)
	var direction string
	_, err := fmt.Sscanf(words, "Clock: %f s %s at most %f s off that", &offset, &direction, &within)
	require.NoError(t, err, words)
	if direction == "behind," {
		offset = -offset
	}
	return offset, within
}

// TestClock_isMeasuredAndTold sets the clocks of real browsers wrong.
func TestClock_isMeasuredAndTold(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	type skew struct {
		offset time.Duration
		found  string
		says   string
		fix    string
	}
	const set, zone, day = "set-clock-automatically", "set-time-zone", 24 * time.Hour
	skews := []skew{
		{5 * time.Second, "", "", ""},
		{-5 * time.Second, "", "", ""},
		{20 * time.Second, "", "", ""},
		{-20 * time.Second, "", "", ""},
		{90 * time.Second, "clock-wrong", "This computer's clock is 90 seconds ahead", set},
		{-90 * time.Second, "clock-wrong", "This computer's clock is 90 seconds behind", set},
		{10 * time.Minute, "clock-wrong", "This computer's clock is 10 minutes ahead", set},
		{-10 * time.Minute, "clock-wrong", "This computer's clock is 10 minutes behind", set},
		{time.Hour, "clock-time-zone", "Likely: This computer's time zone or summer time is set wrong", zone},
		{day, "clock-wrong", "This computer's clock is 1 day ahead", set},
		{-2 * 365 * day, "clock-wrong", "This computer's clock is 2 years behind", set},
	}
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			clock := drive.NewClock(t, 0)
			p := drive.Open(t, engine, drive.Options{Env: clock.Env()})
			look := func(t *testing.T, at string, c skew) {
				require.NoError(t, clock.Set(c.offset))
				l := open(t, p, at)
				requireWhole(t, l)
				assert.Equal(t, "wasm", l.Tier)
				offset, within := measured(t, p)
				assert.InDelta(t, c.offset.Seconds(), offset, within, "the bound holds")
				assert.InDelta(t, c.offset.Seconds(), offset, 0.05)
				if c.found == "" {
					assert.Empty(t, l.Findings)
					assert.Subset(t, l.Report.Passed, []string{"clock-wrong", "clock-time-zone", "clock-unstable"})
					return
				}
				require.Equal(t, []string{c.found}, l.Findings)
				assert.Equal(t, c.fix, l.Fixes[0])
				assert.Contains(t, l.Text, c.says)
				assert.InDelta(t, c.offset.Seconds(), finding(t, l, c.found).Args["offset"], 1)
				if at == site.page("") {
					requireSameJudgement(t, site, l)
				}
			}
			for _, c := range skews {
				t.Run(c.offset.String(), func(t *testing.T) { look(t, site.page(""), c) })
			}
			t.Run("20 s where the login forgives 15", func(t *testing.T) {
				strict := startSite(t, configured(t, `{site: {name: Example Clinic}, clock: {tolerance: 15s}}`))
				look(t, strict.page(""), skew{-20 * time.Second, "clock-wrong", "This computer's clock is 20 seconds behind", set})
			})
		})
	}
}

// The script tier's exchanges are judged by the server.
func TestClock_isMeasuredWithoutWebAssembly(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	clock := drive.NewClock(t, -90*time.Second)
	p := drive.OpenChromium(t, drive.Options{Env: clock.Env(), Flags: jitless.Flags})
	l := open(t, p, site.page(""))
	requireWhole(t, l)
	assert.Equal(t, "script", l.Tier)
	require.Equal(t, "clock-wrong", l.top())
	offset, within := measured(t, p)
	assert.InDelta(t, -90, offset, within)
	assert.InDelta(t, -90, offset, 0.05)
	assert.Equal(t, evidence.Exchanges{}, l.Report.Seen.Clock.Exchanges.Value, "what is finer than seconds is not in the report")
	requireSameJudgement(t, site, l)
}

// TestClock_isSetWhileWeLook steps real clocks: in mid-series, after the answer, and
// right again.
func TestClock_isSetWhileWeLook(t *testing.T) {
	t.Parallel()
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			clock := drive.NewClock(t, 0)
			var asked atomic.Int32
			var step atomic.Int64
			var during atomic.Int32
			site := startSite(t, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/latchkey/" {
						asked.Store(0)
					}
					if next.ServeHTTP(w, r); r.URL.Path == "/latchkey/clock" && asked.Add(1) == during.Load() && step.Load() != 0 {
						assert.NoError(t, clock.Set(time.Duration(step.Load())))
					}
				})
			})
			p := drive.Open(t, engine, drive.Options{Env: clock.Env()})
			for _, c := range []struct {
				during int32 // the exchange under way
				step   time.Duration
				says   string
			}{
				{2, 5 * time.Minute, "This computer's clock jumped 5 minutes forward while we looked"},
				{3, 5 * time.Minute, "This computer's clock jumped 5 minutes forward while we looked"},
				{2, -5 * time.Minute, "This computer's clock jumped 5 minutes back while we looked"},
				{2, 2 * time.Second, "This computer's clock jumped 2 seconds forward while we looked"},
			} {
				t.Run(fmt.Sprintf("%v during exchange %d", c.step, c.during), func(t *testing.T) {
					require.NoError(t, clock.Set(0))
					during.Store(c.during)
					visit(t, p, "about:blank") // whose page may still ask
					step.Store(int64(c.step))
					l := open(t, p, site.page(""))
					requireWhole(t, l)
					require.Equal(t, "clock-unstable", l.top())
					assert.Equal(t, diag.Sure, finding(t, l, "clock-unstable").Sureness)
					assert.Equal(t, c.step.Seconds(), finding(t, l, "clock-unstable").Args["step"])
					assert.Equal(t, "set-clock-automatically", l.Fixes[0])
					assert.Contains(t, l.Text, c.says)
					assert.Equal(t, c.step.Abs() > time.Minute, strings.Contains(strings.Join(l.Findings, " "), "clock-wrong"), "%v", l.Findings)
					offset, within := measured(t, p)
					assert.InDelta(t, c.step.Seconds(), offset, within, "what was before is not blended in")
					requireSameJudgement(t, site, l)

					// Setting it right is no fault, and is noticed by itself. Cookies that
					// were to live for a minute may have ended by the jump.
					require.NoError(t, clock.Set(0))
					wait(t, p, widget+`.querySelector("[data-finding^=clock]") === null`)
					assert.True(t, settled(t, p).Fixed)
				})
			}

			t.Run("after the answer", func(t *testing.T) {
				step.Store(0)
				require.NoError(t, clock.Set(0))
				l := open(t, p, site.page(""))
				require.Empty(t, l.Findings)
				require.NoError(t, clock.Set(-2*time.Second))
				wait(t, p, widget+`.querySelector("[data-finding=clock-unstable]") !== null`)
			})
		})
	}
}

// Where no exchange comes through, the Date header of a page tells the second.
func TestClock_isReadOffADate(t *testing.T) {
	t.Parallel()
	site := startSite(t, instead("/latchkey/clock", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no such page", http.StatusNotFound)
	}))
	clock := drive.NewClock(t, 90*time.Second)
	p := drive.OpenChromium(t, drive.Options{Env: clock.Env()})
	l := open(t, p, site.page(""))
	require.Contains(t, l.Findings, "clock-wrong")
	offset, within := measured(t, p)
	assert.InDelta(t, 90, offset, within)
	assert.Greater(t, within, 0.4, "a second is all that it says")
}
