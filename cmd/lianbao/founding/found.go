package founding

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/network"
	"github.com/lianbao/lianbao/network/topology"
)

// Found founds the ledger of the network in a folder and lets every
// organisation join it, as far as that has not been done.
func Found(ctx context.Context, folder string, t topology.Topology, connections []network.Connection) (party.Charter, error) {
	charter, err := keepCharter(folder, t)
	if err != nil {
		return charter, err
	}
	voices := make([]voice, len(connections))
	for i, c := range connections {
		if voices[i], err = speak(c, c.Admin, connections); err != nil {
			return charter, err
		}
		defer voices[i].close()
	}
	if err := found(ctx, voices[0], charter); err != nil {
		return charter, fmt.Errorf("founding the ledger: %w", err)
	}
	joins, joining := errgroup.WithContext(ctx)
	for _, v := range voices {
		joins.Go(func() error { return join(joining, v, charter) })
	}
	return charter, joins.Wait()
}

func found(ctx context.Context, v voice, charter party.Charter) error {
	if done, err := v.holds(ctx, party.CharterKey()); err != nil || done {
		return err
	}
	return v.do(ctx, "Party:Found", party.FoundCommand{Charter: charter, ID: "found"})
}

// join is refused when the ledger holds another charter than the folder.
func join(ctx context.Context, v voice, charter party.Charter) error {
	if err := v.await(ctx, party.CharterKey()); err != nil {
		return err
	}
	if done, err := v.holds(ctx, party.JoinedKey(v.organisation)); err != nil || done {
		return err
	}
	hash, err := charter.Hash()
	if err != nil {
		return err
	}
	command := party.JoinCommand{Charter: hash, ID: tape.ID("join-" + v.organisation)}
	if err := v.do(ctx, "Party:Join", command); err != nil {
		return fmt.Errorf("%s joins the ledger: %w", v.organisation, err)
	}
	return nil
}

// Joined returns when every organisation's own peer holds the transaction by
// which that organisation joined.
func Joined(ctx context.Context, connections []network.Connection) error {
	waits, waiting := errgroup.WithContext(ctx)
	for _, c := range connections {
		waits.Go(func() error {
			v, err := speak(c, c.Auditor, connections)
			if err != nil {
				return err
			}
			defer v.close()
			return v.await(waiting, party.JoinedKey(c.Organisation))
		})
	}
	return waits.Wait()
}
