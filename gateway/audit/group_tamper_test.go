package audit_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func schemeTerms() group.SchemeTerms {
	return group.SchemeTerms{CureDays: 30, DefaultDays: 30, GroupMonthsMax: 36, GroupSizeMax: 5, GroupSizeMin: 3, GuaranteeMonths: 24, LivingFloor: cny(0), MemberMax: cny(60_000_00),
		MemberSharePartsPerMillion: 400_000, NoticeDays: []int32{1, 15}, PoolingDays: 30, RefillDays: 90, WindowDays: 30}
}

func houseOf(n int) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(fmt.Sprint("invented ", n))) + ":coffee")
}

func fingerprintOf(n int) string {
	return base64.RawURLEncoding.EncodeToString(append(make([]byte, 15), byte(n)))
}

func (v *village) agree(as, action string, command any, persons ...tape.ID) {
	v.t.Helper()
	functions := map[string]string{"open-scheme": "OpenScheme", "accept-scheme": "AcceptScheme", "admit": "Admit", "relate": "Relate", "name-supplier": "NameSupplier", "form-group": "FormGroup",
		"sign-group": "SignGroup", "endorse": "Endorse", "approve-group": "ApproveGroup", "exit": "Exit", "refill": "Refill", "wind-down": "WindDown", "replace-signer": "ReplaceSigner", "member-died": "MemberDied"}
	v.by(as, "Group:"+functions[action], v.signedBy(action, coffee, noAmount, command, persons...))
}

// inCommand changes the argument alone.
func inCommand(before, after string) func(*parts) {
	return func(p *parts) { p.arguments[1] = replaced(p.arguments[1], before, after) }
}

// otherAgreement changes the first digit of the hash that a household signs.
func otherAgreement(p *parts) {
	start := []byte(`"agreement":"`)
	digit := &p.arguments[1][bytes.Index(p.arguments[1], start)+len(start)]
	if *digit == '0' {
		*digit = '1'
		return
	}
	*digit = '0'
}

// Who decides for the cooperative and for the lender.
var coopStaff, bankStaff = []tape.ID{"coop-maker", "coop-checker"}, []tape.ID{"bank-maker", "bank-checker"}

// grouped opens a scheme of six households, of which four form an active group.
func (v *village) grouped() group.Agreement {
	v.t.Helper()
	coop, bank := coopStaff, bankStaff
	for i, name := range slices.Concat(coop, bank) {
		of, other := "coop", "bank"
		if i > 1 {
			of, other = other, of
		}
		v.person(name, of, other, party.Own, party.DutyStaff)
	}
	v.person("county-clerk", "regulator", "charity", party.Own, party.DutyStaff)
	v.agree("coop", "open-scheme", group.OpenScheme{Account: coffee, Custodian: "outside:bank:coop", ID: "open-coffee", Lenders: []string{"bank"}, Terms: schemeTerms()}, coop...)
	v.agree("bank", "accept-scheme", group.AcceptScheme{Account: coffee, ID: "accept-coffee", Proposal: "coop/open-coffee"}, bank...)
	agreement := group.Agreement{Expiry: "2027-12-31", Form: "joint-and-several", GroupMax: cny(100_000_00), GuaranteeMonths: 24, Lenders: []string{"bank"}, MemberMax: cny(60_000_00),
		MutualRecourse: true, Shares: group.EqualShares, Terms: 1, TextEn: party.Hash{1}, TextZh: party.Hash{2}}
	for n := 1; n <= 6; n++ {
		who := tape.ID(fmt.Sprint("farmer-", n))
		v.person(who, "coop", "bank", party.Own, party.DutyMember)
		v.agree("coop", "admit", group.Admit{Account: coffee, Adult: true, Capacity: true, Fingerprint: fingerprintOf(n), Household: houseOf(n), ID: tape.ID(fmt.Sprint("admit-", n)), Person: who}, coop...)
		if n <= 4 {
			agreement.Members = append(agreement.Members, group.Share{Household: houseOf(n)})
		}
	}
	v.agree("coop", "relate", group.Relate{Account: coffee, Household: houseOf(1), ID: "kin", Other: houseOf(6)}, coop...)
	v.agree("coop", "name-supplier", group.NameSupplier{Account: coffee, Categories: []string{"seed"}, Controllers: []string{fingerprintOf(9)}, ID: "supplier", Supplier: supplier}, coop...)
	v.agree("coop", "form-group", group.FormGroup{Account: coffee, Agreement: agreement, Group: "g1", ID: "form"}, coop...)
	for n := 1; n <= 4; n++ {
		v.joins(agreement, n, "", "sign")
	}
	v.agree("coop", "endorse", group.Endorse{Account: coffee, Group: "g1", ID: "endorse"}, coop...)
	v.agree("bank", "approve-group", group.ApproveGroup{Account: coffee, Group: "g1", ID: "approve"}, bank...)
	return agreement
}

