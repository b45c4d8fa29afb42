package contract

import (
	"fmt"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Audit is the contract that only reads. Its functions are evaluated, never
// submitted: a range read in a submitted transaction would be run again at commit.
type Audit struct{ contractapi.Contract }

// RangeMax is the most records one call returns. Large ones, such as the heads
// of statements, are fewer: an answer ends soon after rangeBytesMax, because the
// peer carries none above 100 MB.
const (
	RangeMax      = 500
	rangeBytesMax = 8_000_000
)

// RangeQuery asks for the records whose keys come after a key.
type RangeQuery struct {
	After string `json:"after"`
	Limit int32  `json:"limit"`
}

// RangeAnswer holds them in the order of their keys.
type RangeAnswer struct {
	Records []Record `json:"records"`
	// More is set when there may be records behind the last one.
	More bool `json:"more"`
}

// Record is one key and its value, as the peer holds it.
type Record struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Range returns a stretch of this peer's state.
func (*Audit) Range(ctx Context, argument string) (string, error) {
	query, err := decode[RangeQuery]([]byte(argument))
	if err != nil {
		return "", err
	}
	if query.Limit < 1 || query.Limit > RangeMax {
		return "", rule.Field("limit", rule.Refuse(rule.Invalid, "is %d; 1 to %d are possible", query.Limit, RangeMax))
	}
	start := query.After
	if start != "" {
		start += "\x00" // the first key behind it
	}
	// Fabric wants a start key: all of ours begin with a letter.
	iterator, _, err := ctx.GetStub().GetStateByRangeWithPagination(max(start, "!"), "~", query.Limit, "")
	if err != nil {
		return "", fmt.Errorf("range: %w", err)
	}
	defer iterator.Close()
	answer, size := RangeAnswer{Records: []Record{}}, 0
	for iterator.HasNext() && size < rangeBytesMax {
		item, err := iterator.Next()
		if err != nil {
			return "", fmt.Errorf("range: %w", err)
		}
		answer.Records = append(answer.Records, Record{Key: item.Key, Value: string(item.Value)})
		size += len(item.Key) + len(item.Value)
	}
	answer.More = len(answer.Records) == int(query.Limit) || size >= rangeBytesMax
	encoded, err := canonical.Encode(answer)
	return string(encoded), err
}

// KeyQuery asks for one record.
type KeyQuery struct {
	Key string `json:"key"`
}

// Read returns the record at a key.
func (*Audit) Read(ctx Context, argument string) (string, error) {
	query, err := decode[KeyQuery]([]byte(argument))
	if err != nil {
		return "", err
	}
	if query.Key == "" {
		return "", rule.Field("key", rule.Refuse(rule.Invalid, "is empty"))
	}
	value, err := ctx.GetStub().GetState(query.Key)
	if err != nil {
		return "", fmt.Errorf("read %.100s: %w", query.Key, err)
	}
	if len(value) == 0 {
		return "", rule.Refuse(rule.NotFound, "there is no record %.200q", query.Key)
	}
	return string(value), nil
}
