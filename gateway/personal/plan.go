package personal

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/outbox"
)

// errandKind is how plans are known among the gateway's errands.
const errandKind = "personal"

// do is what a plan is for.
type do string

// A value is kept and noted; purged and noted; or is gone, and only noted.
const (
	keep   do = "keep"
	purge  do = "purge"
	strike do = "strike"
)

// plan is what is to be done about one record. It stands on the disk before
// the first step, and holds no value: a value whose first step is lost is
// lost with it, and was never kept.
type plan struct {
	V          int                `json:"v"`
	Do         do                 `json:"do"`
	Collection dossier.Collection `json:"collection"`
	Record     dossier.Pseudonym  `json:"record"`
	Class      dossier.Class      `json:"class"`
	Hash       dossier.Hash       `json:"hash"`
	KeepUntil  tape.Date          `json:"keepUntil,omitempty"`
	Replaces   *dossier.Hash      `json:"replaces,omitempty"`
	Reason     dossier.Reason     `json:"reason,omitempty"`
	// Private and Public are the ids of the two commands: sent again, each is the same.
	Private dossier.Pseudonym `json:"private"`
	Public  dossier.Pseudonym `json:"public"`
	// Block holds the note, when it is written.
	Block uint64 `json:"-"`
}

func (p plan) kept() Kept {
	return Kept{Collection: p.Collection, Record: p.Record, Hash: p.Hash, Class: p.Class, KeepUntil: p.KeepUntil, Block: p.Block}
}

// begin notes a plan and carries it out. From here on nobody who leaves stops it.
func (d *Desk) begin(ctx context.Context, p *plan, value []byte) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := d.Errands.SetErrand(ctx, outbox.Errand{Kind: errandKind, Name: string(p.Record), Text: string(text)}); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if err := d.private(ctx, *p, value); err != nil {
		return d.broken(ctx, p, err, nil)
	}
	if p.Block, err = d.public(ctx, *p); err != nil {
		return d.broken(ctx, p, err, d.takeBack)
	}
	return d.Errands.EndErrand(ctx, errandKind, string(p.Record))
}

// broken ends a plan that was refused, first undoing what it did; one that
// only broke off stays, to be gone on with.
func (d *Desk) broken(ctx context.Context, p *plan, cause error, undo func(context.Context, plan) error) error {
	var refusal *rule.Refusal
	if !errors.As(cause, &refusal) {
		return &Unfinished{p.Collection, p.Record, cause}
	}
	if undo != nil {
		if err := undo(ctx, *p); err != nil {
			return &Unfinished{p.Collection, p.Record, errors.Join(cause, err)}
		}
	}
	return errors.Join(cause, d.Errands.EndErrand(ctx, errandKind, string(p.Record)))
}

// takeBack purges a new value whose note was refused: what the ledger does not
// know of must not be kept. One that took the place of another stays: to purge
// it would take from the person what was kept before as well.
func (d *Desk) takeBack(ctx context.Context, p plan) error {
	if p.Do != keep || p.Replaces != nil {
		return nil
	}
	return d.private(ctx, plan{Do: purge, Collection: p.Collection, Record: p.Record, Hash: p.Hash, Reason: dossier.Mistaken, Private: draw()}, nil)
}

// pending is the plan about a record, nil for none, and when it was made.
func (d *Desk) pending(ctx context.Context, record dossier.Pseudonym) (*plan, time.Time, error) {
	list, err := d.Errands.Errands(ctx, errandKind)
	for _, e := range list {
		if e.Name == string(record) {
			p, err := readPlan(e)
			return p, time.UnixMilli(e.At), err
		}
	}
	return nil, time.Time{}, err
}

func readPlan(e outbox.Errand) (*plan, error) {
	p := new(plan)
	if err := json.Unmarshal([]byte(e.Text), p); err != nil || p.V != 1 {
		return nil, errors.Join(errors.New("a plan about record "+e.Name+" is of a version that this program does not know"), err)
	}
	return p, nil
}

// A command is sent again while the trouble may pass: its id makes it the same.
const (
	patience   = 20 * time.Second
	retryPause = 200 * time.Millisecond
	// onItsWay is how long a value may still come whose first step was sent and not answered.
	onItsWay = 10 * time.Minute
)

