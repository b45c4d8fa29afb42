package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/audit"
	"github.com/lianbao/lianbao/gateway/audit/books"
)

// replayed audits blocks and no peer.
func replayed(blocks []*common.Block) audit.Report {
	a := newAuditor()
	for _, block := range blocks {
		if err := a.Block(block); err != nil {
			break
		}
	}
	return a.Close()
}

// booked enters blocks into the books alone: what they find, they find without
// the contracts. There is no state of peers to compare with, so the books are
// not closed.
func booked(t *testing.T, blocks []*common.Block) audit.Report {
	t.Helper()
	own := books.New()
	var report audit.Report
	for _, block := range blocks {
		transactions, err := replay.TransactionsOf(block)
		must(t, transactions, err)
		for _, one := range transactions {
			writes := map[string][]byte{}
			for _, write := range one.Results.In(peertest.Chaincode).Writes {
				writes[write.Key] = write.Value
			}
			transaction := books.Transaction{Block: one.Block, Function: string(one.Arguments[0]), Argument: one.Arguments[1], Event: one.Event.Payload, Writes: writes}
			for _, p := range own.Apply(transaction) {
				report.Findings = append(report.Findings, audit.Finding{Check: audit.CheckBooks, Key: p.Key, What: p.What, Expected: p.Expected, Found: p.Found})
			}
		}
	}
	report.Fund = own.Trail()
	return report
}

// everywhere changes a text in all that a transaction carries, as colluders
// would who want entry, records and answer to fit one another.
func everywhere(before, after string) func(*parts) {
	return func(p *parts) {
		if !strings.Contains(string(p.event.Payload)+string(p.arguments[1]), before) {
			panic(before + " is not in " + string(p.arguments[1]))
		}
		change := func(data []byte) []byte { return []byte(strings.ReplaceAll(string(data), before, after)) }
		p.arguments[1], p.event.Payload, p.response.Payload = change(p.arguments[1]), change(p.event.Payload), change(p.response.Payload)
		for i, write := range p.results[0].Writes {
			p.results[0].Writes[i].Key, p.results[0].Writes[i].Value = string(change([]byte(write.Key))), change(write.Value)
		}
	}
}

// inRecord changes one record that a transaction writes.
func inRecord(prefix, before, after string) func(*parts) {
	return func(p *parts) {
		write := p.write(prefix)
		write.Value = replaced(write.Value, before, after)
	}
}

// inEntry changes the entry alone, where it is sent and where it is kept.
func inEntry(before, after string) func(*parts) {
	return func(p *parts) {
		changed := []byte(strings.ReplaceAll(string(p.event.Payload), before, after))
		if string(changed) == string(p.event.Payload) {
			panic(before + " is not in " + string(changed))
		}
		p.event.Payload, p.write("entry/").Value = changed, changed
	}
}

// called pretends that another function was called.
func called(function, kindBefore, kindAfter string) func(*parts) {
	return func(p *parts) {
		p.arguments[0] = []byte(function)
		inEntry(`"kind":"`+kindBefore+`"`, `"kind":"`+kindAfter+`"`)(p)
	}
}

// byOneWord makes the declaration of a page one of the tape's own settlements.
func byOneWord(p *parts) {
	p.arguments[1] = []byte(`{"account":"charity:sunrise:circle","id":"declare-cash","items":[{"selfDeclared":true,"source":"cash"}]}`)
	called("Tape:Settle", "declare", "settle")(p)
}

// place names a transaction by its function and id.
type place struct{ function, id string }

func (p place) in(blocks []*common.Block) int {
	return slices.Index(blocks, find(blocks, p.function, p.id))
}

// moved puts one block before another, or at the end.
func moved(blocks []*common.Block, what place, before *place) []*common.Block {
	at := what.in(blocks)
	block := blocks[at]
	blocks = slices.Delete(blocks, at, at+1)
	if before == nil {
		return append(blocks, block)
	}
	return slices.Insert(blocks, before.in(blocks), block)
}

// repeated does one transaction a second time under another id.
func repeated(blocks []*common.Block, what place) []*common.Block {
	again := proto.Clone(blocks[what.in(blocks)]).(*common.Block)
	rewrite(again, 0, everywhere(`"`+what.id+`"`, `"again"`))
	return append(blocks, again)
}

var (
	opened    = place{"Fund:OpenCampaign", string(openIDOf(speech))}
	granted   = place{"Fund:OpenCampaign", string(openIDOf(school))}
	filed     = place{"Fund:AcceptFiling", "file-1"}
	listed    = place{"Fund:List", "d1-second-list"}
	firstList = place{"Fund:List", "d1-first-list"}
	yes       = place{"Fund:Approve", "d1-yes"}
	ordering  = place{"Fund:Order", "d1-order"}
	paid      = place{"Fund:Pay", "d1-first-pay"}
	granting  = place{"Fund:Pay", "d1-second-pay"}
	arrived   = place{"Fund:Confirm", "arrived-1"}
	declared  = place{"Fund:Declare", "declare-cash"}
)

// countedBy is the last block that the first publication counts.
func countedBy(t *testing.T, v *village) string {
	t.Helper()
	at := place{"Fund:Publish", "pub-1"}.in(v.chain())
	return fmt.Sprint(at - 1)
}

