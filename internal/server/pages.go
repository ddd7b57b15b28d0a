package server

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"latchkey/app/widget"
	"latchkey/internal/agent"
	"latchkey/internal/clock"
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
	"latchkey/internal/report"
)

func (s *server) pages(mux *routes) {
	page := s.limited(http.HandlerFunc(s.page), http.HandlerFunc(s.tooManyPage))
	mux.Handle("GET "+s.base+"/it", s.limited(http.HandlerFunc(s.it), http.HandlerFunc(s.tooManyPage)))
	mux.Handle("GET "+s.base+"/{$}", page)
	mux.Handle("GET "+s.base+"/frame", page)
	mux.Handle("GET "+s.base+"/reach", s.limited(http.HandlerFunc(s.tellReach), nil))
	mux.Handle("POST "+s.base+"/diagnose", s.limited(http.HandlerFunc(s.diagnose), http.HandlerFunc(s.tooManyFragment)))
}

// The values of the query's look, which says how the no-script round trip was
// started: by the noscript element, which proves that no scripts run; by the
// link, which proves nothing; or by the script in the page, which proves that it
// runs and that those in files do not.
const (
	lookNoScript = "noscript"
	lookByLink   = "link"
	lookNoFiles  = "files"
)

// filesScript notices that looks.js, which has to have run before this event, has
// not, as under NoScript, which lets scripts in pages run. Without it window.latchkey
// is our main element, by its id. It asks first whether there is a page to go to.
const filesScript = `document.addEventListener("DOMContentLoaded",function(){` +
	`var a=document.querySelector(".without-script a"),x=new XMLHttpRequest();` +
	`if(!a||window.latchkey&&latchkey.looks)return;` +
	`x.onload=function(){if(x.status<400)location.replace(a.href.replace("look=link","look=files"))};` +
	`x.open("HEAD",location.href);x.send()})`

