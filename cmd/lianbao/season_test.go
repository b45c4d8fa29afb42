package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/group"
	crop "github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/cmd/lianbao/story"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const (
	seasonScheme = tape.AccountID("coop:coop:season")
	seasonLender = tape.AccountID("lender:bank:season")
)

// season is a cooperative's season on a real network.
type season struct {
	typist
	ledger party.LedgerID
	today  tape.Date
	begun  tape.Instant
	last   uint64
}

// TestSeason takes a cooperative on real peers from its scheme to a sale that
// repays a loan first, and audits it.
func TestSeason(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network; left out with -short")
	}
	y := typist{t, filepath.Join(t.TempDir(), "network")}
	var started up
	y.types(0, &started, "up", "--empty", "--detach")
	defer y.types(0, nil, "down")
	charter, err := founding.Charter(y.folder)
	if err != nil {
		y.Fatal(err)
	}
	s := &season{typist: y, ledger: charter.Ledger, begun: tape.Instant(time.Now().Truncate(time.Second).UnixMilli())}
	if s.today, err = charter.Zone.Date(s.begun); err != nil {
		y.Fatal(err)
	}
	s.formed()
	s.lends()
	s.sells()
	s.settles()
	y.types(0, nil, "audit")
}

// household is an invented household of the scheme, member its person.
func (s *season) household(n int) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(fmt.Sprint("invented season ", n))) + ":season")
}

func (s *season) member(n int) founding.Signer {
	s.Helper()
	signer, err := founding.Device(s.folder, "coop", tape.ID(fmt.Sprint("invented-farmer-", n)), s.ledger)
	if err != nil {
		s.Fatal(err)
	}
	return signer
}

func (s *season) staff(organisation string) []founding.Signer {
	s.Helper()
	maker, checker, err := founding.Staff(s.folder, organisation)
	if err != nil {
		s.Fatal(err)
	}
	return []founding.Signer{maker, checker}
}

// signs sends a command that persons have signed.
func (s *season) signs(organisation, function, action string, subject tape.AccountID, amount string, command any, signers ...founding.Signer) {
	s.Helper()
	if err := s.tries(organisation, function, action, subject, amount, command, signers...); err != nil {
		s.Fatalf("%s: %v", function, err)
	}
}

func (s *season) tries(organisation, function, action string, subject tape.AccountID, amount string, command any, signers ...founding.Signer) error {
	s.Helper()
	argument, err := founding.Envelope(s.ledger, command, founding.Decision{Action: action, Subject: string(subject), Amount: amount, Deadline: s.begun + 20*tape.Day}, signers...)
	if err != nil {
		s.Fatal(err)
	}
	s.sees(organisation)
	block, err := s.gateway(organisation).Send(s.Context(), function, argument)
	s.last = max(s.last, block)
	return err
}

// sees waits until an organisation's peer has what the others have written: it
// would else judge the command by what was before.
func (s *season) sees(organisation string) {
	s.Helper()
	if s.last == 0 {
		return
	}
	var scheme readmodel.Account
	if err := s.gateway(organisation).Get(s.Context(), "/accounts/"+url.PathEscape(string(seasonScheme)), nil, s.last, &scheme); err != nil {
		s.Fatal(err)
	}
}

func (s *season) records(organisation, function string, command any) {
	s.Helper()
	s.sees(organisation)
	block, err := s.gateway(organisation).SendRecord(s.Context(), function, command)
	if err != nil {
		s.Fatalf("%s: %v", function, err)
	}
	s.last = max(s.last, block)
}

