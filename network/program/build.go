package program

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// goCommand runs the go command in a module.
type goCommand struct {
	folder      string
	environment []string
	report      func(string)
}

// build compiles packages into out and tells how far it has come.
func (g goCommand) build(ctx context.Context, out string, packages ...string) error {
	// Without -trimpath, so that what `go run ./cmd/lianbao` has just compiled is not compiled again.
	args := append([]string{"build", "-v", "-mod=readonly", "-ldflags=-s -w", "-o", out}, packages...)
	cmd := g.command(ctx, args...)
	lines, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return g.missing(err)
	}
	complaints := g.follow(lines)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go build in %s: %w\n%s", g.folder, err, complaints)
	}
	return nil
}

// reportEvery keeps the progress readable.
const reportEvery = 250 * time.Millisecond

// follow reads what go build -v prints: a line for each module that it fetches
// and each package that it compiles. Everything else is a complaint.
func (g goCommand) follow(lines io.Reader) string {
	var complaints bytes.Buffer
	var last time.Time
	fetched, compiled := 0, 0
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := scanner.Text()
		switch {
		case strings.HasPrefix(line, "go: downloading "):
			fetched++
		case !strings.ContainsAny(line, " :\t#") && line != "":
			compiled++
		default:
			complaints.WriteString(line + "\n")
		}
		if time.Since(last) > reportEvery {
			last = time.Now()
			g.report(fmt.Sprintf("%d modules fetched, %d packages compiled", fetched, compiled))
		}
	}
	return complaints.String()
}

// output is what a go command prints.
func (g goCommand) output(ctx context.Context, args ...string) (string, error) {
	var complaints bytes.Buffer
	cmd := g.command(ctx, args...)
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), g.missing(err), complaints.String())
	}
	return string(out), nil
}

func (g goCommand) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = g.folder
	// A workspace or a vendor flag of the user must not reach the pinned module.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	cmd.Env = append(cmd.Env, g.environment...)
	return cmd
}

func (g goCommand) missing(err error) error {
	if _, lookErr := exec.LookPath("go"); lookErr != nil {
		return fmt.Errorf("the go command is needed to build and was not found; install Go 1.26 from https://go.dev/dl: %w", err)
	}
	return err
}
