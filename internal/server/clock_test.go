package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/clock"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/testkit"
)

// watched is a server with this machine's clock and a log.
func watched(t *testing.T) (*server, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	o := testOptions(t)
	o.Now, o.Log = time.Now, slog.New(slog.NewTextHandler(&log, nil))
	return testServer(t, o), &log
}

func keepers(addresses ...string) (all []*timekeeper) {
	for _, a := range addresses {
		all = append(all, &timekeeper{address: a})
	}
	return all
}

// nobody is an address where no time server is.
func nobody(t *testing.T) string {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	return conn.LocalAddr().String()
}

func lines(log *bytes.Buffer) []string {
	defer log.Reset()
	return strings.FieldsFunc(log.String(), func(r rune) bool { return r == '\n' })
}

// around holds an offset in seconds, and is narrow.
func around(t *testing.T, want float64, got evidence.Fact[evidence.ServerClock]) {
	t.Helper()
	require.Equal(t, evidence.OK, got.State)
	assert.LessOrEqual(t, got.Value.Lo, 1000*want)
	assert.GreaterOrEqual(t, got.Value.Hi, 1000*want)
	assert.Less(t, got.Value.Hi-got.Value.Lo, 7000.)
}

func TestAskTime_isSilentAboutAClockThatIsRight(t *testing.T) {
	s, log := watched(t)
	s.askTime(keepers(testkit.NewTimeServer(t, 0).Address))
	around(t, 0, s.serverClock())
	assert.Equal(t, "ntp", s.serverClock().Value.By)
	assert.Empty(t, lines(log))
}

func TestAskTime_tellsTheOperatorOfAClockThatIsWrongOnce(t *testing.T) {
	s, log := watched(t)
	one := testkit.NewTimeServer(t, -time.Minute)
	all := keepers(one.Address)
	s.askTime(all)
	s.askTime(all)
	around(t, 60, s.serverClock())
	told := lines(log)
	require.Len(t, told, 1)
	assert.Contains(t, told[0], `level=WARN msg="this server's clock is wrong" offset=1m0s by=ntp voices=1 to_do=`)

	one.Set(0)
	s.askTime(all)
	around(t, 0, s.serverClock())
	told = lines(log)
	require.Len(t, told, 1)
	assert.Contains(t, told[0], `level=INFO msg="this server's clock is right again" offset=0s by=ntp`)
}

func TestAskTime_believesTheMajorityAndNamesWhoDisagrees(t *testing.T) {
	s, log := watched(t)
	liar := testkit.NewTimeServer(t, time.Hour)
	all := keepers(testkit.NewTimeServer(t, 0).Address, liar.Address, testkit.NewTimeServer(t, 0).Address)
	s.askTime(all)
	s.askTime(all)
	around(t, 0, s.serverClock())
	assert.Equal(t, 2, s.serverClock().Value.Voices)
	told := lines(log)
	require.Len(t, told, 1)
	assert.Contains(t, told[0], `level=WARN msg="time server is of no use" server=`+liar.Address+` trouble="it disagrees with the others"`)

	liar.Set(0)
	s.askTime(all)
	assert.Equal(t, 3, s.serverClock().Value.Voices)
	told = lines(log)
	require.Len(t, told, 1)
	assert.Contains(t, told[0], `level=INFO msg="time server is of use again" server=`+liar.Address)
}

func TestAskTime_believesNoneOfTwoThatDisagree(t *testing.T) {
	s, log := watched(t)
	s.askTime(keepers(testkit.NewTimeServer(t, 0).Address, testkit.NewTimeServer(t, time.Minute).Address))
	assert.Equal(t, evidence.Fact[evidence.ServerClock]{State: evidence.Absent}, s.serverClock())
	assert.Len(t, lines(log), 2)
}

