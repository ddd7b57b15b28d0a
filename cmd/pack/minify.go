package main

import (
	"fmt"
	"path"

	"github.com/evanw/esbuild/pkg/api"
)

// minify takes out what only people read: a third of a script on the wire. ES5 stays
// ES5, and names that other scripts see stay as they are. Go's own glue is left
// alone.
func minify(name string, raw []byte) ([]byte, error) {
	loader, ok := map[string]api.Loader{".js": api.LoaderJS, ".css": api.LoaderCSS}[path.Ext(name)]
	if !ok || name == "wasm_exec.js" {
		return raw, nil
	}
	result := api.Transform(string(raw), api.TransformOptions{
		Loader: loader, Sourcefile: name, Target: api.ES5, LegalComments: api.LegalCommentsNone,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: loader == api.LoaderJS,
	})
	if len(result.Errors) > 0 {
		e := result.Errors[0]
		return nil, fmt.Errorf("minify %s:%d: %s", e.Location.File, e.Location.Line, e.Text)
	}
	return result.Code, nil
}
