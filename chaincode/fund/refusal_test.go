package fund_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Every refusal of every command: what is changed in an allowed situation, and
// the answer. Signatures and counts of approvers are judged by package party.

type opening struct {
	C     fund.OpenCampaign
	State fund.OpenState
	Ctx   tape.Context
}

func TestOpenCampaign(t *testing.T) {
	judge := func(s opening) error {
		_, _, err := s.C.Apply(s.State, s.Ctx)
		return err
	}
	ruletest.Refusals(t, func() opening {
		return opening{fund.OpenCampaign{Account: speech, Basis: fund.Filing, Custodian: custody, ID: "open-1", Plan: plan()}, fund.OpenState{Regulates: true, Keeps: true}, by("charity", "maker", "checker")}
	}, judge, []row[opening]{
		{func(s *opening) { s.C.Basis = "charter" }, `invalid: field basis: is not one of filing, agreement, grant, earmark`},
		{func(s *opening) { s.C.Plan.Title = fund.Text{} }, "invalid: field plan.title: is empty in both languages"},
		{func(s *opening) { s.Ctx.Powers = nil }, "forbidden: charity holds no power of a charity"},
		{func(s *opening) { s.State.Regulates = false }, "not-found: field plan.regulator: regulator holds no power of a regulator"},
		{func(s *opening) { s.C.Plan.Regulator = "charity" }, "forbidden: field plan.regulator: charity does not supervise itself"},
		{func(s *opening) { s.State.Keeps = false }, "forbidden: field custodian: outside:bank:sunrise is not kept by another organisation"},
		{func(s *opening) { s.C.Custodian = "outside:charity:own" }, "forbidden: field custodian: outside:charity:own is not kept by another organisation"},
		{func(s *opening) { s.State.OwnFunds = &tape.Account{ID: children, Subject: "fund"} }, "forbidden: field ownFunds: charity:sunrise:children holds money given for a purpose"},
		{func(s *opening) { s.State.OwnFunds = &tape.Account{ID: children, Unidentified: speech} }, "forbidden: field ownFunds: charity:sunrise:children holds money given"},
		{func(s *opening) { s.C.Parent = children }, "invalid: field parent: only grants and earmarks have one"},
	})
	ruletest.Refusals(t, func() opening {
		parent, p := campaign(), plan()
		p.Leftover, p.Goal, p.Lines = speech, cny(70_000), p.Lines[:1]
		return opening{fund.OpenCampaign{Account: school, Basis: fund.Grant, Custodian: custody, ID: "open-1", Parent: speech, Plan: p},
			fund.OpenState{Parent: &parent, Invitation: &fund.Invitation{V: 1, Partner: school, Organisation: "school"}, Regulates: true, Keeps: true}, by("school", "maker")}
	}, judge, []row[opening]{
		{func(s *opening) { s.State.Parent = nil }, "not-found: field parent: there is no campaign charity:sunrise:speech"},
		{func(s *opening) { s.State.Parent.State = fund.Closed }, "wrong-state: field parent: charity:sunrise:speech was closed on 1970"},
		{func(s *opening) { s.State.Parent.Plan.Goal = money.New(1, "USD") }, "invalid: field parent: charity:sunrise:speech is of USD, the plan of CNY"},
		{func(s *opening) { s.C.Plan.Leftover = children }, "invalid: field plan.leftover: names charity:sunrise:children; what is left of a grant"},
		{func(s *opening) { s.C.Plan.Purpose = text("A yacht") }, "forbidden: field plan.purpose: is another than that of charity:sunrise:speech, whose money it is"},
		{func(s *opening) { s.C.Plan.Sector = "11220" }, "forbidden: field plan.sector: is 11220; that of charity:sunrise:speech, whose money it is, is 12220"},
		{func(s *opening) { s.C.Plan.Area = "CN" }, "forbidden: field plan.area: is CN, which is not in CN-53"},
		{func(s *opening) { s.C.Plan.Area = "CN-5" }, "forbidden: field plan.area: is CN-5, which is not in CN-53"},
		{func(s *opening) { s.C.Plan.Lines[0].Kind = fund.Management }, "forbidden: field plan.lines[0].kind: is management; grants are for the programme"},
		{func(s *opening) { s.C.Plan.Lines[0].Kind = fund.Fundraising }, "forbidden: field plan.lines[0].kind: is fundraising; grants are for the programme"},
		{func(s *opening) { s.State.Invitation = nil }, "forbidden: partner:school:speech is not invited to charity:sunrise:speech"},
		{func(s *opening) { s.State.Invitation.Organisation = "charity" }, "forbidden: partner:school:speech is invited to charity:sunrise:speech as an account of charity"},
		{func(s *opening) { s.State.Invitation.Withdrawn = true }, "forbidden: partner:school:speech is not invited to charity:sunrise:speech"},
		{func(s *opening) { s.C.Basis = fund.Earmark }, "forbidden: school holds no power of a charity"},
		{func(s *opening) { s.C.Basis, s.Ctx.Powers = fund.Earmark, []string{party.Charity} }, "forbidden: field parent: charity:sunrise:speech is a campaign of charity"},
		{func(s *opening) { s.C.Basis, s.Ctx, s.C.Plan.Lines[0].ID = fund.Earmark, by("charity"), "books" }, "not-found: field plan.lines[0]: charity:sunrise:speech has no programme line books"},
	})
}

// TestDonors: who must consent to a change of use is registered, can sign, and
// is not staff of the charity that would change it.
func TestDonors(t *testing.T) {
	ruletest.Refusals(t, func() opening {
		p := plan()
		p.Donors = []tape.ID{"giver", "friend"}
		friend := registered("friend")
		friend.Organisation, friend.Key.Duty = "coop", party.DutyStaff
		return opening{fund.OpenCampaign{Account: speech, Basis: fund.Agreement, Custodian: custody, ID: "open-1", Plan: p},
			fund.OpenState{Regulates: true, Keeps: true, Donors: []*party.Person{registered("giver"), friend}}, by("charity", "maker", "checker")}
	}, func(s opening) error { _, _, err := s.C.Apply(s.State, s.Ctx); return err }, []row[opening]{
		{func(s *opening) { s.C.Plan.Donors = nil }, "invalid: field plan.donors: names 0; an agreement names 1 to 16 donors"},
		{func(s *opening) { s.State.Donors[1] = nil }, "not-found: field plan.donors[1]: there is no person friend; it is registered first"},
		{func(s *opening) { s.State.Donors[0].Revoked = noon }, "wrong-state: field plan.donors[0]: person giver is revoked"},
		{func(s *opening) { s.State.Donors[0].Key.Duty = party.DutyStaff }, "forbidden: field plan.donors[0]: giver is staff of charity, which runs the campaign"},
		{func(s *opening) { s.State.Donors[1].Organisation = "charity" }, "forbidden: field plan.donors[1]: friend is staff of charity"},
	})
	ruletest.Refusals(t, func() amending {
		c, p := campaign(), plan()
		c.Basis, c.Plan.Donors, p.Donors = fund.Agreement, []tape.ID{"giver"}, []tape.ID{"giver", "friend"}
		gone := registered("giver") // who was named before may have died
		gone.Revoked = noon - 1
		return amending{c, fund.AmendCampaign{Account: speech, ID: "amend-1", Plan: p}, nil, []*party.Person{gone, registered("friend")}, budget(), by("charity", "maker", "checker", "giver")}
	}, func(s amending) error { _, _, _, err := s.C.Amend(s.A, s.Parent, s.Donors, s.B, s.Ctx); return err }, []row[amending]{
		{func(s *amending) { s.Donors[1] = nil }, "not-found: field plan.donors[1]: there is no person friend"},
		{func(s *amending) { s.Donors[1].Key.Duty = party.DutyStaff }, "forbidden: field plan.donors[1]: friend is staff of charity"},
	})
}