// filesSource is that script in a content-security-policy.
var filesSource = func() string {
	sum := sha256.Sum256([]byte(filesScript))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// visit is what a request for a page says.
type visit struct {
	frame     bool
	outcome   string
	reference string
	lang      string
	with      string // code of the screen that this look is compared with
	link      *link  // that support sent, if the person came by one
	rendered  string // when the login page was, as its server signed it
	addresses []string
	look      string
	run       string
	before    []string
	tried     evidence.Names
	embedding evidence.Embedding
}

func (s *server) visit(r *http.Request) visit {
	q := r.URL.Query()
	v := visit{
		frame:     r.URL.Path == s.base+"/frame",
		outcome:   q.Get("outcome"),
		reference: q.Get("reference"),
		lang:      q.Get("lang"),
		with:      pairCode(q.Get("with")),
		rendered:  q.Get("rendered"),
		addresses: addresses(r),
		embedding: evidence.SameOrigin,
	}
	if look := q.Get("look"); slices.Contains([]string{lookNoScript, lookByLink, lookNoFiles}, look) {
		v.look = look
	}
	if run := q.Get("run"); runForm.MatchString(run) {
		v.run = run
	}
	for id := range strings.SplitSeq(q.Get("before"), ",") {
		if slices.ContainsFunc(s.set.Checks, func(c diag.Check) bool { return c.ID == id }) && !slices.Contains(v.before, id) {
			v.before = append(v.before, id)
		}
	}
	for id := range strings.SplitSeq(strings.Join(q["tried"], ","), ",") {
		if slices.ContainsFunc(s.set.Fixes, func(f diag.Fix) bool { return f.ID == id }) && !slices.Contains(v.tried, id) {
			v.tried = append(v.tried, id)
		}
	}
	switch {
	case !v.frame:
		v.embedding = evidence.Top
	// The redirect of the round trip comes from our own page, so the first
	// request's word is carried on in the query.
	case r.Header.Get("Sec-Fetch-Site") == "cross-site", q.Get("embedding") == string(evidence.CrossOrigin):
		v.embedding = evidence.CrossOrigin
	}
	return v
}

// query writes the visit for an address, with another look and run.
func (v visit) query(look, run string) url.Values {
	q := url.Values{}
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	if v.link != nil {
		set("case", v.link.token) // which has the two others
	} else {
		set("outcome", v.outcome)
		set("reference", v.reference)
	}
	set("lang", v.lang)
	set("with", v.with)
	set("rendered", v.rendered)
	set("address", strings.Join(v.addresses, " "))
	set("look", look)
	set("run", run)
	set("before", strings.Join(v.before, ","))
	set("tried", strings.Join(v.tried, ","))
	if v.embedding == evidence.CrossOrigin {
		set("embedding", string(v.embedding))
	}
	return q
}

// page answers with the html tier: a page that is of use as it stands.
func (s *server) page(w http.ResponseWriter, r *http.Request) {
	v := s.visit(r)
	if token := r.URL.Query().Get("case"); token != "" {
		l, err := s.link(r.Context(), token)
		if err != nil {
			s.linkGone(w, r, err)
			return
		}
		v.link, v.outcome, v.reference = &l, l.Outcome, l.Reference
		tellNobody(w.Header())
	}
	way := s.reach(r, v.addresses)
	if at := s.hashAddress(r); at != "" && len(v.addresses) < maxAddresses && !slices.Contains(v.addresses, at) {
		v.addresses = append(v.addresses, at)
	}
	roundTrip := v.look != "" && v.embedding != evidence.CrossOrigin
	if roundTrip && !s.fresh(v.run) {
		run := s.newRun()
		s.setRoundTrip(w, r, run)
		http.Redirect(w, r, r.URL.Path+"?"+v.query(v.look, run).Encode(), http.StatusSeeOther)
		return
	}
	e := evidence.Evidence{
		Host:     evidence.Told(v.outcome, v.reference, s.cfg.Outcomes),
		Identity: identity(r),
		Origin:   s.origin(r),
		Run: evidence.Run{
			Tier: evidence.HTML, TierReason: evidence.NoScript,
			Embedding: evidence.Saw(v.embedding), Before: v.before, Tried: v.tried,
			At: evidence.Saw(evidence.Moment{UTC: float64(s.now().UnixMilli())}),
		},
	}
	if v.outcome == "431" || v.outcome == "494" {
		// A server in front sends people here whose request it refused for its
		// length: 431 is HTTP's word for it (RFC 6585), 494 nginx's.
		e.Cookies.TooLarge = evidence.Saw(true)
	}
	if !s.cfg.Storage.OPFS {
		e.Storage.OPFS = evidence.Failed[bool]("undefined")
	}
	if s.cfg.Storage.VersionURL == "" {
		e.Storage.Build = evidence.Failed[evidence.Build]("undefined")
	}
	if s.cfg.IdentityProvider == "" {
		e.ThirdParty.Frame = evidence.Failed[string]("undefined")
	}
	e.Page.Rendered, e.Page.MaxAge = s.rendered(v.rendered), s.maxAge()
	switch v.look {
	case lookNoScript:
		e.Script.Runs = evidence.Saw(false)
	case lookNoFiles:
		e.Script.Runs, e.Script.Files = evidence.Saw(true), evidence.Saw(false)
	}
	if roundTrip {
		s.cookiesSeen(r, v.run).into(&e.Cookies)
	}
	way.into(&e.Network)
	agent.Identify(&e, s.policy)
	s.addClock(&e)
	s.document(w, r, v, e)
}

// hints are the client hints that are read, as evidence names them. Browsers
// send the first three unasked to secure origins, the others from the request on
// that follows an Accept-CH; none is worth a request of its own.
var hints = []string{"sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-ch-ua-platform-version", "sec-ch-ua-full-version-list"}

const (
	acceptHints = "Sec-CH-UA-Platform-Version, Sec-CH-UA-Full-Version-List"
	varyByAgent = "Accept-Language, User-Agent, X-Requested-With, Sec-CH-UA, Sec-CH-UA-Mobile, Sec-CH-UA-Platform, " + acceptHints
)

// identity is what the request says of the browser.
func identity(r *http.Request) evidence.Identity {
	claim := evidence.Claim{Agent: r.UserAgent(), Hints: map[string]string{}}
	for _, name := range hints {
		if value := r.Header.Get(name); value != "" {
			claim.Hints[name] = value
		}
	}
	id := evidence.Identity{Request: evidence.Saw(claim)}
	if app := r.Header.Get("X-Requested-With"); app != "" {
		id.Package = evidence.Saw(app)
	}
	return id
}

// A run holds the time of its start, so that a page which is loaded again
// when its cookie has expired starts another round trip instead of missing it.
const runTime = 45 * time.Second // the cookie lives 60 s

func (s *server) newRun() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:]) + fmt.Sprintf("%08x", uint32(s.now().Unix()))
}

