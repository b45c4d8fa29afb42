package oracle

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-lib-go/bccsp/sw"
	"github.com/hyperledger/fabric-lib-go/common/metrics/disabled"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/hyperledger/fabric/common/channelconfig"
	"github.com/hyperledger/fabric/core/chaincode"
	"github.com/hyperledger/fabric/core/common/ccprovider"
	"github.com/hyperledger/fabric/core/ledger"
	"github.com/hyperledger/fabric/core/ledger/ledgermgmt"
	"github.com/hyperledger/fabric/core/ledger/mock"
	"github.com/hyperledger/fabric/core/scc"
	"github.com/hyperledger/fabric/msp"
	"github.com/hyperledger/fabric/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
)

// fabric is the inside of a real peer: its ledger, and its side of the stream
// to a chaincode that runs behind the real shim.
type fabric struct {
	ledgers  *ledgermgmt.LedgerMgr
	ledger   ledger.PeerLedger
	handler  *chaincode.Handler
	previous []byte
	number   uint64
}

// outcome is what comes out of an endorsement, in the bytes of the peer.
type outcome struct {
	response []byte
	event    string
	public   []byte
	private  *rwset.TxPvtReadWriteSet
}

func newFabric(folder string, contract shim.Chaincode, collections []string) (*fabric, error) {
	provider := collectionInfo(collections)
	crypto, err := sw.NewDefaultSecurityLevelWithKeystore(sw.NewDummyKeyStore())
	if err != nil {
		return nil, err
	}
	f := &fabric{ledgers: ledgermgmt.NewLedgerMgr(&ledgermgmt.Initializer{
		Config: &ledger.Config{
			RootFSPath: folder, StateDBConfig: &ledger.StateDBConfig{}, HistoryDBConfig: &ledger.HistoryDBConfig{},
			PrivateDataConfig: &ledger.PrivateDataConfig{MaxBatchSize: 5000, BatchesInterval: 1000, PurgeInterval: 100},
			SnapshotsConfig:   &ledger.SnapshotsConfig{RootDir: filepath.Join(folder, "snapshots")},
		},
		MetricsProvider: &disabled.Provider{}, DeployedChaincodeInfoProvider: provider, HashProvider: crypto,
		HealthCheckRegistry: &mock.HealthCheckRegistry{}, ChaincodeLifecycleEventProvider: &mock.ChaincodeLifecycleEventProvider{},
	})}
	genesis, err := genesisBlock()
	if err != nil {
		return nil, err
	}
	if f.ledger, err = f.ledgers.CreateLedger(peertest.Channel, genesis); err != nil {
		return nil, err
	}
	f.previous = protoutil.BlockHeaderHash(genesis.Header)
	f.handler = newHandler(f.ledger, provider)
	return f, f.connect(contract)
}

func (f *fabric) close() { f.ledgers.Close() }

func genesisBlock() (*common.Block, error) {
	header, err := proto.Marshal(&common.ChannelHeader{Type: int32(common.HeaderType_CONFIG), ChannelId: peertest.Channel})
	if err != nil {
		return nil, err
	}
	payload, err := proto.Marshal(&common.Payload{Header: &common.Header{ChannelHeader: header}})
	if err != nil {
		return nil, err
	}
	envelope, err := proto.Marshal(&common.Envelope{Payload: payload})
	if err != nil {
		return nil, err
	}
	return blockOf(0, nil, [][]byte{envelope}), nil
}

func blockOf(number uint64, previous []byte, envelopes [][]byte) *common.Block {
	block := protoutil.NewBlock(number, previous)
	block.Data.Data = envelopes
	block.Header.DataHash = protoutil.ComputeBlockDataHash(block.Data)
	block.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = make([]byte, len(envelopes))
	return block
}

