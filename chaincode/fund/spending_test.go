package fund_test

import (
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

// The refusals of what spends money or gives goods, as in refusal_test.go.

type proposing struct {
	C   fund.Campaign
	A   fund.Propose
	B   fund.Budget
	Ctx tape.Context
}

func TestPropose(t *testing.T) {
	ruletest.Refusals(t, func() proposing {
		return proposing{campaign(), fund.Propose{Account: speech, Amount: cny(10_000), Chunks: 2, Count: 400, Evidence: []fund.Citation{{Hash: merkle.Hash{1}, Kind: "list"}}, Expires: noon + 366*tape.Day,
			ID: "d1", Line: "training", Root: merkle.Hash{1}}, budget(60_000), by("charity", "maker")}
	}, func(s proposing) error {
		_, _, err := s.C.Propose(s.A, s.B, s.Ctx)
		return err
	}, []row[proposing]{
		{func(s *proposing) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *proposing) { s.C.State = fund.Draft }, "wrong-state: the plan of charity:sunrise:speech waits for its filing number from regulator"},
		{func(s *proposing) { s.C.State, s.C.Plan.Emergency = fund.Draft, true }, "wrong-state: charity:sunrise:speech could spend without a filing number until 2025-12-11"},
		{func(s *proposing) { s.C.State, s.C.Plan.Emergency, s.C.Plan.From = fund.Draft, true, "2024-09-04" }, "unsupported: no version of the disclosure law is known for 2024-09-04"},
		{func(s *proposing) {
			s.C.State, s.C.Plan.Emergency, s.C.Plan.From, s.A.Line = fund.Draft, true, "2025-12-22", "office"
		}, "wrong-state: field line: office is for management; before its filing number"},
		{func(s *proposing) { s.C.State = fund.Closed }, "wrong-state: charity:sunrise:speech was closed on"},
		{func(s *proposing) { s.C.Plan.From = "2026-01-02" }, "early: charity:sunrise:speech begins on 2026-01-02"},
		{func(s *proposing) { s.A.ID = "" }, "invalid: field id"},
		{func(s *proposing) { s.A.ID = tape.ID(strings.Repeat("d", 57)) }, "invalid: field id: is 57 characters long"},
		{func(s *proposing) { s.A.Amount = cny(0) }, "invalid: field amount"},
		{func(s *proposing) { s.A.Amount = money.New(1, "USD") }, "invalid: field amount"},
		{func(s *proposing) { s.A.Chunks = 0 }, "invalid: field chunks: is 0"},
		{func(s *proposing) { s.A.Evidence[0].Kind = "" }, `invalid: field evidence[0].kind: is not one of`},
		{func(s *proposing) { s.A.Chunks, s.A.Count = 51, 51 }, "invalid: field chunks: 51 payments do not fill 51 chunks of 1 to 200; 50 chunks at most"},
		{func(s *proposing) { s.A.Count = 1 }, "invalid: field chunks: 1 payments do not fill 2 chunks"},
		{func(s *proposing) { s.A.Count = 401 }, "invalid: field chunks: 401 payments do not fill 2 chunks"},
		{func(s *proposing) { s.A.Expires = noon }, "invalid: field expires: 2026-01-01T04:00:00.000Z is not within 366 days"},
		{func(s *proposing) { s.A.Expires = noon + 366*tape.Day + 1 }, "invalid: field expires"},
		{func(s *proposing) { s.A.Line = "books" }, "not-found: field line: the plan of charity:sunrise:speech has no budget line books"},
		{func(s *proposing) { s.A.Amount = cny(10_001) }, "insufficient: field amount: line training has 100.00 CNY left of 700.00 CNY; 100.01 CNY was asked"},
		{func(s *proposing) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of charity proposes, the maker; 0 persons signed"},
		{func(s *proposing) { s.Ctx = as("member", s.Ctx) }, "forbidden: one of the staff of charity proposes, the maker; maker is member of charity, its key own"},
		{func(s *proposing) { s.Ctx = by("charity", "maker", "checker") }, "forbidden: one of the staff of charity proposes, the maker; 2 persons signed"},
		{func(s *proposing) { s.Ctx = by("charity", "maker@coop") }, "forbidden: one of the staff of charity proposes"},
	})
}

type listing struct {
	C     fund.Campaign
	A     fund.List
	D     fund.Disbursement
	Lines []fund.Line
	Ctx   tape.Context
}

func TestList(t *testing.T) {
	to := func(s *listing, id tape.AccountID, line fund.Line) {
		s.A.Lines[0].To, line.Payment = id, tape.Payment{To: id}
		s.Lines[0] = line
	}
	household := func() *fund.Payee {
		return &fund.Payee{Payee: family, Kind: fund.Household, Person: "h1", Agent: "agent"}
	}
	ruletest.Refusals(t, func() listing {
		payments := []tape.Payment{pay("a", 6_000, family), pay("b", 4_000, shop)}
		d, path := chunk("d1", "training", payments...)
		return listing{campaign(), fund.List{Account: speech, Disbursement: "d1", ID: "list-1", Lines: payments, Path: path}, d, []fund.Line{{Payment: payments[0], Payee: household()},
			{Payment: payments[1], Payee: &fund.Payee{Payee: shop, Kind: fund.Supplier}}}, by("charity")}
	}, func(s listing) error {
		listed, _, err := s.C.List(s.A, s.D, s.Lines, s.Ctx)
		if err == nil && (len(listed.Concerned) != 2 || listed.Concerned[0] != "agent" || listed.Concerned[1] != "h1" || listed.Total != cny(10_000)) {
			t.Errorf("the list: %+v", listed)
		}
		return err
	}, []row[listing]{
		{func(s *listing) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *listing) { s.C.State = fund.Draft }, "wrong-state: the plan of charity:sunrise:speech waits"},
		{func(s *listing) { s.C.Version = 2 }, "wrong-state: disbursement d1 was proposed under plan 1 of charity:sunrise:speech, which is at plan 2"},
		{func(s *listing) { s.A.Lines = nil }, "invalid: field lines: holds 0; 1 to 200 are possible"},
		{func(s *listing) { s.A.Lines = make([]tape.Payment, 201) }, "invalid: field lines: holds 201; 1 to 200 are possible"},
		{func(s *listing) { s.A.Lines[1].Origin = "charity/pay-1" }, "invalid: field lines[1].origin: a disbursement brings no money back"},
		{func(s *listing) { s.A.Lines[1].To = "a/b" }, `invalid: field lines[1].to: is not an account`},
		{func(s *listing) { s.A.Lines[1].To = speech }, "invalid: field lines[1].to: charity:sunrise:speech would pay itself"},
		{func(s *listing) { s.A.Lines[1].Line = "a" }, "invalid: field lines[1]: line a stands twice"},
		{func(s *listing) { s.A.Lines[1].Amount = money.New(4_000, "USD") }, "invalid: field lines[1].amount"},
		{func(s *listing) { s.A.Lines[1].Amount = cny(-1) }, "invalid: field lines[1].amount"},
		{func(s *listing) { s.A.Lines[1].OnBehalfOf = "x" }, "invalid: field lines[1].onBehalfOf"},
		{func(s *listing) { s.D.Line = "books" }, "wrong-state: the plan of charity:sunrise:speech has no budget line books any more; propose again"},
		{func(s *listing) { s.Lines[0].Payee = nil }, "not-found: field lines[0].to: outside:household:ddbbcoobeooegjmdolfcpojadccomibn is not enrolled in charity:sunrise:speech"},
		{func(s *listing) { s.Lines[0].Flag = flagOf("regulator") }, "forbidden: field lines[0].to: payouts to outside:household:ddbbcoobeooegjmdolfcpojadccomibn are stopped by a flag (device), by entry regulator/flag-1"},
		{func(s *listing) { s.Lines[1].Payee.Kind = fund.Staff }, "forbidden: field lines[1].to: outside:supplier:s1 is staff; line training is for the programme"},
		{func(s *listing) { s.D.Line = "office" }, "forbidden: field lines[0].to: outside:household:ddbbcoobeooegjmdolfcpojadccomibn is a household; line office is for management"},
		{func(s *listing) { to(s, school, fund.Line{}) }, "forbidden: field lines[0].to: partner:school:speech is no campaign"},
		{func(s *listing) { to(s, school, fund.Line{Campaign: &fund.Campaign{State: fund.Closed}}) }, "wrong-state: field lines[0].to: partner:school:speech is closed"},
		{func(s *listing) {
			to(s, school, fund.Line{Campaign: &fund.Campaign{Basis: fund.Grant, Parent: speech}})
		}, "forbidden: field lines[0].to: partner:school:speech is not invited"},
		{func(s *listing) {
			to(s, school, fund.Line{Campaign: &fund.Campaign{Basis: fund.Grant, Parent: children}, Invitation: &fund.Invitation{}})
		}, "forbidden: field lines[0].to: partner:school:speech is neither an invited partner's grant nor an earmark"},
		{func(s *listing) { to(s, children, fund.Line{Campaign: &fund.Campaign{Basis: fund.Filing}}) }, "forbidden: field lines[0].to: charity:sunrise:children is neither an invited partner's grant nor an earmark"},
		{func(s *listing) {
			to(s, children, fund.Line{Campaign: &fund.Campaign{Account: children, Basis: fund.Earmark, Parent: speech, Plan: plan()}})
		}, "forbidden: field lines[0].to: charity:sunrise:children also spends on line travel"},
		{func(s *listing) {
			to(s, school, fund.Line{Campaign: &fund.Campaign{Basis: fund.Grant, Parent: speech}, Invitation: &fund.Invitation{}})
			s.D.Line = "office"
		}, "forbidden: field lines[0].to: line office is for management; grants and earmarks are for the programme"},
		{func(s *listing) {
			to(s, school, fund.Line{Campaign: &fund.Campaign{Basis: fund.Grant, Parent: speech, Plan: fund.Plan{Purpose: text("A yacht")}}, Invitation: &fund.Invitation{}})
		}, "forbidden: field lines[0].to.purpose: is another than that of charity:sunrise:speech"},
		{func(s *listing) {
			to(s, school, fund.Line{Campaign: &fund.Campaign{Basis: fund.Grant, Parent: speech, Plan: plan()}, Invitation: &fund.Invitation{}})
			s.C.State, s.C.Plan.Emergency, s.C.Plan.From = fund.Draft, true, "2025-12-30"
		}, "wrong-state: field lines[0].to: before its filing number charity:sunrise:speech hands no money on"},
		{func(s *listing) { s.D.Maker.Person = "h1" }, "forbidden: field lines[0]: h1 proposed disbursement d1, and is paid by it or serves who is"},
		{func(s *listing) { s.D.Maker.Person = "agent" }, "forbidden: field lines[0]: agent proposed disbursement d1"},
		{func(s *listing) { s.A.N = 1 }, "conflict: field path: chunk 1 is not under the root of disbursement d1"},
		{func(s *listing) { s.A.N = -1 }, "conflict: field path: chunk -1 is not under the root"},
		{func(s *listing) { s.A.Lines[0].Amount.Units-- }, "conflict: field path: chunk 0 is not under the root"},
		{func(s *listing) { s.A.Lines[0].Line = "z" }, "conflict: field path: chunk 0 is not under the root"},
		{func(s *listing) { s.A.Path = []merkle.Node{{}} }, "conflict: field path: chunk 0 is not under the root"},
	})
}

