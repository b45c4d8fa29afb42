package acts

import (
	"encoding"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fingerprint"
	"github.com/lianbao/lianbao/gateway/typed"
)

// filled puts what was typed where each field's path leads in a command, which
// is the path that refusals name. What was left out stays as it was.
func (f *form) filled(command any) {
	top := reflect.ValueOf(command).Elem()
	for _, field := range f.act.Fields {
		place, found := placeAt(top, field.path())
		if !found || field.Kind == Name && place.Kind() == reflect.Struct { // it says how the rest is read
			continue
		}
		if place.Kind() == reflect.Slice && place.IsNil() {
			place.Set(reflect.MakeSlice(place.Type(), 0, 0)) // an empty list is spelled as one
		}
		if field.Kind == Rows {
			f.fillRows(place, field)
			continue
		}
		if text := f.text(field.Name); text != "" {
			f.fault(Fault{Field: field.Name}, f.put(place, field, text))
		}
	}
}

// fillRows makes an item of each row.
func (f *form) fillRows(list reflect.Value, field Field) {
	rows := f.rows(field.Name)
	if len(rows) == 0 {
		return
	}
	list.Set(reflect.MakeSlice(list.Type(), len(rows), len(rows)))
	for i, row := range rows {
		cell := f.columns(field.Name, row)
		for _, column := range field.Columns {
			if text := cell(column.Name); text != "" {
				place, _ := placeAt(list.Index(i), column.path())
				f.fault(Fault{Field: field.Name, Row: i + 1, Column: column.Name}, f.put(place, column, text))
			}
		}
	}
}

// placeAt follows the names that JSON uses.
func placeAt(in reflect.Value, path string) (reflect.Value, bool) {
	for name := range strings.SplitSeq(path, ".") {
		found := false
		for i := range in.NumField() {
			if tag, _, _ := strings.Cut(in.Type().Field(i).Tag.Get("json"), ","); tag == name {
				in, found = in.Field(i), true
				break
			}
		}
		if !found {
			return in, false
		}
		if in.Kind() == reflect.Pointer {
			in.Set(reflect.New(in.Type().Elem()))
			in = in.Elem()
		}
	}
	return in, true
}

// put reads one text as what its field is.
func (f *form) put(place reflect.Value, field Field, text string) error {
	switch field.Kind {
	case Amount:
		amount, err := typed.Amount(text, f.currency())
		place.Set(reflect.ValueOf(amount))
		return err
	case Share:
		parts, err := typed.Share(text)
		place.SetInt(int64(parts))
		return err
	case Mark:
		marked, err := markIn(text)
		place.SetBool(marked)
		return err
	case Names:
		return putNames(place, namesIn(text))
	case Document:
		return f.putDocument(place, field, text)
	case Print:
		print, err := f.ground.Fingerprint(f.ground.ctx, f.ground.subject, fingerprint.Kind(field.Name), text)
		place.SetString(print)
		return err
	case Day:
		if place.Type() == reflect.TypeFor[tape.Instant]() {
			return f.putMoment(place, tape.Date(text))
		}
	}
	return putText(place, text)
}

// currency is that of the account that an act is about; none of one that opens it.
func (f *form) currency() money.Currency {
	if f.act.Apart || f.ground.subject == "" {
		return ""
	}
	if account := f.ground.account(f.ground.subject); account != nil {
		return account.Currency
	}
	return ""
}

// putText sets a text, a number, or what spells itself as text.
func putText(place reflect.Value, text string) error {
	if own, is := place.Addr().Interface().(encoding.TextUnmarshaler); is {
		if err := own.UnmarshalText([]byte(text)); err != nil {
			return rule.Refuse(rule.Invalid, "%s is not what stands here", typed.Quoted(text))
		}
		return nil
	}
	switch place.Kind() {
	case reflect.String:
		place.SetString(text)
	default:
		number, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, place.Type().Bits())
		if err != nil {
			return rule.Refuse(rule.Invalid, "%s is not a whole number", typed.Quoted(text))
		}
		place.SetInt(number)
	}
	return nil
}

// putNames sets several texts or numbers.
func putNames(list reflect.Value, names []tape.ID) error {
	all := reflect.MakeSlice(list.Type(), len(names), len(names))
	for i, name := range names {
		if err := putText(all.Index(i), string(name)); err != nil {
			return err
		}
	}
	list.Set(all)
	return nil
}

// putDocument sets the hash of a document, or a list of one citation of its kind.
func (f *form) putDocument(place reflect.Value, field Field, text string) error {
	if place.Kind() == reflect.Slice && place.Type().Elem().Kind() == reflect.Struct {
		place.Set(reflect.MakeSlice(place.Type(), 1, 1))
		citation := place.Index(0)
		kind, _ := placeAt(citation, "kind")
		kind.SetString(f.text("kind"))
		place, _ = placeAt(citation, "hash")
	}
	if putText(place, text) != nil {
		return rule.Refuse(rule.Invalid, "%s is not the hash of a document", typed.Quoted(text))
	}
	return nil
}

// putMoment sets the first moment of the day behind a day: what ends with a day is good all that day.
func (f *form) putMoment(place reflect.Value, day tape.Date) error {
	if err := day.Check(); err != nil {
		return err
	}
	ledger := record[party.Ledger](f.ground, party.LedgerKey())
	if ledger == nil {
		return nil // it could not be read, and that is said
	}
	at, err := time.Parse("2006-01-02-07:00", string(day.AddDays(1))+string(ledger.Zone))
	place.SetInt(at.UnixMilli())
	return err
}

// unless sets a text of a command where the form has not.
func unless(command any, path, text string) {
	if place, found := placeAt(reflect.ValueOf(command).Elem(), path); found && place.String() == "" {
		place.SetString(text)
	}
}
