//go:build !js

package story_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/testkit"
	"latchkey/internal/text"
)

// Whatever people read is the catalogue's, so that it can be in their language.
func TestStories_haveNoWordsOfTheirOwn(t *testing.T) {
	words, err := text.In("en-XA", testkit.Pseudo(t, "en-XA"))
	require.NoError(t, err)
	for _, s := range all(t) {
		theirs := []string{s.Site.Name, s.Site.Email, s.Site.Hours, s.Site.URL}
		for _, a := range s.Send.Asks {
			theirs = append(theirs, a.Label)
		}
		assert.Empty(t, testkit.Untranslated(t, s.HTML(words), theirs...), s.Name)
	}
}
