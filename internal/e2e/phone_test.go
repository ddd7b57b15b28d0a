//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
)

// smallPhone is an Android phone of the narrowest kind.
func smallPhone() drive.Device {
	d := drive.Pixel()
	d.Width, d.Height, d.Scale = 360, 740, 2
	return d
}

// readCode reads the QR code that a part of a page shows, off the screen as a camera
// does.
func readCode(t *testing.T, p drive.Page, part string) string {
	t.Helper()
	return scanned(t, p, widget+`.getElementById("latchkey-`+part+`-qr")`)
}

// scanned is what the QR code says that an expression finds.
func scanned(t *testing.T, p drive.Page, element string) string {
	t.Helper()
	do(t, p, element+`.scrollIntoView(false)`)
	at := read[struct{ Left, Top, Right, Bottom, Scale float64 }](t, p, `(function () {
		var box = `+element+`.getBoundingClientRect();
		return {left: box.left, top: box.top, right: box.right, bottom: box.bottom, scale: devicePixelRatio};
	})()`)
	shot, err := p.Screenshot(t.Context())
	require.NoError(t, err)
	screen, err := png.Decode(bytes.NewReader(shot))
	require.NoError(t, err)
	pixel := func(css float64) int { return int(math.Round(css * at.Scale)) }
	code := screen.(interface {
		SubImage(image.Rectangle) image.Image
	}).SubImage(image.Rect(pixel(at.Left), pixel(at.Top), pixel(at.Right), pixel(at.Bottom)))
	bitmap, err := gozxing.NewBinaryBitmapFromImage(code)
	require.NoError(t, err)
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	require.NoError(t, err, "no QR code can be read")
	return found.GetText()
}

// status waits until the widget's part about the phone says something.
func status(t *testing.T, p drive.Page, says string) {
	t.Helper()
	wait(t, p, widget+`.getElementById("latchkey-phone-status").textContent === "`+says+`"`)
}

// state waits until the phone's page has compared the clocks.
func state(t *testing.T, p drive.Page, want string) (text string) {
	t.Helper()
	wait(t, p, `document.documentElement.getAttribute("data-latchkey-phone") === "`+want+`"`)
	return read[string](t, p, `document.body.innerText`)
}

// picture keeps what a page looks like, for who wants to see it.
func picture(t *testing.T, p drive.Page, name string) {
	t.Helper()
	dir := os.Getenv("LATCHKEY_PICTURES")
	if dir == "" {
		return
	}
	shot, err := p.Screenshot(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+"/"+name+".png", shot, 0o644))
}

// forEverybody holds a phone's page to be for everybody, in both themes.
func forEverybody(t *testing.T, tab *drive.Tab, state string) {
	t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		require.NoError(t, tab.CallAll(t.Context(), "Emulation.setEmulatedMedia", map[string]any{
			"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
		}))
		picture(t, tab, state+" "+scheme)
		assert.Empty(t, newAuditor(t, tab).faults(t), "%s, %s", state, scheme)
	}
}

// asked counts what is asked of the pairing.
type asked struct{ made, brought, fetched atomic.Int32 }

func (a *asked) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasPrefix(r.URL.Path, "/latchkey/pair"):
		case r.URL.Path == "/latchkey/pair":
			a.made.Add(1)
		case r.Method == "POST":
			a.brought.Add(1)
		default:
			a.fetched.Add(1)
		}
		next.ServeHTTP(w, r)
	})
}