type approving struct {
	C       fund.Campaign
	A       fund.Approve
	D       fund.Disbursement
	Listed  []*fund.Listed
	No      *fund.Rejected
	Already *fund.Approved
	Ctx     tape.Context
}

func TestApprove(t *testing.T) {
	ruletest.Refusals(t, func() approving {
		d, _ := chunk("d1", "training", pay("a", 6_000, family))
		return approving{campaign(), fund.Approve{Account: speech, Disbursement: "d1", ID: "approve-1"}, d, []*fund.Listed{{Count: 1, Concerned: []tape.ID{"h1"}, Total: cny(6_000)}}, nil, nil, by("coop", "checker")}
	}, func(s approving) error {
		_, _, err := s.C.Approve(s.A, s.D, s.Listed, s.No, s.Already, s.Ctx)
		return err
	}, []row[approving]{
		{func(s *approving) { s.Ctx.Role = "admin" }, `forbidden: approvals are carried by a gateway, not by the role "admin"`},
		{func(s *approving) { s.Ctx.Approvals = nil }, "invalid: one person signs an approval; 0 signed"},
		{func(s *approving) { s.Ctx = by("coop", "checker", "other") }, "invalid: one person signs an approval; 2 signed"},
		{func(s *approving) { s.Ctx = as("member", s.Ctx) }, "forbidden: staff approve; checker is member of coop, its key own"},
		{func(s *approving) { s.Ctx = as("agent", s.Ctx) }, "forbidden: staff approve; checker is agent of coop, its key own"},
		{func(s *approving) { s.Ctx.Approvals[0].Custody = "agent-held" }, "forbidden: staff approve; checker is staff of coop, its key agent-held"},
		{func(s *approving) { s.Ctx = by("charity", "maker") }, "forbidden: maker proposed disbursement d1; another person must approve it"},
		{func(s *approving) { s.Already = &fund.Approved{Entry: "coop/a"} }, "exists: checker has approved disbursement d1, by entry coop/a"},
		{func(s *approving) { s.C.State = fund.Closed }, "wrong-state: charity:sunrise:speech was closed on"},
		{func(s *approving) { s.No = &fund.Rejected{Reason: "budget", Entry: "charity/r"} }, "wrong-state: disbursement d1 was rejected (budget), by entry charity/r"},
		{func(s *approving) { s.C.Version = 2 }, "wrong-state: disbursement d1 was proposed under plan 1"},
		{func(s *approving) { s.Listed[0] = nil }, "wrong-state: chunk 0 of disbursement d1 is not listed yet; nobody approves what it has not seen"},
		{func(s *approving) { s.Listed[0].Count = 2 }, "conflict: disbursement d1 lists 2 payments, 1 were proposed"},
		{func(s *approving) { s.Ctx = by("coop", "h1") }, "forbidden: h1 is paid by chunk 0 of disbursement d1 or serves who is"},
		{func(s *approving) { s.Listed[0].Partners = []string{"bank", "coop"} }, "forbidden: chunk 0 of disbursement d1 pays an account of coop; staff of another organisation must approve it"},
	})
}

