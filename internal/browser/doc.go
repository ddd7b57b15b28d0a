// Package browser is the window of a real browser. It is the only package that
// touches syscall/js, and no js.Value leaves it.
package browser
