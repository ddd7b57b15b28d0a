package evidence

import "encoding/json"

// Origin is where the page was opened, as its request says it.
type Origin struct {
	Scheme Fact[string] `json:"scheme,omitzero" send:"yes"`
	// Host is without a port.
	Host Fact[string] `json:"host,omitzero" send:"yes"`
	// Canonical is the host that the operator's login page has; absent if the
	// operator does not say.
	Canonical Fact[string] `json:"canonical,omitzero" send:"yes"`
}

// Kind is what became of one look-alike: a cookie under a name of ours, with the
// attributes that a cookie of the login has.
type Kind struct {
	// Name is that of the login's cookie, as the operator writes it, or empty for
	// one that we try on every site.
	Name        string `json:"name,omitempty"`
	Domain      string `json:"domain,omitempty"`
	Secure      bool   `json:"secure,omitempty"`
	SameSite    string `json:"same_site,omitempty"` // strict, lax, none, or not written
	Partitioned bool   `json:"partitioned,omitempty"`
	// Posted is whether it must come with a form that another site posts.
	Posted bool `json:"posted,omitempty"`
	Came   bool `json:"came"`
}

// Kinds are the look-alikes, in the operator's order.
type Kinds []Kind

// UnmarshalJSON keeps as many as an operator may name.
func (k *Kinds) UnmarshalJSON(data []byte) error {
	var in []Kind
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*k = in[:min(len(in), MaxKinds)]
	return nil
}

// MaxKinds is how many cookies of the login an operator can name. Browsers keep
// 150 or more for a site, and each is set and taken away again.
const MaxKinds = 12

// Jar is the Cookie header of a request, without our own cookies and without
// any value.
type Jar struct {
	Count int `json:"count"`
	// Bytes is how long they are in the header.
	Bytes int `json:"bytes"`
	// Doubled are the names that stand there more than once: as the operator
	// writes them, or a hash.
	Doubled Names `json:"doubled,omitempty"`
	// Listed is whether a doubled name is one that the operator lists.
	Listed bool `json:"listed,omitempty"`
}