// Resume goes on with what was begun, and returns how much of it is left.
func (d *Desk) Resume(ctx context.Context) (left int, err error) {
	list, err := d.Errands.Errands(ctx, errandKind)
	for _, e := range list {
		p, err := readPlan(e)
		if err == nil {
			err = d.resume(ctx, p, d.Now().Sub(time.UnixMilli(e.At)) > onItsWay)
		}
		if err != nil {
			left++
			slog.Warn("what was begun about a record is not finished", "record", e.Name, "error", err)
		}
	}
	return left, err
}

// resume carries out what is left of a plan. Whether a value came that was to
// be kept, its note shows; one that has not come when it is late never will.
func (d *Desk) resume(ctx context.Context, p *plan, late bool) error {
	if p.Do == purge {
		if err := d.private(ctx, *p, nil); err != nil {
			return unfinished(d.broken(ctx, p, err, nil))
		}
	}
	_, err := d.public(ctx, *p)
	switch {
	case err == nil:
		return d.Errands.EndErrand(ctx, errandKind, string(p.Record))
	case p.Do == keep && (rule.Is(err, rule.NotFound) || rule.Is(err, rule.Conflict)):
		if late {
			return d.Errands.EndErrand(ctx, errandKind, string(p.Record))
		}
		return err
	}
	return unfinished(d.broken(ctx, p, err, d.takeBack))
}

// unfinished is an error of what can still be gone on with; a refusal has ended it.
func unfinished(err error) error {
	var u *Unfinished
	if errors.As(err, &u) {
		return u
	}
	return nil
}

// Begin goes on with what was begun before, now and then, until ctx ends.
func (d *Desk) Begin(ctx context.Context, every time.Duration) {
	for {
		if _, err := d.Resume(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("what was begun about personal data cannot be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}

// private is the step among the members.
func (d *Desk) private(ctx context.Context, p plan, value []byte) error {
	members, err := d.members(p.Collection)
	if err != nil || p.Do == strike {
		return err
	}
	sent := fabric.Private{Members: members}
	if p.Do == keep {
		sent.Transient = map[string][]byte{"value": value}
		_, err = pursue(ctx, dossier.KeepCommand{Collection: p.Collection, Hash: p.Hash, ID: p.Private, KeepUntil: p.KeepUntil, Record: p.Record, Replaces: p.Replaces},
			func(argument []byte) (fabric.Receipt, error) {
				return d.Ledger.SubmitPrivate(ctx, dossier.KeepFunction, argument, sent, unheard)
			})
		return err
	}
	_, err = pursue(ctx, dossier.PurgeCommand{Collection: p.Collection, Hash: p.Hash, ID: p.Private, Reason: p.Reason, Record: p.Record},
		func(argument []byte) (fabric.Receipt, error) {
			return d.Ledger.SubmitPrivate(ctx, dossier.PurgeFunction, argument, sent, unheard)
		})
	return err
}

// public is the note for all. Other members' peers may not have the block of
// the private command yet, and then do not find the hash that is compared.
func (d *Desk) public(ctx context.Context, p plan) (uint64, error) {
	if p.Do != keep {
		return pursue(ctx, dossier.StrikeCommand{Class: p.Class, Collection: p.Collection, Hash: p.Hash, ID: p.Public, Reason: p.Reason, Record: p.Record},
			func(argument []byte) (fabric.Receipt, error) {
				return d.Ledger.Submit(ctx, "Dossier:Strike", argument, unheard)
			})
	}
	return pursue(ctx, dossier.CiteCommand{Class: p.Class, Collection: p.Collection, Hash: p.Hash, ID: p.Public, KeepUntil: p.KeepUntil, Record: p.Record},
		func(argument []byte) (fabric.Receipt, error) {
			return d.Ledger.Submit(ctx, "Dossier:Cite", argument, unheard)
		})
}

func unheard(string) error { return nil }

// pursue sends one command until it is answered, and returns the block that holds it.
func pursue(ctx context.Context, command any, send func(argument []byte) (fabric.Receipt, error)) (uint64, error) {
	argument, err := canonical.Encode(command)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	for {
		receipt, err := send(argument)
		var refusal *rule.Refusal
		if err == nil || errors.As(err, &refusal) || time.Since(begun) > patience {
			return receipt.Block, err
		}
		select {
		case <-ctx.Done():
			return 0, errors.Join(err, ctx.Err())
		case <-time.After(retryPause):
		}
	}
}