type rejecting struct {
	C       fund.Campaign
	A       fund.Reject
	D       fund.Disbursement
	No      *fund.Rejected
	Ordered *fund.Mark
	Ctx     tape.Context
}

func TestReject(t *testing.T) {
	ruletest.Refusals(t, func() rejecting {
		d, _ := chunk("d1", "training", pay("a", 6_000, family))
		return rejecting{campaign(), fund.Reject{Account: speech, Disbursement: "d1", ID: "no-1", Reason: "withdrawn"}, d, nil, nil, by("charity", "maker")}
	}, func(s rejecting) error {
		_, _, err := s.C.Reject(s.A, s.D, s.No, s.Ordered, s.Ctx)
		return err
	}, []row[rejecting]{
		{func(s *rejecting) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *rejecting) { s.A.Reason = "mood" }, `invalid: field reason: is not one of withdrawn,`},
		{func(s *rejecting) { s.No = &fund.Rejected{Reason: "budget", Entry: "charity/r"} }, "wrong-state: disbursement d1 was rejected (budget)"},
		{func(s *rejecting) { s.Ordered = &fund.Mark{Entry: "charity/o"} }, "wrong-state: disbursement d1 was ordered, by entry charity/o"},
		{func(s *rejecting) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of charity rejects; 0 persons signed"},
		{func(s *rejecting) { s.Ctx = by("charity", "maker@coop") }, "forbidden: one of the staff of charity rejects; maker is staff of coop, its key own"},
		{func(s *rejecting) { s.Ctx = as("member", s.Ctx) }, "forbidden: one of the staff of charity rejects; maker is member of charity"},
		{func(s *rejecting) { s.A.Reason = "budget" }, "invalid: field reason: is budget; its maker maker withdraws"},
		{func(s *rejecting) { s.Ctx = by("charity", "checker") }, "invalid: field reason: is withdrawn; its maker maker withdraws"},
	})
}

