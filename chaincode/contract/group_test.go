package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	orchard = tape.AccountID("coop:coop:coffee")
	tea     = tape.AccountID("coop:coop:tea")
)

var bankStaff = []tape.ID{"bank-maker", "bank-checker"}

// house is invented household n of a scheme, seat its person.
func house(scheme tape.AccountID, n int) tape.AccountID {
	name := strings.Split(string(scheme), ":")[2]
	return tape.AccountID("household:" + string(tape.PseudonymFrom(fmt.Sprint("invented ", name, n))) + ":" + name)
}

func seat(n int) tape.ID { return tape.ID(fmt.Sprint("farmer-", n)) }

func coffeeTerms() group.SchemeTerms {
	return group.SchemeTerms{CureDays: 30, DefaultDays: 30, ExclusionMonths: 24, GroupMonthsMax: 36, GroupSizeMax: 5, GroupSizeMin: 3, GuaranteeMonths: 24, Industry: "coffee",
		LivingFloor: cny(0), MemberMax: cny(60_000_00), MemberSharePartsPerMillion: 400_000, NoticeDays: []int32{1, 15}, OriginatorPartsPerMillion: 300_000,
		PoolingDays: 30, RefillDays: 90, Sequence: []int32{2, 2, 1}, StayDaysMax: 180, WindowDays: 30}
}

// longer are other terms.
func longer(days int32) group.SchemeTerms {
	terms := coffeeTerms()
	terms.WindowDays = days
	return terms
}

func openScheme(scheme tape.AccountID) group.OpenScheme {
	return group.OpenScheme{Account: scheme, Custodian: "outside:bank:coop", ID: tape.ID(strings.ReplaceAll("open-"+string(scheme), ":", "-")), Lenders: []string{"bank"}, Terms: coffeeTerms()}
}

// agreed signs a command about a scheme, which has no amount.
func (w *world) agreed(action string, scheme tape.AccountID, command any, persons ...tape.ID) string {
	return w.signed(action, scheme, money.Amount{}, command, persons...)
}

// schemeOf opens a scheme and admits households 1 to n, whose keys were registered once.
func (w *world) schemeOf(scheme tape.AccountID, n int) {
	w.Helper()
	open := openScheme(scheme)
	w.must("coop", "Group:OpenScheme", w.agreed("open-scheme", scheme, open, coopStaff...))
	w.must("bank", "Group:AcceptScheme", w.agreed("accept-scheme", scheme, group.AcceptScheme{Account: scheme, ID: "accept-" + open.ID, Proposal: "coop/" + string(open.ID)}, bankStaff...))
	for i := 1; i <= n; i++ {
		if w.keys[seat(i)] == nil {
			w.enlist(seat(i), party.DutyMember, "coop", "bank")
		}
		w.must("coop", "Group:Admit", w.agreed("admit", scheme, admit(scheme, i), coopStaff...))
	}
}

func admit(scheme tape.AccountID, n int) group.Admit {
	return group.Admit{Account: scheme, Adult: true, Capacity: true, Fingerprint: reference(100 + n), Household: house(scheme, n), ID: tape.ID(fmt.Sprintf("admit-%s-%d", string(scheme[10:]), n)), Person: seat(n)}
}

func formGroup(scheme tape.AccountID, id tape.ID, households ...int) group.FormGroup {
	a := group.Agreement{Expiry: "2028-12-31", Form: "joint-and-several", GroupMax: cny(100_000_00), GuaranteeMonths: 24, Lenders: []string{"bank"}, MemberMax: cny(60_000_00),
		MutualRecourse: true, Shares: group.EqualShares, Terms: 1, TextEn: party.Hash{1}, TextZh: party.Hash{2}}
	for _, n := range households {
		a.Members = append(a.Members, group.Share{Household: house(scheme, n)})
	}
	return group.FormGroup{Account: scheme, Agreement: a, Group: id, ID: "form-" + id}
}

// word is a household's signature for the agreement of a group.
func (w *world) word(scheme tape.AccountID, id tape.ID, n int, joining tape.AccountID, entry string) string {
	w.Helper()
	hash := record[group.Group](w, group.GroupKey(scheme, id)).AgreementHash
	c := group.SignGroup{Account: scheme, Agreement: hash, Group: id, Household: house(scheme, n), ID: tape.ID(fmt.Sprintf("%s-%s-%d", entry, id, n)), Joining: joining}
	return w.agreed("sign-group", scheme, c, seat(n))
}

