package replay

import (
	"maps"
	"slices"
	"sort"
)

// ordered is a map that can be read in the order of its keys. Production
// contracts write single keys and hardly ever read a range, so the order is
// made when it is asked for, and writing costs what a map costs.
type ordered struct {
	values map[string]Value
	keys   []string // sorted; may hold keys that are gone
	fresh  []string // written since keys was sorted
}

func newOrdered() *ordered { return &ordered{values: map[string]Value{}} }

func (o *ordered) clone() *ordered {
	return &ordered{values: maps.Clone(o.values), keys: slices.Clone(o.keys), fresh: slices.Clone(o.fresh)}
}

func (o *ordered) get(key string) (Value, bool) {
	value, found := o.values[key]
	return value, found
}

func (o *ordered) set(key string, value Value) {
	if _, found := o.values[key]; !found {
		o.fresh = append(o.fresh, key)
	}
	o.values[key] = value
}

func (o *ordered) remove(key string) { delete(o.values, key) }

// between returns the keys of a range; an empty end is behind the last key.
func (o *ordered) between(start, end string) []string {
	o.sort()
	from := sort.SearchStrings(o.keys, start)
	to := len(o.keys)
	if end != "" {
		to = max(from, sort.SearchStrings(o.keys, end))
	}
	return o.keys[from:to]
}

// sort merges fresh keys in and drops those that are gone. A key that was
// removed and written again stands in both lists.
func (o *ordered) sort() {
	if len(o.fresh) == 0 && len(o.keys) == len(o.values) {
		return
	}
	slices.Sort(o.fresh)
	merged := make([]string, 0, len(o.values))
	add := func(key string) {
		_, found := o.values[key]
		if found && (len(merged) == 0 || merged[len(merged)-1] != key) {
			merged = append(merged, key)
		}
	}
	at := 0
	for _, key := range o.keys {
		for at < len(o.fresh) && o.fresh[at] < key {
			add(o.fresh[at])
			at++
		}
		add(key)
	}
	for ; at < len(o.fresh); at++ {
		add(o.fresh[at])
	}
	o.keys, o.fresh = merged, nil
}
