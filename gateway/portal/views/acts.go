package views

import (
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// ActColumn is a column of an ActField that is a table.
type ActColumn struct {
	Name, Kind string
	Choices    []string
	Family     string
}

// ActFault is what is wrong about a field; of a table about a row, counted from 1.
type ActFault struct {
	Row     int
	Column  string
	Refusal Refusal
}

// ActField is a field of a form with what was typed into it, and what is wrong
// with that; Kind is one of those of acts.
type ActField struct {
	ActColumn
	Required bool
	// Fixed was said by the page that led here; it is shown, and not typed.
	Fixed bool
	// Options are what can be chosen, where that is known.
	Options []string
	Columns []ActColumn
	// Header is the first line of a file of rows.
	Header                  string
	Value, English, Chinese string
	Rows                    [][]string
	Faults                  []ActFault
}

// Compared is a part of a plan as it is and as it would be.
type Compared struct{ Label, Before, After string }

// Act is the form of one thing that staff do.
type Act struct {
	Act string
	// Account is the campaign or the scheme; empty where the act opens one.
	Account tape.AccountID
	// Subject is what the account is: campaign, scheme, pool.
	Subject string
	Title   *Text
	Fields  []ActField
	ID      tape.ID
	Person  tape.ID
	Token   string
	// Back is where one came from, Path where the form is sent.
	Back, Path string
	// Refusal is a no that is about no field.
	Refusal *Refusal
	// Faulty says that something is to be mended.
	Faulty bool
	// Compare is the plan that waits beside the one in force.
	Compare []Compared
	// Promise is what a household would sign; nil for what staff alone decide.
	Promise *Promise
}

// Ask is an act with what it is about, where one page leads to several of a kind.
type Ask struct{ Act, Path, About string }

// AskGroup are the acts of one family.
type AskGroup struct {
	Family string
	Acts   []Ask
}

// grouped adds an act to those of its family.
func grouped(groups []AskGroup, family string, ask Ask) []AskGroup {
	for i := range groups {
		if groups[i].Family == family {
			groups[i].Acts = append(groups[i].Acts, ask)
			return groups
		}
	}
	return append(groups, AskGroup{family, []Ask{ask}})
}

// Add leads to an act that opens something.
func (s *Schemes) Add(family string, ask Ask) { s.Acts = grouped(s.Acts, family, ask) }

// Add leads to an act: of the staff by its family, of the reader's own household,
// or one by which that household answers somebody.
func (s *Scheme) Add(family string, ask Ask, own, awaited bool) {
	switch {
	case own && awaited:
		s.Asked = append(s.Asked, ask)
	case own:
		s.Mine = append(s.Mine, ask)
	default:
		s.Acts = grouped(s.Acts, family, ask)
	}
}

// Name of its template.
func (Act) Name() string { return "act" }

// Uploads says that the form takes files.
func (a Act) Uploads() bool {
	for _, field := range a.Fields {
		if !field.Fixed && (field.Kind == "rows" || field.Kind == "document") {
			return true
		}
	}
	return false
}

// Child is a grant or an earmark that spends a campaign's money.
type Child struct {
	Account tape.AccountID
	Title   Text
	Basis   string
}

// Life is what belongs to a campaign beside its money.
type Life struct {
	Children []Child
	Partners []fund.Invitation
	Agents   []fund.Agent
	Pledges  []fund.Pledge
	Goods    []fund.Goods
	// Receipts are where somebody who may writes the receipts of Goods, one each; none for others.
	Receipts []string
	Cited    []Evidence
}

// Empty says that there is nothing of it yet.
func (l Life) Empty() bool {
	return len(l.Children)+len(l.Partners)+len(l.Agents)+len(l.Pledges)+len(l.Goods)+len(l.Cited) == 0
}
