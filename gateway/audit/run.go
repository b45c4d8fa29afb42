package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/lianbao/lianbao/gateway/fabric"
)

// Site is one organisation: its peer, and its gateway's read model if it runs a
// gateway.
type Site struct {
	Connection fabric.Connection
	Model      Model
}

// Progress is told how many blocks have been replayed, of how many.
type Progress func(done, all uint64)

// Run audits a ledger: the blocks of the first site's peer, the state of every
// site's peer and the read model of every site that has one. The error says
// that the audit could not be done; what differs is in the report.
func Run(ctx context.Context, o Options, sites []Site, progress Progress) (Report, error) {
	if len(sites) == 0 {
		return Report{}, errors.New("there is no peer to audit")
	}
	r := &running{auditor: New(o), source: sites[0].Connection, progress: progress}
	ledgers, err := dial(sites)
	defer func() {
		for _, ledger := range ledgers {
			_ = ledger.Close() // nothing is written
		}
	}()
	if err != nil {
		return Report{}, err
	}
	height, err := ledgers[0].Height(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("the peer of %s: %w", r.source.Organisation, err)
	}
	switch err := r.advance(ctx, height); {
	case errors.Is(err, ErrIncomplete):
		r.auditor.report.Incomplete = true
		return r.auditor.Close(), nil
	case err != nil:
		return Report{}, err
	}
	for i, site := range sites {
		r.auditor.ComparePeer(ctx, site.Connection.Organisation, ledgers[i], r.advance)
	}
	for i, site := range sites {
		r.auditor.ComparePrivate(ctx, site.Connection.Organisation, ledgers[i], r.advance)
	}
	if err := r.models(ctx, sites, ledgers[0]); err != nil {
		return Report{}, err
	}
	return r.auditor.Close(), ctx.Err()
}

func dial(sites []Site) ([]*fabric.Ledger, error) {
	var ledgers []*fabric.Ledger
	for _, site := range sites {
		ledger, err := fabric.Dial(site.Connection)
		if err != nil {
			return ledgers, err
		}
		ledgers = append(ledgers, ledger)
	}
	return ledgers, nil
}

type running struct {
	auditor  *Auditor
	source   fabric.Connection
	progress Progress
}

func (r *running) advance(ctx context.Context, height uint64) error {
	return Blocks(ctx, r.source, r.auditor.Height(), height, func(block *common.Block) error {
		err := r.auditor.Block(block)
		if r.progress != nil {
			r.progress(r.auditor.Height(), height)
		}
		return err
	})
}

func (r *running) models(ctx context.Context, sites []Site, ledger *fabric.Ledger) error {
	var rebuilt *Rebuild
	for _, site := range sites {
		if site.Model == nil {
			continue
		}
		if rebuilt == nil {
			var err error
			if rebuilt, err = NewRebuild(ctx, ledger); err != nil {
				return err
			}
			defer rebuilt.Close()
		}
		r.auditor.CompareModel(ctx, site.Connection.Organisation, site.Model, rebuilt)
	}
	return nil
}
