package story_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"latchkey/app/story"
	"latchkey/internal/checks"
	"latchkey/internal/testkit"
	"latchkey/internal/text"
)

func all(t *testing.T) []story.Story {
	t.Helper()
	stories, err := story.All(os.DirFS("../.."))
	require.NoError(t, err)
	return stories
}

// alike are the parts that are built alike in all stories: they stand whole in those
// whose names begin so, if any. The report for engineers has tests of its own.
var alike = map[string]string{"latchkey-details": "-", "latchkey-passed": "answer/healthy-phone", "latchkey-send": "send/"}

// outline writes a tree of elements as HTML with a line for each, attributes in order,
// so that what changes shows.
func outline(n *html.Node, depth int, story string, b *strings.Builder) {
	indent := strings.Repeat(" ", depth)
	if n.Type == html.TextNode {
		for line := range strings.Lines(n.Data) {
			if line = strings.TrimSpace(line); line != "" {
				fmt.Fprintf(b, "%s%s\n", indent, html.EscapeString(line))
			}
		}
		return
	}
	slices.SortFunc(n.Attr, func(a, b html.Attribute) int { return strings.Compare(a.Key, b.Key) })
	fmt.Fprintf(b, "%s<%s", indent, n.Data)
	whole := true
	for _, a := range n.Attr {
		fmt.Fprintf(b, " %s=\"%s\"", a.Key, html.EscapeString(a.Val))
		if in, ok := alike[a.Val]; ok && a.Key == "id" {
			whole = strings.HasPrefix(story, in)
		}
	}
	b.WriteString(">\n")
	for c := range n.ChildNodes() {
		if whole {
			outline(c, depth+1, story, b)
		}
	}
}

// find is the first element that has the attribute with the value.
func find(n *html.Node, key, value string) *html.Node {
	for c := range n.Descendants() {
		if slices.Contains(c.Attr, html.Attribute{Key: key, Val: value}) {
			return c
		}
	}
	return nil
}

func parsed(t *testing.T, s story.Story) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(s.HTML(text.English())))
	require.NoError(t, err)
	return doc
}

func TestStories_lookLikeTheirGoldenPages(t *testing.T) {
	for _, s := range all(t) {
		t.Run(s.Name, func(t *testing.T) {
			id := "latchkey"
			if strings.HasPrefix(s.Name, "found/") {
				id = "latchkey-answer" // the rest is alike in all of them
			}
			part := find(parsed(t, s), "id", id)
			require.NotNil(t, part)
			var b strings.Builder
			outline(part, 0, s.Name, &b)
			testkit.Golden(t, s.Name+".golden.html", []byte(b.String()))
		})
	}
}

func TestStories_tellOfEveryFinding(t *testing.T) {
	stories := all(t)
	for _, c := range checks.Catalogue().Checks {
		i := slices.IndexFunc(stories, func(s story.Story) bool { return s.Name == "found/"+c.ID })
		require.GreaterOrEqual(t, i, 0, c.ID)
		assert.NotNil(t, find(parsed(t, stories[i]), "data-finding", c.ID), "%s is not to be seen in its story", c.ID)
	}
}

// A golden file that no story has any more would never fail.
func TestStories_leaveNoGoldenFileBehind(t *testing.T) {
	var told []string
	for _, s := range all(t) {
		told = append(told, "testdata/"+s.Name+".golden.html")
	}
	var kept []string
	for _, moment := range []string{"looking", "answer", "send", "afterwards", "out-of-steps", "found"} {
		files, err := os.ReadDir("testdata/" + moment)
		require.NoError(t, err, "run: make golden")
		for _, f := range files {
			kept = append(kept, "testdata/"+moment+"/"+f.Name())
		}
	}
	assert.ElementsMatch(t, told, kept)
}
