package donation

import (
	"bytes"
	"encoding/json"
	"errors"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rsc.io/qr"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

func sound() Receipt {
	return Receipt{
		Number:     "SR-2026-000417",
		Charity:    Charity{Name: Text{"晨曦慈善基金会", "Sunrise Charity Foundation"}, CreditCode: exampleCode},
		Donor:      Donor{Kind: Named, Name: "欧阳晓霞"},
		Campaign:   Campaign{Title: Text{"三十名听障儿童语言康复", "Speech training for 30 children"}, FilingNumber: "53100000500000005WA26001"},
		Amount:     money.New(168032, "CNY"),
		ReceivedOn: "2026-03-12", IssuedOn: "2026-03-15",
		Handler: "李敏", Reference: "RF56RCEF00000000000A",
		GiftCode: "7Q2F-31KX-90VM-4TCA", GiftPage: "https://gifts.example.org/zh-CN/gift/7Q2F31KX90VM4TCA",
	}
}

// worth is a bag of rice with a value, which may be none.
func worth(value string, basis Basis, number string) Goods {
	g := Goods{Name: same("大米"), Unit: same("袋"), Quantity: 1, Basis: basis, BasisNumber: number}
	if value != "" {
		if err := g.Value.UnmarshalText([]byte(value)); err != nil {
			panic(err)
		}
	}
	return g
}

// exampleCode checks itself and is that of an invented charity.
const exampleCode = "5310000050000000EC"

func TestCreditCode(t *testing.T) {
	// Published codes of two universities and three companies.
	for _, code := range []string{"12100000400000624D", "12100000400002259P", "91330100799655058B", "9144030071526726XG", "914403001922038216"} {
		if !isCreditCode(code) {
			t.Errorf("%s is refused", code)
		}
	}
	for at := range exampleCode {
		for _, c := range "0123456789ABCDEFGHJKLMNPQRTUWXYIOZSV捐" {
			if wrong := exampleCode[:at] + string(c) + exampleCode[at+1:]; wrong != exampleCode && isCreditCode(wrong) {
				t.Errorf("%s passes for %s", wrong, exampleCode)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	if err := sound().Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*Receipt)
		want   string
	}{
		{func(r *Receipt) { r.Number = "" }, "invalid: field number: is missing"},
		{func(r *Receipt) { r.Handler = "" }, "invalid: field handler: is missing"},
		{func(r *Receipt) { r.Handler = "李敏 " }, "invalid: field handler: holds what cannot be printed"},
		{func(r *Receipt) { r.Donor.Name = "a\u202eb" }, "invalid: field donor.name: holds what cannot be printed"},
		{func(r *Receipt) { r.Donor.Name = "\xff" }, "invalid: field donor.name: holds what cannot be printed"},
		{func(r *Receipt) { r.Donor.Name = strings.Repeat("长", 91) }, "invalid: field donor.name: is longer than 90"},
		{func(r *Receipt) { r.Donor = Donor{Named, ""} }, "invalid: field donor.name: is missing"},
		{func(r *Receipt) { r.Donor.Kind = Anonymous }, "invalid: field donor.name: an anonymous giver has no name"},
		{func(r *Receipt) { r.Donor.Kind = "secret" }, "invalid: field donor.kind: "},
		{func(r *Receipt) { r.Charity.CreditCode = "531000005000000050" }, "invalid: field charity.creditCode: "},
		{func(r *Receipt) { r.Campaign.FilingNumber = "" }, "invalid: field campaign.filingNumber: is missing"},
		{func(r *Receipt) { r.Amount = money.Amount{} }, "invalid: field amount: a receipt names"},
		{func(r *Receipt) { r.Amount = money.New(0, "CNY") }, "invalid: field amount: 0.00 CNY is not more than zero"},
		{func(r *Receipt) { r.Amount = money.New(1, "VND") }, "unsupported: field amount: "},
		{func(r *Receipt) { r.Goods = []Goods{{Name: same("大米"), Unit: same("袋")}} }, "invalid: field goods[0].quantity: 0"},
		{func(r *Receipt) { r.Goods = []Goods{{Unit: same("袋"), Quantity: 1}} }, "invalid: field goods[0].name.zh: is missing"},
		{func(r *Receipt) { r.Goods = []Goods{worth("0.00 CNY", "", "")} }, "invalid: field goods[0].basis: a value stands"},
		{func(r *Receipt) { r.Goods = []Goods{worth("5.00 CNY", "guess", "1")} }, "invalid: field goods[0].basis: a value stands"},
		{func(r *Receipt) { r.Goods = []Goods{worth("", Invoice, "1")} }, "invalid: field goods[0].value: is missing"},
		{func(r *Receipt) { r.Goods = []Goods{worth("5 VND", Invoice, "1")} }, "invalid: field goods[0].value: 5 VND"},
		{func(r *Receipt) { r.Goods = []Goods{worth("5.00 CNY", Appraisal, "")} }, "invalid: field goods[0].basisNumber: is missing"},
		{func(r *Receipt) { r.Replaces = "a\u202eb" }, "invalid: field replaces: holds what"},
		{func(r *Receipt) { r.Goods = make([]Goods, 21) }, "invalid: field goods: "},
		{func(r *Receipt) { r.IssuedOn = "2026-03-11" }, "invalid: field issuedOn: a receipt cannot be issued on 2026-03-11"},
		{func(r *Receipt) { r.ReceivedOn = "2026-02-30" }, "invalid: field receivedOn: "},
		{func(r *Receipt) { r.Reference = "RF57RCEF00000000000A" }, "invalid: field reference: the check digits"},
		{func(r *Receipt) { r.GiftPage = "javascript:alert(1)" }, "invalid: field giftPage: "},
		{func(r *Receipt) { r.GiftPage = "https://a:b@host/" }, "invalid: field giftPage: "},
		{func(r *Receipt) { r.GiftCode = "" }, "invalid: field giftCode: is missing"},
	} {
		r := sound()
		c.change(&r)
		if err := r.Check(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
		if err := r.WriteHTML(&bytes.Buffer{}); err == nil {
			t.Error("it is written all the same")
		}
	}
}

// papers are receipts with everything, with little, and with what is awkward.
func papers() map[string]struct {
	receipt Receipt
	say     []string
	not     []string
} {
	anonymous, waived, goods, wide := sound(), sound(), sound(), sound()
	anonymous.Donor = Donor{Kind: Anonymous}
	waived.Donor.Kind = Waived
	goods.Amount, goods.Reference = money.Amount{}, ""
	goods.Goods = []Goods{{Name: Text{"大米", "Rice"}, Unit: Text{"袋", "bags"}, Quantity: 300, Value: money.New(4_500_00, "CNY"), Basis: Invoice, BasisNumber: "0044120031"}, {Name: same("棉被"), Unit: same("床"), Quantity: 12}}
	goods.OfficialNumber, goods.Replaces = "0612345678", "SR-2026-000012"
	wide.Donor.Name = strings.Repeat("很长的单位名称", 12)
	wide.Campaign.Title = Text{strings.Repeat("名称很长的项目", 12), strings.Repeat("campaign with a long ", 4) + "name"}
	wide.Amount = money.New(money.Max, "CNY")
	return map[string]struct {
		receipt Receipt
		say     []string
		not     []string
	}{
		"named": {sound(), []string{"捐赠票据", "Donation receipt", "SR-2026-000417", "欧阳晓霞", "三十名听障儿童语言康复", "53100000500000005WA26001", "¥1,680.32 CNY",
			"人民币壹仟陆佰捌拾元零叁角贰分", "One thousand six hundred eighty yuan and thirty-two fen only", "2026年3月12日", "15 March 2026",
			"RF56 RCEF 0000 0000 000A", "晨曦慈善基金会", exampleCode, "李敏", "7Q2F-31KX-90VM-4TCA", "不替代财政部门监制"}, []string{"匿名"}},
		"anonymous": {anonymous, []string{"捐赠记录", "Record of a gift", "匿名", "Anonymous", "7Q2F-31KX-90VM-4TCA", "第三十八条"}, []string{"捐赠票据 ", "欧阳"}},
		"waived":    {waived, []string{"捐赠记录", "欧阳晓霞（放弃接受捐赠票据）"}, []string{"不替代"}},
		"goods":     {goods, []string{"大米 300 袋", "Rice, 300 bags", "棉被 12 床", "¥4,500.00 CNY（依据发票 0044120031）", ", by invoice 0044120031", "替换并作废的票据", "SR-2026-000012", "公益事业捐赠统一票据号码", "0612345678"}, []string{"人民币", "不替代", "RF56"}},
		"wide":      {wide, []string{"¥90,071,992,547,409.91 CNY", "玖拾万零柒佰壹拾玖亿"}, nil},
	}
}

func TestReceiptsAreKeptAsJSON(t *testing.T) {
	for name, c := range papers() {
		text, err := json.Marshal(c.receipt)
		if err != nil {
			t.Fatal(name, err)
		}
		var back Receipt
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, c.receipt) {
			t.Errorf("%s comes back as %+v, %v", name, back, err)
		}
	}
}

func TestWriteHTML(t *testing.T) {
	for name, c := range papers() {
		var out bytes.Buffer
		if err := c.receipt.WriteHTML(&out); err != nil {
			t.Fatal(name, err)
		}
		page := out.String()
		for _, text := range c.say {
			if !strings.Contains(page, text) {
				t.Errorf("%s does not say %q", name, text)
			}
		}
		for _, text := range c.not {
			if strings.Contains(page, text) {
				t.Errorf("%s says %q", name, text)
			}
		}
		if strings.Contains(page, "<script") || strings.Contains(page, "style=") || strings.Contains(page, "ZgotmplZ") {
			t.Errorf("%s has script or style of its own", name)
		}
	}
	r := sound()
	r.Donor.Name = `<b onclick="x">`
	var out bytes.Buffer
	if err := r.WriteHTML(&out); err != nil || strings.Contains(out.String(), "<b ") {
		t.Errorf("a name is taken for markup: %v", err)
	}
}

func font(t *testing.T) *Font {
	t.Helper()
	f, err := FindFont("")
	if rule.Is(err, rule.NotFound) {
		t.Skip("NOT TESTED: " + err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("NOT TESTED: %s is missing; apt-get install poppler-utils", name)
	}
	return path
}

func TestWritePDF(t *testing.T) {
	f, pdftotext := font(t), program(t, "pdftotext")
	for name, c := range papers() {
		path := filepath.Join(t.TempDir(), name+".pdf")
		var out, again bytes.Buffer
		if err := errors.Join(c.receipt.WritePDF(&out, f), c.receipt.WritePDF(&again, f), os.WriteFile(path, out.Bytes(), 0o600)); err != nil {
			t.Fatal(name, err)
		}
		if !bytes.Equal(out.Bytes(), again.Bytes()) {
			t.Errorf("%s: the same receipt gives other bytes", name)
		}
		if keep := os.Getenv("LIANBAO_PAPERS"); keep != "" {
			_ = os.WriteFile(filepath.Join(keep, name+".pdf"), out.Bytes(), 0o600)
		}
		if !bytes.Contains(out.Bytes(), []byte("/Lang (zh-CN)")) || bytes.Count(out.Bytes(), []byte("/Type /Page\n")) != 1 || out.Len() > 200_000 {
			t.Errorf("%s: language, one sheet or size is wrong: %d bytes", name, out.Len())
		}
		said, err := exec.Command(pdftotext, "-enc", "UTF-8", path, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(string(said)), "")
		for _, want := range c.say {
			if !strings.Contains(text, strings.ReplaceAll(want, " ", "")) {
				t.Errorf("%s does not say %q:\n%s", name, want, said)
			}
		}
		info, err := exec.Command(program(t, "pdfinfo"), path).Output()
		if err != nil || !strings.Contains(string(info), c.receipt.Title().Chinese) {
			t.Errorf("%s has no title: %s %v", name, info, err)
		}
	}
}

// TestTheCodeOnPaper compares the squares on the printed sheet with the code of the page.
func TestTheCodeOnPaper(t *testing.T) {
	f, pdftoppm := font(t), program(t, "pdftoppm")
	r := sound()
	path := filepath.Join(t.TempDir(), "one.pdf")
	var out bytes.Buffer
	if err := errors.Join(r.WritePDF(&out, f), os.WriteFile(path, out.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	sheet, err := exec.Command(pdftoppm, "-r", "300", "-png", "-singlefile", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(sheet))
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(r.GiftPage, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	const dots = 300 / 25.4
	black := func(x, y float64) bool { r, _, _, _ := picture.At(int(x*dots), int(y*dots)).RGBA(); return r < 0x4000 }
	module := codeSide / float64(code.Size+2*quiet)
	left, top := margin+quiet*module, 0.0
	for y := 150.0; y < 290; y += 0.1 { // the first black dot of the corner below the lines
		if black(left+module/2, y) && black(left+module*3.5, y) && black(left+module*6.5, y) {
			top = y
			break
		}
	}
	for y := range code.Size {
		for x := range code.Size {
			if black(left+(float64(x)+0.5)*module, top+(float64(y)+0.5)*module) != code.Black(x, y) {
				t.Fatalf("module %d,%d is wrong on paper (top %.1f mm)", x, y, top)
			}
		}
	}
}

func TestFonts(t *testing.T) {
	folder := t.TempDir()
	if _, err := findFont("", []string{filepath.Join(folder, "none.ttf")}); !rule.Is(err, rule.NotFound) || !strings.Contains(err.Error(), "apt-get install fonts-droid-fallback") {
		t.Error(err)
	}
	if _, err := FindFont(filepath.Join(folder, "none.ttf")); !rule.Is(err, rule.NotFound) {
		t.Error(err)
	}
	for name, content := range map[string]string{"empty": "", "text": "not a font at all", "collection": "ttcf\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x10",
		"otto": "OTTO\x00\x01\x00\x00\x00\x00\x00\x00", "lying": "\x00\x01\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00"} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := FindFont(path); !rule.Is(err, rule.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := font(t)
	r := sound()
	r.Donor.Name = "𠮷田"
	err := r.WritePDF(&bytes.Buffer{}, f)
	if !rule.Is(err, rule.Unsupported) || !strings.Contains(err.Error(), "𠮷 (U+20BB7)") {
		t.Error(err)
	}
	for cut := 0; cut < len(f.bytes); cut += len(f.bytes)/40 + 1 {
		signsOf(f.bytes[:cut]) // must not panic
	}
}

func TestTooMuchForOneSheet(t *testing.T) {
	r := sound()
	for range goodsMax {
		r.Goods = append(r.Goods, Goods{Name: same(strings.Repeat("大米", 40)), Unit: same("袋"), Quantity: 1})
	}
	if err := r.WritePDF(&bytes.Buffer{}, font(t)); !rule.Is(err, rule.Invalid) || !strings.Contains(err.Error(), "one sheet") {
		t.Error(err)
	}
}
