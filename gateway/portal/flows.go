package portal

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/portal/pages"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Limits of what is added up for one page.
const (
	flowsKept     = 64
	windowMax     = 1000
	windowsMax    = 300
	snapshotTries = 3
	payeesShown   = 5
	monthsShown   = 24
	addingWait    = 30 * time.Second
)

// flows is what the movements of an account come to, as of a position of the
// read model. Movements are never changed, so it is right until the next block.
type flows struct {
	position readmodel.Position
	account  readmodel.Account
	// gifts came from outside and were settled; inflows came from each other account and were laid.
	gifts   money.Amount
	inflows map[tape.AccountID]money.Amount
	// out is what each payee has got, less what came back of it, without what givers got back.
	out                             map[tape.AccountID]money.Amount
	paid, passed, returned, reverse money.Amount
	// fees are what payment processors kept; they are a part of out, and not of paid.
	fees    money.Amount
	months  map[string]*views.Month
	refunds map[tape.ID]bool
	// sums are the account's figures, added up as in its sheet and its publications.
	sums disclosure.Sums
	// unidentified are other accounts' bank lines that may belong to this one.
	unidentified []views.Figure
	// cut says that there were more movements than are added up here.
	cut bool
}

// add is the one way in which amounts are added on these pages.
func add(sum *money.Amount, more money.Amount) error {
	total, err := sum.Add(more)
	*sum = total
	return err
}

func addTo(sums map[tape.AccountID]money.Amount, key tape.AccountID, more money.Amount) error {
	sum, known := sums[key]
	if !known {
		sum = money.New(0, more.Currency)
	}
	err := add(&sum, more)
	sums[key] = sum
	return err
}

func negative(a money.Amount) money.Amount { return money.New(-a.Units, a.Currency) }

// flowsOf adds up an account, or takes what was added up at the same position.
// However many ask at once after a block, one of them reads for all.
func (p *portal) flowsOf(ctx context.Context, id tape.AccountID) (*flows, error) {
	shared, err, _ := p.adding.Do(string(id), func() (any, error) {
		// Those who wait for the answer need it also when the first one has left.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), addingWait)
		defer cancel()
		return p.current(ctx, id)
	})
	if err != nil {
		return nil, err
	}
	return shared.(*flows), nil
}

func (p *portal) current(ctx context.Context, id tape.AccountID) (*flows, error) {
	var f *flows
	for range snapshotTries {
		position, err := p.Model.Position(ctx)
		if err != nil {
			return nil, err
		}
		known := p.kept(id)
		if known != nil && known.position == position {
			return known, nil
		}
		if f, err = p.addUp(ctx, id, known); err != nil {
			return nil, err
		}
		// Several reads make one picture only when no block came between them.
		after, err := p.Model.Position(ctx)
		if err != nil {
			return nil, err
		}
		if after == position {
			f.position = position
			p.keep(id, f)
			break
		}
	}
	return f, nil
}

func (p *portal) kept(id tape.AccountID) *flows {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.flows[id]
}

func (p *portal) keep(id tape.AccountID, f *flows) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(p.flows) >= flowsKept {
		clear(p.flows)
	}
	p.flows[id] = f
}

// addUp adds up an account. Postings are never changed, so those that were
// added up before, known, need not be read again after every block.
func (p *portal) addUp(ctx context.Context, id tape.AccountID, known *flows) (*flows, error) {
	account, err := p.Model.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	f, since := known.further(account)
	steps := []error{
		each(f, func(w readmodel.Window) (readmodel.List[readmodel.Entry], error) {
			return p.Model.Entries(ctx, readmodel.EntryFilter{Subject: string(id), Kind: "refund"}, w)
		}, func(e readmodel.Entry) error { f.refunds[e.ID] = true; return nil }),
		each(f, func(w readmodel.Window) (readmodel.List[readmodel.Inflow], error) {
			return p.Model.Inflows(ctx, readmodel.InflowFilter{Account: id}, w)
		}, f.inflow),
		each(f, func(w readmodel.Window) (readmodel.List[readmodel.Account], error) {
			return p.Model.Accounts(ctx, readmodel.AccountFilter{Organisation: account.Organisation, Currency: account.Currency}, w)
		}, f.other),
		each(f, func(w readmodel.Window) (readmodel.List[readmodel.Posting], error) {
			return p.Model.PostingsSince(ctx, id, since, w)
		}, f.posting),
	}
	for _, err := range steps {
		if err != nil {
			return nil, err
		}
	}
	moved, err := p.Model.Flows(ctx, id)
	f.sums = disclosure.Total(moved, account.Currency)
	return f, err
}

