package terms

import (
	"math/big"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// annuity pays equal instalments. Whatever is advanced within a period changes
// the instalments from that period on: nobody repays what was not yet lent.
func (p *plan) annuity() error {
	if p.Instalment != (money.Amount{}) {
		return p.agreed()
	}
	grace := int(p.GracePrincipalInstalments)
	var deferred, level int64
	for k := 0; k < len(p.dues); {
		interest, err := p.interest(k, p.balance)
		if err != nil {
			return err
		}
		if k < grace {
			interest, deferred = p.graced(k, interest, deferred)
			p.balance += p.drawn(k)
			p.row(0, interest)
			k++
			continue
		}
		until := k + 1
		if p.difference() != Level {
			until = p.changes(k)
		}
		if level, err = p.level(k); err != nil {
			return err
		}
		if err := p.stretch(k, until, level, deferred); err != nil {
			return err
		}
		k, deferred = until, 0
	}
	return nil
}

// changes is the next period behind k within which something is advanced.
func (p *plan) changes(k int) int {
	for k++; k < len(p.dues) && p.drawn(k) == 0; k++ {
	}
	return k
}

// stretch writes the instalments k up to another one, all of one level but for
// what rounding leaves.
func (p *plan) stretch(k, until int, level, deferred int64) error {
	balance, written := p.balance, len(p.rows)
	run := func(level int64) error {
		p.balance, p.rows = balance, p.rows[:written]
		return p.pay(k, until, level, deferred)
	}
	if err := run(level); err != nil {
		return err
	}
	off := p.off(level)
	if until < len(p.dues) || until-k < 2 || off == 0 {
		return nil
	}
	if p.difference() == First {
		p.move(k, off)
	}
	if p.difference() == Adjust {
		return p.adjust(until-k, level, off, run)
	}
	return nil
}

// move lets instalment k pay what the last is off. Interest is not reckoned anew
// for so little.
func (p *plan) move(k int, off int64) {
	last := len(p.rows) - 1
	if p.rows[k].Principal+off < 0 || p.rows[last].Principal <= off {
		return // the last would owe interest on nothing
	}
	p.rows[k].Principal += off
	p.rows[last].Principal -= off
	for i := k; i < last; i++ {
		p.rows[i].Balance -= off
	}
}

// off is what the last instalment is more than the others.
func (p *plan) off(level int64) int64 {
	last := p.rows[len(p.rows)-1]
	return last.Principal + last.Interest - level
}

// adjust moves all instalments by an n-th of what the last is off, where that is
// more than half a minor unit each and brings the last nearer to the others.
func (p *plan) adjust(n int, level, off int64, run func(level int64) error) error {
	if max(off, -off) <= int64(n/2) {
		return nil
	}
	move, err := divide(big.NewInt(max(off, -off)), big.NewInt(int64(n)), p.instalmentRounding(), 1)
	if err != nil {
		return err
	}
	if off < 0 {
		move = -move
	}
	moved, err := divide(big.NewInt(level+move), big.NewInt(1), p.instalmentRounding(), p.instalmentMultiple())
	if err != nil || moved == level {
		return err
	}
	if err := run(moved); err != nil {
		return err
	}
	if now := p.off(moved); max(now, -now) >= max(off, -off) {
		return run(level)
	}
	return nil
}

// pay writes instalments of one level; the loan's last takes what is left.
func (p *plan) pay(k, until int, level, deferred int64) error {
	for i := k; i < until; i++ {
		interest, err := p.interest(i, p.balance)
		if err != nil {
			return err
		}
		p.balance += p.drawn(i)
		usual, err := p.usual(i, interest)
		if err != nil {
			return err
		}
		principal := min(level-usual, p.balance)
		if i == len(p.dues)-1 {
			principal = p.balance
		}
		if principal < 0 {
			return rule.Refuse(rule.Invalid, "instalment %d of %s does not pay its interest of %d minor units", i+1, p.dues[i], interest)
		}
		if i == k {
			interest += deferred
		}
		p.row(principal, interest)
	}
	return nil
}

// level is the equal instalment from period k on that brings the balance to
// nothing: what is owed, carried to the end with interest, over what instalments
// of one come to there. Factors are fractions over one denominator, so that
// nothing is rounded but the outcome.
func (p *plan) level(k int) (int64, error) {
	owed := []Advance{{Date: p.start(k), Amount: money.Amount{Units: p.balance}}}
	for _, advance := range p.advancedIn(k) {
		if p.difference() == Adjust {
			advance.Date = owed[0].Date // as though it had come at the period's beginning
		}
		owed = append(owed, advance)
	}
	value := new(big.Rat)
	for _, advance := range owed {
		factor, err := p.factor(k, advance.Date)
		if err != nil {
			return 0, err
		}
		value.Add(value, factor.Mul(factor, big.NewRat(advance.Amount.Units, 1)))
	}
	// Carry both to the end: value*f2*f3..., 1*f2*f3... + 1*f3... + ... + 1.
	numerator, ones, scale := big.NewInt(1), big.NewInt(1), big.NewInt(1)
	for i := k + 1; i < len(p.dues); i++ {
		factor, err := p.factor(i, p.start(i))
		if err != nil {
			return 0, err
		}
		numerator.Mul(numerator, factor.Num())
		scale.Mul(scale, factor.Denom())
		ones.Add(ones.Mul(ones, factor.Num()), scale)
	}
	numerator.Mul(numerator, value.Num())
	ones.Mul(ones, value.Denom())
	return divide(numerator, ones, p.instalmentRounding(), p.instalmentMultiple())
}

// factor is what one becomes with interest from a day within period k to its due.
func (p *plan) factor(k int, from tape.Date) (*big.Rat, error) {
	if k == 0 && p.whole(from) {
		from = p.Every.after(p.dues[0], -1)
	}
	part, err := p.part(k, from, p.dues[k])
	if err != nil {
		return nil, err
	}
	factor := new(big.Rat).Mul(p.rate(), part.rat())
	return factor.Add(factor, big.NewRat(1, 1)), nil
}

// whole says whether the level is reckoned as though the first period were one whole interval.
func (p *plan) whole(from tape.Date) bool {
	if p.OddDays == OddDaysFirst {
		return true
	}
	return p.difference() == Adjust && p.DayCount == Periods && p.Every.after(p.dues[0], -1) < from
}

// usual is the interest that a first period of one whole interval would cost.
func (p *plan) usual(k int, interest int64) (int64, error) {
	if k > 0 || p.OddDays == "" {
		return interest, nil
	}
	part, err := p.part(0, p.Every.after(p.dues[0], -1), p.dues[0])
	if err != nil {
		return 0, err
	}
	return cost(p.drawn(0), p.RatePartsPerMillion, part, p.Rounding, p.interestMultiple())
}

// agreed pays an instalment that is agreed until nothing is left.
func (p *plan) agreed() error {
	for k := range p.dues {
		if err := p.pay(k, k+1, p.Instalment.Units, 0); err != nil {
			return err
		}
		if p.balance == 0 && !p.drawnLater(k) {
			p.dues = p.dues[:k+1]
			return nil
		}
		if p.balance > 0 && p.rows[k].Principal == 0 {
			break
		}
	}
	return rule.Field("instalment", rule.Refuse(rule.Invalid, "%s does not repay the loan in %d instalments", p.Instalment, len(p.dues)))
}

// drawnLater says whether something is advanced behind period k.
func (p *plan) drawnLater(k int) bool {
	return p.advances[len(p.advances)-1].Date >= p.dues[k]
}
