//go:build unix

package e2e

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
)

// watch notes in every document, in ms since its navigation, when the first
// finding was painted, when the state was first done, and the longest task of
// the main thread.
const watch = `window.watched = {finding: 0, done: 0, longest: 0};
new PerformanceObserver(function (list) {
	list.getEntries().forEach(function (e) { watched.longest = Math.max(watched.longest, e.duration); });
}).observe({type: "longtask", buffered: true});
(function () {
	function look() {
		var html = document.documentElement;
		if (!html) return;
		if (!watched.finding && document.querySelector("[data-finding]")) {
			watched.finding = -1;
			requestAnimationFrame(function () { setTimeout(function () { watched.finding = performance.now(); }); });
		}
		if (!watched.done && watched.ran && html.getAttribute("data-latchkey-state") === "done") watched.done = performance.now();
		if (html.getAttribute("data-latchkey-state") === "running") watched.ran = true;
	}
	new MutationObserver(look).observe(document, {childList: true, subtree: true, attributes: true});
})();`

type timing struct{ Finding, Done, Longest float64 }

// TestBench measures the start-up of each tier. It is no test: nothing fails
// by being slow. "make bench" runs it.
func TestBench(t *testing.T) {
	if os.Getenv("LATCHKEY_BENCH") == "" {
		t.Skip("measures instead of testing; run: make bench")
	}
	site := startSite(t)
	const rounds = 5
	var table strings.Builder
	fmt.Fprintf(&table, "%-46s %9s %9s %9s\n", "medians of 5, in ms", "finding", "done", "task")
	for _, tier := range []struct {
		name  string
		query string
		o     drive.Options
	}{
		{"wasm, told by the host", "outcome=account_locked", drive.Options{}},
		{"wasm, cookies blocked", "", drive.Options{Prefs: blocked("cookies")}},
		{"script, told by the host", "outcome=account_locked", drive.Options{Flags: []string{"--js-flags=--jitless"}}},
	} {
		for _, slow := range []bool{false, true} {
			var cold, warm []timing
			for range rounds {
				tab := openBench(t, tier.o, slow)
				cold = append(cold, measure(t, tab, site.page(tier.query)))
				warm = append(warm, measure(t, tab, site.page(tier.query)))
				require.NoError(t, tab.Browser().Close()) // or it takes CPU from the next
			}
			line := "full speed"
			if slow {
				line = "4x CPU, 1.6 Mbit/s, 150 ms"
			}
			row(&table, tier.name+", "+line+", cold", cold)
			row(&table, tier.name+", "+line+", warm", warm)
		}
	}
	// The html tier is the page as it is served, scripts or not.
	for _, slow := range []bool{false, true} {
		var all []timing
		for range rounds {
			tab := openBench(t, drive.Options{}, slow)
			visit(t, tab, site.page("outcome=account_locked"))
			wait(t, tab, `performance.getEntriesByName("first-contentful-paint").length > 0`)
			first := read[float64](t, tab, `performance.getEntriesByName("first-contentful-paint")[0].startTime`)
			all = append(all, timing{Finding: first, Done: first})
			require.NoError(t, tab.Browser().Close())
		}
		row(&table, fmt.Sprintf("html, first paint, slow=%v", slow), all)
	}
	tab := openBench(t, drive.Options{}, false)
	visit(t, tab, "about:blank")
	before := memory(t, tab)
	open(t, tab, site.page(""))
	after := memory(t, tab)
	fmt.Fprintf(&table, "memory of the page's process (PSS): %d MB, blank %d MB\n", after>>10, before>>10)
	fmt.Fprintf(&table, "JavaScript heap in use: %.1f MB\n", read[float64](t, tab, `performance.memory.usedJSHeapSize`)/1e6)
	t.Log("\n" + table.String())
}

func openBench(t *testing.T, o drive.Options, slow bool) *drive.Tab {
	t.Helper()
	b, err := drive.StartChromium(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close() })
	tab, err := b.NewTab(t.Context())
	require.NoError(t, err)
	require.NoError(t, tab.Call(t.Context(), "Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": watch}, nil))
	if slow {
		require.NoError(t, tab.ThrottleCPU(t.Context(), 4))
		require.NoError(t, tab.ThrottleNetwork(t.Context(), drive.Network{Latency: 150, Down: 1.6e6 / 8, Up: 0.75e6 / 8}))
	}
	return tab
}

func measure(t *testing.T, tab *drive.Tab, url string) timing {
	t.Helper()
	visit(t, tab, url)
	wait(t, tab, `watched.done > 0 && watched.finding > 0`)
	return read[timing](t, tab, `watched`)
}

func row(w *strings.Builder, name string, all []timing) {
	median := func(of func(timing) float64) float64 {
		var v []float64
		for _, m := range all {
			v = append(v, of(m))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	fmt.Fprintf(w, "%-46s %9.0f %9.0f %9.0f\n", name, median(func(m timing) float64 { return m.Finding }),
		median(func(m timing) float64 { return m.Done }), median(func(m timing) float64 { return m.Longest }))
}

// memory is the proportional share of memory of the page's process, in KiB.
func memory(t *testing.T, tab *drive.Tab) int {
	t.Helper()
	var info struct {
		ProcessInfo []struct {
			Type string
			ID   int
		}
	}
	require.NoError(t, tab.Browser().Call(t.Context(), "SystemInfo.getProcessInfo", nil, &info))
	most := 0
	for _, p := range info.ProcessInfo {
		if p.Type != "renderer" {
			continue
		}
		f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", p.ID))
		if err != nil {
			continue // it has ended meanwhile
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if fields := strings.Fields(lines.Text()); fields[0] == "Pss:" {
				kb, _ := strconv.Atoi(fields[1])
				most = max(most, kb)
			}
		}
		_ = f.Close()
	}
	return most
}
