package readmodel

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// citedAtOnce is how many citations are read at once.
const citedAtOnce = 1000

// Citing is the entry that cites a document, or proposes a disbursement that
// rests on it; nil for a document that the ledger does not know.
func (m *Model) Citing(ctx context.Context, document merkle.Hash) (*Entry, error) {
	for _, search := range []func(context.Context, merkle.Hash) (string, error){m.citedBy, m.proposedOn} {
		reference, err := search(ctx, document)
		if err != nil {
			return nil, err
		}
		if reference != "" {
			organisation, id, _ := strings.Cut(reference, "/")
			entry, err := m.Entry(ctx, organisation, tape.ID(id))
			return &entry, err
		}
	}
	return nil, nil
}

func (m *Model) citedBy(ctx context.Context, document merkle.Hash) (string, error) {
	window := Window{Limit: citedAtOnce}
	for {
		list, err := m.Records(ctx, "cited/", window)
		if err != nil {
			return "", err
		}
		for _, record := range list.Items {
			var cited fund.Cited
			if strings.HasSuffix(record.Key, "/"+document.String()) {
				err := json.Unmarshal(record.Value, &cited)
				return cited.Entry, err
			}
		}
		if window.After = list.Next; list.Next == "" {
			return "", nil
		}
	}
}

func (m *Model) proposedOn(ctx context.Context, document merkle.Hash) (string, error) {
	window := Window{Limit: citedAtOnce}
	for {
		list, err := m.Disbursements(ctx, DisbursementFilter{}, window)
		if err != nil {
			return "", err
		}
		for _, d := range list.Items {
			if slices.ContainsFunc(d.Evidence, func(c fund.Citation) bool { return c.Hash == document }) {
				return d.Entry, nil
			}
		}
		if window.After = list.Next; list.Next == "" {
			return "", nil
		}
	}
}
