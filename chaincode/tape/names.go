package tape

import (
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

// Check refuses every other spelling.
func (id ID) Check() error {
	if len(id) == 0 || len(id) > IDMax || !alphanumeric(id[0]) {
		return rule.Refuse(rule.Invalid, "%.70q is not an id: a letter or digit, then letters, digits, . - _, 64 at most", string(id))
	}
	for i := 1; i < len(id); i++ {
		if c := id[i]; !alphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return rule.Refuse(rule.Invalid, "%.70q is not an id: a letter or digit, then letters, digits, . - _, 64 at most", string(id))
		}
	}
	return nil
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// AccountID names an account: kind:party:id, and :purpose where one party
// keeps money for a purpose apart. Segments are [a-z0-9-]{1,32}.
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
		return rule.Refuse(rule.Invalid, "%.140q is not an account: write kind:party:id or kind:party:id:purpose", string(a))
	}
	for _, segment := range segments {
		if err := CheckSegment(segment); err != nil {
			return rule.Refuse(rule.Invalid, "%.140q is not an account: each part is 1 to 32 of a-z, 0-9 and -", string(a))
		}
	}
	return nil
}

// CheckSegment refuses what cannot be a part of an account's name, such as an organisation's name.
func CheckSegment(segment string) error {
	if len(segment) == 0 || len(segment) > 32 {
		return rule.Refuse(rule.Invalid, "%.40q is not a name: 1 to 32 of a-z, 0-9 and -", segment)
	}
	for _, c := range []byte(segment) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return rule.Refuse(rule.Invalid, "%.40q is not a name: 1 to 32 of a-z, 0-9 and -", segment)
		}
	}
	return nil
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
		return rule.Refuse(rule.Invalid, "%.40q is not an instant; write it as 2026-11-22T09:57:00.123Z", text)
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
		return 0, rule.Refuse(rule.Invalid, "%.20q is not a zone; write it as +08:00", string(z))
	}
	_, seconds := parsed.Zone()
	return Instant(seconds) * 1000, nil
}

// Date is a civil day, written 2026-11-22.
type Date string

// Check refuses every other spelling and days that do not exist.
func (d Date) Check() error {
	parsed, err := time.Parse(time.DateOnly, string(d))
	if err != nil || parsed.Format(time.DateOnly) != string(d) {
		return rule.Refuse(rule.Invalid, "%.20q is not a date; write it as 2026-11-22", string(d))
	}
	return nil
}

// AddDays returns the day n days later. The date was checked.
func (d Date) AddDays(n int) Date {
	parsed, _ := time.Parse(time.DateOnly, string(d))
	return Date(parsed.AddDate(0, 0, n).Format(time.DateOnly))
}

// AddMonths returns the same day n months later, or the last day of that month
// where it has no such day. The date was checked.
func (d Date) AddMonths(n int) Date {
	parsed, _ := time.Parse(time.DateOnly, string(d))
	month := time.Date(parsed.Year(), parsed.Month()+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC) // its last day
	return Date(time.Date(month.Year(), month.Month(), min(parsed.Day(), month.Day()), 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
}

// DaysUntil counts the days to another date, negative when it lies before. Both were checked.
func (d Date) DaysUntil(other Date) int {
	from, _ := time.Parse(time.DateOnly, string(d))
	to, _ := time.Parse(time.DateOnly, string(other))
	return int(to.Sub(from) / (24 * time.Hour))
}

// Date returns the civil day of a moment in a zone.
func (z Zone) Date(at Instant) (Date, error) {
	offset, err := z.offset()
	if err != nil {
		return "", err
	}
	return Date(time.UnixMilli(int64(at + offset)).UTC().Format(time.DateOnly)), nil
}