func (s *server) fresh(run string) bool {
	if len(run) != 16 {
		return false
	}
	at, err := strconv.ParseUint(run[8:], 16, 32)
	age := s.now().Sub(time.Unix(int64(at), 0))
	return err == nil && age >= 0 && age < runTime
}

// frameConfig is what frame.js and the widget are told by the page.
type frameConfig struct {
	Base    string   `json:"base"`
	Exec    string   `json:"exec"`
	Wasm    string   `json:"wasm"`
	Origins []string `json:"origins"`
	Login   string   `json:"login"`
	Frame   bool     `json:"frame"`
	// Third is Latchkey's base on the site that people sign in over, if any.
	Third string        `json:"third,omitempty"`
	Site  widget.Site   `json:"site"`
	Host  evidence.Host `json:"host"`
	Phone widget.Phone  `json:"phone,omitzero"`
	Pair  string        `json:"pair"`
	Send  widget.Send   `json:"send,omitzero"`
	// Identity and Policy are what the browser's side needs to conclude who the
	// browser is.
	Identity evidence.Identity   `json:"identity"`
	Origin   evidence.Origin     `json:"origin"`
	Policy   agent.Policy        `json:"policy"`
	TooLarge evidence.Fact[bool] `json:"too_large,omitzero"`
	OPFS     bool                `json:"opfs,omitempty"`
	Version  string              `json:"version,omitempty"`
	// Keys are the names in storage that a person may have cleared.
	Keys []string `json:"keys,omitempty"`
	// Needs are what the login needs; see network.js.
	Needs  []frameNeed `json:"needs,omitempty"`
	Popups bool        `json:"popups,omitempty"`
	// Alone is what to show besides when the server cannot be asked any more.
	Alone map[string]frameFinding `json:"alone"`
	// At is the server's time, in milliseconds since 1970.
	At int64 `json:"at"`
	// From is the address that /reach is asked with: hashes of where this visit
	// came from.
	From string `json:"from,omitempty"`
	// Form, Action, Fields, Patches, Rendered and MaxAge are what looks.js and
	// network.js need to look at the login page.
	Form     string                               `json:"form"`
	Action   string                               `json:"action,omitempty"`
	Fields   []string                             `json:"fields,omitempty"`
	Patches  []string                             `json:"patches,omitzero"`
	Rendered evidence.Fact[evidence.Milliseconds] `json:"rendered,omitzero"`
	MaxAge   evidence.Fact[evidence.Milliseconds] `json:"max_age,omitzero"`
	Clock    clockConfig                          `json:"clock,omitzero"`
	// Lang is the page's language, Words where its words are, if the WebAssembly has
	// other ones, and Menus where those of menus in other languages are, by tags.
	Lang  string            `json:"lang"`
	Words string            `json:"words,omitempty"`
	Menus map[string]string `json:"menus"`
}

// clockConfig is what the server knows about clocks.
type clockConfig struct {
	Tolerances evidence.Fact[evidence.Tolerances]  `json:"tolerances,omitzero"`
	Server     evidence.Fact[evidence.ServerClock] `json:"server,omitzero"`
}

// frameFinding is a finding and how it is shown.
type frameFinding struct {
	View    string       `json:"view"`
	Finding diag.Finding `json:"finding"`
}

