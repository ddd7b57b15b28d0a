package diag

import (
	"slices"

	"latchkey/internal/evidence"
)

// moved are the seats that are other ones under a condition. A device may be in
// the same network as before.
func moved(c evidence.Condition) []Seat {
	switch c {
	case evidence.PrivateWindow:
		return []Seat{Profile}
	case evidence.OtherNetwork:
		return []Seat{Network}
	case evidence.OtherDevice:
		return []Seat{Profile, Browser, Device}
	}
	return nil // nobody knows it
}

// conditions is how many there are.
const conditions = 3

// Compare says what became of the findings of a first look in a second one that
// was taken under one changed condition. What the second could not test is
// neither gone nor there.
func Compare(first, second Diagnosis, under evidence.Condition) evidence.Comparison {
	c := evidence.Comparison{Under: under}
	for _, f := range first.Findings {
		switch {
		case finds(second, f.Check):
			c.Stayed = append(c.Stayed, f.Check)
		case slices.Contains(second.Passed, f.Check):
			c.Gone = append(c.Gone, f.Check)
		}
	}
	for _, f := range second.Findings {
		if !finds(first, f.Check) {
			c.Came = append(c.Came, f.Check)
		}
	}
	return c
}

// Contrast concludes what became of the findings in the second looks that were
// brought, if there are any. What only repeats the login server's word becomes of
// whether the person could sign in there.
func (s Set) Contrast(e *evidence.Evidence) {
	if len(e.Run.Seconds) == 0 {
		return
	}
	e.Run.Compared = nil
	first := s.Diagnose(*e)
	for _, look := range e.Run.Seconds {
		look.Seen.Host = evidence.Host{} // what was said there, if anything, was said of something else
		c := Compare(first, s.Diagnose(look.Seen), look.Under)
		for _, f := range first.Findings {
			switch told := s.Checks[s.index(f.Check)].Told; {
			case told && look.Worked == evidence.Yes:
				c.Gone = append(c.Gone, f.Check)
			case told && look.Worked == evidence.No:
				c.Stayed = append(c.Stayed, f.Check)
			}
		}
		e.Run.Compared = append(e.Run.Compared, c)
	}
}

func finds(d Diagnosis, id string) bool { return finding(d.Findings, id) >= 0 }

// againstIt is how much rarer a fault goes away with a seat in which it does not
// sit, or stays without the one in which it does: by chance, or because two things
// were changed.
const againstIt = 1.0 / 20

// shown is whether a second look has shown already what an experiment shows.
func shown(cs evidence.Comparisons, f *Fix) bool {
	return f.Moves != nil && slices.ContainsFunc(cs, func(c evidence.Comparison) bool {
		return len(c.Gone)+len(c.Stayed) > 0 && slices.Equal(moved(c.Under), f.Moves)
	})
}

// compared is what second looks say for or against a cause. For what was not
// found itself all that was found speaks.
func compared(cs evidence.Comparisons, id string, seat Seat) float64 {
	factor := 1.0
	if seat == Unplaced {
		return factor
	}
	for _, c := range cs {
		gone, stayed := slices.Contains(c.Gone, id), slices.Contains(c.Stayed, id)
		if !gone && !stayed {
			gone, stayed = len(c.Stayed) == 0 && len(c.Gone) > 0, len(c.Gone) == 0 && len(c.Stayed) > 0
		}
		seats := moved(c.Under)
		if away := slices.Contains(seats, seat); seats != nil && (gone && !away || stayed && away) {
			factor *= againstIt
		}
	}
	return factor
}

// Conclusion is what follows from second looks: the id of words, with values for
// them.
type Conclusion struct {
	ID   string `json:"id"`
	Args Args   `json:"args,omitempty"`
}

// Conclude says what follows from second looks: for each, whether what was wrong
// is gone ("-clean"), partly gone ("-less") or still there ("-same"), and at
// last, if nothing changed under any condition, that it is the site or the
// account.
func Conclude(cs evidence.Comparisons) []Conclusion {
	var out []Conclusion
	same := 0
	for _, c := range cs {
		end := "-less"
		switch {
		case moved(c.Under) == nil, len(c.Gone)+len(c.Stayed) == 0:
			continue
		case len(c.Gone) == 0:
			end = "-same"
			same++
		case len(c.Stayed) == 0:
			end = "-clean"
		}
		out = append(out, Conclusion{string(c.Under) + end, Args{"gone": len(c.Gone), "stayed": len(c.Stayed), "came": len(c.Came)}})
	}
	if same == conditions {
		out = append(out, Conclusion{ID: "same-everywhere"})
	}
	return out
}
