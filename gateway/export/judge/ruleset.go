package judge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Ruleset is IATI's standard ruleset as published: for each context, kinds of
// rules with their cases.
type Ruleset map[string]rules

type rules map[string]struct {
	Cases []ruleCase `json:"cases"`
}

type ruleCase struct {
	Paths, Prefix, Subs          []string
	Condition, IDCondition       string
	If, Then, Foreach, One, All  string
	Less, More, Date, Start, End string
	Regex, Separator             string
	Sum, Min, Max                *json.Number
	Do                           rules
	RuleInfo                     ruleInfo
}

type ruleInfo struct{ ID, Severity, Category, Message string }

// Finding is a rule that a document breaks, and where.
type Finding struct {
	Rule, Severity, Message, Path string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s (%s) at %s: %s", f.Rule, f.Severity, f.Path, f.Message)
}

// Verdict is what the ruleset says of a document.
type Verdict struct {
	Findings []Finding
	// Unjudged are the rules that need a list which is not part of the ruleset.
	Unjudged []string
}

// Rules are the broken rules, sorted, each once.
func (v Verdict) Rules() []string {
	var found []string
	for _, f := range v.Findings {
		found = append(found, f.Rule)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// ReadRuleset reads the published file.
func ReadRuleset(path string) (Ruleset, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	// A field that is not known here would be a rule that is not judged.
	decoder.DisallowUnknownFields()
	var r Ruleset
	err = decoder.Decode(&r)
	return r, err
}

// UnmarshalJSON reads what the judge prints of a rule; its link says nothing more.
func (i *ruleInfo) UnmarshalJSON(data []byte) error {
	type plain ruleInfo
	return json.Unmarshal(data, (*plain)(i))
}

// Judge applies every rule to a document. now is the moment that dates in the
// future are measured by.
func (r Ruleset) Judge(document io.Reader, now time.Time) (Verdict, error) {
	root, err := parse(document)
	if err != nil {
		return Verdict{}, err
	}
	j := &judging{now: now.UTC()}
	for context, group := range r {
		elements, err := selected(context, root)
		if err != nil {
			return Verdict{}, err
		}
		for _, element := range elements {
			if err := j.all(element, group); err != nil {
				return Verdict{}, fmt.Errorf("%s: %w", context, err)
			}
		}
	}
	slices.SortFunc(j.Findings, func(a, b Finding) int { return strings.Compare(a.Rule+a.Path, b.Rule+b.Path) })
	slices.Sort(j.Unjudged)
	j.Unjudged = slices.Compact(j.Unjudged)
	return j.Verdict, nil
}

type judging struct {
	Verdict
	now time.Time
}

// kinds of rules. Each answers whether the case holds at an element.
var kinds = map[string]func(*judging, *node, ruleCase) (bool, error){
	"atleast_one": func(j *judging, at *node, c ruleCase) (bool, error) {
		return counted(at, c, func(n int) bool { return n >= 1 })
	},
	"no_more_than_one": func(j *judging, at *node, c ruleCase) (bool, error) {
		return counted(at, c, func(n int) bool { return n <= 1 })
	},
	"unique":        unique,
	"startswith":    startsWith,
	"one_or_all":    oneOrAll,
	"date_now":      dateNow,
	"date_order":    dateOrder,
	"between_dates": betweenDates,
	"time_limit":    timeLimit,
	"regex_matches": regexMatches,
	"no_spaces":     noSpaces,
	"strict_sum":    strictSum,
	"range":         inRange,
	"if_then":       ifThen,
}

func (j *judging) all(element *node, group rules) error {
	for kind, list := range group {
		for _, c := range list.Cases {
			if err := j.one(element, kind, c); err != nil {
				return fmt.Errorf("%s %s: %w", kind, c.RuleInfo.ID, err)
			}
		}
	}
	return nil
}

func (j *judging) one(element *node, kind string, c ruleCase) error {
	if kind == "loop" {
		return j.loop(element, c)
	}
	holds, known := kinds[kind]
	if !known {
		return fmt.Errorf("a kind of rule that is not known here")
	}
	if c.Condition != "" {
		applies, err := truthOf(c.Condition, element)
		if err != nil || !applies {
			return err
		}
	}
	held, err := holds(j, element, c)
	if err == nil && !held {
		j.Findings = append(j.Findings, Finding{c.RuleInfo.ID, c.RuleInfo.Severity, c.RuleInfo.Message, element.path()})
	}
	return err
}

// loop applies rules once for each value found, put in the place of $1 in the parts that subs names.
func (j *judging) loop(element *node, c ruleCase) error {
	found, err := selected(c.Foreach, element)
	if err != nil {
		return err
	}
	var seen []string
	for _, n := range found {
		value := n.value()
		if slices.Contains(seen, value) {
			continue
		}
		seen = append(seen, value)
		for kind, list := range c.Do {
			for _, inner := range list.Cases {
				if err := j.one(element, kind, inner.substituted(c.Subs, value)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c ruleCase) substituted(subs []string, value string) ruleCase {
	put := func(name string, text *string) {
		if slices.Contains(subs, name) {
			*text = strings.ReplaceAll(*text, "$1", value)
		}
	}
	put("if", &c.If)
	put("then", &c.Then)
	put("condition", &c.Condition)
	c.Paths = slices.Clone(c.Paths)
	for i := range c.Paths {
		put("paths", &c.Paths[i])
	}
	return c
}

func selected(path string, at *node) ([]*node, error) {
	e, err := compile(path)
	if err != nil {
		return nil, err
	}
	found, is := e(at, 1).([]*node)
	if !is {
		return nil, fmt.Errorf("%q is no path", path)
	}
	return found, nil
}

func truthOf(text string, at *node) (bool, error) {
	e, err := compile(text)
	if err != nil {
		return false, err
	}
	return truth(e(at, 1)), nil
}

// values are the texts of everything that the paths of a case find.
func values(at *node, paths []string) ([]string, error) {
	var found []string
	for _, path := range paths {
		some, err := selected(path, at)
		if err != nil {
			return nil, err
		}
		for _, n := range some {
			found = append(found, n.value())
		}
	}
	return found, nil
}

func every(at *node, paths []string, holds func(string) bool) (bool, error) {
	found, err := values(at, paths)
	return err == nil && !slices.ContainsFunc(found, func(text string) bool { return !holds(text) }), err
}

func counted(at *node, c ruleCase, holds func(int) bool) (bool, error) {
	found, err := values(at, c.Paths)
	return err == nil && holds(len(found)), err
}

func unique(_ *judging, at *node, c ruleCase) (bool, error) {
	found, err := values(at, c.Paths)
	slices.Sort(found)
	return err == nil && len(slices.Compact(slices.Clone(found))) == len(found), err
}

func startsWith(j *judging, at *node, c ruleCase) (bool, error) {
	if slices.Contains(c.Prefix, "ORG-ID-PREFIX") {
		// The agencies are a code list that is published apart and changes by the month.
		j.Unjudged = append(j.Unjudged, c.RuleInfo.ID)
		return true, nil
	}
	starts, err := values(at, c.Prefix)
	if err != nil {
		return false, err
	}
	return every(at, c.Paths, func(text string) bool {
		return slices.ContainsFunc(starts, func(start string) bool { return strings.HasPrefix(text, start+c.Separator) })
	})
}

func oneOrAll(_ *judging, at *node, c ruleCase) (bool, error) {
	one, err := selected(c.One, at)
	if err != nil || len(one) > 0 {
		return err == nil, err
	}
	without := map[string]string{
		"lang":     ".//narrative[not(@xml:lang)]",
		"sector":   "transaction[not(sector)]",
		"currency": ".//value[not(@currency)] | .//forecast[not(@currency)] | .//loan-status[not(@currency)]",
	}
	path, known := without[c.All]
	if !known {
		return false, fmt.Errorf("all %q is not known", c.All)
	}
	missing := 0
	for _, part := range strings.Split(path, " | ") {
		some, err := below(part, at)
		if err != nil {
			return false, err
		}
		missing += len(some)
	}
	return missing == 0, nil
}

// below finds what path finds at the element or anywhere below it, when it begins with .//
func below(path string, at *node) ([]*node, error) {
	inner, deep := strings.CutPrefix(path, ".//")
	if !deep {
		return selected(path, at)
	}
	var found []*node
	for _, n := range descendants(at) {
		some, err := selected(inner, n)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

// dates are the moments that a path finds; a plain date begins at midnight UTC.
// What is no date is for the schema to find.
func (j *judging) dates(path string, at *node) ([]time.Time, error) {
	if path == "NOW" {
		return []time.Time{j.now}, nil
	}
	found, err := values(at, []string{path})
	if err != nil {
		return nil, err
	}
	var dates []time.Time
	for _, text := range found {
		for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
			if date, err := time.Parse(layout, text); err == nil {
				dates = append(dates, date)
			}
		}
	}
	return dates, nil
}

// inOrder holds when no date of the first path is after one of the second.
func (j *judging) inOrder(at *node, less, more string, holds func(a, b time.Time) bool) (bool, error) {
	first, err := j.dates(less, at)
	if err != nil {
		return false, err
	}
	second, err := j.dates(more, at)
	if err != nil {
		return false, err
	}
	for _, a := range first {
		for _, b := range second {
			if !holds(a, b) {
				return false, nil
			}
		}
	}
	return true, nil
}

func notAfter(a, b time.Time) bool { return !a.After(b) }

func dateNow(j *judging, at *node, c ruleCase) (bool, error) {
	return j.inOrder(at, c.Date, "NOW", notAfter)
}

func dateOrder(j *judging, at *node, c ruleCase) (bool, error) {
	return j.inOrder(at, c.Less, c.More, notAfter)
}

func betweenDates(j *judging, at *node, c ruleCase) (bool, error) {
	held, err := j.inOrder(at, c.Start, c.Date, notAfter)
	if err != nil || !held {
		return false, err
	}
	return j.inOrder(at, c.Date, c.End, notAfter)
}

func timeLimit(j *judging, at *node, c ruleCase) (bool, error) {
	return j.inOrder(at, c.Start, c.End, func(a, b time.Time) bool { return b.Sub(a) <= 365*24*time.Hour })
}

// An id that is registered already may break the rule; here none is, so every id is judged.
func regexMatches(_ *judging, at *node, c ruleCase) (bool, error) {
	pattern, err := regexp.Compile(c.Regex)
	if err != nil {
		return false, err
	}
	return every(at, c.Paths, func(text string) bool { return text == "" || pattern.MatchString(text) })
}

func noSpaces(_ *judging, at *node, c ruleCase) (bool, error) {
	return every(at, c.Paths, func(text string) bool { return text == strings.TrimSpace(text) })
}

func strictSum(_ *judging, at *node, c ruleCase) (bool, error) {
	found, err := values(at, c.Paths)
	sum, wanted := new(big.Rat), new(big.Rat)
	for _, text := range found {
		part, is := new(big.Rat).SetString(text)
		if !is {
			return false, nil
		}
		sum.Add(sum, part)
	}
	wanted.SetString(c.Sum.String())
	return err == nil && sum.Cmp(wanted) == 0, err
}

func inRange(_ *judging, at *node, c ruleCase) (bool, error) {
	return every(at, c.Paths, func(text string) bool {
		value, is := new(big.Rat).SetString(text)
		least, _ := new(big.Rat).SetString(c.Min.String())
		most, _ := new(big.Rat).SetString(c.Max.String())
		return is && value.Cmp(least) >= 0 && value.Cmp(most) <= 0
	})
}

func ifThen(_ *judging, at *node, c ruleCase) (bool, error) {
	applies, err := truthOf(c.If, at)
	if err != nil || !applies {
		return err == nil, err
	}
	return truthOf(c.Then, at)
}

// IDs are the rules of the contexts that choose takes, sorted, each once.
func (r Ruleset) IDs(choose func(context string) bool) []string {
	var found []string
	var gather func(rules)
	gather = func(group rules) {
		for _, list := range group {
			for _, c := range list.Cases {
				if c.RuleInfo.ID != "" {
					found = append(found, c.RuleInfo.ID)
				}
				gather(c.Do)
			}
		}
	}
	for context, group := range r {
		if choose(context) {
			gather(group)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
