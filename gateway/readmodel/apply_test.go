package readmodel

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// fuse is a context that fails after so many questions: a crash between two statements.
type fuse struct {
	context.Context
	left int
}

func (f *fuse) Err() error {
	if f.left--; f.left < 0 {
		return context.Canceled
	}
	return nil
}

func digest(t *testing.T, m *Model) Digest {
	t.Helper()
	d, err := m.Digest(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// differ names the tables in which two models differ.
func differ(a, b Digest) []string {
	var names []string
	for i := range a.Tables {
		if a.Tables[i] != b.Tables[i] {
			names = append(names, a.Tables[i].Name)
		}
	}
	return names
}

// TestRebuild: a rebuild from block 0 gives identical tables, whatever blocks
// were grouped into, and however often it was broken off.
func TestRebuild(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := newWorld(seed)
	w.run(300)
	ctx := context.Background()
	whole := open(t)
	if err := whole.Apply(ctx, w.blocks...); err != nil {
		t.Fatal(err)
	}
	want := digest(t, whole)
	if len(want.Tables) < 20 || want.Position.Next != uint64(len(w.blocks)) {
		t.Fatalf("the digest covers %d tables at %+v", len(want.Tables), want.Position)
	}
	single := open(t)
	for i, block := range w.blocks {
		if i == len(w.blocks)-1 {
			if d := digest(t, single); d.SHA256 == want.SHA256 || len(differ(d, want)) == 0 {
				t.Fatal("a model without the last block has the same digest")
			}
		}
		if err := single.Apply(ctx, block); err != nil {
			t.Fatal(err)
		}
	}
	if d := digest(t, single); d.SHA256 != want.SHA256 {
		t.Fatalf("applied one by one, the tables %v differ", differ(d, want))
	}
	if d := digest(t, broken(t, w, seed)); d.SHA256 != want.SHA256 {
		t.Fatalf("applied with crashes, the tables %v differ", differ(d, want))
	}
}

// broken applies blocks in random groups, breaks most of them off at a random
// statement, and opens the file anew now and then.
func broken(t *testing.T, w *world, seed uint64) *Model {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 2))
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "broken.db")
	m, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	broke := 0
	for {
		position, err := m.Position(ctx)
		if err != nil {
			t.Fatal(err)
		}
		next := int(position.Next)
		if next == len(w.blocks) {
			break
		}
		// Now and then a group begins with blocks that were applied before.
		group := w.blocks[max(0, next-random.IntN(3)):min(len(w.blocks), next+1+random.IntN(6))]
		err = m.Apply(&fuse{ctx, random.IntN(400)}, group...)
		after, _ := m.Position(ctx)
		if err != nil {
			broke++
			if !errors.Is(err, context.Canceled) || after != position {
				t.Fatalf("broken off with %v at %+v, and stands at %+v", err, position, after)
			}
		}
		if random.IntN(10) == 0 {
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			if m, err = Open(ctx, path); err != nil {
				t.Fatal(err)
			}
		}
	}
	if broke < 5 {
		t.Fatalf("only %d groups were broken off", broke)
	}
	return m
}

