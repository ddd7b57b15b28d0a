//go:build unix

package e2e

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/evidence"
	"latchkey/internal/server"
)

// twoSites are a portal at portal.localhost and the site that people sign in
// over at idp.localhost, each with a Latchkey of its own. For browsers they are
// two sites, and secure ones.
type twoSites struct {
	*site // the portal
	idp   string
}

// asking is whether the other site's frames ask for storage access.
type asking bool

// startTwo starts them. Faults are those of the other site.
func startTwo(t *testing.T, faults ...middleware) twoSites {
	t.Helper()
	return startTwoThat(t, asking(false), faults...)
}

func startTwoThat(t *testing.T, asks asking, faults ...middleware) twoSites {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	if why := stale(); why != "" {
		t.Fatal(why + ", run: make wasm")
	}
	serve := func(host string, handler func(address string) http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(nil)
		address := strings.Replace("http://"+s.Listener.Addr().String(), "127.0.0.1", host, 1)
		s.Config.Handler = handler(address)
		s.Start()
		s.URL = address
		t.Cleanup(func() {
			s.CloseClientConnections()
			s.Close()
		})
		return s
	}
	var origins []string // of the portal, which starts after the other
	idp := serve("idp.localhost", func(address string) http.Handler {
		var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			newHandler(t, address, time.Now, func(o *server.Options) { o.Config.Embed = server.Embed{Origins: origins, StorageAccess: bool(asks)} }).ServeHTTP(w, r)
		})
		for _, f := range slices.Backward(faults) {
			h = f(h)
		}
		return h
	})
	two := twoSites{site: &site{}, idp: idp.URL}
	two.Server = serve("portal.localhost", func(address string) http.Handler {
		origins = []string{address}
		two.handler = newHandler(t, address, time.Now, func(o *server.Options) { o.Config.IdentityProvider = two.idp + "/latchkey" })
		return two.handler
	})
	return two
}

// thirdSeen is what a frame of the other site has, in a word: access, own,
// partitioned, http and login, each yes, no or the state.
func thirdSeen(l look) string {
	t := l.Report.Seen.ThirdParty
	var words []string
	for _, f := range []evidence.Fact[bool]{t.Access, t.Own, t.Partitioned, t.HTTP, t.Login} {
		switch {
		case evidence.Is(f, true):
			words = append(words, "yes")
		case evidence.Is(f, false):
			words = append(words, "no")
		case f.State == evidence.Unasked:
			words = append(words, "-")
		default:
			words = append(words, string(f.State))
		}
	}
	return strings.Join(words, " ")
}

// openThird opens the portal's page after a sign-in over the other site failed.
func openThird(t *testing.T, two twoSites, p drive.Page) look {
	t.Helper()
	l := open(t, p, two.page("outcome=sso_failed"))
	requireWhole(t, l)
	// Names under localhost are known to browsers alone.
	requireSameJudgement(t, &site{Server: &httptest.Server{URL: "http://" + two.Listener.Addr().String()}}, l)
	assert.NotContains(t, l.Findings, "cookies-blocked", "the portal's own cookies are fine")
	return l
}

// thirdBlocked fails unless the other site's cookies are said to be kept apart,
// and to be why the sign-in failed.
func thirdBlocked(t *testing.T, l look, sureness diag.Sureness) {
	t.Helper()
	require.Equal(t, []string{"cookies-third-party-blocked", "account-sso-failed"}, l.Findings, thirdSeen(l))
	f := finding(t, l, "cookies-third-party-blocked")
	assert.Equal(t, sureness, f.Sureness)
	assert.Equal(t, "idp.localhost", f.Args["provider"])
	assert.Equal(t, []string{"cookies-third-party-blocked"}, finding(t, l, "account-sso-failed").Because)
	assert.Contains(t, l.Text, "You sign in here with idp.localhost.")
	assert.Empty(t, l.Gaps)
}

