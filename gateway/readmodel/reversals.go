package readmodel

import (
	"context"
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// Reversal is a gift that was taken back, or went to another account.
type Reversal struct {
	tape.Reversal
	// Account is where its money was, Source the page or inflow that brought it there.
	Account tape.AccountID `json:"account"`
	Source  string         `json:"source"`
	Index   int32          `json:"index"`
	Block   uint64         `json:"block"`
}

// Reversals lists the gifts of an account that were refunded, charged back or
// moved, in the order in which that was done; an empty account is every one.
func (m *Model) Reversals(ctx context.Context, account tape.AccountID, window Window) (List[Reversal], error) {
	q := query{list: "reversals", key: "ordinal", columns: "account, page, gift, body", from: "reversals"}
	q.where("account = ?", string(account))
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (Reversal, error) {
		var r Reversal
		var of, source string
		var body []byte
		if err := scan(key, &of, &source, &r.Index, &body); err != nil {
			return r, err
		}
		r.Account, r.Source, r.Block = tape.AccountID(of), source, ordinal(*key.(*int64)).block()
		return r, json.Unmarshal(body, &r.Reversal)
	})
}

// Processors lists the payment processors' files of an account, by their pages.
func (m *Model) Processors(ctx context.Context, account tape.AccountID, window Window) (List[tape.Processor], error) {
	records, err := m.Records(ctx, tape.ProcessorKey(account, ""), window)
	list := List[tape.Processor]{Items: []tape.Processor{}, Next: records.Next}
	for _, record := range records.Items {
		var file tape.Processor
		if err := json.Unmarshal(record.Value, &file); err != nil {
			return list, err
		}
		list.Items = append(list.Items, file)
	}
	return list, err
}
