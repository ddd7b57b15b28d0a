package evidence

import (
	"encoding/json"
	"slices"
	"strings"
)

// IDs are ids of checks or fixes, each once.
type IDs []string

// idsLimit is more than any list of ids that we make.
const idsLimit = 80

// UnmarshalJSON keeps what looks like an id: they come from a browser.
func (s *IDs) UnmarshalJSON(data []byte) error {
	var in []string
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	var out IDs
	for _, id := range in {
		if id != "" && len(id) <= noteLimit && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" &&
			len(out) < idsLimit && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	*s = out
	return nil
}

// Condition is the one thing that was otherwise in a second look.
type Condition string

// The conditions under which a person can look again.
const (
	PrivateWindow Condition = "private-window"
	OtherNetwork  Condition = "other-network"
	OtherDevice   Condition = "other-device"
)

// Comparison tells of a second look what became of the findings of the first.
type Comparison struct {
	Under Condition `json:"under"`
	// Gone are findings of the first look alone, Stayed those of both, and Came
	// those of the second alone.
	Gone   IDs `json:"gone,omitempty"`
	Stayed IDs `json:"stayed,omitempty"`
	Came   IDs `json:"came,omitempty"`
}

// Comparisons are at most one for each condition.
type Comparisons []Comparison

// comparisonsLimit is more than there are conditions.
const comparisonsLimit = 4

// UnmarshalJSON keeps the first of each condition.
func (c *Comparisons) UnmarshalJSON(data []byte) error {
	var in []Comparison
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	out := Comparisons{}
	for _, one := range in {
		one.Under = Condition(clip(string(one.Under), noteLimit))
		if len(out) < comparisonsLimit && !slices.ContainsFunc(out, func(o Comparison) bool { return o.Under == one.Under }) {
			out = append(out, one)
		}
	}
	*c = out
	return nil
}
