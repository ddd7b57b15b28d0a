//go:build unix

package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"latchkey/internal/e2e/drive"
)

// namespace is a network of its own. It has no name: nothing is left of it when
// its processes and the file are gone, even if the tests are killed.
type namespace struct{ *os.File }

// threadNet is the network of the thread that reads the name.
const threadNet = "/proc/thread-self/ns/net"

// newNamespace makes a network in which there is nothing but itself. It skips
// without the right to.
func newNamespace(t *testing.T) namespace {
	t.Helper()
	var n namespace
	away(t, func() {
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			t.Skipf("a network of one's own needs root: %v", err)
		}
		f, err := os.Open(threadNet)
		require.NoError(t, err)
		n = namespace{f}
		t.Cleanup(func() { f.Close() })
		run(t, "", "ip", "link", "set", "lo", "up")
	})
	return n
}

// in runs f with what it opens and starts in the namespace: sockets and devices
// of this goroutine, and processes. Goroutines that f starts are not in it.
func (n namespace) in(t *testing.T, f func()) {
	t.Helper()
	away(t, func() {
		require.NoError(t, setNet(n.File))
		f()
	})
}

// away runs f on a thread whose network f may change. The thread comes back, or
// ends with the goroutine.
func away(t *testing.T, f func()) {
	t.Helper()
	runtime.LockOSThread()
	home, err := os.Open(threadNet)
	require.NoError(t, err)
	defer func() {
		if err := setNet(home); err == nil {
			runtime.UnlockOSThread()
		}
		home.Close()
	}()
	f()
}

// setNet is setns(2), whose number package syscall lacks.
func setNet(n *os.File) error {
	number, ok := map[string]uintptr{"amd64": 308, "arm64": 268}[runtime.GOARCH]
	if !ok {
		return errors.ErrUnsupported
	}
	if _, _, e := syscall.Syscall(number, n.Fd(), syscall.CLONE_NEWNET, 0); e != 0 {
		return fmt.Errorf("setns: %w", e)
	}
	return nil
}

// run runs a program to its end, with what it reads.
func run(t *testing.T, input, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	require.NotErrorIs(t, err, exec.ErrNotFound, "run: make deps")
	require.NoError(t, err, "%s %v: %s", name, args, out)
}

// device makes the namespace's only way out: a device whose packets we carry.
// It is not called tun: Chromium says it is offline when there is nothing else.
func (n namespace) device(t *testing.T, address string) *os.File {
	t.Helper()
	var f *os.File
	n.in(t, func() {
		fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		require.NoError(t, err)
		request := struct {
			name  [16]byte
			flags uint16
			_     [22]byte
		}{flags: syscall.IFF_TUN | syscall.IFF_NO_PI}
		copy(request.name[:], "eth0")
		_, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TUNSETIFF, uintptr(unsafe.Pointer(&request)))
		f = os.NewFile(uintptr(fd), "tun")
		t.Cleanup(func() { f.Close() })
		require.Zero(t, e)
		run(t, "", "ip", "link", "set", "eth0", "up")
		run(t, "", "ip", "address", "add", address, "dev", "eth0")
		run(t, "", "ip", "route", "add", "default", "dev", "eth0")
	})
	return f
}

// Addresses on a line. All names below .test and .localhost are the server's.
const (
	browserAddress = "10.9.0.1"
	serverAddress  = "10.9.0.2"
	movedAddress   = "10.9.0.3" // the browser's, after link.moves
)

// lineOptions are what a line does to packets. All counts for each way by itself.
// The zero value is a good line.
type lineOptions struct {
	Delay     time.Duration // of every packet
	Back      time.Duration // on top, of those to the browser
	Jitter    time.Duration // at most so much on top, by chance; packets keep their order
	DropEvery int           // the nth packet is lost, and the 2nth, and so on
	Kbit      int           // per second; who sends more waits up to a second, then loses
	BlackHole int           // packets of more bytes than this vanish, and nobody is told
}

