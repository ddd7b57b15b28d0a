// Package checks is the catalogue: what can be wrong with a sign-in, one file
// a check, all of them in one list; and what is known of them as causes and of what
// can be done, in one table.
package checks

import (
	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// Catalogue returns all checks and fixes and the model. The order of the checks
// decides only between findings that are equal in everything else.
func Catalogue() diag.Set {
	return diag.Set{
		Checks: []diag.Check{
			javascriptOff,
			cookiesBlocked,
			cookiesVanish,
			cookiesInsecureOrigin,
			cookiesWrongHost,
			cookiesTooLarge,
			cookiesDuplicated,
			cookiesThirdPartyBlocked,
			storageBlocked,
			storageFull,
			storageStaleWorker,
			networkCaptivePortal,
			networkOffline,
			scriptPolicy,
			scriptBlocked,
			networkHostUnreachable,
			networkLocalAccess,
			websocketBlocked,
			popupBlocked,
			networkRewritten,
			networkSlow,
			networkAddressChanges,
			networkIntercepted,
			browserCompatMode,
			browserEmbeddedView,
			browserUnsupported,
			browserOutdated,
			browserLacksFeature,
			clockUnstable,
			clockTimeZone,
			clockWrong,
			clockPhoneWrong,
			pageStale,
			inputCapsLock,
			inputBlankEnds,
			inputAutofillUnseen,
			pageSeveralTabs,
			pageAltered,
			accountCredentials,
			accountLocked,
			accountDisabled,
			accountPasswordExpired,
			accountCodeRejected,
			accountCodeNotDelivered,
			accountSSOFailed,
			accountNotRegistered,
			accountThrottled,
			accountResetNotDelivered,
			sessionLost,
			captchaFailed,
			noResponse,
			serviceMaintenance,
			serviceError,
			siteFault,
			serverClockWrong,
			webassemblyOff,
		},
		Fixes: fixes,
		Model: model,
	}
}

// facts is short for the list that a check declares.
func facts(f ...evidence.Seen) []evidence.Seen { return f }
