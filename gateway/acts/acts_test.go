package acts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/signing"
)

// TestTable: what each act asks, whose it is, who prepares it and how many sign.
// A field that must be filled in has an exclamation mark.
func TestTable(t *testing.T) {
	var got []string
	for _, a := range All() {
		var fields, sides, roles []string
		for _, f := range a.Fields {
			text := f.Name + ":" + string(f.Kind)
			if f.Required {
				text += "!"
			}
			fields = append(fields, text)
		}
		for _, side := range a.Sides {
			sides = append(sides, string(side))
		}
		for _, role := range a.Roles {
			roles = append(roles, string(role))
		}
		got = append(got, fmt.Sprintf("%s | %s | %s | %s | %d | %s", a.Name, a.Function, strings.Join(sides, " "), strings.Join(roles, " "), signing.Persons(a.Function), strings.Join(fields, " ")))
	}
	want := strings.Split(strings.TrimSpace(wholeTable), "\n")
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("act %d\n got %s\nwant %s", i+1, g, w)
		}
	}
}

const wholeTable = `
open-campaign | Fund:OpenCampaign | charity | maker | 2 | account:account! basis:choice! parent:account custodian:account! own-funds:account title:texts! purpose:texts! beneficiaries:texts! area:line! sector:line! from:day! to:day! goal:amount! lines:rows! management:share! leftover:account! regulator:name! emergency:mark donors:names
amend-campaign | Fund:AmendCampaign | charity | maker | 2 | title:texts! purpose:texts! beneficiaries:texts! area:line! sector:line! from:day! to:day! goal:amount! lines:rows! management:share! leftover:account! regulator:name! emergency:mark donors:names
accept-filing | Fund:AcceptFiling | regulator | maker checker | 1 | number:line! plan:given
close-campaign | Fund:CloseCampaign | charity | maker | 2 | 
carry | Fund:Carry | charity | maker | 2 | amount:amount!
invite | Fund:Invite | charity | maker | 2 | partner:account! organisation:name
withdraw-invitation | Fund:Invite | charity | maker | 2 | partner:account! organisation:name
name-publisher | Fund:NamePublisher | charity | maker | 2 | identifier:line! name:texts! law-kind:choice! iati-type:choice! language:choice! prefix:line license:line source:line
appoint-agent | Fund:AppointAgent | charity | maker | 2 | person:name! payees-max:number!
end-agent | Fund:AppointAgent | charity | maker | 2 | person:name!
enrol | Fund:Enrol | charity | maker checker agent | 1 | agent:name payees:rows!
replace-person | Fund:ReplacePerson | charity | maker | 2 | payee:account! person:name! reason:choice!
raise-flag | Fund:SetFlag | charity regulator | maker checker | 1 | payee:account! reason:choice!
lift-flag | Fund:SetFlag | charity regulator | maker checker | 1 | payee:account!
call-back | Fund:CallBackPayee | charity | maker checker | 1 | payee:account! outcome:choice!
record-pledge | Fund:RecordPledge | charity | maker | 0 | amount:amount! due:day!
keep-pledge | Fund:SettlePledge | charity | maker | 0 | pledge:name! page:name! gift:name!
cancel-pledge | Fund:SettlePledge | charity | maker | 0 | pledge:name!
receive-goods | Fund:ReceiveGoods | charity | maker | 1 | item:line! quantity:number! unit:line!
give-goods | Fund:GiveGoods | charity | maker | 2 | goods:name! quantity:number! receiver:account! document:document kind:choice
cite | Fund:Cite | charity | maker checker | 1 | document:document! kind:choice! for:line!
abandon-disbursement | Fund:CloseDisbursement | charity | maker | 0 | disbursement:name!
refund-gift | Tape:Refund | charity | maker | 2 | page:name! gift:name! home:account
correct-gift | Tape:Correct | charity | maker | 2 | page:name! gift:name! home:account receiver:account! why:choice!
identify-gift | Tape:Identify | charity | maker | 2 | home:account! page:name! gift:name! payout:name
withdraw-page | Tape:Withdraw | charity | maker | 2 | page:name! why:choice!
declare-page | Fund:Declare | charity | maker | 2 | page:name!
execute-payouts | Tape:Execute | bank | maker | 0 | bank-line:line! payouts:names!
return-payout | Tape:Return | bank charity | maker | 0 | bank-line:line! hold:name!
charge-back | Tape:ChargeBack | bank | maker | 0 | page:name! gift:name! home:account bank-line:line!
expire-payout | Tape:Expire | charity bank regulator | maker checker | 0 | hold:name!
reclaim-payouts | Tape:Reclaim | charity | maker | 0 | payouts:names!
restore-payout | Fund:Restore | charity | maker | 0 | hold:name!
match-page | Tape:Match | charity | maker | 0 | page:name! bank-line:line!
settle-page | Tape:Settle | charity | maker | 0 | page:name! bank-line:line
receive-unclaimed | Tape:ReceiveUnidentified | charity | maker | 0 | unclaimed:account! bank-line:line!
open-scheme | Group:OpenScheme | cooperative | maker | 2 | scheme:account! custodian:account! lenders:names! industry:line size-min:number! size-max:number! months-max:number! guarantee-months:number! member-max:amount! member-share:share! deposit:share living-floor:amount living-floor-share:share originator-share:share notice-days:names! default-days:number! cure-days:number! cooling-days:number exclusion-months:number refill-days:number! window-days:number! pooling-days:number! stay-days-max:number sequence:names
amend-scheme | Group:AmendScheme | cooperative | maker | 2 | lenders:names! industry:line size-min:number! size-max:number! months-max:number! guarantee-months:number! member-max:amount! member-share:share! deposit:share living-floor:amount living-floor-share:share originator-share:share notice-days:names! default-days:number! cure-days:number! cooling-days:number exclusion-months:number refill-days:number! window-days:number! pooling-days:number! stay-days-max:number sequence:names
accept-scheme | Group:AcceptScheme | lender | maker | 2 | proposal:given
name-supplier | Group:NameSupplier | cooperative | maker | 2 | supplier:account! categories:names! controllers:names withdraw:mark
relate | Group:Relate | cooperative | maker | 2 | household:account! other:account! withdraw:mark
admit | Group:Admit | cooperative | maker | 2 | household:account! person:name! fingerprint:line! adult:mark! capacity:mark! agent:name
replace-signer | Group:ReplaceSigner | cooperative | maker | 2 | household:account! person:name! reason:choice!
member-died | Group:MemberDied | cooperative | maker | 2 | household:account!
leave | Group:Leave | household | maker checker agent | 1 | household:account!
form-group | Group:FormGroup | cooperative | maker | 2 | group:name! members:rows! group-max:amount! member-max:amount! expiry:day! guarantee-months:number! text-en:document! text-zh:document!
sign-group | Group:SignGroup | household | maker checker agent | 1 | group:name! household:account!
endorse | Group:Endorse | cooperative | maker | 2 | group:name!
approve-group | Group:ApproveGroup | lender | maker | 2 | group:name!
reject-group | Group:RejectGroup | cooperative lender | maker | 2 | group:name! reason:choice!
refill | Group:Refill | cooperative | maker | 2 | group:name! household:account! members:rows!
exit | Group:Exit | household | maker checker agent | 1 | group:name! household:account! tail:mark
expel | Group:Expel | household | maker checker agent | 1 | group:name! household:account! assume:mark
wind-down | Group:WindDown | cooperative lender | maker checker agent | 1 | group:name! reason:choice!
freeze | Group:Freeze | cooperative lender | maker checker | 0 | group:name!
cure | Group:Cure | cooperative lender | maker checker | 0 | group:name!
close-group | Group:CloseGroup | cooperative lender | maker checker | 0 | group:name!
open-lending | Loan:OpenLending | lender | maker | 2 | lending:account! custodian:account! currency:line! attribution:choice!
offer-product | Loan:OfferProduct | lender | maker | 2 | product:name! lenders:rows! least:amount! most:amount! purposes:names! supplies:names term-days:number! offer-days:number! tranches:number! tolerance-units:number method:choice! rate:share! day-count:choice! rounding:choice! instalments:number every-months:number every-weeks:number every-days:number difference:choice grace-principal:number grace-interest:number crop-principal:names crop-interest:names sale-days:number late-rate:share late-grace-days:number late-on:choice revolving:mark
withdraw-product | Loan:WithdrawProduct | lender | maker | 2 | product:name!
apply-loan | Loan:ApplyForLoan | household | maker checker agent | 1 | household:account! group:name! product:name! amount:amount! purpose:choice! first-due:day due-dates:names
guarantee-loan | Loan:GuaranteeLoan | household | maker checker agent | 1 | loan:name! household:account!
decide-loan | Loan:DecideLoan | lender | maker | 2 | loan:name! amount:amount! reason:choice!
contract-loan | Loan:ContractLoan | household | maker checker agent | 1 | loan:name! advances:rows
withdraw-loan | Loan:WithdrawLoan | household | maker checker agent | 1 | loan:name!
draw-loan | Loan:DrawLoan | household | maker checker agent | 1 | loan:name! amount:amount order:name tranche:number take-back:mark
order-supplies | Loan:OrderSupplies | household | maker checker agent | 1 | loan:name! supplier:account! category:line! amount:amount!
confirm-delivery | Loan:ConfirmDelivery | household cooperative | maker checker agent | 1 | order:name! invoice:print place:print cancel:mark
disburse-loan | Loan:DisburseLoan | lender | maker | 2 | loan:name! payee:account! amount:amount! tranche:number! order:name expires:day!
book-tranche | Loan:BookTranche | cooperative lender | maker checker | 0 | loan:name! tranche:number!
repay-loan | Loan:RepayLoan | lender | maker | 0 | loan:name! receiver:account! page:name! gift:name! by:account bank-line:line
restructure-loan | Loan:RestructureLoan | lender | maker | 2 | loan:name! term-end:day! method:choice rate:share day-count:choice rounding:choice instalments:number every-months:number every-weeks:number every-days:number difference:choice grace-principal:number grace-interest:number crop-principal:names crop-interest:names sale-days:number late-rate:share late-grace-days:number late-on:choice first-due:day due-dates:names
write-off-loan | Loan:WriteOffLoan | lender | maker | 2 | loan:name!
add-costs | Loan:AddCosts | lender | maker | 2 | loan:name! amount:amount! evidence:document!
give-notice | Loan:GiveNotice | lender cooperative | maker checker | 1 | loan:name! instalment:number! days:number!
default-loan | Loan:DefaultLoan | lender | maker | 2 | loan:name!
declare-stay | Loan:DeclareStay | regulator | maker checker | 1 | disaster:choice! from:day! to:day!
agree | Harvest:Agree | cooperative | maker | 2 | commodity:line! forms:rows! stores:rows! deductions:names costs:names processes:rows
deliver | Harvest:Deliver | cooperative | maker checker agent | 2 | household:account! form:line! grade:line! gross:number! tare:number deducted:rows moisture:share store:line! harvested:day! agent:name
merge | Harvest:Merge | cooperative | maker checker | 1 | lots:names!
process | Harvest:Process | cooperative | maker checker | 1 | process:line! lots:names! outputs:rows! loss:number second:name
bag | Harvest:Bag | cooperative | maker checker | 1 | lot:name! bags:rows!
ship | Harvest:Ship | cooperative | maker checker | 1 | lots:names! store:line! keeper:name
arrive | Harvest:Arrive | cooperative | maker checker | 1 | lots:names! keeper:name
sell | Harvest:Sell | cooperative | maker | 2 | lots:names! buyer:account! price-per-tonne:amount! proceeds:amount! sale-costs:rows invoice-document:document!
pledge | Harvest:Pledge | cooperative | maker | 2 | lot:name! lender:name! loan:name! value-per-tonne:amount cover:share
release-pledge | Harvest:ReleasePledge | lender cooperative | maker checker | 1 | lot:name! grams:number! free:name rest:name
correct-delivery | Harvest:CorrectDelivery | cooperative | maker checker | 2 | lot:name! reason:choice! agent:name
correct-step | Harvest:CorrectStep | cooperative | maker | 2 | step:name! reason:choice!
correct-sale | Harvest:CorrectSale | cooperative | maker | 2 | sale:name! reason:choice!
open-settlement | Settlement:OpenSettlement | cooperative | maker | 2 | sale:name! expires:day! households:number!
pay-again | Settlement:PayAgain | cooperative | maker | 2 | sale:name! hold:name! expires:day!
choose-prepayment | Settlement:ChoosePrepayment | household | maker checker agent | 1 | household:account! loan:name! amount:amount!
make-call | Recourse:MakeCall | lender | maker | 2 | loan:name! amount:amount! instalments:names! guarantors:names
respread-call | Recourse:RespreadCall | lender | maker checker | 1 | loan:name! guarantor:account! call:name
declare-unable | Recourse:DeclareUnable | lender cooperative | maker | 2 | loan:name! guarantor:account! evidence:document kind:choice lift:mark call:name
release-guarantor | Recourse:ReleaseGuarantor | lender | maker | 2 | loan:name! guarantor:account! call:name
withdraw-call | Recourse:WithdrawCall | lender | maker | 2 | loan:name! call:name
contribute-call | Recourse:ContributeCall | lender cooperative | maker checker agent | 1 | loan:name! payer:account! receiver:account! amount:amount! payment:line call:name
reimburse-call | Recourse:ReimburseCall | lender cooperative | maker checker agent | 1 | loan:name! amount:amount! by-payment:rows call:name
close-month | Books:CloseMonth | charity | maker | 2 | month:line!
`

