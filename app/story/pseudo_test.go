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
		site := s.Site
		assert.Empty(t, testkit.Untranslated(t, s.HTML(words), site.Name, site.Email, site.Hours, site.URL), s.Name)
	}
}
