package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test program is its own child: these variables tell it which part to play.
const (
	part       = "LIANBAO_TEST_PART"
	partFolder = "LIANBAO_TEST_FOLDER"
)

func TestMain(m *testing.M) {
	switch os.Getenv(part) {
	case "":
		os.Exit(m.Run())
	case "node":
		fmt.Println("here I am")
		time.Sleep(time.Minute)
	case "stubborn":
		ignoreTermination()
		fmt.Println("here I am")
		time.Sleep(time.Minute)
	case "failing":
		fmt.Println("this machine has no such thing")
		os.Exit(3)
	case "parent", "leaving parent":
		beParent(os.Getenv(partFolder), os.Getenv(part) == "parent")
	}
}

// beParent starts a node, prints its process id and waits to be killed.
func beParent(folder string, attached bool) {
	table, err := Open(folder)
	if err != nil {
		panic(err)
	}
	r, err := table.Ensure(context.Background(), node("node"), attached)
	if err != nil {
		panic(err)
	}
	fmt.Println(r.PID)
	time.Sleep(time.Minute)
}

func node(plays string) Command {
	return Command{Name: "peer.charity", Path: os.Args[0], Environment: []string{part + "=" + plays}, Folder: os.TempDir()}
}

func open(t *testing.T) *Table {
	t.Helper()
	table, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Stop(context.Background(), table.Recorded()...) })
	return table
}

func ensure(t *testing.T, table *Table, c Command) Record {
	t.Helper()
	r, err := table.Ensure(t.Context(), c, true)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// eventually waits for what another process does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within ten seconds", what)
		}
	}
}

func TestEnsure(t *testing.T) {
	table := open(t)
	first := ensure(t, table, node("node"))
	if again := ensure(t, table, node("node")); again.PID != first.PID {
		t.Errorf("the same command was started twice: %d, %d", first.PID, again.PID)
	}
	eventually(t, "the log", func() bool { return table.Tail("peer.charity", 1) == "here I am" })
	other := node("node")
	other.Args = []string{"-other"}
	second := ensure(t, table, other)
	if second.PID == first.PID || first.Alive() || !second.Alive() {
		t.Errorf("another command: %d alive %v, %d alive %v", first.PID, first.Alive(), second.PID, second.Alive())
	}
}

// Another program, or this one after a crash, finds the same processes.
func TestTableIsFoundAgain(t *testing.T) {
	folder := t.TempDir()
	table, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	first := ensure(t, table, node("node"))
	again, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	if r, running := again.Find("peer.charity"); !running || r.PID != first.PID {
		t.Errorf("found %v, %v", r, running)
	}
	if err := again.Stop(t.Context(), "peer.charity"); err != nil || first.Alive() {
		t.Errorf("stopped from elsewhere: alive %v, %v", first.Alive(), err)
	}
	if _, running := table.Find("peer.charity"); running {
		t.Error("it is still found")
	}
}

func TestStop(t *testing.T) {
	for _, plays := range []string{"node", "stubborn"} {
		t.Run(plays, func(t *testing.T) {
			table := open(t)
			r := ensure(t, table, node(plays))
			eventually(t, "the log", func() bool { return table.Tail("peer.charity", 1) == "here I am" })
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if err := table.Stop(ctx, "peer.charity", "peer.unknown"); err != nil || r.Alive() {
				t.Errorf("alive %v, %v", r.Alive(), err)
			}
		})
	}
}

// A record whose process id now belongs to somebody else names no process of ours.
func TestStaleRecord(t *testing.T) {
	table := open(t)
	stranger := exec.Command(os.Args[0])
	stranger.Env = []string{part + "=node"}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	for name, born := range map[string]string{"another start": "somewhen", "no start": ""} {
		if err := table.write(Record{Name: "peer.charity", PID: stranger.Process.Pid, Born: born}); err != nil {
			t.Fatal(err)
		}
		if _, running := table.Find("peer.charity"); running {
			t.Errorf("%s: a stranger is taken for the node", name)
		}
		if err := table.Stop(t.Context(), "peer.charity"); err != nil {
			t.Fatal(err)
		}
		if err := stranger.Process.Signal(syscall.Signal(0)); err != nil {
			t.Fatalf("%s: the stranger was ended", name)
		}
	}
}

func TestFaultShowsTheLog(t *testing.T) {
	table := open(t)
	ensure(t, table, node("failing"))
	eventually(t, "the end", func() bool { return table.Fault("peer.charity") != nil })
	fault := table.Fault("peer.charity").Error()
	for _, part := range []string{"peer.charity ended (exit status 3)", "peer.charity.log", "this machine has no such thing"} {
		if !strings.Contains(fault, part) {
			t.Errorf("%q does not say %q", fault, part)
		}
	}
}

