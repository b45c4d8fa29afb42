package portal

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/cooperative"
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
	if err := p.offers(r, &page.Scheme, place{page: acts.SalePage, known: known{"sale": string(sale)}}); err != nil {
		return nil, "", err
	}
	page.Proof, err = p.proofFrom(ctx, "lianbao audit", settlementEntries(s)...)
	return page, "", err
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
