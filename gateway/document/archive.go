package document

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Config says where an archive is.
type Config struct {
	// Store is file:///folder or s3://bucket?endpoint=...&region=....
	Store string
	// Keys is the folder of key records; it must not lie in the store, or
	// whoever copies the store has both.
	Keys string
	// Master is the master key file; CreateMaster makes one.
	Master string
	// BytesMax is the largest document taken; 0 means BytesMax of this package.
	BytesMax int64
}

// Archive keeps documents. Its methods may be called at the same time.
type Archive struct {
	blobs    blobs
	keys     *keys
	bytesMax int64
	now      func() time.Time
	// sendings are under way.
	sendings turns
}

// New opens an archive.
func New(ctx context.Context, c Config) (*Archive, error) {
	if c.BytesMax < 0 || c.BytesMax > BytesMax {
		return nil, rule.Field("bytesMax", rule.Refuse(rule.Invalid, "documents can have at most %d bytes", int64(BytesMax)))
	}
	store, err := openStore(ctx, c.Store)
	if err != nil {
		return nil, err
	}
	if store.folder != "" && (inside(c.Keys, store.folder) || inside(c.Master, store.folder) || inside(store.folder, c.Keys)) {
		_ = store.close()
		return nil, rule.Field("keys", rule.Refuse(rule.Invalid, "keys and documents must lie in different folders, or one copy takes both"))
	}
	k, err := openKeys(c.Keys, c.Master)
	if err != nil {
		_ = store.close()
		return nil, err
	}
	if c.BytesMax == 0 {
		c.BytesMax = BytesMax
	}
	return &Archive{blobs: store, keys: k, bytesMax: c.BytesMax, now: time.Now}, nil
}

