package server

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"latchkey/internal/agent"
	"latchkey/internal/clock"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
	"latchkey/internal/server/console"
	"latchkey/internal/store"
	"latchkey/internal/text"
)

// Config is what the operator of a site tells Latchkey about it. The zero value
// is not for use: start from DefaultConfig.
type Config struct {
	// Address is the origin under which people reach this server, like
	// https://portal.example, or empty: then it is taken from requests.
	Address  string
	Site     Site
	Support  Support
	Look     Look
	Embed    Embed
	Browsers Browsers
	// Cookies are those that the login needs, at most evidence.MaxKinds.
	Cookies []Cookie
	Repair  Repair
	Storage Storage
	// IdentityProvider is the address of Latchkey's base on another site that
	// people sign in over, like https://idp.example/latchkey, or empty. That
	// site's own configuration allows this one's origin to embed it.
	IdentityProvider string
	// Needs are what the login needs besides its own page, at most
	// evidence.MaxNeeds.
	Needs []Need
	// Popups is whether the login opens a window.
	Popups  bool
	Page    Page
	Network Network
	Clock   Clock
	Console Console
	// TrustedProxies are the addresses whose X-Forwarded-For, X-Forwarded-Proto
	// and Network.JA4Header are believed.
	TrustedProxies []netip.Prefix
	// Languages are those that pages are shown in; text.Languages if it is nil.
	Languages []text.Language
	// Outcomes maps the site's own codes to the outcomes that Latchkey knows.
	Outcomes  map[string]evidence.Outcome
	Reports   Reports
	Retention store.Retention
	// Webhooks are told when a report has arrived.
	Webhooks []Webhook
}

// Webhook is an address of another system that is told of events.
type Webhook struct {
	Name string // small letters, digits and hyphens
	URL  string
	// Secret signs what is sent, as Standard Webhooks has it.
	Secret []byte
	Events []string
}

// Reports says what people are asked for when they send a report without a link from
// support.
type Reports struct {
	// Fields are at most report.MaxAsks.
	Fields []report.Ask
}

// Site says what people sign in to.
type Site struct {
	// Name stands in sentences, like "Example Clinic".
	Name string
	// Login is the address of the login page, or empty.
	Login string
}

// Cookie is one cookie of the login, as the site sets it.
type Cookie struct {
	// Name may hold stars, each for any characters.
	Name        string
	Path        string
	Domain      string // without one it is sent to the very host that set it
	Secure      bool
	HTTPOnly    bool
	SameSite    string // strict, lax, none, or empty if it is not written
	Partitioned bool
	// Posted is whether it must come with a form that another site posts, as
	// identity providers do with SAML and with form_post.
	Posted bool
}

// Need is one thing that the login needs besides its own page.
type Need struct {
	// URL is a full address, or a path of the site's own.
	URL string
	// Kind is script, host, socket or stream.
	Kind string
	// Purpose says in a person's words what it is for.
	Purpose string
	// Proof is the path from window to something that is there once it has run,
	// like grecaptcha.execute, or empty.
	Proof string
	// Again is whether Latchkey may ask for it once more.
	Again bool
	// Private is whether it stands at an address that the public network does not
	// reach; such a one is never asked.
	Private bool
}

// matches is whether a name is the cookie's.
func (c Cookie) matches(name string) bool {
	parts := strings.Split(c.Name, "*")
	if len(parts) == 1 {
		return c.Name == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	for _, p := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, p)
		rest, ok = after, ok && found
	}
	return ok && strings.HasSuffix(rest, parts[len(parts)-1])
}

// Storage says what the login needs to store, and where its version stands.
type Storage struct {
	// OPFS is whether it uses the origin's private file system.
	OPFS bool
	// VersionURL answers with something that changes with each build, like
	// https://portal.example/build.json. It is of the same origin as Latchkey.
	VersionURL string
}

// Repair says what may be cleared, when a person asks for it, besides the cookies
// that the login has.
type Repair struct {
	// Keys are those of local and session storage; stars as in cookies' names.
	Keys []string
	// SiteData is whether all that the origin stored goes: caches, workers,
	// databases and storage.
	SiteData bool
}

// Support says how a person reaches support. Every field may be empty.
type Support struct {
	Phone, Email, Hours, URL string
}

// Embed says which sites besides Latchkey's own may show it in a frame.
type Embed struct {
	// Origins are written as browsers write them: lower case, without a path
	// and without the scheme's usual port.
	Origins []string
	// StorageAccess is whether this site's own frames in those, which sign
	// people in, ask for storage access. Without that a person who allows it
	// gains nothing.
	StorageAccess bool
}

// Browsers says what people may sign in with.
type Browsers struct {
	// Supported is agent.DefaultPolicy if it is nil.
	Supported *agent.Policy
	// Features are those that signing in needs; see agent.Features.
	Features []string
}

// Network says what the operator's own machines tell of the way to the browser.
type Network struct {
	// JA4Header is the header in which a trusted proxy that ends TLS tells the
	// JA4 fingerprint of the browser's ClientHello, or empty.
	JA4Header string
}

