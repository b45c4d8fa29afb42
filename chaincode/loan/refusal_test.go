package loan_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Every refusal of every command up to the contract: what is changed in an
// allowed situation, and the answer. What follows stands in spending_test.go. That
// maker and checker are enough is judged by package party, that an id is free by the contract.

type offering struct {
	C       loan.OfferProduct
	Scheme  group.Scheme
	Version group.SchemeTerms
	Known   *loan.Offer
	Lending []loan.Lending
	Ctx     tape.Context
}

func account(id tape.AccountID, organisation string) *tape.Account {
	return &tape.Account{V: 1, ID: id, Organisation: organisation, Currency: "CNY", Subject: loan.Subject}
}

// shared is what two lenders offer together.
func shared() loan.Conditions {
	c := conditions()
	c.Lenders = []loan.Lender{{Account: lending, Organisation: "bank", PartsPerMillion: 300_000}, {Account: unions, Organisation: "union", PartsPerMillion: 700_000}}
	return c
}

func TestOfferProduct(t *testing.T) {
	ruletest.Refusals(t, func() offering {
		return offering{loan.OfferProduct{Account: coffee, Conditions: shared(), ID: "offer-2", Product: "season", Version: 2}, scheme(), version(), &loan.Offer{V: 1, Latest: 1, Version: 1, Organisation: "bank"},
			[]loan.Lending{{Account: account(lending, "bank"), Lends: true}, {Account: account(unions, "union"), Lends: true}}, by("bank", "maker", "checker", "maker@union")}
	}, func(s offering) error {
		_, _, _, err := s.C.Offer(s.Scheme, s.Version, s.Known, s.Lending, s.Ctx)
		return err
	}, []row[offering]{
		{func(s *offering) { s.Ctx.Role = "auditor" }, "forbidden: bank (role auditor) is no lender of coop:coop:coffee; its lenders are [bank union]"},
		{func(s *offering) { s.Ctx.Organisation = "insurer" }, "forbidden: insurer (role gateway) is no lender of coop:coop:coffee"},
		{func(s *offering) { s.C.Product = "" }, "invalid: field product: "},
		{func(s *offering) { s.C.Conditions.PrincipalMin = cny(0) }, "invalid: field conditions.principalMin: 0.00 CNY is not more than zero"},
		{func(s *offering) { s.C.Conditions.Lenders[0].Organisation = "union" }, "invalid: field conditions.lenders[1]: union or its account stands twice"},
		{func(s *offering) {
			s.C.Conditions.Lenders[0], s.C.Conditions.Lenders[1] = s.C.Conditions.Lenders[1], s.C.Conditions.Lenders[0]
		}, "forbidden: field conditions.lenders: begin with union; the originator, bank, stands first"},
		{func(s *offering) {
			s.C.Conditions.Lenders[0].PartsPerMillion, s.C.Conditions.Lenders[1].PartsPerMillion = 299_999, 700_001
		}, "forbidden: field conditions.lenders: leave 299999 parts per million to the originator; coop:coop:coffee wants 300000 at least"},
		{func(s *offering) { s.Scheme.Lenders = []string{"bank"} }, "forbidden: field conditions.lenders[1]: union is no lender of coop:coop:coffee"},
		{func(s *offering) { s.Version.MemberMax = cny(2_999_999) }, "forbidden: field conditions.principalMax: is 30000.00 CNY; coop:coop:coffee guarantees 29999.99 CNY of one member at most"},
		{func(s *offering) { s.Lending[1].Lends = false }, "forbidden: field conditions.lenders[1].organisation: union holds no power of a lender"},
		{func(s *offering) { s.Lending[1].Account = nil }, "not-found: field conditions.lenders[1].account: there is no account lender:union:coffee"},
		{func(s *offering) { s.Lending[0].Account = account(lending, "union") }, "forbidden: field conditions.lenders[0].account: lender:bank:coffee is an account of union in CNY"},
		{func(s *offering) {
			a := *s.Lending[0].Account
			a.Subject = "fund"
			s.Lending[0].Account = &a
		}, `forbidden: field conditions.lenders[0].account: lender:bank:coffee is an account of bank in CNY spent by the commands of "fund"`},
		{func(s *offering) {
			a := *s.Lending[0].Account
			a.Currency = "USD"
			s.Lending[0].Account = &a
		}, "forbidden: field conditions.lenders[0].account: lender:bank:coffee is an account of bank in USD"},
		{func(s *offering) { s.Ctx = by("bank", "maker", "checker") }, "forbidden: one of the staff of union must sign"},
		{func(s *offering) { s.Ctx = by("bank", "maker@union") }, "forbidden: one of the staff of bank must sign"},
		{func(s *offering) { s.Known.Organisation = "union" }, "forbidden: field product: season is a product of union, which alone makes its next version"},
		{func(s *offering) { s.C.Version = 3 }, "conflict: field version: is 3; the next version of season is 2"},
		{func(s *offering) { s.Known = nil }, "conflict: field version: is 2; the next version of season is 1"},
	})
}

