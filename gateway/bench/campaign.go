package bench

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
)

// Signer says who signs a command.
type Signer int

// Two persons of the charity decide together, each also decides some things
// alone; the supervisor accepts filings for the regulator.
const (
	MakerAndChecker Signer = iota
	Maker
	Checker
	Supervisor
)

// supervisor is the organisation that accepts filings.
const supervisor = "regulator"

// budgetLine is the one line of an invented plan.
const budgetLine = tape.ID("aid")

// regulated reports whether campaigns can be opened: whether there is somebody
// who accepts their filings.
func (l *lab) regulated() bool {
	connection, err := l.network.Connect(supervisor)
	return err == nil && connection.URL != "" && l.connection.URL != ""
}

// gatewayOf is an organisation's gateway as its programs speak to it.
func (l *lab) gatewayOf(organisation string) (*client.Client, error) {
	connection, err := l.network.Connect(organisation)
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(connection.Token)
	if err != nil {
		return nil, err
	}
	// Enough connections for all chunks side by side; the default keeps two.
	transport := &http.Transport{MaxIdleConnsPerHost: fund.ChunksMax + 8, IdleConnTimeout: time.Minute}
	return &client.Client{URL: connection.URL, Token: strings.TrimSpace(string(token)), HTTP: &http.Client{Transport: transport}}, nil
}

// send carries a command through a gateway and returns its block.
func send(ctx context.Context, gateway *client.Client, function string, argument []byte) (uint64, error) {
	accepted, err := gateway.Submit(ctx, function, argument)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", function, err)
	}
	return strconv.ParseUint(accepted.Position, 10, 64)
}

func record(ctx context.Context, gateway *client.Client, function string, command any) (uint64, error) {
	argument, err := canonical.Encode(command)
	if err != nil {
		return 0, err
	}
	return send(ctx, gateway, function, argument)
}

func (l *lab) signed(ctx context.Context, gateway *client.Client, function, action string, by Signer, account tape.AccountID, amount money.Amount, command any) (uint64, error) {
	if l.options.Sign == nil {
		return 0, errNoSigner
	}
	argument, err := l.options.Sign(by, action, account, amount, command)
	if err != nil {
		return 0, err
	}
	return send(ctx, gateway, function, argument)
}

// campaign is one that a measurement opened, with its gateway.
type campaign struct {
	*lab
	name     string
	gateway  *client.Client
	account  tape.AccountID
	currency money.Currency
}

func (c campaign) units(units int64) money.Amount { return money.New(units, c.currency) }

// opens opens a campaign and has the regulator accept its plan.
func (l *lab) opens(ctx context.Context, name string, currency money.Currency, goal int64) (campaign, error) {
	c := campaign{lab: l, name: l.run + "." + name, account: l.account(name), currency: currency}
	var err error
	if c.gateway, err = l.gatewayOf(payer); err != nil {
		return c, err
	}
	regulator, err := l.gatewayOf(supervisor)
	if err != nil {
		return c, err
	}
	today := tape.Date(time.Now().UTC().Format(time.DateOnly))
	text := func(en, zh string) fund.Text { return fund.Text{En: en, Zh: zh} }
	plan := fund.Plan{Area: "CN", From: today.AddMonths(-1), To: today.AddMonths(6), Goal: c.units(goal), Leftover: l.account("leftover"),
		Regulator: supervisor, Sector: "72010", Title: text("A measurement (invented)", "性能测量（虚构）"),
		Purpose: text("Nobody gives and nobody is paid: a measurement.", "仅用于性能测量。"), Beneficiaries: text("Invented households", "虚构家庭"),
		Lines: []fund.BudgetLine{{Amount: c.units(goal), ID: budgetLine, Kind: fund.Programme, Title: text("Aid", "救助款")}}}
	open := fund.OpenCampaign{Account: c.account, Basis: fund.Filing, Custodian: tape.AccountID("outside:bank:" + l.run + "-" + name), ID: tape.ID(c.name), Plan: plan}
	block, err := l.signed(ctx, c.gateway, "Fund:OpenCampaign", "open-campaign", MakerAndChecker, c.account, c.units(0), open)
	if err != nil {
		return c, err
	}
	if err := sees(ctx, regulator, block); err != nil {
		return c, err
	}
	accept := fund.AcceptFiling{Account: c.account, ID: open.ID + ".filing", Number: "invented-" + string(open.ID), Plan: payer + "/" + string(open.ID)}
	if block, err = l.signed(ctx, regulator, "Fund:AcceptFiling", "accept-filing", Supervisor, c.account, c.units(0), accept); err != nil {
		return c, err
	}
	return c, sees(ctx, c.gateway, block)
}

// sees waits until a gateway's own peer holds a block.
func sees(ctx context.Context, gateway *client.Client, block uint64) error {
	var page struct {
		Items []any `json:"items"`
	}
	return gateway.Get(ctx, "/api/v1/blocks?limit=1", strconv.FormatUint(block, 10), &page)
}

// household is the name of an invented payee.
func (c campaign) household(i int) tape.AccountID {
	return tape.AccountID("outside:household:" + tape.PseudonymFrom(fmt.Sprintf("%s-%05d", c.run, i)))
}

