package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		step, metadata, connection string
		folders                    int
		answer                     string
	}{
		{"detect", `{"type":"ccaas","label":"x"}`, `{}`, 2, "done"},
		{"detect", `{"type":"golang"}`, `{}`, 2, `packages of the type "golang" are not for this builder`},
		{"detect", `{`, `{}`, 2, "unexpected end of JSON input"},
		{"detect", `{}`, `{}`, 3, "detect takes 2 folders; 3 were given"},
		{"build", `{}`, `{"address":"127.0.0.1:1"}`, 3, "done"},
		{"build", `{}`, `{"address":`, 3, "connection.json of the package is not JSON"},
		{"build", `{}`, ``, 2, "build takes 3 folders; 2 were given"},
		{"run", `{}`, `{}`, 2, `"run" is not a step; call this program as detect, build or release`},
	} {
		t.Run(c.step+" "+c.answer, func(t *testing.T) {
			source, metadata, out := t.TempDir(), t.TempDir(), t.TempDir()
			put(t, filepath.Join(source, connection), c.connection)
			put(t, filepath.Join(metadata, "metadata.json"), c.metadata)
			err := run(c.step, []string{source, metadata, out}[:c.folders])
			if got := say(err); !strings.Contains(got, c.answer) {
				t.Errorf("it says %s", got)
			}
		})
	}
}

// What was packed arrives where the peer reads it, unchanged.
func TestReleasePassesTheConnectionOn(t *testing.T) {
	source, metadata, built, released := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	const packed = `{"address":"127.0.0.1:9999","tls_required":true}`
	put(t, filepath.Join(source, connection), packed)
	for _, step := range [][]string{{"build", source, metadata, built}, {"release", built, released}} {
		if err := run(step[0], step[1:]); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.Join(released, "chaincode", "server", connection))
	if err != nil || string(got) != packed {
		t.Errorf("the peer reads %q (%v)", got, err)
	}
	if err := run("release", []string{t.TempDir(), released}); err == nil {
		t.Error("nothing was released without an error")
	}
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func say(err error) string {
	if err != nil {
		return err.Error()
	}
	return "done"
}