// other notes an account that holds unidentified money for this one.
func (f *flows) other(other readmodel.Account) error {
	if other.Unidentified == f.account.ID && other.Free.Units > 0 {
		f.unidentified = append(f.unidentified, views.Figure{Key: "unidentified", Amount: other.Free, Share: -1, Rows: "/accounts/" + string(other.ID)})
	}
	return nil
}

// further is a copy to go on with, because others are reading the first, and
// the block from which postings are still to be added. An inflow is laid some
// time after it came, and other accounts change, so those are added up anew.
func (f *flows) further(account readmodel.Account) (next *flows, since uint64) {
	none := money.New(0, account.Currency)
	if f == nil || f.cut {
		return &flows{account: account, gifts: none, paid: none, passed: none, returned: none, reverse: none, fees: none, inflows: map[tape.AccountID]money.Amount{},
			out: map[tape.AccountID]money.Amount{}, months: map[string]*views.Month{}, refunds: map[tape.ID]bool{}}, 0
	}
	copied := *f
	copied.account, copied.inflows, copied.unidentified = account, map[tape.AccountID]money.Amount{}, nil
	copied.out, copied.refunds, copied.months = maps.Clone(f.out), maps.Clone(f.refunds), make(map[string]*views.Month, len(f.months))
	for name, month := range f.months {
		same := *month
		copied.months[name] = &same
	}
	return &copied, f.position.Next
}

// each goes through a whole list, as far as a page may.
func each[T any](f *flows, list func(readmodel.Window) (readmodel.List[T], error), take func(T) error) error {
	window := readmodel.Window{Limit: windowMax}
	for range windowsMax {
		part, err := list(window)
		if err != nil {
			return err
		}
		for _, item := range part.Items {
			if err := take(item); err != nil {
				return err
			}
		}
		if window.After = part.Next; window.After == "" {
			return nil
		}
	}
	f.cut = true
	return nil
}

func (f *flows) inflow(i readmodel.Inflow) error {
	if i.Span == nil {
		return nil
	}
	return addTo(f.inflows, i.From, i.Amount)
}

func (f *flows) posting(m readmodel.Posting) error {
	switch {
	case m.Memo:
		return nil
	case m.From == f.account.ID:
		return f.went(m)
	case m.Kind == "return" && len(m.Laid) > 0:
		return f.cameBack(m)
	case m.From.Outside() && len(m.Laid) > 0:
		if err := add(&f.month(m.Date).In, m.Amount); err != nil {
			return err
		}
		return add(&f.gifts, m.Amount)
	}
	return nil // money from another account of the ledger is counted where it is laid
}

func (f *flows) went(m readmodel.Posting) error {
	if m.Kind == "charge-back" || (m.Kind == "capture" || m.Kind == "execute") && f.refunds[m.Line] {
		return add(&f.reverse, m.Amount)
	}
	if err := addTo(f.out, m.To, m.Amount); err != nil {
		return err
	}
	if !m.To.Outside() {
		return add(&f.passed, m.Amount)
	}
	if m.Kind == "settle" {
		return add(&f.fees, m.Amount)
	}
	if err := add(&f.month(m.Date).Out, m.Amount); err != nil {
		return err
	}
	return add(&f.paid, m.Amount)
}

// cameBack takes a returned payout off what was paid.
func (f *flows) cameBack(m readmodel.Posting) error {
	if f.refunds[m.Line] {
		return add(&f.reverse, negative(m.Amount))
	}
	for _, sum := range []*money.Amount{&f.paid, &f.month(m.Date).Out} {
		if err := add(sum, negative(m.Amount)); err != nil {
			return err
		}
	}
	if err := addTo(f.out, m.From, negative(m.Amount)); err != nil {
		return err
	}
	return add(&f.returned, m.Amount)
}

func (f *flows) month(date tape.Date) *views.Month {
	name, _, _ := cutLast(string(date), "-")
	m := f.months[name]
	if m == nil {
		none := money.New(0, f.account.Currency)
		m = &views.Month{Month: name, In: none, Out: none}
		f.months[name] = m
	}
	return m
}

func cutLast(text, by string) (before, after string, found bool) {
	if i := strings.LastIndex(text, by); i >= 0 {
		return text[:i], text[i+len(by):], true
	}
	return text, "", false
}

