//go:build unix

package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
)

// extension is one of the test's own, for Chromium.
type extension struct {
	// rules are of declarativeNetRequest, and need no id.
	rules []netRule

	// sets are files with more rules.
	sets []string

	// script runs in the page's own world, in every frame and before the page's
	// scripts.
	script string

	// hides are CSS selectors of what it hides.
	hides []string
}

// netRule is a rule of declarativeNetRequest.
type netRule map[string]any

// blocking is a rule that lets no request pass whose address has the filter.
func blocking(filter string) netRule {
	return netRule{
		"condition": map[string]any{"urlFilter": filter, "resourceTypes": []string{"sub_frame", "stylesheet", "script", "image", "xmlhttprequest", "ping", "websocket", "other"}},
		"action":    map[string]any{"type": "block"},
	}
}

// stubbing is a rule that gives an empty script instead, as the surrogates of
// content blockers are: it loads and defines nothing that the page needs.
func stubbing(filter string) netRule {
	return netRule{
		"condition": map[string]any{"urlFilter": filter, "resourceTypes": []string{"script"}},
		"action":    map[string]any{"type": "redirect", "redirect": map[string]any{"extensionPath": "/stub.js"}},
	}
}

// strippingCookies is a rule that takes the headers of cookies away.
func strippingCookies() netRule {
	return netRule{
		"condition": map[string]any{"urlFilter": "*", "resourceTypes": []string{"main_frame", "sub_frame", "xmlhttprequest", "script", "other"}},
		"action": map[string]any{
			"type":            "modifyHeaders",
			"requestHeaders":  []map[string]string{{"header": "cookie", "operation": "remove"}},
			"responseHeaders": []map[string]string{{"header": "set-cookie", "operation": "remove"}},
		},
	}
}

// What some extensions do to a page, as script of an extension.
const (
	renamesInputs = `addEventListener("DOMContentLoaded", function () {
		document.querySelectorAll("input[name]").forEach(function (n) { n.name = "x-" + n.name; });
	});`
	changesAction = `addEventListener("DOMContentLoaded", function () {
		document.querySelectorAll("form").forEach(function (n) { n.action = "/elsewhere"; });
	});`
	wrapsFetch = `(function (real) { window.fetch = function () { return real.apply(window, arguments); }; })(window.fetch);`
)

// extensionIsOn is what every extension blocks, to show that it works.
const extensionIsOn = "/extension-is-on"

// openExtension opens Chromium with an extension and returns when that works.
// Where options are given, their flags are kept.
func openExtension(t *testing.T, x extension, options ...drive.Options) *drive.Tab {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, content any) {
		text, err := json.Marshal(content)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	everywhere := []string{"<all_urls>"}
	manifest := map[string]any{
		"manifest_version": 3, "name": "of a test", "version": "1",
		"permissions": []string{"declarativeNetRequest"}, "host_permissions": everywhere,
		"web_accessible_resources": []any{map[string]any{"resources": []string{"stub.js"}, "matches": everywhere}},
		"content_scripts": []any{map[string]any{
			"js": []string{"script.js"}, "css": []string{"style.css"}, "world": "MAIN", "run_at": "document_start",
			"all_frames": true, "match_about_blank": true, "matches": everywhere,
		}},
	}
	var style strings.Builder
	for _, selector := range x.hides {
		style.WriteString(selector + " { display: none !important }\n") // one each: a browser ignores those that it does not know
	}
	for name, text := range map[string]string{"stub.js": "", "script.js": x.script, "style.css": style.String()} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	rules := []netRule{}
	for i, r := range append(x.rules, blocking(extensionIsOn)) {
		r = maps.Clone(r)
		r["id"] = i + 1
		rules = append(rules, r)
	}
	write("rules.json", rules)
	resources := []any{map[string]any{"id": "own", "enabled": true, "path": "rules.json"}}
	for _, set := range x.sets {
		name := filepath.Base(set)
		text, err := os.ReadFile(set) // a link out of its directory is not followed
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
		resources = append(resources, map[string]any{"id": name, "enabled": true, "path": name})
	}
	manifest["declarative_net_request"] = map[string]any{"rule_resources": resources}
	write("manifest.json", manifest)

	var o drive.Options
	if len(options) > 0 {
		o = options[0]
	}
	o.Flags = append(o.Flags, "--load-extension="+dir, "--disable-features=DisableLoadExtensionCommandLineSwitch")
	tab := drive.OpenChromium(t, o)
	require.NoError(t, drive.WaitBlocked(t.Context(), tab, extensionIsOn))
	return tab
}

