package readmodel

import (
	"cmp"
	"context"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"sort"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// The index from a gift's id to its page is a log-structured merge tree in
// blobs. A row a gift in a B-tree took 0.65 s of CPU for 200,000 gifts, half of
// all the work of an import; this takes a tenth, because a page adds one sorted run, and
// runs are merged some dozens at a time.
//
// On level 0 each page has a run of its own. A run is cut into buckets by the
// first bits of the hash, more on each level, so that a row keeps about the same
// size, and a search reads one row of each run.
const (
	mark         = 18      // bytes of one mark: hash, page, index of the gift on the page
	runsMax      = 16      // runs on a level before they become one on the next
	freshRunsMax = 256     // runs on level 0: a single gift is a page of its own
	freshMarks   = 1 << 14 // marks on level 0 before they become one run on level 1
	freshBits    = 3       // bits of the hash that choose a bucket on level 0,
	firstBits    = 8       // on level 1,
	levelBits    = 4       // and on each further level so many more
)

func giftHash(id tape.ID) uint64 {
	digest := fnv.New64a()
	_, _ = digest.Write([]byte(id))
	// FNV spreads its entropy to the low bits; the first bits choose the bucket.
	hash := digest.Sum64()
	hash ^= hash >> 32
	return hash * 0x9e3779b97f4a7c15
}

// bitsOf is how many bits of the hash choose the bucket on a level.
func bitsOf(level int) int {
	if level == 0 {
		return freshBits
	}
	return min(firstBits+levelBits*(level-1), 56)
}

func bucketOf(hash uint64, level int) int64 {
	return int64(hash >> (64 - bitsOf(level)))
}

// index adds the gifts of one page.
func (w *writer) index(page ordinal, gifts []tape.Gift) error {
	marks := make([]byte, 0, len(gifts)*mark)
	for i, gift := range gifts {
		marks = binary.BigEndian.AppendUint64(marks, giftHash(gift.ID))
		marks = binary.BigEndian.AppendUint64(marks, uint64(page))
		marks = binary.BigEndian.AppendUint16(marks, uint16(i))
	}
	if err := w.run(0, page, marks); err != nil {
		return err
	}
	runs, fresh, err := w.runs(0)
	if err != nil || runs < freshRunsMax && fresh < freshMarks {
		return err
	}
	return w.merge(0, page)
}

// run writes marks as rows of a run, one for each bucket that is not empty.
func (w *writer) run(level int, run ordinal, marks []byte) error {
	// The row in bucket -1 stands for the run and counts its marks.
	if err := w.exec("INSERT INTO gift_runs VALUES (?, -1, ?, ?, x'') ON CONFLICT DO UPDATE SET marks = marks + excluded.marks",
		level, int64(run), len(marks)/mark); err != nil {
		return err
	}
	marks = sorted(marks)
	for len(marks) > 0 {
		bucket := bucketOf(binary.BigEndian.Uint64(marks), level)
		end := mark * sort.Search(len(marks)/mark, func(i int) bool { return bucketOf(binary.BigEndian.Uint64(marks[i*mark:]), level) > bucket })
		if err := w.exec("INSERT INTO gift_runs VALUES (?, ?, ?, ?, ?)", level, bucket, int64(run), end/mark, marks[:end]); err != nil {
			return err
		}
		marks = marks[end:]
	}
	return nil
}

// runs counts the runs of a level and their marks.
func (w *writer) runs(level int) (runs, marks int64, err error) {
	_, err = w.get("SELECT count(*), coalesce(sum(marks), 0) FROM gift_runs WHERE level = ? AND bucket = -1", []any{level}, &runs, &marks)
	return runs, marks, err
}

// sorted puts marks in the order of their bytes, which is that of hash, page and index.
func sorted(marks []byte) []byte {
	type number struct {
		hash, page uint64
		index      uint16
	}
	list := make([]number, 0, len(marks)/mark)
	for m := range slices.Chunk(marks, mark) {
		list = append(list, number{binary.BigEndian.Uint64(m), binary.BigEndian.Uint64(m[8:]), binary.BigEndian.Uint16(m[16:])})
	}
	slices.SortFunc(list, func(a, b number) int {
		if a.hash != b.hash {
			return cmp.Compare(a.hash, b.hash)
		}
		return cmp.Or(cmp.Compare(a.page, b.page), cmp.Compare(a.index, b.index))
	})
	ordered := make([]byte, 0, len(marks))
	for _, n := range list {
		ordered = binary.BigEndian.AppendUint64(ordered, n.hash)
		ordered = binary.BigEndian.AppendUint64(ordered, n.page)
		ordered = binary.BigEndian.AppendUint16(ordered, n.index)
	}
	return ordered
}

// merge makes the runs of a level one run of the next, named after the page that caused it.
func (w *writer) merge(level int, run ordinal) error {
	var buckets []int64
	err := w.each("SELECT DISTINCT bucket FROM gift_runs WHERE level = ? AND bucket >= 0", []any{level}, func(scan func(...any) error) error {
		var bucket int64
		defer func() { buckets = append(buckets, bucket) }()
		return scan(&bucket)
	})
	if err != nil {
		return err
	}
	for _, bucket := range buckets {
		if err := w.mergeBucket(level, bucket, run); err != nil {
			return err
		}
	}
	if err := w.exec("DELETE FROM gift_runs WHERE level = ?", level); err != nil {
		return err
	}
	runs, _, err := w.runs(level + 1)
	if err != nil || runs < runsMax {
		return err
	}
	return w.merge(level+1, run)
}

func (w *writer) mergeBucket(level int, bucket int64, run ordinal) error {
	var marks []byte
	err := w.each("SELECT body FROM gift_runs WHERE level = ? AND bucket = ?", []any{level, bucket}, func(scan func(...any) error) error {
		var body []byte
		err := scan(&body)
		marks = append(marks, body...)
		return err
	})
	if err != nil {
		return err
	}
	return w.run(level+1, run, marks)
}

// candidate is where a gift with a hash stands; two ids may share a hash.
type candidate struct {
	page  ordinal
	index int
}

// candidates finds all gifts with the hash of an id, in ledger order.
func (s *session) candidates(ctx context.Context, id tape.ID) ([]candidate, error) {
	hash := giftHash(id)
	var levels int
	if _, err := s.get(ctx, "SELECT coalesce(max(level), -1) FROM gift_runs", nil, &levels); err != nil {
		return nil, err
	}
	var found []candidate
	for level := 0; level <= levels; level++ {
		err := s.each(ctx, "SELECT body FROM gift_runs WHERE level = ? AND bucket = ?", []any{level, bucketOf(hash, level)}, func(scan func(...any) error) error {
			var body []byte
			if err := scan(&body); err != nil {
				return err
			}
			found = append(found, inRun(body, hash)...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	sort.Slice(found, func(a, b int) bool {
		return found[a].page < found[b].page || found[a].page == found[b].page && found[a].index < found[b].index
	})
	return found, nil
}

func inRun(body []byte, hash uint64) []candidate {
	var found []candidate
	n := len(body) / mark
	first := sort.Search(n, func(i int) bool { return binary.BigEndian.Uint64(body[i*mark:]) >= hash })
	for i := first; i < n && binary.BigEndian.Uint64(body[i*mark:]) == hash; i++ {
		found = append(found, candidate{ordinal(binary.BigEndian.Uint64(body[i*mark+8:])), int(binary.BigEndian.Uint16(body[i*mark+16:]))})
	}
	return found
}