// reviewed is a group that its households have signed and the cooperative has endorsed.
func (w *world) reviewed(scheme tape.AccountID, id tape.ID, households ...int) {
	w.Helper()
	w.formed(formGroup(scheme, id, households...), households...)
}

func (w *world) formed(c group.FormGroup, households ...int) {
	w.Helper()
	scheme, id := c.Account, c.Group
	w.must("coop", "Group:FormGroup", w.agreed("form-group", scheme, c, coopStaff...))
	for _, n := range households {
		w.must("insurer", "Group:SignGroup", w.word(scheme, id, n, "", "sign"))
	}
	w.must("coop", "Group:Endorse", w.agreed("endorse", scheme, group.Endorse{Account: scheme, Group: id, ID: "endorse-" + id}, coopStaff...))
}

// granted is the bank's yes to a group.
func (w *world) granted(scheme tape.AccountID, id tape.ID, entry tape.ID) string {
	return w.agreed("approve-group", scheme, group.ApproveGroup{Account: scheme, Group: id, ID: entry}, bankStaff...)
}

func (w *world) groupIs(state group.State, scheme tape.AccountID, id tape.ID) group.Group {
	w.Helper()
	g := record[group.Group](w, group.GroupKey(scheme, id))
	if g.State != state {
		w.Errorf("group %s is %s, want %s", id, g.State, state)
	}
	return g
}

// TestGroupsOfASeason takes a guarantee group from its draft to its end.
func TestGroupsOfASeason(t *testing.T) {
	w := newWorld(t)
	w.schemeOf(orchard, 6)
	if account := record[tape.Account](w, tape.AccountKey(orchard)); account.Subject != group.Subject || account.Organisation != "coop" {
		t.Errorf("the account of the scheme: %+v", account)
	}
	spend := tape.Spend{Account: orchard, ID: "spend-1", Payments: []tape.Payment{{Amount: cny(1), Line: "a", To: "coop:coop:books"}}}
	w.refused("forbidden: coop:coop:coffee is spent by the commands of settlement, not by those of tape", "coop", "Tape:Spend", w.signed("spend", orchard, cny(1), spend, coopStaff...))

	w.reviewed(orchard, "g1", 1, 2, 3, 4)
	w.groupIs(group.Review, orchard, "g1")
	w.must("bank", "Group:ApproveGroup", w.granted(orchard, "g1", "approve-g1"))
	g := w.groupIs(group.Active, orchard, "g1")
	if g.Effective != "2026-01-01" || len(g.Members) != 4 || g.Members[0].Signed.Custody != "own" {
		t.Errorf("the active group: %+v", g)
	}
	if in := record[group.Standing](w, group.StandingKey(reference(101))).Group; in == nil || in.Group != "g1" {
		t.Errorf("the standing: %+v", in)
	}
	w.refused("wrong-state: nobody of group g1 is overdue", "regulator", "Group:Freeze", group.Freeze{Account: orchard, Group: "g1", ID: "freeze-1"})

	exit := func(n int) string {
		return w.agreed("exit", orchard, group.Exit{Account: orchard, Group: "g1", Household: house(orchard, n), ID: tape.ID(fmt.Sprint("exit-", n))}, seat(n))
	}
	w.must("insurer", "Group:Exit", exit(4))
	w.groupIs(group.Active, orchard, "g1")
	expel := group.Expel{Account: orchard, Group: "g1", Household: house(orchard, 3), ID: "expel-1"}
	w.refused("forbidden: farmer-2 signs for", "charity", "Group:Expel", w.agreed("expel", orchard, expel, seat(1)))
	w.must("charity", "Group:Expel", w.agreed("expel", orchard, expel, seat(1), seat(2)))
	if g := w.groupIs(group.Frozen, orchard, "g1"); g.Below != "2026-01-01" || g.Cause.Reason != group.BelowMinimum {
		t.Errorf("the small group: %+v", g)
	}
	w.refused("wrong-state: 2 households live in group g1; it needs 3", "bank", "Group:Cure", group.Cure{Account: orchard, Group: "g1", ID: "cure-1"})

	refill := group.Refill{Account: orchard, Group: "g1", Household: house(orchard, 5), ID: "refill-1", Members: []group.Share{{Household: house(orchard, 1)}, {Household: house(orchard, 2)}, {Household: house(orchard, 5)}}}
	w.must("coop", "Group:Refill", w.agreed("refill", orchard, refill, coopStaff...))
	w.must("insurer", "Group:SignGroup", w.word(orchard, "g1", 5, house(orchard, 5), "join"))
	w.must("insurer", "Group:SignGroup", w.word(orchard, "g1", 1, house(orchard, 5), "join"))
	w.refused("wrong-state: 2 of 3 households have signed", "bank", "Group:ApproveGroup", w.granted(orchard, "g1", "approve-5"))
	w.must("insurer", "Group:SignGroup", w.word(orchard, "g1", 2, house(orchard, 5), "join"))
	w.must("bank", "Group:ApproveGroup", w.granted(orchard, "g1", "approve-5"))
	w.must("regulator", "Group:Cure", group.Cure{Account: orchard, Group: "g1", ID: "cure-1"})
	w.groupIs(group.Active, orchard, "g1")

	died := group.MemberDied{Account: orchard, Household: house(orchard, 2), ID: "died-1"}
	w.refused("forbidden: staff of two organisations attest a death", "coop", "Group:MemberDied", w.agreed("member-died", orchard, died, coopStaff...))
	w.must("coop", "Group:MemberDied", w.agreed("member-died", orchard, died, "coop-maker", "regulator-checker"))
	w.groupIs(group.Frozen, orchard, "g1")
	below := group.WindDown{Account: orchard, Group: "g1", ID: "wind-1", Reason: group.BelowMinimum}
	w.refused("early: field reason: group g1 is below its size since 2026-01-01 and may be refilled until 2026-04-01", "bank", "Group:WindDown", w.signedBare(below))
	w.Advance(92 * 24 * 3600e9)
	w.must("bank", "Group:WindDown", w.signedBare(below))
	w.must("charity", "Group:CloseGroup", group.CloseGroup{Account: orchard, Group: "g1", ID: "close-1"})
	w.groupIs(group.Closed, orchard, "g1")
	w.must("charity", "Group:Leave", w.agreed("leave", orchard, group.Leave{Account: orchard, Household: house(orchard, 1), ID: "leave-1"}, seat(1)))
}

