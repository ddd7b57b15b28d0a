package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// model is what is known of the checks' faults as reasons of a failed sign-in: where
// each sits, and how often it is the reason where that differs from what its
// impact says (what blocks often, what slows sometimes, a note rarely). What each
// outcome follows from stands with the checks that repeat it, in told.go. Numbers
// are levels; behind each stands the case (of the casebook) or the source that it
// was set by. What is alone in its row, by seat only, is as its impact says.
var model = diag.Model{
	Causes: []diag.Cause{
		// Whose cookie is surely refused cannot have signed in, whatever the form
		// says (14); who merely uses plain http in an intranet mistypes, too.
		{ID: "javascript-off", Seat: diag.Browser, Priors: noPassword},
		{ID: "cookies-blocked", Seat: diag.Browser, Priors: noPassword},
		{ID: "cookies-vanish", Seat: diag.Profile, Priors: noPassword},
		{ID: "cookies-insecure-origin", Seat: diag.Site, Priors: noPassword},
		{ID: "cookies-wrong-host", Seat: diag.Site, Priors: noPassword},
		{ID: "cookies-too-large", Seat: diag.Profile, Priors: noPassword},
		{ID: "cookies-duplicated", Seat: diag.Profile},

		// Safari and Firefox keep the cookies of other sites apart for everybody, and
		// most of these people, a fourth of all or so, sign in. Single sign-on over a
		// frame is what breaks by it (15, 16, 19).
		{ID: "cookies-third-party-blocked", Seat: diag.Browser, Bystander: 0.25,
			Priors: []diag.Given{{When: evidence.SSOFailed, Is: diag.Usual}, {When: evidence.SessionLost, Is: diag.Often}}},

		{ID: "storage-blocked", Seat: diag.Browser},
		{ID: "storage-full", Seat: diag.Device},
		{ID: "storage-stale-worker", Seat: diag.Profile},

		{ID: "network-captive-portal", Seat: diag.Network},
		{ID: "network-offline", Seat: diag.Network},
		// Most people have no VPN to pause (42).
		{ID: "network-host-unreachable", Seat: diag.Network, Helps: []diag.Helping{{Fix: "pause-vpn", Is: diag.Barely}}},
		{ID: "network-local-access", Seat: diag.Browser},
		// Programs that read what is encrypted are often on the device, and come
		// along into another network (66).
		{ID: "websocket-blocked", Seat: diag.Network, Helps: []diag.Helping{{Fix: "try-other-network", Is: diag.Unlikely}, {Fix: "pause-vpn", Is: diag.Barely}}},
		{ID: "network-intercepted", Seat: diag.Network, Helps: []diag.Helping{{Fix: "try-other-network", Is: diag.Unlikely}}},
		// Extensions change the pages of the login, hardly one that nobody knows.
		{ID: "network-rewritten", Seat: diag.Network, Helps: []diag.Helping{{Fix: "pause-extensions", Is: diag.Unlikely}}},
		{ID: "network-slow", Seat: diag.Network, Helps: []diag.Helping{{Fix: "pause-vpn", Is: diag.Unlikely}}},
		{ID: "network-address-changes", Seat: diag.Network},

		{ID: "script-policy", Seat: diag.Site},
		{ID: "script-blocked", Seat: diag.Profile},
		{ID: "popup-blocked", Seat: diag.Browser},

		{ID: "browser-compat-mode", Seat: diag.Browser},
		{ID: "browser-embedded-view", Seat: diag.Browser},
		// A few in a hundred browsers are older than what a site supports, and mostly
		// get in all the same.
		{ID: "browser-unsupported", Seat: diag.Browser, Bystander: 0.03},
		{ID: "browser-outdated", Seat: diag.Browser, Bystander: 0.03},
		// A second factor may be a security key.
		{ID: "browser-lacks-feature", Seat: diag.Browser, Priors: []diag.Given{{When: evidence.MFARejected, Is: diag.Rare}}},

		{ID: "clock-wrong", Seat: diag.Device, Priors: deviceClock},
		{ID: "clock-time-zone", Seat: diag.Device, Priors: deviceClock},
		{ID: "clock-unstable", Seat: diag.Device, Priors: deviceClock},
		// It spoils codes (48) and nothing else.
		{ID: "clock-phone-wrong", Seat: diag.Account, Prior: diag.Hardly, Priors: []diag.Given{{When: evidence.MFARejected, Is: diag.Often}}},
		// Hardly a server's is off, and if so, all who need codes are locked out (49).
		{ID: "server-clock-wrong", Seat: diag.Site, Bystander: 0.01},

		// By far the most common story of a lost session (23, 25, 26).
		{ID: "page-stale", Seat: diag.Profile, Priors: []diag.Given{{When: evidence.SessionLost, Is: diag.Often}}},
		{ID: "page-several-tabs", Seat: diag.Profile, Priors: []diag.Given{{When: evidence.SessionLost, Is: diag.Sometimes}}}, // 21, 22
		{ID: "page-altered", Seat: diag.Profile},

		{ID: "input-caps-lock", Seat: diag.Account},
		{ID: "input-blank-ends", Seat: diag.Account},
		{ID: "input-autofill-unseen", Seat: diag.Account},

		// A slip is what most wrong passwords are, and of slips one in ten is Caps Lock
		// (Chatterjee et al., pASSWORD tYPOS, IEEE S&P 2016).
		{ID: "account-credentials", Seat: diag.Account, Whole: true,
			Helps: []diag.Helping{{Fix: "retype-credentials", Is: diag.Half}, {Fix: "reset-password", Is: diag.Mostly}, {Fix: "check-caps-lock", Is: diag.Barely}}},
		{ID: "account-locked", Seat: diag.Account, Whole: true},
		{ID: "account-disabled", Seat: diag.Account, Whole: true},
		{ID: "account-password-expired", Seat: diag.Account, Whole: true},
		{ID: "account-code-rejected", Seat: diag.Account, Whole: true},
		{ID: "account-code-not-delivered", Seat: diag.Account, Whole: true},
		{ID: "account-not-registered", Seat: diag.Account, Whole: true},
		{ID: "account-throttled", Seat: diag.Account, Whole: true, Helps: []diag.Helping{{Fix: "try-other-network", Is: diag.Half}}}, // 75
		{ID: "account-reset-not-delivered", Seat: diag.Account, Whole: true},

		// These repeat a symptom: the reason was not seen, and sits anywhere.
		{ID: "account-sso-failed", Seat: diag.Account},
		{ID: "session-lost", Seat: diag.Profile}, // a new start has a new session
		{ID: "captcha-failed"},
		{ID: "no-response"},

		{ID: "service-maintenance", Seat: diag.Site, Whole: true},
		{ID: "service-error", Seat: diag.Site},
		{ID: "site-fault", Seat: diag.Site},

		// Few logins need it, but settings that turn it off stop more than that
		// (62, 63), and puzzles use it: where nothing happens it is a lead, and no more.
		{ID: "webassembly-off", Seat: diag.Browser, Bystander: 0.05, Priors: []diag.Given{{When: evidence.NoResponse, Is: diag.Sometimes}, {When: evidence.CaptchaFailed, Is: diag.Rare}}},
	},
	// A third of the cases were invisible: told apart by a private window (an
	// extension of its own kind), another network, the operator's log or the
	// directory, and now and then by a device or browser.
	Unseen: [...]diag.Level{
		diag.Site: diag.Sometimes, diag.Profile: diag.Sometimes, diag.Network: diag.Sometimes, diag.Account: diag.Sometimes,
		diag.Browser: diag.Rare, diag.Device: diag.Rare,
	},
}

