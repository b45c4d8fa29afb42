package tape

import (
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Open opens an account with an empty tape.
type Open struct {
	Account      AccountID      `json:"account"`
	Attribution  Attribution    `json:"attribution"`
	Currency     money.Currency `json:"currency"`
	Custodian    AccountID      `json:"custodian"`
	ID           ID             `json:"id"`
	OwnFunds     AccountID      `json:"ownFunds,omitempty"`
	Unidentified AccountID      `json:"unidentified,omitempty"`
}

// powersOf says which powers let an organisation open accounts of a kind. The
// first segment of an account's name is its kind; the list is closed.
func powersOf(kind string) []string {
	switch kind {
	case "charity":
		return []string{"charity"}
	case "partner":
		return []string{"charity", "cooperative"}
	case "coop":
		return []string{"cooperative"}
	case "household":
		return []string{"charity", "cooperative", "insurer"}
	case "lender", "insurer", "supplier", "hospital":
		return []string{kind}
	case "pool":
		return []string{"custodian", "insurer"}
	}
	return nil
}

// Apply judges the command. The two accounts are those that Unidentified and
// OwnFunds name, nil where they name none.
func (c Open) Apply(unidentified, ownFunds *Account, ctx Context) (Account, Head, Entry, error) {
	refuse := func(err error) (Account, Head, Entry, error) { return Account{}, Head{}, Entry{}, err }
	if err := c.check(); err != nil {
		return refuse(err)
	}
	kind, _, _ := strings.Cut(string(c.Account), ":")
	allowed := false
	for _, power := range powersOf(kind) {
		allowed = allowed || ctx.Has(power)
	}
	if ctx.Role != "gateway" || !allowed {
		return refuse(rule.Refuse(rule.Forbidden, "%s (role %s) may not open accounts of the kind %s; it needs one of the powers %v", ctx.Organisation, ctx.Role, kind, powersOf(kind)))
	}
	for _, related := range []*Account{unidentified, ownFunds} {
		if related != nil && (related.Organisation != ctx.Organisation || related.Currency != c.Currency) {
			return refuse(rule.Refuse(rule.Forbidden, "%s is not an account of %s in %s", related.ID, ctx.Organisation, c.Currency))
		}
	}
	if ownFunds != nil && ownFunds.Subject != "" {
		return refuse(rule.Field("ownFunds", rule.Refuse(rule.Forbidden, "%s is spent by the commands of %s; money given for a purpose does not bear chargebacks of another", ownFunds.ID, ownFunds.Subject)))
	}
	account := Account{V: 1, ID: c.Account, Currency: c.Currency, Organisation: ctx.Organisation, Custodian: c.Custodian,
		Attribution: c.Attribution, Unidentified: c.Unidentified, Subject: ctx.Subject, OwnFunds: c.OwnFunds, Opened: ctx.At}
	return account, Head{V: 1, Account: c.Account}, ctx.Entry(c.ID, "open", string(c.Account)), nil
}

// Holder returns whose the bank account is once this account is opened on it.
// Everyone can read the lines of a bank's statement, and could make gifts that
// match them: so the lines are evidence for one organisation's accounts only.
// known is the record that stands, nil before the first account.
func (c Open) Holder(known *BankAccount, ctx Context) (BankAccount, error) {
	if known == nil {
		return BankAccount{V: 1, ID: c.Custodian, Organisation: ctx.Organisation, Entry: ctx.Organisation + "/" + string(c.ID)}, nil
	}
	if known.Organisation != ctx.Organisation {
		return *known, rule.Field("custodian", rule.Refuse(rule.Forbidden, "the money at %s is that of %s, by entry %s; name a bank account of %s",
			c.Custodian, known.Organisation, known.Entry, ctx.Organisation))
	}
	return *known, nil
}

func (c Open) check() error {
	if err := c.ID.Check(); err != nil {
		return rule.Field("id", err)
	}
	if err := c.Account.Check(); err != nil {
		return rule.Field("account", err)
	}
	if c.Account.Outside() {
		return rule.Field("account", rule.Refuse(rule.Invalid, "%s is outside the ledger and needs no account", c.Account))
	}
	if _, err := c.Currency.Exponent(); err != nil {
		return rule.Field("currency", err)
	}
	if err := c.Custodian.Check(); err != nil {
		return rule.Field("custodian", err)
	}
	if CustodianOf(c.Custodian) == "" {
		return rule.Field("custodian", rule.Refuse(rule.Invalid, "%s is not a bank account; write outside:<custodian>:<name>", c.Custodian))
	}
	if c.Attribution != FIFO && c.Attribution != Pooled {
		return rule.Field("attribution", rule.Refuse(rule.Invalid, "is neither fifo nor pooled"))
	}
	return nil
}

// CustodianOf returns the organisation that keeps a bank account
// outside:<organisation>:<name>, or "" when the name is no bank account's.
func CustodianOf(account AccountID) string {
	segments := strings.Split(string(account), ":")
	if len(segments) != 3 || segments[0] != "outside" {
		return ""
	}
	return segments[1]
}

// sponsor refuses whoever is not the gateway of the account's organisation.
func (a Account) sponsor(ctx Context) error {
	if ctx.Organisation != a.Organisation || ctx.Role != "gateway" {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not sponsor %s; %s does", ctx.Organisation, ctx.Role, a.ID, a.Organisation)
	}
	return nil
}

// spender refuses whoever is not the sponsor, and a command of other rules than
// those that govern the account: a campaign's money goes by its plan, and what
// nobody has claimed goes to whom it belongs, by Identify or Refund.
func (a Account) spender(ctx Context) error {
	if err := a.sponsor(ctx); err != nil {
		return err
	}
	if a.Unidentified != "" {
		return rule.Refuse(rule.WrongState, "%s holds money that nobody has claimed; identify or refund it", a.ID)
	}
	if a.Subject != ctx.Subject {
		return rule.Refuse(rule.Forbidden, "%s is spent by the commands of %s, not by those of %s", a.ID, subjectName(a.Subject), subjectName(ctx.Subject))
	}
	return nil
}

func subjectName(subject string) string {
	if subject == "" {
		return "tape"
	}
	return subject
}

// keeper refuses whoever is not the gateway of the organisation that keeps a bank account.
func keeper(account AccountID, ctx Context) error {
	if ctx.Organisation != CustodianOf(account) || ctx.Role != "gateway" || !ctx.Has("custodian") {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not keep the bank account %s", ctx.Organisation, ctx.Role, account)
	}
	return nil
}
