package testkit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "latchkey"

// rule is one row of the import table. It holds for the package and for the
// packages below it that have no row of their own.
type rule struct {
	pkg  string
	owns string
	// may lists our packages that it may import; those below it are its own.
	may []string
	// never lists what it must not reach: our packages and other modules
	// through all levels, the standard library ("net/http") and single
	// functions of it ("time.Now") by its own files only, for on js/wasm even
	// package fmt imports os and syscall/js.
	never []string
}

var anything = []string{"anything"}

// rules is the import table. A package that does not exist yet is skipped, one
// without a row is a violation.
var rules = []rule{
	{"internal/evidence", "plain data: what was seen, nothing about what it means",
		nil,
		[]string{"net/http", "os", "log", "syscall/js"}},
	{"internal/diag", "the judge; it knows no single check",
		[]string{"internal/evidence"},
		[]string{"time.Now", "math/rand", "net/http", "os", "log", "syscall/js"}},
	{"internal/checks", "the catalogue of checks and fixes",
		[]string{"internal/diag", "internal/evidence"},
		[]string{"internal/text", "internal/probe", "internal/browser", "net/http", "time.Now", "math/rand", "os", "log", "syscall/js"}},
	{"internal/probe", "what to look at, over the Window interface",
		[]string{"internal/evidence"},
		[]string{"internal/diag", "internal/checks", "internal/text", goApp, "syscall/js"}},
	{"internal/browser", "the Window of a real browser",
		[]string{"internal/probe"},
		[]string{"internal/diag", "internal/checks", "internal/text", "internal/store", goApp}},
	{"internal/agent", "who the browser is",
		[]string{"internal/evidence"},
		[]string{"net/http", "syscall/js"}},
	{"internal/clock", "offset and bounds from time exchanges, pure",
		[]string{"internal/evidence"},
		[]string{"time.Now"}},
	{"internal/text", "words; it knows no evidence and no screen",
		[]string{"internal/diag"},
		[]string{"internal/store", "internal/server", "internal/browser"}},
	{"internal/report", "what may leave the browser",
		[]string{"internal/evidence", "internal/diag"},
		[]string{"internal/store", "internal/server", "internal/browser"}},
	{"internal/store", "reports and cases at rest",
		[]string{"internal/report"},
		[]string{"internal/server", "internal/checks", "syscall/js"}},
	{"internal/server", "HTTP: probe endpoints, pages, API, console",
		anything,
		[]string{"internal/browser", "internal/probe"}},
	{"internal/testkit", "golden files, healthy browsers, the rules of the tree", anything, nil},
	{"internal/e2e", "real browsers with real faults", anything, nil},
	{"app/widget", "what a person sees; values in, events out",
		[]string{"internal/diag", "internal/text", "internal/report", "internal/evidence"},
		[]string{"internal/browser", "internal/probe", "internal/store", "internal/server", "syscall/js"}},
	{"app/story", "every screen with prepared data",
		[]string{"app/widget", "internal/checks", "internal/evidence", "internal/report", "internal/text"}, nil},
	{"cmd/widget", "main of the widget: wires browser, probes, checks, screens", anything, nil},
	{"cmd/latchkey", "main of the server and the tools", anything, nil},
	{"cmd/stories", "writes the stories as pages to look at", []string{"app/story", "internal/text"}, nil},
	{"cmd/pack", "compresses and names the static files at build time; which words there are", []string{"internal/text"}, nil},
	{"web", "static files", nil, nil},
}

const goApp = "github.com/maxence-charriere/go-app"

// testers are the packages whose import is left to tests, and who else may.
var testers = map[string][]string{
	"internal/testkit": {"internal/testkit", "internal/e2e"},
	"internal/e2e":     {"internal/e2e"},

	"internal/store/storetest": {"internal/store/storetest"},
}

// pkg is what the rules need to know of one package.
type pkg struct {
	Path     string
	Standard bool
	Imports  []string
	// uses are the functions of other packages that it names, as "time.Now".
	uses []string
}

