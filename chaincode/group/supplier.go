package group

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// ControllersMax is how many households may control one supplier, or suppliers one household.
const ControllersMax = 8

// NameSupplier says whom purpose-locked loans may pay and who controls it, changes
// that, or ends it.
type NameSupplier struct {
	Account tape.AccountID `json:"account"`
	// Categories are of the law's list, in its order.
	Categories []string `json:"categories"`
	// Controllers are fingerprints: of legal representatives and owners, as households are told apart.
	Controllers []string       `json:"controllers"`
	ID          tape.ID        `json:"id"`
	Supplier    tape.AccountID `json:"supplier"`
	Withdraw    bool           `json:"withdraw,omitempty"`
}

// Fingerprints are of whom the command changes what they control: those of the
// supplier as it stands, nil for none, and those that are named.
func (c NameSupplier) Fingerprints(known *Supplier) []string {
	all := slices.Clone(c.Controllers)
	if known != nil {
		all = append(all, known.Controllers...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// SupplierState is what NameSupplier reads.
type SupplierState struct {
	Known *Supplier // SupplierKey
	// Controls and Standings are ControlsKey and StandingKey of each of Fingerprints, in their order.
	Controls  []*Controls
	Standings []*Standing
}

// NameSupplier judges the command. It returns the controls of each of Fingerprints.
func (s Scheme) NameSupplier(command NameSupplier, state SupplierState, ctx tape.Context) (Supplier, []Controls, tape.Entry, error) {
	refuse := func(err error) (Supplier, []Controls, tape.Entry, error) { return Supplier{}, nil, tape.Entry{}, err }
	law, err := LawOn(ctx.Date)
	if err != nil {
		return refuse(err)
	}
	if err := rule.First(s.governs(ctx), command.check(law), state.Known.named(command)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "name-supplier", string(s.Account))
	supplier := Supplier{V: 1, Account: command.Supplier, Categories: command.Categories, Controllers: command.Controllers, Withdrawn: command.Withdraw, Entry: entry.Reference()}
	fingerprints := command.Fingerprints(state.Known)
	controls := make([]Controls, len(fingerprints))
	for i, fingerprint := range fingerprints {
		controlled := !command.Withdraw && slices.Contains(command.Controllers, fingerprint)
		if in := state.Standings[i].place(); controlled && in != nil && in.Scheme == s.Account {
			return refuse(rule.Field("controllers", rule.Refuse(rule.Forbidden, "%s is a household of group %s of this scheme; it supplies nobody here", fingerprint, in.Group)))
		}
		if controls[i], err = state.Controls[i].with(command.Supplier, controlled, entry); err != nil {
			return refuse(rule.Field("controllers", err))
		}
	}
	return supplier, controls, entry, nil
}

func (c NameSupplier) check(law Law) error {
	if err := rule.Field("supplier", c.Supplier.Check()); err != nil {
		return err
	}
	if kind := strings.TrimPrefix(string(c.Supplier), "outside:"); !strings.HasPrefix(kind, "supplier:") {
		return rule.Field("supplier", rule.Refuse(rule.Invalid, "is no supplier's account; write supplier:<organisation>:<name> or outside:supplier:<name>"))
	}
	if len(c.Categories) == 0 || len(c.Categories) > len(law.Categories) {
		return rule.Field("categories", rule.Refuse(rule.Invalid, "names %d; 1 to %d are possible", len(c.Categories), len(law.Categories)))
	}
	for i, category := range c.Categories {
		if err := rule.OneOf(category, law.Categories...); err != nil {
			return rule.Item("categories", i, err)
		}
		if i > 0 && category <= c.Categories[i-1] {
			return rule.Item("categories", i, rule.Refuse(rule.Invalid, "is not behind the one before; each stands once, in the order of the alphabet"))
		}
	}
	return c.controllers()
}

func (c NameSupplier) controllers() error {
	if len(c.Controllers) == 0 || len(c.Controllers) > ControllersMax {
		return rule.Field("controllers", rule.Refuse(rule.Invalid, "names %d; 1 to %d are possible", len(c.Controllers), ControllersMax))
	}
	for i, fingerprint := range c.Controllers {
		if err := checkFingerprint(fingerprint); err != nil {
			return rule.Item("controllers", i, err)
		}
		if slices.Contains(c.Controllers[:i], fingerprint) {
			return rule.Item("controllers", i, rule.Refuse(rule.Invalid, "stands twice"))
		}
	}
	return nil
}

// named refuses to withdraw what does not stand, and to say again what does.
func (s *Supplier) named(c NameSupplier) error {
	stands := s != nil && !s.Withdrawn
	if c.Withdraw && !stands {
		return rule.Field("supplier", rule.Refuse(rule.NotFound, "%s is no supplier of this scheme", c.Supplier))
	}
	if stands && !c.Withdraw && slices.Equal(s.Categories, c.Categories) && slices.Equal(s.Controllers, c.Controllers) {
		return rule.Field("supplier", rule.Refuse(rule.WrongState, "%s is named so already", c.Supplier))
	}
	return nil
}

// with is what a household controls once it does, or does not, control a supplier.
func (c *Controls) with(supplier tape.AccountID, controlled bool, entry tape.Entry) (Controls, error) {
	next := Controls{V: 1, Entry: entry.Reference()}
	if c != nil {
		next.Suppliers = slices.DeleteFunc(slices.Clone(c.Suppliers), func(s tape.AccountID) bool { return s == supplier })
	}
	if controlled {
		if len(next.Suppliers) == ControllersMax {
			return next, rule.Refuse(rule.Invalid, "a household controls %d suppliers already, and no more", ControllersMax)
		}
		next.Suppliers = append(next.Suppliers, supplier)
	}
	return next, nil
}

// Relate says that two households of the scheme are close kin, or takes that
// back. How they are related is nobody's business but the cooperative's.
type Relate struct {
	Account   tape.AccountID `json:"account"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
	Other     tape.AccountID `json:"other"`
	Withdraw  bool           `json:"withdraw,omitempty"`
}

// Relate judges the command; the two are members, known what stands between
// them, nil for nothing.
func (s Scheme) Relate(command Relate, household, other *Member, known *Kin, ctx tape.Context) (Kin, tape.Entry, error) {
	refuse := func(err error) (Kin, tape.Entry, error) { return Kin{}, tape.Entry{}, err }
	if err := s.governs(ctx); err != nil {
		return refuse(err)
	}
	if household == nil {
		return refuse(rule.Field("household", s.unknown(command.Household)))
	}
	if other == nil {
		return refuse(rule.Field("other", s.unknown(command.Other)))
	}
	if command.Household == command.Other {
		return refuse(rule.Field("other", rule.Refuse(rule.Invalid, "is the same household")))
	}
	if known.stands() != command.Withdraw {
		return refuse(rule.Refuse(rule.WrongState, "it stands as you ask already that %s and %s are kin, or are not", command.Household, command.Other))
	}
	if command.Withdraw && known.Organisation != ctx.Organisation {
		return refuse(rule.Refuse(rule.Forbidden, "%s called them kin, by entry %s, and alone takes it back", known.Organisation, known.Entry))
	}
	entry := ctx.Entry(command.ID, "relate", string(s.Account))
	return Kin{V: 1, Organisation: ctx.Organisation, Withdrawn: command.Withdraw, Entry: entry.Reference()}, entry, nil
}

func (k *Kin) stands() bool { return k != nil && !k.Withdrawn }

func (s Scheme) unknown(household tape.AccountID) error {
	return rule.Refuse(rule.NotFound, "%s is no household of %s; it is admitted first", household, s.Account)
}

// checkFingerprint refuses what is no fingerprint, and none.
func checkFingerprint(fingerprint string) error {
	if fingerprint == "" {
		return rule.Refuse(rule.Invalid, "is empty; a household is told apart by its fingerprint")
	}
	return tape.CheckFingerprint(fingerprint)
}
