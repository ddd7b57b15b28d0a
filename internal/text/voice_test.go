package text_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/diag"
	"latchkey/internal/text"
)

func TestVoice_choosesWhatFits(t *testing.T) {
	words, err := text.Parse("en", []byte(`{
		"check.x.title": "{browser} on {host}", "check.x.title.chrome": "Chrome on {host}", "check.x.title.proxy": "A proxy before {host}",
		"fix.y.steps.ios": ["Open “Settings”", "Select {name}"], "ui.likely": "Likely:"
	}`))
	require.NoError(t, err)
	v := text.Voice{Words: words, Program: "Chrome", System: "iOS", Values: diag.Args{"host": "a.example", "name": "Safari", "browser": "Chrome"}}
	for want, f := range map[string]diag.Finding{
		"Chrome on a.example":            {Check: "x", Sureness: diag.Sure},
		"Likely: Chrome on b.example":    {Check: "x", Sureness: diag.Likely, Args: diag.Args{"host": "b.example"}},
		"A proxy before a.example":       {Check: "x", Sureness: diag.Sure, Args: diag.Args{"reason": "proxy"}},
		"Likely: check.unheard-of.title": {Check: "unheard-of", Sureness: diag.Likely},
	} {
		assert.Equal(t, want, v.Title(f))
	}
	assert.Equal(t, []string{"Open “Settings”", "Select Safari"}, v.Lines("fix.y.steps", nil))
	assert.Nil(t, v.Lines("fix.z.steps", nil))
}
