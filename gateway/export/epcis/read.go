package epcis

import (
	"context"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Read fills in what the read model knows of a scheme's harvest, all at one block.
func (d Document) Read(ctx context.Context, model *readmodel.Model, scheme tape.AccountID) (Document, error) {
	if err := scheme.Check(); err != nil {
		return d, rule.Field("account", err)
	}
	err := model.Snapshot(ctx, func(ctx context.Context) error {
		ledger, err := readmodel.RecordOf[party.Ledger](ctx, model, party.LedgerKey())
		if err != nil {
			return err
		}
		d.Zone = ledger.Zone
		if d.Terms, err = readmodel.RecordOf[harvest.Terms](ctx, model, harvest.TermsKey(scheme)); err != nil {
			return err
		}
		var failed [5]error
		d.Lots, failed[0] = all[harvest.Lot](ctx, model, "lot/"+string(scheme)+"/")
		d.Steps, failed[1] = all[harvest.Step](ctx, model, "step/"+string(scheme)+"/")
		d.Moves, failed[2] = all[harvest.Move](ctx, model, "move/"+string(scheme)+"/")
		d.Bags, failed[3] = all[harvest.Bags](ctx, model, "bags/"+string(scheme)+"/")
		d.Sales, failed[4] = all[harvest.Sale](ctx, model, "sale/"+string(scheme)+"/")
		return rule.First(failed[:]...)
	})
	return d, err
}

func all[R any](ctx context.Context, model *readmodel.Model, prefix string) ([]R, error) {
	return readmodel.Every(func(window readmodel.Window) (readmodel.List[R], error) {
		return readmodel.RecordsOf[R](ctx, model, prefix, window)
	})
}