func TestConditions(t *testing.T) {
	type c = loan.Conditions
	ruletest.Refusals(t, shared, func(c loan.Conditions) error { return c.Check("CNY") }, []row[c]{
		{func(c *c) { c.Terms.RatePartsPerMillion = -1 }, "invalid: field terms.ratePartsPerMillion: "},
		{func(c *c) { c.Terms.RatePartsPerMillion = 10_000_001 }, "invalid: field terms.ratePartsPerMillion: "},
		{func(c *c) { c.Terms.LateRatePartsPerMillion = -1 }, "invalid: field terms.lateRatePartsPerMillion: "},
		{func(c *c) { c.Terms.Instalments = 0 }, "invalid: field terms.instalments: is 0"},
		{func(c *c) { c.Terms.Method = "lump" }, "invalid: field terms.method: "},
		{func(c *c) { c.Terms.FirstDue = "2026-02-01" }, "invalid: field terms: name days; those are each contract's own"},
		{func(c *c) {
			c.Terms.DueDates, c.Terms.Every, c.Terms.Instalments = []tape.Date{"2026-02-01"}, terms.Interval{}, 1
		}, "invalid: field terms: name days"},
		{func(c *c) { c.Terms.Fees = []terms.Fee{{At: terms.AtDisbursement, PartsPerMillion: 1}} }, "invalid: field terms.fees[0].at: is disbursement; nothing is kept back of what is lent"},
		{func(c *c) { c.Terms.Instalments, c.Terms.Every = 161, terms.Interval{Weeks: 1} }, "invalid: field terms.instalments: is 161, 160 at most"},
		{func(c *c) {
			c.Terms.Instalments, c.Terms.Every, c.Terms.Instalment = 0, terms.Interval{Days: 6}, cny(100)
		}, "invalid: field terms.every: is less than a week"},
		{func(c *c) { c.PrincipalMin = money.New(1, "USD") }, "invalid: field principalMin: 0.01 USD is not in CNY"},
		{func(c *c) { c.PrincipalMax = cny(-5) }, "invalid: field principalMax: "},
		{func(c *c) { c.PrincipalMin, c.PrincipalMax = cny(2), cny(1) }, "invalid: field principalMin: is 0.02 CNY, more than the most, 0.01 CNY"},
		{func(c *c) { c.Lenders = nil }, "invalid: field lenders: names 0; 1 to 8 lend together"},
		{func(c *c) { c.Lenders = make([]loan.Lender, 9) }, "invalid: field lenders: names 9"},
		{func(c *c) { c.Lenders[0].Account = "Bank" }, "invalid: field lenders[0].account: "},
		{func(c *c) { c.Lenders[0].Account = "outside:bank:coffee" }, "invalid: field lenders[0].account: outside:bank:coffee is outside the ledger"},
		{func(c *c) { c.Lenders[0].Organisation = "The Bank" }, "invalid: field lenders[0].organisation: is not a name"},
		{func(c *c) { c.Lenders[0].PartsPerMillion = 0 }, "invalid: field lenders[0].partsPerMillion: is 0; 1 to 1000000 is possible"},
		{func(c *c) { c.Lenders[1].Account = lending }, "invalid: field lenders[1]: union or its account stands twice"},
		{func(c *c) { c.Lenders[0].PartsPerMillion = 300_001 }, "invalid: field lenders: have 1000001 parts per million together, not 1000000"},
		{func(c *c) { c.Purposes = nil }, "invalid: field purposes: names none"},
		{func(c *c) { c.Purposes[1] = "travel" }, "invalid: field purposes[1]: is not one of inputs, "},
		{func(c *c) { c.Purposes[1] = "inputs" }, "invalid: field purposes[1]: stands twice"},
		{func(c *c) { c.Supplies = make([]string, 17) }, "invalid: field supplies: names 17 categories; 16 at most"},
		{func(c *c) { c.Supplies = []string{"Seeds"} }, "invalid: field supplies[0]: is not a name"},
		{func(c *c) { c.Supplies = []string{"seeds", "seeds"} }, "invalid: field supplies[1]: stands twice"},
		{func(c *c) { c.TermDaysMax = 0 }, "invalid: field termDaysMax: is 0; 1 to 1098 is possible"},
		{func(c *c) { c.TermDaysMax = 1099 }, "invalid: field termDaysMax: is 1099"},
		{func(c *c) { c.OfferDays = 91 }, "invalid: field offerDays: is 91; 1 to 90 is possible"},
		{func(c *c) { c.TranchesMax = 13 }, "invalid: field tranchesMax: is 13; 1 to 12 is possible"},
		{func(c *c) { c.Terms.Method = terms.Flat }, "invalid: field tranchesMax: is 2; 1 to 1 is possible"},
		{func(c *c) { c.ToleranceUnits = -1 }, "invalid: field toleranceUnits: is -1; 0 to 1000000 is possible"},
	})
}