// TestFundTampering changes one thing of the fund trail on an honest chain: a
// transaction. The last column is what the books say about it first, by
// themselves: the contracts could have let it pass.
func TestFundTampering(t *testing.T) {
	v := newVillage(t)
	v.campaign()
	if report := booked(t, v.chain()); len(report.Findings) > 0 || report.Fund.Agreeing != 4 {
		t.Fatalf("an honest chain: %v, %+v", report.Findings, report.Fund)
	}
	block := countedBy(t, v)
	for _, test := range []struct {
		name   string
		where  place
		change func(*parts)
		prints string
	}{
		{"less is ordered than was", ordering, inRecord("budget/", `"units":"9000"`, `"units":"8000"`),
			"budget/charity:sunrise:speech, what is ordered on each budget line; expected training 9000, found training 8000"},
		{"what was released is not given back", place{"Fund:Restore", "restore-d2"}, inRecord("budget/", `{"line":"office","units":"0"}`, `{"line":"office","units":"1"}`),
			"budget/charity:sunrise:speech, what is ordered on each budget line; expected training 9000, found office 1, training 9000"},
		{"what was abandoned is not given back", place{"Fund:CloseDisbursement", "close-d3"}, inRecord("budget/", `"units":"9000"`, `"units":"9300"`),
			"budget/charity:sunrise:speech, what is ordered on each budget line; expected training 9000, found training 9300"},
		{"a maker approves", yes, inEntry(`"person":"checker"`, `"person":"maker"`),
			"approved/charity:sunrise:speech/d1/maker, who proposed it approves it; expected another person than maker, found maker"},
		{"an order names others than those who approved", ordering, inEntry(`"person":"checker"`, `"person":"h1"`),
			"ordered/charity:sunrise:speech/d1, those on whose word the order rests; expected maker, staff of charity, checker, staff of charity, found maker, staff of charity, h1, staff of charity"},
		{"a list that is not what was proposed", firstList, everywhere(`"5.00 CNY"`, `"5.01 CNY"`), "approved/charity:sunrise:speech/d1/checker, the lists are what was proposed; expected 4 payees, 9000 units"},
		{"a list of somebody else", firstList, everywhere(`outside:supplier:s1`, `outside:supplier:s2`),
			"listed/charity:sunrise:speech/d1/0, what is paid is not what was listed; expected "},
		{"a list that says another sum", firstList, inRecord("listed/", `"80.00 CNY"`, `"79.00 CNY"`),
			"listed/charity:sunrise:speech/d1/0, what was listed; expected chunk 0, 3 payees, 80.00 CNY, "},
		{"a proposal that is kept otherwise", place{"Fund:Propose", "d1"}, inRecord("disbursement/", `"90.00 CNY"`, `"91.00 CNY"`),
			"disbursement/charity:sunrise:speech/d1, what was proposed; expected 90.00 CNY on line training of plan 1 to 4 payees in 2 chunks"},
		{"a proposal on a line that is not there", place{"Fund:Propose", "d4"}, everywhere(`"training"`, `"feasts"`), "disbursement/charity:sunrise:speech/d4, the plan has no such budget line; expected nothing, found feasts"},
		{"somebody is paid who was not enrolled", place{"Fund:Enrol", "enrol-own"}, everywhere("outside:staff:c1", "outside:staff:c2"),
			"payee/charity:sunrise:speech/outside:staff:c1, somebody is paid who is not enrolled; expected nothing, found charity/d2-first-pay"},
		{"a household is paid out of management costs", place{"Fund:Enrol", "enrol-own"}, everywhere(`"kind":"staff"`, `"kind":"household"`),
			"payee/charity:sunrise:speech/outside:staff:c1, the kind of payee does not fit the budget line; expected nothing, found household on a line for management"},
		{"a payee's record names another person", place{"Fund:Enrol", "enrol-agent"}, inRecord("payee/", `"person":"h1"`, `"person":"h2"`),
			"payee/charity:sunrise:speech/outside:household:ddbbcoobeooegjmdolfcpojadccomibn, who was enrolled; expected "},
		{"another person takes a payee's place", place{"Fund:ReplacePerson", "replace-1"}, inRecord("payee/", `"next":{"entry":"charity/replace-1","from"`, `"next":{"entry":"charity/replace-0","from"`),
			"payee/charity:sunrise:speech/outside:supplier:s1, whose word counts for the payee; expected "},
		{"who is to have the word replaces a person", place{"Fund:ReplacePerson", "replace-1"}, inEntry(`"person":"checker"`, `"person":"h2"`),
			"payee/charity:sunrise:speech/outside:supplier:s1, who has a say for a payee replaces its person; expected nothing, found h2"},
		{"nobody registered takes a payee's place", place{"Fund:ReplacePerson", "replace-1"}, everywhere(`"person":"h2"`, `"person":"h9"`),
			"payee/charity:sunrise:speech/outside:supplier:s1, somebody is named who cannot sign; expected nothing, found h9"},
		{"a payee's person is nobody registered", place{"Fund:Enrol", "enrol-key"}, everywhere(`"person":"trader"`, `"person":"nobody"`),
			"payee/charity:sunrise:speech/outside:supplier:s1, somebody is named who cannot sign; expected nothing, found nobody"},
		{"an agent serves too many", place{"Fund:AppointAgent", "appoint"}, everywhere(`"payeesMax":2`, `"payeesMax":1`),
			"agent/charity:sunrise:speech/agent, an agent serves more than it may; expected 1 at most, found 2, ended false"},
		{"somebody else signs an agent's list", place{"Fund:Enrol", "enrol-agent"}, inEntry(`"person":"agent"`, `"person":"maker"`),
			"agent/charity:sunrise:speech/agent, an agent's list is signed by the agent; expected agent, found maker, agent of charity"},
		{"an agent calls its own payee back", place{"Fund:CallBackPayee", "call-1"}, inEntry(`"person":"maker"`, `"person":"agent"`),
			"callback/charity:sunrise:speech/outside:household:ddbbcoobeooegjmdolfcpojadccomibn, who serves a payee calls it back; expected nothing, found agent"},
		{"who serves a payee lifts its flag", place{"Fund:SetFlag", "own-down"}, inEntry(`"person":"checker"`, `"person":"agent"`),
			"flag/charity:sunrise:speech/outside:household:pjjipoagkpkamplohdoaeejnmclbgjid, who serves a payee lifts its flag; expected nothing, found agent"},
		{"one person lifts a flag", place{"Fund:SetFlag", "own-down"}, inEntry(`"person":"checker"`, `"person":"maker"`),
			"flag/charity:sunrise:speech/outside:household:pjjipoagkpkamplohdoaeejnmclbgjid, how many different persons of the staff decided; expected 2 or more, found 1"},
		{"a payee who denies is not flagged", place{"Fund:CallBackPayee", "call-2"}, inRecord("flag/", `"raised":[{`, `"was":[{`),
			"flag/charity:sunrise:speech/outside:household:pjjipoagkpkamplohdoaeejnmclbgjid, whose flags are raised; expected charity, found "},
		{"who enrolled a payee calls it back", place{"Fund:CallBackPayee", "call-1"}, inEntry(`"person":"maker"`, `"person":"agent"`),
			"callback/charity:sunrise:speech/outside:household:ddbbcoobeooegjmdolfcpojadccomibn, who enrolled a payee calls it back; expected nothing, found agent"},
		{"a payee's record hides who enrolled it", place{"Fund:Enrol", "enrol-own"}, inRecord("payee/", `"enrolledBy":["maker"]`, `"enrolledBy":["checker"]`),
			`enrolled by ["maker"], found `},
		{"somebody else confirms", arrived, inEntry(`"person":"h1"`, `"person":"h2"`),
			"confirmation/charity:sunrise:speech/d1.0.0, somebody else confirms than the payee's own person; expected h1, found h2, member of charity"},
		{"a gateway confirms", arrived, inEntry(`"custody":"card"`, `"custody":"gateway-held"`),
			"confirmation/charity:sunrise:speech/d1.0.0, a key confirms that is not in the receiver's hands; expected own or card, found gateway-held"},
		{"a key is called the receiver's own", place{"Fund:Enrol", "enrol-agent"}, inEntry(`"custody":"own"`, `"custody":"card"`),
			"person/agent, whose person signed, as what, and who holds its key; expected charity, agent, own, found charity, agent, card"},
		{"less is confirmed than was paid", arrived, everywhere(`"60.00 CNY"`, `"59.00 CNY"`),
			"confirmation/charity:sunrise:speech/d1.0.0, the amount that is arrived; expected 60.00 CNY, found 59.00 CNY"},
		{"one person declares", declared, inEntry(`"person":"checker"`, `"person":"maker"`),
			"page/charity:sunrise:circle/cash, how many different persons of the staff decided; expected 2 or more, found 1"},
		{"an agent checks a declaration", declared, inEntry(`"person":"checker"`, `"person":"agent"`),
			"person/agent, whose person signed, as what, and who holds its key; expected charity, agent, own, found charity, staff, own"},
		{"the charity declares by its own word", declared, byOneWord, "page/charity:sunrise:circle/cash, a campaign's page is declared without maker and checker; expected nothing, found charity/declare-cash"},
		{"what was declared is called shown", declared, inEntry(`"kind":"self-declared"`, `"kind":"statement"`),
			"page/charity:sunrise:circle/cash, what a declared page rests on; expected self-declared, found statement"},
		{"a settlement hides that it was declared", declared, inRecord("settlement/", `"kind":"self-declared"`, `"kind":"statement"`),
			"settlement/charity:sunrise:circle/1, what the settlement rests on; expected self-declared, found statement"},
		{"a dispute is kept as an arrival", place{"Fund:Confirm", "dispute-1"}, inRecord("confirmation/", `"disputed"`, `"arrived"`),
			"confirmation/charity:sunrise:speech/d1.0.0, what the receiver said; expected outside:household:ddbbcoobeooegjmdolfcpojadccomibn: disputed 60.00 CNY, by h1, found outside:household:ddbbcoobeooegjmdolfcpojadccomibn: arrived 60.00 CNY, by h1"},
		{"a publication is left out", place{"Fund:Publish", "pub-2"}, everywhere(`"n":2`, `"n":3`), "publication/charity:sunrise:speech/3, the number of the publication; expected 2, found 3"},
		{"a publication follows another one", place{"Fund:Publish", "pub-2"}, inRecord("publication/", `"previous":"07`, `"previous":"0a`),
			`publication/charity:sunrise:speech/2, what was published; expected 2 for progress, behind "07`},
		{"more is published than was received", place{"Fund:Publish", "pub-1"}, everywhere(`"175.00 CNY"`, `"975.00 CNY"`), "publication/charity:sunrise:speech/1, its figures of the blocks to "},
		{"less is published as confirmed", place{"Fund:Publish", "pub-1"}, everywhere(`"confirmed":"60.00 CNY"`, `"confirmed":"59.00 CNY"`), "publication/charity:sunrise:speech/1, its figures of the blocks to "},
		{"an older block is named", place{"Fund:Publish", "pub-1"}, everywhere(`"block":`+block+`,`, `"block":9,`), "publication/charity:sunrise:speech/1, its figures of the blocks to 9 and the days to "},
		{"the blocks of publications go back", place{"Fund:Publish", "pub-2"}, everywhere(`"block":`+block+`,`, `"block":9,`),
			"publication/charity:sunrise:speech/2, the last block that a publication counts; expected " + block + " to "},
		{"a block is named that is not there yet", place{"Fund:Publish", "pub-1"}, everywhere(`"block":`+block+`,`, `"block":9999,`), "publication/charity:sunrise:speech/1, the last block that a publication counts; expected 0 to "},
		{"a day is left out", place{"Fund:Publish", "pub-1"}, everywhere(`"to":"`+string(v.today())+`"`, `"to":"2025-12-31"`), "publication/charity:sunrise:speech/1, its figures of the blocks to "},
		{"documents for nothing", place{"Fund:Cite", "cite-1"}, everywhere(`"for":"charity/pub-1"`, `"for":"charity/pub-9"`), "campaign/charity:sunrise:speech, documents are cited for nothing of the campaign; expected nothing, found charity/pub-9"},
		{"a pledge that was due before", place{"Fund:RecordPledge", "pledge-1"}, everywhere(`"due":"2026-03-01"`, `"due":"2025-03-01"`), "pledge/charity:sunrise:speech/pledge-1, a pledge is due before it was promised; expected "},
		{"a document stands for something else", place{"Fund:Cite", "cite-1"}, inRecord("cited/", `"photo"`, `"invoice"`), "what the document stands for; expected photo for charity/pub-1, found invoice for charity/pub-1"},
		{"management above the cap", opened, everywhere(`"managementPartsPerMillion":100000`, `"managementPartsPerMillion":99999`),
			"budget/charity:sunrise:speech, management costs are above the plan's cap; expected 99999 parts per million of 17500 units at most, found 1750"},
		{"more than a line has", opened, everywhere(`"800.00 CNY"`, `"80.00 CNY"`),
			"budget/charity:sunrise:speech, more is ordered on line training than the plan gives it; expected 8000 units at most, found 9000"},
		{"before the campaign begins", opened, everywhere(`"from":"2025-12-01"`, `"from":"2026-06-01"`), "ordered/charity:sunrise:speech/d1, money is ordered before the campaign begins; expected 2026-06-01, found 2026-01-"},
		{"a plan that is kept otherwise", opened, inRecord("campaign/", `"purpose":{"en":"Speech training"}`, `"purpose":{"en":"Feasts"}`), "campaign/charity:sunrise:speech, the campaign and its plan; expected "},
		{"a donor is nobody registered", place{"Fund:OpenCampaign", string(openIDOf(circle))}, everywhere(`"donors":["h1"]`, `"donors":["h9"]`),
			"campaign/charity:sunrise:circle, a donor cannot consent, or is staff of the charity; expected nothing, found h9"},
		{"a donor is staff of the charity", place{"Fund:OpenCampaign", string(openIDOf(circle))}, everywhere(`"donors":["h1"]`, `"donors":["checker"]`),
			"campaign/charity:sunrise:circle, a donor cannot consent, or is staff of the charity; expected nothing, found checker"},
		{"a donor did not consent", place{"Fund:AmendCampaign", "amend-circle"}, inEntry(`"person":"h1"`, `"person":"h2"`),
			"campaign/charity:sunrise:circle, the use of the money changes without a donor's consent; expected h1, found "},
		{"the charity accepts its own filing", filed, inEntry(`"organisation":"regulator"`, `"organisation":"charity"`),
			"campaign/charity:sunrise:speech, who accepts the filing; expected regulator, found charity"},
		{"another organisation carries", place{"Fund:CloseDisbursement", "close-d1"}, inEntry(`"organisation":"charity"`, `"organisation":"coop"`),
			"who carries a command about charity:sunrise:speech; expected charity, found coop"},
		{"one person names an organisation", place{"Fund:NamePublisher", "name-1"}, inEntry(`"person":"checker"`, `"person":"maker"`),
			"publisher/charity, how many different persons of the staff decided; expected 2 or more, found 1"},
		{"others name an organisation", place{"Fund:NamePublisher", "name-1"}, inEntry(`"organisation":"charity","person"`, `"organisation":"coop","person"`),
			"publisher/charity, a person of the owner decides too; expected charity, found maker, staff of coop, checker, staff of coop"},
		{"another organisation is named", place{"Fund:NamePublisher", "name-1"}, inEntry(`"subject":"charity"`, `"subject":"coop"`),
			"publisher/charity, the organisation that the entry names; expected charity, found coop"},
		{"an organisation is named by a record that nobody signed", place{"Fund:NamePublisher", "name-1"}, inRecord("publisher/", "Sunrise", "Sunset"), "publisher/charity, how the organisation is named; expected "},
		{"activities lose their name", place{"Fund:NamePublisher", "name-2"}, inRecord("publisher/", `"first":"XE-EXAMPLE-sunrise"`, `"first":"XE-EXAMPLE-dawn"`), "publisher/charity, how the organisation is named; expected "},
		{"grants lose their name", place{"Fund:NamePublisher", "name-2"}, everywhere("360G-example", "360G-other"), "publisher/charity, the prefix of grants that may have been published; expected 360G-example, found 360G-other"},
		{"an identifier is another organisation's", place{"Fund:NamePublisher", "name-2"}, inRecord("identified/", `"organisation":"charity"`, `"organisation":"coop"`), "identified/XE-EXAMPLE-dawn, whose the identifier is; expected charity, found coop"},
		{"one person closes a campaign", place{"Fund:CloseCampaign", "close-school"}, inEntry(`"person":"checker"`, `"person":"maker"`),
			"campaign/partner:school:speech, how many different persons of the staff decided; expected 2 or more, found 1"},
		{"nobody of the charity closes a campaign", place{"Fund:CloseCampaign", "close-school"}, inEntry(`"organisation":"charity","person"`, `"organisation":"coop","person"`),
			"campaign/partner:school:speech, a person of the owner decides too; expected charity, found maker, staff of coop, checker, staff of coop"},
		{"a grant's remainder goes elsewhere", granted, everywhere(`"leftover":"charity:sunrise:speech"`, `"leftover":"charity:sunrise:similar"`),
			"campaign/partner:school:speech, the campaign that gets the remainder; expected charity:sunrise:similar, found charity:sunrise:speech"},
		{"a grant that keeps what is left of it", granted, everywhere(`"leftover":"charity:sunrise:speech"`, `"leftover":"charity:sunrise:similar"`),
			"campaign/partner:school:speech, where what is left of it goes; expected charity:sunrise:speech, found charity:sunrise:similar"},
		{"a remainder that leaves something behind", place{"Fund:Carry", "carry-school"}, everywhere(`"10.00 CNY"`, `"9.00 CNY"`),
			"campaign/partner:school:speech, what is left behind a remainder; expected none, found 900..1000"},
		{"a grant of nobody's money", granted, everywhere(`"parent":"charity:sunrise:speech"`, `"parent":"charity:sunrise:nobody"`),
			"campaign/partner:school:speech, it spends the money of a campaign that was never opened; expected nothing, found charity:sunrise:nobody"},
		{"another organisation's person proposes", place{"Fund:Propose", "d1"}, inEntry(`"organisation":"charity","person":"maker"`, `"organisation":"coop","person":"maker"`),
			"disbursement/charity:sunrise:speech/d1, one of the staff of the organisation signs; expected charity, found maker, staff of coop"},
		{"a disbursement of no chunks", place{"Fund:Propose", "d4"}, everywhere(`"chunks":1`, `"chunks":0`), "approved/charity:sunrise:speech/d4/checker, a disbursement of no chunks is approved"},
		{"another disbursement's payout is restored", place{"Fund:Restore", "restore-d2"}, everywhere(`"disbursement":"d2"`, `"disbursement":"d3"`),
			"restored/charity:sunrise:speech/d2.0.0, the disbursement of the payout; expected d2, found d3"},
		{"a stranger raises a flag", place{"Fund:SetFlag", "flag-up"}, inEntry(`"organisation":"regulator"`, `"organisation":"insurer"`),
			"flag/charity:sunrise:speech/outside:household:ddbbcoobeooegjmdolfcpojadccomibn, a flag is the charity's or its regulator's; expected charity or regulator, found insurer"},
		{"the regulator lifts the charity's flag", place{"Fund:SetFlag", "own-down"}, inEntry(`"kind":"set-flag","organisation":"charity"`, `"kind":"set-flag","organisation":"regulator"`),
			"flag/charity:sunrise:speech/outside:household:pjjipoagkpkamplohdoaeejnmclbgjid, who lifts a flag; expected charity, found regulator"},
		{"the charity lifts the regulator's flag", place{"Fund:SetFlag", "flag-down"}, inEntry(`"kind":"set-flag","organisation":"regulator"`, `"kind":"set-flag","organisation":"charity"`),
			"flag/charity:sunrise:speech/outside:household:ddbbcoobeooegjmdolfcpojadccomibn, who lifts a flag; expected regulator, found charity"},
		{"what was restored", place{"Fund:Restore", "restore-d2"}, inRecord("restored/", `"units":"1750"`, `"units":"1"`),
			"restored/charity:sunrise:speech/d2.0.0, what of the payout was restored so far; expected 1750, found 1"},
		{"who serves a payee approves", yes, inEntry(`"person":"checker"`, `"person":"agent"`),
			"approved/charity:sunrise:speech/d1/agent, who is paid or serves who is approves it; expected nothing, found agent"},
		{"a household approves", yes, inEntry(`"duty":"staff"`, `"duty":"member"`),
			"approved/charity:sunrise:speech/d1/checker, who approves is staff; expected staff, found checker, member of charity"},
		{"an agent's key decides", place{"Fund:CloseCampaign", "close-school"}, inEntry(`"custody":"own"`, `"custody":"agent-held"`),
			"campaign/partner:school:speech, how many different persons of the staff decided; expected 2 or more, found 0"},
		{"a household is passed off as staff", place{"Fund:Confirm", "dispute-1"}, inEntry(`"duty":"member"`, `"duty":"staff"`),
			"person/h1, whose person signed, as what, and who holds its key; expected charity, member, card, found charity, staff, card"},
		{"who is paid proposes", place{"Fund:Propose", "d1"}, inEntry(`"person":"maker"`, `"person":"trader"`),
			"listed/charity:sunrise:speech/d1/0, who proposed it is paid by it or serves who is; expected nothing, found trader"},
		{"a list hides whom it concerns", firstList, inRecord("listed/", `"concerned":["agent",`, `"concerned":[`), `concerning ["agent" "h1" "h2" "trader"] and [], found chunk 0, 3 payees, 80.00 CNY, concerning ["h1" "h2" "trader"]`},
		{"a payee enrols itself", place{"Fund:Enrol", "enrol-key"}, inEntry(`"person":"maker"`, `"person":"trader"`),
			"payee/charity:sunrise:speech/outside:supplier:s1, somebody enrols itself; expected nothing, found trader"},
		{"a key that was lost has approved", place{"Party:Witness", "witness-checker"}, inRecord("person/", `"witness":`, `"suspended":"2026-01-01T00:00:00.000Z","witness":`),
			"person/checker, an order rests on the word of somebody whose key is not in force; expected nothing, found checker"},
		{"a charity supervises itself", opened, everywhere(`"regulator":"regulator"`, `"regulator":"charity"`), "campaign/charity:sunrise:speech, an organisation supervises itself; expected nothing, found charity"},
		{"a grant with costs of its own", granted, everywhere(`"kind":"programme"`, `"kind":"management"`),
			"campaign/partner:school:speech, a grant or an earmark has a line for something else than the programme; expected programme, found management"},
		{"a plan that forgets what is ordered", place{"Fund:AmendCampaign", "amend-1"}, everywhere(`"850.00 CNY"`, `"50.00 CNY"`),
			"campaign/charity:sunrise:speech, a plan does not allow what is ordered on line training already; expected 9000 units for programme, found 5000 units for programme"},
		{"a grant that is used otherwise", place{"Fund:AmendCampaign", "amend-circle"}, everywhere(string(circle), string(school)),
			"campaign/partner:school:speech, the use of money changes that was given for another; expected charity:sunrise:speech, found charity/amend-circle"},
		{"a grant for another purpose", granted, everywhere(`"sector":"12220"`, `"sector":"11110"`),
			`campaign/partner:school:speech, what the money of charity:sunrise:speech is for; expected [{"en":"Speech training"},"12220","CN-53"], found [{"en":"Speech training"},"11110","CN-53"]`},
		{"goods for oneself", place{"Fund:GiveGoods", "give-1"}, inEntry(`"person":"checker"`, `"person":"agent"`),
			"goods/charity:sunrise:speech/rice, who gives goods gets them or serves who does; expected nothing, found agent"},
		{"a remainder that leaves the plans", granted, func(p *parts) {
			everywhere(`"parent":"charity:sunrise:speech",`, ``)(p)
			everywhere(`"leftover":"charity:sunrise:speech"`, `"leftover":"charity:sunrise:circle"`)(p)
		}, "campaign/partner:school:speech, a remainder goes to a campaign that cannot have it; expected grant or filing, not closed, found agreement, active"},
		{"a remainder that counts as a gift", place{"Fund:Carry", "carry-school"}, inRecord("budget/", `"carried":"1000"`, `"carried":"1"`),
			"budget/charity:sunrise:speech, what is ordered on each budget line; expected training 8000, 1000 carried over, found training 8000, 1 carried over"},
		{"an earmark of other lines", granted, everywhere(`"basis":"grant"`, `"basis":"earmark"`), "campaign/partner:school:speech, an earmark is paid that spends on other lines; expected training, found charity/d1-second-pay"},
		{"a grant out of management costs", place{"Fund:Propose", "d1"}, everywhere(`"line":"training"`, `"line":"office"`),
			"campaign/charity:sunrise:speech, an account is paid out of another line than the programme's; expected programme, found management"},
		{"nobody of the charity publishes", place{"Fund:Publish", "pub-1"}, inEntry(`"organisation":"charity","person":"maker"`, `"organisation":"bank","person":"maker"`),
			"publication/charity:sunrise:speech/1, one of the staff of the organisation signs; expected charity, found maker, staff of bank"},
		{"the last publication is another", place{"Fund:Publish", "pub-2"}, inRecord("publications/", `"n":2`, `"n":1`), "publications/charity:sunrise:speech, the last publication; expected 2, document 08"},
		{"what a payee answered", place{"Fund:CallBackPayee", "call-1"}, inRecord("callback/", `"confirmed"`, `"not-reached"`),
			"callback/charity:sunrise:speech/outside:household:ddbbcoobeooegjmdolfcpojadccomibn, what the payee answered; expected confirmed, found not-reached"},
		{"who approved", yes, inRecord("approved/", `"own"`, `"card"`), "approved/charity:sunrise:speech/d1/checker, who approved; expected {"},
		{"goods that vanish", place{"Fund:GiveGoods", "give-1"}, inRecord("goods/", `"given":"200"`, `"given":"0"`), "goods/charity:sunrise:speech/rice, how many of the goods were given on; expected 200 of 500, found 0 of 500"},
		{"an order's mark names another entry", ordering, inRecord("ordered/", `charity/d1-order`, `charity/d2-order`),
			"ordered/charity:sunrise:speech/d1, the entry that made the mark; expected charity/d1-order, found charity/d2-order"},
		{"another invitation than was decided", place{"Fund:Invite", "invite-school"}, inRecord("invited/", `"partner":"partner:school:speech"`, `"partner":"partner:school:other"`),
			"invited/charity:sunrise:speech/partner:school:speech, the invitation; expected partner:school:speech, withdrawn false, found partner:school:other, withdrawn false"},
		{"more goods are given than came", place{"Fund:GiveGoods", "give-1"}, everywhere(`"quantity":"200"`, `"quantity":"600"`), "goods/charity:sunrise:speech/rice, more goods are given on than came; expected 500, found 600"},
		{"a pledge that was kept is cancelled", place{"Fund:SettlePledge", "kept-1"}, inRecord("pledge/", `"state":"kept"`, `"state":"cancelled"`),
			"pledge/charity:sunrise:speech/pledge-1, the pledge; expected 50.00 CNY, kept, found 50.00 CNY, cancelled"},
		{"why something was rejected", place{"Fund:Reject", "no-d4"}, inRecord("rejected/", `"reason":"budget"`, `"reason":"other"`), "rejected/charity:sunrise:speech/d4, why it was rejected; expected budget, found other"},
		{"an entry of another kind", ordering, inEntry(`"kind":"order"`, `"kind":"memo"`), "entry/charity/d1-order, the kind of the entry; expected order, found memo"},
		{"an entry about another campaign", ordering, inEntry(`"subject":"charity:sunrise:speech"`, `"subject":"charity:sunrise:similar"`),
			"campaign/charity:sunrise:speech, the campaign that the entry names; expected charity:sunrise:speech, found charity:sunrise:similar"},
		{"a function that nobody knows", ordering, called("Fund:Squander", "order", "squander"), `entry/charity/d1-order, these books know no entries of the kind "squander"`},
		{"the tape's command on a campaign's money", ordering, called("Tape:OpenJob", "order", "open-job"),
			"campaign/charity:sunrise:speech, a campaign's money is spent by another command than the fund's; expected nothing, found Tape:OpenJob by charity/d1-order"},
		{"a record too many", place{"Tape:Settle", "settle-school"}, func(p *parts) {
			p.results[0].Writes = append(p.results[0].Writes, replay.Write{Key: fund.FlagKey(speech, family), Value: []byte(`{"v":1}`)})
		}, "flag/charity:sunrise:speech/outside:household:ddbbcoobeooegjmdolfcpojadccomibn, the command does not write this record; expected nothing, found {"},
		{"a record that is not written", paid, called("Fund:Restore", "pay", "restore"), "entry/charity/d1-first-pay, it cannot be booked: payout  of charity:sunrise:speech was never ordered"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			blocks := v.chain()
			rewrite(blocks[test.where.in(blocks)], 0, test.change)
			finds(t, booked(t, blocks), "\n"+test.prints)
		})
	}
}

