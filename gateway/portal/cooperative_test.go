package portal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const coffee = tape.AccountID("coop:coop:coffee")

// home is an invented household of the scheme; the person "child" signs for the first.
func home(n int) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(fmt.Sprint("invented household ", n))) + ":coffee")
}

// village writes a scheme with three households, one loan and one sale into
// the read model of a town, record by record: the pages read nothing else.
func village(t *testing.T) *town {
	t.Helper()
	w := newTown(t)
	advance := terms.Advance{Amount: yuan(120_000), Date: "2025-11-20"}
	agreed := terms.Terms{Method: terms.EqualPrincipal, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 12, Every: terms.Interval{Months: 1}}
	schedule, err := agreed.Schedule([]terms.Advance{advance})
	made(w.ledger, schedule, err)
	g := group.Group{V: 1, Scheme: coffee, ID: "g1", State: group.Active, Entry: "charity/settle-1", Agreement: group.Agreement{Expiry: "2028-06-30", GroupMax: yuan(900_000), MemberMax: yuan(500_000), GuaranteeMonths: 24, Lenders: []string{"bank"}, Shares: group.EqualShares}}
	l := loan.Loan{V: 1, Scheme: coffee, ID: "l1", State: loan.Running, Household: home(0), Fingerprint: "invented-household-0", Group: "g1", Organisation: "bank", Product: "season", ProductVersion: 1, Purpose: "inputs", Principal: yuan(120_000),
		Lenders: []loan.Lender{{Account: "lender:bank:coffee", Organisation: "bank", PartsPerMillion: 1_000_000}}, TermEnd: "2027-12-01", Terms: agreed, Contract: &loan.Contract{Date: "2025-11-20", AnnualPercent: "0.00", Entry: "charity/settle-1"},
		Tranches: []loan.Tranche{{Amount: yuan(120_000), Paid: "2025-11-20", Entry: "charity/settle-1"}}, Book: loan.Book{Advances: []terms.Advance{advance}, Schedule: schedule.Instalments}, Applied: "2025-11-10", Entry: "charity/settle-1",
		Guarantors: []loan.Guarantor{{Household: home(1), Entry: "charity/settle-1"}, {Household: home(2)}}}
	shares := []harvest.Share{{Household: home(0), Grams: 3000}, {Household: home(1), Grams: 1000}}
	slices.SortFunc(shares, func(a, b harvest.Share) int { return strings.Compare(string(a.Household), string(b.Household)) })
	sale := harvest.Sale{V: 1, Scheme: coffee, ID: "sale-1", Buyer: "outside:buyer:example", Grams: 4000, PricePerTonne: yuan(10_000_000), Proceeds: yuan(40_000), Net: yuan(40_000), State: harvest.SaleSettled, Composition: harvest.Composition{Households: 2, Pages: 1}, Settled: "charity/settle-1", Entry: "charity/settle-1"}
	records := map[string]any{
		group.SchemeKey(coffee):              group.Scheme{V: 1, Account: coffee, Organisation: "charity", Currency: "CNY", Version: 1, Lenders: []string{"bank"}, Entry: "charity/settle-1"},
		group.TermsKey(coffee, 1):            group.Terms{V: 1, Version: 1, Lenders: []string{"bank"}, Terms: group.SchemeTerms{LivingFloor: yuan(0), MemberMax: yuan(500_000)}, Entry: "charity/settle-1"},
		loan.Key(coffee, "l1"):               l,
		harvest.SaleKey(coffee, sale.ID):     sale,
		harvest.ShareKey(coffee, sale.ID, 0): harvest.Page{V: 1, Shares: shares},
		settlement.Key(coffee, sale.ID): settlement.Settlement{V: 1, Scheme: coffee, Sale: sale.ID, Job: "job-1", Chunks: 1, Households: settlement.HouseholdsMax, Left: tape.Spans{{End: 2}}, State: settlement.Running, Entry: "charity/settle-1", Terms: waterfall.Terms{Day: "2026-01-10", LivingFloor: yuan(0)},
			Distribution: waterfall.Distribution{Costs: yuan(0), Net: yuan(40_000), Proceeds: yuan(40_000), Weight: 4000}},
	}
	for n, person := range []tape.ID{"child", "neighbour", "giver"} {
		print := fmt.Sprint("invented-household-", n)
		g.Members = append(g.Members, group.GroupMember{Household: home(n), Fingerprint: print, Joined: 1})
		records[group.MemberKey(coffee, home(n))] = group.Member{V: 1, Household: home(n), Person: person, Fingerprint: print, State: group.Admitted, Entry: "charity/settle-1"}
		records[group.StandingKey(print)] = group.Standing{V: 1, Households: []group.Membership{{Scheme: coffee, Household: home(n)}}, Group: &group.Place{Scheme: coffee, Group: "g1"}, Entry: "charity/settle-1"}
	}
	records[group.GroupKey(coffee, "g1")] = g
	w.puts(records)
	return w
}

// puts writes records in a block of their own.
func (w *town) puts(records map[string]any) {
	w.Helper()
	var writes []readmodel.Write
	for key, record := range records {
		value, err := json.Marshal(record)
		writes = append(writes, readmodel.Write{Key: key, Value: made(w.ledger, value, err)})
	}
	slices.SortFunc(writes, func(a, b readmodel.Write) int { return strings.Compare(a.Key, b.Key) })
	hash := []byte("the village's block")
	block := readmodel.Block{Number: w.read, Hash: hash, PreviousHash: w.last, Transactions: []readmodel.Transaction{{ID: fmt.Sprintf("%064x", 77), Valid: true, Code: "VALID", Function: "Invented:Records", Creator: "charity", Writes: writes}}}
	if err := w.model.Apply(w.Context(), block); err != nil {
		w.Fatal(err)
	}
	w.read, w.last = w.read+1, hash
}

