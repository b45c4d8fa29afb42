package document

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/rule"
)

func long(n int) []byte { return bytes.Repeat([]byte("受助人签收,100.00\n"), n/23+1)[:n/23*23] }

func TestPutAndOpen(t *testing.T) {
	w := newWorld(t)
	content := long(200_000)
	cited, err := w.Put(t.Context(), "delivery-note", "text/csv", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	w.reopen()
	r, m, err := w.Open(t.Context(), cited.ID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, content) || m.Kind != "delivery-note" || m.Hash != cited.Hash || m.Size != int64(len(content)) {
		t.Errorf("%d bytes, %+v, %v", len(got), m, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	// The commitment as docs/documents.md spells it, computed by hand.
	if by := sha256.Sum256([]byte(string(m.Salt[:]) + "\x08text/csv" + string(content))); Hash(by) != cited.Hash {
		t.Errorf("the commitment is %s, by hand %x", cited.Hash, by)
	}
	for path, kept := range files(t, filepath.Dir(w.config.Keys)) {
		if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 && !strings.HasSuffix(path, "lock") {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if bytes.Contains(kept, []byte("受助人")) || bytes.Contains(kept, m.Salt[:]) || bytes.Contains(kept, []byte(m.Salt.String())) {
			t.Errorf("%s holds clear text", path)
		}
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, c := range []struct {
		what string
		err  error
		want string
	}{
		{"kind", second(w.Put(ctx, "Delivery Note", "text/plain", strings.NewReader("x"))), `invalid: field kind: is not a kind of document; write it as delivery-note`},
		{"unknown", second(w.get(strings.Repeat("a", 32))), "not-found: there is no document " + strings.Repeat("a", 32)},
		{"path as id", second(w.get("../../../../../etc/passwd")), `invalid: field id: "../../../../../etc/passwd" is not the id of a document, which is 32 digits of lower-case hexadecimal`},
		{"upper case", second(w.get(strings.Repeat("A", 32))), `invalid: field id: "` + strings.Repeat("A", 32) + `" is not the id of a document, which is 32 digits of lower-case hexadecimal`},
		{"shred unknown", w.Shred(ctx, strings.Repeat("a", 32)), "not-found: there is no document " + strings.Repeat("a", 32)},
	} {
		if text(c.err) != c.want {
			t.Errorf("%s: %v", c.what, c.err)
		}
	}
}

// TestAbout: what is about a payee is found by its random name, by nothing
// else, and no longer once it is shredded.
func TestAbout(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	const one, other = "outside:household:gbloffkiocpgleobhcddilnnpbiengnl", "outside:household:ibmmflbhabigheleablecpdflkahllhj"
	both, err := w.Put(ctx, "photo", "text/plain", strings.NewReader("both"), other, one, other)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := w.Put(ctx, "photo", "text/plain", strings.NewReader("alone"), one)
	if err != nil {
		t.Fatal(err)
	}
	w.put("text/plain", []byte("about nobody"))
	ids := func(payee string) (found []string) {
		list, err := w.About(payee)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			found = append(found, m.ID)
		}
		return found
	}
	w.reopen()
	if got := ids(one); len(got) != 2 || !slices.Contains(got, both.ID) || !slices.Contains(got, alone.ID) {
		t.Errorf("about one: %v", got)
	}
	if got := ids(other); !slices.Equal(got, []string{both.ID}) {
		t.Errorf("about the other: %v", got)
	}
	if err := w.Shred(ctx, both.ID); err != nil {
		t.Fatal(err)
	}
	if m, err := w.Meta(both.ID); err != nil || m.About != nil || len(ids(other)) != 0 {
		t.Errorf("a shredded document is still about %v, %v", m.About, err)
	}
	// What comes after the first question is found as well, and one damaged record hides no other.
	later, err := w.Put(ctx, "photo", "text/plain", strings.NewReader("later"), one)
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(one); len(got) != 2 || !slices.Contains(got, later.ID) {
		t.Errorf("after another came: %v", got)
	}
	if m, err := w.ByHash(later.Hash); err != nil || m.ID != later.ID {
		t.Errorf("by its hash: %v, %v", m.ID, err)
	}
	if m, err := w.ByHash(both.Hash); err != nil || m.Shredded.IsZero() {
		t.Errorf("a shredded one by its hash: %+v, %v", m, err)
	}
	if _, err := w.ByHash(Hash{1}); !rule.Is(err, rule.NotFound) {
		t.Errorf("no such hash: %v", err)
	}
	if err := os.WriteFile(w.keys.file(alone.ID), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	if got := ids(one); !slices.Equal(got, []string{later.ID}) {
		t.Errorf("beside a damaged record: %v", got)
	}
	for _, wrong := range []string{"张三", "charity:sunrise:books", "outside:household:Chen Yi"} {
		_, err := w.Put(ctx, "photo", "text/plain", strings.NewReader("x"), wrong)
		if !rule.Is(err, rule.Invalid) || strings.Contains(text(err), wrong) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestSizeLimit(t *testing.T) {
	w := newWorld(t)
	w.bytesMax = 1000
	for _, c := range []struct {
		n    int
		want string
	}{{999, ""}, {1000, ""}, {1001, "invalid: the document has more than 1000 bytes"}, {100_000, "invalid: the document has more than 1000 bytes"}} {
		_, err := w.Put(t.Context(), "invoice", "text/plain", strings.NewReader(strings.Repeat("a", c.n)))
		if text(err) != c.want {
			t.Errorf("%d bytes: %v", c.n, err)
		}
	}
	w.bytesMax = BytesMax
	if _, err := w.Put(t.Context(), "invoice", "text/plain", io.LimitReader(letters{}, BytesMax+1)); !rule.Is(err, rule.Invalid) {
		t.Error(err)
	}
	cited, err := w.Put(t.Context(), "invoice", "text/plain", io.LimitReader(letters{}, BytesMax))
	if err != nil || cited.Size != BytesMax {
		t.Error(cited, err)
	}
	if n := w.listed(); n != 3 {
		t.Errorf("%d documents", n)
	}
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// TestDamage: whatever is done to the bytes in the store or to a key record,
// reading fails and says damage; nothing wrong is returned first.
func TestDamage(t *testing.T) {
	w := newWorld(t)
	content := long(150_000)
	one, other := w.put("text/plain", content), w.put("text/plain", long(150_000))
	path := filepath.Join(w.storeFolder(), one.ID)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	swapped, _ := os.ReadFile(filepath.Join(w.storeFolder(), other.ID))
	check := func(what string, changed []byte) {
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := w.get(one.ID)
		if !errors.Is(err, ErrDamaged) || !strings.Contains(text(err), one.ID) {
			t.Errorf("%s: %v", what, err)
		}
		if !bytes.HasPrefix(content, got) {
			t.Errorf("%s: wrong bytes were returned", what)
		}
	}
	for range 300 {
		at := rand.IntN(len(whole))
		if rand.IntN(3) == 0 {
			at = rand.IntN(250) // the header
		}
		changed := bytes.Clone(whole)
		changed[at] ^= 1 << rand.IntN(8)
		check(fmt.Sprintf("bit of byte %d", at), changed)
	}
	for _, n := range []int{0, 1, 21, 100, 200, 65_536, 65_800, len(whole) - 1} {
		check(fmt.Sprintf("cut to %d", n), whole[:n])
	}
	check("swapped", swapped)
	check("longer", append(bytes.Clone(whole), 0))
	_ = os.Remove(path)
	if _, err := w.get(one.ID); !errors.Is(err, ErrDamaged) || !strings.Contains(text(err), "not in the store") {
		t.Error(err)
	}
	_ = os.WriteFile(path, whole, 0o600)
	if got, err := w.get(one.ID); err != nil || !bytes.Equal(got, content) {
		t.Error("the unchanged document is not read", err)
	}
}

func TestDamagedRecords(t *testing.T) {
	w := newWorld(t)
	cited := w.put("text/plain", []byte("one"))
	other := w.put("text/plain", []byte("two"))
	path := w.keys.file(cited.ID)
	whole, _ := os.ReadFile(path)
	stranger, _ := os.ReadFile(w.keys.file(other.ID))
	for at := range whole[:len(whole)-1] {
		changed := bytes.Clone(whole)
		changed[at] ^= 4
		_ = os.WriteFile(path, changed, 0o600)
		if got, err := w.get(cited.ID); err == nil {
			t.Errorf("byte %d of the record changed from %q to %q, and %q is read", at, whole[at], changed[at], got)
		}
	}
	for what, changed := range map[string][]byte{"empty": {}, "another's": stranger, "doubled": append(bytes.Clone(whole), whole...),
		"another's under this id": bytes.ReplaceAll(stranger, []byte(other.ID), []byte(cited.ID))} {
		_ = os.WriteFile(path, changed, 0o600)
		if _, err := w.get(cited.ID); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
		if err := w.Shred(t.Context(), cited.ID); err != nil {
			t.Errorf("a damaged record cannot be shredded: %v", err)
		}
		if _, err := w.get(cited.ID); !rule.Is(err, rule.WrongState) {
			t.Error(err)
		}
	}
}

func TestVerify(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "content")
		mediaType := rapid.SampledFrom(MediaTypes()).Draw(t, "type")
		salt := NewSalt()
		hash, size, err := Commit(salt, mediaType, bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		c := Citation{Hash: hash, MediaType: mediaType, Size: size}
		if err := Verify(c, salt, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		changed, wrong := bytes.Clone(content), salt
		changed[rapid.IntRange(0, len(content)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		wrong[rapid.IntRange(0, 15).Draw(t, "salt")] ^= 1
		for what, err := range map[string]error{"changed": Verify(c, salt, bytes.NewReader(changed)), "short": Verify(c, salt, bytes.NewReader(content[1:])),
			"long": Verify(c, salt, bytes.NewReader(append(changed, 0))), "salt": Verify(c, wrong, bytes.NewReader(content))} {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("%s: %v", what, err)
			}
		}
		c.MediaType = "text/html"
		if err := Verify(c, salt, bytes.NewReader(content)); !rule.Is(err, rule.Invalid) {
			t.Fatal(err)
		}
	})
}

// TestVector fixes the commitment, so that other programs can be checked against it.
func TestVector(t *testing.T) {
	var salt Salt
	if err := salt.UnmarshalText([]byte("000102030405060708090a0b0c0d0e0f")); err != nil {
		t.Fatal(err)
	}
	// sha256sum of the bytes 00..0f, 0a, "text/plain", "rice".
	const vector = "a7c44bf85e67020e1480766c41728d085bee6112cc77a40137c9cdd1ba74d108"
	hash, _, err := Commit(salt, "text/plain", strings.NewReader("rice"))
	if err != nil || hash.String() != vector {
		t.Error(hash, err)
	}
	for _, wrong := range []string{"", "00", strings.Repeat("A", 32), strings.Repeat("0", 33)} {
		if err := salt.UnmarshalText([]byte(wrong)); !rule.Is(err, rule.Invalid) {
			t.Errorf("%q is taken for a salt", wrong)
		}
	}
}

func TestShred(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	cited, kept := w.put("text/plain", []byte("the house by the river")), w.put("text/plain", []byte("stays"))
	m, secret, err := w.keys.open(cited.ID)
	if err != nil {
		t.Fatal(err)
	}
	blob, _ := os.ReadFile(filepath.Join(w.storeFolder(), cited.ID))
	before, _ := w.keys.read(cited.ID)
	if err := w.Shred(ctx, cited.ID); err != nil {
		t.Fatal(err)
	}
	// A copy of the store that was made before is put back: it stays closed.
	if err := os.WriteFile(filepath.Join(w.storeFolder(), cited.ID), blob, 0o600); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	if got, err := w.get(cited.ID); !rule.Is(err, rule.WrongState) || len(got) != 0 {
		t.Errorf("%q %v", got, err)
	}
	for path, content := range files(t, filepath.Dir(w.config.Keys)) {
		if bytes.Contains(content, secret.data[:]) || bytes.Contains(content, m.Salt[:]) || bytes.Contains(content, before.Sealed) || bytes.Contains(content, []byte(base64Of(before.Sealed))) {
			t.Errorf("%s still holds the key", path)
		}
	}
	for _, all := range w.keys.masters {
		if _, err := age.Decrypt(bytes.NewReader(blob), lock{cited.ID, all.key}); err == nil {
			t.Error("the master key opens the blob")
		}
	}
	after, err := w.Meta(cited.ID)
	if err != nil || after.Shredded.IsZero() || after.Hash != cited.Hash || after.Salt != (Salt{}) {
		t.Errorf("%+v %v", after, err)
	}
	if err := w.Shred(ctx, cited.ID); err != nil { // again: removes the blob that came back
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(w.storeFolder(), cited.ID)); !os.IsNotExist(err) {
		t.Error("the blob is still there", err)
	}
	if got, err := w.get(kept.ID); string(got) != "stays" {
		t.Error(err)
	}
}

func TestRotateMaster(t *testing.T) {
	w := newWorld(t)
	old, _ := os.ReadFile(w.config.Master)
	var cited []Citation
	for i := range 20 {
		cited = append(cited, w.put("text/plain", fmt.Appendf(nil, "document %d", i)))
	}
	if err := w.Shred(t.Context(), cited[3].ID); err != nil {
		t.Fatal(err)
	}
	oldRecord, _ := w.keys.read(cited[0].ID)
	n, err := w.RotateMaster()
	if err != nil || n != 19 {
		t.Fatal(n, err)
	}
	fresh, _ := os.ReadFile(w.config.Master)
	if bytes.Contains(fresh, bytes.TrimSpace(old)) || bytes.Count(fresh, []byte("\n")) != 1 {
		t.Errorf("the master key file holds\n%s", fresh)
	}
	if _, _, err := unsealRecord(oldRecord, w.keys.masters); err == nil {
		t.Error("the new master key opens an old record")
	}
	w.reopen()
	if n := w.listed(); n != 19 {
		t.Errorf("%d documents after the rotation", n)
	}
	if _, err := w.get(cited[3].ID); !rule.Is(err, rule.WrongState) {
		t.Error(err)
	}
	_ = w.Close()
	_ = os.WriteFile(w.config.Master, old, 0o600)
	w.reopen()
	if _, err := w.get(cited[0].ID); err == nil || !strings.Contains(err.Error(), "which is not in the master key file") {
		t.Errorf("the old master key opens a new record: %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	w := newWorld(t)
	folder := filepath.Dir(w.config.Keys)
	outside := w.config
	outside.Keys = filepath.Join(folder, "other-keys")
	change := func(f func(*Config)) Config { c := outside; f(&c); return c }
	for _, c := range []struct {
		config Config
		want   string
	}{
		{w.config, "another process holds"},
		{change(func(c *Config) { c.Store = "ftp://host/x" }), "invalid: field store: ftp://host/x is not the address"},
		{change(func(c *Config) { c.Store = "file://relative" }), "invalid: field store: file://relative is not the address"},
		{change(func(c *Config) { c.Store = "s3://key:secret@bucket" }), "invalid: field store: the address of the store must not hold credentials"},
		{change(func(c *Config) { c.Store = "s3://bucket?anonymous=true" }), `invalid: field store: the address of an S3 store has no parameter "anonymous"`},
		{change(func(c *Config) { c.Keys = filepath.Join(w.storeFolder(), "keys") }), "invalid: field keys: keys and documents must lie in different folders"},
		{change(func(c *Config) { c.Store = "file://" + filepath.Join(c.Keys, "store") }), "invalid: field keys: keys and documents must lie in different folders"},
		{change(func(c *Config) { c.BytesMax = BytesMax + 1 }), "invalid: field bytesMax: "},
		{change(func(c *Config) { c.Master = filepath.Join(folder, "none") }), "stat "},
	} {
		if a, err := New(t.Context(), c.config); !strings.HasPrefix(text(err), c.want) {
			t.Errorf("%+v: got %v, want %s", c.config, err, c.want)
			if a != nil {
				_ = a.Close()
			}
		}
	}
	if err := CreateMaster(w.config.Master); !rule.Is(err, rule.Exists) {
		t.Error(err)
	}
	for mode, content := range map[os.FileMode]string{0o640: string(masters{newMaster()}.text()), 0o600: "", 0o400: masterMark + " 00 AA\n"} {
		path := filepath.Join(folder, "m"+mode.String())
		_ = os.WriteFile(path, []byte(content), mode)
		if _, err := readMasters(path); err == nil {
			t.Errorf("a master key file %v %q is taken", mode, content)
		}
	}
}

// TestManyAtOnce puts, reads, shreds, lists and rotates at the same time.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 12 {
				content := fmt.Appendf(nil, "document %d of %d", i, worker)
				c, err := w.Put(t.Context(), "invoice", "text/plain", bytes.NewReader(content))
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := w.get(c.ID); err != nil || !bytes.Equal(got, content) {
					t.Errorf("%q %v", got, err)
				}
				if i%3 == 0 {
					if err := w.Shred(t.Context(), c.ID); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Go(func() {
		for range 3 {
			if _, err := w.RotateMaster(); err != nil {
				t.Error(err)
			}
			if _, err := w.Sweep(t.Context(), time.Hour); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	if n := w.listed(); n != 8*8 {
		t.Errorf("%d documents", n)
	}
	if n := len(files(t, w.storeFolder())); n != 8*8 {
		t.Errorf("%d blobs", n)
	}
}

// TestPutOnce: one sending keeps the same document once, also when it comes
// twice at the same moment; anything else is kept beside it.
func TestPutOnce(t *testing.T) {
	w := newWorld(t)
	const one, other = "outside:household:aaaabbbbccccddddeeeeffffgggghhhh", "outside:household:aaaabbbbccccddddeeeeffffgggghhhi"
	put := func(sending, kind, text string, about ...string) string {
		t.Helper()
		c, err := w.PutOnce(t.Context(), sending, kind, "text/plain", strings.NewReader(text), about...)
		if err != nil {
			t.Fatal(err)
		}
		return c.ID
	}
	first := put("form-1", "photo", "a face", one)
	for _, c := range []struct {
		sending, kind, text string
		about               []string
		same                bool
	}{
		{"form-1", "photo", "a face", []string{one}, true},
		{"form-1", "photo", "a face", []string{other}, false},
		{"form-1", "photo", "a face", nil, false},
		{"form-1", "list", "a face", []string{one}, false},
		{"form-1", "photo", "another face", []string{one}, false},
		{"form-2", "photo", "a face", []string{one}, false},
	} {
		if got := put(c.sending, c.kind, c.text, c.about...); (got == first) != c.same {
			t.Errorf("%+v is kept as %s, the first as %s", c, got, first)
		}
	}
	found := make([]string, 8)
	var hands sync.WaitGroup
	for i := range found {
		hands.Go(func() {
			c, err := w.PutOnce(context.Background(), "form-3", "photo", "text/plain", strings.NewReader("both hands"), one)
			if found[i] = c.ID; err != nil {
				t.Error(err)
			}
		})
	}
	hands.Wait()
	if slices.Sort(found); found[0] == "" || found[0] != found[7] {
		t.Errorf("at the same moment it is kept as %v", found)
	}
	if err := w.Shred(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if again := put("form-1", "photo", "a face", one); again == first {
		t.Error("what was shredded is cited again")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done, err := w.sendings.take(ctx, "held")
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	cancel()
	if _, err := w.sendings.take(ctx, "held"); !errors.Is(err, context.Canceled) {
		t.Errorf("who waits in vain hears %v", err)
	}
}
