package signing

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/assessment"
	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/message"
)

const (
	campaign = tape.AccountID("charity:sunrise:speech")
	scheme   = tape.AccountID("coop:moon:coffee")
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

func encoded(t testing.TB, command any) []byte {
	t.Helper()
	text, err := canonical.Encode(command)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestForms reads the contracts: every function that takes intents has a form,
// and each form has the action that the contract judges.
func TestForms(t *testing.T) {
	judged := map[string][]string{}
	sources, err := filepath.Glob("../../chaincode/contract/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatal(err)
	}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if function, is := declaration.(*ast.FuncDecl); is && function.Recv != nil && takesIntents(function) {
				star, _ := function.Recv.List[0].Type.(*ast.StarExpr)
				contract, _ := star.X.(*ast.Ident)
				judged[contract.Name+":"+function.Name.Name] = texts(function)
			}
		}
	}
	if len(judged) < 20 {
		t.Fatalf("only %v take intents", slices.Sorted(maps.Keys(judged)))
	}
	for function, words := range judged {
		f, known := forms[function]
		if !known {
			t.Errorf("%s takes intents and cannot be put into words", function)
		}
		if known && !slices.Contains(words, f.action) {
			t.Errorf("%s: the action %s is none of %v", function, f.action, words)
		}
	}
	for function := range forms {
		if judged[function] == nil && function != "Party:Rotate" {
			t.Errorf("%s takes no intents", function)
		}
	}
}

func takesIntents(function *ast.FuncDecl) bool {
	found := false
	ast.Inspect(function, func(node ast.Node) bool {
		if name, is := node.(*ast.Ident); is && name.Name == "runSigned" && function.Name.Name != "runSigned" {
			found = true
		}
		return true
	})
	return found
}

func texts(function *ast.FuncDecl) []string {
	found := []string{}
	ast.Inspect(function, func(node ast.Node) bool {
		if literal, is := node.(*ast.BasicLit); is && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				found = append(found, text)
			}
		}
		return true
	})
	return found
}

var unfilled = regexp.MustCompile(`\{\{`)

