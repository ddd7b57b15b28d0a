package probe

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/evidence"
)

// window answers calls of "latchkey.ask" and others by their last argument, or
// by their path if there is none. A nil answer never comes.
type window map[string]any

func (w window) Get(path string) (any, error) { return w.answer(context.Background(), path) }

func (w window) Call(ctx context.Context, path string, args ...any) (any, error) {
	if len(args) > 0 {
		path = args[len(args)-1].(string)
	}
	return w.answer(ctx, path)
}

func (w window) answer(ctx context.Context, key string) (any, error) {
	switch v := w[key].(type) {
	case nil:
		<-ctx.Done()
		return nil, ctx.Err()
	case error:
		return nil, v
	default:
		return v, nil
	}
}

func collect(t *testing.T, w Window, e evidence.Evidence, where evidence.Embedding) evidence.Evidence {
	t.Helper()
	return Collect(t.Context(), w, e, All(where), func(int, int, evidence.Evidence) {})
}

var healthy = window{
	"claim":     `{"agent":"Mozilla/5.0"}`,
	"clock":     `{"list":[{"received":12}]}`,
	"cookies":   `{"seen":true,"kinds":[{"secure":true,"came":true}],"jar":{"count":2,"bytes":40}}`,
	"opfs":      `true`,
	"build":     `{"same":true}`,
	"caps":      `false`,
	"tabs":      `{"others":1,"newer":0}`,
	"indexedDB": `true`,
	"cache":     `true`,
	"third":     `{"frame":{"value":"idp.example"},"access":{"value":false}}`,
	"network":   `{"needs":{"value":[{"kind":"host","url":"https://idp.example/","host":"idp.example","again":"yes"}]},"local":{"error":"undefined"},"moves":{"value":{"changed":true}}}`,
	"echoes":    `{"sent":8,"least":12.5}`,
	"sample":    `{"same":true,"type":"text/html"}`,
}

func TestCollect_fillsInWhatTheBrowserAnswers(t *testing.T) {
	e := collect(t, healthy, evidence.Evidence{}, evidence.Top)
	assert.Equal(t, evidence.Saw(evidence.Claim{Agent: "Mozilla/5.0"}), e.Identity.Script)
	assert.Equal(t, evidence.Saw(evidence.Exchanges{List: []evidence.Exchange{{Received: 12}}}), e.Clock.Exchanges)
	assert.Equal(t, evidence.Cookies{
		HTTP:  evidence.Saw(true),
		Kinds: evidence.Saw(evidence.Kinds{{Secure: true, Came: true}}),
		Jar:   evidence.Saw(evidence.Jar{Count: 2, Bytes: 40}),
	}, e.Cookies)
	assert.Equal(t, evidence.Saw(false), e.Page.CapsLock)
	assert.Equal(t, evidence.Saw(evidence.Tabs{Others: 1}), e.Page.Tabs)
	assert.Equal(t, evidence.Saw(true), e.Storage.IndexedDB)
	assert.Equal(t, evidence.Saw(true), e.Storage.Cache)
	assert.Equal(t, evidence.ThirdParty{Frame: evidence.Saw("idp.example"), Access: evidence.Saw(false)}, e.ThirdParty)
	assert.Equal(t, evidence.Network{
		Needs:  evidence.Saw(evidence.Needs{{Kind: "host", URL: "https://idp.example/", Host: "idp.example", Again: evidence.Yes}}),
		Local:  evidence.Failed[string]("undefined"),
		Moves:  evidence.Saw(evidence.Moves{Changed: true}),
		Echoes: evidence.Saw(evidence.Echoes{Sent: 8, Least: 12.5}),
		Sample: evidence.Saw(evidence.Sample{Same: true, Type: "text/html"}),
	}, e.Network)
}

func TestCollect_makesStatesOfWhatGoesWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer any
		state  evidence.State
		note   string
	}{
		{"a refusal", Exception("SecurityError: denied"), evidence.Refused, "SecurityError"},
		{"an object that is not there", Exception("undefined"), evidence.Absent, "undefined"},
		{"a store that is full", Exception("QuotaExceededError"), evidence.Full, "QuotaExceededError"},
		{"a failure of its own", Exception("AbortError"), evidence.Broken, "AbortError"},
		{"a time limit", context.DeadlineExceeded, evidence.Late, "timeout"},
		{"an answer that is no text", 7.0, evidence.Broken, "latchkey.ask"},
		{"an answer that is no JSON", "<html>", evidence.Broken, "invalid character '<' looking for beginning of value"},
		{"an error of ours", errors.New("odd"), evidence.Broken, "odd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := collect(t, window{"claim": `{}`, "clock": `{}`, "cookies": c.answer, "indexedDB": `true`, "cache": `true`, "third": `{}`, "caps": `false`, "tabs": `{}`, "opfs": `true`, "build": `{}`, "network": `{}`, "echoes": `{}`, "sample": `{}`}, evidence.Evidence{}, evidence.Top)
			assert.Equal(t, evidence.Fact[bool]{State: c.state, Note: c.note}, e.Cookies.HTTP)
			assert.Equal(t, evidence.Saw(true), e.Storage.Cache, "the others are untouched")
		})
	}
}

func TestCollect_doesNotWaitForeverForAnyProbe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // stands for the time limit, without its time
	e := Collect(ctx, window{}, evidence.Evidence{}, All(evidence.Top), func(int, int, evidence.Evidence) {})
	assert.Equal(t, evidence.Late, e.Clock.Exchanges.State)
	assert.Equal(t, evidence.Late, e.Cookies.HTTP.State)
	assert.Equal(t, evidence.ThirdParty{Frame: evidence.Failed[string]("timeout")}, e.ThirdParty, "a frame that keeps silent was not tested")
}

func TestCollect_leavesOutWhatIsKnown(t *testing.T) {
	known := evidence.Evidence{Cookies: evidence.Cookies{HTTP: evidence.Saw(false)}}
	known.Clock.Exchanges = evidence.Failed[evidence.Exchanges]("timeout")
	var steps []int
	e := Collect(t.Context(), healthy, known, All(evidence.Top), func(done, all int, _ evidence.Evidence) {
		steps = append(steps, done)
		assert.Equal(t, 12, all)
	})
	assert.Equal(t, evidence.Saw(false), e.Cookies.HTTP, "seen before")
	assert.Equal(t, evidence.OK, e.Clock.Exchanges.State, "late before, so it is asked again")
	assert.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, steps)
}

func TestAll_asksNothingOfCookiesAndStorageInAFrameOfAnotherSite(t *testing.T) {
	e := collect(t, healthy, evidence.Evidence{}, evidence.CrossOrigin)
	assert.True(t, e.Clock.Exchanges.Known())
	assert.Equal(t, evidence.Cookies{}, e.Cookies)
	assert.Equal(t, evidence.Storage{}, e.Storage)
	assert.Equal(t, evidence.Page{}, e.Page)
}

func TestEarly_readsWhatFrameJSKnows(t *testing.T) {
	data, err := Early(window{"latchkey.early": `{"script":{}}`})
	require.NoError(t, err)
	assert.JSONEq(t, `{"script":{}}`, string(data))
	_, err = Early(window{"latchkey.early": 1.0})
	require.Error(t, err)
}
