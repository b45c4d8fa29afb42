package contract

import (
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// RecordPledge notes money that was promised.
func (*Fund) RecordPledge(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[fund.RecordPledge], func(t *transaction, c fund.RecordPledge) (tape.Entry, error) {
		key := fund.PledgeKey(c.Account, c.ID)
		campaign, err := t.campaign(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "pledge "+c.ID.String()); err != nil {
			return tape.Entry{}, err
		}
		pledge, entry, err := campaign.RecordPledge(c, t.context)
		t.save(key, pledge)
		return entry, err
	})
}

// SettlePledge says what became of a pledge.
func (*Fund) SettlePledge(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[fund.SettlePledge], func(t *transaction, c fund.SettlePledge) (tape.Entry, error) {
		key := fund.PledgeKey(c.Account, c.Pledge)
		kept := c.Kept()
		campaign, err := t.campaign(c.ID, c.Account, key, kept)
		if err != nil {
			return tape.Entry{}, err
		}
		pledge, err := need[fund.Pledge](t, key, "pledge "+c.Pledge.String())
		if err != nil {
			return tape.Entry{}, err
		}
		var gift *tape.Gift
		var before *fund.Mark
		if c.Gift != nil {
			before = read[fund.Mark](t, kept)
			settled, err := t.settledGift(c.Account, *c.Gift)
			if err != nil {
				return tape.Entry{}, err
			}
			found, _, err := settled.Place(c.Account, *c.Gift)
			if err != nil {
				return tape.Entry{}, err
			}
			gift = &found
		}
		after, entry, err := campaign.SettlePledge(c, pledge, gift, before, t.context)
		t.save(key, after)
		if c.Gift != nil {
			t.save(kept, fund.Mark{V: 1, Entry: entry.Reference()})
		}
		return entry, err
	})
}

// ReceiveGoods notes a gift in kind.
func (*Fund) ReceiveGoods(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.ReceiveGoods, intents []intent) (tape.Entry, error) {
		key := fund.GoodsKey(c.Account, c.ID)
		campaign, err := t.campaign(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "goods "+c.ID.String()); err != nil {
			return tape.Entry{}, err
		}
		if err := t.judge("receive-goods", campaign, campaign.Zero(), c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		goods, entry, err := campaign.ReceiveGoods(c, t.context)
		t.save(key, goods)
		return entry, err
	})
}

// GiveGoods hands a part of a gift in kind on.
func (*Fund) GiveGoods(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.GiveGoods, intents []intent) (tape.Entry, error) {
		key := fund.GoodsKey(c.Account, c.Goods)
		to := []tape.Payment{{To: c.To}}
		campaign, err := t.campaign(c.ID, c.Account, append(lineKeys(c.Account, to), key)...)
		if err != nil {
			return tape.Entry{}, err
		}
		goods, err := need[fund.Goods](t, key, "goods "+c.Goods.String())
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.decide("give-goods", campaign, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, entry, err := campaign.GiveGoods(c, goods, t.payeeLines(c.Account, to)[0], t.context)
		t.save(key, after)
		return entry, err
	})
}
