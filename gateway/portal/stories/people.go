package stories

import (
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/wallet"
)

const (
	maker   = tape.ID("invented-charity-maker")
	checker = tape.ID("invented-charity-checker")
)

// acting lets somebody invented do all of some things.
func acting(what ...string) *views.Acting {
	a := &views.Acting{Person: checker, Token: "invented", May: map[string]bool{}}
	for _, act := range what {
		a.May[act] = true
	}
	return a
}

func works() []Story {
	var all []Story
	for _, part := range [][]Story{logins(), drafts(), lists(), forms(), actPages(), keys()} {
		all = append(all, part...)
	}
	return all
}

func logins() []Story {
	asked := &views.Challenge{Address: "https://ledger.example/login/key?deadline=2026-03-10T08:05:00.000Z&ledger=" + hash("ledger") + "&nonce=" + hash("nonce"), Nonce: hash("nonce"), Person: "invented-child-key-01", Deadline: at("2026-03-10 08:05"), Typed: typedLogin()}
	page := views.Login{Message: message.New("login.choose"), Ways: []views.Way{{Title: "Invented staff of charity", Address: "/login/issuer/demonstration?return=%2Fen%2Fwork"}}, Challenge: asked,
		Return: "/en/work", Token: "invented", Demonstration: true}
	wrong, out := page, views.Login{Message: message.New("logout.done"), Return: "/"}
	wrong.Message, wrong.Broken = message.New("login.signature", "Person", "invented-child-key-01", "Address", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), true
	return []Story{{"login", "How to log in", page}, {"login-wrong", "A login that was refused", wrong}, {"logout", "After the logout", out}}
}

// typedLogin is a challenge as a wallet takes it.
func typedLogin() string {
	text, err := wallet.Login(challenge.Challenge{Origin: "https://ledger.example", Deadline: at("2026-03-10 08:05")}).File()
	if err != nil {
		panic(err) // strings are always written
	}
	return string(text)
}

func drafts() []Story {
	lines := []views.DraftLine{{Field: "account", Value: string(training)}, {Field: "amount", Value: "24000.00 CNY"}, {Field: "chunks", Value: "1"}, {Field: "count", Value: "24"}, {Field: "id", Value: "d-7c1f90ab12de3456"}, {Field: "root", Value: hash("root")}}
	d := views.Draft{ID: hash("draft")[:32], Function: "Fund:Propose", Sentence: message.New("sign.propose", "Amount", "24000.00 CNY", "Count", "24", "Account", string(training), "Line", "training", "Disbursement", "d-7c1f90ab12de3456"),
		Lines: lines, By: maker, Persons: 1, Expires: at("2026-03-11 08:00"), Person: maker, Mine: true, Here: true, Back: "/disbursements/" + string(training) + "/d-7c1f90ab12de3456"}
	own, done, refused, carried := d, d, d, d
	own.Function, own.Here, own.OwnHand, own.By = "Fund:Confirm", false, true, "invented-child-key-01"
	own.Sentence = message.New("sign.confirm.arrived", "Amount", "1000.00 CNY", "Hold", "d1.0.0", "Account", string(training))
	done.Mine, done.State, done.Signed = false, "done", signedBy(maker)
	carried.Mine, carried.State, carried.Signed, carried.Persons = false, "submitted", signedBy(maker, checker), 2
	refused.Mine, refused.State, refused.Signed = false, "refused", signedBy(maker)
	refused.Refusal = &views.Refusal{Code: "insufficient", Text: "field amount: line training has 12,000.00 CNY left of 450,000.00 CNY; 24,000.00 CNY was asked"}
	said := message.New("draft.refused")
	return []Story{
		{"draft", "A draft to be signed here", views.Drafts{Draft: &d, Token: "invented"}}, {"draft-own", "A draft that needs a key in own hands", views.Drafts{Draft: &own, Token: "invented"}},
		{"draft-done", "A draft that stands on the ledger", views.Drafts{Draft: &done, Token: "invented"}}, {"draft-carried", "A draft on its way", views.Drafts{Draft: &carried, Token: "invented"}},
		{"draft-refused", "A draft that the ledger refused", views.Drafts{Draft: &refused, Token: "invented"}},
		{"draft-wrong", "A signature that is wrong", views.Drafts{Message: &said, Refusal: &views.Refusal{Code: "forbidden", Text: "the signature is not that of invented-charity-maker"}, Draft: &d, Token: "invented"}},
		{"drafts", "What waits for signatures", views.Drafts{List: []views.Draft{d, done}, Token: "invented"}}, {"drafts-none", "Nothing waits", views.Drafts{Token: "invented"}}}
}