// timeline is the last months, oldest first.
func (f *flows) timeline() []views.Month {
	var months []views.Month
	for _, name := range slices.Sorted(maps.Keys(f.months)) {
		months = append(months, *f.months[name])
	}
	return months[max(0, len(months)-monthsShown):]
}

// drawer puts a picture together.
type drawer struct {
	flow views.Flow
	path string
}

// node adds a node with its link, unless there is nothing in it.
func (d *drawer) node(node views.FlowNode, from, to string) {
	if node.Amount.Units == 0 {
		return
	}
	d.flow.Nodes = append(d.flow.Nodes, node)
	if from == "" {
		from = node.ID
	} else {
		to = node.ID
	}
	d.flow.Links = append(d.flow.Links, views.FlowLink{From: from, To: to, Amount: node.Amount})
}

// middle is the id of the campaign's own node.
const middle = "campaign"

// picture draws where the money of an account came from and went; the campaign
// is one bar, all the rest of the account stands left or right of it. It
// returns nil where there is nothing to draw, and false where the rows do not add up.
func (f *flows) picture(facts *views.CampaignFacts) (*views.Flow, bool) {
	if f.account.Received.Units == 0 || f.cut {
		return nil, true
	}
	d := &drawer{path: "/campaigns/" + string(f.account.ID)}
	d.node(views.FlowNode{ID: "gifts", Key: "gifts", Amount: f.gifts, Rows: d.path + "/gifts?state=settled"}, "", middle)
	d.sources(f)
	whole := views.FlowNode{ID: middle, Column: 1, Key: "campaign", Account: f.account.ID, Amount: f.account.Received, Rows: "/accounts/" + string(f.account.ID) + "/settlements"}
	if facts != nil {
		whole.Title = &facts.Title
	}
	d.flow.Nodes = append(d.flow.Nodes, whole)
	if !d.lines(f, facts) {
		d.payees(f.out)
		d.node(views.FlowNode{ID: "ordered", Column: 2, Key: "ordered", Amount: f.account.Held, Rows: d.path + "/payouts?state=open", Tone: "waits"}, middle, "")
	}
	d.node(views.FlowNode{ID: "free", Column: 2, Key: "free", Amount: f.account.Free, Rows: "/accounts/" + string(f.account.ID), Tone: "waits"}, middle, "")
	d.node(views.FlowNode{ID: "given-back", Column: 2, Key: "given-back", Amount: f.reverse, Rows: "/entries?kind=refund&subject=" + string(f.account.ID), Tone: "failed"}, middle, "")
	if pages.Drawable(d.flow) != nil {
		return nil, false
	}
	return &d.flow, true
}

func (d *drawer) sources(f *flows) {
	for i, source := range largest(f.inflows) {
		node := views.FlowNode{ID: "from " + string(source.account), Account: source.account, Amount: source.amount, Rows: "/accounts/" + string(f.account.ID) + "/inflows"}
		switch {
		case source.count > 0:
			node.ID, node.Account, node.Key, node.Count = "from more", "", "more-accounts", source.count
		case source.account.Outside():
			node.ID, node.Account, node.Key = "came back "+string(rune('a'+i)), "", "came-back"
		}
		d.node(node, "", middle)
	}
}

// lines draws the budget; false where there is none, or it does not fit what the account has paid.
func (d *drawer) lines(f *flows, facts *views.CampaignFacts) bool {
	if facts == nil || len(facts.Budget) == 0 {
		return false
	}
	rest, passed, held, budget := f.paid, f.passed, f.account.Held, went(facts.Budget)
	if budget == nil {
		return false
	}
	for _, line := range budget {
		paid := line.Paid
		if add(&paid, negative(line.Passed)) != nil || add(&rest, negative(paid)) != nil || add(&passed, negative(line.Passed)) != nil || add(&held, negative(line.Ordered)) != nil {
			return false
		}
	}
	if rest.Units < 0 || passed.Units < 0 || held.Units < 0 {
		return false
	}
	ordered := f.account.Held
	for _, line := range budget {
		d.line(line)
	}
	d.node(views.FlowNode{ID: "rest", Column: 2, Key: "paid", Amount: rest, Rows: d.path + "/payouts?state=captured", Tone: "done"}, middle, "")
	d.node(views.FlowNode{ID: "fees", Column: 2, Key: "fees", Amount: f.fees, Rows: "/accounts/" + string(f.account.ID), Tone: "done"}, middle, "")
	d.passedOn(f, budget, passed)
	if held.Units > 0 {
		d.flow.Links = append(d.flow.Links, views.FlowLink{From: middle, To: "ordered", Amount: held})
	}
	if ordered.Units > 0 {
		d.flow.Nodes = append(d.flow.Nodes, views.FlowNode{ID: "ordered", Column: 3, Key: "ordered", Amount: ordered, Rows: d.path + "/payouts?state=open", Tone: "waits"})
	}
	return true
}

