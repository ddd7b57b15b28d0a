package report

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// Code is a report in twelve characters that can be read aloud. Where a network
// lets nothing out, it is the report.
//
// It is a number of 55 bits: the upper three are the version, for ever; the
// others are in version 1 the digits of radix, the first the most significant.
// Eleven characters of Crockford's base32 hold it, the first bits in front, and
// the twelfth is the check character. The version stands in the first, so that
// codes of version 1 begin with 4, 5, 6 or 7.
//
// With w, a generator of GF(32), as x in GF(2)[x]/(x⁵+x²+1), the sum of
// wⁱ times the character that stands i places from the end is zero. All twelve
// weights differ and none is zero, so no single wrong character and no two
// characters that changed places go unseen, wherever they stand.
type Code uint64

const (
	codeVersion = 1
	codeLength  = 12 // characters, with the check character
	restBits    = 52 // what is below the version
	listed      = 3  // findings that a code names
)

// The digits of a code.
const (
	digitOutcome  = iota // of outcomes
	digitTier            // of tiers
	digitBrowser         // of browsers
	digitMajor           // exact up to 254; 0 is not told, 255 is 255 or newer
	digitSystem          // of systems
	digitClock           // 0 not measured, 1 right, then of clockClasses ahead, then behind
	digitSureness        // of the first finding
	digitFinding         // of findings, in rank order, the gap behind the last is 0
	digitMore     = digitFinding + listed
	digits        = digitMore + 1
)

// radix is how many values each digit has. What a table leaves free of them is room
// for newer rows: an older program says that it does not know those.
var radix = [digits]Code{
	digitOutcome: 16, digitTier: 16, digitBrowser: 64, digitMajor: majors, digitSystem: 14, digitClock: 14, digitSureness: 3,
	digitFinding: findingNumbers, digitFinding + 1: findingNumbers, digitFinding + 2: findingNumbers, digitMore: 2,
}

const (
	majors         = 256
	findingNumbers = 96 // the last is that of what has no number
)

// The tables are only ever added to: a row's place is its number in codes that
// people have read aloud and written down. They are texts with commas because lists
// of strings took 4.6 KB more of WebAssembly, a third of all that a code costs.
const (
	outcomes = "unknown,invalid_credentials,account_locked,account_disabled,password_expired,mfa_rejected," +
		"mfa_not_delivered,sso_failed,session_lost,captcha_failed,throttled,maintenance,server_error,no_response," +
		"reset_not_delivered,not_registered"
	// tiers are tiers, a blank, and why they are no higher ones.
	tiers = ",html ,html no-script,script ,script absent,script policy,script no-compiler,script http," +
		"script content-type,script truncated,script stalled,script crashed,wasm "
	// browsers are families, engines, for those that do not tell their name, and
	// apps.
	browsers = ",another browser,Chrome,Edge,Safari,Firefox,Samsung Internet,Opera,Chromium,IE,Brave,Vivaldi," +
		"DuckDuckGo,Ecosia,Yandex,Huawei,Honor,MIUI,HeyTap,Vivo,UC Browser,Opera Mini,Silk,Whale,Coc Coc,QQ Browser," +
		"Baidu,360,Avast,AVG,Aloha,Puffin,Epiphany,LibreWolf,Waterfox,Pale Moon,SeaMonkey,Electron,Google App," +
		"Android WebView,iOS WebView,Blink,Gecko,WebKit,Facebook,Messenger,Instagram,WhatsApp,LinkedIn,Teams,Outlook," +
		"Slack,WeChat,LINE,TikTok,Snapchat,X,Telegram"
	systems  = ",another system,Windows,macOS,Linux,Android,iOS,iPadOS,ChromeOS,Windows Phone"
	findings = ",browser-outdated,browser-unsupported,browser-embedded-view,browser-compat-mode,browser-lacks-feature," +
		"javascript-off,webassembly-off,script-blocked,script-policy,page-altered,popup-blocked,websocket-blocked," +
		"captcha-failed,cookies-blocked,cookies-third-party-blocked,cookies-insecure-origin,cookies-wrong-host," +
		"cookies-vanish,cookies-duplicated,cookies-too-large,storage-blocked,storage-full,storage-stale-worker," +
		"clock-wrong,clock-time-zone,clock-unstable,server-clock-wrong,network-offline,network-captive-portal," +
		"network-intercepted,network-rewritten,network-host-unreachable,network-slow,network-address-changes," +
		"network-local-access,session-lost,no-response,page-stale,page-several-tabs,input-caps-lock,input-blank-ends," +
		"input-autofill-unseen,account-credentials,account-locked,account-disabled,account-password-expired," +
		"account-code-rejected,account-code-not-delivered,account-sso-failed,account-not-registered,account-throttled," +
		"account-reset-not-delivered,service-maintenance,service-error,service-idp-certificate,service-idp-unreachable," +
		"site-fault,clock-phone-wrong"
	surenesses = "sure,likely,maybe"
)

