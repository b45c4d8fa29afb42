package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lianbao": main})
}

// TestScripts types commands and compares what is printed, and how it ends.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: func(env *testscript.Env) error { env.Setenv("TERM", "dumb"); return nil },
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits runs lianbao and compares its exit code: exits 3 import statement x.csv.
func exits(ts *testscript.TestScript, negated bool, arguments []string) {
	if negated || len(arguments) < 1 {
		ts.Fatalf("usage: exits CODE ARGUMENT...")
	}
	want, err := strconv.Atoi(arguments[0])
	ts.Check(err)
	err = ts.Exec("lianbao", arguments[1:]...)
	code := 0
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		code = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// TestInvokedAs: what to type next is what was typed before.
func TestInvokedAs(t *testing.T) {
	for program, want := range map[string]string{
		"/tmp/go-build123/b001/exe/lianbao": "go run ./cmd/lianbao",
		"/usr/local/bin/lianbao":            "lianbao",
	} {
		if got := invokedAs(program); got != want {
			t.Errorf("%s: %s, want %s", program, got, want)
		}
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]string{
		here + "/.lianbao": "lianbao status", here + "/other": "lianbao status --dir other", "/elsewhere": "lianbao status --dir /elsewhere",
	} {
		app := application{folder: folder, invoked: "lianbao"}
		if got := app.again("status"); got != want {
			t.Errorf("%s: %s, want %s", folder, got, want)
		}
	}
}
