// Package process runs the nodes of a network as processes of this machine. A
// table on disk says which process is which node, so that another program, or
// the same one after a crash, finds them again and ends no process but its own.
package process

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Command is what a node runs.
type Command struct {
	// Name of the node; unique in its table.
	Name string
	// Path of the program, absolute.
	Path string
	Args []string
	// Environment of the process, beside PATH, HOME and TMPDIR. Nothing else is
	// inherited: the settings of a shell must not reach a node by accident.
	Environment []string
	// Folder in which it runs.
	Folder string
}

// fingerprint changes when a node must be started anew to run the command.
func (c Command) fingerprint() string {
	sum := sha256.New()
	encoder := json.NewEncoder(sum)
	_ = encoder.Encode(c) // strings only: cannot fail
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// Record says which process is a node.
type Record struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// Born tells this process from a later one with the same id.
	Born        string    `json:"born"`
	Started     time.Time `json:"started"`
	Fingerprint string    `json:"fingerprint"`
}

// Alive says whether the process still runs and is the one that was started.
func (r Record) Alive() bool {
	return r.PID > 0 && r.Born != "" && born(r.PID) == r.Born
}

// Table is the processes of one network folder.
type Table struct {
	folder, run, logs string

	mu       sync.Mutex
	children map[string]*child
}

// child is a process that this program started and must wait for.
type child struct {
	done chan struct{}
	err  error
}

// markerName is the environment variable by which a process whose record was
// never written, because its parent was killed just then, is still found.
const markerName = "LIANBAO_NODE"

// Open opens the table of a network folder, which it creates where it is missing.
func Open(folder string) (*Table, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	t := &Table{
		run:      filepath.Join(absolute, "run"),
		logs:     filepath.Join(absolute, "logs"),
		folder:   absolute,
		children: map[string]*child{},
	}
	return t, t.Prepare()
}

// Prepare creates the folders of the table where they are missing.
func (t *Table) Prepare() error {
	for _, path := range []string{t.run, t.logs} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) marker(name string) string {
	return markerName + "=" + name + "@" + t.folder
}

// Find looks a node's process up.
func (t *Table) Find(name string) (Record, bool) {
	data, err := os.ReadFile(t.recordPath(name))
	if err != nil {
		return Record{}, false
	}
	var r Record
	if json.Unmarshal(data, &r) != nil || !r.Alive() {
		return Record{}, false
	}
	return r, true
}

// Runs says whether a node has a process, recorded or not.
func (t *Table) Runs(name string) bool {
	_, running := t.Find(name)
	if !running {
		_, running = t.adopt(name)
	}
	return running
}

// Ensure makes a node run the command: it starts what does not run, leaves
// alone what runs it already, and replaces what runs something else. An
// attached process ends with this program, however this program ends (where
// the system can do that: Linux); any other goes on by itself.
func (t *Table) Ensure(ctx context.Context, c Command, attached bool) (Record, error) {
	r, running := t.Find(c.Name)
	if !running {
		r, running = t.adopt(c.Name)
	}
	if running && r.Fingerprint == c.fingerprint() {
		return r, nil
	}
	if running {
		if err := t.Stop(ctx, c.Name); err != nil {
			return Record{}, err
		}
	}
	return t.start(c, attached)
}

// adopt finds a process of this table that has no record. Its command is not
// known, so that Ensure replaces it.
func (t *Table) adopt(name string) (Record, bool) {
	pid := findMarked(t.marker(name))
	if pid == 0 {
		return Record{}, false
	}
	r := Record{Name: name, PID: pid, Born: born(pid)}
	return r, t.write(r) == nil && r.Alive()
}

