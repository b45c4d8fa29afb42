package portal

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
)

// opens reads the form of a receipt, by the link that a page has.
func (v *visitor) opens(page string) (path string) {
	v.Helper()
	v.request(http.MethodGet, page, nil)
	found := regexp.MustCompile(`href="([^"]*/receipt\?[^"]*)"`).FindStringSubmatch(v.body)
	if found == nil {
		v.Fatalf("%s leads to no receipt", page)
	}
	path = html.UnescapeString(found[1])
	v.request(http.MethodGet, path, nil)
	return path
}

// TestStaffWriteReceipts: on proof, numbered, corrected, found by the code on
// the paper, void when the gift went back; the name is nowhere on the ledger.
func TestStaffWriteReceipts(t *testing.T) {
	w := newTown(t)
	maker := w.logsIn("maker")
	gift := "/en/gifts/GIFT-1?account=" + string(speech) + "&page=page-1"
	path := maker.opens(gift)
	right := map[string]string{"giver-name": "Invented Wrongname", "day": "2026-01-01", "amount": "100", "proof": "T-0001"}
	fields := func(change ...string) []string {
		typed := []string{}
		for name, value := range right {
			for i := 0; i < len(change); i += 2 {
				if change[i] == name {
					value = change[i+1]
				}
			}
			typed = append(typed, name, value)
		}
		return typed
	}
	for _, wrong := range []struct{ field, value, want string }{
		{"amount", "99", "the giver's line is of 99.00 CNY, the gift of 100.00 CNY"}, {"amount", "1,50", "is not an amount"}, {"day", "2025-12-22", "the giver's line is of 2025-12-22"},
		{"day", "2026-01-03", "the giver's line is of 2026-01-03"}, {"day", "", "the giver's line is of "}, {"giver-name", "", "is missing"}, {"proof", "", "is the number of the paper"},
	} {
		maker.posts(path, fields(wrong.field, wrong.value)...)
		if maker.reads(says(t, "en", "ask.mend"), wrong.want); maker.code != http.StatusUnprocessableEntity || strings.Contains(maker.body, "CHARITY-2026") {
			t.Errorf("%s %q: %d", wrong.field, wrong.value, maker.code)
		}
	}
	for range 2 {
		maker.posts(path, fields()...)
		maker.reads("Invented Wrongname", "CHARITY-2026-000001", "壹佰元整", "Give the paper to the giver alone")
	}
	maker.posts(path, fields("giver-name", "Invented Rightname")...)
	maker.reads("Invented Rightname", "CHARITY-2026-000002", "Replaces and makes void", "CHARITY-2026-000001")
	if strings.Contains(maker.body, "Wrongname") {
		t.Error("the wrong name is still there")
	}
	code := regexp.MustCompile(`name="code" value="([^"]+)"`).FindStringSubmatch(maker.body)[1]
	public := &visitor{town: w}
	public.posts("/en/receipts", "code", code)
	public.reads("The charity wrote this receipt for you on proof.", "CHARITY-2026-000002", "Invented Rightname", "Reached somebody")
	for _, who := range []*visitor{public, w.logsIn("checker")} {
		if who.request(http.MethodGet, gift, nil); strings.Contains(who.body, "/receipt?") {
			t.Error("others than makers are led to the form")
		}
		if who.request(http.MethodGet, path, nil); strings.Contains(who.body, "Rightname") {
			t.Errorf("others than makers read the name: %d", who.code)
		}
	}
	proof, err := tape.NewGiftProof("page-1", given, 0)
	w.decided("refund", "Tape:Refund", speech, 10_000, tape.Refund{Account: speech, Expires: tape.Instant(w.network.Clock().AddDate(0, 0, 2).UnixMilli()), Gift: made(w.ledger, proof, err), ID: "refund-7", To: given[0].Giver()})
	w.follow()
	maker.request(http.MethodGet, path, nil)
	maker.reads("CHARITY-2026-000002 作废 VOID")
	if strings.Contains(maker.body, `name="giver-name"`) {
		t.Error("what went back can be written anew")
	}
	w.nowhere("Rightname", "Wrongname")
}

