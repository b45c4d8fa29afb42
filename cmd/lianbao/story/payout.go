package story

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const (
	payoutHold = "story.payout"
	refundHold = "story.refund"
)

// orders orders what leaves the ledger: a household's payout, and a refund.
func (t *teller) orders(ctx context.Context) error {
	t.say("a household's payout and the refund of a gift are ordered")
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error {
		command := tape.OrderHolds{Account: household3, Expires: t.begun + 30*day, ID: "story.order",
			Holds: []tape.HoldOrder{{Amount: payout, Hold: payoutHold, To: "outside:person:fake-c3b0"}}}
		return t.signed(working, "Tape:Hold", "hold", household3, payout, command)
	})
	work.Go(func() error { return t.refund(working) })
	return work.Wait()
}

// refund gives the last gift back: it has not been spent.
func (t *teller) refund(ctx context.Context) error {
	all, err := t.firstPage(ctx)
	if err != nil {
		return err
	}
	last := len(all) - 1
	proof, err := tape.NewGiftProof(t.first.Statement+".page-0", all, last)
	if err != nil {
		return err
	}
	command := tape.Refund{Account: campaign, Expires: t.begun + 30*day, Gift: proof, ID: refundHold, To: "outside:donor:fake-9a41"}
	return t.signed(ctx, "Tape:Refund", "refund", campaign, all[last].Amount, command)
}

// firstPage reads the gifts of the first statement: they fit on one page.
func (t *teller) firstPage(ctx context.Context) ([]tape.Gift, error) {
	var list readmodel.List[readmodel.Gift]
	query := url.Values{"page": {string(t.first.Statement) + ".page-0"}, "limit": {"1000"}}
	if err := t.Charity.Get(ctx, "/accounts/"+url.PathEscape(campaign)+"/gifts", query, t.first.Position, &list); err != nil {
		return nil, err
	}
	if len(list.Items) == 0 {
		return nil, rule.Refuse(rule.NotFound, "the gifts of the story are not there; lianbao reset and up begin anew")
	}
	all := make([]tape.Gift, len(list.Items))
	for i, gift := range list.Items {
		all[i] = tape.Gift{ID: gift.ID, Amount: gift.Amount, Donor: gift.Donor, Reference: gift.Reference}
	}
	return all, nil
}

// bank files the next statement, on which both payments stand, and executes
// the orders on its evidence.
func (t *teller) bank(ctx context.Context) (err error) {
	t.say("the bank's next statement shows both payments: the orders are executed")
	all, err := t.firstPage(ctx)
	if err != nil {
		return err
	}
	refunded := all[len(all)-1].Amount
	path := filepath.Join(t.folder(), "invented-statement-2.csv")
	text := "line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym\n" +
		fmt.Sprintf("1,2024-09-11,09:00:00,Rfake-payout,%d,0,%s,\n", payout.Units, currency) +
		fmt.Sprintf("2,2024-09-11,09:00:01,Rfake-refund,%d,0,%s,\n", refunded.Units, currency)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	if t.second, err = t.take(ctx, path); err != nil {
		return err
	}
	lines, err := t.Bank.Lines(ctx, bankAccount, t.second.Statement, 0)
	if err != nil {
		return err
	}
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error { return t.capture(working, household3, payoutHold, lines, 0) })
	work.Go(func() error { return t.capture(working, campaign, refundHold, lines, 1) })
	return work.Wait()
}

// capture lets the bank execute an order by a debit line of its statement.
func (t *teller) capture(ctx context.Context, account tape.AccountID, hold tape.ID, lines []tape.Line, index int) error {
	if index >= len(lines) {
		return rule.Refuse(rule.NotFound, "the bank's statement has %d lines; lianbao reset and up begin anew", len(lines))
	}
	proof, err := tape.NewLineProof(t.second.Statement, 0, lines, index)
	if err != nil {
		return err
	}
	_, err = t.Bank.SendRecord(ctx, "Tape:Capture", tape.Capture{Account: account, Amount: lines[index].Amount, Hold: hold, ID: hold + ".paid", Line: &proof})
	return err
}