// formed opens a scheme, admits four households and lets three of them form a group.
func (s *season) formed() {
	s.Helper()
	zero := money.New(0, "CNY")
	agreed := group.SchemeTerms{CureDays: 30, DefaultDays: 30, ExclusionMonths: 24, GroupMonthsMax: 36, GroupSizeMax: 5, GroupSizeMin: 3, GuaranteeMonths: 24, LivingFloor: zero,
		MemberMax: yuan(60_000), MemberSharePartsPerMillion: 400_000, NoticeDays: []int32{1, 15}, OriginatorPartsPerMillion: 300_000, PoolingDays: 30, RefillDays: 90, StayDaysMax: 180, WindowDays: 30}
	s.signs("coop", "Group:OpenScheme", "open-scheme", seasonScheme, "", group.OpenScheme{Account: seasonScheme, Custodian: "outside:bank:season", ID: "season.open", Lenders: []string{"bank"}, Terms: agreed}, s.staff("coop")...)
	s.signs("bank", "Group:AcceptScheme", "accept-scheme", seasonScheme, "", group.AcceptScheme{Account: seasonScheme, ID: "season.accept", Proposal: "coop/season.open"}, s.staff("bank")...)
	agreement := group.Agreement{Expiry: s.today.AddMonths(30), Form: "joint-and-several", GroupMax: yuan(100_000), GuaranteeMonths: 24, Lenders: []string{"bank"}, MemberMax: yuan(60_000),
		MutualRecourse: true, Shares: group.EqualShares, Terms: 1, TextEn: party.Hash{1}, TextZh: party.Hash{2}}
	for n := 1; n <= 4; n++ {
		person := s.member(n)
		proof, err := sign.Possession(person.Key, s.ledger, party.Possession{Person: person.Person, Custody: party.Own, Duty: party.DutyMember, Organisation: "coop", Registrar: "regulator"})
		if err != nil {
			s.Fatal(err)
		}
		s.records("regulator", "Party:Register", party.RegisterCommand{Address: sign.Address(person.Key), Custody: party.Own, Duty: party.DutyMember, ID: "register-" + person.Person, Organisation: "coop", Person: person.Person, Proof: proof})
		s.records("coop", "Party:Witness", party.WitnessCommand{Address: sign.Address(person.Key), Duty: party.DutyMember, ID: "witness-" + person.Person, Person: person.Person})
		s.signs("coop", "Group:Admit", "admit", seasonScheme, "", group.Admit{Account: seasonScheme, Adult: true, Capacity: true, Fingerprint: fmt.Sprintf("invented-household-%02dA", n),
			Household: s.household(n), ID: tape.ID(fmt.Sprint("season.admit-", n)), Person: person.Person}, s.staff("coop")...)
		if n < 4 {
			agreement.Members = append(agreement.Members, group.Share{Household: s.household(n)})
		}
	}
	s.signs("coop", "Group:FormGroup", "form-group", seasonScheme, "", group.FormGroup{Account: seasonScheme, Agreement: agreement, Group: "season-g1", ID: "season.form"}, s.staff("coop")...)
	hash, err := agreement.Hash(seasonScheme, "season-g1")
	if err != nil {
		s.Fatal(err)
	}
	for n := 1; n < 4; n++ {
		s.signs("coop", "Group:SignGroup", "sign-group", seasonScheme, "", group.SignGroup{Account: seasonScheme, Agreement: hash, Group: "season-g1", Household: s.household(n), ID: tape.ID(fmt.Sprint("season.sign-", n))}, s.member(n))
	}
	s.signs("coop", "Group:Endorse", "endorse", seasonScheme, "", group.Endorse{Account: seasonScheme, Group: "season-g1", ID: "season.endorse"}, s.staff("coop")...)
	s.signs("bank", "Group:ApproveGroup", "approve-group", seasonScheme, "", group.ApproveGroup{Account: seasonScheme, Group: "season-g1", ID: "season.approve"}, s.staff("bank")...)
}

func yuan(n int64) money.Amount { return money.New(n*100, "CNY") }

