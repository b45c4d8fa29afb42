package dossier_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/dossier/seal"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// pseudonym is a made-up one that is the same in each run.
func pseudonym(seed string) dossier.Pseudonym {
	digest := sha256.Sum256([]byte("pseudonym " + seed))
	return tape.PseudonymOf([16]byte(digest[:16]))
}

func salt(seed string) dossier.Salt {
	digest := sha256.Sum256([]byte("salt " + seed))
	return dossier.Salt(digest[:16])
}

func TestPseudonym(t *testing.T) {
	if got := tape.PseudonymOf([16]byte{0x01, 0xf0}); got[:4] != "abpa" {
		t.Errorf("01 f0 is spelled %s", got[:4])
	}
	for _, c := range []struct{ text, answer string }{
		{string(pseudonym("a")), ""},
		{"", "is not a pseudonym"},
		{"zhangsan", "is not a pseudonym"},
		{"13912345678", "is not a pseudonym"},
		{"110105194912310021110105194912310", "is not a pseudonym"},
		{"11010519491231002111010519491231", "is not a pseudonym"},
		{strings.ToUpper(string(pseudonym("a"))), "is not a pseudonym"},
		{string(pseudonym("a")) + "a", "is not a pseudonym"},
		{strings.Repeat("ab", 16), "is not drawn at random: it has 2 different letters"},
		{strings.Repeat("abcdefg", 5)[:32], "is not drawn at random: it has 7 different letters"},
		{strings.Repeat("abcdefgh", 4), ""},
	} {
		says(t, c.text, dossier.Pseudonym(c.text).Check(), c.answer)
	}
}

func says(t *testing.T, name string, err error, want string) {
	t.Helper()
	if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
		t.Errorf("%s: %v, want %q", name, err, want)
	}
}

func TestCollection(t *testing.T) {
	for _, c := range []struct{ name, msp, check, open string }{
		{"charity-bank", "BankMSP", "", ""},
		{"_implicit_org_BankMSP", "BankMSP", "", ""},
		{"_implicit_org_BankMSP", "CharityMSP", "", "forbidden: field collection: belongs to another organisation"},
		{"_implicit_org_BankMSP", "", "", "forbidden"},
		{"_implicit_org_", "", "an MSP id has 1 to 64 characters", ""},
		{"_implicit_org_a/b", "", "an MSP id has letters", "forbidden"},
		{"_implicit_org_" + strings.Repeat("M", 65), "", "an MSP id has 1 to 64 characters", "forbidden"},
		{"Charity", "", "is not a collection", ""},
		{"", "", "is not a collection", ""},
		{"a/b", "", "is not a collection", ""},
	} {
		says(t, c.name, dossier.Collection(c.name).Check(), c.check)
		says(t, c.name, dossier.Collection(c.name).Open(c.msp), c.open)
	}
	if dossier.OwnCollection("BankMSP") != "_implicit_org_BankMSP" {
		t.Error("Fabric calls it otherwise")
	}
}

// valid are values that are taken, one of each class with all its fields.
func valid(class dossier.Class) dossier.Value {
	v := dossier.Value{V: 1, Class: class, Salt: salt("1")}
	switch class {
	case dossier.Donor:
		v.Fields = dossier.Fields{Address: "88 Invented Road", Email: "li@example.org", IDNumber: "ZZ-0000001", Name: "李示例", Phone: "+86 000 0000 0001"}
	case dossier.Household:
		v.Fields = dossier.Fields{Address: "不存在路 1 号", BirthDate: "1980-01-31", IDNumber: "000000198001310000", Name: "王虚构", Phone: "000", Village: "虚构村"}
	case dossier.PayeeBankAccount:
		v.Fields = dossier.Fields{Account: "0000 0000 0000 0001", Bank: "Invented Bank", Branch: "Nowhere", Name: "Ann Example"}
	case dossier.Guardian:
		v.Fields = dossier.Fields{Address: "1 Nowhere", IDNumber: "X000001", Name: "赵示例", Phone: "001", Relation: "祖母"}
	case dossier.Contact:
		v.Fields = dossier.Fields{Email: "a@example.org", Name: "Ann Example", Phone: "002", Relation: "secretary"}
	}
	return v
}

func TestValuesOfEachClass(t *testing.T) {
	for _, class := range dossier.Classes() {
		data, err := valid(class).Encode()
		if err != nil {
			t.Fatal(err)
		}
		read, err := dossier.ReadValue(data)
		if err != nil || read != valid(class) {
			t.Errorf("%s: %+v, %v", class, read, err)
		}
		// Each field that another class has is refused here, unless this one has it too.
		for _, other := range dossier.Classes() {
			mixed := valid(other)
			mixed.Class = class
			if err := mixed.Check(); (err == nil) != (other == class) {
				t.Errorf("%s with the fields of %s: %v", class, other, err)
			}
		}
	}
}

