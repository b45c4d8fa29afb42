package audit_test

import (
	"context"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/audit"
)

// parts of a transaction in a block that somebody may want to change.
type parts struct {
	arguments [][]byte
	results   replay.Results
	response  *peer.Response
	event     *peer.ChaincodeEvent
	code      peer.TxValidationCode
}

// write finds one value that the transaction writes.
func (p *parts) write(prefix string) *replay.Write {
	for i, write := range p.results[0].Writes {
		if strings.HasPrefix(write.Key, prefix) {
			return &p.results[0].Writes[i]
		}
	}
	panic(prefix + " is not written")
}

func decoded[M proto.Message](data []byte, into M) M {
	if err := proto.Unmarshal(data, into); err != nil {
		panic(err)
	}
	return into
}

func encoded(message proto.Message) []byte {
	data, err := proto.Marshal(message)
	if err != nil {
		panic(err)
	}
	return data
}

// rewrite changes a transaction in a block, and the block's header with it.
func rewrite(block *common.Block, index int, change func(*parts)) {
	envelope := decoded(block.Data.Data[index], &common.Envelope{})
	payload := decoded(envelope.Payload, &common.Payload{})
	transaction := decoded(payload.Data, &peer.Transaction{})
	action := decoded(transaction.Actions[0].Payload, &peer.ChaincodeActionPayload{})
	proposal := decoded(action.ChaincodeProposalPayload, &peer.ChaincodeProposalPayload{})
	input := decoded(proposal.Input, &peer.ChaincodeInvocationSpec{})
	answer := decoded(action.Action.ProposalResponsePayload, &peer.ProposalResponsePayload{})
	outcome := decoded(answer.Extension, &peer.ChaincodeAction{})
	results, err := replay.WriteSetOf(outcome.Results)
	if err != nil {
		panic(err)
	}
	filter := block.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER]
	p := &parts{arguments: input.ChaincodeSpec.Input.Args, results: results, response: outcome.Response,
		event: decoded(outcome.Events, &peer.ChaincodeEvent{}), code: peer.TxValidationCode(filter[index])}
	change(p)
	filter[index] = byte(p.code)
	if outcome.Results, err = p.results.Marshal(); err != nil {
		panic(err)
	}
	outcome.Response, outcome.Events = p.response, encoded(p.event)
	input.ChaincodeSpec.Input.Args = p.arguments
	answer.Extension = encoded(outcome)
	action.Action.ProposalResponsePayload = encoded(answer)
	proposal.Input = encoded(input)
	action.ChaincodeProposalPayload = encoded(proposal)
	transaction.Actions[0].Payload = encoded(action)
	payload.Data = encoded(transaction)
	envelope.Payload = encoded(payload)
	block.Data.Data[index] = encoded(envelope)
	rehash(block)
}

func rehash(block *common.Block) {
	digest := sha256.New()
	for _, data := range block.Data.Data {
		digest.Write(data)
	}
	block.Header.DataHash = digest.Sum(nil)
}

func replaced(data []byte, before, after string) []byte {
	if !strings.Contains(string(data), before) {
		panic(before + " is not in " + string(data))
	}
	return []byte(strings.Replace(string(data), before, after, 1))
}

// find returns the block that holds an entry.
func find(blocks []*common.Block, function, id string) *common.Block {
	for _, block := range blocks {
		transactions, err := replay.TransactionsOf(block)
		if err != nil {
			panic(err)
		}
		for _, t := range transactions {
			if string(t.Arguments[0]) == function && strings.Contains(string(t.Arguments[1]), `"id":"`+id+`"`) {
				return block
			}
		}
	}
	panic(id + " is in no block")
}

