package tape

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// PageGiftsMax is the most gifts one page holds: about 300 KB of arguments.
const PageGiftsMax = 2000

// Receive writes a page of pending gifts. It reads the account, which nobody
// rewrites, and never the head, so pages of one account go in side by side.
type Receive struct {
	Account AccountID
	ID      ID
	// Count and Total are control totals of the batch.
	Count int32
	Total money.Amount
	Gifts []Gift
}

type receiveHeader struct {
	Account AccountID    `json:"account"`
	Count   int32        `json:"count"`
	Gifts   []struct{}   `json:"gifts"`
	ID      ID           `json:"id"`
	Total   money.Amount `json:"total"`
}

// DecodeReceive reads the canonical argument of a Receive.
func DecodeReceive(argument []byte) (Receive, error) {
	var header receiveHeader
	gifts := make([]Gift, 0, PageGiftsMax)
	err := readBody(argument, "gifts", PageGiftsMax, &header, func(_ int, r row) error {
		gift, err := giftOf(r)
		gifts = append(gifts, gift)
		return err
	})
	return Receive{Account: header.Account, ID: header.ID, Count: header.Count, Total: header.Total, Gifts: gifts}, err
}

// Encode writes the canonical argument.
func (c Receive) Encode() ([]byte, error) {
	rows := make([]string, len(c.Gifts))
	for i, gift := range c.Gifts {
		rows[i] = gift.Row()
	}
	return writeBody(receiveHeader{c.Account, c.Count, []struct{}{}, c.ID, c.Total}, "gifts", rows)
}

// Receive judges the command and returns the page.
func (a Account) Receive(c Receive, ctx Context) (Page, Entry, error) {
	if err := c.check(a.Currency); err != nil {
		return Page{}, Entry{}, err
	}
	if err := a.sponsor(ctx); err != nil {
		return Page{}, Entry{}, err
	}
	page, err := pageOf(a.ID, c.ID, c.Gifts, a.Currency, ctx)
	if err != nil {
		return Page{}, Entry{}, err
	}
	if page.Total != c.Total {
		return Page{}, Entry{}, rule.Field("total", rule.Refuse(rule.Invalid, "says %s, the gifts sum to %s", c.Total, page.Total))
	}
	return page, ctx.Entry(c.ID, "receive", string(a.ID)), nil
}

func (c Receive) check(currency money.Currency) error {
	if err := c.ID.Check(); err != nil {
		return rule.Field("id", err)
	}
	if len(c.Gifts) == 0 {
		return rule.Field("gifts", rule.Refuse(rule.Invalid, "must hold at least one gift"))
	}
	if int(c.Count) != len(c.Gifts) {
		return rule.Field("count", rule.Refuse(rule.Invalid, "says %d, the page holds %d gifts", c.Count, len(c.Gifts)))
	}
	seen := make(map[ID]bool, len(c.Gifts))
	for i, gift := range c.Gifts {
		if gift.Amount.Currency != currency {
			return rule.Item("gifts", i, rule.Field("amount", rule.Refuse(rule.Invalid, "%s is not in %s, the currency of the account", gift.Amount, currency)))
		}
		if seen[gift.ID] {
			return rule.Item("gifts", i, rule.Refuse(rule.Invalid, "gift %s stands twice on the page", gift.ID))
		}
		seen[gift.ID] = true
	}
	return nil
}

// pageOf makes the page record over gifts.
func pageOf(account AccountID, id ID, gifts []Gift, currency money.Currency, ctx Context) (Page, error) {
	root, matches, leaves, err := GiftsBody(gifts)
	if err != nil {
		return Page{}, err
	}
	var total int64
	for _, leaf := range leaves {
		total += leaf.Amount // GiftsBody refused an overflow
	}
	return Page{V: 1, Account: account, ID: id, Organisation: ctx.Organisation, Root: root, Matches: matches,
		Count: int32(len(gifts)), Total: money.New(total, currency), At: ctx.At}, nil
}