// TestDisputes: what the receiver said last is what counts.
func TestDisputes(t *testing.T) {
	v := newVillage(t)
	v.campaign()
	blocks := v.chain()
	report := booked(t, blocks[:arrived.in(blocks)])
	if report.Fund.Disputes != 2 || report.Fund.Confirmations != 0 {
		t.Errorf("the fund trail is %+v", report.Fund)
	}
	if want := "  campaigns agreeing 4 / 4     disbursements 1     confirmations 0     disputes 2\n"; !strings.Contains(report.Text(), want) {
		t.Errorf("prints %s", report.Text())
	}
}

// TestEmergency: what answers a disaster is spent before its filing number, on
// the programme alone and for ten days.
func TestEmergency(t *testing.T) {
	v := newVillage(t)
	v.campaign()
	for _, test := range []struct{ from, refused string }{
		{"2026-01-01", "d2"}, {"2025-12-22", "d2"}, {"2025-12-21", "d1 d2 d3"},
	} {
		blocks := v.chain()
		rewrite(blocks[opened.in(blocks)], 0, everywhere(`"from":"2025-12-01"`, `"emergency":true,"from":"`+test.from+`"`))
		var early []string
		for _, f := range booked(t, moved(blocks, filed, nil)).Findings {
			if strings.HasPrefix(f.What, "the money of a campaign is ordered whose plan is not in force") {
				early = append(early, strings.TrimPrefix(f.Key, "ordered/charity:sunrise:speech/"))
			}
		}
		if got := strings.Join(early, " "); got != test.refused {
			t.Errorf("from %s: %q were ordered too early, want %q", test.from, got, test.refused)
		}
	}
}