type ordering struct {
	C    fund.Campaign
	A    fund.Order
	S    fund.OrderState
	Acc  tape.Account
	Head tape.Head
	Ctx  tape.Context
}

func inForce(id tape.ID) *party.Person {
	return &party.Person{V: 1, ID: id, Organisation: "charity", Key: party.Key{Duty: party.DutyStaff, Witness: "coop"}}
}

func TestOrder(t *testing.T) {
	for _, line := range []tape.ID{"training", "office"} {
		ruletest.Refusals(t, func() ordering {
			d, _ := chunk("d1", line, pay("a", 1_000, shop))
			return ordering{campaign(), fund.Order{Account: speech, Approvers: []tape.ID{"checker"}, Disbursement: "d1", ID: "order-1"}, fund.OrderState{Disbursement: d,
				Approved: []*fund.Approved{{Approval: tape.Approval{Person: "checker", Organisation: "charity", Custody: "own", Duty: "staff"}}}, Persons: []*party.Person{inForce("maker"), inForce("checker")}, Budget: budget(60_000, 0, 500),
				Policy: party.DefaultPolicy(party.Threshold{Amount: cny(1_000), Organisations: 2}).Approval},
				tape.Account{ID: speech, Organisation: "charity", Currency: "CNY", Subject: "fund"}, tape.Head{V: 1, Account: speech, Received: 70_000, Spent: 60_500}, by("charity")}
		}, func(s ordering) error {
			_, _, err := s.C.Order(s.A, s.S, s.Acc, s.Head, s.Ctx)
			return err
		}, append(orderRefusals(), map[tape.ID][]row[ordering]{
			"training": {{func(s *ordering) { s.S.Budget = budget(69_001) }, "insufficient: line training has 9.99 CNY left of 700.00 CNY; 10.00 CNY was asked"}},
			"office": {{func(s *ordering) { s.C.Plan.ManagementPartsPerMillion = 21_428 }, "insufficient: management costs would come to 15.00 CNY; the cap is 14.99 CNY, 21428 parts per million of 700.00 CNY received"},
				{func(s *ordering) { s.Head.Received, s.Head.Spent, s.S.Budget = 14_999, 0, budget(0, 0, 500) }, "insufficient: management costs would come to 15.00 CNY; the cap is 14.99 CNY"},
				{func(s *ordering) { s.S.Budget.Carried = 55_001 }, "insufficient: management costs would come to 15.00 CNY; the cap is 14.99 CNY"},
				{func(s *ordering) { s.Head.Withdrawn = 55_001 }, "insufficient: management costs would come to 15.00 CNY; the cap is 14.99 CNY"},
				{func(s *ordering) { s.Head.Declared = 55_001 }, "insufficient: management costs would come to 15.00 CNY; the cap is 14.99 CNY"},
				{func(s *ordering) { s.Head.Declared, s.Head.Withdrawn, s.S.Budget.Carried = 40_000, 10_000, 20_001 }, "insufficient: management costs would come to 15.00 CNY; the cap is 0.00 CNY"},
				{func(s *ordering) { s.C.State, s.C.Plan.Emergency, s.C.Plan.From = fund.Draft, true, "2025-12-30" }, "wrong-state: field line: office is for management; before its filing number"}},
		}[line]...))
	}
}