func TestPhone(t *testing.T) {
	var asked asked
	var known atomic.Bool // that the server's own clock is two minutes ahead
	site := startSite(t, asked.count, changed("/latchkey/phone", func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
		body := answer.Body.Bytes()
		if known.Load() {
			body = bytes.Replace(body, []byte(`"server":{"state":"absent"}`), []byte(`"server":{"state":"ok","value":{"lo":120000,"hi":120000,"by":"ntp","voices":3}}`), 1)
		}
		send(w, answer, body)
	}))
	clock := drive.NewClock(t, -2*time.Minute)
	phone := drive.OpenChromium(t, drive.Options{Env: clock.Env()})
	require.NoError(t, phone.Emulate(t.Context(), smallPhone()))

	for _, c := range []struct {
		tier    string
		options drive.Options
	}{
		{"wasm", drive.Options{}},
		{"script", drive.Options{Flags: jitless.Flags}},
	} {
		t.Run(c.tier, func(t *testing.T) {
			require.NoError(t, clock.Set(-2*time.Minute))
			asked.brought.Store(0)
			desk := drive.OpenChromium(t, c.options)
			l := open(t, desk, site.page("outcome=mfa_rejected"))
			requireWhole(t, l)
			require.Equal(t, c.tier, l.Tier)
			require.Equal(t, "account-code-rejected", l.top())
			require.Equal(t, "set-phone-clock", l.Fixes[0])
			require.Contains(t, l.Text, "Check the phone's clock")

			made := asked.made.Load()
			require.NoError(t, desk.Click(t.Context(), "#latchkey-phone-summary"))
			status(t, desk, "Waiting for the phone.")
			assert.Equal(t, made+1, asked.made.Load(), "a pairing for who wants one")
			address := readCode(t, desk, "phone")
			picture(t, desk, "desk-"+c.tier)
			u, err := url.Parse(address)
			require.NoError(t, err)
			assert.Equal(t, site.URL+"/latchkey/phone", site.URL+u.Path)
			assert.Regexp(t, `^pair=\w{4}-\w{4}$`, u.RawQuery)
			assert.Equal(t, address, read[string](t, desk, widget+`.getElementById("latchkey-phone-address").textContent`))
			runs := read[string](t, desk, widget+`.getElementById("latchkey-server-time").textContent`)
			wait(t, desk, widget+`.getElementById("latchkey-server-time").textContent !== "`+runs+`"`)

			visit(t, phone, address)
			says := state(t, phone, "wrong")
			picture(t, phone, "phone-wrong")
			assert.Contains(t, says, "This phone's clock is 2 minutes behind")
			assert.Contains(t, says, "Automatic date and time", "as the clock of an Android phone is set")
			assert.Contains(t, says, "Send this result to the other screen?")
			assert.Empty(t, complaints(t, phone))
			forEverybody(t, phone, "the phone's page")

			before := asked.fetched.Load()
			eventually(t, "the desk asks", func() bool { return asked.fetched.Load() > before })
			assert.Zero(t, asked.brought.Load(), "nothing is sent before the person says so")
			status(t, desk, "Waiting for the phone.")

			require.NoError(t, phone.Click(t.Context(), "#latchkey-send"))
			wait(t, phone, `document.getElementById("latchkey-sent").textContent === "Sent. Go on at the other screen."`)
			assert.True(t, read[bool](t, phone, `document.getElementById("latchkey-phone-send").hidden`))

			wait(t, desk, widget+`.querySelector("[data-finding=clock-phone-wrong]") !== null`)
			l = settled(t, desk)
			requireWhole(t, l)
			picture(t, desk, "desk-"+c.tier+"-wrong")
			assert.Equal(t, c.tier, l.Tier)
			assert.Equal(t, "clock-phone-wrong", l.top(), "by itself")
			assert.Equal(t, "set-phone-clock", l.Fixes[0])
			f := finding(t, l, "clock-phone-wrong")
			assert.InDelta(t, -120, f.Args["offset"], 2)
			assert.Equal(t, diag.Sure, f.Sureness)
			assert.Equal(t, []string{"clock-phone-wrong"}, finding(t, l, "account-code-rejected").Because)
			requireSameJudgement(t, site, l)

			if c.tier == "script" {
				return // what comes now goes the same way
			}

			// The person sets the clock and comes back to the page.
			require.NoError(t, clock.Set(0))
			do(t, phone, `document.dispatchEvent(new Event("visibilitychange"))`)
			says = state(t, phone, "right")
			picture(t, phone, "phone-right")
			assert.Contains(t, says, "Now this phone's clock is right")
			assert.NotContains(t, says, "Automatic date and time")
			require.NoError(t, phone.Click(t.Context(), "#latchkey-send"))
			wait(t, desk, widget+`.querySelector("[data-finding=clock-phone-wrong]") === null`)
			l = settled(t, desk)
			requireWhole(t, l)
			assert.Equal(t, "account-code-rejected", l.top())
			assert.NotContains(t, l.Fixes, "set-phone-clock")
			assert.Contains(t, l.Report.Passed, "clock-phone-wrong")
			quiet(t, l)
		})
	}

	t.Run("a code that has run out", func(t *testing.T) {
		require.NoError(t, clock.Set(45*time.Second))
		visit(t, phone, site.URL+"/latchkey/phone?pair=0000-0000")
		says := state(t, phone, "near")
		picture(t, phone, "phone-near")
		assert.Contains(t, says, "This phone's clock is 45 seconds ahead")
		require.NoError(t, phone.Click(t.Context(), "#latchkey-send"))
		wait(t, phone, `document.getElementById("latchkey-sent").textContent === "This code has run out. Make a new one on the other screen."`)
	})
	t.Run("a server that is wrong itself", func(t *testing.T) {
		require.NoError(t, clock.Set(0))
		site.later.Store(int64(2 * time.Minute))
		defer site.later.Store(0)
		visit(t, phone, site.URL+"/latchkey/phone")
		state(t, phone, "wrong")
		known.Store(true)
		defer known.Store(false)
		visit(t, phone, site.URL+"/latchkey/phone")
		state(t, phone, "right")
	})
	t.Run("without a pairing", func(t *testing.T) {
		require.NoError(t, clock.Set(0))
		visit(t, phone, site.URL+"/latchkey/phone")
		says := state(t, phone, "right")
		assert.Contains(t, says, "This phone's clock is right\n")
		assert.NotContains(t, says, "Send")
	})
}