func TestAskTime_knowsNothingFromWhoDoesNotAnswer(t *testing.T) {
	s, log := watched(t)
	gone := nobody(t)
	s.askTime(keepers(gone))
	assert.Equal(t, evidence.Absent, s.serverClock().State)
	told := lines(log)
	require.Len(t, told, 1)
	assert.Contains(t, told[0], `msg="time server is of no use" server=`+gone)

	s.askTime(keepers(gone, testkit.NewTimeServer(t, -time.Minute).Address))
	around(t, 60, s.serverClock())
}

func TestAskTime_leavesAloneWhoWantsIt(t *testing.T) {
	for kiss, rest := range map[string]time.Duration{"RATE": time.Hour, "DENY": 100 * 365 * 24 * time.Hour} {
		t.Run(kiss, func(t *testing.T) {
			s, log := watched(t)
			one := testkit.NewTimeServer(t, 0)
			one.Kiss(kiss)
			all := keepers(one.Address)
			s.askTime(all)
			s.askTime(all)
			assert.EqualValues(t, 1, one.Asked.Load())
			assert.Equal(t, evidence.Absent, s.serverClock().State)
			told := lines(log)
			require.Len(t, told, 1)
			assert.Contains(t, told[0], `trouble="it wants to be left alone: `+kiss)
			now := time.Now()
			s.now = func() time.Time { return now.Add(rest - time.Minute) }
			s.askTime(all)
			assert.EqualValues(t, 1, one.Asked.Load())
		})
	}
}

func TestNew_asksTheTimeUntilTheServerStops(t *testing.T) {
	o := testOptions(t)
	one := testkit.NewTimeServer(t, -time.Minute)
	o.Config.Clock.NTP = []string{one.Address}
	o.Now = time.Now
	h, err := New(o)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		h.Run(ctx)
		close(ended)
	}()
	require.Eventually(t, func() bool {
		seen := reportIn(t, bodyOf(t, ask(h, "GET", "/latchkey/"))).Seen.Clock.Server
		return seen.State == evidence.OK && seen.Value.Lo > 50_000
	}, 10*time.Second, 10*time.Millisecond)
	stop()
	<-ended
}

// visitors tell one by one that their devices are off by lo to hi seconds.
func visitors(s *server, form string, n int, clock string) {
	for i := range n {
		s.handler().ServeHTTP(httptest.NewRecorder(), from(fmt.Sprintf(form, i), "/latchkey/reach?clock="+clock))
	}
}

func TestReach_hearsTheCrowd(t *testing.T) {
	s, log := watched(t)
	visitors(s, "203.0.%d.9:5", 25, "-91,-89")
	around(t, 90, s.serverClock())
	assert.Equal(t, "crowd", s.serverClock().Value.By)
	assert.Equal(t, 25, s.serverClock().Value.Voices)
	told := lines(log)
	require.Len(t, told, 1)
	assert.Contains(t, told[0], `msg="this server's clock is wrong" offset=1m30s by=crowd voices=25`)
	assert.NotContains(t, told[0], "203.0", "nobody's address is logged")

	s.askTime(keepers(testkit.NewTimeServer(t, 0).Address))
	around(t, 0, s.serverClock())
	assert.Equal(t, "ntp", s.serverClock().Value.By, "time servers know better")
}

func TestReach_takesOneVoiceFromANetwork(t *testing.T) {
	for form, many := range map[string]bool{"203.0.113.%d:5": false, "[2001:db8:1:%x::1]:5": false, "203.0.%d.9:5": true, "[2001:db8:%x::1]:5": true} {
		s, _ := watched(t)
		visitors(s, form, 30, "-91,-89")
		_, ok := s.own.crowd.Judge(time.Now())
		assert.Equal(t, many, ok, form)
	}
}

func TestReach_passesOverOffsetsThatAreNone(t *testing.T) {
	for _, text := range []string{"", "5", "5,", ",5", "a,b", "1.5,2.5", "2,1", "-99,99", "1,2,3", "99999999999999999999,99999999999999999999"} {
		s, _ := watched(t)
		visitors(s, "203.0.%d.9:5", 25, text)
		_, ok := s.own.crowd.Judge(time.Now())
		assert.False(t, ok, text)
	}
}