// TestRead: the words of every command in both languages, every figure filled in.
func TestRead(t *testing.T) {
	address := party.Address{1}
	pooled := pool.Terms{Agreement: merkle.Hash{1}, AnnualPartsPerMillion: 100_000, ClassMin: "substandard", LoanMax: cny(9000), Nature: pool.Compensation,
		Tiers: []pool.Tier{{RatioPartsPerMillion: 800_000, ToBasisPoints: 200}, {RatioPartsPerMillion: 300_000, ToBasisPoints: 800}}}
	for _, c := range []struct {
		function string
		command  any
		amount   string
		want     string
	}{
		{"Fund:OpenCampaign", fund.OpenCampaign{Account: campaign, Plan: fund.Plan{Goal: cny(100), Lines: []fund.BudgetLine{{Amount: cny(100)}}, Title: fund.Text{Zh: "言语"}}}, "0.00 CNY", "“言语”, with a goal of 1.00 CNY"},
		{"Fund:AmendCampaign", fund.AmendCampaign{Account: campaign, Plan: fund.Plan{Goal: cny(100), Lines: []fund.BudgetLine{{Amount: cny(100)}}, Title: fund.Text{En: "Speech"}}}, "0.00 CNY", "“Speech”"},
		{"Fund:AcceptFiling", fund.AcceptFiling{Account: campaign, Number: "53"}, "0.00 CNY", "number 53"},
		{"Fund:CloseCampaign", fund.CloseCampaign{Account: campaign}, "0.00 CNY", "Close campaign"},
		{"Fund:Carry", fund.Carry{Account: campaign, Amount: cny(5)}, "0.05 CNY", "0.05 CNY"},
		{"Fund:Invite", fund.Invite{Account: campaign, Partner: "partner:school"}, "0.00 CNY", "Invite partner:school"},
		{"Fund:Invite", fund.Invite{Account: campaign, Partner: "partner:school", Withdraw: true}, "0.00 CNY", "Withdraw the invitation"},
		{"Fund:Enrol", fund.Enrol{Account: campaign, Payees: []fund.NewPayee{{}, {}}}, "0.00 CNY", "Put 2 payees"},
		{"Fund:AppointAgent", fund.AppointAgent{Account: campaign, Person: "agent", PayeesMax: 3}, "0.00 CNY", "Appoint agent"},
		{"Fund:AppointAgent", fund.AppointAgent{Account: campaign, Person: "agent", End: true}, "0.00 CNY", "End the part of agent"},
		{"Fund:ReplacePerson", fund.ReplacePerson{Account: campaign, Payee: "outside:supplier:s1", Person: "h2", Reason: "lost-key"}, "0.00 CNY", "Let h2 confirm"},
		{"Fund:SetFlag", fund.SetFlag{Account: campaign, Payee: "outside:household:ddbbcoobeooegjmdolfcpojadccomibn", Raise: true, Reason: "complaint"}, "0.00 CNY", "Stop payouts"},
		{"Fund:SetFlag", fund.SetFlag{Account: campaign, Payee: "outside:household:ddbbcoobeooegjmdolfcpojadccomibn", Reason: "cleared"}, "0.00 CNY", "go on again"},
		{"Fund:CallBackPayee", fund.CallBackPayee{Account: campaign, Payee: "outside:household:ddbbcoobeooegjmdolfcpojadccomibn", Outcome: "denied"}, "0.00 CNY", "denied"},
		{"Fund:Confirm", fund.Confirm{Account: campaign, Amount: cny(6000), Hold: "d1.0.0", Outcome: fund.Arrived}, "60.00 CNY", "Confirm that 60.00 CNY of payout d1.0.0"},
		{"Fund:Confirm", fund.Confirm{Account: campaign, Amount: cny(6000), Hold: "d1.0.0", Outcome: fund.Disputed, Reason: "late"}, "60.00 CNY", "Dispute payout d1.0.0 from charity:sunrise:speech over 60.00 CNY (reason: late)"},
		{"Fund:Cite", fund.Cite{Account: campaign, For: "d1.0.0", Evidence: []fund.Citation{{}}}, "0.00 CNY", "1 documents for d1.0.0"},
		{"Fund:Publish", fund.Publish{Account: campaign, N: 4, From: "2026-01-01", To: "2026-02-01", Figures: fund.Figures{Raised: cny(0), Settled: cny(0), Ordered: cny(0), Paid: cny(0), Confirmed: cny(0), Management: cny(0)}}, "0.00 CNY", "number 4"},
		{"Fund:Propose", fund.Propose{Account: campaign, Amount: cny(6000), Count: 7, ID: "d1", Line: "training"}, "60.00 CNY", "pay 60.00 CNY to 7 payees"},
		{"Fund:Approve", fund.Approve{Account: campaign, Disbursement: "d1"}, "60.00 CNY", "Approve disbursement d1 of 60.00 CNY"},
		{"Fund:Reject", fund.Reject{Account: campaign, Disbursement: "d1", Reason: "budget"}, "60.00 CNY", "Reject disbursement d1"},
		{"Harvest:Agree", harvest.Agree{Agreement: harvest.Agreement{Commodity: "coffee", Forms: []harvest.Form{}, Stores: []harvest.Store{{}, {}}}, Account: scheme}, "", "coffee of coop:moon:coffee is weighed"},
		{"Harvest:Deliver", harvest.Deliver{Form: "cherry", Grade: "ripe", GrossGrams: 21000, Household: "household:ddbbcoobeooegjmdolfcpojadccomibn:coffee", NetGrams: 20000, Account: scheme, Store: "mill"}, "", "20000 g net (21000 g gross) of cherry ripe"},
		{"Harvest:Merge", harvest.Merge{ID: "m1", Lots: []tape.ID{"a", "b"}, Account: scheme}, "", "Merge 2 lots of coop:moon:coffee into lot m1"},
		{"Harvest:Process", harvest.Run{LossGrams: 8000, Lots: []tape.ID{"a"}, Outputs: []harvest.Output{{}}, Process: "hulling", Account: scheme}, "", "hulling"},
		{"Harvest:Bag", harvest.Bag{Lot: "a", Account: scheme, Units: []harvest.Unit{{}}}, "", "lot a of coop:moon:coffee into 1 bags"},
		{"Harvest:Ship", harvest.Ship{Lots: []tape.ID{"a"}, Account: scheme, Store: "port"}, "", "Ship 1 lots of coop:moon:coffee to port"},
		{"Harvest:Arrive", harvest.Arrive{ID: "a1", Lots: []tape.ID{"a"}, Account: scheme}, "", "Confirm that 1 lots"},
		{"Harvest:Sell", harvest.Sell{Buyer: "outside:buyer:roaster", Lots: []tape.ID{"a"}, PricePerTonne: cny(100), Proceeds: cny(6000), Account: scheme}, "60.00 CNY", "Sell 1 lots of coop:moon:coffee to outside:buyer:roaster for 60.00 CNY, at 1.00 CNY a tonne"},
		{"Harvest:Pledge", harvest.Pledge{Lender: "bank", Loan: "loan-1", Lot: "a", Account: scheme}, "", "Pledge lot a of coop:moon:coffee to bank for loan loan-1"},
		{"Harvest:Pledge", harvest.Pledge{CoverPartsPerMillion: 1_500_000, Lender: "bank", Loan: "l1", Lot: "a", Account: scheme, ValuePerTonne: cny(30_000_00)}, "", "at a value of 30000.00 CNY a tonne and a cover of 1500000 parts per million"},
		{"Harvest:ReleasePledge", harvest.ReleasePledge{Grams: 5000, Lot: "a", Account: scheme}, "", "Release 5000 g"},
		{"Harvest:CorrectDelivery", harvest.CorrectDelivery{Lot: "a", Reason: "incorrect_data", Account: scheme}, "", "Take delivery a"},
		{"Harvest:CorrectStep", harvest.CorrectStep{Reason: "did_not_occur", Account: scheme, Step: "m1"}, "", "Undo step m1"},
		{"Harvest:CorrectSale", harvest.CorrectSale{Reason: "did_not_occur", Sale: "s1", Account: scheme}, "60.00 CNY", "Undo sale s1"},
		{"Loan:OpenLending", tape.Open{Account: "lender:bank:coffee", Attribution: tape.FIFO, Currency: "CNY"}, "", "loans of bank"},
		{"Loan:OfferProduct", loan.OfferProduct{Account: scheme, Product: "season", Version: 2, Conditions: loan.Conditions{Lenders: []loan.Lender{}, Purposes: []string{}, PrincipalMin: cny(100_00), PrincipalMax: cny(900_00), Terms: terms.Terms{Method: terms.Annuity, Instalments: 12, RatePartsPerMillion: 60_000}}}, "",
			"version 2 of loan season in coop:moon:coffee: 100.00 CNY to 900.00 CNY at 60000 parts per million a year, annuity, 12 instalments"},
		{"Loan:WithdrawProduct", loan.WithdrawProduct{Account: scheme, Product: "season"}, "", "Offer loan season of coop:moon:coffee no more"},
		{"Loan:ApplyForLoan", loan.Apply{Account: scheme, Amount: cny(6000), Group: "g1", Household: "household:ddbbcoobeooegjmdolfcpojadccomibn:coffee", ID: "l1", Product: "season", Purpose: "inputs"}, "60.00 CNY", "Ask for loan l1 of 60.00 CNY"},
		{"Loan:GuaranteeLoan", loan.Guarantee{Account: scheme, Application: "coop/l1", Loan: "l1"}, "60.00 CNY", "Guarantee loan l1 of 60.00 CNY in coop:moon:coffee jointly and severally"},
		{"Loan:DecideLoan", loan.Decide{Account: scheme, Amount: cny(6000), Loan: "l1", Reason: "income"}, "60.00 CNY", "Approve 60.00 CNY of loan l1"},
		{"Loan:WithdrawLoan", loan.WithdrawLoan{Account: scheme, Loan: "l1"}, "60.00 CNY", "Take loan l1"},
		{"Loan:ContractLoan", loan.ContractLoan{Account: scheme, Advances: []terms.Advance{{Amount: cny(6000), Date: "2026-01-01"}}, Loan: "l1", Quote: party.Hash{1}}, "60.00 CNY", "fingerprint 01000000"},
		{"Loan:DisburseLoan", loan.Disburse{Account: scheme, Amount: cny(6000), Loan: "l1", To: "outside:supplier:s1", Tranche: 1}, "60.00 CNY", "Pay 60.00 CNY of loan l1 in coop:moon:coffee out to outside:supplier:s1 (part 1)"},
		{"Loan:OfferProduct", loan.OfferProduct{Account: scheme, Product: "line", Version: 1, Conditions: loan.Conditions{Lenders: []loan.Lender{}, Purposes: []string{}, PrincipalMin: cny(100_00), PrincipalMax: cny(900_00), Terms: terms.Terms{Method: terms.Bullet, Revolving: true, Instalments: 12, RatePartsPerMillion: 60_000}}}, "",
			"line of credit line in coop:moon:coffee: limits of 100.00 CNY to 900.00 CNY"},
		{"Loan:ApplyForLoan", loan.Apply{Account: scheme, Amount: cny(6000), Group: "g1", Household: "household:ddbbcoobeooegjmdolfcpojadccomibn:coffee", ID: "l1", Product: "line", Purpose: "inputs", Terms: terms.Terms{Revolving: true}}, "60.00 CNY", "at most 60.00 CNY are out at a time"},
		{"Loan:DrawLoan", loan.DrawLoan{Account: scheme, Amount: cny(6000), Loan: "l1", Tranche: 2}, "60.00 CNY", "Draw 60.00 CNY on loan l1 of coop:moon:coffee (draw 2)."},
		{"Loan:DrawLoan", loan.DrawLoan{Account: scheme, Amount: cny(6000), Cancel: true, Loan: "l1", Order: "order-1", Tranche: 2}, "60.00 CNY", "Take draw 2 of 60.00 CNY on loan l1 of coop:moon:coffee back."},
		{"Loan:DrawLoan", loan.DrawLoan{Account: scheme, Amount: cny(6000), Loan: "l1", Order: "order-1", Tranche: 2}, "60.00 CNY", "for what came by order order-1 (draw 2)."},
		{"Loan:OrderSupplies", loan.OrderSupplies{Account: scheme, Amount: cny(6000), Category: "seedlings", Loan: "l1", Supplier: "outside:supplier:s1"}, "60.00 CNY", "Order seedlings for 60.00 CNY"},
		{"Loan:ConfirmDelivery", loan.ConfirmDelivery{Account: scheme, Order: "o1"}, "60.00 CNY", "Confirm that order o1"},
		{"Loan:ConfirmDelivery", loan.ConfirmDelivery{Account: scheme, Cancel: true, Order: "o1"}, "60.00 CNY", "Cancel order o1"},
		{"Loan:ChooseOverpayment", loan.ChooseOverpayment{Account: scheme, Loan: "l1"}, "60.00 CNY", "What was paid too much on loan l1 of coop:moon:coffee, lent as 60.00 CNY: pay it back to me"},
		{"Loan:ChooseOverpayment", loan.ChooseOverpayment{Account: scheme, For: "l2", Loan: "l1"}, "60.00 CNY", "keep it for the next instalment of my loan l2"},
		{"Loan:PayOverpayment", loan.PayOverpayment{Account: scheme, Loan: "l1", N: 1}, "60.00 CNY", "Pay 60.00 CNY to the household that paid too much on loan l1"},
		{"Loan:ReturnPart", loan.ReturnPart{Account: scheme, Loan: "l1"}, "60.00 CNY", "Return 60.00 CNY to the lender that collects for loan l1"},
		{"Loan:GiveNotice", loan.GiveNotice{Account: scheme, Days: 15, Instalment: 3, Loan: "l1"}, "", "instalment 3 of loan l1 of coop:moon:coffee, 15 days past due"},
		{"Loan:DefaultLoan", loan.Default{Account: scheme, Loan: "l1"}, "", "Declare loan l1"},
		{"Loan:DeclareStay", loan.DeclareStay{Account: scheme, From: "2026-01-01", Kind: "frost", To: "2026-02-01"}, "", "Declare frost"},
		{"Loan:RestructureLoan", loan.Restructure{Account: scheme, Loan: "l1", TermEnd: "2027-01-01", Terms: terms.Terms{Method: terms.Annuity, Instalments: 12}}, "60.00 CNY", "annuity, 12 instalments, the last by 2027-01-01"},
		{"Loan:TakeOverLoan", loan.TakeOver{Account: scheme, Advances: []terms.Advance{{Amount: cny(6000), Date: "2025-03-01"}}, Evidence: party.Hash{1}, Loan: "l1", Payments: []terms.Payment{{Amount: cny(100), Date: "2025-04-01"}}}, "60.00 CNY", "lent as 60.00 CNY since 2025-03-01, with 1 payments made"},
		{"Loan:WriteOffLoan", loan.WriteOff{Account: scheme, Loan: "l1"}, "60.00 CNY", "Write loan l1"},
		{"Loan:AddCosts", loan.AddCosts{Account: scheme, Amount: cny(6000), Loan: "l1"}, "60.00 CNY", "Charge 60.00 CNY"},
		{"Credit:Attest", assessment.Attest{Account: scheme, Day: "2026-01-01", Household: "household:ddbbcoobeooegjmdolfcpojadccomibn:coffee", Indicator: "meetings-attended", Lender: "bank", Value: 950_000}, "",
			"Attest to bank that meetings-attended of household:ddbbcoobeooegjmdolfcpojadccomibn:coffee in coop:moon:coffee was 950000 on 2026-01-01"},
		{"Credit:Retract", assessment.Retract{Account: scheme, Indicator: "meetings-attended", Lender: "bank", Source: "attestation/coop/a1"}, "", "by attestation/coop/a1"},
		{"Credit:Assess", assessment.Assess{Account: scheme, Household: "household:ddbbcoobeooegjmdolfcpojadccomibn:coffee", IncomeMax: cny(6000)}, "", "its income bears 60.00 CNY at most"},
		{"Credit:DisputeInput", assessment.DisputeInput{Account: scheme, Indicator: "days-past-due", Lender: "bank", Source: "entry/coop/l1"}, "", "Contest days-past-due of"},
		{"Recourse:MakeCall", recourse.MakeCall{Account: scheme, Amount: cny(6000), Guarantors: []tape.AccountID{"household:a", "household:b"}, Instalments: []int32{1}, Loan: "l1"}, "60.00 CNY", "Call all 2 guarantors of loan l1 of coop:moon:coffee for 60.00 CNY"},
		{"Recourse:RespreadCall", recourse.Respread{Account: scheme, Call: "c1", Guarantor: "household:a", Loan: "l1"}, "", "what household:a has not paid"},
		{"Recourse:DeclareUnable", recourse.DeclareUnable{Account: scheme, Call: "c1", Evidence: []recourse.Citation{{Kind: "death"}}, Guarantor: "household:a", Loan: "l1"}, "", "household:a cannot pay its part of loan l1"},
		{"Recourse:DeclareUnable", recourse.DeclareUnable{Account: scheme, Call: "c1", Guarantor: "household:a", Lift: true, Loan: "l1"}, "", "household:a can pay again"},
		{"Recourse:ReleaseGuarantor", recourse.Release{Account: scheme, Call: "c1", Guarantor: "household:a", Loan: "l1"}, "", "Release household:a"},
		{"Recourse:WithdrawCall", recourse.WithdrawCall{Account: scheme, Call: "c1", Loan: "l1"}, "", "Withdraw call c1"},
		{"Recourse:ReimburseCall", recourse.Reimburse{Account: scheme, Amount: cny(6000), Call: "c1", Loan: "l1", Parts: []recourse.Handed{{Amount: cny(4000), To: "household:a"}, {Amount: cny(2000), Payment: "coop/p1/0", To: "household:b"}}}, "60.00 CNY", "has repaid its guarantors 60.00 CNY, and that your part has reached you: household:a 40.00 CNY; household:b 20.00 CNY."},
		{"Recourse:ContributeCall", recourse.Contribute{Account: scheme, Amount: cny(6000), Call: "c1", From: "household:a", Loan: "l1", To: "household:b"}, "60.00 CNY", "household:b has got 60.00 CNY of household:a"},
		{"Settlement:OpenSettlement", settlement.OpenSettlement{Account: scheme, Sale: "s1"}, "60.00 CNY", "Settle sale s1 of coop:moon:coffee over 60.00 CNY"},
		{"Settlement:AbandonSettlement", settlement.AbandonSettlement{Account: scheme, Sale: "s1"}, "60.00 CNY", "Abandon the settlement of sale s1 of coop:moon:coffee over 60.00 CNY"},
		{"Settlement:PayAgain", settlement.PayAgain{Account: scheme, Hold: "s1.0.4", Sale: "s1"}, "60.00 CNY", "Pay 60.00 CNY of sale s1 of coop:moon:coffee again: payout s1.0.4 came back"},
		{"Settlement:ChoosePrepayment", settlement.ChoosePrepayment{Account: scheme, Amount: cny(6000), Household: "household:ddbbcoobeooegjmdolfcpojadccomibn:coffee", Loan: "l1"}, "60.00 CNY", "up to 60.00 CNY of loan l1"},
		{"Pool:OpenPoolAccount", tape.Open{Account: "pool:insurer:county", Attribution: tape.FIFO, Currency: "CNY"}, "", "compensation pool of insurer"},
		{"Pool:OpenPool", pool.OpenPool{Account: "pool:insurer:county", Terms: pooled}, "", "at most 90.00 CNY for one loan, 800000 parts per million of a loss at best (2 tiers), and 100000 parts per million"},
		{"Pool:AmendPool", pool.AmendPool{Account: "pool:insurer:county", Terms: pooled}, "", "Offer other terms of pool pool:insurer:county, for loans to come"},
		{"Pool:AcceptPool", pool.AcceptTerms{Account: "pool:insurer:county", Version: 2}, "", "Accept version 2"},
		{"Pool:FreezeQuarter", pool.Freeze{Account: "pool:insurer:county", Figures: pool.Figures{Gross: 100, NonPerforming: 20, WrittenOff: 3}, Lender: "bank", Quarter: "2026-03-31"}, "", "bank had lent on 2026-03-31 for pool pool:insurer:county, in minor units: 100 in all, 20 of it non-performing, 3 written off"},
		{"Pool:AdmitPoolLoan", pool.AdmitLoan{Account: "pool:insurer:county", Lender: "bank", Loan: "l1", Scheme: scheme}, "", "to loan l1 of bank in coop:moon:coffee"},
		{"Pool:SubmitPoolClaim", pool.SubmitClaim{Account: "pool:insurer:county", Claim: "c1", Evidence: []pool.Citation{{Kind: "visit"}}, Loan: "l1", Scheme: scheme}, "", "for loan l1 of coop:moon:coffee, as claim c1 with 1 documents"},
		{"Pool:VerifyPoolClaim", pool.Step{Account: "pool:insurer:county", Claim: "c1"}, "", "the figures of claim c1"},
		{"Pool:ReviewPoolClaim", pool.Step{Account: "pool:insurer:county", Claim: "c1"}, "", "Take up claim c1"},
		{"Pool:ApprovePoolClaim", pool.Step{Account: "pool:insurer:county", Claim: "c1"}, "60.00 CNY", "Approve claim c1 on pool pool:insurer:county for a loss of 60.00 CNY"},
		{"Pool:ReturnPoolClaim", pool.Decline{Account: "pool:insurer:county", Claim: "c1", Reason: "figures"}, "", "claim c1 on pool pool:insurer:county back (reason: figures)"},
		{"Pool:RejectPoolClaim", pool.Decline{Account: "pool:insurer:county", Claim: "c1", Reason: "terms"}, "60.00 CNY", "Reject claim c1 on pool pool:insurer:county for a loss of 60.00 CNY"},
		{"Pool:ShareRecovery", pool.Recover{Account: "pool:insurer:county", Amount: cny(9000), Claim: "c1", Cost: cny(6000), Payment: "bank/r1/0"}, "60.00 CNY", "recovering 90.00 CNY on claim c1 of pool pool:insurer:county cost its lender 60.00 CNY"},
		{"Pool:ClosePoolClaim", pool.CloseClaim{Account: "pool:insurer:county", Claim: "c1", Reason: "settled"}, "", "Close claim c1"},
		{"Books:CloseMonth", bookkeeping.CloseMonth{Entries: 3, Month: "2026-11", Organisation: "coop", Totals: []bookkeeping.Total{{Currency: "CNY", Debit: 9000, Credit: 9000}, {Currency: "CNY", Memo: true, Debit: 50, Credit: 50}}}, "", "Close 2026-11 of the books of coop: 3 entries, debits and credits of 90.00 CNY, (0.50 CNY) each. SHA-256 of the trial balance: 0000"},
		{"Fund:ReceiveGoods", fund.ReceiveGoods{Account: campaign, Item: "rice", Quantity: 5, Unit: "kg"}, "0.00 CNY", "5 kg of rice"},
		{"Fund:GiveGoods", fund.GiveGoods{Account: campaign, Goods: "rice", Quantity: 5, To: "outside:household:ddbbcoobeooegjmdolfcpojadccomibn"}, "0.00 CNY", "Hand 5"},
		{"Tape:Spend", tape.Spend{Account: campaign, Payments: []tape.Payment{{Amount: cny(1)}, {Amount: cny(2)}}}, "0.03 CNY", "Pay 0.03 CNY"},
		{"Tape:OpenJob", tape.OpenJob{Account: campaign, Amount: cny(3), ID: "job-1"}, "0.03 CNY", "job-1"},
		{"Tape:Release", tape.Release{Account: campaign, Hold: "d1.0.0"}, "0.03 CNY", "Give up payout d1.0.0"},
		{"Tape:Hold", tape.OrderHolds{Account: campaign, Holds: []tape.HoldOrder{{Amount: cny(1)}, {Amount: cny(2)}}}, "0.03 CNY", "Order 2 payouts of 0.03 CNY"},
		{"Tape:Memo", tape.Memo{Account: campaign, Postings: []tape.MemoPosting{{Amount: cny(3)}}}, "0.03 CNY", "1 accruals"},
		{"Tape:Refund", tape.Refund{Account: campaign, Gift: proof(t), To: "outside:donor:1"}, "0.99 CNY", "Refund gift g-1 of charity:sunrise:speech, 0.99 CNY"},
		{"Tape:Identify", tape.Identify{Account: campaign, Gift: proof(t), To: "charity:sunrise:relief"}, "1.00 CNY", "to charity:sunrise:relief"},
		{"Tape:Identify", tape.Identify{Account: campaign, Gift: proof(t), Hold: "d1.0.0", To: "charity:sunrise:relief"}, "1.00 CNY", "payout d1.0.0 of charity:sunrise:relief that came back"},
		{"Tape:Correct", tape.Correct{Account: campaign, Gift: proof(t), Reason: "wrong-reference", To: "charity:sunrise:relief"}, "1.00 CNY", "from charity:sunrise:speech to charity:sunrise:relief"},
		{"Tape:Withdraw", tape.Withdraw{Account: campaign, Page: "page-1", Reason: "not-paid"}, "1.00 CNY", "Withdraw page page-1"},
		{"Group:OpenScheme", group.OpenScheme{Account: coffee, Lenders: []string{"bank", "union"}, Terms: lending()}, "", "for the lenders bank, union to accept"},
		{"Group:AmendScheme", group.AmendScheme{Account: coffee, Lenders: []string{"bank"}, Terms: lending()}, "", "Propose other terms"},
		{"Group:AcceptScheme", group.AcceptScheme{Account: coffee, Proposal: "coop/open-1"}, "", "that coop/open-1 brought"},
		{"Group:NameSupplier", group.NameSupplier{Account: coffee, Categories: []string{"feed"}, Controllers: []string{"x"}, Supplier: "outside:supplier:s1"}, "", "pay outside:supplier:s1 for feed"},
		{"Group:NameSupplier", group.NameSupplier{Account: coffee, Categories: []string{"feed"}, Controllers: []string{"x"}, Supplier: "outside:supplier:s1", Withdraw: true}, "", "no longer"},
		{"Group:Relate", group.Relate{Account: coffee, Household: house, Other: "household:b"}, "", "are close kin: they"},
		{"Group:Relate", group.Relate{Account: coffee, Household: house, Other: "household:b", Withdraw: true}, "", "Take back"},
		{"Group:Admit", group.Admit{Account: coffee, Household: house, Person: "h1"}, "", "with h1 to sign for it"},
		{"Group:ReplaceSigner", group.ReplaceSigner{Account: coffee, Household: house, Person: "h2", Reason: "lost-key"}, "", "Let h2 sign for"},
		{"Group:Leave", group.Leave{Account: coffee, Household: house}, "", "Leave the lending scheme"},
		{"Group:FormGroup", group.FormGroup{Account: coffee, Group: "g1", Agreement: group.Agreement{Expiry: "2028-12-31", GroupMax: cny(300), Lenders: []string{"bank"}, MemberMax: cny(200), Members: make([]group.Share, 4)}}, "", "4 households, until 2028-12-31, for 3.00 CNY at most, each for 2.00 CNY"},
		{"Group:SignGroup", group.SignGroup{Account: coffee, Agreement: party.Hash{1}, Group: "g1", Household: house}, "", "guarantee jointly and severally what the others of group g1"},
		{"Group:SignGroup", group.SignGroup{Account: coffee, Agreement: party.Hash{1}, Group: "g1", Household: house, Joining: "household:b"}, "", "agree that household:b joins group g1"},
		{"Group:Endorse", group.Endorse{Account: coffee, Group: "g1"}, "", "Endorse the guarantee group g1"},
		{"Group:ApproveGroup", group.ApproveGroup{Account: coffee, Group: "g1"}, "", "Approve the guarantee group g1"},
		{"Group:RejectGroup", group.RejectGroup{Account: coffee, Group: "g1", Reason: "credit"}, "", "(reason: credit)"},
		{"Group:Exit", group.Exit{Account: coffee, Group: "g1", Household: house}, "", "Leave group g1"},
		{"Group:Exit", group.Exit{Account: coffee, Group: "g1", Household: house, Tail: true}, "", "go on guaranteeing"},
		{"Group:Expel", group.Expel{Account: coffee, Group: "g1", Household: house}, "", "Expel"},
		{"Group:Expel", group.Expel{Account: coffee, Group: "g1", Household: house, Assume: true}, "", "take over what it owes"},
		{"Group:Refill", group.Refill{Account: coffee, Group: "g1", Household: house, Members: []group.Share{{Household: house}}}, "", "joins group g1"},
		{"Group:MemberDied", group.MemberDied{Account: coffee, Household: house}, "", "has died"},
		{"Group:WindDown", group.WindDown{Account: coffee, Group: "g1", Reason: "expired"}, "", "for good: expired"},
		{"Party:Suspend", party.SuspendCommand{Address: address, ID: "x", Person: "me"}, "", "Suspend the key 0x01"},
		{"Party:Revoke", party.RevokeCommand{ID: "x", Person: "me"}, "", "Revoke person me"},
		{"Party:Rotate", party.RotateCommand{Address: address, Custody: party.Own, Duty: party.DutyMember, ID: "x", Person: "me"}, "", "to 0x01"},
	} {
		command := encoded(t, c.command)
		act, err := Read(c.function, command, c.amount)
		if err != nil {
			t.Errorf("%s: %v", c.function, err)
			continue
		}
		english, chinese := act.Message.Text("en"), act.Message.Text("zh-CN")
		if !strings.Contains(english, c.want) || unfilled.MatchString(english+chinese) || english == chinese || english == act.Message.Key {
			t.Errorf("%s: %s\n%s", c.function, english, chinese)
		}
		if forms[c.function].measure != known { // any other amount is another's word
			if _, err := Read(c.function, command, "77.77 CNY"); err == nil {
				t.Errorf("%s: another amount was taken", c.function)
			}
		}
		var fields map[string]any
		if err := json.Unmarshal(command, &fields); err != nil {
			t.Fatal(err)
		}
		fields["extra"] = "x"
		if _, err := Read(c.function, encoded(t, fields), c.amount); err == nil {
			t.Errorf("%s: an unknown field was taken", c.function)
		}
	}
}

