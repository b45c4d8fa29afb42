// Package assessment puts scores and limits on the ledger: what organisations
// attest about a household, what the ledger knows of it by itself, the score and
// the limit that follow by the model in force, and what the household contests.
//
// A rule here is a function of records, a command and a context. It returns what
// becomes, and one entry, or a refusal. The arithmetic is package credit's;
// README.md lists keys, commands, refusals and entries.
package assessment

import (
	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// InputsMax is how many attested inputs about a household stand for one lender.
const InputsMax = 128

// InputsKey is where the Inputs about a household stand that a lender may use.
func InputsKey(scheme, household tape.AccountID, lender string) string {
	return "score-inputs/" + string(scheme) + "/" + string(household) + "/" + lender
}

// Key is where a Standing stands: a household consents to one lender, and each has a score of its own.
func Key(scheme, household tape.AccountID, lender string) string {
	return "score/" + string(scheme) + "/" + string(household) + "/" + lender
}

// Inputs are what organisations attest about a household for one lender.
type Inputs struct {
	V      int32   `json:"v"`
	Inputs []Input `json:"inputs"`
	// At is the last change, Entry made it, organisation/id.
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// Input is one attested value.
type Input struct {
	// Attestation is the salted hash of the paper that it rests on; none where it rests on an entry of the ledger.
	Attestation *party.Hash `json:"attestation,omitempty"`
	// Day is the civil day to which the value belongs.
	Day       tape.Date `json:"day"`
	Indicator string    `json:"indicator"`
	// Organisation attests it, and alone takes it back; Source is what a score names.
	Organisation string `json:"organisation"`
	Source       string `json:"source"`
	Value        int32  `json:"value"`
	Entry        string `json:"entry"`
}

// Standing is a household's score and limit with one lender.
type Standing struct {
	V int32 `json:"v"`
	// Date is the day of the score.
	Date  tape.Date    `json:"date"`
	Score credit.Score `json:"score"`
	// Contested are inputs that the household contests; Without is the score without them, none where there are none.
	Contested []Contested   `json:"contested,omitempty"`
	Without   *credit.Score `json:"without,omitempty"`
	Limit     credit.Limit  `json:"limit"`
	// LastStep is when the limit began or last grew, LastCut when it was last cut; none for never.
	LastStep tape.Date    `json:"lastStep,omitempty"`
	LastCut  tape.Date    `json:"lastCut,omitempty"`
	At       tape.Instant `json:"at"`
	Entry    string       `json:"entry"`
}

// Contested is an input that the household says is wrong.
type Contested struct {
	Indicator string    `json:"indicator"`
	Source    string    `json:"source"`
	Date      tape.Date `json:"date"`
	Entry     string    `json:"entry"`
}
