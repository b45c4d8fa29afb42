package cooperative

import (
	"bytes"
	"context"
	"embed"
	"strconv"
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
	return append(before, Letter{To: to, Role: role, Language: language, Entry: s.Entry, Text: text.String()}), err
}
