package importing

import (
	"context"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// settlePages is how many pages one command settles. It is part of what a run
// that goes on must send again alike: it never changes.
const settlePages = 20

// settle settles the pages in the order of the evidence, a batch as soon as
// both sides hold all of it.
func (j *job) settle(ctx context.Context, arrived *arrivals) error {
	pages := j.pagesOf(gifts)
	for from := 0; from < pages; from += j.settlePages {
		to := min(from+j.settlePages, pages)
		if err := arrived.wait(ctx, from, to); err != nil {
			return err
		}
		command := tape.Settle{Account: j.plan.Account, ID: j.id("settle-%d", from/j.settlePages)}
		count := 0
		for n := int32(from); n < int32(to); n++ {
			command.Items = append(command.Items, tape.SettleItem{Source: string(j.pageID(n)), Lines: &tape.LinesRef{N: n, Statement: j.plan.Statement}})
			count += int(j.plan.Shape.Pages[n].Count)
		}
		if err := j.settleBatch(ctx, command); err != nil {
			return err
		}
		j.progress.set(func(p *Progress) { p.Settled += count })
	}
	return nil
}

// The charity's peer may hear of a page a moment after the bank's has it.
const (
	settlePatience = 20 * time.Second
	settlePause    = 200 * time.Millisecond
)

func (j *job) settleBatch(ctx context.Context, command tape.Settle) error {
	begun := time.Now()
	for {
		err := j.sendRecord(ctx, j.Charity, "Tape:Settle", command)
		if !rule.Is(err, rule.NotFound) || time.Since(begun) > settlePatience {
			return err
		}
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// standing is what the charity's gateway shows of this statement's pages.
type standing struct {
	pages, gifts int
	total        int64
}

func (j *job) standing(ctx context.Context, block uint64) (standing, error) {
	pages, err := j.Charity.Gateway.Pages(ctx, j.plan.Account, block)
	if err != nil {
		return standing{}, err
	}
	mine := map[tape.ID]int{}
	for n := range j.pagesOf(gifts) {
		mine[j.pageID(int32(n))] = n
	}
	var s standing
	for _, p := range pages {
		n, is := mine[p.ID]
		if !is || !p.Settled {
			continue
		}
		if p.Matches != j.plan.Shape.Pages[n].Matches {
			return s, rule.Refuse(rule.Exists, "page %s of %s holds other gifts than the file", p.ID, j.plan.Account)
		}
		s.pages++
		s.gifts += int(p.Count)
		s.total += p.Total.Units
	}
	return s, nil
}

// wholly reports whether an earlier run has done everything: then nothing is sent.
func (j *job) wholly(ctx context.Context) (bool, error) {
	mine, err := j.filed(ctx, 0)
	if err != nil || mine == nil || mine.Filed < mine.Pages {
		return false, err
	}
	s, err := j.standing(ctx, 0)
	if err != nil || s.pages < j.pagesOf(gifts) {
		return false, err
	}
	j.progress.set(func(p *Progress) { p.Received, p.Filed, p.Settled = p.Gifts, p.Gifts, p.Gifts })
	return true, nil
}

// filed finds this statement on the ledger; nil when it is not there.
func (j *job) filed(ctx context.Context, block uint64) (*Filed, error) {
	all, err := j.Bank.Gateway.Statements(ctx, j.plan.BankAccount, block)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.ID == j.plan.Statement {
			return &one, nil
		}
	}
	return nil, nil
}

// check reads from both gateways what now stands there, to the unit. Whoever
// looks afterwards, at either, sees all of it.
func (j *job) check(ctx context.Context) (Result, error) {
	j.progress.stage(Checking)
	mine, err := j.filed(ctx, j.position)
	if err != nil {
		return Result{}, err
	}
	if mine == nil || mine.Filed < mine.Pages {
		return Result{}, rule.Refuse(rule.Conflict, "statement %s is not whole on the ledger", j.plan.Statement)
	}
	s, err := j.standing(ctx, j.position)
	if err != nil {
		return Result{}, err
	}
	r := j.result(false)
	r.Settled, r.SettledTotal, r.Unmatched = s.gifts, money.New(s.total, j.survey.Currency), r.Gifts-s.gifts
	if r.Unmatched != 0 || r.SettledTotal != r.Total {
		return r, rule.Refuse(rule.Conflict, "the file holds %d gifts of %s, the ledger shows %d settled gifts of %s", r.Gifts, r.Total, r.Settled, r.SettledTotal)
	}
	return r, nil
}