func (t *Table) start(c Command, attached bool) (Record, error) {
	log, err := t.openLog(c.Name)
	if err != nil {
		return Record{}, err
	}
	defer log.Close()
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Dir = c.Folder
	cmd.Env = append(inherited(), c.Environment...)
	cmd.Env = append(cmd.Env, t.marker(c.Name))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes(attached)
	if err := startOn(attached, cmd); err != nil {
		return Record{}, fmt.Errorf("%s does not start: %w", c.Name, err)
	}
	r := Record{
		Name: c.Name, PID: cmd.Process.Pid, Born: born(cmd.Process.Pid),
		Started: time.Now().UTC(), Fingerprint: c.fingerprint(),
	}
	t.await(c.Name, cmd)
	return r, t.write(r)
}

// await reaps the child, so that its end is seen and no zombie stays.
func (t *Table) await(name string, cmd *exec.Cmd) {
	ended := &child{done: make(chan struct{})}
	t.mu.Lock()
	t.children[name] = ended
	t.mu.Unlock()
	go func() {
		ended.err = cmd.Wait()
		close(ended.done)
	}()
}

// Fault says how a node ended that should be running, with the end of its
// log; nil while it runs.
func (t *Table) Fault(name string) error {
	if _, running := t.Find(name); running {
		return nil
	}
	how := "is not running"
	t.mu.Lock()
	ended := t.children[name]
	t.mu.Unlock()
	if ended != nil {
		how = ended.how()
	}
	return fmt.Errorf("%s %s; the end of %s:\n%s", name, how, t.LogPath(name), t.Tail(name, 12))
}

// how waits a moment for the end that was just seen, because the kernel shows
// it before the wait returns.
func (c *child) how() string {
	select {
	case <-c.done:
	case <-time.After(time.Second):
		return "is not running"
	}
	if c.err != nil {
		return fmt.Sprintf("ended (%v)", c.err)
	}
	return "ended by itself"
}

// inherited is what every process needs to know of its surroundings.
func inherited() []string {
	var kept []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, set := os.LookupEnv(name); set {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}

func (t *Table) recordPath(name string) string { return filepath.Join(t.run, name+".json") }

// write keeps a record whole: a crash leaves the old one or the new one.
func (t *Table) write(r Record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	draft := t.recordPath(r.Name) + ".new"
	if err := os.WriteFile(draft, data, 0o600); err != nil {
		return err
	}
	return os.Rename(draft, t.recordPath(r.Name))
}

const (
	// graceOnStop is how long a process may take to end when asked.
	graceOnStop = 5 * time.Second
	pollOnStop  = 10 * time.Millisecond
)

// Stop ends the named nodes together: it asks first and kills what has not
// ended after five seconds. Nodes that do not run are passed over.
func (t *Table) Stop(ctx context.Context, names ...string) error {
	var wait sync.WaitGroup
	errs := make([]error, len(names))
	for i, name := range names {
		wait.Go(func() { errs[i] = t.stop(ctx, name) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

func (t *Table) stop(ctx context.Context, name string) error {
	r, running := t.Find(name)
	if !running {
		r, running = t.adopt(name)
	}
	if running {
		if err := end(ctx, r); err != nil {
			return err
		}
	}
	err := os.Remove(t.recordPath(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func end(ctx context.Context, r Record) error {
	deadline := time.Now().Add(graceOnStop)
	// The process may end between the look and the signal; Alive decides.
	_ = syscall.Kill(r.PID, syscall.SIGTERM)
	killed := false
	for r.Alive() {
		if !killed && (time.Now().After(deadline) || ctx.Err() != nil) {
			_ = syscall.Kill(r.PID, syscall.SIGKILL)
			killed = true
			deadline = time.Now().Add(graceOnStop)
		}
		if killed && time.Now().After(deadline) {
			return fmt.Errorf("%s (process %d) does not end", r.Name, r.PID)
		}
		time.Sleep(pollOnStop)
	}
	return nil
}

// Recorded names every node that has a record, running or not.
func (t *Table) Recorded() []string {
	entries, err := os.ReadDir(t.run)
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if name, found := strings.CutSuffix(entry.Name(), ".json"); found {
			names = append(names, name)
		}
	}
	return names
}

// IsRunning says whether some process has the id, whoever it is.
func IsRunning(pid int) bool { return born(pid) != "" }
