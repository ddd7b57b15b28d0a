package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// A value at rest begins with a byte that says how it is kept. What is sealed goes
// on with the first bytes of the SHA-256 of its key, then AES-256-GCM's nonce and
// what it made. What the value belongs to is authenticated beside it, so that nobody
// with the file alone can give one row the value of another.
const (
	plain  = 0
	sealed = 1
	keyID  = 8
)

type sealer struct {
	// first is how what this writes begins.
	first []byte
	keys  map[[keyID]byte]cipher.AEAD
}

func newSealer(keys [][]byte) (*sealer, error) {
	s := &sealer{first: []byte{plain}, keys: map[[keyID]byte]cipher.AEAD{}}
	for i, key := range keys {
		if len(key) != 32 {
			return nil, fmt.Errorf("key %d of the store has %d bytes, and needs 32", i+1, len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(key)
		s.keys[[keyID]byte(sum[:keyID])] = aead
		if i == 0 {
			s.first = append([]byte{sealed}, sum[:keyID]...)
		}
	}
	return s, nil
}

// seal makes a value fit to be kept; of names the column and the row.
func (s *sealer) seal(of string, value []byte) []byte {
	out := bytes.Clone(s.first)
	if out[0] == plain {
		return append(out, value...)
	}
	return s.keys[[keyID]byte(out[1:])].Seal(out, nil, value, []byte(of))
}

// open is the value of what is kept.
func (s *sealer) open(of string, kept []byte) ([]byte, error) {
	switch {
	case len(kept) == 0:
		return nil, nil
	case kept[0] == plain:
		return kept[1:], nil
	case kept[0] != sealed || len(kept) < 1+keyID:
		return nil, fmt.Errorf("%s is not kept in a way that this program knows", of)
	}
	aead, ok := s.keys[[keyID]byte(kept[1:])]
	if !ok {
		return nil, fmt.Errorf("%s was encrypted with the key that begins its SHA-256 with %x: %w", of, kept[1:1+keyID], ErrKey)
	}
	value, err := aead.Open(nil, nil, kept[1+keyID:], []byte(of))
	if err != nil {
		return nil, fmt.Errorf("%s was changed by somebody without the key, or is damaged: %w", of, ErrKey)
	}
	return value, nil
}

// ParseKeys reads Options.Keys from a line of text: each key is 32 bytes, as base64 or
// hex, with commas between them. "" is none. Its errors never tell the keys.
func ParseKeys(line string) ([][]byte, error) {
	if strings.TrimSpace(line) == "" {
		return nil, nil
	}
	var keys [][]byte
	for i, word := range strings.Split(line, ",") {
		key, ok := parseKey(strings.TrimSpace(word))
		if !ok {
			return nil, fmt.Errorf("key %d is not 32 bytes in base64 or hex: make one with: openssl rand -base64 32", i+1)
		}
		for j, other := range keys {
			if bytes.Equal(key, other) {
				return nil, fmt.Errorf("keys %d and %d are the same", j+1, i+1)
			}
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func parseKey(word string) ([]byte, bool) {
	if len(word) == 64 {
		key, err := hex.DecodeString(word)
		return key, err == nil
	}
	word = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(word, "="))
	key, err := base64.RawStdEncoding.DecodeString(word)
	return key, err == nil && len(key) == 32
}
