package store_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

const bareReport = `INSERT INTO reports (id, case_id, at, body, code, outcome, top, findings, browser, system, tier, reference, search) VALUES `

// adder adds one report.
type adder func(ctx context.Context, r store.Report) error

// round adds reports with so many writers, and returns how long each took and all
// together.
func round(t *testing.T, add adder, of string, writers, each int) (took []time.Duration, all time.Duration) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := time.Now()
	for range writers {
		wg.Go(func() {
			mine := make([]time.Duration, 0, each)
			for range each {
				r := store.Report{
					ID: store.NewID(), Case: of, At: time.Now(), Body: make([]byte, 4<<10), Code: "62W5-FF2J-0J8Q", Outcome: "sso_failed",
					Top: "clock-wrong", Findings: []string{"clock-wrong", "cookies-blocked"}, Browser: "chrome", System: "windows", Tier: "wasm", Reference: "REQ-1234",
				}
				rand.Read(r.Body)
				began := time.Now()
				if err := add(context.Background(), r); err != nil {
					t.Error(err)
					return
				}
				mine = append(mine, time.Since(began))
			}
			mu.Lock()
			took = append(took, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	return took, time.Since(start)
}

// pair is the store and the bare driver on two databases of the same kind.
func pair(t *testing.T, ours, theirs, driver, name, q string) (kept, bare adder, of string) {
	of = store.NewID()
	var stores [2]*store.Store
	for i, url := range []string{ours, theirs} {
		stores[i] = open(t, url, store.Options{Keys: [][]byte{durableKey}})
		_, hash := store.NewToken()
		require.NoError(t, stores[i].Cases.Add(t.Context(), store.Case{ID: of, Expires: time.Now().Add(time.Hour)}, hash))
	}
	require.NoError(t, stores[1].Close())
	db, err := sql.Open(driver, name)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	db.SetMaxIdleConns(16)
	if driver == "sqlite" {
		db.SetMaxOpenConns(1)
	}
	insert := func(ctx context.Context, args ...any) (sql.Result, error) { return db.ExecContext(ctx, q, args...) }
	if driver == "sqlite" { // pgx prepares by itself
		stmt, err := db.PrepareContext(t.Context(), q)
		require.NoError(t, err)
		insert = stmt.ExecContext
	}
	return func(ctx context.Context, r store.Report) error { return stores[0].Reports.Add(ctx, r) }, bareInsert(insert), of
}

func bareInsert(insert func(context.Context, ...any) (sql.Result, error)) adder {
	return func(ctx context.Context, r store.Report) error {
		_, err := insert(ctx, r.ID, r.Case, r.At.UnixMicro(), r.Body, r.Code, r.Outcome, r.Top, " clock-wrong cookies-blocked ",
			r.Browser, r.System, r.Tier, r.Reference, "req-1234\n62w5-ff2j-0j8q\n62w5ff2j0j8q")
		return err
	}
}

func median(xs []float64) float64 {
	slices.Sort(xs)
	return xs[len(xs)/2]
}

// p99 is in milliseconds.
func p99(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)*99/100].Microseconds()) / 1000
}

func TestBench_reportsPerSecond(t *testing.T) {
	if os.Getenv("LATCHKEY_BENCH") == "" {
		t.Skip("run: make bench-store")
	}
	dir := t.TempDir()
	bareFile := filepath.Join(dir, "bare.db")
	pg := storetest.StartPostgres(t, "-c", "fsync=on")
	barePG := pg.NewDatabase(t)
	var table strings.Builder
	table.WriteString("| engine | writers at once | ours, reports/s | bare, reports/s | ours of bare | p99 ours, ms | p99 bare, ms |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, engine := range []struct {
		name         string
		ours, theirs string
		driver, path string
		q            string
	}{
		{"SQLite", "sqlite:" + filepath.Join(dir, "ours.db"), "sqlite:" + bareFile, "sqlite",
			"file:" + bareFile + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=secure_delete(1)",
			bareReport + `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{"PostgreSQL", pg.NewDatabase(t), barePG, "pgx", barePG,
			bareReport + `($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`},
	} {
		kept, bare, of := pair(t, engine.ours, engine.theirs, engine.driver, engine.path, engine.q)
		for _, writers := range []int{1, 8} {
			const rounds, reports = 60, 120
			var ours, theirs, ratios []float64
			var ourTimes, theirTimes []time.Duration
			for i := range rounds + 1 {
				var took [2][]time.Duration
				var rate [2]float64
				for _, j := range [][]int{{0, 1}, {1, 0}}[i%2] {
					var all time.Duration
					took[j], all = round(t, [2]adder{kept, bare}[j], of, writers, reports/writers)
					rate[j] = reports / all.Seconds()
				}
				if i == 0 {
					continue // to warm up
				}
				ours, theirs, ratios = append(ours, rate[0]), append(theirs, rate[1]), append(ratios, rate[0]/rate[1])
				ourTimes, theirTimes = append(ourTimes, took[0]...), append(theirTimes, took[1]...)
			}
			fmt.Fprintf(&table, "| %s | %d | %.0f | %.0f | %.0f %% | %.1f | %.1f |\n", engine.name, writers, median(ours), median(theirs),
				100*median(ratios), p99(ourTimes), p99(theirTimes))
		}
	}
	fmt.Print(table.String())
	if os.Getenv("LATCHKEY_UPDATE") == "1" {
		fillIn(t, "reports", table.String())
	}
}

// fillIn puts a table into its place in README.md.
func fillIn(t *testing.T, name, table string) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	place := regexp.MustCompile(`(?s)(<!-- begin ` + name + ` -->\n).*(<!-- end ` + name + ` -->)`)
	require.True(t, place.Match(readme), "README.md has no place for "+name)
	require.NoError(t, os.WriteFile("README.md", place.ReplaceAll(readme, []byte("${1}\n"+table+"\n${2}")), 0o644))
}
