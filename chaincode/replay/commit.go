package replay

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// Block validates the transactions of one block in their order and applies those
// that are valid, as the committing side of every peer does.
type Block struct {
	Number  uint64
	state   *State
	touched map[string]bool // keys that valid transactions of this block wrote, by space and key
	removed map[string]bool // of those, the ones that are deleted now
}

// Begin opens a block. Blocks are committed one after the other.
func (s *State) Begin(number uint64) *Block {
	return &Block{Number: number, state: s, touched: map[string]bool{}, removed: map[string]bool{}}
}

// Check compares what a transaction read with what is true now. A key that an
// earlier transaction of the same block wrote is a conflict even if it came
// back to the version that was read.
func (b *Block) Check(set Set) peer.TxValidationCode {
	for _, read := range set.Reads {
		if !b.stillTrue(b.state.public, "", read.Key, read.Version) {
			return peer.TxValidationCode_MVCC_READ_CONFLICT
		}
	}
	for _, query := range set.Ranges {
		if !b.rangeStillTrue(query) {
			return peer.TxValidationCode_PHANTOM_READ_CONFLICT
		}
	}
	for _, collection := range set.Collections {
		hashes := in(b.state.hashes, collection.Name)
		for _, read := range collection.Reads {
			if !b.stillTrue(hashes, collection.Name, string(read.KeyHash), read.Version) {
				return peer.TxValidationCode_MVCC_READ_CONFLICT
			}
		}
	}
	return peer.TxValidationCode_VALID
}

func (b *Block) stillTrue(keys *ordered, collection, key string, version *Version) bool {
	if b.touched[place(collection, key)] {
		return false
	}
	value, exists := keys.get(key)
	if !exists {
		return version == nil
	}
	return version.Same(&value.Version)
}

// rangeStillTrue asks the range again. A query that was left early ends with the
// last key it saw, which then belongs to it.
func (b *Block) rangeStillTrue(query Range) bool {
	var now []Read
	for key, value := range b.state.Between(query.Start, query.End) {
		now = append(now, Read{Key: key, Version: &value.Version})
	}
	if !query.Exhausted {
		if value, exists := b.state.Get(query.End); exists {
			now = append(now, Read{Key: query.End, Version: &value.Version})
		}
	}
	if query.Summary != nil {
		return query.Summary.same(summarizeAsked(now, query.Summary.MaxDegree))
	}
	return slices.EqualFunc(query.Reads, now, func(a, b Read) bool {
		return a.Key == b.Key && a.Version.Same(b.Version)
	})
}

// summarizeAsked keeps a forged degree from becoming a division of nothing.
func summarizeAsked(reads []Read, degree uint32) *Summary {
	if degree < 2 || degree > 1<<20 {
		return nil
	}
	return summarize(reads, degree)
}

func (s *Summary) same(other *Summary) bool {
	return other != nil && s.MaxDegree == other.MaxDegree && s.MaxLevel == other.MaxLevel &&
		slices.EqualFunc(s.Hashes, other.Hashes, bytes.Equal)
}

// Apply makes a transaction that passed Check part of the state. The error
// wraps ErrHalts when a real peer would stop at it.
func (b *Block) Apply(index uint64, set Set) error {
	if err := b.metadataOfDeleted(set); err != nil {
		return err
	}
	before := map[string]bool{}
	for _, written := range places(set) {
		before[written.place] = b.exists(written)
	}
	if err := b.state.Apply(set, Version{Block: b.Number, Transaction: index}); err != nil {
		return err
	}
	for _, written := range places(set) {
		// Metadata alone on a key that does not exist is no change, so it is no conflict.
		if written.metadataOnly && !before[written.place] {
			continue
		}
		b.touched[written.place] = true
		b.removed[written.place] = !b.exists(written)
	}
	return nil
}

// metadataOfDeleted finds what makes Fabric 3.1.1 panic: metadata alone for a
// key that an earlier transaction of the same block deleted.
func (b *Block) metadataOfDeleted(set Set) error {
	for _, written := range places(set) {
		if written.metadataOnly && b.removed[written.place] {
			return fmt.Errorf("metadata of key %q, deleted in the same block: %w", written.key, ErrHalts)
		}
	}
	return nil
}

// written is one key of a set, in the one space it belongs to.
type written struct {
	collection   string
	key          string
	place        string
	metadataOnly bool
}

func (b *Block) exists(one written) bool {
	keys := b.state.public
	if one.collection != "" {
		keys = in(b.state.hashes, one.collection)
	}
	_, found := keys.get(one.key)
	return found
}

func places(set Set) []written {
	all := placesOf("", publicChanges(set))
	for _, collection := range set.Collections {
		all = append(all, placesOf(collection.Name, hashedChanges(collection))...)
	}
	return all
}

func placesOf(collection string, all *changes) []written {
	var found []written
	for _, key := range all.order {
		flags := all.byKey[key].flags
		found = append(found, written{
			collection: collection, key: key, place: place(collection, key),
			metadataOnly: flags&(keyDeleted|valueWritten) == 0,
		})
	}
	return found
}

// place names a key among all spaces; a collection's name holds no zero byte.
func place(collection, key string) string { return collection + "\x00" + key }
