package portal

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/trail"
)

// listsShown is how many lists of one disbursement a page shows with their payments.
const listsShown = 5

func (p *portal) disbursements(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	account, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	page := views.Disbursements{Account: account, State: r.FormValue("state")}
	if err := stateIn(page.State, "disbursement-state."); err != nil {
		return nil, "", err
	}
	if page.Title, err = p.title(ctx, account); err != nil {
		return nil, "", err
	}
	campaign, err := p.Model.Campaign(ctx, account)
	if rule.Is(err, rule.NotFound) {
		_, err = p.Model.Account(ctx, account) // another account has no disbursements
		return page, "", err
	}
	if err != nil {
		return nil, "", err
	}
	filter := readmodel.DisbursementFilter{Account: account, State: readmodel.DisbursementState(page.State)}
	list, err := p.Model.Disbursements(ctx, filter, window(r, listRows, true))
	if err != nil {
		return nil, "", err
	}
	page.Next = list.Next
	if session := p.session(r); campaign.Organisation == p.Organisation && session.Has(login.Maker) {
		page.Acting = &views.Acting{Person: session.Person(), Token: session.Token()}
	}
	zone, err := disclosure.Zone(ctx, p.Model)
	if err != nil {
		return nil, "", err
	}
	for _, d := range list.Items {
		row, err := disbursementRow(d, campaign.Plan, zone)
		if err != nil {
			return nil, "", err
		}
		page.Rows = append(page.Rows, row)
	}
	return page, "", nil
}

// stateIn refuses a state that a family of words does not know.
func stateIn(state, family string) error {
	if state == "" {
		return nil
	}
	for _, known := range words.Keys[family] {
		if state == known {
			return nil
		}
	}
	return rule.Field("state", rule.Refuse(rule.Invalid, "%.40q is not one of %s", state, strings.Join(words.Keys[family], ", ")))
}

func disbursementRow(d readmodel.Disbursement, plan fund.Plan, zone tape.Zone) (views.DisbursementRow, error) {
	row := views.DisbursementRow{Account: d.Account, ID: d.Disbursement.ID, Line: lineTitle(plan, d.Line), Amount: d.Amount, Count: int(d.Count), State: d.State,
		Approved: len(d.Approvals) > 0}
	var err error
	row.Date, err = zone.Date(d.At)
	return row, err
}

// lineTitle is a budget line's title; of a line that the plan has lost, its name.
func lineTitle(plan fund.Plan, id tape.ID) views.Text {
	if line, known := plan.Line(id); known {
		return trail.Text(line.Title)
	}
	return views.Text{English: string(id), Chinese: string(id)}
}

// disbursement shows one: who decided it, whom it pays, and how far it has come.
func (p *portal) disbursement(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	account, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	id, err := idIn(r, "id")
	if err != nil {
		return nil, "", err
	}
	d, err := p.Model.Disbursement(ctx, account, id)
	if err != nil {
		return nil, "", err
	}
	page, err := p.decided(ctx, d)
	if err != nil {
		return nil, "", err
	}
	if page.Lists, err = p.lists(ctx, d); err != nil {
		return nil, "", err
	}
	page.MoreLists = d.Listed > int32(len(page.Lists))
	list, err := p.Model.Payouts(ctx, readmodel.PayoutFilter{Account: account, Disbursement: id}, window(r, listRows, false))
	if err != nil {
		return nil, "", err
	}
	page.Next = list.Next
	page.Payouts, err = p.payoutRows(ctx, holdsOf(list.Items))
	page.Acting = p.mayDecide(r, page)
	return page, "", err
}

func holdsOf(payouts []readmodel.Payout) []readmodel.Hold {
	holds := make([]readmodel.Hold, len(payouts))
	for i, payout := range payouts {
		holds[i] = payout.Hold
	}
	return holds
}

// decided fills in everything but the payments.
func (p *portal) decided(ctx context.Context, d readmodel.Disbursement) (views.Disbursement, error) {
	page := views.Disbursement{Maker: d.Maker, Approvals: d.Approvals, Evidence: d.Evidence, Root: d.Root, Chunks: d.Chunks, Listed: d.Listed, Ran: d.Ran,
		Expires: d.Expires, Entry: d.Entry}
	campaign, err := p.Model.Campaign(ctx, d.Account)
	if err != nil {
		return page, err
	}
	page.Organisation = campaign.Organisation
	zone, err := disclosure.Zone(ctx, p.Model)
	if err != nil {
		return page, err
	}
	if page.DisbursementRow, err = disbursementRow(d, campaign.Plan, zone); err != nil {
		return page, err
	}
	if page.Title, err = p.title(ctx, d.Account); err != nil {
		return page, err
	}
	page.Rejected, err = recordOf[fund.Rejected](ctx, p.Model, fund.RejectedKey(d.Account, d.Disbursement.ID))
	return page, err
}

