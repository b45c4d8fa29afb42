// Package books makes the published books of one campaign account out of the
// read model: an IATI activity, a 360Giving package, tables. It also says,
// in figures, whether bank, chain and export agree.
//
// Money is read off the postings, one by one, and kept per day: the books of
// 200,000 gifts are some hundred rows. What no posting can tell (a title, a
// sector, who stands behind an account) comes from Facts.
package books

import (
	"context"
	"iter"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/iati"
	"github.com/lianbao/lianbao/gateway/export/threesixty"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Facts is what the records of campaigns say and postings do not. Each method
// refuses with not-found where nothing is published.
type Facts interface {
	// Campaign is what is published of the campaign that an account is kept for.
	Campaign(ctx context.Context, account tape.AccountID) (Campaign, error)
	// Party is who stands behind an account that is no campaign's, on the ledger or outside.
	Party(ctx context.Context, account tape.AccountID) (Party, error)
	// Promises are pledges and agreements for an account; what has been paid of them stays among them.
	Promises(ctx context.Context, account tape.AccountID) ([]Promise, error)
}

// Campaign is what is published of a campaign.
type Campaign struct {
	// Activity is the IATI activity without its transactions, and without
	// Currency, Updated and the reporter among the participants: those are filled in.
	Activity iati.Activity
	// Grants is what 360Giving wants beside that; Prefix empty where the charity has none.
	Grants Grants
}

// Grants is what a campaign's grants have in common.
type Grants struct {
	// Prefix is the charity's 360Giving prefix.
	Prefix string
	// Code and Area name the campaign and the place where its money is used.
	Code, Area string
	// Individual is why and for what persons receive.
	Individual threesixty.Individual
	// License and Source are addresses; empty where there is none.
	License, Source string
}

// Kind of a party.
type Kind string

// The kinds. Money to a partner is granted on; to a household it has arrived.
const (
	Partner   Kind = "partner"
	Household Kind = "household"
	Supplier  Kind = "supplier"
	// Own is another account of the charity itself.
	Own Kind = "own"
	// Unnamed is a party of which nothing is published.
	Unnamed Kind = "unnamed"
	// Donors are the givers, never named.
	Donors Kind = "donors"
)

// Party is who stands behind an account. Of households, nothing but Kind is read.
type Party struct {
	Kind         Kind
	Organisation iati.Organisation
	// Regrant is 360Giving's regrant type for grants to this partner; empty where it uses the money itself.
	Regrant string
}

// Promise is money promised to the account and not counted as money.
type Promise struct {
	// Binding marks a donation agreement; without it, it is a pledge.
	Binding   bool
	Reference string
	Date      tape.Date
	Amount    money.Amount
	// From is who promised; the zero value for givers who are not named.
	From iati.Organisation
}

// Books makes exports from a read model.
type Books struct {
	Model *readmodel.Model
	Facts Facts
}

// Cut is how far an export goes.
type Cut struct {
	// Generated is when the export is made.
	Generated tape.Instant
	// Through is the last day of money in it; empty for the day of Generated in
	// UTC, by which every validator measures what lies in the future.
	Through tape.Date
}

func (c Cut) through() (tape.Date, error) {
	if c.Generated <= 0 {
		return "", rule.Field("generated", rule.Refuse(rule.Invalid, "is missing"))
	}
	today := tape.Date(time.UnixMilli(int64(c.Generated)).UTC().Format(time.DateOnly))
	if c.Through == "" {
		return today, nil
	}
	if err := c.Through.Check(); err != nil {
		return "", rule.Field("through", err)
	}
	if c.Through > today {
		return "", rule.Field("through", rule.Refuse(rule.Invalid, "%s is after %s, when the export is made", c.Through, today))
	}
	return c.Through, nil
}

// windowRows is how many rows are asked for at a time.
const windowRows = 1000

// walk goes through a list of the read model, part by part.
func walk[T any](list func(readmodel.Window) (readmodel.List[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		window := readmodel.Window{Limit: windowRows}
		for {
			part, err := list(window)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range part.Items {
				if !yield(one, nil) {
					return
				}
			}
			if part.Next == "" {
				return
			}
			window.After = part.Next
		}
	}
}
