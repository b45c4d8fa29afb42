package recourse_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Every refusal of every command: what is changed in an allowed situation, and
// the answer. Signatures and counts of approvers are judged by package party.

type calling struct {
	C     recourse.MakeCall
	Debt  recourse.Debt
	Terms recourse.Terms
	Last  *recourse.Call
	Ctx   tape.Context
}

func TestMakeCall(t *testing.T) {
	last := called(t)
	ruletest.Refusals(t, func() calling {
		return calling{makeCall(), debt(), terms(), nil, by("bank", "maker", "checker")}
	}, func(s calling) error { _, _, _, err := s.Debt.Call(s.C, s.Terms, s.Last, s.Ctx); return err }, []row[calling]{
		{func(s *calling) { s.C.Account = "coop" }, "invalid: field account: is not an account"},
		{func(s *calling) { s.C.Loan = "" }, "invalid: field loan: is not an id"},
		{func(s *calling) { s.C.ID = "a b" }, "invalid: field id: is not an id"},
		{func(s *calling) { s.C.Amount = cny(0) }, "invalid: field amount: 0.00 CNY is not more than zero"},
		{func(s *calling) { s.C.Amount = money.New(1, "USD") }, "invalid: field amount: 0.01 USD is not in CNY"},
		{func(s *calling) { s.C.Instalments = nil }, "invalid: field instalments: names 0; a call is for 1 to 120"},
		{func(s *calling) { s.C.Instalments = []int32{-1, 3} }, "invalid: field instalments[0]: is -1; numbers begin at 0 and ascend"},
		{func(s *calling) { s.C.Instalments = []int32{4, 4} }, "invalid: field instalments[1]: is 4; numbers begin at 0 and ascend"},
		{func(s *calling) { s.C.Instalments = []int32{0, 3} }, "not-found: field instalments[0]: instalment 0 of loan loan-1 is not overdue"},
		{func(s *calling) { s.C.Instalments = []int32{3, 5} }, "not-found: field instalments[1]: instalment 5 of loan loan-1 is not overdue"},
		{func(s *calling) { s.C.Guarantors = nil }, "invalid: field guarantors: names 0; a call is of 1 to 16"},
		{func(s *calling) { s.C.Guarantors[1] = "B" }, "invalid: field guarantors[1]: is not an account"},
		{func(s *calling) { s.C.Guarantors = households("B", "C", "D", "B") }, "invalid: field guarantors[3]: " + household("B").String() + " stands twice"},
		{func(s *calling) { s.C.Guarantors = households("B", "D") }, "conflict: field guarantors: leaves out " + household("C").String() + "; a call on the others is none on it (Interpretation art. 29)"},
		{func(s *calling) { s.C.Guarantors = households("B", "C", "D", "E") }, "not-found: field guarantors[3]: " + household("E").String() + " does not guarantee loan loan-1"},
		{func(s *calling) { s.C.Guarantors = households("B", "C", "D", "A") }, "not-found: field guarantors[3]: " + household("A").String() + " does not guarantee"},
		{func(s *calling) { s.C.Loan = "loan-2" }, "not-found: field loan: there is no loan loan-2 of coop:coop:coffee"},
		{func(s *calling) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not call the guarantors of loan loan-1; its lender bank does"},
		{func(s *calling) { s.Ctx.Role = "auditor" }, "forbidden: bank (role auditor) does not call"},
		{func(s *calling) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of bank must sign"},
		{func(s *calling) { s.Last = &last }, "wrong-state: field loan: call call-1 of loan loan-1 is open"},
		{func(s *calling) { s.Debt.DaysPastDue = 30 }, "early: loan loan-1 is 30 days past due; guarantors are called after more than 30"},
		{func(s *calling) { s.Debt.StayedUntil = "2026-01-01" }, "early: no guarantor is called until 2026-01-01: a disaster was declared"},
		{func(s *calling) { s.Debt.Notices = s.Debt.Notices[1:] }, "wrong-state: " + household("A").String() + " had no notice of day 1"},
		{func(s *calling) { s.Debt.Notices = s.Debt.Notices[:7] }, "wrong-state: " + household("D").String() + " had no notice of day 15"},
		{func(s *calling) { s.C.Amount = cny(300_001) }, "conflict: field amount: is 3000.01 CNY; the debtor owes 3000.00 CNY on these instalments, and no guarantor more than that (Interpretation art. 3)"},
		{func(s *calling) { s.C.Instalments = []int32{4} }, "conflict: field amount: is 3000.00 CNY; the debtor owes 1000.00 CNY"},
		{func(s *calling) { s.Debt.Guarantors[2].Months = 0 }, "conflict: " + household("D").String() + " has 0 parts, 5000.00 CNY left to guarantee and 0 months"},
		{func(s *calling) { s.Debt.Guarantors[1].Share = 2 }, "conflict: " + household("B").String() + " has 0 parts"},
		{func(s *calling) { s.Debt.Guarantors[1].Left = money.New(1, "USD") }, "conflict: " + household("C").String() + " has 0 parts, 0.01 USD left"},
		// Of instalments 3 and 4 of December 1 and 31 with a month each, the older has lapsed for one guarantor only.
		{func(s *calling) { s.Debt.Guarantors[1].Months, s.Ctx.Date = 1, "2026-01-02" }, "expired: field guarantors: " + household("C").String() + " guaranteed instalment 3 until 2026-01-01 (art. 693)"},
		{func(s *calling) { s.Debt.Refinances = "loan-0" }, "forbidden: field guarantors[0]: " + household("B").String() + " is not bound: loan loan-1 repaid loan loan-0, which it neither guaranteed nor knew of (Interpretation art. 16)"},
		{func(s *calling) {
			for i := range s.Debt.Guarantors {
				s.Debt.Guarantors[i].Left = cny(99_999)
			}
		}, "insufficient: field amount: is 3000.00 CNY; the guarantors have 2999.97 CNY left to guarantee (art. 690)"},
	})
}

// TestWhoIsBound: of a loan that repaid another only those who knew are called,
// and a call of the newer instalment is in time for who is too late for the older.
func TestWhoIsBound(t *testing.T) {
	d, command := debt(), makeCall()
	d.Refinances, d.Guarantors[0].Knew, d.Guarantors[1].Knew = "loan-0", true, true
	command.Guarantors = households("C", "B")
	c, last, entry, err := d.Call(command, terms(), nil, by("bank", "maker", "checker"))
	if err != nil || len(c.Guarantors) != 2 || c.Guarantors[0].Last != "2027-12-01" || c.Guarantors[0].Until != "2026-01-31" || last.Call != "call-1" || entry.Kind != "make-call" || entry.Subject != string(scheme) {
		t.Errorf("%+v %+v %v", c, entry, err)
	}
	d, command = debt(), makeCall()
	d.Guarantors[1].Months, command.Amount, command.Instalments = 1, cny(100_000), []int32{4}
	c, _, _, err = d.Call(command, terms(), nil, onDay("2026-01-31", by("bank", "maker")))
	if err != nil || c.Guarantors[1].Last != "2026-01-31" || c.Guarantors[0].Last != "2027-12-31" {
		t.Errorf("%+v %v", c, err)
	}
}

// TestTakeAndLower: what a loan's payment and a sale count by.
func TestTakeAndLower(t *testing.T) {
	type taking struct {
		Call      recourse.Call
		Guarantor tape.AccountID
		Units     int64
	}
	met := called(t, paid("B", 100_000), paid("C", 100_000), paid("D", 100_000))
	ruletest.Refusals(t, func() taking { return taking{called(t), household("B"), 100_000} }, func(s taking) error { _, err := s.Call.Take(s.Guarantor, s.Units); return err }, []row[taking]{
		{func(s *taking) { s.Guarantor = household("E") }, "not-found: field guarantor: " + household("E").String() + " was not called by call-1"},
		{func(s *taking) { s.Units = 100_001 }, "insufficient: field amount: is 1000.01 CNY; 1000.00 CNY is asked of " + household("B").String()},
		{func(s *taking) { s.Units = 0 }, "insufficient: field amount: is 0.00 CNY; 1000.00 CNY is asked of"},
		{func(s *taking) { s.Call = called(t, unable("B")) }, "insufficient: field amount: is 1000.00 CNY; 0.00 CNY is asked of"},
		{func(s *taking) { s.Call = met }, "wrong-state: call call-1 is met"},
	})
	ruletest.Refusals(t, func() taking { return taking{called(t, paid("B", 100_000)), "", 200_000} }, func(s taking) error { _, err := s.Call.Lower(s.Units); return err }, []row[taking]{
		{func(s *taking) { s.Call = met }, "wrong-state: call call-1 is met"},
		{func(s *taking) { s.Units = 200_001 }, "insufficient: field amount: is 2000.01 CNY; the lender asks for 2000.00 CNY"},
		{func(s *taking) { s.Units = 0 }, "insufficient: field amount: is 0.00 CNY"},
	})
}

type spreading struct {
	Call recourse.Call
	C    recourse.Respread
	Ctx  tape.Context
}

func TestRespread(t *testing.T) {
	ruletest.Refusals(t, func() spreading {
		return spreading{called(t, paid("B", 100_000)), recourse.Respread{Call: "call-1", Guarantor: household("C"), ID: "respread-1", Loan: "loan-1", Account: scheme}, onDay("2026-02-01", by("bank", "maker"))}
	}, func(s spreading) error { _, _, err := s.Call.Respread(s.C, s.Ctx); return err }, []row[spreading]{
		{func(s *spreading) { s.C.Call = "call-2" }, "not-found: field call: there is no call call-2"},
		{func(s *spreading) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run call call-1; its lender bank does"},
		{func(s *spreading) { s.Ctx.Approvals[0].Duty = "agent" }, "forbidden: one of the staff of bank must sign"},
		{func(s *spreading) { s.Ctx.At-- }, "conflict: the transaction is of"},
		{func(s *spreading) { s.C.Guarantor = household("E") }, "not-found: field guarantor: " + household("E").String() + " was not called"},
		{func(s *spreading) { s.C.Guarantor = household("B") }, "wrong-state: field guarantor: nothing is asked of " + household("B").String()},
		{func(s *spreading) { s.Ctx.Date = "2026-01-31" }, "early: field guarantor: " + household("C").String() + " has until 2026-01-31 to pay"},
		{func(s *spreading) { s.Call = called(t, respread("C", "2026-02-01")) }, "wrong-state: field guarantor: what " + household("C").String() + " has not paid was asked of the others by entry bank/respread-C"},
		{func(s *spreading) {
			s.Call, s.C.Guarantor = called(t, respread("B", "2026-02-01"), respread("C", "2026-02-01")), household("D")
		}, "wrong-state: field guarantor: nobody else of call call-1 can bear what " + household("D").String()},
		{func(s *spreading) {
			s.Call = called(t, respread("B", "2026-02-01"), respread("C", "2026-02-01"), paid("D", 300_000))
		}, "wrong-state: call call-1 is met"},
		{func(s *spreading) { // what is asked in another's place has a clock of its own
			s.Call, s.C.Guarantor = called(t, paid("B", 100_000), respread("C", "2026-02-01")), household("B")
		}, "early: field guarantor: " + household("B").String() + " has until 2026-03-03 to pay"},
	})
}

type releasing struct {
	Call recourse.Call
	C    recourse.Release
	Debt recourse.Debt
	Ctx  tape.Context
}

func TestRelease(t *testing.T) {
	ruletest.Refusals(t, func() releasing {
		return releasing{called(t, paid("B", 40_000)), recourse.Release{Call: "call-1", Guarantor: household("B"), ID: "release-1", Loan: "loan-1", Account: scheme}, debt(), by("bank", "maker", "checker")}
	}, func(s releasing) error { _, _, err := s.Call.Release(s.C, s.Debt, s.Ctx); return err }, []row[releasing]{
		{func(s *releasing) { s.C.Call = "call-2" }, "not-found: field call: there is no call call-2"},
		{func(s *releasing) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run call call-1"},
		{func(s *releasing) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of bank must sign"},
		{func(s *releasing) { s.Ctx.At-- }, "conflict: the transaction is of"},
		{func(s *releasing) { s.C.Guarantor = household("A") }, "not-found: field guarantor: " + household("A").String() + " was not called"},
		{func(s *releasing) { s.Debt.WrittenOff = true }, "wrong-state: loan loan-1 is written off, which frees no guarantor"},
		{func(s *releasing) { s.Call = called(t, paid("B", 100_000)) }, "wrong-state: field guarantor: " + household("B").String() + " has paid its share"},
		{func(s *releasing) { s.Call = called(t, released("B")) }, "wrong-state: field guarantor: " + household("B").String() + " was released by entry bank/release-B"},
		{func(s *releasing) { s.Call = called(t, unable("B")) }, "wrong-state: field guarantor: " + household("B").String() + " cannot pay, by entry bank/unable-B; the others bear its share already"},
		{func(s *releasing) {
			s.Call = called(t, respread("B", "2026-02-01"), paid("C", 110_000))
		}, "wrong-state: field guarantor: " + household("C").String() + " has paid a part of the share of " + household("B").String() + "; that claim is not the lender's to release"},
		{func(s *releasing) { s.Call = called(t, paid("B", 100_000), paid("C", 100_000), paid("D", 100_000)) }, "wrong-state: call call-1 is met"},
	})
}

type declaring struct {
	Call recourse.Call
	C    recourse.DeclareUnable
	Ctx  tape.Context
}

func TestDeclareUnable(t *testing.T) {
	ruletest.Refusals(t, func() declaring {
		return declaring{called(t, paid("B", 40_000)), declare("B"), by("coop", "clerk", "maker@bank")}
	}, func(s declaring) error { _, _, err := s.Call.Declare(s.C, s.Ctx); return err }, []row[declaring]{
		{func(s *declaring) { s.C.Call = "call-2" }, "not-found: field call: there is no call call-2"},
		{func(s *declaring) { s.Ctx.Organisation = "charity" }, "forbidden: charity (role gateway) keeps no books"},
		{func(s *declaring) { s.C.Guarantor = household("E") }, "not-found: field guarantor: "},
		{func(s *declaring) { s.C.Evidence = nil }, "invalid: field evidence: holds 0 documents; 1 to 8 show that somebody cannot pay"},
		{func(s *declaring) { s.C.Evidence[0].Kind = "hearsay" }, "invalid: field evidence[0].kind: is not one of bankruptcy, enforcement-ended, death, missing, other"},
		{func(s *declaring) { s.C.Evidence[0].Hash = merkle.Hash{} }, "invalid: field evidence[0].hash: is empty or stands twice"},
		{func(s *declaring) { s.C.Evidence = append(s.C.Evidence, s.C.Evidence[0]) }, "invalid: field evidence[1].hash: is empty or stands twice"},
		{func(s *declaring) { s.Ctx.Approvals = s.Ctx.Approvals[:1] }, "forbidden: one of the staff of bank must sign"},
		{func(s *declaring) { s.Ctx.Approvals = s.Ctx.Approvals[1:] }, "forbidden: one of the staff of coop must sign"},
		{func(s *declaring) { s.Ctx.At-- }, "conflict: the transaction is of"},
		{func(s *declaring) { s.C.Lift, s.C.Evidence = true, nil }, "wrong-state: field guarantor: " + household("B").String() + " is not declared unable to pay"},
		{func(s *declaring) { s.C.Lift, s.C.Evidence[0].Kind = true, "hearsay" }, "invalid: field evidence[0].kind: is not one of"},
		{func(s *declaring) { s.C.Lift = true }, "wrong-state: field guarantor: " + household("B").String() + " is not declared unable to pay"},
		{func(s *declaring) { s.Call = called(t, unable("B")) }, "wrong-state: field guarantor: " + household("B").String() + " is unable to pay by entry bank/unable-B"},
		{func(s *declaring) { s.Call = called(t, released("B")) }, "wrong-state: field guarantor: " + household("B").String() + " is released by entry bank/release-B"},
		{func(s *declaring) { s.Call = withdrawn(t, called(t)) }, "wrong-state: call call-1 is closed"},
	})
}

func withdrawn(t *testing.T, c recourse.Call) recourse.Call {
	t.Helper()
	next, entry, err := c.Withdraw(recourse.WithdrawCall{Call: "call-1", ID: "withdraw-1", Loan: "loan-1", Account: scheme}, by("bank", "maker", "checker"))
	if err != nil || entry.Kind != "withdraw-call" {
		t.Fatal(err)
	}
	return next
}

type withdrawing struct {
	Call recourse.Call
	C    recourse.WithdrawCall
	Ctx  tape.Context
}

func TestWithdrawCall(t *testing.T) {
	ruletest.Refusals(t, func() withdrawing {
		return withdrawing{called(t), recourse.WithdrawCall{Call: "call-1", ID: "withdraw-1", Loan: "loan-1", Account: scheme}, by("bank", "maker", "checker")}
	}, func(s withdrawing) error { _, _, err := s.Call.Withdraw(s.C, s.Ctx); return err }, []row[withdrawing]{
		{func(s *withdrawing) { s.C.Call = "call-2" }, "not-found: field call: there is no call call-2"},
		{func(s *withdrawing) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run call call-1"},
		{func(s *withdrawing) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of bank must sign"},
		{func(s *withdrawing) { s.Ctx.At-- }, "conflict: the transaction is of"},
		{func(s *withdrawing) { s.Call = withdrawn(t, s.Call) }, "wrong-state: call call-1 is closed"},
	})
}

type repaying struct {
	Call     recourse.Call
	C        recourse.Reimburse
	Debt     recourse.Debt
	Arrivals []recourse.Arrival
	Ctx      tape.Context
}

func TestReimburse(t *testing.T) {
	// B, C and D have paid as 3 : 2 : 1; of 101 the odd units go to D and C, whose fractions are larger.
	three := called(t, respread("D", "2026-02-01"), paid("B", 150_000), paid("C", 100_000), paid("D", 50_000))
	without := debt()
	without.Overdue = nil
	judge := func(s repaying) error { _, _, _, err := s.Call.Reimburse(s.C, s.Debt, s.Arrivals, s.Ctx); return err }
	const each = "conflict: field parts: of 1.01 CNY go 0.50 CNY to "
	parts := []recourse.Part{{Household: household("B"), Units: 50}, {Household: household("C"), Units: 34}, {Household: household("D"), Units: 17}}
	ruletest.Refusals(t, func() repaying {
		c, arrivals := arrived(0, parts)
		return repaying{three, c, without, arrivals, by("coop")}
	}, judge, []row[repaying]{
		{func(s *repaying) { s.C.Call = "call-2" }, "not-found: field call: there is no call call-2"},
		{func(s *repaying) { s.Ctx.Role = "admin" }, "forbidden: coop (role admin) keeps no books"},
		{func(s *repaying) { s.Call = called(t, paid("B", 100_000)) }, "wrong-state: the lender still asks for 2000.00 CNY by call call-1, and ranks before the guarantors (art. 700)"},
		{func(s *repaying) { s.Debt.Overdue = []recourse.Instalment{{N: 5, Due: "2026-01-01", Unpaid: 1}} }, "wrong-state: the debtor owes the lender 0.01 CNY on loan loan-1, which ranks before"},
		{func(s *repaying) { s.Ctx.At-- }, "conflict: the transaction is of"},
		{func(s *repaying) { s.C.Account = "coop:coop:tea" }, "not-found: field call: there is no call"},
		{func(s *repaying) { s.C.Loan = "loan-2" }, "not-found: field call: there is no call call-1 of loan loan-2"},
		{func(s *repaying) { s.Ctx.Organisation = "charity" }, "forbidden: charity (role gateway) keeps no books of call call-1; bank and coop do"},
		{func(s *repaying) { s.C.Amount = cny(-1) }, "invalid: field amount: -0.01 CNY is not more than zero"},
		{func(s *repaying) { s.C.Amount.Currency = "USD" }, "invalid: field amount: 1.01 USD is not in CNY"},
		{func(s *repaying) { s.C.Amount = cny(300_001) }, "insufficient: field amount: is 3000.01 CNY; the guarantors are without 3000.00 CNY"},
		{func(s *repaying) { s.C.Amount = cny(102) }, "conflict: field parts: of 1.02 CNY go 0.51 CNY to " + household("B").String() + ", 0.34 CNY to " + household("C").String()},
		{func(s *repaying) { s.C.Parts = s.C.Parts[:2] }, each},
		{func(s *repaying) { s.C.Parts = nil }, each},
		{func(s *repaying) { s.C.Parts[0].Amount = cny(51) }, each},
		{func(s *repaying) { s.C.Parts[0].Amount.Currency = "USD" }, each},
		{func(s *repaying) { s.C.Parts[1].To = household("E") }, each},
		{func(s *repaying) { s.C.Parts[0], s.C.Parts[1] = s.C.Parts[1], s.C.Parts[0] }, each},
		{func(s *repaying) { s.C.Parts[0].Payment = "settle-1/0" }, "invalid: field parts[0].payment: is not a posting; write it as organisation/entry/index"},
		{func(s *repaying) { s.C.Parts[1].Payment = "coop/sale-1/00" }, "invalid: field parts[1].payment: is not a posting"},
		{func(s *repaying) { s.C.Parts[1].Payment = "coop/sale-1/7" }, "not-found: field parts[1].payment: the tape shows no such payment"},
		{func(s *repaying) { s.Arrivals[2].Payment = nil }, "not-found: field parts[2].payment: the tape shows no such payment"},
		{func(s *repaying) {
			s.Arrivals[0].Payment.Counted = &recourse.Counted{Call: "call-0", Entry: "bank/pay-0"}
		}, "exists: field parts[0].payment: was counted for call call-0 by entry bank/pay-0"},
		{func(s *repaying) { s.Arrivals[0].Payment.Amount = cny(49) }, "conflict: field parts[0].amount: is 0.50 CNY; the payment was of 0.49 CNY"},
		{func(s *repaying) { s.Arrivals[0].Payment.From = household("C") }, "conflict: field parts[0].payment: the payment is not the money of " + household("A").String()},
		{func(s *repaying) { s.Arrivals[0].Payment.To = scheme }, "conflict: field parts[0].to: the payment did not go to " + household("B").String()},
		{func(s *repaying) { s.C.Parts[1].Payment = "" }, receives("parts[1]")},
	})
	// C and D get cash, and sign for it with keys in their own hands.
	ruletest.Refusals(t, func() repaying {
		c, arrivals := arrived(0, parts)
		c.Parts[1].Payment, c.Parts[2].Payment = "", ""
		arrivals[1], arrivals[2] = recourse.Arrival{Receiver: "person-c"}, recourse.Arrival{Receiver: "person-d"}
		return repaying{three, c, without, arrivals, by("bank", "person-c", "person-d")}
	}, judge, []row[repaying]{
		{func(s *repaying) { s.Ctx.Approvals = s.Ctx.Approvals[:1] }, receives("parts[2]")},
		{func(s *repaying) { s.Ctx.Approvals = nil }, receives("parts[1]")},
		{func(s *repaying) { s.Ctx.Approvals[1].Person = "person-b" }, receives("parts[2]")},
		{func(s *repaying) { s.Ctx.Approvals = append(s.Ctx.Approvals, tape.Approval{Person: "clerk"}) }, "forbidden: the receiver of cash signs for it, and nobody else"},
		{func(s *repaying) { s.Arrivals[1].Receiver = "" }, receives("parts[1]")},
		{func(s *repaying) { s.Ctx.Approvals[1].Custody = "gateway-held" }, "forbidden: field parts[2]: the key of person-d is gateway-held; cash is signed for by a key in the receiver's own hands"},
	})
}

func receives(field string) string {
	return "forbidden: field " + field + ": the receiver of cash signs for it, and nobody else"
}

type contributing struct {
	Call    recourse.Call
	C       recourse.Contribute
	Arrival recourse.Arrival
	Ctx     tape.Context
}

func TestContribute(t *testing.T) {
	all := called(t, respread("C", "2026-02-01"), paid("B", 150_000), paid("D", 150_000))
	judge := func(s contributing) error {
		_, _, _, err := s.Call.Contribute(s.C, s.Arrival, s.Ctx)
		return err
	}
	command := recourse.Contribute{Amount: cny(50_000), Call: "call-1", From: household("C"), ID: "give-1", Loan: "loan-1", Account: scheme, To: household("B")}
	ruletest.Refusals(t, func() contributing {
		c, p := command, payment(0, household("C"), outside("B"), 50_000)
		c.Payment = p.Source
		return contributing{all, c, recourse.Arrival{Payment: &p}, by("coop")}
	}, judge, []row[contributing]{
		{func(s *contributing) { s.C.Call = "call-2" }, "not-found: field call: there is no call call-2"},
		{func(s *contributing) { s.Ctx.Organisation = "charity" }, "forbidden: charity (role gateway) keeps no books"},
		{func(s *contributing) { s.C.From, s.Arrival.Payment.From = household("A"), outside("A") }, "not-found: field from: " + household("A").String() + " was not called"},
		{func(s *contributing) { s.C.To, s.Arrival.Payment.To = household("A"), outside("A") }, "not-found: field to: " + household("A").String() + " was not called"},
		{func(s *contributing) { s.Ctx.At-- }, "conflict: the transaction is of"},
		{func(s *contributing) { s.C.Amount = cny(0) }, "invalid: field amount: 0.00 CNY is not more than zero"},
		{func(s *contributing) { s.Arrival.Payment = nil }, "not-found: field payment: the tape shows no such payment"},
		{func(s *contributing) {
			s.Arrival.Payment.Counted = &recourse.Counted{Call: "call-1", Entry: "coop/give-0"}
		}, "exists: field payment: was counted for call call-1"},
		{func(s *contributing) { s.Arrival.Payment.From = household("D") }, "conflict: field from: the payment is not the money of " + household("C").String()},
		{func(s *contributing) { s.Arrival.Payment.To = household("D") }, "conflict: field to: the payment did not go to " + household("B").String()},
		{func(s *contributing) { s.C.Amount, s.Arrival.Payment.Amount = cny(50_001), cny(50_001) }, "insufficient: field amount: is 500.01 CNY; " + household("C").String() + " owes " + household("B").String() + " 500.00 CNY"},
		{func(s *contributing) { s.C.From, s.Arrival.Payment.From = household("D"), outside("D") }, "insufficient: field amount: is 500.00 CNY; " + household("D").String() + " owes " + household("B").String() + " 0.00 CNY"},
	})
	const signs = "forbidden: the receiver of cash signs for it, and nobody else"
	ruletest.Refusals(t, func() contributing {
		ctx := by("coop", "person-b")
		ctx.Approvals[0].Duty = "member"
		return contributing{all, command, recourse.Arrival{Receiver: "person-b"}, ctx}
	}, judge, []row[contributing]{
		{func(s *contributing) { s.Ctx.Approvals = nil }, signs},
		{func(s *contributing) { s.Ctx.Approvals[0].Person = "person-c" }, signs},
		{func(s *contributing) { s.Arrival.Receiver, s.Ctx.Approvals[0].Person = "", "" }, signs},
		{func(s *contributing) { s.Ctx.Approvals = append(s.Ctx.Approvals, s.Ctx.Approvals[0]) }, signs},
		{func(s *contributing) { p := payment(0, household("C"), outside("B"), 50_000); s.Arrival.Payment = &p }, signs},
		{func(s *contributing) { s.Ctx.Approvals[0].Custody = "agent-held" }, "forbidden: the key of person-b is agent-held; cash is signed for by a key in the receiver's own hands"},
	})
}
