package fund

import (
	"bytes"
	"embed"
	"encoding/json"
	"io"
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
	// After is the event from which the time runs once: start, end or close;
	// Before the one that it ends at: start.
	After  string `json:"after,omitempty"`
	Before string `json:"before,omitempty"`
	// Every marks a duty that begins again where each publication of it ends, while the campaign lasts.
	Every  bool `json:"every,omitempty"`
	Days   int  `json:"days,omitempty"`
	Months int  `json:"months,omitempty"`
	// Yearly is the month and day by which the year before is published.
	Yearly        string `json:"yearly,omitempty"`
	EmergencyOnly bool   `json:"emergencyOnly,omitempty"`
	OrdinaryOnly  bool   `json:"ordinaryOnly,omitempty"`
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
		law, err := readLaw(data)
		if err != nil {
			return nil, rule.Refuse(rule.Invalid, "%s: %v", file.Name(), err)
		}
		laws = append(laws, law)
	}
	slices.SortFunc(laws, func(a, b Law) int { return compare(a.InForce, b.InForce) })
	return laws, nil
}

// readLaw refuses what a version does not know, so that no duty is lost to a slip of the pen.
func readLaw(data []byte) (Law, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var law Law
	if err := decoder.Decode(&law); err != nil {
		return Law{}, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return Law{}, rule.Refuse(rule.Invalid, "there is text behind the law")
	}
	return law, nil
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

// Running duties are not due yet; met ones do not come back, late ones were met
// after their day.
const (
	Running DueState = "running"
	Overdue DueState = "overdue"
	Met     DueState = "met"
	Late    DueState = "late"
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

// emergencyUntil is the last day on which an answer to a disaster may wait for its filing.
func (l Law) emergencyUntil(plan Plan) (tape.Date, bool) {
	for _, duty := range l.Duties {
		if duty.Duty == filingDuty && duty.EmergencyOnly {
			return plan.From.AddDays(duty.Days), true
		}
	}
	return "", false
}

// filingDuty is met by a filing number, not by a publication.
const filingDuty = "filing"

// Clock says what is to be published about a campaign, the next first.
func (l Law) Clock(c Campaign, zone tape.Zone, published []Publication, today tape.Date) ([]Due, error) {
	life, err := c.life(zone, published, today)
	if err != nil {
		return nil, err
	}
	var clock []Due
	for _, duty := range l.Duties {
		if !duty.concerns(c, l.LongMonths) {
			continue
		}
		due, applies := life.due(duty)
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

// concerns reports whether a campaign is of the kind that a duty is for. Both
// days of a period count: one from 1 January to 1 July lasts longer than six months.
func (d LawDuty) concerns(c Campaign, longMonths int) bool {
	switch {
	case d.EmergencyOnly && !c.Plan.Emergency, d.OrdinaryOnly && c.Plan.Emergency:
		return false
	case d.LongOnly && c.Plan.From.AddMonths(longMonths) > c.Plan.To:
		return false
	case d.Duty == filingDuty:
		return c.Basis == Filing
	}
	return c.State != Draft || c.Plan.Emergency
}

// life is what the clock knows of a campaign.
type life struct {
	Campaign
	published []Publication
	today     tape.Date
	// end is its last day, closed the day on which it was closed, empty while it is not.
	end, closed tape.Date
}

func (c Campaign) life(zone tape.Zone, published []Publication, today tape.Date) (life, error) {
	l := life{Campaign: c, published: published, today: today, end: c.Plan.To}
	if c.State != Closed {
		return l, nil
	}
	var err error
	l.closed, err = zone.Date(c.Closed)
	l.end = min(l.end, l.closed)
	return l, err
}

// due returns when a duty is due, and whether it applies today.
func (l life) due(d LawDuty) (Due, bool) {
	switch {
	case d.Duty == filingDuty:
		return l.filed(d), true
	case d.After == "close":
		return l.once(d, l.closed, l.closed != "", func(p Publication) bool { return p.Date >= l.closed })
	case l.today < l.Plan.From, l.closed != "" && l.closed < l.Plan.From:
		return Due{}, false
	case d.Yearly != "":
		return l.yearly(d)
	case d.Every:
		return l.repeated(d)
	}
	ended := l.today > l.end || l.closed != ""
	return l.once(d, l.end, ended, func(p Publication) bool { return p.To >= l.end })
}

// filed counts from the start, to the day on which the plan was handed in before
// it, or after it until a number was given.
func (l life) filed(d LawDuty) Due {
	if d.Before == "" {
		due := Due{Date: l.Plan.From.AddDays(d.Days)}
		if l.Filing != nil {
			due.State = Met
		}
		return due
	}
	due := Due{Date: l.Plan.From.AddDays(-d.Days), State: Met}
	if l.Submitted > due.Date {
		due.State = Late
	}
	return due
}

// once is due a time after an event, and met by a publication that comes after it.
func (l life) once(d LawDuty, event tape.Date, happened bool, meets func(Publication) bool) (Due, bool) {
	if !happened {
		return Due{}, false
	}
	due := Due{Date: event.AddMonths(d.Months).AddDays(d.Days)}
	for _, p := range l.published {
		if p.Duty == d.Duty && meets(p) {
			due.State, due.Publication = Met, p.N
		}
	}
	return due, true
}

// repeated counts from the last day that a publication of the duty covers, or
// the final one, at first from the start. What would fall due after the end is
// the final publication's to say.
func (l life) repeated(d LawDuty) (Due, bool) {
	from, number := l.Plan.From, int32(0)
	for _, p := range l.published {
		if (p.Duty == d.Duty || p.Duty == "final") && p.To >= from {
			from, number = p.To, p.N
		}
	}
	due := Due{Date: from.AddMonths(d.Months).AddDays(d.Days), Publication: number}
	return due, due.Date <= l.end
}

// yearly is due on its day after each year in which the campaign ran: for the
// first year that no publication of the duty covers.
func (l life) yearly(d LawDuty) (Due, bool) {
	year, due := yearOf(l.Plan.From), Due{}
	for number := l.covers(d.Duty, year); number > 0; number = l.covers(d.Duty, year) {
		due.Publication = number
		if l.closed != "" && year == yearOf(l.closed) {
			due.State = Met
			break
		}
		year++
	}
	due.Date = tape.Date(strconv.Itoa(year+1) + "-" + d.Yearly)
	return due, true
}

// covers returns the number of a publication of a duty on all of a year in
// which the campaign ran, 0 for none.
func (l life) covers(duty string, year int) int32 {
	first, last := tape.Date(strconv.Itoa(year)+"-01-01"), tape.Date(strconv.Itoa(year)+"-12-31")
	if l.closed != "" {
		last = min(last, l.closed)
	}
	for _, p := range l.published {
		if p.Duty == duty && p.From <= max(first, l.Plan.From) && p.To >= last {
			return p.N
		}
	}
	return 0
}

// yearOf is the year of a date that was checked.
func yearOf(date tape.Date) int {
	year, _ := strconv.Atoi(string(date[:4]))
	return year
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
		r.Kept = whole <= 0 || sharesAtLeast(part, whole, limit.LeastPartsPerMillion) && (limit.MostPartsPerMillion == 0 || sharesAtMost(part, whole, limit.MostPartsPerMillion))
		if limit.Ratio == "management" && year.Currency == l.ManagementFree.Currency && part < l.ManagementFree.Units {
			r.Kept = true
		}
		ratios = append(ratios, r)
	}
	return ratios
}

// sharesAtLeast and sharesAtMost compare part ÷ whole with a limit exactly: one
// unit more than a limit is more, although it rounds down to it.
func sharesAtLeast(part, whole, parts int64) bool { return compareShares(part, whole, parts) >= 0 }

func sharesAtMost(part, whole, parts int64) bool { return compareShares(part, whole, parts) <= 0 }

// compareShares is the sign of part × 1,000,000 − parts × whole; none is below zero.
func compareShares(part, whole, parts int64) int {
	high, low := bits.Mul64(uint64(max(part, 0)), partsPerOne)
	limitHigh, limitLow := bits.Mul64(uint64(max(parts, 0)), uint64(max(whole, 0)))
	if high == limitHigh {
		high, limitHigh = low, limitLow
	}
	switch {
	case high < limitHigh:
		return -1
	case high > limitHigh:
		return 1
	}
	return 0
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
