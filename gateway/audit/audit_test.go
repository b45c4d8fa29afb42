package audit_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/audit"
	"github.com/lianbao/lianbao/gateway/audit/books"
)

// chain writes out the blocks of a network, each naming the one before.
func (v *village) chain() []*common.Block {
	var blocks []*common.Block
	for number := range v.Height() {
		blocks = append(blocks, v.Block(number))
	}
	return linked(blocks)
}

// linked names the block before in each, as an orderer that forges them all would.
func linked(blocks []*common.Block) []*common.Block {
	for i := 1; i < len(blocks); i++ {
		blocks[i].Header.PreviousHash = audit.HeaderHash(blocks[i-1].Header)
	}
	return blocks
}

func newAuditor() *audit.Auditor {
	return audit.New(audit.Options{Contracts: newContracts(), Chaincode: peertest.Chaincode, Policy: replay.OutOf(3, five...), Pause: time.Millisecond})
}

// run audits blocks and, if they could all be read, every peer.
func run(t *testing.T, v *village, blocks []*common.Block, change func(organisation string) audit.Peer) audit.Report {
	t.Helper()
	a := newAuditor()
	for _, block := range blocks {
		if err := a.Block(proto.Clone(block).(*common.Block)); err != nil {
			return a.Close()
		}
	}
	if a.Height() != v.Height() {
		return a.Close() // the peers do not hold what was added
	}
	for _, organisation := range five {
		a.ComparePeer(context.Background(), organisation, change(organisation), func(context.Context, uint64) error { return nil })
	}
	return a.Close()
}

// honest is an organisation's peer as it is.
type honest struct {
	*village
	organisation string
}

func (h honest) Height(context.Context) (uint64, error) { return h.village.Height(), nil }

func (h honest) Evaluate(_ context.Context, function string, argument []byte) ([]byte, error) {
	return h.village.Evaluate(h.Identity(h.organisation, "auditor"), function, string(argument))
}

func (v *village) honest(organisation string) audit.Peer { return honest{v, organisation} }

// TestARefundThatCameBack: a gift may be refunded again when the bank has
// returned all of the first refund, and is not taken back twice by that.
func TestARefundThatCameBack(t *testing.T) {
	v := newVillage(t)
	const account tape.AccountID = "charity:sunrise:gifts"
	v.by("charity", "Tape:Open", tape.Open{Account: account, Attribution: tape.FIFO, Currency: "CNY", Custodian: vault, ID: "open-gifts"})
	gifts := giftsOf("g", 2_500)
	v.receive(account, "g", gifts)
	v.speechStatement("in", "", 0, tape.CreditSide, linesOf("g", 1, 2_500))
	v.by("charity", "Tape:Settle", tape.Settle{Account: account, ID: "settle-g", Items: []tape.SettleItem{{Source: "g", Lines: &tape.LinesRef{Statement: "in"}}}})
	gift, err := tape.NewGiftProof("g", gifts, 0)
	must(t, gift, err)
	refund := tape.Refund{Account: account, Expires: tape.Instant(v.Clock().Add(48 * time.Hour).UnixMilli()), Gift: gift, ID: "refund-1", To: "outside:giver-1"}
	v.by("charity", "Tape:Refund", v.signedBy("refund", account, 2_500, refund, "maker", "checker"))
	debits, credits := linesOf("out", 1, 2_500), linesOf("back", 1, 2_500)
	v.speechStatement("out", "in", 2_500, tape.DebitSide, debits)
	v.speechStatement("back", "out", 0, tape.CreditSide, credits)
	paid, err := tape.NewLineProof("out", 0, debits, 0)
	must(t, paid, err)
	v.by("bank", "Tape:Capture", tape.Capture{Account: account, Amount: cny(2_500), Hold: "refund-1", ID: "capture-1", Line: &paid})
	returned, err := tape.NewLineProof("back", 0, credits, 0)
	must(t, returned, err)
	v.by("bank", "Tape:Return", tape.Return{Account: account, Amount: cny(2_500), Hold: "refund-1", ID: "return-1", Line: returned})
	refund.ID = "refund-2"
	v.by("charity", "Tape:Refund", v.signedBy("refund", account, 2_500, refund, "maker", "checker"))
	for _, f := range run(t, v, v.chain(), v.honest).Findings {
		t.Error(f)
	}
}

// TestDossierAndFund: both contracts have a command Cite, and both stand on one ledger.
func TestDossierAndFund(t *testing.T) {
	p := newPeople(t)
	p.campaign()
	report := p.audited(t, p.chain(), viewer{people: p, organisation: "bank"})
	for _, f := range report.Findings {
		t.Error(f)
	}
	if report.Fund.Agreeing != 4 || report.Private != (audit.PrivateState{Kept: 2, Verified: 2, Purged: 1}) {
		t.Errorf("the fund trail is %+v, private values are %+v", report.Fund, report.Private)
	}
}

func TestHonestChain(t *testing.T) {
	v := newVillage(t)
	v.live()
	v.race()
	v.campaign()
	report := run(t, v, v.chain(), v.honest)
	for _, f := range report.Findings {
		t.Error(f)
	}
	if report.Tiling.Tiled != 8 || report.Tiling.Tapes != 8 {
		t.Errorf("tiling is %+v", report.Tiling)
	}
	if want := (books.Trail{Campaigns: 4, Agreeing: 4, Disbursements: 4, Confirmations: 1, Disputes: 1}); report.Fund != want {
		t.Errorf("the fund trail is %+v", report.Fund)
	}
	if len(report.Peers) != 5 || !report.Peers[4].Equal || report.Peers[4].Records == 0 {
		t.Errorf("peers are %+v", report.Peers)
	}
	if got := report.Invalid["MVCC_READ_CONFLICT"]; got != 1 {
		t.Errorf("%d conflicts, one was made", got)
	}
	if len(report.Balances) != 1 || report.Balances[0].Difference() != 0 || report.Balances[0].Outside >= 0 {
		t.Errorf("balances are %+v", report.Balances)
	}
	t.Log(strings.TrimSpace(report.Text()))
}