// thirdFine fails unless nothing was found but what the login server said.
func thirdFine(t *testing.T, l look) {
	t.Helper()
	assert.Equal(t, []string{"account-sso-failed"}, l.Findings, thirdSeen(l))
	assert.Contains(t, l.Report.Passed, "cookies-third-party-blocked")
	assert.Empty(t, l.Gaps)
}

// thirdUntested fails unless it is said that nothing could be told, and why.
func thirdUntested(t *testing.T, l look, why string) {
	t.Helper()
	assert.Equal(t, []string{"account-sso-failed"}, l.Findings, thirdSeen(l))
	assert.Equal(t, []diag.Gap{{Check: "cookies-third-party-blocked", Why: why}}, l.Report.Gaps)
}

func TestThird(t *testing.T) {
	t.Parallel()
	two := startTwo(t)
	chromium := func(nameValue ...any) drive.Options { return prefs(nameValue...) }
	block := chromium("profile.cookie_controls_mode", 1, "profile.block_third_party_cookies", true)
	noData := chromium("profile.content_settings.exceptions.cookies", map[string]any{"[*.]idp.localhost,*": map[string]any{"setting": 2}})

	for _, c := range []struct {
		name   string
		engine drive.Engine
		o      drive.Options
		seen   string // access, own, partitioned, http, login
		want   diag.Sureness
		text   string
	}{
		{"Chromium that allows them", drive.Chromium, chromium("profile.cookie_controls_mode", 0), "yes yes yes yes -", "", ""},
		{"Chromium that blocks them", drive.Chromium, block, "no no yes no -", diag.Sure, "chrome://settings/cookies"},
		{"Chromium incognito", drive.Chromium, drive.Options{Flags: []string{"--incognito"}, Prefs: map[string]any{"profile.cookie_controls_mode": 1}}, "no no yes no -", diag.Sure, "Incognito"},
		{"Chromium that blocks all data of the other site", drive.Chromium, noData, "no no no no -", diag.Sure, "chrome://settings/cookies"},
		{"Firefox as it comes", drive.Firefox, drive.Options{}, "no yes yes yes -", diag.Likely, "shield"},
		{"Firefox that blocks them", drive.Firefox, prefs("network.cookie.cookieBehavior", 1), "no no no no -", diag.Sure, "shield"},
		{"Firefox that blocks trackers only", drive.Firefox, prefs("network.cookie.cookieBehavior", 4), "yes yes yes yes -", "", ""},
		{"Firefox that allows them", drive.Firefox, prefs("network.cookie.cookieBehavior", 0), "yes yes yes yes -", "", ""},
		// It blocks them all; it would drop Secure ones at http://localhost, too.
		{"WebKitGTK as it comes", drive.WebKit, drive.Options{}, "no no no no -", diag.Sure, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := drive.Open(t, c.engine, c.o)
			l := openThird(t, two, p)
			assert.Equal(t, "wasm", l.Tier)
			assert.Equal(t, c.seen, thirdSeen(l))
			if c.want == "" {
				thirdFine(t, l)
			} else {
				thirdBlocked(t, l, c.want)
				assert.Contains(t, l.Text, c.text)
			}
			quiet(t, l)
			assert.Equal(t, 0, read[int](t, p, `document.querySelectorAll("iframe").length`), "the frame is gone")
		})
	}

	t.Run("in the login page", func(t *testing.T) {
		tab := drive.OpenChromium(t, block)
		signIn(t, tab, two.site, "sso_failed")
		l := settled(t, tab)
		requireWhole(t, l)
		thirdBlocked(t, l, diag.Sure)
	})
	t.Run("without WebAssembly", func(t *testing.T) {
		p := drive.Open(t, drive.Firefox, prefs("javascript.options.wasm", false))
		l := open(t, p, two.page("outcome=sso_failed"))
		requireWhole(t, l)
		assert.Equal(t, "script", l.Tier)
		assert.Equal(t, "no yes yes yes -", thirdSeen(l))
		assert.Equal(t, []string{"cookies-third-party-blocked", "webassembly-off", "account-sso-failed"}, l.Findings)
	})
}

