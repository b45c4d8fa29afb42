package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/network"
)

// payer is the organisation whose accounts are used: the one that may open
// accounts of charities.
const payer = "charity"

// lab is one run of the measurements.
type lab struct {
	network *network.Network
	options Options
	result  Result
	// run keeps the ids of one run apart from those of another on the same ledger.
	run        string
	connection network.Connection
	ledger     *fabric.Ledger
	// filled are the pages that were received, in no order.
	filled []tape.ID
	// baselinePIDs are the baseline's processes, which the network does not know.
	baselinePIDs []int
	// collected is the campaign into which the statement was imported.
	collected campaign
	last      uint64 // the last block that a command of ours is in
	noted     newest // the same, of commands that go side by side
}

func newLab(n *network.Network, o Options) (*lab, error) {
	draw := make([]byte, 4)
	if _, err := rand.Read(draw); err != nil {
		return nil, err
	}
	l := &lab{network: n, options: o, run: "b" + hex.EncodeToString(draw)}
	var err error
	if l.connection, err = n.Connect(payer); err != nil {
		return nil, err
	}
	l.ledger, err = l.dial(l.connection.Chaincode)
	return l, err
}

func (l *lab) close() { _ = l.ledger.Close() }

// dial opens a chaincode as the payer's gateway does.
func (l *lab) dial(chaincode string) (*fabric.Ledger, error) {
	return l.dialAs(l.connection, chaincode)
}

// dialAs opens a chaincode as an organisation's gateway does.
func (l *lab) dialAs(c network.Connection, chaincode string) (*fabric.Ledger, error) {
	all, err := l.network.Connections()
	if err != nil {
		return nil, err
	}
	connection := fabric.Connection{Organisation: c.Organisation, MSP: c.MSPID, Channel: c.Channel, Chaincode: chaincode,
		Address: c.Peer.Address, HostOverride: c.Peer.HostOverride, Names: map[string]string{}}
	for _, one := range all {
		connection.Names[one.MSPID] = one.Organisation
	}
	for path, into := range map[string]*[]byte{c.Peer.TLSRootCert: &connection.RootCertificate,
		c.Gateway.Certificate: &connection.Certificate, c.Gateway.Key: &connection.Key} {
		if *into, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	return fabric.Dial(connection)
}

func (l *lab) account(name string) tape.AccountID {
	return tape.AccountID("charity:" + l.run + ":" + name)
}

// submit sends an argument once.
func (l *lab) submit(ctx context.Context, ledger *fabric.Ledger, function string, argument []byte) error {
	_, err := ledger.Submit(ctx, function, argument, func(string) error { return nil })
	return err
}

const retryPause = 50 * time.Millisecond

// patience is how long a command is repeated that waits for another one.
const patience = 30 * time.Second

// do carries a command until it is on the ledger: what a lane does for a
// gateway. Endorsers that lag behind say not-found of what was just committed,
// and money that has been sent can be spent once the payee's gateway has settled it.
func (l *lab) do(ctx context.Context, function string, argument []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		receipt, err := l.ledger.Submit(ctx, function, argument, func(string) error { return nil })
		var refusal *rule.Refusal
		if err == nil {
			l.last = max(l.last, receipt.Block)
			return nil
		}
		if errors.As(err, &refusal) && refusal.Code != rule.NotFound && refusal.Code != rule.Insufficient {
			return fmt.Errorf("%s: %w", function, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", function, errors.Join(err, ctx.Err()))
		case <-time.After(retryPause):
		}
	}
}

func (l *lab) command(ctx context.Context, function string, command any) error {
	argument, err := canonical.Encode(command)
	if err != nil {
		return err
	}
	return l.do(ctx, function, argument)
}

func (l *lab) open(ctx context.Context, name string) error {
	return l.command(ctx, "Tape:Open", tape.Open{Account: l.account(name), Attribution: tape.FIFO, Currency: "CNY",
		Custodian: "outside:bank:bench", ID: tape.ID(l.run + "-open-" + name)})
}

// modelPath is the file of the payer's read model.
func (l *lab) modelPath() (string, error) {
	data, err := os.ReadFile(filepath.Join(l.network.Folder(), "organisations", payer, "gateway.json"))
	if err != nil {
		return "", err
	}
	var settings struct {
		Data string `json:"data"`
	}
	err = json.Unmarshal(data, &settings)
	return filepath.Join(settings.Data, "readmodel.db"), err
}

func (l *lab) token() (string, error) {
	data, err := os.ReadFile(l.connection.Token)
	return strings.TrimSpace(string(data)), err
}
