package readmodel

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// Digest hashes every table, row by row in the order of its key. Two models
// that have read the same blocks have the same digest, whatever the blocks
// were grouped into; where they differ, the tables say where to look.
func (m *Model) Digest(ctx context.Context) (Digest, error) {
	var digest Digest
	err := m.view(ctx, func(s *session) error {
		var err error
		if digest.Position, err = s.position(ctx); err != nil {
			return err
		}
		if digest.Aside, err = s.aside(ctx); err != nil {
			return err
		}
		names, err := s.tables(ctx)
		if err != nil {
			return err
		}
		all := sha256.New()
		for _, name := range names {
			table, err := s.digest(ctx, name)
			if err != nil {
				return err
			}
			fmt.Fprintf(all, "%s %d %s\n", table.Name, table.Rows, table.SHA256)
			digest.Tables = append(digest.Tables, table)
		}
		digest.SHA256 = hex.EncodeToString(all.Sum(nil))
		return nil
	})
	return digest, err
}

// tables are all but SQLite's and goose's own, which hold dates of this machine.
func (s *session) tables(ctx context.Context) ([]string, error) {
	return s.names(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%' ORDER BY name")
}

func (s *session) names(ctx context.Context, query string, arguments ...any) ([]string, error) {
	var names []string
	err := s.each(ctx, query, arguments, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, `"`+name+`"`)
		return err
	})
	return names, err
}

func (s *session) digest(ctx context.Context, table string) (TableDigest, error) {
	name := strings.Trim(table, `"`)
	columns, err := s.names(ctx, "SELECT name FROM pragma_table_info(?) ORDER BY cid", name)
	if err != nil {
		return TableDigest{}, err
	}
	key, err := s.names(ctx, "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", name)
	if err != nil {
		return TableDigest{}, err
	}
	digest := TableDigest{Name: name}
	sum := sha256.New()
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	query := "SELECT " + strings.Join(columns, ", ") + " FROM " + table + " ORDER BY " + strings.Join(key, ", ")
	err = s.each(ctx, query, nil, func(scan func(...any) error) error {
		digest.Rows++
		if err := scan(into...); err != nil {
			return err
		}
		for _, value := range values {
			if err := hashValue(sum, value); err != nil {
				return fmt.Errorf("table %s: %w", name, err)
			}
		}
		return nil
	})
	digest.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return digest, err
}

// hashValue writes a value with its type and length, so that no two rows are spelled alike.
func hashValue(sum hash.Hash, value any) error {
	var kind byte
	var data []byte
	switch v := value.(type) {
	case int64:
		kind, data = 'i', binary.BigEndian.AppendUint64(nil, uint64(v))
	case string:
		kind, data = 't', []byte(v)
	case []byte:
		kind, data = 'b', v
	default:
		return fmt.Errorf("a value of type %T cannot be hashed", value)
	}
	sum.Write(binary.BigEndian.AppendUint64([]byte{kind}, uint64(len(data))))
	sum.Write(data)
	return nil
}
