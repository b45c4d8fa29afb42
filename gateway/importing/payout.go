package importing

import (
	"fmt"
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/statement"
)

// movement is a line that is no gift and whose memo names payouts: a debit
// that executes them, or a credit that brings one back.
type movement struct {
	number int
	page   int32
	index  int
	side   tape.Side
	date   tape.Date
	amount money.Amount
	names  []donation.PayoutReference
}

// payoutsIn are the payouts that a line's memo names, or the bank's own
// reference where the bank passes the memo on there.
func payoutsIn(l statement.Line) []donation.PayoutReference {
	var found []donation.PayoutReference
	for _, text := range [...]string{l.Description, l.Reference} {
		for _, name := range donation.FindPayoutReferences(text) {
			if !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	return found
}

// The reasons why a line that names a payout executes none, and brings none back.
const (
	TwoReferences    = "two references"
	UnknownReference = "unknown reference"
	AnotherAccount   = "another bank account"
	AlreadyExecuted  = "already executed"
	NotExecuted      = "not executed"
	Released         = "released"
	AmountDiffers    = "amount differs"
	TooMany          = "too many payouts for one line"
)

// PayoutRemark is a line whose memo names payouts and which does nothing for them.
type PayoutRemark struct {
	Line      int                      `json:"line"`
	Side      tape.Side                `json:"side"`
	Amount    money.Amount             `json:"amount"`
	Reference donation.PayoutReference `json:"reference"`
	Reason    string                   `json:"reason"`
	// Ordered is what the payouts would take, where the reference names any.
	Ordered *money.Amount `json:"ordered,omitempty"`
}

// known is what the ledger shows of the payouts that a statement names.
type known struct {
	payouts map[donation.PayoutReference][]readmodel.Payout
	// here are the accounts whose money is at the statement's bank account.
	here map[tape.AccountID]bool
	// used are the lines that have done something, by page and index.
	used map[int32]map[int]bool
}

// deed is what one line does: it executes payouts of an account, or returns one.
type deed struct {
	movement
	account tape.AccountID
	payouts []readmodel.Payout
}

// sorted are the movements by what is to be done about them. done are lines
// that have executed or returned something before.
type sorted struct {
	execute, back []deed
	done          []movement
	remarks       []PayoutRemark
}

// sort decides what each line does, in the order of the lines. A payout is
// executed by the first line that fits it.
func (k known) sort(movements []movement) sorted {
	var s sorted
	taken := map[string]bool{}
	for _, m := range movements {
		if k.used[m.page][m.index] {
			s.done = append(s.done, m)
			continue
		}
		payouts := k.payouts[m.names[0]]
		reason := k.reason(m, payouts, taken)
		if reason != "" {
			remark := PayoutRemark{Line: m.number, Side: m.side, Amount: m.amount, Reference: m.names[0], Reason: reason}
			if reason == AmountDiffers {
				ordered := ordered(m, payouts)
				remark.Ordered = &ordered
			}
			s.remarks = append(s.remarks, remark)
			continue
		}
		d := deed{movement: m, account: payouts[0].Account, payouts: payouts}
		for _, p := range payouts {
			taken[tape.HoldKey(p.Account, p.ID)] = true
		}
		if m.side == tape.DebitSide {
			s.execute = append(s.execute, d)
		} else {
			s.back = append(s.back, d)
		}
	}
	return s
}

// reason says why a line does nothing; empty where it does what its memo says.
func (k known) reason(m movement, payouts []readmodel.Payout, taken map[string]bool) string {
	switch {
	case len(m.names) > 1:
		return TwoReferences
	case len(payouts) == 0:
		return UnknownReference
	case len(payouts) > tape.ExecuteMax:
		return TooMany
	}
	for _, p := range payouts {
		if !k.here[p.Account] || !p.To.Outside() {
			return AnotherAccount
		}
		if reason := stands(m, p); reason != "" {
			return reason
		}
		if taken[tape.HoldKey(p.Account, p.ID)] {
			return AlreadyExecuted
		}
	}
	fits := m.amount == ordered(m, payouts)
	if m.side == tape.CreditSide { // a bank may keep something of what it brings back
		fits = len(payouts) == 1 && m.amount.Currency == payouts[0].Amount.Currency && m.amount.Units <= ordered(m, payouts).Units
	}
	if !fits {
		return AmountDiffers
	}
	return ""
}

// stands says why nothing can be done about a payout by a line.
func stands(m movement, p readmodel.Payout) string {
	gone := p.Captured.Total() - p.Returned.Total()
	switch {
	case m.side == tape.CreditSide && gone == 0 && len(p.Captured) == 0:
		return NotExecuted
	case m.side == tape.CreditSide && gone == 0, m.side == tape.DebitSide && p.State == tape.HoldCaptured:
		return AlreadyExecuted
	case m.side == tape.DebitSide && (p.State == tape.HoldReclaimed || p.State == tape.HoldReleased && m.date > p.Released):
		return Released
	}
	return ""
}

// ordered is what is left to be paid, or for a credit what can come back.
func ordered(m movement, payouts []readmodel.Payout) money.Amount {
	var units int64
	for _, p := range payouts {
		if m.side == tape.DebitSide {
			units += p.Spans.Total()
		} else {
			units += p.Captured.Total() - p.Returned.Total()
		}
	}
	return money.New(units, payouts[0].Amount.Currency)
}

// batch is one command: lines of one page for one account.
type batch struct {
	account tape.AccountID
	page    int32
	lines   []tape.ExecutedLine
	payouts int
}

// batches cuts what is executed into commands of some hundred payouts.
func batches(deeds []deed) []batch {
	var all []batch
	open := map[string]int{}
	for _, d := range deeds {
		key := fmt.Sprintf("%d %s", d.page, d.account)
		at, is := open[key]
		if !is || all[at].payouts+len(d.payouts) > batchPayouts {
			at = len(all)
			open[key] = at
			all = append(all, batch{account: d.account, page: d.page})
		}
		line := tape.ExecutedLine{Index: d.index}
		for _, p := range d.payouts {
			line.Holds = append(line.Holds, p.ID)
		}
		all[at].lines, all[at].payouts = append(all[at].lines, line), all[at].payouts+len(d.payouts)
	}
	return all
}

// batchPayouts is how many payouts go with one command, unless one line carries
// more. Each payout has a key with a policy of its own, and for each a peer
// hashes the whole transaction once a signature: larger batches cost more.
const batchPayouts = 100