// A login cookie that was set before is what a frame must see; the mark stands
// for it.
func TestThird_mark(t *testing.T) {
	t.Parallel()
	two := startTwo(t)
	for _, c := range []struct {
		name   string
		engine drive.Engine
		o      drive.Options
		seen   string
		want   diag.Sureness
	}{
		{"Chromium that allows them", drive.Chromium, drive.Options{}, "yes yes yes yes yes", ""},
		{"Chromium that blocks them", drive.Chromium, prefs("profile.cookie_controls_mode", 1, "profile.block_third_party_cookies", true), "no no yes no no", diag.Sure},
		{"Firefox as it comes", drive.Firefox, drive.Options{}, "no yes yes yes no", diag.Sure},
		{"Firefox that allows them", drive.Firefox, prefs("network.cookie.cookieBehavior", 0), "yes yes yes yes yes", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := drive.Open(t, c.engine, c.o)
			l := open(t, p, two.idp+"/latchkey/third/mark?back="+strings.ReplaceAll(two.page("outcome=sso_failed"), "&", "%26"))
			assert.Regexp(t, `^http://portal\.localhost:\d+/latchkey/\?latchkey-marked=\d+&outcome=sso_failed$`, read[string](t, p, `location.href`))
			assert.Equal(t, c.seen, thirdSeen(l))
			if c.want == "" {
				thirdFine(t, l)
			} else {
				thirdBlocked(t, l, c.want)
			}
		})
	}
}

// What no frame answered to is no finding.
func TestThird_untested(t *testing.T) {
	t.Parallel()
	openHere := func(t *testing.T, two twoSites) look {
		return openThird(t, two, drive.Open(t, drive.Chromium, drive.Options{}))
	}
	t.Run("cookies are taken away on the way", func(t *testing.T) {
		var on atomic.Bool
		on.Store(true)
		l := openHere(t, startTwo(t, stripping(&on)))
		assert.Equal(t, "yes yes yes no -", thirdSeen(l))
		thirdUntested(t, l, "cookies-taken")
	})
	t.Run("a server that never answers", func(t *testing.T) {
		fault, release := held("/latchkey/third")
		t.Cleanup(release)
		begun := time.Now()
		l := openHere(t, startTwo(t, fault))
		thirdUntested(t, l, "late")
		assert.Less(t, time.Since(begun), 15*time.Second)
	})
	t.Run("a script that never comes", func(t *testing.T) {
		l := openHere(t, startTwo(t, instead("/latchkey/static/third.", pageOf(http.StatusNotFound))))
		thirdUntested(t, l, "frame-silent")
	})
	for _, engine := range []drive.Engine{drive.Chromium, drive.Firefox, drive.WebKit} {
		t.Run("a site that does not allow the frame, "+string(engine), func(t *testing.T) {
			two := startTwo(t, changed("/latchkey/third", func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
				answer.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
				send(w, answer, answer.Body.Bytes())
			}))
			l := openThird(t, two, drive.Open(t, engine, drive.Options{}))
			thirdUntested(t, l, "frame-silent")
		})
		t.Run("the portal's own policy, "+string(engine), func(t *testing.T) {
			two := startTwo(t)
			two.Config.Handler = changed("/latchkey/", func(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
				policy := answer.Header().Get("Content-Security-Policy")
				answer.Header().Set("Content-Security-Policy", strings.Replace(policy, "frame-src "+two.idp, "frame-src 'none'", 1))
				send(w, answer, answer.Body.Bytes())
			})(two.handler)
			l := openThird(t, two, drive.Open(t, engine, drive.Options{}))
			thirdUntested(t, l, "frame-policy")
		})
	}
}