// nowhere reads every block for words that must not be on the ledger.
func (w *town) nowhere(words ...string) {
	w.Helper()
	for n := range w.network.Height() {
		block, err := proto.Marshal(w.network.Block(n))
		made(w.ledger, block, err)
		for _, word := range words {
			if strings.Contains(string(block), word) {
				w.Errorf("block %d holds %s", n, word)
			}
		}
	}
}

// TestReceiptByCode: who announced and paid without the reference shows the code.
func TestReceiptByCode(t *testing.T) {
	w := newTown(t)
	attempt, err := w.desk.NewAttempt()
	made(w.ledger, attempt, err)
	announced, code, _, err := w.desk.Accept(w.Context(), giving.Ask{Attempt: attempt, Account: speech, Amount: yuan(20_000), Donor: donation.Donor{Kind: donation.Named, Name: "Invented Giver"}})
	made(w.ledger, announced, err)
	maker := w.logsIn("maker")
	path := maker.opens("/en/gifts/GIFT-2?account=" + string(speech) + "&page=page-1")
	maker.posts(path, "giver-code", "NOSUCHCODE")
	maker.reads("no gift is known under this code")
	maker.posts(path, "giver-code", code.String())
	maker.reads("The receipt comes by that code")
	public := &visitor{town: w}
	public.posts("/en/receipts", "code", code.String())
	public.reads("You announced 200.00 CNY", "CHARITY-2026-000001", "Invented Giver", "GIFT-2")
}

// TestGoodsReceipt: quantity from the ledger, a value only by a paper that gives it.
func TestGoodsReceipt(t *testing.T) {
	w := newTown(t)
	w.charity("Fund:ReceiveGoods", w.by("maker", "receive-goods", 0, fund.ReceiveGoods{Account: speech, ID: "blankets", Item: "blanket", Quantity: 200, Unit: "piece"}))
	w.follow()
	maker := w.logsIn("maker")
	path := maker.opens("/en/campaigns/" + string(speech))
	maker.reads("200 piece blanket")
	fields := []string{"giver-name", "Invented Weavers", "delivery", "D-7", "description-zh", "毛毯", "description-en", "Blankets", "counted-in-zh", "条", "counted-in-en", "pieces"}
	for _, wrong := range [][]string{{"worth", "5,000"}, {"worth-by", "invoice", "worth-number", "1"}, {"worth", "5,000", "worth-by", "invoice"}, {"worth", "0", "worth-by", "invoice", "worth-number", "1"}} {
		maker.posts(path, append(fields, wrong...)...)
		if maker.reads(says(t, "en", "ask.mend")); maker.code != http.StatusUnprocessableEntity || strings.Contains(maker.body, "CHARITY-2026") {
			t.Errorf("%v: %d", wrong, maker.code)
		}
	}
	maker.posts(path, fields...)
	maker.reads("CHARITY-2026-000001", "毛毯 200 条", "Blankets, 200 pieces", "Invented Weavers")
	if strings.Contains(maker.body, "Value of the goods") {
		t.Error("a value stands on the receipt that no paper gives")
	}
	maker.posts(path, append(fields, "worth", "5,000", "worth-by", "appraisal", "worth-number", "P-9")...)
	maker.reads("CHARITY-2026-000002", "¥5,000.00 CNY, by appraisal P-9")
	code := regexp.MustCompile(`name="code" value="([^"]+)"`).FindStringSubmatch(maker.body)[1]
	public := &visitor{town: w}
	public.posts("/zh-CN/receipts", "code", code)
	public.reads("您捐赠的物资", "200 piece", "CHARITY-2026-000002", "依据评估报告 P-9")
	if _, err := donation.FindFont(""); err == nil {
		if public.posts("/zh-CN/receipts/pdf", "code", code, "gift", "blankets"); !strings.HasPrefix(public.body, "%PDF-") {
			t.Errorf("the PDF: %d %.100s", public.code, public.body)
		}
	}
	public.posts("/zh-CN/receipts/erase", "code", code, "sure", "yes")
	maker.request(http.MethodGet, path, nil)
	if maker.reads("The receipt comes by that code"); strings.Contains(maker.body, "Weavers") {
		t.Error("an erased name is shown")
	}
	w.nowhere("Weavers", "毛毯")
}
