// Package e2e tests Latchkey as a person meets it: real browsers with real
// faults. It holds tests only; package drive beneath it starts and drives the
// browsers. All of it is left out by go test -short.
package e2e
