package fabric

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-gateway/pkg/client"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/dossier/seal"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Private is what a private command needs beside its argument.
type Private struct {
	// Members are the organisations of the collection. Their peers, and no
	// others, are asked to endorse, and so see the transient data.
	Members []string
	// Transient never reaches a block.
	Transient map[string][]byte
}

// SubmitPrivate does what Submit does for a command that touches one private
// data collection.
func (l *Ledger) SubmitPrivate(ctx context.Context, function string, argument []byte, p Private, sent func(transactionID string) error) (Receipt, error) {
	// Without names Fabric would choose who sees the data.
	members, err := l.mspIDs(p.Members)
	if err != nil {
		return Receipt{}, err
	}
	if len(argument) > ArgumentBytesMax {
		return Receipt{}, rule.Refuse(rule.Invalid, "the argument is %d bytes long; %d are possible", len(argument), ArgumentBytesMax)
	}
	transaction, err := l.endorse(ctx, function, argument, client.WithEndorsingOrganizations(members...), client.WithTransient(p.Transient))
	if err != nil {
		return Receipt{}, l.outside(err, members)
	}
	return l.carry(ctx, transaction, sent)
}

// outside takes a member's refusal at its word where the own peer is none and
// was not asked: nobody here knows more than that peer, so it is not behind.
func (l *Ledger) outside(err error, members []string) error {
	var transient *Transient
	if errors.As(err, &transient) && transient.Refusal != nil && !slices.Contains(members, l.connection.MSP) {
		return transient.Refusal
	}
	return err
}

// Show asks the own peer for a private value. The question is evaluated and
// never submitted, and the answer is sealed on its way under a key for this one question.
func (l *Ledger) Show(ctx context.Context, query dossier.ShowQuery) ([]byte, error) {
	argument, err := canonical.Encode(query)
	if err != nil {
		return nil, err
	}
	key := make([]byte, seal.KeyBytes)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	body, err := l.evaluate(ctx, "Dossier:Show", argument,
		client.WithEndorsingOrganizations(l.connection.MSP), client.WithTransient(map[string][]byte{"key": key}))
	if err != nil {
		return nil, err
	}
	var answer seal.Answer
	if err := canonical.Decode(body, &answer); err != nil {
		return nil, fmt.Errorf("the peer's answer cannot be read: %w", err)
	}
	return answer.Open(key, query)
}

// mspIDs are the ids of organisations that are named.
func (l *Ledger) mspIDs(names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, rule.Refuse(rule.Invalid, "a private command names the members of its collection")
	}
	var ids []string
	for _, name := range names {
		id, found := "", false
		for mspID, known := range l.connection.Names {
			if known == name {
				id, found = mspID, true
			}
		}
		if name == l.connection.Organisation {
			id, found = l.connection.MSP, true
		}
		if !found || slices.Contains(ids, id) {
			return nil, rule.Refuse(rule.Invalid, "%.40q is not an organisation that is known here, or is named twice", name)
		}
		ids = append(ids, id)
	}
	return ids, nil
}