// TestFundOrder tells the same story in another order, or a part of it twice.
func TestFundOrder(t *testing.T) {
	v := newVillage(t)
	v.campaign()
	before := func(what, before place) func([]*common.Block) []*common.Block {
		return func(blocks []*common.Block) []*common.Block { return moved(blocks, what, &before) }
	}
	last := func(what place) func([]*common.Block) []*common.Block {
		return func(blocks []*common.Block) []*common.Block { return moved(blocks, what, nil) }
	}
	twice := func(what place) func([]*common.Block) []*common.Block {
		return func(blocks []*common.Block) []*common.Block { return repeated(blocks, what) }
	}
	for _, test := range []struct {
		name   string
		change func([]*common.Block) []*common.Block
		prints string
	}{
		{"approved after it was ordered", last(yes), "approved/charity:sunrise:speech/d1/checker, an order rests on an approval that no entry before it has recorded; expected nothing, found checker"},
		{"listed after it was approved", last(listed), "approved/charity:sunrise:speech/d1/checker, chunk 1 was not listed before it was approved"},
		{"paid while flagged", last(place{"Fund:SetFlag", "flag-down"}), "flag/charity:sunrise:speech/outside:household:ddbbcoobeooegjmdolfcpojadccomibn, somebody is paid who is flagged; expected nothing, found charity/d1-first-pay"},
		{"a partner is paid after its invitation ended", before(place{"Fund:Invite", "uninvite-school"}, granting),
			"invited/charity:sunrise:speech/partner:school:speech, a partner is paid that is not invited; expected nothing, found charity/d1-second-pay"},
		{"a grant without an invitation", last(place{"Fund:Invite", "invite-school"}), "invited/charity:sunrise:speech/partner:school:speech, a grant is opened that was not invited"},
		{"a grant that is closed is paid", before(place{"Fund:CloseCampaign", "close-school"}, granting),
			"campaign/charity:sunrise:speech, an account is paid that is no open grant or earmark of the campaign; expected nothing, found partner:school:speech"},
		{"an account that is no campaign is paid", last(granted), "campaign/charity:sunrise:speech, an account is paid that is no campaign; expected nothing, found partner:school:speech"},
		{"confirmed before it was paid", before(arrived, place{"Tape:Capture", "capture-d1.0.0"}),
			"confirmation/charity:sunrise:speech/d1.0.0, a payout is confirmed that no line of the bank shows; expected nothing, found 60.00 CNY"},
		{"ordered before the plan was accepted", last(filed), "ordered/charity:sunrise:speech/d1, the money of a campaign is ordered whose plan is not in force; expected active, found draft"},
		{"restored before it was reclaimed", before(place{"Fund:Restore", "restore-d2"}, place{"Tape:Reclaim", "reclaim-d2"}),
			"restored/charity:sunrise:speech/d2.0.0, a payout is restored of which nothing came back since"},
		{"a remainder of what is not closed", last(place{"Fund:CloseCampaign", "close-school"}), "campaign/partner:school:speech, the state of a campaign whose remainder is carried; expected closed, found active"},
		{"a remainder that was never received", before(place{"Fund:Carry", "carry-school"}, place{"Tape:Settle", "settle-school"}), "it cannot be booked: partner:school:speech has 1000 minor units too few free ones"},
		{"accepted with no plan waiting", last(place{"Fund:AmendCampaign", "amend-1"}), "campaign/charity:sunrise:speech, a filing is accepted and no plan waits; expected nothing, found regulator/file-2"},
		{"ordered twice", twice(ordering), "ordered/charity:sunrise:speech/d1, order of disbursement is used twice; expected once, by charity/d1-order, found again by charity/again"},
		{"approved twice", twice(yes), "approved/charity:sunrise:speech/d1/checker, approval is used twice"},
		{"listed twice", twice(listed), "listed/charity:sunrise:speech/d1/1, list is used twice"},
		{"paid twice", twice(paid), "chunk/charity:sunrise:speech/d1/0, chunk is used twice"},
		{"restored twice", twice(place{"Fund:Restore", "restore-d2"}), "restored/charity:sunrise:speech/d2.0.0, a payout is restored of which nothing came back since; expected nothing, found charity/again"},
		{"confirmed twice", twice(arrived), "confirmation/charity:sunrise:speech/d1.0.0, the receiver says the same twice; expected nothing, found bank/again"},
		{"enrolled twice", twice(place{"Fund:Enrol", "enrol-own"}), "payee/charity:sunrise:speech/outside:staff:c1, a payee is enrolled twice; expected nothing, found charity/again"},
		{"declared twice", twice(declared), "settled/charity:sunrise:circle/cash, settlement of is used twice; expected once, by charity/declare-cash, found again by charity/again"},
		{"a document cited twice", twice(place{"Fund:Cite", "cite-1"}), "document is used twice; expected once, by charity/cite-1, found again by charity/again"},
		{"a pledge settled twice", twice(place{"Fund:SettlePledge", "kept-1"}), "pledge/charity:sunrise:speech/pledge-1, a pledge is settled twice; expected nothing, found charity/again"},
		{"published twice", twice(place{"Fund:Publish", "pub-2"}), "publication/charity:sunrise:speech/2, the number of the publication; expected 3, found 2"},
		{"rejected and ordered", func(blocks []*common.Block) []*common.Block {
			no := place{"Fund:Reject", "no-d4"}
			rewrite(blocks[no.in(blocks)], 0, everywhere("d4", "d1"))
			return moved(blocks, place{"Fund:Reject", "no-d1"}, &ordering)
		}, "ordered/charity:sunrise:speech/d1, a disbursement is ordered that was rejected; expected nothing, found charity/d1-order"},
		{"the plan changes before it is approved", func(blocks []*common.Block) []*common.Block {
			return moved(moved(blocks, place{"Fund:AmendCampaign", "amend-1"}, &yes), place{"Fund:AcceptFiling", "file-2"}, &yes)
		}, "approved/charity:sunrise:speech/d1/checker, the plan that the proposal was made under; expected 1, found 2"},
		{"the plan changes before it is ordered", func(blocks []*common.Block) []*common.Block {
			return moved(moved(blocks, place{"Fund:AmendCampaign", "amend-1"}, &ordering), place{"Fund:AcceptFiling", "file-2"}, &ordering)
		}, "ordered/charity:sunrise:speech/d1, the plan that the proposal was made under; expected 1, found 2"},
		{"a maker approves and orders", func(blocks []*common.Block) []*common.Block {
			rewrite(blocks[yes.in(blocks)], 0, everywhere("checker", "maker"))
			rewrite(blocks[ordering.in(blocks)], 0, everywhere("checker", "maker"))
			return blocks
		}, "ordered/charity:sunrise:speech/d1, an order rests on its maker's own approval; expected nothing, found maker"},
		{"a policy without a threshold", func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Party:Found", "found"), 0, inRecord("policy", `"1000000.00 CNY"`, `"1000000 VND"`))
			return blocks
		}, "campaign/charity:sunrise:speech, the policy has no threshold for CNY"},
		{"a policy that asks for three", func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Party:Found", "found"), 0, inRecord("policy", `"approvers":2`, `"approvers":3`))
			return blocks
		}, "ordered/charity:sunrise:speech/d1, how many different persons of the staff decided; expected 3 or more, found 2"},
		{"a policy that asks for two organisations", func(blocks []*common.Block) []*common.Block {
			rewrite(find(blocks, "Party:Found", "found"), 0, inRecord("policy", `"1000000.00 CNY"`, `"89.99 CNY"`))
			return blocks
		}, "ordered/charity:sunrise:speech/d1, of how many organisations those are who decided on 90.00 CNY; expected 2 or more, found 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			finds(t, booked(t, test.change(v.chain())), "\n"+test.prints)
		})
	}
}

