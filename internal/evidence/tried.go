package evidence

import "encoding/json"

// Condition is the one thing that was otherwise in a second look.
type Condition string

// The conditions under which a person can look again.
const (
	PrivateWindow Condition = "private-window"
	OtherNetwork  Condition = "other-network"
	OtherDevice   Condition = "other-device"
)

// Known is whether it is one of them.
func (c Condition) Known() bool {
	return c == PrivateWindow || c == OtherNetwork || c == OtherDevice
}

// Comparison tells of a second look what became of the findings of the first.
type Comparison struct {
	Under Condition `json:"under"`
	// Gone are findings of the first look alone, Stayed those of both, and Came
	// those of the second alone.
	Gone   Names `json:"gone,omitempty"`
	Stayed Names `json:"stayed,omitempty"`
	Came   Names `json:"came,omitempty"`
}

// Comparisons are one for each condition.
type Comparisons []Comparison

// comparisonsLimit is more than there are conditions.
const comparisonsLimit = 4

// UnmarshalJSON cuts off what is too long.
func (c *Comparisons) UnmarshalJSON(data []byte) error {
	var in []Comparison
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*c = in[:min(len(in), comparisonsLimit)]
	for i := range *c {
		(*c)[i].Under = Condition(clip(string((*c)[i].Under), noteLimit))
	}
	return nil
}

// Second is a look under one changed condition that was brought to this one.
type Second struct {
	Under Condition `json:"under"`
	// Worked is whether the person could sign in there.
	Worked Answer   `json:"worked,omitempty"`
	Seen   Evidence `json:"seen"`
}

// Seconds are at most one for each condition that there is.
type Seconds []Second

// UnmarshalJSON keeps the newest look, the last, under each condition.
func (s *Seconds) UnmarshalJSON(data []byte) error {
	var in []Second
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*s = nil
	for i := range in {
		newer := false
		for k := i + 1; k < len(in); k++ {
			newer = newer || in[k].Under == in[i].Under
		}
		if in[i].Under.Known() && !newer {
			*s = append(*s, in[i])
		}
	}
	return nil
}
