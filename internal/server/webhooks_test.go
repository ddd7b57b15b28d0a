package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
)

// hookKey is the secret of all webhooks here.
var hookKey = []byte("0123456789abcdef01234567")

// hooked are webhooks by name and address, for newProgram.
func hooked(pairs ...string) func(*Config) {
	return func(c *Config) {
		c.Address = "https://help.example"
		for i := 0; i+1 < len(pairs); i += 2 {
			c.Webhooks = append(c.Webhooks, Webhook{Name: pairs[i], URL: pairs[i+1], Secret: hookKey, Events: []string{eventArrived}})
		}
	}
}

// delivery is a request that a receiver got.
type delivery struct {
	header http.Header
	body   []byte
}

// receiver is another system. Its answer is answer's, or 204.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []delivery
	answer http.HandlerFunc
}

func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	v := &receiver{answer: answer}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

func (v *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	v.mu.Lock()
	v.calls = append(v.calls, delivery{r.Header.Clone(), body})
	answer := v.answer
	v.mu.Unlock()
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer(w, r)
}

func (v *receiver) got() []delivery {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.calls)
}

func (v *receiver) turns(answer http.HandlerFunc) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answer = answer
}

// arrives keeps a report with its messages, as the handler of what people send does.
func (p *program) arrives(a store.Report) {
	p.t.Helper()
	a.At = p.s.now()
	require.NoError(p.t, p.s.store.Reports.Add(p.t.Context(), a, p.s.webhooks(a)...))
}

func (p *program) waiting() []store.Message {
	p.t.Helper()
	ms, err := p.s.store.Outbox.List(p.t.Context(), store.Page{Limit: 200})
	require.NoError(p.t, err)
	return ms
}

func (p *program) round(c *courier) int {
	p.t.Helper()
	n, err := c.round(p.t.Context())
	require.NoError(p.t, err)
	return n
}

func TestWebhooks_tellWhatHasArrivedAndNothingThatAPersonWrote(t *testing.T) {
	desk := newReceiver(t, nil)
	p := newProgram(t, atNoon, hooked("desk", desk.URL+"/hook?of=latchkey"))
	a := stored(t)
	p.arrives(a)
	assert.Equal(t, 1, p.round(p.s.courier()))
	assert.Empty(t, p.waiting())

	calls := desk.got()
	require.Len(t, calls, 1)
	assert.JSONEq(t, `{"type": "report.arrived", "timestamp": "2026-03-04T12:00:00.123456Z", "data": {
		"report": "`+a.ID+`", "reference": "r-17", "outcome": "session_lost", "finding": "cookies-blocked", "finding_name": "`+p.s.english.CheckName("cookies-blocked")+`",
		"console": "https://help.example/latchkey/support/reports/`+a.ID+`"}}`, string(calls[0].body))
	assert.Equal(t, "application/json", calls[0].header.Get("Content-Type"))

	var said any
	require.NoError(t, json.Unmarshal(calls[0].body, &said))
	doc := document(t)
	require.NoError(t, doc.ValidateSchemaJSON(doc.Components.Schemas["Event"].Value, said, openapi3.EnableJSONSchema2020()), "as openapi.json says")
}

func TestWebhooks_areSignedAsTheStandardHasIt(t *testing.T) {
	desk := newReceiver(t, nil)
	p := newProgram(t, time.Now, hooked("desk", desk.URL))
	p.arrives(stored(t))
	p.round(p.s.courier())
	call := desk.got()[0]
	theirs, err := standardwebhooks.NewWebhook("whsec_" + base64.StdEncoding.EncodeToString(hookKey))
	require.NoError(t, err)
	require.NoError(t, theirs.Verify(call.body, call.header))
	assert.Error(t, theirs.Verify(append(call.body, ' '), call.header))
	assert.NotEmpty(t, call.header.Get("webhook-id"))
}