// clockClasses are from how many seconds on a clock is that far off. No clock that
// is wrong by a zone, a day or a year stands on an edge.
var clockClasses = [...]float64{10, 60, 600, 2400, 72_000, 25_920_000}

// place is where a row stands in a table, or in want of it the other number.
func place(table, row string, other int) int {
	for n := 0; ; n++ {
		at, rest, more := strings.Cut(table, ",")
		if at == row {
			return n
		}
		if !more {
			return other
		}
		table = rest
	}
}

// Code is the report as a code. It is made without any request, and only of what
// may leave the browser.
func (r Report) Code() Code {
	var v [digits]int
	v[digitOutcome] = place(outcomes, string(r.Outcome), 0)
	v[digitTier] = place(tiers, string(r.Tier)+" "+string(r.TierReason), place(tiers, string(r.Tier)+" ", 0))
	b := r.Seen.Browser
	v[digitBrowser], v[digitMajor] = place(browsers, b.Family.Value, 1), b.Major.Value
	if engine := place(browsers, b.Engine.Value, 0); v[digitBrowser] <= 1 && engine > 0 {
		v[digitBrowser], v[digitMajor] = engine, b.EngineMajor.Value
	}
	v[digitMajor] = min(max(0, v[digitMajor]), majors-1)
	v[digitSystem] = place(systems, b.System.Value, 1)
	if o := r.Seen.Clock.Offset; o.State == evidence.OK {
		v[digitClock] = clockClass(o.Value.Mid() / 1000)
	}
	for i, f := range r.Findings[:min(len(r.Findings), listed)] {
		v[digitFinding+i] = place(findings, f.Check, findingNumbers-1)
	}
	if len(r.Findings) > 0 {
		v[digitSureness] = place(surenesses, string(r.Findings[0].Sureness), 0)
	}
	if len(r.Findings) > listed {
		v[digitMore] = 1
	}
	c := Code(0)
	for i, n := range v {
		c = c*radix[i] + Code(n)
	}
	return codeVersion<<restBits | c
}

// clockClass is the digit for a clock that is so many seconds ahead.
func clockClass(ahead float64) int {
	n := 1
	for _, from := range clockClasses {
		if math.Abs(ahead) >= from {
			n++
		}
	}
	if n > 1 && ahead < 0 {
		n += len(clockClasses)
	}
	return n
}

// alphabet is Crockford's: without I, L, O and U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// times is w times x.
func times(x byte) byte {
	if x <<= 1; x >= 32 {
		x ^= 0b100101
	}
	return x
}

// String is the code as people read it: 62W5-FF2J-0J8Q.
func (c Code) String() string {
	var out [codeLength + 2]byte
	at, check := 0, byte(0)
	for i := range codeLength {
		digit := byte(c<<5>>(5*(codeLength-1-i))) & 31
		if i == codeLength-1 {
			digit = times(check)
		}
		check = times(check) ^ digit
		if i > 0 && i%4 == 0 {
			out[at] = '-'
			at++
		}
		out[at] = alphabet[digit]
		at++
	}
	return string(out[:])
}

// ParseCode reads a code as people write it down: in any case, with blanks and
// hyphens anywhere, O for 0, I and L for 1. Errors say what is wrong with it.
func ParseCode(s string) (Code, error) {
	var c Code
	n, check := 0, byte(0)
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			continue
		}
		n++
		digit := strings.IndexRune(alphabet, meant(unicode.ToUpper(r)))
		if digit < 0 {
			return 0, fmt.Errorf("character %d is %q, which stands in no code", n, r)
		}
		check = times(check) ^ byte(digit)
		if n < codeLength {
			c = c<<5 | Code(digit)
		}
	}
	switch rest := c & (1<<restBits - 1); {
	case n != codeLength:
		return 0, fmt.Errorf("a code has %d characters, and this has %d", codeLength, n)
	case check != 0:
		return 0, errors.New("one of the characters was misheard, or two were swapped: ask for the code again")
	case c>>restBits > codeVersion:
		return 0, fmt.Errorf("this code is of version %d, and this program reads version %d: use a newer one", c>>restBits, codeVersion)
	case c>>restBits < codeVersion || rest >= combinations():
		return 0, errors.New("the check character fits, but Latchkey makes no such code")
	}
	return c, nil
}

// meant is the character that is meant by one that looks the same.
func meant(r rune) rune {
	switch r {
	case 'O':
		return '0'
	case 'I', 'L':
		return '1'
	}
	return r
}

// combinations is how many different codes there are of a version.
func combinations() Code {
	all := Code(1)
	for _, n := range radix {
		all *= n
	}
	return all
}

// Spoken is what a code says. What is not told is empty or zero. What a newer
// Latchkey has put in is named by its number: "newer-finding-90".
type Spoken struct {
	Version    int                 `json:"version"`
	Outcome    evidence.Outcome    `json:"outcome"`
	Tier       evidence.Tier       `json:"tier"`
	TierReason evidence.TierReason `json:"tier_reason"`
	// Browser is the family or the app, or else the engine.
	Browser string `json:"browser"`
	// Major is the browser's, or the engine's if it is that; 255 is 255 or newer.
	Major  int         `json:"major"`
	System string      `json:"system"`
	Clock  SpokenClock `json:"clock,omitzero"`
	// Findings are the first three, in rank order, and More whether there are more.
	Findings []string `json:"findings"`
	More     bool     `json:"more"`
	// Sureness is that of the first finding.
	Sureness diag.Sureness `json:"sureness,omitempty"`
}

