package evidence

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun_limitsWhatABrowserTells(t *testing.T) {
	long := strings.Repeat("a", 61)
	many := strings.Repeat(`"reload-page",`, 99) + `"reload-page"`
	var run Run
	require.NoError(t, json.Unmarshal([]byte(`{
		"tried": ["`+long+`", `+many+`],
		"compared": [{"under": "`+long+`", "gone": [`+many+`]}, {"under": "b"}, {"under": "c"}, {"under": "d"}, {"under": "e"}]
	}`), &run))
	assert.Len(t, run.Tried, 80)
	assert.Len(t, run.Tried[0], 60)
	assert.Len(t, run.Compared, 4)
	assert.Len(t, run.Compared[0].Under, 60)
	assert.Len(t, run.Compared[0].Gone, 80)
	assert.Error(t, json.Unmarshal([]byte(`{"tried": "reload-page"}`), &run))
	assert.Error(t, json.Unmarshal([]byte(`{"compared": {}}`), &run))
}

func TestSeconds_keepTheNewestUnderEachCondition(t *testing.T) {
	var run Run
	require.NoError(t, json.Unmarshal([]byte(`{"seconds": [
		{"under": "private-window", "worked": "no"}, {"under": "full-moon"}, {"under": "other-device"},
		{"under": "private-window", "worked": "yes", "seen": {"cookies": {"http": {"value": true}}}}, {"under": ""}
	]}`), &run))
	assert.Equal(t, Seconds{
		{Under: OtherDevice},
		{Under: PrivateWindow, Worked: Yes, Seen: Evidence{Cookies: Cookies{HTTP: Saw(true)}}},
	}, run.Seconds)
	assert.Error(t, json.Unmarshal([]byte(`{"seconds": {}}`), &run))
}