// collectionInfo says of the chaincode what its definition would: collections
// that every organisation may use.
func collectionInfo(names []string) *mock.DeployedChaincodeInfoProvider {
	all := &peer.CollectionConfigPackage{}
	byName := map[string]*peer.StaticCollectionConfig{}
	for _, name := range names {
		one := &peer.StaticCollectionConfig{Name: name, MemberOrgsPolicy: &peer.CollectionPolicyConfig{
			Payload: &peer.CollectionPolicyConfig_SignaturePolicy{SignaturePolicy: replay.OutOf(1, "bank")},
		}}
		byName[name] = one
		all.Config = append(all.Config, &peer.CollectionConfig{
			Payload: &peer.CollectionConfig_StaticCollectionConfig{StaticCollectionConfig: one},
		})
	}
	provider := &mock.DeployedChaincodeInfoProvider{}
	provider.AllCollectionsConfigPkgReturns(all, nil)
	provider.CollectionInfoStub = func(_, _, name string, _ ledger.SimpleQueryExecutor) (*peer.StaticCollectionConfig, error) {
		return byName[name], nil
	}
	return provider
}

type oneLedger struct{ ledger.PeerLedger }

func (l oneLedger) GetLedger(string) ledger.PeerLedger { return l.PeerLedger }

// capable is the configuration of a channel of Fabric 3, as far as the handler asks.
type capable struct {
	channelconfig.Application
	channelconfig.ApplicationCapabilities
}

func (c capable) GetApplicationConfig(string) (channelconfig.Application, bool) { return c, true }
func (c capable) Capabilities() channelconfig.ApplicationCapabilities           { return c }
func (capable) KeyLevelEndorsement() bool                                       { return true }
func (capable) PurgePvtData() bool                                              { return true }

// anyone is never asked, because the collections have no rule about clients.
type anyone struct{}

func (anyone) GetIdentityDeserializer(string) msp.IdentityDeserializer { return nil }

// newHandler sets what a peer with the sample configuration sets.
func newHandler(l ledger.PeerLedger, provider ledger.DeployedChaincodeInfoProvider) *chaincode.Handler {
	queries := 0
	return &chaincode.Handler{
		TotalQueryLimit: 100_000, Registry: chaincode.NewHandlerRegistry(true),
		TXContexts: chaincode.NewTransactionContexts(), ActiveTransactions: chaincode.NewActiveTransactions(),
		BuiltinSCCs:          scc.BuiltinSCCs{},
		QueryResponseBuilder: &chaincode.QueryResponseGenerator{MaxResultLimit: 100},
		LedgerGetter:         oneLedger{l}, IDDeserializerFactory: anyone{}, DeployedCCInfoProvider: provider,
		UUIDGenerator: chaincode.UUIDGeneratorFunc(func() string { queries++; return fmt.Sprint(queries) }),
		AppConfig:     capable{}, Metrics: chaincode.NewHandlerMetrics(&disabled.Provider{}),
		UseWriteBatch: true, MaxSizeWriteBatch: 1000, UseGetMultipleKeys: true, MaxSizeGetMultipleKeys: 1000,
	}
}

// wire is one end of a stream in memory. Messages are copied as gRPC would.
type wire struct {
	in, out chan *peer.ChaincodeMessage
}

func (w wire) Send(message *peer.ChaincodeMessage) error {
	w.out <- proto.Clone(message).(*peer.ChaincodeMessage)
	return nil
}

func (w wire) Recv() (*peer.ChaincodeMessage, error) {
	message, open := <-w.in
	if !open {
		return nil, io.EOF
	}
	return message, nil
}

func (w wire) CloseSend() error { return nil }

