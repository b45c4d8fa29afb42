package merkle

import "github.com/lianbao/lianbao/chaincode/rule"

// ProveMany returns one path for several leaves: level by level, from left to
// right, the siblings that do not follow from the leaves themselves. Leaves
// that stand side by side share nearly all of it. Indexes rise.
func ProveMany(leaves []Leaf, indexes []int) ([]Node, error) {
	if err := rising(indexes, len(leaves)); err != nil {
		return nil, err
	}
	level := make([]Node, len(leaves))
	for i, leaf := range leaves {
		level[i] = leafNode(leaf)
	}
	known := make([]placed, len(indexes))
	for i, index := range indexes {
		known[i] = placed{index, level[index]}
	}
	path := []Node{}
	for len(level) > 1 {
		var err error
		known, err = climb(known, len(level), func(sibling int) (Node, error) {
			path = append(path, level[sibling])
			return level[sibling], nil
		})
		if err != nil {
			return nil, err
		}
		level = above(level)
	}
	return path, nil
}

// VerifyMany checks the path of several leaves, which stand in the order of
// their rising indexes, and uses all of it.
func VerifyMany(root Hash, total int64, count int, indexes []int, leaves []Leaf, path []Node) error {
	if err := rising(indexes, count); err != nil {
		return err
	}
	if len(indexes) != len(leaves) {
		return rule.Refuse(rule.Invalid, "%d leaves have %d places", len(leaves), len(indexes))
	}
	known := make([]placed, len(leaves))
	for i, leaf := range leaves {
		known[i] = placed{indexes[i], leafNode(leaf)}
	}
	for width := count; width > 1; width = (width + 1) / 2 {
		var err error
		known, err = climb(known, width, func(int) (Node, error) {
			if len(path) == 0 {
				return Node{}, rule.Refuse(rule.Invalid, "the path of %d leaves is too short", len(leaves))
			}
			next := path[0]
			path = path[1:]
			return next, nil
		})
		if err != nil {
			return err
		}
		for _, k := range known {
			if k.node.Sum > total { // so that no later sum overflows
				return rule.Refuse(rule.Invalid, "the path of %d leaves comes to more than the page", len(leaves))
			}
		}
	}
	if top := known[0].node; len(path) > 0 || top.Sum != total || seal(top, count) != root {
		return rule.Refuse(rule.Invalid, "the path does not lead to the root")
	}
	return nil
}

// rising refuses indexes that are none, out of order, or beyond the leaves.
func rising(indexes []int, count int) error {
	if len(indexes) == 0 {
		return rule.Refuse(rule.Invalid, "no leaf is named")
	}
	last := -1
	for _, index := range indexes {
		if index <= last || index >= count {
			return rule.Refuse(rule.Invalid, "leaf %d of %d does not exist, or does not come after leaf %d", index, count, last)
		}
		last = index
	}
	return nil
}

// placed is a node with its index on its level.
type placed struct {
	index int
	node  Node
}

// climb goes up one level of width nodes; sibling gives what is not known.
func climb(known []placed, width int, sibling func(index int) (Node, error)) ([]placed, error) {
	next := make([]placed, 0, len(known))
	for i := 0; i < len(known); i++ {
		k := known[i]
		other := k.index ^ 1
		switch {
		case other >= width: // an odd last node moves up as it is
		case i+1 < len(known) && known[i+1].index == other:
			i++
			k.node = join(k.node, known[i].node)
		default:
			node, err := sibling(other)
			if err != nil {
				return nil, err
			}
			if node.Sum < 0 {
				return nil, rule.Refuse(rule.Invalid, "the path holds a sum of %d", node.Sum)
			}
			if k.node, err = joined(k, other, node); err != nil {
				return nil, err
			}
		}
		next = append(next, placed{k.index / 2, k.node})
	}
	return next, nil
}

// joined puts a node and its sibling together in their order.
func joined(k placed, other int, node Node) (Node, error) {
	left, right := k.node, node
	if other < k.index {
		left, right = node, k.node
	}
	if left.Sum > maxSum-right.Sum {
		return Node{}, rule.Refuse(rule.Invalid, "the path holds a sum of %d", node.Sum)
	}
	return join(left, right), nil
}

// maxSum is the largest sum that a node can hold.
const maxSum = 1<<63 - 1
