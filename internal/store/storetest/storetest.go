// Package storetest is what every engine of the store has to pass.
package storetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/report"
	"latchkey/internal/store"
)

// Start is when the tests' clock begins.
var Start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Clock is a clock that a test sets.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock is a clock that stands at Start.
func NewClock() *Clock { return &Clock{at: Start} }

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Move sets the clock forward.
func (c *Clock) Move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// Open opens a new, empty database with the options, or the same one again if the
// test has opened one before.
type Open func(t *testing.T, o store.Options) *store.Store

// Run runs the contract. Each test gets an open of its own, from fresh.
func Run(t *testing.T, fresh func(t *testing.T) Open) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *kit)
	}{
		{"a case comes back as it was kept", caseComesBack},
		{"cases are listed by what is asked, newest first", casesAreListed},
		{"a case ends and goes", caseEnds},
		{"a report comes back as it was kept", reportComesBack},
		{"a report is kept once, and only for an open case", reportIsKeptOnce},
		{"reports are listed by what is asked", reportsAreListed},
		{"text is looked for as it is written", textIsLiteral},
		{"pages go on where the last one ended", pagesGoOn},
		{"users", users},
		{"sessions run out", sessions},
		{"keys", keys},
		{"the audit log is in the order of what was done", audit},
		{"a message stays until it has arrived", outbox},
		{"a message is claimed by one", claims},
		{"limits count each key for itself", limits},
		{"who watches hears", watch},
		{"what is old goes", sweep},
		{"what is sealed opens with its key only", sealing},
		{"all is encrypted anew", reseal},
		{"a store that is closed says so", closed},
		{"closing waits for what is being written", closing},
		{"opening again finds everything and does nothing", reopen},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := NewClock()
			k := &kit{open: fresh(t), clock: clock, ctx: t.Context()}
			k.Store = k.again(t)
			c.run(t, k)
		})
	}
}

// kit is a store on an empty database.
type kit struct {
	*store.Store
	open  Open
	clock *Clock
	ctx   context.Context
}

