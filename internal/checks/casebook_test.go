package checks_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/checks"
	"latchkey/internal/testkit"
)

// Sign-ins that really failed, by the numbers of the casebook: what would have
// been seen of each leads to its cause first, and to what helped.
func TestCasebook_findsTheCauseFirst(t *testing.T) {
	data, err := os.ReadFile("testdata/casebook/cases.json")
	require.NoError(t, err)
	var cases []struct {
		Case       int
		Saw        string
		On         string
		See        json.RawMessage
		First, Fix string
	}
	strict(t, data, &cases, "casebook")
	require.NotEmpty(t, cases)
	for _, c := range cases {
		t.Run(fmt.Sprintf("%d, %s", c.Case, c.Saw), func(t *testing.T) {
			e, ok := testkit.Browsers(t)[c.On]
			require.True(t, ok, c.On)
			strict(t, c.See, &e, c.Saw)
			d := checks.Catalogue().Diagnose(e)
			require.NotEmpty(t, d.Findings)
			assert.Equal(t, c.First, d.Findings[0].Check, toJSON(t, d.Findings))
			if c.Fix != "" {
				require.NotEmpty(t, d.Advice)
				assert.Equal(t, c.Fix, d.Advice[0].Fix)
			}
		})
	}
}
