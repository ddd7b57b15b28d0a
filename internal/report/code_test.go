package report

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/checks"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// chrome is a report that uses most of a code.
func chrome() Report {
	var e evidence.Evidence
	e.Run.Tier, e.Run.TierReason = evidence.JS, evidence.Stalled
	e.Host = evidence.Told("session_lost", "", nil)
	e.Browser.Family, e.Browser.Major = evidence.Saw("Chrome"), evidence.Saw(156)
	e.Browser.System = evidence.Saw("Windows")
	e.Clock.Offset = evidence.Saw(evidence.Offset{Lo: -241_300, Hi: -240_700})
	return New(e, diag.Diagnosis{Findings: []diag.Finding{
		{Check: "cookies-blocked", Sureness: diag.Sure}, {Check: "clock-wrong"}, {Check: "session-lost"},
	}})
}

// someCode is any code of this version.
func someCode(r *rand.Rand) Code {
	return codeVersion<<restBits | Code(r.Uint64N(uint64(combinations())))
}

func dice() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func TestCode_isWhatThePersonReadsAloud(t *testing.T) {
	assert.Regexp(t, `^[4-7][0-9A-HJKMNP-TV-Z]{3}(-[0-9A-HJKMNP-TV-Z]{4}){2}$`, chrome().Code().String())
}

// Codes that people have written down say the same for ever. These are not to be
// changed.
func TestParseCode_readsWhatWasWrittenDown(t *testing.T) {
	for code, want := range map[string]string{
		"62W5-FF2J-0J8Q": "Chrome 156 on Windows, script tier (stalled); clock 1–10 minutes behind; said: session_lost; found: cookies-blocked (sure), clock-wrong, session-lost",
		"4100-1VHH-C001": "Safari 26 on iOS, html tier (no-script); clock not measured; said: unknown; found: javascript-off (likely)",
		"5D0D-39TR-CYZD": "Telegram 255 or newer on Windows Phone, wasm tier; clock 40 minutes–20 hours ahead; said: mfa_rejected; found: clock-time-zone (maybe), clock-phone-wrong, account-code-rejected, and more",
	} {
		c, err := ParseCode(code)
		require.NoError(t, err)
		assert.Equal(t, want, c.Spoken().String(), code)
		assert.Equal(t, code, c.String())
	}
}

// The place of a row is its number: rows are added at the end, here as well, and
// none is ever changed or taken out.
func TestCode_numbersNeverChange(t *testing.T) {
	for _, c := range []struct{ table, pinned string }{
		{outcomes, `unknown,invalid_credentials,account_locked,account_disabled,password_expired,mfa_rejected,mfa_not_delivered,` +
			`sso_failed,session_lost,captcha_failed,throttled,maintenance,server_error,no_response,reset_not_delivered,not_registered`},
		{tiers, `,html ,html no-script,script ,script absent,script policy,script no-compiler,script http,script content-type,` +
			`script truncated,script stalled,script crashed,wasm `},
		{browsers, `,another browser,Chrome,Edge,Safari,Firefox,Samsung Internet,Opera,Chromium,IE,Brave,Vivaldi,DuckDuckGo,Ecosia,` +
			`Yandex,Huawei,Honor,MIUI,HeyTap,Vivo,UC Browser,Opera Mini,Silk,Whale,Coc Coc,QQ Browser,Baidu,360,Avast,AVG,Aloha,Puffin,` +
			`Epiphany,LibreWolf,Waterfox,Pale Moon,SeaMonkey,Electron,Google App,Android WebView,iOS WebView,Blink,Gecko,WebKit,` +
			`Facebook,Messenger,Instagram,WhatsApp,LinkedIn,Teams,Outlook,Slack,WeChat,LINE,TikTok,Snapchat,X,Telegram`},
		{systems, `,another system,Windows,macOS,Linux,Android,iOS,iPadOS,ChromeOS,Windows Phone`},
		{findings, `,browser-outdated,browser-unsupported,browser-embedded-view,browser-compat-mode,browser-lacks-feature,javascript-off,` +
			`webassembly-off,script-blocked,script-policy,page-altered,popup-blocked,websocket-blocked,captcha-failed,cookies-blocked,` +
			`cookies-third-party-blocked,cookies-insecure-origin,cookies-wrong-host,cookies-vanish,cookies-duplicated,cookies-too-large,` +
			`storage-blocked,storage-full,storage-stale-worker,clock-wrong,clock-time-zone,clock-unstable,server-clock-wrong,` +
			`network-offline,network-captive-portal,network-intercepted,network-rewritten,network-host-unreachable,network-slow,` +
			`network-address-changes,network-local-access,session-lost,no-response,page-stale,page-several-tabs,input-caps-lock,` +
			`input-blank-ends,input-autofill-unseen,account-credentials,account-locked,account-disabled,account-password-expired,` +
			`account-code-rejected,account-code-not-delivered,account-sso-failed,account-not-registered,account-throttled,` +
			`account-reset-not-delivered,service-maintenance,service-error,service-idp-certificate,service-idp-unreachable,site-fault,` +
			`clock-phone-wrong`},
		{surenesses, `sure,likely,maybe`},
	} {
		assert.Equal(t, c.pinned, c.table)
	}
	assert.Equal(t, [...]float64{10, 60, 600, 2400, 72_000, 25_920_000}, clockClasses)
	assert.Equal(t, [digits]Code{16, 16, 64, 256, 14, 14, 3, 96, 96, 96, 2}, radix)
}

