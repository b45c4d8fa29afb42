package cooperative

import (
	"context"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// What a settlement pays beside the ranks of the waterfall.
const (
	// Costs are the sale's agreed ones.
	Costs = "costs"
	// Rest is what reached households.
	Rest = "paid-out"
	// Repaid is bank debt of a loan whose terms were changed since: of what rank it was its book no longer says.
	Repaid = "repaid"
	// Before is what jobs paid that were abandoned since.
	Before = "settled-before"
	// Waiting is what chunks that have not run will share out.
	Waiting = "waiting"
)

// Kinds lists what a settlement pays, in the order in which it is shown.
func Kinds() []string {
	return []string{Costs, string(waterfall.Overdue), string(waterfall.Window), string(waterfall.Recourse), string(waterfall.Pool), string(waterfall.Prepayment), Repaid, Rest, Before, Waiting}
}

// Settlement is a sale that is shared out.
type Settlement struct {
	Settlement settlement.Settlement `json:"settlement"`
	Sale       harvest.Sale          `json:"sale"`
	// Day is the settlement's.
	Day tape.Date `json:"day"`
	// Sums are what was paid, by kind; those of nothing are left out.
	Sums []Kind `json:"sums"`
	// Total is the sum of Sums. Exact says that it is the proceeds, to the unit, and
	// that what the ledger moved and ordered is, with what waits.
	Total money.Amount `json:"total"`
	Exact bool         `json:"exact"`
	// Households is everybody who has a share, Settled those whose chunk has run.
	Households int32 `json:"households"`
	Settled    int32 `json:"settled"`
	// Chunks are all parts of the job, by their numbers.
	Chunks []Chunk `json:"chunks"`
}

// Kind is what went to one kind of receiver.
type Kind struct {
	Kind   string       `json:"kind"`
	Amount money.Amount `json:"amount"`
}

// Chunk is a part of a settlement. Entry paid it, in Block; none while it waits.
type Chunk struct {
	N          int32        `json:"n"`
	Households int          `json:"households"`
	Amount     money.Amount `json:"amount"`
	Entry      string       `json:"entry,omitempty"`
	Block      uint64       `json:"block,omitempty"`
}

// Share is what became of one household's share of a sale.
type Share struct {
	Scheme    tape.AccountID `json:"scheme"`
	Sale      tape.ID        `json:"sale"`
	Household tape.AccountID `json:"household"`
	Grams     int64          `json:"grams,string"`
	// Amount is its share of the net, Lines what it paid with it, Rest what was paid out to it: together Amount.
	Amount money.Amount `json:"amount"`
	Lines  []Paying     `json:"lines"`
	Rest   money.Amount `json:"rest"`
	// Entry settled it on Day; none while its chunk waits.
	Entry string    `json:"entry,omitempty"`
	Day   tape.Date `json:"day,omitempty"`
}

// Paying is one payment out of a share.
type Paying struct {
	Kind   string         `json:"kind"`
	To     tape.AccountID `json:"to,omitempty"`
	Loan   tape.ID        `json:"loan,omitempty"`
	Amount money.Amount   `json:"amount"`
}

// Settlements lists those of a scheme, by their sales.
func Settlements(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, window readmodel.Window) (readmodel.List[settlement.Settlement], error) {
	return readmodel.RecordsOf[settlement.Settlement](ctx, m, "dividend/"+string(scheme)+"/", window)
}

// SettlementOf is the settlement of a sale, with its sums.
func SettlementOf(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, sale tape.ID) (Settlement, error) {
	r, err := newReader(ctx, m, scheme, sale)
	if err != nil {
		return Settlement{}, err
	}
	s := Settlement{Settlement: r.settlement, Sale: r.sale, Day: r.settlement.Terms.Day, Sums: []Kind{}, Chunks: []Chunk{}, Households: r.sale.Composition.Households}
	if err := r.everyPayout(); err != nil {
		return s, err
	}
	before, err := r.before()
	if err != nil {
		return s, err
	}
	sums := map[string]int64{Before: before}
	for n := range r.settlement.Chunks {
		chunk, shares, err := r.chunk(n)
		if err != nil {
			return s, err
		}
		s.Chunks = append(s.Chunks, chunk)
		switch {
		case chunk.Entry == "":
			sums[Waiting] += chunk.Amount.Units
		case r.settlement.Page(n) < 0:
			sums[Costs] += chunk.Amount.Units
		default:
			s.Settled += int32(len(shares))
			tally(sums, shares)
		}
	}
	s.Total = amount(0, r.sale.Proceeds.Currency)
	for _, kind := range Kinds() {
		if sums[kind] != 0 {
			s.Sums = append(s.Sums, Kind{kind, amount(sums[kind], s.Total.Currency)})
			s.Total.Units += sums[kind]
		}
	}
	s.Exact = s.Total == r.sale.Proceeds && r.posted+r.paidOut+before+sums[Waiting] == r.sale.Proceeds.Units
	return s, nil
}

// before is what chunks of jobs paid that were abandoned since.
func (r *reader) before() (int64, error) {
	units := int64(0)
	for _, job := range r.settlement.Earlier {
		chunks, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[tape.Chunk], error) {
			return r.model.Chunks(r.context, r.sale.Scheme, job, w)
		})
		if err != nil {
			return 0, err
		}
		for _, chunk := range chunks {
			units += chunk.Part.Length()
		}
	}
	return units, nil
}

