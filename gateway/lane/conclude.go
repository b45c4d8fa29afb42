package lane

import (
	"context"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/outbox"
)

// conclude writes an ending down, and then tells those who wait.
func (l *Lanes) conclude(c outbox.Command, e ending) error {
	if e.state == "" {
		return nil // it stays open, for the next start
	}
	// The answer is known and must be kept even while the lanes stop.
	ctx := context.WithoutCancel(l.ctx)
	members, err := l.outbox.Members(ctx, c.ID)
	if err != nil {
		return err
	}
	if e.state == outbox.Refused && len(members) > 0 {
		return l.takeApart(ctx, c, members, e.refusal)
	}
	switch {
	case e.state == outbox.Done:
		err = l.outbox.Finish(ctx, c.ID, e.receipt)
	case e.refusal != nil:
		err = l.outbox.End(ctx, c.ID, e.state, e.refusal.Error())
	default:
		err = l.outbox.End(ctx, c.ID, e.state, e.reason)
	}
	if err != nil {
		return err
	}
	l.ended(c, e.state, members)
	return nil
}

// takeApart answers a refused batch: the member that the refusal names ends
// with it, the others go on. A refusal that names none is every gift's, because
// gifts were checked one by one before; items of a settlement then go one by one.
func (l *Lanes) takeApart(ctx context.Context, c outbox.Command, members []outbox.Member, refusal *rule.Refusal) error {
	at, own := blame(c.Gathered, len(members), refusal)
	if at < 0 && (c.Gathered == outbox.Gift || len(members) == 1) {
		if err := l.outbox.End(ctx, c.ID, outbox.Refused, refusal.Error()); err != nil {
			return err
		}
		l.ended(c, outbox.Refused, members)
		return nil
	}
	back := members
	var fault *outbox.Member
	if at >= 0 {
		fault = &members[at]
		back = append(append([]outbox.Member(nil), members[:at]...), members[at+1:]...)
	}
	if err := l.outbox.Drop(ctx, c.ID, fault, own.Error()); err != nil {
		return err
	}
	l.mutex.Lock()
	l.of(c.Account).gather(c.Gathered, len(back))
	l.mutex.Unlock()
	if fault != nil {
		l.ended(c, outbox.Refused, members[at:at+1])
		return nil
	}
	l.ended(c, "", nil)
	return nil
}

// blame finds the member that a refusal names, -1 when it names none, and the
// refusal as that member's sender should read it: without the place in a batch
// that it knows nothing of.
func blame(kind string, count int, refusal *rule.Refusal) (int, *rule.Refusal) {
	list := map[string]string{outbox.Gift: "gifts[", outbox.Settlement: "items["}[kind]
	path, sentence := refusal.Pointer()
	inner, found := strings.CutPrefix(path, list)
	number, rest, closed := strings.Cut(inner, "]")
	at, err := strconv.Atoi(number)
	if !found || !closed || err != nil || at < 0 || at >= count {
		return -1, refusal
	}
	own := rule.Refuse(refusal.Code, "%s", sentence)
	if field := strings.TrimPrefix(rest, "."); field != "" {
		own, _ = rule.Field(field, own).(*rule.Refusal)
	}
	return at, own
}

// ended takes a command out of what is open and wakes whoever waits for it.
func (l *Lanes) ended(c outbox.Command, state outbox.State, members []outbox.Member) {
	if state != "" {
		l.settings.Metrics.ended.WithLabelValues(c.Function, string(state)).Inc()
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.open, c.ID)
	delete(l.troubles, c.ID)
	if state == outbox.Done {
		l.of(c.Account).committed = l.settings.Clock()
	}
	l.wake(commandKey(c.ID))
	for _, m := range members {
		l.wake(memberKey(m.Account, m.Kind, m.ID))
	}
	l.count()
}

func commandKey(id string) string { return "command " + id }

func memberKey(account, kind, id string) string { return kind + " " + account + " " + id }

// wake ends the waiting for a key. The caller holds the mutex.
func (l *Lanes) wake(key string) {
	if channel, waiting := l.waits[key]; waiting {
		close(channel)
		delete(l.waits, key)
	}
}