// arrives lets money of a bank's line come to an account.
func (s *season) arrives(organisation string, account, bank tape.AccountID, id string, amount money.Amount) {
	s.Helper()
	came := tape.Gift{ID: tape.ID(id), Amount: amount, Reference: fmt.Sprintf("invented-reference-%02dA", len(id))}
	received, err := tape.Receive{Account: account, Count: 1, Gifts: []tape.Gift{came}, ID: tape.ID(id + ".page"), Total: amount}.Encode()
	if err != nil {
		s.Fatal(err)
	}
	if _, err := s.gateway(organisation).Send(s.Context(), "Tape:Receive", received); err != nil {
		s.Fatal(err)
	}
	s.files(bank, tape.ID(id), "", money.New(0, "CNY"), tape.CreditSide, tape.Line{Number: 1, Date: s.today, Amount: amount, Reference: came.Reference})
	s.records(organisation, "Tape:Settle", tape.Settle{Account: account, ID: tape.ID(id + ".settled"), Items: []tape.SettleItem{{Source: id + ".page", Lines: &tape.LinesRef{Statement: tape.ID(id)}}}})
}

// files files a statement of one line.
func (s *season) files(bank tape.AccountID, id, previous tape.ID, opening money.Amount, side tape.Side, line tape.Line) {
	s.Helper()
	page, _, err := tape.LinesBody(side, []tape.Line{line})
	if err != nil {
		s.Fatal(err)
	}
	closing := money.New(opening.Units+line.Amount.Units, "CNY")
	if side == tape.DebitSide {
		closing.Units -= 2 * line.Amount.Units
	}
	s.records("bank", "Tape:FileStatement", tape.FileStatement{Account: bank, Closing: closing, Count: 1, From: s.today, ID: id, Opening: opening, Pages: []tape.LinesPage{page}, Previous: previous, To: s.today})
	lines, err := tape.FileLines{Account: bank, ID: id + "-0", Lines: []tape.Line{line}, N: 0, Statement: id}.Encode()
	if err != nil {
		s.Fatal(err)
	}
	if _, err := s.gateway("bank").Send(s.Context(), "Tape:FileLines", lines); err != nil {
		s.Fatal(err)
	}
}

// weekly is four instalments at 6 % a year.
func weekly() terms.Terms {
	return terms.Terms{Method: terms.EqualPrincipal, RatePartsPerMillion: 60_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 4, Every: terms.Interval{Weeks: 2}}
}

