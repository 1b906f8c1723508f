// Command ferretdb serves MongoDB's protocol from a directory of SQLite files: the server that the
// MongoDB adapter is tested against where there is no MongoDB.
//
// FerretDB 1 reads a document and writes it back in two steps, so that two updates at once may both
// find what only one of them should. MongoDB changes a document atomically. The gate in front of
// FerretDB here lets one write through at a time, and so makes that promise true.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/FerretDB/FerretDB/build/version"
	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "address to listen on")
	dir := flag.String("dir", ".", "directory to keep the data in")
	flag.Parse()
	if err := run(*listen, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
}

// nameVersion lets buildInfo say which FerretDB this is: embedded, it does not know.
func nameVersion() {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return
	}
	for _, module := range info.Deps {
		if module.Path == "github.com/FerretDB/FerretDB" {
			version.Get().Version = module.Version
		}
	}
}

func run(listen, dir string) error {
	nameVersion()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	// Relative to the directory: a socket's path may have a hundred bytes at most.
	if err := os.Chdir(dir); err != nil {
		return err
	}
	const socket = "ferretdb.sock"
	// One that was killed leaves its socket behind.
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return err
	}
	data, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Listener: ferretdb.ListenerConfig{Unix: socket},
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Handler:  "sqlite",
		// What was acknowledged survives the process, which is what tests end; only a power cut
		// could undo it, and waiting for the disk takes most of a write.
		SQLiteURL: "file:" + data + "/?_pragma=synchronous(off)",
	})
	if err != nil {
		return err
	}
	gate := &gate{backend: socket}
	go gate.serve(ctx, listener)
	return server.Run(ctx)
}
