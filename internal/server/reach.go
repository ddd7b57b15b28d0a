package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"latchkey/internal/evidence"
)

// reach is what the server sees of the way between the browser and itself.
type reach struct {
	Hello   evidence.Fact[evidence.Hello] `json:"hello"`
	Proxies evidence.Fact[evidence.Names] `json:"proxies"`
	Moves   evidence.Fact[evidence.Moves] `json:"moves"`
	// Needs are those that were asked for, by their number.
	Needs map[string]evidence.Answer `json:"needs,omitempty"`
}

// reach looks at a request. addresses are hashes of those that earlier requests
// of the visit came from; see hashAddress.
func (s *server) reach(r *http.Request, addresses []string) reach {
	return reach{Hello: s.hello(r), Proxies: evidence.Saw(s.proxies(r)), Moves: s.moves(r, addresses)}
}

// into puts it into evidence, where nobody has said it already.
func (c reach) into(n *evidence.Network) {
	if !n.Hello.Known() {
		n.Hello = c.Hello
	}
	if !n.Proxies.Known() {
		n.Proxies = c.Proxies
	}
	if !n.Moves.Known() {
		n.Moves = c.Moves
	}
}

// tellReach answers GET {base}/reach?address=…&needs=0,2&clock=-1,2.
func (s *server) tellReach(w http.ResponseWriter, r *http.Request) {
	s.hear(r)
	seen := s.reach(r, addresses(r))
	seen.Needs = s.reachable(r, r.URL.Query().Get("needs"))
	writeJSON(w, seen)
}

// proxyHeaders are those with which proxies say that they passed a request on,
// and those by which well-known products that stand between browsers and sites
// give themselves away: Blue Coat, Barracuda, Zscaler, Sophos, Forcepoint
// (Websense), McAfee's and Trend Micro's gateways, EdgeWave, G DATA, ESET, Net
// Nanny. Headers that sites' own front servers add as well, such as X-Real-IP and
// True-Client-IP, are left out.
// Source: github.com/cloudflare/mitmengine, reference_fingerprints, badheader.txt.
var proxyHeaders = []string{
	"Via", "Forwarded", "X-Forwarded-For",
	"X-BlueCoat-Via", "X-BlueCoat-User", "X-Barracuda-WF-User", "X-Barracuda-WF-Domain", "Z-Forwarded-For", "ZSA-Skip-AVScanning",
	"X-Sophos-Filter", "X-Sophos-Meta", "X-Sophos-WSA-ClientIP",
	"X-WebsenseHost", "X-WebsenseProxyChannel", "X-WebsenseProxySslConnection",
	"X-MWG-Via", "X-IWSaaS-Via", "EdgeWave-Proxy", "GData-Version", "X-NOD32-Mode", "X-NetNanny-Ignore",
}

// proxies names the headers that came from beyond the operator's own machines.
// Not all of those add themselves to all headers, so that some proxies beyond
// stay hidden behind them.
func (s *server) proxies(r *http.Request) evidence.Names {
	_, hops, beyond := s.path(r)
	if s.unlisted(r) {
		hops, beyond = 1, beyond-1
	}
	found := evidence.Names{}
	for _, name := range proxyHeaders {
		n := len(entries(r, name))
		switch name {
		case "Via", "Forwarded":
			n -= hops
		case "X-Forwarded-For":
			n = beyond
		}
		if n > 0 {
			found = append(found, name)
		}
	}
	return found
}

// unlisted is whether the request seems to have passed a machine of the operator
// that trusted_proxies leaves out: one that stands beside us and forwards. Then
// what we see of the connection is that machine's.
func (s *server) unlisted(r *http.Request) bool {
	at := peer(r)
	return (at.IsLoopback() || at.IsPrivate() || at.IsLinkLocalUnicast()) && !s.trusts(at) && r.Header.Get("X-Forwarded-For") != ""
}

var comment = regexp.MustCompile(`\([^)]*\)`)

// entries are the parts of a header that is a list, without comments.
func entries(r *http.Request, name string) []string {
	var list []string
	for part := range strings.SplitSeq(comment.ReplaceAllString(strings.Join(r.Header.Values(name), ","), ""), ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// maxAddresses is how many addresses a visit can have come from: when the login
// page was made, when its form was sent, and when our own page was.
const maxAddresses = 4

// markAt is where the mark of a process's key begins in a hash.
const markAt = len("4:0123456789abcdef")

var addressForm = regexp.MustCompile(`^[46]:[0-9a-f]{16}(\.[0-9a-f]{8})?$`)

// addresses reads the query's address.
func addresses(r *http.Request) []string {
	list := strings.Fields(r.URL.Query().Get("address"))
	list = slices.DeleteFunc(list, func(a string) bool { return !addressForm.MatchString(a) })
	return list[:min(len(list), maxAddresses)]
}

// hashAddress stands for the address of the person's line, which nobody is to
// read: "4:" or "6:" and the first 16 digits of the HMAC-SHA256 with the site's key
// of "address " and the address, of IPv6 the first 64 bits (2001:db8:0:1::). The
// site's server writes the same into the login page, as data-address.
//
// Without such a key it is the process's own, and the hash ends with what tells
// that key from others'. It is empty if we do not see the address.
func (s *server) hashAddress(r *http.Request) string {
	at := s.client(r)
	if !at.IsValid() || s.unlisted(r) {
		return ""
	}
	digits := func(key []byte, message string, n int) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(message))
		return hex.EncodeToString(mac.Sum(nil))[:n]
	}
	key, mark := []byte(s.cfg.Page.Key), ""
	if len(key) == 0 {
		key = s.nameKey[:]
		mark = "." + digits(key, "address", 8)
	}
	family := "4:"
	if at.Is6() {
		family = "6:"
	}
	return family + digits(key, "address "+network(at).Addr().String(), 16) + mark
}

// moves compares the address of a request with earlier ones. Hashes with another
// key than ours say nothing.
func (s *server) moves(r *http.Request, earlier []string) evidence.Fact[evidence.Moves] {
	now, m := s.hashAddress(r), evidence.Moves{}
	compared, within := 0, false
	for _, was := range earlier {
		if now == "" || len(was) != len(now) || was[markAt:] != now[markAt:] {
			continue
		}
		compared++
		m.Changed = m.Changed || was != now
		within = within || was != now && was[0] == now[0]
	}
	if compared == 0 {
		return evidence.Fact[evidence.Moves]{State: evidence.Absent}
	}
	m.Family = m.Changed && !within
	return evidence.Saw(m)
}