// tally adds up what shares paid.
func tally(sums map[string]int64, shares []Share) {
	for _, share := range shares {
		sums[Rest] += share.Rest.Units
		for _, line := range share.Lines {
			sums[line.Kind] += line.Amount.Units
		}
	}
}

// Shares lists what became of the households' shares on one chunk of a settlement.
func Shares(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, sale tape.ID, n int32) ([]Share, error) {
	r, err := newReader(ctx, m, scheme, sale)
	if err != nil {
		return nil, err
	}
	_, shares, err := r.chunk(n)
	return append([]Share{}, shares...), err
}

// reader reads one settlement chunk by chunk.
type reader struct {
	context    context.Context
	model      *readmodel.Model
	settlement settlement.Settlement
	sale       harvest.Sale
	ran        map[int32]tape.Chunk
	pools      []pool.Pool
	// payouts are all that the job has ordered, by payee, once all were asked for; paidOut is their sum.
	payouts map[tape.AccountID][]readmodel.Hold
	paidOut int64
	// posted is what the chunks that were read moved on the ledger.
	posted int64
}

func newReader(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, sale tape.ID) (*reader, error) {
	r := &reader{context: ctx, model: m, ran: map[int32]tape.Chunk{}}
	var err error
	if r.settlement, err = readmodel.RecordOf[settlement.Settlement](ctx, m, settlement.Key(scheme, sale)); err != nil {
		return nil, err
	}
	if r.sale, err = readmodel.RecordOf[harvest.Sale](ctx, m, harvest.SaleKey(scheme, sale)); err != nil {
		return nil, err
	}
	chunks, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[tape.Chunk], error) {
		return m.Chunks(ctx, scheme, r.settlement.Job, w)
	})
	for _, chunk := range chunks {
		r.ran[chunk.N] = chunk
	}
	if err != nil {
		return nil, err
	}
	r.pools, err = every[pool.Pool](ctx, m, "pool/")
	return r, err
}

// chunk is one part of the settlement with what became of each share on it.
func (r *reader) chunk(n int32) (Chunk, []Share, error) { return r.chunkFor(n, "") }

// chunkFor leaves out the shares of others than one household; empty for nobody.
func (r *reader) chunkFor(n int32, household tape.AccountID) (Chunk, []Share, error) {
	chunk := Chunk{N: n, Amount: amount(0, r.sale.Proceeds.Currency)}
	ran, done := r.ran[n]
	var entry readmodel.Entry
	if done {
		organisation, id, _ := strings.Cut(ran.Entry, "/")
		var err error
		if entry, err = r.model.Entry(r.context, organisation, tape.ID(id)); err != nil {
			return chunk, nil, err
		}
		chunk.Entry, chunk.Block = ran.Entry, entry.Block
		for _, posting := range entry.Postings {
			r.posted += posting.Amount.Units
		}
	}
	page := r.settlement.Page(n)
	if page < 0 {
		chunk.Amount = r.settlement.Distribution.Costs
		return chunk, nil, nil
	}
	shares, err := r.page(n, page)
	if err != nil {
		return chunk, nil, err
	}
	chunk.Households = len(shares)
	for i := range shares {
		chunk.Amount.Units += shares[i].Amount.Units
	}
	if household != "" {
		shares = slices.DeleteFunc(shares, func(s Share) bool { return s.Household != household })
	}
	if done {
		err = r.pay(shares, n, entry)
	}
	return chunk, shares, err
}

