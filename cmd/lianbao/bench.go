package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/gateway/bench"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/statement"
	"github.com/lianbao/lianbao/network"
	"github.com/lianbao/lianbao/network/topology"
)

type benchCommand struct {
	Here      bool          `help:"Measure the network in --dir, which must run; it keeps what the load writes. Otherwise a network is made for it, and removed."`
	Topology  string        `help:"Topology of the network that is made: default, small, or a file." placeholder:"FILE"`
	Baseline  time.Duration `help:"How long to create assets, the baseline; 0 leaves it out." default:"10s"`
	Shared    time.Duration `help:"How long to add to a shared total; 0 leaves it out." default:"6s"`
	Pages     time.Duration `help:"How long to send pages of gifts; 0 leaves it out." default:"12s"`
	InFlight  int           `help:"How many assets are created side by side." default:"64"`
	PageFlow  int           `help:"How many pages go side by side." default:"10"`
	PageGifts int           `help:"How many gifts a page holds." default:"2000"`
	Gifts     int           `help:"How many single gifts are sent by HTTP." default:"30"`
	Traces    int           `help:"How many gifts are traced." default:"2000"`
	Chunks    int           `help:"How many chunks of 200 households are paid as one disbursement, 50 at most; 0 leaves it out." default:"50"`
	Sellers   int           `help:"How many households a sale repays the loans of, in groups of five, 10000 at most; each costs nine commands beforehand. 0 leaves it out." default:"400"`
	Visits    int           `help:"How often the page of the campaign with the statement behind it is asked for; 0 leaves it out." default:"200"`
	Statement string        `help:"Statement to import; without it one is invented." type:"existingfile" placeholder:"FILE"`
	Lines     int           `help:"Lines of the invented statement; 0 leaves the import out." default:"200361"`
}

func (c *benchCommand) Run(app *application) error {
	if c.InFlight < 1 || c.PageFlow < 1 || c.PageGifts < 1 || c.PageGifts > tape.PageGiftsMax {
		return &failure{exitUsage, fmt.Sprintf("--in-flight and --page-flow count from 1, --page-gifts from 1 to %d", tape.PageGiftsMax), ""}
	}
	if c.Chunks < 0 || c.Chunks > fund.ChunksMax || c.Visits < 0 {
		return &failure{exitUsage, fmt.Sprintf("--chunks is 0 to %d, --visits not negative", fund.ChunksMax), ""}
	}
	if c.Sellers < 0 || c.Sellers > 10_000 || c.Sellers%5 != 0 {
		return &failure{exitUsage, "--sellers is 0 to 10000, in groups of five", ""}
	}
	n, boot, remove, err := c.network(app)
	defer remove()
	if err != nil {
		return err
	}
	options, clean, err := c.options(app, n)
	defer clean()
	if err != nil {
		return err
	}
	result, err := bench.Run(app.context, n, options)
	result.BootSeconds = boot.Seconds()
	if err == nil {
		app.console.result(result)
	}
	// What was measured before a failure is worth seeing.
	app.console.table(result.Rows())
	app.console.say("")
	app.console.say("  %s", result.Remark())
	return err
}

// network is the one to measure, how long it took to come up, and what ends it.
func (c *benchCommand) network(app *application) (n *network.Network, boot time.Duration, remove func(), err error) {
	if c.Here {
		n, err = network.Open(app.folder)
		return n, 0, func() {}, err
	}
	t, err := topology.Load(c.Topology)
	if err != nil {
		return nil, 0, func() {}, &failure{exitUsage, err.Error(), ""}
	}
	folder, err := os.MkdirTemp("", "lianbao-bench-")
	if err != nil {
		return nil, 0, func() {}, err
	}
	remove = func() {
		if n != nil {
			_ = n.Down(context.WithoutCancel(app.context)) // its processes end with this program anyway
		}
		_ = os.RemoveAll(folder)
	}
	if n, err = network.Create(folder, t); err != nil {
		return nil, 0, remove, err
	}
	boot, err = app.raise(n)
	return n, boot, remove, err
}

// raise brings an empty network up and returns how long it took once the
// programs were there.
func (a *application) raise(n *network.Network) (time.Duration, error) {
	var charter party.Charter
	begun := time.Now()
	options := network.Options{
		Deployed: func(ctx context.Context, all []network.Connection) (err error) {
			charter, err = founding.Found(ctx, n.Folder(), n.Topology(), all)
			return err
		},
		Committed: founding.Joined,
	}
	err := n.Up(a.context, options, func(s network.Step) {
		if s.Name == "tools" && s.Done {
			begun = time.Now()
		}
		a.console.step(s)
	})
	took := time.Since(begun)
	if err != nil {
		return took, err
	}
	return took, a.enrol(n, charter)
}