// link is a network with a browser at one end and servers at the other.
type link struct {
	browser, server namespace
	options         atomic.Pointer[lineOptions]
	lost            atomic.Int64 // packets
}

// line joins two networks by real packets, which it delays and loses as a bad
// line does. It is gone when the test ends.
func line(t *testing.T, o lineOptions) *link {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser: left out by -short")
	}
	l := &link{browser: newNamespace(t), server: newNamespace(t)}
	l.becomes(o)
	here, there := l.browser.device(t, browserAddress), l.server.device(t, serverAddress)
	go l.carry(here, there, false)
	go l.carry(there, here, true)
	return l
}

// becomes makes another line of it, for the packets from now on.
func (l *link) becomes(o lineOptions) { l.options.Store(&o) }

// carry takes packets from one device to another until either is closed; back is
// the way to the browser.
func (l *link) carry(from, to *os.File, back bool) {
	type packet struct {
		due  time.Time
		data []byte
	}
	// More than anybody has under way, so that only Kbit makes a sender wait.
	under := make(chan packet, 1<<14)
	defer close(under)
	go func() {
		for p := range under {
			time.Sleep(time.Until(p.due))
			_, _ = to.Write(p.data) // a device that went down loses it
		}
	}()
	var sent, last time.Time
	seed := uint64(1)
	if back {
		seed = 2 // or packet and answer would be late by the same
	}
	chance := rand.New(rand.NewPCG(seed, 2))
	buf := make([]byte, 1<<16)
	for n := 0; ; {
		size, err := from.Read(buf)
		if err != nil {
			return
		}
		if buf[0]>>4 != 4 {
			continue // what IPv6 says of itself, which nobody here uses
		}
		o, now := l.options.Load(), time.Now()
		n++
		if o.DropEvery > 0 && n%o.DropEvery == 0 || o.BlackHole > 0 && size > o.BlackHole || sent.Sub(now) > time.Second {
			l.lost.Add(1)
			continue
		}
		if sent.Before(now) {
			sent = now
		}
		if o.Kbit > 0 {
			sent = sent.Add(time.Duration(size) * 8 * time.Millisecond / time.Duration(o.Kbit))
		}
		due := sent.Add(o.Delay)
		if back {
			due = due.Add(o.Back)
		}
		if o.Jitter > 0 {
			due = due.Add(time.Duration(chance.Int64N(int64(o.Jitter))))
		}
		if due.Before(last) {
			due = last
		}
		last = due
		under <- packet{due, append([]byte(nil), buf[:size]...)}
	}
}

// listen is a port of the server's end. What is closed there is refused here.
func (l *link) listen(t *testing.T) net.Listener {
	t.Helper()
	var at net.Listener
	l.server.in(t, func() {
		var err error
		at, err = net.Listen("tcp", serverAddress+":0")
		require.NoError(t, err)
	})
	t.Cleanup(func() { at.Close() })
	return at
}

// serve starts a server at the server's end.
func (l *link) serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := &httptest.Server{Listener: l.listen(t), Config: &http.Server{Handler: h}}
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// site starts Latchkey at the server's end, by a name that is secure without TLS.
func (l *link) site(t *testing.T, faults ...middleware) *site {
	t.Helper()
	return startSiteAs(t, func(s *site) {
		s.Listener.Close()
		s.Listener, s.name = l.listen(t), "login.localhost"
	}, faults...)
}

// open starts Chromium at the browser's end.
func (l *link) open(t *testing.T, o drive.Options) *drive.Tab {
	t.Helper()
	o.Flags = append([]string{"--host-resolver-rules=MAP *.test " + serverAddress + ", MAP *.localhost " + serverAddress}, o.Flags...)
	var tab *drive.Tab
	l.browser.in(t, func() { tab = drive.OpenChromium(t, o) })
	return tab
}

// What befalls packets on their way to a port, in nft's words.
const (
	silently = "drop"                                               // no answer at all, to old connections as to new ones
	refused  = "tcp flags & (syn|ack) == syn reject with tcp reset" // no new connection; old ones live on
	reset    = "tcp flags & (syn|psh) == psh reject with tcp reset" // connections open, and are reset when something is sent
)

