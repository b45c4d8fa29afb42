package readmodel

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// loan keeps a loan for its lists, and as a record like any other.
func (w *writer) loan(_ int, rest string, value []byte) error {
	var l loan.Loan
	if err := json.Unmarshal(value, &l); err != nil {
		return err
	}
	key := "loan/" + rest
	outstanding := l.State == loan.Contracted || l.State == loan.Running
	if err := w.exec("INSERT OR REPLACE INTO loans VALUES (?, ?, ?, ?, ?, ?)", key, string(l.Scheme), string(l.Household), string(l.Group), string(l.State), outstanding); err != nil {
		return err
	}
	for _, lender := range l.Lenders {
		if err := w.exec("INSERT OR IGNORE INTO loan_lenders VALUES (?, ?)", lender.Organisation, key); err != nil {
			return err
		}
	}
	for _, guarantor := range l.Guarantors {
		if err := w.exec("INSERT OR IGNORE INTO loan_guarantors VALUES (?, ?)", string(guarantor.Household), key); err != nil {
			return err
		}
	}
	return w.other(Write{Key: key, Value: value})
}

// progress puts what has been paid into the loan, so that whoever reads a loan
// here reads it as it stands, and keeps it as a record like any other.
func (w *writer) progress(_ int, rest string, value []byte) error {
	key := "loan/" + rest
	var p loan.Progress
	if err := json.Unmarshal(value, &p); err != nil {
		return err
	}
	var stored []byte
	if found, err := w.get("SELECT value FROM records WHERE key = ?", []any{key}, &stored); err != nil || !found {
		return errors.Join(err, rule.Refuse(rule.Conflict, "it refers to loan %q, which was never written", rest))
	}
	var l loan.Loan
	if err := json.Unmarshal(stored, &l); err != nil {
		return err
	}
	joined, err := canonical.Encode(l.With(&p))
	return errors.Join(err, w.other(Write{Key: key, Value: joined}), w.other(Write{Key: "progress/" + rest, Value: value}))
}

// member keeps a household of a scheme for its lists, and as a record.
func (w *writer) member(_ int, rest string, value []byte) error {
	var m group.Member
	if err := json.Unmarshal(value, &m); err != nil {
		return err
	}
	scheme, _, err := cut(rest)
	if err != nil {
		return err
	}
	key, next := "member/"+rest, tape.ID("")
	if m.Next != nil {
		next = m.Next.Person
	}
	if err := w.exec("INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?, ?, ?, ?)", key, scheme, string(m.Household), string(m.Person), string(next), string(m.Agent), string(m.State)); err != nil {
		return err
	}
	return w.other(Write{Key: key, Value: value})
}

// order keeps an order from a supplier for its lists, and as a record.
func (w *writer) order(_ int, rest string, value []byte) error {
	var o loan.Order
	if err := json.Unmarshal(value, &o); err != nil {
		return err
	}
	scheme, _, err := cut(rest)
	if err != nil {
		return err
	}
	if err := w.exec("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)", "order/"+rest, scheme, string(o.Loan), string(o.Date)); err != nil {
		return err
	}
	return w.other(Write{Key: "order/" + rest, Value: value})
}

// lot lists what a household delivered, and keeps every lot as a record.
func (w *writer) lot(_ int, rest string, value []byte) error {
	var l harvest.Lot
	if err := json.Unmarshal(value, &l); err != nil {
		return err
	}
	if l.Delivery != nil && l.Household != "" {
		if err := w.exec("INSERT OR IGNORE INTO deliveries VALUES (?, ?)", string(l.Household), "lot/"+rest); err != nil {
			return err
		}
	}
	return w.other(Write{Key: "lot/" + rest, Value: value})
}

// agents notes what agents signed, and what was signed by keys that agents hold.
func (w *writer) agents(approvals []tape.Approval) error {
	for _, a := range approvals {
		if party.Duty(a.Duty) != party.DutyAgent && party.Custody(a.Custody) != party.AgentHeld {
			continue
		}
		if err := w.exec("INSERT OR IGNORE INTO agent_signatures VALUES (?, ?, ?, ?)", string(a.Person), int64(w.base), a.Duty, a.Custody); err != nil {
			return err
		}
	}
	return nil
}

// turnover counts one posting on both of its accounts.
func (w *writer) turnover(p tape.Posting) error {
	for _, side := range []struct {
		account       tape.AccountID
		left, reached int64
	}{{p.From, p.Amount.Units, 0}, {p.To, 0, p.Amount.Units}} {
		if err := w.exec(`INSERT INTO turnovers VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET left_it = left_it + excluded.left_it, reached = reached + excluded.reached`,
			string(side.account), string(p.Amount.Currency), p.Memo, string(w.entry.BusinessDate), side.left, side.reached); err != nil {
			return err
		}
	}
	return nil
}