// pageOf finds the page of the sale on which a household stands, -1 for none: they
// stand in the order of their names.
func (r *reader) pageOf(household tape.AccountID) (int32, error) {
	low, high := int32(0), r.sale.Composition.Pages-1
	for low <= high {
		n := low + (high-low)/2
		page, err := readmodel.RecordOf[harvest.Page](r.context, r.model, harvest.ShareKey(r.sale.Scheme, r.sale.ID, n))
		if err != nil || len(page.Shares) == 0 {
			return -1, err
		}
		switch first, last := page.Shares[0].Household, page.Shares[len(page.Shares)-1].Household; {
		case household < first:
			high = n - 1
		case household > last:
			low = n + 1
		default:
			return n, nil
		}
	}
	return -1, nil
}

// page is everybody's share in a chunk, of households on one page of the sale, to the unit.
func (r *reader) page(chunk, n int32) ([]Share, error) {
	page, err := readmodel.RecordOf[harvest.Page](r.context, r.model, harvest.ShareKey(r.sale.Scheme, r.sale.ID, n))
	if err != nil {
		return nil, err
	}
	of := r.settlement.Of(chunk, page)
	shares := make([]Share, len(of))
	for i, one := range of {
		share, err := r.settlement.Distribution.Share(waterfall.Delivery{Household: one.Household, Weight: one.Grams})
		if err != nil {
			return nil, err
		}
		shares[i] = Share{Scheme: r.sale.Scheme, Sale: r.sale.ID, Household: one.Household, Grams: one.Grams, Amount: share.Amount, Lines: []Paying{}, Rest: amount(0, share.Amount.Currency)}
	}
	return shares, nil
}

// pay reads from a chunk's entry and the payouts that it ordered what each share paid.
func (r *reader) pay(shares []Share, n int32, entry readmodel.Entry) error {
	of := map[tape.AccountID]*Share{}
	for i := range shares {
		shares[i].Entry, shares[i].Day = entry.Reference(), entry.BusinessDate
		of[shares[i].Household] = &shares[i]
	}
	banked := map[tape.AccountID]int64{}
	for _, posting := range entry.Postings {
		debtor := of[posting.OnBehalfOf]
		switch {
		case debtor == nil:
		case r.isPool(posting.To):
			debtor.Lines = append(debtor.Lines, Paying{Kind: string(waterfall.Pool), To: posting.To, Amount: posting.Amount})
		case strings.HasPrefix(string(posting.To), tape.Household+":"):
			debtor.Lines = append(debtor.Lines, Paying{Kind: string(waterfall.Recourse), To: posting.To, Amount: posting.Amount})
		default:
			banked[debtor.Household] += posting.Amount.Units
		}
	}
	for i := range shares {
		rest, err := r.rest(shares[i].Household, n)
		if err != nil {
			return err
		}
		shares[i].Rest.Units = rest
		if err := r.bank(&shares[i], banked[shares[i].Household], entry); err != nil {
			return err
		}
	}
	return nil
}

// rest is what a chunk has paid out to one of its households of its own share.
func (r *reader) rest(household tape.AccountID, n int32) (int64, error) {
	payee := settlement.Outside(household)
	if r.payouts == nil {
		list, err := r.model.Holds(r.context, readmodel.HoldFilter{Account: r.sale.Scheme, Job: r.settlement.Job, Payee: payee}, readmodel.Window{Limit: 1000})
		if err != nil {
			return 0, err
		}
		return firstOf(list.Items, r.settlement.Job, n), nil
	}
	return firstOf(r.payouts[payee], r.settlement.Job, n), nil
}

// firstOf is the amount of the first of payouts, in ledger order, that a chunk ordered
// for nobody else: what a guarantor gets for another is none of its share.
func firstOf(holds []readmodel.Hold, job tape.ID, n int32) int64 {
	prefix := string(tape.ChunkHold(job, n, 0))
	for _, hold := range holds {
		if hold.OnBehalfOf == "" && strings.HasPrefix(string(hold.ID), strings.TrimSuffix(prefix, "0")) {
			return hold.Amount.Units
		}
	}
	return 0
}

