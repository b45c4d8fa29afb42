// Package merkle proves that an amount is part of a page, and where in it.
//
// A sum tree has the shape of RFC 6962; each node commits to the hash and the
// sum of both its sides, so a path shows not only that a leaf is there but
// also how much money stands before it: its exact place on a tape.
package merkle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Hash is a SHA-256.
type Hash [sha256.Size]byte

// Leaf is what a tree is made of: bytes with an amount in minor units, which
// the bytes must themselves spell, so that neither can be changed alone.
type Leaf struct {
	Data   []byte
	Amount int64
}

// Node is a hash and the sum of what is under it, in minor units.
type Node struct {
	Hash Hash
	Sum  int64
}

// The first byte of every hashed message says what it is: without it a node
// could be passed off as a leaf.
const (
	leafMark = 0
	nodeMark = 1
	rootMark = 2
)

func leafNode(leaf Leaf) Node {
	var room [256]byte // a row is about 110 bytes
	message := append(room[:0], leafMark)
	message = binary.BigEndian.AppendUint64(message, uint64(leaf.Amount))
	message = append(message, leaf.Data...)
	return Node{Hash: sha256.Sum256(message), Sum: leaf.Amount}
}

func join(left, right Node) Node {
	var message [1 + 2*(sha256.Size+8)]byte
	message[0] = nodeMark
	copy(message[1:], left.Hash[:])
	binary.BigEndian.PutUint64(message[33:], uint64(left.Sum))
	copy(message[41:], right.Hash[:])
	binary.BigEndian.PutUint64(message[73:], uint64(right.Sum))
	return Node{Hash: sha256.Sum256(message[:]), Sum: left.Sum + right.Sum}
}

// seal binds the number of leaves and the sum into the root.
func seal(top Node, count int) Hash {
	message := append([]byte{rootMark}, top.Hash[:]...)
	message = binary.BigEndian.AppendUint64(message, uint64(top.Sum))
	message = binary.BigEndian.AppendUint64(message, uint64(count))
	return sha256.Sum256(message)
}

// Root returns the root over leaves and their sum. There must be at least one
// leaf; amounts are not negative and their sum does not overflow: the caller checks both.
func Root(leaves []Leaf) (Hash, int64) {
	nodes := make([]Node, len(leaves))
	for i, leaf := range leaves {
		nodes[i] = leafNode(leaf)
	}
	top := reduce(nodes)
	return seal(top, len(leaves)), top.Sum
}

// reduce joins neighbours level by level; an odd last node moves up as it is,
// which gives exactly the shape of RFC 6962.
func reduce(nodes []Node) Node {
	for len(nodes) > 1 {
		next := nodes[:0:len(nodes)]
		for i := 0; i < len(nodes); i += 2 {
			if i+1 == len(nodes) {
				next = append(next, nodes[i])
				break
			}
			next = append(next, join(nodes[i], nodes[i+1]))
		}
		nodes = next
	}
	return nodes[0]
}

// Prove returns the path of leaf index: the sibling nodes from the leaf up.
func Prove(leaves []Leaf, index int) ([]Node, error) {
	if index < 0 || index >= len(leaves) {
		return nil, rule.Refuse(rule.Invalid, "leaf %d of %d does not exist", index, len(leaves))
	}
	nodes := make([]Node, len(leaves))
	for i, leaf := range leaves {
		nodes[i] = leafNode(leaf)
	}
	var path []Node
	for len(nodes) > 1 {
		if sibling := index ^ 1; sibling < len(nodes) {
			path = append(path, nodes[sibling])
		}
		nodes, index = above(nodes), index/2
	}
	return path, nil
}

// above is the level over nodes, in memory of its own.
func above(nodes []Node) []Node {
	next := make([]Node, 0, (len(nodes)+1)/2)
	for i := 0; i < len(nodes); i += 2 {
		if i+1 == len(nodes) {
			next = append(next, nodes[i])
		} else {
			next = append(next, join(nodes[i], nodes[i+1]))
		}
	}
	return next
}

// Verify checks the path of a leaf and returns how much stands before it, in
// minor units: the leaf's place on the page is [offset, offset+amount).
func Verify(root Hash, total int64, count int, index int, leaf Leaf, path []Node) (offset int64, err error) {
	if index < 0 || index >= count || len(path) > bits.Len(uint(count)) {
		return 0, rule.Refuse(rule.Invalid, "leaf %d of %d does not exist", index, count)
	}
	node, width := leafNode(leaf), count
	for width > 1 {
		if sibling := index ^ 1; sibling < width {
			if len(path) == 0 {
				return 0, rule.Refuse(rule.Invalid, "the path of leaf %d is too short", index)
			}
			next := path[0]
			path = path[1:]
			if next.Sum < 0 || next.Sum > total {
				return 0, rule.Refuse(rule.Invalid, "the path of leaf %d holds a sum of %d", index, next.Sum)
			}
			if sibling < index {
				offset += next.Sum
				node = join(next, node)
			} else {
				node = join(node, next)
			}
		}
		index, width = index/2, (width+1)/2
	}
	if len(path) > 0 || node.Sum != total || seal(node, count) != root {
		return 0, rule.Refuse(rule.Invalid, "the path does not lead to the root")
	}
	return offset, nil
}

// String writes a hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes a hash in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 lower-case hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	bytes, err := hex.DecodeString(string(text))
	if err != nil || len(bytes) != len(h) || hex.EncodeToString(bytes) != string(text) {
		return rule.Refuse(rule.Invalid, "is not a SHA-256 in hexadecimal")
	}
	copy(h[:], bytes)
	return nil
}

// MarshalText writes a node of a path as hash and sum, both in hexadecimal.
func (n Node) MarshalText() ([]byte, error) {
	sum := binary.BigEndian.AppendUint64(nil, uint64(n.Sum))
	return []byte(n.Hash.String() + ":" + hex.EncodeToString(sum)), nil
}

// UnmarshalText reads what MarshalText wrote.
func (n *Node) UnmarshalText(text []byte) error {
	if len(text) != 2*sha256.Size+1+16 || text[2*sha256.Size] != ':' {
		return rule.Refuse(rule.Invalid, "is not a node of a path")
	}
	if err := n.Hash.UnmarshalText(text[:2*sha256.Size]); err != nil {
		return err
	}
	sum, err := hex.DecodeString(string(text[2*sha256.Size+1:]))
	if err != nil || hex.EncodeToString(sum) != string(text[2*sha256.Size+1:]) || sum[0] >= 0x80 {
		return rule.Refuse(rule.Invalid, "is not a node of a path")
	}
	n.Sum = int64(binary.BigEndian.Uint64(sum))
	return nil
}
