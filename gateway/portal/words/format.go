package words

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Money writes an amount as people do, with every digit: 412,300.00 CNY.
func Money(amount money.Amount) string {
	digits, currency, found := strings.Cut(amount.String(), " ")
	if !found {
		return amount.String()
	}
	return grouped(digits) + "\u00a0" + currency
}

// grouped puts a comma before every third digit of the whole part.
func grouped(digits string) string {
	sign := ""
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "\u2212", rest
	}
	whole, decimals, found := strings.Cut(digits, ".")
	var parts []string
	for len(whole) > 3 {
		parts = append([]string{whole[len(whole)-3:]}, parts...)
		whole = whole[:len(whole)-3]
	}
	text := sign + strings.Join(append([]string{whole}, parts...), ",")
	if found {
		text += "." + decimals
	}
	return text
}

// Count writes a whole number as people do.
func Count[N int | int32 | int64 | uint64](n N) string { return grouped(fmt.Sprint(n)) }

// Date writes a civil day: 3 Mar 2026, 2026年3月3日.
func (l *Language) Date(date tape.Date) string {
	day, err := time.Parse(time.DateOnly, string(date))
	if err != nil {
		return string(date)
	}
	return l.day(day)
}

func (l *Language) day(day time.Time) string {
	if l.Tag == "zh-CN" {
		return day.Format("2006年1月2日")
	}
	return day.Format("2 Jan 2006")
}

// Moment writes a moment in UTC, and says so: pages are read in many zones.
func (l *Language) Moment(at tape.Instant) string {
	moment := time.UnixMilli(int64(at)).UTC()
	return l.day(moment) + moment.Format(" 15:04:05") + " UTC"
}

// Month writes a month given as 2026-03.
func (l *Language) Month(month string) string {
	first, err := time.Parse("2006-01", month)
	switch {
	case err != nil:
		return month
	case l.Tag == "zh-CN":
		return first.Format("2006年1月")
	}
	return first.Format("Jan 2006")
}

// Share writes basis points as a percentage: 410 is 4.1 %.
func Share(basisPoints int) string {
	text := strconv.Itoa(basisPoints / 100)
	if rest := basisPoints % 100; rest != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%02d", rest), "0")
	}
	return text + "\u00a0%"
}
