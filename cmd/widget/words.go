package main

import (
	"context"
	"time"

	"latchkey/internal/browser"
	"latchkey/internal/text"
)

// patience is how long the answer waits for words. They were asked for beside the
// program, which is fifty times as large.
const patience = 3 * time.Second

// words are those that words.js has fetched for the page and the browser's menus.
// They are English where none are needed, or none come in time.
func words(window *browser.Window) *text.Catalogue {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	file, err := window.Call(ctx, "latchkey.words")
	if data, ok := file.(string); ok && data != "" {
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