type amending struct {
	C      fund.Campaign
	A      fund.AmendCampaign
	Parent *fund.Campaign
	Donors []*party.Person
	B      fund.Budget
	Ctx    tape.Context
}

func TestAmendCampaign(t *testing.T) {
	judge := func(s amending) error {
		_, _, _, err := s.C.Amend(s.A, s.Parent, s.Donors, s.B, s.Ctx)
		return err
	}
	allowed := func() amending {
		c, p := campaign(), plan()
		return amending{c, fund.AmendCampaign{Account: speech, ID: "amend-1", Plan: p}, nil, nil, budget(60_000, 0, 10_000), by("charity", "maker", "checker")}
	}
	ruletest.Refusals(t, allowed, judge, []row[amending]{
		{func(s *amending) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run charity:sunrise:speech; charity does"},
		{func(s *amending) { s.Ctx.Role = "admin" }, "forbidden: charity (role admin) does not run charity:sunrise:speech; charity does"},
		{func(s *amending) { s.C.State, s.A.Plan.Area = fund.Closed, "CN" }, "wrong-state: charity:sunrise:speech was closed on 1970-01-01T00:00:00.000Z; only where its remainder goes"},
		{func(s *amending) { s.A.Plan.Sector = "1222" }, `invalid: field plan.sector: is not an OECD DAC purpose code`},
		{func(s *amending) { s.A.Plan.Regulator = "county" }, "invalid: field plan.regulator: is county; a campaign stays with regulator"},
		{func(s *amending) {
			s.A.Plan.Goal.Currency = "USD"
			for i := range s.A.Plan.Lines {
				s.A.Plan.Lines[i].Amount.Currency = "USD"
			}
		}, "invalid: field plan.goal: is of USD; charity:sunrise:speech is of CNY"},
		{func(s *amending) { s.A.Plan.Lines, s.A.Plan.Goal = s.A.Plan.Lines[:2], cny(80_000) }, "conflict: field plan.lines: line office has paid orders of 100.00 CNY; it cannot be less"},
		{func(s *amending) { s.A.Plan.Lines[0].Amount, s.A.Plan.Goal = cny(59_999), cny(89_999) }, "conflict: field plan.lines: line training has paid orders of 600.00 CNY"},
		{func(s *amending) { s.A.Plan.Lines[2].Kind = fund.Programme }, "conflict: field plan.lines: line office has orders for management; it cannot be for programme"},
	})
	closed := allowed()
	closed.C.State, closed.A.Plan.Leftover = fund.Closed, "charity:sunrise:other"
	if err := judge(closed); err != nil {
		t.Errorf("where a remainder goes: %v", err)
	}
	// Without a regulator, nobody changes the use of the money alone.
	change := map[string]func(*fund.Plan){
		"purpose": func(p *fund.Plan) { p.Purpose = text("Books") }, "beneficiaries": func(p *fund.Plan) { p.Beneficiaries = text("Others") },
		"area": func(p *fund.Plan) { p.Area = "US" }, "last day": func(p *fund.Plan) { p.To = "2027-01-01" }, "first day": func(p *fund.Plan) { p.From = "2025-11-30" },
		"emergency": func(p *fund.Plan) { p.Emergency = true }, "sector": func(p *fund.Plan) { p.Sector = "11220" }, "cap": func(p *fund.Plan) { p.ManagementPartsPerMillion = 1 },
		"title": func(p *fund.Plan) { p.Lines[0].Title = text("Lessons") }, "another line": func(p *fund.Plan) { p.Lines[0].ID = "lessons" },
		"less programme": func(p *fund.Plan) { p.Lines[1].Amount, p.Lines[0].Amount = cny(9_999), cny(70_001) },
		"a line less":    func(p *fund.Plan) { p.Lines, p.Goal = []fund.BudgetLine{p.Lines[0], p.Lines[2]}, cny(90_000) },
		"more office":    func(p *fund.Plan) { p.Lines[2].Amount, p.Goal = cny(20_001), cny(100_001) }}
	keep := map[string]func(*fund.Plan){"nothing": func(*fund.Plan) {}, "name": func(p *fund.Plan) { p.Title = text("Speech") },
		"more programme": func(p *fund.Plan) { p.Lines[0].Amount, p.Goal = cny(70_001), cny(100_001) }, "less office": func(p *fund.Plan) { p.Lines[2].Amount, p.Goal = cny(19_999), cny(99_999) }}
	agreed := func(f func(*fund.Plan), ctx tape.Context) error {
		s := allowed()
		s.C.Basis, s.C.Plan.Donors, s.A.Plan.Donors, s.B, s.Ctx = fund.Agreement, []tape.ID{"giver"}, []tape.ID{"giver"}, budget(), ctx
		f(&s.A.Plan)
		return judge(s)
	}
	for name, f := range change {
		if err := agreed(f, by("charity", "maker", "checker")); err == nil || err.Error() != "forbidden: field plan: changes the use of the money; donor giver must sign it too" {
			t.Errorf("%s: %v", name, err)
		}
		if err := agreed(f, by("charity", "maker", "checker", "giver")); err != nil {
			t.Errorf("%s with the donor: %v", name, err)
		}
	}
	for name, f := range keep {
		if err := agreed(f, by("charity", "maker", "checker")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	ruletest.Refusals(t, func() amending {
		s := allowed()
		parent := campaign()
		s.C.Basis, s.C.Parent, s.Parent, s.B = fund.Earmark, children, &parent, budget()
		s.C.Plan.Leftover, s.C.Plan.Goal, s.C.Plan.Lines = children, cny(80_000), plan().Lines[:2]
		s.A.Plan = s.C.Plan
		s.A.Plan.Lines = plan().Lines[:2]
		return s
	}, judge, []row[amending]{
		{func(s *amending) { s.A.Plan.Lines[1].ID = "books" }, "not-found: field plan.lines[1]: charity:sunrise:speech has no programme line books"},
		{func(s *amending) { s.A.Plan.Lines[1].Kind = fund.Management }, "forbidden: field plan.lines[1].kind: is management; earmarks are for the programme"},
		{func(s *amending) { s.A.Plan.Purpose = text("Books") }, "forbidden: field plan: changes the use of money that charity:sunrise:children gave for another"},
	})
}

type accepting struct {
	C   fund.Campaign
	A   fund.AcceptFiling
	B   fund.Budget
	Ctx tape.Context
}

func TestAcceptFiling(t *testing.T) {
	ruletest.Refusals(t, func() accepting {
		c, p := campaign(), plan()
		c.Pending, c.Entry = &p, "charity/amend-1"
		return accepting{c, fund.AcceptFiling{Account: speech, ID: "file-1", Number: "53000020261", Plan: "charity/amend-1"}, budget(60_000), by("regulator", "officer")}
	}, func(s accepting) error {
		_, _, _, err := s.C.Accept(s.A, s.B, s.Ctx)
		return err
	}, []row[accepting]{
		{func(s *accepting) { s.Ctx = by("charity", "maker") }, "forbidden: charity (role gateway) does not accept filings of charity:sunrise:speech; regulator does"},
		{func(s *accepting) { s.Ctx.Powers = nil }, "forbidden: regulator (role gateway) does not accept filings"},
		{func(s *accepting) { s.Ctx.Role = "auditor" }, "forbidden: regulator (role auditor) does not accept filings"},
		{func(s *accepting) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of regulator must sign"},
		{func(s *accepting) { s.Ctx = as("member", by("regulator", "maker")) }, "forbidden: one of the staff of regulator must sign"},
		{func(s *accepting) { s.Ctx = by("regulator", "maker@charity") }, "forbidden: one of the staff of regulator must sign"},
		{func(s *accepting) { s.A.Number = "" }, "invalid: field number: is empty"},
		{func(s *accepting) { s.A.Number = strings.Repeat("1", 41) }, "invalid: field number: has 41 characters; 40 at most"},
		{func(s *accepting) { s.A.Number = "1\u202e2" }, "invalid: field number: holds the character U+202E"},
		{func(s *accepting) { s.C.Pending = nil }, "wrong-state: no plan of charity:sunrise:speech waits for a filing number"},
		{func(s *accepting) { s.A.Plan = "charity/open-1" }, `conflict: field plan: is another; the plan that waits came by entry charity/amend-1`},
		{func(s *accepting) { s.B = budget(70_001) }, "conflict: field plan.lines: line training has paid orders of 700.01 CNY"},
	})
}

// TestFirstNumber: a plan that is filed again leaves the day of the first number.
func TestFirstNumber(t *testing.T) {
	c := campaign()
	c.State, c.Version, c.Filing = fund.Draft, 0, nil
	for _, day := range []tape.Date{"2026-01-05", "2026-02-05"} {
		ctx := by("regulator", "officer")
		ctx.Date = day
		var err error
		if c, _, _, err = c.Accept(fund.AcceptFiling{Account: speech, ID: "file-1", Number: "1", Plan: c.Entry}, budget(), ctx); err != nil {
			t.Fatal(err)
		}
		if c.Numbered != "2026-01-05" || c.Filing.Date != day {
			t.Errorf("on %s: %s, %+v", day, c.Numbered, c.Filing)
		}
		p := plan()
		c.Pending = &p
	}
}

type ending struct {
	C    fund.Campaign
	Heir *fund.Campaign
	A    fund.Carry
	Free int64
	Ctx  tape.Context
}

func TestCloseAndCarry(t *testing.T) {
	allowed := func() ending {
		c, heir := campaign(), campaign()
		c.State, heir.Account = fund.Closed, children
		return ending{c, &heir, fund.Carry{Account: speech, Amount: cny(100), ID: "carry-1"}, 100, by("charity", "maker", "checker")}
	}
	ruletest.Refusals(t, allowed, func(s ending) error { return s.C.Carry(s.A, s.Free, s.Heir, s.Ctx) }, []row[ending]{
		{func(s *ending) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *ending) { s.C.State = fund.Active }, "wrong-state: charity:sunrise:speech is active; close it before"},
		{func(s *ending) { s.C.Version = 0 }, "wrong-state: no plan of charity:sunrise:speech was ever accepted; refund"},
		{func(s *ending) { s.Heir = nil }, "not-found: charity:sunrise:children, which gets what is left, is no campaign"},
		{func(s *ending) { s.Heir.State = fund.Closed }, "wrong-state: charity:sunrise:children, which gets what is left, is closed"},
		{func(s *ending) { s.Heir.Basis = fund.Agreement }, "forbidden: charity:sunrise:children is a campaign by agreement"},
		{func(s *ending) { s.C.Basis, s.Heir.Basis = fund.Agreement, fund.Earmark }, "forbidden: charity:sunrise:children is a campaign by earmark"},
		{func(s *ending) { s.Free = 101 }, "conflict: field amount: is 1.00 CNY; what is left is 1.01 CNY"},
		{func(s *ending) { s.A.Amount.Currency = "USD" }, "conflict: field amount: is 1.00 USD; what is left is 1.00 CNY"},
	})
	home := allowed()
	home.C.Basis, home.C.Parent, home.Heir.State = fund.Grant, children, fund.Closed
	if err := home.C.Carry(home.A, 100, home.Heir, home.Ctx); err != nil {
		t.Errorf("a grant goes home to a closed campaign: %v", err)
	}
	ruletest.Refusals(t, func() ending { s := allowed(); s.C.State = fund.Active; return s }, func(s ending) error {
		_, _, err := s.C.Close(fund.CloseCampaign{Account: speech, ID: "close-1"}, s.Ctx)
		return err
	}, []row[ending]{
		{func(s *ending) { s.Ctx.Role = "auditor" }, "forbidden: charity (role auditor) does not run"},
		{func(s *ending) { s.C.State = fund.Closed }, "wrong-state: charity:sunrise:speech was closed on"},
	})
}

type inviting struct {
	C     fund.Campaign
	A     fund.Invite
	Known *fund.Invitation
	Ctx   tape.Context
}

func TestInvite(t *testing.T) {
	ruletest.Refusals(t, func() inviting {
		return inviting{campaign(), fund.Invite{Account: speech, ID: "invite-1", Partner: school}, nil, by("charity", "maker", "checker")}
	}, func(s inviting) error {
		_, _, err := s.C.Invite(s.A, s.Known, s.Ctx)
		return err
	}, []row[inviting]{
		{func(s *inviting) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *inviting) { s.C.State = fund.Closed }, "wrong-state: charity:sunrise:speech was closed on"},
		{func(s *inviting) { s.A.Partner = "partner/x" }, `invalid: field partner: is not an account`},
		{func(s *inviting) { s.A.Partner = family }, "invalid: field partner: outside:household:ddbbcoobeooegjmdolfcpojadccomibn is no partner's account"},
		{func(s *inviting) { s.A.Partner = speech }, "invalid: field partner: charity:sunrise:speech is no partner's account"},
		{func(s *inviting) { s.A.Organisation = "The School" }, `invalid: field organisation: is not a name`},
		{func(s *inviting) { s.A.Withdraw = true }, "wrong-state: field partner: the invitation of partner:school:speech stands as you ask already"},
		{func(s *inviting) { s.Known = &fund.Invitation{} }, "wrong-state: field partner: the invitation of partner:school:speech stands as you ask already"},
		{func(s *inviting) { s.Known, s.A.Withdraw = &fund.Invitation{Withdrawn: true}, true }, "wrong-state: field partner: the invitation"},
	})
}

type enrolling struct {
	C     fund.Campaign
	A     fund.Enrol
	Agent *fund.Agent
	Known []*fund.Payee
	Of    []*party.Person
	Ctx   tape.Context
}

func TestEnrol(t *testing.T) {
	known := fund.Payee{V: 1, Payee: family, Kind: fund.Household, Entry: "charity/enrol-0"}
	ruletest.Refusals(t, func() enrolling {
		return enrolling{campaign(), fund.Enrol{Account: speech, Agent: "agent", ID: "enrol-1", Payees: []fund.NewPayee{{Kind: fund.Household, Payee: family, Person: "h1"}, {Kind: fund.Supplier, Payee: shop}}},
			&fund.Agent{V: 1, Person: "agent", PayeesMax: 2}, make([]*fund.Payee, 2), []*party.Person{registered("h1"), nil}, as("agent", by("charity", "agent"))}
	}, func(s enrolling) error {
		_, _, _, err := s.C.Enrol(s.A, s.Agent, s.Known, s.Of, s.Ctx)
		return err
	}, []row[enrolling]{
		{func(s *enrolling) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *enrolling) { s.C.State = fund.Closed }, "wrong-state: charity:sunrise:speech was closed on"},
		{func(s *enrolling) { s.A.Payees = nil }, "invalid: field payees: holds 0; 1 to 200 are possible"},
		{func(s *enrolling) { s.A.Payees = make([]fund.NewPayee, 201) }, "invalid: field payees: holds 201; 1 to 200 are possible"},
		{func(s *enrolling) { s.A.Payees[1].Payee = "outside:supplier:S" }, `invalid: field payees[1].payee: is not an account`},
		{func(s *enrolling) { s.A.Payees[1].Kind = "friend" }, `invalid: field payees[1].kind: is not one of household, supplier, staff`},
		{func(s *enrolling) { s.A.Payees[1].Kind = fund.Staff }, "invalid: field payees[1].payee: outside:supplier:s1 is not outside:staff:<name>"},
		{func(s *enrolling) { s.A.Payees[1].BankAccount = "6222" }, "invalid: field payees[1].bankAccount"},
		{func(s *enrolling) { s.A.Payees[1].Device = "phone" }, "invalid: field payees[1].device"},
		{func(s *enrolling) { s.A.Payees[1].Person = "a/b" }, `invalid: field payees[1].person: is not an id`},
		{func(s *enrolling) { s.A.Payees[1] = s.A.Payees[0] }, "invalid: field payees[1]: outside:household:ddbbcoobeooegjmdolfcpojadccomibn stands twice"},
		{func(s *enrolling) { s.Agent = nil }, "not-found: field agent: agent is not an agent of charity:sunrise:speech"},
		{func(s *enrolling) { s.Agent.Ended = true }, "not-found: field agent: agent is not an agent of charity:sunrise:speech"},
		{func(s *enrolling) { s.Ctx = by("charity", "maker") }, "forbidden: field agent: agent agent must sign its list"},
		{func(s *enrolling) { s.Ctx = as("member", by("charity", "agent")) }, "forbidden: field agent: agent agent must sign its list, registered as agent or staff"},
		{func(s *enrolling) { s.A.Agent, s.Ctx = "", as("agent", by("charity", "agent")) }, "forbidden: one of the staff of charity must sign"},
		{func(s *enrolling) { s.A.Agent, s.Ctx = "", by("charity", "maker@coop") }, "forbidden: one of the staff of charity must sign"},
		{func(s *enrolling) { s.A.Payees[0].Person = "agent" }, "forbidden: field payees[0].person: agent cannot enrol itself"},
		{func(s *enrolling) { s.Ctx = by("charity", "agent", "h1") }, "forbidden: field payees[0].person: h1 cannot enrol itself"},
		{func(s *enrolling) { s.Of[0] = nil }, "not-found: field payees[0].person: there is no person h1; it is registered first"},
		{func(s *enrolling) { s.Of[0].Key.Witness = "" }, "wrong-state: field payees[0].person: the key of person h1 waits for the witness"},
		{func(s *enrolling) { s.Of[0].Key.From = noon + 1 }, "early: field payees[0].person: the key of person h1 comes into force at"},
		{func(s *enrolling) { s.Of[0].Key.Suspended = noon }, "wrong-state: field payees[0].person: the key of person h1 is suspended since"},
		{func(s *enrolling) { s.Of[0].Revoked = noon }, "wrong-state: field payees[0].person: person h1 is revoked"},
		{func(s *enrolling) { s.A.Payees[0].Payee = "outside:household:wang-xiaoming" }, "invalid: field payees[0].payee: is not a household's account: what stands behind household is a pseudonym"},
		{func(s *enrolling) { s.Known[1] = &known }, "exists: field payees[1]: outside:household:ddbbcoobeooegjmdolfcpojadccomibn is enrolled already, by entry charity/enrol-0"},
		{func(s *enrolling) { s.Agent.Payees = 1 }, "insufficient: field payees: agent agent would serve 3 payees; its limit is 2"},
	})
	later := enrolling{campaign(), fund.Enrol{Account: speech, ID: "enrol-1", Payees: []fund.NewPayee{{Kind: fund.Household, Payee: family, Person: "h1"}}}, nil, []*fund.Payee{&known}, []*party.Person{registered("h1")}, by("charity", "maker")}
	known.Agent, known.EnrolledBy = "agent", []tape.ID{"agent"}
	payees, _, _, err := later.C.Enrol(later.A, nil, later.Known, later.Of, later.Ctx)
	if err != nil || payees[0].Person != "h1" || payees[0].Agent != "agent" || !slices.Equal(payees[0].EnrolledBy, []tape.ID{"agent", "maker"}) {
		t.Errorf("a key that comes later: %+v, %v", payees, err)
	}
}

// registered is a person whose key is in force.
func registered(id tape.ID) *party.Person {
	return &party.Person{V: 1, ID: id, Organisation: "charity", Key: party.Key{Custody: party.Own, Duty: party.DutyMember, Registrar: "coop", Witness: "charity", From: noon}}
}

type replacing struct {
	C              fund.Campaign
	A              fund.ReplacePerson
	Payee          *fund.Payee
	Person, Before *party.Person
	Ctx            tape.Context
}

func TestReplacePerson(t *testing.T) {
	allowed := func() replacing {
		before := registered("h1")
		before.Guardian = &party.Guardian{Person: "h2", Registrar: "coop", Witness: "charity", From: noon}
		return replacing{campaign(), fund.ReplacePerson{Account: speech, ID: "replace-1", Payee: family, Person: "h2", Reason: fund.ByGuardian},
			&fund.Payee{V: 1, Payee: family, Kind: fund.Household, Person: "h1", Agent: "agent"}, registered("h2"), before, by("charity", "maker", "checker")}
	}
	judge := func(s replacing) error {
		_, _, err := s.C.Replace(s.A, s.Payee, s.Person, s.Before, s.Ctx)
		return err
	}
	next := &fund.NextPerson{Person: "h2", Reason: "lost-key", From: noon + 1, Entry: "charity/replace-0"}
	ruletest.Refusals(t, allowed, judge, []row[replacing]{
		{func(s *replacing) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *replacing) { s.A.Person = "王虚构" }, "invalid: field person: is not an id"},
		{func(s *replacing) { s.A.Reason = "mood" }, `invalid: field reason: is not one of lost-key, death, guardian, mistake`},
		{func(s *replacing) { s.Payee = nil }, "not-found: field payee: " + string(family) + " is not enrolled in charity:sunrise:speech"},
		{func(s *replacing) { s.Payee.Person = "" }, "wrong-state: field person: " + string(family) + " has no person yet; enrol it again with one"},
		{func(s *replacing) { s.A.Person = "h1" }, "wrong-state: field person: h1 is the person of " + string(family) + " already"},
		{func(s *replacing) { s.Payee.Next = next }, "wrong-state: field person: h2 takes its place at 2026-01-01T04:00:00.001Z already, by entry charity/replace-0"},
		{func(s *replacing) { s.A.Person = "agent" }, "forbidden: field person: agent serves " + string(family) + " and cannot be its person"},
		{func(s *replacing) { s.Ctx = by("charity", "maker", "h1") }, "forbidden: h1 is a person of " + string(family) + " or serves it; others replace its person"},
		{func(s *replacing) { s.Ctx = by("charity", "maker", "h2") }, "forbidden: h2 is a person of"},
		{func(s *replacing) { s.Ctx = by("charity", "agent", "maker") }, "forbidden: agent is a person of"},
		{func(s *replacing) { s.A.Person, s.Payee.Next, s.Ctx = "h3", next, by("charity", "maker", "h2") }, "forbidden: h2 is a person of"},
		{func(s *replacing) { s.Person = nil }, "not-found: field person: there is no person h2; it is registered first"},
		{func(s *replacing) { s.Person.Revoked = noon }, "wrong-state: field person: person h2 is revoked"},
		{func(s *replacing) { s.Before.Guardian = nil }, "conflict: field reason: is guardian; h2 is not the guardian of h1 now"},
		{func(s *replacing) { s.Before.Guardian.From = noon + 1 }, "conflict: field reason: is guardian; h2 is not the guardian of h1 now"},
		{func(s *replacing) { s.Ctx.Date = "2020-01-01" }, "unsupported: no version of the disclosure law is known for 2020-01-01"},
	})
	s := allowed()
	s.C.State = fund.Closed // its payees still confirm and dispute what it paid
	after, entry, err := s.C.Replace(s.A, s.Payee, s.Person, s.Before, s.Ctx)
	want := fund.NextPerson{Person: "h2", Reason: fund.ByGuardian, From: noon + 7*tape.Day, Entry: "charity/replace-1"}
	if err != nil || entry.Kind != "replace-person" || after.Person != "h1" || after.Next == nil || *after.Next != want {
		t.Fatalf("another person: %+v, %v", after, err)
	}
	for at, person := range map[tape.Instant]tape.ID{noon: "h1", want.From - 1: "h1", want.From: "h2"} {
		if got := after.PersonOn(at); got != person {
			t.Errorf("at %s %s has the word, want %s", at, got, person)
		}
	}
	s.A.Person, s.A.Reason, s.Payee = "h1", "mistake", &after
	if ended, _, err := s.C.Replace(s.A, s.Payee, registered("h1"), nil, s.Ctx); err != nil || ended.Next != nil || ended.Person != "h1" {
		t.Errorf("the waiting is ended: %+v, %v", ended, err)
	}
	s.Ctx.At, s.Ctx.Date = want.From, "2026-01-08"
	if back, _, err := s.C.Replace(s.A, s.Payee, registered("h1"), nil, s.Ctx); err != nil || back.Person != "h2" || back.Next.Person != "h1" {
		t.Errorf("the first person comes back: %+v, %v", back, err)
	}
}

