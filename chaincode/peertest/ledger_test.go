package peertest_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/cid"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// ledger is a chaincode with every habit, good and bad, that the tests need.
type ledger struct{ calls int }

func newLedger() shim.Chaincode { return &ledger{} }

func (l *ledger) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

func (l *ledger) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	l.calls++
	name, arguments := stub.GetFunctionAndParameters()
	act, found := acts[name]
	if !found {
		return shim.Error("invalid: there is no function " + name)
	}
	var words []string
	if len(arguments) > 0 {
		words = strings.Fields(arguments[0])
	}
	answer, err := act(l, stub, words)
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(answer)
}

type act func(l *ledger, stub shim.ChaincodeStubInterface, words []string) ([]byte, error)

var acts = map[string]act{
	"put": func(_ *ledger, s shim.ChaincodeStubInterface, w []string) ([]byte, error) {
		return nil, s.PutState(w[0], []byte(w[1]))
	},
	"get": func(_ *ledger, s shim.ChaincodeStubInterface, w []string) ([]byte, error) { return s.GetState(w[0]) },
	"delete": func(_ *ledger, s shim.ChaincodeStubInterface, w []string) ([]byte, error) {
		return nil, s.DelState(w[0])
	},
	"add":   add,
	"batch": batch,
	"twice": twice,
	"count": count,
	"guard": guard,
	"unguard": func(_ *ledger, s shim.ChaincodeStubInterface, w []string) ([]byte, error) {
		return nil, s.SetStateValidationParameter(w[0], []byte(w[1]))
	},
	"refuse": func(*ledger, shim.ChaincodeStubInterface, []string) ([]byte, error) {
		return nil, fmt.Errorf("insufficient: there is nothing")
	},
	"crash": func(*ledger, shim.ChaincodeStubInterface, []string) ([]byte, error) { panic("no") },
	"who":   who,
	"when":  when,
	"maps":  maps,
	"memory": func(l *ledger, s shim.ChaincodeStubInterface, w []string) ([]byte, error) {
		return nil, s.PutState("calls", []byte(strconv.Itoa(l.calls)))
	},
	"tell": func(_ *ledger, s shim.ChaincodeStubInterface, w []string) ([]byte, error) {
		return nil, s.SetEvent(w[0], []byte(w[1]))
	},
	"secret": secret,
	"reveal": func(_ *ledger, s shim.ChaincodeStubInterface, w []string) ([]byte, error) {
		return s.GetPrivateData(w[0], w[1])
	},
	"purge": func(_ *ledger, s shim.ChaincodeStubInterface, w []string) ([]byte, error) {
		return nil, s.PurgePrivateData(w[0], w[1])
	},
	"compare": compareHash,
}

func add(_ *ledger, stub shim.ChaincodeStubInterface, words []string) ([]byte, error) {
	held, err := stub.GetState(words[0])
	if err != nil {
		return nil, err
	}
	balance, _ := strconv.Atoi(string(held))
	more, err := strconv.Atoi(words[1])
	if err != nil {
		return nil, err
	}
	sum := []byte(strconv.Itoa(balance + more))
	return sum, stub.PutState(words[0], sum)
}

// batch writes keys and guards them, within one write batch.
func batch(_ *ledger, stub shim.ChaincodeStubInterface, words []string) ([]byte, error) {
	values, err := stub.GetMultipleStates(words...)
	if err != nil {
		return nil, err
	}
	stub.StartWriteBatch()
	for i, key := range words {
		if err := stub.PutState(key, append(values[i], 'x')); err != nil {
			return nil, err
		}
	}
	return nil, stub.FinishWriteBatch()
}

// twice reads after it wrote, and must not see it.
func twice(_ *ledger, stub shim.ChaincodeStubInterface, words []string) ([]byte, error) {
	if err := stub.PutState(words[0], []byte("new")); err != nil {
		return nil, err
	}
	return stub.GetState(words[0])
}

func count(_ *ledger, stub shim.ChaincodeStubInterface, words []string) ([]byte, error) {
	found, err := stub.GetStateByRange(words[0], words[1])
	if err != nil {
		return nil, err
	}
	defer found.Close()
	total := 0
	for found.HasNext() {
		if _, err := found.Next(); err != nil {
			return nil, err
		}
		total++
	}
	return nil, stub.PutState("count", []byte(strconv.Itoa(total)))
}

// guard writes a key with the policy "these organisations, all of them".
func guard(_ *ledger, stub shim.ChaincodeStubInterface, words []string) ([]byte, error) {
	policy, err := proto.Marshal(replay.OutOf(len(words)-1, words[1:]...))
	if err != nil {
		return nil, err
	}
	if err := stub.PutState(words[0], []byte("guarded")); err != nil {
		return nil, err
	}
	return nil, stub.SetStateValidationParameter(words[0], policy)
}

func who(_ *ledger, stub shim.ChaincodeStubInterface, _ []string) ([]byte, error) {
	client, err := cid.New(stub)
	if err != nil {
		return nil, err
	}
	msp, err := client.GetMSPID()
	if err != nil {
		return nil, err
	}
	role, found, err := client.GetAttributeValue("role")
	return []byte(fmt.Sprintf("%s %s %t", msp, role, found)), err
}

func when(_ *ledger, stub shim.ChaincodeStubInterface, _ []string) ([]byte, error) {
	at, err := stub.GetTxTimestamp()
	return []byte(at.AsTime().Format("2006-01-02T15:04:05Z")), err
}

// maps lets the order of a map reach the state: the classic fault.
func maps(_ *ledger, stub shim.ChaincodeStubInterface, _ []string) ([]byte, error) {
	var text []string
	shares := map[string]int{}
	for i := range 64 {
		shares[fmt.Sprint("household-", i)] = i
	}
	for name := range shares {
		text = append(text, name)
	}
	data, err := json.Marshal(text)
	if err != nil {
		return nil, err
	}
	return nil, stub.PutState("shares", data)
}

func secret(_ *ledger, stub shim.ChaincodeStubInterface, words []string) ([]byte, error) {
	values, err := stub.GetTransient()
	if err != nil {
		return nil, err
	}
	return nil, stub.PutPrivateData(words[0], words[1], values["value"])
}

func compareHash(_ *ledger, stub shim.ChaincodeStubInterface, words []string) ([]byte, error) {
	hash, err := stub.GetPrivateDataHash(words[0], words[1])
	return []byte(fmt.Sprintf("%x", hash)), err
}
