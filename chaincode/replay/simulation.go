package replay

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
)

// simulation gathers what one transaction reads and writes. Its writes go into
// the write set only: no read ever sees them.
type simulation struct {
	state *State
	view  View
	// creator is the MSP of the client, for collections that only members may use.
	creator string
	id      string
	channel string

	reads    map[string]*Version
	writes   map[string][]byte
	metadata map[string][]Entry
	ranges   []*rangeQuery
	secrets  map[string]*secret // by collection

	wrote          bool
	queriedPrivate bool
	queriedPages   bool
}

// secret is what a transaction does in one collection.
type secret struct {
	reads    map[string]*Version
	writes   map[string]privateWrite
	metadata map[string][]Entry
}

type privateWrite struct {
	value []byte
	purge bool
}

func newSimulation(state *State, view View, proposal Proposal) *simulation {
	return &simulation{
		state: state, view: view, creator: MSPOf(proposal.Creator), id: proposal.TransactionID,
		channel: proposal.Channel,
		reads:   map[string]*Version{}, writes: map[string][]byte{}, metadata: map[string][]Entry{},
		secrets: map[string]*secret{},
	}
}

func (s *simulation) secret(collection string) *secret {
	one, found := s.secrets[collection]
	if !found {
		one = &secret{reads: map[string]*Version{}, writes: map[string]privateWrite{}, metadata: map[string][]Entry{}}
		s.secrets[collection] = one
	}
	return one
}

func (s *simulation) read(key string) Value {
	value, exists := s.state.Get(key)
	if !exists {
		s.reads[key] = nil
		return Value{}
	}
	s.reads[key] = &value.Version
	return value
}

// mayWrite refuses a write after a query whose results the commit cannot check.
func (s *simulation) mayWrite() error {
	if s.queriedPrivate {
		return fmt.Errorf("txid [%s]: unsuppored transaction. Transaction has already performed queries on pvt data. Writes are not allowed", s.id)
	}
	if s.queriedPages {
		return fmt.Errorf("txid [%s]: unsuppored transaction. Transaction has already performed a paginated query. Writes are not allowed", s.id)
	}
	s.wrote = true
	return nil
}

func (s *simulation) write(key string, value []byte) error {
	if err := s.mayWrite(); err != nil {
		return err
	}
	s.writes[key] = value
	return nil
}

func (s *simulation) describe(key string, entries []Entry) error {
	if err := s.mayWrite(); err != nil {
		return err
	}
	s.metadata[key] = entries
	return nil
}

// permission asks whether the client's organisation may read or write a collection.
func (s *simulation) permission(collection string, reading bool) error {
	rule, found := s.view.collection(collection)
	if !found {
		return fmt.Errorf("collection %s/%s/%s could not be found", s.channel, s.state.Namespace, collection)
	}
	if rule.Has(s.creator) {
		return nil
	}
	if reading && rule.MemberOnlyRead {
		return fmt.Errorf("tx creator does not have read access permission on privatedata in chaincodeName:%s collectionName: %s",
			s.state.Namespace, collection)
	}
	if !reading && rule.MemberOnlyWrite {
		return fmt.Errorf("tx creator does not have write access permission on privatedata in chaincodeName:%s collectionName: %s",
			s.state.Namespace, collection)
	}
	return nil
}

// holds says whether this peer is sent the values of a collection.
func (s *simulation) holds(collection string) bool {
	rule, found := s.view.collection(collection)
	return found && (s.view.MSP == "" || rule.Has(s.view.MSP))
}

func (s *simulation) privateValue(collection, key string) (Value, *Version) {
	if !s.holds(collection) {
		return Value{}, nil
	}
	value, known := s.state.GetPrivate(collection, key)
	if !known {
		return Value{}, nil
	}
	return value, &value.Version
}

// readPrivate refuses a value that is not the one whose hash everybody agreed
// on: the peer is no member, or has not received it.
func (s *simulation) readPrivate(collection, key string) ([]byte, error) {
	if err := s.permission(collection, true); err != nil {
		return nil, err
	}
	value, version := s.privateValue(collection, key)
	var public *Version
	if hashed, exists := s.state.GetPrivateHash(collection, key); exists {
		public = &hashed.Version
	}
	if !public.Same(version) {
		return nil, fmt.Errorf("private data matching public hash version is not available. Public hash version = %s, Private data version = %s",
			public, version)
	}
	s.secret(collection).reads[key] = version
	return value.Data, nil
}