// alone is what somebody finds who does not reach us any more: nobody answers,
// the browser knows that it is off, or somebody else answers.
func (s *server) alone(r *http.Request, e evidence.Evidence) map[string]frameFinding {
	all := map[string]frameFinding{}
	for name, n := range map[string]evidence.Network{
		"silent":  {Echoes: evidence.Saw(evidence.Echoes{Sent: 1, Failed: 1})},
		"off":     {Echoes: evidence.Saw(evidence.Echoes{Sent: 1, Failed: 1}), Online: evidence.Saw(false)},
		"foreign": {Echoes: evidence.Saw(evidence.Echoes{Sent: 1, Foreign: 1})},
	} {
		alone := evidence.Evidence{Browser: e.Browser, Network: n}
		rep := report.New(alone, s.set.Diagnose(alone))
		i := slices.IndexFunc(rep.Findings, func(f diag.Finding) bool {
			return f.Check == "network-offline" || f.Check == "network-captive-portal"
		})
		f := rep.Findings[i]
		all[name] = frameFinding{app.HTMLString(widget.Finding(widget.Model{Report: rep, Site: s.site(r)}, s.words(r), f)), f}
	}
	return all
}

// pageHead is what all pages that people see have in their head.
const pageHead = `<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{.Title}}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{{.Style}}">
`

