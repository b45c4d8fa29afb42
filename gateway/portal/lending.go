package portal

import (
	"context"
	"net/http"
	"slices"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// group is a guarantee group, before its households and staff.
func (p *portal) group(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	if p.people != nil && !p.session(r).LoggedIn() {
		return nil, loginTo(r, r.URL.Path), nil
	}
	frame, id, mine, err := p.within(r, "group")
	if err != nil {
		return nil, "", err
	}
	g, err := cooperative.GroupOf(ctx, p.Model, frame.Account, id, frame.Day)
	if err != nil {
		return nil, "", err
	}
	page := views.Group{Scheme: frame, Shown: g}
	for _, member := range g.Members {
		page.Own = page.Own || slices.Contains(mine, member.Household)
	}
	if !frame.Staff && !page.Own {
		return nil, "", notShown()
	}
	for _, line := range g.Loans {
		page.Loans = append(page.Loans, loanRow(line))
	}
	entries := []string{g.Group.Entry}
	for _, member := range g.Members {
		if member.Signed != nil {
			entries = append(entries, member.Signed.Entry)
		}
	}
	if err := p.offers(r, &page.Scheme, place{page: acts.GroupPage, known: known{"group": string(id)}}); err != nil {
		return nil, "", err
	}
	page.Proof, err = p.proofFrom(ctx, "lianbao audit", entries...)
	return page, "", err
}

// within is the scheme of a page, what the page is about, and which of the
// scheme's households the reader signs for: who neither does nor is staff sees nothing.
func (p *portal) within(r *http.Request, name string) (frame views.Scheme, id tape.ID, mine []tape.AccountID, err error) {
	if frame, err = p.inScheme(r); err != nil {
		return frame, id, nil, err
	}
	if id, err = idIn(r, name); err != nil {
		return frame, id, nil, err
	}
	if mine, err = p.mineIn(r, frame.Account); err == nil && !frame.Staff && len(mine) == 0 {
		err = notShown()
	}
	return frame, id, mine, err
}

func notShown() error {
	return rule.Refuse(rule.Forbidden, "this is shown to the households whom it concerns, and to the staff of their cooperative, their lenders and the regulator")
}

// loan is one loan, before its household, those who guarantee it, and staff.
func (p *portal) loan(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	if p.people != nil && !p.session(r).LoggedIn() {
		return nil, loginTo(r, r.URL.Path), nil
	}
	frame, id, mine, err := p.within(r, "loan")
	if err != nil {
		return nil, "", err
	}
	// A lender of the scheme that lends nothing of this loan is a stranger to it.
	if frame.Staff, err = p.admitted(r, cooperative.MayReadLoan(ctx, p.Model, p.Organisation, frame.Account, id)); err != nil {
		return nil, "", err
	}
	l, err := cooperative.LoanOf(ctx, p.Model, frame.Account, id, frame.Day)
	if err != nil {
		return nil, "", err
	}
	page := views.Loan{Scheme: frame, Shown: l, Own: slices.Contains(mine, l.Household)}
	guarantees := slices.ContainsFunc(l.Record.Guarantors, func(g loan.Guarantor) bool { return slices.Contains(mine, g.Household) })
	if !frame.Staff && !page.Own && !guarantees {
		return nil, "", notShown()
	}
	if err := p.offers(r, &page.Scheme, place{page: acts.LoanPage, known: known{"loan": string(id)}, orders: openOrders(l)}); err != nil {
		return nil, "", err
	}
	page.Proof, err = p.proofFrom(ctx, "lianbao audit", loanEntries(l)...)
	return page, "", err
}

// openOrders are those of a loan that wait for their delivery.
func openOrders(l cooperative.Loan) []loan.Order {
	return slices.DeleteFunc(slices.Clone(l.Orders), func(o loan.Order) bool { return o.State != loan.Ordered })
}

// loanEntries are those behind a loan: contract, disbursement, the last payments, the last change.
func loanEntries(l cooperative.Loan) []string {
	entries := []string{l.Record.Entry}
	if contract := l.Record.Contract; contract != nil {
		entries = append(entries, contract.Entry)
	}
	for _, tranche := range l.Record.Tranches {
		entries = append(entries, tranche.Entry)
	}
	for _, payment := range slices.Backward(l.Payments) {
		entries = append(entries, payment.Entry)
	}
	return entries
}

// lender is what an organisation has lent, in its own part of each loan.
func (p *portal) lender(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	organisation := r.PathValue("organisation")
	if err := rule.Field("organisation", tape.CheckSegment(organisation)); err != nil {
		return nil, "", err
	}
	page := views.Lender{Organisation: organisation, Day: p.Today()}
	var err error
	if page.Schemes, err = p.lendsIn(ctx, organisation); err != nil {
		return nil, "", err
	}
	if page.Staff, err = p.admitted(r, cooperative.MayReadLender(ctx, p.Model, p.Organisation, organisation)); err != nil {
		return nil, "", err
	}
	wanted := cooperative.Asked{Lender: organisation, Day: page.Day, NextDays: duesDays}
	found, err := cooperative.PortfolioOf(ctx, p.Model, wanted)
	if err != nil {
		return nil, "", err
	}
	rows := ""
	if page.Staff {
		rows = "/lenders/" + organisation + "#late"
	}
	for _, sums := range found.Currencies {
		page.Books = append(page.Books, views.Book{Currency: sums.Currency, Portfolio: portfolio(sums, rows)})
	}
	page.Dues = duesOf(found.Next)
	if page.Late, err = p.late(ctx, page); err != nil {
		return nil, "", err
	}
	page.Pools, err = p.covers(ctx, organisation)
	return page, "", err
}

// lendsIn are the schemes of a lender.
func (p *portal) lendsIn(ctx context.Context, lender string) ([]tape.AccountID, error) {
	all, err := cooperative.Schemes(ctx, p.Model, "")
	if err != nil {
		return nil, err
	}
	var accounts []tape.AccountID
	for _, s := range all {
		if slices.Contains(s.Lenders, lender) {
			accounts = append(accounts, s.Account)
		}
	}
	if len(accounts) == 0 {
		return nil, rule.Refuse(rule.NotFound, "no scheme has this lender")
	}
	return accounts, nil
}

// late are the loans of a lender that are overdue, before its staff.
func (p *portal) late(ctx context.Context, page views.Lender) ([]views.LoanRow, error) {
	if !page.Staff {
		return nil, nil
	}
	arrears, err := cooperative.Arrears(ctx, p.Model, readmodel.LoanFilter{Lender: page.Organisation}, page.Day)
	var rows []views.LoanRow
	for _, line := range arrears {
		rows = append(rows, loanRow(line))
	}
	return rows, err
}

// covers are a lender's contracts with pools.
func (p *portal) covers(ctx context.Context, lender string) ([]views.PoolCover, error) {
	pools, err := cooperative.Pools(ctx, p.Model)
	if err != nil {
		return nil, err
	}
	var covers []views.PoolCover
	for _, one := range pools {
		shown, err := cooperative.PoolOf(ctx, p.Model, one.Account)
		if err != nil {
			return nil, err
		}
		for _, cover := range coversOf(shown) {
			if cover.Lender.Lender == lender {
				covers = append(covers, cover)
			}
		}
	}
	return covers, nil
}

// coversOf are the contracts of a pool, each with its quarters, the last first.
func coversOf(shown cooperative.Pool) []views.PoolCover {
	var covers []views.PoolCover
	for _, covered := range shown.Lenders {
		covered.Quarters = slices.Clone(covered.Quarters)
		slices.Reverse(covered.Quarters)
		covers = append(covers, views.PoolCover{Account: shown.Account, Covered: covered, Currency: shown.Currency})
	}
	return covers
}

// pool is a county's compensation pool; single claims are for staff.
func (p *portal) pool(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	account, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	shown, err := cooperative.PoolOf(ctx, p.Model, account)
	if err != nil {
		return nil, "", err
	}
	page := views.Pool{Shown: shown, Covers: coversOf(shown)}
	of := func(sum views.Sum) views.Sum { sum.BasisPoints = -1; return sum }
	own := "/accounts/" + string(account)
	page.Sums = []views.Sum{of(views.Sum{Key: "balance", Amount: shown.Balance, Rows: own}), of(views.Sum{Key: "promised", Amount: shown.Promised, Rows: "#claims"}), of(views.Sum{Key: "free", Amount: shown.Free, Rows: own}),
		of(views.Sum{Key: "paidby", Amount: shown.Paid, Rows: "/entries?kind=pay-pool-claim&subject=" + string(account)}), of(views.Sum{Key: "recovered", Amount: shown.Recovered, Rows: "/entries?kind=share-recovery&subject=" + string(account)})}
	if page.Sums[0].Proof, err = p.proofOf(ctx, account, asked{kinds: []string{"open-pool", "settle", "pay-pool-claim", "share-recovery"}}); err != nil {
		return nil, "", err
	}
	if page.Staff, err = p.admitted(r, cooperative.MayReadPool(ctx, p.Model, p.Organisation, account)); err != nil || !page.Staff {
		return page, "", err
	}
	claims, err := cooperative.Claims(ctx, p.Model, account, window(r, listRows, false))
	page.Claims, page.Next = claims.Items, claims.Next
	return page, "", err
}

func (p *portal) agents(r *http.Request) (views.Page, string, error) {
	frame, redirect, err := p.forStaff(r)
	if err != nil || redirect != "" {
		return nil, redirect, err
	}
	rows, err := cooperative.Agents(r.Context(), p.Model, frame.Organisation)
	return views.Agents{Scheme: frame, Rows: rows}, "", err
}

// agent is what one agent carried; an agent sees its own.
func (p *portal) agent(r *http.Request) (views.Page, string, error) {
	if p.people != nil && !p.session(r).LoggedIn() {
		return nil, loginTo(r, r.URL.Path), nil
	}
	frame, err := p.inScheme(r)
	if err != nil {
		return nil, "", err
	}
	person, err := idIn(r, "person")
	if err != nil {
		return nil, "", err
	}
	if !frame.Staff && p.session(r).Person() != person {
		return nil, "", notShown()
	}
	shown, err := cooperative.AgentOf(r.Context(), p.Model, person)
	return views.Agent{Scheme: frame, Shown: shown}, "", err
}

// arrears is what is overdue and what falls due next, loan by loan.
func (p *portal) arrears(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	frame, redirect, err := p.forStaff(r)
	if err != nil || redirect != "" {
		return nil, redirect, err
	}
	late, err := cooperative.Arrears(ctx, p.Model, readmodel.LoanFilter{Scheme: frame.Account}, frame.Day)
	if err != nil {
		return nil, "", err
	}
	page := views.Arrears{Scheme: frame}
	for _, line := range late {
		page.Late = append(page.Late, loanRow(line))
	}
	found, err := cooperative.PortfolioOf(ctx, p.Model, cooperative.Asked{Scheme: frame.Account, Day: frame.Day, NextDays: duesDays})
	page.Coming = found.Next
	return page, "", err
}