// rows are those of a table.
func rows(table string) []string { return strings.Split(table, ",") }

func TestCode_hasRoomForWhatItHolds(t *testing.T) {
	assert.LessOrEqual(t, combinations(), Code(1)<<restBits)
	for digit, rows := range map[int]int{
		digitOutcome: len(rows(outcomes)), digitTier: len(rows(tiers)), digitBrowser: len(rows(browsers)), digitSystem: len(rows(systems)),
		digitClock: 2 + 2*len(clockClasses), digitSureness: len(rows(surenesses)), digitFinding: len(rows(findings)) + 1,
	} {
		assert.LessOrEqual(t, rows, int(radix[digit]), "digit %d", digit)
	}
	for _, table := range []string{outcomes, tiers, browsers, systems, findings} {
		sorted := slices.Sorted(slices.Values(rows(table)))
		assert.Len(t, slices.Compact(sorted), len(rows(table)), "a row that is there twice: %s", table)
	}
}

func TestCode_hasANumberForEveryCheckAndOutcome(t *testing.T) {
	for _, c := range checks.Catalogue().Checks {
		assert.Contains(t, rows(findings), c.ID, "add it at the end of the table")
	}
	for _, o := range evidence.Outcomes {
		assert.Contains(t, rows(outcomes), string(o))
	}
}

func TestCode_tellsWhatIsInTheReport(t *testing.T) {
	finding := func(ids ...string) (fs []diag.Finding) {
		for _, id := range ids {
			fs = append(fs, diag.Finding{Check: id, Sureness: diag.Likely})
		}
		return fs
	}
	offset := func(seconds float64) func(*Report) {
		return func(r *Report) {
			r.Seen.Clock.Offset = evidence.Saw(evidence.Offset{Lo: seconds*1000 - 1000, Hi: seconds*1000 + 1000})
		}
	}
	for _, c := range []struct {
		name   string
		change func(*Report)
		want   string
	}{
		{"as it is", func(*Report) {},
			"Chrome 156 on Windows, script tier (stalled); clock 1–10 minutes behind; said: session_lost; found: cookies-blocked (sure), clock-wrong, session-lost"},
		{"nothing at all", func(r *Report) { *r = Report{} },
			"browser not told on system not told, tier not told; clock not measured; said: unknown; found: nothing"},
		{"a healthy browser", func(r *Report) { r.Findings, r.Tier, r.TierReason = nil, evidence.Wasm, "" },
			"Chrome 156 on Windows, wasm tier; clock 1–10 minutes behind; said: session_lost; found: nothing"},
		{"three findings and more", func(r *Report) { r.Findings = finding("site-fault", "page-stale", "clock-wrong", "script-blocked") },
			"found: site-fault (likely), page-stale, clock-wrong, and more"},
		{"a finding that has no number", func(r *Report) { r.Findings = finding("moon-full", "page-stale") },
			"found: finding without a number (likely), page-stale"},
		{"a family that has no number", func(r *Report) { r.Seen.Browser.Family = evidence.Saw("Sleipnir") }, "another browser 156 on"},
		{"an engine for want of a family", func(r *Report) {
			r.Seen.Browser.Family, r.Seen.Browser.Major = evidence.Fact[string]{State: evidence.Absent}, evidence.Fact[int]{}
			r.Seen.Browser.Engine, r.Seen.Browser.EngineMajor = evidence.Saw("WebKit"), evidence.Saw(19)
		}, "WebKit 19 on"},
		{"an engine for a family that has no number", func(r *Report) {
			r.Seen.Browser.Family, r.Seen.Browser.Engine = evidence.Saw("Sleipnir"), evidence.Saw("Blink")
			r.Seen.Browser.EngineMajor = evidence.Saw(120)
		}, "Blink 120 on"},
		{"a family, whatever its engine", func(r *Report) {
			r.Seen.Browser.Engine, r.Seen.Browser.EngineMajor = evidence.Saw("Blink"), evidence.Saw(120)
		}, "Chrome 156 on"},
		{"the last exact version", func(r *Report) { r.Seen.Browser.Major = evidence.Saw(254) }, "Chrome 254 on"},
		{"a version further on", func(r *Report) { r.Seen.Browser.Major = evidence.Saw(9000) }, "Chrome 255 or newer on"},
		{"a version below nothing", func(r *Report) { r.Seen.Browser.Major = evidence.Saw(-4) }, "Chrome on"},
		{"a system that has no number", func(r *Report) { r.Seen.Browser.System = evidence.Saw("Haiku") }, "on another system,"},
		{"a reason that has no number", func(r *Report) { r.TierReason = "bored" }, ", script tier;"},
		{"a tier that has no number", func(r *Report) { r.Tier = "brain" }, ", tier not told;"},
		{"an outcome that has no number", func(r *Report) { r.Outcome = "bored" }, "said: unknown;"},
		{"a right clock", offset(-9.9), "; clock right to 10 seconds;"},
		{"the first wrong clock", offset(-10), "; clock 10 seconds–1 minute behind;"},
		{"an hour ahead", offset(3600), "; clock 40 minutes–20 hours ahead;"},
		{"half an hour behind", offset(-1800), "; clock 10–40 minutes behind;"},
		{"a day ahead", offset(86_400), "; clock 20 hours–300 days ahead;"},
		{"years behind", offset(-200_000_000), "; clock more than 300 days behind;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := chrome()
			c.change(&r)
			parsed, err := ParseCode(r.Code().String())
			require.NoError(t, err)
			assert.Contains(t, parsed.Spoken().String(), c.want)
		})
	}
}