const (
	coffee = tape.AccountID("coop:coop:coffee")
	house  = tape.AccountID("household:ddbbcoobeooegjmdolfcpojadccomibn:coffee")
)

// lending are terms that can be written.
func lending() group.SchemeTerms {
	return group.SchemeTerms{LivingFloor: cny(0), MemberMax: cny(1), NoticeDays: []int32{1}}
}

func proof(t *testing.T) tape.GiftProof {
	t.Helper()
	shown, err := tape.NewGiftProof("page-1", []tape.Gift{{ID: "g-1", Amount: cny(100)}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return shown
}

// TestEveryKeyIsReached: no sentence about a command stands in the catalogues in vain.
func TestEveryKeyIsReached(t *testing.T) {
	keys := map[string]bool{"sign.confirm.arrived": true, "sign.confirm.disputed": true, "sign.invite.withdraw": true, "sign.appoint-agent.end": true, "sign.set-flag.lower": true, "sign.identify.returned": true,
		"sign.name-supplier.withdraw": true, "sign.relate.withdraw": true, "sign.sign-group.joining": true, "sign.exit.tail": true, "sign.expel.assume": true, "sign.confirm-delivery.cancel": true, "sign.declare-unable.lift": true, "sign.choose-overpayment.keep": true,
		"sign.apply-for-loan.line": true, "sign.offer-product.line": true, "sign.draw-loan.cancel": true, "sign.draw-loan.order": true, "sign.pledge.worth": true}
	for _, f := range forms {
		if f.action != "confirm" {
			keys["sign."+f.action] = true
		}
	}
	for key := range message.Catalogue("en") {
		if strings.HasPrefix(key, "sign.") && !keys[key] {
			t.Errorf("%s is said of no command", key)
		}
		delete(keys, key)
	}
	if len(keys) > 0 {
		t.Errorf("not in the catalogue: %v", keys)
	}
	for _, custody := range []party.Custody{party.Own, party.Card, party.AgentHeld, party.GatewayHeld} {
		if message.Catalogue("en")[CustodyKey(custody)] == "" {
			t.Errorf("%s has no words", custody)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for function, code := range map[string]rule.Code{"Tape:Settle": rule.Unsupported, "": rule.Unsupported, "Fund:Approve": rule.Invalid} {
		if _, err := Read(function, []byte(`{}`), "1.00 CNY"); !rule.Is(err, code) {
			t.Errorf("%q: %v", function, err)
		}
	}
	huge := tape.Spend{Account: campaign, Payments: []tape.Payment{{Amount: cny(money.Max)}, {Amount: cny(money.Max)}}}
	if _, err := Read("Tape:Spend", encoded(t, huge), "0.00 CNY"); err == nil {
		t.Error("a sum beyond all money was read")
	}
}

func TestLines(t *testing.T) {
	lines, err := Lines([]byte(`{"a":"x","b":[{"c":1},true,null],"d":{"e":"\u001b[2Ky\u202e"},"f":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Line{{"a", "x"}, {"b[0].c", "1"}, {"b[1]", "true"}, {"b[2]", "null"}, {"d.e", `\x1b[2Ky\u202e`}}
	if !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
}

// FuzzVisible: what is shown can move no cursor and turn no text around.
func FuzzVisible(f *testing.F) {
	for _, seed := range []string{"言语训练 100.00 CNY", "\x1b[2K\r", "\u202egnp.exe", "\u200f\u2066\u00a0\u3000\ufeff", "\xff", "a\u0301"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range Visible(text) {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff || r == 0x61c {
				t.Errorf("%q is shown with U+%04X", text, r)
			}
		}
	})
}

func draft(t testing.TB) Draft {
	t.Helper()
	return Draft{V: 1, ID: strings.Repeat("ab", 16), Ledger: party.LedgerID{7}, Person: "maker", Function: "Fund:Approve", Amount: "60.00 CNY",
		Command: encoded(t, fund.Approve{Account: campaign, Disbursement: "d1", ID: "ok-1"}), Expires: 1_800_003_600_000}
}

func TestDraftFile(t *testing.T) {
	d := draft(t)
	file, err := d.File()
	if err != nil {
		t.Fatal(err)
	}
	read, err := ParseDraft(append(file[:len(file)-1], "\r\n"...))
	if err != nil || !read.same(d) || read.Person != d.Person || read.ID != d.ID {
		t.Errorf("%s reads as %+v: %v", file, read, err)
	}
	for what, change := range map[string]func(*Draft){
		"another version": func(d *Draft) { d.V = 2 }, "a short id": func(d *Draft) { d.ID = "ab" }, "upper case": func(d *Draft) { d.ID = strings.Repeat("AB", 16) },
		"no person": func(d *Draft) { d.Person = "" }, "a deadline within a second": func(d *Draft) { d.Expires++ }, "no amount": func(d *Draft) { d.Amount = "" },
		"another function": func(d *Draft) { d.Function = "Fund:Confirm" }, "somebody else's key": func(d *Draft) {
			d.Function, d.Amount, d.Command = "Party:Revoke", "", encoded(t, party.RevokeCommand{ID: "x", Person: "checker"})
		},
	} {
		d := draft(t)
		change(&d)
		file, err := d.File()
		if err != nil {
			t.Fatal(err)
		}
		if read, err := ParseDraft(file); err == nil {
			t.Errorf("%s: %+v", what, read)
		}
	}
}

// FuzzParseDraft: what is read is written the same, and can be signed.
func FuzzParseDraft(f *testing.F) {
	file, err := draft(f).File()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Fuzz(func(t *testing.T, file []byte) {
		d, err := ParseDraft(file)
		if err != nil {
			return
		}
		again, err := d.File()
		if err != nil || strings.TrimRight(string(again), "\r\n") != strings.TrimRight(string(file), "\r\n") {
			t.Errorf("%q is written %q: %v", file, again, err)
		}
		if _, err := d.Statement(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzParseIntent: what is read has one spelling.
func FuzzParseIntent(f *testing.F) {
	f.Add(encoded(f, party.Intent{Person: "maker", Deadline: 1000}))
	f.Fuzz(func(t *testing.T, text []byte) {
		intent, err := ParseIntent(text)
		if err != nil {
			return
		}
		if again := encoded(t, intent); string(again) != strings.TrimSpace(string(text)) {
			t.Errorf("%q is written %q", text, again)
		}
	})
}

// FuzzParseKnock: what comes in at the door is one person's signed command.
func FuzzParseKnock(f *testing.F) {
	argument, err := Envelope(encoded(f, party.RevokeCommand{ID: "x", Person: "me"}), party.Intent{Person: "me", Deadline: 1000})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded(f, Knock{Argument: argument, Function: "Party:Revoke"}))
	f.Fuzz(func(t *testing.T, body []byte) {
		knock, command, intent, err := parseKnock(body)
		if err != nil {
			return
		}
		again, err := Envelope(command, intent)
		if err != nil || string(again) != string(knock.Argument) || !slices.Contains(Open(), knock.Function) {
			t.Errorf("%q is %s %q %+v: %v", body, knock.Function, command, intent, err)
		}
	})
}
