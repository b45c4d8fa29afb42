package importing

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Own is the Receiving of the gateway that itself takes a processor's file:
// its lanes carry, its read model answers, its store says whose memos are.
type Own struct {
	Lanes Lanes
	Model *readmodel.Model
	// Giving may be nil: then no memo names an announcement.
	Giving *giving.Desk
}

// Lanes carry commands, as lane.Lanes do.
type Lanes interface {
	Submit(ctx context.Context, function string, argument []byte) (lane.Status, error)
	Command(ctx context.Context, id string) (lane.Status, bool, error)
	Await(ctx context.Context, s lane.Status, kind string, ask func(context.Context) (lane.Status, bool, error)) (lane.Status, error)
}

// ownWait is how long a command may take before somebody has to go on with the import.
const ownWait = time.Minute

// Send implements Receiving.
func (o Own) Send(ctx context.Context, function string, argument []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, ownWait)
	defer cancel()
	status, err := o.Lanes.Submit(ctx, function, argument)
	if err == nil {
		status, err = o.Lanes.Await(ctx, status, "", func(ctx context.Context) (lane.Status, bool, error) { return o.Lanes.Command(ctx, status.ID) })
	}
	switch {
	case err != nil:
		return 0, err
	case status.Refusal != nil:
		return 0, status.Refusal
	case !status.State.Ended():
		return 0, errors.New("the ledger has not answered yet")
	case status.State == outbox.Failed:
		return 0, errors.New(status.Trouble)
	}
	return status.Block, nil
}

// Account implements Receiving.
func (o Own) Account(ctx context.Context, id tape.AccountID) (tape.Account, error) {
	account, err := o.Model.Account(ctx, id)
	return account.Account, err
}

// Lines implements Receiving.
func (o Own) Lines(ctx context.Context, account tape.AccountID, statement tape.ID, n int32) ([]tape.Line, error) {
	return o.Model.PageOfLines(ctx, account, statement, n)
}

// Pages implements Receiving.
func (o Own) Pages(ctx context.Context, account tape.AccountID, block uint64) ([]Page, error) {
	if err := o.Model.WaitFor(ctx, block); err != nil {
		return nil, err
	}
	pages, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.GiftPage], error) {
		return o.Model.Pages(ctx, readmodel.PageFilter{Account: account}, w)
	})
	all := make([]Page, len(pages))
	for i, p := range pages {
		all[i] = Page{Page: p.Page, Settled: p.State == readmodel.PageSettled, Withdrawn: p.State == readmodel.PageWithdrawn}
	}
	return all, err
}

// Processor implements Receiving.
func (o Own) Processor(ctx context.Context, account tape.AccountID, page tape.ID, block uint64) (bool, error) {
	if err := o.Model.WaitFor(ctx, block); err != nil {
		return false, err
	}
	record, err := o.Model.Record(ctx, tape.ProcessorKey(account, page))
	if rule.Is(err, rule.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, json.Unmarshal(record.Value, new(tape.Processor))
}

// OpenLines implements Receiving.
func (o Own) OpenLines(ctx context.Context, account tape.AccountID, amount money.Amount, block uint64) ([]readmodel.Line, error) {
	if err := o.Model.WaitFor(ctx, block); err != nil {
		return nil, err
	}
	return readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Line], error) {
		return o.Model.OpenLines(ctx, readmodel.OpenLineFilter{Account: account, Side: tape.CreditSide, Amount: &amount}, w)
	})
}

// Claims implements Receiving.
func (o Own) Claims(_ context.Context, memos []giving.Memo) ([]giving.Claim, error) {
	if o.Giving == nil {
		return make([]giving.Claim, len(memos)), nil
	}
	return o.Giving.Claims(memos)
}

// Take implements Receiving. A plan may know memos that a gateway without a store cannot keep.
func (o Own) Take(_ context.Context, takings []giving.Taking) error {
	if o.Giving == nil {
		return rule.Refuse(rule.Unsupported, "this gateway keeps no announcements, and the file names %d; import it where they are kept", len(takings))
	}
	return o.Giving.Take(takings)
}