// TestTampering changes one thing on an honest chain. The last column is what
// the audit prints first, and, behind a line break, something it prints later.
func TestTampering(t *testing.T) {
	villages := map[bool]*village{false: newVillage(t), true: newVillage(t)}
	for raced, v := range villages {
		v.live()
		if raced {
			v.race()
		}
	}
	for _, test := range []struct {
		name   string
		raced  bool // a transaction has lost a race
		change func(blocks []*common.Block) []*common.Block
		prints string
	}{
		{"a value on its way into the state", false, func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Tape:Settle", "settle-a"), 0, func(p *parts) {
				head := p.write("head/")
				head.Value = replaced(head.Value, `"received":"60000"`, `"received":"60001"`)
			})
			return linked(blocks)
		}, `replay: block 22, transaction #, head/charity:sunrise:relief, the write differs; expected …`},
		{"a write too many", false, func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Tape:Settle", "settle-reach"), 0, func(p *parts) {
				p.results[0].Writes = append(p.results[0].Writes, replay.Write{Key: "used/x", Value: []byte("{}")})
			})
			return linked(blocks)
		}, "replay: block 26, transaction #, used/x, the write differs; expected nothing, found {}"},
		{"a write left out", false, func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Tape:Capture", "capture-1"), 0, func(p *parts) {
				p.results[0].Writes = p.results[0].Writes[1:]
			})
			return linked(blocks)
		}, "replay: block 28, transaction #, debit/outside:bank:relief/january/2/0, the write differs; expected {\"entry\":\"bank/capture-1\",\"v\":1}, found nothing"},
		{"a gift's commitment in the body of a page", false, func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Tape:Receive", "a"), 0, func(p *parts) {
				p.arguments[1] = replaced(p.arguments[1], `["a-1","200.00 CNY",""`, `["a-1","200.00 CNY","`+strings.Repeat("A", 43)+`"`)
			})
			return linked(blocks)
		}, "replay: block 20, transaction #, entry/charity/a, the write differs\n" +
			"books: block 20, transaction #, page/charity:sunrise:relief/a, the page's body comes to something else than its record; expected 3 of 600.00 CNY with root "},
		{"an amount in the body of a page", false, func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Tape:Receive", "a"), 0, func(p *parts) {
				p.arguments[1] = replaced(p.arguments[1], `"200.00 CNY"`, `"200.01 CNY"`)
			})
			return linked(blocks)
		}, "replay: block 20, transaction #, the contracts refuse what was committed; expected invalid: field total: says 600.00 CNY, the gifts sum to 600.01 CNY, found VALID"},
		{"the event", false, func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Tape:Spend", "spend-1"), 0, func(p *parts) {
				p.event.Payload = replaced(p.event.Payload, `"120.00 CNY"`, `"120.01 CNY"`)
			})
			return linked(blocks)
		}, "replay: block 25, transaction #, the event differs; expected …\nbooks: block 25, transaction #, charity:sunrise:relief, the amount that is paid; expected 120.00 CNY, found 120.01 CNY"},
		{"the answer", false, func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Tape:Spend", "spend-1"), 0, func(p *parts) { p.response.Payload = []byte("{}") })
			return linked(blocks)
		}, "replay: block 25, transaction #, the answer differs"},
		{"the version of a read", false, func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Tape:Spend", "spend-1"), 0, func(p *parts) { p.results[0].Reads = p.results[0].Reads[1:] })
			return linked(blocks)
		}, `replay: block 25, transaction #, first the contracts, second the block: only the first reads "account/charity:sunrise:own"`},
		{"a valid transaction called invalid", false, func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Tape:Reclaim", "reclaim-1"), 0, func(p *parts) { p.code = peer.TxValidationCode_MVCC_READ_CONFLICT })
			return linked(blocks)
		}, "flags: block 32, transaction #, the transaction's verdict; expected VALID, found MVCC_READ_CONFLICT"},
		{"an invalid transaction called valid", true, func(blocks []*common.Block) []*common.Block {
			rewrite(blocks[len(blocks)-1], 1, func(p *parts) { p.code = peer.TxValidationCode_VALID })
			return linked(blocks)
		}, "flags: block 43, transaction #, the transaction's verdict; expected MVCC_READ_CONFLICT, found VALID\nbooks: block 43, transaction #, settlement/charity:sunrise:own/2, the settlement cannot be read"},
		{"one transaction in two blocks", false, func(blocks []*common.Block) []*common.Block {
			again := proto.Clone(blocks[len(blocks)-1]).(*common.Block)
			again.Header.Number++
			return linked(append(blocks, again))
		}, "flags: block 41, transaction #, the transaction's verdict; expected DUPLICATE_TXID, found VALID"},
		{"a missing block", false, func(blocks []*common.Block) []*common.Block { return append(blocks[:7:7], blocks[8:]...) },
			"chain: block 8, block 7 is missing; nothing after it can be judged; expected 7, found 8"},
		{"a block that follows another one", false, func(blocks []*common.Block) []*common.Block {
			blocks[9].Header.PreviousHash[0]++
			return blocks
		}, "chain: block 9, the block names another block before it"},
		{"a block's data without its header", false, func(blocks []*common.Block) []*common.Block {
			hash := blocks[9].Header.DataHash
			rewrite(blocks[9], 0, func(p *parts) { p.response.Message = "x" })
			blocks[9].Header.DataHash = hash
			return blocks
		}, "chain: block 9, the block's header commits to other data"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := villages[test.raced]
			finds(t, run(t, v, test.change(v.chain()), v.honest), test.prints)
		})
	}
}