// Page says what the operator knows of the login page.
type Page struct {
	// Form is the CSS selector of the login form, or empty: then it is the
	// nearest form that holds a password.
	Form string
	// Key signs the time at which a page was rendered, and the address that it
	// was rendered for; see rendered.go and hashAddress.
	Key string
	// MaxAge is how long the page's security token is good for; 0 if nobody
	// said.
	MaxAge time.Duration
	// Action is where the login form goes, as its attribute says, or empty.
	Action string
	// Fields are the names of its fields.
	Fields []string
	// Patches are the functions of the browser that the site itself wraps; nil
	// if nobody said, and then none is judged.
	Patches []string
}

// Clock says which clocks the login compares, and who knows the time.
type Clock struct {
	// Uses are what the login uses that breaks when clocks differ; nil if nobody
	// said.
	Uses []clock.Use
	// Tolerance is how far off a device's clock may be, as the operator knows it;
	// 0 if nobody said.
	Tolerance time.Duration
	// CookieLifetime is how long the login's cookie lives that says so with
	// Expires; 0 if there is none.
	CookieLifetime time.Duration
	// NTP are the time servers that our own clock is compared with, as host or
	// host:port.
	NTP []string
}

// Console says how support signs in.
type Console struct {
	// Session and Idle are after how long people have to sign in again: since they
	// did, and since they last did anything; 0 if nobody said.
	Session, Idle time.Duration
	// OIDC is the identity provider, if it has an Issuer.
	OIDC console.OIDC
}

func (c Config) policy() agent.Policy {
	p := agent.DefaultPolicy()
	if c.Browsers.Supported != nil {
		p = *c.Browsers.Supported
	}
	p.Features = c.Browsers.Features
	return p
}

// DefaultConfig is what runs without a file.
func DefaultConfig() Config {
	const day = 24 * time.Hour
	return Config{
		Site:      Site{Name: "this site"},
		Retention: store.Retention{Reports: 30 * day, Cases: 30 * day, Audit: 365 * day},
	}
}

// LoadConfig reads the file at path. See ParseConfig.
func LoadConfig(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read config: %w", err)
	}
	return ParseConfig(data, path)
}

// ParseConfig reads YAML. The error holds everything that is wrong (see
// errors.Join), a line each: "name:line: key: what is wrong (hint: …)". What the
// file leaves out is as in DefaultConfig.
func ParseConfig(data []byte, name string) (Config, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return Config{}, syntaxError(name, err)
	}
	c := DefaultConfig()
	if len(doc.Content) == 0 {
		return c, nil
	}
	p := &parser{file: name}
	p.mapping(doc.Content[0], "", []field{
		{"address", p.text(&c.Address, origin)},
		{"site", func(n *yaml.Node, key string) {
			p.mapping(n, key, []field{
				{"name", p.text(&c.Site.Name, anyText)},
				{"login", p.text(&c.Site.Login, webAddress)},
			})
		}},
		{"support", func(n *yaml.Node, key string) {
			p.mapping(n, key, []field{
				{"phone", p.text(&c.Support.Phone, anyText)},
				{"email", p.text(&c.Support.Email, mailAddress)},
				{"hours", p.text(&c.Support.Hours, anyText)},
				{"url", p.text(&c.Support.URL, webAddress)},
			})
		}},
		{"look", func(n *yaml.Node, key string) {
			p.mapping(n, key, []field{
				{"accent", one(p, &c.Look.Accent, colour(black, lightGrounds))},
				{"accent_dark", one(p, &c.Look.AccentDark, colour(white, darkGrounds))},
				{"logo", one(p, &c.Look.Logo, logoBeside(name))},
			})
		}},
		{"embed", func(n *yaml.Node, key string) {
			p.mapping(n, key, []field{
				{"origins", listOf(p, &c.Embed.Origins, origin)},
				{"storage_access", p.truth(&c.Embed.StorageAccess)},
			})
		}},
		{"identity_provider", p.text(&c.IdentityProvider, baseAddress)},
		{"needs", func(n *yaml.Node, key string) { c.Needs = p.needs(n, key) }},
		{"popups", p.truth(&c.Popups)},
		{"browsers", func(n *yaml.Node, key string) {
			p.mapping(n, key, []field{
				{"supported", func(n *yaml.Node, key string) { c.Browsers.Supported = p.policy(n, key) }},
				{"features", listOf(p, &c.Browsers.Features, feature)},
			})
		}},
		{"cookies", func(n *yaml.Node, key string) { c.Cookies = p.cookies(n, key) }},
		{"storage", func(n *yaml.Node, key string) {
			p.mapping(n, key, []field{
				{"opfs", p.truth(&c.Storage.OPFS)},
				{"version_url", p.text(&c.Storage.VersionURL, webAddress)},
			})
		}},
		{"repair", func(n *yaml.Node, key string) {
			p.mapping(n, key, []field{
				{"storage_keys", listOf(p, &c.Repair.Keys, anyText)},
				{"site_data", p.truth(&c.Repair.SiteData)},
			})
		}},
		{"page", func(n *yaml.Node, key string) {
			p.mapping(n, key, []field{
				{"form", p.text(&c.Page.Form, anyText)},
				{"key", p.text(&c.Page.Key, signingKey)},
				{"max_age", one(p, &c.Page.MaxAge, duration)},
				{"action", p.text(&c.Page.Action, anyText)},
				{"fields", listOf(p, &c.Page.Fields, anyText)},
				{"patches", func(n *yaml.Node, key string) {
					c.Page.Patches = []string{}
					listOf(p, &c.Page.Patches, native)(n, key)
				}},
			})
		}},
		{"network", func(n *yaml.Node, key string) {
			p.mapping(n, key, []field{
				{"ja4_header", p.text(&c.Network.JA4Header, headerName)},
			})
		}},
		{"clock", func(n *yaml.Node, key string) {
			p.mapping(n, key, []field{
				{"uses", listOf(p, &c.Clock.Uses, clockUse)},
				{"tolerance", one(p, &c.Clock.Tolerance, duration)},
				{"cookie_lifetime", one(p, &c.Clock.CookieLifetime, duration)},
				{"ntp", listOf(p, &c.Clock.NTP, timeServer)},
			})
		}},
		{"console", func(n *yaml.Node, key string) { c.Console = p.console(n, key) }},
		{"trusted_proxies", listOf(p, &c.TrustedProxies, proxy)},
		{"languages", func(n *yaml.Node, key string) { c.Languages = p.languages(n, key) }},
		{"outcomes", func(n *yaml.Node, key string) {
			c.Outcomes = p.outcomes(n, key)
		}},
		{"reports", func(n *yaml.Node, key string) {
			p.mapping(n, key, []field{
				{"fields", func(n *yaml.Node, key string) { c.Reports.Fields = p.asks(n, key) }},
			})
		}},
		{"retention", func(n *yaml.Node, key string) { c.Retention = p.retention(n, key, c.Retention) }},
		{"webhooks", func(n *yaml.Node, key string) { c.Webhooks = p.webhooks(n, key) }},
	})
	if len(c.Webhooks) > 0 && c.Address == "" && len(p.errs) == 0 {
		p.wrong(doc.Content[0], "address", "is missing, and webhooks tell where a report can be read",
			"write where people reach this server, like address: https://portal.example")
	}
	if len(p.errs) > 0 {
		return Config{}, errors.Join(p.errs...)
	}
	return c, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func syntaxError(name string, err error) error {
	const hint = "(hint: this is no valid YAML; look at the blanks at the start of the lines and for missing quotes)"
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return fmt.Errorf("%s: %w %s", name, err, hint)
	}
	line := m[1]
	if line == "" {
		line = "1"
	}
	return fmt.Errorf("%s:%s: %s %s", name, line, m[2], hint)
}

