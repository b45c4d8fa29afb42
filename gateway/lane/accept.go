package lane

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/outbox"
)

// Busy turns a command away because too much waits already. Nothing of it was kept.
type Busy struct{ Waiting int }

// Error says how much waits.
func (b *Busy) Error() string {
	return fmt.Sprintf("unavailable: %d commands and gifts wait already; try again later", b.Waiting)
}

// Status is how something that was accepted stands.
type Status struct {
	// ID is the command's, the gift's, or the source that is to be settled.
	ID       string
	Function string
	Account  string
	State    outbox.State
	// Command is the entry's id under which it goes to the ledger; empty while it waits to be gathered.
	Command       string
	TransactionID string
	Entry         []byte
	Block         uint64
	// Refusal is the rules' no; Trouble is why it takes longer, or why it was given up.
	Refusal *rule.Refusal
	Trouble string
}

var functionName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,63}:[A-Z][A-Za-z0-9]{0,63}$`)

// Submit accepts a command as it is. When it returns, the command is on the disk.
func (l *Lanes) Submit(ctx context.Context, function string, argument []byte) (Status, error) {
	id, account, err := envelope(function, argument)
	if err != nil {
		return Status{}, err
	}
	if err := l.room(0); err != nil {
		return Status{}, err
	}
	c, fresh, err := l.outbox.Accept(ctx, outbox.Command{ID: id, Function: function, Account: account, Argument: argument})
	if err != nil {
		return Status{}, err
	}
	if fresh {
		l.mutex.Lock()
		l.enqueue(c)
		l.of(account).advance()
		l.mutex.Unlock()
	}
	return l.commandStatus(c), nil
}

// envelope reads from an argument who it is and which lane it takes. Pages are
// read whole: what is malformed is refused at once and without a peer.
func envelope(function string, argument []byte) (id, account string, err error) {
	if !functionName.MatchString(function) {
		return "", "", rule.Refuse(rule.Invalid, "%.140q is not a function; write contract:Function, both beginning with a capital", function)
	}
	if len(argument) > fabric.ArgumentBytesMax {
		return "", "", rule.Refuse(rule.Invalid, "the argument is %d bytes long; %d are possible, so split it", len(argument), fabric.ArgumentBytesMax)
	}
	switch function {
	case "Tape:Receive":
		c, err := tape.DecodeReceive(argument)
		return string(c.ID), string(c.Account), identified(string(c.ID), err)
	case "Tape:FileLines":
		c, err := tape.DecodeFileLines(argument)
		return string(c.ID), string(c.Account), identified(string(c.ID), err)
	}
	type names struct {
		ID      string `json:"id"`
		Account string `json:"account"`
	}
	var read struct {
		names
		Command names `json:"command"`
	}
	if err := json.Unmarshal(argument, &read); err != nil {
		return "", "", rule.Refuse(rule.Invalid, "the argument is not a JSON object: %s", err)
	}
	found := read.names
	if read.Command.ID != "" {
		found = read.Command
	}
	if found.Account == "" {
		found.Account = function[:len(function)-len(function[indexColon(function):])]
	}
	return found.ID, found.Account, identified(found.ID, nil)
}

func indexColon(function string) int {
	for i := range function {
		if function[i] == ':' {
			return i
		}
	}
	return len(function)
}

func identified(id string, err error) error {
	if err != nil {
		return err
	}
	if err := tape.ID(id).Check(); err != nil {
		return rule.Field("id", err)
	}
	return nil
}

// room refuses what would make the backlog too long.
func (l *Lanes) room(members int) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if len(l.open) >= l.settings.BacklogCommands || l.members+members > l.settings.BacklogMembers {
		return &Busy{Waiting: len(l.open) + l.members}
	}
	return nil
}

// Gifts accepts gifts, to be gathered into pages, all of them or none.
func (l *Lanes) Gifts(ctx context.Context, account string, gifts []tape.Gift) ([]Status, error) {
	members := make([]outbox.Member, len(gifts))
	for i, gift := range gifts {
		members[i] = outbox.Member{Account: account, Kind: outbox.Gift, ID: string(gift.ID), Content: gift.Row()}
	}
	return l.add(ctx, account, outbox.Gift, members)
}

// Settle accepts items, to be gathered into batches, all of them or none.
func (l *Lanes) Settle(ctx context.Context, account string, items []tape.SettleItem) ([]Status, error) {
	members, err := settlements(account, items)
	if err != nil {
		return nil, err
	}
	return l.add(ctx, account, outbox.Settlement, members)
}

func settlements(account string, items []tape.SettleItem) ([]outbox.Member, error) {
	members := make([]outbox.Member, len(items))
	for i, item := range items {
		content, err := canonical.Encode(item)
		if err != nil {
			return nil, err
		}
		members[i] = outbox.Member{Account: account, Kind: outbox.Settlement, ID: item.Source, Content: string(content)}
	}
	return members, nil
}

func (l *Lanes) add(ctx context.Context, account, kind string, members []outbox.Member) ([]Status, error) {
	if err := l.room(len(members)); err != nil {
		return nil, err
	}
	standing, fresh, err := l.outbox.Add(ctx, members)
	if err != nil {
		return nil, err
	}
	if fresh > 0 {
		l.mutex.Lock()
		l.of(account).gather(kind, fresh)
		l.of(account).advance()
		l.mutex.Unlock()
	}
	all := make([]Status, len(standing))
	for i, m := range standing {
		all[i] = l.memberStatus(m)
	}
	return all, nil
}

func (l *Lanes) commandStatus(c outbox.Command) Status {
	s := Status{ID: c.ID, Function: c.Function, Account: c.Account, State: c.State, Command: c.ID,
		TransactionID: c.TransactionID, Entry: c.Entry, Block: c.Block, Trouble: c.Reason}
	if refusal, ok := rule.Parse(c.Reason); ok {
		s.Refusal, s.Trouble = refusal, ""
	}
	if !c.State.Ended() {
		s.Trouble = l.trouble(c.ID)
	}
	return s
}

func (l *Lanes) memberStatus(m outbox.Member) Status {
	s := l.commandStatus(m.Command)
	s.ID, s.Account, s.State = m.ID, m.Account, m.State()
	if m.Reason != "" {
		s.Trouble = m.Reason
		if refusal, ok := rule.Parse(m.Reason); ok {
			s.Refusal, s.Trouble = refusal, ""
		}
	}
	return s
}

func (l *Lanes) trouble(command string) string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.troubles[command]
}

// Command tells how a command stands; false when it is not known here.
func (l *Lanes) Command(ctx context.Context, id string) (Status, bool, error) {
	c, found, err := l.outbox.Command(ctx, id)
	return l.commandStatus(c), found, err
}

// Gift tells how a single gift stands.
func (l *Lanes) Gift(ctx context.Context, account, id string) (Status, bool, error) {
	m, found, err := l.outbox.Member(ctx, account, outbox.Gift, id)
	return l.memberStatus(m), found, err
}

// Settlement tells how a source that is to be settled stands.
func (l *Lanes) Settlement(ctx context.Context, account, source string) (Status, bool, error) {
	m, found, err := l.outbox.Member(ctx, account, outbox.Settlement, source)
	return l.memberStatus(m), found, err
}

// Await asks again and again how something stands, each time after it ended,
// until it has ended or ctx is over, and returns how it stands then.
func (l *Lanes) Await(ctx context.Context, s Status, kind string, ask func(context.Context) (Status, bool, error)) (Status, error) {
	key := commandKey(s.ID)
	if kind != "" {
		key = memberKey(s.Account, kind, s.ID)
	}
	for {
		woken := l.waitOn(key)
		now, found, err := ask(context.WithoutCancel(ctx))
		if err != nil || !found || now.State.Ended() {
			l.mutex.Lock()
			l.wake(key) // it may have ended before anyone could be woken; nobody shall wait for that
			l.mutex.Unlock()
			return now, err
		}
		select {
		case <-woken:
			continue
		case <-ctx.Done():
		case <-l.ctx.Done():
		}
		now, _, err = ask(context.WithoutCancel(ctx)) // meanwhile it has come further
		return now, err
	}
}

// waitOn returns a channel that is closed when what the key names has ended.
func (l *Lanes) waitOn(key string) <-chan struct{} {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	channel, waiting := l.waits[key]
	if !waiting {
		channel = make(chan struct{})
		l.waits[key] = channel
	}
	return channel
}
