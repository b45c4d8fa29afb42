package portal

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

func (p *portal) saleOf(ctx context.Context, scheme tape.AccountID, sale tape.ID) (harvest.Sale, error) {
	return readmodel.RecordOf[harvest.Sale](ctx, p.Model, harvest.SaleKey(scheme, sale))
}

// settlement is one sale, and whom it paid first.
func (p *portal) settlement(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	frame, err := p.inScheme(r)
	if err != nil {
		return nil, "", err
	}
	sale, err := idIn(r, "sale")
	if err != nil {
		return nil, "", err
	}
	s, err := cooperative.SettlementOf(ctx, p.Model, frame.Account, sale)
	if err != nil {
		return nil, "", err
	}
	terms := s.Settlement.Terms
	page := views.Settlement{Scheme: frame, Sale: sale, State: string(s.Settlement.State), Date: s.Day, Buyer: s.Sale.Buyer, Grams: s.Sale.Grams, Proceeds: s.Sale.Proceeds, Net: s.Sale.Net,
		Households: int(s.Households), Settled: int(s.Settled), Exact: s.Exact, WindowDays: int(terms.WindowDays), Floor: terms.LivingFloor, FloorParts: int(terms.LivingFloorPartsPerMillion)}
	rows := ""
	if frame.Staff {
		rows = "#rows"
	}
	page.Bars = saleBars(s, "")
	for i := range page.Bars {
		page.Bars[i].Rows = rows
	}
	for _, cost := range s.Settlement.Costs {
		page.Costs = append(page.Costs, views.SaleCost{Kind: cost.Kind, Payee: cost.Payee, Amount: cost.Amount})
	}
	if page.Rows, page.Next, err = p.settlementRows(r, frame, s); err != nil {
		return nil, "", err
	}
	if page.Run, page.Token, err = p.mayRun(r, s.Settlement); err != nil {
		return nil, "", err
	}
	if err := p.offers(r, &page.Scheme, place{page: acts.SalePage, known: known{"sale": string(sale)}}); err != nil {
		return nil, "", err
	}
	page.Proof, err = p.proofFrom(ctx, "lianbao audit", settlementEntries(s)...)
	return page, "", err
}

// mayRun reports whether who is logged in can let a settlement's chunks run: once it
// is open, any of the cooperative's makers and checkers.
func (p *portal) mayRun(r *http.Request, s settlement.Settlement) (bool, string, error) {
	session := p.session(r)
	if p.people == nil || s.State != settlement.Running || !session.Has(login.Maker, login.Checker) {
		return false, "", nil
	}
	a, err := p.actor(r, acts.Scheme, s.Scheme)
	return slices.Contains(a.sides, acts.Cooperative), session.Token(), err
}

// chunksAtOnce run at one press of the button; of a larger sale it is pressed again.
const chunksAtOnce = 40

// runSettlement lets chunks of a settlement run that have not, and closes it behind the last.
func (p *portal) runSettlement(r *http.Request, session login.Session) (string, error) {
	ctx := r.Context()
	account, err := accountIn(r)
	if err != nil {
		return "", err
	}
	sale, err := idIn(r, "sale")
	if err != nil {
		return "", err
	}
	s, err := readmodel.RecordOf[settlement.Settlement](ctx, p.Model, settlement.Key(account, sale))
	if err != nil {
		return "", err
	}
	if may, _, err := p.mayRun(r, s); err != nil || !may {
		return "", errors.Join(err, rule.Refuse(rule.Forbidden, "a settlement that is open is run by makers and checkers of its cooperative"))
	}
	if err := p.staff(ctx, session); err != nil {
		return "", err
	}
	left, err := acts.Settle(ctx, p.asker(session), account, sale)
	if err != nil {
		return "", err
	}
	return pathTo("cooperatives", string(account), "settlements", string(sale)), p.carryChunks(ctx, left)
}

