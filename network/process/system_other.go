//go:build !linux && !windows

package process

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

const endsWithParent = false

// attributes puts a node outside the terminal's reach. These systems cannot
// end a process with its parent: after a kill -9 of this program the nodes go
// on, and the next up finds them by their records.
func attributes(attached bool) *syscall.SysProcAttr {
	if attached {
		return &syscall.SysProcAttr{Setpgid: true}
	}
	return &syscall.SysProcAttr{Setsid: true}
}

func startOn(_ bool, cmd *exec.Cmd) error { return cmd.Start() }

// born is when a process started, to the second; empty for one that is gone
// or waits as a zombie.
func born(pid int) string {
	line, err := exec.Command("ps", "-o", "state=,lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	state, started, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
	if state == "" || strings.HasPrefix(state, "Z") {
		return ""
	}
	return strings.TrimSpace(started)
}

// findMarked cannot look into other processes here.
func findMarked(string) int { return 0 }