func orderRefusals() []row[ordering] {
	return []row[ordering]{
		{func(s *ordering) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *ordering) { s.A.Approvers = nil }, "invalid: field approvers: names 0; 1 to 16 are possible"},
		{func(s *ordering) { s.A.Approvers = make([]tape.ID, 17) }, "invalid: field approvers: names 17; 1 to 16 are possible"},
		{func(s *ordering) { s.A.Approvers[0] = "a/b" }, `invalid: field approvers[0]: is not an id`},
		{func(s *ordering) { s.A.Approvers = []tape.ID{"checker", "checker"} }, "invalid: field approvers[1]: checker stands twice"},
		{func(s *ordering) { s.C.State = fund.Closed }, "wrong-state: charity:sunrise:speech was closed on"},
		{func(s *ordering) { s.C.Plan.From = "2026-02-01" }, "early: charity:sunrise:speech begins on 2026-02-01"},
		{func(s *ordering) { s.S.Rejected = &fund.Rejected{Reason: "budget"} }, "wrong-state: disbursement d1 was rejected (budget)"},
		{func(s *ordering) { s.C.Version = 2 }, "wrong-state: disbursement d1 was proposed under plan 1"},
		{func(s *ordering) { s.S.Ordered = &fund.Mark{Entry: "charity/o"} }, "wrong-state: disbursement d1 was ordered, by entry charity/o"},
		{func(s *ordering) { s.S.Approved[0] = nil }, "not-found: field approvers[0]: checker has not approved disbursement d1"},
		{func(s *ordering) { s.S.Persons[1] = nil }, "not-found: there is no person checker"},
		{func(s *ordering) { s.S.Persons[0].Revoked = noon }, "wrong-state: person maker is revoked"},
		{func(s *ordering) { s.S.Persons[1].Key.Suspended = noon }, "wrong-state: the key of person checker is suspended"},
		{func(s *ordering) { s.S.Approved[0].Approval.Duty = "member" }, "forbidden: 2 different persons of the staff must sign, maker and checker; 1 did"},
		{func(s *ordering) { s.S.Persons[1].Key.Duty = party.DutyAgent }, "forbidden: checker is agent now; staff decide on disbursement d1"},
		{func(s *ordering) { s.S.Approved[0].Approval.Person = "maker" }, "forbidden: 2 different persons of the staff must sign, maker and checker; 1 did"},
		{func(s *ordering) {
			s.S.Policy = party.DefaultPolicy(party.Threshold{Amount: cny(999), Organisations: 2}).Approval
		}, "forbidden: 10.00 CNY is above 9.99 CNY: staff of 2 different organisations must sign; those of 1 did"},
		{func(s *ordering) { s.S.Disbursement.Line = "books" }, "wrong-state: the plan of charity:sunrise:speech has no budget line books any more"},
		{func(s *ordering) { s.Acc.Subject = "" }, "forbidden: charity:sunrise:speech is spent by the commands of tape"},
		{func(s *ordering) { s.S.Disbursement.Expires = noon }, "invalid: field expires"},
		{func(s *ordering) { s.Head.Spent = 69_001; s.S.Budget = budget(69_000, 0, 0) }, "insufficient: charity:sunrise:speech can spend 9.99 CNY; 10.00 CNY was asked"},
	}
}

type restoring struct {
	C     fund.Campaign
	A     fund.Restore
	D     fund.Disbursement
	Hold  tape.Hold
	Chunk *tape.Chunk
	Known *fund.Restored
	Ctx   tape.Context
}

func TestPayAndRestore(t *testing.T) {
	d, _ := chunk("d1", "training", pay("a", 100, family))
	lines := []fund.Line{{Payment: pay("a", 100, family), Payee: &fund.Payee{Payee: family, Kind: fund.Household}, Flag: flagOf("charity")}}
	if err := campaign().Pay(d, lines, by("charity")); err == nil || !strings.HasPrefix(err.Error(), "forbidden: field lines[0].to: payouts to outside:household:ddbbcoobeooegjmdolfcpojadccomibn are stopped") {
		t.Errorf("a flag that came later: %v", err)
	}
	lines[0].Flag.Raised = nil
	if err := campaign().Pay(d, lines, by("charity")); err != nil {
		t.Error(err)
	}
	if err := campaign().Pay(d, lines, by("coop")); err == nil {
		t.Error("another organisation pays")
	}
	reclaimed := func() restoring {
		return restoring{campaign(), fund.Restore{Account: speech, Disbursement: "d1", Hold: "d1.0.0", ID: "restore-1"}, d,
			tape.Hold{ID: "d1.0.0", Amount: cny(100), Captured: tape.Spans{{Start: 0, End: 60}}, State: tape.HoldReclaimed, Entry: "charity/pay-1"}, &tape.Chunk{Entry: "charity/pay-1"}, nil, by("charity")}
	}
	judge := func(s restoring) (int64, error) {
		b, restored, _, err := s.C.Restore(s.A, s.D, s.Hold, s.Chunk, s.Known, budget(100), s.Ctx)
		if err == nil && s.Known == nil && restored.Units != 100-b.Lines[0].Units {
			t.Errorf("restored %+v, the budget %+v", restored, b)
		}
		return 100 - b.Lines[0].Units, err
	}
	ruletest.Refusals(t, reclaimed, func(s restoring) error { _, err := judge(s); return err }, []row[restoring]{
		{func(s *restoring) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *restoring) { s.A.Index = 1 }, "conflict: field hold: d1.0.0 is not payment 1 of chunk 0 of disbursement d1"},
		{func(s *restoring) { s.Chunk = nil }, "conflict: field hold: d1.0.0 is not payment 0 of chunk 0"},
		{func(s *restoring) { s.Hold.Entry = "charity/refund-1" }, "conflict: field hold: d1.0.0 is not payment 0 of chunk 0"},
		{func(s *restoring) { s.Known = &fund.Restored{Units: 40, Entry: "charity/r"} }, "wrong-state: field hold: d1.0.0 was restored, by entry charity/r"},
		{func(s *restoring) { s.Hold.State = tape.HoldOpen }, "wrong-state: field hold: d1.0.0 is open and nothing of it came back"},
		{func(s *restoring) { s.Hold.State = tape.HoldReleased }, "wrong-state: field hold: d1.0.0 is released and nothing of it came back"},
		{func(s *restoring) { s.Hold.State, s.Hold.Captured[0].End = tape.HoldCaptured, 100 }, "wrong-state: field hold: d1.0.0 is captured and nothing of it came back"},
	})
	for _, c := range []struct {
		change func(*restoring)
		units  int64 // given back to the line
	}{
		{func(*restoring) {}, 40},
		{func(s *restoring) {
			s.Hold.State, s.Hold.Returned = tape.HoldReleased, tape.Spans{{Start: 0, End: 10}}
		}, 10},
		{func(s *restoring) { s.Hold.Returned = tape.Spans{{Start: 0, End: 10}} }, 50},
		{func(s *restoring) { s.Hold.Returned, s.Hold.State = tape.Spans{{Start: 0, End: 60}}, tape.HoldCaptured }, 60},
		{func(s *restoring) {
			s.Hold.Returned, s.Known = tape.Spans{{Start: 0, End: 60}}, &fund.Restored{Units: 40}
		}, 60},
	} {
		s := reclaimed()
		c.change(&s)
		if units, err := judge(s); err != nil || units != c.units {
			t.Errorf("%+v: %d came back, %d expected; %v", s.Hold, units, c.units, err)
		}
	}
}