// TestMay: an act is done on its sides alone, and prepared by its roles alone.
func TestMay(t *testing.T) {
	campaign := fund.Campaign{Organisation: "charity", Plan: fund.Plan{Regulator: "coop"}}
	for organisation, want := range map[string]Side{"charity": Charity, "coop": Regulator, "bank": Bank, "insurer": ""} {
		side := SideOf(campaign, bank, organisation)
		if side != want {
			t.Errorf("%s is %q", organisation, side)
		}
		for _, a := range Of(Campaign) {
			for _, role := range []login.Role{login.Maker, login.Checker, login.Agent, login.Auditor, login.Admin} {
				may := a.May([]Side{side}, func(asked ...login.Role) bool { return slices.Contains(asked, role) })
				if should := (a.Apart || slices.Contains(a.Sides, side)) && slices.Contains(a.Roles, role); may != should {
					t.Errorf("%s of %s may do %s: %v", role, organisation, a.Name, may)
				}
			}
		}
	}
}

// plan is what a form of a plan begins with here.
const plan = "title-en=Coats;title-zh=冬衣;purpose-en=Coats;purpose-zh=冬衣;beneficiaries-en=Children;area=CN-53;sector=12220;from=2025-12-01;to=2026-12-31;goal=1000.00 CNY;management=10;regulator=coop;lines=coats,programme,Coats,冬衣,800.00/office,management,Office,办公,200.00;basis=filing;custodian=outside:bank:sunrise"

