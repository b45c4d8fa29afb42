package fingerprint_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fingerprint"
)

func TestOf(t *testing.T) {
	key, other := fingerprint.Key{1}, fingerprint.Key{2}
	first, err := fingerprint.Of(key, fingerprint.BankAccount, "0000 0000 0000 0001")
	if err != nil || len(first) != 22 || tape.CheckFingerprint(first) != nil {
		t.Fatalf("%q, %v", first, err)
	}
	for _, c := range []struct {
		key    fingerprint.Key
		kind   fingerprint.Kind
		number string
		same   bool
	}{
		{key, fingerprint.BankAccount, "0000000000000001", true},
		{key, fingerprint.BankAccount, "0000-0000-0000-0001", true},
		{key, fingerprint.BankAccount, "００００　００００　００００　０００１", true},
		{key, fingerprint.BankAccount, "0000000000000002", false},
		{key, fingerprint.Device, "0000000000000001", false},
		{other, fingerprint.BankAccount, "0000000000000001", false},
	} {
		if got, err := fingerprint.Of(c.key, c.kind, c.number); err != nil || (got == first) != c.same {
			t.Errorf("%s %s: %s, %v; same %v", c.kind, c.number, got, err, c.same)
		}
	}
	upper, _ := fingerprint.Of(key, fingerprint.Device, "02:00:00:AB:CD:EF")
	if lower, err := fingerprint.Of(key, fingerprint.Device, "020000abcdef"); err != nil || lower != upper {
		t.Errorf("case and colons matter: %s, %s, %v", upper, lower, err)
	}
	if empty, err := fingerprint.Of(key, fingerprint.Device, ""); empty != "" || err != nil {
		t.Errorf("no device has the fingerprint %q, %v", empty, err)
	}
}

func TestNumbersThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		kind   fingerprint.Kind
		number string
	}{
		{fingerprint.BankAccount, "123"},
		{fingerprint.BankAccount, " - - "},
		{fingerprint.BankAccount, strings.Repeat("1", 65)},
		{fingerprint.BankAccount, "欧阳秘密 0000 0001"},
		{fingerprint.Device, "\xff\xff\xff\xff0001"},
		{"name", "0000 0000 0001"},
	} {
		got, err := fingerprint.Of(fingerprint.Key{1}, c.kind, c.number)
		if got != "" || !rule.Is(err, rule.Invalid) || strings.Contains(err.Error(), strings.TrimSpace(c.number)) {
			t.Errorf("%s %q: %s, %v", c.kind, c.number, got, err)
		}
	}
}

func TestKeys(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "fingerprint-keys")
	drawn := make([]fingerprint.Key, 16)
	var all sync.WaitGroup
	for i := range drawn {
		all.Go(func() { drawn[i], _ = fingerprint.Keys{Folder: folder}.Of("campaign:charity:relief") })
	}
	all.Wait()
	for i, key := range drawn {
		if key != drawn[0] || key == (fingerprint.Key{}) {
			t.Errorf("%d got another key", i)
		}
	}
	other, err := fingerprint.Keys{Folder: folder}.Of("campaign:charity:school")
	if err != nil || other == drawn[0] {
		t.Errorf("two campaigns have one key: %v", err)
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*"))
	if len(files) != 2 {
		t.Errorf("the folder holds %v", files)
	}
	for _, file := range files {
		if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", file, info.Mode())
		}
	}
	if _, err := (fingerprint.Keys{Folder: folder}).Of("../else"); err == nil {
		t.Error("a key lies outside of its folder")
	}
	if err := os.WriteFile(files[0], []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (fingerprint.Keys{Folder: folder}).Of("campaign:charity:relief"); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged key: %v", err)
	}
}
