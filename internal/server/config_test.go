package server

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/agent"
	"latchkey/internal/clock"
	"latchkey/internal/evidence"
	"latchkey/internal/server/console"
	"latchkey/internal/store"
)

func TestParseConfig_readsEverything(t *testing.T) {
	dpop, _ := clock.Find("dpop")
	saml, _ := clock.Find("saml")
	t.Setenv("DESK_SECRET", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")
	t.Setenv("OTHER_SECRET", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYY")
	c, err := ParseConfig([]byte(`
address: https://Portal.example:443
site:
  name: Example Clinic
  login: https://portal.example/login
support:
  phone: "555-0100"
  email: help@portal.example
  hours: Mon–Fri 8–17
  url: https://portal.example/help
embed:
  origins:
    - https://login.portal.example
    - HTTP://Localhost:8080
    - https://portal.example:443
  storage_access: true
identity_provider: https://IDP.example:443/latchkey/
browsers:
  supported: Chrome >= 120, last 2 Firefox versions, not ie 11
  features: [webauthn, has-selector]
page:
  form: "#login"
  key: 0123456789abcdef-of-the-clinic
  max_age: 20m
network: {ja4_header: X-JA4}
clock: {uses: [dpop, saml], tolerance: 30s, cookie_lifetime: 20m, ntp: [ntp1.Example, "10.0.0.1:1123", "::1", "[::1]:124"]}
trusted_proxies: [10.1.2.3/8, 192.0.2.7, "2001:db8::/32"]
outcomes:
  E1042: account_locked
  429: throttled
retention: {reports: 60d, audit: 36h}
webhooks:
  - {name: desk, url: "https://desk.example/hooks?of=latchkey", secret_env: DESK_SECRET, events: [report.arrived]}
  - {name: bell, url: "http://127.0.0.1:9/", secret_env: OTHER_SECRET, events: [report.arrived]}
`), "latchkey.yaml")
	require.NoError(t, err)
	secret := make([]byte, 24)
	for i := range secret {
		secret[i] = byte(i)
	}
	other := append(slices.Clone(secret[:23]), 24)
	assert.Equal(t, Config{
		Address:          "https://portal.example",
		Site:             Site{Name: "Example Clinic", Login: "https://portal.example/login"},
		Support:          Support{Phone: "555-0100", Email: "help@portal.example", Hours: "Mon–Fri 8–17", URL: "https://portal.example/help"},
		Embed:            Embed{Origins: []string{"https://login.portal.example", "http://localhost:8080", "https://portal.example"}, StorageAccess: true},
		IdentityProvider: "https://idp.example/latchkey",
		Browsers: Browsers{
			Supported: &agent.Policy{Minimum: map[string]int{"Chrome": 120, "Firefox": 159}, Only: true},
			Features:  []string{"webauthn", "has-selector"},
		},
		Page:    Page{Form: "#login", Key: "0123456789abcdef-of-the-clinic", MaxAge: 20 * time.Minute},
		Network: Network{JA4Header: "X-JA4"},
		Clock: Clock{
			Uses: []clock.Use{dpop, saml}, Tolerance: 30 * time.Second, CookieLifetime: 20 * time.Minute,
			NTP: []string{"ntp1.Example:123", "10.0.0.1:1123", "[::1]:123", "[::1]:124"},
		},
		TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/32"),
		},
		Outcomes:  map[string]evidence.Outcome{"E1042": evidence.AccountLocked, "429": evidence.Throttled},
		Retention: store.Retention{Reports: 60 * 24 * time.Hour, Cases: 60 * 24 * time.Hour, Audit: 36 * time.Hour},
		Webhooks: []Webhook{
			{Name: "desk", URL: "https://desk.example/hooks?of=latchkey", Secret: secret, Events: []string{"report.arrived"}},
			{Name: "bell", URL: "http://127.0.0.1:9/", Secret: other, Events: []string{"report.arrived"}},
		},
	}, c)
}

func TestParseConfig_takesTheDefaultForWhatIsLeftOut(t *testing.T) {
	for _, text := range []string{"", "# nothing but a remark\n", "---\n", "site:\n", "site:\n  login: https://portal.example/\n", "support: {phone: }\n"} {
		c, err := ParseConfig([]byte(text), "latchkey.yaml")
		require.NoError(t, err, text)
		assert.Equal(t, "this site", c.Site.Name, text)
	}
}

func TestParseConfig_takesLowestVersionsForALine(t *testing.T) {
	line, err := ParseConfig([]byte("browsers: {supported: 'chrome >= 120, firefox >= 115, ios >= 16'}"), "latchkey.yaml")
	require.NoError(t, err)
	mapping, err := ParseConfig([]byte("browsers:\n  supported:\n    chrome: 120\n    firefox: 115\n    ios: 16\n"), "latchkey.yaml")
	require.NoError(t, err)
	assert.Equal(t, line, mapping)
	assert.Equal(t, map[string]int{"Chrome": 120, "Firefox": 115, "Safari": 16}, line.policy().Minimum)
	assert.Equal(t, agent.DefaultPolicy(), Config{}.policy(), "without a word of the operator")
}

func TestParseConfig_tellsAllErrorsAtOnce(t *testing.T) {
	_, err := ParseConfig([]byte(`site:
  nmae: Example Clinic
  login: portal.example
embed:
  origins: https://portal.example
trusted_proxies:
  - 10.0.0.0/40
colour: red
outcomes:
  E1: acount_locked
`), "latchkey.yaml")
	require.Error(t, err)
	assert.Equal(t, []string{
		`latchkey.yaml:2: site.nmae: there is no such key (hint: did you mean name?)`,
		`latchkey.yaml:3: site.login: "portal.example" is not a full web address (hint: write it like https://portal.example/login)`,
		`latchkey.yaml:5: embed.origins: is a single value, should be a list (hint: write each value in a line of its own after a dash)`,
		`latchkey.yaml:7: trusted_proxies[0]: "10.0.0.0/40" is neither an address nor a network (hint: write it like 192.0.2.7 or 10.0.0.0/8)`,
		`latchkey.yaml:8: colour: there is no such key (hint: known keys are …)`,
		`latchkey.yaml:10: outcomes.E1: there is no outcome "acount_locked" (hint: did you mean account_locked?)`,
	}, strings.Split(regexp.MustCompile(`known keys are address, site, [a-z_, ]+`).ReplaceAllString(err.Error(), "known keys are …"), "\n"))
}

// hook is a configuration with webhooks, from line 3 on.
func hook(items ...string) string {
	return "address: https://portal.example\nwebhooks:\n  - " + strings.Join(items, "\n  - ") + "\n"
}

func TestParseConfig_refuses(t *testing.T) {
	t.Setenv("DESK_SECRET", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")
	t.Setenv("SHORT_SECRET", "5ecret5ecret5ecret5ecret")
	t.Setenv("BAD_SECRET", "5ecret!")
	cases := []struct{ name, text, want string }{
		{"a list for the whole", "- site\n", "f:1: is a list, should be a mapping (hint: known keys are address, site,"},
		{"text for a mapping", "site: clinic\n", "f:1: site: is a single value, should be a mapping (hint: known keys are name, login)"},
		{"a mapping for text", "site:\n  name:\n    de: Klinik\n", "f:3: site.name: is a mapping, should be a single value"},
		{"a number for text", "support:\n  phone: 5550100\n", `f:2: support.phone: is not text but int (hint: put it in quotes: "5550100")`},
		{"a truth value for text", "site:\n  name: yes\n  login: true\n", "f:3: site.login: is not text but bool"},
		{"a mapping for a list", "trusted_proxies: {a: b}\n", "f:1: trusted_proxies: is a mapping, should be a list"},
		{"a list for a mapping", "outcomes: [a]\n", "f:1: outcomes: is a list, should be a mapping"},
		{"a list in a list", "trusted_proxies:\n  - [a]\n", "f:2: trusted_proxies[0]: is a list"},
		{"an empty name", "site:\n  name: ' '\n", "f:2: site.name: is empty"},
		{"a key twice", "site:\n  name: a\n  name: b\n", "f:3: site.name: stands in line 2 already"},
		{"an outcome that is none", "outcomes:\n  a: broken\n", "known outcomes are invalid_credentials, "},
		{"an outcome twice", "outcomes:\n  a: throttled\n  a: throttled\n", "f:3: outcomes.a: stands in line 2 already"},
		{"an error behind an alias", "site: &s {name: a}\nsupport: *s\n", "f:1: support.name: there is no such key"},
		{"a login without a host", "site:\n  login: 'https:///login'\n", "is not a full web address"},
		{"a login that is a script", "site:\n  login: 'javascript:alert(1)'\n", "is not a full web address"},
		{"a login with a password", "site:\n  login: https://a:b@portal.example/\n", "is not a full web address"},
		{"a support address that is a path", "support:\n  url: /help\n", "f:2: support.url:"},
		{"a provider without a scheme", "identity_provider: idp.example/latchkey\n", "f:1: identity_provider: \"idp.example/latchkey\" is not where"},
		{"a provider with a query", "identity_provider: https://idp.example/latchkey?a=b\n", "has a path that cannot be"},
		{"a provider that ends a policy", "identity_provider: 'https://idp.example;script-src/a'\n", "is not where Latchkey is on a site"},
		{"a provider without a host", "identity_provider: 'https:///latchkey'\n", "is not where Latchkey is on a site"},
		{"text for a truth value", "embed:\n  storage_access: 'true'\n", "f:2: embed.storage_access: \"true\" is neither true nor false"},
		{"a list for a truth value", "embed:\n  storage_access: [true]\n", "f:2: embed.storage_access: is a list"},
		{"a mail address with a name", "support:\n  email: Help <help@portal.example>\n", "f:2: support.email:"},
		{"a mail address without a host", "support:\n  email: help\n", "is not a mail address"},
		{"a query without data", "browsers:\n  supported: '> 0.5%'\n", `f:2: browsers.supported: "> 0.5%"`},
		{"a browser that is none", "browsers:\n  supported:\n    chrom: 120\n", "f:3: browsers.supported: "},
		{"a version that is none", "browsers:\n  supported:\n    chrome: new\n", `f:3: browsers.supported.chrome: "new" is no version`},
		{"a feature that is none", "browsers:\n  features: [webautn]\n", `f:2: browsers.features[0]: there is no feature "webautn" (hint: did you mean webauthn?)`},
		{"a cookie without a name", "cookies:\n  - {path: /}\n", "f:2: cookies[0]: has no name"},
		{"a cookie's name that breaks a header", "cookies:\n  - name: 'a;b'\n", `f:2: cookies[0].name: "a;b" cannot be a cookie's name`},
		{"a SameSite that is none", "cookies:\n  - {name: a, same_site: never}\n", `cookies[0].same_site: "never" is no SameSite`},
		{"a truth that is none", "cookies:\n  - {name: a, secure: maybe}\n", `cookies[0].secure: "maybe" is neither true nor false`},
		{"a question without a label", "reports:\n  fields:\n    - {key: member}\n", "f:3: reports.fields[0]: label: say what it is"},
		{"a question with a pattern that is none", "reports:\n  fields:\n    - {key: member, label: M, pattern: '[0-9'}\n", "reports.fields[0]: pattern: error parsing regexp"},
		{"an answer that may be endless", "reports:\n  fields:\n    - {key: member, label: M, max: many}\n", `reports.fields[0].max: "many" is no number of characters`},
		{"one question twice", "reports:\n  fields:\n    - {key: a, label: A}\n    - {key: a, label: B}\n", `f:4: reports.fields[1]: key: "a" stands there twice`},
		{"too many questions", "reports:\n  fields: [" + strings.Repeat("{key: a},", 9) + "]\n", "f:2: reports.fields: has 9 reports.fields"},
		{"too many cookies", "cookies: [" + strings.Repeat("{name: a},", 13) + "]\n", "f:1: cookies: has 13 cookies"},
		{"a key that is too short", "page:\n  key: secret\n", "f:2: page.key: has 6 bytes, needs at least 16 (hint: make one with: openssl rand -hex 32)"},
		{"a length of time that is none", "page:\n  max_age: twenty\n", `f:2: page.max_age: "twenty" is no length of time (hint: write it like 20m`},
		{"a number for a length of time", "page:\n  max_age: 20\n", "f:2: page.max_age: is not text but int"},
		{"a length of time that is too short", "page:\n  max_age: -5m\n", `f:2: page.max_age: "-5m" is too short`},
		{"a header that is none", "network:\n  ja4_header: 'X-JA4:'\n", `f:2: network.ja4_header: "X-JA4:" is no name of a header (hint: write it like X-JA4)`},
		{"a use that is none", "clock:\n  uses: [kerberso]\n", `f:2: clock.uses[0]: there is no use "kerberso" (hint: did you mean kerberos?)`},
		{"a use that needs a length", "clock:\n  uses: [cookie-expires]\n", `has a length of its own (hint: leave it out and write how long the cookie lives, like cookie_lifetime: 20m)`},
		{"a use that is the operator's own", "clock:\n  uses: [own]\n", `like tolerance: 30s)`},
		{"a tolerance of nothing", "clock:\n  tolerance: 0s\n", `f:2: clock.tolerance: "0s" is too short`},
		{"a time server with a scheme", "clock:\n  ntp: ['ntp://a']\n", `f:2: clock.ntp[0]: "ntp://a" is no time server (hint: write it like ntp.portal.example or 10.0.0.1:123)`},
		{"a time server with a port that is none", "clock:\n  ntp: ['a.example:ntp']\n", `"a.example:ntp" is no time server`},
		{"an address with a path", "address: https://portal.example/latchkey\n", `f:1: address: "https://portal.example/latchkey" is more than an origin`},
		{"a retention of words", "retention:\n  reports: a month\n", `f:2: retention.reports: "a month" is no time to keep things for (hint: write days or hours, like 30d`},
		{"a retention of minutes", "retention:\n  audit: 30m\n", `f:2: retention.audit: "30m" is no time`},
		{"a retention of nothing", "retention:\n  audit: 0d\n", `f:2: retention.audit: "0d" is no time`},
		{"a retention that has no end", "retention:\n  audit: 99999999999999999999d\n", `is no time to keep things for`},
		{"reports kept longer than their cases", "retention:\n  reports: 31d\n  cases: 30d\n", `f:2: retention: keeps reports for longer than the cases`},
		{"webhooks without an address to tell", "webhooks: [{name: a, url: https://a.example/, secret_env: DESK_SECRET, events: [report.arrived]}]\n", `f:1: address: is missing, and webhooks tell`},
		{"a webhook without a name", hook("{url: https://a.example/, secret_env: DESK_SECRET, events: [report.arrived]}"), `f:3: webhooks[0]: is not whole (hint: write name, url, secret_env and events`},
		{"a webhook without an address", hook("{name: a, secret_env: DESK_SECRET, events: [report.arrived]}"), `is not whole`},
		{"a webhook without a secret", hook("{name: a, url: https://a.example/, events: [report.arrived]}"), `is not whole`},
		{"a webhook without events", hook("{name: a, url: https://a.example/, secret_env: DESK_SECRET}"), `is not whole`},
		{"a webhook that has another's name", hook("{name: a, url: https://a.example/, secret_env: DESK_SECRET, events: [report.arrived]}", "{name: a, url: https://b.example/, secret_env: DESK_SECRET, events: [report.arrived]}"), `f:4: webhooks[1]: is the second that is called "a"`},
		{"a webhook with a name for people", hook("{name: Help desk}"), `f:3: webhooks[0].name: "Help desk" cannot be a webhook's name`},
		{"a webhook over plain http", hook("{name: a, url: http://a.example/k-5ecret}"), `f:3: webhooks[0].url: is not secure (hint: write https;`},
		{"a webhook with a password", hook("{name: a, url: https://a:5ecret@a.example/}"), `f:3: webhooks[0].url: is no web address`},
		{"a webhook to a file", hook("{name: a, url: file:///5ecret}"), `f:3: webhooks[0].url: is no web address`},
		{"a secret that is not there", hook("{name: a, secret_env: NO_SUCH_SECRET}"), `f:3: webhooks[0].secret_env: the environment has no NO_SUCH_SECRET (hint: make one with: echo whsec_$(openssl rand -base64 32))`},
		{"a secret that is too short", hook("{name: a, secret_env: SHORT_SECRET}"), `what stands in SHORT_SECRET has 18 bytes, needs at least 24`},
		{"a secret that is a word", hook("{name: a, secret_env: BAD_SECRET}"), `what stands in BAD_SECRET is no base64`},
		{"an event that is none", hook("{name: a, events: [report.arived]}"), `f:3: webhooks[0].events[0]: there is no event "report.arived" (hint: did you mean report.arrived?)`},
		{"YAML that is none", "site:\n  name: \"Example\n", "f:"},
		{"YAML with a tab", "site:\n\tname: a\n", "f:2: found character that cannot start any token (hint:"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseConfig([]byte(c.text), "f")
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
			assert.Contains(t, err.Error(), "(hint: ")
			assert.NotContains(t, err.Error(), "\n", "one error, one line")
			assert.NotContains(t, err.Error(), "5ecret", "errors are logged")
		})
	}
}

func TestParseConfig_takesOnlyOriginsForOrigins(t *testing.T) {
	cases := []struct{ origin, want string }{
		{"https://portal.example/", "leave off everything after the host, also the last /: https://portal.example"},
		{"https://portal.example/login", "is more than an origin"},
		{"https://portal.example?x", "is more than an origin"},
		{"https://me@portal.example", "is more than an origin"},
		{"portal.example", "is not an origin"},
		{"//portal.example", "is not an origin"},
		{"ftp://portal.example", "is not an origin"},
		{"https://", "is not an origin"},
		{"null", "is not"},
		{"https://*.portal.example", "list each origin by itself"},
		{"https://portal.example;script-src", "has a host that cannot be"},
		{"https://portal.example'", "has a host that cannot be"},
		{"https://portal.example:port", "is not an origin"},
		{"https://pörtal.example", "xn--"},
		{"https://[2001:db8::1]:8443", ""},
		{"https://xn--prtal-jua.example", ""},
	}
	for _, c := range cases {
		t.Run(c.origin, func(t *testing.T) {
			_, err := ParseConfig([]byte("embed:\n  origins:\n    - \""+c.origin+"\"\n"), "f")
			if c.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, "f:3: embed.origins[0]: ")
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestLoadConfig(t *testing.T) {
	name := filepath.Join(t.TempDir(), "latchkey.yaml")
	_, err := LoadConfig(name)
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, name)

	require.NoError(t, os.WriteFile(name, []byte("site:\n  nam: a\n"), 0o600))
	_, err = LoadConfig(name)
	assert.ErrorContains(t, err, name+":2: site.nam: ")
}

func TestSuggest_findsSlips(t *testing.T) {
	known := []string{"name", "login"}
	for key, want := range map[string]string{
		"nam": "did you mean name?", "Name": "did you mean name?", "nmae": "did you mean name?", "logon": "did you mean login?",
		"": "known keys are name, login", "colour": "known keys are name, login",
	} {
		assert.Equal(t, want, suggest(key, "keys", known), key)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add("site: {name: a}\nembed: {origins: [https://a.example]}\n")
	f.Add("site: &a\n  name: *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := ParseConfig([]byte(text), "f")
		if err != nil {
			assert.Contains(t, err.Error(), "(hint: ")
		}
	})
}

func TestParseConfig_readsHowSupportSignsIn(t *testing.T) {
	t.Setenv("TEST_OIDC_SECRET", "the-secret-of-the-client")
	c, err := ParseConfig([]byte(`
console:
  session: 10h
  idle: 45m
  oidc:
    name: Example ID
    issuer: https://idp.example/realms/staff
    client_id: latchkey
    secret_env: TEST_OIDC_SECRET
    scopes: [groups]
    name_claim: upn
    groups_claim: roles
    admins: [ops]
    agents: [helpdesk, "@portal.example"]
`), "latchkey.yaml")
	require.NoError(t, err)
	assert.Equal(t, Console{Session: 10 * time.Hour, Idle: 45 * time.Minute, OIDC: console.OIDC{
		Name: "Example ID", Issuer: "https://idp.example/realms/staff", ClientID: "latchkey", Secret: "the-secret-of-the-client",
		Scopes: []string{"groups"}, NameClaim: "upn", GroupsClaim: "roles", Admins: []string{"ops"}, Agents: []string{"helpdesk", "@portal.example"},
	}}, c.Console)

	t.Setenv("TEST_OIDC_SECRET", "")
	_, err = ParseConfig([]byte(`console:
  session: 8
  idle: never
  oidc:
    issuer: http://idp.example/
    secret_env: TEST_OIDC_SECRET
    scopes: ["a b"]
    agents: helpdesk
    group: x
`), "latchkey.yaml")
	require.Error(t, err)
	assert.Equal(t, []string{
		`latchkey.yaml:2: console.session: is not text but int (hint: put it in quotes: "8")`,
		`latchkey.yaml:3: console.idle: "never" is no length of time (hint: write it like 20m, 90s or 1h30m)`,
		`latchkey.yaml:5: console.oidc.issuer: "http://idp.example/" is not https (hint: a provider on another machine must be)`,
		`latchkey.yaml:6: console.oidc.secret_env: the environment has no TEST_OIDC_SECRET, or it is empty (hint: set it to the client's secret before the server starts, or leave the key out if the client has none)`,
		`latchkey.yaml:7: console.oidc.scopes[0]: "a b" is no scope (hint: write one in each line, like groups)`,
		`latchkey.yaml:8: console.oidc.agents: is a single value, should be a list (hint: write each value in a line of its own after a dash)`,
		`latchkey.yaml:9: console.oidc.group: there is no such key (hint: known keys are name, issuer, client_id, secret_env, scopes, name_claim, groups_claim, admins, agents)`,
	}, strings.Split(err.Error(), "\n"))

	for _, c := range []struct{ oidc, want string }{
		{"{issuer: https://idp.example}", "console.oidc: needs issuer and client_id"},
		{"{client_id: latchkey}", "console.oidc: needs issuer and client_id"},
		{"{issuer: https://idp.example, client_id: latchkey}", "console.oidc: lets nobody in"},
		{"{issuer: idp.example}", `"idp.example" is no issuer`},
		{"{issuer: 'https://idp.example/?a=b'}", "is no issuer"},
		{"{issuer: http://localhost:9998, client_id: latchkey, agents: [x]}", ""},
		{"{issuer: 'http://[::1]:9998', client_id: latchkey, agents: [x]}", ""},
		{"{issuer: http://localhost.evil.example, client_id: latchkey, agents: [x]}", "is not https"},
	} {
		_, err := ParseConfig([]byte("console: {oidc: "+c.oidc+"}"), "latchkey.yaml")
		if c.want == "" {
			assert.NoError(t, err, c.oidc)
			continue
		}
		assert.ErrorContains(t, err, c.want, c.oidc)
	}
}
