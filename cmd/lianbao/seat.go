package main

import (
	"context"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/network"
)

// seat is where an organisation's staff act from the command line: its gateway
// and, in a network of this machine, the keys of its invented staff.
type seat struct {
	organisation string
	gateway      *speak.Gateway
	ledger       party.LedgerID
	// folder of the network; empty at a gateway elsewhere, where nobody's key is at hand.
	folder string
}

// seat takes the place of an organisation of the network in the folder.
func (a *application) seat(organisation string) (seat, error) {
	n, err := network.Open(a.folder)
	if err != nil {
		return seat{}, err
	}
	charter, err := founding.Charter(n.Folder())
	if err != nil {
		return seat{}, &failure{exitNoNetwork, "this network has not been started: its ledger is not founded", a.again("up") + " starts it"}
	}
	gateway, err := speaker(n, organisation)
	return seat{organisation: organisation, gateway: gateway, ledger: charter.Ledger, folder: n.Folder()}, err
}

// seatAt takes a place at a gateway anywhere, with the token of its organisation.
func (a *application) seatAt(address, token string) (seat, error) {
	gateway, err := speak.At(address, token)
	if err != nil {
		return seat{}, &failure{exitUsage, err.Error(), ""}
	}
	s := seat{gateway: gateway}
	if s.organisation, err = gateway.Whose(a.context); err != nil {
		return s, err
	}
	ledger, err := speak.Record[party.Ledger](a.context, gateway, party.LedgerKey())
	s.ledger = ledger.ID
	return s, err
}

// staff are the keys of invented people: by their duty, or by their id, and of another
// organisation than the seat's where it is named before it.
func (s seat) staff(names ...string) ([]founding.Signer, error) {
	var signers []founding.Signer
	for _, name := range names {
		organisation, person := s.organisation, tape.ID(name)
		if of, duty, named := strings.Cut(name, ":"); named {
			organisation, person = of, tape.ID(duty)
		}
		if person == tape.ID(founding.Maker) || person == tape.ID(founding.Checker) {
			person = founding.PersonID(organisation, founding.Duty(person))
		}
		signer, err := founding.Held(s.folder, organisation, person)
		if err != nil {
			return nil, &failure{exitUsage, err.Error(), "people of a real organisation sign on their devices: --draft FILE"}
		}
		signers = append(signers, signer)
	}
	return signers, nil
}

// decide has a command signed by the keys at hand, and sends it.
func (s seat) decide(ctx context.Context, function string, command any, d founding.Decision, signers ...founding.Signer) (uint64, error) {
	if len(signers) == 0 {
		argument, err := canonical.Encode(command)
		if err != nil {
			return 0, err
		}
		return s.gateway.Send(ctx, function, argument)
	}
	d.Deadline = tape.Instant(time.Now().Add(sendingLife).Truncate(time.Second).UnixMilli())
	argument, err := founding.Envelope(s.ledger, command, d, signers...)
	if err != nil {
		return 0, err
	}
	return s.gateway.Send(ctx, function, argument)
}
