package audit

import (
	"context"
	"fmt"

	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Model is a read model whose digest can be had: a gateway's live one.
type Model interface {
	Digest(ctx context.Context) (readmodel.Digest, error)
}

// Rebuilt is a read model that is built from the blocks for comparison.
type Rebuilt interface {
	Model
	// Advance reads blocks until the next one has this number.
	Advance(ctx context.Context, next uint64) error
}

// ModelState is what a gateway's read model was found to be.
type ModelState struct {
	Organisation string `json:"organisation"`
	Next         uint64 `json:"next"`
	SHA256       string `json:"sha256"`
	// Equal says that it is what the blocks give; what was set aside is so in both.
	Equal bool              `json:"equal"`
	Aside []readmodel.Aside `json:"aside,omitempty"`
	Fault string            `json:"fault,omitempty"`
}

// CompareModel holds a gateway's read model against the rebuilt one.
func (a *Auditor) CompareModel(ctx context.Context, organisation string, live Model, rebuilt Rebuilt) {
	before, state := a.report.Differences, ModelState{Organisation: organisation}
	err := a.compareModel(ctx, &state, live, rebuilt)
	if err != nil {
		state.Fault = err.Error()
		a.report.Incomplete = true
		a.add(Finding{Check: CheckModel, Organisation: organisation, What: "the read model could not be compared: " + err.Error()})
	}
	state.Equal = err == nil && a.report.Differences == before
	for _, aside := range state.Aside {
		a.add(Finding{Check: CheckModel, Organisation: organisation, Block: &aside.Block, Transaction: aside.Transaction,
			What: "it is not understood, and no figure counts it: " + aside.Reason})
	}
	a.report.Models = append(a.report.Models, state)
}

// compareModel waits for a gateway that is behind, and follows one that is ahead.
func (a *Auditor) compareModel(ctx context.Context, state *ModelState, live Model, rebuilt Rebuilt) error {
	for range quietAttempts {
		found, err := live.Digest(ctx)
		if err != nil {
			return err
		}
		state.Next, state.SHA256, state.Aside = found.Position.Next, found.SHA256, found.Aside
		if found.Position.Next < a.Height() {
			if err := pause(ctx, a.options.Pause); err != nil {
				return err
			}
			continue
		}
		if err := rebuilt.Advance(ctx, found.Position.Next); err != nil {
			return err
		}
		expected, err := rebuilt.Digest(ctx)
		if err != nil {
			return err
		}
		if expected.Position.Next > found.Position.Next {
			continue
		}
		a.compareDigests(state.Organisation, expected, found)
		return nil
	}
	return fmt.Errorf("it stays behind: its next block is %d, %d blocks are replayed", state.Next, a.Height())
}

func (a *Auditor) compareDigests(organisation string, expected, found readmodel.Digest) {
	if expected.Position.Hash != found.Position.Hash {
		a.add(Finding{Check: CheckModel, Organisation: organisation, Key: "position", What: "it has read another block",
			Expected: expected.Position.Hash, Found: found.Position.Hash})
	}
	tables := map[string]readmodel.TableDigest{}
	for _, table := range found.Tables {
		tables[table.Name] = table
	}
	for _, want := range expected.Tables {
		has := tables[want.Name]
		if has != want {
			a.add(Finding{Check: CheckModel, Organisation: organisation, Key: "table " + want.Name, What: "the table differs from the one that the blocks give",
				Expected: spellTable(want), Found: spellTable(has)})
		}
	}
}

func spellTable(t readmodel.TableDigest) string {
	return fmt.Sprintf("%d rows, %.16s", t.Rows, t.SHA256)
}
