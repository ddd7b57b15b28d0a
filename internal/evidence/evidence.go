// Package evidence holds what was seen of one sign-in: plain facts, and
// nothing about what they mean. A fact that nobody looked for is as much a
// value as one that was seen, so the zero Evidence is valid: nothing was seen.
//
// Every field says by a send tag whether it may leave the browser:
//
//	send:"yes"     as it is
//	send:"coarse"  reduced by the value's Coarse method
//	send:"no"      never (also the meaning of no tag at all)
package evidence

import "math"

// Evidence is everything known about one failed sign-in. The judge reads it,
// probes, frame.js and the server write it.
type Evidence struct {
	Host       Host       `json:"host,omitzero" send:"yes"`
	Run        Run        `json:"run,omitzero" send:"yes"`
	Identity   Identity   `json:"identity,omitzero" send:"no"`
	Browser    Browser    `json:"browser,omitzero" send:"yes"`
	Script     Script     `json:"script,omitzero" send:"yes"`
	Origin     Origin     `json:"origin,omitzero" send:"yes"`
	Cookies    Cookies    `json:"cookies,omitzero" send:"yes"`
	ThirdParty ThirdParty `json:"third_party,omitzero" send:"yes"`
	Storage    Storage    `json:"storage,omitzero" send:"yes"`
	Clock      Clock      `json:"clock,omitzero" send:"yes"`
	Network    Network    `json:"network,omitzero" send:"yes"`
	Page       Page       `json:"page,omitzero" send:"yes"`
}

// Host is what the login page and its server said of the failure.
type Host struct {
	// Outcome is one of the contract's outcomes; unasked if nobody said.
	Outcome Fact[Outcome] `json:"outcome,omitzero" send:"yes"`
	// Code is the site's own code where it is not one of the outcomes.
	Code Fact[string] `json:"code,omitzero" send:"yes"`
	// Reference is the site's request id, for support to find its log line.
	Reference Fact[string] `json:"reference,omitzero" send:"yes"`
}

// Run tells how the looking itself went.
type Run struct {
	Tier Tier `json:"tier,omitzero" send:"yes"`
	// TierReason says why no higher tier could start; empty if none failed.
	TierReason TierReason `json:"tier_reason,omitzero" send:"yes"`
	// Embedding says where the page that looks stands; see the constants.
	Embedding Fact[Embedding] `json:"embedding,omitzero" send:"yes"`
	// At is when the look began.
	At Fact[Moment] `json:"at,omitzero" send:"coarse"`
	// Before holds the ids of what the first look found, if this is a later one.
	Before []string `json:"before,omitzero" send:"yes"`
	// Tried holds the ids of fixes that the person has carried out and that did not
	// get them in.
	Tried Names `json:"tried,omitzero" send:"yes"`
	// Compared tells of looks under one changed condition each.
	Compared Comparisons `json:"compared,omitzero" send:"yes"`
	// Seconds are the looks that Compared is concluded from.
	Seconds Seconds `json:"seconds,omitzero" send:"no"`
}

// Moment is a time by the server's clock.
type Moment struct {
	// UTC is in milliseconds since 1970.
	UTC float64 `json:"utc"`
	// Zone is how many minutes the device's own time is ahead of UTC.
	Zone int `json:"zone"`
}

// Coarse rounds down to whole minutes.
func (m Moment) Coarse() any {
	m.UTC = math.Floor(m.UTC/60_000) * 60_000
	return m
}

// Browser is who the browser is, as package agent concludes from Identity. What
// the browser does not tell, or tells wrongly on purpose (frozen values), is
// absent.
type Browser struct {
	Family Fact[string] `json:"family,omitzero" send:"yes"`
	Major  Fact[int]    `json:"major,omitzero" send:"yes"`
	// Engine is the one that the browser behaves like, where that was looked at.
	Engine Fact[string] `json:"engine,omitzero" send:"yes"`
	// EngineMajor is the version of the engine where the family's own number
	// says nothing about it, such as Chromium's behind a shell's.
	EngineMajor   Fact[int]    `json:"engine_major,omitzero" send:"yes"`
	System        Fact[string] `json:"system,omitzero" send:"yes"`
	SystemVersion Fact[string] `json:"system_version,omitzero" send:"yes"`
	Device        Fact[string] `json:"device,omitzero" send:"yes"`
	// Embedded is whether an app that is no browser shows the page in a view of
	// its own.
	Embedded Fact[bool] `json:"embedded,omitzero" send:"yes"`
	// App is that app; absent if it does not say its name.
	App Fact[string] `json:"app,omitzero" send:"yes"`
	// Presents is what the browser presents itself as, such as "Firefox 140,
	// Windows", where what it is by its other channels or its behaviour is
	// something else. It is absent where all agree.
	Presents Fact[string] `json:"presents,omitzero" send:"yes"`
	// Standing is how the browser stands to what the site supports.
	Standing Fact[Standing] `json:"standing,omitzero" send:"yes"`
	// Features are those that the site says signing in needs, each tried here.
	Features Fact[Features] `json:"features,omitzero" send:"yes"`
}

