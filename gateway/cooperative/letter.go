package cooperative

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// The texts of notices, one a language and a kind of receiver.
//
//go:embed letters/*.txt
var letterFiles embed.FS

var letters = template.Must(template.ParseFS(letterFiles, "letters/*.txt"))

// Languages are those in which letters are written.
func Languages() []string { return []string{"zh-CN", "en"} }

// Letter is a notice as it is printed for one receiver.
type Letter struct {
	// To is a household, or the organisation of the cooperative; Role is borrower, guarantor or cooperative.
	To       string `json:"to"`
	Role     string `json:"role"`
	Language string `json:"language"`
	// Loan is that about which the notice was given, on Date.
	Loan tape.ID   `json:"loan"`
	Date tape.Date `json:"date"`
	// Entry gave the notice.
	Entry string `json:"entry"`
	Text  string `json:"text"`
}

// said is what a letter says.
type said struct {
	loan.Notice
	Scheme      tape.AccountID
	Loan        tape.ID
	Lender      string
	Borrower    tape.AccountID
	To          string
	Guarantors  int
	DefaultDays string
}

// LettersOf writes the notices that were given about a loan: to the borrower, to
// every guarantor that a notice names, and to the cooperative.
func LettersOf(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, id tape.ID, language string) ([]Letter, error) {
	if err := rule.Field("language", rule.OneOf(language, Languages()...)); err != nil {
		return nil, err
	}
	l, err := readmodel.RecordOf[loan.Loan](ctx, m, loan.Key(scheme, id))
	if err != nil {
		return nil, err
	}
	frame, err := readmodel.RecordOf[group.Scheme](ctx, m, group.SchemeKey(scheme))
	if err != nil {
		return nil, err
	}
	terms, err := readmodel.RecordOf[group.Terms](ctx, m, group.TermsKey(scheme, l.SchemeVersion))
	if err != nil {
		return nil, err
	}
	notices, err := every[loan.Notice](ctx, m, "notice/"+string(scheme)+"/"+string(id)+"/")
	if err != nil {
		return nil, err
	}
	written := []Letter{}
	for _, notice := range notices {
		text := said{Notice: notice, Scheme: scheme, Loan: id, Lender: l.Organisation, Borrower: l.Household, Guarantors: len(notice.Told) - 1,
			DefaultDays: strconv.Itoa(int(terms.Terms.DefaultDays))}
		if written, err = text.all(written, frame.Organisation, language); err != nil {
			return nil, err
		}
	}
	return written, nil
}

// all adds the letters of one notice: to each household that it names, and to the cooperative.
func (s said) all(before []Letter, cooperative, language string) ([]Letter, error) {
	var err error
	for _, household := range s.Told {
		role := "guarantor"
		if household == s.Borrower {
			role = "borrower"
		}
		if before, err = s.write(before, role, string(household), language); err != nil {
			return nil, err
		}
	}
	return s.write(before, "cooperative", cooperative, language)
}

// write adds a letter to one receiver.
func (s said) write(before []Letter, role, to, language string) ([]Letter, error) {
	s.To = to
	var text bytes.Buffer
	err := letters.ExecuteTemplate(&text, role+"."+language+".txt", s)
	return append(before, Letter{To: to, Role: role, Language: language, Loan: s.Loan, Date: s.Date, Entry: s.Entry, Text: text.String()}), err
}

// LettersSince writes the notices that were given in a scheme since a day, about
// the loans that may leaves: of one notice borrower, guarantors and cooperative.
func LettersSince(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, since tape.Date, language string, may func(tape.ID) (bool, error)) ([]Letter, error) {
	written := []Letter{}
	notices, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Record], error) {
		return m.Records(ctx, "notice/"+string(scheme)+"/", w)
	})
	if err != nil {
		return nil, err
	}
	var loans []tape.ID
	for _, record := range notices {
		var notice loan.Notice
		if err := json.Unmarshal(record.Value, &notice); err != nil {
			return nil, err
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(record.Key, "notice/"+string(scheme)+"/"), "/")
		if notice.Date >= since && !slices.Contains(loans, tape.ID(id)) {
			loans = append(loans, tape.ID(id))
		}
	}
	for _, id := range loans {
		if shown, err := may(id); err != nil || !shown {
			if err != nil {
				return nil, err
			}
			continue
		}
		letters, err := LettersOf(ctx, m, scheme, id, language)
		if err != nil {
			return nil, err
		}
		written = append(written, slices.DeleteFunc(letters, func(l Letter) bool { return l.Date < since })...)
	}
	return written, nil
}
