package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// asset is a static file as cmd/pack left it: only compressed.
type asset struct {
	path   string // its address
	hash   string
	header http.Header // what does not depend on the request
	br, gz []byte
	raw    int
}

var errNotBuilt = errors.New("static files were not built: run make wasm")

// loadAssets reads the manifest and all that it names.
func loadAssets(dist fs.FS, base string) (map[string]*asset, error) {
	text, err := fs.ReadFile(dist, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNotBuilt
	}
	if err != nil {
		return nil, err
	}
	var manifest map[string]struct {
		Name   string `json:"name"`
		SHA256 string `json:"sha256"`
		Raw    int    `json:"raw"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("manifest.json of the static files: %w", err)
	}
	assets := map[string]*asset{}
	for name, m := range manifest {
		a := &asset{path: base + "/static/" + m.Name, hash: m.SHA256, raw: m.Raw, header: staticHeader(name)}
		if name == "embed.js" {
			a.path = base + "/embed.js"
			a.header.Set("Cache-Control", "public, max-age=300")
			// Login pages on other origins load it; their pages may demand this.
			a.header.Set("Cross-Origin-Resource-Policy", "cross-origin")
		}
		var brErr, gzErr error
		a.br, brErr = fs.ReadFile(dist, m.Name+".br")
		a.gz, gzErr = fs.ReadFile(dist, m.Name+".gz")
		if err := errors.Join(brErr, gzErr); err != nil {
			return nil, fmt.Errorf("%w (%w)", errNotBuilt, err)
		}
		assets[name] = a
	}
	return assets, nil
}

func staticHeader(name string) http.Header {
	h := http.Header{}
	h.Set("Content-Type", contentTypes[path.Ext(name)])
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	return h
}

// contentTypes is ours because the system's table may lack .wasm, which a
// browser only compiles while loading if it has the right type.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".wasm": "application/wasm",
}

func (s *server) static(mux *routes) {
	for _, a := range s.assets {
		mux.Handle("GET "+a.path, a)
	}
	if at := s.logoPath(); at != "" {
		mux.Handle("GET "+at, s.cfg.Look.Logo)
	}
}

// asset is the address of the static file that was packed under that name. It
// panics if there is none: the names stand in our own code.
func (s *server) asset(name string) string {
	a, ok := s.assets[name]
	if !ok {
		panic(fmt.Sprintf("no static file %q", name))
	}
	return a.path
}

func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	coding := negotiate(strings.Join(r.Header.Values("Accept-Encoding"), ","))
	tag := fmt.Sprintf(`"%s-%s"`, a.hash, coding)
	h := w.Header()
	for key, values := range a.header {
		h[key] = values
	}
	h.Set("ETag", tag)
	if matches(strings.Join(r.Header.Values("If-None-Match"), ","), tag) {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}

	var body io.Reader
	length := a.raw
	switch coding {
	case "br":
		body, length = bytes.NewReader(a.br), len(a.br)
	case "gzip":
		body, length = bytes.NewReader(a.gz), len(a.gz)
	}
	if coding != "identity" {
		h.Set("Content-Encoding", coding)
	}
	h.Set("Content-Length", strconv.Itoa(length))
	if r.Method == http.MethodHead {
		return
	}
	if body == nil {
		unpacked, err := gzip.NewReader(bytes.NewReader(a.gz))
		if err != nil {
			panic(err) // cmd/pack wrote it
		}
		body = unpacked
	}
	_, _ = io.Copy(w, body) // fails only when the client is gone
}

// negotiate chooses br, gzip or identity by an Accept-Encoding header: what
// the client likes best, and of equals the smallest. A client that takes none
// of them gets identity all the same, which it can at least read.
func negotiate(accept string) string {
	weights := map[string]float64{}
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		weights[coding] = weight(params)
	}
	best, most := "identity", weights["identity"]
	for _, coding := range []string{"gzip", "br"} {
		q, named := weights[coding]
		if !named {
			q = weights["*"]
		}
		if q > 0 && q >= most {
			best, most = coding, q
		}
	}
	return best
}

// weight reads ";q=0.5". What cannot be read counts as refused: the other
// codings are safe.
func weight(params string) float64 {
	params = strings.ToLower(strings.ReplaceAll(params, " ", ""))
	if params == "" {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimPrefix(params, "q="), 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}

// matches reads If-None-Match. Proxies that recompress mark our tags as weak.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