// TestFundForgery has three organisations write records as they like.
func TestFundForgery(t *testing.T) {
	v := newVillage(t)
	v.campaign()
	forgeries := []struct{ name, key, value, prints string }{
		{"a budget is emptied", fund.BudgetKey(speech), `{"account":"charity:sunrise:speech","lines":[],"v":1}`,
			"budget/charity:sunrise:speech, the record is not as the last command left it; expected {"},
		{"a confirmation out of nothing", fund.ConfirmationKey(speech, "d1.0.1"), `{"outcome":"arrived","v":1}`,
			"confirmation/charity:sunrise:speech/d1.0.1, no command wrote this record; expected nothing, found {"},
		{"a flag that vanishes", fund.FlagKey(speech, neighbour), "", "flag/charity:sunrise:speech/outside:household:pjjipoagkpkamplohdoaeejnmclbgjid, the record is gone; expected {"},
		{"an approval out of nothing", fund.ApprovedKey(speech, "d4", "maker"), `{"v":1}`, "approved/charity:sunrise:speech/d4/maker, no command wrote this record"},
	}
	for _, one := range forgeries {
		v.commit(v.Forge(v.Identity("coop", "gateway"), func(set *replay.Set) {
			set.Writes = append(set.Writes, replay.Write{Key: one.key, Value: []byte(one.value), Delete: one.value == ""})
		}, "charity", "coop", "insurer"))
	}
	report := run(t, v, v.chain(), v.honest)
	for _, one := range forgeries {
		t.Run(one.name, func(t *testing.T) { finds(t, report, "replay: \nbooks: "+one.prints) })
	}
	if want := (books.Trail{Campaigns: 4, Agreeing: 3, Disbursements: 4, Confirmations: 1, Disputes: 1}); report.Fund != want {
		t.Errorf("the fund trail is %+v", report.Fund)
	}
}