func TestValuesThatAreRefused(t *testing.T) {
	const secret = "欧阳秘密"
	good, err := valid(dossier.Donor).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ before, after, answer string }{
		{`"v":1`, `"v":2`, "unsupported: field v: is not 1"},
		{`"class":"donor"`, `"class":"` + secret + `"`, "invalid: field class: is none of [donor household payee-bank-account guardian contact]"},
		{`"class":"donor"`, `"class":"contact"`, "invalid: field fields.address: does not belong into a value of the class contact"},
		{`"name":"李示例"`, `"name":""`, "invalid: field fields.name: is missing, doubled"},
		{`"name":"李示例",`, ``, "invalid: field fields.name: is missing; a value of the class donor needs it"},
		{`"name":"李示例"`, `"name":"` + strings.Repeat("长", 67) + `"`, "invalid: field fields.name: is 201 bytes long; 200 are possible"},
		{`"name":"李示例"`, `"name":" ` + secret + `"`, "invalid: field fields.name: holds characters that do not belong there"},
		{`"name":"李示例"`, `"name":"` + secret + `\n"`, "invalid: field fields.name: holds characters"},
		{`"name":"李示例"`, `"name":"a` + "\u202e" + secret + `"`, "invalid: field fields.name: holds characters"},
		{`"name":"李示例"`, `"name":7`, "invalid: field fields.name: is missing, doubled, or not spelled as it must be"},
		{`"name":"李示例"`, `"` + secret + `":"李示例"`, "invalid: is not the canonical JSON that is asked for"},
		{`"phone":"+86 000 0000 0001"`, `"phone":"` + secret + `"`, "invalid: field fields.phone: holds characters"},
		{`"idNumber":"ZZ-0000001"`, `"idNumber":"no digits"`, "invalid: field fields.idNumber: holds characters"},
		{`"salt":"`, `"salt":"x`, "invalid: field salt: is missing, doubled, or not spelled as it must be"},
		{`"salt":"` + salt("1").String(), `"salt":"AAAAAAAAAAAAAAAAAAAAAA`, "invalid: field salt: is not drawn at random: it has 1 different bytes"},
		{`{"class"`, `{ "class"`, "invalid: is not the canonical JSON"},
		{`}`, `},"also":"` + secret + `"`, "invalid: is not the canonical JSON"},
	} {
		if !strings.Contains(string(good), c.before) {
			t.Fatalf("the value holds no %s: %s", c.before, good)
		}
		_, err := dossier.ReadValue([]byte(strings.Replace(string(good), c.before, c.after, 1)))
		says(t, c.after, err, c.answer)
		if err == nil || strings.Contains(err.Error(), "秘密") || strings.Contains(err.Error(), "示例") {
			t.Errorf("%s: the refusal repeats what it refuses: %v", c.after, err)
		}
	}
	_, err = dossier.ReadValue([]byte(strings.Repeat(secret, 1000)))
	says(t, "long", err, "invalid: is 12000 bytes long; 4096 are possible")
}

// TestDates: a birth date is a day that exists.
func TestDates(t *testing.T) {
	v := valid(dossier.Household)
	v.Fields.BirthDate = "1980-02-30"
	says(t, "30 February", v.Check(), "invalid: field fields.birthDate: holds characters")
}

const today = tape.Date("2026-01-01")

func context(command string) tape.Context {
	return tape.Context{Organisation: "charity", Role: "gateway", Date: today, Command: command, Rules: 1}
}

func TestSeal(t *testing.T) {
	query := dossier.ShowQuery{Collection: "charity-bank", Record: pseudonym("r")}
	key := []byte(strings.Repeat("k", seal.KeyBytes))
	value, err := valid(dossier.Donor).Encode()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := seal.Close(key, query, value)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := seal.Close(key, query, value)
	if again != answer {
		t.Error("two peers would answer with other bytes")
	}
	text, _ := json.Marshal(answer)
	if strings.Contains(string(text), "李示例") || strings.Contains(string(text), "88 Invented") {
		t.Errorf("the sealed answer is legible: %s", text)
	}
	if opened, err := answer.Open(key, query); err != nil || string(opened) != string(value) {
		t.Errorf("opened to %s, %v", opened, err)
	}
	elsewhere := query
	elsewhere.Record = pseudonym("other")
	changed := answer
	changed.Hash[0]++
	for _, c := range []struct {
		name   string
		answer seal.Answer
		key    string
		query  dossier.ShowQuery
		want   string
	}{
		{"another key", answer, strings.Repeat("j", seal.KeyBytes), query, "conflict: the answer was sealed for another question"},
		{"another record", answer, string(key), elsewhere, "conflict: the answer was sealed for another question"},
		{"another hash", changed, string(key), query, "conflict: the answer was sealed for another question"},
		{"a short key", answer, "short", query, "invalid: the key is 5 bytes long, not 32"},
		{"not base64", seal.Answer{Sealed: "ü"}, string(key), query, "invalid: the sealed answer is not base64url"},
	} {
		_, err := c.answer.Open([]byte(c.key), c.query)
		says(t, c.name, err, c.want)
	}
}

// FuzzReadValue: whatever is read prints back to itself, and no refusal repeats
// a text that the value held.
func FuzzReadValue(f *testing.F) {
	for _, class := range dossier.Classes() {
		data, _ := valid(class).Encode()
		f.Add(data)
	}
	f.Add([]byte(`{"class":"donor","fields":{"name":"欧阳秘密","欧阳秘密":"x"},"salt":"","v":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := dossier.ReadValue(data)
		if err == nil {
			if back, err := v.Encode(); err != nil || string(back) != string(data) {
				t.Fatalf("%s prints as %s, %v", data, back, err)
			}
			return
		}
		if strings.Contains(err.Error(), "秘密") {
			t.Fatalf("the refusal repeats what it refuses: %v", err)
		}
	})
}
