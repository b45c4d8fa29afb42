package acts

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	scheme  = tape.AccountID("coop:coop:season")
	lending = tape.AccountID("lender:bank:season")
)

// household is an invented household of the scheme, whose person is farmer-N.
func household(n int) string {
	return "household:" + string(tape.PseudonymFrom(fmt.Sprint("invented acts ", n))) + ":season"
}

// seasonWords are what a script of the season abbreviates.
func seasonWords() *strings.Replacer {
	pairs := []string{"CITED", recourse.CitationKinds()[0], "HASH", strings.Repeat("ab", 32), "SCHEME", string(scheme), "LENDING", string(lending)}
	for n := 1; n <= 9; n++ {
		own := household(n)
		pairs = append(pairs, fmt.Sprint("OUT", n), "outside:household:"+strings.Split(own, ":")[1], fmt.Sprint("HH", n), own)
	}
	return strings.NewReplacer(pairs...)
}

// TestSeasonActs is a script like that of TestActs, about a cooperative's season:
// everything that staff, lenders and households do about groups and loans.
func TestSeasonActs(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 9; n++ {
		w.register(tape.ID(fmt.Sprint("farmer-", n)), party.DutyMember, "coop")
	}
	w.register("walker", party.DutyAgent, "coop")
	w.plays(seasonScript, seasonWords(), "group", "loan", "harvest", "settlement", "recourse")
}

// seasonGoesOn does what is no act of the table.
func (w *world) seasonGoesOn(what string) {
	w.Helper()
	if days, of, _ := strings.Cut(what, " "); of == "days pass" {
		n, err := strconv.Atoi(days)
		w.check(err)
		w.network.Advance(time.Duration(n) * 24 * time.Hour)
		return
	}
	switch what {
	case "the lender has money":
		w.comes("bank", lending, "outside:bank:lending", "capital", 5_000_000)
	case "the bank pays l1":
		w.leaves(lending, "outside:bank:lending", "l1-out", "capital", 400_000, "out-1")
	case "the bank pays l2":
		w.leaves(lending, "outside:bank:lending", "l2-out", "l1-out", 100_000, "out-2")
	case "the buyer pays":
		w.comes("coop", scheme, "outside:bank:season", "proceeds", 450_000)
	case "the costs are paid and the rest is given up":
		left, err := Settle(w.Context(), w.asker("officer"), scheme, "sale-1")
		w.check(err)
		w.check(w.carry("officer", left.Chunks[0]))
		give := settlement.AbandonSettlement{Account: scheme, ID: "give-1", Sale: "sale-1"}
		w.check(w.carry("officer", Prepared{Function: "Settlement:AbandonSettlement", Command: give, ID: give.ID, Amount: yuan(450_000).String(), Persons: 2}))
		w.opensAs("sale-1", "settle-sale-1.again-1")
		w.opensAs("none", "settle-none")
	case "the sale is settled":
		w.settles("sale-1")
	case "a payout comes back":
		w.returns(scheme, "outside:bank:season", "back", "proceeds", 146_667, "settle-sale-1.again-1.1.0")
	case "a guarantor pays":
		w.comesBehind("bank", lending, "outside:bank:lending", "called", "other", 20_000)
		w.comesBehind("bank", lending, "outside:bank:lending", "again", "called", 20_000)
	case "the borrower pays everything":
		w.comesBehind("bank", lending, "outside:bank:lending", "payoff", "again", 500_000)
	case "a payment comes":
		w.comesBehind("bank", lending, "outside:bank:lending", "payment", "l2-out", 110_000)
		w.comesBehind("bank", lending, "outside:bank:lending", "other", "payment", 30_000)
	default:
		w.Fatalf("nobody knows how %q", what)
	}
}

// settles runs what is left of a settlement, and is interrupted after each chunk.
func (w *world) settles(sale tape.ID) {
	w.Helper()
	for of := -1; ; {
		left, err := Settle(w.Context(), w.asker("officer"), scheme, sale)
		w.check(err)
		if of >= 0 && len(left.Chunks) != of-1 {
			w.Errorf("%d chunks are left behind one of %d", len(left.Chunks), of)
		}
		if of = len(left.Chunks); of == 0 {
			w.check(w.carry("officer", *left.Close))
			break
		}
		w.check(w.carry("officer", left.Chunks[0]))
	}
	if left, err := Settle(w.Context(), w.asker("officer"), scheme, sale); err != nil || left.Close != nil || len(left.Chunks) > 0 {
		w.Errorf("what is left of a settlement that is closed: %+v %v", left, err)
	}
}