// options fills in what measuring needs of this program: who signs, and an import.
func (c *benchCommand) options(app *application, n *network.Network) (o bench.Options, clean func(), err error) {
	clean = func() {}
	o = bench.Options{Baseline: c.Baseline, Shared: c.Shared, Pages: c.Pages, InFlight: c.InFlight, PagesInFlight: c.PageFlow,
		PageGifts: c.PageGifts, Gifts: c.Gifts, Traces: c.Traces, Chunks: c.Chunks, ChunkHouseholds: tape.ChunkLinesMax, Visits: c.Visits, Sellers: c.Sellers,
		Report: func(text string) { app.console.say("  · %s", text) }}
	charter, err := founding.Charter(n.Folder())
	if err != nil {
		return o, clean, err
	}
	members := &benchMembers{folder: n.Folder(), ledger: charter.Ledger, keys: map[tape.ID]founding.Signer{}}
	if o.Sign, o.Checker, err = signing(n.Folder(), charter); err != nil {
		return o, clean, err
	}
	o.Zone, o.SignAs, o.Registers = charter.Zone, members.signs, members.registers
	o.Import = func(ctx context.Context, file string, account tape.AccountID, report func(importing.Progress)) (importing.Result, error) {
		return carry(ctx, n, importing.Order{File: file, Account: account, Report: report})
	}
	if c.Statement == "" && c.Lines == 0 {
		return o, clean, nil
	}
	if o.Statement, clean, err = c.file(); err != nil {
		return o, clean, err
	}
	survey, err := statement.Survey(o.Statement, statement.Mapping{})
	if err != nil {
		return o, clean, err
	}
	o.Currency, o.SpendMost = money.Currency(survey.Currency), oneMay(charter, survey.Currency)
	return o, clean, nil
}

// signing lets the invented staff of the charity, and of the regulator where
// there is one, sign.
func signing(folder string, charter party.Charter) (sign func(bench.Signer, string, tape.AccountID, money.Amount, any) ([]byte, error), checker tape.ID, err error) {
	signers := map[bench.Signer][]founding.Signer{}
	makes, checks, err := founding.Staff(folder, "charity")
	if err != nil {
		return nil, "", err
	}
	signers[bench.MakerAndChecker], signers[bench.Maker], signers[bench.Checker] = []founding.Signer{makes, checks}, []founding.Signer{makes}, []founding.Signer{checks}
	if supervisor, _, err := founding.Staff(folder, "regulator"); err == nil {
		signers[bench.Supervisor] = []founding.Signer{supervisor}
	}
	return func(by bench.Signer, action string, account tape.AccountID, amount money.Amount, command any) ([]byte, error) {
		return founding.Envelope(charter.Ledger, command, founding.Decision{Action: action, Subject: string(account), Amount: amount.String(),
			Deadline: tape.Instant(time.Now().Add(time.Hour).Truncate(time.Second).UnixMilli())}, signers[by]...)
	}, checks.Person, nil
}

// benchMembers are the staff of a network, and invented members of a cooperative
// whose keys exist only while it is measured.
type benchMembers struct {
	folder string
	ledger party.LedgerID
	mutex  sync.Mutex
	keys   map[tape.ID]founding.Signer
}

// key is a person's: drawn for a member, read for one of the staff.
func (m *benchMembers) key(person tape.ID) (founding.Signer, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if known, is := m.keys[person]; is {
		return known, nil
	}
	organisation := strings.Split(string(person)+"--", "-")[1]
	signer, err := founding.Held(m.folder, organisation, person)
	if err == nil {
		m.keys[person] = signer
	}
	return signer, err
}

// registers draws the key of a member and makes what the regulator files of it.
func (m *benchMembers) registers(person tape.ID) (party.RegisterCommand, error) {
	key, err := crypto.GenerateKey()
	if err != nil {
		return party.RegisterCommand{}, err
	}
	proof, err := sign.Possession(key, m.ledger, party.Possession{Person: person, Custody: party.Own, Duty: party.DutyMember, Organisation: "coop", Registrar: "regulator"})
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.keys[person] = founding.Signer{Person: person, Organisation: "coop", Key: key}
	return party.RegisterCommand{Address: sign.Address(key), Custody: party.Own, Duty: party.DutyMember, ID: "register-" + person, Organisation: "coop", Person: person, Proof: proof}, err
}

// signs makes the envelope of a command that persons sign.
func (m *benchMembers) signs(persons []tape.ID, action string, subject tape.AccountID, amount string, command any) ([]byte, error) {
	signers := make([]founding.Signer, len(persons))
	for i, person := range persons {
		var err error
		if signers[i], err = m.key(person); err != nil {
			return nil, err
		}
	}
	return founding.Envelope(m.ledger, command, founding.Decision{Action: action, Subject: string(subject), Amount: amount,
		Deadline: tape.Instant(time.Now().Add(time.Hour).Truncate(time.Second).UnixMilli())}, signers...)
}

// oneMay is nine tenths of the amount above which persons of two organisations
// sign, 0 where none was voted.
func oneMay(charter party.Charter, currency money.Currency) int64 {
	for _, threshold := range charter.Policy.Approval.Thresholds {
		if threshold.Amount.Currency == currency && threshold.Organisations == 2 {
			return threshold.Amount.Units / 10 * 9
		}
	}
	return 0
}

// file is the statement to import, invented where none was named.
func (c *benchCommand) file() (path string, clean func(), err error) {
	if c.Statement != "" {
		return c.Statement, func() {}, nil
	}
	folder, err := os.MkdirTemp("", "lianbao-bench-")
	clean = func() { _ = os.RemoveAll(folder) }
	if err != nil {
		return "", clean, err
	}
	path = filepath.Join(folder, "statement.csv")
	out, err := os.Create(path)
	if err != nil {
		return "", clean, err
	}
	return path, clean, errors.Join(statement.Sample(out, c.Lines, uint64(time.Now().UnixNano())), out.Close())
}

// carry imports a statement through the gateways of charity and bank.
func carry(ctx context.Context, n *network.Network, order importing.Order) (importing.Result, error) {
	var err error
	if order.Charity, err = side(n, "charity"); err != nil {
		return importing.Result{}, err
	}
	if order.Bank, err = side(n, "bank"); err != nil {
		return importing.Result{}, err
	}
	return importing.Import(ctx, order)
}
