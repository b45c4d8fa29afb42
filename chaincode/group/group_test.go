package group_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

type forming struct {
	S          group.Scheme
	C          group.FormGroup
	Terms      *group.Terms
	Candidates []group.Candidate
	Kin        []*group.Kin
	Ctx        tape.Context
}

func TestFormGroup(t *testing.T) {
	refusals(t, func() forming {
		return forming{scheme(), group.FormGroup{Account: coffee, Agreement: agreement(5), Group: "g1", ID: "form-1"}, terms(), candidates(5), strangers(5), by("coop", "maker", "checker")}
	}, func(s forming) error {
		_, _, err := s.S.FormGroup(s.C, s.Terms, s.Candidates, s.Kin, s.Ctx)
		return err
	}, []row[forming]{
		{func(s *forming) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not run"},
		{func(s *forming) { s.C.Group = "g/1" }, "invalid: field group: is not an id"},
		{func(s *forming) { s.Terms = nil }, "wrong-state: the terms of coop:coop:coffee wait for its lenders"},
		{func(s *forming) { s.Ctx.Date = "2020-12-31" }, "unsupported: no version of the limits"},
		{func(s *forming) { s.C.Agreement.Terms = 2 }, "conflict: field agreement.terms: is version 2; version 1 is in force"},
		{func(s *forming) { s.C.Agreement.Form = "general" }, "invalid: field agreement.form: is not joint-and-several; a guarantee that is not named so is a general one"},
		{func(s *forming) { s.C.Agreement.MutualRecourse = false }, "invalid: field agreement.mutualRecourse: is not agreed"},
		{func(s *forming) { s.C.Agreement.TextZh = party.Hash{} }, "invalid: field agreement: the hash of the text is missing"},
		{func(s *forming) { s.C.Agreement.TextEn = party.Hash{} }, "invalid: field agreement: the hash of the text is missing"},
		{func(s *forming) { s.C.Agreement.GuaranteeMonths = 6 }, "conflict: field agreement.guaranteeMonths: are 6; the scheme has 24"},
		{func(s *forming) { s.C.Agreement.Lenders = nil }, "invalid: field agreement.lenders: names 0"},
		{func(s *forming) { s.C.Agreement.Lenders[0] = "moon" }, "not-found: field agreement.lenders[0]: moon is no lender of the scheme; those are bank, union"},
		{func(s *forming) { s.C.Agreement.MemberMax = cny(60_000_01) }, "invalid: field agreement.memberMax: is 60000.01 CNY; one member guarantees 60000.00 CNY at most"},
		{func(s *forming) { s.C.Agreement.MemberMax = cny(0) }, "invalid: field agreement.memberMax: "},
		{func(s *forming) { s.C.Agreement.GroupMax = money.New(1, "USD") }, "invalid: field agreement.groupMax: "},
		{func(s *forming) { s.C.Agreement.GroupMax = cny(59_999_99) }, "invalid: field agreement.groupMax: is 59999.99 CNY, less than"},
		{func(s *forming) { s.C.Agreement.Expiry = "2028-13-01" }, "invalid: field agreement.expiry: is not a date"},
		{func(s *forming) { s.C.Agreement.Expiry = today }, "invalid: field agreement.expiry: is 2026-01-01, which is not behind 2026-01-01"},
		{func(s *forming) { s.C.Agreement.Expiry = "2029-01-02" }, "invalid: field agreement.expiry: is 2029-01-02; a group ends after 36 months at most, by 2029-01-01"},
		{func(s *forming) { s.Terms.Terms.GroupMonthsMax = 12 }, "invalid: field agreement.expiry: is 2028-12-31; a group ends after 12 months at most, by 2027-01-01"},
		{func(s *forming) { s.C.Agreement = agreement(6) }, "invalid: field agreement.members: has 6 households; a group has 3 to 5"},
		{func(s *forming) { s.C.Agreement = agreement(2) }, "invalid: field agreement.members: has 2 households; a group has 3 to 5"},
		{func(s *forming) { s.C.Agreement.Shares = "some" }, "invalid: field agreement.members: shares are neither equal nor agreed"},
		{func(s *forming) { s.C.Agreement.Shares = group.AgreedShares }, "invalid: field agreement.members[0]: has a share of 0; shares are agreed"},
		{func(s *forming) { s.C.Agreement.Members[1].PartsPerMillion = 1 }, "invalid: field agreement.members[1]: has a share of 1; shares are equal"},
		{func(s *forming) {
			s.C.Agreement.Shares = group.AgreedShares
			for i := range s.C.Agreement.Members {
				s.C.Agreement.Members[i].PartsPerMillion = 200_001
			}
		}, "invalid: field agreement.members: the shares are 1000005 parts per million together"},
		{func(s *forming) { s.C.Agreement.Members[4].Household = household(1) }, "invalid: field agreement.members[4]: household-1 stands twice"},
		{func(s *forming) { s.Candidates[2].Member = nil }, "not-found: field agreement.members[2]: household-3 is not admitted"},
		{func(s *forming) { s.Candidates[2].Member.State = group.Left }, "wrong-state: field agreement.members[2]: household-3 is left"},
		{func(s *forming) { s.Candidates[2].Person = registered("h9", party.DutyMember) }, "not-found: field agreement.members[2]: there is no person h3, who signs for household-3"},
		{func(s *forming) { s.Candidates[2].Person.Revoked = noon }, "wrong-state: field agreement.members[2]: person h3 is revoked"},
		{func(s *forming) { s.Candidates[2].Standing.Group = &group.Place{Scheme: tea, Group: "g7"} }, "forbidden: field agreement.members[2]: household-3 is in group g7 of coop:coop:tea; a household is in one"},
		{func(s *forming) { s.Candidates[2].Controls = &group.Controls{Suppliers: []tape.AccountID{shop}} }, "forbidden: field agreement.members[2]: household-3 controls outside:supplier:s1, a supplier of this scheme"},
		{func(s *forming) { s.Candidates[2].Debts.OverdueLoan = "loan/tea/1" }, "forbidden: field agreement.members[2]: household-3 is overdue with loan loan/tea/1"},
		{func(s *forming) { s.Candidates[2].Debts.OpenCall = "call/1" }, "wrong-state: field agreement.members[2]: household-3 is called as a guarantor, by call/1, and has not paid"},
		{func(s *forming) { s.Candidates[2].Debts.OpenRecourse = "call/2" }, "wrong-state: field agreement.members[2]: household-3 owes a guarantor who paid for it, by call/2"},
		{func(s *forming) { s.Candidates[2].Debts.ExcludedUntil = today }, "forbidden: field agreement.members[2]: household-3 is excluded until 2026-01-01, because a group ended by its default"},
		{func(s *forming) { s.Candidates[2].Member.Fingerprint = fingerprint(1) }, "forbidden: field agreement.members[2]: household-3 and household-1 are one household"},
		{func(s *forming) { s.Kin[9] = &group.Kin{Organisation: "coop", Entry: "coop/kin-1"} }, "forbidden: field agreement.members[4]: household-5 and household-4 are close kin, by entry coop/kin-1"},
	})
}

type signing struct {
	G      group.Group
	C      group.SignGroup
	Member *group.Member
	Ctx    tape.Context
}

func TestSignGroup(t *testing.T) {
	judge := func(s signing) error { _, _, err := s.G.Sign(s.C, s.Member, s.Ctx); return err }
	refusals(t, func() signing {
		g := formed(3, group.Draft)
		return signing{g, group.SignGroup{Account: coffee, Agreement: g.AgreementHash, Group: "g1", Household: household(2), ID: "sign-1"}, member(2), by("insurer", "h2!card")}
	}, judge, []row[signing]{
		{func(s *signing) { s.Ctx.Role = "admin" }, "forbidden: insurer (role admin) carries nothing for households"},
		{func(s *signing) { s.G.At = noon + 1 }, "conflict: the transaction is of"},
		{func(s *signing) { s.G = formed(3, group.Review) }, "wrong-state: group g1 is review; it is not signed now"},
		{func(s *signing) { s.G = formed(3, group.Rejected) }, "wrong-state: group g1 is rejected; it is not signed now"},
		{func(s *signing) { s.G = formed(3, group.Active) }, "wrong-state: group g1 is active; it is not signed now"},
		{func(s *signing) { s.Ctx.Date = "2029-01-01" }, "expired: the agreement of group g1 ended on 2028-12-31"},
		{func(s *signing) { s.C.Agreement = party.Hash{9} }, "conflict: field agreement: is another; that of group g1 is "},
		{func(s *signing) { s.C.Joining = household(4) }, "wrong-state: field joining: household-4 is not on its way into group g1"},
		{func(s *signing) { s.C.Household = household(4) }, "forbidden: field household: household-4 is not in group g1"},
		{func(s *signing) { s.G.Members[1].Signed = &group.Signature{Entry: "coop/sign-0"} }, "exists: field household: household-2 has signed, by entry coop/sign-0"},
		{func(s *signing) { s.Member.State = group.Left }, "wrong-state: field household: household-2 is left"},
		{func(s *signing) { s.Ctx = by("insurer", "h1") }, "forbidden: h2 signs for household-2 and has not signed"},
		{func(s *signing) { s.Member.Next = &group.NextPerson{Person: "h7", From: noon} }, "forbidden: h7 signs for household-2 and has not signed"},
		{func(s *signing) { s.Ctx.Approvals[0].Duty = "agent" }, "forbidden: h2 signs as agent, not as a member"},
		{func(s *signing) { s.Ctx = by("insurer", "h2!agent-held") }, "forbidden: the key of h2 is agent-held; a household binds itself by a key in its own hands, its own or on a card: bring one by Party:Rotate"},
		{func(s *signing) { s.Ctx = by("insurer", "h2!gateway-held") }, "forbidden: the key of h2 is gateway-held"},
	})
	refusals(t, func() signing {
		g := joining()
		return signing{g, group.SignGroup{Account: coffee, Agreement: g.AgreementHash, Group: "g1", Household: household(4), ID: "sign-1", Joining: household(4)}, member(4), by("coop", "h4")}
	}, judge, []row[signing]{
		{func(s *signing) { s.C.Joining = "" }, "conflict: field joining: is another; group g1 is signed for household-4"},
		{func(s *signing) { s.C.Household, s.Member = household(5), member(5) }, "forbidden: field household: household-5 is not in group g1"},
		{func(s *signing) { s.G.Joining.Signed = []group.Signature{{Household: household(4)}} }, "exists: field household: household-4 has signed, by entry "},
	})
}

// joining is a group of which household 3 has gone and that household 4 is to join.
func joining() group.Group {
	g := formed(3, group.Frozen)
	g.Members[2].Gone, g.Members[2].Left, g.Below = group.Exited, noon, today
	g.Joining = &group.Joining{Household: household(4), Fingerprint: fingerprint(4), Members: []group.Share{{Household: household(1)}, {Household: household(2)}, {Household: household(4)}}, Entry: "coop/refill-1"}
	return g
}

type endorsing struct {
	S   group.Scheme
	G   group.Group
	Ctx tape.Context
}

func TestEndorse(t *testing.T) {
	refusals(t, func() endorsing { return endorsing{scheme(), formed(3, group.Review), by("coop", "maker", "checker")} },
		func(s endorsing) error {
			_, _, err := s.S.Endorse(group.Endorse{Account: coffee, Group: "g1", ID: "endorse-1"}, s.G, s.Ctx)
			return err
		}, []row[endorsing]{
			{func(s *endorsing) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not run"},
			{func(s *endorsing) { s.G.At = noon + 1 }, "conflict: the transaction is of"},
			{func(s *endorsing) { s.G.State = group.Signing }, "wrong-state: group g1 is signing; it is endorsed under review"},
			{func(s *endorsing) { s.Ctx.Date = "2029-01-01" }, "expired: the agreement of group g1 ended"},
			{func(s *endorsing) { s.G.Endorsed = &group.Decision{Entry: "coop/e"} }, "exists: group g1 is endorsed, by entry coop/e"},
		})
}

type approving struct {
	G          group.Group
	Candidates []group.Candidate
	Kin        []*group.Kin
	Ctx        tape.Context
}

func TestApproveGroup(t *testing.T) {
	judge := func(s approving) error {
		_, _, _, err := s.G.Approve(group.ApproveGroup{Account: coffee, Group: "g1", ID: "approve-1"}, s.Candidates, s.Kin, s.Ctx)
		return err
	}
	refusals(t, func() approving {
		g := formed(3, group.Review)
		g.Endorsed = &group.Decision{Organisation: "coop", Entry: "coop/endorse-1"}
		return approving{g, candidates(3), strangers(3), by("bank", "maker", "checker")}
	}, judge, []row[approving]{
		{func(s *approving) { s.Ctx = by("union") }, "forbidden: union (role gateway) is no lender of group g1"},
		{func(s *approving) { s.Ctx.Role = "auditor" }, "forbidden: bank (role auditor) is no lender of group g1"},
		{func(s *approving) { s.Ctx.Powers = nil }, "forbidden: bank (role gateway) is no lender of group g1"},
		{func(s *approving) { s.G.At = noon + 1 }, "conflict: the transaction is of"},
		{func(s *approving) { s.G.State = group.Signing }, "wrong-state: group g1 is signing; it is approved under review"},
		{func(s *approving) { s.G.Endorsed = nil }, "wrong-state: group g1 waits for the cooperative to endorse it"},
		{func(s *approving) { s.Ctx.Date = "2029-01-01" }, "expired: the agreement of group g1 ended"},
		{func(s *approving) { s.G.Approved = []group.Decision{{Organisation: "bank"}} }, "exists: bank has approved"},
		{func(s *approving) { s.Candidates[1].Debts.OverdueLoan = "loan/tea/1" }, "forbidden: field group[1]: household-2 is overdue with loan loan/tea/1"},
		{func(s *approving) { s.Candidates[1].Standing.Group = &group.Place{Scheme: tea, Group: "g7"} }, "forbidden: field group[1]: household-2 is in group g7 of coop:coop:tea; a household is in one"},
		{func(s *approving) { s.Kin[0] = &group.Kin{Organisation: "coop", Entry: "coop/kin-1"} }, "forbidden: field group[1]: household-2 and household-1 are close kin, by entry coop/kin-1"},
	})
	refusals(t, func() approving {
		g := joining()
		for _, n := range []int{1, 2, 4} {
			g.Joining.Signed = append(g.Joining.Signed, group.Signature{Household: household(n), Person: person(n), Custody: "own", At: noon})
		}
		return approving{g, []group.Candidate{candidate(4)}, strangers(3), by("bank", "maker", "checker")}
	}, judge, []row[approving]{
		{func(s *approving) { s.G.Joining.Signed = s.G.Joining.Signed[:2] }, "wrong-state: 2 of 3 households have signed for household-4"},
		{func(s *approving) { s.G.Joining.Approved = []group.Decision{{Organisation: "bank"}} }, "exists: bank has approved"},
		{func(s *approving) { s.Candidates[0].Debts.ExcludedUntil = "2026-06-30" }, "forbidden: field group: household-4 is excluded until 2026-06-30, because a group ended by its default"},
		{func(s *approving) { s.Candidates[0].Member.Fingerprint = fingerprint(2) }, "forbidden: field group: household-4 and household-2 are one household"},
		{func(s *approving) { s.Kin[1] = &group.Kin{Organisation: "coop", Entry: "coop/kin-1"} }, "forbidden: field group: household-4 and household-2 are close kin, by entry coop/kin-1"},
	})
}

type rejecting struct {
	S   group.Scheme
	G   group.Group
	C   group.RejectGroup
	Ctx tape.Context
}

func TestRejectGroup(t *testing.T) {
	judge := func(s rejecting) error { _, _, err := s.S.Reject(s.C, s.G, s.Ctx); return err }
	allowed := func(organisation string, state group.State) func() rejecting {
		return func() rejecting {
			return rejecting{scheme(), formed(3, state), group.RejectGroup{Account: coffee, Group: "g1", ID: "reject-1", Reason: "credit"}, by(organisation, "maker", "checker")}
		}
	}
	refusals(t, allowed("bank", group.Review), judge, []row[rejecting]{
		{func(s *rejecting) { s.Ctx = by("union") }, "forbidden: union (role gateway) neither runs coop:coop:coffee nor is a lender of group g1"},
		{func(s *rejecting) { s.Ctx.Role = "admin" }, "forbidden: bank (role admin) neither runs"},
		{func(s *rejecting) { s.G.State = group.Signing }, "wrong-state: group g1 is signing; a lender rejects under review"},
		{func(s *rejecting) { s.G.State = group.Active }, "wrong-state: group g1 is active; a lender rejects under review"},
		{func(s *rejecting) { s.C.Reason = "I do not like them" }, "invalid: field reason: is not one of ineligible, documents, credit, withdrawn, other"},
		{func(s *rejecting) { s.G.At = noon + 1 }, "conflict: the transaction is of"},
	})
	refusals(t, allowed("coop", group.Draft), judge, []row[rejecting]{
		{func(s *rejecting) { s.Ctx.Role = "admin" }, "forbidden: coop (role admin) does not run"},
		{func(s *rejecting) { s.G.State = group.Active }, "wrong-state: group g1 is active; only what is on its way is rejected"},
		{func(s *rejecting) { s.G.State = group.Rejected }, "wrong-state: group g1 is rejected; only what is on its way is rejected"},
	})
	g, _, err := scheme().Reject(group.RejectGroup{Account: coffee, Group: "g1", ID: "reject-1", Reason: "credit"}, joining(), by("bank"))
	if err != nil || g.State != group.Frozen || g.Joining != nil {
		t.Errorf("a newcomer that is rejected: %+v, %v", g, err)
	}
}

type living struct {
	G     group.Group
	Debts []group.Debts
	Ctx   tape.Context
}

func TestFreezeAndCure(t *testing.T) {
	refusals(t, func() living {
		d := debts(3)
		d[1].OverdueLoan = "loan/coffee/1"
		return living{formed(3, group.Active), d, by("regulator")}
	}, func(s living) error {
		_, _, err := s.G.Freeze(group.Freeze{Account: coffee, Group: "g1", ID: "freeze-1"}, s.Debts, s.Ctx)
		return err
	}, []row[living]{
		{func(s *living) { s.Ctx.Role = "auditor" }, "forbidden: regulator (role auditor) carries nothing for households"},
		{func(s *living) { s.G.At = noon + 1 }, "conflict: the transaction is of"},
		{func(s *living) { s.G.State = group.Frozen }, "wrong-state: group g1 is frozen; only an active group freezes"},
		{func(s *living) { s.Debts = debts(3) }, "wrong-state: nobody of group g1 is overdue"},
	})
	refusals(t, func() living {
		d := debts(3)
		d[1].LastOverdue = "2025-12-21"
		return living{formed(3, group.Frozen), d, by("regulator")}
	}, func(s living) error {
		_, _, err := s.G.Cure(group.Cure{Account: coffee, Group: "g1", ID: "cure-1"}, schemeTerms(), s.Debts, s.Ctx)
		return err
	}, []row[living]{
		{func(s *living) { s.Ctx.Role = "auditor" }, "forbidden: regulator (role auditor) carries nothing"},
		{func(s *living) { s.G.At = noon + 1 }, "conflict: the transaction is of"},
		{func(s *living) { s.G.State = group.Active }, "wrong-state: group g1 is active; only a frozen group is cured"},
		{func(s *living) { s.Ctx.Date = "2029-01-01" }, "expired: the agreement of group g1 ended"},
		{func(s *living) { s.G.Members[0].Gone = group.Exited }, "wrong-state: 2 households live in group g1; it needs 3"},
		{func(s *living) { s.Debts[2].OverdueLoan = "loan/coffee/1" }, "wrong-state: household-3 is overdue with loan loan/coffee/1"},
		{func(s *living) { s.Debts[2].OpenCall = "call/1" }, "wrong-state: household-3 is called as a guarantor, by call/1, and has not paid"},
		{func(s *living) { s.Debts[1].LastOverdue = "2025-12-22" }, "early: household-2 was overdue on 2025-12-22; the group is cured from 2026-01-02 on"},
	})
}

type exiting struct {
	G       group.Group
	C       group.Exit
	Leaving group.Leaving
	Ctx     tape.Context
}

func TestExit(t *testing.T) {
	judge := func(s exiting) error { _, _, _, err := s.G.Exit(s.C, schemeTerms(), s.Leaving, s.Ctx); return err }
	refusals(t, func() exiting {
		return exiting{formed(4, group.Active), group.Exit{Account: coffee, Group: "g1", Household: household(2), ID: "exit-1"}, leaving(2), by("bank", "h2")}
	}, judge, []row[exiting]{
		{func(s *exiting) { s.Ctx.Role = "admin" }, "forbidden: bank (role admin) carries nothing for households"},
		{func(s *exiting) { s.G.At = noon + 1 }, "conflict: the transaction is of"},
		{func(s *exiting) { s.G.State = group.WindingDown }, "wrong-state: group g1 is winding-down; nobody leaves it"},
		{func(s *exiting) { s.C.Household = household(5) }, "not-found: field household: household-5 does not live in group g1"},
		{func(s *exiting) { s.G.Members[1].Gone = group.Exited }, "not-found: field household: household-2 does not live in group g1"},
		{func(s *exiting) { s.Ctx = by("bank", "maker", "checker") }, "forbidden: h2 signs for household-2 and has not signed"},
		{func(s *exiting) { s.Ctx = by("bank", "h2!agent-held") }, "forbidden: the key of h2 is agent-held"},
		{func(s *exiting) { s.Leaving.Debts.OpenLoans = 1 }, "wrong-state: household-2 has 1 open loans; it repays them first"},
		{func(s *exiting) { s.Leaving.Debts.OpenCall = "call/1" }, "wrong-state: household-2 is called as a guarantor, by call/1, and has not paid"},
		{func(s *exiting) { s.Leaving.Debts.GroupLoans = 1 }, "wrong-state: field tail: household-2 guarantees 1 open loans; it leaves when they are repaid, or goes on guaranteeing them"},
	})
}

type expelling struct {
	G       group.Group
	C       group.Expel
	Leaving group.Leaving
	Others  []group.Member
	Ctx     tape.Context
}

func TestExpel(t *testing.T) {
	refusals(t, func() expelling {
		return expelling{formed(4, group.Active), group.Expel{Account: coffee, Group: "g1", Household: household(2), ID: "expel-1"}, leaving(2),
			[]group.Member{*member(1), *member(3), *member(4)}, by("bank", "h1", "h3", "h4")}
	}, func(s expelling) error {
		_, _, _, err := s.G.Expel(s.C, schemeTerms(), s.Leaving, s.Others, s.Ctx)
		return err
	}, []row[expelling]{
		{func(s *expelling) { s.Ctx.Role = "admin" }, "forbidden: bank (role admin) carries nothing for households"},
		{func(s *expelling) { s.G.At = noon + 1 }, "conflict: the transaction is of"},
		{func(s *expelling) { s.G.State = group.Closed }, "wrong-state: group g1 is closed; nobody is expelled from it"},
		{func(s *expelling) { s.C.Household = household(5) }, "not-found: field household: household-5 does not live in group g1"},
		{func(s *expelling) { s.Ctx = by("bank", "h1", "h3") }, "forbidden: h4 signs for household-4 and has not signed"},
		{func(s *expelling) { s.Ctx = by("bank", "h1", "h3", "h4!agent-held") }, "forbidden: the key of h4 is agent-held"},
		{func(s *expelling) { s.Leaving.Debts.OpenLoans = 1 }, "wrong-state: field assume: household-2 has 1 open loans; it repays them first, or all others assume them"},
	})
}

type refilling struct {
	S        group.Scheme
	G        group.Group
	C        group.Refill
	Newcomer group.Candidate
	Kin      []*group.Kin
	Ctx      tape.Context
}

func TestRefill(t *testing.T) {
	refusals(t, func() refilling {
		g := joining()
		members := g.Joining.Members
		g.Joining = nil
		return refilling{scheme(), g, group.Refill{Account: coffee, Group: "g1", Household: household(4), ID: "refill-1", Members: members}, candidate(4), strangers(3), by("coop", "maker", "checker")}
	}, func(s refilling) error {
		_, _, err := s.S.Refill(s.C, s.G, schemeTerms(), s.Newcomer, s.Kin, s.Ctx)
		return err
	}, []row[refilling]{
		{func(s *refilling) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not run"},
		{func(s *refilling) { s.G.At = noon + 1 }, "conflict: the transaction is of"},
		{func(s *refilling) { s.G.State = group.WindingDown }, "wrong-state: group g1 is winding-down; nobody joins it"},
		{func(s *refilling) { s.Ctx.Date = "2029-01-01" }, "expired: the agreement of group g1 ended"},
		{func(s *refilling) { s.G = joining() }, "wrong-state: household-4 is on its way into group g1; reject it first"},
		{func(s *refilling) { s.G = formed(5, group.Active) }, "invalid: field household: group g1 has 5 households already, and no more"},
		{func(s *refilling) { s.C.Members = s.C.Members[1:] }, "conflict: field members: names 2 households; 2 live in group g1 and one joins"},
		{func(s *refilling) { s.C.Members[0].Household = household(2) }, "conflict: field members[0]: is not household-1"},
		{func(s *refilling) { s.C.Members[2].Household = household(5) }, "conflict: field members[2]: is not household-4, which joins"},
		{func(s *refilling) { s.C.Members[2].PartsPerMillion = 1 }, "invalid: field members[2]: has a share of 1; shares are equal"},
		{func(s *refilling) { s.Newcomer.Member = nil }, "not-found: field household: household-4 is not admitted"},
		{func(s *refilling) { s.Newcomer.Standing.Group = &group.Place{Scheme: coffee, Group: "g2"} }, "forbidden: field household: household-4 is in group g2 of coop:coop:coffee; a household is in one"},
		{func(s *refilling) { s.Newcomer.Member.Fingerprint = fingerprint(1) }, "forbidden: field household: household-4 and household-1 are one household"},
		{func(s *refilling) { s.Kin[0] = &group.Kin{Organisation: "coop", Entry: "coop/kin-1"} }, "forbidden: field household: household-4 and household-1 are close kin, by entry coop/kin-1"},
	})
}

type dying struct {
	S     group.Scheme
	State group.DiedState
	Ctx   tape.Context
}

func TestMemberDied(t *testing.T) {
	judge := func(s dying) error {
		_, _, err := s.S.MemberDied(group.MemberDied{Account: coffee, Household: household(2), ID: "died-1"}, s.State, s.Ctx)
		return err
	}
	allowed := func() dying {
		g := formed(3, group.Active)
		s := leaving(2).Standing
		return dying{scheme(), group.DiedState{Member: member(2), Standing: &s, Person: registered("h2", party.DutyMember), Group: &g, Terms: schemeTerms(), Debts: group.Debts{Household: household(2), GroupLoans: 1}}, by("coop", "maker", "checker@bank")}
	}
	refusals(t, allowed, judge, []row[dying]{
		{func(s *dying) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not run"},
		{func(s *dying) { s.State.Member = nil }, "not-found: field household: household-2 is not admitted"},
		{func(s *dying) { s.State.Member.State = group.Deceased }, "wrong-state: field household: household-2 is deceased"},
		{func(s *dying) { s.State.Member.At = noon + 1 }, "conflict: field household: the transaction is of"},
		{func(s *dying) { s.Ctx = by("coop", "maker", "checker") }, "forbidden: staff of two organisations attest a death, or the person was revoked before; those of 1 did"},
		{func(s *dying) { s.Ctx = by("coop", "maker", "h3@bank") }, "forbidden: staff of two organisations attest a death"},
	})
	s := allowed()
	death, _, err := s.S.MemberDied(group.MemberDied{Account: coffee, Household: household(2), ID: "died-1"}, s.State, s.Ctx)
	if err != nil || death.Group.State != group.Frozen || death.Group.Cause.Reason != group.BelowMinimum || death.Group.Below != today || !death.Group.Members[1].Tail || death.Standing.Group != nil || death.Member.State != group.Deceased {
		t.Errorf("after a death: %+v, %v", death, err)
	}
	s = allowed()
	s.Ctx, s.State.Group = by("coop", "maker", "checker"), nil
	s.State.Person.Revoked = noon
	if death, _, err := s.S.MemberDied(group.MemberDied{Account: coffee, Household: household(2), ID: "died-1"}, s.State, s.Ctx); err != nil || death.Group != nil || death.Standing != nil {
		t.Errorf("a revoked person in no group: %+v, %v", death, err)
	}
}

type ending struct {
	G      group.Group
	C      group.WindDown
	Living []group.Leaving
	Ctx    tape.Context
}

func TestWindDown(t *testing.T) {
	judge := func(s ending) error { _, _, _, err := s.G.WindDown(s.C, schemeTerms(), s.Living, s.Ctx); return err }
	allowed := func(reason string) func() ending {
		return func() ending {
			s := ending{formed(3, group.Active), group.WindDown{Account: coffee, Group: "g1", ID: "wind-down-1", Reason: reason}, []group.Leaving{leaving(1), leaving(2), leaving(3)}, by("bank")}
			switch reason {
			case group.ExpiredTerm:
				s.Ctx.Date = "2029-01-01"
			case group.Vote:
				s.Ctx = by("bank", "h1", "h2", "h3")
			case group.BelowMinimum:
				s.G.State, s.G.Members[2].Gone, s.G.Below, s.Living = group.Frozen, group.Exited, "2025-10-02", s.Living[:2]
			}
			return s
		}
	}
	refusals(t, allowed(group.ExpiredTerm), judge, []row[ending]{
		{func(s *ending) { s.Ctx.Role = "admin" }, "forbidden: bank (role admin) carries nothing for households"},
		{func(s *ending) { s.G.At = noon + 1 }, "conflict: the transaction is of"},
		{func(s *ending) { s.G.State = group.Review }, "wrong-state: group g1 is review; only an active or frozen group winds down"},
		{func(s *ending) { s.Ctx.Date = "2028-12-31" }, "early: field reason: the agreement ends on 2028-12-31"},
		{func(s *ending) { s.C.Reason = "tired" }, "invalid: field reason: is not one of expired, below-minimum, vote"},
	})
	refusals(t, allowed(group.Vote), judge, []row[ending]{
		{func(s *ending) { s.Ctx = by("bank", "h1", "h2") }, "forbidden: field reason: h3 signs for household-3 and has not signed"},
		{func(s *ending) { s.Ctx = by("bank", "h1", "h2", "h3!agent-held") }, "forbidden: field reason: the key of h3 is agent-held"},
	})
	refusals(t, allowed(group.BelowMinimum), judge, []row[ending]{
		{func(s *ending) { s.G.Members[2].Gone = "" }, "wrong-state: field reason: 3 households live in group g1, which are enough"},
		{func(s *ending) { s.G.Below = "2025-10-03" }, "early: field reason: group g1 is below its size since 2025-10-03 and may be refilled until 2026-01-01"},
	})
	for reason, until := range map[string]tape.Date{group.ExpiredTerm: "", group.Vote: "2028-01-01", group.BelowMinimum: "2028-01-01"} {
		s := allowed(reason)()
		s.Living[0].Debts.OverdueLoan = "loan/coffee/1"
		g, standings, _, err := s.G.WindDown(s.C, schemeTerms(), s.Living, s.Ctx)
		if err != nil || g.State != group.WindingDown || g.Cause.Reason != reason || standings[0].Group != nil || standings[0].ExcludedUntil != until || standings[1].ExcludedUntil != "" {
			t.Errorf("%s: %+v, %+v, %v", reason, g, standings, err)
		}
	}
}

type closing struct {
	G    group.Group
	Open group.Outstanding
	Ctx  tape.Context
}

func TestCloseGroup(t *testing.T) {
	refusals(t, func() closing { return closing{formed(3, group.WindingDown), group.Outstanding{}, by("regulator")} }, func(s closing) error {
		_, _, err := s.G.Close(group.CloseGroup{Account: coffee, Group: "g1", ID: "close-1"}, s.Open, s.Ctx)
		return err
	}, []row[closing]{
		{func(s *closing) { s.Ctx.Role = "auditor" }, "forbidden: regulator (role auditor) carries nothing"},
		{func(s *closing) { s.G.At = noon + 1 }, "conflict: the transaction is of"},
		{func(s *closing) { s.G.State = group.Active }, "wrong-state: group g1 is active; it winds down before it is closed"},
		{func(s *closing) { s.Open.Recourses = 1 }, "wrong-state: 0 loans, 0 calls and 1 recourses of group g1 are open"},
	})
}