// What stands in the way of the comparison is told, and no phone blamed for it.
func TestPhone_thatCannotCompare(t *testing.T) {
	var slow atomic.Bool
	site := startSite(t, instead("/latchkey/pair", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }),
		func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/latchkey/clock" && !slow.Load() {
					w.WriteHeader(http.StatusBadGateway)
					return
				}
				next.ServeHTTP(w, r)
			})
		})
	phone := drive.OpenChromium(t, drive.Options{})
	require.NoError(t, phone.Emulate(t.Context(), smallPhone()))
	visit(t, phone, site.URL+"/latchkey/phone?pair=0000-0000")
	says := state(t, phone, "unknown")
	picture(t, phone, "phone-unknown")
	assert.Contains(t, says, "We couldn't compare the clocks")
	assert.Contains(t, says, "UTC")
	assert.NotContains(t, says, "Send")

	l := open(t, phone, site.page("outcome=mfa_rejected"))
	requireWhole(t, l)
	require.NoError(t, phone.Click(t.Context(), "#latchkey-phone-summary"))
	status(t, phone, "The phone's answer can't come here by itself now. The code still opens the page.")
	assert.Equal(t, site.URL+"/latchkey/phone", readCode(t, phone, "phone"), "without a pairing")
	picture(t, phone, "widget-phone")
}

