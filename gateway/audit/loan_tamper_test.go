package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	lending     tape.AccountID = "lender:bank:coffee"
	lendingBank tape.AccountID = "outside:bank:lending"
	coffeeBank  tape.AccountID = "outside:bank:coop"
)

// cashOf is the bank account of household n.
func cashOf(n int) tape.AccountID {
	return tape.AccountID("outside:household:" + string(tape.PseudonymFrom(fmt.Sprint("invented ", n))))
}

// nameOf is the pseudonym of household n.
func nameOf(n int) string { return string(tape.PseudonymFrom(fmt.Sprint("invented ", n))) }

// both changes two things.
func both(first, second func(*parts)) func(*parts) {
	return func(p *parts) { first(p); second(p) }
}

// lends gives one command about loans, signed.
func (v *village) lends(as, function, action string, units int64, command any, persons ...tape.ID) {
	v.t.Helper()
	v.by(as, "Loan:"+function, v.signedBy(action, coffee, units, command, persons...))
}

// comes lets a gift that a line of the bank shows settle on an account.
func (v *village) comes(as string, account, at tape.AccountID, id, previous tape.ID, opening, units int64) (tape.Gift, tape.Line) {
	v.t.Helper()
	gift := tape.Gift{ID: id, Amount: cny(units), Reference: reference(string(id), 0)}
	line := tape.Line{Number: 1, Date: v.today(), Amount: gift.Amount, Reference: gift.Reference}
	v.by(as, "Tape:Receive", tape.Receive{Account: account, Count: 1, Gifts: []tape.Gift{gift}, ID: id + "-page", Total: gift.Amount})
	v.files(at, id, previous, opening, tape.CreditSide, line)
	v.by(as, "Tape:Settle", tape.Settle{Account: account, ID: id + "-settled", Items: []tape.SettleItem{{Lines: &tape.LinesRef{Statement: id}, Source: string(id) + "-page"}}})
	return gift, line
}

// files files a statement of one line of today.
func (v *village) files(account tape.AccountID, id, previous tape.ID, opening int64, side tape.Side, line tape.Line) {
	v.t.Helper()
	page, _, err := tape.LinesBody(side, []tape.Line{line})
	must(v.t, page, err)
	closing := opening + line.Amount.Units
	if side == tape.DebitSide {
		closing = opening - line.Amount.Units
	}
	v.by("bank", "Tape:FileStatement", tape.FileStatement{Account: account, Closing: cny(closing), Count: 1, From: line.Date, ID: id, Opening: cny(opening), Pages: []tape.LinesPage{page}, Previous: previous, To: line.Date})
	v.by("bank", "Tape:FileLines", tape.FileLines{Account: account, ID: id + "-lines", Lines: []tape.Line{line}, Statement: id})
}

// borrowed is a loan of household 1 that a sale and a transfer of its own repay.
func (v *village) borrowed() {
	v.t.Helper()
	v.grouped()
	v.person("keeper", "bank", "regulator", "own", "staff")
	v.lending()
	v.sold()
	v.transferred()
}

