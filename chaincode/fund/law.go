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
	// ReplaceDays is how long another person waits before it takes a payee's place.
	// No law says so: it is this ledger's own, kept here because it has a version.
	ReplaceDays int `json:"replaceDays"`
	// ManagementFree is the management cost of a year below which no ratio applies.
	ManagementFree money.Amount `json:"managementFree"`
}

// LawDuty is one thing to publish.
type LawDuty struct {
	Duty string `json:"duty"`
	// After is the event from which the time runs once: start or end; Before the
	// one that it ends at: start.
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
	// Spending marks a duty that goes on behind the plan's last day while money is left.
	Spending bool `json:"spending,omitempty"`
	// LeftOnly is due only where the campaign ended with money, PartnersOnly
	// where it invited partners.
	LeftOnly     bool   `json:"leftOnly,omitempty"`
	PartnersOnly bool   `json:"partnersOnly,omitempty"`
	Article      string `json:"article"`
}

// LawRatio bounds a share of a year's money for one kind of organisation.
type LawRatio struct {
	Ratio                string `json:"ratio"`
	Organisation         string `json:"organisation"`
	LeastPartsPerMillion int64  `json:"leastPartsPerMillion,omitempty"`
	MostPartsPerMillion  int64  `json:"mostPartsPerMillion,omitempty"`
	// MeanYears is of how many years before the mean income may stand in the
	// place of last year's; 0 for none.
	MeanYears int `json:"meanYears,omitempty"`
	// Draft marks what is known from a draft only: it is kept to be shown as such, and judges nobody.
	Draft   bool   `json:"draft,omitempty"`
	Of      string `json:"of"`
	Article string `json:"article"`
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
	return []string{"emergency", "progress", "final", "remainder", "evaluation", "annual", "other"}
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
	// Publication is the number of the one that met it, of a duty that begins
	// again the last one; 0 for none.
	Publication int32 `json:"publication,omitempty"`
	// From and To are the days that a publication covers to meet it; none for the filing.
	From tape.Date `json:"from,omitempty"`
	To   tape.Date `json:"to,omitempty"`
}

