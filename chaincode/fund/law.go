package fund

import (
	"embed"
	"encoding/json"
	"math/bits"
	"slices"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// What the law asks for is data with the day from which it is in force: a file
// for each version, with article and source. A new version is a new file.
//
//go:embed law/*.json
var lawFiles embed.FS

// Law is one version of what must be published, and when.
type Law struct {
	ID      string    `json:"id"`
	InForce tape.Date `json:"inForce"`
	Sources []string  `json:"sources"`
	// LongMonths: a campaign that lasts longer publishes its progress.
	LongMonths int        `json:"longMonths"`
	Duties     []LawDuty  `json:"duties"`
	Ratios     []LawRatio `json:"ratios"`
	// SettleDays is how long a gift may wait for its bank line before it is shown as late.
	SettleDays int `json:"settleDays"`
	// ManagementFree is the management cost of a year below which no ratio applies.
	ManagementFree money.Amount `json:"managementFree"`
}

// LawDuty is one thing to publish.
type LawDuty struct {
	Duty string `json:"duty"`
	// After is the event from which the time runs once: start, end or close.
	After string `json:"after,omitempty"`
	// Every marks a duty that begins again after each publication, while the campaign lasts.
	Every  bool `json:"every,omitempty"`
	Days   int  `json:"days,omitempty"`
	Months int  `json:"months,omitempty"`
	// Yearly is the month and day by which the year before is published.
	Yearly        string `json:"yearly,omitempty"`
	EmergencyOnly bool   `json:"emergencyOnly,omitempty"`
	LongOnly      bool   `json:"longOnly,omitempty"`
	Article       string `json:"article"`
}

// LawRatio bounds a share of a year's money for one kind of organisation.
type LawRatio struct {
	Ratio                string `json:"ratio"`
	Organisation         string `json:"organisation"`
	LeastPartsPerMillion int64  `json:"leastPartsPerMillion,omitempty"`
	MostPartsPerMillion  int64  `json:"mostPartsPerMillion,omitempty"`
	Of                   string `json:"of"`
	Article              string `json:"article"`
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
		var law Law
		if err := json.Unmarshal(data, &law); err != nil {
			return nil, rule.Refuse(rule.Invalid, "%s: %v", file.Name(), err)
		}
		laws = append(laws, law)
	}
	slices.SortFunc(laws, func(a, b Law) int { return compare(a.InForce, b.InForce) })
	return laws, nil
}

func compare(a, b tape.Date) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
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
	return Law{}, rule.Refuse(rule.Unsupported, "no version of the disclosure law is known for %s", day)
}

// Duties are the words by which publications say which duty they meet.
func Duties() []string {
	return []string{"emergency", "progress", "final", "remainder", "annual", "other"}
}

// DueState says where a duty stands.
type DueState string

// Running duties are not due yet; met ones do not come back.
const (
	Running DueState = "running"
	Overdue DueState = "overdue"
	Met     DueState = "met"
)

// Due is one line of a campaign's disclosure clock.
type Due struct {
	Duty    string    `json:"duty"`
	Article string    `json:"article"`
	Date    tape.Date `json:"date"`
	State   DueState  `json:"state"`
	// Days from today to Date, negative when it has passed.
	Days int `json:"days"`
	// Publication is the number of the one that met it last, 0 for none.
	Publication int32 `json:"publication,omitempty"`
}

// Clock says what is to be published about a campaign, the next first.
func (l Law) Clock(c Campaign, zone tape.Zone, published []Publication, today tape.Date) ([]Due, error) {
	var clock []Due
	for _, duty := range l.Duties {
		if duty.EmergencyOnly && !c.Plan.Emergency || duty.LongOnly && c.Plan.From.AddMonths(l.LongMonths) >= c.Plan.To {
			continue
		}
		due, applies, err := duty.due(c, zone, published, today)
		if err != nil {
			return nil, err
		}
		if !applies {
			continue
		}
		due.Duty, due.Article, due.Days = duty.Duty, duty.Article, today.DaysUntil(due.Date)
		if due.State == "" {
			due.State = Running
			if due.Date < today {
				due.State = Overdue
			}
		}
		clock = append(clock, due)
	}
	slices.SortStableFunc(clock, func(a, b Due) int { return compare(a.Date, b.Date) })
	return clock, nil
}

