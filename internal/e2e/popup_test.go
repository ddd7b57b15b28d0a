//go:build unix

package e2e

import "latchkey/internal/e2e/drive"

// noPopups are options of a Firefox that opens no window, not even on a click.
// There is no such Chromium: its setting is for windows that nobody clicked for.
func noPopups() drive.Options {
	return prefs("dom.popup_maximum", 0, "dom.popup_allowed_events", "")
}