// TestActs is a script: who does which act about which campaign with what typed
// in, and the answer: the command's function, how many sign it and over what
// amount; or the field, row and column that are refused, and why. What is not
// refused is signed and carried on the real contracts, and must hold there.
// A row with one cell lets the world go on.
func TestActs(t *testing.T) {
	w := newWorld(t)
	w.plays(script, strings.NewReplacer("PLAN", plan, "HASH", strings.Repeat("ab", 32)), "fund", "books")
}

// plays does what a script says, and demands that it did and was refused every act of some families.
func (w *world) plays(script string, words *strings.Replacer, families ...string) {
	w.Helper()
	done, refused := map[string]bool{}, map[string]bool{}
	for row := range strings.Lines(script) {
		row = strings.TrimSpace(row)
		if row == "" || strings.HasPrefix(row, "#") {
			continue
		}
		cells := strings.Split(row, " | ")
		if len(cells) == 1 {
			w.goesOn(row)
			continue
		}
		act, err := Find(cells[0])
		w.check(err)
		got, ok := w.does(act, tape.ID(cells[1]), tape.AccountID(words.Replace(cells[2])), typedIn(act, words.Replace(cells[3])))
		if want := words.Replace(cells[4]); !strings.Contains(got, want) {
			w.Errorf("%s\n got %s\nwant %s", row, got, want)
		}
		if ok {
			done[act.Name] = true
		} else {
			refused[act.Name] = true
		}
	}
	for _, a := range All() {
		if slices.Contains(families, a.Family()) && (!done[a.Name] || !refused[a.Name]) {
			w.Errorf("%s: done %v, refused %v; the script has to do both", a.Name, done[a.Name], refused[a.Name])
		}
	}
}

