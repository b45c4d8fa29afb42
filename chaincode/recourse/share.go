package recourse

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// member is a guarantor as arithmetic sees it, in minor units.
type member struct {
	weight int64
	// most is the most that it bears, borne what it has borne so far: what it has
	// paid the lender and co-guarantors, less what came back.
	most, borne int64
	// ends is set for who bears no more than it has borne: it is unable to, or
	// the lender has released it.
	ends bool
	// late is set for whose unpaid part the others are asked for.
	late bool
}

// position is what a guarantor bears, is asked for and is owed, in minor units.
type position struct {
	// share is what it bears in the end, among the guarantors (art. 519).
	share int64
	// asked is what the lender asks of it for its own part, spread what it asks
	// in the place of those who are late.
	asked, spread int64
	// owed is what each co-guarantor owes it, in their order.
	owed []int64
}

// spread splits a total by weights, nobody above its most. What one cannot bear
// goes to the others pro rata; what none can bear is given to nobody.
func spread(total int64, weights, most []int64) []int64 {
	shares, open := make([]int64, len(weights)), append([]int64{}, weights...)
	for {
		split, err := money.Split(total, open)
		if err != nil { // everybody bears its most
			return shares
		}
		within := true
		for i, share := range split {
			if open[i] > 0 && share > most[i] {
				shares[i], open[i], within = most[i], 0, false
				total -= most[i]
			}
		}
		if within {
			for i, share := range split {
				shares[i] += share
			}
			return shares
		}
	}
}

// ownShares are what each bears of a total in the end: by weight, within its
// most. Who cannot pay bears what it has borne, and the others the rest pro
// rata (art. 519); a whole split anew, so that the order of events is nothing.
func ownShares(total int64, members []member) []int64 {
	weights, most := make([]int64, len(members)), make([]int64, len(members))
	for i, m := range members {
		if weights[i], most[i] = m.weight, m.most; m.ends {
			most[i] = min(m.most, m.borne)
		}
	}
	return spread(total, weights, most)
}

// positions judges where everybody stands when the guarantors bear a total
// together. Who bore more than its share recovers all of that from those who
// bore less: where something of the total is borne by nobody, everybody bears
// its most, and nobody more than its share. What these owe beside it they owe the lender.
func positions(total int64, members []member) []position {
	shares := ownShares(total, members)
	of := make([]position, len(members))
	excess, unpaid := make([]int64, len(members)), make([]int64, len(members))
	for i, m := range members {
		of[i] = position{share: shares[i], owed: make([]int64, len(members))}
		excess[i], unpaid[i] = max(0, m.borne-shares[i]), max(0, shares[i]-m.borne)
	}
	claim(of, members, excess, unpaid)
	for i := range of {
		of[i].asked = unpaid[i]
	}
	inTheirPlace(of, members, shares, excess)
	return of
}

// claim lets those who bore more than their share recover it from those who
// bore less, and leaves in unpaid what these owe the lender itself.
func claim(of []position, members []member, excess, unpaid []int64) {
	for i := range of {
		late := make([]int64, len(unpaid))
		for j, m := range members {
			if m.late {
				late[j] = unpaid[j]
			}
		}
		// Of those first whose part it was: who has paid for a late one is not
		// asked again because another still owes its own part.
		takeOff(of[i].owed, late, unpaid, min(excess[i], sum(late)))
		takeOff(of[i].owed, unpaid, unpaid, excess[i]-sum(of[i].owed))
	}
}

// takeOff adds units to what is owed, split by weights that are no more than
// what is unpaid, and takes them off it.
func takeOff(owed, weights, unpaid []int64, units int64) {
	parts, err := money.Split(units, weights)
	if err != nil {
		return
	}
	for j, part := range parts {
		owed[j], unpaid[j] = owed[j]+part, unpaid[j]-part
	}
}

