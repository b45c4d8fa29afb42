package waterfall

import (
	"embed"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// What the law asks of a year's surplus is data with the day from which it is in
// force: a file for each version. A new version is a new file.
//
//go:embed law/*.json
var lawFiles embed.FS

// Law is one version of how a cooperative's surplus is given back.
type Law struct {
	Article string    `json:"article"`
	ID      string    `json:"id"`
	InForce tape.Date `json:"inForce"`
	Source  string    `json:"source"`
	// VolumePartsPerMillionMin is the least part of the surplus that goes back by volume of trade.
	VolumePartsPerMillionMin int32 `json:"volumePartsPerMillionMin"`
}

// Laws lists the versions known, the oldest first.
func Laws() ([]Law, error) {
	files, err := lawFiles.ReadDir("law")
	if err != nil {
		return nil, err
	}
	var laws []Law
	for _, file := range files {
		data, err := lawFiles.ReadFile("law/" + file.Name())
		if err != nil {
			return nil, err
		}
		law, err := readLaw(data)
		if err != nil {
			return nil, rule.Refuse(rule.Invalid, "%s: %v", file.Name(), err)
		}
		laws = append(laws, law)
	}
	slices.SortFunc(laws, func(a, b Law) int { return strings.Compare(string(a.InForce), string(b.InForce)) })
	return laws, nil
}

// readLaw reads one file.
func readLaw(data []byte) (Law, error) {
	var law Law
	if err := canonical.Read(data, &law); err != nil {
		return Law{}, err
	}
	return law, rule.First(rule.Field("inForce", law.InForce.Check()), rule.Field("volumePartsPerMillionMin", rule.Within(int64(law.VolumePartsPerMillionMin), 0, Million)))
}

// LawOn returns the version in force on a day.
func LawOn(day tape.Date) (Law, error) {
	laws, err := Laws()
	if err != nil {
		return Law{}, err
	}
	for _, law := range slices.Backward(laws) {
		if law.InForce <= day {
			return law, nil
		}
	}
	return Law{}, rule.Refuse(rule.Unsupported, "no version of the law on cooperatives' surplus is known for %s", day)
}

// Surplus is what a cooperative has left of a year when losses are covered and
// reserves are set aside, and how its members decided to give it back.
type Surplus struct {
	Amount  money.Amount `json:"amount"`
	Members []Member     `json:"members"`
	// VolumePartsPerMillion is the part that goes back by volume; the rest goes by capital.
	VolumePartsPerMillion int32 `json:"volumePartsPerMillion"`
}

// Member is one member with its weights.
type Member struct {
	// Capital is what stands on its account: paid in, its part of the reserves, and of subsidies and gifts.
	Capital   int64          `json:"capital,string"`
	Household tape.AccountID `json:"household"`
	// Volume is its trade with the cooperative in the year, by quantity or by value, for all members alike.
	Volume int64 `json:"volume,string"`
}

// Dividend is one member's part of a surplus.
type Dividend struct {
	ByCapital money.Amount   `json:"byCapital"`
	ByVolume  money.Amount   `json:"byVolume"`
	Household tape.AccountID `json:"household"`
}

// Distribute gives a surplus back, in the order of the members' names. The part
// by volume is rounded up, so that it is never a fraction of a unit below the law.
func (s Surplus) Distribute(law Law) ([]Dividend, error) {
	if err := s.check(law); err != nil {
		return nil, err
	}
	members := slices.Clone(s.Members)
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(string(a.Household), string(b.Household)) })
	volumes, capitals := make([]int64, len(members)), make([]int64, len(members))
	for i, member := range members {
		volumes[i], capitals[i] = member.Volume, member.Capital
	}
	part := roundedUp(s.Amount.Units, s.VolumePartsPerMillion)
	byVolume, err := money.Split(part, volumes)
	if err != nil {
		return nil, rule.Field("members", err)
	}
	byCapital := make([]int64, len(members))
	if part < s.Amount.Units {
		if byCapital, err = money.Split(s.Amount.Units-part, capitals); err != nil {
			return nil, rule.Field("members", err)
		}
	}
	dividends := make([]Dividend, len(members))
	for i, member := range members {
		dividends[i] = Dividend{ByCapital: money.New(byCapital[i], s.Amount.Currency), ByVolume: money.New(byVolume[i], s.Amount.Currency), Household: member.Household}
	}
	return dividends, nil
}