// inside reports whether a path lies in a folder or is it.
func inside(path, folder string) bool {
	path, one := filepath.Abs(path)
	folder, other := filepath.Abs(folder)
	relative, err := filepath.Rel(folder, path)
	return errors.Join(one, other, err) == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// Close lets go of the key folder.
func (a *Archive) Close() error { return errors.Join(a.blobs.close(), a.keys.close()) }

// Put keeps a document. kind is the organisation's word for it, mediaType what
// the sender says it is, about the payees whom it says something about. What
// pictures tell beyond what they show is taken out first, and Citation.Removed
// names it. When Put returns without error the document is on the disk, or in
// the bucket, to stay.
func (a *Archive) Put(ctx context.Context, kind, mediaType string, r io.Reader, about ...string) (Citation, error) {
	return a.put(ctx, "", kind, mediaType, r, about)
}

func (a *Archive) put(ctx context.Context, sent, kind, mediaType string, r io.Reader, about []string) (Citation, error) {
	if err := checkKind(kind); err != nil {
		return Citation{}, err
	}
	about, err := inOrder(about)
	if err != nil {
		return Citation{}, err
	}
	in := bufio.NewReaderSize(&limited{r: r, left: a.bytesMax, max: a.bytesMax}, 32<<10)
	head, err := in.Peek(headBytes)
	if err != nil && err != io.EOF {
		return Citation{}, err
	}
	mediaType, err = judge(mediaType, head)
	if err != nil {
		return Citation{}, err
	}
	secret := newKey()
	m := Meta{Citation: Citation{ID: newID(), MediaType: mediaType}, Kind: kind, At: a.now().UTC().Truncate(time.Second), About: about, Sent: sent}
	before, err := a.before(m)
	if err != nil {
		return Citation{}, err
	}
	first, err := a.store(ctx, &m, secret, in, before)
	if err != nil {
		return Citation{}, err
	}
	if first != nil {
		return *first, nil
	}
	if err := a.keys.add(m, secret); err != nil {
		a.takeBack(ctx, m.ID)
		return Citation{}, fmt.Errorf("the key of the document cannot be kept: %w", err)
	}
	return m.Citation, nil
}

func newID() string {
	var raw [16]byte
	rand.Read(raw[:])
	return hex.EncodeToString(raw[:])
}

// store encrypts the cleaned document into the store and fills in what is
// known of it only then. Where it is what one of before is, nothing is kept and
// that one is returned.
func (a *Archive) store(ctx context.Context, m *Meta, secret key, in *bufio.Reader, before []earlier) (*Citation, error) {
	out, err := a.blobs.create(ctx, m.ID)
	if err != nil {
		return nil, fmt.Errorf("the store takes no document: %w", err)
	}
	encrypted, err := age.Encrypt(out, lock{m.ID, secret.data})
	if err != nil {
		out.abort()
		return nil, fmt.Errorf("the store takes no document: %w", err)
	}
	tally := &counted{hash: commitment(secret.salt, m.MediaType)}
	readers := []io.Writer{tally, encrypted}
	for _, one := range before {
		readers = append(readers, one.hash)
	}
	m.Removed, err = media[m.MediaType].clean(in, io.MultiWriter(readers...))
	if err == nil {
		err = encrypted.Close()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		out.abort()
		return nil, err
	}
	for _, one := range before {
		if Hash(one.hash.Sum(nil)) == one.Hash {
			out.abort()
			return &one.Citation, nil
		}
	}
	m.Hash, m.Size = Hash(tally.hash.Sum(nil)), tally.size
	if err := out.commit(); err != nil {
		a.takeBack(ctx, m.ID)
		return nil, fmt.Errorf("the store did not take the document: %w", err)
	}
	return nil, nil
}

// takeBack clears away a put that failed, as far as that is possible now. What
// stays behind has no key, and Sweep removes it.
func (a *Archive) takeBack(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if a.keys.drop(id) == nil {
		_ = a.blobs.remove(ctx, id)
	}
}

// Open returns a document, decrypted as it is read. A read fails where the
// bytes are not those that were put; what came before that read was genuine.
// Whoever must not act on part of a document reads it to the end first.
func (a *Archive) Open(ctx context.Context, id string) (io.ReadCloser, Meta, error) {
	m, secret, err := a.find(id)
	if err != nil {
		return nil, Meta{}, err
	}
	blob, err := a.blobs.open(ctx, id)
	if err != nil {
		return nil, m, fmt.Errorf("document %s: %w", id, err)
	}
	from := &source{ReadCloser: blob}
	plain, err := age.Decrypt(from, lock{id, secret.data})
	if err != nil {
		_ = from.Close()
		return nil, m, from.blame(id, err)
	}
	return &verifying{from: from, plain: plain, meta: m, tally: counted{hash: commitment(m.Salt, m.MediaType)}}, m, nil
}

func (a *Archive) find(id string) (Meta, key, error) {
	if err := checkID(id); err != nil {
		return Meta{}, key{}, err
	}
	m, secret, err := a.keys.open(id)
	if err == nil && !m.Shredded.IsZero() {
		err = rule.Refuse(rule.WrongState, "document %s was shredded on %s; nobody can read it any more", id, m.Shredded.Format(time.DateOnly))
	}
	return m, secret, err
}

// Meta returns what is known of a document; of a shredded one, all but its salt.
func (a *Archive) Meta(id string) (Meta, error) {
	if err := checkID(id); err != nil {
		return Meta{}, err
	}
	m, _, err := a.keys.open(id)
	return m, err
}

// List goes through all documents by id, shredded ones included.
func (a *Archive) List() iter.Seq2[Meta, error] {
	return func(yield func(Meta, error) bool) {
		found, err := a.keys.ids()
		if err != nil {
			yield(Meta{}, err)
			return
		}
		for _, id := range found {
			m, err := a.Meta(id)
			if rule.Is(err, rule.NotFound) {
				continue // taken back since the list was made
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// About are the documents about a payee that can still be read, by id.
func (a *Archive) About(payee string) ([]Meta, error) {
	ids, err := a.keys.idsAbout(payee)
	var found []Meta
	for _, id := range ids {
		m, unread := a.Meta(id)
		switch {
		case rule.Is(unread, rule.NotFound): // taken back since
		case unread != nil:
			err = errors.Join(err, unread)
		case m.Shredded.IsZero():
			found = append(found, m)
		}
	}
	return found, err
}

// ByHash is the document that is cited by a hash, shredded or not; NotFound where
// this archive has never kept it, or its record is damaged.
func (a *Archive) ByHash(hash Hash) (Meta, error) {
	id, found, err := a.keys.idOf(hash)
	if err == nil && !found {
		err = rule.Refuse(rule.NotFound, "there is no document with this hash")
	}
	if err != nil {
		return Meta{}, err
	}
	return a.Meta(id)
}

// Shred destroys the key and the salt of a document, then its bytes. After
// the first nothing can be read, in the store or in any copy of the store; an
// error that follows it concerns the encrypted bytes alone, and shredding
// again removes them.
func (a *Archive) Shred(ctx context.Context, id string) error { return a.ShredFor(ctx, id, "") }

// ShredFor is Shred with the reason, one word, that the record keeps.
func (a *Archive) ShredFor(ctx context.Context, id, reason string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if reason != "" {
		if err := checkKind(reason); err != nil {
			return rule.Field("reason", err)
		}
	}
	if err := a.keys.shred(id, reason, a.now().UTC().Truncate(time.Second)); err != nil {
		return err
	}
	if err := a.blobs.remove(ctx, id); err != nil {
		return fmt.Errorf("document %s cannot be read any more, but its encrypted bytes are still in the store; shred it again: %w", id, err)
	}
	return nil
}

// RotateMaster replaces the master key and returns how many keys were sealed
// anew. Copies of the key folder that were made before are worth nothing once
// every copy of the old master key file is gone.
func (a *Archive) RotateMaster() (rewrapped int, err error) { return a.keys.rotate() }

// Sweep removes what interrupted puts and shreds left in the store and in the
// key folder. older keeps it from what is being put right now: a day is plenty.
func (a *Archive) Sweep(ctx context.Context, older time.Duration) (removed int, err error) {
	before := a.now().Add(-older)
	if err := a.keys.sweep(before); err != nil {
		return 0, err
	}
	for entry, err := range a.blobs.list(ctx) {
		if err != nil {
			return removed, err
		}
		if !entry.modified.Before(before) || a.kept(entry.name) {
			continue
		}
		if err := a.blobs.remove(ctx, entry.name); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// kept reports whether a blob belongs to a document that can be read, or is
// none of ours: temporary files of the folder store begin with an id.
func (a *Archive) kept(name string) bool {
	if len(name) < 32 || checkID(name[:32]) != nil {
		return true
	}
	r, err := a.keys.read(name[:32])
	if rule.Is(err, rule.NotFound) {
		return false
	}
	return err != nil || r.ShreddedAt == nil && len(name) == 32
}

// counted hashes and counts.
type counted struct {
	hash hash.Hash
	size int64
}

func (c *counted) Write(p []byte) (int, error) {
	c.size += int64(len(p))
	return c.hash.Write(p)
}

// limited refuses what is longer than max.
type limited struct {
	r         io.Reader
	left, max int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p[:min(int64(len(p)), l.left+1)])
	if l.left -= int64(n); l.left < 0 {
		return 0, rule.Refuse(rule.Invalid, "the document has more than %d bytes", l.max)
	}
	return n, err
}

// source is a blob that is read. It remembers when the store failed, so that a
// line that went down is not taken for a changed document.
type source struct {
	io.ReadCloser
	failed error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		s.failed = err
	}
	return n, err
}

func (s *source) blame(id string, err error) error {
	if s.failed != nil {
		return fmt.Errorf("document %s: the store does not give it: %w", id, s.failed)
	}
	return fmt.Errorf("document %s: %w: %w", id, ErrDamaged, err)
}

// verifying decrypts, and at the end compares with the citation.
type verifying struct {
	from  *source
	plain io.Reader
	meta  Meta
	tally counted
}

func (v *verifying) Read(p []byte) (int, error) {
	n, err := v.plain.Read(p)
	v.tally.Write(p[:n])
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF:
		return n, v.from.blame(v.meta.ID, err)
	case v.tally.size != v.meta.Size || Hash(v.tally.hash.Sum(nil)) != v.meta.Hash:
		return n, fmt.Errorf("document %s: %w: it is not what its citation names", v.meta.ID, ErrDamaged)
	}
	return n, io.EOF
}

func (v *verifying) Close() error { return v.from.Close() }
