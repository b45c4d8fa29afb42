package group_test

import (
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Every refusal of every command: what is changed in an allowed situation, and
// the answer. That maker and checker are enough is judged by package party.

type opening struct {
	C     group.OpenScheme
	State group.OpenState
	Ctx   tape.Context
}

func TestOpenScheme(t *testing.T) {
	refusals(t, func() opening {
		return opening{group.OpenScheme{Account: coffee, Custodian: custody, ID: "open-1", Lenders: []string{"bank", "union"}, Terms: schemeTerms()}, group.OpenState{Keeps: true, Lends: []bool{true, true}}, by("coop", "maker", "checker")}
	}, func(s opening) error { _, err := s.C.Apply(s.State, s.Ctx); return err }, []row[opening]{
		{func(s *opening) { s.Ctx.Powers = []string{party.Lender} }, "forbidden: coop (role gateway) is no cooperative's gateway"},
		{func(s *opening) { s.Ctx.Role = "admin" }, "forbidden: coop (role admin) is no cooperative's gateway"},
		{func(s *opening) { s.C.Account = "Coffee" }, "invalid: field account: is not an account"},
		{func(s *opening) { s.C.Account = "coop:moon:coffee" }, "invalid: field account: is not a scheme's; write coop:coop:<name>"},
		{func(s *opening) { s.C.Account = "partner:coop:coffee" }, "invalid: field account: is not a scheme's"},
		{func(s *opening) { s.C.Account = "coop:coop:coffee:own" }, "invalid: field account: is not a scheme's"},
		{func(s *opening) { s.State.Keeps = false }, "forbidden: field custodian: outside:bank:coffee is not kept by another organisation"},
		{func(s *opening) { s.C.Custodian = "outside:coop:own" }, "forbidden: field custodian: outside:coop:own is not kept by another organisation"},
		{func(s *opening) { s.C.Lenders = nil }, "invalid: field lenders: names 0; 1 to 8 are possible"},
		{func(s *opening) { s.C.Lenders = strings.Split("a b c d e f g h i", " ") }, "invalid: field lenders: names 9"},
		{func(s *opening) { s.C.Lenders[1] = "Union" }, "invalid: field lenders[1]: is not a name"},
		{func(s *opening) { s.C.Lenders[1] = "bank" }, "invalid: field lenders[1]: bank stands twice"},
		{func(s *opening) { s.State.Lends[1] = false }, "not-found: field lenders[1]: union holds no power of a lender"},
		{func(s *opening) { s.Ctx.Date = "2020-12-31" }, "unsupported: no version of the limits of guarantee groups is known for 2020-12-31"},
	})
}

func TestTerms(t *testing.T) {
	law, err := group.LawOn(today)
	if err != nil {
		t.Fatal(err)
	}
	type s = group.SchemeTerms
	refusals(t, schemeTerms, func(s group.SchemeTerms) error { return s.Check(law) }, []row[s]{
		{func(s *s) { s.Industry = "Coffee" }, "invalid: field industry: is not a name"},
		{func(s *s) { s.GroupSizeMin = 2 }, "invalid: field groupSizeMin: 2 is not 3 to 5"},
		{func(s *s) { s.GroupSizeMax = 6 }, "invalid: field groupSizeMax: 6 is not 3 to 5"},
		{func(s *s) { s.GroupSizeMin, s.GroupSizeMax = 5, 4 }, "invalid: field groupSizeMax: 4 is not 5 to 5"},
		{func(s *s) { s.GroupMonthsMax = 37 }, "invalid: field groupMonthsMax: 37 is not 1 to 36"},
		{func(s *s) { s.GuaranteeMonths = 0 }, "invalid: field guaranteeMonths: 0 is not 1 to 120"},
		{func(s *s) { s.MemberMax = cny(0) }, "invalid: field memberMax: "},
		{func(s *s) { s.MemberMax.Currency = "cny" }, "invalid: field memberMax: "},
		{func(s *s) { s.LivingFloor = cny(-1) }, "invalid: field livingFloor: is not zero or more of CNY"},
		{func(s *s) { s.LivingFloor = money.New(1, "USD") }, "invalid: field livingFloor: is not zero or more of CNY"},
		{func(s *s) { s.DepositPartsPerMillion = -1 }, "invalid: field depositPartsPerMillion: -1 is not 0 to 1000000"},
		{func(s *s) { s.DepositPartsPerMillion = 50_000 }, "unsupported: field depositPartsPerMillion: is 50000; deposits are not held on the ledger yet, and a scheme asks for none"},
		{func(s *s) { s.LivingFloorPartsPerMillion = 1_000_001 }, "invalid: field livingFloorPartsPerMillion: 1000001 is not"},
		{func(s *s) { s.MemberSharePartsPerMillion = 0 }, "invalid: field memberSharePartsPerMillion: 0 is not 1 to 1000000"},
		{func(s *s) { s.OriginatorPartsPerMillion = -5 }, "invalid: field originatorPartsPerMillion: -5 is not"},
		{func(s *s) { s.CoolingDays = 367 }, "invalid: field coolingDays: 367 is not 0 to 366"},
		{func(s *s) { s.CureDays = 0 }, "invalid: field cureDays: 0 is not 1 to 366"},
		{func(s *s) { s.DefaultDays = 0 }, "invalid: field defaultDays: 0 is not"},
		{func(s *s) { s.ExclusionMonths = 121 }, "invalid: field exclusionMonths: 121 is not 0 to 120"},
		{func(s *s) { s.PoolingDays = 0 }, "invalid: field poolingDays: 0 is not"},
		{func(s *s) { s.RefillDays = 0 }, "invalid: field refillDays: 0 is not"},
		{func(s *s) { s.StayDaysMax = -1 }, "invalid: field stayDaysMax: -1 is not"},
		{func(s *s) { s.WindowDays = -1 }, "invalid: field windowDays: -1 is not"},
		{func(s *s) { s.NoticeDays = nil }, "invalid: field noticeDays: has 0 days; 1 to 8 are possible"},
		{func(s *s) { s.NoticeDays[1] = 1 }, "invalid: field noticeDays[1]: 1 is not 1 to 366 and more than the one before"},
		{func(s *s) { s.Sequence[0] = 0 }, "invalid: field sequence[0]: 0 is not 1 to 5"},
		{func(s *s) { s.Sequence = []int32{2, 2} }, "invalid: field sequence: lets 4 members borrow; the largest group has 5"},
	})
}

type amending struct {
	S     group.Scheme
	C     group.AmendScheme
	Now   *group.Terms
	Lends []bool
	Ctx   tape.Context
}

func TestAmendScheme(t *testing.T) {
	refusals(t, func() amending {
		other := schemeTerms()
		other.WindowDays = 60
		return amending{scheme(), group.AmendScheme{Account: coffee, ID: "amend-1", Lenders: []string{"bank", "union"}, Terms: other}, terms(), []bool{true, true}, by("coop", "maker", "checker")}
	}, func(s amending) error { _, _, err := s.S.Amend(s.C, s.Now, s.Lends, s.Ctx); return err }, []row[amending]{
		{func(s *amending) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not run coop:coop:coffee; coop does"},
		{func(s *amending) { s.Ctx.Role = "auditor" }, "forbidden: coop (role auditor) does not run"},
		{func(s *amending) { s.S.At = noon + 1 }, "conflict: the transaction is of 2026-01-01T04:00:00.000Z, before the last change"},
		{func(s *amending) { s.C.Terms.RefillDays = 0 }, "invalid: field terms.refillDays: 0 is not"},
		{func(s *amending) { s.Lends[0] = false }, "not-found: field lenders[0]: bank holds no power of a lender"},
		{func(s *amending) {
			s.C.Terms.MemberMax, s.C.Terms.LivingFloor = money.New(1, "USD"), money.New(0, "USD")
		}, "invalid: field terms.memberMax: is of USD; the account of the scheme is of CNY"},
		{func(s *amending) { s.C.Terms = schemeTerms() }, "wrong-state: field terms: are those in force, version 1"},
	})
}

type accepting struct {
	S   group.Scheme
	C   group.AcceptScheme
	Ctx tape.Context
}

func TestAcceptScheme(t *testing.T) {
	refusals(t, func() accepting {
		s := scheme()
		s.Pending = &group.Proposal{Lenders: []string{"bank"}, Terms: schemeTerms(), Entry: "coop/amend-1"}
		return accepting{s, group.AcceptScheme{Account: coffee, ID: "accept-2", Proposal: "coop/amend-1"}, by("bank", "maker", "checker")}
	}, func(s accepting) error { _, _, _, err := s.S.Accept(s.C, s.Ctx); return err }, []row[accepting]{
		{func(s *accepting) { s.S.Pending = nil }, "wrong-state: no terms of coop:coop:coffee wait for anybody"},
		{func(s *accepting) { s.Ctx.Organisation = "insurer" }, "forbidden: insurer (role gateway) is not asked; the lenders of coop:coop:coffee are: bank, union"},
		{func(s *accepting) { s.Ctx.Role = "admin" }, "forbidden: bank (role admin) is not asked"},
		{func(s *accepting) { s.Ctx.Powers = nil }, "forbidden: bank (role gateway) is not asked"},
		{func(s *accepting) { s.C.Proposal = "coop/open-1" }, "conflict: field proposal: is another; the terms that wait were brought by entry coop/amend-1"},
		{func(s *accepting) { s.S.Pending.Accepted = []group.Decision{{Organisation: "bank"}} }, "exists: bank has accepted these terms"},
		{func(s *accepting) { s.S.At = noon + 1 }, "conflict: the transaction is of"},
	})
}

// TestEveryLenderAccepts: terms are in force with the last lender's yes, also
// that of one who was in the scheme before; the version before stays as it was.
func TestEveryLenderAccepts(t *testing.T) {
	s := scheme()
	other := schemeTerms()
	other.WindowDays = 60
	s, _, err := s.Amend(group.AmendScheme{Account: coffee, ID: "amend-1", Lenders: []string{"bank"}, Terms: other}, terms(), []bool{true}, by("coop"))
	if err != nil {
		t.Fatal(err)
	}
	accept := group.AcceptScheme{Account: coffee, ID: "accept-2", Proposal: "coop/amend-1"}
	s, accepted, _, err := s.Accept(accept, by("bank"))
	if err != nil || accepted != nil || s.Version != 1 || s.Pending == nil {
		t.Fatalf("with the first yes: %+v, %+v, %v", s, accepted, err)
	}
	s, accepted, _, err = s.Accept(accept, by("union"))
	if err != nil || accepted == nil || s.Version != 2 || accepted.Version != 2 || accepted.Terms.WindowDays != 60 || s.Pending != nil || len(s.Lenders) != 1 {
		t.Fatalf("with the last yes: %+v, %+v, %v", s, accepted, err)
	}
}

type naming struct {
	S     group.Scheme
	C     group.NameSupplier
	State group.SupplierState
	Ctx   tape.Context
}

func TestNameSupplier(t *testing.T) {
	full := func() *group.Controls {
		c := &group.Controls{}
		for range group.ControllersMax {
			c.Suppliers = append(c.Suppliers, "outside:supplier:other")
		}
		return c
	}
	refusals(t, func() naming {
		return naming{scheme(), group.NameSupplier{Account: coffee, Categories: []string{"feed", "fertiliser"}, Controllers: []string{fingerprint(8), fingerprint(9)}, ID: "name-1", Supplier: shop},
			group.SupplierState{Controls: make([]*group.Controls, 2), Standings: make([]*group.Standing, 2)}, by("coop", "maker", "checker")}
	}, func(s naming) error { _, _, _, err := s.S.NameSupplier(s.C, s.State, s.Ctx); return err }, []row[naming]{
		{func(s *naming) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not run coop:coop:coffee"},
		{func(s *naming) { s.C.Supplier = "Shop" }, "invalid: field supplier: is not an account"},
		{func(s *naming) { s.C.Supplier = household(1) }, "invalid: field supplier: is no supplier's account"},
		{func(s *naming) { s.C.Categories = nil }, "invalid: field categories: names 0; 1 to 12 are possible"},
		{func(s *naming) { s.C.Categories[1] = "cash" }, "invalid: field categories[1]: is not one of equipment, feed"},
		{func(s *naming) { s.C.Categories[1] = "feed" }, "invalid: field categories[1]: is not behind the one before"},
		{func(s *naming) { s.C.Controllers = nil }, "invalid: field controllers: names 0; 1 to 8 are possible"},
		{func(s *naming) { s.C.Controllers[0] = "" }, "invalid: field controllers[0]: is empty; a household is told apart by its fingerprint"},
		{func(s *naming) { s.C.Controllers[0] = "Zhang" }, "invalid: field controllers[0]: must be 22 characters of base64url"},
		{func(s *naming) { s.C.Controllers[0] = s.C.Controllers[1] }, "invalid: field controllers[1]: stands twice"},
		{func(s *naming) { s.C.Withdraw = true }, "not-found: field supplier: outside:supplier:s1 is no supplier of this scheme"},
		{func(s *naming) {
			s.State.Known = &group.Supplier{Categories: s.C.Categories, Controllers: s.C.Controllers}
		}, "wrong-state: field supplier: outside:supplier:s1 is named so already"},
		{func(s *naming) {
			s.State.Standings[1] = &group.Standing{Group: &group.Place{Scheme: coffee, Group: "g1"}}
		}, "forbidden: field controllers: invented-household-09A is a household of group g1 of this scheme"},
		{func(s *naming) { s.State.Controls[0] = full() }, "invalid: field controllers: a household controls 8 suppliers already"},
		{func(s *naming) { s.Ctx.Date = "2020-12-31" }, "unsupported: no version of the limits"},
	})
}

// TestSupplierControls: whoever no longer controls a supplier is free of it.
func TestSupplierControls(t *testing.T) {
	known := &group.Supplier{V: 1, Account: shop, Categories: []string{"feed"}, Controllers: []string{fingerprint(8)}}
	c := group.NameSupplier{Account: coffee, Categories: []string{"feed"}, Controllers: []string{fingerprint(9)}, ID: "name-2", Supplier: shop}
	state := group.SupplierState{Known: known, Controls: []*group.Controls{{V: 1, Suppliers: []tape.AccountID{shop, "outside:supplier:s2"}}, nil}, Standings: make([]*group.Standing, 2)}
	_, controls, _, err := scheme().NameSupplier(c, state, by("coop"))
	if err != nil || len(controls) != 2 || len(controls[0].Suppliers) != 1 || controls[0].Suppliers[0] != "outside:supplier:s2" || len(controls[1].Suppliers) != 1 || controls[1].Suppliers[0] != shop {
		t.Errorf("controls %+v, %v", controls, err)
	}
	c.Withdraw, c.Controllers = true, known.Controllers
	supplier, controls, _, err := scheme().NameSupplier(c, group.SupplierState{Known: known, Controls: state.Controls[:1], Standings: state.Standings[:1]}, by("coop"))
	if err != nil || !supplier.Withdrawn || len(controls) != 1 || len(controls[0].Suppliers) != 1 {
		t.Errorf("withdrawn: %+v, %+v, %v", supplier, controls, err)
	}
}

type relating struct {
	S          group.Scheme
	C          group.Relate
	One, Other *group.Member
	Known      *group.Kin
	Ctx        tape.Context
}

func TestRelate(t *testing.T) {
	refusals(t, func() relating {
		return relating{scheme(), group.Relate{Account: coffee, Household: household(1), ID: "kin-1", Other: household(2)}, member(1), member(2), nil, by("coop", "maker", "checker")}
	}, func(s relating) error { _, _, err := s.S.Relate(s.C, s.One, s.Other, s.Known, s.Ctx); return err }, []row[relating]{
		{func(s *relating) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not run"},
		{func(s *relating) { s.One = nil }, "not-found: field household: household-1 is no household of coop:coop:coffee; it is admitted first"},
		{func(s *relating) { s.Other = nil }, "not-found: field other: household-2 is no household of coop:coop:coffee; it is admitted first"},
		{func(s *relating) { s.C.Other = s.C.Household }, "invalid: field other: is the same household"},
		{func(s *relating) { s.Known = &group.Kin{Organisation: "coop"} }, "wrong-state: it stands as you ask already"},
		{func(s *relating) { s.C.Withdraw = true }, "wrong-state: it stands as you ask already"},
		{func(s *relating) { s.C.Withdraw, s.Known = true, &group.Kin{Organisation: "moon", Entry: "moon/kin-1"} }, "forbidden: moon called them kin, by entry moon/kin-1, and alone takes it back"},
	})
	if group.KinKey("a", "b") != group.KinKey("b", "a") {
		t.Error("kin depends on the order")
	}
}

type admitting struct {
	S     group.Scheme
	C     group.Admit
	State group.AdmitState
	Ctx   tape.Context
}

func TestAdmit(t *testing.T) {
	refusals(t, func() admitting {
		return admitting{scheme(), group.Admit{Account: coffee, Adult: true, Agent: "a1", Capacity: true, Fingerprint: fingerprint(1), Household: household(1), ID: "admit-1", Person: "h1"},
			group.AdmitState{Person: registered("h1", party.DutyMember)}, by("coop", "maker", "checker", "a1")}
	}, func(s admitting) error { _, _, err := s.S.Admit(s.C, s.State, s.Ctx); return err }, []row[admitting]{
		{func(s *admitting) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not run"},
		{func(s *admitting) { s.C.Household = "household:zhang:coffee" }, "invalid: field household: is not a household's account"},
		{func(s *admitting) {
			s.C.Household = tape.AccountID(strings.Replace(string(household(1)), "coffee", "tea", 1))
		}, "invalid: field household: is not a household's name here; write household:<pseudonym>:coffee"},
		{func(s *admitting) { s.C.Household = coffee }, "invalid: field household: is not a household's name here"},
		{func(s *admitting) { s.C.Fingerprint = "" }, "invalid: field fingerprint: is empty"},
		{func(s *admitting) { s.C.Fingerprint = "530102199001011234" }, "invalid: field fingerprint: must be 22 characters of base64url"},
		{func(s *admitting) { s.C.Person = "Zhang San" }, "invalid: field person: is not an id"},
		{func(s *admitting) { s.C.Adult = false }, "forbidden: field adult: nobody attests that h1 is of age"},
		{func(s *admitting) { s.C.Capacity = false }, "forbidden: field capacity: nobody attests that h1 is of full capacity"},
		{func(s *admitting) { s.C.Agent = "a/1" }, "invalid: field agent: is not an id"},
		{func(s *admitting) { s.C.Agent = "h1" }, "forbidden: field agent: h1 does not vouch for itself"},
		{func(s *admitting) { s.Ctx = by("coop", "maker", "checker") }, "forbidden: field agent: a1 carried the papers and has not signed as an agent"},
		{func(s *admitting) { s.C.Agent = "maker" }, "forbidden: field agent: maker carried the papers and has not signed as an agent"},
		{func(s *admitting) { s.State.Member = member(1) }, "exists: field household: household-1 is admitted already"},
		{func(s *admitting) { s.State.Member = member(2); s.State.Member.State = group.Left }, "conflict: field fingerprint: is another than that of household-1 when it was admitted before"},
		{func(s *admitting) { s.State.Member = member(1); s.State.Member.State = group.Deceased }, "wrong-state: field person: h1 has died; another adult of household-1 signs for it"},
		{func(s *admitting) { s.State.Person = nil }, "not-found: field person: there is no person h1; it is registered first"},
		{func(s *admitting) { s.State.Person.Revoked = noon }, "wrong-state: field person: person h1 is revoked"},
		{func(s *admitting) { s.State.Person.Key.Duty = party.DutyStaff }, "forbidden: field person: h1 signs as staff; for a household signs who is registered as a member"},
		{func(s *admitting) { s.State.Signer = &group.Signer{Household: household(2)} }, "forbidden: field person: h1 signs for another household of this scheme, household-2"},
		{func(s *admitting) { s.State.Standing = standing(2) }, "exists: field fingerprint: is that of household-2, which this scheme has admitted"},
		{func(s *admitting) {
			s.State.Standing = &group.Standing{Households: make([]group.Membership, group.HouseholdsMax)}
		}, "invalid: field fingerprint: is known in 16 schemes already"},
	})
}

type replacing struct {
	S     group.Scheme
	C     group.ReplaceSigner
	State group.ReplaceState
	Ctx   tape.Context
}

func TestReplaceSigner(t *testing.T) {
	judge := func(s replacing) error { _, _, _, err := s.S.ReplaceSigner(s.C, s.State, s.Ctx); return err }
	allowed := func() replacing {
		return replacing{scheme(), group.ReplaceSigner{Account: coffee, Household: household(1), ID: "replace-1", Person: "h7", Reason: "other-adult"},
			group.ReplaceState{Member: member(1), Standing: standing(1), Person: registered("h7", party.DutyMember)}, by("coop", "maker", "checker")}
	}
	refusals(t, allowed, judge, []row[replacing]{
		{func(s *replacing) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not run"},
		{func(s *replacing) { s.C.Reason = "moved to town" }, "invalid: field reason: is not one of lost-key, other-adult, death, mistake"},
		{func(s *replacing) { s.State.Member = nil }, "not-found: field household: household-1 is not admitted"},
		{func(s *replacing) { s.State.Member.State = group.Left }, "wrong-state: field household: household-1 is left"},
		{func(s *replacing) {
			s.C.Reason, s.State.Standing.Group = "death", &group.Place{Scheme: coffee, Group: "g1"}
		}, "wrong-state: field reason: household-1 is in group g1; file Group:MemberDied first"},
		{func(s *replacing) { s.C.Person = "h1" }, "wrong-state: field person: h1 signs for household-1 already, or is about to"},
		{func(s *replacing) { s.State.Member.Next = &group.NextPerson{Person: "h7", From: noon + 1} }, "wrong-state: field person: h7 signs for household-1 already, or is about to"},
		{func(s *replacing) { s.State.Person.Key.Duty = party.DutyAgent }, "forbidden: field person: h7 signs as agent"},
		{func(s *replacing) { s.State.Signer = &group.Signer{Household: household(2)} }, "forbidden: field person: h7 signs for another household"},
		{func(s *replacing) { s.Ctx.Date = "2020-12-31" }, "unsupported: no version of the limits"},
	})
	s := allowed()
	next, _, _, err := s.S.ReplaceSigner(s.C, s.State, s.Ctx)
	if err != nil || next.PersonOn(noon) != "h1" || next.PersonOn(noon+3*tape.Day-1) != "h1" || next.PersonOn(noon+3*tape.Day) != "h7" {
		t.Errorf("who signs next: %+v, %v", next, err)
	}
	s.State.Member, s.C.Person, s.State.Person = &next, "h1", registered("h1", party.DutyMember)
	if back, _, _, err := s.S.ReplaceSigner(s.C, s.State, s.Ctx); err != nil || back.Next != nil || back.Person != "h1" {
		t.Errorf("the waiting ends: %+v, %v", back, err)
	}
}

type quitting struct {
	S        group.Scheme
	C        group.Leave
	Member   *group.Member
	Standing *group.Standing
	Debts    group.Debts
	Ctx      tape.Context
}

func TestLeave(t *testing.T) {
	refusals(t, func() quitting {
		return quitting{scheme(), group.Leave{Account: coffee, Household: household(1), ID: "leave-1"}, member(1), standing(1), group.Debts{Household: household(1)}, by("bank", "h1")}
	}, func(s quitting) error { _, _, err := s.S.Leave(s.C, s.Member, s.Standing, s.Debts, s.Ctx); return err }, []row[quitting]{
		{func(s *quitting) { s.Ctx.Role = "auditor" }, "forbidden: bank (role auditor) carries nothing for households"},
		{func(s *quitting) { s.Member = nil }, "not-found: field household: household-1 is not admitted"},
		{func(s *quitting) { s.Member.At = noon + 1 }, "conflict: field household: the transaction is of"},
		{func(s *quitting) { s.Ctx = by("bank", "h2") }, "forbidden: h1 signs for household-1 and has not signed"},
		{func(s *quitting) { s.Ctx.Approvals[0].Duty = "staff" }, "forbidden: h1 signs as staff, not as a member"},
		{func(s *quitting) { s.Ctx = by("bank", "h1!gateway-held") }, "forbidden: the key of h1 is gateway-held"},
		{func(s *quitting) { s.Standing.Group = &group.Place{Scheme: coffee, Group: "g1"} }, "wrong-state: household-1 is in group g1; it leaves that first"},
		{func(s *quitting) { s.Debts.OpenLoans = 2 }, "wrong-state: household-1 has 2 open loans; it repays them first"},
		{func(s *quitting) { s.Debts.OpenCall = "call/1" }, "wrong-state: household-1 is called as a guarantor, by call/1, and has not paid"},
		{func(s *quitting) { s.Debts.OpenRecourse = "call/2" }, "wrong-state: household-1 owes a guarantor who paid for it, by call/2"},
		{func(s *quitting) { s.Debts.GroupLoans = 1 }, "wrong-state: household-1 guarantees 1 open loans"},
	})
}
