package replay

import (
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"google.golang.org/protobuf/proto"
)

// WriteSetOf reads the results of a transaction as a block carries them, the
// TxReadWriteSet, into the form in which Run returns them.
func WriteSetOf(results []byte) (Results, error) {
	message := &rwset.TxReadWriteSet{}
	if err := proto.Unmarshal(results, message); err != nil {
		return nil, fmt.Errorf("read and write set: %w", err)
	}
	if message.DataModel != rwset.TxReadWriteSet_KV {
		return nil, fmt.Errorf("read and write set: unknown data model %d", message.DataModel)
	}
	var read Results
	for _, namespace := range message.NsRwset {
		set, err := setOf(namespace)
		if err != nil {
			return nil, fmt.Errorf("read and write set of %q: %w", namespace.Namespace, err)
		}
		read = append(read, set)
	}
	return read, nil
}

func setOf(message *rwset.NsReadWriteSet) (Set, error) {
	public := &kvrwset.KVRWSet{}
	if err := proto.Unmarshal(message.Rwset, public); err != nil {
		return Set{}, err
	}
	set := Set{Namespace: message.Namespace, Reads: readsOf(public.Reads), Writes: writesOf(public.Writes)}
	for _, query := range public.RangeQueriesInfo {
		set.Ranges = append(set.Ranges, rangeOf(query))
	}
	for _, metadata := range public.MetadataWrites {
		set.Metadata = append(set.Metadata, Metadata{Key: metadata.Key, Entries: entriesOf(metadata.Entries)})
	}
	for _, hashed := range message.CollectionHashedRwset {
		collection, err := collectionOf(hashed)
		if err != nil {
			return Set{}, fmt.Errorf("collection %q: %w", hashed.CollectionName, err)
		}
		set.Collections = append(set.Collections, collection)
	}
	return set, nil
}

func collectionOf(message *rwset.CollectionHashedReadWriteSet) (Collection, error) {
	hashed := &kvrwset.HashedRWSet{}
	if err := proto.Unmarshal(message.HashedRwset, hashed); err != nil {
		return Collection{}, err
	}
	collection := Collection{Name: message.CollectionName, PrivateHash: message.PvtRwsetHash}
	for _, read := range hashed.HashedReads {
		collection.Reads = append(collection.Reads, HashedRead{KeyHash: read.KeyHash, Version: versionOf(read.Version)})
	}
	for _, write := range hashed.HashedWrites {
		collection.Writes = append(collection.Writes, HashedWrite{
			KeyHash: write.KeyHash, ValueHash: write.ValueHash, Delete: write.IsDelete, Purge: write.IsPurge,
		})
	}
	for _, metadata := range hashed.MetadataWrites {
		collection.Metadata = append(collection.Metadata,
			HashedMetadata{KeyHash: metadata.KeyHash, Entries: entriesOf(metadata.Entries)})
	}
	return collection, nil
}

func versionOf(version *kvrwset.Version) *Version {
	if version == nil {
		return nil
	}
	return &Version{Block: version.BlockNum, Transaction: version.TxNum}
}

func readsOf(messages []*kvrwset.KVRead) []Read {
	var reads []Read
	for _, read := range messages {
		reads = append(reads, Read{Key: read.Key, Version: versionOf(read.Version)})
	}
	return reads
}

func writesOf(messages []*kvrwset.KVWrite) []Write {
	var writes []Write
	for _, write := range messages {
		writes = append(writes, Write{Key: write.Key, Value: write.Value, Delete: write.IsDelete})
	}
	return writes
}

func entriesOf(messages []*kvrwset.KVMetadataEntry) []Entry {
	var entries []Entry
	for _, entry := range messages {
		entries = append(entries, Entry{Name: entry.Name, Value: entry.Value})
	}
	return entries
}

func rangeOf(message *kvrwset.RangeQueryInfo) Range {
	query := Range{Start: message.StartKey, End: message.EndKey, Exhausted: message.ItrExhausted}
	query.Reads = readsOf(message.GetRawReads().GetKvReads())
	if summary := message.GetReadsMerkleHashes(); summary != nil {
		query.Summary = &Summary{MaxDegree: summary.MaxDegree, MaxLevel: summary.MaxLevel, Hashes: summary.MaxLevelHashes}
	}
	return query
}

// Marshal writes the results as a peer does. A key that is not UTF-8 has no
// spelling there, which is the only way to fail.
func (r Results) Marshal() ([]byte, error) {
	message := &rwset.TxReadWriteSet{DataModel: rwset.TxReadWriteSet_KV}
	for _, set := range r {
		namespace, err := set.message()
		if err != nil {
			return nil, fmt.Errorf("read and write set of %q: %w", set.Namespace, err)
		}
		message.NsRwset = append(message.NsRwset, namespace)
	}
	return marshal(message)
}

// Marshal writes one set as a peer does.
func (s Set) Marshal() ([]byte, error) {
	message, err := s.message()
	if err != nil {
		return nil, err
	}
	return marshal(message)
}

