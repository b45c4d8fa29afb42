package tape

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// ID is a name that a client chose: an entry, a page, a gift, a hold. One
// spelling: a letter or digit, then letters, digits, dots, dashes and
// underscores, 64 characters at most.
type ID string

// IDMax is the length of the longest id.
const IDMax = 64

// Check refuses every other spelling. It does not repeat what it refuses, nor do
// the others below: a person's name that was typed into the wrong field would
// else stand in every log on the way.
func (id ID) Check() error {
	if len(id) == 0 || len(id) > IDMax || !alphanumeric(id[0]) {
		return rule.Refuse(rule.Invalid, "is not an id: a letter or digit, then letters, digits, . - _, 64 at most")
	}
	for i := 1; i < len(id); i++ {
		if c := id[i]; !alphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return rule.Refuse(rule.Invalid, "is not an id: a letter or digit, then letters, digits, . - _, 64 at most")
		}
	}
	return nil
}

// String spells the id in a sentence. What is no id is not repeated, nor is what
// is no account below: refusals name what is missing before they judge its name.
func (id ID) String() string {
	if id != "" && id.Check() != nil {
		return "(no id)"
	}
	return string(id)
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// AccountID names an account: kind:party:id, and :purpose where one party
// keeps money for a purpose apart. Segments are [a-z0-9-]{1,32}, and the one
// behind "household" is a Pseudonym: whose name it is stands nowhere.
// "outside:..." is money off the ledger: it has no tape.
type AccountID string

// Check refuses every other spelling.
func (a AccountID) Check() error {
	segments := strings.Split(string(a), ":")
	most := 4
	if segments[0] == receivableKind {
		most = 5 // ReceivableOf puts its kind before any account's name
	}
	if len(segments) < 2 || len(segments) > most || (len(segments) == 2 && !a.Outside()) {
		return rule.Refuse(rule.Invalid, "is not an account: write kind:party:id or kind:party:id:purpose")
	}
	for i, segment := range segments {
		if err := CheckSegment(segment); err != nil {
			return rule.Refuse(rule.Invalid, "is not an account: each part is 1 to 32 of a-z, 0-9 and -")
		}
		if i > 0 && segments[i-1] == Household && Pseudonym(segment).Check() != nil {
			return rule.Refuse(rule.Invalid, "is not a household's account: what stands behind household is a pseudonym, 32 letters a to p, drawn at random")
		}
	}
	return nil
}

// String spells the account in a sentence.
func (a AccountID) String() string {
	if a != "" && a.Check() != nil {
		return "(no account)"
	}
	return string(a)
}

// Household is the kind of accounts whose holders are families.
const Household = "household"

// CheckSegment refuses what cannot be a part of an account's name, such as an organisation's name.
func CheckSegment(segment string) error {
	if len(segment) == 0 || len(segment) > 32 {
		return rule.Refuse(rule.Invalid, "is not a name: 1 to 32 of a-z, 0-9 and -")
	}
	for _, c := range []byte(segment) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return rule.Refuse(rule.Invalid, "is not a name: 1 to 32 of a-z, 0-9 and -")
		}
	}
	return nil
}

// Pseudonym names a family, a record or a command: 32 letters a to p, four
// random bits each. There is no digit among them, so that no phone, id or account
// number can be spelled as one.
type Pseudonym string

const (
	pseudonymLength = 32
	// differentMin is met by all but one in twenty-five million random ones, and
	// by hardly anything that a person makes up.
	differentMin = 8
)

// PseudonymOf spells 128 random bits.
func PseudonymOf(random [16]byte) Pseudonym {
	letters := make([]byte, 0, pseudonymLength)
	for _, b := range random {
		letters = append(letters, 'a'+b>>4, 'a'+b&15)
	}
	return Pseudonym(letters)
}

// PseudonymFrom draws one from a text that is random itself, or that names
// somebody invented: the same text gives the same.
func PseudonymFrom(text string) Pseudonym {
	digest := sha256.Sum256([]byte(text))
	return PseudonymOf([16]byte(digest[:16]))
}

// Check refuses every other spelling, and what is evidently not random.
func (p Pseudonym) Check() error {
	if len(p) != pseudonymLength {
		return rule.Refuse(rule.Invalid, "is not a pseudonym: 32 letters a to p, drawn at random")
	}
	var seen [16]bool
	different := 0
	for _, c := range []byte(p) {
		if c < 'a' || c > 'p' {
			return rule.Refuse(rule.Invalid, "is not a pseudonym: 32 letters a to p, drawn at random")
		}
		if !seen[c-'a'] {
			seen[c-'a'] = true
			different++
		}
	}
	if different < differentMin {
		return rule.Refuse(rule.Invalid, "is not drawn at random: it has %d different letters", different)
	}
	return nil
}

// ID is the pseudonym as the id of an entry.
func (p Pseudonym) ID() ID { return ID(p) }

