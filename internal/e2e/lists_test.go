//go:build unix

package e2e

import (
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
	"latchkey/internal/server"
	"latchkey/internal/store"
	"latchkey/web"
)

// inquiry is what a content blocker decides on.
type inquiry struct {
	URL  string `json:"url"`
	Type string `json:"type"`      // as webRequest names it
	Page string `json:"sourceUrl"` // that asks for it
}

// matcher answers, for each inquiry on its standard input, with the filter that
// blocks it or "". Lists that are off by default are left out.
const matcher = `
const fs = require("fs"), { FiltersEngine, Request } = require("@ghostery/adblocker");
const dir = process.argv[1] + "/", known = JSON.parse(fs.readFileSync(dir + "assets/assets.json"));
const lists = Object.values(known).filter(a => a.content === "filters" && !a.off)
	.map(a => [].concat(a.contentURL).find(u => /^assets/.test(u) && fs.existsSync(dir + u)));
if (lists.length < 5 || lists.includes(undefined)) throw new Error("not the lists that it had: " + lists);
const engine = FiltersEngine.parse(lists.map(f => fs.readFileSync(dir + f, "utf8")).join("\n"), {
	debug: true, enableOptimizations: false, loadCosmeticFilters: false
});
console.log(JSON.stringify(JSON.parse(fs.readFileSync(0)).map(ask => {
	const m = engine.match(Request.fromRawDetails(ask));
	return m.match ? String(m.filter) : "";
})));`

// filtersOf tells by which filter of uBlock Origin's lists each inquiry is
// blocked, or "".
func filtersOf(t *testing.T, asks []inquiry) (filters []string) {
	t.Helper()
	nodeModule(t, "@ghostery/adblocker/package.json")
	require.DirExists(t, drive.UBlockPath, "run: make deps (apt-get install webext-ublock-origin-firefox)")
	stdin, err := json.Marshal(asks)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "node", "-e", matcher, drive.UBlockPath)
	cmd.Stdin = strings.NewReader(string(stdin))
	cmd.Stderr = t.Output()
	stdout, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(stdout, &filters))
	require.Len(t, filters, len(asks))
	return filters
}

// requestTypes are all that Latchkey asks in, or could.
var requestTypes = []string{"script", "xmlhttprequest", "image", "stylesheet", "sub_frame", "main_frame", "websocket", "ping", "other"}

// inquiries are those for an address: from the portal itself, and from
// one whose help is on another site.
func inquiries(path string, types ...string) (all []inquiry) {
	for _, typ := range types {
		all = append(all, inquiry{"https://portal.example" + path, typ, "https://portal.example/login"})
		if typ != "ping" { // uBlock Origin lets none pass to another site, whatever its address
			all = append(all, inquiry{"https://help.example" + path, typ, "https://clinic.example/login"})
		}
	}
	return all
}

// baits are routes that are there to be blocked, by script and by fetch.
var baits = []string{"/bait/fbevents.js"}

const (
	someRun   = "0123456789abcdef"
	someCode  = "7K3F-Q2M9"
	someID    = "abcdefghijklmnopqrstuvwxyz"
	someToken = "q83vASNFZ4mrze8BI0VniQ"
)

// queries are what is asked with, by the path under the base.
var queries = map[string][]string{
	"/clock":            {"n=" + someRun, "n=1"},
	"/cookies":          {"run=" + someRun},
	"/cookies/echo":     {"keep=1&run=" + someRun, "run=" + someRun},
	"/clear":            {"after=", "after=session-id"},
	"/diagnose":         {"lang=de&menus=de-CH&run=" + someRun + "&frame=1&running=1", "lang=zh-Hant&menus=en-US&run=" + someRun, "lang=de&menus=de&run=&running=1", ""},
	"/third":            {"run=" + someRun + "&for=https://clinic.example&marked=1790000000", "run=" + someRun + "&for=https://clinic.example"},
	"/third/again":      {"run=" + someRun + "&for=https://clinic.example&marked=1790000000", "run=" + someRun + "&for=https://clinic.example"},
	"/third/ask":        {"for=https://clinic.example&lang=de&menus=de-CH"},
	"/third/mark":       {"back=https%3A%2F%2Fclinic.example%2Flogin"},
	"/sample":           {"n=" + someRun},
	"/bait/events.js":   nil,
	"/bait/fbevents.js": nil,
	"/reach":            {"needs=0,2&address=4:" + someRun + "&clock=-1,2", "needs=&address=", "needs=&address=&clock=-61,-59"},
	"/it":               {"at=1790000000000&found=script-blocked,network-intercepted&lang=de&needs=0,3&zone=-60"},
	"/pair":             {""},
	"/pair/" + someCode: {"after=1", ""},
	"/reports":          {"", "lang=de"},
	"/d/" + someToken:   {"", "lang=de"},
	"/phone":            {"pair=" + someCode, "lang=de&pair=" + someCode, "lang=de", ""},
	"/support/search":   {"text=R-7"},
	"/support/decode":   {"code=" + someCode},
	"/support/reports":  {"text=R-7&finding=clock-wrong&outcome=sso_failed&browser=Firefox&system=Windows&tier=wasm&from=2026-11-01&to=2026-11-02&before=" + someID},

	"/support/cases/" + someID + "/now": {"have=1-true"},
	"/support/sign-in":                  {"next=%2Flatchkey%2Fsupport%2Fcases"},
	"/support/oidc":                     {"next=%2Flatchkey%2Fsupport%2Fcases"},
	"/support/oidc/callback":            {"code=" + someToken + "&state=" + someToken, "error=access_denied&state=" + someToken},
	"/support/account":                  {"done=user.totp.off"},
	"/support/audit":                    {"before=100"},
	"/":                                 visits(),
	"/frame":                            visits(),
}

