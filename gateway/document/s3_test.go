package document

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// withoutS3 skips loudly, or fails where the server was required.
func withoutS3(t *testing.T, format string, arguments ...any) {
	t.Helper()
	reason := fmt.Sprintf(format, arguments...)
	if os.Getenv("LIANBAO_S3") == "required" {
		t.Fatal("LIANBAO_S3=required: " + reason)
	}
	t.Skip("NOT TESTED against an S3 server: " + reason)
}

// startS3 starts a real S3 server (versitygw, the version in testdata/s3server)
// on loopback and returns the address of an empty bucket in it, and its folder.
func startS3(t *testing.T) (address, folder string) {
	t.Helper()
	if testing.Short() && os.Getenv("LIANBAO_S3") != "required" {
		withoutS3(t, "-short builds no server")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	t.Cleanup(cancel)
	build := exec.CommandContext(ctx, "go", "tool", "-C", "testdata/s3server", "-n", "versitygw")
	build.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off")
	var trouble bytes.Buffer
	build.Stderr = &trouble
	program, err := build.Output()
	if err != nil {
		withoutS3(t, "the server cannot be built: %v\n%s", err, trouble.String())
	}
	port := freePort(t)
	top := t.TempDir()
	folder = filepath.Join(top, "data", "evidence")
	for _, made := range []string{folder, filepath.Join(top, "sidecar")} {
		if err := os.MkdirAll(made, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	server := exec.CommandContext(ctx, strings.TrimSpace(string(program)), "--quiet", "--port", port, "--access", "test-access", "--secret", "test-secret-0123",
		"posix", "--sidecar", filepath.Join(top, "sidecar"), filepath.Join(top, "data"))
	server.Dir, server.Env = top, []string{"HOME=" + top, "PATH=" + os.Getenv("PATH")}
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		withoutS3(t, "the server does not start: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() { _ = server.Process.Kill(); <-ended })
	awaitServer(t, port, ended, &log)
	t.Setenv("AWS_ACCESS_KEY_ID", "test-access")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test-secret-0123")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return "s3://evidence?region=us-east-1&endpoint=" + url.QueryEscape("http://"+port), folder
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func awaitServer(t *testing.T, port string, ended <-chan error, log *bytes.Buffer) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for {
		if connection, err := net.Dial("tcp", port); err == nil {
			_ = connection.Close()
			return
		}
		select {
		case err := <-ended:
			t.Fatalf("the server ended: %v\n%s", err, log)
		case <-deadline:
			t.Fatal("the server does not answer in 30 s")
		case <-tick.C:
		}
	}
}

// TestS3 is the life of documents in a bucket of a real server.
func TestS3(t *testing.T) {
	address, folder := startS3(t)
	w := newWorld(t)
	_ = w.Close()
	w.config.Store = address
	w.reopen()
	small, big := w.put("text/plain", []byte("三袋大米")), w.put("text/csv", long(BytesMax))
	photo := w.put("image/jpeg", tellingJPEG())
	for path, kept := range files(t, folder) {
		if bytes.Contains(kept, []byte("大米")) || bytes.Contains(kept, []byte("受助人")) {
			t.Errorf("%s holds clear text", path)
		}
	}
	w.reopen()
	if n := w.listed(); n != 3 {
		t.Errorf("%d documents", n)
	}
	if got, err := w.get(small.ID); string(got) != "三袋大米" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	if err := w.Shred(t.Context(), photo.ID); err != nil {
		t.Error(err)
	}
	if _, err := w.get(photo.ID); !rule.Is(err, rule.WrongState) {
		t.Error(err)
	}
	damageS3(t, w, folder, small, big)
	interruptS3(t, w, folder)
}

// damageS3 changes, exchanges and loses objects behind the server's back.
func damageS3(t *testing.T, w *world, folder string, small, big Citation) {
	one, other := filepath.Join(folder, small.ID), filepath.Join(folder, big.ID)
	whole, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(whole)
	changed[len(changed)-1] ^= 1
	stranger, _ := os.ReadFile(other)
	for what, content := range map[string][]byte{"changed": changed, "cut": whole[:len(whole)-5], "exchanged": stranger} {
		if err := os.WriteFile(one, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := w.get(small.ID); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := os.Remove(one); err != nil {
		t.Fatal(err)
	}
	if _, err := w.get(small.ID); !errors.Is(err, ErrDamaged) {
		t.Errorf("lost: %v", err)
	}
	if err := w.Shred(t.Context(), small.ID); err != nil {
		t.Errorf("a lost document cannot be shredded: %v", err)
	}
}

// interruptS3 breaks off uploads and takes the server away.
func interruptS3(t *testing.T, w *world, folder string) {
	before := len(files(t, folder))
	for _, n := range []int{100, 100_000, 12 << 20} {
		if _, err := w.Put(t.Context(), "invoice", "text/plain", io.MultiReader(bytes.NewReader(long(n+23)), breaking{})); !errors.Is(err, errBroken) {
			t.Error(err)
		}
	}
	if n := len(files(t, folder)); n != before {
		t.Errorf("broken uploads left %d objects", n-before)
	}
	orphan := filepath.Join(folder, newID())
	if err := os.WriteFile(orphan, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	if n, err := w.Sweep(t.Context(), 24*time.Hour); n != 1 || err != nil {
		t.Errorf("%d swept, %v", n, err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another")
	w.reopen()
	if _, err := w.Put(t.Context(), "invoice", "text/plain", strings.NewReader("x")); err == nil {
		t.Error("the server does not check signatures")
	}
	for m := range w.List() {
		if m.Shredded.IsZero() {
			if _, err := w.get(m.ID); err == nil || errors.Is(err, ErrDamaged) {
				t.Errorf("a store that refuses is taken for damage, or for none: %v", err)
			}
		}
	}
}
