package document

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// crashed is thrown where the process is said to die: nothing after it runs.
type crashed struct{}

// fragile is a store that fails at one step, as an error or as the end of the process.
type fragile struct {
	blobs
	fail func(step string) error
}

type fragileCreation struct {
	creation
	fail   func(step string) error
	writes int
}

func (f *fragile) create(ctx context.Context, name string) (creation, error) {
	if err := f.fail("create"); err != nil {
		return nil, err
	}
	c, err := f.blobs.create(ctx, name)
	return &fragileCreation{creation: c, fail: f.fail}, err
}

func (f *fragileCreation) Write(p []byte) (int, error) {
	f.writes++
	if err := f.fail(fmt.Sprintf("write blob %d", f.writes)); err != nil {
		return 0, err
	}
	return f.creation.Write(p)
}

func (f *fragileCreation) commit() error {
	if err := f.fail("commit"); err != nil {
		f.abort()
		return err
	}
	if err := f.creation.commit(); err != nil {
		return err
	}
	return f.fail("committed")
}

func (f *fragile) remove(ctx context.Context, name string) error {
	if err := f.fail("remove"); err != nil {
		return err
	}
	return f.blobs.remove(ctx, name)
}

// during runs an act and fails at one step of it; it returns the steps that were passed.
func (w *world) during(at string, crash bool, act func() error) (steps []string, err error) {
	fail := func(step string) error {
		steps = append(steps, step)
		if step != at {
			return nil
		}
		if crash {
			panic(crashed{})
		}
		return errBroken
	}
	sound := w.blobs
	w.blobs, w.keys.step = &fragile{sound, fail}, fail
	defer func() {
		if thrown := recover(); thrown != nil {
			if _, is := thrown.(crashed); !is {
				panic(thrown)
			}
			err = errBroken
		}
		w.blobs = sound
		w.reopen() // as after a restart
	}()
	return steps, act()
}

// TestPutInterrupted fails at each step of a put, by an error and by a crash:
// either nothing is there, or the document is; and sweeping clears the rest.
func TestPutInterrupted(t *testing.T) {
	content := long(200_000)
	act := func(w *world) func() error {
		return func() error {
			_, err := w.Put(w.t.Context(), "invoice", "text/plain", bytes.NewReader(content))
			return err
		}
	}
	w := newWorld(t)
	steps, err := w.during("", false, act(w))
	if err != nil || len(steps) < 10 {
		t.Fatal(steps, err)
	}
	for _, step := range steps {
		for _, crash := range []bool{false, true} {
			w := newWorld(t)
			_, err := w.during(step, crash, act(w))
			if !errors.Is(err, errBroken) {
				t.Errorf("%s: %v", step, err)
			}
			n := w.listed()
			if want := crash && step == "placed"; n != 0 != want {
				t.Errorf("%s, crash %v: %d documents are listed", step, crash, n)
			}
			blobs := len(files(t, w.storeFolder()))
			if !crash && blobs != 0 {
				t.Errorf("%s: an error leaves %d blobs", step, blobs)
			}
			w.now = func() time.Time { return time.Now().Add(48 * time.Hour) }
			if _, err := w.Sweep(t.Context(), 24*time.Hour); err != nil {
				t.Error(err)
			}
			if w.listed() != n || len(files(t, w.storeFolder())) != n || len(files(t, w.config.Keys)) != n+1 {
				t.Errorf("%s, crash %v: after sweeping there are %d blobs, keys %v", step, crash, len(files(t, w.storeFolder())), files(t, w.config.Keys))
			}
		}
	}
}

// TestShredInterrupted: after any interruption the document is whole, or nobody can read it.
func TestShredInterrupted(t *testing.T) {
	for _, step := range []string{"write", "place", "placed", "remove"} {
		for _, crash := range []bool{false, true} {
			w := newWorld(t)
			c := w.put("text/plain", []byte("secret"))
			if _, err := w.during(step, crash, func() error { return w.Shred(t.Context(), c.ID) }); !errors.Is(err, errBroken) {
				t.Errorf("%s: %v", step, err)
			}
			got, err := w.get(c.ID)
			if readable := step == "write" || step == "place"; (err == nil) != readable || readable && string(got) != "secret" {
				t.Errorf("%s, crash %v: %q %v", step, crash, got, err)
			}
			if err := w.Shred(t.Context(), c.ID); err != nil {
				t.Error(err)
			}
			if n := len(files(t, w.storeFolder())); n != 0 {
				t.Errorf("%s, crash %v: %d blobs are left", step, crash, n)
			}
		}
	}
}