// again opens the same database once more.
func (k *kit) again(t *testing.T, keys ...[]byte) *store.Store {
	s := k.open(t, store.Options{Keys: keys, Now: k.clock.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// addCase keeps a case that is open for a day.
func (k *kit) addCase(t *testing.T, change ...func(*store.Case)) store.Case {
	c := store.Case{
		ID: store.NewID(), Made: k.clock.Now(), By: "ada", From: "Example Clinic support", Note: "called twice",
		Reference: "REQ-1", Lang: "en", Outcome: "account_locked", Expires: k.clock.Now().Add(24 * time.Hour),
	}
	for _, f := range change {
		f(&c)
	}
	_, hash := store.NewToken()
	require.NoError(t, k.Cases.Add(k.ctx, c, hash))
	return c
}

func (k *kit) addReport(t *testing.T, change ...func(*store.Report)) store.Report {
	r := store.Report{ID: store.NewID(), At: k.clock.Now(), Body: []byte(`{"schema":1}`), Findings: []string{"cookies-blocked"}}
	for _, f := range change {
		f(&r)
	}
	require.NoError(t, k.Reports.Add(k.ctx, r))
	return r
}

func caseComesBack(t *testing.T, k *kit) {
	token, hash := store.NewToken()
	c := store.Case{
		ID: store.NewID(), Made: Start.Add(123456 * time.Microsecond), By: "ada", From: "Example Clinic 支持", Note: "rang “twice”\n",
		Reference: "REQ-7", Lang: "zh-Hant", Outcome: "sso_failed", Expires: Start.Add(time.Hour),
		Asks: []report.Ask{{Key: "provider", Label: "Provider number", Pattern: `\d{6}`, Max: 6}, {Key: "name", Label: "Name"}},
	}
	require.NoError(t, k.Cases.Add(k.ctx, c, hash))

	got, err := k.Cases.Get(k.ctx, c.ID)
	require.NoError(t, err)
	assert.Equal(t, c, got)
	again, ok := store.HashToken(token)
	require.True(t, ok)
	got, err = k.Cases.ByToken(k.ctx, again)
	require.NoError(t, err)
	assert.Equal(t, c, got)

	_, err = k.Cases.Get(k.ctx, store.NewID())
	require.ErrorIs(t, err, store.ErrNotFound)
	_, other := store.NewToken()
	_, err = k.Cases.ByToken(k.ctx, other)
	require.ErrorIs(t, err, store.ErrNotFound)

	require.ErrorIs(t, k.Cases.Add(k.ctx, c, other), store.ErrConflict, "the same id")
	c.ID = store.NewID()
	require.ErrorIs(t, k.Cases.Add(k.ctx, c, hash), store.ErrConflict, "the same token")
	c.Made = time.Time{}
	require.NoError(t, k.Cases.Add(k.ctx, c, other))
	got, err = k.Cases.Get(k.ctx, c.ID)
	require.NoError(t, err)
	assert.Equal(t, Start, got.Made, "no time is now")
}

func casesAreListed(t *testing.T, k *kit) {
	at := func(hours int, by, reference string) store.Case {
		return k.addCase(t, func(c *store.Case) {
			c.By, c.Reference = by, reference
			c.Made = Start.Add(time.Duration(hours) * time.Hour)
			c.Expires = Start.Add(time.Duration(hours)*time.Hour + 2*time.Hour)
		})
	}
	first, second, third := at(-3, "ada", "Übung 1"), at(-1, "bob-b", "REQ-22"), at(0, "ada", "req-23")
	require.NoError(t, k.Cases.Close(k.ctx, third.ID))
	third.Closed = Start
	for _, c := range []struct {
		name string
		q    store.CaseQuery
		want []store.Case
	}{
		{"all", store.CaseQuery{}, []store.Case{third, second, first}},
		{"a part of the reference, however it is capitalised", store.CaseQuery{Text: "Req-2"}, []store.Case{third, second}},
		{"capitals beyond ASCII", store.CaseQuery{Text: "üBUNG"}, []store.Case{first}},
		{"a part of the id", store.CaseQuery{Text: second.ID[3:20]}, []store.Case{second}},
		{"the maker as text", store.CaseQuery{Text: "BOB-"}, []store.Case{second}},
		{"the maker", store.CaseQuery{By: "ada"}, []store.Case{third, first}},
		{"not a part of the maker", store.CaseQuery{By: "ad"}, nil},
		{"those that take reports", store.CaseQuery{Open: true}, []store.Case{second}},
		{"from then on", store.CaseQuery{From: second.Made}, []store.Case{third, second}},
		{"before then", store.CaseQuery{To: second.Made}, []store.Case{first}},
		{"all at once", store.CaseQuery{Text: "req-", By: "ada", From: first.Made, To: Start.Add(time.Second)}, []store.Case{third}},
		{"none", store.CaseQuery{Text: "req-", By: "cleo"}, nil},
	} {
		got, err := k.Cases.List(k.ctx, c.q)
		require.NoError(t, err, c.name)
		assert.Equal(t, c.want, got, c.name)
	}
}

func caseEnds(t *testing.T, k *kit) {
	c := k.addCase(t)
	assert.True(t, c.Usable(k.clock.Now()))
	r := k.addReport(t, func(r *store.Report) { r.Case = c.ID })
	other := k.addReport(t)

	got, err := k.Cases.Get(k.ctx, c.ID)
	require.NoError(t, err)
	assert.Equal(t, 1, got.Reports)

	require.NoError(t, k.Cases.Close(k.ctx, c.ID))
	k.clock.Move(time.Hour)
	require.NoError(t, k.Cases.Close(k.ctx, c.ID), "closing again")
	got, err = k.Cases.Get(k.ctx, c.ID)
	require.NoError(t, err)
	assert.Equal(t, Start, got.Closed, "closing again changes nothing")
	assert.False(t, got.Usable(k.clock.Now()))
	require.ErrorIs(t, k.Cases.Close(k.ctx, store.NewID()), store.ErrNotFound)

	require.NoError(t, k.Cases.Delete(k.ctx, c.ID))
	_, err = k.Cases.Get(k.ctx, c.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = k.Reports.Get(k.ctx, r.ID)
	require.ErrorIs(t, err, store.ErrNotFound, "its reports go with it")
	_, err = k.Reports.Get(k.ctx, other.ID)
	require.NoError(t, err, "those of others do not")
	require.ErrorIs(t, k.Cases.Delete(k.ctx, c.ID), store.ErrNotFound)
}

func reportComesBack(t *testing.T, k *kit) {
	c := k.addCase(t)
	full := store.Report{
		ID: store.NewID(), Case: c.ID, At: Start.Add(time.Microsecond), Body: []byte("{\"note\":\"\\u0000 “\x00\xff\"}"), Code: "62W5-FF2J-0J8Q",
		Outcome: "sso_failed", Top: "clock-wrong", Findings: []string{"clock-wrong", "cookies-blocked"},
		Browser: "chrome", System: "windows", Tier: "wasm", Reference: "R 7",
	}
	bare := store.Report{ID: store.NewID(), At: Start}
	for _, r := range []store.Report{full, bare} {
		require.NoError(t, k.Reports.Add(k.ctx, r))
		got, err := k.Reports.Get(k.ctx, r.ID)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(r.Body, got.Body))
		r.Body, got.Body = nil, nil
		assert.Equal(t, r, got)
	}
	list, err := k.Reports.List(k.ctx, store.ReportQuery{})
	require.NoError(t, err)
	full.Body = nil
	assert.Equal(t, []store.Report{full, bare}, list, "lists leave the body out")

	require.NoError(t, k.Reports.Delete(k.ctx, full.ID))
	_, err = k.Reports.Get(k.ctx, full.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, k.Reports.Delete(k.ctx, full.ID), store.ErrNotFound)

	odd := k.addReport(t, func(r *store.Report) { r.Reference = "a\x00b\xffc" })
	got, err := k.Reports.Get(k.ctx, odd.ID)
	require.NoError(t, err, "text that is none is kept as far as it goes")
	assert.Equal(t, "a\uFFFDb\uFFFDc", got.Reference)
}

func reportIsKeptOnce(t *testing.T, k *kit) {
	c := k.addCase(t)
	of := func(id string) func(*store.Report) { return func(r *store.Report) { r.Case = id } }
	r := k.addReport(t, of(c.ID))
	again := r
	again.Body = []byte("other")
	require.ErrorIs(t, k.Reports.Add(k.ctx, again), store.ErrConflict)
	require.ErrorIs(t, k.Reports.Add(k.ctx, again, store.Message{ID: store.NewID(), To: "desk"}), store.ErrConflict)
	again.Case = ""
	require.ErrorIs(t, k.Reports.Add(k.ctx, again), store.ErrConflict)
	got, err := k.Reports.Get(k.ctx, r.ID)
	require.NoError(t, err)
	assert.Equal(t, r.Body, got.Body)
	waiting, err := k.Outbox.Waiting(k.ctx)
	require.NoError(t, err)
	assert.Zero(t, waiting, "what was not kept is not told")

	require.ErrorIs(t, k.Reports.Add(k.ctx, store.Report{ID: store.NewID(), Case: store.NewID()}), store.ErrNotFound)
	k.clock.Move(24 * time.Hour)
	require.ErrorIs(t, k.Reports.Add(k.ctx, store.Report{ID: store.NewID(), Case: c.ID}), store.ErrClosed, "it has run out")
	c = k.addCase(t)
	require.NoError(t, k.Cases.Close(k.ctx, c.ID))
	require.ErrorIs(t, k.Reports.Add(k.ctx, store.Report{ID: store.NewID(), Case: c.ID}), store.ErrClosed)
	require.ErrorIs(t, k.Reports.Add(k.ctx, r), store.ErrConflict, "that it has arrived comes first")
	list, err := k.Reports.List(k.ctx, store.ReportQuery{})
	require.NoError(t, err)
	assert.Len(t, list, 1)

	m := store.Message{ID: store.NewID(), To: "desk"}
	require.NoError(t, k.Reports.Add(k.ctx, store.Report{ID: store.NewID()}, m))
	fresh := store.Report{ID: store.NewID()}
	err = k.Reports.Add(k.ctx, fresh, m)
	require.Error(t, err)
	require.NotErrorIs(t, err, store.ErrConflict, "a message of the same name does not mean that the report is there")
	_, err = k.Reports.Get(k.ctx, fresh.ID)
	require.ErrorIs(t, err, store.ErrNotFound, "all or nothing")
}

func reportsAreListed(t *testing.T, k *kit) {
	c := k.addCase(t)
	add := func(hour int, r store.Report) store.Report {
		r.ID, r.At = store.NewID(), Start.Add(time.Duration(hour)*time.Hour)
		require.NoError(t, k.Reports.Add(k.ctx, r))
		return r
	}
	a := add(0, store.Report{Case: c.ID, Code: "62W5-FF2J-0J8Q", Outcome: "unknown", Top: "clock-wrong", Findings: []string{"clock-wrong", "cookies-blocked"}, Browser: "chrome", System: "windows", Tier: "wasm", Reference: "REQ-1"})
	b := add(1, store.Report{Code: "ABCD-0000-1111", Outcome: "sso_failed", Top: "clock-wrong", Findings: []string{"clock-wrong"}, Browser: "firefox", System: "windows", Tier: "script", Reference: "req-2"})
	d := add(2, store.Report{Outcome: "unknown", Findings: []string{"clock"}, Browser: "chrome", System: "android", Tier: "html"})
	for _, c := range []struct {
		name string
		q    store.ReportQuery
		want []store.Report
	}{
		{"all", store.ReportQuery{}, []store.Report{d, b, a}},
		{"the case", store.ReportQuery{Case: c.ID}, []store.Report{a}},
		{"the code", store.ReportQuery{Text: "62w5-ff2j"}, []store.Report{a}},
		{"the code without hyphens", store.ReportQuery{Text: "5ff2j0"}, []store.Report{a}},
		{"the reference", store.ReportQuery{Text: "Req"}, []store.Report{b, a}},
		{"the outcome", store.ReportQuery{Outcome: "unknown"}, []store.Report{d, a}},
		{"a finding, not only the first", store.ReportQuery{Finding: "cookies-blocked"}, []store.Report{a}},
		{"a finding, not one whose name begins so", store.ReportQuery{Finding: "clock"}, []store.Report{d}},
		{"the browser", store.ReportQuery{Browser: "firefox"}, []store.Report{b}},
		{"the system", store.ReportQuery{System: "windows"}, []store.Report{b, a}},
		{"the tier", store.ReportQuery{Tier: "html"}, []store.Report{d}},
		{"from then on", store.ReportQuery{From: b.At}, []store.Report{d, b}},
		{"before then", store.ReportQuery{To: b.At}, []store.Report{a}},
		{"all at once", store.ReportQuery{Text: "req", Finding: "clock-wrong", System: "windows", Browser: "chrome", From: Start, To: d.At}, []store.Report{a}},
		{"none", store.ReportQuery{Browser: "safari"}, nil},
	} {
		got, err := k.Reports.List(k.ctx, c.q)
		require.NoError(t, err, c.name)
		assert.Equal(t, c.want, got, c.name)
	}
}

// Texts hold what has a meaning in SQL, and what is no text.
var Texts = []string{`%`, `_`, `\`, `\%`, `%%`, `a_b`, `'`, `"`, `';--`, `?`, `$1`, "\x00", "\xff", "a\x00b", "é", "日本", "\n", " "}

func textIsLiteral(t *testing.T, k *kit) {
	k.addReport(t, func(r *store.Report) { r.Reference = "plain axb" })
	for _, text := range Texts {
		r := k.addReport(t, func(r *store.Report) { r.Reference = "before" + text + "after" })
		list, err := k.Reports.List(k.ctx, store.ReportQuery{Text: "before" + text + "after"})
		require.NoError(t, err, "%q", text)
		var ids []string
		for _, l := range list {
			ids = append(ids, l.ID)
		}
		// Zero bytes and broken ones are kept as the same character.
		assert.Contains(t, ids, r.ID, "%q", text)
		if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			continue
		}
		assert.Len(t, list, 1, "%q", text)
		c := k.addCase(t, func(c *store.Case) { c.Reference = "before" + text + "after" })
		found, err := k.Cases.List(k.ctx, store.CaseQuery{Text: "before" + text + "after"})
		require.NoError(t, err, "%q", text)
		require.Len(t, found, 1, "%q", text)
		assert.Equal(t, c.ID, found[0].ID)
		list, err = k.Reports.List(k.ctx, store.ReportQuery{Finding: text, Case: text, Browser: text})
		require.NoError(t, err, "%q", text)
		assert.Empty(t, list, "%q", text)
	}
}

func pagesGoOn(t *testing.T, k *kit) {
	const all = 230
	want := map[string]bool{}
	for i := range all {
		// Many come at the same moment.
		r := store.Report{ID: store.NewID(), At: Start.Add(time.Duration(i/10) * time.Second)}
		require.NoError(t, k.Reports.Add(k.ctx, r))
		want[r.ID] = true
	}
	for _, c := range []struct{ limit, first int }{{0, 50}, {-1, 50}, {7, 7}, {1000, 200}} {
		got := map[string]bool{}
		q := store.ReportQuery{Page: store.Page{Limit: c.limit}}
		last := Start.Add(time.Hour)
		for page := 0; ; page++ {
			list, err := k.Reports.List(k.ctx, q)
			require.NoError(t, err)
			if page == 0 {
				assert.Len(t, list, c.first, "limit %d", c.limit)
			}
			if len(list) == 0 {
				break
			}
			for _, r := range list {
				assert.False(t, got[r.ID], "a row comes once")
				assert.False(t, r.At.After(last), "backwards in time")
				got[r.ID], last = true, r.At
			}
			q.Before = list[len(list)-1].ID
		}
		assert.Equal(t, want, got, "limit %d", c.limit)
	}
	_, err := k.Reports.List(k.ctx, store.ReportQuery{Page: store.Page{Before: store.NewID()}})
	require.ErrorIs(t, err, store.ErrNotFound, "the row is gone")
	_, err = k.Cases.List(k.ctx, store.CaseQuery{Page: store.Page{Before: "x"}})
	require.ErrorIs(t, err, store.ErrNotFound)
	a, b := k.addCase(t), k.addCase(t, func(c *store.Case) { c.Made = Start.Add(-time.Hour) })
	cases, err := k.Cases.List(k.ctx, store.CaseQuery{Page: store.Page{Limit: 1, Before: a.ID}})
	require.NoError(t, err)
	assert.Equal(t, []store.Case{b}, cases)
}

func users(t *testing.T, k *kit) {
	ada := store.User{Name: "ada", Role: store.Admin, Hash: "$argon2id$x", TOTP: "JBSWY3DP", Made: Start, Seen: Start.Add(time.Second)}
	bob := store.User{Name: "bob@example.com", Role: store.Agent, Issuer: "https://idp.example", Subject: "17", Off: true, Made: Start}
	for _, u := range []store.User{bob, ada} {
		require.NoError(t, k.Users.Add(k.ctx, u))
		got, err := k.Users.Get(k.ctx, u.Name)
		require.NoError(t, err)
		assert.Equal(t, u, got)
		require.ErrorIs(t, k.Users.Add(k.ctx, u), store.ErrConflict)
	}
	require.NoError(t, k.Users.Add(k.ctx, store.User{Name: "cleo", Made: Start}), "many have no provider")
	got, err := k.Users.BySubject(k.ctx, bob.Issuer, bob.Subject)
	require.NoError(t, err)
	assert.Equal(t, bob, got)
	for _, c := range [][2]string{{"", ""}, {bob.Issuer, "18"}, {"https://other.example", "17"}} {
		_, err = k.Users.BySubject(k.ctx, c[0], c[1])
		require.ErrorIs(t, err, store.ErrNotFound)
	}
	require.ErrorIs(t, k.Users.Add(k.ctx, store.User{Name: "dan", Issuer: bob.Issuer, Subject: bob.Subject}), store.ErrConflict, "the provider knows one by that")

	require.NoError(t, k.Users.UseTOTP(k.ctx, "ada", 100))
	require.ErrorIs(t, k.Users.UseTOTP(k.ctx, "ada", 100), store.ErrConflict, "twice")
	require.ErrorIs(t, k.Users.UseTOTP(k.ctx, "ada", 99), store.ErrConflict, "an earlier one")
	require.ErrorIs(t, k.Users.UseTOTP(k.ctx, "nobody", 100), store.ErrNotFound)

	changed := ada
	changed.Role, changed.Hash, changed.TOTP, changed.Off, changed.Seen = store.Agent, "", "", true, Start.Add(time.Hour)
	changed.Issuer, changed.Subject, changed.Made, changed.TOTPUsed = "https://idp.example", "1", Start.Add(time.Hour), 0
	require.NoError(t, k.Users.Set(k.ctx, changed))
	changed.Made, changed.TOTPUsed = Start, 100
	list, err := k.Users.List(k.ctx)
	require.NoError(t, err)
	assert.Equal(t, []store.User{changed, bob, {Name: "cleo", Made: Start}}, list, "Made and TOTPUsed stay")
	require.ErrorIs(t, k.Users.Set(k.ctx, store.User{Name: "nobody"}), store.ErrNotFound)

	require.NoError(t, k.Users.Touch(k.ctx, "cleo"))
	got, err = k.Users.Get(k.ctx, "cleo")
	require.NoError(t, err)
	assert.Equal(t, store.User{Name: "cleo", Made: Start, Seen: k.clock.Now()}, got)
	require.ErrorIs(t, k.Users.Touch(k.ctx, "nobody"), store.ErrNotFound)

	session := store.Session{Hash: []byte{1}, User: "ada", Expires: Start.Add(time.Hour)}
	require.NoError(t, k.Sessions.Add(k.ctx, session))
	require.NoError(t, k.Users.Delete(k.ctx, "ada"))
	_, err = k.Users.Get(k.ctx, "ada")
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = k.Sessions.Get(k.ctx, session.Hash)
	require.ErrorIs(t, err, store.ErrNotFound, "they are signed out")
	require.ErrorIs(t, k.Users.Delete(k.ctx, "ada"), store.ErrNotFound)
}

func sessions(t *testing.T, k *kit) {
	add := func(b byte, user string, lasts time.Duration) store.Session {
		s := store.Session{Hash: bytes.Repeat([]byte{b}, 32), User: user, CSRF: "c", Made: Start, Seen: Start, Expires: Start.Add(lasts)}
		require.NoError(t, k.Sessions.Add(k.ctx, s))
		return s
	}
	a, b, c := add(1, "ada", time.Hour), add(2, "ada", 3*time.Hour), add(3, "bob", 3*time.Hour)
	got, err := k.Sessions.Get(k.ctx, a.Hash)
	require.NoError(t, err)
	assert.Equal(t, a, got)
	k.clock.Move(time.Hour)
	_, err = k.Sessions.Get(k.ctx, a.Hash)
	require.ErrorIs(t, err, store.ErrNotFound, "it has run out")

	require.NoError(t, k.Sessions.Touch(k.ctx, b.Hash))
	got, err = k.Sessions.Get(k.ctx, b.Hash)
	require.NoError(t, err)
	assert.Equal(t, Start.Add(time.Hour), got.Seen)
	require.ErrorIs(t, k.Sessions.Touch(k.ctx, []byte("x")), store.ErrNotFound)

	require.NoError(t, k.Sessions.DeleteUser(k.ctx, "ada"))
	_, err = k.Sessions.Get(k.ctx, b.Hash)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = k.Sessions.Get(k.ctx, c.Hash)
	require.NoError(t, err)
	require.NoError(t, k.Sessions.Delete(k.ctx, c.Hash))
	_, err = k.Sessions.Get(k.ctx, c.Hash)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, k.Sessions.Delete(k.ctx, c.Hash), store.ErrNotFound)
}

func keys(t *testing.T, k *kit) {
	desk := store.Key{Name: "desk", Hash: []byte("hash 1"), By: "ada", Made: Start}
	require.NoError(t, k.Keys.Add(k.ctx, desk))
	require.ErrorIs(t, k.Keys.Add(k.ctx, desk), store.ErrConflict)
	require.NoError(t, k.Keys.Add(k.ctx, store.Key{Name: "bot", Hash: []byte("hash 2"), By: "ada", Made: Start}))
	got, err := k.Keys.ByHash(k.ctx, desk.Hash)
	require.NoError(t, err)
	assert.Equal(t, desk, got)
	k.clock.Move(time.Second)
	_, err = k.Keys.ByHash(k.ctx, desk.Hash)
	require.NoError(t, err)
	list, err := k.Keys.List(k.ctx)
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, "bot", list[0].Name)
	assert.Zero(t, list[0].Seen)
	assert.Equal(t, Start, list[1].Seen, "use is noted to the minute")
	_, err = k.Keys.ByHash(k.ctx, []byte("hash"))
	require.ErrorIs(t, err, store.ErrNotFound)
	require.NoError(t, k.Keys.Delete(k.ctx, "desk"))
	_, err = k.Keys.ByHash(k.ctx, desk.Hash)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, k.Keys.Delete(k.ctx, "desk"), store.ErrNotFound)
}

func audit(t *testing.T, k *kit) {
	var want []store.Entry
	for i := range 5 {
		e := store.Entry{At: Start, Who: "ada", Did: "report.view", What: fmt.Sprint(i), From: "192.0.2.1"}
		require.NoError(t, k.Audit.Add(k.ctx, e))
		want = append([]store.Entry{e}, want...)
	}
	var got []store.Entry
	for p := (store.Page{Limit: 2}); ; {
		list, err := k.Audit.List(k.ctx, p)
		require.NoError(t, err)
		if len(list) == 0 {
			break
		}
		p.Before = list[len(list)-1].ID
		for _, e := range list {
			assert.NotEmpty(t, e.ID)
			e.ID = ""
			got = append(got, e)
		}
	}
	assert.Equal(t, want, got)
	_, err := k.Audit.List(k.ctx, store.Page{Before: "x"})
	require.ErrorIs(t, err, store.ErrNotFound)
}

func outbox(t *testing.T, k *kit) {
	msg := func(id string, body string, after time.Duration) store.Message {
		return store.Message{ID: id, To: "desk", Body: []byte(body), Made: Start.Add(after), Due: Start.Add(after)}
	}
	first, second, later := msg("m1", "1", 0), msg("m2", "2", time.Microsecond), msg("m3", "3", time.Hour)
	k.clock.Move(time.Second)
	require.NoError(t, k.Reports.Add(k.ctx, store.Report{ID: store.NewID()}, second, later))
	require.NoError(t, k.Reports.Add(k.ctx, store.Report{ID: store.NewID()}, first))
	waiting, err := k.Outbox.Waiting(k.ctx)
	require.NoError(t, err)
	assert.Equal(t, 3, waiting)

	got, err := k.Outbox.Claim(k.ctx, 10, time.Minute)
	require.NoError(t, err)
	first.Due, second.Due = k.clock.Now().Add(time.Minute), k.clock.Now().Add(time.Minute)
	assert.Equal(t, []store.Message{first, second}, got, "what is due, in its order")
	got, err = k.Outbox.Claim(k.ctx, 10, time.Minute)
	require.NoError(t, err)
	assert.Empty(t, got, "somebody has them")

	require.NoError(t, k.Outbox.Done(k.ctx, "m1"))
	require.ErrorIs(t, k.Outbox.Done(k.ctx, "m1"), store.ErrNotFound)
	require.NoError(t, k.Outbox.Retry(k.ctx, "m2", Start.Add(10*time.Minute), "status 503"))
	require.ErrorIs(t, k.Outbox.Retry(k.ctx, "m1", Start, ""), store.ErrNotFound)
	k.clock.Move(5 * time.Minute)
	got, err = k.Outbox.Claim(k.ctx, 10, time.Minute)
	require.NoError(t, err)
	assert.Empty(t, got, "it is not due yet")
	k.clock.Move(5 * time.Minute)
	got, err = k.Outbox.Claim(k.ctx, 10, time.Minute)
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, 1, got[0].Tries)
	assert.Equal(t, "status 503", got[0].Error)
	k.clock.Move(time.Minute)
	got, err = k.Outbox.Claim(k.ctx, 10, time.Minute)
	require.NoError(t, err)
	assert.Len(t, got, 1, "whoever had it is gone")
}

func claims(t *testing.T, k *kit) {
	const all, servers = 200, 4
	var msgs []store.Message
	for i := range all {
		msgs = append(msgs, store.Message{ID: fmt.Sprint("m", i), To: "desk"})
	}
	require.NoError(t, k.Reports.Add(k.ctx, store.Report{ID: store.NewID()}, msgs...))
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range servers {
		s := k.again(t)
		wg.Go(func() {
			<-start
			for {
				ms, err := s.Outbox.Claim(k.ctx, 2, time.Hour)
				if !assert.NoError(t, err) || len(ms) == 0 {
					return
				}
				mu.Lock()
				for _, m := range ms {
					seen[m.ID]++
				}
				mu.Unlock()
			}
		})
	}
	close(start)
	wg.Wait()
	assert.Len(t, seen, all)
	for id, n := range seen {
		assert.Equal(t, 1, n, "%s is claimed once", id)
	}
}

func limits(t *testing.T, k *kit) {
	take := func(key string) time.Duration {
		wait, err := k.Limits.Take(k.ctx, key, 3, time.Minute)
		require.NoError(t, err)
		return wait
	}
	for range 3 {
		assert.Zero(t, take("a"))
	}
	k.clock.Move(20 * time.Second)
	assert.Equal(t, 40*time.Second, take("a"))
	assert.Zero(t, take("b"), "others are not kept from it")
	k.clock.Move(40 * time.Second)
	for range 3 {
		assert.Zero(t, take("a"))
	}
	assert.Equal(t, time.Minute, take("a"))
	assert.Equal(t, time.Minute, take("a"), "asking does not make it longer")
}

func watch(t *testing.T, k *kit) {
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	events := k.Watch(ctx)
	hear := func(what, id string) {
		t.Helper()
		select {
		case e, ok := <-events:
			require.True(t, ok, what)
			assert.Equal(t, id, e.Case, what)
		case <-time.After(20 * time.Second):
			require.Fail(t, "nothing was heard", what)
		}
	}
	c := k.addCase(t)
	hear("a case is made", c.ID)
	r := k.addReport(t, func(r *store.Report) { r.Case = c.ID })
	hear("a report has come", c.ID)
	k.addReport(t)
	hear("one without a case has come", "")
	require.NoError(t, k.Reports.Delete(k.ctx, r.ID))
	hear("a report was deleted", c.ID)
	require.NoError(t, k.Cases.Close(k.ctx, c.ID))
	hear("the case was closed", c.ID)
	require.ErrorIs(t, k.Reports.Add(k.ctx, store.Report{ID: store.NewID(), Case: c.ID}), store.ErrClosed)
	require.NoError(t, k.Cases.Delete(k.ctx, c.ID))
	hear("the case was deleted, and what failed did not ring", c.ID)

	want := map[string]bool{}
	for range 5 {
		of := k.addCase(t)
		want[of.ID] = true
		k.addReport(t, func(r *store.Report) { r.Case = of.ID })
	}
	for len(want) > 0 {
		select {
		case e := <-events:
			delete(want, e.Case)
		case <-time.After(20 * time.Second):
			require.Fail(t, "who listens slowly hears of each case all the same")
		}
	}
	cancel()
	for range events {
	}
}

func sweep(t *testing.T, k *kit) {
	day := 24 * time.Hour
	at := func(days int) time.Time { return Start.Add(-time.Duration(days) * day) }
	oldCase := k.addCase(t, func(c *store.Case) { c.Made, c.Expires = at(50), at(45) })
	closedCase := k.addCase(t, func(c *store.Case) { c.Made, c.Expires, c.Closed = at(50), at(1), at(41) })
	youngCase := k.addCase(t, func(c *store.Case) { c.Made, c.Expires = at(50), at(39) })
	oldReport := k.addReport(t, func(r *store.Report) { r.At = at(31) })
	youngReport := k.addReport(t, func(r *store.Report) { r.At = at(29) })
	require.NoError(t, k.Audit.Add(k.ctx, store.Entry{At: at(100), Did: "old"}))
	require.NoError(t, k.Audit.Add(k.ctx, store.Entry{At: at(80), Did: "young"}))
	require.NoError(t, k.Sessions.Add(k.ctx, store.Session{Hash: []byte("s"), Expires: Start.Add(-time.Second)}))

	n, err := k.Sweep(k.ctx, store.Retention{})
	require.NoError(t, err)
	assert.Zero(t, n, "without a limit all is kept")

	n, err = k.Sweep(k.ctx, store.Retention{Reports: 30 * day, Cases: 40 * day, Audit: 90 * day})
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	for _, id := range []string{oldCase.ID, closedCase.ID} {
		_, err = k.Cases.Get(k.ctx, id)
		require.ErrorIs(t, err, store.ErrNotFound)
	}
	_, err = k.Cases.Get(k.ctx, youngCase.ID)
	require.NoError(t, err)
	_, err = k.Reports.Get(k.ctx, oldReport.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = k.Reports.Get(k.ctx, youngReport.ID)
	require.NoError(t, err)
	entries, err := k.Audit.List(k.ctx, store.Page{})
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, "young", entries[0].Did)

	n, err = k.Sweep(k.ctx, store.Retention{Reports: 40 * day, Cases: day})
	require.NoError(t, err)
	assert.Zero(t, n, "a case is kept as long as its reports")
	n, err = k.Sweep(k.ctx, store.Retention{Cases: day})
	require.NoError(t, err)
	assert.Zero(t, n, "and for ever where they are")
	k.clock.Move(-2 * time.Second)
	_, err = k.Sessions.Get(k.ctx, []byte("s"))
	require.ErrorIs(t, err, store.ErrNotFound, "what has run out is gone, not hidden")

	for range 450 {
		require.NoError(t, k.Reports.Add(k.ctx, store.Report{ID: store.NewID(), At: at(31)}))
	}
	n, err = k.Sweep(k.ctx, store.Retention{Reports: 30 * day})
	require.NoError(t, err)
	assert.Equal(t, 450, n, "however many")
}

// Keys encrypt.
var (
	keyA = bytes.Repeat([]byte{0xa}, 32)
	keyB = bytes.Repeat([]byte{0xb}, 32)
)

func sealing(t *testing.T, k *kit) {
	s := k.again(t, keyA)
	_, hash := store.NewToken()
	c := store.Case{ID: store.NewID(), Made: Start, Note: "a note", Expires: Start.Add(time.Hour)}
	u := store.User{Name: "ada", TOTP: "secret", Made: Start}
	r := store.Report{ID: store.NewID(), Body: []byte("a body")}
	require.NoError(t, s.Cases.Add(k.ctx, c, hash))
	require.NoError(t, s.Users.Add(k.ctx, u))
	require.NoError(t, s.Reports.Add(k.ctx, r))
	for name, s := range map[string]*store.Store{"its key": s, "its key behind another": k.again(t, keyB, keyA)} {
		gotCase, err := s.Cases.Get(k.ctx, c.ID)
		require.NoError(t, err, name)
		assert.Equal(t, c.Note, gotCase.Note, name)
		gotUser, err := s.Users.Get(k.ctx, u.Name)
		require.NoError(t, err, name)
		assert.Equal(t, u.TOTP, gotUser.TOTP, name)
		gotReport, err := s.Reports.Get(k.ctx, r.ID)
		require.NoError(t, err, name)
		assert.Equal(t, r.Body, gotReport.Body, name)
	}
	for name, s := range map[string]*store.Store{"no key": k.Store, "another key": k.again(t, keyB)} {
		_, err := s.Cases.Get(k.ctx, c.ID)
		require.ErrorIs(t, err, store.ErrKey, name)
		_, err = s.Users.Get(k.ctx, u.Name)
		require.ErrorIs(t, err, store.ErrKey, name)
		_, err = s.Reports.Get(k.ctx, r.ID)
		require.ErrorIs(t, err, store.ErrKey, name)
		assert.NotContains(t, err.Error(), "a body")
		_, err = s.Reports.List(k.ctx, store.ReportQuery{})
		require.NoError(t, err, "lists need no key")
	}
}

func reseal(t *testing.T, k *kit) {
	k.addCase(t)
	require.NoError(t, k.Users.Add(k.ctx, store.User{Name: "ada", TOTP: "secret", Made: Start}))
	var want []store.Report
	for range 250 {
		want = append(want, k.addReport(t, func(r *store.Report) { r.Body = []byte(r.ID) }))
	}
	_, err := k.Reseal(k.ctx)
	require.ErrorIs(t, err, store.ErrKey, "there is no key")
	a := k.again(t, keyA)
	n, err := a.Reseal(k.ctx)
	require.NoError(t, err)
	assert.Equal(t, 252, n)
	n, err = a.Reseal(k.ctx)
	require.NoError(t, err)
	assert.Zero(t, n)
	_, err = k.Reports.Get(k.ctx, want[0].ID)
	require.ErrorIs(t, err, store.ErrKey)

	_, err = k.again(t, keyB).Reseal(k.ctx)
	require.ErrorIs(t, err, store.ErrKey, "the key before is needed")
	n, err = k.again(t, keyB, keyA).Reseal(k.ctx)
	require.NoError(t, err)
	assert.Equal(t, 252, n)
	b := k.again(t, keyB)
	for _, r := range want {
		got, err := b.Reports.Get(k.ctx, r.ID)
		require.NoError(t, err)
		require.Equal(t, r.Body, got.Body)
	}
	u, err := b.Users.Get(k.ctx, "ada")
	require.NoError(t, err)
	assert.Equal(t, "secret", u.TOTP)
}

func closed(t *testing.T, k *kit) {
	require.NoError(t, k.Ready(k.ctx))
	events := k.Watch(k.ctx)
	require.NoError(t, k.Store.Close())
	require.NoError(t, k.Store.Close(), "twice")
	require.ErrorIs(t, k.Ready(k.ctx), store.ErrUnavailable)
	require.ErrorIs(t, k.Reports.Add(k.ctx, store.Report{ID: store.NewID()}), store.ErrUnavailable)
	require.ErrorIs(t, k.Reports.Add(k.ctx, store.Report{ID: store.NewID()}, store.Message{}), store.ErrUnavailable)
	_, err := k.Reports.List(k.ctx, store.ReportQuery{})
	require.ErrorIs(t, err, store.ErrUnavailable)
	for range events {
	}
}

func closing(t *testing.T, k *kit) {
	var mu sync.Mutex
	var kept []string
	var wg sync.WaitGroup
	begun := make(chan struct{}, 1000)
	for i := range 8 {
		wg.Go(func() {
			for {
				r := store.Report{ID: store.NewID()}
				var msgs []store.Message
				if i%2 == 0 {
					msgs = append(msgs, store.Message{})
				}
				err := k.Reports.Add(k.ctx, r, msgs...)
				if err != nil {
					assert.ErrorIs(t, err, store.ErrUnavailable)
					return
				}
				mu.Lock()
				kept = append(kept, r.ID)
				mu.Unlock()
				select {
				case begun <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 20 {
		<-begun
	}
	require.NoError(t, k.Store.Close())
	wg.Wait()
	s := k.again(t)
	for _, id := range kept {
		_, err := s.Reports.Get(k.ctx, id)
		require.NoError(t, err)
	}
}

func reopen(t *testing.T, k *kit) {
	assert.NotEmpty(t, k.Migrated)
	r := k.addReport(t)
	require.NoError(t, k.Store.Close())
	s := k.again(t)
	assert.Empty(t, s.Migrated)
	_, err := s.Reports.Get(k.ctx, r.ID)
	require.NoError(t, err)
}
