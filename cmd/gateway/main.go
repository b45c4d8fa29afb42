// Command gateway serves the API of one organisation: it takes commands, keeps
// them, carries them to the ledger, and reads the ledger back.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, output io.Writer) error {
	flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
	flags.SetOutput(output)
	path := flags.String("config", "", "file that says whose gateway it is and where its peer is")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *path == "" || flags.NArg() > 0 {
		return errors.New("start it with --config FILE and nothing else")
	}
	c, err := readConfig(*path)
	if err != nil {
		return err
	}
	var level slog.Level
	if c.Log != "" {
		if err := level.UnmarshalText([]byte(c.Log)); err != nil {
			return fmt.Errorf("%s: log: %w", *path, err)
		}
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(output, &slog.HandlerOptions{Level: level})).With("organisation", c.Organisation))
	g, err := open(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(g.serve(ctx), g.close())
}