// opensAs finds that a sale's settlement is to be opened, and under which id.
func (w *world) opensAs(sale, id tape.ID) {
	w.Helper()
	if left, err := Settle(w.Context(), w.asker("officer"), scheme, sale); err != nil || left.Open != id || left.Close != nil {
		w.Errorf("a settlement that is to be opened as %s: %+v %v", id, left, err)
	}
}

// returns lets the bank pay a payout of an account, and get it back.
func (w *world) returns(account, bank tape.AccountID, id, previous tape.ID, units int64, hold tape.ID) {
	w.Helper()
	w.leaves(account, bank, id+"-out", previous, units, hold)
	line := tape.Line{Number: 1, Date: w.today(), Amount: yuan(units), Reference: referenceOf(id)}
	w.line(bank, id, id+"-out", tape.CreditSide, line)
	proof, err := tape.NewLineProof(id, 0, []tape.Line{line}, 0)
	w.check(err)
	w.as("bank", "gateway", "Tape:Return", tape.Return{Account: account, Amount: line.Amount, Hold: hold, ID: id + "-returned", Line: proof})
}

// banks are how much each statement of an invented bank ended with.
var banks = map[tape.ID]int64{}

// comes lets money of a bank's first statement come to an account.
func (w *world) comes(organisation string, account, bank tape.AccountID, id tape.ID, units int64) {
	w.Helper()
	w.comesBehind(organisation, account, bank, id, "", units)
}

// referenceOf is an invented reference of 22 characters.
func referenceOf(id tape.ID) string {
	return strings.Repeat("x", 21-len(id)) + string(id) + "A"
}

// today is the day by which the network counts.
func (w *world) today() tape.Date {
	day, err := tape.Zone("+08:00").Date(tape.Instant(w.network.Clock().UnixMilli()))
	w.check(err)
	return day
}

func (w *world) comesBehind(organisation string, account, bank tape.AccountID, id, previous tape.ID, units int64) {
	w.Helper()
	gift := tape.Gift{ID: id, Amount: yuan(units), Reference: referenceOf(id)}
	receive, err := tape.Receive{Account: account, ID: id + "-page", Count: 1, Total: gift.Amount, Gifts: []tape.Gift{gift}}.Encode()
	w.check(err)
	w.network.Advance(time.Second)
	_, err = w.network.Invoke(w.network.Identity(organisation, "gateway"), "Tape:Receive", string(receive))
	w.check(err)
	w.line(bank, id, previous, tape.CreditSide, tape.Line{Number: 1, Date: w.today(), Amount: gift.Amount, Reference: gift.Reference})
	w.as(organisation, "gateway", "Tape:Settle", tape.Settle{Account: account, ID: id + "-settled", Items: []tape.SettleItem{{Source: string(id) + "-page", Lines: &tape.LinesRef{Statement: id}}}})
}

// leaves lets the bank pay a payout of an account.
func (w *world) leaves(account, bank tape.AccountID, id, previous tape.ID, units int64, hold tape.ID) {
	w.Helper()
	line := tape.Line{Number: 1, Date: w.today(), Amount: yuan(units), Reference: referenceOf(id)}
	w.line(bank, id, previous, tape.DebitSide, line)
	execute, err := tape.NewExecute(account, id+"-executed", id, 0, []tape.Line{line}, []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{hold}}})
	w.check(err)
	w.as("bank", "gateway", "Tape:Execute", execute)
}

// line files a statement of one line.
func (w *world) line(bank tape.AccountID, id, previous tape.ID, side tape.Side, line tape.Line) {
	w.Helper()
	page, _, err := tape.LinesBody(side, []tape.Line{line})
	w.check(err)
	opening := banks[previous]
	closing := opening + line.Amount.Units
	if side == tape.DebitSide {
		closing = opening - line.Amount.Units
	}
	banks[id] = closing
	w.as("bank", "gateway", "Tape:FileStatement", tape.FileStatement{Account: bank, ID: id, Previous: previous, From: line.Date, To: line.Date, Opening: yuan(opening), Closing: yuan(closing), Count: 1, Pages: []tape.LinesPage{page}})
	w.as("bank", "gateway", "Tape:FileLines", tape.FileLines{Account: bank, ID: id + "-lines", Lines: []tape.Line{line}, N: 0, Statement: id})
}