// violations says which packages break which row, and why.
func violations(rules []rule, pkgs map[string]pkg) []string {
	var bad []string
	for _, path := range slices.Sorted(maps.Keys(pkgs)) {
		name, ours := strings.CutPrefix(path, module+"/")
		if !ours {
			continue
		}
		row, ok := rowOf(rules, name)
		if !ok {
			bad = append(bad, fmt.Sprintf("%s has no row in the import table: say what it owns and what it may import", name))
			continue
		}
		say := func(format string, args ...any) {
			bad = append(bad, fmt.Sprintf("%s %s\n\trow %s (%s)", name, fmt.Sprintf(format, args...), row.pkg, row.owns))
		}
		p := pkgs[path]
		for _, imp := range p.Imports {
			if other, ours := strings.CutPrefix(imp, module+"/"); ours {
				for _, tester := range slices.Sorted(maps.Keys(testers)) {
					if within(other, tester) && !slices.ContainsFunc(testers[tester], func(p string) bool { return within(name, p) }) {
						say("imports %s, which is for tests only", other)
					}
				}
				if !within(other, row.pkg) && !slices.Equal(row.may, anything) && !withinAny(other, row.may) {
					say("imports %s, but may import %s of ours", other, cmp.Or(strings.Join(row.may, ", "), "nothing"))
				}
			}
			if imp == "syscall/js" && row.pkg != "internal/browser" && !slices.Contains(row.never, imp) && !slices.Equal(row.may, anything) {
				say("imports syscall/js, which internal/browser alone does")
			}
		}
		for _, never := range row.never {
			if slices.Contains(p.uses, never) {
				say("uses %s, which it never may", never)
			}
			if chain := reach(pkgs, path, never); chain != nil {
				say("imports %s, which it never may: %s", chain[len(chain)-1], strings.Join(chain, " → "))
			}
		}
	}
	return bad
}

func rowOf(rules []rule, name string) (row rule, ok bool) {
	for _, r := range rules {
		if within(name, r.pkg) && len(r.pkg) > len(row.pkg) {
			row, ok = r, true
		}
	}
	return row, ok
}

// within is whether a package is p or lies below it.
func within(name, p string) bool { return name == p || strings.HasPrefix(name, p+"/") }

func withinAny(name string, ps []string) bool {
	return slices.ContainsFunc(ps, func(p string) bool { return within(name, p) })
}

// reach finds the shortest way of imports from a package to one that it never
// may import. It goes through our packages and other modules; the standard
// library counts only at the first step.
func reach(pkgs map[string]pkg, from, never string) []string {
	before := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, imp := range pkgs[queue[0]].Imports {
			if _, seen := before[imp]; seen || pkgs[imp].Standard && queue[0] != from {
				continue
			}
			before[imp] = queue[0]
			if within(strings.TrimPrefix(imp, module+"/"), never) {
				chain := []string{imp}
				for at := queue[0]; at != ""; at = before[at] {
					chain = append([]string{at}, chain...)
				}
				return chain
			}
			if !pkgs[imp].Standard {
				queue = append(queue, imp)
			}
		}
	}
	return nil
}

func TestImports_followTheTable(t *testing.T) {
	for _, target := range []struct{ name, goos, goarch string }{
		{"native", "", ""},
		{"js/wasm", "js", "wasm"},
	} {
		t.Run(target.name, func(t *testing.T) {
			t.Parallel()
			pkgs := list(t, target.goos, target.goarch)
			require.Contains(t, pkgs, module+"/internal/evidence", "the list of packages is not the tree's")
			for _, v := range violations(rules, pkgs) {
				t.Error(v)
			}
		})
	}
}

// list asks the go command for all packages of the tree and what they import.
func list(t *testing.T, goos, goarch string) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Standard,Imports,Dir,GoFiles", "./...")
	cmd.Dir = root(t)
	cmd.Env = os.Environ()
	if goos != "" {
		cmd.Env = append(cmd.Env, "GOOS="+goos, "GOARCH="+goarch)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())

	pkgs := map[string]pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			pkg
			ImportPath, Dir string
			GoFiles         []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else {
			require.NoError(t, err)
		}
		if within(p.ImportPath, module) {
			for _, f := range p.GoFiles {
				p.uses = append(p.uses, uses(t, filepath.Join(p.Dir, f))...)
			}
		}
		pkgs[p.ImportPath] = p.pkg
	}
}

// uses lists what a file names of other packages.
func uses(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				names = append(names, x.Name+"."+s.Sel.Name)
			}
		}
		return true
	})
	return names
}

// root is the top folder of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, "go.mod"))
	return dir
}

