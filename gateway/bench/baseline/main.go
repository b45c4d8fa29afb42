// Command baseline is what `lianbao bench` measures Lianbao against: a
// chaincode in the style of fabric-samples' asset transfer, and a total that
// everybody adds to, as a first design would have it. It runs beside the
// contracts, on the same peers and under the same policy.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// asset has the fields of fabric-samples' asset-transfer-basic.
type asset struct {
	AppraisedValue int    `json:"AppraisedValue"`
	Color          string `json:"Color"`
	ID             string `json:"ID"`
	Owner          string `json:"Owner"`
	Size           int    `json:"Size"`
}

type chaincode struct{}

// Init implements shim.Chaincode.
func (chaincode) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

// Invoke implements shim.Chaincode.
func (chaincode) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	function, arguments := stub.GetFunctionAndParameters()
	if len(arguments) != 1 {
		return shim.Error("one argument is needed")
	}
	var err error
	switch function {
	case "CreateAsset":
		err = create(stub, arguments[0])
	case "AddToTotal":
		err = add(stub, arguments[0])
	default:
		err = fmt.Errorf("there is no function %q", function)
	}
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(nil)
}

func create(stub shim.ChaincodeStubInterface, argument string) error {
	var a asset
	if err := json.Unmarshal([]byte(argument), &a); err != nil {
		return err
	}
	there, err := stub.GetState(a.ID)
	if err != nil {
		return err
	}
	if there != nil {
		return fmt.Errorf("the asset %s already exists", a.ID)
	}
	value, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return stub.PutState(a.ID, value)
}

func add(stub shim.ChaincodeStubInterface, argument string) error {
	more, err := strconv.ParseInt(argument, 10, 64)
	if err != nil {
		return err
	}
	stored, err := stub.GetState("total")
	if err != nil {
		return err
	}
	total := int64(0)
	if stored != nil {
		if total, err = strconv.ParseInt(string(stored), 10, 64); err != nil {
			return err
		}
	}
	return stub.PutState("total", []byte(strconv.FormatInt(total+more, 10)))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "baseline:", err)
		os.Exit(1)
	}
}

// serve takes the flags of cmd/chaincode, because it is started as that is.
func serve(ctx context.Context) error {
	address := flag.String("address", "", "address to listen on")
	id := flag.String("package-id", "", "id of the installed package")
	files := [3]*string{flag.String("tls-certificate", "", "certificate"), flag.String("tls-key", "", "its key"), flag.String("tls-callers", "", "who may call")}
	flag.Parse()
	var read [3][]byte
	for i, path := range files {
		data, err := os.ReadFile(*path)
		if err != nil {
			return err
		}
		read[i] = data
	}
	server := shim.ChaincodeServer{CCID: *id, Address: *address, CC: chaincode{},
		TLSProps: shim.TLSProperties{Cert: read[0], Key: read[1], ClientCACerts: read[2]}}
	ended := make(chan error, 1)
	go func() { ended <- server.Start() }()
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}
