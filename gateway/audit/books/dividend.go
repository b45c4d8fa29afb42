package books

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// dividend is a sale on its way to those who delivered: its job, and what of it
// was shared out, in minor units.
type dividend struct {
	sale   *harvest.Sale
	job    tape.ID
	shared int64
	// settled are the households, by their places among those of the sale, costs
	// whether its costs were paid; parts are whom the chunks of the job are of.
	settled []bool
	costs   bool
	parts   [][2]int
	// paid says that the job has paid the costs, begun that an earlier one has shared something out.
	paid, begun bool
}

// openSettlement takes exactly the proceeds of a sale off the scheme's account, or
// what is left of them where a settlement of it was abandoned.
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
	d := b.dividends[key]
	if d == nil {
		d = &dividend{sale: sale, settled: make([]bool, max(0, sale.Composition.Households)), costs: len(sale.Costs) == 0}
		b.dividends[key] = d
	}
	if d.job != "" {
		b.problem(key, "settlement is used twice", "once, by "+string(d.job), "again by "+b.entry.Reference())
	}
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	if err := b.openJobOf(a, c.ID, money.New(sale.Proceeds.Units-d.shared, sale.Proceeds.Currency)); err != nil {
		return err
	}
	d.job, d.parts = c.ID, d.cut(int(c.Households))
	if sale.State == harvest.SaleOpen {
		sale.State, sale.Settled = harvest.SaleSettled, b.entry.Reference()
	}
	same(b, harvest.SaleKey(c.Account, c.Sale), "the sale that is settled", *sale)
	return nil
}

// cut shares the households that are left out among chunks: side by side, on one
// page, and no more than so many.
func (d *dividend) cut(most int) [][2]int {
	var parts [][2]int
	for place, settled := range d.settled {
		if settled {
			continue
		}
		last := len(parts) - 1
		if last >= 0 && parts[last][1] == place && place-parts[last][0] < most && place%harvest.PageHouseholdsMax != 0 {
			parts[last][1]++
			continue
		}
		parts = append(parts, [2]int{place, place + 1})
	}
	return parts
}

// part is whom chunk n is of; nobody where it pays the costs.
func (d *dividend) part(n int32) ([2]int, error) {
	if !d.costs {
		n--
	}
	if n < -1 || int(n) >= len(d.parts) {
		return [2]int{}, fmt.Errorf("chunk %d is nobody's", n)
	}
	if n == -1 {
		return [2]int{}, nil
	}
	return d.parts[n], nil
}

