package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Look is what the operator changes of how pages look.
type Look struct {
	// Accent is the colour of buttons and links on light ground, and AccentDark on
	// dark. Without the latter it is made of the former.
	Accent, AccentDark *Colour
	// Logo is an image, which stands on pages of our own, never in a login page's
	// frame.
	Logo *Logo
}

// Colour is red, green and blue.
type Colour [3]uint8

func (c Colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// The grounds that text in the accent stands on, as latchkey.css has them, and the
// contrast that WCAG 2.2 asks of such text (1.4.3).
var (
	lightGrounds = []Colour{{0xff, 0xff, 0xff}, {0xf3, 0xf5, 0xf7}}
	darkGrounds  = []Colour{{0x1b, 0x22, 0x2a}, {0x12, 0x17, 0x1c}}
	black, white = Colour{}, Colour{0xff, 0xff, 0xff}
)

const leastContrast = 4.5

// luminance is the relative luminance of WCAG 2.2.
func (c Colour) luminance() float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func (c Colour) contrast(d Colour) float64 {
	a, b := c.luminance(), d.luminance()
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// worst is the least contrast with any of the grounds.
func (c Colour) worst(grounds []Colour) float64 {
	least := math.Inf(1)
	for _, g := range grounds {
		least = min(least, c.contrast(g))
	}
	return least
}

// towards mixes the colour with another until it is to be read on the grounds.
func (c Colour) towards(end Colour, grounds []Colour) Colour {
	for step := range 101 {
		var mixed Colour
		for i := range mixed {
			mixed[i] = uint8(math.Round(float64(c[i]) + (float64(end[i])-float64(c[i]))*float64(step)/100))
		}
		if mixed.worst(grounds) >= leastContrast {
			return mixed
		}
	}
	return end
}

// colour reads #rrggbb that is to be read on the grounds.
func colour(end Colour, grounds []Colour) func(string) (*Colour, problem) {
	return func(s string) (*Colour, problem) {
		digits, ok := strings.CutPrefix(s, "#")
		rgb, err := hex.DecodeString(digits)
		if !ok || err != nil || len(rgb) != 3 {
			return nil, problem{fmt.Sprintf("%q is no colour", s), `write it like "#0b5cad", in quotes`}
		}
		c := Colour(rgb)
		if got := c.worst(grounds); got < leastContrast {
			return nil, problem{
				fmt.Sprintf("%s cannot be read well: its contrast with the page is %.1f to 1, and %.1f is needed", c, got, leastContrast),
				fmt.Sprintf("%s is near to it and does", c.towards(end, grounds)),
			}
		}
		return &c, problem{}
	}
}

// ink is what text on the colour is written in.
func (c Colour) ink() Colour {
	if c.contrast(white) >= c.contrast(black) {
		return white
	}
	return black
}

// rules are the style of the accent, in both schemes; "" without one.
func (l Look) rules() string {
	light, dark := l.Accent, l.AccentDark
	if dark == nil && light != nil {
		lit := light.towards(white, darkGrounds)
		dark = &lit
	}
	rule := func(c *Colour) string {
		if c == nil {
			return ""
		}
		return fmt.Sprintf(":root{--accent:%s;--accent-ink:%s}", c, c.ink())
	}
	var dim string
	if dark != nil {
		dim = "@media (prefers-color-scheme: dark){" + rule(dark) + "}"
	}
	return rule(light) + dim
}

// restyle is a style sheet with the operator's rules at its end, under a name of its
// own.
func (a *asset) restyle(rules string) (*asset, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(a.gz))
	if err != nil {
		return nil, err
	}
	css, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, err
	}
	out, err := packNow("latchkey.css", append(css, rules...))
	if err != nil {
		return nil, err
	}
	dir, name := path.Split(a.path)
	stem, _, _ := strings.Cut(name, ".")
	out.path = dir + stem + "." + out.hash[:12] + ".css"
	return out, nil
}

// Logo is an image that is served as it is.
type Logo struct {
	data []byte
	mime string
	hash string
}

const logoLimit = 64 << 10 // bytes; it loads with the page, also on a slow line

// readLogo takes PNG, JPEG, WebP, and SVG without anything that could run.
func readLogo(data []byte) (*Logo, problem) {
	if len(data) > logoLimit {
		return nil, problem{fmt.Sprintf("%d bytes, but a logo has at most %d", len(data), logoLimit), "an SVG is small"}
	}
	switch mime := http.DetectContentType(data); mime {
	case "image/png", "image/jpeg", "image/webp":
		return newLogo(data, mime), problem{}
	}
	if err := plainSVG(data); err != nil {
		return nil, problem{"this is neither PNG, JPEG nor WebP, and no plain SVG: " + err.Error(), "export it again as a plain drawing"}
	}
	return newLogo(data, "image/svg+xml"), problem{}
}

func newLogo(data []byte, mime string) *Logo {
	sum := sha256.Sum256(data)
	return &Logo{data, mime, hex.EncodeToString(sum[:])}
}

// logoBeside reads the image at a path that is meant from the configuration's folder.
func logoBeside(config string) func(string) (*Logo, problem) {
	return func(name string) (*Logo, problem) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(config), name)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, problem{err.Error(), "name a file, meant from the folder of this one"}
		}
		l, bad := readLogo(data)
		if bad != (problem{}) {
			bad.what = filepath.Base(name) + ": " + bad.what
		}
		return l, bad
	}
}

// plainSVG refuses what is no drawing. Browsers run nothing in an image, but whoever
// opens its address by itself would.
func plainSVG(data []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(data))
	first := true
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) && !first {
			return nil
		}
		if err != nil {
			return err
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch name := strings.ToLower(e.Name.Local); {
		case first && name != "svg":
			return fmt.Errorf("it begins with <%s>", e.Name.Local)
		case name == "script" || name == "foreignobject":
			return fmt.Errorf("it has a <%s>", e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(strings.ToLower(a.Name.Local), "on") {
				return fmt.Errorf("it has an attribute %s", a.Name.Local)
			}
		}
		first = false
	}
}

// logoPath is the address of the logo; "" without one.
func (s *server) logoPath() string {
	l := s.cfg.Look.Logo
	if l == nil {
		return ""
	}
	_, kind, _ := strings.Cut(l.mime, "/")
	return s.base + "/static/logo." + l.hash[:12] + "." + strings.TrimSuffix(kind, "+xml")
}

func (l *Logo) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", l.mime)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	_, _ = w.Write(l.data)
}