func TestWithdrawProduct(t *testing.T) {
	type s struct {
		Offer  loan.Offer
		Latest loan.Product
		Ctx    tape.Context
	}
	ruletest.Refusals(t, func() s { return s{loan.Offer{V: 1, Latest: 1, Version: 1}, product(), by("bank", "maker", "checker")} },
		func(s s) error {
			after, _, err := s.Offer.Withdraw(loan.WithdrawProduct{Account: coffee, ID: "w-1", Product: "season"}, s.Latest, s.Ctx)
			if err == nil && (after.Version != 0 || after.Latest != 1) {
				t.Errorf("withdrawn: %+v", after)
			}
			return err
		}, []row[s]{
			{func(s *s) { s.Ctx.Organisation = "union" }, "forbidden: union (role gateway) does not offer season; bank does"},
			{func(s *s) { s.Ctx.Role = "admin" }, "forbidden: bank (role admin) does not offer season"},
			{func(s *s) { s.Offer.Version = 0 }, "wrong-state: season is offered no more"},
		})
}

type applying struct {
	C   loan.Apply
	F   loan.Frame
	Ctx tape.Context
}

func TestApply(t *testing.T) {
	ruletest.Refusals(t, func() applying { return applying{apply(), frame(), by("coop", "h1", "h2", "h3", "h4")} },
		func(s applying) error { _, _, err := s.C.Apply(s.F, s.Ctx); return err }, []row[applying]{
			{func(s *applying) { s.Ctx.Role = "auditor" }, "forbidden: coop (role auditor) is no gateway"},
			{func(s *applying) { s.C.ID = "a/b" }, "invalid: field id: "},
			{func(s *applying) { s.C.Household = "household:x" }, "invalid: field household: "},
			{func(s *applying) { s.F.Scheme.Version = 0 }, "wrong-state: field account: coop:coop:coffee waits for its lenders"},
			{func(s *applying) { s.F.Product = nil }, "not-found: field product: there is no version 1 of a product season in coop:coop:coffee"},
			{func(s *applying) { s.F.Offer = nil }, "not-found: field product: there is no version 1"},
			{func(s *applying) { s.F.Offer.Version = 2 }, "wrong-state: field productVersion: version 1 of season is not offered now"},
			{func(s *applying) { s.F.Offer.Version = 0 }, "wrong-state: field productVersion: version 1 of season is not offered now"},
			{func(s *applying) { s.C.Amount = money.New(1_200_000, "USD") }, "invalid: field amount: 12000.00 USD is not in CNY"},
			{func(s *applying) { s.C.Amount = cny(99_999) }, "invalid: field amount: 999.99 CNY is not 1000.00 CNY to 30000.00 CNY, which season lends"},
			{func(s *applying) { s.C.Amount = cny(3_000_001) }, "invalid: field amount: 30000.01 CNY is not"},
			{func(s *applying) { s.C.Purpose = "planting" }, "invalid: field purpose: is not one that season lends for: [inputs harvest]"},
			{func(s *applying) { s.C.Terms.RatePartsPerMillion++ }, "conflict: field terms: are not those of version 1 of season"},
			{func(s *applying) { s.C.Terms.Instalments = 6 }, "conflict: field terms: are not those of version 1 of season"},
			{func(s *applying) { s.C.Terms.LateRatePartsPerMillion = 0 }, "conflict: field terms: are not those of version 1 of season"},
			{func(s *applying) { s.F.Group = nil }, "not-found: field group: there is no group g1 in coop:coop:coffee"},
			{func(s *applying) { s.F.Group.Agreement.Lenders = []string{"union"} }, "forbidden: field product: is lent by bank; group g1 guarantees towards [union]"},
			// A loan longer than its group, or than the product lends for.
			{func(s *applying) { s.F.Group.Agreement.Expiry = "2026-12-31" }, "invalid: field terms: end on 2027-01-01; season lends for 400 days, and the agreement of group g1 ends on 2026-12-31"},
			{func(s *applying) { s.F.Product.Conditions.TermDaysMax = 364 }, "invalid: field terms: end on 2027-01-01; season lends for 364 days"},
			{func(s *applying) { s.C.Terms.FirstDue = "2026-01-01" }, "invalid: field terms.firstDue: 2026-01-01 is not later than the first advance"},
			{func(s *applying) { s.C.Terms.FirstDue = "2026-02-30" }, "invalid: field terms.firstDue: is not a date"},
			{func(s *applying) { s.C.Terms.FirstDue = "1899-12-31" }, "invalid: field terms.firstDue: is not between 1900 and 2899"},
			{func(s *applying) { s.F.Group.State = group.Frozen }, "wrong-state: group g1 is frozen; no loans are made under it"},
			{func(s *applying) { s.F.Group.Agreement.Expiry, s.Ctx.Date = "2027-01-01", "2027-01-02" }, "invalid: field terms: end on"},
			{func(s *applying) { s.C.Household = household(9) }, "not-found: field household: "},
			{func(s *applying) { s.F.Version.Sequence = []int32{1, 3}; s.F.Standing[1].Borrowed.Loans = 1 }, "wrong-state: the turn of "},
			{func(s *applying) { s.F.Standing[0].Member.State = group.Left }, "wrong-state: field household: " + string(household(1)) + " is no admitted member"},
			{func(s *applying) { s.F.Standing[0].Member = nil }, "wrong-state: field household: " + string(household(1)) + " is no admitted member"},
			{func(s *applying) { s.F.Group.Agreement.GroupMax = cny(1_199_999) }, "insufficient: field amount: the group would owe 12000.00 CNY; it guarantees 11999.99 CNY at most"},
			{func(s *applying) { s.F.Group.Agreement.GroupMax = cny(2_000_000) }, "insufficient: field amount: " + string(household(1)) + " would owe 12000.00 CNY; one member's part"},
			{func(s *applying) { s.F.Group.Agreement.MemberMax = cny(1_199_999) }, "insufficient: field amount: " + string(household(2)) + " would guarantee 12000.00 CNY"},
			{func(s *applying) { s.F.Standing[2].Debts.OverdueLoan = "loan/coop:coop:tea/l9" }, "wrong-state: field group: " + string(household(3)) + " is overdue with loan/coop:coop:tea/l9"},
			{func(s *applying) { s.F.Standing[2].Debts.OpenCall = "call-1" }, "wrong-state: field group: " + string(household(3)) + " has not paid the call call-1"},
			{func(s *applying) { s.F.Standing[2].Debts.OpenRecourse = "recourse-1" }, "wrong-state: field group: " + string(household(3)) + " owes recourse-1 to those who paid for it"},
			{func(s *applying) { s.F.Standing[1].Member = nil }, "not-found: field group: guarantor " + string(household(2)) + " is no member"},
			{func(s *applying) { s.Ctx = by("coop", "h2") }, "forbidden: h1 borrows and has not signed"},
			{func(s *applying) { s.Ctx = by("coop", "h1!agent-held") }, "forbidden: h1 borrows by a key that is agent-held; who binds itself signs with a key or a card of its own"},
			{func(s *applying) { s.Ctx = by("coop", "h1!gateway-held") }, "forbidden: h1 borrows by a key that is gateway-held"},
			{func(s *applying) { s.Ctx = by("coop", "h1", "h2!agent-held") }, "forbidden: h2 guarantees by a key that is agent-held"},
			{func(s *applying) { s.Ctx = by("coop", "h1", "h9") }, "forbidden: h9 is neither borrower nor guarantor of loan l1"},
			{func(s *applying) { s.Ctx = by("coop", "h1", "h2", "h2") }, "wrong-state: h2 has consented to loan l1"},
		})
}

