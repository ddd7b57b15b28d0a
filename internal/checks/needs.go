package checks

import (
	"cmp"
	"slices"
	"strings"

	"latchkey/internal/diag"
	"latchkey/internal/evidence"
)

// who is who stopped something that the login needs, as far as the evidence goes.
type who int

const (
	untested who = iota
	nobody       // it works
	policy       // the site's own content-security-policy
	site         // it is broken at its source
	browser      // an extension or a setting of the browser
	network      // something between here and there
	chance       // it failed once and comes now
	unclear      // somebody, and it cannot be told who
)

// trouble is one need that failed.
type trouble struct {
	evidence.Need
	who      who
	sureness diag.Sureness
	// how is what gave it away, where that is worth words of its own.
	how string
}

// The kinds of needs that checks tell apart.
var (
	parts = []string{"script", "host"}
	lines = []string{"socket", "stream"}
)

// troubles are the needs of those kinds, or of all, that were stopped by one of
// those, the surest first.
func troubles(e evidence.Evidence, kinds []string, by ...who) []trouble {
	var out []trouble
	for _, n := range wanted(e) {
		if kinds != nil && !slices.Contains(kinds, n.Kind) {
			continue
		}
		t := trouble{Need: n}
		t.who, t.sureness, t.how = culprit(n, e)
		if !slices.Contains(by, t.who) {
			continue
		}
		at := len(out)
		for at > 0 && order(out[at-1].sureness, t.sureness) > 0 {
			at--
		}
		out = slices.Insert(out, at, t)
	}
	return out
}

// allTested passes unless a need of those kinds could not be tested.
func allTested(e evidence.Evidence, kinds []string) diag.Outcome {
	if e.Network.Needs.State != evidence.OK {
		return diag.Unknown(cmp.Or(string(e.Network.Needs.State), "unasked"))
	}
	for _, t := range troubles(e, kinds, untested) {
		if !t.Private && !ownFails(e) {
			return diag.Unknown("not-asked")
		}
	}
	return diag.Pass()
}

func order(a, b diag.Sureness) int {
	all := []diag.Sureness{diag.Sure, diag.Likely, diag.Maybe}
	return cmp.Compare(slices.Index(all, a), slices.Index(all, b))
}

// needsFacts are what culprit reads.
func needsFacts(e *evidence.Evidence) []evidence.Seen {
	return facts(&e.Network.Needs, &e.Network.Blocker, &e.Network.Echoes, &e.Host.Outcome, &e.Page.ScriptErrors, &e.Browser.Engine, &e.Browser.Family)
}

// culprit says who stopped a need. What is known is followed from the surest: the
// site's own policy says so itself; an outage shows from our server, too; a
// stand-in runs without what the real thing leaves behind. A host that answers
// to nothing but this very file names a list of addresses, and lists are held by
// blockers in the browser and by filters that open what is encrypted. Where
// the whole host is silent, baits tell the browser from the network, and so does
// time: a blocker refuses at once, a dropped packet never answers. Time by itself
// proves nothing else (Chromium 156 fails after 3 ms for an extension and after 5
// for a refused connection, seen 2026-11).
func culprit(n evidence.Need, e evidence.Evidence) (who, diag.Sureness, string) {
	baits := e.Network.Blocker
	blocks := baits.State == evidence.OK && baits.Value.Active()
	clean := baits.State == evidence.OK && baits.Value.Control && !blocks
	switch {
	case n.Private:
		return untested, "", "" // network-local-access
	case n.Page == "" && n.Again == "":
		if n.Ran == evidence.Yes {
			return nobody, "", ""
		}
		return untested, "", ""
	case n.Page == evidence.Yes && !n.Ran.Failed(), n.Page == "" && n.Again == evidence.Yes:
		return nobody, "", ""
	case n.Policy != "":
		return policy, diag.Sure, ""
	case gone(n.Status):
		return site, diag.Sure, "deploy"
	case n.Server.Failed():
		return site, diag.Likely, "outage"
	case n.Page == evidence.Yes: // but has not run
		if blocks {
			return browser, diag.Sure, "stub"
		}
		if e.Page.ScriptErrors.Value > 0 {
			return browser, diag.Maybe, "stub" // it may have failed by itself
		}
		return browser, diag.Likely, "stub"
	case n.Again == evidence.Yes:
		return chance, diag.Maybe, "once"
	case ownFails(e):
		return untested, "", "" // network-offline and its like
	case n.There == evidence.Yes && blocks:
		return browser, diag.Sure, ""
	case n.There == evidence.Yes && n.Kind == "script":
		return browser, diag.Likely, ""
	case n.Again == evidence.InVain, n.There == evidence.InVain:
		return network, diag.Likely, ""
	case blocks:
		return browser, diag.Likely, ""
	case clean && n.Server == evidence.Yes && n.Again.Failed() && !ownLists(e):
		return network, diag.Likely, ""
	}
	return unclear, diag.Maybe, "unclear"
}

// ownLists is whether the browser itself blocks hosts by lists that hold none of
// our baits: Firefox's tracking protection and Brave's Shields (casebook 37, 39).
func ownLists(e evidence.Evidence) bool {
	return evidence.Is(e.Browser.Engine, "Gecko") || evidence.Is(e.Browser.Family, "Brave")
}

// gone is whether a status says that the file is not there or its server is
// broken. Others, such as 403, may come from a filter on the way.
func gone(status int) bool { return status == 404 || status == 410 || status >= 500 }

// ownFails is whether even our own server gave no answer.
func ownFails(e evidence.Evidence) bool {
	n := e.Network.Echoes
	return n.State == evidence.OK && n.Value.Sent > 0 && n.Value.Failed+n.Value.Foreign == n.Value.Sent
}

// wanted are the needs that the operator lists, and where the login server says
// that nothing happened, also those parts of the page that nobody lists. At
// other times they are more often an advertisement than what signing in needs.
func wanted(e evidence.Evidence) []evidence.Need {
	return slices.DeleteFunc(slices.Clone(e.Network.Needs.Value), func(n evidence.Need) bool {
		return n.Unlisted && !stuck(e)
	})
}

// stuck is whether the login server's word is what a missing part leads to.
func stuck(e evidence.Evidence) bool {
	return evidence.Is(e.Host.Outcome, evidence.NoResponse) || evidence.Is(e.Host.Outcome, evidence.CaptchaFailed)
}

// args are the values for words about troubles: the first one's, and all hosts.
func (t trouble) args(all []trouble) diag.Args {
	args := diag.Args{"purpose": t.Purpose, "part": t.Host}
	var hosts []string
	for _, t := range all {
		if !slices.Contains(hosts, t.Host) {
			hosts = append(hosts, t.Host)
		}
	}
	if len(hosts) > 1 {
		args["hosts"] = strings.Join(hosts, ", ")
	}
	if t.how != "" {
		args["reason"] = t.how
	}
	return args
}
