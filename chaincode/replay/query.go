package replay

import (
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/queryresult"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// The peer sends results of a range query to the chaincode in batches, and what
// it has sent counts as read, whether the contract looks at it or not. Both
// figures are those of Fabric 3.1.1 and of its sample configuration.
const (
	batchResults = 100
	totalResults = 100_000
)

// rangeQuery is one range query and how far the peer has read for it.
type rangeQuery struct {
	info     Range
	end      string
	keys     []string
	limit    int // of a page; 0 for none
	total    int // after which the peer stops without looking further
	fetched  int
	public   bool
	readKeys func(key string) Value
}

func rangesOf(queries []*rangeQuery) []Range {
	var all []Range
	seen := map[string]bool{}
	for _, query := range queries {
		info := query.info
		// The peer keeps one record of queries that look alike.
		name := fmt.Sprintf("%q %q %t", info.Start, info.End, info.Exhausted)
		if seen[name] {
			continue
		}
		seen[name] = true
		if info.Summary = summarize(info.Reads, maxDegree); info.Summary != nil {
			info.Reads = nil
		}
		all = append(all, info)
	}
	return all
}

// next reads one more key and notes it for the check at commit.
func (q *rangeQuery) next() (string, Value, bool) {
	if q.fetched >= len(q.keys) || (q.limit > 0 && q.fetched >= q.limit) {
		q.info.Exhausted = true
		q.info.End = q.end
		return "", Value{}, false
	}
	key := q.keys[q.fetched]
	value := q.readKeys(key)
	q.fetched++
	q.info.End = key
	if q.public {
		q.info.Reads = append(q.info.Reads, Read{Key: key, Version: &value.Version})
	}
	return key, value, true
}

// results is the chaincode's side of a range query.
type results struct {
	query     *rangeQuery
	namespace string
	paginated bool
	returned  int
	batch     []*queryresult.KV
	pending   []*queryresult.KV
	at        int
	more      bool
}

// fetch fills the next batch. It reads one key beyond a full batch to learn
// whether there is more, and that key counts as read too.
func (r *results) fetch() {
	r.batch, r.at, r.more = nil, 0, false
	for r.returned < r.query.total {
		key, value, found := r.query.next()
		if !found {
			break
		}
		item := &queryresult.KV{Namespace: r.namespace, Key: key, Value: value.Data}
		r.returned++
		if !r.paginated && len(r.pending) == batchResults {
			r.batch, r.pending, r.more = r.pending, []*queryresult.KV{item}, true
			return
		}
		r.pending = append(r.pending, item)
	}
	r.batch, r.pending = r.pending, nil
}

// HasNext says whether Next has another result.
func (r *results) HasNext() bool { return r.at < len(r.batch) || r.more }

// Next returns the next result.
func (r *results) Next() (*queryresult.KV, error) {
	if r.at >= len(r.batch) {
		return nil, errors.New("no such key")
	}
	item := r.batch[r.at]
	r.at++
	if r.at == len(r.batch) && r.more {
		r.fetch()
	}
	return item, nil
}

// Close ends the query; what was read stays read.
func (r *results) Close() error { return nil }

// page is what a paginated query says about itself.
func (r *results) page() *peer.QueryResponseMetadata {
	if !r.paginated {
		return &peer.QueryResponseMetadata{}
	}
	bookmark := ""
	if r.query.fetched < len(r.query.keys) {
		bookmark = r.query.keys[r.query.fetched]
	}
	return &peer.QueryResponseMetadata{FetchedRecordsCount: int32(r.returned), Bookmark: bookmark}
}

// scan starts a range query on public keys.
func (s *simulation) scan(start, end string, pageSize int32, bookmark string) (*results, error) {
	paginated := pageSize != 0 || bookmark != ""
	if paginated {
		if s.wrote {
			return nil, fmt.Errorf("txid [%s]: unsuppored transaction. Paginated queries are supported only in a read-only transaction", s.id)
		}
		s.queriedPages = true
		if bookmark != "" {
			start = bookmark
		}
	}
	query := &rangeQuery{
		info: Range{Start: start}, end: end, public: true, total: totalResults,
		keys:     s.state.public.between(start, end),
		readKeys: func(key string) Value { value, _ := s.state.Get(key); return value },
	}
	if pageSize > 0 {
		query.limit = int(pageSize)
		query.total = min(query.total, int(pageSize))
	}
	s.ranges = append(s.ranges, query)
	found := &results{query: query, namespace: s.state.Namespace, paginated: paginated}
	found.fetch()
	return found, nil
}

// scanPrivate starts a range query on the private values that this peer holds.
// Nothing checks it at commit, so nothing may be written beside it.
func (s *simulation) scanPrivate(collection, start, end string) (*results, error) {
	if err := s.permission(collection, true); err != nil {
		return nil, err
	}
	if s.wrote {
		return nil, fmt.Errorf("txid [%s]: unsuppored transaction. Queries on pvt data is supported only in a read-only transaction", s.id)
	}
	s.queriedPrivate = true
	query := &rangeQuery{end: end, total: totalResults}
	query.readKeys = func(key string) Value { value, _ := s.state.GetPrivate(collection, key); return value }
	if s.holds(collection) {
		query.keys = in(s.state.private, collection).between(start, end)
	}
	found := &results{query: query, namespace: s.state.Namespace}
	found.fetch()
	return found, nil
}