// TestAssessed: what the model says, and what becomes of an application.
func TestAssessed(t *testing.T) {
	for _, c := range []struct {
		name    string
		signed  []string
		outcome string
		limit   int64
		want    loan.State
	}{
		{"a guarantor is awaited", []string{"h1", "h2", "h3"}, loan.Approve, 3_000_000, loan.Applied},
		{"a card signs as a key does", []string{"h1!card", "h2!card", "h3", "h4"}, loan.Approve, 3_000_000, loan.Approved},
		{"exactly the limit", []string{"h1", "h2", "h3", "h4"}, loan.Approve, 1_200_000, loan.Approved},
		{"more than the limit", []string{"h1", "h2", "h3", "h4"}, loan.Approve, 1_199_999, loan.Referred},
		{"referred", []string{"h1", "h2", "h3", "h4"}, loan.Refer, 3_000_000, loan.Referred},
		{"refused", []string{"h1", "h2", "h3", "h4"}, loan.Refuse, 3_000_000, loan.Refused},
	} {
		f := frame()
		f.Assessment.Outcome, f.Assessment.Limit = c.outcome, cny(c.limit)
		asked := apply()
		l, _, err := asked.Apply(f, by("coop", c.signed...))
		if l = must(t, l, err); l.State != c.want || (l.Decision == nil) != (c.want == loan.Applied) {
			t.Errorf("%s: %s, decision %+v, want %s", c.name, l.State, l.Decision, c.want)
		}
	}
}

