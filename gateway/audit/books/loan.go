package books

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// dividend is a sale on its way to those who delivered: its job, and what of it
// was shared out, in minor units.
type dividend struct {
	sale   *harvest.Sale
	job    tape.ID
	shared int64
}

// lendingContracts are those of loans and what follows from them. These books
// follow their money; what they promise and decide is judged by replay alone.
var lendingContracts = []string{"Loan", "Settlement", "Credit", "Recourse", "Pool"}

// lendingKinds are their commands that move money, by their functions.
var lendingKinds map[string]func(*Books) error

func init() {
	lendingKinds = map[string]func(*Books) error{
		"Loan:OpenLending": (*Books).open, "Loan:DisburseLoan": (*Books).disburse, "Loan:RepayLoan": (*Books).handOn,
		"Settlement:OpenSettlement": (*Books).openSettlement, "Settlement:SettleHouseholds": (*Books).settleHouseholds, "Settlement:CloseSettlement": (*Books).closeSettlement,
		"Pool:OpenPoolAccount": (*Books).open, "Pool:PayPoolClaim": (*Books).payPool, "Pool:ShareRecovery": (*Books).sharePool,
	}
}

// lent finds how a command of one of these contracts is booked.
func (b *Books) lent() (func(*Books) error, bool) {
	contract, name, _ := strings.Cut(b.transaction.Function, ":")
	if !slices.Contains(lendingContracts, contract) {
		return nil, false
	}
	return func(b *Books) error {
		b.differs(tape.EntryKey(b.entry.Organisation, b.entry.ID), "the kind of the entry", dashed(name), b.entry.Kind)
		if book := lendingKinds[b.transaction.Function]; book != nil {
			return book(b)
		}
		if n := len(b.entry.Postings); n > 0 {
			return fmt.Errorf("it has %d postings, and moves no money", n)
		}
		return nil
	}, true
}

// dashed is a function's name as the kind of its entries.
func dashed(name string) string {
	var kind []rune
	for i, letter := range name {
		if unicode.IsUpper(letter) && i > 0 {
			kind = append(kind, '-')
		}
		kind = append(kind, unicode.ToLower(letter))
	}
	return string(kind)
}

// disburse holds a lender's share of a tranche for whom it goes to.
func (b *Books) disburse() error {
	c, err := command[loan.Disburse](b)
	if err != nil {
		return err
	}
	l, err := record[loan.Loan](b, loan.Key(c.Account, c.Loan))
	if err != nil {
		return err
	}
	weights, lender := make([]int64, len(l.Lenders)), -1
	for i, one := range l.Lenders {
		weights[i] = int64(one.PartsPerMillion)
		if one.Organisation == b.entry.Organisation {
			lender = i
		}
	}
	if lender < 0 {
		return fmt.Errorf("%s lends nothing of %s", b.entry.Organisation, l.ID)
	}
	a, err := b.account(l.Lenders[lender].Account)
	if err != nil {
		return err
	}
	shares, err := money.Split(c.Amount.Units, weights)
	if err != nil {
		return err
	}
	spans, err := a.take(shares[lender], ordered)
	if err != nil {
		return err
	}
	return b.keep(a, c.ID, spans, ordered, c.To)
}

// handOn books payments from the first free money of one account of the caller's.
func (b *Books) handOn() error {
	for _, p := range b.entry.Postings {
		a, err := b.account(p.From)
		if err != nil {
			return err
		}
		b.differs(string(a.id), "whose money a loan's payment hands on", b.entry.Organisation, a.organisation)
		if err := b.takeFirst(a, p, p.Amount); err != nil {
			return err
		}
	}
	return nil
}

// openSettlement takes exactly the proceeds of a sale off the scheme's account.
func (b *Books) openSettlement() error {
	c, err := command[settlement.OpenSettlement](b)
	if err != nil {
		return err
	}
	crop := b.trail.crops[c.Account]
	if crop == nil || crop.sales[c.Sale] == nil {
		return fmt.Errorf("sale %s of %s was never made", c.Sale, c.Account)
	}
	sale, key := crop.sales[c.Sale], settlement.Key(c.Account, c.Sale)
	b.once("settlement", key)
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	if err := b.openJobOf(a, c.ID, sale.Proceeds); err != nil {
		return err
	}
	b.dividends[key] = &dividend{sale: sale, job: c.ID}
	sale.State, sale.Settled = harvest.SaleSettled, b.entry.Reference()
	same(b, harvest.SaleKey(c.Account, c.Sale), "the sale that is settled", *sale)
	return nil
}