// recordOf reads a record of the ledger, nil where there is none.
func recordOf[R any](ctx context.Context, model *readmodel.Model, key string) (*R, error) {
	record, err := model.Record(ctx, key)
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	value := new(R)
	return value, json.Unmarshal(record.Value, value)
}

// lists are the parts of a disbursement that were laid open, the first few with their payments.
func (p *portal) lists(ctx context.Context, d readmodel.Disbursement) ([]views.List, error) {
	var lists []views.List
	for n := range min(d.Chunks, listsShown) {
		listed, err := recordOf[fund.Listed](ctx, p.Model, fund.ListedKey(d.Account, d.Disbursement.ID, n))
		if err != nil {
			return nil, err
		}
		if listed == nil {
			continue
		}
		shown := views.List{N: n, Count: listed.Count, Total: listed.Total, Entry: listed.Entry}
		// Those who approve read the payments here; once ordered, the payouts say the same.
		if d.State == readmodel.Proposed {
			if command, err := p.listCommand(ctx, *listed); err == nil {
				shown.Payments = command.Lines
			} else {
				p.Log.Warn("a list cannot be read back", "entry", listed.Entry, "error", err)
			}
		}
		lists = append(lists, shown)
	}
	return lists, nil
}

// listCommand reads the command that laid a list open out of the block that holds it.
func (p *portal) listCommand(ctx context.Context, listed fund.Listed) (fund.List, error) {
	var command fund.List
	if p.Block == nil {
		return command, rule.Refuse(rule.NotFound, "this gateway has no peer to read blocks from")
	}
	organisation, id, _ := strings.Cut(listed.Entry, "/")
	entry, err := p.Model.Entry(ctx, organisation, tape.ID(id))
	if err != nil {
		return command, err
	}
	block, err := p.Block(ctx, entry.Block)
	if err != nil {
		return command, err
	}
	for _, transaction := range block.Transactions {
		if transaction.ID == entry.Transaction {
			return command, canonical.Decode(plain(transaction.Argument), &command)
		}
	}
	return command, rule.Refuse(rule.NotFound, "block %d does not hold transaction %s", entry.Block, entry.Transaction)
}

// plain is a command without the envelope in which it may have travelled.
func plain(argument []byte) []byte {
	var envelope struct {
		Command json.RawMessage `json:"command"`
	}
	if json.Unmarshal(argument, &envelope) == nil && len(bytes.TrimSpace(envelope.Command)) > 0 {
		return envelope.Command
	}
	return argument
}

// payee shows one receiver of a campaign; who it is stands nowhere on the ledger.
func (p *portal) payee(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	account, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	payee := tape.AccountID(r.PathValue("payee"))
	if err := payee.Check(); err != nil {
		return nil, "", rule.Field("payee", err)
	}
	found, err := p.Model.Payees(ctx, readmodel.PayeeFilter{Account: account, Payee: payee}, readmodel.Window{Limit: 1})
	if err != nil {
		return nil, "", err
	}
	if len(found.Items) == 0 {
		return nil, "", rule.Field("payee", rule.Refuse(rule.NotFound, "%s is not a payee of %s", payee, account))
	}
	known := found.Items[0]
	campaign, err := p.Model.Campaign(ctx, account)
	if err != nil {
		return nil, "", err
	}
	page := views.Payee{Account: account, Payee: payee, Kind: known.Kind, Entry: known.Entry, Keyed: known.Person != "", Agent: known.Agent}
	if page.Title, err = p.title(ctx, account); err != nil {
		return nil, "", err
	}
	if page.Flag, err = recordOf[fund.Flag](ctx, p.Model, fund.FlagKey(account, payee)); err != nil {
		return nil, "", err
	}
	if page.CallBack, err = recordOf[fund.CallBack](ctx, p.Model, fund.CallBackKey(account, payee)); err != nil {
		return nil, "", err
	}
	list, err := p.Model.Payouts(ctx, readmodel.PayoutFilter{Account: account, Payee: payee}, window(r, listRows, true))
	if err != nil {
		return nil, "", err
	}
	page.Next = list.Next
	page.Payouts, err = p.payoutRows(ctx, holdsOf(list.Items))
	page.Acting = p.mayLook(r, campaign, page.Flag)
	return page, "", err
}
