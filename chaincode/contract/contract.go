// Package contract lets a peer run the rules. It takes the timestamp, decodes
// strictly, loads records, calls one rule, checks the entry, and writes each
// record and the event once. It holds no rule of its own.
package contract

import (
	"fmt"
	"reflect"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
	"github.com/hyperledger/fabric-contract-api-go/v2/metadata"
	"github.com/hyperledger/fabric-contract-api-go/v2/serializer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// RulesKnown is the highest version of the rules that this program can judge
// by. Which version is in force is voted, and stands on the ledger.
const RulesKnown = 1

// Context is what contract-api hands to each transaction.
type Context = contractapi.TransactionContextInterface

// Chaincode is all contracts in one: a gift that pays a premium, or a sale
// that repays a loan, is one atomic transaction.
type Chaincode struct {
	*contractapi.ContractChaincode
	functions map[string]bool
}

// New builds the contracts.
func New() (*Chaincode, error) {
	party, tape, audit, dossier, fund := new(Party), new(Tape), new(Audit), new(Dossier), new(Fund)
	group, harvest, loan, settlement := new(Group), new(Harvest), new(Loan), new(Settlement)
	credit, pool, recourse, books := new(Credit), new(Pool), new(Recourse), new(Books)
	party.Name, tape.Name, audit.Name, dossier.Name, fund.Name = "Party", "Tape", "Audit", "Dossier", "Fund"
	group.Name, harvest.Name, loan.Name, settlement.Name = "Group", "Harvest", "Loan", "Settlement"
	credit.Name, pool.Name, recourse.Name, books.Name = "Credit", "Pool", "Recourse", "Books"
	all := []contractapi.ContractInterface{party, tape, audit, dossier, fund, group, harvest, loan, settlement, credit, pool, recourse, books}
	inner, err := contractapi.NewChaincode(all...)
	if err != nil {
		return nil, fmt.Errorf("contracts: %w", err)
	}
	inner.TransactionSerializer = text{}
	inner.Info.Title, inner.Info.Version = "lianbao", "1"
	return &Chaincode{ContractChaincode: inner, functions: functions(all...)}, nil
}

// functions lists the transactions of contracts by their full names.
func functions(contracts ...contractapi.ContractInterface) map[string]bool {
	transaction := reflect.TypeOf(func(Context, string) (string, error) { return "", nil })
	known := map[string]bool{}
	for _, contract := range contracts {
		value := reflect.ValueOf(contract)
		for i := range value.NumMethod() {
			if value.Method(i).Type() == transaction {
				known[contract.GetName()+":"+value.Type().Method(i).Name] = true
			}
		}
	}
	return known
}

// Invoke refuses what contract-api would let in by a side door (a function in
// lower case skips its checks there), and then lets it call the transaction.
//
// A defect of ours, or a record that colluding organisations spoilt, fails the
// one transaction that meets it: a panic would end the process for everyone.
func (c *Chaincode) Invoke(stub shim.ChaincodeStubInterface) (response *peer.Response) {
	defer func() {
		if fault := recover(); fault != nil {
			response = shim.Error(fmt.Sprintf("defect: %v", fault))
		}
	}()
	function, arguments := stub.GetFunctionAndParameters()
	if !c.functions[function] {
		return shim.Error(rule.Refuse(rule.Invalid, "there is no function %.60q; functions are written like Tape:Receive", function).Error())
	}
	if len(arguments) != 1 {
		return shim.Error(rule.Refuse(rule.Invalid, "%s takes one JSON argument, not %d", function, len(arguments)).Error())
	}
	if err := checkTransient(stub, function); err != nil {
		return shim.Error(err.Error())
	}
	return c.ContractChaincode.Invoke(stub)
}

// Init refuses: the ledger begins with Party:Found. The embedded contract's own
// Init would call transactions without what Invoke checks.
func (c *Chaincode) Init(shim.ChaincodeStubInterface) *peer.Response {
	return shim.Error(rule.Refuse(rule.Invalid, "this chaincode has no initialisation; call Party:Found").Error())
}

// text passes strings through: contract-api's schema check of a long argument
// costs a tenth of all CPU, and the rules decode strictly anyway.
type text struct{ serializer.JSONSerializer }

// FromString implements serializer.TransactionSerializer.
func (t text) FromString(value string, kind reflect.Type, parameter *metadata.ParameterMetadata, components *metadata.ComponentMetadata) (reflect.Value, error) {
	if kind.Kind() == reflect.String {
		return reflect.ValueOf(value), nil
	}
	return t.JSONSerializer.FromString(value, kind, parameter, components)
}

// ToString implements serializer.TransactionSerializer.
func (t text) ToString(value reflect.Value, kind reflect.Type, returns *metadata.ReturnMetadata, components *metadata.ComponentMetadata) (string, error) {
	if kind.Kind() == reflect.String {
		return value.String(), nil
	}
	return t.JSONSerializer.ToString(value, kind, returns, components)
}
