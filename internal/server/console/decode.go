package console

import (
	"net/http"
	"strings"

	"latchkey/internal/diag"
	"latchkey/internal/report"
	"latchkey/internal/text"
)

// decoded is a code in words.
type decoded struct {
	Input string
	Wrong string // why it is no code
	Code  report.Code
	report.Spoken
	Say   []string
	Steps []string
	Clock string
	Named []finding
}

// decode turns a code that a person read aloud into words.
func (c *Console) decode(w http.ResponseWriter, r *http.Request) {
	d, status := decoded{}, http.StatusOK
	if input := r.URL.Query().Get("code"); input != "" {
		if d = c.decoded(input); d.Wrong != "" {
			status = http.StatusUnprocessableEntity
		}
	}
	c.render(w, r, status, "decode", d)
}

func (c *Console) decoded(input string) decoded {
	d := decoded{Input: input}
	code, err := report.ParseCode(input)
	if err != nil {
		d.Wrong = plain(err)
		return d
	}
	d.Code, d.Spoken = code, code.Spoken()
	args := diag.Args{"site": c.o.Site, "browser": d.Browser, "system": d.System}
	if d.Major > 0 {
		args["version"] = d.Major
	}
	// How far off a clock is stands in the code, more or less.
	if way := d.Spoken.Clock.Direction; way != "" {
		args["direction"] = diag.Word(way)
		args["size"] = strings.TrimSuffix(strings.TrimPrefix(d.Spoken.Clock.String(), "clock "), " "+way)
	}
	v := text.Voice{Words: c.words, Program: d.Browser, System: d.System, Values: args}
	for i, id := range d.Findings {
		f := diag.Finding{Check: id, Sureness: diag.Sure}
		if i == 0 {
			f.Sureness = d.Sureness
		}
		if !c.words.Has("check." + id + ".title") {
			d.Named = append(d.Named, finding{ID: id})
			continue
		}
		d.Named = append(d.Named, finding{ID: id, Title: v.Title(f), Why: v.Say("check."+id+".why", nil), Sureness: f.Sureness})
	}
	if len(d.Named) == 0 {
		d.Say = []string{c.words.Text(nil, "ui.healthy.title")}
		return d
	}
	if d.Named[0].Title == "" {
		return d
	}
	d.Say = []string{d.Named[0].Title}
	if fix := usualFix[d.Findings[0]]; fix != "" {
		d.Say, d.Steps = append(d.Say, v.Say("fix."+fix+".title", nil)), v.Lines("fix."+fix+".steps", nil)
	}
	return d
}

// usualFix is what to do first about a finding if nothing is known of it but its
// name, as from a code: what its check names first in most cases.
var usualFix = map[string]string{
	"account-code-not-delivered":  "check-spam-folder",
	"account-code-rejected":       "set-phone-clock",
	"account-credentials":         "retype-credentials",
	"account-disabled":            "contact-administrator",
	"account-locked":              "wait-for-unlock",
	"account-not-registered":      "contact-administrator",
	"account-password-expired":    "reset-password",
	"account-reset-not-delivered": "check-spam-folder",
	"account-sso-failed":          "use-organisation-sign-in",
	"account-throttled":           "wait-and-retry",
	"browser-compat-mode":         "leave-compat-mode",
	"browser-embedded-view":       "open-in-browser",
	"browser-lacks-feature":       "update-browser",
	"browser-outdated":            "update-browser",
	"browser-unsupported":         "use-other-browser",
	"captcha-failed":              "reload-page",
	"clock-phone-wrong":           "set-phone-clock",
	"clock-time-zone":             "set-time-zone",
	"clock-unstable":              "set-clock-automatically",
	"clock-wrong":                 "set-clock-automatically",
	"cookies-blocked":             "allow-cookies",
	"cookies-duplicated":          "remove-old-cookies",
	"cookies-insecure-origin":     "use-https",
	"cookies-third-party-blocked": "allow-third-party-cookies",
	"cookies-too-large":           "remove-old-cookies",
	"cookies-vanish":              "pause-extensions",
	"cookies-wrong-host":          "open-canonical-address",
	"input-autofill-unseen":       "retype-credentials",
	"input-blank-ends":            "retype-credentials",
	"input-caps-lock":             "check-caps-lock",
	"javascript-off":              "turn-on-javascript",
	"network-address-changes":     "pause-vpn",
	"network-captive-portal":      "sign-in-to-portal-network",
	"network-host-unreachable":    "try-other-network",
	"network-intercepted":         "ask-it-to-allow",
	"network-local-access":        "allow-local-network",
	"network-offline":             "check-connection",
	"network-rewritten":           "try-other-network",
	"network-slow":                "try-other-network",
	"no-response":                 "reload-page",
	"page-altered":                "try-private-window",
	"page-several-tabs":           "close-other-tabs",
	"page-stale":                  "reload-page",
	"popup-blocked":               "allow-popups",
	"script-blocked":              "allow-scripts",
	"script-policy":               "report-to-site",
	"server-clock-wrong":          "report-to-site",
	"service-error":               "wait-and-retry",
	"service-maintenance":         "wait-for-maintenance",
	"session-lost":                "start-sign-in-again",
	"site-fault":                  "report-to-site",
	"storage-blocked":             "allow-cookies",
	"storage-full":                "free-storage",
	"storage-stale-worker":        "clear-site-data",
	"webassembly-off":             "turn-on-webassembly",
	"websocket-blocked":           "ask-it-to-allow",
}
