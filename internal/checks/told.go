package checks

import (
	"slices"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// told makes the check that repeats what the login server said. Only the host
// can know these; a browser shows no sign of them, and nothing is guessed. A
// technical finding that explains the outcome is named in after.
func told(id string, outcome evidence.Outcome, after []string, fixes ...string) diag.Check {
	return diag.Check{
		ID:     id,
		Impact: diag.Blocks,
		Uses:   func(e *evidence.Evidence) []evidence.Seen { return facts(&e.Host.Outcome) },
		After:  after,
		Told:   true,
		Run: func(e evidence.Evidence) diag.Outcome {
			if !evidence.Is(e.Host.Outcome, outcome) {
				return diag.Skip()
			}
			return diag.Fail(diag.Sure, fixes...)
		},
	}
}

// What explains several outcomes.
var (
	// noCookies are why nothing that the login needs comes back.
	noCookies = []string{"javascript-off", "cookies-blocked", "cookies-vanish"}
	// lostCookies are why the very cookie of the login does not.
	lostCookies = []string{
		"cookies-insecure-origin", "cookies-wrong-host", "cookies-too-large", "cookies-duplicated", "cookies-third-party-blocked", "site-fault",
		"storage-blocked", "storage-full", "storage-stale-worker", "browser-embedded-view",
	}
	// missing are why a part of the page does not come or does nothing.
	missing = []string{"network-offline", "network-captive-portal", "network-host-unreachable", "network-rewritten", "network-slow",
		"script-blocked", "script-policy", "websocket-blocked", "page-altered"}
	// clocks are why what has a time on it looks expired or not valid yet.
	clocks = []string{"server-clock-wrong", "clock-unstable", "clock-time-zone", "clock-wrong"}
	// oldBrowser are why a page does not run, or deals with cookies in ways of its own:
	// Internet Explorer mode has other cookies than Edge, and browsers of before
	// 2019 take SameSite=None for Strict (Chromium's list of incompatible clients).
	oldBrowser = []string{"browser-compat-mode", "browser-unsupported", "browser-outdated", "browser-lacks-feature"}
	// oldPage are why the page is not the one that the server expects.
	oldPage = []string{"page-stale", "page-several-tabs", "network-address-changes"}
)

var (
	// Without cookies or scripts no password can be right, and many a login
	// form says "wrong password" to a request that came without its cookie.
	accountCredentials = told("account-credentials", evidence.InvalidCredentials,
		slices.Concat(noCookies, []string{"input-caps-lock", "input-blank-ends", "input-autofill-unseen", "page-altered"}),
		"check-caps-lock", "retype-credentials", "reset-password", "contact-support")

	accountLocked = told("account-locked", evidence.AccountLocked, nil,
		"wait-for-unlock", "contact-administrator", "contact-support")

	accountDisabled = told("account-disabled", evidence.AccountDisabled, nil,
		"contact-administrator", "contact-support")

	accountPasswordExpired = told("account-password-expired", evidence.PasswordExpired, nil,
		"reset-password", "contact-administrator")

	// The clock of this device is no cause: codes come from the phone's.
	accountCodeRejected = told("account-code-rejected", evidence.MFARejected, []string{"server-clock-wrong", "clock-phone-wrong"},
		"set-phone-clock", "resend-code", "use-backup-code", "contact-support")

	accountCodeNotDelivered = told("account-code-not-delivered", evidence.MFANotDelivered, nil,
		"check-spam-folder", "resend-code", "use-backup-code", "contact-support")

	accountSSOFailed = told("account-sso-failed", evidence.SSOFailed,
		slices.Concat(noCookies, lostCookies, missing, oldBrowser, oldPage, clocks, []string{"popup-blocked", "network-local-access"}),
		"use-organisation-sign-in", "start-sign-in-again", "try-private-window", "contact-administrator")

	accountNotRegistered = told("account-not-registered", evidence.NotRegistered, []string{"input-blank-ends"},
		"contact-administrator", "contact-support")

	// Many sites count an address, which a whole office or VPN may share (casebook 75).
	accountThrottled = told("account-throttled", evidence.Throttled, nil,
		"wait-and-retry", "try-other-network", "contact-support")

	accountResetNotDelivered = told("account-reset-not-delivered", evidence.ResetNotDelivered, nil,
		"check-spam-folder", "contact-administrator", "contact-support")

	sessionLost = told("session-lost", evidence.SessionLost,
		slices.Concat(noCookies, lostCookies, oldBrowser, oldPage, clocks, []string{"network-rewritten"}),
		"start-sign-in-again", "close-other-tabs", "clear-site-data", "try-private-window", "contact-support")

	captchaFailed = told("captcha-failed", evidence.CaptchaFailed,
		slices.Concat(noCookies, oldBrowser, missing, []string{"storage-blocked", "storage-full", "storage-stale-worker", "browser-embedded-view", "site-fault"}),
		"reload-page", "pause-extensions", "try-private-window", "try-other-network", "use-other-browser", "contact-support")

	// A login that loses its cookie often just shows its form again (casebook 6, 9).
	noResponse = told("no-response", evidence.NoResponse,
		slices.Concat(noCookies, lostCookies, oldBrowser, missing, []string{"popup-blocked", "network-local-access", "page-stale", "input-autofill-unseen"}),
		"reload-page", "try-private-window", "use-other-browser", "contact-support")

	serviceMaintenance = told("service-maintenance", evidence.Maintenance, nil,
		"wait-for-maintenance", "contact-support")

	serviceError = told("service-error", evidence.ServerError, []string{"cookies-too-large", "page-stale"},
		"wait-and-retry", "contact-support")
)
