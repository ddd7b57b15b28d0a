//go:build unix

package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
)

const ublockID = "uBlock0@raymondhill.net"

// UBlockPath is where Debian has uBlock Origin, with its lists below assets.
const UBlockPath = "/usr/share/mozilla/extensions/{ec8030f7-c20a-464f-9b0e-13a3a9e97384}/" + ublockID

// UBlock is uBlock Origin as Debian has it, with the lists that are in the
// package and on by default, and what a person or an administrator has added.
// Hosts are matched with those below them, and * is all.
type UBlock struct {
	// Rules are dynamic rules, as "My rules" of its dashboard has them:
	// "* * 3p-script block", "login.localhost * 1p-script block".
	Rules []string

	// Switches are those of the same page: "no-scripting: login.localhost true".
	Switches []string

	// Filters are a person's own: "||captcha.localhost^".
	Filters []string
}

// write puts the settings where Firefox looks for those that administrators give
// to extensions: in a file of the home, so that it takes no root, as
// policies.json would.
func (u UBlock) write(home string) error {
	lines := func(list []string) string { return strings.Join(list, "\n") }
	// In the form of a backup that a person makes of the settings.
	settings, err := json.Marshal(object{
		"userSettings": object{
			"autoUpdate":          false,
			"advancedUserEnabled": true, // dynamic rules hold for no others
		},
		"dynamicFilteringString": lines(u.Rules),
		"hostnameSwitchesString": lines(u.Switches),
		"userFilters":            lines(u.Filters),
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal(object{
		"name": ublockID, "description": "-", "type": "storage",
		"data": object{"adminSettings": string(settings)},
	})
	if err != nil {
		return err
	}
	dir := filepath.Join(home, ".mozilla", "managed-storage")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ublockID+".json"), manifest, 0o600)
}

// installUBlock returns when the extension blocks by its lists, some seconds
// after it was installed.
func (b *firefox) installUBlock(ctx context.Context) error {
	if err := b.call(ctx, "webExtension.install", object{
		"extensionData": object{"type": "path", "path": UBlockPath},
	}, nil); err != nil {
		return fmt.Errorf("install uBlock Origin: %w", err)
	}
	// EasyPrivacy has it on every host.
	return WaitBlocked(ctx, b, "/fbevents.js")
}

// WaitBlocked returns when an extension of the browser blocks fetches of a path,
// which may be of any host but must not be *. Extensions work some time after the
// browser does. The page is left empty.
func WaitBlocked(ctx context.Context, p Page, path string) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
	}))
	defer site.Close()
	if err := p.Navigate(ctx, site.URL); err != nil {
		return err
	}
	quoted, err := json.Marshal(path)
	if err != nil {
		return err
	}
	if err := p.Wait(ctx, `fetch(`+string(quoted)+`, {cache: "no-store"}).then(function () { return false; }, function () { return fetch("/").then(function () { return true; }); })`); err != nil {
		return fmt.Errorf("no extension blocks %s: %w", path, err)
	}
	return p.Navigate(ctx, "about:blank")
}