// joins signs an agreement for household n, and with it whoever joins.
func (v *village) joins(agreement group.Agreement, n int, joining tape.AccountID, id string) {
	v.t.Helper()
	hash, err := agreement.Hash(coffee, "g1")
	must(v.t, hash, err)
	v.agree("insurer", "sign-group", group.SignGroup{Account: coffee, Agreement: hash, Group: "g1", Household: houseOf(n), ID: tape.ID(fmt.Sprint(id, "-", n)), Joining: joining}, farmer(n))
}

func farmer(n int) tape.ID { return tape.ID(fmt.Sprint("farmer-", n)) }

// lent is a season of one scheme: a group forms, one leaves, another joins, one
// dies, and it ends by vote.
func (v *village) lent() {
	v.t.Helper()
	agreement, coop, bank := v.grouped(), coopStaff, bankStaff
	v.agree("insurer", "exit", group.Exit{Account: coffee, Group: "g1", Household: houseOf(4), ID: "exit"}, "farmer-4")
	members := append(append([]group.Share(nil), agreement.Members[:3]...), group.Share{Household: houseOf(5)})
	v.agree("coop", "refill", group.Refill{Account: coffee, Group: "g1", Household: houseOf(5), ID: "refill", Members: members}, coop...)
	for _, n := range []int{1, 2, 3, 5} {
		v.joins(agreement, n, houseOf(5), "join")
	}
	v.agree("bank", "approve-group", group.ApproveGroup{Account: coffee, Group: "g1", ID: "approve-5"}, bank...)
	v.person("farmer-7", "coop", "bank", party.Own, party.DutyMember)
	v.agree("coop", "replace-signer", group.ReplaceSigner{Account: coffee, Household: houseOf(6), ID: "replace", Person: "farmer-7", Reason: "other-adult"}, coop...)
	v.agree("coop", "member-died", group.MemberDied{Account: coffee, Household: houseOf(2), ID: "died"}, "coop-maker", "county-clerk")
	v.agree("insurer", "wind-down", group.WindDown{Account: coffee, Group: "g1", ID: "wind-down", Reason: group.Vote}, "farmer-1", "farmer-3", "farmer-5")
	v.agree("coop", "name-supplier", group.NameSupplier{Account: coffee, Categories: []string{"seed"}, Controllers: []string{fingerprintOf(9)}, ID: "supplier-gone", Supplier: supplier, Withdraw: true}, coop...)
	v.agree("coop", "name-supplier", group.NameSupplier{Account: coffee, Categories: []string{"seed"}, Controllers: []string{fingerprintOf(8)}, ID: "supplier-again", Supplier: supplier}, coop...)
	v.by("regulator", "Group:CloseGroup", group.CloseGroup{Account: coffee, Group: "g1", ID: "close"})
}