func TestWebhooks_areKeptUntilTheyAreTaken(t *testing.T) {
	elsewhere := newReceiver(t, nil)
	closed := httptest.NewServer(nil)
	closed.Close()
	untrusted := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer untrusted.Close()
	let := make(chan struct{})
	defer close(let)
	answers := func(h http.HandlerFunc) string { return newReceiver(t, h).URL }
	for _, c := range []struct{ name, url, want string }{
		{"an error of its own", answers(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "5ecret", 500) }), "it answered 500"},
		{"no such address", answers(http.NotFound), "it answered 404"},
		{"another address", answers(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect).ServeHTTP), "it answered 307, and redirects are not followed: put the last address into the configuration"},
		{"nothing, and hangs", answers(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-let:
			case <-r.Context().Done():
			}
		}), "it did not answer in time"},
		{"half an answer", answers(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, "HTTP/1.1 5ecret")
			_ = conn.Close()
		}), "the connection broke, or what came was no HTTP"},
		{"endless headers", answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("5ecret", 10_000))
		}), "the connection broke"},
		{"nobody there", closed.URL, "refused"},
		{"a certificate that nobody trusts", untrusted.URL, "certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProgram(t, atNoon, hooked("desk", c.url+"/5ecret"))
			p.arrives(stored(t))
			courier := p.s.courier()
			if strings.Contains(c.want, "in time") {
				courier.client.Timeout = 50 * time.Millisecond
			}
			p.round(courier)
			ms := p.waiting()
			require.Len(t, ms, 1)
			assert.Equal(t, 1, ms[0].Tries)
			assert.Contains(t, ms[0].Error, c.want)
			assert.WithinRange(t, ms[0].Due, noon.Add(hookRetry*3/4), noon.Add(hookRetry*5/4))
			assert.Zero(t, p.round(courier), "it is not due yet")

			var list struct{ Messages []message }
			p.does("GET", "/messages", "", 200, &list)
			require.Len(t, list.Messages, 1)
			assert.Equal(t, message{ms[0].ID, "desk", noon.Truncate(time.Microsecond), 1, ms[0].Due, ms[0].Error}, list.Messages[0], "who runs it can see it")
			assert.Contains(t, p.log.String(), `msg="a webhook was not delivered" webhook=desk id=`+ms[0].ID)
			assert.NotContains(t, p.log.String()+ms[0].Error, "5ecret")
			assert.NotContains(t, p.log.String(), "v1,")
		})
	}
	assert.Empty(t, elsewhere.got())
}

func TestWebhooks_takeAnAnswerThatNeverEnds(t *testing.T) {
	var sent atomic.Int64
	desk := newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
		more := make([]byte, 1<<20)
		for r.Context().Err() == nil {
			n, _ := w.Write(more)
			sent.Add(int64(n))
		}
	})
	p := newProgram(t, atNoon, hooked("desk", desk.URL))
	p.arrives(stored(t))
	p.round(p.s.courier())
	assert.Empty(t, p.waiting(), "it said 200")
	desk.Close() // waits for it
	assert.Less(t, sent.Load(), int64(100<<20), "and is not listened to: what the line holds is all that goes")
}

func TestWebhooks_areTriedLessAndLessOftenButNeverGivenUp(t *testing.T) {
	now := noon
	desk := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	p := newProgram(t, func() time.Time { return now }, hooked("desk", desk.URL))
	p.arrives(stored(t))
	tries := func(until time.Duration) int {
		for {
			next := p.waiting()[0].Due
			if next.After(noon.Add(until)) {
				return len(desk.got())
			}
			now = next
			require.Equal(t, 1, p.round(p.s.courier()))
		}
	}
	assert.InDelta(t, 6, tries(time.Minute), 2)
	assert.InDelta(t, 12, tries(time.Hour), 4)
	assert.InDelta(t, 17, tries(24*time.Hour), 5)
	assert.InDelta(t, 45, tries(28*24*time.Hour), 11)
	now = p.waiting()[0].Due
	desk.turns(nil)
	p.round(p.s.courier())
	assert.Empty(t, p.waiting())
	var ids []string
	for _, call := range desk.got() {
		ids = append(ids, call.header.Get("webhook-id"))
	}
	assert.Len(t, slices.Compact(ids), 1, "under the same id each time")
}

