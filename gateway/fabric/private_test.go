package fabric

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/dossier/seal"
)

// ownPeer stands for the organisation's own peer. It notes whom it is told to
// ask and what is transient, and answers Show as the contract does.
type ownPeer struct {
	gateway.UnimplementedGatewayServer
	organisations []string
	transient     map[string][]byte
	arguments     [][]byte
	says          error
	value         []byte
}

func (o *ownPeer) note(organisations []string, signed *peer.SignedProposal) error {
	proposal, payload, input := &peer.Proposal{}, &peer.ChaincodeProposalPayload{}, &peer.ChaincodeInvocationSpec{}
	if err := errors.Join(proto.Unmarshal(signed.ProposalBytes, proposal), proto.Unmarshal(proposal.Payload, payload), proto.Unmarshal(payload.Input, input)); err != nil {
		return err
	}
	o.organisations, o.transient, o.arguments = organisations, payload.TransientMap, input.ChaincodeSpec.Input.Args
	return nil
}

func (o *ownPeer) Endorse(_ context.Context, r *gateway.EndorseRequest) (*gateway.EndorseResponse, error) {
	return nil, errors.Join(o.note(r.EndorsingOrganizations, r.ProposedTransaction), o.says)
}

func (o *ownPeer) Evaluate(_ context.Context, r *gateway.EvaluateRequest) (*gateway.EvaluateResponse, error) {
	if err := o.note(r.TargetOrganizations, r.ProposedTransaction); err != nil {
		return nil, err
	}
	var query dossier.ShowQuery
	if err := canonical.Decode(o.arguments[1], &query); err != nil {
		return nil, err
	}
	answer, err := seal.Close(o.transient["key"], query, o.value)
	if err != nil {
		return nil, err
	}
	body, err := canonical.Encode(answer)
	return &gateway.EvaluateResponse{Result: &peer.Response{Status: 200, Payload: body}}, err
}

// dialOwn connects the charity with the peer that stands for its own.
func dialOwn(t *testing.T, o *ownPeer) *Ledger {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gateway"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	id, err := identity.NewX509Identity("CharityMSP", certificate)
	if err != nil {
		t.Fatal(err)
	}
	sign, err := identity.NewPrivateKeySign(key)
	if err != nil {
		t.Fatal(err)
	}
	listener, server := bufconn.Listen(1<<16), grpc.NewServer()
	gateway.RegisterGatewayServer(server, o)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	wire, err := grpc.NewClient("passthrough:///own", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return listener.Dial() }))
	if err != nil {
		t.Fatal(err)
	}
	connected, err := client.Connect(id, client.WithSign(sign), client.WithClientConnection(wire))
	if err != nil {
		t.Fatal(err)
	}
	network := connected.GetNetwork("lianbao")
	l := &Ledger{connection: Connection{Organisation: "charity", MSP: "CharityMSP",
		Names: map[string]string{"CharityMSP": "charity", "BankMSP": "bank", "CoopMSP": "coop"}}, wire: wire, gateway: connected, network: network, contract: network.GetContract("lianbao")}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// TestWhoSeesTransientData: the members that are named, and nobody else, are asked.
func TestWhoSeesTransientData(t *testing.T) {
	const refused = "chaincode response 500, forbidden: field collection: is for its members"
	aborted := func(mspID string) error { return said(t, codes.Aborted, "failed", detail(mspID, refused)) }
	transient := map[string][]byte{"value": []byte("secret")}
	for _, c := range []struct {
		members []string
		says    error
		asked   string
		answer  string
	}{
		{[]string{"charity", "bank"}, aborted("CharityMSP"), "CharityMSP BankMSP", "forbidden: field collection: is for its members"},
		{[]string{"charity", "bank"}, aborted("BankMSP"), "CharityMSP BankMSP", "unavailable: another organisation's peer is behind"},
		{[]string{"bank", "coop"}, aborted("BankMSP"), "BankMSP CoopMSP", "forbidden: field collection: is for its members"},
		{[]string{"bank", "coop"}, said(t, codes.Unavailable, "gone"), "BankMSP CoopMSP", "unavailable: charity's own peer"},
		{[]string{"charity"}, aborted("CharityMSP"), "CharityMSP", "forbidden"},
		{nil, nil, "", "invalid: a private command names the members of its collection"},
		{[]string{"charity", "insurer"}, nil, "", `invalid: "insurer" is not an organisation that is known here`},
		{[]string{"bank", "bank"}, nil, "", `invalid: "bank" is not an organisation that is known here, or is named twice`},
	} {
		own := &ownPeer{says: c.says}
		_, err := dialOwn(t, own).SubmitPrivate(context.Background(), "Dossier:Keep", []byte("{}"), Private{Members: c.members, Transient: transient},
			func(string) error { return errors.New("nothing was endorsed") })
		if !strings.Contains(fmt.Sprint(err), c.answer) || strings.Join(own.organisations, " ") != c.asked {
			t.Errorf("%v: asked %v, answered %v", c.members, own.organisations, err)
		}
		if c.asked != "" && (string(own.transient["value"]) != "secret" || slices.ContainsFunc(own.arguments, func(a []byte) bool { return bytes.Contains(a, []byte("secret")) })) {
			t.Errorf("%v: transient %q, arguments %q", c.members, own.transient, own.arguments)
		}
	}
	long := bytes.Repeat([]byte("x"), ArgumentBytesMax+1)
	if _, err := dialOwn(t, &ownPeer{}).SubmitPrivate(context.Background(), "Dossier:Keep", long, Private{Members: []string{"bank"}}, nil); !strings.Contains(fmt.Sprint(err), "invalid: the argument is") {
		t.Error(err)
	}
}

// TestShow: each question has a key of its own, and only the own peer is asked.
func TestShow(t *testing.T) {
	own := &ownPeer{value: []byte("secret")}
	l := dialOwn(t, own)
	query := dossier.ShowQuery{Collection: "charity-bank", Record: "r"}
	var keys [][]byte
	for range 2 {
		value, err := l.Show(context.Background(), query)
		if err != nil || string(value) != "secret" || strings.Join(own.organisations, " ") != "CharityMSP" {
			t.Fatalf("%s, %v, asked %v", value, err, own.organisations)
		}
		keys = append(keys, own.transient["key"])
	}
	if bytes.Equal(keys[0], keys[1]) || len(keys[0]) != seal.KeyBytes {
		t.Errorf("the keys are %x", keys)
	}
}
