package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// signsFor are the households for which who is logged in signs now, in all schemes.
func (p *portal) signsFor(r *http.Request) ([]readmodel.Member, error) {
	person := p.session(r).Person()
	if person == "" {
		return nil, nil
	}
	all, err := cooperative.HouseholdsOf(r.Context(), p.Model, person)
	now := tape.Instant(p.Now().UnixMilli())
	return slices.DeleteFunc(all, func(m readmodel.Member) bool { return m.PersonOn(now) != person }), err
}

// mineIn are those of signsFor in one scheme.
func (p *portal) mineIn(r *http.Request, scheme tape.AccountID) ([]tape.AccountID, error) {
	members, err := p.signsFor(r)
	var mine []tape.AccountID
	for _, member := range members {
		if member.Scheme == scheme {
			mine = append(mine, member.Household)
		}
	}
	return mine, err
}

// forHousehold is inScheme of a page about one household: own says that who
// reads it signs for it. Whoever is neither that nor staff is refused before
// anything is looked up.
func (p *portal) forHousehold(r *http.Request) (scheme views.Scheme, household tape.AccountID, own bool, redirect string, err error) {
	if p.people != nil && !p.session(r).LoggedIn() {
		return scheme, "", false, loginTo(r, r.URL.Path), nil
	}
	household = tape.AccountID(r.PathValue("household"))
	if err = rule.Field("household", household.Check()); err != nil {
		return scheme, "", false, "", err
	}
	if scheme, err = p.inScheme(r); err != nil {
		return scheme, "", false, "", err
	}
	mine, err := p.mineIn(r, scheme.Account)
	own = slices.Contains(mine, household)
	if err == nil && !own && !scheme.Staff {
		err = rule.Refuse(rule.Forbidden, "a household is shown to itself, and to the staff of its cooperative, its lenders and the regulator")
	}
	return scheme, household, own, "", err
}

func (p *portal) household(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	frame, id, own, redirect, err := p.forHousehold(r)
	if err != nil || redirect != "" {
		return nil, redirect, err
	}
	s, err := cooperative.HouseholdOf(ctx, p.Model, frame.Account, id, frame.Day)
	if err != nil {
		return nil, "", err
	}
	page := views.Household{Scheme: frame, Household: id, Own: own, Person: s.Member.PersonOn(tape.Instant(p.Now().UnixMilli())), State: string(s.Member.State), Agent: s.Member.Agent}
	page.Loans, page.Left, page.Overdue, page.OverdueDays, page.Next = owed(s.Loans)
	for _, g := range s.Guarantees {
		page.Guarantees = append(page.Guarantees, views.Guarantee{LoanRow: loanRow(g.Line), Parts: int(g.PartsPerMillion)})
	}
	for _, concern := range s.Calls {
		page.Asked, page.Owes = concerns(page.Asked, page.Owes, concern, id)
	}
	if page.Group, err = p.groupOf(ctx, s.Standing, frame); err != nil {
		return nil, "", err
	}
	if page.Share, err = p.lastShare(ctx, s.Shares); err != nil {
		return nil, "", err
	}
	for _, one := range s.Scores {
		score, err := scoreOf(one)
		if err != nil {
			return nil, "", err
		}
		page.Scores = append(page.Scores, score)
	}
	return page, "", p.offersOf(r, &page.Scheme, id, own)
}

// offersOf are what can be begun about a household, and what waits for its own word.
func (p *portal) offersOf(r *http.Request, frame *views.Scheme, household tape.AccountID, own bool) error {
	places := []place{{page: acts.HouseholdPage, known: known{"household": string(household)}}}
	if own {
		waits, err := p.awaits(r.Context(), frame.Account, household)
		if err != nil {
			return err
		}
		for _, at := range waits {
			at.known = at.known.with("household", string(household))
			places = append(places, at)
		}
	}
	return p.offers(r, frame, places...)
}

