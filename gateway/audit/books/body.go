package books

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
)

// row is one gift [id, amount, donor, reference] or one statement line
// [number, date, amount, reference].
type row [4]string

// Where rows hold their amount.
const (
	ofGift = 1
	ofLine = 2
)

func (r row) text() string { return `["` + strings.Join(r[:], `","`) + `"]` }

// body is what a page of rows comes to, computed from its text alone.
type body struct {
	count   int32
	total   money.Amount
	root    merkle.Hash
	matches merkle.Hash
}

// node of the Merkle sum tree: RFC 6962's shape, with sums.
type node struct {
	hash [sha256.Size]byte
	sum  int64
}

func bodyOf(rows []row, amountAt int) (body, error) {
	if len(rows) == 0 {
		return body{}, fmt.Errorf("it holds no rows")
	}
	leaves := make([]node, len(rows))
	matches := sha256.New()
	total := money.Amount{}
	for i, r := range rows {
		amount, err := money.Parse(r[amountAt])
		if err != nil {
			return body{}, err
		}
		if i == 0 {
			total.Currency = amount.Currency
		}
		if total, err = total.Add(amount); err != nil {
			return body{}, err
		}
		leaves[i] = node{sha256.Sum256(append(binary.BigEndian.AppendUint64([]byte{0}, uint64(amount.Units)), r.text()...)), amount.Units}
		fmt.Fprintf(matches, "%s %s\n", r[amountAt], r[3])
	}
	top := tree(leaves)
	seal := append([]byte{2}, top.hash[:]...)
	seal = binary.BigEndian.AppendUint64(seal, uint64(top.sum))
	seal = binary.BigEndian.AppendUint64(seal, uint64(len(rows)))
	return body{int32(len(rows)), total, sha256.Sum256(seal), merkle.Hash(matches.Sum(nil))}, nil
}

// tree splits at the largest power of two below the number of leaves, as RFC 6962 says.
func tree(leaves []node) node {
	if len(leaves) == 1 {
		return leaves[0]
	}
	half := 1
	for half*2 < len(leaves) {
		half *= 2
	}
	left, right := tree(leaves[:half]), tree(leaves[half:])
	message := append([]byte{1}, left.hash[:]...)
	message = binary.BigEndian.AppendUint64(message, uint64(left.sum))
	message = append(message, right.hash[:]...)
	message = binary.BigEndian.AppendUint64(message, uint64(right.sum))
	return node{sha256.Sum256(message), left.sum + right.sum}
}

func (b body) String() string {
	return fmt.Sprintf("%d of %s with root %s", b.count, b.total, b.root)
}
