package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// yard is a directory with two sources and what is packed from them.
type yard struct {
	t    *testing.T
	dir  string
	dist string
}

func newYard(t *testing.T) yard {
	dir := t.TempDir()
	y := yard{t: t, dir: dir, dist: filepath.Join(dir, "dist")}
	y.write("embed.js", "var embed = 1;")
	y.write("frame.js", "var frame = 1;")
	return y
}

func (y yard) write(name, content string) {
	require.NoError(y.t, os.WriteFile(filepath.Join(y.dir, name), []byte(content), 0o644))
}

func (y yard) pack() map[string]entry {
	require.NoError(y.t, pack(y.dist, map[string]string{
		"embed.js": filepath.Join(y.dir, "embed.js"),
		"frame.js": filepath.Join(y.dir, "frame.js"),
	}, map[string][]byte{"de.menu.json": []byte("{}")}))
	text, err := os.ReadFile(filepath.Join(y.dist, manifestName))
	require.NoError(y.t, err)
	var manifest map[string]entry
	require.NoError(y.t, json.Unmarshal(text, &manifest))
	return manifest
}

func (y yard) files() []string {
	found, err := os.ReadDir(y.dist)
	require.NoError(y.t, err)
	var names []string
	for _, f := range found {
		names = append(names, f.Name())
	}
	return names
}

func (y yard) unpack(name string) string {
	packed, err := os.ReadFile(filepath.Join(y.dist, name))
	require.NoError(y.t, err)
	var r io.Reader = brotli.NewReader(bytes.NewReader(packed))
	if strings.HasSuffix(name, ".gz") {
		r, err = gzip.NewReader(bytes.NewReader(packed))
		require.NoError(y.t, err)
	}
	raw, err := io.ReadAll(r)
	require.NoError(y.t, err)
	return string(raw)
}

func TestPack_storesEachFileOnlyCompressedUnderAHashedName(t *testing.T) {
	y := newYard(t)
	manifest := y.pack()

	// The first twelve digits of: printf 'var frame=1;\n' | sha256sum
	const frame = "frame.ff9c5ca09425.js"
	assert.Equal(t, frame, manifest["frame.js"].Name)
	assert.Equal(t, "embed.js", manifest["embed.js"].Name, "sites write this name into their pages")
	menu := manifest["de.menu.json"].Name
	assert.ElementsMatch(t, []string{
		manifestName, "embed.js.br", "embed.js.gz", frame + ".br", frame + ".gz", menu + ".br", menu + ".gz",
	}, y.files())

	assert.Equal(t, "var frame=1;\n", y.unpack(frame+".br"))
	assert.Equal(t, "var frame=1;\n", y.unpack(frame+".gz"))
	assert.Equal(t, "var embed=1;\n", y.unpack("embed.js.br"))
}

func TestMinify(t *testing.T) {
	cases := []struct{ name, file, source, want string }{
		{"comments and blanks go", "a.js", "/* why */\nvar a = 1; // what\n", "var a=1;\n"},
		{"what other scripts see keeps its name", "a.js", "function seen(first) { return first; }", "function seen(n){return n}\n"},
		{"styles", "a.css", "/* why */\n.a { margin: 0 auto }\n", ".a{margin:0 auto}\n"},
		{"Go's glue is left alone", "wasm_exec.js", "// why\n", "// why\n"},
		{"what is neither is left alone", "widget.wasm", "\x00asm /* */", "\x00asm /* */"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := minify(c.file, []byte(c.source))
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
		})
	}

	_, err := minify("a.js", []byte("var a = 1;\nvar = 2;"))
	assert.ErrorContains(t, err, "a.js:2: ")
}

func TestPack_recordsTheSizesOfWhatItStored(t *testing.T) {
	y := newYard(t)
	e := y.pack()["frame.js"]

	assert.Equal(t, len("var frame=1;\n"), e.Raw)
	for ext, size := range map[string]int{".br": e.Brotli, ".gz": e.Gzip} {
		info, err := os.Stat(filepath.Join(y.dist, e.Name+ext))
		require.NoError(t, err)
		assert.Equal(t, info.Size(), int64(size), ext)
	}
}