// TestRotationInterrupted: each document stays readable, and rotating again ends it.
func TestRotationInterrupted(t *testing.T) {
	for stop := 1; ; stop++ {
		w := newWorld(t)
		for i := range 3 {
			w.put("text/plain", fmt.Appendf(nil, "document %d", i))
		}
		count := 0
		w.keys.step = func(string) error {
			if count++; count == stop {
				return errBroken
			}
			return nil
		}
		_, err := w.RotateMaster()
		w.reopen()
		if n := w.listed(); n != 3 {
			t.Fatalf("stopped at step %d: %d documents", stop, n)
		}
		if err == nil {
			if stop < 8 {
				t.Errorf("a rotation has only %d steps", stop)
			}
			return
		}
		if _, err := w.RotateMaster(); err != nil || w.listed() != 3 || len(w.keys.masters) != 1 {
			t.Errorf("stopped at step %d: %v, %d master keys", stop, err, len(w.keys.masters))
		}
	}
}

// TestKilled kills a process that puts documents, and reads what it said it had put.
func TestKilled(t *testing.T) {
	if text := os.Getenv("LIANBAO_TEST_PUTS"); text != "" {
		putForEver(text)
	}
	w := newWorld(t)
	_ = w.Close()
	config, _ := json.Marshal(w.config)
	for round := range 4 {
		command := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		command.Env = append(os.Environ(), "LIANBAO_TEST_PUTS="+string(config))
		out, err := command.StdoutPipe()
		if err != nil || command.Start() != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		var said []string
		for len(said) < 3+2*round && lines.Scan() {
			said = append(said, lines.Text())
		}
		_ = command.Process.Kill()
		for lines.Scan() {
			said = append(said, lines.Text())
		}
		_ = command.Wait()
		w.reopen()
		if len(said) < 3 || w.listed() < len(said) {
			t.Errorf("%d documents were put: %q; %d are there", len(said), said, w.listed())
		}
		for _, id := range said {
			if _, err := w.get(id); err != nil {
				t.Error(err)
			}
		}
		_ = w.Close()
	}
}

func putForEver(text string) {
	var c Config
	err := json.Unmarshal([]byte(text), &c)
	a, opened := New(context.Background(), c)
	for err = errors.Join(err, opened); err == nil; {
		var cited Citation
		if cited, err = a.Put(context.Background(), "invoice", "text/plain", bytes.NewReader(long(100_000))); err == nil {
			fmt.Println(cited.ID)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestSenderBreaksOff: a sender that stops, and a caller that gives up, leave nothing.
func TestSenderBreaksOff(t *testing.T) {
	w := newWorld(t)
	_, err := w.Put(t.Context(), "invoice", "text/plain", io.MultiReader(bytes.NewReader(long(100_000)), breaking{}))
	if !errors.Is(err, errBroken) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = w.Put(ctx, "invoice", "text/plain", io.MultiReader(bytes.NewReader(long(100_000)), cancelling{cancel}, strings.NewReader("end")))
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := len(files(t, w.storeFolder())) + w.listed(); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

type breaking struct{}

func (breaking) Read([]byte) (int, error) { return 0, errBroken }

type cancelling struct{ cancel context.CancelFunc }

func (c cancelling) Read([]byte) (int, error) {
	c.cancel()
	return 0, io.EOF
}

// TestSweepLeavesWhatIsNotOurs and what is young.
func TestSweepLeavesWhatIsNotOurs(t *testing.T) {
	w := newWorld(t)
	w.put("text/plain", []byte("kept"))
	foreign, orphan := filepath.Join(w.storeFolder(), "README"), filepath.Join(w.storeFolder(), newID())
	for _, path := range []string{foreign, orphan} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		later time.Duration
		want  int
	}{{0, 0}, {23 * time.Hour, 0}, {25 * time.Hour, 1}, {25 * time.Hour, 0}} {
		w.now = func() time.Time { return time.Now().Add(c.later) }
		if n, err := w.Sweep(t.Context(), 24*time.Hour); n != c.want || err != nil {
			t.Errorf("%v later: %d removed, %v", c.later, n, err)
		}
	}
	if _, err := os.Stat(foreign); err != nil || w.listed() != 1 {
		t.Error("what was not to go has gone", err)
	}
}