// settleHouseholds shares one page out: what each household pays and gets is its
// part of the sale's net by its grams, to the unit.
func (b *Books) settleHouseholds() error {
	c, err := command[settlement.SettleHouseholds](b)
	if err != nil {
		return err
	}
	d := b.dividends[settlement.Key(c.Account, c.Sale)]
	if d == nil {
		return fmt.Errorf("the settlement of %s was never opened", c.Sale)
	}
	page := c.N
	if len(d.sale.Costs) > 0 {
		page--
	}
	run := tape.RunChunk{Account: c.Account, ID: c.ID, Job: d.job, N: c.N}
	if page < 0 {
		for i, cost := range d.sale.Costs {
			run.Lines = append(run.Lines, tape.Payment{Amount: cost.Amount, Line: tape.ID(fmt.Sprint(i)), To: cost.Payee})
		}
	} else {
		run.Lines = b.paidOf(c.Account, d.job, c.N)
		if err := b.fair(c.Account, c.Sale, page, d, run.Lines); err != nil {
			return err
		}
	}
	for _, line := range run.Lines {
		d.shared += line.Amount.Units
	}
	return b.runChunkOf(run)
}

// paidOf are the payments of a chunk: its holds, and behind them its postings.
func (b *Books) paidOf(account tape.AccountID, job tape.ID, n int32) []tape.Payment {
	var lines []tape.Payment
	for i := 0; ; i++ {
		hold, err := record[tape.Hold](b, tape.HoldKey(account, tape.ChunkHold(job, n, i)))
		if err != nil {
			break
		}
		lines = append(lines, tape.Payment{Amount: hold.Amount, To: hold.To})
	}
	for _, p := range b.entry.Postings {
		lines = append(lines, tape.Payment{Amount: p.Amount, OnBehalfOf: p.OnBehalfOf, To: p.To})
	}
	return lines
}

// fair reports a household whose lines do not come to its part of the net: the
// floor of it, or one unit more where units were left.
func (b *Books) fair(scheme tape.AccountID, sale tape.ID, page int32, d *dividend, lines []tape.Payment) error {
	key := harvest.ShareKey(scheme, sale, page)
	var shares harvest.Page
	b.readable(key, b.trail.kept[key], &shares)
	got := map[string]int64{}
	for _, line := range lines {
		whose := line.To
		if line.OnBehalfOf != "" {
			whose = line.OnBehalfOf
			if _, err := b.account(line.To); err != nil {
				return err
			}
		}
		got[pseudonymOf(whose)] += line.Amount.Units
	}
	for _, share := range shares.Shares {
		if share.Grams < 0 || share.Grams > d.sale.Grams || d.sale.Grams < 1 || d.sale.Net.Units < 0 || d.sale.Net.Units > money.Max {
			return fmt.Errorf("%d g of %d g of %s are nobody's part", share.Grams, d.sale.Grams, d.sale.Net)
		}
		name := pseudonymOf(share.Household)
		floor, rest := money.Portion(d.sale.Net.Units, share.Grams, d.sale.Grams)
		if units := got[name]; units != floor && (units != floor+1 || rest == 0) {
			b.problem(key, "what a household gets and pays of the sale is its part by weight: "+string(share.Household), fmt.Sprint(floor), fmt.Sprint(units))
		}
		delete(got, name)
	}
	if len(got) > 0 {
		return fmt.Errorf("%d payees of the page delivered nothing", len(got))
	}
	return nil
}

// pseudonymOf is the part of a household's names that is the same on the ledger and outside.
func pseudonymOf(account tape.AccountID) string {
	parts := strings.Split(string(account), ":")
	for i, part := range parts[:len(parts)-1] {
		if part == tape.Household {
			return parts[i+1]
		}
	}
	return string(account)
}

// closeSettlement ends a settlement that has shared out the whole sale.
func (b *Books) closeSettlement() error {
	c, err := command[settlement.CloseSettlement](b)
	if err != nil {
		return err
	}
	key := settlement.Key(c.Account, c.Sale)
	d := b.dividends[key]
	if d == nil {
		return fmt.Errorf("the settlement of %s was never opened", c.Sale)
	}
	b.differs(key, "a settled sale is shared out to the unit", d.sale.Proceeds.String(), money.New(d.shared, d.sale.Proceeds.Currency).String())
	_, err = b.closeJobOf(tape.CloseJob{Account: c.Account, ID: c.ID, Job: d.job})
	return err
}
