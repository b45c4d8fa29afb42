package replay

import (
	"crypto/sha256"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
)

// maxDegree is how many reads of a range query a peer writes out; more become a
// hash tree of that degree.
const maxDegree = 50

// summarize builds Fabric's hash tree over the results of a range query, or
// returns nil while there are few enough to be written out. Each level collects
// maxDegree+1 nodes of the one below into one hash.
func summarize(reads []Read, degree uint32) *Summary {
	if uint32(len(reads)) <= degree {
		return nil
	}
	tree := &rangeTree{degree: int(degree), levels: [][][]byte{nil}}
	width := int(degree) + 1
	for from := 0; from < len(reads); from += width {
		tree.add(hashOfReads(reads[from:min(from+width, len(reads))]))
	}
	tree.finish()
	top := len(tree.levels) - 1
	return &Summary{MaxDegree: degree, MaxLevel: uint32(top + 1), Hashes: tree.levels[top]}
}

func hashOfReads(reads []Read) []byte {
	// Keys in the state have been read from a block, so they are UTF-8.
	data, _ := marshal(&kvrwset.QueryReads{KvReads: readMessages(reads)})
	digest := sha256.Sum256(data)
	return digest[:]
}

type rangeTree struct {
	degree int
	levels [][][]byte // from the leaves up
}

func (t *rangeTree) add(leaf []byte) {
	t.levels[0] = append(t.levels[0], leaf)
	for level := 0; len(t.levels[level]) > t.degree; level++ {
		combined := hashOfHashes(t.levels[level])
		t.levels[level] = nil
		t.raise(level+1, combined)
	}
}

func (t *rangeTree) raise(level int, node []byte) {
	if level == len(t.levels) {
		t.levels = append(t.levels, nil)
	}
	t.levels[level] = append(t.levels[level], node)
}

// finish carries what is left on lower levels up to the highest. A single node
// goes up as it is.
func (t *rangeTree) finish() {
	top := len(t.levels) - 1
	for level := range top {
		switch nodes := t.levels[level]; len(nodes) {
		case 0:
			continue
		case 1:
			t.raise(level+1, nodes[0])
		default:
			t.raise(level+1, hashOfHashes(nodes))
		}
		t.levels[level] = nil
	}
	if len(t.levels[top]) > t.degree {
		combined := hashOfHashes(t.levels[top])
		t.levels[top] = nil
		t.raise(top+1, combined)
	}
}

func hashOfHashes(hashes [][]byte) []byte {
	digest := sha256.New()
	for _, one := range hashes {
		digest.Write(one)
	}
	return digest.Sum(nil)
}