// signedBy are signatures of invented staff, each by another kind of key.
func signedBy(who ...tape.ID) []tape.Approval {
	var all []tape.Approval
	for i, person := range who {
		all = append(all, tape.Approval{Person: person, Organisation: "charity", Custody: words.Keys["custody."][3-i]})
	}
	return all
}

func lists() []Story {
	f, amount := facts(), yuan("24000.00")
	page := views.Work{Organisation: "charity", Login: true, Person: checker, Roles: []string{"checker"}, Staff: true, Token: "invented", Demonstration: true}
	for i, kind := range words.Keys["work."] {
		item := views.WorkItem{Kind: kind, Account: training, Title: &f.Title, ID: "d-7c1f90ab12de3456", Due: "2026-03-10", Days: i - 3, Path: "/campaigns/" + string(training), Maker: maker, Count: i % 3}
		if kind == "settle" {
			item.Form = &views.GiftAct{Act: "withdraw-page", Path: "/campaigns/" + string(training) + "/acts/withdraw-page?page=page-12"}
		}
		switch kind {
		case "pay":
			item.Payees, item.Form = []tape.AccountID{family}, &views.GiftAct{Act: "abandon-disbursement", Path: "/campaigns/" + string(training) + "/acts/abandon-disbursement?disbursement=d-7c1f90ab12de3456"}
		case "publish":
			item.Reason, item.Acting = "three-monthly", acting("publish")
		case "dispute":
			item.Reason = "less-arrived"
		case "witness":
			item.Account, item.Title, item.ID, item.Reason, item.Path = "", nil, "invented-child-key-09", "agent-held", "/persons/invented-child-key-09"
		case "flag", "suspect":
			item.Reason = "payee-account"
		}
		if i%2 == 0 {
			item.Amount = &amount
		}
		page.Rows = append(page.Rows, item)
	}
	none, stranger, household := page, views.Work{Organisation: "charity", Login: true, Demonstration: true}, views.Work{Organisation: "charity", Login: true, Person: "invented-child-key-01", Token: "invented"}
	none.Rows, none.Apart = nil, []string{"open-campaign"}
	return []Story{{"work", "Everything that staff can have to do", page}, {"work-none", "Nothing is to be done", none}, {"work-stranger", "The work list before the login", stranger}, {"work-household", "The work list of who is no staff", household}}
}

func forms() []Story {
	f := facts()
	all := disbursements()[2].Page.(views.Disbursement)
	all.Acting = acting("approve", "reject", "order", "pay", "list", "close")
	own := all
	own.Acting = acting("withdraw")
	looked := payees()[0].Page.(views.Payee)
	looked.Acts = []views.GiftAct{{Act: "raise-flag", Path: "/work"}, {Act: "call-back", Path: "/work"}}
	propose := views.Propose{Account: training, Title: &f.Title, Free: yuan("62900.00"), ID: "d-7c1f90ab12de3456", Acting: acting(), Payees: []tape.AccountID{family, partner}}
	for i, line := range f.Budget {
		propose.Lines = append(propose.Lines, views.BudgetChoice{ID: tape.ID(line.ID), Title: line.Title, Left: money.New(int64(i)*100_000, "CNY")})
	}
	for i := range 20 {
		propose.Rows = append(propose.Rows, i+1)
	}
	propose.Documents = []int{1, 2, 3}
	listed := disbursements()[0].Page.(views.Disbursements)
	listed.Acting = acting()
	stories := []Story{{"disbursement-acting", "A disbursement and everything that can be done about it", all}, {"disbursement-own", "A proposal before its maker", own},
		{"payee-acting", "A payee and what can be done", looked}, {"propose", "The form of a proposal", propose}, {"disbursements-acting", "Disbursements before a maker", listed}}
	said := message.New("login.role", "Roles", "checker")
	stories = append(stories, Story{"refused-role", "Something that a role is missing for", views.Refused{Message: &said, Back: "/work"}})
	for _, code := range words.Keys["refused."] {
		stories = append(stories, Story{"refused-" + code, "Refused: " + code, views.Refused{Refusal: views.Refusal{Code: code, Text: "field lines[3].to: outside:household:ccbpdfphoepioggkooobcaekiaeaplph is not enrolled in charity:sunrise:training"}, Back: "/work"}})
	}
	return append(append(stories, known()...), mine()...)
}

