package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"latchkey/internal/server"
	"latchkey/internal/server/demo"
	"latchkey/web"
)

// stopTime is how long requests that are under way may take to finish after
// the signal to stop. The longest that we have is a judgement of milliseconds;
// the rest is for slow lines.
const stopTime = 10 * time.Second

type serveFlags struct {
	addr, base, config, db, cert, key string
	demo                              bool
}

func serve(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	return serveFiles(ctx, web.Dist(), args, stdout, stderr)
}

// serveFiles is serve with other static files: tests run before any were built.
func serveFiles(ctx context.Context, assets fs.FS, args []string, stdout, stderr io.Writer) int {
	f, err := parseServeFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	cfg := server.DefaultConfig()
	if f.config != "" {
		if cfg, err = server.LoadConfig(f.config); err != nil {
			fmt.Fprintln(stderr, err)
			return 2
		}
	}
	certs, err := loadCertificate(f.cert, f.key)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	options := server.Options{
		Base:     strings.TrimSuffix(f.base, "/"),
		Config:   cfg,
		Assets:   assets,
		Log:      log,
		Stopping: ctx.Done(),
	}
	if f.demo {
		key := options.Config.Page.Key
		if f.config == "" {
			key = rand.Text()
			options.Config.Page = server.Page{Key: key, MaxAge: 20 * time.Minute}
			options.Config.Site.Name = demo.Name
			options.Config.Support = server.Support{Phone: demo.Phone, Hours: demo.Hours}
		}
		var stamp func() string
		var address func(*http.Request) string
		if key != "" {
			stamp = func() string { return demo.Stamp(key, time.Now()) }
			address = func(r *http.Request) string { return demo.Address(key, r) }
		}
		options.Demo = demo.New(options.Base, stamp, address)
	}
	listener, err := net.Listen("tcp", f.addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		fmt.Fprintf(stderr, "%s is already in use: stop the other program or choose another address with -addr\n", f.addr)
		return 1
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	defer listener.Close() // again, if it was served from
	// Not before the address is ours: a program that was started twice by mistake
	// touches no database.
	if options.Store, err = openStore(ctx, f.db, log); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	defer func() {
		if err := options.Store.Close(); err != nil {
			log.Error("the database was not closed as it should be", "error", err)
		}
	}()
	h, err := server.New(options)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	background, end := context.WithCancel(ctx)
	defer end()
	ended := make(chan struct{})
	go func() {
		h.Run(background)
		close(ended)
	}()

	scheme := "http"
	if certs != nil {
		scheme = "https"
	}
	// The listener queues whoever comes before the next line has run.
	fmt.Fprintf(stdout, "listening on %s://%s/\n", scheme, listener.Addr())
	err = serveUntil(ctx, newHTTPServer(h, certs, log), listener, log)
	end()
	<-ended
	if err != nil {
		log.Error("serving ended", "error", err)
		return 1
	}
	log.Info("stopped")
	return 0
}

func parseServeFlags(args []string, stderr io.Writer) (serveFlags, error) {
	var f serveFlags
	set := flag.NewFlagSet("latchkey serve", flag.ContinueOnError)
	set.StringVar(&f.addr, "addr", "127.0.0.1:8080", "`ADDRESS` to listen on")
	set.StringVar(&f.base, "base", "/latchkey", "`PATH` that everything lies under")
	set.StringVar(&f.config, "config", "", "read the configuration from `FILE` (YAML)")
	dbFlag(set, &f.db)
	set.BoolVar(&f.demo, "demo", false, "add the demo portal")
	set.StringVar(&f.cert, "tls-cert", "", "serve https with the certificate in `FILE` (PEM)")
	set.StringVar(&f.key, "tls-key", "", "and its key in `FILE` (PEM)")

	set.SetOutput(io.Discard) // one clear line is more help than all flags again
	if err := set.Parse(args); errors.Is(err, flag.ErrHelp) {
		set.SetOutput(stderr)
		fmt.Fprintln(stderr, "usage: latchkey serve [FLAGS]; each flag also as LATCHKEY_ADDR and so on")
		set.PrintDefaults()
		return f, err
	} else if err != nil {
		return f, fmt.Errorf("%w (hint: latchkey serve -h lists the flags)", err)
	}
	if set.NArg() > 0 {
		return f, fmt.Errorf("serve takes no arguments but flags: what is %q?", set.Arg(0))
	}
	if err := fromEnvironment(set); err != nil {
		return f, err
	}
	return f, nil
}

// fromEnvironment sets the flags that the command line left out: -tls-cert from
// LATCHKEY_TLS_CERT, and so on. Empty variables count as not there.
func fromEnvironment(set *flag.FlagSet) error {
	given := map[string]bool{}
	set.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var errs []error
	set.VisitAll(func(f *flag.Flag) {
		name := "LATCHKEY_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value := os.Getenv(name)
		if given[f.Name] || value == "" {
			return
		}
		if err := set.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s=%q: %w (hint: it stands for the flag -%s)", name, value, err, f.Name))
		}
	})
	return errors.Join(errs...)
}

// loadCertificate returns nil if https was not asked for.
func loadCertificate(cert, key string) ([]tls.Certificate, error) {
	if cert == "" && key == "" {
		return nil, nil
	}
	if cert == "" || key == "" {
		return nil, errors.New("https needs both: -tls-cert and -tls-key")
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("load the certificate: %w", err)
	}
	return []tls.Certificate{pair}, nil
}

func newHTTPServer(h http.Handler, certs []tls.Certificate, log *slog.Logger) *http.Server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		// The WebAssembly takes four minutes at 50 kbit/s.
		WriteTimeout: 5 * time.Minute,
		IdleTimeout:  2 * time.Minute,
		// Too many cookies are a fault that we are there to find: browsers keep
		// 180 of 4 KB each for a site.
		MaxHeaderBytes: 1 << 20,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	if certs != nil {
		s.TLSConfig = &tls.Config{Certificates: certs}
		server.WatchHellos(s, s.TLSConfig)
	}
	return s
}

// serveUntil serves until ctx is done, and then lets requests that are under
// way finish. That some took too long for it is no failure of ours.
func serveUntil(ctx context.Context, s *http.Server, l net.Listener, log *slog.Logger) error {
	ended := make(chan error, 1)
	go func() {
		if s.TLSConfig != nil {
			ended <- s.ServeTLS(l, "", "")
		} else {
			ended <- s.Serve(l)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := s.Shutdown(grace); err != nil {
		log.Warn("requests under way were cut off", "after", stopTime)
		return s.Close()
	}
	return nil
}
