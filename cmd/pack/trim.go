package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const goApp = "github.com/maxence-charriere/go-app/v10"

// serverSide are the files of go-app's package app that serve its documents. The
// program in the browser has no use for them, but they bring net/http, which
// makes it a quarter larger on the wire (measured 2026-11: 1.52 MB with brotli,
// 1.16 MB without).
var serverSide = []string{"http.go", "resource.go", "static.go"}

// stub is what the rest of the package needs of them. Our documents name their
// resources themselves, so none is resolved.
const stub = `package app

type Handler struct{}

func clientResourceResolver(string) func(string) string {
	return func(location string) string { return location }
}
`

// trim copies the module go-app without its server into dir, and writes beside
// it a go.mod that puts the copy in its place, for go build -modfile. It returns
// an error if the module is not the one that it knows.
func trim(dir string) error {
	from, err := goList("-m", "-f", "{{.Dir}}", goApp)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := copyFile(filepath.Join(from, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	err = filepath.WalkDir(filepath.Join(from, "pkg"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		to := filepath.Join(dir, strings.TrimPrefix(path, from))
		if filepath.Base(filepath.Dir(path)) == "app" && slices.Contains(serverSide, d.Name()) {
			return nil
		}
		return copyFile(path, to)
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "pkg", "app", "http.go"), []byte(stub), 0o644); err != nil {
		return err
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := copyFile("go.mod", dir+".mod"); err != nil {
		return err
	}
	if err := copyFile("go.sum", dir+".sum"); err != nil {
		return err
	}
	out, err := exec.Command("go", "mod", "edit", "-replace", goApp+"="+absolute, dir+".mod").CombinedOutput()
	if err != nil {
		return fmt.Errorf("write %s.mod: %w: %s", dir, err, out)
	}
	return nil
}

func goList(args ...string) (string, error) {
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go list %s: %w: %s", strings.Join(args, " "), err, said.String())
	}
	return strings.TrimSpace(out.String()), nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
