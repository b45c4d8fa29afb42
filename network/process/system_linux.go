package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// endsWithParent says whether an attached process is sure to end.
const endsWithParent = true

// attributes puts a node outside the terminal's reach, so that Ctrl-C comes to
// this program alone, which then stops the nodes in order. The kernel kills an
// attached node when the thread that started it ends.
func attributes(attached bool) *syscall.SysProcAttr {
	if attached {
		return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	}
	return &syscall.SysProcAttr{Setsid: true}
}

// starter is the one thread that starts attached processes. It never ends
// before the program does: the kernel ties Pdeathsig to the thread that forked,
// and the Go runtime ends idle threads when it likes.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for do := range work {
			do()
		}
	}()
	return work
})

func startOn(attached bool, cmd *exec.Cmd) error {
	if !attached {
		return cmd.Start()
	}
	started := make(chan error)
	starter() <- func() { started <- cmd.Start() }
	return <-started
}

// bootID changes with each start of the machine, after which process ids and
// start times begin anew.
var bootID = sync.OnceValue(func() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
})

// born is the boot and the clock tick at which a process started; empty for
// one that is gone or waits as a zombie.
func born(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is the program's name in brackets and may hold anything.
	_, rest, found := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	fields := strings.Fields(string(rest))
	const state, startTime = 0, 19 // fields 3 and 22 of proc(5)
	if !found || len(fields) <= startTime || fields[state] == "Z" || fields[state] == "X" {
		return ""
	}
	return bootID() + "/" + fields[startTime]
}

// findMarked finds a running process that has the variable in its environment.
func findMarked(variable string) int {
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return 0
	}
	for _, path := range environments {
		environment, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for entry := range bytes.SplitSeq(environment, []byte{0}) {
			if string(entry) == variable {
				pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
				if err == nil && pid != os.Getpid() {
					return pid
				}
			}
		}
	}
	return 0
}