// TestWordOfAReplacedPerson: until the day the person before has the word, then
// the other alone, which can dispute everything and settle no dispute of before.
func TestWordOfAReplacedPerson(t *testing.T) {
	payee := fund.Payee{Payee: family, Person: "h1", Next: &fund.NextPerson{Person: "h2", From: noon + tape.Day}}
	hold := tape.Hold{ID: "d1.0.0", Amount: cny(100), Captured: tape.Spans{{Start: 0, End: 100}}, State: tape.HoldOpen}
	said := func(outcome, person string) *fund.Confirmation {
		return &fund.Confirmation{Outcome: outcome, Reason: "late", Amount: cny(100), By: tape.Approval{Person: tape.ID(person)}, Entry: "coop/say-0"}
	}
	ward := said(fund.Disputed, "mother")
	ward.For = "h2"
	for i, c := range []struct {
		after   tape.Instant
		person  string
		outcome string
		known   *fund.Confirmation
		want    string
	}{
		{0, "h1", fund.Arrived, nil, ""},
		{0, "h2", fund.Arrived, nil, "forbidden: only the receiver confirms: person h1 signs"},
		{tape.Day - 1, "h1", fund.Disputed, nil, ""},
		{tape.Day, "h1", fund.Disputed, nil, "forbidden: only the receiver confirms: person h2 signs"},
		{tape.Day, "h2", fund.Arrived, nil, ""},
		{tape.Day, "h2", fund.Disputed, said(fund.Arrived, "h1"), ""},
		{tape.Day, "h2", fund.Arrived, said(fund.Disputed, "h1"), "wrong-state: h1, who was the person of " + string(family) + ", disputes it since"},
		{tape.Day, "h2", fund.Arrived, said(fund.Disputed, "h2"), ""},
		{tape.Day, "h2", fund.Arrived, ward, ""},
	} {
		ctx := by("coop", c.person+"@charity")
		ctx.At += c.after
		command := fund.Confirm{Account: speech, Amount: cny(100), Hold: "d1.0.0", ID: "say-1", Outcome: c.outcome}
		if c.outcome == fund.Disputed {
			command.Reason = "taken-from-me"
		}
		_, _, err := payee.Confirm(command, hold, c.known, "", ctx)
		if got := fmt.Sprint(err); err == nil && c.want != "" || err != nil && (c.want == "" || !strings.HasPrefix(got, c.want)) {
			t.Errorf("row %d: %v, want %q", i, err, c.want)
		}
	}
}

