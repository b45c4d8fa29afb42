package statement

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Mapping describes a bank's dialect. The zero value is the standard headers.
// docs/import.md explains each field to the person who writes one.
type Mapping struct {
	// V is the version of this format, 1; the zero Mapping in a program needs none.
	V int `yaml:"v"`
	// Name is for people: which bank, which export.
	Name      string         `yaml:"name"`
	Encoding  string         `yaml:"encoding"`
	Delimiter string         `yaml:"delimiter"`
	Quotes    string         `yaml:"quotes"`
	Header    string         `yaml:"header"`
	Skip      int            `yaml:"skip"`
	Columns   Columns        `yaml:"columns"`
	CellLines map[string]int `yaml:"cellLines"`
	Dates     Dates          `yaml:"dates"`
	Amounts   Amounts        `yaml:"amounts"`
	Direction Direction      `yaml:"direction"`
	Currency  CurrencyRule   `yaml:"currency"`
	Balances  Balances       `yaml:"balances"`
	Status    StatusRule     `yaml:"status"`
	Rows      []RowRule      `yaml:"rows"`
	Classify  []ClassRule    `yaml:"classify"`
	Limits    Limits         `yaml:"limits"`
}

// Columns names the file's columns by their header, or by position as "#3".
type Columns struct {
	Line        string `yaml:"line"`
	Date        string `yaml:"date"`
	Time        string `yaml:"time"`
	Reference   string `yaml:"reference"`
	Debit       string `yaml:"debit"`
	Credit      string `yaml:"credit"`
	Amount      string `yaml:"amount"`
	Direction   string `yaml:"direction"`
	Currency    string `yaml:"currency"`
	Balance     string `yaml:"balance"`
	Payer       string `yaml:"payer"`
	Description string `yaml:"description"`
	Fee         string `yaml:"fee"`
	Net         string `yaml:"net"`
	Status      string `yaml:"status"`
}

// Dates holds layouts made of yyyy yy mm m mmm dd d hh h mi ss and the signs between them.
type Dates struct {
	Layout     string `yaml:"layout"`
	TimeLayout string `yaml:"timeLayout"`
}

// Amounts says how the bank writes figures.
type Amounts struct {
	Decimal       string   `yaml:"decimal"`
	Thousands     string   `yaml:"thousands"`
	Grouping      string   `yaml:"grouping"`
	DecimalsMin   *int     `yaml:"decimalsMin"`
	DecimalsMax   *int     `yaml:"decimalsMax"`
	Negative      string   `yaml:"negative"`
	Plus          bool     `yaml:"plus"`
	Symbols       []string `yaml:"symbols"`
	Empty         []string `yaml:"empty"`
	DebitNegative bool     `yaml:"debitNegative"`
	Inflow        string   `yaml:"inflow"`
}

// Direction lists the words of the direction column.
type Direction struct {
	Credit []string `yaml:"credit"`
	Debit  []string `yaml:"debit"`
}

// StatusRule lists the words of the status column of a processor's file.
type StatusRule struct {
	Paid   []string `yaml:"paid"`
	Ignore []string `yaml:"ignore"`
}

// CurrencyRule gives the currency of the whole file, and the bank's own names of currencies.
type CurrencyRule struct {
	Code  string            `yaml:"code"`
	Names map[string]string `yaml:"names"`
}

// Balances gives what the file does not say. Amounts are spelled "100.00 CNY".
type Balances struct {
	Opening string `yaml:"opening"`
	Closing string `yaml:"closing"`
	Order   string `yaml:"order"`
}

// RowRule recognises a row that is not a line.
type RowRule struct {
	Match  string `yaml:"match"`
	Column string `yaml:"column"`
	As     string `yaml:"as"`
	Amount string `yaml:"amount"`
	Debit  string `yaml:"debit"`
	Credit string `yaml:"credit"`
	Fee    string `yaml:"fee"`
	Net    string `yaml:"net"`
}

// ClassRule recognises a line that is not a gift.
type ClassRule struct {
	Match  string `yaml:"match"`
	Column string `yaml:"column"`
	Side   string `yaml:"side"`
	As     string `yaml:"as"`
	Reason string `yaml:"reason"`
}

// Limits bound what a hostile or broken file can cost. Zero means the default.
type Limits struct {
	RowBytesMax   int   `yaml:"rowBytesMax"`
	FieldBytesMax int   `yaml:"fieldBytesMax"`
	ColumnsMax    int   `yaml:"columnsMax"`
	RowsMax       int   `yaml:"rowsMax"`
	FileBytesMax  int64 `yaml:"fileBytesMax"`
}

// mappingBytesMax is far above any mapping a person writes and keeps a wrong
// file, such as the statement itself, from being parsed as one.
const mappingBytesMax = 64 << 10

// LoadMapping reads the mapping file of a bank's statement, YAML or JSON.
func LoadMapping(path string) (Mapping, error) { return loadMapping(path, ParseMapping) }

// LoadSettlementMapping reads that of a payment processor's file.
func LoadSettlementMapping(path string) (Mapping, error) {
	return loadMapping(path, ParseSettlementMapping)
}

func loadMapping(path string, parse func([]byte) (Mapping, error)) (Mapping, error) {
	file, err := os.Open(path)
	if err != nil {
		return Mapping{}, fmt.Errorf("open the mapping file: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mappingBytesMax+1))
	if err != nil {
		return Mapping{}, fmt.Errorf("read the mapping file: %w", err)
	}
	return parse(text)
}

// ParseMapping reads a mapping and refuses unknown, doubled and contradictory
// fields. JSON is read by the same parser, since YAML contains it.
func ParseMapping(text []byte) (Mapping, error) { return parseMapping(text, compile) }

// ParseSettlementMapping does the same for the mapping of a processor's file.
func ParseSettlementMapping(text []byte) (Mapping, error) {
	return parseMapping(text, compileSettlement)
}

func parseMapping(text []byte, compile func(Mapping) (*dialect, error)) (Mapping, error) {
	if len(text) > mappingBytesMax {
		return Mapping{}, rule.Refuse(rule.Invalid, "the mapping file is larger than %d bytes", mappingBytesMax)
	}
	var mapping Mapping
	if err := decodeStrictly(text, &mapping); err != nil {
		return Mapping{}, err
	}
	if mapping.V != 1 {
		return Mapping{}, rule.Field("mapping.v", rule.Refuse(rule.Unsupported, "must be 1; it is %d", mapping.V))
	}
	if _, err := compile(mapping); err != nil {
		return Mapping{}, err
	}
	return mapping, nil
}

// decodeStrictly turns a panic of the YAML parser into a refusal: the file
// comes from a person, and its faults must read like theirs.
func decodeStrictly(text []byte, mapping *Mapping) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = rule.Refuse(rule.Invalid, "the mapping file is neither YAML nor JSON")
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(mapping); errors.Is(err, io.EOF) {
		return rule.Refuse(rule.Invalid, "the mapping file is empty")
	} else if err != nil {
		return rule.Refuse(rule.Invalid, "the mapping file: %s", yamlFault(err))
	}
	var rest yaml.Node
	if err := decoder.Decode(&rest); !errors.Is(err, io.EOF) {
		return rule.Refuse(rule.Invalid, "the mapping file holds more than one document")
	}
	return nil
}

// yamlFault keeps the line and the field of the parser's message and drops its Go types.
func yamlFault(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:")
	for _, goType := range []string{"type statement.", "into statement."} {
		text = strings.ReplaceAll(text, goType, "")
	}
	return strings.Join(strings.Fields(text), " ")
}
