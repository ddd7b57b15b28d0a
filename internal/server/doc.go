// Package server is Latchkey over HTTP: the pages, the static files, and the
// endpoints that a browser's probes talk to.
//
// It sees what every request shows, judges with the same checks as the widget
// and renders the same view. It keeps nothing of what it sees but the reports
// that people send, and writes no query, cookie, body or user agent into its log.
package server