// CheckPosting refuses what does not name a posting of an entry as an inflow's
// source does: organisation/entry/index.
func CheckPosting(reference string) error {
	parts := strings.Split(reference, "/")
	if len(parts) == 3 && CheckSegment(parts[0]) == nil && ID(parts[1]).Check() == nil {
		if n, err := strconv.ParseUint(parts[2], 10, 31); err == nil && strconv.FormatUint(n, 10) == parts[2] {
			return nil
		}
	}
	return rule.Refuse(rule.Invalid, "is not a posting; write it as organisation/entry/index")
}

// Outside reports whether the account is money off the ledger.
func (a AccountID) Outside() bool { return strings.HasPrefix(string(a), "outside:") }

// Instant is a moment in UTC, in milliseconds since 1970. It is written
// 2026-11-22T09:57:00.123Z. A contract takes it from the transaction's
// timestamp; rules never read a clock.
type Instant int64

const instantLayout = "2006-01-02T15:04:05.000Z"

// String prints the one spelling.
func (i Instant) String() string { return time.UnixMilli(int64(i)).UTC().Format(instantLayout) }

// MarshalText writes the one spelling.
func (i Instant) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the one spelling.
func (i *Instant) UnmarshalText(text []byte) error {
	parsed, err := time.Parse(instantLayout, string(text))
	if err != nil || Instant(parsed.UnixMilli()).String() != string(text) {
		return rule.Refuse(rule.Invalid, "is not an instant; write it as 2026-11-22T09:57:00.123Z")
	}
	*i = Instant(parsed.UnixMilli())
	return nil
}

// Hours and Days are spans of time for deadlines and waiting periods.
const (
	Hour Instant = 3_600_000
	Day  Instant = 24 * Hour
)

// Zone is a scheme's civil time as a fixed offset, such as +08:00. A name of
// the time zone database would depend on the data that each peer's host has.
type Zone string

// Check refuses what is not an offset.
func (z Zone) Check() error {
	_, err := z.offset()
	return err
}

func (z Zone) offset() (Instant, error) {
	parsed, err := time.Parse("-07:00", string(z))
	if err != nil || parsed.Format("-07:00") != string(z) || z == "-00:00" {
		return 0, rule.Refuse(rule.Invalid, "is not a zone; write it as +08:00")
	}
	_, seconds := parsed.Zone()
	return Instant(seconds) * 1000, nil
}

// Date is a civil day, written 2026-11-22.
type Date string

// Check refuses every other spelling and days that do not exist.
func (d Date) Check() error {
	if _, is := d.civil(); !is {
		return rule.Refuse(rule.Invalid, "is not a date; write it as 2026-11-22")
	}
	return nil
}

// civil reads the day, and reports whether it is one. Reading and writing dates is
// a large part of what loans cost, and package time does both by a layout.
func (d Date) civil() (time.Time, bool) {
	if len(d) != len(time.DateOnly) || d[4] != '-' || d[7] != '-' {
		return time.Time{}, false
	}
	var number [8]int
	for i, at := range [8]int{0, 1, 2, 3, 5, 6, 8, 9} {
		if d[at] < '0' || d[at] > '9' {
			return time.Time{}, false
		}
		number[i] = int(d[at] - '0')
	}
	year, month, day := number[0]*1000+number[1]*100+number[2]*10+number[3], number[4]*10+number[5], number[6]*10+number[7]
	read := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if read.Day() != day || read.Month() != time.Month(month) { // there is no such day
		return time.Time{}, false
	}
	return read, true
}

// Civil is the day's midnight. The date was checked.
func (d Date) Civil() time.Time {
	read, _ := d.civil()
	return read
}

// dateOf writes a day.
func dateOf(t time.Time) Date {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return Date(t.Format(time.DateOnly)) // which is no date, and refused as one
	}
	digit := func(n int) byte { return byte('0' + n%10) }
	return Date([]byte{digit(year / 1000), digit(year / 100), digit(year / 10), digit(year), '-', digit(int(month) / 10), digit(int(month)), '-', digit(day / 10), digit(day)})
}

// AddDays returns the day n days later. The date was checked.
func (d Date) AddDays(n int) Date { return dateOf(d.Civil().AddDate(0, 0, n)) }

// AddMonths returns the same day n months later, or the last day of that month
// where it has no such day. The date was checked.
func (d Date) AddMonths(n int) Date {
	of := d.Civil()
	month := time.Date(of.Year(), of.Month()+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC) // its last day
	return dateOf(time.Date(month.Year(), month.Month(), min(of.Day(), month.Day()), 0, 0, 0, 0, time.UTC))
}

// DaysUntil counts the days to another date, negative when it lies before. Both were checked.
func (d Date) DaysUntil(other Date) int {
	return int((other.Civil().Unix() - d.Civil().Unix()) / (24 * 60 * 60))
}

// Date returns the civil day of a moment in a zone.
func (z Zone) Date(at Instant) (Date, error) {
	offset, err := z.offset()
	if err != nil {
		return "", err
	}
	return dateOf(time.UnixMilli(int64(at + offset)).UTC()), nil
}