// TestComesHome: what a grant brings home is given back to the lines that paid
// it, in proportion, and nothing to a line that has it back.
func TestComesHome(t *testing.T) {
	none := []int64(nil)
	for _, c := range []struct {
		name   string
		paid   []int64 // on training and travel, less what came home before; nil for nothing
		amount int64
		// What is ordered on both lines afterwards, and what is still to come.
		ordered, left []int64
	}{
		{"all of it", []int64{100, 50}, 150, []int64{900, 450}, []int64{0, 0}},
		{"a part", []int64{100, 50}, 60, []int64{960, 480}, []int64{60, 30}},
		{"a unit goes to the larger remainder", []int64{100, 50}, 1, []int64{999, 500}, []int64{99, 50}},
		{"equal remainders: to the line that paid first", []int64{50, 50}, 1, []int64{999, 500}, []int64{49, 50}},
		{"never more than a line paid", []int64{1, 499}, 499, []int64{999, 2}, []int64{0, 1}},
		{"more than was paid stays on no line", []int64{100, 50}, 151, []int64{900, 450}, []int64{0, 0}},
		{"a line that has it back", []int64{0, 50}, 20, []int64{1000, 480}, []int64{0, 30}},
		{"all came home before", []int64{0, 0}, 20, []int64{1000, 500}, none},
		{"nothing was paid", none, 20, []int64{1000, 500}, none},
	} {
		var granted *fund.Granted
		if c.paid != nil {
			granted = &fund.Granted{V: 1, Lines: []fund.Ordered{{Line: "training", Units: c.paid[0]}, {Line: "travel", Units: c.paid[1]}}}
		}
		before := budget(1000, 500, 70)
		given := spelled(t, []any{before, granted})
		after, left, err := before.Carry(cny(c.amount), granted)
		if err != nil {
			t.Fatal(err)
		}
		if still := spelled(t, []any{before, granted}); still != given {
			t.Errorf("%s: the rule changed what it was given: %s, %s", c.name, given, still)
		}
		stays := none
		if left != nil {
			stays = []int64{left.Lines[0].Units, left.Lines[1].Units}
		}
		if ordered := []int64{after.Lines[0].Units, after.Lines[1].Units}; !slices.Equal(ordered, c.ordered) || !slices.Equal(stays, c.left) || after.Lines[2].Units != 70 || after.Carried != c.amount {
			t.Errorf("%s: ordered %v, still to come %v, %+v; want %v, %v", c.name, ordered, stays, after, c.ordered, c.left)
		}
	}
	d, _ := chunk("d1", "training", pay("a", 100, school))
	granted := d.Grant(school, []tape.Payment{pay("a", 100, school), pay("b", 30, family), pay("c", 20, school)}, nil)
	d.Line = "travel"
	again := d.Grant(school, []tape.Payment{pay("a", 7, school)}, &granted)
	if got := spelled(t, []any{granted, again}); got != `[{"v":1,"lines":[{"line":"training","units":"120"}]},{"v":1,"lines":[{"line":"training","units":"120"},{"line":"travel","units":"7"}]}]` {
		t.Errorf("what was paid: %s", got)
	}
}

type publishing struct {
	C    fund.Campaign
	A    fund.Publish
	Last *fund.Publications
	Head tape.Head
	Ctx  tape.Context
}