// readSeveralPrivate does not compare with the hashes, because the peer does
// not: a value that was not received reads as absent, and fails at commit.
func (s *simulation) readSeveralPrivate(collection string, keys []string) ([][]byte, error) {
	if err := s.permission(collection, true); err != nil {
		return nil, err
	}
	var values [][]byte
	for _, key := range keys {
		value, version := s.privateValue(collection, key)
		s.secret(collection).reads[key] = version
		values = append(values, value.Data)
	}
	return values, nil
}

func (s *simulation) readPrivateHash(collection, key string) (Value, error) {
	if _, found := s.view.collection(collection); !found {
		return Value{}, fmt.Errorf("collection [%s] not defined in the collection config for chaincode [%s]",
			collection, s.state.Namespace)
	}
	value, exists := s.state.GetPrivateHash(collection, key)
	if !exists {
		s.secret(collection).reads[key] = nil
		return Value{}, nil
	}
	s.secret(collection).reads[key] = &value.Version
	return value, nil
}

func (s *simulation) writePrivate(collection, key string, write privateWrite) error {
	if err := s.permission(collection, false); err != nil {
		return err
	}
	if err := s.mayWrite(); err != nil {
		return err
	}
	s.secret(collection).writes[key] = write
	return nil
}

func (s *simulation) describePrivate(collection, key string, entries []Entry) error {
	if err := s.permission(collection, false); err != nil {
		return err
	}
	if err := s.mayWrite(); err != nil {
		return err
	}
	s.secret(collection).metadata[key] = entries
	return nil
}

// results turns what was gathered into the sorted sets of a peer.
func (s *simulation) results() (Results, []PrivateWrites, error) {
	set := Set{Namespace: s.state.Namespace, Ranges: rangesOf(s.ranges)}
	for _, key := range sorted(s.reads) {
		set.Reads = append(set.Reads, Read{Key: key, Version: s.reads[key]})
	}
	for _, key := range sorted(s.writes) {
		set.Writes = append(set.Writes, writeOf(key, s.writes[key]))
	}
	for _, key := range sorted(s.metadata) {
		set.Metadata = append(set.Metadata, Metadata{Key: key, Entries: s.metadata[key]})
	}
	var privates []PrivateWrites
	for _, name := range sorted(s.secrets) {
		collection, private, err := s.secrets[name].results(name)
		if err != nil {
			return nil, nil, err
		}
		set.Collections = append(set.Collections, collection)
		if len(private.Writes)+len(private.Metadata) > 0 {
			privates = append(privates, private)
		}
	}
	if s.idle() {
		return nil, nil, nil
	}
	return Results{set}, privates, nil
}

// idle says that the namespace was not touched at all, and then has no set.
func (s *simulation) idle() bool {
	return len(s.reads)+len(s.writes)+len(s.metadata)+len(s.ranges)+len(s.secrets) == 0
}

func (c *secret) results(name string) (Collection, PrivateWrites, error) {
	collection, private := Collection{Name: name}, PrivateWrites{Collection: name}
	for _, key := range sorted(c.reads) {
		collection.Reads = append(collection.Reads, HashedRead{KeyHash: digestOf([]byte(key)), Version: c.reads[key]})
	}
	for _, key := range sorted(c.writes) {
		write := writeOf(key, c.writes[key].value)
		hashed := HashedWrite{KeyHash: digestOf([]byte(key)), Delete: write.Delete, Purge: c.writes[key].purge}
		if !write.Delete {
			hashed.ValueHash = digestOf(write.Value)
		}
		collection.Writes = append(collection.Writes, hashed)
		private.Writes = append(private.Writes, write)
	}
	for _, key := range sorted(c.metadata) {
		collection.Metadata = append(collection.Metadata,
			HashedMetadata{KeyHash: digestOf([]byte(key)), Entries: c.metadata[key]})
		private.Metadata = append(private.Metadata, key)
	}
	if len(private.Writes)+len(private.Metadata) == 0 {
		return collection, private, nil
	}
	data, err := private.Marshal()
	collection.PrivateHash = digestOf(data)
	return collection, private, err
}

func writeOf(key string, value []byte) Write {
	return Write{Key: key, Value: value, Delete: len(value) == 0}
}

func digestOf(data []byte) []byte {
	digest := sha256.Sum256(data)
	return digest[:]
}

func sorted[V any](values map[string]V) []string { return slices.Sorted(maps.Keys(values)) }
