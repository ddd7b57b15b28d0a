package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

const manifestName = "manifest.json"

// entry is what the manifest says about one file. The server reads name, raw
// and sha256; the sizes are for people.
type entry struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Source string `json:"source"` // the SHA-256 of the file that it was made of
	Raw    int    `json:"raw"`
	Gzip   int    `json:"gzip"`
	Brotli int    `json:"brotli"`
}

// pack brings dir in line with sources, which maps the name that the server
// asks for to the file to read, and with made, to the content. Outputs that hold the very content already are
// kept: brotli takes 20 seconds for the WebAssembly. The manifest is written
// after the outputs that it names and before outdated ones go, so that it is
// never wrong.
func pack(dir string, sources map[string]string, made map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		errs     []error
		manifest = map[string]entry{}
		keep     = map[string]bool{manifestName: true}
	)
	contents := maps.Clone(made)
	if contents == nil {
		contents = map[string][]byte{}
	}
	for name, source := range sources {
		raw, err := os.ReadFile(source)
		errs = append(errs, err)
		contents[name] = raw
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for name, raw := range contents {
		wg.Go(func() {
			e, err := packFile(dir, name, raw)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			manifest[name] = e
			keep[e.Name+".br"] = true
			keep[e.Name+".gz"] = true
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}

	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, manifestName), append(text, '\n')); err != nil {
		return err
	}
	return removeOutdated(dir, keep)
}

func packFile(dir, name string, from []byte) (entry, error) {
	raw, err := minify(name, from)
	if err != nil {
		return entry{}, err
	}
	e := entry{Name: name, SHA256: sum(raw), Source: sum(from), Raw: len(raw)}
	if name != "embed.js" { // sites write its address into their pages
		ext := path.Ext(name)
		e.Name = strings.TrimSuffix(name, ext) + "." + e.SHA256[:12] + ext
	}

	var wg sync.WaitGroup
	var brErr, gzErr error
	target := filepath.Join(dir, e.Name)
	wg.Go(func() { e.Brotli, brErr = output(target+".br", raw, compressBrotli, brotliReader) })
	wg.Go(func() { e.Gzip, gzErr = output(target+".gz", raw, compressGzip, gzipReader) })
	wg.Wait()
	return e, errors.Join(brErr, gzErr)
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// output makes sure that target holds raw, compressed, and returns its size.
// What stands there is believed only after unpacking it, which is quick and
// leaves no way to serve a stale embed.js or a damaged file.
func output(target string, raw []byte, compress func([]byte) ([]byte, error), reader func(io.Reader) (io.Reader, error)) (int, error) {
	old, err := os.ReadFile(target)
	if err == nil && holds(old, raw, reader) {
		return len(old), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	packed, err := compress(raw)
	if err != nil {
		return 0, fmt.Errorf("compress %s: %w", target, err)
	}
	return len(packed), writeFile(target, packed)
}

func holds(packed, raw []byte, reader func(io.Reader) (io.Reader, error)) bool {
	r, err := reader(bytes.NewReader(packed))
	if err != nil {
		return false
	}
	unpacked, err := io.ReadAll(r)
	return err == nil && bytes.Equal(unpacked, raw)
}

func compressBrotli(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	// With the usual window of 4 MB. One of 16 MB saves 0.2 % of a module of
	// 7 MB, which is not worth the memory that a phone spends on unpacking.
	w := brotli.NewWriterLevel(&b, brotli.BestCompression)
	_, err := w.Write(raw)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

func compressGzip(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(raw)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

func brotliReader(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil }

func gzipReader(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }

// writeFile puts the content in place in one step: nobody ever reads half of it.
func writeFile(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "pack-*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// removeOutdated leaves dot files alone: .gitignore keeps the directory in the
// repository.
func removeOutdated(dir string, keep map[string]bool) error {
	found, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range found {
		if f.IsDir() || keep[f.Name()] || strings.HasPrefix(f.Name(), ".") {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			return err
		}
	}
	return nil
}
