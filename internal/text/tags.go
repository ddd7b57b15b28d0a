package text

import "strings"

// Match returns the first of the wanted languages that there is, or "". Both are
// BCP 47 tags; a wanted one is shortened until there is one like it (RFC 4647, 3.4:
// look-up), so that "es-MX" finds "es".
func Match(there []string, wanted ...string) string {
	for _, tag := range wanted {
		for _, tag := range fallbacks(tag) {
			for _, t := range there {
				if strings.EqualFold(t, tag) {
					return t
				}
			}
		}
	}
	return ""
}

// fallbacks are a tag and what may stand in for it, the most fitting first.
func fallbacks(tag string) []string {
	tag = strings.ToLower(strings.ReplaceAll(tag, "_", "-"))
	base, rest, _ := strings.Cut(tag, "-")
	if base == "fil" { // browsers' tag for Tagalog's standard form
		base, tag = "tl", strings.TrimSuffix("tl-"+rest, "-")
	}
	all := []string{tag}
	if base == "zh" {
		// The script decides what can be read. Where it is not told the region tells it.
		script := "zh-hans"
		for part := range strings.SplitSeq(rest, "-") {
			if part == "hans" {
				break
			}
			if part == "hant" || part == "tw" || part == "hk" || part == "mo" {
				script = "zh-hant"
			}
		}
		return append(all, script, base)
	}
	for i := strings.LastIndexByte(tag, '-'); i > 0; i = strings.LastIndexByte(tag, '-') {
		tag = tag[:i]
		all = append(all, tag)
	}
	return all
}

// Dir is the direction that a language is written in, as HTML has it: "rtl" or "ltr".
// Its tag is one of [Match].
func Dir(lang string) string {
	base, _, _ := strings.Cut(lang, "-")
	if strings.Contains(" ar ckb dv fa he ps sd ug ur yi ", " "+base+" ") {
		return "rtl"
	}
	return "ltr"
}
