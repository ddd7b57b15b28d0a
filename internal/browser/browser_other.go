//go:build !js

package browser

import (
	"context"
	"errors"
)

// Window exists outside of browsers only so that programs build natively.
type Window struct{}

var errNoBrowser = errors.New("no browser: this program runs as WebAssembly")

// Open always fails outside of a browser.
func Open() (*Window, error) { return nil, errNoBrowser }

// Get always fails outside of a browser.
func (*Window) Get(string) (any, error) { return nil, errNoBrowser }

// Call always fails outside of a browser.
func (*Window) Call(context.Context, string, ...any) (any, error) { return nil, errNoBrowser }

// Document always fails outside of a browser.
func (*Window) Document(string) (string, error) { return "", errNoBrowser }

// Serve does nothing outside of a browser.
func (*Window) Serve(string, func()) {}