// finds compares findings, with transaction ids left out, with what should be printed.
func finds(t *testing.T, report audit.Report, prints string) {
	t.Helper()
	first, later, _ := strings.Cut(prints, "\n")
	var all []string
	for _, f := range report.Findings {
		if f.Transaction != "" {
			f.Transaction = "#"
		}
		all = append(all, f.String())
	}
	if len(all) == 0 || !strings.HasPrefix(all[0], first) {
		t.Errorf("prints\n%s\nand not first\n%s", strings.Join(all[:min(len(all), 8)], "\n"), first)
	}
	if !strings.Contains(strings.Join(all, "\n"), later) {
		t.Errorf("prints\n%s\nand not also\n%s", strings.Join(all[:min(len(all), 8)], "\n"), later)
	}
}

// TestCollusion has three organisations endorse what the contracts refuse.
// Fabric takes it; the last column is what the audit prints.
func TestCollusion(t *testing.T) {
	three := []string{"coop", "insurer", "regulator"}
	withOwner := []string{"charity", "coop", "insurer"}
	for _, test := range []struct {
		name   string
		forge  func(v *village)
		prints string
	}{
		{"a hold on another's money", func(v *village) {
			v.commit(v.Forge(v.Identity("coop", "gateway"), func(set *replay.Set) {
				set.Writes = append(set.Writes, replay.Write{Key: "hold/charity:sunrise:relief/theirs",
					Value: []byte(`{"v":1,"account":"charity:sunrise:relief","id":"theirs","spans":["0..100"],"state":"open"}`)})
			}, three...))
		}, `replay: block 41, transaction #, the contracts refuse what was committed; expected invalid: there is no function "forged"; functions are written like Tape:Receive, found VALID
books: hold/charity:sunrise:relief/theirs, the hold was never ordered; expected nothing, found 0..100`},
		{"money out of nothing", func(v *village) {
			head, _ := v.State().Get("head/charity:sunrise:own")
			v.commit(v.Forge(v.Identity("charity", "gateway"), func(set *replay.Set) {
				set.Writes = append(set.Writes, replay.Write{Key: "head/charity:sunrise:own", Value: replaced(head.Data, `"received":"0"`, `"received":"99"`)})
			}, withOwner...))
		}, "replay: block 41, transaction #, the contracts refuse what was committed\nbooks: head/charity:sunrise:own, the end of the tape; expected 0, found 99"},
		{"a page that settles twice", func(v *village) {
			v.receive(own, "x", giftsOf("x", 100))
			v.twice("Tape:Settle", func(id tape.ID) any {
				return tape.Settle{Account: own, ID: id, Items: []tape.SettleItem{{Source: "x", SelfDeclared: true}}}
			}, withOwner...)
		}, "replay: block 43, transaction #, the contracts refuse what was committed; expected wrong-state: field items[0]: x is settled already, by settlement 1, found VALID\n" +
			"books: block 43, transaction #, settled/charity:sunrise:own/x, settlement of is used twice; expected once, by charity/one, found again by charity/two"},
		{"a bank line that is used twice", func(v *village) {
			v.receive(own, "a1", giftsOf("r", 2_000))
			v.receive(own, "a2", giftsOf("r", 2_000))
			page := "a0"
			v.twice("Tape:Settle", func(id tape.ID) any {
				page = map[string]string{"a0": "a1", "a1": "a2"}[page]
				return tape.Settle{Account: own, ID: id, Items: []tape.SettleItem{{Source: page, Lines: &tape.LinesRef{N: 1, Statement: "again"}}}}
			}, withOwner...)
		}, "replay: block 46, transaction #, the contracts refuse what was committed\nbooks: block 46, transaction #, lines/outside:bank:relief/again/1, the line at index 0 is used twice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := newVillage(t)
			v.live()
			if strings.Contains(test.name, "bank line") {
				v.secondStatement()
			}
			test.forge(v)
			finds(t, run(t, v, v.chain(), v.honest), test.prints)
		})
	}
}

