package books

import (
	"strconv"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// compensated is a claim that a pool has paid, in minor units: the loss, what was
// paid of it, and what of the recoveries since was shared and went back.
type compensated struct{ lost, paid, shared, back int64 }

// payPool books a compensation: the ratio of the loss at most, and what is posted.
func (b *Books) payPool() error {
	c, err := command[pool.Step](b)
	if err != nil {
		return err
	}
	key := pool.ClaimKey(c.Account, c.Claim)
	claim, err := record[pool.Claim](b, key)
	if err != nil {
		return err
	}
	b.once("compensation", key)
	most, _ := money.Portion(max(0, min(claim.Eligible, money.Max)), int64(min(max(0, claim.RatioPartsPerMillion), 1_000_000)), 1_000_000)
	if claim.Compensation > most {
		b.problem(key, "the compensation is no more than its ratio of the loss", number(most), number(claim.Compensation))
	}
	b.trail.compensated[key] = &compensated{lost: claim.Eligible, paid: claim.Compensation}
	b.posts(key, "what the pool pays is the compensation", c.Account, "", claim.Compensation)
	return b.handOn()
}

// sharePool books a recovery: pool and lender have of everything that was shared
// what each has lost of the loss, and no more than the payment is shared.
func (b *Books) sharePool() error {
	c, err := command[pool.Recover](b)
	if err != nil {
		return err
	}
	key := pool.ClaimKey(c.Account, c.Claim)
	claim, err := record[pool.Claim](b, key)
	if err != nil {
		return err
	}
	of := b.trail.compensated[key]
	if of == nil {
		b.problem(key, "recoveries are shared once the pool has paid", "paid", "never")
		return b.handOn()
	}
	net := claim.Net - of.shared
	if net < 0 || net > c.Amount.Units-c.Cost.Units {
		b.problem(key, "what is shared is no more than the payment without its cost", number(c.Amount.Units-c.Cost.Units), number(net))
	}
	part, err := of.part(claim.Net)
	if err != nil {
		return err
	}
	back := min(part, of.back+net) // what it waits for comes out of this payment alone
	b.differs(key, "the pool's part of all that was shared", number(back), number(claim.ToPool))
	b.posts(key, "what the lender pays is the pool's part", "", c.Account, back-of.back)
	of.shared, of.back = claim.Net, back
	return b.handOn()
}

// part is the pool's of so much that was recovered.
func (c compensated) part(net int64) (int64, error) {
	parts, err := money.Split(max(0, min(net, c.lost)), []int64{c.paid, c.lost - c.paid})
	if err != nil {
		return 0, err
	}
	return parts[0], nil
}

// posts compares what an entry moves from or to an account with what it should; nothing else may move.
func (b *Books) posts(key, what string, from, to tape.AccountID, units int64) {
	moved := int64(0)
	for _, p := range b.entry.Postings {
		if from != "" && p.From != from || to != "" && p.To != to {
			b.problem(key, what, "between lender and pool alone", string(p.From)+" to "+string(p.To))
		}
		moved += p.Amount.Units
	}
	b.differs(key, what, number(units), number(moved))
}

func number(units int64) string { return strconv.FormatInt(units, 10) }
