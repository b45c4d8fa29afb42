package main

import (
	"fmt"
	"strings"

	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/cmd/lianbao/score"
)

// creditCommand says what a household's credit score is and why. Nothing is asked of a network.
type creditCommand struct {
	Score  creditScore  `cmd:"" help:"Compute a score, line by line; with a dispute, a limit and a decision where they are asked for."`
	Verify creditVerify `cmd:"" help:"Compute a recorded score again, and compare."`
}

type creditScore struct{}

// Help is printed with --help.
func (creditScore) Help() string {
	return "The question is read from the standard input as JSON; docs/credit.md explains its fields."
}

func (creditScore) Run(app *application) error {
	data, err := app.asked()
	if err != nil {
		return err
	}
	answer, err := score.Ask(data)
	if err != nil {
		return err
	}
	return app.console.score(answer)
}

type creditVerify struct{}

// Help is printed with --help.
func (creditVerify) Help() string {
	return "The record is read from the standard input as JSON: what score --json gives as \"score\"."
}

func (creditVerify) Run(app *application) error {
	data, err := app.asked()
	if err != nil {
		return err
	}
	verified, err := score.Verify(data)
	if err != nil {
		return err
	}
	app.console.say("%d points by %s, as recorded", verified.Points, verified.Model)
	app.console.result(verified)
	return nil
}

// score prints an answer.
func (c *console) score(answer score.Answer) error {
	model, err := credit.ModelOf(answer.Score.Model)
	if err != nil {
		return err
	}
	c.say("%d of 100 points by %s on %s\n", answer.Score.Points, answer.Score.Model, answer.Score.Request.Day)
	rows, n := [][]string{{"INDICATOR", "VALUE", "POINTS", "OF", "WHY"}}, 0
	for _, factor := range model.Factors {
		for _, indicator := range factor.Indicators { // a score's lines stand in the model's order
			rows = append(rows, indicatorRow(indicator, answer.Score.Indicators[n]))
			n++
		}
	}
	c.table(rows)
	rows = [][]string{{"FACTOR", "POINTS", "BONUS", "OF", "WEIGHT", "PART"}}
	for _, f := range answer.Score.Factors {
		hundredths := 100 * f.Weight * min(f.Points+f.Bonus, f.Of) / f.Of
		rows = append(rows, []string{f.Factor, fmt.Sprint(f.Points), fmt.Sprint(f.Bonus), fmt.Sprint(f.Of), fmt.Sprint(f.Weight), fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100)})
	}
	c.say("")
	c.table(rows)
	c.verdict(answer)
	c.result(answer)
	return nil
}

// verdict prints what was asked beside the score.
func (c *console) verdict(answer score.Answer) {
	var lines []string
	if answer.Without != nil {
		lines = append(lines, fmt.Sprintf("without the disputed input: %d points", answer.Without.Points))
	}
	if l := answer.Limit; l != nil {
		lines = append(lines, fmt.Sprintf("limit %s: %s", groupedAmount(l.Amount), strings.Join(append([]string{l.Change}, l.Reasons...), ", ")))
	}
	if d := answer.Decision; d != nil {
		var reasons []string
		for _, reason := range d.Reasons {
			reasons = append(reasons, fmt.Sprintf("%s (%d of %d)", reason.Code, reason.Is, reason.Needed))
		}
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("decision %s: %s", d.Verdict, strings.Join(reasons, ", ")), ": "))
	}
	if len(lines) > 0 {
		c.say("\n%s", strings.Join(lines, "\n"))
	}
}

// indicatorRow is one line of the sum.
func indicatorRow(i credit.Indicator, o credit.IndicatorOutcome) []string {
	value := "-"
	switch {
	case len(o.Sources) == 0:
	case i.Unit == "count":
		value = fmt.Sprint(o.Value)
	case i.Unit == "parts-per-million":
		value = fmt.Sprintf("%d.%02d %%", o.Value/10_000, o.Value%10_000/100)
	default:
		value = fmt.Sprintf("%d %s", o.Value, i.Unit)
	}
	why := map[string]string{credit.Full: "all points", credit.Part: "some points", credit.Nothing: "no points", credit.Bonus: "bonus",
		credit.Missing: "nothing known", credit.Expired: "too old"}[o.Code]
	if (o.Code == credit.Missing || o.Code == credit.Expired) && o.Of == 0 {
		why += ", left out"
	}
	return []string{o.Indicator, value, fmt.Sprint(o.Points), fmt.Sprint(o.Of), why}
}