func (s Surplus) check(law Law) error {
	if err := positive(s.Amount); err != nil {
		return rule.Field("amount", err)
	}
	if s.VolumePartsPerMillion < law.VolumePartsPerMillionMin || s.VolumePartsPerMillion > Million {
		return rule.Field("volumePartsPerMillion", rule.Refuse(rule.Forbidden, "is %d; %s asks for %d to %d", s.VolumePartsPerMillion, law.Article, law.VolumePartsPerMillionMin, Million))
	}
	if len(s.Members) == 0 || len(s.Members) > HouseholdsMax {
		return rule.Field("members", rule.Refuse(rule.Invalid, "names %d; 1 to %d is possible", len(s.Members), HouseholdsMax))
	}
	return s.checkMembers()
}

func (s Surplus) checkMembers() error {
	seen, volume, capital := make(map[tape.AccountID]bool, len(s.Members)), int64(0), int64(0)
	for i, member := range s.Members {
		if err := member.check(); err != nil {
			return rule.Item("members", i, err)
		}
		if seen[member.Household] {
			return rule.Item("members", i, rule.Field("household", rule.Refuse(rule.Invalid, "%s stands twice", member.Household)))
		}
		seen[member.Household] = true
		volume, capital = volume+member.Volume, capital+member.Capital
		if volume > money.Max || capital > money.Max {
			return rule.Field("members", rule.Refuse(rule.Invalid, "have together a volume or capital of more than %d", int64(money.Max)))
		}
	}
	if volume == 0 && s.VolumePartsPerMillion > 0 {
		return rule.Field("members", rule.Refuse(rule.Invalid, "have no volume, by which %d parts per million go back", s.VolumePartsPerMillion))
	}
	if capital == 0 && s.VolumePartsPerMillion < Million {
		return rule.Field("members", rule.Refuse(rule.Invalid, "have no capital, by which the rest would go back; give all of it by volume"))
	}
	return nil
}

func (m Member) check() error {
	return rule.First(rule.Field("household", checkHousehold(m.Household)), rule.Field("capital", rule.Within(m.Capital, 0, money.Max)), rule.Field("volume", rule.Within(m.Volume, 0, money.Max)))
}

// Keeps judges dividends that somebody else computed: they are the surplus to
// the unit, and no less of it than the law asks goes back by volume.
func (l Law) Keeps(surplus money.Amount, dividends []Dividend) error {
	if err := positive(surplus); err != nil {
		return rule.Field("amount", err)
	}
	byVolume, total := int64(0), int64(0)
	for i, d := range dividends {
		for _, amount := range []money.Amount{d.ByVolume, d.ByCapital} {
			if err := notNegative(amount, surplus.Currency); err != nil {
				return rule.Item("dividends", i, err)
			}
			if total += amount.Units; total > surplus.Units {
				return rule.Field("dividends", rule.Refuse(rule.Insufficient, "are more than %s, the surplus", surplus))
			}
		}
		byVolume += d.ByVolume.Units
	}
	if total < surplus.Units {
		return rule.Field("dividends", rule.Refuse(rule.Conflict, "are %s of %s, the surplus", money.New(total, surplus.Currency), surplus))
	}
	if least := roundedUp(surplus.Units, l.VolumePartsPerMillionMin); byVolume < least {
		return rule.Field("dividends", rule.Refuse(rule.Forbidden, "give back %s by volume; %s asks for %s of %s", money.New(byVolume, surplus.Currency), l.Article, money.New(least, surplus.Currency), surplus))
	}
	return nil
}
