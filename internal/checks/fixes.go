package checks

import "latchkey/internal/evidence"

// Where each fix can be done.

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