const seasonScript = `
# a scheme and what is in it
open-scheme | officer | - | scheme=SCHEME;custodian=outside:bank:season;lenders=bank;member-max=60000.00 CNY;size-max=6 | size-max[0]. invalid: 6 is not 3 to 5
open-scheme | officer | - | scheme=SCHEME;custodian=outside:bank:season;lenders=bank;member-max=60000.00 | member-max[0]. invalid
open-scheme | officer | - | scheme=SCHEME;custodian=outside:bank:season;lenders=bank;member-max=60000.00 CNY | Group:OpenScheme 2
accept-scheme | officer | SCHEME |  | forbidden
accept-scheme | teller | SCHEME |  | Group:AcceptScheme 2
amend-scheme | officer | SCHEME | cure-days=0 | cure-days[0]. invalid
amend-scheme | officer | SCHEME | cooling-days=10;notice-days=1 15;default-days=20 | Group:AmendScheme 2
accept-scheme | teller | SCHEME |  | Group:AcceptScheme 2
name-supplier | officer | SCHEME | supplier=outside:supplier:seeds;categories=magic | categories[1]. invalid
name-supplier | officer | SCHEME | supplier=outside:supplier:seeds;categories=seed fertiliser;controllers=invented-household-99A | Group:NameSupplier 2
admit | officer | SCHEME | household=HH1;person=nobody;fingerprint=invented-household-01A;adult=yes;capacity=yes | person[0]. not-found
admit | officer | SCHEME | household=HH1;person=farmer-1;fingerprint=invented-household-01A;adult=yes | capacity[0]. invalid: is empty
admit | officer | SCHEME | household=HH1;person=farmer-1;fingerprint=invented-household-01A;adult=yes;capacity=yes | Group:Admit 2
admit | officer | SCHEME | household=HH2;person=farmer-2;fingerprint=invented-household-02A;adult=yes;capacity=yes | Group:Admit 2
admit | officer | SCHEME | household=HH3;person=farmer-3;fingerprint=invented-household-03A;adult=yes;capacity=yes | Group:Admit 2
admit | officer | SCHEME | household=HH4;person=farmer-4;fingerprint=invented-household-04A;adult=yes;capacity=yes;agent=walker | Group:Admit 3
admit | officer | SCHEME | household=HH5;person=farmer-5;fingerprint=invented-household-05A;adult=yes;capacity=yes | Group:Admit 2
relate | officer | SCHEME | household=HH4;other=HH4 | invalid
relate | officer | SCHEME | household=HH4;other=HH5 | Group:Relate 2
replace-signer | officer | SCHEME | household=HH5;person=farmer-6;reason=whim | reason[0]. invalid
replace-signer | officer | SCHEME | household=HH5;person=farmer-6;reason=lost-key | Group:ReplaceSigner 2
# a group comes about
form-group | officer | SCHEME | group=g1;members=HH1,/HH4,/HH5,;group-max=100000.00;expiry=2028-01-01;text-en=HASH;text-zh=HASH | forbidden
form-group | officer | SCHEME | group=g1;members=HH1,/HH2,;group-max=100000.00;expiry=2028-01-01;text-en=HASH;text-zh=HASH | members[0]. invalid
form-group | officer | SCHEME | group=g1;members=HH1,/HH2,/HH3,;group-max=100000.00;expiry=2028-01-01;text-en=abc;text-zh=HASH | text-en[0]. invalid: what was typed is not the hash of a document
form-group | officer | SCHEME | group=g1;members=HH1,/HH2,/HH3,;group-max=100000.00;expiry=2028-01-01;text-en=HASH;text-zh=HASH | Group:FormGroup 2
form-group | officer | SCHEME | group=g2;members=HH1,/HH2,/HH3,;group-max=100000.00;expiry=2028-01-01;text-en=HASH;text-zh=HASH | Group:FormGroup 2
sign-group | officer | SCHEME | group=g9;household=HH1 | not-found
sign-group | officer | SCHEME | group=g1;household=HH4 | forbidden
sign-group | officer | SCHEME | group=g1;household=HH1 | Group:SignGroup 1
endorse | officer | SCHEME | group=g1 | wrong-state
sign-group | officer | SCHEME | group=g1;household=HH2 | Group:SignGroup 1
sign-group | officer | SCHEME | group=g1;household=HH3 | Group:SignGroup 1
endorse | officer | SCHEME | group=g1 | Group:Endorse 2
approve-group | officer | SCHEME | group=g1 | forbidden
approve-group | teller | SCHEME | group=g1 | Group:ApproveGroup 2
reject-group | officer | SCHEME | group=g2;reason=whim | reason[0]. invalid
reject-group | officer | SCHEME | group=g2;reason=withdrawn | Group:RejectGroup 2
# what the lender offers
open-lending | officer | - | lending=lender:coop:season;custodian=outside:bank:lending | forbidden
open-lending | teller | - | lending=LENDING;custodian=outside:bank:lending | Loan:OpenLending 2
the lender has money
offer-product | teller | SCHEME | product=seeds;lenders=bank,LENDING,90;least=500.00;most=20000.00;purposes=inputs;term-days=100;method=equal-principal;rate=6;instalments=4;every-weeks=2 | lenders
offer-product | teller | SCHEME | product=seeds;lenders=bank,LENDING,100;least=500.00;most=20000.00;purposes=inputs;supplies=seed;term-days=100;tranches=2;method=equal-principal;rate=6;instalments=4;every-weeks=2 | Loan:OfferProduct 2
offer-product | teller | SCHEME | product=inputs;lenders=bank,LENDING,100;least=500.00;most=20000.00;purposes=inputs;term-days=100;method=equal-principal;rate=6;instalments=4;every-weeks=2 | Loan:OfferProduct 2
offer-product | teller | SCHEME | product=old;lenders=bank,LENDING,100;least=500.00;most=20000.00;purposes=inputs;term-days=100;method=bullet;rate=6;instalments=1;every-months=2 | Loan:OfferProduct 2
withdraw-product | teller | SCHEME | product=none | not-found
withdraw-product | teller | SCHEME | product=old | Loan:WithdrawProduct 2
# from what is asked to the contract
apply-loan | officer | SCHEME | household=HH1;group=g1;product=none;amount=4000.00;purpose=inputs | product[0]. not-found: there is no product none
apply-loan | officer | SCHEME | household=HH1;group=g1;product=inputs;amount=400000.00;purpose=inputs | amount[0]. 
apply-loan | officer | SCHEME | household=HH1;group=g1;product=inputs;amount=4000.00;purpose=inputs;id=l1 | Loan:ApplyForLoan 1 4000.00 CNY
guarantee-loan | officer | SCHEME | loan=l1;household=HH4 | forbidden
guarantee-loan | officer | SCHEME | loan=l1;household=HH2 | Loan:GuaranteeLoan 1 4000.00 CNY
decide-loan | teller | SCHEME | loan=l1;amount=4000.00;reason=meets-conditions | wrong-state
guarantee-loan | officer | SCHEME | loan=l1;household=HH3 | Loan:GuaranteeLoan 1 4000.00 CNY
decide-loan | teller | SCHEME | loan=l1;amount=5000.00;reason=meets-conditions | amount[0]. invalid: 5000.00 CNY is not zero to 4000.00 CNY
decide-loan | teller | SCHEME | loan=l1;amount=4000.00;reason=meets-conditions | Loan:DecideLoan 2 4000.00 CNY
contract-loan | officer | SCHEME | loan=l1;advances=2025-12-01,3000.00 | advances
contract-loan | officer | SCHEME | loan=l1 | Loan:ContractLoan 1 4000.00 CNY
disburse-loan | teller | SCHEME | loan=l1;payee=outside:supplier:seeds;amount=4000.00 | payee[0]. forbidden
disburse-loan | teller | SCHEME | loan=l1;payee=OUT1;amount=4000.00;id=out-1 | Loan:DisburseLoan 2 4000.00 CNY
book-tranche | officer | SCHEME | loan=l1;tranche=1 | wrong-state
the bank pays l1
book-tranche | officer | SCHEME | loan=l1;tranche=1 | Loan:BookTranche 0
# a loan for supplies
apply-loan | officer | SCHEME | household=HH2;group=g1;product=seeds;amount=3000.00;purpose=inputs;id=l2 | Loan:ApplyForLoan 1 3000.00 CNY
guarantee-loan | officer | SCHEME | loan=l2;household=HH1 | Loan:GuaranteeLoan 1
guarantee-loan | officer | SCHEME | loan=l2;household=HH3 | Loan:GuaranteeLoan 1
decide-loan | teller | SCHEME | loan=l2;amount=3000.00;reason=meets-conditions | Loan:DecideLoan 2
contract-loan | officer | SCHEME | loan=l2 | Loan:ContractLoan 1
order-supplies | officer | SCHEME | loan=l2;supplier=outside:supplier:none;category=seed;amount=1000.00 | forbidden
order-supplies | officer | SCHEME | loan=l2;supplier=outside:supplier:seeds;category=seed;amount=1000.00;id=o1 | Loan:OrderSupplies 1 1000.00 CNY
order-supplies | officer | SCHEME | loan=l2;supplier=outside:supplier:seeds;category=seed;amount=500.00;id=o2 | Loan:OrderSupplies 1 500.00 CNY
confirm-delivery | officer | SCHEME | order=o1;invoice=no | invoice[0]. invalid
confirm-delivery | officer | SCHEME | order=o1;invoice=INV 2025-0001;place=村口农资店 | Loan:ConfirmDelivery 2 1000.00 CNY
confirm-delivery | officer | SCHEME | order=o2;cancel=yes | Loan:ConfirmDelivery 1 500.00 CNY
disburse-loan | teller | SCHEME | loan=l2;payee=outside:supplier:seeds;amount=1000.00;order=o1;id=out-2 | Loan:DisburseLoan 2 1000.00 CNY
the bank pays l2
book-tranche | officer | SCHEME | loan=l2;tranche=1 | Loan:BookTranche 0
withdraw-loan | officer | SCHEME | loan=l1 | wrong-state
apply-loan | officer | SCHEME | household=HH3;group=g1;product=inputs;amount=600.00;purpose=inputs;id=l3 | Loan:ApplyForLoan 1 600.00 CNY
withdraw-loan | officer | SCHEME | loan=l3 | Loan:WithdrawLoan 1 600.00 CNY
# a line of credit
offer-product | teller | SCHEME | product=line;lenders=bank,LENDING,100;least=500.00;most=20000.00;purposes=inputs;term-days=100;tranches=20;method=annuity;rate=6;instalments=3;every-months=1;revolving=yes | revolving[0]. invalid
offer-product | teller | SCHEME | product=line;lenders=bank,LENDING,100;least=500.00;most=20000.00;purposes=inputs;term-days=100;tranches=20;method=bullet;rate=6;instalments=3;every-months=1;revolving=yes | Loan:OfferProduct 2
apply-loan | officer | SCHEME | household=HH3;group=g1;product=line;amount=600.00;purpose=inputs;id=l4 | Loan:ApplyForLoan 1 600.00 CNY
guarantee-loan | officer | SCHEME | loan=l4;household=HH1 | Loan:GuaranteeLoan 1
guarantee-loan | officer | SCHEME | loan=l4;household=HH2 | Loan:GuaranteeLoan 1
decide-loan | teller | SCHEME | loan=l4;amount=600.00;reason=meets-conditions | Loan:DecideLoan 2
contract-loan | officer | SCHEME | loan=l4 | Loan:ContractLoan 1
draw-loan | officer | SCHEME | loan=l4;amount=600.01 | amount[0]. insufficient
draw-loan | officer | SCHEME | loan=l1;amount=1.00 | loan[0]. wrong-state
draw-loan | officer | SCHEME | loan=l4;amount=500.00 | Loan:DrawLoan 1 500.00 CNY
draw-loan | officer | SCHEME | loan=l4;tranche=1;take-back=yes | Loan:DrawLoan 1 500.00 CNY
withdraw-loan | officer | SCHEME | loan=l4 | Loan:WithdrawLoan 1 600.00 CNY
# a harvest, from the scale to the sale
agree | officer | SCHEME | forms=cherry,ripe green | commodity[0]. invalid: is empty
agree | officer | SCHEME | commodity=coffee;forms=cherry,ripe green/parchment,one;stores=mill,coop/depot,bank;deductions=moisture;costs=transport;processes=pulping,cherry,parchment,15,25 | Harvest:Agree 3
deliver | officer | SCHEME | household=HH4;form=bean;grade=ripe;gross=100000;store=mill;harvested=2025-12-20 | form[0].
deliver | officer | SCHEME | household=HH4;form=cherry;grade=ripe;gross=101,000;tare=500;deducted=moisture,500;store=mill;harvested=2025-12-20;id=lot-1 | Harvest:Deliver 2
deliver | officer | SCHEME | household=HH5;form=cherry;grade=ripe;gross=50000;store=mill;harvested=2025-12-20;id=lot-2 | Harvest:Deliver 2
deliver | officer | SCHEME | household=HH3;form=cherry;grade=ripe;gross=20000;store=mill;harvested=2025-12-20;agent=walker;id=lot-3 | Harvest:Deliver 2
deliver | officer | SCHEME | household=HH4;form=cherry;grade=green;gross=20000;store=mill;harvested=2025-12-20;id=lot-4 | Harvest:Deliver 2
deliver | officer | SCHEME | household=HH5;form=cherry;grade=green;gross=20000;store=mill;harvested=2025-12-20;id=lot-5 | Harvest:Deliver 2
merge | officer | SCHEME | lots=lot-1 lot-9 | not-found
merge | officer | SCHEME | lots=lot-1 lot-2;id=lot-m | Harvest:Merge 1
merge | officer | SCHEME | lots=lot-4 lot-5;id=lot-n | Harvest:Merge 1
correct-step | officer | SCHEME | step=lot-n;reason=whim | reason[0]. invalid
correct-step | officer | SCHEME | step=lot-n;reason=did_not_occur | Harvest:CorrectStep 2
correct-delivery | officer | SCHEME | lot=lot-m;reason=incorrect_data | lot[0]. not-found
correct-delivery | officer | SCHEME | lot=lot-4;reason=incorrect_data | Harvest:CorrectDelivery 2
process | officer | SCHEME | process=pulping;lots=lot-3;outputs=lot-p,one,4000;loss=1 | conflict
process | officer | SCHEME | process=pulping;lots=lot-3;outputs=lot-p,one,4000;loss=16000 | Harvest:Process 1
process | officer | SCHEME | process=pulping;lots=lot-5;outputs=lot-q,one,10000;loss=10000 | forbidden
process | officer | SCHEME | process=pulping;lots=lot-5;outputs=lot-q,one,10000;loss=10000;second=bank | Harvest:Process 2
bag | officer | SCHEME | lot=lot-p;bags=1,4000 | bags[1].sscc invalid
bag | officer | SCHEME | lot=lot-p;bags=000000000000000000,4000 | Harvest:Bag 1
ship | officer | SCHEME | lots=lot-p;store=mill | wrong-state
ship | officer | SCHEME | lots=lot-p;store=depot | Harvest:Ship 1
arrive | officer | SCHEME | lots=lot-m | wrong-state
arrive | officer | SCHEME | lots=lot-p | forbidden
arrive | officer | SCHEME | lots=lot-p;keeper=bank | Harvest:Arrive 1
pledge | officer | SCHEME | lot=lot-m;lender=charity;loan=l1 | lender[0]. forbidden
pledge | officer | SCHEME | lot=lot-m;lender=bank;loan=l1 | value-per-tonne[0]. invalid
pledge | officer | SCHEME | lot=lot-m;lender=bank;loan=l1;value-per-tonne=30000.00;cover=100 | Harvest:Pledge 3
release-pledge | officer | SCHEME | lot=lot-m;grams=150000 | grams[0]. insufficient
release-pledge | teller | SCHEME | lot=lot-m;grams=150000 | Harvest:ReleasePledge 1
sell | officer | SCHEME | lots=lot-m;buyer=outside:buyer:roaster;price-per-tonne=30000.00;proceeds=4500.01;invoice-document=HASH | proceeds[0]. conflict
sell | officer | SCHEME | lots=lot-m;buyer=outside:buyer:roaster;price-per-tonne=30000.00;proceeds=4500.00;sale-costs=transport,outside:supplier:lorry,100.00;invoice-document=HASH;id=sale-1 | Harvest:Sell 2 4500.00 CNY
sell | officer | SCHEME | lots=lot-q;buyer=outside:buyer:roaster;price-per-tonne=30000.00;proceeds=300.00;invoice-document=HASH;id=sale-2 | Harvest:Sell 2 300.00 CNY
correct-sale | officer | SCHEME | sale=sale-9;reason=incorrect_data | not-found
correct-sale | officer | SCHEME | sale=sale-2;reason=incorrect_data | Harvest:CorrectSale 2 300.00 CNY
choose-prepayment | officer | SCHEME | household=HH1;loan=none;amount=100.00 | not-found
choose-prepayment | officer | SCHEME | household=HH1;loan=l1;amount=100.00 | Settlement:ChoosePrepayment 1 100.00 CNY
open-settlement | officer | SCHEME | sale=none | not-found: sale none does not exist
open-settlement | officer | SCHEME | sale=sale-1 | insufficient
the buyer pays
open-settlement | officer | SCHEME | sale=sale-1;households=0 | households[0]. invalid
open-settlement | officer | SCHEME | sale=sale-1;id=settle-sale-1 | Settlement:OpenSettlement 2 4500.00 CNY
the costs are paid and the rest is given up
open-settlement | officer | SCHEME | sale=sale-1;households=1;id=settle-sale-1.again-1 | Settlement:OpenSettlement 2 4400.00 CNY
the sale is settled
pay-again | officer | SCHEME | sale=sale-1;hold=none.0.0 | not-found
pay-again | officer | SCHEME | sale=sale-1;hold=settle-sale-1.again-1.1.0 | hold[0]. wrong-state
a payout comes back
pay-again | officer | SCHEME | sale=sale-1;hold=settle-sale-1.again-1.1.0;id=again-1 | Settlement:PayAgain 2 1466.67 CNY
pay-again | officer | SCHEME | sale=sale-1;hold=settle-sale-1.again-1.1.0 | hold[0]. wrong-state
# what is late, paid, and regular again
give-notice | teller | SCHEME | loan=l1;instalment=1;days=1 | instalment[0]. conflict
16 days pass
give-notice | officer | SCHEME | loan=l1;instalment=1;days=1 | Loan:GiveNotice 1
freeze | officer | SCHEME | group=g9 | not-found
freeze | officer | SCHEME | group=g1 | Group:Freeze 0
cure | officer | SCHEME | group=g1 | wrong-state
a payment comes
repay-loan | teller | SCHEME | loan=l1;receiver=LENDING;page=payment-page;gift=none | gift[0]. not-found
repay-loan | teller | SCHEME | loan=l1;receiver=LENDING;page=payment-page;gift=payment;bank-line=payment:1 | Loan:RepayLoan 0
repay-loan | teller | SCHEME | loan=l2;receiver=LENDING;page=other-page;gift=other | Loan:RepayLoan 0
11 days pass
cure | officer | SCHEME | group=g1 | Group:Cure 0
# what is late for good
default-loan | teller | SCHEME | loan=l1 | early
26 days pass
restructure-loan | teller | SCHEME | loan=l2;term-end=2030-01-01 | term-end[0]. invalid
restructure-loan | teller | SCHEME | loan=l2;term-end=2026-12-31;every-months=1 | Loan:RestructureLoan 5 3000.00 CNY
give-notice | teller | SCHEME | loan=l1;instalment=2;days=1 | Loan:GiveNotice 1
give-notice | teller | SCHEME | loan=l1;instalment=2;days=15 | Loan:GiveNotice 1
write-off-loan | teller | SCHEME | loan=l1 | early
default-loan | teller | SCHEME | loan=l1 | Loan:DefaultLoan 2
make-call | teller | SCHEME | loan=l1;amount=400.00;instalments=2;guarantors=HH2 | conflict
make-call | teller | SCHEME | loan=l1;amount=500.00;instalments=2;id=call-1 | Recourse:MakeCall 2 500.00 CNY
respread-call | teller | SCHEME | loan=l1;guarantor=HH3 | early
declare-unable | teller | SCHEME | loan=l1;guarantor=HH3 | invalid
declare-unable | officer | SCHEME | loan=l1;guarantor=HH3;evidence=HASH;kind=CITED | Recourse:DeclareUnable 2
declare-unable | teller | SCHEME | loan=l1;guarantor=HH3;lift=yes | Recourse:DeclareUnable 2
a guarantor pays
repay-loan | teller | SCHEME | loan=l1;receiver=LENDING;page=called-page;gift=called;by=HH2 | Loan:RepayLoan 0
31 days pass
respread-call | teller | SCHEME | loan=l1;guarantor=HH3 | Recourse:RespreadCall 1
repay-loan | teller | SCHEME | loan=l1;receiver=LENDING;page=again-page;gift=again;by=HH2 | Loan:RepayLoan 0
contribute-call | officer | SCHEME | loan=l1;payer=HH3;receiver=HH2;amount=900.00 | insufficient
contribute-call | officer | SCHEME | loan=l1;payer=HH3;receiver=HH2;amount=50.00 | Recourse:ContributeCall 1 50.00 CNY
release-guarantor | teller | SCHEME | loan=l1;guarantor=HH9 | not-found
withdraw-call | officer | SCHEME | loan=l1 | forbidden
withdraw-call | teller | SCHEME | loan=l1 | Recourse:WithdrawCall 2
make-call | teller | SCHEME | loan=l1;amount=100.00;instalments=3;id=call-2 | Recourse:MakeCall 2 100.00 CNY
release-guarantor | teller | SCHEME | loan=l1;guarantor=HH3 | Recourse:ReleaseGuarantor 2
withdraw-call | teller | SCHEME | loan=l1;call=call-2 | Recourse:WithdrawCall 2
add-costs | teller | SCHEME | loan=l1;amount=1,5;evidence=HASH | amount[0]. invalid
add-costs | teller | SCHEME | loan=l1;amount=15.00;evidence=HASH | Loan:AddCosts 2 15.00 CNY
declare-stay | officer | SCHEME | disaster=war;from=2026-04-01;to=2026-05-01 | disaster[0]. invalid
declare-stay | officer | SCHEME | disaster=frost;from=2026-04-01;to=2026-05-01 | Loan:DeclareStay 1
90 days pass
write-off-loan | teller | SCHEME | loan=l1 | Loan:WriteOffLoan 2 4000.00 CNY
reimburse-call | officer | SCHEME | loan=l1;call=call-1;amount=50.00 | wrong-state
the borrower pays everything
repay-loan | teller | SCHEME | loan=l1;receiver=LENDING;page=payoff-page;gift=payoff | Loan:RepayLoan 0
reimburse-call | officer | SCHEME | loan=l1;call=call-1;amount=9000.00 | amount[0]. insufficient
reimburse-call | officer | SCHEME | loan=l1;call=call-1;amount=50.00 | Recourse:ReimburseCall 2 50.00 CNY
# a group shrinks, lets another household in, and ends
admit | officer | SCHEME | household=HH6;person=farmer-9;fingerprint=invented-household-06A;adult=yes;capacity=yes | Group:Admit 2
admit | officer | SCHEME | household=HH7;person=farmer-7;fingerprint=invented-household-07A;adult=yes;capacity=yes | Group:Admit 2
admit | officer | SCHEME | household=HH8;person=farmer-8;fingerprint=invented-household-08A;adult=yes;capacity=yes | Group:Admit 2
form-group | officer | SCHEME | group=g3;members=HH4,/HH6,/HH7,/HH8,;group-max=100000.00;expiry=2028-01-01;text-en=HASH;text-zh=HASH | Group:FormGroup 2
sign-group | officer | SCHEME | group=g3;household=HH4 | Group:SignGroup 1
sign-group | officer | SCHEME | group=g3;household=HH6 | Group:SignGroup 1
sign-group | officer | SCHEME | group=g3;household=HH7 | Group:SignGroup 1
sign-group | officer | SCHEME | group=g3;household=HH8 | Group:SignGroup 1
endorse | officer | SCHEME | group=g3 | Group:Endorse 2
approve-group | teller | SCHEME | group=g3 | Group:ApproveGroup 2
leave | officer | SCHEME | household=HH8 | wrong-state
exit | officer | SCHEME | group=g3;household=HH1 | not-found
exit | officer | SCHEME | group=g3;household=HH8 | Group:Exit 1
leave | officer | SCHEME | household=HH8 | Group:Leave 1
expel | officer | SCHEME | group=g3;household=HH1 | not-found
expel | officer | SCHEME | group=g3;household=HH7 | Group:Expel 2
refill | officer | SCHEME | group=g3;household=HH5;members=HH4,/HH5, | conflict
refill | officer | SCHEME | group=g3;household=HH7;members=HH4,/HH6,/HH7, | Group:Refill 2
sign-group | officer | SCHEME | group=g3;household=HH7 | Group:SignGroup 1
member-died | officer | SCHEME | household=HH8 | wrong-state
member-died | officer | SCHEME | household=HH6 | Group:MemberDied 3
wind-down | officer | SCHEME | group=g3;reason=below-minimum | early
wind-down | officer | SCHEME | group=g3;reason=vote | Group:WindDown 1
close-group | officer | SCHEME | group=g1 | wrong-state
close-group | officer | SCHEME | group=g3 | Group:CloseGroup 0
`

