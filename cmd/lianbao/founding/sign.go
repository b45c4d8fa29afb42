package founding

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Decision is what persons sign about a command.
type Decision struct {
	// Action is the contract's function in lower case, such as "spend".
	Action string
	// Subject is the account, person or loan.
	Subject string
	// Amount is money in its one spelling, or empty.
	Amount string
	// Deadline is a whole second, 30 days ahead at most.
	Deadline tape.Instant
}

// Envelope signs a command and returns it as it travels,
// {"command":…,"intents":[…]}. The same command, decision and signers give the
// same bytes, so that a repeated run is recognised and answered as before.
func Envelope(ledger party.LedgerID, command any, d Decision, signers ...Signer) ([]byte, error) {
	plain, err := canonical.Encode(command)
	if err != nil {
		return nil, err
	}
	envelope := struct {
		Command json.RawMessage `json:"command"`
		Intents []party.Intent  `json:"intents"`
	}{plain, []party.Intent{}}
	for _, s := range signers {
		statement := party.Statement{Action: d.Action, Subject: d.Subject, Amount: d.Amount,
			Command: sha256.Sum256(plain), Intent: s.intentID(plain), Deadline: d.Deadline}
		intent, err := sign.Intent(s.Key, ledger, s.Person, statement)
		if err != nil {
			return nil, fmt.Errorf("%s signs: %w", s.Person, err)
		}
		envelope.Intents = append(envelope.Intents, intent)
	}
	return canonical.Encode(envelope)
}

// intentID is drawn from the key and the command: nobody without the key can
// tell it beforehand, and one command has one id.
func (s Signer) intentID(command []byte) party.IntentID {
	mac := hmac.New(sha256.New, crypto.FromECDSA(s.Key))
	mac.Write([]byte("lianbao intent 1\n"))
	mac.Write(command)
	return party.IntentID(mac.Sum(nil)[:16])
}