var documentTemplate = template.Must(template.New("document").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}" translate="no" class="notranslate" data-latchkey-tier="html" data-latchkey-state="done"{{if .Bring}} data-latchkey-bring{{end}}>
<head>
` + pageHead + `{{.Refresh}}
{{.Watch}}
{{range .Scripts}}<script src="{{.}}" defer></script>
{{end}}</head>
<body{{if .Config.Frame}} class="frame"{{end}}>
{{.View}}
{{.Bring}}
{{if .WithoutScript}}<p class="without-script"><a href="{{.WithoutScript}}">{{.WithoutScriptText}}</a></p>{{end}}
{{with .Switches}}<nav class="languages"><details id="latchkey-languages">
<summary id="latchkey-languages-summary"><svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="M8 .5a7.5 7.5 0 1 0 0 15a7.5 7.5 0 1 0 0-15M.5 8h15M8 .5c-5 4-5 11 0 15c5-4 5-11 0-15" fill="none" stroke="currentColor"/></svg> {{$.LanguageText}}</summary>
<ul>{{range .}}<li><a href="{{.Query}}" lang="{{.Tag}}" hreflang="{{.Tag}}" dir="{{.Dir}}" data-language="{{.Tag}}"{{if .Now}} aria-current="true"{{end}}>{{.Name}}</a></li>
{{end}}</ul></details></nav>{{end}}
<form id="latchkey-again" method="get">{{range $k, $v := .Again}}<input type="hidden" name="{{$k}}" value="{{index $v 0}}">{{end}}</form>
<script type="application/json" id="latchkey-report">{{.Report}}</script>
<script type="application/json" id="latchkey-config">{{.Config}}</script>
</body>
</html>
`))

func (s *server) document(w http.ResponseWriter, r *http.Request, v visit, e evidence.Evidence) {
	rep := report.New(e, s.set.Diagnose(e))
	lang, words := s.language(r), s.words(r)
	file, menus := s.wordFiles(lang)
	send := s.send(r, v.link)
	data := struct {
		Lang, Dir, Title, Style          string
		Switches                         []switchTo
		LanguageText                     string
		Scripts                          []string
		Refresh, Watch, View, Bring      template.HTML
		WithoutScript, WithoutScriptText string
		Again                            url.Values
		Report                           report.Report
		Config                           frameConfig
	}{
		Lang: words.Lang(), Dir: words.Dir(),
		Title: words.Text(nil, "ui.title"), Style: s.asset("latchkey.css"),
		Switches: s.switches(v, lang), LanguageText: words.Text(diag.Args{"name": lang.Name}, "ui.language"),
		Scripts: []string{s.asset("looks.js"), s.asset("clock.js"), s.asset("steps.js"), s.asset("words.js"), s.asset("network.js"), s.asset("frame.js"), s.asset("send.js")},
		View:    s.view(r, widget.Model{Report: rep, Frame: v.frame, Address: s.address(r, v), Send: send}),
		Report:  rep,
		Config: frameConfig{
			Base: s.base, Exec: s.asset("wasm_exec.js"), Wasm: s.asset("widget.wasm"),
			Origins: append([]string{}, s.cfg.Embed.Origins...),
			Login:   s.cfg.Site.Login, Frame: v.frame, Third: s.cfg.IdentityProvider, Site: s.site(r),
			Host: e.Host, Identity: e.Identity, Policy: s.policy, Origin: e.Origin, Keys: s.cfg.Repair.Keys, TooLarge: e.Cookies.TooLarge,
			From: strings.Join(v.addresses, " "),
			OPFS: s.cfg.Storage.OPFS, Version: s.cfg.Storage.VersionURL,
			Alone: s.alone(r, e), Phone: s.phoneCheckFor(r, rep), Pair: s.asset("pair.js"), Send: send,
			Needs: s.frameNeeds(r), Popups: s.cfg.Popups, At: s.now().UnixMilli(),
			Form: s.cfg.Page.Form, Action: s.cfg.Page.Action, Fields: s.cfg.Page.Fields, Patches: s.cfg.Page.Patches,
			Rendered: e.Page.Rendered, MaxAge: e.Page.MaxAge,
			Clock: clockConfig{e.Clock.Tolerances, e.Clock.Server},
			Lang:  lang.Tag, Words: file, Menus: menus,
		},
	}
	if len(v.before) == 0 {
		for _, f := range rep.Findings {
			v.before = append(v.before, f.Check)
		}
	}
	if v.with != "" {
		data.Scripts, data.Bring = append(data.Scripts, s.asset("bring.js")), s.bringPart(words, v.with)
	}
	data.Again = v.query(v.look, "")
	data.Again.Del("tried") // the buttons have it
	if v.look == "" {
		v.before = nil
		// html/template takes no addresses in a meta element's content.
		to := template.HTMLEscapeString(r.URL.Path + "?" + v.query(lookNoScript, "").Encode())
		data.Refresh = template.HTML(`<noscript><meta http-equiv="refresh" content="0; url=` + to + `"></noscript>`)
		data.WithoutScript = "?" + v.query(lookByLink, "").Encode()
		data.Watch = template.HTML("<script>" + filesScript + "</script>")
		data.WithoutScriptText = words.Text(nil, "ui.withoutscript")
	}
	s.html(w, http.StatusOK, documentTemplate, data)
}

func (s *server) html(w http.ResponseWriter, status int, t *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", documentPolicy(s.cfg, true))
	w.Header().Set("Accept-CH", acceptHints)
	w.Header().Add("Vary", varyByAgent)
	w.WriteHeader(status)
	if err := t.Execute(w, data); err != nil {
		s.log.Warn("page not written", "error", err)
	}
}

// view is the same component that the wasm tier mounts.
func (s *server) view(r *http.Request, m widget.Model) template.HTML {
	m.Site, m.Phone, m.Pair = s.site(r), s.phoneCheckFor(r, m.Report), s.asset("pair.js")
	return template.HTML(app.HTMLString(widget.View(m, s.words(r))))
}

// site is what the screen is told of the site. Without a login page in the
// configuration its host is taken to be the one that was asked.
func (s *server) site(r *http.Request) widget.Site {
	return widget.Site{
		Name: s.cfg.Site.Name, Host: hostname(cmp.Or(s.cfg.Site.Login, "//"+r.Host)), Login: s.cfg.Site.Login,
		Logo:   s.logoPath(),
		Clears: len(s.cfg.Cookies) > 0,
		Phone:  s.cfg.Support.Phone, Email: s.cfg.Support.Email, Hours: s.cfg.Support.Hours, URL: s.cfg.Support.URL,
	}
}

var fragmentTemplate = template.Must(template.New("fragment").Parse(
	`{{.View}}<script type="application/json" data-report>{{.Report}}</script>`))

// diagnose judges posted evidence, in memory: it is neither stored nor logged.
func (s *server) diagnose(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	var e evidence.Evidence
	if err == nil {
		e, err = report.Decode(data, report.SomeNew)
	}
	if err != nil {
		status := http.StatusBadRequest
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
		return
	}
	s.addSeen(r, &e)
	s.set.Contrast(&e)
	rep := report.New(e, s.set.Diagnose(e))
	w.Header().Add("Vary", "Accept")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		writeJSON(w, rep)
		return
	}
	m := widget.Model{Report: rep, Frame: r.URL.Query().Has("frame"), Send: s.send(r, s.linkOf(r))}
	if r.URL.Query().Has("running") {
		m.All = 1 // a higher tier is pending
	}
	s.html(w, http.StatusOK, fragmentTemplate, struct {
		View   template.HTML
		Report report.Report
	}{s.view(r, m), rep})
}

// address is where a person goes on in another browser: this page, or the login
// page around the frame as far as the server knows it.
func (s *server) address(r *http.Request, v visit) string {
	if v.frame && s.cfg.Site.Login != "" {
		return s.cfg.Site.Login
	}
	v.addresses = nil // another browser's may be reached another way
	u := url.URL{Scheme: "http", Host: r.Host, Path: s.base + "/", RawQuery: v.query("", "").Encode()}
	if s.https(r) {
		u.Scheme = "https"
	}
	return u.String()
}

// origin is where the page was asked for.
func (s *server) origin(r *http.Request) evidence.Origin {
	o := evidence.Origin{Scheme: evidence.Saw("http"), Canonical: evidence.Fact[string]{State: evidence.Absent}}
	if s.https(r) {
		o.Scheme = evidence.Saw("https")
	}
	o.Host = evidence.Saw(hostname("//" + r.Host))
	if s.cfg.Site.Login != "" {
		o.Canonical = evidence.Saw(hostname(s.cfg.Site.Login))
	}
	return o
}

func hostname(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// addSeen puts in what the request itself shows of the browser that posted,
// where the evidence does not say it already.
func (s *server) addSeen(r *http.Request, e *evidence.Evidence) {
	clock.Conclude(&e.Clock)
	run := r.URL.Query().Get("run")
	if !runForm.MatchString(run) { // somebody judges evidence from elsewhere
		agent.Identify(e, s.policy)
		return
	}
	if !e.Browser.Family.Known() && !e.Identity.Request.Known() {
		e.Identity.Request = identity(r).Request
	}
	if !evidence.Is(e.Run.Embedding, evidence.CrossOrigin) {
		s.cookiesSeen(r, run).into(&e.Cookies)
	}
	s.reach(r, addresses(r)).into(&e.Network)
	agent.Identify(e, s.policy)
	s.addClock(e)
}

var tooManyTemplate = template.Must(template.New("too-many").Parse(
	`<p class="too-many" role="alert">{{.Advice}}{{with .Phone}} <bdi>{{.}}</bdi>{{end}}</p>`))

var tooManyPageTemplate = template.Must(template.Must(tooManyTemplate.Clone()).New("page").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}" data-latchkey-tier="html" data-latchkey-state="done">
` + pageHead + `<main class="card"><h1>{{.Title}}</h1>{{template "too-many" .}}</main>
</html>
`))

// tooMany is advice, for a person who is refused is in trouble already.
func (s *server) tooMany(w http.ResponseWriter, r *http.Request, t *template.Template) {
	words := s.words(r)
	s.html(w, http.StatusTooManyRequests, t, struct{ Lang, Dir, Title, Style, Advice, Phone string }{
		words.Lang(), words.Dir(), words.Text(nil, "ui.title"), s.asset("latchkey.css"), words.Text(nil, "ui.toomany"), s.cfg.Support.Phone,
	})
}

func (s *server) tooManyPage(w http.ResponseWriter, r *http.Request) {
	s.tooMany(w, r, tooManyPageTemplate)
}

func (s *server) tooManyFragment(w http.ResponseWriter, r *http.Request) {
	s.tooMany(w, r, tooManyTemplate)
}
