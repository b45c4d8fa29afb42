package dossier

import (
	"slices"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// ValueBytesMax is the longest private value.
const ValueBytesMax = 4096

// Value is one private value: what is known about somebody, and its salt.
type Value struct {
	V      int32  `json:"v"`
	Class  Class  `json:"class"`
	Fields Fields `json:"fields"`
	Salt   Salt   `json:"salt"`
}

// Fields are what a value can hold. Which of them, and how long, is its class's to say.
type Fields struct {
	// Account is the number of a bank account, Bank and Branch where it is kept.
	Account string `json:"account,omitempty"`
	Address string `json:"address,omitempty"`
	Bank    string `json:"bank,omitempty"`
	// BirthDate is a day, 2026-11-22.
	BirthDate string `json:"birthDate,omitempty"`
	Branch    string `json:"branch,omitempty"`
	Email     string `json:"email,omitempty"`
	// IDNumber is that of an identity card, passport or registration.
	IDNumber string `json:"idNumber,omitempty"`
	Name     string `json:"name,omitempty"`
	// Payee is the ledger's name for whom the value is about. It stands in here
	// alone: what links a family to its payouts is private.
	Payee tape.AccountID `json:"payee,omitempty"`
	Phone string         `json:"phone,omitempty"`
	// Relation is what a guardian is to a ward, or a contact to an organisation.
	Relation string `json:"relation,omitempty"`
	Village  string `json:"village,omitempty"`
}

// Class is what a value is about: a closed list.
type Class string

// The classes.
const (
	Donor            Class = "donor"
	Household        Class = "household"
	PayeeBankAccount Class = "payee-bank-account"
	Guardian         Class = "guardian"
	Contact          Class = "contact"
)

// Classes lists every class, in a fixed order.
func Classes() []Class { return []Class{Donor, Household, PayeeBankAccount, Guardian, Contact} }

// kind is how the text of a field is checked.
type kind func(text string) bool

// field is one field that a class allows. Lengths are in bytes: a Chinese
// character has three.
type field struct {
	name     string
	kind     kind
	bytesMax int
	needed   bool
}

// form is what a class asks for.
type form struct {
	class  Class
	fields []field
}

var forms = []form{
	{Donor, []field{{"address", text, 300, false}, {"email", text, 254, false}, {"idNumber", number, 32, false},
		{"name", text, 200, true}, {"phone", number, 24, false}}},
	{Household, []field{{"address", text, 300, false}, {"birthDate", day, 10, false}, {"idNumber", number, 32, false},
		{"name", text, 200, true}, {"payee", payee, 150, false}, {"phone", number, 24, false}, {"village", text, 120, false}}},
	{PayeeBankAccount, []field{{"account", number, 40, true}, {"bank", text, 120, true}, {"branch", text, 200, false}, {"name", text, 200, true}, {"payee", payee, 150, false}}},
	{Guardian, []field{{"address", text, 300, false}, {"idNumber", number, 32, false}, {"name", text, 200, true},
		{"phone", number, 24, false}, {"relation", text, 60, true}}},
	{Contact, []field{{"email", text, 254, false}, {"name", text, 200, true}, {"phone", number, 24, false}, {"relation", text, 60, false}}},
}

// Check refuses every other word.
func (c Class) Check() error {
	if !slices.Contains(Classes(), c) {
		return rule.Refuse(rule.Invalid, "is none of %v", Classes())
	}
	return nil
}

// payee is the name of an account outside of the ledger.
func payee(s string) bool {
	account := tape.AccountID(s)
	return account.Check() == nil && account.Outside()
}

// text is what people write: no control characters, no space at either end.
func text(s string) bool {
	for _, r := range s {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r == 0xfeff {
			return false
		}
	}
	return s[0] != ' ' && s[len(s)-1] != ' '
}

// number is what offices and banks write: letters, digits, and one of "+ - ()."
func number(s string) bool {
	digits := 0
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '+', c == '-', c == ' ', c == '(', c == ')', c == '.':
		default:
			return false
		}
	}
	return digits > 0 && s[0] != ' ' && s[len(s)-1] != ' '
}

func day(s string) bool { return tape.Date(s).Check() == nil }

// named is a field's name and text.
type named struct{ name, text string }

// list gives the fields in the order of their names.
func (f Fields) list() []named {
	return []named{{"account", f.Account}, {"address", f.Address}, {"bank", f.Bank}, {"birthDate", f.BirthDate}, {"branch", f.Branch},
		{"email", f.Email}, {"idNumber", f.IDNumber}, {"name", f.Name}, {"payee", string(f.Payee)}, {"phone", f.Phone}, {"relation", f.Relation}, {"village", f.Village}}
}

// valueNames are the paths that a refusal may name.
func valueNames() []string {
	names := []string{"v", "class", "fields", "salt"}
	for _, n := range (Fields{}).list() {
		names = append(names, "fields."+n.name)
	}
	return names
}

// ReadValue reads a private value strictly and checks it against its class.
// A refusal names the field and never what it holds.
func ReadValue(data []byte) (Value, error) {
	if len(data) > ValueBytesMax {
		return Value{}, rule.Refuse(rule.Invalid, "is %d bytes long; %d are possible", len(data), ValueBytesMax)
	}
	var v Value
	if err := Decode(data, &v, valueNames()...); err != nil {
		return Value{}, err
	}
	return v, v.Check()
}

// Check judges a value by its class.
func (v Value) Check() error {
	if v.V != 1 {
		return rule.Field("v", rule.Refuse(rule.Unsupported, "is not 1, the one version that is known"))
	}
	if err := rule.First(rule.Field("class", v.Class.Check()), rule.Field("salt", v.Salt.check())); err != nil {
		return err
	}
	allowed := forms[slices.IndexFunc(forms, func(f form) bool { return f.class == v.Class })].fields
	for _, n := range v.Fields.list() {
		at := slices.IndexFunc(allowed, func(f field) bool { return f.name == n.name })
		if err := check(allowed, at, n.text, v.Class); err != nil {
			return rule.Field("fields", rule.Field(n.name, err))
		}
	}
	return nil
}

// check judges one text; at is its place among the allowed fields, negative where it has none.
func check(allowed []field, at int, held string, class Class) error {
	switch {
	case at < 0 && held == "":
		return nil
	case at < 0:
		return rule.Refuse(rule.Invalid, "does not belong into a value of the class %s", class)
	case held == "" && allowed[at].needed:
		return rule.Refuse(rule.Invalid, "is missing; a value of the class %s needs it", class)
	case held == "":
		return nil
	case len(held) > allowed[at].bytesMax:
		return rule.Refuse(rule.Invalid, "is %d bytes long; %d are possible", len(held), allowed[at].bytesMax)
	case !allowed[at].kind(held):
		return rule.Refuse(rule.Invalid, "holds characters that do not belong there")
	}
	return nil
}

// Encode writes the value as it is kept and hashed.
func (v Value) Encode() ([]byte, error) { return canonical.Encode(v) }