// lends lets household 1 borrow 4,000.00 CNY, and the bank pay it out.
func (s *season) lends() {
	s.Helper()
	s.signs("bank", "Loan:OpenLending", "open-lending", seasonLender, "", tape.Open{Account: seasonLender, Attribution: tape.FIFO, Currency: "CNY", Custodian: "outside:bank:season-lending", ID: "season.lending"}, s.staff("bank")...)
	s.arrives("bank", seasonLender, "outside:bank:season-lending", "season-capital", yuan(50_000))
	offer := loan.OfferProduct{Account: seasonScheme, ID: "season.offer", Product: "inputs", Version: 1, Conditions: loan.Conditions{Lenders: []loan.Lender{{Account: seasonLender, Organisation: "bank", PartsPerMillion: 1_000_000}},
		OfferDays: 30, PrincipalMin: yuan(1_000), PrincipalMax: yuan(20_000), Purposes: []string{"inputs"}, TermDaysMax: 100, Terms: weekly(), TranchesMax: 1}}
	s.signs("bank", "Loan:OfferProduct", "offer-product", seasonScheme, "", offer, s.staff("bank")...)
	apply := loan.Apply{Account: seasonScheme, Amount: yuan(4_000), Group: "season-g1", Household: s.household(1), ID: "season-l1", Product: "inputs", ProductVersion: 1, Purpose: "inputs", Terms: weekly()}
	if err := s.tries("coop", "Loan:ApplyForLoan", "apply-for-loan", seasonScheme, apply.Amount.String(), apply, s.member(2)); err == nil || !strings.Contains(err.Error(), "borrows and has not signed") {
		s.Errorf("a loan that its borrower has not signed: %v", err)
	}
	s.signs("coop", "Loan:ApplyForLoan", "apply-for-loan", seasonScheme, apply.Amount.String(), apply, s.member(1), s.member(2), s.member(3))
	s.signs("bank", "Loan:DecideLoan", "decide-loan", seasonScheme, apply.Amount.String(), loan.Decide{Account: seasonScheme, Amount: apply.Amount, ID: "season.decide", Loan: "season-l1", Reason: "meets-conditions"}, s.staff("bank")...)
	advances := []terms.Advance{{Amount: apply.Amount, Date: s.today}}
	quote, err := loan.Loan{Scheme: seasonScheme, ID: "season-l1", Terms: weekly()}.Quote(advances)
	if err != nil {
		s.Fatal(err)
	}
	hash, err := quote.Hash()
	if err != nil {
		s.Fatal(err)
	}
	s.signs("coop", "Loan:ContractLoan", "contract-loan", seasonScheme, apply.Amount.String(), loan.ContractLoan{Account: seasonScheme, Advances: advances, ID: "season.contract", Loan: "season-l1", Quote: hash}, s.member(1))
	to := tape.AccountID("outside:household:" + string(tape.PseudonymFrom("invented season 1")))
	s.signs("bank", "Loan:DisburseLoan", "disburse-loan", seasonScheme, apply.Amount.String(), loan.Disburse{Account: seasonScheme, Amount: apply.Amount, Expires: s.begun + 5*tape.Day, ID: "season-out", Loan: "season-l1", To: to, Tranche: 1}, s.staff("bank")...)
	paid := tape.Line{Number: 1, Date: s.today, Amount: apply.Amount, Reference: "invented-reference-99A"}
	s.files("outside:bank:season-lending", "season-paid", "season-capital", yuan(50_000), tape.DebitSide, paid)
	execute, err := tape.NewExecute(seasonLender, "season.execute", "season-paid", 0, []tape.Line{paid}, []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{"season-out"}}})
	if err != nil {
		s.Fatal(err)
	}
	s.records("bank", "Tape:Execute", execute)
	s.records("coop", "Loan:BookTranche", loan.BookTranche{Account: seasonScheme, ID: "season.book", Loan: "season-l1", Tranche: 1})
}

// sells brings both lots to a buyer, who pays 9,000.00 CNY.
func (s *season) sells() {
	s.Helper()
	agreement := crop.Agreement{Commodity: "coffee", Costs: []string{"transport"}, Deductions: []string{"damaged"}, Forms: []crop.Form{{Form: "cherry", Grades: []string{"ripe"}}},
		Stores: []crop.Store{{Organisation: "coop", Store: "mill"}}}
	s.signs("coop", "Harvest:Agree", "agree", seasonScheme, "", crop.Agree{Account: seasonScheme, Agreement: agreement, ID: "season.agree"}, append(s.staff("coop"), s.staff("bank")[0])...)
	for n, grams := range map[int]int64{1: 100_000, 4: 200_000} {
		s.signs("coop", "Harvest:Deliver", "deliver", seasonScheme, "", crop.Deliver{Account: seasonScheme, Form: "cherry", Grade: "ripe", GrossGrams: grams, Harvested: s.today, Household: s.household(n),
			ID: tape.ID(fmt.Sprint("season-lot-", n)), NetGrams: grams, Store: "mill"}, s.staff("coop")[0], s.member(n))
	}
	sell := crop.Sell{Account: seasonScheme, Buyer: "outside:buyer:roaster", Costs: []crop.Cost{{Amount: yuan(100), Kind: "transport", Payee: "outside:supplier:lorry"}}, ID: "season-sale", Invoice: merkle.Hash{1},
		Lots: []tape.ID{"season-lot-1", "season-lot-4"}, PricePerTonne: yuan(30_000), Proceeds: yuan(9_000)}
	s.signs("coop", "Harvest:Sell", "sell", seasonScheme, yuan(9_000).String(), sell, s.staff("coop")...)
	s.arrives("coop", seasonScheme, "outside:bank:season", "season-proceeds", yuan(9_000))
}

