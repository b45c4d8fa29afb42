package acts

import (
	"errors"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/typed"
)

// Fault is what is wrong about one field: its name, and of a table the row,
// counted from 1, and the column. Field is empty where none is to blame.
type Fault struct {
	Field, Column string
	Row           int
	Refusal       rule.Refusal
}

// Faults are all that is to be mended.
type Faults []Fault

// Error says the first, as the rules do.
func (f Faults) Error() string { return f.Unwrap().Error() }

// Unwrap gives the first to whoever knows the rules' refusals only.
func (f Faults) Unwrap() error {
	first := f[0]
	path := first.Field
	if first.Row > 0 {
		path += "[" + strconv.Itoa(first.Row-1) + "]"
	}
	if first.Column != "" {
		path += "." + first.Column
	}
	if path == "" {
		return &first.Refusal
	}
	return rule.Field(path, &first.Refusal)
}

// refusalOf is the rule's no in an error.
func refusalOf(err error) (*rule.Refusal, bool) {
	var refusal *rule.Refusal
	is := errors.As(err, &refusal)
	return refusal, is
}

// Place finds the field that a refusal is about.
func (a Act) Place(err error) error {
	refusal, refused := refusalOf(err)
	if !refused {
		return err
	}
	path, sentence := refusal.Pointer()
	best, rest := Field{}, ""
	for _, field := range a.Fields {
		of := field.path()
		if left, under := strings.CutPrefix(path, of); under && (left == "" || left[0] == '.' || left[0] == '[') && len(of) > len(best.path()) {
			best, rest = field, left
		}
	}
	if best.Name == "" {
		return Faults{{Refusal: *refusal}}
	}
	fault := Fault{Field: best.Name, Refusal: rule.Refusal{Code: refusal.Code, Text: sentence}}
	if index, after, found := strings.Cut(strings.TrimPrefix(rest, "["), "]"); found {
		row, _ := strconv.Atoi(index) // what is no number stays 0, and no row is named
		fault.Row, rest = row+1, after
	}
	fault.Column = strings.TrimPrefix(rest, ".")
	return Faults{fault}
}

func (f Field) path() string {
	if f.Path != "" {
		return f.Path
	}
	return f.Name
}

// form reads what was typed; what cannot be read becomes a fault.
type form struct {
	act            Act
	ground         *ground
	answers, begun Answers
	id             tape.ID
	faults         Faults
}

// demand refuses required fields that are empty.
func (f *form) demand() {
	for _, field := range f.act.Fields {
		empty := f.text(field.Name) == ""
		switch field.Kind {
		case Texts:
			empty = f.text(field.Name+"-en")+f.text(field.Name+"-zh") == ""
		case Rows:
			empty = len(f.rows(field.Name)) == 0
		}
		if field.Required && empty {
			f.fault(Fault{Field: field.Name}, rule.Refuse(rule.Invalid, "is empty"))
		}
	}
}

// fault notes what cannot be read; a field that is empty was noted before.
func (f *form) fault(at Fault, err error) {
	refusal, refused := refusalOf(err)
	if !refused {
		return
	}
	for _, known := range f.faults {
		if known.Field == at.Field && known.Row == at.Row {
			return
		}
	}
	at.Refusal = *refusal
	f.faults = append(f.faults, at)
}

// text is what was typed, or what the form began with where nobody was asked.
func (f *form) text(name string) string {
	text, typed := f.answers.Texts[name]
	if !typed {
		text = f.begun.Texts[name]
	}
	return strings.TrimSpace(text)
}

func (f *form) rows(name string) [][]string {
	rows, typed := f.answers.Rows[name]
	if !typed {
		rows = f.begun.Rows[name]
	}
	return rows
}

func (f *form) texts(name string) fund.Text {
	return fund.Text{En: f.text(name + "-en"), Zh: f.text(name + "-zh")}
}

func (f *form) mark(name string) bool {
	marked, err := markIn(f.text(name))
	f.fault(Fault{Field: name}, err)
	return marked
}

func markIn(text string) (bool, error) {
	switch text {
	case "true", "yes", "on":
		return true, nil
	case "", "false", "no":
		return false, nil
	}
	return false, rule.Refuse(rule.Invalid, "%.20q is neither yes nor no", text)
}

func (f *form) account(name string) tape.AccountID { return tape.AccountID(f.text(name)) }
func (f *form) name(name string) tape.ID           { return tape.ID(f.text(name)) }
func (f *form) day(name string) tape.Date          { return tape.Date(f.text(name)) }

// names are separated by spaces or commas.
func (f *form) names(name string) []tape.ID { return namesIn(f.text(name)) }

func namesIn(text string) []tape.ID {
	var ids []tape.ID
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '，' || r == '、' || r == '\n' || r == '\r' }) {
		ids = append(ids, tape.ID(one))
	}
	return ids
}

func (f *form) amount(name string, currency money.Currency) money.Amount {
	amount, err := typed.Amount(f.text(name), currency)
	f.fault(Fault{Field: name}, err)
	return amount
}

func (f *form) share(name string) int32 {
	parts, err := typed.Share(f.text(name))
	f.fault(Fault{Field: name}, err)
	return parts
}

func (f *form) number(name string, bits int) int64 {
	text := strings.ReplaceAll(f.text(name), ",", "")
	number, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		f.fault(Fault{Field: name}, rule.Refuse(rule.Invalid, "%s is not a whole number", typed.Quoted(text)))
	}
	return number
}

// citation is a document that is kept here, by its hash.
func (f *form) citation(name, kind string) []fund.Citation {
	text := f.text(name)
	if text == "" {
		return nil
	}
	var hash merkle.Hash
	if err := hash.UnmarshalText([]byte(text)); err != nil {
		f.fault(Fault{Field: name}, rule.Refuse(rule.Invalid, "%.70q is not the hash of a document", text))
	}
	return []fund.Citation{{Hash: hash, Kind: f.text(kind)}}
}

// columns gives the cells of a row by the names of its columns.
func (f *form) columns(field string, row []string) func(string) string {
	return func(column string) string {
		for _, of := range f.act.Fields {
			for i, c := range of.Columns {
				if of.Name == field && c.Name == column && i < len(row) {
					return strings.TrimSpace(row[i])
				}
			}
		}
		return ""
	}
}
