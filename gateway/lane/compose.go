package lane

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/outbox"
)

// compose makes the command of members, as many of the first as fit.
func compose(account, kind string, members []outbox.Member, settings Settings) (outbox.Command, []outbox.Member, error) {
	if kind == outbox.Gift {
		return composePage(account, members)
	}
	return composeSettle(account, members[:min(len(members), settings.SettleItems)])
}

func composePage(account string, members []outbox.Member) (outbox.Command, []outbox.Member, error) {
	receive := tape.Receive{Account: tape.AccountID(account)}
	for _, m := range members {
		gift, err := giftOf(m.Content)
		if err != nil {
			return outbox.Command{}, nil, err
		}
		if len(receive.Gifts) == 0 {
			receive.Total = money.New(0, gift.Amount.Currency)
		}
		// Another currency, or a page richer than an amount can say, begins the next page.
		total, err := receive.Total.Add(gift.Amount)
		if err != nil {
			break
		}
		receive.Total = total
		receive.Gifts = append(receive.Gifts, gift)
	}
	receive.Count = int32(len(receive.Gifts))
	used := members[:len(receive.Gifts)]
	receive.ID = idOf("page", account, used)
	argument, err := receive.Encode()
	return outbox.Command{ID: string(receive.ID), Function: "Tape:Receive", Account: account, Argument: argument, Gathered: outbox.Gift}, used, err
}

func composeSettle(account string, members []outbox.Member) (outbox.Command, []outbox.Member, error) {
	settle := tape.Settle{Account: tape.AccountID(account), ID: idOf("settle", account, members)}
	for _, m := range members {
		var item tape.SettleItem
		if err := canonical.Decode([]byte(m.Content), &item); err != nil {
			return outbox.Command{}, nil, err
		}
		settle.Items = append(settle.Items, item)
	}
	argument, err := canonical.Encode(settle)
	return outbox.Command{ID: string(settle.ID), Function: "Tape:Settle", Account: account, Argument: argument, Gathered: outbox.Settlement}, members, err
}

// idOf names a batch after its content: the same members make the same id, so a
// batch is the same entry however often it is made.
func idOf(prefix, account string, members []outbox.Member) tape.ID {
	digest := sha256.New()
	digest.Write([]byte(account + "\n"))
	for _, m := range members {
		digest.Write([]byte(m.Content + "\n"))
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(digest.Sum(nil)[:20])
	return tape.ID(prefix + "-" + strings.ToLower(text))
}

// giftOf reads the one spelling of a gift.
func giftOf(content string) (tape.Gift, error) {
	var row [4]string
	if err := json.Unmarshal([]byte(content), &row); err != nil {
		return tape.Gift{}, rule.Refuse(rule.Invalid, "%q is not a gift", content)
	}
	amount, err := money.Parse(row[1])
	return tape.Gift{ID: tape.ID(row[0]), Amount: amount, Donor: row[2], Reference: row[3]}, err
}