// meets lets packets to a server meet their fate from now on. The other servers of
// the line go on as before.
func (l *link) meets(t *testing.T, at net.Addr, fate string) {
	t.Helper()
	l.rules(t, "add chain inet fault input { type filter hook input priority 0; }",
		fmt.Sprintf("add rule inet fault input tcp dport %d %s", at.(*net.TCPAddr).Port, fate))
}

// captive is a network that wants somebody to sign in to it first: from now on
// every connection from the browser's end leads to the portal, whatever server it
// was for, and connections of before are reset when they are used.
func (l *link) captive(t *testing.T, portal http.Handler) {
	t.Helper()
	port := l.serve(t, portal).Listener.Addr().(*net.TCPAddr).Port
	l.rules(t, "add chain inet fault nat { type nat hook prerouting priority -100; }",
		fmt.Sprintf("add rule inet fault nat meta l4proto tcp redirect to :%d", port),
		"add chain inet fault input { type filter hook input priority 0; }",
		fmt.Sprintf("add rule inet fault input iifname eth0 tcp dport != %d reject with tcp reset", port))
}

// heals takes away what meets and captive brought. Connections that the portal
// took stay with it until they end.
func (l *link) heals(t *testing.T) {
	t.Helper()
	l.rules(t, "delete table inet fault")
}

func (l *link) rules(t *testing.T, lines ...string) {
	t.Helper()
	l.server.in(t, func() {
		run(t, strings.Join(append([]string{"add table inet fault"}, lines...), "\n"), "nft", "-f", "-")
	})
}

// moves gives the browser's end another address in place of the first, as going
// from Wi-Fi to mobile data does. What is under way on connections of before hangs;
// for what comes next Chromium opens new ones.
func (l *link) moves(t *testing.T) {
	t.Helper()
	l.browser.in(t, func() {
		run(t, "", "ip", "address", "add", movedAddress, "dev", "eth0")
		run(t, "", "ip", "address", "delete", browserAddress, "dev", "eth0")
	})
}

// portalPage is what a captive portal answers to everything.
func portalPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!doctype html><title>Airport Wi-Fi</title><p>Welcome to Airport Wi-Fi. Accept the terms to go online.")
}

// fetched is what a page sees of a request.
type fetched struct {
	Status     int
	Type, Text string
	Size       int
	MS         float64 // how long it took
	Error      string
}

// fetch requests an address in a page, and gives up after a time.
func fetch(t *testing.T, p drive.Page, url string, patience time.Duration) fetched {
	t.Helper()
	return read[fetched](t, p, fmt.Sprintf(`(function (start) {
		var stop = new AbortController(), seen = {}, timer = setTimeout(function () { stop.abort(); }, %d);
		return fetch(%q, { cache: "no-store", signal: stop.signal }).then(function (r) {
			seen.Status = r.status; seen.Type = r.headers.get("Content-Type") || "";
			return r.text();
		}).then(function (text) {
			seen.Size = text.length; seen.Text = text.slice(0, 4000);
		}).catch(function (e) { seen.Error = e.name; }).then(function () {
			clearTimeout(timer);
			seen.MS = performance.now() - start;
			return seen;
		});
	})(performance.now())`, patience.Milliseconds(), url))
}

// reported are the errors of the network that a page's console tells.
func reported(t *testing.T, p drive.Page) string {
	t.Helper()
	var all []string
	for _, m := range complaints(t, p) {
		all = append(all, m.Text)
	}
	return strings.Join(all, "\n")
}

