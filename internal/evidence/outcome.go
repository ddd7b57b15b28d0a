package evidence

import "strings"

// Outcome is what the login server said of a sign-in.
type Outcome string

// The outcomes, as the contract names them.
const (
	InvalidCredentials Outcome = "invalid_credentials"
	AccountLocked      Outcome = "account_locked"
	AccountDisabled    Outcome = "account_disabled"
	PasswordExpired    Outcome = "password_expired"
	MFARejected        Outcome = "mfa_rejected"
	MFANotDelivered    Outcome = "mfa_not_delivered"
	SSOFailed          Outcome = "sso_failed"
	SessionLost        Outcome = "session_lost"
	CaptchaFailed      Outcome = "captcha_failed"
	Throttled          Outcome = "throttled"
	Maintenance        Outcome = "maintenance"
	ServerError        Outcome = "server_error"
	NoResponse         Outcome = "no_response"
	ResetNotDelivered  Outcome = "reset_not_delivered"
	NotRegistered      Outcome = "not_registered"
	Unknown            Outcome = "unknown"
)

// Outcomes lists all outcomes in the contract's order.
var Outcomes = []Outcome{
	InvalidCredentials, AccountLocked, AccountDisabled, PasswordExpired, MFARejected, MFANotDelivered,
	SSOFailed, SessionLost, CaptchaFailed, Throttled, Maintenance, ServerError, NoResponse,
	ResetNotDelivered, NotRegistered, Unknown,
}

// wellKnown maps the codes of public standards that say why a sign-in failed.
// Codes that name several causes are left out: they would be guesses.
var wellKnown = map[string]Outcome{
	// OAuth 2.0, RFC 6749 sections 4.1.2.1 and 5.2.
	"invalid_grant": InvalidCredentials, "access_denied": SSOFailed, "invalid_request": SSOFailed,
	"unauthorized_client": SSOFailed, "invalid_client": SSOFailed, "unsupported_response_type": SSOFailed,
	"invalid_scope": SSOFailed, "temporarily_unavailable": Maintenance,
	// OpenID Connect Core 1.0 section 3.1.2.6.
	"login_required": SessionLost, "interaction_required": SSOFailed, "account_selection_required": SSOFailed,
	"consent_required": SSOFailed, "invalid_state": SessionLost, "state_mismatch": SessionLost,
	// SAML 2.0 Core section 3.2.2.2, the last part of the status code's name.
	"authnfailed": InvalidCredentials, "unknownprincipal": NotRegistered, "noauthncontext": SSOFailed,
	"nopassive": SSOFailed, "requestdenied": SSOFailed, "responder": SSOFailed, "requester": SSOFailed,
	"versionmismatch": SSOFailed, "noavailableidp": SSOFailed, "nosupportedidp": SSOFailed,
	// WebAuthn Level 3 section 5.1.4: names of exceptions that get() ends with.
	"notallowederror": MFARejected, "invalidstateerror": MFARejected, "constrainterror": MFARejected,
	"unknownerror": MFARejected, "securityerror": SSOFailed,
}

const (
	samlPrefix = "urn:oasis:names:tc:saml:2.0:status:"
	codeLimit  = 64
)

// ValidOutcome is whether id is one of the contract's outcomes.
func ValidOutcome(id string) bool {
	for _, o := range Outcomes {
		if string(o) == id {
			return true
		}
	}
	return false
}

// Told makes the Host of an outcome as a site gave it: one of ours, one of the
// operator's own codes (own, may be nil), a well-known code, or else unknown.
// What is not one of ours is kept for support. Both strings come from outside;
// they are cut, not trusted.
func Told(outcome, reference string, own map[string]Outcome) Host {
	var h Host
	if reference != "" {
		h.Reference = Saw(clip(reference, codeLimit))
	}
	switch mapped, ok := own[outcome]; {
	case outcome == "":
		return h
	case ValidOutcome(outcome):
		h.Outcome = Saw(Outcome(outcome))
		return h
	case ok:
		h.Outcome = Saw(mapped)
	default:
		h.Outcome = Saw(Unknown)
		key := strings.TrimPrefix(strings.ToLower(outcome), samlPrefix)
		if known, ok := wellKnown[key]; ok {
			h.Outcome = Saw(known)
		}
	}
	h.Code = Saw(clip(outcome, codeLimit))
	return h
}