type appointing struct {
	C     fund.Campaign
	A     fund.AppointAgent
	Known *fund.Agent
	Ctx   tape.Context
}

func TestAppointAgent(t *testing.T) {
	ruletest.Refusals(t, func() appointing {
		return appointing{campaign(), fund.AppointAgent{Account: speech, ID: "appoint-1", PayeesMax: 5, Person: "agent"}, &fund.Agent{Payees: 5}, by("charity", "maker", "checker")}
	}, func(s appointing) error {
		_, _, err := s.C.Appoint(s.A, s.Known, s.Ctx)
		return err
	}, []row[appointing]{
		{func(s *appointing) { s.Ctx.Role = "auditor" }, "forbidden: charity (role auditor) does not run"},
		{func(s *appointing) { s.C.State = fund.Closed }, "wrong-state: charity:sunrise:speech was closed on"},
		{func(s *appointing) { s.A.Person = "" }, `invalid: field person: is not an id`},
		{func(s *appointing) { s.A.PayeesMax = 4 }, "invalid: field payeesMax: 4 is not 5 to 10000; 5 are served"},
		{func(s *appointing) { s.A.PayeesMax = 10_001 }, "invalid: field payeesMax: 10001 is not 5 to 10000"},
		{func(s *appointing) { s.Known, s.A.PayeesMax = nil, 0 }, "invalid: field payeesMax: 0 is not 1 to 10000"},
		{func(s *appointing) { s.Known, s.A.End = nil, true }, "not-found: field person: agent is not an agent of charity:sunrise:speech"},
		{func(s *appointing) { s.Known.Ended, s.A.End = true, true }, "not-found: field person: agent is not an agent"},
		{func(s *appointing) { s.A.Person = "checker" }, "forbidden: field person: checker cannot appoint itself"},
	})
}

