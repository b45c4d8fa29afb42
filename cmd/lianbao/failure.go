package main

import (
	"context"
	"errors"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/cmd/lianbao/keyfile"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/network"
)

// The exit codes; docs/cli.md lists them for scripts.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitRefused     = 3
	exitNoNetwork   = 4
	exitBusy        = 5
	exitUnavailable = 6
	exitDiffers     = 7
	exitInterrupted = 130
)

// failure is how a command ends when it does not do what was asked: what is
// wrong, and what to do about it.
type failure struct {
	exit int
	text string
	// todo is empty where the text says it already.
	todo string
}

func (f *failure) Error() string { return f.text }

// explain turns an error into a failure.
func explain(ctx context.Context, err error, app *application) *failure {
	var known *failure
	var refusal *rule.Refusal
	var away *speak.Unavailable
	var fault *keyfile.Fault
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &fault):
		return faulty(fault)
	case interrupted(ctx, err):
		return &failure{exitInterrupted, "stopped before it was finished", "the same command goes on where it stopped"}
	case errors.As(err, &refusal):
		return &failure{exitRefused, err.Error(), ""}
	case errors.Is(err, network.ErrNoNetwork), errors.Is(err, network.ErrOtherTopology):
		return &failure{exitNoNetwork, err.Error(), ""}
	case errors.Is(err, network.ErrBusy):
		return &failure{exitBusy, err.Error(), ""}
	case errors.As(err, &away), errors.Is(err, context.DeadlineExceeded):
		return &failure{exitUnavailable, err.Error(), "see " + app.again("status") + " and " + app.again("logs")}
	}
	return &failure{exitFailed, err.Error(), "see " + app.again("doctor")}
}

// faulty says why a key's file cannot be used.
func faulty(f *keyfile.Fault) *failure {
	exit := exitFailed
	if f.Usage {
		exit = exitUsage
	} else if f.Refused {
		exit = exitRefused
	}
	return &failure{exit, f.Text, f.Todo}
}