// known is what members' staff see of who stands behind a payee.
func known() []Story {
	f, asked := facts(), at("2026-03-09 10:00")
	page := views.PersonalData{Account: training, Title: &f.Title, Payee: family, Organisation: "charity", Asked: &asked, Acting: acting("keep"),
		Collections: []string{"charity-bank", "_implicit_org_CharityMSP"}, Reasons: words.Keys["purge-reason."]}
	page.Values = []views.PersonalValue{
		{Class: "household", Collection: "charity-bank", Record: "aponmlkjihgfedcbaponmlkjihgfedcb", Keeper: "charity", Purge: true, Lines: []views.PersonalLine{{Field: "name", Text: "王虚构 (invented)"}, {Field: "phone", Text: "000 0000 0001"}, {Field: "village", Text: "虚构村"}}},
		{Class: "payee-bank-account", Collection: "charity-bank", Record: "bponmlkjihgfedcbaponmlkjihgfedca", Keeper: "charity", KeepUntil: "2031-03-10", Lines: []views.PersonalLine{{Field: "account", Text: "0000 0000 0000 0001"}, {Field: "bank", Text: "Invented Bank"}, {Field: "name", Text: "王虚构 (invented)"}}}}
	page.Kinds = fund.CitationKinds()
	page.Papers = []views.PersonalPaper{{ID: "0f3c0f3c0f3c0f3c0f3c0f3c0f3c0f3c", Kind: "photo", MediaType: "image/jpeg", Size: 48213, At: at("2026-02-01 09:30"), Shred: true},
		{ID: "1f3c0f3c0f3c0f3c0f3c0f3c0f3c0f3c", Kind: "delivery-note", MediaType: "application/pdf", Size: 20480, At: at("2026-02-02 09:30"), Cited: "charity/cite-1", Until: "2056-12-31"}}
	nothing := page
	nothing.Papers, nothing.Kinds = nil, nil
	nothing.Values, nothing.Asked, nothing.Acting, nothing.Organisation = nil, nil, nil, "coop"
	staff := payees()[0].Page.(views.Payee)
	staff.Personal, staff.Shared = true, []views.Sharing{{Kind: "payee-account", Others: 2}, {Kind: "device"}}
	paid := payouts()[0].Page.(views.Origin)
	paid.Personal, paid.PayTo = "/payees/x/y/personal", page.Values[1:]
	unknown := paid
	unknown.PayTo = nil
	return []Story{{"personal", "What members' staff see of who stands behind a payee", page}, {"personal-none", "A payee of whom nothing is kept", nothing},
		{"payee-staff", "A payee before staff who may know who it is", staff}, {"payout-staff", "A payout before the bank's staff", paid}, {"payout-unknown", "A payout to nobody knows whom", unknown}}
}

func mine() []Story {
	f, me := facts(), views.Me{Person: "invented-child-key-01", Custody: "own", Confirms: true, Enrolled: 1, Reasons: words.Keys["dispute."], Token: "invented", Households: myHouseholds()}
	for i, row := range enrolledPayouts()[:3] {
		me.Payouts = append(me.Payouts, views.MyPayout{PayoutRow: row, Title: &f.Title, MayConfirm: i == 1, MayDispute: i != 1})
	}
	mother := me
	mother.Person, mother.Wards = "invented-mother-key-01", []tape.ID{"invented-child-key-01"}
	mother.Purposes, mother.Abouts, mother.Organisations, mother.Today = party.Purposes(), party.Abouts(), []string{"charity", "coop"}, "2026-03-10"
	for i := range mother.Payouts {
		mother.Payouts = append([]views.MyPayout{}, mother.Payouts...)
		mother.Payouts[i].For = "invented-child-key-01"
	}
	consent := party.Consent{Person: "invented-child-key-01", Organisation: "charity", Purpose: "publication", About: "image", Until: "2026-06-30", By: tape.Approval{Person: mother.Person, Organisation: "charity", Custody: "own"}, Entry: "coop/consent-1"}
	over, back := consent, consent
	over.Until, over.Purpose, over.About = "2026-02-28", "support", "household"
	back.Purpose, back.Withdrawn, back.Withdrawal = "research", at("2026-03-01 08:00"), "bank/withdraw-1"
	mother.Consents = []party.Consent{consent, over, back}
	held, nobody := me, views.Me{Roles: []string{"auditor"}, Token: "invented"}
	held.Person, held.Custody, held.Confirms, held.Payouts, held.Roles = maker, "gateway-held", false, nil, []string{"maker", "checker"}
	asked := at("2026-03-09 10:00")
	me.Data = []views.MyData{{Account: training, Title: &f.Title, Payee: family, Classes: []string{"household", "payee-bank-account"}, Until: "2031-03-10"},
		{Account: training, Title: &f.Title, Payee: family, Classes: []string{"household"}}, {Account: training, Title: &f.Title, Payee: family, Classes: []string{"household"}, Asked: &asked}}
	held.Signings = []views.Signing{{At: 1772694000000, Kind: "propose", Action: "propose", Subject: string(training), Amount: "24000.00 CNY", By: "issuer demo"},
		{At: 1772508000000, Kind: "set-flag", Action: "set-flag", Subject: string(training), Amount: "0.00 CNY", By: "issuer demo"}, {At: 1772504000000, Action: "carry-boxes", Subject: string(training), By: "key"}}
	return []Story{{"me", "A household and its payouts, to be answered", me}, {"me-guardian", "A mother who speaks for her child, and what she consented to", mother}, {"me-held", "Somebody whose key the gateway holds", held}, {"me-nobody", "Somebody without a person on the ledger", nobody}}
}