// SpokenClock is how far the device's clock is off the server's: by From seconds
// to To, of which 0 is any; zero if it was not measured.
type SpokenClock struct {
	Direction string  `json:"direction,omitempty"` // ahead or behind; empty if right
	From      float64 `json:"from"`
	To        float64 `json:"to,omitempty"`
}

// Spoken is what the code says.
func (c Code) Spoken() Spoken {
	var v [digits]int
	rest := c & (1<<restBits - 1)
	for i := range slices.Backward(v[:]) {
		v[i], rest = int(rest%radix[i]), rest/radix[i]
	}
	tier, reason, _ := strings.Cut(row(tiers, v[digitTier], "tier"), " ")
	s := Spoken{
		Version: int(c >> restBits), Outcome: evidence.Outcome(row(outcomes, v[digitOutcome], "outcome")),
		Tier: evidence.Tier(tier), TierReason: evidence.TierReason(reason),
		Browser: row(browsers, v[digitBrowser], "browser"), Major: v[digitMajor],
		System: row(systems, v[digitSystem], "system"), Clock: spokenClock(v[digitClock]),
		Findings: []string{}, More: v[digitMore] == 1,
	}
	for _, n := range v[digitFinding:digitMore] {
		switch n {
		case 0:
		case findingNumbers - 1:
			s.Findings = append(s.Findings, "finding without a number")
		default:
			s.Findings = append(s.Findings, row(findings, n, "finding"))
		}
	}
	if len(s.Findings) > 0 {
		s.Sureness = diag.Sureness(row(surenesses, v[digitSureness], "sureness"))
	}
	return s
}

// row is what stands at a place in a table.
func row(table string, n int, what string) string {
	if rows := strings.Split(table, ","); n < len(rows) {
		return rows[n]
	}
	return "newer-" + what + "-" + strconv.Itoa(n)
}

func spokenClock(n int) SpokenClock {
	switch {
	case n == 0:
		return SpokenClock{}
	case n == 1:
		return SpokenClock{To: clockClasses[0]}
	}
	n -= 2
	c := SpokenClock{Direction: "ahead"}
	if n >= len(clockClasses) {
		n, c.Direction = n-len(clockClasses), "behind"
	}
	c.From = clockClasses[n]
	if n+1 < len(clockClasses) {
		c.To = clockClasses[n+1]
	}
	return c
}

// String says it in a line for support: "Chrome 156 on Windows, script tier
// (stalled); clock 1–10 minutes behind; said: session_lost; found:
// cookies-blocked (sure), clock-wrong".
func (s Spoken) String() string {
	browser, system := s.Browser, s.System
	if browser == "" {
		browser = "browser not told"
	}
	if s.Major > 0 {
		browser += " " + strconv.Itoa(s.Major)
	}
	if s.Major == majors-1 {
		browser += " or newer"
	}
	if system == "" {
		system = "system not told"
	}
	how := string(s.Tier) + " tier"
	if s.Tier == "" {
		how = "tier not told"
	}
	if s.TierReason != evidence.NoReason {
		how += " (" + string(s.TierReason) + ")"
	}
	found := slices.Clone(s.Findings)
	if len(found) == 0 {
		found = []string{"nothing"}
	} else {
		found[0] += " (" + string(s.Sureness) + ")"
	}
	if s.More {
		found = append(found, "and more")
	}
	return browser + " on " + system + ", " + how + "; " + s.Clock.String() +
		"; said: " + string(s.Outcome) + "; found: " + strings.Join(found, ", ")
}

// String says it in words, as in "clock 1–10 minutes behind".
func (c SpokenClock) String() string {
	switch {
	case c == SpokenClock{}:
		return "clock not measured"
	case c.Direction == "":
		return "clock right to " + length(c.To)
	case c.To == 0:
		return "clock more than " + length(c.From) + " " + c.Direction
	}
	from, to := length(c.From), length(c.To)
	number, unit, _ := strings.Cut(from, " ")
	if _, same, _ := strings.Cut(to, " "); strings.TrimSuffix(unit, "s") == strings.TrimSuffix(same, "s") {
		from = number
	}
	return "clock " + from + "–" + to + " " + c.Direction
}

// length says so many seconds in the largest unit that fits.
func length(seconds float64) string {
	for _, unit := range []struct {
		seconds float64
		name    string
	}{{86_400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}} {
		if n := seconds / unit.seconds; n >= 1 {
			name := unit.name
			if n != 1 {
				name += "s"
			}
			return strconv.FormatFloat(n, 'f', -1, 64) + " " + name
		}
	}
	return "0 seconds"
}