// lending is a loan of household 1, paid out.
func (v *village) lending() {
	v.t.Helper()
	v.by("bank", "Loan:OpenLending", v.signedBy("open-lending", lending, noAmount, tape.Open{Account: lending, Attribution: tape.FIFO, Currency: "CNY", Custodian: lendingBank, ID: "open-lending"}, bankStaff...))
	v.comes("bank", lending, lendingBank, "capital", "", 0, 100_000_00)
	monthly := terms.Terms{Method: terms.Annuity, RatePartsPerMillion: 60_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 12, Every: terms.Interval{Months: 1}}
	v.lends("bank", "OfferProduct", "offer-product", noAmount, loan.OfferProduct{Account: coffee, ID: "offer", Product: "season", Version: 1, Conditions: loan.Conditions{
		Lenders: []loan.Lender{{Account: lending, Organisation: "bank", PartsPerMillion: 1_000_000}}, OfferDays: 30, PrincipalMax: cny(20_000_00), PrincipalMin: cny(1_000_00),
		Purposes: []string{"inputs"}, TermDaysMax: 400, Terms: monthly, TranchesMax: 2}}, bankStaff...)
	amount := cny(12_000_00)
	v.lends("insurer", "ApplyForLoan", "apply-for-loan", amount.Units, loan.Apply{Account: coffee, Amount: amount, Group: "g1", Household: houseOf(1), ID: "l1", Product: "season", ProductVersion: 1,
		Purpose: "inputs", Terms: monthly}, farmer(1), farmer(2), farmer(3), farmer(4))
	v.lends("bank", "DecideLoan", "decide-loan", amount.Units, loan.Decide{Account: coffee, Amount: amount, ID: "decide", Loan: "l1", Reason: "meets-conditions"}, bankStaff...)
	advances := []terms.Advance{{Amount: amount, Date: v.today()}}
	running := loan.Loan{Scheme: coffee, ID: "l1", Terms: monthly}
	quote, err := running.Quote(advances)
	must(v.t, quote, err)
	hash, err := quote.Hash()
	v.lends("insurer", "ContractLoan", "contract-loan", amount.Units, loan.ContractLoan{Account: coffee, Advances: advances, ID: "contract", Loan: "l1", Quote: must(v.t, hash, err)}, farmer(1))
	v.lends("bank", "DisburseLoan", "disburse-loan", amount.Units, loan.Disburse{Account: coffee, Amount: amount, Expires: tape.Instant(v.Clock().UnixMilli()) + 30*tape.Day, ID: "out", Loan: "l1",
		To: cashOf(1), Tranche: 1}, bankStaff...)
	paid := tape.Line{Number: 1, Date: v.today(), Amount: amount, Reference: reference("out", 0)}
	v.files(lendingBank, "paid", "capital", 100_000_00, tape.DebitSide, paid)
	execute, err := tape.NewExecute(lending, "execute", "paid", 0, []tape.Line{paid}, []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{"out"}}})
	v.by("bank", "Tape:Execute", must(v.t, execute, err))
	v.by("coop", "Loan:BookTranche", loan.BookTranche{Account: coffee, ID: "book", Loan: "l1", Tranche: 1})
}

// sold sells 100 kg of household 1 and 200 kg of household 5 for 9,000.00 CNY and
// shares it out.
func (v *village) sold() {
	v.t.Helper()
	v.grows("agree", "Agree", harvest.Agree{Account: coffee, ID: "agree", Agreement: harvest.Agreement{Commodity: "coffee", Costs: []string{"transport"}, Deductions: []string{"damaged"},
		Forms: []harvest.Form{{Form: "cherry", Grades: []string{"ripe"}}}, Stores: []harvest.Store{{Organisation: "coop", Store: "mill"}}}}, "coop-maker", "coop-checker", "keeper")
	shares := harvest.Shares{{Grams: 100_000, Household: houseOf(1)}, {Grams: 200_000, Household: houseOf(5)}}
	for i, n := range []int{1, 5} {
		v.grows("deliver", "Deliver", harvest.Deliver{Account: coffee, Form: "cherry", Grade: "ripe", GrossGrams: shares[i].Grams, Harvested: v.today(), Household: houseOf(n),
			ID: tape.ID(fmt.Sprint("lot-", n)), NetGrams: shares[i].Grams, Store: "mill"}, "coop-maker", farmer(n))
	}
	// 600 kg of another lot secure the loan; a quarter is not needed.
	v.grows("deliver", "Deliver", harvest.Deliver{Account: coffee, Form: "cherry", Grade: "ripe", GrossGrams: 600_000, Harvested: v.today(), Household: houseOf(1), ID: "stock", NetGrams: 600_000, Store: "mill"}, "coop-maker", farmer(1))
	v.grows("pledge", "Pledge", harvest.Pledge{Account: coffee, CoverPartsPerMillion: 1_000_000, ID: "pledge-stock", Lender: "bank", Loan: "l1", Lot: "stock", ValuePerTonne: cny(30_000_00)}, "coop-maker", "coop-checker", "keeper", farmer(1))
	v.grows("release-pledge", "ReleasePledge", harvest.ReleasePledge{Account: coffee, Free: "stock-free", Grams: 150_000, ID: "release-stock", Lot: "stock", Rest: "stock-rest"}, "coop-maker")
	sale := harvest.Sale{Scheme: coffee, ID: "sale", Grams: 300_000, Proceeds: cny(9_000_00), Net: cny(8_900_00), Costs: []harvest.Cost{{Amount: cny(100_00), Kind: "transport", Payee: "outside:supplier:lorry"}}}
	v.by("coop", "Harvest:Sell", v.signedBy("sell", coffee, sale.Proceeds.Units, harvest.Sell{Account: coffee, Buyer: "outside:buyer:roaster", Costs: sale.Costs, ID: sale.ID, Invoice: merkle.Hash{1},
		Lots: []tape.ID{"lot-1", "lot-5"}, PricePerTonne: cny(30_000_00), Proceeds: sale.Proceeds}, coopStaff...))
	v.Advance(5 * 24 * time.Hour)
	v.comes("coop", coffee, coffeeBank, "proceeds", "", 0, sale.Proceeds.Units)
	open, chunks, err := settlement.NewSettlement(sale, harvest.Together(shares), "share", tape.Instant(v.Clock().UnixMilli())+30*tape.Day)
	must(v.t, open, err)
	v.by("coop", "Settlement:OpenSettlement", v.signedBy("open-settlement", coffee, sale.Proceeds.Units, open, coopStaff...))
	for _, chunk := range chunks {
		v.by("coop", "Settlement:SettleHouseholds", chunk)
	}
	v.by("coop", "Settlement:CloseSettlement", settlement.CloseSettlement{Account: coffee, ID: "shared", Sale: sale.ID})
}

