package merkle_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/merkle"
)

func leaves(amounts []int64) []merkle.Leaf {
	list := make([]merkle.Leaf, len(amounts))
	for i, amount := range amounts {
		list[i] = merkle.Leaf{Data: fmt.Appendf(nil, "leaf %d", i), Amount: amount}
	}
	return list
}

// TestEveryLeafHasItsPlace: each path verifies and gives the sum before the
// leaf, for every number of leaves up to 40, so for every shape.
func TestEveryLeafHasItsPlace(t *testing.T) {
	for count := 1; count <= 40; count++ {
		amounts := make([]int64, count)
		for i := range amounts {
			amounts[i] = int64(i*i + 1)
		}
		list := leaves(amounts)
		root, total := merkle.Root(list)
		before := int64(0)
		for i := range list {
			path, err := merkle.Prove(list, i)
			if err != nil {
				t.Fatal(err)
			}
			offset, err := merkle.Verify(root, total, count, i, list[i], path)
			if err != nil || offset != before {
				t.Fatalf("leaf %d of %d stands at %d, want %d: %v", i, count, offset, before, err)
			}
			before += amounts[i]
		}
		if before != total {
			t.Fatalf("%d leaves sum to %d, the root says %d", count, before, total)
		}
	}
}

// TestAnyChangeFails changes one thing of a proof at a time.
func TestAnyChangeFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Int64Range(0, 1000), 2, 50).Draw(t, "amounts")
		list := leaves(amounts)
		index := rapid.IntRange(0, len(list)-1).Draw(t, "index")
		root, total := merkle.Root(list)
		path, err := merkle.Prove(list, index)
		if err != nil {
			t.Fatal(err)
		}
		leaf, count, other := list[index], len(list), index
		switch change := rapid.IntRange(0, 8).Draw(t, "change"); change {
		case 0:
			leaf.Data = append([]byte("x"), leaf.Data...)
		case 1:
			leaf.Amount++
		case 2:
			total++
		case 3:
			count++
		case 4:
			other = (index + 1) % len(list)
		case 5:
			path[0].Sum++
		case 6:
			path[0].Hash[5] ^= 1
		case 7:
			path = path[1:]
		case 8:
			path = append(path, merkle.Node{})
		}
		if _, err := merkle.Verify(root, total, count, other, leaf, path); err == nil {
			t.Fatalf("a changed proof was accepted")
		}
	})
}

// TestOrderAndAmountMatter: the same leaves in another order, or the same sum
// from other amounts, have another root.
func TestOrderAndAmountMatter(t *testing.T) {
	a, _ := merkle.Root(leaves([]int64{1, 2, 3}))
	b, _ := merkle.Root(leaves([]int64{2, 1, 3}))
	swapped := leaves([]int64{1, 2, 3})
	swapped[0], swapped[1] = swapped[1], swapped[0]
	c, _ := merkle.Root(swapped)
	if a == b || a == c || b == c {
		t.Errorf("roots agree: %s %s %s", a, b, c)
	}
}

func TestProveRefusesNoLeaf(t *testing.T) {
	for _, index := range []int{-1, 3} {
		if _, err := merkle.Prove(leaves([]int64{1, 2, 3}), index); err == nil {
			t.Errorf("leaf %d of 3 was proved", index)
		}
	}
}

func FuzzNode(f *testing.F) {
	text, _ := merkle.Node{Sum: 5}.MarshalText()
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		var node merkle.Node
		if node.UnmarshalText(text) != nil {
			return
		}
		if back, _ := node.MarshalText(); string(back) != string(text) {
			t.Errorf("%q prints back as %q", text, back)
		}
	})
}

func FuzzHash(f *testing.F) {
	f.Add([]byte(merkle.Hash{1}.String()))
	f.Fuzz(func(t *testing.T, text []byte) {
		var hash merkle.Hash
		if hash.UnmarshalText(text) == nil && hash.String() != string(text) {
			t.Errorf("%q prints back as %q", text, hash)
		}
	})
}

func BenchmarkRoot(b *testing.B) {
	list := leaves(make([]int64, 2000))
	for b.Loop() {
		merkle.Root(list)
	}
}

// TestManyLeavesShareAPath: any set of leaves of any shape verifies, and side
// by side they need no more nodes than one of them and a few.
func TestManyLeavesShareAPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := leaves(rapid.SliceOfN(rapid.Int64Range(0, 1000), 1, 70).Draw(t, "amounts"))
		var indexes []int
		var chosen []merkle.Leaf
		for i := range list {
			if rapid.Bool().Draw(t, "chosen") {
				indexes, chosen = append(indexes, i), append(chosen, list[i])
			}
		}
		root, total := merkle.Root(list)
		path, err := merkle.ProveMany(list, indexes)
		if len(indexes) == 0 {
			if err == nil {
				t.Fatal("no leaves have a path")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := merkle.VerifyMany(root, total, len(list), indexes, chosen, path); err != nil {
			t.Fatal(err)
		}
		count := len(list)
		switch change := rapid.IntRange(0, 7).Draw(t, "change"); {
		case change == 0:
			chosen[0].Data = append([]byte("x"), chosen[0].Data...)
		case change == 1:
			chosen[0].Amount++
		case change == 2:
			total++
		case change == 3:
			count++
		case change == 4 && len(path) > 0:
			path[0].Sum++
		case change == 5 && len(path) > 0:
			path[0].Hash[5] ^= 1
		case change == 6 && len(path) > 0:
			path = path[1:]
		case change == 7 && len(indexes) > 1:
			indexes[0], indexes[1] = indexes[1], indexes[0]
		default:
			path = append(path, merkle.Node{})
		}
		if err := merkle.VerifyMany(root, total, count, indexes, chosen, path); err == nil {
			t.Fatal("a changed proof verifies")
		}
	})
	list := leaves(make([]int64, 2000))
	indexes := make([]int, 200)
	for i := range indexes {
		indexes[i] = 777 + i
	}
	if path, err := merkle.ProveMany(list, indexes); err != nil || len(path) > 20 {
		t.Fatalf("200 neighbours of 2,000 leaves share a path of %d nodes: %v", len(path), err)
	}
}

// TestForgedSums: amounts of a path that wrap around come to no total.
func TestForgedSums(t *testing.T) {
	list := leaves([]int64{5, 7, 11, 13})
	root, total := merkle.Root(list)
	for _, sum := range []int64{-1, 1<<63 - 1, 1<<63 - 4} {
		path, err := merkle.ProveMany(list, []int{0})
		if err != nil {
			t.Fatal(err)
		}
		path[0].Sum = sum
		if err := merkle.VerifyMany(root, total, 4, []int{0}, list[:1], path); err == nil {
			t.Errorf("a sibling of %d verifies", sum)
		}
	}
}