func TestBlocksMustFollow(t *testing.T) {
	w := newWorld(1)
	w.run(40)
	ctx := context.Background()
	forged := func(i int, change func(*Block)) Block {
		b := w.blocks[i]
		change(&b)
		return b
	}
	m := open(t)
	if err := m.Apply(ctx, w.blocks[:4]...); err != nil {
		t.Fatal(err)
	}
	before := digest(t, m)
	for _, test := range []struct {
		name  string
		block Block
		want  string
	}{
		{"a gap", w.blocks[5], "conflict: block 4 is wanted, block 5 came"},
		{"another block before", forged(4, func(b *Block) { b.PreviousHash = []byte{1} }), "conflict: block 4 follows a block 01"},
		{"the same block again", w.blocks[2], ""},
		{"another block in its place", forged(2, func(b *Block) { b.Hash = []byte{2} }), "conflict: block 2 was"},
	} {
		err := m.Apply(ctx, test.block)
		if got := message(err); !strings.HasPrefix(got, test.want) || (test.want == "") != (err == nil) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
		if digest(t, m).SHA256 != before.SHA256 {
			t.Errorf("%s changed the tables", test.name)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestBadRecords: what the peers found valid and this program does not
// understand is set aside by name, with its reason. Nothing of it is counted,
// and all else is.
func TestBadRecords(t *testing.T) {
	const account = "charity:sunrise:purse-0"
	for _, test := range []struct {
		name, function, argument, key, value string
		want                                 string
	}{
		{"no JSON", "Tape:Open", "", "account/" + account, "{", "unexpected end of JSON"},
		{"a later version", "Tape:Open", "", "account/" + account, `{"v":2}`, "unsupported: the record has version 2"},
		{"another account's key", "Tape:Open", "", "account/a:b:c", `{"v":1,"id":"x:y:z"}`, "conflict: the account calls itself x:y:z"},
		{"a key without a name", "Tape:Receive", "", "page/" + account, `{"v":1}`, "invalid: the key is not account/name"},
		{"a page of an unknown function", "Tape:Invent", "{}", "page/" + account + "/p", `{"v":1,"account":"` + account + `","id":"p"}`, `unsupported: "Tape:Invent" wrote a page`},
		{"a page without its gifts", "Tape:Receive", "{}", "page/" + account + "/p", `{"v":1,"account":"` + account + `","id":"p"}`, "field gifts: is missing"},
		{"a page with other gifts", "Tape:Receive", `{"account":"` + account + `","count":1,"gifts":[["g","5 VND","",""]],"id":"p","total":"5 VND"}`,
			"page/" + account + "/p", `{"v":1,"account":"` + account + `","id":"p","count":2,"total":"5 VND"}`, "conflict: the argument has 1 gifts of 5 units, the page 2 of 5"},
		{"a page of another argument", "Tape:Receive", `{"account":"` + account + `","count":1,"gifts":[["g","5 VND","",""]],"id":"p","total":"5 VND"}`,
			"page/" + account + "/q", `{"v":1,"account":"` + account + `","id":"q","count":1,"total":"5 VND"}`, "conflict: the argument has no gifts for page q"},
		{"lines without a statement", "Tape:FileLines", `{"account":"outside:bank:main","id":"e","lines":[["1","2024-09-01","5 VND",""]],"n":0,"statement":"s"}`,
			"lines/outside:bank:main/s/0", `{"v":1,"count":1}`, "conflict: it refers to 0 records"},
		{"a line number twice spelled", "Tape:FileLines", "", "lines/outside:bank:main/s/00", `{"v":1}`, `invalid: "00" in the key is not a number`},
		{"a settlement of nothing", "Tape:Settle", "", "settlement/" + account + "/1", `{"v":1,"n":1,"source":"p","span":"0..5"}`, "not-found: source p does not exist"},
		{"an inflow without an entry", "Tape:Spend", "", "inflow/" + account + "/charity/e/0", `{"v":1,"amount":"5 VND"}`, "conflict: an inflow without an entry"},
		{"an entry under another's key", "Tape:Spend", "", "entry/charity/e", `{"v":1,"id":"f","organisation":"charity"}`, "conflict: it is entry charity/f"},
		{"an entry of an unknown account", "Tape:Spend", "", "entry/charity/e", `{"v":1,"id":"e","organisation":"charity","postings":[{"from":"outside:a:b","to":"x:y:z","amount":"1 VND","laid":["0..x"]}]}`, "not a span"},
		{"a used note of no page", "Tape:Settle", "", "used/outside:bank:main/s/0", `{"v":1,"lines":["0..1"]}`, "conflict: it refers to 0 records"},
		{"a chunk of no job", "Tape:RunChunk", "", "chunk/" + account + "/j/0", `{"v":1,"n":0,"part":"0..5"}`, "conflict: it refers to 0 records"},
		{"a hold of no account", "Tape:Hold", "", "hold/x:y:z/h", `{"v":1,"account":"x:y:z","id":"h","spans":["0..5"]}`, "conflict: it refers to 0 records"},
		{"something new", "Party:Register", "", "novelty/p", `{"v":7}`, ""},
		{"a person of another version", "Party:Register", "", "person/p", `{"v":7}`, "the record has version 7"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := open(t)
			ctx := context.Background()
			w := newWorld(1)
			w.block()
			if err := m.Apply(ctx, w.blocks...); err != nil {
				t.Fatal(err)
			}
			last := w.blocks[len(w.blocks)-1]
			block := func(writes ...Write) Block {
				return Block{Number: last.Number + 1, Hash: []byte{9}, PreviousHash: last.Hash, Transactions: []Transaction{
					{ID: "odd", Valid: true, Function: test.function, Argument: []byte(test.argument), Writes: writes},
					{ID: "fine", Index: 1, Valid: true, Function: "Party:Register", Writes: []Write{{Key: "person/q", Value: []byte(`{"v":1}`)}}}}}
			}
			// What stands before the bad record in the transaction is not counted either.
			before := Write{Key: "person/before", Value: []byte(`{"v":1}`)}
			if err := m.Apply(ctx, block(before, Write{Key: test.key, Value: []byte(test.value)})); err != nil {
				t.Fatal(err)
			}
			after := digest(t, m)
			if test.want == "" {
				if len(after.Aside) > 0 {
					t.Fatalf("set aside: %v", after.Aside)
				}
				return
			}
			if len(after.Aside) != 1 || after.Aside[0].Transaction != "odd" || after.Aside[0].Function != test.function || !strings.Contains(after.Aside[0].Reason, test.want) {
				t.Fatalf("set aside: %v, want %q", after.Aside, test.want)
			}
			if c, err := m.Conservation(ctx); err != nil || len(c.Faults) != 1 || !strings.Contains(c.Faults[0], "transaction odd") {
				t.Errorf("readers are told %q, %v", c.Faults, err)
			}
			without := open(t)
			if err := without.Apply(ctx, append(slices.Clone(w.blocks), block())...); err != nil {
				t.Fatal(err)
			}
			if differs := differ(digest(t, without), after); !slices.Equal(differs, []string{`aside`}) && !slices.Equal(differs, []string{`"aside"`}) {
				t.Fatalf("tables %v changed", differs)
			}
		})
	}
}

func TestDoubleCountIsFound(t *testing.T) {
	w := newWorld(3)
	w.run(120)
	m := open(t)
	ctx := context.Background()
	if err := m.Apply(ctx, w.blocks...); err != nil {
		t.Fatal(err)
	}
	var moved piece
	var account tape.AccountID
	err := m.view(ctx, func(s *session) error {
		_, err := s.get(ctx, "SELECT account, start, stop FROM taken WHERE posting <> 0", nil, &account, &moved.Start, &moved.End)
		return err
	})
	if err != nil || account == "" {
		t.Fatalf("nothing was spent: %v", err)
	}
	known := len(w.blocks)
	entry := w.begin("Spend", "spend", account)
	entry.Postings = []tape.Posting{{From: account, To: bank, Amount: vnd(int(moved.Length())), Taken: tape.Spans{moved.Span}}}
	w.commit() // which may end a block
	w.block()
	if err := m.Apply(ctx, w.blocks[known:]...); err != nil {
		t.Fatal(err)
	}
	if c, err := m.Conservation(ctx); err != nil || len(c.Faults) == 0 || !strings.Contains(c.Faults[0], "have left it already") {
		t.Fatalf("units that had been spent were spent again: %v, %v", c.Faults, err)
	}
}

func TestWaitFor(t *testing.T) {
	w := newWorld(1)
	w.run(20)
	m := open(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	reached := make(chan error, 3)
	for range cap(reached) {
		go func() { reached <- m.WaitFor(ctx, w.blocks[len(w.blocks)-1].Number) }()
	}
	for _, block := range w.blocks {
		if len(reached) > 0 {
			t.Fatal("the block was reached before it was applied")
		}
		if err := m.Apply(ctx, block); err != nil {
			t.Fatal(err)
		}
	}
	for range cap(reached) {
		if err := <-reached; err != nil {
			t.Fatal(err)
		}
	}
	ended, stop := context.WithCancel(ctx)
	stop()
	if err := m.WaitFor(ended, 1_000_000); !errors.Is(err, context.Canceled) {
		t.Fatalf("waiting for what never comes ended with %v", err)
	}
}

// TestReadersSeeWholeBlocks reads while blocks arrive: money is conserved in every snapshot.
func TestReadersSeeWholeBlocks(t *testing.T) {
	w := newWorld(5)
	w.run(150)
	m := open(t)
	ctx := context.Background()
	done := make(chan error, 1)
	go func() {
		for _, block := range w.blocks {
			if err := m.Apply(ctx, block); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for reads := 0; ; reads++ {
		c, err := m.Conservation(ctx)
		if err != nil || len(c.Faults) > 0 {
			t.Fatalf("read %d: %+v, %v", reads, c, err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}

// TestCancelledReads: readers whose callers went away in the middle show the
// present to the next caller.
func TestCancelledReads(t *testing.T) {
	w := newWorld(6)
	w.run(100)
	m := open(t)
	ctx := context.Background()
	last := len(w.blocks) - 20
	if err := m.Apply(ctx, w.blocks[:last]...); err != nil {
		t.Fatal(err)
	}
	for ; last < len(w.blocks); last++ {
		var gone sync.WaitGroup
		for range readers {
			gone.Go(func() {
				for range 200 {
					brief, cancel := context.WithCancel(ctx)
					go cancel()
					_, _ = m.Position(brief)
					_, _ = m.Account(brief, w.accounts[0].record.ID)
				}
			})
		}
		gone.Wait()
		if err := m.Apply(ctx, w.blocks[last]); err != nil {
			t.Fatal(err)
		}
		for range 2 * readers {
			if position, err := m.Position(ctx); err != nil || position.Next != uint64(last+1) {
				t.Fatalf("after block %d a reader stands at %+v, %v", last, position, err)
			}
		}
	}
}

// FuzzArguments: arguments and records of a valid transaction never panic, and
// leave either the whole block or nothing.
func FuzzArguments(f *testing.F) {
	w := newWorld(1)
	w.run(60)
	for _, block := range w.blocks {
		for _, transaction := range block.Transactions {
			for _, write := range transaction.Writes {
				f.Add(transaction.Function, transaction.Argument, write.Key, write.Value)
			}
		}
	}
	m := open(f)
	if err := m.Apply(context.Background(), w.blocks...); err != nil {
		f.Fatal(err)
	}
	last := w.blocks[len(w.blocks)-1]
	f.Fuzz(func(t *testing.T, function string, argument []byte, key string, value []byte) {
		// The second transaction always fails, so every input meets the same tables.
		block := Block{Number: last.Number + 1, Hash: []byte{1}, PreviousHash: last.Hash, Transactions: []Transaction{
			{ID: "fuzz", Valid: true, Function: function, Argument: argument, Writes: []Write{{Key: key, Value: value}}},
			{ID: "end", Index: -1}}}
		if err := m.Apply(context.Background(), block); err == nil || !strings.Contains(err.Error(), "transaction ") {
			t.Fatalf("%v", err)
		}
	})
}