func TestPublish(t *testing.T) {
	ruletest.Refusals(t, func() publishing {
		return publishing{campaign(), fund.Publish{Account: speech, Block: 7, Document: merkle.Hash{1}, Duty: "progress", From: "2025-12-01", ID: "pub-2", N: 2, To: "2026-01-01",
			Figures: fund.Figures{Raised: cny(100), Settled: cny(90), Ordered: cny(80), Paid: cny(70), Confirmed: cny(60), Management: cny(8)}}, &fund.Publications{V: 1, N: 1, Block: 5}, tape.Head{Received: 90}, by("charity", "maker")}
	}, func(s publishing) error {
		_, _, _, err := s.C.Publish(s.A, s.Last, s.Head, s.Ctx)
		return err
	}, []row[publishing]{
		{func(s *publishing) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *publishing) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of charity must sign"},
		{func(s *publishing) { s.A.Duty = "filing" }, `invalid: field duty: is not one of emergency, progress`},
		{func(s *publishing) { s.A.From = "2025-13-01" }, `invalid: field from: is not a date`},
		{func(s *publishing) { s.A.To = "2026-02-30" }, `invalid: field to: is not a date`},
		{func(s *publishing) { s.A.To = "2026-01-02" }, "invalid: field to: 2025-12-01 to 2026-01-02 is not a period that has passed on 2026-01-01"},
		{func(s *publishing) { s.A.To = "2025-11-30" }, "invalid: field to: 2025-12-01 to 2025-11-30 is not a period"},
		{func(s *publishing) { s.A.Block = -1 }, "conflict: field block: is -1; the publication before counts the blocks up to 5"},
		{func(s *publishing) { s.A.Block = 4 }, "conflict: field block: is 4; the publication before counts the blocks up to 5"},
		{func(s *publishing) { s.A.Block, s.A.N, s.Last = -1, 1, nil }, "conflict: field block: is -1; the publication before counts the blocks up to 0"},
		{func(s *publishing) { s.A.Figures.Raised = cny(-1) }, "invalid: field figures.raised: -0.01 CNY is not an amount in CNY from zero"},
		{func(s *publishing) { s.A.Figures.Settled = cny(101) }, "invalid: field figures.settled: 1.01 CNY is not an amount in CNY from zero to 1.00 CNY"},
		{func(s *publishing) { s.A.Figures.Ordered = cny(91) }, "invalid: field figures.ordered"},
		{func(s *publishing) { s.A.Figures.Paid = cny(81) }, "invalid: field figures.paid"},
		{func(s *publishing) { s.A.Figures.Confirmed = cny(71) }, "invalid: field figures.confirmed"},
		{func(s *publishing) { s.A.Figures.Management = cny(81) }, "invalid: field figures.management"},
		{func(s *publishing) { s.A.Figures.Paid = money.New(70, "USD") }, "invalid: field figures.paid"},
		{func(s *publishing) { s.A.N = 1 }, "conflict: field n: is 1; the next publication of charity:sunrise:speech is number 2"},
		{func(s *publishing) { s.Last = nil }, "conflict: field n: is 2; the next publication of charity:sunrise:speech is number 1"},
		{func(s *publishing) { s.Head.Received = 89 }, "conflict: field figures.settled: is 0.90 CNY; the account has received 0.89 CNY"},
		{func(s *publishing) { s.A.Document = merkle.Hash{} }, "invalid: field document: is empty"},
	})
}

type inKind struct {
	C      fund.Campaign
	Pledge fund.RecordPledge
	Settle fund.SettlePledge
	P      fund.Pledge
	Gift   *tape.Gift
	Kept   *fund.Mark
	Goods  fund.ReceiveGoods
	Give   fund.GiveGoods
	G      fund.Goods
	Line   fund.Line
	Ctx    tape.Context
}

// toPartner gives the goods to a partner's grant of an organisation.
func (s inKind) toPartner(organisation string) inKind {
	grant := campaign()
	grant.Account, grant.Organisation, grant.Basis, grant.Parent = school, organisation, fund.Grant, speech
	s.Give.To = school
	s.Line = fund.Line{Payment: tape.Payment{To: school}, Campaign: &grant, Invitation: &fund.Invitation{V: 1, Partner: school, Organisation: organisation}}
	return s
}

func given() inKind {
	return inKind{campaign(), fund.RecordPledge{Account: speech, Amount: cny(100), Due: "2026-02-28", ID: "p1"}, fund.SettlePledge{Account: speech, Gift: &tape.GiftProof{Page: "page-1"}, ID: "kept-1", Pledge: "p1"},
		fund.Pledge{ID: "p1", Amount: cny(100), State: "open"}, &tape.Gift{ID: "gift-1", Amount: cny(100)}, nil, fund.ReceiveGoods{Account: speech, ID: "rice", Item: "rice", Quantity: 500, Unit: "kg"},
		fund.GiveGoods{Account: speech, Goods: "rice", ID: "give-1", Quantity: 100, To: family}, fund.Goods{ID: "rice", Item: "rice", Unit: "kg", Quantity: 500, Given: 400},
		fund.Line{Payment: tape.Payment{Amount: cny(0), To: family}, Payee: &fund.Payee{Payee: family, Kind: fund.Household}}, by("charity", "maker", "checker")}
}