type loaned[C any] struct {
	L   loan.Loan
	C   C
	F   loan.Frame
	Ctx tape.Context
}

func TestGuarantee(t *testing.T) {
	type s = loaned[loan.Guarantee]
	ruletest.Refusals(t, func() s {
		asked := apply()
		l, _, err := asked.Apply(frame(), by("coop", "h1", "h2"))
		return s{must(t, l, err), loan.Guarantee{Account: coffee, Application: "coop/l1", ID: "guarantee-1", Loan: "l1"}, frame(), by("bank", "h3", "h4")}
	}, func(s s) error { _, _, err := s.L.Guarantee(s.C, s.F, s.Ctx); return err }, []row[s]{
		{func(s *s) { s.Ctx.Role = "auditor" }, "forbidden: bank (role auditor) is no gateway"},
		{func(s *s) { s.L.At = noon + 1 }, "conflict: loan l1 was changed at "},
		{func(s *s) { s.L.State = loan.Approved }, "wrong-state: loan l1 is approved; only an application waits for consent"},
		{func(s *s) { s.C.Application = "bank/l1" }, "conflict: field application: is another entry than coop/l1, by which loan l1 was asked for"},
		{func(s *s) { s.Ctx = by("bank") }, "forbidden: guarantors of loan l1 sign, and nobody else"},
		{func(s *s) { s.Ctx = by("bank", "h3", "h1") }, "forbidden: guarantors of loan l1 sign, and nobody else"},
		{func(s *s) { s.Ctx = by("bank", "h9") }, "forbidden: h9 is neither borrower nor guarantor of loan l1"},
		{func(s *s) { s.Ctx = by("bank", "h2") }, "wrong-state: h2 has consented to loan l1, by entry coop/l1"},
		{func(s *s) { s.Ctx = by("bank", "h3!agent-held") }, "forbidden: h3 guarantees by a key that is agent-held"},
		{func(s *s) { s.F.Group.State = group.Frozen }, "wrong-state: group g1 is frozen"},
		{func(s *s) { s.F.Standing[3].Debts.OverdueLoan = "loan/x/y" }, "wrong-state: field group: "},
	})
}

// referred is an application that the lender has to decide.
func referred(t *testing.T) loan.Loan {
	t.Helper()
	f := frame()
	f.Assessment.Outcome = loan.Refer
	return applied(t, f)
}