type flagging struct {
	C     fund.Campaign
	A     fund.SetFlag
	Payee *fund.Payee
	Known *fund.Flag
	Ctx   tape.Context
}

func TestSetFlag(t *testing.T) {
	judge := func(s flagging) error {
		_, _, err := s.C.Flag(s.A, s.Payee, s.Known, s.Ctx)
		return err
	}
	household := fund.Payee{V: 1, Payee: family, Kind: fund.Household, Person: "h1", Agent: "agent"}
	for _, organisation := range []string{"charity", "regulator"} {
		ruletest.Refusals(t, func() flagging {
			p := household
			return flagging{campaign(), fund.SetFlag{Account: speech, ID: "flag-1", Payee: family, Raise: true, Reason: "device"}, &p, nil, by(organisation, "maker")}
		}, judge, []row[flagging]{
			{func(s *flagging) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not flag payees of charity:sunrise:speech"},
			{func(s *flagging) { s.Ctx.Role = "auditor" }, "forbidden: " + organisation + " (role auditor) does not flag payees"},
			{func(s *flagging) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of " + organisation + " must sign"},
			{func(s *flagging) { s.Ctx = as("member", s.Ctx) }, "forbidden: one of the staff of " + organisation + " must sign"},
			{func(s *flagging) { s.Ctx.Approvals[0].Custody = "agent-held" }, "forbidden: one of the staff of " + organisation + " must sign"},
			{func(s *flagging) { s.A.Reason = "mood" }, `invalid: field reason: is not one of device,`},
			{func(s *flagging) { s.Payee = nil }, "not-found: field payee: outside:household:ddbbcoobeooegjmdolfcpojadccomibn is not enrolled in charity:sunrise:speech"},
			{func(s *flagging) { s.Known = flagOf(organisation) }, "wrong-state: field raise: the flag of " + organisation + " on outside:household:ddbbcoobeooegjmdolfcpojadccomibn stands as you ask already"},
			{func(s *flagging) { s.A.Reason = "cleared" }, "invalid: field reason: cleared is the reason of a flag that is lifted"},
		})
		other := map[string]string{"charity": "regulator", "regulator": "charity"}[organisation]
		ruletest.Refusals(t, func() flagging {
			p := household
			return flagging{campaign(), fund.SetFlag{Account: speech, ID: "flag-2", Payee: family, Reason: "cleared"}, &p, flagOf(organisation), by(organisation, "maker", "checker")}
		}, judge, []row[flagging]{
			{func(s *flagging) { s.Known.Raised = nil }, "wrong-state: field raise: the flag of " + organisation + " on outside:household:ddbbcoobeooegjmdolfcpojadccomibn stands as you ask already"},
			{func(s *flagging) { s.A.Reason = "device" }, "invalid: field reason: cleared is the reason of a flag that is lifted"},
			{func(s *flagging) { s.Ctx = by(other, "maker", "checker") }, "forbidden: the flag on outside:household:ddbbcoobeooegjmdolfcpojadccomibn is that of " + organisation},
			{func(s *flagging) { s.Payee.Agent = "checker" }, "forbidden: checker is outside:household:ddbbcoobeooegjmdolfcpojadccomibn or serves it, and cannot lift its flag"},
			{func(s *flagging) { s.Payee.Person = "maker" }, "forbidden: maker is outside:household:ddbbcoobeooegjmdolfcpojadccomibn or serves it"},
		})
	}
}

// flagOf are flags that stand, of each organisation its own.
func flagOf(organisations ...string) *fund.Flag {
	flag := &fund.Flag{V: 1}
	for _, organisation := range organisations {
		flag.Entry = organisation + "/flag-1"
		flag.Raised = append(flag.Raised, fund.RaisedFlag{Organisation: organisation, Reason: "device", Since: noon, Entry: flag.Entry})
	}
	return flag
}

// TestFlagsOfTwo: charity and regulator each raise a flag of their own, and the
// payee is paid again when both have lifted theirs.
func TestFlagsOfTwo(t *testing.T) {
	var flag *fund.Flag
	for i, step := range []struct {
		organisation string
		raise        bool
		stand        string
	}{{"charity", true, "charity"}, {"regulator", true, "charity regulator"}, {"charity", false, "regulator"}, {"charity", true, "regulator charity"}, {"regulator", false, "charity"}, {"charity", false, ""}} {
		command := fund.SetFlag{Account: speech, ID: "flag", Payee: family, Raise: step.raise, Reason: "cleared"}
		if step.raise {
			command.Reason = "complaint"
		}
		next, _, err := campaign().Flag(command, &fund.Payee{Payee: family}, flag, by(step.organisation, "maker", "checker"))
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		flag = &next
		var stand []string
		for _, raised := range flag.Raised {
			stand = append(stand, raised.Organisation)
		}
		d, path := chunk("d1", "training", pay("a", 100, family))
		_, _, err = campaign().List(fund.List{Account: speech, Disbursement: "d1", ID: "list", Lines: []tape.Payment{pay("a", 100, family)}, Path: path}, d,
			[]fund.Line{{Payment: pay("a", 100, family), Payee: &fund.Payee{Payee: family, Kind: fund.Household}, Flag: flag}}, by("charity"))
		if strings.Join(stand, " ") != step.stand || (err == nil) != (step.stand == "") {
			t.Errorf("step %d: %v stand, %v", i, stand, err)
		}
	}
}

// TestFormerRegulator: whoever regulated before lifts the flag that it left, and raises none.
func TestFormerRegulator(t *testing.T) {
	lift := fund.SetFlag{Account: speech, ID: "flag", Payee: family, Reason: "cleared"}
	if _, _, err := campaign().Flag(lift, &fund.Payee{Payee: family}, flagOf("county"), by("county", "officer")); err != nil {
		t.Error(err)
	}
	lift.Raise, lift.Reason = true, "complaint"
	if _, _, err := campaign().Flag(lift, &fund.Payee{Payee: family}, flagOf("county"), by("county", "officer")); err == nil {
		t.Error("a stranger raises a flag")
	}
}

type calling struct {
	C     fund.Campaign
	A     fund.CallBackPayee
	Payee *fund.Payee
	Known *fund.Flag
	Ctx   tape.Context
}

func TestCallBackPayee(t *testing.T) {
	ruletest.Refusals(t, func() calling {
		return calling{campaign(), fund.CallBackPayee{Account: speech, ID: "call-1", Outcome: "confirmed", Payee: family}, &fund.Payee{Payee: family, Agent: "agent", Person: "h1"}, nil, by("charity", "maker")}
	}, func(s calling) error {
		_, _, _, err := s.C.CallBack(s.A, s.Payee, s.Known, s.Ctx)
		return err
	}, []row[calling]{
		{func(s *calling) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *calling) { s.C.State = fund.Closed }, "wrong-state: charity:sunrise:speech was closed on"},
		{func(s *calling) { s.A.Outcome = "busy" }, `invalid: field outcome: is not one of confirmed, not-reached, denied`},
		{func(s *calling) { s.Payee = nil }, "not-found: field payee: outside:household:ddbbcoobeooegjmdolfcpojadccomibn is not enrolled"},
		{func(s *calling) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of charity signs a call-back"},
		{func(s *calling) { s.Ctx = by("charity", "maker", "checker") }, "forbidden: one of the staff of charity signs a call-back"},
		{func(s *calling) { s.Ctx = by("charity", "maker@coop") }, "forbidden: one of the staff of charity signs a call-back"},
		{func(s *calling) { s.Ctx = as("member", s.Ctx) }, "forbidden: one of the staff of charity signs a call-back; maker is member of charity, its key own"},
		{func(s *calling) { s.Ctx = as("agent", s.Ctx) }, "forbidden: one of the staff of charity signs a call-back; maker is agent of charity"},
		{func(s *calling) { s.Payee.Agent = "maker" }, "forbidden: maker serves outside:household:ddbbcoobeooegjmdolfcpojadccomibn and cannot call it back"},
		{func(s *calling) { s.Payee.EnrolledBy = []tape.ID{"other", "maker"} }, "forbidden: maker enrolled outside:household:ddbbcoobeooegjmdolfcpojadccomibn and cannot call it back; somebody else does"},
		{func(s *calling) { s.Payee.Person = "maker" }, "forbidden: maker serves outside:household:ddbbcoobeooegjmdolfcpojadccomibn and cannot call it back"},
	})
	for _, c := range []struct {
		outcome string
		known   *fund.Flag
		raises  bool
	}{{"confirmed", nil, false}, {"not-reached", nil, false}, {"denied", nil, true}, {"denied", &fund.Flag{}, true}, {"denied", flagOf("regulator"), true}, {"denied", flagOf("charity", "regulator"), false}} {
		_, flag, _, err := campaign().CallBack(fund.CallBackPayee{Account: speech, ID: "call-1", Outcome: c.outcome, Payee: family}, &fund.Payee{Payee: family}, c.known, by("charity", "maker"))
		if err != nil || (flag != nil) != c.raises {
			t.Errorf("%s with %+v raises %+v: %v", c.outcome, c.known, flag, err)
		}
	}
}

type confirming struct {
	P     fund.Payee
	A     fund.Confirm
	Hold  tape.Hold
	Known *fund.Confirmation
	Ctx   tape.Context
}

func TestConfirm(t *testing.T) {
	judge := func(s confirming) error {
		_, _, err := s.P.Confirm(s.A, s.Hold, s.Known, "mother", s.Ctx)
		return err
	}
	arrived := func() confirming {
		return confirming{fund.Payee{Payee: family, Person: "h1"}, fund.Confirm{Account: speech, Amount: cny(60), Hold: "d1.0.0", ID: "say-1", Outcome: fund.Arrived},
			tape.Hold{ID: "d1.0.0", Amount: cny(100), Captured: tape.Spans{{Start: 0, End: 60}}, Spans: tape.Spans{{Start: 60, End: 100}}, State: tape.HoldOpen}, nil, by("coop", "h1@charity")}
	}
	guarded := arrived()
	guarded.Ctx = by("coop", "mother@charity")
	if said, _, err := guarded.P.Confirm(guarded.A, guarded.Hold, nil, "mother", guarded.Ctx); err != nil || said.For != "h1" || said.By.Person != "mother" {
		t.Errorf("the guardian's word: %+v, %v", said, err)
	}
	if _, _, err := guarded.P.Confirm(guarded.A, guarded.Hold, nil, "", guarded.Ctx); err == nil || !strings.HasPrefix(err.Error(), "forbidden: only the receiver") {
		t.Errorf("the word of who is no guardian: %v", err)
	}
	ruletest.Refusals(t, arrived, judge, []row[confirming]{
		{func(s *confirming) { s.Ctx.Role = "auditor" }, `forbidden: confirmations are carried by a gateway, not by the role "auditor"`},
		{func(s *confirming) { s.A.Account = "x/y" }, `invalid: field account: is not an account`},
		{func(s *confirming) { s.A.Hold = "x/y" }, `invalid: field hold: is not an id`},
		{func(s *confirming) { s.A.Outcome = "fine" }, `invalid: field outcome: is not one of arrived, disputed`},
		{func(s *confirming) { s.A.Reason = "late" }, "invalid: field reason: what arrived needs none"},
		{func(s *confirming) { s.A.Outcome, s.A.Reason = fund.Disputed, "cold" }, `invalid: field reason: is not one of`},
		{func(s *confirming) { s.P.Person = "" }, "wrong-state: outside:household:ddbbcoobeooegjmdolfcpojadccomibn has no key yet"},
		{func(s *confirming) { s.Ctx.Approvals = nil }, "forbidden: only the receiver confirms: person h1 signs"},
		{func(s *confirming) { s.Ctx = by("coop", "maker@charity") }, "forbidden: only the receiver confirms: person h1 signs"},
		{func(s *confirming) { s.Ctx = by("coop", "h1@charity", "maker@charity") }, "forbidden: only the receiver confirms"},
		{func(s *confirming) { s.Ctx.Approvals[0].Custody = "agent-held" }, "forbidden: the key of h1 is agent-held; only a key in the receiver's own hands"},
		{func(s *confirming) { s.Ctx.Approvals[0].Custody = "gateway-held" }, "forbidden: the key of h1 is gateway-held"},
		{func(s *confirming) {
			s.Known = &fund.Confirmation{Outcome: fund.Arrived, Amount: cny(60), Entry: "coop/say-0"}
		}, "wrong-state: the receiver confirmed 0.60 CNY on"},
		{func(s *confirming) { s.Hold.Captured = nil }, "wrong-state: field hold: d1.0.0 is not paid"},
		{func(s *confirming) { s.Hold.Returned = tape.Spans{{Start: 0, End: 60}} }, "wrong-state: field hold: d1.0.0 is not paid"},
		{func(s *confirming) { s.A.Amount = cny(100) }, "conflict: field amount: is 1.00 CNY; the bank has paid 0.60 CNY"},
	})
	ruletest.Refusals(t, func() confirming {
		s := arrived()
		s.A.Amount, s.A.Outcome, s.A.Reason, s.Ctx.Approvals[0].Custody = cny(100), fund.Disputed, "late", "agent-held"
		return s
	}, judge, []row[confirming]{
		{func(s *confirming) { s.A.Amount = cny(60) }, "conflict: field amount: is 0.60 CNY; the payout was ordered over 1.00 CNY"},
		{func(s *confirming) {
			s.Known = &fund.Confirmation{Outcome: fund.Disputed, Amount: cny(100), Reason: "late", Entry: "coop/say-0"}
		}, "wrong-state: the receiver disputes it since"},
	})
	// What a receiver may say after what it said, and what is then confirmed.
	said := func(s confirming) *fund.Confirmation {
		c, _, err := s.P.Confirm(s.A, s.Hold, s.Known, "", s.Ctx)
		if err != nil {
			t.Error(err)
		}
		return &c
	}
	s := arrived()
	s.Known = said(s)
	s.A.Amount, s.A.Outcome, s.A.Reason, s.A.ID = cny(100), fund.Disputed, "taken-from-me", "say-2"
	s.Known = said(s)
	s.A.Reason, s.A.ID = "less-arrived", "say-3"
	s.Known = said(s)
	if s.Known.Disputed != "coop/say-2" || s.Known.Confirmed(s.Hold) != cny(0) {
		t.Errorf("a second dispute: %+v", s.Known)
	}
	s.A.Amount, s.A.Outcome, s.A.Reason, s.A.ID = cny(60), fund.Arrived, "", "say-4"
	s.Known = said(s)
	if s.Known.Disputed != "coop/say-3" || s.Known.Confirmed(s.Hold) != cny(60) {
		t.Errorf("a settled dispute: %+v", s.Known)
	}
	s.Hold.Returned = tape.Spans{{Start: 0, End: 20}}
	if s.Known.Confirmed(s.Hold) != cny(40) {
		t.Errorf("what the bank took back is still confirmed: %s", s.Known.Confirmed(s.Hold))
	}
	s.A.Amount = cny(40)
	said(s)
}

type citing struct {
	C     fund.Campaign
	A     fund.Cite
	Known []bool
	Found fund.Cites
	Ctx   tape.Context
}

func TestCite(t *testing.T) {
	ruletest.Refusals(t, func() citing {
		return citing{campaign(), fund.Cite{Account: speech, Evidence: []fund.Citation{{Hash: merkle.Hash{1}, Kind: "photo"}}, For: "charity/pay-1", ID: "cite-1"}, []bool{false}, fund.Cites{Entry: &tape.Entry{Subject: string(speech)}}, by("charity", "maker")}
	}, func(s citing) error {
		_, _, err := s.C.Cite(s.A, s.Known, s.Found, s.Ctx)
		return err
	}, []row[citing]{
		{func(s *citing) { s.Found.Entry = nil }, "not-found: field for: there is no entry charity/pay-1"},
		{func(s *citing) { s.Found.Entry.Subject = string(children) }, "conflict: field for: entry charity/pay-1 is about charity:sunrise:children"},
		{func(s *citing) { s.A.For = "d1.0.0" }, "not-found: field for: charity:sunrise:speech has no payout and no disbursement d1.0.0"},
		{func(s *citing) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *citing) { s.A.Evidence[0].Kind = "tale" }, `invalid: field evidence[0].kind: is not one of invoice, photo`},
		{func(s *citing) { s.A.Evidence[0].Hash = merkle.Hash{} }, "invalid: field evidence[0].hash: is empty or stands twice"},
		{func(s *citing) { s.A.Evidence = append(s.A.Evidence, s.A.Evidence[0]) }, "invalid: field evidence[1].hash: is empty or stands twice"},
		{func(s *citing) { s.A.Evidence = make([]fund.Citation, 21) }, "invalid: field evidence: holds 21 documents; 20 at most"},
		{func(s *citing) { s.Ctx = as("agent", s.Ctx) }, "forbidden: one of the staff of charity must sign"},
		{func(s *citing) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of charity must sign"},
		{func(s *citing) { s.A.Evidence = nil }, "invalid: field evidence: is empty"},
		{func(s *citing) { s.A.For = "mr. wang" }, `invalid: field for: is neither a payout nor an entry`},
		{func(s *citing) { s.A.For = "" }, `invalid: field for: is neither`},
		{func(s *citing) { s.Known[0] = true }, "exists: field evidence[0]: document 01"},
	})
}

type declaring struct {
	C       fund.Campaign
	A       fund.Declare
	Account tape.Account
	Head    tape.Head
	Source  tape.Source
	Ctx     tape.Context
}

// TestDeclare: whoever may settle by its own word may only where the campaign's
// rules let it; the tape's own command is refused there.
func TestDeclare(t *testing.T) {
	allowed := func() declaring {
		page := tape.Page{V: 1, ID: "cash", Account: speech, Count: 1, Total: cny(5_000)}
		return declaring{campaign(), fund.Declare{Account: speech, ID: "declare-1", Page: "cash"}, tape.Account{V: 1, ID: speech, Currency: "CNY", Custodian: custody, Organisation: "charity", Subject: fund.Subject},
			tape.Head{V: 1, Account: speech, Received: 100, Spent: 100}, tape.Source{Page: &page}, by("charity", "maker", "checker")}
	}
	ruletest.Refusals(t, allowed, func(s declaring) error {
		_, _, _, err := s.C.Declare(s.A, s.Account, s.Head, s.Source, s.Ctx)
		return err
	}, []row[declaring]{
		{func(s *declaring) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run charity:sunrise:speech; charity does"},
		{func(s *declaring) { s.Ctx.Role = "admin" }, "forbidden: charity (role admin) does not run charity:sunrise:speech"},
		{func(s *declaring) { s.A.Page = "charity/pay-1/0" }, "invalid: field page: is not an id"},
		{func(s *declaring) { s.Ctx.Subject = "" }, "forbidden: field page: charity:sunrise:speech is spent by the commands of fund; what no line of the bank shows settles there by Declare"},
		{func(s *declaring) { s.Source.Page = nil }, "not-found: field page: charity:sunrise:speech has no page or inflow cash"},
		{func(s *declaring) { s.Source.Settled = &tape.Settled{V: 1, N: 3} }, "wrong-state: field page: cash is settled already, by settlement 3"},
		{func(s *declaring) { s.Source.Settled = &tape.Settled{V: 1} }, "wrong-state: field page: page cash was split into cash.m and cash.u"},
		{func(s *declaring) {
			s.Source.Settled = &tape.Settled{V: 1, Withdrawn: "not-paid", Entry: "charity/w-1"}
		}, "wrong-state: field page: page cash was withdrawn by charity/w-1 (not-paid)"},
		{func(s *declaring) { s.Source.Page.Evidence = &tape.Evidence{Kind: "statement", Reference: "lines/1"} }, "invalid: field page: cash carries its own evidence; name no other"},
		{func(s *declaring) { s.Source.Processor = &tape.Processor{V: 1, ID: "file-1", Page: "cash"} }, "wrong-state: field page: page cash has the processor's file file-1"},
		{func(s *declaring) { s.Head.Received = money.Max }, "invalid: field page: the total is larger than"},
	})
	s := allowed()
	s.C.State = fund.Closed // what came late is carried with the rest
	head, settlement, entry, err := s.C.Declare(s.A, s.Account, s.Head, s.Source, s.Ctx)
	if err != nil || head.Declared != 5_000 || head.Given() != 100 || settlement.Evidence.Kind != tape.SelfDeclared || entry.Kind != "declare" || len(entry.Intents) != 2 {
		t.Errorf("what is declared: %+v, %+v, %+v, %v", head, settlement, entry, err)
	}
}
