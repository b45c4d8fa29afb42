package group

import (
	"bytes"
	"embed"
	"encoding/json"
	"io"
	"slices"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// The outer limits within which a scheme chooses its terms are data with the day
// from which they are in force and their sources. A new version is a new file.
//
//go:embed law/*.json
var lawFiles embed.FS

// Law is one version of the limits.
type Law struct {
	ID      string    `json:"id"`
	InForce tape.Date `json:"inForce"`
	Sources []string  `json:"sources"`
	// Form is how the guarantee must be named: where the mode is unclear it is a
	// general one only (art. 686).
	Form           string `json:"form"`
	GroupSizeMin   int32  `json:"groupSizeMin"`
	GroupSizeMax   int32  `json:"groupSizeMax"`
	GroupMonthsMax int32  `json:"groupMonthsMax"`
	// GuaranteeMonths is the guarantee period where none is agreed (art. 692).
	GuaranteeMonths    int32 `json:"guaranteeMonths"`
	GuaranteeMonthsMax int32 `json:"guaranteeMonthsMax"`
	// ReplaceDays is how long another person waits before it signs for a household.
	// No law says so: it is this ledger's own, kept here because it has a version.
	ReplaceDays int32 `json:"replaceDays"`
	// Categories are what a supplier may be named for: a closed list, because a
	// text would be visible to the channel for ever.
	Categories []string `json:"categories"`
}

// LawOn returns the version in force on a day.
func LawOn(day tape.Date) (Law, error) {
	files, err := lawFiles.ReadDir("law")
	if err != nil {
		return Law{}, err
	}
	for _, file := range slices.Backward(files) { // the newest first: files are sorted, and named by their day
		data, err := lawFiles.ReadFile("law/" + file.Name())
		if err != nil {
			return Law{}, err
		}
		law, err := readLaw(data)
		if err != nil {
			return Law{}, rule.Refuse(rule.Invalid, "%s: %v", file.Name(), err)
		}
		if law.InForce <= day {
			return law, nil
		}
	}
	return Law{}, rule.Refuse(rule.Unsupported, "no version of the limits of guarantee groups is known for %s", day)
}

// readLaw refuses what a version does not know, so that no limit is lost to a slip of the pen.
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
