package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/cmd/lianbao/story"
)

// blocks are the fenced blocks of a document that hold commands of lianbao, one a line.
func blocks(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, block := range regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(block[1], "lianbao ") || strings.Contains(block[1], "\nlianbao ") {
			found = append(found, strings.ReplaceAll(block[1], "\\\n", " ")) // a long line goes on behind a backslash
		}
	}
	return found
}

var (
	word    = regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`)
	comment = regexp.MustCompile(`\s+#.*|\s+[<>|].*`)
)

// TestDocumentedCommands reads every command that a document shows as the
// program does: none has a word or a flag that there is not.
func TestDocumentedCommands(t *testing.T) {
	documents, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, document := range append(documents, "../../README.md") {
		for _, block := range blocks(t, document) {
			for _, line := range strings.Split(block, "\n") {
				if !strings.HasPrefix(line, "lianbao ") || strings.HasPrefix(line, "lianbao audit        says") { // what it prints
					continue
				}
				read++
				var arguments []string
				for _, one := range word.FindAllString(comment.ReplaceAllString(line, ""), -1)[1:] {
					if one = strings.Trim(one, `'"`); one == "ACT" {
						arguments = append(arguments, "close-campaign")
						one = "CAMPAIGN"
					}
					arguments = append(arguments, one)
				}
				if err := parses(arguments); err != nil {
					t.Errorf("%s: %s\n\t%v", document, line, err)
				}
			}
		}
	}
	if read < 50 {
		t.Errorf("only %d commands were read", read)
	}
}

// parses reads a command line; files that are not here are no fault of it.
func parses(arguments []string) error {
	parser, err := newParser(new(commandLine))
	if err != nil {
		return err
	}
	if _, err = parser.Parse(arguments); err != nil && strings.Contains(err.Error(), "no such file") {
		return nil
	}
	return err
}

// documented types what docs/charity.md and the README show, as it is printed
// there, on a network with the stories. What would bring up another network or
// names a file, a person or a line of a bank that only its reader has is left out.
func (y typist) documented(told story.Told) {
	y.Helper()
	folder := y.TempDir()
	script := "set -eu\nlianbao() { command lianbao \"$@\" --dir '" + y.folder + "'; }\n"
	typed := 0
	for _, document := range []string{"../../docs/charity.md", "../../README.md"} {
		for _, block := range blocks(y.T, document) {
			for _, line := range strings.Split(block, "\n") {
				if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "lianbao" {
					left := slices.ContainsFunc([]string{" ACT", "--bank-line", "restore-payout"}, func(word string) bool { return strings.Contains(line, word) })
					if left || slices.Contains([]string{"up", "bench", "import", "person", "audit", "loan"}, fields[1]) {
						continue
					}
					typed++
				}
				script += strings.NewReplacer("CAMPAIGN ", string(told.Campaigns[0])+" ", "GIFT ", string(told.Gift)+" ").Replace(yearsOn(line)) + "\n"
			}
		}
	}
	begun := time.Now()
	command := exec.CommandContext(y.Context(), "sh", "-c", script)
	command.Dir = folder
	said, err := command.CombinedOutput()
	y.Logf("%d documented commands: %.1f s", typed, time.Since(begun).Seconds())
	if err != nil || typed < 18 {
		y.Errorf("%d commands: %v\n%s\n%s", typed, err, script, said)
	}
	exported, err := os.ReadFile(filepath.Join(folder, "a.xml"))
	if err != nil || !strings.Contains(string(exported), "<iati-activity") {
		y.Errorf("what the document exports: %v %.200s", err, exported)
	}
}

// yearsOn moves the days of a document, which was written in 2026, to a year in
// which they are still to come.
func yearsOn(line string) string {
	return regexp.MustCompile(`\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b`).ReplaceAllStringFunc(line, func(day string) string {
		year, _ := strconv.Atoi(day[:4])
		return strconv.Itoa(year+time.Now().AddDate(0, 1, 0).Year()-2026) + day[4:]
	})
}