// commit orders forged transactions and wants Fabric to find them valid.
func (v *village) commit(forged *peertest.Endorsed) {
	v.t.Helper()
	results, err := v.Commit(forged)
	must(v.t, results, err)
	if !results[0].Valid() {
		v.t.Fatalf("the forgery is %s", results[0].Code)
	}
}

// twice gives two commands that exclude one another; the colluders take the
// reads out of the second, so that Fabric sees no conflict.
func (v *village) twice(function string, command func(id tape.ID) any, by ...string) {
	v.t.Helper()
	var both []*peertest.Endorsed
	for _, id := range []tape.ID{"one", "two"} {
		endorsed, err := v.Endorse(v.Identity("charity", "gateway"), function, v.encode(command(id)))
		both = append(both, must(v.t, endorsed, err))
	}
	v.commit(both[0])
	set := both[1].Outcome.Results[0]
	set.Reads = nil
	both[1].Outcome.Results = replay.Results{set}
	v.commit(v.By(both[1], by...))
}

// secondStatement files two pages of one line each.
func (v *village) secondStatement() {
	v.t.Helper()
	last, _ := v.State().Get(tape.StatementsKey(bank))
	closing := strings.Split(strings.Split(string(last.Data), `"closing":"`)[1], `"`)[0]
	file := tape.FileStatement{Account: bank, ID: "again", Previous: "january", From: "2026-02-01", To: "2026-02-28", Count: 2}
	must(v.t, 0, file.Opening.UnmarshalText([]byte(closing)))
	file.Closing = file.Opening
	for n, lines := range [][]tape.Line{linesOf("q", 2, 2_000), february} {
		page, _, err := tape.LinesBody([]tape.Side{tape.DebitSide, tape.CreditSide}[n], lines)
		file.Pages = append(file.Pages, must(v.t, page, err))
	}
	v.by("bank", "Tape:FileStatement", file)
	v.by("bank", "Tape:FileLines", tape.FileLines{Account: bank, ID: "again-1", Lines: february, N: 1, Statement: "again"})
}

var february = []tape.Line{{Number: 1, Date: "2026-02-01", Amount: cny(2_000), Reference: reference("r", 0)}}

// liar is a peer that shows another record than it should.
type liar struct {
	audit.Peer
	before, after string
}

func (l liar) Evaluate(ctx context.Context, function string, argument []byte) ([]byte, error) {
	answer, err := l.Peer.Evaluate(ctx, function, argument)
	return []byte(strings.ReplaceAll(string(answer), l.before, l.after)), err
}

// restless is a peer at which blocks arrive while it is read.
type restless struct{ audit.Peer }

var heights uint64 = 1000

func (restless) Height(context.Context) (uint64, error) { heights++; return heights, nil }

// TestPeers changes what one peer holds.
func TestPeers(t *testing.T) {
	v := newVillage(t)
	v.live()
	for _, test := range []struct {
		name   string
		change func(audit.Peer) audit.Peer
		prints string
	}{
		{"another value", func(p audit.Peer) audit.Peer { return liar{p, `\"received\":\"12000\"`, `\"received\":\"13000\"`} },
			`state: bank, head/partner:reach:field, the peer's record differs; expected …`},
		{"a record renamed", func(p audit.Peer) audit.Peer { return liar{p, `"key":"person/maker"`, `"key":"person/makes"`} },
			"state: bank, person/maker, the peer's record differs; expected {\nstate: bank, person/makes, the peer's record differs; expected nothing, found {"},
		{"records out of order", func(p audit.Peer) audit.Peer { return liar{p, `"key":"ledger"`, `"key":"a"`} },
			`state: bank, the state could not be compared: record "a" came after`},
		{"never at rest", func(p audit.Peer) audit.Peer { return restless{p} }, "state: bank, the state could not be compared: its height did not stay the same"},
	} {
		t.Run(test.name, func(t *testing.T) {
			finds(t, run(t, v, v.chain(), func(organisation string) audit.Peer {
				if organisation == "bank" {
					return test.change(v.honest(organisation))
				}
				return v.honest(organisation)
			}), test.prints)
		})
	}
}
