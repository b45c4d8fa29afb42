package portal

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

func (p *portal) campaign(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	id, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	f, err := p.flowsOf(ctx, id)
	if err != nil {
		return nil, "", err
	}
	page := views.Campaign{Account: id, Organisation: f.account.Organisation, Custodian: f.account.Custodian, Attribution: f.account.Attribution, Months: f.timeline(),
		Books: p.Exports != nil, Give: p.Gives && f.account.Organisation == p.Organisation && f.account.Unidentified == ""}
	if page.Facts, err = p.facts(ctx, id); err != nil {
		return nil, "", err
	}
	if page.Facts != nil {
		page.Facts = p.counted(*page.Facts)
		page.Acts = p.actsOn(r, page)
		if err := p.living(r, &page); err != nil {
			return nil, "", err
		}
		p.goodsReceipts(r, &page)
	}
	balanced := false
	page.Flow, balanced = f.picture(page.Facts)
	page.Unbalanced = !balanced
	if page.Figures, err = p.figures(ctx, f, page.Facts); err != nil {
		return nil, "", err
	}
	gifts, err := p.Model.Gifts(ctx, readmodel.GiftFilter{Account: id}, readmodel.Window{Limit: campaignRows})
	if err != nil {
		return nil, "", err
	}
	page.Gifts = giftRows(gifts.Items, "")
	holds, err := p.Model.Holds(ctx, readmodel.HoldFilter{Account: id}, readmodel.Window{Newest: true, Limit: campaignRows})
	if err != nil {
		return nil, "", err
	}
	if page.Payouts, err = p.payoutRows(ctx, holds.Items); err != nil {
		return nil, "", err
	}
	page.Feed, _, err = p.feed(ctx, readmodel.EntryFilter{Subject: string(id)}, readmodel.Window{Newest: true, Limit: feedRows})
	return page, "", err
}

