//go:build unix

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
)

// fillStorage leaves no room in local storage.
const fillStorage = `(function () {
		for (var i = 0, s = new Array(65537).join("x"); i < 200; i++) {
			try { localStorage.setItem("fill" + i, s); } catch (e) { s = s.slice(s.length / 2); if (!s) { return i; } }
		}
	})()`

// TestStorage_full is each way in which there is no room, by real writes.
func TestStorage_full(t *testing.T) {
	t.Parallel()
	for _, engine := range []drive.Engine{drive.Chromium, drive.Firefox, drive.WebKit} {
		t.Run("the share of simple storage in "+string(engine), func(t *testing.T) {
			site := startSite(t)
			p := drive.Open(t, engine, drive.Options{})
			visit(t, p, site.URL+"/latchkey/static/")
			do(t, p, fillStorage)
			l := open(t, p, site.page("outcome=no_response"))
			requireWhole(t, l)
			assert.Equal(t, "storage-full", l.top())
			f := finding(t, l, "storage-full")
			assert.Equal(t, diag.Sure, f.Sureness)
			assert.Equal(t, "localStorage", f.Args["stores"])
			assert.Contains(t, l.Report.Passed, "storage-blocked", "full is not blocked")
			assert.Equal(t, "clear-site-data", l.Fixes[0])
			assert.Contains(t, l.Text, "used up its share of room")
		})
	}

	t.Run("the quota of databases and caches", func(t *testing.T) {
		site := startSite(t)
		tab := drive.OpenChromium(t, drive.Options{})
		visit(t, tab, site.URL+"/latchkey/static/")
		require.NoError(t, tab.Call(t.Context(), "Storage.overrideQuotaForOrigin", map[string]any{"origin": site.URL, "quotaSize": 1}, nil))
		l := open(t, tab, site.page(""))
		requireWhole(t, l)
		assert.Equal(t, "storage-full", l.top(), "%+v", l.Report.Seen.Storage)
		assert.Equal(t, diag.Sure, finding(t, l, "storage-full").Sureness)
		assert.Equal(t, "free-storage", l.Fixes[0])
		assert.Contains(t, l.Report.Passed, "storage-blocked")
	})

	for _, engine := range []drive.Engine{drive.Chromium, drive.Firefox} {
		t.Run("a disk that is full under "+string(engine), func(t *testing.T) {
			site := startSite(t)
			disk, err := os.MkdirTemp("", "disk") // t.TempDir is too long for Chromium's socket
			require.NoError(t, err)
			t.Cleanup(func() { os.RemoveAll(disk) })
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=300m"); err != nil {
				t.Skipf("a small disk needs the right to mount: %v", err)
			}
			t.Cleanup(func() { assert.NoError(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
			p := drive.Open(t, engine, drive.Options{Dir: disk})
			visit(t, p, site.URL+"/latchkey/static/")
			ballast, err := os.Create(disk + "/ballast")
			require.NoError(t, err)
			defer ballast.Close()
			_, err = io.Copy(ballast, zeros{})
			require.ErrorIs(t, err, syscall.ENOSPC)
			l := open(t, p, site.page(""))
			requireWhole(t, l)
			assert.Equal(t, "storage-full", l.top(), "%+v", l.Report.Seen.Storage)
			assert.Equal(t, "free-storage", l.Fixes[0])
		})
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestStorage_staleWorker is a service worker of the site that answers with what
// it kept of an older build, and the build of the server beside it.
func TestStorage_staleWorker(t *testing.T) {
	t.Parallel()
	for _, engine := range []drive.Engine{drive.Chromium, drive.Firefox, drive.WebKit} {
		t.Run(string(engine), func(t *testing.T) {
			var build atomic.Value
			build.Store("1")
			site := startSite(t)
			latchkey := configured(t, "storage: {version_url: '"+site.URL+"/build.json'}")(nil)
			site.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/":
					w.Header().Set("Content-Type", "text/html")
					io.WriteString(w, "<!doctype html><title>portal</title>")
				case "/build.json":
					w.Header().Set("Cache-Control", "no-cache")
					io.WriteString(w, build.Load().(string))
				case "/worker.js":
					w.Header().Set("Content-Type", "text/javascript")
					io.WriteString(w, `
						self.addEventListener("install", function (e) { e.waitUntil(caches.open("app-1").then(function (c) { return c.add("/build.json"); })); });
						self.addEventListener("activate", function (e) { e.waitUntil(clients.claim()); });
						self.addEventListener("fetch", function (e) { e.respondWith(caches.match(e.request).then(function (r) { return r || fetch(e.request); })); });`)
				default:
					latchkey.ServeHTTP(w, r)
				}
			})
			p := drive.Open(t, engine, drive.Options{})
			visit(t, p, site.URL+"/")
			do(t, p, `navigator.serviceWorker.register("/worker.js")`)
			wait(t, p, `navigator.serviceWorker.controller`)
			l := open(t, p, site.page(""))
			healthy(t, l)
			assert.True(t, l.Report.Seen.Storage.Build.Value.Worker)

			build.Store("2")
			l = open(t, p, site.page("outcome=session_lost"))
			requireWhole(t, l)
			assert.Equal(t, "storage-stale-worker", l.top())
			assert.Equal(t, "worker", finding(t, l, "storage-stale-worker").Args["reason"])
			assert.Equal(t, []string{"storage-stale-worker"}, finding(t, l, "session-lost").Because)
			assert.Equal(t, "clear-site-data", l.Fixes[0])
		})
	}
}

// TestStorage_files is that the private file system counts only for a login that
// needs it: Firefox's private windows refuse it.
func TestStorage_files(t *testing.T) {
	t.Parallel()
	private := prefs("browser.privatebrowsing.autostart", true)
	for name, c := range map[string]struct {
		config string
		want   []string
	}{
		"a login that does without": {"site: {name: x}", []string{}},
		"a login that needs it":     {"storage: {opfs: true}", []string{"storage-blocked"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := open(t, drive.Open(t, drive.Firefox, private), startSite(t, configured(t, c.config)).page(""))
			requireWhole(t, l)
			assert.Equal(t, c.want, append([]string{}, l.Findings...), "%+v", l.Report.Seen.Storage)
		})
	}
}

// TestStorage_noVersion is that an address which answers otherwise each time, or
// stands elsewhere, raises nothing.
func TestStorage_noVersion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		address string
		gaps    []string
	}{
		"another answer each time": {"/time.json", []string{"storage-stale-worker"}},
		"on another origin":        {"", []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			site := startSite(t)
			address := "https://elsewhere.example/build.json"
			if c.address != "" {
				address = site.URL + c.address
			}
			latchkey := configured(t, "storage: {version_url: '"+address+"'}")(nil)
			site.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/time.json" {
					fmt.Fprint(w, n.Add(1))
					return
				}
				latchkey.ServeHTTP(w, r)
			})
			l := open(t, drive.OpenChromium(t, drive.Options{}), site.page(""))
			requireWhole(t, l)
			assert.Empty(t, l.Findings)
			assert.Equal(t, c.gaps, append([]string{}, l.Gaps...))
			quiet(t, l)
		})
	}
}