// typedIn are answers out of name=text;name=cell,cell/cell,cell.
func typedIn(act Act, text string) Answers {
	a := Answers{Texts: map[string]string{}, Rows: map[string][][]string{}}
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		field := slices.IndexFunc(act.Fields, func(f Field) bool { return f.Name == name })
		if field >= 0 && act.Fields[field].Kind == Rows {
			a.Rows[name] = nil
			for line := range strings.SplitSeq(value, "/") {
				a.Rows[name] = append(a.Rows[name], strings.Split(line, ","))
			}
			continue
		}
		if name != "" {
			a.Texts[name] = value
		}
	}
	return a
}

// does prepares an act and carries it; what the ledger refuses counts as refused too.
func (w *world) does(act Act, person tape.ID, account tape.AccountID, answers Answers) (string, bool) {
	w.Helper()
	if account == "-" {
		account = ""
	}
	prepared, err := act.Prepare(w.Context(), w.asker(person), account, answers)
	if err == nil {
		if err = act.Place(w.carry(person, prepared)); err == nil {
			return strings.TrimSpace(fmt.Sprintf("%s %d %s", prepared.Function, prepared.Persons, prepared.Amount)), true
		}
		if prepared.Persons > 0 {
			w.Errorf("%s was prepared, and the ledger refused it: %v", act.Name, err)
		}
	}
	var faults Faults
	var refusal *rule.Refusal
	if !errors.As(err, &faults) && !errors.As(err, &refusal) {
		w.Fatalf("%s: %v is no refusal", act.Name, err)
	}
	if faults == nil {
		return refusal.Error(), false
	}
	var all []string
	for _, f := range faults {
		all = append(all, fmt.Sprintf("%s[%d].%s %s", f.Field, f.Row, f.Column, f.Refusal.Error()))
	}
	return strings.Join(all, " / "), false
}