// parser walks the file's nodes, because only they know their line, and
// gathers what is wrong.
type parser struct {
	file string
	errs []error
}

// field is a key and what reads its value.
type field struct {
	key  string
	read func(n *yaml.Node, key string)
}

func (p *parser) wrong(n *yaml.Node, key, what, hint string) {
	if key != "" {
		key += ": "
	}
	p.errs = append(p.errs, fmt.Errorf("%s:%d: %s%s (hint: %s)", p.file, n.Line, key, what, hint))
}

// is tells whether n is of that kind. An alias counts as what it stands for,
// and a key without a value as left out.
func (p *parser) is(n **yaml.Node, key string, kind yaml.Kind, hint string) bool {
	if (*n).Kind == yaml.AliasNode {
		*n = (*n).Alias
	}
	if (*n).Kind == yaml.ScalarNode && (*n).Tag == "!!null" {
		return false
	}
	if (*n).Kind != kind {
		p.wrong(*n, key, fmt.Sprintf("is %s, should be %s", kinds[(*n).Kind], kinds[kind]), hint)
		return false
	}
	return true
}

var kinds = map[yaml.Kind]string{
	yaml.MappingNode:  "a mapping",
	yaml.SequenceNode: "a list",
	yaml.ScalarNode:   "a single value",
}

func (p *parser) mapping(n *yaml.Node, path string, fields []field) {
	var known []string
	for _, f := range fields {
		known = append(known, f.key)
	}
	if !p.is(&n, path, yaml.MappingNode, "known keys are "+strings.Join(known, ", ")) {
		return
	}
	p.pairs(n, path, func(k, v *yaml.Node, key string) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == k.Value })
		if i < 0 {
			p.wrong(k, key, "there is no such key", suggest(k.Value, "keys", known))
			return
		}
		fields[i].read(v, key)
	})
}

// pairs calls f for each key that stands for the first time, with its full name.
func (p *parser) pairs(n *yaml.Node, path string, f func(k, v *yaml.Node, key string)) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key := k.Value
		if path != "" {
			key = path + "." + key
		}
		if line, twice := first[k.Value]; twice {
			p.wrong(k, key, fmt.Sprintf("stands in line %d already", line), "keep one of the two")
			continue
		}
		first[k.Value] = k.Line
		f(k, v, key)
	}
}

func (p *parser) scalar(n *yaml.Node, key string) (string, bool) {
	if !p.is(&n, key, yaml.ScalarNode, "write one text in quotes") {
		return "", false
	}
	if n.Tag != "!!str" {
		p.wrong(n, key, fmt.Sprintf("is not text but %s", strings.TrimPrefix(n.Tag, "!!")),
			fmt.Sprintf("put it in quotes: %q", n.Value))
		return "", false
	}
	return n.Value, true
}