// TestLine_packets is that a page sees what a line does to its packets.
func TestLine_packets(t *testing.T) {
	t.Parallel()
	l := line(t, lineOptions{})
	site := l.serve(t, talk())
	tab := l.open(t, drive.Options{})
	const ms = time.Millisecond
	for _, c := range []struct {
		name     string
		o        lineOptions
		bytes    int
		patience time.Duration
		least    time.Duration
		most     time.Duration
		lost     bool
	}{
		{name: "a good line", bytes: 100, least: 0, most: 100 * ms},
		{name: "delay", o: lineOptions{Delay: 100 * ms}, bytes: 100, least: 200 * ms, most: 400 * ms},
		{name: "delay on the way back", o: lineOptions{Back: 200 * ms}, bytes: 100, least: 200 * ms, most: 400 * ms},
		{name: "delay and jitter", o: lineOptions{Delay: 50 * ms, Jitter: 50 * ms}, bytes: 100, least: 100 * ms, most: 400 * ms},
		{name: "a narrow line", o: lineOptions{Kbit: 800}, bytes: 100_000, least: time.Second, most: 3 * time.Second},
		{name: "every 8th packet lost", o: lineOptions{DropEvery: 8}, bytes: 300_000, least: 0, most: 10 * time.Second},
		{name: "little through a black hole", o: lineOptions{BlackHole: 1000}, bytes: 100, least: 0, most: 500 * ms},
		{name: "much into a black hole", o: lineOptions{BlackHole: 1000}, bytes: 10_000, least: time.Second, most: 2 * time.Second, lost: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l.becomes(lineOptions{})
			visit(t, tab, site.URL+"/")
			assert.True(t, read[bool](t, tab, `navigator.onLine`))
			fetch(t, tab, "/bytes?n=1", time.Second) // the connection is open
			l.becomes(c.o)
			patience := 10 * time.Second
			if c.lost {
				patience = time.Second
			}
			got := fetch(t, tab, fmt.Sprintf("/bytes?n=%d", c.bytes), patience)
			assert.GreaterOrEqual(t, got.MS, float64(c.least.Milliseconds()))
			assert.Less(t, got.MS, float64(c.most.Milliseconds()))
			if c.lost {
				assert.Equal(t, "AbortError", got.Error)
				return
			}
			assert.Empty(t, got.Error)
			assert.Equal(t, c.bytes, got.Size)
		})
	}
}

// TestLine_lossy is the diagnostic page, which loads over a line that loses packets from the start.
func TestLine_lossy(t *testing.T) {
	t.Parallel()
	l := line(t, lineOptions{Delay: 20 * time.Millisecond, DropEvery: 5})
	site := l.site(t)
	look := open(t, l.open(t, drive.Options{}), site.page(""))
	requireWhole(t, look)
	assert.Equal(t, "wasm", look.Tier)
	assert.Positive(t, l.lost.Load())
}

// TestLine_server is that one server of a line falls silent, refuses or resets
// while its neighbour answers, and is back afterwards.
func TestLine_server(t *testing.T) {
	t.Parallel()
	l := line(t, lineOptions{})
	site, other := l.serve(t, talk()), l.serve(t, talk())
	tab := l.open(t, drive.Options{})
	for _, c := range []struct {
		name, fate, error, console string
		live                       bool // whether connections of before live on
	}{
		{"silent", silently, "AbortError", "", false},
		{"refused", refused, "TypeError", "net::ERR_CONNECTION_REFUSED", true},
		{"reset", reset, "TypeError", "net::ERR_CONNECTION_RESET", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			visit(t, tab, site.URL+"/")
			require.Equal(t, 200, fetch(t, tab, "/bytes?n=1", time.Second).Status)
			l.meets(t, site.Listener.Addr(), c.fate)
			got := fetch(t, tab, "/bytes?n=2", time.Second)
			if c.live {
				assert.Equal(t, 200, got.Status)
				site.CloseClientConnections()
				got = fetch(t, tab, "/bytes?n=2", time.Second)
			}
			assert.Equal(t, c.error, got.Error)
			assert.Contains(t, reported(t, tab), c.console)
			assert.Equal(t, 200, fetch(t, tab, other.URL+"/bytes?n=1", time.Second).Status)
			l.heals(t)
			assert.Equal(t, 200, fetch(t, tab, "/bytes?n=3", 5*time.Second).Status)
		})
	}
}