// Loan is a loan, and where on the ledger it was last changed.
type Loan struct {
	loan.Loan
	Block uint64 `json:"block"`
}

// LoanFilter chooses loans; empty fields choose all.
type LoanFilter struct {
	Scheme tape.AccountID
	// Household borrows, Guarantor guarantees.
	Household, Guarantor tape.AccountID
	// Group is one of Scheme.
	Group tape.ID
	// Lender is one of those who lend it.
	Lender string
	State  loan.State
	// Outstanding leaves out what is not contracted yet and what is over.
	Outstanding bool
}

// Loans lists loans by their keys: by scheme, then by id.
func (m *Model) Loans(ctx context.Context, filter LoanFilter, window Window) (List[Loan], error) {
	q := query{list: "loans", key: "loans.key", named: true, columns: "records.ordinal, records.value", from: "loans JOIN records ON records.key = loans.key"}
	q.where("loans.scheme = ?", string(filter.Scheme))
	q.where("loans.household = ?", string(filter.Household))
	q.where("loans.guarantee = ?", string(filter.Group))
	q.where("loans.state = ?", string(filter.State))
	q.where("loans.key IN (SELECT key FROM loan_lenders WHERE lender = ?)", filter.Lender)
	q.where("loans.key IN (SELECT key FROM loan_guarantors WHERE household = ?)", string(filter.Guarantor))
	if filter.Outstanding {
		q.conditions = append(q.conditions, "loans.outstanding = 1")
	}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (l Loan, err error) {
		l.Block, err = bodyOf(scan, key, &l.Loan)
		return l, err
	})
}

// bodyOf reads a record, and says in which block it was last changed.
func bodyOf(scan func(...any) error, key, into any) (uint64, error) {
	var at ordinal
	var value []byte
	if err := scan(key, &at, &value); err != nil {
		return 0, err
	}
	return at.block(), json.Unmarshal(value, into)
}

// Member is a household of a scheme.
type Member struct {
	group.Member
	Scheme tape.AccountID `json:"scheme"`
	Block  uint64         `json:"block"`
}

// MemberFilter chooses members; empty fields choose all.
type MemberFilter struct {
	Scheme tape.AccountID
	// Person signs for them, or is on the way to.
	Person tape.ID
	// Agent carried their papers.
	Agent tape.ID
}

// Members lists the households of schemes by their keys.
func (m *Model) Members(ctx context.Context, filter MemberFilter, window Window) (List[Member], error) {
	q := query{list: "members", key: "members.key", named: true, columns: "records.ordinal, records.value, members.scheme", from: "members JOIN records ON records.key = members.key"}
	q.where("members.scheme = ?", string(filter.Scheme))
	q.where("members.agent = ?", string(filter.Agent))
	if filter.Person != "" {
		q.conditions = append(q.conditions, "(members.person = ? OR members.next = ?)")
		q.arguments = append(q.arguments, string(filter.Person), string(filter.Person))
	}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (Member, error) {
		var found Member
		var at ordinal
		var value []byte
		if err := scan(key, &at, &value, (*string)(&found.Scheme)); err != nil {
			return found, err
		}
		found.Block = at.block()
		return found, json.Unmarshal(value, &found.Member)
	})
}

// OrderFilter chooses orders of a scheme; empty fields choose all.
type OrderFilter struct {
	Scheme tape.AccountID
	Loan   tape.ID
	// Since leaves out what was ordered before a day.
	Since tape.Date
}

// Orders lists what purpose-locked loans bought, by scheme and id.
func (m *Model) Orders(ctx context.Context, filter OrderFilter, window Window) (List[loan.Order], error) {
	q := query{list: "orders", key: "orders.key", named: true, columns: "records.ordinal, records.value", from: "orders JOIN records ON records.key = orders.key"}
	q.where("orders.scheme = ?", string(filter.Scheme))
	q.where("orders.loan = ?", string(filter.Loan))
	q.where("orders.date >= ?", string(filter.Since))
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (o loan.Order, err error) {
		_, err = bodyOf(scan, key, &o)
		return o, err
	})
}

