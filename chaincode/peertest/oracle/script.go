// Package oracle checks package replay, and with it peertest, against the code
// of Fabric itself: the same contract runs behind the real shim, the real
// chaincode handler and the real ledger of a peer, and in memory. Everything that
// comes out must be equal: what the contract sees, every error, every byte of
// the read and write sets, every validation code, every state.
//
// It is a module of its own because Fabric brings other versions of most things.
package oracle

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// call is one use of the stub: a name and its words.
type call []string

// script is a chaincode that makes the calls of its argument and answers with
// what each of them gave.
type script struct{}

func (script) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

func (script) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	var calls []call
	if err := json.Unmarshal(stub.GetArgs()[1], &calls); err != nil {
		return shim.Error(err.Error())
	}
	var seen []string
	for _, one := range calls {
		seen = append(seen, fmt.Sprintf("%q: %s", one, steps[one[0]](stub, one)))
	}
	answer, err := json.Marshal(seen)
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(answer)
}

type step func(stub shim.ChaincodeStubInterface, c call) string

var steps = map[string]step{
	"get":    func(s shim.ChaincodeStubInterface, c call) string { return spell(s.GetState(c[1])) },
	"many":   func(s shim.ChaincodeStubInterface, c call) string { return spell(s.GetMultipleStates(c[1:]...)) },
	"policy": func(s shim.ChaincodeStubInterface, c call) string { return spell(s.GetStateValidationParameter(c[1])) },
	"put":    func(s shim.ChaincodeStubInterface, c call) string { return spell("", s.PutState(c[1], []byte(c[2]))) },
	"delete": func(s shim.ChaincodeStubInterface, c call) string { return spell("", s.DelState(c[1])) },
	"guard": func(s shim.ChaincodeStubInterface, c call) string {
		return spell("", s.SetStateValidationParameter(c[1], []byte(c[2])))
	},
	"range": func(s shim.ChaincodeStubInterface, c call) string {
		found, err := s.GetStateByRange(c[1], c[2])
		return walk(found, nil, err, c[3])
	},
	"page": func(s shim.ChaincodeStubInterface, c call) string {
		size, _ := strconv.ParseInt(c[3], 10, 32)
		found, page, err := s.GetStateByRangeWithPagination(c[1], c[2], int32(size), c[4])
		return walk(found, page, err, "1000")
	},
	"composite": func(s shim.ChaincodeStubInterface, c call) string {
		found, err := s.GetStateByPartialCompositeKey(c[1], c[2:])
		return walk(found, nil, err, "1000")
	},
	"composites": func(s shim.ChaincodeStubInterface, _ call) string {
		found, page, err := s.GetAllStatesCompositeKeyWithPagination(3, "")
		return walk(found, page, err, "1000")
	},
	"putComposite": func(s shim.ChaincodeStubInterface, c call) string {
		key, err := s.CreateCompositeKey(c[1], c[2:])
		if err != nil {
			return err.Error()
		}
		kind, parts, err := s.SplitCompositeKey(key)
		return spell(append([]string{kind}, parts...), err) + spell("", s.PutState(key, []byte("c")))
	},
	"getPrivate": func(s shim.ChaincodeStubInterface, c call) string { return spell(s.GetPrivateData(c[1], c[2])) },
	"manyPrivate": func(s shim.ChaincodeStubInterface, c call) string {
		return spell(s.GetMultiplePrivateData(c[1], c[2:]...))
	},
	"hash": func(s shim.ChaincodeStubInterface, c call) string { return spell(s.GetPrivateDataHash(c[1], c[2])) },
	"putPrivate": func(s shim.ChaincodeStubInterface, c call) string {
		return spell("", s.PutPrivateData(c[1], c[2], []byte(c[3])))
	},
	"deletePrivate": func(s shim.ChaincodeStubInterface, c call) string { return spell("", s.DelPrivateData(c[1], c[2])) },
	"purge":         func(s shim.ChaincodeStubInterface, c call) string { return spell("", s.PurgePrivateData(c[1], c[2])) },
	"guardPrivate": func(s shim.ChaincodeStubInterface, c call) string {
		return spell("", s.SetPrivateDataValidationParameter(c[1], c[2], []byte(c[3])))
	},
	"policyPrivate": func(s shim.ChaincodeStubInterface, c call) string {
		return spell(s.GetPrivateDataValidationParameter(c[1], c[2]))
	},
	"rangePrivate": func(s shim.ChaincodeStubInterface, c call) string {
		found, err := s.GetPrivateDataByRange(c[1], c[2], c[3])
		return walk(found, nil, err, "1000")
	},
	"start":  func(s shim.ChaincodeStubInterface, _ call) string { s.StartWriteBatch(); return "" },
	"finish": func(s shim.ChaincodeStubInterface, _ call) string { return spell("", s.FinishWriteBatch()) },
	"event":  func(s shim.ChaincodeStubInterface, c call) string { return spell("", s.SetEvent(c[1], []byte(c[2]))) },
	"rich": func(s shim.ChaincodeStubInterface, c call) string {
		found, err := s.GetQueryResult(c[1])
		return walk(found, nil, err, "1")
	},
	"about": func(s shim.ChaincodeStubInterface, _ call) string {
		at, _ := s.GetTxTimestamp()
		creator, _ := s.GetCreator()
		binding, _ := s.GetBinding()
		return fmt.Sprintf("%s %s %s %x %x", s.GetTxID(), s.GetChannelID(), at.AsTime(), creator, binding)
	},
}

func spell(value any, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprintf("%q", value)
}

// walk reads a query up to a number of results.
func walk(found shim.StateQueryIteratorInterface, page *peer.QueryResponseMetadata, err error, most string) string {
	if err != nil {
		return "error: " + err.Error()
	}
	defer found.Close()
	limit, _ := strconv.Atoi(most)
	text := ""
	for i := 0; i < limit && found.HasNext(); i++ {
		result, err := found.Next()
		if err != nil {
			return text + " error: " + err.Error()
		}
		text += fmt.Sprintf("%s/%q=%q ", result.Namespace, result.Key, result.Value)
	}
	return fmt.Sprintf("%s page %d %q", text, page.GetFetchedRecordsCount(), page.GetBookmark())
}
