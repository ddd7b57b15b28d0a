package store_test

import (
	"crypto/sha256"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

func FuzzHashToken(f *testing.F) {
	for range 3 {
		token, _ := store.NewToken()
		f.Add(token)
		f.Add(token[:20] + "\r\n")
		f.Add(token[:10] + "+" + token[11:])
	}
	for _, s := range []string{"", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAA\nAAAAAAAAAA"} {
		f.Add(s)
	}
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	f.Fuzz(func(t *testing.T, token string) {
		// 21 letters are 126 bits; of the last one two count, and the rest are 0.
		want := len(token) == 22 && strings.Trim(token, letters) == "" && strings.Contains("AQgw", token[21:])
		hash, ok := store.HashToken(token)
		require.Equal(t, want, ok, "%q", token)
		if ok {
			sum := sha256.Sum256([]byte(token))
			require.Equal(t, sum[:], hash)
		} else {
			require.Nil(t, hash)
		}
	})
}

func TestNewToken_isNewEachTime(t *testing.T) {
	tokens, ids := map[string]bool{}, map[string]bool{}
	for range 1000 {
		token, hash := store.NewToken()
		again, ok := store.HashToken(token)
		require.True(t, ok)
		require.Equal(t, hash, again)
		tokens[token] = true
		id := store.NewID()
		require.Regexp(t, `^[a-z2-7]{26}$`, id)
		ids[id] = true
	}
	assert.Len(t, tokens, 1000)
	assert.Len(t, ids, 1000)
}

// What is looked for is found where it stands, and nowhere else.
func FuzzFilters(f *testing.F) {
	for _, text := range storetest.Texts {
		f.Add(text, "a"+text+"b")
		f.Add(text, "other")
	}
	f.Add("a%b", "axb")
	f.Add("A_B", "a_b")
	f.Add("ẞ", "ß")
	f.Add("İ", "i")
	path := filepath.Join(f.TempDir(), "x.db")
	s, err := store.Open(f.Context(), "sqlite:"+path, store.Options{Log: quiet})
	require.NoError(f, err)
	f.Cleanup(func() { s.Close() })
	clean := func(s string) string {
		return strings.ReplaceAll(strings.ToLower(strings.ToValidUTF8(s, "\uFFFD")), "\x00", "\uFFFD")
	}
	f.Fuzz(func(t *testing.T, text, reference string) {
		r := store.Report{ID: store.NewID(), Reference: reference}
		require.NoError(t, s.Reports.Add(t.Context(), r))
		defer func() { require.NoError(t, s.Reports.Delete(t.Context(), r.ID)) }()
		list, err := s.Reports.List(t.Context(), store.ReportQuery{Text: text})
		require.NoError(t, err)
		// Behind the reference stands the code, in two ways.
		want := strings.Contains(clean(reference)+"\n\n", clean(text))
		assert.Equal(t, want, len(list) == 1, "%q in %q", text, reference)
		for _, q := range []store.ReportQuery{{Finding: text}, {Case: text}, {Outcome: text}, {Browser: text}, {Page: store.Page{Before: text}}} {
			if _, err := s.Reports.List(t.Context(), q); err != nil {
				require.ErrorIs(t, err, store.ErrNotFound)
				require.NotEmpty(t, q.Before)
			}
		}
		_, err = s.Cases.List(t.Context(), store.CaseQuery{Text: text, By: reference})
		require.NoError(t, err)
	})
}