// owed are a household's loans, and what they come to.
func owed(lines []cooperative.Line) (rows []views.LoanRow, left, overdue money.Amount, days int, next *views.LoanRow) {
	for _, line := range lines {
		row := loanRow(line)
		rows = append(rows, row)
		if left.Currency == "" {
			left, overdue = money.New(0, line.Principal.Currency), money.New(0, line.Principal.Currency)
		}
		left.Units += row.Left.Units
		overdue.Units += row.Overdue.Units
		days = max(days, row.DaysPastDue)
	}
	for i := range rows {
		if rows[i].NextDue != "" && (next == nil || rows[i].NextDue < next.NextDue) {
			next = &rows[i]
		}
	}
	return rows, left, overdue, days, next
}

func loanRow(line cooperative.Line) views.LoanRow {
	zero := money.New(0, line.Principal.Currency)
	row := views.LoanRow{Scheme: line.Scheme, ID: line.Loan, Household: line.Household, Stage: line.Stage, Class: line.Class, Purpose: line.Purpose, Principal: line.Principal, Left: line.Outstanding,
		Overdue: zero, DaysPastDue: int(line.DaysPastDue), Next: zero}
	if line.DaysPastDue > 0 {
		row.Overdue = line.Due
	}
	if line.Next != nil {
		row.NextDue, row.Next = line.Next.Date, line.Next.Amount
	}
	return row
}

// concerns adds what a call means for a household: what it is asked for others,
// or what it owes those who paid for it.
func concerns(asked, owes []views.Asked, c cooperative.Concern, household tape.AccountID) ([]views.Asked, []views.Asked) {
	zero := money.New(0, c.Call.Amount.Currency)
	one := views.Asked{Scheme: c.Call.Scheme, Loan: c.Call.Loan, Call: c.Call.ID, Date: c.Call.Date, Amount: c.Owes, Paid: zero, Back: zero, State: "closed"}
	if c.Role == "debtor" {
		one.Amount = c.Call.BorneAmount
		for _, g := range c.Call.Guarantors {
			one.Back.Units += g.Returned
		}
		return asked, append(owes, one)
	}
	for i, clock := range c.Call.Clocks {
		if clock.Household != household {
			continue
		}
		g := c.Call.Guarantors[i]
		one.Until, one.Paid.Units, one.Back.Units = clock.Until, g.Paid+g.Given, g.Got+g.Returned
		one.State = stateOf(clock, one.Amount)
	}
	for _, other := range c.OwesOthers {
		owes = append(owes, views.Asked{Scheme: c.Call.Scheme, Loan: c.Call.Loan, Call: c.Call.ID, Date: c.Call.Date, Amount: other.Amount, Paid: zero, Back: zero, State: "asked"})
	}
	return append(asked, one), owes
}

// stateOf is how a guarantor stands to a call of which it is asked an amount.
func stateOf(clock cooperative.Clock, asked money.Amount) string {
	switch {
	case clock.Released:
		return "released"
	case clock.Unable:
		return "unable"
	case clock.Late:
		return "late"
	case asked.Units > 0:
		return "asked"
	case clock.Borne.Units > 0:
		return "met"
	}
	return "closed"
}

// groupOf is the group in which a household guarantees, where it is one of this scheme.
func (p *portal) groupOf(ctx context.Context, standing group.Standing, frame views.Scheme) (*views.GroupRow, error) {
	if standing.Group == nil || standing.Group.Scheme != frame.Account {
		return nil, nil
	}
	g, err := cooperative.GroupOf(ctx, p.Model, frame.Account, standing.Group.Group, frame.Day)
	row := groupRow(g)
	return &row, err
}

// lastShare is what became of a household's share of the last sale; nil where it had none.
func (p *portal) lastShare(ctx context.Context, shares []cooperative.Share) (*views.HouseholdShare, error) {
	if len(shares) == 0 {
		return nil, nil
	}
	last := shares[len(shares)-1]
	for _, share := range shares { // a share that waits has no day, and is the newest
		if share.Entry == "" {
			last = share
		}
	}
	page := &views.HouseholdShare{Sale: last.Sale, Date: last.Day, Share: last.Amount, Rest: last.Rest, State: "waits", Entry: last.Entry}
	for _, line := range last.Lines {
		page.Lines = append(page.Lines, views.ShareLine{Rank: line.Kind, Amount: line.Amount, Loan: line.Loan})
	}
	if last.Entry == "" || last.Rest.Units == 0 {
		if last.Entry != "" {
			page.State = "nothing"
		}
		return page, nil
	}
	return page, p.payoutOfShare(ctx, last, page)
}