func TestPack_keepsWhatIsUpToDate(t *testing.T) {
	y := newYard(t)
	before := y.pack()
	long := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, name := range y.files() {
		require.NoError(t, os.Chtimes(filepath.Join(y.dist, name), long, long))
	}

	assert.Equal(t, before, y.pack())
	for _, name := range y.files() {
		if name == manifestName {
			continue
		}
		info, err := os.Stat(filepath.Join(y.dist, name))
		require.NoError(t, err)
		assert.True(t, info.ModTime().Equal(long), "%s was made again", name)
	}
}

func TestPack_makesAgainWhatIsNotTheSource(t *testing.T) {
	cases := []struct {
		name  string
		spoil func(y yard, frame string)
	}{
		{"a file is missing", func(y yard, frame string) {
			require.NoError(t, os.Remove(filepath.Join(y.dist, frame+".gz")))
		}},
		{"a file is damaged", func(y yard, frame string) {
			require.NoError(t, os.Truncate(filepath.Join(y.dist, frame+".gz"), 3))
		}},
		{"embed.js keeps its name but not its content", func(y yard, _ string) {
			y.write("embed.js", "var embed = 2;")
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			y := newYard(t)
			frame := y.pack()["frame.js"].Name
			c.spoil(y, frame)
			y.pack()

			source, err := os.ReadFile(filepath.Join(y.dir, "embed.js"))
			require.NoError(t, err)
			embed, err := minify("embed.js", source)
			require.NoError(t, err)
			for _, ext := range []string{".br", ".gz"} {
				assert.Equal(t, "var frame=1;\n", y.unpack(frame+ext))
				assert.Equal(t, string(embed), y.unpack("embed.js"+ext))
			}
		})
	}
}

func TestPack_removesWhatIsOutdated(t *testing.T) {
	y := newYard(t)
	old := y.pack()["frame.js"].Name
	require.NoError(t, os.WriteFile(filepath.Join(y.dist, ".gitignore"), []byte("*\n"), 0o644))
	y.write("frame.js", "var frame = 2;")
	manifest := y.pack()
	now, menu := manifest["frame.js"].Name, manifest["de.menu.json"].Name

	require.NotEqual(t, old, now)
	assert.Regexp(t, `^de\.menu\.[0-9a-f]{12}\.json$`, menu, "what was made is named by its content, too")
	assert.Equal(t, "{}", y.unpack(menu+".br"))
	assert.ElementsMatch(t, []string{
		".gitignore", manifestName, "embed.js.br", "embed.js.gz", menu + ".br", menu + ".gz", now + ".br", now + ".gz",
	}, y.files())
}

func TestPack_leavesTheOldStateWhenASourceIsMissing(t *testing.T) {
	y := newYard(t)
	y.pack()
	before := y.files()

	err := pack(y.dist, map[string]string{"widget.wasm": filepath.Join(y.dir, "widget.wasm")}, nil)
	require.ErrorContains(t, err, "widget.wasm")
	assert.Equal(t, before, y.files())
}

func TestPrintSizes(t *testing.T) {
	y := newYard(t)
	e := y.pack()["frame.js"]

	var out bytes.Buffer
	require.NoError(t, printSizes(&out, y.dist, map[string]int{"frame.js": e.Brotli}))
	assert.Regexp(t, `frame\.js +13 +\d+ +\d+ +\d+`, out.String())
	assert.Contains(t, out.String(), "embed.js", "a file without a budget is listed too")

	err := printSizes(&out, y.dist, map[string]int{"frame.js": e.Brotli - 1, "embed.js": 1})
	assert.ErrorContains(t, err, "frame.js is over its budget")
	assert.ErrorContains(t, err, "embed.js is over its budget")

	assert.ErrorContains(t, printSizes(&out, t.TempDir(), budgets()), "run make wasm")
}

func TestWasmExec_isTheGlueOfThisToolchain(t *testing.T) {
	name, err := wasmExec()
	require.NoError(t, err)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Contains(t, string(text), "globalThis.Go")
}

func TestRun_saysWhatIsMissing(t *testing.T) {
	var out, errs bytes.Buffer
	assert.Equal(t, 2, run(nil, &out, &errs))
	assert.Contains(t, errs.String(), "-wasm FILE or -size")
}