// TestSides: what each organisation is to a scheme, a pool, and to what it may open.
func TestSides(t *testing.T) {
	w := newWorld(t)
	w.plays(`
open-scheme | officer | - | scheme=SCHEME;custodian=outside:bank:season;lenders=bank;member-max=60000.00 CNY | Group:OpenScheme 2
accept-scheme | teller | SCHEME |  | Group:AcceptScheme 2
`, seasonWords())
	for _, c := range []struct {
		person  tape.ID
		of      Subject
		account tape.AccountID
		want    string
	}{
		{"officer", Scheme, scheme, "[household cooperative regulator]"},
		{"teller", Scheme, scheme, "[household lender]"},
		{"maker", Scheme, scheme, "[household]"},
		{"maker", Scheme, "coop:coop:none", "[]"},
		{"maker", Pool, scheme, "[]"},
		{"maker", Scheme, "", "[charity keeper]"},
		{"officer", Scheme, "", "[cooperative regulator keeper]"},
		{"teller", Scheme, "", "[lender bank keeper]"},
	} {
		sides, err := SidesOf(t.Context(), c.of, w.asker(c.person), c.account)
		if got := fmt.Sprint(sides); err != nil || got != c.want {
			t.Errorf("%s at %s %s: %s %v; want %s", c.person, c.of, c.account, got, err, c.want)
		}
	}
}