// noPassword is how often no password can be right.
var noPassword = []diag.Given{{When: evidence.InvalidCredentials, Is: diag.Rare}}

// deviceClock is how often this device's clock is the reason. A token that is not yet
// or no longer good comes from an identity provider (44, 46), or has a page
// fetch another one without end (45). Puzzles look at the clock, too (Cloudflare
// Turnstile, error 200100), and now and then the codes are made on this device.
var deviceClock = []diag.Given{{When: evidence.SSOFailed, Is: diag.Often}, {When: evidence.NoResponse, Is: diag.Sometimes}, {When: evidence.CaptchaFailed, Is: diag.Rare}, {When: evidence.MFARejected, Is: diag.Rare}}

// fixes are all the things that can be done, by the ids of the contract, with what
// each costs the person: seconds at the keyboard, and effort besides. Waiting
// without doing anything counts a quarter. How each is done in which browser is
// a matter of words; see package text.
var fixes = []diag.Fix{
	{ID: "allow-cookies", Seconds: 60, Effort: diag.Some, Offered: hasMenu},
	{ID: "allow-local-network", Seconds: 30, Effort: diag.Some, Offered: hasMenu},
	{ID: "allow-popups", Seconds: 30, Effort: diag.Some, Offered: hasMenu},
	{ID: "allow-scripts", Seconds: 30, Effort: diag.Some, Offered: hasMenu},
	{ID: "allow-storage-access", Seconds: 10, Offered: grantsStorageAccess},             // a button
	{ID: "allow-third-party-cookies", Seconds: 60, Effort: diag.Much, Offered: hasMenu}, // less protection on all sites
	{ID: "ask-it-to-allow", Seconds: 120, Who: diag.Organisation, Listed: diag.Half},    // with a text that is ready
	{ID: "ask-it-to-set-clock", Seconds: 120, Who: diag.Organisation, Listed: diag.Half, Offered: isComputer},
	{ID: "check-caps-lock", Seconds: 5, Offered: hasKeyboard},
	{ID: "check-connection", Seconds: 60},
	{ID: "check-spam-folder", Seconds: 60},
	{ID: "clear-site-data", Seconds: 60, Effort: diag.Some, Offered: hasMenu},
	{ID: "close-other-tabs", Seconds: 20},
	{ID: "contact-administrator", Seconds: 120, Who: diag.Organisation, Listed: diag.Half},
	{ID: "contact-support", Seconds: 300, Who: diag.Support, Always: diag.Surely},
	{ID: "free-storage", Seconds: 150, Effort: diag.Some},
	{ID: "leave-compat-mode", Seconds: 60, Effort: diag.Some},
	{ID: "open-canonical-address", Seconds: 15},
	{ID: "open-in-browser", Seconds: 30, Offered: isEmbedded},
	{ID: "pause-extensions", Seconds: 120, Effort: diag.Some, Offered: hasExtensions}, // one after the other, and on again
	{ID: "pause-vpn", Seconds: 30, Effort: diag.Some},
	{ID: "reload-page", Seconds: 5},
	{ID: "remove-old-cookies", Seconds: 30, Effort: diag.Some},
	{ID: "report-to-site", Seconds: 120, Who: diag.Organisation, Listed: diag.Half},
	{ID: "resend-code", Seconds: 60},
	{ID: "reset-password", Seconds: 180, Effort: diag.Some},
	{ID: "retype-credentials", Seconds: 20},
	{ID: "set-clock-automatically", Seconds: 60, Effort: diag.Some},
	{ID: "set-phone-clock", Seconds: 60, Effort: diag.Some, Offered: phoneMayBeWrong},
	{ID: "set-time-zone", Seconds: 60, Effort: diag.Some},
	{ID: "sign-in-to-portal-network", Seconds: 60},
	{ID: "start-sign-in-again", Seconds: 20},
	{ID: "try-other-network", Seconds: 90, Effort: diag.Some, Moves: []diag.Seat{diag.Network}, Shows: diag.Surely},
	// Extensions can be allowed there, and Firefox and Brave block more there.
	{ID: "try-private-window", Seconds: 30, Moves: []diag.Seat{diag.Profile}, Shows: diag.Mostly, Offered: hasMenu},
	{ID: "turn-off-translation", Seconds: 5},
	{ID: "turn-on-javascript", Seconds: 60, Effort: diag.Some},
	{ID: "turn-on-webassembly", Seconds: 60, Effort: diag.Some, Offered: canSetWebAssembly},
	{ID: "update-browser", Seconds: 180}, // a restart, mostly
	{ID: "use-backup-code", Seconds: 60, Effort: diag.Some},
	{ID: "use-https", Seconds: 15},
	{ID: "use-organisation-sign-in", Seconds: 60},
	// Another one may have the same policies, and the same extensions by sync.
	{ID: "use-other-browser", Seconds: 120, Effort: diag.Some, Moves: []diag.Seat{diag.Profile, diag.Browser}, Shows: diag.Mostly},
	{ID: "use-other-device", Seconds: 120, Effort: diag.Much, Moves: []diag.Seat{diag.Profile, diag.Browser, diag.Device}, Shows: diag.Surely},
	{ID: "wait-and-retry", Seconds: 225},       // 15 minutes
	{ID: "wait-for-maintenance", Seconds: 900}, // an hour
	{ID: "wait-for-unlock", Seconds: 450},      // 30 minutes
}
