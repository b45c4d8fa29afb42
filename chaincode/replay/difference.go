package replay

import (
	"bytes"
	"fmt"
	"strings"
)

// Difference says in words where two results differ; empty when they are equal
// byte for byte. Compare OnlyWrites where peers of different heights took part.
func Difference(a, b Results) string {
	left, err := a.Marshal()
	if err != nil {
		return err.Error()
	}
	right, err := b.Marshal()
	if err != nil {
		return err.Error()
	}
	if bytes.Equal(left, right) {
		return ""
	}
	here, there := linesOf(a), linesOf(b)
	found := append(missing("first", here, there), missing("second", there, here)...)
	if len(found) == 0 {
		return "the same facts in another order"
	}
	const most = 20
	if len(found) > most {
		found = append(found[:most], fmt.Sprintf("and %d more", len(found)-most))
	}
	return strings.Join(found, "; ")
}

func missing(where string, lines, elsewhere []string) []string {
	known := map[string]bool{}
	for _, line := range elsewhere {
		known[line] = true
	}
	var found []string
	for _, line := range lines {
		if !known[line] {
			found = append(found, "only the "+where+" "+line)
		}
	}
	return found
}

// linesOf spells every fact of the results on a line of its own.
func linesOf(results Results) []string {
	var lines []string
	for _, set := range results {
		add := func(format string, arguments ...any) {
			lines = append(lines, fmt.Sprintf(format, arguments...))
		}
		for _, read := range set.Reads {
			add("reads %q at %s", read.Key, read.Version)
		}
		for _, query := range set.Ranges {
			add("reads the range %q to %q (exhausted %t, %d reads, summary %x)",
				query.Start, query.End, query.Exhausted, len(query.Reads), summaryBytes(query.Summary))
		}
		for _, write := range set.Writes {
			if write.Deletes() {
				add("deletes %q", write.Key)
				continue
			}
			add("writes %q: %q", write.Key, write.Value)
		}
		for _, metadata := range set.Metadata {
			add("sets metadata of %q: %x", metadata.Key, metadata.Entries)
		}
		for _, collection := range set.Collections {
			lines = append(lines, linesOfCollection(collection)...)
		}
	}
	return lines
}

func linesOfCollection(collection Collection) []string {
	var lines []string
	add := func(format string, arguments ...any) {
		lines = append(lines, collection.Name+": "+fmt.Sprintf(format, arguments...))
	}
	for _, read := range collection.Reads {
		add("reads hash %x at %s", read.KeyHash, read.Version)
	}
	for _, write := range collection.Writes {
		add("writes hash %x: %x (delete %t, purge %t)", write.KeyHash, write.ValueHash, write.Delete, write.Purge)
	}
	for _, metadata := range collection.Metadata {
		add("sets metadata of hash %x: %x", metadata.KeyHash, metadata.Entries)
	}
	add("has the private set %x", collection.PrivateHash)
	return lines
}

func summaryBytes(summary *Summary) []byte {
	if summary == nil {
		return nil
	}
	return bytes.Join(summary.Hashes, nil)
}
