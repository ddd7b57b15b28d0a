//go:build unix

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority vouches for the tests' servers, as that of a company or of a virus
// scanner does: browsers trust it when they are told to.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte // for drive.Options.Trust
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := new(authority)
	a.certificate, a.key = a.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name, Organization: []string{"Example"}}, BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	})
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
	return a
}

// sign makes a certificate, which vouches for itself if the authority has none.
func (a *authority) sign(t *testing.T, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(48*time.Hour)
	by, with := a.certificate, a.key
	if by == nil {
		by, with = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, with)
	require.NoError(t, err)
	c, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return c, key
}

// leaf is a certificate for all names and addresses that servers of the tests have.
func (a *authority) leaf(t *testing.T) tls.Certificate {
	t.Helper()
	c, key := a.sign(t, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "login.test"},
		DNSNames:    []string{"localhost", "login.localhost", "third.localhost", "login.test", "third.test"},
		IPAddresses: []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP(serverAddress)},
		KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key}
}

// files writes certificate and key of a server, for programs that are not Go.
func (a *authority) files(t *testing.T) (certificate, key string) {
	t.Helper()
	c := a.leaf(t)
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600))
	require.NoError(t, os.WriteFile(key, keyPEM(t, c.PrivateKey), 0o600))
	return certificate, key
}

func keyPEM(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// secure makes an https server, with HTTP/2, of one that is not started yet, and
// keeps what is said to it first.
func (a *authority) secure(t *testing.T, s *httptest.Server) *hellos {
	t.Helper()
	h := new(hellos)
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{Certificates: []tls.Certificate{a.leaf(t)}, GetConfigForClient: h.note}
	return h
}

// serve starts an https server.
func (a *authority) serve(t *testing.T, handler http.Handler) (*httptest.Server, *hellos) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	s := httptest.NewUnstartedServer(handler)
	h := a.secure(t, s)
	s.StartTLS()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s, h
}

// site starts Latchkey over https.
func (a *authority) site(t *testing.T, faults ...middleware) (*site, *hellos) {
	t.Helper()
	var h *hellos
	s := startSiteAs(t, func(s *site) { h = a.secure(t, s.Server) }, faults...)
	return s, h
}

// hellos are the openings of TLS that a server has seen.
type hellos struct {
	mu  sync.Mutex
	all []hello
}

// hello is what of one tells who wrote it.
type hello struct {
	Grease      bool // values that browsers with Chromium's TLS strew in
	PostQuantum bool // the curve X25519MLKEM768
	Ciphers     int
}

func (h *hellos) note(info *tls.ClientHelloInfo) (*tls.Config, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, hello{
		// RFC 8701: both bytes are the same and end in a.
		Grease:      slices.ContainsFunc(info.CipherSuites, func(c uint16) bool { return c>>8 == c&0xff && c&0xf == 0xa }),
		PostQuantum: slices.Contains(info.SupportedCurves, tls.X25519MLKEM768),
		Ciphers:     len(info.CipherSuites),
	})
	return nil, nil
}

// seen lists them by their order.
func (h *hellos) seen() []hello {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all)
}