// problem is what is wrong with a value; the zero value is nothing.
type problem struct{ what, hint string }

func (p *parser) text(to *string, check func(string) (string, problem)) func(*yaml.Node, string) {
	return one(p, to, check)
}

func one[T any](p *parser, to *T, check func(string) (T, problem)) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		s, ok := p.scalar(n, key)
		if !ok {
			return
		}
		v, bad := check(s)
		if bad != (problem{}) {
			p.wrong(n, key, bad.what, bad.hint)
			return
		}
		*to = v
	}
}

// languages reads which languages there are, and an operator's own words for them.
func (p *parser) languages(n *yaml.Node, key string) []text.Language {
	var dir string
	var only []string
	var words map[string]map[string]json.RawMessage
	p.mapping(n, key, []field{
		{"dir", p.text(&dir, anyText)},
		{"words", func(n *yaml.Node, key string) { words = p.words(n, key) }},
		{"only", listOf(p, &only, anyText)},
	})
	var own fs.FS
	if dir != "" {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(p.file), dir)
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			p.wrong(n, key+".dir", fmt.Sprintf("there is no directory %s", dir), "it is looked for from where this file lies")
			return nil
		}
		own = os.DirFS(dir)
	}
	all, err := text.Load(own, words, only)
	if err != nil {
		for what := range strings.SplitSeq(err.Error(), "\n") {
			p.errs = append(p.errs, fmt.Errorf("%s:%d: %s: %s", p.file, n.Line, key, what))
		}
	}
	return all
}

// words reads the operator's own texts, by language and key: a text, or a list of steps.
func (p *parser) words(n *yaml.Node, key string) map[string]map[string]json.RawMessage {
	var written map[string]map[string]any
	if err := n.Decode(&written); err != nil {
		p.wrong(n, key, "is not a mapping of languages to texts by their keys", `write it like {en: {check.account-locked.why: "Call the front desk."}}`)
		return nil
	}
	all := map[string]map[string]json.RawMessage{}
	for tag, texts := range written {
		all[tag] = map[string]json.RawMessage{}
		for name, text := range texts {
			all[tag][name], _ = json.Marshal(text) // what is no text is told with the rest
		}
	}
	return all
}

func (p *parser) truth(to *bool) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		if !p.is(&n, key, yaml.ScalarNode, "write true or false") {
			return
		}
		if err := n.Decode(to); err != nil || n.Tag != "!!bool" {
			p.wrong(n, key, fmt.Sprintf("%q is neither true nor false", n.Value), "write true or false")
		}
	}
}

func listOf[T any](p *parser, to *[]T, check func(string) (T, problem)) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		if !p.is(&n, key, yaml.SequenceNode, "write each value in a line of its own after a dash") {
			return
		}
		for i, item := range n.Content {
			itemKey := fmt.Sprintf("%s[%d]", key, i)
			s, ok := p.scalar(item, itemKey)
			if !ok {
				continue
			}
			v, bad := check(s)
			if bad != (problem{}) {
				p.wrong(item, itemKey, bad.what, bad.hint)
				continue
			}
			*to = append(*to, v)
		}
	}
}

func (p *parser) outcomes(n *yaml.Node, key string) map[string]evidence.Outcome {
	if !p.is(&n, key, yaml.MappingNode, "write lines like YOUR_CODE: account_locked") {
		return nil
	}
	table := map[string]evidence.Outcome{}
	p.pairs(n, key, func(k, v *yaml.Node, key string) {
		id, ok := p.scalar(v, key)
		if !ok {
			return
		}
		if !evidence.ValidOutcome(id) {
			p.wrong(v, key, fmt.Sprintf("there is no outcome %q", id), suggest(id, "outcomes", outcomeIDs()))
			return
		}
		table[k.Value] = evidence.Outcome(id)
	})
	return table
}

// policy reads a line of browserslist, or a mapping of families to their
// lowest majors.
func (p *parser) policy(n *yaml.Node, key string) *agent.Policy {
	lines := []*yaml.Node{n}
	if n.Kind == yaml.MappingNode {
		lines = nil
		p.pairs(n, key, func(k, v *yaml.Node, key string) {
			if !p.is(&v, key, yaml.ScalarNode, "write the lowest version, like chrome: 109") {
				return
			}
			if major, err := strconv.Atoi(v.Value); err != nil || major < 1 {
				p.wrong(v, key, fmt.Sprintf("%q is no version", v.Value), "write the lowest version as a whole number, like chrome: 109")
				return
			}
			lines = append(lines, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: k.Value + " >= " + v.Value, Line: k.Line})
		})
	}
	var queries []string
	for _, l := range lines {
		query, ok := p.scalar(l, key)
		if !ok {
			return nil
		}
		var bad *agent.PolicyError
		if _, err := agent.ParsePolicy(query); errors.As(err, &bad) {
			p.wrong(l, key, bad.What, bad.Hint)
			return nil
		}
		queries = append(queries, query)
	}
	policy, err := agent.ParsePolicy(strings.Join(queries, ", "))
	if err != nil {
		return nil // each of them was read, so there are none but wrong ones
	}
	return &policy
}

