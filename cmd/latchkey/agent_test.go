package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/agent"
)

// runAgent runs "latchkey agent" and reads the lines that it prints.
func runAgent(t *testing.T, stdin string, args ...string) (agents []agent.Agent, stdout string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(context.Background(), append([]string{"agent"}, args...), strings.NewReader(stdin), &out, &errs)
	require.Equal(t, 0, code, errs.String())
	for line := range strings.Lines(out.String()) {
		var a agent.Agent
		require.NoError(t, json.Unmarshal([]byte(line), &a))
		agents = append(agents, a)
	}
	return agents, out.String()
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"

func TestAgent_printsOneObjectALine(t *testing.T) {
	_, out := runAgent(t, firefox+"\n")
	assert.Equal(t, `{"browser":"Firefox","major":"153","version":"153.0","os":"Linux","os_version":"","device":"desktop","engine":"Gecko","in_app":false,"app":""}`+"\n", out)
}

func TestAgent_neverFailsOnALine(t *testing.T) {
	agents, _ := runAgent(t, "\n"+strings.Repeat("x", 1<<20)+"\n\xff\xfe\x00\r\n"+firefox+" "+strings.Repeat("y", 1<<20)+"\n"+firefox)
	require.Len(t, agents, 5)
	assert.Equal(t, agent.Agent{}, agents[0])
	assert.Equal(t, "Firefox", agents[3].Browser, "what is too long is read as far as it is read")
	assert.Equal(t, "Firefox", agents[4].Browser, "the last line needs no end")
}

func TestAgent_readsHints(t *testing.T) {
	agents, _ := runAgent(t, `{"ua":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36",`+
		`"hints":{"Sec-CH-UA-Platform":"\"Windows\"","sec-ch-ua-platform-version":"\"15.0.0\"","sec-ch-ua-mobile":false}}`+
		"\nno JSON\n{}\n", "-hints")
	require.Len(t, agents, 3)
	assert.Equal(t, "11", agents[0].OSVersion)
	assert.Equal(t, []agent.Agent{{}, {}}, agents[1:])
}

func TestAgent_saysWhatIsWrong(t *testing.T) {
	var out, errs bytes.Buffer
	assert.Equal(t, 2, tellAgents(context.Background(), []string{"file"}, strings.NewReader(""), &out, &errs))
	assert.Contains(t, errs.String(), "usage: latchkey agent")

	errs.Reset()
	assert.Equal(t, 1, tellAgents(context.Background(), nil, iotest.ErrReader(errors.New("cable out")), &out, &errs))
	assert.Equal(t, "latchkey agent: read the user agents: cable out\n", errs.String())
}
