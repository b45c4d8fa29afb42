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
	Columns  []ActColumn
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
	// Account is the campaign; empty where the act opens one.
	Account tape.AccountID
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
}

// Name of its template.
func (Act) Name() string { return "act" }

// Uploads says that the form takes files.
func (a Act) Uploads() bool {
	for _, field := range a.Fields {
		if field.Kind == "rows" || field.Kind == "document" {
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
