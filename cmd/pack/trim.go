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

// unused are the files of go-app's package app that the program in the browser
// has no use for: those that serve its documents bring net/http, which makes it a
// quarter larger on the wire (measured 2026-11: 1.52 MB with brotli, 1.16 MB
// without), and the one that encrypts what it stores brings package crypto.
var unused = []string{"http.go", "resource.go", "static.go", "crypto.go"}

// stub is what the rest of the package needs of them. Our documents name their
// resources themselves, so none is resolved, and we store nothing.
const stub = `package app

import "errors"

type Handler struct{}

func clientResourceResolver(string) func(string) string {
	return func(location string) string { return location }
}

var errLeftOut = errors.New("encryption was left out")

func encrypt(string, []byte) ([]byte, error) { return nil, errLeftOut }
func decrypt(string, []byte) ([]byte, error) { return nil, errLeftOut }
`

// uuid stands for the module of that name, with which go-app names devices and
// states that it shares between tabs, as we never do. The real one brings packages
// net and crypto, MD5 and SHA-1.
const uuid = `package uuid

import "strconv"

var last int

func NewString() string { last++; return strconv.Itoa(last) }
`

const uuidModule = "github.com/google/uuid"

// trim copies the module go-app without its server into dir, and writes beside
// it a go.mod that puts the copy in its place, for go build -modfile. It returns
// an error if the module is not the one that it knows.
func trim(dir string) error {
	// Asked for a package, go fetches the module; asked for the module, it would not.
	from, err := goList("-f", "{{.Module.Dir}}", goApp+"/pkg/app")
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
		if filepath.Base(filepath.Dir(path)) == "app" && slices.Contains(unused, d.Name()) {
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
	if err := os.MkdirAll(filepath.Join(dir, "uuid"), 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{"go.mod": "module " + uuidModule + "\n", "uuid.go": uuid} {
		if err := os.WriteFile(filepath.Join(dir, "uuid", name), []byte(text), 0o644); err != nil {
			return err
		}
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
	out, err := exec.Command("go", "mod", "edit", "-replace", goApp+"="+absolute, "-replace", uuidModule+"="+filepath.Join(absolute, "uuid"), dir+".mod").CombinedOutput()
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
