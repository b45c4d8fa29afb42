package document

import "time"

// EvidenceYears is how long accounting vouchers and what they rest on are kept,
// from the end of the year: Measures for the Administration of Accounting
// Archives (Ministry of Finance and State Archives Administration, Order 79 of
// 2015), article 14 and its first table.
const EvidenceYears = 30

// EvidenceUntil is the last day on which a document must be kept that the
// ledger cites since a day.
func EvidenceUntil(cited time.Time) time.Time {
	return time.Date(cited.Year()+EvidenceYears, time.December, 31, 0, 0, 0, 0, time.UTC)
}
