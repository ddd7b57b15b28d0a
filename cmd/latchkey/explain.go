package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// floor is the share below which a cause is not worth a line.
const floor = 0.0005

// explain prints why each cause and each step stands where it stands.
func explain(set diag.Set, e evidence.Evidence) string {
	d, why, steps := set.Explain(e)
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "CAUSE\tSEAT\tPRIOR\tCHECK SAYS\tFACTOR\tTRIED\tSECOND LOOK\tCHANCE\n")
	rest := 0.0
	line := func(r diag.Reason) {
		chance := percent(r.Chance)
		if r.Explained && r.Chance == 0 {
			chance = "explained"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t×%.3g\t×%.3g\t×%.3g\t%s\n", r.Check, r.Seat, percent(r.Prior), r.Says, r.Sign, r.Tried, r.Compared, chance)
	}
	for _, f := range d.Findings {
		for _, r := range why {
			if r.Check == f.Check {
				line(r)
			}
		}
	}
	for _, r := range why {
		switch {
		case finds(d, r.Check):
		case r.Chance >= floor:
			line(r)
		default:
			rest += r.Chance
		}
	}
	fmt.Fprintf(w, "all others\t\t\t\t\t\t\t%s\n", percent(rest))
	fmt.Fprint(w, "\nSTEP\tCHANCE\tCOST\tREMAINS\tHELPS\n")
	for _, s := range steps {
		var helps []string
		for _, h := range s.Helps {
			helps = append(helps, fmt.Sprintf("%s %s", h.Check, percent(h.Efficacy)))
		}
		fmt.Fprintf(w, "%s\t%s\t%.0f s\t%.0f s\t%s\n", s.Fix, percent(s.Chance), s.Cost, s.Left, strings.Join(helps, ", "))
	}
	for _, c := range diag.Conclude(e.Run.Compared) {
		fmt.Fprintf(w, "\nsecond look: %s\n", c.ID)
	}
	w.Flush() // a strings.Builder takes everything
	return b.String()
}

func finds(d diag.Diagnosis, id string) bool {
	for _, f := range d.Findings {
		if f.Check == id {
			return true
		}
	}
	return false
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