// went are the budget lines with what they ever passed on: the picture shows
// every movement, so what came home has gone out before. It is nil where that is too much.
func went(budget []views.Budget) []views.Budget {
	budget = slices.Clone(budget)
	for i := range budget {
		line := &budget[i]
		if add(&line.Paid, line.Recovered) != nil || add(&line.Passed, line.Recovered) != nil {
			return nil
		}
	}
	return budget
}

// passedOn draws what went to other accounts: from the lines that it was
// ordered on, and what no line was concerned with, rest. Where that is all, each account by name.
func (d *drawer) passedOn(f *flows, budget []views.Budget, rest money.Amount) {
	all := money.New(0, f.account.Currency)
	for _, line := range budget {
		if line.Passed.Units > 0 && add(&all, line.Passed) == nil {
			d.flow.Links = append(d.flow.Links, views.FlowLink{From: "line " + line.ID, To: "passed", Amount: line.Passed})
		}
	}
	if all.Units == 0 {
		d.payees(onLedger(f.out))
		return
	}
	rows := "/entries?kind=pay&subject=" + string(f.account.ID)
	d.flow.Nodes = append(d.flow.Nodes, views.FlowNode{ID: "passed", Column: 3, Key: "passed", Amount: all, Rows: rows, Tone: "done"})
	d.node(views.FlowNode{ID: "passed rest", Column: 2, Key: "passed", Amount: rest, Rows: rows, Tone: "done"}, middle, "")
}

func (d *drawer) line(line views.Budget) {
	whole, bank := line.Paid, line.Paid
	if add(&whole, line.Ordered) != nil || add(&bank, negative(line.Passed)) != nil || whole.Units == 0 {
		return
	}
	id := "line " + line.ID
	d.node(views.FlowNode{ID: id, Column: 2, Title: &line.Title, Amount: whole, Rows: d.path + "/payouts"}, middle, "")
	d.node(views.FlowNode{ID: "paid " + line.ID, Column: 3, Key: "households", Count: line.Payees, Amount: bank, Rows: d.path + "/payouts?state=captured", Tone: "done"}, id, "")
	if line.Ordered.Units > 0 {
		d.flow.Links = append(d.flow.Links, views.FlowLink{From: id, To: "ordered", Amount: line.Ordered})
	}
}

// payees draws those who got most by name, and the others together.
func (d *drawer) payees(out map[tape.AccountID]money.Amount) {
	for _, payee := range largest(out) {
		node := views.FlowNode{ID: "to " + string(payee.account), Column: 2, Account: payee.account, Amount: payee.amount, Rows: d.path + "/payouts?state=captured", Tone: "done"}
		switch {
		case payee.count > 0:
			node.ID, node.Account, node.Key, node.Count = "to more", "", "more-payees", payee.count
		case !payee.account.Outside():
			node.Rows = "/campaigns/" + string(payee.account)
		}
		d.node(node, middle, "")
	}
}

func onLedger(out map[tape.AccountID]money.Amount) map[tape.AccountID]money.Amount {
	kept := maps.Clone(out)
	maps.DeleteFunc(kept, func(account tape.AccountID, _ money.Amount) bool { return account.Outside() })
	return kept
}

// ranked is an account with its sum; count is how many the last one stands for.
type ranked struct {
	account tape.AccountID
	amount  money.Amount
	count   int
}

// largest is the accounts with the largest sums, and one row for all others.
func largest(sums map[tape.AccountID]money.Amount) []ranked {
	var all []ranked
	for _, account := range slices.Sorted(maps.Keys(sums)) {
		if sums[account].Units != 0 {
			all = append(all, ranked{account: account, amount: sums[account]})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(b.amount.Units, a.amount.Units) })
	if len(all) <= payeesShown+1 {
		return all
	}
	rest := ranked{amount: money.New(0, all[0].amount.Currency)}
	for _, one := range all[payeesShown:] {
		if add(&rest.amount, one.amount) != nil {
			return all // the sum of all is the account's own, which fits
		}
		rest.count++
	}
	return append(all[:payeesShown], rest)
}