// TestAHouseholdIsInOneGroup: in one of all schemes and lenders, by its fingerprint.
func TestAHouseholdIsInOneGroup(t *testing.T) {
	w := newWorld(t)
	w.schemeOf(orchard, 5)
	w.schemeOf(tea, 5)
	w.reviewed(orchard, "g1", 1, 2, 3)
	w.reviewed(tea, "t1", 3, 4, 5)
	w.must("bank", "Group:ApproveGroup", w.granted(orchard, "g1", "approve-coffee"))
	w.refused("forbidden: field group[0]: "+string(house(tea, 3))+" is in group g1 of coop:coop:coffee; a household is in one", "bank", "Group:ApproveGroup", w.granted(tea, "t1", "approve-tea"))
	w.refused("forbidden: field agreement.members[1]: "+string(house(orchard, 3))+" is in group g1 of coop:coop:coffee", "coop", "Group:FormGroup",
		w.agreed("form-group", orchard, formGroup(orchard, "g2", 4, 3, 5), coopStaff...))
	again := admit(orchard, 3)
	again.Household, again.ID = house(orchard, 9), "admit-again"
	w.refused("forbidden: field person: farmer-3 signs for another household", "coop", "Group:Admit", w.agreed("admit", orchard, again, coopStaff...))
	w.enlist(seat(9), party.DutyMember, "coop", "bank")
	again.Person = seat(9)
	w.refused("exists: field fingerprint: is that of "+string(house(orchard, 3)), "coop", "Group:Admit", w.agreed("admit", orchard, again, coopStaff...))
	w.must("bank", "Group:RejectGroup", w.agreed("reject-group", tea, group.RejectGroup{Account: tea, Group: "t1", ID: "reject-1", Reason: "ineligible"}, bankStaff...))
	w.groupIs(group.Rejected, tea, "t1")
}