// TestFundCollusion has three organisations endorse commands that exclude one another.
func TestFundCollusion(t *testing.T) {
	withOwner := []string{"charity", "coop", "insurer"}
	for _, test := range []struct {
		name   string
		forge  func(v *village)
		prints string
	}{
		{"one disbursement is ordered twice", func(v *village) {
			p := v.approved("d5", "training", []tape.Payment{payTo("a", 400, supplier)})
			v.twice("Fund:Order", func(id tape.ID) any {
				order := orderOf(p)
				order.ID = id
				return order
			}, withOwner...)
		}, "ordered/charity:sunrise:speech/d5, order of disbursement is used twice; expected once, by charity/one, found again by charity/two"},
		{"two orders share one cap", func(v *village) {
			orders := []fund.Order{orderOf(v.approved("d5", "office", []tape.Payment{payTo("a", 950, clerk)})), orderOf(v.approved("d6", "office", []tape.Payment{payTo("a", 950, clerk)}))}
			v.twice("Fund:Order", func(id tape.ID) any {
				order := orders[0]
				orders = orders[1:]
				order.ID = id
				return order
			}, withOwner...)
		}, "management costs are above the plan's cap"},
		{"two publications of one number", func(v *village) {
			v.twice("Fund:Publish", func(id tape.ID) any {
				return v.signedBy("publish", speech, 0, fund.Publish{Account: speech, Block: v.last(), Document: merkle.Hash{byte(len(id) + int(id[0]))}, Duty: "progress", From: "2025-12-01", ID: id, N: 3,
					To: v.today(), Figures: fund.Figures{Raised: cny(0), Settled: cny(0), Ordered: cny(0), Paid: cny(0), Confirmed: cny(0), Management: cny(0)}}, "maker")
			}, withOwner...)
		}, "publication/charity:sunrise:speech/3, the number of the publication; expected 4, found 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := newVillage(t)
			v.campaign()
			test.forge(v)
			report := replayed(v.chain())
			finds(t, report, "\n"+test.prints)
			if report.Fund.Agreeing != report.Fund.Campaigns-1 {
				t.Errorf("the fund trail is %+v", report.Fund)
			}
		})
	}
}