// keys are the pages where organisations bring and vouch for people's keys.
func keys() []Story {
	who := acting("revoke")
	first := party.Key{Address: party.Address{0x5a, 0xae, 0xb6}, Custody: party.AgentHeld, Duty: party.DutyMember, Registrar: "regulator"}
	known := party.Key{Address: party.Address{0xf3, 0x9f}, Custody: party.Own, Duty: party.DutyMember, Registrar: "regulator", Witness: "charity", From: at("2026-03-02 08:00"), CarryFrom: at("2026-04-01 08:00")}
	lost, card, held := known, party.Key{Address: party.Address{0x70, 0x99}, Custody: party.Card, Duty: party.DutyMember, Registrar: "charity"}, known
	lost.Suspended, held.Custody = at("2026-03-09 08:00"), party.GatewayHeld
	child := party.Person{ID: "invented-child-key-09", Organisation: "charity", Key: first, At: at("2026-03-09 10:00"), Entry: "regulator/register.0a1b"}
	changing, ended := child, child
	changing.Key, changing.Next = lost, &card
	ended.Key, ended.Revoked = held, at("2026-03-10 07:00")
	row := func(id tape.ID, key party.Key) views.PersonRow {
		return views.PersonRow{ID: id, Organisation: "charity", Key: key, At: at("2026-03-09 10:00")}
	}
	guarded, named, ending := child, child, child
	guarded.Guardian = &party.Guardian{Person: "invented-mother-key-01", Registrar: "regulator", Witness: "charity", From: at("2026-03-02 08:00")}
	named.Guardian = &party.Guardian{Person: "invented-mother-key-01", Registrar: "regulator"}
	end := *guarded.Guardian
	end.Ending = "regulator"
	ending.Guardian, ending.Key = &end, known
	list := views.Persons{Organisation: "charity", Hours: 24, Days: 30, Acting: who, Draws: true, Organisations: []string{"charity", "coop", "bank", "insurer", "regulator"},
		Waiting: []views.PersonRow{row("invented-child-key-09", first), row("invented-child-key-10", card)}, Brought: []views.PersonRow{row("invented-child-key-11", card)}}
	quiet := views.Persons{Organisation: "charity", Hours: 1, Days: 1}
	may := map[string]bool{"witness": true, "suspend": true}
	proof := persons.Proof{Address: card.Address, Custody: party.Card, Duty: party.DutyAgent, Organisation: "charity", Person: "invented-child-key-10", Registrar: "charity"}
	bring := views.Bring{Proof: proof, Text: `{"address":"0x7099…","custody":"card"}`, Here: true, Acting: who}
	again, on := bring, bring
	again.Known, on.Here = true, false
	page := func(p party.Person, keys ...views.KeyRow) views.PersonPage {
		return views.PersonPage{Person: p, Hours: 24, Days: 30, Acting: who, Keys: keys}
	}
	guards := func(p party.Person, named bool) views.PersonPage {
		shown := page(p, views.KeyRow{Key: p.Key, State: "in-force"})
		shown.Named, shown.Acting = named, acting("revoke", "guard")
		return shown
	}
	return []Story{{"person-guardian", "A child and its guardian", guards(guarded, false)}, {"person-named", "A guardian who waits for a second organisation", guards(named, true)},
		{"person-ending", "A guardian whose end one organisation asked for", guards(ending, true)}, {"person-alone", "Somebody without a guardian", guards(child, false)},
		{"persons", "Keys that wait, and how to bring one", list}, {"persons-none", "Nobody's key waits", quiet},
		{"person-waits", "A key that a second organisation is to vouch for", page(child, views.KeyRow{Key: first, State: "waits", May: may})},
		{"person-lost", "A lost key and the one that replaces it", page(changing, views.KeyRow{Key: lost, State: "suspended"}, views.KeyRow{Key: card, State: "waits", May: may})},
		{"person-period", "A key in its waiting period beside the one in force", page(changing, views.KeyRow{Key: known, State: "in-force", May: map[string]bool{"suspend": true}}, views.KeyRow{Key: card, State: "waiting", May: map[string]bool{"suspend": true}})},
		{"person-ended", "Somebody who was revoked", views.PersonPage{Person: ended, Keys: []views.KeyRow{{Key: held, State: "replaced"}}}},
		{"bring", "A proof before it goes to the ledger", bring}, {"bring-again", "A key for one that was lost", again}, {"bring-on", "A proof for another organisation", on}}
}
