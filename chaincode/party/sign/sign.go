// Package sign makes the signatures that party checks: for the command line,
// the gateway's demo keys and tests. Signing draws nothing at random (RFC
// 6979), so the same key signs the same statement with the same bytes; the
// intent's id is what the caller draws.
package sign

import (
	"crypto/ecdsa"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Address is the address of a key.
func Address(key *ecdsa.PrivateKey) party.Address {
	return party.Address(crypto.PubkeyToAddress(key.PublicKey))
}

// Intent signs a statement for a person.
func Intent(key *ecdsa.PrivateKey, ledger party.LedgerID, person tape.ID, statement party.Statement) (party.Intent, error) {
	signature, err := digest(key, statement.Digest(ledger))
	return party.Intent{Deadline: statement.Deadline, Intent: statement.Intent, Person: person, Signature: signature}, err
}

// Possession signs for the registration of the key itself; its address is filled in.
func Possession(key *ecdsa.PrivateKey, ledger party.LedgerID, possession party.Possession) (party.Signature, error) {
	possession.Key = Address(key)
	return digest(key, possession.Digest(ledger))
}

func digest(key *ecdsa.PrivateKey, digest [32]byte) (party.Signature, error) {
	plain, err := crypto.Sign(digest[:], key)
	if err != nil {
		return party.Signature{}, err
	}
	signature := party.Signature(plain)
	signature[64] += 27 // libraries count v from 0, wallets from 27
	return signature, nil
}
