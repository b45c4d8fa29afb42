// Package replay runs one transaction of the contracts against a world state in
// memory, exactly as a peer would: the same reads, the same refusals of the
// peer, the same write set byte for byte.
//
// `lianbao audit` replays every block with it and compares what comes out with
// what the block says; `peertest` builds a whole peer for tests on top of it.
package replay

import "fmt"

// Version is where a key was last written. Fabric gives the first block number
// 0 and the first transaction in a block number 0.
type Version struct {
	Block       uint64
	Transaction uint64
}

// String spells a version the way the peer does, because private reads carry it
// in an error that a contract may pass on.
func (v *Version) String() string {
	if v == nil {
		return "<nil>"
	}
	return fmt.Sprintf("{BlockNum: %d, TxNum: %d}", v.Block, v.Transaction)
}

// Same compares two versions; nil is the version of a key that does not exist.
func (v *Version) Same(other *Version) bool {
	if v == nil || other == nil {
		return v == other
	}
	return *v == *other
}

// Read is one key that a transaction looked at. A nil version says that the key
// did not exist, which is as much a fact as a value.
type Read struct {
	Key     string
	Version *Version
}

// Range is one range query, with what it found: the reads themselves up to 50,
// a Merkle summary of them beyond.
type Range struct {
	Start     string
	End       string // the last key seen when the query was left early
	Exhausted bool
	Reads     []Read
	Summary   *Summary
}

// Summary is Fabric's hash tree over the results of a large range query.
type Summary struct {
	MaxDegree uint32
	MaxLevel  uint32
	Hashes    [][]byte
}

// Write is one key that a transaction sets or deletes. An empty value deletes,
// whatever Delete says.
type Write struct {
	Key    string
	Value  []byte
	Delete bool
}

// Deletes says whether the key is gone afterwards.
func (w Write) Deletes() bool { return w.Delete || len(w.Value) == 0 }

// Entry is one named piece of metadata of a key; the key-level endorsement
// policy is the only one that Fabric knows.
type Entry struct {
	Name  string
	Value []byte
}

// Metadata replaces all metadata of a key. No entries at all remove it.
type Metadata struct {
	Key     string
	Entries []Entry
}

// HashedRead is a Read of a private key, of which the block only knows the hash.
type HashedRead struct {
	KeyHash []byte
	Version *Version
}

// HashedWrite is a Write of a private key as the block shows it.
type HashedWrite struct {
	KeyHash   []byte
	ValueHash []byte
	Delete    bool
	Purge     bool
}

// HashedMetadata is the Metadata of a private key as the block shows it.
type HashedMetadata struct {
	KeyHash []byte
	Entries []Entry
}

// Collection is what a transaction did in one private data collection, as the
// block shows it.
type Collection struct {
	Name     string
	Reads    []HashedRead
	Writes   []HashedWrite
	Metadata []HashedMetadata
	// PrivateHash is the SHA-256 of the private write set; empty when nothing was written.
	PrivateHash []byte
}

// Set is the read and write set of one transaction in one namespace. All lists
// but Ranges are sorted by key.
type Set struct {
	Namespace   string
	Reads       []Read
	Ranges      []Range
	Writes      []Write
	Metadata    []Metadata
	Collections []Collection
}

// PrivateWrites is the private write set of one collection: what a block does
// not show, and members receive apart from it.
type PrivateWrites struct {
	Collection string
	Writes     []Write
	Metadata   []string // keys whose hashed metadata changed
}

// Results are the sets of one transaction in all its namespaces. A real peer
// adds reads of `_lifecycle` to those of the chaincode.
type Results []Set

// In returns the set of a namespace, empty when the transaction did not touch it.
func (r Results) In(namespace string) Set {
	for _, set := range r {
		if set.Namespace == namespace {
			return set
		}
	}
	return Set{Namespace: namespace}
}

// OnlyWrites is the part of a set that changes the state. Two honest peers of
// different heights may differ in reads; an audit compares writes.
func (s Set) OnlyWrites() Set {
	writes := Set{Namespace: s.Namespace, Writes: s.Writes, Metadata: s.Metadata}
	for _, collection := range s.Collections {
		if len(collection.Writes) == 0 && len(collection.Metadata) == 0 {
			continue
		}
		collection.Reads = nil
		writes.Collections = append(writes.Collections, collection)
	}
	return writes
}
