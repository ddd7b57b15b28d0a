package store_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
)

func TestParseKeys(t *testing.T) {
	a, b := bytes.Repeat([]byte{0xfb}, 32), bytes.Repeat([]byte{0x17}, 32)
	std, url, hexed := base64.StdEncoding.EncodeToString(a), base64.RawURLEncoding.EncodeToString(a), hex.EncodeToString(b)
	for _, c := range []struct {
		name, line string
		want       [][]byte
		err        string
	}{
		{"none", "", nil, ""},
		{"only spaces", " \n", nil, ""},
		{"base64", std, [][]byte{a}, ""},
		{"base64 as in addresses", url, [][]byte{a}, ""},
		{"hex", hexed, [][]byte{b}, ""},
		{"two, with spaces", std + " , " + hexed + "\n", [][]byte{a, b}, ""},
		{"too short", std + "," + hexed[:62], nil, "key 2 is not 32 bytes in base64 or hex"},
		{"no such letters", "secret!" + hexed[7:], nil, "key 1 is not 32 bytes in base64 or hex"},
		{"a comma too many", std + ",", nil, "key 2 is not 32 bytes in base64 or hex"},
		{"the same twice", std + "," + hexed + "," + url, nil, "keys 1 and 3 are the same"},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys, err := store.ParseKeys(c.line)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
				assert.NotContains(t, err.Error(), "secret")
				assert.NotContains(t, err.Error(), hexed[:20])
			}
			assert.Equal(t, c.want, keys)
		})
	}
}
