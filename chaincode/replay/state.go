package replay

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"iter"
	"maps"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// Value is what the state holds under one key.
type Value struct {
	Data    []byte
	Version Version
	// metadata is kept in Fabric's own spelling, so that the digest sees every byte of it.
	metadata []byte
}

// Policy is the key-level endorsement policy, a SignaturePolicyEnvelope; empty
// when the chaincode's policy governs the key.
func (v Value) Policy() []byte { return metadataOf(v.metadata)[validationParameter] }

var validationParameter = peer.MetaDataKeys_VALIDATION_PARAMETER.String()

// State is the world state of one chaincode on one channel: its public keys, the
// hashes of its private keys, and as many of the private values as are known.
// It is not safe for use by several goroutines at once.
type State struct {
	Namespace string
	public    *ordered
	hashes    map[string]*ordered // by collection; key hash to value hash
	private   map[string]*ordered // by collection; key to value
}

// NewState is the state of a chaincode before its first block.
func NewState(namespace string) *State {
	return &State{
		Namespace: namespace, public: newOrdered(),
		hashes: map[string]*ordered{}, private: map[string]*ordered{},
	}
}

// Clone copies a state, so that one peer can stay behind while another goes on.
// Values are shared: nothing ever writes into one.
func (s *State) Clone() *State {
	copied := NewState(s.Namespace)
	copied.public = s.public.clone()
	for collection, keys := range s.hashes {
		copied.hashes[collection] = keys.clone()
	}
	for collection, keys := range s.private {
		copied.private[collection] = keys.clone()
	}
	return copied
}

// Get returns a public value.
func (s *State) Get(key string) (Value, bool) { return s.public.get(key) }

// Len is the number of public keys.
func (s *State) Len() int { return len(s.public.values) }

// All visits the public keys in order.
func (s *State) All() iter.Seq2[string, Value] { return s.Between("", "") }

// Between visits the public keys from start (inclusive) to end (exclusive; empty
// means to the last key), in order.
func (s *State) Between(start, end string) iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for _, key := range s.public.between(start, end) {
			if !yield(key, s.public.values[key]) {
				return
			}
		}
	}
}

// GetPrivate returns a private value, if it is known here.
func (s *State) GetPrivate(collection, key string) (Value, bool) {
	return in(s.private, collection).get(key)
}

// GetPrivateHash returns the hash of a private value, which every peer knows.
func (s *State) GetPrivateHash(collection, key string) (Value, bool) {
	hashed := sha256.Sum256([]byte(key))
	return in(s.hashes, collection).get(string(hashed[:]))
}

// Digest is a SHA-256 over everything that all peers hold alike: public keys and
// the hashes of private ones, each with value, metadata and version.
func (s *State) Digest() [sha256.Size]byte {
	digest := sha256.New()
	absorb(digest, s.Namespace, s.public)
	for _, collection := range slices.Sorted(maps.Keys(s.hashes)) {
		if len(s.hashes[collection].values) > 0 {
			absorb(digest, collection, s.hashes[collection])
		}
	}
	return [sha256.Size]byte(digest.Sum(nil))
}

func absorb(digest hash.Hash, name string, keys *ordered) {
	var buffer []byte
	field := func(data []byte) {
		buffer = binary.BigEndian.AppendUint64(buffer, uint64(len(data)))
		buffer = append(buffer, data...)
	}
	field([]byte(name))
	buffer = binary.BigEndian.AppendUint64(buffer, uint64(len(keys.values)))
	for _, key := range keys.between("", "") {
		value := keys.values[key]
		field([]byte(key))
		field(value.Data)
		field(value.metadata)
		buffer = binary.BigEndian.AppendUint64(buffer, value.Version.Block)
		buffer = binary.BigEndian.AppendUint64(buffer, value.Version.Transaction)
		digest.Write(buffer)
		buffer = buffer[:0]
	}
	digest.Write(buffer)
}

// Apply makes a valid transaction part of the state. The error is one that stops
// a real peer: it says so.
func (s *State) Apply(set Set, version Version) error {
	if set.Namespace != s.Namespace {
		return fmt.Errorf("a set of namespace %q cannot become part of the state of %q", set.Namespace, s.Namespace)
	}
	if err := applyTo(s.public, publicChanges(set), version); err != nil {
		return err
	}
	for _, collection := range set.Collections {
		if err := applyTo(in(s.hashes, collection.Name), hashedChanges(collection), version); err != nil {
			return err
		}
		s.purge(collection)
	}
	return nil
}

// ApplyPrivate adds the private values of a valid transaction, after Apply. It
// refuses a private set that is not the one whose hash the block carries.
func (s *State) ApplyPrivate(set Set, private PrivateWrites, version Version) error {
	data, err := private.Marshal()
	if err != nil {
		return err
	}
	digest := sha256.Sum256(data)
	for _, collection := range set.Collections {
		if collection.Name == private.Collection && bytes.Equal(collection.PrivateHash, digest[:]) {
			s.addPrivate(private, version)
			return nil
		}
	}
	return fmt.Errorf("the private write set of %q is not the one whose hash the block carries", private.Collection)
}

func (s *State) addPrivate(private PrivateWrites, version Version) {
	keys := in(s.private, private.Collection)
	for _, write := range private.Writes {
		if write.Deletes() {
			keys.remove(write.Key)
			continue
		}
		keys.set(write.Key, Value{Data: write.Value, Version: version})
	}
	for _, key := range private.Metadata {
		s.renew(private.Collection, key)
	}
}

// renew gives a private value the version of its hash. A change of metadata
// alone moves the hash's version, and a private read compares the two.
func (s *State) renew(collection, key string) {
	value, known := s.GetPrivate(collection, key)
	hashed, exists := s.GetPrivateHash(collection, key)
	digest := sha256.Sum256(value.Data)
	if known && exists && bytes.Equal(hashed.Data, digest[:]) {
		value.Version = hashed.Version
		in(s.private, collection).set(key, value)
	}
}

// purge drops the private values that a transaction purged, also where its
// private set was not received: a purged value must not stay anywhere.
func (s *State) purge(collection Collection) {
	gone := map[string]bool{}
	for _, write := range collection.Writes {
		if write.Purge {
			gone[string(write.KeyHash)] = true
		}
	}
	keys := in(s.private, collection.Name)
	if len(gone) == 0 || len(keys.values) == 0 {
		return
	}
	for _, key := range keys.between("", "") {
		if gone[string(digestOf([]byte(key)))] {
			keys.remove(key)
		}
	}
}

func in(collections map[string]*ordered, name string) *ordered {
	keys, found := collections[name]
	if !found {
		keys = newOrdered()
		collections[name] = keys
	}
	return keys
}

func metadataOf(data []byte) map[string][]byte {
	message := &kvrwset.KVMetadataWrite{}
	if err := proto.Unmarshal(data, message); err != nil {
		return nil
	}
	entries := make(map[string][]byte, len(message.Entries))
	for _, entry := range message.Entries {
		entries[entry.Name] = entry.Value
	}
	return entries
}
