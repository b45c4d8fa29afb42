package fabric

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/rule"
)

func creatorOf(mspID string, certificate []byte) ([]byte, error) {
	return proto.Marshal(&msp.SerializedIdentity{Mspid: mspID, IdBytes: certificate})
}

func details(err error) []*gateway.ErrorDetail {
	var found []*gateway.ErrorDetail
	for _, detail := range status.Convert(err).Details() {
		if d, ok := detail.(*gateway.ErrorDetail); ok {
			found = append(found, d)
		}
	}
	return found
}

// chaincodeResponse is how a peer reports that the contract itself said no.
var chaincodeResponse = regexp.MustCompile(`chaincode response \d{3}, `)

// refusalIn reads the rules' refusal out of what a peer said.
func refusalIn(message string) (*rule.Refusal, bool) {
	at := chaincodeResponse.FindStringIndex(message)
	if at == nil {
		return nil, false
	}
	text := message[at[1]:]
	if refusal, ok := rule.Parse(text); ok {
		return refusal, true
	}
	// A contract that says no in other words, such as "Function X not found in contract Y".
	return rule.Refuse(rule.Invalid, "the contract says: %s", text), true
}

// translate turns an error of endorsing or evaluating into a refusal or a
// transient trouble. Our own peer is asked first, and what it refuses is
// refused; when it accepted and another organisation's peer refuses, that one
// has not committed yet what ours has.
func (l *Ledger) translate(err error) error {
	all := details(err)
	var lagging *rule.Refusal
	for _, detail := range all {
		refusal, ok := refusalIn(detail.GetMessage())
		switch {
		case ok && detail.GetMspId() == l.connection.MSP:
			return refusal
		case ok:
			lagging = refusal
		}
	}
	if refusal, ok := refusalIn(status.Convert(err).Message()); ok && len(all) == 0 {
		return refusal
	}
	if lagging != nil {
		return &Transient{Cause: Lagging, Refusal: lagging, Text: "another organisation's peer is behind and says " + lagging.Error(), Said: err}
	}
	if slices.ContainsFunc(all, mismatched) {
		return &Transient{Cause: Mismatch, Text: "the endorsing peers do not agree yet", Said: err}
	}
	return &Transient{Cause: Unreachable, Text: l.absent(err, all), Said: err}
}

func mismatched(detail *gateway.ErrorDetail) bool {
	return strings.Contains(detail.GetMessage(), "ProposalResponsePayloads do not match")
}

// absent says in one sentence who does not answer.
func (l *Ledger) absent(err error, all []*gateway.ErrorDetail) string {
	var peers, chaincodes []string
	for _, detail := range all {
		name := l.name(detail.GetMspId())
		if strings.Contains(detail.GetMessage(), "error in simulation") {
			chaincodes = append(chaincodes, name)
		} else {
			peers = append(peers, name)
		}
	}
	what := status.Convert(err)
	switch {
	case len(chaincodes) > 0:
		return silent(chaincodes, "chaincode") + "; start it, or wait"
	case len(peers) > 0:
		return silent(peers, "peer") + "; " + l.needed(peers)
	case what.Code() == codes.Unavailable:
		return fmt.Sprintf("%s's own peer at %s does not answer", l.connection.Organisation, l.connection.Address)
	case what.Code() == codes.FailedPrecondition:
		return "too few organisations' peers answer to endorse this; start them, or wait: " + l.missing(what.Message())
	case what.Code() == codes.DeadlineExceeded:
		return "the peers did not answer in time"
	}
	return "the network did not take it: " + oneLine(what.Message())
}

func (l *Ledger) needed(absent []string) string {
	slices.Sort(absent)
	absent = slices.Compact(absent)
	if len(absent) == 1 {
		return "the others are too few to endorse without it"
	}
	return fmt.Sprintf("%d more organisations are needed", len(absent))
}

// missing replaces the ids of organisations in Fabric's words by their names.
func (l *Ledger) missing(said string) string {
	for mspID, name := range l.connection.Names {
		said = strings.ReplaceAll(said, mspID, name)
	}
	return oneLine(said)
}

func (l *Ledger) name(mspID string) string {
	if name, known := l.connection.Names[mspID]; known {
		return name
	}
	if mspID == l.connection.MSP {
		return l.connection.Organisation
	}
	return mspID
}

// silent says "the bank's and the insurer's peers do not answer".
func silent(names []string, what string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	verb := " does not answer"
	if len(names) > 1 {
		what, verb = what+"s", " do not answer"
	}
	for i, name := range names {
		names[i] = "the " + name + "'s"
	}
	return strings.Join(names, " and ") + " " + what + verb
}

func oneLine(text string) string { return rule.Refuse(rule.Invalid, "%s", text).Text }

// tooLong reports whether the orderers turned a transaction away for its
// length: the one submit error after which it certainly never commits.
func tooLong(err error) bool {
	all := details(err)
	return len(all) > 0 && !slices.ContainsFunc(all, func(d *gateway.ErrorDetail) bool {
		return !strings.Contains(d.GetMessage(), "exceeds maximum")
	})
}
