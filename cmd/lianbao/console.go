package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-isatty"
	"golang.org/x/text/width"

	"github.com/lianbao/lianbao/network"
)

// console is where a command speaks: steps that rewrite their line on a
// terminal, plain lines elsewhere, one JSON document a line with --json.
type console struct {
	out, errs io.Writer
	json      bool
	// terminal says that out can rewrite a line.
	terminal bool

	mutex sync.Mutex
	// unfinished says that the cursor stands behind a line that is not done.
	unfinished bool
	told       time.Time
}

func newConsole(out, errs io.Writer) *console {
	file, is := out.(*os.File)
	return &console{out: out, errs: errs, terminal: is && isatty.IsTerminal(file.Fd()) && os.Getenv("TERM") != "dumb"}
}

// tellEvery is how often progress gets a line where lines cannot be rewritten.
const tellEvery = 5 * time.Second

// step shows one step of something that takes several.
func (c *console) step(s network.Step) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch {
	case c.json:
		c.document(struct {
			Step    string  `json:"step"`
			Detail  string  `json:"detail"`
			Done    bool    `json:"done"`
			Seconds float64 `json:"seconds"`
		}{s.Name, s.Detail, s.Done, round(s.Elapsed)})
	case s.Done:
		c.clear()
		fmt.Fprintln(c.out, strings.TrimRight(fmt.Sprintf("  ✓ %-10s %-52s %s", s.Name, s.Detail, seconds(s.Elapsed)), " "))
	default:
		c.passing(fmt.Sprintf("  · %-10s %s", s.Name, s.Detail))
	}
}

// passing shows a line that the next one replaces.
func (c *console) passing(text string) {
	if c.terminal {
		fmt.Fprint(c.out, "\r\x1b[2K"+text)
		c.unfinished = true
		return
	}
	if now := time.Now(); now.Sub(c.told) > tellEvery {
		c.told = now
		fmt.Fprintln(c.out, text)
	}
}

// meter shows how far something long is.
func (c *console) meter(line meterLine) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.json {
		c.document(line)
		return
	}
	c.passing(line.String())
}

// clear makes room where a passing line stands.
func (c *console) clear() {
	if c.unfinished {
		fmt.Fprint(c.out, "\r\x1b[2K")
		c.unfinished = false
	}
}

// say prints a line for people.
func (c *console) say(format string, arguments ...any) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.json {
		return
	}
	c.clear()
	fmt.Fprintln(c.out, strings.TrimRight(fmt.Sprintf(format, arguments...), " "))
}

// table prints rows in columns for people, amounts of a column with their ends
// under one another.
func (c *console) table(rows [][]string) {
	if c.json {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.clear()
	alignAmounts(rows)
	widest := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			widest[i] = max(widest[i], columns(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widest[i]-columns(cell)+2))
		}
		fmt.Fprintln(c.out, strings.TrimRight(line.String(), " "))
	}
}

// columns is how many columns of a terminal a text takes: a Chinese character takes two.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n++
		if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}

// amountCell is an amount as groupedAmount writes it.
var amountCell = regexp.MustCompile(`^ *[-\x{2212}]?[0-9,]+(\.[0-9]+)? [A-Z]{3}$`)

// alignAmounts pads the amounts of each column, and its heading, to the widest.
func alignAmounts(rows [][]string) {
	widest := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			if amountCell.MatchString(cell) {
				widest[i] = max(widest[i], utf8.RuneCountInString(cell), utf8.RuneCountInString(rows[0][i]))
			}
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			heading := n == 0 && cell == strings.ToUpper(cell)
			if widest[i] > 0 && (heading || amountCell.MatchString(cell)) {
				row[i] = strings.Repeat(" ", max(0, widest[i]-utf8.RuneCountInString(cell))) + cell
			}
		}
	}
}

// result prints the result for programs.
func (c *console) result(document any) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.json {
		c.document(document)
	}
}

func (c *console) document(document any) {
	encoder := json.NewEncoder(c.out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		fmt.Fprintln(c.errs, "lianbao:", err)
	}
}

// fail prints why a command did not do what was asked, and returns its exit code.
func (c *console) fail(f *failure) int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.json {
		type problem struct {
			Text string `json:"text"`
			Todo string `json:"todo,omitempty"`
			Exit int    `json:"exit"`
		}
		c.document(struct {
			Error problem `json:"error"`
		}{problem{f.text, f.todo, f.exit}})
		return f.exit
	}
	c.clear()
	fmt.Fprintln(c.errs, "lianbao: "+f.text)
	if f.todo != "" {
		fmt.Fprintln(c.errs, "         "+f.todo)
	}
	return f.exit
}

// seconds writes how long somebody waited; nothing where nobody did.
func seconds(d time.Duration) string {
	if d < 50*time.Millisecond {
		return ""
	}
	return fmt.Sprintf("%5.1f s", d.Seconds())
}

func round(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }
