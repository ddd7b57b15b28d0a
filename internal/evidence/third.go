package evidence

// ThirdParty is about the cookies of another site that people sign in over,
// such as an identity provider's, as a frame of that site in this one has them.
// It says nothing about the cookies of this site.
type ThirdParty struct {
	// Frame holds the host of the other site's page that answered in a frame. It
	// is absent where the operator names no such site, refused with a note of
	// why it was not asked (policy, insecure), and late if the page kept silent:
	// with the note "silent" when something was loaded in its place.
	Frame Fact[string] `json:"frame,omitzero" send:"yes"`
	// Access is document.hasStorageAccess there: whether the frame has the
	// cookies that it has as a page of its own.
	Access Fact[bool] `json:"access,omitzero" send:"yes"`
	// Asks is whether that site's own frames ask for access, by the word of its
	// operator: a person may have to allow it first.
	Asks Fact[bool] `json:"asks,omitzero" send:"yes"`
	// Own is whether a SameSite=None cookie that the frame wrote was kept.
	// Firefox keeps it apart for this site, so that it proves nothing there.
	Own Fact[bool] `json:"own,omitzero" send:"yes"`
	// Partitioned is the same for a cookie that asks to be kept apart.
	Partitioned Fact[bool] `json:"partitioned,omitzero" send:"yes"`
	// HTTP is whether the cookie of Own came with the frame's next request.
	HTTP Fact[bool] `json:"http,omitzero" send:"yes"`
	// Login is whether a cookie came that the other site had set as a page of
	// its own, as it does when somebody signs in. Nobody asked if none was set
	// in the ten minutes before.
	Login Fact[bool] `json:"login,omitzero" send:"yes"`
}
