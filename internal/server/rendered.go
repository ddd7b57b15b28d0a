package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/evidence"
)

// rendered is the age of the login page, from the time that its server wrote
// into it as data-rendered: "<unix seconds>.<hex HMAC-SHA256 of the seconds>".
// What is not signed with the site's key says nothing, and the note says why.
func (s *server) rendered(signed string) evidence.Fact[evidence.Milliseconds] {
	absent := func(note string) evidence.Fact[evidence.Milliseconds] {
		return evidence.Fact[evidence.Milliseconds]{State: evidence.Absent, Note: note}
	}
	seconds, signature, ok := strings.Cut(signed, ".")
	at, err := strconv.ParseInt(seconds, 10, 64)
	given, bad := hex.DecodeString(signature)
	switch {
	case s.cfg.Page.Key == "":
		return evidence.Fact[evidence.Milliseconds]{} // nobody can tell
	case signed == "":
		return absent("not given")
	case !ok || err != nil || bad != nil:
		return absent("not readable")
	}
	mac := hmac.New(sha256.New, []byte(s.cfg.Page.Key))
	mac.Write([]byte(seconds))
	if !hmac.Equal(given, mac.Sum(nil)) {
		return absent("wrong signature")
	}
	age := s.now().Sub(time.Unix(at, 0))
	if age < -time.Minute {
		return absent("from the future") // the servers' clocks disagree
	}
	return evidence.Saw(evidence.Milliseconds(max(age, 0).Milliseconds()))
}

// maxAge is how long the operator says that a login page is good for.
func (s *server) maxAge() evidence.Fact[evidence.Milliseconds] {
	if s.cfg.Page.MaxAge == 0 {
		return evidence.Fact[evidence.Milliseconds]{}
	}
	return evidence.Saw(evidence.Milliseconds(s.cfg.Page.MaxAge.Milliseconds()))
}
