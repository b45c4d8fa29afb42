package books

import (
	"context"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/iati"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Reconciliation is one account seen by the bank, on the chain and in the
// export, and whether they agree. Amounts are never negative unless they say so.
type Reconciliation struct {
	Account tape.AccountID `json:"account"`
	// Through is the last day of the export, Block the last block that was read.
	Through tape.Date `json:"through"`
	Block   uint64    `json:"block"`
	Bank    Bank      `json:"bank"`
	Chain   Chain     `json:"chain"`
	Export  Exported  `json:"export"`
	// Page is what sheets and pages add up, day by day.
	Page Page `json:"page"`
	// Equalities are what must hold, each with its two sides.
	Equalities []Equality `json:"equalities"`
}

// Bank is what lines of bank statements show of the account, by the lines' own amounts.
type Bank struct {
	Gifts           money.Amount `json:"gifts"`
	ChargedBack     money.Amount `json:"chargedBack"`
	Refunds         money.Amount `json:"refunds"`
	RefundsReturned money.Amount `json:"refundsReturned"`
	Payouts         money.Amount `json:"payouts"`
	PayoutsReturned money.Amount `json:"payoutsReturned"`
	// SelfDeclared and Fees never passed the bank: the charity's word, and what processors kept.
	SelfDeclared money.Amount `json:"selfDeclared"`
	Fees         money.Amount `json:"fees"`
}

// Chain is what the account's own records say.
type Chain struct {
	// Gifts and Transfers are the lengths of the settled spans, Received that of the tape.
	Gifts money.Amount `json:"gifts"`
	// Rebooked are gifts found to be the account's after they had been settled
	// elsewhere, less those found to be another's; negative where these are more.
	Rebooked  money.Amount `json:"rebooked"`
	Transfers money.Amount `json:"transfers"`
	Received  money.Amount `json:"received"`
	Free      money.Amount `json:"free"`
	Held      money.Amount `json:"held"`
	// Waiting has left for the account and is not on its tape yet.
	Waiting money.Amount `json:"waiting"`
	// Receivable is what nobody bore of gifts charged back after they were spent.
	Receivable money.Amount `json:"receivable"`
	// TransfersIn and TransfersOut are postings from and to other accounts, less
	// what was paid back; OwnFunds is what those bore of chargebacks.
	TransfersIn  money.Amount `json:"transfersIn"`
	TransfersOut money.Amount `json:"transfersOut"`
	OwnFunds     money.Amount `json:"ownFunds"`
}

// Page are sums of the flows from which sheets, pages and publications are made.
type Page struct {
	// Settled is gifts with their place on the tape; Paid left by lines of the
	// bank for payees, less what came back.
	Settled money.Amount `json:"settled"`
	Paid    money.Amount `json:"paid"`
}

// Exported are sums over the transactions of the activity, by type.
type Exported struct {
	Incoming  money.Amount `json:"incoming"`
	Disbursed money.Amount `json:"disbursed"`
	Spent     money.Amount `json:"spent"`
	// LaterIn and LaterOut are left out, because they are dated after the last day.
	LaterIn  money.Amount `json:"laterIn"`
	LaterOut money.Amount `json:"laterOut"`
}

// Equality is two ways to one figure.
type Equality struct {
	// Key is one of EqualityKeys, Name says it in words.
	Key   string       `json:"key"`
	Name  string       `json:"name"`
	Left  money.Amount `json:"left"`
	Right money.Amount `json:"right"`
	// Difference is Left less Right, nothing when all is well.
	Difference money.Amount `json:"difference"`
}

// EqualityKeys are the keys of all equalities, in their order.
func EqualityKeys() []string {
	return []string{"settled", "tape", "incoming", "outgoing", "left", "page-settled", "page-paid"}
}

// Agrees reports whether every equality holds.
func (r Reconciliation) Agrees() bool {
	for _, e := range r.Equalities {
		if e.Difference.Units != 0 {
			return false
		}
	}
	return true
}

// Reconcile compares bank, chain and export of an account. Money in, as the
// bank's lines and the charity's word show it, is what the export's incoming
// funds come to, net of what went back; and what is left of them after all that
// went out is what the account still has.
func (b *Books) Reconcile(ctx context.Context, account tape.AccountID, cut Cut) (Reconciliation, error) {
	r, err := b.read(ctx, account, cut)
	if err != nil {
		return Reconciliation{}, err
	}
	return r.reconcile(ctx)
}

func (r *reading) reconcile(ctx context.Context) (Reconciliation, error) {
	t := &tally{units: map[cause]int64{}, bank: map[cause]int64{}}
	days := &ledger{reading: r, sums: map[line]int64{}}
	a, err := r.activity(ctx, days, t.add)
	if err != nil {
		return Reconciliation{}, err
	}
	of := func(units int64) money.Amount { return money.New(units, r.account.Currency) }
	result := Reconciliation{Account: r.account.ID, Through: r.through, Bank: t.figures(of)}
	if r.next > 0 {
		result.Block = r.next - 1
	}
	result.Chain = Chain{Rebooked: of(t.rebooked), Received: r.account.Received, Free: r.account.Free, Held: r.account.Held, Waiting: of(r.waiting), Receivable: of(r.receivable),
		TransfersIn: of(t.units[incoming] + t.units[claimed] + t.units[incomingBack] + t.units[correctedIn] + t.units[correctedOut]), TransfersOut: of(t.units[outgoing] + t.units[outgoingBack]), OwnFunds: of(t.units[ownFunds])}
	gifts, transfers, err := r.settled(ctx)
	if err != nil {
		return Reconciliation{}, err
	}
	result.Chain.Gifts, result.Chain.Transfers = of(gifts), of(transfers)
	sums := map[iati.TransactionType]int64{}
	for _, transaction := range a.Transactions {
		sums[transaction.Type] += transaction.Value.Units
	}
	result.Export = Exported{Incoming: of(sums[iati.IncomingFunds]), Disbursed: of(sums[iati.Disbursement]), Spent: of(sums[iati.Expenditure]), LaterIn: of(days.laterIn), LaterOut: of(days.laterOut)}
	result.Page = r.pages(of)
	result.Equalities = result.equalities(of)
	return result, nil
}

// pages adds up what pages show.
func (r *reading) pages(of func(int64) money.Amount) Page {
	sums := map[readmodel.FlowKind]int64{}
	for _, f := range r.daily {
		sums[f.Kind] += f.Amount.Units
	}
	return Page{Settled: of(sums[readmodel.FlowSettled] + sums[readmodel.FlowDeclared]), Paid: of(sums[readmodel.FlowPaid] - sums[readmodel.FlowReturned])}
}

// tally sums flows and their bank lines by cause.
type tally struct {
	units, bank map[cause]int64
	declared    int64
	// rebooked are gifts that were found to be the account's, less those found to be another's.
	rebooked int64
}

func (t *tally) add(f flow) (err error) {
	if t.units[f.cause], err = money.Sum(t.units[f.cause], f.units); err != nil {
		return err
	}
	if t.bank[f.cause], err = money.Sum(t.bank[f.cause], f.bank); err != nil {
		return err
	}
	switch {
	case f.cause == claimed, f.cause == correctedIn, f.cause == correctedOut:
		t.rebooked += f.units
	case f.identified && f.cause == outgoing:
		t.rebooked -= f.units
	}
	t.declared, err = money.Sum(t.declared, f.declared)
	return err
}

func (t *tally) figures(of func(int64) money.Amount) Bank {
	return Bank{Gifts: of(t.bank[gift]), ChargedBack: of(-t.bank[chargeback]), Refunds: of(-t.bank[refund]), RefundsReturned: of(t.bank[refundReturned]),
		Payouts: of(-t.bank[payout]), PayoutsReturned: of(t.bank[payoutReturned]), SelfDeclared: of(t.declared), Fees: of(t.units[fee])}
}

// settled sums the spans that settlements gave to gifts and to transfers.
func (r *reading) settled(ctx context.Context) (gifts, transfers int64, err error) {
	for s, err := range walk(func(w readmodel.Window) (readmodel.List[readmodel.Settlement], error) {
		return r.Model.Settlements(ctx, r.account.ID, w)
	}) {
		if err != nil {
			return 0, 0, err
		}
		if s.Block >= r.next {
			break
		}
		// An inflow's source is organisation/entry/index, a page's id has no slash.
		if strings.Contains(s.Source, "/") {
			transfers += s.Span.Length()
		} else {
			gifts += s.Span.Length()
		}
	}
	return gifts, transfers, nil
}

// equalities are the figures that have to agree. Each side is read another way.
func (r Reconciliation) equalities(of func(int64) money.Amount) []Equality {
	bank, chain, export := r.Bank, r.Chain, r.Export
	moneyIn := bank.Gifts.Units + bank.Fees.Units + bank.SelfDeclared.Units
	var all []Equality
	add := func(name string, left, right int64) {
		all = append(all, Equality{Key: EqualityKeys()[len(all)], Name: name, Left: of(left), Right: of(right), Difference: of(left - right)})
	}
	add("bank lines of gifts + fees kept + self-declared = settled gifts", moneyIn, chain.Gifts.Units)
	add("settled gifts + settled transfers = tape", chain.Gifts.Units+chain.Transfers.Units, chain.Received.Units)
	add("money in, net of what went back = exported incoming funds",
		moneyIn+chain.TransfersIn.Units+chain.OwnFunds.Units-bank.Refunds.Units+bank.RefundsReturned.Units-bank.ChargedBack.Units, export.Incoming.Units+export.LaterIn.Units)
	add("bank lines of payouts, net of returns + fees + transfers = exported disbursements and expenditure",
		bank.Payouts.Units-bank.PayoutsReturned.Units+bank.Fees.Units+chain.TransfersOut.Units, export.Disbursed.Units+export.Spent.Units+export.LaterOut.Units)
	add("exported money in less money out = free + held + waiting - receivable",
		export.Incoming.Units+export.LaterIn.Units-export.Disbursed.Units-export.Spent.Units-export.LaterOut.Units,
		chain.Free.Units+chain.Held.Units+chain.Waiting.Units-chain.Receivable.Units)
	add("gifts settled on the pages = settled gifts + those found to be its own", r.Page.Settled.Units, chain.Gifts.Units+chain.Rebooked.Units)
	add("paid on the pages = bank lines of payouts, net of returns", r.Page.Paid.Units, bank.Payouts.Units-bank.PayoutsReturned.Units)
	return all
}
