package loan

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"io"
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// By which days a loan changes its class is data with the day from which it is in
// force: a file for each version, with its source. A new version is a new file.
//
//go:embed classes/*.json
var classFiles embed.FS

// Classes is one version of the classification of loans.
type Classes struct {
	ID      string    `json:"id"`
	InForce tape.Date `json:"inForce"`
	Sources []string  `json:"sources"`
	// Classes stand from the best to the worst.
	Classes []ClassDays `json:"classes"`
	// RestructuredAtLeast is the best class of a loan whose terms were changed, while it is observed.
	RestructuredAtLeast string `json:"restructuredAtLeast"`
	// NonPerforming are the classes that count as such.
	NonPerforming []string `json:"nonPerforming"`
	// ObservationDays is how long a changed loan is observed.
	ObservationDays int32 `json:"observationDays"`
}

// ClassDays is a class, and how many days past due a loan must be more than to be in it.
type ClassDays struct {
	Class        string `json:"class"`
	MoreThanDays int32  `json:"moreThanDays"`
}

// ClassesOn is the version in force on a day.
func ClassesOn(day tape.Date) (Classes, error) {
	files, err := classFiles.ReadDir("classes")
	if err != nil {
		return Classes{}, err
	}
	var versions []Classes
	for _, file := range files {
		data, err := classFiles.ReadFile("classes/" + file.Name())
		if err != nil {
			return Classes{}, err
		}
		version, err := readClasses(data)
		if err != nil {
			return Classes{}, rule.Refuse(rule.Invalid, "%s: %v", file.Name(), err)
		}
		versions = append(versions, version)
	}
	slices.SortFunc(versions, func(a, b Classes) int { return cmp.Compare(a.InForce, b.InForce) })
	for _, version := range slices.Backward(versions) {
		if version.InForce <= day {
			return version, nil
		}
	}
	return Classes{}, rule.Refuse(rule.Unsupported, "no classification of loans is known for %s", day)
}

// readClasses refuses what a version does not know, and days that do not rise.
func readClasses(data []byte) (Classes, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var c Classes
	if err := decoder.Decode(&c); err != nil {
		return c, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return c, rule.Refuse(rule.Invalid, "there is text behind the classes")
	}
	if err := rule.Field("inForce", c.InForce.Check()); err != nil {
		return c, err
	}
	if len(c.Classes) == 0 || c.Classes[0].MoreThanDays >= 0 || c.ObservationDays < 1 {
		return c, rule.Refuse(rule.Invalid, "there is no class for a loan that is not past due, or no observation")
	}
	for i := 1; i < len(c.Classes); i++ {
		if c.rank(c.Classes[i].Class) < i {
			return c, rule.Refuse(rule.Invalid, "%s stands twice", c.Classes[i].Class)
		}
		if c.Classes[i].MoreThanDays <= c.Classes[i-1].MoreThanDays {
			return c, rule.Refuse(rule.Invalid, "the days of %s do not rise", c.Classes[i].Class)
		}
	}
	for _, class := range append(slices.Clone(c.NonPerforming), c.RestructuredAtLeast) {
		if c.rank(class) < 0 {
			return c, rule.Refuse(rule.Invalid, "%q is no class", class)
		}
	}
	return c, nil
}

// rank is where a class stands, from 0 for the best; -1 for none.
func (c Classes) rank(class string) int {
	return slices.IndexFunc(c.Classes, func(d ClassDays) bool { return d.Class == class })
}

// Class is the class of a loan: by its days past due, and of one whose terms were
// changed no better than the version says while it is observed.
func (c Classes) Class(daysPastDue int32, observed bool) string {
	rank := 0
	for i, class := range c.Classes {
		if daysPastDue > class.MoreThanDays {
			rank = i
		}
	}
	if observed {
		rank = max(rank, c.rank(c.RestructuredAtLeast))
	}
	return c.Classes[rank].Class
}

// Performs reports whether a class is none of the non-performing ones.
func (c Classes) Performs(class string) bool { return !slices.Contains(c.NonPerforming, class) }

// Position is one loan as a portfolio sees it on a day.
type Position struct {
	// Principal is what is owed of it, WrittenOff the part of it that the lender took out of its books.
	Principal, WrittenOff int64
	DaysPastDue           int32
	// Observed: its terms were changed for the debtor's need, and that is not yet over.
	Observed bool
}

// Position is how a portfolio sees the loan on a day.
func (l Loan) Position(day tape.Date) (Position, error) {
	owed, err := l.Owed(day)
	if err != nil {
		return Position{}, err
	}
	p := Position{Principal: owed.Principal, DaysPastDue: owed.DaysPastDue, Observed: l.observed(day)}
	if l.WrittenOff != nil && l.WrittenOff.Date <= day {
		p.WrittenOff = owed.Principal
	}
	return p, nil
}

// observed reports whether the loan's terms were changed and that still counts.
func (l Loan) observed(day tape.Date) bool {
	return slices.ContainsFunc(l.Restructured, func(r Restructured) bool { return r.Date <= day && day <= r.Observed })
}

// Portfolio sums what a lender has lent, in minor units.
type Portfolio struct {
	Currency money.Currency
	// Gross is all principal that is owed and in the books, WrittenOff what is owed and was taken out.
	Gross, WrittenOff int64
	// AtRisk is principal of loans of which an instalment is more than so many days
	// overdue, or whose terms were changed; by the days asked.
	AtRisk []AtRisk
	// ByClass is principal by class, from the best to the worst.
	ByClass []ByClass
	// NonPerforming is the sum of the non-performing classes.
	NonPerforming int64
}

// AtRisk is the portfolio at risk beyond a number of days.
type AtRisk struct {
	Days  int32
	Units int64
	// PartsPerMillion of Gross, rounded down; 0 of nothing.
	PartsPerMillion int32
}

// ByClass is the principal in one class.
type ByClass struct {
	Class string
	Loans int32
	Units int64
}

// Reckon sums positions. PAR(n) is the outstanding principal of all loans with
// any instalment more than n days overdue, with those that were renegotiated, over the gross portfolio: no
// overdue amounts and no counts of loans (CGAP; Sa-Dhan). What was written off is
// in neither, and told beside it.
func (c Classes) Reckon(currency money.Currency, positions []Position, days ...int32) Portfolio {
	p := Portfolio{Currency: currency, AtRisk: make([]AtRisk, len(days)), ByClass: make([]ByClass, len(c.Classes))}
	for i, n := range days {
		p.AtRisk[i].Days = n
	}
	for i, class := range c.Classes {
		p.ByClass[i].Class = class.Class
	}
	for _, one := range positions {
		p.WrittenOff += one.WrittenOff
		units := one.Principal - one.WrittenOff
		if units == 0 {
			continue
		}
		p.Gross += units
		class := c.Class(one.DaysPastDue, one.Observed)
		p.ByClass[c.rank(class)].Loans++
		p.ByClass[c.rank(class)].Units += units
		if !c.Performs(class) {
			p.NonPerforming += units
		}
		for i := range p.AtRisk {
			if one.DaysPastDue > p.AtRisk[i].Days || one.Observed {
				p.AtRisk[i].Units += units
			}
		}
	}
	for i := range p.AtRisk {
		p.AtRisk[i].PartsPerMillion = partsOf(p.AtRisk[i].Units, p.Gross)
	}
	return p
}

// partsOf is a share in parts per million, rounded down; 0 of nothing.
func partsOf(units, of int64) int32 {
	if of == 0 {
		return 0
	}
	parts, _ := money.Portion(million, units, of)
	return int32(parts)
}