// living adds what belongs to a campaign beside its money.
func (p *portal) living(r *http.Request, page *views.Campaign) error {
	campaign, err := p.Model.Campaign(r.Context(), page.Account)
	if rule.Is(err, rule.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if page.Give {
		// A link to a form that takes nothing would send givers round in a circle.
		if page.GiveRefused, err = giving.Refused(r.Context(), p.Model, campaign.Campaign, p.Today()); err != nil {
			return err
		}
		page.Give = page.GiveRefused == ""
	}
	if campaign.Pending != nil {
		page.Compare = waits(campaign.Campaign)
	}
	page.Life, err = p.life(r, page.Account)
	return err
}

// partsPerHundredth are the parts per million of one per cent.
const partsPerHundredth = 10_000

// counted counts the days to each date of the disclosure clock.
func (p *portal) counted(facts views.CampaignFacts) *views.CampaignFacts {
	facts.Clock = slices.Clone(facts.Clock)
	today, err := time.Parse(time.DateOnly, string(p.Today()))
	for i, duty := range facts.Clock {
		if due, fault := time.Parse(time.DateOnly, string(duty.Due)); fault == nil && err == nil {
			facts.Clock[i].Days = int(due.Sub(today).Hours() / 24)
		}
	}
	return &facts
}

// asked is a figure with the kinds of entries that make it.
type asked struct {
	key    string
	amount money.Amount
	rows   string
	kinds  []string
	// always shows it although it is nothing.
	always bool
	// back verifies it by following the account's money back to its gifts.
	back bool
}

// figures are the numbers of a campaign, each with its rows and its proof.
func (p *portal) figures(ctx context.Context, f *flows, facts *views.CampaignFacts) ([]views.Figure, error) {
	a, id := f.account, string(f.account.ID)
	sums := f.sums
	back := sums.Refunded
	if err := add(&back, sums.Reversed); err != nil {
		return nil, err
	}
	open, paid := "/campaigns/"+id+"/payouts?state=open", "/campaigns/"+id+"/payouts?state=captured"
	all := []asked{
		{key: "raised", amount: sums.Raised, rows: "/campaigns/" + id + "/gifts", kinds: []string{"receive"}, always: true},
		{key: "settled", amount: sums.Shown(), rows: "/accounts/" + id + "/settlements", kinds: []string{"settle"}, always: true, back: true},
		{key: "declared", amount: sums.Declared, rows: "/accounts/" + id + "/settlements", kinds: []string{"declare", "settle"}, back: true},
		{key: "granted", amount: sums.Granted, rows: "/accounts/" + id + "/inflows", kinds: []string{"settle"}, back: true},
		{key: "ordered", amount: a.Held, rows: open, kinds: []string{"hold", "order", "open-job", "refund"}, always: true},
		{key: "paid", amount: sums.Paid, rows: paid, kinds: []string{"execute", "capture", "pay", "run-chunk"}, always: true},
	}
	if facts != nil {
		all = append(all, asked{key: "confirmed", amount: facts.Confirmed, rows: paid, kinds: []string{"confirm"}, always: true},
			asked{key: "disputed", amount: facts.Disputed, rows: paid, kinds: []string{"confirm"}})
	}
	all = append(all,
		asked{key: "free", amount: a.Free, rows: "/accounts/" + id, kinds: []string{"settle", "declare"}, back: true},
		asked{key: "pending", amount: a.Pending, rows: "/campaigns/" + id + "/gifts?state=pending", kinds: []string{"receive"}},
		asked{key: "passed", amount: sums.Passed, rows: "/entries?kind=" + passedBy(facts) + "&subject=" + id, kinds: []string{"pay", "carry", "spend"}},
		asked{key: "recovered", amount: sums.Recovered, rows: "/accounts/" + id + "/inflows", kinds: []string{"settle"}},
		asked{key: "remitted", amount: sums.Remitted, rows: "/entries?kind=carry&subject=" + id, kinds: []string{"carry"}},
		asked{key: "returned", amount: sums.Returned, rows: "/entries?kind=return&subject=" + id, kinds: []string{"return"}},
		asked{key: "fee", amount: sums.Fee, rows: "/entries?kind=file-processor&subject=" + id, kinds: []string{"file-processor"}},
		asked{key: "given-back", amount: back, rows: "/entries?kind=refund&subject=" + id, kinds: []string{"refund", "charge-back"}})
	figures, err := p.shown(ctx, a.ID, all)
	if err != nil {
		return nil, err
	}
	for i := range figures {
		if figures[i].Key == "confirmed" && sums.Paid.Units > 0 {
			figures[i].Share = int(fund.PartsPerMillion(figures[i].Amount.Units, sums.Paid.Units) / partsPerHundredth)
		}
	}
	return append(figures, f.unidentified...), nil
}

// passedBy is the kind of entry that passes money on: a campaign's disbursements
// are paid, other accounts spend.
func passedBy(facts *views.CampaignFacts) string {
	if facts != nil {
		return "pay"
	}
	return "spend"
}

func (p *portal) shown(ctx context.Context, account tape.AccountID, all []asked) ([]views.Figure, error) {
	var figures []views.Figure
	for _, one := range all {
		if one.amount.Units == 0 && !one.always {
			continue
		}
		proof, err := p.proofOf(ctx, account, one)
		if err != nil {
			return nil, err
		}
		figures = append(figures, views.Figure{Key: one.key, Amount: one.amount, Share: -1, Rows: one.rows, Proof: proof})
	}
	return figures, nil
}

// proofOf shows the newest entry of each kind that made a number; the number itself leads to all of them.
func (p *portal) proofOf(ctx context.Context, account tape.AccountID, one asked) (*views.Proof, error) {
	proof := &views.Proof{Command: "lianbao audit"}
	if one.back {
		proof.Command = "lianbao trace " + string(account)
	}
	for _, kind := range one.kinds {
		list, err := p.Model.Entries(ctx, readmodel.EntryFilter{Subject: string(account), Kind: kind}, readmodel.Window{Newest: true, Limit: 1})
		if err != nil {
			return nil, err
		}
		for _, entry := range list.Items {
			step, err := p.step(ctx, entry)
			if err != nil {
				return nil, err
			}
			proof.Steps = append(proof.Steps, step)
		}
		if list.Next != "" {
			proof.More = -1
		}
	}
	return proof, nil
}

// step is an entry with those who endorsed it.
func (p *portal) step(ctx context.Context, e readmodel.Entry) (views.ProofStep, error) {
	step := views.ProofStep{Entry: e.Reference(), Kind: e.Kind, At: e.At, Organisation: e.Organisation, Role: e.Role, Block: e.Block,
		Transaction: e.Transaction, Approvals: e.Intents, Evidence: e.Evidence}
	transaction, err := p.transactionOf(ctx, e.Transaction)
	if transaction != nil {
		step.Endorsers = transaction.Endorsers
	}
	return step, err
}

func giftRows(gifts []readmodel.Gift, state string) []views.GiftRow {
	var rows []views.GiftRow
	for _, g := range gifts {
		if state == "" || state == string(g.State) {
			rows = append(rows, views.GiftRow{ID: g.ID, Account: g.Account, Page: g.Page, Amount: g.Amount, State: g.State, At: g.At, Span: g.Span})
		}
	}
	return rows
}

func (p *portal) gifts(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	id, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	page := views.Gifts{Account: id, State: r.FormValue("state")}
	if page.State != "" && !slices.Contains(words.Keys["gift-state."], page.State) {
		return nil, "", rule.Field("state", rule.Refuse(rule.Invalid, "is not a state of a gift"))
	}
	if page.Page, err = optionalID(r, "page"); err != nil {
		return nil, "", err
	}
	if _, err := p.Model.Account(ctx, id); err != nil {
		return nil, "", err
	}
	if page.Title, err = p.title(ctx, id); err != nil {
		return nil, "", err
	}
	// A filter may pass over many gifts; the reader goes on from where it stopped.
	part := window(r, listRows, false)
	for range giftWindows {
		list, err := p.Model.Gifts(ctx, readmodel.GiftFilter{Account: id, Page: page.Page}, part)
		if err != nil {
			return nil, "", err
		}
		page.Rows = append(page.Rows, giftRows(list.Items, page.State)...)
		page.Next, part.After = list.Next, list.Next
		if page.Next == "" || len(page.Rows) >= listRows {
			break
		}
	}
	return page, "", nil
}

// giftWindows is how many parts of a list one page may pass over.
const giftWindows = 40

func (p *portal) payouts(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	id, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	page := views.Payouts{Account: id, State: r.FormValue("state")}
	states := []tape.HoldState{"", tape.HoldOpen, tape.HoldCaptured, tape.HoldReleased, tape.HoldReclaimed}
	if !slices.Contains(states, tape.HoldState(page.State)) {
		return nil, "", rule.Field("state", rule.Refuse(rule.Invalid, "is not a state of a payout"))
	}
	if _, err := p.Model.Account(ctx, id); err != nil {
		return nil, "", err
	}
	if page.Title, err = p.title(ctx, id); err != nil {
		return nil, "", err
	}
	list, err := p.Model.Holds(ctx, readmodel.HoldFilter{Account: id, State: tape.HoldState(page.State)}, window(r, listRows, true))
	if err != nil {
		return nil, "", err
	}
	page.Next = list.Next
	page.Rows, err = p.payoutRows(ctx, list.Items)
	return page, "", err
}

func (p *portal) payoutRows(ctx context.Context, holds []readmodel.Hold) ([]views.PayoutRow, error) {
	var rows []views.PayoutRow
	disbursements := map[string]bool{} // one disbursement orders many payouts
	for _, hold := range holds {
		row, err := p.payoutRow(ctx, hold)
		if err != nil {
			return nil, err
		}
		key := string(hold.Account) + "/" + string(hold.Job)
		if _, asked := disbursements[key]; !asked && hold.Job != "" {
			if disbursements[key], err = p.disburses(ctx, hold); err != nil {
				return nil, err
			}
		}
		row.Enrolled = disbursements[key]
		rows = append(rows, row)
	}
	return rows, nil
}

// disburses reports whether the job that ordered a payout is a disbursement.
func (p *portal) disburses(ctx context.Context, h readmodel.Hold) (bool, error) {
	_, err := p.Model.Disbursement(ctx, h.Account, h.Job)
	if rule.Is(err, rule.NotFound) {
		return false, nil
	}
	return err == nil, err
}

func (p *portal) payoutRow(ctx context.Context, h readmodel.Hold) (views.PayoutRow, error) {
	returned := money.New(h.Returned.Total(), h.Amount.Currency)
	paid := money.New(h.Captured.Total(), h.Amount.Currency)
	if err := add(&paid, negative(returned)); err != nil {
		return views.PayoutRow{}, err
	}
	row := views.PayoutRow{Account: h.Account, Hold: h.ID, To: h.To, Amount: h.Amount, Paid: paid, Returned: returned, State: payoutState(h), Expires: h.Expires, Entry: h.Entry, Job: h.Job}
	if h.State == tape.HoldOpen && h.To.Outside() {
		flag, err := recordOf[fund.Flag](ctx, p.Model, fund.FlagKey(h.Account, h.To))
		if err != nil {
			return row, err
		}
		if flag != nil && len(flag.Raised) > 0 {
			row.Flagged, row.FlaggedSince = flag.Raised[0].Reason, flag.Raised[0].Since
		}
	}
	if h.To.Outside() {
		row.Reference = donation.ReferenceOfPayout(h.Account, h.ID).Grouped()
	}
	var err error
	if p.Campaigns != nil {
		row.Confirmation, err = p.Campaigns.Confirmation(ctx, h.Account, h.ID)
	}
	return row, err
}

func payoutState(h readmodel.Hold) views.PayoutState {
	gone, back := h.Captured.Total(), h.Returned.Total()
	switch {
	case gone > 0 && back == gone:
		return views.PayoutReturned
	case gone == h.Amount.Units:
		return views.PayoutPaid
	case gone > 0:
		return views.PayoutPartPaid
	case h.State == tape.HoldReleased:
		return views.PayoutReleased
	case h.State == tape.HoldReclaimed:
		return views.PayoutTaken
	}
	return views.PayoutOrdered
}

func (p *portal) account(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	id, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	var page views.Account
	if page.Account, err = p.Model.Account(ctx, id); err != nil {
		return nil, "", err
	}
	if page.Title, err = p.title(ctx, id); err != nil {
		return nil, "", err
	}
	a, path := page.Account, "/accounts/"+string(id)
	if page.Figures, err = p.shown(ctx, id, []asked{
		{key: "received", amount: a.Received, rows: path + "/settlements", kinds: []string{"settle", "declare"}, always: true, back: true},
		{key: "free", amount: a.Free, rows: path, kinds: []string{"settle", "declare"}, always: true, back: true},
		{key: "held", amount: a.Held, rows: "/campaigns/" + string(id) + "/payouts?state=open", kinds: []string{"hold", "order", "open-job", "refund"}, always: true},
		{key: "spent", amount: a.Spent, rows: path, kinds: []string{"execute", "capture", "pay", "spend", "run-chunk"}, always: true},
		{key: "pending", amount: a.Pending, rows: "/campaigns/" + string(id) + "/gifts?state=pending", kinds: []string{"receive"}, always: true},
	}); err != nil {
		return nil, "", err
	}
	return p.rows(r, page)
}

// rows are the lists of an account's books.
func (p *portal) rows(r *http.Request, page views.Account) (views.Page, string, error) {
	ctx, id := r.Context(), page.Account.ID
	few := readmodel.Window{Newest: true, Limit: campaignRows}
	settlements, err := p.Model.Settlements(ctx, id, few)
	if err != nil {
		return nil, "", err
	}
	inflows, err := p.Model.Inflows(ctx, readmodel.InflowFilter{Account: id}, few)
	if err != nil {
		return nil, "", err
	}
	jobs, err := p.Model.Jobs(ctx, id, few)
	if err != nil {
		return nil, "", err
	}
	postings, err := p.Model.Postings(ctx, id, window(r, listRows, true))
	page.Settlements, page.Inflows, page.Jobs, page.Postings, page.Next = settlements.Items, inflows.Items, jobs.Items, postings.Items, postings.Next
	return page, "", err
}