func TestDecide(t *testing.T) {
	type s = loaned[loan.Decide]
	ruletest.Refusals(t, func() s {
		return s{referred(t), loan.Decide{Account: coffee, Amount: cny(1_000_000), ID: "decide-1", Loan: "l1", Reason: "income"}, frame(), by("bank", "maker", "checker")}
	}, func(s s) error { _, _, err := s.L.Decide(s.C, s.F, s.Ctx); return err }, []row[s]{
		{func(s *s) { s.Ctx = by("coop", "maker", "checker") }, "forbidden: coop (role gateway) does not lend l1; bank does"},
		{func(s *s) { s.Ctx.Role = "admin" }, "forbidden: bank (role admin) does not lend l1"},
		{func(s *s) { s.L.At = noon + 1 }, "conflict: loan l1 was changed at "},
		{func(s *s) { s.L.State = loan.Approved }, "wrong-state: loan l1 is approved; only what was referred is decided"},
		{func(s *s) { s.C.Reason = "friend" }, "invalid: field reason: is not one of "},
		{func(s *s) { s.C.Amount = cny(1_200_001) }, "invalid: field amount: 12000.01 CNY is not zero to 12000.00 CNY, which was asked"},
		{func(s *s) { s.C.Amount = cny(-1) }, "invalid: field amount: -0.01 CNY is not zero to"},
		{func(s *s) { s.C.Amount = money.New(0, "USD") }, "invalid: field amount: 0.00 USD is not zero to"},
		{func(s *s) { s.C.Amount = cny(99_999) }, "invalid: field amount: 999.99 CNY is less than 1000.00 CNY, the least that season lends"},
		{func(s *s) { s.F.Group.State = group.Frozen }, "wrong-state: group g1 is frozen"},
		{func(s *s) { s.Ctx = by("bank", "maker", "h2") }, "forbidden: h2 borrows or guarantees loan l1 and does not decide on it"},
		{func(s *s) { s.Ctx, s.C.Amount = by("bank", "maker", "h1"), cny(0) }, "forbidden: h1 borrows or guarantees loan l1"},
	})
	f := frame()
	f.Group.State = group.Frozen // what is refused needs no group
	l, _, err := referred(t).Decide(loan.Decide{Account: coffee, Amount: cny(0), ID: "decide-1", Loan: "l1", Reason: "income"}, f, by("bank", "maker", "checker"))
	if l = must(t, l, err); l.State != loan.Refused || l.Principal != cny(1_200_000) {
		t.Errorf("refused: %s of %s", l.State, l.Principal)
	}
	l, _, err = referred(t).Decide(loan.Decide{Account: coffee, Amount: cny(1_000_000), ID: "decide-1", Loan: "l1", Reason: "income"}, frame(), by("bank", "maker", "checker"))
	if l = must(t, l, err); l.State != loan.Approved || l.Principal != cny(1_000_000) {
		t.Errorf("approved: %s of %s", l.State, l.Principal)
	}
}