// Facts are what the clock reads beside a campaign's own record.
type Facts struct {
	Published []Publication
	// Until is the last day on which the campaign had money: today while it has
	// some, empty while none has come.
	Until tape.Date
	// Partners reports whether any partner was ever invited.
	Partners bool
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
func (l Law) Clock(c Campaign, zone tape.Zone, facts Facts, today tape.Date) ([]Due, error) {
	life, err := c.life(zone, facts, today)
	if err != nil {
		return nil, err
	}
	var clock []Due
	for _, duty := range l.Duties {
		if !life.concerns(duty, l.LongMonths) {
			continue
		}
		due, applies := life.due(duty, l.LongMonths)
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

// life is what the clock knows of a campaign.
type life struct {
	Campaign
	Facts
	today tape.Date
	// end is the last day of its plan, or that of closing before it; closed the
	// day on which it was closed, empty while it is not; last the last day on
	// which it collected or spent.
	end, closed, last tape.Date
}

func (c Campaign) life(zone tape.Zone, facts Facts, today tape.Date) (life, error) {
	l := life{Campaign: c, Facts: facts, today: today, end: c.Plan.To, last: max(c.Plan.To, facts.Until)}
	if c.State != Closed {
		return l, nil
	}
	var err error
	l.closed, err = zone.Date(c.Closed)
	l.end, l.last = min(l.end, l.closed), min(l.last, l.closed)
	return l, err
}

// ended reports whether its period is over.
func (l life) ended() bool { return l.today > l.end || l.closed != "" }

// spending reports whether it still has money although its period is over.
func (l life) spending() bool { return l.closed == "" && l.today > l.end && l.Until >= l.today }

// left reports whether there was money when it ended. What was handed on at
// once, on the day of closing, was left as well.
func (l life) left() bool { return l.Until > l.end || l.closed != "" && l.Until == l.closed }

// concerns reports whether the campaign is of the kind that a duty is for.
func (l life) concerns(d LawDuty, longMonths int) bool {
	switch {
	case d.EmergencyOnly && !l.Plan.Emergency, d.OrdinaryOnly && l.Plan.Emergency, d.PartnersOnly && !l.Partners, d.LeftOnly && !l.left():
		return false
	case d.LongOnly && !l.long(max(l.Plan.To, l.last), longMonths):
		return false
	case d.Duty == filingDuty:
		return l.Basis == Filing
	}
	return l.State != Draft || l.Plan.Emergency
}

// long reports whether a campaign that runs to a day lasts longer than so many
// months. Both days of a period count: one from 1 January to 1 July lasts longer than six.
func (l life) long(to tape.Date, months int) bool { return l.Plan.From.AddMonths(months) <= to }

// due returns when a duty is due, and whether it applies today.
func (l life) due(d LawDuty, longMonths int) (Due, bool) {
	switch {
	case d.Duty == filingDuty:
		return l.filed(d), true
	case d.LeftOnly:
		return l.once(d, l.end)
	case l.today < l.Plan.From, l.closed != "" && l.closed < l.Plan.From:
		return Due{}, false
	case d.Yearly != "":
		return l.yearly(d)
	case d.Every:
		return l.repeated(d, longMonths)
	}
	return l.once(d, l.Plan.From)
}

// filed counts from the start, to the day on which the plan was handed in before
// it, or after it until its first number was given.
func (l life) filed(d LawDuty) Due {
	if d.Before == "" {
		due := Due{Date: l.Plan.From.AddDays(d.Days)}
		if l.Numbered != "" {
			due.State = metBy(l.Numbered, due.Date)
		}
		return due
	}
	due := Due{Date: l.Plan.From.AddDays(-d.Days)}
	due.State = metBy(l.Submitted, due.Date)
	return due
}

// metBy says how a duty stands that was met on a day.
func metBy(day, due tape.Date) DueState {
	if day > due {
		return Late
	}
	return Met
}

// once is due a time after the end, and met by the first publication of all
// days from one on to the end.
func (l life) once(d LawDuty, from tape.Date) (Due, bool) {
	due := Due{Date: l.end.AddMonths(d.Months).AddDays(d.Days), From: from, To: l.end}
	if d.LeftOnly { // what became of the money is told of today
		due.To = max(l.end, l.today)
	}
	for _, p := range l.Published {
		if p.Duty == d.Duty && p.From <= from && p.To >= l.end {
			due.State, due.Publication = metBy(p.Date, due.Date), p.N
			break
		}
	}
	return due, l.ended()
}

// repeated counts from the last day up to which publications of the duty, or
// final ones, cover every day; at first from the start. What would fall due
// after the end is the final publication's to say, unless money is left.
func (l life) repeated(d LawDuty, longMonths int) (Due, bool) {
	from, next, number := l.Plan.From, l.Plan.From, int32(0)
	if d.LongOnly && !l.long(l.Plan.To, longMonths) { // it became long by money that is left
		from, next = l.Plan.To, l.Plan.To.AddDays(1)
	}
	published := slices.Clone(l.Published)
	slices.SortStableFunc(published, func(a, b Publication) int { return compare(a.From, b.From) })
	for _, p := range published {
		// One that begins later leaves a gap, which it does not make up for.
		if (p.Duty == d.Duty || p.Duty == "final") && p.From <= next && p.To >= from {
			from, next, number = p.To, p.To.AddDays(1), p.N
		}
	}
	due := Due{Date: from.AddMonths(d.Months).AddDays(d.Days), Publication: number, From: min(next, l.today), To: l.today}
	last := l.end
	if d.Spending {
		last = l.last
	}
	return due, due.Date <= last || d.Spending && l.spending()
}

// yearly is due on its day after each year in which the campaign ran: for the
// first year that no publication of the duty covers.
func (l life) yearly(d LawDuty) (Due, bool) {
	due := Due{}
	for year := yearOf(l.Plan.From); ; year++ {
		from, to := l.year(year)
		due.From, due.To, due.Date = from, to, tape.Date(strconv.Itoa(year+1)+"-"+d.Yearly)
		p, covered := l.covers(d.Duty, from, to)
		if !covered {
			return due, true
		}
		if due.Publication = p.N; l.closed != "" && year >= yearOf(l.closed) {
			due.State = metBy(p.Date, due.Date)
			return due, true
		}
	}
}

// year is the part of a calendar year in which the campaign ran.
func (l life) year(number int) (from, to tape.Date) {
	from, to = max(tape.Date(strconv.Itoa(number)+"-01-01"), l.Plan.From), tape.Date(strconv.Itoa(number)+"-12-31")
	if l.closed != "" {
		to = min(to, l.closed)
	}
	return from, to
}

// covers returns the first publication of a duty on all days of a period.
func (l life) covers(duty string, from, to tape.Date) (Publication, bool) {
	for _, p := range l.Published {
		if p.Duty == duty && p.From <= from && p.To >= to {
			return p, true
		}
	}
	return Publication{}, false
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
	// Mean says that Whole is the mean income of MeanYears years, rounded up.
	Mean bool `json:"mean,omitempty"`
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

// Judge computes the ratios of a year for a kind of organisation. earlier are the
// years before it that are known without a gap, the last one first; where the law
// leaves the choice, the lower income counts.
func (l Law) Judge(organisation string, earlier []Year, year Year) []Ratio {
	var ratios []Ratio
	for _, limit := range l.Ratios {
		if limit.Organisation != organisation || limit.Draft {
			continue
		}
		part, whole, mean := year.Programme, int64(0), false
		if limit.Ratio == "management" {
			part, whole = year.Management, year.Programme+year.Management+year.Fundraising
		} else {
			whole, mean = limit.income(earlier)
		}
		r := Ratio{LawRatio: limit, Part: money.New(part, year.Currency), Whole: money.New(whole, year.Currency), PartsPerMillion: PartsPerMillion(part, whole), Mean: mean}
		r.Kept = whole <= 0 || sharesAtLeast(part, whole, limit.LeastPartsPerMillion) && (limit.MostPartsPerMillion == 0 || sharesAtMost(part, whole, limit.MostPartsPerMillion))
		if limit.Ratio == "management" && year.Currency == l.ManagementFree.Currency && part < l.ManagementFree.Units {
			r.Kept = true
		}
		ratios = append(ratios, r)
	}
	return ratios
}

// income is what a year's spending is a share of: the year before, or the mean of
// several where that is lower, rounded up to a unit.
func (r LawRatio) income(earlier []Year) (units int64, mean bool) {
	if len(earlier) == 0 {
		return 0, false
	}
	last := earlier[0].Income
	if r.MeanYears == 0 || len(earlier) < r.MeanYears {
		return last, false
	}
	years := int64(r.MeanYears)
	for _, year := range earlier[:years] { // each is divided before it is added: three largest incomes do not fit
		units += year.Income / years
	}
	rest := int64(0)
	for _, year := range earlier[:years] {
		rest += year.Income % years
	}
	if units += (rest + years - 1) / years; units >= last {
		return last, false
	}
	return units, true
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