func TestPledgesAndGoods(t *testing.T) {
	ruletest.Refusals(t, given, func(s inKind) error { _, _, err := s.C.RecordPledge(s.Pledge, s.Ctx); return err }, []row[inKind]{
		{func(s *inKind) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *inKind) { s.C.State = fund.Closed }, "wrong-state: charity:sunrise:speech was closed on"},
		{func(s *inKind) { s.Pledge.Amount = cny(0) }, "invalid: field amount"},
		{func(s *inKind) { s.Pledge.Donor = "Mr Wang" }, "invalid: field donor"},
		{func(s *inKind) { s.Pledge.Due = "2025-12-31" }, "invalid: field due: is 2025-12-31, before 2026-01-01, when it is promised"},
		{func(s *inKind) { s.Pledge.Due = "2026-02-29" }, `invalid: field due: is not a date`},
	})
	ruletest.Refusals(t, given, func(s inKind) error { _, _, err := s.C.SettlePledge(s.Settle, s.P, s.Gift, s.Kept, s.Ctx); return err }, []row[inKind]{
		{func(s *inKind) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *inKind) { s.P.State = "kept" }, "wrong-state: pledge p1 is kept"},
		{func(s *inKind) { s.Kept = &fund.Mark{Entry: "charity/kept-0"} }, "wrong-state: field gift: gift gift-1 has kept a pledge, by entry charity/kept-0"},
		{func(s *inKind) { s.Gift.Amount = cny(99) }, "conflict: field gift: gift gift-1 is of 0.99 CNY, the pledge of 1.00 CNY"},
	})
	ruletest.Refusals(t, given, func(s inKind) error { _, _, err := s.C.ReceiveGoods(s.Goods, s.Ctx); return err }, []row[inKind]{
		{func(s *inKind) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *inKind) { s.C.State = fund.Closed }, "wrong-state: charity:sunrise:speech was closed on"},
		{func(s *inKind) { s.Goods.Donor = "x" }, "invalid: field donor"},
		{func(s *inKind) { s.Goods.Item = "" }, "invalid: field item: is empty"},
		{func(s *inKind) { s.Goods.Item = strings.Repeat("米", 61) }, "invalid: field item: has 61 characters; 60 at most"},
		{func(s *inKind) { s.Goods.Unit = " kg" }, "invalid: field unit: begins or ends with a space"},
		{func(s *inKind) { s.Goods.Quantity = 0 }, "invalid: field quantity: 0 is not 1 to 1000000000 kg"},
		{func(s *inKind) { s.Goods.Quantity = 1_000_000_001 }, "invalid: field quantity: 1000000001 is not 1 to"},
		{func(s *inKind) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of charity must sign"},
	})
	for _, quantity := range []int64{1, fund.QuantityMax} {
		s := given()
		s.Goods.Quantity = quantity
		if _, _, err := s.C.ReceiveGoods(s.Goods, s.Ctx); err != nil {
			t.Error(err)
		}
	}
	ruletest.Refusals(t, given, func(s inKind) error { _, _, err := s.C.GiveGoods(s.Give, s.G, s.Line, s.Ctx); return err }, []row[inKind]{
		{func(s *inKind) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not run"},
		{func(s *inKind) { s.C.State = fund.Draft }, "wrong-state: the plan of charity:sunrise:speech waits for its filing number"},
		{func(s *inKind) { s.Give.Evidence = make([]fund.Citation, 21) }, "invalid: field evidence: holds 21 documents"},
		{func(s *inKind) { s.Line.Payee = nil }, "not-found: field to: outside:household:ddbbcoobeooegjmdolfcpojadccomibn is not enrolled"},
		{func(s *inKind) { s.Line.Payee.Kind = fund.Staff }, "forbidden: field to: outside:household:ddbbcoobeooegjmdolfcpojadccomibn is staff; line goods is for the programme"},
		{func(s *inKind) { s.Line.Flag = flagOf("regulator") }, "forbidden: field to: payouts to outside:household:ddbbcoobeooegjmdolfcpojadccomibn are stopped by a flag"},
		{func(s *inKind) { s.Line.Payee.Person = "checker" }, "forbidden: field to: who gives goods neither gets them nor serves outside:household:ddbbcoobeooegjmdolfcpojadccomibn"},
		{func(s *inKind) { s.Line.Payee.Agent = "maker" }, "forbidden: field to: who gives goods neither gets them"},
		{func(s *inKind) { s.C.Plan.From = "2026-01-02" }, "early: charity:sunrise:speech begins on 2026-01-02"},
		{func(s *inKind) { *s = s.toPartner("school"); s.Line.Invitation = nil }, "forbidden: field to: partner:school:speech is not invited to charity:sunrise:speech"},
		{func(s *inKind) { *s = s.toPartner("school"); s.Line.Invitation.Withdrawn = true }, "forbidden: field to: partner:school:speech is not invited"},
		{func(s *inKind) { *s = s.toPartner("school"); s.Line.Campaign.State = fund.Closed }, "wrong-state: field to: partner:school:speech is closed"},
		{func(s *inKind) { *s = s.toPartner("school"); s.Line.Campaign = nil }, "forbidden: field to: partner:school:speech is no campaign"},
		{func(s *inKind) { *s = s.toPartner("school"); s.Ctx = by("charity", "maker", "head@school") }, "forbidden: field to: partner:school:speech is an account of school; staff of another organisation give it goods"},
		{func(s *inKind) { s.Line.Payee.Next = &fund.NextPerson{Person: "maker"} }, "forbidden: field to: who gives goods neither gets them"},
		{func(s *inKind) { s.Give.Quantity = 101 }, "insufficient: field quantity: 100 kg of rice are left; 101 were asked"},
		{func(s *inKind) { s.Give.Quantity = 0 }, "insufficient: field quantity: 100 kg of rice are left; 0 were asked"},
	})
}