// Deliveries lists the lots that a household delivered.
func (m *Model) Deliveries(ctx context.Context, household tape.AccountID, window Window) (List[harvest.Lot], error) {
	q := query{list: "deliveries", key: "deliveries.key", named: true, columns: "records.ordinal, records.value", from: "deliveries JOIN records ON records.key = deliveries.key",
		conditions: []string{"deliveries.household = ?"}, arguments: []any{string(household)}}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (l harvest.Lot, err error) {
		_, err = bodyOf(scan, key, &l)
		return l, err
	})
}

// Turnover is what left and reached an account in a period, and what stood on
// it before and after, in minor units; what reached it counts above zero.
type Turnover struct {
	Account  tape.AccountID `json:"account"`
	Currency money.Currency `json:"currency"`
	// Memo marks accruals, which balance by themselves.
	Memo    bool  `json:"memo,omitempty"`
	Opening int64 `json:"opening,string"`
	Reached int64 `json:"reached,string"`
	Left    int64 `json:"left,string"`
	Closing int64 `json:"closing,string"`
}

// Turnovers lists what moved on each account from one civil day to another,
// both counted in; accounts without anything before or in it are left out.
func (m *Model) Turnovers(ctx context.Context, from, to tape.Date) ([]Turnover, error) {
	found := []Turnover{}
	err := m.view(ctx, func(s *session) error {
		return s.each(ctx, `SELECT account, currency, memo, sum(iif(day < ?, reached - left_it, 0)), sum(iif(day >= ?, reached, 0)), sum(iif(day >= ?, left_it, 0))
			FROM turnovers WHERE day <= ? GROUP BY account, currency, memo ORDER BY currency, memo, account`, []any{string(from), string(from), string(from), string(to)},
			func(scan func(...any) error) error {
				var t Turnover
				if err := scan((*string)(&t.Account), (*string)(&t.Currency), &t.Memo, &t.Opening, &t.Reached, &t.Left); err != nil {
					return err
				}
				t.Closing = t.Opening + t.Reached - t.Left
				found = append(found, t)
				return nil
			})
	})
	return found, err
}

// AgentSignature is one entry that an agent signed, or that was signed by a key which an agent holds.
type AgentSignature struct {
	Person  tape.ID `json:"person"`
	Duty    string  `json:"duty"`
	Custody string  `json:"custody"`
	Kind    string  `json:"kind"`
	Subject string  `json:"subject"`
	// Organisation's gateway carried it.
	Organisation string       `json:"organisation"`
	At           tape.Instant `json:"at"`
	Entry        string       `json:"entry"`
	Block        uint64       `json:"block"`
}

// AgentSignatures lists what a person signed as an agent or by a key that an
// agent holds, in ledger order.
func (m *Model) AgentSignatures(ctx context.Context, person tape.ID, window Window) (List[AgentSignature], error) {
	q := query{list: "agent-signatures", key: "a.ordinal", columns: "a.person, a.duty, a.custody, e.kind, e.subject, e.organisation, e.at, e.id",
		from: "agent_signatures AS a JOIN entries AS e ON e.ordinal = a.ordinal"}
	q.where("a.person = ?", string(person))
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (AgentSignature, error) {
		var s AgentSignature
		var id string
		err := scan(key, (*string)(&s.Person), &s.Duty, &s.Custody, &s.Kind, &s.Subject, &s.Organisation, &s.At, &id)
		s.Entry, s.Block = s.Organisation+"/"+id, ordinal(*key.(*int64)).block()
		return s, err
	})
}

// Chunks lists the chunks of a job that have run, by their numbers.
func (m *Model) Chunks(ctx context.Context, account tape.AccountID, job tape.ID, window Window) (List[tape.Chunk], error) {
	q := query{list: "chunks", key: "n", columns: "body", from: "chunks", conditions: []string{"account = ?", "job = ?"}, arguments: []any{string(account), string(job)}}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (tape.Chunk, error) {
		var c tape.Chunk
		var body []byte
		if err := scan(key, &body); err != nil {
			return c, err
		}
		return c, json.Unmarshal(body, &c)
	})
}

// Agents lists who has signed as an agent or carried the papers of a household, by their ids.
func (m *Model) Agents(ctx context.Context) ([]tape.ID, error) {
	found := []tape.ID{}
	err := m.view(ctx, func(s *session) error {
		return s.each(ctx, "SELECT person FROM agent_signatures WHERE duty = ? UNION SELECT agent FROM members WHERE agent <> '' ORDER BY 1", []any{string(party.DutyAgent)},
			func(scan func(...any) error) error {
				var person string
				err := scan(&person)
				found = append(found, tape.ID(person))
				return err
			})
	})
	return found, err
}