// transferred repays a part by a line of the bank.
func (v *village) transferred() {
	v.t.Helper()
	v.Advance(46 * 24 * time.Hour)
	gift, line := v.comes("bank", lending, lendingBank, "repayment", "paid", 88_000_00, 3_000_00)
	v.Advance(24 * time.Hour)
	proof, err := tape.NewGiftProof("repayment-page", []tape.Gift{gift}, 0)
	must(v.t, proof, err)
	shown, err := tape.NewLineProof("repayment", 0, []tape.Line{line}, 0)
	must(v.t, shown, err)
	v.by("bank", "Loan:RepayLoan", loan.Repay{Account: coffee, Gift: proof, ID: "repay", Line: &shown, Loan: "l1"})
}

// inRecords changes a text in every record that a transaction writes.
func inRecords(before, after string) func(*parts) {
	return func(p *parts) {
		found := false
		for i, write := range p.results[0].Writes {
			changed := strings.ReplaceAll(string(write.Value), before, after)
			found = found || changed != string(write.Value)
			p.results[0].Writes[i].Value = []byte(changed)
		}
		if !found {
			panic(before + " is in no record")
		}
	}
}

// TestLoanTampering changes one thing of an honest loan and the sale that repays
// it. The last column is what the books say about it first, without the contracts.
func TestLoanTampering(t *testing.T) {
	v := newVillage(t)
	v.borrowed()
	if report := booked(t, v.chain()); len(report.Findings) > 0 {
		t.Fatalf("an honest chain: %v", report.Findings)
	}
	if report := run(t, v, v.chain(), v.honest); len(report.Findings) > 0 {
		t.Fatalf("an honest chain, replayed: %v", report.Findings)
	}
	out, open, costs, page := place{"Loan:DisburseLoan", "out"}, place{"Settlement:OpenSettlement", "share"}, place{"Settlement:SettleHouseholds", "share-0"}, place{"Settlement:SettleHouseholds", "share-1"}
	for _, test := range []struct {
		name   string
		where  place
		change func(*parts)
		prints string
	}{
		{"a loan goes to another household", out, inRecord("hold/", string(cashOf(1)), string(cashOf(2))), "hold/lender:bank:coffee/out, whom the hold pays; expected " + string(cashOf(1))},
		{"more is paid out than the tranche", out, inRecord("hold/", `..1200000"`, `..1200001"`), "hold/lender:bank:coffee/out, the spans that the hold keeps; expected 0..1200000, found 0..1200001"},
		{"another organisation pays out", out, inEntry(`"organisation":"bank"`, `"organisation":"coop"`), "entry/coop/out, it cannot be booked: coop lends nothing of l1"},
		{"an application is of another kind", place{"Loan:ApplyForLoan", "l1"}, inEntry(`"kind":"apply-for-loan"`, `"kind":"memo"`), "entry/insurer/l1, the kind of the entry; expected apply-for-loan, found memo"},
		{"a lot secures a loan by less than it weighs", place{"Harvest:Pledge", "pledge-stock"}, inRecord("security/", `"grams":"600000"`, `"grams":"500000"`), "security/coop:coop:coffee/l1, what secures the loan; expected {"},
		{"what was released secures the loan still", place{"Harvest:ReleasePledge", "release-stock"}, inRecord("security/", `"grams":"450000"`, `"grams":"600000"`), "security/coop:coop:coffee/l1, what secures the loan; expected {"},
		{"nobody of the cooperative signed a release", place{"Harvest:ReleasePledge", "release-stock"}, inEntry(`"duty":"staff"`, `"duty":"agent"`), "lot/coop:coop:coffee/stock, one of the staff of the organisation signs; expected bank, found coop-maker, agent of coop"},
		{"a settlement of less than the sale", open, inRecord("job/", `..900000"`, `..800000"`), "job/coop:coop:coffee/share, the spans of the job; expected 0..900000, found 0..800000"},
		{"a settlement of a sale that was not made", open, everywhere(`"sale":"sale"`, `"sale":"other"`), "entry/coop/share, it cannot be booked: sale other of coop:coop:coffee was never made"},
		{"a sale that is settled and stays open", open, inRecord("sale/", `"state":"settled"`, `"state":"sold"`), "sale/coop:coop:coffee/sale, the sale that is settled; expected {"},
		{"a cost is paid twice over", costs, inRecords(`..10000"`, `..20000"`), "hold/coop:coop:coffee/share.0.0, the spans that the hold keeps; expected 0..10000, found 0..20000"},
		{"a household gets a unit less", page, inRecords("5933.33 CNY", "5933.32 CNY"), "share/coop:coop:coffee/sale/0, what a household gets and pays of the sale is its part by weight: " + string(houseOf(5)) + "; expected 593333, found 593332"},
		{"a household gets another's money", page, inRecords(string(cashOf(5)), string(cashOf(6))), "share/coop:coop:coffee/sale/0, what a household gets and pays of the sale is its part by weight: " + string(houseOf(5)) + "; expected 593333, found 0"},
		{"the loan is repaid by less than the sale holds back", page, everywhere("1032.66 CNY", "1032.65 CNY"), "job/coop:coop:coffee/share, what line 2 pays to lender:bank:coffee; expected 796734..899999, found 796734..900000"},
		{"what repays a loan goes elsewhere", page, everywhere(string(lending), "lender:bank:tea"), "entry/coop/share-1, it cannot be booked: account lender:bank:tea was never opened"},
		{"a loan's book has more than the sale paid", page, inRecord("progress/", `"amount":"1032.66 CNY","date":"2026-02-01"`, `"amount":"1032.67 CNY","date":"2026-02-01"`), "dividend/coop:coop:coffee/sale, what a sale pays for " + nameOf(1) + " to lender:bank:coffee is what loans, calls and claims were paid; expected 103267, found 103266"},
		{"what a sale pays is another entry's", page, inRecord("progress/", `"entry":"coop/share-1"}],`, `"entry":"coop/share-9"}],`), "dividend/coop:coop:coffee/sale, what a sale pays for " + nameOf(1) + " to lender:bank:coffee is what loans, calls and claims were paid; expected 0, found 103266"},
		{"a lot that weighs more than there can be", place{"Harvest:Deliver", "lot-1"}, everywhere(`"100000"`, `"4611686018427387904"`), "entry/coop/lot-1, it cannot be booked: it weighs 4611686018427387904 g"},
		{"a sale of less than nothing", place{"Harvest:Sell", "sale"}, everywhere(`"9000.00 CNY"`, `"-9000.00 CNY"`), "sale/coop:coop:coffee/sale, price times weight; expected 900000, found -900000"},
		{"a share of less than nothing", place{"Harvest:Sell", "sale"}, inRecord("share/", `"grams":"100000"`, `"grams":"-1"`), "share/coop:coop:coffee/sale/0, whose the grams are"},
		{"a repayment hands on less than nothing", place{"Loan:RepayLoan", "repay"}, inEntry(`"organisation":"bank",`, `"organisation":"bank","postings":[{"amount":"-1.00 CNY","from":"`+string(lending)+`","to":"`+string(coffee)+`"}],`),
			"entry/bank/repay, it cannot be booked: -100 minor units are taken of lender:bank:coffee"},
		{"a repayment of another kind", place{"Loan:RepayLoan", "repay"}, inEntry(`"kind":"repay-loan"`, `"kind":"refund"`), "entry/bank/repay, the kind of the entry; expected repay-loan, found refund"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			blocks := v.chain()
			rewrite(blocks[test.where.in(blocks)], 0, test.change)
			finds(t, booked(t, blocks), "\n"+test.prints)
		})
	}
}