func TestPhone_withoutScripts(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{Prefs: blocked("javascript")})
	require.NoError(t, tab.Emulate(t.Context(), smallPhone()))
	for _, scheme := range []string{"light", "dark"} {
		require.NoError(t, tab.Call(t.Context(), "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]any{{"name": "prefers-color-scheme", "value": scheme}}}, nil))
		visit(t, tab, site.URL+"/latchkey/phone?pair=0000-0000")
		says := state(t, tab, "unknown")
		picture(t, tab, "phone-noscript-"+scheme)
		assert.Regexp(t, `\d\d:\d\d:\d\d UTC`, says)
		assert.Contains(t, says, "This was the time when this page was opened.")
		assert.Contains(t, says, "Automatic date and time")
		assert.NotContains(t, says, "Send")

		visit(t, tab, site.page("outcome=mfa_rejected&look=noscript"))
		require.NoError(t, tab.Click(t.Context(), "#latchkey-phone-summary"))
		assert.Equal(t, site.URL+"/latchkey/phone", readCode(t, tab, "phone"), "dark on light in every theme")
		picture(t, tab, "widget-noscript-"+scheme)
		assert.Contains(t, read[string](t, tab, `document.body.innerText`), "This was the time when this page was opened.")
	}
}

// The scripts are there for the oldest engines: this one of 2016 has no toggle event.
func TestPhone_oldEngine(t *testing.T) {
	site := startSite(t)
	page := drive.Open(t, drive.QtWebKit, drive.Options{})
	visit(t, page, site.URL+"/latchkey/phone?pair=0000-0000")
	state(t, page, "right")
	do(t, page, `document.getElementById("latchkey-send").click()`)
	wait(t, page, `document.getElementById("latchkey-sent").textContent === "This code has run out. Make a new one on the other screen."`)

	l := open(t, page, site.page("outcome=mfa_rejected"))
	requireWhole(t, l)
	do(t, page, widget+`.getElementById("latchkey-phone-summary").click()`)
	status(t, page, "Waiting for the phone.")
	assert.Regexp(t, `/phone\?pair=\w{4}-\w{4}$`, read[string](t, page, widget+`.getElementById("latchkey-phone-address").textContent`))
}

// In a login page on a phone the frame opens below the form while a person types: with
// the keyboard over half of the screen they keep the field that they are in, nothing
// scrolls sideways, and what there is to do can be scrolled to and pressed.
func TestPhone_frameUnderTheKeyboard(t *testing.T) {
	site := startSite(t)
	tab := drive.OpenChromium(t, drive.Options{})
	phone := drive.Pixel()
	phone.Width, phone.Height = 360, 640
	require.NoError(t, tab.Emulate(t.Context(), phone))
	keyboard := func(height int) {
		phone.Height = height
		require.NoError(t, tab.Emulate(t.Context(), phone))
		wait(t, tab, fmt.Sprintf("innerHeight === %d", height))
	}
	signIn(t, tab, site, "account_locked")
	require.NoError(t, tab.Click(t.Context(), "#username"))
	keyboard(300)
	// As browsers do when their keyboard comes; an emulated one does not.
	do(t, tab, `document.getElementById("username").scrollIntoView({block: "center"})`)
	top := `document.getElementById("username").getBoundingClientRect().top`
	was := read[float64](t, tab, top)
	settled(t, tab)
	fits(t, tab)

	assert.Equal(t, "username", read[string](t, tab, focused), "the answer came while a person typed")
	assert.InDelta(t, was, read[float64](t, tab, top), 1, "the field stays where it was")
	assert.False(t, read[bool](t, tab, `document.documentElement.scrollWidth > innerWidth`))

	do(t, tab, widget+`.getElementById("latchkey-again-button").scrollIntoView({block: "center"})`)
	at := read[struct{ Top, Bottom, Left, Right float64 }](t, tab, `(function () {
		var f = document.querySelector("iframe").getBoundingClientRect(), b = `+widget+`.getElementById("latchkey-again-button").getBoundingClientRect();
		return {top: f.top + b.top, bottom: f.top + b.bottom, left: f.left + b.left, right: f.left + b.right};
	})()`)
	assert.True(t, at.Top >= 0 && at.Bottom <= 300 && at.Left >= 0 && at.Right <= 360, "%+v", at)
	assert.GreaterOrEqual(t, at.Bottom-at.Top, 44.0)
	picture(t, tab, "keyboard")
	keyboard(640)
	fits(t, tab)
	assert.False(t, read[bool](t, tab, `document.documentElement.scrollWidth > innerWidth`))
}