// TestWhoMayNotGuarantee: kin, a supplier's controller, a sixth, another's
// signature, another agreement, a key that an agent holds.
func TestWhoMayNotGuarantee(t *testing.T) {
	w := newWorld(t)
	w.schemeOf(orchard, 6)
	w.must("coop", "Group:Relate", w.agreed("relate", orchard, group.Relate{Account: orchard, Household: house(orchard, 1), ID: "kin-1", Other: house(orchard, 2)}, coopStaff...))
	form := func(households ...int) string {
		return w.agreed("form-group", orchard, formGroup(orchard, "g1", households...), coopStaff...)
	}
	w.refused("forbidden: field agreement.members[1]: "+string(house(orchard, 2))+" and "+string(house(orchard, 1))+" are close kin, by entry coop/kin-1", "coop", "Group:FormGroup", form(1, 2, 3))
	w.refused("invalid: field agreement.members: has 6 households; a group has 3 to 5", "coop", "Group:FormGroup", form(1, 2, 3, 4, 5, 6))
	w.refused("not-found: field agreement.members[2]: "+string(house(orchard, 9))+" is not admitted", "coop", "Group:FormGroup", form(1, 3, 9))
	supplier := group.NameSupplier{Account: orchard, Categories: []string{"fertiliser"}, Controllers: []string{reference(104)}, ID: "name-1", Supplier: "outside:supplier:s1"}
	w.must("coop", "Group:NameSupplier", w.agreed("name-supplier", orchard, supplier, coopStaff...))
	w.refused("forbidden: field agreement.members[2]: "+string(house(orchard, 4))+" controls outside:supplier:s1", "coop", "Group:FormGroup", form(1, 3, 4))
	late := formGroup(orchard, "g1", 1, 3, 5)
	late.Agreement.Expiry = "2029-01-02"
	w.refused("invalid: field agreement.expiry: is 2029-01-02; a group ends after 36 months at most", "coop", "Group:FormGroup", w.agreed("form-group", orchard, late, coopStaff...))
	w.must("coop", "Group:FormGroup", form(1, 3, 5))
	supplier.ID, supplier.Withdraw = "name-2", true
	w.must("coop", "Group:NameSupplier", w.agreed("name-supplier", orchard, supplier, coopStaff...))
	twice := formGroup(orchard, "g1", 1, 3, 5)
	twice.ID = "form-again"
	w.refused("exists: group g1 exists already", "coop", "Group:FormGroup", w.agreed("form-group", orchard, twice, coopStaff...))

	hash := record[group.Group](w, group.GroupKey(orchard, "g1")).AgreementHash
	sign := group.SignGroup{Account: orchard, Agreement: hash, Group: "g1", Household: house(orchard, 1), ID: "sign-1"}
	w.refused("forbidden: farmer-1 signs for", "insurer", "Group:SignGroup", w.agreed("sign-group", orchard, sign, seat(3)))
	w.refused("forbidden: farmer-1 signs for", "insurer", "Group:SignGroup", w.signedBare(sign))
	w.refused("forbidden: field intents[0].signature: is not that of person farmer-1", "insurer", "Group:SignGroup",
		strings.Replace(w.agreed("sign-group", orchard, sign, seat(3)), `"person":"farmer-3"`, `"person":"farmer-1"`, 1))
	w.refused("forbidden: field intents[0].signature: is not that of person farmer-1", "insurer", "Group:SignGroup", w.agreed("endorse", orchard, sign, seat(1)))
	w.refused("early: field intents[0].person: bank registered the key of person farmer-1", "bank", "Group:SignGroup", w.agreed("sign-group", orchard, sign, seat(1)))
	wrong := sign
	wrong.Agreement = party.Hash{9}
	w.refused("conflict: field agreement: is another", "insurer", "Group:SignGroup", w.agreed("sign-group", orchard, wrong, seat(1)))

	w.held("h9", party.AgentHeld)
	w.must("coop", "Group:ReplaceSigner", w.agreed("replace-signer", orchard, group.ReplaceSigner{Account: orchard, Household: house(orchard, 1), ID: "replace-1", Person: "h9", Reason: "other-adult"}, coopStaff...))
	w.Advance(4 * 24 * 3600e9)
	w.refused("forbidden: the key of h9 is agent-held; a household binds itself by a key in its own hands, its own or on a card: bring one by Party:Rotate", "insurer", "Group:SignGroup",
		w.agreed("sign-group", orchard, sign, "h9"))
	w.groupIs(group.Draft, orchard, "g1")
}