func TestSettingsOfTheShellDoNotReachANode(t *testing.T) {
	t.Setenv("CORE_PEER_ID", "from the shell")
	for _, entry := range inherited() {
		if strings.HasPrefix(entry, "CORE_") {
			t.Errorf("%s is inherited", entry)
		}
	}
}

func startParent(t *testing.T, plays, folder string) (parent *exec.Cmd, pid int) {
	t.Helper()
	parent = exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), part+"="+plays, partFolder+"="+folder)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		t.Fatal(err)
	}
	return parent, pid
}

// kill -9 of the parent ends an attached node, and leaves any other, which the
// next program finds, even without its record.
func TestParentKilled(t *testing.T) {
	if !endsWithParent {
		t.Skip("this system cannot end a process with its parent")
	}
	for _, c := range []struct {
		plays  string
		answer string
	}{
		{"parent", "ended"},
		{"leaving parent", "found"},
	} {
		t.Run(c.plays, func(t *testing.T) {
			folder := t.TempDir()
			parent, pid := startParent(t, c.plays, folder)
			started := born(pid)
			if err := parent.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = parent.Wait()
			table, err := Open(folder)
			if err != nil {
				t.Fatal(err)
			}
			if c.answer == "ended" {
				eventually(t, "the end of the node", func() bool { return born(pid) != started })
				return
			}
			if err := os.Remove(table.recordPath("peer.charity")); err != nil {
				t.Fatal(err)
			}
			if r, running := table.adopt("peer.charity"); !running || r.PID != pid {
				t.Errorf("adopted %v, %v; it is %d", r, running, pid)
			}
			if err := table.Stop(t.Context(), "peer.charity"); err != nil || born(pid) == started {
				t.Errorf("it goes on (%v)", err)
			}
		})
	}
}

func TestSupervise(t *testing.T) {
	table := open(t)
	first := ensure(t, table, node("node"))
	ended := make(chan error, 1)
	faults := make(chan string, 10)
	go func() {
		ended <- table.Supervise(t.Context(), []Command{node("node")}, true, func(name string, fault error) {
			faults <- fmt.Sprint(name, ": ", fault)
		})
	}()
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if fault := <-faults; !strings.Contains(fault, "killed") {
		t.Errorf("it reports %q", fault)
	}
	eventually(t, "a new process", func() bool {
		r, running := table.Find("peer.charity")
		return running && r.PID != first.PID
	})
	if err := table.MarkStopped(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ErrStopped) {
		t.Errorf("it ends with %v", err)
	}
}

// What ends at once is not started in a circle.
func TestWatchPauses(t *testing.T) {
	var w watch
	now := time.Unix(0, 0)
	var answer []string
	for range 200 {
		now = now.Add(time.Second)
		if w.due(true, now) {
			answer = append(answer, w.pause.String())
		}
	}
	want := "500ms 1s 2s 4s 8s 16s 30s 30s 30s 30s 30s 30s"
	if got := strings.Join(answer, " "); got != want {
		t.Errorf("the pauses are %s, not %s", got, want)
	}
	if w.due(false, now.Add(2*soundAfter)); w.pause != 0 {
		t.Errorf("after a sound minute the pause is %v", w.pause)
	}
}

func TestTail(t *testing.T) {
	table := open(t)
	lines := strings.Repeat("x\n", 100_000) + "one\ntwo\nthree\n"
	if err := os.WriteFile(table.LogPath("peer.charity"), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lines  int
		answer string
	}{{1, "three"}, {2, "two\nthree"}, {3, "one\ntwo\nthree"}} {
		if got := table.Tail("peer.charity", c.lines); got != c.answer {
			t.Errorf("%d lines: %q", c.lines, got)
		}
	}
	if got := table.Tail("peer.unknown", 3); got != "" {
		t.Errorf("no log: %q", got)
	}
}

func TestLogIsPutAside(t *testing.T) {
	table := open(t)
	path := table.LogPath("peer.charity")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, logBytesMax+1); err != nil {
		t.Fatal(err)
	}
	ensure(t, table, node("node"))
	info, err := os.Stat(path)
	if err != nil || info.Size() > 1000 {
		t.Errorf("the log was not begun anew: %v", err)
	}
	if _, err := os.Stat(path + ".old"); err != nil {
		t.Error(err)
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(names) != 2 {
		t.Errorf("there are %v", names)
	}
}

// ignoreTermination plays a node that hangs.
func ignoreTermination() { signal.Ignore(syscall.SIGTERM) }
