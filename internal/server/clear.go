package server

import (
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
)

// clearedAtOnce bounds the Set-Cookie headers of one answer: nginx takes 4 KiB of
// headers from a server behind it (proxy_buffer_size), and one is about 80 bytes.
const clearedAtOnce = 30

// clear takes away the cookies of the login that the request brought, for every
// domain and path that they may have been set for: of the names after the one
// in the query as many as one answer may hold, and one at least. It tells the
// last of them as next, for who asks to go on with, or nothing after the last,
// and which names came. Where the operator says so, it also has the browser
// clear what this origin stored.
func (s *server) clear(w http.ResponseWriter, r *http.Request) {
	if !sameOrigin(r) {
		http.Error(w, "only a page of this origin may ask for that", http.StatusForbidden)
		return
	}
	names := s.loginCookies(r)
	next, set := "", 0
	for _, name := range names {
		if name <= r.URL.Query().Get("after") {
			continue
		}
		out := s.expired(r, name)
		if set > 0 && set+len(out) > clearedAtOnce {
			break
		}
		for _, c := range out {
			http.SetCookie(w, c)
		}
		next, set = name, set+len(out)
	}
	if s.cfg.Repair.SiteData {
		w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	}
	writeJSON(w, struct {
		Came []string `json:"came"`
		Next string   `json:"next"`
	}{append([]string{}, names...), next})
}

// sameOrigin is whether a page of ours asks. Browsers before 2020 (Safari before
// 16.4) send no Sec-Fetch-Site, but an Origin with every POST.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && origin.Host != "" && origin.Host == r.Host
}

// loginCookies are the names in the request that the operator lists, each once.
func (s *server) loginCookies(r *http.Request) []string {
	names := map[string]bool{}
	for _, line := range r.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			name, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if slices.ContainsFunc(s.cfg.Cookies, func(c Cookie) bool { return c.matches(name) }) && cookieNameForm.MatchString(name) {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// expired are the cookies that take one name away, wherever it may stand.
func (s *server) expired(r *http.Request, name string) []*http.Cookie {
	paths := map[string]bool{"/": true, s.base + "/": true}
	if s.base != "" {
		paths[s.base] = true
	}
	domains := map[string]bool{"": true}
	partitioned := map[bool]bool{false: true}
	if login, err := url.Parse(s.cfg.Site.Login); err == nil {
		for p := path.Dir(path.Clean("/" + login.Path)); p != "/"; p = path.Dir(p) {
			paths[p] = true
		}
	}
	for _, c := range s.cfg.Cookies {
		if c.matches(name) {
			paths[c.Path] = true
			domains[c.Domain] = true
			partitioned[c.Partitioned] = true
		}
	}
	// A cookie for a host stands for all below it. Of the parents the last one
	// that a browser takes is the one above the public suffix.
	host := hostname("//" + r.Host)
	if _, err := netip.ParseAddr(host); err != nil {
		for ; strings.Contains(host, "."); _, host, _ = strings.Cut(host, ".") {
			domains[host] = true
		}
	}
	if strings.HasPrefix(name, "__Host-") {
		paths, domains = map[string]bool{"/": true}, map[string]bool{"": true}
	}
	var out []*http.Cookie
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		for _, d := range slices.Sorted(maps.Keys(domains)) {
			for part := range partitioned {
				out = append(out, &http.Cookie{Name: name, Path: p, Domain: d, MaxAge: -1, Secure: s.https(r), Partitioned: part})
			}
		}
	}
	return out
}
