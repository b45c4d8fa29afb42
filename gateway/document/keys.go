package document

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// keys is the folder of key records, one file a document, in 256 folders by
// the first two digits of the id. It is held by one process.
type keys struct {
	folder string
	path   string // of the master key file
	seized *os.File
	// step is called before each change of the folder; tests make it fail there.
	step func(name string) error

	mutex   sync.Mutex // one change of records or masters at a time
	masters masters
	// about and cited are the ids of documents by their payees and by their
	// hashes: made when first asked for, and kept up since.
	about map[string][]string
	// sent are those of one sending.
	sent  map[string][]string
	cited map[Hash]string
}

func openKeys(folder, masterPath string) (*keys, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	all, err := readMasters(masterPath)
	if err != nil {
		return nil, err
	}
	seized, err := seize(filepath.Join(folder, "lock"))
	if err != nil {
		return nil, err
	}
	return &keys{folder: folder, path: masterPath, seized: seized, masters: all, step: func(string) error { return nil }}, nil
}

func (k *keys) close() error { return k.seized.Close() }

func (k *keys) file(id string) string { return filepath.Join(k.folder, id[:2], id+".json") }

func (k *keys) read(id string) (record, error) {
	text, err := os.ReadFile(k.file(id))
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, unknown(id)
	}
	if err != nil {
		return record{}, err
	}
	return parseRecord(id, text)
}

// write puts a record in place, whole or not at all. place is os.Link for a
// new record, os.Rename for one that takes the place of another.
func (k *keys) write(r record, place func(from, to string) error) error {
	if err := k.step("write"); err != nil {
		return err
	}
	text, err := r.text()
	if err != nil {
		return err
	}
	path := k.file(r.ID)
	if err := os.Mkdir(filepath.Dir(path), 0o700); err == nil {
		err = syncFile(k.folder)
		if err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return writeDurably(path, text, func(from, to string) error {
		if err := k.step("place"); err != nil {
			return err
		}
		if err := place(from, to); err != nil {
			return err
		}
		return k.step("placed")
	})
}

// add seals and writes the key of a new document: from here on it exists.
func (k *keys) add(m Meta, secret key) error {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	err := k.write(sealRecord(m, secret, k.masters[0]), os.Link)
	if err == nil && k.about != nil {
		k.index(m)
	}
	return err
}

// drop takes back what add may have written; a record that is not there is fine.
func (k *keys) drop(id string) error {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	err := os.Remove(k.file(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncFile(filepath.Dir(k.file(id)))
}

func (k *keys) open(id string) (Meta, key, error) {
	r, err := k.read(id)
	if err != nil || r.ShreddedAt != nil {
		return r.Meta, key{}, err
	}
	k.mutex.Lock()
	all := slices.Clone(k.masters)
	k.mutex.Unlock()
	return unsealRecord(r, all)
}

// indexed makes the two indexes where they are not there yet; the mutex is held.
// A record that cannot be read is in neither: what it was about nobody knows, and
// one damaged record must not hide all others.
func (k *keys) indexed() error {
	if k.about != nil {
		return nil
	}
	found, err := k.ids()
	if err != nil {
		return err
	}
	k.about, k.sent, k.cited = map[string][]string{}, map[string][]string{}, map[Hash]string{}
	for _, id := range found {
		if r, err := k.read(id); err == nil {
			k.index(r.Meta)
		}
	}
	return nil
}

func (k *keys) index(m Meta) {
	k.cited[m.Hash] = m.ID
	if m.Sent != "" {
		k.sent[m.Sent] = append(k.sent[m.Sent], m.ID)
	}
	for _, payee := range m.About {
		k.about[payee] = append(k.about[payee], m.ID)
	}
}

// idsAbout are the documents about a payee, by id; idOf is the one with a hash.
func (k *keys) idsAbout(payee string) ([]string, error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	err := k.indexed()
	found := slices.Clone(k.about[payee])
	slices.Sort(found)
	return found, err
}

// idsSent are the documents of one sending.
func (k *keys) idsSent(sent string) ([]string, error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	err := k.indexed()
	return slices.Clone(k.sent[sent]), err
}

func (k *keys) idOf(hash Hash) (string, bool, error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	err := k.indexed()
	id, found := k.cited[hash]
	return id, found, err
}

// shred puts in place of the record one that has neither key nor salt, and says
// about nobody any more. A record that was damaged is destroyed all the same.
func (k *keys) shred(id, reason string, at time.Time) error {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	r, err := k.read(id)
	if errors.Is(err, ErrDamaged) {
		r, err = record{V: recordVersion, Meta: Meta{Citation: Citation{ID: id}}}, nil
	}
	if err != nil || r.ShreddedAt != nil {
		return err
	}
	r.Master, r.Sealed, r.ShreddedAt, r.ShreddedFor, r.About, r.Sent = "", nil, &at, reason, nil, ""
	return k.write(r, os.Rename)
}

// ids lists the documents in order, shredded ones included.
func (k *keys) ids() ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(k.folder, "[0-9a-f][0-9a-f]", "*.json"))
	var found []string
	for _, path := range paths {
		if id := strings.TrimSuffix(filepath.Base(path), ".json"); checkID(id) == nil {
			found = append(found, id)
		}
	}
	slices.Sort(found)
	return found, err
}

// rotate draws a new master key, seals every record by it, and only then
// forgets the old one. Wherever it is interrupted, the file holds what opens
// every record, and rotating again finishes the work.
func (k *keys) rotate() (rewrapped int, err error) {
	if err := k.changeMasters(func(all masters) masters { return append(masters{newMaster()}, all...) }); err != nil {
		return 0, err
	}
	found, err := k.ids()
	if err != nil {
		return 0, err
	}
	for _, id := range found {
		done, err := k.rewrap(id)
		if err != nil {
			return rewrapped, fmt.Errorf("the old master key is kept: %w", err)
		}
		if done {
			rewrapped++
		}
	}
	return rewrapped, k.changeMasters(func(all masters) masters { return all[:1] })
}

func (k *keys) changeMasters(change func(masters) masters) error {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if err := k.step("masters"); err != nil {
		return err
	}
	next := change(slices.Clone(k.masters))
	if err := writeDurably(k.path, next.text(), os.Rename); err != nil {
		return err
	}
	k.masters = next
	return nil
}

// rewrap seals one record by the current master key. A record that vanished
// meanwhile was a put that failed.
func (k *keys) rewrap(id string) (bool, error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	r, err := k.read(id)
	if rule.Is(err, rule.NotFound) {
		return false, nil
	}
	if err != nil || r.ShreddedAt != nil || r.Master == k.masters[0].name {
		return false, err
	}
	_, secret, err := unsealRecord(r, k.masters)
	if err != nil {
		return false, err
	}
	return true, k.write(sealRecord(r.Meta, secret, k.masters[0]), os.Rename)
}

// sweep removes half-written files older than before.
func (k *keys) sweep(before time.Time) error {
	paths, err := filepath.Glob(filepath.Join(k.folder, "[0-9a-f][0-9a-f]", ".writing-*"))
	for _, path := range paths {
		if info, gone := os.Stat(path); gone == nil && info.ModTime().Before(before) {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}
