package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/testkit"
)

// document is what a page holds for scripts.
type document struct {
	report report.Report
	clock  struct {
		Tolerances evidence.Fact[evidence.Tolerances]
		Server     evidence.Fact[evidence.ServerClock]
	}
	view string
}

func page(t *testing.T, url string) (d document) {
	t.Helper()
	code, body := get(t, http.DefaultClient, url)
	require.Equal(t, 200, code)
	inside := func(id string, into any) {
		_, rest, ok := strings.Cut(body, `id="`+id+`">`)
		require.True(t, ok, id)
		text, _, _ := strings.Cut(rest, "</script>")
		require.NoError(t, json.Unmarshal([]byte(text), into))
	}
	inside("latchkey-report", &d.report)
	var config struct{ Clock json.RawMessage }
	inside("latchkey-config", &config)
	require.NoError(t, json.Unmarshal(config.Clock, &d.clock))
	d.view = body
	return d
}

// configured starts a server with a configuration.
func configured(t *testing.T, yaml string) running {
	t.Helper()
	config := filepath.Join(t.TempDir(), "latchkey.yaml")
	require.NoError(t, os.WriteFile(config, []byte(yaml), 0o600))
	return start(t, "-config", config)
}

func TestServe_findsByNTPThatItsOwnClockIsWrong(t *testing.T) {
	keeper := testkit.NewTimeServer(t, -time.Minute)
	s := configured(t, fmt.Sprintf("clock: {uses: [id-token-60, totp], tolerance: 30s, ntp: [%q]}\n", keeper.Address))
	var d document
	require.Eventually(t, func() bool {
		d = page(t, s.url+"latchkey/?outcome=mfa_rejected")
		return d.clock.Server.State == evidence.OK
	}, 10*time.Second, 100*time.Millisecond)

	known := d.clock.Server.Value
	assert.Equal(t, "ntp", known.By)
	assert.InDelta(t, 60_000, known.Lo/2+known.Hi/2, 100)
	assert.Equal(t, evidence.Saw(evidence.Tolerances{
		{Use: "id-token-60", Ahead: 360_000, Behind: 60_000}, {Use: "own", Ahead: 30_000, Behind: 30_000},
	}), d.clock.Tolerances)
	require.GreaterOrEqual(t, len(d.report.Findings), 2)
	assert.Equal(t, "server-clock-wrong", d.report.Findings[0].Check)
	assert.Equal(t, "account-code-rejected", d.report.Findings[1].Check)
	assert.Contains(t, d.view, "<h2>The site&#39;s clock is ")

	s.stop()
	end := <-s.result
	assert.Equal(t, 0, end.code)
	assert.Equal(t, 1, strings.Count(end.stderr, `level=WARN msg="this server's clock is wrong" offset=1m0s by=ntp voices=1`), end.stderr)
}

func TestServe_saysNothingOfItsOwnClockIfItIsRight(t *testing.T) {
	keeper := testkit.NewTimeServer(t, 0)
	s := configured(t, fmt.Sprintf("clock: {ntp: [%q]}\n", keeper.Address))
	var d document
	require.Eventually(t, func() bool {
		d = page(t, s.url+"latchkey/?outcome=mfa_rejected")
		return d.clock.Server.State == evidence.OK
	}, 10*time.Second, 100*time.Millisecond)
	assert.Equal(t, "account-code-rejected", d.report.Findings[0].Check)
	assert.Contains(t, d.report.Passed, "server-clock-wrong")

	s.stop()
	assert.NotContains(t, (<-s.result).stderr, "clock")
}

func TestServe_findsByItsVisitorsThatItsOwnClockIsWrong(t *testing.T) {
	s := configured(t, "trusted_proxies: [127.0.0.1]\n")
	for i := range 25 {
		r, err := http.NewRequest("GET", s.url+"latchkey/reach?clock=-61,-59", nil)
		require.NoError(t, err)
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.%d.9", i))
		got, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, got.Body.Close())
	}
	d := page(t, s.url+"latchkey/?outcome=mfa_rejected")
	assert.Equal(t, evidence.Saw(evidence.ServerClock{Lo: 57_000, Hi: 63_000, By: "crowd", Voices: 25}), d.clock.Server)
	assert.Equal(t, "server-clock-wrong", d.report.Findings[0].Check)

	s.stop()
	end := <-s.result
	assert.Contains(t, end.stderr, `msg="this server's clock is wrong" offset=1m0s by=crowd voices=25`)
	assert.NotContains(t, end.stderr, "203.0", "nobody's address is logged")
}
