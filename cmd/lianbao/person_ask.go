package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"unicode/utf8"

	"github.com/lianbao/lianbao/gateway/message"
)

// The variables in which scripts put passphrases; of the new key when there are two.
const (
	passphraseVariable    = "LIANBAO_PASSPHRASE"
	newPassphraseVariable = "LIANBAO_NEW_PASSPHRASE"
)

// passphraseMin is the fewest characters of a new passphrase.
const passphraseMin = 10

// terminalPath is the person's own terminal, whatever is piped.
const terminalPath = "/dev/tty"

// passphrase takes it from a variable, or asks without showing what is typed.
func (a *application) passphrase(variable, prompt string) (string, error) {
	if given := os.Getenv(variable); given != "" {
		return given, nil
	}
	terminal, err := os.OpenFile(terminalPath, os.O_RDWR, 0)
	if err != nil {
		return "", &failure{exitUsage, "there is no terminal to type a passphrase at", "set " + variable}
	}
	defer func() { _ = terminal.Close() }() // what was typed has been read
	if err := echo(terminal, false); err != nil {
		return "", &failure{exitUsage, "this terminal cannot hide what is typed", "set " + variable}
	}
	fmt.Fprint(terminal, prompt)
	typed, err := interruptible(a.context, func() (string, error) { return line(terminal) })
	fmt.Fprintln(terminal)
	if err = errors.Join(err, echo(terminal, true)); err != nil {
		return "", err
	}
	return typed, nil
}

// echo asks the terminal's own program: it knows every system's terminals.
func echo(terminal *os.File, on bool) error {
	mode := "-echo"
	if on {
		mode = "echo"
	}
	command := exec.Command("stty", mode)
	command.Stdin = terminal
	return command.Run()
}

func line(from io.Reader) (string, error) {
	text, err := bufio.NewReader(from).ReadString('\n')
	if errors.Is(err, io.EOF) && text != "" {
		err = nil
	}
	return strings.TrimRight(text, "\r\n"), err
}

// newPassphrase asks twice.
func (a *application) newPassphrase() (string, error) {
	first, err := a.passphrase(passphraseVariable, "New passphrase: ")
	if err != nil {
		return "", err
	}
	if utf8.RuneCountInString(first) < passphraseMin {
		return "", &failure{exitUsage, fmt.Sprintf("the passphrase has fewer than %d characters", passphraseMin), "take a few words that nobody else would think of"}
	}
	second, err := a.passphrase(passphraseVariable, "The same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", &failure{exitUsage, "the two passphrases are not the same", "type the command again"}
	}
	return first, nil
}

// agree asks whether to sign.
func (a *application) agree(s spoken) error {
	if s.Yes {
		return nil
	}
	terminal, err := os.OpenFile(terminalPath, os.O_RDWR, 0)
	if err != nil {
		return &failure{exitUsage, "nobody can be asked here; nothing was signed", "read what stands above, then add --yes"}
	}
	defer func() { _ = terminal.Close() }() // what was typed has been read
	fmt.Fprint(terminal, message.New("cli.ask").Text(s.language()))
	typed, err := interruptible(a.context, func() (string, error) { return line(terminal) })
	if err != nil {
		return err
	}
	if strings.TrimSpace(typed) != "yes" {
		return &failure{exitRefused, "nothing was signed", ""}
	}
	return nil
}
