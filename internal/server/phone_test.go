package server

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

const (
	androidPhone = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36"
	iPhone       = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
)

func TestPhone_isAClockWithoutScripts(t *testing.T) {
	o := testOptions(t)
	o.Config.Site.Name = "Example Clinic"
	h := testServer(t, o).handler()
	for agent, menu := range map[string]string{androidPhone: "Automatic date and time", iPhone: "Set Automatically", "": "Open the date and time settings of this device."} {
		got := ask(h, "GET", "/latchkey/phone", "User-Agent", agent)
		body := bodyOf(t, got)
		assert.Equal(t, 200, got.StatusCode)
		assert.NotContains(t, got.Header.Get("Content-Security-Policy"), "wasm", "nothing of the widget runs here")
		assert.Equal(t, "12:00:00", elements(t, body, withID("latchkey-server-time"))[0].FirstChild.Data)
		assert.Equal(t, "UTC", elements(t, body, withID("latchkey-utc"))[0].FirstChild.Data)
		assert.Contains(t, body, "The time at Example Clinic:")
		assert.Contains(t, body, menu, agent)
		assert.NotContains(t, body, ".wasm")
		assert.Less(t, len(body), 6<<10)
		for _, n := range elements(t, body, func(n *html.Node) bool { return n.Data == "script" && n.FirstChild != nil }) {
			assert.Equal(t, "application/json", attr(n, "type"), "no script stands in the page")
		}
	}
}

func phoneTold(t *testing.T, body string) (c phoneConfig) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(elements(t, body, withID("latchkey-phone-config"))[0].FirstChild.Data), &c))
	return c
}

func TestPhone_tellsItsScriptAllWords(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	c := phoneTold(t, bodyOf(t, ask(h, "GET", "/latchkey/phone?pair=7k3fq2m9")))
	assert.Equal(t, "/latchkey", c.Base)
	assert.Equal(t, "7K3F-Q2M9", c.Code)
	assert.Equal(t, "This phone's clock is {size} {direction}", c.Words["wrong"])
	assert.Equal(t, "ahead", c.Words["ahead"])
	for name, words := range c.Words {
		assert.NotRegexp(t, `^(ui|word)\.`, words, name)
	}
	assert.Equal(t, phoneUnit{Seconds: 1, Words: "{n} seconds", One: "1 second"}, c.Units[len(c.Units)-1])
	assert.Contains(t, c.Units, phoneUnit{Seconds: 3600, Words: "{n} hours", One: "1 hour"})
	for _, code := range []string{"", "7K3F-Q2M", `7K3F"><b>`, "<script>"} {
		body := bodyOf(t, ask(h, "GET", "/latchkey/phone?pair="+strings.ReplaceAll(code, "<", "%3C")))
		assert.Empty(t, phoneTold(t, body).Code, "%s: then there is nobody to send to", code)
		assert.Empty(t, elements(t, body, func(n *html.Node) bool { return n.Data == "b" }))
	}
}

func TestPage_offersThePhoneCheckWhereACodeWasRefused(t *testing.T) {
	h := testServer(t, testOptions(t)).handler()
	body := bodyOf(t, ask(h, "GET", "/latchkey/?outcome=mfa_rejected"))
	require.Len(t, elements(t, body, withID("latchkey-phone")), 1)
	assert.Equal(t, "http://example.com/latchkey/phone", elements(t, body, withID("latchkey-phone-address"))[0].FirstChild.Data)
	assert.Equal(t, "12:00:00", elements(t, body, withID("latchkey-server-time"))[0].FirstChild.Data)
	assert.Equal(t, "/latchkey/static/pair.0123456789ab.js", attr(elements(t, body, withID("latchkey-phone-summary"))[0], "data-script"))
	assert.Regexp(t, `^[Mhm0-9 .]+$`, attr(elements(t, body, withID("latchkey-phone-qr-path"))[0], "d"))

	assert.Empty(t, elements(t, bodyOf(t, ask(h, "GET", "/latchkey/?outcome=account_locked")), withID("latchkey-phone")))
	fragment := post(h, "/latchkey/diagnose", "text/html", `{"host":{"outcome":{"value":"mfa_rejected"}}}`).Body.String()
	assert.Len(t, elements(t, fragment, withID("latchkey-phone-qr")), 1)
	fragment = post(h, "/latchkey/diagnose", "text/html", `{"host":{"outcome":{"value":"mfa_rejected"}},"clock":{"phone":{"value":{"lo":0,"hi":1}}}}`).Body.String()
	assert.Empty(t, elements(t, fragment, withID("latchkey-phone")), "it was found right")
}
