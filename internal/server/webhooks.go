package server

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"latchkey/internal/store"
)

// Webhooks tell other systems what has happened. What is to be told lies in the store,
// written with what it tells of, until a receiver has taken it: it arrives at least
// once, and under the same id each time. What is sent is signed as
// https://www.standardwebhooks.com/ has it.

const eventArrived = "report.arrived"

// hookEvents are those that a webhook may ask for.
var hookEvents = []string{eventArrived}

const (
	// hookWait is how long a receiver may take to answer.
	hookWait = 10 * time.Second
	// hookHold is how long a message is this server's alone. It is longer than a
	// delivery, and as long as those wait whose server died in one.
	hookHold = 2 * hookWait
	// hookBatch is how many are under way at once.
	hookBatch = 20
	// hookEvery is how often the store is asked for what is due, if nothing rings:
	// a try again comes late by this at most.
	hookEvery = 5 * time.Second
	// hookRetry is when a message is tried again for the first time, and hookRest the
	// longest until it is tried again.
	hookRetry = 5 * time.Second
	hookRest  = 24 * time.Hour
	// hookAnswer is how much of an answer is read, in bytes, so that the connection
	// can be used again.
	hookAnswer = 16 << 10
)

// event is what a webhook sends. It names things, and tells nothing that a person
// wrote or that was seen of them: whoever may know more asks the API.
type event struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      eventData `json:"data"`
}

type eventData struct {
	Report      string `json:"report"`
	Link        string `json:"link,omitempty"`
	Reference   string `json:"reference"`
	Outcome     string `json:"outcome"`
	Finding     string `json:"finding"` // the first, or ""
	FindingName string `json:"finding_name"`
	Console     string `json:"console"`
}

// webhooks makes the messages about a report that arrives, to be kept with it.
func (s *server) webhooks(r store.Report) []store.Message {
	var msgs []store.Message
	for _, h := range s.cfg.Webhooks {
		if !slices.Contains(h.Events, eventArrived) {
			continue
		}
		data := eventData{
			Report: r.ID, Link: r.Case, Reference: r.Reference, Outcome: r.Outcome, Finding: r.Top, Console: s.readAt(nil, r.ID),
		}
		if r.Top != "" {
			data.FindingName = s.english.CheckName(r.Top)
		}
		body, err := json.Marshal(event{eventArrived, r.At.UTC(), data})
		if err != nil {
			panic(err) // it holds texts and a time
		}
		msgs = append(msgs, store.Message{ID: store.NewID(), To: h.Name, Body: body, Made: r.At, Due: r.At})
	}
	return msgs
}

// sign is the signature of a message that is sent at a time.
func sign(secret []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// hookClient follows no redirects, so that nobody but the operator says where
// messages go.
func hookClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = hookAnswer
	return &http.Client{
		Transport:     transport,
		Timeout:       hookWait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// courier delivers what lies in the store.
type courier struct {
	*server
	client *http.Client

	mu sync.Mutex
	// rests are until when a receiver is left alone that did not take a message, so
	// that those who wait for it do not keep others waiting.
	rests map[string]time.Time
}

func (s *server) courier() *courier {
	return &courier{server: s, client: hookClient(), rests: map[string]time.Time{}}
}

// deliver sends what is due until ctx is done, and ends what is under way. Any number
// of servers do so on one database.
func (s *server) deliver(ctx context.Context) {
	c := s.courier()
	defer c.client.CloseIdleConnections()
	rings := s.store.Watch(ctx)
	tick := time.NewTicker(hookEvery)
	defer tick.Stop()
	lost := false // whether the log knows that the store does not answer
	for ctx.Err() == nil {
		n, err := c.round(ctx)
		if err != nil && !lost && ctx.Err() == nil {
			s.log.Warn("webhooks wait for the database", "error", err)
		}
		lost = err != nil
		if n == hookBatch {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case _, open := <-rings:
			if !open {
				rings = nil
			}
		}
	}
}

// round sends what is due now, and returns how much that was.
func (c *courier) round(ctx context.Context) (int, error) {
	msgs, err := c.store.Outbox.Claim(ctx, hookBatch, hookHold)
	if err != nil {
		return 0, err
	}
	// What is claimed is sent, whatever happens: its receiver may have it already.
	ctx = context.WithoutCancel(ctx)
	var sent sync.WaitGroup
	errs := make([]error, len(msgs))
	for i, m := range msgs {
		sent.Go(func() { errs[i] = c.settle(ctx, m) })
	}
	sent.Wait()
	return len(msgs), errors.Join(errs...)
}

// settle sends a message and writes down how that ended.
func (c *courier) settle(ctx context.Context, m store.Message) error {
	ctx, cancel := context.WithTimeout(ctx, hookHold)
	defer cancel()
	i := slices.IndexFunc(c.cfg.Webhooks, func(h Webhook) bool { return h.Name == m.To })
	if i < 0 {
		return c.putOff(ctx, m, fmt.Sprintf("the configuration has no webhook %q", m.To))
	}
	c.mu.Lock()
	rest := c.rests[m.To].Sub(c.now())
	c.mu.Unlock()
	if rest > 0 {
		return c.store.Outbox.Retry(ctx, m.ID, c.now().Add(jittered(rest)), cmp.Or(m.Error, "the one before did not arrive"))
	}
	if why := c.send(ctx, c.cfg.Webhooks[i], m); why != "" {
		c.mu.Lock()
		c.rests[m.To] = c.now().Add(hookRetry)
		c.mu.Unlock()
		return c.putOff(ctx, m, why)
	}
	return c.store.Outbox.Done(ctx, m.ID)
}

// putOff tries again after as long as it has been tried already, and so doubles the
// time from try to try.
func (c *courier) putOff(ctx context.Context, m store.Message, why string) error {
	now := c.now()
	again := jittered(min(max(now.Sub(m.Made), hookRetry), hookRest))
	c.log.Warn("a webhook was not delivered", "webhook", m.To, "id", m.ID, "error", why, "again_in", again.Round(time.Second))
	return c.store.Outbox.Retry(ctx, m.ID, now.Add(again), why)
}

// jittered is about that long: those who failed together do not come back together.
func jittered(d time.Duration) time.Duration {
	return d*3/4 + rand.N(max(d/2, 1))
}

// send returns why the receiver does not have the message, or "". Neither the address
// nor the answer stands in it: both may hold secrets.
func (c *courier) send(ctx context.Context, h Webhook, m store.Message) (why string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, strings.NewReader(string(m.Body)))
	if err != nil {
		return "the address cannot be asked"
	}
	at := c.now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Latchkey")
	r.Header.Set("Webhook-Id", m.ID)
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("Webhook-Signature", sign(h.Secret, m.ID, at, m.Body))
	answer, err := c.client.Do(r)
	if err != nil {
		return whyUnsent(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, hookAnswer)
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return ""
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return fmt.Sprintf("it answered %d, and redirects are not followed: put the last address into the configuration", answer.StatusCode)
	}
	return fmt.Sprintf("it answered %d", answer.StatusCode)
}

// whyUnsent tells errors of the network, and no others: those may hold what came.
func whyUnsent(err error) string {
	var network net.Error
	var line *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &network) && network.Timeout():
		return "it did not answer in time"
	case errors.As(err, &certificate):
		return certificate.Error()
	case errors.As(err, &line):
		return line.Error()
	}
	return "the connection broke, or what came was no HTTP"
}