// settles shares the sale out, and finds what it paid on the ledger and among the payouts.
func (s *season) settles() {
	s.Helper()
	for _, ran := range []int{2, 0} { // the costs and a page; typed again, nothing is left to run
		var ended settled
		s.sees("coop")
		s.types(0, &ended, "settlement", "settle", string(seasonScheme), "season-sale")
		if ended.Chunks != 2 || ended.Ran != ran {
			s.Errorf("a settlement of 2 chunks, of which %d are left: %+v", ran, ended)
		}
		s.last = max(s.last, ended.Block)
	}
	var entry readmodel.Entry
	if err := s.gateway("regulator").Get(s.Context(), "/entries/coop/"+url.PathEscape("settle-season-sale-1"), nil, s.last, &entry); err != nil {
		s.Fatal(err)
	}
	// The first two instalments fall due in the window: 1,000.00 each, and interest of 4,000.00 and of 3,000.00 for 14 days at 6 %.
	if len(entry.Postings) != 1 || entry.Postings[0].To != seasonLender || entry.Postings[0].OnBehalfOf != s.household(1) || entry.Postings[0].Amount != money.New(100_000+921+100_000+690, "CNY") {
		s.Errorf("what the sale paid first: %+v", entry.Postings)
	}
	rests := map[tape.AccountID]money.Amount{}
	var payouts readmodel.List[readmodel.Payout]
	if err := s.gateway("coop").Get(s.Context(), "/payouts", url.Values{"account": {string(seasonScheme)}}, s.last, &payouts); err != nil {
		s.Fatal(err)
	}
	for _, payout := range payouts.Items {
		rests[payout.To] = payout.Amount
	}
	first, fourth := tape.PseudonymFrom("invented season 1"), tape.PseudonymFrom("invented season 4")
	if rests["outside:household:"+tape.AccountID(first)] != money.New(296_667-201_611, "CNY") || rests["outside:household:"+tape.AccountID(fourth)] != money.New(593_333, "CNY") || len(rests) != 3 {
		s.Errorf("what is left for the households: %v", rests)
	}
}

// cooperates finds on the ledger what the season of the story has come to.
func (y typist) cooperates(told story.Told) {
	y.Helper()
	of := told.Cooperative
	if of.Groups != 12 || of.Households != 48 || of.Loans != 17 || of.Payouts != 50 {
		y.Errorf("the season: %+v", of)
	}
	gateway := y.gateway("regulator")
	for id, want := range map[string]group.State{"coffee-01": group.Active, "coffee-06": group.Frozen, "coffee-09": group.Active} {
		if g, err := speak.Record[group.Group](y.Context(), gateway, group.GroupKey(of.Scheme, tape.ID(id))); err != nil || g.State != want {
			y.Errorf("group %s is %s, want %s: %v", id, g.State, want, err)
		}
	}
	closed, err := speak.Record[loan.Loan](y.Context(), gateway, loan.Key(of.Scheme, "season-loan-15"))
	if err != nil || closed.State != loan.Closed {
		y.Errorf("the loan that the sale ends is %s: %v", closed.State, err)
	}
	call, err := speak.Record[recourse.Call](y.Context(), gateway, recourse.CallKey(of.Scheme, of.Defaulted, "season-call"))
	paid, most := int64(0), int64(0) // two paid 400.00 each, and the sale lets the one that can bear its part of it
	for _, g := range call.Guarantors {
		paid, most = paid+g.Paid, max(most, g.Borne())
	}
	if err != nil || call.State != recourse.Met || call.Amount != yuan(1_600) || paid != 80_000 || call.Borne() != paid || most != 26_667 || len(call.Guarantors) != 4 {
		y.Errorf("the call: %+v, %v", call, err)
	}
	sale, err := speak.Record[crop.Sale](y.Context(), gateway, crop.SaleKey(of.Scheme, of.Sale))
	if err != nil || sale.State != crop.SaleSettled || sale.Grams != 4_147_200 || sale.Net != money.New(19_706_560, "CNY") {
		y.Errorf("the sale: %+v, %v", sale, err)
	}
}