// TestWhoSeesAHousehold: the public sees sums, a household itself and whom it
// guarantees, staff everybody; whoever has nothing to do with it, nothing.
func TestWhoSeesAHousehold(t *testing.T) {
	w := village(t)
	base := "/en/cooperatives/" + string(coffee)
	public, child, giver, maker := &visitor{town: w}, w.logsIn("child"), w.logsIn("giver"), w.logsIn("maker")
	for _, c := range []struct {
		who  *visitor
		path string
		says string
	}{
		{public, "/en/cooperatives", "coop:coop:coffee"},
		{public, base, "1,200.00 CNY are lent to 1 household"},
		{public, base + "/settlements/sale-1", "What single households got is shown to themselves"},
		{public, base + "/households/" + string(home(0)), "Log in"},
		{public, base + "/loans/l1", "Log in"},
		{public, base + "/groups/g1", "Log in"},
		{public, base + "/agents", "Log in"},
		{public, "/en/lenders/bank", "bank has lent 1,200.00 CNY in 1 loan"},
		{child, "/en/me", "100.00 CNY of your loan are overdue"},
		{child, base + "/households/" + string(home(0)), "100.00 CNY of your loan are overdue"},
		{child, base + "/loans/l1", "100.00 CNY of your loan are due"},
		{child, base + "/groups/g1", "Group g1"},
		{child, base + "/settlements/sale-1", "3 kg"},
		{child, base + "/households/" + string(home(1)), "is shown to itself"},
		{child, base + "/agents", "is shown to the staff"},
		{giver, base + "/households/" + string(home(2)), "You owe nothing that falls due"},
		{giver, base + "/loans/l1", "100.00 CNY are due and not paid"},
		{giver, base + "/households/" + string(home(0)), "is shown to itself"},
		{maker, base, "overdue and due"},
		{maker, base + "/households/" + string(home(0)), "days overdue with 100.00 CNY"},
		{maker, base + "/loans/l1", "Who guarantees it"},
		{maker, base + "/groups/g1", "Its households"},
		{maker, base + "/settlements/sale-1", "waits for its part of the job"},
		{child, base + "/arrears", "is shown to the staff"},
		{maker, base + "/arrears", "1 loan is overdue"},
		{maker, base + "/agents", "No agent has carried anything"},
		{child, base + "/households/" + string(home(0)) + "/statement?from=2025-11-01&to=2025-12-31", "Your statement"},
		{child, base + "/households/" + string(home(1)) + "/statement", "is shown to itself"},
		{maker, base + "/households/" + string(home(0)) + "/statement?from=2025-11-01&to=2025-12-31", "1,200.00 CNY"},
		{maker, base + "/households/" + string(home(0)) + "/statement?from=2025-12-31&to=2025-11-01", "lies before the first day"},
		{child, base + "/letters", "is shown to the staff"},
		{maker, base + "/letters?from=2026-01-01", "No notice to print"},
		{child, base + "/flags", "is shown to the staff"},
		{maker, base + "/flags", "No loans of several households meet"},
		{public, "/en/organisations/charity/months", "Log in"},
		{child, "/en/organisations/charity/months", "shown to its own staff and to the regulator"},
		{maker, "/en/organisations/bank/months", "shown to its own staff and to the regulator"},
		{maker, "/en/organisations/charity/months", "Books of charity"},
		{maker, "/en/quarters", "shown to the staff of a regulator"},
	} {
		c.who.request(http.MethodGet, c.path, nil)
		c.who.reads(c.says)
	}
	for _, path := range []string{"/en/cooperatives", base, base + "/settlements/sale-1", "/en/lenders/bank"} {
		public.request(http.MethodGet, path, nil)
		for n := range 3 {
			if strings.Contains(public.body, strings.Split(string(home(n)), ":")[1][:8]) {
				t.Errorf("%s names household %d to everybody", path, n)
			}
		}
	}
	// Who lends in the scheme reads of its households, but no loan of which it lends nothing.
	w.puts(map[string]any{group.SchemeKey(coffee): group.Scheme{V: 1, Account: coffee, Organisation: "insurer", Currency: "CNY", Version: 1, Lenders: []string{"bank", "charity"}, Entry: "charity/settle-1"}})
	maker.request(http.MethodGet, base+"/households/"+string(home(0)), nil)
	maker.reads("days overdue with 100.00 CNY")
	maker.request(http.MethodGet, base+"/loans/l1", nil)
	maker.reads("is shown to the households whom it concerns")
	// Another member's staff have nothing to do with it; a regulator's have.
	w.puts(map[string]any{group.SchemeKey(coffee): group.Scheme{V: 1, Account: coffee, Organisation: "insurer", Currency: "CNY", Version: 1, Lenders: []string{"bank"}, Entry: "charity/settle-1"}})
	maker.request(http.MethodGet, base+"/households/"+string(home(0)), nil)
	maker.reads("is shown to itself")
	w.puts(map[string]any{party.PowersKey("charity"): party.Powers{V: 1, Powers: []string{party.Regulator}}})
	maker.request(http.MethodGet, base+"/households/"+string(home(0)), nil)
	maker.reads("days overdue with 100.00 CNY")
}