// TestGroupTampering changes one thing of an honest season. The last column is
// what the books say about it first, without the contracts.
func TestGroupTampering(t *testing.T) {
	v := newVillage(t)
	v.lent()
	if report := booked(t, v.chain()); len(report.Findings) > 0 {
		t.Fatalf("an honest chain: %v", report.Findings)
	}
	if report := run(t, v, v.chain(), v.honest); len(report.Findings) > 0 {
		t.Fatalf("an honest chain, replayed: %v", report.Findings)
	}
	g1, of := "group/coop:coop:coffee/g1", func(function, id string) place { return place{"Group:" + function, id} }
	for _, test := range []struct {
		name   string
		where  place
		change func(*parts)
		prints string
	}{
		{"terms that the lender did not accept", of("AcceptScheme", "accept-coffee"), inRecord("scheme-terms/", `"windowDays":30`, `"windowDays":90`), "scheme-terms/coop:coop:coffee/1, the terms in force; expected"},
		{"a household is admitted under two names", of("Admit", "admit-5"), everywhere(fingerprintOf(5), fingerprintOf(4)), "member/coop:coop:coffee/" + string(houseOf(5)) + ", a household is admitted under two names"},
		{"a member has another person", of("Admit", "admit-5"), inRecord("member/", `"person":"farmer-5"`, `"person":"farmer-6"`), "member/coop:coop:coffee/" + string(houseOf(5)) + ", who signs for a household, and where it stands"},
		{"kin are in one group", of("Relate", "kin"), everywhere(string(houseOf(6)), string(houseOf(3))), "member/coop:coop:coffee/" + string(houseOf(1)) + ", two of a group are one household or close kin"},
		{"a supplier's controller is in a group", of("NameSupplier", "supplier"), everywhere(fingerprintOf(9), fingerprintOf(3)), "member/coop:coop:coffee/" + string(houseOf(3)) + ", a household in a group supplies nobody"},
		{"a supplier that was withdrawn is still controlled", of("NameSupplier", "supplier-again"), inRecord("controls/coop:coop:coffee/"+fingerprintOf(9), `"entry":"coop/supplier-again"`, `"entry":"coop/supplier-again","suppliers":["`+string(supplier)+`"]`), "controls/coop:coop:coffee/" + fingerprintOf(9) + ", what a household controls; expected []"},
		{"the agreement ends too late", of("FormGroup", "form"), everywhere("2027-12-31", "2031-12-31"), g1 + ", when the agreement of a group ends; expected by "},
		{"another signs for a household", of("SignGroup", "sign-2"), inEntry(`"person":"farmer-2"`, `"person":"farmer-3"`), "member/coop:coop:coffee/" + string(houseOf(2)) + ", a household signs by a key in its own hands; expected farmer-2"},
		{"a signature for another agreement", of("SignGroup", "sign-2"), otherAgreement, g1 + ", the agreement that a household signs"},
		{"a group is active that nobody signed whole", of("SignGroup", "sign-4"), inRecord("group/", `"state":"review"`, `"state":"active"`), g1 + ", where a group stands, who lives in it, who has signed what; expected review"},
		{"the lender approves with one word", of("ApproveGroup", "approve"), inEntry(`"person":"bank-checker"`, `"person":"bank-maker"`), g1 + ", how many different persons of the staff decided; expected 2 or more, found 1"},
		{"a standing that names no group", of("ApproveGroup", "approve"), inRecord("standing/", `"group":{`, `"household":{`), "standing/"},
		{"who left lives on in the group", of("Exit", "exit"), inRecord("group/", `"gone":"exited"`, `"gone":""`), g1 + ", where a group stands"},
		{"one joins whom not all have signed for", of("SignGroup", "join-3"), inCommand(string(houseOf(3)), string(houseOf(1))), g1 + ", each household of a group signs, once"},
		{"one organisation attests a death", of("MemberDied", "died"), inEntry(`"organisation":"regulator","person":"county-clerk"`, `"organisation":"coop","person":"coop-checker"`), "member/coop:coop:coffee/" + string(houseOf(2)) + ", two organisations attest a death"},
		{"a vote of two", of("WindDown", "wind-down"), inEntry(`"person":"farmer-5"`, `"person":"farmer-1"`), "member/coop:coop:coffee/" + string(houseOf(5)) + ", a household signs by a key in its own hands; expected farmer-5"},
		{"a group closes that did not wind down", of("WindDown", "wind-down"), inRecord("group/", `"state":"winding-down"`, `"state":"active"`), g1 + ", where a group stands"},
		{"an entry of another kind", of("CloseGroup", "close"), inEntry(`"kind":"close-group"`, `"kind":"memo"`), "entry/regulator/close, the kind of the entry; expected close-group, found memo"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			blocks := v.chain()
			rewrite(blocks[test.where.in(blocks)], 0, test.change)
			finds(t, booked(t, blocks), "\n"+test.prints)
		})
	}
}