func (p *parser) console(n *yaml.Node, key string) (c Console) {
	p.mapping(n, key, []field{
		{"session", one(p, &c.Session, duration)},
		{"idle", one(p, &c.Idle, duration)},
		{"oidc", func(n *yaml.Node, key string) { c.OIDC = p.oidc(n, key) }},
	})
	return c
}

// oidc wants all that a sign-in needs, so that what is missing shows at start and not
// to the first person who comes.
func (p *parser) oidc(n *yaml.Node, key string) (o console.OIDC) {
	faults := len(p.errs)
	p.mapping(n, key, []field{
		{"name", p.text(&o.Name, anyText)},
		{"issuer", p.text(&o.Issuer, issuer)},
		{"client_id", p.text(&o.ClientID, anyText)},
		{"secret_env", p.text(&o.Secret, fromEnvironment)},
		{"scopes", listOf(p, &o.Scopes, scope)},
		{"name_claim", p.text(&o.NameClaim, anyText)},
		{"groups_claim", p.text(&o.GroupsClaim, anyText)},
		{"admins", listOf(p, &o.Admins, anyText)},
		{"agents", listOf(p, &o.Agents, anyText)},
	})
	switch {
	case len(p.errs) > faults:
	case o.Issuer == "" || o.ClientID == "":
		p.wrong(n, key, "needs issuer and client_id", "write them as the identity provider shows them for the application")
	case len(o.Admins)+len(o.Agents) == 0:
		p.wrong(n, key, "lets nobody in", "name groups or e-mail addresses in admins and agents; @portal.example is everybody of a domain")
	}
	return o
}

// issuer is the address of an identity provider. Over plain http anybody on the way
// could sign themselves in.
func issuer(s string) (string, problem) {
	u, err := url.Parse(s)
	if _, bad := webAddress(s); bad != (problem{}) || err != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", problem{fmt.Sprintf("%q is no issuer", s), "write it as the provider's own metadata does, like https://idp.example/realms/staff"}
	}
	if addr, err := netip.ParseAddr(u.Hostname()); u.Scheme != "https" && u.Hostname() != "localhost" && (err != nil || !addr.IsLoopback()) {
		return "", problem{fmt.Sprintf("%q is not https", s), "a provider on another machine must be"}
	}
	return s, problem{}
}