func TestCode_bringsBackEveryRowOfEveryTable(t *testing.T) {
	pick := func(table string, n int) string { return rows(table)[n%len(rows(table))] }
	for i, name := range rows(findings)[1:] {
		r := chrome()
		r.Findings = []diag.Finding{{Check: name, Sureness: diag.Sureness(pick(surenesses, i))}, {Check: "clock-wrong"}, {Check: name}}
		r.Outcome = evidence.Outcome(pick(outcomes, i))
		tier, reason, _ := strings.Cut(pick(tiers, i), " ")
		r.Tier, r.TierReason = evidence.Tier(tier), evidence.TierReason(reason)
		r.Seen.Browser.Family, r.Seen.Browser.System = evidence.Saw(pick(browsers, i)), evidence.Saw(pick(systems, i))
		r.Seen.Browser.Major = evidence.Saw(1 + i*4)

		parsed, err := ParseCode(r.Code().String())
		require.NoError(t, err)
		s := parsed.Spoken()
		assert.Equal(t, []string{name, "clock-wrong", name}, s.Findings)
		assert.Equal(t, r.Findings[0].Sureness, s.Sureness)
		assert.Equal(t, []any{r.Outcome, r.Tier, r.TierReason}, []any{s.Outcome, s.Tier, s.TierReason})
		assert.Equal(t, []any{r.Seen.Browser.Family.Value, r.Seen.Browser.System.Value, r.Seen.Browser.Major.Value}, []any{s.Browser, s.System, s.Major})
	}
}

func TestCode_isTheSameFromTheReportAsJSON(t *testing.T) {
	want := chrome()
	data, err := json.Marshal(want)
	require.NoError(t, err)
	var again Report
	require.NoError(t, json.Unmarshal(data, &again))
	assert.Equal(t, want.Code().String(), again.Code().String())
}

func TestSpoken_namesWhatIsNewer(t *testing.T) {
	v := [digits]Code{digitTier: 15, digitBrowser: 63, digitSystem: 13, digitFinding: 90, digitMore: 1}
	c := Code(0)
	for i, n := range v {
		c = c*radix[i] + n
	}
	assert.Equal(t, "newer-browser-63 on newer-system-13, newer-tier-15 tier; clock not measured; said: unknown; found: newer-finding-90 (sure), and more",
		(codeVersion<<restBits | c).Spoken().String())
}

