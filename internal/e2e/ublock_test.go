//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"latchkey/internal/e2e/drive"
)

// plainPage is a page with a part of each kind that blockers tell apart. It
// notes what became of them. Scripts that ran have left a global as well, for
// a stub loads, too.
const plainPage = `<!doctype html>
<title>Plain</title>
<script>
	var seen = { inline: true };
	function note(name) {
		return { onload: function () { seen[name] = window[name] ? "runs" : "stub"; }, onerror: function () { seen[name] = "error"; } };
	}
	function add(tag, name, src) {
		var el = Object.assign(document.createElement(tag), note(name));
		el.src = src;
		(document.body || document.head).appendChild(el);
	}
	onmessage = function () { seen.frame = "runs"; };
	add("script", "own", "/own.js");
	add("script", "third", "//third.localhost:" + location.port + "/third.js");
	add("script", "captcha", "//captcha.localhost:" + location.port + "/captcha.js");
	add("script", "bait", "/fbevents.js");
	fetch("/fbevents.js").then(function () { seen.fetch = "runs"; }, function () { seen.fetch = "error"; });
</script>
<body>
<noscript><p id="without">no scripts</p></noscript>
<p class="ad-slot">advertisement</p>
<iframe src="//third.localhost:%[1]s/frame"></iframe>
<form action="/in"><input name="username"><input name="password" type="password"><button>Sign in</button></form>
</body>
`

// startPlain serves plainPage under every name below localhost. The names are
// sites of their own, of which none is known to any list.
func startPlain(t *testing.T) func(host string) (url string) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, port, _ := strings.Cut(r.Host, ":")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		name, isScript := strings.CutSuffix(r.URL.Path[1:], ".js")
		switch {
		case isScript && name == "fbevents":
			fmt.Fprint(w, `window.bait = true`)
		case isScript:
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprintf(w, `window.%s = true`, name)
		case name == "frame":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<script>parent.postMessage(1, "*")</script>`)
		default:
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, plainPage, port)
		}
	}))
	t.Cleanup(site.Close)
	_, port, _ := strings.Cut(site.Listener.Addr().String(), ":")
	return func(host string) string { return "http://" + host + ":" + port + "/" }
}

// sees fails unless a plain page has noted that of its parts.
func sees(t *testing.T, p drive.Page, want map[string]any) {
	t.Helper()
	wait(t, p, fmt.Sprintf(`Object.keys(seen).length === %d`, len(want)))
	assert.Equal(t, want, read[map[string]any](t, p, `seen`))
}

// but is what a plain page sees where all runs, but for some parts: name and
// what it sees, nil for nothing, in turn.
func but(nameSeen ...any) map[string]any {
	all := map[string]any{"inline": true, "own": "runs", "third": "runs", "captcha": "runs", "bait": "runs", "fetch": "runs", "frame": "runs"}
	for i := 0; i < len(nameSeen); i += 2 {
		name := nameSeen[i].(string)
		all[name] = nameSeen[i+1]
		if all[name] == nil {
			delete(all, name)
		}
	}
	return all
}

// adShown is whether a plain page shows what looks like an advertisement.
const adShown = `(document.querySelector(".ad-slot").offsetHeight > 0)`
