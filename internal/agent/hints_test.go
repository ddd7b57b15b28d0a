package agent

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReadHints_tellsMoreThanTheUserAgent(t *testing.T) {
	chrome := Agent{Browser: "Chrome", Major: "137", Version: "137.0.0.0", OS: "Windows", OSVersion: "10", Device: "desktop", Engine: "Blink"}
	with := func(a Agent, change func(*Agent)) Agent { change(&a); return a }
	const ua = windowsUA + "Chrome/137.0.0.0 Safari/537.36"
	const mobile = androidUA + "Chrome/137.0.0.0 Mobile Safari/537.36"
	phone := Agent{Browser: "Chrome", Major: "137", Version: "137.0.0.0", OS: "Android", OSVersion: "10.0", Device: "phone", Engine: "Blink"}

	for _, c := range []struct {
		name, ua string
		hints    Hints
		want     Agent
	}{
		{"no hints", ua, nil, chrome},
		{"the three that come unasked", ua, Hints{"sec-ch-ua": `"Chromium";v="137", "Google Chrome";v="137", "Not/A)Brand";v="24"`, "sec-ch-ua-mobile": "?0", "sec-ch-ua-platform": `"Windows"`}, chrome},
		{"nonsense is nonsense in any spelling", ua, Hints{"sec-ch-ua": `" Not;A Brand";v="99", "Not=A?Brand";v="8", "\\Not\"A;Brand";v="99"`}, chrome},
		{"Windows 11", ua, Hints{"sec-ch-ua-platform": `"Windows"`, "sec-ch-ua-platform-version": `"15.0.0"`}, with(chrome, func(a *Agent) { a.OSVersion = "11" })},
		{"Windows 10", ua, Hints{"sec-ch-ua-platform": `"Windows"`, "sec-ch-ua-platform-version": `"10.0.0"`}, chrome},
		{"Windows 8.1", ua, Hints{"sec-ch-ua-platform": `"Windows"`, "sec-ch-ua-platform-version": `"0.3.0"`}, with(chrome, func(a *Agent) { a.OSVersion = "8.1" })},
		{"Brave", ua, Hints{"sec-ch-ua": `"Chromium";v="137", "Brave";v="137", "Not;A=Brand";v="99"`}, with(chrome, func(a *Agent) { a.Browser, a.Version = "Brave", "137" })},
		{"the whole number", ua, Hints{"sec-ch-ua": `"Google Chrome";v="137"`, "sec-ch-ua-full-version-list": `"Chromium";v="137.0.7151.104", "Google Chrome";v="137.0.7151.104", "Not/A)Brand";v="24.0.0.0"`},
			with(chrome, func(a *Agent) { a.Version = "137.0.7151.104" })},
		{"an Android that is not 10", mobile, Hints{"sec-ch-ua-mobile": "?1", "sec-ch-ua-platform": `"Android"`, "sec-ch-ua-platform-version": `"15.0.0"`, "sec-ch-ua-model": `"Pixel 8"`},
			with(phone, func(a *Agent) { a.OSVersion = "15.0" })},
		{"a tablet by its model", mobile, Hints{"sec-ch-ua-mobile": "?1", "sec-ch-ua-platform": `"Android"`, "sec-ch-ua-model": `"SM-T870"`}, with(phone, func(a *Agent) { a.Device = "tablet" })},
		{"a tablet by its form", mobile, Hints{"sec-ch-ua-form-factors": `"Mobile", "Tablet"`}, with(phone, func(a *Agent) { a.Device = "tablet" })},
		{"a view by its brand", mobile, Hints{"sec-ch-ua": `"Android WebView";v="137", "Chromium";v="137", "Not/A)Brand";v="24"`},
			with(phone, func(a *Agent) { a.Browser, a.Version, a.InApp = "Android WebView", "137", true })},
		{"Opera keeps its own number", ua + " OPR/123.0.0.0", Hints{"sec-ch-ua": `"Chromium";v="137", "Not/A)Brand";v="24"`},
			with(chrome, func(a *Agent) { a.Browser, a.Major, a.Version = "Opera", "123", "123.0.0.0" })},
		{"broken fields were not sent", ua, Hints{"sec-ch-ua": `"Brave`, "sec-ch-ua-platform": `Linux"`, "sec-ch-ua-mobile": "yes", "sec-ch-ua-platform-version": "15"}, chrome},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, ReadHints(c.ua, c.hints)) })
	}
}

func TestParseList_followsTheGrammar(t *testing.T) {
	for in, want := range map[string][]brand{
		``:                            nil,
		`"a"`:                         {{"a", ""}},
		`"a";v="1","b" ; v=2;x , "c"`: {{"a", "1"}, {"b", "2"}, {"c", ""}},
		`"\"\\";v="\""`:               {{`"\`, `"`}},
		`"a",`:                        nil,
		`"a" "b"`:                     nil,
		`"\a"`:                        nil,
		"\"\x80\"":                    nil,
		`a;v="1"`:                     nil,
		`"a";;"b"`:                    nil,
	} {
		assert.Equal(t, want, parseList(in), "%q", in)
	}
}
