// Package acts is what an organisation's staff do on the ledger, as one table:
// for each act the fields that people fill in, the command that comes of them,
// who may prepare it and how many sign it. Pages show the fields as a form, the
// command line as flags; both build the same command, and hear the rule's no
// before anybody signs.
package acts

import (
	"context"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/fingerprint"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Kind is what is typed into a field.
type Kind string

// The kinds of fields.
const (
	Line     Kind = "line"     // one text
	Texts    Kind = "texts"    // a text in two languages, NAME-en and NAME-zh
	Amount   Kind = "amount"   // money
	Share    Kind = "share"    // per cent
	Number   Kind = "number"   // a whole number
	Day      Kind = "day"      // a date, 2026-03-01
	Choice   Kind = "choice"   // one of Choices
	Mark     Kind = "mark"     // yes or no
	Account  Kind = "account"  // the name of an account
	Name     Kind = "name"     // an id, or the name of an organisation
	Names    Kind = "names"    // several, with spaces or commas between
	Document Kind = "document" // a file that is kept here; its hash is what counts
	Print    Kind = "print"    // a number or a name of which only the fingerprint is kept, of the kind that the field is called
	Rows     Kind = "rows"     // a table: rows to fill in, or a CSV file
	Given    Kind = "given"    // what the form was opened with; nobody types it
)

// Field is one thing to fill in.
type Field struct {
	// Name is that of the form's field and of the command line's flag.
	Name string
	Kind Kind
	// Required fields are not left empty.
	Required bool
	// Choices of a Choice, with their words under Family in the catalogue.
	Choices []string
	Family  string
	// Columns of Rows.
	Columns []Field
	// Path is what refusals call it, where that is not Name.
	Path string
}

// Side is who an act belongs to, as seen from what it is about.
type Side string

// The sides of a campaign, of a scheme, of a pool.
const (
	Charity   Side = "charity"
	Regulator Side = "regulator"
	// Bank keeps the campaign's money.
	Bank Side = "bank"

	Cooperative Side = "cooperative"
	Lender      Side = "lender"
	Keeper      Side = "keeper"
	// Household is a member of a scheme, who signs by its own key; its draft is
	// prepared by whoever serves it.
	Household Side = "household"
)

// Subject is what the account is whose page an act stands on.
type Subject string

// The subjects.
const (
	Campaign Subject = "campaign"
	Scheme   Subject = "scheme"
	Pool     Subject = "pool"
)

// Act is one thing that staff do.
type Act struct {
	// Name is that of the form's address and of the command line's command.
	Name string
	// Function is the contract's.
	Function string
	Fields   []Field
	// Subject is what its account is; Of the field that says which group, loan,
	// sale or claim of it, empty for none.
	Subject Subject
	Of      string
	// Sides may do it, Roles prepare it there.
	Sides []Side
	Roles []login.Role
	// Apart says that it is about no account that stands: it opens one. Bank says
	// that it is about what the bank has shown, and stands on that page.
	Apart, Bank bool
	// Amends says that a field that is left out stays as it is.
	Amends bool
	// Places are the pages of a scheme on which it stands, where those are not of
	// what it is about; see Stands.
	Places []Place

	begin func(*ground) Answers
	read  func(*form) any
	judge func(*ground, any) error
	// signers are who signs a command and over what amount, where not the staff alone do.
	signers func(*ground, any) ([]Signer, string)
}

// Family is the word of the command line under which an act stands: what its contract is about.
func (a Act) Family() string {
	switch contract, _, _ := strings.Cut(a.Function, ":"); contract {
	case "Fund", "Tape":
		return "fund"
	default:
		return strings.ToLower(contract)
	}
}

// Typed is the act's name behind its family's: what the family says is not said twice.
func (a Act) Typed() string { return strings.TrimSuffix(a.Name, "-"+a.Family()) }

// makers prepare what money and people's names depend on; deciders what any of
// the two decides.
var (
	makers   = []login.Role{login.Maker}
	deciders = []login.Role{login.Maker, login.Checker}
	servers  = []login.Role{login.Maker, login.Checker, login.Agent}
)

// act makes a row of the table out of what reads a command and what judges it.
func act[C any](name, function string, fields []Field, read func(*form) C, judge func(*ground, C) error) Act {
	return Act{Name: name, Function: function, Fields: fields, Subject: Campaign, Sides: []Side{Charity}, Roles: makers,
		read:  func(f *form) any { return read(f) },
		judge: func(g *ground, command any) error { return judge(g, command.(C)) },
	}
}

// of, to and from change a row: who does it, who prepares it, what it begins with.
func (a Act) of(sides ...Side) Act                 { a.Sides = sides; return a }
func (a Act) to(roles []login.Role) Act            { a.Roles = roles; return a }
func (a Act) from(begin func(*ground) Answers) Act { a.begin = begin; return a }
func (a Act) apart() Act                           { a.Apart = true; return a }
func (a Act) amending() Act                        { a.Amends = true; return a }
func line(name string) Field                       { return Field{Name: name, Kind: Line} }
func kind(name string, of Kind) Field              { return Field{Name: name, Kind: of} }
func choice(name, family string, of ...string) Field {
	return Field{Name: name, Kind: Choice, Family: family, Choices: of}
}
func rows(name string, columns ...Field) Field {
	return Field{Name: name, Kind: Rows, Columns: columns}
}
func (f Field) at(path string) Field { f.Path = path; return f }
func (f Field) need() Field          { f.Required = true; return f }

// All lists the acts in the order of a campaign's life.
func All() []Act { return slices.Clone(table) }

var table = slices.Concat(campaignActs(), publisherActs(), payeeActs(), goodsActs(), evidenceActs(), giftActs(), bankActs(), groupActs(), loanActs(),
	harvestActs(), settlementActs(), recourseActs(), monthActs())

// Of lists those about one kind of account.
func Of(subject Subject) []Act {
	return slices.DeleteFunc(All(), func(a Act) bool { return a.Subject != subject })
}

// FamilyOf lists those of a word of the command line.
func FamilyOf(family string) []Act {
	return slices.DeleteFunc(All(), func(a Act) bool { return a.Family() != family })
}

// Find returns an act by its name.
func Find(name string) (Act, error) {
	for _, a := range table {
		if a.Name == name {
			return a, nil
		}
	}
	return Act{}, rule.Refuse(rule.NotFound, "there is no act %.40q", name)
}

// SideOf is what an organisation is to a campaign whose money is at a bank
// account; empty for a stranger.
func SideOf(c fund.Campaign, custodian tape.AccountID, organisation string) Side {
	switch organisation {
	case c.Organisation:
		return Charity
	case c.Plan.Regulator:
		return Regulator
	case tape.CustodianOf(custodian):
		return Bank
	}
	return ""
}

// May reports whether an act is done on one of some sides by somebody who has these roles.
func (a Act) May(sides []Side, has func(...login.Role) bool) bool {
	return (a.Apart && a.Subject == Campaign || slices.ContainsFunc(sides, func(side Side) bool { return slices.Contains(a.Sides, side) })) && has(a.Roles...)
}

// Asker is who prepares an act, where, and when.
type Asker struct {
	Organisation string
	Person       tape.ID
	At           tape.Instant
	Ledger       Ledger
	// Fingerprint turns the number of a payee's bank account or device into what
	// may stand on the ledger, under the campaign's key.
	Fingerprint func(ctx context.Context, campaign tape.AccountID, kind fingerprint.Kind, number string) (string, error)
}

// Ledger is what is read for an act: the gateway's read model (Books), or its
// API. What is not there is refused with not-found.
type Ledger interface {
	Account(ctx context.Context, id tape.AccountID) (readmodel.Account, error)
	Campaign(ctx context.Context, id tape.AccountID) (readmodel.Campaign, error)
	Disbursement(ctx context.Context, campaign tape.AccountID, id tape.ID) (readmodel.Disbursement, error)
	Entry(ctx context.Context, organisation string, id tape.ID) (readmodel.Entry, error)
	Hold(ctx context.Context, account tape.AccountID, id tape.ID) (readmodel.Hold, error)
	Payee(ctx context.Context, campaign, payee tape.AccountID) (readmodel.Payee, error)
	// GiftsOf are those of a page, in their order.
	GiftsOf(ctx context.Context, account tape.AccountID, page tape.ID) ([]tape.Gift, error)
	// Page is a page of gifts, TraceGift where the money of one of them is.
	Page(ctx context.Context, account tape.AccountID, page tape.ID) (readmodel.GiftPage, error)
	TraceGift(ctx context.Context, at readmodel.GiftAt) (readmodel.Trace, error)
	// FindLine is the line of a statement that has a number, PageOfLines all lines
	// of a page, in their order.
	FindLine(ctx context.Context, bank tape.AccountID, statement tape.ID, number int32) (readmodel.Line, error)
	PageOfLines(ctx context.Context, bank tape.AccountID, statement tape.ID, n int32) ([]tape.Line, error)
	// Month is a month of an organisation's books, reckoned now.
	Month(ctx context.Context, organisation string, month bookkeeping.Month) (cooperative.Month, error)
	// Record is any other record.
	Record(ctx context.Context, key string) (readmodel.Record, error)
}

// Answers are what was typed: texts by the names of their fields, rows in the
// order of their columns.
type Answers struct {
	Texts map[string]string
	Rows  map[string][][]string
}

// Begin is what a form begins with: of an amendment, the plan in force.
func (a Act) Begin(ctx context.Context, asker Asker, account tape.AccountID) (Answers, error) {
	g, err := a.ground(ctx, asker, account)
	if err != nil {
		return Answers{}, err
	}
	return a.begun(g), g.err
}

func (a Act) begun(g *ground) Answers {
	begun := Answers{}
	if a.begin != nil {
		begun = a.begin(g)
	}
	if begun.Texts == nil {
		begun.Texts = map[string]string{}
	}
	return begun
}
