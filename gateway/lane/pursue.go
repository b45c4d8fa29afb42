package lane

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/outbox"
)

// ending is what became of a command. An empty state means that the lanes were
// stopped before it was known.
type ending struct {
	state   outbox.State
	receipt outbox.Receipt
	// refusal is the rules' no; reason says why a command was given up.
	refusal *rule.Refusal
	reason  string
}

// pursuit is one command being carried.
type pursuit struct {
	*Lanes
	command  outbox.Command
	attempts int
	// strange counts failures that no new proposal should meet twice.
	strange int
	// disagreeing is since when endorsers lag or disagree; zero while they do not.
	disagreeing time.Time
}

// strangeMax is how often a transaction may be ordered and not count for
// another reason than a conflict, such as an endorsement policy that changed meanwhile.
const strangeMax = 5

// catchUp is how long a peer may take to commit what this lane has seen committed.
const catchUp = time.Second

// pursue carries a command until the ledger holds it or it is certain that it will not.
func (l *Lanes) pursue(c outbox.Command) ending {
	p := &pursuit{Lanes: l, command: c}
	if c.TransactionID != "" {
		if receipt, err := p.ask(c.TransactionID); err == nil {
			if receipt.Entry, err = l.ledger.Evaluate(l.ctx, c.Function, c.Argument); err == nil {
				return p.done(receipt)
			}
		}
	}
	for l.ctx.Err() == nil {
		l.settings.Metrics.submits.WithLabelValues(c.Function).Inc()
		started := l.settings.Clock()
		receipt, err := l.ledger.Submit(l.ctx, c.Function, c.Argument, func(transactionID string) error {
			return l.outbox.Sent(l.ctx, c.ID, transactionID)
		})
		l.settings.Metrics.seconds.WithLabelValues(c.Function).Observe(l.settings.Clock().Sub(started).Seconds())
		if end, ended := p.judge(receipt, err); ended {
			return end
		}
		p.pause()
	}
	return ending{}
}

func (p *pursuit) done(r fabric.Receipt) ending {
	return ending{state: outbox.Done, receipt: outbox.Receipt{Entry: r.Entry, TransactionID: r.TransactionID, Block: r.Block}}
}

// judge decides whether an attempt was the last.
func (p *pursuit) judge(receipt fabric.Receipt, err error) (ending, bool) {
	var unknown *fabric.Unknown
	if errors.As(err, &unknown) && p.ctx.Err() == nil {
		p.note("unknown", err)
		entry := receipt.Entry
		if receipt, err = p.ask(unknown.TransactionID); errors.As(err, &unknown) {
			return ending{}, false // not by now; should it commit later, the next attempt meets its entry
		}
		receipt.Entry = entry
	}
	var (
		transient *fabric.Transient
		failure   *fabric.CommitFailure
		refusal   *rule.Refusal
	)
	switch {
	case err == nil:
		return p.done(receipt), true
	case p.ctx.Err() != nil:
		return ending{}, true
	case errors.As(err, &transient):
		return p.wait(transient)
	case errors.As(err, &failure):
		return p.again(failure)
	case errors.As(err, &refusal):
		return p.refused(refusal)
	case errors.Is(err, outbox.ErrClosed):
		return ending{}, true
	}
	p.note("other", err)
	return ending{}, false
}

// ask asks what became of a transaction, under a deadline.
func (p *pursuit) ask(transactionID string) (fabric.Receipt, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.settings.StatusWait)
	defer cancel()
	return p.ledger.Status(ctx, transactionID)
}

// wait judges an attempt that wrote nothing. Whoever does not answer is waited
// for; endorsers that do not agree are given up after a while, because then
// they run different rules, and the account must not stand still.
func (p *pursuit) wait(t *fabric.Transient) (ending, bool) {
	p.note(string(t.Cause), t)
	if t.Cause == fabric.Unreachable {
		p.disagreeing = time.Time{}
		return ending{}, false
	}
	if !p.patient(p.settings.Patience) {
		if t.Refusal != nil {
			return ending{state: outbox.Refused, refusal: t.Refusal}, true
		}
		return ending{state: outbox.Failed, reason: t.Error()}, true
	}
	return ending{}, false
}

// again judges a transaction that was ordered and did not count.
func (p *pursuit) again(f *fabric.CommitFailure) (ending, bool) {
	p.note(f.Code, f)
	if f.Conflict() {
		return ending{}, false
	}
	p.strange++
	if p.strange >= strangeMax {
		return ending{state: outbox.Failed, reason: f.Error()}, true
	}
	return ending{}, false
}

// refused judges the rules' no, which is final, but for one case: what is
// not found may be what this lane has just seen committed.
func (p *pursuit) refused(r *rule.Refusal) (ending, bool) {
	if r.Code == rule.NotFound && p.recently(p.command.Account) && p.patient(catchUp) {
		p.note(string(fabric.Lagging), r)
		return ending{}, false
	}
	return ending{state: outbox.Refused, refusal: r}, true
}

// patient reports whether disagreement has lasted less than a limit.
func (p *pursuit) patient(limit time.Duration) bool {
	now := p.settings.Clock()
	if p.disagreeing.IsZero() {
		p.disagreeing = now
	}
	return now.Sub(p.disagreeing) < limit
}

func (l *Lanes) recently(account string) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.settings.Clock().Sub(l.of(account).committed) < catchUp
}

// note counts a trouble and keeps it for whoever asks how the command stands.
func (p *pursuit) note(cause string, err error) {
	p.settings.Metrics.retries.WithLabelValues(cause).Inc()
	p.mutex.Lock()
	p.troubles[p.command.ID] = err.Error()
	p.mutex.Unlock()
	p.settings.Log.Debug("tried again", "id", p.command.ID, "function", p.command.Function, "attempt", p.attempts, "cause", cause, "error", err)
}

// pause waits before the next attempt, longer each time. Its length varies with
// the command, so that those that met in a conflict do not meet again.
func (p *pursuit) pause() {
	length := p.settings.RetryMin << min(p.attempts, 10)
	length = min(length, p.settings.RetryMax)
	p.attempts++
	spread := fnv.New32a()
	spread.Write([]byte(p.command.ID))
	spread.Write(binary.BigEndian.AppendUint32(nil, uint32(p.attempts)))
	length = length/2 + length/2*time.Duration(spread.Sum32()%1024)/1024
	select {
	case <-p.ctx.Done():
	case <-time.After(length):
	}
}
