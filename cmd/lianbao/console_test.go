package main

import (
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/gateway/disclosure"
)

func TestTable(t *testing.T) {
	for _, c := range []struct {
		name string
		rows [][]string
		want string
	}{
		{"amounts end under one another, words begin so", [][]string{{"  LINE", "PLANNED", "BY"}, {"  roofs", "1,500,000 VND", "2026-10-31"}, {"  office", "0 VND", ""}},
			"  LINE          PLANNED  BY\n  roofs   1,500,000 VND  2026-10-31\n  office          0 VND\n"},
		{"a heading wider than its amounts", [][]string{{"CONFIRMED"}, {"1.00 CNY"}}, "CONFIRMED\n 1.00 CNY\n"},
		{"a Chinese character takes two columns", [][]string{{"  用途", "户"}, {"  农资贷", "3"}, {"  ab", "12"}}, "  用途    户\n  农资贷  3\n  ab      12\n"},
		{"a balance below zero", [][]string{{"  left", "-3.50 CNY"}, {"  paid", "100.00 CNY"}}, "  left   -3.50 CNY\n  paid  100.00 CNY\n"},
	} {
		var out strings.Builder
		(&console{out: &out}).table(c.rows)
		if out.String() != c.want {
			t.Errorf("%s:\n%s\nnot\n%s", c.name, out.String(), c.want)
		}
	}
}

// TestYearRows: a share of nothing is neither kept nor broken.
func TestYearRows(t *testing.T) {
	for _, c := range []struct {
		whole      int64
		share, end string
	}{{0, "-", "nothing yet to take a share of"}, {100, "69.00 %", "NOT KEPT"}} {
		var year disclosure.Annual
		year.Year.Currency = "CNY"
		year.Ratios = append(year.Ratios, fund.Ratio{LawRatio: fund.LawRatio{Ratio: "programme", LeastPartsPerMillion: 700000}, Whole: money.New(c.whole, "CNY"), PartsPerMillion: 690000})
		row := yearRows(year)[0]
		if row[5] != c.share || row[7] != c.end {
			t.Errorf("of %d: %q", c.whole, row)
		}
	}
}