func TestContractLoan(t *testing.T) {
	type s = loaned[loan.ContractLoan]
	quoted := func(l loan.Loan, advances ...terms.Advance) party.Hash {
		return must2(must2(l.Quote(advances))(t).Hash())(t)
	}
	ruletest.Refusals(t, func() s {
		l := applied(t, frame())
		advances := []terms.Advance{{Amount: cny(700_000), Date: today}, {Amount: cny(500_000), Date: "2026-03-15"}}
		return s{l, loan.ContractLoan{Account: coffee, Advances: advances, ID: "contract-1", Loan: "l1", Quote: quoted(l, advances...)}, frame(), by("coop", "h1")}
	}, func(s s) error { _, _, err := s.L.ContractLoan(s.C, 30, s.F, s.Ctx); return err }, []row[s]{
		{func(s *s) { s.Ctx.Role = "auditor" }, "forbidden: coop (role auditor) is no gateway"},
		{func(s *s) { s.L.At = noon + 1 }, "conflict: loan l1 was changed at "},
		{func(s *s) { s.L.State = loan.Contracted }, "wrong-state: loan l1 is contracted; only what is approved is contracted"},
		{func(s *s) { s.Ctx = on("2026-02-01", "coop", "h1") }, "expired: the offer of loan l1 stood until 2026-01-31; apply again"},
		{func(s *s) { s.L.Decided = &loan.Decided{Date: "2025-12-01"} }, "expired: the offer of loan l1 stood until 2025-12-31"},
		{func(s *s) { s.Ctx = by("coop", "h2") }, "forbidden: h1 borrows and has not signed"},
		{func(s *s) { s.Ctx = by("coop", "h1!agent-held") }, "forbidden: h1 borrows by a key that is agent-held"},
		{func(s *s) { s.F.Group.State = group.Frozen }, "wrong-state: group g1 is frozen"},
		{func(s *s) { s.F.Standing[1].Debts.OverdueLoan = "loan/x/y" }, "wrong-state: field group: "},
		{func(s *s) { s.C.Advances = nil }, "invalid: field advances: are 0; 1 to 2 tranches are possible"},
		{func(s *s) { s.C.Advances = make([]terms.Advance, 3) }, "invalid: field advances: are 3; 1 to 2 tranches are possible"},
		{func(s *s) { s.C.Advances[1].Amount = cny(0) }, "invalid: field advances[1].amount: "},
		{func(s *s) { s.C.Advances[1].Date = "2026-13-01" }, "invalid: field advances[1].date: is not a date"},
		{func(s *s) { s.C.Advances[0].Date = "2025-12-31" }, "invalid: field advances[0].date: 2025-12-31 has passed"},
		{func(s *s) { s.C.Advances[0].Amount = cny(700_001) }, "conflict: field advances: come to 12000.01 CNY; loan l1 is of 12000.00 CNY"},
		{func(s *s) { s.C.Advances[0].Date = "2026-04-01" }, "invalid: field advances[1].date: lies before the one before it"},
		{func(s *s) { s.C.Advances[1].Date = "2027-01-01" }, "invalid: field advances: one of 2027-01-01 is not earlier than the last due"},
		{func(s *s) { s.L.TermEnd = "2026-12-31" }, "invalid: field advances: put the last instalment on 2027-01-01; loan l1 ends on 2026-12-31"},
		{func(s *s) { s.C.Quote[0]++ }, "conflict: field quote: is not that of loan l1; for these advances it costs 6."},
		{func(s *s) { s.C.Advances[1].Date = "2026-03-16" }, "conflict: field quote: is not that of loan l1"},
		{func(s *s) { s.L.Principal = cny(1_000_000) }, "conflict: field advances: come to 12000.00 CNY; loan l1 is of 10000.00 CNY"},
	})
	// What was signed are days: they stand, on whatever day the money comes.
	l := contracted(t)
	if l.Terms.FirstDue != "2026-02-01" || quoted(l, plan()...) != l.Contract.Quote {
		t.Errorf("the contract's first due is %s, and its quote is another: %s", l.Terms.FirstDue, l.Contract.Quote)
	}
}

func TestWithdrawLoan(t *testing.T) {
	type s = loaned[loan.WithdrawLoan]
	ruletest.Refusals(t, func() s {
		return s{contracted(t), loan.WithdrawLoan{Account: coffee, ID: "withdraw-1", Loan: "l1"}, frame(), by("coop", "h1!agent-held")}
	}, func(s s) error { _, _, err := s.L.Withdraw(s.C, s.Ctx); return err }, []row[s]{
		{func(s *s) { s.Ctx.Role = "auditor" }, "forbidden: coop (role auditor) is no gateway"},
		{func(s *s) { s.L.At = noon + 1 }, "conflict: loan l1 was changed at "},
		{func(s *s) { s.L.State = loan.Running }, "wrong-state: loan l1 is running; what is disbursed is repaid, not withdrawn"},
		{func(s *s) { s.L.State = loan.Withdrawn }, "wrong-state: loan l1 is withdrawn"},
		{func(s *s) { s.L.Tranches = []loan.Tranche{{Amount: cny(5), To: cash(1)}} }, "wrong-state: 0.05 CNY of loan l1 are on their way"},
		{func(s *s) { s.Ctx = by("coop") }, "forbidden: h1, who asked for loan l1, signs alone"},
		{func(s *s) { s.Ctx = by("coop", "h1", "h2") }, "forbidden: h1, who asked for loan l1, signs alone"},
		{func(s *s) { s.Ctx = by("coop", "h2") }, "forbidden: h1, who asked for loan l1, signs alone"},
	})
	// A tranche that came back unpaid leaves nothing on its way.
	l := contracted(t)
	l.Tranches = []loan.Tranche{{Amount: cny(5), To: cash(1), Cancelled: true}}
	if l, _, err := l.Withdraw(loan.WithdrawLoan{}, by("coop", "h1")); err != nil || l.State != loan.Withdrawn {
		t.Errorf("after a cancelled tranche: %s %v", l.State, err)
	}
}