func (s Set) message() (*rwset.NsReadWriteSet, error) {
	public := &kvrwset.KVRWSet{Reads: readMessages(s.Reads), Writes: writeMessages(s.Writes)}
	for _, query := range s.Ranges {
		public.RangeQueriesInfo = append(public.RangeQueriesInfo, query.message())
	}
	for _, metadata := range s.Metadata {
		public.MetadataWrites = append(public.MetadataWrites,
			&kvrwset.KVMetadataWrite{Key: metadata.Key, Entries: entryMessages(metadata.Entries)})
	}
	body, err := marshal(public)
	if err != nil {
		return nil, err
	}
	message := &rwset.NsReadWriteSet{Namespace: s.Namespace, Rwset: body}
	for _, collection := range s.Collections {
		hashed, err := marshal(collection.message())
		if err != nil {
			return nil, err
		}
		message.CollectionHashedRwset = append(message.CollectionHashedRwset, &rwset.CollectionHashedReadWriteSet{
			CollectionName: collection.Name, HashedRwset: hashed, PvtRwsetHash: collection.PrivateHash,
		})
	}
	return message, nil
}

func (c Collection) message() *kvrwset.HashedRWSet {
	hashed := &kvrwset.HashedRWSet{}
	for _, read := range c.Reads {
		hashed.HashedReads = append(hashed.HashedReads,
			&kvrwset.KVReadHash{KeyHash: read.KeyHash, Version: read.Version.message()})
	}
	for _, write := range c.Writes {
		hashed.HashedWrites = append(hashed.HashedWrites, &kvrwset.KVWriteHash{
			KeyHash: write.KeyHash, ValueHash: write.ValueHash, IsDelete: write.Delete, IsPurge: write.Purge,
		})
	}
	for _, metadata := range c.Metadata {
		hashed.MetadataWrites = append(hashed.MetadataWrites,
			&kvrwset.KVMetadataWriteHash{KeyHash: metadata.KeyHash, Entries: entryMessages(metadata.Entries)})
	}
	return hashed
}

// Marshal writes the private set of one collection; its SHA-256 stands in the
// block as the PrivateHash of the collection.
func (p PrivateWrites) Marshal() ([]byte, error) {
	message := &kvrwset.KVRWSet{Writes: writeMessages(p.Writes)}
	for _, key := range p.Metadata {
		message.MetadataWrites = append(message.MetadataWrites, &kvrwset.KVMetadataWrite{Key: key})
	}
	return marshal(message)
}

// PrivateWritesOf reads what Marshal of PrivateWrites wrote, as the peer's
// private data store gives it out.
func PrivateWritesOf(collection string, data []byte) (PrivateWrites, error) {
	message := &kvrwset.KVRWSet{}
	if err := proto.Unmarshal(data, message); err != nil {
		return PrivateWrites{}, fmt.Errorf("private write set of %q: %w", collection, err)
	}
	private := PrivateWrites{Collection: collection, Writes: writesOf(message.Writes)}
	for _, metadata := range message.MetadataWrites {
		private.Metadata = append(private.Metadata, metadata.Key)
	}
	return private, nil
}

func (v *Version) message() *kvrwset.Version {
	if v == nil {
		return nil
	}
	return &kvrwset.Version{BlockNum: v.Block, TxNum: v.Transaction}
}

func readMessages(reads []Read) []*kvrwset.KVRead {
	var messages []*kvrwset.KVRead
	for _, read := range reads {
		messages = append(messages, &kvrwset.KVRead{Key: read.Key, Version: read.Version.message()})
	}
	return messages
}

func writeMessages(writes []Write) []*kvrwset.KVWrite {
	var messages []*kvrwset.KVWrite
	for _, write := range writes {
		messages = append(messages, &kvrwset.KVWrite{Key: write.Key, Value: write.Value, IsDelete: write.Delete})
	}
	return messages
}

func entryMessages(entries []Entry) []*kvrwset.KVMetadataEntry {
	var messages []*kvrwset.KVMetadataEntry
	for _, entry := range entries {
		messages = append(messages, &kvrwset.KVMetadataEntry{Name: entry.Name, Value: entry.Value})
	}
	return messages
}

func (q Range) message() *kvrwset.RangeQueryInfo {
	message := &kvrwset.RangeQueryInfo{StartKey: q.Start, EndKey: q.End, ItrExhausted: q.Exhausted}
	switch {
	case q.Summary != nil:
		message.ReadsInfo = &kvrwset.RangeQueryInfo_ReadsMerkleHashes{ReadsMerkleHashes: &kvrwset.QueryReadsMerkleSummary{
			MaxDegree: q.Summary.MaxDegree, MaxLevel: q.Summary.MaxLevel, MaxLevelHashes: q.Summary.Hashes,
		}}
	case len(q.Reads) > 0:
		message.ReadsInfo = &kvrwset.RangeQueryInfo_RawReads{
			RawReads: &kvrwset.QueryReads{KvReads: readMessages(q.Reads)},
		}
	}
	return message
}

// marshal is deterministic so that two replicas can be compared byte for byte
// without the encoder adding differences of its own.
func marshal(message proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(message)
}
