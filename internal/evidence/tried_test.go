package evidence

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIDs_keepWhatLooksLikeAnID(t *testing.T) {
	var run Run
	long := strings.Repeat("a", 61)
	require.NoError(t, json.Unmarshal([]byte(`{"tried": ["reload-page", "reload-page", "", "<b>", "Reload", null, "`+long+`", "use-https"]}`), &run))
	assert.Equal(t, IDs{"reload-page", "use-https"}, run.Tried)

	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprintf("fix-%d", i))
	}
	data, err := json.Marshal(many)
	require.NoError(t, err)
	var ids IDs
	require.NoError(t, json.Unmarshal(data, &ids))
	assert.Len(t, ids, 80)
	assert.Error(t, json.Unmarshal([]byte(`"reload-page"`), &ids))
}

func TestComparisons_areOneForEachCondition(t *testing.T) {
	var c Comparisons
	require.NoError(t, json.Unmarshal([]byte(`[
		{"under": "private-window", "gone": ["cookies-vanish"]},
		{"under": "private-window", "stayed": ["cookies-vanish"]},
		{"under": "other-device", "came": ["clock-wrong", "<b>"]}
	]`), &c))
	assert.Equal(t, Comparisons{
		{Under: PrivateWindow, Gone: IDs{"cookies-vanish"}},
		{Under: OtherDevice, Came: IDs{"clock-wrong"}},
	}, c)
	require.NoError(t, json.Unmarshal([]byte(`[{"under": "a"}, {"under": "b"}, {"under": "c"}, {"under": "d"}, {"under": "e"}]`), &c))
	assert.Len(t, c, 4)
	assert.Error(t, json.Unmarshal([]byte(`{}`), &c))
}
