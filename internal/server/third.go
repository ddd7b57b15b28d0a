package server

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The pages for the frame of another site: this server is then the one of an
// identity provider, or of the operator's second domain, and tells a Latchkey
// at one of embed.origins which cookies of this site that frame has. Their
// scripts are third.js and the look "third" of looks.js.
func (s *server) third(mux *routes) {
	mux.HandleFunc("GET "+s.thirdPath(), s.thirdPage)
	mux.HandleFunc("GET "+s.thirdPath()+"/again", s.thirdPage)
	mux.HandleFunc("GET "+s.thirdPath()+"/ask", s.thirdAsk)
	mux.HandleFunc("GET "+s.thirdPath()+"/mark", s.thirdMark)
}

func (s *server) thirdPath() string { return s.base + "/third" }

const (
	// markName is the cookie that stands for the one of somebody signed in: set
	// by a page of its own, and looked for in a frame.
	markName = "latchkey-mark"
	// markTime is how long it lives: from signing in to asking for help.
	markTime = 10 * time.Minute
	// markedKey is the query parameter that tells when it was set.
	markedKey = "latchkey-marked"
)

var thirdTemplate = template.Must(template.New("third").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="robots" content="noindex">
<title>Latchkey</title>
<link rel="icon" href="data:,">
<script type="application/json" id="latchkey-third">{{.Config}}</script>
<script src="{{.Script}}"></script>
</html>
`))

// thirdConfig is what third.js is told.
type thirdConfig struct {
	Run  string `json:"run"`
	Path string `json:"path"`
	// To is the origin that is told, which is one of embed.origins.
	To    string `json:"to"`
	Again bool   `json:"again"`
	// Ask is whether this is the page with the button.
	Ask bool `json:"ask"`
	// Asks is Embed.StorageAccess.
	Asks bool `json:"asks"`
	// HTTP is whether the cookie of the first page came.
	HTTP bool `json:"http"`
	// Login is whether the mark came; nil where there is none to come.
	Login *bool `json:"login,omitempty"`
}

// thirdPage is both pages of a run.
func (s *server) thirdPage(w http.ResponseWriter, r *http.Request) {
	run, ok := runOf(w, r)
	if !ok {
		return
	}
	q := r.URL.Query()
	to, ok := s.thirdTo(w, r)
	if !ok {
		return
	}
	c := thirdConfig{Run: run, Path: s.thirdPath(), To: to, Again: r.URL.Path != s.thirdPath(), Asks: s.cfg.Embed.StorageAccess}
	if c.Again {
		c.HTTP = hasCookie(r, "latchkey-none-"+run)
		if came := hasCookie(r, markName); came || s.marked(q.Get("marked")) {
			c.Login = &came
		}
	}
	s.smallPage(w, thirdTemplate, struct {
		Script string
		Config thirdConfig
	}{s.asset("third.js"), c})
}

var thirdAskTemplate = template.Must(template.New("ask").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}">
` + pageHead + `<body class="frame">
<button type="button" id="latchkey-allow">{{.Allow}}</button>
<p role="status" id="latchkey-denied" data-text="{{.Denied}}"></p>
<script type="application/json" id="latchkey-third">{{.Config}}</script>
<script src="{{.Script}}"></script>
</body>
</html>
`))

// thirdAsk is a page to be seen: browsers give storage access only for a click
// in the very frame that is to have it.
func (s *server) thirdAsk(w http.ResponseWriter, r *http.Request) {
	to, ok := s.thirdTo(w, r)
	if !ok {
		return
	}
	words := s.words(r)
	s.smallPage(w, thirdAskTemplate, struct {
		Lang, Dir, Title, Style, Script, Allow, Denied string
		Config                                         thirdConfig
	}{
		Lang: words.Lang(), Dir: words.Dir(),
		Title: words.Text(nil, "ui.storageaccess.title"), Style: s.asset("latchkey.css"), Script: s.asset("third.js"),
		Allow: words.Text(nil, "ui.storageaccess"), Denied: words.Text(nil, "ui.storageaccess.denied"),
		Config: thirdConfig{To: to, Ask: true},
	})
}

// thirdTo reads which origin is to be told. If that may not embed this site, it
// has answered the request.
func (s *server) thirdTo(w http.ResponseWriter, r *http.Request) (origin string, ok bool) {
	to := r.URL.Query().Get("for")
	if !slices.Contains(s.cfg.Embed.Origins, to) {
		http.Error(w, "for must be one of the origins that may embed this site", http.StatusForbidden)
		return "", false
	}
	return to, true
}

// smallPage writes a page that runs no widget.
func (s *server) smallPage(w http.ResponseWriter, t *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", documentPolicy(s.cfg, false))
	w.Header().Add("Vary", "Accept-Language")
	if err := t.Execute(w, data); err != nil {
		s.log.Warn("page not written", "error", err)
	}
}

// marked is whether a mark that was set at that second has not run out.
func (s *server) marked(second string) bool {
	at, err := strconv.ParseInt(second, 10, 64)
	age := s.now().Sub(time.Unix(at, 0))
	return err == nil && age >= 0 && age < markTime
}

// thirdMark sets the mark, as signing in sets its cookie, and sends the person
// back to where the visit came from, if that may embed this site. In a frame it
// would prove nothing.
func (s *server) thirdMark(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Sec-Fetch-Dest") != "document" {
		http.Error(w, "this is to be visited as a page of its own", http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: markName, Value: "1", Path: s.thirdPath(), MaxAge: int(markTime / time.Second),
		HttpOnly: true, Secure: true, SameSite: http.SameSiteNoneMode,
	})
	back, err := url.Parse(r.URL.Query().Get("back"))
	if err != nil || back.User != nil || !slices.Contains(s.cfg.Embed.Origins, back.Scheme+"://"+back.Host) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	q := back.Query()
	q.Set(markedKey, strconv.FormatInt(s.now().Unix(), 10))
	back.RawQuery = q.Encode()
	http.Redirect(w, r, back.String(), http.StatusSeeOther)
}