// Features tells which features work and which do not.
type Features struct {
	Works Names `json:"works,omitempty"`
	Lacks Names `json:"lacks,omitempty"`
}

// Standing is how a browser stands to what the site supports. Numbers are
// majors and count releases of By.
type Standing struct {
	// By is the family whose numbers are compared: the browser's own, or the
	// one that its engine is known by.
	By   string `json:"by"`
	Have int    `json:"have"`
	// Wanted is the lowest that the site supports; 0 if it supports none.
	Wanted int `json:"wanted"`
	// Best is the newest that this device's system can have; 0 if unknown.
	Best int `json:"best,omitempty"`
	// Others is whether another family of which the site supports what the
	// system can have is there to change to.
	Others bool `json:"others,omitempty"`
	// Released is when Have came out, as in 2020-11; empty if unknown.
	Released string `json:"released,omitempty"`
	// Dated is the day of the data about releases, as in 2026-08-07.
	Dated string `json:"dated,omitempty"`
}

// Script is about running programs in the page.
type Script struct {
	// Runs is whether the page's scripts run at all. Only a browser that
	// followed the no-script redirect is known not to run them.
	Runs Fact[bool] `json:"runs,omitzero" send:"yes"`
	// Wasm is whether a real, tiny WebAssembly module could be instantiated.
	Wasm Fact[bool] `json:"wasm,omitzero" send:"yes"`
	// WasmType is the content type under which widget.wasm arrived.
	WasmType Fact[string] `json:"wasm_type,omitzero" send:"yes"`
	// WasmTime is how long a loop of 1,000,000 additions took in WebAssembly. An
	// interpreter, as in Edge's enhanced security, takes many times as long as
	// a compiler: 10 ms and 1 in WebKitGTK 2.50. The clocks of Firefox and WebKit
	// go by whole milliseconds.
	WasmTime Fact[Tens] `json:"wasm_time,omitzero" send:"coarse"`
	// Files is whether script files of this site run where a script in the page
	// does.
	Files Fact[bool] `json:"files,omitzero" send:"yes"`
	// Popups is whether a window could be opened in a click; absent where the
	// login opens none.
	Popups Fact[bool] `json:"popups,omitzero" send:"yes"`
}

// Cookies is about this site's own cookies.
type Cookies struct {
	// Enabled is navigator.cookieEnabled: false is true, true says nothing
	// (Chromium 156 and WebKitGTK 2.50 say true with all cookies blocked,
	// seen 2026-11; Firefox 153 says false).
	Enabled Fact[bool] `json:"enabled,omitzero" send:"yes"`
	// Script is whether document.cookie kept a cookie that was just written.
	Script Fact[bool] `json:"script,omitzero" send:"yes"`
	// HTTP is whether a cookie that the server set came back to it.
	HTTP Fact[bool] `json:"http,omitzero" send:"yes"`
	// Kinds is what became of cookies with the attributes of the login's own.
	Kinds Fact[Kinds] `json:"kinds,omitzero" send:"yes"`
	// Jar is what this site's cookies look like to the server.
	Jar Fact[Jar] `json:"jar,omitzero" send:"yes"`
	// Gone names the cookies that had come back and were lost seconds later.
	Gone Fact[Names] `json:"gone,omitzero" send:"yes"`
	// Left names the cookies of the login that could not be taken away when the
	// person asked for it.
	Left Fact[Names] `json:"left,omitzero" send:"yes"`
	// TooLarge is whether the server refused a request with cookies and took the
	// same one without.
	TooLarge Fact[bool] `json:"too_large,omitzero" send:"yes"`
}

// Storage is about this site's own storage: each by writing, reading and
// deleting, never by mere existence.
type Storage struct {
	Local     Fact[bool] `json:"local,omitzero" send:"yes"`
	Session   Fact[bool] `json:"session,omitzero" send:"yes"`
	IndexedDB Fact[bool] `json:"indexed_db,omitzero" send:"yes"`
	Cache     Fact[bool] `json:"cache,omitzero" send:"yes"`
	// OPFS is the origin's private file system; absent where the login does not
	// need it.
	OPFS Fact[bool] `json:"opfs,omitzero" send:"yes"`
	// Build is what the site's version address says; absent where the operator
	// names none.
	Build Fact[Build] `json:"build,omitzero" send:"yes"`
}