func TestSpoken_isReadByPrograms(t *testing.T) {
	data, err := json.Marshal(chrome().Code().Spoken())
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"version": 1, "outcome": "session_lost", "tier": "script", "tier_reason": "stalled", "browser": "Chrome", "major": 156,
		"system": "Windows", "clock": {"direction": "behind", "from": 60, "to": 600},
		"findings": ["cookies-blocked", "clock-wrong", "session-lost"], "more": false, "sureness": "sure"
	}`, string(data))
}

func TestParseCode_bringsBackWhatStringWrote(t *testing.T) {
	r := dice()
	for range 20_000 {
		want := someCode(r)
		got, err := ParseCode(want.String())
		require.NoError(t, err, want.String())
		require.Equal(t, want, got)
	}
}

func TestParseCode_findsEverySingleWrongCharacter(t *testing.T) {
	r := dice()
	for range 100 {
		code := []byte(strings.ReplaceAll(someCode(r).String(), "-", ""))
		for i, right := range code {
			for _, wrong := range []byte(alphabet) {
				if code[i] = wrong; wrong != right {
					_, err := ParseCode(string(code))
					require.ErrorContains(t, err, "misheard", "%s at %d", code, i)
				}
			}
			code[i] = right
		}
	}
}

func TestParseCode_findsEveryTwoThatChangedPlaces(t *testing.T) {
	r := dice()
	for range 1000 {
		code := []byte(strings.ReplaceAll(someCode(r).String(), "-", ""))
		for i := range code {
			for j := range i {
				if code[i] == code[j] {
					continue
				}
				code[i], code[j] = code[j], code[i]
				_, err := ParseCode(string(code))
				require.ErrorContains(t, err, "misheard", "%s at %d and %d", code, j, i)
				code[i], code[j] = code[j], code[i]
			}
		}
	}
}

// What both tests above try on examples holds for all codes if it holds for all
// differences, because the check is linear.
func TestCode_weighsEveryPlaceOtherwise(t *testing.T) {
	weighed := func(places int, digit byte) byte {
		for range places {
			digit = times(digit)
		}
		return digit
	}
	for difference := byte(1); difference < 32; difference++ {
		seen := map[byte]bool{0: true}
		for places := range codeLength {
			w := weighed(places, difference)
			assert.False(t, seen[w], "difference %d, %d places from the end", difference, places)
			seen[w] = true
		}
	}
}

func TestParseCode_readsWhatPeopleWrite(t *testing.T) {
	want := chrome().Code()
	code := want.String()
	for name, written := range map[string]string{
		"in small letters":  strings.ToLower(code),
		"without hyphens":   strings.ReplaceAll(code, "-", ""),
		"with blanks":       "  " + strings.ReplaceAll(code, "-", " ") + "\n",
		"with other dashes": strings.ReplaceAll(code, "-", " – "),
		"letter by letter":  strings.Join(strings.Split(code, ""), "\u00a0"),
	} {
		got, err := ParseCode(written)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	r := dice()
	for range 100 {
		want := someCode(r)
		written := strings.NewReplacer("0", "O", "1", []string{"I", "l"}[r.IntN(2)]).Replace(want.String())
		got, err := ParseCode(written)
		require.NoError(t, err, written)
		assert.Equal(t, want, got, written)
	}
}

func TestParseCode_saysWhatIsWrong(t *testing.T) {
	code := chrome().Code().String()
	other := "7"
	if strings.HasSuffix(code, other) {
		other = "8"
	}
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", "a code has 12 characters, and this has 0"},
		{"one too few", code[:len(code)-1], "a code has 12 characters, and this has 11"},
		{"one too many", code + "0", "a code has 12 characters, and this has 13"},
		{"very many", strings.Repeat("0", 1_000_000), "a code has 12 characters, and this has 1000000"},
		{"a letter that no code has", "7K3U", `character 4 is 'U', which stands in no code`},
		{"a sign", "7K-3F *", `character 5 is '*', which stands in no code`},
		{"a broken character", "7\xff", `character 2 is '�', which stands in no code`},
		{"misheard", code[:len(code)-1] + other, "misheard"},
		{"of a newer version", Code(2<<restBits | 77).String(), "this code is of version 2, and this program reads version 1"},
		{"of no version", Code(77).String(), "Latchkey makes no such code"},
		{"all zeros", "0000-0000-0000", "Latchkey makes no such code"},
		{"beyond what there is", (codeVersion<<restBits | combinations()).String(), "Latchkey makes no such code"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseCode(c.in)
			require.ErrorContains(t, err, c.want)
			assert.Less(t, len(err.Error()), 120)
		})
	}
}

func FuzzDecodeCode(f *testing.F) {
	f.Add(chrome().Code().String(), uint64(0))
	f.Add("o0il-\u2013 7k3f", uint64(1<<63))
	f.Add("7\xffK", uint64(1<<55-1))
	f.Fuzz(func(t *testing.T, s string, n uint64) {
		c, err := ParseCode(s)
		if err != nil {
			c = codeVersion<<restBits | Code(n)%combinations()
		}
		again, err := ParseCode(c.String())
		require.NoError(t, err)
		assert.Equal(t, c, again)
		assert.NotEmpty(t, c.Spoken().String())
	})
}
