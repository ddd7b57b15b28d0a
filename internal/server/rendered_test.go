package server

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"latchkey/internal/evidence"
	"latchkey/internal/server/demo"
)

const pageKey = "a key of the operator's"

func TestRendered(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	signed := func(age time.Duration) string { return demo.Stamp(pageKey, now.Add(-age)) }
	absent := func(note string) evidence.Fact[evidence.Milliseconds] {
		return evidence.Fact[evidence.Milliseconds]{State: evidence.Absent, Note: note}
	}
	s := &server{cfg: Config{Page: Page{Key: pageKey}}, now: func() time.Time { return now }}
	for name, c := range map[string]struct {
		given string
		want  evidence.Fact[evidence.Milliseconds]
	}{
		"as openssl signs it":    {"1799999940.3d72424dba618572137b82184072ff9d96aa4502cb40ba6869024575017694e3", evidence.Saw(evidence.Milliseconds(60_000))},
		"half an hour":           {signed(30 * time.Minute), evidence.Saw(evidence.Milliseconds(1_800_000))},
		"this second":            {signed(0), evidence.Saw(evidence.Milliseconds(0))},
		"a clock a little ahead": {signed(-30 * time.Second), evidence.Saw(evidence.Milliseconds(0))},
		"a clock far ahead":      {signed(-time.Hour), absent("from the future")},
		"no time":                {"", absent("not given")},
		"no signature":           {"1800000000", absent("not readable")},
		"an empty signature":     {"1800000000.", absent("wrong signature")},
		"no hex":                 {"1800000000.zz", absent("not readable")},
		"no number":              {"soon.00", absent("not readable")},
		"another time":           {"1" + signed(0), absent("wrong signature")},
		"another key":            {demo.Stamp("another key of theirs", now), absent("wrong signature")},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, s.rendered(c.given)) })
	}
	s.cfg.Page.Key = ""
	assert.Zero(t, s.rendered(signed(0)), "without a key nobody can tell")
}

// A person whose browser runs no scripts gets the finding, and so does who
// asks again.
func TestPage_findsAnOldPageWithoutScripts(t *testing.T) {
	o := testOptions(t)
	o.Config.Page = Page{Key: pageKey, MaxAge: 20 * time.Minute}
	now := time.Now()
	o.Now = func() time.Time { return now }
	h := testServer(t, o).handler()
	body := bodyOf(t, ask(h, "GET", "/latchkey/frame?outcome=session_lost&rendered="+demo.Stamp(pageKey, now.Add(-time.Hour)), "User-Agent", chrome))
	assert.Equal(t, []string{"page-stale", "session-lost"}, ids(reportIn(t, body)))
	assert.Contains(t, body, "It was opened 1 hour ago")
	assert.Contains(t, body, `name="rendered"`, "carried on")
	assert.NotContains(t, body, pageKey)
}
