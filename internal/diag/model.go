package diag

import (
	"slices"

	"latchkey/internal/evidence"
)

// Level says how often something is the reason of a failed sign-in, as a weight
// beside those of all other causes: each level is four times the one below. The
// zero Level leaves it to the check's impact.
type Level float64

// The levels. No order of findings shall hang on less than one level; see the
// table of simulations.
const (
	Usual     Level = 64        // what one expects: with nothing else known, most people have it
	Often     Level = 16        // one in ten or so
	Sometimes Level = 4         // a few in a hundred
	Rare      Level = 1         // one in a hundred
	Hardly    Level = 1.0 / 16  // seen, and told as a story
	Never     Level = 1.0 / 256 // not known to anybody, but who knows
)

// Seat is where a cause sits: what one has to change to get away from it.
type Seat int

// The seats.
const (
	Unplaced Seat = iota
	Site          // the site, and the address that it was opened at
	Profile       // what this browser has gathered: extensions, stored data, open pages
	Browser       // the browser and its settings
	Device        // the device and its system
	Network       // the way between
	Account       // the account, and what was typed
	seats
)

var seatNames = [seats]string{"unplaced", "site", "profile", "browser", "device", "network", "account"}

// String is the seat's name, for engineers.
func (s Seat) String() string { return seatNames[s] }

// Cause is what the model knows of a check's fault as the reason of a failed
// sign-in. The zero Cause is a good guess for a new check.
type Cause struct {
	// ID is the check's.
	ID   string
	Seat Seat
	// Prior is how often it is the reason, over all outcomes that it explains.
	Prior Level
	// Priors say otherwise for single outcomes.
	Priors []Given
	// Whole is whether the login server's word is the whole story; without it
	// the word names a symptom, such as a lost session. It is for checks that are
	// told.
	Whole bool
	// Bystander is the share of people who have this fault and whose sign-in
	// works, or fails for another reason; zero leaves it to the impact.
	Bystander float64
	// Helps are efficacies of fixes that do not follow from their place in the
	// check's list.
	Helps []Helping
}

// Given is how often a cause is the reason of one outcome.
type Given struct {
	When evidence.Outcome
	Is   Level
}

// Helping is how well a fix helps against a cause.
type Helping struct {
	Fix string
	Is  Efficacy
}

// Efficacy is the chance that a step gets the person in if its cause is the one.
type Efficacy float64

// The efficacies.
const (
	Surely   Efficacy = 0.9 // it takes the cause away, if done right
	Mostly   Efficacy = 0.7
	Half     Efficacy = 0.5
	Unlikely Efficacy = 0.2
	Barely   Efficacy = 0.05
)

// inPlace is how well a fix helps that has a place in a check's list: the first
// usually does, and each further one helps half as often, being a way around or
// for the rarer variants.
func inPlace(at int) float64 {
	v := 0.8
	for range at {
		v /= 2
	}
	return v
}

// Model is what is known of causes beyond their checks. It is made of lists, for
// those are data in the WebAssembly, and maps are code.
type Model struct {
	Causes []Cause
	// Unseen is how often the reason is something that no check sees, by where
	// it sits.
	Unseen [seats]Level
}

// of is what is known of a check's fault.
func (m *Model) of(id string) *Cause {
	for i := range m.Causes {
		if m.Causes[i].ID == id {
			return &m.Causes[i]
		}
	}
	return &Cause{ID: id}
}

// What a check's outcome says about its fault. The numbers are chances that
// somebody without the fault gets this outcome all the same; with the fault it
// is taken as given. They are set by what the words promise: sure, that the very
// thing was tried; likely, that it is the best of several; maybe, that it is one
// of several.
const (
	certainAlarm = 1.0 / 1000
	strongAlarm  = 1.0 / 50
	weakAlarm    = 1.0 / 8
	// missed is the chance that a check passes although its fault is the reason,
	// as when it came and went.
	missed = 1.0 / 50
)

// What the login server's word says about causes that it does not follow from. A
// symptom, such as a lost session, may follow from much; a word that is the whole
// story, such as a locked account, was said after all else had worked.
const (
	farFetched = 1.0 / 64
	excluded   = 1.0 / 10000
)

// The shares of bystanders by impact. What blocks has none, for nobody gets in
// with it; 1 in 20 has a slow line or a page that came back with its tab; notes
// are what many have for years.
func bystanders(i Impact) float64 {
	switch i {
	case Slows:
		return 1.0 / 20
	case Note:
		return 1.0 / 5
	}
	return 0
}

// usually is the level of a cause that the model does not name: what blocks
// fails every sign-in of those who have it, what slows some, a note hardly one.
func usually(i Impact) Level {
	switch i {
	case Slows:
		return Sometimes
	case Note:
		return Rare
	}
	return Often
}

// Who is who has to act.
type Who float64

// Those who act, each with what waiting for them costs the person, in seconds. They
// answer within hours, of which a person who has something else to do loses the
// smaller part.
const (
	Person       Who = 0
	Organisation Who = 600  // an administrator or the IT department, who know the person
	Support      Who = 1800 // a queue, questions, and a call back
)

// Effort is what a step costs besides time, as the seconds that people would
// give to be spared it.
type Effort float64

// The efforts.
const (
	Easy   Effort = 0
	Some   Effort = 30  // menus to find, or a change to undo later
	Much   Effort = 120 // another device, a new secret, or something is lost
	Severe Effort = 600 // it hurts elsewhere, too
)

const (
	// again is what it takes to sign in once more after each step, in seconds.
	again = 30
	// remains is how much of a repair still counts for who got in on a way
	// around it: the patients see the doctor, and the rest can wait.
	remains = 0.2
	// givingUp is what it costs if no step helps: a lost hour, in seconds.
	givingUp = 3600
)

// Fix is something that a person, or somebody for them, can do.
type Fix struct {
	ID string
	// Offered is whether the fix can be done in this browser and system; nil
	// means everywhere.
	Offered func(evidence.Evidence) bool
	// Seconds is the time that the person spends on it, Effort what else it takes.
	Seconds float64
	Effort  Effort
	Who     Who
	// Always is how well it helps whatever the cause, as somebody does who takes
	// over. Such a fix ends the list.
	Always Efficacy
	// Listed is how well it helps at least where a check lists it, in whatever
	// place, as somebody does who knows the person.
	Listed Efficacy
	// Moves makes the fix an experiment: it mends nothing, but goes around causes
	// in those seats, and by that shows where the cause sits. Shows is how well.
	Moves []Seat
	Shows Efficacy
}

// Cost is what the step costs the person, in seconds.
func (f *Fix) Cost() float64 { return again + f.Seconds + float64(f.Effort) + float64(f.Who) }

// helps is how well the fix helps against a cause in that seat whose check lists
// those fixes.
func (f *Fix) helps(c *Cause, fixes []string) float64 {
	for _, h := range c.Helps {
		if h.Fix == f.ID {
			return float64(h.Is)
		}
	}
	v := float64(f.Always)
	if at := slices.Index(fixes, f.ID); at >= 0 && v == 0 {
		v = max(inPlace(at), float64(f.Listed))
	}
	if slices.Contains(f.Moves, c.Seat) {
		v = max(v, float64(f.Shows))
	}
	return v
}