// goesOn does what is no act of this table.
func (w *world) goesOn(what string) {
	w.Helper()
	switch what {
	case "gifts come":
		credits, gifts := lines(1, 10_000, 20_000, 5_000, 3_000)
		w.files("s1", "", 0, tape.CreditSide, credits...)
		w.receives(coats, "page-1", gifts[:3]...)
		more, other := lines(20, 700)
		w.receives(coats, "late", other...)
		w.receives(coats, "cash", tape.Gift{ID: "gift-98", Amount: yuan(1_100)})
		w.receives(coats, "never", tape.Gift{ID: "gift-99", Amount: yuan(900)})
		w.files("s2", "s1", 38_000, tape.CreditSide, more...)
	case "an account of unidentified money is opened":
		w.as("charity", "gateway", "Tape:Open", tape.Open{Account: lost, Attribution: tape.FIFO, Currency: "CNY", Custodian: bank, ID: "open-lost", Unidentified: coats})
	case "an unclaimed line is settled":
		w.as("charity", "gateway", "Tape:Settle", tape.Settle{Account: lost, ID: "settle-lost", Items: []tape.SettleItem{{Source: "unclaimed-1"}}})
	case "payouts are ordered":
		w.orders("d1", 2_600, 2_000, 1_100)
		w.orders("d2", 500)
	case "the bank has paid":
		paid, _ := lines(30, 2_600, 2_000, 10_000)
		w.files("s3", "s2", 38_700, tape.DebitSide, paid...)
		back, _ := lines(40, 2_000)
		w.files("s4", "s3", 38_700-14_600, tape.CreditSide, back...)
	case "two months pass":
		w.network.Advance(59 * 24 * time.Hour)
	case "eleven days pass":
		w.network.Advance(11 * 24 * time.Hour)
	default:
		w.seasonGoesOn(what)
	}
}

// orders takes a disbursement of some payments to where the bank is to pay it;
// the second is left with nothing paid out of its job.
func (w *world) orders(id tape.ID, units ...int64) {
	w.Helper()
	var payments []tape.Payment
	for i, u := range units {
		payments = append(payments, tape.Payment{Amount: yuan(u), Line: tape.ID(fmt.Sprint("p", i)), To: shop})
	}
	job, chunks, err := tape.NewJob(coats, id, tape.Instant(w.network.Clock().UnixMilli())+10*tape.Day, [][]tape.Payment{payments})
	w.check(err)
	sign := func(person tape.ID, function string, command any) {
		w.Helper()
		w.check(w.carry(person, Prepared{Function: function, Command: command, Persons: 1, Amount: job.Amount.String()}))
	}
	sign("maker", "Fund:Propose", fund.Propose{Account: coats, Amount: job.Amount, Chunks: 1, Count: int32(len(units)), Expires: job.Expires, ID: id, Line: "coats", Root: job.Root})
	w.as("charity", "gateway", "Fund:List", fund.List{Account: coats, Disbursement: id, ID: id + "-list", Lines: payments, Path: chunks[0].Path})
	sign("checker", "Fund:Approve", fund.Approve{Account: coats, Disbursement: id, ID: id + "-ok"})
	w.as("charity", "gateway", "Fund:Order", fund.Order{Account: coats, Approvers: []tape.ID{"checker"}, Disbursement: id, ID: id + "-order"})
	if id == "d1" {
		w.as("charity", "gateway", "Fund:Pay", fund.Pay{Account: coats, Disbursement: id, ID: id + "-pay", Lines: payments, N: 0, Path: chunks[0].Path})
	}
}