var scopeForm = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`)

func scope(s string) (string, problem) {
	if !scopeForm.MatchString(s) {
		return "", problem{fmt.Sprintf("%q is no scope", s), "write one in each line, like groups"}
	}
	return s, problem{}
}

// fromEnvironment is what a variable holds. Only its name ever stands in an error.
func fromEnvironment(name string) (string, problem) {
	secret := os.Getenv(name)
	if secret == "" {
		return "", problem{fmt.Sprintf("the environment has no %s, or it is empty", name), "set it to the client's secret before the server starts, or leave the key out if the client has none"}
	}
	return secret, problem{}
}

// items calls read for each mapping of a list of at most most.
func (p *parser) items(n *yaml.Node, key string, most int, form, which string, read func(item *yaml.Node, key string)) {
	if !p.is(&n, key, yaml.SequenceNode, form) {
		return
	}
	if len(n.Content) > most {
		p.wrong(n, key, fmt.Sprintf("has %d %s", len(n.Content), key), fmt.Sprintf("name at most %d: %s", most, which))
		return
	}
	for i, item := range n.Content {
		read(item, fmt.Sprintf("%s[%d]", key, i))
	}
}

func (p *parser) cookies(n *yaml.Node, key string) (list []Cookie) {
	const form = "write each cookie in lines of its own after a dash, beginning with its name"
	p.items(n, key, evidence.MaxKinds, form, "those without which nobody is signed in", func(item *yaml.Node, itemKey string) {
		c, faults := Cookie{Path: "/"}, len(p.errs)
		p.mapping(item, itemKey, []field{
			{"name", p.text(&c.Name, cookieName)},
			{"path", p.text(&c.Path, cookiePath)},
			{"domain", p.text(&c.Domain, cookieDomain)},
			{"secure", p.truth(&c.Secure)},
			{"http_only", p.truth(&c.HTTPOnly)},
			{"same_site", p.text(&c.SameSite, sameSite)},
			{"partitioned", p.truth(&c.Partitioned)},
			{"cross_site_post", p.truth(&c.Posted)},
		})
		if c.Name == "" && len(p.errs) == faults {
			p.wrong(item, itemKey, "has no name", "write the name that the site gives the cookie; * stands for anything")
			return
		}
		list = append(list, c)
	})
	return list
}

func (p *parser) asks(n *yaml.Node, key string) (list []report.Ask) {
	const form = "write each in lines of its own after a dash, beginning with its key"
	p.items(n, key, report.MaxAsks, form, "those by which support finds a person", func(item *yaml.Node, itemKey string) {
		a, faults := report.Ask{}, len(p.errs)
		p.mapping(item, itemKey, []field{
			{"key", p.text(&a.Key, anyText)},
			{"label", p.text(&a.Label, anyText)},
			{"pattern", p.text(&a.Pattern, anyText)},
			{"max", func(n *yaml.Node, key string) {
				if n.Decode(&a.Max) != nil || a.Max < 1 {
					p.wrong(n, key, fmt.Sprintf("%q is no number of characters", n.Value), "write the most characters of an answer, like 12")
				}
			}},
		})
		if len(p.errs) > faults {
			return
		}
		if err := a.Check(); err != nil {
			p.wrong(item, itemKey, err.Error(), "write it like {key: member-number, label: Your member number, pattern: '[0-9]{8}', max: 8}")
			return
		}
		if slices.ContainsFunc(list, func(other report.Ask) bool { return other.Key == a.Key }) {
			p.wrong(item, itemKey, fmt.Sprintf("key: %q stands there twice", a.Key), "give each a key of its own")
			return
		}
		list = append(list, a)
	})
	return list
}

func (p *parser) needs(n *yaml.Node, key string) (list []Need) {
	const form = "write each in lines of its own after a dash, beginning with its url"
	p.items(n, key, evidence.MaxNeeds, form, "those without which nobody can sign in", func(item *yaml.Node, itemKey string) {
		need, faults := Need{Again: true}, len(p.errs)
		p.mapping(item, itemKey, []field{
			{"url", p.text(&need.URL, needAddress)},
			{"kind", p.text(&need.Kind, needKind)},
			{"purpose", p.text(&need.Purpose, anyText)},
			{"proof", p.text(&need.Proof, proof)},
			{"again", p.truth(&need.Again)},
			{"private", p.truth(&need.Private)},
		})
		if need.URL == "" && len(p.errs) == faults {
			p.wrong(item, itemKey, "has no url", "write where it comes from, like https://captcha.example/api.js")
			return
		}
		socket := strings.HasPrefix(need.URL, "ws:") || strings.HasPrefix(need.URL, "wss:")
		switch {
		case need.Kind == "" && socket:
			need.Kind = "socket"
		case need.Kind == "":
			need.Kind = "script"
		case socket != (need.Kind == "socket") && !strings.HasPrefix(need.URL, "/") && len(p.errs) == faults:
			p.wrong(item, itemKey, fmt.Sprintf("%q is no %s", need.URL, need.Kind), "ws: and wss: are sockets and nothing else is")
			return
		}
		list = append(list, need)
	})
	return list
}

// needAddress is what a login needs: its origin goes into a
// content-security-policy.
func needAddress(s string) (string, problem) {
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") {
		return s, problem{}
	}
	u, err := url.Parse(s)
	if err != nil || !slices.Contains([]string{"http", "https", "ws", "wss"}, u.Scheme) || !originHost.MatchString(strings.ToLower(u.Host)) || u.User != nil {
		return "", problem{fmt.Sprintf("%q is not a full web address", s), "write it like https://captcha.example/api.js, wss://live.example/socket, or /app.js for the site's own"}
	}
	u.Host = strings.ToLower(u.Host)
	return u.String(), problem{}
}

func needKind(s string) (string, problem) {
	kinds := []string{"script", "host", "socket", "stream"}
	if !slices.Contains(kinds, s) {
		return "", problem{fmt.Sprintf("there is no kind %q", s), suggest(s, "kinds", kinds)}
	}
	return s, problem{}
}

var proofForm = regexp.MustCompile(`^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$`)

func proof(s string) (string, problem) {
	if !proofForm.MatchString(s) {
		return "", problem{fmt.Sprintf("%q is no name of a global", s), "write it like grecaptcha.execute"}
	}
	return s, problem{}
}

// natives are the functions of the browser that a sign-in goes through, by the
// names under which network.js looks at them.
var natives = []string{"fetch", "XMLHttpRequest.open", "XMLHttpRequest.send", "Document.cookie", "Storage.setItem", "Date.now", "HTMLFormElement.submit", "CredentialsContainer.get"}

func native(s string) (string, problem) {
	if !slices.Contains(natives, s) {
		return "", problem{fmt.Sprintf("%q is none of the functions that are looked at", s), suggest(s, "functions", natives)}
	}
	return s, problem{}
}

// The names, paths and domains go into Set-Cookie headers.
var (
	cookieNameForm   = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$`)
	cookiePathForm   = regexp.MustCompile(`^/[A-Za-z0-9/._~%-]{0,100}$`)
	cookieDomainForm = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*$`)
)

func cookieName(s string) (string, problem) {
	if !cookieNameForm.MatchString(s) {
		return "", problem{fmt.Sprintf("%q cannot be a cookie's name", s), "write it as it stands before the = in Set-Cookie; * stands for anything"}
	}
	return s, problem{}
}

func cookiePath(s string) (string, problem) {
	if !cookiePathForm.MatchString(s) {
		return "", problem{fmt.Sprintf("%q is no path", s), "write it like / or /app"}
	}
	return s, problem{}
}

func cookieDomain(s string) (string, problem) {
	host := strings.TrimPrefix(strings.ToLower(s), ".")
	if !cookieDomainForm.MatchString(host) {
		return "", problem{fmt.Sprintf("%q is no domain", s), "write it like portal.example"}
	}
	return host, problem{}
}

func sameSite(s string) (string, problem) {
	switch v := strings.ToLower(s); v {
	case "strict", "lax", "none":
		return v, problem{}
	}
	return "", problem{fmt.Sprintf("%q is no SameSite", s), "write strict, lax or none, or leave the key out"}
}

var headerForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

func headerName(s string) (string, problem) {
	if !headerForm.MatchString(s) {
		return "", problem{fmt.Sprintf("%q is no name of a header", s), "write it like X-JA4"}
	}
	return s, problem{}
}

func feature(s string) (string, problem) {
	if !slices.Contains(agent.Features, s) {
		return "", problem{fmt.Sprintf("there is no feature %q", s), suggest(s, "features", agent.Features)}
	}
	return s, problem{}
}

func outcomeIDs() []string {
	var ids []string
	for _, o := range evidence.Outcomes {
		ids = append(ids, string(o))
	}
	return ids
}

func anyText(s string) (string, problem) {
	if strings.TrimSpace(s) == "" {
		return "", problem{"is empty", "fill it in or leave the key out"}
	}
	return s, problem{}
}

// keyLength is in bytes. 16 random ones cannot be guessed.
const keyLength = 16

// The key never stands in an error: errors are logged.
func signingKey(s string) (string, problem) {
	if len(s) < keyLength {
		return "", problem{fmt.Sprintf("has %d bytes, needs at least %d", len(s), keyLength), "make one with: openssl rand -hex 32"}
	}
	return s, problem{}
}

func duration(s string) (time.Duration, problem) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, problem{fmt.Sprintf("%q is no length of time", s), "write it like 20m, 90s or 1h30m"}
	case d < time.Second:
		return 0, problem{fmt.Sprintf("%q is too short", s), "write a second or more, like 20m"}
	}
	return d, problem{}
}

// kept is a length of time in days or hours.
func kept(s string) (time.Duration, problem) {
	const most = 10 * 365 // days; more overflows sooner or later
	days, isDays := strings.CutSuffix(s, "d")
	if n, err := strconv.Atoi(days); isDays && err == nil && n >= 1 && n <= most {
		return time.Duration(n) * 24 * time.Hour, problem{}
	}
	if d, err := time.ParseDuration(s); !isDays && err == nil && d >= time.Hour && d <= most*24*time.Hour {
		return d, problem{}
	}
	return 0, problem{fmt.Sprintf("%q is no time to keep things for", s), "write days or hours, like 30d or 12h, from an hour to 3650d"}
}

func (p *parser) retention(n *yaml.Node, key string, usual store.Retention) store.Retention {
	keep, faults := store.Retention{Reports: usual.Reports, Audit: usual.Audit}, len(p.errs)
	p.mapping(n, key, []field{
		{"reports", one(p, &keep.Reports, kept)},
		{"cases", one(p, &keep.Cases, kept)},
		{"audit", one(p, &keep.Audit, kept)},
	})
	if keep.Cases == 0 {
		keep.Cases = max(usual.Cases, keep.Reports)
	}
	if keep.Cases < keep.Reports && len(p.errs) == faults {
		p.wrong(n, key, "keeps reports for longer than the cases that they belong to", "write cases: at least as long as reports:")
	}
	return keep
}

// maxWebhooks is far over the systems that a help desk has.
const maxWebhooks = 20

func (p *parser) webhooks(n *yaml.Node, key string) (list []Webhook) {
	const form = "write each in lines of its own after a dash, beginning with its name"
	p.items(n, key, maxWebhooks, form, "those that people look into", func(item *yaml.Node, itemKey string) {
		h, faults := Webhook{}, len(p.errs)
		p.mapping(item, itemKey, []field{
			{"name", p.text(&h.Name, hookName)},
			{"url", p.text(&h.URL, hookAddress)},
			{"secret_env", one(p, &h.Secret, hookSecret)},
			{"events", listOf(p, &h.Events, hookEvent)},
		})
		switch {
		case len(p.errs) > faults:
		case h.Name == "" || h.URL == "" || h.Secret == nil || h.Events == nil:
			p.wrong(item, itemKey, "is not whole", "write name, url, secret_env and events; events are "+strings.Join(hookEvents, ", "))
		case slices.ContainsFunc(list, func(other Webhook) bool { return other.Name == h.Name }):
			p.wrong(item, itemKey, fmt.Sprintf("is the second that is called %q", h.Name), "give each a name of its own")
		default:
			list = append(list, h)
		}
	})
	return list
}

var hookNameForm = regexp.MustCompile(`^[a-z0-9-]{1,60}$`)

func hookName(s string) (string, problem) {
	if !hookNameForm.MatchString(s) {
		return "", problem{fmt.Sprintf("%q cannot be a webhook's name", s), "use small letters, digits and hyphens, at most 60"}
	}
	return s, problem{}
}

// hookAddress is never named in an error: some have their secret in it.
func hookAddress(s string) (string, problem) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return "", problem{"is no web address", "write it like https://helpdesk.example/hooks/latchkey, without a user or a #"}
	}
	addr, _ := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" && !(u.Scheme == "http" && (addr.IsLoopback() || u.Hostname() == "localhost")) {
		return "", problem{"is not secure", "write https; http is for receivers on this very machine"}
	}
	return s, problem{}
}

// secretLength is in bytes; Standard Webhooks asks for 24 to 64.
const secretLength = 24

// hookSecret reads the secret out of the environment, so that it stands in no file.
func hookSecret(name string) ([]byte, problem) {
	const hint = "make one with: echo whsec_$(openssl rand -base64 32)"
	value := os.Getenv(name)
	if value == "" {
		return nil, problem{fmt.Sprintf("the environment has no %s", name), hint}
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(value, "whsec_"))
	if err != nil {
		return nil, problem{fmt.Sprintf("what stands in %s is no base64", name), hint}
	}
	if len(secret) < secretLength {
		return nil, problem{fmt.Sprintf("what stands in %s has %d bytes, needs at least %d", name, len(secret), secretLength), hint}
	}
	return secret, problem{}
}

func hookEvent(s string) (string, problem) {
	if !slices.Contains(hookEvents, s) {
		return "", problem{fmt.Sprintf("there is no event %q", s), suggest(s, "events", hookEvents)}
	}
	return s, problem{}
}

func clockUse(s string) (clock.Use, problem) {
	u, ok := clock.Find(s)
	switch {
	case s == clock.CookieExpires:
		return u, problem{fmt.Sprintf("%q has a length of its own", s), "leave it out and write how long the cookie lives, like cookie_lifetime: 20m"}
	case s == clock.Own:
		return u, problem{fmt.Sprintf("%q has a length of its own", s), "leave it out and write how far off a clock may be, like tolerance: 30s"}
	case !ok:
		var ids []string
		for _, u := range clock.Uses {
			ids = append(ids, u.ID)
		}
		return u, problem{fmt.Sprintf("there is no use %q", s), suggest(s, "uses", ids)}
	}
	return u, problem{}
}

// timeServer is a host, or an address, and a port unless it is NTP's own.
func timeServer(s string) (string, problem) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.Trim(s, "[]"), "123"
	}
	_, notAddress := netip.ParseAddr(host)
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || notAddress != nil && !cookieDomainForm.MatchString(strings.ToLower(host)) {
		return "", problem{fmt.Sprintf("%q is no time server", s), "write it like ntp.portal.example or 10.0.0.1:123"}
	}
	return net.JoinHostPort(host, port), problem{}
}

func webAddress(s string) (string, problem) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil {
		return "", problem{fmt.Sprintf("%q is not a full web address", s), "write it like https://portal.example/login"}
	}
	return s, problem{}
}

func mailAddress(s string) (string, problem) {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return "", problem{fmt.Sprintf("%q is not a mail address", s), "write it like help@portal.example"}
	}
	return s, problem{}
}

// Origins go into a content-security-policy, where a semicolon or a blank would
// begin something else.
var originHost = regexp.MustCompile(`^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$`)

func origin(s string) (string, problem) {
	const example = "write it like https://portal.example or https://portal.example:8443"
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", problem{fmt.Sprintf("%q is not an origin", s), example}
	}
	if strings.Contains(u.Host, "*") {
		return "", problem{fmt.Sprintf("%q has a wildcard", s), "list each origin by itself"}
	}
	if !strings.EqualFold(s, u.Scheme+"://"+u.Host) {
		return "", problem{fmt.Sprintf("%q is more than an origin", s), "leave off everything after the host, also the last /: " + u.Scheme + "://" + u.Host}
	}
	host := strings.ToLower(u.Host)
	if !originHost.MatchString(host) {
		return "", problem{fmt.Sprintf("%q has a host that cannot be", s), example + "; an international name in its xn-- form"}
	}
	if usual := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; usual != "" {
		host = strings.TrimSuffix(host, usual)
	}
	return u.Scheme + "://" + host, problem{}
}

// baseAddress is an origin and a base path.
func baseAddress(s string) (string, problem) {
	host, path, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://"), "/")
	at, bad := origin(strings.TrimSuffix(s, "/"+path))
	if bad != (problem{}) {
		return "", problem{fmt.Sprintf("%q is not where Latchkey is on a site", s), "write it like https://idp.example/latchkey"}
	}
	path = strings.TrimSuffix("/"+path, "/")
	if host == "" || !baseForm.MatchString(path) {
		return "", problem{fmt.Sprintf("%q has a path that cannot be", s), "write it like https://idp.example/latchkey"}
	}
	return at + path, problem{}
}

// originOf is the origin of a base address.
func originOf(base string) string {
	return strings.Join(strings.SplitN(base, "/", 4)[:3], "/")
}

func proxy(s string) (netip.Prefix, problem) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), problem{}
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, problem{fmt.Sprintf("%q is neither an address nor a network", s), "write it like 192.0.2.7 or 10.0.0.0/8"}
	}
	return prefix.Masked(), problem{}
}

// suggest makes the hint for a word that is none of the known ones.
func suggest(word, what string, known []string) string {
	best, least := "", 3 // more than two slips is another word
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return fmt.Sprintf("known %s are %s", what, strings.Join(known, ", "))
}

// distance is how many letters must be added, taken away or changed to make b
// out of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
