package clock

import "latchkey/internal/evidence"

// Whose says which clock has to agree with the server's, or with each other.
type Whose string

// The clocks.
const (
	Device  Whose = "device"  // the one that a person signs in on
	Phone   Whose = "phone"   // the one that makes the codes
	Servers Whose = "servers" // the site's and its identity provider's; no person's clock matters
)

// Use is something that a login may use and that breaks when clocks differ.
type Use struct {
	// ID is what an operator writes.
	ID    string
	Whose Whose
	// Ahead and Behind are how far off the clock may be and it still works, in
	// milliseconds; 0 is any length.
	Ahead, Behind evidence.Milliseconds
	// What it is, and where the numbers come from.
	What, Source string
}

const (
	seconds = 1000
	minutes = 60 * seconds
	hours   = 60 * minutes
	days    = 24 * hours
)

// Uses are all uses that are known. Of a check of an ID token's expiry the leeway
// holds for clocks that are behind; ahead comes what the token is good for, of which
// 5 minutes is the shortest usual (Keycloak's and IdentityServer's default).
//
// Left out are SDKs that compare no clock in the browser: MSAL (msal-common
// 16.17.0), oidc-client-ts 3.5.0; keycloak-js 26.2.4 corrects its own by the server's.
// All versions are of November 2026, read in their packages.
var Uses = []Use{
	{"totp", Phone, 30 * seconds, 30 * seconds,
		"six-digit codes of an app on a phone",
		"RFC 6238 sections 4.1 and 5.2: steps of 30 s, and one step to each side; from 60 s on no code is right"},
	{"totp-on-device", Device, 30 * seconds, 30 * seconds,
		"six-digit codes of a program or an extension on the same device",
		"the same"},
	{"id-token-60", Device, 6 * minutes, 1 * minutes,
		"ID tokens checked in the browser by auth0.js, lock or auth0-spa-js",
		"leeway of 60 s: auth0-js 10.2.1 with idtoken-verifier 2.2.4, auth0-spa-js 2.28.3"},
	{"id-token-120", Device, 2 * minutes, 2 * minutes,
		"ID tokens checked in the browser by angular-auth-oidc-client",
		"maxIdTokenIatOffsetAllowedInSeconds of 120 in both directions: angular-auth-oidc-client 22.0.1"},
	{"id-token-300", Device, 10 * minutes, 5 * minutes,
		"ID tokens checked in the browser by okta-auth-js or oidc-client",
		"maxClockSkew of 300 s: okta-auth-js 8.0.1; clockSkew of 300 s: oidc-client 1.11.5"},
	{"id-token-600", Device, 10 * minutes, 10 * minutes,
		"ID tokens checked by AppAuth or angular-oauth2-oidc",
		"10 minutes in both directions: AppAuth for Android (pull request 1033) and iOS (kOIDAuthorizationSessionIATMaxSkew); behind: angular-oauth2-oidc 22.0.2"},
	{"dpop", Device, 15 * seconds, 25 * seconds,
		"DPoP proofs made in the browser",
		"Keycloak 26.6: 15 s of skew and a lifetime of 10 s, not to be changed (keycloak/keycloak issue 48025); RFC 9449 section 11.1 says seconds or minutes"},
	{"kerberos", Device, 5 * minutes, 5 * minutes,
		"Windows or Kerberos sign-in (SPNEGO)",
		"clockskew of 300 s: MIT krb5 and Heimdal, krb5.conf(5); Active Directory likewise"},
	{"certificate", Device, 3 * days, 1 * hours,
		"TLS certificates of other hosts that are good for days",
		"Let's Encrypt dates them an hour back; Certbot 4.0 renews those of six days half way"},
	{"saml", Servers, 3 * minutes, 3 * minutes,
		"SAML assertions, between the identity provider and the site",
		"MaxClockSkew of 180 s: crewjam/saml, as Shibboleth"},
}

// CookieExpires is the id of a cookie that says when it expires by the server's
// clock. WebKit, which does not correct that by the answer's Date, drops it on a
// device that is ahead by more than it lives (WebKitGTK 2.50; Chromium 156 kept it; tried 2026-11).
const CookieExpires = "cookie-expires"

// Own is the id of a tolerance that the operator gave as a length of time.
const Own = "own"

// Find looks a use up by its id.
func Find(id string) (Use, bool) {
	for _, u := range Uses {
		if u.ID == id {
			return u, true
		}
	}
	return Use{}, false
}

// Tolerance is the use as evidence has it.
func (u Use) Tolerance() evidence.Tolerance {
	return evidence.Tolerance{Use: u.ID, Ahead: u.Ahead, Behind: u.Behind}
}
