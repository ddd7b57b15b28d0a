package main

import (
	"context"

	"latchkey/internal/browser"
	"latchkey/internal/text"
)

// words are those that words.js has fetched for the page and the browser's menus.
// They are English where none are needed, or none come in time.
func words(window *browser.Window) *text.Catalogue {
	file, err := window.Call(context.Background(), "latchkey.words")
	if data, ok := file.(string); ok {
		lang, _ := window.Get("latchkey.lang")
		tag, _ := lang.(string)
		var c *text.Catalogue
		if c, err = text.In(tag, []byte(data)); err == nil {
			return c
		}
	}
	if err != nil {
		println("latchkey: fetch words:", err.Error())
	}
	return text.English()
}