func TestViolations_nameTheRowAndTheWay(t *testing.T) {
	rules := []rule{
		{"internal/evidence", "data", nil, []string{"os", "time.Now"}},
		{"internal/diag", "the judge", []string{"internal/evidence"}, []string{"internal/text", "example.com/screens"}},
		{"internal/text", "words", []string{"internal/diag"}, nil},
		{"internal/server", "HTTP", anything, []string{"internal/browser"}},
		{"internal/browser", "the browser", nil, nil},
		{"web", "files", nil, nil},
	}
	std := pkg{Standard: true}
	for _, c := range []struct {
		name string
		pkgs map[string]pkg
		want []string // parts of the one violation; none for a good tree
	}{
		{"a good tree", map[string]pkg{
			"latchkey/internal/evidence":    {Imports: []string{"fmt"}},
			"latchkey/internal/diag":        {Imports: []string{"latchkey/internal/evidence", "fmt"}},
			"latchkey/internal/server":      {Imports: []string{"latchkey/internal/server/demo", "latchkey/internal/diag", "os"}},
			"latchkey/internal/server/demo": {Imports: []string{"latchkey/web"}},
			"latchkey/internal/browser":     {Imports: []string{"syscall/js"}},
			"fmt":                           {Standard: true, Imports: []string{"os"}},
		}, nil},
		{"an import that the row does not allow", map[string]pkg{
			"latchkey/internal/evidence": {Imports: []string{"latchkey/internal/diag"}},
		}, []string{"internal/evidence imports internal/diag, but may import nothing of ours", "row internal/evidence (data)"}},
		{"the row of the folder above holds below", map[string]pkg{
			"latchkey/web/deep": {Imports: []string{"latchkey/internal/diag"}},
		}, []string{"web/deep imports internal/diag", "row web (files)"}},
		{"a forbidden package of the standard library", map[string]pkg{
			"latchkey/internal/evidence": {Imports: []string{"os/exec"}}, "os/exec": std,
		}, []string{"internal/evidence imports os/exec, which it never may"}},
		{"a forbidden function", map[string]pkg{
			"latchkey/internal/evidence": {uses: []string{"time.Now"}},
		}, []string{"internal/evidence uses time.Now, which it never may"}},
		{"our package through another one", map[string]pkg{
			"latchkey/internal/server":      {Imports: []string{"latchkey/internal/server/demo"}},
			"latchkey/internal/server/demo": {Imports: []string{"latchkey/web"}},
			"latchkey/web":                  {Imports: []string{"example.com/hidden"}},
			"example.com/hidden":            {Imports: []string{"latchkey/internal/browser"}},
		}, []string{
			"internal/server imports latchkey/internal/browser, which it never may",
			"latchkey/internal/server → latchkey/internal/server/demo → latchkey/web → example.com/hidden → latchkey/internal/browser",
			"internal/server/demo imports latchkey/internal/browser",
		}},
		{"another module through a third one", map[string]pkg{
			"latchkey/internal/diag": {Imports: []string{"example.com/a"}},
			"example.com/a":          {Imports: []string{"example.com/screens/v2/pkg"}},
		}, []string{"internal/diag imports example.com/screens/v2/pkg, which it never may: latchkey/internal/diag → example.com/a"}},
		{"the test kit outside of tests", map[string]pkg{
			"latchkey/internal/server": {Imports: []string{"latchkey/internal/testkit"}},
		}, []string{"internal/server imports internal/testkit, which is for tests only"}},
		{"the browser tests outside of tests", map[string]pkg{
			"latchkey/internal/server": {Imports: []string{"latchkey/internal/e2e/drive"}},
		}, []string{"internal/server imports internal/e2e/drive, which is for tests only"}},
		{"syscall/js in a package of its own mind", map[string]pkg{
			"latchkey/internal/text": {Imports: []string{"syscall/js"}}, "syscall/js": std,
		}, []string{"internal/text imports syscall/js, which internal/browser alone does"}},
		{"a package without a row", map[string]pkg{
			"latchkey/internal/util": {},
		}, []string{"internal/util has no row in the import table"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := violations(rules, c.pkgs)
			if c.want == nil {
				assert.Empty(t, got)
				return
			}
			assert.NotEmpty(t, got)
			for _, part := range c.want {
				assert.Contains(t, strings.Join(got, "\n"), part)
			}
		})
	}
}

func TestPackages_sayOnceWhatTheyAre(t *testing.T) {
	comments, code := map[string][]string{}, map[string]bool{}
	top := root(t)
	require.NoError(t, filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != top && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(top, filepath.Dir(path))
		code[dir] = true
		if f.Doc != nil {
			comments[dir] = append(comments[dir], filepath.Base(path))
		}
		return err
	}))
	require.Contains(t, code, filepath.Join("internal", "evidence"))
	for _, dir := range slices.Sorted(maps.Keys(code)) {
		assert.Len(t, comments[dir], 1, "%s needs exactly one package comment", dir)
	}
}