// payoutOfShare finds the payout of the rest, and how far it has come.
func (p *portal) payoutOfShare(ctx context.Context, share cooperative.Share, page *views.HouseholdShare) error {
	of, err := readmodel.RecordOf[settlement.Settlement](ctx, p.Model, settlement.Key(share.Scheme, share.Sale))
	if err != nil {
		return err
	}
	holds, err := p.Model.Holds(ctx, readmodel.HoldFilter{Account: share.Scheme, Job: of.Job, Payee: settlement.Outside(share.Household)}, readmodel.Window{Limit: listRows})
	if err != nil {
		return err
	}
	rows, err := p.payoutRows(ctx, holds.Items)
	for _, row := range rows {
		if row.Amount == share.Rest {
			page.State, page.Hold = string(row.State), row.Hold
			break
		}
	}
	return err
}

// scoreOf is a score with its lines, each with what it rests on.
func scoreOf(s cooperative.Score) (views.Score, error) {
	page := views.Score{Lender: s.Lender, Points: int(s.Score.Points), Date: s.Date, Model: s.Standing.Score.Model, Limit: s.Limit.Amount, Entry: s.Entry}
	if s.Without != nil {
		points := int(s.Without.Points)
		page.Without = &points
	}
	model, err := credit.ModelOf(page.Model)
	if err != nil {
		return page, err
	}
	units := map[string]string{}
	for _, factor := range model.Factors {
		for _, indicator := range factor.Indicators {
			units[indicator.Indicator] = indicator.Unit
		}
	}
	for _, factor := range s.Standing.Score.Factors {
		row := views.ScoreFactor{Factor: factor.Factor, Points: int(factor.Points + factor.Bonus), Of: int(factor.Of), Weight: int(factor.Weight)}
		for _, line := range s.Standing.Score.Indicators {
			if line.Factor != factor.Factor {
				continue
			}
			row.Lines = append(row.Lines, views.ScoreLine{Indicator: line.Indicator, Code: line.Code, Points: int(line.Points), Of: int(line.Of), Value: line.Value, Unit: units[line.Indicator],
				Known: len(line.Sources) > 0, Contested: contests(s, line.Indicator), Entries: scoreEntries(line.Sources)})
		}
		page.Factors = append(page.Factors, row)
	}
	return page, nil
}

func contests(s cooperative.Score, indicator string) bool {
	for _, one := range s.Contested {
		if one.Indicator == indicator {
			return true
		}
	}
	return false
}

// scoreEntries are the entries that a score's sources name: entry/<organisation>/<id>, or attestation/ and the same.
func scoreEntries(sources []string) []string {
	var entries []string
	for _, source := range sources {
		if _, entry, found := strings.Cut(source, "/"); found && strings.Count(entry, "/") == 1 {
			entries = append(entries, entry)
		}
	}
	return entries
}

// myHouseholds are the households for which who is logged in signs, each with what falls due.
func (p *portal) myHouseholds(r *http.Request) ([]views.MyHousehold, error) {
	members, err := p.signsFor(r)
	if err != nil {
		return nil, err
	}
	var mine []views.MyHousehold
	for _, member := range members {
		lines, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[cooperative.Line], error) {
			return cooperative.Loans(r.Context(), p.Model, readmodel.LoanFilter{Scheme: member.Scheme, Household: member.Household}, p.Today(), w)
		})
		if err != nil {
			return nil, err
		}
		one := views.MyHousehold{Scheme: member.Scheme, Household: member.Household}
		_, one.Left, one.Overdue, one.OverdueDays, one.Next = owed(lines)
		frame := views.Scheme{Account: member.Scheme}
		if err := p.offersOf(r, &frame, member.Household, true); err != nil {
			return nil, err
		}
		one.Asked = frame.Asked
		mine = append(mine, one)
	}
	return mine, nil
}