// A plain page sees what an extension of a test's own does, and nothing of it
// without that.
func TestRig_extension(t *testing.T) {
	t.Parallel()
	at := startPlain(t)
	form := `[document.forms[0].getAttribute("action"), document.forms[0].elements[0].name, / fetch\(\) \{ \[native code/.test(Function.prototype.toString.call(fetch))]`
	untouched := []any{"/in", "username", true}
	for name, c := range map[string]struct {
		extension
		sees map[string]any
		form []any
	}{
		"none":         {sees: but(), form: untouched},
		"blocks":       {extension{rules: []netRule{blocking("||captcha.localhost^"), blocking("/frame")}}, but("captcha", "error", "frame", nil), untouched},
		"stubs":        {extension{rules: []netRule{stubbing("||captcha.localhost^")}}, but("captcha", "stub"), untouched},
		"renames":      {extension{script: renamesInputs}, but(), []any{"/in", "x-username", true}},
		"sends astray": {extension{script: changesAction}, but(), []any{"/elsewhere", "username", true}},
		"wraps fetch":  {extension{script: wrapsFetch}, but(), []any{"/in", "username", false}},
	} {
		t.Run(name, func(t *testing.T) {
			var tab *drive.Tab
			if name == "none" {
				tab = drive.OpenChromium(t, drive.Options{})
			} else {
				tab = openExtension(t, c.extension)
			}
			visit(t, tab, at("login.localhost"))
			sees(t, tab, c.sees)
			assert.Equal(t, c.form, read[[]any](t, tab, form))
			assert.True(t, read[bool](t, tab, adShown))
		})
	}
}

// adGuard is an extension with the rules of AdGuard against ads and trackers and
// for privacy in social networks, as its own for Chromium has them, and hides
// what its list against ads hides on every site. Chromium takes some 5 s more to
// start with it.
func adGuard(t *testing.T) extension {
	t.Helper()
	var x extension
	for _, set := range []string{"ruleset_2", "ruleset_3", "ruleset_4"} {
		x.sets = append(x.sets, nodeModule(t, "@adguard/dnr-rulesets/dist/filters/declarative/"+set+"/"+set+".json"))
	}
	// The list itself is in the first rule.
	file, err := os.Open(x.sets[0])
	require.NoError(t, err)
	defer file.Close()
	var first struct {
		Metadata struct{ RawFilterList string }
	}
	list := json.NewDecoder(file)
	_, err = list.Token()
	require.NoError(t, err)
	require.NoError(t, list.Decode(&first))
	for line := range strings.Lines(first.Metadata.RawFilterList) {
		if selector, everywhere := strings.CutPrefix(strings.TrimSpace(line), "##"); everywhere {
			x.hides = append(x.hides, selector)
		}
	}
	require.Greater(t, len(x.hides), 10_000)
	return x
}

// A plain page sees what AdGuard blocks.
func TestRig_adGuard(t *testing.T) {
	t.Parallel()
	at := startPlain(t)
	tab := openExtension(t, adGuard(t))
	visit(t, tab, at("login.localhost"))
	sees(t, tab, but("bait", "error", "fetch", "error"))
	assert.False(t, read[bool](t, tab, adShown))
}
