package portal

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
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
	page.Rows, err = p.disbursementRows(ctx, list.Items, campaign.Plan)
	if session := p.session(r); campaign.Organisation == p.Organisation && session.Has(login.Maker) {
		page.Acting = &views.Acting{Person: session.Person(), Token: session.Token()}
	}
	return page, "", err
}

func (p *portal) disbursementRows(ctx context.Context, list []readmodel.Disbursement, plan fund.Plan) ([]views.DisbursementRow, error) {
	zone, err := disclosure.Zone(ctx, p.Model)
	if err != nil {
		return nil, err
	}
	var rows []views.DisbursementRow
	for _, d := range list {
		row, err := disbursementRow(d, plan, zone)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
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
	return rule.Field("state", rule.Refuse(rule.Invalid, "is not one of %s", strings.Join(words.Keys[family], ", ")))
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
	if err != nil {
		return nil, "", err
	}
	cited, err := p.restsOn(ctx, account, id, d.Entry, d.Evidence)
	if page.Evidence, err = p.evidence(r, cited, err); err != nil {
		return nil, "", err
	}
	if page.Stopped, err = p.stopped(ctx, d); err != nil {
		return nil, "", err
	}
	page.Acting = p.mayDecide(r, page)
	return page, "", nil
}

// stopped are the payees of a disbursement whom a flag stops, of those lists
// that can be read: nothing of a list is paid while one stands.
func (p *portal) stopped(ctx context.Context, d readmodel.Disbursement) ([]views.Stopped, error) {
	if d.State != readmodel.Proposed && d.State != readmodel.InPayment || d.Ran == d.Chunks {
		return nil, nil
	}
	flagged, err := p.Model.Payees(ctx, readmodel.PayeeFilter{Account: d.Account, Flagged: true}, readmodel.Window{Limit: windowMax})
	if err != nil || len(flagged.Items) == 0 {
		return nil, err
	}
	found, err := p.laidOpen(ctx, d, int(d.Chunks))
	if err != nil {
		p.Log.Warn("lists cannot be read back", "account", d.Account, "disbursement", d.Disbursement.ID, "error", err)
		return nil, ctx.Err()
	}
	var stopped []views.Stopped
	for _, payee := range flagged.Items {
		for _, one := range found {
			i := slices.IndexFunc(one.command.Lines, func(line tape.Payment) bool { return line.To == payee.Payee.Payee })
			if i < 0 {
				continue
			}
			if paid, err := p.paid(ctx, d, one); err != nil || paid {
				continue // what was ordered at the bank before is not stopped
			}
			stopped = append(stopped, views.Stopped{Payee: payee.Payee.Payee, Amount: one.command.Lines[i].Amount, Reason: payee.Flagged, Since: payee.FlaggedSince})
			break
		}
	}
	return stopped, nil
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
	page := views.Disbursement{Maker: d.Maker, Approvals: d.Approvals, Root: d.Root, Chunks: d.Chunks, Listed: d.Listed, Ran: d.Ran,
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

// laid is a list as it was laid open, and the command that did it.
type laid struct {
	fund.Listed
	command fund.List
}

// lists are the parts of a disbursement that were laid open, a few of them with
// their payments: those who approve read them here. Once they are ordered, the
// payouts say the same.
func (p *portal) lists(ctx context.Context, d readmodel.Disbursement) ([]views.List, error) {
	if d.State != readmodel.Proposed && d.State != readmodel.Rejected {
		return nil, nil
	}
	found, err := p.laidOpen(ctx, d, listsShown)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		p.Log.Warn("lists cannot be read back", "account", d.Account, "disbursement", d.Disbursement.ID, "error", err)
		return nil, nil
	}
	var lists []views.List
	for _, one := range found {
		lists = append(lists, views.List{N: one.N, Count: one.Count, Total: one.Total, Entry: one.Entry, Payments: one.command.Lines})
	}
	return lists, nil
}

// laidOpen reads lists of a disbursement back out of the blocks that hold them,
// most at most, in the order of their numbers: only there the payments stand.
func (p *portal) laidOpen(ctx context.Context, d readmodel.Disbursement, most int) ([]laid, error) {
	if p.Block == nil {
		return nil, rule.Refuse(rule.NotFound, "this gateway has no peer to read blocks from")
	}
	var found []laid
	most = min(most, int(d.Listed))
	window, over := readmodel.Window{Newest: true, Limit: windowMax}, false
	for len(found) < most && !over {
		list, err := p.Model.Entries(ctx, readmodel.EntryFilter{Subject: string(d.Account), Kind: "list"}, window)
		if err != nil {
			return nil, err
		}
		for _, entry := range list.Items {
			if over = entry.Block < d.Block || len(found) >= most; over {
				break // what is older than the proposal cannot be its list
			}
			one, err := p.laidBy(ctx, d, entry)
			if err != nil {
				return nil, err
			}
			if one != nil {
				found = append(found, *one)
			}
		}
		window.After = list.Next
		over = over || list.Next == ""
	}
	slices.SortFunc(found, func(a, b laid) int { return int(a.N - b.N) })
	return found, nil
}

// laidBy is the list that an entry laid open, nil where it is another disbursement's.
func (p *portal) laidBy(ctx context.Context, d readmodel.Disbursement, entry readmodel.Entry) (*laid, error) {
	block, err := p.Block(ctx, entry.Block)
	if err != nil {
		return nil, err
	}
	prefix := strings.TrimSuffix(fund.ListedKey(d.Account, d.Disbursement.ID, 0), "0")
	for _, transaction := range block.Transactions {
		if transaction.ID != entry.Transaction {
			continue
		}
		for _, write := range transaction.Writes {
			if !strings.HasPrefix(write.Key, prefix) {
				continue
			}
			one := new(laid)
			if err := json.Unmarshal(write.Value, &one.Listed); err != nil {
				return nil, err
			}
			return one, canonical.Decode(plain(transaction.Argument), &one.command)
		}
	}
	return nil, nil
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
	known, err := p.enrolled(r)
	if err != nil {
		return nil, "", err
	}
	account, payee := known.Account, known.Payee.Payee
	campaign, err := p.Model.Campaign(ctx, account)
	if err != nil {
		return nil, "", err
	}
	page := views.Payee{Account: account, Payee: payee, Kind: known.Kind, Entry: known.Entry, Keyed: known.Person != "", Agent: known.Agent}
	if now := tape.Instant(p.Now().UnixMilli()); known.Next != nil && now < known.Next.From {
		page.Replaced = known.Next
	}
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
	page.Acts = p.payeeActs(r, campaign, page)
	if page.Personal = p.mayRead(r); page.Personal && err == nil {
		page.Shared, err = p.sharing(ctx, known)
	}
	return page, "", err
}
