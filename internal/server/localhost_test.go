package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"latchkey/internal/evidence"
)

func TestReaches_namesBelowLocalhost(t *testing.T) {
	there := httptest.NewServer(http.NotFoundHandler())
	defer there.Close()
	o := testOptions(t)
	o.Config.Needs = []Need{
		{Kind: "host", URL: strings.Replace(there.URL, "127.0.0.1", "captcha.localhost", 1) + "/"},
		{Kind: "host", URL: "http://captcha.localhost.invalid/"},
	}
	s := testServer(t, o)
	r := httptest.NewRequest("GET", "/", nil)
	assert.Equal(t, map[string]evidence.Answer{"0": evidence.Yes, "1": evidence.No}, s.reachable(r, "0,1"))
}