// bank tells what a share paid to lenders apart by rank. What neither lenders, a pool
// nor the household got went to those who had paid for it, by payouts of their own.
func (r *reader) bank(share *Share, units int64, entry readmodel.Entry) error {
	left, pooled := share.Amount.Units-units-share.Rest.Units, int64(0)
	for _, line := range share.Lines {
		left -= line.Amount.Units
		if line.Kind == string(waterfall.Pool) {
			pooled += line.Amount.Units
		}
	}
	if left > 0 {
		share.Lines = append(share.Lines, Paying{Kind: string(waterfall.Recourse), Amount: amount(left, share.Amount.Currency)})
	}
	if units+pooled == 0 {
		return nil
	}
	lines, err := r.repaid(*share, entry)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if line.Kind == string(waterfall.Overdue) { // what a pool got repaid a loan too
			of := min(pooled, line.Amount.Units)
			pooled, line.Amount.Units = pooled-of, line.Amount.Units-of
		}
		if units -= line.Amount.Units; line.Amount.Units > 0 {
			share.Lines = append(share.Lines, line)
		}
	}
	if units != 0 {
		share.Lines = append(share.Lines, Paying{Kind: Repaid, Amount: amount(units, share.Amount.Currency)})
	}
	slices.SortStableFunc(share.Lines, func(a, b Paying) int { return slices.Index(Kinds(), a.Kind) - slices.Index(Kinds(), b.Kind) })
	return nil
}

// repaid is what an entry paid of the loans of a share's household, by rank.
func (r *reader) repaid(share Share, entry readmodel.Entry) ([]Paying, error) {
	loans, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Loan], error) {
		return r.model.Loans(r.context, readmodel.LoanFilter{Scheme: share.Scheme, Household: share.Household}, w)
	})
	var all []Paying
	for _, l := range loans {
		lines, err := ranked(l.Loan, r.settlement.Terms, entry)
		if err != nil {
			return nil, err
		}
		all = append(all, lines...)
	}
	return all, err
}

// everyPayout reads all payouts of the job at once, for who asks for all of them.
func (r *reader) everyPayout() error {
	holds, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Hold], error) {
		return r.model.Holds(r.context, readmodel.HoldFilter{Account: r.sale.Scheme, Job: r.settlement.Job}, w)
	})
	r.payouts = map[tape.AccountID][]readmodel.Hold{}
	for _, hold := range holds {
		r.payouts[hold.To] = append(r.payouts[hold.To], hold)
		r.paidOut += hold.Amount.Units
	}
	return err
}

// ranked tells what an entry paid of a loan apart by rank: what of it was overdue
// by the book without it, what falls due later, and what was paid early.
func ranked(l loan.Loan, t waterfall.Terms, entry readmodel.Entry) ([]Paying, error) {
	t.Day = max(t.Day, entry.BusinessDate)
	without := l
	without.Book.Payments = nil
	sums := map[waterfall.Rank]int64{}
	today := int64(0)
	for _, p := range l.Book.Payments {
		switch {
		case p.Entry != entry.Reference():
			without.Book.Payments = append(without.Book.Payments, p)
		case p.Date > t.Day:
			sums[t.Bank(p.Date)] += p.Amount.Units
		default:
			today += p.Amount.Units
		}
	}
	if today > 0 {
		if before(without, t.Day) {
			return nil, nil
		}
		owed, err := without.Owed(t.Day)
		if err != nil {
			return nil, err
		}
		for _, due := range owed.Dues {
			units := min(today, due.Total())
			sums[t.Bank(due.Due)] += units
			today -= units
		}
		sums[waterfall.Prepayment] += today
	}
	var lines []Paying
	for _, rank := range waterfall.Ranks() {
		if sums[rank] > 0 {
			lines = append(lines, Paying{Kind: string(rank), Loan: l.ID, Amount: amount(sums[rank], l.Principal.Currency)})
		}
	}
	return lines, nil
}

func (r *reader) isPool(account tape.AccountID) bool {
	return slices.ContainsFunc(r.pools, func(p pool.Pool) bool { return p.Account == account })
}