// TestTermsWaitForTheLender: a group stands under the terms of its agreement.
func TestTermsWaitForTheLender(t *testing.T) {
	w := newWorld(t)
	w.must("coop", "Group:OpenScheme", w.agreed("open-scheme", orchard, openScheme(orchard), coopStaff...))
	w.refused("wrong-state: the terms of coop:coop:coffee wait for its lenders", "coop", "Group:FormGroup", w.agreed("form-group", orchard, formGroup(orchard, "g1", 1, 2, 3), coopStaff...))
	accept := group.AcceptScheme{Account: orchard, ID: "accept-1", Proposal: "coop/" + string(openScheme(orchard).ID)}
	w.must("bank", "Group:AcceptScheme", w.agreed("accept-scheme", orchard, accept, bankStaff...))
	other := coffeeTerms()
	other.GroupMonthsMax = 12
	amend := group.AmendScheme{Account: orchard, ID: "amend-1", Lenders: []string{"bank"}, Terms: other}
	w.must("coop", "Group:AmendScheme", w.agreed("amend-scheme", orchard, amend, coopStaff...))
	if s := record[group.Scheme](w, group.SchemeKey(orchard)); s.Version != 1 || s.Pending == nil {
		t.Errorf("while it waits: %+v", s)
	}
	accept.ID = "accept-2"
	w.refused("conflict: field proposal: is another", "bank", "Group:AcceptScheme", w.agreed("accept-scheme", orchard, accept, bankStaff...))
	accept.Proposal = "coop/amend-1"
	w.must("bank", "Group:AcceptScheme", w.agreed("accept-scheme", orchard, accept, bankStaff...))
	first, second := record[group.Terms](w, group.TermsKey(orchard, 1)), record[group.Terms](w, group.TermsKey(orchard, 2))
	if first.Terms.GroupMonthsMax != 36 || second.Terms.GroupMonthsMax != 12 {
		t.Errorf("the versions: %+v, %+v", first, second)
	}
	lender := openScheme(tea)
	lender.Lenders = []string{"bank", "insurer"}
	w.refused("not-found: field lenders[1]: insurer holds no power of a lender", "coop", "Group:OpenScheme", w.agreed("open-scheme", tea, lender, coopStaff...))
	strange := openScheme("coop:bank:tea")
	w.refused("invalid: field account: is not a scheme's; write coop:coop:<name>", "coop", "Group:OpenScheme", w.agreed("open-scheme", "coop:bank:tea", strange, coopStaff...))
}

// attempt is a command of the contract that somebody may carry.
type attempt struct {
	function, action string
	command          any
	// may are those who may carry it, "" for every gateway.
	may string
	// persons sign for households; staff of the caller where there are none.
	persons []tape.ID
}

