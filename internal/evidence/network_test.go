package evidence

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNeeds_areAsManyAsAnOperatorMayNameAndSome(t *testing.T) {
	one := `{"kind":"host","url":"` + strings.Repeat("x", 1000) + `","purpose":"` + strings.Repeat("y", 1000) + `"}`
	var got Needs
	require.NoError(t, json.Unmarshal([]byte("["+strings.Repeat(one+",", 99)+one+"]"), &got))
	require.Len(t, got, MaxNeeds+maxUnlisted)
	assert.Len(t, got[0].URL, valueLimit)
	assert.Len(t, got[0].Purpose, valueLimit)
	assert.Error(t, json.Unmarshal([]byte(`{}`), &got))
}

func TestAnswer_failsOnlyIfThereWasOne(t *testing.T) {
	for answer, failed := range map[Answer]bool{"": false, Yes: false, No: true, InVain: true, "odd": false} {
		assert.Equal(t, failed, answer.Failed(), answer)
	}
}

func TestBlocker_isActiveOnlyBesideWhatPasses(t *testing.T) {
	assert.True(t, Blocker{Control: true, Element: true}.Active())
	assert.True(t, Blocker{Control: true, Request: true}.Active())
	assert.False(t, Blocker{Control: true, Request: true, Element: true}.Active())
	assert.False(t, Blocker{}.Active(), "nothing came at all")
}

func TestNetwork_coarseTellsNoFineTimes(t *testing.T) {
	assert.Equal(t, Echoes{Sent: 8, Least: 20, Jitter: 0}, Echoes{Sent: 8, Least: 24.7, Jitter: 4.9}.Coarse())
	assert.Equal(t, Moment{UTC: 1789999980000, Zone: 60}, Moment{UTC: 1790000012345, Zone: 60}.Coarse())
}
