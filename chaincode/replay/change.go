package replay

import (
	"bytes"
	"crypto/sha256"
	"errors"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
)

// ErrHalts marks a transaction that makes a real peer stop: Fabric 3.1.1 panics
// or ends the processing of the channel. No honest contract may produce one.
var ErrHalts = errors.New("this transaction stops the peers of Fabric 3.1.1")

// The flags are added and not or-ed, as Fabric does. For a set that a peer wrote
// it makes no difference; a forged set that names a key twice comes out as it
// would on a peer.
const (
	valueWritten    = 1
	metadataWritten = 2
	metadataRemoved = 4
	keyDeleted      = 8
)

// change is all that one transaction does to one key.
type change struct {
	flags    uint8
	value    []byte
	metadata []byte
}

type changes struct {
	byKey map[string]*change
	order []string
}

func (c *changes) of(key string) *change {
	one, found := c.byKey[key]
	if !found {
		one = &change{}
		c.byKey[key] = one
		c.order = append(c.order, key)
	}
	return one
}

func (c *changes) write(key string, value []byte, deletes bool) {
	one := c.of(key)
	if deletes {
		one.flags += keyDeleted
		return
	}
	one.flags += valueWritten
	one.value = value
}

func (c *changes) describe(key string, entries []Entry) {
	one := c.of(key)
	if entries == nil {
		one.flags += metadataRemoved
		return
	}
	one.flags += metadataWritten
	// Metadata that is not UTF-8 could not have been read from a block.
	one.metadata, _ = marshal(&kvrwset.KVMetadataWrite{Entries: entryMessages(entries)})
}

func publicChanges(set Set) *changes {
	all := &changes{byKey: map[string]*change{}}
	for _, write := range set.Writes {
		all.write(write.Key, write.Value, write.Deletes())
	}
	for _, metadata := range set.Metadata {
		all.describe(metadata.Key, metadata.Entries)
	}
	return all
}

func hashedChanges(collection Collection) *changes {
	all := &changes{byKey: map[string]*change{}}
	for _, write := range collection.Writes {
		all.write(string(write.KeyHash), write.ValueHash, write.deletes())
	}
	for _, metadata := range collection.Metadata {
		all.describe(string(metadata.KeyHash), metadata.Entries)
	}
	return all
}

var hashOfNothing = sha256.Sum256(nil)

func (w HashedWrite) deletes() bool {
	return w.Delete || len(w.ValueHash) == 0 || bytes.Equal(w.ValueHash, hashOfNothing[:])
}

// applyTo merges what a transaction says about a key with what the state holds:
// a value alone keeps the metadata, metadata alone keeps the value and is
// nothing at all on a key that does not exist.
func applyTo(keys *ordered, all *changes, version Version) error {
	for _, key := range all.order {
		one := all.byKey[key]
		held, exists := keys.get(key)
		value := Value{Data: one.value, Version: version, metadata: one.metadata}
		switch {
		case one.flags&keyDeleted != 0:
			keys.remove(key)
			continue
		case one.flags&valueWritten != 0 && one.flags&(metadataWritten|metadataRemoved) != 0:
		case one.flags == valueWritten:
			value.metadata = held.metadata
		case !exists:
			continue
		default:
			value.Data = held.Data
		}
		if value.Data == nil {
			return ErrHalts
		}
		keys.set(key, value)
	}
	return nil
}