// carryChunks hands over as many chunks as run at once, and closes the settlement behind the last.
func (p *portal) carryChunks(ctx context.Context, left acts.Settling) error {
	run := left.Chunks[:min(len(left.Chunks), chunksAtOnce)]
	var chunks []carried
	for _, chunk := range run {
		argument, err := canonical.Encode(chunk.Command)
		if err != nil {
			return err
		}
		chunks = append(chunks, carried{chunk.Function, argument})
	}
	if err := p.carry(ctx, chunks...); err != nil || len(run) < len(left.Chunks) || left.Close == nil {
		return err
	}
	return p.carryOne(ctx, left.Close.Function, left.Close.Command)
}

// settlementEntries are the entries behind a settlement: what opened it, the first and the last of its chunks, what closed it.
func settlementEntries(s cooperative.Settlement) []string {
	entries := []string{s.Sale.Settled}
	for _, chunk := range s.Chunks {
		entries = append(entries, chunk.Entry)
	}
	return append(entries, s.Settlement.Entry)
}

// settlementRows are everybody's shares on one part, for staff; a household sees its own.
func (p *portal) settlementRows(r *http.Request, frame views.Scheme, s cooperative.Settlement) (rows []views.SettlementRow, next string, err error) {
	ctx, currency := r.Context(), s.Sale.Proceeds.Currency
	if !frame.Staff {
		mine, err := p.mineIn(r, frame.Account)
		if err != nil {
			return nil, "", err
		}
		for _, household := range mine {
			share, err := cooperative.ShareOf(ctx, p.Model, frame.Account, s.Sale.ID, household)
			if err != nil {
				return nil, "", err
			}
			if share != nil {
				rows = append(rows, settlementRow(*share, currency))
			}
		}
		return rows, "", nil
	}
	n, err := chunkAsked(r, s)
	if err != nil || int(n) >= len(s.Chunks) {
		return nil, "", err
	}
	shares, err := cooperative.Shares(ctx, p.Model, frame.Account, s.Sale.ID, n)
	for _, share := range shares {
		rows = append(rows, settlementRow(share, currency))
	}
	if int(n)+1 < len(s.Chunks) {
		next = strconv.Itoa(int(n) + 1)
	}
	return rows, next, err
}

// chunkAsked is the part that an address asks for: the first with households where it names none.
func chunkAsked(r *http.Request, s cooperative.Settlement) (int32, error) {
	asked := r.FormValue("after")
	if asked == "" {
		if s.Settlement.Page(0) < 0 {
			return 1, nil
		}
		return 0, nil
	}
	n, err := strconv.ParseUint(asked, 10, 31)
	if err != nil || int(n) >= len(s.Chunks) {
		return 0, rule.Field("after", rule.Refuse(rule.Invalid, "is no part of the settlement; it has %d", len(s.Chunks)))
	}
	return int32(n), nil
}

func settlementRow(share cooperative.Share, currency money.Currency) views.SettlementRow {
	zero := money.New(0, currency)
	row := views.SettlementRow{Household: share.Household, Grams: share.Grams, Share: share.Amount, Overdue: zero, Window: zero, Recourse: zero, Pool: zero, Early: zero, PaidOut: share.Rest, Waits: share.Entry == ""}
	into := map[string]*money.Amount{string(waterfall.Overdue): &row.Overdue, string(waterfall.Window): &row.Window, cooperative.Repaid: &row.Window,
		string(waterfall.Recourse): &row.Recourse, string(waterfall.Pool): &row.Pool, string(waterfall.Prepayment): &row.Early}
	for _, line := range share.Lines {
		if sum := into[line.Kind]; sum != nil {
			sum.Units += line.Amount.Units
		}
	}
	return row
}

// proofFrom shows entries that are known by name: the first, and as many of the last as find room.
func (p *portal) proofFrom(ctx context.Context, command string, references ...string) (*views.Proof, error) {
	proof := &views.Proof{Command: command}
	seen := map[string]bool{"": true}
	for _, reference := range references {
		if seen[reference] {
			continue
		}
		seen[reference] = true
		if len(proof.Steps) >= proofSteps {
			proof.More++
			continue
		}
		organisation, id, _ := strings.Cut(reference, "/")
		entry, err := p.Model.Entry(ctx, organisation, tape.ID(id))
		if err != nil {
			return nil, err
		}
		step, err := p.step(ctx, entry)
		if err != nil {
			return nil, err
		}
		proof.Steps = append(proof.Steps, step)
	}
	return proof, nil
}
