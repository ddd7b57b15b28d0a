package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGenerate_givesTheFileThatIsThere(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(source)))
	if err != nil {
		t.Skip("the data is not installed; run: npm ci --prefix internal/agent/gen")
	}
	code, err := generate(data)
	require.NoError(t, err)
	want, err := os.ReadFile(filepath.Join("..", "releases.go"))
	require.NoError(t, err)
	assert.Equal(t, string(want), string(code), "releases.go differs; if it should, run: make generate")
}

const day = "2026-08-07"

func TestHistory_countsOnlyWhatIsOut(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   release
		want string
	}{
		{"a release of today", release{"2026-08-04", "current"}, `1, "2026-01", "07"`},
		{"a beta whose day has come", release{"2026-08-07", "beta"}, `1, "2026-01", "07"`},
		{"a beta", release{"2026-08-08", "beta"}, `1, "2026-01", "0"`},
		{"a plan without a day", release{"", "planned"}, `1, "2026-01", "0"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := history(map[string]release{"1": {"2026-01-13", "retired"}, "2": tt.in}, 1, day)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestHistory_datesAMajorByItsFirstVersion(t *testing.T) {
	got, err := history(map[string]release{
		"18.1": {"2024-10-28", "retired"}, "18": {"2024-09-16", "retired"},
		"26.1": {"2025-11-03", "current"}, "26": {"2025-09-15", "retired"},
	}, 1, day)
	require.NoError(t, err)
	assert.Equal(t, `18, "2024-09", "0-------c"`, got)
}

func TestHistory_refusesWhatItCannotWrite(t *testing.T) {
	for name, second := range map[string]release{
		"a major before the one before": {"2020-01-01", "retired"},
		"a major after three years":     {"2024-02-01", "retired"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := history(map[string]release{"1": {"2021-02-01", "retired"}, "2": second}, 1, day)
			assert.ErrorContains(t, err, "which one digit cannot say")
		})
	}
	_, err := history(nil, 1, day)
	assert.ErrorContains(t, err, "names no release")
}

func TestHistory_beginsWhereItIsOfUse(t *testing.T) {
	got, err := history(map[string]release{"12": {"2012-06-14", "retired"}, "15": {"2013-07-02", "retired"}, "16": {"2013-08-27", "current"}}, 15, day)
	require.NoError(t, err)
	assert.Equal(t, `15, "2013-07", "01"`, got)
}

func TestOldestESR_isTheOneForAllSystems(t *testing.T) {
	got, err := oldestESR(map[string]release{"140": {"2025-06-24", "esr"}, "153": {"2026-07-21", "esr"}, "128": {"2024-07-09", "retired"}})
	require.NoError(t, err)
	assert.Equal(t, 140, got)
	_, err = oldestESR(nil)
	assert.ErrorContains(t, err, "no ESR")
}
