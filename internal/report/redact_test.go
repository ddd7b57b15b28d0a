package report

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
)

// secrets has a field of every kind that evidence may have one day.
type secrets struct {
	Open      evidence.Fact[string]             `send:"yes"`
	Plain     []string                          `send:"yes"`
	Coarse    evidence.Fact[evidence.Addresses] `send:"coarse"`
	Never     evidence.Fact[string]             `send:"no"`
	NeverText string                            `send:"no"`
	Untagged  evidence.Fact[string]
	Mistyped  evidence.Fact[string] `send:"Yes"`
	Group     struct {
		Open     evidence.Fact[string] `send:"yes"`
		Never    evidence.Fact[string] `send:"no"`
		Untagged []string
	} `send:"yes"`
	NeverGroup struct {
		Open evidence.Fact[string] `send:"yes"`
	} `send:"no"`
	UntaggedGroup struct {
		Open evidence.Fact[string] `send:"yes"`
	}
}

func TestRedact_letsOutOnlyWhatIsTagged(t *testing.T) {
	secret := evidence.Saw("secret")
	s := secrets{
		Open: evidence.Saw("open"), Plain: []string{"plain"},
		Coarse: evidence.Saw(evidence.Addresses{"https://host.example/secret"}),
		Never:  secret, NeverText: "secret", Untagged: secret, Mistyped: secret,
	}
	s.Group.Open, s.Group.Never, s.Group.Untagged = evidence.Saw("inside"), secret, []string{"secret"}
	s.NeverGroup.Open, s.UntaggedGroup.Open = secret, secret

	redact(reflect.ValueOf(&s).Elem())

	want := secrets{
		Open: evidence.Saw("open"), Plain: []string{"plain"},
		Coarse: evidence.Saw(evidence.Addresses{"https://host.example"}),
	}
	want.Group.Open = evidence.Saw("inside")
	assert.Equal(t, want, s)
	data, err := json.Marshal(s)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "secret")
}
