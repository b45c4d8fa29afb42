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

// settle settles the pages of a group in the order of the evidence, a batch as
// soon as both sides hold all of it.
func (j *job) settle(ctx context.Context, g group, account tape.AccountID, arrived watcher) error {
	first, pages := j.first(g), j.pagesOf(g)
	for from := 0; from < pages; from += j.settlePages {
		to := min(from+j.settlePages, pages)
		if err := arrived.wait(ctx, first+from, first+to); err != nil {
			return err
		}
		command := tape.Settle{Account: account, ID: j.settleID(g, from/j.settlePages)}
		count := 0
		for n := int32(first + from); n < int32(first+to); n++ {
			command.Items = append(command.Items, j.settleItem(g, n))
			count += int(j.plan.Shape.Pages[n].Count)
		}
		if err := j.patiently(ctx, "Tape:Settle", command); err != nil {
			return err
		}
		j.progress.set(func(p *Progress) { p.Settled += count })
	}
	return nil
}

func (j *job) settleID(g group, batch int) tape.ID {
	if g == gifts {
		return j.id("settle-%d", batch)
	}
	return j.id("settle-%d-%d", g, batch)
}

// settleItem names the evidence; what nobody claimed has brought its own.
func (j *job) settleItem(g group, n int32) tape.SettleItem {
	item := tape.SettleItem{Source: string(j.pageID(n))}
	if g != unclaimed {
		item.Lines = &tape.LinesRef{N: n, Statement: j.plan.Statement}
	}
	return item
}

// The charity's peer may hear of a page a moment after the bank's has it.
const (
	settlePatience = 20 * time.Second
	settlePause    = 200 * time.Millisecond
)

// patiently sends what needs the other side's pages.
func (j *job) patiently(ctx context.Context, function string, command any) error {
	begun := time.Now()
	for {
		err := j.sendRecord(ctx, j.Charity, function, command)
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
	var s standing
	for g := range j.groups() {
		account, settles := j.settled(g)
		if !settles || j.pagesOf(g) == 0 {
			continue
		}
		if err := j.standingOf(ctx, g, account, block, &s); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (j *job) standingOf(ctx context.Context, g group, account tape.AccountID, block uint64, s *standing) error {
	pages, err := j.Charity.Gateway.Pages(ctx, account, block)
	if err != nil {
		return err
	}
	mine := map[tape.ID]int{}
	for n := range j.pagesOf(g) {
		mine[j.pageID(int32(j.first(g)+n))] = j.first(g) + n
	}
	for _, p := range pages {
		n, is := mine[p.ID]
		if !is || !p.Settled {
			continue
		}
		if p.Matches != j.plan.Shape.Pages[n].Matches {
			return rule.Refuse(rule.Exists, "page %s of %s holds other gifts than the file", p.ID, account)
		}
		s.pages++
		s.gifts += int(p.Count)
		s.total += p.Total.Units
	}
	return nil
}

// settling counts the pages that end on a tape.
func (j *job) settling() int {
	pages := 0
	for g := range j.groups() {
		if _, settles := j.settled(g); settles {
			pages += j.pagesOf(g)
		}
	}
	return pages
}

// wholly reports whether an earlier run has done everything: then nothing is sent.
func (j *job) wholly(ctx context.Context) (bool, error) {
	mine, err := j.filed(ctx, 0)
	if err != nil || mine == nil || mine.Filed < mine.Pages {
		return false, err
	}
	s, err := j.standing(ctx, 0)
	if err != nil || s.pages < j.settling() {
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
	moved, err := j.execute(ctx)
	if err != nil {
		return Result{}, err
	}
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
	r.tell(moved, j.sum)
	r.Settled, r.SettledTotal, r.Unmatched = s.gifts, money.New(s.total, j.survey.Currency), r.Gifts-s.gifts
	if r.Unmatched != 0 || r.SettledTotal != r.Total {
		return r, rule.Refuse(rule.Conflict, "the file holds %d gifts of %s, the ledger shows %d settled gifts of %s", r.Gifts, r.Total, r.Settled, r.SettledTotal)
	}
	return r, nil
}