// inTheirPlace asks the others for what the late ones still owe the lender, pro
// rata within what each can bear, less what it has advanced beyond its share.
func inTheirPlace(of []position, members []member, shares, excess []int64) {
	weights, most := make([]int64, len(members)), make([]int64, len(members))
	var unpaid, asked int64
	for i, m := range members {
		if m.late {
			unpaid, asked = unpaid+max(0, shares[i]-m.borne), asked+of[i].asked
		}
		if m.late || m.ends {
			unpaid -= excess[i]
		} else {
			weights[i], most[i] = m.weight, m.most-shares[i]
		}
	}
	rest := advance(unpaid, weights, most, excess)
	for i, part := range spread(asked, rest, rest) {
		of[i].spread = part
	}
}

// advance is what each has still to advance of a total, so that none is asked
// again who has advanced its part: who has advanced more than that has done so
// for the others too.
func advance(total int64, weights, most, excess []int64) []int64 {
	rest := make([]int64, len(weights))
	for again := true; again; {
		again = false
		for i, part := range spread(max(0, total), weights, most) {
			rest[i] = max(0, part-excess[i])
			if weights[i] > 0 && part < excess[i] {
				weights[i], total, again = 0, total-excess[i], true
			}
		}
	}
	return rest
}

func sum(units []int64) int64 {
	total := int64(0)
	for _, u := range units {
		total += u
	}
	return total
}

// Standing is a guarantor in a reckoning on paper: amounts in minor units.
type Standing struct {
	Name string
	// Share are the agreed parts; where all are 0 none are agreed, and they are equal (art. 519).
	Share int32
	// Max is the most that it guarantees (art. 690); 0 is the whole debt.
	Max int64
	// Paid is what it has paid the lender.
	Paid int64
	// Unable to pay more than that, or Released by the lender.
	Unable, Released bool
}

// Claim is what one guarantor owes another.
type Claim struct {
	// By may ask Of for Units.
	By, Of string
	Units  int64
}

// Settlement is who bears and owes what, in minor units, by the guarantors' order.
type Settlement struct {
	// Parts are the agreed parts of the debt; Shares what each bears in the end,
	// when those who cannot pay and who were released bear no more than they paid.
	Parts, Shares []int64
	// Asked is what the lender may still ask of each for its own share; Open of all.
	Asked []int64
	Open  int64
	// Debtor is what each may claim from the debtor (art. 700).
	Debtor []int64
	// Returned is what each gets of what the debtor repaid once the lender was whole.
	Returned []int64
	// Between are the claims among them (art. 519).
	Between []Claim
	// Released is by how much the debt of all fell with releases (art. 520).
	Released int64
}

// Settle reckons who bears a debt among its guarantors: what they have paid,
// whom the lender has released, who cannot pay, and what the debtor repaid after
// that: to the lender first, the rest to those who paid in its place. The order
// of releases and of inability is nothing: a released one's part of what
// another cannot pay is the lender's loss as well.
func Settle(debt int64, guarantors []Standing, repaid int64) (Settlement, error) {
	if err := checkStandings(debt, guarantors, repaid); err != nil {
		return Settlement{}, err
	}
	members := membersOf(debt, guarantors)
	weights, most, paid := make([]int64, len(members)), make([]int64, len(members)), int64(0)
	for i, m := range members {
		weights[i], most[i], paid = m.weight, m.most, paid+m.borne
		members[i].ends = guarantors[i].Unable
	}
	s := Settlement{Parts: spread(debt, weights, most)}
	for i, share := range ownShares(debt, members) {
		if !guarantors[i].Released {
			continue
		}
		if share <= members[i].borne {
			return Settlement{}, rule.Item("guarantors", i, rule.Field("released", rule.Refuse(rule.WrongState, "has paid its share of %d; nothing is left to release it from", share)))
		}
		s.Released, members[i].ends = s.Released+share-members[i].borne, true
	}
	open := debt - s.Released - paid
	if open < 0 {
		return Settlement{}, rule.Field("guarantors", rule.Refuse(rule.Conflict, "%d were paid; with those released they owed %d", paid, debt-s.Released))
	}
	if repaid > open+paid {
		return Settlement{}, rule.Field("repaid", rule.Refuse(rule.Conflict, "%d is more than %d, which the lender and the guarantors are without", repaid, open+paid))
	}
	s.returned(members, max(0, repaid-open))
	s.write(debt-s.Released-repaid, guarantors, members)
	return s, nil
}