func (f *fabric) connect(contract shim.Chaincode) error {
	up, down := make(chan *peer.ChaincodeMessage, 1), make(chan *peer.ChaincodeMessage, 1)
	go func() { _ = f.handler.ProcessStream(wire{in: up, out: down}) }()
	go func() { _ = shim.StartInProc(peertest.Chaincode+":1", wire{in: down, out: up}, contract) }()
	for range 1000 {
		if f.handler.State() == chaincode.Ready {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
	return errors.New("the chaincode did not become ready")
}

// endorse runs a proposal on the committed state.
func (f *fabric) endorse(proposal replay.Proposal) (outcome, error) {
	simulator, err := f.ledger.NewTxSimulator(proposal.TransactionID)
	if err != nil {
		return outcome{}, err
	}
	defer simulator.Done()
	signed, plain, err := proposalOf(proposal)
	if err != nil {
		return outcome{}, err
	}
	input, err := proto.Marshal(&peer.ChaincodeInput{Args: proposal.Arguments})
	if err != nil {
		return outcome{}, err
	}
	answer, err := f.handler.Execute(&ccprovider.TransactionParams{
		TxID: proposal.TransactionID, ChannelID: proposal.Channel, SignedProp: signed, Proposal: plain, TXSimulator: simulator,
	}, peertest.Chaincode, &peer.ChaincodeMessage{
		Type: peer.ChaincodeMessage_TRANSACTION, Payload: input, Txid: proposal.TransactionID, ChannelId: proposal.Channel,
	}, 30*time.Second)
	if err != nil {
		return outcome{}, err
	}
	if answer.Type != peer.ChaincodeMessage_COMPLETED {
		return outcome{}, errors.New(string(answer.Payload))
	}
	return outcomeOf(answer, simulator)
}

func outcomeOf(answer *peer.ChaincodeMessage, simulator ledger.TxSimulator) (outcome, error) {
	results, err := simulator.GetTxSimulationResults()
	if err != nil {
		return outcome{}, err
	}
	public, err := results.GetPubSimulationBytes()
	if err != nil {
		return outcome{}, err
	}
	response := &peer.Response{}
	if err := proto.Unmarshal(answer.Payload, response); err != nil {
		return outcome{}, err
	}
	found := outcome{response: response.Payload, public: public, private: results.PvtSimulationResults}
	if event := answer.ChaincodeEvent; event != nil {
		found.event = event.EventName + " " + string(event.Payload)
	}
	return found, nil
}

func proposalOf(proposal replay.Proposal) (*peer.SignedProposal, *peer.Proposal, error) {
	var problems []error
	bytes := func(message proto.Message) []byte {
		data, err := proto.Marshal(message)
		problems = append(problems, err)
		return data
	}
	plain := &peer.Proposal{
		Header: bytes(&common.Header{
			ChannelHeader: bytes(&common.ChannelHeader{
				Type: int32(common.HeaderType_ENDORSER_TRANSACTION), ChannelId: proposal.Channel,
				TxId: proposal.TransactionID, Timestamp: timestamppb.New(proposal.Timestamp),
			}),
			SignatureHeader: bytes(&common.SignatureHeader{Creator: proposal.Creator, Nonce: proposal.Nonce}),
		}),
		Payload: bytes(&peer.ChaincodeProposalPayload{TransientMap: proposal.Transient}),
	}
	signed := &peer.SignedProposal{ProposalBytes: bytes(plain)}
	return signed, plain, errors.Join(problems...)
}

// commit puts transactions into the next block. The private data of those whose
// entry is nil never reaches this peer.
func (f *fabric) commit(envelopes [][]byte, private []*rwset.TxPvtReadWriteSet) (codes []byte, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("the peer panics: %v", reason)
		}
	}()
	block := blockOf(f.number+1, f.previous, envelopes)
	data := ledger.TxPvtDataMap{}
	for i, set := range private {
		if set != nil {
			data[uint64(i)] = &ledger.TxPvtData{SeqInBlock: uint64(i), WriteSet: set}
		}
	}
	if err := f.ledger.CommitLegacy(&ledger.BlockAndPvtData{Block: block, PvtData: data}, &ledger.CommitOptions{}); err != nil {
		return nil, err
	}
	f.number, f.previous = block.Header.Number, protoutil.BlockHeaderHash(block.Header)
	return block.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER], nil
}
