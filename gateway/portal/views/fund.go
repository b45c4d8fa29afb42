package views

import (
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Late is a page of gifts that waits for its bank line for longer than it should.
type Late struct {
	Page  tape.ID
	Total money.Amount
	Count int
	Since tape.Date
	Days  int
}

// Recounted says what adding up a publication again came to.
type Recounted string

// The figures are the same, or they differ.
const (
	RecountEqual   Recounted = "equal"
	RecountDiffers Recounted = "differs"
)

// PublishedFigure is a figure as it was published, and as it is added up here.
// Key names it in the catalogue, under "figure.".
type PublishedFigure struct {
	Key       string
	Published money.Amount
	Here      money.Amount
}

// PublishedLine is a budget line of a publication.
type PublishedLine struct {
	Title                             Text
	Planned, Ordered, Paid, Confirmed money.Amount
}

// PublishedMonth is a month of a publication.
type PublishedMonth struct {
	Month                    string
	Settled, Paid, Confirmed money.Amount
}

// PublicationPage is a document that was frozen, and what this gateway makes of it.
type PublicationPage struct {
	Publication
	Account      tape.AccountID
	Title        *Text
	Organisation string
	// Source is the article of the law that asks for it; empty for one of its own accord.
	Source string
	Block  uint64
	// Previous is the hash of the one before; empty for the first.
	Previous string
	Figures  []PublishedFigure
	Lines    []PublishedLine
	Months   []PublishedMonth
	// Kept says that the lines and months are the document's own, read here;
	// else they are added up here.
	Kept    bool
	Recount Recounted
	// Document is where the organisation that published it hands it out; empty where that is not known.
	Document string
}

// Name of its template.
func (PublicationPage) Name() string { return "publication" }

// Before is the number of the publication before.
func (p PublicationPage) Before() int32 { return p.N - 1 }

// YearRatio is a share of a year with its limit, in basis points.
type YearRatio struct {
	Ratio
	Kept bool
	// Mean says that the whole is the mean income of several years.
	Mean bool
	// Nothing says that there is no whole to take a share of.
	Nothing bool
}

// Year is what an organisation did in a year.
type Year struct {
	Year                                       string
	Running                                    bool
	Law                                        string
	Income, Programme, Management, Fundraising money.Amount
	Ratios                                     []YearRatio
}

// Organisation is what an organisation's campaigns come to.
type Organisation struct {
	Organisation string
	// Named is what it says of itself on the ledger; nil where it has said nothing yet.
	Named *fund.Publisher
	// Title is its name in both languages; empty where it has said nothing yet.
	Title     *Text
	Campaigns []AccountRow
	Years     []Year
}

// Name of its template.
func (Organisation) Name() string { return "organisation" }

// Equality is two ways to one figure.
type Equality struct {
	Key         string
	Left, Right money.Amount
}

// Agrees says that both ways come to the same.
func (e Equality) Agrees() bool { return e.Left == e.Right }

// Books are a campaign's books for others: whether bank, ledger, pages and
// exports agree, and the files themselves.
type Books struct {
	Account tape.AccountID
	Title   *Text
	Through tape.Date
	Block   uint64
	Agrees  bool
	// Equalities are what must be equal.
	Equalities []Equality
	// Standards and Tables are names of files.
	Standards, Tables []string
}

// Name of its template.
func (Books) Name() string { return "books" }

// DisbursementRow is a disbursement in a list.
type DisbursementRow struct {
	Account tape.AccountID
	ID      tape.ID
	Line    Text
	Amount  money.Amount
	Count   int
	State   readmodel.DisbursementState
	// Approved says that somebody has approved what is still proposed.
	Approved bool
	Date     tape.Date
}

// Disbursements lists the disbursements of a campaign.
type Disbursements struct {
	Account tape.AccountID
	Title   *Text
	State   string
	Rows    []DisbursementRow
	Next    string
	// Acting is nil for who may not propose here.
	Acting *Acting
}

// Name of its template.
func (Disbursements) Name() string { return "disbursements" }

// List is one part of a disbursement, laid open for those who approve.
type List struct {
	N     int32
	Count int32
	Total money.Amount
	Entry string
	// Payments are what it pays; none where this gateway could not read them back.
	Payments []tape.Payment
}

// Disbursement is a proposal, who decided it, and what became of it.
type Disbursement struct {
	DisbursementRow
	Title        *Text
	Organisation string
	Maker        tape.Approval
	Approvals    []tape.Approval
	Rejected     *fund.Rejected
	Evidence     []Evidence
	// Stopped are payees whom a flag stops: while one stands, their list is not paid.
	Stopped []Stopped
	Root    merkle.Hash
	Chunks  int32
	Listed  int32
	Ran     int32
	Expires tape.Instant
	Entry   string
	Lists   []List
	// MoreLists says that there are more than are shown.
	MoreLists bool
	Payouts   []PayoutRow
	Next      string
	Acting    *Acting
}

// Name of its template.
func (Disbursement) Name() string { return "disbursement" }

// Payee is somebody whom a campaign pays. Nothing on it says who that is.
type Payee struct {
	Account tape.AccountID
	Title   *Text
	Payee   tape.AccountID
	Kind    string
	Entry   string
	// Keyed says that it has a key of its own, by which it confirms.
	Keyed bool
	// Replaced says when and why another person takes the place of its own; none
	// while nobody does.
	Replaced *fund.NextPerson
	// Agent serves it; empty for the charity itself.
	Agent    tape.ID
	Flag     *fund.Flag
	CallBack *fund.CallBack
	Payouts  []PayoutRow
	Next     string
	// Acts are the forms that who is logged in can open about it.
	Acts []GiftAct
	// Personal says that the reader may see what is kept about it; Shared is
	// what it shares with others of the campaign, for the same readers.
	Personal bool
	Shared   []Sharing
}

// Name of its template.
func (Payee) Name() string { return "payee" }

// Acting is what the person who is logged in may do on a page.
type Acting struct {
	Person tape.ID
	// Token goes into every form.
	Token string
	// May names the actions whose forms are shown.
	May map[string]bool
}

// WorkItem is one thing that staff have to do.
type WorkItem struct {
	// Payees are those whom a flag stops.
	Payees  []tape.AccountID
	Kind    string
	Account tape.AccountID
	Title   *Text
	ID      string
	Amount  *money.Amount
	Count   int
	Due     tape.Date
	// Days until it is due, negative when that has passed.
	Days   int
	Maker  tape.ID
	Reason string
	// Path is where it is done.
	Path string
	// Acting is set where it can be done at once.
	Acting *Acting
	// Form is another way to be done with it.
	Form *GiftAct
}

// Work is the work list of an organisation's staff.
type Work struct {
	Organisation string
	// Login says that one can log in here; Person is who has.
	Login  bool
	Person tape.ID
	Roles  []string
	// Staff says that who is logged in has a role.
	Staff bool
	// Apart are the acts that begin here, because they are about no campaign yet.
	Apart []string
	Token string
	Rows  []WorkItem
	// Demonstration says that the people of this gateway are invented.
	Demonstration bool
}

// Name of its template.
func (Work) Name() string { return "work" }

// Evidence is a document that was cited. Path leads those who may read it to
// the document; empty for others.
type Evidence struct {
	fund.Cited
	Path string
}

// Stopped is a payee whom a flag stops.
type Stopped struct {
	Payee  tape.AccountID
	Amount money.Amount
	Reason string
	Since  tape.Instant
}

// Document is what staff see of a document that is kept here.
type Document struct {
	Hash, Kind, MediaType, Salt string
	Bytes                       int64
	// Removed is what was taken out of a picture before it was hashed.
	Removed []string
	At      tape.Instant
	// Shredded says that nobody can read it any more.
	Shredded bool
	Person   tape.ID
}

// Name of its template.
func (Document) Name() string { return "document" }