// visits are the queries of the page and of the frame.
func visits() []string {
	rest := "&reference=R-7&lang=de-CH&rendered=1790000000.qq"
	list := []string{"", "case=" + someToken, "look=noscript&case=" + someToken + "&run=" + someRun, "lang=de-CH", "look=noscript", "look=link", "look=files", "lang=de-CH&with=7K3FQ2M9", "look=noscript&with=7K3FQ2M9"}
	for _, o := range evidence.Outcomes {
		list = append(list, "outcome="+string(o)+rest)
	}
	return append(list, "outcome=unknown"+rest+"&look=noscript&run="+someRun+"&before=cookies-blocked,storage-blocked&tried=allow-cookies,clear-site-data&embedding=cross-origin", "with="+someCode+"&lang=de")
}

// addresses are the paths under the root that the server answers, with all
// queries of each.
func addresses(t *testing.T) (all []string) {
	t.Helper()
	patterns, err := server.Patterns(server.Options{Base: "/latchkey", Assets: web.Dist(), Store: &store.Store{}})
	require.NoError(t, err)
	for _, pattern := range patterns {
		_, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{$}", "", "{code}", someCode, "{token}", someToken, "{id}", someID, "{name}", agentName, "{deed}", "second-factor").Replace(path)
		all = append(all, path)
		for _, query := range queries[strings.TrimPrefix(path, "/latchkey")] {
			all = append(all, path+"?"+query)
		}
	}
	for path := range queries {
		assert.True(t, slices.Contains(all, "/latchkey"+path), "it has queries and no route: %s", path)
	}
	return all
}

// No list of a content blocker has an address of ours, but for the baits.
func TestLists_haveNoneOfOurAddresses(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs node and a package of Debian's: left out by -short")
	}
	var known, baited, free []inquiry
	for _, name := range []string{"fbevents.js", "beacon.js", "fingerprint.js"} {
		known = append(known, inquiries("/latchkey/"+name, requestTypes...)...)
	}
	for _, address := range addresses(t) {
		if slices.Contains(baits, strings.TrimPrefix(address, "/latchkey")) {
			baited = append(baited, inquiries(address, "script", "xmlhttprequest")...)
		} else {
			free = append(free, inquiries(address, requestTypes...)...)
		}
	}
	require.Len(t, baited, 4*len(baits), "each has a route")
	asks := slices.Concat(known, baited, free)
	for i, filter := range filtersOf(t, asks) {
		switch {
		case i < len(known):
			assert.NotEmpty(t, filter, "so that it can fail: %v", asks[i])
		case i < len(known)+len(baited):
			assert.NotEmpty(t, filter, "a bait that nothing takes: %v", asks[i])
		default:
			assert.Empty(t, filter, "%v", asks[i])
		}
	}
}

// The table of queries keeps up with those who ask and who read.
func TestLists_knowAllQueries(t *testing.T) {
	var known []string // "/cookies?run=…"
	keys := map[string]bool{}
	for path, list := range queries {
		known = append(known, path)
		for _, query := range list {
			known = append(known, path+"?"+query)
			values, err := url.ParseQuery(query)
			require.NoError(t, err)
			for key := range values {
				keys[key] = true
			}
		}
	}
	sources, err := filepath.Glob("../../web/*.js")
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	found := 0
	for _, name := range sources {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`(?:request\('[A-Z]+', |base \+ |config\.third \+ |at\.(path) \+ )'(/[^']*)'`).FindAllStringSubmatch(string(source), -1) {
			address := m[2]
			if m[1] != "" {
				address = "/third" + address // what the server tells third.js
			}
			found++
			assert.True(t, slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, address) }), "%s: %s", name, m[0])
		}
		assert.NotRegexp(t, `sendBeacon|\.ping\b|'ping'`, string(source), "uBlock Origin lets none pass to another site")
	}
	assert.Greater(t, found, 8, "the expression finds what is asked")

	sources, err = filepath.Glob("../../internal/server/*.go")
	require.NoError(t, err)
	found = 0
	for _, name := range sources {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`\.(?:Get|Has)\("([a-z-]+)"\)`).FindAllStringSubmatch(string(source), -1) {
			found++
			assert.True(t, keys[m[1]], "%s reads %s", name, m[1])
		}
	}
	assert.Greater(t, found, 15, "the expression finds what is read")
}
