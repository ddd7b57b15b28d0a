package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"latchkey/internal/evidence"
)

type helloKey struct{}

// WatchHellos makes a server that ends TLS itself note the shape of each
// connection's ClientHello, for the requests that come over it. conf is the one
// that the server will run with. What the hello held besides is forgotten.
//
// The handshake runs in the connection's own context and is over before its
// first request, so that nothing is locked. Resumed sessions send a whole hello,
// too (RFC 8446, section 4.2.11).
func WatchHellos(s *http.Server, conf *tls.Config) {
	s.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, helloKey{}, new(evidence.Hello))
	}
	conf.GetConfigForClient = func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		if h, ok := info.Context().Value(helloKey{}).(*evidence.Hello); ok {
			*h = shape(info)
		}
		return nil, nil
	}
}

// postQuantum is X25519MLKEM768, by its number in IANA's list of groups.
const postQuantum tls.CurveID = 4588

func shape(info *tls.ClientHelloInfo) evidence.Hello {
	return evidence.Hello{
		Grease: slices.ContainsFunc(info.CipherSuites, isGrease) || slices.ContainsFunc(info.Extensions, isGrease) ||
			slices.ContainsFunc(info.SupportedVersions, isGrease) || slices.ContainsFunc(info.SupportedCurves, isGrease),
		PostQuantum: slices.Contains(info.SupportedCurves, postQuantum),
		TLS13:       slices.Contains(info.SupportedVersions, tls.VersionTLS13),
		Ciphers:     cipherHash(info.CipherSuites),
		Whole:       true,
	}
}

// isGrease is whether a value means nothing: 0x0A0A, 0x1A1A and so on (RFC 8701).
func isGrease[T ~uint16](v T) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// cipherHash is the middle part of a JA4 fingerprint (JA4_b in
// github.com/FoxIO-LLC/ja4, technical_details/JA4.md).
func cipherHash(suites []uint16) string {
	var list []string
	for _, c := range suites {
		if !isGrease(c) {
			list = append(list, fmt.Sprintf("%04x", c))
		}
	}
	slices.Sort(list)
	sum := sha256.Sum256([]byte(strings.Join(list, ",")))
	return hex.EncodeToString(sum[:6])
}

// ja4Form is a fingerprint of a client over TCP (t) or QUIC (q): the highest
// version offered, counts, and hashes of cipher suites and extensions.
var ja4Form = regexp.MustCompile(`^([tq])(13|12|11|10|s3|s2)[di][0-9]{4}[0-9A-Za-z]{2}_([0-9a-f]{12})_[0-9a-f]{12}$`)

// fromJA4 tells less than the hello itself. Over QUIC browsers offer other cipher
// suites than over TCP, so those are not told.
func fromJA4(fingerprint string) evidence.Fact[evidence.Hello] {
	m := ja4Form.FindStringSubmatch(strings.TrimSpace(fingerprint))
	if m == nil {
		return evidence.Fact[evidence.Hello]{State: evidence.Absent}
	}
	h := evidence.Hello{TLS13: m[2] == "13"}
	if m[1] == "t" {
		h.Ciphers = m[3]
	}
	return evidence.Saw(h)
}

// hello is how the browser, or whatever stands between, opened the connection. A
// trusted proxy's own hello says nothing of the browser: there it is what the
// proxy tells.
func (s *server) hello(r *http.Request) evidence.Fact[evidence.Hello] {
	if s.trusts(peer(r)) {
		return fromJA4(r.Header.Get(s.cfg.Network.JA4Header))
	}
	seen, ok := r.Context().Value(helloKey{}).(*evidence.Hello)
	if !ok || !seen.Whole || s.unlisted(r) {
		return evidence.Fact[evidence.Hello]{State: evidence.Absent}
	}
	return evidence.Saw(*seen)
}