func TestWebhooks_waitForOneAnotherNoLongerThanForTheFirst(t *testing.T) {
	now := noon
	dead := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	desk := newReceiver(t, nil)
	p := newProgram(t, func() time.Time { return now }, hooked("dead", dead.URL, "desk", desk.URL))
	for range 3 * hookBatch {
		p.arrives(stored(t))
	}
	c := p.s.courier()
	for p.round(c) > 0 {
	}
	assert.Len(t, desk.got(), 3*hookBatch)
	assert.LessOrEqual(t, len(dead.got()), hookBatch, "who does not take one is left alone for a while")
	ms := p.waiting()
	assert.Len(t, ms, 3*hookBatch)
	for _, m := range ms {
		assert.Contains(t, []string{"it answered 500", "the one before did not arrive"}, m.Error)
	}
	dead.turns(nil)
	for now = now.Add(2 * hookRetry); p.round(c) > 0; {
	}
	assert.Empty(t, p.waiting())
}

func TestWebhooks_areSentOnceByAllServersTogether(t *testing.T) {
	desk := newReceiver(t, nil)
	p := newProgram(t, atNoon, hooked("desk", desk.URL))
	for range 100 {
		p.arrives(stored(t))
	}
	var servers sync.WaitGroup
	for range 3 {
		c := p.s.courier()
		servers.Go(func() {
			for {
				if n, err := c.round(t.Context()); assert.NoError(t, err) && n == 0 {
					return
				}
			}
		})
	}
	servers.Wait()
	ids := map[string]int{}
	for _, call := range desk.got() {
		ids[call.header.Get("webhook-id")]++
	}
	assert.Len(t, ids, 100)
	assert.Len(t, desk.got(), 100)
	assert.Empty(t, p.waiting())
}

func TestWebhooks_thatTheConfigurationLostSayso(t *testing.T) {
	p := newProgram(t, atNoon, hooked("desk", "https://desk.example/"))
	p.arrives(stored(t))
	p.s.cfg.Webhooks = nil
	p.round(p.s.courier())
	assert.Equal(t, `the configuration has no webhook "desk"`, p.waiting()[0].Error)
}

func TestRun_deliversAsSoonAsAReportArrivesAndEndsWhatIsUnderWay(t *testing.T) {
	came, let := make(chan struct{}), make(chan struct{})
	desk := newReceiver(t, func(http.ResponseWriter, *http.Request) {
		came <- struct{}{}
		<-let
	})
	p := newProgram(t, time.Now, hooked("desk", desk.URL))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		(&Server{p.h, p.s}).Run(ctx)
		close(ended)
	}()
	p.arrives(stored(t))
	<-came
	select {
	case <-ended:
		assert.Fail(t, "it ended before its time")
	default:
	}
	stop()
	close(let)
	<-ended
	assert.Empty(t, p.waiting())
}

func TestRun_deletesWhatWasKeptLongEnough(t *testing.T) {
	now := noon
	desk := newReceiver(t, http.NotFound)
	p := newProgram(t, func() time.Time { return now }, hooked("desk", desk.URL), func(c *Config) { c.Retention.Reports = 48 * time.Hour })
	old, young := stored(t), stored(t)
	p.arrives(old)
	now = noon.Add(2 * time.Hour)
	p.arrives(young)
	now = noon.Add(49 * time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		(&Server{p.h, p.s}).Run(ctx)
		close(ended)
	}()
	require.Eventually(t, func() bool {
		return p.ask("GET", "/reports/"+old.ID, "").StatusCode == 404 && len(p.waiting()) == 1
	}, 10*time.Second, 10*time.Millisecond, "and nobody is told of what is gone")
	stop()
	<-ended
	p.does("GET", "/reports/"+young.ID, "", 200, nil)
	assert.Contains(t, string(p.waiting()[0].Body), young.ID)
}

// Whoever tries to find out what listens inside learns nothing by a webhook: the
// operator alone says where they go, and nothing of an answer is told.
func TestWebhooks_askNobodyElse(t *testing.T) {
	inside := newReceiver(t, nil)
	_, port, err := net.SplitHostPort(inside.Listener.Addr().String())
	require.NoError(t, err)
	desk := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Refresh", "0; url="+inside.URL)
		w.Header().Set("Location", fmt.Sprintf("http://localhost:%s/", port))
		w.WriteHeader(http.StatusFound)
	})
	p := newProgram(t, atNoon, hooked("desk", desk.URL))
	p.arrives(stored(t))
	p.round(p.s.courier())
	assert.Empty(t, inside.got())
}