// Build compares the site's version as the browser has it with the server's.
type Build struct {
	// Same is whether the version address says the same as from the server
	// itself, past all caches.
	Same bool `json:"same"`
	// Worker is whether a service worker answers for the site.
	Worker bool `json:"worker,omitempty"`
}

// Page is what embed.js recorded in the login page before it was asked, and what
// looks.js sees of that page where it may. Of what a person typed it holds yes
// or no, never a character, a length or a place.
type Page struct {
	Age Fact[Milliseconds] `json:"age,omitzero" send:"coarse"`
	// Rendered is the page's age by the server's clock, from the time that the
	// site signed. A signature that does not fit leaves it absent.
	Rendered Fact[Milliseconds] `json:"rendered,omitzero" send:"coarse"`
	// MaxAge is how long the site's operator says that a page is good for.
	MaxAge Fact[Milliseconds] `json:"max_age,omitzero" send:"coarse"`
	// Restored is whether the browser brought the page back as it was.
	Restored Fact[bool] `json:"restored,omitzero" send:"yes"`
	// Discarded is whether the browser had put the tab aside to save memory.
	// Chromium alone says so.
	Discarded Fact[bool] `json:"discarded,omitzero" send:"yes"`
	// Translated is whether a translator has changed the page.
	Translated Fact[bool] `json:"translated,omitzero" send:"yes"`
	// Tabs are the other tabs that have the login page open.
	Tabs Fact[Tabs] `json:"tabs,omitzero" send:"yes"`
	// CapsLock is as the newest key or movement of the mouse told; absent before
	// there was one.
	CapsLock Fact[bool] `json:"caps_lock,omitzero" send:"yes"`
	// BlankEnds is whether the user name begins or ends with a blank.
	BlankEnds Fact[bool] `json:"blank_ends,omitzero" send:"yes"`
	// AutofillUnseen is whether the browser shows fields as filled that are
	// empty to the page, or whose button is still off.
	AutofillUnseen Fact[bool] `json:"autofill_unseen,omitzero" send:"yes"`
	// Altered counts what is otherwise than the operator says the page is made.
	Altered      Fact[Altered] `json:"altered,omitzero" send:"yes"`
	ScriptErrors Fact[int]     `json:"script_errors,omitzero" send:"yes"`
	// Failed holds the addresses of scripts, styles and frames that did not load.
	Failed Fact[Addresses] `json:"failed,omitzero" send:"coarse"`
	// Violations holds policy violations, each "directive address".
	Violations Fact[Addresses] `json:"violations,omitzero" send:"coarse"`
}

// Altered counts what somebody changed in the login page. It names nobody.
type Altered struct {
	// Action is whether the form goes elsewhere.
	Action bool `json:"action,omitempty"`
	// Fields are those of the form that are gone or have another name.
	Fields int `json:"fields,omitempty"`
	// Natives are functions of the browser that are wrapped, and not by the site.
	Natives int `json:"natives,omitempty"`
	// Foreign are elements beside head and body, where no site puts any.
	Foreign int `json:"foreign,omitempty"`
}

// Tabs counts the other tabs of the login page, and of them those that were
// opened after this one.
type Tabs struct {
	Others int `json:"others"`
	Newer  int `json:"newer"`
}

// Tier names how much of Latchkey ran.
type Tier string

// The tiers, each able to do all that the one before can.
const (
	HTML Tier = "html"
	JS   Tier = "script"
	Wasm Tier = "wasm"
)

// TierReason says why no higher tier ran.
type TierReason string

// The reasons, as the contract names them.
const (
	NoReason    TierReason = ""
	NoScript    TierReason = "no-script"
	NoWasm      TierReason = "absent"
	Policy      TierReason = "policy"
	NoCompiler  TierReason = "no-compiler"
	HTTPError   TierReason = "http"
	ContentType TierReason = "content-type"
	Truncated   TierReason = "truncated"
	Stalled     TierReason = "stalled"
	Crashed     TierReason = "crashed"
)

// Embedding says where the document that looks is shown.
type Embedding string

// The embeddings. In CrossOrigin the facts about cookies and storage are those
// that embed.js took in the login page: what a third-party frame may do is
// another question.
const (
	Top         Embedding = "top"
	SameOrigin  Embedding = "same-origin"
	CrossOrigin Embedding = "cross-origin"
)