// enrols puts households on the campaign's list, 200 in a command.
func (c campaign) enrols(ctx context.Context, from, to int) error {
	work, working := errgroup.WithContext(ctx)
	var last newest
	for first := from; first < to; first += fund.PayeesMax {
		command := fund.Enrol{Account: c.account, ID: tape.ID(fmt.Sprintf("%s.enrol.%d", c.name, first))}
		for i := first; i < min(first+fund.PayeesMax, to); i++ {
			command.Payees = append(command.Payees, fund.NewPayee{Kind: fund.Household, Payee: c.household(i)})
		}
		work.Go(func() error {
			block, err := c.signed(working, c.gateway, "Fund:Enrol", "enrol", Maker, c.account, c.units(0), command)
			last.note(block)
			return err
		})
	}
	err := work.Wait()
	c.last = max(c.last, last.block)
	return err
}

// newest keeps the highest block that several commands came into.
type newest struct {
	mutex sync.Mutex
	block uint64
}

func (n *newest) note(block uint64) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.block = max(n.block, block)
}

// disbursement is one that waits for its order.
type disbursement struct {
	campaign
	id     tape.ID
	chunks []tape.RunChunk
	steps  Steps
}

// Steps are how long each act of a disbursement took, one after the other.
type Steps struct {
	ProposedSeconds float64 `json:"proposedSeconds"`
	ListedSeconds   float64 `json:"listedSeconds"`
	ApprovedSeconds float64 `json:"approvedSeconds"`
	// Ordered is the command that takes the money off the campaign, Paid are the
	// chunks that order each payout at the bank, Closed ends the job.
	OrderedSeconds float64 `json:"orderedSeconds"`
	PaidSeconds    float64 `json:"paidSeconds"`
	ClosedSeconds  float64 `json:"closedSeconds"`
}

// proposes brings a disbursement to chunks of households up to its approval.
func (c campaign) proposes(ctx context.Context, id tape.ID, chunks, size int, each int64) (disbursement, error) {
	d := disbursement{campaign: c, id: id}
	step := stopwatch()
	payments := make([][]tape.Payment, chunks)
	for i := range chunks * size {
		payments[i/size] = append(payments[i/size], tape.Payment{Amount: c.units(each), Line: tape.ID(fmt.Sprintf("h%05d", i)), To: c.household(i)})
	}
	expires := tape.Instant(time.Now().Add(30 * 24 * time.Hour).UnixMilli())
	job, runs, err := tape.NewJob(c.account, id, expires, payments)
	if err != nil {
		return d, err
	}
	d.chunks = runs
	propose := fund.Propose{Account: c.account, Amount: job.Amount, Chunks: int32(chunks), Count: int32(chunks * size), Expires: expires, ID: id, Line: budgetLine, Root: job.Root}
	if _, err := c.signed(ctx, c.gateway, "Fund:Propose", "propose", Maker, c.account, job.Amount, propose); err != nil {
		return d, err
	}
	d.steps.ProposedSeconds = step()
	work, working := errgroup.WithContext(ctx)
	for n, run := range runs {
		work.Go(func() error {
			_, err := record(working, c.gateway, "Fund:List", fund.List{Account: c.account, Disbursement: id, ID: tape.ID(fmt.Sprintf("%s.list.%d", id, n)), Lines: run.Lines, N: run.N, Path: run.Path})
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return d, err
	}
	d.steps.ListedSeconds = step()
	_, err = c.signed(ctx, c.gateway, "Fund:Approve", "approve", Checker, c.account, job.Amount, fund.Approve{Account: c.account, Disbursement: id, ID: id + ".approve"})
	d.steps.ApprovedSeconds = step()
	return d, err
}

// stopwatch tells how long it is since it was asked before, in seconds.
func stopwatch() func() float64 {
	last := time.Now()
	return func() float64 {
		passed := time.Since(last)
		last = last.Add(passed)
		return passed.Seconds()
	}
}

// pays orders a disbursement, pays its chunks side by side and closes it. It
// returns how long that took, and how long each chunk did.
func (d *disbursement) pays(ctx context.Context) (took time.Duration, each []time.Duration, err error) {
	begun, step := time.Now(), stopwatch()
	order := fund.Order{Account: d.account, Approvers: []tape.ID{d.options.Checker}, Disbursement: d.id, ID: d.id + ".order"}
	if _, err := record(ctx, d.gateway, "Fund:Order", order); err != nil {
		return 0, nil, err
	}
	d.steps.OrderedSeconds = step()
	each = make([]time.Duration, len(d.chunks))
	work, working := errgroup.WithContext(ctx)
	for n, run := range d.chunks {
		work.Go(func() error {
			begun := time.Now()
			_, err := record(working, d.gateway, "Fund:Pay", fund.Pay{Account: d.account, Disbursement: d.id, ID: tape.ID(fmt.Sprintf("%s.pay.%d", d.id, n)), Lines: run.Lines, N: run.N, Path: run.Path})
			each[n] = time.Since(begun)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return 0, nil, err
	}
	d.steps.PaidSeconds = step()
	block, err := record(ctx, d.gateway, "Fund:CloseDisbursement", fund.CloseDisbursement{Account: d.account, Disbursement: d.id, ID: d.id + ".close"})
	d.steps.ClosedSeconds = step()
	d.last = max(d.last, block)
	return time.Since(begun), each, err
}
