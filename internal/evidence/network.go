package evidence

import "encoding/json"

// Network is about the way between the browser and the servers.
type Network struct {
	// Online is navigator.onLine, which was wrong in both directions (Chromium 156
	// and Firefox 153 in network namespaces, seen 2026-11): no check goes by it
	// alone.
	Online Fact[bool] `json:"online,omitzero" send:"yes"`
	// Echoes are exchanges with our own server, one after another.
	Echoes Fact[Echoes] `json:"echoes,omitzero" send:"coarse"`
	// Speed is how fast our own files came, in kbit/s; absent where they came
	// from a cache or were too small to tell.
	Speed Fact[float64] `json:"speed,omitzero" send:"yes"`
	// Sample is what became on the way of a page of which we know every byte.
	Sample Fact[Sample] `json:"sample,omitzero" send:"yes"`
	// Moves are the addresses from which this visit came.
	Moves Fact[Moves] `json:"moves,omitzero" send:"yes"`
	// Proxies are the names of headers with which something outside of the
	// operator's own machines says that it passed the request on.
	Proxies Fact[Names] `json:"proxies,omitzero" send:"yes"`
	// Hello is how the connection was opened; absent where somebody else than we
	// ends the encryption and does not tell.
	Hello Fact[Hello] `json:"hello,omitzero" send:"yes"`
	// Local is the browser's permission to reach private addresses, as
	// granted, prompt or denied; absent in browsers that do not ask for it.
	Local Fact[string] `json:"local,omitzero" send:"yes"`
	// Needs are what the login needs from elsewhere, in the operator's order.
	Needs Fact[Needs] `json:"needs,omitzero" send:"yes"`
	// Blocker are baits; nobody lays them where nothing failed.
	Blocker Fact[Blocker] `json:"blocker,omitzero" send:"yes"`
}

// Echoes are exchanges in which the answer has to hold what was asked with.
type Echoes struct {
	Sent int `json:"sent"`
	// Failed are those without any answer.
	Failed int `json:"failed,omitempty"`
	// Foreign are those that somebody else answered.
	Foreign int `json:"foreign,omitempty"`
	// Stalled are those that took 200 ms longer than the shortest: so long a
	// lost packet holds them up (Linux's TCP_RTO_MIN).
	Stalled int `json:"stalled,omitempty"`
	// Least is the shortest round trip, Jitter the median of how much longer the
	// others were, both in milliseconds.
	Least  Milliseconds `json:"least,omitempty"`
	Jitter Milliseconds `json:"jitter,omitempty"`
}

// Coarse rounds the times to 10 ms: finer ones tell how far away somebody is.
func (e Echoes) Coarse() any {
	e.Least, e.Jitter = tens(e.Least), tens(e.Jitter)
	return e
}

func tens(m Milliseconds) Milliseconds { return Milliseconds(int(m+5) / 10 * 10) }

// Sample tells of a page whose text, type and coding we know.
type Sample struct {
	// Same is whether the text arrived as it was sent.
	Same bool `json:"same"`
	// Type is the content type that arrived, without its parameters.
	Type string `json:"type,omitempty"`
	// Unpacked is whether it arrived uncompressed although the browser takes
	// compressed ones.
	Unpacked bool `json:"unpacked,omitempty"`
}

// Moves compares the address of now with those at which the site's own server saw
// this visit before.
type Moves struct {
	// Changed is whether it is another one.
	Changed bool `json:"changed"`
	// Family is whether one is of IPv4 and the other of IPv6, which a line may
	// have both at once.
	Family bool `json:"family,omitempty"`
}

// Hello is the shape of a TLS ClientHello. Chromium's holds values that mean
// nothing (GREASE, RFC 8701), and it and Firefox offer a key exchange that
// withstands quantum computers (X25519MLKEM768).
type Hello struct {
	Grease      bool `json:"grease,omitempty"`
	PostQuantum bool `json:"post_quantum,omitempty"`
	// TLS13 is whether TLS 1.3 was offered.
	TLS13 bool `json:"tls13,omitempty"`
	// Ciphers are the first twelve digits of the hash of the offered cipher
	// suites, as JA4 writes them.
	Ciphers string `json:"ciphers,omitempty"`
	// Whole is whether all of the above was seen, and not only what a JA4
	// fingerprint tells: TLS13 and Ciphers.
	Whole bool `json:"whole,omitempty"`
}

// Answer is yes, no, or empty where nobody asked.
type Answer string

// The answers. InVain is a no after seconds of waiting.
const (
	Yes    Answer = "yes"
	No     Answer = "no"
	InVain Answer = "late"
)

// Failed is whether there was an answer and it was not yes.
func (a Answer) Failed() bool { return a == No || a == InVain }

// Need is what became of one thing that the login needs.
type Need struct {
	// Kind is script, frame, host, socket or stream.
	Kind string `json:"kind"`
	// URL is without its query; Host and Port are parts of it.
	URL  string `json:"url"`
	Host string `json:"host"`
	Port int    `json:"port,omitempty"`
	// Purpose is what it is for, in the operator's words.
	Purpose string `json:"purpose,omitempty"`
	// Unlisted is whether no operator lists it: it failed in the login page, and of
	// its address only the origin is kept.
	Unlisted bool `json:"unlisted,omitempty"`
	// Own is whether it comes from the site itself.
	Own bool `json:"own,omitempty"`
	// Private is whether it stands at an address that the public network does not
	// reach. Nothing of the kind is ever asked.
	Private bool `json:"private,omitempty"`
	// Page is how the login page's own request for it ended.
	Page Answer `json:"page,omitempty"`
	// Status is the code with which that request was refused.
	Status int `json:"status,omitempty"`
	// Ran is whether what it leaves in the page when it has run is there.
	Ran Answer `json:"ran,omitempty"`
	// Again is how asking for it once more ended.
	Again Answer `json:"again,omitempty"`
	// There is whether its host answers at all, to a request for nothing.
	There Answer `json:"there,omitempty"`
	// Server is whether our server reaches it.
	Server Answer `json:"server,omitempty"`
	// Policy is the directive of the site's own policy that refused it.
	Policy string `json:"policy,omitempty"`
}

// Needs are at most MaxNeeds.
type Needs []Need

// MaxNeeds is how many things a login can need from elsewhere: each may cost
// requests, and all of them together are to stay below 24.
const MaxNeeds = 8

// maxUnlisted is how many others are kept.
const maxUnlisted = 4

// UnmarshalJSON keeps as many as an operator may name, and some.
func (n *Needs) UnmarshalJSON(data []byte) error {
	var in []Need
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	in = in[:min(len(in), MaxNeeds+maxUnlisted)]
	for i := range in {
		for _, s := range []*string{&in[i].Kind, &in[i].URL, &in[i].Host, &in[i].Purpose, &in[i].Policy} {
			*s = clip(*s, valueLimit)
		}
	}
	*n = in
	return nil
}

// Blocker is what became of three requests or elements of the same kind, of
// which lists of content blockers name two.
type Blocker struct {
	// Control is whether the one that no list names came.
	Control bool `json:"control"`
	// Request is whether the request that lists name came.
	Request bool `json:"request"`
	// Element is whether the element that lists name was shown.
	Element bool `json:"element"`
}

// Active is whether some content blocker is at work.
func (b Blocker) Active() bool { return b.Control && !(b.Request && b.Element) }