// One click in the other site's own page lets its frames have their cookies,
// if they ask for them.
func TestThird_oneTap(t *testing.T) {
	t.Parallel()
	// Firefox asks outside of the page; this is what the person answers there.
	answering := func(yes bool) drive.Options {
		return prefs("dom.storage_access.prompt.testing", true, "dom.storage_access.prompt.testing.allow", yes)
	}
	two := startTwoThat(t, asking(true))
	openMarked := func(t *testing.T, p drive.Page) {
		t.Helper()
		l := open(t, p, two.idp+"/latchkey/third/mark?back="+two.page("outcome=sso_failed"))
		require.Equal(t, "no yes yes yes no", thirdSeen(l))
		thirdBlocked(t, l, diag.Sure)
		require.Equal(t, "allow-storage-access", l.Fixes[0])
	}
	// The frame loads in its own time, and a click before that does nothing.
	clickUntilGone := func(t *testing.T, p drive.Page, click func()) {
		t.Helper()
		gone := false
		for try := 0; try < 20 && !gone; try++ {
			click()
			time.Sleep(300 * time.Millisecond)
			gone = read[bool](t, p, `!document.getElementById("latchkey-ask")`)
		}
		require.True(t, gone, "no click was heard, or the answer is the same again")
	}

	t.Run("allowed", func(t *testing.T) {
		p := drive.Open(t, drive.Firefox, answering(true))
		openMarked(t, p)
		clickUntilGone(t, p, func() { _ = p.(drive.FrameClicker).ClickFrame(t.Context(), "/third/ask", 40, 22) })
		l := settled(t, p)
		assert.Equal(t, "yes yes yes yes yes", thirdSeen(l))
		assert.True(t, l.Fixed)
		assert.Equal(t, []string{"account-sso-failed"}, l.Findings)
		quiet(t, l)
	})
	t.Run("allowed in Chromium", func(t *testing.T) {
		tab := drive.OpenChromium(t, prefs("profile.cookie_controls_mode", 1, "profile.block_third_party_cookies", true))
		l := open(t, tab, two.idp+"/latchkey/third/mark?back="+two.page("outcome=sso_failed"))
		require.Equal(t, "no no yes no no", thirdSeen(l))
		require.Equal(t, "allow-storage-access", l.Fixes[0])
		// What the person answers outside of the page.
		require.NoError(t, tab.Call(t.Context(), "Browser.setPermission", map[string]any{
			"permission": map[string]any{"name": "storage-access"}, "setting": "granted", "origin": two.URL, "embeddedOrigin": two.idp,
		}, nil))
		at := read[struct{ X, Y float64 }](t, tab, `(function (n) {
			n.scrollIntoView();
			return {x: n.getBoundingClientRect().left + 40, y: n.getBoundingClientRect().top + 22};
		})(document.getElementById("latchkey-ask"))`)
		clickUntilGone(t, tab, func() {
			for _, kind := range []string{"mousePressed", "mouseReleased"} {
				require.NoError(t, tab.Call(t.Context(), "Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil))
			}
		})
		l = settled(t, tab)
		assert.Equal(t, "yes yes yes yes yes", thirdSeen(l))
		assert.True(t, l.Fixed)
		quiet(t, l)
	})
	t.Run("not allowed", func(t *testing.T) {
		p := drive.Open(t, drive.Firefox, answering(false))
		openMarked(t, p)
		do(t, p, `window.button = document.getElementById("latchkey-ask"), 0`)
		for range 3 {
			_ = p.(drive.FrameClicker).ClickFrame(t.Context(), "/third/ask", 40, 22)
			time.Sleep(300 * time.Millisecond)
		}
		l := lookAt(t, p)
		assert.True(t, read[bool](t, p, `button.isConnected`), "nothing begins again")
		assert.Contains(t, l.Findings, "cookies-third-party-blocked")
		assert.Equal(t, 1, read[int](t, p, `document.querySelectorAll("#latchkey-ask").length`))
	})
	t.Run("frames that do not ask", func(t *testing.T) {
		p := drive.Open(t, drive.Firefox, answering(true))
		l := openThird(t, startTwo(t), p)
		assert.NotContains(t, l.Fixes, "allow-storage-access", "it would not help them")
	})
}
