package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// NewID makes the id of a row: at least 128 random bits, as 26 small letters and
// digits.
func NewID() string { return strings.ToLower(rand.Text()) }

// Strict, so that a token can be written in one way only.
var tokenForm = base64.RawURLEncoding.Strict()

// NewToken makes a secret of 128 random bits as it stands in an address, and the hash
// under which it is kept.
func NewToken() (token string, hash []byte) {
	var secret [16]byte
	rand.Read(secret[:])
	token = tokenForm.EncodeToString(secret[:])
	hash, _ = HashToken(token)
	return token, hash
}

// HashToken is the hash under which a token is kept; false if it cannot be one.
func HashToken(token string) ([]byte, bool) {
	// The decoder skips line breaks.
	if len(token) != tokenForm.EncodedLen(16) || strings.ContainsAny(token, "\r\n") {
		return nil, false
	}
	if _, err := tokenForm.DecodeString(token); err != nil {
		return nil, false
	}
	hash := sha256.Sum256([]byte(token))
	return hash[:], true
}
