package evidence

import "encoding/json"

// Identity is what each channel says of who the browser is. Package agent makes
// one Browser of them; they themselves stay where they are looked at.
type Identity struct {
	// Request is what came with the request for the page.
	Request Fact[Claim] `json:"request,omitzero" send:"no"`
	// Package is the Android package of the app whose view asked, from
	// X-Requested-With; absent in browsers.
	Package Fact[string] `json:"package,omitzero" send:"no"`
	// Script is what navigator says.
	Script Fact[Claim] `json:"script,omitzero" send:"no"`
	// Traits is how the browser behaves, whatever it says.
	Traits Fact[Traits] `json:"traits,omitzero" send:"no"`
}

// Claim is what one channel says of the browser.
type Claim struct {
	// Agent is the user agent, at most 2 KiB of it.
	Agent string `json:"agent"`
	// Hints are client hints by the name of their header in lower case, with
	// the header's value, also where a script told them.
	Hints map[string]string `json:"hints,omitempty"`
}

// Traits are properties that an engine has whatever it says of itself.
type Traits struct {
	// Has names the objects and properties that looks.js looks for and found.
	Has Names `json:"has"`
	// Features names the features that work.
	Features Names `json:"features"`
	// Insecure is whether the page is no secure context, in which browsers hide
	// features.
	Insecure bool `json:"insecure,omitempty"`
	// ToFixed is the length of the text of the RangeError that (1).toFixed(-1)
	// throws: 51 in Blink, 25 in Gecko, 43 or 44 in WebKit (Chromium 156,
	// Firefox 153, WebKitGTK 2.50, seen 2026-11).
	ToFixed int    `json:"to_fixed,omitempty"`
	Vendor  string `json:"vendor,omitempty"`
	// Platform is navigator.platform.
	Platform string `json:"platform,omitempty"`
	// Touch is navigator.maxTouchPoints.
	Touch int `json:"touch,omitempty"`
	// Screen is the shorter side of the screen in CSS pixels.
	Screen int `json:"screen,omitempty"`
}

// Names are words from a fixed list.
type Names []string

// What a page may say of a browser, in bytes and entries: anybody may write it.
const (
	agentLimit = 2048
	hintsLimit = 12
	namesLimit = 80
)

// UnmarshalJSON cuts off what is too long.
func (c *Claim) UnmarshalJSON(data []byte) error {
	type plain Claim
	if err := json.Unmarshal(data, (*plain)(c)); err != nil {
		return err
	}
	c.Agent = clip(c.Agent, agentLimit)
	if len(c.Hints) > hintsLimit {
		c.Hints = nil
	}
	for k, v := range c.Hints {
		c.Hints[k] = clip(v, valueLimit)
	}
	return nil
}

// UnmarshalJSON cuts off what is too long.
func (t *Traits) UnmarshalJSON(data []byte) error {
	type plain Traits
	if err := json.Unmarshal(data, (*plain)(t)); err != nil {
		return err
	}
	t.Vendor, t.Platform = clip(t.Vendor, noteLimit), clip(t.Platform, noteLimit)
	return nil
}

// UnmarshalJSON keeps the first 80 names, and 60 bytes of each.
func (n *Names) UnmarshalJSON(data []byte) error {
	var in []string
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	in = in[:min(len(in), namesLimit)]
	for i, s := range in {
		in[i] = clip(s, noteLimit)
	}
	*n = in
	return nil
}