// whoCarriesGroups: every command by every role of every organisation, with
// its own staff's signatures or the households', past the gateway.
func whoCarriesGroups(t *testing.T) {
	w := newWorld(t)
	w.schemeOf(orchard, 6)
	w.reviewed(orchard, "g1", 1, 2, 3)
	w.must("coop", "Group:AmendScheme", w.agreed("amend-scheme", orchard, group.AmendScheme{Account: orchard, ID: "amend-0", Lenders: []string{"bank"}, Terms: longer(60)}, coopStaff...))
	w.must("coop", "Group:FormGroup", w.agreed("form-group", orchard, formGroup(orchard, "g2", 4, 5, 6), coopStaff...))
	hash := record[group.Group](w, group.GroupKey(orchard, "g2")).AgreementHash
	w.enlist(seat(7), party.DutyMember, "coop", "bank")
	w.enlist(seat(8), party.DutyMember, "coop", "bank")
	w.Advance(31 * 24 * 3600e9) // then whoever registered a key may carry what it signs
	third := formGroup(orchard, "g3", 4, 5, 6)
	third.Agreement.Terms = 2 // once the bank has accepted them
	attempts := []attempt{
		{"OpenScheme", "open-scheme", openScheme(orchard + "-2"), "coop", nil},
		{"AcceptScheme", "accept-scheme", group.AcceptScheme{Account: orchard, ID: "accept-1", Proposal: "coop/amend-0"}, "bank", nil},
		{"AmendScheme", "amend-scheme", group.AmendScheme{Account: orchard, ID: "amend-1", Lenders: []string{"bank"}, Terms: longer(61)}, "coop", nil},
		{"NameSupplier", "name-supplier", group.NameSupplier{Account: orchard, Categories: []string{"seed"}, Controllers: []string{reference(150)}, ID: "name-1", Supplier: "outside:supplier:s1"}, "coop", nil},
		{"Relate", "relate", group.Relate{Account: orchard, Household: house(orchard, 1), ID: "kin-1", Other: house(orchard, 6)}, "coop", nil},
		{"Admit", "admit", admit(orchard, 8), "coop", nil},
		{"ReplaceSigner", "replace-signer", group.ReplaceSigner{Account: orchard, Household: house(orchard, 6), ID: "replace-1", Person: seat(7), Reason: "mistake"}, "coop", nil},
		{"FormGroup", "form-group", third, "coop", nil},
		{"SignGroup", "sign-group", group.SignGroup{Account: orchard, Agreement: hash, Group: "g2", Household: house(orchard, 4), ID: "sign-1"}, "", []tape.ID{seat(4)}},
		{"ApproveGroup", "approve-group", group.ApproveGroup{Account: orchard, Group: "g1", ID: "approve-1"}, "bank", nil},
		{"Refill", "refill", group.Refill{Account: orchard, Group: "g1", Household: house(orchard, 5), ID: "refill-1", Members: []group.Share{{Household: house(orchard, 1)}, {Household: house(orchard, 2)}, {Household: house(orchard, 3)}, {Household: house(orchard, 5)}}}, "coop", nil},
		{"MemberDied", "member-died", group.MemberDied{Account: orchard, Household: house(orchard, 6), ID: "died-1"}, "coop", []tape.ID{"coop-maker", "charity-maker"}},
		{"Exit", "exit", group.Exit{Account: orchard, Group: "g1", Household: house(orchard, 3), ID: "exit-1"}, "", []tape.ID{seat(3)}},
		{"Expel", "expel", group.Expel{Account: orchard, Group: "g1", Household: house(orchard, 2), ID: "expel-1"}, "", []tape.ID{seat(1)}},
		{"WindDown", "wind-down", group.WindDown{Account: orchard, Group: "g1", ID: "wind-1", Reason: group.Vote}, "", []tape.ID{seat(1)}},
		{"Leave", "leave", group.Leave{Account: orchard, Household: house(orchard, 5), ID: "leave-1"}, "", []tape.ID{seat(5)}},
	}
	for _, a := range attempts {
		w.onlyBy(a)
	}
	reject := group.RejectGroup{Account: orchard, Group: "g2", ID: "reject-1", Reason: "other"}
	w.refused("wrong-state: group g2 is signing; a lender rejects under review", "bank", "Group:RejectGroup", w.agreed("reject-group", orchard, reject, bankStaff...))
	w.everybody("Group:RejectGroup", []string{"coop", "bank"}, w.byStaff("reject-group", orchard, noAmount, reject))
	w.everybody("Group:Endorse", []string{"coop"}, w.byStaff("endorse", orchard, noAmount, group.Endorse{Account: orchard, Group: "g2", ID: "endorse-2"}))
	w.must("coop", "Group:RejectGroup", w.agreed("reject-group", orchard, reject, coopStaff...))
	for function, command := range map[string]any{"Freeze": group.Freeze{Account: orchard, Group: "g1", ID: "anyone"}, "Cure": group.Cure{Account: orchard, Group: "g1", ID: "anyone"}, "CloseGroup": group.CloseGroup{Account: orchard, Group: "g1", ID: "anyone"}} {
		w.everybody("Group:"+function, nil, always(command))
	}
}

// onlyBy tries a command by everybody who may not carry it, then by who may.
func (w *world) onlyBy(a attempt) {
	w.Helper()
	may := ""
	for _, organisation := range organisations {
		for _, role := range []string{"gateway", "auditor", "admin"} {
			as := organisation + ":" + role
			persons := a.persons
			if persons == nil {
				persons = []tape.ID{tape.ID(organisation + "-maker"), tape.ID(organisation + "-checker")}
			}
			argument := w.agreed(a.action, schemeOf(a.command), a.command, persons...)
			if role == "gateway" && (a.may == organisation || a.may == "") {
				w.probes(as, "Group:"+a.function, argument)
				may = as
				continue
			}
			w.refused("forbidden: ", as, "Group:"+a.function, argument)
		}
	}
	persons := a.persons
	if persons == nil {
		organisation, _, _ := strings.Cut(may, ":")
		persons = []tape.ID{tape.ID(organisation + "-maker"), tape.ID(organisation + "-checker")}
		w.refused("forbidden: ", may, "Group:"+a.function, w.agreed(a.action, schemeOf(a.command), a.command, persons[0]))
	}
	w.refused("forbidden: ", may, "Group:"+a.function, w.signedBare(a.command))
	w.must(may, "Group:"+a.function, w.agreed(a.action, schemeOf(a.command), a.command, persons...))
}

// schemeOf is the scheme that a command is about.
func schemeOf(command any) tape.AccountID {
	if open, is := command.(group.OpenScheme); is {
		return open.Account
	}
	return orchard
}
