package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/app/story"
	"latchkey/internal/e2e/drive"
	"latchkey/internal/testkit"
	"latchkey/internal/text"
)

// telling serves the stories.
func telling(t *testing.T, words *text.Catalogue) (url string, stories []story.Story) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	dir := t.TempDir()
	stories, err := story.Write(dir, os.DirFS("../.."), words)
	require.NoError(t, err)
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return server.URL, stories
}

// tellEach opens each story, folded parts and all.
func tellEach(t *testing.T, tab *drive.Tab, url string, stories []story.Story, look func(s story.Story)) {
	t.Helper()
	for _, s := range stories {
		visit(t, tab, url+"/"+s.Name+".html")
		do(t, tab, `[].forEach.call(document.querySelectorAll("details"), function (d) { d.open = true; })`)
		look(s)
	}
}

// Every screen in every state is for everybody, in both directions of reading, on the
// narrowest screen, which is also one of 1280 pixels at 400 %, and on a wide one.
func TestStories_areForEverybody(t *testing.T) {
	for _, c := range []struct {
		lang, scheme string
		width        int
	}{{"en", "dark", 320}, {"ar", "light", 320}, {"en", "light", 1280}} {
		t.Run(fmt.Sprintf("%s at %d pixels", c.lang, c.width), func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(text.Languages(), func(l text.Language) bool { return l.Tag == c.lang })
			url, stories := telling(t, text.Languages()[i].Words)
			tab := drive.OpenChromium(t, drive.Options{})
			a := newAuditor(t, tab)
			dress(t, tab, c.width, c.scheme)
			tellEach(t, tab, url, stories, func(s story.Story) {
				if c.width == 320 || !strings.HasPrefix(s.Name, "found/") { // these are built of the same parts
					assert.Empty(t, a.faults(t), s.Name)
				}
			})
		})
	}
}

// readOut is what a screen reader is told of a page: roles, names and states, in order.
func readOut(t *testing.T, tab *drive.Tab) string {
	t.Helper()
	type value struct{ Value json.RawMessage }
	var tree struct {
		Nodes []struct {
			NodeID, ParentID string
			Ignored          bool
			Role, Name       value
			Properties       []struct {
				Name  string
				Value value
			}
			ChildIDs []string
		}
	}
	require.NoError(t, tab.Call(t.Context(), "Accessibility.getFullAXTree", nil, &tree))
	at := map[string]int{}
	for i, n := range tree.Nodes {
		at[n.NodeID] = i
	}
	text := func(v value) (s string) {
		_ = json.Unmarshal(v.Value, &s)
		return s
	}
	var b strings.Builder
	var tell func(id string, depth int)
	tell = func(id string, depth int) {
		n := tree.Nodes[at[id]]
		role := text(n.Role)
		switch {
		case role == "InlineTextBox" || role == "ListMarker":
			return
		case !n.Ignored && role != "generic" && role != "none":
			fmt.Fprintf(&b, "%s%s", strings.Repeat("  ", depth), role)
			if name := strings.Join(strings.Fields(text(n.Name)), " "); name != "" {
				fmt.Fprintf(&b, " %q", name)
			}
			for _, p := range n.Properties {
				switch p.Name {
				case "level", "expanded", "disabled", "live":
					fmt.Fprintf(&b, " %s=%s", p.Name, strings.Trim(string(p.Value.Value), `"`))
				}
			}
			b.WriteString("\n")
			switch role {
			case "StaticText", "heading", "button", "link", "DisclosureTriangle":
				return // its name says it all
			}
			depth++
		}
		for _, c := range n.ChildIDs {
			tell(c, depth)
		}
	}
	tell(tree.Nodes[0].NodeID, 0)
	return b.String()
}

// The main ways, as they are read out.
func TestStories_readOutAsTheirGoldenText(t *testing.T) {
	url, stories := telling(t, text.English())
	tab := drive.OpenChromium(t, drive.Options{})
	for _, s := range stories {
		switch s.Name {
		case "looking/half-way", "found/cookies-blocked", "found/clock-wrong", "answer/locked-in-frame", "answer/wrong-password", "answer/healthy",
			"answer/code-rejected", "afterwards/fixed", "afterwards/not-yet", "afterwards/compared", "out-of-steps/blocked":
			visit(t, tab, url+"/"+s.Name+".html")
			testkit.Golden(t, "read/"+strings.ReplaceAll(s.Name, "/", "-")+".golden.txt", []byte(readOut(t, tab)))
		}
	}
}

// Prints are for paper: what was found and what to do, and nothing to press.
func TestStories_printWithoutWhatIsPressed(t *testing.T) {
	url, stories := telling(t, text.English())
	tab := drive.OpenChromium(t, drive.Options{})
	require.NoError(t, tab.Call(t.Context(), "Emulation.setEmulatedMedia", map[string]any{"media": "print"}, nil))
	tellEach(t, tab, url, stories, func(s story.Story) {
		seen := read[[]string](t, tab, `[].filter.call(document.querySelectorAll("button, progress"), function (n) { return n.checkVisibility(); }).map(function (n) { return n.outerHTML; })`)
		assert.Empty(t, seen, s.Name)
		assert.True(t, read[bool](t, tab, `!!document.querySelector("h1, h2") && document.querySelector("main").innerText.length > 40`), s.Name)
	})
}

// Pictures of all stories, for who looks at them: LATCHKEY_PICTURES names the folder.
func TestStories_pictures(t *testing.T) {
	dir := os.Getenv("LATCHKEY_PICTURES")
	if dir == "" {
		t.Skip("draws nothing that could fail: run make pictures")
	}
	url, stories := telling(t, text.English())
	tab := drive.OpenChromium(t, drive.Options{})
	// Those of phones take no room, and a picture of the whole page has none.
	require.NoError(t, tab.Call(t.Context(), "Emulation.setScrollbarsHidden", map[string]any{"hidden": true}, nil))
	for _, width := range []int{320, 360, 768, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			dress(t, tab, width, scheme)
			for _, s := range stories {
				visit(t, tab, url+"/"+s.Name+".html")
				var shot struct{ Data []byte }
				require.NoError(t, tab.Call(t.Context(), "Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot))
				file := filepath.Join(dir, fmt.Sprintf("%d-%s", width, scheme), filepath.FromSlash(s.Name)+".png")
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, shot.Data, 0o644))
			}
		}
	}
}

// Where the system's colours are forced, nothing is told by a colour of ours alone: the
// one thing to do has a frame, the button that is pressed first has a thicker one, and
// drawings are drawn in the system's.
func TestStories_standInForcedColours(t *testing.T) {
	url, _ := telling(t, text.English())
	tab := drive.OpenChromium(t, drive.Options{})
	require.NoError(t, tab.Call(t.Context(), "Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "forced-colors", "value": "active"}},
	}, nil))
	visit(t, tab, url+"/found/clock-wrong.html")
	style := func(selector, property string) string {
		return read[string](t, tab, `getComputedStyle(document.querySelector("`+selector+`")).`+property)
	}
	assert.Equal(t, "1px", style(".fix", "borderTopWidth"))
	assert.Equal(t, "3px", style("button.primary", "borderTopWidth"))
	assert.Equal(t, "1px", style("button.quiet", "borderTopWidth"))
	assert.Equal(t, style("body", "color"), style(".drawing", "stroke"))
	assert.Equal(t, style("a", "color"), style(".drawing .mark", "stroke"))
}