// due returns when a duty is due, and whether it applies at all.
func (d LawDuty) due(c Campaign, zone tape.Zone, published []Publication, today tape.Date) (Due, bool, error) {
	last := lastFor(d.Duty, published)
	switch {
	case d.Yearly != "":
		return d.yearly(c, zone, last, today)
	case d.Every:
		return d.repeated(c, published, today)
	case d.Duty == "filing":
		due := Due{Date: c.Plan.From.AddDays(d.Days)}
		if c.Filing != nil {
			due.State = Met
		}
		return due, c.Basis == Filing, nil
	}
	from, applies := c.Plan.To, today > c.Plan.To
	if d.After == "close" {
		closed, err := zone.Date(c.Closed)
		if err != nil {
			return Due{}, false, err
		}
		from, applies = closed, c.State == Closed
	}
	due := Due{Date: from.AddMonths(d.Months).AddDays(d.Days)}
	if last != nil {
		due.State, due.Publication = Met, last.N
	}
	return due, applies, nil
}

// repeated counts from the last publication of any duty that covers the time,
// or from the start, until the campaign ends.
func (d LawDuty) repeated(c Campaign, published []Publication, today tape.Date) (Due, bool, error) {
	from, number := c.Plan.From, int32(0)
	for _, p := range published {
		if p.Date > from {
			from, number = p.Date, p.N
		}
	}
	due := Due{Date: from.AddMonths(d.Months).AddDays(d.Days), Publication: number}
	running := c.State != Closed && today >= c.Plan.From && from <= c.Plan.To
	return due, running && c.State != Draft, nil
}

// yearly is due on its day after each year in which the campaign ran: for the
// first year that no publication of the duty has reached.
func (d LawDuty) yearly(c Campaign, zone tape.Zone, last *Publication, today tape.Date) (Due, bool, error) {
	year, due := yearOf(c.Plan.From), Due{}
	if last != nil {
		year, due.Publication = max(year, yearOf(last.To)+1), last.N
	}
	due.Date = tape.Date(strconv.Itoa(year+1) + "-" + d.Yearly)
	if c.State != Closed {
		return due, today >= c.Plan.From, nil
	}
	closed, err := zone.Date(c.Closed)
	if err != nil {
		return due, false, err
	}
	if year > yearOf(closed) {
		due.State = Met
	}
	return due, true, nil
}

// yearOf is the year of a date that was checked.
func yearOf(date tape.Date) int {
	year, _ := strconv.Atoi(string(date[:4]))
	return year
}

func lastFor(duty string, published []Publication) *Publication {
	var last *Publication
	for i := range published {
		if published[i].Duty == duty {
			last = &published[i]
		}
	}
	return last
}

// Ratio is a share with its limit.
type Ratio struct {
	LawRatio
	Part  money.Amount `json:"part"`
	Whole money.Amount `json:"whole"`
	// PartsPerMillion is Part of Whole, rounded down; 0 where there is no whole.
	PartsPerMillion int64 `json:"partsPerMillion"`
	Kept            bool  `json:"kept"`
}

// Year is what one organisation did in a calendar year, in minor units.
type Year struct {
	Year        string         `json:"year"`
	Currency    money.Currency `json:"currency"`
	Income      int64          `json:"income,string"`
	Programme   int64          `json:"programme,string"`
	Management  int64          `json:"management,string"`
	Fundraising int64          `json:"fundraising,string"`
}

// Judge computes the ratios of a year for a kind of organisation. before is the year before it.
func (l Law) Judge(organisation string, before, year Year) []Ratio {
	var ratios []Ratio
	for _, limit := range l.Ratios {
		if limit.Organisation != organisation {
			continue
		}
		part, whole := year.Programme, before.Income
		if limit.Ratio == "management" {
			part, whole = year.Management, year.Programme+year.Management+year.Fundraising
		}
		r := Ratio{LawRatio: limit, Part: money.New(part, year.Currency), Whole: money.New(whole, year.Currency), PartsPerMillion: PartsPerMillion(part, whole)}
		r.Kept = whole == 0 || r.PartsPerMillion >= limit.LeastPartsPerMillion && (limit.MostPartsPerMillion == 0 || r.PartsPerMillion <= limit.MostPartsPerMillion)
		if limit.Ratio == "management" && year.Currency == l.ManagementFree.Currency && part < l.ManagementFree.Units {
			r.Kept = true
		}
		ratios = append(ratios, r)
	}
	return ratios
}

// PartsPerMillion is part × 1,000,000 / whole, rounded down; 0 for no whole.
// Neither is negative; a share beyond what the result can hold is its largest.
func PartsPerMillion(part, whole int64) int64 {
	if whole <= 0 || part <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(part), partsPerOne)
	if high >= uint64(whole) {
		return money.Max
	}
	quotient, _ := bits.Div64(high, low, uint64(whole))
	return int64(min(quotient, money.Max))
}
