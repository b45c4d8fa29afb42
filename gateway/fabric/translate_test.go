package fabric

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/lianbao/lianbao/chaincode/rule"
)

func said(t *testing.T, code codes.Code, message string, all ...*gateway.ErrorDetail) error {
	t.Helper()
	s := status.New(code, message)
	for _, detail := range all {
		var err error
		if s, err = s.WithDetails(detail); err != nil {
			t.Fatal(err)
		}
	}
	return s.Err()
}

func detail(mspID, message string) *gateway.ErrorDetail {
	return &gateway.ErrorDetail{Address: "peer:7051", MspId: mspID, Message: message}
}

// TestTranslate is a table: what Fabric says to the charity, and what it means.
func TestTranslate(t *testing.T) {
	l := &Ledger{connection: Connection{Organisation: "charity", MSP: "CharityMSP", Address: "127.0.0.1:7051",
		Names: map[string]string{"CharityMSP": "charity", "BankMSP": "bank", "InsurerMSP": "insurer", "CoopMSP": "coop"}}}
	const first, enough = "failed to endorse transaction, see attached details for more info", "failed to collect enough transaction endorsements, see attached details for more info"
	gone := "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: connection refused\""
	simulation := "error in simulation: failed to execute transaction 1: could not launch chaincode lianbao_1:1: connection to lianbao_1:1 failed"
	for _, test := range []struct {
		err  error
		want string
	}{
		{said(t, codes.Aborted, first, detail("CharityMSP", "chaincode response 500, insufficient: charity:a:b can spend 1.00 CNY")), "refusal insufficient: charity:a:b can spend 1.00 CNY"},
		{said(t, codes.Aborted, first, detail("CharityMSP", "chaincode response 500, Function settle not found")), "refusal invalid: the contract says: Function settle not found"},
		{said(t, codes.Unknown, "evaluate call to endorser returned error: chaincode response 500, not-found: there is no record"), "refusal not-found: there is no record"},
		{said(t, codes.Aborted, enough, detail("BankMSP", "chaincode response 500, not-found: no page p")), "lagging unavailable: another organisation's peer is behind and says not-found: no page p"},
		{said(t, codes.Aborted, enough, detail("BankMSP", "ProposalResponsePayloads do not match")), "mismatch unavailable: the endorsing peers do not agree yet"},
		{said(t, codes.Aborted, enough, detail("BankMSP", gone), detail("CoopMSP", "ProposalResponsePayloads do not match")), "mismatch unavailable: the endorsing peers do not agree yet"},
		{said(t, codes.Aborted, enough, detail("InsurerMSP", gone)), "unreachable unavailable: the insurer's peer does not answer; the others are too few to endorse without it"},
		{said(t, codes.Aborted, enough, detail("InsurerMSP", gone), detail("BankMSP", gone)), "unreachable unavailable: the bank's and the insurer's peers do not answer; 2 more organisations are needed"},
		{said(t, codes.Aborted, first, detail("CharityMSP", simulation)), "unreachable unavailable: the charity's chaincode does not answer; start it, or wait"},
		{said(t, codes.Unavailable, "connection error: desc = \"transport: Error while dialing\""), "unreachable unavailable: charity's own peer at 127.0.0.1:7051 does not answer"},
		{said(t, codes.FailedPrecondition, "failed to select a set of endorsers that satisfy the endorsement policy due to unavailability of peers: [{BankMSP}]"),
			"unreachable unavailable: too few organisations' peers answer to endorse this; start them, or wait: failed to select a set of endorsers that satisfy the endorsement policy due to unavailability of peers: [{bank}]"},
		{said(t, codes.DeadlineExceeded, "context deadline exceeded"), "unreachable unavailable: the peers did not answer in time"},
	} {
		if got := kindOf(l.translate(test.err)); got != test.want {
			t.Errorf("%v\n got %s\nwant %s", test.err, got, test.want)
		}
	}
}

func kindOf(err error) string {
	var refusal *rule.Refusal
	var transient *Transient
	switch {
	case errors.As(err, &transient):
		if errors.As(err, &refusal) {
			return "a transient trouble that passes for a refusal"
		}
		return fmt.Sprintf("%s %s", transient.Cause, transient)
	case errors.As(err, &refusal):
		return "refusal " + refusal.Error()
	}
	return err.Error()
}

// TestTooLong tells the one submit error that is certain from those that are not.
func TestTooLong(t *testing.T) {
	long := detail("", "received unsuccessful response from orderer: status=BAD_REQUEST, info=message payload is 3000000 bytes and exceeds maximum allowed 2097152 bytes")
	down := detail("", "connection refused")
	for _, test := range []struct {
		err  error
		want bool
	}{
		{said(t, codes.Unavailable, "insufficient number of orderers", long, long), true},
		{said(t, codes.Unavailable, "insufficient number of orderers", long, down), false},
		{said(t, codes.Unavailable, "insufficient number of orderers", down), false},
		{said(t, codes.Unavailable, "insufficient number of orderers"), false},
	} {
		if got := tooLong(test.err); got != test.want {
			t.Errorf("%v: %v, want %v", test.err, got, test.want)
		}
	}
}

// TestHeaderHash compares with a header whose hash Fabric's own protoutil gives.
func TestHeaderHash(t *testing.T) {
	got, err := headerHash(&common.BlockHeader{Number: 5, PreviousHash: []byte("previous"), DataHash: []byte("data")})
	if err != nil {
		t.Fatal(err)
	}
	// SHA-256 of 30 13 02 01 05 04 08 "previous" 04 04 "data": a sequence of an integer and two octet strings.
	const want = "058f3a78a36963fac2079b2bd17c9b1780a24e282ddcc5d828f92916a671db51"
	if hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
}

// TestCommitFailure knows which codes are worth a new proposal.
func TestCommitFailure(t *testing.T) {
	for code, want := range map[string]bool{"MVCC_READ_CONFLICT": true, "PHANTOM_READ_CONFLICT": true, "ENDORSEMENT_POLICY_FAILURE": false, "BAD_PAYLOAD": false} {
		if got := (&CommitFailure{Code: code}).Conflict(); got != want {
			t.Errorf("%s: %v, want %v", code, got, want)
		}
	}
}
