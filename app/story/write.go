package story

import (
	"bytes"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"

	"latchkey/internal/text"
)

// Write writes all stories into dir, each as a page, with the style sheet and an
// index.html that lists them. The root is that of the source tree.
func Write(dir string, root fs.FS, words *text.Catalogue) ([]Story, error) {
	stories, err := All(root)
	if err != nil {
		return nil, err
	}
	style, err := fs.ReadFile(root, "web/latchkey.css")
	if err != nil {
		return nil, err
	}
	for _, s := range stories {
		text, err := s.Page(words)
		if err == nil {
			err = write(filepath.Join(dir, filepath.FromSlash(s.Name)+".html"), text)
		}
		if err == nil {
			err = write(filepath.Join(dir, filepath.Dir(filepath.FromSlash(s.Name)), "latchkey.css"), style)
		}
		if err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if err := index.Execute(&b, stories); err != nil {
		return nil, err
	}
	return stories, write(filepath.Join(dir, "index.html"), b.Bytes())
}

func write(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

// The index shows each story as a phone does, and leads to the whole page.
var index = template.Must(template.New("index").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stories of Latchkey</title>
<style>
:root { color-scheme: light dark; }
body { margin: 16px; font: 14px/1.5 system-ui, sans-serif; }
ul { display: flex; flex-wrap: wrap; gap: 16px; margin: 0; padding: 0; list-style: none; }
iframe { display: block; width: 360px; height: 560px; border: 1px solid GrayText; }
</style>
</head>
<body>
<h1>Stories</h1>
<ul>
{{range .}}<li><a href="{{.Name}}.html">{{.Name}}</a><iframe src="{{.Name}}.html" loading="lazy" title="{{.Name}}"></iframe></li>
{{end}}</ul>
</body>
</html>
`))