const script = `
# the table of a plan is read cell by cell, and what stands is not opened twice
open-campaign | maker | - | PLAN;account=charity:sunrise:coats;leftover=charity:sunrise:winter;management=x | management[0]. invalid: what was typed is not a share
open-campaign | maker | - | PLAN;account=charity:sunrise:coats;leftover=charity:sunrise:winter;lines=coats,programme,Coats,冬衣,1.505 | lines[1].amount invalid: "1.505" is not an amount
open-campaign | maker | - | PLAN;account=charity:sunrise:coats;leftover=charity:sunrise:winter | Fund:OpenCampaign 2 0.00 CNY
open-campaign | maker | - | PLAN;account=charity:sunrise:coats;leftover=charity:sunrise:winter | account[0]. exists: account charity:sunrise:coats stands already
open-campaign | maker | - | PLAN;account=charity:sunrise:winter;leftover=charity:sunrise:coats | Fund:OpenCampaign 2 0.00 CNY
accept-filing | officer | charity:sunrise:coats |  | number[0]. invalid: is empty
accept-filing | officer | charity:sunrise:coats | number=INVENTED-1 | Fund:AcceptFiling 1 0.00 CNY
accept-filing | officer | charity:sunrise:winter | number=INVENTED-2 | Fund:AcceptFiling 1 0.00 CNY
amend-campaign | maker | charity:sunrise:coats | to=2025-01-01 | to[0].
amend-campaign | maker | charity:sunrise:coats | area=CN-53 | Fund:AmendCampaign 2 0.00 CNY
gifts come
an account of unidentified money is opened
# settling by hand
settle-page | maker | charity:sunrise:coats | page=page-1 | bank-line[0]. invalid: is empty: page page-1 rests on nothing yet
settle-page | maker | charity:sunrise:coats | page=page-1;bank-line=s1:9 | bank-line[0]. not-found: line 9 of statement s1
settle-page | maker | charity:sunrise:coats | page=page-1;bank-line=s1:1 | conflict: page page-1 holds 3 gifts of 350.00 CNY, page 0 of statement s1 4 lines of 380.00 CNY
match-page | maker | charity:sunrise:coats | page=page-1;bank-line=s2:20 | conflict: no gift of page page-1 has its line on page 0 of statement s2
match-page | maker | charity:sunrise:coats | page=page-1;bank-line=s1:1 | Tape:Match 0
settle-page | maker | charity:sunrise:coats | page=page-1.m | Tape:Settle 0
settle-page | maker | charity:sunrise:coats | page=late;bank-line=s2:20 | Tape:Settle 0
receive-unclaimed | maker | charity:sunrise:coats | unclaimed=charity:sunrise:coats;bank-line=s1:4 | unclaimed[0]. wrong-state: charity:sunrise:coats does not hold unidentified money
receive-unclaimed | maker | charity:sunrise:coats | unclaimed=charity:sunrise:lost;bank-line=s1:4;id=unclaimed-1 | Tape:ReceiveUnidentified 0
an unclaimed line is settled
withdraw-page | maker | charity:sunrise:coats | page=late;why=not-paid | page[0]. wrong-state: late is settled already
withdraw-page | maker | charity:sunrise:coats | page=never;why=not-paid | Tape:Withdraw 2 9.00 CNY
declare-page | maker | charity:sunrise:coats | page=none | page[0]. not-found
declare-page | maker | charity:sunrise:coats | page=late | page[0]. wrong-state: late is settled already
declare-page | maker | charity:sunrise:coats | page=never | page[0]. wrong-state: page never was withdrawn by
declare-page | maker | charity:sunrise:coats | page=cash | Fund:Declare 2 11.00 CNY
identify-gift | maker | charity:sunrise:coats | home=charity:sunrise:lost;page=unclaimed-1;gift=line-9 | gift[0]. not-found: there is no gift line-9 on page unclaimed-1
identify-gift | maker | charity:sunrise:coats | home=charity:sunrise:lost;page=unclaimed-1;gift=line-4 | Tape:Identify 2 30.00 CNY
correct-gift | maker | charity:sunrise:coats | page=late;gift=gift-20;receiver=charity:sunrise:winter;why=rumour | why[0]. invalid
correct-gift | maker | charity:sunrise:coats | page=late;gift=gift-20;receiver=charity:sunrise:winter;why=wrong-reference | Tape:Correct 2 7.00 CNY
refund-gift | maker | charity:sunrise:coats | page=late;gift=gift-20 | gift[0]. wrong-state: its money is not at charity:sunrise:coats
refund-gift | maker | charity:sunrise:coats | page=page-1.m;gift=gift-2 | Tape:Refund 2 200.00 CNY
# how organisations are named
name-publisher | maker | - | name-en=Sunrise;law-kind=public-foundation;iati-type=22;language=en | identifier[0]. invalid: is empty
name-publisher | maker | - | identifier=XX-NONE-1;name-en=Sunrise;law-kind=public-foundation;iati-type=22;language=en | identifier[0]. invalid: begins with what is no list of org-id.guide
name-publisher | maker | - | identifier=XE-EXAMPLE-1;name-en=Sunrise;law-kind=public-foundation;iati-type=22;language=zh | language[0]. invalid: is zh, and the name does not stand in it
name-publisher | maker | - | identifier=XE-EXAMPLE-1;name-en=Sunrise;law-kind=public-foundation;iati-type=22;language=en;prefix=sunrise | prefix[0]. invalid
name-publisher | maker | - | identifier=XE-EXAMPLE-1;name-en=Sunrise;name-zh=旭日;law-kind=public-foundation;iati-type=22;language=en;prefix=360G-example | Fund:NamePublisher 2
name-publisher | maker | - |  | wrong-state: charity is named so already
name-publisher | officer | - | identifier=XE-EXAMPLE-1;name-en=Moon;law-kind=other;iati-type=10;language=en | identifier[0]. exists: XE-EXAMPLE-1 is the identifier of charity
name-publisher | officer | - | identifier=XE-EXAMPLE-2;name-en=Moon;law-kind=other;iati-type=10;language=en | Fund:NamePublisher 2
# partners, agents, payees
invite | maker | charity:sunrise:coats | partner=coop;organisation=coop | partner[0]. invalid
invite | maker | charity:sunrise:coats | partner=partner:coop:coats;organisation=coop | Fund:Invite 2 0.00 CNY
withdraw-invitation | maker | charity:sunrise:coats | partner=partner:coop:none | partner[0]. wrong-state: the invitation of partner:coop:none stands as you ask already
withdraw-invitation | maker | charity:sunrise:coats | partner=partner:coop:coats | Fund:Invite 2 0.00 CNY
appoint-agent | maker | charity:sunrise:coats | person=helper;payees-max=x | payees-max[0]. invalid: what was typed is not a whole number
appoint-agent | maker | charity:sunrise:coats | person=helper;payees-max=9 | Fund:AppointAgent 2 0.00 CNY
end-agent | maker | charity:sunrise:coats | person=nobody | person[0].
end-agent | maker | charity:sunrise:coats | person=helper | Fund:AppointAgent 2 0.00 CNY
enrol | checker | charity:sunrise:coats | payees=supplier,outside:supplier:shop,,,/household,outside:household:wang,,, | payees[2].payee invalid: is not a household's account: what stands behind household is a pseudonym, 32 letters a to p, drawn at random
enrol | checker | charity:sunrise:coats | payees=supplier,outside:supplier:shop,,,/household,,,, | Fund:Enrol 1 0.00 CNY
enrol | checker | charity:sunrise:coats | payees=household,outside:household:abcdefghijklmnopabcdefghijklmnop,mother,, | Fund:Enrol 1 0.00 CNY
replace-person | maker | charity:sunrise:coats | payee=outside:household:abcdefghijklmnopabcdefghijklmnop;person=nobody;reason=lost-key | person[0]. not-found: there is no person nobody
replace-person | maker | charity:sunrise:coats | payee=outside:household:abcdefghijklmnopabcdefghijklmnop;person=mother-2;reason=lost-key | Fund:ReplacePerson 2 0.00 CNY
raise-flag | officer | charity:sunrise:coats | payee=outside:supplier:none;reason=complaint | payee[0]. not-found
raise-flag | officer | charity:sunrise:coats | payee=outside:supplier:shop;reason=complaint | Fund:SetFlag 1 0.00 CNY
lift-flag | officer | charity:sunrise:coats | payee=outside:supplier:shop | Fund:SetFlag 1 0.00 CNY
lift-flag | officer | charity:sunrise:coats | payee=outside:supplier:shop | wrong-state: field raise: the flag of coop on outside:supplier:shop stands as you ask already
call-back | checker | charity:sunrise:coats | payee=outside:supplier:shop;outcome=confirmed | forbidden: checker enrolled outside:supplier:shop and cannot call it back
call-back | maker | charity:sunrise:coats | payee=outside:supplier:shop;outcome=confirmed | Fund:CallBackPayee 1 0.00 CNY
# pledges, goods, evidence
record-pledge | maker | charity:sunrise:coats | amount=1,50;due=2026-12-31 | amount[0]. invalid: "1,50" is not an amount
record-pledge | maker | charity:sunrise:coats | amount=100.00;due=2026-12-31;id=pledge-1 | Fund:RecordPledge 0
record-pledge | maker | charity:sunrise:coats | amount=1.00;due=2026-12-31;id=pledge-2 | Fund:RecordPledge 0
keep-pledge | maker | charity:sunrise:coats | pledge=pledge-1;page=page-1.m;gift=gift-9 | gift[0]. not-found: there is no gift gift-9
keep-pledge | maker | charity:sunrise:coats | pledge=pledge-1;page=page-1.m;gift=gift-2 | gift[0]. conflict: gift gift-2 is of 200.00 CNY, the pledge of 100.00 CNY
keep-pledge | maker | charity:sunrise:coats | pledge=pledge-1;page=page-1.m;gift=gift-1 | Fund:SettlePledge 0
cancel-pledge | maker | charity:sunrise:coats | pledge=pledge-9 | pledge[0]. not-found: there is no pledge pledge-9
cancel-pledge | maker | charity:sunrise:coats | pledge=pledge-2 | Fund:SettlePledge 0
receive-goods | maker | charity:sunrise:coats | item=blanket;quantity=2.5;unit=piece | quantity[0]. invalid: "2.5" is not a whole number
receive-goods | maker | charity:sunrise:coats | item=blanket;quantity=5;unit=piece;id=goods-1 | Fund:ReceiveGoods 1 0.00 CNY
give-goods | maker | charity:sunrise:coats | goods=goods-1;quantity=6;receiver=outside:supplier:shop | quantity[0]. insufficient
give-goods | maker | charity:sunrise:coats | goods=goods-1;quantity=2;receiver=outside:supplier:shop | Fund:GiveGoods 2 0.00 CNY
cite | checker | charity:sunrise:coats | document=abc;kind=invoice;for=charity/goods-1 | document[0]. invalid: "abc" is not the hash of a document
cite | checker | charity:sunrise:coats | document=HASH;kind=invoice;for=charity/goods-1 | Fund:Cite 1 0.00 CNY
# payouts and the bank
payouts are ordered
the bank has paid
execute-payouts | teller | charity:sunrise:coats | bank-line=s3-30;payouts=d1.0.0 | bank-line[0]. invalid: names no line of a statement, such as E59HF5:12
execute-payouts | teller | charity:sunrise:coats | bank-line=s3:31;payouts=d1.0.0 | bank-line[1]. conflict: line 31 carries 20.00 CNY, 26.00 CNY is to be paid to d1.0.0
execute-payouts | teller | charity:sunrise:coats | bank-line=s3:30;payouts=d1.0.0 | Tape:Execute 0
execute-payouts | teller | charity:sunrise:coats | bank-line=s3:31;payouts=d1.0.1 | Tape:Execute 0
return-payout | teller | charity:sunrise:coats | bank-line=s4:40;hold=d1.0.2 | insufficient
return-payout | teller | charity:sunrise:coats | bank-line=s4:40;hold=d1.0.1 | Tape:Return 0
restore-payout | maker | charity:sunrise:coats | hold=d1.0.9 | hold[0]. not-found
restore-payout | maker | charity:sunrise:coats | hold=d1.0.1 | Fund:Restore 0
charge-back | teller | charity:sunrise:coats | page=page-1.m;gift=gift-3;bank-line=s3:32 | bank-line[0]. conflict: line 32 of statement s3 carries 100.00 CNY, 50.00 CNY was asked
charge-back | teller | charity:sunrise:coats | page=page-1.m;gift=gift-1;bank-line=s3:32 | Tape:ChargeBack 0
expire-payout | officer | charity:sunrise:coats | hold=d1.0.2 | early: hold d1.0.2 expires at
eleven days pass
expire-payout | officer | charity:sunrise:coats | hold=d1.0.2 | Tape:Expire 0
reclaim-payouts | maker | charity:sunrise:coats | payouts=d1.0.0 | payouts[1]. wrong-state: hold d1.0.0 is captured, not released
reclaim-payouts | maker | charity:sunrise:coats | payouts=d1.0.2 | Tape:Reclaim 0
abandon-disbursement | maker | charity:sunrise:coats | disbursement=d9 | disbursement[0]. not-found
abandon-disbursement | maker | charity:sunrise:coats | disbursement=d2 | Fund:CloseDisbursement 0
# the end
carry | maker | charity:sunrise:coats | amount=1.00 | wrong-state: charity:sunrise:coats is active; close it before its remainder is carried
close-campaign | maker | charity:sunrise:coats |  | Fund:CloseCampaign 2 0.00 CNY
close-campaign | maker | charity:sunrise:coats |  | wrong-state
carry | maker | charity:sunrise:coats |  | Fund:Carry 2
# the books, month by month
close-month | maker | - | month=1 | month[0]. invalid: is not a month; write it as 2026-11
close-month | maker | - | month=2026-01 | month[0]. early: 2026-01 ends with 2026-01-31; it is closed from the next day on
two months pass
close-month | maker | - | month=2026-04 | month[0]. not-found: the books of charity have no month 2026-04
close-month | maker | - | month=2026-02 | month[0]. conflict: months close in order; 2026-01 is not closed
close-month | maker | - | month=2026-01 | Books:CloseMonth 2
close-month | maker | - | month=2026-01 | month[0]. exists: 2026-01 is closed
close-month | officer | - | month=2026-01 | Books:CloseMonth 2
close-month | maker | - |  | Books:CloseMonth 2
`