// settleHouseholds shares one part out: what each household pays and gets is its
// part of the sale's net by its grams, to the unit.
func (b *Books) settleHouseholds() error {
	c, err := command[settlement.SettleHouseholds](b)
	if err != nil {
		return err
	}
	d := b.dividends[settlement.Key(c.Account, c.Sale)]
	if d == nil || d.job == "" {
		return fmt.Errorf("the settlement of %s was never opened", c.Sale)
	}
	part, err := d.part(c.N)
	if err != nil {
		return err
	}
	run := tape.RunChunk{Account: c.Account, ID: c.ID, Job: d.job, N: c.N}
	if part[1] == 0 {
		for i, cost := range d.sale.Costs {
			run.Lines = append(run.Lines, tape.Payment{Amount: cost.Amount, Line: tape.ID(fmt.Sprint(i)), To: cost.Payee})
		}
		d.paid = true
	} else {
		run.Lines = b.paidOf(c.Account, d.job, c.N)
		if err := rule.First(b.fair(c.Account, c.Sale, part, d, run.Lines), b.toWhom(settlement.Key(c.Account, c.Sale), run.Lines)); err != nil {
			return err
		}
		for place := part[0]; place < part[1]; place++ {
			if d.settled[place] {
				b.problem(settlement.Key(c.Account, c.Sale), "a household of the sale is settled twice", "once", "again by "+b.entry.Reference())
			}
			d.settled[place] = true
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
		lines = append(lines, tape.Payment{Amount: hold.Amount, OnBehalfOf: hold.OnBehalfOf, To: hold.To})
	}
	for _, p := range b.entry.Postings {
		lines = append(lines, tape.Payment{Amount: p.Amount, OnBehalfOf: p.OnBehalfOf, To: p.To})
	}
	return lines
}

// fair reports a household whose lines do not come to its part of the net: the
// floor of it, or one unit more where units were left.
func (b *Books) fair(scheme tape.AccountID, sale tape.ID, part [2]int, d *dividend, lines []tape.Payment) error {
	key := harvest.ShareKey(scheme, sale, int32(part[0]/harvest.PageHouseholdsMax))
	var shares harvest.Page
	b.readable(key, b.trail.kept[key], &shares)
	got := map[string]int64{}
	for _, line := range lines {
		whose := line.To
		if line.OnBehalfOf != "" {
			whose = line.OnBehalfOf
			if _, err := b.account(line.To); err != nil && !line.To.Outside() {
				return err
			}
		}
		got[pseudonymOf(whose)] += line.Amount.Units
	}
	first := part[0] % harvest.PageHouseholdsMax
	if end := first + part[1] - part[0]; end > len(shares.Shares) {
		return fmt.Errorf("households %d to %d of the sale are on no page", part[0], part[1])
	}
	for _, share := range shares.Shares[first : first+part[1]-part[0]] {
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
	if d == nil || d.job == "" {
		return fmt.Errorf("the settlement of %s was never opened", c.Sale)
	}
	b.differs(key, "a settled sale is shared out to the unit", d.sale.Proceeds.String(), money.New(d.shared, d.sale.Proceeds.Currency).String())
	_, err = b.closeJobOf(tape.CloseJob{Account: c.Account, ID: c.ID, Job: d.job})
	return err
}

// abandonSettlement gives back exactly what no chunk has shared out; a sale of
// which nothing was is open as before.
func (b *Books) abandonSettlement() error {
	c, err := command[settlement.AbandonSettlement](b)
	if err != nil {
		return err
	}
	key := settlement.Key(c.Account, c.Sale)
	d := b.dividends[key]
	if d == nil || d.job == "" {
		return fmt.Errorf("the settlement of %s was never opened", c.Sale)
	}
	left, err := b.closeJobOf(tape.CloseJob{Abandon: true, Account: c.Account, ID: c.ID, Job: d.job})
	if err != nil {
		return err
	}
	b.differs(key, "what an abandoned settlement gives back", fmt.Sprint(d.sale.Proceeds.Units-d.shared), fmt.Sprint(left))
	d.job, d.costs, d.begun = "", d.costs || d.paid, d.begun || d.paid || slices.Contains(d.settled, true)
	if !d.begun {
		d.sale.State, d.sale.Settled = harvest.SaleOpen, ""
	}
	same(b, harvest.SaleKey(c.Account, c.Sale), "the sale whose settlement was abandoned", *d.sale)
	return nil
}

// payAgain pays a payout again that came back: no more than came back, and what it
// pays is its household's or for the same one.
func (b *Books) payAgain() error {
	c, err := command[settlement.PayAgain](b)
	if err != nil {
		return err
	}
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	lines := b.paidOf(c.Account, c.ID, 0)
	old, total := b.holds[tape.HoldKey(c.Account, c.Hold)], int64(0)
	if old == nil {
		return fmt.Errorf("payout %s was never ordered", c.Hold)
	}
	for _, line := range lines {
		whose := line.To
		if line.OnBehalfOf != "" {
			whose = line.OnBehalfOf
		}
		if pseudonymOf(whose) != pseudonymOf(old.payee) && line.To != old.payee {
			b.problem(tape.HoldKey(c.Account, c.Hold), "whose a payout is that is ordered again", string(old.payee), string(whose))
		}
		total += line.Amount.Units
	}
	if total > old.back-old.again {
		b.problem(tape.HoldKey(c.Account, c.Hold), "a payout is ordered again for no more than came back", fmt.Sprint(old.back-old.again), fmt.Sprint(total))
	}
	old.again += total
	return b.payAtOnce(a, c, old, lines, total)
}

// payAtOnce books the job of one chunk that pays such a payout. What paid another
// for the household counts no second time.
func (b *Books) payAtOnce(a *account, c settlement.PayAgain, old *hold, lines []tape.Payment, total int64) error {
	if old.behalf == "" {
		if err := b.toWhom(settlement.Key(c.Account, c.Sale), lines); err != nil {
			return err
		}
	}
	if err := b.openJobOf(a, c.ID, money.New(total, a.currency)); err != nil {
		return err
	}
	if err := b.runChunkOf(tape.RunChunk{Account: c.Account, ID: c.ID, Job: c.ID, Lines: lines}); err != nil {
		return err
	}
	_, err := b.closeJobOf(tape.CloseJob{Account: c.Account, ID: c.ID, Job: c.ID})
	return err
}