// returned gives what the debtor repaid to the guarantors, in proportion to what each is without.
func (s *Settlement) returned(members []member, units int64) {
	s.Returned = make([]int64, len(members))
	for i, part := range inProportion(units, members) {
		s.Returned[i], members[i].borne = part, members[i].borne-part
	}
}

// write notes where everybody stands when they bear a total together.
func (s *Settlement) write(total int64, guarantors []Standing, members []member) {
	s.Open = total
	for i, of := range positions(total, members) {
		s.Shares, s.Asked, s.Debtor = append(s.Shares, of.share), append(s.Asked, of.asked), append(s.Debtor, members[i].borne)
		s.Open -= members[i].borne
		for j, units := range of.owed {
			if units > 0 {
				s.Between = append(s.Between, Claim{By: guarantors[i].Name, Of: guarantors[j].Name, Units: units})
			}
		}
	}
}

// inProportion splits units by what each has borne; nobody gets more than that.
func inProportion(units int64, members []member) []int64 {
	borne := make([]int64, len(members))
	for i, m := range members {
		borne[i] = m.borne
	}
	parts, err := money.Split(units, borne)
	if err != nil { // nobody has borne anything
		return make([]int64, len(members))
	}
	return parts
}

func membersOf(debt int64, guarantors []Standing) []member {
	members, agreed := make([]member, len(guarantors)), false
	for i, g := range guarantors {
		members[i] = member{weight: int64(g.Share), most: debt, borne: g.Paid}
		if g.Max > 0 {
			members[i].most = min(debt, g.Max)
		}
		agreed = agreed || g.Share > 0
	}
	for i := range members {
		if !agreed {
			members[i].weight = 1
		}
	}
	return members
}

func checkStandings(debt int64, guarantors []Standing, repaid int64) error {
	if debt <= 0 || debt > money.Max {
		return rule.Field("debt", rule.Refuse(rule.Invalid, "%d is not 1 to %d", debt, int64(money.Max)))
	}
	if repaid < 0 || repaid > debt {
		return rule.Field("repaid", rule.Refuse(rule.Invalid, "%d is not 0 to %d, the debt", repaid, debt))
	}
	if len(guarantors) == 0 || len(guarantors) > GuarantorsMax {
		return rule.Field("guarantors", rule.Refuse(rule.Invalid, "there are %d; 1 to %d stand for a debt", len(guarantors), GuarantorsMax))
	}
	for i, g := range guarantors {
		if err := g.check(debt, guarantors[:i]); err != nil {
			return rule.Item("guarantors", i, err)
		}
	}
	if paid := sumPaid(guarantors); paid > debt {
		return rule.Field("guarantors", rule.Refuse(rule.Conflict, "%d were paid of a debt of %d", paid, debt))
	}
	return nil
}

func (g Standing) check(debt int64, earlier []Standing) error {
	if g.Name == "" {
		return rule.Field("name", rule.Refuse(rule.Invalid, "is empty"))
	}
	for _, other := range earlier {
		if other.Name == g.Name {
			return rule.Field("name", rule.Refuse(rule.Invalid, "stands twice"))
		}
		if (other.Share > 0) != (g.Share > 0) {
			return rule.Field("share", rule.Refuse(rule.Invalid, "shares are agreed for all or for none"))
		}
	}
	if g.Share < 0 {
		return rule.Field("share", rule.Refuse(rule.Invalid, "is %d, less than 0", g.Share))
	}
	if g.Max < 0 || g.Max > money.Max {
		return rule.Field("max", rule.Refuse(rule.Invalid, "%d is not 0 to %d", g.Max, int64(money.Max)))
	}
	if g.Paid < 0 || g.Paid > debt || g.Max > 0 && g.Paid > g.Max {
		return rule.Field("paid", rule.Refuse(rule.Invalid, "%d is less than 0, or more than the debt or what is guaranteed", g.Paid))
	}
	return nil
}

func sumPaid(guarantors []Standing) int64 {
	total := int64(0)
	for _, g := range guarantors {
		if total += g.Paid; total > money.Max {
			return total
		}
	}
	return total
}
