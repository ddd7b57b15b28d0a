package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// fixes are all the things that can be done, by the ids of the contract. How
// each is done in which browser is a matter of words; see package text.
var fixes = []diag.Fix{
	{ID: "allow-cookies", Offered: hasMenu},
	{ID: "allow-local-network", Offered: hasMenu},
	{ID: "allow-popups", Offered: hasMenu},
	{ID: "allow-scripts", Offered: hasMenu},
	{ID: "allow-storage-access", Offered: grantsStorageAccess},
	{ID: "allow-third-party-cookies", Offered: hasMenu},
	{ID: "ask-it-to-allow"},
	{ID: "ask-it-to-set-clock", Offered: isComputer},
	{ID: "check-caps-lock", Offered: hasKeyboard},
	{ID: "check-connection"},
	{ID: "check-spam-folder"},
	{ID: "clear-site-data", Offered: hasMenu},
	{ID: "close-other-tabs"},
	{ID: "contact-administrator"},
	{ID: "contact-support"},
	{ID: "free-storage"},
	{ID: "leave-compat-mode"},
	{ID: "open-canonical-address"},
	{ID: "open-in-browser", Offered: isEmbedded},
	{ID: "pause-extensions", Offered: hasExtensions},
	{ID: "pause-vpn"},
	{ID: "reload-page"},
	{ID: "remove-old-cookies"},
	{ID: "report-to-site"},
	{ID: "resend-code"},
	{ID: "reset-password"},
	{ID: "retype-credentials"},
	{ID: "set-clock-automatically"},
	{ID: "set-phone-clock", Offered: phoneMayBeWrong},
	{ID: "set-time-zone"},
	{ID: "sign-in-to-portal-network"},
	{ID: "start-sign-in-again"},
	{ID: "try-other-network"},
	{ID: "try-private-window", Offered: hasMenu},
	{ID: "turn-off-translation"},
	{ID: "turn-on-javascript"},
	{ID: "turn-on-webassembly", Offered: canSetWebAssembly},
	{ID: "update-browser"},
	{ID: "use-backup-code"},
	{ID: "use-https"},
	{ID: "use-organisation-sign-in"},
	{ID: "use-other-browser"},
	{ID: "use-other-device"},
	{ID: "wait-and-retry"},
	{ID: "wait-for-maintenance"},
	{ID: "wait-for-unlock"},
}

// hasKeyboard leaves out phones and tablets, whose keyboards show their state.
func hasKeyboard(e evidence.Evidence) bool { return !isMobile(e) }

// hasMenu leaves out the views of apps, which have no settings of a browser.
func hasMenu(e evidence.Evidence) bool { return !isEmbedded(e) }

// grantsStorageAccess is whether it helps to allow storage access by a click. What
// is allowed holds for the other frames of that site as soon as they ask for
// it, without another question, in Chromium 156 and Firefox 153 (tried 2026-11);
// they have nothing of it if they don't ask. In Safari each asks for itself.
func grantsStorageAccess(e evidence.Evidence) bool {
	t := e.ThirdParty
	return !evidence.Is(e.Browser.Engine, "WebKit") && evidence.Is(t.Asks, true) && evidence.Is(t.Access, false)
}

// hasExtensions leaves out Chromium on phones, which takes no extensions, and
// the views of apps.
func hasExtensions(e evidence.Evidence) bool {
	return hasMenu(e) && (!isMobile(e) || !evidence.Is(e.Browser.Engine, "Blink"))
}

// canSetWebAssembly is whether the browser has a setting that turns
// WebAssembly off and on: Chromium's JavaScript setting for sites and, on
// desktops, Firefox's preference. Safari has none but Lockdown Mode, which
// frame.js words itself without telling anybody.
func canSetWebAssembly(e evidence.Evidence) bool {
	return evidence.Is(e.Browser.Engine, "Blink") || evidence.Is(e.Browser.Engine, "Gecko") && !isMobile(e)
}

// isComputer leaves out what IT gives orders to from afar alone.
func isComputer(e evidence.Evidence) bool { return !isMobile(e) }

func isMobile(e evidence.Evidence) bool {
	return evidence.Is(e.Browser.Device, "phone") || evidence.Is(e.Browser.Device, "tablet")
}