// Behind a proxy that is not listed all visitors seem to be that machine.
func TestReach_hearsNobodyBehindAnUnknownProxy(t *testing.T) {
	s, _ := watched(t)
	for i := range 25 {
		s.handler().ServeHTTP(httptest.NewRecorder(), from(fmt.Sprintf("10.0.%d.1:5", i), "/latchkey/reach?clock=-91,-89", "X-Forwarded-For", "203.0.113.9"))
	}
	_, ok := s.own.crowd.Judge(time.Now())
	assert.False(t, ok)
}

func TestTolerances_areThoseOfTheDevice(t *testing.T) {
	use := func(id string) clock.Use { u, _ := clock.Find(id); return u }
	c := Clock{Uses: []clock.Use{use("totp"), use("id-token-60"), use("saml")}, Tolerance: 30 * time.Second, CookieLifetime: 20 * time.Minute}
	assert.Equal(t, evidence.Saw(evidence.Tolerances{
		{Use: "id-token-60", Ahead: 360_000, Behind: 60_000},
		{Use: "own", Ahead: 30_000, Behind: 30_000},
	}), c.tolerances(evidence.Saw("Blink")))
	assert.Contains(t, c.tolerances(evidence.Saw("WebKit")).Value, evidence.Tolerance{Use: "cookie-expires", Ahead: 1_200_000})
	assert.Equal(t, evidence.Saw(evidence.Tolerances{}), Clock{Uses: []clock.Use{use("totp")}}.tolerances(evidence.Saw("Blink")), "no clock of a device matters")
	assert.Equal(t, evidence.Fact[evidence.Tolerances]{}, Clock{NTP: []string{"ntp.example:123"}}.tolerances(evidence.Saw("Blink")))
}

func TestPage_tellsWhatTheServerKnowsOfClocks(t *testing.T) {
	s, _ := watched(t)
	s.cfg.Clock.Tolerance = 30 * time.Second
	s.askTime(keepers(testkit.NewTimeServer(t, -time.Minute).Address))
	body := bodyOf(t, ask(s.handler(), "GET", "/latchkey/?outcome=mfa_rejected", "User-Agent", chrome))
	var config struct{ Clock clockConfig }
	require.NoError(t, json.Unmarshal([]byte(elements(t, body, withID("latchkey-config"))[0].FirstChild.Data), &config))
	around(t, 60, config.Clock.Server)
	assert.Equal(t, evidence.Saw(evidence.Tolerances{{Use: "own", Ahead: 30_000, Behind: 30_000}}), config.Clock.Tolerances)
	assert.Equal(t, []string{"server-clock-wrong", "account-code-rejected"}, ids(reportIn(t, body))[:2])
}

func TestDiagnose_knowsItsOwnClock(t *testing.T) {
	s, _ := watched(t)
	s.cfg.Clock.Tolerance = 30 * time.Second
	s.askTime(keepers(testkit.NewTimeServer(t, -time.Minute).Address))
	seen := func(target, evidence string) report.Report {
		var rep report.Report
		require.NoError(t, json.Unmarshal(post(s.handler(), target, "application/json", evidence).Body.Bytes(), &rep))
		return rep
	}
	ours := "/latchkey/diagnose?run=0123456789abcdef"
	around(t, 60, seen(ours, "{}").Seen.Clock.Server)
	assert.Equal(t, evidence.OK, seen(ours, "{}").Seen.Clock.Tolerances.State)
	assert.Equal(t, evidence.Absent, seen(ours, `{"clock": {"server": {"state": "absent"}}}`).Seen.Clock.Server.State, "it says so already")
	assert.Equal(t, evidence.Unasked, seen("/latchkey/diagnose", "{}").Seen.Clock.Server.State, "evidence from elsewhere is of another server")
}
