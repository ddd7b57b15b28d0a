package evidence

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTold_mapsWhatSitesSay(t *testing.T) {
	own := map[string]Outcome{
		"E1017":          AccountLocked,
		"access_denied":  AccountDisabled,
		"account_locked": ServerError, // our own names cannot be given another meaning
		"":               ServerError,
	}
	for _, c := range []struct {
		name, said string
		want       Outcome
		code       string
	}{
		{"one of ours", "account_locked", AccountLocked, ""},
		{"ours, unknown", "unknown", Unknown, ""},
		{"the operator's own code", "E1017", AccountLocked, "E1017"},
		{"the operator's code is exact", "e1017", Unknown, "e1017"},
		{"the operator beats the well-known", "access_denied", AccountDisabled, "access_denied"},
		{"OAuth", "invalid_grant", InvalidCredentials, "invalid_grant"},
		{"OAuth, overloaded", "temporarily_unavailable", Maintenance, "temporarily_unavailable"},
		{"OpenID Connect", "login_required", SessionLost, "login_required"},
		{"SAML's name", "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed", InvalidCredentials, "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"},
		{"SAML's name in small letters", "urn:oasis:names:tc:saml:2.0:status:authnfailed", InvalidCredentials, "urn:oasis:names:tc:saml:2.0:status:authnfailed"},
		{"SAML's last part", "UnknownPrincipal", NotRegistered, "UnknownPrincipal"},
		{"SAML's other scheme", "urn:oasis:names:tc:SAML:1.1:status:AuthnFailed", Unknown, "urn:oasis:names:tc:SAML:1.1:status:AuthnFailed"},
		{"WebAuthn", "NotAllowedError", MFARejected, "NotAllowedError"},
		{"several causes are no cause", "server_error_17", Unknown, "server_error_17"},
		{"markup is kept as text", "<b>", Unknown, "<b>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := Told(c.said, "", own)
			assert.Equal(t, Saw(c.want), h.Outcome)
			assert.Equal(t, Unasked, h.Reference.State)
			if c.code == "" {
				assert.Equal(t, Unasked, h.Code.State)
			} else {
				assert.Equal(t, Saw(c.code), h.Code)
			}
		})
	}
}

func TestTold_saysNothingIfNobodySaidAnything(t *testing.T) {
	assert.Equal(t, Host{}, Told("", "", map[string]Outcome{"": ServerError}))
	assert.Equal(t, Host{Reference: Saw("r-17")}, Told("", "r-17", nil))
}

func TestOutcomes_areTheContracts(t *testing.T) {
	assert.Equal(t, []Outcome{
		"invalid_credentials", "account_locked", "account_disabled", "password_expired", "mfa_rejected",
		"mfa_not_delivered", "sso_failed", "session_lost", "captcha_failed", "throttled", "maintenance",
		"server_error", "no_response", "reset_not_delivered", "not_registered", "unknown",
	}, Outcomes)
	for _, o := range Outcomes {
		assert.True(t, ValidOutcome(string(o)), o)
	}
	assert.False(t, ValidOutcome(""))
	assert.False(t, ValidOutcome("Account_Locked"))
	for code, o := range wellKnown {
		assert.True(t, ValidOutcome(string(o)), code)
	}
}
