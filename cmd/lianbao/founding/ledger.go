package founding

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/network"
	"github.com/lianbao/lianbao/network/identity"
)

// voice is one organisation speaking to the ledger, as its admin or its gateway.
type voice struct {
	organisation string
	ledger       *fabric.Ledger
}

// speak opens the ledger for an organisation with one of its identities.
func speak(c network.Connection, files identity.Files, all []network.Connection) (voice, error) {
	names := map[string]string{}
	for _, one := range all {
		names[one.MSPID] = one.Organisation
	}
	connection := fabric.Connection{Organisation: c.Organisation, MSP: c.MSPID, Channel: c.Channel, Chaincode: c.Chaincode,
		Address: c.Peer.Address, HostOverride: c.Peer.HostOverride, Names: names}
	reads := []struct {
		path string
		into *[]byte
	}{
		{c.Peer.TLSRootCert, &connection.RootCertificate},
		{files.Certificate, &connection.Certificate},
		{files.Key, &connection.Key},
	}
	for _, read := range reads {
		data, err := os.ReadFile(read.path)
		if err != nil {
			return voice{}, err
		}
		*read.into = data
	}
	ledger, err := fabric.Dial(connection)
	return voice{c.Organisation, ledger}, err
}

func (v voice) close() { _ = v.ledger.Close() }

const retryPause = 100 * time.Millisecond

// do carries a command until it is on the ledger or refused. Every command
// here has an id that follows from what it is about, so sending it again after
// any trouble is answered with the entry that it made before.
func (v voice) do(ctx context.Context, function string, command any) error {
	argument, err := canonical.Encode(command)
	if err != nil {
		return err
	}
	for {
		_, err := v.ledger.Submit(ctx, function, argument, func(string) error { return nil })
		var refusal *rule.Refusal
		if err == nil || errors.As(err, &refusal) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s by %s: %w", function, v.organisation, errors.Join(err, ctx.Err()))
		case <-time.After(retryPause):
		}
	}
}

// holds asks the organisation's own peer whether a record is there. While that
// peer serves no contract yet, Fabric asks another's in its place; where there is
// nothing either, the answer is no: what is sent for it is the same when sent again.
func (v voice) holds(ctx context.Context, key string) (bool, error) {
	argument, err := canonical.Encode(struct {
		Key string `json:"key"`
	}{key})
	if err != nil {
		return false, err
	}
	for {
		_, err := v.ledger.Evaluate(ctx, "Audit:Read", argument)
		var refusal *rule.Refusal
		switch {
		case err == nil:
			return true, nil
		case rule.Is(err, rule.NotFound), elsewhere(err):
			return false, nil
		case errors.As(err, &refusal):
			return false, err
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("reading %s by %s: %w", key, v.organisation, errors.Join(err, ctx.Err()))
		case <-time.After(retryPause):
		}
	}
}

// elsewhere reports that another organisation's peer has no such record.
func elsewhere(err error) bool {
	var trouble *fabric.Transient
	return errors.As(err, &trouble) && trouble.Cause == fabric.Lagging && trouble.Refusal != nil && trouble.Refusal.Code == rule.NotFound
}

// await returns once the organisation's own peer holds a record.
func (v voice) await(ctx context.Context, key string) error {
	for {
		there, err := v.holds(ctx, key)
		if err != nil || there {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryPause / 5):
		}
	}
}
