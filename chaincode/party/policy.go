package party

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Policy is what the organisations agreed about persons and about approval.
// A vote replaces it as a whole.
type Policy struct {
	Approval ApprovalPolicy `json:"approval"`
	Persons  PersonPolicy   `json:"persons"`
}

// PersonPolicy says how long a new key waits.
type PersonPolicy struct {
	// KeyWaitingHours pass between the second organisation's witness and the
	// key's force, so that a person can object; 0 to 720, 0 is at once.
	KeyWaitingHours int32 `json:"keyWaitingHours"`
	// RegistrarCarryDays pass, from the witness on, before the organisation that
	// registered a key may carry what it signs; 0 to 365, 0 is at once.
	RegistrarCarryDays int32 `json:"registrarCarryDays"`
}

// ApprovalPolicy says who must sign before money moves.
type ApprovalPolicy struct {
	// Approvers is the number of different persons, maker and checker: 2 to 10.
	Approvers int32 `json:"approvers"`
	// Thresholds has one row a currency. Money in a currency that has none
	// cannot be approved: a new currency would otherwise have no limit at all.
	Thresholds []Threshold `json:"thresholds,omitempty"`
}

// Threshold asks for persons of several organisations above an amount.
type Threshold struct {
	// Amount may be moved by one organisation's persons; one unit more may not.
	Amount money.Amount `json:"amount"`
	// Organisations is the number of different organisations above it, at least 2.
	Organisations int32 `json:"organisations"`
}

// DefaultPolicy waits a day, keeps the registrar away for 30 days, and asks for
// maker and checker. The thresholds are the founders' to choose.
func DefaultPolicy(thresholds ...Threshold) Policy {
	return Policy{
		Approval: ApprovalPolicy{Approvers: 2, Thresholds: thresholds},
		Persons:  PersonPolicy{KeyWaitingHours: 24, RegistrarCarryDays: 30},
	}
}

// Check refuses a policy that nobody of this many organisations could meet.
func (p Policy) Check(organisations int) error {
	if p.Persons.KeyWaitingHours < 0 || p.Persons.KeyWaitingHours > 720 {
		return rule.Field("persons.keyWaitingHours", rule.Refuse(rule.Invalid, "%d is not 0 to 720", p.Persons.KeyWaitingHours))
	}
	if p.Persons.RegistrarCarryDays < 0 || p.Persons.RegistrarCarryDays > 365 {
		return rule.Field("persons.registrarCarryDays", rule.Refuse(rule.Invalid, "%d is not 0 to 365", p.Persons.RegistrarCarryDays))
	}
	return rule.Field("approval", p.Approval.check(organisations))
}

func (p ApprovalPolicy) check(organisations int) error {
	if p.Approvers < 2 || p.Approvers > 10 {
		return rule.Field("approvers", rule.Refuse(rule.Invalid, "%d is not 2 to 10", p.Approvers))
	}
	for i, threshold := range p.Thresholds {
		if err := threshold.check(organisations); err != nil {
			return rule.Field("thresholds", rule.Field(index(i), err))
		}
		for _, earlier := range p.Thresholds[:i] {
			if earlier.Amount.Currency == threshold.Amount.Currency {
				return rule.Field("thresholds", rule.Field(index(i), rule.Refuse(rule.Invalid, "%s has a threshold already", threshold.Amount.Currency)))
			}
		}
	}
	return nil
}

func (t Threshold) check(organisations int) error {
	if _, err := t.Amount.Currency.Exponent(); err != nil {
		return rule.Field("amount", err)
	}
	if t.Amount.Units < 0 || t.Amount.Units > money.Max {
		return rule.Field("amount", rule.Refuse(rule.Invalid, "%s is not zero or more", t.Amount))
	}
	if t.Organisations < 2 || int(t.Organisations) > organisations {
		return rule.Field("organisations", rule.Refuse(rule.Invalid, "%d is not 2 to %d, the number of organisations", t.Organisations, organisations))
	}
	return nil
}

// Approve refuses to move an amount out of an account of owner unless enough
// different staff have signed, one of them of owner, and above the threshold
// staff of enough organisations.
func (p ApprovalPolicy) Approve(amount money.Amount, approvals []tape.Approval, owner string) error {
	organisations, err := p.decided(approvals, owner)
	if err != nil {
		return err
	}
	for _, threshold := range p.Thresholds {
		if threshold.Amount.Currency != amount.Currency {
			continue
		}
		if amount.Units > threshold.Amount.Units && len(organisations) < int(threshold.Organisations) {
			return rule.Refuse(rule.Forbidden, "%s is above %s: staff of %d different organisations must sign; those of %d did",
				amount, threshold.Amount, threshold.Organisations, len(organisations))
		}
		return nil
	}
	return rule.Refuse(rule.Forbidden, "the policy has no threshold for %s; vote one first", amount.Currency)
}

// Decide refuses what owner says of itself, and no money is concerned by, unless
// enough different staff have signed, one of them of owner.
func (p ApprovalPolicy) Decide(approvals []tape.Approval, owner string) error {
	_, err := p.decided(approvals, owner)
	return err
}

// decided are the organisations whose staff have signed. The approvals are those
// that Judge gave; those of agents, members and keys that an agent holds decide nothing.
func (p ApprovalPolicy) decided(approvals []tape.Approval, owner string) ([]string, error) {
	var persons, organisations []string
	for _, approval := range approvals {
		if !Decides(approval) {
			continue
		}
		persons = include(persons, string(approval.Person))
		organisations = include(organisations, approval.Organisation)
	}
	if len(persons) < int(p.Approvers) {
		return nil, rule.Refuse(rule.Forbidden, "%d different persons of the staff must sign, maker and checker; %d did", p.Approvers, len(persons))
	}
	if !slices.Contains(organisations, owner) {
		return nil, rule.Refuse(rule.Forbidden, "one of the staff of %s must sign: it is theirs to decide", owner)
	}
	return organisations, nil
}

func include(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

// SignedBy refuses a command that nobody of an organisation's staff has signed.
func SignedBy(ctx tape.Context, organisation string) error {
	if slices.ContainsFunc(ctx.Approvals, func(a tape.Approval) bool { return Decides(a) && a.Organisation == organisation }) {
		return nil
	}
	return rule.Refuse(rule.Forbidden, "one of the staff of %s must sign", organisation)
}

// SignedByOne refuses a decision of an organisation that not exactly one of its staff has signed.
func SignedByOne(ctx tape.Context, organisation, does string) error {
	if len(ctx.Approvals) != 1 {
		return rule.Refuse(rule.Forbidden, "one of the staff of %s %s; %d persons signed", organisation, does, len(ctx.Approvals))
	}
	if a := ctx.Approvals[0]; !Decides(a) || a.Organisation != organisation {
		return rule.Refuse(rule.Forbidden, "one of the staff of %s %s; %s is %s of %s, its key %s", organisation, does, a.Person, a.Duty, a.Organisation, a.Custody)
	}
	return nil
}
