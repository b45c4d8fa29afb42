package replay

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

const (
	// compositeMark begins composite keys, which plain range queries must not see.
	compositeMark = "\x00"
	// firstSimpleKey stands for "from the first key that is not composite".
	firstSimpleKey = "\x01"
)

func simpleKeys(keys ...string) error {
	for _, key := range keys {
		if len(key) > 0 && key[:1] == compositeMark {
			return fmt.Errorf(`first character of the key [%s] contains a null character which is not allowed`, key)
		}
	}
	return nil
}

func simpleRange(start, end string) (string, error) {
	if start == "" {
		start = firstSimpleKey
	}
	return start, simpleKeys(start, end)
}

func compositeRange(objectType string, attributes []string) (string, string, error) {
	start, err := shim.CreateCompositeKey(objectType, attributes)
	return start, start + string(utf8.MaxRune), err
}

func (s *stub) scan(start, end string, pageSize int32, bookmark string,
) (shim.StateQueryIteratorInterface, *peer.QueryResponseMetadata, error) {
	spelled(start, end, bookmark)
	found, err := s.simulation.scan(start, end, pageSize, bookmark)
	if err != nil {
		return nil, nil, s.failed("GET_STATE_BY_RANGE", err)
	}
	return found, found.page(), nil
}

func (s *stub) GetStateByRange(start, end string) (shim.StateQueryIteratorInterface, error) {
	found, _, err := s.GetStateByRangeWithPagination(start, end, 0, "")
	return found, err
}

func (s *stub) GetStateByRangeWithPagination(start, end string, pageSize int32, bookmark string,
) (shim.StateQueryIteratorInterface, *peer.QueryResponseMetadata, error) {
	start, err := simpleRange(start, end)
	if err != nil {
		return nil, nil, err
	}
	return s.scan(start, end, pageSize, bookmark)
}

func (s *stub) GetStateByPartialCompositeKey(objectType string, keys []string) (shim.StateQueryIteratorInterface, error) {
	found, _, err := s.GetStateByPartialCompositeKeyWithPagination(objectType, keys, 0, "")
	return found, err
}

func (s *stub) GetStateByPartialCompositeKeyWithPagination(objectType string, keys []string, pageSize int32, bookmark string,
) (shim.StateQueryIteratorInterface, *peer.QueryResponseMetadata, error) {
	start, end, err := compositeRange(objectType, keys)
	if err != nil {
		return nil, nil, err
	}
	return s.scan(start, end, pageSize, bookmark)
}

func (s *stub) GetAllStatesCompositeKeyWithPagination(pageSize int32, bookmark string,
) (shim.StateQueryIteratorInterface, *peer.QueryResponseMetadata, error) {
	return s.scan(compositeMark, compositeMark+string(utf8.MaxRune), pageSize, bookmark)
}

// Rich queries need CouchDB; Lianbao's peers use LevelDB and say this.
var errNoRichQueries = errors.New("ExecuteQuery not supported for leveldb")

func (s *stub) GetQueryResult(string) (shim.StateQueryIteratorInterface, error) {
	return nil, s.failed("GET_QUERY_RESULT", errNoRichQueries)
}

func (s *stub) GetQueryResultWithPagination(string, int32, string,
) (shim.StateQueryIteratorInterface, *peer.QueryResponseMetadata, error) {
	return nil, nil, s.failed("GET_QUERY_RESULT", errNoRichQueries)
}

func (s *stub) GetPrivateDataQueryResult(string, string) (shim.StateQueryIteratorInterface, error) {
	return nil, s.failed("GET_QUERY_RESULT", errNoRichQueries)
}

// GetHistoryForKey answers like a peer without a history database: history is
// not part of the world state, so no replicated rule may depend on it.
func (s *stub) GetHistoryForKey(string) (shim.HistoryQueryIteratorInterface, error) {
	return nil, s.failed("GET_HISTORY_FOR_KEY", errors.New("history database is not enabled"))
}
