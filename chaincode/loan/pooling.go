package loan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// At what loans meet. Several borrow and one uses it (多贷一用, 垒大户): a court
// and banks name it among the ways in which guarantee groups fail.
const (
	// AtPayee: households of one group are served by one supplier. Suppliers of a
	// scheme are few, so that of different groups it says nothing.
	AtPayee = "payee"
	// AtInvoice and AtPlace: households of whichever groups share an invoice, or had it delivered to one place.
	AtInvoice = "invoice"
	AtPlace   = "place"
)

// Purchase is an order with whose loan it is on.
type Purchase struct {
	Order
	Household tape.AccountID
	Group     tape.ID
}

// Meeting is where loans of several households meet within a window. It is no
// verdict: neighbours may share a cart. Somebody looks.
type Meeting struct {
	// Kind is payee, invoice or place; At is the supplier, or the keyed fingerprint of the other two.
	Kind string `json:"kind"`
	At   string `json:"at"`
	// From and To are the days of the first and the last of the orders.
	From tape.Date `json:"from"`
	To   tape.Date `json:"to"`
	// Households, Loans and Orders stand in the order of the days, each once.
	Households []tape.AccountID `json:"households"`
	Loans      []tape.ID        `json:"loans"`
	Orders     []tape.ID        `json:"orders"`
	Amount     money.Amount     `json:"amount"`
}

// Meetings finds what loans of two households or more have in common, within as
// many days as the scheme's terms say (poolingDays): of all orders whose first and
// last lie no further apart. What was cancelled does not count.
func Meetings(purchases []Purchase, days int32) []Meeting {
	found := []Meeting{}
	sorted := slices.DeleteFunc(slices.Clone(purchases), func(p Purchase) bool { return p.State == Cancelled })
	slices.SortFunc(sorted, func(a, b Purchase) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.ID, b.ID))
	})
	for _, kind := range []string{AtInvoice, AtPlace, AtPayee} {
		// What meets stands together; within it the order of the days is kept.
		list := slices.DeleteFunc(slices.Clone(sorted), func(p Purchase) bool { return p.at(kind) == "" })
		slices.SortStableFunc(list, func(a, b Purchase) int { return cmp.Compare(a.at(kind), b.at(kind)) })
		for len(list) > 0 {
			n := 1
			for n < len(list) && list[n].at(kind) == list[0].at(kind) {
				n++
			}
			found = append(found, within(kind, list[:n], days)...)
			list = list[n:]
		}
	}
	return found
}

// at is what a purchase meets others at, by kind; empty while it is not known.
func (p Purchase) at(kind string) string {
	switch kind {
	case AtInvoice:
		return p.Invoice
	case AtPlace:
		return p.Place
	}
	return string(p.Group) + " " + string(p.Supplier)
}

// within cuts the purchases at one thing into the longest windows in which more
// than one household stands.
func within(kind string, all []Purchase, days int32) []Meeting {
	var found []Meeting
	last := 0 // behind the last purchase of the window before: a window within that one is told already
	for first := range all {
		end := first
		for end < len(all) && all[first].Date.DaysUntil(all[end].Date) <= int(days) {
			end++
		}
		if end <= last {
			continue
		}
		last = end
		if m := meeting(kind, all[first:end]); len(m.Households) > 1 {
			found = append(found, m)
		}
	}
	return found
}

func meeting(kind string, purchases []Purchase) Meeting {
	first := purchases[0]
	m := Meeting{Kind: kind, At: first.at(kind), From: first.Date, To: purchases[len(purchases)-1].Date, Amount: money.New(0, first.Amount.Currency)}
	if kind == AtPayee {
		m.At = strings.TrimPrefix(m.At, string(first.Group)+" ")
	}
	for _, p := range purchases {
		m.Amount.Units += p.Amount.Units
		m.Orders = append(m.Orders, p.ID)
		if !slices.Contains(m.Households, p.Household) {
			m.Households = append(m.Households, p.Household)
		}
		if !slices.Contains(m.Loans, p.Loan) {
			m.Loans = append(m.Loans, p.Loan)
		}
	}
	return m
}
